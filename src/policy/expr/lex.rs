//! From text to tokens.

use std::ops::Range;

use super::problem::Problem;

/// A token. Literals are already read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Int(u64),
    Double(f64),
    Str(String),
    /// A literal that a [`Problem`] was reported for.
    Broken,
    /// An operator or bracket, and the words `in`, `true`, `false`, `null`.
    Sign(&'static str),
    End,
}

/// Longest first.
const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "?", ":", "+", "-", "*", "/", "%", ".", ",",
    "(", ")", "[", "]", "{", "}",
];

const WORDS: &[&str] = &["in", "true", "false", "null"];

/// The tokens of the text with their bytes; the last is [`Token::End`].
pub(super) fn lex(text: &str, problems: &mut Vec<Problem>) -> Vec<(Token, Range<usize>)> {
    let mut lexer = Lexer {
        text,
        at: 0,
        problems,
    };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next() {
        tokens.push(token);
    }
    tokens.push((Token::End, text.len()..text.len()));
    tokens
}

struct Lexer<'t, 'p> {
    text: &'t str,
    at: usize,
    problems: &'p mut Vec<Problem>,
}

impl<'t> Lexer<'t, '_> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn next(&mut self) -> Option<(Token, Range<usize>)> {
        loop {
            self.take_while(char::is_whitespace);
            if self.rest().starts_with("//") {
                self.take_while(|c| c != '\n');
            } else {
                break;
            }
        }
        let start = self.at;
        let first = self.rest().chars().next()?;
        let token = if first.is_ascii_digit() || (first == '.' && self.second_is_digit()) {
            self.number()
        } else if let Some(quote) = self.opens_string() {
            self.string(quote)
        } else if first.is_alphabetic() || first == '_' {
            self.name()
        } else {
            self.sign(first)
        };
        Some((token, start..self.at))
    }

    fn second_is_digit(&self) -> bool {
        self.rest()
            .as_bytes()
            .get(1)
            .is_some_and(u8::is_ascii_digit)
    }

    fn report(&mut self, code: &'static str, span: Range<usize>, message: String, help: &str) {
        let problem = Problem::new(code, span, message);
        self.problems.push(if help.is_empty() {
            problem
        } else {
            problem.help(help)
        });
    }

    fn name(&mut self) -> Token {
        let name = self.take_while(|c| c.is_alphanumeric() || c == '_');
        if let Some(word) = WORDS.iter().find(|w| **w == name) {
            return Token::Sign(word);
        }
        Token::Name(name.to_owned())
    }

    fn sign(&mut self, first: char) -> Token {
        let rest = self.rest();
        if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
            self.at += sign.len();
            return Token::Sign(sign);
        }
        let start = self.at;
        self.at += first.len_utf8();
        let help = match first {
            '=' => "two equals signs compare: `==`",
            '&' => "`&&` means and",
            '|' => "`||` means or",
            '“' | '”' | '„' | '‘' | '’' | '«' | '»' => {
                "texts stand in straight quotes: `\"` or `'`"
            }
            '`' => "texts stand in `\"` or `'`",
            _ => "",
        };
        self.report(
            "syntax",
            start..self.at,
            format!("`{first}` has no meaning here"),
            help,
        );
        match first {
            // What was most likely meant, so that the rest can be checked.
            '=' => Token::Sign("=="),
            '&' => Token::Sign("&&"),
            '|' => Token::Sign("||"),
            _ => Token::Broken,
        }
    }

    fn number(&mut self) -> Token {
        let start = self.at;
        let rest = self.rest();
        if let Some(hex) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
            let digits = hex
                .find(|c: char| !c.is_ascii_hexdigit())
                .unwrap_or(hex.len());
            self.at += 2 + digits;
            let value = u64::from_str_radix(&hex[..digits], 16).ok();
            return self.number_end(start, value.map(Token::Int));
        }
        let whole = self.take_while(|c| c.is_ascii_digit());
        let mut double = false;
        if self.rest().starts_with('.') && self.second_is_digit() {
            double = true;
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        if self.rest().starts_with(['e', 'E']) {
            let after = self.rest()[1..].trim_start_matches(['+', '-']);
            let signs = self.rest().len() - 1 - after.len();
            if signs <= 1 && after.starts_with(|c: char| c.is_ascii_digit()) {
                double = true;
                self.at += 1 + signs;
                self.take_while(|c| c.is_ascii_digit());
            }
        }
        let value = if double {
            let text = self.text.get(start..self.at).unwrap_or_default();
            text.parse()
                .ok()
                .filter(|d: &f64| d.is_finite())
                .map(Token::Double)
        } else {
            whole.parse().ok().map(Token::Int)
        };
        self.number_end(start, value)
    }

    fn number_end(&mut self, start: usize, value: Option<Token>) -> Token {
        let tail = self.take_while(|c| c.is_alphanumeric() || c == '_');
        let span = start..self.at;
        if matches!(tail, "u" | "U") {
            self.report(
                "unsupported",
                span,
                "unsigned numbers are not part of this language".to_owned(),
                "leave out the `u`",
            );
            return Token::Broken;
        }
        match value {
            Some(token) if tail.is_empty() => token,
            _ => {
                let text = self.text.get(span.clone()).unwrap_or_default().to_owned();
                let help = match tail {
                    "d" => "for a duration write `days(7)`",
                    "h" => "for a duration write `hours(7)`",
                    "m" | "min" | "s" | "ms" => "for a duration write `duration(\"30m\")`",
                    _ => "",
                };
                self.report(
                    "bad-literal",
                    span,
                    format!("`{text}` is not a number"),
                    help,
                );
                Token::Broken
            }
        }
    }

    /// The opening of a string, prefix included.
    fn opens_string(&self) -> Option<&'t str> {
        let rest = self.rest();
        let prefix = rest.find(|c: char| !matches!(c, 'r' | 'R' | 'b' | 'B'))?;
        if !matches!(
            rest[..prefix].to_ascii_lowercase().as_str(),
            "" | "r" | "b" | "br"
        ) {
            return None;
        }
        let quotes = &rest[prefix..];
        let quote = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|q| quotes.starts_with(q))?;
        rest.get(..prefix + quote.len())
    }

    fn string(&mut self, opening: &str) -> Token {
        let start = self.at;
        self.at += opening.len();
        let quote = opening.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let raw = opening.contains(['r', 'R']);
        let mut value = String::new();
        let mut broken = false;
        loop {
            let rest = self.rest();
            if rest.starts_with(quote) {
                self.at += quote.len();
                break;
            }
            let Some(c) = rest
                .chars()
                .next()
                .filter(|c| quote.len() > 1 || *c != '\n')
            else {
                self.report(
                    "bad-literal",
                    start..self.at,
                    "this text is never closed".to_owned(),
                    &format!("it begins with {quote} and needs {quote} at its end"),
                );
                return Token::Broken;
            };
            if c == '\\' && !raw {
                let at = self.at;
                if let Some((c, len)) = escape(rest) {
                    value.push(c);
                    self.at += len;
                } else {
                    broken = true;
                    self.at += 1;
                    self.take_one();
                    self.report(
                        "bad-literal",
                        at..self.at,
                        "no such escape".to_owned(),
                        "a backslash is written `\\\\`, or the whole text raw: r\"\\d\"",
                    );
                }
            } else {
                value.push(c);
                self.take_one();
            }
        }
        if opening.contains(['b', 'B']) {
            self.report(
                "unsupported",
                start..self.at,
                "byte strings are not part of this language".to_owned(),
                "leave out the `b`",
            );
            broken = true;
        }
        if broken {
            Token::Broken
        } else {
            Token::Str(value)
        }
    }

    fn take_one(&mut self) {
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
    }
}

