//! `/similar`: which requests may be the same, and who may hear of them.

use northstar::sim::example::{PRIVATE_REPOSITORY, REPOSITORY};

use crate::commands::{say, signs};
use crate::world::World;

/// Opens an issue among those that not everybody may see.
fn whisper(world: &World, title: &str) -> u64 {
    let opened = world
        .sim
        .open_issue("lea", PRIVATE_REPOSITORY, title, "", &[]);
    opened.expect("an issue")
}

#[tokio::test]
async fn requests_that_share_rare_words_are_listed_with_those_words() {
    let world = World::new().await;
    let n = world.open("ada", "Please add RStudio to our hub", "For research.");
    let again = world.open("grace", "RStudio on the hub, @everyone <b>please</b>", "");
    let other = world.open("grace", "The hub of Lima is slow", "");
    let done = world.open("grace", "RStudio for the hub", "");
    world.settled().await;
    world
        .sim
        .close("lea", REPOSITORY, done, true)
        .expect("closed");
    world.settled().await;

    let asked = say(&world, "sam", n, "/similar").await;
    assert_eq!(signs(&world, n, asked), ["eyes"]);
    let told = world.answers(n).pop().expect("an answer");
    assert!(
        told.contains(&format!("- #{again} RStudio on the hub")),
        "{told}"
    );
    assert!(told.contains("`rstudio`"), "{told}");
    for no in [n, other, done] {
        assert!(!told.contains(&format!("#{no} ")), "{no}: {told}");
    }
    assert!(
        !told.contains("@everyone") && !told.contains("<b>"),
        "{told}"
    );

    let alone = world.open("ada", "Julia kernels", "");
    world.settled().await;
    say(&world, "sam", alone, "/similar").await;
    let told = world.answers(alone).pop().expect("an answer");
    assert!(told.contains("no open issue"), "{told}");
    // Of another item it is asked there, where it is known who reads along.
    let elsewhere = say(&world, "sam", alone, &format!("/similar #{n}")).await;
    assert_eq!(signs(&world, alone, elsewhere), ["confused"]);
    world.end().await;
}

#[tokio::test]
async fn what_is_private_is_listed_only_among_its_own() {
    let world = World::new().await;
    let sim = &world.sim;
    sim.repository("2i2c-org", "contracts", true, &[])
        .expect("a repository");
    let public = world.open("ada", "Please add RStudio", "");
    let secret = whisper(&world, "RStudio for the Secret Garden");
    let colleague = whisper(&world, "RStudio in the Secret Garden");
    let contract = sim.open_issue(
        "lea",
        "2i2c-org/contracts",
        "RStudio, Secret Garden",
        "",
        &[],
    );
    let contract = contract.expect("an issue");
    world.settled().await;

    say(&world, "sam", public, "/similar").await;
    let told = world.answers(public).pop().expect("an answer");
    assert!(told.contains("no open issue"), "{told}");

    let asked = sim.comment("lea", PRIVATE_REPOSITORY, secret, "/similar");
    asked.expect("a comment");
    world.settled().await;
    let comments = sim.issue(PRIVATE_REPOSITORY, secret).expect("it").comments;
    let told = comments.last().expect("an answer").body.clone();
    assert!(told.contains(&format!("- #{colleague} ")), "{told}");
    assert!(!told.contains("contracts") && contract > 0, "{told}");
    // What everybody may see may be told there, too.
    let plain = whisper(&world, "Please add RStudio");
    world.settled().await;
    let asked = sim.comment("lea", PRIVATE_REPOSITORY, plain, "/similar");
    asked.expect("a comment");
    world.settled().await;
    let comments = sim.issue(PRIVATE_REPOSITORY, plain).expect("it").comments;
    let told = comments.last().expect("an answer").body.clone();
    assert!(
        told.contains(&format!("- {REPOSITORY}#{public} ")),
        "{told}"
    );

    // Nothing of it was said in public in any other way.
    for write in sim.writes() {
        let about_public = write.path.contains(REPOSITORY);
        assert!(
            !(about_public && write.body.to_string().contains("Secret Garden")),
            "{write:?}"
        );
    }
    world.end().await;
}
