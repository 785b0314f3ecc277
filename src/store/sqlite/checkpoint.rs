//! Moves the write-ahead log into the database file, beside the hot path.
//!
//! The bulk is moved while the writer goes on. Only the little that was written meanwhile is moved
//! with the writer held, so that its next transaction finds the log empty and starts it over;
//! without that the log would grow for as long as there is load.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sqlx::{Connection, Row, SqliteConnection};

use super::writer::Progress;

/// Pages that may be left for the moment in which the writer is held (8 MB of 4 kB).
const TAIL_PAGES: i64 = 2_000;

/// Rounds beside the writer before the rest is moved with it held, however much it is.
const ROUNDS: usize = 4;

/// Runs until its task is aborted; moves the log whenever it gained `after` bytes.
pub(super) async fn run(mut conn: SqliteConnection, progress: Arc<Progress>, after: u64) {
    loop {
        progress.due.notified().await;
        if progress.written.load(Ordering::Relaxed) < after {
            continue; // rung once more while the last one was under way
        }
        if let Err(error) = checkpoint(&mut conn, &progress).await {
            tracing::warn!(%error, "checkpointing the store");
        }
    }
}

async fn checkpoint(conn: &mut SqliteConnection, progress: &Progress) -> Result<(), sqlx::Error> {
    for _ in 0..ROUNDS {
        let before = progress.written.load(Ordering::Relaxed);
        let moved = passive(conn).await?;
        let meanwhile = progress
            .written
            .load(Ordering::Relaxed)
            .saturating_sub(before);
        if moved < TAIL_PAGES || i64::try_from(meanwhile / 4096).unwrap_or(i64::MAX) < TAIL_PAGES {
            break;
        }
    }
    let _gate = progress.gate.lock().await;
    passive(conn).await?;
    progress.written.store(0, Ordering::Relaxed);
    Ok(())
}

/// One checkpoint that waits for nobody; how many pages of the log are in the file now.
async fn passive(conn: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
        .fetch_one(conn)
        .await?;
    row.try_get(2)
}

/// The last checkpoint: everything into the file, the log emptied.
pub(super) async fn last(mut conn: SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(&mut conn)
        .await?;
    conn.close().await
}
