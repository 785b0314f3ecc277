//! Explanations: true to the decision, readable, and harmless whatever is quoted.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::command::find;
use crate::policy::expr::{Step, Value};
use crate::triage::explain::{About, Ask, Audience, Ended, Explanation, explain};
use crate::triage::snapshot::Snapshot;

use super::*;

const RULES: &str = r#"
  - id: kind
    choose:
      kind:
        - { when: 'issue.title.contains("crash")', value: bug }
        - { when: 'issue.title.startsWith("Please") || form["Type"] == "Feature"', value: feature }
        - { else: task }
    because: the title says so
  - id: wait
    when: wanted && !issue.private
    set: { priority: p3 }
    label: waiting
    comment: hello
    because: it gets one look
  - id: hush
    when: 'secret == "x" || quiet'
    set: { stage: todo }
    because: of what we know
  - id: inside
    when: 'kind == "feature"'
    set: { secret: y }
    because: internal
"#;
const FACTS: &str = r#"facts:
  wanted: kind == "feature" && current.priority == ""
  quiet: size(secret) > 0 && issue.open
"#;

fn why(policy: &Policy, item: &Snapshot, rule: Option<&str>, audience: Audience) -> Explanation {
    let about = rule.map_or(Some(About::Decision), |name| About::named(policy, name));
    let about = about.unwrap_or(About::Rule("nonsense"));
    explain(policy, item, Ask { about, audience })
}

