//! Webhooks that never came, found in GitHub's log of deliveries.

use jiff::SignedDuration;
use northstar::sim::{WebhookFault, WebhookFaultKind};
use northstar::worker::WorkerConfig;

use crate::weather::{REQUEST, by_hand};
use crate::world::{Setup, World};

const TITLE: &str = "Please add RStudio to our hub";

fn lose(world: &World, times: u32) {
    world.sim.webhook_fault(WebhookFault {
        event: Some("issues".to_owned()),
        times,
        kind: WebhookFaultKind::Lose,
    });
}

/// Redeliveries of issues that were asked for. (What happened before the service first ran, its
/// own installation, is asked for too.)
fn asked_again(world: &World) -> usize {
    let issues: Vec<String> = world
        .sim
        .deliveries()
        .iter()
        .filter(|d| d.event == "issues")
        .map(|d| format!("/{}/attempts", d.id))
        .collect();
    let requests = world.sim.requests();
    let attempts = requests
        .iter()
        .filter(|r| issues.iter().any(|end| r.path.ends_with(end)));
    attempts.count()
}

#[tokio::test]
async fn a_lost_webhook_is_asked_for_again() {
    let (clock, setup) = by_hand();
    let world = World::with(setup).await;
    world.weathered(&clock).await;
    lose(&world, 1);
    let n = world.open("ada", TITLE, REQUEST);
    world.weathered(&clock).await;
    assert!(world.labels(n).is_empty(), "nobody told us");
    world
        .go_by(
            &clock,
            SignedDuration::from_mins(6),
            SignedDuration::from_secs(10),
        )
        .await;
    world.weathered(&clock).await;
    world.assert_triaged(n, "lost and found");
    assert_eq!(asked_again(&world), 1);
    // Found once is enough.
    let later = SignedDuration::from_mins(30);
    world
        .go_by(&clock, later, SignedDuration::from_secs(30))
        .await;
    assert_eq!(asked_again(&world), 1);
    world.end().await;
}

#[tokio::test]
async fn what_happened_while_the_service_was_down_is_handled_when_it_is_back() {
    let mut world = World::new().await;
    world.settled().await;
    world.stop().await;
    let opened: Vec<u64> = (0..5).map(|_| world.open("ada", TITLE, REQUEST)).collect();
    world.sim.settled().await;
    let deliveries = world.sim.deliveries();
    let mut issues = deliveries.iter().filter(|d| d.event == "issues");
    assert!(issues.all(|d| d.status == Some(502)), "nobody was there");
    world.start().await;
    for n in opened {
        world
            .eventually("triaged after all", || world.is_triaged(n))
            .await;
    }
    world.settled().await;
    world.end().await;
}

/// What fails again is asked for again, and not for ever.
#[tokio::test]
async fn a_delivery_that_never_comes_through_is_given_up() {
    let (clock, setup) = by_hand();
    let world = World::with(setup).await;
    world.weathered(&clock).await;
    lose(&world, 50);
    world.open("ada", TITLE, REQUEST);
    let later = SignedDuration::from_hours(1);
    world
        .go_by(&clock, later, SignedDuration::from_secs(15))
        .await;
    assert_eq!(asked_again(&world), 5);
    world.sim.clear_faults();
}

/// A log that cannot be read is read later; what it has is found then.
#[tokio::test]
async fn a_log_that_cannot_be_read_is_read_later() {
    use northstar::sim::{Fault, FaultKind, When};
    let setup = Setup {
        worker: WorkerConfig {
            sweep_every: SignedDuration::from_millis(200),
            ..Setup::default().worker
        },
        ..Setup::default()
    };
    let mut world = World::with(setup).await;
    world.stop().await;
    let n = world.open("ada", TITLE, REQUEST);
    world.sim.settled().await;
    world.sim.fault(Fault {
        when: When::rest("GET", "/app/hook/deliveries"),
        times: 6,
        kind: FaultKind::Status(403, Vec::new()),
    });
    world.start().await;
    world
        .eventually("triaged after all", || world.is_triaged(n))
        .await;
    world.settled().await;
    assert_eq!(world.sim.faults_waiting(), 0);
    world.end().await;
}
