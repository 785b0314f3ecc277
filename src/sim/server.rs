//! The listening side: one path every request takes, whatever it asks.
//!
//! who → fault? → allowed? → answer → headers → log

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::auth::{Caller, authenticate};
use super::faults::FaultKind;
use super::graphql::Prepared;
use super::limits::{Budget, Cost, Limited, Resource};
use super::log::Logged;
use super::refusal::Refusal;
use super::rest::Call;
use super::state::State;
use super::{Sim, SimError};

/// A listening simulation; it stops when this is dropped.
pub struct SimServer {
    /// `http://127.0.0.1:PORT`: the bot's `github.api_url`. GraphQL is at `/graphql` under it.
    pub url: String,
    pub addr: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl SimServer {
    /// Stops listening, closes all connections and waits for that.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for SimServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped, as a fault asked for")]
struct Dropped;

impl Sim {
    /// Listens on `addr` (port 0: any free one).
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn serve(&self, addr: SocketAddr) -> Result<SimServer, SimError> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let url = format!("http://{addr}");
        self.with(|state| state.api_url.clone_from(&url));
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let router = super::rest::router();
        let (sim, halt, tracker) = (self.clone(), stop.clone(), tasks.clone());
        tasks.spawn(async move {
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => stream,
                        Err(error) => {
                            tracing::warn!(%error, "sim: a connection was not accepted");
                            continue;
                        }
                    },
                    () = halt.cancelled() => return,
                };
                let _ = stream.set_nodelay(true); // slower without, not wrong
                let (sim, router, halt) = (sim.clone(), router.clone(), halt.clone());
                tracker.spawn(async move {
                    let service = service_fn(|request| answer(&sim, &router, request));
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    tokio::select! {
                        // Errors are dropped connections, most of them asked for.
                        _ = connection => {}
                        () = halt.cancelled() => {}
                    }
                });
            }
        });
        Ok(SimServer {
            url,
            addr,
            stop,
            tasks,
        })
    }
}

/// A request, read.
struct Asked {
    method: Method,
    path: String,
    query: String,
    body: Value,
    authorization: Option<String>,
    if_none_match: Option<String>,
}

/// What is known before it is answered.
struct Known {
    caller: Caller,
    cost: Cost,
    who: u64,
    entry: usize,
    fault: Option<FaultKind>,
    document: Option<Prepared>,
}

async fn answer(
    sim: &Sim,
    router: &Router,
    request: Request<Incoming>,
) -> Result<Response<Body>, Dropped> {
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let header = |name: &str| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let asked = Asked {
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or("").to_owned(),
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        authorization: header("authorization"),
        if_none_match: header("if-none-match"),
        method: parts.method,
    };
    let graphql = asked.method == Method::POST && asked.path == "/graphql";
    let document = graphql.then(|| Prepared::read(&asked.body));
    let known = match sim.with(|state| examine(state, sim, &asked, document)) {
        Ok(known) => known,
        Err((entry, refusal)) => {
            let reply = refuse(&refusal);
            return Ok(finish(sim, entry, None, reply).await);
        }
    };
    match &known.fault {
        Some(FaultKind::DropBefore) => return Err(Dropped),
        Some(FaultKind::Status(status, headers)) => {
            let mut reply = refuse(&Refusal::new(
                *status,
                "The simulated GitHub was asked to fail",
            ));
            for (name, value) in headers {
                let name = HeaderName::try_from(name.as_str());
                if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value.as_str())) {
                    reply.headers_mut().insert(name, value);
                }
            }
            return Ok(finish(sim, known.entry, Some(&known), reply).await);
        }
        Some(FaultKind::GraphQlRateLimited) => {
            let reply = json_reply(StatusCode::OK, &rate_limited());
            return Ok(finish(sim, known.entry, Some(&known), reply).await);
        }
        Some(FaultKind::SecondaryLimit(after)) => {
            let reply = secondary(*after);
            return Ok(finish(sim, known.entry, Some(&known), reply).await);
        }
        _ => {}
    }
    let reply = match admit(sim, &known) {
        Err(reply) => *reply,
        Ok(_writing) => {
            if let Some(FaultKind::Delay(time)) = known.fault {
                tokio::time::sleep(time).await;
            }
            route(sim, router, &asked, &known).await
        }
    };
    match &known.fault {
        Some(FaultKind::DropAfter) => Err(Dropped),
        Some(FaultKind::StatusAfter(status)) => {
            let reply = refuse(&Refusal::new(*status, "Something went wrong"));
            Ok(finish(sim, known.entry, Some(&known), reply).await)
        }
        _ => {
            let reply = conditional(sim, &asked, &known, reply).await;
            Ok(finish(sim, known.entry, Some(&known), reply).await)
        }
    }
}

