//! What is internal stays inside.

use northstar::sim::example::{ORGANIZATION, PRIVATE_REPOSITORY, REPOSITORY};

use crate::commands::{say, signs};
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

/// Every command there is; `{}` stands for the item that is named.
const NAMING: &[&str] = &[
    "/triage accept {} fits",
    "/kind bug {}",
    "/goal research {}",
    "/impact high {}",
    "/worth much {}",
    "/critical {} it burns",
    "/community add openscapes {}",
    "/cofund openscapes {}",
    "/duplicate {}",
    "/override doing {} promised",
    "/release kind {}",
    "/snooze 2w {}",
    "/promote {}",
    "/park {}",
    "/undo {}",
    "/apply 7f3a {}",
    "/kpi happy 64 2026-Q4 {}",
    "/why {}",
    "/score {}",
    "/similar {}",
    "/help {}",
    // What is said of it together with another is not said of that either.
    "/kind bug {} #1",
];

const EVERYTHING: &str = r#"
version: 1
organization: 2i2c-org
roles: { lead: { teams: [product-leads] } }
boards: { delivery: { project: 57, column_field: Status } }
communities: [{ id: openscapes, name: Openscapes }]
goals: [{ id: research, title: Research }]
attributes:
  kind: { values: [feature, bug], label: "kind/{value}" }
  goal: { values: goals, many: true, label: "goal/{value}" }
  impact: { values: [low, high], field: delivery.impact }
  triage: { values: { accepted: { verb: accept }, deferred: {} }, label: "triage/{value}" }
  worth: { values: [little, much], label: "worth/{value}", internal: true }
  cofunded: { values: communities, many: true, internal: true }
kpis: [{ id: happy, measure: stated }]
score: { impact: { points: 'impact == "high" ? 2 : 1' } }
commands:
  { kind: lead, goal: lead, impact: lead, triage: lead, worth: lead, cofunded: lead, critical: lead,
    community: lead, override: lead, release: lead, undo: lead, apply: lead, kpi: lead, why: lead }
shorthands: { promote: { triage: accepted }, park: { triage: deferred } }
principles:
  - id: calm
    statement: We are calm.
    caps: [{ id: doing, board: delivery, columns: [In Progress], at_most: 2, over: warn, because: calm }]
"#;

#[tokio::test]
async fn a_command_in_public_does_not_tell_whether_a_private_item_is_there() {
    let world = World::with(Setup {
        policy: Some(EVERYTHING.to_owned()),
        ..Setup::default()
    })
    .await;
    for entry in northstar::command::table::TABLE {
        let said = format!("/{} ", entry.name);
        assert!(
            NAMING.iter().any(|c| c.starts_with(&said)),
            "{said}is not tried"
        );
    }
    let sim = &world.sim;
    let public = world.open("ada", "Please add RStudio", "");
    let secret = sim.open_issue("lea", PRIVATE_REPOSITORY, "The Secret Garden", "", &[]);
    let secret = secret.expect("an issue");
    world.settled().await;
    sim.repository(ORGANIZATION, "contracts", true, &[])
        .expect("a repository");
    let other = sim.open_issue("lea", "2i2c-org/contracts", "The Other Garden", "", &[]);
    let other = other.expect("an issue");
    world.settled().await;
    for command in NAMING {
        let mut answers = Vec::new();
        for name in [
            format!("{PRIVATE_REPOSITORY}#{secret}"),
            format!("{PRIVATE_REPOSITORY}#999"),
        ] {
            let comment = say(&world, "lea", public, &command.replace("{}", &name)).await;
            let answer = world.answers(public).pop().unwrap_or_default();
            assert!(answer.contains(&name), "{command}: {answer}");
            let told = answer.split("<!--").next().unwrap_or_default();
            answers.push((signs(&world, public, comment), told.replace(&name, "it")));
        }
        assert_eq!(answers[0], answers[1], "{command}");
        assert_eq!(answers[0].0, ["confused"], "{command}");
    }
    // Nothing was done behind anybody's back.
    let trail = world.audit(public, "command").await;
    assert!(trail.is_empty(), "{trail:#?}");
    let inside = sim.issue(PRIVATE_REPOSITORY, secret).expect("the issue");
    assert!(inside.open && inside.labels.is_empty() && inside.comments.is_empty());
    for write in sim.writes() {
        assert!(!write.body.to_string().contains("Garden"), "{write:?}");
    }

    // Who reads one private repository need not read another.
    let named = format!("2i2c-org/contracts#{other}");
    for command in ["/kind bug {}", "/duplicate {}"] {
        let said = command.replace("{}", &named);
        sim.comment("lea", PRIVATE_REPOSITORY, secret, &said)
            .expect("a comment");
        world.settled().await;
        let inside = sim.issue(PRIVATE_REPOSITORY, secret).expect("the issue");
        let told = &inside.comments.last().expect("an answer").body;
        assert!(told.contains("no issue that I may speak of"), "{told}");
        assert!(inside.open);
    }
    // In its own repository it is named, and from there what everybody may see.
    let beside = sim.open_issue("lea", PRIVATE_REPOSITORY, "Beside it", "", &[]);
    let beside = beside.expect("an issue");
    world.settled().await;
    let said = format!("/kind bug #{secret} {REPOSITORY}#{public}");
    sim.comment("lea", PRIVATE_REPOSITORY, beside, &said)
        .expect("a comment");
    world.settled().await;
    let inside = sim.issue(PRIVATE_REPOSITORY, secret).expect("the issue");
    assert_eq!(inside.labels, ["kind/bug"]);
    assert_eq!(world.labels(public), ["kind/bug"]);
    world.end().await;
}

