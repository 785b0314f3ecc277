//! What rules put into fields of boards that show no attribute, and what they archive: numbers,
//! texts, days and iterations, all of one item in one document, refused one by one.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use northstar::clock::{Clock, ManualClock};
use northstar::sim::example::{ORGANIZATION, REPOSITORY};
use northstar::sim::{CardView, Fault, FaultKind, FieldSpec, ProjectSpec, When};
use northstar::triage::ledger::{self, Rank};

use crate::weather::by_hand;
use crate::world::{Setup, World};

const BOARD: u64 = 91;
const ON: (&str, u64) = (ORGANIZATION, BOARD);
const SET: &str = "updateProjectV2ItemFieldValue";

const POLICY: &str = r#"
version: 1
organization: 2i2c-org
roles: { delivery: { teams: [delivery-managers] } }
boards: { delivery: { project: 91, column_field: Status } }
attributes:
  kind: { values: [feature, bug], label: "kind/{value}", field: delivery.type }
principles:
  - id: planned
    statement: What is planned says how large it is and when it ends.
    rules:
      - id: plan-it
        when: issue.title.contains("plan")
        set: { kind: feature }
        on_board: delivery
        fields:
          delivery.Estimate: "size(issue.title) > 15 ? 8 : 3"
          delivery.End date: now + days(14)
          delivery.Notes: asked for by {author.login}
          delivery.Iteration: "@current"
          delivery.Unplanned: Unplanned
        because: planning begins with a guess
      - id: empty-it
        when: issue.title.contains("no size")
        fields: { delivery.Estimate: none }
        overrides: [plan-it]
        because: it was said
      - id: put-away
        when: board.present && !issue.open
        archive: delivery
        because: what is done leaves the board
"#;

const PINS: &str = r"
boards:
  delivery:
    fields:
      Status: [Refined, In Progress, Done]
      type: [Feature, Bug]
      Unplanned: [Unplanned, Emergency]
      Estimate: number
      End date: date
      Notes: text
      Iteration: iteration
";

/// A board of its own, with an iteration that began a week ago and the one after it.
async fn world() -> (ManualClock, World) {
    let (clock, setup) = by_hand();
    let world = World::with(Setup {
        policy: Some(POLICY.to_owned()),
        pins: Some(PINS.to_owned()),
        ..setup
    })
    .await;
    let begins = |days: i64| today(&clock).saturating_add(days.days());
    let select = FieldSpec::single_select;
    let board = ProjectSpec {
        number: BOARD,
        title: "Plans".to_owned(),
        fields: vec![
            select("Status", &["Refined", "Done"]),
            select("type", &["Feature", "Bug"]),
            select("Unplanned", &["Unplanned", "Emergency"]),
            FieldSpec::Number("Estimate".to_owned()),
            FieldSpec::Date("End date".to_owned()),
            FieldSpec::Text("Notes".to_owned()),
            FieldSpec::Iteration(
                "Iteration".to_owned(),
                vec![
                    ("Iteration 1".to_owned(), begins(-7), 14),
                    ("Iteration 2".to_owned(), begins(7), 14),
                ],
            ),
        ],
    };
    world.sim.project(ORGANIZATION, board).expect("a board");
    (clock, world)
}

fn today(clock: &ManualClock) -> Date {
    clock.now().to_zoned(TimeZone::UTC).date()
}

/// The day that is so many days from today, as a board shows it.
fn in_days(clock: &ManualClock, days: i64) -> String {
    today(clock).saturating_add(days.days()).to_string()
}

async fn a_day_later(clock: &ManualClock, world: &World) {
    let day = SignedDuration::from_hours(24);
    world.go_by(clock, day, SignedDuration::from_hours(6)).await;
    world.settled().await;
}

/// The documents that set fields, with how many each sets.
fn field_documents(world: &World) -> Vec<usize> {
    let writes = world.sim.writes().into_iter();
    let sets = writes.map(|w| w.fields.iter().filter(|f| *f == SET).count());
    sets.filter(|n| *n > 0).collect()
}

fn card(world: &World, n: u64) -> CardView {
    let card = world.sim.card(ORGANIZATION, BOARD, REPOSITORY, n);
    card.expect("a card")
}

fn shown(world: &World, n: u64, name: &str) -> String {
    let card = card(world, n);
    card.fields.get(name).cloned().unwrap_or_default()
}

