//! Slash commands that put an item out of the way, or together with another.

use std::sync::Arc;

use jiff::SignedDuration;
use northstar::clock::ManualClock;
use northstar::sim::example::{BOARD, ORGANIZATION, PRIVATE_REPOSITORY, REPOSITORY};
use northstar::sim::{Fault, FaultKind, When};
use northstar::triage::ledger::{self, Rank};

use crate::commands::{has, say, signs};
use crate::weather::by_hand;
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

/// Two communities, whose members may say which requests are the same.
const COMMUNITIES: &str = r#"
version: 1
organization: 2i2c-org
roles:
  product_lead: { teams: [product-leads] }
  member: { organization: true }
communities:
  - { id: openscapes, name: Openscapes, members: [ada] }
  - { id: cryocloud, name: CryoCloud, members: [grace] }
attributes:
  triage: { values: [accepted, declined], label: "triage/{value}" }
commands: { triage: product_lead, duplicate: member, community: product_lead, undo: member }
principles:
  - id: calm
    statement: We are calm.
    rules:
      - id: shared
        when: size(communities) > 1 && issue.open
        label: support
        because: several ask for it
"#;

async fn communities() -> (World, u64, u64) {
    let world = World::with(Setup {
        policy: Some(COMMUNITIES.to_owned()),
        ..Setup::default()
    })
    .await;
    let original = world.open("grace", "Please add RStudio", "");
    let again = world.open("ada", "RStudio, please", "");
    world.settled().await;
    assert!(!has(&world, original, "support"));
    (world, original, again)
}

/// How often it was asked of GitHub that an issue be closed.
fn closings(world: &World) -> usize {
    let writes = world.sim.writes();
    let closes = writes.iter().flat_map(|w| &w.fields);
    closes.filter(|f| *f == "closeIssue").count()
}

#[tokio::test]
async fn a_duplicate_is_closed_and_its_communities_ask_for_the_original() {
    let (world, original, n) = communities().await;
    // She may say what is the same, and nothing of communities besides.
    let said = say(
        &world,
        "sam",
        n,
        &format!("/duplicate #{original} @grace asked before"),
    )
    .await;
    assert_eq!(signs(&world, n, said), ["+1"]);
    let issue = world.issue(n);
    assert_eq!(
        (issue.open, issue.state_reason.as_str()),
        (false, "duplicate")
    );
    let told = world.last_reply(n);
    assert!(told.contains(&format!("in #{original}.")), "{told}");
    let node_id = world.issue(original).node_id;
    let named = |w: &northstar::sim::Logged| w.body.to_string().contains(&node_id);
    assert!(world.sim.writes().iter().any(named), "GitHub is told which");

    assert!(
        has(&world, original, "support"),
        "two communities ask for it"
    );
    assert!(world.issue(original).open);
    assert!(world.answers(original).is_empty(), "nobody is told there");
    let name = ledger::community("openscapes");
    let carried = world.ledger(original, &name).await;
    assert_eq!(carried.len(), 1);
    assert_eq!(
        carried[0].reason,
        format!("{REPOSITORY}#{n} asks for the same")
    );

    // Whoever reopens it means it, whatever happens after.
    world.sim.reopen("ada", REPOSITORY, n).expect("open");
    world.settled().await;
    say(&world, "ada", n, "It is not quite the same.").await;
    assert!(world.issue(n).open);
    let undone = say(&world, "sam", n, "/undo").await;
    assert_eq!(signs(&world, n, undone), ["+1"]);
    assert!(
        world.last_reply(n).contains("for people to take back"),
        "{}",
        world.last_reply(n)
    );
    assert!(world.issue(n).open);
    assert_eq!(closings(&world), 1);
    // Said again, it is done again; what is closed already is only noted.
    say(
        &world,
        "sam",
        n,
        &format!("/duplicate {REPOSITORY}#{original}"),
    )
    .await;
    assert!(!world.issue(n).open);
    say(&world, "sam", n, &format!("/duplicate #{original}")).await;
    assert_eq!(closings(&world), 2);
    world.sim.reopen("ada", REPOSITORY, n).expect("open");
    world.settled().await;
    assert!(world.issue(n).open);
    world.end().await;
}

