//! What happened to items, and the digests that were made of it.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, SqlitePool};

use crate::ids::{InstallationId, UserId};
use crate::store::{Backfill, DigestRecord, Happened, Happening, MirrorIssue, Past, StoreError};

use super::items::{from_json, id, to_json};
use super::{database, instant, micros};

/// Writes down what happened, and when that was learned.
pub(super) async fn append(
    conn: &mut SqliteConnection,
    installation: i64,
    item: i64,
    history: &[(Timestamp, Happening)],
) -> Result<(), StoreError> {
    for (noted_at, happening) in history {
        sqlx::query(
            "INSERT INTO history (installation, item, at, noted_at, what) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(installation)
        .bind(item)
        .bind(micros(happening.at))
        .bind(micros(*noted_at))
        .bind(to_json(&happening.what)?)
        .execute(&mut *conn)
        .await
        .map_err(database("writing history"))?;
    }
    Ok(())
}

/// Since when history is recorded.
pub(super) async fn since(
    pool: &SqlitePool,
    installation: InstallationId,
) -> Result<Option<Timestamp>, StoreError> {
    // What was learned within a minute was heard of as it happened.
    let since: Option<i64> = sqlx::query_scalar(
        "SELECT min(CASE WHEN noted_at - at BETWEEN 0 AND 60000000 THEN at ELSE noted_at END) \
         FROM history WHERE installation = ?",
    )
    .bind(installation.0.cast_signed())
    .fetch_one(pool)
    .await
    .map_err(database("reading since when there is history"))?;
    since.map(instant).transpose()
}

/// Rows come by the hundred, as lines of one text: each row that is fetched has a price of its own,
/// and there are hundreds of thousands.
const ISSUES: &str = "SELECT group_concat(item || ' ' || issue, char(10) ORDER BY item) \
     FROM items WHERE installation = ? AND issue IS NOT NULL GROUP BY item / 100";
const LEDGER: &str = "SELECT group_concat(item || ' ' || entry, char(10) ORDER BY id) \
     FROM ledger WHERE installation = ?1 \
         AND item NOT IN (SELECT item FROM joined WHERE installation = ?1) GROUP BY id / 500";
const HISTORY: &str = "SELECT group_concat(item || ' ' || at || ' ' || what, char(10) ORDER BY id) \
     FROM history WHERE installation = ?1 \
         AND item NOT IN (SELECT item FROM joined WHERE installation = ?1) GROUP BY id / 500";

/// What the headings of a form begin with.
const FORM: &str = "### ";

async fn each_line(
    conn: &mut SqliteConnection,
    query: &'static str,
    installation: i64,
    mut take: impl FnMut(&str) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut texts = sqlx::query_scalar::<_, String>(query)
        .bind(installation)
        .fetch(conn);
    while let Some(text) = texts
        .try_next()
        .await
        .map_err(database("reading history"))?
    {
        text.lines().try_for_each(&mut take)?;
    }
    Ok(())
}

/// A number and what follows it.
fn numbered<'l>(what: &'static str, line: &'l str) -> Result<(i64, &'l str), StoreError> {
    let read = line
        .split_once(' ')
        .and_then(|(number, rest)| Some((number.parse().ok()?, rest)));
    read.ok_or_else(|| super::unreadable(what, line.to_owned()))
}

/// Everything, read at one moment.
pub(super) async fn past(
    pool: &SqlitePool,
    installation: InstallationId,
) -> Result<Past, StoreError> {
    const DOING: &str = "reading history";
    let since = since(pool, installation).await?;
    let read_back = backfill(pool, installation).await?.done_at.is_some();
    let installation = installation.0.cast_signed();
    let mut tx = pool.begin().await.map_err(database(DOING))?;
    let mut past = Past {
        since,
        read_back,
        ..Past::default()
    };
    each_line(&mut tx, ISSUES, installation, |line| {
        let (item, issue) = numbered("an issue", line)?;
        let mut mirror: MirrorIssue = from_json("an issue", issue)?;
        if !mirror.issue.body.contains(FORM) {
            mirror.issue.body = String::new();
        }
        past.issues.push((id(item), mirror));
        Ok(())
    })
    .await?;
    each_line(&mut tx, LEDGER, installation, |line| {
        let (item, entry) = numbered("a ledger entry", line)?;
        let entry = from_json("a ledger entry", entry)?;
        past.ledger.entry(id(item)).or_default().push(entry);
        Ok(())
    })
    .await?;
    each_line(&mut tx, HISTORY, installation, |line| {
        let (item, rest) = numbered("what happened", line)?;
        let (at, what) = numbered("what happened", rest)?;
        let happening = Happening {
            at: instant(at)?,
            what: from_json("what happened", what)?,
        };
        past.history.push((id(item), happening));
        Ok(())
    })
    .await?;
    // In the order in which it happened, and of one instant, in which it was learned.
    past.history.sort_by_key(|(_, happening)| happening.at);
    let rows = sqlx::query("SELECT item, place FROM board_places WHERE installation = ?")
        .bind(installation)
        .fetch_all(&mut *tx)
        .await
        .map_err(database(DOING))?;
    for row in rows {
        past.places
            .push((id(row.get("item")), from_json("a place", row.get("place"))?));
    }
    let states: Vec<String> =
        sqlx::query_scalar("SELECT state FROM board_states WHERE installation = ?")
            .bind(installation)
            .fetch_all(&mut *tx)
            .await
            .map_err(database(DOING))?;
    for state in states {
        past.boards.push(from_json("a board", &state)?);
    }
    let rows = sqlx::query("SELECT person, login FROM people WHERE installation = ?")
        .bind(installation)
        .fetch_all(&mut *tx)
        .await
        .map_err(database(DOING))?;
    for row in rows {
        let person: i64 = row.get("person");
        past.people
            .insert(UserId(person.cast_unsigned()), row.get("login"));
    }
    Ok(past)
}

