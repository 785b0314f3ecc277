//! A simulation with an organisation, a client that speaks to it, and a receiver of its webhooks.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::clock::ManualClock;
use crate::ids::InstallationId;
use crate::sim::{FieldSpec, ProjectSpec, Sim, SimConfig, SimServer};

pub const REPO: &str = "2i2c-org/initiatives";
pub const BOARD: (&str, u64) = ("2i2c-org", 57);

/// An answer, read.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub json: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }
}

/// A webhook, received.
#[derive(Clone, Debug)]
pub struct Hook {
    pub headers: BTreeMap<String, String>,
    pub body: Bytes,
    pub json: Value,
}

impl Hook {
    pub fn name(&self) -> String {
        format!(
            "{}.{}",
            self.headers["x-github-event"],
            self.json["action"].as_str().unwrap_or("")
        )
    }
}

pub struct Bench {
    pub sim: Sim,
    pub server: SimServer,
    pub clock: ManualClock,
    pub installation: InstallationId,
    pub token: String,
    pub client: Client<HttpConnector, Full<Bytes>>,
    hooks: Arc<Mutex<Vec<Hook>>>,
}

pub fn local() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

pub fn jwt(sim: &Sim, iss: &Value, lives: i64) -> String {
    let now = Timestamp::now().as_second();
    let claims = json!({"iat": now - 30, "exp": now + lives, "iss": iss});
    let key = EncodingKey::from_rsa_pem(sim.private_key_pem().as_bytes()).expect("the key is PEM");
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).expect("signs")
}

impl Bench {
    pub async fn new() -> Self {
        let clock = ManualClock::new("2026-11-20T10:00:00.75Z".parse().expect("a time"));
        let sim = Sim::new(SimConfig {
            clock: Arc::new(clock.clone()),
            ..SimConfig::default()
        })
        .expect("a simulation");
        sim.org("2i2c-org", 55_442_462);
        sim.user("maria");
        sim.team("2i2c-org", "product-leads", &["jim"])
            .expect("a team");
        sim.repository("2i2c-org", "initiatives", false, &["bug", "kind/feature"])
            .expect("a repository");
        sim.repository("2i2c-org", "secret", true, &[])
            .expect("a repository");
        sim.project(
            "2i2c-org",
            ProjectSpec {
                number: 57,
                title: "Delivery".to_owned(),
                fields: vec![
                    FieldSpec::single_select("Status", &["Up Next", "In flight", "Done"]),
                    FieldSpec::Number("Estimate".to_owned()),
                    FieldSpec::Text("Note".to_owned()),
                    FieldSpec::Date("End date".to_owned()),
                    FieldSpec::Iteration(
                        "Iteration".to_owned(),
                        vec![
                            ("I1".to_owned(), jiff::civil::date(2026, 11, 4), 14),
                            ("I2".to_owned(), jiff::civil::date(2026, 11, 18), 14),
                        ],
                    ),
                ],
            },
        )
        .expect("a board");
        let installation = sim.install_app("2i2c-org").expect("an installation");
        let server = sim.serve(local()).await.expect("listens");
        let client = Client::builder(TokioExecutor::new()).build_http();
        let mut bench = Self {
            sim,
            server,
            clock,
            installation,
            token: String::new(),
            client,
            hooks: Arc::default(),
        };
        bench.token = bench.new_token().await;
        bench.listen().await;
        bench
    }

    pub async fn new_token(&self) -> String {
        let path = format!("/app/installations/{}/access_tokens", self.installation);
        let jwt = jwt(&self.sim, &json!(4711), 540);
        let reply = self.send("POST", &path, &json!({}), &jwt, &[]).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json["token"].as_str().expect("a token").to_owned()
    }

    /// Receives the webhooks.
    async fn listen(&self) {
        let listener = tokio::net::TcpListener::bind(local()).await.expect("binds");
        let addr = listener.local_addr().expect("an address");
        let hooks = Arc::clone(&self.hooks);
        let service = move |headers: HeaderMap, body: Bytes| {
            let hooks = Arc::clone(&hooks);
            async move {
                let headers = headers
                    .iter()
                    .map(|(name, value)| {
                        let value = value.to_str().unwrap_or("").to_owned();
                        (name.to_string(), value)
                    })
                    .collect();
                let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
                let hook = Hook {
                    headers,
                    body,
                    json,
                };
                hooks.lock().expect("not poisoned").push(hook);
                http::StatusCode::ACCEPTED
            }
        };
        let router = axum::Router::new().route("/hook", axum::routing::post(service));
        tokio::spawn(async move { axum::serve(listener, router).await });
        self.sim.send_webhooks_to(&format!("http://{addr}/hook"));
    }

    /// The webhooks received since the last look.
    pub async fn hooks(&self) -> Vec<Hook> {
        self.sim.settled().await;
        std::mem::take(&mut *self.hooks.lock().expect("not poisoned"))
    }

    pub async fn hook_names(&self) -> Vec<String> {
        self.hooks().await.iter().map(Hook::name).collect()
    }

    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        token: &str,
        headers: &[(&str, &str)],
    ) -> Result<Reply, hyper_util::client::legacy::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server.url))
            .header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let request = request.body(Full::new(bytes)).expect("a request");
        let response = self.client.request(request).await?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Ok(Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            json: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        })
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        token: &str,
        headers: &[(&str, &str)],
    ) -> Reply {
        self.try_send(method, path, body, token, headers)
            .await
            .expect("an answer")
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &Value::Null, &self.token, &[]).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, &body, &self.token, &[]).await
    }
}
