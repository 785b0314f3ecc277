//! An issue that is transferred to another repository stays the item it was.

use std::sync::Arc;

use northstar::ids::{CommentId, ItemId};
use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use northstar::sim::{IssueView, Limits, WebhookFault, WebhookFaultKind};
use northstar::store::{Alias, AuditQuery, Happened, ItemRecord};
use northstar::triage::ledger::{self, Ownership};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::race::second_worker;
use crate::world::{Setup, World};

const ON: (&str, u64) = (ORGANIZATION, BOARD);
const THERE: &str = "2i2c-org/hubs";

/// An organisation with another repository, that has the same labels but for these.
fn with_hubs(without: &'static [&'static str]) -> Setup {
    Setup {
        before: Box::new(move |sim| {
            let mut labels = sim.labels(REPOSITORY);
            labels.retain(|label| !without.contains(&label.as_str()));
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            sim.repository(ORGANIZATION, "hubs", false, &labels)
                .expect("a repository");
            sim.milestone(THERE, "2026 Q4").expect("a milestone");
        }),
        ..Setup::default()
    }
}

/// And with one that the App is about to be taken from.
fn with_vault() -> Setup {
    let mut setup = with_hubs(&[]);
    let more = setup.before;
    setup.before = Box::new(move |sim| {
        more(sim);
        sim.repository(ORGANIZATION, "vault", true, &[])
            .expect("a repository");
    });
    setup
}

/// A request with its greeting, a kind that lea chose, and a comment of the bot that is edited when
/// it is accepted.
async fn request(setup: Setup) -> (World, u64, ItemId) {
    let world = World::with(setup).await;
    let n = world.open("ada", "Please add RStudio", "Our researchers want it.");
    world.settled().await;
    let sim = &world.sim;
    world.relabel("lea", n, "kind/feature", "kind/docs");
    sim.set_milestone("ada", REPOSITORY, n, Some("2026 Q4"))
        .expect("a milestone");
    world.settled().await;
    assert_eq!(world.answers(n).len(), 2, "{:?}", world.answers(n));
    let item = world.item(n).await;
    (world, n, item)
}

fn hold(world: &World, event: &str, times: u32) {
    world.sim.webhook_fault(WebhookFault {
        event: Some(event.to_owned()),
        times,
        kind: WebhookFaultKind::Hold,
    });
}

async fn release(world: &World) {
    world.sim.clear_faults();
    world.sim.release_webhooks(false);
    world.settled().await;
}

/// Has one of the words sent that are held.
async fn hear(world: &World, action: &str) {
    let words = world.sim.deliveries();
    let mut words = words.iter().rev();
    let word = words.find(|d| d.action.as_deref() == Some(action));
    assert!(world.sim.redeliver(word.expect("a word").id));
    world.settled().await;
}

fn transfer(world: &World, n: u64) -> u64 {
    let there = world.sim.transfer("lea", REPOSITORY, n, THERE);
    there.expect("a transfer")
}

/// The request, after it was transferred; some of the words of that are held.
struct Moved {
    world: World,
    from: u64,
    to: u64,
    item: ItemId,
    said: Vec<String>,
}

async fn moved(held: u32) -> Moved {
    let (world, from, item) = request(with_hubs(&[])).await;
    let said = world.answers(from);
    hold(&world, "issues", held);
    let to = transfer(&world, from);
    world.sim.clear_faults();
    Moved {
        world,
        from,
        to,
        item,
        said,
    }
}

fn there(world: &World, n: u64) -> IssueView {
    world.sim.issue(THERE, n).expect("the issue")
}

fn labels(world: &World, n: u64) -> Vec<String> {
    let mut labels = there(world, n).labels;
    labels.sort();
    labels
}

fn answers(world: &World, n: u64) -> Vec<String> {
    let ours = |c: &northstar::sim::CommentView| c.author == "northstar[bot]";
    let comments = there(world, n).comments.into_iter().filter(ours);
    comments.map(|c| c.body).collect()
}

async fn say(world: &World, who: &str, n: u64, text: &str) -> CommentId {
    let comment = world.sim.comment(who, THERE, n, text);
    world.settled().await;
    comment.expect("a comment")
}

fn signs(world: &World, n: u64, comment: CommentId) -> Vec<String> {
    let mut comments = there(world, n).comments.into_iter();
    let comment = comments.find(|c| c.id == comment).expect("the comment");
    comment
        .reactions
        .into_iter()
        .map(|(_, sign)| sign)
        .collect()
}

