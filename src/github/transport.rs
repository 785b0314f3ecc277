//! The tower stack under octocrab: hyper at the bottom and one layer of ours above it.
//!
//! The layer addresses and names every request, and sees every answer: it keeps the budget, bounds
//! the body, counts and traces. It never repeats anything; octocrab's own retry is not built in.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use http::header::{ACCEPT, HeaderName, HeaderValue, USER_AGENT};
use http::{Request, Response, Uri};
use http_body_util::Limited;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as HyperError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use jiff::Timestamp;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service};

use crate::clock::SharedClock;

use super::budget::{Budget, Resource};
use super::error::GitHubError;

/// Where the API is: the base of REST, and GraphQL beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    scheme: http::uri::Scheme,
    authority: http::uri::Authority,
    /// Without a slash at the end: empty, or `/api/v3` on GitHub Enterprise Server.
    base: String,
    graphql: String,
}

/// The path that stands for GraphQL until [`Address::resolve`] puts the real one.
pub(super) const GRAPHQL: &str = "/graphql";

impl Address {
    /// From `github.api_url`.
    pub(super) fn parse(api_url: &str) -> Result<Self, GitHubError> {
        // The address is not repeated in the error: it may carry credentials.
        let wrong = |what: &str| GitHubError::Settings {
            what: format!("github.api_url {what}"),
        };
        let uri: Uri = api_url
            .trim()
            .parse()
            .map_err(|_| wrong("is not an address"))?;
        let parts = uri.into_parts();
        let scheme = parts
            .scheme
            .filter(|s| ["http", "https"].contains(&s.as_str()))
            .ok_or_else(|| wrong("must start with https:// or http://"))?;
        let authority = parts.authority.ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("must not carry a user or password"));
        }
        let path = parts
            .path_and_query
            .map_or_else(String::new, |p| p.path().trim_end_matches('/').to_owned());
        // github.com has /graphql beside everything; Enterprise Server /api/v3 and /api/graphql.
        let graphql = match path.strip_suffix("/api/v3") {
            Some(before) => format!("{before}/api/graphql"),
            None => format!("{path}{GRAPHQL}"),
        };
        Ok(Self {
            scheme,
            authority,
            base: path,
            graphql,
        })
    }

    fn is_https(&self) -> bool {
        self.scheme == http::uri::Scheme::HTTPS
    }

    /// The full address of a path, which may come from a `Link` and then has the base already.
    /// Host and scheme are always ours, whatever the path came with.
    fn resolve(&self, uri: &Uri) -> Result<Uri, http::Error> {
        let asked = uri.path_and_query().map_or("/", |p| p.as_str());
        let has_base = asked
            .strip_prefix(&self.base)
            .is_some_and(|rest| rest.starts_with('/'));
        let path = if asked == GRAPHQL {
            self.graphql.clone()
        } else if has_base {
            asked.to_owned()
        } else {
            format!("{}{asked}", self.base)
        };
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
    }

    /// The path below the base: what the API's documentation calls it.
    fn documented<'a>(&self, path: &'a str) -> &'a str {
        path.strip_prefix(&self.base)
            .filter(|rest| rest.starts_with('/'))
            .unwrap_or(path)
    }
}

/// The transport failed; there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(super) struct SendError {
    /// The connection was never made, so nothing was sent.
    pub(super) before_sending: bool,
    pub(super) why: String,
}

/// Put on an answer whose headers say that the rate was refused: when to ask again.
#[derive(Clone, Copy, Debug)]
pub(super) struct LimitedUntil(pub(super) Timestamp);

/// Connections are given up before GitHub's side does: a write on one that is just being closed
/// ends uncertain.
const IDLE: Duration = Duration::from_secs(20);

type Wire = BoxCloneSyncService<Request<OctoBody>, Response<Incoming>, HyperError>;

/// One pool of connections for the App and all its installations.
#[derive(Clone)]
pub(super) struct Pool {
    wire: Wire,
    address: Address,
    clock: SharedClock,
    /// Bytes of an answer's body.
    max_answer: usize,
}

impl Pool {
    pub(super) fn new(
        address: Address,
        clock: SharedClock,
        connect_timeout: Duration,
        max_answer: usize,
    ) -> Result<Self, GitHubError> {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(connect_timeout));
        tcp.set_nodelay(true);
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
        // A plain client for http:// needs no certificates: the demo runs where there are none.
        let wire = if address.is_https() {
            tcp.enforce_http(false);
            let connector = hyper_rustls::HttpsConnectorBuilder::new()
                .with_native_roots()
                .map_err(|error| GitHubError::Settings {
                    what: format!("no certificates of authorities on this machine: {error}"),
                })?
                .https_only()
                .enable_http1()
                .wrap_connector(tcp);
            Wire::new(client.build(connector))
        } else {
            Wire::new(client.build(tcp))
        };
        Ok(Self {
            wire,
            address,
            clock,
            max_answer,
        })
    }

    /// An octocrab over this pool. Answers to `/app…` are the App's, all others count for `own`.
    pub(super) fn octocrab(&self, auth: AuthState, own: Arc<Budget>, app: Arc<Budget>) -> Octocrab {
        let layer = WatchLayer {
            address: self.address.clone(),
            clock: Arc::clone(&self.clock),
            max_answer: self.max_answer,
            own,
            app,
        };
        let built = OctocrabBuilder::new_empty()
            .with_service(self.wire.clone())
            .with_layer(&layer)
            .with_auth(auth)
            .build();
        match built {
            Ok(octocrab) => octocrab,
            Err(infallible) => match infallible {},
        }
    }
}

