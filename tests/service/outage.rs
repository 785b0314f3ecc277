//! GitHub is away for an hour.

use jiff::SignedDuration;
use northstar::sim::{Fault, FaultKind, When};

use crate::weather::{REQUEST, by_hand};
use crate::world::World;

#[tokio::test]
async fn an_hour_without_github_loses_nothing() {
    let (clock, mut setup) = by_hand();
    // Boards are looked over in a rhythm of their own.
    setup.worker.read_boards_every = SignedDuration::from_hours(24);
    let world = World::with(setup).await;
    world.weathered(&clock).await;
    // What a start asks has been asked: nothing of it is tried again in the hour.
    let mut asked = None;
    while asked.replace(world.sim.activity()) != Some(world.sim.activity()) {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    world.sim.forget_requests();
    world.sim.fault(Fault {
        when: When::any(),
        times: u32::MAX,
        kind: FaultKind::DropBefore,
    });
    let n = world.open("ada", "Please add RStudio to our hub", REQUEST);
    let hour = SignedDuration::from_hours(1);
    world
        .go_by(&clock, hour, SignedDuration::from_secs(4))
        .await;
    let counts = world.service().store.counts().await.expect("counts");
    assert_eq!(counts.dead, 0, "GitHub's fault is not the delivery's");
    assert_eq!(counts.pending, 1);

    // Between looks there are pauses, each about twice as long, up to ten minutes. (Reads within a
    // look are repeated within seconds, and the sweep has a rhythm of its own.)
    let asked: Vec<_> = world
        .sim
        .requests()
        .iter()
        .filter(|r| !r.path.starts_with("/app/hook"))
        .map(|r| r.at)
        .collect();
    let pauses: Vec<i64> = asked
        .windows(2)
        .map(|two| two[1].duration_since(two[0]).as_secs())
        .filter(|pause| *pause >= 30)
        .collect();
    assert!(pauses.len() >= 5, "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= 660), "{pauses:?}");
    assert!(pauses.last().is_some_and(|p| *p >= 590), "{pauses:?}");
    assert!(pauses.is_sorted_by(|a, b| *a <= b + 60), "{pauses:?}");

    let more = world.open("grace", "Please add Julia to our hub", REQUEST);
    world.sim.clear_faults();
    world.weathered(&clock).await;
    world.assert_triaged(n, "after the outage");
    world.assert_triaged(more, "after the outage");
    world.end().await;
}
