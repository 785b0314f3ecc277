//! The checker's part for calls.

use std::ops::Range;
use std::sync::OnceLock;

use super::ast::{Id, Kind};
use super::check::{Checked, Checker, Local, assignable, unify};
use super::cost::Bulk;
use super::flow::Flow;
use super::function::FUNCTIONS;
use super::pattern;
use super::problem::{Problem, nearest};
use super::program::{Convert, Loop, Op, Pattern, TextTest};
use super::schema::{Slot, Type};
use super::value::Value;

const MACROS: &[(&str, Loop)] = &[
    ("all", Loop::All),
    ("exists", Loop::Exists),
    ("exists_one", Loop::ExistsOne),
    ("filter", Loop::Filter),
    ("map", Loop::Map),
];

impl Checker<'_> {
    /// A function, a macro, `has`, or a declared membership.
    pub fn call(
        &mut self,
        id: Id,
        target: Option<Id>,
        name: &str,
        name_span: &Range<usize>,
        args: &[Id],
        hint: Option<&Type>,
    ) -> Checked {
        let span = self.ast.span(id);
        let path = match target {
            None => Some(name.to_owned()),
            Some(target) => self
                .ast
                .path(target)
                .map(|p| format!("{}.{name}", p.join("."))),
        };
        if let Some(slot) = path.as_deref().and_then(|p| self.schema.membership(p)) {
            return self.member(slot, name, args, span);
        }
        if let Some(over) = target
            && let Some((_, how)) = MACROS.iter().find(|(n, _)| *n == name)
        {
            return self.macro_call(*how, over, name, args, span);
        }
        if !FUNCTIONS.iter().any(|f| f.name == name) {
            return self.unknown_function(name, path.as_deref(), target, name_span, args, span);
        }
        let mut all: Vec<Id> = target.into_iter().collect();
        all.extend_from_slice(args);
        self.function(name, &all, hint, span)
    }

    fn unknown_function(
        &mut self,
        name: &str,
        path: Option<&str>,
        target: Option<Id>,
        name_span: &Range<usize>,
        args: &[Id],
        span: Range<usize>,
    ) -> Checked {
        let message = format!("there is no function `{name}`");
        let problem = Problem::new("unknown-function", name_span.clone(), message);
        let schema = self.schema;
        let lower = name.to_ascii_lowercase();
        let help = if let Some(near) = path.and_then(|p| nearest(p, schema.membership_calls())) {
            Some(format!("did you mean `{near}(…)`?"))
        } else if let Some(near) = nearest(name, FUNCTIONS.iter().map(|f| f.name)) {
            Some(format!("did you mean `{near}`?"))
        } else if let Some(path) = path.filter(|p| schema.slot(p).is_some()) {
            Some(format!("`{path}` is a fact: leave out the brackets"))
        } else if matches!(lower.as_str(), "length" | "len" | "count") {
            Some("did you mean `size`?".to_owned())
        } else if matches!(lower.as_str(), "lower" | "tolower" | "downcase") {
            Some("did you mean `lowerAscii`?".to_owned())
        } else {
            None
        };
        self.problems.push(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
        // `autor.is("x")` is one mistake; `issue.tilte.foo()` is two.
        let near_call = path.is_some_and(|p| nearest(p, schema.membership_calls()).is_some());
        for part in target.filter(|_| !near_call).iter().chain(args) {
            self.check(*part, None);
        }
        self.broken(span)
    }

    fn member(&mut self, slot: Slot, name: &str, args: &[Id], span: Range<usize>) -> Checked {
        let [arg] = args else {
            let message = format!("`{name}` takes one value in its brackets");
            self.problem("wrong-arguments", span.clone(), message);
            return self.broken(span);
        };
        let list = self.fact(slot, span.clone());
        let of = match &list.ty {
            Some(Type::List(of)) => of.as_ref().clone(),
            _ => Type::String,
        };
        let value = self.present(*arg, Some(&of));
        if value
            .ty
            .as_ref()
            .is_some_and(|ty| !self.comparable(ty, &of))
        {
            self.must(&value, *arg, &of);
            return self.broken(span);
        }
        let op = Op::In(value.node, list.node);
        let mut checked = self.emit(op, Type::Bool, &[&value, &list], span);
        checked.cost = checked.cost.saturating_add(list.bulk.walk());
        checked
    }

    fn macro_call(
        &mut self,
        how: Loop,
        over: Id,
        name: &str,
        args: &[Id],
        span: Range<usize>,
    ) -> Checked {
        let over_checked = self.check(over, None);
        let (variable, bodies) = match args {
            [variable, body] => (variable, vec![*body]),
            // As in CEL: `list.map(x, condition, value)`.
            [variable, condition, body] if how == Loop::Map => (variable, vec![*condition, *body]),
            _ => {
                let message = format!("`{name}` takes a name and what to do with it");
                self.problems
                    .push(
                        Problem::new("wrong-arguments", span.clone(), message).help(format!(
                            "like `issue.labels.{name}(l, l.startsWith(\"x\"))`"
                        )),
                    );
                return self.broken(span);
            }
        };
        let Kind::Name(variable) = self.ast.kind(*variable).clone() else {
            let at = self.ast.span(*variable);
            let message = "a name for the element belongs here".to_owned();
            self.problem("wrong-arguments", at, message);
            return self.broken(span);
        };
        let element = match &over_checked.ty {
            None => None,
            Some(Type::List(of)) => Some(of.as_ref().clone()),
            Some(Type::Map(_)) if matches!(how, Loop::All | Loop::Exists | Loop::ExistsOne) => {
                Some(Type::String)
            }
            Some(other) => {
                let found = self.schema.describe(other).to_string();
                let message = format!("`{name}` goes over a list, and this is {found}");
                self.problem("type-mismatch", self.ast.span(over), message);
                None
            }
        };
        let bulk = element
            .as_ref()
            .map_or_else(Bulk::default, |ty| over_checked.bulk.element(ty));
        self.locals.push(Local {
            name: variable,
            ty: element,
            bulk,
            scope: self.code.ops.len(),
        });
        let mut list = over_checked;
        for (i, body) in bodies.iter().enumerate() {
            let how = if i + 1 < bodies.len() {
                Loop::Filter
            } else {
                how
            };
            list = self.one_loop(how, &list, *body, span.clone());
        }
        self.locals.pop();
        list
    }

    fn one_loop(&mut self, how: Loop, over: &Checked, body: Id, span: Range<usize>) -> Checked {
        let body_checked = if how == Loop::Map {
            self.present(body, None)
        } else {
            self.condition(body)
        };
        if how == Loop::Map && body_checked.moves {
            self.moving_in_list(body);
        }
        let ty = match how {
            Loop::Map => Type::List(Box::new(body_checked.ty.clone().unwrap_or(Type::Nothing))),
            Loop::Filter => over.ty.clone().unwrap_or(Type::Nothing),
            _ => Type::Bool,
        };
        let op = Op::Loop(how, over.node, body_checked.node);
        let mut checked = self.emit(op, ty, &[over, &body_checked], span);
        let rounds = over.bulk.items.max(1);
        let round = body_checked.cost.saturating_add(4);
        checked.cost = over.cost.saturating_add(rounds.saturating_mul(round));
        checked.moves = false;
        checked.bulk = match how {
            Loop::Map => Bulk {
                items: over.bulk.items,
                text: body_checked.bulk.text,
            },
            Loop::Filter => over.bulk,
            _ => Bulk::default(),
        };
        checked
    }

    fn function(
        &mut self,
        name: &str,
        args: &[Id],
        hint: Option<&Type>,
        span: Range<usize>,
    ) -> Checked {
        let usage = FUNCTIONS.iter().find(|f| f.name == name);
        let (least, most) = usage.map_or((1, 1), |f| f.arguments);
        if args.len() < least || args.len() > most {
            let written = usage.map_or("", |f| f.usage);
            let message = format!("`{name}` takes other arguments");
            self.problems.push(
                Problem::new("wrong-arguments", span.clone(), message)
                    .help(format!("write `{written}`")),
            );
            return self.broken(span);
        }
        match name {
            "has" => self.has(args[0], span),
            "or" => self.default(args[0], args[1], hint, span),
            "min" | "max" => self.extreme(name, args, hint, span),
            "contains" => self.text_test(TextTest::Contains, args, span),
            "startsWith" => self.text_test(TextTest::StartsWith, args, span),
            "endsWith" => self.text_test(TextTest::EndsWith, args, span),
            "matches" => self.matches(args[0], args[1], span),
            "timestamp" | "duration" => self.time_literal(name, args[0], span),
            "size" => self.convert(Convert::Size, args[0], span),
            "lowerAscii" => self.convert(Convert::LowerAscii, args[0], span),
            "days" => self.convert(Convert::Days, args[0], span),
            "hours" => self.convert(Convert::Hours, args[0], span),
            "double" => self.convert(Convert::Double, args[0], span),
            _ => self.convert(Convert::Int, args[0], span),
        }
    }

    fn has(&mut self, arg: Id, span: Range<usize>) -> Checked {
        let part = self.check(arg, None);
        if part.place.is_none() && part.ty.is_some() {
            let message = "`has` asks about a fact or a part of one".to_owned();
            let at = self.ast.span(arg);
            self.problems.push(
                Problem::new("wrong-arguments", at, message)
                    .help("like `has(issue.closed_at)` or `has(form[\"Impact\"])`"),
            );
        }
        let mut checked = self.emit(Op::Has(part.node), Type::Bool, &[&part], span);
        checked.moves = false;
        if let Some(place) = part.place {
            checked.flow = Flow::has(place);
        }
        checked
    }

    fn default(
        &mut self,
        value: Id,
        default: Id,
        hint: Option<&Type>,
        span: Range<usize>,
    ) -> Checked {
        let part = self.check(value, hint);
        let fallback = self.check(default, part.ty.as_ref());
        let (Some(ta), Some(tb)) = (&part.ty, &fallback.ty) else {
            return self.broken(span);
        };
        let Some(ty) = unify(ta, tb) else {
            let (ta, tb) = (ta.clone(), tb.clone());
            self.mismatch("or", &ta, &tb, span.clone());
            return self.broken(span);
        };
        let op = Op::Default(part.node, fallback.node);
        let mut checked = self.emit(op, ty, &[&part, &fallback], span);
        checked.absent = fallback.absent && part.absent;
        checked.bulk = part.bulk.either(fallback.bulk);
        checked
    }

    fn extreme(
        &mut self,
        name: &str,
        args: &[Id],
        hint: Option<&Type>,
        span: Range<usize>,
    ) -> Checked {
        let is_double = |id: &Id| matches!(self.ast.kind(*id), Kind::Double(_));
        let double = hint == Some(&Type::Double) || args.iter().any(is_double);
        let mut ty = double.then_some(Type::Double);
        let mut parts: Vec<Option<Checked>> = args.iter().map(|_| None).collect();
        for literal in [false, true] {
            for (arg, place) in args.iter().zip(&mut parts) {
                if self.ast.is_literal(*arg) != literal {
                    continue;
                }
                let part = self.present(*arg, ty.as_ref());
                let Some(found) = part.ty.clone() else {
                    return self.broken(span);
                };
                let ordered =
                    found.is_number() || matches!(found, Type::Timestamp | Type::Duration);
                let fits = ty.as_ref().is_none_or(|ty| *ty == found);
                if !ordered || !fits {
                    let found = self.schema.describe(&found).to_string();
                    let message = format!(
                        "`{name}` compares numbers, instants or durations of one type; this is {found}"
                    );
                    self.problem("wrong-arguments", self.ast.span(*arg), message);
                    return self.broken(span);
                }
                ty = Some(found);
                *place = Some(part);
            }
        }
        let parts: Vec<Checked> = parts.into_iter().flatten().collect();
        let nodes: Vec<_> = parts.iter().map(|p| p.node).collect();
        let kids = self.code.add_kids(&nodes);
        let op = if name == "min" {
            Op::Min(kids)
        } else {
            Op::Max(kids)
        };
        let refs: Vec<&Checked> = parts.iter().collect();
        self.emit(op, ty.unwrap_or(Type::Int), &refs, span)
    }

    fn text_test(&mut self, how: TextTest, args: &[Id], span: Range<usize>) -> Checked {
        let text = self.present(args[0], None);
        if how == TextTest::Contains && matches!(text.ty, Some(Type::List(_))) {
            let message = "`contains` looks into a text, and this is a list".to_owned();
            let at = self.ast.span(args[0]);
            let help = format!("write `{} in {}`", self.text(args[1]), self.text(args[0]));
            self.problems
                .push(Problem::new("wrong-arguments", at, message).help(help));
            return self.broken(span);
        }
        self.must(&text, args[0], &Type::String);
        let part = self.present(args[1], None);
        self.must(&part, args[1], &Type::String);
        let op = Op::Text(how, text.node, part.node);
        let mut checked = self.emit(op, Type::Bool, &[&text, &part], span);
        let walked = if how == TextTest::Contains {
            text.bulk
        } else {
            part.bulk
        };
        checked.cost = checked.cost.saturating_add(walked.walk());
        checked
    }

    fn matches(&mut self, text_id: Id, pattern_id: Id, span: Range<usize>) -> Checked {
        let text = self.present(text_id, None);
        self.must(&text, text_id, &Type::String);
        let at = self.ast.span(pattern_id);
        let Kind::Str(pattern) = self.ast.kind(pattern_id).clone() else {
            let checked = self.check(pattern_id, None);
            if checked.ty.is_some() {
                let message = "a pattern must be written out here".to_owned();
                self.problem("bad-pattern", at, message);
            }
            return self.broken(span);
        };
        let regex = match pattern::build(&pattern) {
            Ok(regex) => regex,
            Err(error) => {
                let (message, help) = pattern::explain(&error);
                let problem = Problem::new("bad-pattern", at, message);
                self.problems.push(match help {
                    Some(help) => problem.help(help),
                    None => problem,
                });
                return self.broken(span);
            }
        };
        let pooled = match self.code.op(text.node) {
            Op::Fact(slot) => Some((slot, self.schema.patterns.join(slot, &pattern))),
            _ => None,
        };
        let index = u16::try_from(self.code.patterns.len()).unwrap_or(u16::MAX);
        self.code.patterns.push(Pattern {
            regex,
            pooled,
            sample: OnceLock::new(),
        });
        let op = Op::Matches(text.node, index);
        let mut checked = self.emit(op, Type::Bool, &[&text], span);
        // Linear in the text, and slower than a search for a fixed one.
        checked.cost = checked
            .cost
            .saturating_add(text.bulk.text)
            .saturating_add(20);
        checked
    }

    fn time_literal(&mut self, name: &str, arg: Id, span: Range<usize>) -> Checked {
        let at = self.ast.span(arg);
        let Kind::Str(text) = self.ast.kind(arg).clone() else {
            let checked = self.check(arg, None);
            if checked.ty.is_some() {
                let message = format!("`{name}` needs a text that is written out");
                self.problem("wrong-arguments", at, message);
            }
            return self.broken(span);
        };
        if name == "timestamp" {
            if let Ok(instant) = text.parse::<jiff::Timestamp>() {
                return self.constant(Value::Timestamp(instant), Type::Timestamp, span);
            }
            let message = format!("\"{text}\" is not an instant");
            self.problems.push(
                Problem::new("bad-literal", at, message)
                    .help("write it like `timestamp(\"2026-01-31T09:00:00Z\")`"),
            );
        } else {
            if let Some(duration) = super::number::duration(&text) {
                return self.constant(Value::Duration(duration), Type::Duration, span);
            }
            let message = format!("\"{text}\" is not a duration");
            self.problems.push(
                Problem::new("bad-literal", at, message)
                    .help("write it like `duration(\"1h30m\")`, or `days(7)`"),
            );
        }
        self.broken(span)
    }

    fn convert(&mut self, how: Convert, arg: Id, span: Range<usize>) -> Checked {
        let part = self.present(arg, None);
        let Some(ty) = part.ty.clone() else {
            return self.broken(span);
        };
        let sized = ty.is_text() || matches!(ty, Type::List(_) | Type::Map(_));
        let (fits, result, wanted) = match how {
            Convert::Size => (sized, Type::Int, "a text or a list"),
            Convert::LowerAscii => (assignable(&ty, &Type::String), Type::String, "a text"),
            Convert::Days | Convert::Hours => (ty == Type::Int, Type::Duration, "a whole number"),
            Convert::Double => (ty.is_number(), Type::Double, "a number"),
            Convert::Int => (ty.is_number(), Type::Int, "a number"),
        };
        if !fits {
            let found = self.schema.describe(&ty).to_string();
            let message = format!("{wanted} is needed here, and this is {found}");
            self.problem("wrong-arguments", self.ast.span(arg), message);
            return self.broken(span);
        }
        let mut checked = self.emit(Op::Convert(how, part.node), result, &[&part], span);
        if ty.is_text() {
            checked.cost = checked.cost.saturating_add(part.bulk.walk());
        }
        if how == Convert::LowerAscii {
            checked.bulk = part.bulk;
        }
        checked
    }
}
