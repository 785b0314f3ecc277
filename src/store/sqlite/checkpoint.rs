//! Moves the write-ahead log into the database file, beside the hot path.
//!
//! It is done when nobody is writing. Peaks of load are let pass, up to a limit: a checkpoint's own
//! fsync would make commits beside it wait for the disk. If it must be done under load, the bulk is
//! moved while the writer goes on, and only the little that was written meanwhile with the writer
//! held, so that its next transaction finds the log empty and starts it over; without that the log
//! would grow for as long as there is load.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::{Connection, Row, SqliteConnection};

use super::writer::Progress;

/// Bytes written (roughly) after which the log is moved at the next quiet moment.
pub(super) const DUE_AFTER: u64 = 16 * 1024 * 1024;

/// Bytes written (roughly) after which it is moved, quiet or not.
const AT_MOST: u64 = 512 * 1024 * 1024;

/// Nothing was written for so long: it is quiet.
const QUIET: Duration = Duration::from_millis(250);

/// Pages that may be left for the moment in which the writer is held (8 MB of 4 kB).
const TAIL_PAGES: u64 = 2_000;

/// Rounds beside the writer before the rest is moved with it held, however much it is.
const ROUNDS: usize = 4;

/// Runs until its task is aborted.
pub(super) async fn run(mut conn: SqliteConnection, progress: Arc<Progress>) {
    loop {
        progress.due.notified().await;
        let written = progress.written.load(Ordering::Relaxed);
        if written < DUE_AFTER {
            continue; // rung once more while the last one was under way
        }
        if written < AT_MOST {
            tokio::time::sleep(QUIET).await;
            if progress.written.load(Ordering::Relaxed) != written {
                continue; // not quiet; whoever wrote has rung again
            }
        }
        if let Err(error) = checkpoint(&mut conn, &progress).await {
            tracing::warn!(%error, "checkpointing the store");
        }
    }
}

async fn checkpoint(conn: &mut SqliteConnection, progress: &Progress) -> Result<(), sqlx::Error> {
    for _ in 0..ROUNDS {
        let before = progress.written.load(Ordering::Relaxed);
        passive(conn).await?;
        let after = progress.written.load(Ordering::Relaxed);
        if after.saturating_sub(before) / 4096 < TAIL_PAGES {
            break;
        }
    }
    let _gate = progress.gate.lock().await;
    if passive(conn).await? {
        progress.written.store(0, Ordering::Relaxed);
    }
    Ok(())
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
