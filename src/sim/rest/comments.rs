//! Comments on issues, and the reactions to them.

use axum::Extension;
use axum::extract::Path;

use super::issues::since;
use super::{Answer, Call, Reply};
use crate::sim::refusal::Refusal;
use crate::sim::state::{Comment, State};

pub(super) async fn list(
    Path((owner, name, number)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    let since = since(&call)?;
    call.with(|state| {
        let id = call.issue(state, (&owner, &name, number), "read")?;
        let all = state
            .issue(id)?
            .comments
            .iter()
            .filter_map(|id| state.comments.get(id))
            .filter(|comment| since.is_none_or(|since| comment.updated_at >= since))
            .map(|comment| state.comment_json(comment))
            .collect();
        Ok(call.page(state, all))
    })
}

pub(super) async fn of_repository(
    Path((owner, name)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    let since = since(&call)?;
    call.with(|state| {
        let repo = call.repository(state, &owner, &name, "issues", "read")?;
        let all = state
            .comments
            .values()
            .filter(|comment| {
                let issue = state.issues.get(&comment.issue);
                issue.is_some_and(|issue| issue.repository == repo)
            })
            .filter(|comment| since.is_none_or(|since| comment.updated_at >= since))
            .map(|comment| state.comment_json(comment))
            .collect();
        Ok(call.page(state, all))
    })
}

pub(super) async fn create(
    Path((owner, name, number)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.object()?;
    call.with(|state| {
        let issue = call.issue(state, (&owner, &name, number), "write")?;
        let body = call.text("body").unwrap_or_default();
        let id = state.add_comment(Call::actor(state), issue, body)?;
        let comment = state.comments.get(&id).ok_or_else(Refusal::not_found)?;
        Ok(Reply::with(201, state.comment_json(comment)))
    })
}

fn find<'s>(
    call: &Call,
    state: &'s State,
    (owner, name, id): (&str, &str, u64),
    level: &str,
) -> Result<&'s Comment, Refusal> {
    let repo = call.repository(state, owner, name, "issues", level)?;
    state
        .comments
        .get(&id)
        .filter(|comment| {
            let issue = state.issues.get(&comment.issue);
            issue.is_some_and(|issue| issue.repository == repo)
        })
        .ok_or_else(Refusal::not_found)
}

pub(super) async fn get(
    Path((owner, name, id)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let comment = find(&call, state, (&owner, &name, id), "read")?;
        Ok(Reply::ok(state.comment_json(comment)))
    })
}

pub(super) async fn edit(
    Path((owner, name, id)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.object()?;
    call.with(|state| {
        find(&call, state, (&owner, &name, id), "write")?;
        let body = call.text("body").unwrap_or_default();
        state.edit_comment(Call::actor(state), id, body)?;
        let comment = find(&call, state, (&owner, &name, id), "read")?;
        Ok(Reply::ok(state.comment_json(comment)))
    })
}

pub(super) async fn delete(
    Path((owner, name, id)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        find(&call, state, (&owner, &name, id), "write")?;
        state.delete_comment(Call::actor(state), id)?;
        Ok(Reply::nothing())
    })
}

pub(super) async fn reactions(
    Path((owner, name, id)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let comment = find(&call, state, (&owner, &name, id), "read")?;
        let all = comment.reactions.iter().map(|r| state.reaction_json(r));
        Ok(call.page(state, all.collect()))
    })
}

pub(super) async fn react(
    Path((owner, name, id)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.object()?;
    call.with(|state| {
        find(&call, state, (&owner, &name, id), "write")?;
        let content = call.text("content").unwrap_or_default();
        let (reaction, new) = state.react_to_comment(Call::actor(state), id, content)?;
        let status = if new { 201 } else { 200 };
        Ok(Reply::with(status, state.reaction_json(&reaction)))
    })
}