async fn record(world: &World, item: ItemId) -> ItemRecord {
    let record = world.service().store.item(world.installation, item).await;
    record.expect("the store").expect("a record")
}

async fn owner(world: &World, item: ItemId, attribute: &str) -> Ownership {
    ledger::fold(&record(world, item).await.ledger, attribute)
}

/// Everything that leads to the issue there leads to this item, and no other item is left.
async fn is_all_of_it(world: &World, n: u64, item: ItemId) {
    let store = &world.service().store;
    let view = there(world, n);
    for alias in [Alias::Node(view.node_id), Alias::DatabaseId(view.id)] {
        let found = store.item_by_alias(world.installation, &alias).await;
        assert_eq!(found.expect("the store"), Some(item), "{alias}");
    }
    let items = store.items(world.installation).await.expect("the store");
    assert_eq!(items, [item]);
    let mirror = record(world, item).await.issue.expect("a copy");
    assert_eq!(mirror.issue.repository.to_string(), THERE);
    assert_eq!(mirror.issue.number, n);
    assert!(!mirror.stale);
}

async fn is_gone(world: &World, item: ItemId) {
    let past = world.service().store.past(world.installation).await;
    let past = past.expect("the store");
    let mut of_it = past.history.iter().filter(|(id, _)| *id == item);
    assert!(of_it.any(|(_, h)| h.what == Happened::Gone));
    assert!(past.places.iter().all(|(id, _)| *id != item));
}

/// What is to hold after the transfer, whatever came first; and that work goes on.
async fn goes_on(world: &World, n: u64, item: ItemId, said: &[String]) {
    is_all_of_it(world, n, item).await;
    let was = ["goal/research", "kind/docs", "triage/needs-triage"];
    assert_eq!(labels(world, n), was);
    assert_eq!(answers(world, n), said, "nothing is said again");
    let kind = owner(world, item, "kind").await.owner.expect("an owner");
    assert_eq!(kind.by, Some(world.sim.user("lea")));

    let command = say(world, "lea", n, "/triage accept fits the plan").await;
    assert_eq!(signs(world, n, command), ["+1"]);
    let is = ["goal/research", "kind/docs", "triage/accepted"];
    assert_eq!(labels(world, n), is);
    let sim = &world.sim;
    sim.set_milestone("lea", THERE, n, Some("2026 Q4"))
        .expect("a milestone");
    world.settled().await;
    let after = answers(world, n);
    assert_eq!((after.len(), &after[0]), (2, &said[0]));
    assert!(
        after[1].contains("<details>") && !said[1].contains("<details>"),
        "what was said before is edited: {after:?}"
    );

    say(world, "lea", n, "/why kind").await;
    let why = answers(world, n).split_off(2);
    assert!(why.len() == 1 && why[0].contains("lea"), "{why:?}");

    let card = world.sim.card(ORGANIZATION, BOARD, THERE, n);
    assert_eq!(card.expect("a card").fields["type"], "Docs");
    world
        .sim
        .set_field("lea", ON, (THERE, n), "impact", "High")
        .expect("a field");
    world.settled().await;
    assert!(owner(world, item, "impact").await.owner.is_some());
    is_all_of_it(world, n, item).await;
}

#[tokio::test]
async fn who_hears_first_that_it_went_knows_it_where_it_came() {
    let Moved {
        world,
        from,
        to,
        item,
        said,
    } = moved(2).await;
    hear(&world, "transferred").await;
    is_all_of_it(&world, to, item).await;
    assert_eq!(answers(&world, to), said, "nothing is said again");
    release(&world).await;
    goes_on(&world, to, item, &said).await;
    let lines = world
        .service()
        .store
        .audit(&AuditQuery {
            installation: Some(world.installation),
            item: Some(item),
            kind: Some("transfer".to_owned()),
            ..AuditQuery::default()
        })
        .await
        .expect("the trail");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0].detail["from"], format!("{REPOSITORY}#{from}"));
    assert_eq!(lines[0].detail["to"], format!("{THERE}#{to}"));
    world.end().await;
}

