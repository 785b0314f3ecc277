//! The property that makes looking twice harmless: decided, written and decided again, nothing is
//! left to write. And the same input always gives the same decision.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};

use crate::policy::form;
use crate::policy::model::FieldKind;
use crate::policy::tests::{loaded, shipped_sources, sketch_sources};
use crate::triage::apply_to;
use crate::triage::snapshot::{BoardRow, Demand, FieldValue, Guess, PostedComment};

use super::*;

/// Cases for each policy.
const CASES: u32 = 500;

/// Holds, tables, overrides, observed rules, several rules on one target, enforced ones.
const MIXED: &str = r#"
  - { id: k1, when: 'issue.title.contains("paper")', set: { kind: feature }, because: b }
  - { id: k2, when: 'issue.title.contains("add")', set: { kind: bug }, because: b }
  - { id: k3, when: 'issue.title.contains("hub")', set: { kind: task }, overrides: [k1, k2], because: b }
  - { id: g1, hold: { goal: goals.signalled }, because: b }
  - { id: g2, when: 'kind == "bug"', set: { goal: teaching }, because: b }
  - { id: g3, when: 'issue.title.contains("hub")', hold: { goal: research }, mode: observe, because: b }
  - { id: h1, when: 'kind == "feature" && size(goal) > 0', hold: { priority: p1 }, sticky: note, because: b }
  - { id: h2, when: 'kind == "bug"', hold: { priority: p2 }, on_board: delivery, because: b }
  - { id: s1, when: 'priority == "p2"', set: { stage: todo }, mode: observe, because: b }
  - { id: s2, when: 'priority == "p1" && current.stage != "todo"', set: { stage: doing }, because: b }
  - { id: m, when: unaligned, set: { milestone: none }, enforce: true, sticky: hello, because: b }
  - { id: l, when: 'priority in ["p1", "p2"]', label: hot, no_label: cold, because: b }
  - { id: x, when: 'priority == ""', set: { secret: x }, because: b }
  - choose:
      secret:
        by: form["Secret"]
        table: { "y": y }
    id: y
    because: b
    overrides: [x]
"#;

const WORDS: &[&str] = &[
    "add",
    "please",
    "hub",
    "down",
    "paper",
    "course",
    "workshop",
    "initiative",
    "docs",
    "crashes",
    "where",
    "upstream",
    "self-service",
    "student",
    "revert",
    "?",
    "cost",
];

fn snapshots(policy: &Policy) -> impl Strategy<Value = Snapshot> + use<> {
    let mut labels: Vec<String> =
        vec!["hot".into(), "cold".into(), "support".into(), "else".into()];
    let mut acts: Vec<(String, AttributeValue)> = Vec::new();
    for attribute in policy.attributes.values() {
        for v in &attribute.values {
            labels.extend(attribute.label.as_ref().map(|p| p.label(&v.id)));
            acts.push((attribute.id.clone(), attribute.of([v.id.clone()])));
        }
        acts.push((attribute.id.clone(), attribute.nothing()));
    }
    let board = policy.boards.keys().next().cloned().unwrap_or_default();
    let options = options(policy);
    let keys: Vec<String> = policy.templates.keys().cloned().collect();
    let held: Vec<String> = policy
        .rules
        .values()
        .flat_map(|r| r.labels.clone())
        .collect();
    let roles: Vec<String> = policy.roles.keys().cloned().collect();
    let mut causes: Vec<String> = policy.rules.keys().cloned().collect();
    causes.push("nobody".into());
    let mut holds: Vec<(String, String)> = Vec::new();
    for rule in policy.rules.values() {
        let held = rule.wishes.iter().filter(|w| w.hold);
        holds.extend(held.map(|w| (rule.id.clone(), w.attribute.clone())));
    }

    let label_count = labels.len().min(4);
    let held_count = held.len();
    let text = (vec(select(WORDS), 0..5), form_answers(), any::<bool>());
    let shown = (
        subsequence(labels, 0..=label_count),
        prop_oneof![3 => Just(String::new()), 1 => Just("June".to_owned())],
        proptest::option::of(vec(select(options), 0..3)),
    );
    let people = (
        btree_set(select(roles.clone()), 0..2),
        btree_set(select(roles), 0..2),
    );
    let past = (
        vec(ledger_entry(acts, causes, holds), 0..4),
        btree_map(select(keys), posted(), 0..2),
        subsequence(held, 0..=held_count),
    );
    let guess = proptest::option::of((select(vec!["feature", "task", ""]), 0.0..1.0_f64));
    (text, shown, people, past, guess, any::<bool>()).prop_map(
        move |(
            (words, form, open),
            (labels, milestone, fields),
            (roles, confirmed),
            past,
            guess,
            private,
        )| {
            let (ledger, comments, held) = past;
            let mut s = item(&words.join(" "));
            s.issue.body = form::render(form.iter().map(|(k, v)| (*k, *v)));
            s.issue.open = open;
            s.issue.private = private;
            s.issue.labels = labels;
            s.issue.milestone = milestone;
            s.author.roles = roles;
            s.confirmed_by = confirmed;
            s.demand = Demand {
                requests: 2,
                communities: 2,
            };
            s.guess = guess.map(|(kind, kind_confidence)| Guess {
                kind: kind.to_owned(),
                kind_confidence,
            });
            if let Some(fields) = fields {
                let fields = fields
                    .into_iter()
                    .map(|(k, v)| (k, FieldValue::Option(v)))
                    .collect();
                s.boards.insert(
                    board.clone(),
                    BoardRow {
                        node_id: "r".into(),
                        fields,
                        ..BoardRow::default()
                    },
                );
            }
            s.ledger = ledger;
            s.comments = comments;
            s.held_labels = held.into_iter().collect::<BTreeSet<_>>();
            s
        },
    )
}

