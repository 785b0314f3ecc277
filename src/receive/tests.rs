//! The door through its router, with the store behind it.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use jiff::{SignedDuration, Timestamp};
use tower::ServiceExt;

use crate::clock::ManualClock;
use crate::store::sqlite::SqliteStore;

use super::*;

const SECRET: &str = "first secret";
const OTHER_SECRET: &str = "second secret";

struct House {
    _directory: tempfile::TempDir,
    store: Arc<SqliteStore>,
    served: Served,
    wake: Arc<Notify>,
    router: Router,
}

async fn house() -> House {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Arc::new(SqliteStore::open(&path.to_string_lossy()).await.unwrap());
    let served = Served::new(["Example-Org"]);
    let wake = Arc::new(Notify::new());
    let router = router(ReceiveState {
        store: store.clone(),
        secrets: vec![SECRET.into(), OTHER_SECRET.into()],
        served: served.clone(),
        clock: Arc::new(ManualClock::new(now())),
        wake: Arc::clone(&wake),
    });
    House {
        _directory: directory,
        store,
        served,
        wake,
        router,
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

fn issue_event(login: &str) -> String {
    format!(
        r#"{{"action":"opened","issue":{{"number":7}},
            "repository":{{"id":42,"owner":{{"login":"{login}"}}}},"installation":{{"id":5}}}}"#
    )
}

/// A request as GitHub makes it.
fn signed(event: &str, guid: &str, body: &str) -> Request<Body> {
    Request::post("/github/webhook")
        .header("content-type", "application/json")
        .header("x-github-event", event)
        .header("x-github-delivery", guid)
        .header("x-hub-signature-256", sign(&SECRET.into(), body.as_bytes()))
        .body(Body::from(body.to_owned()))
        .unwrap()
}

