//! The meaning of rules, one test for each sentence.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::CommentId;
use crate::triage::apply_to;
use crate::triage::change::Write;
use crate::triage::ledger::hand_change;
use crate::triage::plan::fingerprint;
use crate::triage::snapshot::{BoardRow, FieldValue, PostedComment};
use crate::triage::{attribute_of_field, attribute_of_label};

use super::*;

fn row(fields: &[(&str, &str)]) -> BoardRow {
    BoardRow {
        node_id: "r".into(),
        fields: fields
            .iter()
            .map(|(k, v)| ((*k).to_owned(), FieldValue::Option((*v).to_owned())))
            .collect::<BTreeMap<_, _>>(),
        ..BoardRow::default()
    }
}

const BUG: &str =
    "  - { id: bugs, when: 'issue.title.contains(\"bug\")', set: { kind: bug }, because: b }\n";
const URGENT: &str =
    "  - { id: urgent, when: 'kind == \"bug\"', set: { priority: p1 }, because: b }\n";

#[test]
fn values_are_effective_whatever_the_order_of_the_rules() {
    let policy = policy(&format!("{URGENT}{BUG}"));
    let (decision, plan) = run(&policy, &item("a bug"));
    assert_eq!(value(&decision, "priority"), "p1");
    assert_eq!(writes(&plan), ["label + kind/bug", "label + priority/p1"]);
}

#[test]
fn set_stays_and_hold_is_withdrawn() {
    let rules = "  - { id: h, when: 'issue.title.contains(\"now\")', hold: { priority: p1 }, set: { kind: bug }, because: b }\n";
    let policy = policy(rules);
    let before = item("now");
    let (decision, plan) = run(&policy, &before);
    let mut after = apply_to(&before, &decision, &plan);
    after.issue.title = "later".into();
    let (decision, plan) = run(&policy, &after);
    assert_eq!(writes(&plan), ["label - priority/p1"]);
    assert_eq!(value(&decision, "kind"), "bug");
    let settled = apply_to(&after, &decision, &plan);
    assert!(run(&policy, &settled).1.is_empty());
}

#[test]
fn many_values_are_a_union_and_only_what_was_held_goes() {
    let rules = "  - { id: g, hold: { goal: goals.signalled }, because: b }\n";
    let policy = policy(rules);
    let mut before = item("a paper for the course");
    before.issue.labels = vec!["goal/teaching".into()];
    let (decision, plan) = run(&policy, &before);
    assert_eq!(writes(&plan), ["label + goal/research"]);
    let mut after = apply_to(&before, &decision, &plan);
    after.issue.title = "nothing of that".into();
    let (decision, plan) = run(&policy, &after);
    // The label that was there at opening is not the rules' to take away.
    assert_eq!(writes(&plan), ["label - goal/research"]);
    assert_eq!(decision.attributes["goal"].value, many(["teaching"]));
}

#[test]
fn a_value_that_somebody_took_off_is_not_put_back() {
    let policy = policy("  - { id: g, hold: { goal: goals.signalled }, because: b }\n");
    let mut snapshot = item("a paper for the course");
    snapshot.issue.labels = vec!["goal/teaching".into()];
    snapshot.ledger = vec![
        entry(
            "goal",
            Act::Hold,
            Rank::Rule,
            many(["research", "teaching"]),
            "g",
        ),
        entry("goal", Act::Set, Rank::Ambient, many(["teaching"]), "label"),
    ];
    let (decision, plan) = run(&policy, &snapshot);
    assert!(plan.is_empty());
    assert!(whys(&decision)[0].contains("kept"));
}

#[test]
fn rules_that_disagree_write_nothing_and_ask_for_a_human() {
    let other = "  - { id: other, set: { kind: task }, because: b }\n";
    let (decision, plan) = run(&policy(&format!("{BUG}{other}")), &item("a bug"));
    assert!(plan.is_empty());
    assert!(decision.needs_human);
    assert_eq!(
        whys(&decision),
        vec!["two rules disagree: bugs and other"; 2]
    );

    let other = "  - { id: other, set: { kind: task }, overrides: [bugs], because: b }\n";
    let (decision, _) = run(&policy(&format!("{BUG}{other}")), &item("a bug"));
    assert_eq!(value(&decision, "kind"), "task");
    assert!(!decision.needs_human && decision.held.is_empty());
}