/// Writes down what an item that is known already went through before it was.
pub(super) async fn append_earlier(
    conn: &mut SqliteConnection,
    installation: i64,
    item: i64,
    history: &[(Timestamp, Happening)],
) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT at, noted_at, what FROM history WHERE installation = ? AND item = ? ORDER BY id",
    )
    .bind(installation)
    .bind(item)
    .fetch_all(&mut *conn)
    .await
    .map_err(database("reading history"))?;
    let known_at: Option<i64> = rows.iter().map(|row| row.get("noted_at")).min();
    let known: Vec<(i64, String)> = rows
        .iter()
        .map(|row| (row.get("at"), row.get("what")))
        .collect();
    let mut earlier = Vec::new();
    for (noted_at, happening) in history {
        let at = micros(happening.at);
        let what = to_json(&happening.what)?;
        // An opening is known once; all else by its time.
        let is_known = known.iter().any(|(known_at, known)| {
            *known == what && (*known_at == at || happening.what == Happened::Opened)
        });
        if known_at.is_none_or(|known_at| at < known_at) && !is_known {
            earlier.push((*noted_at, happening.clone()));
        }
    }
    append(conn, installation, item, &earlier).await
}

/// How far history was read that happened before anybody listened.
pub(super) async fn backfill(
    pool: &SqlitePool,
    installation: InstallationId,
) -> Result<Backfill, StoreError> {
    let state: Option<String> =
        sqlx::query_scalar("SELECT state FROM backfills WHERE installation = ?")
            .bind(installation.0.cast_signed())
            .fetch_optional(pool)
            .await
            .map_err(database("reading how far history was read"))?;
    state.map_or_else(
        || Ok(Backfill::default()),
        |state| from_json("how far history was read", &state),
    )
}

/// Notes how far history was read.
pub(super) async fn put_backfill(
    conn: &mut SqliteConnection,
    installation: InstallationId,
    state: &Backfill,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO backfills (installation, state) VALUES (?1, ?2) \
         ON CONFLICT (installation) DO UPDATE SET state = ?2",
    )
    .bind(installation.0.cast_signed())
    .bind(to_json(state)?)
    .execute(conn)
    .await
    .map_err(database("noting how far history was read"))?;
    Ok(())
}

/// Writes a digest that was made.
pub(super) async fn put_digest(
    conn: &mut SqliteConnection,
    installation: InstallationId,
    record: &DigestRecord,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO digests (installation, digest, slot_at, record) VALUES (?, ?, ?, ?) \
         ON CONFLICT (installation, digest, slot_at) DO UPDATE SET record = excluded.record",
    )
    .bind(installation.0.cast_signed())
    .bind(&record.digest)
    .bind(micros(record.slot_at))
    .bind(to_json(record)?)
    .execute(conn)
    .await
    .map_err(database("keeping a digest"))?;
    Ok(())
}

/// The digests that were made, the newest first.
pub(super) async fn digests(
    pool: &SqlitePool,
    installation: InstallationId,
    digest: &str,
    limit: usize,
) -> Result<Vec<DigestRecord>, StoreError> {
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT record FROM digests WHERE installation = ? AND digest = ? \
         ORDER BY slot_at DESC LIMIT ?",
    )
    .bind(installation.0.cast_signed())
    .bind(digest)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await
    .map_err(database("reading digests"))?;
    found.iter().map(|r| from_json("a digest", r)).collect()
}

/// The newest of every digest.
pub(super) async fn newest_digests(pool: &SqlitePool) -> Result<Vec<DigestRecord>, StoreError> {
    // With max(), SQLite takes the other columns from the row that has it.
    let rows = sqlx::query(
        "SELECT record, max(slot_at) FROM digests GROUP BY installation, digest \
         ORDER BY installation, digest",
    )
    .fetch_all(pool)
    .await
    .map_err(database("reading digests"))?;
    rows.iter()
        .map(|row| from_json("a digest", row.get("record")))
        .collect()
}

/// Notes by which name people go now.
pub(super) async fn name_people(
    conn: &mut SqliteConnection,
    installation: i64,
    people: &BTreeMap<UserId, String>,
) -> Result<(), StoreError> {
    for (person, login) in people {
        sqlx::query(
            "INSERT INTO people (installation, person, login) VALUES (?1, ?2, ?3) \
             ON CONFLICT (installation, person) DO UPDATE SET login = ?3 WHERE login <> ?3",
        )
        .bind(installation)
        .bind(person.0.cast_signed())
        .bind(login)
        .execute(&mut *conn)
        .await
        .map_err(database("naming somebody"))?;
    }
    Ok(())
}

/// The installations that items are known of.
pub(super) async fn installations(pool: &SqlitePool) -> Result<Vec<InstallationId>, StoreError> {
    let found: Vec<i64> =
        sqlx::query_scalar("SELECT DISTINCT installation FROM items ORDER BY installation")
            .fetch_all(pool)
            .await
            .map_err(database("listing installations"))?;
    let found = found
        .into_iter()
        .map(|id| InstallationId(id.cast_unsigned()));
    Ok(found.collect())
}
