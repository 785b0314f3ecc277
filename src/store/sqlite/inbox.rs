//! The inbox: deliveries in, deliveries handled, deliveries given up.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Row, SqliteConnection, SqlitePool};

use crate::ids::InstallationId;
use crate::store::{
    Accepted, DeadLetter, Delivery, LaneKey, Lease, NewDelivery, StoreError, packed,
};

use super::lanes;
use super::{database, instant, micros, unreadable};

/// Rows in one `INSERT`, largest first. A few sizes only, so that every statement is prepared
/// once; a statement costs a round trip to the connection's thread, a row hardly anything.
const CHUNKS: [usize; 4] = [64, 16, 4, 1];

static INSERTS: LazyLock<[Arc<str>; 4]> = LazyLock::new(|| {
    CHUNKS.map(|rows| {
        let mut sql = String::from(
            // Not `ON CONFLICT`: a statement that may be taken back half done keeps a copy of every
            // page that it touches.
            "INSERT OR IGNORE INTO deliveries \
             (installation, guid, event, action, lane, received_at, payload) VALUES ",
        );
        for row in 0..rows {
            let comma = if row == 0 { "" } else { ", " };
            let _ = write!(sql, "{comma}(?, ?, ?, ?, ?, ?, ?)");
        }
        sql.into()
    })
});

/// A statement around the waiting deliveries of lane `?2` of installation `?1`, by number. Their
/// index is one of stretches (see its migration), so that stretch by stretch is looked at; those in
/// which nothing waits are passed over.
macro_rules! of_waiting {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "(WITH RECURSIVE stretches (n) AS ( \
                 SELECT min(seq >> 10) FROM deliveries WHERE installation = ?1 AND state = 0 \
                 UNION ALL \
                 SELECT (SELECT min(seq >> 10) FROM deliveries \
                         WHERE installation = ?1 AND state = 0 AND seq >> 10 > n) \
                 FROM stretches WHERE n IS NOT NULL) \
             SELECT seq FROM stretches CROSS JOIN deliveries \
             WHERE installation = ?1 AND seq >> 10 = n AND lane = ?2 AND state = 0 \
             ORDER BY seq ",
            $after
        )
    };
}

/// Deliveries done that are forgotten in one transaction, so that the writer is soon free again.
pub(super) const PRUNE_CHUNK: u64 = 500;

/// Stores what is new of a group and makes its lanes due. The answers are in the group's order.
pub(super) async fn accept(
    conn: &mut SqliteConnection,
    deliveries: Vec<NewDelivery>,
) -> Result<Vec<Accepted>, sqlx::Error> {
    let mut answers = vec![Accepted::Stored; deliveries.len()];
    let mut seen = HashSet::with_capacity(deliveries.len());
    let mut fresh = Vec::with_capacity(deliveries.len());
    for (i, delivery) in deliveries.iter().enumerate() {
        if seen.insert((delivery.installation, delivery.guid.as_str())) {
            fresh.push((i, delivery, delivery.lane.to_string()));
        } else {
            answers[i] = Accepted::Duplicate;
        }
    }

    let before: i64 = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM deliveries")
        .fetch_one(&mut *conn)
        .await?;
    let mut rest = fresh.as_slice();
    for (rows, sql) in CHUNKS.iter().zip(INSERTS.iter()) {
        while rest.len() >= *rows {
            let (chunk, after) = rest.split_at(*rows);
            rest = after;
            let mut insert = sqlx::query(AssertSqlSafe(Arc::clone(sql)));
            for (_, delivery, lane) in chunk {
                insert = insert
                    .bind(delivery.installation.0.cast_signed())
                    .bind(delivery.guid.as_str())
                    .bind(delivery.event.as_str())
                    .bind(delivery.action.as_str())
                    .bind(lane.as_str())
                    .bind(micros(delivery.received_at))
                    .bind(delivery.payload.as_ref());
            }
            let stored = insert.execute(&mut *conn).await?.rows_affected();
            if stored < *rows as u64 {
                mark_duplicates(conn, chunk, before, &mut answers).await?;
            }
        }
    }

    // A lane is due from its oldest delivery on.
    let mut lanes: BTreeMap<(InstallationId, &str), i64> = BTreeMap::new();
    for (i, delivery, lane) in &fresh {
        if answers[*i] == Accepted::Stored {
            let at = micros(delivery.received_at);
            lanes
                .entry((delivery.installation, lane))
                .and_modify(|due| *due = at.min(*due))
                .or_insert(at);
        }
    }
    if !lanes.is_empty() {
        let rows: Vec<_> = lanes
            .iter()
            .map(|((installation, lane), at)| (installation.0.cast_signed(), lane, at))
            .collect();
        let rows = serde_json::to_string(&rows).map_err(|e| sqlx::Error::Encode(Box::new(e)))?;
        lanes::due(conn, &rows).await?;
    }
    Ok(answers)
}

