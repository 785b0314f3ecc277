//! `SQLite`, embedded: one writer with group commit, readers beside it.
//!
//! *In:* the calls of [`Store`]. *Out:* rows. *May call:* what `store` may.
//!
//! | file | holds |
//! |---|---|
//! | `writer` | the task that owns the write connection; batches, savepoints, answers after commit |
//! | `inbox` | deliveries: stored, read, forwarded, ended, given up, revived, forgotten |
//! | `lanes` | leases, fences, timers, the writer's queue |
//! | `items` | items, aliases, mirror, ledger, comments |
//! | `history` | what happened to items, and the digests made of it |
//! | `audit` | the effect journal and the audit trail |
//! | `checkpoint` | the write-ahead log into the file, off the hot path |
//!
//! Durability: `synchronous=FULL` in WAL mode, so that a commit is on the disk when it returns.
//! Group commit makes that cheap: one fsync for everything that was queued.

mod audit;
mod boards;
mod checkpoint;
mod history;
mod inbox;
mod items;
mod lanes;
mod plans;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, SqlitePool};
use tokio::sync::Mutex;
use tokio_util::task::AbortOnDropHandle;

use crate::ids::{InstallationId, ItemId, RepoName};

use super::{
    Accepted, Alias, AuditEntry, AuditQuery, Backfill, BoardRecord, Counts, DeadLetter, Delivery,
    DigestRecord, Effect, EffectId, Finish, Found, HeldPlan, ItemRecord, LaneKey, Lease, NewAudit,
    NewDelivery, NewEffect, OpenIssue, Past, Reach, Reached, Store, StoreError,
};
use writer::{Progress, Writer};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a connection waits for another process (a command line beside the service).
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that read. Reads are short; more would only take memory.
const READERS: u32 = 4;

/// A log longer than this is cut when it starts over, in bytes.
const KEEP_LOG: &str = "67108864";

/// The store in a `SQLite` database file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: SqlitePool,
    options: SqliteConnectOptions,
    checkpointer: Mutex<Option<AbortOnDropHandle<()>>>,
    /// A directory to be removed when the store is closed.
    temporary: Option<PathBuf>,
}

impl SqliteStore {
    /// Opens the database, makes it if it is missing, and brings it to this version's shape.
    ///
    /// `place` is a path or a `sqlite:` URL. Databases in memory are refused: readers and writer
    /// are different connections, and what is acknowledged has to outlive the process.
    pub async fn open(place: &str) -> Result<Self, StoreError> {
        const DOING: &str = "opening the store";
        if place.contains(":memory:") || place.contains("mode=memory") {
            return Err(StoreError::Database {
                doing: DOING,
                source: "a database in memory would forget what was acknowledged; name a file"
                    .into(),
            });
        }
        let options = if place.starts_with("sqlite:") {
            SqliteConnectOptions::from_str(place).map_err(database(DOING))?
        } else {
            SqliteConnectOptions::new().filename(place)
        };
        create_private(options.get_filename()).map_err(|source| StoreError::Database {
            doing: DOING,
            source: source.into(),
        })?;
        let options = options
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .synchronous(SqliteSynchronous::Full)
            .optimize_on_close(false, None)
            .disable_statement_logging(); // payload-free, but costs more than some statements

        let writing = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("wal_autocheckpoint", "0")
            .pragma("journal_size_limit", KEEP_LOG)
            .pragma("cache_size", "-16384"); // kB; grows only as it is used
        let mut conn = SqliteConnection::connect_with(&writing)
            .await
            .map_err(database(DOING))?;
        MIGRATIONS
            .run(&mut conn)
            .await
            .map_err(|source| StoreError::Database {
                doing: "bringing the store to this version's shape",
                source: source.into(),
            })?;
        let checkpointing = options.clone().pragma("wal_autocheckpoint", "0");
        let checkpoint_conn = SqliteConnection::connect_with(&checkpointing)
            .await
            .map_err(database(DOING))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .connect_with(options.clone().pragma("query_only", "1"))
            .await
            .map_err(database(DOING))?;

        let progress = Arc::new(Progress::default());
        let writer = Writer::start(conn, Arc::clone(&progress));
        let checkpoints = checkpoint::run(checkpoint_conn, progress);
        let checkpointer = AbortOnDropHandle::new(tokio::spawn(checkpoints));
        Ok(Self {
            writer,
            readers,
            options: checkpointing,
            checkpointer: Mutex::new(Some(checkpointer)),
            temporary: None,
        })
    }

    /// A store in a directory of its own under the system's temporary one, removed by
    /// [`Store::close`]. For the demo and the tests.
    pub async fn open_temporary() -> Result<Self, StoreError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let directory = loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("northstar-{}-{number}", std::process::id());
            let directory = std::env::temp_dir().join(name);
            match std::fs::create_dir(&directory) {
                Ok(()) => break directory,
                // Left behind by a process that ended badly, or made by somebody else: not ours.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(source) => {
                    return Err(StoreError::Database {
                        doing: "making a temporary directory",
                        source: source.into(),
                    });
                }
            }
        };
        let mut store = Self::open(&directory.join("northstar.db").to_string_lossy()).await?;
        store.temporary = Some(directory);
        Ok(store)
    }
}

