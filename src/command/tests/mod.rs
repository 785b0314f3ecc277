//! What is found in comments, what is read from it, and that nothing breaks either.

mod places;
mod random;
mod said;
mod told;

use super::{Act, Attribute, Reading, Said, Vocabulary, find, read};

fn policy() -> Vocabulary {
    let mut words = Vocabulary::without_policy();
    for (name, values) in [
        ("kind", &["feature", "bug", "support"][..]),
        ("goal", &["research", "education", "open-source"]),
        ("impact", &["low", "medium", "high", "critical"]),
        ("effort", &["small", "medium", "large"]),
        ("priority", &["p0", "p1", "p2"]),
        (
            "stage",
            &["Up Next", "In Progress", "In Progress Now", "Done"],
        ),
    ] {
        let attribute = words.attributes.entry(name.to_owned()).or_default();
        attribute.values = Attribute::of(values).values;
    }
    words.communities = vec!["openscapes".to_owned(), "jupyter".to_owned()];
    words.limits = vec![
        "in-flight".to_owned(),
        "only-accepted-work-starts".to_owned(),
    ];
    words.rules = vec!["requests-wait-for-triage".to_owned()];
    words.kpis = vec!["satisfaction".to_owned()];
    words
}

fn reading(text: &str, words: &Vocabulary) -> Option<Reading> {
    let found = find(text, None);
    assert_eq!(found.len(), 1, "{text}");
    read(&found[0], words)
}

/// The arguments, the reason and the act of a right command.
fn right(text: &str, words: &Vocabulary) -> (Said, Act) {
    match reading(text, words) {
        Some(Reading::Command { said, act }) => (said, act),
        other => panic!("{text}: {other:?}"),
    }
}

/// The words and the problem of a wrong one.
fn wrong(text: &str, words: &Vocabulary) -> (Said, String) {
    match reading(text, words) {
        Some(Reading::Wrong { said, problem }) => (said, problem.to_string()),
        other => panic!("{text}: {other:?}"),
    }
}

fn id(id: &str) -> String {
    id.to_owned()
}

// One table of cases.
