//! The schema says what the reader says: the same keys, and every good policy validates.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::policy::facts::BUILT_IN;
use crate::policy::tests::{shipped_sources, sketch_sources};
use crate::policy::{Diagnostic, Source, load};

use super::{lock, policy, text};

fn json(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap_or_else(|e| panic!("{e}\n{yaml}"))
}

/// What the schema has against a file.
pub(crate) fn complaints(source: &Source) -> Vec<String> {
    let schema = if source.path.ends_with(".lock.yaml") {
        lock()
    } else {
        policy()
    };
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let instance = json(&source.text);
    let all = validator.iter_errors(&instance);
    all.map(|e| format!("{}: {}: {e}", source.path, e.instance_path()))
        .collect()
}

#[test]
fn every_good_policy_validates() {
    for source in shipped_sources().iter().chain(&sketch_sources()) {
        if std::path::Path::new(&source.path)
            .extension()
            .is_some_and(|e| e == "yaml")
        {
            assert_eq!(complaints(source), Vec::<String>::new());
        }
    }
}

#[test]
fn what_is_wrong_is_underlined() {
    for wrong in [
        "principels: []",
        "mode: enforced",
        "version: 2",
        "attributes: { kind: { label: 'kind/{value}' } }",
        "attributes: { kind: { values: [a], label: kind } }",
        "attributes: { Kind: { values: [a] } }",
        "principles: [{ id: p, statement: s, rules: [{ id: r, wehn: a, because: b }] }]",
        "principles: [{ id: p, statement: s, rules: [{ id: r }] }]",
        "principles: [{ id: p, rules: [] }]",
        "digest: { id: w, every: sometimes, post_to: 'o/r#1' }",
        "examples: [{ name: n, given: {} }]",
    ] {
        assert!(
            !complaints(&Source::new("p.yaml", wrong)).is_empty(),
            "{wrong}"
        );
    }
}

/// The committed files, by which editors go, are what `northstar schema` prints.
#[test]
fn the_committed_schemas_are_up_to_date() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    for (name, schema) in [("schema.json", policy()), ("lock.schema.json", lock())] {
        let path = root.join(name);
        let wanted = text(&schema);
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == wanted,
            "{name} is out of date: run the tests once with UPDATE_GENERATED=1"
        );
    }
}

#[test]
fn every_shipped_file_tells_editors_its_schema() {
    for source in shipped_sources() {
        let Some(inside) = source.path.strip_prefix("rules/") else {
            panic!("{}", source.path)
        };
        if inside.strip_suffix(".yaml").is_none() {
            continue;
        }
        let up = "../".repeat(inside.matches('/').count());
        let name = if inside.ends_with(".lock.yaml") {
            "lock.schema.json"
        } else {
            "schema.json"
        };
        let first = source.text.lines().next().unwrap_or_default();
        let wanted = format!("# yaml-language-server: $schema={up}{name}");
        assert_eq!(first, wanted, "{}", source.path);
    }
}

const UNKNOWN: &str = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";

/// For each part of the schema, a file in which `?` stands where a key of that part belongs.
const PLACES: &[(&str, &str)] = &[
    ("Policy", "?"),
    ("Role", "roles: { a: { ? } }"),
    ("Board", "boards: { a: { project: 1, ? } }"),
    ("Goal", "goals: [{ id: a, ? }]"),
    ("Signals", "goals: [{ id: a, signals: { ? } }]"),
    ("Community", "communities: [{ id: a, ? }]"),
    ("Attribute", "attributes: { a: { values: [x], ? } }"),
    ("Value", "attributes: { a: { values: { x: { ? } } } }"),
    ("Principle", "principles: [{ id: p, statement: s, ? }]"),
    (
        "Allowance",
        "principles: [{ id: p, statement: s, only: { ? } }]",
    ),
    (
        "Rule",
        "principles: [{ id: p, statement: s, rules: [{ id: r, because: b, ? }] }]",
    ),
    (
        "Gate",
        "principles: [{ id: p, statement: s, gates: [{ id: g, ? }] }]",
    ),
    (
        "Cap",
        "principles: [{ id: p, statement: s, caps: [{ id: c, ? }] }]",
    ),
    (
        "Row",
        "attributes: { a: { values: [x] } }\nprinciples: [{ id: p, statement: s, rules: [{ id: r, because: b, choose: { a: [{ ? }] } }] }]",
    ),
    (
        "Lookup",
        "attributes: { a: { values: [x] } }\nprinciples: [{ id: p, statement: s, rules: [{ id: r, because: b, choose: { a: { ? } } }] }]",
    ),
    ("Driver", "score: { a: { points: 1, ? } }"),
    ("Kpi", "kpis: [{ id: k, measure: stated, ? }]"),
    (
        "Target",
        "kpis: [{ id: k, measure: stated, targets: [{ by: 2027-01-01, ? }] }]",
    ),
    (
        "Iterations",
        "kpis: [{ id: k, measure: velocity, iterations: { ? } }]",
    ),
    ("Digest", "digest: { ? }"),
    ("Example", "examples: [{ name: n, ? }]"),
    ("Lock", "?"),
    ("PinnedBoard", "boards: { a: { ? } }"),
    (
        "PinnedIterations",
        "boards: { a: { fields: { f: { ? } } } }",
    ),
    ("PinnedGoal", "goals: [{ id: a, ? }]"),
];

