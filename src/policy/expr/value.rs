//! Values, the facts of one item, and what an evaluation notes beside its result.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use super::pattern::MatchedPatterns;
use super::program::Program;
use super::schema::{Schema, Slot, Type};

/// A value. Those of enums are [`Value::Str`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Absent,
    Bool(bool),
    Int(i64),
    Double(f64),
    Str(Arc<str>),
    List(Arc<[Value]>),
    Map(Arc<BTreeMap<String, Value>>),
    Timestamp(Timestamp),
    Duration(SignedDuration),
}

impl Value {
    /// A text or an enum's value.
    #[must_use]
    pub fn str(text: &str) -> Self {
        Self::Str(Arc::from(text))
    }

    /// A list of texts.
    pub fn strs<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Self {
        Self::List(texts.into_iter().map(|t| Self::str(t.as_ref())).collect())
    }

    /// What a fact of the type is before it is set.
    #[must_use]
    pub fn empty(ty: &Type) -> Self {
        match ty {
            Type::String | Type::Enum(_) => Self::str(""),
            Type::List(_) => Self::List(Arc::from([])),
            Type::Map(_) => Self::Map(Arc::default()),
            _ => Self::Absent,
        }
    }

    /// As [`has`](super::FUNCTIONS) sees it: neither absent nor empty.
    #[must_use]
    pub fn is_present(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Str(s) => !s.is_empty(),
            Self::List(l) => !l.is_empty(),
            Self::Map(m) => !m.is_empty(),
            _ => true,
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_unit(),
            Self::Bool(b) => b.serialize(serializer),
            Self::Int(i) => i.serialize(serializer),
            Self::Double(d) => d.serialize(serializer),
            Self::Str(s) => serializer.serialize_str(s),
            Self::List(l) => serializer.collect_seq(l.iter()),
            Self::Map(m) => serializer.collect_map(m.iter()),
            Self::Timestamp(t) => t.serialize(serializer),
            Self::Duration(d) => d.serialize(serializer),
        }
    }
}

/// One value for every slot of a schema: everything an expression may look at.
#[derive(Clone, Debug)]
pub struct Facts {
    values: Vec<Value>,
    /// How each instant or duration changes per unit of time that passes: 1 for `now` and ages.
    rates: Vec<i32>,
    now: Option<Slot>,
    pub(super) matched: MatchedPatterns,
}

impl Facts {
    /// Each slot at its type's empty value, or absent.
    #[must_use]
    pub fn new(schema: &Schema) -> Self {
        let facts = schema.facts();
        Self {
            values: facts.iter().map(|f| Value::empty(&f.ty)).collect(),
            // A derived fact brings its rate when it is derived.
            rates: facts
                .iter()
                .map(|f| i32::from(f.moves && f.definition.is_none()))
                .collect(),
            now: schema.slot("now"),
            matched: MatchedPatterns::new(schema),
        }
    }

    /// No slots at all: for what is constant.
    pub(super) fn none() -> Self {
        Self {
            values: Vec::new(),
            rates: Vec::new(),
            now: None,
            matched: MatchedPatterns::default(),
        }
    }

    /// Becomes the same as other facts of the schema, in the room that is there already.
    pub(super) fn take_over(&mut self, other: &Self) {
        self.values.clone_from(&other.values);
        self.rates.clone_from(&other.rates);
        self.now = other.now;
        self.matched.clone_from(&other.matched);
    }

    /// Sets a fact. A value that is not of the slot's type reads as absent or empty.
    pub fn set(&mut self, slot: Slot, value: Value) {
        if let Some(place) = self.values.get_mut(slot.index()) {
            *place = value;
            self.matched.forget(slot);
        }
    }

    /// Evaluates what a derived fact is defined by, and keeps value and movement.
    pub fn derive(&mut self, slot: Slot, definition: &Program, notes: &mut Notes) {
        let (value, rate) = definition.eval_moving(self, notes);
        if let Some(place) = self.rates.get_mut(slot.index()) {
            *place = rate;
        }
        self.set(slot, value);
    }

    #[must_use]
    pub fn get(&self, slot: Slot) -> &Value {
        self.values.get(slot.index()).unwrap_or(&Value::Absent)
    }

    pub(super) fn rate(&self, slot: Slot) -> i32 {
        self.rates.get(slot.index()).copied().unwrap_or(0)
    }

    /// The instant in the fact `now`.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        match self.get(self.now?) {
            Value::Timestamp(t) => Some(*t),
            _ => None,
        }
    }
}

/// What evaluations note beside their results; one may collect from many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The earliest instant after `now` at which a comparison that was evaluated flips because
    /// time passed.
    pub flips_at: Option<Timestamp>,
}

impl Notes {
    pub(super) fn flips(&mut self, at: Timestamp) {
        self.flips_at = Some(self.flips_at.map_or(at, |earlier| earlier.min(at)));
    }
}
