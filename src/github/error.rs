//! What can go wrong, and whether the effect may have happened all the same.

use jiff::Timestamp;

/// A request to GitHub that did not end well.
///
/// No variant carries a token, a key, a header or a request body.
#[derive(Debug, thiserror::Error)]
pub enum GitHubError {
    /// GitHub, or our own pacing, says wait. Nothing was done.
    #[error("GitHub wants us to wait until {until}")]
    RateLimited { until: Timestamp },
    /// A 4xx: GitHub understood and refused. Nothing was done.
    #[error("GitHub refused ({status}): {message}")]
    Refused { status: u16, message: String },
    /// 404 or 410: not there, or not visible to the App. Nothing was done.
    #[error("not found on GitHub, or not visible to the App")]
    NotFound,
    /// 401 with a fresh token, or no token to be had. Nothing was done.
    #[error("GitHub does not accept our credentials: {why}")]
    Unauthorized { why: String },
    /// Sent, and the end is unknown: 5xx, timeout, dropped connection, unreadable answer to a
    /// write. GitHub must be read before the effect is tried again.
    #[error("sent to GitHub, outcome unknown: {why}")]
    Uncertain { why: String },
    /// Never left: no connection, no token, or nothing that can be asked. Nothing was done.
    #[error("not sent to GitHub: {why}")]
    NotSent { why: String },
    /// The whole GraphQL document was refused. Nothing was done.
    #[error("GitHub refused the GraphQL document: {}", list(.0))]
    GraphQl(Vec<GraphQlError>),
    /// An answer to a read that is not what GitHub documents, or too large.
    #[error("GitHub's answer cannot be read: {what}")]
    Shape { what: String },
    /// The settings do not make a client.
    #[error("GitHub client: {what}")]
    Settings { what: String },
}

impl GitHubError {
    /// May the write have happened although it failed? Then look before repeating it.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::Uncertain { .. } => true,
            Self::RateLimited { .. }
            | Self::Refused { .. }
            | Self::NotFound
            | Self::Unauthorized { .. }
            | Self::NotSent { .. }
            | Self::GraphQl(_)
            | Self::Shape { .. }
            | Self::Settings { .. } => false,
        }
    }

    /// When trying again makes sense, where GitHub or the pacing told us.
    #[must_use]
    pub fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::RateLimited { until } => Some(*until),
            _ => None,
        }
    }

    /// A fault of the moment: the same read may succeed a little later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Uncertain { .. } | Self::NotSent { .. })
    }

    /// For writes: an answer that came and cannot be read leaves the effect open.
    pub(super) fn after_a_write(self) -> Self {
        match self {
            Self::Shape { what } => Self::Uncertain { why: what },
            other => other,
        }
    }
}

/// One entry of `errors` in a GraphQL answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {message}", .type_.as_deref().unwrap_or("error"), at(.path))]
pub struct GraphQlError {
    /// GitHub's `type`: `NOT_FOUND`, `FORBIDDEN`, `UNPROCESSABLE`, `RATE_LIMITED` …
    pub type_: Option<String>,
    /// `extensions.code` of a document that failed validation (`undefinedField` …).
    pub code: Option<String>,
    /// Where in the answer; the first segment is the alias.
    pub path: Vec<String>,
    pub message: String,
}

impl GraphQlError {
    /// May the mutation of this alias have happened?
    ///
    /// A refusal has a `type` and points at the mutation itself, or has a validation `code`. An
    /// error deeper in the path arose while the result was read, after the effect; an error with
    /// neither is GitHub's "something went wrong".
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        if self.code.is_some() {
            return false;
        }
        self.path.len() > 1 || !self.is_refusal()
    }

    /// GitHub said no, for a reason it could name.
    pub(super) fn is_refusal(&self) -> bool {
        self.code.is_some()
            || self
                .type_
                .as_deref()
                .is_some_and(|t| !matches!(t, "INTERNAL" | "SERVICE_UNAVAILABLE" | "TIMEOUT"))
    }

    /// The primary or a secondary limit, as GraphQL says it: with status 200.
    pub(super) fn is_rate_limit(&self) -> bool {
        matches!(self.type_.as_deref(), Some("RATE_LIMITED" | "RATE_LIMIT"))
            || speaks_of_limits(&self.message)
    }

    /// The thing itself is not there (or not visible).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.type_.as_deref() == Some("NOT_FOUND")
    }
}

/// GitHub's wording when it refuses for the rate, primary, secondary or (older) "abuse".
pub(super) fn speaks_of_limits(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("rate limit") || message.contains("abuse detection")
}

fn at(path: &[String]) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" at {}", path.join("."))
    }
}

fn list(errors: &[GraphQlError]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(type_: Option<&str>, path: &[&str]) -> GraphQlError {
        GraphQlError {
            type_: type_.map(str::to_owned),
            code: None,
            path: path.iter().map(|s| (*s).to_owned()).collect(),
            message: "m".to_owned(),
        }
    }

    #[test]
    fn an_alias_that_was_refused_did_nothing_and_one_that_broke_may_have() {
        assert!(!error(Some("NOT_FOUND"), &["m0"]).may_have_happened());
        assert!(error(None, &["m0"]).may_have_happened());
        assert!(error(Some("INTERNAL"), &["m0"]).may_have_happened());
        // The label was added, then its issue could not be read.
        assert!(error(Some("FORBIDDEN"), &["m0", "labelable"]).may_have_happened());
        let invalid = GraphQlError {
            code: Some("undefinedField".to_owned()),
            ..error(None, &["mutation Write", "m0", "x"])
        };
        assert!(!invalid.may_have_happened());
    }

    #[test]
    fn an_unreadable_answer_to_a_write_is_uncertain() {
        let shape = || GitHubError::Shape {
            what: "x".to_owned(),
        };
        assert!(!shape().may_have_happened());
        assert!(shape().after_a_write().may_have_happened());
    }
}
