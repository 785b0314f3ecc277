//! GitHub's rate limits: the hourly budgets, and the secondary limits on top of them.
//!
//! Numbers: GitHub's documentation, "Rate limits for the REST API" and "Rate limits and query
//! limits for the GraphQL API".

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// How much an installation may do. The default is GitHub's for an organisation of up to twenty
/// users and repositories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// REST requests an hour.
    pub core: u64,
    /// GraphQL points an hour.
    pub graphql: u64,
    /// Whether the secondary limits below refuse.
    pub secondary: bool,
    /// Content-creating requests a minute.
    pub content_per_minute: usize,
    /// Content-creating requests an hour.
    pub content_per_hour: usize,
    /// REST points a minute (a read is 1, a write 5).
    pub rest_points_per_minute: u64,
    /// GraphQL points a minute (a query is 1, a mutation 5).
    pub graphql_points_per_minute: u64,
    /// Writes at the same moment; GitHub asks for one at a time.
    pub concurrent_writes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            core: 5000,
            graphql: 5000,
            secondary: true,
            content_per_minute: 80,
            content_per_hour: 500,
            rest_points_per_minute: 900,
            graphql_points_per_minute: 2000,
            concurrent_writes: 1,
        }
    }
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Which budget a request is counted against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resource {
    Core,
    GraphQl,
}

impl Resource {
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::GraphQl => "graphql",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub limit: u64,
    pub used: u64,
    pub reset: Timestamp,
}

impl Budget {
    pub fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// What one caller has used.
#[derive(Debug, Default)]
struct Used {
    hours: BTreeMap<Resource, (u64, Timestamp)>,
    content: VecDeque<Timestamp>,
    points: BTreeMap<Resource, VecDeque<(Timestamp, u64)>>,
    writing: usize,
}

/// What was used, by installation (0: everybody without one).
#[derive(Debug, Default)]
pub(super) struct Budgets {
    used: BTreeMap<u64, Used>,
}

/// A refusal, and whether and when it says to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limited {
    Primary,
    /// Seconds for `retry-after`.
    Secondary(u64),
}

/// What a request is, to the limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub resource: Resource,
    /// Of the hourly budget.
    pub points: u64,
    pub write: bool,
    pub content: bool,
}

impl Budgets {
    pub fn budget(
        &mut self,
        who: u64,
        resource: Resource,
        limits: &Limits,
        now: Timestamp,
    ) -> Budget {
        let used = self.used.entry(who).or_default();
        let (spent, reset) = used
            .hours
            .entry(resource)
            .and_modify(|hour| {
                if hour.1 <= now {
                    *hour = (0, now + HOUR);
                }
            })
            .or_insert((0, now + HOUR));
        Budget {
            limit: match resource {
                Resource::Core => limits.core,
                Resource::GraphQl => limits.graphql,
            },
            used: *spent,
            reset: *reset,
        }
    }

    /// Counts a request, or says why it is refused (a refused one is not counted).
    pub fn spend(
        &mut self,
        who: u64,
        cost: Cost,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<(), Limited> {
        let budget = self.budget(who, cost.resource, limits, now);
        if budget.used + cost.points > budget.limit {
            return Err(Limited::Primary);
        }
        let used = self.used.entry(who).or_default();
        if limits.secondary {
            used.refuse_secondary(cost, limits, now)?;
        }
        if let Some(hour) = used.hours.get_mut(&cost.resource) {
            hour.0 += cost.points;
        }
        if cost.content {
            used.content.push_back(now);
        }
        let points = used.points.entry(cost.resource).or_default();
        points.push_back((now, if cost.write { 5 } else { 1 }));
        Ok(())
    }

    /// Gives back what a 304 does not cost.
    pub fn refund(&mut self, who: u64, resource: Resource) {
        if let Some(hour) = self
            .used
            .get_mut(&who)
            .and_then(|used| used.hours.get_mut(&resource))
        {
            hour.0 = hour.0.saturating_sub(1);
        }
    }

    /// A write begins; false when there are already as many as GitHub stands.
    pub fn begin_write(&mut self, who: u64, limits: &Limits) -> bool {
        let used = self.used.entry(who).or_default();
        if limits.secondary && used.writing >= limits.concurrent_writes {
            return false;
        }
        used.writing += 1;
        true
    }

    pub fn end_write(&mut self, who: u64) {
        if let Some(used) = self.used.get_mut(&who) {
            used.writing = used.writing.saturating_sub(1);
        }
    }
}

impl Used {
    fn refuse_secondary(
        &mut self,
        cost: Cost,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<(), Limited> {
        while self.content.front().is_some_and(|at| *at + HOUR <= now) {
            self.content.pop_front();
        }
        if cost.content {
            let minute = self.content.iter().filter(|at| **at + MINUTE > now).count();
            if self.content.len() >= limits.content_per_hour {
                return Err(Limited::Secondary(wait(self.content.front(), HOUR, now)));
            }
            if minute >= limits.content_per_minute {
                let first = self.content.iter().find(|at| **at + MINUTE > now);
                return Err(Limited::Secondary(wait(first, MINUTE, now)));
            }
        }
        let points = self.points.entry(cost.resource).or_default();
        while points.front().is_some_and(|(at, _)| *at + MINUTE <= now) {
            points.pop_front();
        }
        let spent: u64 = points.iter().map(|(_, points)| points).sum();
        let allowed = match cost.resource {
            Resource::Core => limits.rest_points_per_minute,
            Resource::GraphQl => limits.graphql_points_per_minute,
        };
        if spent + if cost.write { 5 } else { 1 } > allowed {
            let first = points.front().map(|(at, _)| at);
            return Err(Limited::Secondary(wait(first, MINUTE, now)));
        }
        Ok(())
    }
}

/// Whole seconds until the oldest counted request leaves the window.
fn wait(first: Option<&Timestamp>, window: SignedDuration, now: Timestamp) -> u64 {
    let left = first.map_or(window, |first| (*first + window).duration_since(now));
    u64::try_from(left.as_secs()).unwrap_or(0) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Cost {
        Cost {
            resource: Resource::Core,
            points: 1,
            write: true,
            content: true,
        }
    }

    #[test]
    fn the_eighty_first_comment_in_a_minute_waits_for_the_first_to_age() {
        let mut budgets = Budgets::default();
        let limits = Limits::default();
        let start: Timestamp = "2026-11-20T10:00:00Z".parse().expect("a time");
        for n in 0..80 {
            let at = start + SignedDuration::from_millis(n * 100);
            assert_eq!(budgets.spend(1, content(), &limits, at), Ok(()));
        }
        let now = start + SignedDuration::from_secs(20);
        assert_eq!(
            budgets.spend(1, content(), &limits, now),
            Err(Limited::Secondary(41))
        );
        // Another installation has its own.
        assert_eq!(budgets.spend(2, content(), &limits, now), Ok(()));
        assert_eq!(
            budgets.spend(1, content(), &limits, start + SignedDuration::from_secs(61)),
            Ok(())
        );
    }

    #[test]
    fn the_hour_ends_and_the_budget_is_back() {
        let mut budgets = Budgets::default();
        let limits = Limits {
            core: 2,
            secondary: false,
            ..Limits::default()
        };
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().expect("a time");
        assert_eq!(budgets.spend(1, content(), &limits, now), Ok(()));
        assert_eq!(budgets.spend(1, content(), &limits, now), Ok(()));
        assert_eq!(
            budgets.spend(1, content(), &limits, now),
            Err(Limited::Primary)
        );
        assert_eq!(budgets.spend(1, content(), &limits, now + HOUR), Ok(()));
    }
}
