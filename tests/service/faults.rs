//! Every kind of fault, at every request of a triage: the item is triaged in the end, with one
//! comment, and nothing is sent before GitHub wants to be asked again.

use jiff::SignedDuration;
use northstar::clock::ManualClock;
use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use northstar::sim::{Fault, FaultKind, Logged, WebhookFault, WebhookFaultKind, When};

use crate::weather::{REQUEST, by_hand};
use crate::world::World;

/// Writes of one triage without faults are three; what failed is written again, and no more.
const WRITES: usize = 3;

/// Where it goes wrong.
struct Place {
    name: &'static str,
    when: When,
    /// Asked only by a service that has just started.
    cold: bool,
}

fn place(name: &'static str, when: When, cold: bool) -> Place {
    Place { name, when, cold }
}

fn writes() -> Vec<Place> {
    vec![
        place("labels", When::graphql("addLabelsToLabelable"), false),
        place("board", When::graphql("addProjectV2ItemById"), false),
        place(
            "fields",
            When::graphql("updateProjectV2ItemFieldValue"),
            false,
        ),
        place("comment", When::rest("POST", "/comments"), false),
    ]
}

fn reads() -> Vec<Place> {
    vec![
        place("item", When::graphql("ItemByNode"), false),
        place("board's fields", When::graphql("Project"), true),
        place("names of labels", When::graphql("Labels"), true),
        place("team", When::rest("GET", "/teams/"), true),
        place("members", When::rest("GET", "/orgs/2i2c-org/members"), true),
        place(
            "installations",
            When::rest("GET", "/app/installations"),
            true,
        ),
        place("our own id", When::rest("GET", "/users/"), true),
        place("token", When::rest("POST", "/access_tokens"), true),
    ]
}

/// One world; at every place in turn the fault, then a request that must come through.
async fn come_through(kind: FaultKind, places: Vec<Place>) {
    let (clock, setup) = by_hand();
    let mut world = World::with(setup).await;
    for place in places {
        let story = format!("{kind:?} at {}", place.name);
        if place.cold {
            world.stop().await;
            world.start().await;
        }
        let graphql_only = kind == FaultKind::GraphQlRateLimited;
        if graphql_only && place.when.operation.is_none() {
            continue;
        }
        world.sim.forget_requests();
        world
            .sim
            .fault(Fault::once(place.when.clone(), kind.clone()));
        let n = if place.name == "item" {
            known_by_its_row(&world)
        } else {
            world.open("ada", "Please add RStudio to our hub", REQUEST)
        };
        world.weathered(&clock).await;
        assert_eq!(world.sim.faults_waiting(), 0, "{story}: was never met");
        world.assert_triaged(n, &story);
        let sent = world.sim.writes();
        assert!(sent.len() <= WRITES + 1, "{story}: {sent:#?}");
        assert_pauses_kept(&world.sim.requests(), &kind, &story);
        settle_journal(&world, &clock, &story).await;
    }
    world.end().await;
}

/// An issue whose own webhook is lost: its row on the board is the first we hear of it.
fn known_by_its_row(world: &World) -> u64 {
    world.sim.webhook_fault(WebhookFault {
        event: Some("issues".to_owned()),
        times: 1,
        kind: WebhookFaultKind::Hold,
    });
    let n = world.open("ada", "Please add RStudio to our hub", REQUEST);
    world
        .sim
        .add_to_project("dev", (ORGANIZATION, BOARD), REPOSITORY, n)
        .expect("a row");
    n
}

async fn settle_journal(world: &World, clock: &ManualClock, story: &str) {
    world.sim.release_webhooks(false);
    world.weathered(clock).await;
    let counts = world.service().store.counts().await.expect("counts");
    assert_eq!(
        counts.unsettled, 0,
        "{story}: a write whose end is not known"
    );
    assert_eq!(counts.dead, 0, "{story}: a delivery was given up");
}

