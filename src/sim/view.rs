//! Looking at the simulated GitHub from a test or the demo.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::ids::{CommentId, UserId};

use super::log::Logged;
use super::state::{Field, FieldKind, Item, State, Value};
use super::webhooks::Delivery;
use super::{Sim, SimError};

/// An issue as a person sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct IssueView {
    pub title: String,
    pub body: String,
    pub author: String,
    pub labels: Vec<String>,
    pub open: bool,
    /// `completed`, `not_planned` …; empty while it was never closed.
    pub state_reason: String,
    /// Title of the milestone; empty without one.
    pub milestone: String,
    pub comments: Vec<CommentView>,
    /// Who reacted, and how.
    pub reactions: Vec<(String, String)>,
    pub node_id: String,
    pub id: u64,
    pub updated_at: Timestamp,
}

/// A comment as a person sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct CommentView {
    pub id: CommentId,
    pub author: String,
    pub author_id: UserId,
    pub body: String,
    /// Who reacted, and how.
    pub reactions: Vec<(String, String)>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A row of a board as a person sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct CardView {
    pub node_id: String,
    pub archived: bool,
    /// By the field's name; empty fields are missing.
    pub fields: BTreeMap<String, String>,
}

impl State {
    fn reactions_view(&self, reactions: &[super::state::Reaction]) -> Vec<(String, String)> {
        reactions
            .iter()
            .map(|r| (self.login(r.user).to_owned(), r.content.to_owned()))
            .collect()
    }

    fn card_view(&self, item: &Item) -> CardView {
        let fields = self.projects.get(&item.project).map(|p| p.fields.iter());
        CardView {
            node_id: self.node(super::ids::Node::Item(item.id)),
            archived: item.archived_at.is_some(),
            fields: fields
                .into_iter()
                .flatten()
                .filter_map(|field| {
                    let set = item.values.get(&field.id)?;
                    Some((field.name.clone(), value_text(field, &set.value)))
                })
                .collect(),
        }
    }
}

/// A field's value as the board shows it.
pub(super) fn value_text(field: &Field, value: &Value) -> String {
    let known = match (&field.kind, value) {
        (FieldKind::SingleSelect(options), Value::Option(id)) => options
            .iter()
            .find(|option| option.id == *id)
            .map(|option| option.name.clone()),
        (FieldKind::Iteration(iterations), Value::Iteration(id)) => iterations
            .iter()
            .find(|iteration| iteration.id == *id)
            .map(|iteration| iteration.title.clone()),
        _ => None,
    };
    known.unwrap_or_else(|| match value {
        Value::Text(text) | Value::Option(text) | Value::Iteration(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Date(date) => date.to_string(),
    })
}

impl Sim {
    /// An issue, if it is there.
    pub fn issue(&self, repo: &str, number: u64) -> Option<IssueView> {
        self.with(|state| {
            let id = state.numbered_issue(repo, number).ok()?;
            let issue = state.issues.get(&id)?;
            let label = |id: &u64| Some(state.labels.get(id)?.name.clone());
            let comments = issue.comments.iter().filter_map(|id| {
                let comment = state.comments.get(id)?;
                Some(CommentView {
                    id: CommentId(comment.id),
                    author: state.login(comment.author).to_owned(),
                    author_id: UserId(comment.author),
                    body: comment.body.clone(),
                    reactions: state.reactions_view(&comment.reactions),
                    created_at: comment.created_at,
                    updated_at: comment.updated_at,
                })
            });
            Some(IssueView {
                title: issue.title.clone(),
                body: issue.body.clone().unwrap_or_default(),
                author: state.login(issue.author).to_owned(),
                labels: issue.labels.iter().filter_map(label).collect(),
                open: issue.open,
                state_reason: issue.state_reason.unwrap_or_default().to_owned(),
                milestone: issue
                    .milestone
                    .and_then(|id| state.milestones.get(&id))
                    .map_or_else(String::new, |milestone| milestone.title.clone()),
                comments: comments.collect(),
                reactions: state.reactions_view(&issue.reactions),
                node_id: state.node(super::ids::Node::Issue(issue.id)),
                id: issue.id,
                updated_at: issue.updated_at,
            })
        })
    }

    /// The numbers of a repository's issues.
    pub fn issues(&self, repo: &str) -> Vec<u64> {
        self.with(|state| {
            let id = state.named_repository(repo).ok();
            let repo = id.and_then(|id| state.repositories.get(&id));
            repo.map_or_else(Vec::new, |repo| repo.issues.keys().copied().collect())
        })
    }

    /// The names of a repository's labels.
    pub fn labels(&self, repo: &str) -> Vec<String> {
        self.with(|state| {
            let id = state.named_repository(repo).ok();
            let repo = id.and_then(|id| state.repositories.get(&id));
            let labels = repo.into_iter().flat_map(|repo| repo.labels.iter());
            labels
                .filter_map(|id| Some(state.labels.get(id)?.name.clone()))
                .collect()
        })
    }

    /// The issue's row on a board, if it has one.
    pub fn card(&self, org: &str, project: u64, repo: &str, number: u64) -> Option<CardView> {
        self.with(|state| {
            let project = state.numbered_project(org, project).ok()?.id;
            let issue = state.numbered_issue(repo, number).ok()?;
            let item = state.item_of(project, issue)?;
            Some(state.card_view(item))
        })
    }

    /// All rows of a board that are not archived, in its order.
    pub fn cards(&self, org: &str, project: u64) -> Result<Vec<CardView>, SimError> {
        self.with(|state| {
            let items = &state.numbered_project(org, project)?.items;
            let items = items.iter().filter_map(|id| state.items.get(id));
            Ok(items
                .filter(|item| item.archived_at.is_none())
                .map(|item| state.card_view(item))
                .collect())
        })
    }

    /// Everything that was asked so far, in order.
    pub fn requests(&self) -> Vec<Logged> {
        self.with(|state| state.requests.clone())
    }

    /// What was asked and changed something, or tried to.
    pub fn writes(&self) -> Vec<Logged> {
        self.with(|state| {
            let writes = state.requests.iter().filter(|request| request.is_write);
            writes.cloned().collect()
        })
    }

    /// How many requests were made and webhooks logged so far.
    pub fn activity(&self) -> (usize, usize) {
        self.with(|state| (state.requests.len(), state.hooks.log.len()))
    }

    /// Forgets the requests so far, so that a test can count from here.
    pub fn forget_requests(&self) {
        self.with(|state| state.requests.clear());
    }

    /// Every webhook so far, with what the receiver answered.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.with(|state| state.hooks.log.clone())
    }
}
