//! The compiled form: a flat arena of typed nodes with names resolved and constants interned.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use regex::Regex;

use super::disjoint::Shape;
use super::eval::Evaluator;
use super::schema::{Slot, Type};
use super::trace::Trace;
use super::value::{Facts, Notes, Value};

/// Where a node stands in the arena. Children stand before their parents. The smaller, the more of
/// a policy stays in the processor's cache.
pub(super) type NodeId = u16;

/// A comparison. Both sides are of one kind (numbers, texts, instants, durations, …).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Compare {
    /// Does it hold of two values that stand so?
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

/// A macro over a list or the keys of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Loop {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

/// A function of one text and another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum TextTest {
    Contains,
    StartsWith,
    EndsWith,
}

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Convert {
    Size,
    LowerAscii,
    Days,
    Hours,
    Double,
    Int,
}

/// A run of children in [`Code::kids`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kids {
    pub start: u16,
    pub len: u16,
}

/// One node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Op {
    Const(u16),
    Fact(Slot),
    /// A macro's variable, counted from the outermost macro.
    Local(u16),
    And(Kids),
    Or(Kids),
    Not(NodeId),
    Cond(NodeId, NodeId, NodeId),
    Compare(Compare, NodeId, NodeId),
    Arith(Arith, NodeId, NodeId),
    Negate(NodeId),
    /// Is the first in the list, or a key of the map, that is the second?
    In(NodeId, NodeId),
    List(Kids),
    /// Element of a map or list; beyond it, the constant (empty or absent).
    Index(NodeId, NodeId, u16),
    Has(NodeId),
    Default(NodeId, NodeId),
    Text(TextTest, NodeId, NodeId),
    /// The text, and the number of the pattern.
    Matches(NodeId, u16),
    Convert(Convert, NodeId),
    Min(Kids),
    Max(Kids),
    Loop(Loop, NodeId, NodeId),
}

const _: () = assert!(size_of::<Op>() == 8);

/// A pattern, compiled; if the text is a fact, its place in that fact's pool.
#[derive(Debug)]
pub(super) struct Pattern {
    pub regex: Regex,
    pub pooled: Option<(Slot, u32)>,
    /// A short text that it finds, made when the lint first asks.
    pub sample: OnceLock<Option<String>>,
}

/// Are two constants the same in every respect? `0.0 == -0.0`, and yet they divide differently.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Double(a), Value::Double(b)) => a.to_bits() == b.to_bits(),
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        _ => a == b,
    }
}

/// Arena positions: the text has at most 16 KiB, so there are never more than fit.
fn small(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// Everything a program is. What evaluating needs stands first and together: with a thousand
/// rules most of the time goes into fetching it.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Code {
    pub root: NodeId,
    pub ops: Vec<Op>,
    pub kids: Vec<NodeId>,
    pub consts: Vec<Value>,
    pub patterns: Vec<Pattern>,
    pub text: String,
    pub ty: Type,
    pub may_be_absent: bool,
    pub moves: bool,
    pub reads: Vec<Slot>,
    pub cost: u64,
    /// Of each node, bytes in `text`.
    pub spans: Vec<(u16, u16)>,
    /// For the lint, made when first asked for.
    pub shape: Shape,
}

