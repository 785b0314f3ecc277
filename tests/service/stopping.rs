//! The service stops soon, whatever it is in the middle of, and the next start goes on.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use northstar::sim::{Fault, FaultKind, When};
use northstar::store::sqlite::SqliteStore;
use northstar::store::{Finish, Store};

use crate::weather::REQUEST;
use crate::world::World;

/// GitHub holds an answer back for this long; whoever waits for it waits too long.
const HANGS: Duration = Duration::from_secs(120);

async fn stop_soon(world: &mut World) {
    let stopped = tokio::time::timeout(Duration::from_secs(25), world.stop()).await;
    assert!(stopped.is_ok(), "the service did not stop");
}

/// Is there a lane to be worked on that nobody holds?
async fn is_free(world: &World) -> bool {
    let store = SqliteStore::open(&world.store_url()).await.expect("opens");
    let (now, long) = (Timestamp::now(), SignedDuration::from_mins(2));
    let lease = store.claim("test", now, long).await.expect("claims");
    if let Some(lease) = &lease {
        let finish = Finish {
            wake_at: Some(now),
            ..Finish::default()
        };
        store.finish(lease, finish).await.expect("gives it back");
    }
    store.close().await;
    lease.is_some_and(|lease| lease.failures == 0)
}

#[tokio::test]
async fn while_github_does_not_answer_a_read() {
    let mut world = World::new().await;
    world.settled().await;
    world.sim.fault(Fault {
        when: When::any(),
        times: u32::MAX,
        kind: FaultKind::Delay(HANGS),
    });
    let n = world.open("ada", "Please add RStudio to our hub", REQUEST);
    world.sim.settled().await;
    let asked = world.sim.requests().len();
    world
        .eventually("GitHub is asked", || world.sim.requests().len() > asked)
        .await;
    stop_soon(&mut world).await;
    world.sim.clear_faults();
    assert!(is_free(&world).await, "the lane was not handed back");
    world.start().await;
    world.settled().await;
    world.assert_triaged(n, "after the stop");
    world.end().await;
}

#[tokio::test]
async fn while_a_write_is_on_its_way() {
    let mut world = World::new().await;
    for (place, when) in [
        ("labels", When::graphql("addLabelsToLabelable")),
        ("comment", When::rest("POST", "/comments")),
    ] {
        world.sim.fault(Fault::once(
            when,
            FaultKind::Delay(Duration::from_millis(500)),
        ));
        let n = world.open("ada", "Please add RStudio to our hub", REQUEST);
        world
            .eventually("the write is on its way", || {
                world.sim.faults_waiting() == 0
            })
            .await;
        stop_soon(&mut world).await;
        let writes = world.sim.writes().len();
        world.start().await;
        world.settled().await;
        world.assert_triaged(n, place);
        // What was on its way was waited for; it did not have to be found out.
        let after = &world.sim.writes()[writes..];
        let again = after.iter().filter(|w| {
            w.fields.iter().any(|f| f == "addLabelsToLabelable") || w.path.ends_with("/comments")
        });
        let expected = usize::from(place == "labels"); // the comment that had not been sent
        assert_eq!(again.count(), expected, "{place}");
    }
    world.end().await;
}
