//! Caps on a column that is an attribute as well: commands move its cards, and rules know of them.

use crate::commands::say;
use crate::limits::{DOING, NEXT, POLICY, world};

/// The column is an attribute that people set, by hand or by command.
fn policy() -> String {
    POLICY
        .replace(
            "attributes:\n",
            "attributes:\n  stage:\n    values: { next: { option: Up Next }, \
             doing: { option: In Progress } }\n    field: delivery.Status\n",
        )
        .replace(
            "triage: member }",
            "triage: member, stage: member, snooze: product_lead }",
        )
}

#[tokio::test]
async fn what_a_cap_puts_back_stays_there() {
    let world = world(&policy()).await;
    let a = world.card_in("dev", "First", DOING);
    let b = world.card_in("dev", "Second", DOING);
    world.settled().await;
    let c = world.card_in("dev", "Third", NEXT);
    world.settled().await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    world.drag("dev", c, DOING);
    world.settled().await;
    assert_eq!([a, b, c].map(|n| world.column(n)), [DOING, DOING, NEXT]);
    // By command as by hand; what would be too much is not written in the first place.
    say(&world, "dev", c, "/stage doing").await;
    world.settled().await;
    assert_eq!([a, b, c].map(|n| world.column(n)), [DOING, DOING, NEXT]);
    // Whatever happens to it next does not bring it in either.
    say(&world, "dev", c, "/triage accepted").await;
    world.settled().await;
    assert_eq!(world.column(c), NEXT);
    let returned = world.verdicts().await;
    assert_eq!(returned.len(), 1, "{returned:?}");
    // The command stands: it goes in when there is room.
    world.drag("dev", a, "Done");
    world.settled().await;
    assert_eq!(world.column(c), DOING);
    world.end().await;
}

#[tokio::test]
async fn what_a_cap_pulls_in_stays_in() {
    let policy = policy().replace(
        "over: return\n        by_hand",
        "over: return\n        pull: true\n        by_hand",
    );
    let world = world(&policy).await;
    let a = world.card_in("dev", "First", DOING);
    let b = world.card_in("dev", "Second", DOING);
    world.settled().await;
    let c = world.card_in("dev", "Third", "Done");
    world.settled().await;
    say(&world, "dev", c, "/stage next").await;
    world.settled().await;
    assert_eq!([a, b, c].map(|n| world.column(n)), [DOING, DOING, NEXT]);
    world.drag("dev", a, "Done");
    world.settled().await;
    assert_eq!(world.column(c), DOING, "it was next");
    // What is out of the way for a while is not taken in.
    let d = world.card_in("dev", "Fourth", "Done");
    world.settled().await;
    say(&world, "lea", d, "/stage next\n/snooze 2w").await;
    world.settled().await;
    world.drag("dev", b, "Done");
    world.settled().await;
    assert_eq!([c, d].map(|n| world.column(n)), [DOING, NEXT]);
    say(&world, "dev", c, "/triage accepted").await;
    world.settled().await;
    assert_eq!([c, d].map(|n| world.column(n)), [DOING, NEXT]);
    let verdicts = world.verdicts().await;
    assert_eq!(verdicts.len(), 1, "{verdicts:?}");
    world.end().await;
}

#[tokio::test]
async fn a_cap_for_each_value_counts_them_apart_and_no_relabelling_ends_running_work() {
    let policy = POLICY
        .replace(
            "attributes:\n",
            "attributes:\n  goal: { values: [research, education], many: true, label: \"goal/{value}\" }\n",
        )
        .replace("at_most: 2\n", "at_most: 1\n        per: goal\n")
        .replace("triage: member }", "triage: member, goal: member }");
    let world = world(&policy).await;
    let card = async |title: &str, goal: &str| {
        let n = world.card_in("dev", title, NEXT);
        world.settled().await;
        if !goal.is_empty() {
            say(&world, "dev", n, &format!("/goal {goal}")).await;
        }
        world.settled().await;
        n
    };
    let a = card("A study", "research").await;
    let b = card("A course", "education").await;
    let c = card("Another study", "research").await;
    let neither = card("Mops", "").await;
    for n in [a, b, c, neither] {
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        world.drag("dev", n, DOING);
        world.settled().await;
    }
    assert_eq!(
        [a, b, c, neither].map(|n| world.column(n)),
        [DOING, DOING, NEXT, DOING]
    );
    let said = world.answers(c).pop().expect("it is said");
    for part in [
        "doing-research:",
        "1 of 1 in _In Progress_ (goal research)",
        "A study",
        "`/override doing-research`",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(!said.contains("A course"), "{said}");
    // What runs stays, whatever it is called from now on; it takes its place, though.
    say(&world, "dev", neither, "/goal education").await;
    world.settled().await;
    assert_eq!([b, neither].map(|n| world.column(n)), [DOING, DOING]);
    let d = card("Another course", "education").await;
    world.drag("dev", d, DOING);
    world.settled().await;
    assert_eq!(world.column(d), NEXT);
    let said = world.answers(d).pop().expect("it is said");
    assert!(said.contains("2 of 1 in"), "{said}");
    world.end().await;
}
