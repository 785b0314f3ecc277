//! Labels of repositories and of issues.

use axum::Extension;
use axum::extract::Path;
use serde_json::Value;

use super::issues::names;
use super::{Answer, Call, Reply};
use crate::sim::act::{Edit, LabelEdit};
use crate::sim::refusal::Refusal;
use crate::sim::state::State;

pub(super) async fn list(
    Path((owner, name)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let repo = call.repository(state, &owner, &name, "issues", "read")?;
        let ids = state.repositories.get(&repo).map(|repo| repo.labels.iter());
        let all = ids
            .into_iter()
            .flatten()
            .filter_map(|id| state.labels.get(id))
            .map(|label| state.label_json(label))
            .collect();
        Ok(call.page(state, all))
    })
}

pub(super) async fn create(
    Path((owner, name)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.object()?;
    call.with(|state| {
        let repo = call.repository(state, &owner, &name, "issues", "write")?;
        let name = call.text("name").unwrap_or_default();
        let by = Call::actor(state);
        let id =
            state.create_label(by, repo, name, call.text("color"), call.text("description"))?;
        Ok(Reply::with(201, shown(state, id)?))
    })
}

fn shown(state: &State, id: u64) -> Result<Value, Refusal> {
    let label = state.labels.get(&id).ok_or_else(Refusal::not_found)?;
    Ok(state.label_json(label))
}

fn find(
    call: &Call,
    state: &State,
    (owner, repo, name): (&str, &str, &str),
    level: &str,
) -> Result<u64, Refusal> {
    let repo = call.repository(state, owner, repo, "issues", level)?;
    state
        .label_by_name(repo, name)
        .map(|label| label.id)
        .ok_or_else(Refusal::not_found)
}

pub(super) async fn get(
    Path((owner, repo, name)): Path<(String, String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let id = find(&call, state, (&owner, &repo, &name), "read")?;
        Ok(Reply::ok(shown(state, id)?))
    })
}

pub(super) async fn edit(
    Path((owner, repo, name)): Path<(String, String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.object()?;
    call.with(|state| {
        let id = find(&call, state, (&owner, &repo, &name), "write")?;
        let edit = LabelEdit {
            name: call.text("new_name").map(str::to_owned),
            color: call.text("color").map(str::to_owned),
            description: call.text("description").map(str::to_owned),
        };
        state.edit_label(Call::actor(state), id, edit)?;
        Ok(Reply::ok(shown(state, id)?))
    })
}

pub(super) async fn delete(
    Path((owner, repo, name)): Path<(String, String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let id = find(&call, state, (&owner, &repo, &name), "write")?;
        state.delete_label(Call::actor(state), id)?;
        Ok(Reply::nothing())
    })
}

pub(super) async fn of_issue(
    Path((owner, name, number)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let id = call.issue(state, (&owner, &name, number), "read")?;
        let all = state.labels_json(state.issue(id)?);
        Ok(call.page(state, all))
    })
}

/// The names in a body: `{"labels": […]}` or the bare list.
fn wanted(call: &Call) -> Result<Vec<String>, Refusal> {
    let list = call.body.get("labels").unwrap_or(&call.body);
    names(Some(list))
}

pub(super) async fn add(
    Path((owner, name, number)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    let wanted = wanted(&call)?;
    call.with(|state| {
        let id = call.issue(state, (&owner, &name, number), "write")?;
        let by = Call::actor(state);
        let repo = state.issue(id)?.repository;
        let labels = state.labels_named(by, repo, &wanted)?;
        state.add_labels(by, id, &labels)?;
        Ok(Reply::ok(Value::Array(state.labels_json(state.issue(id)?))))
    })
}

pub(super) async fn replace(
    Path((owner, name, number)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    let wanted = wanted(&call)?;
    call.with(|state| {
        let id = call.issue(state, (&owner, &name, number), "write")?;
        let by = Call::actor(state);
        let repo = state.issue(id)?.repository;
        let edit = Edit {
            labels: Some(state.labels_named(by, repo, &wanted)?),
            ..Edit::default()
        };
        state.edit_issue(by, id, edit)?;
        Ok(Reply::ok(Value::Array(state.labels_json(state.issue(id)?))))
    })
}

pub(super) async fn clear(
    Path((owner, name, number)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let id = call.issue(state, (&owner, &name, number), "write")?;
        let labels = state.issue(id)?.labels.clone();
        state.remove_labels(Call::actor(state), id, &labels)?;
        Ok(Reply::nothing())
    })
}

pub(super) async fn remove(
    Path((owner, repo, number, name)): Path<(String, String, u64, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let id = call.issue(state, (&owner, &repo, number), "write")?;
        let issue = state.issue(id)?;
        let label = state
            .label_by_name(issue.repository, &name)
            .map(|label| label.id)
            .filter(|label| issue.labels.contains(label))
            .ok_or_else(|| Refusal::new(404, "Label does not exist"))?;
        state.remove_labels(Call::actor(state), id, &[label])?;
        Ok(Reply::ok(Value::Array(state.labels_json(state.issue(id)?))))
    })
}
