//! A whole board's gates and caps, decided at once.
//!
//! *In:* a policy, every row of one board as it stands now ([`Place`]), and what was decided of
//! each before ([`Standing`]). *Out:* a [`BoardDecision`]: who goes back where and why, who is only
//! warned, whose hand was an override, what is over for other reasons, and who is next.
//! *May call:* `policy`. Pure: `now` is given.
//!
//! Level, not edge: an *entry* is a row that stands in a limited column and was not let in there.
//! However often, late or out of order webhooks tell of it, it is judged by where it stands now;
//! whoever was let in is running work, and is never thrown out.

mod judge;
mod place;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ItemId, UserId};
use crate::policy::model::{Cap, Gate, Over, Policy};

use super::decision::Mode;
use super::score::{Score, number};

pub use judge::judge;
pub use place::{Position, place};
pub use text::{
    asks_for_reason, drifted, missing_columns, next_in_line, returned, stands_over, warned,
};

/// What a row holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    #[default]
    Issue,
    PullRequest,
    /// A note on the board, with no comments: it counts, and is reported rather than returned.
    Draft,
}

/// Where a row stands, and all that gates and caps ask of what it holds. Kept up to date by the
/// item's own lane, so that a board can be decided without looking at each of its items.
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    #[serde(default)]
    pub content: Content,
    /// `owner/repo#n`; empty for a draft.
    pub name: String,
    pub title: String,
    /// Not everybody may see it.
    pub private: bool,
    pub on_board: bool,
    pub archived: bool,
    /// Closed work is in nobody's way.
    pub open: bool,
    /// Empty while no column is set.
    pub column: String,
    /// The column it came from; `None`: not known, or straight into the column.
    pub came_from: Option<String>,
    /// When it came into its column, where known.
    pub entered_at: Option<Timestamp>,
    /// When its column was set by GitHub's clock, in whole seconds, as far as that was told.
    #[serde(default)]
    pub told_at: Option<Timestamp>,
    /// Who put it there, where known.
    pub mover: Option<Mover>,
    /// Caps that it is exempt from.
    pub exempt: BTreeSet<String>,
    /// Caps for one value of an attribute that it has. In the others it counts as little as
    /// whatever is exempt.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub counts_in: BTreeSet<String>,
    /// Gates whose condition it meets.
    pub meets: BTreeSet<String>,
    /// Caps and gates that somebody let it past.
    pub passes: BTreeMap<String, Pass>,
    /// Until when it is nobody's candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    pub score: Score,
    /// For each cap, what its `next_by` says.
    pub order: BTreeMap<String, Vec<OrderKey>>,
    /// A rule or command wants it in this column, and asks first.
    pub asks: Option<Ask>,
}

/// Who put a card into its column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mover {
    pub user: UserId,
    /// Those of their roles that some cap's `by_hand` names.
    pub roles: BTreeSet<String>,
}

/// An override that lets an item past a cap or gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// `None`: until it is released.
    pub until: Option<Timestamp>,
    pub by: Option<UserId>,
    pub reason: String,
}

/// A move that waits for the board's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub column: String,
    pub since: Timestamp,
}

/// One part of an order. Absent values come last, whichever way the order goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKey {
    Number(f64),
    Text(String),
    Absent,
}

/// What was decided of a row: the caps and gates in whose columns it stands by right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub inside: BTreeSet<String>,
    /// Caps and gates that turned it away since they last let it in.
    #[serde(default)]
    pub turned_away: BTreeSet<String>,
}

/// A row to be decided on.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub item: ItemId,
    pub place: Place,
    /// `None`: never decided on.
    pub standing: Option<Standing>,
}

/// What there is to decide.
pub struct Board<'a> {
    pub policy: &'a Policy,
    /// The policy's board id.
    pub id: &'a str,
    pub now: Timestamp,
    /// The board's columns, in order, as far as they are known.
    pub columns: &'a [String],
    pub rows: &'a [Row],
    /// Since when each cap and gate is enforced here; what stood there before stays.
    pub since: &'a BTreeMap<String, Timestamp>,
}

/// What becomes of a board.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoardDecision {
    /// Of every row, in the order of the rows.
    pub standing: Vec<Standing>,
    /// Entries that were not let in, oldest first by GitHub's clock.
    pub entries: Vec<Judged>,
    pub caps: Vec<CapState>,
    pub since: BTreeMap<String, Timestamp>,
    /// When an override or a snooze ends.
    pub look_again_at: Option<Timestamp>,
}

/// An entry that a cap or gate would not have.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Index into the rows.
    pub row: usize,
    /// The cap or gate.
    pub limit: String,
    pub end: End,
}

