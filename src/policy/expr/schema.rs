//! The names an expression may use, with their types.

use std::collections::HashMap;
use std::fmt;

use super::pattern::PatternPool;
use super::program::Program;

/// The type of an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    Bool,
    Int,
    Double,
    String,
    Timestamp,
    Duration,
    /// One of the values declared under the id, or `""`. Usable wherever a string is.
    Enum(EnumId),
    List(Box<Type>),
    /// String keys nobody declared; a missing key is the value type's empty value or absent.
    Map(Box<Type>),
    /// The element type of `[]`: fits every other type.
    Nothing,
}

impl Type {
    /// Does the type have an empty value (`""`, `[]`, no keys), so that it is never absent?
    #[must_use]
    pub fn has_empty(&self) -> bool {
        matches!(
            self,
            Self::String | Self::Enum(_) | Self::List(_) | Self::Map(_)
        )
    }

    /// Int or double?
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }

    /// String or enum?
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::String | Self::Enum(_))
    }
}

/// A declared set of values; see [`Schema::add_enum`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumId(u32);

/// Where a fact stands in [`Facts`](super::Facts).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub(super) u32);

impl Slot {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug)]
struct Enumeration {
    name: String,
    values: Vec<String>,
}

/// One declared fact.
#[derive(Debug)]
pub(super) struct Fact {
    pub path: String,
    pub ty: Type,
    pub may_be_absent: bool,
    /// Changes as time passes, without anything happening: `now`, ages, facts derived from them.
    pub moves: bool,
    /// How the fact is computed, where an expression does.
    pub definition: Option<Program>,
}

/// What names exist. Built once per policy, extended as derived facts and attributes are declared.
///
/// A timestamp at the path `now` is the present instant. Durations whose last segment is `age`
/// (`issue.age`) grow with it; both are what [`Notes::flips_at`](super::Notes) is computed from.
#[derive(Debug, Default)]
pub struct Schema {
    facts: Vec<Fact>,
    by_path: HashMap<String, Slot>,
    enums: Vec<Enumeration>,
    memberships: HashMap<String, Slot>,
    pub(super) patterns: PatternPool,
}

impl Schema {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a set of values. `""` always belongs to it and means none; duplicates are dropped.
    pub fn add_enum(&mut self, name: &str, values: impl IntoIterator<Item = String>) -> EnumId {
        let mut kept: Vec<String> = Vec::new();
        for value in values {
            if !value.is_empty() && !kept.contains(&value) {
                kept.push(value);
            }
        }
        let id = EnumId(u32::try_from(self.enums.len()).unwrap_or(u32::MAX));
        self.enums.push(Enumeration {
            name: name.to_owned(),
            values: kept,
        });
        id
    }

    /// The values of an enum in the order they were declared, without `""`.
    #[must_use]
    pub fn enum_values(&self, id: EnumId) -> &[String] {
        self.enums.get(id.0 as usize).map_or(&[], |e| &e.values)
    }

    /// What the enum is called in messages.
    #[must_use]
    pub fn enum_name(&self, id: EnumId) -> &str {
        self.enums.get(id.0 as usize).map_or("", |e| &e.name)
    }

    /// Declares a fact. The path is dotted: `issue.title`, `kind`, `current.kind`, `now`.
    ///
    /// Absence has a meaning only for types without an empty value; for the others
    /// `may_be_absent` is ignored. Declaring a path again replaces the earlier meaning of the
    /// name; programs that were compiled before keep theirs.
    pub fn add_fact(&mut self, path: &str, ty: Type, may_be_absent: bool) -> Slot {
        let moves = match ty {
            Type::Timestamp => path == "now",
            Type::Duration => path.rsplit('.').next() == Some("age"),
            _ => false,
        };
        self.push(Fact {
            path: path.to_owned(),
            may_be_absent: may_be_absent && !ty.has_empty(),
            ty,
            moves,
            definition: None,
        })
    }

