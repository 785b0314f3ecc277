//! Boards.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::RepositoryId;
use crate::store::{
    Alias, BoardChanges, BoardState, Finish, Found, ItemChanges, LaneKey, MirrorIssue, Store,
};
use crate::triage::board::{Place, Standing, Verdict};

use super::items::mirror;
use super::{ELSEWHERE, HERE, at, issue, must_claim, put};

const BOARD: &str = "PVT_1";

fn place(column: &str) -> Place {
    Place {
        on_board: true,
        column: column.to_owned(),
        ..Place::default()
    }
}

fn verdict(id: &str) -> Verdict {
    Verdict {
        id: id.to_owned(),
        board: "delivery".to_owned(),
        back: None,
        say: None,
        by_hand: None,
        limit: "few".to_owned(),
    }
}

fn at_place(column: &str) -> ItemChanges {
    let place = Some((Some(issue(1)), place(column)));
    ItemChanges {
        places: BTreeMap::from([(BOARD.to_owned(), place)]),
        ..ItemChanges::default()
    }
}

pub(crate) async fn an_item_says_where_it_stands_and_the_board_what_it_decided(store: &dyn Store) {
    put(store, "g", issue(1), 0).await;
    let alias = [Alias::Number(RepositoryId(42), 1)];
    let item = store.ensure_item(HERE, &alias).await.unwrap();
    let lease = must_claim(store, 0).await;
    let finish = Finish {
        item: Some((item, at_place("Doing"))),
        wake_at: Some(at(9)),
        wake_lanes: vec![LaneKey::Board(BOARD.to_owned())],
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    let board = store.board(HERE, BOARD).await.unwrap();
    assert_eq!(board.state, BoardState::default());
    let first = &board.items[0];
    assert_eq!((first.item, &first.lane), (item, &Some(issue(1))));
    assert_eq!(first.record.place, place("Doing"));
    assert_eq!(first.record.standing, None);
    assert!(
        store
            .board(ELSEWHERE, BOARD)
            .await
            .unwrap()
            .items
            .is_empty()
    );

    let lease = loop {
        let lease = must_claim(store, 0).await;
        if lease.lane == LaneKey::Board(BOARD.to_owned()) {
            break lease;
        }
        let done = store.pending(&lease, 9).await.unwrap();
        let finish = Finish {
            done: done.iter().map(|d| d.seq).collect(),
            wake_at: Some(at(9)),
            ..Finish::default()
        };
        store.finish(&lease, finish).await.unwrap();
    };
    let standing = Standing {
        inside: BTreeSet::from(["few".to_owned()]),
        turned_away: BTreeSet::new(),
    };
    let state = BoardState {
        since: BTreeMap::from([("few".to_owned(), at(0))]),
        ..BoardState::default()
    };
    let changes = BoardChanges {
        project: BOARD.to_owned(),
        state: Some(state.clone()),
        standings: vec![(item, standing.clone())],
        verdicts: vec![(item, Some(verdict("1")))],
        ..BoardChanges::default()
    };
    let finish = Finish {
        board: Some(changes),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    assert_eq!(store.board(HERE, BOARD).await.unwrap().state, state);
    let known = store.item(HERE, item).await.unwrap().unwrap();
    let known = &known.places[BOARD];
    assert_eq!(known.standing, Some(standing));
    assert_eq!(known.verdict, Some(verdict("1")));

    // Another verdict has come since, or not.
    for (answered, left) in [("0", true), ("1", false)] {
        put(store, answered, issue(1), 0).await;
        let lease = must_claim(store, 10).await;
        let changes = ItemChanges {
            places: BTreeMap::from([(BOARD.to_owned(), None)]),
            answered: vec![(BOARD.to_owned(), answered.to_owned())],
            ..ItemChanges::default()
        };
        let pending = store.pending(&lease, 9).await.unwrap();
        let finish = Finish {
            done: pending.iter().map(|d| d.seq).collect(),
            item: Some((item, changes)),
            ..Finish::default()
        };
        store.finish(&lease, finish).await.unwrap();
        let known = store.item(HERE, item).await.unwrap().unwrap();
        let verdict = known.places.get(BOARD).and_then(|p| p.verdict.clone());
        assert_eq!(verdict.is_some(), left, "{answered}");
        // A place with a verdict is not forgotten before that is done.
        assert_eq!(known.places.contains_key(BOARD), left, "{answered}");
    }
}

pub(crate) async fn what_a_board_shows_of_known_items_is_not_learned(store: &dyn Store) {
    put(store, "g", LaneKey::Board(BOARD.to_owned()), 0).await;
    let lease = must_claim(store, 0).await;
    let found = |title: &str| Found {
        aliases: vec![Alias::Node("I_1".to_owned())],
        changes: ItemChanges {
            issue: Some(mirror(title)),
            ..at_place("Doing")
        },
    };
    let new = store.learn(&lease, vec![found("one")]).await.unwrap();
    assert_eq!(new.len(), 1);
    let again = store.learn(&lease, vec![found("two")]).await.unwrap();
    assert!(again.is_empty());
    let changes = BoardChanges {
        project: BOARD.to_owned(),
        stale: new.clone(),
        ..BoardChanges::default()
    };
    let finish = Finish {
        board: Some(changes),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    let known = store.item(HERE, new[0]).await.unwrap().unwrap();
    let issue: MirrorIssue = known.issue.unwrap();
    assert_eq!((&*issue.issue.title, issue.stale), ("one", true));
    let lost = store.learn(&lease, vec![found("three")]).await;
    assert!(lost.is_err(), "the lease is over");
}
