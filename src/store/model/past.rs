//! What happened, and the digests that are made of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ItemId, RepositoryId, UserId};
use crate::triage::board::Place;
use crate::triage::ledger::LedgerEntry;

use super::board::BoardState;
use super::item::MirrorIssue;

/// A digest that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DigestRecord {
    /// The policy's id of it.
    pub digest: String,
    pub organization: String,
    /// When it was due.
    pub slot_at: Timestamp,
    /// `2026-W47`.
    pub week: String,
    pub made_at: Timestamp,
    /// It is about, or stands in, what not everybody may see.
    pub private: bool,
    pub markdown: String,
    /// The issue that was made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<u64>,
    /// The ranking, best first: what the next one compares its own with.
    pub ranking: Vec<ItemId>,
}

/// Something that happened to an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    pub at: Timestamp,
    pub what: Happened,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happened {
    Opened,
    Closed {
        /// As GitHub says it: `completed`, `not_planned`, `duplicate`, or nothing.
        reason: String,
    },
    Reopened,
    /// Deleted, made a discussion, or transferred out of sight.
    Gone,
    /// An attribute's labels were changed, before the ledger began.
    Attribute {
        name: String,
        values: Vec<String>,
        by_person: bool,
    },
    /// A field of a board (the policy's id) shows something else; the empty text is nothing.
    Field {
        board: String,
        field: String,
        from: String,
        to: String,
        /// When the row came into its column, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entered_at: Option<Timestamp>,
    },
}

/// How far history was read that happened before anybody listened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backfill {
    /// Where the next page of a repository begins.
    pub next: BTreeMap<RepositoryId, String>,
    pub repositories_done: BTreeSet<RepositoryId>,
    /// All of it was.
    pub done_at: Option<Timestamp>,
}

/// All that figures and digests are made of, read at one moment.
#[derive(Clone, Debug, Default)]
pub struct Past {
    pub issues: Vec<(ItemId, MirrorIssue)>,
    /// Of each item, in the order in which it was entered.
    pub ledger: BTreeMap<ItemId, Vec<LedgerEntry>>,
    /// In the order in which it happened.
    pub history: Vec<(ItemId, Happening)>,
    /// Since when history is recorded; `None`: nothing is.
    pub since: Option<Timestamp>,
    /// What was before is known too, as far as GitHub remembers. It forgets moves on boards.
    pub read_back: bool,
    /// Where items stand on boards.
    pub places: Vec<(ItemId, Place)>,
    pub boards: Vec<BoardState>,
    /// Logins, as last seen.
    pub people: BTreeMap<UserId, String>,
}
