//! What a rule may do: record, or write.

use northstar::sim::example::REPOSITORY;
use northstar::triage::decision::Mode;

use crate::world::{Setup, World};

async fn observing(policy: Option<String>) -> World {
    World::with(Setup {
        mode: Mode::Observe,
        policy,
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn observing_writes_nothing_and_records_what_it_would_have_done() {
    let world = observing(None).await;
    let n = world.open("ada", "Please add RStudio", "Our researchers want it.");
    world.settled().await;
    assert!(world.labels(n).is_empty());
    assert!(world.answers(n).is_empty());
    assert_eq!(world.card(n), None);
    assert!(world.sim.writes().is_empty(), "{:#?}", world.sim.writes());
    let decisions = world.audit(n, "decision").await;
    let last = &decisions.last().expect("a decision").detail;
    assert_eq!(last["changes"], serde_json::json!([]));
    let withheld = last["withheld"].to_string();
    for what in [
        "kind/feature",
        "goal/research",
        "triage/needs-triage",
        "add_to_board",
        "received",
    ] {
        assert!(withheld.contains(what), "{what}: {withheld}");
    }
    assert!(world.record(n).await.ledger.is_empty());
    world.end().await;
}

const TWO_MODES: &str = r#"
version: 1
organization: 2i2c-org
attributes:
  kind: { values: [feature, bug], label: "kind/{value}" }
  triage: { values: [needs-triage, accepted], label: "triage/{value}" }
  goal: { values: [research, education], many: true, label: "goal/{value}" }
principles:
  - id: all
    statement: All is looked at.
    rules:
      - id: kind
        set: { kind: feature }
        mode: enforce
        because: it says so
      - id: triage
        set: { triage: needs-triage }
        because: it is new
      - id: goal
        when: triage == "needs-triage"
        hold: { goal: [research] }
        mode: enforce
        because: it waits
"#;

#[tokio::test]
async fn a_rule_may_be_enforced_while_the_others_observe() {
    let world = observing(Some(TWO_MODES.to_owned())).await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    // The third rule stands on what the second only would have set, so it does not write either.
    assert_eq!(world.labels(n), ["kind/feature"]);
    let decisions = world.audit(n, "decision").await;
    let withheld = decisions[0].detail["withheld"].to_string();
    assert!(withheld.contains("triage/needs-triage") && withheld.contains("goal/research"));
    assert_eq!(world.sim.writes().len(), 1);
    world.end().await;
}

const SUGGESTING: &str = r#"
version: 1
organization: 2i2c-org
roles: { product_lead: { teams: [product-leads] } }
boards: { delivery: { project: 57, column_field: Status } }
attributes:
  kind: { values: [feature, bug], label: "kind/{value}" }
  triage: { values: { needs-triage: {}, accepted: { verb: accept } }, label: "triage/{value}" }
  goal: { values: [research, education], many: true, label: "goal/{value}" }
  worth: { values: [little, much], label: "worth/{value}", internal: true }
commands: { kind: product_lead, triage: product_lead, goal: product_lead, worth: product_lead }
principles:
  - id: all
    statement: All is looked at.
    mode: suggest
    rules:
      - { id: kind, when: 'issue.title.contains("add")', set: { kind: feature }, because: "it asks for @more" }
      - { id: accepted, when: 'kind == "feature"', set: { triage: accepted }, because: all are }
      - { id: goals, hold: { goal: [research, education] }, because: both are meant }
      - { id: worth, set: { worth: much }, because: they pay }
      - { id: odd, label: odd, on_board: delivery, because: it is }
  - id: watched
    statement: Some is only watched.
    mode: observe
    rules: [{ id: quiet, label: quiet, because: nobody shall hear }]
"#;

#[tokio::test]
async fn what_rules_suggest_is_told_once_with_how_to_do_it_and_done_by_people() {
    let world = World::with(Setup {
        mode: Mode::Suggest,
        policy: Some(SUGGESTING.to_owned()),
        ..Setup::default()
    })
    .await;
    let sim = &world.sim;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    assert!(world.labels(n).is_empty() && world.card(n).is_none());
    let told = world.answers(n);
    assert_eq!(told.len(), 1, "{told:?}");
    let lines: Vec<&str> = told[0].lines().filter(|l| l.starts_with("- ")).collect();
    assert_eq!(
        lines,
        [
            "- `kind` `feature`, for it asks for @\u{200b}more: `/kind feature`",
            "- `goal` `education`, for both are meant: `/goal education`",
            "- `goal` `research`, for both are meant: `/goal research`",
            "- `triage` `accepted`, for all are: `/triage accept`",
            "- the label `odd`, for it is: put it on",
            "- a place on the board `delivery`, for it is: add it",
        ]
    );
    assert!(
        world.record(n).await.ledger.is_empty(),
        "nothing is a rule's"
    );

    // Done by a command and by hand, it is not suggested any more; one comment says what is left.
    let done = "/kind feature\n/goal research\n/triage accept";
    let said = sim.comment("lea", REPOSITORY, n, done);
    said.expect("a comment");
    world.settled().await;
    sim.add_label("lea", REPOSITORY, n, "odd").expect("a label");
    world.settled().await;
    let told = world.answers(n);
    assert_eq!(told.len(), 1, "{told:?}");
    let lines: Vec<&str> = told[0].lines().filter(|l| l.starts_with("- ")).collect();
    assert_eq!(
        lines,
        ["- a place on the board `delivery`, for it is: add it"]
    );
    // What is closed is left in peace, and nothing of it was ever done by itself.
    sim.close("lea", REPOSITORY, n, true).expect("closed");
    world.settled().await;
    let told = world.answers(n);
    assert!(
        told.len() == 1 && told[0].contains("suggest nothing here any more"),
        "{told:?}"
    );
    assert_eq!(
        world.labels(n),
        ["goal/research", "kind/feature", "odd", "triage/accepted"]
    );
    assert!(world.card(n).is_none());
    let on_labels = sim
        .writes()
        .into_iter()
        .filter(|w| w.body.to_string().contains("worth"));
    assert_eq!(
        on_labels.count(),
        0,
        "what is internal is not said in public"
    );

    // Whoever deletes it does not want to be asked.
    let m = world.open("ada", "Please add Julia", "");
    world.settled().await;
    let comment = world.issue(m).comments[0].id;
    sim.delete_comment("lea", comment).expect("deleted");
    sim.edit_issue("ada", REPOSITORY, m, Some("Julia, please"), None)
        .expect("an edit");
    world.settled().await;
    assert!(world.answers(m).is_empty());
    world.end().await;
}
