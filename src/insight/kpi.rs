//! The KPIs, computed from a history by the definitions in `docs/kpis.md`.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use crate::policy::kpi::{Deciding, Filter, Iterations, Kpi, Measure, Statistic, Unit};

use super::calendar::{days, midnight, seconds, weeks_before, working_days};
use super::history::{History, Known, Reason};
use super::items::{Item, Items, State};

/// A figure at an instant, and how well it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figure {
    /// In the KPI's unit; none without a sample.
    pub value: Option<f64>,
    /// How many samples.
    pub n: usize,
    /// How many there would be more, if more were known.
    pub unknown: usize,
    /// Too few samples to judge by.
    pub small: bool,
    /// How much of the window is known, from 0 to 1.
    pub coverage: f64,
}

/// Fewer samples than this are small; for a 90th percentile, fewer than twice as many.
const FEW: usize = 5;

/// Each KPI at each instant; `ends` in ascending order. One list for each instant, in the order of
/// the KPIs; stated ones have no figure here.
#[must_use]
pub fn figures(
    kpis: &[Kpi],
    history: &History,
    ends: &[Timestamp],
    zone: &TimeZone,
) -> Vec<Vec<Figure>> {
    let mut items = Items::new(history);
    ends.iter()
        .map(|end| {
            let items = items.at(*end);
            kpis.iter()
                .map(|kpi| {
                    let window = Window {
                        start: weeks_before(*end, kpi.weeks, zone),
                        end: *end,
                        known: history.known,
                        zone,
                    };
                    window.figure(kpi, items)
                })
                .collect()
        })
        .collect()
}

struct Window<'z> {
    start: Timestamp,
    end: Timestamp,
    known: Known,
    zone: &'z TimeZone,
}

/// What a measure found.
enum Found {
    Samples(Vec<f64>, usize),
    Share { part: usize, other: usize },
}

