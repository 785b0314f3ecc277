//! The client against scripted answers: what GitHub says on good days and on bad ones.

mod limits;
mod reads;
mod writes;

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::clock::Clock;
use crate::ids::{InstallationId, RepoName};

use super::{GitHub, GitHubConfig, GitHubError, Installation, Pacing, Reaction};

const TOKEN: &str = "ghs_the_first_token";
const START: &str = "2026-11-20T12:00:00Z";

/// A clock on which waiting takes no time: whoever waits moves it.
#[derive(Clone, Debug)]
struct JumpClock(Arc<Mutex<Timestamp>>);

impl Clock for JumpClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep_until(&self, until: Timestamp) -> BoxFuture<'static, ()> {
        let now = Arc::clone(&self.0);
        Box::pin(async move {
            let mut now = now.lock().unwrap();
            *now = until.max(*now);
        })
    }
}

/// The App's key: made here, once a process. No key lies in the repository.
static KEY: LazyLock<String> = LazyLock::new(|| {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'static> = key.as_der().unwrap();
    let mut pem = "-----BEGIN PRIVATE KEY-----\n".to_owned();
    for line in base64(der.as_ref()).as_bytes().chunks(64) {
        pem.push_str(std::str::from_utf8(line).unwrap());
        pem.push('\n');
    }
    pem + "-----END PRIVATE KEY-----\n"
});

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            if i > chunk.len() {
                out.push('=');
            } else {
                let digit = (word >> (18 - 6 * i)) & 63;
                out.push(char::from(DIGITS[digit as usize]));
            }
        }
    }
    out
}

/// A scripted GitHub and a client on it.
struct Scripted {
    server: MockServer,
    clock: JumpClock,
    github: GitHub,
}

impl Scripted {
    async fn new() -> Self {
        Self::with(Pacing::default(), Duration::from_secs(20), 1 << 20).await
    }

    async fn with(pacing: Pacing, timeout: Duration, max_answer: usize) -> Self {
        let server = MockServer::start().await;
        let clock = JumpClock(Arc::new(Mutex::new(START.parse().unwrap())));
        let config = GitHubConfig {
            pacing,
            timeout,
            ..config(server.uri())
        };
        let github = GitHub::with_max_answer(config, Arc::new(clock.clone()), max_answer).unwrap();
        Self {
            server,
            clock,
            github,
        }
    }

    /// The client of an installation, with its token to be had.
    async fn installed(&self) -> Arc<Installation> {
        Mock::given(method("POST"))
            .and(path("/app/installations/7/access_tokens"))
            .respond_with(token(TOKEN))
            .with_priority(200)
            .mount(&self.server)
            .await;
        self.github.installation(InstallationId(7))
    }

    /// Answers `times` requests of that method and path; earlier scripts are used up first.
    async fn answer(&self, verb: &str, at: &str, times: u64, answer: ResponseTemplate) {
        Mock::given(method(verb))
            .and(path(at))
            .respond_with(answer)
            .up_to_n_times(times)
            .mount(&self.server)
            .await;
    }

    async fn graphql(&self, times: u64, body: Value) {
        let answer = ResponseTemplate::new(200).set_body_json(body);
        self.answer("POST", "/graphql", times, answer).await;
    }

    /// What was asked of this path, in order.
    async fn asked(&self, at: &str) -> Vec<Request> {
        let all = self.server.received_requests().await.unwrap();
        all.into_iter().filter(|r| r.url.path() == at).collect()
    }

    fn elapsed(&self) -> SignedDuration {
        self.clock.now().duration_since(START.parse().unwrap())
    }

    fn in_seconds(&self, seconds: i64) -> Timestamp {
        self.clock.now() + SignedDuration::from_secs(seconds)
    }
}

fn config(api_url: String) -> GitHubConfig {
    GitHubConfig {
        api_url,
        app_id: 42,
        private_key_pem: SecretString::from(KEY.clone()),
        pacing: Pacing::default(),
        timeout: Duration::from_secs(20),
    }
}

fn token(token: &str) -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(json!({
        "token": token, "expires_at": "2099-01-01T00:00:00Z", "permissions": {},
    }))
}

fn repo() -> RepoName {
    RepoName::parse("octo-org/product").unwrap()
}

fn bearer(request: &Request) -> &str {
    request.headers["authorization"].to_str().unwrap()
}

impl Scripted {
    fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    fn jump(&self, seconds: i64) {
        *self.clock.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }
}

/// The worker runs all of it in tasks of its own: a future that is not `Send` does not compile here.
#[test]
fn every_future_can_be_spawned() {
    fn spawnable<F: Future<Output = Result<(), GitHubError>> + Send + 'static>(_: F) {}
    let calls = |github: Arc<GitHub>, installation: Arc<Installation>| async move {
        github.app().await?;
        github.installations().await?;
        github.hook_deliveries(None).await?;
        github.redeliver(1).await?;
        let repo = repo();
        installation.item(&repo, 1).await?;
        installation.item_by_node("I").await?;
        installation.labels(&repo).await?;
        installation.project("o", 1).await?;
        installation.project_items("p", None).await?;
        installation.team_members("o", "t").await?;
        installation.org_members("o").await?;
        installation.user("u").await?;
        installation.repositories().await?;
        installation.comments(&repo, 1, None).await?;
        installation.mutate(Vec::new()).await?;
        installation.create_label(&repo, "l", "ffffff", "").await?;
        let id = installation.comment(&repo, 1, "b").await?;
        installation.edit_comment(&repo, id, "b").await?;
        let eyes = Reaction::Eyes;
        installation.react_to_comment(&repo, id, eyes).await?;
        installation.react_to_issue(&repo, 1, eyes).await?;
        Ok(())
    };
    let _ = |github, installation| spawnable(calls(github, installation));
}