/// Notes the request down, finds out who asks and which fault waits for it.
fn examine(
    state: &mut State,
    sim: &Sim,
    asked: &Asked,
    document: Option<Prepared>,
) -> Result<Known, (usize, Refusal)> {
    let (write, content) = if let Some(document) = &document {
        (document.mutation, document.content)
    } else {
        let read = matches!(asked.method, Method::GET | Method::HEAD);
        let app_only = asked.path.starts_with("/app");
        let content = asked.method == Method::POST
            && (asked.path.ends_with("/issues") || asked.path.ends_with("/comments"));
        (!read && !app_only, content)
    };
    let mut logged = Logged {
        at: state.now(),
        method: asked.method.to_string(),
        path: asked.path.clone(),
        query: asked.query.clone(),
        body: asked.body.clone(),
        status: None,
        response: Value::Null,
        is_write: write,
        content,
        installation: None,
        operation: document.as_ref().and_then(|document| document.name.clone()),
        fields: document
            .as_ref()
            .map_or_else(Vec::new, |document| document.fields.clone()),
        cost: document.as_ref().map_or(0, |document| document.cost),
    };
    let caller = authenticate(state, &sim.inner.key, asked.authorization.as_deref());
    logged.installation = caller.as_ref().ok().and_then(Caller::installation);
    let mut names = logged.fields.clone();
    names.extend(logged.operation.clone());
    let cost = Cost {
        resource: if document.is_some() {
            Resource::GraphQl
        } else {
            Resource::Core
        },
        points: if asked.path == "/rate_limit" {
            0 // asking how much is left is free
        } else {
            logged.cost.max(1)
        },
        write,
        content: logged.content,
    };
    let entry = state.requests.len();
    state.requests.push(logged);
    let caller = caller.map_err(|refusal| (entry, refusal))?;
    Ok(Known {
        who: caller.installation().unwrap_or(0),
        fault: state
            .faults
            .take(asked.method.as_str(), &asked.path, &names),
        caller,
        cost,
        entry,
        document,
    })
}

/// A write in progress; it ends when this is dropped, by a client that hangs up too.
struct Writing<'a> {
    sim: &'a Sim,
    who: Option<u64>,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if let Some(who) = self.who {
            self.sim.with(|state| state.budgets.end_write(who));
        }
    }
}

/// Counts the request, or refuses it as the limits do.
fn admit<'a>(sim: &'a Sim, known: &Known) -> Result<Writing<'a>, Box<Response<Body>>> {
    sim.with(|state| {
        let now = state.now();
        let limits = state.limits.clone();
        if known.cost.write && !state.budgets.begin_write(known.who, &limits) {
            return Err(Box::new(secondary(Some(1))));
        }
        let refused = match state.budgets.spend(known.who, known.cost, &limits, now) {
            Ok(()) => {
                let who = known.cost.write.then_some(known.who);
                return Ok(Writing { sim, who });
            }
            Err(refused) => refused,
        };
        if known.cost.write {
            state.budgets.end_write(known.who);
        }
        Err(Box::new(match (refused, known.cost.resource) {
            (Limited::Secondary(after), _) => secondary(Some(after)),
            (Limited::Primary, Resource::GraphQl) => json_reply(StatusCode::OK, &rate_limited()),
            (Limited::Primary, Resource::Core) => refuse(&Refusal::new(
                403,
                format!("API rate limit exceeded for installation ID {}.", known.who),
            )),
        }))
    })
}

async fn route(sim: &Sim, router: &Router, asked: &Asked, known: &Known) -> Response<Body> {
    if let Some(document) = &known.document {
        if known.caller.installation().is_none() {
            return refuse(&Refusal::new(
                401,
                "This endpoint requires you to be authenticated.",
            ));
        }
        let refused = match known.fault {
            Some(FaultKind::Alias(place)) => Some(place),
            _ => None,
        };
        let answer = sim.with(|state| document.run(state, &known.caller, refused));
        return json_reply(StatusCode::OK, &answer);
    }
    let uri = if asked.query.is_empty() {
        asked.path.clone()
    } else {
        format!("{}?{}", asked.path, asked.query)
    };
    let call = Call {
        sim: sim.clone(),
        caller: known.caller.clone(),
        path: asked.path.clone(),
        query: parse_query(&asked.query),
        body: asked.body.clone(),
    };
    let request = Request::builder()
        .method(asked.method.clone())
        .uri(uri)
        .extension(call)
        .body(Body::empty());
    let Ok(request) = request else {
        return refuse(&Refusal::new(400, "Problems parsing the request"));
    };
    match router.clone().oneshot(request).await {
        Ok(reply) => reply,
        Err(never) => match never {},
    }
}

