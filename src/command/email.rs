//! What e-mail clients put below a reply: the message replied to, and signatures.
//!
//! GitHub turns replies by e-mail into comments; what was said in the message they answer was said
//! by somebody else. A quote marked with `>` is Markdown's business; here is what is not marked.

use std::ops::Range;

/// How clients introduce the message they quote: the first word, and the verb after the date.
/// Only with a date (a digit): people write "On the call Jo wrote:" themselves.
const ATTRIBUTIONS: [(&str, &str); 6] = [
    ("On ", " wrote"),
    ("Am ", " schrieb"),
    ("Le ", " a écrit"),
    ("El ", " escribió"),
    ("Il ", " ha scritto"),
    ("Op ", " schreef"),
];

/// Between dashes: `-----Original Message-----`.
const SEPARATORS: [&str; 4] = [
    "original message",
    "forwarded message",
    "ursprüngliche nachricht",
    "message d'origine",
];

/// An attribution is one line that clients wrap at some 78 columns, so it has at most three.
const ATTRIBUTION_LINES: usize = 3;
const ATTRIBUTION_LENGTH: usize = 240;

/// The offset from which on the text is not the sender's, if that begins in these lines.
pub(super) fn quoted_from(
    text: &str,
    lines: impl Iterator<Item = Range<usize>> + Clone,
) -> Option<usize> {
    let mut lines = lines;
    while let Some(line) = lines.next() {
        let first = &text[line.clone()];
        if first == "-- " || is_separator(first) || is_header(text, first, lines.clone()) {
            return Some(line.start);
        }
        if let Some(end) = attribution_end(text, &line, lines.clone()) {
            // Marked quotes end where their marks end, and people answer below them.
            let marked = text[end..].trim_start().starts_with('>');
            if !marked {
                return Some(line.start);
            }
        }
    }
    None
}

/// Is this heading made by the `-- ` above a signature? (With its blank: that is what clients send.)
pub(super) fn is_signed(heading: &str) -> bool {
    heading.trim_end_matches('\n').ends_with("\n-- ")
}

fn is_separator(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("--")
        && SEPARATORS.contains(&line.trim_matches(['-', ' ']).to_lowercase().as_str())
}

/// Outlook's: `From:`, and soon after it `Sent:` or `Date:`, perhaps in bold.
fn is_header(text: &str, first: &str, below: impl Iterator<Item = Range<usize>>) -> bool {
    let starts = |line: &str, with: &[&str]| {
        let line = line.trim_start().trim_start_matches('*');
        with.iter().any(|word| line.starts_with(word))
    };
    starts(first, &["From:", "Von:", "De :"])
        && below
            .take(3)
            .any(|line| starts(&text[line], &["Sent:", "Date:", "Gesendet:", "Envoyé :"]))
}

fn attribution_end(
    text: &str,
    first: &Range<usize>,
    below: impl Iterator<Item = Range<usize>>,
) -> Option<usize> {
    let start = text[first.clone()].trim_start();
    let (_, verb) = ATTRIBUTIONS
        .iter()
        .find(|(word, _)| start.starts_with(word))?;
    std::iter::once(first.clone())
        .chain(below)
        .take(ATTRIBUTION_LINES)
        .map(|line| line.end)
        .take_while(|end| end - first.start <= ATTRIBUTION_LENGTH)
        .find(|end| {
            let whole = text[first.start..*end].trim().replace('\n', " ");
            whole.ends_with(':')
                && whole.contains(verb)
                && whole.contains(|c: char| c.is_ascii_digit())
        })
}
