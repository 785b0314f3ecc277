//! Rules: a condition, and what it wants of attributes and fields.

use std::collections::BTreeMap;

use crate::policy::expr::Program;
use crate::policy::template::Template;
use crate::triage::attribute::AttributeValue;
use crate::triage::decision::Mode;
use crate::triage::snapshot::FieldValue;

/// A condition and what it wants.
pub struct Rule {
    pub id: String,
    pub principle: String,
    pub because: String,
    pub mode: Option<Mode>,
    /// Outranks everything but an override.
    pub enforce: bool,
    /// `None`: always.
    pub when: Option<Program>,
    /// Ids of rules that give way where both hold.
    pub overrides: Vec<String>,
    pub wishes: Vec<Wish>,
    /// `set: { milestone: none }`.
    pub clear_milestone: bool,
    pub labels: Vec<String>,
    pub no_labels: Vec<String>,
    /// Key of a template.
    pub comment: Option<String>,
    /// Key of a template.
    pub sticky: Option<String>,
    pub on_boards: Vec<String>,
    /// Fields of boards that show no attribute.
    pub fields: Vec<FieldWish>,
    /// Boards on which the item's row is archived.
    pub archive: Vec<String>,
}

impl Rule {
    /// Every expression in it.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.when
            .iter()
            .chain(self.wishes.iter().flat_map(|wish| wish.pick.programs()))
            .chain(self.fields.iter().filter_map(|wish| wish.to.program()))
    }
}

/// What a rule wants of one attribute.
pub struct Wish {
    pub attribute: String,
    /// Withdrawn when no rule asks for it any more.
    pub hold: bool,
    pub pick: Pick,
}

/// Where the value comes from.
pub enum Pick {
    One(Given),
    /// The first row that holds; a row without a condition always does.
    Rows(Vec<(Option<Program>, Given)>),
    /// A lookup by a text; without an entry, `otherwise`.
    Table {
        by: Program,
        of: BTreeMap<String, AttributeValue>,
        otherwise: Option<AttributeValue>,
    },
}

impl Pick {
    /// Every expression in it.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        let (rows, one, by) = match self {
            Self::One(given) => (None, given.program(), None),
            Self::Rows(rows) => (Some(rows), None, None),
            Self::Table { by, .. } => (None, None, Some(by)),
        };
        rows.into_iter()
            .flatten()
            .flat_map(|(when, given)| when.iter().chain(given.program()))
            .chain(one)
            .chain(by)
    }
}

/// A value, written down or computed.
pub enum Given {
    Literal(AttributeValue),
    Computed(Program),
}

impl Given {
    fn program(&self) -> Option<&Program> {
        match self {
            Self::Computed(program) => Some(program),
            Self::Literal(_) => None,
        }
    }
}

/// What a rule wants of a field that shows no attribute.
pub struct FieldWish {
    pub board: String,
    /// As the board writes it.
    pub field: String,
    pub to: FieldTo,
}

impl FieldWish {
    /// `board.Field`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.board, self.field)
    }
}

/// What a field is to hold.
pub enum FieldTo {
    /// It is emptied.
    Nothing,
    /// What is written in the policy.
    This(FieldValue),
    /// A text with facts in it.
    Text(Template),
    /// The name of an option, a number, or a day.
    Computed(Program),
    /// An iteration by where it stands in time.
    Iteration(Nearby),
}

impl FieldTo {
    fn program(&self) -> Option<&Program> {
        match self {
            Self::Computed(program) => Some(program),
            _ => None,
        }
    }

    /// Does it come to the same for every item?
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::This(a), Self::This(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a.parts == b.parts,
            (Self::Computed(a), Self::Computed(b)) => a.text() == b.text(),
            (Self::Iteration(a), Self::Iteration(b)) => a == b,
            _ => false,
        }
    }
}

/// An iteration, as seen from today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearby {
    Previous,
    Current,
    Next,
}

impl Nearby {
    /// GitHub's own words for them.
    pub const WORDS: [(&'static str, Self); 3] = [
        ("@previous", Self::Previous),
        ("@current", Self::Current),
        ("@next", Self::Next),
    ];

    /// GitHub's own word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Previous => "@previous",
            Self::Current => "@current",
            Self::Next => "@next",
        }
    }
}
