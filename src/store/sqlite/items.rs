//! Items, the names GitHub has for them, and the mirror.

mod join;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{Row, SqliteConnection, SqlitePool};

use crate::ids::{InstallationId, ItemId, RepoName};
use crate::store::{Alias, ItemChanges, ItemRecord, OpenIssue, StoreError};

use super::{boards, database, history, unreadable};

/// The item behind an alias.
pub(super) async fn by_alias(
    pool: &SqlitePool,
    installation: InstallationId,
    alias: &Alias,
) -> Result<Option<ItemId>, StoreError> {
    let item: Option<i64> =
        sqlx::query_scalar("SELECT item FROM aliases WHERE installation = ? AND alias = ?")
            .bind(installation.0.cast_signed())
            .bind(alias.to_string())
            .fetch_optional(pool)
            .await
            .map_err(database("looking an item up"))?;
    Ok(item.map(id))
}

/// The item whose issue the mirror knows by this name; of several the newest.
pub(super) async fn by_name(
    pool: &SqlitePool,
    repository: &RepoName,
    number: u64,
) -> Result<Option<(InstallationId, ItemId)>, StoreError> {
    let row = sqlx::query(
        "SELECT installation, item FROM items WHERE issue ->> '$.issue.number' = ? \
         AND lower(issue ->> '$.issue.repository.owner') = lower(?) \
         AND lower(issue ->> '$.issue.repository.name') = lower(?) ORDER BY item DESC LIMIT 1",
    )
    .bind(number.cast_signed())
    .bind(&repository.owner)
    .bind(&repository.name)
    .fetch_optional(pool)
    .await
    .map_err(database("looking an item up"))?;
    Ok(row.map(|row| {
        let installation = row.get::<i64, _>("installation").cast_unsigned();
        (InstallationId(installation), id(row.get("item")))
    }))
}

/// The item behind the first alias that is known, or a new one; it gets all of them.
pub(super) async fn ensure(
    conn: &mut SqliteConnection,
    installation: InstallationId,
    aliases: &[Alias],
) -> Result<ItemId, StoreError> {
    const DOING: &str = "naming an item";
    let mut known = None;
    for alias in aliases {
        known = sqlx::query_scalar::<_, i64>(
            "SELECT item FROM aliases WHERE installation = ? AND alias = ?",
        )
        .bind(installation.0.cast_signed())
        .bind(alias.to_string())
        .fetch_optional(&mut *conn)
        .await
        .map_err(database(DOING))?;
        if known.is_some() {
            break;
        }
    }
    let item = match known {
        Some(item) => item,
        None => sqlx::query_scalar("INSERT INTO items (installation) VALUES (?) RETURNING item")
            .bind(installation.0.cast_signed())
            .fetch_one(&mut *conn)
            .await
            .map_err(database(DOING))?,
    };
    add_aliases(conn, installation, item, aliases).await?;
    Ok(id(item))
}

async fn add_aliases(
    conn: &mut SqliteConnection,
    installation: InstallationId,
    item: i64,
    aliases: &[Alias],
) -> Result<(), StoreError> {
    for alias in aliases {
        sqlx::query(
            "INSERT INTO aliases (installation, alias, item) VALUES (?, ?, ?) \
             ON CONFLICT (installation, alias) DO NOTHING",
        )
        .bind(installation.0.cast_signed())
        .bind(alias.to_string())
        .bind(item)
        .execute(&mut *conn)
        .await
        .map_err(database("naming an item"))?;
    }
    Ok(())
}

