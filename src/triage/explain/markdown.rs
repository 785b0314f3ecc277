//! An explanation for a comment on GitHub: folded away, and nothing quoted in it does anything.

use std::fmt::Write as _;

use crate::policy::template::{code, harmless_within, is_invisible};

use super::lines::{self, Line, What};
use super::{Explanation, Part, Told, Want};

/// GitHub refuses a comment of more characters than 65,536; rules that would not fit are named.
const LONGEST: usize = 60_000;
/// A reason or statement is cut here; both are one sentence in any policy people read.
const SENTENCE: usize = 600;

impl Explanation {
    /// Markdown with a fold for each rule. Quoted text mentions nobody, refers to nothing, and
    /// brings neither HTML nor fences nor commands.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for decided in &self.decided {
            let (value, more) = lines::decided(decided);
            let _ = writeln!(
                out,
                "- {} is {}{}",
                code(&decided.attribute),
                code(&value),
                words(&more)
            );
        }
        if self.rules.is_empty() {
            out.push_str("\nNo rule fired.\n");
        }
        let mut left_out = 0;
        for told in &self.rules {
            let fold = fold(told);
            if out.chars().count() + fold.chars().count() > LONGEST {
                left_out += 1;
            } else {
                out.push_str(&fold);
            }
        }
        if left_out > 0 {
            let _ = writeln!(
                out,
                "\n{left_out} more rules took part; ask about one with its name."
            );
        }
        if let Some(at) = self.look_again_at {
            let _ = writeln!(out, "\nTime alone may change this at {at}.");
        }
        out.trim_start().to_owned()
    }
}

fn fold(told: &Told) -> String {
    let mut out = format!(
        "\n<details><summary><b>{}</b>: {} <i>({})</i></summary>\n\n",
        in_html(&told.rule),
        in_html(&told.because),
        lines::ended(told)
    );
    let statement = harmless_within(&told.statement, SENTENCE);
    let _ = writeln!(out, "> {statement}\n> — {}\n", code(&told.principle));
    match &told.when {
        Some(when) => {
            out.push_str("When:\n\n");
            tree(&mut out, when, 0);
        }
        None => out.push_str("Always.\n"),
    }
    out.push('\n');
    for want in &told.wants {
        wanted(&mut out, want);
    }
    for refusal in &told.refused {
        let value = if refusal.would_set.is_empty() {
            "none".to_owned()
        } else {
            refusal.would_set.to_string()
        };
        let _ = writeln!(
            out,
            "- held back: {} {} – {}",
            code(&refusal.what),
            code(&value),
            words(&refusal.why)
        );
    }
    for gone in &told.withdraws {
        let _ = writeln!(out, "- takes back {}", code(gone));
    }
    if !told.ways.is_empty() {
        out.push_str("\nPeople have the last word:\n\n");
    }
    for way in &told.ways {
        let _ = writeln!(
            out,
            "- {}: {} ({})",
            code(way.command.as_deref().unwrap_or(&way.what)),
            way.effect,
            words(&lines::who(&way.who))
        );
    }
    out.push_str("\n</details>\n");
    out
}

fn wanted(out: &mut String, want: &Want) {
    let value = want
        .value
        .as_deref()
        .map_or_else(|| "nothing, as no row applies".to_owned(), code);
    let _ = writeln!(out, "- wants {}: {value}", code(&want.what));
    let (before, chosen) = lines::rows(&want.rows);
    for part in before {
        let text = part
            .text
            .as_deref()
            .map_or_else(|| "something internal".to_owned(), code);
        let _ = writeln!(out, "  - ✗ {text}");
    }
    if let Some(when) = chosen.and_then(|row| row.when.as_ref()) {
        tree(out, when, 1);
    } else if chosen.is_some() && want.rows.len() > 1 {
        out.push_str("  - ✓ everything else\n");
    }
    if let Some(by) = &want.by {
        tree(out, by, 1);
    }
}

fn tree(out: &mut String, part: &Part, depth: usize) {
    for line in lines::lines(part) {
        one(out, &line, depth);
    }
}

fn one(out: &mut String, line: &Line<'_>, depth: usize) {
    let pad = (depth + line.depth) * 2;
    let what = match &line.what {
        What::Step(words) => (*words).to_owned(),
        What::Code(text) => code(text),
        What::Is(fact, value) => format!("{} is {}", code(fact), code(value)),
        What::Because(fact) => format!("{} is", code(fact)),
        What::Hidden => "something internal".to_owned(),
    };
    let mark = if line.mark == ' ' {
        String::new()
    } else {
        format!("{} ", line.mark)
    };
    let _ = write!(out, "{:pad$}- {mark}{what}", "");
    for (i, (fact, value, from)) in line.facts.iter().enumerate() {
        let before = if i == 0 { " – " } else { ", " };
        let _ = write!(out, "{before}{} is {}", code(fact), code(value));
        if let Some(from) = from {
            let _ = write!(out, " ({})", words(from));
        }
    }
    out.push('\n');
}

/// As ordinary words.
fn words(text: &str) -> String {
    let blank = if text.starts_with(' ') { " " } else { "" };
    format!("{blank}{}", harmless_within(text, SENTENCE))
}

/// Inside a line of HTML, where Markdown's escapes would be shown: as entities, and with what
/// keeps GitHub from finding a mention or reference in it.
fn in_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.chars().enumerate() {
        if i == SENTENCE {
            out.push('…');
            break;
        }
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' | '#' | ':' => {
                out.push(c);
                out.push('\u{200B}');
            }
            c if is_invisible(c) => {}
            c if c.is_ascii_digit() && out.ends_with('-') => {
                out.push('\u{200B}');
                out.push(c);
            }
            c if c.is_control() || c.is_whitespace() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
