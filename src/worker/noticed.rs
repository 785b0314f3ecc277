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
use crate::triage::ledger::told::{Place, place};
use crate::triage::ledger::{self, Act, LedgerEntry, Rank};
use crate::triage::projection;

use super::draft::Draft;

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
            let seen = self.label(&draft.record, attribute).into_iter();
            let seen = seen.chain(self.fields(&draft.record, attribute, board_ids));
            let seen = seen.filter(|seen| seen.value != *latest);
            let seen = seen.filter(|seen| !seen.is_told_in(&draft.record.ledger, id));
            // Of several the latest; where that cannot be told, the label.
            let seen = seen.reduce(|last, other| if other.at > last.at { other } else { last });
            if let Some(Seen {
                value, at: seen, ..
            }) = seen
            {
                let entry = entry_of(id, value, seen.unwrap_or(at));
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

    /// The value that labels say now, where they said another before, and when GitHub says that
    /// the issue was last changed.
    fn label(&self, now: &ItemRecord, attribute: &Attribute) -> Option<Seen<'static>> {
        let values = |record: &ItemRecord| -> Option<Vec<String>> {
            let labels = &record.issue.as_ref()?.issue.labels;
            let values = labels
                .iter()
                .filter_map(|label| projection::value_of_label(attribute, label));
            Some(values.map(str::to_owned).collect())
        };
        let changed_at = now.issue.as_ref().map(|mirror| mirror.issue.updated_at);
        let (before, mut shown) = (values(&self.0)?, values(now)?);
        // First, so that of two labels of a single value the new one counts.
        shown.sort_by_key(|value| before.contains(value));
        let value = attribute.of(shown.iter().map(String::as_str));
        let is_new = value != attribute.of(before.iter().map(String::as_str));
        (is_new && !self.was_behind(now, attribute, &value)).then_some(Seen {
            place: Place::Label,
            value,
            at: changed_at,
        })
    }

    /// Was this told by the last word of a label, and only the mirror not sure of it?
    fn was_behind(&self, now: &ItemRecord, attribute: &Attribute, value: &AttributeValue) -> bool {
        if !self.0.issue.as_ref().is_some_and(|mirror| mirror.stale) {
            return false;
        }
        let told = ledger::told::in_order(&now.ledger, &attribute.id);
        let mut labels = told.iter().rev().map(|told| told.entry);
        let last = labels.find(|entry| place(entry) == Some(Place::Label));
        last.is_some_and(|entry| entry.value == *value)
    }

    /// The values that fields say now, where they said others before, and when GitHub says they
    /// were set. An emptied field is none: that happens to many at once when an option is taken
    /// away.
    fn fields<'a>(
        &'a self,
        now: &'a ItemRecord,
        attribute: &'a Attribute,
        board_ids: &'a BTreeMap<String, String>,
    ) -> impl Iterator<Item = Seen<'a>> {
        attribute.fields.iter().filter_map(move |field| {
            let (project, _) = board_ids.iter().find(|(_, board)| **board == field.board)?;
            let shown = |record: &ItemRecord| {
                let row = record.boards.get(project)?;
                let (name, shown) = projection::field_of(row, &field.field).unzip();
                let value = projection::value_of_field(attribute, &field.board, shown);
                Some((value, name.and_then(|name| row.set_at.get(name).copied())))
            };
            let ((before, _), (value, at)) = (shown(&self.0)?, shown(now)?);
            let place = Place::Field(&field.board);
            (value != before && !value.is_empty()).then_some(Seen { place, value, at })
        })
    }
}

/// What GitHub shows somewhere, and since when, where it says that (or since then at the latest).
struct Seen<'a> {
    place: Place<'a>,
    value: AttributeValue,
    at: Option<Timestamp>,
}

impl Seen<'_> {
    /// Has somebody's webhook told of it, before it was seen?
    fn is_told_in(&self, ledger: &[LedgerEntry], attribute: &str) -> bool {
        let mut told = ledger.iter().filter(|entry| entry.attribute == attribute);
        told.any(|entry| {
            place(entry) == Some(self.place)
                && entry.value == self.value
                && self.at.is_some_and(|at| at <= entry.at)
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
        cause: ledger::SEEN.to_owned(),
        reason: String::new(),
        told_in: None,
        until: None,
        said_at: None,
    }
}