impl Window<'_> {
    fn figure(&self, kpi: &Kpi, all: &[Item<'_>]) -> Figure {
        let few = match kpi.statistic {
            Statistic::P90 => 2 * FEW,
            _ => FEW,
        };
        let (value, n, unknown) = match self.found(kpi, all) {
            Found::Samples(samples, unknown) => {
                let n = samples.len();
                (statistic(kpi.statistic, samples), n, unknown)
            }
            Found::Share { part, other } => {
                let n = part + other;
                ((n > 0).then(|| 100.0 * count(part) / count(n)), n, 0)
            }
        };
        Figure {
            value,
            n,
            unknown,
            small: n < few,
            coverage: self.coverage(&kpi.measure),
        }
    }

    /// Most items are of no week that is looked at: whether the filter keeps one is asked last.
    fn found(&self, kpi: &Kpi, all: &[Item<'_>]) -> Found {
        let kept = |i: &&Item<'_>| i.is_kept_by(&kpi.filter);
        match &kpi.measure {
            Measure::CycleTime { board, from, into } => self.intervals(kpi, all, |i| {
                // Whatever ends in the window was moved in it.
                i.moves.last().filter(|m| m.at >= self.start)?;
                cycle(i, board, from, into, self.known.moves)
            }),
            Measure::FirstTriage(deciding) => self.intervals(kpi, all, |i| {
                let set = i.sets.last().map(|set| set.at);
                set.max(i.first_closed).filter(|at| *at >= self.start)?;
                let known = i.opened.filter(|o| *o >= self.known.issues);
                Some((known, first_answer(i, deciding)?))
            }),
            Measure::Resolution => self.intervals(kpi, all, |i| match i.state {
                State::Closed(_, Reason::Duplicate) => None,
                State::Closed(at, _) => Some((i.opened, at)),
                _ => None,
            }),
            Measure::Velocity {
                board,
                columns,
                points,
                iterations,
            } => {
                let done: Vec<(Timestamp, f64)> = all
                    .iter()
                    .filter(|i| i.moves.last().is_some_and(|m| m.at >= self.start))
                    .filter(kept)
                    .filter_map(|i| done_points(i, board, columns, points))
                    .collect();
                self.per_iteration(*iterations, &done)
            }
            Measure::Share { of, against } => self.share(kpi, all, of, against),
            Measure::Intake => self.per_week(kpi, all, |i| i.opened.into_iter()),
            Measure::Decisions(deciding) => {
                self.per_week(kpi, all, |i| decisions(i, deciding, self.start))
            }
            Measure::Overrides => self.per_week(kpi, all, |i| i.overridden.iter().copied()),
            Measure::UndecidedAge(deciding) => {
                let open = all.iter().filter(|i| self.is_open(i)).filter(kept);
                let undecided = open.filter(|i| !decides(i.values(&deciding.attribute), deciding));
                let (samples, unknown) = undecided.partition::<Vec<_>, _>(|i| i.opened.is_some());
                let ages = samples.iter().filter_map(|i| i.opened);
                let ages = ages.map(|opened| self.length(&kpi.unit, opened, self.end));
                Found::Samples(ages.collect(), unknown.len())
            }
            Measure::Unaligned { attribute } => {
                let open = all.iter().filter(|i| self.is_open(i)).filter(kept);
                let (with, without): (Vec<_>, Vec<_>) =
                    open.partition(|i| !i.values(attribute).is_empty());
                Found::Share {
                    part: without.len(),
                    other: with.len(),
                }
            }
            Measure::Stated => Found::Samples(Vec::new(), 0),
        }
    }

    /// Of those that ended in the window, the lengths where the beginning is known.
    fn intervals<'i>(
        &self,
        kpi: &Kpi,
        all: &'i [Item<'i>],
        of: impl Fn(&'i Item<'i>) -> Option<(Option<Timestamp>, Timestamp)>,
    ) -> Found {
        let (mut samples, mut unknown) = (Vec::new(), 0);
        for item in all {
            let Some((begun, ended)) = of(item).filter(|(_, ended)| self.holds(*ended)) else {
                continue;
            };
            if !item.is_kept_by(&kpi.filter) {
                continue;
            }
            match begun {
                Some(begun) => samples.push(self.length(&kpi.unit, begun, ended)),
                None => unknown += 1,
            }
        }
        Found::Samples(samples, unknown)
    }

    fn length(&self, unit: &Unit, a: Timestamp, b: Timestamp) -> f64 {
        match unit {
            Unit::WorkingDays => working_days(a, b, self.zone),
            _ => days(a, b),
        }
    }

    /// Of what was done in the window, how much is of one sort.
    fn share(&self, kpi: &Kpi, all: &[Item<'_>], of: &Filter, against: &Filter) -> Found {
        let done = all.iter().filter(|i| match i.state {
            State::Closed(at, Reason::Completed) => self.holds(at) && i.is_kept_by(&kpi.filter),
            _ => false,
        });
        let (other, rest): (Vec<_>, Vec<_>) = done.partition(|i| i.is_kept_by(against));
        Found::Share {
            part: rest.iter().filter(|i| i.is_kept_by(of)).count(),
            other: other.len(),
        }
    }

    fn is_open(&self, item: &Item<'_>) -> bool {
        self.end >= self.known.issues && item.state == State::Open
    }

    fn holds(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// How much of what the measure looks at is known.
    fn coverage(&self, measure: &Measure) -> f64 {
        let since = match measure {
            Measure::UndecidedAge(_) | Measure::Unaligned { .. } => {
                return f64::from(u8::from(self.end >= self.known.issues));
            }
            Measure::CycleTime { .. } | Measure::Velocity { .. } => self.known.moves,
            _ => self.known.issues,
        };
        let whole = seconds(self.start, self.end);
        let known = seconds(self.start.max(since), self.end);
        if whole > 0.0 {
            (known / whole).max(0.0)
        } else {
            0.0
        }
    }

    /// How often something happened in each week that is known.
    fn per_week<'i, T: Iterator<Item = Timestamp>>(
        &self,
        kpi: &Kpi,
        all: &'i [Item<'i>],
        times: impl Fn(&'i Item<'i>) -> T,
    ) -> Found {
        let mut edges: Vec<Timestamp> = (0..=kpi.weeks)
            .rev()
            .map(|n| weeks_before(self.end, n, self.zone))
            .collect();
        edges.dedup();
        let mut counts = vec![0; edges.len().saturating_sub(1)];
        for item in all {
            let mut within = times(item).filter(|at| self.holds(*at)).peekable();
            if within.peek().is_none() || !item.is_kept_by(&kpi.filter) {
                continue;
            }
            for at in within {
                let week = edges.partition_point(|edge| *edge <= at);
                if let Some(count) = week.checked_sub(1).and_then(|w| counts.get_mut(w)) {
                    *count += 1;
                }
            }
        }
        let known = edges.iter().take(counts.len());
        let unknown = known.filter(|e| **e < self.known.issues).count();
        let samples = counts.into_iter().skip(unknown).map(count).collect();
        Found::Samples(samples, unknown)
    }

    /// The points of each iteration that lies wholly within the window.
    fn per_iteration(&self, iterations: Iterations, done: &[(Timestamp, f64)]) -> Found {
        let (mut samples, mut unknown) = (Vec::new(), 0);
        let step = i64::from(iterations.weeks.max(1)).weeks();
        let mut day = iterations.first;
        let mut start = midnight(day, self.zone);
        while let Ok(next) = day.checked_add(step) {
            let end = midnight(next, self.zone);
            if end > self.end {
                break;
            }
            if start >= self.known.moves && start >= self.start {
                let inside = done.iter().filter(|(at, _)| start <= *at && *at < end);
                samples.push(inside.map(|(_, points)| points).sum());
            } else if start >= self.start {
                unknown += 1;
            }
            (day, start) = (next, end);
        }
        Found::Samples(samples, unknown)
    }
}

