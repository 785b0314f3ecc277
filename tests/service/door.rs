//! The door: who is let in, what is stored, and what is only acknowledged.

use northstar::receive::sign;
use northstar::store::Alias;
use serde_json::{Value, json};

use crate::world::{SECRET, World};

/// An `opened` of an issue that is not there yet.
async fn somebody_opens(world: &World) -> Value {
    world.warmed_up().await;
    let mut payload = world.payload("issues", "opened");
    payload["issue"]["number"] = json!(900);
    payload["issue"]["id"] = json!(900_900);
    payload["issue"]["node_id"] = json!("I_nine_hundred");
    payload
}

async fn is_stored(world: &World) -> bool {
    let alias = Alias::Node("I_nine_hundred".to_owned());
    let store = &world.service().store;
    world.settled().await;
    let item = store.item_by_alias(world.installation, &alias).await;
    item.expect("the store").is_some()
}

#[tokio::test]
async fn what_is_not_rightly_signed_is_refused_and_nothing_of_it_is_stored() {
    let world = World::new().await;
    let payload = somebody_opens(&world).await;
    let body = payload.to_string().into_bytes();
    let right = sign(&SECRET.into(), &body);
    let stranger = sign(&"a stranger's secret".into(), &body);
    let sha1 = "sha1=0123456789abcdef0123456789abcdef01234567";
    let cut = &right[..right.len() - 2];
    let bare = right.trim_start_matches("sha256=");
    let refused: [&[(&str, &str)]; 7] = [
        &[],
        &[("x-hub-signature-256", &stranger)],
        &[("x-hub-signature", sha1)],
        &[("x-hub-signature-256", sha1)],
        &[("x-hub-signature-256", cut)],
        &[("x-hub-signature-256", bare)],
        &[("x-hub-signature-256", "sha256=zz")],
    ];
    for (i, headers) in refused.iter().enumerate() {
        let guid = format!("refused-{i}");
        let answer = world.post("issues", &guid, headers, body.clone()).await;
        assert_eq!(answer.status, 401, "{headers:?}: {}", answer.text);
    }
    assert!(!is_stored(&world).await);
    assert_eq!(world.sim.requests().len(), 0, "nobody was asked anything");
    // The same body, rightly signed, is taken.
    let answer = world.deliver("issues", "taken", &payload).await;
    assert_eq!(answer.status, 202);
    assert!(is_stored(&world).await);
    world.stop_anyhow().await;
}

#[tokio::test]
async fn either_of_two_secrets_is_good_while_they_are_rotated() {
    let world = World::new().await;
    let payload = somebody_opens(&world).await;
    let body = payload.to_string().into_bytes();
    let old = sign(&"an old secret".into(), &body);
    let headers = [("x-hub-signature-256", old.as_str())];
    let answer = world.post("issues", "by-the-old", &headers, body).await;
    assert_eq!(answer.status, 202);
    assert!(is_stored(&world).await);
    world.stop_anyhow().await;
}

#[tokio::test]
async fn bodies_over_25_megabytes_are_too_large_whatever_their_signature() {
    let world = World::new().await;
    let body = vec![b' '; 25 * 1024 * 1024 + 1];
    let signature = sign(&SECRET.into(), &body);
    let headers = [("x-hub-signature-256", signature.as_str())];
    let answer = world.post("issues", "large", &headers, body).await;
    assert_eq!(answer.status, 413);
    world.end().await;
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_a_bad_request() {
    let world = World::new().await;
    for body in ["", "not json", "[1]", "{\"action\":", "{} and more"] {
        let signature = sign(&SECRET.into(), body.as_bytes());
        let headers = [("x-hub-signature-256", signature.as_str())];
        let answer = world.post("issues", "odd", &headers, body.into()).await;
        assert_eq!(answer.status, 400, "{body:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn events_nobody_asked_for_are_acknowledged_and_forgotten() {
    let world = World::new().await;
    let mut payload = somebody_opens(&world).await;
    for event in ["star", "workflow_job", "an_event_of_next_year"] {
        let answer = world.deliver(event, event, &payload).await;
        assert_eq!(answer.status, 202, "{event}");
        assert_eq!(answer.json()["status"], "ignored", "{event}");
    }
    payload["issue"]["pull_request"] = json!({ "url": "https://example.org" });
    let answer = world.deliver("issue_comment", "pull", &payload).await;
    assert_eq!(answer.json()["status"], "ignored");
    assert!(!is_stored(&world).await);
    // An action that this version has not heard of is taken as "look again".
    payload["issue"]["pull_request"] = Value::Null;
    payload["action"] = json!("befriended");
    let answer = world.deliver("issues", "befriended", &payload).await;
    assert_eq!(answer.json()["status"], "stored");
    assert!(is_stored(&world).await);
    world.stop_anyhow().await;
}

#[tokio::test]
async fn a_guid_that_comes_twice_is_done_once() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    let by_lea = |n| {
        world
            .sim
            .add_label("lea", "2i2c-org/infrastructure", n, "goal/upstream")
    };
    by_lea(n).expect("a label");
    world.settled().await;
    let before = world.ledger(n, "goal").await;
    let act = world.sim.deliveries().into_iter().rev();
    let act = act
        .into_iter()
        .find(|d| d.event == "issues" && d.json()["sender"]["login"] == "lea")
        .expect("her act");
    let answer = world.deliver("issues", &act.guid, &act.json()).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json()["status"], "duplicate");
    // The same again by GitHub's own redelivery, twice at once.
    assert!(world.sim.redeliver(act.id) && world.sim.redeliver(act.id));
    world.settled().await;
    assert_eq!(world.ledger(n, "goal").await, before);
    world.end().await;
}

#[tokio::test]
async fn an_organisation_that_is_not_served_is_acknowledged_and_left_alone() {
    let world = World::new().await;
    world.warmed_up().await;
    let sim = &world.sim;
    sim.org("elsewhere", 77);
    sim.repository("elsewhere", "things", false, &["kind/feature"])
        .expect("a repository");
    sim.install_app("elsewhere").expect("an installation");
    let n = sim
        .open_issue("ada", "elsewhere/things", "Please add a tool", "", &[])
        .expect("an issue");
    world.settled().await;
    let there = sim.issue("elsewhere/things", n).expect("the issue");
    assert!(there.labels.is_empty() && there.comments.is_empty());
    assert!(sim.requests().is_empty(), "{:#?}", sim.requests());
    world.end().await;
}
