//! The Pratt parser. Goes on after a mistake, so that the rest is checked too.

use std::ops::Range;

use super::ast::{Ast, Binary, Id, Kind, Node, children};
use super::lex::{Token, lex};
use super::problem::Problem;

/// How deep an expression may be nested; protects this parser's stack and the checker's.
pub const MAX_DEPTH: usize = 64;

/// Parses the whole text. If problems are reported, the tree has [`Kind::Broken`] in it.
pub(super) fn parse(text: &str, problems: &mut Vec<Problem>) -> Ast {
    let tokens = lex(text, problems);
    let mut parser = Parser {
        tokens,
        at: 0,
        nesting: 0,
        gave_up: false,
        nodes: Vec::new(),
        problems,
    };
    let root = parser.whole();
    Ast {
        nodes: parser.nodes,
        root,
    }
}

struct Parser<'p> {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    nesting: usize,
    /// Too deep: what follows is not looked at.
    gave_up: bool,
    nodes: Vec<Node>,
    problems: &'p mut Vec<Problem>,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.at].1.clone()
    }

    fn step(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.token(), Token::Sign(s) if *s == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        if found {
            self.step();
        }
        found
    }

    fn node(&mut self, kind: Kind, span: Range<usize>) -> Id {
        let below = children(&kind).into_iter().map(|c| self.nodes[c].depth);
        let depth = 1 + below.max().unwrap_or(0);
        if depth > MAX_DEPTH {
            return self.give_up(span);
        }
        self.nodes.push(Node { kind, span, depth });
        self.nodes.len() - 1
    }

    fn broken(&mut self, span: Range<usize>) -> Id {
        self.nodes.push(Node {
            kind: Kind::Broken,
            span,
            depth: 1,
        });
        self.nodes.len() - 1
    }

    fn give_up(&mut self, span: Range<usize>) -> Id {
        if !self.gave_up {
            self.gave_up = true;
            let message = format!("this is nested more than {MAX_DEPTH} deep");
            let problem = Problem::new("too-deep", span.clone(), message);
            self.problems
                .push(problem.help("give parts of it a name under `facts:`"));
        }
        self.at = self.tokens.len() - 1;
        self.broken(span)
    }

    fn unexpected(&mut self, wanted: &str) {
        let token = self.token();
        if self.gave_up || *token == Token::Broken {
            return;
        }
        let found = match token {
            Token::End => "the end".to_owned(),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::Name(name) => format!("`{name}`"),
            _ => "a value".to_owned(),
        };
        let help = match token {
            Token::Name(name) => match name.to_ascii_lowercase().as_str() {
                "and" => "and is written `&&`",
                "or" => "or is written `||`",
                "not" => "not is written `!`",
                "is" | "equals" => "to compare, write `==`",
                _ => "",
            },
            Token::Sign("{" | "}") => "maps are not part of this language",
            _ => "",
        };
        let problem = Problem::new("syntax", self.span(), format!("{wanted}, not {found}"));
        self.problems.push(if help.is_empty() {
            problem
        } else {
            problem.help(help)
        });
    }

    fn whole(&mut self) -> Id {
        if *self.token() == Token::End && self.problems.is_empty() {
            let span = self.span();
            self.problems.push(Problem::new(
                "syntax",
                span.clone(),
                "an expression is missing",
            ));
            return self.broken(span);
        }
        let mut parts = vec![self.expression()];
        while *self.token() != Token::End {
            self.unexpected("an operator or the end belongs here");
            // Find what can be checked for itself.
            while !matches!(self.token(), Token::End | Token::Sign("&&" | "||")) {
                self.step();
            }
            if *self.token() != Token::End {
                self.step();
                parts.push(self.expression());
            }
        }
        if let [only] = parts[..] {
            return only;
        }
        let end = self.span().end;
        self.node(Kind::And(parts), 0..end)
    }

    fn expression(&mut self) -> Id {
        self.nesting += 1;
        let id = if self.nesting > MAX_DEPTH {
            let span = self.span();
            self.give_up(span)
        } else {
            self.conditional()
        };
        self.nesting -= 1;
        id
    }

    fn conditional(&mut self) -> Id {
        let condition = self.any();
        if !self.take("?") {
            return condition;
        }
        let yes = self.any();
        if !self.take(":") {
            self.unexpected("`:` and the other value belong here");
            let span = self.from(condition, yes);
            let no = self.broken(span.clone());
            return self.node(Kind::Cond(condition, yes, no), span);
        }
        let no = self.expression();
        let span = self.from(condition, no);
        self.node(Kind::Cond(condition, yes, no), span)
    }

    fn from(&self, first: Id, last: Id) -> Range<usize> {
        self.nodes[first].span.start..self.nodes[last].span.end
    }

    fn chain(&mut self, sign: &str, mut part: impl FnMut(&mut Self) -> Id) -> Result<Id, Vec<Id>> {
        let first = part(self);
        if !self.is(sign) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take(sign) {
            parts.push(part(self));
        }
        Err(parts)
    }

    fn any(&mut self) -> Id {
        match self.chain("||", Self::all) {
            Ok(one) => one,
            Err(parts) => {
                let span = self.from(parts[0], parts[parts.len() - 1]);
                self.node(Kind::Or(parts), span)
            }
        }
    }

    fn all(&mut self) -> Id {
        match self.chain("&&", |this| this.binary(0)) {
            Ok(one) => one,
            Err(parts) => {
                let span = self.from(parts[0], parts[parts.len() - 1]);
                self.node(Kind::And(parts), span)
            }
        }
    }

    /// Comparisons and arithmetic that bind more strongly than `above`.
    fn binary(&mut self, above: u8) -> Id {
        let mut left = self.unary();
        loop {
            let Token::Sign(sign) = self.token() else {
                return left;
            };
            let Some(op) = Binary::ALL.into_iter().find(|op| op.sign() == *sign) else {
                return left;
            };
            if op.strength() <= above {
                return left;
            }
            self.step();
            let right = self.binary(op.strength());
            let span = self.from(left, right);
            left = self.node(Kind::Binary(op, left, right), span);
        }
    }

    fn unary(&mut self) -> Id {
        let start = self.span().start;
        if self.is("!") {
            self.step();
            return self.nested(|this| {
                let inner = this.unary();
                let end = this.nodes[inner].span.end;
                this.node(Kind::Not(inner), start..end)
            });
        }
        if self.is("-") {
            self.step();
            // The least whole number has no positive counterpart.
            if let Token::Int(n) = *self.token()
                && n == 1 << 63
            {
                let end = self.span().end;
                self.step();
                return self.node(Kind::Int(i64::MIN), start..end);
            }
            return self.nested(|this| {
                let inner = this.unary();
                let end = this.nodes[inner].span.end;
                this.node(Kind::Negate(inner), start..end)
            });
        }
        let primary = self.primary();
        self.postfix(primary, start)
    }

    fn nested(&mut self, parse: impl FnOnce(&mut Self) -> Id) -> Id {
        self.nesting += 1;
        let id = if self.nesting > MAX_DEPTH {
            let span = self.span();
            self.give_up(span)
        } else {
            parse(self)
        };
        self.nesting -= 1;
        id
    }

    fn postfix(&mut self, mut id: Id, start: usize) -> Id {
        loop {
            if self.take(".") {
                let Token::Name(name) = self.token().clone() else {
                    self.unexpected("a name belongs after the dot");
                    return id;
                };
                let name_span = self.span();
                self.step();
                id = if self.take("(") {
                    let args = self.list_until(")");
                    let span = start..self.end();
                    let target = Some(id);
                    self.node(
                        Kind::Call {
                            target,
                            name,
                            name_span,
                            args,
                        },
                        span,
                    )
                } else {
                    self.node(Kind::Select(id, name), start..name_span.end)
                };
            } else if self.take("[") {
                let key = self.expression();
                if !self.take("]") {
                    self.unexpected("`]` belongs here");
                }
                let span = start..self.end();
                id = self.node(Kind::Index(id, key), span);
            } else {
                return id;
            }
        }
    }

    /// Where the token before the present one ends.
    fn end(&self) -> usize {
        self.tokens[self.at.saturating_sub(1)].1.end
    }

    fn list_until(&mut self, close: &str) -> Vec<Id> {
        let mut items = Vec::new();
        while !self.is(close) {
            items.push(self.expression());
            if !self.take(",") {
                break;
            }
        }
        if !self.take(close) {
            self.unexpected(&format!("`,` or `{close}` belongs here"));
        }
        items
    }

    fn primary(&mut self) -> Id {
        let span = self.span();
        let kind = match self.token().clone() {
            Token::Int(n) => i64::try_from(n).map_or_else(
                |_| {
                    let message = "no whole number is that large";
                    let problem = Problem::new("bad-literal", span.clone(), message);
                    self.problems
                        .push(problem.help(format!("the largest is {}", i64::MAX)));
                    Kind::Broken
                },
                Kind::Int,
            ),
            Token::Double(d) => Kind::Double(d),
            Token::Str(s) => Kind::Str(s),
            Token::Broken => Kind::Broken,
            Token::Sign("true") => Kind::Bool(true),
            Token::Sign("false") => Kind::Bool(false),
            Token::Sign("null") => {
                let message = "there is no `null` in this language";
                let problem = Problem::new("unsupported", span.clone(), message);
                self.problems
                    .push(problem.help("`has(x)` asks whether there is a value"));
                Kind::Broken
            }
            Token::Sign("(") => return self.brackets(span.start),
            Token::Sign("[") => {
                self.step();
                let items = self.list_until("]");
                let end = self.end();
                return self.node(Kind::List(items), span.start..end);
            }
            Token::Name(name) => {
                self.step();
                if self.take("(") {
                    let args = self.list_until(")");
                    let whole = span.start..self.end();
                    let call = Kind::Call {
                        target: None,
                        name,
                        name_span: span,
                        args,
                    };
                    return self.node(call, whole);
                }
                return self.node(Kind::Name(name), span);
            }
            Token::Sign(_) | Token::End => {
                self.unexpected("a value belongs here");
                return self.broken(span);
            }
        };
        self.step();
        self.node(kind, span)
    }

    fn brackets(&mut self, start: usize) -> Id {
        self.step();
        let inner = self.expression();
        if !self.take(")") {
            self.unexpected("`)` belongs here");
        }
        let end = self.end();
        self.nodes[inner].span = start..end;
        inner
    }
}
