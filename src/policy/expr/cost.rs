//! What evaluating costs at worst, known before anything is evaluated.
//!
//! The unit is about a nanosecond. Nothing is measured: texts and lists are taken to be as long as
//! GitHub lets them be, or as long as seems possible where it sets no limit.

use super::schema::{Schema, Slot, Type};

/// The most that one evaluation of one expression may cost, in units of about a nanosecond.
pub const BUDGET: u64 = 1_000_000;

/// Elements of a list whose length nothing tells. GitHub lets an issue have 100 labels.
const ITEMS: u64 = 100;
/// Characters of an issue's body: GitHub's limit. A form's answers are parts of it.
const BODY: u64 = 65_536;
/// Characters of a title: GitHub's limit.
const TITLE: u64 = 256;
/// Characters of an enum's value.
const WORD: u64 = 64;
/// Characters of a text in a list. A label's name has at most 50.
const ELEMENT: u64 = 128;
/// Characters of any other text.
const TEXT: u64 = 1_024;

/// How much there can be of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bulk {
    /// Elements, if a list or map; else 0.
    pub items: u64,
    /// Characters, of the text or of each text inside.
    pub text: u64,
}

impl Bulk {
    pub fn text(chars: usize) -> Self {
        Self {
            items: 0,
            text: chars as u64,
        }
    }

    pub fn of_fact(schema: &Schema, slot: Slot) -> Self {
        let last = schema.path(slot).rsplit('.').next().unwrap_or_default();
        let text = match last {
            "body" | "form" => BODY,
            "title" => TITLE,
            _ => TEXT,
        };
        Self::of_type(schema.type_of(slot), text)
    }

    fn of_type(ty: &Type, text: u64) -> Self {
        match ty {
            Type::String => Self { items: 0, text },
            Type::Enum(_) => Self {
                items: 0,
                text: WORD,
            },
            Type::List(of) => Self {
                items: ITEMS,
                text: Self::of_type(of, text.min(ELEMENT)).text,
            },
            Type::Map(of) => Self {
                items: ITEMS,
                text: Self::of_type(of, text).text,
            },
            _ => Self::default(),
        }
    }

    /// An element of the list, or the value under a key of the map.
    pub fn element(self, ty: &Type) -> Self {
        Self::of_type(ty, self.text).at_most(self)
    }

    fn at_most(self, other: Self) -> Self {
        Self {
            items: self.items,
            text: self.text.min(other.text),
        }
    }

    /// The larger of two that stand in one place.
    pub fn either(self, other: Self) -> Self {
        Self {
            items: self.items.max(other.items),
            text: self.text.max(other.text),
        }
    }

    /// Both joined by `+`.
    pub fn joined(self, other: Self) -> Self {
        if self.items == 0 && other.items == 0 {
            return Self {
                items: 0,
                text: self.text.saturating_add(other.text),
            };
        }
        Self {
            items: self.items.saturating_add(other.items),
            text: self.text.max(other.text),
        }
    }

    /// To walk over all of it once.
    pub fn walk(self) -> u64 {
        self.items.max(1).saturating_mul(1 + self.text / 16)
    }
}