/// Finds which rows of a chunk were there before.
async fn mark_duplicates(
    conn: &mut SqliteConnection,
    chunk: &[(usize, &NewDelivery, String)],
    before: i64,
    answers: &mut [Accepted],
) -> Result<(), sqlx::Error> {
    for (i, delivery, _) in chunk {
        let seq: i64 =
            sqlx::query_scalar("SELECT seq FROM deliveries WHERE installation = ? AND guid = ?")
                .bind(delivery.installation.0.cast_signed())
                .bind(delivery.guid.as_str())
                .fetch_one(&mut *conn)
                .await?;
        if seq <= before {
            answers[*i] = Accepted::Duplicate;
        }
    }
    Ok(())
}

/// The lane's waiting deliveries, oldest first.
pub(super) async fn pending(
    pool: &SqlitePool,
    lease: &Lease,
    limit: usize,
) -> Result<Vec<Delivery>, StoreError> {
    let rows = sqlx::query(of_waiting!(
        "SELECT seq, guid, event, action, payload, received_at, attempts FROM deliveries \
         WHERE seq IN ",
        "LIMIT ?3) ORDER BY seq"
    ))
    .bind(lease.installation.0.cast_signed())
    .bind(lease.lane.to_string())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await
    .map_err(database("reading a lane's deliveries"))?;
    rows.into_iter()
        .map(|row| {
            let payload: Option<Vec<u8>> = row.get("payload");
            let body = packed::unpack(&payload.unwrap_or_default())
                .map_err(|e| unreadable("a delivery's payload", e))?;
            Ok(Delivery {
                seq: row.get("seq"),
                guid: row.get("guid"),
                event: row.get("event"),
                action: row.get("action"),
                payload: Bytes::from(body),
                received_at: instant(row.get("received_at"))?,
                attempts: row.get("attempts"),
            })
        })
        .collect()
}

/// Moves a lease's waiting deliveries to another lane and ends the lease.
pub(super) async fn forward(
    conn: &mut SqliteConnection,
    lease: &Lease,
    to: &LaneKey,
) -> Result<(), StoreError> {
    const DOING: &str = "forwarding a lane";
    let held = lanes::held(conn, lease).await?;
    let from = lease.lane.to_string();
    let to = to.to_string();
    let installation = lease.installation.0.cast_signed();
    let first = head(conn, installation, &from).await?;
    if from != to {
        move_to(conn, installation, &from, &to).await?;
    }
    lanes::release(conn, lease, held.succeeded()).await?;
    if let Some(at) = first {
        let rows = serde_json::json!([[installation, to, at]]).to_string();
        lanes::due(conn, &rows).await.map_err(database(DOING))?;
    }
    Ok(())
}

/// Moves a lane's waiting deliveries to another lane.
pub(super) async fn move_to(
    conn: &mut SqliteConnection,
    installation: i64,
    from: &str,
    to: &str,
) -> Result<(), StoreError> {
    sqlx::query(of_waiting!(
        "UPDATE deliveries SET lane = ?3 WHERE seq IN ",
        ")"
    ))
    .bind(installation)
    .bind(from)
    .bind(to)
    .execute(conn)
    .await
    .map_err(database("moving deliveries to another lane"))?;
    Ok(())
}

/// When the oldest of a lane's waiting deliveries was received, in microseconds.
pub(super) async fn head(
    conn: &mut SqliteConnection,
    installation: i64,
    lane: &str,
) -> Result<Option<i64>, StoreError> {
    sqlx::query_scalar(of_waiting!(
        "SELECT received_at FROM deliveries WHERE seq = ",
        "LIMIT 1)"
    ))
    .bind(installation)
    .bind(lane)
    .fetch_optional(conn)
    .await
    .map_err(database("looking at a lane's head"))
}

/// Ends deliveries of a lane: done ones lose their payload, dead ones keep it and the error.
/// What then stands at the head has been tried once more, if the lane failed.
pub(super) async fn end(
    conn: &mut SqliteConnection,
    lease: &Lease,
    done: &[i64],
    dead: &[(i64, String)],
    failed: bool,
) -> Result<(), StoreError> {
    const DOING: &str = "ending deliveries";
    let installation = lease.installation.0.cast_signed();
    let lane = lease.lane.to_string();
    if !done.is_empty() {
        let done = serde_json::to_string(done).map_err(|e| unreadable("a list of numbers", e))?;
        sqlx::query(
            "UPDATE deliveries SET state = 1, payload = NULL, error = '' \
             WHERE seq IN (SELECT value FROM json_each(?)) \
             AND installation = ? AND lane = ? AND state = 0",
        )
        .bind(done)
        .bind(installation)
        .bind(&lane)
        .execute(&mut *conn)
        .await
        .map_err(database(DOING))?;
    }
    for (seq, error) in dead {
        sqlx::query(
            "UPDATE deliveries SET state = 2, error = ?, attempts = attempts + 1 \
             WHERE seq = ? AND installation = ? AND lane = ? AND state = 0",
        )
        .bind(error)
        .bind(seq)
        .bind(installation)
        .bind(&lane)
        .execute(&mut *conn)
        .await
        .map_err(database(DOING))?;
    }
    if failed {
        tried(conn, installation, &lane).await?;
    }
    Ok(())
}

