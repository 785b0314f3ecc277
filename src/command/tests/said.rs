//! What the words of every command mean, and what is said about those that mean nothing.

use jiff::civil::date;

use super::{id, policy, right};
use crate::command::{Act, End, ItemRef, Span, ValueChange, Vocabulary, table};

fn set(attribute: &str, value: &str) -> Act {
    Act::Set {
        attribute: attribute.to_owned(),
        changes: vec![ValueChange::Add(value.to_owned())],
    }
}

#[allow(clippy::too_many_lines)]
#[test]
fn every_command() {
    let hours = |hours| End::After(Span { hours });
    let cases: Vec<(&str, &[&str], &str, Act)> = vec![
        ("/triage accept", &["accept"], "", set("triage", "accepted")),
        (
            "/triage ACCEPTED it fits",
            &["accepted"],
            "it fits",
            set("triage", "accepted"),
        ),
        (
            "/triage defer: not now",
            &["defer"],
            "not now",
            set("triage", "deferred"),
        ),
        (
            "/triage decline “too odd”",
            &["decline"],
            "too odd",
            set("triage", "declined"),
        ),
        (
            "/triage needs-info which hub?",
            &["needs-info"],
            "which hub?",
            set("triage", "needs-info"),
        ),
        ("/kind bug", &["bug"], "", set("kind", "bug")),
        ("/kind `bug`", &["bug"], "", set("kind", "bug")),
        (
            "/impact High for all",
            &["high"],
            "for all",
            set("impact", "high"),
        ),
        ("/effort small", &["small"], "", set("effort", "small")),
        ("/priority p1", &["p1"], "", set("priority", "p1")),
        ("/goal research", &["research"], "", set("goal", "research")),
        (
            "/stage in progress",
            &["In Progress"],
            "",
            set("stage", "In Progress"),
        ),
        (
            "/stage in progress now",
            &["In Progress Now"],
            "",
            set("stage", "In Progress Now"),
        ),
        (
            "/stage \"up next\" \"so\"",
            &["Up Next"],
            "so",
            set("stage", "Up Next"),
        ),
        (
            "/goal -education",
            &["-education"],
            "",
            Act::Set {
                attribute: id("goal"),
                changes: vec![ValueChange::Remove(id("education"))],
            },
        ),
        (
            "/goal +research, -education as agreed",
            &["research", "-education"],
            "as agreed",
            Act::Set {
                attribute: id("goal"),
                changes: vec![
                    ValueChange::Add(id("research")),
                    ValueChange::Remove(id("education")),
                ],
            },
        ),
        (
            "/priority none",
            &["none"],
            "",
            Act::Set {
                attribute: id("priority"),
                changes: vec![ValueChange::Clear],
            },
        ),
        ("/critical all are out", &[], "all are out", Act::Critical),
        (
            "/community add OpenScapes",
            &["add", "openscapes"],
            "",
            Act::Community {
                add: true,
                community: id("openscapes"),
            },
        ),
        (
            "/community remove jupyter",
            &["remove", "jupyter"],
            "",
            Act::Community {
                add: false,
                community: id("jupyter"),
            },
        ),
        (
            "/cofund openscapes half of it",
            &["openscapes"],
            "half of it",
            Act::Cofund {
                add: true,
                community: id("openscapes"),
            },
        ),
        (
            "/cofund -openscapes",
            &["-openscapes"],
            "",
            Act::Cofund {
                add: false,
                community: id("openscapes"),
            },
        ),
        (
            "/duplicate #12 the same",
            &["#12"],
            "the same",
            Act::Duplicate {
                of: ItemRef {
                    repository: None,
                    number: 12,
                },
            },
        ),
        (
            "/override in-flight until 2026-12-24 promised",
            &["in-flight", "until", "2026-12-24"],
            "promised",
            Act::Override {
                limit: id("in-flight"),
                until: Some(date(2026, 12, 24)),
            },
        ),
        (
            "/override in-flight until it is done",
            &["in-flight"],
            "until it is done",
            Act::Override {
                limit: id("in-flight"),
                until: None,
            },
        ),
        (
            "/release priority",
            &["priority"],
            "",
            Act::Release {
                held: id("priority"),
            },
        ),
        (
            "/release in-flight over",
            &["in-flight"],
            "over",
            Act::Release {
                held: id("in-flight"),
            },
        ),
        ("/snooze 2w", &["2w"], "", Act::Snooze { until: hours(336) }),
        (
            "/snooze 3 days please",
            &["3days"],
            "please",
            Act::Snooze { until: hours(72) },
        ),
        (
            "/snooze for 12h",
            &["12h"],
            "",
            Act::Snooze { until: hours(12) },
        ),
        (
            "/snooze until 2026-12-24",
            &["2026-12-24"],
            "",
            Act::Snooze {
                until: End::On(date(2026, 12, 24)),
            },
        ),
        ("/promote", &[], "", Act::Promote),
        (
            "/park \"the \"best\" plan\"",
            &[],
            "the \"best\" plan",
            Act::Park,
        ),
        ("/why", &[], "", Act::Why { rule: None }),
        (
            "/why requests-wait-for-triage",
            &["requests-wait-for-triage"],
            "",
            Act::Why {
                rule: Some(id("requests-wait-for-triage")),
            },
        ),
        (
            "/why kind",
            &["kind"],
            "",
            Act::Why {
                rule: Some(id("kind")),
            },
        ),
        ("/why was that", &[], "was that", Act::Why { rule: None }),
        ("/score", &[], "", Act::Score),
        ("/similar", &[], "", Act::Similar),
        ("/undo my mistake", &[], "my mistake", Act::Undo),
        (
            "/apply 7F3a",
            &["7F3a"],
            "",
            Act::Apply { plan: id("7F3a") },
        ),
        (
            "/kpi satisfaction 64.5% 2026-q4 survey",
            &["satisfaction", "64.5%", "2026-q4"],
            "survey",
            Act::Kpi {
                kpi: id("satisfaction"),
                figure: 64.5,
                period: id("2026-Q4"),
            },
        ),
        ("/help", &[], "", Act::Help { topic: None }),
        (
            "/help /triage",
            &["triage"],
            "",
            Act::Help {
                topic: Some(id("triage")),
            },
        ),
        (
            "/help stage",
            &["stage"],
            "",
            Act::Help {
                topic: Some(id("stage")),
            },
        ),
    ];
    for (text, args, reason, act) in &cases {
        let (said, did) = right(text, &policy());
        assert_eq!(said.args, *args, "{text}");
        assert_eq!(said.reason, *reason, "{text}");
        assert_eq!(did, *act, "{text}");
    }
    for entry in table::TABLE {
        let of = format!("/{}", entry.name);
        let shown = cases
            .iter()
            .any(|(text, ..)| text.split(' ').next() == Some(&of));
        assert!(shown, "{of} is not among the cases");
    }
}

