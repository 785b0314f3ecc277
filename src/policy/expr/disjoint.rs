//! Proofs for the lint: which conditions can never hold, alone or together.
//!
//! A condition becomes a small "or of ands". Each "and" says of some terms (a fact, `size(goal)`,
//! an atom that is not understood) what they may be; if nothing is left for one of them, it cannot
//! hold. What is not understood may be true or false, but is the same wherever it is written the
//! same. So the answer "never" is a proof, and "maybe" says nothing. Facts are taken to be of the
//! types and to have the values that the schema declares.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::OnceLock;

use super::domain::{Domain, Range, Words};
use super::program::{Code, Compare, Convert, NodeId, Op, Program};
use super::schema::{Schema, Type};
use super::value::Value;

/// More alternatives than these, and a part is taken as one atom that is not understood.
const CAP: usize = 64;
/// More parts than these, and the rest is taken as atoms that are not understood.
const LOOKS: usize = 20_000;
/// How deep derived facts are looked through.
const LOOK_THROUGH: usize = 16;

/// What is said of one term.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// The same for the same computation, and for no other.
    term: String,
    domain: Domain,
}

/// Everything one alternative says; sorted by term, each term once.
pub(super) type Clause = Vec<Said>;

/// The alternatives of a condition; none if it can never hold.
#[derive(Debug, Default)]
pub(super) struct Shape {
    clauses: OnceLock<Vec<Clause>>,
}

/// Can the two never hold together? True only if that is proved. Both must be compiled with the
/// schema.
#[must_use]
pub fn disjoint(a: &Program, b: &Program, schema: &Schema) -> bool {
    let (a, b) = (clauses(a, schema), clauses(b, schema));
    a.iter().all(|x| b.iter().all(|y| contradict(x, y)))
}

/// Can it never hold? True only if that is proved.
#[must_use]
pub fn never_holds(a: &Program, schema: &Schema) -> bool {
    clauses(a, schema).is_empty()
}

fn clauses<'p>(program: &'p Program, schema: &Schema) -> &'p [Clause] {
    program.code.shape.clauses.get_or_init(|| {
        let code = &program.code;
        Shaper::new(schema).shape(code, code.root, true, 0)
    })
}

/// Walks both in step; terms are sorted.
pub(super) fn contradict(a: &Clause, b: &Clause) -> bool {
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        match x.term.cmp(&y.term) {
            Ordering::Less => i += 1,
            Ordering::Greater => j += 1,
            Ordering::Equal => {
                let mut domain = x.domain.clone();
                domain.meet(&y.domain);
                if domain.is_empty() {
                    return true;
                }
                i += 1;
                j += 1;
            }
        }
    }
    false
}

/// Both clauses in one, or nothing if they contradict.
fn join(a: &Clause, b: &Clause) -> Option<Clause> {
    let mut joined = a.clone();
    for said in b {
        match joined.binary_search_by(|s| s.term.cmp(&said.term)) {
            Ok(at) => {
                joined[at].domain.meet(&said.domain);
                if joined[at].domain.is_empty() {
                    return None;
                }
            }
            Err(at) => joined.insert(at, said.clone()),
        }
    }
    Some(joined)
}

pub(super) struct Shaper<'s> {
    schema: &'s Schema,
    /// Parts looked at. A condition inside `?:` and a derived fact are looked at more than once.
    looked_at: Cell<usize>,
}

impl<'s> Shaper<'s> {
    pub(super) fn new(schema: &'s Schema) -> Self {
        let looked_at = Cell::new(0);
        Self { schema, looked_at }
    }

    /// The alternatives in which the condition comes to `wanted`.
    pub(super) fn condition(&self, program: &Program, wanted: bool) -> Vec<Clause> {
        if wanted {
            return clauses(program, self.schema).to_vec();
        }
        self.shape(&program.code, program.code.root, false, 0)
    }

