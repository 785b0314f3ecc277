//! Gates and caps, decided for a whole board.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::ids::{ItemId, UserId};
use crate::triage::board::{
    Ask, Board, BoardDecision, Content, End, Limit, Mover, OrderKey, Pass, Place, Row, Standing,
    judge, returned,
};

use super::*;

const LIMITS: &str = r#"
version: 1
organization: o
mode: enforce
roles: { lead: { teams: [l] } }
boards: { delivery: { project: 1 } }
attributes: { triage: { values: [accepted], label: "triage/{value}" } }
facts: { capacity: "3 - 1" }
principles:
- id: few
  statement: Few things at once.
  mode: MODE
  caps:
  - { id: flight, board: delivery, columns: [Flight], at_most: capacity, exempt: 'issue.number == 1', over: return, by_hand: [lead], next_by: [score desc, issue.created_at asc], because: more slows the others }
  - { id: soft, board: delivery, columns: [Review], at_most: 1, over: warn, because: reviews wait }
- id: first
  statement: Triage first.
  gates:
  - { id: accepted, board: delivery, into: [Progress, Flight], requires: 'triage == "accepted"', else: return, because: nobody has looked }
commands: { override: lead }
"#;

fn limits(mode: &str) -> Policy {
    let text = LIMITS.replace("MODE", mode);
    let sources = [Source::new("p.yaml", text)];
    load(&sources)
        .unwrap_or_else(|f| panic!("{}", crate::policy::render::text(&f.0, &sources, false)))
        .with_mode(Mode::Enforce)
}

fn row(id: u64, column: &str, minute: i64) -> Row {
    Row {
        item: ItemId(id),
        place: Place {
            name: format!("o/r#{id}"),
            title: format!("Item {id}"),
            on_board: true,
            open: true,
            column: column.to_owned(),
            came_from: Some("Next".to_owned()),
            entered_at: Some(at(minute)),
            meets: BTreeSet::from(["accepted".to_owned()]),
            order: [("flight".to_owned(), vec![OrderKey::Number(0.0)])].into(),
            ..Place::default()
        },
        standing: Some(Standing::default()),
    }
}

fn standing(mut row: Row, limits: &[&str]) -> Row {
    let inside = limits.iter().map(|l| (*l).to_owned()).collect();
    row.standing = Some(Standing {
        inside,
        turned_away: BTreeSet::new(),
    });
    row
}

fn since(policy: &Policy) -> BTreeMap<String, Timestamp> {
    let limits = Limit::of(policy, "delivery");
    limits.map(|l| (l.id().to_owned(), at(0))).collect()
}

use std::collections::BTreeMap;

fn decided(policy: &Policy, rows: &[Row]) -> BoardDecision {
    judge(&Board {
        policy,
        id: "delivery",
        now: at(1000),
        columns: &[],
        rows,
        since: &since(policy),
    })
}

fn ends(rows: &[Row], decision: &BoardDecision) -> Vec<(u64, String, End)> {
    let entries = decision.entries.iter();
    entries
        .map(|e| (rows[e.row].item.0, e.limit.clone(), e.end.clone()))
        .collect()
}

fn back(to: &str) -> End {
    End::Returned { to: to.to_owned() }
}

#[test]
fn the_newest_entry_goes_back_where_it_came_from() {
    let policy = limits("enforce");
    let old = standing(row(1, "Flight", 5), &["flight", "accepted"]);
    let rows = [row(3, "flight", 30), old, row(2, "Flight", 20)];
    let decision = decided(&policy, &rows);
    assert_eq!(ends(&rows, &decision), [(3, "flight".into(), back("Next"))]);
    let state = &decision.caps[0];
    assert_eq!((state.at_most, state.over()), (2, 0));
    assert_eq!(state.in_flight, [ItemId(1), ItemId(2)]);
    assert!(decision.standing[2].inside.contains("flight"));
    assert!(decision.standing[0].turned_away.contains("flight"));
}

#[test]
fn running_work_is_never_thrown_out_and_nobody_gets_in_until_there_is_room() {
    let policy = limits("enforce");
    let running = |id| standing(row(id, "Flight", 1), &["flight", "accepted"]);
    let rows = [running(1), running(2), running(3), row(4, "Flight", 9)];
    let decision = decided(&policy, &rows);
    assert_eq!(ends(&rows, &decision), [(4, "flight".into(), back("Next"))]);
    assert_eq!(decision.caps[0].over(), 1);
    let rows = [running(1), running(2), row(4, "Next", 9)];
    let mut rows = rows.to_vec();
    rows[2].standing.as_mut().unwrap().turned_away = BTreeSet::from(["flight".to_owned()]);
    assert_eq!(decided(&policy, &rows).caps[0].next(), None);
    rows.remove(0);
    assert_eq!(decided(&policy, &rows).caps[0].next(), Some(ItemId(4)));
}

