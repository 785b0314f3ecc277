//! Lanes: who may work on what, and when.
//!
//! `next_at` is derived, never decided: while a lane is leased it is the lease's end (a holder that
//! vanished has left its look unfinished); else it is the earlier of the head delivery's arrival
//! and the timer, but not before a pause is over; and nothing where there is nothing to look at.

use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqlitePool};

use crate::ids::InstallationId;
use crate::store::{Finish, LaneKey, Lease, StoreError, WritePriority};

use super::{audit, boards, database, history, inbox, instant, items, micros, unreadable};

/// Makes lanes due, and makes them where they are new. `rows` is a JSON list of
/// `[installation, lane, microseconds]`, each lane once.
pub(super) async fn due(conn: &mut SqliteConnection, rows: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        // A lane that is held, or due by then, is not written at all.
        "INSERT INTO lanes (installation, lane, next_at) \
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true \
         ON CONFLICT (installation, lane) DO UPDATE SET \
             next_at = max(excluded.next_at, coalesce(paused_until, 0)) \
             WHERE holder IS NULL AND (next_at IS NULL \
                 OR next_at > max(excluded.next_at, coalesce(paused_until, 0)))",
    )
    .bind(rows)
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets a lane's timer, if it is not set earlier.
pub(super) async fn wake(
    conn: &mut SqliteConnection,
    installation: i64,
    lane: &str,
    at: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO lanes (installation, lane, next_at, wake_at) VALUES (?1, ?2, ?3, ?3) \
         ON CONFLICT (installation, lane) DO UPDATE SET \
             wake_at = min(coalesce(wake_at, ?3), ?3), \
             next_at = CASE WHEN holder IS NOT NULL THEN next_at \
                 ELSE min(coalesce(next_at, max(?3, coalesce(paused_until, 0))), \
                          max(?3, coalesce(paused_until, 0))) END",
    )
    .bind(installation)
    .bind(lane)
    .bind(at)
    .execute(conn)
    .await
    .map_err(database("waking a lane"))?;
    Ok(())
}