/// Everything the store knows of an item, read at one moment.
pub(super) async fn read(
    pool: &SqlitePool,
    installation: InstallationId,
    item: ItemId,
) -> Result<Option<ItemRecord>, StoreError> {
    const DOING: &str = "reading an item";
    let (installation, item) = (installation.0.cast_signed(), item.0.cast_signed());
    let mut tx = pool.begin().await.map_err(database(DOING))?;
    let Some(row) = sqlx::query(
        "SELECT issue, held_labels, confirmed_by FROM items WHERE installation = ? AND item = ?",
    )
    .bind(installation)
    .bind(item)
    .fetch_optional(&mut *tx)
    .await
    .map_err(database(DOING))?
    else {
        return Ok(None);
    };
    let mut record = ItemRecord {
        held_labels: from_json("held labels", row.get("held_labels"))?,
        confirmed_by: from_json("confirmations", row.get("confirmed_by"))?,
        ..ItemRecord::default()
    };
    if let Some(issue) = row.get::<Option<String>, _>("issue") {
        record.issue = Some(from_json("an issue", &issue)?);
    }
    let aliases: Vec<String> =
        sqlx::query_scalar("SELECT alias FROM aliases WHERE installation = ? AND item = ?")
            .bind(installation)
            .bind(item)
            .fetch_all(&mut *tx)
            .await
            .map_err(database(DOING))?;
    for alias in aliases {
        let parsed = Alias::parse(&alias);
        record
            .aliases
            .insert(parsed.ok_or_else(|| unreadable("an alias", alias))?);
    }
    let rows =
        sqlx::query("SELECT project, row FROM board_rows WHERE installation = ? AND item = ?")
            .bind(installation)
            .bind(item)
            .fetch_all(&mut *tx)
            .await
            .map_err(database(DOING))?;
    for row in rows {
        let value = from_json("a board row", row.get("row"))?;
        record.boards.insert(row.get("project"), value);
    }
    let entries: Vec<String> = sqlx::query_scalar(
        "SELECT entry FROM ledger WHERE installation = ? AND item = ? ORDER BY id",
    )
    .bind(installation)
    .bind(item)
    .fetch_all(&mut *tx)
    .await
    .map_err(database(DOING))?;
    for entry in entries {
        record.ledger.push(from_json("a ledger entry", &entry)?);
    }
    let rows = sqlx::query("SELECT key, comment FROM comments WHERE installation = ? AND item = ?")
        .bind(installation)
        .bind(item)
        .fetch_all(&mut *tx)
        .await
        .map_err(database(DOING))?;
    for row in rows {
        let value = from_json("a comment", row.get("comment"))?;
        record.comments.insert(row.get("key"), value);
    }
    let rows = sqlx::query("SELECT key, answer FROM answers WHERE installation = ? AND item = ?")
        .bind(installation)
        .bind(item)
        .fetch_all(&mut *tx)
        .await
        .map_err(database(DOING))?;
    for row in rows {
        let value = from_json("an answer", row.get("answer"))?;
        record.answers.insert(row.get("key"), value);
    }
    record.places = boards::of_item(&mut tx, installation, item).await?;
    Ok(Some(record))
}

/// Every item that has an issue in the mirror.
pub(super) async fn all(
    pool: &SqlitePool,
    installation: InstallationId,
) -> Result<Vec<ItemId>, StoreError> {
    let items: Vec<i64> = sqlx::query_scalar(
        "SELECT item FROM items WHERE installation = ? AND issue IS NOT NULL ORDER BY item",
    )
    .bind(installation.0.cast_signed())
    .fetch_all(pool)
    .await
    .map_err(database("listing items"))?;
    Ok(items.into_iter().map(id).collect())
}

/// The open issues, the newest items first.
pub(super) async fn open(
    pool: &SqlitePool,
    installation: InstallationId,
    limit: usize,
) -> Result<Vec<OpenIssue>, StoreError> {
    let issues: Vec<String> = sqlx::query_scalar(
        "SELECT json_object( \
             'repository_id', issue -> '$.repository_id', \
             'repository', issue -> '$.issue.repository', \
             'number', issue -> '$.issue.number', \
             'title', issue -> '$.issue.title', \
             'private', issue -> '$.issue.private', \
             'author', issue -> '$.author') \
         FROM items WHERE installation = ? AND issue ->> '$.issue.open' \
         ORDER BY item DESC LIMIT ?",
    )
    .bind(installation.0.cast_signed())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await
    .map_err(database("listing open issues"))?;
    let issues = issues.iter();
    issues.map(|json| from_json("an issue", json)).collect()
}

