//! Asking GitHub: waits for the budget, asks once, and says what came of it.
//!
//! Reads are repeated after faults of the moment. Writes never are: they take their turn with the
//! writer, go out once, and their end is told as it is.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LINK, LOCATION};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, LengthLimitError};
use jiff::{SignedDuration, Timestamp};
use octocrab::{OctoBody, Octocrab};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::clock::SharedClock;

use super::budget::{Budget, Resource};
use super::error::{GitHubError, speaks_of_limits};
use super::pace::{PATIENCE, Writer};
use super::transport::{GRAPHQL, LimitedUntil, SendError};

/// Side by side; GitHub's secondary limit is 100, REST and GraphQL together.
const CONCURRENT: usize = 50;

/// Redirects of a renamed repository; GitHub has one, a loop has no end.
const REDIRECTS: usize = 3;

/// Pages of a list; 100 each. A `Link` that leads in a circle ends here.
const PAGES: usize = 1000;

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    method: Method,
    /// Path and query, as in GitHub's documentation.
    path: String,
    body: Option<Bytes>,
}

impl Ask {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            body: None,
        }
    }

    pub(super) fn send(method: Method, path: impl Into<String>, body: &Value) -> Self {
        Self {
            method,
            path: path.into(),
            body: Some(Bytes::from(body.to_string())),
        }
    }

    pub(super) fn graphql(document: &str, variables: &Value) -> Self {
        let body = serde_json::json!({ "query": document, "variables": variables });
        Self::send(Method::POST, GRAPHQL, &body)
    }

    fn resource(&self) -> Resource {
        if self.path == GRAPHQL {
            Resource::GraphQl
        } else {
            Resource::Core
        }
    }

    fn request(&self, path: &Uri) -> Result<Request<OctoBody>, GitHubError> {
        // Relative, or octocrab does not add the token.
        let relative = path.path_and_query().map_or("/", |p| p.as_str());
        let mut request = Request::builder().method(self.method.clone()).uri(relative);
        let body = match &self.body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                OctoBody::from(body.clone())
            }
            None => OctoBody::empty(),
        };
        request.body(body).map_err(|error| not_sent(&error))
    }
}

/// An answer that is neither a fault of GitHub's nor a refusal for the rate.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// Only a 2xx passes.
    pub(super) fn ok(self) -> Result<Self, GitHubError> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(match self.status {
            StatusCode::NOT_FOUND | StatusCode::GONE => GitHubError::NotFound,
            StatusCode::UNAUTHORIZED => GitHubError::Unauthorized {
                why: self.message(),
            },
            status => GitHubError::Refused {
                status: status.as_u16(),
                message: self.message(),
            },
        })
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, GitHubError> {
        serde_json::from_slice(&self.body).map_err(|error| GitHubError::Shape {
            what: error.to_string(),
        })
    }

    /// GitHub's own words, with the codes of a failed validation, kept short.
    pub(super) fn message(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let mut text = body["message"].as_str().unwrap_or_default().to_owned();
        for error in body["errors"].as_array().into_iter().flatten() {
            if let Some(word) = error["code"].as_str().or_else(|| error.as_str()) {
                text = format!("{text} ({word})");
            }
        }
        text.chars().take(300).collect()
    }

    /// Did a validation fail with this code (422)?
    pub(super) fn failed_with(&self, code: &str) -> bool {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        self.status == StatusCode::UNPROCESSABLE_ENTITY
            && body["errors"]
                .as_array()
                .is_some_and(|errors| errors.iter().any(|e| e["code"] == code))
    }

    /// Path and query of the next page. The host of a `Link` is never followed: octocrab would
    /// leave the token out, and it is our business alone whom we ask.
    pub(super) fn next_page(&self) -> Option<String> {
        self.headers
            .get_all(LINK)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split('<').skip(1))
            .filter_map(|link| link.split_once('>'))
            .find(|(_, parameters)| {
                parameters
                    .split([';', ','])
                    .any(|p| matches!(p.trim(), "rel=\"next\"" | "rel=next"))
            })
            .and_then(|(address, _)| path_and_query(address))
    }
}

/// What the App or an installation talks through.
pub(super) struct Channel {
    octocrab: Octocrab,
    clock: SharedClock,
    timeout: Duration,
    budget: Arc<Budget>,
    /// Where token requests are counted; for the App itself the same as `budget`.
    app_budget: Arc<Budget>,
    writer: Writer,
    /// One token request at a time; the others then find it in octocrab's hands.
    token: Option<tokio::sync::Mutex<()>>,
    concurrent: Semaphore,
}

