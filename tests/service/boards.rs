//! Boards: rows and fields, also those that came before the bot, and boards that are not as the
//! policy believes.

use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use northstar::sim::{WebhookFault, WebhookFaultKind};
use northstar::triage::ledger::Rank;
use serde_json::{Value, json};

use crate::world::{Setup, World};

const ON: (&str, u64) = (ORGANIZATION, BOARD);
const FORM: &str = "### Ticket request type\n\nFeature Request\n\n### Ticket impact\n\nHigh";

fn lose(world: &World, event: &str, times: u32) {
    world.sim.webhook_fault(WebhookFault {
        event: Some(event.to_owned()),
        times,
        kind: WebhookFaultKind::Lose,
    });
}

#[tokio::test]
async fn a_row_and_its_fields_are_two_documents() {
    let world = World::new().await;
    world.warmed_up().await;
    let n = world.open("ada", "Please add RStudio", FORM);
    world.settled().await;
    let documents: Vec<Vec<String>> = world.sim.writes().into_iter().map(|w| w.fields).collect();
    let adds = |fields: &Vec<String>| fields.iter().any(|f| f == "addProjectV2ItemById");
    let sets = |fields: &Vec<String>| {
        fields
            .iter()
            .filter(|f| *f == "updateProjectV2ItemFieldValue")
            .count()
    };
    assert_eq!(
        documents.iter().filter(|d| adds(d)).count(),
        1,
        "{documents:?}"
    );
    let fields: Vec<usize> = documents.iter().map(sets).filter(|n| *n > 0).collect();
    assert_eq!(fields, [2], "{documents:?}");
    let card = world.card(n).expect("a card");
    assert_eq!(
        (card.fields["type"].as_str(), card.fields["impact"].as_str()),
        ("Feature", "High")
    );
    world.end().await;
}

#[tokio::test]
async fn a_row_of_an_issue_never_seen_before_brings_it_in() {
    let world = World::new().await;
    world.warmed_up().await;
    lose(&world, "issues", 1);
    let n = world.open("ada", "Please add RStudio", FORM);
    world.settled().await;
    assert!(world.labels(n).is_empty());
    world.sim.forget_requests();
    world
        .sim
        .add_to_project("lea", ON, REPOSITORY, n)
        .expect("a row");
    world.settled().await;
    assert_eq!(
        world.labels(n),
        ["kind/feature", "no-goal-yet", "triage/needs-triage"]
    );
    assert_eq!(world.card(n).expect("a card").fields["type"], "Feature");
    assert_eq!(world.answers(n).len(), 1);
    let reads = world.reads();
    assert_eq!(reads.len(), 1, "{reads:#?}");
    world.stop_anyhow().await;
}

#[tokio::test]
async fn drafts_and_pull_requests_on_the_board_are_nobodys_business() {
    let world = World::new().await;
    world.warmed_up().await;
    world.sim.add_draft("lea", ON, "An idea").expect("a draft");
    world.settled().await;
    let mut pull = world.payload("projects_v2_item", "created");
    pull["projects_v2_item"]["content_type"] = json!("PullRequest");
    pull["projects_v2_item"]["content_node_id"] = json!("PR_of_somebody");
    let answer = world
        .deliver("projects_v2_item", "a-pull-request", &pull)
        .await;
    assert_eq!(answer.status, 202);
    world.settled().await;
    assert!(
        world.sim.requests().is_empty(),
        "{:#?}",
        world.sim.requests()
    );
    world.end().await;
}

#[tokio::test]
async fn an_edit_that_does_not_say_what_changed_is_looked_up() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", FORM);
    world.settled().await;
    lose(&world, "projects_v2_item", 1);
    world
        .sim
        .set_field("lea", ON, (REPOSITORY, n), "type", "Docs")
        .expect("a field");
    let mut old = world.payload("projects_v2_item", "edited");
    let change = old["changes"]["field_value"]
        .as_object_mut()
        .expect("a change");
    for newer in ["from", "to", "field_name", "project_number"] {
        change.remove(newer);
    }
    world.sim.forget_requests();
    world
        .deliver("projects_v2_item", "an-older-shape", &old)
        .await;
    world.settled().await;
    // Once to learn what it is, and once more before a label is taken off.
    let reads = world.reads();
    assert_eq!(reads.len(), 2, "{reads:#?}");
    assert!(reads.iter().all(|r| r.fields[0] == "node"), "{reads:#?}");
    assert_eq!(world.card(n).expect("a card").fields["type"], "Docs");
    assert!(
        world.labels(n).contains(&"kind/docs".to_owned()),
        "{:?}",
        world.labels(n)
    );
    world.stop_anyhow().await;
}

