//! One pass: items side by side, each one's events in order, and no request too many.

use std::collections::BTreeSet;

use northstar::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use northstar::triage::attribute::AttributeValue;
use serde_json::Value;

use crate::world::{Setup, World};

const FORM: &str = "### Ticket request type\n\nFeature Request\n\n### Ticket impact\n\nHigh\n\n\
                    ### Description\n\nWe write papers and want reproducible datasets.";

#[tokio::test]
async fn a_new_request_takes_at_most_four_writes_and_two_reads() {
    let world = World::new().await;
    world.warmed_up().await;
    let n = world.open("ada", "Please add RStudio", FORM);
    world.settled().await;
    assert_eq!(
        world.labels(n),
        ["goal/research", "kind/feature", "triage/needs-triage"]
    );
    assert_eq!(world.card(n).expect("a card").fields.len(), 2);
    assert_eq!(world.answers(n).len(), 1);
    let (reads, writes) = (world.reads(), world.sim.writes());
    println!(
        "a new request: {} reads, {} writes",
        reads.len(),
        writes.len()
    );
    for request in world.sim.requests() {
        println!("  {} {} {:?}", request.method, request.path, request.fields);
    }
    assert!(reads.len() <= 2, "{reads:#?}");
    assert!(writes.len() <= 4, "{writes:#?}");
    world.end().await;
}

#[tokio::test]
async fn redeliveries_echoes_and_events_that_change_nothing_write_nothing() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", FORM);
    world.settled().await;
    world.sim.forget_requests();
    // Everything so far once more, under its own GUID: the person's act and the bot's echoes.
    for delivery in world.sim.deliveries() {
        world.sim.redeliver(delivery.id);
    }
    world.settled().await;
    // The echoes under new GUIDs, as GitHub sends them when somebody does the same at that time.
    let echoes = world.sim.deliveries().into_iter().filter(|d| !d.redelivery);
    for (i, echo) in echoes.enumerate() {
        let guid = format!("echo-{i}");
        let answer = world.deliver(&echo.event, &guid, &echo.json()).await;
        assert_eq!(answer.status, 202);
    }
    world.settled().await;
    let sim = &world.sim;
    sim.comment("ada", REPOSITORY, n, "Thank you!")
        .expect("a comment");
    sim.to_top("lea", (ORGANIZATION, BOARD), (REPOSITORY, n))
        .expect("a card");
    sim.edit_issue("ada", REPOSITORY, n, None, Some(&format!("{FORM} ")))
        .expect("an edit");
    sim.ping();
    world.settled().await;
    assert!(world.sim.writes().is_empty(), "{:#?}", world.sim.writes());
    println!("reads for nothing new: {}", world.reads().len());
    world.end().await;
}

#[tokio::test]
async fn many_requests_are_triaged_side_by_side() {
    let world = World::new().await;
    let numbers: Vec<u64> = (0..12)
        .map(|i| world.open("ada", &format!("Please add tool {i}"), FORM))
        .collect();
    world.settled().await;
    for n in numbers {
        assert_eq!(
            world.labels(n),
            ["goal/research", "kind/feature", "triage/needs-triage"],
            "#{n}"
        );
        assert_eq!(world.card(n).expect("a card").fields["impact"], "High");
        assert_eq!(world.answers(n).len(), 1, "#{n}");
    }
    assert!(world.sim.writes().len() <= 12 * 4);
    world.end().await;
}

