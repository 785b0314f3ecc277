//! The policy's own tests: an item is given, what becomes of it is expected.
//!
//! Each is decided as `enforce` would, written, and decided again: the second time nothing may be
//! left to write, or the rules would chase each other on GitHub.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::triage::attribute::AttributeValue;
use crate::triage::change::Plan;
use crate::triage::decision::{Decision, Mode};
use crate::triage::report::in_words;
use crate::triage::snapshot::Snapshot;
use crate::triage::{apply_to, decide, plan};

use super::model::Policy;

/// One example of a policy.
#[derive(Clone, Debug)]
pub struct Example {
    pub name: String,
    pub given: Snapshot,
    pub expect: Expected,
    pub file: String,
    /// From 1.
    pub line: usize,
}

/// What is expected. What is not named may be anything.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    pub attributes: BTreeMap<String, AttributeValue>,
    /// These rules fired, among others.
    pub fired: Vec<String>,
    /// These did not.
    pub not_fired: Vec<String>,
    /// Labels that are on afterwards.
    pub labels: Vec<String>,
    /// Labels that are not on afterwards.
    pub no_labels: Vec<String>,
    /// Keys of the comments that stand afterwards; exactly these.
    pub comments: Option<Vec<String>>,
    /// Boards that the item is on afterwards; exactly these.
    pub on_board: Option<Vec<String>>,
    /// Fields afterwards, by (board, field).
    pub fields: BTreeMap<(String, String), String>,
    /// Attributes of which some rule did not get what it wanted.
    pub held: Vec<String>,
    /// The milestone afterwards.
    pub milestone: Option<String>,
}

/// How one example ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExampleResult {
    pub name: String,
    pub file: String,
    pub line: usize,
    /// Empty: it holds. Else one sentence for each difference.
    pub differences: Vec<String>,
    /// The same as lines: `- ` what was expected, `+ ` what became of it.
    pub diff: Vec<String>,
}

impl ExampleResult {
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }

    /// Where the example stands and how what became of it differs, for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{} ({}:{})\n", self.name, self.file, self.line);
        for line in &self.diff {
            out.push_str("    ");
            out.push_str(line);
            out.push('\n');
        }
        out
    }
}

/// Collects differences, each as a sentence and as lines of a diff.
#[derive(Default)]
struct Differences {
    sentences: Vec<String>,
    diff: Vec<String>,
}

impl Differences {
    /// `- what: wanted`, `+ what: found`, and in a sentence.
    fn add(&mut self, what: &str, wanted: &str, found: &str, sentence: String) {
        self.diff.push(format!("- {what}: {wanted}"));
        self.diff.push(format!("+ {what}: {found}"));
        self.sentences.push(sentence);
    }

    /// Something that should not be at all.
    fn extra(&mut self, sentence: String) {
        self.diff.push(format!("+ {sentence}"));
        self.sentences.push(sentence);
    }
}

/// Runs the policy's examples in their order.
#[must_use]
pub fn run(policy: &Policy) -> Vec<ExampleResult> {
    policy
        .examples
        .iter()
        .map(|example| {
            let found = differences(policy, example);
            ExampleResult {
                name: example.name.clone(),
                file: example.file.clone(),
                line: example.line,
                differences: found.sentences,
                diff: found.diff,
            }
        })
        .collect()
}

/// Decides, whatever the policy's modes, as if everything were enforced.
fn enforced(policy: &Policy, snapshot: &Snapshot) -> (Decision, Plan) {
    let mut decision = decide(policy, snapshot);
    let reasons = decision
        .attributes
        .values_mut()
        .flat_map(|o| o.reason.iter_mut().chain(o.by.values_mut()))
        .chain(decision.labels.values_mut().map(|(_, r)| r))
        .chain(decision.on_boards.values_mut())
        .chain(decision.fields.iter_mut().map(|f| &mut f.reason))
        .chain(decision.archive.values_mut())
        .chain(decision.clear_milestone.as_mut())
        .chain(decision.comments.iter_mut().map(|c| &mut c.reason))
        .chain(decision.fired.iter_mut());
    for reason in reasons {
        reason.mode = Mode::Enforce;
    }
    let mut planned = plan(policy, snapshot, &decision);
    planned.changes.append(&mut planned.withheld);
    (decision, planned)
}

