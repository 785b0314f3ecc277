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
    say(&world, "dev", c, "/stage next").await;
    world.settled().await;
    assert_eq!([a, b, c].map(|n| world.column(n)), [DOING, DOING, NEXT]);
    world.drag("dev", a, "Done");
    world.settled().await;
    assert_eq!(world.column(c), DOING, "it was next");
    // What is out of the way for a while is not taken in.
    let d = world.card_in("dev", "Fourth", "Done");
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
