//! The one writer: a task that owns the write connection and answers after the commit.
//!
//! Whatever is queued when the writer is free becomes one transaction: deliveries that stand next
//! to each other go in together, every other operation in a savepoint of its own, so that one
//! failure takes no other along. Nobody is made to wait for a batch to fill.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

use crate::store::{Accepted, NewDelivery, StoreError};

use super::{checkpoint, inbox};

/// Operations that may wait for the writer; more than that wait to be queued.
const QUEUE: usize = 4096;

/// Operations in one transaction at most, so that the first of them is not answered late.
const BATCH: usize = 1024;

/// What the write-ahead log gains by an operation that is not a delivery, roughly.
const OPERATION_BYTES: u64 = 8 * 1024;

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// Something to be done on the write connection, and whom to tell.
pub(super) enum Operation {
    Accept(NewDelivery, Answer<Accepted>),
    Other(Box<dyn Work>),
    /// Take nothing new, do what is queued, and say so.
    Close(oneshot::Sender<()>),
}

/// An operation whose answer's type is its own business.
pub(super) trait Work: Send {
    fn run(self: Box<Self>, conn: &mut SqliteConnection) -> BoxFuture<'_, Box<dyn Outcome>>;
    fn refuse(self: Box<Self>, why: &Failure);
}

/// What an operation came to; told to whoever asked once the transaction has ended.
pub(super) trait Outcome: Send {
    fn succeeded(&self) -> bool;
    /// `Err`: the transaction around it failed, and it with it.
    fn tell(self: Box<Self>, transaction: Result<(), &Failure>);
}

/// Why a whole transaction failed; told to everybody who was in it.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    doing: &'static str,
    message: Arc<str>,
}

impl Failure {
    fn new(doing: &'static str, error: &dyn std::error::Error) -> Self {
        Self {
            doing,
            message: error.to_string().into(),
        }
    }

    fn error(&self) -> StoreError {
        StoreError::Database {
            doing: self.doing,
            source: self.message.as_ref().into(),
        }
    }
}

struct Job<T, F> {
    work: F,
    answer: Answer<T>,
}

struct Done<T> {
    result: Result<T, StoreError>,
    answer: Answer<T>,
}

impl<T, F> Work for Job<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send,
{
    fn run(self: Box<Self>, conn: &mut SqliteConnection) -> BoxFuture<'_, Box<dyn Outcome>> {
        let Self { work, answer } = *self;
        let result = work(conn);
        Box::pin(async move {
            let result = result.await;
            Box::new(Done { result, answer }) as Box<dyn Outcome>
        })
    }

    fn refuse(self: Box<Self>, why: &Failure) {
        tell(self.answer, Err(why.error()));
    }
}

impl<T: Send> Outcome for Done<T> {
    fn succeeded(&self) -> bool {
        self.result.is_ok()
    }

    fn tell(self: Box<Self>, transaction: Result<(), &Failure>) {
        let result = match (self.result, transaction) {
            (Ok(_), Err(why)) => Err(why.error()),
            (result, _) => result,
        };
        tell(self.answer, result);
    }
}

/// Whoever asked may have gone away; the work stands all the same.
fn tell<T>(answer: Answer<T>, result: Result<T, StoreError>) {
    let _ = answer.send(result);
}

/// The way to the writer.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    operations: mpsc::Sender<Operation>,
}

/// What the writer and the checkpointer share.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Bytes written so far, roughly.
    pub(super) written: AtomicU64,
    /// Held during a transaction, so that the end of a checkpoint finds no one writing.
    pub(super) gate: Mutex<()>,
    /// Rung for every [`checkpoint::STEP`] bytes.
    pub(super) due: Notify,
}

impl Writer {
    /// Starts the task; it ends when the last of its handles is gone, or by [`Writer::close`].
    pub(super) fn start(conn: SqliteConnection, progress: Arc<Progress>) -> Self {
        let (operations, queue) = mpsc::channel(QUEUE);
        tokio::spawn(run(conn, queue, progress));
        Self { operations }
    }

    /// Queues a delivery and waits until it is durable.
    pub(super) async fn accept(&self, delivery: NewDelivery) -> Result<Accepted, StoreError> {
        let (answer, told) = oneshot::channel();
        self.queue(Operation::Accept(delivery, answer)).await?;
        told.await.map_err(|_| StoreError::Closed)?
    }

    /// Queues anything else and waits until it is durable.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        let (answer, told) = oneshot::channel();
        let job = Job { work, answer };
        self.queue(Operation::Other(Box::new(job))).await?;
        told.await.map_err(|_| StoreError::Closed)?
    }

    /// Lets the writer finish what is queued. Returns at once when it is closed already.
    pub(super) async fn close(&self) {
        let (answer, told) = oneshot::channel();
        if self.queue(Operation::Close(answer)).await.is_ok() {
            let _ = told.await;
        }
    }

    async fn queue(&self, operation: Operation) -> Result<(), StoreError> {
        self.operations
            .send(operation)
            .await
            .map_err(|_| StoreError::Closed)
    }
}

async fn run(
    mut conn: SqliteConnection,
    mut queue: mpsc::Receiver<Operation>,
    progress: Arc<Progress>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut closers = Vec::new();
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        let gate = progress.gate.lock().await;
        let written = transact(&mut conn, batch.drain(..), &mut closers).await;
        drop(gate);
        if !closers.is_empty() {
            queue.close(); // what is queued is still received
        }
        let before = progress.written.fetch_add(written, Ordering::Relaxed);
        if (before + written) / checkpoint::STEP > before / checkpoint::STEP {
            progress.due.notify_one();
        }
    }
    if let Err(error) = conn.close().await {
        tracing::warn!(%error, "closing the write connection");
    }
    for closer in closers {
        let _ = closer.send(());
    }
}

