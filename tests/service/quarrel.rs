//! Where the policy takes unauthorised changes back, and how long it does.

use northstar::sim::example::REPOSITORY;
use northstar::sim::{Fault, FaultKind, When};

use crate::commands::say;
use crate::weather::by_hand;
use crate::world::{Setup, World};

const REVERTING: &str = r#"
version: 1
organization: 2i2c-org
roles: { member: { organization: true } }
attributes:
  kind: { values: [feature, bug], label: "kind/{value}" }
commands: { kind: member }
unauthorised: revert
principles:
  - id: all
    statement: All is looked at.
    rules:
      - id: kind
        set: { kind: feature }
        because: it says so
"#;

async fn reverting() -> (World, u64) {
    let world = World::with(Setup {
        policy: Some(REVERTING.to_owned()),
        ..Setup::default()
    })
    .await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    assert_eq!(world.labels(n), ["kind/feature"]);
    (world, n)
}

fn relabel(world: &World, who: &str, n: u64) {
    let sim = &world.sim;
    if world.labels(n).contains(&"kind/feature".to_owned()) {
        sim.remove_label(who, REPOSITORY, n, "kind/feature")
            .expect("a label");
    }
    sim.add_label(who, REPOSITORY, n, "kind/bug")
        .expect("a label");
}

#[tokio::test]
async fn an_unauthorised_change_is_taken_back_where_the_policy_says_so() {
    let (world, n) = reverting().await;
    relabel(&world, "ada", n);
    world.settled().await;
    assert_eq!(world.labels(n), ["kind/feature"]);
    // Who may, may.
    relabel(&world, "lea", n);
    world.settled().await;
    assert_eq!(world.labels(n), ["kind/bug"]);
    world.end().await;
}

#[tokio::test]
async fn a_bot_that_insists_is_not_fought_for_ever() {
    let (world, n) = reverting().await;
    world.sim.bot("helper[bot]");
    for _ in 0..5 {
        relabel(&world, "helper[bot]", n);
        world.settled().await;
    }
    assert_eq!(world.labels(n), ["kind/bug"]);
    let held = world.held(n).await;
    assert!(held[0].1.contains("something undoes it"), "{held:?}");
    // That is said once, with what to do about it.
    let told = world.answers(n);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("`/kind VALUE`"), "{told:?}");
    assert!(
        told[0].contains("the rule `kind` asks for (`feature`)"),
        "{told:?}"
    );
    world.sim.forget_requests();
    relabel(&world, "helper[bot]", n);
    world.settled().await;
    assert!(world.sim.writes().is_empty(), "{:#?}", world.sim.writes());
    // A person settles it, and what the other bot does then is put right as before.
    say(&world, "lea", n, "/kind bug it is one").await;
    assert_eq!(world.labels(n), ["kind/bug"]);
    say(&world, "lea", n, "/release kind").await;
    assert_eq!(world.labels(n), ["kind/feature"]);
    for _ in 0..5 {
        relabel(&world, "helper[bot]", n);
        world.settled().await;
    }
    assert_eq!(world.labels(n), ["kind/bug"]);
    assert_eq!(world.answers(n).len(), 1, "that was said before");
    world.end().await;
}

#[tokio::test]
async fn a_quarrel_is_said_once_whatever_breaks() {
    let (clock, setup) = by_hand();
    let world = World::with(Setup {
        policy: Some(REVERTING.to_owned()),
        ..setup
    })
    .await;
    world.sim.bot("helper[bot]");
    for kind in [FaultKind::DropBefore, FaultKind::DropAfter] {
        let n = world.open("ada", "Please add RStudio", "");
        world.weathered(&clock).await;
        let when = When::rest("POST", "/comments");
        world.sim.fault(Fault::once(when, kind.clone()));
        for _ in 0..5 {
            relabel(&world, "helper[bot]", n);
            world.weathered(&clock).await;
        }
        assert_eq!(world.sim.faults_waiting(), 0, "{kind:?}");
        assert_eq!(world.answers(n).len(), 1, "{kind:?}");
        assert_eq!(world.labels(n), ["kind/bug"]);
    }
    world.end().await;
}

#[tokio::test]
async fn a_deleted_issue_is_let_go() {
    let (world, n) = reverting().await;
    world
        .sim
        .delete_issue("lea", REPOSITORY, n)
        .expect("deleted");
    world.settled().await;
    world.end().await;
}
