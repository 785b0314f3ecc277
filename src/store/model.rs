//! The rows of the store, as the other rooms see them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{InstallationId, ItemId, RepoName, RepositoryId, UserId};
use crate::store::{StoreError, packed};
use crate::triage::answer::Answer;
use crate::triage::board::{CapState, Place, Standing, Verdict};
use crate::triage::change::Write;
use crate::triage::ledger::LedgerEntry;
use crate::triage::snapshot::{BoardRow, Issue, PostedComment};

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

/// A verified webhook call, as `receive` hands it over.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub installation: InstallationId,
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    pub action: String,
    pub lane: LaneKey,
    /// The raw body, [`packed`].
    pub payload: Bytes,
    pub received_at: Timestamp,
}

impl NewDelivery {
    /// One that no webhook brought: word from one lane to another. Its name makes it the same for
    /// ever, so that it is handed over once whatever breaks.
    ///
    /// # Errors
    /// When it cannot be written as a payload.
    pub fn of_our_own(
        installation: InstallationId,
        (event, guid): (&str, String),
        lane: LaneKey,
        says: &impl Serialize,
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        let unwritable = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Database {
            doing: "writing a delivery of our own",
            source,
        };
        let json = serde_json::to_vec(says).map_err(|error| unwritable(error.into()))?;
        let payload = packed::pack(&json).map_err(|error| unwritable(error.into()))?;
        Ok(Self {
            installation,
            guid,
            event: event.to_owned(),
            action: String::new(),
            lane,
            payload,
            received_at: at,
        })
    }
}

/// What became of a delivery at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    Stored,
    Duplicate,
}

/// A delivery taken from the inbox.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Place in the inbox; grows with arrival.
    pub seq: i64,
    pub guid: String,
    pub event: String,
    pub action: String,
    /// The raw body, decompressed.
    pub payload: Bytes,
    pub received_at: Timestamp,
    /// How often it was tried before.
    pub attempts: u32,
}

/// A delivery that was given up after too many tries. It is kept until it is run again.
#[derive(Clone, Debug, Serialize)]
pub struct DeadLetter {
    pub installation: InstallationId,
    pub guid: String,
    pub event: String,
    pub action: String,
    pub lane: String,
    pub received_at: Timestamp,
    pub attempts: u32,
    pub error: String,
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

/// What rules want to write to an item to which nobody did anything.
#[derive(Clone, Debug)]
pub struct Reach {
    pub item: HeldItem,
    pub at: Timestamp,
    /// Other items that rules changed so since `since` before this is too many.
    pub at_most: usize,
    pub since: Timestamp,
    /// Plans made before this have ended.
    pub kept_since: Timestamp,
}

/// What of it may be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Reached {
    All,
    /// What a plan showed that somebody let go, and still holds.
    Only(Vec<Write>),
    /// Nothing before somebody lets this plan go.
    Waits {
        plan: String,
    },
}

/// What rules would have changed beyond what they may of their own accord.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldPlan {
    pub id: String,
    pub made_at: Timestamp,
    /// When somebody let it go.
    pub applied_at: Option<Timestamp>,
    pub items: Vec<HeldItem>,
}

/// An item of a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldItem {
    pub item: ItemId,
    /// `owner/repo#n`.
    pub name: String,
    pub private: bool,
    /// As they were first shown.
    pub writes: Vec<Write>,
}

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

/// An item's place on a board, and what the board decided of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlaceRecord {
    pub place: Place,
    /// `None`: never decided on.
    pub standing: Option<Standing>,
    /// What the item's lane is still to do.
    pub verdict: Option<Verdict>,
}

/// One row of a board.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardItem {
    pub item: ItemId,
    /// The lane of its issue; drafts and pull requests have none.
    pub lane: Option<LaneKey>,
    pub record: PlaceRecord,
}

/// Everything the store knows of a board.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoardRecord {
    pub state: BoardState,
    pub items: Vec<BoardItem>,
}

