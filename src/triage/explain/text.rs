//! An explanation for a terminal.

use std::fmt::Write as _;

use super::super::report::mode_word;
use super::lines::{self, Line, What};
use super::{Explanation, Part, Told, Want};

impl Explanation {
    /// Plain text, indented. Quoted text is on one line and holds nothing a terminal would act on.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!(
            "why {}  (mode {})\n",
            clean(&self.item),
            mode_word(self.mode)
        );
        for decided in &self.decided {
            let (value, more) = lines::decided(decided);
            let _ = writeln!(
                out,
                "  {}: {}",
                clean(&decided.attribute),
                clean(&(value + &more))
            );
        }
        if self.rules.is_empty() {
            out.push_str("no rule fired\n");
        }
        for told in &self.rules {
            out.push('\n');
            rule(&mut out, told);
        }
        if let Some(at) = self.look_again_at {
            let _ = writeln!(out, "\ntime alone may change this at {at}");
        }
        out
    }
}

fn rule(out: &mut String, told: &Told) {
    let _ = writeln!(out, "{}  {}", clean(&told.rule), lines::ended(told));
    let _ = writeln!(out, "  because {}", clean(&told.because));
    let _ = writeln!(
        out,
        "  principle {}: {}",
        clean(&told.principle),
        clean(&told.statement)
    );
    match &told.when {
        Some(when) => {
            out.push_str("  when\n");
            tree(out, when, 4);
        }
        None => out.push_str("  when: always\n"),
    }
    for want in &told.wants {
        wanted(out, want);
    }
    for refusal in &told.refused {
        let value = if refusal.would_set.is_empty() {
            "none".to_owned()
        } else {
            refusal.would_set.to_string()
        };
        let _ = writeln!(
            out,
            "  held back: {} {}: {}",
            clean(&refusal.what),
            clean(&value),
            clean(&refusal.why)
        );
    }
    for gone in &told.withdraws {
        let _ = writeln!(out, "  takes back: {}", clean(gone));
    }
    for way in &told.ways {
        let what = way.command.as_deref().unwrap_or(&way.what);
        let _ = writeln!(
            out,
            "  {}: {}  ({})",
            clean(what),
            way.effect,
            lines::who(&way.who)
        );
    }
}

fn wanted(out: &mut String, want: &Want) {
    let value = want.value.as_deref().unwrap_or("nothing, no row applies");
    let _ = writeln!(out, "  wants {}: {}", clean(&want.what), clean(value));
    let (before, chosen) = lines::rows(&want.rows);
    for part in before {
        let _ = writeln!(out, "    ✗ {}", clean(part.text.as_deref().unwrap_or("…")));
    }
    if let Some(when) = chosen.and_then(|row| row.when.as_ref()) {
        tree(out, when, 4);
    } else if chosen.is_some() && want.rows.len() > 1 {
        out.push_str("    ✓ else\n");
    }
    if let Some(by) = &want.by {
        tree(out, by, 4);
    }
}

fn tree(out: &mut String, part: &Part, indent: usize) {
    for line in lines::lines(part) {
        one(out, &line, indent);
    }
}

fn one(out: &mut String, line: &Line<'_>, indent: usize) {
    let pad = indent + line.depth * 2;
    let what = match &line.what {
        What::Step(words) => (*words).to_owned(),
        What::Code(code) => clean(code),
        What::Is(fact, value) => format!("{} is {}", clean(fact), clean(value)),
        What::Because(fact) => format!("{} is", clean(fact)),
        What::Hidden => "(something internal)".to_owned(),
    };
    let _ = write!(out, "{:pad$}{} {what}", "", line.mark);
    for (i, (fact, value, from)) in line.facts.iter().enumerate() {
        let before = if i == 0 { "    " } else { ", " };
        let _ = write!(out, "{before}{} is {}", clean(fact), clean(value));
        if let Some(from) = from {
            let _ = write!(out, " ({})", clean(from));
        }
    }
    out.push('\n');
}

/// On one line, without control characters and those that change the direction of text.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| {
            let odd = c.is_control()
                || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
            if odd { ' ' } else { c }
        })
        .collect()
}
