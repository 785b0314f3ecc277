//! Commands that set what the policy says: `/promote` and `/park`.

use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use northstar::triage::ledger::Rank;

use crate::commands::{has, say, signs};
use crate::world::{Setup, World};

async fn idea() -> (World, u64) {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "Our researchers want it.");
    world.settled().await;
    assert!(has(&world, n, "kind/feature") && has(&world, n, "triage/needs-triage"));
    (world, n)
}

#[tokio::test]
async fn an_idea_is_promoted_in_one_step_and_that_is_taken_back_in_one() {
    let (world, n) = idea().await;
    // Who may set a part of it may not say it.
    let refused = say(&world, "sam", n, "/promote").await;
    assert_eq!(signs(&world, n, refused), ["confused"]);
    let told = world.answers(n).pop().expect("an answer");
    assert!(told.contains("`product_lead`"), "{told}");
    assert!(has(&world, n, "kind/feature"));

    let said = say(&world, "lea", n, "/promote many communities would use it").await;
    assert_eq!(signs(&world, n, said), ["+1"]);
    assert!(has(&world, n, "kind/initiative") && !has(&world, n, "kind/feature"));
    assert!(has(&world, n, "triage/accepted") && !has(&world, n, "triage/needs-triage"));
    let shown = |world: &World, field: &str| {
        let card = world.card(n).expect("a card");
        card.fields.get(field).cloned().unwrap_or_default()
    };
    assert_eq!(shown(&world, "type"), "Initiative");
    assert_eq!(shown(&world, "Status"), "Upcoming P&S Initiatives");
    for attribute in ["kind", "triage", "stage"] {
        let last = world.ledger(n, attribute).await.pop().expect("an entry");
        assert_eq!(
            (last.rank, last.cause.as_str(), last.reason.as_str()),
            (Rank::Command, "/promote", "many communities would use it")
        );
    }
    let trail = world.audit(n, "command").await;
    assert_eq!(trail.len(), 1);
    assert_eq!(trail[0].detail["command"], "/promote");

    say(&world, "lea", n, "/undo").await;
    assert!(has(&world, n, "kind/feature") && !has(&world, n, "kind/initiative"));
    assert!(has(&world, n, "triage/needs-triage") && !has(&world, n, "triage/accepted"));
    assert_eq!(shown(&world, "Status"), "");

    // Hands move the card on, and what was said does not pull it back.
    say(&world, "lea", n, "/promote after all").await;
    for (who, to) in [("dev", "Refined"), ("ada", "Up Next")] {
        let moved = world
            .sim
            .move_card(who, (ORGANIZATION, BOARD), (REPOSITORY, n), to);
        moved.expect("a move");
        world.settled().await;
        assert_eq!(shown(&world, "Status"), to);
    }
    world.end().await;
}

#[tokio::test]
async fn what_is_parked_is_nobodys_question_and_was_not_declined() {
    let (world, n) = idea().await;
    let m = world.open("ada", "Please add Julia", "For teaching.");
    world.settled().await;
    // From the digest, say, where several are named.
    for k in [n, m] {
        let on = (ORGANIZATION, BOARD);
        let moved = world.sim.move_card("dev", on, (REPOSITORY, k), "Refined");
        moved.expect("a move");
    }
    world.settled().await;
    let text = format!("/park #{n} until the upstream release is out");
    let said = say(&world, "dev", m, &text).await;
    assert_eq!(signs(&world, m, said), ["+1"]);
    assert!(has(&world, n, "triage/deferred") && has(&world, m, "triage/needs-triage"));
    // It leaves the columns, and stays on the board.
    let column = |k| world.card(k).expect("a card").fields.get("Status").cloned();
    assert_eq!((column(n), column(m)), (None, Some("Refined".to_owned())));
    assert!(world.issue(n).open);
    assert_eq!(
        world.answers(n).len(),
        1,
        "nothing but the first word to all"
    );
    // It is no longer asked about.
    let digest = world.digest().await;
    let asked = format!("{:?}", digest.undecided);
    assert!(!asked.contains(&format!("#{n}\"")), "{asked}");
    assert!(asked.contains(&format!("#{m}\"")), "{asked}");
    world.end().await;
}

#[tokio::test]
async fn help_says_what_they_set_here() {
    let (world, n) = idea().await;
    say(&world, "ada", n, "/help").await;
    let told = world.answers(n).pop().expect("an answer");
    assert!(
        told.contains("Sets `/kind initiative`, `/triage accepted`, `/stage upcoming`."),
        "{told}"
    );
    world.end().await;
}

