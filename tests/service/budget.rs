//! GitHub's limits, kept under load.

use jiff::SignedDuration;
use northstar::github::Pacing;

use crate::weather::{REQUEST, by_hand};
use crate::world::{Setup, World};

#[tokio::test]
async fn a_hundred_requests_at_once_stay_within_githubs_limits() {
    let (clock, setup) = by_hand();
    let setup = Setup {
        pacing: Pacing::default(),
        ..setup
    };
    let world = World::with(setup).await;
    let opened: Vec<u64> = (0..100)
        .map(|i| world.open("ada", &format!("Please add tool {i}"), REQUEST))
        .collect();
    world.weathered(&clock).await;
    for n in opened {
        world.assert_triaged(n, "one of a hundred");
    }
    for request in world.sim.requests() {
        let status = request.status.unwrap_or(0);
        // The policy's digest stands on an issue that is not here.
        let is_missing = status == 404 && !request.is_write;
        assert!(
            (200..300).contains(&status) || is_missing,
            "refused: {request:#?}"
        );
    }
    let writes = world.sim.writes();
    assert!(writes.len() <= 300, "{} writes", writes.len());
    for pair in writes.windows(2) {
        let gap = pair[1].at.duration_since(pair[0].at);
        assert!(gap >= SignedDuration::from_secs(1), "{gap} between writes");
    }
    world.end().await;
}

/// The hour's budget for GraphQL runs out in the middle.
#[tokio::test]
async fn a_spent_budget_is_waited_for() {
    let (clock, setup) = by_hand();
    let world = World::with(setup).await;
    world.sim.limit(northstar::sim::Limits {
        graphql: 15,
        ..northstar::sim::Limits::default()
    });
    let opened: Vec<u64> = (0..6)
        .map(|i| world.open("ada", &format!("Please add tool {i}"), REQUEST))
        .collect();
    world.weathered(&clock).await;
    for n in opened {
        world.assert_triaged(n, "within a small budget");
    }
    // The count of what is left says it before GitHub has to.
    let refused: Vec<_> = world
        .sim
        .requests()
        .into_iter()
        .filter(|r| r.response["errors"][0]["type"] == "RATE_LIMITED" || r.status == Some(403))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
    world.end().await;
}