#[test]
fn what_a_human_set_stays_and_the_rule_says_what_it_wanted() {
    let policy = policy(BUG);
    let mut snapshot = item("a bug");
    snapshot.issue.labels = vec!["kind/task".into()];
    for (rank, why) in [
        (Rank::Person, "set by a human"),
        (Rank::Command, "set by a command"),
        (Rank::Override, "overridden until it is released"),
    ] {
        snapshot.ledger = vec![entry("kind", Act::Set, rank, one("task"), "label")];
        let (decision, plan) = run(&policy, &snapshot);
        assert!(plan.is_empty(), "{rank:?}");
        assert_eq!(whys(&decision), [why]);
    }
    // Released, it is the rules' again; and what was simply there always is.
    snapshot.ledger.push(entry(
        "kind",
        Act::Release,
        Rank::Command,
        one(""),
        "/release kind",
    ));
    assert_eq!(
        writes(&run(&policy, &snapshot).1),
        ["label - kind/task", "label + kind/bug"]
    );
    snapshot.ledger.clear();
    assert_eq!(
        writes(&run(&policy, &snapshot).1),
        ["label - kind/task", "label + kind/bug"]
    );
}

#[test]
fn enforced_rules_outrank_commands_made_since_but_no_override() {
    let rules = "  - { id: e, set: { kind: bug }, enforce: true, because: b }\n";
    let mut snapshot = item("x");
    snapshot.issue.labels = vec!["kind/task".into()];
    snapshot.ledger = vec![entry(
        "kind",
        Act::Set,
        Rank::Command,
        one("task"),
        "/kind task",
    )];
    assert_eq!(
        writes(&run(&policy(rules), &snapshot).1),
        ["label - kind/task", "label + kind/bug"]
    );
    // The command was there before the policy took effect.
    let later = policy(rules).since(at(5));
    assert_eq!(
        whys(&run(&later, &snapshot).0),
        ["was there before this rule took effect"]
    );
    snapshot.ledger = vec![entry(
        "kind",
        Act::Set,
        Rank::Override,
        one("task"),
        "/override",
    )];
    assert!(run(&policy(rules), &snapshot).1.is_empty());
}

#[test]
fn a_command_reaches_every_place_in_any_mode() {
    let policy = policy(BUG).with_mode(Mode::Observe);
    let mut snapshot = item("x");
    snapshot.issue.labels = vec!["priority/p3".into()];
    snapshot
        .boards
        .insert("delivery".into(), row(&[("Priority", "P3")]));
    snapshot.ledger = vec![entry(
        "priority",
        Act::Set,
        Rank::Command,
        one("p1"),
        "/priority p1",
    )];
    let (decision, plan) = run(&policy, &snapshot);
    assert_eq!(
        writes(&plan),
        [
            "label - priority/p3",
            "label + priority/p1",
            "board delivery: Priority = p1"
        ]
    );
    assert!(
        plan.assignments.is_empty(),
        "the act is in the ledger already"
    );
    assert!(
        run(&policy, &apply_to(&snapshot, &decision, &plan))
            .1
            .is_empty()
    );
}

#[test]
fn where_label_and_field_disagree_the_ledger_decides_else_the_label() {
    let policy = policy(BUG);
    let mut snapshot = item("x");
    snapshot.issue.labels = vec!["Priority/P2".into()];
    snapshot
        .boards
        .insert("delivery".into(), row(&[("priority", "p3")]));
    assert_eq!(value(&decide(&policy, &snapshot), "priority"), "p2");
    // Simply there in two ways: nothing is taken away for that.
    assert!(run(&policy, &snapshot).1.changes.is_empty());
    snapshot.ledger = vec![entry(
        "priority",
        Act::Set,
        Rank::Person,
        one("p3"),
        "field",
    )];
    let (decision, plan) = run(&policy, &snapshot);
    assert_eq!(value(&decision, "priority"), "p3");
    assert_eq!(
        writes(&plan),
        ["label - Priority/P2", "label + priority/p3"]
    );
}

