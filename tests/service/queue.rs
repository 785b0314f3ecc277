//! Who comes next: moved where the policy says so; and what comes back finds its place taken.

use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};

use crate::limits::{DOING, NEXT, POLICY, world};

const ON: (&str, u64) = (ORGANIZATION, BOARD);

#[tokio::test]
async fn a_draft_that_becomes_an_issue_takes_one_place_not_two() {
    let world = world(POLICY).await;
    let sim = &world.sim;
    sim.add_draft_in("dev", ON, "A thought", DOING)
        .expect("a draft");
    world.settled().await;
    let n = sim
        .convert_draft("dev", ON, "A thought", REPOSITORY)
        .expect("an issue");
    world.settled().await;
    assert_eq!(world.column(n), DOING, "it stands where the draft stood");
    let other = world.card_in("dev", "Second", NEXT);
    world.settled().await;
    world.drag("dev", other, DOING);
    world.settled().await;
    assert_eq!(world.column(other), DOING, "there was room for two");
    assert!(world.answers(other).is_empty());
    world.end().await;
}

#[tokio::test]
async fn where_the_policy_pulls_the_next_card_is_moved_when_a_place_becomes_free() {
    let policy = POLICY.replacen(
        "        over: return\n",
        "        over: return\n        pull: true\n",
        1,
    );
    assert_ne!(policy, POLICY);
    let world = world(&policy).await;
    let running: Vec<u64> = (0..2)
        .map(|i| world.card_in("dev", &format!("Work {i}"), DOING))
        .collect();
    let low = world.card_in("dev", "Of little use", NEXT);
    let high = world.card_in("dev", "Of much use", NEXT);
    let set = world
        .sim
        .set_field("dev", ON, (REPOSITORY, high), "impact", "High");
    set.expect("a field");
    world.settled().await;
    assert_eq!([low, high].map(|n| world.column(n)), [NEXT, NEXT]);
    world.drag("dev", running[0], "Done");
    world.settled().await;
    // The better one, and one only; nobody needs to be told.
    assert_eq!([low, high].map(|n| world.column(n)), [NEXT, DOING]);
    assert!(world.answers(1).is_empty(), "{:?}", world.answers(1));
    assert!(world.answers(high).is_empty(), "{:?}", world.answers(high));
    world.drag("dev", running[1], "Done");
    world.settled().await;
    assert_eq!([low, high].map(|n| world.column(n)), [DOING, DOING]);
    world.end().await;
}

#[tokio::test]
async fn a_card_that_comes_back_from_the_archive_is_an_entry() {
    let world = world(POLICY).await;
    let away = world.card_in("dev", "Put away", NEXT);
    world.settled().await;
    world.drag("dev", away, DOING);
    world.settled().await;
    let archive = |on: bool| {
        let done = world.sim.archive("dev", ON, (REPOSITORY, away), on);
        done.expect("archived or restored");
    };
    archive(true);
    for i in 0..2 {
        world.card_in("dev", &format!("Work {i}"), DOING);
    }
    world.settled().await;
    archive(false);
    world.settled().await;
    assert_eq!(world.column(away), NEXT);
    assert_eq!(world.answers(away).len(), 1);
    world.end().await;
}
