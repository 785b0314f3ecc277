//! Items: their names, the mirror, and all that is remembered of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{RepoName, RepositoryId, UserId};
use crate::triage::answer::Answer;
use crate::triage::board::Place;
use crate::triage::ledger::LedgerEntry;
use crate::triage::snapshot::{BoardRow, Issue, PostedComment};

use super::board::PlaceRecord;
use super::effect::ActKey;
use super::lane::LaneKey;
use super::past::Happening;

/// A name GitHub has for an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Alias {
    /// Repository and number: `issue:ID:NUMBER`.
    Number(RepositoryId, u64),
    /// The issue's database id: `id:ID`.
    DatabaseId(u64),
    /// Any node id ever seen for it, old format or new: `node:ID`.
    Node(String),
}

impl std::fmt::Display for Alias {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(repository, number) => write!(f, "issue:{repository}:{number}"),
            Self::DatabaseId(id) => write!(f, "id:{id}"),
            Self::Node(id) => write!(f, "node:{id}"),
        }
    }
}

impl Alias {
    /// Reads what [`Display`](std::fmt::Display) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "issue" => {
                let (repository, number) = rest.split_once(':')?;
                let repository = RepositoryId(repository.parse().ok()?);
                Some(Self::Number(repository, number.parse().ok()?))
            }
            "id" => Some(Self::DatabaseId(rest.parse().ok()?)),
            "node" => Some(Self::Node(rest.to_owned())),
            _ => None,
        }
    }
}

/// The mirror's copy of an issue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MirrorIssue {
    pub repository_id: RepositoryId,
    /// GitHub's node id, needed for writes by GraphQL.
    pub node_id: String,
    pub author: UserId,
    pub author_login: String,
    pub author_is_bot: bool,
    pub issue: Issue,
    /// The copy may be older than GitHub: read again before deciding.
    pub stale: bool,
    /// When GitHub's copy was made that this one was before we wrote, by GitHub; `None`: it is as
    /// GitHub told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_over: Option<Timestamp>,
    /// When the board rows were last read whole (webhooks alone may have missed some).
    pub boards_read_at: Option<Timestamp>,
}

impl MirrorIssue {
    /// Where it is: the repository, and its number there.
    #[must_use]
    pub fn number(&self) -> (RepositoryId, u64) {
        (self.repository_id, self.issue.number)
    }

    /// As people name it: `owner/repo#n`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}#{}", self.issue.repository, self.issue.number)
    }

    /// The private repository whose readers are all who see it; `None`: everybody does.
    #[must_use]
    pub fn readers_of(&self) -> Option<RepositoryId> {
        self.issue.private.then_some(self.repository_id)
    }
}

/// An open issue, as far as its title goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIssue {
    pub repository_id: RepositoryId,
    pub repository: RepoName,
    pub number: u64,
    pub title: String,
    /// Repository not public. Unknown counts as private.
    pub private: bool,
    pub author: UserId,
}

/// Everything the store knows of one item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemRecord {
    pub aliases: BTreeSet<Alias>,
    pub issue: Option<MirrorIssue>,
    /// By the project's node id.
    pub boards: BTreeMap<String, BoardRow>,
    /// Oldest first.
    pub ledger: Vec<LedgerEntry>,
    /// By comment key.
    pub comments: BTreeMap<String, PostedComment>,
    /// By the key of the reply.
    pub answers: BTreeMap<String, Answer>,
    pub held_labels: BTreeSet<String>,
    pub confirmed_by: BTreeSet<String>,
    /// Where it stands, as far as boards with gates or caps go; by the project's node id.
    pub places: BTreeMap<String, PlaceRecord>,
}

impl ItemRecord {
    /// Where its issue is, by the mirror, else by its first name of that kind. Names only lead to
    /// an item: after a transfer some are of where it was.
    #[must_use]
    pub fn number(&self) -> Option<(RepositoryId, u64)> {
        let mirror = self.issue.as_ref();
        mirror.map(MirrorIssue::number).or_else(|| {
            self.aliases.iter().find_map(|alias| match alias {
                Alias::Number(repository, number) => Some((*repository, *number)),
                _ => None,
            })
        })
    }

    /// The one lane in which it is decided on and written to.
    #[must_use]
    pub fn lane(&self) -> Option<LaneKey> {
        let (repository, number) = self.number()?;
        Some(LaneKey::Issue { repository, number })
    }

    /// The node id that GitHub answers to now.
    #[must_use]
    pub fn node_id(&self) -> Option<&str> {
        let mirror = self.issue.as_ref().map(|issue| issue.node_id.as_str());
        let mirror = mirror.filter(|id| !id.is_empty());
        if self.issue.is_some() {
            return mirror;
        }
        self.aliases.iter().find_map(|alias| match alias {
            Alias::Node(id) => Some(id.as_str()),
            _ => None,
        })
    }
}

/// An item that was found on a board.
#[derive(Clone, Debug)]
pub struct Found {
    pub aliases: Vec<Alias>,
    pub changes: ItemChanges,
}

/// What changed about an item. `None` and empty mean: as it was.
#[derive(Clone, Debug, Default)]
pub struct ItemChanges {
    pub aliases: Vec<Alias>,
    /// GitHub says that all its aliases are of one issue: another item that goes by one of them is
    /// the same, and is taken in.
    pub is_one: bool,
    pub issue: Option<MirrorIssue>,
    /// Rows to write (`Some`) or to forget (`None`), by the project's node id.
    pub boards: BTreeMap<String, Option<BoardRow>>,
    /// Appended in order. The key makes an act unique for ever: a second one is dropped silently.
    pub ledger: Vec<(ActKey, LedgerEntry)>,
    pub comments: BTreeMap<String, PostedComment>,
    pub answers: BTreeMap<String, Answer>,
    /// The whole set, where it changed.
    pub held_labels: Option<BTreeSet<String>>,
    pub confirmed_by: Option<BTreeSet<String>>,
    /// Places to write, with the item's lane, or to forget (`None`); by the project's node id.
    pub places: BTreeMap<String, Option<(Option<LaneKey>, Place)>>,
    /// Verdicts that are done: the project's node id and the verdict's id.
    pub answered: Vec<(String, String)>,
    /// What happened, in order, and when that was learned.
    pub history: Vec<(Timestamp, Happening)>,
    /// Who did something, by the name they have now.
    pub people: BTreeMap<UserId, String>,
}