const REASONED: &str = r#"
version: 1
organization: 2i2c-org
roles: { lead: { teams: [product-leads] } }
boards: { delivery: { project: 57, column_field: Status } }
attributes:
  triage: { values: { declined: { verb: decline }, deferred: {} }, label: "triage/{value}" }
commands: { triage: lead, override: lead, why: lead, undo: lead, kpi: lead }
digest: { id: weekly, every: monday 09:00, post_to: "2i2c-org/infrastructure#1" }
principles:
  - id: calm
    statement: We are calm.
    caps: [{ id: doing, board: delivery, columns: [In Progress], at_most: 2, over: warn, because: calm }]
"#;

#[tokio::test]
async fn a_reason_given_in_private_for_a_public_item_is_not_told_in_public() {
    let world = World::with(Setup {
        policy: Some(REASONED.to_owned()),
        ..Setup::default()
    })
    .await;
    let sim = &world.sim;
    let digest = world.open("lea", "The weekly", "");
    assert_eq!(digest, 1);
    let public = world.open("ada", "Please add RStudio", "");
    let mut inside = Vec::new();
    for title in ["One inside", "Another inside"] {
        let made = sim.open_issue("lea", PRIVATE_REPOSITORY, title, "", &[]);
        inside.push(made.expect("an issue"));
        world.settled().await;
    }
    let (from, beside) = (inside[0], inside[1]);
    let say_inside = async |text: String| {
        let said = sim.comment("lea", PRIVATE_REPOSITORY, from, &text);
        said.expect("a comment");
        world.settled().await;
    };
    let named = format!("{REPOSITORY}#{public}");
    say_inside(format!("/override doing {named} a garden paid for it")).await;
    say_inside(format!(
        "/triage decline {named} #{beside} the garden does not pay"
    ))
    .await;
    for question in ["/why", "/why triage"] {
        say(&world, "lea", public, question).await;
    }

    // It was done, and is kept with its reason.
    assert_eq!(world.labels(public), ["triage/declined"]);
    let entry = world.ledger(public, "triage").await.pop().expect("a line");
    assert_eq!(entry.reason, "the garden does not pay");
    assert!(entry.told_in.is_some());
    let trail = world.audit(public, "command").await;
    let trail = format!("{:?}", trail.iter().map(|l| &l.detail).collect::<Vec<_>>());
    for reason in ["a garden paid for it", "the garden does not pay"] {
        assert!(trail.contains(reason), "{trail}");
    }
    // Said kindly, and without it.
    let answers = world.answers(public);
    let no = answers
        .iter()
        .find(|a| a.contains("decided not to take it"));
    assert!(!no.expect("a no").contains("The reason"), "{answers:?}");
    for write in sim.writes() {
        let text = write.body.to_string();
        let inside = write.path.contains(PRIVATE_REPOSITORY);
        assert!(inside || !text.contains("garden"), "{write:?}");
        assert!(inside || !text.contains(PRIVATE_REPOSITORY), "{write:?}");
    }
    // The same words on an item that the same people read.
    let there = sim.issue(PRIVATE_REPOSITORY, beside).expect("the issue");
    let told = there.comments.iter().map(|c| c.body.as_str());
    let told: Vec<&str> = told.filter(|b| b.contains("decided not to")).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("The reason: the garden does not pay"));

    // The digest that everybody reads has both, and neither reason.
    let summary = world.digest().await;
    let of = |said: &[northstar::insight::digest::Said]| {
        let said = said.iter();
        let mut reasons: Vec<_> = said.map(|s| (s.what.clone(), s.reason.clone())).collect();
        reasons.sort();
        reasons
    };
    let nothing = |what: &str| (what.to_owned(), String::new());
    // Nor who spoke where not everybody reads.
    let said = summary.overrides.iter().chain(&summary.decisions);
    let by: Vec<&str> = said.map(|s| s.by.as_str()).collect();
    assert_eq!(by, ["", "", ""]);
    assert_eq!(of(&summary.overrides), [nothing("doing")]);
    assert_eq!(
        of(&summary.decisions),
        [nothing("declined"), nothing("declined")]
    );
    assert!(!summary.markdown().contains("garden"));

    // What is said in public afterwards is told.
    say(&world, "lea", public, "/triage deferred after the release").await;
    let after = world.digest().await;
    let deferred = after.decisions.iter().find(|s| s.what == "deferred");
    let deferred = deferred.map(|s| (s.reason.as_str(), s.by.as_str()));
    assert_eq!(deferred, Some(("after the release", "lea")));
    world.end().await;
}

