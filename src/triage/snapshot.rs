//! Everything `decide` may look at, as plain data.
//!
//! A snapshot is made by the worker (live), by `northstar decide` (from a recorded event) and by
//! the policy's examples; `decide` cannot tell which.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{CommentId, RepoName, RepositoryId, UserId};

use super::answer::Answer;
use super::ledger::LedgerEntry;

/// One item at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The only source of time in a decision.
    pub now: Timestamp,
    /// The issue's repository, whatever it is called.
    pub repository_id: RepositoryId,
    pub issue: Issue,
    pub author: Person,
    /// Roles (ids of the policy) that have confirmed this item: by reacting or by a command.
    pub confirmed_by: BTreeSet<String>,
    /// Communities (ids of the policy) that asked for this, wherever that was read from.
    pub communities: BTreeSet<String>,
    pub demand: Demand,
    pub guess: Option<Guess>,
    /// Where the item stands, by the policy's board id. Boards it is not on are missing.
    pub boards: BTreeMap<String, BoardRow>,
    /// What was done to this item's attributes, oldest first.
    pub ledger: Vec<LedgerEntry>,
    /// The comments this bot has made on the item, by their key.
    pub comments: BTreeMap<String, PostedComment>,
    /// What is to be said to commands, by the key of the reply.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, Answer>,
    /// Labels outside attributes that a `label:` of a rule has put on (and may take off again).
    pub held_labels: BTreeSet<String>,
    /// The iterations there are, by board (policy id) and field, where the policy asks for one by
    /// its place in time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub iterations: BTreeMap<String, BTreeMap<String, Vec<Iteration>>>,
}

impl Snapshot {
    /// The private repository whose readers are all who see the item; `None`: everybody does.
    #[must_use]
    pub fn readers_of(&self) -> Option<RepositoryId> {
        self.issue.private.then_some(self.repository_id)
    }
}

/// A stretch of time on a board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Iteration {
    pub title: String,
    /// Its first day, in UTC.
    pub start: jiff::civil::Date,
    pub days: u32,
}

/// The issue as GitHub shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issue {
    pub repository: RepoName,
    pub number: u64,
    pub title: String,
    /// Markdown; empty when GitHub says null.
    pub body: String,
    /// Names, in GitHub's order, with GitHub's capitals.
    pub labels: Vec<String>,
    /// Title of the milestone, empty without one.
    pub milestone: String,
    pub open: bool,
    /// Why it was closed: `completed`, `not_planned`, `duplicate`; empty while open.
    pub state_reason: String,
    /// The organisation's issue type, empty without one.
    pub issue_type: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// Number of comments.
    pub comments: u64,
    /// Number of reactions of all kinds.
    pub reactions: u64,
    /// Repository not public. Unknown counts as private.
    pub private: bool,
    /// `owner/repo#n` of the parent issue, empty without one.
    pub parent: String,
    /// Number of sub-issues.
    pub sub_issues: u64,
    pub assignees: Vec<String>,
}

/// Somebody, with the roles the policy gives them (resolved by numeric id, outside the core).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: UserId,
    pub login: String,
    pub bot: bool,
    pub roles: BTreeSet<String>,
}

/// How many have asked. Never how loudly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Requests counted as the same, this one included.
    pub requests: u64,
    /// Distinct communities behind them.
    pub communities: u64,
}

/// What the classifier thinks; `None` in the snapshot until it is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guess {
    pub kind: String,
    /// 0.0 to 1.0.
    pub kind_confidence: f64,
}

/// The item's row on one board.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoardRow {
    /// GitHub's node id of the row (not of the issue).
    pub node_id: String,
    pub archived: bool,
    /// By field name, as the board writes it. Empty fields are missing.
    pub fields: BTreeMap<String, FieldValue>,
    /// When the column field's present value was set, where known.
    pub entered_at: Option<Timestamp>,
    /// The column it came from, where known.
    pub came_from: Option<String>,
    /// By field name, when each was last set or emptied, by GitHub's clock, as far as it was told.
    /// Words about a field come late and out of order; this tells them apart.
    #[serde(default)]
    pub set_at: BTreeMap<String, Timestamp>,
}

/// The value of one field of a board row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldValue {
    /// Name of the chosen option of a single-select field.
    Option(String),
    Text(String),
    Number(f64),
    Date(jiff::civil::Date),
    /// Title of the iteration.
    Iteration(String),
}

impl FieldValue {
    /// As a person reads it on the board.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Option(s) | Self::Text(s) | Self::Iteration(s) => s.clone(),
            Self::Number(n) => n.to_string(),
            Self::Date(d) => d.to_string(),
        }
    }
}

/// A comment the bot has made under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedComment {
    pub id: CommentId,
    /// Fingerprint of the body that stands there now (see `triage::plan::fingerprint`).
    pub fingerprint: String,
    /// Somebody deleted it; it stays deleted.
    pub deleted: bool,
    /// A sticky whose rule no longer holds, already folded away.
    pub collapsed: bool,
}
