//! The dispatcher: who looks at which lane when, and what happens when a look fails.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::SharedClock;
use crate::ids::InstallationId;
use crate::store::{Finish, Lease, Store, StoreError};

use super::{Organization, Organizations, WorkError};

/// After this many failures that are not GitHub's or the store's, with no success between, the
/// delivery at the lane's head is given up, kept and shown. One that ends the whole process is
/// noticed by the lease that ran out.
const TRIES: u32 = 6;
/// The longest pause between two tries.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// Nothing waits longer than this without asking the store again.
const IDLE_POLL: SignedDuration = SignedDuration::from_secs(30);
/// How long a write under way may take when the service stops (real time). GitHub itself stops
/// working on a request after ten seconds.
const STOP_GRACE: Duration = Duration::from_secs(12);

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Name of this worker in leases. The same after a restart, and no two at once have the same:
    /// a worker that starts takes over what was leased under its name.
    pub holder: String,
    /// Items looked at side by side.
    pub lookers: usize,
    /// How long a lane is leased at a time.
    pub lease: SignedDuration,
    /// How long after an uncertain send GitHub is asked what became of it. GitHub itself stops
    /// working on a request after ten seconds.
    pub settle_after: SignedDuration,
    /// First pause after a failure; doubles from there.
    pub first_pause: SignedDuration,
    /// How often GitHub's log of deliveries is read for what never came.
    pub sweep_every: SignedDuration,
    /// How often a board with gates or caps is looked over for what no webhook told.
    pub read_boards_every: SignedDuration,
    /// More items than this that rules would change of their own accord within ten minutes wait
    /// for `/apply`.
    pub blast_radius: usize,
    /// Is what happened before the first start read from GitHub, once?
    pub read_history: bool,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            holder: "northstar".to_owned(),
            lookers: 4,
            lease: SignedDuration::from_mins(2),
            settle_after: SignedDuration::from_secs(15),
            first_pause: SignedDuration::from_secs(1),
            sweep_every: SignedDuration::from_mins(5),
            read_boards_every: SignedDuration::from_mins(10),
            blast_radius: 25,
            read_history: true,
        }
    }
}

/// The loop around one store. Cheap to share.
pub struct Worker {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: SharedClock,
    pub(super) organizations: Arc<Organizations>,
    pub(super) config: WorkerConfig,
    /// What was learned before that may have been overtaken while nobody worked.
    pub(super) started_at: Timestamp,
    /// Rung by the receiver after each delivery, and by ourselves.
    wake: Arc<Notify>,
    /// Rung when an item was queued for the writer. Every writer listens, and none may miss it.
    write_bell: watch::Sender<u64>,
}

