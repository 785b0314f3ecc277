//! The plan: desired state minus actual state, as the fewest writes.
//!
//! The order is always the same: labels off, labels on, milestone, boards, fields, archiving,
//! closing, comments.

use std::collections::BTreeSet;

use crate::ids::CommentId;
use crate::policy::model::{Attribute, Policy};

use super::attribute::AttributeValue;
use super::change::{Assignment, Change, Plan, Write};
use super::decision::{Decision, Mode, Outcome, Reason};
use super::ledger::{self, Act, LedgerEntry, MILESTONE, Rank};
use super::projection::{field_of, lives_in_ledger, shows_label, value_of_label};
use super::snapshot::{BoardRow, FieldValue, PostedComment, Snapshot};
use super::suggest::suggest;
use super::waiting::waiting;

/// Stands for the rule in the reasons of answers; those of commands have the command's text, which
/// begins with a slash too.
pub const ANSWER: &str = "/";

/// What has to be written for GitHub to show what was decided. Empty when it already does.
#[must_use]
pub fn plan(policy: &Policy, snapshot: &Snapshot, decision: &Decision) -> Plan {
    let mut sorted = Sorted::default();
    for (id, outcome) in &decision.attributes {
        if let Some(attribute) = policy.attributes.get(id) {
            attribute_changes(policy, snapshot, decision, attribute, outcome, &mut sorted);
        }
    }
    for (label, (on, reason)) in &decision.labels {
        let shown = find_label(snapshot, label);
        match (on, shown) {
            (true, None) => sorted.labels_on.push(change(
                Write::AddLabel {
                    label: label.clone(),
                },
                reason,
            )),
            (false, Some(shown)) => sorted.labels_off.push(change(
                Write::RemoveLabel {
                    label: shown.to_owned(),
                },
                reason,
            )),
            _ => {}
        }
    }
    if let Some(reason) = &decision.clear_milestone {
        sorted.milestone.push(change(Write::ClearMilestone, reason));
        let none = assignment(MILESTONE.to_owned(), String::new(), reason);
        sorted.assignments.extend(none);
    }
    for (board, reason) in &decision.on_boards {
        if !snapshot.boards.contains_key(board) {
            sorted.boards.push(change(
                Write::AddToBoard {
                    board: board.clone(),
                },
                reason,
            ));
        }
    }
    fields(snapshot, decision, &mut sorted);
    for (board, reason) in &decision.archive {
        let board = board.clone();
        sorted.assignments.extend(assignment(
            ledger::archived(&board),
            "archived".to_owned(),
            reason,
        ));
        sorted
            .archive
            .push(change(Write::Archive { board }, reason));
    }
    closing(snapshot, &mut sorted);
    reminders(policy, snapshot, &mut sorted);
    comments(snapshot, decision, &mut sorted);
    answers(snapshot, &mut sorted);
    let mut plan = sorted.into_plan();
    suggest(policy, snapshot, decision, &mut plan);
    plan
}

/// Changes by what they touch, so that the order of the plan does not depend on the policy's.
#[derive(Default)]
struct Sorted {
    labels_off: Vec<Change>,
    labels_on: Vec<Change>,
    milestone: Vec<Change>,
    boards: Vec<Change>,
    fields: Vec<Change>,
    archive: Vec<Change>,
    closing: Vec<Change>,
    comments: Vec<Change>,
    assignments: Vec<Assignment>,
}

impl Sorted {
    fn into_plan(self) -> Plan {
        let mut plan = Plan {
            assignments: self.assignments,
            ..Plan::default()
        };
        let all = [
            self.labels_off,
            self.labels_on,
            self.milestone,
            self.boards,
            self.fields,
            // Nothing can be set on a row that is archived.
            self.archive,
            self.closing,
            self.comments,
        ];
        for change in all.into_iter().flatten() {
            if change.reason.mode == Mode::Enforce {
                plan.changes.push(change);
            } else {
                plan.withheld.push(change);
            }
        }
        plan
    }
}

fn change(write: Write, reason: &Reason) -> Change {
    Change {
        write,
        reason: reason.clone(),
    }
}

/// What the ledger is to learn of a single value, if it is written at all.
fn assignment(attribute: String, value: String, reason: &Reason) -> Option<Assignment> {
    (reason.mode == Mode::Enforce).then(|| Assignment {
        attribute,
        value: AttributeValue::One(value),
        hold: false,
        reason: reason.clone(),
    })
}

