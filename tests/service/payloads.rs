//! GitHub's own recorded payloads, all of them, through the running service.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use northstar::receive::sign;
use northstar::sim::example::ORGANIZATION;
use northstar::triage::decision::Mode;
use serde_json::{Value, json};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::world::{SECRET, Setup, World};

/// npm `@octokit/webhooks-examples` 7.6.1 has so many.
const RECORDED: usize = 329;

/// Event and payload of every recorded webhook.
fn recorded() -> Vec<(String, Value)> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fetched/webhooks-examples.json"
    );
    let text = std::fs::read_to_string(file)
        .unwrap_or_else(|error| panic!("{file}: {error}; run tests/setup.sh"));
    let events: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let mut all = Vec::new();
    for event in events {
        let name = event["name"].as_str().expect("a name");
        for example in event["examples"].as_array().expect("examples") {
            all.push((name.to_owned(), example.clone()));
        }
    }
    all
}

/// Log lines of warnings and errors.
#[derive(Clone, Default)]
struct Complaints(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Complaints {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() <= tracing::Level::WARN {
            let mut lines = self.0.lock().expect("no panic");
            lines.push(format!("{event:?}"));
        }
    }
}

async fn post(
    world: &World,
    client: &Client<HttpConnector, Full<Bytes>>,
    guid: &str,
    event: &str,
    payload: &Value,
) -> (u16, Value) {
    let body = payload.to_string();
    let request = http::Request::post(format!("http://{}/github/webhook", world.service().address))
        .header("content-type", "application/json")
        .header("x-github-event", event)
        .header("x-github-delivery", guid)
        .header("x-hub-signature-256", sign(&SECRET.into(), body.as_bytes()))
        .body(Full::new(Bytes::from(body)))
        .expect("a request");
    let answer = client.request(request).await.expect("an answer");
    let status = answer.status().as_u16();
    let body = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// The payload as if it had happened in the organisation that is served.
fn in_our_organisation(world: &World, payload: &Value) -> Value {
    let mut ours = payload.clone();
    ours["installation"] = json!({ "id": world.installation.0 });
    ours["organization"]["login"] = ORGANIZATION.into();
    if ours["repository"].is_object() {
        ours["repository"]["owner"]["login"] = ORGANIZATION.into();
    }
    ours
}

#[tokio::test]
async fn every_recorded_payload_is_taken_and_none_does_harm() {
    let complaints = Complaints::default();
    let _listening =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(complaints.clone()));
    // What is recorded happened elsewhere, so nothing of it can be written to here.
    let world = World::with(Setup {
        mode: Mode::Observe,
        ..Setup::default()
    })
    .await;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let recorded = recorded();
    assert_eq!(recorded.len(), RECORDED);

    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for (i, (event, payload)) in recorded.iter().enumerate() {
        let ours = in_our_organisation(&world, payload);
        for (whose, payload) in [("theirs", payload), ("ours", &ours)] {
            let guid = format!("{whose}-{i}");
            let (status, said) = post(&world, &client, &guid, event, payload).await;
            assert_eq!(status, 202, "{whose} {event} {i}: {said}");
            let said = said["status"].as_str().unwrap_or_default();
            *answers.entry(format!("{whose} {said}")).or_default() += 1;
        }
    }
    // 58 events were recorded, of which 13 are handled; pull requests are left alone.
    assert_eq!(
        answers.get("theirs ignored"),
        Some(&RECORDED),
        "{answers:?}"
    );
    let stored = answers.get("ours stored").copied().unwrap_or(0);
    assert!(stored > 60, "{answers:?}");

    world.settled().await;
    let counts = world.service().store.counts().await.expect("counts");
    assert_eq!(counts.dead, 0);
    assert!(world.sim.writes().is_empty());
    let complaints = complaints.0.lock().expect("no panic").clone();
    assert!(complaints.is_empty(), "{complaints:#?}");
    world.end().await;
}
