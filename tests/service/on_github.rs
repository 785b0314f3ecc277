//! A policy that lies in a repository: read when it is needed, and anew when it is pushed to.

use northstar::sim::example::REPOSITORY;

use crate::world::{Setup, World};

const FIRST: &str = r#"
version: 1
organization: 2i2c-org
roles:
  product_lead: { teams: [product-leads] }
attributes:
  kind: { values: [feature, bug], label: "kind/{value}" }
commands: { kind: product_lead }
digest: { id: weekly, every: monday 09:00, timezone: Europe/London, post_to: 2i2c-org/infrastructure#1 }
principles:
  - id: all
    statement: All is looked at.
    rules:
      - id: kind
        set: { kind: feature }
        because: it says so
"#;

/// Where in the repository it lies.
const FOLDER: &str = "product/policy";
const FILE: &str = "product/policy/main.yaml";

fn push(world: &World, text: &str) {
    let pushed = world.sim.push("lea", REPOSITORY, &[(FILE, Some(text))]);
    pushed.expect("pushed");
}

async fn world(text: &'static str) -> World {
    World::with(Setup {
        policy_on_github: Some(FOLDER),
        before: Box::new(move |sim| {
            let files = [
                (FILE, Some(text)),
                // Neither is part of it.
                ("product/policy/README.md", Some("About us")),
                ("product/other.yaml", Some("nonsense: [")),
            ];
            sim.push("lea", REPOSITORY, &files).expect("pushed");
        }),
        ..Setup::default()
    })
    .await
}

fn asked_for_files(world: &World) -> usize {
    let requests = world.sim.requests();
    let files = requests.iter().filter(|request| {
        let query = request.body["query"].as_str();
        query.is_some_and(|query| query.contains("query Files"))
    });
    files.count()
}

#[tokio::test]
async fn a_push_to_it_is_a_new_policy_for_what_is_open() {
    let world = world(FIRST).await;
    assert_eq!(world.open("lea", "Week by week", ""), 1);
    assert_eq!(world.open("ada", "Please add RStudio", ""), 2);
    world.settled().await;
    assert_eq!(world.labels(2), ["kind/feature"]);
    assert_eq!(asked_for_files(&world), 1, "once, however many looks");

    // Another branch's or folder's push is nobody's business.
    let other = [("docs/a.md", Some("text"))];
    world.sim.push("lea", REPOSITORY, &other).expect("pushed");
    world.settled().await;
    assert_eq!(world.labels(2), ["kind/feature"]);

    push(
        &world,
        &FIRST.replace("set: { kind: feature }", "set: { kind: bug }"),
    );
    world.settled().await;
    assert_eq!(world.labels(2), ["kind/bug"]);
    assert_eq!(world.open("ada", "Another", ""), 3);
    world.settled().await;
    assert_eq!(world.labels(3), ["kind/bug"]);
    let quiet = world.answers(1);
    assert!(
        quiet.is_empty(),
        "nothing to say of a policy in order: {quiet:?}"
    );
    world.end().await;
}

#[tokio::test]
async fn one_with_errors_changes_nothing_and_is_said_until_it_is_mended() {
    let world = world(FIRST).await;
    assert_eq!(world.open("lea", "Week by week", ""), 1);
    assert_eq!(world.open("ada", "Please add RStudio", ""), 2);
    world.settled().await;

    push(&world, &FIRST.replace("kind: feature }", "kind: feture }"));
    world.settled().await;
    assert_eq!(world.open("ada", "Another", ""), 3);
    world.settled().await;
    assert_eq!(world.labels(3), ["kind/feature"], "the one before goes on");
    let said = world.answers(1);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("The new policy cannot be used"),
        "{said:?}"
    );
    assert!(
        !said[0].contains("feture"),
        "it may be less public than this issue"
    );

    push(&world, FIRST);
    world.settled().await;
    let said = world.answers(1);
    assert_eq!(said.len(), 1, "the same comment: {said:?}");
    assert!(said[0].contains("in order again"), "{said:?}");
    world.end().await;
}

#[tokio::test]
async fn nothing_is_lost_while_there_is_none_that_can_be_used() {
    let mut world = world("version: 1\norganisation: typo\n").await;
    assert_eq!(world.open("lea", "Week by week", ""), 1);
    assert_eq!(world.open("ada", "Please add RStudio", ""), 2);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(world.labels(2).is_empty());
    let asked = asked_for_files(&world);
    assert_eq!(asked, 1, "it is not read again for every lane");
    push(&world, FIRST);
    // A minute later it is read again by itself; a start reads it at once.
    world.stop().await;
    world.start().await;
    world.settled().await;
    assert_eq!(world.labels(2), ["kind/feature"]);
    world.end().await;
}