/// What becomes of such an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// It goes back there; an empty column is none.
    Returned { to: String },
    /// It stays, and is told.
    Warned,
    /// It stays: whoever moved it may.
    ByHand,
    /// It stays, and is reported: it cannot be returned (a draft, a pull request), or the
    /// principle only observes.
    Reported,
    /// A rule's move into the column: it is not made.
    Refused,
}

/// How a cap stands after the decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CapState {
    pub cap: String,
    pub at_most: usize,
    /// Those that count, in the order in which they came in.
    pub in_flight: Vec<ItemId>,
    /// In the columns, and exempt.
    pub exempt: Vec<ItemId>,
    /// Of those that count, who is let past by an override.
    pub overrides: Vec<ItemId>,
    /// Candidates, the next one first.
    pub queue: Vec<ItemId>,
}

impl CapState {
    /// How many more there are than there should be.
    #[must_use]
    pub fn over(&self) -> usize {
        self.in_flight.len().saturating_sub(self.at_most)
    }

    /// Who is next, if a place is free.
    #[must_use]
    pub fn next(&self) -> Option<ItemId> {
        let free = self.in_flight.len() < self.at_most;
        self.queue.first().copied().filter(|_| free)
    }
}

/// What an item's lane is to do for a board: kept until it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Makes it this verdict and no other.
    pub id: String,
    /// The policy's board id.
    pub board: String,
    pub back: Option<Back>,
    /// A sticky comment: its key and text.
    pub say: Option<(String, String)>,
    /// The cap that somebody's hand has overridden.
    pub by_hand: Option<String>,
    /// The cap or gate behind it.
    pub limit: String,
}

/// A card to be put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    pub from: String,
    /// Empty: out of every column.
    pub to: String,
}

/// A cap or gate, as far as both are alike.
#[derive(Clone, Copy)]
pub enum Limit<'p> {
    Gate(&'p Gate),
    Cap(&'p Cap),
}

impl<'p> Limit<'p> {
    /// All of a board, gates first: what may not enter at all takes nobody's place.
    pub fn of(policy: &'p Policy, board: &str) -> impl Iterator<Item = Self> {
        let gates = policy.gates.values().filter(move |g| g.board == board);
        let caps = policy.caps.values().filter(move |c| c.board == board);
        gates.map(Limit::Gate).chain(caps.map(Limit::Cap))
    }

    #[must_use]
    pub fn named(policy: &'p Policy, id: &str) -> Option<Self> {
        let gate = policy.gates.get(id).map(Limit::Gate);
        gate.or_else(|| policy.caps.get(id).map(Limit::Cap))
    }

    #[must_use]
    pub fn id(self) -> &'p str {
        match self {
            Self::Gate(gate) => &gate.id,
            Self::Cap(cap) => &cap.id,
        }
    }

    #[must_use]
    pub fn principle(self) -> &'p str {
        match self {
            Self::Gate(gate) => &gate.principle,
            Self::Cap(cap) => &cap.principle,
        }
    }

    #[must_use]
    pub fn because(self) -> &'p str {
        match self {
            Self::Gate(gate) => &gate.because,
            Self::Cap(cap) => &cap.because,
        }
    }

    #[must_use]
    pub fn columns(self) -> &'p [String] {
        match self {
            Self::Gate(gate) => &gate.into,
            Self::Cap(cap) => &cap.columns,
        }
    }

    #[must_use]
    pub fn over(self) -> Over {
        match self {
            Self::Gate(gate) => gate.otherwise,
            Self::Cap(cap) => cap.over,
        }
    }

    /// Is the column one of its own, whatever the capitals?
    #[must_use]
    pub fn holds(self, column: &str) -> bool {
        let mut columns = self.columns().iter();
        columns.any(|c| c.eq_ignore_ascii_case(column))
    }

    /// The mode of its principle.
    #[must_use]
    pub fn mode(self, policy: &Policy) -> Mode {
        let principle = policy.principles.get(self.principle());
        principle.and_then(|p| p.mode).unwrap_or(policy.mode)
    }
}

/// How many a cap allows now. A part of a place is none.
#[must_use]
pub fn at_most(policy: &Policy, cap: &Cap, now: Timestamp) -> usize {
    let facts = super::decide::facts_of_nobody(policy, now);
    let allowed = number(
        &cap.at_most
            .eval(&facts, &mut crate::policy::expr::Notes::default()),
    );
    // Nobody has four thousand million people; what is less than nothing is nothing.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let allowed = allowed.floor().clamp(0.0, f64::from(u32::MAX)) as usize;
    allowed
}

/// The key of the one comment about a board's limits that an item has.
#[must_use]
pub fn comment_key(board: &str) -> String {
    format!("board-{board}")
}
