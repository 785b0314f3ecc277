//! An item's side of its boards: where it stands, what it asks of them, and what they decided.
//!
//! A column with a gate or cap is written on the board's word only: a rule's own move into it
//! waits until the board has let it in, and a verdict of the board becomes part of the plan.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::policy::Policy;
use crate::store::{ActKey, ItemRecord, LaneKey, Lease, PlaceRecord};
use crate::triage::attribute::AttributeValue;
use crate::triage::board::{self, Ask, Limit, Mover, Place, Position, Verdict};
use crate::triage::change::{Change, Write};
use crate::triage::decision::{Held, Mode, Reason};
use crate::triage::ledger::{self, Act, LedgerEntry, Rank};
use crate::triage::plan::fingerprint;
use crate::triage::projection::{self, field_of};
use crate::triage::snapshot::{FieldValue, Snapshot};

use super::draft::{Draft, attribute_of};
use super::look::Decided;
use super::{Organization, WorkError, Worker};

/// Said of a rule's move into a column that its board has not let it in.
const NOT_LET_IN: &str = "the board's limits have not let it in";
/// What a move by a role in `by_hand` is called in the ledger.
pub(super) const BY_HAND: &str = "by hand";
/// GitHub's clock and ours may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_secs(30);

/// What looking at an item's boards came to.
#[derive(Default)]
pub(super) struct OnBoards {
    /// By the project's node id; `None`: it is not there (any more).
    pub places: BTreeMap<String, Option<Place>>,
    /// Verdicts of which nothing is left to do: project and id.
    pub answered: Vec<(String, String)>,
    /// Overrides by hand, and their ends.
    pub acts: Vec<(ActKey, LedgerEntry)>,
    /// A card is put back or pulled: it is read again before.
    pub moves_card: bool,
    /// Some of the plan is the board's.
    pub wants_write: bool,
}

/// The boards of a policy on which there is something to decide, by the project's node id.
pub(super) fn limited<'a>(
    policy: &'a Policy,
    board_ids: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let ids = board_ids.iter().map(|(p, b)| (p.as_str(), b.as_str()));
    ids.filter(|(_, board)| Limit::of(policy, board).next().is_some())
}

/// The column in which a snapshot shows the item; empty where there is none.
pub(super) fn column_in(policy: &Policy, snapshot: &Snapshot, board: &str) -> String {
    let field = policy.boards.get(board).map(|b| b.column_field.as_str());
    snapshot
        .boards
        .get(board)
        .zip(field)
        .and_then(|(row, field)| field_of(row, field))
        .map(|(_, value)| value.text())
        .unwrap_or_default()
}

fn is_column_of(policy: &Policy, board: &str, write: &Write) -> bool {
    let Write::SetField {
        board: on, field, ..
    } = write
    else {
        return false;
    };
    let column = policy.boards.get(board).map(|b| b.column_field.as_str());
    on == board && column.is_some_and(|column| column.eq_ignore_ascii_case(field))
}

impl Worker {
    /// Fits what was decided to the item's boards.
    pub(super) async fn fit_to_boards(
        &self,
        organization: &Organization,
        record: &ItemRecord,
        board_ids: &BTreeMap<String, String>,
        decided: &mut Decided,
    ) -> Result<(), WorkError> {
        let policy = &organization.policy;
        for (project, board) in limited(policy, board_ids) {
            let known = record.places.get(project);
            let asks = hold_moves(policy, board, known, decided);
            let position = Position {
                mover: self.mover(organization, record, board, decided).await?,
                asks,
            };
            let Decided {
                snapshot, decision, ..
            } = &*decided;
            let (place, flips_at) = board::place(policy, snapshot, decision, board, position);
            let look_again = &mut decided.decision.look_again_at;
            *look_again = [*look_again, flips_at].into_iter().flatten().min();
            end_by_hand(policy, board, &place, decided);
            fold_away(board, &place, known, decided);
            let is_there = place.on_board || place.asks.is_some();
            let place = is_there.then_some(place);
            decided.boards.places.insert(project.to_owned(), place);
        }
        for (project, place) in &record.places {
            if let Some(verdict) = &place.verdict
                && !carry_out(policy, verdict, decided)
            {
                let answered = (project.clone(), verdict.id.clone());
                decided.boards.answered.push(answered);
            }
        }
        Ok(())
    }

