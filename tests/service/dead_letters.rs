//! What cannot be understood is given up, kept, shown, and can be run again.

use std::time::Duration;

use northstar::sim::example::REPOSITORY;
use serde_json::json;

use crate::world::World;

/// Waits until so many deliveries were given up.
async fn given_up(world: &World, count: u64) {
    let waiting = async {
        while world.service().store.counts().await.expect("counts").dead != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    waited.expect("it is given up in the end");
}

#[tokio::test]
async fn a_delivery_that_cannot_be_understood_is_given_up_and_holds_nobody_up() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    // It names its lane, so it gets past the door; but an issue without times is none.
    let mut payload = world.payload("issues", "opened");
    let issue = payload["issue"].as_object_mut().expect("an issue");
    issue.remove("created_at");
    issue.remove("updated_at");
    let answer = world.deliver("issues", "riddle", &payload).await;
    assert_eq!(answer.status, 202);
    world
        .sim
        .edit_issue("ada", REPOSITORY, n, None, Some("For our course."))
        .expect("an edit");
    given_up(&world, 1).await;
    world.settled().await;
    // What came behind it in the lane was done, once it was out of the way.
    assert!(world.labels(n).contains(&"goal/education".to_owned()));

    let store = &world.service().store;
    let letters = store.dead_letters(Some(world.installation), 10).await;
    let letters = letters.expect("the store");
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (letters[0].guid.as_str(), letters[0].event.as_str()),
        ("riddle", "issues")
    );
    assert!(letters[0].attempts >= 6, "{letters:?}");
    assert!(
        letters[0].error.contains("cannot be understood"),
        "{letters:?}"
    );
    let page = world.get("/").await.text;
    assert!(page.contains("1 deliveries were given up"), "{page}");
    let metrics = world.get("/metrics").await.text;
    assert!(metrics.contains("northstar_deliveries_dead 1"));

    // Run again, it is tried again, and given up again: nothing has changed about it.
    let now = jiff::Timestamp::now();
    assert!(store.revive("riddle", now).await.expect("the store"));
    assert!(!store.revive("no such guid", now).await.expect("the store"));
    let payload = json!({});
    assert_eq!(
        world.deliver("issues", "riddle", &payload).await.status,
        202
    );
    assert_eq!(
        store.counts().await.expect("counts").pending,
        1,
        "it waits again"
    );
    world.service().store.counts().await.expect("counts");
    world.sim.ping(); // rings the bell
    given_up(&world, 1).await;
    let again = store.dead_letters(None, 10).await.expect("the store");
    assert!(again[0].attempts >= 6);
    world.stop_anyhow().await;
}