fn differences(policy: &Policy, example: &Example) -> Differences {
    let (decision, planned) = enforced(policy, &example.given);
    let after = apply_to(&example.given, &decision, &planned);
    let mut out = Differences::default();
    compare(&example.expect, &decision, &after, &mut out);
    let (_, again) = enforced(policy, &after);
    for change in &again.changes {
        out.extra(format!(
            "looking a second time would still write: {} ({})",
            in_words(&change.write),
            change.reason.rule
        ));
    }
    for assignment in &again.assignments {
        out.extra(format!(
            "looking a second time would assign `{}` again ({})",
            assignment.attribute, assignment.reason.rule
        ));
    }
    out
}

fn compare(expect: &Expected, decision: &Decision, after: &Snapshot, out: &mut Differences) {
    let shown = |value: &AttributeValue| {
        if value.is_empty() {
            "none".to_owned()
        } else {
            value.to_string()
        }
    };
    for (id, wanted) in &expect.attributes {
        if let Some(outcome) = decision.attributes.get(id)
            && outcome.value != *wanted
        {
            let by = outcome
                .reason
                .as_ref()
                .map_or(String::new(), |r| format!(", by {}", r.rule));
            let (found, wanted) = (shown(&outcome.value), shown(wanted));
            let sentence = format!("`{id}` is {found}{by}, not {wanted}");
            out.add(id, &wanted, &format!("{found}{by}"), sentence);
        }
    }
    let fired: Vec<&str> = decision.fired.iter().map(|r| r.rule.as_str()).collect();
    for rule in &expect.fired {
        if !fired.contains(&rule.as_str()) {
            let fired = list(&fired);
            let sentence = format!("`{rule}` did not fire; these did: {fired}");
            out.add("fired", rule, &fired, sentence);
        }
    }
    for rule in &expect.not_fired {
        if fired.contains(&rule.as_str()) {
            out.add(
                "fired",
                &format!("not {rule}"),
                rule,
                format!("`{rule}` fired"),
            );
        }
    }
    let on = |label: &String| {
        after
            .issue
            .labels
            .iter()
            .any(|l| l.eq_ignore_ascii_case(label))
    };
    for label in expect.labels.iter().filter(|l| !on(l)) {
        let there = list(&after.issue.labels);
        let sentence = format!("the label `{label}` is not there; these are: {there}");
        out.add("labels", label, &there, sentence);
    }
    for label in expect.no_labels.iter().filter(|l| on(l)) {
        let sentence = format!("the label `{label}` is there");
        out.add("labels", &format!("not {label}"), label, sentence);
    }
    if let Some(wanted) = &expect.comments {
        let keys: Vec<&String> = after.comments.keys().collect();
        exactly("comments", wanted, &keys, out);
    }
    if let Some(wanted) = &expect.on_board {
        let boards: Vec<&String> = after.boards.keys().collect();
        exactly("boards", wanted, &boards, out);
    }
    for ((board, field), wanted) in &expect.fields {
        let text = after
            .boards
            .get(board)
            .and_then(|row| row.fields.get(field))
            .map_or_else(
                || "none".to_owned(),
                crate::triage::snapshot::FieldValue::text,
            );
        if text != *wanted {
            let what = format!("{board}.{field}");
            let sentence = format!("`{what}` is {text}, not {wanted}");
            out.add(&what, wanted, &text, sentence);
        }
    }
    for attribute in &expect.held {
        if !decision.held.iter().any(|h| h.attribute == *attribute) {
            let sentence = format!("nothing about `{attribute}` was held back");
            out.add("held", attribute, "nothing of it", sentence);
        }
    }
    if let Some(milestone) = &expect.milestone
        && after.issue.milestone != *milestone
    {
        let found = &after.issue.milestone;
        let sentence = format!("the milestone is `{found}`, not `{milestone}`");
        out.add("milestone", milestone, found, sentence);
    }
}

fn exactly(what: &str, wanted: &[String], there: &[&String], out: &mut Differences) {
    let mut sorted: Vec<&String> = wanted.iter().collect();
    sorted.sort();
    if sorted != there {
        let (found, wanted) = (list(there), list(&sorted));
        let sentence = format!("{what} are {found}, not {wanted}");
        out.add(what, &wanted, &found, sentence);
    }
}

fn list<S: AsRef<str>>(items: &[S]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items
        .iter()
        .map(AsRef::as_ref)
        .collect::<Vec<_>>()
        .join(", ")
}
