//! What happens in the demo, and how it must end.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::policy::Policy;
use crate::service::Running;
use crate::sim::example::{BOARD, ORGANIZATION, REPOSITORY};
use crate::sim::{Sim, SimError, SimServer};

use super::{boards, transcript};

/// Where the story is played.
pub(super) struct Stage {
    pub sim: Sim,
    pub github: SimServer,
    pub service: Running,
    pub policy: Arc<Policy>,
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
pub(super) struct Ending {
    pub what: &'static str,
    pub number: u64,
    pub labels: &'static [&'static str],
    pub on_board: bool,
    /// Where its card must be, if that is part of the story.
    pub column: Option<&'static str>,
    pub answers: usize,
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
    let mut endings = Vec::new();
    for scene in &SCENES {
        endings.push(scene.play(stage).await?);
    }
    humans_win(stage, &mut endings).await?;
    the_lead_steers(stage, &mut endings).await?;
    questions_and_second_thoughts(stage, &mut endings).await?;
    boards::nothing_starts_unseen(stage, &mut endings).await?;
    boards::few_things_at_once(stage, &mut endings).await?;
    once_more(stage).await?;
    boards::the_week_is_over(stage).await?;
    Ok(endings)
}

/// Somebody opens an issue, and it must end so.
struct Scene {
    title: &'static str,
    what: &'static str,
    by: &'static str,
    issue: &'static str,
    /// Type, impact and description of the form.
    form: [&'static str; 3],
    /// How often the author comments that it is urgent.
    shouts: usize,
    labels: &'static [&'static str],
    on_board: bool,
    answers: usize,
}

const SCENES: [Scene; 6] = [
    Scene {
        title: "A quiet request",
        what: "the quiet request",
        by: "ada",
        issue: "Please add RStudio to our hub",
        form: [
            "Feature Request",
            "Medium",
            "We write papers and want reproducible environments for our researchers.",
        ],
        shouts: 0,
        labels: &["goal/research", "kind/feature", "triage/needs-triage"],
        on_board: true,
        answers: 1,
    },
    Scene {
        title: "A loud one: it is treated just the same, however often it is repeated",
        what: "the loud request",
        by: "loud-larry",
        issue: "PLEASE ADD GPUS NOW!!! URGENT!!!",
        form: [
            "Feature Request",
            "Medium",
            "OUR RESEARCHERS NEED IT NOW!!!",
        ],
        shouts: 5,
        labels: &["goal/research", "kind/feature", "triage/needs-triage"],
        on_board: true,
        answers: 1,
    },
    Scene {
        title: "A critical one, from somebody who works here: it skips the queue",
        what: "the critical request",
        by: "sam",
        issue: "Enable larger home directories",
        form: [
            "Feature Request",
            "Critical",
            "Every home directory is full and backups fail.",
        ],
        shouts: 0,
        labels: &["goal/reliability", "kind/feature", "triage/accepted"],
        on_board: true,
        answers: 0,
    },
    Scene {
        title: "A question",
        what: "the question",
        by: "grace",
        issue: "How do I install a package for everybody?",
        form: [
            "Technical questions",
            "Low",
            "I could not find it in the guide.",
        ],
        shouts: 0,
        labels: &["kind/support", "support"],
        on_board: false,
        answers: 0,
    },
    Scene {
        title: "A workshop, filed as a feature request",
        what: "the workshop",
        by: "alan",
        issue: "Workshop on Earth data in March",
        form: [
            "Feature Request",
            "High",
            "Forty people, two days in March.",
        ],
        shouts: 0,
        labels: &["goal/scalable-engagement", "kind/event"],
        on_board: false,
        answers: 0,
    },
    Scene {
        title: "A request that serves none of our goals: a finding, not a failure",
        what: "the request without a goal",
        by: "grace",
        issue: "Please offer a dark log-in page",
        form: ["Feature Request", "Low", "It is so bright in the evening."],
        shouts: 0,
        labels: &["kind/feature", "no-goal-yet", "triage/needs-triage"],
        on_board: true,
        answers: 1,
    },
];

impl Scene {
    async fn play(&self, stage: &Stage) -> Result<Ending, SimError> {
        transcript::scene(self.title);
        transcript::act(self.by, &format!("opens “{}”", self.issue));
        let [kind, impact, text] = self.form;
        let body = form(kind, impact, text);
        let number = stage
            .sim
            .open_issue(self.by, REPOSITORY, self.issue, &body, &[])?;
        stage.watch().await;
        for _ in 0..self.shouts {
            let shout = "Any news? This is URGENT!!!";
            stage.sim.comment(self.by, REPOSITORY, number, shout)?;
        }
        if self.shouts > 0 {
            let times = self.shouts;
            transcript::act(
                self.by,
                &format!("comments {times} times that it is URGENT"),
            );
            stage.watch().await;
        }
        Ok(Ending {
            what: self.what,
            number,
            labels: self.labels,
            on_board: self.on_board,
            column: None,
            answers: self.answers,
        })
    }
}

