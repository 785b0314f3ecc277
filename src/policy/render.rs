//! Diagnostics for people (underlined), for programs (JSON) and for GitHub (annotations).

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Severity, Source};

/// Each finding with the offending text underlined, and a line of totals. `colour` adds ANSI
/// escapes; whether there is a terminal is for the shell to know.
#[must_use]
pub fn text(findings: &[Diagnostic], sources: &[Source], colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for finding in findings {
        out.push_str(&one(&renderer, finding, sources));
        out.push_str("\n\n");
    }
    let _ = writeln!(out, "{}", counts(findings));
    out
}

/// How many findings there are: `1 error, 0 warnings`.
#[must_use]
pub fn counts(findings: &[Diagnostic]) -> String {
    let count = |severity| findings.iter().filter(|d| d.severity == severity).count();
    let errors = counted(count(Severity::Error), "error");
    let warnings = counted(count(Severity::Warning), "warning");
    format!("{errors}, {warnings}")
}

/// A number and what it counts: `1 error`, `2 errors`, `3 communities`.
#[must_use]
pub fn counted(n: usize, what: &str) -> String {
    match what.strip_suffix("ty") {
        _ if n == 1 => format!("{n} {what}"),
        Some(stem) => format!("{n} {stem}ties"),
        None => format!("{n} {what}s"),
    }
}

fn one(renderer: &Renderer, finding: &Diagnostic, sources: &[Source]) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&finding.message).id(finding.code);
    let source = sources.iter().find(|s| s.path == finding.file);
    let mut group = match source {
        Some(source) if finding.line > 0 => title.element(
            Snippet::source(&source.text)
                .path(&finding.file)
                .annotation(AnnotationKind::Primary.span(within(&source.text, &finding.span))),
        ),
        _ if finding.file.is_empty() => Group::with_title(title),
        _ => title.element(Level::NOTE.message(format!("in {}", finding.file))),
    };
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

/// The span on character boundaries inside the text, whatever it was.
fn within(text: &str, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let floor = |mut i: usize| {
        i = i.min(text.len());
        while !text.is_char_boundary(i) {
            i -= 1;
        }
        i
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

/// The findings as the JSON list of `check --format json`.
#[must_use]
pub fn json(findings: &[Diagnostic]) -> serde_json::Value {
    serde_json::to_value(findings).unwrap_or_default()
}

/// The findings as workflow commands, which GitHub shows beside the lines of a pull request.
#[must_use]
pub fn github(findings: &[Diagnostic]) -> String {
    let mut out = String::new();
    for d in findings {
        let help = d
            .help
            .as_ref()
            .map(|h| format!("\n{h}"))
            .unwrap_or_default();
        let _ = writeln!(
            out,
            "::{} file={},line={},col={},title={}::{}",
            d.severity,
            property(&d.file),
            d.line,
            d.column,
            property(d.code),
            data(&format!("{}{help}", d.message)),
        );
    }
    out
}

/// Escapes as GitHub's runner unescapes.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> (Vec<Diagnostic>, Vec<Source>) {
        let text = "facts:\n  loud: 'kind == \"féture\"'\n";
        let start = text.find("\"féture\"").unwrap();
        let d = Diagnostic {
            severity: Severity::Error,
            code: "unknown-value",
            file: "rules/a.yaml".into(),
            line: 2,
            column: 18,
            message: "`kind` is never `féture`, 100% sure".into(),
            help: Some("did you mean `feature`?".into()),
            span: start..start + "\"féture\"".len(),
        };
        (vec![d], vec![Source::new("rules/a.yaml", text)])
    }

    #[test]
    fn underlines_what_is_meant() {
        let (d, s) = finding();
        let text = text(&d, &s, false);
        assert!(text.contains("error[unknown-value]"), "{text}");
        assert!(text.contains("rules/a.yaml:2:18"), "{text}");
        assert!(text.contains("^^^^^^^^"), "{text}");
        assert!(text.contains("did you mean `feature`?"), "{text}");
        assert!(text.ends_with("1 error, 0 warnings\n"), "{text}");
    }

    #[test]
    fn json_and_annotations_have_the_documented_shape() {
        let (d, _) = finding();
        assert_eq!(
            json(&d),
            serde_json::json!([{
                "severity": "error", "code": "unknown-value", "file": "rules/a.yaml", "line": 2,
                "column": 18, "message": "`kind` is never `féture`, 100% sure",
                "help": "did you mean `feature`?"
            }])
        );
        assert_eq!(
            github(&d),
            "::error file=rules/a.yaml,line=2,col=18,title=unknown-value::`kind` is never `féture`, 100%25 sure%0Adid you mean `feature`?\n"
        );
    }
}