/// The query's parameters, percent-decoded; of repeated ones the last.
fn parse_query(query: &str) -> BTreeMap<String, String> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (percent_decode(name), percent_decode(value))
        })
        .collect()
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        if let Some(byte) = code {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn json_reply(status: StatusCode, body: &Value) -> Response<Body> {
    let mut reply = Response::new(Body::from(body.to_string()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(
        "content-type",
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    reply
}

fn refuse(refusal: &Refusal) -> Response<Body> {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    json_reply(status, &refusal.body())
}

/// What GitHub answers when GraphQL's hourly points are used up: a 200.
fn rate_limited() -> Value {
    json!({"errors": [{
        "type": "RATE_LIMITED",
        "message": "API rate limit already exceeded for installation.",
    }]})
}

fn secondary(after: Option<u64>) -> Response<Body> {
    let mut reply = refuse(&Refusal::new(
        403,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    ));
    if let Some(seconds) = after {
        reply
            .headers_mut()
            .insert("retry-after", HeaderValue::from(seconds));
    }
    reply
}

/// `ETag` on what was read; 304, free of charge, for whoever has it already.
async fn conditional(
    sim: &Sim,
    asked: &Asked,
    known: &Known,
    reply: Response<Body>,
) -> Response<Body> {
    if asked.method != Method::GET || reply.status() != StatusCode::OK {
        return reply;
    }
    let (mut parts, body) = reply.into_parts();
    let bytes = read(body).await;
    let mut tag = String::from("W/\"");
    for byte in Sha256::digest(&bytes) {
        use std::fmt::Write as _;
        let _ = write!(tag, "{byte:02x}"); // writing to a String cannot fail
    }
    tag.push('"');
    if let Ok(value) = HeaderValue::try_from(tag.as_str()) {
        parts.headers.insert("etag", value);
    }
    if asked.if_none_match.as_deref() == Some(tag.as_str()) {
        sim.with(|state| state.budgets.refund(known.who, known.cost.resource));
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove("content-type");
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// Bodies here are all in memory already, so nothing can fail.
async fn read(body: Body) -> Bytes {
    body.collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default()
}

/// The headers every answer has, and the log's entry.
async fn finish(
    sim: &Sim,
    entry: usize,
    known: Option<&Known>,
    reply: Response<Body>,
) -> Response<Body> {
    let (mut parts, body) = reply.into_parts();
    let bytes = read(body).await;
    sim.with(|state| {
        let now = state.now();
        let headers = &mut parts.headers;
        let text = |value: String| HeaderValue::try_from(value).ok();
        if let Some(id) = text(state.ids.request_id()) {
            headers.insert("x-github-request-id", id);
        }
        headers.insert(
            "x-github-media-type",
            HeaderValue::from_static("github.v3; format=json"),
        );
        headers.insert(
            "x-github-api-version-selected",
            HeaderValue::from_static("2022-11-28"),
        );
        headers.insert("server", HeaderValue::from_static("github.com"));
        if let Some(date) = text(now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
            headers.insert("date", date);
        }
        if let Some(known) = known {
            let limits = state.limits.clone();
            let resource = known.cost.resource;
            let budget = state.budgets.budget(known.who, resource, &limits, now);
            rate_headers(headers, resource, budget);
        }
        if let Some(logged) = state.requests.get_mut(entry) {
            logged.status = Some(parts.status.as_u16());
            logged.response = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        }
    });
    Response::from_parts(parts, Body::from(bytes))
}

fn rate_headers(headers: &mut http::HeaderMap, resource: Resource, budget: Budget) {
    for (name, value) in [
        ("x-ratelimit-limit", budget.limit),
        ("x-ratelimit-remaining", budget.remaining()),
        ("x-ratelimit-used", budget.used),
        (
            "x-ratelimit-reset",
            u64::try_from(budget.reset.as_second()).unwrap_or(0),
        ),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
    headers.insert(
        "x-ratelimit-resource",
        HeaderValue::from_static(resource.name()),
    );
}