#[tokio::test]
async fn an_original_is_named_only_to_those_who_may_know_of_it() {
    let (world, original, n) = communities().await;
    let sim = &world.sim;
    let secret = sim.open_issue("lea", PRIVATE_REPOSITORY, "RStudio for the board", "", &[]);
    let secret = secret.expect("an issue");
    world.settled().await;
    let refused = [
        format!("/duplicate {PRIVATE_REPOSITORY}#{secret}"),
        "/duplicate #999".to_owned(),
        "/duplicate jupyterhub/zero#1".to_owned(),
        format!("/duplicate #{n}"),
        format!("/duplicate {PRIVATE_REPOSITORY}#{secret} #{original}"),
    ];
    let mut replies = Vec::new();
    for text in &refused {
        let comment = say(&world, "sam", n, text).await;
        assert_eq!(signs(&world, n, comment), ["confused"], "{text}");
        replies.push(world.last_reply(n));
    }
    let but_for_its_name = |reply: &str| {
        let said = reply.lines().next().unwrap_or_default();
        said.rsplit('`').next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        but_for_its_name(&replies[0]),
        but_for_its_name(&replies[1]),
        "a private item and none are answered alike"
    );
    assert_eq!(closings(&world), 0);
    assert!(world.answers(original).is_empty());

    // Said where the secret is known, it is not carried out where it is not.
    let text = format!("/duplicate #{secret} {REPOSITORY}#{n}");
    let comment = sim.comment("sam", PRIVATE_REPOSITORY, secret, &text);
    comment.expect("a comment");
    let before = world.answers(n).len();
    world.settled().await;
    assert_eq!(world.answers(n).len(), before);
    // The other way round it is, and says nothing of itself there.
    let text = format!("/duplicate {REPOSITORY}#{original}");
    let comment = sim.comment("sam", PRIVATE_REPOSITORY, secret, &text);
    comment.expect("a comment");
    world.settled().await;
    let closed = sim.issue(PRIVATE_REPOSITORY, secret).expect("the issue");
    assert!(!closed.open);
    assert!(world.answers(original).is_empty());
    world.end().await;
}

#[tokio::test]
async fn several_duplicates_are_named_in_one_line() {
    let (world, original, n) = communities().await;
    let third = world.open("grace", "RStudio!", "");
    world.settled().await;
    let text = format!("/duplicate #{original} #{n} #{third} the same");
    let comment = say(&world, "sam", original, &text).await;
    assert_eq!(signs(&world, original, comment), ["+1"]);
    for closed in [n, third] {
        assert!(!world.issue(closed).open);
        let told = world.last_reply(closed);
        assert!(told.contains(&format!("in #{original}.")), "{told}");
    }
    assert!(world.issue(original).open);
    assert!(has(&world, original, "support"));
    world.end().await;
}

#[tokio::test]
async fn a_duplicate_is_closed_once_whatever_breaks() {
    let (clock, setup) = by_hand();
    let world = World::with(Setup {
        policy: Some(COMMUNITIES.to_owned()),
        ..setup
    })
    .await;
    let original = world.open("grace", "Please add RStudio", "");
    for (times, kind) in [FaultKind::DropBefore, FaultKind::DropAfter]
        .into_iter()
        .enumerate()
    {
        let n = world.open("ada", "RStudio, please", "");
        world.weathered(&clock).await;
        world
            .sim
            .fault(Fault::once(When::graphql("closeIssue"), kind.clone()));
        let text = format!("/duplicate #{original}");
        let comment = world.sim.comment("sam", REPOSITORY, n, &text);
        let comment = comment.expect("a comment");
        world.weathered(&clock).await;
        assert_eq!(world.sim.faults_waiting(), 0);
        assert!(!world.issue(n).open, "{kind:?}");
        assert_eq!(signs(&world, n, comment), ["+1"]);
        assert_eq!(world.answers(n).len(), 1);
        let done = world.ledger(n, ledger::DUPLICATE).await;
        assert_eq!(
            done.iter().map(|e| e.rank).collect::<Vec<_>>(),
            [Rank::Command, Rank::Rule]
        );
        let name = ledger::community("openscapes");
        assert_eq!(world.ledger(original, &name).await.len(), times + 1);
        // Nothing is left of it that would close it once more.
        world.sim.reopen("ada", REPOSITORY, n).expect("open");
        world.weathered(&clock).await;
        assert!(world.issue(n).open, "{kind:?}");
    }
    world.end().await;
}