#[tokio::test]
async fn who_hears_first_that_it_came_knows_where_from() {
    let Moved {
        world,
        to,
        item,
        said,
        ..
    } = moved(1).await;
    world.settled().await;
    is_all_of_it(&world, to, item).await;
    assert_eq!(answers(&world, to), said, "nothing is said again");
    release(&world).await;
    goes_on(&world, to, item, &said).await;
    world.end().await;
}

#[tokio::test]
async fn what_was_lost_is_learnt_from_the_other_word() {
    for heard in ["transferred", "opened"] {
        let moved = moved(2).await;
        hear(&moved.world, heard).await;
        goes_on(&moved.world, moved.to, moved.item, &moved.said).await;
        moved.world.stop_anyhow().await;
    }
}

#[tokio::test]
async fn who_is_told_nothing_asks_where_it_went() {
    let (world, n, item) = request(with_hubs(&[])).await;
    let said = world.answers(n);
    hold(&world, "issue_comment", 1);
    let comment = world.sim.comment("lea", REPOSITORY, n, "/kind bug");
    comment.expect("a comment");
    hold(&world, "issues", 2);
    let m = transfer(&world, n);
    world.sim.clear_faults();
    // A last word of where it was; what follows from it cannot be written there.
    hear(&world, "created").await;
    is_all_of_it(&world, m, item).await;
    let is = ["goal/research", "kind/bug", "triage/needs-triage"];
    assert_eq!(labels(&world, m), is);
    release(&world).await;
    is_all_of_it(&world, m, item).await;
    assert_eq!(labels(&world, m), is);
    assert_eq!(answers(&world, m), said, "nothing is said again");
    let past = world.service().store.past(world.installation).await;
    let mut history = past.expect("the store").history.into_iter();
    assert!(!history.any(|(_, h)| h.what == Happened::Gone));
    world.end().await;
}

#[tokio::test]
async fn its_old_name_still_names_it() {
    let (world, n, _) = request(with_hubs(&[])).await;
    let m = transfer(&world, n);
    world.settled().await;
    let again = world.open(
        "ada",
        "Please add RStudio, again",
        "Our researchers want it.",
    );
    world.settled().await;
    let said = world
        .sim
        .comment("lea", REPOSITORY, again, &format!("/duplicate #{n}"));
    said.expect("a comment");
    world.settled().await;
    assert!(!world.issue(again).open);
    let answer = world.answers(again).pop().expect("an answer");
    assert!(answer.contains(&format!("{THERE}#{m}")), "{answer}");
    // And it is not another than itself.
    let itself = say(&world, "lea", m, &format!("/duplicate {REPOSITORY}#{n}")).await;
    assert_eq!(signs(&world, m, itself), ["confused"]);
    assert!(there(&world, m).open);
    world.end().await;
}

#[tokio::test]
async fn what_somebody_did_there_before_the_words_came_is_done_to_the_same_item() {
    let Moved {
        world,
        to: m,
        item,
        said,
        ..
    } = moved(2).await;
    say(&world, "pam", m, "/impact medium").await;
    world
        .sim
        .move_card("pam", ON, (THERE, m), "Refined")
        .expect("a move");
    world.settled().await;
    assert_ne!(
        world
            .service()
            .store
            .items(world.installation)
            .await
            .expect("the store"),
        [item],
        "nobody can know yet that it is the same"
    );
    release(&world).await;
    is_all_of_it(&world, m, item).await;
    let impact = owner(&world, item, "impact").await.owner.expect("an owner");
    assert_eq!(impact.by, Some(world.sim.user("pam")));
    let kind = owner(&world, item, "kind").await.owner.expect("an owner");
    assert_eq!(kind.by, Some(world.sim.user("lea")));
    assert_eq!(answers(&world, m), said, "nothing is said again");
    let card = world.sim.card(ORGANIZATION, BOARD, THERE, m);
    let fields = card.expect("a card").fields;
    assert_eq!(
        [&fields["impact"], &fields["Status"]],
        ["Medium", "Refined"]
    );
    let command = say(&world, "lea", m, "/triage accept fits the plan").await;
    assert_eq!(signs(&world, m, command), ["+1"]);
    assert!(labels(&world, m).contains(&"triage/accepted".to_owned()));
    world.end().await;
}