#[test]
fn a_hand_change_without_permission_is_kept_or_reverted_as_the_policy_says() {
    let mut snapshot = item("a bug");
    snapshot.issue.labels = vec!["kind/task".into()];
    snapshot.ledger = vec![
        entry("kind", Act::Set, Rank::Rule, one("bug"), "bugs"),
        entry("kind", Act::Set, Rank::Ambient, one("task"), "label"),
    ];
    let (decision, plan) = run(&with(BUG, "unauthorised: keep"), &snapshot);
    assert!(plan.is_empty());
    assert!(whys(&decision)[0].contains("kept"));
    let revert = with(BUG, "unauthorised: revert");
    assert_eq!(
        writes(&run(&revert, &snapshot).1),
        ["label - kind/task", "label + kind/bug"]
    );
    snapshot.ledger[0] = entry(
        "kind",
        Act::Set,
        Rank::Command,
        one("feature"),
        "/kind feature",
    );
    assert_eq!(
        writes(&run(&revert, &snapshot).1),
        ["label - kind/task", "label + kind/feature"]
    );
}

#[test]
fn rules_stop_when_something_undoes_them_again_and_again() {
    let policy = with(BUG, "unauthorised: revert");
    let mut snapshot = item("a bug");
    for _ in 0..crate::triage::FLAPPING {
        assert_eq!(writes(&run(&policy, &snapshot).1), ["label + kind/bug"]);
        snapshot
            .ledger
            .push(entry("kind", Act::Set, Rank::Rule, one("bug"), "bugs"));
        snapshot
            .ledger
            .push(entry("kind", Act::Set, Rank::Ambient, one(""), "label"));
    }
    let (decision, plan) = run(&policy, &snapshot);
    assert!(decision.needs_human);
    // That is said, and nothing else is done, then or later.
    let [change] = plan.changes.as_slice() else {
        panic!("{plan:?}");
    };
    assert!(matches!(&change.write, Write::Comment { key, .. } if key == "quarrel-kind"));
    assert!(plan.assignments.is_empty());
    let after = apply_to(&snapshot, &decision, &plan);
    assert!(run(&policy, &after).1.is_empty());
}

#[test]
fn modes_go_from_the_policy_to_the_principle_to_the_rule() {
    let rules = "  - { id: a, set: { kind: bug }, mode: observe, because: b }\n  - { id: b, set: { stage: todo }, on_board: delivery, because: b }\n";
    let (decision, plan) = run(&policy(rules), &item("x"));
    assert_eq!(
        writes(&plan),
        ["board delivery: add", "board delivery: Status = todo"]
    );
    assert_eq!(plan.withheld.len(), 1);
    assert_eq!(
        value(&decision, "kind"),
        "bug",
        "the decision is what enforce would do"
    );
    assert_eq!(plan.assignments.len(), 1);
}

#[test]
fn values_that_several_rules_add_at_once_go_each_by_its_own_mode() {
    let rules = "  - { id: a, when: 'issue.title.contains(\"paper\")', hold: { goal: research }, because: b }\n  - { id: b, when: 'issue.title.contains(\"course\")', hold: { goal: teaching }, mode: observe, because: b }\n";
    let policy = policy(rules);
    let before = item("a paper for the course");
    let (decision, plan) = run(&policy, &before);
    assert_eq!(
        decision.attributes["goal"].value,
        many(["research", "teaching"])
    );
    assert_eq!(writes(&plan), ["label + goal/research"]);
    assert_eq!(plan.withheld.len(), 1);
    assert_eq!(plan.withheld[0].reason.rule, "b");
    assert_eq!(plan.assignments[0].value, many(["research"]));
    let mut after = apply_to(&before, &decision, &plan);
    assert!(run(&policy, &after).1.is_empty());
    // Only what was written is withdrawn.
    after.issue.title = "neither".into();
    after.issue.labels.push("goal/teaching".into());
    assert_eq!(writes(&run(&policy, &after).1), ["label - goal/research"]);
}

