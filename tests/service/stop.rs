//! Stopped in the middle of work and started again: nothing is lost, and nothing done twice.

use std::time::Duration;

use northstar::sim::{WebhookFault, WebhookFaultKind};

use crate::world::{Setup, World};

#[tokio::test]
async fn a_stop_in_the_middle_of_work_loses_nothing_and_doubles_nothing() {
    let mut setup = Setup::default();
    // Slow enough to be stopped in the middle.
    setup.pacing.min_gap = Duration::from_millis(10);
    let mut world = World::with(setup).await;
    let numbers: Vec<u64> = (0..10)
        .map(|i| world.open("ada", &format!("Please add tool {i}"), "For our course."))
        .collect();
    world.sim.settled().await;
    while world.sim.writes().len() < 12 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // GitHub does not send to a service that is down; what it would have sent comes later.
    world.sim.webhook_fault(WebhookFault {
        event: None,
        times: 10_000,
        kind: WebhookFaultKind::Hold,
    });
    world.sim.settled().await;
    world.stop().await;
    let answered = |world: &World| {
        numbers
            .iter()
            .filter(|n| !world.answers(**n).is_empty())
            .count()
    };
    let before = answered(&world);
    assert!(
        before < numbers.len(),
        "it was not in the middle of anything"
    );
    world.start().await;
    world.sim.clear_faults();
    world.sim.release_webhooks(false);
    world.settled().await;
    for n in &numbers {
        assert_eq!(
            world.labels(*n),
            ["goal/education", "kind/feature", "triage/needs-triage"],
            "#{n}"
        );
        assert_eq!(world.answers(*n).len(), 1, "#{n}");
        assert_eq!(world.card(*n).expect("a card").fields["type"], "Feature");
    }
    assert!(world.sim.writes().len() <= numbers.len() * 4);
    world.end().await;
}

#[tokio::test]
async fn a_service_that_starts_again_knows_what_it_has_done() {
    let mut world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    world.stop().await;
    world.sim.forget_requests();
    world.start().await;
    world
        .sim
        .comment("ada", northstar::sim::example::REPOSITORY, n, "Thank you.")
        .expect("a comment");
    world.settled().await;
    assert_eq!(world.answers(n).len(), 1);
    assert!(world.sim.writes().is_empty(), "{:#?}", world.sim.writes());
    world.end().await;
}