/// Fields that show no attribute.
fn fields(snapshot: &Snapshot, decision: &Decision, sorted: &mut Sorted) {
    for wanted in &decision.fields {
        let row = snapshot.boards.get(&wanted.board);
        // A field can only be set where the row is.
        let (shown, at_most) = match (row, decision.on_boards.get(&wanted.board)) {
            (Some(row), _) if row.archived => continue,
            (Some(row), _) => (field_of(row, &wanted.field), Mode::Enforce),
            (None, Some(add)) => (None, add.mode),
            (None, None) => continue,
        };
        let text = |value: Option<&FieldValue>| value.map(FieldValue::text).unwrap_or_default();
        let to = text(wanted.value.as_ref());
        if text(shown.map(|(_, value)| value)) == to {
            continue;
        }
        let mut reason = wanted.reason.clone();
        reason.mode = reason.mode.min(at_most);
        let name = ledger::field(&wanted.board, &wanted.field);
        sorted.assignments.extend(assignment(name, to, &reason));
        let write = Write::SetField {
            board: wanted.board.clone(),
            field: shown
                .map_or(wanted.field.as_str(), |(name, _)| name)
                .to_owned(),
            value: wanted.value.clone(),
        };
        sorted.fields.push(change(write, &reason));
    }
}

fn find_label<'s>(snapshot: &'s Snapshot, label: &str) -> Option<&'s str> {
    snapshot
        .issue
        .labels
        .iter()
        .find(|l| l.eq_ignore_ascii_case(label))
        .map(String::as_str)
}

/// Label and fields of one attribute.
fn attribute_changes(
    policy: &Policy,
    snapshot: &Snapshot,
    decision: &Decision,
    attribute: &Attribute,
    outcome: &Outcome,
    sorted: &mut Sorted,
) {
    // Without a rule or command behind it a value is only shown where it is not yet shown: what
    // was there before the bot came is not taken away for being shown in two ways.
    let fill_only = outcome.reason.is_none() && outcome.rank <= Some(Rank::Ambient);
    let reason = outcome.reason.clone().unwrap_or_else(|| Reason {
        rule: String::new(),
        principle: String::new(),
        because: format!("`{}` is shown the same everywhere", attribute.id),
        mode: policy.mode,
    });
    // Of many values each has the reason and mode of its own rule.
    let of = |value: &str| outcome.by.get(value).unwrap_or(&reason);
    let mut its = Sorted::default();
    if shows_label(attribute, snapshot)
        && let Some(pattern) = &attribute.label
    {
        let mut shown: BTreeSet<&str> = BTreeSet::new();
        for label in &snapshot.issue.labels {
            let Some(value) = value_of_label(attribute, label) else {
                continue;
            };
            shown.insert(value);
            if !outcome.value.contains(value) && !fill_only {
                let label = label.clone();
                its.labels_off
                    .push(change(Write::RemoveLabel { label }, of(value)));
            }
        }
        for value in outcome.value.iter() {
            if !shown.contains(value) && (shown.is_empty() || !fill_only) {
                let label = pattern.label(value);
                its.labels_on
                    .push(change(Write::AddLabel { label }, of(value)));
            }
        }
    }
    for field in &attribute.fields {
        let row = snapshot.boards.get(&field.board);
        // A field can only be set where the row is.
        let (shown, at_most) = match (row, decision.on_boards.get(&field.board)) {
            (Some(row), _) if row.archived => continue,
            (Some(row), _) => (field_of(row, &field.field), Mode::Enforce),
            (None, Some(add)) => (None, add.mode),
            (None, None) => continue,
        };
        // A field shows all values at once: what is enforced of them now, all of them if the
        // others were.
        let all = (&outcome.value, outcome.least_mode().unwrap_or(reason.mode));
        let enforced = outcome.enforced();
        let part = (enforced != outcome.value).then_some((&enforced, Mode::Enforce));
        for (value, mode) in part.into_iter().chain([all]) {
            let wanted = field.show(attribute, value);
            let same = match (shown, &wanted) {
                (None, None) => true,
                (Some((_, now)), wanted) => {
                    now.text() == wanted.as_ref().map(FieldValue::text).unwrap_or_default()
                        || !value.is_empty() && field.read(attribute, now) == *value
                }
                (None, Some(_)) => false,
            };
            if same || fill_only && shown.is_some() {
                continue;
            }
            let name = shown.map_or(field.field.as_str(), |(name, _)| name);
            let mut reason = reason.clone();
            reason.mode = mode.min(at_most);
            its.fields.push(change(
                Write::SetField {
                    board: field.board.clone(),
                    field: name.to_owned(),
                    value: wanted,
                },
                &reason,
            ));
        }
    }
    let changes = [&its.labels_off, &its.labels_on, &its.fields];
    let written = changes
        .into_iter()
        .flatten()
        .any(|c| c.reason.mode == Mode::Enforce);
    let by_rule = outcome.rank == Some(Rank::Rule) && outcome.value != outcome.current;
    // A value that can be shown nowhere at present is not noted as written; one that never is
    // shown lives in the ledger alone.
    if by_rule
        && (written || lives_in_ledger(attribute, snapshot))
        && let Some((value, hold, reason)) = outcome.to_note()
    {
        its.assignments.push(Assignment {
            attribute: attribute.id.clone(),
            value,
            hold,
            reason: reason.clone(),
        });
    }
    sorted.labels_off.append(&mut its.labels_off);
    sorted.labels_on.append(&mut its.labels_on);
    sorted.fields.append(&mut its.fields);
    sorted.assignments.append(&mut its.assignments);
}

