//! The policies that ship, and the ways in which a policy can be wrong.

use super::{Policy, Source, examples, load};

/// Every file of the shipped policy, as the shell would read it.
pub(crate) fn shipped_sources() -> Vec<Source> {
    folder("rules")
}

pub(crate) fn sketch_sources() -> Vec<Source> {
    folder("tests/policies/sketch")
}

fn folder(name: &str) -> Vec<Source> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    let mut folders = vec![root.join(name)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
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
