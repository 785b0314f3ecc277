//! How attributes are shown on GitHub: from labels and fields to values, and back.

use crate::policy::model::{Attribute, Policy};

use super::attribute::AttributeValue;
use super::ledger::{Given, Ownership, Where};
use super::snapshot::{BoardRow, FieldValue, Snapshot};

/// Somebody put a label on or took it off: which attribute is that, and what is the label's value?
///
/// For an attribute with many values the new value of the whole is what [`current`] then says.
#[must_use]
pub fn attribute_of_label<'p>(policy: &'p Policy, label: &str) -> Option<(&'p Attribute, &'p str)> {
    policy
        .attributes
        .values()
        .find_map(|a| Some((a, value_of_label(a, label)?)))
}

/// The attribute shown in a field of a board (policy board id; the name whatever its capitals).
#[must_use]
pub fn attribute_of_field<'p>(
    policy: &'p Policy,
    board: &str,
    field: &str,
) -> Option<&'p Attribute> {
    policy.attributes.values().find(|a| {
        a.fields
            .iter()
            .any(|f| f.board == board && f.field.eq_ignore_ascii_case(field))
    })
}

/// The attribute's value that a field of a board says; empty for an empty field and for what the
/// policy does not know.
#[must_use]
pub fn value_of_field(
    attribute: &Attribute,
    board: &str,
    shown: Option<&FieldValue>,
) -> AttributeValue {
    attribute
        .fields
        .iter()
        .find(|f| f.board == board)
        .zip(shown)
        .map_or_else(
            || attribute.nothing(),
            |(f, shown)| f.read(attribute, shown),
        )
}

/// The value that a label says, if it belongs to the attribute.
pub(crate) fn value_of_label<'a>(attribute: &'a Attribute, label: &str) -> Option<&'a str> {
    let inner = attribute.label.as_ref()?.value(label)?;
    attribute
        .values
        .iter()
        .find(|v| v.id.eq_ignore_ascii_case(inner))
        .map(|v| v.id.as_str())
}

/// May the attribute be shown as a label on this item? An internal one not on a public repository.
pub(crate) fn shows_label(attribute: &Attribute, snapshot: &Snapshot) -> bool {
    attribute.label.is_some() && (!attribute.internal || snapshot.issue.private)
}

/// Is there no place on GitHub where the attribute may be shown? Then the ledger alone knows it.
pub(crate) fn lives_in_ledger(attribute: &Attribute, snapshot: &Snapshot) -> bool {
    !shows_label(attribute, snapshot) && attribute.fields.is_empty()
}

/// A field of a row, whatever the capitals of its name.
pub(crate) fn field_of<'r>(row: &'r BoardRow, name: &str) -> Option<(&'r str, &'r FieldValue)> {
    row.fields
        .get_key_value(name)
        .or_else(|| {
            row.fields
                .iter()
                .find(|(k, _)| k.eq_ignore_ascii_case(name))
        })
        .map(|(k, v)| (k.as_str(), v))
}

/// Of the changes by hand that ended with the last one, in its place and within its second, the one
/// that is shown there: nobody knows their order. (One that only took the value away is half of a
/// change.)
fn last_of_a_second<'o>(
    own: &'o Ownership,
    shown: &[(Where, AttributeValue)],
) -> Option<&'o Given> {
    let last = own.said.last()?;
    let group = own.said.iter().rev();
    let mut group = group.take_while(|given| (&given.there, given.at) == (&last.there, last.at));
    group.find(|given| {
        let at = |(there, value): &(Where, AttributeValue)| {
            *there == given.there && *value == given.value
        };
        !given.value.is_empty() && shown.iter().any(at)
    })
}

/// What GitHub shows now. Where label and field disagree, the ledger's latest entry that one of
/// them shows decides, else the label. An attribute that is shown nowhere is what the ledger says.
#[must_use]
pub fn current(attribute: &Attribute, snapshot: &Snapshot, own: &Ownership) -> AttributeValue {
    let mut shown: Vec<(Where, AttributeValue)> = Vec::new();
    let labelled: Vec<&str> = attribute
        .values
        .iter()
        .map(|v| v.id.as_str())
        .filter(|id| {
            let on = |label: &String| value_of_label(attribute, label) == Some(id);
            snapshot.issue.labels.iter().any(on)
        })
        .collect();
    if lives_in_ledger(attribute, snapshot) {
        return own
            .latest()
            .cloned()
            .unwrap_or_else(|| attribute.of(labelled));
    }
    if shows_label(attribute, snapshot) {
        if attribute.many || labelled.is_empty() {
            shown.push((Where::Label, attribute.of(labelled)));
        } else {
            // A single-valued attribute with two labels shows two values.
            let each = labelled.into_iter();
            shown.extend(each.map(|v| (Where::Label, attribute.of([v]))));
        }
    }
    for field in &attribute.fields {
        if let Some(row) = snapshot.boards.get(&field.board) {
            let value = match field_of(row, &field.field) {
                Some((_, value)) => field.read(attribute, value),
                None => attribute.nothing(),
            };
            shown.push((Where::Field(field.board.clone()), value));
        }
    }
    let is_shown = |given: &&Given| shown.iter().any(|(_, value)| *value == given.value);
    let latest = last_of_a_second(own, &shown).or_else(|| own.said.iter().rev().find(is_shown));
    if let Some(latest) = latest {
        return latest.value.clone();
    }
    shown
        .into_iter()
        .map(|(_, value)| value)
        .find(|v| !v.is_empty())
        .unwrap_or_else(|| attribute.nothing())
}