/// Every field that shows an attribute, with every option it may have.
fn options(policy: &Policy) -> Vec<(String, String)> {
    let mut options: Vec<(String, String)> = Vec::new();
    for attribute in policy.attributes.values() {
        for field in &attribute.fields {
            let names: Vec<String> = match &field.kind {
                Some(FieldKind::Options(names)) => names.clone(),
                _ => attribute.values.iter().map(|v| v.id.clone()).collect(),
            };
            options.extend(names.into_iter().map(|n| (field.field.clone(), n)));
        }
    }
    options
}

fn form_answers() -> impl Strategy<Value = BTreeMap<&'static str, &'static str>> {
    let answers = vec![
        ("Ticket request type", "Feature Request"),
        ("Ticket request type", "Technical questions"),
        ("Ticket request type", "Something is not working"),
        ("Ticket impact", "High"),
        ("Ticket impact", "Critical"),
        ("Secret", "y"),
        ("Goal", "Teaching"),
    ];
    vec(select(answers), 0..3).prop_map(|pairs| pairs.into_iter().collect())
}

/// Anything that may have been done before; a hold only by a rule that holds that attribute.
fn ledger_entry(
    acts: Vec<(String, AttributeValue)>,
    rules: Vec<String>,
    holds: Vec<(String, String)>,
) -> impl Strategy<Value = LedgerEntry> {
    let kinds = vec![
        (Act::Set, Rank::Ambient),
        (Act::Set, Rank::Rule),
        (Act::Hold, Rank::Rule),
        (Act::Set, Rank::Person),
        (Act::Set, Rank::Command),
        (Act::Set, Rank::Override),
        (Act::Release, Rank::Command),
    ];
    (select(acts), select(kinds), select(rules), select(holds)).prop_map(
        |((attribute, value), (act, rank), cause, (holder, held))| match act {
            Act::Hold if held == attribute => entry(&attribute, act, rank, value, &holder),
            Act::Hold => entry(&attribute, Act::Set, rank, value, &cause),
            _ => entry(&attribute, act, rank, value, &cause),
        },
    )
}

fn posted() -> impl Strategy<Value = PostedComment> {
    (any::<bool>(), any::<bool>()).prop_map(|(deleted, collapsed)| PostedComment {
        id: crate::ids::CommentId(1),
        fingerprint: "old".into(),
        deleted,
        collapsed,
    })
}

/// `NORTHSTAR_CASES=50000` looks longer.
fn cases() -> u32 {
    let cases = std::env::var("NORTHSTAR_CASES").ok();
    cases.and_then(|n| n.parse().ok()).unwrap_or(CASES)
}

fn settles(name: &str, policy: &Policy) {
    let mut runner = TestRunner::new(Config {
        cases: cases(),
        failure_persistence: None,
        ..Config::default()
    });
    let (mut all, mut changed) = (0_u32, 0_u32);
    let counts = std::cell::RefCell::new((&mut all, &mut changed));
    runner
        .run(&snapshots(policy), |before| {
            let (decision, planned) = run(policy, &before);
            prop_assert_eq!(&decision, &decide(policy, &before));
            let mut counts = counts.borrow_mut();
            *counts.0 += 1;
            *counts.1 += u32::from(!planned.changes.is_empty());
            drop(counts);
            let after = apply_to(&before, &decision, &planned);
            let (again, left) = run(policy, &after);
            prop_assert!(
                left.is_empty(),
                "first {:#?}\nleft {:#?}\nthe second time {:#?}",
                writes(&planned),
                left,
                again.held
            );
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    println!("{name}: {changed} of {all} items planned a change");
    assert!(
        changed * 3 >= all,
        "{name}: only {changed} of {all} planned a change"
    );
}

#[test]
fn deciding_writing_and_deciding_again_plans_nothing() {
    settles("mixed", &policy(MIXED));
    settles("mixed, revert", &with(MIXED, "unauthorised: revert"));
    settles(
        "sketch",
        &loaded(&sketch_sources()).with_mode(Mode::Enforce),
    );
    settles(
        "shipped",
        &loaded(&shipped_sources()).with_mode(Mode::Enforce),
    );
}

/// Found by the property: what was held while a rule enforced, and that rule only watches now.
#[test]
fn what_a_rule_held_is_taken_back_by_its_own_mode_alone() {
    let policy = policy(MIXED);
    for (title, labels, held) in [
        ("", vec!["kind/bug", "goal/research"], "research"),
        ("paper", vec!["goal/teaching"], "teaching"),
    ] {
        let mut before = item(title);
        before.issue.labels = labels.into_iter().map(str::to_owned).collect();
        before.ledger = vec![entry("goal", Act::Hold, Rank::Rule, many([held]), "g3")];
        let (decision, planned) = run(&policy, &before);
        assert!(!planned.is_empty());
        let off = format!("label - goal/{held}");
        assert!(!writes(&planned).contains(&off), "{planned:#?}");
        let (_, left) = run(&policy, &apply_to(&before, &decision, &planned));
        assert!(left.changes.is_empty(), "{left:#?}");
    }
}