/// What a person called a duplicate is closed once, in every mode: that was commanded.
fn closing(snapshot: &Snapshot, sorted: &mut Sorted) {
    let Some((entry, original)) = ledger::to_close(&snapshot.ledger) else {
        return;
    };
    let reason = Reason {
        rule: ANSWER.to_owned(),
        principle: String::new(),
        because: format!("`{}` was said", entry.cause),
        mode: Mode::Enforce,
    };
    if snapshot.issue.open {
        let write = Write::Close {
            reason: ledger::DUPLICATE.to_owned(),
            original: original.node_id,
        };
        sorted.closing.push(change(write, &reason));
    }
    sorted.assignments.push(Assignment {
        attribute: ledger::DUPLICATE.to_owned(),
        value: entry.value.clone(),
        hold: false,
        reason,
    });
}

/// That an author is reminded is remembered, for the time that is left counts from then.
fn reminders(policy: &Policy, snapshot: &Snapshot, sorted: &mut Sorted) {
    let open = snapshot.issue.open;
    for waiting in waiting(policy, &snapshot.ledger, open, snapshot.now) {
        if let Some((key, _, reason)) = waiting.reminder
            && reason.mode == Mode::Enforce
        {
            sorted.assignments.push(Assignment {
                attribute: ledger::REMINDED.to_owned(),
                value: AttributeValue::One(key),
                hold: false,
                reason,
            });
        }
    }
}

fn comments(snapshot: &Snapshot, decision: &Decision, sorted: &mut Sorted) {
    for wanted in &decision.comments {
        let (key, body) = (wanted.key.clone(), wanted.body.clone());
        let write = match snapshot.comments.get(&wanted.key) {
            None if wanted.collapsed => continue,
            None => Write::Comment {
                key,
                body,
                sticky: wanted.sticky,
            },
            // Once posted, ever; and what somebody deleted stays deleted.
            Some(posted) if posted.deleted || !wanted.sticky => continue,
            Some(posted) if wanted.collapsed && posted.collapsed => continue,
            Some(posted)
                if !wanted.collapsed
                    && !posted.collapsed
                    && posted.fingerprint == fingerprint(&body) =>
            {
                continue;
            }
            Some(_) => Write::EditComment {
                key,
                body,
                collapsed: wanted.collapsed,
            },
        };
        sorted.comments.push(change(write, &wanted.reason));
    }
}

/// What people who said commands have not been told yet. Commands are answered in every mode.
fn answers(snapshot: &Snapshot, sorted: &mut Sorted) {
    let reason = Reason {
        rule: ANSWER.to_owned(),
        principle: String::new(),
        because: "a command was said".to_owned(),
        mode: Mode::Enforce,
    };
    for (key, answer) in &snapshot.answers {
        let mut reason = reason.clone();
        if !answer.because.is_empty() {
            reason.because.clone_from(&answer.because);
        }
        if !answer.shown {
            let write = Write::React {
                key: key.clone(),
                comment: answer.comment,
                sign: answer.sign,
            };
            sorted.comments.push(change(write, &reason));
        }
        if answer.body.is_empty() {
            continue;
        }
        let (key, body) = (key.clone(), answer.body.clone());
        let write = match snapshot.comments.get(&key) {
            None => Write::Comment {
                key,
                body,
                sticky: true,
            },
            Some(posted) if posted.deleted || posted.fingerprint == fingerprint(&body) => continue,
            Some(_) => Write::EditComment {
                key,
                body,
                collapsed: false,
            },
        };
        sorted.comments.push(change(write, &reason));
    }
}

