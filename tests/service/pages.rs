//! Health, metrics and the page for people.

use crate::world::World;

#[tokio::test]
async fn a_running_service_says_that_it_lives_and_is_ready() {
    let world = World::new().await;
    let live = world.get("/livez").await;
    assert_eq!((live.status, live.text.as_str()), (200, "ok\n"));
    let ready = world.get("/readyz").await;
    assert_eq!(ready.status, 200);
    assert_eq!(ready.json()["store"], "writable");
    assert_eq!(ready.json()["policies"], 1);
    world.end().await;
}

#[tokio::test]
async fn a_store_that_cannot_be_written_makes_it_unready_but_not_dead() {
    let world = World::new().await;
    world.settled().await;
    world.service().store.close().await;
    assert_eq!(world.get("/readyz").await.status, 503);
    assert_eq!(world.get("/livez").await.status, 200);
    // Nothing is acknowledged that would not be kept.
    let payload = serde_json::json!({
        "action": "opened", "issue": { "number": 1 }, "repository": { "id": 1 },
        "organization": { "login": "2i2c-org" }, "installation": { "id": world.installation.0 },
    });
    let answer = world.deliver("issues", "while-closed", &payload).await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn metrics_count_what_came_in_and_what_waits() {
    let world = World::new().await;
    world.warmed_up().await;
    let metrics = world.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    for name in [
        "northstar_deliveries_total{outcome=\"stored\"}",
        "northstar_deliveries_pending 0",
        "northstar_deliveries_dead 0",
        "northstar_items_waiting_for_writer 0",
    ] {
        assert!(
            metrics.text.contains(name),
            "{name} is not in {}",
            metrics.text
        );
    }
    world.end().await;
}

#[tokio::test]
async fn the_page_says_that_all_is_well_and_other_addresses_are_not_found() {
    let world = World::new().await;
    world.warmed_up().await;
    let page = world.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("2i2c-org") && page.text.contains("is handled"));
    assert_eq!(world.get("/nothing").await.status, 404);
    assert_eq!(world.get("/github/webhook").await.status, 405);
    world.end().await;
}
