//! `northstar check --online`: boards and teams as the policy has them, compared with GitHub.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use northstar::sim::example::{self, BOARD, ORGANIZATION, PRIVATE_REPOSITORY, REPOSITORY};
use northstar::sim::{FieldSpec, ProjectSpec, Sim, SimConfig, SimServer};
use serde_json::Value;

use crate::world::{Setup, World};

const ON: (&str, u64) = (ORGANIZATION, BOARD);

/// A GitHub with the example organisation, and a policy that may be written.
struct Here {
    sim: Sim,
    github: SimServer,
    directory: tempfile::TempDir,
}

impl Here {
    /// With the policy that ships.
    async fn new() -> Self {
        let sim = Sim::new(SimConfig::default()).expect("a simulated GitHub");
        example::furnish(&sim).expect("the example organisation");
        let any = "127.0.0.1:0".parse().expect("an address");
        let github = sim.serve(any).await.expect("it listens");
        let directory = tempfile::tempdir().expect("a directory");
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        copy(&shipped, &directory.path().join("rules"));
        std::fs::write(directory.path().join("key.pem"), sim.private_key_pem()).expect("a key");
        Self {
            sim,
            github,
            directory,
        }
    }

    fn lock(&self) -> PathBuf {
        self.directory.path().join("rules/delivery.lock.yaml")
    }

    fn pinned(&self) -> String {
        std::fs::read_to_string(self.lock()).expect("the lock file")
    }

    /// Changes a file of the policy.
    fn edit(&self, name: &str, from: &str, to: &str) {
        let path = self.directory.path().join("rules").join(name);
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replace(from, to)).expect("written");
    }

    async fn check(&self, arguments: &[&str]) -> Output {
        self.check_at(&self.github.url, "rules", arguments).await
    }

    async fn check_at(&self, api: &str, policy: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_northstar"));
        command
            .args(["check", policy, "--online"])
            .args(arguments)
            .current_dir(self.directory.path())
            .env_remove("RUST_LOG")
            .env("NORTHSTAR__WEBHOOK__SECRETS", "s")
            .env("NORTHSTAR__GITHUB__API_URL", api)
            .env(
                "NORTHSTAR__GITHUB__APP_ID",
                SimConfig::default().app_id.to_string(),
            )
            .env("NORTHSTAR__GITHUB__PRIVATE_KEY_FILE", "key.pem")
            .env("NORTHSTAR__ORGANIZATION", "2i2c-org=rules");
        // The simulated GitHub answers on this thread.
        let run = tokio::task::spawn_blocking(move || command.output());
        run.await.expect("joined").expect("it runs")
    }

    /// The findings with this code.
    async fn findings(&self, code: &str) -> Vec<Value> {
        let output = self.check(&["--format", "json"]).await;
        let all: Vec<Value> = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
        all.into_iter().filter(|f| f["code"] == code).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// Everything that was printed.
fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[tokio::test]
async fn what_was_pinned_has_not_drifted_and_is_not_written_again() {
    let here = Here::new().await;
    let updated = here.check(&["--update"]).await;
    let words = said(&updated);
    assert_eq!(code(&updated), Some(0), "{words}");
    // The example's board has a field more than the one that ships, and its iterations by name.
    assert!(words.contains("wrote rules/delivery.lock.yaml"), "{words}");
    assert!(words.contains("has a new field `Notes`"), "{words}");
    let pinned = here.pinned();
    assert!(pinned.contains("      Notes: text\n"), "{pinned}");
    let iterations = "      Iteration:\n        iterations: [Iteration 54, Iteration 55]\n";
    assert!(pinned.contains(iterations), "{pinned}");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/delivery.lock.yaml");
    let shipped = std::fs::read_to_string(shipped).expect("the lock file that ships");
    let head = shipped.split("boards:").next().expect("a head");
    assert!(pinned.starts_with(&format!("{head}boards:\n")), "{pinned}");

    let modified = |path: PathBuf| std::fs::metadata(path).and_then(|m| m.modified());
    let before = modified(here.lock()).expect("a time");
    for arguments in [&[][..], &["--update"], &["--format", "json"]] {
        let clean = here.check(arguments).await;
        assert_eq!(code(&clean), Some(0), "{}", said(&clean));
    }
    let again = said(&here.check(&["--update"]).await);
    assert!(again.contains("nothing written"), "{again}");
    assert_eq!(modified(here.lock()).expect("a time"), before);
}

#[tokio::test]
async fn a_renamed_option_is_reported_by_both_names_and_pinned_when_asked() {
    let here = Here::new().await;
    here.check(&["--update"]).await;
    let before = here.pinned();
    here.sim
        .rename_option(ON, "Unplanned", "Emergency", "Urgent")
        .expect("renamed");

    let output = here.check(&[]).await;
    assert_eq!(code(&output), Some(1), "{}", said(&output));
    let found = here.findings("drift").await;
    assert_eq!(found.len(), 1, "{found:?}");
    let message = found[0]["message"].as_str().expect("a message");
    assert!(
        message.contains("`Emergency` seems to be called `Urgent`"),
        "{message}"
    );
    assert_eq!(found[0]["severity"], "error");
    assert_eq!(found[0]["file"], "rules/delivery.lock.yaml");
    let line = found[0]["line"]
        .as_u64()
        .and_then(|n| usize::try_from(n).ok());
    let line = before.lines().nth(line.expect("a line") - 1);
    assert!(
        line.is_some_and(|l| l.starts_with("      Unplanned:")),
        "{line:?}"
    );
    let annotated = here.check(&["--format", "github"]).await;
    assert_eq!(code(&annotated), Some(1));
    let annotated = said(&annotated);
    assert!(
        annotated.contains("::error file=rules/delivery.lock.yaml,line="),
        "{annotated}"
    );
    assert_eq!(here.pinned(), before, "only --update writes");

    let updated = here.check(&["--update"]).await;
    assert_eq!(code(&updated), Some(0), "{}", said(&updated));
    assert!(said(&updated).contains("Urgent"));
    assert_eq!(here.pinned(), before.replace("Emergency", "Urgent"));
    let clean = here.check(&[]).await;
    assert_eq!(code(&clean), Some(0), "{}", said(&clean));
}

#[tokio::test]
async fn once_it_is_pinned_the_check_shows_where_the_policy_uses_what_is_gone() {
    let here = Here::new().await;
    here.check(&["--update"]).await;
    let renamed = here
        .sim
        .rename_option(ON, "Status", "In Progress", "Working");
    renamed.expect("renamed");
    let updated = here.check(&["--update"]).await;
    assert_eq!(code(&updated), Some(1), "{}", said(&updated));
    assert!(here.pinned().contains("- Working\n"));
    assert!(here.findings("drift").await.is_empty());
    let gone = here.findings("unknown-column").await;
    assert!(!gone.is_empty());
    for finding in gone {
        let message = finding["message"].as_str().expect("a message");
        assert!(message.contains("In Progress"), "{message}");
    }
}

#[tokio::test]
async fn a_policy_without_a_lock_file_gets_one() {
    let here = Here::new().await;
    std::fs::remove_file(here.lock()).expect("gone");
    let output = here.check(&[]).await;
    assert_eq!(code(&output), Some(1));
    let updated = here.check(&["--update"]).await;
    assert_eq!(code(&updated), Some(0), "{}", said(&updated));
    assert!(said(&updated).contains("wrote rules/boards.lock.yaml"));
    let later = FieldSpec::Text("Later".to_owned());
    here.sim.add_field(ON, later).expect("a field");
    let found = here.findings("drift").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["file"], "rules/boards.lock.yaml");
    assert!(found[0]["message"].to_string().contains("`Later`"));
}