#[test]
fn what_was_there_before_the_limit_stays() {
    let policy = limits("enforce");
    let rows: Vec<Row> = (1..=4).map(|id| row(id, "Flight", 1)).collect();
    let first = judge(&Board {
        policy: &policy,
        id: "delivery",
        now: at(7),
        columns: &[],
        rows: &rows,
        since: &BTreeMap::new(),
    });
    assert_eq!(first.entries, []);
    assert_eq!(first.caps[0].over(), 2);
    assert_eq!(first.since["flight"], at(7));
    // Found out later, and there before.
    let mut late = row(5, "Flight", -3);
    late.standing = None;
    assert_eq!(decided(&policy, &[late]).entries, []);
}

#[test]
fn what_came_within_the_second_in_which_it_began_is_not_known_to_have_come_before() {
    let policy = limits("enforce");
    let began = at(7) + jiff::SignedDuration::from_millis(400);
    let since: BTreeMap<_, _> = first_since(&policy, began);
    let judged = |entered: Timestamp| {
        let mut rows: Vec<Row> = (1..=2).map(|id| row(id, "Flight", 1)).collect();
        for row in &mut rows {
            row.standing = Some(Standing {
                inside: ["flight".to_owned()].into(),
                ..Standing::default()
            });
        }
        let mut late = row(3, "Flight", 1);
        late.standing = None;
        late.place.entered_at = Some(entered);
        rows.push(late);
        let decision = judge(&Board {
            policy: &policy,
            id: "delivery",
            now: at(9),
            columns: &[],
            rows: &rows,
            since: &since,
        });
        decision.entries.len()
    };
    assert_eq!(judged(at(7)), 1, "GitHub's whole second");
    assert_eq!(judged(at(6)), 0);
    let exactly = jiff::SignedDuration::from_millis(100);
    assert_eq!(judged(at(7) + exactly), 0);
}

fn first_since(policy: &Policy, now: Timestamp) -> BTreeMap<String, Timestamp> {
    let first = judge(&Board {
        policy,
        id: "delivery",
        now,
        columns: &[],
        rows: &[],
        since: &BTreeMap::new(),
    });
    first.since
}

#[test]
fn a_gate_returns_what_does_not_meet_it() {
    let policy = limits("enforce");
    let mut raw = row(1, "Progress", 5);
    raw.place.meets.clear();
    let mut straight = row(2, "Progress", 6);
    straight.place.meets.clear();
    straight.place.came_from = None;
    let mut passed = row(3, "Progress", 7);
    passed.place.meets.clear();
    let pass = Pass {
        until: Some(at(2000)),
        by: None,
        reason: "r".into(),
    };
    passed.place.passes.insert("accepted".into(), pass);
    let rows = [raw, straight, passed];
    let decision = decided(&policy, &rows);
    let expected = [
        (1, "accepted".to_owned(), back("Next")),
        (2, "accepted".to_owned(), back("")),
    ];
    assert_eq!(ends(&rows, &decision), expected);
    assert_eq!(decision.look_again_at, Some(at(2000)));
}

#[test]
fn overrides_count_exempt_items_do_not_and_a_leads_hand_is_an_override() {
    let policy = limits("enforce");
    let mut passed = row(1, "Flight", 10);
    let pass = Pass {
        until: None,
        by: Some(UserId(9)),
        reason: String::new(),
    };
    passed.place.passes.insert("flight".into(), pass.clone());
    let mut exempt = row(2, "Flight", 11);
    exempt.place.exempt.insert("flight".into());
    let mut hand = row(5, "Flight", 14);
    hand.place.mover = Some(Mover {
        user: UserId(1),
        roles: BTreeSet::from(["lead".to_owned()]),
    });
    let rows = [
        passed,
        exempt,
        row(3, "Flight", 12),
        row(4, "Flight", 13),
        hand,
    ];
    let decision = decided(&policy, &rows);
    let expected = [
        (4, "flight".to_owned(), back("Next")),
        (5, "flight".to_owned(), End::ByHand),
    ];
    assert_eq!(ends(&rows, &decision), expected);
    let state = &decision.caps[0];
    assert_eq!(state.in_flight, [1, 3, 5].map(ItemId));
    assert_eq!(
        (&*state.exempt, &*state.overrides),
        (&[ItemId(2)][..], &[ItemId(1)][..])
    );
}