impl Channel {
    pub(super) fn new(
        octocrab: Octocrab,
        clock: SharedClock,
        timeout: Duration,
        budgets: (Arc<Budget>, Arc<Budget>),
        writer: Writer,
        needs_token: bool,
    ) -> Self {
        let (budget, app_budget) = budgets;
        Self {
            octocrab,
            clock,
            timeout,
            budget,
            app_budget,
            writer,
            token: needs_token.then(|| tokio::sync::Mutex::new(())),
            concurrent: Semaphore::new(CONCURRENT),
        }
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    pub(super) fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A read: waits for the budget, asks, reads the answer; all of it again after a fault of the
    /// moment. `read` may itself find one (GraphQL tells faults with status 200).
    pub(super) async fn read<T>(
        &self,
        ask: &Ask,
        read: impl Fn(Answer) -> Result<T, GitHubError>,
    ) -> Result<T, GitHubError> {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(250))
            .with_factor(4.0)
            .with_max_times(3)
            .with_jitter()
            .build();
        // A loop, not backon's own: its futures cannot be shown to be `Send` over borrowed ones.
        loop {
            let error = match self.read_once(ask, &read).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let now = self.clock.now();
            let again = match error.retry_at() {
                Some(until) => until.duration_since(now) <= PATIENCE,
                None => error.is_passing(),
            };
            let Some(pause) = pauses.next().filter(|_| again) else {
                return Err(error);
            };
            tracing::debug!(path = ask.path, %error, ?pause, "reading again");
            let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::ZERO);
            let until = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
            self.clock.sleep_until(until).await;
        }
    }

    async fn read_once<T>(
        &self,
        ask: &Ask,
        read: impl Fn(Answer) -> Result<T, GitHubError>,
    ) -> Result<T, GitHubError> {
        self.wait(ask.resource()).await?;
        let answer = self.once(ask).await?;
        if ask.resource() == Resource::Core {
            self.budget.accepted(); // of GraphQL only the envelope tells
        }
        read(answer)
    }

    /// All pages of a list, 100 items each, from `path` on.
    pub(super) async fn read_all<T>(
        &self,
        path: String,
        mut page: impl FnMut(&Answer) -> Result<Vec<T>, GitHubError>,
    ) -> Result<Vec<T>, GitHubError> {
        let mut all = Vec::new();
        let mut next = Some(path);
        for _ in 0..PAGES {
            let Some(path) = next else {
                return Ok(all);
            };
            let answer = self.read(&Ask::get(path), Answer::ok).await?;
            all.extend(page(&answer)?);
            next = answer.next_page();
        }
        Err(GitHubError::Shape {
            what: format!("a list of more than {PAGES} pages"),
        })
    }

    /// A write: takes its turn, goes out once. `content` is how much content it creates, `writes`
    /// how many writes it is (the aliases of a document).
    pub(super) async fn write(
        &self,
        ask: &Ask,
        writes: u32,
        content: u32,
    ) -> Result<Answer, GitHubError> {
        let _turn = self
            .writer
            .turn(&self.budget, ask.resource(), writes, content)
            .await?;
        let answer = self.once(ask).await.map_err(GitHubError::after_a_write)?;
        if ask.resource() == Resource::Core {
            self.budget.accepted(); // of GraphQL only the envelope tells
        }
        Ok(answer)
    }

    /// Until the budget lets a read through, or an error that says when it will.
    async fn wait(&self, resource: Resource) -> Result<(), GitHubError> {
        loop {
            let now = self.clock.now();
            let ready = self.budget.ready_at(resource, 1, now);
            if ready <= now {
                self.budget.take(resource, 1, now);
                return Ok(());
            }
            if ready.duration_since(now) > PATIENCE {
                return Err(GitHubError::RateLimited { until: ready });
            }
            self.clock.sleep_until(ready).await;
        }
    }

    /// One request, one answer. The time limit is for the request alone: having waited for a
    /// token or a slot is not having sent anything.
    async fn once(&self, ask: &Ask) -> Result<Answer, GitHubError> {
        self.ensure_token().await?;
        let Ok(_slot) = self.concurrent.acquire().await else {
            return Err(not_sent(&"the client is closed"));
        };
        match tokio::time::timeout(self.timeout, self.exchange(ask)).await {
            Ok(answer) => answer,
            Err(_) => Err(GitHubError::Uncertain {
                why: format!("no answer within {:?}", self.timeout),
            }),
        }
    }

    async fn exchange(&self, ask: &Ask) -> Result<Answer, GitHubError> {
        let mut path: Uri = ask.path.parse().map_err(|error| not_sent(&error))?;
        for _ in 0..=REDIRECTS {
            let answer = self
                .octocrab
                .execute(ask.request(&path)?)
                .await
                .map_err(|error| self.no_answer(&error))?;
            let (parts, body) = answer.into_parts();
            let body = match body.collect().await {
                Ok(body) => body.to_bytes(),
                Err(error) => return Err(broken_body(&error)),
            };
            let answer = Answer {
                status: parts.status,
                headers: parts.headers,
                body,
            };
            if let Some(LimitedUntil(until)) = parts.extensions.get() {
                return Err(GitHubError::RateLimited { until: *until });
            }
            if answer.status == StatusCode::FORBIDDEN && speaks_of_limits(&answer.message()) {
                let until = self.limited(ask.resource(), &answer);
                return Err(GitHubError::RateLimited { until });
            }
            if answer.status.is_server_error() {
                return Err(GitHubError::Uncertain {
                    why: format!("status {}", answer.status.as_u16()),
                });
            }
            // A repository that was renamed: GitHub has done nothing and says where to ask, with
            // the same method.
            match elsewhere(&answer) {
                Some(there) => path = there,
                None => return Ok(answer),
            }
        }
        Err(GitHubError::Refused {
            status: StatusCode::LOOP_DETECTED.as_u16(),
            message: "GitHub sends us round in circles".to_owned(),
        })
    }

    /// A refusal for the rate that only the body tells.
    pub(super) fn limited(&self, resource: Resource, answer: &Answer) -> Timestamp {
        self.budget
            .refused(resource, &answer.headers, self.clock.now())
    }

    async fn ensure_token(&self) -> Result<(), GitHubError> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        let _one = token.lock().await;
        let now = self.clock.now();
        let until = self.app_budget.ready_at(Resource::Core, 1, now);
        if until > now {
            // GitHub limits the App, and a token may have to be asked for.
            return Err(GitHubError::RateLimited { until });
        }
        let got = tokio::time::timeout(self.timeout, self.octocrab.installation_token()).await;
        match got {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.no_token(&error)),
            Err(_) => Err(not_sent(&"no installation token in time")),
        }
    }

    /// Why a token could not be had; whatever it was, nothing has been done.
    fn no_token(&self, error: &octocrab::Error) -> GitHubError {
        let octocrab::Error::GitHub { source, .. } = error else {
            return match error {
                octocrab::Error::JWT { .. } => GitHubError::Settings {
                    what: "the private key does not sign".to_owned(),
                },
                octocrab::Error::Service { source, .. } => not_sent(source),
                _ => not_sent(&"no installation token"),
            };
        };
        let status = source.status_code;
        let now = self.clock.now();
        let limited = status == StatusCode::TOO_MANY_REQUESTS || speaks_of_limits(&source.message);
        if limited {
            let mut until = self.app_budget.ready_at(Resource::Core, 1, now);
            if until <= now {
                // The headers did not say so: only the body does.
                until = self
                    .app_budget
                    .refused(Resource::Core, &HeaderMap::new(), now);
            }
            GitHubError::RateLimited { until }
        } else if status.is_client_error() {
            let message: String = source.message.chars().take(300).collect();
            GitHubError::Unauthorized {
                why: format!("no installation token ({status}): {message}"),
            }
        } else {
            not_sent(&format!("no installation token ({status})"))
        }
    }

    /// octocrab has no answer for us.
    fn no_answer(&self, error: &octocrab::Error) -> GitHubError {
        match error {
            octocrab::Error::Service { source, .. } => match source.downcast_ref::<SendError>() {
                Some(failed) if failed.before_sending => not_sent(failed),
                _ => GitHubError::Uncertain {
                    why: source.to_string(),
                },
            },
            // After a 401 octocrab asks for a new token; the request itself was refused.
            other => self.no_token(other),
        }
    }
}

