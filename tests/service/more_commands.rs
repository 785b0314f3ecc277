//! Slash commands that put an item out of the way, or together with another.

use std::sync::Arc;

use jiff::SignedDuration;
use northstar::clock::ManualClock;
use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use northstar::triage::ledger::{self, Rank};

use crate::commands::{has, signs};
use crate::world::{Setup, World};

const ON: (&str, u64) = (ORGANIZATION, BOARD);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Work waits in a queue, and whoever looks at an item sees whether it is out of the way.
const POLICY: &str = r#"
version: 1
organization: 2i2c-org
roles:
  product_lead: { teams: [product-leads] }
  member: { organization: true }
boards:
  delivery: { project: 57, column_field: Status }
attributes:
  triage: { values: [accepted, declined], label: "triage/{value}" }
commands: { triage: product_lead, snooze: member }
principles:
  - id: few-things-at-once
    statement: We do few things at once.
    rules:
      - { id: rests, when: snoozed, label: no-goal-yet, because: it rests }
    caps:
      - { id: doing, board: delivery, columns: [In Progress], at_most: 2, over: warn, because: calm }
"#;

impl World {
    /// The last thing the bot said.
    fn last_reply(&self, n: u64) -> String {
        self.answers(n).pop().expect("an answer")
    }

    /// The issues that wait for the cap, the next one first.
    async fn queue(&self) -> Vec<String> {
        let past = self.past().await;
        let name = |item| {
            let issue = past.issues.iter().find(|(i, _)| *i == item);
            issue.expect("an issue").1.issue.title.clone()
        };
        let caps = past.boards.iter().flat_map(|b| &b.caps);
        caps.flat_map(|cap| &cap.queue).map(|i| name(*i)).collect()
    }
}

#[tokio::test]
async fn a_snoozed_item_is_nobodys_candidate_until_its_time_has_come() {
    let clock = ManualClock::new("2026-11-21T08:15:00Z".parse().expect("a time"));
    let world = World::with(Setup {
        clock: Arc::new(clock.clone()),
        policy: Some(POLICY.to_owned()),
        ..Setup::default()
    })
    .await;
    let mut waiting = Vec::new();
    for title in ["first", "second"] {
        let n = world.open("ada", title, "");
        let added = world.sim.add_to_project("lea", ON, REPOSITORY, n);
        added.expect("a row");
        let moved = world.sim.move_card("lea", ON, (REPOSITORY, n), "Up Next");
        moved.expect("a move");
        waiting.push(n);
        world.settled().await;
    }
    let n = waiting[0];
    assert_eq!(world.queue().await, ["first", "second"]);

    let no = world
        .sim
        .comment("ada", REPOSITORY, n, "/snooze 2w")
        .expect("a comment");
    let late = world
        .sim
        .comment("sam", REPOSITORY, n, "/snooze 2026-11-21")
        .expect("a comment");
    world.settled().await;
    assert_eq!(signs(&world, n, no), ["confused"]);
    assert_eq!(signs(&world, n, late), ["confused"]);
    assert_eq!(world.queue().await, ["first", "second"]);

    let comment = world
        .sim
        .comment("sam", REPOSITORY, n, "/snooze 2w after the workshop");
    world.settled().await;
    assert_eq!(signs(&world, n, comment.expect("a comment")), ["+1"]);
    assert!(
        world.last_reply(n).contains("2026-12-05 08:15 UTC"),
        "{}",
        world.last_reply(n)
    );
    assert_eq!(world.queue().await, ["second"]);
    assert!(has(&world, n, "no-goal-yet"), "rules see it");
    let last = world
        .ledger(n, ledger::SNOOZED)
        .await
        .pop()
        .expect("an entry");
    assert_eq!(
        (last.rank, last.reason.as_str()),
        (Rank::Command, "after the workshop")
    );

    // Nothing else happens, and after that time it is back.
    world.later(&clock, DAY * 13).await;
    assert_eq!(world.queue().await, ["second"]);
    world.later(&clock, DAY).await;
    assert_eq!(world.queue().await, ["first", "second"]);
    assert!(!has(&world, n, "no-goal-yet"));

    // Ended earlier, in both ways; and what was undone was the last word only.
    for (say, queue) in [
        ("/snooze 2026-12-24", &["second"][..]),
        ("/release snooze", &["first", "second"]),
        ("/snooze 3w", &["second"]),
        ("/snooze 1d", &["second"]),
        ("/undo", &["second"]),
    ] {
        world
            .sim
            .comment("lea", REPOSITORY, n, say)
            .expect("a comment");
        world.later(&clock, SignedDuration::from_secs(1)).await;
        assert_eq!(world.queue().await, queue, "{say}");
    }
    world.later(&clock, DAY * 2).await;
    assert_eq!(
        world.queue().await,
        ["second"],
        "of the first, three weeks stand again"
    );
    world.later(&clock, DAY * 20).await;
    assert_eq!(world.queue().await, ["first", "second"]);
    world.end().await;
}

#[tokio::test]
async fn the_digest_leaves_out_what_is_snoozed() {
    let world = World::new().await;
    let asleep = world.open("ada", "Please add RStudio", "For research.");
    let awake = world.open("ada", "Please add Julia", "For teaching.");
    world.settled().await;
    let comment = world.sim.comment("lea", REPOSITORY, asleep, "/snooze 52w");
    comment.expect("a comment");
    world.settled().await;
    let made = world.digest().await;
    let text = format!("{:?}", (&made.undecided, &made.ranking));
    assert!(!text.contains(&format!("#{asleep}\"")), "{text}");
    assert!(text.contains(&format!("#{awake}\"")), "{text}");
    world.end().await;
}
