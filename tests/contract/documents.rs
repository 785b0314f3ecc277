//! Every GraphQL document this project sends, and the simulation's schema, against GitHub's.

use std::collections::BTreeSet;

use crate::published::graphql::{EXTENSIONS, GraphQl};

#[test]
fn githubs_schema_has_no_flaw_but_the_known_one() {
    // Also what an entry of the extensions meets when the package has caught up with it.
    assert_eq!(
        GraphQl::get().flaws,
        [
            "duplicate definitions for the `repositoryDeployKeySetting` field of object type \
             `EnterpriseOwnerInfo`",
            "duplicate definitions for the `repositoryDeployKeySettingOrganizations` field of object \
             type `EnterpriseOwnerInfo`",
        ]
    );
}

#[test]
fn every_extension_says_where_it_was_published() {
    let mut said = false;
    for line in EXTENSIONS.lines() {
        if line.starts_with('#') {
            said |=
                line.contains("https://docs.github.com/") || line.contains("https://github.blog/");
        } else if line.is_empty() {
            said = false;
        } else if !line.starts_with([' ', '}']) {
            assert!(said, "extensions.graphql: where was this published? {line}");
        }
    }
}

#[test]
fn every_document_is_valid() {
    let documents = northstar::github::documents();
    assert!(documents.len() > 5, "only {} documents", documents.len());
    let mut wrong = Vec::new();
    for (name, text) in &documents {
        wrong.extend(GraphQl::get().check_document(name, text));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_document_comes_from_a_graphql_file() {
    // Composed mutations aside, a file nobody lists is a file nobody checks.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/github/graphql");
    let documents: Vec<String> = northstar::github::documents()
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let mut files = 0;
    for file in std::fs::read_dir(folder).expect("the documents") {
        let path = file.expect("a file").path();
        if path
            .extension()
            .is_none_or(|extension| extension != "graphql")
        {
            continue;
        }
        files += 1;
        let text = std::fs::read_to_string(&path).expect("a document");
        // The words of the file, without its comments, are in some document that is sent.
        let words = words(&text);
        let sent = documents.iter().any(|document| {
            let document = self::words(document);
            document.windows(words.len()).any(|window| window == words)
        });
        assert!(sent, "{} is in no document that is checked", path.display());
    }
    assert!(files > 5, "only {files} files");
}

fn words(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(str::split_whitespace)
        .collect()
}

/// The names of the fields in a document, each with the byte after its last.
fn field_names(document: &str) -> BTreeSet<(String, usize)> {
    use apollo_compiler::ast::Document;
    use apollo_compiler::ast::{Definition, Selection};

    fn visit(selections: &[Selection], found: &mut BTreeSet<(String, usize)>) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    let place = field.name.location().map(|span| span.end_offset());
                    if let Some(place) = place.filter(|_| field.name != "__typename") {
                        found.insert((field.name.to_string(), place));
                    }
                    visit(&field.selection_set, found);
                }
                Selection::InlineFragment(inline) => visit(&inline.selection_set, found),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    let parsed = Document::parse(document, "document.graphql").expect("a document");
    let mut found = BTreeSet::new();
    for definition in &parsed.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                visit(&operation.selection_set, &mut found)
            }
            Definition::FragmentDefinition(fragment) => visit(&fragment.selection_set, &mut found),
            _ => {}
        }
    }
    found
}

#[test]
fn breaking_any_field_name_in_any_document_is_seen_and_named() {
    for (name, text) in northstar::github::documents() {
        let fields = field_names(&text);
        assert!(!fields.is_empty(), "{name}");
        for (field, end) in fields {
            let mut broken = text.clone();
            broken.insert_str(end, "Misspelt");
            let wrong = GraphQl::get().check_document(name, &broken);
            let line = 1 + text[..end].matches('\n').count();
            let named = wrong.iter().any(|problem| {
                problem.contains(&format!("`{field}Misspelt`"))
                    && problem.starts_with(&format!("{name}.graphql:{line}:"))
            });
            assert!(
                named,
                "{name}: {field} in line {line} went unnoticed: {wrong:?}"
            );
        }
    }
}
