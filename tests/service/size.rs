//! What a large board costs: requests are counted.

use std::time::Duration;

use jiff::SignedDuration;
use northstar::sim::example::{BOARD, ORGANIZATION, PRIVATE_REPOSITORY, REPOSITORY};
use northstar::sim::{Sim, SimError};
use northstar::worker::WorkerConfig;

use crate::limits::{DOING, NEXT, POLICY};
use crate::weather::by_hand;
use crate::world::{Setup, World};

const ON: (&str, u64) = (ORGANIZATION, BOARD);
const ITEMS: u64 = 5_000;
/// Without optimisation, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// Issues with a row each, in two repositories.
fn fill(sim: &Sim) {
    for n in 0..ITEMS {
        let repository = if n % 5 == 0 {
            PRIVATE_REPOSITORY
        } else {
            REPOSITORY
        };
        let title = format!("Item {n}");
        let number = sim.open_issue("ada", repository, &title, "Some words about it.", &[]);
        let number = number.expect("an issue");
        sim.add_to_project("dev", ON, repository, number)
            .expect("a row");
    }
}

type Happens<'a> = Box<dyn Fn() -> Result<(), SimError> + 'a>;

impl World {
    fn asked_by_graphql(&self) -> usize {
        let requests = self.sim.requests();
        requests.iter().filter(|r| r.path == "/graphql").count()
    }
}

#[tokio::test]
async fn five_thousand_items_fill_the_mirror_in_55_requests_and_an_unchanged_board_costs_two() {
    let (clock, setup) = by_hand();
    let pause = setup.worker.read_boards_every;
    let world = World::with(Setup {
        policy: Some(POLICY.to_owned()),
        worker: WorkerConfig {
            read_history: false,
            ..setup.worker
        },
        before: Box::new(fill),
        ..setup
    })
    .await;
    let pages = || {
        let requests = world.sim.requests();
        let pages = requests.iter();
        pages
            .filter(|r| r.operation.as_deref() == Some("ProjectItems"))
            .count()
    };
    let begun = std::time::Instant::now();
    // Looking is dear here: it copies all that was answered.
    while pages() < 50 && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(pages(), 50);
    while !world.is_quiet().await && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let asked = world.asked_by_graphql();
    let operations: std::collections::BTreeSet<_> = world
        .sim
        .requests()
        .into_iter()
        .map(|r| r.operation)
        .collect();
    assert!(asked <= 55, "{asked} requests: {operations:?}");
    let record = world.record(1_000).await;
    let project = record.boards.keys().next().expect("a row").clone();
    let store = &world.service().store;
    let board = store.board(world.installation, &project).await;
    let known = board.expect("the board").items.len();
    assert_eq!(u64::try_from(known).expect("a number"), ITEMS);
    assert!(world.sim.writes().is_empty(), "nobody is triaged for that");

    // It is looked over when its time has come, and nothing has changed.
    world.sim.forget_requests();
    clock.advance(pause + SignedDuration::from_secs(1));
    world
        .eventually("it is looked over", || world.asked_by_graphql() > 0)
        .await;
    world.settled().await;
    let asked = world.asked_by_graphql();
    assert!(asked <= 2, "{asked} requests");
    // Holding what was read against GitHub's schemas would take minutes.
    let mut world = world;
    world.stop().await;
}

/// Whatever happens to a row: at most one read, and that is where only GitHub can tell.
#[tokio::test]
async fn an_event_about_a_board_costs_at_most_one_read() {
    let world = crate::limits::world(POLICY).await;
    let n = world.card_in("dev", "Known", NEXT);
    world.card_in("dev", "Another", NEXT);
    world.settled().await;
    let sim = &world.sim;
    let row = (REPOSITORY, n);
    let move_to = |column: &'static str| move || sim.move_card("dev", ON, row, column);
    let archive = |on: bool| move || sim.archive("dev", ON, row, on);
    let mut costs: Vec<(&str, usize)> = Vec::new();
    let happens: Vec<(&str, Happens<'_>)> = vec![
        ("moved", Box::new(move_to(DOING))),
        ("moved out", Box::new(move_to("Done"))),
        (
            "edited",
            Box::new(|| sim.set_field("dev", ON, row, "Estimate", "5")),
        ),
        ("reordered", Box::new(|| sim.to_top("dev", ON, row))),
        ("archived", Box::new(archive(true))),
        ("restored", Box::new(archive(false))),
        ("deleted", Box::new(|| sim.delete_item("dev", ON, row))),
        (
            "created",
            Box::new(|| sim.add_to_project("dev", ON, REPOSITORY, n).map(|_| ())),
        ),
        (
            "a draft",
            Box::new(|| sim.add_draft("dev", ON, "A thought").map(|_| ())),
        ),
    ];
    for (what, happens) in &happens {
        // Of two words within one of GitHub's seconds only GitHub knows the order.
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        sim.forget_requests();
        happens().expect("it happens");
        world.settled().await;
        costs.push((what, world.reads().len()));
    }
    assert!(costs.iter().all(|(_, reads)| *reads <= 1), "{costs:?}");
    drop(happens);
    world.end().await;
}
