//! The policies that ship, and the ways in which a policy can be wrong.

mod broken;
mod removed;

use super::{Diagnostic, Policy, Source, examples, load};

/// Every file of the shipped policy, as the shell would read it.
pub(crate) fn shipped_sources() -> Vec<Source> {
    folder("rules")
}

pub(crate) fn sketch_sources() -> Vec<Source> {
    folder("tests/policies/sketch")
}

pub(crate) fn folder(name: &str) -> Vec<Source> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    let mut folders = vec![root.join(name)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "md") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            Source::new(path.strip_prefix(root).unwrap().to_str().unwrap(), text)
        })
        .collect()
}

pub(crate) fn loaded(sources: &[Source]) -> Policy {
    load(sources)
        .unwrap_or_else(|findings| panic!("{}", super::render::text(&findings.0, sources, false)))
}

fn passes(sources: &[Source]) -> Policy {
    let policy = loaded(sources);
    let failed: Vec<_> = examples::run(&policy)
        .into_iter()
        .filter(|r| !r.passed())
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    policy
}

#[test]
fn the_shipped_policy_is_sound_and_its_examples_hold() {
    let policy = passes(&shipped_sources());
    assert!(policy.warnings.is_empty(), "{:#?}", policy.warnings);
    assert!(policy.examples.len() >= 10);
}

#[test]
fn the_sketch_passes_its_own_checker() {
    let policy = passes(&sketch_sources());
    assert!(!policy.examples.is_empty());
}

const SMALL: &str = r#"version: 1
roles: { lead: { teams: [l] } }
boards: { delivery: { project: 1 } }
goals: [{ id: research, signals: { any_words: [paper] } }]
attributes:
  kind: { values: [feature, bug], label: "kind/{value}" }
  goal: { values: goals, many: true, label: "goal/{value}" }
  stage: { values: delivery.Status, field: delivery.Status }
  size: { values: [small, large] }
  quiet: { values: [a], internal: true }
templates: { hello: Hi }
principles: [{ id: base, statement: s, rules: [{ id: greets, comment: hello, because: b }] }]
"#;
const LOCK: &str = "boards:\n  delivery:\n    fields:\n      Status: [Up Next, In Progress]\n      Estimate: number\n";

/// A finding as `code file "what is underlined" help`; line and column must lead there.
fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<Source> = files.iter().map(|(p, t)| Source::new(*p, *t)).collect();
    let found = match load(&sources) {
        Ok(policy) => policy.warnings,
        Err(findings) => findings.0,
    };
    found
        .iter()
        .map(|d| {
            let text = sources
                .iter()
                .find(|s| s.path == d.file)
                .map_or("", |s| s.text.as_str());
            let under = text.get(d.span.clone()).unwrap_or("?");
            let help = d.help.clone().unwrap_or_default();
            let line = text
                .lines()
                .nth(d.line.saturating_sub(1))
                .unwrap_or_default();
            let from: String = line.chars().skip(d.column.saturating_sub(1)).collect();
            assert!(from.starts_with(under) || d.file.is_empty(), "{d:?}");
            format!("{} {} {under:?} {help}", d.code, d.file)
        })
        .collect()
}

/// Findings of the small policy with more in a second file.
fn with(more: &str) -> Vec<String> {
    findings(&[("a.yaml", SMALL), ("b.lock.yaml", LOCK), ("c.yaml", more)])
}

fn with_rules(rules: &str) -> Vec<String> {
    with(&format!(
        "principles:\n- id: p\n  statement: s\n  rules:\n{rules}"
    ))
}

#[test]
fn the_small_policy_itself_is_sound() {
    assert_eq!(with(""), Vec::<String>::new());
}

