//! People change one thing in every way there is, and what GitHub tells of it comes in any order: what
//! they did last is what stands.
//!
//! `NORTHSTAR_SEEDS` (`100`, or `52..53`) plays other stories than the few that are played by default.

use std::time::Duration;

use futures_util::StreamExt;

use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use northstar::sim::{Fault, FaultKind, WebhookFault, WebhookFaultKind, When};
use northstar::store::AuditQuery;

use crate::world::World;

const ON: (&str, u64) = (ORGANIZATION, BOARD);
const KINDS: [&str; 5] = ["feature", "bug", "docs", "task", "initiative"];

/// GitHub's times are whole seconds: what is done in two of them is told apart.
const A_SECOND: Duration = Duration::from_millis(1_050);

/// A splitmix step.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).expect("small")
    }

    fn maybe(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// What comes next may be held back, what was held back comes, or GitHub answers badly once.
async fn weather(world: &World, random: &mut Random, told: &mut Vec<String>) {
    match random.below(6) {
        0 | 1 => {
            let times = 1 + random.below(3);
            told.push(format!("hold {times}"));
            world.sim.webhook_fault(WebhookFault {
                event: None,
                times: u32::try_from(times).expect("small"),
                kind: WebhookFaultKind::Hold,
            });
        }
        2 => {
            let reversed = random.maybe();
            told.push(format!("release, reversed: {reversed}"));
            world.sim.clear_faults();
            world.sim.release_webhooks(reversed);
        }
        3 => {
            let kind = match random.below(4) {
                0 => FaultKind::StatusAfter(502),
                1 => FaultKind::DropAfter,
                2 => FaultKind::DropBefore,
                _ => FaultKind::Delay(Duration::from_millis(300)),
            };
            told.push(format!("{kind:?}"));
            world.sim.fault(Fault {
                when: When::any(),
                times: 1,
                kind,
            });
        }
        _ => {}
    }
    if random.maybe() {
        told.push("settled".to_owned());
        world.settled().await;
    }
}

/// The Product Lead says what kind of work it is.
fn change(world: &World, n: u64, kind: &str, random: &mut Random) -> String {
    let sim = &world.sim;
    let label = format!("kind/{kind}");
    let mut others = world.labels(n);
    others.retain(|l| l.starts_with("kind/") && *l != label);
    let is_on = world.labels(n).contains(&label);
    let (first, rest) = kind.split_at(1);
    let option = first.to_uppercase() + rest;
    let field = world.card(n).map(|card| card.fields.get("type").cloned());
    // What it says already is no change.
    match random.below(4) {
        1 if field.is_some_and(|shows| shows.as_ref() != Some(&option)) => {
            sim.set_field("lea", ON, (REPOSITORY, n), "type", &option)
                .expect("a field");
            format!("field {option}")
        }
        way @ 2.. if !is_on || !others.is_empty() => {
            // Whoever adds one need not take the other off.
            if way == 2 || is_on {
                for other in others {
                    sim.remove_label("lea", REPOSITORY, n, &other)
                        .expect("a label");
                }
            }
            if !is_on {
                sim.add_label("lea", REPOSITORY, n, &label)
                    .expect("a label");
            }
            format!("label {kind} ({way})")
        }
        _ => {
            let text = format!("/kind {kind}");
            sim.comment("lea", REPOSITORY, n, &text).expect("a comment");
            text
        }
    }
}

async fn story(seed: u64) {
    let mut random = Random(seed);
    let world = World::new().await;
    let mut told = vec![format!("seed {seed}")];
    weather(&world, &mut random, &mut told).await;
    let mut kind = KINDS[random.below(KINDS.len())];
    let n = if random.maybe() {
        told.push(format!("lea opens it as {kind}"));
        let label = format!("kind/{kind}");
        let opened = world
            .sim
            .open_issue("lea", REPOSITORY, "Please add RStudio", "", &[&label]);
        opened.expect("an issue")
    } else {
        told.push("ada opens it".to_owned());
        let n = world.open("ada", "Please add RStudio", "");
        kind = "feature";
        n
    };
    for _ in 0..3 {
        tokio::time::sleep(A_SECOND).await;
        weather(&world, &mut random, &mut told).await;
        let other: Vec<&str> = KINDS.into_iter().filter(|k| *k != kind).collect();
        kind = other[random.below(other.len())];
        told.push(change(&world, n, kind, &mut random));
        weather(&world, &mut random, &mut told).await;
    }
    let reversed = random.maybe();
    told.push(format!("the end, reversed: {reversed}"));
    world.sim.clear_faults();
    world.sim.release_webhooks(reversed);
    world.settled().await;

    let labels = world.labels(n);
    let kinds: Vec<_> = labels.iter().filter(|l| l.starts_with("kind/")).collect();
    for e in world.ledger(n, "kind").await {
        let at = e.said_at.unwrap_or(e.at).strftime("%S");
        told.push(format!("{at} {:?} {} by {}", e.rank, e.value, e.cause));
    }
    let query = AuditQuery {
        installation: Some(world.installation),
        ..AuditQuery::default()
    };
    let mut trail = world.service().store.audit(&query).await.expect("lines");
    trail.reverse();
    for line in trail.iter().filter(|line| line.kind != "decision") {
        let at = line.at.strftime("%S.%3f");
        told.push(format!("{at} {}: {}", line.kind, line.detail));
    }
    let told = format!("{told:#?}\n{labels:?}");
    assert_eq!(kinds, [&format!("kind/{kind}")], "{told}");
    if let Some(card) = world.card(n) {
        assert_eq!(card.fields["type"].to_lowercase(), kind, "{told}");
    }
    let writes = world.sim.writes().len();
    for delivery in world.sim.deliveries() {
        world.sim.redeliver(delivery.id);
    }
    world.settled().await;
    assert_eq!(world.sim.writes().len(), writes, "{told}");
    world.stop_anyhow().await;
}

#[tokio::test]
async fn what_was_done_last_is_what_stands() {
    let seeds = std::env::var("NORTHSTAR_SEEDS").unwrap_or_default();
    let (first, end) = seeds.split_once("..").unwrap_or(("0", &seeds));
    let seeds: std::ops::Range<u64> = first.parse().unwrap_or(0)..end.parse().unwrap_or(12);
    // Some at once: most of the time they wait for GitHub's seconds.
    futures_util::stream::iter(seeds)
        .for_each_concurrent(12, story)
        .await;
}
