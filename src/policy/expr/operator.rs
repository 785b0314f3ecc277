//! The checker's part for comparisons, arithmetic and `in`.

use std::ops::Range;

use super::ast::{Binary, Id};
use super::check::{Checked, Checker, unify};
use super::problem::Problem;
use super::program::{Arith, Compare, Op};
use super::schema::Type;

impl Checker<'_> {
    /// Checks two sides, the one that is written out last, with the other's type as its hint.
    pub fn sides(
        &mut self,
        a: Id,
        b: Id,
        hint: impl Fn(&Type) -> Option<Type>,
    ) -> (Checked, Checked) {
        let hint = |checked: &Checked| checked.ty.as_ref().and_then(&hint);
        if self.ast.is_literal(a) && !self.ast.is_literal(b) {
            let right = self.present(b, None);
            let left = self.present(a, hint(&right).as_ref());
            (left, right)
        } else {
            let left = self.present(a, None);
            let right = self.present(b, hint(&left).as_ref());
            (left, right)
        }
    }

    pub fn compare(&mut self, how: Compare, a: Id, b: Id, span: Range<usize>) -> Checked {
        let (left, right) = self.sides(a, b, |ty| {
            // Numbers compare across types, exactly; a literal need not bend.
            (!ty.is_number()).then(|| ty.clone())
        });
        let (Some(ta), Some(tb)) = (&left.ty, &right.ty) else {
            return self.broken(span);
        };
        let equality = matches!(how, Compare::Eq | Compare::Ne);
        let sign = Binary::Compare(how).sign();
        if !self.comparable(ta, tb) {
            self.mismatch(sign, ta, tb, span.clone());
            return self.broken(span);
        }
        if !equality {
            let unordered = match (ta, tb) {
                (Type::Enum(_), _) | (_, Type::Enum(_)) => {
                    Some("its values have no order: write `x in [\"…\", \"…\"]`")
                }
                (Type::List(_), _) => Some("to compare lengths, write `size(x)`"),
                _ => None,
            };
            if let Some(help) = unordered {
                let found = self.schema.describe(ta).to_string();
                let message = format!("`{sign}` cannot order {found}");
                self.problems
                    .push(Problem::new("type-mismatch", span.clone(), message).help(help));
                return self.broken(span);
            }
        }
        let op = Op::Compare(how, left.node, right.node);
        let mut checked = self.emit(op, Type::Bool, &[&left, &right], span);
        let walk = left.bulk.walk().min(right.bulk.walk());
        checked.cost = checked.cost.saturating_add(walk);
        checked.moves = false;
        checked
    }

    pub fn mismatch(&mut self, sign: &str, a: &Type, b: &Type, span: Range<usize>) {
        let schema = self.schema;
        let message = format!(
            "`{sign}` does not go with {} and {}",
            schema.describe(a),
            schema.describe(b)
        );
        let problem = Problem::new("type-mismatch", span, message);
        let help = match (a, b) {
            (Type::Int, Type::Double) | (Type::Double, Type::Int) => {
                "make both decimal: `1.0`, or `double(x)`"
            }
            (Type::List(_), _) | (_, Type::List(_)) if sign == "==" => {
                "to look for a value in a list, write `value in list`"
            }
            (Type::Duration, Type::Int) | (Type::Int, Type::Duration) => {
                "write `days(3)` or `hours(3)`"
            }
            (Type::Timestamp, t) | (t, Type::Timestamp) if t.is_text() => {
                "write `timestamp(\"2026-01-31T00:00:00Z\")`"
            }
            (n, t) | (t, n) if n.is_number() && t.is_text() => "write the number without quotes",
            _ => "",
        };
        self.problems.push(if help.is_empty() {
            problem
        } else {
            problem.help(help)
        });
    }

    /// Can `==` ever be true?
    pub fn comparable(&self, a: &Type, b: &Type) -> bool {
        match (a, b) {
            (Type::Enum(x), Type::Enum(y)) if x != y => {
                let values = self.schema.enum_values(*y);
                self.schema
                    .enum_values(*x)
                    .iter()
                    .any(|v| values.contains(v))
            }
            (Type::List(x), Type::List(y)) => self.comparable(x, y),
            (Type::Map(_), _) | (_, Type::Map(_)) => false,
            (Type::Nothing, _) | (_, Type::Nothing) => true,
            _ => a == b || a.is_text() && b.is_text() || a.is_number() && b.is_number(),
        }
    }

    pub fn arithmetic(&mut self, how: Arith, a: Id, b: Id, span: Range<usize>) -> Checked {
        let (left, right) = self.sides(a, b, |ty| (*ty == Type::Double).then_some(Type::Double));
        let (Some(ta), Some(tb)) = (&left.ty, &right.ty) else {
            return self.broken(span);
        };
        let Some(ty) = arithmetic_type(how, ta, tb) else {
            self.mismatch(Binary::Arith(how).sign(), ta, tb, span.clone());
            return self.broken(span);
        };
        let op = Op::Arith(how, left.node, right.node);
        let mut checked = self.emit(op, ty.clone(), &[&left, &right], span);
        if ty.has_empty() {
            checked.bulk = left.bulk.joined(right.bulk);
            checked.cost = checked.cost.saturating_add(checked.bulk.walk());
        }
        checked
    }

    pub fn membership_in(&mut self, needle: Id, hay: Id, span: Range<usize>) -> Checked {
        let (left, right);
        if self.ast.is_literal(hay) {
            left = self.present(needle, None);
            let hint = left.ty.clone().map(|ty| Type::List(Box::new(ty)));
            right = self.present(hay, hint.filter(|_| !self.ast.is_literal(needle)).as_ref());
        } else {
            right = self.present(hay, None);
            let hint = match &right.ty {
                Some(Type::List(of)) => Some(of.as_ref().clone()),
                _ => None,
            };
            left = self.present(needle, hint.as_ref());
        }
        let (Some(ta), Some(tb)) = (&left.ty, &right.ty) else {
            return self.broken(span);
        };
        let fits = match tb {
            Type::List(of) => self.comparable(ta, of),
            Type::Map(_) => ta.is_text(),
            _ => false,
        };
        if !fits {
            if ta.is_text() && tb.is_text() {
                let message = "`in` looks into lists, and this is a text".to_owned();
                let problem = Problem::new("type-mismatch", self.ast.span(hay), message);
                let help = format!("write `{}.contains({})`", self.text(hay), self.text(needle));
                self.problems.push(problem.help(help));
            } else {
                self.mismatch("in", ta, tb, span.clone());
            }
            return self.broken(span);
        }
        let op = Op::In(left.node, right.node);
        let mut checked = self.emit(op, Type::Bool, &[&left, &right], span);
        checked.cost = checked.cost.saturating_add(right.bulk.walk());
        checked.moves = false;
        checked
    }
}

fn arithmetic_type(how: Arith, a: &Type, b: &Type) -> Option<Type> {
    use Type::{Double, Duration, Int, Timestamp};
    match (how, a, b) {
        (_, Int, Int) => Some(Int),
        (Arith::Rem, ..) => None,
        (_, Double, Double) => Some(Double),
        (Arith::Add, a, b) if a.is_text() && b.is_text() => Some(Type::String),
        (Arith::Add, Type::List(_), Type::List(_)) => unify(a, b),
        (Arith::Sub, Timestamp, Timestamp) | (Arith::Add | Arith::Sub, Duration, Duration) => {
            Some(Duration)
        }
        (Arith::Add | Arith::Sub, Timestamp, Duration) | (Arith::Add, Duration, Timestamp) => {
            Some(Timestamp)
        }
        _ => None,
    }
}
