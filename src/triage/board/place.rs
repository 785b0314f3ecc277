//! What a board has to know of an item, from the item's own decision.

use crate::policy::expr::{Facts, Notes, Value};
use crate::policy::model::{Cap, Policy};

use super::super::decide::facts_after;
use super::super::decision::Decision;
use super::super::ledger;
use super::super::projection::field_of;
use super::super::score::{Score, score};
use super::super::snapshot::{FieldValue, Snapshot};
use super::{Ask, Content, Limit, Mover, OrderKey, Pass, Place};

/// What the snapshot does not hold.
#[derive(Clone, Debug, Default)]
pub struct Position {
    /// Who put it into its column, where known.
    pub mover: Option<Mover>,
    /// A move that a rule or command wants to make.
    pub asks: Option<Ask>,
}

/// The item's place on a board of the policy, and the first instant at which time alone changes
/// what caps and gates make of it.
#[must_use]
pub fn place(
    policy: &Policy,
    snapshot: &Snapshot,
    decision: &Decision,
    board: &str,
    position: Position,
) -> (Place, Option<jiff::Timestamp>) {
    let facts = facts_after(policy, snapshot, decision);
    let score = score(policy, snapshot, decision);
    let mut notes = Notes::default();
    let row = snapshot.boards.get(board);
    let column_field = policy.boards.get(board).map(|b| b.column_field.as_str());
    let shown = row.zip(column_field);
    let shown = shown.and_then(|(row, field)| field_of(row, field));
    let (name, column) = shown.unzip();
    let column = column.map(FieldValue::text).unwrap_or_default();
    let told_at = row.zip(name).and_then(|(row, name)| row.set_at.get(name));
    let issue = &snapshot.issue;
    let mut it = Place {
        content: Content::Issue,
        name: format!("{}#{}", issue.repository, issue.number),
        title: issue.title.clone(),
        private: issue.private,
        on_board: row.is_some(),
        archived: row.is_some_and(|r| r.archived),
        open: issue.open,
        column,
        came_from: row.and_then(|r| r.came_from.clone()),
        entered_at: row.and_then(|r| r.entered_at),
        told_at: told_at.copied(),
        mover: position.mover,
        asks: position.asks,
        snoozed_until: ledger::snoozed(&snapshot.ledger, snapshot.now),
        ..Place::default()
    };
    for limit in Limit::of(policy, board) {
        let id = limit.id();
        if let Some(entry) = ledger::lets_past(&snapshot.ledger, id, snapshot.now) {
            let pass = Pass {
                until: entry.until,
                by: entry.by,
                reason: entry.reason_for(snapshot.readers_of()).to_owned(),
            };
            it.passes.insert(id.to_owned(), pass);
        }
        match limit {
            Limit::Gate(gate) => {
                if gate.requires.holds(&facts, &mut notes) {
                    it.meets.insert(gate.id.clone());
                }
            }
            Limit::Cap(cap) => {
                let exempt = cap.exempt.as_ref();
                if exempt.is_some_and(|e| e.holds(&facts, &mut notes)) {
                    it.exempt.insert(cap.id.clone());
                }
                if let Some(only) = &cap.only
                    && let Some(outcome) = decision.attributes.get(&only.attribute)
                    && outcome.value.contains(&only.value)
                {
                    it.counts_in.insert(cap.id.clone());
                }
                let keys = keys(cap, &facts, &score, &mut notes);
                it.order.insert(cap.id.clone(), keys);
            }
        }
    }
    it.score = score;
    (it, notes.flips_at)
}

fn keys(cap: &Cap, facts: &Facts, score: &Score, notes: &mut Notes) -> Vec<OrderKey> {
    let key = |by: &Option<crate::policy::expr::Program>| match by {
        None => OrderKey::Number(score.total),
        Some(program) => key_of(&program.eval(facts, notes)),
    };
    cap.next_by.iter().map(|order| &order.by).map(key).collect()
}

#[allow(clippy::cast_precision_loss)] // it only orders
fn key_of(value: &Value) -> OrderKey {
    match value {
        Value::Bool(b) => OrderKey::Number(f64::from(u8::from(*b))),
        Value::Int(n) => OrderKey::Number(*n as f64),
        Value::Double(n) => OrderKey::Number(*n),
        Value::Str(s) if !s.is_empty() => OrderKey::Text(s.to_string()),
        Value::Timestamp(t) => OrderKey::Number(t.as_millisecond() as f64),
        Value::Duration(d) => OrderKey::Number(d.as_secs_f64()),
        Value::List(items) => OrderKey::Number(items.len() as f64),
        Value::Absent | Value::Str(_) | Value::Map(_) => OrderKey::Absent,
    }
}
