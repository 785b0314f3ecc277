//! Fields that show no attribute, and archiving: one test for each sentence.

use std::collections::BTreeMap;

use crate::triage::apply_to;
use crate::triage::ledger;
use crate::triage::snapshot::{BoardRow, FieldValue, Iteration};

use super::*;

const PINS: &str = "boards: { delivery: { fields: { Status: [todo, doing], Priority: [p1, p2, p3], \
                    Size: number, Ends: date, Note: text, Sprint: iteration, Team: [Red, Blue] } } }";

/// A policy of these rules over the pinned board.
fn pinned(rules: &str) -> Policy {
    let text = format!("{HEAD}\nprinciples:\n- id: p\n  statement: s\n  rules:\n{rules}");
    let sources = [
        Source::new("p.yaml", text),
        Source::new("p.lock.yaml", PINS),
    ];
    load_contradicting(&sources)
        .unwrap_or_else(|f| panic!("{}", crate::policy::render::text(&f.0, &sources, false)))
        .with_mode(Mode::Enforce)
}

/// An item on the board, whose row shows this.
fn on_board(fields: &[(&str, FieldValue)]) -> Snapshot {
    let mut item = item("An idea");
    let fields = fields.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    let row = BoardRow {
        node_id: "r".into(),
        fields: fields.collect(),
        ..BoardRow::default()
    };
    item.boards.insert("delivery".into(), row);
    item
}

fn size(n: f64) -> (&'static str, FieldValue) {
    ("Size", FieldValue::Number(n))
}

fn said(rank: Rank, value: &str) -> LedgerEntry {
    let name = ledger::field("delivery", "Size");
    entry(&name, Act::Set, rank, one(value), "s")
}

#[test]
fn each_kind_of_field_takes_its_kind_of_value_and_no_more_is_written_when_it_is_there() {
    let policy = pinned(
        "  - id: s\n    fields: { delivery.Size: size(issue.title) * 2, delivery.Ends: 2026-12-24, \
         delivery.Note: 'of {author.login}', delivery.Team: 'issue.open ? \"Red\" : \"Blue\"', \
         delivery.Sprint: Sprint 7 }\n    because: b\n",
    );
    let mut before = on_board(&[("Note", FieldValue::Text("of ".into()))]);
    before.author.login = "@ada\nlovelace".into();
    let (decision, plan) = run(&policy, &before);
    assert_eq!(
        writes(&plan),
        [
            "board delivery: Size = 14",
            "board delivery: Ends = 2026-12-24",
            "board delivery: Note = of @ada lovelace",
            "board delivery: Team = Red",
            "board delivery: Sprint = Sprint 7",
        ]
    );
    let after = apply_to(&before, &decision, &plan);
    assert!(run(&policy, &after).1.is_empty());
}

#[test]
fn a_person_keeps_a_field_and_nobody_in_particular_keeps_it_from_the_same_value() {
    let policy = pinned("  - { id: s, fields: { delivery.Size: 3 }, because: b }\n");
    for (rank, why) in [
        (Rank::Person, "set by a human"),
        (
            Rank::Ambient,
            "changed by hand by somebody who may not set it, and kept",
        ),
    ] {
        let mut snapshot = on_board(&[size(8.0)]);
        snapshot.ledger = vec![said(Rank::Rule, "3"), said(rank, "8")];
        let (decision, plan) = run(&policy, &snapshot);
        assert!(plan.is_empty(), "{plan:?}");
        assert_eq!(whys(&decision), [why]);
    }
    // What was there before any rule wrote is not kept.
    let (_, plan) = run(&policy, &on_board(&[size(8.0)]));
    assert_eq!(writes(&plan), ["board delivery: Size = 3"]);
}

#[test]
fn rules_that_disagree_write_nothing_unless_one_goes_first() {
    let small = "  - { id: s, fields: { delivery.Size: 1 }, because: b }\n";
    let large = "  - { id: l, fields: { delivery.Size: 9 }, because: b }\n";
    let clash = pinned(&format!("{small}{large}"));
    let (decision, plan) = run(&clash, &on_board(&[]));
    assert!(plan.is_empty() && decision.needs_human);
    assert_eq!(whys(&decision), ["two rules disagree: s and l"; 2]);
    let large = large.replace("because", "overrides: [s], because");
    let (_, plan) = run(&pinned(&format!("{small}{large}")), &on_board(&[]));
    assert_eq!(writes(&plan), ["board delivery: Size = 9"]);
}

#[test]
fn a_field_that_is_written_in_vain_is_left_to_a_human() {
    let policy = pinned("  - { id: s, fields: { delivery.Size: 3 }, because: b }\n");
    let mut snapshot = on_board(&[]);
    snapshot.ledger = vec![said(Rank::Rule, "3"); FLAPPING];
    let (decision, plan) = run(&policy, &snapshot);
    assert!(plan.is_empty() && decision.needs_human, "{decision:?}");
}

#[test]
fn an_iteration_is_the_one_of_that_moment_and_the_item_wakes_when_it_ends() {
    let policy = pinned("  - { id: s, fields: { delivery.Sprint: '@current' }, because: b }\n");
    let mut snapshot = on_board(&[]);
    let (decision, plan) = run(&policy, &snapshot);
    assert!(plan.is_empty());
    assert_eq!(whys(&decision), ["the board has no such iteration now"]);
    let sprint = |title: &str, start: &str| Iteration {
        title: title.into(),
        start: start.parse().unwrap(),
        days: 14,
    };
    let all = vec![sprint("One", "2026-01-01"), sprint("Two", "2026-01-15")];
    let all = BTreeMap::from([("Sprint".to_owned(), all)]);
    snapshot.iterations.insert("delivery".into(), all);
    for (now, title) in [
        ("2026-01-14T23:59:59Z", "One"),
        ("2026-01-15T00:00:00Z", "Two"),
    ] {
        snapshot.now = now.parse().unwrap();
        let (decision, plan) = run(&policy, &snapshot);
        assert_eq!(writes(&plan), [format!("board delivery: Sprint = {title}")]);
        assert!(decision.look_again_at > Some(snapshot.now));
    }
}

#[test]
fn what_is_archived_is_not_written_to_and_what_was_brought_back_stays() {
    let rules = "  - { id: s, fields: { delivery.Size: 3 }, archive: delivery, because: b }\n";
    let policy = pinned(rules);
    let before = on_board(&[]);
    let (decision, plan) = run(&policy, &before);
    let done = ["board delivery: Size = 3", "board delivery: archive"];
    assert_eq!(writes(&plan), done);
    let mut after = apply_to(&before, &decision, &plan);
    after.boards.get_mut("delivery").unwrap().fields.clear();
    assert!(run(&policy, &after).1.is_empty());
    after.boards.get_mut("delivery").unwrap().archived = false;
    let name = ledger::archived("delivery");
    after
        .ledger
        .push(entry(&name, Act::Set, Rank::Ambient, one(""), "board"));
    let (decision, plan) = run(&policy, &after);
    assert_eq!(writes(&plan), ["board delivery: Size = 3"]);
    assert_eq!(whys(&decision), ["brought back by hand"]);
}
