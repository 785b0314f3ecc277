//! The command line on recorded payloads, policies and settings: its JSON and its exit codes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use northstar::sim::example::{self, REPOSITORY};
use northstar::sim::{Sim, SimConfig};
use serde_json::{Value, json};

fn northstar(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_northstar"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RUST_LOG")
        .output()
        .expect("it runs")
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let out = String::from_utf8_lossy(&output.stdout);
        let err = String::from_utf8_lossy(&output.stderr);
        panic!("{error}\n{out}\n{err}")
    })
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn file(directory: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// What GitHub would send when this is opened.
fn recorded(directory: &Path, title: &str, body: &str) -> PathBuf {
    let sim = Sim::new(SimConfig::default()).expect("a simulated GitHub");
    example::furnish(&sim).expect("the example organisation");
    sim.open_issue("ada", REPOSITORY, title, body, &[])
        .expect("an issue");
    let opened = sim.deliveries().into_iter().find(|d| d.event == "issues");
    file(directory, "event.json", opened.expect("a webhook").payload)
}

#[test]
fn decide_prints_the_decision_about_a_recorded_event() {
    let directory = tempfile::tempdir().expect("a directory");
    let body = "### Ticket request type\n\nFeature Request\n\n### Ticket impact\n\nHigh\n\n### Why\n\nFor research.";
    let event = recorded(directory.path(), "Please add RStudio", body);
    let output = northstar(&[
        "decide",
        "--policy",
        "rules",
        "--event",
        "issues",
        "--payload",
        text(&event),
        "--format",
        "json",
        "--now",
        "2026-11-20T12:00:00Z",
    ]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let decision = json_of(&output);
    assert_eq!(decision["item"], "2i2c-org/infrastructure#1");
    assert_eq!(
        decision["attributes"],
        json!({"kind": "feature", "goal": ["research"], "impact": "high", "triage": "needs-triage", "stage": ""})
    );
    let mut added: Vec<&str> = decision["labels"]["add"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    added.sort_unstable();
    assert_eq!(
        added,
        ["goal/research", "kind/feature", "triage/needs-triage"]
    );
    assert_eq!(decision["labels"]["remove"], json!([]));
    let board = decision["board"].as_array().expect("a list");
    assert_eq!(board.len(), 1);
    assert_eq!(board[0]["board"], "delivery");
    assert_eq!(
        board[0]["set"],
        json!({"type": "Feature", "impact": "High"})
    );
    let comments = decision["comments"].as_array().expect("a list");
    assert_eq!(comments.len(), 1);
    assert_eq!(comments[0]["key"], "received");
    assert!(
        comments[0]["body"]
            .as_str()
            .is_some_and(|b| b.contains("Thank you"))
    );
    let fired = decision["fired"].as_array().expect("a list");
    let kind = fired
        .iter()
        .find(|r| r["rule"] == "kind")
        .expect("it fired");
    assert_eq!(kind["principle"], "know-what-it-is");
    assert!(kind["because"].as_str().is_some_and(|b| !b.is_empty()));
    assert_eq!(decision["held"], json!([]));

    let words = northstar(&["decide", "--event", "issues", "--payload", text(&event)]);
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(words.contains("label + kind/feature"), "{words}");
    assert!(words.contains("mode observe"), "{words}");
}

#[test]
fn decide_says_what_was_held_back_and_by_whom() {
    let directory = tempfile::tempdir().expect("a directory");
    // Both hold for the 18 characters of this title; that is more than the lint can find out.
    let policy = r#"
version: 1
organization: 2i2c-org
attributes:
  kind: { values: [feature, bug], label: "kind/{value}" }
principles:
  - id: all
    statement: All is looked at.
    rules:
      - { id: one, set: { kind: feature }, because: it says so, when: size(issue.title) % 7 == 4 }
      - { id: two, set: { kind: bug }, because: it says so, when: size(issue.title) % 5 == 3 }
"#;
    let policy = file(directory.path(), "policy.yaml", policy);
    let event = recorded(directory.path(), "Please add RStudio", "");
    let output = northstar(&[
        "decide",
        "--policy",
        text(&policy),
        "--event",
        "issues",
        "--payload",
        text(&event),
        "--format",
        "json",
    ]);
    let decision = json_of(&output);
    assert_eq!(decision["attributes"]["kind"], "");
    let held = decision["held"].as_array().expect("a list");
    assert_eq!(held.len(), 2, "{held:?}");
    assert_eq!(held[0]["attribute"], "kind");
    assert_eq!(held[0]["would_set"], "feature");
    assert!(
        held[0]["reason"]
            .as_str()
            .is_some_and(|r| r.contains("disagree"))
    );
}

#[test]
fn decide_refuses_what_it_cannot_decide() {
    let directory = tempfile::tempdir().expect("a directory");
    let event = recorded(directory.path(), "Please add RStudio", "");
    let odd = file(directory.path(), "odd.json", "not json");
    let star = file(directory.path(), "star.json", "{\"action\":\"created\"}");
    let of = |payload: &Path, policy: &str| {
        let output = northstar(&[
            "decide",
            "--policy",
            policy,
            "--event",
            "issues",
            "--payload",
            text(payload),
        ]);
        (code(&output), said(&output))
    };
    assert_eq!(of(&odd, "rules").0, 2);
    assert_eq!(of(&star, "rules").0, 2);
    assert_eq!(of(Path::new("/nowhere/event.json"), "rules").0, 2);
    let (code, words) = of(&event, "/nowhere/rules");
    assert_eq!(code, 2);
    assert!(words.contains("/nowhere/rules"), "{words}");
}

#[test]
fn check_finds_the_shipped_policy_right() {
    let output = northstar(&["check", "rules"]);
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(code(&output), 0, "{words}{}", said(&output));
    assert!(words.contains("examples"), "{words}");
    let output = northstar(&["check", "rules", "--format", "json"]);
    assert_eq!(code(&output), 0);
    let errors = json_of(&output);
    let errors = errors.as_array().expect("a list");
    assert!(
        errors.iter().all(|e| e["severity"] != "error"),
        "{errors:?}"
    );
}

#[test]
fn check_reports_every_error_with_its_place_and_what_was_meant() {
    let directory = tempfile::tempdir().expect("a directory");
    let policy = r#"version: 1
organization: 2i2c-org
attributes:
  kind: { values: [feature, bug], label: "kind/{value}" }
facts:
  odd: issue.tittle == "x"
principles:
  - id: all
    statement: All is looked at.
    rules:
      - id: one
        when: kind == "feture"
        set: { kind: bug }
        becuase: it says so
"#;
    let folder = directory.path().join("rules");
    std::fs::create_dir(&folder).expect("a folder");
    file(&folder, "a.yaml", policy);
    let output = northstar(&["check", text(&folder), "--format", "json"]);
    assert_eq!(code(&output), 1);
    let findings = json_of(&output);
    let findings = findings.as_array().expect("a list");
    let errors: Vec<&Value> = findings
        .iter()
        .filter(|f| f["severity"] == "error")
        .collect();
    assert!(errors.len() >= 3, "all in one go: {findings:#?}");
    for error in &errors {
        for key in ["code", "file", "message"] {
            assert!(
                error[key].as_str().is_some_and(|s| !s.is_empty()),
                "{key}: {error}"
            );
        }
        assert!(
            error["file"]
                .as_str()
                .is_some_and(|f| f.ends_with("a.yaml"))
        );
        for key in ["line", "column"] {
            assert!(error[key].as_u64().is_some_and(|n| n > 0), "{key}: {error}");
        }
    }
    let about = |word: &str| {
        let found = errors
            .iter()
            .find(|e| e["message"].to_string().contains(word));
        let found = found.unwrap_or_else(|| panic!("nothing about {word}: {errors:#?}"));
        (
            found["line"].clone(),
            found["help"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let (line, help) = about("tittle");
    assert_eq!(line, 6);
    assert!(help.contains("title"), "{help}");
    let (line, help) = about("feture");
    assert_eq!(line, 12);
    assert!(help.contains("feature"), "{help}");
    assert!(about("becuase").1.contains("because"));
    // For people: the place is underlined.
    let words = northstar(&["check", text(&folder)]);
    assert_eq!(code(&words), 1);
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(
        words.contains("a.yaml:12") && words.contains("^^^"),
        "{words}"
    );
}

#[test]
fn an_example_that_fails_is_an_error_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    let policy = r#"version: 1
organization: 2i2c-org
attributes:
  kind: { values: [feature, bug], label: "kind/{value}" }
principles:
  - id: all
    statement: All is looked at.
    rules:
      - { id: one, set: { kind: bug }, because: it says so }
examples:
  - name: it is a feature
    given: { issue.title: Please }
    expect: { kind: feature }
"#;
    let policy = file(directory.path(), "policy.yaml", policy);
    let output = northstar(&["check", text(&policy), "--format", "json"]);
    assert_eq!(code(&output), 1);
    let findings = json_of(&output);
    let failed = findings.as_array().expect("a list").iter();
    let failed: Vec<&Value> = failed.filter(|f| f["severity"] == "error").collect();
    assert_eq!(failed.len(), 1, "{findings}");
    assert_eq!(failed[0]["line"], 11);
    assert!(failed[0]["column"].as_u64().is_some_and(|n| n > 0));
    assert!(
        failed[0]["file"]
            .as_str()
            .is_some_and(|f| f.ends_with("policy.yaml"))
    );
    let message = failed[0]["message"].as_str().expect("a message");
    assert!(
        message.contains("it is a feature") && message.contains("bug"),
        "{message}"
    );
    assert!(failed[0].get("help").is_some() && failed[0].get("code").is_some());
}

/// Settings that are right, but for what a test adds.
fn settings(directory: &Path, more: &str) -> PathBuf {
    let key = file(directory, "key.pem", "not a key");
    let store = directory.join("n.db");
    file(
        directory,
        "northstar.toml",
        format!(
            "server.listen = \"127.0.0.1:0\"\nwebhook.secrets = [\"a secret\"]\n\
             github.app_id = 1\ngithub.private_key_file = \"{}\"\nstore.url = \"sqlite:{}\"\n{more}\n\
             [[organization]]\nlogin = \"2i2c-org\"\n",
            text(&key),
            text(&store)
        ),
    )
}

#[test]
fn an_unknown_setting_is_refused_with_the_one_that_was_meant() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = settings(directory.path(), "webhook.secret_file = \"x\"");
    let output = northstar(&["serve", "--config", text(&file)]);
    assert_eq!(code(&output), 2);
    let words = said(&output);
    assert!(words.contains("webhook.secret_file"), "{words}");
    assert!(
        words.contains("did you mean `webhook.secrets_file`"),
        "{words}"
    );
    assert!(!words.contains("a secret"), "{words}");
}

#[test]
fn exit_codes_say_what_kind_of_no_it_was() {
    let directory = tempfile::tempdir().expect("a directory");
    let nowhere = settings(directory.path(), "")
        .parent()
        .expect("a folder")
        .join("no/such/folder/n.db");
    let right = settings(directory.path(), "");
    let inbox = |file: &Path| code(&northstar(&["inbox", "--config", text(file)]));
    assert_eq!(inbox(&right), 0);
    let again = ["inbox", "--config", text(&right), "--again", "no-such-guid"];
    assert_eq!(code(&northstar(&again)), 1);
    assert_eq!(code(&northstar(&["inbox", "--colour"])), 2);
    assert_eq!(code(&northstar(&["no-such-command"])), 2);
    assert_eq!(inbox(Path::new("/nowhere/northstar.toml")), 2);
    let words = std::fs::read_to_string(&right).expect("the file");
    let store = directory.path().join("n.db");
    let moved = words.replace(text(&store), text(&nowhere));
    let unreachable = file(directory.path(), "unreachable.toml", moved);
    assert_eq!(inbox(&unreachable), 3);
    assert_eq!(code(&northstar(&["--help"])), 0);
    assert_eq!(code(&northstar(&["--version"])), 0);
}

#[test]
fn commands_are_checked_against_a_policy() {
    let directory = tempfile::tempdir().expect("a directory");
    let comment = "/impact hihg it blocks a course\n/frobnicate x\n/kind bug";
    let comment = file(directory.path(), "comment.md", comment);
    let output = northstar(&["commands", text(&comment), "--policy", "rules"]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("did you mean high?"), "{shown}");
    assert!(shown.contains("line 3: /kind bug"), "{shown}");
    assert!(!shown.contains("frobnicate"), "{shown}");
}
