//! What is refused, and in which words.

use super::*;

/// Code, underlined text and help of every problem.
fn found(text: &str) -> Vec<(&'static str, String, String)> {
    World::new()
        .problems(text)
        .into_iter()
        .map(|p| {
            let part = text
                .get(p.span)
                .expect("on character boundaries")
                .to_owned();
            (p.code, part, p.help.unwrap_or_default())
        })
        .collect()
}

fn only(text: &str) -> (&'static str, String, String) {
    let found = found(text);
    assert_eq!(found.len(), 1, "{text}: {found:#?}");
    found.into_iter().next().expect("one")
}

/// Text, code, what is underlined, help.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    (
        "size(comunities) > 1",
        "unknown-fact",
        "comunities",
        "did you mean `communities`?",
    ),
    (
        "issue.tilte == \"\"",
        "unknown-fact",
        "issue.tilte",
        "did you mean `issue.title`?",
    ),
    (
        "has(guess)",
        "unknown-fact",
        "guess",
        "it is a group: guess.confidence",
    ),
    (
        "kind == feature",
        "unknown-fact",
        "feature",
        "a value stands in quotes: \"feature\"",
    ),
    (
        "kind == \"feture\"",
        "unknown-value",
        "\"feture\"",
        "did you mean \"feature\"?",
    ),
    (
        "\"feture\" == kind",
        "unknown-value",
        "\"feture\"",
        "did you mean \"feature\"?",
    ),
    (
        "kind in [\"bug\", \"x\"]",
        "unknown-value",
        "\"x\"",
        "its values are \"feature\", \"bug\", \"support\"",
    ),
    (
        "\"reserch\" in goal",
        "unknown-value",
        "\"reserch\"",
        "did you mean \"research\"?",
    ),
    (
        "(critical ? \"bug\" : \"feture\") == kind",
        "unknown-value",
        "\"feture\"",
        "did you mean \"feature\"?",
    ),
    (
        "kind.or(\"feture\") != \"\"",
        "unknown-value",
        "\"feture\"",
        "did you mean \"feature\"?",
    ),
    (
        "goal.exists(g, g == \"x\")",
        "unknown-value",
        "\"x\"",
        "its values are \"research\", \"teaching\"",
    ),
    (
        "author.is(\"menber\")",
        "unknown-value",
        "\"menber\"",
        "did you mean \"member\"?",
    ),
    (
        "autor.is(\"member\")",
        "unknown-function",
        "is",
        "did you mean `author.is(…)`?",
    ),
    (
        "length(goal) > 1",
        "unknown-function",
        "length",
        "did you mean `size`?",
    ),
    (
        "issue.title.containz(\"x\")",
        "unknown-function",
        "containz",
        "did you mean `contains`?",
    ),
    (
        "critical()",
        "unknown-function",
        "critical",
        "`critical` is a fact: leave out the brackets",
    ),
    (
        "board.points > 3",
        "unguarded",
        "board.points",
        "guard it: `has(board.points) && …`, or give a value: `board.points.or(0)`",
    ),
    (
        "scores[\"x\"] > 3",
        "unguarded",
        "scores[\"x\"]",
        "guard it: `has(scores[\"x\"]) && …`, or give a value: `scores[\"x\"].or(0)`",
    ),
    (
        "issue.private",
        "unguarded",
        "issue.private",
        "guard it: `has(issue.private) && …`, or give a value: `issue.private.or(false)`",
    ),
    (
        "issue.comments == \"3\"",
        "type-mismatch",
        "issue.comments == \"3\"",
        "write the number without quotes",
    ),
    (
        "goal == \"research\"",
        "type-mismatch",
        "goal == \"research\"",
        "to look for a value in a list, write `value in list`",
    ),
    (
        "impact >= \"high\"",
        "type-mismatch",
        "impact >= \"high\"",
        "its values have no order: write `x in [\"…\", \"…\"]`",
    ),
    (
        "issue.age > 3",
        "type-mismatch",
        "issue.age > 3",
        "write `days(3)` or `hours(3)`",
    ),
    (
        "\"x\" in issue.title",
        "type-mismatch",
        "issue.title",
        "write `issue.title.contains(\"x\")`",
    ),
    (
        "issue.labels.contains(\"x\")",
        "wrong-arguments",
        "issue.labels",
        "write `\"x\" in issue.labels`",
    ),
    (
        "kind",
        "type-mismatch",
        "kind",
        "compare it: `kind == \"…\"`, or ask `has(kind)`",
    ),
    (
        "has(1 + 1)",
        "wrong-arguments",
        "1 + 1",
        "like `has(issue.closed_at)` or `has(form[\"Impact\"])`",
    ),
    ("issue.title.matches(\"(\")", "bad-pattern", "\"(\"", ""),
    (
        "issue.title.matches(\"(?=x)\")",
        "bad-pattern",
        "\"(?=x)\"",
        "patterns run in linear time, so they cannot look around",
    ),
    (
        "issue.title.matches(\"(\\\\w{1,500}){1,50}\")",
        "bad-pattern",
        "\"(\\\\w{1,500}){1,50}\"",
        "repeat less often, or look for less: `\\w{1,1000}` is a thousand parts",
    ),
    ("issue.title.matches(kind)", "bad-pattern", "kind", ""),
    (
        "now > timestamp(\"tomorrow\")",
        "bad-literal",
        "\"tomorrow\"",
        "write it like `timestamp(\"2026-01-31T09:00:00Z\")`",
    ),
    (
        "issue.age > 7d",
        "bad-literal",
        "7d",
        "for a duration write `days(7)`",
    ),
    (
        "kind = \"bug\"",
        "syntax",
        "=",
        "two equals signs compare: `==`",
    ),
    (
        "critical and critical",
        "syntax",
        "and",
        "and is written `&&`",
    ),
    (
        "kind == “bug”",
        "syntax",
        "“",
        "texts stand in straight quotes: `\"` or `'`",
    ),
    (
        "kind == null",
        "unsupported",
        "null",
        "`has(x)` asks whether there is a value",
    ),
    ("points.all(1, true)", "wrong-arguments", "1", ""),
    (
        "points.all(p)",
        "wrong-arguments",
        "points.all(p)",
        "like `issue.labels.all(l, l.startsWith(\"x\"))`",
    ),
    (
        "min(1) == 1",
        "wrong-arguments",
        "min(1)",
        "write `min(a, b)`",
    ),
    ("", "syntax", "", ""),
];

