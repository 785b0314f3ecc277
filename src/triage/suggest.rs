//! Mode `suggest`: what rules would change is told in one comment, each with the command (or the
//! hand) that does it.
//!
//! The comment is edited as what it says changes, and folded away when nothing of it is left. What
//! shows on a board only, and what a rule would say, is not told: who reads along need not see that
//! board, and to repeat what is not to be said would be saying it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::policy::Policy;
use crate::policy::model::Attribute;
use crate::policy::template::{code, harmless};

use super::change::{Change, Plan, Write};
use super::decision::{Decision, Mode, Outcome, Reason};
use super::plan::fingerprint;
use super::projection::{attribute_of_field, attribute_of_label};
use super::snapshot::Snapshot;

/// The key of the comment, and the rule that is said to be behind it.
pub const SUGGESTIONS: &str = "suggested-changes";

/// Adds what has to become of the comment to the plan.
pub(super) fn suggest(policy: &Policy, snapshot: &Snapshot, decision: &Decision, plan: &mut Plan) {
    let lines = if snapshot.issue.open {
        lines(policy, snapshot, decision, plan)
    } else {
        Vec::new() // nobody is asked to change what is done
    };
    let key = SUGGESTIONS.to_owned();
    let body = words(&lines);
    let write = match snapshot.comments.get(SUGGESTIONS) {
        None if lines.is_empty() => return,
        None => Write::Comment {
            key,
            body,
            sticky: true,
        },
        // Somebody deleted it: they do not want to be asked here.
        Some(posted) if posted.deleted => return,
        Some(posted) if lines.is_empty() && posted.collapsed => return,
        Some(posted)
            if !lines.is_empty()
                && !posted.collapsed
                && posted.fingerprint == fingerprint(&body) =>
        {
            return;
        }
        Some(_) => Write::EditComment {
            key,
            body,
            collapsed: lines.is_empty(),
        },
    };
    let reason = Reason {
        rule: SUGGESTIONS.to_owned(),
        principle: String::new(),
        because: "rules in mode `suggest` propose, and people decide".to_owned(),
        mode: Mode::Enforce,
    };
    plan.changes.push(Change { write, reason });
}

fn words(lines: &[String]) -> String {
    if lines.is_empty() {
        return "<details><summary>I suggest nothing here any more.</summary>\n\nIt was done, or \
                decided otherwise.\n\n</details>"
            .to_owned();
    }
    format!(
        "I suggest:\n\n{}\n\nNothing of this is done by itself. What stands behind a line does it: \
         a command in a comment by somebody who may (`/help` says who), or a hand.",
        lines.join("\n")
    )
}

/// One for each attribute and label, and each other write.
fn lines(policy: &Policy, snapshot: &Snapshot, decision: &Decision, plan: &Plan) -> Vec<String> {
    let mut out = Vec::new();
    let mut told = BTreeSet::new();
    let proposed = plan.withheld.iter();
    for change in proposed.filter(|change| change.reason.mode == Mode::Suggest) {
        let attribute = match &change.write {
            Write::AddLabel { label } | Write::RemoveLabel { label } => {
                attribute_of_label(policy, label).map(|(attribute, _)| attribute)
            }
            Write::SetField { board, field, .. } => attribute_of_field(policy, board, field),
            _ => None,
        };
        if let Some(attribute) = attribute {
            let outcome = decision.attributes.get(&attribute.id);
            let hidden = attribute.internal && !snapshot.issue.private;
            if let Some(outcome) = outcome.filter(|_| !hidden && told.insert(&attribute.id)) {
                of_attribute(attribute, outcome, &change.reason, &mut out);
            }
            continue;
        }
        let (what, how) = match &change.write {
            Write::AddLabel { label } => (format!("the label {}", code(label)), "put it on"),
            Write::RemoveLabel { label } => {
                (format!("not the label {}", code(label)), "take it off")
            }
            Write::ClearMilestone => ("no milestone".to_owned(), "take it off"),
            Write::AddToBoard { board } => {
                (format!("a place on the board {}", code(board)), "add it")
            }
            _ => continue,
        };
        out.push(line(&what, &change.reason, how));
    }
    out
}

/// Its value or, of several, those that would come and go.
fn of_attribute(attribute: &Attribute, outcome: &Outcome, reason: &Reason, out: &mut Vec<String>) {
    let name = code(&attribute.id);
    let command = |sign: &str, value: &str| {
        let known = attribute.value(value);
        let word = known.and_then(|v| v.verb.as_deref()).unwrap_or(value);
        let quote = if word.contains(char::is_whitespace) {
            "\""
        } else {
            ""
        };
        code(&format!("/{} {quote}{sign}{word}{quote}", attribute.id))
    };
    if !attribute.many {
        let value = outcome.value.to_string();
        if outcome.value == outcome.current {
            return; // it is shown in one place and not in the other
        }
        let (what, how) = if value.is_empty() {
            (format!("no {name}"), command("", "none"))
        } else {
            (format!("{name} {}", code(&value)), command("", &value))
        };
        out.push(line(&what, reason, &how));
        return;
    }
    let of = |value: &str| outcome.by.get(value).unwrap_or(reason);
    let suggested = |value: &&str| of(value).mode == Mode::Suggest;
    let (new, old) = (&outcome.value, &outcome.current);
    for value in new.iter().filter(|v| !old.contains(v)).filter(suggested) {
        let what = format!("{name} {}", code(value));
        out.push(line(&what, of(value), &command("", value)));
    }
    for value in old.iter().filter(|v| !new.contains(v)).filter(suggested) {
        let what = format!("{name} without {}", code(value));
        out.push(line(&what, of(value), &command("-", value)));
    }
}

fn line(what: &str, reason: &Reason, how: &str) -> String {
    let mut out = format!("- {what}");
    if !reason.because.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(out, ", for {}", harmless(&reason.because));
    }
    let _ = write!(out, ": {how}");
    out
}
