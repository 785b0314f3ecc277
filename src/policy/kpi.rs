//! What a policy's KPIs consist of. What each measure means exactly is in `docs/kpis.md`; the
//! `insight` room computes them.

use std::collections::BTreeMap;

use jiff::civil::Date;

/// One figure that the organisation watches.
#[derive(Clone, Debug, PartialEq)]
pub struct Kpi {
    pub id: String,
    /// As people call it.
    pub title: String,
    pub measure: Measure,
    pub statistic: Statistic,
    pub unit: Unit,
    /// How many weeks it looks back over.
    pub weeks: u32,
    /// The items it looks at.
    pub filter: Filter,
    /// In the order of their dates.
    pub targets: Vec<Target>,
}

impl Kpi {
    /// The target in force on a day: the earliest that is not past, else the last one.
    #[must_use]
    pub fn target(&self, on: Date) -> Option<&Target> {
        let ahead = self.targets.iter().find(|t| t.by >= on);
        ahead.or_else(|| self.targets.last())
    }

    /// The attributes that it looks at.
    pub fn reads(&self) -> impl Iterator<Item = &str> {
        let (of, sides) = match &self.measure {
            Measure::FirstTriage(d) | Measure::Decisions(d) | Measure::UndecidedAge(d) => {
                (Some(&d.attribute), None)
            }
            Measure::Unaligned { attribute } => (Some(attribute), None),
            Measure::Share { of, against } => (None, Some([of, against])),
            _ => (None, None),
        };
        let filters = sides.into_iter().flatten().chain([&self.filter]);
        of.into_iter()
            .chain(filters.flat_map(|f| f.0.keys()))
            .map(String::as_str)
    }
}

/// What is measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// From entering columns of a board to leaving them.
    CycleTime {
        board: String,
        from: Vec<String>,
        /// Only leavings to these count; empty for any.
        into: Vec<String>,
    },
    FirstTriage(Deciding),
    Resolution,
    /// Points done in an iteration.
    Velocity {
        board: String,
        columns: Vec<String>,
        /// `board.Field`.
        points: String,
        iterations: Iterations,
    },
    /// How much of what was done is of one sort, as against another.
    Share {
        of: Filter,
        against: Filter,
    },
    Intake,
    Decisions(Deciding),
    Overrides,
    UndecidedAge(Deciding),
    /// Open items without a value of the attribute.
    Unaligned {
        attribute: String,
    },
    /// Measured elsewhere, said by `/kpi`.
    Stated,
}

/// Which values of which attribute are decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deciding {
    pub attribute: String,
    pub values: Vec<String>,
}

/// When work is counted up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Iterations {
    /// The day on which the first one began.
    pub first: Date,
    pub weeks: u32,
}

/// For each name, the item has one of the values; `*` is any value, the empty text none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(pub BTreeMap<String, Vec<String>>);

/// What is made of the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Statistic {
    #[default]
    Mean,
    P50,
    P90,
    Max,
}

/// What a figure counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    Days,
    WorkingDays,
    Percent,
    /// Points, items, or whatever a stated figure is in.
    Other(String),
}

/// What a figure should be by a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    pub by: Date,
    pub bound: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    #[must_use]
    pub fn is_met_by(self, figure: f64) -> bool {
        match self {
            Self::AtMost(limit) => figure <= limit,
            Self::AtLeast(limit) => figure >= limit,
        }
    }
}
