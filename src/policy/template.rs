//! Templates of comments: Markdown with `{fact}` in it. What is inserted is made harmless.

use std::ops::Range;

use super::expr::Slot;

/// Inserted text is cut here: a comment is about the item, it does not repeat it.
const LONGEST: usize = 200;

/// A text field of a board takes no more.
const LONGEST_PLAIN: usize = 1024;

/// A template whose placeholders are known facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    pub key: String,
    pub parts: Vec<Part>,
}

/// A stretch of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(String),
    /// The value of a fact, inserted as text.
    Fact(Slot),
}

/// A stretch of a template before its facts are looked up, with its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawPart {
    Text(String),
    Fact(String, Range<usize>),
}

/// Splits a template. `{{` and `}}` stand for the braces themselves. A brace that does not open a
/// dotted name is left as it is, so that code in a comment need not be escaped.
#[must_use]
pub fn split(text: &str) -> Vec<RawPart> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        if rest.starts_with("{{") || rest.starts_with("}}") {
            plain.push_str(&rest[..1]);
            at += 2;
            continue;
        }
        if let Some(inner) = rest.strip_prefix('{')
            && let Some(end) = inner.find('}')
            && is_name(&inner[..end])
        {
            if !plain.is_empty() {
                parts.push(RawPart::Text(std::mem::take(&mut plain)));
            }
            parts.push(RawPart::Fact(inner[..end].to_owned(), at + 1..at + 1 + end));
            at += end + 2;
            continue;
        }
        let c = rest.chars().next().unwrap_or(' ');
        plain.push(c);
        at += c.len_utf8();
    }
    if !plain.is_empty() {
        parts.push(RawPart::Text(plain));
    }
    parts
}

fn is_name(s: &str) -> bool {
    s.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    })
}

impl Template {
    /// The comment, with each fact as `value` tells it.
    pub fn render(&self, value: impl Fn(Slot) -> String) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Fact(slot) => harmless(&value(*slot)),
            })
            .collect::<String>()
            .trim()
            .to_owned()
    }
}

impl Template {
    /// A text that is no Markdown, with each fact as `value` tells it: one line, not too long.
    pub fn plain(&self, value: impl Fn(Slot) -> String) -> String {
        let whole: String = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Fact(slot) => value(*slot),
            })
            .collect();
        let seen = whole.chars().filter(|c| !is_invisible(*c));
        let seen: String = seen.map(|c| if c.is_control() { ' ' } else { c }).collect();
        let line = seen.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().take(LONGEST_PLAIN).collect()
    }
}

/// Text from outside as text inside a comment: one line, not too long, and nothing in it mentions
/// anybody, refers to an issue, opens a link, a fence or a tag, or is a command.
#[must_use]
pub fn harmless(text: &str) -> String {
    harmless_within(text, LONGEST)
}

/// Invisible or changes the direction of text: has no business in a quotation.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// As code: GitHub finds no mention, reference, link or markup in it. On one line, between more
/// backticks than the text has in a row.
#[must_use]
pub fn code(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .filter(|c| !is_invisible(*c))
        .collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return "–".to_owned();
    }
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    // A blank inside keeps a backtick at either end apart from the fence.
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// [`harmless`], cut at that many characters.
#[must_use]
pub fn harmless_within(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .peekable();
    let mut length = 0;
    'words: while let Some(word) = words.next() {
        for c in word.chars() {
            if length == longest {
                out.push('…');
                break 'words;
            }
            length += 1;
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                // A zero-width space keeps GitHub from finding a mention, a reference, a link.
                '@' | '#' | ':' => {
                    if c == '#' {
                        out.push('\\');
                    }
                    out.push(c);
                    out.push('\u{200B}');
                }
                c if is_invisible(c) => {}
                // `GH-12` is a reference as well.
                c if c.is_ascii_digit() && out.ends_with('-') => {
                    out.push('\u{200B}');
                    out.push(c);
                }
                c if c.is_ascii_punctuation()
                    && !matches!(c, ',' | ';' | '\'' | '"' | '?' | '%' | '=') =>
                {
                    out.push('\\');
                    out.push(c);
                }
                c => out.push(c),
            }
        }
        if words.peek().is_some() {
            out.push(' ');
            length += 1;
        }
    }
    out
}

/// What a sticky comment looks like when its rule no longer holds.
#[must_use]
pub fn collapsed(body: &str) -> String {
    format!("<details><summary>This no longer applies.</summary>\n\n{body}\n\n</details>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_names_from_text() {
        assert_eq!(
            split("Hi {author.login}, {{x}} and {not a name} é"),
            [
                RawPart::Text("Hi ".into()),
                RawPart::Fact("author.login".into(), 4..16),
                RawPart::Text(", {x} and {not a name} é".into()),
            ]
        );
    }

    #[test]
    fn inserted_text_can_do_nothing() {
        let out = harmless("@all <b>see</b> #12 GH-12\n```\n/triage accept [x](https://e.org) `a`");
        assert!(!out.contains("@all"), "{out}");
        assert!(!out.contains("<b>"), "{out}");
        assert!(!out.contains("#12") && !out.contains("-12"), "{out}");
        assert!(!out.contains('\n'), "{out}");
        assert!(!out.contains("```"), "{out}");
        assert!(!out.contains("://"), "{out}");
        assert!(!out.contains("](") && !out.contains(" /triage"), "{out}");
        assert_eq!(harmless("plain words, kept"), "plain words, kept");
        assert_eq!(harmless(&"x".repeat(500)).chars().count(), LONGEST + 1);
    }
}
