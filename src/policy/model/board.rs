//! Boards: their fields, and the gates and caps of their columns.

use indexmap::IndexMap;

use crate::policy::expr::Program;
use crate::triage::attribute::AttributeValue;
use crate::triage::snapshot::FieldValue;

use super::{Attribute, loosely_equal};

/// A GitHub Project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    pub id: String,
    /// The number in the project's address.
    pub project: u64,
    /// The field whose options are the columns.
    pub column_field: String,
    /// Its items are the goals.
    pub goals: bool,
    /// As pinned in a `*.lock.yaml`; empty where nothing is pinned.
    pub fields: IndexMap<String, FieldKind>,
}

/// A goal that is an item of a board, as a lock file pins it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PinnedGoal {
    pub id: String,
    pub title: Option<String>,
    /// Node id of its row.
    pub item: Option<String>,
    /// `owner/repo#n`; `None` for a draft.
    pub issue: Option<String>,
}

impl PinnedGoal {
    #[must_use]
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.id)
    }
}

impl Board {
    /// A pinned field, whatever its capitals.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<(&str, &FieldKind)> {
        self.fields
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(n, kind)| (n.as_str(), kind))
    }

    /// The pinned columns; empty where nothing is pinned.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        match self.field(&self.column_field) {
            Some((_, FieldKind::Options(columns))) => columns,
            _ => &[],
        }
    }
}

/// What a board's field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One of these options.
    Options(Vec<String>),
    Text,
    Number,
    Date,
    /// One of these iterations, the earliest first; empty where they are not pinned.
    Iteration(Vec<String>),
}

/// A field of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRef {
    pub board: String,
    /// As the board writes it, where pinned.
    pub field: String,
    /// `None` where nothing is pinned; then a single-select field is taken for granted.
    pub kind: Option<FieldKind>,
}

impl FieldRef {
    /// The value as the board shows it; `None` for no value.
    #[must_use]
    pub fn show(&self, attribute: &Attribute, value: &AttributeValue) -> Option<FieldValue> {
        if value.is_empty() {
            return None;
        }
        let name = |id: &str| {
            let option = attribute.value(id).and_then(|v| v.option.as_deref());
            let found = match (&self.kind, option) {
                (Some(FieldKind::Options(options)), Some(option)) => {
                    options.iter().find(|o| o.eq_ignore_ascii_case(option))
                }
                (Some(FieldKind::Options(options)), None) => {
                    options.iter().find(|o| loosely_equal(o, id))
                }
                _ => None,
            };
            found.map_or_else(|| option.unwrap_or(id).to_owned(), Clone::clone)
        };
        let text = value.iter().map(name).collect::<Vec<_>>().join(", ");
        Some(match self.kind {
            Some(FieldKind::Options(_)) | None => FieldValue::Option(text),
            Some(_) => FieldValue::Text(text),
        })
    }

    /// The values that the board's field says, those the attribute does not know left out.
    #[must_use]
    pub fn read(&self, attribute: &Attribute, shown: &FieldValue) -> AttributeValue {
        let text = shown.text();
        let known = |part: &str| {
            let part = part.trim();
            attribute
                .values
                .iter()
                .find(|v| {
                    v.option
                        .as_deref()
                        .is_some_and(|o| o.eq_ignore_ascii_case(part))
                })
                .or_else(|| attribute.values.iter().find(|v| loosely_equal(&v.id, part)))
                .map(|v| v.id.clone())
        };
        if attribute.many {
            attribute.of(text.split(',').filter_map(known))
        } else {
            attribute.of(known(&text))
        }
    }
}

/// A condition for entering columns.
pub struct Gate {
    pub id: String,
    pub principle: String,
    pub board: String,
    pub into: Vec<String>,
    pub requires: Program,
    pub otherwise: Over,
    pub because: String,
}

/// A limit on how many items may be in columns.
#[derive(Clone)]
pub struct Cap {
    pub id: String,
    /// It counts these alone; `None`: all.
    pub only: Option<Only>,
    pub principle: String,
    pub board: String,
    pub columns: Vec<String>,
    pub at_most: Program,
    pub exempt: Option<Program>,
    pub over: Over,
    /// Roles whose own move over the cap is an override.
    pub by_hand: Vec<String>,
    pub next_by: Vec<OrderBy>,
    /// Move the next candidate when a place becomes free, rather than name it.
    pub pull: bool,
    pub because: String,
}

/// Whom one of the caps counts that a cap with `per` stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Only {
    /// The id that the policy gives to all of them.
    pub of: String,
    /// Items with this value of an attribute.
    pub attribute: String,
    pub value: String,
}

/// What happens to an entry that should not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Return,
    Warn,
}

/// `score desc`.
#[derive(Clone)]
pub struct OrderBy {
    /// `None`: the score.
    pub by: Option<Program>,
    pub descending: bool,
}
