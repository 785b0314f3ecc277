//! The words of a command line: plain and quoted words, items, dates, durations.

use jiff::civil::Date;

use crate::ids::RepoName;

/// An item as people name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemRef {
    /// `None` for `#12`: in the repository of the comment.
    pub repository: Option<RepoName>,
    pub number: u64,
}

impl std::fmt::Display for ItemRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(repository) = &self.repository {
            write!(f, "{repository}")?;
        }
        write!(f, "#{}", self.number)
    }
}

impl ItemRef {
    /// Reads `#12`, `owner/repo#12` or the address of an issue on `host`; a comma may follow.
    #[must_use]
    pub fn parse(word: &str, host: &str) -> Option<Self> {
        let word = word.trim_end_matches([',', ';']);
        let word = word
            .strip_prefix('<')
            .and_then(|word| word.strip_suffix('>'))
            .unwrap_or(word);
        let number = |digits: &str| {
            let plain = digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse::<u64>().ok().filter(|n| plain && *n > 0)
        };
        if let Some(address) = word.strip_prefix("https://") {
            let (at, path) = address.split_once('/')?;
            let path = path.split(['?', '#']).next()?;
            let (repository, digits) = path.trim_end_matches('/').rsplit_once("/issues/")?;
            return at.eq_ignore_ascii_case(host).then_some(Self {
                repository: Some(RepoName::parse(repository)?),
                number: number(digits)?,
            });
        }
        let (repository, digits) = word.split_once('#')?;
        let repository = match repository {
            "" => None,
            named => Some(RepoName::parse(named)?),
        };
        Some(Self {
            repository,
            number: number(digits)?,
        })
    }
}

/// A length of time in whole hours, as `2w`, `3d`, `12h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub hours: u32,
}

impl Span {
    /// Reads a number below 1,000 and a unit: `h`, `d`, `w` or the English word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim_end_matches(['.', ',']);
        let unit_at = word.find(|c: char| !c.is_ascii_digit())?;
        let (digits, unit) = word.split_at(unit_at);
        let count: u32 = digits.parse().ok().filter(|n| (1..1_000).contains(n))?;
        let hours = match unit.to_ascii_lowercase().as_str() {
            "h" | "hour" | "hours" => 1,
            "d" | "day" | "days" => 24,
            "w" | "week" | "weeks" => 24 * 7,
            _ => return None,
        };
        Some(Self {
            hours: count * hours,
        })
    }
}

/// Reads `2026-12-24`.
pub(super) fn date(word: &str) -> Option<Date> {
    let word = word.trim_end_matches([',', '.', ';', ':']);
    // jiff also takes times and other spellings; people shall see one.
    if word.len() != 10 {
        return None;
    }
    word.parse().ok()
}

/// Reads a year, quarter, month, week or day: `2026`, `2026-Q4`, `2026-11`, `2026-W47`.
pub(super) fn period(word: &str) -> Option<String> {
    let upper = word.to_ascii_uppercase();
    let (year, part) = match upper.split_once('-') {
        Some((year, part)) => (year, Some(part)),
        None => (upper.as_str(), None),
    };
    let digits = |s: &str, len: usize| s.len() == len && s.bytes().all(|b| b.is_ascii_digit());
    let within = |s: &str, len: usize, most: u8| {
        digits(s, len) && s.parse().is_ok_and(|n: u8| (1..=most).contains(&n))
    };
    let ok = digits(year, 4)
        && part.is_none_or(|part| match part.as_bytes().first() {
            Some(b'Q') => within(&part[1..], 1, 4),
            Some(b'W') => within(&part[1..], 2, 53),
            _ => within(part, 2, 12) || date(&upper).is_some(),
        });
    ok.then_some(upper)
}

/// One word, or several in quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'t> {
    /// Without its quotes.
    pub text: &'t str,
    pub quoted: bool,
}

/// Takes words off the front of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'t> {
    rest: &'t str,
}

impl<'t> Words<'t> {
    pub(super) fn of(line: &'t str) -> Self {
        Self { rest: line.trim() }
    }

    /// What was not taken yet, trimmed.
    pub(super) fn rest(&self) -> &'t str {
        self.rest
    }

    /// Takes a `+` or `-` that stands right before a word.
    pub(super) fn sign(&mut self) -> Option<char> {
        let sign = self
            .rest
            .chars()
            .next()
            .filter(|c| matches!(c, '+' | '-'))?;
        let after = &self.rest[sign.len_utf8()..];
        let word = after.starts_with(|c: char| c.is_alphanumeric() || closing(c).is_some());
        word.then(|| {
            self.rest = after;
            sign
        })
    }

    /// Takes a `/` that stands right before a word: `/help /triage`.
    pub(super) fn skip_slash(&mut self) {
        self.rest = self.rest.strip_prefix('/').unwrap_or(self.rest);
    }

    pub(super) fn peek(&self) -> Option<Word<'t>> {
        { *self }.next()
    }

    pub(super) fn next(&mut self) -> Option<Word<'t>> {
        let first = self.rest.chars().next()?;
        let (end, word) = quoted(self.rest, first).unwrap_or_else(|| {
            let end = self
                .rest
                .find(char::is_whitespace)
                .unwrap_or(self.rest.len());
            let word = Word {
                text: plain(&self.rest[..end]),
                quoted: false,
            };
            (end, word)
        });
        self.rest = self.rest[end..].trim_start();
        Some(word)
    }

    /// Takes `text`, which stands at the front of the rest but for capitals, as one word.
    pub(super) fn take_phrase(&mut self, text: &str) -> bool {
        let mut rest = self.rest.char_indices();
        let matches = text.chars().all(|wanted| {
            rest.next()
                .is_some_and(|(_, c)| c.to_lowercase().eq(wanted.to_lowercase()))
        });
        let after = rest.as_str();
        let ends = after.is_empty() || after.starts_with(char::is_whitespace);
        if matches && ends {
            self.rest = after.trim_start();
        }
        matches && ends
    }
}

