//! Boards: where rows stand, and what was decided of them.

use std::collections::BTreeMap;

use sqlx::{Row, SqliteConnection, SqlitePool};

use crate::ids::{InstallationId, ItemId};
use crate::store::{
    BoardChanges, BoardItem, BoardRecord, Found, ItemChanges, LaneKey, Lease, PlaceRecord,
    StoreError,
};

use super::items::{from_json, id, to_json};
use super::{database, history, items, lanes, unreadable};

/// Everything about a board, read at one moment.
pub(super) async fn read(
    pool: &SqlitePool,
    installation: InstallationId,
    project: &str,
) -> Result<BoardRecord, StoreError> {
    const DOING: &str = "reading a board";
    let installation = installation.0.cast_signed();
    let mut tx = pool.begin().await.map_err(database(DOING))?;
    let state: Option<String> =
        sqlx::query_scalar("SELECT state FROM board_states WHERE installation = ? AND project = ?")
            .bind(installation)
            .bind(project)
            .fetch_optional(&mut *tx)
            .await
            .map_err(database(DOING))?;
    let rows = sqlx::query(
        "SELECT item, lane, place, standing, verdict FROM board_places \
         WHERE installation = ? AND project = ? ORDER BY item",
    )
    .bind(installation)
    .bind(project)
    .fetch_all(&mut *tx)
    .await
    .map_err(database(DOING))?;
    let mut record = BoardRecord::default();
    if let Some(state) = state {
        record.state = from_json("a board", &state)?;
    }
    for row in rows {
        let lane: Option<String> = row.get("lane");
        let lane = match lane {
            Some(lane) => {
                let parsed = LaneKey::parse(&lane);
                Some(parsed.ok_or_else(|| unreadable("a lane's key", lane))?)
            }
            None => None,
        };
        record.items.push(BoardItem {
            item: id(row.get("item")),
            lane,
            record: place(&row)?,
        });
    }
    Ok(record)
}

fn place(row: &sqlx::sqlite::SqliteRow) -> Result<PlaceRecord, StoreError> {
    let standing: Option<String> = row.get("standing");
    let verdict: Option<String> = row.get("verdict");
    Ok(PlaceRecord {
        place: from_json("a place", row.get("place"))?,
        standing: standing.map(|s| from_json("a standing", &s)).transpose()?,
        verdict: verdict.map(|v| from_json("a verdict", &v)).transpose()?,
    })
}

/// An item's places, by the project's node id.
pub(super) async fn of_item(
    conn: &mut SqliteConnection,
    installation: i64,
    item: i64,
) -> Result<BTreeMap<String, PlaceRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT project, place, standing, verdict FROM board_places \
         WHERE installation = ? AND item = ?",
    )
    .bind(installation)
    .bind(item)
    .fetch_all(conn)
    .await
    .map_err(database("reading an item"))?;
    rows.iter()
        .map(|row| Ok((row.get("project"), place(row)?)))
        .collect()
}

/// Writes what an item's lane learned about its places.
pub(super) async fn change_places(
    conn: &mut SqliteConnection,
    installation: i64,
    item: i64,
    changes: &ItemChanges,
) -> Result<(), StoreError> {
    const DOING: &str = "changing an item's place";
    for (project, verdict) in &changes.answered {
        sqlx::query(
            "UPDATE board_places SET verdict = NULL, verdict_id = NULL \
             WHERE installation = ? AND project = ? AND item = ? AND verdict_id = ?",
        )
        .bind(installation)
        .bind(project)
        .bind(item)
        .bind(verdict)
        .execute(&mut *conn)
        .await
        .map_err(database(DOING))?;
    }
    for (project, place) in &changes.places {
        if let Some((lane, place)) = place {
            sqlx::query(
                "INSERT INTO board_places (installation, project, item, lane, place) \
                 VALUES (?, ?, ?, ?, ?) ON CONFLICT (installation, project, item) \
                 DO UPDATE SET lane = excluded.lane, place = excluded.place",
            )
            .bind(installation)
            .bind(project)
            .bind(item)
            .bind(lane.as_ref().map(ToString::to_string))
            .bind(to_json(place)?)
            .execute(&mut *conn)
            .await
            .map_err(database(DOING))?;
        } else {
            sqlx::query(
                "DELETE FROM board_places \
                 WHERE installation = ? AND project = ? AND item = ? AND verdict IS NULL",
            )
            .bind(installation)
            .bind(project)
            .bind(item)
            .execute(&mut *conn)
            .await
            .map_err(database(DOING))?;
        }
    }
    Ok(())
}