    /// Who put the item into the column where it stands, where that was told.
    async fn mover(
        &self,
        organization: &Organization,
        record: &ItemRecord,
        board: &str,
        decided: &Decided,
    ) -> Result<Option<Mover>, WorkError> {
        let policy = &organization.policy;
        let name = ledger::column(board);
        let column = column_in(policy, &decided.snapshot, board);
        let entered_at = decided
            .snapshot
            .boards
            .get(board)
            .and_then(|r| r.entered_at);
        let mut moves = record.ledger.iter().rev();
        let Some(entry) = moves.find(|e| e.attribute == name) else {
            return Ok(None);
        };
        // An older move into the same column is not this one.
        let told = entry.at.checked_add(SKEW).unwrap_or(entry.at);
        let same = matches!(&entry.value, AttributeValue::One(to) if to.eq_ignore_ascii_case(&column))
            && entered_at.is_none_or(|entered| entered <= told);
        let Some(user) = entry.by.filter(|_| same) else {
            return Ok(None);
        };
        let mut roles = organization.roles.of(policy, user).await?;
        roles.retain(|role| policy.caps.values().any(|cap| cap.by_hand.contains(role)));
        Ok(Some(Mover { user, roles }))
    }
}

/// Takes moves that the board has not allowed out of the plan. Returns what is asked of the board.
fn hold_moves(
    policy: &Policy,
    board: &str,
    known: Option<&PlaceRecord>,
    decided: &mut Decided,
) -> Option<Ask> {
    let now = column_in(policy, &decided.snapshot, board);
    let inside = known.and_then(|k| k.standing.as_ref()).map(|s| &s.inside);
    let mut ask = None;
    let mut held = Vec::new();
    decided.plan.changes.retain(|change| {
        if !is_column_of(policy, board, &change.write) {
            return true;
        }
        let Write::SetField { value, .. } = &change.write else {
            return true;
        };
        let to = value.as_ref().map(FieldValue::text).unwrap_or_default();
        let mut limits = Limit::of(policy, board).filter(|l| l.holds(&to)).peekable();
        if limits.peek().is_none() || to.eq_ignore_ascii_case(&now) {
            return true;
        }
        let before = known.and_then(|k| k.place.asks.as_ref());
        let since = before.filter(|ask| ask.column == to).map(|ask| ask.since);
        ask = Some(Ask {
            column: to.clone(),
            since: since.unwrap_or(decided.snapshot.now),
        });
        let let_in = limits.all(|l| inside.is_some_and(|inside| inside.contains(l.id())));
        if !let_in {
            held.push(change.clone());
        }
        let_in
    });
    for change in held {
        let attribute = attribute_of(policy, &change.write);
        let value = match &change.write {
            Write::SetField { value, .. } => value.as_ref().map(FieldValue::text),
            _ => None,
        };
        if let Some(attribute) = &attribute {
            // What nothing shows is not the rule's yet.
            let mut rest = decided.plan.changes.iter();
            if !rest.any(|c| attribute_of(policy, &c.write).as_ref() == Some(attribute)) {
                decided
                    .plan
                    .assignments
                    .retain(|a| a.attribute != *attribute);
            }
        }
        decided.decision.held.push(Held {
            attribute: attribute.unwrap_or_else(|| board.to_owned()),
            would_set: AttributeValue::One(value.unwrap_or_default()),
            why: NOT_LET_IN.to_owned(),
            reason: change.reason,
        });
    }
    ask
}

