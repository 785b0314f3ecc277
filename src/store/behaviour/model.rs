//! The queue against a model of it: random steps, the same answers.
//!
//! The model is a list of lanes in memory with the trait's promises written down plainly. After
//! the steps everything is worked off: nothing was lost, nothing was done twice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use proptest::prelude::*;

use crate::store::{Accepted, Finish, Lease, Store, StoreError};

use super::{HERE, at, delivery, issue};

const LANES: u64 = 3;
const LEASE_SECONDS: i64 = 10;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A delivery with one of few GUIDs, so that some come twice.
    Accept {
        guid: u8,
        lane: u64,
    },
    Claim,
    /// The lease (any ever given, ended ones too) ends well, with so many of its deliveries done.
    Finish {
        lease: usize,
        done: usize,
    },
    /// … or fails, with a pause.
    Fail {
        lease: usize,
        pause: i64,
    },
    /// … or gives its first delivery up.
    GiveUp {
        lease: usize,
    },
    Revive {
        guid: u8,
    },
    Forward {
        lease: usize,
        lane: u64,
    },
    Wake {
        lane: u64,
        after: i64,
    },
    Wait {
        seconds: i64,
    },
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lane = 0..LANES;
    let lease = 0..4_usize;
    let step = prop_oneof![
        4 => (any::<u8>(), lane.clone()).prop_map(|(guid, lane)| Step::Accept {
            guid: guid % 40,
            lane
        }),
        4 => Just(Step::Claim),
        3 => (lease.clone(), 0..4_usize).prop_map(|(lease, done)| Step::Finish { lease, done }),
        1 => (lease.clone(), 1..15_i64).prop_map(|(lease, pause)| Step::Fail { lease, pause }),
        1 => lease.clone().prop_map(|lease| Step::GiveUp { lease }),
        1 => (0..40_u8).prop_map(|guid| Step::Revive { guid }),
        1 => (lease, lane.clone()).prop_map(|(lease, lane)| Step::Forward { lease, lane }),
        1 => (lane, 0..20_i64).prop_map(|(lane, after)| Step::Wake { lane, after }),
        2 => (1..12_i64).prop_map(|seconds| Step::Wait { seconds }),
    ];
    proptest::collection::vec(step, 1..60)
}

#[derive(Clone, Debug, Default)]
struct Lane {
    /// Order of arrival and GUID.
    waiting: BTreeSet<(usize, u8)>,
    dead: BTreeSet<(usize, u8)>,
    wake_at: Option<i64>,
    paused_until: i64,
    failures: u32,
    strikes: u32,
    fence: i64,
    /// End of the lease, while there is one.
    leased: Option<i64>,
    /// Arrival times, for when the lane is due.
    arrived: BTreeMap<usize, i64>,
}

impl Lane {
    fn due(&self) -> Option<i64> {
        if let Some(until) = self.leased {
            return Some(until);
        }
        let head = self.waiting.first().map(|(order, _)| self.arrived[order]);
        let due = [head, self.wake_at].into_iter().flatten().min()?;
        Some(due.max(self.paused_until))
    }
}

#[derive(Default)]
struct Model {
    lanes: Vec<Lane>,
    known: BTreeSet<u8>,
    done: Vec<u8>,
    now: i64,
    arrivals: usize,
}

/// Runs steps on a fresh store and on the model side by side.
pub(crate) async fn check(store: &dyn Store, steps: Vec<Step>) {
    let mut model = Model {
        lanes: vec![Lane::default(); usize::try_from(LANES).unwrap()],
        ..Model::default()
    };
    let mut leases: Vec<Lease> = Vec::new();
    for step in steps {
        match step {
            Step::Accept { guid, lane } => model.accept(store, guid, lane).await,
            Step::Claim => leases.extend(model.claim(store).await),
            Step::Finish { lease, done } => {
                if let Some(lease) = recent(&leases, lease) {
                    model.finish(store, lease, done, None, false).await;
                }
            }
            Step::Fail { lease, pause } => {
                if let Some(lease) = recent(&leases, lease) {
                    model.finish(store, lease, 0, Some(pause), false).await;
                }
            }
            Step::GiveUp { lease } => {
                if let Some(lease) = recent(&leases, lease) {
                    model.finish(store, lease, 0, None, true).await;
                }
            }
            Step::Revive { guid } => model.revive(store, guid).await,
            Step::Forward { lease, lane } => {
                if let Some(lease) = recent(&leases, lease) {
                    model.forward(store, lease, lane).await;
                }
            }
            Step::Wake { lane, after } => {
                let when = model.now + after;
                store.wake(HERE, &issue(lane), at(when)).await.unwrap();
                let lane = &mut model.lanes[usize::try_from(lane).unwrap()];
                lane.wake_at = Some(lane.wake_at.map_or(when, |w| w.min(when)));
            }
            Step::Wait { seconds } => model.now += seconds,
        }
    }
    model.work_off(store).await;
}

