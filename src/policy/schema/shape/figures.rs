//! KPIs, and the digests that state them.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::{Texts, Word};

/// A figure that the organisation watches. `docs/kpis.md` says how each measure is computed.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Kpi {
    /// Its short name, by which `/kpi` states it.
    pub id: Word,
    /// As people say it.
    pub title: Option<String>,
    /// What is measured.
    pub measure: Measure,
    /// What is made of the samples; `mean` unless said otherwise.
    pub statistic: Option<Statistic>,
    /// Of times `days` or `working days`; of a stated figure any. The other measures have their own.
    pub unit: Option<String>,
    /// Over how many weeks it looks back; 12 unless said otherwise.
    #[schemars(range(min = 1, max = 104))]
    pub weeks: Option<u32>,
    /// Looks at items with one of these values only, by attribute; `*` is any value, `""` none.
    #[schemars(rename = "where")]
    pub where_: Option<BTreeMap<String, Texts>>,
    /// What the figure should be, and by when.
    pub targets: Option<Vec<Target>>,
    /// The board of `cycle_time` and `velocity`.
    pub board: Option<String>,
    /// `cycle_time` begins when an item enters one of these columns, and ends when it leaves them.
    pub from: Option<Texts>,
    /// Only leavings to these columns end a `cycle_time`.
    pub into: Option<Texts>,
    /// Where work is done, for `velocity`.
    pub columns: Option<Texts>,
    /// The field with the points of an item, as `board.Field`, for `velocity`.
    pub points: Option<String>,
    /// When work is counted up, for `velocity`.
    pub iterations: Option<Iterations>,
    /// The attribute that is decided on, or without a value.
    pub attribute: Option<String>,
    /// The values that are decisions.
    pub values: Option<Texts>,
    /// The part of a `share`: items with one of these values.
    pub of: Option<BTreeMap<String, Texts>>,
    /// The other side of a `share`.
    pub against: Option<BTreeMap<String, Texts>>,
}

/// What is measured.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Measure {
    /// From entering columns of a board to leaving them.
    CycleTime,
    /// From the opening to the first decision.
    FirstTriage,
    /// From the opening to the closing.
    Resolution,
    /// The points done in an iteration.
    Velocity,
    /// How much of what was done is of one sort, as against another.
    Share,
    /// Items opened in a week.
    Intake,
    /// Decisions in a week.
    Decisions,
    /// Overrides in a week.
    Overrides,
    /// How long open items have waited for a decision.
    UndecidedAge,
    /// How much of what is open has no value of the attribute.
    Unaligned,
    /// Measured elsewhere, said by `/kpi`.
    Stated,
}

/// What is made of the samples.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Statistic {
    /// Their mean.
    Mean,
    /// The 50th percentile.
    P50,
    /// The 90th percentile.
    P90,
    /// The largest.
    Max,
}

/// What a figure should be by a day: one of the two bounds.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Target {
    /// The day, such as `2027-01-01`.
    pub by: String,
    /// It should not be larger.
    pub at_most: Option<f64>,
    /// It should not be smaller.
    pub at_least: Option<f64>,
}

/// Spans of work, one after the other.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Iterations {
    /// The day on which the first one began.
    pub first: String,
    /// How many weeks each lasts.
    #[schemars(range(min = 1, max = 104))]
    pub weeks: u32,
}

/// One or a list of them.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Digests {
    One(Digest),
    Many(Vec<Digest>),
}

/// A weekly summary. It has an issue to be posted to, a repository for new issues, or both.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Digest {
    /// Its short name.
    pub id: String,
    /// A day and a time: `monday 09:00`.
    #[schemars(regex(
        pattern = r"^(mon|tues|wednes|thurs|fri|satur|sun)day [0-9]{2}:[0-9]{2}(:[0-9]{2})?$"
    ))]
    pub every: String,
    /// Of the time, such as `Europe/London`; UTC unless said otherwise.
    pub timezone: Option<String>,
    /// The issue that it is posted to as a comment, such as `owner/repo#1`.
    #[schemars(regex(pattern = "^[^/# ]+/[^/# ]+#[0-9]+$"))]
    pub post_to: Option<String>,
    /// The repository in which it is a new issue each week, such as `owner/repo`.
    #[schemars(regex(pattern = "^[^/# ]+/[^/# ]+$"))]
    pub new_issue: Option<String>,
    /// It is about items with one of these values only, by attribute; `*` is any value, `""` none.
    #[schemars(rename = "where")]
    pub where_: Option<BTreeMap<String, Texts>>,
}