#[tokio::test]
async fn a_board_or_team_that_is_not_there_is_said_and_what_is_pinned_is_kept() {
    let here = Here::new().await;
    here.check(&["--update"]).await;
    let before = here.pinned();
    here.edit("organization.yaml", "project: 57", "project: 58");
    here.edit("organization.yaml", "teams: [support]", "teams: [helpers]");
    let output = here.check(&["--update"]).await;
    assert_eq!(code(&output), Some(1), "{}", said(&output));
    assert_eq!(here.pinned(), before);
    let board = here.findings("no-board").await;
    assert_eq!(board.len(), 1);
    let message = board[0]["message"].as_str().expect("a message");
    assert!(message.contains("project 58 of 2i2c-org"), "{message}");
    let team = here.findings("no-team").await;
    assert_eq!(team.len(), 1);
    assert!(team[0]["message"].to_string().contains("`helpers`"));
}

#[tokio::test]
async fn what_cannot_be_written_or_asked_is_a_clear_error() {
    let here = Here::new().await;
    // A folder stands where the lock file would.
    std::fs::remove_file(here.lock()).expect("gone");
    std::fs::create_dir(here.directory.path().join("rules/boards.lock.yaml")).expect("a folder");
    let output = here.check(&["--update"]).await;
    assert_eq!(code(&output), Some(2));
    let words = said(&output);
    assert!(
        words.contains("cannot write rules/boards.lock.yaml"),
        "{words}"
    );

    let nobody = here.check_at("http://127.0.0.1:9", "rules", &[]).await;
    assert_eq!(code(&nobody), Some(3), "{}", said(&nobody));
    assert!(said(&nobody).contains("cannot ask GitHub"));

    here.edit(
        "organization.yaml",
        "organization: 2i2c-org",
        "organization: other-org",
    );
    let elsewhere = here.check(&[]).await;
    assert_eq!(code(&elsewhere), Some(2));
    assert!(said(&elsewhere).contains("is not installed on other-org"));
}

