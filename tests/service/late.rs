//! Webhooks that come twice, late, in another order, or never: the end is the same.

use jiff::{SignedDuration, Timestamp};
use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use northstar::sim::{WebhookFault, WebhookFaultKind};
use northstar::triage::ledger::{self, Rank};

use crate::world::World;

const ON: (&str, u64) = (ORGANIZATION, BOARD);

/// What stands on GitHub in the end.
#[derive(Debug, PartialEq)]
struct End {
    labels: Vec<String>,
    fields: Vec<(String, String)>,
    answers: usize,
    milestone: String,
}

impl End {
    fn of(world: &World, n: u64) -> Self {
        let card = world.card(n).expect("a card");
        Self {
            labels: world.labels(n),
            fields: card.fields.into_iter().collect(),
            answers: world.answers(n).len(),
            milestone: world.issue(n).milestone,
        }
    }
}

fn fault(kind: WebhookFaultKind, event: Option<&str>) -> WebhookFault {
    WebhookFault {
        event: event.map(str::to_owned),
        times: 10_000,
        kind,
    }
}

/// The same acts of people, with webhooks that meet `kinds`; released in this order.
async fn story(kinds: &[WebhookFault], reversed: bool) -> End {
    let world = World::new().await;
    let n = world.open(
        "ada",
        "Please add RStudio",
        "For the papers of our researchers.",
    );
    world.settled().await;
    for kind in kinds {
        world.sim.webhook_fault(kind.clone());
    }
    let sim = &world.sim;
    sim.edit_issue("ada", REPOSITORY, n, None, Some("For our course."))
        .expect("an edit");
    world.relabel("lea", n, "kind/feature", "kind/initiative");
    sim.set_field("lea", ON, (REPOSITORY, n), "impact", "High")
        .expect("a field");
    sim.set_field("lea", ON, (REPOSITORY, n), "impact", "Low")
        .expect("a field");
    sim.move_card("lea", ON, (REPOSITORY, n), "Up Next")
        .expect("a move");
    sim.comment("ada", REPOSITORY, n, "Is there news?")
        .expect("a comment");
    world.relabel("lea", n, "triage/needs-triage", "triage/accepted");
    sim.set_milestone("lea", REPOSITORY, n, Some("2026 Q4"))
        .expect("a milestone");
    world.settled().await;
    if kinds
        .iter()
        .any(|f| matches!(f.kind, WebhookFaultKind::Late(_)))
    {
        // They are on their way by the clock; held ones wait to be released.
        tokio::time::sleep(std::time::Duration::from_millis(80)).await;
    }
    world.sim.clear_faults();
    world.sim.release_webhooks(reversed);
    world.settled().await;
    let end = End::of(&world, n);
    world.end().await;
    end
}

fn expected() -> End {
    let text = |s: &str| s.to_owned();
    End {
        labels: ["goal/education", "kind/initiative", "triage/accepted"]
            .map(text)
            .to_vec(),
        fields: [
            ("Status", "Up Next"),
            ("impact", "Low"),
            ("type", "Initiative"),
        ]
        .map(|(k, v)| (text(k), text(v)))
        .to_vec(),
        answers: 1,
        milestone: text("2026 Q4"),
    }
}

#[tokio::test]
async fn webhooks_in_order() {
    assert_eq!(story(&[], false).await, expected());
}

#[tokio::test]
async fn webhooks_that_come_twice() {
    let twice = [fault(WebhookFaultKind::Duplicate, None)];
    assert_eq!(story(&twice, false).await, expected());
}

#[tokio::test]
async fn webhooks_that_are_late_and_all_at_once() {
    let held = [fault(WebhookFaultKind::Hold, None)];
    assert_eq!(story(&held, false).await, expected());
}

#[tokio::test]
async fn webhooks_in_the_opposite_order() {
    let held = [fault(WebhookFaultKind::Hold, None)];
    assert_eq!(story(&held, true).await, expected());
}

#[tokio::test]
async fn webhooks_of_the_issue_come_long_after_those_of_the_board() {
    let late = WebhookFaultKind::Late(SignedDuration::from_millis(50));
    let late = [fault(late, Some("issues"))];
    assert_eq!(story(&late, false).await, expected());
}

#[tokio::test]
async fn webhooks_of_the_board_come_long_after_those_of_the_issue() {
    let held = [fault(WebhookFaultKind::Hold, Some("projects_v2_item"))];
    assert_eq!(story(&held, false).await, expected());
    assert_eq!(story(&held, true).await, expected());
}

