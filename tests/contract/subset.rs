//! The simulation's GraphQL schema is a part of GitHub's: what it answers to, GitHub answers to,
//! with the same types; and what GitHub demands, it demands.

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition};
use apollo_compiler::schema::{Component, ExtendedType};
use northstar::sim::GRAPHQL_SCHEMA;

use crate::published::graphql::GraphQl;

fn parsed(sdl: &str) -> Schema {
    Schema::parse(sdl, "sim.graphql").unwrap_or_else(|flawed| panic!("{}", flawed.errors))
}

/// Everything that `ours` has and `theirs` has not, or has otherwise.
fn differences(ours: &Schema, theirs: &Schema) -> Vec<String> {
    let mut found = Vec::new();
    for (name, mine) in ours.types.iter().filter(|(_, mine)| !mine.is_built_in()) {
        let Some(published) = theirs.types.get(name) else {
            found.push(format!("{name}: GitHub has no such type"));
            continue;
        };
        match (mine, published) {
            (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => {}
            (ExtendedType::Object(mine), ExtendedType::Object(published)) => {
                for interface in &mine.implements_interfaces {
                    if !published
                        .implements_interfaces
                        .iter()
                        .any(|i| i.name == interface.name)
                    {
                        found.push(format!("{name}: is no {interface} at GitHub"));
                    }
                }
                fields(
                    name,
                    mine.fields.values(),
                    |field| published.fields.get(field),
                    &mut found,
                );
            }
            (ExtendedType::Interface(mine), ExtendedType::Interface(published)) => {
                fields(
                    name,
                    mine.fields.values(),
                    |field| published.fields.get(field),
                    &mut found,
                );
            }
            (ExtendedType::Union(mine), ExtendedType::Union(published)) => {
                for member in &mine.members {
                    if !published
                        .members
                        .iter()
                        .any(|known| known.name == member.name)
                    {
                        found.push(format!("{name}: {member} is no member at GitHub"));
                    }
                }
            }
            (ExtendedType::Enum(mine), ExtendedType::Enum(published)) => {
                for value in mine.values.keys() {
                    if !published.values.contains_key(value) {
                        found.push(format!("{name}.{value}: GitHub has no such value"));
                    }
                }
            }
            (ExtendedType::InputObject(mine), ExtendedType::InputObject(published)) => {
                let mine: Vec<&InputValueDefinition> =
                    mine.fields.values().map(|f| &***f).collect();
                let published = published.fields.values().map(|f| &***f).collect();
                inputs(name, &mine, published, &mut found);
            }
            _ => found.push(format!("{name}: is another kind of type at GitHub")),
        }
    }
    found
}

fn fields<'f>(
    of: &str,
    mine: impl Iterator<Item = &'f Component<FieldDefinition>>,
    published: impl Fn(&str) -> Option<&'f Component<FieldDefinition>>,
    found: &mut Vec<String>,
) {
    for field in mine {
        let at = format!("{of}.{}", field.name);
        let Some(known) = published(&field.name) else {
            found.push(format!("{at}: GitHub has no such field"));
            continue;
        };
        if field.ty != known.ty {
            found.push(format!("{at}: is {} at GitHub, not {}", known.ty, field.ty));
        }
        let mine: Vec<&InputValueDefinition> = field.arguments.iter().map(|a| &**a).collect();
        let known = known.arguments.iter().map(|a| &**a).collect();
        inputs(&at, &mine, known, found);
    }
}

/// Arguments of a field, or fields of an input.
fn inputs(
    of: &str,
    mine: &[&InputValueDefinition],
    published: Vec<&InputValueDefinition>,
    found: &mut Vec<String>,
) {
    for input in mine {
        let at = format!("{of}({})", input.name);
        match published.iter().find(|known| known.name == input.name) {
            Some(known) => {
                if known.ty != input.ty {
                    found.push(format!("{at}: is {} at GitHub, not {}", known.ty, input.ty));
                }
                if known.default_value != input.default_value {
                    found.push(format!("{at}: has another default at GitHub"));
                }
            }
            None => found.push(format!("{at}: GitHub has no such input")),
        }
    }
    for known in published.iter().filter(|known| known.is_required()) {
        if !mine.iter().any(|input| input.name == known.name) {
            found.push(format!("{of}({}): is required at GitHub", known.name));
        }
    }
}

#[test]
fn the_simulations_schema_is_a_part_of_githubs() {
    let ours = parsed(GRAPHQL_SCHEMA);
    let types = ours
        .types
        .values()
        .filter(|known| !known.is_built_in())
        .count();
    assert!(types > 50, "only {types} types");
    let wrong = differences(&ours, &GraphQl::get().schema);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_schema_that_is_no_part_is_told_where() {
    let ours = parsed(
        "type Query { repository(name: String!, owner: String): Repository, rateLimit: RateLimit! }
         type Repository { nmae: String!, issue(number: Int!): Issue }
         type Issue implements Node { id: ID!, title: String, projectItems(first: Int, includeArchived: Boolean): Label }
         type Label { id: ID! }
         interface Node { id: ID! }
         type RateLimit { cost: Int! }
         type Widget { id: ID! }
         enum IssueState { OPEN, CLOSED, AJAR }
         union ProjectV2ItemContent = Issue | Label
         input UpdateIssueInput { title: String, colour: String }
         scalar PullRequest",
    );
    let theirs = &GraphQl::get().schema;
    assert_eq!(
        differences(&ours, theirs),
        [
            "Query.repository(owner): is String! at GitHub, not String",
            "Query.rateLimit: is RateLimit at GitHub, not RateLimit!",
            "Repository.nmae: GitHub has no such field",
            "Issue.title: is String! at GitHub, not String",
            "Issue.projectItems: is ProjectV2ItemConnection! at GitHub, not Label",
            "Issue.projectItems(includeArchived): has another default at GitHub",
            "Widget: GitHub has no such type",
            "IssueState.AJAR: GitHub has no such value",
            "ProjectV2ItemContent: Label is no member at GitHub",
            "UpdateIssueInput(colour): GitHub has no such input",
            "UpdateIssueInput(id): is required at GitHub",
            "PullRequest: is another kind of type at GitHub",
        ]
    );
}
