//! The weekly digest, as data: what a Product Lead reads in two minutes, and nothing that those who
//! read along may not see.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::{RepoName, RepositoryId};
use crate::policy::Policy;
use crate::policy::kpi::{Bound, Kpi, Measure, Unit};
use crate::triage::explain::Audience;

use super::calendar::{days, weeks_before};
use super::gathered::{Gathered, Known};
use super::history::What;
use super::kpi::{Figure, figures};
use super::search::Search;
use super::slot::{Schedule, Slot};

/// How many weeks a trend shows.
const TREND: u32 = 12;

/// Where the digest will stand, and so who will read it.
#[derive(Clone, Debug)]
pub struct Place {
    pub repository: RepoName,
    /// `None`: nothing is known of it.
    pub repository_id: Option<RepositoryId>,
    pub private: bool,
}

impl Place {
    fn audience(&self) -> Audience {
        if self.private {
            Audience::Internal
        } else {
            Audience::Public
        }
    }

    /// Who may see the place may see this, too.
    fn shows(&self, item: &Known) -> bool {
        !item.private || (self.private && item.repository == self.repository)
    }
}

/// What to make.
pub struct Asked<'a> {
    pub policy: &'a Policy,
    pub schedule: &'a Schedule,
    pub slot: &'a Slot,
    pub place: &'a Place,
    /// How many slots before this one were missed, so that this digest speaks for them, too.
    pub missed: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Digest {
    pub week: String,
    pub from: Timestamp,
    pub to: Timestamp,
    pub missed: usize,
    /// Open items that wait for a decision, oldest first.
    pub undecided: Vec<Line>,
    pub undecided_search: String,
    pub intake: Intake,
    /// What could be started next, best first: by score, then by the number of communities, then
    /// the older first.
    pub ranking: Vec<Ranked>,
    pub caps: Vec<CapLine>,
    pub overrides: Vec<Said>,
    pub kpis: Vec<KpiLine>,
    pub decisions: Vec<Said>,
    /// What rules changed, most often first.
    pub wrote: Vec<(String, usize)>,
    pub unauthorised: usize,
}

