//! The REST routes, as axum handlers. Each answers from the state under one short lock.

mod apps;
mod comments;
mod issues;
mod labels;
mod orgs;

use std::collections::BTreeMap;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::StatusCode;
use http::header::HeaderValue;
use serde_json::{Value, json};

use super::Sim;
use super::auth::Caller;
use super::refusal::Refusal;
use super::state::{Actor, State};

/// A request on its way to its handler (an extension, put there by `server`).
#[derive(Clone)]
pub(super) struct Call {
    pub sim: Sim,
    pub caller: Caller,
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// Null where it was no JSON.
    pub body: Value,
}

/// What a handler says.
pub(super) struct Reply {
    status: u16,
    body: Value,
    link: Option<String>,
    location: Option<String>,
}

type Answer = Result<Reply, Refusal>;

impl Reply {
    fn ok(body: Value) -> Self {
        Self::with(200, body)
    }

    fn with(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            link: None,
            location: None,
        }
    }

    /// 301: what was asked for is there now.
    fn moved(url: &str) -> Self {
        let body = json!({
            "message": "Moved Permanently",
            "url": url,
            "documentation_url": "https://docs.github.com/rest",
        });
        Self {
            location: Some(url.to_owned()),
            ..Self::with(301, body)
        }
    }

    /// 204.
    fn nothing() -> Self {
        Self::with(204, Value::Null)
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        if status == StatusCode::NO_CONTENT {
            return status.into_response();
        }
        let mut response = (status, axum::Json(self.body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            "content-type",
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        if let Some(link) = self.link.and_then(|link| HeaderValue::try_from(link).ok()) {
            headers.insert("link", link);
        }
        let there = self.location.and_then(|to| HeaderValue::try_from(to).ok());
        if let Some(there) = there {
            headers.insert("location", there);
        }
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        Reply::with(self.status, self.body()).into_response()
    }
}

impl Call {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        self.sim.with(work)
    }

    /// A repository this caller may see, with `permission` at `level` for what it wants there.
    /// Public ones may be read by everybody who is known.
    fn repository(
        &self,
        state: &State,
        owner: &str,
        name: &str,
        permission: &str,
        level: &str,
    ) -> Result<u64, Refusal> {
        let Caller::Installation { id, .. } = &self.caller else {
            return Err(Refusal::new(401, "Requires authentication"));
        };
        let repo = state
            .repository_by_name(owner, name)
            .ok_or_else(Refusal::not_found)?;
        let covered = state.covers(*id, repo.id);
        if repo.private && !covered {
            return Err(Refusal::not_found());
        }
        let open_to_all = !repo.private && level == "read";
        if open_to_all || covered && self.caller.may(permission, level) {
            Ok(repo.id)
        } else {
            Err(Refusal::forbidden())
        }
    }

    fn issue(
        &self,
        state: &State,
        (owner, name, number): (&str, &str, u64),
        level: &str,
    ) -> Result<u64, Refusal> {
        let repo = self.repository(state, owner, name, "issues", level)?;
        let repo = state
            .repositories
            .get(&repo)
            .ok_or_else(Refusal::not_found)?;
        match repo.issues.get(&number) {
            Some(id) => Ok(*id),
            // Only the issue itself says where it went.
            None if state.transferred.contains_key(&(repo.id, number)) => Err(Refusal::not_found()),
            None if (1..repo.next_number).contains(&number) => {
                Err(Refusal::gone("This issue was deleted"))
            }
            None => Err(Refusal::not_found()),
        }
    }

    /// An organisation, for an installation of it with the permission; GitHub hides the rest.
    fn organization(
        &self,
        state: &State,
        login: &str,
        permission: &str,
        level: &str,
    ) -> Result<u64, Refusal> {
        let Caller::Installation { id, .. } = &self.caller else {
            return Err(Refusal::new(401, "Requires authentication"));
        };
        let org = state.org_by_login(login).ok_or_else(Refusal::not_found)?;
        let own = state.installations.get(id).is_some_and(|i| i.org == org);
        if !own {
            return Err(Refusal::not_found());
        }
        if self.caller.may(permission, level) {
            Ok(org)
        } else {
            Err(Refusal::forbidden())
        }
    }

    fn app(&self) -> Result<(), Refusal> {
        if matches!(self.caller, Caller::App) {
            Ok(())
        } else {
            Err(Refusal::new(401, "A JSON web token could not be decoded"))
        }
    }

    /// The App's bot acts.
    fn actor(state: &State) -> Actor {
        Actor {
            user: state.app_bot,
            app: true,
        }
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field).and_then(Value::as_str)
    }

    fn object(&self) -> Result<(), Refusal> {
        if self.body.is_object() {
            Ok(())
        } else {
            Err(Refusal::new(400, "Problems parsing JSON"))
        }
    }

    /// One page of a list, with GitHub's `Link` header: `per_page` is 30 unless told, at most 100.
    fn page(&self, state: &State, all: Vec<Value>) -> Reply {
        let (page, mut reply) = self.page_of(state, all);
        reply.body = Value::Array(page);
        reply
    }

    fn page_of(&self, state: &State, all: Vec<Value>) -> (Vec<Value>, Reply) {
        let number = |name: &str| {
            self.query
                .get(name)
                .and_then(|text| text.parse::<usize>().ok())
        };
        let per_page = number("per_page").filter(|n| *n > 0).unwrap_or(30).min(100);
        let page = number("page").unwrap_or(1).max(1);
        let last = all.len().div_ceil(per_page).max(1);
        let mut reply = Reply::ok(Value::Null);
        let mut links = Vec::new();
        let mut link = |to: usize, rel: &str| {
            links.push(format!("<{}>; rel=\"{rel}\"", self.page_url(state, to)));
        };
        if page > 1 {
            link(page - 1, "prev");
        }
        if page < last {
            link(page + 1, "next");
            link(last, "last");
        }
        if page > 1 {
            link(1, "first");
        }
        if !links.is_empty() {
            reply.link = Some(links.join(", "));
        }
        let start = (page - 1).saturating_mul(per_page);
        let some = all.into_iter().skip(start).take(per_page).collect();
        (some, reply)
    }

    fn page_url(&self, state: &State, page: usize) -> String {
        use super::render::url_part;
        use std::fmt::Write as _;
        let mut url = format!("{}{}?", state.api_url, self.path);
        for (name, value) in self.query.iter().filter(|(name, _)| *name != "page") {
            let _ = write!(url, "{}={}&", url_part(name), url_part(value));
        }
        let _ = write!(url, "page={page}"); // writing to a String cannot fail
        url
    }
}

