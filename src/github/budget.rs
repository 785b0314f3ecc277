//! What GitHub lets us ask, kept from every answer it gives.
//!
//! GitHub counts an installation's REST requests and its GraphQL points apart (the *primary*
//! limits), and has *secondary* limits over both. Either kind of refusal is remembered here, so
//! that nobody asks before GitHub wants to be asked again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};

use super::pace::Window;

/// The two things GitHub counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Resource {
    /// REST.
    Core,
    GraphQl,
}

impl Resource {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::GraphQl => "graphql",
        }
    }
}

/// What is left of a primary limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub limit: u64,
    pub remaining: u64,
    pub resets_at: Timestamp,
}

/// The budget at a moment, for `/metrics` and `doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetView {
    /// REST requests; `None` before the first answer.
    pub core: Option<Allowance>,
    /// GraphQL points; `None` before the first answer.
    pub graphql: Option<Allowance>,
    /// Everything waits until then, because GitHub refused.
    pub paused_until: Option<Timestamp>,
    /// When the writer lets the next piece of content through.
    pub next_write_at: Timestamp,
    /// Content made in the last minute.
    pub content_last_minute: u32,
    /// Content made in the last hour.
    pub content_last_hour: u32,
}

/// The budget of one installation, or of the App itself.
#[derive(Debug)]
pub(super) struct Budget {
    /// For metrics: the installation's id, or `app`.
    name: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    core: Meter,
    graphql: Meter,
    paused_until: Option<Timestamp>,
    /// Refusals in a row that did not say how long to wait.
    unexplained: u32,
}

#[derive(Debug)]
struct Meter {
    allowance: Option<Allowance>,
    /// Secondary limit on points a minute.
    points: Window,
}

/// "A minute and then exponentially": no longer than this.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(60);

/// `retry-after` is honoured up to a day; more is a mistake on some way.
const LONGEST_RETRY_AFTER: i64 = 24 * 3600;

/// Primary limits are by the hour, so a reset cannot be further away, whatever the clocks say.
const LONGEST_RESET: SignedDuration = SignedDuration::from_mins(61);

impl Budget {
    pub(super) fn new(name: String) -> Self {
        let minute = SignedDuration::from_secs(60);
        let meter = |points| Meter {
            allowance: None,
            points: Window::new(points, minute),
        };
        Self {
            name,
            state: Mutex::new(State {
                // Points a minute, from GitHub's page on rate limits of each API.
                core: meter(900),
                graphql: meter(2000),
                paused_until: None,
                unexplained: 0,
            }),
        }
    }

    /// When a request of so many points may be made.
    pub(super) fn ready_at(&self, resource: Resource, points: u32, now: Timestamp) -> Timestamp {
        let state = self.state();
        let meter = state.meter(resource);
        let mut ready = now.max(meter.points.ready_at(now, points));
        if let Some(until) = state.paused_until {
            ready = ready.max(until);
        }
        if let Some(allowance) = meter.allowance
            && allowance.remaining == 0
        {
            ready = ready.max(allowance.resets_at);
        }
        ready
    }

    /// Notes that a request is being made.
    pub(super) fn take(&self, resource: Resource, points: u32, now: Timestamp) {
        self.state().meter_mut(resource).points.take(now, points);
    }

    /// Learns from the headers of any answer. `Some`: they say that we were refused for the rate.
    pub(super) fn observe(
        &self,
        asked: Resource,
        status: StatusCode,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let resource = match text(headers, "x-ratelimit-resource") {
            Some("core") => Some(Resource::Core),
            Some("graphql") => Some(Resource::GraphQl),
            Some(_) => None, // search and others, which we do not use
            None => Some(asked),
        };
        let allowance = allowance(headers, now);
        if let (Some(resource), Some(new)) = (resource, allowance) {
            self.learn(resource, new, now);
        }
        let limited = status == StatusCode::TOO_MANY_REQUESTS
            || (status == StatusCode::FORBIDDEN
                && (headers.contains_key("retry-after")
                    || allowance.is_some_and(|a| a.remaining == 0)));
        limited.then(|| self.refused(asked, headers, now))
    }