/// An item as the audience may see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ref {
    Shown { name: String, title: String },
    Private,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    pub item: Ref,
    /// How long it has waited, in whole days.
    pub days: i64,
    pub communities: usize,
    /// Total and breakdown; nothing for what is private.
    pub score: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Intake {
    pub total: usize,
    pub search: String,
    pub by_kind: Vec<Count>,
    pub by_goal: Vec<Count>,
    /// Distinct communities behind all of it.
    pub communities: usize,
    /// Those asked for by most communities first.
    pub requests: Vec<Line>,
    pub co_funded: Vec<Ref>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Count {
    /// Empty for no value.
    pub value: String,
    pub n: usize,
    pub search: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranked {
    /// The item, for comparing with next week's.
    #[serde(skip)]
    pub id: i64,
    pub line: Line,
    pub position: usize,
    /// `None`: it was not in the ranking of the week before. Where there was none, as it is now.
    pub before: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CapLine {
    pub id: String,
    pub because: String,
    pub at_most: usize,
    pub inside: Vec<Ref>,
    pub exempt: usize,
    pub next: Option<Ref>,
}

/// What somebody said of an item.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    pub item: Ref,
    pub what: String,
    /// Nobody, for what is private or was said in private.
    pub by: String,
    pub reason: String,
    pub until: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KpiLine {
    pub id: String,
    pub title: String,
    pub unit: String,
    pub figure: Figure,
    /// Who stated it, when, about what; empty for what is measured.
    pub stated: Option<StatedBy>,
    pub target: Option<TargetLine>,
    /// Of the last twelve weeks, oldest first.
    pub trend: Vec<Option<f64>>,
    pub search: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatedBy {
    pub by: String,
    pub at: Timestamp,
    pub period: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetLine {
    pub by: jiff::civil::Date,
    /// Rather than at least.
    pub at_most: bool,
    pub bound: f64,
    /// Unknown where there is no figure, or the sample is small.
    pub met: Option<bool>,
}

/// Makes the digest that a place may show.
#[must_use]
pub fn digest(asked: &Asked<'_>, gathered: &Gathered) -> Digest {
    let make = Make {
        asked,
        gathered,
        search: Search::of(asked.policy),
    };
    let week = |at: Timestamp| asked.slot.from <= at && at < asked.slot.at;
    let mut undecided: Vec<&Known> = gathered
        .items
        .values()
        .filter(|i| i.open && i.undecided && i.opened < asked.slot.at)
        .collect();
    undecided.sort_by_key(|i| (i.opened, &i.repository, i.number));
    let mut wrote: Vec<_> = gathered.wrote.clone().into_iter().collect();
    wrote.sort_by_key(|(rule, n)| (Reverse(*n), rule.clone()));
    Digest {
        week: asked.slot.week.clone(),
        from: asked.slot.from,
        to: asked.slot.at,
        missed: asked.missed,
        undecided: undecided.into_iter().map(|i| make.line(i)).collect(),
        undecided_search: make.search.undecided(),
        intake: make.intake(),
        ranking: make.ranking(),
        caps: make.caps(),
        overrides: make.overrides(),
        kpis: make.kpis(),
        decisions: gathered
            .decisions
            .iter()
            .filter(|d| week(d.at) && !make.is_hidden(&d.attribute))
            .map(|d| make.said(d.item, &d.value, &d.by, &d.reason, None))
            .collect(),
        wrote,
        unauthorised: gathered.unauthorised,
    }
}

struct Make<'a> {
    asked: &'a Asked<'a>,
    gathered: &'a Gathered,
    search: Search<'a>,
}

impl Make<'_> {
    /// Internal, and this is no internal place.
    fn is_hidden(&self, attribute: &str) -> bool {
        let found = self.asked.policy.attributes.get(attribute);
        !self.asked.place.private && found.is_some_and(|a| a.internal)
    }

    fn reference(&self, item: i64) -> Ref {
        match self.gathered.items.get(&item) {
            Some(known) if self.asked.place.shows(known) => Ref::Shown {
                name: format!("{}#{}", known.repository, known.number),
                title: known.title.clone(),
            },
            _ => Ref::Private,
        }
    }

    fn line(&self, item: &Known) -> Line {
        let shown = self.asked.place.shows(item);
        let audience = self.asked.place.audience();
        Line {
            item: if shown {
                Ref::Shown {
                    name: format!("{}#{}", item.repository, item.number),
                    title: item.title.clone(),
                }
            } else {
                Ref::Private
            },
            #[allow(clippy::cast_possible_truncation)] // days fit
            days: days(item.opened, self.asked.slot.at) as i64,
            communities: if shown { item.communities.len() } else { 0 },
            score: (shown && !self.asked.policy.score.is_empty())
                .then(|| item.score.line(audience)),
        }
    }

    fn intake(&self) -> Intake {
        let (from, to) = (self.asked.slot.from, self.asked.slot.at);
        let opened: BTreeSet<i64> = self
            .gathered
            .history
            .events
            .iter()
            .filter(|e| e.what == What::Opened && from <= e.at && e.at < to)
            .map(|e| e.item)
            .collect();
        let items: Vec<&Known> = opened
            .iter()
            .filter_map(|i| self.gathered.items.get(i))
            .collect();
        let seen = |i: &&&Known| self.asked.place.shows(i);
        let mut requests: Vec<&Known> = items.iter().filter(seen).copied().collect();
        requests.retain(|i| !i.communities.is_empty());
        requests.sort_by_key(|i| (Reverse(i.communities.len()), i.opened));
        let co_funded = items
            .iter()
            .filter(|i| !self.is_hidden("cofunded") && i.attributes.contains_key("cofunded"));
        let communities: BTreeSet<&String> = requests.iter().flat_map(|i| &i.communities).collect();
        Intake {
            total: opened.len(),
            search: self.search.opened(from, to),
            by_kind: self.counts(&items, "kind"),
            by_goal: self.counts(&items, "goal"),
            communities: communities.len(),
            requests: requests.iter().map(|i| self.line(i)).collect(),
            co_funded: co_funded.map(|i| self.line(i).item).collect(),
        }
    }

    /// How many have each value of an attribute, most first.
    fn counts(&self, items: &[&Known], attribute: &str) -> Vec<Count> {
        if self.is_hidden(attribute) || !self.asked.policy.attributes.contains_key(attribute) {
            return Vec::new();
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for item in items {
            match item.attributes.get(attribute) {
                Some(values) => {
                    for value in values {
                        *counts.entry(value).or_default() += 1;
                    }
                }
                None => *counts.entry("").or_default() += 1,
            }
        }
        let (from, to) = (self.asked.slot.from, self.asked.slot.at);
        let mut out: Vec<Count> = counts
            .into_iter()
            .map(|(value, n)| Count {
                value: value.to_owned(),
                n,
                search: self.search.opened_with(from, to, attribute, value),
            })
            .collect();
        out.sort_by_key(|c| (Reverse(c.n), c.value.clone()));
        out
    }

    fn ranking(&self) -> Vec<Ranked> {
        // What the readers see decides the order they see: a hidden driver would show in it.
        let audience = self.asked.place.audience();
        let mut candidates: Vec<(&i64, &Known)> = self
            .gathered
            .items
            .iter()
            .filter(|(_, i)| i.open && i.candidate && self.asked.place.shows(i))
            .collect();
        candidates.sort_by(|(_, a), (_, b)| {
            let (one, other) = (a.score.total_for(audience), b.score.total_for(audience));
            other
                .total_cmp(&one)
                .then(b.communities.len().cmp(&a.communities.len()))
                .then(a.opened.cmp(&b.opened))
                .then((&a.repository, a.number).cmp(&(&b.repository, b.number)))
        });
        let before = self.gathered.ranked_before.as_ref();
        let position = |item: i64, now: usize| match before {
            None => Some(now),
            Some(before) => before.iter().position(|i| *i == item).map(|n| n + 1),
        };
        candidates
            .into_iter()
            .enumerate()
            .map(|(n, (item, known))| Ranked {
                id: *item,
                line: self.line(known),
                position: n + 1,
                before: position(*item, n + 1),
            })
            .collect()
    }

    fn caps(&self) -> Vec<CapLine> {
        let caps = self.gathered.caps.iter().map(|cap| CapLine {
            id: cap.id.clone(),
            because: self
                .asked
                .policy
                .caps
                .get(&cap.id)
                .map_or_else(String::new, |c| c.because.clone()),
            at_most: cap.at_most,
            inside: cap.inside.iter().map(|i| self.reference(*i)).collect(),
            exempt: cap.exempt,
            next: cap.next.map(|i| self.reference(i)),
        });
        caps.collect()
    }

    fn overrides(&self) -> Vec<Said> {
        let all = self.gathered.overrides.iter();
        all.filter(|o| o.at < self.asked.slot.at && !self.is_hidden(&o.of))
            .map(|o| self.said(o.item, &o.of, &o.by, &o.reason, o.until))
            .collect()
    }

    fn said(
        &self,
        item: i64,
        what: &str,
        by: &str,
        reason: &str,
        until: Option<Timestamp>,
    ) -> Said {
        let item = self.reference(item);
        let hidden = item == Ref::Private;
        let told = |text: &str| {
            if hidden {
                String::new()
            } else {
                text.to_owned()
            }
        };
        Said {
            item,
            what: what.to_owned(),
            by: told(by),
            reason: told(reason),
            until,
        }
    }

    fn kpis(&self) -> Vec<KpiLine> {
        let zone = self.asked.schedule.zone();
        let end = self.asked.slot.at;
        let kpis: Vec<Kpi> = self
            .asked
            .policy
            .kpis
            .values()
            .filter(|k| !k.reads().any(|name| self.is_hidden(name)))
            .cloned()
            .collect();
        let mut ends: Vec<Timestamp> = (0..TREND)
            .rev()
            .map(|n| weeks_before(end, n, zone))
            .collect();
        if let Some(last) = ends.last_mut() {
            *last = end;
        }
        let weeks = figures(&kpis, &self.gathered.history, &ends, zone);
        let today = zone.to_datetime(end).date();
        kpis.iter()
            .enumerate()
            .map(|(n, kpi)| {
                let mut trend: Vec<Option<f64>> = weeks
                    .iter()
                    .map(|figures| figures.get(n).and_then(|f| f.value))
                    .collect();
                let now = weeks.last().and_then(|figures| figures.get(n));
                let mut figure = now.copied().unwrap_or_default();
                let stated = (kpi.measure == Measure::Stated).then(|| {
                    trend.clear();
                    self.stated(kpi, end).map(|(value, by)| {
                        figure = Figure {
                            value: Some(value),
                            ..Figure::default()
                        };
                        by
                    })
                });
                let target = kpi.target(today).map(|t| {
                    let (at_most, bound) = match t.bound {
                        Bound::AtMost(bound) => (true, bound),
                        Bound::AtLeast(bound) => (false, bound),
                    };
                    TargetLine {
                        by: t.by,
                        at_most,
                        bound,
                        met: figure
                            .value
                            .filter(|_| !figure.small)
                            .map(|v| t.bound.is_met_by(v)),
                    }
                });
                KpiLine {
                    id: kpi.id.clone(),
                    title: kpi.title.clone(),
                    unit: match &kpi.unit {
                        Unit::Days => "days".to_owned(),
                        Unit::WorkingDays => "working days".to_owned(),
                        Unit::Percent => "%".to_owned(),
                        Unit::Other(unit) if unit == "percent" => "%".to_owned(),
                        Unit::Other(unit) => unit.clone(),
                    },
                    figure,
                    stated: stated.flatten(),
                    target,
                    trend,
                    search: self
                        .search
                        .kpi(kpi, weeks_before(end, kpi.weeks, zone), end),
                }
            })
            .collect()
    }

    /// The last word on the latest period.
    fn stated(&self, kpi: &Kpi, end: Timestamp) -> Option<(f64, StatedBy)> {
        let said = self.gathered.stated.iter();
        let last = said
            .filter(|s| s.kpi == kpi.id && s.at < end)
            .max_by_key(|s| (&s.period, s.at))?;
        let by = StatedBy {
            by: last.by.clone(),
            at: last.at,
            period: last.period.clone(),
        };
        Some((last.figure, by))
    }
}