#[test]
fn each_mistake_is_placed_and_explained() {
    for (more, expected) in [
        (
            "principels: []",
            "unknown-key c.yaml \"principels\" did you mean `principles`?",
        ),
        (
            "mode: enforced",
            "unknown-value c.yaml \"enforced\" did you mean `enforce`?",
        ),
        ("roles: { lead: {} }", "duplicate-id c.yaml \"lead\" "),
        (
            "facts: { a: b, b: '1 == 1' }",
            "unknown-fact c.yaml \"b\" `b` is defined, but further down: move it above `a`",
        ),
        (
            "facts: { loud: 'issue.comunities == 1' }",
            "unknown-fact c.yaml \"issue.comunities\" ",
        ),
        ("facts: { issue: '1 == 1' }", "hides-fact c.yaml \"issue\" "),
        (
            "attributes: { release: { values: [a] } }",
            "hides-command c.yaml \"release\" ",
        ),
        (
            "attributes: { other: { values: [a], label: \"kind/{value}\", field: delivery.Statsu } }",
            "unknown-field c.yaml \"delivery.Statsu\" did you mean `Status`?",
        ),
        (
            "attributes: { other: { values: [bug], label: \"kind/{value}\" } }",
            "shared-label c.yaml \"other\" ",
        ),
        (
            "attributes: { other: { values: [bug], label: kind } }",
            "label-pattern c.yaml \"kind\" for example `kind/{value}`",
        ),
        (
            "attributes: { other: { values: [In Progres], field: delivery.Status } }",
            "unknown-option c.yaml \"delivery.Status\" did you mean `In Progress`?",
        ),
        (
            "attributes: { other: { values: [a], field: delivery.Estimate } }",
            "field-kind c.yaml \"delivery.Estimate\" ",
        ),
        (
            "attributes: { other: { values: delivery.Estimate } }",
            "not-pinned c.yaml \"delivery.Estimate\" pin them",
        ),
        (
            "commands: { kinds: lead }",
            "unknown-command c.yaml \"kinds\" did you mean `kind`?",
        ),
        (
            "commands: { kind: laed }",
            "unknown-role c.yaml \"laed\" did you mean `lead`?",
        ),
        (
            "templates: { t: 'Hé {issue.titel}' }",
            "bad-placeholder c.yaml \"issue.titel\" did you mean `issue.title`?",
        ),
        (
            "templates: { t: 'x {current.quiet}' }",
            "bad-placeholder c.yaml \"current.quiet\" ",
        ),
        (
            "templates: { t: '{form}' }",
            "bad-placeholder c.yaml \"form\" ",
        ),
        (
            "goals: [{ id: g, signals: { any_words: ['*'] } }]",
            "vague-signal c.yaml \"'*'\" ",
        ),
        (
            "digest: { id: w, every: sometimes, post_to: 'o/r#1' }",
            "bad-time c.yaml \"sometimes\" ",
        ),
        (
            "examples: [{ name: n, given: { kind: fature }, expect: {} }]",
            "unknown-value c.yaml \"fature\" did you mean `feature`?",
        ),
        ("examples: [{ name: n, given: {} }]", "missing-key c.yaml"),
        (
            "roles: { nobody: {} }",
            "empty-role c.yaml \"nobody\" name `teams:`",
        ),
        (
            "attributes: { Bad-Name: { values: [a] } }",
            "bad-name c.yaml \"Bad-Name\" ",
        ),
    ] {
        let found = with(more);
        assert!(
            found.iter().any(|f| f.starts_with(expected)),
            "{more}\n{found:#?}"
        );
    }
}

#[test]
fn what_a_shorthand_sets_is_checked() {
    for (more, expected) in [
        (
            "shorthands: { promot: { kind: bug } }",
            "unknown-command c.yaml \"promot\" did you mean `promote`?",
        ),
        (
            "shorthands: { promote: { kinds: bug } }",
            "unknown-attribute c.yaml \"kinds\" did you mean `kind`?",
        ),
        (
            "shorthands: { promote: { kind: bgu } }",
            "unknown-value c.yaml \"bgu\" did you mean `bug`?",
        ),
        (
            "shorthands: { promote: { kind: [bug, feature] } }",
            "wrong-shape c.yaml \"[bug, feature]\" ",
        ),
        ("shorthands: { park: {} }", "missing-key c.yaml \"park\" "),
    ] {
        let found = with(more);
        assert!(
            found.iter().any(|f| f.starts_with(expected)),
            "{more}\n{found:#?}"
        );
    }
}

