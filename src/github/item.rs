//! An issue with its board rows, as GraphQL gives it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use crate::ids::{RepoName, RepositoryId, UserId};
use crate::triage::snapshot::{BoardRow, FieldValue, Issue};

use super::error::GitHubError;
use super::graphql::Nodes;

/// One read of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemRead {
    pub issue: IssueRead,
    /// Node ids of the issue's labels by name.
    pub label_ids: BTreeMap<String, String>,
    /// By the board's node id: its number, and the item's row. `entered_at` and `came_from` are
    /// empty, since which field is the column is the policy's to know.
    pub boards: BTreeMap<String, (u64, BoardRow)>,
    /// By the board's node id and the field's name: when the field's present value was set.
    pub field_set_at: BTreeMap<String, BTreeMap<String, Timestamp>>,
}

/// The issue itself.
#[derive(Clone, Debug, PartialEq)]
pub struct IssueRead {
    pub repository_id: RepositoryId,
    pub node_id: String,
    pub database_id: u64,
    /// GitHub's `ghost` where the account is gone, as REST has it; 0 where it has no number.
    pub author_id: UserId,
    /// With `[bot]` for Apps, as REST and the webhooks have it (GraphQL leaves it out).
    pub author_login: String,
    pub author_is_bot: bool,
    pub issue: Issue,
}

impl IssueRead {
    /// Where it is: the repository, and its number there.
    #[must_use]
    pub fn number(&self) -> (RepositoryId, u64) {
        (self.repository_id, self.issue.number)
    }
}

/// The account that stands in for deleted ones.
const GHOST: (UserId, &str) = (UserId(10137), "ghost");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireIssue {
    id: String,
    full_database_id: Option<BigInt>,
    number: u64,
    title: String,
    #[serde(default)]
    body: Option<String>,
    state: String,
    state_reason: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    closed_at: Option<Timestamp>,
    author: Option<WireActor>,
    milestone: Option<WireTitle>,
    issue_type: Option<WireName>,
    labels: Option<Nodes<WireLabel>>,
    assignees: Option<Nodes<WireLogin>>,
    comments: Option<WireCount>,
    reactions: Option<WireCount>,
    parent: Option<WireParent>,
    sub_issues_summary: Option<WireSubIssues>,
    repository: WireRepository,
    project_items: Option<Nodes<WireRow>>,
}

/// `BigInt` travels as a string; numbers are taken too.
#[derive(Deserialize)]
#[serde(untagged)]
enum BigInt {
    Text(String),
    Number(u64),
}

