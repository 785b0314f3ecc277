//! Three digests, as people see them: a normal week, an empty one, a terrible one.

use std::collections::{BTreeMap, BTreeSet};

use super::super::digest::{Asked, Digest, Place, Ref, digest};
use super::super::gathered::{Cap, Decision, Gathered, Known, Override, Stated};
use super::super::history::{Event, History, Reason, What};
use super::super::slot::Schedule;
use super::{a_year, at};
use crate::ids::RepoName;
use crate::policy::{Policy, Source, load};
use crate::triage::score::{Driver, Score};

const POLICY: &str = r#"
version: 1
organization: example-org
boards: { delivery: { project: 57 } }
goals: [{ id: research }, { id: reliability }]
communities: [{ id: tern }, { id: heron }]
attributes:
  kind: { values: [feature, bug, support, incident], label: "kind/{value}" }
  goal: { values: goals, many: true, label: "goal/{value}" }
  triage: { values: [needs-triage, accepted, deferred, declined], label: "triage/{value}" }
  cofunded: { values: communities, many: true, label: "co-funded:{value}", internal: true }
score:
  impact: { weight: 3, points: 1 }
  money: { weight: 4, points: size(cofunded), internal: true }
principles:
  - id: few
    statement: Few things at once.
    caps:
      - { id: in-flight, board: delivery, columns: [Doing], at_most: 2, because: a third slows the other two }
kpis:
  - { id: support, title: "Support resolved, median", measure: resolution, where: { kind: [support, incident] }, statistic: p50, unit: working days, targets: [{ by: 2027-01-01, at_most: 3 }] }
  - { id: cycle, title: Cycle time, measure: cycle_time, board: delivery, from: [In Progress, In Review/Blocked], into: Done, targets: [{ by: 2027-01-01, at_most: 30 }] }
  - { id: intake, title: Came in, measure: intake }
  - { id: unaligned, title: Open items that serve no goal, measure: unaligned, attribute: goal }
  - { id: paid, title: Share of paid work, measure: share, of: { cofunded: "*" }, against: { kind: support } }
  - { id: satisfaction, title: Users satisfied, measure: stated, unit: percent, targets: [{ by: 2027-01-01, at_least: 85 }] }
