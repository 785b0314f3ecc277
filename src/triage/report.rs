//! A decision as people and programs read it. Pure: strings out, colour is the shell's.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::policy::model::Policy;

use super::change::{Change, Plan, Write};
use super::decision::{Decision, Mode};
use super::snapshot::{FieldValue, Snapshot};

/// The object of `decide --format json`: what `enforce` would do, and the policy's mode.
#[must_use]
pub fn json(policy: &Policy, snapshot: &Snapshot, decision: &Decision, plan: &Plan) -> Value {
    let writes: Vec<&Write> = all(plan).map(|c| &c.write).collect();
    let labels = |want_on: bool| -> Vec<&str> {
        let picked = writes.iter().filter_map(|w| match w {
            Write::AddLabel { label } if want_on => Some(label.as_str()),
            Write::RemoveLabel { label } if !want_on => Some(label.as_str()),
            _ => None,
        });
        picked.collect()
    };
    let comments: Vec<Value> = writes
        .iter()
        .filter_map(|w| match w {
            Write::Comment { key, body, .. } => Some(json!({"key": key, "body": body})),
            Write::EditComment {
                key,
                body,
                collapsed,
            } => Some(json!({"key": key, "body": body, "edited": true, "collapsed": collapsed})),
            _ => None,
        })
        .collect();
    let attributes: Map<String, Value> = policy
        .attributes
        .keys()
        .filter_map(|id| {
            let outcome = decision.attributes.get(id)?;
            Some((id.clone(), serde_json::to_value(&outcome.value).ok()?))
        })
        .collect();
    let fired: Vec<Value> = decision
        .fired
        .iter()
        .map(|r| json!({"rule": r.rule, "principle": r.principle, "because": r.because, "mode": r.mode}))
        .collect();
    let held: Vec<Value> = decision
        .held
        .iter()
        .map(|h| json!({"attribute": h.attribute, "would_set": h.would_set, "reason": h.why, "rule": h.reason.rule}))
        .collect();
    json!({
        "item": format!("{}#{}", snapshot.issue.repository, snapshot.issue.number),
        "mode": policy.mode,
        "attributes": attributes,
        "labels": {"add": labels(true), "remove": labels(false)},
        "milestone": if writes.contains(&&Write::ClearMilestone) { "clear" } else { "keep" },
        "board": boards(&writes),
        "comments": comments,
        "fired": fired,
        "held": held,
        "needs_human": decision.needs_human,
        "look_again_at": decision.look_again_at,
    })
}

/// Changes that are written and those that would be.
fn all(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().chain(&plan.withheld)
}

fn boards(writes: &[&Write]) -> Vec<Value> {
    let mut boards: Map<String, Value> = Map::new();
    for write in writes {
        let (Write::AddToBoard { board }
        | Write::SetField { board, .. }
        | Write::Archive { board }) = write
        else {
            continue;
        };
        let entry = boards
            .entry(board.clone())
            .or_insert_with(|| json!({"board": board, "add": false, "set": {}}));
        match write {
            Write::SetField { field, value, .. } => {
                entry["set"][field] = json!(value.as_ref().map(FieldValue::text));
            }
            Write::Archive { .. } => entry["archive"] = json!(true),
            _ => entry["add"] = json!(true),
        }
    }
    boards.into_iter().map(|(_, v)| v).collect()
}

/// The decision in a few lines of plain text.
#[must_use]
pub fn text(policy: &Policy, snapshot: &Snapshot, decision: &Decision, plan: &Plan) -> String {
    let mut out = String::new();
    let issue = &snapshot.issue;
    let _ = writeln!(
        out,
        "{}#{}  {}",
        issue.repository, issue.number, issue.title
    );
    let _ = writeln!(out, "mode {}", mode_word(policy.mode));
    section(
        &mut out,
        "is",
        policy.attributes.keys().filter_map(|id| {
            let outcome = decision.attributes.get(id)?;
            if outcome.value.is_empty() && outcome.current.is_empty() {
                return None;
            }
            let was = if outcome.value == outcome.current {
                String::new()
            } else if outcome.current.is_empty() {
                " (new)".to_owned()
            } else {
                format!(" (was {})", outcome.current)
            };
            let value = if outcome.value.is_empty() {
                "none".to_owned()
            } else {
                outcome.value.to_string()
            };
            Some(format!("{id}: {value}{was}"))
        }),
    );
    section(
        &mut out,
        "writes",
        plan.changes.iter().map(|c| in_words(&c.write)),
    );
    section(
        &mut out,
        "would write",
        plan.withheld
            .iter()
            .map(|c| format!("{}   [{}]", in_words(&c.write), mode_word(c.reason.mode))),
    );
    section(
        &mut out,
        "because",
        decision
            .fired
            .iter()
            .map(|r| format!("{} ({}): {}", r.rule, r.principle, r.because)),
    );
    section(
        &mut out,
        "held back",
        decision.held.iter().map(|h| {
            let what = if h.would_set.is_empty() {
                "none".to_owned()
            } else {
                h.would_set.to_string()
            };
            format!(
                "{}: {what}, wanted by {}: {}",
                h.attribute, h.reason.rule, h.why
            )
        }),
    );
    if decision.needs_human {
        out.push_str("a human has to look at this\n");
    }
    if let Some(at) = decision.look_again_at {
        let _ = writeln!(out, "look again at {at}");
    }
    out
}

fn section(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    for (i, line) in lines.enumerate() {
        if i == 0 {
            let _ = writeln!(out, "{title}");
        }
        let _ = writeln!(out, "  {line}");
    }
}

/// A mode, as the policy writes it.
#[must_use]
pub fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Suggest => "suggest",
        Mode::Enforce => "enforce",
    }
}

/// One write, as one says it.
#[must_use]
pub fn in_words(write: &Write) -> String {
    match write {
        Write::AddLabel { label } => format!("label + {label}"),
        Write::RemoveLabel { label } => format!("label - {label}"),
        Write::ClearMilestone => "milestone cleared".to_owned(),
        Write::Close { reason, .. } => format!("closed: {reason}"),
        Write::AddToBoard { board } => format!("board {board}: add"),
        Write::SetField {
            board,
            field,
            value,
        } => match value {
            Some(value) => format!("board {board}: {field} = {}", value.text()),
            None => format!("board {board}: {field} emptied"),
        },
        Write::Archive { board } => format!("board {board}: archive"),
        Write::Comment { key, .. } => format!("comment {key}"),
        Write::React { sign, .. } => format!("a sign: {sign:?}").to_lowercase(),
        Write::EditComment {
            key,
            collapsed: true,
            ..
        } => format!("comment {key} folded away"),
        Write::EditComment { key, .. } => format!("comment {key} edited"),
    }
}
