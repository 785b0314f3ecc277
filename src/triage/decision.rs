//! What a decision says: the desired state, and for every part of it the rule and the principle.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attribute::AttributeValue;
use super::ledger::Rank;
use super::snapshot::FieldValue;

/// What may be done with what a rule wants.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Recorded, not written.
    #[default]
    Observe,
    /// Proposed to a human.
    Suggest,
    /// Written.
    Enforce,
}

/// Who asked, and why: carried by every wish, change and refusal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reason {
    pub rule: String,
    pub principle: String,
    pub because: String,
    pub mode: Mode,
}

/// The outcome of deciding one item. Deterministic: the same policy and snapshot give the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Every attribute of the policy with its effective value, in the order they were decided.
    pub attributes: IndexMap<String, Outcome>,
    /// Labels outside attributes that rules want on (`true`) or off (`false`).
    pub labels: IndexMap<String, (bool, Reason)>,
    /// Boards the item should be on (policy board ids).
    pub on_boards: IndexMap<String, Reason>,
    /// Fields that show no attribute, with what rules want in them.
    #[serde(default)]
    pub fields: Vec<WantedField>,
    /// Boards (policy board ids) on which the item's row should be archived.
    #[serde(default)]
    pub archive: IndexMap<String, Reason>,
    /// `Some`: a rule wants the milestone gone (`set: { milestone: none }`).
    pub clear_milestone: Option<Reason>,
    /// Comments that rules want to stand, rendered.
    pub comments: Vec<WantedComment>,
    /// Every rule whose condition held and which asked for something, in policy order.
    pub fired: Vec<Reason>,
    /// What rules wanted and did not get.
    pub held: Vec<Held>,
    /// The policy's derived fact `critical` holds, where it has one: this goes before the rest.
    pub critical: bool,
    /// Rules disagree, or something undoes what rules write: a human has to look.
    pub needs_human: bool,
    /// The first instant at which a comparison with `now` that was evaluated flips.
    pub look_again_at: Option<Timestamp>,
}

/// One attribute, decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Effective value: what the item has after this decision.
    pub value: AttributeValue,
    /// What GitHub shows now.
    pub current: AttributeValue,
    /// Who owns the value after this decision; `None` while nobody has set it.
    pub rank: Option<Rank>,
    /// The rule that asked for the value, where one did.
    pub reason: Option<Reason>,
    /// Written by `hold` (withdrawn later) rather than `set`.
    pub hold: bool,
    /// Of the value, what stands only as long as a rule holds it.
    pub held: AttributeValue,
    /// Of a many-valued attribute: the rule behind each value that comes or goes. Several rules
    /// may add at once, each in its own mode.
    #[serde(default)]
    pub by: BTreeMap<String, Reason>,
}

impl Outcome {
    /// The least mode among the rules behind what changes; what depends on it may do no more.
    #[must_use]
    pub fn least_mode(&self) -> Option<Mode> {
        let by = self.by.values().map(|reason| reason.mode).min();
        by.or(self.reason.as_ref().map(|reason| reason.mode))
    }

    /// Is what becomes of this value really done, as far as its rule's mode goes?
    fn is_done(&self, value: &str) -> bool {
        self.by
            .get(value)
            .is_none_or(|reason| reason.mode == Mode::Enforce)
    }

    /// The value once everything that is enforced has been written, and nothing else.
    #[must_use]
    pub fn enforced(&self) -> AttributeValue {
        let AttributeValue::Many(whole) = &self.value else {
            return self.value.clone();
        };
        let comes = whole.iter().map(String::as_str).filter(|v| self.is_done(v));
        let stays = self.current.iter();
        let stays = stays.filter(|v| !whole.contains(*v) && !self.is_done(v));
        AttributeValue::Many(comes.chain(stays).map(str::to_owned).collect())
    }

    /// What the ledger is to remember once everything that is enforced has been written: the
    /// value, whether it is held, and the rule. `None` where nothing is enforced.
    #[must_use]
    pub fn to_note(&self) -> Option<(AttributeValue, bool, &Reason)> {
        let mut enforced = self.by.iter().filter(|(v, _)| self.is_done(v));
        let reason = match self.reason.as_ref() {
            Some(reason) if reason.mode == Mode::Enforce => reason,
            _ => enforced.clone().map(|(_, reason)| reason).next()?,
        };
        if !matches!(self.value, AttributeValue::Many(_)) {
            return Some((self.value.clone(), self.hold, reason));
        }
        let hold = if self.by.is_empty() {
            self.hold
        } else {
            enforced.all(|(v, _)| self.held.contains(v) || !self.value.contains(v))
        };
        if !hold {
            return Some((self.enforced(), hold, reason));
        }
        let standing = self.held.iter().filter(|v| self.is_done(v));
        // What was held and is not taken away, because its rule only watches, is held still.
        let still = self.by.keys().map(String::as_str);
        let still = still.filter(|v| !self.value.contains(v) && !self.is_done(v));
        let value = AttributeValue::Many(standing.chain(still).map(str::to_owned).collect());
        Some((value, hold, reason))
    }
}

/// A value that a rule wants in a board's field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WantedField {
    /// The policy's id.
    pub board: String,
    pub field: String,
    /// `None` empties it.
    pub value: Option<FieldValue>,
    pub reason: Reason,
}

/// A comment a rule wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedComment {
    pub key: String,
    /// Edited in place while its rule holds and collapsed afterwards; else posted once, ever.
    pub sticky: bool,
    /// A sticky that stands, whose rule no longer holds: to be shown folded away.
    pub collapsed: bool,
    pub body: String,
    pub reason: Reason,
}

/// Something a rule wanted and did not get, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub attribute: String,
    pub would_set: AttributeValue,
    /// In words: `set by a human`, `two rules disagree: a and b`.
    pub why: String,
    pub reason: Reason,
}
