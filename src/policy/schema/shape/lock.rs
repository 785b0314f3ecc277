//! The lock file.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::Word;

/// What lives on GitHub, pinned so that checking and deciding need no network. Written by
/// `northstar check --online --update`.
#[derive(JsonSchema)]
#[schemars(title = "Northstar lock file", deny_unknown_fields)]
pub struct Lock {
    /// By the board's name in the policy.
    pub boards: Option<BTreeMap<String, PinnedBoard>>,
    /// The goals there are; the policy adds their signals.
    pub goals: Option<Vec<PinnedGoal>>,
}

/// A goal as it is kept on GitHub.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PinnedGoal {
    /// Its short name.
    pub id: Word,
    /// As people say it.
    pub title: Option<String>,
    /// Its item on the board, by GitHub's id: so a goal that is called otherwise keeps its name here.
    pub item: Option<String>,
    /// The issue that stands for it, as `owner/repo#n`; its sub-issues serve the goal.
    pub issue: Option<String>,
}

/// What a board has.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PinnedBoard {
    /// Its fields: a list of options, or what kind of value there is.
    pub fields: Option<BTreeMap<String, PinnedField>>,
}

/// A field.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum PinnedField {
    /// One of these options.
    Options(Vec<Word>),
    Kind(FieldKind),
    Iterations(PinnedIterations),
}

/// A field of iterations.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PinnedIterations {
    /// Their titles, the earliest first.
    pub iterations: Vec<Word>,
}

/// What a field without options holds.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum FieldKind {
    Text,
    Number,
    Date,
    Iteration,
}
