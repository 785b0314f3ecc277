//! What can be wrong with an expression.

use std::ops::Range;

/// Every code a [`Problem`] may carry, with what it means.
pub const CODES: &[(&str, &str)] = &[
    ("syntax", "the text is not an expression"),
    (
        "bad-literal",
        "a number, text, instant or duration is malformed",
    ),
    ("unsupported", "a part of CEL that this language leaves out"),
    ("unknown-fact", "no fact has that name"),
    ("unknown-function", "no function has that name"),
    ("unknown-value", "the attribute does not have that value"),
    (
        "wrong-arguments",
        "a function got too few, too many or unfit arguments",
    ),
    ("type-mismatch", "two parts do not fit one another"),
    ("unguarded", "a value may be absent there"),
    ("bad-pattern", "a pattern is malformed or too large"),
    ("too-costly", "evaluating it could take too long"),
    ("too-deep", "it is nested too deeply"),
    ("too-long", "its text is too long"),
];

/// One thing wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// One of [`CODES`].
    pub code: &'static str,
    /// Bytes in the text of the expression; on character boundaries, never beyond the end.
    pub span: Range<usize>,
    pub message: String,
    /// What to write instead, where that can be said.
    pub help: Option<String>,
}

impl Problem {
    pub(super) fn new(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        debug_assert!(CODES.iter().any(|(known, _)| *known == code));
        Self {
            code,
            span,
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The nearest of `known`, if one is near enough to be what was meant.
pub(super) fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wanted.to_lowercase();
    known
        .filter(|candidate| !candidate.is_empty())
        .map(|candidate| {
            let score = strsim::jaro_winkler(&lower, &candidate.to_lowercase());
            let typos = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            (score, typos, candidate)
        })
        .filter(|(score, typos, _)| *score >= 0.85 || (*typos <= 2 && wanted.len() > 3))
        // Equal scores: the lesser name, so that the answer does not depend on map order.
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.2.cmp(a.2)))
        .map(|(_, _, candidate)| candidate)
}
