//! Gates and caps: what goes back, what stays, and what is said.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use northstar::clock::Clock;
use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use northstar::store::AuditQuery;
use serde_json::Value;

use crate::weather::by_hand;
use crate::world::{Setup, World};

const ON: (&str, u64) = (ORGANIZATION, BOARD);
pub const NEXT: &str = "Up Next";
pub const DOING: &str = "In Progress";
const REVIEW: &str = "In Review/Blocked";

/// Two at once in progress, and one in review (which only warns); what is deferred may not start.
pub const POLICY: &str = r#"
version: 1
organization: 2i2c-org
roles:
  product_lead: { teams: [product-leads] }
  member: { organization: true }
boards:
  delivery: { project: 57, column_field: Status }
attributes:
  triage: { values: [accepted, deferred], label: "triage/{value}" }
  impact: { values: [low, high], field: delivery.impact }
  secret: { values: [paid], label: "secret/{value}", internal: true }
principles:
  - id: few-things-at-once
    statement: We do few things at once.
    caps:
      - id: doing
        board: delivery
        columns: [In Progress]
        at_most: 2
        exempt: 'issue.labels.exists(l, l == "incident")'
        over: return
        by_hand: [product_lead]
        next_by: [score desc, issue.created_at asc]
        because: one more slows all the others
      - id: reviewing
        board: delivery
        columns: [In Review/Blocked]
        at_most: 1
        over: warn
        because: a review that waits is work that waits
  - id: triage-first
    statement: What was put off does not start.
    gates:
      - id: not-deferred
        board: delivery
        into: [In Progress]
        requires: triage != "deferred"
        else: return
        because: it was put off
score:
  impact: { weight: 2, points: 'impact == "high" ? 3 : 1' }