/// Leases the lane that has been due longest.
pub(super) async fn claim(
    conn: &mut SqliteConnection,
    holder: &str,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<Option<Lease>, StoreError> {
    let row = sqlx::query(
        "SELECT installation, lane, holder FROM lanes WHERE next_at <= ? ORDER BY next_at LIMIT 1",
    )
    .bind(micros(now))
    .fetch_optional(&mut *conn)
    .await
    .map_err(database("claiming a lane"))?;
    take(conn, row, holder, now, lease).await
}

/// Leases the lane at the head of an installation's queue for the writer.
pub(super) async fn claim_write(
    conn: &mut SqliteConnection,
    installation: InstallationId,
    holder: &str,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<Option<Lease>, StoreError> {
    let row = sqlx::query(
        "SELECT installation, lane, holder FROM lanes \
         WHERE installation = ?1 AND write_priority IS NOT NULL \
         AND (holder IS NULL OR lease_until <= ?2) \
         AND (paused_until IS NULL OR paused_until <= ?2) \
         ORDER BY write_priority, write_since LIMIT 1",
    )
    .bind(installation.0.cast_signed())
    .bind(micros(now))
    .fetch_optional(&mut *conn)
    .await
    .map_err(database("claiming a lane for the writer"))?;
    take(conn, row, holder, now, lease).await
}

/// Gives the lane found to `holder`, with a higher fence. A lane whose lease ran out has failed:
/// its holder vanished over it, and a delivery that kills its worker must not be tried for ever.
async fn take(
    conn: &mut SqliteConnection,
    found: Option<SqliteRow>,
    holder: &str,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<Option<Lease>, StoreError> {
    const DOING: &str = "leasing a lane";
    let Some(found) = found else {
        return Ok(None);
    };
    let installation: i64 = found.get("installation");
    let lane: String = found.get("lane");
    let vanished = found.get::<Option<String>, _>("holder").is_some();
    if vanished {
        inbox::tried(conn, installation, &lane).await?;
    }
    let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
    let row = sqlx::query(
        "UPDATE lanes SET holder = ?1, claimed_at = ?2, lease_until = ?3, next_at = ?3, \
             fence = fence + 1, failures = failures + ?4, strikes = strikes + ?4, \
             wake_at = CASE WHEN wake_at <= ?2 THEN NULL ELSE wake_at END \
         WHERE installation = ?5 AND lane = ?6 \
         RETURNING fence, failures, strikes, write_priority, write_since",
    )
    .bind(holder)
    .bind(micros(now))
    .bind(micros(until))
    .bind(vanished)
    .bind(installation)
    .bind(&lane)
    .fetch_one(&mut *conn)
    .await
    .map_err(database(DOING))?;
    let wants_write = match row.get::<Option<i64>, _>("write_priority") {
        Some(priority) => Some((priority_from(priority)?, instant(row.get("write_since"))?)),
        None => None,
    };
    Ok(Some(Lease {
        installation: InstallationId(installation.cast_unsigned()),
        lane: LaneKey::parse(&lane).ok_or_else(|| unreadable("a lane's key", lane.as_str()))?,
        fence: row.get("fence"),
        holder: holder.to_owned(),
        until: instant(micros(until))?,
        wants_write,
        failures: row.get("failures"),
        strikes: row.get("strikes"),
    }))
}

/// Makes the leases under a name run out: whoever had them is gone.
pub(super) async fn abandon(conn: &mut SqliteConnection, holder: &str) -> Result<u64, StoreError> {
    let abandoned = sqlx::query("UPDATE lanes SET lease_until = 0, next_at = 0 WHERE holder = ?")
        .bind(holder)
        .execute(conn)
        .await
        .map_err(database("giving up leases"))?;
    Ok(abandoned.rows_affected())
}

/// Lengthens a lease that is still held.
pub(super) async fn renew(
    conn: &mut SqliteConnection,
    lease: &Lease,
    until: Timestamp,
) -> Result<(), StoreError> {
    let renewed = sqlx::query(
        "UPDATE lanes SET lease_until = ?1, next_at = ?1 \
         WHERE installation = ?2 AND lane = ?3 AND fence = ?4 AND holder IS NOT NULL",
    )
    .bind(micros(until))
    .bind(lease.installation.0.cast_signed())
    .bind(lease.lane.to_string())
    .bind(lease.fence)
    .execute(conn)
    .await
    .map_err(database("renewing a lease"))?;
    if renewed.rows_affected() == 0 {
        return Err(lost(lease));
    }
    Ok(())
}

/// A lane that is still its lease's, as it stands.
pub(super) struct Held {
    claimed_at: i64,
    wake_at: Option<i64>,
    failures: i64,
    strikes: i64,
    write: Option<(i64, i64)>,
}

/// What a lane is to be after a lease.
pub(super) struct Released {
    wake_at: Option<i64>,
    paused_until: Option<i64>,
    failures: i64,
    strikes: i64,
    write: Option<(i64, i64)>,
}

impl Held {
    /// The lane after a look that went well.
    pub(super) fn succeeded(self) -> Released {
        Released {
            wake_at: self.wake_at,
            paused_until: None,
            failures: 0,
            strikes: 0,
            write: self.write,
        }
    }
}

/// The guard of every write under a lease: the fence is the lane's, and the lease was not ended.
/// A lease that ran out but that nobody else took is still good: nothing happened in between.
pub(super) async fn held(conn: &mut SqliteConnection, lease: &Lease) -> Result<Held, StoreError> {
    let row = sqlx::query(
        "SELECT claimed_at, wake_at, failures, strikes, write_priority, write_since FROM lanes \
         WHERE installation = ? AND lane = ? AND fence = ? AND holder IS NOT NULL",
    )
    .bind(lease.installation.0.cast_signed())
    .bind(lease.lane.to_string())
    .bind(lease.fence)
    .fetch_optional(conn)
    .await
    .map_err(database("checking a lease"))?
    .ok_or_else(|| lost(lease))?;
    Ok(Held {
        claimed_at: row.get("claimed_at"),
        wake_at: row.get("wake_at"),
        failures: row.get("failures"),
        strikes: row.get("strikes"),
        write: Option::zip(row.get("write_priority"), row.get("write_since")),
    })
}

/// Ends a lease and works out when the lane is due next.
pub(super) async fn release(
    conn: &mut SqliteConnection,
    lease: &Lease,
    to: Released,
) -> Result<(), StoreError> {
    const DOING: &str = "ending a lease";
    let installation = lease.installation.0.cast_signed();
    let lane = lease.lane.to_string();
    let head = inbox::head(conn, installation, &lane).await?;
    let due = [head, to.wake_at].into_iter().flatten().min();
    let next_at = due.map(|due| due.max(to.paused_until.unwrap_or(due)));
    sqlx::query(
        "UPDATE lanes SET holder = NULL, claimed_at = NULL, lease_until = NULL, \
             next_at = ?1, wake_at = ?2, paused_until = ?3, failures = ?4, \
             write_priority = ?5, write_since = ?6, strikes = ?7 \
         WHERE installation = ?8 AND lane = ?9",
    )
    .bind(next_at)
    .bind(to.wake_at)
    .bind(to.paused_until)
    .bind(to.failures)
    .bind(to.write.map(|(priority, _)| priority))
    .bind(to.write.map(|(_, since)| since))
    .bind(to.strikes)
    .bind(installation)
    .bind(&lane)
    .execute(conn)
    .await
    .map_err(database(DOING))?;
    Ok(())
}

/// Ends a lease with all that was learned and done.
pub(super) async fn finish(
    conn: &mut SqliteConnection,
    lease: &Lease,
    finish: Finish,
) -> Result<(), StoreError> {
    let held = held(conn, lease).await?;
    let failed = finish.retry_at.is_some();
    inbox::end(conn, lease, &finish.done, &finish.dead, failed).await?;
    if let Some((item, changes)) = finish.item {
        items::change(conn, lease.installation, item, changes).await?;
    }
    if let Some(backfill) = &finish.backfill {
        history::put_backfill(conn, lease.installation, backfill).await?;
    }
    for digest in &finish.digests {
        history::put_digest(conn, lease.installation, digest).await?;
    }
    if let Some(changes) = finish.board {
        boards::change(conn, lease.installation, changes).await?;
    }
    audit::settle(conn, &finish.settled).await?;
    audit::append(conn, &finish.audit).await?;

    if let Some(to) = &finish.goes_on_in {
        hand_over(conn, lease, &held, to).await?;
        return wake_all(conn, lease, &finish.wake_lanes, held.claimed_at).await;
    }

    let retry_at = finish.retry_at.map(micros);
    let claimed_at = held.claimed_at;
    let since = held.write.map_or(claimed_at, |(_, since)| since);
    let released = Released {
        // A look that failed was not a look: the lane is due again when the pause is over,
        // even if a timer (spent when the lease began) was all that had made it due.
        wake_at: [held.wake_at, finish.wake_at.map(micros), retry_at]
            .into_iter()
            .flatten()
            .min(),
        paused_until: retry_at,
        failures: if failed { held.failures + 1 } else { 0 },
        strikes: if failed {
            // The dead one took its strikes along.
            let before = if finish.dead.is_empty() {
                held.strikes
            } else {
                0
            };
            before + i64::from(finish.strike && finish.dead.is_empty())
        } else {
            0
        },
        write: match finish.wants_write {
            None => held.write,
            Some(None) => None,
            Some(Some(priority)) => Some((priority_to(priority), since)),
        },
    };
    release(conn, lease, released).await?;
    wake_all(conn, lease, &finish.wake_lanes, claimed_at).await
}

/// "Now" is when the lease began: past for everybody, and no clock is needed here.
async fn wake_all(
    conn: &mut SqliteConnection,
    lease: &Lease,
    lanes: &[LaneKey],
    now: i64,
) -> Result<(), StoreError> {
    for lane in lanes {
        let lane = lane.to_string();
        wake(conn, lease.installation.0.cast_signed(), &lane, now).await?;
    }
    Ok(())
}

/// Ends a lease whose lane's work goes on in another, with all that is left of it.
async fn hand_over(
    conn: &mut SqliteConnection,
    lease: &Lease,
    held: &Held,
    to: &LaneKey,
) -> Result<(), StoreError> {
    let installation = lease.installation.0.cast_signed();
    let (from, to) = (lease.lane.to_string(), to.to_string());
    inbox::move_to(conn, installation, &from, &to).await?;
    for step in [
        "UPDATE board_places SET lane = ?3 WHERE installation = ?1 AND lane = ?2",
        "UPDATE planned SET lane = ?3 WHERE installation = ?1 AND lane = ?2",
    ] {
        sqlx::query(step)
            .bind(installation)
            .bind(&from)
            .bind(&to)
            .execute(&mut *conn)
            .await
            .map_err(database("handing a lane's work over"))?;
    }
    let empty = Released {
        wake_at: None,
        paused_until: None,
        failures: 0,
        strikes: 0,
        write: None,
    };
    release(conn, lease, empty).await?;
    wake(conn, installation, &to, held.claimed_at).await?;
    if let Some((priority, since)) = held.write {
        sqlx::query(
            "UPDATE lanes SET write_priority = min(coalesce(write_priority, ?3), ?3), \
                 write_since = min(coalesce(write_since, ?4), ?4) \
             WHERE installation = ?1 AND lane = ?2",
        )
        .bind(installation)
        .bind(&to)
        .bind(priority)
        .bind(since)
        .execute(&mut *conn)
        .await
        .map_err(database("handing a lane's work over"))?;
    }
    Ok(())
}

/// Installations with a lane that waits for the writer.
pub(super) async fn writers_wanted(pool: &SqlitePool) -> Result<Vec<InstallationId>, StoreError> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT installation FROM lanes WHERE write_priority IS NOT NULL",
    )
    .fetch_all(pool)
    .await
    .map_err(database("reading who waits for the writer"))?;
    Ok(ids
        .into_iter()
        .map(|id| InstallationId(id.cast_unsigned()))
        .collect())
}

/// When some lane may be claimed next; `now` if one may be already.
pub(super) async fn next_due(
    pool: &SqlitePool,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let next: Option<i64> =
        sqlx::query_scalar("SELECT min(next_at) FROM lanes WHERE next_at IS NOT NULL")
            .fetch_one(pool)
            .await
            .map_err(database("reading when a lane is due"))?;
    next.map(|at| instant(at).map(|at| at.max(now))).transpose()
}

fn lost(lease: &Lease) -> StoreError {
    StoreError::LostLane {
        lane: lease.lane.to_string(),
    }
}

fn priority_to(priority: WritePriority) -> i64 {
    match priority {
        WritePriority::Command => 0,
        WritePriority::Critical => 1,
        WritePriority::Board => 2,
        WritePriority::Rest => 3,
        WritePriority::Unasked => 4,
    }
}

fn priority_from(number: i64) -> Result<WritePriority, StoreError> {
    match number {
        0 => Ok(WritePriority::Command),
        1 => Ok(WritePriority::Critical),
        2 => Ok(WritePriority::Board),
        3 => Ok(WritePriority::Rest),
        4 => Ok(WritePriority::Unasked),
        other => Err(unreadable("a write priority", other.to_string())),
    }
}
