//! The store's promises on `SQLite`, and those that are its alone.

use std::sync::Arc;

use proptest::prelude::*;
use sqlx::{Connection, Row, SqliteConnection};

use crate::store::behaviour::{self, at, delivery, issue};
use crate::store::{Accepted, NewAudit, Store, StoreError};

use super::SqliteStore;

/// A store and the directory it lives in, which goes with it.
async fn fresh() -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory).await;
    (directory, store)
}

async fn open(directory: &tempfile::TempDir) -> SqliteStore {
    SqliteStore::open(&directory.path().join("store.db").to_string_lossy())
        .await
        .unwrap()
}

macro_rules! behaves {
    ($($promise:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $promise() {
            let (_directory, store) = fresh().await;
            behaviour::$promise(&store).await;
        }
    )*};
}

behaves! {
    a_guid_is_stored_once_for_each_installation,
    what_was_accepted_was_seen,
    a_lane_keeps_its_order_and_has_one_holder,
    a_lost_lease_writes_nothing,
    a_dead_predecessors_leases_are_given_up,
    a_renewed_lease_holds_longer,
    a_failing_head_blocks_its_lane_until_it_is_dead,
    a_failed_look_that_only_a_timer_asked_for_is_repeated,
    the_earliest_timer_wins_and_rings_once,
    finishing_wakes_other_lanes,
    forwarded_deliveries_keep_their_order,
    what_a_lane_leaves_goes_on_in_another,
    a_long_backlog_keeps_every_lanes_order,
    the_writers_queue_goes_by_priority_then_age,
    old_deliveries_are_forgotten_only_when_done,
    closed_means_closed,
    an_item_has_many_names_and_keeps_them,
    an_item_that_turns_out_to_be_another_is_taken_in,
    names_of_another_item_stay_there_without_githubs_word,
    what_changed_is_written_and_the_rest_stays,
    open_issues_are_listed_the_newest_first,
    finishing_is_all_or_nothing,
    history_is_kept_in_the_order_in_which_it_happened,
    effects_are_unsettled_until_they_are_settled,
    the_audit_trail_is_read_newest_first,
    an_item_says_where_it_stands_and_the_board_what_it_decided,
    what_a_board_shows_of_known_items_is_not_learned,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_at_once_is_there_once() {
    let (_directory, store) = fresh().await;
    behaviour::what_is_acknowledged_at_once_is_there_once(Arc::new(store)).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_does_what_its_model_does(steps in behaviour::model::steps()) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(async {
                let (_directory, store) = fresh().await;
                behaviour::model::check(&store, steps).await;
            });
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_the_store_was_dropped() {
    let (directory, store) = fresh().await;
    for i in 0..20 {
        let one = delivery(&format!("g{i}"), issue(1), i);
        assert_eq!(store.accept(one).await.unwrap(), Accepted::Stored);
    }
    drop(store); // no close: as if the process had ended
    let store = open(&directory).await;
    let again = store.accept(delivery("g7", issue(1), 50)).await.unwrap();
    assert_eq!(again, Accepted::Duplicate);
    assert_eq!(store.counts().await.unwrap().pending, 20);
    store.close().await;
    let log = directory.path().join("store.db-wal");
    let left = std::fs::metadata(&log).map_or(0, |log| log.len());
    assert_eq!(left, 0, "closing leaves no log behind");
    let store = open(&directory).await;
    assert_eq!(store.counts().await.unwrap().pending, 20);
}

#[tokio::test]
async fn calls_made_before_closing_are_answered() {
    let (directory, store) = fresh().await;
    let store = Arc::new(store);
    let calls: Vec<_> = (0..100)
        .map(|i| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.accept(delivery(&format!("g{i}"), issue(i), 0)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    store.close().await;
    let mut stored = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(Accepted::Stored) => stored += 1,
            Err(StoreError::Closed) => {}
            other => panic!("{other:?}"),
        }
    }
    let store = open(&directory).await;
    assert_eq!(store.counts().await.unwrap().pending, stored);
}

#[tokio::test]
async fn the_audit_trail_and_the_ledger_cannot_be_rewritten() {
    let (directory, store) = fresh().await;
    let line = NewAudit {
        installation: behaviour::HERE,
        at: at(0),
        item: None,
        kind: "start".to_owned(),
        actor: None,
        delivery: None,
        detail: serde_json::Value::Null,
    };
    store.append_audit(vec![line]).await.unwrap();
    let url = format!("sqlite:{}", directory.path().join("store.db").display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO items (installation) VALUES (7); \
         INSERT INTO ledger (installation, item, act, entry) VALUES (7, 1, 'a', '{}')",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    for forbidden in [
        "UPDATE audit SET kind = 'other'",
        "DELETE FROM audit",
        "UPDATE ledger SET entry = '[]'",
        "DELETE FROM ledger",
    ] {
        let error = sqlx::query(forbidden).execute(&mut conn).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
}

#[tokio::test]
async fn a_repository_that_was_kept_by_its_name_is_kept_by_its_number() {
    let (directory, store) = fresh().await;
    store.close().await;
    let url = format!("sqlite:{}", directory.path().join("store.db").display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    // As it was written before: `leads` is known, `other` is two, and of `gone` nothing is known.
    sqlx::raw_sql(
        r#"DELETE FROM _sqlx_migrations WHERE version = 50;
        INSERT INTO items (installation, issue) VALUES
            (7, '{"repository_id":42,"issue":{"repository":{"owner":"o","name":"leads"}}}'),
            (7, '{"repository_id":42,"issue":{"repository":{"owner":"o","name":"leads"}}}'),
            (8, '{"repository_id":9,"issue":{"repository":{"owner":"o","name":"leads"}}}'),
            (7, '{"repository_id":43,"issue":{"repository":{"owner":"o","name":"other"}}}'),
            (7, '{"repository_id":44,"issue":{"repository":{"owner":"o","name":"other"}}}');
        INSERT INTO ledger (installation, item, act, entry) VALUES
            (7, 1, 'a', '{"n":1,"told_in":{"owner":"O","name":"Leads"}}'),
            (7, 1, 'b', '{"n":2,"told_in":{"owner":"o","name":"other"}}'),
            (7, 1, 'c', '{"n":3,"told_in":{"owner":"o","name":"gone"}}'),
            (7, 1, 'd', '{"n":4}');"#,
    )
    .execute(&mut conn)
    .await
    .unwrap();
    open(&directory).await.close().await;
    let entries: Vec<String> = sqlx::query_scalar("SELECT entry FROM ledger ORDER BY id")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    assert_eq!(
        entries,
        [
            r#"{"n":1,"told_in":42}"#,
            r#"{"n":2,"told_in":0}"#,
            r#"{"n":3,"told_in":0}"#,
            r#"{"n":4}"#
        ]
    );
    let rewritten = sqlx::query("UPDATE ledger SET entry = '[]'");
    let error = rewritten.execute(&mut conn).await.unwrap_err();
    assert!(error.to_string().contains("append-only"), "{error}");
}

#[tokio::test]
async fn the_log_is_moved_into_the_file_and_starts_over() {
    let (directory, store) = fresh().await;
    let store = Arc::new(store);
    // Several times what a log holds, without a quiet moment.
    let url = format!("sqlite:{}", directory.path().join("store.db").display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    let payload = bytes::Bytes::from(vec![7_u8; 1024 * 1024]);
    for i in 0..80 {
        let mut big = delivery(&format!("g{i}"), issue(1), 0);
        big.payload = payload.clone();
        store.accept(big).await.unwrap();
        let mut tries = 0;
        while pages_to_move(&mut conn).await * 4096 > 8 * 1024 * 1024 {
            tries += 1;
            assert!(tries < 3_000, "no checkpoint came");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    let log = std::fs::metadata(directory.path().join("store.db-wal")).unwrap();
    assert!(
        log.len() < 40 * 1024 * 1024,
        "the log grew to {} bytes",
        log.len()
    );
}

async fn pages_to_move(conn: &mut SqliteConnection) -> i64 {
    let row = sqlx::query("PRAGMA wal_checkpoint(NOOP)")
        .fetch_one(conn)
        .await
        .unwrap();
    row.get::<i64, _>(1) - row.get::<i64, _>(2)
}

#[cfg(unix)]
#[tokio::test]
async fn the_database_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, _store) = fresh().await;
    for file in ["store.db", "store.db-wal"] {
        let mode = std::fs::metadata(directory.path().join(file)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o077, 0, "{file}");
    }
}

#[tokio::test]
async fn a_database_in_memory_is_refused() {
    for place in ["sqlite::memory:", ":memory:", "sqlite:x?mode=memory"] {
        assert!(SqliteStore::open(place).await.is_err(), "{place}");
    }
}

#[tokio::test]
async fn a_temporary_store_leaves_nothing_behind() {
    let store = SqliteStore::open_temporary().await.unwrap();
    let directory = store.temporary.clone().unwrap();
    store.writable().await.unwrap();
    assert!(directory.exists());
    store.close().await;
    assert!(!directory.exists());
}

#[tokio::test]
async fn two_processes_may_use_one_file() {
    let (directory, service) = fresh().await;
    let command_line = open(&directory).await;
    service.accept(delivery("g", issue(1), 0)).await.unwrap();
    let again = command_line.accept(delivery("g", issue(1), 0)).await;
    assert_eq!(again.unwrap(), Accepted::Duplicate);
    let (one, other) = tokio::join!(service.writable(), command_line.writable());
    one.unwrap();
    other.unwrap();
    command_line.close().await;
    assert_eq!(service.counts().await.unwrap().pending, 1);
    service.writable().await.unwrap();
}
