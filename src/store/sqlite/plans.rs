//! How far rules reach of their own accord, and what waits because it would be too far.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection, SqlitePool};

use crate::ids::{InstallationId, RepositoryId};
use crate::store::{HeldItem, HeldPlan, LaneKey, Lease, Reach, Reached, StoreError};
use crate::triage::change::Write;

use super::items::{from_json, id, to_json};
use super::{database, instant, lanes, micros, unreadable};

const DOING: &str = "counting what rules change";
/// Letters and digits of a plan's id.
const ID_LENGTH: usize = 6;

/// May this be written? What may not is put into the plan that waits, or begins one.
pub(super) async fn reach(
    conn: &mut SqliteConnection,
    lease: &Lease,
    reach: Reach,
) -> Result<Reached, StoreError> {
    lanes::held(conn, lease).await?;
    let installation = lease.installation.0.cast_signed();
    let item = reach.item.item.0.cast_signed();
    let kept_since = micros(reach.kept_since);
    let released: Vec<String> = sqlx::query_scalar(
        "SELECT p.writes FROM planned p JOIN plans ON plans.installation = p.installation \
             AND plans.id = p.plan \
         WHERE p.installation = ? AND p.item = ? AND made_at > ? AND applied_at IS NOT NULL",
    )
    .bind(installation)
    .bind(item)
    .bind(kept_since)
    .fetch_all(&mut *conn)
    .await
    .map_err(database(DOING))?;
    let mut let_go: Vec<Write> = Vec::new();
    for writes in released {
        let writes: Vec<Write> = from_json("a plan", &writes)?;
        let_go.extend(writes.into_iter().filter(|w| reach.item.writes.contains(w)));
    }
    if !let_go.is_empty() {
        return Ok(Reached::Only(let_go));
    }
    let waiting: Option<String> = sqlx::query_scalar(
        "SELECT id FROM plans WHERE installation = ? AND made_at > ? AND applied_at IS NULL \
         ORDER BY made_at LIMIT 1",
    )
    .bind(installation)
    .bind(kept_since)
    .fetch_optional(&mut *conn)
    .await
    .map_err(database(DOING))?;
    let plan = if let Some(plan) = waiting {
        plan
    } else if others_lately(conn, installation, item, &reach).await? < reach.at_most {
        sqlx::query(
            "INSERT INTO unasked (installation, item, at) VALUES (?1, ?2, ?3) \
             ON CONFLICT (installation, item) DO UPDATE SET at = ?3",
        )
        .bind(installation)
        .bind(item)
        .bind(micros(reach.at))
        .execute(conn)
        .await
        .map_err(database(DOING))?;
        return Ok(Reached::All);
    } else {
        begin(conn, installation, reach.at).await?
    };
    sqlx::query(
        "INSERT INTO planned (installation, plan, item, name, private, lane, writes) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(installation)
    .bind(&plan)
    .bind(item)
    .bind(&reach.item.name)
    .bind(reach.item.private)
    .bind(lease.lane.to_string())
    .bind(to_json(&reach.item.writes)?)
    .execute(conn)
    .await
    .map_err(database(DOING))?;
    Ok(Reached::Waits { plan })
}

async fn others_lately(
    conn: &mut SqliteConnection,
    installation: i64,
    item: i64,
    reach: &Reach,
) -> Result<usize, StoreError> {
    let others: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM unasked WHERE installation = ? AND item <> ? AND at > ?",
    )
    .bind(installation)
    .bind(item)
    .bind(micros(reach.since))
    .fetch_one(conn)
    .await
    .map_err(database(DOING))?;
    Ok(usize::try_from(others).unwrap_or(usize::MAX))
}

async fn begin(
    conn: &mut SqliteConnection,
    installation: i64,
    at: Timestamp,
) -> Result<String, StoreError> {
    let seed = format!("{installation}:{at}");
    let hash = Sha256::digest(seed.as_bytes());
    // Nothing that is taken for another when it is typed.
    let letters = b"23456789abcdefghjkmnpqrstuvwxyz";
    let id: String = hash
        .iter()
        .take(ID_LENGTH)
        .map(|byte| char::from(letters[usize::from(*byte) % letters.len()]))
        .collect();
    sqlx::query("INSERT INTO plans (installation, id, made_at) VALUES (?, ?, ?)")
        .bind(installation)
        .bind(&id)
        .bind(micros(at))
        .execute(conn)
        .await
        .map_err(database(DOING))?;
    Ok(id)
}

