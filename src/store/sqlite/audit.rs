//! The effect journal and the audit trail.

use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, SqlitePool};

use crate::ids::{InstallationId, ItemId, UserId};
use crate::store::{
    AuditEntry, AuditQuery, Effect, EffectEnd, EffectId, Lease, NewAudit, NewEffect, Settled,
    StoreError,
};

use super::{database, instant, lanes, micros, unreadable};

/// What an [`AuditQuery`] with a limit of 0 means.
const DEFAULT_LIMIT: i64 = 1_000;

/// Journals effects under a lease, as sent: they are durable before they are.
pub(super) async fn journal(
    conn: &mut SqliteConnection,
    lease: &Lease,
    effects: &[NewEffect],
) -> Result<Vec<EffectId>, StoreError> {
    lanes::held(conn, lease).await?;
    let mut ids = Vec::with_capacity(effects.len());
    for effect in effects {
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO effects (installation, item, kind, target, detail, sent_at) \
             VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(lease.installation.0.cast_signed())
        .bind(effect.item.0.cast_signed())
        .bind(&effect.kind)
        .bind(&effect.target)
        .bind(effect.detail.to_string())
        .bind(micros(effect.at))
        .fetch_one(&mut *conn)
        .await
        .map_err(database("journalling an effect"))?;
        ids.push(EffectId(id));
    }
    Ok(ids)
}

/// Ends effects; one that has ended stays as it ended.
pub(super) async fn settle(
    conn: &mut SqliteConnection,
    settled: &[Settled],
) -> Result<(), StoreError> {
    for one in settled {
        let (state, outcome) = match &one.end {
            EffectEnd::Confirmed { github_id } => (1, github_id),
            EffectEnd::Refused { error } => (2, error),
        };
        sqlx::query(
            "UPDATE effects SET state = ?, outcome = ?, ended_at = ? WHERE id = ? AND state = 0",
        )
        .bind(state)
        .bind(outcome)
        .bind(micros(one.at))
        .bind(one.effect.0)
        .execute(&mut *conn)
        .await
        .map_err(database("settling an effect"))?;
    }
    Ok(())
}

/// Effects of an item whose end is not known, in the order they were sent.
pub(super) async fn unsettled(
    pool: &SqlitePool,
    installation: InstallationId,
    item: ItemId,
) -> Result<Vec<Effect>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, kind, target, detail, sent_at FROM effects \
         WHERE installation = ? AND item = ? AND state = 0 ORDER BY id",
    )
    .bind(installation.0.cast_signed())
    .bind(item.0.cast_signed())
    .fetch_all(pool)
    .await
    .map_err(database("reading the journal"))?;
    rows.into_iter()
        .map(|row| {
            Ok(Effect {
                id: EffectId(row.get("id")),
                item,
                kind: row.get("kind"),
                target: row.get("target"),
                detail: detail(row.get("detail"))?,
                sent_at: instant(row.get("sent_at"))?,
            })
        })
        .collect()
}

/// Appends to the audit trail.
pub(super) async fn append(
    conn: &mut SqliteConnection,
    entries: &[NewAudit],
) -> Result<(), StoreError> {
    for entry in entries {
        sqlx::query(
            "INSERT INTO audit (installation, at, item, kind, actor, delivery, detail) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(entry.installation.0.cast_signed())
        .bind(micros(entry.at))
        .bind(entry.item.map(|item| item.0.cast_signed()))
        .bind(&entry.kind)
        .bind(entry.actor.map(|actor| actor.0.cast_signed()))
        .bind(&entry.delivery)
        .bind(entry.detail.to_string())
        .execute(&mut *conn)
        .await
        .map_err(database("appending to the audit trail"))?;
    }
    Ok(())
}

/// Reads the audit trail, newest first.
pub(super) async fn read(
    pool: &SqlitePool,
    query: &AuditQuery,
) -> Result<Vec<AuditEntry>, StoreError> {
    let mut sql = QueryBuilder::<Sqlite>::new(
        "SELECT id, installation, at, item, kind, actor, delivery, detail FROM audit WHERE true",
    );
    if let Some(installation) = query.installation {
        sql.push(" AND installation = ")
            .push_bind(installation.0.cast_signed());
    }
    if let Some(item) = query.item {
        let item = item.0.cast_signed();
        // And what was written under another id before it was known that the two are one.
        sql.push(" AND item IN (SELECT ")
            .push_bind(item)
            .push(" UNION ALL SELECT item FROM joined WHERE one = ")
            .push_bind(item)
            .push(")");
    }
    if let Some(kind) = &query.kind {
        sql.push(" AND kind = ").push_bind(kind.clone());
    }
    if let Some(since) = query.since {
        sql.push(" AND at >= ").push_bind(micros(since));
    }
    if let Some(before) = query.before {
        sql.push(" AND id < ").push_bind(before);
    }
    let limit = match query.limit {
        0 => DEFAULT_LIMIT,
        limit => i64::try_from(limit).unwrap_or(i64::MAX),
    };
    sql.push(" ORDER BY id DESC LIMIT ").push_bind(limit);
    let rows = sql
        .build()
        .fetch_all(pool)
        .await
        .map_err(database("reading the audit trail"))?;
    rows.into_iter()
        .map(|row| {
            let number = |column: &str| row.get::<Option<i64>, _>(column).map(i64::cast_unsigned);
            Ok(AuditEntry {
                id: row.get("id"),
                installation: InstallationId(row.get::<i64, _>("installation").cast_unsigned()),
                at: instant(row.get("at"))?,
                item: number("item").map(ItemId),
                kind: row.get("kind"),
                actor: number("actor").map(UserId),
                delivery: row.get("delivery"),
                detail: detail(row.get("detail"))?,
            })
        })
        .collect()
}

fn detail(text: &str) -> Result<serde_json::Value, StoreError> {
    serde_json::from_str(text).map_err(|e| unreadable("a detail", e))
}