/// An override by hand lets a card stay; it ends when the card has gone.
fn end_by_hand(policy: &Policy, board: &str, place: &Place, decided: &mut Decided) {
    for limit in Limit::of(policy, board) {
        let name = ledger::limit(limit.id());
        let entries = decided.snapshot.ledger.iter().rev();
        let last = entries.clone().find(|e| e.attribute == name);
        let Some(last) = last.filter(|e| e.act == Act::Set && e.cause == BY_HAND) else {
            continue;
        };
        let gone = !place.on_board || place.archived || !limit.holds(&place.column);
        if gone {
            let end = LedgerEntry {
                act: Act::Release,
                at: decided.snapshot.now,
                by: None,
                reason: "the card has left".to_owned(),
                told_in: None,
                ..last.clone()
            };
            let key = format!("by-hand-ended:{}:{}", limit.id(), last.at);
            decided.boards.acts.push((ActKey(key), end));
        }
    }
}

/// What was said when it was returned is folded away once it is in by right.
fn fold_away(board: &str, place: &Place, known: Option<&PlaceRecord>, decided: &mut Decided) {
    let key = board::comment_key(board);
    let Some(known) = known.filter(|k| k.verdict.is_none()) else {
        return;
    };
    let in_by_right = known
        .standing
        .as_ref()
        .is_some_and(|s| !s.inside.is_empty() && s.turned_away.is_empty());
    let stands = decided
        .snapshot
        .comments
        .get(&key)
        .is_some_and(|c| !c.deleted && !c.collapsed);
    if !stands || !in_by_right || known.place.column != place.column {
        return;
    }
    let body = format!(
        "<details><summary>It is in {} now.</summary>\n\nThis was put back before, and has its \
         place since.\n\n</details>",
        crate::policy::template::harmless(&place.column)
    );
    let reason = Reason {
        rule: key.clone(),
        principle: String::new(),
        because: "what was said about it no longer applies".to_owned(),
        mode: Mode::Enforce,
    };
    let write = Write::EditComment {
        key,
        body,
        collapsed: true,
    };
    decided.plan.changes.push(Change { write, reason });
}

/// Puts what a board decided into the plan. Returns whether anything of it is left to write.
fn carry_out(policy: &Policy, verdict: &Verdict, decided: &mut Decided) -> bool {
    let Some(limit) = Limit::named(policy, &verdict.limit) else {
        return false; // the policy has changed
    };
    let reason = Reason {
        rule: limit.id().to_owned(),
        principle: limit.principle().to_owned(),
        because: limit.because().to_owned(),
        mode: Mode::Enforce,
    };
    let snapshot = &decided.snapshot;
    if let Some(cap) = &verdict.by_hand {
        note_by_hand(verdict, cap, snapshot, &mut decided.boards.acts);
    }
    let mut changes = Vec::new();
    if let Some(back) = &verdict.back {
        let column = column_in(policy, snapshot, &verdict.board);
        let row = snapshot.boards.get(&verdict.board);
        let passed = ledger::lets_past(&snapshot.ledger, limit.id(), snapshot.now).is_some();
        let there = row.is_some_and(|row| !row.archived) && snapshot.issue.open;
        if there && !passed && column.eq_ignore_ascii_case(&back.from) {
            let field = policy.boards.get(&verdict.board).map(|b| &b.column_field);
            changes.push(Write::SetField {
                board: verdict.board.clone(),
                field: field.cloned().unwrap_or_default(),
                value: (!back.to.is_empty()).then(|| FieldValue::Option(back.to.clone())),
            });
            decided.boards.moves_card = true;
            decided
                .boards
                .acts
                .extend(let_go(policy, verdict, &limit, snapshot));
        } else if !column.eq_ignore_ascii_case(&back.to) {
            return false; // somebody was faster
        }
    }
    if let Some((key, body)) = &verdict.say {
        let (key, body) = (key.clone(), body.clone());
        match snapshot.comments.get(&key) {
            None => changes.push(Write::Comment {
                key,
                body,
                sticky: verdict.by_hand.is_none(),
            }),
            // Asked once; and what somebody deleted stays deleted.
            Some(posted) if posted.deleted || verdict.by_hand.is_some() => {}
            Some(posted) if !posted.collapsed && posted.fingerprint == fingerprint(&body) => {}
            Some(_) => changes.push(Write::EditComment {
                key,
                body,
                collapsed: false,
            }),
        }
    }
    if verdict.back.is_some() {
        // The board's word on the column is the only one.
        let plan = &mut decided.plan.changes;
        plan.retain(|c| !is_column_of(policy, &verdict.board, &c.write));
    }
    let open = !changes.is_empty();
    decided.boards.wants_write |= open;
    let changes = changes.into_iter().map(|write| Change {
        write,
        reason: reason.clone(),
    });
    decided.plan.changes.extend(changes);
    open
}

