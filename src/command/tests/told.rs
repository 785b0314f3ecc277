//! What people are told: about words that mean nothing, about typos, and by `/help`.

use super::{id, policy, reading, right, wrong};
use crate::command::table::{self, Reason};
use crate::command::{Reading, Value, Vocabulary, help, help_about};

#[test]
fn the_page_about_commands_is_made_from_the_table() {
    const BEGIN: &str = "<!-- generated: the table of commands -->\n";
    const END: &str = "<!-- /generated -->";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let table = help(&Vocabulary::without_policy());
    let wanted = format!("{before}{BEGIN}\n{table}\n{END}{after}");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    } else {
        assert_eq!(page, wanted, "run the tests once with UPDATE_GENERATED=1");
    }
}

#[test]
fn what_cannot_be_meant() {
    for (text, args, problem) in [
        ("/triage", &[][..], "VALUE is missing"),
        (
            "/triage acept it fits",
            &["acept"],
            "unknown: acept; did you mean accept?",
        ),
        ("/priority p9", &["p9"], "unknown: p9; did you mean p0?"),
        (
            "/triage maybe",
            &["maybe"],
            "unknown: maybe; known: accept, defer, decline, needs-info",
        ),
        (
            "/kind nonsense",
            &["nonsense"],
            "unknown: nonsense; known: feature, bug, support",
        ),
        ("/kind -bg", &["bg"], "unknown: bg; did you mean bug?"),
        (
            "/goal research -eduction",
            &["research", "eduction"],
            "unknown: eduction; did you mean education?",
        ),
        ("/critical", &[], "a reason is missing"),
        ("/critical #12", &["#12"], "a reason is missing"),
        (
            "/community openscapes",
            &["openscapes"],
            "unknown: openscapes; known: add, remove",
        ),
        (
            "/community add openscape",
            &["add", "openscape"],
            "unknown: openscape; did you mean openscapes?",
        ),
        ("/cofund", &[], "COMMUNITY is missing"),
        ("/duplicate", &[], "#NUMBER is missing"),
        (
            "/duplicate 12",
            &["12"],
            "12 is no item such as #12 or owner/repo#12",
        ),
        (
            "/override in-flihgt so",
            &["in-flihgt"],
            "unknown: in-flihgt; did you mean in-flight?",
        ),
        ("/override in-flight", &["in-flight"], "a reason is missing"),
        (
            "/override in-flight until 2026-13-01 so",
            &["in-flight", "until", "2026-13-01"],
            "2026-13-01 is no date such as 2026-12-24",
        ),
        (
            "/release priorty",
            &["priorty"],
            "unknown: priorty; did you mean priority?",
        ),
        ("/snooze", &[], "DURATION|DATE is missing"),
        (
            "/snooze soon",
            &["soon"],
            "soon is no duration such as 2w, 3d or 12h, nor a date such as 2026-12-24",
        ),
        (
            "/why requests-wait-for-triag",
            &["requests-wait-for-triag"],
            "unknown: requests-wait-for-triag; did you mean requests-wait-for-triage?",
        ),
        ("/apply ,", &[","], "unknown: ,"),
        ("/apply", &[], "ID is missing"),
        ("/kpi satisfaction", &["satisfaction"], "NUMBER is missing"),
        (
            "/kpi satisfaction much 2026-Q4",
            &["satisfaction", "much", "2026-Q4"],
            "much is no number",
        ),
        (
            "/kpi satisfaction inf 2026-Q4",
            &["satisfaction", "inf", "2026-Q4"],
            "inf is no number",
        ),
        (
            "/kpi satisfaction 64 2026-Q5",
            &["satisfaction", "64", "2026-Q5"],
            "2026-Q5 is no period such as 2026-Q4 or 2026-11",
        ),
    ] {
        let (said, told) = wrong(text, &policy());
        assert_eq!(told, problem, "{text}");
        assert_eq!(said.args, *args, "{text}");
    }
}

#[test]
fn one_typo_away_is_told_and_prose_is_left_alone() {
    for (text, meant) in [
        ("/traige accept", "triage"),
        ("/kid bug", "kind"),
        ("/helpp", "help"),
        ("/stag done", "stage"),
    ] {
        let Some(Reading::Unknown {
            did_you_mean, line, ..
        }) = reading(text, &policy())
        else {
            panic!("{text}")
        };
        assert_eq!(did_you_mean, meant, "{text}");
        assert_eq!(line, 1);
    }
    for text in [
        "/kindness is good",
        "/tmp is full",
        "/shrug",
        "/usr",
        "/assign me",
    ] {
        assert_eq!(reading(text, &policy()), None, "{text}");
    }
    // An attribute is a command only where the policy has it.
    assert_eq!(reading("/stage done", &Vocabulary::without_policy()), None);
}

#[test]
fn examples_are_right_and_help_knows_every_command() {
    let words = Vocabulary::without_policy();
    let all = help(&words);
    for entry in table::TABLE.iter().chain([&table::ATTRIBUTE]) {
        let (said, _) = right(entry.example, &words);
        assert!(all.contains(&format!("| `/{}", said.name)), "{}", said.name);
        let one = help_about(&said.name, &words).expect("a row");
        assert_eq!(
            one.contains(" REASON`"),
            entry.reason == Reason::Required,
            "{one}"
        );
        assert!(one.contains("Example: `/"), "{one}");
    }
    assert_eq!(help_about("kindness", &words), None);
}

#[test]
fn help_speaks_the_policys_words() {
    let mut words = policy();
    words.commands.insert(
        id("triage"),
        vec![id("product_lead"), id("delivery_manager")],
    );
    words.attributes["kind"].values.push(Value {
        id: id("tasks"),
        verb: Some(id("a|task")),
    });
    let all = help(&words);
    assert!(
        all.contains("`/triage accept\\|defer\\|decline\\|needs-info [REASON]`"),
        "{all}"
    );
    // Who may triage may say what is left to them.
    for row in ["| `/triage", "| `/snooze", "| `/duplicate"] {
        let line = all.lines().find(|line| line.starts_with(row)).expect(row);
        assert!(
            line.ends_with("| product_lead or delivery_manager |"),
            "{line}"
        );
    }
    assert!(
        all.contains("`/kind feature\\|bug\\|support\\|a\\|task [REASON]`"),
        "{all}"
    );
    let stage = help_about("stage", &words).expect("a row");
    assert!(stage.contains("Example: `/stage \"Up Next\"`"), "{stage}");
    assert!(stage.contains("Who: who may set stage."), "{stage}");
}