impl BigInt {
    fn value(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireActor {
    #[serde(rename = "__typename")]
    kind: String,
    login: String,
    database_id: Option<u64>,
}

#[derive(Deserialize)]
struct WireTitle {
    title: String,
}

#[derive(Deserialize)]
struct WireName {
    name: String,
}

#[derive(Deserialize)]
pub(super) struct WireLabel {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Deserialize)]
struct WireLogin {
    login: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireCount {
    pub(super) total_count: u64,
}

#[derive(Deserialize)]
struct WireSubIssues {
    total: u64,
}

#[derive(Deserialize)]
struct WireParent {
    number: u64,
    repository: WireFullName,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFullName {
    name_with_owner: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRepository {
    database_id: Option<u64>,
    name_with_owner: String,
    is_private: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireRow {
    id: String,
    #[serde(default)]
    is_archived: bool,
    project: Option<WireProjectName>,
    field_values: Option<Nodes<Value>>,
}

#[derive(Deserialize)]
struct WireProjectName {
    id: String,
    number: u64,
}

impl WireRow {
    /// The row, and when each of its fields was set.
    pub(super) fn read(self) -> (BoardRow, BTreeMap<String, Timestamp>) {
        let mut fields = BTreeMap::new();
        let mut set_at = BTreeMap::new();
        let values = self.field_values.into_iter().flat_map(Nodes::into_iter);
        for (name, at, value) in values.filter_map(|value| field_value(&value)) {
            if let Some(at) = at {
                set_at.insert(name.clone(), at);
            }
            fields.insert(name, value);
        }
        let row = BoardRow {
            node_id: self.id,
            archived: self.is_archived,
            fields,
            set_at: set_at.clone(),
            ..BoardRow::default()
        };
        (row, set_at)
    }
}

/// Field name, when it was set, and the value; `None` for kinds of fields that are shown on a
/// board and live elsewhere (labels, reviewers …) and for empty ones.
fn field_value(wire: &Value) -> Option<(String, Option<Timestamp>, FieldValue)> {
    let text = |key: &str| wire[key].as_str().map(str::to_owned);
    let value = match wire["__typename"].as_str()? {
        "ProjectV2ItemFieldSingleSelectValue" => FieldValue::Option(text("name")?),
        "ProjectV2ItemFieldTextValue" => FieldValue::Text(text("text")?),
        "ProjectV2ItemFieldNumberValue" => FieldValue::Number(wire["number"].as_f64()?),
        "ProjectV2ItemFieldDateValue" => {
            FieldValue::Date(wire["date"].as_str()?.parse::<Date>().ok()?)
        }
        "ProjectV2ItemFieldIterationValue" => FieldValue::Iteration(text("title")?),
        _ => return None,
    };
    let name = wire["field"]["name"].as_str()?.to_owned();
    let at = wire["updatedAt"].as_str().and_then(|at| at.parse().ok());
    Some((name, at, value))
}

impl WireIssue {
    pub(super) fn read(self) -> Result<ItemRead, GitHubError> {
        let shape = |what: &str| GitHubError::Shape {
            what: format!("{what} of issue {} is missing", self.id),
        };
        let repository = RepoName::parse(&self.repository.name_with_owner)
            .ok_or_else(|| shape("the repository's name"))?;
        let repository_id = self
            .repository
            .database_id
            .map(RepositoryId)
            .ok_or_else(|| shape("the repository's id"))?;
        let database_id = self
            .full_database_id
            .as_ref()
            .and_then(BigInt::value)
            .ok_or_else(|| shape("the id"))?;
        let open = self.state == "OPEN";
        let (author_id, author_login, author_is_bot) = author(self.author);
        let mut labels = Vec::new();
        let mut label_ids = BTreeMap::new();
        for label in self.labels.into_iter().flat_map(Nodes::into_iter) {
            labels.push(label.name.clone());
            label_ids.insert(label.name, label.id);
        }
        let mut boards = BTreeMap::new();
        let mut field_set_at = BTreeMap::new();
        for mut row in self.project_items.into_iter().flat_map(Nodes::into_iter) {
            let Some(board) = row.project.take() else {
                continue; // a board the App may not see
            };
            let (row, set_at) = row.read();
            field_set_at.insert(board.id.clone(), set_at);
            boards.insert(board.id, (board.number, row));
        }
        let issue = Issue {
            repository,
            number: self.number,
            title: self.title,
            body: self.body.unwrap_or_default(),
            labels,
            milestone: self.milestone.map(|m| m.title).unwrap_or_default(),
            open,
            state_reason: self
                .state_reason
                .filter(|_| !open) // an open issue may still say REOPENED
                .map(|reason| reason.to_ascii_lowercase())
                .unwrap_or_default(),
            issue_type: self.issue_type.map(|t| t.name).unwrap_or_default(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            closed_at: self.closed_at,
            comments: self.comments.map_or(0, |c| c.total_count),
            reactions: self.reactions.map_or(0, |r| r.total_count),
            private: self.repository.is_private.unwrap_or(true),
            parent: self.parent.map_or_else(String::new, |parent| {
                format!("{}#{}", parent.repository.name_with_owner, parent.number)
            }),
            sub_issues: self.sub_issues_summary.map_or(0, |s| s.total),
            assignees: self
                .assignees
                .into_iter()
                .flat_map(Nodes::into_iter)
                .map(|a| a.login)
                .collect(),
        };
        Ok(ItemRead {
            issue: IssueRead {
                repository_id,
                node_id: self.id,
                database_id,
                author_id,
                author_login,
                author_is_bot,
                issue,
            },
            label_ids,
            boards,
            field_set_at,
        })
    }
}

fn author(actor: Option<WireActor>) -> (UserId, String, bool) {
    let Some(actor) = actor else {
        return (GHOST.0, GHOST.1.to_owned(), false);
    };
    let bot = actor.kind == "Bot";
    let mut login = actor.login;
    if bot && !login.ends_with("[bot]") {
        login.push_str("[bot]");
    }
    (UserId(actor.database_id.unwrap_or_default()), login, bot)
}
