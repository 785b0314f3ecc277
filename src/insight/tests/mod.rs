//! The figures against those of an independent script, and the corners of the definitions.

mod weeks;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::history::{Event, History, Known, Reason, What};
use super::kpi::{Figure, figures};
use crate::policy::kpi::Kpi;
use crate::policy::{Source, load};

pub(super) fn london() -> TimeZone {
    TimeZone::get("Europe/London").unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn file(name: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kpis");
    std::fs::read_to_string(root.join(name)).unwrap()
}

fn declared(text: &str) -> Vec<Kpi> {
    let policy = load(&[Source::new("policy.yaml", text)]).unwrap();
    policy.kpis.values().cloned().collect()
}

/// The history that the script made up.
pub(super) fn a_year() -> History {
    #[derive(Deserialize)]
    struct Header {
        known: Known,
    }
    let text = file("history.jsonl");
    let mut lines = text.lines();
    let header: Header = serde_json::from_str(lines.next().unwrap()).unwrap();
    History {
        known: header.known,
        events: lines.map(|l| serde_json::from_str(l).unwrap()).collect(),
    }
}

#[test]
fn every_figure_of_a_year_is_the_independent_script_s() {
    #[derive(Deserialize)]
    struct Week {
        end: Timestamp,
        kpis: BTreeMap<String, Wanted>,
    }
    #[derive(Deserialize)]
    struct Wanted {
        #[serde(rename = "value")]
        figure: Option<f64>,
        n: usize,
        unknown: usize,
        small: bool,
        coverage: f64,
    }
    let mut weeks: Vec<Week> = serde_json::from_str(&file("expected.json")).unwrap();
    weeks.sort_by_key(|w| w.end);
    let kpis = declared(&file("policy.yaml"));
    let ends: Vec<Timestamp> = weeks.iter().map(|w| w.end).collect();
    let found = figures(&kpis, &a_year(), &ends, &london());
    assert_eq!(weeks.len(), 56);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
    for (week, found) in weeks.iter().zip(&found) {
        assert_eq!(week.kpis.len(), kpis.len());
        for (kpi, found) in kpis.iter().zip(found) {
            let wanted = &week.kpis[&kpi.id];
            let place = format!("{} at {}", kpi.id, week.end);
            match (found.value, wanted.figure) {
                (Some(a), Some(b)) => assert!(close(a, b), "{place}: {a} for {b}"),
                (a, b) => assert_eq!(a, b, "{place}"),
            }
            assert_eq!(found.n, wanted.n, "{place}");
            assert_eq!(found.unknown, wanted.unknown, "{place}");
            assert_eq!(found.small, wanted.small, "{place}");
            assert!(close(found.coverage, wanted.coverage), "{place}");
        }
    }
}

fn event(time: &str, item: i64, what: What) -> Event {
    Event {
        at: at(time),
        item,
        what,
    }
}

fn moved(from: &str, to: &str) -> What {
    What::Moved {
        board: "b".into(),
        from: from.into(),
        to: to.into(),
    }
}

fn one(kpi: &str, mut events: Vec<Event>, end: &str) -> Figure {
    events.sort_by_key(|e| e.at);
    let head = "version: 1\nboards: { b: { project: 1 } }\nattributes: { triage: { values: [accepted], label: 't/{value}' } }\n";
    let kpis = declared(&format!("{head}kpis: [{{ id: k, {kpi} }}]"));
    let history = History {
        known: Known {
            issues: at("2020-01-01T00:00:00Z"),
            moves: at("2020-01-01T00:00:00Z"),
        },
        events,
    };
    figures(&kpis, &history, &[at(end)], &london())[0][0]
}

const CYCLE: &str = "measure: cycle_time, board: b, from: Doing, into: Done";

#[test]
fn a_failed_review_belongs_to_the_cycle_and_a_return_to_the_queue_ends_none() {
    let events = vec![
        event("2026-01-05T00:00:00Z", 1, moved("", "Doing")),
        event("2026-01-06T00:00:00Z", 1, moved("Doing", "Queue")),
        event("2026-01-07T00:00:00Z", 1, moved("Queue", "Doing")),
        event("2026-01-08T00:00:00Z", 1, moved("Doing", "Done")),
        event("2026-01-09T00:00:00Z", 1, moved("Done", "Doing")),
        event("2026-01-11T00:00:00Z", 1, moved("Doing", "Done")),
    ];
    let then = |end| one(CYCLE, events.clone(), end);
    assert_eq!(then("2026-01-07T12:00:00Z").value, None);
    assert_eq!(then("2026-01-08T12:00:00Z").value, Some(3.0));
    assert_eq!(then("2026-01-10T00:00:00Z").value, None);
    assert_eq!(then("2026-02-01T00:00:00Z").value, Some(6.0));
    assert_eq!(then("2026-02-01T00:00:00Z").n, 1);
}

#[test]
fn what_was_seen_first_while_under_way_is_unknown() {
    let events = vec![event("2026-01-08T00:00:00Z", 1, moved("Doing", "Done"))];
    let found = one(CYCLE, events, "2026-02-01T00:00:00Z");
    assert_eq!((found.value, found.n, found.unknown), (None, 0, 1));
}

#[test]
fn what_was_reopened_was_not_resolved_and_what_is_gone_is_not_closed() {
    let closed = || What::Closed {
        reason: Reason::Completed,
    };
    let mut events = vec![
        event("2026-01-05T00:00:00Z", 1, What::Opened),
        event("2026-01-06T00:00:00Z", 1, closed()),
        event("2026-01-07T00:00:00Z", 1, What::Reopened),
        event("2026-01-09T00:00:00Z", 1, closed()),
    ];
    let found = one(
        "measure: resolution",
        events.clone(),
        "2026-02-01T00:00:00Z",
    );
    assert_eq!(found.value, Some(4.0));
    events.push(event("2026-01-10T00:00:00Z", 1, What::Gone));
    let found = one("measure: resolution", events, "2026-02-01T00:00:00Z");
    assert_eq!((found.value, found.n), (None, 0));
}

#[test]
fn the_target_in_force_is_the_next_one_then_the_last() {
    let kpis = declared(
        "version: 1\nkpis: [{ id: k, measure: stated, targets: [{ by: 2027-01-01, at_least: 85 }, { by: 2026-01-01, at_least: 60 }] }]",
    );
    let on = |text: &str| {
        kpis[0]
            .target(text.parse().unwrap())
            .unwrap()
            .by
            .to_string()
    };
    assert_eq!(on("2025-12-31"), "2026-01-01");
    assert_eq!(on("2026-01-01"), "2026-01-01");
    assert_eq!(on("2026-01-02"), "2027-01-01");
    assert_eq!(on("2028-01-01"), "2027-01-01");
}