/// A word's emphasis and code marks are dropped: `` `bug` `` is `bug`.
fn plain(word: &str) -> &str {
    for mark in ["`", "**", "__", "*", "_"] {
        if let Some(inner) = word
            .strip_prefix(mark)
            .and_then(|word| word.strip_suffix(mark))
            .filter(|inner| !inner.is_empty())
        {
            return inner;
        }
    }
    word
}

const QUOTES: [(char, &[char]); 6] = [
    ('"', &['"']),
    ('“', &['”', '“']),
    ('„', &['“', '”']),
    ('«', &['»']),
    ('\'', &['\'']),
    ('‘', &['’']),
];

fn closing(open: char) -> Option<&'static [char]> {
    QUOTES.iter().find(|(o, _)| *o == open).map(|(_, c)| *c)
}

/// `"some words"` at the front, where a blank or the end follows: its length and the words.
/// Quotes inside, each opened after a blank and closed before one, belong to the words.
fn quoted(line: &str, open: char) -> Option<(usize, Word<'_>)> {
    let close = closing(open)?;
    let from = open.len_utf8();
    let mut depth = 1;
    let mut before = open;
    for (at, c) in line.char_indices().skip(1) {
        let end = at + c.len_utf8();
        let closes = || line[end..].chars().next().is_none_or(char::is_whitespace);
        if c == open && before.is_whitespace() {
            depth += 1;
        } else if close.contains(&c) && closes() {
            depth -= 1;
        }
        if depth == 0 {
            let text = line[from..at].trim();
            return Some((end, Word { text, quoted: true }));
        }
        before = c;
    }
    None
}

/// Drops one pair of quotes around all of the text.
pub(super) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let Some(open) = text.chars().next() else {
        return text;
    };
    match quoted(text, open) {
        Some((end, word)) if end == text.len() => word.text,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items() {
        let read = |word| ItemRef::parse(word, "github.com").map(|item| item.to_string());
        assert_eq!(read("#12").as_deref(), Some("#12"));
        assert_eq!(read("#12,").as_deref(), Some("#12"));
        assert_eq!(read("o/r#7").as_deref(), Some("o/r#7"));
        for address in [
            "https://github.com/o/r/issues/7",
            "<https://GitHub.com/o/r/issues/7/>",
            "https://github.com/o/r/issues/7#issuecomment-1",
            "https://github.com/o/r/issues/7?x=1",
        ] {
            assert_eq!(read(address).as_deref(), Some("o/r#7"), "{address}");
        }
        for other in [
            "#0",
            "#",
            "#+1",
            "#1a",
            "r#7",
            "o/r/s#7",
            "12",
            "https://evil.example/o/r/issues/7",
            "https://github.com/o/r/pull/7",
            "https://github.com/o/issues/7",
            "#99999999999999999999",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn spans() {
        let hours = |word| Span::parse(word).map(|span| span.hours);
        assert_eq!(hours("2w"), Some(336));
        assert_eq!(hours("3D"), Some(72));
        assert_eq!(hours("12h"), Some(12));
        assert_eq!(hours("2weeks"), Some(336));
        for other in ["0d", "2", "w", "2m", "-2w", "1000d", "2ww", ""] {
            assert_eq!(hours(other), None, "{other}");
        }
    }

    #[test]
    fn dates_and_periods() {
        assert!(date("2026-12-24").is_some());
        assert!(date("2026-12-24,").is_some());
        for other in ["2026-02-30", "20261224", "2026-12-24T10:00", "24.12.2026"] {
            assert_eq!(date(other), None, "{other}");
        }
        for ok in ["2026", "2026-Q4", "2026-11", "2026-W47", "2026-11-30"] {
            assert_eq!(period(ok).as_deref(), Some(ok));
        }
        assert_eq!(period("2026-q4").as_deref(), Some("2026-Q4"));
        for other in [
            "26", "2026-Q5", "2026-13", "2026-W54", "2026-", "2026-W", "2026-é",
        ] {
            assert_eq!(period(other), None, "{other}");
        }
    }

    #[test]
    fn one_pair_of_quotes_goes() {
        for (said, meant) in [
            (r#""fits the plan""#, "fits the plan"),
            ("“fits the plan”", "fits the plan"),
            ("'fits'", "fits"),
            (r#"""twice"""#, r#""twice""#),
            (r#""one" and "two""#, r#""one" and "two""#),
            (r#"the "best" plan"#, r#"the "best" plan"#),
            (r#""the "best" plan""#, r#"the "best" plan"#),
            (r#""open"#, r#""open"#),
            ("it's the users'", "it's the users'"),
            ("\"", "\""),
            ("", ""),
        ] {
            assert_eq!(unquoted(said), meant, "{said}");
        }
    }
}
