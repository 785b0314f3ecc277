//! The walk, end to end.

use crate::world::World;

const REQUEST: &str = "### Ticket request type\n\nFeature Request\n\n### Ticket impact\n\nMedium\n\n\
                       ### Description\n\nOur researchers write papers and want reproducible datasets.";

#[tokio::test]
async fn a_new_request_is_triaged_in_one_pass() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio to our hub", REQUEST);
    world.settled().await;
    assert_eq!(
        world.labels(n),
        ["goal/research", "kind/feature", "triage/needs-triage"]
    );
    let card = world.card(n).expect("a place on the board");
    assert_eq!(card.fields["type"], "Feature");
    assert_eq!(card.fields["impact"], "Medium");
    let answers = world.answers(n);
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers[0].contains("Somebody from the product team will read it"));
    let writes = world.sim.writes();
    assert!(writes.len() <= 4, "{writes:#?}");
    world.end().await;
}
