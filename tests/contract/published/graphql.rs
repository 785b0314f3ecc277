//! GraphQL documents, variables and answers against npm `@octokit/graphql-schema`.

mod answer;

use std::sync::OnceLock;

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::Value;

use super::fetched;

/// What GitHub has published since the package was made.
pub const EXTENSIONS: &str = include_str!("../extensions.graphql");

/// GitHub's GraphQL schema with our extensions.
pub struct GraphQl {
    pub schema: Valid<Schema>,
    /// What the parser found wrong with the published schema, one line each.
    pub flaws: Vec<String>,
}

impl GraphQl {
    /// The schema, read once.
    pub fn get() -> &'static Self {
        static GRAPHQL: OnceLock<GraphQl> = OnceLock::new();
        GRAPHQL.get_or_init(|| {
            let builder = Schema::builder()
                .parse(fetched::text("github.graphql"), "github.graphql")
                .parse(EXTENSIONS, "extensions.graphql");
            let (schema, flaws) = match builder.build() {
                Ok(schema) => (schema, Vec::new()),
                Err(flawed) => {
                    let flaws = flawed.errors.iter().map(|flaw| flaw.error.to_string());
                    (flawed.partial, flaws.collect())
                }
            };
            Self {
                // The whole is not validated: GitHub repeats itself in places, and a document is
                // checked all the same.
                schema: Valid::assume_valid(schema),
                flaws,
            }
        })
    }

    fn read(&self, name: &str, document: &str) -> Result<Valid<ExecutableDocument>, Vec<String>> {
        let file = format!("{name}.graphql");
        ExecutableDocument::parse_and_validate(&self.schema, document, &file).map_err(|invalid| {
            invalid
                .errors
                .iter()
                .map(|problem| {
                    let place = problem.line_column_range();
                    let place = place.map_or_else(String::new, |range| {
                        format!(":{}:{}", range.start.line, range.start.column)
                    });
                    format!("{file}{place}: {}", problem.error)
                })
                .collect()
        })
    }

    /// Everything wrong with a document.
    pub fn check_document(&self, name: &str, document: &str) -> Vec<String> {
        self.read(name, document).err().unwrap_or_default()
    }

    /// Everything wrong with what is posted to `/graphql`: document, operation, variables.
    pub fn check_request(&self, body: &Value) -> Vec<String> {
        let Some(text) = body["query"].as_str() else {
            return vec!["body /query: is missing".to_owned()];
        };
        let keys = body.as_object().into_iter().flat_map(|map| map.keys());
        let mut wrong: Vec<String> = keys
            .filter(|key| !["query", "variables", "operationName"].contains(&key.as_str()))
            .map(|key| format!("body /{key}: is no part of a GraphQL request"))
            .collect();
        let document = match self.read("request", text) {
            Ok(document) => document,
            Err(problems) => {
                wrong.extend(problems);
                return wrong;
            }
        };
        let operation = match document.operations.get(body["operationName"].as_str()) {
            Ok(operation) => operation,
            Err(problem) => {
                wrong.push(problem.message().to_string());
                return wrong;
            }
        };
        let variables = serde_json::from_value::<JsonMap>(match &body["variables"] {
            Value::Null => Value::Object(serde_json::Map::new()),
            given => given.clone(),
        });
        match variables {
            Ok(variables) => {
                if let Err(problem) = coerce_variable_values(&self.schema, operation, &variables) {
                    wrong.push(format!("body /variables: {}", problem.message()));
                }
                let declared = |name: &str| operation.variables.iter().any(|v| v.name == name);
                let unknown = variables.keys().filter(|name| !declared(name.as_str()));
                wrong.extend(unknown.map(|name| {
                    format!(
                        "body /variables/{}: is not declared by the document",
                        name.as_str()
                    )
                }));
            }
            Err(_) => wrong.push("body /variables: is no object".to_owned()),
        }
        wrong
    }

    /// Everything wrong with the answer to a (valid) request: its envelope, and its data against
    /// what was selected.
    pub fn check_response(&self, request: &Value, response: &Value) -> Vec<String> {
        let Some(text) = request["query"].as_str() else {
            return Vec::new();
        };
        match self.read("request", text) {
            Ok(document) => {
                let operation = document.operations.get(request["operationName"].as_str());
                match operation {
                    Ok(operation) => answer::check(
                        &self.schema,
                        &document,
                        operation,
                        &request["variables"],
                        response,
                    ),
                    Err(problem) => vec![problem.message().to_string()],
                }
            }
            Err(problems) => problems,
        }
    }
}
