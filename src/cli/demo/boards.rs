//! The board in the demo: a gate and a cap that hold, an override, and who is next.

use crate::clock::{Clock, SystemClock};
use crate::digest::{self, Wish};
use crate::sim::SimError;
use crate::sim::example::{BOARD, ORGANIZATION, REPOSITORY};

use super::story::{Ending, Stage};
use super::transcript;

const ON: (&str, u64) = (ORGANIZATION, BOARD);
const UPCOMING: &str = "Upcoming P&S Initiatives";
const IN_FLIGHT: &str = "P&S Initiatives in flight";
const LABELS: &[&str] = &[
    "goal/platform-automation",
    "kind/initiative",
    "triage/accepted",
];
/// Where the bot says who is next: the issue that the shipped policy names for its digest.
pub(super) const DIGEST: &str = "product";

/// Somebody starts on the loud request, which nobody has looked at yet.
pub(super) async fn nothing_starts_unseen(
    stage: &Stage,
    endings: &mut [Ending],
) -> Result<(), SimError> {
    let Some(loud) = endings.get_mut(1) else {
        return Ok(());
    };
    transcript::scene("Nothing starts before somebody has looked: the board has a gate");
    let sim = &stage.sim;
    for column in ["Up Next", "In Progress"] {
        transcript::act("eng", &format!("drags #{} to {column}", loud.number));
        sim.move_card("eng", ON, (REPOSITORY, loud.number), column)?;
    }
    stage.watch().await;
    loud.column = Some("Up Next");
    loud.answers += 1;
    Ok(())
}

/// A fifth project goes back, is let past, and when two are done the next is named.
pub(super) async fn few_things_at_once(
    stage: &Stage,
    endings: &mut Vec<Ending>,
) -> Result<(), SimError> {
    transcript::scene("Few things at once: four initiatives in flight, and a fifth");
    let (sim, move_to) = (&stage.sim, |by: &str, number, column: &str| {
        transcript::act(by, &format!("drags #{number} to {column}"));
        stage.sim.move_card(by, ON, (REPOSITORY, number), column)
    });
    let digest = format!("{ORGANIZATION}/{DIGEST}");
    sim.open_issue("lea", &digest, "Triage, week by week", "", &[])?;
    let mut numbers = Vec::new();
    for title in [
        "Automate hub upgrades",
        "Automate cluster set-up",
        "Automate cost reports",
        "Automate backups",
        "Automate user sign-up",
        "Automate image builds",
    ] {
        transcript::act("lea", &format!("plans “{title}”"));
        let number = sim.open_issue("lea", REPOSITORY, title, "", LABELS)?;
        sim.add_to_project("lea", ON, REPOSITORY, number)?;
        sim.move_card("lea", ON, (REPOSITORY, number), UPCOMING)?;
        numbers.push(number);
    }
    stage.watch().await;
    for number in &numbers[..5] {
        move_to("eng", *number, IN_FLIGHT)?;
        stage.watch().await;
    }
    let fifth = numbers[4];
    let text = "/override initiatives-in-flight the funder needs it this quarter";
    transcript::act("lea", &format!("comments on #{fifth}: {text}"));
    sim.comment("lea", REPOSITORY, fifth, text)?;
    stage.watch().await;
    move_to("eng", fifth, IN_FLIGHT)?;
    stage.watch().await;
    transcript::scene("Two are done: there is room for one, and the board says who is next");
    for number in &numbers[..2] {
        move_to("eng", *number, "Done")?;
        stage.watch().await;
    }
    for (what, number, column, answers) in [
        ("the first initiative", numbers[0], "Done", 0),
        ("the second initiative", numbers[1], "Done", 0),
        ("the third initiative", numbers[2], IN_FLIGHT, 0),
        ("the fourth initiative", numbers[3], IN_FLIGHT, 0),
        ("the fifth initiative", fifth, IN_FLIGHT, 1),
        ("the sixth initiative", numbers[5], UPCOMING, 0),
    ] {
        endings.push(Ending {
            what,
            number,
            labels: LABELS,
            on_board: true,
            column: Some(column),
            answers,
        });
    }
    let named = sim
        .issue(&digest, 1)
        .map_or(0, |issue| issue.comments.len());
    if named == 1 {
        Ok(())
    } else {
        Err(SimError::Missing("word of who is next".to_owned()))
    }
}

/// The summary, which otherwise waits for its Monday.
pub(super) async fn the_week_is_over(stage: &Stage) -> Result<(), SimError> {
    transcript::scene("What a Product Lead reads on Monday: the weekly summary");
    let asked = async {
        let policy = &stage.policy;
        let declared = policy.digests.first()?;
        let schedule = digest::schedule(declared)?;
        let (store, now) = (&*stage.service.store, SystemClock.now());
        let wish = Wish {
            week: schedule.next(now).week,
        };
        let found = digest::installation_of(store, policy).await.ok()?;
        let (installation, _) = found?;
        wish.ask(store, installation, &declared.id, now).await.ok()
    };
    if asked.await.is_none() {
        return Err(SimError::Missing("the week's summary".to_owned()));
    }
    stage.service.ring();
    stage.watch().await;
    Ok(())
}