#[test]
fn what_depends_on_something_observed_is_only_observed() {
    let observed = BUG.replace("because", "mode: observe, because");
    let facts = "facts: { broken: 'kind == \"bug\"' }";
    let rules =
        format!("{observed}  - {{ id: u, when: broken, set: {{ priority: p1 }}, because: b }}\n");
    let (_, plan) = run(&with(&rules, facts), &item("a bug"));
    assert!(plan.is_empty(), "{plan:?}");
    assert_eq!(plan.withheld.len(), 2);
}

#[test]
fn fields_need_a_row_and_a_row_that_is_only_observed_has_none() {
    let rules = "  - { id: b, on_board: delivery, mode: observe, because: b }\n  - { id: s, set: { stage: todo }, because: b }\n";
    let policy = policy(rules);
    let (_, plan) = run(&policy, &item("x"));
    assert!(plan.is_empty(), "{plan:?}");
    assert_eq!(plan.withheld.len(), 2);
}

#[test]
fn comments_are_posted_once_ever_and_stay_deleted() {
    let policy = policy("  - { id: c, comment: hello, because: b }\n");
    let mut snapshot = item("@everyone <script>");
    let (_, plan) = run(&policy, &snapshot);
    let body = body_of(&plan, "hello").unwrap();
    assert!(
        !body.contains("@everyone") && !body.contains("<script>"),
        "{body}"
    );
    for deleted in [false, true] {
        let posted = PostedComment {
            id: CommentId(1),
            fingerprint: "another".into(),
            deleted,
            collapsed: false,
        };
        snapshot.comments.insert("hello".into(), posted);
        assert!(run(&policy, &snapshot).1.is_empty());
    }
}

#[test]
fn stickies_are_edited_folded_and_unfolded() {
    let rules = "  - { id: k, when: 'kind != \"task\"', sticky: note, because: b }\n";
    let policy = policy(rules);
    let mut snapshot = item("x");
    let (decision, plan) = run(&policy, &snapshot);
    assert_eq!(writes(&plan), ["comment note"]);
    snapshot = apply_to(&snapshot, &decision, &plan);
    assert_eq!(
        snapshot.comments["note"].fingerprint,
        fingerprint("Kind is .")
    );
    // As GitHub called it: by that it is edited, however often.
    let id = CommentId(7);
    snapshot.comments.get_mut("note").unwrap().id = id;
    for (label, expected) in [
        ("kind/bug", vec!["comment note edited"]),
        ("kind/task", vec!["comment note folded away"]),
        ("kind/feature", vec!["comment note edited"]),
    ] {
        snapshot.issue.labels = vec![label.to_owned()];
        let (decision, plan) = run(&policy, &snapshot);
        assert_eq!(writes(&plan), expected, "{label}");
        snapshot = apply_to(&snapshot, &decision, &plan);
        assert!(run(&policy, &snapshot).1.is_empty(), "{label}");
        assert_eq!(snapshot.comments["note"].id, id);
    }
    snapshot.comments.get_mut("note").unwrap().deleted = true;
    snapshot.issue.labels.clear();
    assert!(run(&policy, &snapshot).1.is_empty());
}

#[test]
fn free_labels_are_held_and_never_put_back_against_a_hand() {
    let policy = policy(
        "  - { id: l, when: 'issue.title == \"x\"', label: hot, no_label: cold, because: b }\n",
    );
    let mut snapshot = item("x");
    snapshot.issue.labels = vec!["Cold".into()];
    let (decision, plan) = run(&policy, &snapshot);
    assert_eq!(writes(&plan), ["label - Cold", "label + hot"]);
    let mut after = apply_to(&snapshot, &decision, &plan);
    assert_eq!(after.held_labels, BTreeSet::from(["hot".to_owned()]));
    after.issue.labels.clear(); // somebody took it off
    let (decision, plan) = run(&policy, &after);
    assert!(plan.is_empty());
    assert_eq!(whys(&decision), ["taken off by hand"]);
    after.issue.labels = vec!["hot".into()];
    after.issue.title = "y".into();
    let (decision, plan) = run(&policy, &after);
    assert_eq!(writes(&plan), ["label - hot"]);
    assert!(apply_to(&after, &decision, &plan).held_labels.is_empty());
}