/// A cap takes in what was next: whoever put it in front of the column wanted just that, and owns
/// the column's attribute no longer.
fn let_go(
    policy: &Policy,
    verdict: &Verdict,
    limit: &Limit<'_>,
    snapshot: &Snapshot,
) -> Option<(ActKey, LedgerEntry)> {
    let taken_in = verdict
        .back
        .as_ref()
        .is_some_and(|back| limit.holds(&back.to));
    let field = &policy.boards.get(&verdict.board)?.column_field;
    let attribute = projection::attribute_of_field(policy, &verdict.board, field)?;
    let owner = ledger::fold(&snapshot.ledger, &attribute.id).owner;
    if !taken_in || owner.is_none() {
        return None;
    }
    let entry = LedgerEntry {
        attribute: attribute.id.clone(),
        act: Act::Release,
        rank: Rank::Rule,
        value: attribute.nothing(),
        at: snapshot.now,
        by: None,
        cause: limit.id().to_owned(),
        reason: "it was next, and a place became free".to_owned(),
        told_in: None,
        until: None,
        said_at: None,
    };
    Some((ActKey(format!("taken-in:{}", verdict.id)), entry))
}

fn note_by_hand(
    verdict: &Verdict,
    cap: &str,
    snapshot: &Snapshot,
    acts: &mut Vec<(ActKey, LedgerEntry)>,
) {
    if ledger::lets_past(&snapshot.ledger, cap, snapshot.now).is_some() {
        return;
    }
    let name = ledger::column(&verdict.board);
    let mut moves = snapshot.ledger.iter().rev();
    let by = moves.find(|e| e.attribute == name).and_then(|e| e.by);
    let entry = LedgerEntry {
        attribute: ledger::limit(cap),
        act: Act::Set,
        rank: Rank::Override,
        value: AttributeValue::One("stays".to_owned()),
        at: snapshot.now,
        by,
        cause: BY_HAND.to_owned(),
        reason: String::new(),
        told_in: None,
        until: None,
        said_at: None,
    };
    acts.push((ActKey(format!("by-hand:{cap}:{}", verdict.id)), entry));
}

/// Enters what the boards came to into the draft, and wakes those that have something new.
pub(super) fn take(draft: &mut Draft, boards: OnBoards, lease: &Lease) -> Vec<LaneKey> {
    let mut wake = Vec::new();
    for (key, entry) in boards.acts {
        draft.append(key, entry);
        // The place that says so is made when the item is looked at again.
        wake.push(lease.lane.clone());
    }
    for (project, place) in boards.places {
        if draft.set_place(&project, place, &lease.lane) {
            wake.push(LaneKey::Board(project));
        }
    }
    for (project, id) in boards.answered {
        draft.end_verdict(project, id);
    }
    wake
}

/// The issue is gone: so are its places.
pub(super) fn forget(draft: &mut Draft, lease: &Lease) -> Vec<LaneKey> {
    let known = draft.record.places.clone();
    let mut gone = OnBoards::default();
    for (project, place) in known {
        if let Some(verdict) = place.verdict {
            gone.answered.push((project.clone(), verdict.id));
        }
        gone.places.insert(project, None);
    }
    take(draft, gone, lease)
}
