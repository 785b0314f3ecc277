//! The checker: finds the type of every part, and makes the compiled form on the way.
//!
//! An expression that passes has an answer for all facts: every name is known, both sides of every
//! operator fit, and whatever may be absent is guarded where it is used.

use std::ops::Range;

use super::ast::{Ast, Binary, Id, Kind};
use super::cost::{BUDGET, Bulk};
use super::flow::{Flow, Place};
use super::problem::{Problem, nearest};
use super::program::{Code, NodeId, Op, Program};
use super::schema::{EnumId, Schema, Type};
use super::value::Value;
use super::{Expect, eval, value};

/// What is known of a checked part.
pub(super) struct Checked {
    pub node: NodeId,
    /// `None` after a problem: whatever is asked of it, it fits, so that one mistake is one problem.
    pub ty: Option<Type>,
    /// May be absent where it stands.
    pub absent: bool,
    /// Changes as time passes.
    pub moves: bool,
    pub cost: u64,
    pub bulk: Bulk,
    /// Names the value if it is a fact or a part of one; what `has` then says of it can be kept.
    pub place: Option<Place>,
    pub flow: Flow,
}

/// A macro's variable.
pub(super) struct Local {
    pub name: String,
    pub ty: Option<Type>,
    pub bulk: Bulk,
    /// Tells this macro from every other.
    pub scope: usize,
}

pub(super) struct Checker<'a> {
    pub schema: &'a Schema,
    pub ast: &'a Ast,
    pub code: Code,
    pub problems: Vec<Problem>,
    pub locals: Vec<Local>,
    /// Places known to have a value, where the checker stands.
    pub known: Vec<Place>,
    /// Places by their number: how a path or index is written, whatever the spelling in the text.
    pub places: Vec<String>,
}

/// Checks the tree; problems are added to those of the parser.
pub(super) fn check(
    text: &str,
    ast: &Ast,
    schema: &Schema,
    expect: Expect<'_>,
    problems: Vec<Problem>,
) -> Result<Program, Vec<Problem>> {
    let mut checker = Checker {
        schema,
        ast,
        code: Code::new(text),
        problems,
        locals: Vec::new(),
        known: Vec::new(),
        places: Vec::new(),
    };
    let hint = match expect {
        Expect::Type(ty) => Some(ty),
        _ => None,
    };
    let root = checker.check(ast.root, hint);
    checker.expected(&root, expect);
    if root.cost > BUDGET {
        let message = format!(
            "at worst this costs {} units, and {BUDGET} are allowed",
            root.cost
        );
        checker.problems.push(
            Problem::new("too-costly", ast.span(ast.root), message)
                .help("macros inside macros, and patterns inside macros, multiply"),
        );
    }
    let Checker {
        mut code, problems, ..
    } = checker;
    match root.ty {
        Some(ty) if problems.is_empty() => {
            code.reads.sort_unstable();
            code.reads.dedup();
            code.ty = ty;
            code.root = root.node;
            code.cost = root.cost;
            code.may_be_absent = root.absent;
            code.moves = root.moves;
            code.pack();
            Ok(Program {
                code: std::sync::Arc::new(code),
            })
        }
        _ => Err(sorted(problems)),
    }
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|p| (p.span.start, p.span.end));
    problems.dedup();
    problems
}

