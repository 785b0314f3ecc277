//! Humans win: what people change by hand, and what the bot then leaves alone.

use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use northstar::sim::{WebhookFault, WebhookFaultKind};
use northstar::triage::ledger::Rank;
use northstar::triage::ledger::told::{self, Told};

use crate::world::World;

const ON: (&str, u64) = (ORGANIZATION, BOARD);
const BODY: &str = "Our researchers want it.";

async fn a_triaged_request() -> (World, u64) {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", BODY);
    world.settled().await;
    assert_eq!(
        world.labels(n),
        ["goal/research", "kind/feature", "triage/needs-triage"]
    );
    (world, n)
}

#[tokio::test]
async fn a_label_that_somebody_with_the_permission_changes_stays_changed() {
    let (world, n) = a_triaged_request().await;
    let sim = &world.sim;
    world.relabel("lea", n, "kind/feature", "kind/bug");
    world.settled().await;
    sim.edit_issue("ada", REPOSITORY, n, Some("Please add RStudio now"), None)
        .expect("an edit");
    world.settled().await;
    assert_eq!(
        world.labels(n),
        ["goal/research", "kind/bug", "triage/needs-triage"]
    );
    assert_eq!(world.card(n).expect("a card").fields["type"], "Bug");
    let own = world.ownership(n, "kind").await;
    let owner = own.owner.expect("an owner");
    assert_eq!(owner.rank, Rank::Person);
    assert_eq!(owner.by, Some(sim.user("lea")));
    let held = world.held(n).await;
    assert!(
        held.contains(&("kind".to_owned(), "set by a human".to_owned())),
        "{held:?}"
    );
    let acts = world.audit(n, "act").await;
    assert!(acts.iter().any(|act| act.actor == Some(sim.user("lea"))));
    world.end().await;
}

#[tokio::test]
async fn a_change_by_somebody_without_the_permission_is_kept_and_owned_by_nobody() {
    let (world, n) = a_triaged_request().await;
    let sim = &world.sim;
    sim.remove_label("ada", REPOSITORY, n, "triage/needs-triage")
        .expect("a label");
    sim.add_label("ada", REPOSITORY, n, "triage/accepted")
        .expect("a label");
    world.settled().await;
    assert_eq!(
        world.labels(n),
        ["goal/research", "kind/feature", "triage/accepted"]
    );
    let entries = world.ledger(n, "triage").await;
    assert_eq!(entries.last().map(|e| e.rank), Some(Rank::Ambient));
    // Somebody who may decides otherwise, and that stands.
    world.relabel("lea", n, "triage/accepted", "triage/deferred");
    world.settled().await;
    assert!(world.labels(n).contains(&"triage/deferred".to_owned()));
    assert_eq!(
        world.ownership(n, "triage").await.rank(),
        Some(Rank::Person)
    );
    world.end().await;
}

#[tokio::test]
async fn a_field_changed_on_the_board_is_followed_by_the_label() {
    let (world, n) = a_triaged_request().await;
    world
        .sim
        .set_field("lea", ON, (REPOSITORY, n), "type", "Docs")
        .expect("a field");
    world.settled().await;
    assert_eq!(
        world.labels(n),
        ["goal/research", "kind/docs", "triage/needs-triage"]
    );
    assert_eq!(world.card(n).expect("a card").fields["type"], "Docs");
    assert_eq!(world.ownership(n, "kind").await.rank(), Some(Rank::Person));
    world.end().await;
}

#[tokio::test]
async fn a_label_changed_by_hand_is_followed_by_the_field() {
    let (world, n) = a_triaged_request().await;
    // Added beside the one that is there: the newer word counts, and one label is left.
    world
        .sim
        .add_label("lea", REPOSITORY, n, "kind/initiative")
        .expect("a label");
    world.settled().await;
    assert_eq!(
        world.labels(n),
        ["goal/research", "kind/initiative", "triage/needs-triage"]
    );
    assert_eq!(world.card(n).expect("a card").fields["type"], "Initiative");
    world.end().await;
}

