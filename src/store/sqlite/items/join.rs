//! Two items that are one: an issue that was transferred, and was met in its new place before
//! GitHub told where it came from.

use sqlx::SqliteConnection;

use crate::store::{Alias, StoreError};

use super::super::database;

const DOING: &str = "joining items";

/// What the one has of its own stays, and the other's row of the same key goes.
const MOVED: [&str; 6] = [
    "board_rows",
    "board_places",
    "comments",
    "answers",
    "unasked",
    "planned",
];

/// Takes every other item that goes by one of these names into this one.
pub(super) async fn join(
    conn: &mut SqliteConnection,
    installation: i64,
    item: i64,
    aliases: &[Alias],
) -> Result<(), StoreError> {
    for alias in aliases {
        let other: Option<i64> = sqlx::query_scalar(
            "SELECT item FROM aliases WHERE installation = ? AND alias = ? AND item <> ?",
        )
        .bind(installation)
        .bind(alias.to_string())
        .bind(item)
        .fetch_optional(&mut *conn)
        .await
        .map_err(database(DOING))?;
        if let Some(other) = other {
            take_in(conn, installation, item, other).await?;
        }
    }
    Ok(())
}

async fn take_in(
    conn: &mut SqliteConnection,
    installation: i64,
    item: i64,
    other: i64,
) -> Result<(), StoreError> {
    let mut steps = vec![
        // Whoever works on it has lost it, and it is looked at anew.
        "UPDATE lanes SET fence = fence + 1, holder = NULL, claimed_at = NULL, \
             lease_until = NULL, wake_at = 0, next_at = coalesce(paused_until, 0) \
         WHERE installation = ?1 AND holder IS NOT NULL AND lane IN \
             (SELECT alias FROM aliases WHERE installation = ?1 AND item = ?3)"
            .to_owned(),
        // It was met where the issue is, or further on.
        "UPDATE items SET issue = json_set(other.issue, '$.stale', json('true')) \
         FROM items AS other WHERE items.installation = ?1 AND items.item = ?2 \
             AND other.installation = ?1 AND other.item = ?3 AND other.issue IS NOT NULL"
            .to_owned(),
        "UPDATE items SET issue = NULL WHERE installation = ?1 AND item = ?3".to_owned(),
        "UPDATE aliases SET item = ?2 WHERE installation = ?1 AND item = ?3".to_owned(),
        // What somebody did. What rules did was done to something new, which it was not.
        "INSERT OR IGNORE INTO ledger (installation, item, act, entry) \
         SELECT installation, ?2, act, entry FROM ledger \
         WHERE installation = ?1 AND item = ?3 AND entry ->> '$.by' IS NOT NULL ORDER BY id"
            .to_owned(),
        "UPDATE effects SET item = ?2 WHERE installation = ?1 AND item = ?3 AND state = 0"
            .to_owned(),
        "UPDATE joined SET one = ?2 WHERE installation = ?1 AND one = ?3".to_owned(),
        "INSERT INTO joined (installation, item, one) VALUES (?1, ?3, ?2)".to_owned(),
    ];
    for table in MOVED {
        steps.push(format!(
            "UPDATE OR IGNORE {table} SET item = ?2 WHERE installation = ?1 AND item = ?3"
        ));
        steps.push(format!(
            "DELETE FROM {table} WHERE installation = ?1 AND item = ?3"
        ));
    }
    for step in steps {
        sqlx::query(sqlx::AssertSqlSafe(step))
            .bind(installation)
            .bind(item)
            .bind(other)
            .execute(&mut *conn)
            .await
            .map_err(database(DOING))?;
    }
    Ok(())
}
