//! Questions to the author: reminded once, ended by themselves, and by an answer at any time.

use jiff::SignedDuration;
use northstar::clock::ManualClock;
use northstar::sim::example::REPOSITORY;
use northstar::sim::{Fault, FaultKind, When};
use northstar::triage::decision::Mode;

use crate::commands::has;
use crate::weather::by_hand;
use crate::world::{Setup, World};

const DAY: SignedDuration = SignedDuration::from_hours(24);

async fn asked(setup: Setup) -> (World, u64) {
    let world = World::with(setup).await;
    let n = world.open("ada", "Please add RStudio", "Our researchers want it.");
    world.settled().await;
    said(&world, "lea", n, "Which hub is it?\n\n/triage needs-info").await;
    assert!(has(&world, n, "triage/needs-info"));
    (world, n)
}

async fn said(world: &World, who: &str, n: u64, text: &str) {
    let comment = world.sim.comment(who, REPOSITORY, n, text);
    comment.expect("a comment");
    world.settled().await;
}

/// How often the author was reminded.
fn reminders(world: &World, n: u64) -> usize {
    let answers = world.answers(n).into_iter();
    answers
        .filter(|a| a.contains("still wait for an answer"))
        .count()
}

async fn days(world: &World, clock: &ManualClock, days: i32) {
    world.later(clock, DAY * days).await;
}

#[tokio::test]
async fn who_does_not_answer_is_reminded_once_and_then_it_is_put_off() {
    let (clock, setup) = by_hand();
    let (mut world, n) = asked(setup).await;
    days(&world, &clock, 13).await;
    assert_eq!(reminders(&world, n), 0);
    // The service is away when the time comes.
    world.stop().await;
    clock.advance(DAY * 2);
    world.start().await;
    days(&world, &clock, 0).await;
    assert_eq!(reminders(&world, n), 1);
    said(&world, "grace", n, "I should like to know, too.").await;
    days(&world, &clock, 13).await;
    assert!(
        has(&world, n, "triage/needs-info"),
        "two weeks from the reminder"
    );
    world.stop().await;
    clock.advance(DAY);
    world.start().await;
    days(&world, &clock, 0).await;
    assert!(has(&world, n, "triage/deferred") && !has(&world, n, "triage/needs-info"));
    assert_eq!(reminders(&world, n), 1);
    let ended = world.audit(n, "act").await;
    let ended: Vec<_> = ended
        .iter()
        .filter(|l| l.detail["by"] == "no answer")
        .collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].detail["reason"], "nobody answered for 28 days");

    // It stays so, and a late word is still heard.
    days(&world, &clock, 30).await;
    assert!(has(&world, n, "triage/deferred"));
    assert!(world.issue(n).open);
    said(&world, "ada", n, "Sorry, I was away: the one of Lima.").await;
    days(&world, &clock, 0).await;
    assert!(has(&world, n, "triage/needs-triage") && !has(&world, n, "triage/deferred"));
    // Nothing of the old question is left, and a new one is a new one.
    days(&world, &clock, 40).await;
    assert!(has(&world, n, "triage/needs-triage"));
    said(
        &world,
        "lea",
        n,
        "/triage needs-info and which one of Lima?",
    )
    .await;
    days(&world, &clock, 15).await;
    assert_eq!(reminders(&world, n), 2);
    world.end().await;
}

#[tokio::test]
async fn who_answers_in_time_is_not_reminded() {
    let (clock, setup) = by_hand();
    let (world, n) = asked(setup).await;
    days(&world, &clock, 10).await;
    said(&world, "ada", n, "The one of Lima.").await;
    days(&world, &clock, 0).await;
    assert!(has(&world, n, "triage/needs-triage"));
    days(&world, &clock, 40).await;
    assert_eq!(reminders(&world, n), 0);
    assert!(has(&world, n, "triage/needs-triage"));
    world.end().await;
}

#[tokio::test]
async fn what_was_commanded_waits_in_every_mode_and_what_is_closed_in_none() {
    let (clock, setup) = by_hand();
    let (world, n) = asked(Setup {
        mode: Mode::Observe,
        ..setup
    })
    .await;
    let closed = world.open("ada", "Please add Julia", "");
    world.settled().await;
    said(&world, "lea", closed, "/triage needs-info").await;
    world
        .sim
        .close("ada", REPOSITORY, closed, false)
        .expect("closed");
    let by_hand = world.open("ada", "Please add Octave", "");
    let label = world
        .sim
        .add_label("lea", REPOSITORY, by_hand, "triage/needs-info");
    label.expect("a label");
    days(&world, &clock, 15).await;
    assert_eq!(reminders(&world, n), 1);
    days(&world, &clock, 15).await;
    assert!(has(&world, n, "triage/deferred"));
    for other in [closed, by_hand] {
        assert_eq!(reminders(&world, other), 0);
        assert!(has(&world, other, "triage/needs-info"));
    }
    world.end().await;
}

#[tokio::test]
async fn whatever_breaks_the_author_is_reminded_once() {
    let (clock, setup) = by_hand();
    let (world, n) = asked(setup).await;
    for (times, kind) in [FaultKind::DropBefore, FaultKind::DropAfter]
        .into_iter()
        .enumerate()
    {
        let when = When::rest("POST", "/comments");
        world.sim.fault(Fault::once(when, kind.clone()));
        clock.advance(DAY * 15);
        world.weathered(&clock).await;
        assert_eq!(world.sim.faults_waiting(), 0, "{kind:?}");
        assert_eq!(reminders(&world, n), times + 1, "{kind:?}");
        clock.advance(DAY * 15);
        world.weathered(&clock).await;
        assert!(has(&world, n, "triage/deferred"), "{kind:?}");
        let again = world
            .sim
            .comment("lea", REPOSITORY, n, "/triage needs-info");
        again.expect("a comment");
        world.weathered(&clock).await;
    }
    world.end().await;
}