#[tokio::test]
async fn numbers_texts_days_and_iterations_go_in_one_document() {
    let (clock, world) = world().await;
    let n = world.open("ada", "A plan", "");
    world.settled().await;
    let names = ["Estimate", "End date", "Notes", "Iteration", "Unplanned"];
    assert_eq!(
        names.map(|name| shown(&world, n, name)),
        [
            "3",
            in_days(&clock, 14).as_str(),
            "asked for by ada",
            "Iteration 1",
            "Unplanned"
        ]
    );
    // With the attribute's field six, and nothing is written twice.
    assert_eq!(field_documents(&world), [6]);
    let estimate = ledger::field("delivery", "Estimate");
    assert_eq!(world.ownership(n, &estimate).await.rank(), Some(Rank::Rule));
    world.end().await;
}

#[tokio::test]
async fn what_one_alias_fails_to_do_is_done_again_and_the_rest_is_not() {
    let (clock, world) = world().await;
    // Of the six the fourth, and once more of what is left of them.
    world
        .sim
        .fault(Fault::once(When::graphql(SET), FaultKind::Alias(3)));
    let n = world.open("ada", "A plan", "");
    world.weathered(&clock).await;
    world.settled().await;
    assert_eq!(world.sim.faults_waiting(), 0);
    for name in [
        "type",
        "Estimate",
        "End date",
        "Notes",
        "Iteration",
        "Unplanned",
    ] {
        assert_ne!(shown(&world, n, name), "", "{name}");
    }
    assert_eq!(field_documents(&world), [6, 1]);
    let trail = world.audit(n, "write").await;
    let ended = |end: &str| trail.iter().filter(|l| l.detail["end"] == end).count();
    assert_eq!(ended("refused"), 1, "{trail:#?}");
    // A label, a row and six fields, each once.
    assert_eq!(ended("written"), 8, "{trail:#?}");
    world.end().await;
}

#[tokio::test]
async fn a_field_that_people_change_is_theirs() {
    let (clock, world) = world().await;
    let n = world.open("ada", "A plan", "");
    world.settled().await;
    for (who, to) in [("dev", "13"), ("eng", "21")] {
        world
            .sim
            .set_field(who, ON, (REPOSITORY, n), "Estimate", to)
            .expect("a field");
        world.settled().await;
    }
    // The rule would say 8 now, and the day has moved on as well.
    a_day_later(&clock, &world).await;
    world
        .sim
        .edit_issue("ada", REPOSITORY, n, Some("A plan that is longer"), None)
        .expect("an edit");
    world.settled().await;
    assert_eq!(shown(&world, n, "Estimate"), "21");
    assert_eq!(shown(&world, n, "End date"), in_days(&clock, 14));
    world.end().await;
}

#[tokio::test]
async fn the_iteration_moves_on_with_time_and_a_field_can_be_emptied() {
    let (clock, world) = world().await;
    let n = world.open("ada", "A plan", "");
    world.settled().await;
    assert_eq!(shown(&world, n, "Iteration"), "Iteration 1");
    for _ in 0..7 {
        a_day_later(&clock, &world).await;
    }
    assert_eq!(shown(&world, n, "Iteration"), "Iteration 2");
    world
        .sim
        .edit_issue("ada", REPOSITORY, n, Some("A plan of no size"), None)
        .expect("an edit");
    world.settled().await;
    assert_eq!(shown(&world, n, "Estimate"), "");
    world.end().await;
}

#[tokio::test]
async fn what_is_done_is_archived_once_and_stays_if_somebody_brings_it_back() {
    let (_, world) = world().await;
    let n = world.open("ada", "A plan", "");
    world.settled().await;
    let sim = &world.sim;
    sim.close("dev", REPOSITORY, n, true).expect("closed");
    world.settled().await;
    assert!(card(&world, n).archived);
    sim.archive("dev", ON, (REPOSITORY, n), false)
        .expect("restored");
    world.settled().await;
    sim.forget_requests();
    sim.comment("ada", REPOSITORY, n, "Thank you!")
        .expect("a comment");
    world.settled().await;
    assert!(!card(&world, n).archived);
    assert!(sim.writes().is_empty(), "{:#?}", sim.writes());
    world.end().await;
}
