//! The one writer of an installation: one write at a time, spaced, and within GitHub's limits on
//! content.
//!
//! The windows are ours and not `governor`'s, because `governor` keeps its own kind of clock and
//! spreads cells evenly (GCRA), where GitHub counts what happened in the last minute and hour.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::SharedClock;

use super::budget::{Budget, Resource};
use super::error::GitHubError;

/// How fast an installation may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pacing {
    /// From the answer to one write to the next write. GitHub asks for at least a second.
    pub min_gap: Duration,
    /// Creations of content in any 60 seconds. GitHub's secondary limit is 80.
    pub content_per_minute: u32,
    /// Creations of content in any hour. GitHub's secondary limit is 500.
    pub content_per_hour: u32,
    /// Every write counts as content, label and field edits too.
    pub strict: bool,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            min_gap: Duration::from_secs(1),
            content_per_minute: 80,
            content_per_hour: 500,
            strict: false,
        }
    }
}

/// Longest that a caller is made to wait before it is told to come back later, so that whoever
/// holds a lane for a request can hand it back.
pub(super) const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// GitHub's windows are not ours to the millisecond: requests travel.
const MARGIN: SignedDuration = SignedDuration::from_secs(1);

/// At most so much in any stretch of so long.
#[derive(Debug)]
pub(super) struct Window {
    limit: u32,
    per: SignedDuration,
    taken: VecDeque<(Timestamp, u32)>,
}

impl Window {
    pub(super) fn new(limit: u32, per: SignedDuration) -> Self {
        Self {
            limit,
            per,
            taken: VecDeque::new(),
        }
    }

    /// What counts at `now`.
    pub(super) fn used(&self, now: Timestamp) -> u32 {
        self.counting(now).map(|(_, weight)| weight).sum()
    }

    /// The first moment at which `weight` more fits. A weight above the limit fits an empty window.
    pub(super) fn ready_at(&self, now: Timestamp, weight: u32) -> Timestamp {
        let room = self.limit.saturating_sub(weight.min(self.limit));
        let mut used = self.used(now);
        let mut ready = now;
        for (at, weight) in self.counting(now) {
            if used <= room {
                break;
            }
            used = used.saturating_sub(weight);
            ready = at.saturating_add(self.per).unwrap_or(Timestamp::MAX);
        }
        ready
    }

    pub(super) fn take(&mut self, now: Timestamp, weight: u32) {
        while let Some(&(at, _)) = self.taken.front() {
            if now.duration_since(at) < self.per {
                break;
            }
            self.taken.pop_front();
        }
        if weight > 0 {
            self.taken.push_back((now, weight));
        }
    }

    fn counting(&self, now: Timestamp) -> impl Iterator<Item = (Timestamp, u32)> {
        self.taken
            .iter()
            .copied()
            .filter(move |(at, _)| now.duration_since(*at) < self.per)
    }
}

/// Gives writes their turn, in the order they asked.
pub(super) struct Writer {
    pacing: Pacing,
    clock: SharedClock,
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    last: Option<Timestamp>,
    minute: Window,
    hour: Window,
}

/// A turn to write. Whoever holds it is the only one; the gap counts from when it is given back.
pub(super) struct Turn<'a> {
    writer: &'a Writer,
    _guard: tokio::sync::MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.writer.state().last = Some(self.writer.clock.now());
    }
}

impl Writer {
    pub(super) fn new(pacing: Pacing, clock: SharedClock) -> Self {
        let state = State {
            last: None,
            minute: Window::new(
                pacing.content_per_minute,
                SignedDuration::from_secs(60) + MARGIN,
            ),
            hour: Window::new(
                pacing.content_per_hour,
                SignedDuration::from_secs(3600) + MARGIN,
            ),
        };
        Self {
            pacing,
            clock,
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
        }
    }

