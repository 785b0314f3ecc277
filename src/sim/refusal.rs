//! How GitHub says no. One value, worded for REST here and for GraphQL in `graphql`.

use serde_json::{Map, Value, json};

/// A request that GitHub does not carry out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub status: u16,
    pub message: String,
    /// `errors` of a 422: `{resource, field, code}`.
    pub errors: Vec<Value>,
}

const DOCS: &str = "https://docs.github.com/rest";

impl Refusal {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            errors: Vec::new(),
        }
    }

    /// Not there, or not to be seen by this token: GitHub does not tell which.
    pub fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    pub fn gone(message: &str) -> Self {
        Self::new(410, message)
    }

    /// The token's permissions do not cover this.
    pub fn forbidden() -> Self {
        Self::new(403, "Resource not accessible by integration")
    }

    /// 422 with one entry in `errors`; `code` is one of GitHub's (`missing_field`, `invalid`,
    /// `already_exists`, `custom` …).
    pub fn invalid(resource: &str, field: &str, code: &str) -> Self {
        Self {
            status: 422,
            message: "Validation Failed".to_owned(),
            errors: vec![json!({"resource": resource, "field": field, "code": code})],
        }
    }

    /// As [`Refusal::invalid`], with the sentence GitHub adds.
    pub fn invalid_because(resource: &str, field: &str, message: &str) -> Self {
        Self {
            status: 422,
            message: "Validation Failed".to_owned(),
            errors: vec![
                json!({"resource": resource, "code": "custom", "field": field, "message": message}),
            ],
        }
    }

    /// The body of the REST answer.
    pub fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("message".to_owned(), self.message.clone().into());
        if !self.errors.is_empty() {
            body.insert("errors".to_owned(), Value::Array(self.errors.clone()));
        }
        body.insert("documentation_url".to_owned(), DOCS.into());
        body.insert("status".to_owned(), self.status.to_string().into());
        Value::Object(body)
    }

    /// The `type` of a GraphQL error.
    pub fn graphql_type(&self) -> &'static str {
        match self.status {
            404 | 410 => "NOT_FOUND",
            403 => "FORBIDDEN",
            _ => "UNPROCESSABLE",
        }
    }

    /// One sentence for GraphQL, which has no `errors[]` of fields.
    pub fn sentence(&self) -> String {
        let detail = self.errors.first().and_then(|error| {
            let field = error.get("field")?.as_str()?;
            let why = error
                .get("message")
                .or_else(|| error.get("code"))?
                .as_str()?;
            Some(format!("{}: {field} {why}", self.message))
        });
        detail.unwrap_or_else(|| self.message.clone())
    }
}