    /// Declares a fact that an expression computes, with that expression's type.
    ///
    /// The lint looks through it, and if it moves with time (`now - issue.updated_at`),
    /// comparisons with it are noted. Give it its value with [`Facts::derive`](super::Facts::derive).
    pub fn add_derived(&mut self, path: &str, definition: &Program) -> Slot {
        self.push(Fact {
            path: path.to_owned(),
            ty: definition.ty().clone(),
            may_be_absent: definition.may_be_absent(),
            moves: definition.moves(),
            definition: Some(definition.clone()),
        })
    }

    fn push(&mut self, fact: Fact) -> Slot {
        let slot = Slot(u32::try_from(self.facts.len()).unwrap_or(u32::MAX));
        self.by_path.insert(fact.path.clone(), slot);
        self.facts.push(fact);
        slot
    }

    #[must_use]
    pub fn slot(&self, path: &str) -> Option<Slot> {
        self.by_path.get(path).copied()
    }

    /// The path a slot was declared under.
    #[must_use]
    pub fn path(&self, slot: Slot) -> &str {
        self.fact(slot).map_or("", |f| &f.path)
    }

    #[must_use]
    pub fn type_of(&self, slot: Slot) -> &Type {
        self.fact(slot).map_or(&Type::Nothing, |f| &f.ty)
    }

    /// How many slots there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Every slot, in the order of declaration.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (0..u32::try_from(self.facts.len()).unwrap_or(u32::MAX)).map(Slot)
    }

    /// Declares a call (`author.is`, `confirmed_by`) that asks whether its one argument is in the
    /// list in `slot`. If that is a list of enum values, a literal argument is checked.
    pub fn add_membership(&mut self, call: &str, slot: Slot) {
        self.memberships.insert(call.to_owned(), slot);
    }

    pub(super) fn membership(&self, call: &str) -> Option<Slot> {
        self.memberships.get(call).copied()
    }

    /// The calls declared by [`Schema::add_membership`], in no order.
    pub fn membership_calls(&self) -> impl Iterator<Item = &str> {
        self.memberships.keys().map(String::as_str)
    }

    pub(super) fn fact(&self, slot: Slot) -> Option<&Fact> {
        self.facts.get(slot.index())
    }

    pub(super) fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The paths that names mean at present (a redeclared one once).
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.by_path.keys().map(String::as_str)
    }

    /// Does some fact's path begin with `prefix` and a dot?
    pub(super) fn is_prefix(&self, prefix: &str) -> bool {
        self.by_path.keys().any(|p| {
            p.strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with('.'))
        })
    }

    /// The enums that have the value.
    pub(super) fn enums_with(&self, value: &str) -> impl Iterator<Item = EnumId> {
        let found = move |(i, e): (usize, &Enumeration)| {
            let id = EnumId(u32::try_from(i).unwrap_or(u32::MAX));
            e.values.iter().any(|v| v == value).then_some(id)
        };
        self.enums.iter().enumerate().filter_map(found)
    }

    /// The type in words, for messages.
    #[must_use]
    pub fn describe<'a>(&'a self, ty: &'a Type) -> impl fmt::Display + 'a {
        Described { schema: self, ty }
    }
}

struct Described<'a> {
    schema: &'a Schema,
    ty: &'a Type,
}

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = |ty| Described {
            schema: self.schema,
            ty,
        };
        match self.ty {
            Type::Bool => f.write_str("true or false"),
            Type::Int => f.write_str("a whole number"),
            Type::Double => f.write_str("a decimal number"),
            Type::String => f.write_str("a text"),
            Type::Timestamp => f.write_str("an instant"),
            Type::Duration => f.write_str("a duration"),
            Type::Enum(id) => write!(f, "a value of `{}`", self.schema.enum_name(*id)),
            Type::List(of) => write!(f, "a list ({})", inner(of)),
            Type::Map(of) => write!(f, "named values ({})", inner(of)),
            Type::Nothing => f.write_str("anything"),
        }
    }
}
