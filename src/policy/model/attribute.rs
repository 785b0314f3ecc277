//! Attributes: their values, and the labels that show them.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::policy::expr::Slot;
use crate::triage::attribute::AttributeValue;

use super::FieldRef;

/// A typed property of an item.
#[derive(Clone, Debug)]
pub struct Attribute {
    pub id: String,
    pub many: bool,
    /// Never to be shown in a public place.
    pub internal: bool,
    pub values: Vec<Value>,
    /// The values are the goals.
    pub of_goals: bool,
    pub label: Option<LabelPattern>,
    pub fields: Vec<FieldRef>,
    /// The fact with the effective value.
    pub(crate) slot: Slot,
    /// The fact with what GitHub shows.
    pub(crate) current: Slot,
}

impl Attribute {
    /// No value, in the attribute's shape.
    #[must_use]
    pub fn nothing(&self) -> AttributeValue {
        if self.many {
            AttributeValue::Many(BTreeSet::new())
        } else {
            AttributeValue::One(String::new())
        }
    }

    /// The values in the attribute's shape (of several for a single-valued one, the first).
    #[must_use]
    pub fn of<S: Into<String>>(&self, values: impl IntoIterator<Item = S>) -> AttributeValue {
        let mut values = values.into_iter().map(Into::into);
        if self.many {
            AttributeValue::Many(values.filter(|v: &String| !v.is_empty()).collect())
        } else {
            AttributeValue::One(values.next().unwrap_or_default())
        }
    }

    /// The declared value of that id.
    #[must_use]
    pub fn value(&self, id: &str) -> Option<&Value> {
        self.values.iter().find(|v| v.id == id)
    }

    /// Is this value a question to the author? Of the attribute `triage`, `needs-info` always is.
    #[must_use]
    pub fn asks_author(&self, value: &AttributeValue) -> bool {
        let AttributeValue::One(id) = value else {
            return false;
        };
        let by_name = self.id == "triage" && id == "needs-info";
        by_name || self.value(id).is_some_and(|v| v.waits.is_some())
    }

    /// The value that people mean by a word: its id or verb, whatever the capitals.
    #[must_use]
    pub fn value_said(&self, word: &str) -> Option<&Value> {
        self.values.iter().find(|v| {
            v.id.eq_ignore_ascii_case(word)
                || v.verb
                    .as_deref()
                    .is_some_and(|verb| verb.eq_ignore_ascii_case(word))
        })
    }
}

/// One value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub id: String,
    /// How it is said in a command (`accepted` is said `accept`).
    pub verb: Option<String>,
    /// The option's name on boards, where it is not the id in other capitals.
    pub option: Option<String>,
    /// With this value a question is put to the author, whose next comment ends it.
    pub waits: Option<Waits>,
}

/// What becomes of a question to the author while nobody answers. Both count from when it was put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// After so long it is asked for once more: the key of the template.
    pub remind: Option<(SignedDuration, String)>,
    /// After so long it ends by itself, and this is the value then.
    pub end: Option<(SignedDuration, String)>,
}

/// `kind/{value}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelPattern {
    pub before: String,
    pub after: String,
}

impl LabelPattern {
    /// The label of a value.
    #[must_use]
    pub fn label(&self, value: &str) -> String {
        format!("{}{value}{}", self.before, self.after)
    }

    /// The value part of a label that has this shape (labels ignore capitals).
    #[must_use]
    pub fn value<'l>(&self, label: &'l str) -> Option<&'l str> {
        let inner = label
            .len()
            .checked_sub(self.before.len() + self.after.len())?;
        let middle = label.get(self.before.len()..self.before.len() + inner)?;
        let before = label.get(..self.before.len())?;
        let after = label.get(label.len() - self.after.len()..)?;
        (before.eq_ignore_ascii_case(&self.before) && after.eq_ignore_ascii_case(&self.after))
            .then_some(middle)
    }
}

/// The same but for capitals, blanks and punctuation: `new-hub` and `New hub`.
#[must_use]
pub fn loosely_equal(a: &str, b: &str) -> bool {
    let letters = |s: &str| {
        s.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    a.eq_ignore_ascii_case(b) || (!letters(a).is_empty() && letters(a) == letters(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_ignore_capitals_and_keep_their_value() {
        let pattern = LabelPattern {
            before: "kind/".into(),
            after: String::new(),
        };
        assert_eq!(pattern.value("Kind/Feature"), Some("Feature"));
        assert_eq!(pattern.value("kin"), None);
        assert_eq!(pattern.value("ünd/x"), None);
        assert_eq!(pattern.label("bug"), "kind/bug");
    }

    #[test]
    fn names_drift_in_capitals_and_hyphens() {
        assert!(loosely_equal("new-hub", "New hub"));
        assert!(!loosely_equal("p1", "p2"));
        assert!(!loosely_equal("-", "!"));
    }
}
