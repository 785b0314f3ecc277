//! What people did, as the ledger tells it, against what GitHub shows.

use std::collections::BTreeMap;

use crate::triage::ledger;
use crate::triage::snapshot::{BoardRow, FieldValue};

use super::*;

const KIND: &str = "  - { id: k, set: { priority: p3 }, on_board: delivery, because: b }";

fn row(priority: &str) -> BoardRow {
    BoardRow {
        node_id: "R".to_owned(),
        fields: BTreeMap::from([(
            "Priority".to_owned(),
            FieldValue::Option(priority.to_owned()),
        )]),
        ..BoardRow::default()
    }
}

fn by(rank: Rank, value: &str) -> LedgerEntry {
    entry("priority", Act::Set, rank, one(value), "field")
}

#[test]
fn of_several_acts_the_latest_that_github_still_shows_counts() {
    let policy = policy(KIND);
    let mut item = item("x");
    item.issue.labels = vec!["priority/p3".into()];
    item.boards.insert("delivery".into(), row("p1"));
    // She set p2 and then p1; the second word came first.
    item.ledger = vec![
        by(Rank::Rule, "p3"),
        by(Rank::Person, "p1"),
        by(Rank::Person, "p2"),
    ];
    let (decision, plan) = run(&policy, &item);
    assert_eq!(value(&decision, "priority"), "p1");
    assert_eq!(
        writes(&plan),
        ["label - priority/p3", "label + priority/p1"]
    );
}

#[test]
fn a_card_that_was_taken_off_is_put_back_by_people_only() {
    let policy = policy(KIND);
    let mut item = item("x");
    let (_, plan) = run(&policy, &item);
    assert!(writes(&plan).contains(&"board delivery: add".to_owned()));
    let act = |on: &str| {
        let name = ledger::on_board("delivery");
        entry(&name, Act::Set, Rank::Ambient, one(on), "board")
    };
    item.ledger = vec![act("")];
    let (decision, plan) = run(&policy, &item);
    assert_eq!(writes(&plan), ["label + priority/p3"]);
    assert_eq!(whys(&decision), ["taken off the board by hand"]);
    item.ledger.push(act("delivery"));
    item.boards.insert("delivery".into(), row("p3"));
    let (decision, _) = run(&policy, &item);
    assert!(decision.held.is_empty());
}

#[test]
fn the_policys_own_fact_says_what_is_critical() {
    let facts = "facts: { critical: 'priority == \"p1\"' }";
    let rules = "  - { id: k, when: 'issue.title == \"fire\"', set: { priority: p1 }, because: b }";
    let policy = with(rules, facts);
    assert!(run(&policy, &item("fire")).0.critical);
    assert!(!run(&policy, &item("critical incident")).0.critical);
    let none = super::policy(rules);
    assert!(!run(&none, &item("fire")).0.critical);
}
