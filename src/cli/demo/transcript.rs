//! How the demo tells its story: who did what and, for the bot, why.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::store::AuditQuery;
use crate::triage::change::{Change, Write};
use crate::triage::plan::ANSWER;
use crate::triage::report;

use super::story::{Differences, Stage};

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

fn colour(colour: AnsiColor) -> Style {
    colour.on_default()
}

pub(super) fn opening(stage: &Stage, gap: Duration) {
    anstream::println!(
        "{BOLD}Northstar{BOLD:#} with the policy that ships (rules/), on a simulated GitHub at {}.",
        stage.github.url
    );
    anstream::println!(
        "{DIM}Mode: enforce (a fresh installation starts in observe). Pace: {} ms between writes, \
         so that you need not wait (GitHub asks for 1 s).{DIM:#}",
        gap.as_millis()
    );
}

/// What the bot left alone in this scene: each is said once.
static LEFT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

pub(super) fn scene(title: &str) {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner).clear();
    anstream::println!("\n{BOLD}{title}{BOLD:#}");
}

pub(super) fn act(who: &str, what: &str) {
    let person = colour(AnsiColor::Cyan);
    anstream::println!("  {person}{who:<11}{person:#}{what}");
}

/// Prints what the audit trail has learned since the last call.
pub(super) async fn what_the_bot_did(stage: &Stage) {
    static SEEN: AtomicI64 = AtomicI64::new(0);
    let query = AuditQuery {
        limit: 500,
        ..AuditQuery::default()
    };
    let Ok(mut lines) = stage.service.store.audit(&query).await else {
        anstream::println!("  the audit trail cannot be read");
        return;
    };
    lines.reverse();
    let seen = SEEN.load(Ordering::Relaxed);
    let mut told = 0;
    let mut held: Vec<String> = Vec::new();
    for line in lines.iter().filter(|line| line.id > seen) {
        SEEN.fetch_max(line.id, Ordering::Relaxed);
        match line.kind.as_str() {
            "write" if line.detail["end"] == "written" => {
                if let Ok(change) = serde_json::from_value(line.detail["change"].clone()) {
                    wrote(&change);
                    told += 1;
                }
            }
            "write" => {
                act("northstar", &format!("could not: {}", line.detail["error"]));
                told += 1;
            }
            "decision" => held.extend(what_was_held(&line.detail)),
            _ => {}
        }
    }
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    for line in &held {
        if left.insert(line.clone()) {
            bot(&format!("leaves it: {line}"), "");
            told += 1;
        }
    }
    match (told, held.is_empty()) {
        (0, true) => bot("nothing to do", ""),
        (0, false) => bot("leaves it, as before", ""),
        _ => {}
    }
}

fn bot(what: &str, why: &str) {
    let name = colour(AnsiColor::Green);
    anstream::println!("  {name}northstar  {name:#}{what:<41} {DIM}{why}{DIM:#}");
}

fn wrote(change: &Change) {
    let why = [&change.reason.rule, &change.reason.because];
    let why: Vec<&str> = why
        .into_iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty() && *part != ANSWER)
        .collect();
    let why = why.join(": ");
    bot(&report::in_words(&change.write), &why);
    if let Write::Comment { body, .. } | Write::EditComment { body, .. } = &change.write {
        for line in body.lines().filter(|line| !line.is_empty()) {
            // GitHub draws an escaped character as itself.
            let line = line.replace('\\', "").replace("&lt;", "<");
            let line = line.replace("&gt;", ">").replace("&amp;", "&");
            anstream::println!("             {DIM}│ {line}{DIM:#}");
        }
    }
}

fn what_was_held(detail: &Value) -> Vec<String> {
    let held = detail["held"].as_array().map(Vec::as_slice);
    held.unwrap_or_default()
        .iter()
        .map(|h| {
            let (attribute, why) = (text(&h["attribute"]), text(&h["why"]));
            let would = match &h["would_set"] {
                Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
                value => text(value),
            };
            let rule = text(&h["reason"]["rule"]);
            format!("rule {rule} would set {attribute} to {would}, but it was {why}")
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Prints how it ended; `true` for well.
pub(super) fn ending(stage: &Stage, differences: &Differences) -> bool {
    let (reads, writes): (Vec<_>, Vec<_>) =
        stage.sim.requests().into_iter().partition(|r| !r.is_write);
    anstream::println!(
        "\n{} webhooks, {} reads and {} writes later:",
        stage.sim.deliveries().len(),
        reads.len(),
        writes.len()
    );
    if differences.is_empty() {
        let good = colour(AnsiColor::Green).bold();
        anstream::println!("{good}everything is as it should be{good:#}");
    }
    let bad = colour(AnsiColor::Red).bold();
    for difference in differences {
        anstream::println!("{bad}not as it should be:{bad:#} {difference}");
    }
    differences.is_empty()
}