commands: { override: product_lead, triage: member }
digest: { id: weekly, every: monday 09:00, timezone: Europe/London, post_to: 2i2c-org/infrastructure#1 }
"#;

/// The same organisation before it had limits.
const BEFORE: &str = r#"
version: 1
organization: 2i2c-org
boards:
  delivery: { project: 57, column_field: Status }
attributes:
  triage: { values: [accepted, deferred], label: "triage/{value}" }
principles:
  - { id: calm, statement: We are calm. }
"#;

pub async fn world(policy: &str) -> World {
    let world = World::with(Setup {
        policy: Some(policy.to_owned()),
        ..Setup::default()
    })
    .await;
    // The digest's issue is the first.
    assert_eq!(world.open("lea", "What happened", ""), 1);
    world.settled().await;
    world
}

impl World {
    /// An issue with a card in a column.
    pub fn card_in(&self, by: &str, title: &str, column: &str) -> u64 {
        let n = self.open(by, title, "");
        let sim = &self.sim;
        sim.add_to_project(by, ON, REPOSITORY, n).expect("a row");
        sim.move_card(by, ON, (REPOSITORY, n), column)
            .expect("a move");
        n
    }

    pub fn drag(&self, by: &str, n: u64, column: &str) {
        let moved = self.sim.move_card(by, ON, (REPOSITORY, n), column);
        moved.expect("a move");
    }

    pub fn column(&self, n: u64) -> String {
        let card = self.card(n).expect("a card");
        card.fields.get("Status").cloned().unwrap_or_default()
    }

    /// What boards decided, oldest first.
    pub async fn verdicts(&self) -> Vec<(String, String)> {
        let query = AuditQuery {
            kind: Some("board".to_owned()),
            ..AuditQuery::default()
        };
        let mut lines = self.service().store.audit(&query).await.expect("the trail");
        lines.reverse();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let lines = lines
            .iter()
            .map(|l| (text(&l.detail["what"]), text(&l.detail["item"])));
        lines.collect()
    }
}

fn name(n: u64) -> String {
    format!("{REPOSITORY}#{n}")
}

fn says(what: &str, n: u64) -> (String, String) {
    (what.to_owned(), name(n))
}

#[tokio::test]
async fn the_third_goes_back_with_one_comment_however_often_it_is_tried() {
    let world = world(POLICY).await;
    let a = world.card_in("dev", "First", DOING);
    let b = world.card_in("dev", "Second @everyone", DOING);
    world.settled().await;
    let c = world.card_in("dev", "Third", NEXT);
    world.settled().await;
    // Of two moves within one of GitHub's seconds only GitHub knows the order, and is asked.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    world.sim.forget_requests();
    world.drag("dev", c, DOING);
    world.settled().await;
    assert_eq!([a, b, c].map(|n| world.column(n)), [DOING, DOING, NEXT]);
    let answers = world.answers(c);
    assert_eq!(answers.len(), 1, "{answers:?}");
    for part in [
        "Back to _Up Next_",
        "We do few things at once",
        "2 of 2 in _In Progress_",
        "`2i2c-org/infrastructure#2` First",
        "number 1 of 1 in the queue, with a score of 2 (impact 2)",
        "a product lead can let it past: `/override doing`",
    ] {
        assert!(answers[0].contains(part), "{part}\n{}", answers[0]);
    }
    assert!(!answers[0].contains("@everyone"), "{}", answers[0]);
    assert!(world.answers(a).is_empty() && world.answers(b).is_empty());
    // One read before the card is touched.
    let reads = world.reads();
    assert!(reads.len() <= 1, "{reads:#?}");
    world.drag("dev", c, DOING);
    world.settled().await;
    assert_eq!(world.column(c), NEXT);
    assert_eq!(world.answers(c).len(), 1);
    assert_eq!(
        world.verdicts().await,
        [says("returned", c), says("returned", c)]
    );
    // Somebody finishes, and there is room: what was said is folded away.
    world.drag("dev", a, "Done");
    world.settled().await;
    let digest = world.answers(1);
    assert_eq!(digest.len(), 1, "{digest:?}");
    assert!(
        digest[0].contains("A place is free in _In Progress_"),
        "{digest:?}"
    );
    assert!(
        digest[0].contains(&format!("1. `{}` Third, score", name(c))),
        "{digest:?}"
    );
    world.drag("dev", c, DOING);
    world.settled().await;
    assert_eq!(world.column(c), DOING);
    let answers = world.answers(c);
    assert_eq!(answers.len(), 1);
    assert!(
        answers[0].contains("It is in In Progress now"),
        "{answers:?}"
    );
    world.end().await;
}

#[tokio::test]
async fn straight_in_reopened_and_moved_by_a_bot_are_entries_too() {
    let world = world(POLICY).await;
    let sim = &world.sim;
    let closed = world.card_in("dev", "Was done", DOING);
    sim.close("dev", REPOSITORY, closed, true).expect("closed");
    world.settled().await;
    world.card_in("dev", "First", DOING);
    world.card_in("dev", "Second", DOING);
    world.settled().await;
    let straight = world.card_in("dev", "Straight in", DOING);
    world.settled().await;
    assert_eq!(world.column(straight), "");
    sim.reopen("dev", REPOSITORY, closed).expect("open");
    world.settled().await;
    assert_eq!(world.column(closed), "");
    let other = world.card_in("dev", "Moved by a workflow", NEXT);
    world.settled().await;
    sim.bot("github-project-automation[bot]");
    world.drag("github-project-automation[bot]", other, DOING);
    world.settled().await;
    assert_eq!(world.column(other), NEXT);
    for n in [straight, closed, other] {
        assert_eq!(world.answers(n).len(), 1);
    }
    world.end().await;
}

#[tokio::test]
async fn a_gate_holds_and_exempt_items_neither_count_nor_go() {
    let world = world(POLICY).await;
    let n = world.card_in("dev", "Put off", NEXT);
    world
        .sim
        .add_label("dev", REPOSITORY, n, "triage/deferred")
        .expect("a label");
    world.settled().await;
    world.drag("lea", n, DOING);
    world.settled().await;
    assert_eq!(world.column(n), NEXT);
    assert!(world.answers(n)[0].contains("What was put off does not start"));
    let running: Vec<u64> = (0..2)
        .map(|i| world.card_in("dev", &format!("Work {i}"), DOING))
        .collect();
    let fire = world.card_in("dev", "Fire", NEXT);
    world
        .sim
        .add_label("dev", REPOSITORY, fire, "incident")
        .expect("a label");
    world.settled().await;
    world.drag("dev", fire, DOING);
    world.settled().await;
    assert_eq!(world.column(fire), DOING);
    // It is out: now it counts, and stays, and nobody gets in.
    world
        .sim
        .remove_label("dev", REPOSITORY, fire, "incident")
        .expect("a label");
    world.drag("dev", running[0], "Done");
    world.settled().await;
    let late = world.card_in("dev", "Late", NEXT);
    world.settled().await;
    world.drag("dev", late, DOING);
    world.settled().await;
    assert_eq!(
        [running[1], fire, late].map(|n| world.column(n)),
        [DOING, DOING, NEXT]
    );
    // What runs is not thrown out when it would not be let in any more.
    world
        .sim
        .add_label("dev", REPOSITORY, fire, "triage/deferred")
        .expect("a label");
    world.settled().await;
    assert_eq!(world.column(fire), DOING);
    world.end().await;
}

#[tokio::test]
async fn a_leads_hand_is_an_override_and_is_asked_for_its_reason_once() {
    let world = world(POLICY).await;
    for i in 0..2 {
        world.card_in("dev", &format!("Work {i}"), DOING);
    }
    let n = world.card_in("dev", "For the lead", NEXT);
    world.settled().await;
    world.drag("lea", n, DOING);
    world.settled().await;
    assert_eq!(world.column(n), DOING);
    let answers = world.answers(n);
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers[0].contains("/override doing"), "{answers:?}");
    let entries = world.ledger(n, "limit doing").await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0].by, Some(world.sim.user("lea")));
    world.drag("dev", n, NEXT);
    world.settled().await;
    // It has left: that was the end of it.
    world.drag("dev", n, DOING);
    world.settled().await;
    assert_eq!(world.column(n), NEXT);
    assert_eq!(world.answers(n).len(), 2);
    world.drag("lea", n, DOING);
    world.settled().await;
    assert_eq!(world.column(n), DOING);
    assert_eq!(world.answers(n).len(), 2);
    world.end().await;
}

