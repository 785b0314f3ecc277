//! What was asked of the simulated GitHub, so that a story can end by checking every request.

use jiff::Timestamp;
use serde_json::Value;

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Logged {
    /// When it arrived, by the simulation's clock.
    pub at: Timestamp,
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Without the question mark; empty without one.
    pub query: String,
    /// The body where it was JSON, null otherwise.
    pub body: Value,
    /// Answered status; `None` when a fault dropped the connection.
    pub status: Option<u16>,
    /// The answer's body where it was JSON, null otherwise.
    pub response: Value,
    /// Changes something on GitHub (a GraphQL mutation, or a method that is not GET or HEAD; asking
    /// for an installation token or a redelivery does not count).
    pub is_write: bool,
    /// Creates content that people are notified of (issues, comments), or for GraphQL any mutation
    /// that does: what the secondary limits of 80 a minute and 500 an hour count.
    pub content: bool,
    /// Whose token it was.
    pub installation: Option<u64>,
    /// Name of the GraphQL operation, where it has one.
    pub operation: Option<String>,
    /// Root fields of the GraphQL operation, in order (for a mutation: what it did).
    pub fields: Vec<String>,
    /// Points the GraphQL document cost; 0 for REST.
    pub cost: u64,
}