/// One of the last few leases given; the older ones among them have mostly ended.
fn recent(leases: &[Lease], back: usize) -> Option<&Lease> {
    leases.iter().rev().nth(back)
}

fn guid(number: u8) -> String {
    format!("guid-{number}")
}

impl Model {
    async fn accept(&mut self, store: &dyn Store, number: u8, lane: u64) {
        let new = delivery(&guid(number), issue(lane), self.now);
        let answer = store.accept(new).await.unwrap();
        if self.known.insert(number) {
            assert_eq!(answer, Accepted::Stored);
            let lane = &mut self.lanes[usize::try_from(lane).unwrap()];
            lane.waiting.insert((self.arrivals, number));
            lane.arrived.insert(self.arrivals, self.now);
            self.arrivals += 1;
        } else {
            assert_eq!(answer, Accepted::Duplicate);
        }
    }

    async fn claim(&mut self, store: &dyn Store) -> Option<Lease> {
        let due = self.lanes.iter().filter_map(Lane::due).min();
        let told = store.next_due(at(self.now)).await.unwrap();
        assert_eq!(
            told.is_some(),
            due.is_some(),
            "somebody waits or nobody does"
        );
        let length = SignedDuration::from_secs(LEASE_SECONDS);
        let lease = store.claim("model", at(self.now), length).await.unwrap();
        let Some(lease) = lease else {
            assert!(
                due.is_none_or(|due| due > self.now),
                "a due lane was not given"
            );
            return None;
        };
        let lane = self.lane(&lease);
        assert!(
            lane.due().is_some_and(|due| due <= self.now),
            "{} is not due",
            lease.lane
        );
        let now = self.now;
        let lane = self.lane_mut(&lease);
        if lane.leased.is_some() {
            lane.failures += 1;
            lane.strikes += 1;
        }
        assert!(lease.fence > lane.fence, "the fence was not raised");
        assert_eq!(lease.failures, lane.failures);
        assert_eq!(lease.strikes, lane.strikes);
        lane.fence = lease.fence;
        lane.leased = Some(now + LEASE_SECONDS);
        lane.wake_at = lane.wake_at.filter(|wake| *wake > now);
        self.same_waiting(store, &lease).await;
        Some(lease)
    }

    /// What the store says is waiting is what the model says, in the same order.
    async fn same_waiting(&self, store: &dyn Store, lease: &Lease) -> Vec<i64> {
        let pending = store.pending(lease, 1_000).await.unwrap();
        let theirs: Vec<_> = pending.iter().map(|d| d.guid.clone()).collect();
        let ours: Vec<_> = self
            .lane(lease)
            .waiting
            .iter()
            .map(|(_, g)| guid(*g))
            .collect();
        assert_eq!(theirs, ours, "lane {}", lease.lane);
        pending.into_iter().map(|d| d.seq).collect()
    }

    fn holds(&self, lease: &Lease) -> bool {
        let lane = self.lane(lease);
        lane.leased.is_some() && lane.fence == lease.fence
    }

