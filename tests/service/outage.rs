//! GitHub is away for an hour.

use jiff::SignedDuration;
use northstar::sim::{Fault, FaultKind, When};

use crate::weather::{REQUEST, by_hand};
use crate::world::World;

#[tokio::test]
async fn an_hour_without_github_loses_nothing() {
    let (clock, setup) = by_hand();
    let world = World::with(setup).await;
    world.weathered(&clock).await;
    world.sim.forget_requests();
    world.sim.fault(Fault {
        when: When::any(),
        times: u32::MAX,
        kind: FaultKind::DropBefore,
    });
    let n = world.open("ada", "Please add RStudio to our hub", REQUEST);
    let hour = SignedDuration::from_hours(1);
    world
        .go_by(&clock, hour, SignedDuration::from_secs(2))
        .await;
    let counts = world.service().store.counts().await.expect("counts");
    assert_eq!(counts.dead, 0, "GitHub's fault is not the delivery's");
    assert_eq!(counts.pending, 1);

    // The looks began when the pause before was over: each about twice as long, up to ten minutes.
    let mut looks = Vec::new();
    for request in world.sim.requests() {
        let sweeping = request.path.starts_with("/app/hook");
        // Reads are repeated within seconds; a look is what comes after a real pause.
        if !sweeping
            && looks
                .last()
                .is_none_or(|last| request.at.duration_since(*last) > SignedDuration::from_secs(14))
        {
            looks.push(request.at);
        } else if !sweeping && let Some(last) = looks.last_mut() {
            *last = request.at;
        }
    }
    let pauses: Vec<i64> = looks
        .windows(2)
        .map(|two| two[1].duration_since(two[0]).as_secs())
        .collect();
    assert!(pauses.len() >= 5, "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= 640), "{pauses:?}");
    assert!(pauses.last().is_some_and(|p| *p > 300), "{pauses:?}");
    assert!(pauses.is_sorted_by(|a, b| *a <= b + 30), "{pauses:?}");

    let more = world.open("grace", "Please add Julia to our hub", REQUEST);
    world.sim.clear_faults();
    world.weathered(&clock).await;
    world.assert_triaged(n, "after the outage");
    world.assert_triaged(more, "after the outage");
    world.end().await;
}