    /// The alternatives in which the node is `wanted`.
    fn shape(&self, code: &Code, node: NodeId, wanted: bool, depth: usize) -> Vec<Clause> {
        self.looked_at.set(self.looked_at.get() + 1);
        if self.looked_at.get() > LOOKS {
            return one(atom(code, node, wanted));
        }
        let shape = match code.op(node) {
            Op::And(kids) | Op::Or(kids) => {
                let parts = code.kids(kids).iter();
                let parts = parts.map(|k| self.shape(code, *k, wanted, depth));
                if matches!(code.op(node), Op::And(_)) == wanted {
                    all_of(parts)
                } else {
                    any_of(parts)
                }
            }
            Op::Not(inner) => return self.shape(code, inner, !wanted, depth),
            Op::Cond(condition, yes, no) => {
                let branch = |holds, branch| {
                    let condition = self.shape(code, condition, holds, depth);
                    all_of([condition, self.shape(code, branch, wanted, depth)].into_iter())
                };
                let (yes, no) = (branch(true, yes), branch(false, no));
                yes.zip(no).and_then(|(y, n)| any_of([y, n].into_iter()))
            }
            Op::Const(index) => {
                let holds = *code.constant(index) == Value::Bool(true);
                return if holds == wanted {
                    vec![Vec::new()]
                } else {
                    Vec::new()
                };
            }
            Op::Fact(slot) => {
                let definition = self.schema.fact(slot).and_then(|f| f.definition.as_ref());
                match definition {
                    Some(program) if depth < LOOK_THROUGH && *program.ty() == Type::Bool => {
                        let code = &program.code;
                        return self.shape(code, code.root, wanted, depth + 1);
                    }
                    _ => None,
                }
            }
            Op::Compare(how, a, b) => self.comparison(code, how, a, b, wanted, depth),
            Op::In(needle, hay) => self.among(code, needle, hay, wanted),
            Op::Has(inner) => self.has(code, inner, wanted),
            _ => None,
        };
        shape.unwrap_or_else(|| one(atom(code, node, wanted)))
    }

    fn comparison(
        &self,
        code: &Code,
        how: Compare,
        a: NodeId,
        b: NodeId,
        wanted: bool,
        depth: usize,
    ) -> Option<Vec<Clause>> {
        if how == Compare::Ne {
            return self
                .comparison(code, Compare::Eq, a, b, !wanted, depth)
                .or_else(|| Some(one(comparison_atom(code, a, b, !wanted))));
        }
        let (node, constant, how) = match (code.op(a), code.op(b)) {
            (_, Op::Const(index)) => (a, code.constant(index), how),
            (Op::Const(index), _) => (b, code.constant(index), mirrored(how)),
            _ if how == Compare::Eq => return Some(one(comparison_atom(code, a, b, wanted))),
            _ => return None,
        };
        let domain = match constant {
            Value::Bool(value) if how == Compare::Eq && !may_be_absent(self.schema, code, node) => {
                return Some(self.shape(code, node, wanted == *value, depth));
            }
            Value::Str(word) if how == Compare::Eq => {
                return Some(self.words(code, node, std::iter::once(&**word), wanted));
            }
            Value::Int(n) if is_whole(self.schema, code, node) => {
                Domain::Whole(range(how, i128::from(*n), wanted))
            }
            Value::Timestamp(t) => Domain::Whole(range(how, t.as_nanosecond(), wanted)),
            Value::Duration(d) => Domain::Whole(range(how, d.as_nanos(), wanted)),
            Value::Double(d) if is_decimal(self.schema, code, node) => {
                Domain::Decimal(range(how, *d, wanted))
            }
            _ if how == Compare::Eq => return Some(one(comparison_atom(code, a, b, wanted))),
            _ => return None,
        };
        Some(one(Said {
            term: rendered(code, node),
            domain,
        }))
    }

