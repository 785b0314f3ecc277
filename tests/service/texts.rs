//! What is held follows the text; what is set stays.

use northstar::sim::example::REPOSITORY;

use crate::world::World;

#[tokio::test]
async fn goals_follow_the_text_when_it_is_edited() {
    let world = World::new().await;
    let n = world.open(
        "ada",
        "Please add RStudio",
        "For the papers of our researchers.",
    );
    world.settled().await;
    assert!(world.labels(n).contains(&"goal/research".to_owned()));
    let edits = [
        ("For our course and its students.", vec!["goal/education"]),
        (
            "For our course, and for JupyterHub upstream.",
            vec!["goal/education", "goal/upstream"],
        ),
        ("Because it is nice.", vec![]),
        ("For research.", vec!["goal/research"]),
    ];
    for (body, goals) in edits {
        world
            .sim
            .edit_issue("ada", REPOSITORY, n, None, Some(body))
            .expect("an edit");
        world.settled().await;
        let mut labels = world.labels(n);
        // What serves no goal says so, and no longer when it does.
        assert_eq!(labels.contains(&"no-goal-yet".to_owned()), goals.is_empty());
        labels.retain(|label| label.starts_with("goal/"));
        assert_eq!(labels, goals, "{body}");
    }
    assert_eq!(world.answers(n).len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_goal_that_a_person_added_does_not_follow_the_text() {
    let world = World::new().await;
    let n = world.open(
        "ada",
        "Please add RStudio",
        "For the papers of our researchers.",
    );
    world.settled().await;
    world
        .sim
        .add_label("lea", REPOSITORY, n, "goal/upstream")
        .expect("a label");
    world.settled().await;
    world
        .sim
        .edit_issue("ada", REPOSITORY, n, None, Some("For our students."))
        .expect("an edit");
    world.settled().await;
    // All of the attribute is hers now.
    assert_eq!(
        world.labels(n),
        [
            "goal/research",
            "goal/upstream",
            "kind/feature",
            "triage/needs-triage"
        ]
    );
    world.end().await;
}

#[tokio::test]
async fn what_a_rule_set_stays_when_its_condition_ends() {
    let world = World::new().await;
    let request = "### Ticket request type\n\nFeature Request";
    let n = world.open("ada", "RStudio for research", request);
    world.settled().await;
    assert!(world.labels(n).contains(&"triage/needs-triage".to_owned()));
    let problem = "### Ticket request type\n\nSomething is not working";
    world
        .sim
        .edit_issue("ada", REPOSITORY, n, None, Some(problem))
        .expect("an edit");
    world.settled().await;
    assert_eq!(
        world.labels(n),
        ["goal/research", "kind/bug", "triage/needs-triage"]
    );
    assert_eq!(world.card(n).expect("a card").fields["type"], "Bug");
    assert_eq!(world.answers(n).len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_closed_issue_is_left_in_peace() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "For our course.");
    world.settled().await;
    let before = world.labels(n);
    world
        .sim
        .close("lea", REPOSITORY, n, false)
        .expect("closed");
    world.settled().await;
    world.sim.forget_requests();
    world
        .sim
        .set_milestone("lea", REPOSITORY, n, Some("2026 Q4"))
        .expect("a milestone");
    world.settled().await;
    assert_eq!(world.labels(n), before);
    assert_eq!(world.issue(n).milestone, "2026 Q4");
    assert!(world.sim.writes().is_empty(), "{:#?}", world.sim.writes());
    world.end().await;
}