#[test]
fn several_goals_and_items_between() {
    let (said, act) = right("/goal research #3 education for the course", &policy());
    assert_eq!(said.args, ["research", "#3", "education"]);
    assert_eq!(said.reason, "for the course");
    let changes = ["research", "education"]
        .map(|v| ValueChange::Add(id(v)))
        .to_vec();
    assert_eq!(
        act,
        Act::Set {
            attribute: id("goal"),
            changes
        }
    );
}

#[test]
fn items_before_the_reason() {
    for (text, args, items, reason) in [
        (
            "/triage accept #12 owner/repo#15 fits the plan",
            &["accept", "#12", "owner/repo#15"][..],
            &["#12", "owner/repo#15"][..],
            "fits the plan",
        ),
        (
            "/triage #12 accept fits",
            &["#12", "accept"],
            &["#12"],
            "fits",
        ),
        (
            "/triage accept #12, #13 and #14 fit",
            &["accept", "#12", "#13", "#14"],
            &["#12", "#13", "#14"],
            "fit",
        ),
        (
            "/triage accept https://github.com/o/r/issues/7",
            &["accept", "o/r#7"],
            &["o/r#7"],
            "",
        ),
        (
            "/triage accept fits like #12",
            &["accept"],
            &[],
            "fits like #12",
        ),
        (
            "/triage accept \"#12\" fits",
            &["accept"],
            &[],
            "\"#12\" fits",
        ),
        ("/triage accept and #12", &["accept"], &[], "and #12"),
        ("/critical #12 broken", &["#12"], &["#12"], "broken"),
        ("/undo #12", &["#12"], &["#12"], ""),
        (
            "/override in-flight #12 until 2026-12-24 #13 so",
            &["in-flight", "#12", "until", "2026-12-24", "#13"],
            &["#12", "#13"],
            "so",
        ),
    ] {
        let (said, _) = right(text, &policy());
        assert_eq!(said.args, *args, "{text}");
        let named: Vec<_> = said.items.iter().map(ToString::to_string).collect();
        assert_eq!(named, *items, "{text}");
        assert_eq!(said.reason, *reason, "{text}");
    }
}

#[test]
fn a_duplicates_original_is_no_item_it_is_about() {
    let (said, act) = right("/duplicate o/r#12 #13 the same wish", &policy());
    let Act::Duplicate { of } = act else {
        panic!("{act:?}")
    };
    assert_eq!(of.to_string(), "o/r#12");
    assert_eq!(said.args, ["o/r#12", "#13"]);
    assert_eq!(said.items.len(), 1);
    assert_eq!(said.items[0].to_string(), "#13");
    assert_eq!(said.reason, "the same wish");
}

#[test]
fn another_host_of_github() {
    let words = Vocabulary {
        web_host: id("git.example.org"),
        ..policy()
    };
    let (said, _) = right("/undo https://git.example.org/o/r/issues/7", &words);
    assert_eq!(said.items.len(), 1);
    let (said, _) = right("/undo https://github.com/o/r/issues/7", &words);
    assert_eq!(said.items.len(), 0);
}

#[test]
fn without_a_policy_words_are_not_checked() {
    let words = Vocabulary::without_policy();
    for (text, args, reason) in [
        ("/priority P1 now", &["p1"][..], "now"),
        ("/goal -education so", &["-education"], "so"),
        ("/goal research education", &["research"], "education"),
        ("/impact \"very high\" so", &["very high"], "so"),
        ("/community add Open", &["add", "Open"], ""),
        (
            "/override in-flight until 2026-12-24 so",
            &["in-flight", "until", "2026-12-24"],
            "so",
        ),
        ("/why some-rule", &["some-rule"], ""),
        ("/release priority", &["priority"], ""),
    ] {
        let (said, _) = right(text, &words);
        assert_eq!(said.args, *args, "{text}");
        assert_eq!(said.reason, *reason, "{text}");
    }
    let (_, act) = right("/priority none", &words);
    let changes = vec![ValueChange::Clear];
    let attribute = id("priority");
    assert_eq!(act, Act::Set { attribute, changes });
}