/// Nobody asks again before the pause is over that GitHub asked for.
fn assert_pauses_kept(requests: &[Logged], kind: &FaultKind, story: &str) {
    let pause = match kind {
        FaultKind::SecondaryLimit(Some(seconds)) => i64::try_from(*seconds).expect("seconds"),
        FaultKind::SecondaryLimit(None) | FaultKind::GraphQlRateLimited => 60,
        _ => return,
    };
    let limited =
        |r: &&Logged| r.status == Some(403) || r.response["errors"][0]["type"] == "RATE_LIMITED";
    let refused = requests.iter().find(limited).expect("a refusal");
    let until = refused.at + SignedDuration::from_secs(pause);
    // What was asked side by side at the same moment could not know.
    let early: Vec<_> = requests
        .iter()
        .filter(|r| r.installation == refused.installation)
        .filter(|r| r.at > refused.at && r.at < until)
        .map(|r| (r.at, &r.method, &r.path))
        .collect();
    assert!(
        early.is_empty(),
        "{story}: refused at {}, then {early:?}",
        refused.at
    );
}

fn all() -> Vec<Place> {
    writes().into_iter().chain(reads()).collect()
}

#[tokio::test]
async fn a_connection_that_is_lost_before_anything_happened() {
    come_through(FaultKind::DropBefore, all()).await;
}

#[tokio::test]
async fn a_connection_that_is_lost_after_it_happened() {
    come_through(FaultKind::DropAfter, all()).await;
}

#[tokio::test]
async fn an_internal_error() {
    come_through(FaultKind::Status(500, Vec::new()), all()).await;
}

#[tokio::test]
async fn a_bad_gateway_and_nothing_happened() {
    come_through(FaultKind::Status(502, Vec::new()), all()).await;
}

#[tokio::test]
async fn a_bad_gateway_after_it_happened() {
    come_through(FaultKind::StatusAfter(502), all()).await;
}

#[tokio::test]
async fn the_primary_limit_of_graphql() {
    come_through(FaultKind::GraphQlRateLimited, all()).await;
}

#[tokio::test]
async fn a_secondary_limit_that_says_how_long() {
    come_through(FaultKind::SecondaryLimit(Some(90)), all()).await;
}

#[tokio::test]
async fn a_secondary_limit_that_does_not_say() {
    come_through(FaultKind::SecondaryLimit(None), all()).await;
}

#[tokio::test]
async fn a_token_that_is_no_longer_good() {
    come_through(FaultKind::Status(401, Vec::new()), all()).await;
}

#[tokio::test]
async fn something_that_is_not_there_for_a_moment() {
    come_through(FaultKind::Status(404, Vec::new()), all()).await;
}

#[tokio::test]
async fn something_that_is_gone_for_a_moment() {
    come_through(FaultKind::Status(410, Vec::new()), writes()).await;
}

/// Three times in a row, so that the pauses grow.
#[tokio::test]
async fn a_write_that_fails_again_and_again() {
    let (clock, setup) = by_hand();
    let world = World::with(setup).await;
    for kind in [FaultKind::StatusAfter(502), FaultKind::DropAfter] {
        for place in writes() {
            let story = format!("{kind:?} three times at {}", place.name);
            world.sim.forget_requests();
            world.sim.fault(Fault {
                when: place.when,
                times: 3,
                kind: kind.clone(),
            });
            let n = world.open("ada", "Please add RStudio to our hub", REQUEST);
            world.weathered(&clock).await;
            // What happened is found by reading, and not sent a second time.
            world.sim.clear_faults();
            world.assert_triaged(n, &story);
            let sent = world.sim.writes();
            assert!(sent.len() <= WRITES + 1, "{story}: {sent:#?}");
        }
    }
    world.end().await;
}

/// An issue that somebody deletes while its comment is being written is let go.
#[tokio::test]
async fn an_issue_that_goes_away_while_it_is_written_to() {
    let (clock, setup) = by_hand();
    let world = World::with(setup).await;
    for kind in [FaultKind::DropBefore, FaultKind::DropAfter] {
        world
            .sim
            .fault(Fault::once(When::rest("POST", "/comments"), kind));
        let n = world.open("ada", "Please add RStudio to our hub", REQUEST);
        world
            .eventually("the comment is tried", || world.sim.faults_waiting() == 0)
            .await;
        world
            .sim
            .delete_issue("lea", REPOSITORY, n)
            .expect("an issue to delete");
        world.weathered(&clock).await;
    }
    world.end().await;
}
