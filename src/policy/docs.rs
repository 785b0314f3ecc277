//! `docs/policy.md` is true: its snippets load, its tables and outputs are what the program says.
//!
//! What stands between `<!-- generated: … -->` and `<!-- /generated -->` is made here, from the
//! tables by which policies are checked. Run once with `UPDATE_GENERATED=1` to write it anew.

use std::fmt::Write as _;

use serde_json::Value;

use crate::triage::explain::{About, Ask, Audience, explain};

use super::expr::{self, FUNCTIONS, Function, MACROS};
use super::facts::{BUILT_IN, DECIDED, Kind};
use super::{Policy, Source, diagnostic, examples, load, lock, render, schema};

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- /generated -->";
/// After the name of a snippet's file: it does not load, and that is its purpose.
const MISTAKE: &str = ", with a mistake";

#[test]
fn the_page_for_authors_is_true() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let wanted = Reading::default().page(&page);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    for (there, wanted) in page.lines().zip(wanted.lines()) {
        assert_eq!(
            there, wanted,
            "docs/policy.md is out of date: run the tests once with UPDATE_GENERATED=1"
        );
    }
    assert_eq!(page, wanted);
}

/// The page, read from the top: the files as they are at this point of the tutorial.
#[derive(Default)]
struct Reading {
    files: Vec<Source>,
    mistake: Option<Source>,
    snippets: usize,
}

impl Reading {
    fn page(mut self, page: &str) -> String {
        let mut out = String::new();
        let mut lines = page.lines();
        while let Some(line) = lines.next() {
            out.push_str(line);
            out.push('\n');
            if let Some(name) = line.strip_prefix(BEGIN) {
                let name = name.strip_suffix(" -->").unwrap();
                assert!(lines.any(|l| l == END), "`{name}` has no end");
                let made = self.made(name);
                let _ = writeln!(out, "\n{}\n\n{END}", made.trim_end());
            } else if line == "```yaml" {
                let snippet: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
                let text = snippet.join("\n") + "\n";
                self.snippet(&text);
                out.push_str(&text);
                out.push_str("```\n");
            }
        }
        assert!(self.snippets >= 8, "{} snippets", self.snippets);
        let policy = self.policy();
        assert!(policy.warnings.is_empty(), "{:#?}", policy.warnings);
        out
    }

    /// A file of the tutorial, named in its first line. With it the policy still loads, and does
    /// what its examples say; unless it is a mistake.
    fn snippet(&mut self, text: &str) {
        let first = text.lines().next().unwrap_or_default();
        let name = first.strip_prefix("# ").unwrap_or_default();
        if let Some(name) = name.strip_suffix(MISTAKE) {
            self.mistake = Some(Source::new(name, text));
            return;
        }
        assert!(name.starts_with("rules/"), "a snippet of no file: {text}");
        self.snippets += 1;
        self.files.retain(|f| f.path != name);
        self.files.push(Source::new(name, text));
        let complaints = schema::tests::complaints(&Source::new(name, text));
        assert_eq!(complaints, Vec::<String>::new());
        let policy = self.policy();
        for result in examples::run(&policy) {
            assert!(result.passed(), "{result:#?}");
        }
    }

    fn policy(&self) -> Policy {
        load(&self.files).unwrap_or_else(|f| panic!("{}", render::text(&f.0, &self.files, false)))
    }

    fn made(&mut self, name: &str) -> String {
        let (what, about) = name.split_once(' ').unwrap_or((name, ""));
        match what {
            "check" => {
                let mut files = self.files.clone();
                files.extend(self.mistake.take());
                let found = load(&files).expect_err("a mistake");
                format!("```text\n{}```", render::text(&found.0, &files, false))
            }
            "explain" => {
                let policy = self.policy();
                let example = policy.examples.iter().find(|e| e.name == about).unwrap();
                let ask = Ask {
                    about: About::Decision,
                    audience: Audience::Public,
                };
                let why = explain(&policy, &example.given, ask);
                format!("```text\n{}```", why.text())
            }
            "keys" => keys(about),
            "facts" => facts(),
            "functions" => functions(FUNCTIONS),
            "macros" => functions(MACROS),
            "codes" => codes(diagnostic::CODES),
            "codes-of-drift" => codes(lock::CODES),
            "codes-of-conditions" => codes(expr::CODES),
            _ => panic!("nothing makes `{name}`"),
        }
    }
}

fn codes(codes: &[(&str, &str)]) -> String {
    let rows = codes
        .iter()
        .map(|(code, about)| [code_of(code), (*about).to_owned()]);
    table(["code", "what is wrong"], rows)
}

fn code_of(text: &str) -> String {
    format!("`{text}`")
}

/// A Markdown table; a bar in a cell is escaped, in code too.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut out = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(N));
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .map(|c| c.replace('|', "\\|").replace('\n', " "))
            .collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

fn functions(functions: &[Function]) -> String {
    let rows = functions
        .iter()
        .map(|f| [code_of(f.usage), f.about.to_owned()]);
    table(["function", "what it gives"], rows)
}