#[tokio::test]
async fn a_late_word_of_where_it_was_is_taken_in_where_it_is() {
    let (world, n, item) = request(with_hubs(&[])).await;
    let said = world.answers(n);
    let sim = &world.sim;
    hold(&world, "issues", 1);
    hold(&world, "issue_comment", 1);
    sim.edit_issue(
        "ada",
        REPOSITORY,
        n,
        Some("Please, please add RStudio"),
        None,
    )
    .expect("an edit");
    sim.comment("lea", REPOSITORY, n, "/impact medium")
        .expect("a comment");
    let m = transfer(&world, n);
    world.settled().await;
    is_all_of_it(&world, m, item).await;
    release(&world).await;
    let impact = owner(&world, item, "impact").await.owner.expect("an owner");
    assert_eq!(impact.by, Some(sim.user("lea")));
    let card = sim.card(ORGANIZATION, BOARD, THERE, m).expect("a card");
    assert_eq!(card.fields["impact"], "Medium");
    goes_on(&world, m, item, &said).await;
    world.end().await;
}

#[tokio::test]
async fn a_label_that_is_not_there_is_nobodys_decision() {
    let (world, n, item) = request(with_hubs(&["kind/docs", "triage/needs-triage"])).await;
    let before = record(&world, item).await.ledger;
    let m = transfer(&world, n);
    world.settled().await;
    is_all_of_it(&world, m, item).await;
    let after = record(&world, item).await.ledger;
    let by_hand = |entries: &[ledger::LedgerEntry]| {
        let by_hand = entries.iter().filter(|e| e.rank != ledger::Rank::Rule);
        by_hand.cloned().collect::<Vec<_>>()
    };
    assert_eq!(by_hand(&after), by_hand(&before));
    // What a rule wants is shown there as well; what a person said is theirs to show.
    assert!(labels(&world, m).contains(&"triage/needs-triage".to_owned()));
    world.end().await;
}

#[tokio::test]
async fn on_and_on_it_stays_one() {
    let mut setup = with_hubs(&[]);
    setup.worker.settle_after = jiff::SignedDuration::from_secs(2);
    let (world, n, item) = request(setup).await;
    let said = world.answers(n);
    hold(&world, "issues", 4);
    let m = transfer(&world, n);
    let back = world.sim.transfer("lea", THERE, m, REPOSITORY);
    let back = back.expect("a transfer");
    world.settled().await;
    world.sim.clear_faults();
    // The last word first.
    world.sim.release_webhooks(true);
    world.settled().await;
    assert_eq!(world.item(back).await, item);
    assert_eq!(world.answers(back), said);
    let m = transfer(&world, back);
    world.settled().await;
    goes_on(&world, m, item, &said).await;
    world.end().await;
}

#[tokio::test]
async fn out_of_sight_it_is_gone() {
    let (world, n, item) = request(with_vault()).await;
    let sim = &world.sim;
    sim.leave_only(ORGANIZATION, &["infrastructure", "hubs"])
        .expect("repositories");
    hold(&world, "issues", 1);
    sim.edit_issue(
        "ada",
        REPOSITORY,
        n,
        Some("Please, please add RStudio"),
        None,
    )
    .expect("an edit");
    let writes = sim.writes().len();
    sim.transfer("lea", REPOSITORY, n, "2i2c-org/vault")
        .expect("a transfer");
    world.settled().await;
    release(&world).await;
    assert_eq!(sim.writes().len(), writes, "there is nothing to write to");
    is_gone(&world, item).await;
    world.end().await;
}

/// Whoever finds out: here the writer, who looks again before a label is taken off.
#[tokio::test]
async fn the_writer_notices_too_that_it_is_gone() {
    let (world, n, item) = request(with_vault()).await;
    let sim = &world.sim;
    sim.leave_only(ORGANIZATION, &["infrastructure", "hubs"])
        .expect("repositories");
    let comment = sim.comment("lea", REPOSITORY, n, "/kind bug");
    comment.expect("a comment");
    hold(&world, "issues", 2);
    sim.transfer("lea", REPOSITORY, n, "2i2c-org/vault")
        .expect("a transfer");
    world.settled().await;
    is_gone(&world, item).await;
    world.stop_anyhow().await;
}