    /// GitHub refused for the rate: `retry-after`, else the reset where nothing remains, else a
    /// minute and then exponentially. Gives the moment to ask again.
    pub(super) fn refused(
        &self,
        resource: Resource,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Timestamp {
        let mut state = self.state();
        let until = if let Some(seconds) = number(headers, "retry-after") {
            let seconds = seconds.clamp(1, LONGEST_RETRY_AFTER);
            let until = add(now, SignedDuration::from_secs(seconds));
            state.pause(until);
            until
        } else if let Some(spent) = allowance(headers, now).filter(|a| a.remaining == 0) {
            // A primary limit: the other API is counted apart and may go on.
            let meter = state.meter_mut(resource);
            meter.allowance = Some(spent);
            spent.resets_at
        } else {
            let doublings = state.unexplained.min(10);
            state.unexplained += 1;
            let pause = SignedDuration::from_mins(1)
                .checked_mul(1 << doublings)
                .map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE));
            let until = add(now, pause);
            state.pause(until);
            until
        };
        tracing::warn!(budget = self.name, resource = resource.name(), %until, "GitHub limits us");
        metrics::counter!("northstar_github_limited_total", "resource" => resource.name())
            .increment(1);
        until
    }

    /// An answer came that was not a refusal: the next unexplained one starts at a minute again.
    pub(super) fn accepted(&self) {
        self.state().unexplained = 0;
    }

    pub(super) fn allowances(
        &self,
        now: Timestamp,
    ) -> (Option<Allowance>, Option<Allowance>, Option<Timestamp>) {
        let state = self.state();
        (
            state.core.allowance,
            state.graphql.allowance,
            state.paused_until.filter(|until| *until > now),
        )
    }

    fn learn(&self, resource: Resource, new: Allowance, now: Timestamp) {
        let mut state = self.state();
        let meter = state.meter_mut(resource);
        // Answers overtake one another: of one window the lowest count holds, and a window that
        // is over never comes back.
        let kept = match meter.allowance {
            Some(old) if old.resets_at > now && new.resets_at < old.resets_at => old,
            Some(old) if new.resets_at == old.resets_at && new.remaining > old.remaining => old,
            _ => new,
        };
        meter.allowance = Some(kept);
        drop(state);
        #[allow(clippy::cast_precision_loss)] // GitHub's limits are some thousands
        metrics::gauge!(
            "northstar_github_budget_remaining",
            "installation" => self.name.clone(),
            "resource" => resource.name(),
        )
        .set(kept.remaining as f64);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Plain numbers, whole after every statement: a panic cannot have torn them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn meter(&self, resource: Resource) -> &Meter {
        match resource {
            Resource::Core => &self.core,
            Resource::GraphQl => &self.graphql,
        }
    }

    fn meter_mut(&mut self, resource: Resource) -> &mut Meter {
        match resource {
            Resource::Core => &mut self.core,
            Resource::GraphQl => &mut self.graphql,
        }
    }

    fn pause(&mut self, until: Timestamp) {
        self.paused_until = Some(self.paused_until.map_or(until, |old| old.max(until)));
    }
}

fn allowance(headers: &HeaderMap, now: Timestamp) -> Option<Allowance> {
    let reset = Timestamp::from_second(number(headers, "x-ratelimit-reset")?).ok()?;
    // GitHub tells whole seconds: ask a second after, and never wait for longer than a window.
    let resets_at = add(reset, SignedDuration::from_secs(1)).min(add(now, LONGEST_RESET));
    Some(Allowance {
        limit: u64::try_from(number(headers, "x-ratelimit-limit")?).ok()?,
        remaining: u64::try_from(number(headers, "x-ratelimit-remaining")?).ok()?,
        resets_at,
    })
}

fn add(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    text(headers, name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn headers(remaining: u64, reset_in: i64) -> HeaderMap {
        let reset = now().as_second() + reset_in;
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ratelimit-limit", "5000".to_owned()),
            ("x-ratelimit-remaining", remaining.to_string()),
            ("x-ratelimit-reset", reset.to_string()),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    }

    fn remaining(budget: &Budget) -> u64 {
        budget.allowances(now()).0.unwrap().remaining
    }

    #[test]
    fn answers_that_overtake_one_another_do_not_refill_the_budget() {
        let budget = Budget::new("test".to_owned());
        let learn = |headers: HeaderMap| {
            budget.observe(Resource::Core, StatusCode::OK, &headers, now());
        };
        learn(headers(10, 600));
        learn(headers(12, 600));
        assert_eq!(remaining(&budget), 10, "an older answer of this window");
        learn(headers(4000, 60));
        assert_eq!(remaining(&budget), 10, "an answer of an older window");
        learn(headers(4999, 3600));
        assert_eq!(remaining(&budget), 4999, "a new window");
    }

    #[test]
    fn a_clock_that_is_wrong_holds_us_for_an_hour_at_most() {
        let budget = Budget::new("test".to_owned());
        let far = headers(0, 90 * 24 * 3600);
        budget.observe(Resource::Core, StatusCode::OK, &far, now());
        let ready = budget.ready_at(Resource::Core, 1, now());
        assert_eq!(ready, now() + LONGEST_RESET);
    }

    #[test]
    fn counts_of_what_we_do_not_use_are_not_ours() {
        let budget = Budget::new("test".to_owned());
        let mut search = headers(0, 60);
        search.insert("x-ratelimit-resource", "search".parse().unwrap());
        budget.observe(Resource::Core, StatusCode::OK, &search, now());
        assert_eq!(budget.ready_at(Resource::Core, 1, now()), now());
    }

    #[test]
    fn pauses_grow_to_an_hour_and_not_beyond() {
        let budget = Budget::new("test".to_owned());
        let none = HeaderMap::new();
        let pauses: Vec<i64> = (0..9)
            .map(|_| {
                let until = budget.refused(Resource::GraphQl, &none, now());
                until.duration_since(now()).as_mins()
            })
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn the_points_of_a_minute_are_kept() {
        let budget = Budget::new("test".to_owned());
        budget.take(Resource::Core, 900, now());
        let minute = SignedDuration::from_secs(60);
        assert_eq!(budget.ready_at(Resource::Core, 1, now()), now() + minute);
        assert_eq!(budget.ready_at(Resource::GraphQl, 1, now()), now());
    }
}