#[tokio::test]
async fn some_caps_only_warn() {
    let world = world(POLICY).await;
    let a = world.card_in("dev", "In review", REVIEW);
    world.settled().await;
    let b = world.card_in("dev", "In review as well", REVIEW);
    world.settled().await;
    assert_eq!([a, b].map(|n| world.column(n)), [REVIEW, REVIEW]);
    assert!(world.answers(a).is_empty());
    let answers = world.answers(b);
    assert_eq!(answers.len(), 1);
    assert!(
        answers[0].contains("**This should not be in"),
        "{answers:?}"
    );
    assert_eq!(world.verdicts().await, [says("warned", b)]);
    world.end().await;
}

#[tokio::test]
async fn drafts_take_a_place_and_are_reported_when_they_are_one_too_many() {
    let world = world(POLICY).await;
    let sim = &world.sim;
    sim.add_draft_in("dev", ON, "A thought", DOING)
        .expect("a draft");
    let a = world.card_in("dev", "First", DOING);
    world.settled().await;
    let b = world.card_in("dev", "Second", NEXT);
    world.settled().await;
    world.drag("dev", b, DOING);
    world.settled().await;
    assert_eq!([a, b].map(|n| world.column(n)), [DOING, NEXT]);
    assert!(
        world.answers(b)[0].contains("- a draft"),
        "{:?}",
        world.answers(b)
    );
    sim.add_draft_in("dev", ON, "Another", DOING)
        .expect("a draft");
    world.settled().await;
    let last = world.verdicts().await.pop().expect("a verdict");
    assert_eq!(last, ("reported".to_owned(), String::new()));
    let said = world.answers(1);
    assert_eq!(said.len(), 1, "{said:?}");
    for part in [
        "**In _In Progress_, and should not be there yet: a draft.**",
        "We do few things at once",
        "3 of 2 in _In Progress_ now",
    ] {
        assert!(said[0].contains(part), "{part}\n{}", said[0]);
    }
    world.end().await;
}

#[tokio::test]
async fn what_was_there_before_stays_and_takes_nobody_in() {
    let mut world = World::with(Setup {
        policy: Some(BEFORE.to_owned()),
        ..Setup::default()
    })
    .await;
    world.open("lea", "What happened", "");
    let running: Vec<u64> = (0..4)
        .map(|i| world.card_in("dev", &format!("Work {i}"), DOING))
        .collect();
    world.settled().await;
    world.stop().await;
    world.setup.policy = Some(POLICY.to_owned());
    world.start().await;
    world.settled().await;
    let late = world.card_in("dev", "Late", NEXT);
    world.settled().await;
    world.drag("dev", late, DOING);
    world.settled().await;
    assert!(running.iter().all(|n| world.column(*n) == DOING));
    assert_eq!(world.column(late), NEXT);
    assert!(running.iter().all(|n| world.answers(*n).is_empty()));
    world.end().await;
}