#[tokio::test]
async fn an_archived_row_is_left_as_it_is_until_it_comes_back() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", FORM);
    world.settled().await;
    let sim = &world.sim;
    sim.archive("lea", ON, (REPOSITORY, n), true)
        .expect("archived");
    world.settled().await;
    sim.forget_requests();
    let lower = FORM.replace("High", "Low");
    sim.edit_issue("ada", REPOSITORY, n, None, Some(&lower))
        .expect("an edit");
    world.settled().await;
    let card = world.card(n).expect("a card");
    assert!(card.archived);
    assert_eq!(card.fields["impact"], "High");
    assert!(sim.writes().is_empty(), "{:#?}", sim.writes());
    sim.archive("lea", ON, (REPOSITORY, n), false)
        .expect("restored");
    world.settled().await;
    assert_eq!(world.card(n).expect("a card").fields["impact"], "Low");
    world.end().await;
}

#[tokio::test]
async fn a_row_that_was_there_with_fields_before_the_bot_is_read_whole() {
    let world = World::new().await;
    world.warmed_up().await;
    let sim = &world.sim;
    // The bot knows the issue, but heard nothing of its row.
    let n = world.open("ada", "Hub", "Nothing asked for.");
    world.settled().await;
    lose(&world, "projects_v2_item", 2);
    sim.add_to_project("lea", ON, REPOSITORY, n).expect("a row");
    sim.set_field("lea", ON, (REPOSITORY, n), "impact", "Critical")
        .expect("a field");
    sim.move_card("lea", ON, (REPOSITORY, n), "Refined")
        .expect("a move");
    world.settled().await;
    let record = world.record(n).await;
    let row = record.boards.values().next().expect("a row");
    let shown = ["Status", "impact", "type"].map(|field| row.fields[field].text());
    assert_eq!(shown, ["Refined", "Critical", "Task"], "{row:?}");
    // Its kind is shown on the board too, now; what was there stays.
    let card = world.card(n).expect("a card");
    assert_eq!(card.fields["impact"], "Critical");
    assert_eq!(card.fields["type"], "Task");
    world.stop_anyhow().await;
}

/// The impact has a value that the board has no option for; `else` a board that is not there.
fn drifted(project: u64) -> String {
    format!(
        r#"
version: 1
organization: 2i2c-org
boards:
  delivery: {{ project: {project}, column_field: Status }}
attributes:
  kind: {{ values: [feature, bug], label: "kind/{{value}}", field: delivery.type }}
  impact: {{ values: [low, gigantic], label: "impact/{{value}}", field: delivery.impact }}
  goal: {{ values: [research, education], many: true, label: "goal/{{value}}" }}
templates:
  received: Thank you.
principles:
  - id: all
    statement: All is looked at.
    rules:
      - id: everything
        set: {{ kind: feature, impact: gigantic }}
        on_board: delivery
        comment: received
        because: it says so
      - id: goals
        when: issue.body.contains("research")
        hold: {{ goal: [research] }}
        because: it says so
"#
    )
}

async fn with_policy(policy: String) -> World {
    World::with(Setup {
        policy: Some(policy),
        ..Setup::default()
    })
    .await
}

fn refused(lines: &[northstar::store::AuditEntry]) -> Vec<&Value> {
    lines
        .iter()
        .map(|line| &line.detail)
        .filter(|detail| detail["end"] == "refused")
        .collect()
}

#[tokio::test]
async fn an_option_that_the_board_does_not_have_is_reported_and_the_rest_is_written() {
    let world = with_policy(drifted(BOARD)).await;
    let n = world.open("ada", "Please add RStudio", "For research.");
    world.settled().await;
    assert_eq!(
        world.labels(n),
        ["goal/research", "impact/gigantic", "kind/feature"]
    );
    let card = world.card(n).expect("a card");
    assert_eq!(card.fields["type"], "Feature");
    assert_eq!(card.fields.get("impact"), None);
    assert_eq!(world.answers(n).len(), 1);
    let trail = world.audit(n, "write").await;
    let refused = refused(&trail);
    assert!(!refused.is_empty());
    assert!(
        refused[0]["error"].to_string().contains("gigantic"),
        "{refused:?}"
    );
    // What was written is the rules', so that it is taken back when it no longer holds.
    assert_eq!(world.ownership(n, "goal").await.rank(), Some(Rank::Rule));
    world
        .sim
        .edit_issue("ada", REPOSITORY, n, None, Some("For fun."))
        .expect("an edit");
    world.settled().await;
    assert_eq!(world.labels(n), ["impact/gigantic", "kind/feature"]);
    assert_eq!(world.answers(n).len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_board_that_does_not_exist_is_reported_and_the_rest_is_written() {
    let world = with_policy(drifted(99)).await;
    let n = world.open("ada", "Please add RStudio", "For research.");
    world.settled().await;
    assert_eq!(
        world.labels(n),
        ["goal/research", "impact/gigantic", "kind/feature"]
    );
    assert_eq!(world.card(n), None);
    assert_eq!(world.answers(n).len(), 1);
    let trail = world.audit(n, "write").await;
    let refused = refused(&trail);
    assert!(
        refused
            .iter()
            .any(|r| r["change"]["write"]["do"] == "add_to_board"),
        "{trail:?}"
    );
    assert_eq!(world.ownership(n, "kind").await.rank(), Some(Rank::Rule));
    world.end().await;
}