#[test]
fn some_are_only_warned_or_reported() {
    let policy = limits("enforce");
    let rows = [row(1, "Review", 1), row(2, "Review", 2)];
    let decision = decided(&policy, &rows);
    assert_eq!(ends(&rows, &decision), [(2, "soft".into(), End::Warned)]);
    assert!(decision.standing[1].inside.contains("soft"));
    let mut rows: Vec<Row> = (1..=3).map(|id| row(id, "Flight", 1)).collect();
    rows[2].place.content = Content::Draft;
    let decision = decided(&policy, &rows);
    assert_eq!(
        ends(&rows, &decision),
        [(3, "flight".into(), End::Reported)]
    );
    rows[2].place.content = Content::Issue;
    let decision = decided(&limits("observe"), &rows);
    assert_eq!(
        ends(&rows, &decision),
        [(3, "flight".into(), End::Reported)]
    );
}

#[test]
fn closed_archived_and_absent_rows_do_not_count_and_reopened_ones_enter() {
    let policy = limits("enforce");
    let mut rows: Vec<Row> = (1..=4)
        .map(|id| standing(row(id, "Flight", 1), &["flight", "accepted"]))
        .collect();
    rows[0].place.open = false;
    rows[1].place.archived = true;
    rows[2].place.on_board = false;
    let decision = decided(&policy, &rows);
    assert_eq!(decision.caps[0].in_flight, [ItemId(4)]);
    assert!(decision.standing[0].inside.is_empty());
    rows[0].place.open = true;
    rows[0].standing = Some(Standing::default());
    rows[2] = standing(row(5, "Flight", 2), &["flight", "accepted"]);
    let decision = decided(&policy, &rows);
    assert_eq!(ends(&rows, &decision), [(1, "flight".into(), back("Next"))]);
}

#[test]
fn a_rules_move_asks_first_and_holds_its_place() {
    let policy = limits("enforce");
    let asks = |mut row: Row, minute| {
        row.place.asks = Some(Ask {
            column: "Flight".into(),
            since: at(minute),
        });
        row
    };
    let first = asks(row(1, "Next", 1), 5);
    let second = asks(row(2, "Next", 1), 6);
    let running = standing(row(3, "Flight", 1), &["flight", "accepted"]);
    let rows = [running.clone(), second.clone(), first.clone()];
    let decision = decided(&policy, &rows);
    assert_eq!(ends(&rows, &decision), [(2, "flight".into(), End::Refused)]);
    let granted = standing(first, &["flight", "accepted"]);
    let rows = [running, second, granted, row(4, "Flight", 4)];
    let decision = decided(&policy, &rows);
    let expected = [
        (4, "flight".to_owned(), back("Next")),
        (2, "flight".to_owned(), End::Refused),
    ];
    assert_eq!(ends(&rows, &decision), expected);
}

#[test]
fn who_is_sent_back_finds_the_place_there_free_or_stands_in_no_column() {
    let policy = limits("enforce");
    // It ran in Flight, went to Progress without being accepted any more, and Flight filled up.
    let mut away = standing(row(1, "Progress", 9), &["flight"]);
    away.place.came_from = Some("Flight".into());
    away.place.meets.clear();
    let other = |id| standing(row(id, "Flight", 1), &["flight", "accepted"]);
    let rows = [away.clone(), other(2), other(3)];
    let decision = decided(&policy, &rows);
    assert_eq!(ends(&rows, &decision), [(1, "accepted".into(), back(""))]);
    let mut there = away;
    there
        .standing
        .as_mut()
        .unwrap()
        .inside
        .insert("accepted".into());
    assert_eq!(decided(&policy, &[there]).entries, []);
}

#[test]
fn the_comment_names_what_runs_but_nothing_private_and_nothing_internal() {
    let policy = limits("enforce");
    let mut secret = standing(row(1, "Flight", 1), &["flight", "accepted"]);
    secret.place.private = true;
    secret.place.name = "o/secret#1".into();
    secret.place.title = "Hidden @everyone".into();
    let mut shown = standing(row(2, "Flight", 2), &["flight", "accepted"]);
    shown.place.title = "Hello @everyone <b>".into();
    let rows = [secret, shown, row(3, "Flight", 3)];
    let decision = decided(&policy, &rows);
    let limit = Limit::named(&policy, "flight").unwrap();
    let text =
        |place: &Place| returned(&policy, &rows, &decision, place, ItemId(3), (limit, "Next"));
    insta::assert_snapshot!(text(&rows[2].place));
    let mut friend = rows[2].place.clone();
    friend.private = true;
    friend.name = "o/secret#3".into();
    assert!(text(&friend).contains("`o/secret#1`"), "{}", text(&friend));
    friend.name = "o/other#3".into();
    assert!(!text(&friend).contains("o/secret"), "{}", text(&friend));
}

