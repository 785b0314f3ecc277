//! What happened before the bot was installed is read from GitHub, once.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use northstar::clock::ManualClock;
use northstar::digest;
use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use northstar::sim::{Fault, FaultKind, Sim, When};
use northstar::store::{Happened, Past};
use northstar::worker::WorkerConfig;

use crate::world::{Setup, World};

const ON: (&str, u64) = (ORGANIZATION, BOARD);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn reading(clock: &ManualClock, before: impl Fn(&Sim) + Send + Sync + 'static) -> Setup {
    Setup {
        clock: Arc::new(clock.clone()),
        worker: WorkerConfig {
            read_history: true,
            ..Setup::default().worker
        },
        before: Box::new(before),
        ..Setup::default()
    }
}

fn september() -> (ManualClock, Timestamp) {
    let begin = "2026-09-01T12:00:00Z".parse().expect("a time");
    (ManualClock::new(begin), begin)
}

impl World {
    async fn read_back(&self) -> Past {
        let store = &self.service().store;
        loop {
            let past = store.past(self.installation).await.expect("the past");
            if past.read_back {
                return past;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    async fn went_through(&self, number: u64) -> Vec<(Timestamp, Happened)> {
        let item = self.item(number).await;
        let past = self.read_back().await;
        let about = past.history.into_iter().filter(|(i, _)| *i == item);
        let mut about: Vec<_> = about.map(|(_, h)| (h.at, h.what)).collect();
        about.sort_by_key(|(at, _)| *at);
        about
    }

    fn pages_read(&self) -> usize {
        let requests = self.sim.requests();
        let pages = requests
            .iter()
            .filter(|r| r.operation.as_deref() == Some("History"));
        pages.count()
    }
}

fn closed(reason: &str) -> Happened {
    Happened::Closed {
        reason: reason.to_owned(),
    }
}

fn kind(values: &[&str]) -> Happened {
    Happened::Attribute {
        name: "kind".to_owned(),
        values: values.iter().map(|v| (*v).to_owned()).collect(),
        by_person: true,
    }
}

#[tokio::test]
async fn what_issues_went_through_is_known_and_nobody_is_answered() {
    let (clock, begin) = september();
    let setup = reading(&clock, {
        let clock = clock.clone();
        move |sim| {
            let open = |title: &str| {
                sim.open_issue("ada", REPOSITORY, title, "We need it.", &[])
                    .expect("an issue")
            };
            let n = open("Our hub is down");
            let next = |days| clock.advance(DAY * days);
            let label = |name: &str, on: bool| {
                if on {
                    sim.add_label("sam", REPOSITORY, n, name)
                } else {
                    sim.remove_label("sam", REPOSITORY, n, name)
                }
                .expect("a label");
            };
            next(1);
            label("kind/bug", true);
            next(1);
            label("kind/bug", false);
            next(1);
            label("kind/support", true);
            sim.add_to_project("sam", ON, REPOSITORY, n)
                .expect("a card");
            sim.move_card("sam", ON, (REPOSITORY, n), "In Progress")
                .expect("a move");
            next(2);
            sim.close("sam", REPOSITORY, n, true).expect("closed");
            next(2);
            sim.reopen("ada", REPOSITORY, n).expect("reopened");
            next(3);
            sim.close("sam", REPOSITORY, n, false).expect("closed");
            open("Please add RStudio");
            next(30);
        }
    });
    let mut world = World::with(setup).await;
    let past = world.read_back().await;
    world.settled().await;

    let of_day = |days| begin + DAY * days;
    let went = world.went_through(1).await;
    let issue: Vec<_> = went
        .iter()
        .filter(|(_, what)| !matches!(what, Happened::Field { .. }))
        .cloned()
        .collect();
    assert_eq!(
        issue,
        [
            (of_day(0), Happened::Opened),
            (of_day(1), kind(&["bug"])),
            (of_day(2), kind(&[])),
            (of_day(3), kind(&["support"])),
            (of_day(5), closed("completed")),
            (of_day(7), Happened::Reopened),
            (of_day(10), closed("not_planned")),
        ]
    );
    assert!(
        went.iter().any(|(at, what)| *at == of_day(3)
            && matches!(what, Happened::Field { to, .. } if to == "In Progress")),
        "{went:#?}"
    );
    assert_eq!(past.issues.len(), 2);
    let policy = world.rules().0;
    let declared = &policy.digests[0];
    let schedule = digest::schedule(declared).expect("a schedule");
    let slot = schedule.next(world.setup.clock.now());
    let place = digest::place(declared, &past);
    let summary = digest::of_slot(&policy, declared, (&schedule, &slot), &place, &past, &[]);
    let figure = |id: &str| {
        let line = summary.kpis.iter().find(|line| line.id == id);
        line.expect("declared").figure
    };
    // Tuesday noon to the noon of Friday next.
    let resolved = figure("support-p50");
    assert_eq!(resolved.value, Some(8.0));
    assert!(resolved.coverage >= 1.0, "{resolved:?}");
    // Moves of cards are remembered by nobody.
    assert!(figure("cycle-time").coverage < 0.2);
    assert!(world.answers(2).is_empty(), "nobody asked");
    assert!(world.labels(2).is_empty(), "nobody asked");

    // Once: another start reads nothing.
    assert_eq!(world.pages_read(), 2, "a page of each repository");
    world.stop().await;
    world.start().await;
    world.settled().await;
    assert_eq!(world.pages_read(), 2);
    // Who acts on an old issue has it looked at.
    world
        .sim
        .edit_issue("ada", REPOSITORY, 2, Some("Please add RStudio now"), None)
        .expect("an edit");
    world.settled().await;
    assert!(!world.labels(2).is_empty());
    let opened = world.went_through(2).await;
    let opened = opened.iter().filter(|(_, what)| *what == Happened::Opened);
    assert_eq!(opened.count(), 1);
    world.end().await;
}

/// Pages that fail are read again, what was read is not told twice, and what the bot saw with its
/// own eyes stays as it saw it.
#[tokio::test]
async fn reading_that_is_interrupted_goes_on_and_tells_nothing_twice() {
    const ISSUES: u64 = 260;
    let (clock, _) = september();
    let mut setup = reading(&clock, {
        let clock = clock.clone();
        move |sim| {
            for n in 0..ISSUES {
                sim.open_issue("ada", REPOSITORY, &format!("Wish {n}"), "Please.", &[])
                    .expect("an issue");
                clock.advance(SignedDuration::from_secs(60));
            }
            sim.close("lea", REPOSITORY, 7, true).expect("closed");
            clock.advance(DAY);
        }
    });
    setup.worker.read_history = false;
    let mut world = World::with(setup).await;
    world
        .sim
        .edit_issue("ada", REPOSITORY, 3, Some("Please add RStudio"), None)
        .expect("an edit");
    let seen = world.open("ada", "Seen as it was opened", "Please.");
    world.settled().await;
    world.stop().await;
    world.setup.worker.read_history = true;
    world.sim.fault(Fault {
        when: When::graphql("History"),
        times: 1,
        kind: FaultKind::Status(502, Vec::new()),
    });
    world.start().await;
    let reading = async {
        loop {
            clock.advance(SignedDuration::from_secs(1));
            let past = world.service().store.past(world.installation).await;
            if past.expect("the past").read_back {
                return;
            }
            if world.pages_read() == 5 {
                // The first four pages are written, the fifth perhaps not.
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    reading.await;
    world.stop().await;
    world.start().await;
    let past = loop {
        clock.advance(SignedDuration::from_secs(1));
        let past = world.service().store.past(world.installation).await;
        let past = past.expect("the past");
        if past.read_back {
            break past;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    let issues = usize::try_from(ISSUES).expect("few") + 1;
    let opened = past
        .history
        .iter()
        .filter(|(_, h)| h.what == Happened::Opened);
    assert_eq!(opened.count(), issues);
    assert_eq!(past.issues.len(), issues);
    let closed = past
        .history
        .iter()
        .filter(|(_, h)| h.what == closed("completed"));
    assert_eq!(closed.count(), 1);
    // What the bot saw is as it was.
    assert!(!world.labels(seen).is_empty());
    assert!(!world.labels(3).is_empty());
    assert!(world.labels(4).is_empty());
    world.settled().await;
    world.end().await;
}