impl House {
    async fn post(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn stored(&self) -> u64 {
        self.store.counts().await.unwrap().pending
    }
}

#[tokio::test]
async fn a_signed_delivery_is_stored_in_its_lane_before_it_is_answered() {
    let house = house().await;
    let body = issue_event("example-ORG");
    let (status, answer) = house.post(signed("issues", "g-1", &body)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(answer, r#"{"status":"stored"}"#);
    house.wake.notified().await; // was rung; else this test does not end
    let length = SignedDuration::from_secs(60);
    let lease = house
        .store
        .claim("t", now(), length)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(lease.installation, InstallationId(5));
    assert_eq!(lease.lane.to_string(), "issue:42:7");
    let pending = house.store.pending(&lease, 9).await.unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].guid, "g-1");
    assert_eq!(pending[0].event, "issues");
    assert_eq!(pending[0].action, "opened");
    assert_eq!(pending[0].received_at, now());
    assert_eq!(pending[0].payload.as_ref(), body.as_bytes());
    assert_eq!(
        house.served.installation("example-org"),
        Some(InstallationId(5))
    );

    let (status, answer) = house.post(signed("issues", "g-1", &body)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(answer, r#"{"status":"duplicate"}"#);
    assert_eq!(house.stored().await, 1);
}

#[tokio::test]
async fn both_secrets_are_good_and_nothing_else_is() {
    let house = house().await;
    let body = issue_event("example-org");
    let with = |name: &'static str, value: String| {
        let mut request = signed("issues", "g-1", &body);
        request.headers_mut().remove("x-hub-signature-256");
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    let header = "x-hub-signature-256";
    let good = sign(&OTHER_SECRET.into(), body.as_bytes());
    let bad = [
        with(header, sign(&"guess".into(), body.as_bytes())),
        with(header, sign(&SECRET.into(), b"another body")),
        with(header, "sha256=zz".to_owned()),
        with(header, good.replace("sha256", "sha1")),
        with("x-hub-signature", good.replace("sha256", "sha1")),
        with("x-other", good.clone()),
    ];
    for request in bad {
        let (status, answer) = house.post(request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(!answer.contains("opened") && answer.len() < 100);
    }
    assert_eq!(house.stored().await, 0);
    let (status, _) = house.post(with(header, good)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(house.stored().await, 1);
}

#[tokio::test]
async fn the_signature_is_looked_at_before_the_body() {
    let house = house().await;
    let mut request = signed("issues", "g", "no JSON");
    assert_eq!(house.post(request).await.0, StatusCode::BAD_REQUEST);
    request = signed("issues", "g", "no JSON");
    request.headers_mut().remove("x-hub-signature-256");
    request.headers_mut().remove("x-github-event");
    assert_eq!(house.post(request).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn odd_headers_are_refused() {
    let house = house().await;
    let body = issue_event("example-org");
    for header in ["x-github-event", "x-github-delivery"] {
        let mut request = signed("issues", "g", &body);
        request.headers_mut().remove(header);
        assert_eq!(house.post(request).await.0, StatusCode::BAD_REQUEST);
        let long = "x".repeat(101);
        for value in ["", "a b", "a\"b", "a/b", &long] {
            let mut request = signed("issues", "g", &body);
            request.headers_mut().insert(header, value.parse().unwrap());
            let (status, answer) = house.post(request).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{value}");
            assert!(answer.len() < 100);
        }
    }
    assert_eq!(house.stored().await, 0);
}

#[tokio::test]
async fn a_body_over_25_mb_is_refused_whatever_is_announced() {
    let house = house().await;
    let announced = Request::post("/github/webhook")
        .header("content-length", (LARGEST_BODY + 1).to_string())
        .body(Body::empty())
        .unwrap();
    assert_eq!(house.post(announced).await.0, StatusCode::PAYLOAD_TOO_LARGE);

    let megabyte = Bytes::from(vec![b' '; 1024 * 1024]);
    let frames = (0..26).map(move |_| Ok::<_, Infallible>(Frame::data(megabyte.clone())));
    let endless = Body::new(StreamBody::new(futures_util::stream::iter(frames)));
    let lying = Request::post("/github/webhook")
        .header("content-length", "10")
        .body(endless)
        .unwrap();
    assert_eq!(house.post(lying).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_large_body_in_pieces_is_taken() {
    let house = house().await;
    let filler = "x".repeat(LARGE + 1);
    let body = issue_event("example-org").replacen('{', &format!(r#"{{"filler":"{filler}","#), 1);
    let signature = sign(&SECRET.into(), body.as_bytes());
    let pieces: Vec<_> = body
        .as_bytes()
        .chunks(100_000)
        .map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let request = Request::post("/github/webhook")
        .header("x-github-event", "issues")
        .header("x-github-delivery", "g")
        .header("x-hub-signature-256", signature)
        .body(Body::new(StreamBody::new(futures_util::stream::iter(
            pieces,
        ))))
        .unwrap();
    assert_eq!(house.post(request).await.0, StatusCode::ACCEPTED);
    let length = SignedDuration::from_secs(60);
    let lease = house
        .store
        .claim("t", now(), length)
        .await
        .unwrap()
        .unwrap();
    let pending = house.store.pending(&lease, 9).await.unwrap();
    assert!(pending[0].payload.as_ref() == body.as_bytes());
}

#[tokio::test]
async fn what_is_not_handled_or_not_served_is_acknowledged_and_forgotten() {
    let house = house().await;
    let stranger = issue_event("stranger");
    let pull = issue_event("example-org").replace(
        r#"{"number":7}"#,
        r#"{"number":7,"pull_request":{"url":"x"}}"#,
    );
    let mine = issue_event("example-org");
    let no_installation = r#"{"organization":{"login":"example-org"}}"#;
    for (event, body) in [
        ("issues", stranger.as_str()),
        ("issue_comment", pull.as_str()),
        ("star", mine.as_str()),
        ("an_event_of_next_year", "{}"),
        ("ping", "{}"),
        ("ping", no_installation),
    ] {
        let (status, answer) = house.post(signed(event, "g", body)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{event}");
        assert_eq!(answer, r#"{"status":"ignored"}"#);
    }
    assert_eq!(house.stored().await, 0);
    assert!(!house.served.is_served("stranger"));
    // Known by now, the installation need not be named.
    house.served.learn("example-org", InstallationId(5));
    let (_, answer) = house.post(signed("ping", "g", no_installation)).await;
    assert_eq!(answer, r#"{"status":"stored"}"#);
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_acknowledged() {
    let house = house().await;
    house.store.close().await;
    let body = issue_event("example-org");
    let (status, _) = house.post(signed("issues", "g-1", &body)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}
