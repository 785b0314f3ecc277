//! The checker's part for names: facts, macros' variables, and parts of them.

use std::ops::Range;

use super::ast::{Id, Kind};
use super::check::{Checked, Checker};
use super::cost::Bulk;
use super::flow::{EVERY_PLACE, Place};
use super::function::FUNCTIONS;
use super::problem::{Problem, nearest};
use super::program::Op;
use super::schema::{Slot, Type};
use super::value::Value;

impl Checker<'_> {
    /// A fact, a macro's variable, or a part of something.
    pub fn name_or_part(&mut self, id: Id) -> Checked {
        let span = self.ast.span(id);
        if let Some(path) = self.ast.path(id)
            && self.local(path[0]).is_none()
        {
            if let Some(slot) = self.schema.slot(&path.join(".")) {
                return self.fact(slot, span);
            }
            let inside = (1..path.len()).any(|n| self.schema.slot(&path[..n].join(".")).is_some());
            if !inside {
                let path = path.join(".");
                self.unknown_fact(&path, span.clone());
                return self.broken(span);
            }
        }
        let ast = self.ast;
        match ast.kind(id) {
            Kind::Name(name) => match self.local(name) {
                Some(index) => self.variable(index, span),
                None => self.broken(span),
            },
            Kind::Select(of, name) => {
                let of_checked = self.check(*of, None);
                let end = span.end;
                let key_span = end.saturating_sub(name.len())..end;
                let key = self.constant(Value::str(name), Type::String, key_span);
                self.part(*of, &of_checked, &key, name, span)
            }
            Kind::Index(of, key) => {
                let of_checked = self.check(*of, None);
                let key_checked = self.present(*key, None);
                let shown = self.text(*key).to_owned();
                self.part(*of, &of_checked, &key_checked, &shown, span)
            }
            _ => self.broken(span),
        }
    }

    fn local(&self, name: &str) -> Option<usize> {
        self.locals.iter().rposition(|l| l.name == name)
    }

    fn variable(&mut self, index: usize, span: Range<usize>) -> Checked {
        let op = Op::Local(u16::try_from(index).unwrap_or(u16::MAX));
        let local = &self.locals[index];
        let (ty, bulk) = (local.ty.clone(), local.bulk);
        let mut checked = self.emit(op, Type::Nothing, &[], span);
        checked.ty = ty;
        checked.bulk = bulk;
        // The same name means another thing in another macro.
        let place = format!("\u{0}{}", self.locals[index].scope);
        checked.place = Some(self.place(place));
        checked
    }

    /// Has the place certainly a value where the checker stands?
    fn is_known(&self, place: Place) -> bool {
        self.known.iter().any(|k| *k == place || *k == EVERY_PLACE)
    }

    fn place(&mut self, name: String) -> u32 {
        let known = self.places.iter().position(|p| *p == name);
        let index = known.unwrap_or_else(|| {
            self.places.push(name);
            self.places.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    pub fn fact(&mut self, slot: Slot, span: Range<usize>) -> Checked {
        let schema = self.schema;
        let ty = schema.type_of(slot).clone();
        let fact = schema.fact(slot);
        let place = self.place(schema.path(slot).to_owned());
        let mut checked = self.emit(Op::Fact(slot), ty, &[], span);
        checked.absent = fact.is_some_and(|f| f.may_be_absent) && !self.is_known(place);
        checked.moves = fact.is_some_and(|f| f.moves);
        checked.bulk = Bulk::of_fact(schema, slot);
        checked.place = Some(place);
        checked
    }

    fn unknown_fact(&mut self, path: &str, span: Range<usize>) {
        let problem = Problem::new("unknown-fact", span, format!("there is no fact `{path}`"));
        let schema = self.schema;
        let below = format!("{path}.");
        let help = if schema.is_prefix(path) {
            let mut parts: Vec<&str> = schema.paths().filter(|p| p.starts_with(&below)).collect();
            parts.sort_unstable();
            let more = if parts.len() > 6 { ", …" } else { "" };
            parts.truncate(6);
            Some(format!("it is a group: {}{more}", parts.join(", ")))
        } else if let Some(near) = nearest(path, schema.paths()) {
            Some(format!("did you mean `{near}`?"))
        } else if FUNCTIONS.iter().any(|f| f.name == path) {
            Some(format!("`{path}` is a function: write `{path}(…)`"))
        } else {
            // A value whose quotes were forgotten: `kind == feature`.
            let is_value = schema.enums_with(path).next().is_some();
            is_value.then(|| format!("a value stands in quotes: \"{path}\""))
        };
        self.problems.push(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }

    /// An element of a list, or what stands under a key of a map.
    fn part(
        &mut self,
        of_id: Id,
        of: &Checked,
        key: &Checked,
        shown: &str,
        span: Range<usize>,
    ) -> Checked {
        let (Some(ty), Some(key_ty)) = (&of.ty, &key.ty) else {
            return self.broken(span);
        };
        let element = match ty {
            Type::Map(value) if key_ty.is_text() => value.as_ref().clone(),
            Type::List(element) if *key_ty == Type::Int => element.as_ref().clone(),
            _ => {
                let found = self.schema.describe(ty).to_string();
                let text = self.text(of_id).to_owned();
                let message = format!("`{text}` is {found} and has no part `{shown}`");
                let problem = Problem::new("type-mismatch", span.clone(), message);
                let path = self
                    .ast
                    .path(of_id)
                    .map(|p| format!("{}.{shown}", p.join(".")));
                let near = path.and_then(|p| nearest(&p, self.schema.paths()));
                self.problems.push(match near {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem,
                });
                return self.broken(span);
            }
        };
        let default = self.code.intern(Value::empty(&element));
        let has_empty = element.has_empty();
        let bulk = of.bulk.element(&element);
        let constant_key = match self.code.op(key.node) {
            Op::Const(index) => Some(format!("{:?}", self.code.constant(index))),
            _ => None,
        };
        let op = Op::Index(of.node, key.node, default);
        let mut checked = self.emit(op, element, &[of, key], span);
        checked.bulk = bulk;
        if let (Some(of), Some(key)) = (of.place, constant_key) {
            checked.place = Some(self.place(format!("{}\u{0}{key}", self.places[of as usize])));
        }
        let known = self.is_known(checked.place.unwrap_or(EVERY_PLACE));
        checked.absent = !has_empty && !known;
        checked
    }
}