digest: { id: weekly, every: monday 09:00, timezone: Europe/London, post_to: example-org/product#1 }
"#;

const NASTY: &str =
    "@everyone </details> | ![x](https://evil.example/x.png) #12 ``` <!-- /triage accept";

fn policy() -> Policy {
    load(&[Source::new("policy.yaml", POLICY)]).unwrap()
}

fn repository(name: &str) -> RepoName {
    RepoName::parse(name).unwrap()
}

fn public() -> Place {
    Place {
        repository: repository("example-org/product"),
        repository_id: None,
        private: false,
    }
}

fn internal() -> Place {
    Place {
        private: true,
        ..public()
    }
}

fn made(policy: &Policy, place: &Place, missed: usize, gathered: &Gathered) -> Digest {
    let schedule = Schedule::parse("monday 09:00", "Europe/London").unwrap();
    let slot = schedule.newest(at("2026-11-23T09:00:10Z"));
    let asked = Asked {
        policy,
        schedule: &schedule,
        slot: &slot,
        place,
        missed,
    };
    digest(&asked, gathered)
}

fn driver(id: &str, part: f64, internal: bool) -> Driver {
    Driver {
        id: id.into(),
        weight: 1.0,
        points: part,
        part,
        internal,
    }
}

fn item(number: u64, title: &str, opened: &str, impact: f64) -> Known {
    Known {
        repository: repository("example-org/hubs"),
        number,
        title: title.into(),
        private: false,
        opened: at(opened),
        open: true,
        attributes: BTreeMap::from([("kind".to_owned(), vec!["feature".to_owned()])]),
        communities: BTreeSet::new(),
        score: Score {
            total: impact + 4.0,
            drivers: vec![driver("impact", impact, false), driver("money", 4.0, true)],
        },
        undecided: true,
        candidate: true,
    }
}

fn normal() -> Gathered {
    let mut history = a_year();
    history.events.retain(|e| e.at < at("2026-11-16T09:00:00Z"));
    let mut items = BTreeMap::from([
        (
            9001,
            item(11, "A quieter start page", "2026-11-17T10:00:00Z", 3.0),
        ),
        (
            9002,
            item(12, "RStudio for everybody", "2026-11-18T10:00:00Z", 9.0),
        ),
        (
            9003,
            item(13, "Secret plan of a customer", "2026-11-02T10:00:00Z", 6.0),
        ),
        (
            9004,
            item(14, "Storage that grows", "2026-10-01T10:00:00Z", 9.0),
        ),
    ]);
    if let Some(i) = items.get_mut(&9002) {
        i.communities = ["tern", "heron"].map(str::to_owned).into();
        i.attributes.insert("cofunded".into(), vec!["tern".into()]);
        i.attributes.insert("goal".into(), vec!["research".into()]);
    }
    if let Some(i) = items.get_mut(&9003) {
        i.private = true;
        i.repository = repository("example-org/vault");
    }
    if let Some(i) = items.get_mut(&9004) {
        i.undecided = false;
    }
    for (item, known) in &items {
        history.events.push(Event {
            at: known.opened,
            item: *item,
            what: What::Opened,
        });
    }
    history.events.sort_by_key(|e| e.at);
    Gathered {
        items,
        history,
        caps: vec![Cap {
            id: "in-flight".into(),
            at_most: 2,
            inside: vec![9004, 9003],
            exempt: 1,
            next: Some(9002),
        }],
        overrides: vec![Override {
            item: 9004,
            of: "in-flight".into(),
            by: "ada".into(),
            reason: "the contract ends in December".into(),
            at: at("2026-11-19T12:00:00Z"),
            until: Some(at("2026-12-24T00:00:00Z")),
        }],
        decisions: vec![
            Decision {
                item: 9004,
                attribute: "triage".into(),
                value: "deferred".into(),
                by: "ada".into(),
                reason: "after the release".into(),
                at: at("2026-11-20T12:00:00Z"),
            },
            Decision {
                item: 9003,
                attribute: "triage".into(),
                value: "declined".into(),
                by: "ada".into(),
                reason: "the customer said so in confidence".into(),
                at: at("2026-11-20T13:00:00Z"),
            },
        ],
        wrote: BTreeMap::from([("kind".to_owned(), 4), ("wait".to_owned(), 1)]),
        unauthorised: 1,
        stated: vec![
            Stated {
                kpi: "satisfaction".into(),
                figure: 64.0,
                period: "2026-Q3".into(),
                by: "ada".into(),
                at: at("2026-10-05T12:00:00Z"),
            },
            Stated {
                kpi: "satisfaction".into(),
                figure: 50.0,
                period: "2026-Q2".into(),
                by: "ada".into(),
                at: at("2026-10-06T12:00:00Z"),
            },
        ],
        ranked_before: Some(vec![9004, 9001]),
    }
}

fn terrible() -> Gathered {
    let mut gathered = normal();
    for n in 0..400 {
        let mut bad = item(1000 + n, NASTY, "2026-11-17T10:00:00Z", 1.0);
        bad.communities = (0..n % 7).map(|c| format!("c{c}")).collect();
        gathered
            .items
            .insert(20_000 + i64::try_from(n).unwrap(), bad);
    }
    for id in 20_000..20_400 {
        gathered.history.events.push(Event {
            at: at("2026-11-17T10:00:00Z"),
            item: id,
            what: What::Opened,
        });
        gathered.history.events.push(Event {
            at: at("2026-11-18T10:00:00Z"),
            item: id,
            what: What::Closed {
                reason: Reason::Completed,
            },
        });
        gathered.decisions.push(Decision {
            item: id,
            attribute: "triage".into(),
            value: "declined".into(),
            by: "@everyone".into(),
            reason: NASTY.repeat(30),
            at: at("2026-11-20T12:00:00Z"),
        });
        gathered.overrides.push(Override {
            item: id,
            of: "in-flight".into(),
            by: "mallory".into(),
            reason: NASTY.into(),
            at: at("2026-11-20T12:00:00Z"),
            until: None,
        });
    }
    gathered.history.events.sort_by_key(|e| e.at);
    gathered.caps[0].inside.extend(20_000..20_050);
    gathered.wrote.insert("calm".into(), 99);
    gathered
}

/// No text from outside does anything.
fn is_harmless(text: &str) {
    assert!(!text.contains("@everyone"), "{text}");
    assert!(!text.contains("<!--"), "{text}");
    assert!(!text.contains("![x]"), "{text}");
    assert_eq!(
        text.matches("<details>").count(),
        text.matches("</details>").count()
    );
    for line in text.lines().filter(|l| l.starts_with('|')) {
        let cells = line.replace("\\|", "").matches('|').count();
        assert_eq!(cells, 4, "{line}");
    }
}

#[test]
fn a_normal_week() {
    let text = made(&policy(), &public(), 0, &normal()).markdown();
    is_harmless(&text);
    insta::assert_snapshot!("normal", text);
}

#[test]
fn an_empty_week() {
    let gathered = Gathered {
        history: History {
            known: a_year().known,
            events: Vec::new(),
        },
        ..Gathered::default()
    };
    let text = made(&policy(), &public(), 0, &gathered).markdown();
    insta::assert_snapshot!("empty", text);
}

#[test]
fn a_terrible_week_still_fits_into_a_comment() {
    let text = made(&policy(), &public(), 3, &terrible()).markdown();
    is_harmless(&text);
    assert!(text.chars().count() <= 65_536);
    assert!(text.contains("Missed: 3"));
    insta::assert_snapshot!("terrible", text);
}

#[test]
fn even_a_policy_of_thousands_of_figures_fits() {
    let mut digest = made(&policy(), &public(), 0, &normal());
    let kpi = digest.kpis[0].clone();
    digest.kpis.extend(std::iter::repeat_n(kpi, 3_000));
    let text = digest.markdown();
    assert!(text.chars().count() <= 65_536);
    assert!(text.ends_with("more than fits here.\n"));
    assert!(text.contains("Needs a decision"));
}

#[test]
fn a_public_place_learns_nothing_private_or_internal() {
    let policy = policy();
    let shown = made(&policy, &public(), 0, &normal());
    let json = serde_json::to_string(&shown).unwrap();
    for told in [shown.markdown(), json] {
        for secret in [
            "Secret plan",
            "vault",
            "confidence",
            "money",
            "paid",
            "co-funded",
        ] {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
    }
    assert!(shown.intake.co_funded.is_empty());
    assert_eq!(shown.undecided[0].item, Ref::Private);
    assert_eq!(shown.undecided[0].score, None);

    let inside = made(&policy, &internal(), 0, &normal());
    assert_eq!(inside.intake.co_funded.len(), 1);
    assert!(inside.markdown().contains("money"));
    assert!(inside.kpis.iter().any(|k| k.id == "paid"));
    // Not everybody who sees one private repository sees another.
    assert!(!inside.markdown().contains("Secret plan"));
    let vault = Place {
        repository: repository("example-org/vault"),
        repository_id: None,
        private: true,
    };
    assert!(
        made(&policy, &vault, 0, &normal())
            .markdown()
            .contains("Secret plan")
    );
}

#[test]
fn ties_are_broken_by_who_asks_then_by_age_and_changes_are_told() {
    let found = made(&policy(), &public(), 0, &normal());
    let order: Vec<(String, Option<usize>)> = found
        .ranking
        .iter()
        .map(|r| match &r.line.item {
            Ref::Shown { name, .. } => (name.clone(), r.before),
            Ref::Private => unreachable!(),
        })
        .collect();
    let name = |n: u64| format!("example-org/hubs#{n}");
    assert_eq!(
        order,
        [(name(12), None), (name(14), Some(1)), (name(11), Some(2))]
    );
}

#[test]
fn the_last_word_on_the_latest_period_counts() {
    let found = made(&policy(), &public(), 0, &normal());
    let kpi = found.kpis.iter().find(|k| k.id == "satisfaction").unwrap();
    assert_eq!(kpi.figure.value, Some(64.0));
    assert_eq!(kpi.target.as_ref().unwrap().met, Some(false));
}