#[derive(Clone)]
struct WatchLayer {
    address: Address,
    clock: SharedClock,
    max_answer: usize,
    own: Arc<Budget>,
    app: Arc<Budget>,
}

impl<S> Layer<S> for WatchLayer {
    type Service = Watch<S>;

    fn layer(&self, inner: S) -> Watch<S> {
        Watch {
            inner,
            with: self.clone(),
        }
    }
}

struct Watch<S> {
    inner: S,
    with: WatchLayer,
}

impl<S> Service<Request<OctoBody>> for Watch<S>
where
    S: Service<Request<OctoBody>, Response = Response<Incoming>, Error = HyperError>,
    S::Future: Send + 'static,
{
    type Response = Response<Limited<Incoming>>;
    type Error = SendError;
    type Future = BoxFuture<'static, Result<Self::Response, SendError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.inner.poll_ready(cx).map_err(SendError::from)
    }

    fn call(&mut self, mut request: Request<OctoBody>) -> Self::Future {
        let with = self.with.clone();
        let asked = request.uri().path();
        let resource = if asked == GRAPHQL {
            Resource::GraphQl
        } else {
            Resource::Core
        };
        let path = with.address.documented(asked).to_owned();
        let budget = if path == "/app" || path.starts_with("/app/") {
            Arc::clone(&with.app)
        } else {
            Arc::clone(&with.own)
        };
        match with.address.resolve(request.uri()) {
            Ok(uri) => *request.uri_mut() = uri,
            Err(error) => {
                let why = format!("no address: {error}");
                return Box::pin(std::future::ready(Err(SendError {
                    before_sending: true,
                    why,
                })));
            }
        }
        name_ourselves(request.headers_mut());
        let method = request.method().clone();
        let started = Instant::now();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await.map_err(SendError::from);
            let ms = started.elapsed().as_millis();
            let status = match &answer {
                Ok(answer) => answer.status().as_str().to_owned(),
                Err(_) => "none".to_owned(),
            };
            metrics::counter!(
                "northstar_github_requests_total",
                "kind" => resource.name(),
                "status" => status.clone(),
            )
            .increment(1);
            tracing::debug!(%method, path, status, ms, "asked GitHub");
            let mut answer = answer?;
            let now = with.clock.now();
            if let Some(until) = budget.observe(resource, answer.status(), answer.headers(), now) {
                answer.extensions_mut().insert(LimitedUntil(until));
            }
            Ok(answer.map(|body| Limited::new(body, with.max_answer)))
        })
    }
}

impl From<HyperError> for SendError {
    fn from(error: HyperError) -> Self {
        let mut why = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            why = format!("{why}: {inner}");
            cause = inner.source();
        }
        Self {
            before_sending: error.is_connect(),
            why,
        }
    }
}

fn name_ourselves(headers: &mut http::HeaderMap) {
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("northstar/", env!("CARGO_PKG_VERSION"))),
    );
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/vnd.github+json"),
    );
    headers.insert(
        HeaderName::from_static("x-github-api-version"),
        HeaderValue::from_static("2022-11-28"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(api_url: &str, path: &str) -> String {
        let address = Address::parse(api_url).unwrap();
        address.resolve(&path.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn github_com_and_enterprise_server_have_graphql_in_different_places() {
        let ghe = "https://ghe.example/api/v3/";
        assert_eq!(
            resolved("https://api.github.com", "/graphql"),
            "https://api.github.com/graphql"
        );
        assert_eq!(resolved(ghe, "/graphql"), "https://ghe.example/api/graphql");
        assert_eq!(
            resolved(ghe, "/user?x=1"),
            "https://ghe.example/api/v3/user?x=1"
        );
        // From a `Link`: the base is there already, and another host is not followed.
        assert_eq!(
            resolved(ghe, "https://evil.example/api/v3/orgs/o/members?page=2"),
            "https://ghe.example/api/v3/orgs/o/members?page=2"
        );
        assert_eq!(
            resolved("http://127.0.0.1:99/github", "/graphql"),
            "http://127.0.0.1:99/github/graphql"
        );
    }

    #[test]
    fn an_address_that_makes_no_client_is_refused_without_being_repeated() {
        for wrong in ["", "api.github.com", "ftp://x/", "https://u:hunter2@x/"] {
            let error = Address::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("github.api_url"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
