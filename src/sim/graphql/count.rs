//! What a document costs, and whether its connections keep GitHub's limits.
//!
//! Source: GitHub's documentation, "Rate limits and query limits for the GraphQL API": `first` or
//! `last` is required on every connection, 1 to 100; at most 500,000 nodes; a point is a hundred
//! requests that it would take to fill the connections.

use graphql_parser::query::{Field, Selection};
use serde_json::{Value, json};

use super::schema::{literal, schema};
use super::{Prepared, Set, location, root};

const MOST_NODES: u64 = 500_000;

pub(super) struct Counted {
    pub points: u64,
    pub nodes: u64,
    pub errors: Vec<Value>,
}

struct Count<'d> {
    prepared: &'d Prepared,
    requests: u64,
    nodes: u64,
    errors: Vec<Value>,
    path: Vec<String>,
}

pub(super) fn count(prepared: &Prepared) -> Counted {
    let mut count = Count {
        prepared,
        requests: 0,
        nodes: 0,
        errors: Vec::new(),
        path: Vec::new(),
    };
    if let Some(operation) = prepared.operation() {
        count.set(root(operation), prepared.root_type(), 1);
    }
    if count.nodes > MOST_NODES {
        count.errors.push(json!({
            "type": "MAX_NODE_LIMIT_EXCEEDED",
            "message": format!(
                "This query requests up to {} possible nodes which exceeds the maximum limit of \
                 {MOST_NODES}.",
                count.nodes
            ),
        }));
    }
    Counted {
        points: ((count.requests + 50) / 100).max(1),
        nodes: count.nodes,
        errors: count.errors,
    }
}

impl Count<'_> {
    fn set(&mut self, set: &Set, ty: &str, times: u64) {
        let prepared = self.prepared;
        for item in &set.items {
            match item {
                Selection::Field(field) => self.field(field, ty, times),
                Selection::InlineFragment(fragment) => {
                    let on = match &fragment.type_condition {
                        Some(graphql_parser::query::TypeCondition::On(name)) => name,
                        None => ty,
                    };
                    self.set(&fragment.selection_set, on, times);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = prepared.fragment(&spread.fragment_name) {
                        let graphql_parser::query::TypeCondition::On(on) = &fragment.type_condition;
                        self.set(&fragment.selection_set, on, times);
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &Field<'static, String>, ty: &str, times: u64) {
        let Some(known) = schema().field(ty, &field.name) else {
            return;
        };
        let inner = known.ty.name();
        self.path
            .push(field.alias.clone().unwrap_or_else(|| field.name.clone()));
        let mut times = times;
        if inner.ends_with("Connection") {
            self.requests = self.requests.saturating_add(times);
            times = times.saturating_mul(self.bound(field));
            self.nodes = self.nodes.saturating_add(times);
        }
        self.set(&field.selection_set, inner, times);
        self.path.pop();
    }

    /// How many nodes the connection asks for.
    fn bound(&mut self, field: &Field<'static, String>) -> u64 {
        let name = &field.name;
        let given = field
            .arguments
            .iter()
            .filter(|(name, _)| name == "first" || name == "last")
            .find_map(|(which, value)| {
                let number = literal(value, &self.prepared.variables)?.as_i64()?;
                Some((which, number))
            });
        let (kind, message) = match given {
            None => (
                "MISSING_PAGINATION_BOUNDARIES",
                format!(
                    "You must provide a `first` or `last` value to properly paginate the `{name}` \
                     connection."
                ),
            ),
            Some((which, number)) if number > 100 => (
                "EXCESSIVE_PAGINATION",
                format!(
                    "Requesting {number} records on the `{name}` connection exceeds the `{which}` \
                     limit of 100 records."
                ),
            ),
            Some((which, number)) if number < 1 => (
                "INVALID_PAGINATION",
                format!("`{which}` on the `{name}` connection must be a positive number"),
            ),
            Some((_, number)) => return number.unsigned_abs(),
        };
        self.errors.push(json!({
            "type": kind,
            "path": self.path,
            "locations": location(field.position),
            "message": message,
        }));
        1
    }
}
