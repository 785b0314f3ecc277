//! What rules change of their own accord, and what waits for somebody to let it go.

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::ItemId;
use crate::triage::change::Write;

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
