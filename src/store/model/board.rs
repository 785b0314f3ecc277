//! Boards, and the places of items on them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::ItemId;
use crate::triage::board::{CapState, Place, Standing, Verdict};

use super::item::ItemChanges;
use super::lane::LaneKey;

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
