//! What a rule may do: record, or write.

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
