//! The digest: what happened is recorded as it is learned, and the summary is made of it.

use jiff::Timestamp;
use northstar::digest;
use northstar::insight::digest::{Digest, Ref};
use northstar::insight::slot::Slot;
use northstar::sim::example::{BOARD, ORGANIZATION, PRIVATE_REPOSITORY, REPOSITORY};
use northstar::store::{Happened, Past};
use serde_json::Value;

use crate::world::World;

const ON: (&str, u64) = (ORGANIZATION, BOARD);
const BODY: &str = "Our researchers want it.";

impl World {
    async fn past(&self) -> Past {
        let store = &self.service().store;
        store.past(self.installation).await.expect("the past")
    }

    /// The slot that ends the week we are in.
    fn this_week(&self) -> Slot {
        let policy = self.policy().policy;
        let schedule = digest::schedule(&policy).expect("a schedule");
        schedule.next(Timestamp::now())
    }

    async fn digest(&self) -> Digest {
        let policy = self.policy().policy;
        let schedule = digest::schedule(&policy).expect("a schedule");
        let past = self.past().await;
        digest::of_slot(&policy, &schedule, &self.this_week(), &past).expect("a digest")
    }

    /// What happened to an issue, in order.
    async fn happened(&self, number: u64) -> Vec<Happened> {
        let item = self.item(number).await;
        let past = self.past().await;
        let about = past.history.into_iter().filter(|(i, _)| *i == item);
        about.map(|(_, happening)| happening.what).collect()
    }
}

fn names(lines: &[northstar::insight::digest::Line]) -> Vec<String> {
    let name = |item: &Ref| match item {
        Ref::Shown { name, .. } => name.clone(),
        Ref::Private => "private".to_owned(),
    };
    lines.iter().map(|line| name(&line.item)).collect()
}

fn moves(of: &[Happened]) -> Vec<(&str, &str)> {
    of.iter()
        .filter_map(|h| match h {
            Happened::Field {
                board,
                field,
                from,
                to,
                ..
            } if board == "delivery" && field == "Status" => Some((from.as_str(), to.as_str())),
            _ => None,
        })
        .collect()
}

/// A request that lea accepted, and that was built and closed.
async fn a_finished_request(world: &World) -> u64 {
    let n = world.open("ada", "Please add RStudio", BODY);
    world.settled().await;
    let sim = &world.sim;
    sim.comment("lea", REPOSITORY, n, "/triage accept fits the plan")
        .expect("a comment");
    world.settled().await;
    for column in ["In Progress", "Done"] {
        sim.move_card("lea", ON, (REPOSITORY, n), column)
            .expect("a move");
        world.settled().await;
    }
    sim.close("lea", REPOSITORY, n, true).expect("closed");
    world.settled().await;
    n
}

#[tokio::test]
async fn history_is_recorded_as_it_happens_and_once() {
    let mut world = World::new().await;
    let n = a_finished_request(&world).await;
    world
        .sim
        .reopen("lea", REPOSITORY, n)
        .expect("opened again");
    world.settled().await;
    // What is known is not learned again.
    world.stop().await;
    world.start().await;
    world
        .sim
        .edit_issue("ada", REPOSITORY, n, Some("Please add RStudio now"), None)
        .expect("an edit");
    world.settled().await;

    let happened = world.happened(n).await;
    let closed = Happened::Closed {
        reason: "completed".to_owned(),
    };
    let times = |what: &Happened| happened.iter().filter(|h| *h == what).count();
    assert_eq!(times(&Happened::Opened), 1, "{happened:#?}");
    assert_eq!(times(&closed), 1, "{happened:#?}");
    assert_eq!(times(&Happened::Reopened), 1, "{happened:#?}");
    let moved = moves(&happened);
    let tail = &moved[moved.len().saturating_sub(2)..];
    assert_eq!(tail[0].1, "In Progress", "{moved:?}");
    assert_eq!(tail[1], ("In Progress", "Done"), "{moved:?}");
    world.end().await;
}

#[tokio::test]
async fn the_digest_tells_what_people_did_this_week() {
    let world = World::new().await;
    let done = a_finished_request(&world).await;
    let waits = world.open(
        "ada",
        "@everyone </details> | ![x](https://e.example)",
        BODY,
    );
    world
        .sim
        .open_issue("lea", PRIVATE_REPOSITORY, "A secret of ours", BODY, &[])
        .expect("an issue");
    world.settled().await;

    let digest = world.digest().await;
    assert_eq!(digest.week, world.this_week().week);
    assert_eq!(digest.intake.total, 3);
    let undecided = names(&digest.undecided);
    assert!(
        undecided.contains(&format!("{REPOSITORY}#{waits}")),
        "{undecided:?}"
    );
    assert!(
        !undecided.contains(&format!("{REPOSITORY}#{done}")),
        "{undecided:?}"
    );
    assert!(undecided.contains(&"private".to_owned()), "{undecided:?}");
    assert_eq!(digest.decisions.len(), 1);
    assert_eq!(digest.decisions[0].what, "accepted");
    assert_eq!(digest.decisions[0].reason, "fits the plan");
    assert!(!digest.wrote.is_empty());
    let n = |id: &str| {
        let kpi = digest.kpis.iter().find(|k| k.id == id);
        kpi.expect("a KPI of the shipped policy").figure.n
    };
    assert_eq!(n("first-triage"), 1);
    assert_eq!(n("cycle-time"), 1);
    assert_eq!(n("undecided"), 2);

    let text = digest.markdown();
    assert!(!text.contains("secret"), "{text}");
    assert!(!text.contains("@everyone"), "{text}");
    assert!(!text.contains("![x]"), "{text}");
    world.end().await;
}

#[tokio::test]
async fn the_command_line_prints_the_digest() {
    let world = World::new().await;
    a_finished_request(&world).await;
    let directory = tempfile::tempdir().expect("a directory");
    let key = directory.path().join("key.pem");
    std::fs::write(&key, world.sim.private_key_pem()).expect("a file");
    let run = |arguments: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_northstar"))
            .args(["digest", "--dry-run"])
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("NORTHSTAR__STORE__URL", world.store_url())
            .env("NORTHSTAR__WEBHOOK__SECRETS", "s")
            .env("NORTHSTAR__GITHUB__APP_ID", "1")
            .env("NORTHSTAR__GITHUB__PRIVATE_KEY_FILE", &key)
            .env("NORTHSTAR__ORGANIZATION", "2i2c-org=rules")
            .output()
            .expect("it runs")
    };
    let week = world.this_week().week;
    let json = run(&["--week", &week, "--format", "json"]);
    let found: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(found["week"], week.as_str());
    assert_eq!(found["intake"]["total"], 1);
    let text = run(&["--week", &week]);
    let text = String::from_utf8(text.stdout).expect("text");
    assert!(
        text.starts_with(&format!("## Triage summary, {week}\n")),
        "{text}"
    );
    assert!(text.contains("fits the plan"), "{text}");
    let wrong = run(&["--week", "last"]);
    assert_eq!(wrong.status.code(), Some(2));
    world.end().await;
}