#[test]
fn internal_attributes_are_no_labels_in_public() {
    let policy = policy("  - { id: s, set: { secret: x }, because: b }\n");
    let mut snapshot = item("x");
    let (decision, plan) = run(&policy, &snapshot);
    assert!(plan.changes.is_empty());
    assert_eq!(plan.assignments.len(), 1, "it lives in the ledger");
    let after = apply_to(&snapshot, &decision, &plan);
    assert!(run(&policy, &after).1.is_empty());
    assert_eq!(value(&decide(&policy, &after), "secret"), "x");
    snapshot.issue.private = true;
    assert_eq!(writes(&run(&policy, &snapshot).1), ["label + secret/x"]);
}

#[test]
fn a_decision_says_when_to_look_again() {
    let policy = policy("  - { id: old, when: issue.age > days(7), label: old, because: b }\n");
    let snapshot = item("x");
    let at = decide(&policy, &snapshot).look_again_at.unwrap();
    let week = jiff::SignedDuration::from_hours(7 * 24);
    assert!(at >= snapshot.issue.created_at + week, "{at}");
    let mut later = snapshot;
    later.now = at;
    assert_eq!(writes(&run(&policy, &later).1), ["label + old"]);
}

#[test]
fn the_rank_of_a_hand_and_the_attribute_of_a_label() {
    let policy = policy(BUG);
    let roles = |r: &str| BTreeSet::from([r.to_owned()]);
    assert_eq!(
        hand_change(&policy, "priority", &roles("lead")),
        Rank::Person
    );
    assert_eq!(
        hand_change(&policy, "priority", &roles("member")),
        Rank::Ambient
    );
    assert_eq!(hand_change(&policy, "stage", &roles("lead")), Rank::Ambient);
    let (attribute, value) = attribute_of_label(&policy, "KIND/bug").unwrap();
    assert_eq!((attribute.id.as_str(), value), ("kind", "bug"));
    assert!(attribute_of_label(&policy, "kind/other").is_none());
    assert_eq!(
        attribute_of_field(&policy, "delivery", "status")
            .unwrap()
            .id,
        "stage"
    );
    assert!(attribute_of_field(&policy, "other", "Status").is_none());
}

#[test]
fn the_report_has_the_documented_shape() {
    let policy = policy(&format!(
        "{BUG}{URGENT}  - {{ id: c, comment: hello, on_board: delivery, because: b }}\n"
    ));
    let mut snapshot = item("a bug");
    snapshot.issue.labels = vec!["kind/task".into()];
    snapshot.ledger = vec![entry("priority", Act::Set, Rank::Person, one(""), "label")];
    let (decision, plan) = run(&policy, &snapshot);
    let json = report::json(&policy, &snapshot, &decision, &plan);
    assert_eq!(json["item"], "example-org/infrastructure#1");
    assert_eq!(json["attributes"]["kind"], "bug");
    assert_eq!(json["attributes"]["goal"], serde_json::json!([]));
    assert_eq!(
        json["labels"],
        serde_json::json!({"add": ["kind/bug"], "remove": ["kind/task"]})
    );
    assert_eq!(
        json["board"],
        serde_json::json!([{"board": "delivery", "add": true, "set": {}}])
    );
    assert_eq!(json["comments"][0]["key"], "hello");
    assert_eq!(json["fired"][0]["rule"], "bugs");
    assert_eq!(json["held"][0]["reason"], "set by a human");
    assert_eq!(json["held"][0]["would_set"], "p1");
    let text = report::text(&policy, &snapshot, &decision, &plan);
    assert!(
        text.contains("kind: bug (was task)") && text.contains("set by a human"),
        "{text}"
    );
}