fn facts() -> String {
    let built_in = BUILT_IN.iter().map(|f| {
        let mut kind = kind(f.kind).to_owned();
        if f.may_be_absent {
            kind += ", may be absent";
        }
        [
            code_of(f.path),
            kind,
            f.meaning.to_owned(),
            f.source.to_owned(),
        ]
    });
    let decided = DECIDED.iter().map(|(path, meaning)| {
        let kind = if *path == "unaligned" {
            "true or false"
        } else {
            "a value or a list of values"
        };
        [
            code_of(path),
            kind.to_owned(),
            (*meaning).to_owned(),
            "the decision".to_owned(),
        ]
    });
    table(
        ["fact", "is", "meaning", "comes from"],
        built_in.chain(decided),
    )
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "true or false",
        Kind::Int => "a whole number",
        Kind::Double => "a decimal number",
        Kind::Text => "a text",
        Kind::Time => "an instant",
        Kind::Duration => "a duration",
        Kind::Texts => "a list of texts",
        Kind::Table => "texts by name",
        Kind::Roles => "a list of roles",
        Kind::Goals => "a list of goals",
        Kind::Communities => "a list of communities",
        Kind::WorkKind => "a value of `kind`",
        Kind::Column => "a column",
    }
}

/// The keys of one part of the schema.
fn keys(part: &str) -> String {
    let root = schema::policy();
    let definition = match part {
        "Policy" => &root,
        _ => &root["definitions"][part],
    };
    let required: Vec<&str> = definition["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let rows = definition["properties"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, property)| {
            let name = if required.contains(&key.as_str()) {
                format!("**`{key}`**")
            } else {
                code_of(key)
            };
            let built_in = BUILT_IN.iter().find(|f| f.path == key).map(|f| f.meaning);
            let meaning = property["description"]
                .as_str()
                .or(built_in)
                .unwrap_or_default();
            [name, shape(property), meaning.to_owned()]
        });
    table(["key", "is", "meaning"], rows)
}

/// What stands behind a key, in words.
fn shape(schema: &Value) -> String {
    for several in ["anyOf", "allOf", "oneOf"] {
        if let Some(kinds) = schema[several].as_array() {
            let kinds: Vec<String> = kinds
                .iter()
                .filter(|k| k["type"] != "null")
                .map(shape)
                .collect();
            return kinds.join(" or ");
        }
    }
    if let Some(name) = schema["$ref"].as_str() {
        return named(name.rsplit('/').next().unwrap_or_default());
    }
    if let Some(word) = schema["const"].as_str() {
        return code_of(word);
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().find(|t| *t != "null").unwrap_or(&Value::Null),
        one => one,
    };
    match types.as_str() {
        Some("string") => "text".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("integer" | "number") => "number".to_owned(),
        Some("array") => format!("list: {}", shape(&schema["items"])),
        Some("object") => format!("map: {}", shape(&schema["additionalProperties"])),
        _ => panic!("{schema}"),
    }
}

/// A definition of the schema, with a link to its section where it has one.
fn named(name: &str) -> String {
    match name {
        "Word" => "text".to_owned(),
        "Words" | "Texts" => "text or list".to_owned(),
        "Expression" => "[expression](#conditions-in-five-minutes)".to_owned(),
        "Version" => "`1`".to_owned(),
        "Mode" | "Unauthorised" | "Over" | "Measure" | "Statistic" => {
            shape(&schema::policy()["definitions"][name])
        }
        "Values" => "list, map of [values](#values), or a vocabulary".to_owned(),
        "Choice" => "list of [rows](#rows), or a [lookup](#lookups)".to_owned(),
        "Role" => "[role](#roles)".to_owned(),
        "Board" => "[board](#boards)".to_owned(),
        "Goal" => "[goal](#goals)".to_owned(),
        "Signals" => "[signals](#signals)".to_owned(),
        "Community" => "[community](#communities)".to_owned(),
        "Attribute" => "[attribute](#attributes)".to_owned(),
        "Principle" => "[principle](#principles)".to_owned(),
        "Allowance" => "[attributes and facts](#only-and-never)".to_owned(),
        "Rule" => "[rule](#rules)".to_owned(),
        "Gate" => "[gate](#gates)".to_owned(),
        "Cap" => "[cap](#caps)".to_owned(),
        "Driver" => "[driver](#the-score)".to_owned(),
        "Kpi" => "[KPI](#kpis)".to_owned(),
        "Target" => "[target](#targets)".to_owned(),
        "Iterations" => "[iterations](#iterations)".to_owned(),
        "Digest" => "[digest](#the-digest)".to_owned(),
        "Digests" => "[digest](#the-digest) or list".to_owned(),
        "Example" => "[example](#examples)".to_owned(),
        "Given" => "[what is given](#what-can-be-given)".to_owned(),
        "Expect" => "[what is expected](#what-can-be-expected)".to_owned(),
        _ => panic!("{name} has no name for people"),
    }
}

/// The links of the page lead to its sections.
#[test]
fn links_within_the_page_lead_somewhere() {
    let page = include_str!("../../docs/policy.md");
    let anchors: Vec<String> = page
        .lines()
        .filter(|l| l.starts_with('#'))
        .map(|l| {
            let title = l.trim_start_matches('#').trim().to_lowercase();
            title
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect();
    for link in page.split("](#").skip(1) {
        let (anchor, _) = link.split_once(')').unwrap();
        assert!(anchors.iter().any(|a| a == anchor), "#{anchor}");
    }
}
