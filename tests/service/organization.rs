//! What happens to the organisation as a whole: people, teams, labels, the installation.

use northstar::sim::example::{ORGANIZATION, REPOSITORY};
use northstar::triage::ledger::Rank;
use serde_json::json;

use crate::world::{Setup, World};

#[tokio::test]
async fn a_change_of_a_team_counts_from_the_next_act_on() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    let m = world.open("ada", "Please add Julia", "");
    world.settled().await;
    let sim = &world.sim;
    sim.add_label("grace", REPOSITORY, n, "triage/accepted")
        .expect("a label");
    world.settled().await;
    assert_eq!(
        world.ledger(n, "triage").await.last().map(|e| e.rank),
        Some(Rank::Ambient)
    );
    sim.team_member("lea", (ORGANIZATION, "product-leads"), "grace", true)
        .expect("a team");
    world.settled().await;
    sim.add_label("grace", REPOSITORY, m, "triage/accepted")
        .expect("a label");
    world.settled().await;
    assert_eq!(
        world.ledger(m, "triage").await.last().map(|e| e.rank),
        Some(Rank::Person)
    );
    assert_eq!(
        world.labels(m),
        ["kind/feature", "no-goal-yet", "triage/accepted"]
    );
    world.end().await;
}

#[tokio::test]
async fn a_label_that_is_missing_is_made_once() {
    let world = World::new().await;
    assert!(
        !world
            .sim
            .labels(REPOSITORY)
            .contains(&"no-goal-yet".to_owned())
    );
    let n = world.open("ada", "Please add a dark theme", "");
    let m = world.open("ada", "Please add a light theme", "");
    world.settled().await;
    for n in [n, m] {
        assert!(world.labels(n).contains(&"no-goal-yet".to_owned()));
    }
    let made = world.sim.writes().into_iter();
    let made = made.filter(|w| w.path.ends_with("/labels") && w.method == "POST");
    assert_eq!(made.count(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_label_that_was_deleted_is_made_anew_for_the_next_request() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    world
        .sim
        .delete_label("lea", REPOSITORY, "kind/feature")
        .expect("a label");
    world.settled().await;
    let m = world.open("ada", "Please add Julia", "");
    world.settled().await;
    assert!(world.labels(m).contains(&"kind/feature".to_owned()));
    // Deleting a label is a change of the vocabulary, not a decision about each of its issues.
    let by_hand = world.ledger(n, "kind").await;
    assert!(
        by_hand.iter().all(|e| e.rank != Rank::Person),
        "{by_hand:?}"
    );
    assert!(world.labels(n).contains(&"kind/feature".to_owned()));
    world.end().await;
}

#[tokio::test]
async fn names_are_asked_for_again_when_a_label_changes() {
    let world = World::new().await;
    world.warmed_up().await;
    world
        .sim
        .create_label("lea", REPOSITORY, "something-new")
        .expect("a label");
    world.settled().await;
    assert!(world.sim.requests().is_empty(), "only when they are needed");
    world.open("ada", "Please add RStudio", "");
    world.settled().await;
    let asked = world
        .reads()
        .iter()
        .filter(|r| r.fields.iter().any(|f| f == "repository"))
        .count()
        + world
            .reads()
            .iter()
            .filter(|r| r.path.ends_with("/labels"))
            .count();
    assert_eq!(asked, 1, "{:#?}", world.reads());
    world.end().await;
}

#[tokio::test]
async fn events_of_the_organisation_are_taken_and_change_nothing_on_github() {
    let world = World::new().await;
    world.warmed_up().await;
    let installed = json!({
        "action": "created",
        "installation": { "id": world.installation.0, "account": { "login": ORGANIZATION } },
        "organization": { "login": ORGANIZATION },
        "sender": { "id": 1, "login": "lea", "type": "User" },
    });
    for event in [
        "installation",
        "installation_repositories",
        "team",
        "organization",
        "push",
    ] {
        let answer = world.deliver(event, event, &installed).await;
        assert_eq!(answer.json()["status"], "stored", "{event}");
    }
    world.sim.ping();
    world.settled().await;
    assert!(world.sim.writes().is_empty());
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    assert_eq!(world.labels(n).len(), 3);
    world.end().await;
}

#[tokio::test]
async fn after_the_app_was_removed_nothing_more_is_asked_or_written() {
    let world = World::new().await;
    world.warmed_up().await;
    let removed = json!({
        "action": "suspend",
        "installation": { "id": world.installation.0, "account": { "login": ORGANIZATION } },
        "sender": { "id": 1, "login": "lea", "type": "User" },
    });
    world.deliver("installation", "suspended", &removed).await;
    world.settled().await;
    // It is asked for anew, and since GitHub still lists it, work goes on.
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    assert_eq!(world.labels(n).len(), 3);
    let found = world.reads().iter().any(|r| r.path == "/app/installations");
    assert!(found, "{:#?}", world.reads());
    world.end().await;
}

const A_TEAM_OF_NOBODY: &str = r#"
version: 1
organization: 2i2c-org
roles:
  ghosts: { teams: [no-such-team] }
  member: { organization: true }
attributes:
  kind: { values: [feature, bug], label: "kind/{value}" }
commands: { kind: [ghosts, member] }
principles:
  - id: all
    statement: All is looked at.
    rules:
      - id: ghostly
        when: author.is("ghosts")
        set: { kind: bug }
        because: a ghost says so
      - id: kind
        when: '!author.is("ghosts")'
        set: { kind: feature }
        because: it says so
"#;

#[tokio::test]
async fn a_team_that_does_not_exist_has_nobody_in_it_and_stops_nothing() {
    let world = World::with(Setup {
        policy: Some(A_TEAM_OF_NOBODY.to_owned()),
        ..Setup::default()
    })
    .await;
    let n = world.open("lea", "Please add RStudio", "");
    world.settled().await;
    assert_eq!(world.labels(n), ["kind/feature"]);
    // Who holds the other role may still what that role may.
    world.relabel("lea", n, "kind/feature", "kind/bug");
    world.settled().await;
    assert_eq!(world.labels(n), ["kind/bug"]);
    assert_eq!(world.ownership(n, "kind").await.rank(), Some(Rank::Person));
    world.end().await;
}