impl Checker<'_> {
    pub fn problem(&mut self, code: &'static str, span: Range<usize>, message: String) {
        self.problems.push(Problem::new(code, span, message));
    }

    pub fn text(&self, id: Id) -> &str {
        self.code.text.get(self.ast.span(id)).unwrap_or_default()
    }

    fn expected(&mut self, root: &Checked, expect: Expect<'_>) {
        let Some(ty) = root.ty.clone() else { return };
        let id = self.ast.root;
        let (fits, wanted) = match expect {
            Expect::Any => return,
            Expect::Bool => (ty == Type::Bool, "a condition is".to_owned()),
            Expect::Number => (ty.is_number(), "a number is".to_owned()),
            Expect::Type(wanted) => (
                assignable(&ty, wanted),
                format!("{} is", self.schema.describe(wanted)),
            ),
        };
        if !fits {
            let found = self.schema.describe(&ty).to_string();
            let mut problem = Problem::new(
                "type-mismatch",
                self.ast.span(id),
                format!("{wanted} needed here, and this is {found}"),
            );
            if matches!(expect, Expect::Bool) {
                let text = self.text(id);
                problem = problem.help(if ty.is_text() {
                    format!("compare it: `{text} == \"…\"`, or ask `has({text})`")
                } else if matches!(ty, Type::List(_) | Type::Map(_)) {
                    format!("ask `\"…\" in {text}` or `has({text})`")
                } else {
                    format!("compare it, or ask `has({text})`")
                });
            }
            self.problems.push(problem);
        }
        self.need(root, id);
    }

    /// Reports if the value may be absent here.
    pub fn need(&mut self, checked: &Checked, id: Id) {
        if !checked.absent {
            return;
        }
        let text = self.text(id);
        let default = match checked.ty {
            Some(Type::Bool) => "false",
            Some(Type::Int) => "0",
            Some(Type::Double) => "0.0",
            Some(Type::Duration) => "days(0)",
            _ => "now",
        };
        let help = if checked.place.is_some() {
            format!("guard it: `has({text}) && …`, or give a value: `{text}.or({default})`")
        } else {
            format!("give a value: `({text}).or({default})`")
        };
        let problem = Problem::new(
            "unguarded",
            self.ast.span(id),
            format!("`{text}` may have no value here"),
        );
        self.problems.push(problem.help(help));
    }

    /// Checks a part that must have a value.
    pub fn present(&mut self, id: Id, hint: Option<&Type>) -> Checked {
        let checked = self.check(id, hint);
        self.need(&checked, id);
        checked
    }

    /// Checks a part that must be a condition.
    pub fn condition(&mut self, id: Id) -> Checked {
        let checked = self.present(id, None);
        self.must(&checked, id, &Type::Bool);
        checked
    }

    /// Reports if the part is not of the type.
    pub fn must(&mut self, checked: &Checked, id: Id, wanted: &Type) {
        let Some(ty) = &checked.ty else { return };
        if !assignable(ty, wanted) {
            let wanted = self.schema.describe(wanted).to_string();
            let found = self.schema.describe(ty).to_string();
            let message = format!("{wanted} is needed here, and this is {found}");
            self.problem("type-mismatch", self.ast.span(id), message);
        }
    }

    /// Checks one part. The hint is the type that is wanted, for literals to bend to.
    pub fn check(&mut self, id: Id, hint: Option<&Type>) -> Checked {
        let span = self.ast.span(id);
        let ast = self.ast;
        match ast.kind(id) {
            Kind::Bool(b) => {
                let mut checked = self.constant(Value::Bool(*b), Type::Bool, span);
                checked.flow = Flow::constant(*b);
                checked
            }
            Kind::Int(i) if hint == Some(&Type::Double) => {
                let double = super::number::to_double(*i);
                self.constant(Value::Double(double), Type::Double, span)
            }
            Kind::Int(i) => self.constant(Value::Int(*i), Type::Int, span),
            Kind::Double(d) => self.constant(Value::Double(*d), Type::Double, span),
            Kind::Str(s) => self.string(s, hint, span),
            Kind::Name(_) | Kind::Select(..) | Kind::Index(..) => self.name_or_part(id),
            Kind::Call {
                target,
                name,
                name_span,
                args,
            } => self.call(id, *target, name, name_span, args, hint),
            Kind::List(items) => self.list(items, hint, span),
            Kind::And(parts) => self.chain(true, parts, span),
            Kind::Or(parts) => self.chain(false, parts, span),
            Kind::Not(inner) => {
                let inner = self.condition(*inner);
                let mut checked = self.emit(Op::Not(inner.node), Type::Bool, &[&inner], span);
                checked.flow = inner.flow.swapped();
                checked
            }
            Kind::Negate(inner) => self.negate(*inner, hint, span),
            Kind::Cond(condition, yes, no) => self.conditional(*condition, *yes, *no, hint, span),
            Kind::Binary(op, a, b) => match op {
                Binary::Compare(how) => self.compare(*how, *a, *b, span),
                Binary::Arith(how) => self.arithmetic(*how, *a, *b, span),
                Binary::In => self.membership_in(*a, *b, span),
            },
            Kind::Broken => self.broken(span),
        }
    }

    /// What stands for a part with a problem.
    pub fn broken(&mut self, span: Range<usize>) -> Checked {
        let mut checked = self.constant(Value::Absent, Type::Nothing, span);
        checked.ty = None;
        checked
    }

    pub fn constant(&mut self, value: Value, ty: Type, span: Range<usize>) -> Checked {
        let bulk = bulk_of(&value);
        let index = self.code.intern(value);
        let node = self.code.push(Op::Const(index), span);
        Checked {
            node,
            ty: Some(ty),
            absent: false,
            moves: false,
            cost: 1,
            bulk,
            place: None,
            flow: Flow::default(),
        }
    }

    /// Adds a node over the given parts. If all of them are constant, so is the node.
    pub fn emit(&mut self, op: Op, ty: Type, parts: &[&Checked], span: Range<usize>) -> Checked {
        let node = self.code.push(op, span);
        let constant = |c: &&Checked| matches!(self.code.op(c.node), Op::Const(_));
        let folds = matches!(
            op,
            Op::Arith(..) | Op::Negate(_) | Op::Convert(..) | Op::List(_)
        );
        if folds && parts.iter().all(constant) {
            let mut notes = value::Notes::default();
            let facts = value::Facts::none();
            let (value, _) = eval::Evaluator::new(&self.code, &facts, &mut notes).finish(node);
            let bulk = bulk_of(&value);
            let index = self.code.intern(value);
            self.code.replace(node, Op::Const(index));
            return Checked {
                node,
                ty: parts.iter().all(|p| p.ty.is_some()).then_some(ty),
                absent: false,
                moves: false,
                cost: 1,
                bulk,
                place: None,
                flow: Flow::default(),
            };
        }
        Checked {
            node,
            ty: parts.iter().all(|p| p.ty.is_some()).then_some(ty),
            absent: false,
            moves: parts.iter().any(|p| p.moves),
            cost: parts.iter().fold(2, |sum, p| sum.saturating_add(p.cost)),
            bulk: Bulk::default(),
            place: None,
            flow: Flow::default(),
        }
    }

    fn string(&mut self, text: &str, hint: Option<&Type>, span: Range<usize>) -> Checked {
        let ty = match hint {
            Some(Type::Enum(id)) => {
                self.value_of(*id, text, span.clone());
                Type::Enum(*id)
            }
            _ => Type::String,
        };
        self.constant(Value::str(text), ty, span)
    }

    /// Reports if the enum does not have the value.
    fn value_of(&mut self, id: EnumId, text: &str, span: Range<usize>) {
        let schema = self.schema;
        let values = schema.enum_values(id);
        if text.is_empty() || values.iter().any(|v| v == text) {
            return;
        }
        let message = format!("`{}` has no value \"{text}\"", schema.enum_name(id));
        let problem = Problem::new("unknown-value", span, message);
        let help = match nearest(text, values.iter().map(String::as_str)) {
            Some(value) => format!("did you mean \"{value}\"?"),
            None if values.is_empty() => "it has no values at all".to_owned(),
            None => {
                let shown: Vec<_> = values.iter().take(12).map(|v| format!("\"{v}\"")).collect();
                let more = if values.len() > 12 { ", …" } else { "" };
                format!("its values are {}{more}", shown.join(", "))
            }
        };
        self.problems.push(problem.help(help));
    }

    fn list(&mut self, items: &[Id], hint: Option<&Type>, span: Range<usize>) -> Checked {
        let wanted = match hint {
            Some(Type::List(of)) => Some(of.as_ref().clone()),
            _ => None,
        };
        let mut of = wanted.unwrap_or(Type::Nothing);
        let mut fits = true;
        let mut parts: Vec<Option<Checked>> = items.iter().map(|_| None).collect();
        // The type of what is not written out decides what is.
        for literal in [false, true] {
            for (item, place) in items.iter().zip(&mut parts) {
                if self.ast.is_literal(*item) == literal {
                    let part = self.element(*item, &mut of);
                    fits &= part.ty.is_some();
                    *place = Some(part);
                }
            }
        }
        let parts: Vec<Checked> = parts.into_iter().flatten().collect();
        let nodes: Vec<NodeId> = parts.iter().map(|p| p.node).collect();
        let kids = self.code.add_kids(&nodes);
        let refs: Vec<&Checked> = parts.iter().collect();
        let mut checked = self.emit(Op::List(kids), Type::List(Box::new(of)), &refs, span);
        checked.bulk = Bulk {
            items: items.len() as u64,
            text: parts.iter().map(|p| p.bulk.text).max().unwrap_or(0),
        };
        if !fits {
            checked.ty = None;
        }
        checked
    }

    /// Checks an element of a list of what is known of the others.
    fn element(&mut self, item: Id, of: &mut Type) -> Checked {
        let hint = Some(&*of).filter(|of| **of != Type::Nothing);
        let mut part = self.present(item, hint);
        if part.moves {
            self.moving_in_list(item);
        }
        if let Some(ty) = &part.ty {
            if let Some(both) = unify(of, ty) {
                *of = both;
            } else {
                let others = self.schema.describe(of).to_string();
                let this = self.schema.describe(ty).to_string();
                let message = format!("this is {this}, and others in the list are {others}");
                self.problem("type-mismatch", self.ast.span(item), message);
                part.ty = None;
            }
        }
        part
    }

    pub fn moving_in_list(&mut self, id: Id) {
        let text = self.text(id);
        let message = format!("`{text}` changes as time passes and cannot be put in a list");
        self.problems.push(
            Problem::new("unsupported", self.ast.span(id), message)
                .help("compare it with each element instead"),
        );
    }

    fn chain(&mut self, all: bool, parts: &[Id], span: Range<usize>) -> Checked {
        let before = self.known.len();
        let mut checked = Vec::with_capacity(parts.len());
        let mut flow: Option<Flow> = None;
        for part in parts {
            let part = self.condition(*part);
            let so_far = match flow {
                None => part.flow.clone(),
                Some(flow) if all => flow.and(&part.flow),
                Some(flow) => flow.or(&part.flow),
            };
            // What follows is looked at only if this held (or, after `||`, did not).
            self.known.truncate(before);
            self.known.extend_from_slice(so_far.known(all));
            flow = Some(so_far);
            checked.push(part);
        }
        self.known.truncate(before);
        let nodes: Vec<NodeId> = checked.iter().map(|p| p.node).collect();
        let kids = self.code.add_kids(&nodes);
        let op = if all { Op::And(kids) } else { Op::Or(kids) };
        let refs: Vec<&Checked> = checked.iter().collect();
        let mut result = self.emit(op, Type::Bool, &refs, span);
        result.flow = flow.unwrap_or_default();
        result.moves = false;
        result
    }

    fn negate(&mut self, inner: Id, hint: Option<&Type>, span: Range<usize>) -> Checked {
        let part = self.present(inner, hint);
        let ty = part.ty.clone().unwrap_or(Type::Int);
        if !ty.is_number() {
            let found = self.schema.describe(&ty).to_string();
            let message = format!("`-` needs a number, and this is {found}");
            self.problem("type-mismatch", self.ast.span(inner), message);
            return self.broken(span);
        }
        self.emit(Op::Negate(part.node), ty, &[&part], span)
    }

    fn conditional(
        &mut self,
        condition: Id,
        yes: Id,
        no: Id,
        hint: Option<&Type>,
        span: Range<usize>,
    ) -> Checked {
        let condition = self.condition(condition);
        let before = self.known.len();
        let branch = |this: &mut Self, id: Id, known: &[Place], hint: Option<&Type>| {
            this.known.extend_from_slice(known);
            let part = this.check(id, hint);
            this.known.truncate(before);
            part
        };
        let (a, b);
        if self.ast.is_literal(yes) && !self.ast.is_literal(no) {
            b = branch(self, no, condition.flow.known(false), hint);
            a = branch(
                self,
                yes,
                condition.flow.known(true),
                hint.or(b.ty.as_ref()),
            );
        } else {
            a = branch(self, yes, condition.flow.known(true), hint);
            b = branch(
                self,
                no,
                condition.flow.known(false),
                hint.or(a.ty.as_ref()),
            );
        }
        let ty = match (&a.ty, &b.ty) {
            (Some(ta), Some(tb)) => unify(ta, tb),
            _ => return self.broken(span),
        };
        let Some(ty) = ty else {
            let describe = |ty: &Option<Type>| {
                ty.as_ref()
                    .map_or_else(String::new, |t| self.schema.describe(t).to_string())
            };
            let message = format!(
                "both values must be of one type: one is {}, the other {}",
                describe(&a.ty),
                describe(&b.ty)
            );
            self.problem("type-mismatch", span.clone(), message);
            return self.broken(span);
        };
        let op = Op::Cond(condition.node, a.node, b.node);
        let mut checked = self.emit(op, ty, &[&condition, &a, &b], span);
        checked.absent = a.absent || b.absent;
        checked.moves = a.moves || b.moves;
        checked.bulk = a.bulk.either(b.bulk);
        checked.cost = condition
            .cost
            .saturating_add(a.cost.max(b.cost))
            .saturating_add(2);
        checked.flow = condition
            .flow
            .and(&a.flow)
            .or(&condition.flow.swapped().and(&b.flow));
        checked
    }
}

fn bulk_of(value: &Value) -> Bulk {
    match value {
        Value::Str(s) => Bulk::text(s.len()),
        Value::List(items) => Bulk {
            items: items.len() as u64,
            text: items.iter().map(|i| bulk_of(i).text).max().unwrap_or(0),
        },
        _ => Bulk::default(),
    }
}

/// Does a value of the one type fit where the other is wanted?
pub(super) fn assignable(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Nothing, _) | (Type::Enum(_), Type::String) => true,
        (Type::List(from), Type::List(to)) | (Type::Map(from), Type::Map(to)) => {
            assignable(from, to)
        }
        _ => from == to,
    }
}

/// The type of a place where either may stand.
pub(super) fn unify(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (Type::Nothing, other) | (other, Type::Nothing) => Some(other.clone()),
        (Type::List(a), Type::List(b)) => unify(a, b).map(|of| Type::List(Box::new(of))),
        _ if a == b => Some(a.clone()),
        _ if a.is_text() && b.is_text() => Some(Type::String),
        _ => None,
    }
}