/// Lets a plan that waits be written: its items are looked at again. Whether there was one.
pub(super) async fn let_go(
    conn: &mut SqliteConnection,
    installation: InstallationId,
    plan: &str,
    (at, kept_since): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    let installation = installation.0.cast_signed();
    let done = sqlx::query(
        "UPDATE plans SET applied_at = ? \
         WHERE installation = ? AND id = ? AND made_at > ? AND applied_at IS NULL",
    )
    .bind(micros(at))
    .bind(installation)
    .bind(plan)
    .bind(micros(kept_since))
    .execute(&mut *conn)
    .await
    .map_err(database("letting a plan go"))?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let lanes: Vec<String> =
        sqlx::query_scalar("SELECT lane FROM planned WHERE installation = ? AND plan = ?")
            .bind(installation)
            .bind(plan)
            .fetch_all(&mut *conn)
            .await
            .map_err(database("letting a plan go"))?;
    for lane in lanes {
        lanes::wake(conn, installation, &lane, micros(at)).await?;
    }
    Ok(true)
}

/// Plans made since then, the newest first.
pub(super) async fn all(
    pool: &SqlitePool,
    installation: InstallationId,
    kept_since: Timestamp,
) -> Result<Vec<HeldPlan>, StoreError> {
    const DOING: &str = "reading plans";
    let installation = installation.0.cast_signed();
    let rows = sqlx::query(
        "SELECT id, made_at, applied_at FROM plans WHERE installation = ? AND made_at > ? \
         ORDER BY made_at DESC",
    )
    .bind(installation)
    .bind(micros(kept_since))
    .fetch_all(pool)
    .await
    .map_err(database(DOING))?;
    let mut plans = Vec::new();
    for row in rows {
        let plan: String = row.get("id");
        let items = sqlx::query(
            "SELECT item, name, private, writes FROM planned \
             WHERE installation = ? AND plan = ? ORDER BY item",
        )
        .bind(installation)
        .bind(&plan)
        .fetch_all(pool)
        .await
        .map_err(database(DOING))?;
        let applied_at: Option<i64> = row.get("applied_at");
        let item = |row: &sqlx::sqlite::SqliteRow| {
            Ok(HeldItem {
                item: id(row.get("item")),
                name: row.get("name"),
                private: row.get("private"),
                writes: from_json("a plan", row.get("writes"))?,
            })
        };
        plans.push(HeldPlan {
            id: plan,
            made_at: instant(row.get("made_at"))?,
            applied_at: applied_at.map(instant).transpose()?,
            items: items.iter().map(item).collect::<Result<_, StoreError>>()?,
        });
    }
    Ok(plans)
}

/// Notes by which policy items are decided from now on. If it was another before, every open issue
/// that was decided on is looked at again. How many.
pub(super) async fn policy(
    conn: &mut SqliteConnection,
    installation: InstallationId,
    fingerprint: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    const DOING: &str = "noting the policy";
    let installation = installation.0.cast_signed();
    let known: Option<String> =
        sqlx::query_scalar("SELECT fingerprint FROM policies WHERE installation = ?")
            .bind(installation)
            .fetch_optional(&mut *conn)
            .await
            .map_err(database(DOING))?;
    if known.as_deref() == Some(fingerprint) {
        return Ok(0);
    }
    sqlx::query(
        "INSERT INTO policies (installation, fingerprint) VALUES (?1, ?2) \
         ON CONFLICT (installation) DO UPDATE SET fingerprint = ?2",
    )
    .bind(installation)
    .bind(fingerprint)
    .execute(&mut *conn)
    .await
    .map_err(database(DOING))?;
    if known.is_none() {
        return Ok(0);
    }
    // What is only known from history (`stale`) was never triaged, and is not now.
    let issues = sqlx::query(
        "SELECT issue ->> '$.repository_id' AS repository, issue ->> '$.issue.number' AS number \
         FROM items WHERE installation = ? AND issue IS NOT NULL \
             AND issue ->> '$.issue.open' AND NOT issue ->> '$.stale'",
    )
    .bind(installation)
    .fetch_all(&mut *conn)
    .await
    .map_err(database(DOING))?;
    for issue in &issues {
        let number = |name: &'static str| {
            let number: i64 = issue.try_get(name).map_err(|e| unreadable("an issue", e))?;
            Ok::<_, StoreError>(number.cast_unsigned())
        };
        let lane = LaneKey::Issue {
            repository: RepositoryId(number("repository")?),
            number: number("number")?,
        };
        lanes::wake(conn, installation, &lane.to_string(), micros(now)).await?;
    }
    Ok(u64::try_from(issues.len()).unwrap_or(u64::MAX))
}