/// Opens an issue as lea with a kind and a goal that no rule would choose. What GitHub sends of it is
/// held back: that it was opened, and the word of each label.
fn opened_with_labels(world: &World) -> u64 {
    world.sim.webhook_fault(WebhookFault {
        event: Some("issues".to_owned()),
        times: 3,
        kind: WebhookFaultKind::Hold,
    });
    let labels = ["kind/initiative", "goal/education"];
    let n = world.sim.open_issue(
        "lea",
        REPOSITORY,
        "Automate backups of the platform",
        "",
        &labels,
    );
    n.expect("an issue")
}

async fn lea_chose_it(world: &World, n: u64) {
    let chosen = ["goal/education", "kind/initiative", "triage/needs-triage"];
    assert_eq!(world.labels(n), chosen);
    assert_eq!(world.card(n).expect("a card").fields["type"], "Initiative");
    for attribute in ["kind", "goal"] {
        let owner = world.ownership(n, attribute).await.owner;
        let owner = owner.expect("an owner");
        assert_eq!(owner.rank, Rank::Person, "{attribute}");
        assert_eq!(owner.by, Some(world.sim.user("lea")), "{attribute}");
        let entries = world.ledger(n, attribute).await;
        let by_hand = |told: &Told<'_>| told.entry.by.is_some();
        let told = told::in_order(&entries, attribute).into_iter();
        assert_eq!(told.filter(by_hand).count(), 1, "{entries:?}");
    }
}

#[tokio::test]
async fn what_somebody_chose_when_they_opened_it_is_theirs_before_its_word_comes() {
    let world = World::new().await;
    let n = opened_with_labels(&world);
    world.sim.clear_faults();
    let opened = world.sim.deliveries().into_iter().rev();
    let mut opened = opened.filter(|d| d.action.as_deref() == Some("opened"));
    assert!(world.sim.redeliver(opened.next().expect("its word").id));
    world.settled().await;
    lea_chose_it(&world, n).await;
    let before = world.sim.writes().len();
    world.sim.release_webhooks(false);
    world.settled().await;
    lea_chose_it(&world, n).await;
    assert_eq!(world.sim.writes().len(), before);
    world.end().await;
}

#[tokio::test]
async fn what_a_rule_wrote_over_before_it_knew_whose_it_was_comes_back() {
    let world = World::new().await;
    let n = opened_with_labels(&world);
    world.sim.clear_faults();
    // A word that says nothing of who chose the labels.
    world
        .sim
        .comment("ada", REPOSITORY, n, "Yes, please.")
        .expect("a comment");
    world.settled().await;
    assert!(
        world.labels(n).contains(&"kind/task".to_owned()),
        "{:?}",
        world.labels(n)
    );
    world.sim.release_webhooks(false);
    world.settled().await;
    lea_chose_it(&world, n).await;
    let before = world.sim.writes().len();
    world
        .sim
        .comment("ada", REPOSITORY, n, "Thank you.")
        .expect("a comment");
    world.settled().await;
    assert_eq!(world.sim.writes().len(), before);
    world.end().await;
}

#[tokio::test]
async fn a_label_that_somebody_takes_off_is_not_put_on_again() {
    for who in ["lea", "ada"] {
        let (world, n) = a_triaged_request().await;
        world
            .sim
            .remove_label(who, REPOSITORY, n, "goal/research")
            .expect("a label");
        world.settled().await;
        let body = format!("{BODY} And they publish scientific papers.");
        world
            .sim
            .edit_issue("ada", REPOSITORY, n, None, Some(&body))
            .expect("an edit");
        world.settled().await;
        let labels = world.labels(n);
        assert!(
            !labels.contains(&"goal/research".to_owned()),
            "{who}: {labels:?}"
        );
        world.end().await;
    }
}