/// What stands together in a transaction and fails together.
enum Unit {
    Accepts(Vec<(NewDelivery, Answer<Accepted>)>),
    Other(Box<dyn Work>),
}

/// How a unit ended, before the commit.
enum Ended {
    Accepts(Vec<Answer<Accepted>>, Result<Vec<Accepted>, Failure>),
    Other(Box<dyn Outcome>),
}

impl Ended {
    fn succeeded(&self) -> bool {
        match self {
            Self::Accepts(_, result) => result.is_ok(),
            Self::Other(outcome) => outcome.succeeded(),
        }
    }

    fn tell(self, transaction: Result<(), &Failure>) {
        match self {
            Self::Other(outcome) => outcome.tell(transaction),
            Self::Accepts(answers, result) => {
                let result = match (&result, transaction) {
                    (Err(why), _) | (_, Err(why)) => Err(why),
                    (Ok(accepted), Ok(())) => Ok(accepted),
                };
                for (i, answer) in answers.into_iter().enumerate() {
                    let mine = match result {
                        Ok(accepted) => accepted.get(i).copied().ok_or(StoreError::Closed),
                        Err(why) => Err(why.error()),
                    };
                    tell(answer, mine);
                }
            }
        }
    }
}

/// One batch, one commit. Returns roughly how many bytes it wrote.
async fn transact(
    conn: &mut SqliteConnection,
    batch: impl Iterator<Item = Operation>,
    closers: &mut Vec<oneshot::Sender<()>>,
) -> u64 {
    let mut bytes = 0;
    let mut units: Vec<Unit> = Vec::new();
    for operation in batch {
        match operation {
            Operation::Close(answer) => closers.push(answer),
            Operation::Other(work) => {
                bytes += OPERATION_BYTES;
                units.push(Unit::Other(work));
            }
            Operation::Accept(delivery, answer) => {
                // Twice: the index of GUIDs is written in random order, a page for a row.
                bytes += delivery.payload.len() as u64 + OPERATION_BYTES / 2;
                if let Some(Unit::Accepts(group)) = units.last_mut() {
                    group.push((delivery, answer));
                } else {
                    units.push(Unit::Accepts(vec![(delivery, answer)]));
                }
            }
        }
    }
    if units.is_empty() {
        return 0;
    }

    if let Err(error) = sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await {
        let why = Failure::new("beginning a transaction", &error);
        for unit in units {
            refuse(unit, &why);
        }
        return 0;
    }
    let alone = units.len() == 1;
    let mut ended = Vec::with_capacity(units.len());
    let mut failed = None;
    for unit in units {
        match guarded(conn, unit, alone, failed.as_ref()).await {
            Ok(one) => ended.push(one),
            Err((one, why)) => {
                ended.extend(one);
                failed = Some(why);
            }
        }
    }
    // A failed unit that stood alone has no savepoint: the transaction is undone as a whole.
    let undo = failed.is_some() || (alone && ended.iter().any(|one| !one.succeeded()));
    let last = if undo { "ROLLBACK" } else { "COMMIT" };
    if let Err(error) = sqlx::query(last).execute(&mut *conn).await {
        failed.get_or_insert_with(|| Failure::new("committing", &error));
        if !undo {
            // Usually undone by SQLite already; if not, the next transaction could not begin.
            let _ = sqlx::query("ROLLBACK").execute(&mut *conn).await;
        }
    }
    let transaction = failed.as_ref().map_or(Ok(()), Err);
    for one in ended {
        one.tell(transaction);
    }
    bytes
}

/// Runs a unit in a savepoint (none is needed where it is alone). `Err`: the transaction itself
/// is beyond repair.
async fn guarded(
    conn: &mut SqliteConnection,
    unit: Unit,
    alone: bool,
    failed: Option<&Failure>,
) -> Result<Ended, (Option<Ended>, Failure)> {
    if let Some(why) = failed {
        refuse(unit, why);
        return Err((None, why.clone()));
    }
    if !alone && let Err(error) = sqlx::query("SAVEPOINT unit").execute(&mut *conn).await {
        let why = Failure::new("setting a savepoint", &error);
        refuse(unit, &why);
        return Err((None, why));
    }
    let ended = match unit {
        Unit::Other(work) => Ended::Other(work.run(conn).await),
        Unit::Accepts(group) => {
            let (deliveries, answers): (Vec<_>, Vec<_>) = group.into_iter().unzip();
            let result = inbox::accept(conn, deliveries).await;
            Ended::Accepts(
                answers,
                result.map_err(|error| Failure::new("storing deliveries", &error)),
            )
        }
    };
    if !alone {
        let release = if ended.succeeded() {
            sqlx::query("RELEASE unit").execute(&mut *conn).await
        } else {
            match sqlx::query("ROLLBACK TO unit").execute(&mut *conn).await {
                Ok(_) => sqlx::query("RELEASE unit").execute(&mut *conn).await,
                error => error,
            }
        };
        if let Err(error) = release {
            return Err((Some(ended), Failure::new("ending a savepoint", &error)));
        }
    }
    Ok(ended)
}

fn refuse(unit: Unit, why: &Failure) {
    match unit {
        Unit::Other(work) => work.refuse(why),
        Unit::Accepts(group) => {
            for (_, answer) in group {
                tell(answer, Err(why.error()));
            }
        }
    }
}