/// Writes what a board's lane decided.
pub(super) async fn change(
    conn: &mut SqliteConnection,
    installation: InstallationId,
    changes: BoardChanges,
) -> Result<(), StoreError> {
    const DOING: &str = "changing a board";
    let project = &changes.project;
    let number = installation.0.cast_signed();
    for (item, change) in changes.items {
        items::change(conn, installation, item, change).await?;
    }
    for item in &changes.stale {
        sqlx::query(
            "UPDATE items SET issue = json_set(issue, '$.stale', json('true')) \
             WHERE installation = ? AND item = ? AND issue IS NOT NULL",
        )
        .bind(number)
        .bind(item.0.cast_signed())
        .execute(&mut *conn)
        .await
        .map_err(database(DOING))?;
    }
    if let Some(state) = &changes.state {
        sqlx::query(
            "INSERT INTO board_states (installation, project, state) VALUES (?, ?, ?) \
             ON CONFLICT (installation, project) DO UPDATE SET state = excluded.state",
        )
        .bind(number)
        .bind(project)
        .bind(to_json(state)?)
        .execute(&mut *conn)
        .await
        .map_err(database(DOING))?;
    }
    for (item, standing) in &changes.standings {
        sqlx::query(
            "UPDATE board_places SET standing = ? \
             WHERE installation = ? AND project = ? AND item = ?",
        )
        .bind(to_json(standing)?)
        .bind(number)
        .bind(project)
        .bind(item.0.cast_signed())
        .execute(&mut *conn)
        .await
        .map_err(database(DOING))?;
    }
    for (item, verdict) in &changes.verdicts {
        sqlx::query(
            "INSERT INTO board_places (installation, project, item, place, verdict, verdict_id) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (installation, project, item) \
             DO UPDATE SET verdict = ?5, verdict_id = ?6",
        )
        .bind(number)
        .bind(project)
        .bind(item.0.cast_signed())
        .bind(to_json(&crate::triage::board::Place::default())?)
        .bind(verdict.as_ref().map(to_json).transpose()?)
        .bind(verdict.as_ref().map(|v| v.id.as_str()))
        .execute(&mut *conn)
        .await
        .map_err(database(DOING))?;
    }
    Ok(())
}

/// Takes in rows that a board's lane read, of items that nobody knew; those known by now stay as
/// they are.
pub(super) async fn learn(
    conn: &mut SqliteConnection,
    lease: &Lease,
    found: Vec<Found>,
) -> Result<Vec<ItemId>, StoreError> {
    lanes::held(conn, lease).await?;
    let mut new = Vec::new();
    for found in found {
        let item = items::ensure(conn, lease.installation, &found.aliases).await?;
        let known: Option<String> =
            sqlx::query_scalar("SELECT issue FROM items WHERE installation = ? AND item = ?")
                .bind(lease.installation.0.cast_signed())
                .bind(item.0.cast_signed())
                .fetch_one(&mut *conn)
                .await
                .map_err(database("reading an item"))?;
        if known.is_none() {
            items::change(conn, lease.installation, item, found.changes).await?;
            new.push(item);
        } else {
            let (installation, item) = (lease.installation.0.cast_signed(), item.0.cast_signed());
            history::append_earlier(conn, installation, item, &found.changes.history).await?;
        }
    }
    Ok(new)
}
