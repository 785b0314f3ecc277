//! Slash commands: who may say them, what they do, and what is said back.

use northstar::ids::CommentId;
use northstar::sim::example::REPOSITORY;
use northstar::sim::{Fault, FaultKind, When};
use northstar::triage::decision::Mode;
use northstar::triage::ledger::{self, Rank};

use crate::weather::by_hand;
use crate::world::{Setup, World};

/// A request that was looked at, with a place in triage.
async fn request() -> (World, u64) {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", "Our researchers want it.");
    world.settled().await;
    assert!(has(&world, n, "triage/needs-triage"));
    (world, n)
}

pub fn has(world: &World, n: u64, label: &str) -> bool {
    world.labels(n).iter().any(|l| l == label)
}

pub async fn say(world: &World, who: &str, n: u64, text: &str) -> CommentId {
    let comment = world.sim.comment(who, REPOSITORY, n, text);
    world.settled().await;
    comment.expect("a comment")
}

async fn correct(world: &World, who: &str, comment: CommentId, text: &str) {
    let edited = world.sim.edit_comment(who, comment, text);
    edited.expect("an edit");
    world.settled().await;
}

/// The bot's signs on a comment.
pub fn signs(world: &World, n: u64, comment: CommentId) -> Vec<String> {
    let comments = world.issue(n).comments;
    let comment = comments.into_iter().find(|c| c.id == comment);
    let reactions = comment.expect("the comment").reactions;
    let ours = reactions
        .into_iter()
        .filter(|(who, _)| who == "northstar[bot]");
    ours.map(|(_, sign)| sign).collect()
}

/// What the bot said after its first comment, which every request gets.
fn replies(world: &World, n: u64) -> Vec<String> {
    world.answers(n).split_off(1)
}

#[tokio::test]
async fn the_lead_decides_and_the_board_and_labels_follow() {
    let (world, n) = request().await;
    let comment = say(
        &world,
        "lea",
        n,
        "Good idea!\n\n/triage accept fits the plan",
    )
    .await;
    assert!(has(&world, n, "triage/accepted"));
    assert!(!has(&world, n, "triage/needs-triage"));
    assert_eq!(signs(&world, n, comment), ["+1"]);
    assert!(replies(&world, n).is_empty(), "a sign says it all");
    let last = world.ledger(n, "triage").await.pop().expect("an entry");
    assert_eq!(
        (last.rank, last.reason.as_str()),
        (Rank::Command, "fits the plan")
    );
    assert_eq!(last.cause, "/triage accept");
    let trail = world.audit(n, "command").await;
    assert_eq!(trail.len(), 1);
    assert!(trail[0].actor.is_some() && trail[0].delivery.is_some());
    assert_eq!(trail[0].detail["reason"], "fits the plan");
    world.end().await;
}

#[tokio::test]
async fn who_may_not_is_told_who_may() {
    let (world, n) = request().await;
    let before = world.labels(n);
    let comment = say(&world, "ada", n, "/triage accept because I want it").await;
    assert_eq!(world.labels(n), before);
    assert_eq!(signs(&world, n, comment), ["confused"]);
    let said = replies(&world, n);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("`product_lead`"), "{said:?}");
    assert!(said[0].contains("`/triage accept`"), "{said:?}");
    assert!(
        world
            .ledger(n, "triage")
            .await
            .iter()
            .all(|e| e.rank == Rank::Rule)
    );
    assert_eq!(world.audit(n, "refusal").await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn of_several_commands_one_is_refused_and_the_others_are_done() {
    let (world, n) = request().await;
    let text = "/kind bug\r\n/override initiatives-in-flight we want it\r\n/goal education";
    let comment = say(&world, "sam", n, text).await;
    assert!(has(&world, n, "kind/bug") && !has(&world, n, "kind/feature"));
    assert!(has(&world, n, "goal/education") && has(&world, n, "goal/research"));
    assert_eq!(signs(&world, n, comment), ["confused"]);
    let said = replies(&world, n);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].contains("/override initiatives-in-flight"),
        "{said:?}"
    );
    assert!(!said[0].contains("/kind"), "{said:?}");
    world.end().await;
}