/// Makes the file readable by its owner only: it holds what private repositories say.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Instants are stored in whole microseconds.
fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

fn instant(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|e| unreadable("an instant", e))
}

fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| StoreError::Database {
        doing,
        source: Box::new(source),
    }
}

fn unreadable(
    what: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unreadable {
        what,
        source: source.into(),
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn accept(&self, delivery: NewDelivery) -> Result<Accepted, StoreError> {
        self.writer.accept(delivery).await
    }

    async fn forward(&self, lease: &Lease, to: &LaneKey) -> Result<(), StoreError> {
        let (lease, to) = (lease.clone(), to.clone());
        self.writer
            .write(move |conn| Box::pin(async move { inbox::forward(conn, &lease, &to).await }))
            .await
    }

    async fn seen(
        &self,
        installation: InstallationId,
        guids: &[String],
    ) -> Result<BTreeSet<String>, StoreError> {
        inbox::seen(&self.readers, installation, guids).await
    }

    async fn dead_letters(
        &self,
        installation: Option<InstallationId>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        inbox::dead_letters(&self.readers, installation, limit).await
    }

    async fn revive(&self, guid: &str, now: Timestamp) -> Result<bool, StoreError> {
        let guid = guid.to_owned();
        self.writer
            .write(move |conn| Box::pin(async move { inbox::revive(conn, &guid, now).await }))
            .await
    }

    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let some = self
                .writer
                .write(move |conn| Box::pin(inbox::prune(conn, before)))
                .await?;
            gone += some;
            if some < inbox::PRUNE_CHUNK {
                return Ok(gone);
            }
        }
    }

    async fn claim(
        &self,
        holder: &str,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Option<Lease>, StoreError> {
        let holder = holder.to_owned();
        self.writer
            .write(move |conn| {
                Box::pin(async move { lanes::claim(conn, &holder, now, lease).await })
            })
            .await
    }

    async fn claim_write(
        &self,
        installation: InstallationId,
        holder: &str,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Option<Lease>, StoreError> {
        let holder = holder.to_owned();
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    lanes::claim_write(conn, installation, &holder, now, lease).await
                })
            })
            .await
    }

    async fn writers_wanted(&self) -> Result<Vec<InstallationId>, StoreError> {
        lanes::writers_wanted(&self.readers).await
    }

    async fn abandon(&self, holder: &str) -> Result<u64, StoreError> {
        let holder = holder.to_owned();
        self.writer
            .write(move |conn| Box::pin(async move { lanes::abandon(conn, &holder).await }))
            .await
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.writer
            .write(move |conn| Box::pin(async move { lanes::renew(conn, &lease, until).await }))
            .await
    }

    async fn pending(&self, lease: &Lease, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        inbox::pending(&self.readers, lease, limit).await
    }

    async fn finish(&self, lease: &Lease, done: Finish) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.writer
            .write(move |conn| Box::pin(async move { lanes::finish(conn, &lease, done).await }))
            .await
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        lanes::next_due(&self.readers, now).await
    }

    async fn wake(
        &self,
        installation: InstallationId,
        lane: &LaneKey,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let lane = lane.to_string();
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    lanes::wake(conn, installation.0.cast_signed(), &lane, micros(at)).await
                })
            })
            .await
    }

    async fn item_by_alias(
        &self,
        installation: InstallationId,
        alias: &Alias,
    ) -> Result<Option<ItemId>, StoreError> {
        items::by_alias(&self.readers, installation, alias).await
    }

    async fn item_by_name(
        &self,
        repository: &RepoName,
        number: u64,
    ) -> Result<Option<(InstallationId, ItemId)>, StoreError> {
        items::by_name(&self.readers, repository, number).await
    }

    async fn ensure_item(
        &self,
        installation: InstallationId,
        aliases: &[Alias],
    ) -> Result<ItemId, StoreError> {
        let aliases = aliases.to_vec();
        self.writer
            .write(move |conn| {
                Box::pin(async move { items::ensure(conn, installation, &aliases).await })
            })
            .await
    }

    async fn item(
        &self,
        installation: InstallationId,
        item: ItemId,
    ) -> Result<Option<ItemRecord>, StoreError> {
        items::read(&self.readers, installation, item).await
    }

    async fn reach(&self, lease: &Lease, reach: Reach) -> Result<Reached, StoreError> {
        let lease = lease.clone();
        self.writer
            .write(move |conn| Box::pin(async move { plans::reach(conn, &lease, reach).await }))
            .await
    }

    async fn let_go(
        &self,
        installation: InstallationId,
        plan: &str,
        at: Timestamp,
        kept_since: Timestamp,
    ) -> Result<bool, StoreError> {
        let plan = plan.to_owned();
        self.writer
            .write(move |conn| {
                Box::pin(
                    async move { plans::let_go(conn, installation, &plan, (at, kept_since)).await },
                )
            })
            .await
    }

    async fn plans(
        &self,
        installation: InstallationId,
        kept_since: Timestamp,
    ) -> Result<Vec<HeldPlan>, StoreError> {
        plans::all(&self.readers, installation, kept_since).await
    }

    async fn decided_by(
        &self,
        installation: InstallationId,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let fingerprint = fingerprint.to_owned();
        self.writer
            .write(move |conn| {
                Box::pin(async move { plans::policy(conn, installation, &fingerprint, now).await })
            })
            .await
    }

    async fn backfill(&self, installation: InstallationId) -> Result<Backfill, StoreError> {
        history::backfill(&self.readers, installation).await
    }

    async fn recorded_since(
        &self,
        installation: InstallationId,
    ) -> Result<Option<Timestamp>, StoreError> {
        history::since(&self.readers, installation).await
    }

    async fn past(&self, installation: InstallationId) -> Result<Past, StoreError> {
        history::past(&self.readers, installation).await
    }

    async fn digests(
        &self,
        installation: InstallationId,
        digest: &str,
        limit: usize,
    ) -> Result<Vec<DigestRecord>, StoreError> {
        history::digests(&self.readers, installation, digest, limit).await
    }

    async fn newest_digests(&self) -> Result<Vec<DigestRecord>, StoreError> {
        history::newest_digests(&self.readers).await
    }

    async fn installations(&self) -> Result<Vec<InstallationId>, StoreError> {
        history::installations(&self.readers).await
    }

    async fn items(&self, installation: InstallationId) -> Result<Vec<ItemId>, StoreError> {
        items::all(&self.readers, installation).await
    }

    async fn open_issues(
        &self,
        installation: InstallationId,
        limit: usize,
    ) -> Result<Vec<OpenIssue>, StoreError> {
        items::open(&self.readers, installation, limit).await
    }

    async fn board(
        &self,
        installation: InstallationId,
        project: &str,
    ) -> Result<BoardRecord, StoreError> {
        boards::read(&self.readers, installation, project).await
    }

    async fn learn(&self, lease: &Lease, found: Vec<Found>) -> Result<Vec<ItemId>, StoreError> {
        let lease = lease.clone();
        self.writer
            .write(move |conn| Box::pin(async move { boards::learn(conn, &lease, found).await }))
            .await
    }

    async fn journal(
        &self,
        lease: &Lease,
        effects: &[NewEffect],
    ) -> Result<Vec<EffectId>, StoreError> {
        let (lease, effects) = (lease.clone(), effects.to_vec());
        self.writer
            .write(move |conn| {
                Box::pin(async move { audit::journal(conn, &lease, &effects).await })
            })
            .await
    }

    async fn unsettled(
        &self,
        installation: InstallationId,
        item: ItemId,
    ) -> Result<Vec<Effect>, StoreError> {
        audit::unsettled(&self.readers, installation, item).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        audit::read(&self.readers, query).await
    }

    async fn append_audit(&self, entries: Vec<NewAudit>) -> Result<(), StoreError> {
        self.writer
            .write(move |conn| Box::pin(async move { audit::append(conn, &entries).await }))
            .await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM deliveries WHERE state = 0) AS pending, \
                    (SELECT count(*) FROM deliveries WHERE state = 2) AS dead, \
                    (SELECT count(*) FROM lanes WHERE write_priority IS NOT NULL) AS writers, \
                    (SELECT count(*) FROM lanes WHERE holder IS NOT NULL) AS leased, \
                    (SELECT count(*) FROM effects WHERE state = 0) AS unsettled, \
                    (SELECT min(next_at) FROM lanes WHERE next_at IS NOT NULL) AS next_due",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(database("counting"))?;
        let count = |column: &str| row.get::<i64, _>(column).cast_unsigned();
        Ok(Counts {
            pending: count("pending"),
            dead: count("dead"),
            wants_write: count("writers"),
            leased: count("leased"),
            unsettled: count("unsettled"),
            next_due: row
                .get::<Option<i64>, _>("next_due")
                .map(instant)
                .transpose()?,
        })
    }

    async fn writable(&self) -> Result<(), StoreError> {
        self.writer
            .write(|conn| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO heartbeat (id, beats) VALUES (1, 1) \
                         ON CONFLICT (id) DO UPDATE SET beats = beats + 1",
                    )
                    .execute(conn)
                    .await
                    .map_err(database("proving that the store can write"))?;
                    Ok(())
                })
            })
            .await
    }

    async fn close(&self) {
        let Some(checkpointer) = self.checkpointer.lock().await.take() else {
            return;
        };
        self.writer.close().await;
        checkpointer.abort();
        // Its end matters only in that its connection is gone; an abort is what was asked for.
        let _ = checkpointer.await;
        self.readers.close().await;
        let last = match SqliteConnection::connect_with(&self.options).await {
            Ok(conn) => checkpoint::last(conn).await,
            Err(error) => Err(error),
        };
        if let Err(error) = last {
            tracing::warn!(%error, "the store's last checkpoint; the next start does it");
        }
        if let Some(directory) = &self.temporary
            && let Err(error) = std::fs::remove_dir_all(directory)
        {
            tracing::warn!(%error, "removing a temporary store");
        }
    }
}