fn not_sent(why: &(impl std::fmt::Display + ?Sized)) -> GitHubError {
    GitHubError::NotSent {
        why: why.to_string(),
    }
}

fn broken_body(error: &octocrab::Error) -> GitHubError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<LengthLimitError>() {
            return GitHubError::Shape {
                what: "the answer is larger than we take".to_owned(),
            };
        }
        cause = inner.source();
    }
    GitHubError::Uncertain {
        why: "the answer broke off".to_owned(),
    }
}

fn elsewhere(answer: &Answer) -> Option<Uri> {
    let redirects = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !redirects.contains(&answer.status) {
        return None;
    }
    let there = answer.headers.get(LOCATION)?.to_str().ok()?;
    path_and_query(there)?.parse().ok()
}

fn path_and_query(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    uri.path_and_query().map(ToString::to_string)
}

/// A name as one segment of a path. `.` and `..` are no names.
pub(super) fn segment(name: &str) -> Result<String, GitHubError> {
    use std::fmt::Write as _;
    if name.is_empty() || name == "." || name == ".." {
        return Err(not_sent(&format!("{name:?} is no name on GitHub")));
    }
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(link: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(LINK, link.parse().unwrap());
        Answer {
            status: StatusCode::OK,
            headers,
            body: Bytes::new(),
        }
    }

    #[test]
    fn the_next_page_is_a_path_whatever_the_host() {
        let link = r#"<https://other.example/orgs/o/members?page=1,2>; rel="prev", <https://other.example/orgs/o/members?page=3>; rel="next""#;
        assert_eq!(
            answer(link).next_page().as_deref(),
            Some("/orgs/o/members?page=3")
        );
        assert_eq!(
            answer(r#"<https://x/y?page=1>; rel="last""#).next_page(),
            None
        );
    }

    #[test]
    fn names_cannot_leave_their_segment() {
        assert_eq!(
            segment("good first issue/x?").unwrap(),
            "good%20first%20issue%2Fx%3F"
        );
        for wrong in ["", ".", ".."] {
            assert!(segment(wrong).is_err());
        }
    }
}
