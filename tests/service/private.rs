//! What is internal stays inside.

use northstar::sim::example::{ORGANIZATION, PRIVATE_REPOSITORY, REPOSITORY};

use crate::world::{Setup, World};

const INTERNAL: &str = r#"
version: 1
organization: 2i2c-org
attributes:
  kind: { values: [feature], label: "kind/{value}" }
  worth: { values: [little, much], label: "worth/{value}", internal: true }
principles:
  - id: all
    statement: All is looked at.
    rules:
      - id: kind
        set: { kind: feature }
        because: it says so
      - id: worth
        set: { worth: much }
        because: they pay
"#;

#[tokio::test]
async fn an_internal_attribute_is_shown_where_only_insiders_read() {
    let world = World::with(Setup {
        policy: Some(INTERNAL.to_owned()),
        ..Setup::default()
    })
    .await;
    let sim = &world.sim;
    let public = world.open("ada", "Please add RStudio", "");
    let private = sim
        .open_issue("lea", PRIVATE_REPOSITORY, "Please add RStudio", "", &[])
        .expect("an issue");
    world.settled().await;
    assert_eq!(world.labels(public), ["kind/feature"]);
    let inside = sim.issue(PRIVATE_REPOSITORY, private).expect("the issue");
    assert_eq!(inside.labels, ["kind/feature", "worth/much"]);
    // It is known all the same, and not said in public in any other way.
    assert_eq!(world.ledger(public, "worth").await.len(), 1);
    let public_labels = sim.labels(REPOSITORY);
    assert!(!public_labels.iter().any(|l| l.starts_with("worth/")));
    for write in sim.writes() {
        let about_public = write.path.contains(REPOSITORY);
        assert!(
            !(about_public && write.body.to_string().contains("worth")),
            "{write:?}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn pages_and_metrics_name_no_item() {
    let world = World::new().await;
    world
        .sim
        .open_issue(
            "lea",
            PRIVATE_REPOSITORY,
            "Please add the Secret Garden",
            "",
            &[],
        )
        .expect("an issue");
    world.settled().await;
    for path in ["/", "/metrics", "/readyz", "/livez"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        for secret in ["Secret Garden", "leads#", PRIVATE_REPOSITORY] {
            assert!(!answer.text.contains(secret), "{path} says {secret}");
        }
    }
    assert!(world.get("/").await.text.contains(ORGANIZATION));
    world.end().await;
}