#[test]
fn what_ends_by_itself_is_checked() {
    let with_value = |said: &str| {
        let value =
            format!("attributes: {{ other: {{ values: {{ a: {{ {said} }}, b: {{}} }} }} }}");
        with(&format!("{value}\ntemplates: {{ t: Well? }}"))
    };
    for (said, expected) in [
        ("remind_after: 2w", "missing-key c.yaml \"2w\" "),
        ("ends_as: b", "missing-key c.yaml \"b\" "),
        (
            "remind_after: 2 weeks, remind_with: t",
            "bad-time c.yaml \"2 weeks\" ",
        ),
        (
            "remind_after: 0d, remind_with: t",
            "bad-time c.yaml \"0d\" ",
        ),
        (
            "remind_after: 2w, remind_with: tt",
            "unknown-template c.yaml \"tt\" known: hello, t",
        ),
        ("ends_after: 2w, ends_as: a", "unknown-value c.yaml \"a\" "),
        (
            "remind_after: 2w, remind_with: t, ends_after: 14d, ends_as: b",
            "bad-time c.yaml \"a\" ",
        ),
    ] {
        let found = with_value(said);
        assert!(
            found.iter().any(|f| f.starts_with(expected)),
            "{said}\n{found:#?}"
        );
    }
    let many = "attributes: { other: { many: true, values: { a: { ends_after: 1d, ends_as: b }, b: {} } } }";
    let found = with(many);
    assert!(
        found[0].starts_with("wrong-shape c.yaml \"a\" "),
        "{found:#?}"
    );
    let sound = with_value("remind_after: 12h, remind_with: t, ends_after: 1d, ends_as: b");
    assert_eq!(sound, Vec::<String>::new());
}

#[test]
fn each_mistake_in_a_rule_is_placed_and_explained() {
    for (rules, expected) in [
        (
            "  - { id: r, when: 'kind == \"feture\"', set: { kind: bug }, because: b }",
            "unknown-value c.yaml \"\\\"feture\\\"\" did you mean",
        ),
        (
            "  - { id: r, set: { kind: feture }, because: b }",
            "unknown-value c.yaml \"feture\" did you mean `feature`?",
        ),
        (
            "  - { id: r, set: { kinds: bug }, because: b }",
            "unknown-attribute c.yaml \"kinds\" did you mean `kind`?",
        ),
        ("  - { id: r, set: { kind: bug } }", "missing-key c.yaml"),
        ("  - { id: r, because: b }", "idle-rule c.yaml"),
        (
            "  - { id: r, when: 'kind == \"bug\"', set: { kind: feature }, because: b }",
            "cycle c.yaml \"r\" a rule may read its own target only as",
        ),
        (
            "  - { id: r, when: 'current.kind == \"\"', hold: { kind: bug }, because: b }",
            "hold-reads-itself c.yaml",
        ),
        (
            "  - { id: r, label: kind/bug, because: b }",
            "label-of-attribute c.yaml \"kind/bug\" use `set: { kind: … }`",
        ),
        (
            "  - { id: r, comment: helo, because: b }",
            "unknown-template c.yaml \"helo\" did you mean `hello`?",
        ),
        (
            "  - { id: r, on_board: deliver, because: b }",
            "unknown-board c.yaml \"deliver\" did you mean `delivery`?",
        ),
        (
            "  - { id: r, set: { milestone: June }, because: b }",
            "milestone c.yaml \"June\" ",
        ),
        (
            "  - { id: r, set: { kind: bug }, overrides: [q], because: b }",
            "unknown-rule c.yaml \"r\" ",
        ),
        (
            "  - { id: r, choose: { kind: [{ else: bug }, { when: 'issue.open', value: bug }] }, because: b }",
            "else-not-last c.yaml",
        ),
        (
            "  - { id: r, set: { goal: none }, because: b }",
            "one-value c.yaml \"none\" ",
        ),
        (
            "  - { id: r, set: { kind: bug }, because: b }\n  - { id: r, set: { kind: bug }, because: b }",
            "duplicate-id c.yaml \"r\" ",
        ),
        (
            "  - { id: r, set: { kind: bug }, because: b }\n  - { id: q, set: { kind: feature }, because: b }",
            "conflict c.yaml \"q\" say which one goes first (`overrides: [r]`)",
        ),
        (
            "  - { id: r, when: issue.open && !issue.open, set: { kind: bug }, because: b }",
            "never-holds c.yaml \"r\" ",
        ),
        (
            "  - { id: r, hold: { size: small }, because: b }\n  - { id: q, when: 'current.size == \"\"', set: { size: large }, because: b }",
            "undo-each-other c.yaml \"q\" ",
        ),
    ] {
        let found = with_rules(rules);
        assert!(
            found.iter().any(|f| f.starts_with(expected)),
            "{rules}\n{found:#?}"
        );
    }
}