    async fn finish(
        &mut self,
        store: &dyn Store,
        lease: &Lease,
        done: usize,
        pause: Option<i64>,
        give_up: bool,
    ) {
        let seqs = self.same_waiting(store, lease).await;
        let done = done.min(seqs.len());
        let retry_at = pause.map(|pause| self.now + pause);
        let finish = Finish {
            done: seqs[..done].to_vec(),
            dead: seqs
                .first()
                .filter(|_| give_up)
                .map(|seq| (*seq, "given up".to_owned()))
                .into_iter()
                .collect(),
            retry_at: retry_at.map(at),
            // Every other pause is an outage.
            strike: pause.is_some_and(|pause| pause % 2 == 1),
            ..Finish::default()
        };
        let ended = store.finish(lease, finish).await;
        if !self.holds(lease) {
            assert!(
                matches!(ended, Err(StoreError::LostLane { .. })),
                "{ended:?}"
            );
            self.same_waiting(store, lease).await;
            return;
        }
        ended.unwrap();
        let strike = pause.is_some_and(|pause| pause % 2 == 1);
        let lane = self.lane_mut(lease);
        let handled: Vec<_> = lane.waiting.iter().copied().take(done).collect();
        for one in &handled {
            lane.waiting.remove(one);
        }
        let buried = give_up && !seqs.is_empty();
        if give_up && let Some(first) = lane.waiting.pop_first() {
            lane.dead.insert(first);
        }
        lane.leased = None;
        lane.failures = if retry_at.is_some() {
            lane.failures + 1
        } else {
            0
        };
        lane.strikes = match retry_at {
            None => 0,
            Some(_) if buried => 0,
            Some(_) => lane.strikes + u32::from(strike),
        };
        lane.paused_until = retry_at.unwrap_or(0);
        lane.wake_at = [lane.wake_at, retry_at].into_iter().flatten().min();
        self.done.extend(handled.into_iter().map(|(_, guid)| guid));
    }

    async fn revive(&mut self, store: &dyn Store, number: u8) {
        let now = self.now;
        let revived = store.revive(&guid(number), at(now)).await.unwrap();
        let lane = self
            .lanes
            .iter_mut()
            .find(|lane| lane.dead.iter().any(|(_, g)| *g == number));
        assert_eq!(revived, lane.is_some());
        if let Some(lane) = lane {
            let one = lane
                .dead
                .iter()
                .copied()
                .find(|(_, g)| *g == number)
                .unwrap();
            lane.dead.remove(&one);
            lane.waiting.insert(one);
            lane.failures = 0;
            lane.strikes = 0;
            lane.paused_until = 0;
        }
    }

    async fn forward(&mut self, store: &dyn Store, lease: &Lease, to: u64) {
        let ended = store.forward(lease, &issue(to)).await;
        if !self.holds(lease) {
            assert!(
                matches!(ended, Err(StoreError::LostLane { .. })),
                "{ended:?}"
            );
            return;
        }
        ended.unwrap();
        let from = self.lane_mut(lease);
        from.leased = None;
        from.failures = 0;
        from.strikes = 0;
        from.paused_until = 0;
        let moved = std::mem::take(&mut from.waiting);
        let arrived = from.arrived.clone();
        let to = &mut self.lanes[usize::try_from(to).unwrap()];
        to.waiting.extend(moved);
        to.arrived.extend(arrived);
    }

    /// Everything that waits is worked off, the dead too, and then it all adds up.
    async fn work_off(&mut self, store: &dyn Store) {
        for number in self.known.clone() {
            self.revive(store, number).await;
        }
        self.now += 1_000;
        while let Some(lease) = self.claim(store).await {
            self.finish(store, &lease, usize::MAX, None, false).await;
        }
        let mut done = self.done.clone();
        done.sort_unstable();
        let known: Vec<_> = self.known.iter().copied().collect();
        assert_eq!(done, known, "each exactly once");
        let counts = store.counts().await.unwrap();
        assert_eq!((counts.pending, counts.dead), (0, 0));
    }

    fn lane(&self, lease: &Lease) -> &Lane {
        &self.lanes[index(lease)]
    }

    fn lane_mut(&mut self, lease: &Lease) -> &mut Lane {
        &mut self.lanes[index(lease)]
    }
}

fn index(lease: &Lease) -> usize {
    (0..LANES)
        .position(|lane| issue(lane) == lease.lane)
        .expect("one of the model's lanes")
}