    /// The text is among the words, or (not `wanted`) none of them.
    pub(super) fn words<'w>(
        &self,
        code: &Code,
        node: NodeId,
        words: impl Iterator<Item = &'w str>,
        wanted: bool,
    ) -> Vec<Clause> {
        let words: BTreeSet<String> = words.map(str::to_owned).collect();
        let ty = match code.op(node) {
            Op::Fact(slot) => Some(self.schema.type_of(slot)),
            _ => None,
        };
        let words = match ty {
            // An enum has no other values than these.
            Some(Type::Enum(id)) => {
                let all = self.schema.enum_values(*id).iter().cloned();
                let all: BTreeSet<String> = all.chain([String::new()]).collect();
                Words::Among(if wanted { &all & &words } else { &all - &words })
            }
            _ if wanted => Words::Among(words),
            _ => Words::Except(words),
        };
        one(Said {
            term: rendered(code, node),
            domain: Domain::Words(words),
        })
    }

    fn among(&self, code: &Code, needle: NodeId, hay: NodeId, wanted: bool) -> Option<Vec<Clause>> {
        if let Op::Const(index) = code.op(hay)
            && let Value::List(items) = code.constant(index)
        {
            let words: Option<Vec<&str>> = items
                .iter()
                .map(|item| match item {
                    Value::Str(word) => Some(&**word),
                    _ => None,
                })
                .collect();
            return words.map(|words| self.words(code, needle, words.into_iter(), wanted));
        }
        // What has an element is not empty.
        let node_is_list = match code.op(hay) {
            Op::Fact(slot) => matches!(self.schema.type_of(slot), Type::List(_)),
            _ => false,
        };
        if !node_is_list {
            return None;
        }
        let mut term = String::from("in ");
        render(code, needle, &mut term);
        term.push(' ');
        render(code, hay, &mut term);
        let member = one(Said {
            term,
            domain: truth(wanted),
        });
        if wanted {
            all_of([member, one(emptiness(code, hay, false))].into_iter())
        } else {
            Some(member)
        }
    }

    fn has(&self, code: &Code, inner: NodeId, wanted: bool) -> Option<Vec<Clause>> {
        let Op::Fact(slot) = code.op(inner) else {
            return None;
        };
        let domain = match self.schema.type_of(slot) {
            Type::String | Type::Enum(_) => {
                return Some(self.words(code, inner, std::iter::once(""), !wanted));
            }
            Type::List(_) => return Some(one(emptiness(code, inner, !wanted))),
            Type::Int | Type::Timestamp | Type::Duration => Domain::Whole(presence(wanted)),
            Type::Double => Domain::Decimal(presence(wanted)),
            _ => return None,
        };
        Some(one(Said {
            term: rendered(code, inner),
            domain,
        }))
    }
}

fn one(said: Said) -> Vec<Clause> {
    if said.domain.is_empty() {
        return Vec::new();
    }
    vec![vec![said]]
}

/// Every pair of alternatives; `None` if that is too many.
pub(super) fn all_of(parts: impl Iterator<Item = Vec<Clause>>) -> Option<Vec<Clause>> {
    let mut all: Vec<Clause> = vec![Vec::new()];
    for part in parts {
        let mut next = Vec::new();
        for a in &all {
            for b in &part {
                next.extend(join(a, b));
                if next.len() > CAP {
                    return None;
                }
            }
        }
        all = next;
    }
    Some(all)
}

fn any_of(parts: impl Iterator<Item = Vec<Clause>>) -> Option<Vec<Clause>> {
    let mut all = Vec::new();
    for part in parts {
        all.extend(part);
        if all.len() > CAP {
            return None;
        }
    }
    Some(all)
}

fn truth(wanted: bool) -> Domain {
    Domain::Truth {
        yes: wanted,
        no: !wanted,
    }
}

fn atom(code: &Code, node: NodeId, wanted: bool) -> Said {
    Said {
        term: format!("? {}", rendered(code, node)),
        domain: truth(wanted),
    }
}

/// `a == b` is the same as `b == a`.
fn comparison_atom(code: &Code, a: NodeId, b: NodeId, wanted: bool) -> Said {
    let (a, b) = (rendered(code, a), rendered(code, b));
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    Said {
        term: format!("= {a} {b}"),
        domain: truth(wanted),
    }
}

/// The same term as a comparison of `size(list)`.
fn emptiness(code: &Code, list: NodeId, empty: bool) -> Said {
    let mut range = Range::valued();
    if empty {
        range.high = Some((0, false));
    } else {
        range.low = Some((1, false));
    }
    let term = format!("{:?} ({})", Convert::Size, rendered(code, list));
    Said {
        term,
        domain: Domain::Whole(range),
    }
}

fn presence<T>(has: bool) -> Range<T> {
    if has {
        Range {
            absent: false,
            ..Range::everything()
        }
    } else {
        Range::absent()
    }
}