#[test]
fn a_loop_is_printed_from_end_to_end() {
    let sources = [
        Source::new("a.yaml", SMALL),
        Source::new("b.lock.yaml", LOCK),
        Source::new(
            "c.yaml",
            "principles:\n- id: p\n  statement: s\n  rules:\n  - { id: r, when: 'size == \"small\"', set: { kind: bug }, because: b }\n  - { id: q, when: broken, set: { size: large }, because: b }\nfacts: { broken: 'kind == \"bug\"' }\n",
        ),
    ];
    let message = load(&sources).unwrap_err().0[0].message.clone();
    for part in ["rule `r`", "rule `q`", "fact `broken`", "`kind`", "`size`"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_their_order() {
    let found = with("mode: x\nfacts: { a: nothing.here, b: nor.here }\nunauthorised: y\n");
    let codes: Vec<&str> = found.iter().filter_map(|f| f.split(' ').next()).collect();
    assert_eq!(
        codes,
        [
            "unknown-value",
            "unknown-fact",
            "unknown-fact",
            "unknown-value"
        ]
    );
}

#[test]
fn files_that_are_no_policy_are_refused_without_panic() {
    assert!(findings(&[])[0].starts_with("empty-policy"));
    assert!(findings(&[("a.yaml", "# nothing\n")])[0].starts_with("empty-policy"));
    assert!(findings(&[("a.yaml", "kind: [")])[0].starts_with("yaml a.yaml"));
    assert!(
        findings(&[("a.yaml", "just words")])[0].starts_with("wrong-shape a.yaml \"just words\"")
    );
    assert!(findings(&[("a.yaml", "mode: observe")])[0].starts_with("missing-key a.yaml"));
    assert!(findings(&[("a.yaml", "version: 2")])[0].starts_with("version a.yaml \"2\""));
}

#[test]
fn every_built_in_fact_is_described_and_declared() {
    let policy = loaded(&sketch_sources());
    let mut seen = std::collections::BTreeSet::new();
    for fact in super::facts::BUILT_IN {
        assert!(seen.insert(fact.path), "{} stands twice", fact.path);
        assert!(!fact.meaning.is_empty() && !fact.source.is_empty());
        assert!(policy.schema.slot(fact.path).is_some(), "{}", fact.path);
    }
    assert!(policy.schema.slot("boards.delivery.column").is_some());
}

#[test]
fn a_changed_rule_makes_an_example_fail() {
    let mut sources = sketch_sources();
    let policy = sources
        .iter_mut()
        .find(|s| s.path.ends_with("policy.yaml"))
        .unwrap();
    policy.text = policy
        .text
        .replace("set: { triage: needs-triage }", "set: { triage: accepted }");
    let results = examples::run(&loaded(&sources));
    let failed: Vec<_> = results.iter().filter(|r| !r.passed()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(
        failed[0].differences,
        ["`triage` is accepted, by requests-wait-for-triage, not needs-triage"]
    );
    let text = failed[0].text();
    assert!(text.starts_with("a quiet request enters triage (tests/policies/sketch/policy.yaml:"));
    assert!(
        text.ends_with(
            "    - triage: needs-triage\n    + triage: accepted, by requests-wait-for-triage\n"
        ),
        "{text}"
    );
}

#[test]
fn every_rule_that_ships_fires_in_some_example() {
    let policy = loaded(&shipped_sources());
    let mut fired = std::collections::BTreeSet::new();
    for example in &policy.examples {
        let decision = crate::triage::decide(&policy, &example.given);
        fired.extend(decision.fired.into_iter().map(|r| r.rule));
    }
    let never: Vec<&String> = policy
        .rules
        .keys()
        .filter(|id| !fired.contains(*id))
        .collect();
    assert!(never.is_empty(), "{never:?}");
}