/// Writes what changed about an item.
pub(super) async fn change(
    conn: &mut SqliteConnection,
    installation: InstallationId,
    item: ItemId,
    changes: ItemChanges,
) -> Result<(), StoreError> {
    const DOING: &str = "changing an item";
    let item_id = item.0.cast_signed();
    add_aliases(conn, installation, item_id, &changes.aliases).await?;
    let installation = installation.0.cast_signed();
    let (is_one, aliases) = (changes.is_one, changes.aliases.clone());
    if changes.issue.is_some() || changes.held_labels.is_some() || changes.confirmed_by.is_some() {
        sqlx::query(
            "UPDATE items SET issue = coalesce(?, issue), \
                 held_labels = coalesce(?, held_labels), \
                 confirmed_by = coalesce(?, confirmed_by) \
             WHERE installation = ? AND item = ?",
        )
        .bind(changes.issue.as_ref().map(to_json).transpose()?)
        .bind(changes.held_labels.as_ref().map(to_json).transpose()?)
        .bind(changes.confirmed_by.as_ref().map(to_json).transpose()?)
        .bind(installation)
        .bind(item_id)
        .execute(&mut *conn)
        .await
        .map_err(database(DOING))?;
    }
    for (project, row) in &changes.boards {
        let query = match row {
            Some(row) => sqlx::query(
                "INSERT INTO board_rows (installation, item, project, row) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (installation, item, project) DO UPDATE SET row = excluded.row",
            )
            .bind(installation)
            .bind(item_id)
            .bind(project)
            .bind(to_json(row)?),
            None => sqlx::query(
                "DELETE FROM board_rows WHERE installation = ? AND item = ? AND project = ?",
            )
            .bind(installation)
            .bind(item_id)
            .bind(project),
        };
        query.execute(&mut *conn).await.map_err(database(DOING))?;
    }
    for (key, entry) in &changes.ledger {
        sqlx::query(
            "INSERT INTO ledger (installation, item, act, entry) VALUES (?, ?, ?, ?) \
             ON CONFLICT (installation, item, act) DO NOTHING",
        )
        .bind(installation)
        .bind(item_id)
        .bind(&key.0)
        .bind(to_json(entry)?)
        .execute(&mut *conn)
        .await
        .map_err(database(DOING))?;
    }
    for (key, comment) in &changes.comments {
        sqlx::query(
            "INSERT INTO comments (installation, item, key, comment) VALUES (?, ?, ?, ?) \
             ON CONFLICT (installation, item, key) DO UPDATE SET comment = excluded.comment",
        )
        .bind(installation)
        .bind(item_id)
        .bind(key)
        .bind(to_json(comment)?)
        .execute(&mut *conn)
        .await
        .map_err(database(DOING))?;
    }
    for (key, answer) in &changes.answers {
        sqlx::query(
            "INSERT INTO answers (installation, item, key, answer) VALUES (?, ?, ?, ?) \
             ON CONFLICT (installation, item, key) DO UPDATE SET answer = excluded.answer",
        )
        .bind(installation)
        .bind(item_id)
        .bind(key)
        .bind(to_json(answer)?)
        .execute(&mut *conn)
        .await
        .map_err(database(DOING))?;
    }
    history::append(conn, installation, item_id, &changes.history).await?;
    history::name_people(conn, installation, &changes.people).await?;
    boards::change_places(conn, installation, item_id, &changes).await?;
    if is_one {
        join::join(conn, installation, item_id, &aliases).await?;
    }
    Ok(())
}

pub(super) fn id(item: i64) -> ItemId {
    ItemId(item.cast_unsigned())
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| unreadable("a value to be stored", e))
}

pub(super) fn from_json<T: DeserializeOwned>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| unreadable(what, e))
}