fn mirrored(how: Compare) -> Compare {
    match how {
        Compare::Lt => Compare::Gt,
        Compare::Le => Compare::Ge,
        Compare::Gt => Compare::Lt,
        Compare::Ge => Compare::Le,
        same => same,
    }
}

/// Where the comparison with the constant comes to `wanted`. Where it is false, the value may as
/// well be absent or not a number.
fn range<T: Copy>(how: Compare, n: T, wanted: bool) -> Range<T> {
    let mut range = if wanted {
        Range::valued()
    } else {
        Range::everything()
    };
    match (how, wanted) {
        (Compare::Lt, true) | (Compare::Ge, false) => range.high = Some((n, true)),
        (Compare::Le, true) | (Compare::Gt, false) => range.high = Some((n, false)),
        (Compare::Gt, true) | (Compare::Le, false) => range.low = Some((n, true)),
        (Compare::Ge, true) | (Compare::Lt, false) => range.low = Some((n, false)),
        (Compare::Eq, true) | (Compare::Ne, false) => {
            range.low = Some((n, false));
            range.high = Some((n, false));
        }
        (Compare::Eq, false) | (Compare::Ne, true) => range.holes.push(n),
    }
    range
}

/// Is the node's type certainly a whole number?
fn is_whole(schema: &Schema, code: &Code, node: NodeId) -> bool {
    match code.op(node) {
        Op::Fact(slot) => *schema.type_of(slot) == Type::Int,
        Op::Convert(how, _) => matches!(how, Convert::Size | Convert::Int),
        _ => false,
    }
}

fn is_decimal(schema: &Schema, code: &Code, node: NodeId) -> bool {
    matches!(code.op(node), Op::Fact(slot) if *schema.type_of(slot) == Type::Double)
}

fn may_be_absent(schema: &Schema, code: &Code, node: NodeId) -> bool {
    match code.op(node) {
        Op::Fact(slot) => schema.fact(slot).is_none_or(|f| f.may_be_absent),
        Op::Index(..) | Op::Default(..) | Op::Cond(..) => true,
        _ => false,
    }
}

fn rendered(code: &Code, node: NodeId) -> String {
    let mut text = String::new();
    render(code, node, &mut text);
    text
}

/// Writes the computation so that equal texts mean equal computations, in whatever program.
fn render(code: &Code, node: NodeId, out: &mut String) {
    let op = code.op(node);
    // Writing to a string cannot fail.
    let _ = match op {
        Op::Const(index) => write!(out, "{:?}", code.constant(index)),
        Op::Fact(slot) => write!(out, "#{}", slot.index()),
        Op::Local(index) => write!(out, "@{index}"),
        Op::Compare(how, ..) => write!(out, "{how:?} "),
        Op::Arith(how, ..) => write!(out, "{how:?} "),
        Op::Text(how, ..) => write!(out, "{how:?} "),
        Op::Convert(how, _) => write!(out, "{how:?} "),
        Op::Loop(how, ..) => write!(out, "{how:?} "),
        Op::Matches(_, pattern) => match code.patterns.get(pattern as usize) {
            Some(pattern) => write!(out, "Matches {:?} ", pattern.regex.as_str()),
            None => Ok(()),
        },
        Op::And(_) => write!(out, "And "),
        Op::Or(_) => write!(out, "Or "),
        Op::Not(_) => write!(out, "Not "),
        Op::Cond(..) => write!(out, "Cond "),
        Op::Negate(_) => write!(out, "Negate "),
        Op::In(..) => write!(out, "In "),
        Op::List(_) => write!(out, "List "),
        Op::Index(..) => write!(out, "Index "),
        Op::Has(_) => write!(out, "Has "),
        Op::Default(..) => write!(out, "Default "),
        Op::Min(_) => write!(out, "Min "),
        Op::Max(_) => write!(out, "Max "),
    };
    let children = code.children(op);
    if !children.is_empty() {
        out.push('(');
        for (i, child) in children.into_iter().enumerate() {
            if i > 0 {
                out.push(' ');
            }
            render(code, child, out);
        }
        out.push(')');
    }
}