#[tokio::test]
async fn what_happened_while_the_bot_was_away_is_judged_when_it_is_back() {
    let mut world = world(POLICY).await;
    let first = world.card_in("dev", "First", DOING);
    let rest: Vec<u64> = (0..3)
        .map(|i| world.card_in("dev", &format!("Next {i}"), NEXT))
        .collect();
    world.settled().await;
    world.stop().await;
    world.sim.webhook_fault(northstar::sim::WebhookFault {
        event: Some("projects_v2_item".to_owned()),
        times: 3,
        kind: northstar::sim::WebhookFaultKind::Lose,
    });
    for n in &rest {
        world.drag("dev", *n, DOING);
    }
    world.start().await;
    let columns = || rest.iter().map(|n| world.column(*n)).collect::<Vec<_>>();
    let judged = async {
        while columns() != [DOING, NEXT, NEXT] {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let limit = std::time::Duration::from_secs(20);
    let in_time = tokio::time::timeout(limit, judged).await;
    assert!(in_time.is_ok(), "{:?}", columns());
    assert_eq!(world.column(first), DOING);
    world.stop().await;
}

#[tokio::test]
async fn what_happened_while_the_bot_was_away_is_judged_in_githubs_order() {
    let (clock, setup) = by_hand();
    let mut world = World::with(Setup {
        policy: Some(POLICY.to_owned()),
        ..setup
    })
    .await;
    assert_eq!(world.open("lea", "What happened", ""), 1);
    let running: Vec<u64> = (0..2)
        .map(|i| world.card_in("dev", &format!("Running {i}"), DOING))
        .collect();
    let waiting: Vec<u64> = (0..6)
        .map(|i| world.card_in("dev", &format!("Next {i}"), NEXT))
        .collect();
    world.weathered(&clock).await;
    world.stop().await;
    world.sim.webhook_fault(northstar::sim::WebhookFault {
        event: Some("projects_v2_item".to_owned()),
        times: 7,
        kind: northstar::sim::WebhookFaultKind::Lose,
    });
    // The youngest card comes in first, and the place that becomes free is told last.
    for n in waiting.iter().rev() {
        clock.advance(SignedDuration::from_secs(2));
        world.drag("dev", *n, DOING);
    }
    world.drag("dev", running[0], "Done");
    clock.advance(SignedDuration::from_secs(2));
    world.start().await;
    // A start is no webhook: whether it has been seen to is not told by what is on its way.
    let begun = async {
        while world.verdicts().await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let begun = tokio::time::timeout(std::time::Duration::from_secs(60), begun).await;
    begun.expect("the board is judged");
    world.weathered(&clock).await;
    let columns: Vec<String> = waiting.iter().map(|n| world.column(*n)).collect();
    assert_eq!(columns, [NEXT, NEXT, NEXT, NEXT, NEXT, DOING]);
    assert_eq!(world.column(running[1]), DOING);
    // Each was judged once.
    let returned = world.verdicts().await;
    let returned = returned.iter().filter(|(what, _)| what == "returned");
    assert_eq!(returned.count(), 5);
    world.stop().await;
}

#[tokio::test]
async fn an_override_by_command_lets_the_card_stay_until_it_is_released() {
    let world = world(POLICY).await;
    for i in 0..2 {
        world.card_in("dev", &format!("Work {i}"), DOING);
    }
    let n = world.card_in("dev", "Promised", NEXT);
    world.settled().await;
    let say = |who: &str, text: &str| {
        let said = world.sim.comment(who, REPOSITORY, n, text);
        said.expect("a comment");
    };
    // Who may not override changes nothing.
    say("ada", "/override doing I want it");
    world.settled().await;
    world.drag("dev", n, DOING);
    world.settled().await;
    assert_eq!(world.column(n), NEXT);
    say("lea", "/override doing promised before the cap was there");
    world.settled().await;
    world.drag("dev", n, DOING);
    world.settled().await;
    assert_eq!(world.column(n), DOING);
    // Released, it is running work, and that is never thrown out; but nobody else comes in.
    say("lea", "/release doing");
    world.settled().await;
    assert_eq!(world.column(n), DOING);
    let other = world.card_in("dev", "One more", NEXT);
    world.settled().await;
    world.drag("dev", other, DOING);
    world.settled().await;
    assert_eq!(world.column(other), NEXT);
    world.end().await;
}

#[tokio::test]
async fn a_cap_may_be_computed_and_its_column_written_in_other_capitals() {
    let policy = POLICY
        .replace("at_most: 2", "at_most: team - 1")
        .replace("columns: [In Progress]", "columns: [in progress]")
        .replace(
            "principles:\n",
            "facts: { team: 'size([\"dev\", \"eng\", \"sam\"])' }\nprinciples:\n",
        );
    let world = world(&policy).await;
    for i in 0..2 {
        world.card_in("dev", &format!("Work {i}"), DOING);
    }
    let third = world.card_in("dev", "Third", NEXT);
    world.settled().await;
    world.drag("dev", third, DOING);
    world.settled().await;
    assert_eq!(world.column(third), NEXT);
    let answers = world.answers(third);
    assert!(
        answers[0].contains("2 of 2 in _in progress_"),
        "{answers:?}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_column_that_was_renamed_is_said_on_the_digests_issue_and_nothing_breaks() {
    let (clock, setup) = by_hand();
    let pause = setup.worker.read_boards_every;
    let world = World::with(Setup {
        policy: Some(POLICY.to_owned()),
        ..setup
    })
    .await;
    assert_eq!(world.open("lea", "What happened", ""), 1);
    let running = world.card_in("dev", "First", DOING);
    world.weathered(&clock).await;
    assert!(world.answers(1).is_empty());
    world
        .sim
        .rename_option(ON, "Status", DOING, "Working")
        .expect("renamed");
    world.go_by(&clock, pause * 2, pause / 4).await;
    world.weathered(&clock).await;
    let said = world.answers(1);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("The board `delivery` has no column _In Progress_"),
        "{said:?}"
    );
    assert_eq!(world.column(running), "Working");
    world
        .sim
        .rename_option(ON, "Status", "Working", DOING)
        .expect("renamed");
    world.go_by(&clock, pause * 2, pause / 4).await;
    world.weathered(&clock).await;
    let said = world.answers(1);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("has all the columns"), "{said:?}");
    world.end().await;
}

#[tokio::test]
async fn when_an_override_ends_the_column_takes_nobody_in_until_it_is_within_the_cap() {
    let (clock, setup) = by_hand();
    let world = World::with(Setup {
        policy: Some(POLICY.to_owned()),
        ..setup
    })
    .await;
    assert_eq!(world.open("lea", "What happened", ""), 1);
    let running: Vec<u64> = (0..2)
        .map(|i| world.card_in("dev", &format!("Work {i}"), DOING))
        .collect();
    let promised = world.card_in("dev", "Promised", NEXT);
    let late = world.card_in("dev", "Late", NEXT);
    world.weathered(&clock).await;
    let day = SignedDuration::from_hours(24);
    let until = (clock.now() + day * 3).to_zoned(TimeZone::UTC).date();
    world
        .sim
        .comment(
            "lea",
            REPOSITORY,
            promised,
            &format!("/override doing until {until} promised"),
        )
        .expect("a comment");
    world.weathered(&clock).await;
    world.drag("dev", promised, DOING);
    world.weathered(&clock).await;
    assert_eq!(world.column(promised), DOING);
    for _ in 0..5 {
        world
            .go_by(&clock, day, SignedDuration::from_hours(6))
            .await;
    }
    world.weathered(&clock).await;
    // It has ended: the card stays, as running work does.
    assert_eq!(world.column(promised), DOING);
    world.drag("dev", running[0], "Done");
    world.weathered(&clock).await;
    world.drag("dev", late, DOING);
    world.weathered(&clock).await;
    assert_eq!(world.column(late), NEXT, "it is only full again");
    world.drag("dev", running[1], "Done");
    world.weathered(&clock).await;
    world.drag("dev", late, DOING);
    world.weathered(&clock).await;
    assert_eq!(world.column(late), DOING);
    world.end().await;
}