#[tokio::test]
async fn only_labels_of_the_policy_are_ever_touched() {
    let (world, n) = a_triaged_request().await;
    let sim = &world.sim;
    for label in ["O2 - 2026Q2", "type:platform", "kind", "goal/of-our-own"] {
        sim.add_label("ada", REPOSITORY, n, label).expect("a label");
    }
    sim.edit_issue("ada", REPOSITORY, n, None, Some("For our course."))
        .expect("an edit");
    world.settled().await;
    assert_eq!(
        world.labels(n),
        [
            "O2 - 2026Q2",
            "goal/education",
            "goal/of-our-own",
            "kind",
            "kind/feature",
            "triage/needs-triage",
            "type:platform"
        ]
    );
    // No write replaces all labels at once, or goes through the issue as a whole.
    for write in sim.writes() {
        assert_ne!(write.method, "PUT", "{write:?}");
        assert_ne!(write.method, "PATCH", "{write:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_another_bot_labels_is_there_and_decides_nothing() {
    let world = World::new().await;
    let sim = &world.sim;
    sim.bot("helper[bot]");
    let n = sim
        .open_issue(
            "helper[bot]",
            REPOSITORY,
            "Please add RStudio",
            BODY,
            &["kind/bug"],
        )
        .expect("an issue");
    world.settled().await;
    // The rule says otherwise, and a rule outranks what was there by itself.
    assert_eq!(
        world.labels(n),
        ["goal/research", "kind/feature", "triage/needs-triage"]
    );
    let entries = world.ledger(n, "kind").await;
    assert!(entries.iter().all(|e| e.rank <= Rank::Rule), "{entries:?}");
    // It insists once: the policy keeps such changes, and does not fight.
    sim.remove_label("helper[bot]", REPOSITORY, n, "kind/feature")
        .expect("a label");
    sim.add_label("helper[bot]", REPOSITORY, n, "kind/bug")
        .expect("a label");
    world.settled().await;
    assert!(world.labels(n).contains(&"kind/bug".to_owned()));
    world.end().await;
}

#[tokio::test]
async fn a_card_that_somebody_takes_off_the_board_stays_off() {
    let (world, n) = a_triaged_request().await;
    let sim = &world.sim;
    sim.delete_item("lea", ON, (REPOSITORY, n)).expect("a card");
    world.settled().await;
    sim.edit_issue(
        "ada",
        REPOSITORY,
        n,
        None,
        Some("Our researchers do want it."),
    )
    .expect("an edit");
    world.settled().await;
    assert_eq!(world.card(n), None);
    // Put back by hand, it is looked after again.
    sim.add_to_project("lea", ON, REPOSITORY, n)
        .expect("a card");
    world.settled().await;
    assert_eq!(world.card(n).expect("a card").fields["type"], "Feature");
    world.end().await;
}

fn relabel(world: &World, n: u64, from: &str, to: &str) {
    let sim = &world.sim;
    let off = sim.remove_label("lea", REPOSITORY, n, from);
    off.expect("a label");
    let on = sim.add_label("sam", REPOSITORY, n, to);
    on.expect("a label");
}

/// What the bot said of two places that were changed at once.
fn said_of_both(world: &World, n: u64) -> Vec<String> {
    let mut told = world.answers(n);
    told.retain(|body| body.contains("in two places at once"));
    told
}

#[tokio::test]
async fn of_label_and_field_changed_at_once_one_counts_and_that_is_said_once() {
    for (label_first, reversed) in [(true, false), (false, false), (true, true), (false, true)] {
        let story = format!("label first: {label_first}, reversed: {reversed}");
        let (world, n) = a_triaged_request().await;
        let sim = &world.sim;
        sim.webhook_fault(WebhookFault {
            event: None,
            times: 10_000,
            kind: WebhookFaultKind::Hold,
        });
        let set = || {
            let set = sim.set_field("lea", ON, (REPOSITORY, n), "type", "Docs");
            set.expect("a field");
        };
        // GitHub's times are whole seconds: these are told apart.
        let a_moment = std::time::Duration::from_millis(1_100);
        if label_first {
            relabel(&world, n, "kind/feature", "kind/bug");
            tokio::time::sleep(a_moment).await;
            set();
        } else {
            set();
            tokio::time::sleep(a_moment).await;
            relabel(&world, n, "kind/feature", "kind/bug");
        }
        world.settled().await;
        sim.clear_faults();
        sim.release_webhooks(reversed);
        world.settled().await;

        // Label and field agree, and what was said is what stands.
        let labels = world.labels(n);
        let kinds: Vec<&str> = labels
            .iter()
            .filter_map(|l| l.strip_prefix("kind/"))
            .collect();
        let field = world.card(n).expect("a card").fields["type"].to_lowercase();
        assert_eq!(kinds, [field.as_str()], "{story}");
        assert_eq!(kinds, [if label_first { "docs" } else { "bug" }], "{story}");
        let told = said_of_both(&world, n);
        assert_eq!(told.len(), 1, "{story}: {told:?}");
        let (label, board) = ("the label to `bug`", "the field on the board to `docs`");
        assert!(
            told[0].contains(label) && told[0].contains(board),
            "{told:?}"
        );
        let stands = format!("it is `{}` now", kinds[0]);
        assert!(told[0].contains(&stands), "{story}: {told:?}");
        // Said once, whatever happens after.
        let edited = sim.edit_issue("ada", REPOSITORY, n, Some("RStudio, please"), None);
        edited.expect("an edit");
        world.settled().await;
        assert_eq!(said_of_both(&world, n), told, "{story}");
        world.end().await;
    }
}

#[tokio::test]
async fn label_and_field_changed_at_once_to_the_same_value_are_no_news() {
    let (world, n) = a_triaged_request().await;
    let sim = &world.sim;
    sim.webhook_fault(WebhookFault {
        event: None,
        times: 10_000,
        kind: WebhookFaultKind::Hold,
    });
    relabel(&world, n, "kind/feature", "kind/bug");
    let set = sim.set_field("lea", ON, (REPOSITORY, n), "type", "Bug");
    set.expect("a field");
    world.settled().await;
    sim.clear_faults();
    sim.release_webhooks(false);
    world.settled().await;
    assert_eq!(world.card(n).expect("a card").fields["type"], "Bug");
    assert_eq!(said_of_both(&world, n), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn whoever_is_assigned_by_hand_is_in_the_ledger_and_the_trail() {
    let (world, n) = a_triaged_request().await;
    let sim = &world.sim;
    for (by, logins) in [
        ("ada", &["sam"][..]),
        ("lea", &["sam", "lea"]),
        ("lea", &["lea"]),
    ] {
        let assigned = sim.assign(by, REPOSITORY, n, logins);
        assigned.expect("an assignment");
        world.settled().await;
    }
    let ledger = world.ledger(n, "assignees").await;
    let told: Vec<_> = ledger
        .iter()
        .map(|e| (e.rank, e.by, e.value.to_string(), e.cause.as_str()))
        .collect();
    let (ada, lea) = (Some(sim.user("ada")), Some(sim.user("lea")));
    let is = |logins: &str| logins.to_owned();
    assert_eq!(
        told,
        [
            (Rank::Ambient, ada, is("sam"), "assignee"),
            (Rank::Person, lea, is("lea, sam"), "assignee"),
            (Rank::Person, lea, is("lea"), "assignee"),
        ]
    );
    let trail = world.audit(n, "act").await;
    let of_this = trail
        .iter()
        .filter(|l| l.detail["attribute"] == "assignees");
    let trail: Vec<_> = of_this
        .map(|l| (l.actor, l.detail["value"].clone(), l.delivery.is_some()))
        .collect();
    let values = [vec!["sam"], vec!["lea", "sam"], vec!["lea"]];
    let wanted = [ada, lea, lea].into_iter().zip(values);
    let wanted: Vec<_> = wanted.map(|(by, v)| (by, v.into(), true)).collect();
    assert_eq!(trail, wanted);
    world.end().await;
}

#[tokio::test]
async fn a_date_given_by_whom_the_policy_lets_give_one_stays() {
    let (world, n) = a_triaged_request().await;
    let sim = &world.sim;
    let milestone = |who: &str, title| {
        let set = sim.set_milestone(who, REPOSITORY, n, title);
        set.expect("a milestone");
    };
    milestone("ada", Some("2026 Q4"));
    world.settled().await;
    assert_eq!(world.issue(n).milestone, "", "nobody decided on it yet");
    milestone("lea", Some("2026 Q4"));
    world.settled().await;
    assert_eq!(world.issue(n).milestone, "2026 Q4");
    let held = world.held(n).await;
    let kept = ("milestone".to_owned(), "set by a human".to_owned());
    assert!(held.contains(&kept), "{held:?}");
    let ledger = world.ledger(n, "milestone").await;
    let ranks: Vec<_> = ledger.iter().map(|e| (e.rank, e.by)).collect();
    let (ada, lea) = (Some(sim.user("ada")), Some(sim.user("lea")));
    assert_eq!(
        ranks,
        [
            (Rank::Ambient, ada),
            (Rank::Rule, None),
            (Rank::Person, lea)
        ]
    );
    world.end().await;
}
