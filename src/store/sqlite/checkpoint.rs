//! Moves the write-ahead log into the database file, beside the hot path.
//!
//! Little by little, while the writer goes on: a commit waits for whatever else is on its way to the
//! disk, so that much at once would hold up whoever is to be answered (512 MB: two seconds). Now and
//! then the writer is held for the last little, so that its next transaction finds all of the log
//! moved and starts it over; without that the log would grow for as long as there is load.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sqlx::{Connection, Row, SqliteConnection};

use super::writer::Progress;

/// Bytes written (roughly) after which they are moved.
pub(super) const STEP: u64 = 1024 * 1024;

/// Bytes written (roughly) after which the log is to start over. Commits beside the checkpoints of
/// a longer log were measured to wait longer: 64 MB 100 ms where this one has 7.
const START_OVER: u64 = 16 * 1024 * 1024;

/// Runs until its task is aborted.
pub(super) async fn run(mut conn: SqliteConnection, progress: Arc<Progress>) {
    let (mut moved, mut started_over) = (0, 0);
    loop {
        progress.due.notified().await;
        let written = progress.written.load(Ordering::Relaxed);
        if written - moved < STEP {
            continue; // rung once more while the last one was under way
        }
        moved = written;
        let all = match passive(&mut conn).await {
            Ok(_) if written - started_over >= START_OVER => {
                let _gate = progress.gate.lock().await;
                passive(&mut conn).await
            }
            beside => beside.map(|_| false),
        };
        match all {
            Ok(true) => started_over = progress.written.load(Ordering::Relaxed),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "checkpointing the store"),
        }
    }
}

/// One checkpoint that waits for nobody. Is all of the log in the file now? (A reader that looks
/// at an older state keeps the rest back; the next transaction rings again.)
async fn passive(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
        .fetch_one(conn)
        .await?;
    let (pages, moved): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
    Ok(pages == moved)
}

/// The last checkpoint: everything into the file, the log emptied.
pub(super) async fn last(mut conn: SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(&mut conn)
        .await?;
    conn.close().await
}
