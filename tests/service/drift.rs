//! What is pinned and no longer so on GitHub is said by the running service, where the Product Lead
//! reads it: once, and again when it changes.

use northstar::clock::ManualClock;
use northstar::sim::example::{ORGANIZATION, PRIVATE_REPOSITORY};
use northstar::sim::{FieldSpec, ProjectSpec, Sim};

use crate::weather::by_hand;
use crate::world::{Setup, World};

const OBJECTIVES: u64 = 66;
const PLANS: u64 = 92;
const TITLE: &str = "Hubs that are simply there";

/// Nothing is pinned.
const BEFORE: &str = r#"
version: 1
organization: 2i2c-org
principles:
  - { id: calm, statement: We are calm. }
"#;

/// A board that holds the goals, and one that has a cap.
const POLICY: &str = r#"
version: 1
organization: 2i2c-org
boards:
  objectives: { project: 66, goals: true }
  plans: { project: 92, column_field: Status }
attributes:
  goal: { values: goals, many: true, label: "goal/{value}" }
principles:
  - id: few
    statement: We do few things at once.
    caps:
      - { id: doing, board: plans, columns: [Doing], at_most: 2, over: return, because: it helps }
  - id: aligned
    statement: Every item says which goal it serves.
    rules:
      - id: goals
        hold: { goal: goals.signalled }
        because: it is part of that
digest: { id: weekly, every: monday 09:00, timezone: Europe/London, post_to: 2i2c-org/infrastructure#1 }
"#;

fn pins(item: &str) -> String {
    format!(
        "boards:
  objectives:
    fields:
      Status: [Now, Later]
  plans:
    fields:
      Status: [Next, Doing]
      Sprint:
        iterations: [Sprint 1]
goals:
  - id: reliability
    title: {TITLE}
    item: {item}
    issue: {PRIVATE_REPOSITORY}#1
"
    )
}

fn board(sim: &Sim, number: u64, fields: Vec<FieldSpec>) {
    let title = format!("Board {number}");
    let spec = ProjectSpec {
        number,
        title,
        fields,
    };
    sim.project(ORGANIZATION, spec).expect("a board");
}

/// The pins are as the boards are; time goes by by hand.
async fn world() -> (ManualClock, World) {
    let (clock, setup) = by_hand();
    let mut world = World::with(Setup {
        policy: Some(BEFORE.to_owned()),
        ..setup
    })
    .await;
    assert_eq!(world.open("lea", "What happened", ""), 1);
    let select = FieldSpec::single_select;
    board(
        &world.sim,
        OBJECTIVES,
        vec![select("Status", &["Now", "Later"])],
    );
    let begins = jiff::civil::date(2026, 11, 11);
    let sprint = ("Sprint 1".to_owned(), begins, 14);
    let sprints = FieldSpec::Iteration("Sprint".to_owned(), vec![sprint]);
    board(
        &world.sim,
        PLANS,
        vec![select("Status", &["Next", "Doing"]), sprints],
    );
    let goal = world
        .sim
        .open_issue("lea", PRIVATE_REPOSITORY, TITLE, "", &[])
        .expect("an issue");
    world
        .sim
        .add_to_project("lea", (ORGANIZATION, OBJECTIVES), PRIVATE_REPOSITORY, goal)
        .expect("a row");
    world.settled().await;
    let rows = world.sim.deliveries().into_iter().filter_map(|delivery| {
        let json = delivery.json();
        let item = json["projects_v2_item"]["node_id"].as_str();
        item.map(str::to_owned)
    });
    let item = rows.last().expect("a row");
    world.stop().await;
    world.setup.policy = Some(POLICY.to_owned());
    world.setup.pins = Some(pins(&item));
    world.start().await;
    later(&clock, &world).await;
    (clock, world)
}

/// So much later that every board was looked at again.
async fn later(clock: &ManualClock, world: &World) {
    let pause = world.setup.worker.read_boards_every;
    world.go_by(clock, pause * 2, pause / 4).await;
    world.weathered(clock).await;
}

async fn counted(world: &World, board: &str) -> String {
    let metrics = world.get("/metrics").await.text;
    let of_board = format!("board=\"{board}\"");
    let line = metrics
        .lines()
        .find(|line| line.starts_with("northstar_pinned_drift") && line.contains(&of_board));
    let line = line.unwrap_or_else(|| panic!("{metrics}"));
    line.rsplit(' ').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn goals_and_options_that_are_no_longer_as_pinned_are_said_once_and_again_when_that_changes()
{
    let (clock, world) = world().await;
    assert_eq!(world.answers(1), [""; 0]);
    assert_eq!(counted(&world, "objectives").await, "0");
    let sim = &world.sim;
    let on = (ORGANIZATION, OBJECTIVES);
    let title = |title: &str| {
        let edited = sim.edit_issue("lea", PRIVATE_REPOSITORY, 1, Some(title), None);
        edited.expect("an edit");
    };
    title("The secret of our hubs");
    sim.rename_option(on, "Status", "Later", "Some day")
        .expect("renamed");
    later(&clock, &world).await;
    let said = world.answers(1);
    assert_eq!(said.len(), 1, "{said:?}");
    for part in [
        "The board `objectives` is no longer as it is pinned",
        "the goal `reliability` has another title now",
        "seems to be called `Some day` now",
        "`northstar check --online --update`",
    ] {
        let plain = said[0].replace('\\', "");
        assert!(plain.contains(part), "{part}\n{plain}");
    }
    // The issue is not for everybody who reads this.
    assert!(!said[0].contains("secret"), "{said:?}");
    assert_eq!(counted(&world, "objectives").await, "2");

    sim.forget_requests();
    later(&clock, &world).await;
    assert!(sim.writes().is_empty(), "{:#?}", sim.writes());

    sim.rename_option(on, "Status", "Some day", "Later")
        .expect("renamed");
    later(&clock, &world).await;
    let said = world.answers(1);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(!said[0].contains("Some day"), "{said:?}");
    title(TITLE);
    later(&clock, &world).await;
    assert_eq!(counted(&world, "objectives").await, "0");
    let said = world.answers(1);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("`objectives` is as it is pinned again"),
        "{said:?}"
    );
    assert_eq!(counted(&world, "objectives").await, "0");
    world.end().await;
}

#[tokio::test]
async fn a_board_with_a_cap_says_what_is_no_longer_as_pinned_too() {
    let (clock, world) = world().await;
    let new = FieldSpec::Text("Notes".to_owned());
    let on = (ORGANIZATION, PLANS);
    world.sim.add_field(on, new).expect("a field");
    later(&clock, &world).await;
    let said = world.answers(1);
    assert_eq!(said.len(), 1, "{said:?}");
    let plain = said[0].replace('\\', "");
    let part = "the board `plans` has a new field `Notes`";
    assert!(plain.contains(part), "{plain}");
    assert_eq!(counted(&world, "plans").await, "1");
    world.end().await;
}