/// What is known of a board as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BoardState {
    /// Since when each cap and gate is enforced.
    pub since: BTreeMap<String, Timestamp>,
    /// How each cap stands, as last decided.
    pub caps: Vec<CapState>,
    /// For each cap, who was last named as next.
    pub named: BTreeMap<String, ItemId>,
    /// When all rows were last read.
    pub read_at: Option<Timestamp>,
    /// When somebody last looked whether there is anything to read.
    pub swept_at: Option<Timestamp>,
    /// The project's `updatedAt`, and how many rows it had, at that time.
    pub seen: Option<(Timestamp, u64)>,
    /// Columns that the policy names and the board does not have, as last said.
    pub missing: BTreeSet<String>,
    /// How it differs from what is pinned of it, as last said.
    pub drift: Vec<String>,
    /// Items that stand elsewhere on the board than here, as they stood here: their lanes were asked.
    pub awaits: BTreeMap<ItemId, Stood>,
    /// Until when they are waited for.
    pub awaits_until: Option<Timestamp>,
}

/// Where an item stood on a board, as far as that tells one reading from the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// `None`: it was not there.
    pub column: Option<String>,
    pub archived: bool,
    pub told_at: Option<Timestamp>,
}

impl Stood {
    /// `None`: nothing is known of it.
    #[must_use]
    pub fn of(place: Option<&Place>) -> Self {
        let Some(place) = place.filter(|place| place.on_board) else {
            return Self::default();
        };
        Self {
            column: Some(place.column.clone()),
            archived: place.archived,
            told_at: place.told_at,
        }
    }
}

/// What a board's lane learned and decided.
#[derive(Clone, Debug, Default)]
pub struct BoardChanges {
    /// Node id of the project.
    pub project: String,
    pub state: Option<BoardState>,
    /// Items that have no lane of their own: drafts and pull requests.
    pub items: Vec<(ItemId, ItemChanges)>,
    pub standings: Vec<(ItemId, Standing)>,
    pub verdicts: Vec<(ItemId, Option<Verdict>)>,
    /// Items of which the mirror is behind: GitHub is read before they are decided again.
    pub stale: Vec<ItemId>,
}

/// An item that was found on a board.
#[derive(Clone, Debug)]
pub struct Found {
    pub aliases: Vec<Alias>,
    pub changes: ItemChanges,
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

/// What makes an act the same act: delivery GUID, comment with edit time and line, or effect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ActKey(pub String);

/// Number of an effect in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectId(pub i64);

/// A write about to be sent.
#[derive(Clone, Debug)]
pub struct NewEffect {
    pub item: ItemId,
    /// `add_label`, `comment`, … : the tag of `triage::change::Write`.
    pub kind: String,
    /// What it is about: the label, `board/field`, the comment's key.
    pub target: String,
    /// The write and its reason, as JSON.
    pub detail: serde_json::Value,
    pub at: Timestamp,
}

/// A journalled write.
#[derive(Clone, Debug)]
pub struct Effect {
    pub id: EffectId,
    pub item: ItemId,
    pub kind: String,
    pub target: String,
    pub detail: serde_json::Value,
    pub sent_at: Timestamp,
}

/// How a sent effect ended.
#[derive(Clone, Debug)]
pub struct Settled {
    pub effect: EffectId,
    pub end: EffectEnd,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectEnd {
    /// GitHub said yes; its id for what was made, where it gave one.
    Confirmed { github_id: String },
    /// GitHub said no: nothing happened.
    Refused { error: String },
}

/// A line for the audit trail.
#[derive(Clone, Debug)]
pub struct NewAudit {
    pub installation: InstallationId,
    pub at: Timestamp,
    pub item: Option<ItemId>,
    /// `decision`, `write`, `act`, `refusal`, `policy`, `dead_letter`, …
    pub kind: String,
    pub actor: Option<UserId>,
    /// GUID of the delivery that led to it.
    pub delivery: Option<String>,
    /// What happened, as JSON.
    pub detail: serde_json::Value,
}

/// A line of the audit trail.
#[derive(Clone, Debug, Serialize)]
pub struct AuditEntry {
    pub id: i64,
    pub installation: InstallationId,
    pub at: Timestamp,
    pub item: Option<ItemId>,
    pub kind: String,
    pub actor: Option<UserId>,
    pub delivery: Option<String>,
    pub detail: serde_json::Value,
}

/// What to read of the audit trail. `None` means any.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    pub installation: Option<InstallationId>,
    pub item: Option<ItemId>,
    pub kind: Option<String>,
    pub since: Option<Timestamp>,
    /// Only lines before this one (its id): the next page.
    pub before: Option<i64>,
    /// At most this many; 0 means 1,000.
    pub limit: usize,
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
