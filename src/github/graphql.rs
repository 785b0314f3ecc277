//! GraphQL as GitHub speaks it: documents, and the envelope of the answer.
//!
//! octocrab's own `graphql()` drops the `type` of errors and the data of a partial failure; both
//! decide here.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::budget::Resource;
use super::channel::{Answer, Ask, Channel};
use super::error::{GitHubError, GraphQlError};
use super::mutation;

const ITEM_FIELDS: &str = include_str!("graphql/item_fields.graphql");
const ISSUE_FIELDS: &str = include_str!("graphql/issue_fields.graphql");
pub(super) const LABELS: &str = include_str!("graphql/labels.graphql");
pub(super) const FILES: &str = include_str!("graphql/files.graphql");
pub(super) const PROJECT: &str = include_str!("graphql/project.graphql");

/// Fields of an issue that older Enterprise Servers do not have. Each is a line of its own.
const NEWER: [&str; 3] = ["issueType", "parent", "subIssuesSummary"];

/// The document for one issue by its number, without the fields named.
pub(super) fn item(without: &[&str]) -> String {
    with_fields(
        &[include_str!("graphql/item.graphql"), ITEM_FIELDS],
        without,
    )
}

/// The document for one issue by its node id, without the fields named.
pub(super) fn item_by_node(without: &[&str]) -> String {
    with_fields(
        &[include_str!("graphql/item_by_node.graphql"), ITEM_FIELDS],
        without,
    )
}

/// The document for the rows of a board, without the fields named.
pub(super) fn project_items(without: &[&str]) -> String {
    with_fields(&[include_str!("graphql/project_items.graphql")], without)
}

/// The document for a repository's issues and their timelines, without the fields named.
pub(super) fn history(without: &[&str]) -> String {
    with_fields(&[include_str!("graphql/history.graphql")], without)
}

fn with_fields(parts: &[&str], without: &[&str]) -> String {
    let left_out = |line: &str| {
        let field = line.split_whitespace().next();
        field.is_some_and(|field| without.contains(&field))
    };
    let mut document = parts.concat();
    for line in ISSUE_FIELDS.lines().filter(|line| !left_out(line)) {
        document.push_str(line);
        document.push('\n');
    }
    document
}

/// The newer fields that a server refuses to know.
pub(super) fn unknown_fields(error: &GitHubError) -> Vec<&'static str> {
    let GitHubError::GraphQl(errors) = error else {
        return Vec::new();
    };
    let refused = |field: &&str| {
        errors.iter().any(|error| {
            error.code.as_deref() == Some("undefinedField")
                && error.path.last().is_some_and(|last| last == field)
        })
    };
    NEWER.into_iter().filter(refused).collect()
}

/// Every document this client sends, by name: the queries, each mutation alone, and composed ones.
/// For the check against GitHub's schema.
#[must_use]
pub fn documents() -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("item", item(&[])),
        ("item_by_node", item_by_node(&[])),
        ("labels", LABELS.to_owned()),
        ("project", PROJECT.to_owned()),
        ("files", FILES.to_owned()),
        ("project_items", project_items(&[])),
        ("history", history(&[])),
    ];
    all.extend(mutation::documents());
    all
}

/// An answer to a document: data, errors or both.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) data: Value,
    pub(super) errors: Vec<GraphQlError>,
}

impl Reply {
    /// Reads the envelope. Limits are told to the budget.
    pub(super) fn open(channel: &Channel, answer: Answer) -> Result<Self, GitHubError> {
        let answer = answer.ok()?;
        let wire: WireReply = answer.json()?;
        let data = wire.data.unwrap_or_default();
        let errors: Vec<GraphQlError> = wire.errors.into_iter().map(GraphQlError::from).collect();
        if errors.iter().any(GraphQlError::is_rate_limit) {
            let until = channel.limited(Resource::GraphQl, &answer);
            if is_void(&data) {
                return Err(GitHubError::RateLimited { until });
            }
        } else {
            channel.budget().accepted();
        }
        if let Some(cost) = data["rateLimit"]["cost"].as_u64() {
            metrics::counter!("northstar_github_graphql_points_total").increment(cost);
        }
        if data.is_null() && errors.is_empty() {
            return Err(GitHubError::Shape {
                what: "neither data nor errors".to_owned(),
            });
        }
        Ok(Self { data, errors })
    }

    /// The reply as a whole failed: refused, or broken on GitHub's side.
    pub(super) fn into_failure(self) -> GitHubError {
        match self.errors.iter().find(|error| !error.is_refusal()) {
            Some(broken) => GitHubError::Uncertain {
                why: broken.to_string(),
            },
            None => GitHubError::GraphQl(self.errors),
        }
    }
}

/// A query, read again after faults of the moment. The value at `pointer` of the data is what was
/// asked for; `None` where GitHub says that it is not there.
///
/// What else GitHub refused to show (a board that the App may not see) is left out of the data. A
/// part that is missing because GitHub broke is a fault: half an item must not pass for a whole.
pub(super) async fn query<T: DeserializeOwned>(
    channel: &Channel,
    document: &str,
    variables: &Value,
    pointer: &str,
) -> Result<Option<T>, GitHubError> {
    let ask = Ask::graphql(document, variables);
    channel
        .read(&ask, |answer| {
            let mut reply = Reply::open(channel, answer)?;
            if reply.errors.iter().any(|error| !error.is_refusal()) {
                return Err(reply.into_failure());
            }
            let found = reply.data.pointer_mut(pointer).map(Value::take);
            match found.filter(|value| !value.is_null()) {
                Some(value) => {
                    serde_json::from_value(value)
                        .map(Some)
                        .map_err(|error| GitHubError::Shape {
                            what: error.to_string(),
                        })
                }
                None if reply.errors.iter().all(GraphQlError::is_not_found) => Ok(None),
                None => Err(reply.into_failure()),
            }
        })
        .await
}

/// Null, or an object of nothing but nulls: no part of the document has a result.
fn is_void(data: &Value) -> bool {
    match data {
        Value::Null => true,
        Value::Object(fields) => fields
            .iter()
            .all(|(name, value)| value.is_null() || name == "rateLimit"),
        _ => false,
    }
}

#[derive(Deserialize)]
struct WireReply {
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<WireError>,
}

#[derive(Deserialize)]
struct WireError {
    #[serde(rename = "type")]
    type_: Option<String>,
    path: Option<Vec<Value>>,
    #[serde(default)]
    message: String,
    extensions: Option<Value>,
}

impl From<WireError> for GraphQlError {
    fn from(wire: WireError) -> Self {
        let segment = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Self {
            type_: wire.type_,
            code: wire
                .extensions
                .and_then(|e| e["code"].as_str().map(str::to_owned)),
            path: wire.path.into_iter().flatten().map(segment).collect(),
            message: wire.message.chars().take(300).collect(),
        }
    }
}

/// A list of GraphQL: entries may be null where the App may not see them.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(super) struct Nodes<T> {
    nodes: Option<Vec<Option<T>>>,
    #[serde(rename = "pageInfo")]
    page: Option<PageInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

impl<T> Nodes<T> {
    pub(super) fn next(&self) -> Option<String> {
        let page = self.page.as_ref().filter(|page| page.has_next_page)?;
        page.end_cursor.clone()
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = T> {
        self.nodes.into_iter().flatten().flatten()
    }
}
