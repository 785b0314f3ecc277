//! Organisations, teams, people and repositories: read only.

use axum::Extension;
use axum::extract::Path;
use serde_json::{Value, json};

use super::{Answer, Call, Reply};
use crate::sim::auth::Caller;
use crate::sim::refusal::Refusal;
use crate::sim::state::{State, Team};

pub(super) async fn organization(
    Path(org): Path<String>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let org = state.org_by_login(&org).ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(state.full_org_json(org)))
    })
}

pub(super) async fn members(Path(org): Path<String>, Extension(call): Extension<Call>) -> Answer {
    call.with(|state| {
        let org = call.organization(state, &org, "members", "read")?;
        let ids = state.orgs.get(&org).map(|org| org.members.keys());
        let all = ids.into_iter().flatten().map(|id| state.user_json(*id));
        Ok(call.page(state, all.collect()))
    })
}

pub(super) async fn membership(
    Path((org, login)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let org = call.organization(state, &org, "members", "read")?;
        let user = state
            .account_by_login(&login)
            .ok_or_else(Refusal::not_found)?
            .id;
        let owner = state
            .orgs
            .get(&org)
            .and_then(|org| org.members.get(&user).copied())
            .ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(state.membership_json(org, user, owner)))
    })
}

pub(super) async fn teams(Path(org): Path<String>, Extension(call): Extension<Call>) -> Answer {
    call.with(|state| {
        let org = call.organization(state, &org, "members", "read")?;
        let all = state
            .teams
            .values()
            .filter(|team| team.org == org)
            .map(|team| state.team_json(team))
            .collect();
        Ok(call.page(state, all))
    })
}

fn find<'s>(call: &Call, state: &'s State, org: &str, slug: &str) -> Result<&'s Team, Refusal> {
    let org = call.organization(state, org, "members", "read")?;
    state
        .teams
        .values()
        .find(|team| team.org == org && team.slug == slug)
        .ok_or_else(Refusal::not_found)
}

pub(super) async fn team(
    Path((org, slug)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let team = find(&call, state, &org, &slug)?;
        let mut shown = state.team_json(team);
        if let Value::Object(map) = &mut shown {
            map.extend([
                ("members_count".to_owned(), team.members.len().into()),
                ("repos_count".to_owned(), json!(0)),
                (
                    "created_at".to_owned(),
                    crate::sim::state::time(team.created_at).into(),
                ),
                (
                    "updated_at".to_owned(),
                    crate::sim::state::time(team.created_at).into(),
                ),
                ("organization".to_owned(), state.full_org_json(team.org)),
            ]);
        }
        Ok(Reply::ok(shown))
    })
}

pub(super) async fn team_members(
    Path((org, slug)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let team = find(&call, state, &org, &slug)?;
        let all = team.members.iter().map(|id| state.user_json(*id)).collect();
        Ok(call.page(state, all))
    })
}

pub(super) async fn user(Path(login): Path<String>, Extension(call): Extension<Call>) -> Answer {
    call.with(|state| {
        let account = state
            .account_by_login(&login)
            .ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(state.public_user_json(account)))
    })
}

pub(super) async fn user_by_id(Path(id): Path<u64>, Extension(call): Extension<Call>) -> Answer {
    call.with(|state| {
        let account = state.accounts.get(&id).ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(state.public_user_json(account)))
    })
}

pub(super) async fn repository(
    Path((owner, name)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    if matches!(call.caller, Caller::App) {
        return Err(Refusal::new(401, "Requires authentication"));
    }
    call.with(|state| {
        let id = call.repository(state, &owner, &name, "metadata", "read")?;
        let repo = state.repositories.get(&id).ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(state.full_repository_json(repo)))
    })
}
