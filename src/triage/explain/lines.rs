//! What the text and the Markdown of an explanation have in common: a condition as lines.

use crate::policy::expr::{Step, Value};

use super::super::decision::Mode;
use super::{Decided, Ended, Part, Row, Seen, Told};

/// One line of a condition.
pub(super) struct Line<'a> {
    pub depth: usize,
    /// `✓`, `✗`, or `·` for what was not reached; blank for a value that is no answer.
    pub mark: char,
    pub what: What<'a>,
    /// Facts with their values, and where those come from.
    pub facts: Vec<(&'a str, String, Option<&'a str>)>,
}

/// What a line is about.
pub(super) enum What<'a> {
    /// How the lines below it are combined.
    Step(&'static str),
    /// A piece of the condition.
    Code(&'a str),
    /// A fact that is looked up, and its value.
    Is(&'a str, String),
    /// How the fact above it is defined.
    Because(&'a str),
    /// Not for everybody.
    Hidden,
}

/// The lines of a condition or value.
pub(super) fn lines(part: &Part) -> Vec<Line<'_>> {
    let mut out = Vec::new();
    add(part, 0, &mut out);
    out
}

fn add<'a>(part: &'a Part, depth: usize, out: &mut Vec<Line<'a>>) {
    // `!x` reads better on one line.
    if let (Step::Not, [inner], true) = (part.step, part.parts.as_slice(), part.text.is_some())
        && inner.step == Step::Leaf
    {
        return leaf(part, inner, depth, out);
    }
    let title = match part.step {
        Step::All => "all of",
        Step::Any => "any of",
        Step::Not => "not",
        Step::Choice => "if the first, the second, else the third of",
        Step::Leaf => return leaf(part, part, depth, out),
    };
    out.push(Line {
        depth,
        mark: mark(part),
        what: What::Step(title),
        facts: Vec::new(),
    });
    for inner in &part.parts {
        add(inner, depth + 1, out);
    }
}

/// `whole` is the leaf, or what negates it.
fn leaf<'a>(whole: &'a Part, leaf: &'a Part, depth: usize, out: &mut Vec<Line<'a>>) {
    let Some(text) = &whole.text else {
        return out.push(Line {
            depth,
            mark: ' ',
            what: What::Hidden,
            facts: Vec::new(),
        });
    };
    // A bare yes or no is told by the mark already.
    let bare = |f: &Seen| leaf.text.as_ref() == Some(&f.fact) && matches!(f.value, Value::Bool(_));
    if let [only] = leaf.facts.as_slice()
        && only.fact == *text
        && !bare(only)
    {
        return out.push(Line {
            depth,
            mark: mark(whole),
            what: What::Is(text, shown(&only.value)),
            facts: Vec::new(),
        });
    }
    out.push(Line {
        depth,
        mark: mark(whole),
        what: What::Code(text),
        facts: leaf
            .facts
            .iter()
            .filter(|f| !bare(f))
            .map(|f| (f.fact.as_str(), shown(&f.value), f.from.as_deref()))
            .collect(),
    });
    for fact in &leaf.facts {
        if let Some(defined) = &fact.defined {
            let mut below = depth + 1;
            if whole.text != leaf.text || !bare(fact) {
                out.push(Line {
                    depth: below,
                    mark: ' ',
                    what: What::Because(&fact.fact),
                    facts: Vec::new(),
                });
                below += 1;
            }
            add(defined, below, out);
        }
    }
}

fn mark(part: &Part) -> char {
    match &part.result {
        Some(Value::Bool(true)) => '✓',
        Some(Value::Bool(false)) => '✗',
        Some(_) => ' ',
        None => '·',
    }
}

/// A value as the policy would write it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Absent => "nothing".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Double(n) => n.to_string(),
        Value::Str(s) => format!("{:?}", &**s),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(k, v)| format!("{k:?}: {}", shown(v)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Timestamp(t) => t.to_string(),
        Value::Duration(d) => format!("{d:#}"),
    }
}

/// How the rule ended, in words.
pub(super) fn ended(told: &Told) -> String {
    let words = match told.ended {
        Ended::Fired => "fired",
        Ended::AskedNothing => "held, and had nothing to ask for",
        Ended::DidNotHold => "did not hold",
    };
    match told.mode {
        Mode::Enforce => words.to_owned(),
        Mode::Suggest => format!("{words}, as a suggestion"),
        Mode::Observe => format!("{words}, only observed"),
    }
}

/// `triage: needs-triage, was none, by rule x`.
pub(super) fn decided(decided: &Decided) -> (String, String) {
    use super::super::ledger::Rank;
    let name = |v: &super::AttributeValue| {
        if v.is_empty() {
            "none".to_owned()
        } else {
            v.to_string()
        }
    };
    let mut more = String::new();
    if decided.value != decided.was {
        more = format!(", was {}", name(&decided.was));
    }
    let by = match (&decided.rule, decided.rank) {
        (Some(rule), _) => format!(", by rule {rule}"),
        (None, Some(Rank::Person)) => ", set by hand".to_owned(),
        (None, Some(Rank::Command)) => ", set by a command".to_owned(),
        (None, Some(Rank::Override)) => ", an override".to_owned(),
        _ => String::new(),
    };
    (name(&decided.value), more + &by)
}

/// The rows that came before the one that gave the value, and that one.
pub(super) fn rows(rows: &[Row]) -> (Vec<&Part>, Option<&Row>) {
    let before = rows.iter().filter(|r| !r.chosen);
    (
        before.filter_map(|r| r.when.as_ref()).collect(),
        rows.iter().find(|r| r.chosen),
    )
}

/// Who may, as a list of roles.
pub(super) fn who(roles: &[String]) -> String {
    if roles.is_empty() {
        return "whoever may on GitHub".to_owned();
    }
    roles
        .iter()
        .map(|r| r.replace('_', " "))
        .collect::<Vec<_>>()
        .join(", ")
}