/// Who may park is said, and what: one attribute has several values, and one loses its own.
const OTHER: &str = r#"
version: 1
organization: 2i2c-org
roles:
  product_lead: { teams: [product-leads] }
  member: { organization: true }
attributes:
  triage: { values: [accepted, later], label: "triage/{value}" }
  kind: { values: [feature, bug], label: "kind/{value}" }
  goal: { values: [research, education, open-source], many: true, label: "goal/{value}" }
commands: { triage: product_lead, kind: product_lead, goal: product_lead, park: member }
shorthands:
  park: { triage: later, kind: none, goal: [education, research] }
principles: []
"#;

#[tokio::test]
async fn the_policy_says_who_may_and_what_is_set() {
    let world = World::with(Setup {
        policy: Some(OTHER.to_owned()),
        ..Setup::default()
    })
    .await;
    let n = world.open("ada", "Please add RStudio", "");
    for label in ["kind/bug", "goal/open-source"] {
        let put = world.sim.add_label("lea", REPOSITORY, n, label);
        put.expect("a label");
    }
    world.settled().await;
    let no = say(&world, "ada", n, "/park").await;
    assert_eq!(signs(&world, n, no), ["confused"]);
    let yes = say(&world, "sam", n, "/park").await;
    assert_eq!(signs(&world, n, yes), ["+1"]);
    let goals = ["goal/education", "goal/open-source", "goal/research"];
    assert_eq!(world.labels(n), [&goals[..], &["triage/later"]].concat());
    // What the policy does not say cannot be done, and is not offered.
    let no = say(&world, "lea", n, "/promote").await;
    assert_eq!(signs(&world, n, no), ["confused"]);
    let told = world.answers(n).pop().expect("an answer");
    assert!(told.contains("does not say what `/promote` sets"), "{told}");
    say(&world, "lea", n, "/help").await;
    let told = world.answers(n).pop().expect("an answer");
    assert!(
        told.contains("/park") && !told.contains("/promote"),
        "{told}"
    );
    world.end().await;
}

/// The column is an attribute like any other, so cards move along.
const MOVING: &str = r#"
version: 1
organization: 2i2c-org
roles: { product_lead: { teams: [product-leads] } }
boards: { delivery: { project: 57, column_field: Status } }
attributes:
  kind: { values: [feature, initiative], label: "kind/{value}" }
  stage:
    values: { upcoming: { option: Upcoming P&S Initiatives }, doing: { option: In Progress } }
    field: delivery.Status
commands: { kind: product_lead, stage: product_lead, undo: product_lead }
shorthands:
  promote: { kind: initiative, stage: upcoming }
  park: { stage: none }
principles:
  - id: seen
    statement: Work is seen in one place.
    rules: [{ id: seen, on_board: delivery, because: it is seen there }]
"#;

#[tokio::test]
async fn cards_move_along_where_the_policy_has_the_column_as_an_attribute() {
    let world = World::with(Setup {
        policy: Some(MOVING.to_owned()),
        ..Setup::default()
    })
    .await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    let column = |world: &World| {
        let card = world.card(n).expect("a card");
        card.fields.get("Status").cloned()
    };
    let moves = async |to: &str| {
        let on = (ORGANIZATION, BOARD);
        let moved = world.sim.move_card("lea", on, (REPOSITORY, n), to);
        moved.expect("a move");
        world.settled().await;
    };
    say(&world, "lea", n, "/promote").await;
    assert_eq!(column(&world).as_deref(), Some("Upcoming P&S Initiatives"));
    // A hand goes first, and what it changed since is left alone.
    moves("In Progress").await;
    assert_eq!(column(&world).as_deref(), Some("In Progress"));
    say(&world, "lea", n, "/undo").await;
    assert!(!has(&world, n, "kind/initiative"));
    assert_eq!(column(&world).as_deref(), Some("In Progress"));
    say(&world, "lea", n, "/park until spring").await;
    assert_eq!(column(&world), None);
    say(&world, "lea", n, "/undo").await;
    assert_eq!(column(&world).as_deref(), Some("In Progress"));
    moves("Upcoming P&S Initiatives").await;
    assert_eq!(column(&world).as_deref(), Some("Upcoming P&S Initiatives"));
    world.end().await;
}