impl Worker {
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: SharedClock,
        organizations: Arc<Organizations>,
        wake: Arc<Notify>,
        config: WorkerConfig,
    ) -> Self {
        Self {
            started_at: clock.now(),
            store,
            clock,
            organizations,
            config,
            wake,
            write_bell: watch::Sender::new(0),
        }
    }

    /// Works until `stop`, then finishes what is leased and returns.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        match self.store.abandon(&self.config.holder).await {
            Ok(0) => {}
            Ok(lanes) => tracing::info!(lanes, "taking up what was under way when it last stopped"),
            Err(error) => tracing::error!(%error, "old leases could not be given up; they run out"),
        }
        tokio::join!(
            self.clone().look_on(stop.clone()),
            self.clone().write_on(stop.clone()),
            self.wake_all_on(stop.clone()),
            self.sweep_on(stop),
        );
    }

    /// Has everything looked at once, when the service starts, that nobody's delivery wakes.
    async fn wake_all_on(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let woken = tokio::select! {
                woken = self.wake_all() => woken,
                () = stop.cancelled() => return,
            };
            match woken {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, "boards and digests are not looked at yet"),
            }
            self.pause(self.config.sweep_every, &stop).await;
        }
    }

    async fn wake_all(&self) -> Result<(), WorkError> {
        for installation in self.organizations.served().await? {
            let Some(organization) = self.organizations.get(installation).await? else {
                continue;
            };
            self.wake_for(&organization).await?;
            if self.config.read_history {
                self.wake_history(installation).await?;
            }
        }
        self.ring();
        Ok(())
    }

    /// Has looked at what an organisation's policy names.
    pub(super) async fn wake_for(&self, organization: &Organization) -> Result<(), WorkError> {
        self.wake_boards(organization).await?;
        self.wake_digests(organization).await?;
        self.wake_for_policy(organization).await
    }

    /// An item was queued for the writer.
    pub(super) fn ring_writers(&self) {
        self.write_bell
            .send_modify(|rung| *rung = rung.wrapping_add(1));
    }

    /// A lane was woken.
    pub(super) fn ring(&self) {
        self.wake.notify_one();
    }

    async fn look_on(self: Arc<Self>, stop: CancellationToken) {
        let hands = Arc::new(Semaphore::new(self.config.lookers));
        let tasks = TaskTracker::new();
        while let Some(hand) = hand(&hands, &stop).await {
            match self.claim().await {
                Ok(Some(lease)) => {
                    let (worker, stop) = (self.clone(), stop.clone());
                    tasks.spawn(async move {
                        worker.guarded(&lease, Job::Look, &stop).await;
                        drop(hand);
                        // The lane may be due again, and others may wait for the hand.
                        worker.wake.notify_one();
                    });
                }
                Ok(None) => {
                    drop(hand);
                    self.idle(&stop).await;
                }
                Err(error) => {
                    drop(hand);
                    tracing::error!(%error, "the store cannot be asked for work");
                    self.pause(self.config.first_pause, &stop).await;
                }
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    async fn claim(&self) -> Result<Option<Lease>, StoreError> {
        self.store
            .claim(&self.config.holder, self.clock.now(), self.config.lease)
            .await
    }

    /// Keeps one writer going per installation that has something to write.
    async fn write_on(self: Arc<Self>, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        let busy: Arc<std::sync::Mutex<std::collections::BTreeSet<InstallationId>>> =
            Arc::default();
        let mut bell = self.write_bell.subscribe();
        while !stop.is_cancelled() {
            bell.mark_unchanged();
            let wanted = match self.store.writers_wanted().await {
                Ok(wanted) => wanted,
                Err(error) => {
                    tracing::error!(%error, "the store cannot be asked who waits for the writer");
                    self.pause(self.config.first_pause, &stop).await;
                    continue;
                }
            };
            for installation in wanted {
                let fresh = busy.lock().is_ok_and(|mut b| b.insert(installation));
                if !fresh {
                    continue;
                }
                let (worker, busy, stop) = (self.clone(), busy.clone(), stop.clone());
                tasks.spawn(async move {
                    worker.write_for(installation, &stop).await;
                    if let Ok(mut busy) = busy.lock() {
                        busy.remove(&installation);
                    }
                    // What was queued between the last claim and here is seen now.
                    worker.ring_writers();
                });
            }
            self.listen(&mut bell, &stop).await;
        }
        tasks.close();
        tasks.wait().await;
    }

    /// One installation's writer: item after item, until nothing waits that is not paused.
    async fn write_for(&self, installation: InstallationId, stop: &CancellationToken) {
        let mut bell = self.write_bell.subscribe();
        while !stop.is_cancelled() {
            bell.mark_unchanged();
            let now = self.clock.now();
            let claimed = self
                .store
                .claim_write(installation, &self.config.holder, now, self.config.lease)
                .await;
            match claimed {
                Ok(Some(lease)) => {
                    let blocked = self.guarded(&lease, Job::Write, stop).await;
                    self.wake.notify_one();
                    if let Some(until) = blocked {
                        tokio::select! {
                            () = self.clock.sleep_until(until) => {}
                            () = stop.cancelled() => {}
                        }
                    }
                }
                Ok(None) => {
                    if self.nothing_else_to_write(installation).await {
                        return;
                    }
                    // Leased or paused: the look that comes after that rings.
                    self.listen(&mut bell, stop).await;
                }
                Err(error) => {
                    tracing::error!(%error, %installation, "the writer's queue cannot be read");
                    self.pause(self.config.first_pause, stop).await;
                }
            }
        }
    }

    async fn nothing_else_to_write(&self, installation: InstallationId) -> bool {
        self.store
            .writers_wanted()
            .await
            .is_ok_and(|wanted| !wanted.contains(&installation))
    }

    /// Does a job, and gives the lane back with a pause if it fails or panics. Returns until when
    /// GitHub wants to be left alone, where it said so.
    async fn guarded(
        &self,
        lease: &Lease,
        job: Job,
        stop: &CancellationToken,
    ) -> Option<Timestamp> {
        if lease.strikes >= TRIES {
            // Nobody came back from the last tries: this one does not look at what is there.
            let gone = async {
                Err(WorkError::Vanished {
                    times: lease.strikes,
                })
            };
            return self.supervise(lease, job, gone.boxed(), stop).await;
        }
        // Boxed, so that the compiler proves each to be `Send` where it stands.
        let work: BoxFuture<'_, Result<Option<Timestamp>, WorkError>> = match job {
            Job::Look => self.look(lease).map_ok(|()| None).boxed(),
            Job::Write => self.write(lease, stop).boxed(),
        };
        self.supervise(lease, job, work, stop).await
    }

    async fn supervise(
        &self,
        lease: &Lease,
        job: Job,
        work: BoxFuture<'_, Result<Option<Timestamp>, WorkError>>,
        stop: &CancellationToken,
    ) -> Option<Timestamp> {
        let ended = tokio::select! {
            biased;
            ended = AssertUnwindSafe(work).catch_unwind() => ended,
            () = no_longer(job, stop) => {
                self.hand_back(lease).await;
                return None;
            }
        };
        let error = match ended {
            Ok(Ok(blocked)) => return blocked,
            Ok(Err(WorkError::Store(StoreError::LostLane { lane }))) => {
                tracing::debug!(lane, "the lane was lost; whoever has it looks again");
                return None;
            }
            Ok(Err(error)) => Failure::Error(error),
            Err(panic) => Failure::Panic(panic_text(&*panic)),
        };
        let blocked = match &error {
            Failure::Error(WorkError::GitHub(error)) => error.retry_at(),
            _ => None,
        };
        let retry_at = match &error {
            Failure::Error(error) => self.retry_at(lease, Some(error)),
            Failure::Panic(_) => self.retry_at(lease, None),
        };
        let mut finish = Finish {
            retry_at: Some(retry_at),
            ..Finish::default()
        };
        match &error {
            Failure::Error(WorkError::GitHub(error)) => {
                tracing::warn!(lane = %lease.lane, %error, %retry_at, "GitHub; will try again");
            }
            _ => {
                tracing::error!(lane = %lease.lane, error = %error, %retry_at, "failed; will try again");
            }
        }
        metrics::counter!("northstar_failures_total").increment(1);
        finish.strike = error.is_ours();
        if finish.strike && lease.strikes + 1 >= TRIES {
            match self.store.pending(lease, 1).await {
                Ok(head) => finish
                    .dead
                    .extend(head.first().map(|d| (d.seq, error.to_string()))),
                Err(error) => tracing::error!(%error, "the lane's head cannot be read"),
            }
        }
        if let Err(error) = self.store.finish(lease, finish).await {
            // The lease ends by itself, and the lane is looked at then.
            tracing::error!(lane = %lease.lane, %error, "the lane could not be handed back");
        }
        blocked
    }

    /// The service stops: the lane is given back as it was, due at once.
    async fn hand_back(&self, lease: &Lease) {
        let finish = Finish {
            wake_at: Some(self.clock.now()),
            ..Finish::default()
        };
        if let Err(error) = self.store.finish(lease, finish).await {
            tracing::debug!(lane = %lease.lane, %error, "not handed back; the next start takes it");
        }
    }

    /// Growing pauses; what GitHub asks for counts more.
    pub(super) fn retry_at(&self, lease: &Lease, error: Option<&WorkError>) -> Timestamp {
        let now = self.clock.now();
        let pause = self
            .config
            .first_pause
            .saturating_mul(1 << lease.failures.min(16))
            .min(LONGEST_PAUSE);
        let at = now.saturating_add(pause).unwrap_or(now);
        let Some(WorkError::GitHub(error)) = error else {
            return at;
        };
        match error.retry_at() {
            Some(until) => until.max(now),
            None if error.may_have_happened() => {
                let settled = now.saturating_add(self.config.settle_after).unwrap_or(now);
                at.max(settled)
            }
            None => at,
        }
    }

    /// Waits for the receiver's ring, for the next lane to become due, or for the end.
    async fn idle(&self, stop: &CancellationToken) {
        let now = self.clock.now();
        let latest = now.saturating_add(IDLE_POLL).unwrap_or(now);
        let due = match self.store.next_due(now).await {
            Ok(Some(due)) => due.min(latest),
            Ok(None) | Err(_) => latest,
        };
        let due = async {
            if due > now {
                self.clock.sleep_until(due).await;
            } else {
                // Came due since the claim, or somebody else was faster: not a reason to spin.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = self.wake.notified() => {}
            () = due => {}
            () = stop.cancelled() => {}
        }
    }

    /// Waits until something was queued for a writer, or for the end.
    async fn listen(&self, bell: &mut watch::Receiver<u64>, stop: &CancellationToken) {
        let now = self.clock.now();
        let latest = now.saturating_add(IDLE_POLL).unwrap_or(now);
        tokio::select! {
            // The sender lives in `self`, so this cannot fail while we wait.
            _ = bell.changed() => {}
            () = self.clock.sleep_until(latest) => {}
            () = stop.cancelled() => {}
        }
    }

    pub(super) async fn pause(&self, pause: SignedDuration, stop: &CancellationToken) {
        let now = self.clock.now();
        let until = now.saturating_add(pause).unwrap_or(now);
        tokio::select! {
            () = self.clock.sleep_until(until) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn hand(hands: &Arc<Semaphore>, stop: &CancellationToken) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        hand = hands.clone().acquire_owned() => hand.ok(),
    }
}

/// Completes when the service stops and the job should be dropped. A look has changed nothing on
/// GitHub and is dropped at once; a write goes on to its next step, if that does not take for ever.
async fn no_longer(job: Job, stop: &CancellationToken) {
    stop.cancelled().await;
    match job {
        Job::Look => {}
        Job::Write => tokio::time::sleep(STOP_GRACE).await,
    }
}

#[derive(Clone, Copy)]
enum Job {
    Look,
    Write,
}

enum Failure {
    Error(WorkError),
    Panic(String),
}

impl Failure {
    /// Not the store's and not GitHub's: trying for ever would not help.
    fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::Panic(_) | Self::Error(WorkError::Payload { .. } | WorkError::Vanished { .. })
        )
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Panic(text) => write!(f, "a panic: {text}"),
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "of unknown kind".to_owned())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::clock::{Clock, ManualClock};
    use crate::github::{GitHub, GitHubConfig, Pacing};
    use crate::sim::{Sim, SimConfig};
    use crate::store::behaviour::{HERE, at, delivery, issue};
    use crate::store::sqlite::SqliteStore;

    /// A worker that has a store and no GitHub.
    async fn worker(directory: &tempfile::TempDir, clock: &ManualClock) -> Worker {
        let path = directory.path().join("store.db");
        let store = SqliteStore::open(&path.to_string_lossy()).await.unwrap();
        let clock: SharedClock = Arc::new(clock.clone());
        let sim = Sim::new(SimConfig::default()).unwrap();
        let config = GitHubConfig {
            api_url: "http://127.0.0.1:1".to_owned(),
            app_id: 1,
            private_key_pem: SecretString::from(sim.private_key_pem()),
            pacing: Pacing::default(),
            timeout: Duration::from_secs(1),
        };
        let github = GitHub::new(config, clock.clone()).unwrap();
        let organizations = Organizations::new(clock.clone(), github, Vec::new());
        Worker::new(
            Arc::new(store),
            clock,
            Arc::new(organizations),
            Arc::default(),
            WorkerConfig::default(),
        )
    }

    #[tokio::test]
    async fn a_panic_gives_the_lane_back_and_in_the_end_the_delivery_up() {
        let directory = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(at(0));
        let worker = worker(&directory, &clock).await;
        let store = worker.store.clone();
        store.accept(delivery("poison", issue(1), 0)).await.unwrap();
        let mut pauses = Vec::new();
        for _ in 0..TRIES {
            let lease = worker.claim().await.unwrap().expect("the lane is due");
            let work = async { panic!("a thing that cannot be") }.boxed();
            let stop = CancellationToken::new();
            worker.supervise(&lease, Job::Look, work, &stop).await;
            let due = store.next_due(clock.now()).await.unwrap();
            let Some(due) = due else { break };
            assert!(worker.claim().await.unwrap().is_none(), "there is a pause");
            pauses.push(due.duration_since(clock.now()).as_secs());
            clock.advance(due.duration_since(clock.now()));
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32]);
        let dead = store.dead_letters(Some(HERE), 10).await.unwrap();
        assert_eq!(dead.len(), 1);
        assert_eq!(dead[0].guid, "poison");
        assert!(dead[0].error.contains("a thing that cannot be"));
        assert_eq!(store.counts().await.unwrap().pending, 0);
    }

    #[tokio::test]
    async fn a_delivery_that_ends_whoever_works_on_it_is_given_up_and_an_outage_is_not_its_fault() {
        let directory = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(at(0));
        let worker = worker(&directory, &clock).await;
        let store = worker.store.clone();
        store.accept(delivery("deadly", issue(1), 0)).await.unwrap();
        let stop = CancellationToken::new();
        // GitHub is away for long: no strike.
        for _ in 0..2 * TRIES {
            let lease = worker.claim().await.unwrap().expect("the lane is due");
            let away = WorkError::GitHub(crate::github::GitHubError::NotSent {
                why: "no connection".to_owned(),
            });
            let work = async { Err(away) }.boxed();
            worker.supervise(&lease, Job::Look, work, &stop).await;
            clock.advance(LONGEST_PAUSE);
        }
        // Then whoever takes the lane is never heard of again.
        for strikes in 0..TRIES {
            let lease = worker.claim().await.unwrap().expect("the lane is due");
            assert_eq!(lease.strikes, strikes);
            clock.advance(worker.config.lease);
        }
        let dead = || async { store.dead_letters(Some(HERE), 10).await.unwrap() };
        assert!(dead().await.is_empty());
        let lease = worker.claim().await.unwrap().expect("the lane is due");
        worker.guarded(&lease, Job::Look, &stop).await;
        let dead = dead().await;
        assert_eq!(dead.len(), 1);
        assert!(dead[0].error.contains("ended without a word"), "{dead:?}");
    }

    #[tokio::test]
    async fn who_is_stopped_hands_the_lane_back_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(at(0));
        let worker = worker(&directory, &clock).await;
        let store = worker.store.clone();
        store.accept(delivery("one", issue(1), 0)).await.unwrap();
        let lease = worker.claim().await.unwrap().expect("the lane is due");
        let stop = CancellationToken::new();
        stop.cancel();
        let never = std::future::pending().boxed();
        worker.supervise(&lease, Job::Look, never, &stop).await;
        let again = worker.claim().await.unwrap().expect("it is due at once");
        assert_eq!((again.lane, again.failures), (issue(1), 0));
        assert_eq!(store.counts().await.unwrap().pending, 1);
    }

    #[tokio::test]
    async fn pauses_double_up_to_ten_minutes_and_githubs_word_counts_more() {
        let directory = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(at(0));
        let worker = worker(&directory, &clock).await;
        worker
            .store
            .accept(delivery("one", issue(1), 0))
            .await
            .unwrap();
        let mut lease = worker.claim().await.unwrap().expect("the lane is due");
        let pause = |failures: u32, error: Option<&WorkError>| {
            lease.failures = failures;
            worker
                .retry_at(&lease, error)
                .duration_since(at(0))
                .as_secs()
        };
        let mut pause = pause;
        let grown: Vec<_> = (0..12).map(|n| pause(n, None)).collect();
        assert_eq!(grown, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        assert_eq!(pause(u32::MAX, None), 600);
        let limited =
            WorkError::GitHub(crate::github::GitHubError::RateLimited { until: at(3600) });
        assert_eq!(pause(0, Some(&limited)), 3600);
        let uncertain = || {
            WorkError::GitHub(crate::github::GitHubError::Uncertain {
                why: "status 502".to_owned(),
            })
        };
        // GitHub may still be working on it.
        assert_eq!(pause(0, Some(&uncertain())), 15);
        assert_eq!(pause(5, Some(&uncertain())), 32);
    }
}
