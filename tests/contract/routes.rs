//! Every REST route of the simulation against GitHub's description: what we ask and what it answers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::published::rest::{EXCEPTIONS, Rest};
use crate::world::{ORG, REPO, World};

/// The routes of the simulation, as its source lists them.
fn listed() -> BTreeSet<String> {
    let source = include_str!("../../src/sim/rest/mod.rs");
    let (_, routes) = source.split_once("fn router()").expect("the router");
    let mut found = BTreeSet::new();
    for route in routes.split(".route(").skip(1) {
        let path = route.split('"').nth(1).expect("a path");
        let (route, _) = route.split_once(".fallback").unwrap_or((route, ""));
        for method in ["get", "post", "put", "patch", "delete"] {
            if route.contains(&format!(" {method}(")) || route.contains(&format!(".{method}(")) {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    found
}

/// Whether a concrete path is of this template, whatever its parameters are called.
fn is_of(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template
            .zip(path)
            .all(|(wanted, given)| wanted.starts_with('{') || wanted == given)
}

struct Walk {
    world: World,
    wrong: Vec<String>,
    gone: Vec<String>,
    excepted: BTreeSet<&'static str>,
}

impl Walk {
    async fn step(
        &mut self,
        app: bool,
        status: u16,
        method: &str,
        path: &str,
        body: Value,
    ) -> Value {
        let answer = if app {
            self.world.app(method, path, &body).await
        } else {
            self.world.ask(method, path, &body).await
        };
        let (bare, query) = path.split_once('?').unwrap_or((path, ""));
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        let rest = Rest::get();
        let mut said = rest.check_request(method, bare, query, &body);
        said.extend(rest.check_strictly(method, bare, answer.status, &answer.body));
        for what in said {
            match rest.exception(method, bare, &what) {
                Some(exception) => {
                    self.excepted.insert(exception.part);
                }
                None => self.wrong.push(format!("{method} {path}: {what}")),
            }
        }
        self.gone.push(format!("{method} {bare}"));
        answer.body
    }

    async fn ok(&mut self, method: &str, path: &str, body: Value) -> Value {
        self.step(false, 200, method, path, body).await
    }
}

#[tokio::test]
async fn every_route_is_githubs_in_what_it_takes_and_what_it_answers() {
    let world = World::new().await;
    let installation = world.installation;
    let mut walk = Walk {
        world,
        wrong: Vec::new(),
        gone: Vec::new(),
        excepted: BTreeSet::new(),
    };
    let repo = format!("/repos/{REPO}");
    let null = Value::Null;

    // Nobody listens there: the delivery log has failures to show.
    walk.world.sim.send_webhooks_to("http://127.0.0.1:9/hook");

    // The App.
    walk.step(true, 200, "GET", "/app", null.clone()).await;
    walk.step(
        true,
        200,
        "GET",
        "/app/installations?per_page=5",
        null.clone(),
    )
    .await;
    walk.step(
        true,
        200,
        "GET",
        &format!("/app/installations/{installation}"),
        null.clone(),
    )
    .await;
    let token = format!("/app/installations/{installation}/access_tokens");
    walk.step(
        true,
        201,
        "POST",
        &token,
        json!({"permissions": {"issues": "read"}}),
    )
    .await;
    walk.step(
        true,
        200,
        "GET",
        &format!("/orgs/{ORG}/installation"),
        null.clone(),
    )
    .await;

    walk.step(true, 200, "GET", "/app/hook/config", null.clone())
        .await;
    walk.step(
        true,
        200,
        "GET",
        &format!("{repo}/installation"),
        null.clone(),
    )
    .await;

    // People and places.
    walk.ok("GET", "/rate_limit", null.clone()).await;
    walk.ok(
        "GET",
        "/installation/repositories?per_page=100&page=1",
        null.clone(),
    )
    .await;
    walk.ok("GET", &format!("/orgs/{ORG}"), null.clone()).await;
    walk.ok("GET", &format!("/orgs/{ORG}/members"), null.clone())
        .await;
    walk.ok("GET", &format!("/orgs/{ORG}/memberships/ada"), null.clone())
        .await;
    walk.ok("GET", &format!("/orgs/{ORG}/teams"), null.clone())
        .await;
    walk.ok(
        "GET",
        &format!("/orgs/{ORG}/teams/product-leads"),
        null.clone(),
    )
    .await;
    walk.ok(
        "GET",
        &format!("/orgs/{ORG}/teams/product-leads/members"),
        null.clone(),
    )
    .await;
    let user = walk.ok("GET", "/users/ada", null.clone()).await;
    walk.ok("GET", &format!("/user/{}", user["id"]), null.clone())
        .await;
    walk.ok("GET", "/users/northstar%5Bbot%5D", null.clone())
        .await;
    walk.ok("GET", &repo, null.clone()).await;

    // Labels and milestones of the repository.
    let label = json!({"name": "kind/bug", "color": "f29513", "description": "does not work"});
    walk.step(false, 201, "POST", &format!("{repo}/labels"), label)
        .await;
    walk.ok("GET", &format!("{repo}/labels?per_page=100"), null.clone())
        .await;
    walk.ok("GET", &format!("{repo}/labels/kind%2Fbug"), null.clone())
        .await;
    let edit = json!({"new_name": "kind/defect", "color": "b60205", "description": "broken"});
    walk.ok("PATCH", &format!("{repo}/labels/kind%2Fbug"), edit)
        .await;
    walk.step(
        false,
        204,
        "DELETE",
        &format!("{repo}/labels/kind%2Fdefect"),
        null.clone(),
    )
    .await;
    walk.step(
        false,
        201,
        "POST",
        &format!("{repo}/milestones"),
        json!({"title": "2.0"}),
    )
    .await;
    walk.ok("GET", &format!("{repo}/milestones"), null.clone())
        .await;

    // An issue with everything it can have.
    let new = json!({
        "title": "A widget", "body": "It breaks.", "labels": ["bug", {"name": "new on use"}],
        "assignees": ["ada"], "milestone": 1,
    });
    let issue = walk
        .step(false, 201, "POST", &format!("{repo}/issues"), new)
        .await;
    let at = format!("{repo}/issues/{}", issue["number"]);
    walk.world
        .sim
        .set_type("ada", REPO, 1, Some("Bug"))
        .expect("typed");
    let child = walk
        .world
        .sim
        .open_issue("outsider", REPO, "A part", "", &[])
        .expect("an issue");
    walk.world
        .sim
        .add_sub_issue("ada", (REPO, 1), (REPO, child))
        .expect("a sub-issue");
    walk.ok("GET", &at, null.clone()).await;
    walk.ok("GET", &format!("{repo}/issues/{child}"), null.clone())
        .await;
    walk.ok(
        "PATCH",
        &at,
        json!({"state": "closed", "state_reason": "not_planned"}),
    )
    .await;
    walk.ok(
        "PATCH",
        &at,
        json!({"state": "open", "title": "A better widget", "milestone": null}),
    )
    .await;
    let list =
        "state=all&sort=updated&direction=asc&since=2026-01-01T00:00:00Z&labels=bug&per_page=10";
    walk.ok("GET", &format!("{repo}/issues?{list}"), null.clone())
        .await;
    walk.ok("GET", &format!("{repo}/issues"), null.clone())
        .await;
    walk.ok(
        "POST",
        &format!("{at}/labels"),
        json!({"labels": ["kind/feature"]}),
    )
    .await;
    walk.ok("GET", &format!("{at}/labels"), null.clone()).await;
    walk.ok(
        "DELETE",
        &format!("{at}/labels/kind%2Ffeature"),
        null.clone(),
    )
    .await;
    walk.ok(
        "PUT",
        &format!("{at}/labels"),
        json!({"labels": ["bug", "support"]}),
    )
    .await;
    walk.step(false, 204, "DELETE", &format!("{at}/labels"), null.clone())
        .await;
    walk.step(
        false,
        201,
        "POST",
        &format!("{at}/reactions"),
        json!({"content": "eyes"}),
    )
    .await;
    walk.ok(
        "POST",
        &format!("{at}/reactions"),
        json!({"content": "eyes"}),
    )
    .await;
    walk.ok("GET", &format!("{at}/reactions"), null.clone())
        .await;

    // Its comments.
    let comment = walk
        .step(
            false,
            201,
            "POST",
            &format!("{at}/comments"),
            json!({"body": "Hello"}),
        )
        .await;
    let comment = format!("{repo}/issues/comments/{}", comment["id"]);
    walk.ok(
        "GET",
        &format!("{at}/comments?per_page=100&since=2026-01-01T00:00:00Z"),
        null.clone(),
    )
    .await;
    walk.ok(
        "GET",
        &format!("{repo}/issues/comments?sort=updated&direction=asc"),
        null.clone(),
    )
    .await;
    walk.ok("GET", &comment, null.clone()).await;
    walk.ok("PATCH", &comment, json!({"body": "Hello again"}))
        .await;
    walk.step(
        false,
        201,
        "POST",
        &format!("{comment}/reactions"),
        json!({"content": "+1"}),
    )
    .await;
    walk.ok("GET", &format!("{comment}/reactions"), null.clone())
        .await;
    walk.step(false, 204, "DELETE", &comment, null.clone())
        .await;

    // The App's delivery log, which has something in it by now.
    let log = walk
        .step(
            true,
            200,
            "GET",
            "/app/hook/deliveries?per_page=3",
            null.clone(),
        )
        .await;
    let delivery = format!("/app/hook/deliveries/{}", log[0]["id"]);
    walk.step(true, 200, "GET", &delivery, null.clone()).await;
    walk.step(
        true,
        202,
        "POST",
        &format!("{delivery}/attempts"),
        null.clone(),
    )
    .await;

    // No.
    walk.step(
        false,
        404,
        "GET",
        &format!("{repo}/issues/999"),
        null.clone(),
    )
    .await;
    walk.step(false, 404, "GET", "/repos/acme/hidden", null.clone())
        .await;
    walk.step(
        false,
        404,
        "DELETE",
        &format!("{at}/labels/nothing"),
        null.clone(),
    )
    .await;
    walk.step(false, 401, "GET", "/app", null.clone()).await;
    let long = "x".repeat(51);
    walk.step(
        false,
        422,
        "POST",
        &format!("{repo}/labels"),
        json!({"name": long}),
    )
    .await;
    walk.step(
        false,
        422,
        "POST",
        &format!("{repo}/labels"),
        json!({"name": "bug"}),
    )
    .await;

    for route in listed() {
        let (method, template) = route.split_once(' ').expect("a route");
        let walked = walk.gone.iter().any(|gone| {
            gone.split_once(' ')
                .is_some_and(|(m, path)| m == method && is_of(template, path))
        });
        assert!(walked, "{route} of the simulation was not asked");
    }
    assert!(walk.wrong.is_empty(), "{}", walk.wrong.join("\n"));
    for exception in EXCEPTIONS {
        assert!(
            walk.excepted.contains(exception.part),
            "the exception is no longer needed: {}, {} ({})",
            exception.route,
            exception.part,
            exception.reason
        );
    }
}
