//! Issues, their reactions, and milestones.

use axum::Extension;
use axum::extract::Path;
use jiff::Timestamp;
use serde_json::Value;

use super::{Answer, Call, Reply};
use crate::sim::act::{Edit, NewIssue, NewMilestone};
use crate::sim::refusal::Refusal;
use crate::sim::state::{Issue, State};

pub(super) async fn list(
    Path((owner, name)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    let wanted = |field: &str| call.query.get(field).map_or("", String::as_str);
    let since = since(&call)?;
    let labels: Vec<String> = wanted("labels")
        .split(',')
        .map(|name| name.trim().to_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    call.with(|state| {
        let repo = call.repository(state, &owner, &name, "issues", "read")?;
        let mut found: Vec<&Issue> = state
            .issues
            .values()
            .filter(|issue| issue.repository == repo)
            .filter(|issue| match wanted("state") {
                "all" => true,
                "closed" => !issue.open,
                _ => issue.open,
            })
            .filter(|issue| since.is_none_or(|since| issue.updated_at >= since))
            .filter(|issue| labels.iter().all(|name| carries(state, issue, name)))
            .collect();
        match wanted("sort") {
            "updated" => found.sort_by_key(|issue| issue.updated_at),
            "comments" => found.sort_by_key(|issue| issue.comments.len()),
            _ => found.sort_by_key(|issue| (issue.created_at, issue.number)),
        }
        if wanted("direction") != "asc" {
            found.reverse();
        }
        let all = found.iter().map(|issue| state.issue_json(issue)).collect();
        Ok(call.page(state, all))
    })
}

/// The `since` parameter; GitHub refuses what is no time.
pub(super) fn since(call: &Call) -> Result<Option<Timestamp>, Refusal> {
    call.query
        .get("since")
        .map(|text| text.parse::<Timestamp>())
        .transpose()
        .map_err(|_| Refusal::invalid("Issue", "since", "invalid"))
}

fn carries(state: &State, issue: &Issue, name: &str) -> bool {
    issue
        .labels
        .iter()
        .filter_map(|id| state.labels.get(id))
        .any(|label| label.name.to_lowercase() == name)
}

/// `labels` of a body: names, or objects with a name.
pub(super) fn names(value: Option<&Value>) -> Result<Vec<String>, Refusal> {
    let Some(list) = value.and_then(Value::as_array) else {
        return Ok(Vec::new());
    };
    list.iter()
        .map(|entry| {
            entry
                .as_str()
                .or_else(|| entry.get("name").and_then(Value::as_str))
                .map(str::to_owned)
                .ok_or_else(|| Refusal::invalid("Label", "name", "invalid"))
        })
        .collect()
}

fn milestone(state: &State, repo: u64, number: u64) -> Result<u64, Refusal> {
    state
        .milestones
        .values()
        .find(|milestone| milestone.repository == repo && milestone.number == number)
        .map(|milestone| milestone.id)
        .ok_or_else(|| Refusal::invalid("Issue", "milestone", "invalid"))
}

fn assignees(state: &State, value: Option<&Value>) -> Result<Vec<u64>, Refusal> {
    names(value)?
        .iter()
        .map(|login| {
            state
                .account_by_login(login)
                .map(|account| account.id)
                .ok_or_else(|| Refusal::invalid("Issue", "assignees", "invalid"))
        })
        .collect()
}

pub(super) async fn create(
    Path((owner, name)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.object()?;
    call.with(|state| {
        let repo = call.repository(state, &owner, &name, "issues", "write")?;
        let number = call.body.get("milestone").and_then(Value::as_u64);
        let new = NewIssue {
            title: call.text("title").unwrap_or_default().to_owned(),
            body: call.text("body").map(str::to_owned),
            labels: names(call.body.get("labels"))?,
            assignees: assignees(state, call.body.get("assignees"))?,
            milestone: number.map(|n| milestone(state, repo, n)).transpose()?,
        };
        let id = state.open_issue(Call::actor(state), repo, new)?;
        Ok(Reply::with(201, state.full_issue_json(state.issue(id)?)))
    })
}

pub(super) async fn get(
    Path((owner, name, number)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let repo = call.repository(state, &owner, &name, "issues", "read")?;
        if let Some(there) = state.issue_moved_to(repo, number) {
            let name = state.full_name(there.repository);
            if let Some((owner, name)) = name.split_once('/') {
                call.repository(state, owner, name, "issues", "read")?;
            }
            let url = format!("{}/repos/{name}/issues/{}", state.api_url, there.number);
            return Ok(Reply::moved(&url));
        }
        let id = call.issue(state, (&owner, &name, number), "read")?;
        Ok(Reply::ok(state.full_issue_json(state.issue(id)?)))
    })
}

pub(super) async fn edit(
    Path((owner, name, number)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.object()?;
    call.with(|state| {
        let id = call.issue(state, (&owner, &name, number), "write")?;
        let repo = state.issue(id)?.repository;
        let by = Call::actor(state);
        let field = |name: &str| call.body.get(name);
        let labels = match field("labels") {
            Some(list) => Some(state.labels_named(by, repo, &names(Some(list))?)?),
            None => None,
        };
        let edit = Edit {
            title: call.text("title").map(str::to_owned),
            body: match field("body") {
                Some(Value::Null) => Some(String::new()),
                _ => call.text("body").map(str::to_owned),
            },
            labels,
            milestone: match field("milestone") {
                None => NewMilestone::Same,
                Some(Value::Null) => NewMilestone::None,
                Some(value) => {
                    let number = value.as_u64().unwrap_or(0);
                    NewMilestone::Is(milestone(state, repo, number)?)
                }
            },
            open: match call.text("state") {
                None => None,
                Some("open") => Some(true),
                Some("closed") => Some(false),
                Some(_) => return Err(Refusal::invalid("Issue", "state", "invalid")),
            },
            reason: reason(call.text("state_reason"))?,
            assignees: match field("assignees") {
                Some(list) => Some(assignees(state, Some(list))?),
                None => None,
            },
        };
        state.edit_issue(by, id, edit)?;
        Ok(Reply::ok(state.full_issue_json(state.issue(id)?)))
    })
}

fn reason(text: Option<&str>) -> Result<Option<&'static str>, Refusal> {
    match text {
        None | Some("reopened") => Ok(None),
        Some("completed") => Ok(Some("completed")),
        Some("not_planned") => Ok(Some("not_planned")),
        Some("duplicate") => Ok(Some("duplicate")),
        Some(_) => Err(Refusal::invalid("Issue", "state_reason", "invalid")),
    }
}

pub(super) async fn reactions(
    Path((owner, name, number)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let id = call.issue(state, (&owner, &name, number), "read")?;
        let reactions = &state.issue(id)?.reactions;
        let all = reactions.iter().map(|r| state.reaction_json(r)).collect();
        Ok(call.page(state, all))
    })
}

pub(super) async fn react(
    Path((owner, name, number)): Path<(String, String, u64)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let id = call.issue(state, (&owner, &name, number), "write")?;
        let content = call.text("content").unwrap_or_default();
        let (reaction, new) = state.react_to_issue(Call::actor(state), id, content)?;
        let status = if new { 201 } else { 200 };
        Ok(Reply::with(status, state.reaction_json(&reaction)))
    })
}

pub(super) async fn milestones(
    Path((owner, name)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.with(|state| {
        let repo = call.repository(state, &owner, &name, "issues", "read")?;
        let all = state
            .milestones
            .values()
            .filter(|milestone| milestone.repository == repo)
            .map(|milestone| state.milestone_json(milestone))
            .collect();
        Ok(call.page(state, all))
    })
}

pub(super) async fn create_milestone(
    Path((owner, name)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.object()?;
    call.with(|state| {
        let repo = call.repository(state, &owner, &name, "issues", "write")?;
        let title = call.text("title").unwrap_or_default();
        let id = state.create_milestone(Call::actor(state), repo, title)?;
        let milestone = state.milestones.get(&id).ok_or_else(Refusal::not_found)?;
        Ok(Reply::with(201, state.milestone_json(milestone)))
    })
}
