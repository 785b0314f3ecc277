//! Everything that is remembered: inbox, lanes, items, mirror, ledger, journal, timers, audit.
//!
//! *In:* deliveries from `receive`, and what the worker learned and did.
//! *Out:* leases on lanes, and the rows behind a snapshot.
//! *May call:* `triage` (the types it keeps), `ids`. Nothing else.
//!
//! One trait, [`Store`], with one module per database. Every row carries its installation.
//! A lane is the unit of order: the deliveries of one item are handled one after the other, by
//! whoever holds the lane's lease; each lease raises the lane's fence, and a holder whose fence is
//! no longer the lane's has lost it: nothing it writes is taken.

#[cfg(test)]
pub(crate) mod behaviour;
pub mod model;
pub mod packed;
pub mod sqlite;

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::ids::{InstallationId, ItemId, RepoName};

pub use model::*;

/// What went wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The lease ended or somebody else holds the lane. Nothing was written; look again.
    #[error("the lease on lane {lane} was lost")]
    LostLane { lane: String },
    /// The database said no.
    #[error("{doing}: {source}")]
    Database {
        doing: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A row that this version cannot read.
    #[error("{what} in the store cannot be read: {source}")]
    Unreadable {
        what: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

/// The store. All writes are durable when the call returns.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    // --- inbox -------------------------------------------------------------------------------

    /// Puts a delivery in the inbox and its lane to work. Calls that run side by side share one
    /// commit. A GUID seen before (of the same installation) is accepted and not stored again.
    async fn accept(&self, delivery: NewDelivery) -> Result<Accepted, StoreError>;

    /// Moves a lease's undone deliveries to another lane, keeping their order (a node id was
    /// resolved to an item). Also ends the lease.
    async fn forward(&self, lease: &Lease, to: &LaneKey) -> Result<(), StoreError>;

    /// Which of these GUIDs the inbox has, whatever became of them.
    async fn seen(
        &self,
        installation: InstallationId,
        guids: &[String],
    ) -> Result<BTreeSet<String>, StoreError>;

    /// Deliveries that were given up, newest first.
    async fn dead_letters(
        &self,
        installation: Option<InstallationId>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError>;

    /// Puts a dead letter back at its lane's head. `false`: there is none with that GUID.
    async fn revive(&self, guid: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Forgets deliveries that are done and were received before this; how many. Their GUIDs
    /// may then be accepted again, so keep them for longer than GitHub redelivers (three days).
    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError>;

    // --- lanes -------------------------------------------------------------------------------

    /// Leases the lane that has been due longest for a look: deliveries waiting, or `wake_at`
    /// reached, and no live lease. A lane after a failure is not due before its pause is over.
    ///
    /// A lease that ran out is a failure and a strike of the lane and a try of its head delivery, so
    /// that one that kills whoever works on it is given up in the end. A timer that has rung is spent when
    /// the lease begins, and set again by a failure.
    async fn claim(
        &self,
        holder: &str,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Option<Lease>, StoreError>;

    /// Leases the lane at the head of an installation's queue for the writer (highest
    /// [`WritePriority`] first, then oldest), skipping lanes that are leased or paused.
    async fn claim_write(
        &self,
        installation: InstallationId,
        holder: &str,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Option<Lease>, StoreError>;

    /// Installations with a lane that waits for the writer.
    async fn writers_wanted(&self) -> Result<Vec<InstallationId>, StoreError>;

    /// Gives up the leases under this name: a worker that starts knows that they are those of its
    /// own predecessor, which did not end well. How many there were.
    async fn abandon(&self, holder: &str) -> Result<u64, StoreError>;

    /// Lengthens a lease that is still held.
    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError>;

    /// The lane's deliveries that are not done, oldest first.
    async fn pending(&self, lease: &Lease, limit: usize) -> Result<Vec<Delivery>, StoreError>;

    /// Ends a lease with everything that was learned and done, in one transaction guarded by the
    /// fence. [`StoreError::LostLane`]: nothing was written.
    ///
    /// An item that is taken in by another ([`ItemChanges::is_one`]) leaves it its names, rows,
    /// places, comments, answers, unsettled effects and what people did; whoever holds its lane
    /// loses that. Its own lines of the audit trail and of history stay under its old id.
    async fn finish(&self, lease: &Lease, done: Finish) -> Result<(), StoreError>;

    /// The next instant at which some lane becomes due (retry, timer, expired lease), if any;
    /// `now` if one is due already.
    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// Makes a lane due for a look at `at` if it is not due earlier; the lane is made if needed.
    async fn wake(
        &self,
        installation: InstallationId,
        lane: &LaneKey,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    // --- items and mirror --------------------------------------------------------------------

    /// The item behind an alias.
    async fn item_by_alias(
        &self,
        installation: InstallationId,
        alias: &Alias,
    ) -> Result<Option<ItemId>, StoreError>;

    /// The item of an issue as people name it, by the mirror's copy (a slow search, for people).
    async fn item_by_name(
        &self,
        repository: &RepoName,
        number: u64,
    ) -> Result<Option<(InstallationId, ItemId)>, StoreError>;

    /// The item behind an alias, made if it is new; all aliases are added to it. Aliases that
    /// already belong to another item stay there.
    async fn ensure_item(
        &self,
        installation: InstallationId,
        aliases: &[Alias],
    ) -> Result<ItemId, StoreError>;

    /// Everything the store knows of an item.
    async fn item(
        &self,
        installation: InstallationId,
        item: ItemId,
    ) -> Result<Option<ItemRecord>, StoreError>;

    /// Every item of an installation that has an issue in the mirror (for sweeps and `plan`).
    async fn items(&self, installation: InstallationId) -> Result<Vec<ItemId>, StoreError>;

    /// The open issues of the mirror, those that were learnt of last first, at most `limit`.
    async fn open_issues(
        &self,
        installation: InstallationId,
        limit: usize,
    ) -> Result<Vec<OpenIssue>, StoreError>;

    // --- boards ------------------------------------------------------------------------------

    /// A board by its node id, with every row that is known.
    async fn board(
        &self,
        installation: InstallationId,
        project: &str,
    ) -> Result<BoardRecord, StoreError>;

    /// May what rules want of their own accord be written? If it would reach too far, it is put
    /// into a plan that waits. Guarded by the fence.
    async fn reach(&self, lease: &Lease, reach: Reach) -> Result<Reached, StoreError>;

    /// Lets a plan that waits, made since `kept_since`, be written: its items are looked at again.
    /// Whether there was one.
    async fn let_go(
        &self,
        installation: InstallationId,
        plan: &str,
        at: Timestamp,
        kept_since: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Plans made since then, the newest first.
    async fn plans(
        &self,
        installation: InstallationId,
        kept_since: Timestamp,
    ) -> Result<Vec<HeldPlan>, StoreError>;

    /// Notes by which policy items are decided from now on. If it was another before, every open
    /// issue that was decided on is looked at again. How many.
    async fn decided_by(
        &self,
        installation: InstallationId,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError>;

    /// How far history was read that happened before anybody listened.
    async fn backfill(&self, installation: InstallationId) -> Result<Backfill, StoreError>;

    /// Takes in what was read of items that nobody knew yet; an item whose issue is in the mirror
    /// stays as it is, but for history from before it was known. Which ones were new. Guarded by
    /// the fence.
    async fn learn(&self, lease: &Lease, found: Vec<Found>) -> Result<Vec<ItemId>, StoreError>;

    /// Since when history is recorded; `None`: nothing is.
    async fn recorded_since(
        &self,
        installation: InstallationId,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// What happened to all items, and how they stand (for figures and digests). Of the texts of
    /// issues only those of forms are read; the others are empty.
    async fn past(&self, installation: InstallationId) -> Result<Past, StoreError>;

    /// The digests of an installation that were made, the newest first.
    async fn digests(
        &self,
        installation: InstallationId,
        digest: &str,
        limit: usize,
    ) -> Result<Vec<DigestRecord>, StoreError>;

    /// The newest of every digest of every installation.
    async fn newest_digests(&self) -> Result<Vec<DigestRecord>, StoreError>;

    /// The installations that items are known of.
    async fn installations(&self) -> Result<Vec<InstallationId>, StoreError>;

    // --- journal -----------------------------------------------------------------------------

    /// Records effects that are about to be sent, durably, before they are. Guarded by the fence.
    async fn journal(
        &self,
        lease: &Lease,
        effects: &[NewEffect],
    ) -> Result<Vec<EffectId>, StoreError>;

    /// Effects of an item that were sent and whose end is not known ([`Finish::settled`] ends them).
    async fn unsettled(
        &self,
        installation: InstallationId,
        item: ItemId,
    ) -> Result<Vec<Effect>, StoreError>;

    // --- audit and operation -----------------------------------------------------------------

    /// The audit trail, newest first.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;

    /// Appends to the audit trail outside a lease (start, policy loaded, refusal at the door).
    async fn append_audit(&self, entries: Vec<NewAudit>) -> Result<(), StoreError>;

    /// Counts for `/metrics` and `/readyz`.
    async fn counts(&self) -> Result<Counts, StoreError>;

    /// Proves that the store can write: a row is written and committed.
    async fn writable(&self) -> Result<(), StoreError>;

    /// Finishes what is queued, checkpoints, closes.
    async fn close(&self);
}