/// A world of a few columns in which anybody moves anything, and what is decided is done.
#[derive(Clone, Debug)]
enum Happens {
    Move(usize, usize),
    Close(usize, bool),
    Archive(usize, bool),
    Pass(usize, bool),
    Decide,
}

const COLUMNS: [&str; 5] = ["", "Next", "Progress", "Flight", "Review"];

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => (0..8usize, 0..COLUMNS.len()).prop_map(|(i, c)| Happens::Move(i, c)),
        1 => (0..8usize, any::<bool>()).prop_map(|(i, b)| Happens::Close(i, b)),
        1 => (0..8usize, any::<bool>()).prop_map(|(i, b)| Happens::Archive(i, b)),
        1 => (0..8usize, any::<bool>()).prop_map(|(i, b)| Happens::Pass(i, b)),
        3 => Just(Happens::Decide),
    ]
}

/// Carries a decision out; gives back how many went where.
fn carry_out(rows: &mut [Row], decision: &BoardDecision, minute: i64) -> usize {
    for (row, standing) in rows.iter_mut().zip(&decision.standing) {
        row.standing = Some(standing.clone());
    }
    let mut returned = 0;
    for entry in &decision.entries {
        if let End::Returned { to } = &entry.end {
            let place = &mut rows[entry.row].place;
            place.came_from = Some(std::mem::replace(&mut place.column, to.clone()));
            place.entered_at = Some(at(minute));
            returned += 1;
        }
    }
    returned
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_cap_holds_whatever_happens(story in vec(happens(), 1..60), shuffle in any::<u64>()) {
        let policy = limits("enforce");
        let mut rows: Vec<Row> = (10..18).map(|id| row(id, "Next", 0)).collect();
        rows[0].place.exempt.insert("flight".into());
        rows[1].place.meets.clear();
        for (minute, what) in (1..).zip(story.into_iter().chain([Happens::Decide])) {
            match what {
                Happens::Move(i, c) => {
                    let place = &mut rows[i].place;
                    if place.column != COLUMNS[c] {
                        let from = std::mem::replace(&mut place.column, COLUMNS[c].to_owned());
                        place.came_from = Some(from);
                        place.entered_at = Some(at(minute));
                    }
                }
                Happens::Close(i, closed) => rows[i].place.open = !closed,
                Happens::Archive(i, archived) => rows[i].place.archived = archived,
                Happens::Pass(i, true) => {
                    let pass = Pass { until: None, by: None, reason: String::new() };
                    rows[i].place.passes.insert("flight".into(), pass);
                }
                Happens::Pass(i, false) => { rows[i].place.passes.clear(); }
                Happens::Decide => {
                    let before = rows.clone();
                    let decision = decided(&policy, &rows);
                    // The order of the rows says nothing.
                    let mut turned = rows.clone();
                    let by = usize::try_from(shuffle % 8).unwrap();
                    turned.rotate_left(by);
                    let again = decided(&policy, &turned);
                    prop_assert_eq!(ends(&rows, &decision), ends(&turned, &again));
                    // Nothing that was let in is thrown out.
                    for entry in &decision.entries {
                        let inside = &before[entry.row].standing.as_ref().unwrap().inside;
                        prop_assert!(!inside.contains(&entry.limit));
                    }
                    carry_out(&mut rows, &decision, minute);
                    let there = |row: &&Row| {
                        let p = &row.place;
                        p.column == "Flight" && p.open && !p.archived
                    };
                    let counted: Vec<&Row> = rows.iter().filter(there)
                        .filter(|r| !r.place.exempt.contains("flight")).collect();
                    let by_right = |row: &Row| {
                        before.iter().any(|b| b.item == row.item
                            && b.standing.as_ref().unwrap().inside.contains("flight"))
                    };
                    let standing = counted.iter().filter(|r| by_right(r)).count();
                    let new = counted.iter().filter(|r| !by_right(r))
                        .filter(|r| !r.place.passes.contains_key("flight")).count();
                    prop_assert!(new == 0 || standing + new <= 2, "{:?}", decision.entries);
                    // Decided again, nothing is left to do.
                    let settled = decided(&policy, &rows);
                    prop_assert_eq!(ends(&rows, &settled), []);
                }
            }
        }
    }
}
