//! The expressions of the policy language: a typed, total subset of CEL.
//!
//! *In:* the text of an expression and a [`Schema`] of the names it may use. *Out:* a [`Program`],
//! or every [`Problem`] at once; from a program and [`Facts`] a [`Value`], a [`Trace`], [`Notes`].
//! *May call:* nothing. Pure: no I/O, no clock (`now` is a fact), no randomness.
//!
//! ```text
//! text ─lex─▶ tokens ─parse─▶ tree ─check─▶ compiled form ─eval─▶ value
//!                                                └─trace─▶ why
//! ```
//!
//! # Where it differs from CEL
//!
//! CEL evaluates to errors; a policy must not. So, on purpose:
//!
//! * whole numbers saturate at their limits, and dividing by zero gives 0 (`%` too);
//! * a missing key of a map is the empty text (or list), or absent for types without an empty value;
//! * a value that may be absent must be guarded: `has(x) && x > 3`, or `x.or(0) > 3`;
//! * `has(x)` takes any fact, and is false for empty texts and lists as well;
//! * functions may be written both ways: `size(x)` and `x.size()`;
//! * a whole number that is written out counts as a decimal one where one is needed;
//! * no `null`, maps, messages, bytes, unsigned numbers, type values or time zone functions;
//! * a leading zero is read as decimal, and `//` begins a comment, as in CEL.

mod ast;
mod call;
mod check;
mod cost;
mod disjoint;
mod domain;
mod eval;
mod flow;
mod function;
mod lex;
mod name;
mod number;
mod operator;
mod parse;
mod pattern;
mod problem;
mod program;
mod schema;
mod situation;
mod trace;
mod value;
pub(crate) mod witness;

pub use cost::BUDGET;
pub use disjoint::{disjoint, never_holds};
pub use function::{FUNCTIONS, Function, MACROS};
pub use parse::MAX_DEPTH;
pub use problem::{CODES, Problem};
pub use program::Program;
pub use schema::{EnumId, Schema, Slot, Type};
pub use situation::{Part, Situation};
pub use trace::{LookedAt, Step, Trace};
pub use value::{Facts, Notes, Value};

/// The most bytes the text of one expression may have.
pub const MAX_TEXT: usize = 16 * 1024;

/// What an expression is wanted for.
#[derive(Clone, Copy, Debug)]
pub enum Expect<'a> {
    /// A condition.
    Bool,
    /// Whole or decimal.
    Number,
    /// Exactly this; literals bend to it.
    Type(&'a Type),
    /// Whatever it is; may be absent.
    Any,
}

/// Checks an expression and makes it ready to evaluate; on failure, all that is wrong with it.
pub fn compile(text: &str, schema: &Schema, expect: Expect<'_>) -> Result<Program, Vec<Problem>> {
    if text.len() > MAX_TEXT {
        let message = format!(
            "an expression has at most {MAX_TEXT} bytes; this has {}",
            text.len()
        );
        return Err(vec![Problem::new("too-long", 0..text.len(), message)]);
    }
    let mut problems = Vec::new();
    let ast = parse::parse(text, &mut problems);
    check::check(text, &ast, schema, expect, problems)
}

#[cfg(test)]
mod tests;