    /// Waits for the turn, the gap, the content windows and the budget; no longer than
    /// [`PATIENCE`] for any of them. `content` is how much content the write makes.
    pub(super) async fn turn(
        &self,
        budget: &Budget,
        resource: Resource,
        writes: u32,
        content: u32,
    ) -> Result<Turn<'_>, GitHubError> {
        let content = if self.pacing.strict {
            content.max(writes)
        } else {
            content
        };
        let patience = later(self.clock.now(), PATIENCE);
        let guard = tokio::select! {
            biased;
            guard = self.turn.lock() => guard,
            () = self.clock.sleep_until(patience) => {
                let until = self.ready_at(self.clock.now(), content);
                return Err(GitHubError::RateLimited { until });
            }
        };
        loop {
            let now = self.clock.now();
            let points = writes.saturating_mul(POINTS_OF_A_WRITE);
            let ready = self
                .ready_at(now, content)
                .max(budget.ready_at(resource, points, now));
            if ready <= now {
                budget.take(resource, points, now);
                let mut state = self.state();
                state.last = Some(now);
                state.minute.take(now, content);
                state.hour.take(now, content);
                break;
            }
            if ready.duration_since(now) > PATIENCE {
                return Err(GitHubError::RateLimited { until: ready });
            }
            self.clock.sleep_until(ready).await;
        }
        Ok(Turn {
            writer: self,
            _guard: guard,
        })
    }

    /// When the gap and the windows let the next write through.
    pub(super) fn ready_at(&self, now: Timestamp, content: u32) -> Timestamp {
        let state = self.state();
        let gap = SignedDuration::try_from(self.pacing.min_gap).unwrap_or(SignedDuration::MAX);
        let after_the_last = state.last.map_or(now, |last| later(last, gap));
        let mut ready = now.max(after_the_last);
        if content > 0 {
            ready = ready
                .max(state.minute.ready_at(now, content))
                .max(state.hour.ready_at(now, content));
        }
        ready
    }

    /// Content made in the last minute and hour.
    pub(super) fn content(&self, now: Timestamp) -> (u32, u32) {
        let state = self.state();
        (state.minute.used(now), state.hour.used(now))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is plain numbers, whole after every statement: a panic cannot have torn it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// GitHub's secondary limit counts a write as five points and a read as one.
const POINTS_OF_A_WRITE: u32 = 5;

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use crate::clock::{Clock, ManualClock};

    use super::*;

    fn start() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn seconds(seconds: i64) -> SignedDuration {
        SignedDuration::from_secs(seconds)
    }

    fn writer(pacing: Pacing) -> (Writer, Budget, ManualClock) {
        let clock = ManualClock::new(start());
        let writer = Writer::new(pacing, Arc::new(clock.clone()));
        (writer, Budget::new("test".to_owned()), clock)
    }

    /// One look at a future, without waiting for it.
    fn look<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_turn_waits_for_the_one_before_and_then_for_the_gap() {
        let (writer, budget, clock) = writer(Pacing::default());
        let turn = || writer.turn(&budget, Resource::Core, 1, 0);
        let Poll::Ready(Ok(first)) = look(pin!(turn())) else {
            panic!("nobody has the turn");
        };
        let mut second = pin!(turn());
        clock.advance(seconds(5));
        assert!(look(second.as_mut()).is_pending(), "the first still writes");
        drop(first);
        assert!(
            look(second.as_mut()).is_pending(),
            "the gap counts from its end"
        );
        clock.advance(seconds(1));
        assert!(look(second.as_mut()).is_ready());
    }

    #[test]
    fn who_would_queue_for_too_long_is_sent_away() {
        let (writer, budget, clock) = writer(Pacing::default());
        let turn = || writer.turn(&budget, Resource::Core, 1, 0);
        let Poll::Ready(Ok(_held)) = look(pin!(turn())) else {
            panic!("nobody has the turn");
        };
        let mut second = pin!(turn());
        assert!(look(second.as_mut()).is_pending());
        clock.advance(PATIENCE);
        let Poll::Ready(Err(error)) = look(second.as_mut()) else {
            panic!("half a minute is over");
        };
        assert!(error.retry_at().is_some());
    }

    #[test]
    fn strict_counts_every_write_of_a_document_as_content() {
        for (strict, counted) in [(false, 1), (true, 5)] {
            let (writer, budget, clock) = writer(Pacing {
                strict,
                ..Pacing::default()
            });
            assert!(look(pin!(writer.turn(&budget, Resource::GraphQl, 5, 1))).is_ready());
            assert_eq!(writer.content(clock.now()), (counted, counted));
        }
    }

    #[test]
    fn the_eighty_first_of_a_minute_comes_in_the_next() {
        let pacing = Pacing {
            min_gap: Duration::ZERO,
            ..Pacing::default()
        };
        let (writer, budget, clock) = writer(pacing);
        for _ in 0..80 {
            let turn = look(pin!(writer.turn(&budget, Resource::Core, 0, 1)));
            assert!(matches!(turn, Poll::Ready(Ok(_))));
        }
        let Poll::Ready(Err(error)) = look(pin!(writer.turn(&budget, Resource::Core, 0, 1))) else {
            panic!("the minute is full, and longer than our patience");
        };
        let until = error.retry_at().unwrap();
        assert_eq!(until, start() + seconds(61));
        clock.advance(until.duration_since(clock.now()));
        let turn = look(pin!(writer.turn(&budget, Resource::Core, 0, 1)));
        assert!(matches!(turn, Poll::Ready(Ok(_))));
    }

    #[test]
    fn a_window_slides_and_lets_the_oversized_through_when_empty() {
        let mut window = Window::new(3, seconds(10));
        window.take(start(), 1);
        window.take(start() + seconds(4), 2);
        let now = start() + seconds(5);
        assert_eq!(window.used(now), 3);
        assert_eq!(window.ready_at(now, 0), now);
        assert_eq!(window.ready_at(now, 1), start() + seconds(10));
        assert_eq!(window.ready_at(now, 2), start() + seconds(14));
        assert_eq!(window.ready_at(now, 99), start() + seconds(14));
        assert_eq!(window.used(start() + seconds(10)), 2);
        let later = start() + seconds(60);
        window.take(later, 1);
        assert_eq!(window.taken.len(), 1, "what no longer counts is forgotten");
    }
}