/// Goals that are items of a board; what is pinned of them is used by the service below.
const GOALS: &str = r#"
version: 1
organization: 2i2c-org
boards: { objectives: { project: 66, goals: true } }
goals:
  - { id: reliability, title: Hubs that are simply there, signals: { any_words: [outage] } }
attributes:
  goal: { values: goals, many: true, label: "goal/{value}" }
principles:
  - id: aligned
    statement: Every item says which goal it serves.
    rules:
      - id: goals
        hold: { goal: goals.signalled }
        because: it is about that, or part of it
examples:
  - name: an outage is about reliability
    given: { issue.title: An outage }
    expect: { goal: [reliability] }
"#;

#[tokio::test]
async fn goals_kept_on_a_board_are_pinned_and_items_are_linked_to_them() {
    let here = Here::new().await;
    let folder = here.directory.path().join("goals");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("policy.yaml"), GOALS).expect("written");
    let board = (ORGANIZATION, 66);
    let objectives = ProjectSpec {
        number: 66,
        title: "Objectives".to_owned(),
        fields: vec![FieldSpec::single_select("Status", &["Now", "Later"])],
    };
    here.sim.project(ORGANIZATION, objectives).expect("a board");
    let open = |title: &str| {
        let opened = here
            .sim
            .open_issue("lea", PRIVATE_REPOSITORY, title, "", &[]);
        opened.expect("an issue")
    };
    let steady = open("Hubs that are simply there");
    here.sim
        .add_to_project("lea", board, PRIVATE_REPOSITORY, steady)
        .expect("a row");
    here.sim
        .add_draft("lea", board, "Growth by co-funding")
        .expect("a draft");
    let check =
        |arguments: &'static [&'static str]| here.check_at(&here.github.url, "goals", arguments);
    let unpinned = check(&[]).await;
    assert_eq!(code(&unpinned), Some(1));
    assert!(
        said(&unpinned).contains("not-pinned"),
        "{}",
        said(&unpinned)
    );

    let updated = check(&["--update"]).await;
    assert_eq!(code(&updated), Some(0), "{}", said(&updated));
    let lock = std::fs::read_to_string(folder.join("boards.lock.yaml")).expect("a lock file");
    assert!(
        lock.contains("- id: reliability\n    title: Hubs that are simply there\n"),
        "{lock}"
    );
    assert!(lock.contains("- id: growth-by-co-funding\n"), "{lock}");
    assert_eq!(code(&check(&[]).await), Some(0));

    here.sim
        .edit_issue(
            "lea",
            PRIVATE_REPOSITORY,
            steady,
            Some("Hubs that last"),
            None,
        )
        .expect("an edit");
    let drifted = check(&[]).await;
    assert_eq!(code(&drifted), Some(1));
    let words = said(&drifted);
    assert!(
        words.contains("the goal `reliability` is called `Hubs that last` now"),
        "{words}"
    );
    assert_eq!(code(&check(&["--update"]).await), Some(0));
    let pins = std::fs::read_to_string(folder.join("boards.lock.yaml")).expect("a lock file");
    assert!(
        pins.contains("- id: reliability\n    title: Hubs that last\n"),
        "{pins}"
    );

    // By these pins: whatever is part of the goal's own issue serves it, whatever it speaks of.
    let world = World::with(Setup {
        policy: Some(GOALS.to_owned()),
        pins: Some(pins),
        ..Setup::default()
    })
    .await;
    let goal = world
        .sim
        .open_issue("lea", PRIVATE_REPOSITORY, "Hubs that last", "", &[])
        .expect("an issue");
    assert_eq!(goal, steady);
    let part = world.open("ada", "Better home directories", "");
    let other = world.open("ada", "Add RStudio", "");
    world.settled().await;
    assert!(world.labels(part).is_empty() && world.labels(other).is_empty());
    world
        .sim
        .add_sub_issue("lea", (PRIVATE_REPOSITORY, goal), (REPOSITORY, part))
        .expect("part of it");
    world.settled().await;
    assert_eq!(world.labels(part), ["goal/reliability"]);
    assert!(world.labels(other).is_empty());
    world.end().await;
}