#[tokio::test]
async fn what_waited_for_the_writer_is_written_where_it_is() {
    let (world, n, item) = request(with_hubs(&[])).await;
    let said = world.answers(n);
    let sim = &world.sim;
    // Both are on their way when the bot looks.
    let comment = sim.comment("lea", REPOSITORY, n, "/kind bug");
    comment.expect("a comment");
    let m = transfer(&world, n);
    world.settled().await;
    is_all_of_it(&world, m, item).await;
    assert!(labels(&world, m).contains(&"kind/bug".to_owned()));
    assert_eq!(answers(&world, m), said);
    // Both words once more, as if they were others.
    for action in ["transferred", "opened"] {
        let payload = world.payload("issues", action);
        let guid = format!("again-{action}");
        let answer = world.deliver("issues", &guid, &payload).await;
        assert_eq!(answer.status, 202);
        world.settled().await;
        is_all_of_it(&world, m, item).await;
    }
    assert_eq!(answers(&world, m), said);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_and_any_order_make_one_of_each() {
    let world = World::with(with_hubs(&[])).await;
    let sim = &world.sim;
    // Each worker has its own client here, so they write at the same moment.
    sim.limit(Limits {
        secondary: false,
        ..Limits::default()
    });
    let bell = Arc::new(Notify::new());
    let second = second_worker(&world, &bell);
    let stop = CancellationToken::new();
    let working = tokio::spawn(second.run(stop.clone()));
    let mut all = Vec::new();
    for i in 0..8 {
        all.push(world.open("ada", &format!("Please add tool {i}"), "For our course."));
    }
    world.settled().await;
    let mut moved = Vec::new();
    for (round, numbers) in all.chunks(2).enumerate() {
        for kind in [WebhookFaultKind::Duplicate, WebhookFaultKind::Hold] {
            sim.webhook_fault(WebhookFault {
                event: None,
                times: 3,
                kind,
            });
        }
        for n in numbers {
            let item = world.item(*n).await;
            sim.comment("lea", REPOSITORY, *n, "/impact high")
                .expect("a comment");
            let m = transfer(&world, *n);
            sim.comment("lea", THERE, m, "/triage accept fits the plan")
                .expect("a comment");
            moved.push((m, item));
            bell.notify_one();
        }
        sim.release_webhooks(round % 2 == 0);
    }
    sim.clear_faults();
    sim.release_webhooks(true);
    world.settled().await;
    for (m, item) in moved {
        let found = Alias::Node(there(&world, m).node_id);
        let store = &world.service().store;
        let found = store.item_by_alias(world.installation, &found).await;
        assert_eq!(found.expect("the store"), Some(item));
        let is = ["goal/education", "kind/feature", "triage/accepted"];
        assert_eq!(labels(&world, m), is, "{m}");
        let greetings = answers(&world, m).into_iter();
        let greetings = greetings.filter(|a| a.contains("northstar:received"));
        assert_eq!(greetings.count(), 1, "{m}");
        let ledger = record(&world, item).await.ledger;
        let told = |name: &str| {
            let by_command =
                |e: &&ledger::LedgerEntry| e.attribute == name && e.rank == ledger::Rank::Command;
            ledger.iter().filter(by_command).count()
        };
        assert_eq!((told("impact"), told("triage")), (1, 1), "{m}");
    }
    stop.cancel();
    working.await.expect("the second worker ends well");
    world.end().await;
}

#[tokio::test]
async fn what_comes_from_where_nobody_looks_is_a_request_like_any_other() {
    let mut setup = with_hubs(&[]);
    let more = setup.before;
    setup.before = Box::new(move |sim| {
        more(sim);
        sim.repository(ORGANIZATION, "lab", false, &["kind/bug"])
            .expect("a repository");
    });
    let world = World::with(setup).await;
    let sim = &world.sim;
    sim.leave_only(ORGANIZATION, &["infrastructure", "hubs"])
        .expect("repositories");
    let body = "For our course.\n\n/impact high";
    let n = sim.open_issue("lea", "2i2c-org/lab", "Please add RStudio", body, &[]);
    let n = n.expect("an issue");
    let m = sim.transfer("lea", "2i2c-org/lab", n, THERE);
    let m = m.expect("a transfer");
    world.settled().await;
    let is = ["goal/education", "kind/feature", "triage/needs-triage"];
    assert_eq!(labels(&world, m), is);
    assert_eq!(answers(&world, m).len(), 1);
    // What was said where the bot did not listen was not said to it.
    let card = sim.card(ORGANIZATION, BOARD, THERE, m).expect("a card");
    assert_eq!(card.fields.get("impact"), None);
    world.end().await;
}
