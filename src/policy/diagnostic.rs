//! What is wrong with a policy, where, and what was probably meant.

use std::ops::Range;

use serde::Serialize;

/// Every code that a finding may carry and what it means; those of expressions are in
/// [`expr::CODES`](super::expr::CODES), those of drift in [`lock::CODES`](super::lock::CODES).
pub const CODES: &[(&str, &str)] = &[
    ("bad-date", "a day is not written as `2026-12-24`"),
    ("bad-issue", "an issue is not written as `owner/repo#n`"),
    ("bad-name", "something cannot be called that"),
    ("bad-placeholder", "a template uses what cannot be shown"),
    (
        "bad-repository",
        "a repository is not written as `owner/repo`",
    ),
    ("bad-time", "a time or day is malformed"),
    ("capitals", "the board writes the name in other capitals"),
    (
        "conflict",
        "two rules contradict each other; an item is shown",
    ),
    ("cycle", "things depend on each other in a loop"),
    ("duplicate-id", "two things have one id"),
    ("duplicate-key", "a key stands twice in one map"),
    ("duplicate-value", "a value is listed twice"),
    ("else-not-last", "rows after `else` are never reached"),
    ("empty-policy", "no file says anything"),
    ("empty-role", "nobody has the role"),
    ("field-kind", "a board's field cannot hold the attribute"),
    ("field-of-attribute", "a rule's field is an attribute's"),
    ("field-name", "a field is not written as `board.Field`"),
    ("file-too-large", "a file is too large for a policy"),
    ("hides-command", "an attribute has the name of a command"),
    ("hides-fact", "something has the name of a built-in fact"),
    ("hold-reads-itself", "a rule would switch itself off"),
    ("idle-rule", "a rule asks for nothing"),
    ("kpi-key", "a KPI says what its measure has no use for"),
    ("kpi-unit", "a KPI's unit is not that of its measure"),
    ("label-of-attribute", "a free label is an attribute's"),
    ("label-pattern", "a label's pattern is malformed"),
    ("label-too-long", "a label is longer than GitHub takes"),
    ("milestone", "a rule can only clear a milestone"),
    ("missing-key", "something that is needed is not said"),
    ("nested-too-deeply", "lists and maps are nested too deeply"),
    (
        "never-broken",
        "a decision depends on what a principle forbids",
    ),
    ("never-holds", "a condition can never hold"),
    ("not-pinned", "a board's options are not pinned"),
    ("one-value", "a list where one value goes, or the reverse"),
    (
        "only-broken",
        "a decision depends on what a principle does not list",
    ),
    ("possible-conflict", "two rules may contradict each other"),
    ("row-shape", "a row of a table is malformed"),
    ("set-twice", "a rule writes one attribute in two ways"),
    ("several-documents", "a file holds several YAML documents"),
    ("shared-field", "two attributes have one field"),
    ("shared-label", "two attributes have one label"),
    (
        "too-many-labels",
        "an item could get more labels than GitHub takes",
    ),
    (
        "too-many-nodes",
        "a file explodes when aliases are written out",
    ),
    ("undo-each-other", "rules undo one another"),
    (
        "unknown-attribute",
        "there is no such attribute or decision",
    ),
    ("unknown-board", "there is no such board"),
    ("unknown-column", "the board has no such column"),
    ("unknown-command", "there is no such command"),
    ("unknown-community", "there is no such community"),
    ("unknown-field", "the board has no such field"),
    ("unknown-goal", "the goals are pinned, and this is none"),
    ("unknown-key", "a key is not known there"),
    ("unknown-option", "the field has no option for a value"),
    ("unknown-role", "there is no such role"),
    ("unknown-rule", "there is no such rule"),
    ("unknown-template", "there is no such template"),
    ("unknown-timezone", "there is no such time zone"),
    ("unknown-vocabulary", "values are taken from nowhere"),
    ("unused-fact", "nothing uses a fact"),
    ("unused-template", "no rule says a template"),
    ("vague-signal", "a signal would be found in everything"),
    ("version", "the policy is of another version"),
    ("wrong-shape", "a text, list or map where another belongs"),
    ("yaml", "the file is not YAML"),
    ("yaml-alias", "an alias names what is not finished"),
    ("yaml-key", "a key is not a word"),
    ("yaml-tag", "a value has a YAML tag"),
];

/// Is the code in one of the tables?
pub(super) fn is_known(code: &str) -> bool {
    CODES
        .iter()
        .chain(super::expr::CODES)
        .chain(super::lock::CODES)
        .any(|(known, _)| *known == code)
}

/// One file of a policy, as the shell read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as people should see it in messages.
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }
}

/// An error keeps the policy from being used; a warning does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Error,
    Warning,
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One finding. Serialises to the object that `check --format json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Stable name of the kind of finding, such as `unknown-fact`.
    pub code: &'static str,
    pub file: String,
    /// From 1; 0 where the finding is about no place in particular.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub message: String,
    pub help: Option<String>,
    /// Bytes of the file that are meant.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// All findings of one load, in the order of files and places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, d) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(
                f,
                "{}:{}:{}: {} [{}]: {}",
                d.file, d.line, d.column, d.severity, d.code, d.message
            )?;
            if let Some(help) = &d.help {
                write!(f, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// Line and column (both from 1, the column in characters) of a byte offset.
#[must_use]
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// `did you mean …?`, where one of the known names is near.
#[must_use]
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|name| format!("did you mean `{name}`?"))
}

/// The known name that is nearest to the word, if one is near enough to have been meant.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|name| {
            let distance = strsim::damerau_levenshtein(&lower, &name.to_lowercase());
            (distance, name)
        })
        // A third of the word may be wrong; a word of two letters suggests nothing.
        .filter(|(distance, name)| *distance <= lower.len().max(name.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        let text = "a: é\nb: ü x";
        assert_eq!(line_and_column(text, text.find('x').unwrap()), (2, 6));
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, 999), (2, 7));
    }

    #[test]
    fn suggests_only_what_is_near() {
        assert_eq!(
            nearest("comunities", ["communities", "goals"]),
            Some("communities")
        );
        assert_eq!(
            nearest("in progress", ["In Progress", "Done"]),
            Some("In Progress")
        );
        assert_eq!(nearest("xyz", ["communities", "goals"]), None);
    }
}
