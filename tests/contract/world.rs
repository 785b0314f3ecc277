//! A seeded simulation and somebody to ask it things over HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use northstar::clock::ManualClock;
use northstar::ids::InstallationId;
use northstar::sim::{FieldSpec, ProjectSpec, Sim, SimConfig, SimServer};
use serde_json::{Value, json};

pub const ORG: &str = "acme";
pub const REPO: &str = "acme/widgets";
/// The board and its number.
pub const BOARD: (&str, u64) = (ORG, 57);
pub const APP: u64 = 4711;

/// An organisation with one repository, one private one without the App, and a board that has a
/// field of each type.
pub struct World {
    pub sim: Sim,
    pub clock: ManualClock,
    pub installation: InstallationId,
    server: SimServer,
    client: Client<HttpConnector, Full<Bytes>>,
    jwt: String,
    token: String,
}

/// What was answered; a body that is no JSON is null.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }
}

pub fn seeded() -> (Sim, ManualClock, InstallationId) {
    let start: Timestamp = "2026-11-20T10:00:00Z".parse().expect("a time");
    let clock = ManualClock::new(start);
    let sim = Sim::new(SimConfig {
        app_id: APP,
        clock: Arc::new(clock.clone()),
        ..SimConfig::default()
    })
    .expect("a simulation");
    sim.org(ORG, 1001);
    sim.user("outsider");
    sim.add_to_org(ORG, &["ada", "grace"]).expect("members");
    sim.team(ORG, "product-leads", &["ada"]).expect("a team");
    sim.repository(ORG, "widgets", false, &["bug", "kind/feature"])
        .expect("a repository");
    sim.repository(ORG, "hidden", true, &["bug"])
        .expect("a repository");
    sim.milestone(REPO, "1.0").expect("a milestone");
    sim.issue_types(ORG, &["Bug", "Feature"])
        .expect("issue types");
    let first = jiff::civil::date(2026, 11, 18);
    sim.project(
        ORG,
        ProjectSpec {
            number: BOARD.1,
            title: "Delivery".to_owned(),
            fields: vec![
                FieldSpec::single_select("Status", &["Todo", "In Progress", "Done"]),
                FieldSpec::Text("Note".to_owned()),
                FieldSpec::Number("Estimate".to_owned()),
                FieldSpec::Date("Due".to_owned()),
                FieldSpec::Iteration(
                    "Sprint".to_owned(),
                    vec![
                        ("Sprint 1".to_owned(), first, 14),
                        ("Sprint 2".to_owned(), first, 14),
                    ],
                ),
            ],
        },
    )
    .expect("a board");
    let permissions = [
        ("issues", "write"),
        ("metadata", "read"),
        ("organization_projects", "write"),
        ("members", "read"),
    ];
    let installation = sim
        .install_app_with(ORG, &permissions, Some(&["widgets"]))
        .expect("an installation");
    (sim, clock, installation)
}

impl World {
    pub async fn new() -> Self {
        let (sim, clock, installation) = seeded();
        let server = sim
            .serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .await
            .expect("a free port");
        let mut world = Self {
            jwt: jwt(sim.private_key_pem()),
            token: String::new(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            sim,
            clock,
            installation,
            server,
        };
        let path = format!("/app/installations/{installation}/access_tokens");
        let answer = world.app("POST", &path, &json!({})).await;
        world.token = answer.body["token"].as_str().expect("a token").to_owned();
        world.sim.forget_requests();
        world
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.server.url
    }

    /// Asks as the installation.
    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(
            method,
            path,
            body,
            &[("authorization", &format!("Bearer {}", self.token))],
        )
        .await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &Value::Null).await
    }

    /// Asks as the App.
    pub async fn app(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(
            method,
            path,
            body,
            &[("authorization", &format!("Bearer {}", self.jwt))],
        )
        .await
    }

    /// Asks GraphQL as the installation.
    pub async fn graphql(&self, query: &str, variables: &Value) -> Answer {
        let body = json!({"query": query, "variables": variables});
        self.ask("POST", "/graphql", &body).await
    }

    pub async fn conditional(&self, path: &str, tag: &str) -> Answer {
        let token = format!("Bearer {}", self.token);
        let headers = [("authorization", token.as_str()), ("if-none-match", tag)];
        self.send("GET", path, &Value::Null, &headers).await
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let request = request.body(Full::new(bytes)).expect("a request");
        let reply = self.client.request(request).await.expect("an answer");
        let (parts, body) = reply.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }
}

/// The App's JWT, by the machine's clock.
fn jwt(pem: &str) -> String {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    let now = Timestamp::now().as_second();
    let claims = json!({"iat": now - 30, "exp": now + 300, "iss": APP});
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).expect("the App's key");
    encode(&Header::new(Algorithm::RS256), &claims, &key).expect("a JWT")
}