impl State {
    /// Whether the installation was given this repository.
    pub fn covers(&self, installation: u64, repository: u64) -> bool {
        let Some(installation) = self.installations.get(&installation) else {
            return false;
        };
        let owner = self.repositories.get(&repository).map(|repo| repo.owner);
        owner == Some(installation.org)
            && installation
                .repositories
                .as_ref()
                .is_none_or(|some| some.contains(&repository))
    }
}

async fn no_route() -> Refusal {
    Refusal::not_found()
}

pub(super) fn router() -> Router {
    Router::new()
        .route("/app", get(apps::app))
        .route("/app/installations", get(apps::installations))
        .route("/app/installations/{id}", get(apps::installation))
        .route(
            "/app/installations/{id}/access_tokens",
            post(apps::access_token),
        )
        .route("/app/hook/deliveries", get(apps::deliveries))
        .route("/app/hook/deliveries/{id}", get(apps::delivery))
        .route("/app/hook/deliveries/{id}/attempts", post(apps::attempt))
        .route("/app/hook/config", get(apps::hook_config))
        .route(
            "/repos/{owner}/{repo}/installation",
            get(apps::repository_installation),
        )
        .route("/rate_limit", get(apps::rate_limit))
        .route("/installation/repositories", get(apps::repositories))
        .route("/orgs/{org}/installation", get(apps::org_installation))
        .route("/orgs/{org}", get(orgs::organization))
        .route("/orgs/{org}/members", get(orgs::members))
        .route("/orgs/{org}/memberships/{login}", get(orgs::membership))
        .route("/orgs/{org}/teams", get(orgs::teams))
        .route("/orgs/{org}/teams/{slug}", get(orgs::team))
        .route("/orgs/{org}/teams/{slug}/members", get(orgs::team_members))
        .route("/users/{login}", get(orgs::user))
        .route("/user/{id}", get(orgs::user_by_id))
        .route("/repos/{owner}/{repo}", get(orgs::repository))
        .route(
            "/repos/{owner}/{repo}/issues",
            get(issues::list).post(issues::create),
        )
        .route(
            "/repos/{owner}/{repo}/issues/{number}",
            get(issues::get).patch(issues::edit),
        )
        .route(
            "/repos/{owner}/{repo}/milestones",
            get(issues::milestones).post(issues::create_milestone),
        )
        .route(
            "/repos/{owner}/{repo}/issues/{number}/labels",
            get(labels::of_issue)
                .post(labels::add)
                .put(labels::replace)
                .delete(labels::clear),
        )
        .route(
            "/repos/{owner}/{repo}/issues/{number}/labels/{name}",
            delete(labels::remove),
        )
        .route(
            "/repos/{owner}/{repo}/labels",
            get(labels::list).post(labels::create),
        )
        .route(
            "/repos/{owner}/{repo}/labels/{name}",
            get(labels::get).patch(labels::edit).delete(labels::delete),
        )
        .route(
            "/repos/{owner}/{repo}/issues/comments",
            get(comments::of_repository),
        )
        .route(
            "/repos/{owner}/{repo}/issues/{number}/comments",
            get(comments::list).post(comments::create),
        )
        .route(
            "/repos/{owner}/{repo}/issues/comments/{id}",
            get(comments::get)
                .patch(comments::edit)
                .delete(comments::delete),
        )
        .route(
            "/repos/{owner}/{repo}/issues/comments/{id}/reactions",
            get(comments::reactions).post(comments::react),
        )
        .route(
            "/repos/{owner}/{repo}/issues/{number}/reactions",
            get(issues::reactions).post(issues::react),
        )
        .fallback(no_route)
        .method_not_allowed_fallback(no_route)
}