impl Code {
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ty: Type::Nothing,
            may_be_absent: false,
            moves: false,
            reads: Vec::new(),
            cost: 0,
            ops: Vec::new(),
            spans: Vec::new(),
            kids: Vec::new(),
            consts: Vec::new(),
            patterns: Vec::new(),
            root: 0,
            shape: Shape::default(),
        }
    }

    /// Puts what evaluating reads side by side.
    pub fn pack(&mut self) {
        // One after another, so that they are likely to be neighbours.
        self.ops = self.ops.as_slice().into();
        self.kids = self.kids.as_slice().into();
        self.consts = self.consts.as_slice().into();
    }

    pub fn push(&mut self, op: Op, span: Range<usize>) -> NodeId {
        if let Op::Fact(slot) = op {
            self.reads.push(slot);
        }
        self.ops.push(op);
        self.spans.push((small(span.start), small(span.end)));
        small(self.ops.len() - 1)
    }

    pub fn replace(&mut self, node: NodeId, op: Op) {
        self.ops[node as usize] = op;
    }

    pub fn add_kids(&mut self, kids: &[NodeId]) -> Kids {
        let start = small(self.kids.len());
        self.kids.extend_from_slice(kids);
        Kids {
            start,
            len: small(kids.len()),
        }
    }

    pub fn intern(&mut self, value: Value) -> u16 {
        let known = self.consts.iter().position(|c| same(c, &value));
        small(known.unwrap_or_else(|| {
            self.consts.push(value);
            self.consts.len() - 1
        }))
    }

    pub fn op(&self, node: NodeId) -> Op {
        *self.at(node)
    }

    /// As [`op`](Self::op), where it lies.
    pub fn at(&self, node: NodeId) -> &Op {
        // Ids come from the checker that filled the arena.
        &self.ops[node as usize]
    }

    pub fn kids(&self, kids: Kids) -> &[NodeId] {
        &self.kids[kids.start as usize..kids.start as usize + kids.len as usize]
    }

    /// The parts of a node, in the order of the text.
    pub fn children(&self, op: Op) -> Vec<NodeId> {
        match op {
            Op::Const(_) | Op::Fact(_) | Op::Local(_) => Vec::new(),
            Op::And(kids) | Op::Or(kids) | Op::List(kids) | Op::Min(kids) | Op::Max(kids) => {
                self.kids(kids).to_vec()
            }
            Op::Not(a) | Op::Negate(a) | Op::Has(a) | Op::Matches(a, ..) | Op::Convert(_, a) => {
                vec![a]
            }
            Op::Compare(_, a, b)
            | Op::Arith(_, a, b)
            | Op::In(a, b)
            | Op::Index(a, b, _)
            | Op::Default(a, b)
            | Op::Text(_, a, b)
            | Op::Loop(_, a, b) => vec![a, b],
            Op::Cond(a, b, c) => vec![a, b, c],
        }
    }

    pub fn constant(&self, index: u16) -> &Value {
        &self.consts[index as usize]
    }

    pub fn span(&self, node: NodeId) -> Range<usize> {
        let (start, end) = self.spans[node as usize];
        start as usize..end as usize
    }

    pub fn text_of(&self, node: NodeId) -> &str {
        self.text.get(self.span(node)).unwrap_or_default()
    }
}

/// A checked expression, ready to be evaluated. Cheap to clone.
#[derive(Clone)]
pub struct Program {
    pub(super) code: Arc<Code>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Program({})", self.code.text)
    }
}

impl Program {
    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.code.text
    }

    #[must_use]
    pub fn ty(&self) -> &Type {
        &self.code.ty
    }

    /// The facts it may look at: sorted, no duplicates.
    #[must_use]
    pub fn reads(&self) -> &[Slot] {
        &self.code.reads
    }

    /// The worst case, in units of about a nanosecond; see [`BUDGET`](super::BUDGET).
    #[must_use]
    pub fn cost(&self) -> u64 {
        self.code.cost
    }

    /// Can the result be [`Value::Absent`]? Only if compiled for [`Expect::Any`](super::Expect).
    #[must_use]
    pub fn may_be_absent(&self) -> bool {
        self.code.may_be_absent
    }

    /// Is the result an instant or duration that changes as time passes?
    #[must_use]
    pub fn moves(&self) -> bool {
        self.code.moves
    }

    /// The result. Cannot fail, panic or loop.
    pub fn eval(&self, facts: &Facts, notes: &mut Notes) -> Value {
        self.eval_moving(facts, notes).0
    }

    /// The result, and how it changes per unit of time that passes.
    pub(super) fn eval_moving(&self, facts: &Facts, notes: &mut Notes) -> (Value, i32) {
        Evaluator::new(&self.code, facts, notes).finish(self.code.root)
    }

    /// Is the result `true`?
    pub fn holds(&self, facts: &Facts, notes: &mut Notes) -> bool {
        Evaluator::new(&self.code, facts, notes).truth(self.code.root)
    }

    /// The evaluation, leaf by leaf.
    #[must_use]
    pub fn trace(&self, facts: &Facts) -> Trace {
        Trace::of(&self.code, facts)
    }
}
