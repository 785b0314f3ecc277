//! A board: its fields, options and iterations, and its rows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use crate::triage::snapshot::BoardRow;

use super::graphql::Nodes;
use super::item::{IssueRead, WireCount, WireIssue, WireRow};

/// A board (Project v2) of the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Node id.
    pub id: String,
    pub number: u64,
    pub title: String,
    pub closed: bool,
    /// When anything about it last changed, rows too; `None` where GitHub does not say.
    pub updated_at: Option<Timestamp>,
    /// Rows that are not archived.
    pub rows: u64,
    pub fields: Vec<Field>,
}

impl Project {
    /// The field of that name, as the board writes it.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A field of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Node id.
    pub id: String,
    pub name: String,
    /// GitHub's word: `SINGLE_SELECT`, `TEXT`, `NUMBER`, `DATE`, `ITERATION`, `TITLE` …
    pub data_type: String,
    /// Id and name, in the board's order; empty for other kinds.
    pub options: Vec<(String, String)>,
    /// The coming and present ones, then the completed; empty for other kinds.
    pub iterations: Vec<Iteration>,
}

impl Field {
    /// Id of the option of that name.
    #[must_use]
    pub fn option_id(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().find(|(_, option)| option == name);
        found.map(|(id, _)| id.as_str())
    }
}

/// A stretch of time on a board.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Iteration {
    pub id: String,
    pub title: String,
    pub start_date: Date,
    /// Days.
    pub duration: u32,
}

/// Some rows of a board.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemsPage {
    pub rows: Vec<ProjectItem>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
    /// Rows of the whole board.
    pub total: u64,
}

/// A row of a board, whatever it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectItem {
    pub row: BoardRow,
    /// By field name: when the present value was set.
    pub field_set_at: BTreeMap<String, Timestamp>,
    pub content: Content,
}

/// What a row holds. Ids are node ids.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Issue {
        id: String,
        /// The issue itself, where all of it was told.
        read: Option<Box<IssueRead>>,
    },
    PullRequest {
        id: String,
        /// `owner/repo#n`, where told.
        name: String,
        title: String,
        /// Not public. Unknown counts as private.
        private: bool,
        open: bool,
    },
    Draft {
        id: String,
        title: String,
    },
    /// Something the App may not see. It still takes a place.
    Redacted,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireProject {
    id: String,
    number: u64,
    title: String,
    closed: bool,
    updated_at: Option<Timestamp>,
    items: Option<WireCount>,
    fields: Nodes<WireField>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireField {
    id: String,
    name: String,
    data_type: String,
    #[serde(default)]
    options: Vec<WireOption>,
    configuration: Option<WireIterations>,
}

#[derive(Deserialize)]
struct WireOption {
    id: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireIterations {
    #[serde(default)]
    iterations: Vec<Iteration>,
    #[serde(default)]
    completed_iterations: Vec<Iteration>,
}

#[derive(Deserialize)]
pub(super) struct WireItems {
    #[serde(flatten)]
    nodes: Nodes<WireItem>,
    #[serde(rename = "totalCount")]
    total: u64,
}

#[derive(Deserialize)]
struct WireItem {
    #[serde(flatten)]
    row: WireRow,
    content: Option<Value>,
}

impl WireProject {
    pub(super) fn read(self) -> Project {
        Project {
            id: self.id,
            number: self.number,
            title: self.title,
            closed: self.closed,
            updated_at: self.updated_at,
            rows: self.items.map_or(0, |items| items.total_count),
            fields: self.fields.into_iter().map(WireField::read).collect(),
        }
    }
}

impl WireField {
    fn read(self) -> Field {
        Field {
            id: self.id,
            name: self.name,
            data_type: self.data_type,
            options: self.options.into_iter().map(|o| (o.id, o.name)).collect(),
            iterations: self.configuration.map_or_else(Vec::new, |c| {
                let mut all = c.iterations;
                all.extend(c.completed_iterations);
                all
            }),
        }
    }
}

impl WireItems {
    pub(super) fn read(self) -> ItemsPage {
        ItemsPage {
            next: self.nodes.next(),
            total: self.total,
            rows: self.nodes.into_iter().map(WireItem::read).collect(),
        }
    }
}

impl WireItem {
    fn read(self) -> ProjectItem {
        let (row, field_set_at) = self.row.read();
        let content = self
            .content
            .as_ref()
            .and_then(content)
            .unwrap_or(Content::Redacted);
        ProjectItem {
            row,
            field_set_at,
            content,
        }
    }
}

fn content(wire: &Value) -> Option<Content> {
    let text = |key: &str| wire[key].as_str().unwrap_or_default().to_owned();
    let id = wire["id"].as_str()?.to_owned();
    Some(match wire["__typename"].as_str()? {
        "Issue" => Content::Issue {
            id,
            read: WireIssue::deserialize(wire)
                .ok()
                .and_then(|issue| issue.read().ok())
                .map(|read| Box::new(read.issue)),
        },
        "PullRequest" => {
            let repository = wire["repository"]["nameWithOwner"].as_str();
            let name = repository.zip(wire["number"].as_u64());
            Content::PullRequest {
                id,
                name: name.map_or_else(String::new, |(repo, n)| format!("{repo}#{n}")),
                title: text("title"),
                private: wire["repository"]["isPrivate"].as_bool().unwrap_or(true),
                open: wire["pullState"]
                    .as_str()
                    .is_none_or(|state| state == "OPEN"),
            }
        }
        "DraftIssue" => Content::Draft {
            id,
            title: text("title"),
        },
        _ => return None,
    })
}
