//! Why a condition held or not: the evaluation itself, leaf by leaf.

use std::ops::Range;

use serde::Serialize;

use super::eval::Evaluator;
use super::program::{Code, NodeId, Op};
use super::schema::Slot;
use super::value::{Facts, Notes, Value};

/// How a part of a condition combines what is below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Every part has to hold.
    All,
    /// One part has to hold.
    Any,
    /// The part must not hold.
    Not,
    /// The first part chooses between the second and the third.
    Choice,
    /// Has no parts of its own: a comparison, a call, a fact.
    Leaf,
}

/// One part of a condition, with what it came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    /// As it was written.
    pub text: String,
    /// Bytes in the text of the expression.
    pub span: Range<usize>,
    pub step: Step,
    /// What it came to; `None` if evaluation did not get there, the answer being settled before.
    pub result: Option<Value>,
    /// The facts that a leaf looked at, as written, with their values. Empty above leaves.
    pub looked_at: Vec<LookedAt>,
    /// Every fact it could look at, reached or not: for leaving out what not everybody may read.
    #[serde(skip)]
    pub reads: Vec<Slot>,
    pub parts: Vec<Trace>,
}

/// A fact, or a part of one, and its value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LookedAt {
    pub text: String,
    pub value: Value,
    /// The fact, where it is a whole one and not an entry of a table.
    #[serde(skip)]
    pub slot: Option<Slot>,
}

impl Trace {
    /// Did it hold? False also where it was not evaluated.
    #[must_use]
    pub fn held(&self) -> bool {
        self.result == Some(Value::Bool(true))
    }

    /// The leaves in the order of the text.
    pub fn leaves(&self) -> Vec<&Trace> {
        if self.parts.is_empty() {
            return vec![self];
        }
        self.parts.iter().flat_map(Self::leaves).collect()
    }

    pub(super) fn of(code: &Code, facts: &Facts) -> Self {
        Tracer { code, facts }.trace(code.root, true)
    }
}

struct Tracer<'a> {
    code: &'a Code,
    facts: &'a Facts,
}

impl Tracer<'_> {
    fn value(&self, node: NodeId) -> Value {
        let mut notes = Notes::default();
        Evaluator::new(self.code, self.facts, &mut notes)
            .finish(node)
            .0
    }

    /// Traces a node; `reached` says whether evaluation got there.
    fn trace(&self, node: NodeId, reached: bool) -> Trace {
        let (step, parts) = match self.code.op(node) {
            Op::And(kids) => (Step::All, self.chain(self.code.kids(kids), reached, false)),
            Op::Or(kids) => (Step::Any, self.chain(self.code.kids(kids), reached, true)),
            Op::Not(inner) => (Step::Not, vec![self.trace(inner, reached)]),
            Op::Cond(condition, yes, no) => {
                let condition = self.trace(condition, reached);
                let chosen = condition.held();
                let yes = self.trace(yes, reached && chosen);
                let no = self.trace(no, reached && !chosen);
                (Step::Choice, vec![condition, yes, no])
            }
            _ => (Step::Leaf, Vec::new()),
        };
        let result = reached.then(|| match step {
            Step::All => Value::Bool(parts.iter().all(Trace::held)),
            Step::Any => Value::Bool(parts.iter().any(Trace::held)),
            Step::Not => Value::Bool(!parts.iter().any(Trace::held)),
            Step::Choice | Step::Leaf => self.value(node),
        });
        let mut looked_at = Vec::new();
        if step == Step::Leaf && reached {
            self.facts_below(node, &mut looked_at);
        }
        let mut reads = Vec::new();
        self.reads_below(node, &mut reads);
        Trace {
            text: self.code.text_of(node).to_owned(),
            span: self.code.span(node),
            step,
            result,
            looked_at,
            reads,
            parts,
        }
    }

    fn reads_below(&self, node: NodeId, found: &mut Vec<Slot>) {
        let op = self.code.op(node);
        if let Op::Fact(slot) = op
            && !found.contains(&slot)
        {
            found.push(slot);
        }
        for kid in self.code.children(op) {
            self.reads_below(kid, found);
        }
    }

    /// Parts up to the one whose answer settles the chain.
    fn chain(&self, kids: &[NodeId], mut reached: bool, settles: bool) -> Vec<Trace> {
        let trace = |kid: &NodeId| {
            let part = self.trace(*kid, reached);
            reached = reached && part.held() != settles;
            part
        };
        kids.iter().map(trace).collect()
    }

    fn facts_below(&self, node: NodeId, found: &mut Vec<LookedAt>) {
        let mut show = |node: NodeId| {
            let looked_at = LookedAt {
                text: self.code.text_of(node).to_owned(),
                value: self.value(node),
                slot: match self.code.op(node) {
                    Op::Fact(slot) => Some(slot),
                    _ => None,
                },
            };
            if !found.contains(&looked_at) {
                found.push(looked_at);
            }
        };
        match self.code.op(node) {
            Op::Fact(_) => show(node),
            Op::Index(of, key, _)
                if matches!(self.code.op(of), Op::Fact(_))
                    && matches!(self.code.op(key), Op::Const(_)) =>
            {
                show(node);
            }
            other => {
                for kid in self.code.children(other) {
                    self.facts_below(kid, found);
                }
            }
        }
    }
}