#[tokio::test]
async fn whoever_edits_the_leads_comment_is_not_the_lead() {
    let (world, n) = request().await;
    let comment = say(&world, "lea", n, "I shall think about it.").await;
    correct(
        &world,
        "ada",
        comment,
        "I shall think about it.\n\n/triage accept",
    )
    .await;
    assert!(has(&world, n, "triage/needs-triage"));
    assert!(world.audit(n, "command").await.is_empty());
    // And what stood there before is not said again by who edits the rest.
    let other = say(&world, "lea", n, "/kind bug").await;
    correct(&world, "lea", other, "/kind bug\n\nas we saw yesterday").await;
    assert_eq!(world.audit(n, "command").await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_typo_is_explained_and_its_correction_done_once() {
    let (world, n) = request().await;
    let comment = say(&world, "lea", n, "/triage acept it fits @everyone").await;
    assert!(has(&world, n, "triage/needs-triage"));
    let said = replies(&world, n);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("did you mean accept"), "{said:?}");
    assert_eq!(signs(&world, n, comment), ["confused"]);
    correct(&world, "lea", comment, "/triage accept it fits").await;
    assert!(has(&world, n, "triage/accepted"));
    let said = replies(&world, n);
    assert_eq!(said.len(), 1, "the reply is corrected, not added to");
    assert!(said[0].contains("done"), "{said:?}");
    assert!(signs(&world, n, comment).contains(&"+1".to_owned()));
    assert_eq!(world.audit(n, "command").await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn what_is_no_command_is_left_alone() {
    let (world, n) = request().await;
    let before = world.sim.writes().len();
    for text in [
        "```\n/triage accept\n```",
        "> /triage accept",
        "Look into /usr/bin, please.",
        "/usr/bin/env is missing",
        "    /triage accept",
        "<details>\n/triage accept\n</details>",
        "| /triage accept |\n|---|",
    ] {
        say(&world, "lea", n, text).await;
    }
    assert_eq!(world.sim.writes().len(), before);
    assert!(has(&world, n, "triage/needs-triage"));
    world.end().await;
}

#[tokio::test]
async fn rules_hold_back_until_the_attribute_is_released() {
    let (world, n) = request().await;
    assert!(has(&world, n, "kind/feature"));
    say(&world, "lea", n, "/kind docs it is about the manual").await;
    assert!(has(&world, n, "kind/docs") && !has(&world, n, "kind/feature"));
    // The rule still wants something else: it is held, and `/why` says so.
    let edited = world
        .sim
        .edit_issue("ada", REPOSITORY, n, Some("Please add RStudio soon"), None);
    edited.expect("an edit");
    world.settled().await;
    assert!(has(&world, n, "kind/docs"));
    let asked = say(&world, "eng", n, "/why kind").await;
    assert_eq!(signs(&world, n, asked), ["eyes"]);
    let said = replies(&world, n).pop().expect("an answer");
    assert!(said.contains("set by a command"), "{said}");
    assert!(said.contains("<details>"), "{said}");
    say(&world, "lea", n, "/release kind").await;
    assert!(has(&world, n, "kind/feature") && !has(&world, n, "kind/docs"));
    world.end().await;
}

#[tokio::test]
async fn undo_takes_back_what_nobody_changed_since() {
    let (world, n) = request().await;
    say(&world, "lea", n, "/triage accept\n/kind docs\n/impact high").await;
    assert!(has(&world, n, "triage/accepted") && has(&world, n, "kind/docs"));
    world
        .sim
        .remove_label("dev", REPOSITORY, n, "kind/docs")
        .expect("a label");
    world
        .sim
        .add_label("dev", REPOSITORY, n, "kind/bug")
        .expect("a label");
    world.settled().await;
    let undo = say(&world, "lea", n, "/undo that was another issue").await;
    assert!(has(&world, n, "triage/needs-triage") && !has(&world, n, "triage/accepted"));
    assert!(has(&world, n, "kind/bug"), "{:?}", world.labels(n));
    let card = world.card(n).expect("a card");
    assert_eq!(card.fields.get("impact"), None, "{card:?}");
    let said = replies(&world, n);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].contains("`kind` was changed by somebody since"),
        "{said:?}"
    );
    assert_eq!(signs(&world, n, undo), ["+1"]);
    world.end().await;
}

#[tokio::test]
async fn commands_act_where_rules_only_observe() {
    let world = World::with(Setup {
        mode: Mode::Observe,
        ..Setup::default()
    })
    .await;
    let n = world.open("ada", "Please add RStudio", "Our researchers want it.");
    world.settled().await;
    assert!(world.sim.writes().is_empty());
    let comment = say(&world, "lea", n, "/triage accept").await;
    assert_eq!(world.labels(n), ["triage/accepted"]);
    assert_eq!(signs(&world, n, comment), ["+1"]);
    world.end().await;
}

#[tokio::test]
async fn a_new_issue_may_bring_its_commands_along() {
    let world = World::new().await;
    let n = world.open("eng", "Please add RStudio", "For research.\n\n/kind docs");
    world.settled().await;
    assert!(has(&world, n, "kind/docs") && !has(&world, n, "kind/feature"));
    let signs = world.issue(n).reactions;
    assert_eq!(signs, [("northstar[bot]".to_owned(), "+1".to_owned())]);
    world.end().await;
}

#[tokio::test]
async fn an_override_is_remembered_with_its_end_and_reason() {
    let (world, n) = request().await;
    let text = "/override initiatives-in-flight until 2099-12-24 promised before the cap";
    say(&world, "lea", n, text).await;
    let name = ledger::limit("initiatives-in-flight");
    let last = world.ledger(n, &name).await.pop().expect("an entry");
    assert_eq!(last.rank, Rank::Override);
    assert_eq!(last.reason, "promised before the cap");
    assert_eq!(
        last.until.map(|u| u.to_string()).as_deref(),
        Some("2099-12-25T00:00:00Z")
    );
    let late = say(
        &world,
        "lea",
        n,
        "/override initiatives-in-flight until 2001-01-01 x",
    )
    .await;
    assert_eq!(signs(&world, n, late), ["confused"]);
    world.end().await;
}

#[tokio::test]
async fn a_decline_is_kind_and_says_why() {
    let (world, n) = request().await;
    say(
        &world,
        "lea",
        n,
        "/triage decline RStudio needs <b>a licence</b> @ada",
    )
    .await;
    assert!(has(&world, n, "triage/declined"));
    let said = replies(&world, n);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("Thank you"), "{said:?}");
    assert!(said[0].contains("a licence"), "{said:?}");
    assert!(
        !said[0].contains("@ada") && !said[0].contains("<b>"),
        "{said:?}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_score_is_shown_with_what_it_is_made_of() {
    let (world, n) = request().await;
    let asked = say(&world, "sam", n, "/score").await;
    assert_eq!(signs(&world, n, asked), ["eyes"]);
    let said = replies(&world, n).pop().expect("an answer");
    assert!(said.contains("| **score** |"), "{said}");
    // What is internal is told nobody in public.
    assert!(
        said.contains("breadth") && !said.contains("cofunding"),
        "{said}"
    );
    world.end().await;
}

#[tokio::test]
async fn help_shows_the_policys_own_words() {
    let (world, n) = request().await;
    say(&world, "ada", n, "/help").await;
    let said = replies(&world, n).pop().expect("an answer");
    assert!(said.contains("/triage accept"), "{said}");
    assert!(said.contains("/impact"), "{said}");
    assert!(said.contains("product_lead"), "{said}");
    world.end().await;
}

/// Whatever breaks while a command is carried out and answered: it is done once, and said once.
#[tokio::test]
async fn commands_come_through_faults() {
    let (clock, setup) = by_hand();
    let world = World::with(setup).await;
    for when in [
        When::rest("POST", "/reactions"),
        When::rest("POST", "/comments"),
        When::graphql("addLabelsToLabelable"),
    ] {
        for kind in [FaultKind::DropBefore, FaultKind::DropAfter] {
            let n = world.open("ada", "Please add RStudio", "For research.");
            world.weathered(&clock).await;
            world.sim.fault(Fault::once(when.clone(), kind));
            let text = "/triage accept\n/priority p1\n/override no-such-cap x\n/help triage";
            let comment = world.sim.comment("lea", REPOSITORY, n, text);
            let comment = comment.expect("a comment");
            world.weathered(&clock).await;
            assert_eq!(world.sim.faults_waiting(), 0, "{when:?} was never met");
            assert!(has(&world, n, "triage/accepted"), "{when:?}");
            assert_eq!(signs(&world, n, comment), ["confused"], "{when:?}");
            assert_eq!(replies(&world, n).len(), 1, "{when:?}");
            assert_eq!(world.audit(n, "command").await.len(), 2, "{when:?}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn the_audit_trail_is_read_from_the_command_line() {
    let (world, n) = request().await;
    say(&world, "lea", n, "/triage accept fits the plan").await;
    say(&world, "ada", n, "/triage decline no").await;
    say(
        &world,
        "lea",
        n,
        "/override initiatives-in-flight it is promised",
    )
    .await;
    say(&world, "lea", n, "/undo it is not").await;
    let directory = tempfile::tempdir().expect("a directory");
    let key = directory.path().join("key.pem");
    std::fs::write(&key, world.sim.private_key_pem()).expect("a file");
    let audit = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_northstar"))
            .arg("audit")
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("NORTHSTAR__STORE__URL", world.store_url())
            .env("NORTHSTAR__WEBHOOK__SECRETS", "s")
            .env("NORTHSTAR__GITHUB__APP_ID", "1")
            .env("NORTHSTAR__GITHUB__PRIVATE_KEY_FILE", &key)
            .env("NORTHSTAR__ORGANIZATION", "2i2c-org=rules")
            .output()
            .expect("it runs");
        let lines = String::from_utf8(output.stdout).expect("text");
        let parse = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
        (
            output.status.code(),
            lines.lines().map(parse).collect::<Vec<_>>(),
        )
    };
    let name = format!("{REPOSITORY}#{n}");
    let (code, lines) = audit(&["--item", &name]);
    assert_eq!(code, Some(0));
    for kind in ["decision", "write", "command", "refusal"] {
        assert!(
            lines.iter().any(|l| l["kind"] == kind),
            "{kind}: {lines:#?}"
        );
    }
    let ids: Vec<_> = lines.iter().map(|l| l["id"].as_i64()).collect();
    assert!(ids.is_sorted(), "oldest first");
    let (_, commands) = audit(&["--item", &name, "--kind", "command"]);
    let told = commands.iter().map(|l| {
        assert!(l["delivery"].is_string() && l["at"].is_string(), "{l}");
        (
            l["detail"]["command"].as_str(),
            l["detail"]["reason"].as_str(),
        )
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (Some("/triage accept"), Some("fits the plan")),
            (
                Some("/override initiatives-in-flight"),
                Some("it is promised")
            ),
            (Some("/undo"), Some("it is not")),
        ]
    );
    let lead = commands[0]["actor"].to_string();
    let (_, hers) = audit(&["--person", &lead]);
    assert!(!hers.is_empty() && hers.iter().all(|l| l["actor"] == commands[0]["actor"]));
    let (_, ruled) = audit(&["--rule", "requests-wait-for-triage"]);
    assert!(!ruled.is_empty() && ruled.iter().all(|l| l["kind"] != "command"));
    let (_, later) = audit(&["--since", "2999-01-01T00:00:00Z"]);
    assert!(later.is_empty());
    assert_eq!(audit(&["--item", "2i2c-org/infrastructure#999"]).0, Some(2));
    assert_eq!(audit(&["--item", "nonsense"]).0, Some(2));
    world.end().await;
}

#[tokio::test]
async fn a_question_to_the_author_ends_with_their_reply() {
    let (world, n) = request().await;
    say(&world, "lea", n, "Which hub is it?\n\n/triage needs-info").await;
    assert!(has(&world, n, "triage/needs-info"));
    say(&world, "grace", n, "I should like to know, too.").await;
    assert!(
        has(&world, n, "triage/needs-info"),
        "that was somebody else"
    );
    say(&world, "ada", n, "The one of the second course.").await;
    assert!(has(&world, n, "triage/needs-triage") && !has(&world, n, "triage/needs-info"));
    // Nothing waits for them any more.
    say(&world, "lea", n, "/triage accept").await;
    say(&world, "ada", n, "Thank you!").await;
    assert!(has(&world, n, "triage/accepted"));
    world.end().await;
}

#[tokio::test]
async fn one_comment_may_decide_on_several_items() {
    let (world, n) = request().await;
    let m = world.open("ada", "Please add Julia", "For teaching.");
    world.settled().await;
    // One that the bot has never seen: it was there before.
    world.sim.webhook_fault(northstar::sim::WebhookFault {
        event: None,
        times: 3,
        kind: northstar::sim::WebhookFaultKind::Hold,
    });
    let labels = ["goal/research", "triage/needs-triage"];
    let o = world
        .sim
        .open_issue("ada", REPOSITORY, "Please add Octave", "", &labels)
        .expect("an issue");
    world.settled().await;
    let text =
        format!("/triage accept #{m} {REPOSITORY}#{o} they \"fit\" the plan\n/goal education #{o}");
    let comment = say(&world, "lea", n, &text).await;
    for k in [m, o] {
        assert!(
            has(&world, k, "triage/accepted"),
            "#{k}: {:?}",
            world.labels(k)
        );
        let last = world.ledger(k, "triage").await.pop().expect("an entry");
        assert_eq!(
            (last.rank, last.reason.as_str()),
            (Rank::Command, "they 'fit' the plan")
        );
    }
    assert!(has(&world, o, "goal/education") && has(&world, o, "goal/research"));
    assert!(has(&world, n, "triage/needs-triage"), "it was not named");
    assert_eq!(signs(&world, n, comment), ["+1"]);
    assert!(replies(&world, n).is_empty());
    // Somebody who may not, and an item that is not there.
    let refused = say(&world, "ada", n, &format!("/triage decline #{m}")).await;
    assert_eq!(signs(&world, n, refused), ["confused"]);
    let wrong = say(&world, "lea", n, &format!("/triage decline #{m} #999")).await;
    assert_eq!(signs(&world, n, wrong), ["confused"]);
    assert!(replies(&world, n)[1].contains("`#999`"));
    assert!(
        has(&world, m, "triage/accepted"),
        "all of a command or nothing"
    );
    world.end().await;
}

#[tokio::test]
async fn a_confirmation_is_taken_back_with_what_came_of_it() {
    let world = World::new().await;
    let body = "### Ticket request type\n\nFeature Request\n\n### Ticket impact\n\nCritical";
    let n = world.open("ada", "Please add RStudio", body);
    world.settled().await;
    let waits =
        |world: &World| has(world, n, "triage/needs-triage") && has(world, n, "needs-confirmation");
    assert!(waits(&world));
    say(&world, "eng", n, "/critical the whole class depends on it").await;
    assert!(has(&world, n, "triage/accepted") && !has(&world, n, "needs-confirmation"));
    let said = say(&world, "lea", n, "/undo that was another course").await;
    assert_eq!(signs(&world, n, said), ["+1"]);
    assert!(waits(&world), "{:?}", world.labels(n));
    // And what was taken back can be given back.
    say(&world, "lea", n, "/undo no, it was this one").await;
    assert!(has(&world, n, "triage/accepted") && !has(&world, n, "needs-confirmation"));

    // Of two who confirm it, the one who is taken back is the last.
    let m = world.open("ada", "Please add Julia", body);
    world.settled().await;
    say(&world, "eng", m, "/critical it burns").await;
    say(&world, "lea", m, "/critical it does").await;
    say(&world, "lea", m, "/undo").await;
    assert!(has(&world, m, "triage/accepted") && !has(&world, m, "needs-confirmation"));
    let last = world
        .ledger(m, ledger::CONFIRMED)
        .await
        .pop()
        .expect("an entry");
    let roles: Vec<_> = last.value.iter().map(str::to_owned).collect();
    assert_eq!(roles, ["engineering_manager", "member"]);
    world.end().await;
}

#[tokio::test]
async fn after_an_undo_it_can_be_confirmed_again_as_before() {
    let world = World::new().await;
    let body = "### Ticket request type\n\nFeature Request\n\n### Ticket impact\n\nCritical";
    let n = world.open("ada", "Please add RStudio", body);
    world.settled().await;
    let waits =
        |world: &World| has(world, n, "triage/needs-triage") && has(world, n, "needs-confirmation");
    let goes_ahead =
        |world: &World| has(world, n, "triage/accepted") && !has(world, n, "needs-confirmation");
    for round in 0..3 {
        assert!(waits(&world), "{round}: {:?}", world.labels(n));
        let said = say(&world, "eng", n, "/critical the class begins").await;
        assert_eq!(signs(&world, n, said), ["+1"], "{round}");
        assert!(goes_ahead(&world), "{round}: {:?}", world.labels(n));
        say(&world, "lea", n, "/undo not yet").await;
    }
    assert!(waits(&world), "{:?}", world.labels(n));

    // What a person decided besides is theirs, before and after.
    say(&world, "eng", n, "/critical now it does").await;
    say(&world, "lea", n, "/triage defer the class was moved").await;
    say(&world, "eng", n, "/critical it was not").await;
    assert!(has(&world, n, "triage/deferred"), "{:?}", world.labels(n));
    say(&world, "lea", n, "/undo").await;
    say(&world, "eng", n, "/critical it really was not").await;
    assert!(has(&world, n, "triage/deferred"), "{:?}", world.labels(n));
    world.end().await;
}