fn told(snapshot: &Snapshot, rule: &str) -> crate::triage::explain::Told {
    let policy = with(RULES, FACTS);
    let mut all = why(&policy, snapshot, Some(rule), Audience::Internal).rules;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[test]
fn a_rule_that_fired_is_told_down_to_the_facts() {
    let told = told(&item("Please add R"), "wait");
    assert_eq!(told.ended, Ended::Fired);
    assert_eq!(told.statement, "s");
    let when = told.when.unwrap();
    assert_eq!((when.step, when.held()), (Step::All, Some(true)));
    let wanted = &when.parts[0].facts[0];
    assert_eq!(
        (wanted.fact.as_str(), &wanted.value),
        ("wanted", &Value::Bool(true))
    );
    let kind = &wanted.defined.as_ref().unwrap().parts[0].facts[0];
    assert_eq!(kind.fact, "kind");
    assert_eq!(kind.value, Value::str("feature"));
    assert_eq!(kind.from.as_deref(), Some("rule kind"));
    let wants: Vec<_> = told
        .wants
        .iter()
        .map(|w| (w.what.as_str(), w.value.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        wants,
        [
            ("priority", "p3"),
            ("label", "waiting"),
            ("comment", "hello")
        ]
    );
    assert_eq!(told.ways[0].command.as_deref(), Some("/priority p1|p2|p3"));
    assert_eq!(told.ways[0].who, ["lead"]);
}

#[test]
fn a_table_is_told_up_to_the_row_that_gave_the_value() {
    let told = told(&item("Please add R"), "kind");
    let rows: Vec<_> = told.wants[0]
        .rows
        .iter()
        .map(|r| (r.when.as_ref().unwrap().held().unwrap(), r.chosen))
        .collect();
    assert_eq!(rows, [(false, false), (true, true)]);
    assert_eq!(told.wants[0].value.as_deref(), Some("feature"));
}

#[test]
fn only_what_took_part_is_told_unless_it_is_asked_for() {
    let policy = with(RULES, FACTS);
    let snapshot = item("It will crash");
    let ids = |rule, audience| -> Vec<String> {
        let told = why(&policy, &snapshot, rule, audience).rules;
        told.into_iter().map(|t| t.rule).collect()
    };
    assert_eq!(ids(None, Audience::Internal), ["kind"]);
    assert_eq!(ids(Some("wait"), Audience::Internal), ["wait"]);
    let quiet = told(&snapshot, "wait");
    assert_eq!(quiet.ended, Ended::DidNotHold);
    // What was not reached has no answer.
    assert_eq!(quiet.when.unwrap().parts[1].held(), None);
    assert!(ids(Some("nonsense"), Audience::Internal).is_empty());
}

#[test]
fn what_was_held_back_says_why_and_how_to_hand_it_back() {
    let policy = with(RULES, FACTS);
    let mut snapshot = item("Please add R");
    snapshot
        .ledger
        .push(entry("kind", Act::Set, Rank::Person, one("bug"), "label"));
    snapshot.issue.labels.push("kind/bug".into());
    let all = why(&policy, &snapshot, None, Audience::Internal);
    let kind = &all.rules[0];
    assert_eq!(kind.refused[0].why, "set by a human");
    assert!(
        kind.ways
            .iter()
            .any(|w| w.command.as_deref() == Some("/release kind"))
    );
    assert!(
        all.text()
            .contains("held back: kind feature: set by a human")
    );
}

#[test]
fn calls_and_lookups_show_what_they_looked_at() {
    let rules = r#"
  - { id: r, when: 'author.is("lead")', label: a, because: b }
  - { id: s, choose: { kind: { by: 'form["Type"]', table: { Bug: bug } } }, because: b }"#;
    let mut snapshot = item("x");
    snapshot.issue.body = "### Type\n\nBug\n".into();
    snapshot.author.roles.insert("lead".into());
    let text = why(&policy(rules), &snapshot, None, Audience::Public).text();
    assert!(
        text.contains("✓ author.is(\"lead\")    author.roles is [\"lead\"]\n"),
        "{text}"
    );
    assert!(text.contains("  form[\"Type\"] is \"Bug\"\n"), "{text}");
}

#[test]
fn what_goes_because_a_condition_ended_is_told() {
    let rules = r#"
  - { id: mark, when: 'issue.title == "x"', label: odd, hold: { priority: p1 }, sticky: note, because: b }"#;
    let policy = policy(rules);
    let mut snapshot = item("x");
    let (decision, planned) = run(&policy, &snapshot);
    snapshot = crate::triage::apply_to(&snapshot, &decision, &planned);
    snapshot.issue.title = "y".into();
    let all = why(&policy, &snapshot, None, Audience::Public);
    assert_eq!(all.rules[0].ended, Ended::DidNotHold);
    assert_eq!(
        all.rules[0].withdraws,
        ["priority p1", "label odd", "comment note, folded away"]
    );
    assert!(all.text().contains("takes back: label odd"));
    assert!(all.markdown().contains("takes back `label odd`"));
}

#[test]
fn one_may_ask_about_an_attribute_or_a_principle() {
    let policy = with(RULES, FACTS);
    let all = why(
        &policy,
        &item("Please add R"),
        Some("priority"),
        Audience::Public,
    );
    assert_eq!(all.decided.len(), 1);
    assert_eq!(all.rules.len(), 1);
    assert_eq!(all.rules[0].rule, "wait");
    let all = why(&policy, &item("x"), Some("p"), Audience::Public);
    let ids: Vec<&str> = all.rules.iter().map(|t| t.rule.as_str()).collect();
    assert_eq!(ids, ["kind", "wait", "hush"]);
    // What is internal cannot be asked about either.
    let all = why(&policy, &item("Please"), Some("secret"), Audience::Public);
    assert!(all.rules.is_empty() && all.decided.is_empty());
    assert_eq!(About::named(&policy, "nonsense"), None);
}

#[test]
fn an_enforced_rule_names_the_override() {
    let policy = with(
        "  - { id: r, set: { priority: p1 }, enforce: true, because: b }",
        "",
    );
    let told = &why(&policy, &item("x"), None, Audience::Internal).rules[0];
    assert!(told.ways.is_empty(), "nobody may: {:?}", told.ways);
    let text = HEAD.replace("commands: {", "commands: { override: lead,");
    let text = format!(
        "{text}\nprinciples:\n- id: p\n  statement: s\n  rules:\n  - {{ id: r, set: {{ priority: p1 }}, enforce: true, because: b }}"
    );
    let policy = load(&[Source::new("p.yaml", text)]).unwrap();
    let told = &why(&policy, &item("x"), None, Audience::Internal).rules[0];
    assert_eq!(
        told.ways[0].command.as_deref(),
        Some("/override p [until DATE] REASON")
    );
}

#[test]
fn what_is_internal_is_left_out_for_the_public() {
    let policy = with(RULES, FACTS);
    let mut snapshot = item("Please add R");
    snapshot.issue.labels.push("secret/x".into());
    let inside = why(&policy, &snapshot, None, Audience::Internal);
    assert!(inside.text().contains("secret"), "{}", inside.text());
    let outside = why(&policy, &snapshot, None, Audience::Public);
    for shown in [
        outside.text(),
        outside.markdown(),
        serde_json::to_string(&outside).unwrap(),
    ] {
        assert!(
            !shown.contains("secret") && !shown.contains("quiet"),
            "{shown}"
        );
    }
    let ids: Vec<&str> = outside.rules.iter().map(|t| t.rule.as_str()).collect();
    assert_eq!(
        ids,
        ["kind", "wait", "hush"],
        "`inside` is about nothing else"
    );
    assert!(outside.text().contains("(something internal)"));
}

#[test]
fn it_reads_like_this() {
    let policy = with(RULES, FACTS);
    let mut snapshot = item("Please add R");
    snapshot.ledger.push(entry(
        "stage",
        Act::Set,
        Rank::Command,
        one("doing"),
        "/stage doing",
    ));
    let all = why(&policy, &snapshot, None, Audience::Public);
    insta::assert_snapshot!("explanation_text", all.text());
    insta::assert_snapshot!("explanation_markdown", all.markdown());
    insta::assert_json_snapshot!(
        "explanation_json",
        why(&policy, &snapshot, Some("wait"), Audience::Public)
    );
}

/// Everything the shipped policy's examples bring about can be told, and tells the same.
#[test]
fn the_shipped_policy_explains_all_its_examples() {
    let policy = crate::policy::tests::loaded(&crate::policy::tests::shipped_sources());
    for example in &policy.examples {
        let all = why(&policy, &example.given, None, Audience::Internal);
        let decision = decide(&policy, &example.given);
        let fired: Vec<_> = decision.fired.iter().map(|r| &r.rule).collect();
        let told: Vec<_> = all
            .rules
            .iter()
            .filter(|t| t.ended == Ended::Fired)
            .map(|t| &t.rule)
            .collect();
        assert_eq!(told, fired, "{}", example.name);
        for rule in &all.rules {
            if let Some(when) = &rule.when {
                assert_eq!(
                    when.held() == Some(true),
                    rule.ended != Ended::DidNotHold,
                    "{}: {}",
                    example.name,
                    rule.rule
                );
            }
        }
        tame(&all.markdown());
    }
}

/// What GitHub would act on is not in it.
fn tame(markdown: &str) {
    assert_eq!(find(markdown, Some("northstar")), [], "{markdown}");
    let mut html = String::new();
    let mut plain = String::new();
    for event in Parser::new_ext(markdown, Options::all()) {
        match event {
            Event::Text(text) => plain.push_str(&text),
            Event::Html(tag) | Event::InlineHtml(tag) => {
                html.push_str(&tag);
                let ours = [
                    "<details>",
                    "</details>",
                    "<summary>",
                    "</summary>",
                    "<b>",
                    "</b>",
                    "<i>",
                    "</i>",
                ];
                let rest = ours
                    .iter()
                    .fold(html.to_string(), |h, tag| h.replace(tag, ""));
                assert!(!rest.contains(['<', '>']), "{rest:?} in {markdown}");
                plain.push_str(&rest);
            }
            Event::Start(tag) => assert!(
                matches!(
                    tag,
                    Tag::Paragraph
                        | Tag::List(None)
                        | Tag::Item
                        | Tag::BlockQuote(_)
                        | Tag::HtmlBlock
                ),
                "{tag:?} in {markdown}"
            ),
            Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_)
            | Event::Rule => {
                panic!("{event:?} in {markdown}")
            }
            Event::Code(_) | Event::End(_) | Event::SoftBreak | Event::HardBreak => {}
        }
    }
    assert_eq!(
        html.matches("<details>").count(),
        html.matches("</details>").count()
    );
    let next = |mark: char| {
        plain
            .match_indices(mark)
            .any(|(i, _)| plain[i + mark.len_utf8()..].starts_with(char::is_alphanumeric))
    };
    assert!(!next('@') && !next('#'), "{plain}");
    assert!(!plain.contains("://") && !plain.contains("GH-1"), "{plain}");
}

/// What Markdown, HTML and GitHub act on, to be put together in any way.
const PIECES: &[&str] = &[
    "@everyone",
    "#12",
    "GH-12",
    "o/r#3",
    "https://e.org",
    "www.e.org",
    "<b>",
    "</details>",
    "<!--",
    "-->",
    "<img src=x>",
    "`",
    "``",
    "```",
    "~~~",
    "\n",
    "\n\n",
    "\n> ",
    "\n- ",
    "\n# ",
    "\n/triage accept",
    "/undo",
    "[x](y)",
    "![x](y)",
    "[^1]",
    "| a |",
    "$$",
    "$x$",
    "*",
    "_",
    "\\",
    "&lt;",
    "\u{202E}",
    "\u{200B}",
    "\u{2028}",
    "\0",
    "é",
    "Please",
    "- [x] ",
    ":smile:",
    "\r",
    "\t",
    "\"",
    "'",
    "{kind}",
    "---",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_quoted_is_harmless(picks in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let nasty: String = picks.iter().map(|i| PIECES[*i]).collect();
        let rules = format!(
            "  - {{ id: {0}, when: {1}, set: {{ kind: bug }}, label: waiting, because: {0} }}\n",
            serde_json::Value::from(format!("a{nasty}")),
            serde_json::Value::from(format!(
                "issue.title != {0} || issue.body == {0}",
                serde_json::Value::from(nasty.replace(|c: char| c.is_control(), "")),
            )),
        );
        let text = format!("{HEAD}\nprinciples:\n- id: {0}\n  statement: {0}\n  rules:\n{rules}", serde_json::Value::from(format!("p{nasty}")));
        let sources = [Source::new("p.yaml", text)];
        let policy = load(&sources).unwrap_or_else(|f| panic!("{f}"));
        let mut snapshot = item(&nasty);
        snapshot.issue.body.clone_from(&nasty);
        snapshot.ledger.push(entry("kind", Act::Set, Rank::Person, one("task"), &nasty));
        snapshot.issue.labels.push("kind/task".into());
        let all = why(&policy, &snapshot, policy.rules.keys().next().map(String::as_str), Audience::Public);
        tame(&all.markdown());
        prop_assert!(all.text().chars().all(|c| c == '\n' || !c.is_control()));
    }
}
