//! The folder of broken policies: one for every code there is, each with its exact text.
//!
//! `tests/policies/broken/<code>` or, for another way to the same code, `<code>+<what>`. To see
//! what became of the texts after a change: `INSTA_UPDATE=always cargo nextest run broken`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::*;
use crate::policy::diagnostic::CODES;
use crate::policy::{expr, render};

const FOLDER: &str = "tests/policies/broken";

/// Policies too large to be kept as files.
fn made() -> BTreeMap<&'static str, Vec<Source>> {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..9 {
        let p = i - 1;
        let _ = writeln!(
            bomb,
            "a{i}: &a{i} [*a{p}, *a{p}, *a{p}, *a{p}, *a{p}, *a{p}, *a{p}]"
        );
    }
    let long = " || issue.open".repeat(2_000);
    let long = format!("version: 1\nfacts:\n  long: |\n    issue.open{long}\n");
    let large = format!("version: 1\n{}", "# ü\n".repeat(2_500_000));
    [
        ("too-many-nodes", bomb),
        ("too-long", long),
        ("file-too-large", large),
    ]
    .map(|(code, text)| (code, vec![Source::new("policy.yaml", text)]))
    .into()
}

fn all() -> BTreeMap<String, Vec<Source>> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let mut out: BTreeMap<String, Vec<Source>> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| {
            let mut sources = folder(&format!("{FOLDER}/{name}"));
            for source in &mut sources {
                source.path = source.path.rsplit('/').next().unwrap().to_owned();
            }
            (name, sources)
        })
        .filter(|(_, sources)| !sources.is_empty())
        .collect();
    for (code, sources) in made() {
        assert!(out.insert(code.to_owned(), sources).is_none());
    }
    out
}

/// The code that a folder is about.
fn code_of(name: &str) -> &str {
    name.split('+').next().unwrap()
}

fn findings_of(sources: &[Source]) -> Vec<Diagnostic> {
    match load(sources) {
        Ok(policy) => policy.warnings,
        Err(findings) => findings.0,
    }
}

#[test]
fn every_code_has_a_broken_policy() {
    let known: BTreeSet<&str> = CODES.iter().chain(expr::CODES).map(|(c, _)| *c).collect();
    assert_eq!(
        known.len(),
        CODES.len() + expr::CODES.len(),
        "a code stands twice"
    );
    let all = all();
    let shown: BTreeSet<&str> = all.keys().map(|name| code_of(name)).collect();
    assert_eq!(shown, known);
    for (name, sources) in &all {
        let found = findings_of(sources);
        let codes: Vec<&str> = found.iter().map(|d| d.code).collect();
        assert!(codes.contains(&code_of(name)), "{name}: {codes:?}");
    }
}

#[test]
fn every_broken_policy_is_told_in_these_words() {
    for (name, sources) in all() {
        let text = render::text(&findings_of(&sources), &sources, false);
        insta::with_settings!({
            snapshot_path => format!("../../../{FOLDER}/{name}"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!("expected", text) });
    }
}

#[test]
fn the_other_formats_say_the_same() {
    for (name, sources) in all() {
        let found = findings_of(&sources);
        let json = render::json(&found);
        let list = json.as_array().unwrap();
        let annotations = render::github(&found);
        assert_eq!(list.len(), found.len(), "{name}");
        assert_eq!(annotations.lines().count(), found.len(), "{name}");
        for ((d, object), line) in found.iter().zip(list).zip(annotations.lines()) {
            assert_eq!(object["code"], d.code);
            assert_eq!(object["line"], d.line);
            assert_eq!(object["message"], d.message.as_str());
            let start = format!("::{} file={},line={},col=", d.severity, d.file, d.line);
            assert!(line.starts_with(&start), "{line}");
            assert!(line.contains(d.code), "{line}");
        }
    }
}
