//! What is done with an input, and what has to be true of it. Shared by cargo-fuzz and `tests/fuzz`.
//!
//! Each says whether the input was good: an input that is refused at once tests little.

use std::sync::LazyLock;

use northstar::command;
use northstar::policy::diagnostic::line_and_column;
use northstar::policy::expr::{Expect, Facts, Notes, Schema, Value, compile};
use northstar::policy::{Diagnostic, Policy, Severity, Source, examples, load, render};
use northstar::triage::explain::{About, Ask, Audience, explain};
use northstar::triage::{decide, plan};

/// Begins the next file in a policy's input.
pub const NEXT_FILE: &str = "#### ";

/// Loads a policy; what loads also decides, explains and renders.
pub fn policy(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false; // the shell refuses it
    };
    let sources = files(text);
    match load(&sources) {
        Ok(policy) => {
            findings(&policy.warnings, &sources);
            assert!(
                policy
                    .warnings
                    .iter()
                    .all(|d| d.severity == Severity::Warning)
            );
            works(&policy);
            true
        }
        Err(found) => {
            assert!(found.has_errors(), "refused without a reason: {found}");
            findings(&found.0, &sources);
            false
        }
    }
}

/// The files of an input: what stands before the first `#### path` is `policy.yaml`.
pub fn files(text: &str) -> Vec<Source> {
    let mut out = vec![Source::new("policy.yaml", "")];
    for line in text.split_inclusive('\n') {
        if let Some(path) = line.strip_prefix(NEXT_FILE) {
            out.push(Source::new(path.trim(), ""));
        } else if let Some(last) = out.last_mut() {
            last.text.push_str(line);
        }
    }
    out
}

/// Findings lead to a place in the file that they name, and can be shown in every form.
fn findings(found: &[Diagnostic], sources: &[Source]) {
    for d in found {
        assert!(!d.message.is_empty() && !d.code.is_empty(), "{d:?}");
        let Some(source) = sources.iter().find(|s| s.path == d.file) else {
            assert!(d.file.is_empty(), "{d:?}");
            continue;
        };
        // Two files of one path cannot be told apart; a folder never has them.
        if sources.iter().filter(|s| s.path == d.file).count() == 1 {
            assert!(source.text.get(d.span.clone()).is_some(), "{d:?}");
            let place = line_and_column(&source.text, d.span.start);
            assert_eq!(place, (d.line, d.column), "{d:?}");
        }
    }
    assert!(!render::text(found, sources, false).is_empty());
    assert_eq!(render::github(found).lines().count(), found.len());
    assert!(render::json(found).is_array());
}

fn works(policy: &Policy) {
    for result in examples::run(policy).iter().take(3) {
        assert!(!result.name.is_empty() || result.line > 0);
    }
    for example in policy.examples.iter().take(3) {
        let decision = decide(policy, &example.given);
        let _ = plan(policy, &example.given, &decision);
        for audience in [Audience::Internal, Audience::Public] {
            let why = explain(
                policy,
                &example.given,
                Ask {
                    about: About::Decision,
                    audience,
                },
            );
            assert!(why.rules.len() <= policy.rules.len());
            let _ = (why.text(), why.markdown());
        }
    }
}

/// Expressions are compiled with the names of this policy.
const NAMES: &str = r#"
version: 1
roles: { member: { organization: true }, lead: { teams: [lead] } }
boards: { delivery: { project: 1 } }
goals: [{ id: research }, { id: teaching }]
attributes:
  kind: { values: [feature, bug, task] }
  goal: { values: goals, many: true }
  size: { values: [small, large] }
facts: { open: issue.open }
"#;

static SCHEMA: LazyLock<Policy> =
    LazyLock::new(|| load(&[Source::new("names.yaml", NAMES)]).expect("the names are sound"));

/// Compiles an expression; what compiles evaluates, and its trace says the same.
pub fn expression(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let schema: &Schema = SCHEMA.schema();
    let mut good = false;
    for expect in [Expect::Bool, Expect::Number, Expect::Any] {
        match compile(text, schema, expect) {
            Ok(program) => {
                good = true;
                let facts = Facts::new(schema);
                let value = program.eval(&facts, &mut Notes::default());
                let trace = program.trace(&facts);
                // Not a number is not equal to itself.
                if !matches!(value, Value::Double(_)) {
                    assert_eq!(trace.result, Some(value), "{text}");
                }
                assert!(trace.leaves().iter().all(|l| text.contains(&l.text)));
            }
            Err(problems) => {
                assert!(!problems.is_empty(), "refused without a reason: {text}");
                for p in problems {
                    assert!(text.get(p.span.clone()).is_some(), "{p:?} in {text}");
                }
            }
        }
    }
    good
}

/// Finds the commands of a comment: lines of the text, in their order, and none of them twice new.
pub fn comment(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let found = command::find(text, Some("northstar"));
    assert!(found.len() <= command::MOST_COMMANDS);
    let lines = text.split(['\n', '\r']).count();
    let mut last = 0;
    for one in &found {
        assert!(one.line > last && one.line <= lines, "{one:?}");
        assert!(text.to_lowercase().contains(&one.name), "{one:?}");
        last = one.line;
    }
    assert_eq!(command::newly_said(text, text, Some("northstar")), []);
    !found.is_empty()
}