/// Counts a try of the delivery at a lane's head.
pub(super) async fn tried(
    conn: &mut SqliteConnection,
    installation: i64,
    lane: &str,
) -> Result<(), StoreError> {
    sqlx::query(of_waiting!(
        "UPDATE deliveries SET attempts = attempts + 1 WHERE seq = ",
        "LIMIT 1)"
    ))
    .bind(installation)
    .bind(lane)
    .execute(&mut *conn)
    .await
    .map_err(database("counting a try"))?;
    Ok(())
}

/// Which of these GUIDs are known.
pub(super) async fn seen(
    pool: &SqlitePool,
    installation: InstallationId,
    guids: &[String],
) -> Result<BTreeSet<String>, StoreError> {
    let guids = serde_json::to_string(guids).map_err(|e| unreadable("a list of GUIDs", e))?;
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT guid FROM deliveries \
         WHERE installation = ? AND guid IN (SELECT value FROM json_each(?))",
    )
    .bind(installation.0.cast_signed())
    .bind(guids)
    .fetch_all(pool)
    .await
    .map_err(database("looking GUIDs up"))?;
    Ok(found.into_iter().collect())
}

/// Deliveries that were given up, newest first.
pub(super) async fn dead_letters(
    pool: &SqlitePool,
    installation: Option<InstallationId>,
    limit: usize,
) -> Result<Vec<DeadLetter>, StoreError> {
    let rows = sqlx::query(
        "SELECT installation, guid, event, action, lane, received_at, attempts, error \
         FROM deliveries WHERE state = 2 AND (?1 IS NULL OR installation = ?1) \
         ORDER BY seq DESC LIMIT ?2",
    )
    .bind(installation.map(|id| id.0.cast_signed()))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await
    .map_err(database("reading dead letters"))?;
    rows.into_iter()
        .map(|row| {
            Ok(DeadLetter {
                installation: InstallationId(row.get::<i64, _>("installation").cast_unsigned()),
                guid: row.get("guid"),
                event: row.get("event"),
                action: row.get("action"),
                lane: row.get("lane"),
                received_at: instant(row.get("received_at"))?,
                attempts: row.get("attempts"),
                error: row.get("error"),
            })
        })
        .collect()
}

/// Puts dead letters with a GUID back at their lanes' heads (where they stand by their number).
pub(super) async fn revive(
    conn: &mut SqliteConnection,
    guid: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const DOING: &str = "reviving a dead letter";
    let rows = sqlx::query(
        "UPDATE deliveries SET state = 0, attempts = 0, error = '' WHERE guid = ? AND state = 2 \
         RETURNING installation, lane",
    )
    .bind(guid)
    .fetch_all(&mut *conn)
    .await
    .map_err(database(DOING))?;
    for row in &rows {
        // The pause was for whatever failed before; the revived one goes first, and now.
        sqlx::query(
            "UPDATE lanes SET failures = 0, strikes = 0, paused_until = NULL, \
             next_at = CASE WHEN holder IS NULL THEN min(coalesce(next_at, ?1), ?1) \
                       ELSE next_at END \
             WHERE installation = ?2 AND lane = ?3",
        )
        .bind(micros(now))
        .bind(row.get::<i64, _>("installation"))
        .bind(row.get::<String, _>("lane"))
        .execute(&mut *conn)
        .await
        .map_err(database(DOING))?;
    }
    Ok(!rows.is_empty())
}

/// Forgets some deliveries that are done and older than this. Returns how many.
pub(super) async fn prune(
    conn: &mut SqliteConnection,
    before: Timestamp,
) -> Result<u64, StoreError> {
    let gone = sqlx::query(
        "DELETE FROM deliveries WHERE seq IN (SELECT seq FROM deliveries \
         WHERE state = 1 AND received_at < ? ORDER BY received_at LIMIT ?)",
    )
    .bind(micros(before))
    .bind(PRUNE_CHUNK.cast_signed())
    .execute(conn)
    .await
    .map_err(database("forgetting old deliveries"))?;
    Ok(gone.rows_affected())
}
