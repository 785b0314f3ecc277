//! What a command asks for, and what is wrong with one that cannot be meant.

use jiff::civil::Date;

use super::words::{ItemRef, Span};

/// A command line, split.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    pub name: String,
    /// The words before the reason, items included, each as the policy or the table spells it.
    pub args: Vec<String>,
    /// The items it is about; none for the item it was said on.
    pub items: Vec<ItemRef>,
    /// The rest of the line without the pair of quotes around it; empty without one.
    pub reason: String,
    /// Line in the text, from 1.
    pub line: usize,
}

/// What a line that looked like a command turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// A command, complete and right as far as words go.
    Command { said: Said, act: Act },
    /// A command that cannot be meant as it stands; nothing is done for it.
    Wrong { said: Said, problem: Problem },
    /// No command, but one typo away from one.
    Unknown {
        name: String,
        did_you_mean: String,
        line: usize,
    },
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// `/triage`, `/priority` …: at least one change.
    Set {
        attribute: String,
        changes: Vec<ValueChange>,
    },
    Critical,
    Community {
        add: bool,
        community: String,
    },
    Cofund {
        add: bool,
        community: String,
    },
    Duplicate {
        of: ItemRef,
    },
    Override {
        limit: String,
        until: Option<Date>,
    },
    Release {
        held: String,
    },
    Snooze {
        until: End,
    },
    Promote,
    Park,
    Why {
        rule: Option<String>,
    },
    Score,
    Similar,
    Undo,
    Apply {
        plan: String,
    },
    Kpi {
        kpi: String,
        figure: f64,
        period: String,
    },
    Help {
        topic: Option<String>,
    },
}

/// One change to an attribute, by the value's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueChange {
    /// For an attribute with one value: sets it.
    Add(String),
    Remove(String),
    Clear,
}

/// When something ends: after a time, or on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    After(Span),
    On(Date),
}

/// Why a command cannot be meant as it stands. Shown to whoever said it: `said` is their text and
/// must be made harmless before it is quoted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("a reason is missing")]
    NoReason,
    #[error("unknown: {said}{}", hint(did_you_mean.as_deref(), known))]
    UnknownWord {
        said: String,
        did_you_mean: Option<String>,
        /// All that could be said there.
        known: Vec<String>,
    },
    #[error("{said} is no {wanted}")]
    Malformed { said: String, wanted: &'static str },
}

fn hint(did_you_mean: Option<&str>, known: &[String]) -> String {
    match did_you_mean {
        Some(meant) => format!("; did you mean {meant}?"),
        None if known.is_empty() => String::new(),
        None => format!("; known: {}", known.join(", ")),
    }
}