#[tokio::test]
async fn what_happens_to_one_item_is_taken_in_order() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", FORM);
    world.settled().await;
    let kinds = ["bug", "docs", "task", "support", "event", "initiative"];
    let mut shown = "feature".to_owned();
    for kind in kinds {
        let sim = &world.sim;
        sim.remove_label("lea", REPOSITORY, n, &format!("kind/{shown}"))
            .expect("a label");
        sim.add_label("lea", REPOSITORY, n, &format!("kind/{kind}"))
            .expect("a label");
        shown = kind.to_owned();
    }
    for i in 0..10 {
        let title = format!("Please add RStudio, again {i}");
        world
            .sim
            .edit_issue("ada", REPOSITORY, n, Some(&title), None)
            .expect("an edit");
    }
    world.settled().await;
    let acts = world.ledger(n, "kind").await;
    let by_hand: Vec<String> = acts
        .iter()
        .filter(|e| e.by.is_some() && !e.value.is_empty())
        .map(|e| e.value.to_string())
        .collect();
    assert_eq!(by_hand, kinds);
    let mirror = world.record(n).await.issue.expect("a copy");
    assert_eq!(mirror.issue.title, "Please add RStudio, again 9");
    let shown: BTreeSet<String> = world.labels(n).into_iter().collect();
    assert!(shown.contains("kind/initiative") && !shown.contains("kind/event"));
    assert_eq!(world.card(n).expect("a card").fields["type"], "Initiative");
    world.end().await;
}

#[tokio::test]
async fn ten_quick_edits_are_one_state_and_no_more_comments() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", FORM);
    world.settled().await;
    world.sim.forget_requests();
    for i in 0..9 {
        let body = format!("{FORM} Really {i}.");
        world
            .sim
            .edit_issue("ada", REPOSITORY, n, None, Some(&body))
            .expect("an edit");
    }
    let body = FORM
        .replace("papers", "course notes")
        .replace("reproducible datasets", "a nicer editor");
    world
        .sim
        .edit_issue("ada", REPOSITORY, n, None, Some(&body))
        .expect("an edit");
    world.settled().await;
    assert_eq!(
        world.labels(n),
        ["goal/education", "kind/feature", "triage/needs-triage"]
    );
    assert_eq!(world.answers(n).len(), 1);
    let writes = world.sim.writes();
    assert_eq!(writes.len(), 1, "{writes:#?}");
    world.end().await;
}

#[tokio::test]
async fn the_trail_says_for_every_write_which_rule_asked_and_why() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio", FORM);
    world.settled().await;
    let writes = world.audit(n, "write").await;
    assert_eq!(
        writes.len(),
        7,
        "3 labels, a row, 2 fields, a comment: {writes:#?}"
    );
    for line in &writes {
        let reason = &line.detail["change"]["reason"];
        for part in ["rule", "principle", "because"] {
            assert!(
                reason[part].as_str().is_some_and(|s| !s.is_empty()),
                "{line:?}"
            );
        }
        assert_eq!(line.detail["end"], "written");
    }
    let decisions = world.audit(n, "decision").await;
    let fired: Vec<&Value> = decisions[0].detail["fired"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|r| &r["rule"])
        .collect();
    assert!(
        fired.contains(&&Value::from("requests-wait-for-triage")),
        "{fired:?}"
    );
    let own = world.ownership(n, "kind").await;
    assert_eq!(
        own.latest(),
        Some(&AttributeValue::One("feature".to_owned()))
    );
    world.end().await;
}

#[tokio::test]
async fn what_the_policy_calls_critical_is_written_before_what_came_earlier() {
    let mut setup = Setup::default();
    setup.pacing.min_gap = std::time::Duration::from_millis(60);
    let world = World::with(setup).await;
    world.warmed_up().await;
    let earlier: Vec<u64> = (0..6)
        .map(|i| world.open("ada", &format!("Please add tool {i}"), FORM))
        .collect();
    // Everybody may write the word; it counts from somebody who works here.
    let critical = FORM.replace("High", "Critical");
    let loud = world.open("loud-larry", "Please, please add my tool", &critical);
    let urgent = world.open("sam", "Please mend the storage limits", &critical);
    world.settled().await;
    assert!(world.labels(urgent).contains(&"triage/accepted".to_owned()));
    assert!(
        world
            .labels(loud)
            .contains(&"needs-confirmation".to_owned())
    );
    let first_write = |n: u64| {
        let id = world.issue(n).node_id;
        let writes = world.sim.writes();
        let first = writes.iter().position(|w| w.body.to_string().contains(&id));
        first.unwrap_or_else(|| panic!("nothing was written to #{n}"))
    };
    let last = earlier.iter().map(|n| first_write(*n)).max();
    assert!(Some(first_write(urgent)) < last);
    assert!(Some(first_write(loud)) > last, "loud is not urgent");
    world.end().await;
}