fn one_of(names: &[String], name: &str) -> bool {
    names.iter().any(|n| n.eq_ignore_ascii_case(name))
}

/// The first entry, where it is known, and the last leaving.
fn cycle(
    item: &Item<'_>,
    board: &str,
    from: &[String],
    into: &[String],
    known: Timestamp,
) -> Option<(Option<Timestamp>, Timestamp)> {
    let within = |column: &str| one_of(from, column);
    let moves = || item.moves.iter().filter(|m| m.board == board);
    if within(moves().next_back()?.to) {
        return None;
    }
    let left = moves()
        .rfind(|m| within(m.from) && !within(m.to) && (into.is_empty() || one_of(into, m.to)))?;
    let begun = moves()
        .find(|m| within(m.from) || within(m.to))
        .filter(|m| !within(m.from) && m.at >= known);
    Some((begun.map(|m| m.at), left.at))
}

fn decides(values: &[String], deciding: &Deciding) -> bool {
    values.iter().any(|v| deciding.values.contains(v))
}

fn first_answer(item: &Item<'_>, deciding: &Deciding) -> Option<Timestamp> {
    let decided = item
        .sets
        .iter()
        .find(|s| s.name == deciding.attribute && decides(s.values, deciding))
        .map(|s| s.at);
    decided.into_iter().chain(item.first_closed).min()
}

fn decisions<'i>(
    item: &'i Item<'i>,
    deciding: &'i Deciding,
    since: Timestamp,
) -> impl Iterator<Item = Timestamp> + 'i {
    let same = |a: &[String], b: &[String]| {
        a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
    };
    item.sets[item.sets.partition_point(|s| s.at < since)..]
        .iter()
        .filter(move |s| {
            s.person
                && s.name == deciding.attribute
                && decides(s.values, deciding)
                && !same(s.values, s.before)
        })
        .map(|s| s.at)
}

/// When an item first entered the columns, and its points.
fn done_points(
    item: &Item<'_>,
    board: &str,
    columns: &[String],
    points: &str,
) -> Option<(Timestamp, f64)> {
    let entry = item
        .moves
        .iter()
        .find(|m| m.board == board && one_of(columns, m.to) && !one_of(columns, m.from))?;
    let points: f64 = item.values(points).first()?.trim().parse().ok()?;
    points.is_finite().then_some((entry.at, points))
}

/// Nearest rank for percentiles: always a value that really happened.
fn statistic(of: Statistic, mut samples: Vec<f64>) -> Option<f64> {
    if of == Statistic::Mean {
        let n = count(samples.len());
        return (!samples.is_empty()).then(|| samples.iter().sum::<f64>() / n);
    }
    samples.sort_unstable_by(f64::total_cmp);
    let percent = match of {
        Statistic::P50 => 50,
        Statistic::P90 => 90,
        Statistic::Mean | Statistic::Max => 100,
    };
    let rank = (percent * samples.len()).div_ceil(100);
    samples.get(rank.checked_sub(1)?).copied()
}

#[allow(clippy::cast_precision_loss)] // nobody has 2^52 items
fn count(n: usize) -> f64 {
    n as f64
}
