//! The smallest writes that make GitHub show what was decided.

use serde::{Deserialize, Serialize};

use crate::ids::CommentId;

use super::answer::Sign;
use super::attribute::AttributeValue;
use super::decision::Reason;
use super::snapshot::FieldValue;

/// What to write, with the attribute assignments that the ledger is to remember once written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// To be written now (mode `enforce`).
    pub changes: Vec<Change>,
    /// Would be written, were the rule's mode `enforce` (modes `observe` and `suggest`).
    pub withheld: Vec<Change>,
    /// What the ledger learns when `changes` have been written.
    pub assignments: Vec<Assignment>,
}

impl Plan {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.assignments.is_empty()
    }
}

/// A rule takes an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Attribute id, or `milestone`.
    pub attribute: String,
    /// The whole value; of a `hold` on a many-valued attribute only what rules hold.
    pub value: AttributeValue,
    pub hold: bool,
    pub reason: Reason,
}

/// One difference to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub write: Write,
    pub reason: Reason,
}

/// One write, in the policy's and GitHub's names (node ids are the shell's business,
/// but for what a person named and the shell has looked up).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Write {
    AddLabel {
        label: String,
    },
    RemoveLabel {
        label: String,
    },
    ClearMilestone,
    /// The issue is closed.
    Close {
        /// As GitHub writes it: `duplicate`.
        reason: String,
        /// Node id of the issue that it repeats, which may be in another repository.
        original: String,
    },
    /// The board is the policy's id.
    AddToBoard {
        board: String,
    },
    SetField {
        board: String,
        field: String,
        /// `None` empties the field.
        value: Option<FieldValue>,
    },
    /// The item's row is archived: it leaves the board's views, and keeps its fields.
    Archive {
        board: String,
    },
    /// A new comment. The body is without the marker; the shell adds it.
    Comment {
        key: String,
        body: String,
        sticky: bool,
    },
    /// A sign on the comment (or on the issue) that the answer under the key is to.
    React {
        key: String,
        comment: Option<CommentId>,
        sign: Sign,
    },
    /// The comment that stands under the key is edited.
    EditComment {
        key: String,
        body: String,
        collapsed: bool,
    },
}
