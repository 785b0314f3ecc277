//! What a digest is made of, as the shell gathers it. Nothing is left out here; who may see what
//! is decided when the digest is made.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::ids::RepoName;
use crate::triage::score::Score;

use super::History;

/// Everything that is known.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    pub items: BTreeMap<i64, Known>,
    pub history: History,
    pub caps: Vec<Cap>,
    pub overrides: Vec<Override>,
    /// Decisions of people, in their order.
    pub decisions: Vec<Decision>,
    /// How many changes each rule made in the week, by its id.
    pub wrote: BTreeMap<String, usize>,
    /// Hand changes by people whom the policy does not let make them, and how many.
    pub unauthorised: usize,
    /// Figures stated by `/kpi`, in their order.
    pub stated: Vec<Stated>,
    /// The ranking of the digest before, best first, if there was one.
    pub ranked_before: Option<Vec<i64>>,
}

/// An item as it is now.
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    pub repository: RepoName,
    pub number: u64,
    pub title: String,
    pub private: bool,
    pub opened: Timestamp,
    pub open: bool,
    /// Attributes by their id, as lists of values; those without a value are missing.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Distinct communities behind it.
    pub communities: BTreeSet<String>,
    pub score: Score,
    /// Nobody has decided on it yet, or put it out of the way.
    pub undecided: bool,
    /// It could be started next, and nobody put it out of the way.
    pub candidate: bool,
}

/// What stands in a capped set of columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cap {
    pub id: String,
    pub at_most: usize,
    pub inside: Vec<i64>,
    /// Those that count neither way.
    pub exempt: usize,
    /// Who comes in when a place is free.
    pub next: Option<i64>,
}

/// Somebody's word against a gate, a cap or a rule, that stands or was given in the week.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    pub item: i64,
    pub of: String,
    /// A login.
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
    pub until: Option<Timestamp>,
}

/// A person's decision on an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub item: i64,
    pub attribute: String,
    pub value: String,
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
}

/// A figure measured elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    pub kpi: String,
    pub figure: f64,
    /// What it is about, such as `2026-Q4`.
    pub period: String,
    pub by: String,
    pub at: Timestamp,
}
