//! A plan that was cut in half is finished.
//!
//! A rule may ask for its label, its board and its comment only while the label is not there. Once
//! the label is written it asks for nothing any more, so what else it wanted must be remembered:
//! with the first request of a plan the journal notes all that the plan still owes.

use serde::Deserialize;
use serde_json::json;

use crate::store::{Effect, EffectEnd, EffectId, NewEffect, Settled};
use crate::triage::change::{Change, Write};
use crate::triage::decision::Decision;
use crate::triage::ledger::Rank;
use crate::triage::snapshot::Snapshot;

use super::draft::attribute_of;
use super::look::{Looked, Seen};
use super::turn::{Done, Sent, name_of};
use super::{Organization, WorkError, Worker};

/// The journal's word for a write that is not sent yet.
const OWED: &str = "owed";

/// A note in the journal of something that is still to be written.
pub(super) struct Owed {
    effect: EffectId,
    /// As [`name_of`] has it.
    what: (&'static str, String),
    /// From an earlier turn.
    carried: bool,
}

/// What is owed, and what was sent.
pub(super) fn split(effects: Vec<Effect>) -> (Vec<Effect>, Vec<Effect>) {
    effects.into_iter().partition(|e| e.kind == OWED)
}

/// Would nobody ask for it again, were its rule's condition to end?
fn may_be_forgotten(write: &Write) -> bool {
    matches!(
        write,
        Write::AddToBoard { .. }
            | Write::SetField { value: Some(_), .. }
            | Write::Archive { .. }
            | Write::Comment { .. }
    )
}

/// What GitHub shows or the store remembers of it.
fn is_there(snapshot: &Snapshot, write: &Write) -> bool {
    match write {
        Write::AddToBoard { board } => snapshot.boards.contains_key(board),
        Write::Archive { board } => snapshot.boards.get(board).is_some_and(|r| r.archived),
        Write::Comment { key, .. } => snapshot.comments.contains_key(key),
        _ => false,
    }
}

/// Nothing has come since that speaks against it.
fn still_holds(
    organization: &Organization,
    snapshot: &Snapshot,
    decision: &Decision,
    write: &Write,
) -> bool {
    let Write::SetField { board, field, .. } = write else {
        return true;
    };
    let row = snapshot.boards.get(board);
    let empty = row.is_none_or(|row| !row.fields.keys().any(|f| f.eq_ignore_ascii_case(field)));
    let outcome =
        attribute_of(&organization.policy, write).and_then(|id| decision.attributes.get(&id));
    empty && outcome.is_none_or(|o| o.value.is_empty() && o.rank < Some(Rank::Person))
}

impl Worker {
    /// Puts what earlier turns owe into the plan, where it still holds; notes that are answered
    /// are settled.
    pub(super) fn take_up(
        &self,
        organization: &Organization,
        looked: &mut Looked,
        owed: Vec<Effect>,
    ) -> Vec<Owed> {
        let mut carried = Vec::new();
        for effect in owed {
            let settled = |end| Settled {
                effect: effect.id,
                end,
                at: self.clock.now(),
            };
            let gone = |error: &str| {
                settled(EffectEnd::Refused {
                    error: error.to_owned(),
                })
            };
            let Some(decided) = &mut looked.decided else {
                if looked.seen == Seen::Gone {
                    looked.finish.settled.push(gone("the issue is gone"));
                }
                continue;
            };
            let Ok(sent) = Sent::deserialize(&effect.detail) else {
                looked.finish.settled.push(gone("the note cannot be read"));
                continue;
            };
            let write = &sent.change.write;
            let what = name_of(write);
            let planned = decided
                .plan
                .changes
                .iter()
                .any(|c| name_of(&c.write) == what);
            if is_there(&decided.snapshot, write) {
                let github_id = String::new();
                let there = settled(EffectEnd::Confirmed { github_id });
                looked.finish.settled.push(there);
                continue;
            }
            if !planned {
                if !still_holds(organization, &decided.snapshot, &decided.decision, write) {
                    looked
                        .finish
                        .settled
                        .push(gone("it is not wanted any more"));
                    continue;
                }
                decided.plan.changes.push(sent.change);
                if let Some(assignment) = sent.assignment
                    && !decided
                        .plan
                        .assignments
                        .iter()
                        .any(|a| a.attribute == assignment.attribute)
                {
                    decided.plan.assignments.push(assignment);
                }
            }
            carried.push(Owed {
                effect: effect.id,
                what,
                carried: true,
            });
        }
        carried
    }
}

/// Notes for all of a plan that its first request leaves open.
pub(super) fn notes<'a>(
    plan: &'a [Change],
    request: &[&Change],
    carried: &[Owed],
    note: impl Fn(&'a Change) -> NewEffect,
) -> Vec<(NewEffect, (&'static str, String))> {
    let open = plan.iter().filter(|change| {
        let alone = request.len() == 1 && request.contains(change);
        let noted = carried.iter().any(|o| o.what == name_of(&change.write));
        may_be_forgotten(&change.write) && !alone && !noted
    });
    open.map(|change| {
        let what = name_of(&change.write);
        let effect = NewEffect {
            kind: OWED.to_owned(),
            target: format!("{} {}", what.0, what.1),
            ..note(change)
        };
        (effect, what)
    })
    .collect()
}

impl Owed {
    pub(super) fn new(effect: EffectId, what: (&'static str, String)) -> Self {
        Self {
            effect,
            what,
            carried: false,
        }
    }
}

/// Settles the notes at a turn's end. Returns whether something is still owed.
pub(super) fn close(
    owed: Vec<Owed>,
    done: &mut Done,
    failed: Option<&WorkError>,
    at: jiff::Timestamp,
) -> bool {
    let uncertain = matches!(failed, Some(WorkError::GitHub(error)) if error.may_have_happened());
    let begun = uncertain || !done.written.is_empty();
    let has = |changes: &[Change], what: &(&'static str, String)| {
        changes.iter().any(|c| name_of(&c.write) == *what)
    };
    let mut open = false;
    for note in owed {
        let end = if has(&done.written, &note.what) {
            EffectEnd::Confirmed {
                github_id: String::new(),
            }
        } else if has(&done.hopeless, &note.what) {
            EffectEnd::Refused {
                error: "it cannot be shown".to_owned(),
            }
        } else if note.carried || begun {
            open = true;
            continue;
        } else {
            EffectEnd::Refused {
                error: "nothing of the plan was written; it is made anew".to_owned(),
            }
        };
        done.settled.push(Settled {
            effect: note.effect,
            end,
            at,
        });
    }
    open
}

/// What the journal keeps of a change.
pub(super) fn detail(
    change: &Change,
    assignment: Option<crate::triage::change::Assignment>,
) -> serde_json::Value {
    json!(Sent {
        change: change.clone(),
        assignment,
    })
}