#[tokio::test]
async fn a_label_change_whose_webhook_is_still_on_its_way_is_not_undone() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    let sim = &world.sim;
    sim.webhook_fault(WebhookFault {
        event: Some("issues".to_owned()),
        times: 2,
        kind: WebhookFaultKind::Hold,
    });
    world.relabel("lea", n, "kind/feature", "kind/bug");
    // What comes first shows the issue as it is; who changed it comes later.
    sim.comment("ada", REPOSITORY, n, "Is there news?")
        .expect("a comment");
    world.settled().await;
    assert!(
        world.labels(n).contains(&"kind/bug".to_owned()),
        "{:?}",
        world.labels(n)
    );
    assert!(!world.labels(n).contains(&"kind/feature".to_owned()));
    sim.release_webhooks(false);
    world.settled().await;
    assert!(world.labels(n).contains(&"kind/bug".to_owned()));
    assert_eq!(world.card(n).expect("a card").fields["type"], "Bug");
    let owner = world.ownership(n, "kind").await.owner.expect("an owner");
    assert_eq!(owner.by, Some(sim.user("lea")));
    world.end().await;
}

#[tokio::test]
async fn what_a_lost_webhook_told_is_learnt_from_the_next_one() {
    let world = World::new().await;
    let n = world.open(
        "ada",
        "Please add RStudio",
        "For the papers of our researchers.",
    );
    world.settled().await;
    world.sim.webhook_fault(WebhookFault {
        event: Some("issues".to_owned()),
        times: 1,
        kind: WebhookFaultKind::Lose,
    });
    let sim = &world.sim;
    sim.edit_issue("ada", REPOSITORY, n, None, Some("For our course."))
        .expect("an edit");
    world.settled().await;
    assert!(world.labels(n).contains(&"goal/research".to_owned()));
    sim.comment("ada", REPOSITORY, n, "I made it clearer.")
        .expect("a comment");
    world.settled().await;
    assert!(world.labels(n).contains(&"goal/education".to_owned()));
    assert!(!world.labels(n).contains(&"goal/research".to_owned()));
    world.stop_anyhow().await;
}

/// Says something of which GitHub's word is held back, and lets one of its seconds pass.
async fn said_before(world: &World, n: u64, text: &str) {
    world.sim.webhook_fault(WebhookFault {
        event: Some("issue_comment".to_owned()),
        times: 1,
        kind: WebhookFaultKind::Hold,
    });
    let said = world.sim.comment("lea", REPOSITORY, n, text);
    said.expect("a comment");
    world.sim.clear_faults();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
}

#[tokio::test]
async fn a_late_command_does_not_undo_what_was_done_by_hand_since() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    said_before(&world, n, "/kind docs").await;
    let sim = &world.sim;
    world.relabel("lea", n, "kind/feature", "kind/bug");
    world.settled().await;
    let writes = |world: &World| {
        let writes = world.sim.writes().into_iter();
        writes
            .filter(|w| w.body.to_string().contains("label"))
            .count()
    };
    let before = writes(&world);
    sim.release_webhooks(false);
    world.settled().await;
    assert!(world.labels(n).contains(&"kind/bug".to_owned()));
    assert_eq!(writes(&world), before);
    let told = world.answers(n).pop().expect("an answer");
    assert!(told.contains("the later word counts"), "{told}");
    let ownership = world.ownership(n, "kind").await;
    assert_eq!(ownership.rank(), Some(Rank::Person));
    world.end().await;
}

/// As after an outage: what is said now is heard at once, what was said meanwhile only later.
#[tokio::test]
async fn of_two_commands_the_one_that_was_said_later_counts() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    said_before(&world, n, "/triage accept it fits\n/snooze 2w").await;
    let later = "/triage decline we have none to give\n/snooze 4w";
    let said = world.sim.comment("lea", REPOSITORY, n, later);
    said.expect("a comment");
    world.settled().await;
    world.sim.release_webhooks(false);
    world.settled().await;
    let labels = world.labels(n);
    assert!(labels.contains(&"triage/declined".to_owned()), "{labels:?}");
    assert!(
        !labels.contains(&"triage/accepted".to_owned()),
        "{labels:?}"
    );
    let (ledger, now) = (world.record(n).await.ledger, Timestamp::now());
    let until = ledger::snoozed(&ledger, now).expect("snoozed");
    assert!(until.duration_since(now) > SignedDuration::from_hours(24 * 21));
    // Said once more, it is meant.
    let said = world
        .sim
        .comment("lea", REPOSITORY, n, "/triage accept after all");
    said.expect("a comment");
    world.settled().await;
    assert!(world.labels(n).contains(&"triage/accepted".to_owned()));
    world.end().await;
}