/// Reads the escape at the start of the text; gives the character and the bytes it took.
fn escape(text: &str) -> Option<(char, usize)> {
    let kind = text.chars().nth(1)?;
    let simple = match kind {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '\\' | '"' | '\'' | '`' | '?' => kind,
        _ => {
            let (from, digits, radix) = match kind {
                'x' | 'X' => (2, 2, 16),
                'u' => (2, 4, 16),
                'U' => (2, 8, 16),
                '0'..='3' => (1, 3, 8),
                _ => return None,
            };
            let digits = text.get(from..from + digits)?;
            if !digits.chars().all(|c| c.is_digit(radix)) {
                return None;
            }
            let code = u32::from_str_radix(digits, radix).ok()?;
            return Some((char::from_u32(code)?, from + digits.len()));
        }
    };
    Some((simple, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<Token, &'static str> {
        let mut problems = Vec::new();
        let tokens = lex(text, &mut problems);
        match problems.first() {
            Some(problem) => Err(problem.code),
            None => Ok(tokens[0].0.clone()),
        }
    }

    #[test]
    fn literals() {
        let string = |text: &str| Ok(Token::Str(text.to_owned()));
        assert_eq!(one("0x1F"), Ok(Token::Int(31)));
        assert_eq!(one("18446744073709551616"), Err("bad-literal"));
        assert_eq!(one(".5"), Ok(Token::Double(0.5)));
        assert_eq!(one("1.5e-3"), Ok(Token::Double(0.0015)));
        assert_eq!(one("1e999"), Err("bad-literal"));
        assert_eq!(one("7d"), Err("bad-literal"));
        assert_eq!(one("1u"), Err("unsupported"));
        assert_eq!(one("b'x'"), Err("unsupported"));
        assert_eq!(one(r#""a\"b\n""#), string("a\"b\n"));
        assert_eq!(one(r"'\x41\101\u00e9\U0001F600'"), string("AAé😀"));
        assert_eq!(one(r#"r"\d+""#), string(r"\d+"));
        assert_eq!(one("'''a\n'b'''"), string("a\n'b"));
        assert_eq!(one(r"'\d'"), Err("bad-literal"));
        assert_eq!(one(r"'\ud800'"), Err("bad-literal"));
        assert_eq!(one("'open"), Err("bad-literal"));
        assert_eq!(one("'two\nlines'"), Err("bad-literal"));
    }

    #[test]
    fn spans_are_bytes() {
        let mut problems = Vec::new();
        let tokens = lex("'é' == näme // rest", &mut problems);
        let spans: Vec<_> = tokens.into_iter().map(|(_, span)| span).collect();
        assert_eq!(spans, [0..4, 5..7, 8..13, 21..21]);
    }

    #[test]
    fn every_lexical_problem_is_found() {
        let mut problems = Vec::new();
        lex(r"a = 'x\q' & 7d", &mut problems);
        let codes: Vec<_> = problems.iter().map(|p| p.code).collect();
        assert_eq!(codes, ["syntax", "bad-literal", "syntax", "bad-literal"]);
    }
}
