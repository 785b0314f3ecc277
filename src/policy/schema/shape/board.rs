//! Boards, with their gates and caps.

use schemars::JsonSchema;

use super::{Expression, Texts};

/// A GitHub Project.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Board {
    /// The number in the project's address.
    pub project: u64,
    /// The field whose options are the columns. `Status` unless said otherwise.
    pub column_field: Option<String>,
    /// Its items (issues and drafts) are the goals. They are pinned in a lock file; `goals` says
    /// more about them.
    pub goals: Option<bool>,
}

/// What becomes of an entry that should not be.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Over {
    /// The newcomer is put back.
    Return,
    /// It is said, and nothing else.
    Warn,
}

/// What has to hold before an item may enter columns.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Gate {
    /// Its short name; no other rule, gate or cap has it.
    pub id: String,
    /// The board.
    pub board: String,
    /// The columns that are guarded.
    pub into: Texts,
    /// What has to hold.
    pub requires: Expression,
    /// What becomes of an entry for which it does not; `return` unless said otherwise.
    #[schemars(rename = "else")]
    pub otherwise: Option<Over>,
    /// The reason, in words that can be said to whoever asks.
    pub because: String,
}

/// How many items may be in columns.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Cap {
    /// Its short name; no other rule, gate or cap has it.
    pub id: String,
    /// The board.
    pub board: String,
    /// The columns that are counted together.
    pub columns: Texts,
    /// How many: a number, or an expression.
    pub at_most: Expression,
    /// An attribute: so many for each of its values, rather than of all items together. Each value
    /// is a cap of its own, called `ID-VALUE`; items without a value are not counted.
    pub per: Option<String>,
    /// Items for which this holds are let in and not counted.
    pub exempt: Option<Expression>,
    /// What becomes of an entry over the limit; `return` unless said otherwise.
    pub over: Option<Over>,
    /// Roles whose own move over the limit is an override.
    pub by_hand: Option<Texts>,
    /// Who is next when a place becomes free: `score desc`, `issue.created_at asc`.
    pub next_by: Option<Vec<String>>,
    /// Move the next one in, rather than only name it.
    pub pull: Option<bool>,
    /// The reason, in words that can be said to whoever asks.
    pub because: String,
}
