//! One attribute changed by hand in two places, neither knowing of the other: the later by GitHub's
//! time counts, in whatever order that is told, and it is said once.

use jiff::SignedDuration;
use northstar::clock::ManualClock;
use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use northstar::sim::{FieldSpec, ProjectSpec, WebhookFault, WebhookFaultKind};

use crate::weather::by_hand;
use crate::world::{Setup, World};

const ON: (&str, u64) = (ORGANIZATION, BOARD);
const ROADMAP: u64 = 67;

/// A label, and a field on each of two boards.
const POLICY: &str = r#"
version: 1
organization: 2i2c-org
roles:
  member: { organization: true }
boards:
  delivery: { project: 57, column_field: Status }
  roadmap: { project: 67, column_field: Status }
attributes:
  impact: { values: [low, medium, high], label: "impact/{value}", field: [delivery.impact, roadmap.impact] }
principles:
  - { id: calm, statement: We are calm. }
commands: { impact: member }
"#;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Label,
    Delivery,
    Roadmap,
}

use Place::{Delivery, Label, Roadmap};

impl Place {
    /// Whose webhooks tell of it.
    fn event(self) -> &'static str {
        match self {
            Label => "issues",
            Delivery | Roadmap => "projects_v2_item",
        }
    }

    fn said(self) -> &'static str {
        match self {
            Label => "the label to",
            Delivery => "the field on the board `delivery` to",
            Roadmap => "the field on the board `roadmap` to",
        }
    }

    fn set(self, world: &World, n: u64, value: &str) {
        let sim = &world.sim;
        let mut option = value.to_owned();
        option[..1].make_ascii_uppercase();
        let done = match self {
            Label => sim.add_label("dev", REPOSITORY, n, &format!("impact/{value}")),
            Delivery => sim.set_field("lea", ON, (REPOSITORY, n), "impact", &option),
            Roadmap => {
                let on = (ORGANIZATION, ROADMAP);
                sim.set_field("pam", on, (REPOSITORY, n), "impact", &option)
            }
        };
        done.expect("a change by hand");
    }
}

/// How the two changes are told.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// Both late, the last webhook first.
    Reversed,
    /// The first change long after the second was told and acted on.
    FirstLate,
    SecondLate,
}

/// An issue on both boards that says the value everywhere (nothing, if it is empty).
async fn world(value: &str) -> (ManualClock, World, u64) {
    let (clock, setup) = by_hand();
    let world = World::with(Setup {
        policy: Some(POLICY.to_owned()),
        ..setup
    })
    .await;
    let select = FieldSpec::single_select;
    let board = ProjectSpec {
        number: ROADMAP,
        title: "Roadmap".to_owned(),
        fields: vec![
            select("Status", &["Idea", "Planned"]),
            select("impact", &["Low", "Medium", "High"]),
        ],
    };
    world.sim.project(ORGANIZATION, board).expect("a board");
    let n = world.open("ada", "RStudio", "");
    for board in [BOARD, ROADMAP] {
        let row = world
            .sim
            .add_to_project("dev", (ORGANIZATION, board), REPOSITORY, n);
        row.expect("a row");
    }
    if !value.is_empty() {
        Label.set(&world, n, value);
    }
    world.settled().await;
    assert_eq!(shown(&world, n), [value; 3]);
    (clock, world, n)
}

/// What the label and both fields say.
fn shown(world: &World, n: u64) -> [String; 3] {
    let labels = world.labels(n);
    let labels: Vec<&str> = labels
        .iter()
        .filter_map(|label| label.strip_prefix("impact/"))
        .collect();
    let field = |board| {
        let card = world.sim.card(ORGANIZATION, board, REPOSITORY, n);
        let card = card.expect("a card");
        card.fields
            .get("impact")
            .map_or(String::new(), |v| v.to_lowercase())
    };
    [labels.join(" "), field(BOARD), field(ROADMAP)]
}

fn hold(world: &World, event: Option<&str>) {
    world.sim.webhook_fault(WebhookFault {
        event: event.map(str::to_owned),
        times: 10_000,
        kind: WebhookFaultKind::Hold,
    });
}

/// First `low`, and three seconds later `high`.
async fn story(before: &str, first: Place, second: Place, told: Told) {
    let name = format!("{before:?}: {first:?}, then {second:?}, {told:?}");
    let (clock, world, n) = world(before).await;
    let a_little = SignedDuration::from_secs(3);
    clock.advance(a_little * 10);
    let (late, reversed) = match told {
        Told::Reversed => (None, true),
        Told::FirstLate => (Some(first.event()), false),
        Told::SecondLate => (Some(second.event()), false),
    };
    // Nothing is sent before both are made: sending waits for this task.
    hold(&world, late);
    first.set(&world, n, "low");
    clock.advance(a_little);
    second.set(&world, n, "high");
    world.settled().await;
    clock.advance(a_little);
    world.sim.clear_faults();
    world.sim.release_webhooks(reversed);
    world.settled().await;

    assert_eq!(shown(&world, n), ["high"; 3], "{name}");
    let mut said = world.answers(n);
    said.retain(|body| body.contains("in two places at once"));
    assert_eq!(said.len(), 1, "{name}: {said:?}");
    let changes = format!("{} `low`, then {} `high`", first.said(), second.said());
    assert!(said[0].contains(&changes), "{name}: {said:?}");
    let end = "The later change counts: it is `high` now";
    assert!(said[0].contains(end), "{name}: {said:?}");
    // Whoever looks again finds nothing to do.
    world.sim.forget_requests();
    let edited = world
        .sim
        .edit_issue("ada", REPOSITORY, n, Some("RStudio, please"), None);
    edited.expect("an edit");
    world.settled().await;
    assert!(
        world.sim.writes().is_empty(),
        "{name}: {:?}",
        world.sim.writes()
    );
    world.end().await;
}

#[tokio::test]
async fn the_later_of_label_and_field_counts_when_webhooks_come_in_the_opposite_order() {
    for before in ["medium", ""] {
        story(before, Label, Delivery, Told::Reversed).await;
        story(before, Delivery, Label, Told::Reversed).await;
    }
}

#[tokio::test]
async fn the_later_of_label_and_field_counts_when_one_is_told_long_after_the_other() {
    for before in ["medium", ""] {
        for told in [Told::FirstLate, Told::SecondLate] {
            story(before, Label, Delivery, told).await;
            story(before, Delivery, Label, told).await;
        }
    }
}

#[tokio::test]
async fn the_later_of_fields_on_two_boards_counts_when_webhooks_come_in_the_opposite_order() {
    for before in ["medium", ""] {
        story(before, Delivery, Roadmap, Told::Reversed).await;
        story(before, Roadmap, Delivery, Told::Reversed).await;
    }
}

#[tokio::test]
async fn within_one_of_githubs_seconds_what_is_told_last_counts() {
    for reversed in [false, true] {
        let (_, world, n) = world("medium").await;
        hold(&world, None);
        Delivery.set(&world, n, "low");
        Roadmap.set(&world, n, "high");
        world.settled().await;
        world.sim.clear_faults();
        world.sim.release_webhooks(reversed);
        world.settled().await;
        let last = if reversed { "low" } else { "high" };
        assert_eq!(shown(&world, n), [last; 3], "reversed: {reversed}");
        world.end().await;
    }
}
