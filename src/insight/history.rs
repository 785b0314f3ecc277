//! What happened to items, in order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Everything that is known to have happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    pub known: Known,
    /// Ordered by time; events of one instant in the order in which they were recorded.
    pub events: Vec<Event>,
}

/// Since when history is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Everything but moves on boards.
    pub issues: Timestamp,
    pub moves: Timestamp,
}

impl Default for Known {
    /// Nothing is known.
    fn default() -> Self {
        Self {
            issues: Timestamp::MAX,
            moves: Timestamp::MAX,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub at: Timestamp,
    /// The item, by whatever number is its own wherever it moves.
    pub item: i64,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    Opened,
    Closed {
        reason: Reason,
    },
    /// Also: seen again after it had gone.
    Reopened,
    /// Deleted, made a discussion, or transferred out of sight.
    Gone,
    /// The empty column stands for not being on the board.
    Moved {
        /// The policy's name of it.
        board: String,
        from: String,
        to: String,
    },
    /// An attribute, or a board's field (`board.Field`), has these values from now on.
    Set {
        name: String,
        values: Vec<String>,
        /// By hand or by command, rather than by a rule or another program.
        person: bool,
    },
    /// A gate, a cap or a rule was.
    Overridden {
        of: String,
    },
}

/// Why an issue was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Completed,
    NotPlanned,
    Duplicate,
}
