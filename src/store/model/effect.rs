//! The journal of writes, and what makes an act the same act.

use jiff::Timestamp;

use crate::ids::ItemId;

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
