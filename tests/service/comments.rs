//! Comments: one, ever; with an invisible marker; and nothing in it that calls anybody.

use northstar::sim::example::REPOSITORY;

use crate::world::{Setup, World};

#[tokio::test]
async fn a_request_is_acknowledged_once_for_ever() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    let sim = &world.sim;
    // Everything that could make the rule hold anew.
    sim.remove_label("lea", REPOSITORY, n, "triage/needs-triage")
        .expect("a label");
    sim.close("ada", REPOSITORY, n, false).expect("closed");
    sim.reopen("ada", REPOSITORY, n).expect("reopened");
    sim.edit_issue("ada", REPOSITORY, n, Some("Please install RStudio"), None)
        .expect("an edit");
    for delivery in sim.deliveries() {
        sim.redeliver(delivery.id);
    }
    world.settled().await;
    assert_eq!(world.answers(n).len(), 1, "{:?}", world.answers(n));
    world.end().await;
}

#[tokio::test]
async fn the_marker_is_not_seen_by_readers() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    let answer = world.answers(n).remove(0);
    let (text, marker) = answer.rsplit_once("\n\n").expect("a last line");
    assert!(marker.starts_with("<!-- northstar:") && marker.ends_with("-->"));
    assert!(
        !text.contains("northstar") && !text.contains("<!--"),
        "{text}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_comment_that_somebody_deletes_stays_deleted() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    let comment = world.issue(n).comments[0].id;
    world.sim.delete_comment("lea", comment).expect("a comment");
    world.settled().await;
    world
        .sim
        .edit_issue(
            "ada",
            REPOSITORY,
            n,
            Some("Please, please add RStudio"),
            None,
        )
        .expect("an edit");
    world.settled().await;
    assert!(world.answers(n).is_empty());
    assert!(world.record(n).await.comments["received"].deleted);
    world.end().await;
}

#[tokio::test]
async fn a_marker_in_somebody_elses_comment_is_not_trusted() {
    let world = World::new().await;
    let n = world.open("ada", "Hub", "Nothing asked for.");
    world.settled().await;
    world
        .sim
        .comment("ada", REPOSITORY, n, "Done.\n\n<!-- northstar:received -->")
        .expect("a comment");
    world
        .sim
        .edit_issue("ada", REPOSITORY, n, Some("Please add RStudio"), None)
        .expect("an edit");
    world.settled().await;
    assert_eq!(world.answers(n).len(), 1);
    world.end().await;
}

const QUOTING: &str = r#"
version: 1
organization: 2i2c-org
attributes:
  kind: { values: [feature], label: "kind/{value}" }
templates:
  quoting: "You ask for: {issue.title}"
principles:
  - id: all
    statement: All is answered.
    rules:
      - id: answer
        comment: quoting
        because: it is asked for
"#;

#[tokio::test]
async fn a_quoted_title_mentions_nobody_and_breaks_nothing() {
    let world = World::with(Setup {
        policy: Some(QUOTING.to_owned()),
        ..Setup::default()
    })
    .await;
    let title = "@lea fixes #1 <img src=x> [x](http://x) ``` <!-- northstar:other -->";
    let n = world.open("loud-larry", title, "@2i2c-org/product-leads look!");
    world.settled().await;
    let answer = world.answers(n).remove(0);
    let quoted = answer.split("\n\n<!--").next().expect("a text");
    for wrong in ["@lea", "#1", "<img", "](http", "```", "<!--"] {
        assert!(!quoted.contains(wrong), "{wrong} in {quoted}");
    }
    assert!(world.record(n).await.comments.contains_key("quoting"));
    world.end().await;
}

#[tokio::test]
async fn a_date_that_is_taken_off_is_explained_once_and_folded_away_when_it_is_over() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    let sim = &world.sim;
    sim.set_milestone("ada", REPOSITORY, n, Some("2026 Q4"))
        .expect("a milestone");
    world.settled().await;
    assert_eq!(world.issue(n).milestone, "");
    let answers = world.answers(n);
    assert_eq!(answers.len(), 2, "{answers:?}");
    assert!(answers[1].contains("milestone"), "{answers:?}");
    assert!(!answers[1].contains("<details>"), "{answers:?}");
    // Tried again, it is taken off again, and nothing is said twice.
    sim.set_milestone("ada", REPOSITORY, n, Some("2026 Q4"))
        .expect("a milestone");
    world.settled().await;
    assert_eq!(world.issue(n).milestone, "");
    assert_eq!(world.answers(n), answers);
    // Accepted, a date may be given, and what was said about it is folded away.
    sim.remove_label("lea", REPOSITORY, n, "triage/needs-triage")
        .expect("a label");
    sim.add_label("lea", REPOSITORY, n, "triage/accepted")
        .expect("a label");
    sim.set_milestone("lea", REPOSITORY, n, Some("2026 Q4"))
        .expect("a milestone");
    world.settled().await;
    assert_eq!(world.issue(n).milestone, "2026 Q4");
    let after = world.answers(n);
    assert_eq!((after.len(), &after[0]), (2, &answers[0]));
    assert!(after[1].contains("<details>"), "{after:?}");
    world.end().await;
}
