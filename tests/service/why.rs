//! `northstar why`: an item of the store, explained with its history, its boards and its author.

use std::process::{Command, Output};

use northstar::sim::SimConfig;
use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use serde_json::Value;

use crate::world::World;

const ON: (&str, u64) = (ORGANIZATION, BOARD);
const CRITICAL: &str =
    "### Ticket request type\n\nFeature Request\n\n### Ticket impact\n\nCritical";

impl World {
    async fn why(&self, arguments: &[&str]) -> Output {
        self.why_at(&self.github.url, arguments).await
    }

    async fn why_at(&self, api: &str, arguments: &[&str]) -> Output {
        let directory = tempfile::tempdir().expect("a directory");
        let key = directory.path().join("key.pem");
        std::fs::write(&key, self.sim.private_key_pem()).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_northstar"));
        command
            .arg("why")
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("RUST_LOG")
            .env("NORTHSTAR__STORE__URL", self.store_url())
            .env("NORTHSTAR__WEBHOOK__SECRETS", "s")
            .env("NORTHSTAR__GITHUB__API_URL", api)
            .env(
                "NORTHSTAR__GITHUB__APP_ID",
                SimConfig::default().app_id.to_string(),
            )
            .env("NORTHSTAR__GITHUB__PRIVATE_KEY_FILE", &key)
            .env("NORTHSTAR__ORGANIZATION", "2i2c-org=rules");
        // The simulated GitHub answers on this thread.
        let run = tokio::task::spawn_blocking(move || command.output());
        run.await.expect("joined").expect("it runs")
    }

    async fn why_json(&self, number: u64, about: &[&str]) -> Value {
        let item = format!("{REPOSITORY}#{number}");
        let arguments = [&[item.as_str()], about, &["--format", "json"]].concat();
        let output = self.why(&arguments).await;
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
    }
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn decided<'a>(why: &'a Value, attribute: &str) -> &'a Value {
    let all = why["decided"].as_array().expect("a list");
    let found = all.iter().find(|d| d["attribute"] == attribute);
    found.unwrap_or_else(|| panic!("{attribute} in {why:#}"))
}

fn rules(why: &Value) -> Vec<&str> {
    let all = why["rules"].as_array().expect("a list").iter();
    all.filter_map(|told| told["rule"].as_str()).collect()
}

#[tokio::test]
async fn it_knows_what_people_said_and_what_the_board_shows() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "Our researchers want it.");
    world.settled().await;
    let sim = &world.sim;
    sim.comment("lea", REPOSITORY, n, "/triage accept fits the plan")
        .expect("a comment");
    sim.set_field("pam", ON, (REPOSITORY, n), "impact", "High")
        .expect("a field");
    world.settled().await;

    let why = world.why_json(n, &[]).await;
    assert_eq!(why["item"], format!("{REPOSITORY}#{n}"));
    let triage = decided(&why, "triage");
    assert_eq!(triage["value"], "accepted", "{why:#}");
    assert_eq!(triage["rank"], "command", "{why:#}");
    // On GitHub it stands on the board only, so the board was seen.
    assert_eq!(decided(&why, "impact")["was"], "high", "{why:#}");
    let words = said(&world.why(&[&format!("{REPOSITORY}#{n}")]).await);
    assert!(
        words.starts_with(&format!("why {REPOSITORY}#{n}")),
        "{words}"
    );
    assert!(words.contains("triage: accepted"), "{words}");

    let about = world.why_json(n, &["requests-wait-for-triage"]).await;
    assert_eq!(rules(&about), ["requests-wait-for-triage"]);
    let about = world.why_json(n, &["kind"]).await;
    assert!(rules(&about).contains(&"kind"), "{about:#}");
    assert!(!rules(&about).contains(&"requests-wait-for-triage"));
    let item = format!("{REPOSITORY}#{n}");
    let markdown = said(&world.why(&[&item, "--format", "markdown"]).await);
    assert!(markdown.contains("- `triage` is `accepted`"), "{markdown}");
    world.end().await;
}

#[tokio::test]
async fn who_the_author_is_to_the_organisation_is_asked_of_github() {
    let world = World::new().await;
    let member = world.open("pam", "The hub is down", CRITICAL);
    let stranger = world.open("ada", "The hub is down, too", CRITICAL);
    world.settled().await;
    // The rule asks whether the author is one of us.
    let ended = async |number| {
        let why = world
            .why_json(number, &["critical-needs-a-second-look"])
            .await;
        why["rules"][0]["ended"].as_str().map(str::to_owned)
    };
    assert_eq!(ended(member).await.as_deref(), Some("did_not_hold"));
    assert_eq!(ended(stranger).await.as_deref(), Some("fired"));
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_explained_is_a_clear_error() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    let item = format!("{REPOSITORY}#{n}");
    let no = async |arguments: &[&str], code: i32, expected: &str| {
        let output = world.why(arguments).await;
        let words = said(&output);
        assert_eq!(output.status.code(), Some(code), "{words}");
        assert!(words.contains(expected), "{words}");
    };
    no(&["2i2c-org/infrastructure#99"], 2, "knows no item").await;
    no(&["elsewhere/repo#1"], 2, "do not serve elsewhere").await;
    no(&[&item, "triag"], 2, "did you mean `triage`?").await;
    no(&["infrastructure"], 2, "write it like").await;
    let nobody = world.why_at("http://127.0.0.1:9", &[&item]).await;
    assert_eq!(nobody.status.code(), Some(3), "{}", said(&nobody));
    assert!(said(&nobody).contains("cannot ask GitHub"));
    world.end().await;
}
