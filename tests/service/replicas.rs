//! Two workers on one store: nothing is done twice, nothing is left.

use std::sync::Arc;
use std::time::Duration;

use northstar::github::{GitHub, GitHubConfig};
use northstar::sim::example::REPOSITORY;
use northstar::sim::{Limits, SimConfig, WebhookFault, WebhookFaultKind};
use northstar::worker::{Organizations, Worker, WorkerConfig};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::weather::REQUEST;
use crate::world::{World, unhurried_by_nothing};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_share_a_store() {
    let world = World::new().await;
    // Each has its own client here, so they write at the same moment.
    world.sim.limit(Limits {
        secondary: false,
        ..Limits::default()
    });
    let clock = world.setup.clock.clone();
    let github = GitHub::new(
        GitHubConfig {
            api_url: world.github.url.clone(),
            app_id: SimConfig::default().app_id,
            private_key_pem: world.sim.private_key_pem().into(),
            pacing: unhurried_by_nothing(),
            timeout: Duration::from_secs(10),
        },
        clock.clone(),
    )
    .expect("a client");
    let organizations = Organizations::new(clock.clone(), github, vec![world.policy()]);
    let bell = Arc::new(Notify::new());
    let second = Arc::new(Worker::new(
        world.service().store.clone(),
        clock,
        Arc::new(organizations),
        bell.clone(),
        WorkerConfig {
            holder: "second".to_owned(),
            ..world.setup.worker.clone()
        },
    ));
    let stop = CancellationToken::new();
    let working = tokio::spawn(second.run(stop.clone()));

    let mut opened = Vec::new();
    for round in 0..6 {
        for kind in [WebhookFaultKind::Duplicate, WebhookFaultKind::Hold] {
            world.sim.webhook_fault(WebhookFault {
                event: None,
                times: 4,
                kind,
            });
        }
        for i in 0..5 {
            let title = format!("Please add tool {round}.{i}");
            opened.push(world.open("ada", &title, REQUEST));
            bell.notify_one();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        for n in opened.iter().rev().take(3) {
            world
                .sim
                .comment("ada", REPOSITORY, *n, "It would help us a lot.")
                .expect("a comment");
            bell.notify_one();
        }
        world.sim.release_webhooks(round % 2 == 0);
    }
    world.sim.clear_faults();
    world.sim.release_webhooks(true);
    world.settled().await;
    for n in &opened {
        world.assert_triaged(*n, "by either of two");
    }
    stop.cancel();
    working.await.expect("the second worker ends well");
    world.end().await;
}