/// The Product Lead disagrees with a rule about the last of the issues.
async fn humans_win(stage: &Stage, endings: &mut [Ending]) -> Result<(), SimError> {
    let Some(ending) = endings.last_mut() else {
        return Ok(());
    };
    let (sim, number) = (&stage.sim, ending.number);
    transcript::scene("Humans win: the Product Lead says what it is, and that is what it stays");
    let what = format!("labels #{number} kind/docs instead of kind/feature");
    transcript::act("lea", &what);
    sim.remove_label("lea", REPOSITORY, number, "kind/feature")?;
    sim.add_label("lea", REPOSITORY, number, "kind/docs")?;
    stage.watch().await;
    transcript::act("grace", &format!("edits the title of #{number}"));
    let title = Some("Please offer a dark log-in page, or add a theme");
    sim.edit_issue("grace", REPOSITORY, number, title, None)?;
    stage.watch().await;
    ending.labels = &["kind/docs", "no-goal-yet", "triage/needs-triage"];
    Ok(())
}

/// Commands: one that is refused, one that is obeyed, and a question.
async fn the_lead_steers(stage: &Stage, endings: &mut [Ending]) -> Result<(), SimError> {
    let [quiet, loud, ..] = endings else {
        return Ok(());
    };
    transcript::scene("The Product Lead steers by commands, and everything can be asked");
    for (who, ending, text) in [
        ("loud-larry", &loud, "/triage accept because I want it"),
        (
            "lea",
            &quiet,
            "/triage accept fits the plan for this quarter",
        ),
        ("eng", &quiet, "/why triage"),
    ] {
        let number = ending.number;
        transcript::act(who, &format!("comments on #{number}: {text}"));
        stage.sim.comment(who, REPOSITORY, number, text)?;
        stage.watch().await;
    }
    loud.answers += 1;
    quiet.answers += 1;
    quiet.labels = &["goal/research", "kind/feature", "triage/accepted"];
    Ok(())
}

/// The author is asked, something is put out of the way, and a mistake is taken back.
async fn questions_and_second_thoughts(
    stage: &Stage,
    endings: &mut [Ending],
) -> Result<(), SimError> {
    let [_, loud, _, _, workshop, dark] = endings else {
        return Ok(());
    };
    transcript::scene("What is not decided yet: a question, a pause, and a second thought");
    for (ending, text) in [
        (&*dark, "/triage needs-info which page is it?"),
        (&*workshop, "/snooze 2w until the dates are fixed"),
        (&*loud, "/triage decline we have none to give"),
        (&*loud, "/undo that was meant for another one"),
    ] {
        let number = ending.number;
        transcript::act("lea", &format!("comments on #{number}: {text}"));
        stage.sim.comment("lea", REPOSITORY, number, text)?;
        stage.watch().await;
    }
    dark.labels = &["kind/docs", "no-goal-yet", "triage/needs-info"];
    workshop.answers += 1; // until when
    loud.answers += 1; // kindly, and why
    Ok(())
}

async fn once_more(stage: &Stage) -> Result<(), SimError> {
    let sim = &stage.sim;
    transcript::scene("GitHub sends everything once more: nothing is done twice");
    let before = sim.writes().len();
    let again: Vec<u64> = sim.deliveries().iter().map(|d| d.id).collect();
    let sent = again.into_iter().filter(|id| sim.redeliver(*id)).count();
    transcript::act("GitHub", &format!("sends {sent} webhooks again"));
    stage.watch().await;
    if sim.writes().len() == before {
        Ok(())
    } else {
        Err(SimError::Missing("silence after redeliveries".to_owned()))
    }
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
    let column = card.and_then(|card| card.fields.get("Status").cloned());
    if ending
        .column
        .is_some_and(|wants| column.as_deref() != Some(wants))
    {
        let (is, want) = (
            column.unwrap_or_default(),
            ending.column.unwrap_or_default(),
        );
        found.push(format!("{}: is in {is}, wants {want}", ending.what));
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
    pub async fn watch(&self) {
        loop {
            self.sim.settled().await;
            let seen = self.sim.deliveries().len();
            if self.is_quiet().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
                self.sim.settled().await;
                if self.is_quiet().await && self.sim.deliveries().len() == seen {
                    break;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        transcript::what_the_bot_did(self).await;
    }

    async fn is_quiet(&self) -> bool {
        let counts = self.service.store.counts().await;
        counts.is_ok_and(|counts| counts.is_quiet(SystemClock.now()))
    }
}
