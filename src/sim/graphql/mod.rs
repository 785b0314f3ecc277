//! GraphQL: documents are read, checked against the schema, counted, and executed on the state.
//!
//! *In:* the body of `POST /graphql`. *Out:* GitHub's envelope, a 200 with `data` and `errors`.

mod boards;
mod check;
mod count;
mod execute;
pub(super) mod files;
mod mutate;
mod resolve;
mod schema;

use graphql_parser::Pos;
use graphql_parser::query::{Definition, Document, OperationDefinition, Selection, SelectionSet};
use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::state::State;

pub use schema::SDL;

type Doc = Document<'static, String>;
type Set = SelectionSet<'static, String>;
type Op = OperationDefinition<'static, String>;

/// A body, read and checked; still without effect.
pub(super) struct Prepared {
    document: Doc,
    /// Place of the operation among the definitions.
    operation: usize,
    variables: Map<String, Value>,
    pub name: Option<String>,
    /// The operation's root fields, in order.
    pub fields: Vec<String>,
    pub mutation: bool,
    /// Creates something people are notified of.
    pub content: bool,
    /// Points, at least 1.
    pub cost: u64,
    pub nodes: u64,
    /// What is wrong with it; if anything is, nothing is executed.
    pub errors: Vec<Value>,
}

/// Mutations that notify people.
const CONTENT: [&str; 3] = ["addComment", "createIssue", "addProjectV2DraftIssue"];

fn location(at: Pos) -> Value {
    json!([{"line": at.line, "column": at.column}])
}

impl Prepared {
    fn broken(message: &str) -> Self {
        Self {
            document: Document {
                definitions: Vec::new(),
            },
            operation: 0,
            variables: Map::new(),
            name: None,
            fields: Vec::new(),
            mutation: false,
            content: false,
            cost: 1,
            nodes: 0,
            errors: vec![json!({"message": message})],
        }
    }

    /// Reads a request's body.
    pub fn read(body: &Value) -> Self {
        let Some(text) = body.get("query").and_then(Value::as_str) else {
            return Self::broken("A query attribute must be specified and must be a string.");
        };
        let document = match graphql_parser::parse_query::<String>(text) {
            Ok(document) => document.into_static(),
            Err(error) => return Self::broken(&error.to_string()),
        };
        let wanted = body.get("operationName").and_then(Value::as_str);
        let operations: Vec<usize> = document
            .definitions
            .iter()
            .enumerate()
            .filter_map(|(place, definition)| match definition {
                Definition::Operation(operation) => {
                    let fits = wanted.is_none() || wanted == operation_name(operation);
                    fits.then_some(place)
                }
                Definition::Fragment(_) => None,
            })
            .collect();
        let [operation] = operations[..] else {
            return Self::broken(if operations.is_empty() {
                "No operation with this name in the document"
            } else {
                "An operation name is required"
            });
        };
        let variables = match body.get("variables") {
            Some(Value::Object(variables)) => variables.clone(),
            None | Some(Value::Null) => Map::new(),
            Some(_) => return Self::broken("Variables must be an object"),
        };
        let mut prepared = Self {
            document,
            operation,
            variables,
            errors: Vec::new(),
            ..Self::broken("")
        };
        if let Some(operation) = prepared.operation() {
            let (name, set) = (
                operation_name(operation).map(str::to_owned),
                root(operation),
            );
            let fields: Vec<String> = set
                .items
                .iter()
                .filter_map(|item| match item {
                    Selection::Field(field) => Some(field.name.clone()),
                    _ => None,
                })
                .collect();
            let mutation = matches!(operation, OperationDefinition::Mutation(_));
            prepared.name = name;
            prepared.content = mutation && fields.iter().any(|f| CONTENT.contains(&f.as_str()));
            prepared.mutation = mutation;
            prepared.fields = fields;
        }
        prepared.errors = check::check(&mut prepared);
        if prepared.errors.is_empty() {
            let counted = count::count(&prepared);
            prepared.cost = counted.points;
            prepared.nodes = counted.nodes;
            prepared.errors = counted.errors;
        }
        prepared
    }

    fn operation(&self) -> Option<&Op> {
        match self.document.definitions.get(self.operation) {
            Some(Definition::Operation(operation)) => Some(operation),
            _ => None,
        }
    }

    fn fragment(
        &self,
        name: &str,
    ) -> Option<&graphql_parser::query::FragmentDefinition<'static, String>> {
        self.document
            .definitions
            .iter()
            .find_map(|definition| match definition {
                Definition::Fragment(fragment) if fragment.name == name => Some(fragment),
                _ => None,
            })
    }

    /// Under which key the root field at a place answers.
    fn root_key(&self, place: usize) -> Option<String> {
        let items = &root(self.operation()?).items;
        match items.get(place)? {
            Selection::Field(field) => Some(field.alias.as_ref().unwrap_or(&field.name).clone()),
            _ => None,
        }
    }

    fn root_type(&self) -> &'static str {
        if self.mutation { "Mutation" } else { "Query" }
    }

    /// Executes it; the whole body of the answer. The root field at the place `refused` (from 0)
    /// fails.
    pub fn run(&self, state: &mut State, caller: &Caller, refused: Option<usize>) -> Value {
        if !self.errors.is_empty() {
            return json!({"errors": self.errors});
        }
        execute::execute(self, state, caller, refused)
    }
}

fn operation_name(operation: &Op) -> Option<&str> {
    match operation {
        OperationDefinition::SelectionSet(_) => None,
        OperationDefinition::Query(query) => query.name.as_deref(),
        OperationDefinition::Mutation(mutation) => mutation.name.as_deref(),
        OperationDefinition::Subscription(subscription) => subscription.name.as_deref(),
    }
}

fn root(operation: &Op) -> &Set {
    match operation {
        OperationDefinition::SelectionSet(set) => set,
        OperationDefinition::Query(query) => &query.selection_set,
        OperationDefinition::Mutation(mutation) => &mutation.selection_set,
        OperationDefinition::Subscription(subscription) => &subscription.selection_set,
    }
}
