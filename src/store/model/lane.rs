//! Lanes: what orders the work, how a turn at it ends, and how much is on its way.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{InstallationId, ItemId, RepositoryId};

use super::audit::NewAudit;
use super::board::BoardChanges;
use super::effect::Settled;
use super::item::ItemChanges;
use super::past::{Backfill, DigestRecord};

/// What orders deliveries: one lane is handled by one worker at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LaneKey {
    /// One issue, by the ids that every event about it carries.
    Issue {
        repository: RepositoryId,
        number: u64,
    },
    /// Something known by its node id only; forwarded to its issue once that is found.
    Node(String),
    /// One board (node id of the project).
    Board(String),
    /// One weekly digest (the policy's id of it).
    Digest(String),
    /// What happened before anybody listened.
    History,
    /// The installation itself: its repositories, teams, labels, policy.
    Installation,
}

/// Written in the store as `issue:ID:NUMBER`, `node:ID`, `board:ID`, `digest:ID`, `history`, `installation`.
impl std::fmt::Display for LaneKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Issue { repository, number } => write!(f, "issue:{repository}:{number}"),
            Self::Node(id) => write!(f, "node:{id}"),
            Self::Board(id) => write!(f, "board:{id}"),
            Self::Digest(id) => write!(f, "digest:{id}"),
            Self::History => f.write_str("history"),
            Self::Installation => f.write_str("installation"),
        }
    }
}

impl LaneKey {
    /// Reads what [`Display`](std::fmt::Display) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "installation" => return Some(Self::Installation),
            "history" => return Some(Self::History),
            _ => {}
        }
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "issue" => {
                let (repository, number) = rest.split_once(':')?;
                Some(Self::Issue {
                    repository: RepositoryId(repository.parse().ok()?),
                    number: number.parse().ok()?,
                })
            }
            "node" => Some(Self::Node(rest.to_owned())),
            "board" => Some(Self::Board(rest.to_owned())),
            "digest" => Some(Self::Digest(rest.to_owned())),
            _ => None,
        }
    }
}

/// The right to work on a lane until `until`.
#[derive(Clone, Debug)]
pub struct Lease {
    pub installation: InstallationId,
    pub lane: LaneKey,
    pub fence: i64,
    pub holder: String,
    pub until: Timestamp,
    /// Since when the lane waits for the writer, where it does.
    pub wants_write: Option<(WritePriority, Timestamp)>,
    /// Failures in a row so far, whatever their cause: they make the pauses grow.
    pub failures: u32,
    /// Of these, those that no outage explains, holders that vanished among them. Since the last
    /// success; an outage in between does not end them.
    pub strikes: u32,
}

/// Order of the writer's queue; the order is the order of the variants, `Command` first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WritePriority {
    Command,
    Critical,
    Board,
    Rest,
    /// Nobody did anything to the item: time passed, or the policy changed.
    Unasked,
}

/// All that ending a lease writes, in one transaction. Everything is optional.
#[derive(Clone, Debug, Default)]
pub struct Finish {
    /// Deliveries handled (by `seq`). Their payloads may go.
    pub done: Vec<i64>,
    /// Deliveries given up, with what went wrong.
    pub dead: Vec<(i64, String)>,
    /// The lane failed: count it, and do not look before this.
    pub retry_at: Option<Timestamp>,
    /// With `retry_at`: no outage explains the failure (a panic, a payload nobody understands).
    pub strike: bool,
    /// Deliveries that arrived since the lease began keep the lane due in any case.
    /// `Some`: be woken then (a timer; the earliest wins).
    pub wake_at: Option<Timestamp>,
    /// `Some(Some(_))`: queue for the writer; `Some(None)`: leave its queue; `None`: as it was.
    pub wants_write: Option<Option<WritePriority>>,
    /// Changes to the lane's item (and only to that one).
    pub item: Option<(ItemId, ItemChanges)>,
    /// What a board's lane learned and decided.
    pub board: Option<BoardChanges>,
    /// Digests that were made; one of the same slot replaces an earlier one.
    pub digests: Vec<DigestRecord>,
    /// How far history was read.
    pub backfill: Option<Backfill>,
    /// How effects ended. In the same transaction as what they changed about the item, so that an
    /// effect is either open, and GitHub is read, or its outcome is remembered.
    pub settled: Vec<Settled>,
    /// Other lanes to look at now.
    pub wake_lanes: Vec<LaneKey>,
    /// The item is decided on in another lane: that one takes over whatever this one still has to
    /// do (deliveries in their order, its timer, its place in the writer's queue), and is due now.
    pub goes_on_in: Option<LaneKey>,
    pub audit: Vec<NewAudit>,
}

/// For `/metrics` and `/readyz`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Deliveries not done.
    pub pending: u64,
    pub dead: u64,
    /// Lanes that wait for the writer.
    pub wants_write: u64,
    /// Lanes that somebody works on.
    pub leased: u64,
    /// Effects sent whose end is not known.
    pub unsettled: u64,
    /// When the next lane is due; in the past for one that waits for a worker.
    pub next_due: Option<Timestamp>,
}

impl Counts {
    /// Is nothing on its way? All of it is of one moment.
    #[must_use]
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        let due = self.next_due.is_some_and(|due| due <= now);
        self.pending == 0 && self.wants_write == 0 && self.leased == 0 && !due
    }
}
