//! A world whose clock is moved by hand, for stories about waiting.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use northstar::clock::ManualClock;
use northstar::worker::WorkerConfig;

use crate::world::{Setup, World};

pub const REQUEST: &str = "### Ticket request type\n\nFeature Request\n\n### Ticket impact\n\nMedium\n\n\
                       ### Description\n\nOur researchers write papers and want reproducible datasets.";

/// Real time that nothing must have happened for before the clock moves on.
const STILL: Duration = Duration::from_millis(3);
const STILL_TIMES: u32 = 3;

/// The service's own pauses, on a clock that only the story moves.
pub fn by_hand() -> (ManualClock, Setup) {
    // Tokens end by the machine's clock, which must not be far off at the beginning.
    let clock = ManualClock::new(Timestamp::now());
    let setup = Setup {
        clock: Arc::new(clock.clone()),
        worker: WorkerConfig {
            // However slow the machine, the clock that runs fast takes no lane away.
            lease: SignedDuration::from_hours(100),
            read_history: false,
            ..WorkerConfig::default()
        },
        ..Setup::default()
    };
    (clock, setup)
}

impl World {
    /// What of the world can be seen to move.
    async fn pulse(&self) -> (usize, usize, northstar::store::Counts) {
        let counts = self.service().store.counts().await.expect("counts");
        let (asked, sent) = self.sim.activity();
        (asked, sent, counts)
    }

    /// Moves the clock on, at most by `step`, once nothing happens without that.
    pub async fn tick(&self, clock: &ManualClock, step: SignedDuration) {
        let mut before = self.pulse().await;
        let mut still = 0;
        while still < STILL_TIMES {
            tokio::time::sleep(STILL).await;
            let now = self.pulse().await;
            still = if now == before { still + 1 } else { 0 };
            before = now;
        }
        clock.advance(step);
    }

    /// Lets so much time go by.
    pub async fn go_by(&self, clock: &ManualClock, time: SignedDuration, step: SignedDuration) {
        let ticks = time.as_millis() / step.as_millis();
        for _ in 0..ticks {
            self.tick(clock, step).await;
        }
    }

    /// Waits until nothing is on its way, moving the clock on where that is what all wait for.
    pub async fn weathered(&self, clock: &ManualClock) {
        let mut step = SignedDuration::from_millis(250);
        let longest = SignedDuration::from_secs(5);
        let mut before = self.pulse().await;
        let mut ticks = 0;
        while !self.is_quiet().await {
            self.tick(clock, step).await;
            let now = self.pulse().await;
            step = if now == before {
                (step * 2).min(longest)
            } else {
                SignedDuration::from_millis(250)
            };
            before = now;
            ticks += 1;
            assert!(
                ticks < 4_000,
                "never settled: {now:?}\n{:#?}",
                self.sim.requests().last()
            );
        }
    }

    /// Waits for something that comes by itself.
    pub async fn eventually(&self, what: &str, holds: impl Fn() -> bool) {
        let held = async {
            while !holds() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let held = tokio::time::timeout(Duration::from_secs(60), held).await;
        assert!(held.is_ok(), "waited in vain: {what}");
    }

    pub fn is_triaged(&self, n: u64) -> bool {
        let labels = self.labels(n);
        labels == ["goal/research", "kind/feature", "triage/needs-triage"]
            && self.card(n).is_some_and(|card| {
                card.fields.get("type").map(String::as_str) == Some("Feature")
                    && card.fields.get("impact").map(String::as_str) == Some("Medium")
            })
            && !self.answers(n).is_empty()
    }

    /// [`REQUEST`] is where it should be, and was answered once.
    pub fn assert_triaged(&self, n: u64, story: &str) {
        assert!(
            self.is_triaged(n),
            "{story}: {:#?}\n{:#?}",
            self.issue(n),
            self.card(n)
        );
        let answers = self.answers(n);
        assert_eq!(answers.len(), 1, "{story}: {answers:?}");
    }
}