#[test]
fn mistakes_are_underlined_and_explained() {
    for (text, code, part, help) in MISTAKES.iter().copied() {
        // A curly quote is several mistakes; the first is the one that matters.
        let (c, p, h) = if text.contains('“') {
            found(text).remove(0)
        } else {
            only(text)
        };
        assert_eq!((c, p.as_str(), h.as_str()), (code, part, help), "{text}");
    }
}

#[test]
fn every_problem_is_reported_once() {
    let codes: Vec<_> = found("kind == \"feture\" && isue.title == \"x\" && board.points > 1 && (1 + true) == 2 && issue.title.matches(\"[\")")
        .into_iter()
        .map(|(code, ..)| code)
        .collect();
    assert_eq!(
        codes,
        [
            "unknown-value",
            "unknown-fact",
            "unguarded",
            "type-mismatch",
            "bad-pattern"
        ]
    );
    // Also after a mistake in the syntax.
    let codes: Vec<_> = found("kind == && kind == \"feture\" critical || nothing.here")
        .into_iter()
        .map(|(code, ..)| code)
        .collect();
    assert_eq!(codes, ["syntax", "unknown-value", "syntax", "unknown-fact"]);
}

#[test]
fn guards_narrow() {
    for text in [
        "has(board.points) && board.points > 1",
        "!has(board.points) || board.points > 1",
        "has(board.points) ? board.points > 1 : false",
        "!has(board.points) ? true : board.points > 1",
        "has(scores[\"x\"]) && scores.x > 1",
        "critical && has(board.points) && (critical || board.points > 1)",
        "!(critical || !has(board.points)) && board.points > 1",
        "(has(board.points) && critical || has(board.points)) && board.points > 1",
        "has(points[0]) && points[0] > 1",
        "has(board.points) && points.exists(p, p > board.points)",
        "(critical ? has(board.points) : false) && board.points > 1",
        "board.points.or(1) > 1",
        "board.points.or(scores[\"x\"]).or(3) > 1",
        "!has(board.points) && critical || has(board.points) && board.points > 2",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
    for text in [
        "has(board.points) || board.points > 1",
        "!has(board.points) && board.points > 1",
        "board.points > 1 && has(board.points)",
        "(critical || has(board.points)) && board.points > 1",
        "has(scores[\"x\"]) && scores[\"y\"] > 1",
        "has(board.points) ? true : board.points > 1",
        "points.exists(p, has(board.points)) && board.points > 1",
        "[[1]].all(x, has(x[0])) && [[2]].all(x, x[0] > 1)",
        "board.points.or(scores[\"x\"]) > 1",
        "(critical ? board.points : 1) > 1",
    ] {
        assert_eq!(only(text).0, "unguarded", "{text}");
    }
}

#[test]
fn limits_hold() {
    let deep = format!("{}critical{}", "(".repeat(200), ")".repeat(200));
    assert_eq!(only(&deep).0, "too-deep");
    let nots = format!("{}critical", "!".repeat(5000));
    assert_eq!(only(&nots).0, "too-deep");
    let sums = format!("1{} > 0", " + 1".repeat(3000));
    assert_eq!(only(&sums).0, "too-deep");
    let dots = format!("a{}", ".b".repeat(5000));
    assert_eq!(only(&dots).0, "too-deep");
    let many = vec!["critical"; 1000].join(" && ");
    assert_eq!(found(&many), []);
    assert_eq!(only(&" ".repeat(MAX_TEXT + 1)).0, "too-long");
    let nested = "issue.labels.all(a, issue.labels.all(b, issue.labels.all(c, a + b == c)))";
    assert_eq!(only(nested).0, "too-costly");
    assert_eq!(
        found("issue.labels.all(a, issue.labels.exists(b, a == b + \"x\"))"),
        []
    );
    assert_eq!(
        only("issue.labels.exists(l, issue.body.matches(\"x\"))").0,
        "too-costly"
    );
    assert_eq!(found("issue.labels.exists(l, issue.body.contains(l))"), []);
    // Nested lists are checked once each, not once for every level above.
    let lists = format!("{}kind{} == []", "[".repeat(60), "]".repeat(60));
    assert_eq!(found(&lists), []);
}

#[test]
fn every_code_is_shown_here() {
    let shown = MISTAKES.iter().map(|(_, code, ..)| *code);
    // Those of the limits are in `limits_hold`.
    let mut shown: Vec<_> = shown
        .chain(["too-costly", "too-deep", "too-long"])
        .collect();
    shown.sort_unstable();
    shown.dedup();
    let mut all: Vec<_> = CODES.iter().map(|(code, _)| *code).collect();
    all.sort_unstable();
    assert_eq!(shown, all);
}