#[tokio::test]
async fn who_states_a_figure_in_private_is_not_named_in_public() {
    let world = World::with(Setup {
        policy: Some(format!(
            "{REASONED}kpis: [{{ id: happy, title: Happy people, measure: stated }}]\n"
        )),
        ..Setup::default()
    })
    .await;
    let sim = &world.sim;
    world.open("lea", "The weekly", "");
    let inside = sim.open_issue("lea", PRIVATE_REPOSITORY, "Inside", "", &[]);
    let inside = inside.expect("an issue");
    world.settled().await;
    let said = sim.comment("lea", PRIVATE_REPOSITORY, inside, "/kpi happy 64 2026-Q4");
    said.expect("a comment");
    world.settled().await;
    let summary = world.digest().await;
    let stated = summary.kpis[0].stated.as_ref().expect("a figure");
    assert_eq!(
        (stated.by.as_str(), stated.period.as_str()),
        ("", "2026-Q4")
    );
    let text = summary.markdown();
    assert!(
        text.contains(", said on ") && !text.contains("by lea"),
        "{text}"
    );
    say(&world, "lea", 1, "/kpi happy 66 2027-Q1").await;
    let text = world.digest().await.markdown();
    assert!(text.contains(", said by lea on "), "{text}");
    world.end().await;
}

#[tokio::test]
async fn a_reason_given_in_private_follows_its_repository_and_not_its_name() {
    let world = World::with(Setup {
        // The summary stands where it was said, by the name that it will have.
        policy: Some(REASONED.replace("infrastructure#1", "council#1")),
        ..Setup::default()
    })
    .await;
    let sim = &world.sim;
    let open = |repository: &str, title: &str| {
        let made = sim.open_issue("lea", repository, title, "", &[]);
        made.expect("an issue")
    };
    let from = open(PRIVATE_REPOSITORY, "One inside");
    let beside = open(PRIVATE_REPOSITORY, "Another inside");
    world.settled().await;
    let decline = format!("/triage decline #{beside} the garden does not pay");
    let said = sim.comment("lea", PRIVATE_REPOSITORY, from, &decline);
    said.expect("a comment");
    world.settled().await;

    // It is called otherwise now, and its name is another's.
    sim.rename_repository("lea", PRIVATE_REPOSITORY, "council")
        .expect("a name");
    sim.repository(ORGANIZATION, "leads", true, &[])
        .expect("a repository");
    world.settled().await;
    let council = format!("{ORGANIZATION}/council");
    let edited = sim.edit_issue("lea", &council, beside, Some("Inside still"), None);
    edited.expect("an edit");
    world.settled().await;
    let summary = world.digest().await;
    let said = summary.decisions.iter();
    let said: Vec<_> = said.map(|s| (s.by.as_str(), s.reason.as_str())).collect();
    assert_eq!(said, [("lea", "the garden does not pay")]);
    world.end().await;
}