/// A short name of a comment's body, to tell whether it has to be edited. Not for security
/// (64-bit FNV-1a, in hexadecimal).
#[must_use]
pub fn fingerprint(body: &str) -> String {
    let hash = body.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Labels outside attributes that rules have put on, once the plan is written: those that rules
/// still want, and that were put on now or before. What was there by itself is not the rules'.
#[must_use]
pub fn held_labels_after(
    snapshot: &Snapshot,
    decision: &Decision,
    plan: &Plan,
) -> BTreeSet<String> {
    let added = |label: &str| {
        plan.changes
            .iter()
            .any(|c| matches!(&c.write, Write::AddLabel { label: l } if l == label))
    };
    let removed = |label: &str| {
        plan.changes
            .iter()
            .any(|c| matches!(&c.write, Write::RemoveLabel { label: l } if l.eq_ignore_ascii_case(label)))
    };
    let mut held: BTreeSet<String> = decision
        .labels
        .iter()
        .filter(|(label, (on, _))| *on && added(label))
        .map(|(label, _)| label.clone())
        .collect();
    for label in &snapshot.held_labels {
        let wanted = decision.labels.get(label).is_some_and(|(on, _)| *on)
            || decision
                .held
                .iter()
                .any(|h| h.attribute == format!("label {label}"));
        let shown = find_label(snapshot, label).is_some();
        if !removed(label) && (wanted || shown) {
            held.insert(label.clone());
        }
    }
    held
}

/// The ledger entries that the plan's assignments become when it has been written at `at`.
#[must_use]
pub fn entries_of(plan: &Plan, at: jiff::Timestamp) -> Vec<LedgerEntry> {
    plan.assignments
        .iter()
        .map(|a| LedgerEntry {
            attribute: a.attribute.clone(),
            act: if a.hold { Act::Hold } else { Act::Set },
            rank: Rank::Rule,
            value: a.value.clone(),
            at,
            by: None,
            cause: a.reason.rule.clone(),
            reason: a.reason.because.clone(),
            told_in: None,
            until: None,
            said_at: None,
        })
        .collect()
}

/// The snapshot that would be seen after the plan was written: what GitHub would show and what
/// the store would remember.
#[must_use]
pub fn apply_to(snapshot: &Snapshot, decision: &Decision, plan: &Plan) -> Snapshot {
    let mut after = snapshot.clone();
    after.held_labels = held_labels_after(snapshot, decision, plan);
    for change in &plan.changes {
        apply_one(&mut after, &change.write);
    }
    after.ledger.extend(entries_of(plan, snapshot.now));
    after
}

fn apply_one(after: &mut Snapshot, write: &Write) {
    let posted = |body: &str, collapsed| PostedComment {
        id: CommentId(0),
        fingerprint: fingerprint(body),
        deleted: false,
        collapsed,
    };
    match write {
        Write::AddLabel { label } => after.issue.labels.push(label.clone()),
        Write::RemoveLabel { label } => {
            after
                .issue
                .labels
                .retain(|l| !l.eq_ignore_ascii_case(label));
        }
        Write::ClearMilestone => after.issue.milestone.clear(),
        Write::Close { reason, .. } => {
            after.issue.open = false;
            after.issue.state_reason.clone_from(reason);
            after.issue.closed_at = Some(after.now);
        }
        Write::AddToBoard { board } => {
            after.boards.insert(board.clone(), BoardRow::default());
        }
        Write::SetField {
            board,
            field,
            value,
        } => {
            if let Some(row) = after.boards.get_mut(board) {
                match value {
                    Some(value) => row.fields.insert(field.clone(), value.clone()),
                    None => row.fields.remove(field),
                };
            }
        }
        Write::Archive { board } => {
            if let Some(row) = after.boards.get_mut(board) {
                row.archived = true;
            }
        }
        Write::Comment { key, body, .. } => {
            after.comments.insert(key.clone(), posted(body, false));
        }
        Write::React { key, .. } => {
            if let Some(answer) = after.answers.get_mut(key) {
                answer.shown = true;
            }
        }
        Write::EditComment {
            key,
            body,
            collapsed,
        } => {
            let mut edited = posted(body, *collapsed);
            if let Some(known) = after.comments.get(key) {
                edited.id = known.id;
            }
            after.comments.insert(key.clone(), edited);
        }
    }
}
