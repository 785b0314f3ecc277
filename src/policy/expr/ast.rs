//! The tree the parser makes: an arena, so that no depth of it can overflow a stack when dropped.

use std::ops::Range;

use super::program::{Arith, Compare};

/// Where a node stands in [`Ast::nodes`].
pub(super) type Id = usize;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Binary {
    Compare(Compare),
    Arith(Arith),
    In,
}

impl Binary {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Compare(Compare::Eq) => "==",
            Self::Compare(Compare::Ne) => "!=",
            Self::Compare(Compare::Lt) => "<",
            Self::Compare(Compare::Le) => "<=",
            Self::Compare(Compare::Gt) => ">",
            Self::Compare(Compare::Ge) => ">=",
            Self::Arith(Arith::Add) => "+",
            Self::Arith(Arith::Sub) => "-",
            Self::Arith(Arith::Mul) => "*",
            Self::Arith(Arith::Div) => "/",
            Self::Arith(Arith::Rem) => "%",
            Self::In => "in",
        }
    }

    /// How strongly it binds; of equal ones the left binds first.
    pub fn strength(self) -> u8 {
        match self {
            Self::Compare(_) | Self::In => 1,
            Self::Arith(Arith::Add | Arith::Sub) => 2,
            Self::Arith(_) => 3,
        }
    }

    pub const ALL: [Self; 12] = [
        Self::Compare(Compare::Eq),
        Self::Compare(Compare::Ne),
        Self::Compare(Compare::Lt),
        Self::Compare(Compare::Le),
        Self::Compare(Compare::Gt),
        Self::Compare(Compare::Ge),
        Self::Arith(Arith::Add),
        Self::Arith(Arith::Sub),
        Self::Arith(Arith::Mul),
        Self::Arith(Arith::Div),
        Self::Arith(Arith::Rem),
        Self::In,
    ];
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Bool(bool),
    Int(i64),
    Double(f64),
    Str(String),
    Name(String),
    Select(Id, String),
    Index(Id, Id),
    /// `f(args)` or `target.f(args)`; macros and `has` too.
    Call {
        target: Option<Id>,
        name: String,
        name_span: Range<usize>,
        args: Vec<Id>,
    },
    List(Vec<Id>),
    /// A whole chain of `&&` that is not interrupted by brackets; at least two.
    And(Vec<Id>),
    Or(Vec<Id>),
    Not(Id),
    Negate(Id),
    Cond(Id, Id, Id),
    Binary(Binary, Id, Id),
    /// A problem was reported here.
    Broken,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub kind: Kind,
    /// Bytes of the text, brackets around the node included.
    pub span: Range<usize>,
    /// Of the tree below: 1 for a leaf.
    pub depth: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Ast {
    pub nodes: Vec<Node>,
    pub root: Id,
}

impl Ast {
    pub fn kind(&self, id: Id) -> &Kind {
        &self.nodes[id].kind
    }

    pub fn span(&self, id: Id) -> Range<usize> {
        self.nodes[id].span.clone()
    }

    /// Is the value written out, so that its type bends to what is needed around it?
    pub fn is_literal(&self, id: Id) -> bool {
        match self.kind(id) {
            Kind::Bool(_) | Kind::Int(_) | Kind::Double(_) | Kind::Str(_) => true,
            Kind::Negate(inner) => self.is_literal(*inner),
            Kind::List(items) => items.iter().all(|i| self.is_literal(*i)),
            Kind::Cond(_, yes, no) => self.is_literal(*yes) && self.is_literal(*no),
            _ => false,
        }
    }

    /// The names of `a.b["c"]`, if that is all it is.
    pub fn path(&self, id: Id) -> Option<Vec<&str>> {
        let mut names = Vec::new();
        let mut at = id;
        loop {
            match self.kind(at) {
                Kind::Name(name) => {
                    names.push(name.as_str());
                    names.reverse();
                    return Some(names);
                }
                Kind::Select(inner, name) => {
                    names.push(name);
                    at = *inner;
                }
                Kind::Index(inner, key) => match self.kind(*key) {
                    Kind::Str(name) => {
                        names.push(name);
                        at = *inner;
                    }
                    _ => return None,
                },
                _ => return None,
            }
        }
    }
}

/// The children of a node, in the order of the text.
pub(super) fn children(kind: &Kind) -> Vec<Id> {
    match kind {
        Kind::Select(a, _) | Kind::Not(a) | Kind::Negate(a) => vec![*a],
        Kind::Index(a, b) | Kind::Binary(_, a, b) => vec![*a, *b],
        Kind::Cond(a, b, c) => vec![*a, *b, *c],
        Kind::Call { target, args, .. } => target.iter().chain(args).copied().collect(),
        Kind::List(items) | Kind::And(items) | Kind::Or(items) => items.clone(),
        _ => Vec::new(),
    }
}
