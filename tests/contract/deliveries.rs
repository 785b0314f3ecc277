//! Whose changes are announced, as whose, and when the webhooks come.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use northstar::sim::{WebhookFault, WebhookFaultKind};
use serde_json::{Value, json};

use crate::world::{BOARD, ORG, REPO, World};

#[tokio::test]
async fn what_the_app_does_is_announced_with_its_bot_as_sender() {
    let world = World::new().await;
    let number = world.opened(&[]);
    let before = world.sim.deliveries().len();
    world
        .post(
            &format!("/issues/{number}/comments"),
            &json!({"body": "Hello"}),
        )
        .await;
    world
        .post(
            &format!("/issues/{number}/labels"),
            &json!({"labels": ["bug"]}),
        )
        .await;
    world
        .sim
        .add_to_project("northstar[bot]", BOARD, REPO, number)
        .expect("on the board");
    let announced = world.sim.deliveries().split_off(before);
    let names: BTreeSet<&str> = announced.iter().map(|d| d.event.as_str()).collect();
    assert_eq!(
        names,
        BTreeSet::from(["issue_comment", "issues", "projects_v2_item"])
    );
    for delivery in announced {
        let sender = &delivery.json()["sender"];
        assert_eq!(sender["login"], "northstar[bot]", "{}", delivery.event);
        assert_eq!(sender["type"], "Bot", "{}", delivery.event);
        assert_eq!(sender["id"], world.sim.app_bot().0, "{}", delivery.event);
    }
    world.said_as_github_says_it();
}

#[tokio::test]
async fn a_private_member_looks_like_a_contributor_in_webhooks() {
    let world = World::new().await;
    world
        .sim
        .open_issue("ada", REPO, "By a member", "", &[])
        .expect("opened");
    let delivery = world.sim.deliveries().pop().expect("a webhook").json();
    assert_eq!(delivery["issue"]["author_association"], "CONTRIBUTOR");
    let asked = world.get(&format!("/orgs/{ORG}/memberships/ada")).await;
    assert_eq!(
        (asked.status, &asked.body["state"]),
        (200, &json!("active"))
    );
    let stranger = world
        .get(&format!("/orgs/{ORG}/memberships/outsider"))
        .await;
    assert_eq!(stranger.status, 404);
}

/// A receiver that writes down the GUIDs of what arrives.
async fn receiver() -> (String, Arc<Mutex<Vec<String>>>) {
    use axum::extract::State;
    let shelf = Arc::new(Mutex::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let write = async |State(shelf): State<Arc<Mutex<Vec<String>>>>, headers: http::HeaderMap| {
        let guid = headers["x-github-delivery"]
            .to_str()
            .expect("a GUID")
            .to_owned();
        shelf.lock().expect("the shelf").push(guid);
    };
    let router = axum::Router::new()
        .route("/", axum::routing::post(write))
        .with_state(Arc::clone(&shelf));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, shelf)
}

#[tokio::test]
async fn deliveries_come_late_twice_in_another_order_or_only_when_asked_again() {
    let world = World::new().await;
    let (url, shelf) = receiver().await;
    world.sim.send_webhooks_to(&url);
    let arrived = || shelf.lock().expect("the shelf").clone();
    let fault = |kind, times| {
        world.sim.webhook_fault(WebhookFault {
            event: Some("issues".to_owned()),
            times,
            kind,
        });
    };
    let guids = |from: usize| -> Vec<String> {
        world.sim.deliveries()[from..]
            .iter()
            .map(|d| d.guid.clone())
            .collect()
    };
    let start = world.sim.deliveries().len();

    fault(WebhookFaultKind::Hold, 2);
    world.opened(&[]);
    world.opened(&[]);
    assert_eq!(world.sim.release_webhooks(true), 2);
    world.sim.settled().await;
    let mut expected = guids(start);
    expected.reverse();
    assert_eq!(arrived(), expected, "the newer one first");

    fault(WebhookFaultKind::Duplicate, 1);
    world.opened(&[]);
    world.sim.settled().await;
    let newest = guids(start).pop().expect("a GUID");
    expected.extend([newest.clone(), newest]);
    assert_eq!(arrived(), expected, "one GUID, twice");

    fault(WebhookFaultKind::Lose, 1);
    world.opened(&[]);
    world.sim.settled().await;
    assert_eq!(arrived(), expected, "lost");
    let log = world
        .app("GET", "/app/hook/deliveries?per_page=1", &Value::Null)
        .await;
    let lost = &log.body[0];
    assert_eq!(
        (&lost["status_code"], &lost["redelivery"]),
        (&json!(502), &json!(false))
    );
    let again = format!("/app/hook/deliveries/{}/attempts", lost["id"]);
    assert_eq!(world.app("POST", &again, &Value::Null).await.status, 202);
    world.sim.settled().await;
    expected.push(lost["guid"].as_str().expect("a GUID").to_owned());
    assert_eq!(arrived(), expected, "a redelivery keeps its GUID");
    let log = world
        .app("GET", "/app/hook/deliveries?per_page=1", &Value::Null)
        .await;
    assert_eq!(
        (&log.body[0]["guid"], &log.body[0]["redelivery"]),
        (&lost["guid"], &json!(true))
    );

    fault(WebhookFaultKind::Late(SignedDuration::from_mins(5)), 1);
    world.opened(&[]);
    let late = guids(start).pop().expect("a GUID");
    world
        .sim
        .comment("ada", REPO, 1, "Meanwhile")
        .expect("a comment");
    world.sim.settled().await;
    expected.extend(guids(start).pop());
    assert_eq!(arrived(), expected, "the comment overtakes");
    world.clock.advance(SignedDuration::from_mins(5));
    let come = async {
        while arrived().len() == expected.len() {
            tokio::task::yield_now().await;
        }
    };
    // Not a timing: without it a lost webhook would hang the test instead of failing it.
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, come)
        .await
        .expect("the late one comes");
    expected.push(late);
    assert_eq!(arrived(), expected);
    world.said_as_github_says_it();
}
