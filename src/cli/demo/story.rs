//! What happens in the demo, and how it must end.

use std::time::Duration;

use crate::service::Running;
use crate::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use crate::sim::{Sim, SimError, SimServer};

use super::transcript;

/// Where the story is played.
pub(super) struct Stage {
    pub sim: Sim,
    pub github: SimServer,
    pub service: Running,
    pub _directory: tempfile::TempDir,
}

/// What was found wrong at the end; empty is a good ending.
pub(super) type Differences = Vec<String>;

const FORM: &str = "### Ticket request type\n\n{type}\n\n### Ticket impact\n\n{impact}\n\n### Description\n\n{text}";

fn form(kind: &str, impact: &str, text: &str) -> String {
    FORM.replace("{type}", kind)
        .replace("{impact}", impact)
        .replace("{text}", text)
}

/// How an issue must stand when all is said.
struct Ending {
    what: &'static str,
    number: u64,
    labels: &'static [&'static str],
    on_board: bool,
    answers: usize,
}

/// Plays the story and compares what the simulated GitHub shows with how it must end.
pub(super) async fn play(stage: &Stage) -> Differences {
    match acts(stage).await {
        Ok(endings) => endings
            .iter()
            .flat_map(|ending| differences(stage, ending))
            .collect(),
        Err(error) => vec![format!("the story broke off: {error}")],
    }
}

async fn acts(stage: &Stage) -> Result<Vec<Ending>, SimError> {
    let sim = &stage.sim;
    let open = |by: &str, title: &str, body: &str| {
        transcript::act(by, &format!("opens “{title}”"));
        sim.open_issue(by, REPOSITORY, title, body, &[])
    };
    let mut endings = Vec::new();

    transcript::scene("A quiet request");
    let text = "We write papers and want reproducible environments for our researchers.";
    let body = form("Feature Request", "Medium", text);
    let quiet = open("ada", "Please add RStudio to our hub", &body)?;
    stage.watch().await;
    endings.push(Ending {
        what: "the quiet request",
        number: quiet,
        labels: &["goal/research", "kind/feature", "triage/needs-triage"],
        on_board: true,
        answers: 1,
    });

    transcript::scene("A loud one: it is treated just the same, however often it is repeated");
    let body = form(
        "Feature Request",
        "Medium",
        "OUR RESEARCHERS NEED IT NOW!!!",
    );
    let loud = open("loud-larry", "PLEASE ADD GPUS NOW!!! URGENT!!!", &body)?;
    stage.watch().await;
    for _ in 0..5 {
        sim.comment(
            "loud-larry",
            REPOSITORY,
            loud,
            "Any news? This is URGENT!!!",
        )?;
    }
    transcript::act("loud-larry", "comments five times that it is URGENT");
    stage.watch().await;
    endings.push(Ending {
        what: "the loud request",
        number: loud,
        labels: &["goal/research", "kind/feature", "triage/needs-triage"],
        on_board: true,
        answers: 1,
    });

    transcript::scene("A critical one, from somebody who works here: it skips the queue");
    let text = "Every home directory is full and backups fail.";
    let body = form("Feature Request", "Critical", text);
    let critical = open("sam", "Enable larger home directories", &body)?;
    stage.watch().await;
    endings.push(Ending {
        what: "the critical request",
        number: critical,
        labels: &["goal/reliability", "kind/feature", "triage/accepted"],
        on_board: true,
        answers: 0,
    });

    transcript::scene("A question");
    let body = form(
        "Technical questions",
        "Low",
        "I could not find it in the guide.",
    );
    let question = open("grace", "How do I install a package for everybody?", &body)?;
    stage.watch().await;
    endings.push(Ending {
        what: "the question",
        number: question,
        labels: &["kind/support", "support"],
        on_board: false,
        answers: 0,
    });

    transcript::scene("A workshop, filed as a feature request");
    let body = form(
        "Feature Request",
        "High",
        "Forty people, two days in March.",
    );
    let workshop = open("alan", "Workshop on Earth data in March", &body)?;
    stage.watch().await;
    endings.push(Ending {
        what: "the workshop",
        number: workshop,
        labels: &["goal/scalable-engagement", "kind/event"],
        on_board: false,
        answers: 0,
    });

    transcript::scene("A request that serves none of our goals: a finding, not a failure");
    let body = form("Feature Request", "Low", "It is so bright in the evening.");
    let aimless = open("grace", "Please offer a dark log-in page", &body)?;
    stage.watch().await;
    endings.push(Ending {
        what: "the request without a goal",
        number: aimless,
        labels: &["kind/feature", "no-goal-yet", "triage/needs-triage"],
        on_board: true,
        answers: 1,
    });

    transcript::scene("Humans win: the Product Lead says what it is, and that is what it stays");
    transcript::act(
        "lea",
        &format!("labels #{aimless} kind/docs instead of kind/feature"),
    );
    sim.remove_label("lea", REPOSITORY, aimless, "kind/feature")?;
    sim.add_label("lea", REPOSITORY, aimless, "kind/docs")?;
    stage.watch().await;
    transcript::act("grace", &format!("edits the title of #{aimless}"));
    let title = Some("Please offer a dark log-in page, or add a theme");
    sim.edit_issue("grace", REPOSITORY, aimless, title, None)?;
    stage.watch().await;
    if let Some(ending) = endings.last_mut() {
        ending.labels = &["kind/docs", "no-goal-yet", "triage/needs-triage"];
    }

    transcript::scene("GitHub sends everything once more: nothing is done twice");
    let before = sim.writes().len();
    let again: Vec<u64> = sim.deliveries().iter().map(|d| d.id).collect();
    let sent = again.into_iter().filter(|id| sim.redeliver(*id)).count();
    transcript::act("GitHub", &format!("sends {sent} webhooks again"));
    stage.watch().await;
    if sim.writes().len() != before {
        return Err(SimError::Missing("silence after redeliveries".to_owned()));
    }
    Ok(endings)
}

fn differences(stage: &Stage, ending: &Ending) -> Differences {
    let Some(issue) = stage.sim.issue(REPOSITORY, ending.number) else {
        return vec![format!("{}: the issue is gone", ending.what)];
    };
    let mut found = Vec::new();
    let mut labels = issue.labels;
    labels.sort();
    if labels != ending.labels {
        let (is, want) = (labels.join(", "), ending.labels.join(", "));
        found.push(format!("{}: has labels {is}, wants {want}", ending.what));
    }
    let card = stage
        .sim
        .card(ORGANIZATION, BOARD, REPOSITORY, ending.number);
    if card.is_some() != ending.on_board {
        let is = if ending.on_board { "not " } else { "" };
        found.push(format!("{}: is {is}on the board", ending.what));
    }
    let answers = issue
        .comments
        .iter()
        .filter(|c| c.author == "northstar[bot]")
        .count();
    if answers != ending.answers {
        let want = ending.answers;
        found.push(format!(
            "{}: has {answers} answers, wants {want}",
            ending.what
        ));
    }
    found
}

impl Stage {
    /// Waits until the bot has nothing left to do, then tells what it did.
    async fn watch(&self) {
        loop {
            self.sim.settled().await;
            let quiet = |c: crate::store::Counts| c.pending == 0 && c.wants_write == 0;
            let seen = self.sim.deliveries().len();
            if self.service.store.counts().await.is_ok_and(quiet) {
                tokio::time::sleep(Duration::from_millis(10)).await;
                self.sim.settled().await;
                let still = self.service.store.counts().await.is_ok_and(quiet);
                if still && self.sim.deliveries().len() == seen {
                    break;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        transcript::what_the_bot_did(self).await;
    }
}
