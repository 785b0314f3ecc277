//! Changes that are seen before, or without, the webhook that tells who made them.
//!
//! A person relabels an issue; the webhook is late or lost, and a later one shows the issue as it
//! is now. What nobody accounts for was somebody's doing: until it is known whose, it is entered
//! as a change of no rank, so that rules do not undo it in the meantime.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::policy::Policy;
use crate::policy::model::Attribute;
use crate::store::{ActKey, ItemRecord};
use crate::triage::attribute::AttributeValue;
use crate::triage::ledger::{self, Act, LedgerEntry, Rank};
use crate::triage::projection;

use super::draft::Draft;

/// What is said to have led to such an entry.
const CAUSE: &str = "seen";

/// What a record showed before something newer was taken in.
pub(super) struct Before(ItemRecord);

impl Before {
    pub fn of(record: &ItemRecord) -> Self {
        Self(ItemRecord {
            issue: record.issue.clone(),
            boards: record.boards.clone(),
            ..ItemRecord::default()
        })
    }

    /// Enters what changed since and nobody has told. `told` is the attribute that the event at
    /// hand tells itself; `key` makes the entries the same for ever.
    pub fn notice(
        &self,
        draft: &mut Draft,
        policy: &Policy,
        board_ids: &BTreeMap<String, String>,
        told: Option<&str>,
        (key, at): (&str, Timestamp),
    ) {
        for attribute in policy.attributes.values() {
            let id = &attribute.id;
            if told == Some(id.as_str()) || draft.unnamed.contains(id) {
                continue;
            }
            let own = ledger::fold(&draft.record.ledger, &attribute.id);
            let (Some(_), Some(latest)) = (&own.owner, own.latest()) else {
                continue; // nobody's yet: what is there is there
            };
            let now = &draft.record;
            let seen = self
                .label(now, attribute)
                .or_else(|| self.field(now, attribute, board_ids));
            if let Some(value) = seen.filter(|value| value != latest) {
                let entry = entry_of(id, value, at);
                draft.append(ActKey(format!("seen:{key}:{id}")), entry);
            }
        }
        self.notice_fields(draft, policy, board_ids, (key, at));
    }

    /// The same of fields that rules set and no attribute shows.
    fn notice_fields(
        &self,
        draft: &mut Draft,
        policy: &Policy,
        board_ids: &BTreeMap<String, String>,
        (key, at): (&str, Timestamp),
    ) {
        for (project, board) in board_ids {
            let shown = |record: &ItemRecord, field: &str| {
                let row = record.boards.get(project)?;
                Some(projection::field_of(row, field).map(|(_, value)| value.text()))
            };
            let wishes = policy.rules.values().flat_map(|rule| &rule.fields);
            for wish in wishes.filter(|wish| wish.board == *board) {
                let before = shown(&self.0, &wish.field);
                let now = shown(&draft.record, &wish.field);
                let (Some(before), Some(Some(now))) = (before, now) else {
                    continue;
                };
                let name = ledger::field(board, &wish.field);
                let own = ledger::fold(&draft.record.ledger, &name);
                let value = AttributeValue::One(now.clone());
                if before.as_ref() == Some(&now) || own.latest().is_none_or(|v| *v == value) {
                    continue;
                }
                let key = ActKey(format!("seen:{key}:{name}"));
                draft.append(key, entry_of(&name, value, at));
            }
        }
    }

    /// The value that labels say now, where they said another before.
    fn label(&self, now: &ItemRecord, attribute: &Attribute) -> Option<AttributeValue> {
        let values = |record: &ItemRecord| -> Option<Vec<String>> {
            let labels = &record.issue.as_ref()?.issue.labels;
            let values = labels
                .iter()
                .filter_map(|label| projection::value_of_label(attribute, label));
            Some(values.map(str::to_owned).collect())
        };
        let (before, mut now) = (values(&self.0)?, values(now)?);
        // First, so that of two labels of a single value the new one counts.
        now.sort_by_key(|value| before.contains(value));
        let value = attribute.of(now.iter().map(String::as_str));
        (value != attribute.of(before.iter().map(String::as_str))).then_some(value)
    }

    /// The value that a field says now, where it said another before. An emptied field is none:
    /// that happens to many at once when an option is taken away.
    fn field(
        &self,
        now: &ItemRecord,
        attribute: &Attribute,
        board_ids: &BTreeMap<String, String>,
    ) -> Option<AttributeValue> {
        attribute.fields.iter().find_map(|field| {
            let (project, _) = board_ids.iter().find(|(_, board)| **board == field.board)?;
            let value = |record: &ItemRecord| {
                let row = record.boards.get(project)?;
                let shown = projection::field_of(row, &field.field).map(|(_, value)| value);
                Some(projection::value_of_field(attribute, &field.board, shown))
            };
            let (before, now) = (value(&self.0)?, value(now)?);
            (now != before && !now.is_empty()).then_some(now)
        })
    }
}

fn entry_of(attribute: &str, value: AttributeValue, at: Timestamp) -> LedgerEntry {
    LedgerEntry {
        attribute: attribute.to_owned(),
        act: Act::Set,
        rank: Rank::Ambient,
        value,
        at,
        by: None,
        cause: CAUSE.to_owned(),
        reason: String::new(),
        told_in: None,
        until: None,
    }
}
