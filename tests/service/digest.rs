//! The digest: what happened is recorded as it is learned, and the summary is made of it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use northstar::clock::ManualClock;
use northstar::digest;
use northstar::insight::digest::{Digest, Ref};
use northstar::insight::slot::Slot;
use northstar::sim::example::{BOARD, ORGANIZATION, PRIVATE_REPOSITORY, REPOSITORY};
use northstar::sim::{Fault, FaultKind, When};
use northstar::store::{Happened, Past};
use northstar::triage::decision::Mode;
use serde_json::Value;

use crate::world::{Setup, World};

const ON: (&str, u64) = (ORGANIZATION, BOARD);
const BODY: &str = "Our researchers want it.";

impl World {
    pub async fn past(&self) -> Past {
        let store = &self.service().store;
        store.past(self.installation).await.expect("the past")
    }

    /// The slot that ends the week we are in.
    fn this_week(&self) -> Slot {
        let policy = self.rules().0;
        let schedule = digest::schedule(&policy.digests[0]).expect("a schedule");
        schedule.next(Timestamp::now())
    }

    pub async fn digest(&self) -> Digest {
        let policy = self.rules().0;
        let declared = &policy.digests[0];
        let schedule = digest::schedule(declared).expect("a schedule");
        let past = self.past().await;
        let place = digest::place(declared, &past);
        let when = (&schedule, &self.this_week());
        digest::of_slot(&policy, declared, when, &place, &past, &[])
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

/// The shipped policy posts on an issue of a repository that the example does not have.
const POSTED: &str = r#"
version: 1
organization: 2i2c-org
roles:
  product_lead: { teams: [product-leads] }
attributes:
  triage: { values: [accepted, deferred], label: "triage/{value}" }
commands: { triage: product_lead, kpi: product_lead }
kpis:
  - { id: satisfied, title: Users satisfied, measure: stated, unit: percent }
  - { id: intake, title: Came in, measure: intake }
digest: { id: weekly, every: monday 09:00, timezone: Europe/London, post_to: 2i2c-org/infrastructure#1 }
"#;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A Thursday.
fn by_hand() -> (ManualClock, Setup) {
    let clock = ManualClock::new("2026-11-19T12:00:00Z".parse().expect("a time"));
    let setup = Setup {
        clock: Arc::new(clock.clone()),
        policy: Some(POSTED.to_owned()),
        ..Setup::default()
    };
    (clock, setup)
}

/// The digest's issue, and a request.
async fn posting(setup: Setup) -> World {
    let world = World::with(setup).await;
    assert_eq!(world.open("lea", "Week by week", ""), 1);
    world.open("ada", "Please add RStudio", BODY);
    world.settled().await;
    world
}

impl World {
    async fn wishes(&self, week: &str) {
        let wish = digest::Wish {
            week: week.to_owned(),
        };
        let (store, now) = (&self.service().store, self.setup.clock.now());
        wish.ask(&**store, self.installation, "weekly", now)
            .await
            .expect("asked");
    }

    /// Lets time pass, until nothing is left to do.
    pub async fn later(&self, clock: &ManualClock, by: SignedDuration) {
        clock.advance(by);
        self.at_rest(clock).await;
    }

    /// Tokens have run out when days have gone by: what that delays is tried again soon after.
    async fn at_rest(&self, clock: &ManualClock) {
        let soon = std::time::Duration::from_millis(500);
        while tokio::time::timeout(soon, self.settled()).await.is_err() {
            clock.advance(SignedDuration::from_secs(20));
        }
    }
}

#[tokio::test]
async fn it_is_posted_once_a_week_and_edited_when_it_is_asked_for_again() {
    let (clock, setup) = by_hand();
    let mut world = posting(setup).await;
    let n = 2;
    world
        .sim
        .comment("lea", REPOSITORY, n, "/triage accepted fits the plan")
        .expect("a comment");
    world
        .sim
        .comment("ada", REPOSITORY, n, "/kpi satisfied 99 2026-Q4")
        .expect("a comment");
    world
        .sim
        .comment("lea", REPOSITORY, n, "/kpi satisfied 64 2026-Q4")
        .expect("a comment");
    world.settled().await;
    world.later(&clock, HOUR * 92).await; // Monday, eight o'clock
    assert!(world.answers(1).is_empty(), "{:?}", world.answers(1));
    world.sim.forget_requests();
    world.later(&clock, HOUR).await;
    let first = world.answers(1);
    assert_eq!(first.len(), 1);
    for part in [
        "## Triage summary, 2026-W47",
        "`accepted` by lea: fits the plan",
        "[1 item](",
        "64 %<br>*2026\\-Q3",
    ] {
        let part = part.replace("Q3", "Q4");
        assert!(first[0].contains(&part), "{part}\n{}", first[0]);
    }
    assert!(!first[0].contains("99"), "{}", first[0]);
    // Where it is to stand is read, and the comment written.
    let requests = world.sim.requests().into_iter();
    let about: Vec<_> = requests
        .filter(|r| r.operation.is_some() || r.is_write && r.path.contains("/issues/"))
        .map(|r| (r.path, r.operation))
        .collect();
    assert!(about.len() <= 5, "{about:#?}");

    world.stop().await;
    world.start().await;
    world.later(&clock, HOUR).await;
    assert_eq!(world.answers(1), first, "a start says nothing again");

    world
        .sim
        .edit_issue("ada", REPOSITORY, n, Some("Please add Julia"), None)
        .expect("an edit");
    world.at_rest(&clock).await;
    world.wishes("2026-W47").await;
    world.at_rest(&clock).await;
    let again = world.answers(1);
    assert_eq!(again.len(), 1, "edited in place");
    assert!(again[0].contains("Please add Julia"), "{}", again[0]);
    world.end().await;
}

#[tokio::test]
async fn it_goes_along_with_its_issue() {
    const THERE: &str = "2i2c-org/hubs";
    let (clock, mut setup) = by_hand();
    setup.policy = Some(format!(
        "{POSTED}principles: [{{ id: calm, statement: We are calm., rules: \
           [{{ id: later, set: {{ triage: deferred }}, because: it can wait }}] }}]\n"
    ));
    setup.before = Box::new(|sim| {
        let labels = sim.labels(REPOSITORY);
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        sim.repository(ORGANIZATION, "hubs", false, &labels)
            .expect("a repository");
    });
    let world = posting(setup).await;
    world.later(&clock, HOUR * 93).await;
    let first = world.answers(1);
    assert_eq!(first.len(), 1);
    let there = world.sim.transfer("lea", REPOSITORY, 1, THERE);
    let there = there.expect("a transfer");
    world.at_rest(&clock).await;
    world.later(&clock, HOUR * 24 * 7).await;
    let issue = world.sim.issue(THERE, there).expect("the issue");
    assert!(issue.labels.is_empty(), "it is nobody's request");
    assert_eq!(world.issue(2).labels, ["triage/deferred"]);
    let said: Vec<_> = issue.comments.iter().map(|c| c.body.as_str()).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[1].contains("2026-W48"), "{said:?}");
    world.end().await;
}

#[tokio::test]
async fn after_weeks_of_absence_there_is_one_and_it_says_what_it_covers() {
    let (clock, setup) = by_hand();
    let mut world = posting(setup).await;
    world.later(&clock, HOUR * 100).await;
    assert_eq!(world.answers(1).len(), 1);
    world.stop().await;
    clock.advance(HOUR * 24 * 7 * 3);
    world.start().await;
    world.at_rest(&clock).await;
    let answers = world.answers(1);
    assert_eq!(answers.len(), 2, "{answers:#?}");
    assert!(
        answers[1].starts_with("## Triage summary, 2026-W50\n"),
        "{}",
        answers[1]
    );
    assert!(answers[1].contains("Missed: 2."), "{}", answers[1]);
    world.end().await;
}

#[tokio::test]
async fn two_workers_post_one_and_the_page_shows_it() {
    let (clock, setup) = by_hand();
    let world = posting(setup).await;
    let bell = Arc::new(tokio::sync::Notify::new());
    let stop = tokio_util::sync::CancellationToken::new();
    let second = crate::race::second_worker(&world, &bell);
    let working = tokio::spawn(second.run(stop.clone()));
    world.settled().await;
    for week in 1..=3 {
        world.later(&clock, HOUR * 24 * 7).await;
        assert_eq!(world.answers(1).len(), week);
    }
    let page = world.get("/digest").await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("<h2>Triage summary, 2026-W49</h2>"),
        "{}",
        page.text
    );
    stop.cancel();
    working.await.expect("the second worker ends well");
    world.end().await;
}

#[tokio::test]
async fn where_nothing_is_enforced_it_is_made_and_not_posted() {
    let (clock, setup) = by_hand();
    let setup = Setup {
        mode: Mode::Observe,
        ..setup
    };
    let world = posting(setup).await;
    world.later(&clock, HOUR * 24 * 7).await;
    assert!(world.answers(1).is_empty());
    let made = world.service().store.newest_digests().await.expect("made");
    assert_eq!(made.len(), 1);
    world.end().await;
}

const TEAMS: &str = r#"
version: 1
organization: 2i2c-org
attributes:
  team: { values: [hubs, partners], label: "team/{value}" }
kpis:
  - { id: intake, title: Came in, measure: intake }
digest:
  - { id: all, every: monday 09:00, timezone: Europe/London, new_issue: 2i2c-org/infrastructure, post_to: 2i2c-org/infrastructure#1 }
  - { id: hubs, every: friday 16:00, timezone: America/New_York, post_to: 2i2c-org/infrastructure#1, where: { team: hubs } }
"#;

#[tokio::test]
async fn several_teams_have_their_own_and_a_new_issue_is_made_once() {
    let (clock, setup) = by_hand();
    let setup = Setup {
        policy: Some(TEAMS.to_owned()),
        ..setup
    };
    let mut world = posting(setup).await;
    let ours = world.open("ada", "Faster hubs", BODY);
    world
        .sim
        .add_label("lea", REPOSITORY, ours, "team/hubs")
        .expect("a label");
    world.at_rest(&clock).await;
    // Friday, nine in the evening in London.
    world.later(&clock, HOUR * 33).await;
    let hubs = world.answers(1);
    assert_eq!(hubs.len(), 1);
    assert!(hubs[0].contains("Faster hubs"), "{}", hubs[0]);
    assert!(!hubs[0].contains("RStudio"), "{}", hubs[0]);
    // Monday. GitHub makes the issue, and the answer is lost on its way.
    let posts = When::rest("POST", "/repos/2i2c-org/infrastructure/issues");
    world.sim.fault(Fault::once(posts, FaultKind::DropAfter));
    world.later(&clock, HOUR * 60).await;
    world.later(&clock, HOUR / 60).await;
    let made = |world: &World| -> Vec<u64> {
        let all = (1..20).filter_map(|n| world.sim.issue(REPOSITORY, n).map(|i| (n, i)));
        let titled = all.filter(|(_, issue)| issue.title.starts_with("Triage summary, 2026-W4"));
        titled.map(|(n, _)| n).collect()
    };
    let issues = made(&world);
    assert_eq!(issues.len(), 1, "{issues:?}");
    assert_eq!(world.answers(1).len(), 2);
    let text = world.issue(issues[0]).body;
    assert!(text.starts_with("## Triage summary, 2026-W47\n"), "{text}");
    // It is not triaged, and not counted.
    assert!(world.labels(issues[0]).is_empty());
    world
        .sim
        .edit_issue(
            "ada",
            REPOSITORY,
            ours,
            Some("Hubs that start at once"),
            None,
        )
        .expect("an edit");
    world.at_rest(&clock).await;
    world.stop().await;
    world.start().await;
    world.at_rest(&clock).await;
    let policy = world.rules().0;
    let wish = digest::Wish {
        week: "2026-W47".to_owned(),
    };
    let now = world.setup.clock.now();
    let store = &world.service().store;
    wish.ask(&**store, world.installation, &policy.digests[0].id, now)
        .await
        .expect("asked");
    world.at_rest(&clock).await;
    assert_eq!(made(&world), issues);
    let text = world.issue(issues[0]).body;
    assert!(text.contains("Hubs that start at once"), "{text}");
    assert_eq!(world.answers(1).len(), 2);
    world.end().await;
}

/// A week is a week whatever the clocks do: the night in which an hour is skipped, and the one in
/// which it comes twice.
#[tokio::test]
async fn clocks_that_change_neither_skip_a_week_nor_repeat_one() {
    for (start, day) in [
        // Of 29 March 2026, London has no half past one.
        ("2026-03-27T12:00:00Z", "sunday 01:30"),
        // Of 25 October 2026, it has two.
        ("2026-10-23T12:00:00Z", "sunday 01:30"),
    ] {
        let (_, setup) = by_hand();
        let clock = ManualClock::new(start.parse().expect("a time"));
        let setup = Setup {
            clock: Arc::new(clock.clone()),
            policy: Some(POSTED.replace("monday 09:00", day)),
            ..setup
        };
        let world = posting(setup).await;
        // From Friday noon to Saturday midnight, and then in steps of twenty minutes.
        world.later(&clock, HOUR * 36).await;
        assert_eq!(world.answers(1).len(), 0, "{start}");
        for _ in 0..9 {
            world.later(&clock, HOUR / 3).await;
        }
        assert_eq!(world.answers(1).len(), 1, "{start}");
        world.later(&clock, HOUR * 24 * 7).await;
        assert_eq!(world.answers(1).len(), 2, "{start}");
        world.end().await;
    }
}