fn findings(place: &str, text: &str) -> Vec<Diagnostic> {
    let sources = if place == "Lock" || place.starts_with("Pinned") {
        vec![
            Source::new("a.yaml", "version: 1\nboards: { a: { project: 1 } }"),
            Source::new("a.lock.yaml", text),
        ]
    } else {
        vec![Source::new("b.yaml", text)]
    };
    match load(&sources) {
        Ok(policy) => policy.warnings,
        Err(found) => found.0,
    }
}

/// The keys that the reader knows there, in its own words.
fn known_to_the_reader(place: &str, text: &str) -> BTreeSet<String> {
    let text = text.replace('?', &format!("{UNKNOWN}: 1"));
    let help = findings(place, &text)
        .into_iter()
        .find(|d| d.code == "unknown-key" && d.message.contains(UNKNOWN))
        .and_then(|d| d.help)
        .unwrap_or_else(|| panic!("the reader has nothing against {text}"));
    let (_, keys) = help.split_once(": ").unwrap_or_else(|| panic!("{help}"));
    keys.split(", ").map(str::to_owned).collect()
}

fn properties(definition: &Value) -> BTreeSet<String> {
    let properties = definition["properties"].as_object();
    properties
        .map(|p| p.keys().cloned().collect())
        .unwrap_or_default()
}

/// Every part of the schemas that has keys of its own.
fn parts() -> BTreeMap<String, Value> {
    let mut out = BTreeMap::new();
    for (root, schema) in [("Policy", policy()), ("Lock", lock())] {
        for (name, definition) in schema["definitions"].as_object().unwrap() {
            if definition.get("properties").is_some() {
                out.insert(name.clone(), definition.clone());
            }
        }
        out.insert(root.to_owned(), schema);
    }
    out
}

#[test]
fn the_schema_has_exactly_the_keys_that_the_reader_knows() {
    let mut parts = parts();
    for (place, text) in PLACES {
        let part = parts
            .remove(*place)
            .unwrap_or_else(|| panic!("the schema has no {place}"));
        assert_eq!(
            properties(&part),
            known_to_the_reader(place, text),
            "{place}"
        );
        assert_eq!(part["additionalProperties"], false, "{place}");
    }
    // These two have attributes among their keys; see below.
    let rest: Vec<&String> = parts.keys().collect();
    assert_eq!(rest, ["Expect", "Given"]);
}

/// Does the reader refuse the key itself, whatever stands behind it?
fn refused(part: &str, key: &str) -> bool {
    let text = format!(
        "boards: {{ a: {{ project: 1 }} }}\nexamples: [{{ name: n, given: {{}}, expect: {{}}, {part}: {{ {key}: x }} }}]"
    );
    let text = text.replace(&format!("{part}: {{}}, "), "");
    findings("Example", &text)
        .iter()
        .any(|d| d.message.contains(&format!("`{key}` cannot be")))
}

#[test]
fn examples_may_give_and_expect_what_the_schema_says() {
    let parts = parts();
    let given = properties(&parts["Given"]);
    let expected = properties(&parts["Expect"]);
    for (part, keys) in [("given", &given), ("expect", &expected)] {
        assert!(refused(part, UNKNOWN));
        for key in keys {
            assert!(!refused(part, key), "{part}: {key}");
        }
    }
    for fact in BUILT_IN {
        assert_eq!(
            given.contains(fact.path),
            !refused("given", fact.path),
            "{}",
            fact.path
        );
    }
}

#[test]
fn every_key_says_what_it_is_for() {
    for (name, part) in parts() {
        for (key, property) in part["properties"].as_object().unwrap() {
            // Facts are described by their own table.
            let fact = BUILT_IN.iter().any(|f| f.path == key);
            assert!(
                fact || property["description"].is_string()
                    || property["allOf"].is_array()
                    || property.get("$ref").is_some(),
                "{name}.{key}: {property}"
            );
        }
    }
}
