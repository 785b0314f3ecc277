//! Whole decisions: small policies, one meaning each, and the property that a decision is final.

mod acts;
mod board;
mod explain;
mod fields;
mod meaning;
mod score;
mod settled;

use jiff::Timestamp;

use crate::policy::{Policy, Source, load, load_contradicting};

use super::attribute::AttributeValue;
use super::change::{Plan, Write};
use super::decision::{Decision, Mode};
use super::ledger::{Act, LedgerEntry, Rank};
use super::snapshot::Snapshot;
use super::{FLAPPING, decide, plan, report};

/// Attributes and roles that the small policies share.
const HEAD: &str = r#"
version: 1
organization: o
roles: { lead: { teams: [l] }, member: { organization: true } }
boards: { delivery: { project: 1 } }
goals:
  - { id: research, signals: { any_words: [paper, reproducib*] } }
  - { id: teaching, signals: { any_words: [course], forms: { Goal: [Teaching] } } }
attributes:
  kind: { values: [feature, bug, task], label: "kind/{value}" }
  goal: { values: goals, many: true, label: "goal/{value}" }
  priority: { values: [p1, p2, p3], label: "priority/{value}", field: delivery.Priority }
  stage: { values: [todo, doing], field: delivery.Status }
  secret: { values: [x, y], label: "secret/{value}", internal: true }
commands: { priority: lead, kind: [lead, member] }
templates: { hello: "Hello {author.login}: {issue.title}", note: "Kind is {kind}." }
"#;

/// A policy of these rules (an indented list), in mode `enforce`.
fn policy(rules: &str) -> Policy {
    with(rules, "")
}

fn with(rules: &str, more: &str) -> Policy {
    let text = format!("{HEAD}\n{more}\nprinciples:\n- id: p\n  statement: s\n  rules:\n{rules}");
    let sources = [Source::new("p.yaml", text)];
    load_contradicting(&sources)
        .unwrap_or_else(|f| panic!("{}", crate::policy::render::text(&f.0, &sources, false)))
        .with_mode(Mode::Enforce)
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_768_000_000 + minute * 60).unwrap()
}

/// The snapshot of an example in which nothing is given, with a title.
fn item(title: &str) -> Snapshot {
    static NOTHING_GIVEN: std::sync::LazyLock<Snapshot> = std::sync::LazyLock::new(|| {
        let text = format!("{HEAD}\nexamples:\n- {{ name: n, given: {{}}, expect: {{}} }}");
        let policy = load(&[Source::new("p.yaml", text)]).unwrap();
        policy.examples[0].given.clone()
    });
    let mut item = NOTHING_GIVEN.clone();
    title.clone_into(&mut item.issue.title);
    item
}

fn one(value: &str) -> AttributeValue {
    AttributeValue::One(value.to_owned())
}

fn many<const N: usize>(values: [&str; N]) -> AttributeValue {
    AttributeValue::Many(values.into_iter().map(str::to_owned).collect())
}

fn entry(attribute: &str, act: Act, rank: Rank, value: AttributeValue, cause: &str) -> LedgerEntry {
    LedgerEntry {
        attribute: attribute.to_owned(),
        act,
        rank,
        value,
        at: at(0),
        by: None,
        cause: cause.to_owned(),
        reason: String::new(),
        told_in: None,
        until: None,
        said_at: None,
    }
}

fn run(policy: &Policy, snapshot: &Snapshot) -> (Decision, Plan) {
    let decision = decide(policy, snapshot);
    let planned = plan(policy, snapshot, &decision);
    (decision, planned)
}

fn writes(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .map(|c| report::in_words(&c.write))
        .collect()
}

fn value(decision: &Decision, attribute: &str) -> String {
    decision.attributes[attribute].value.to_string()
}

fn whys(decision: &Decision) -> Vec<String> {
    decision.held.iter().map(|h| h.why.clone()).collect()
}

fn body_of(plan: &Plan, wanted: &str) -> Option<String> {
    plan.changes.iter().find_map(|c| match &c.write {
        Write::Comment { key, body, .. } | Write::EditComment { key, body, .. }
            if key == wanted =>
        {
            Some(body.clone())
        }
        _ => None,
    })
}
