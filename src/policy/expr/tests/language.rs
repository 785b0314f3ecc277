//! What expressions mean.

use super::*;

#[test]
fn the_blueprints_conditions_mean_what_they_say() {
    let mut world = World::new();
    assert!(
        !world.holds(
            r#"impact == "critical" && (author.is("member") || confirmed_by("product_lead"))"#
        )
    );
    world.set("impact", Value::str("critical"));
    assert!(
        world.holds(
            r#"impact == "critical" && (author.is("member") || confirmed_by("product_lead"))"#
        )
    );
    assert!(world.holds(r#"kind in ["", "feature"]"#));
    assert!(world.holds(r#"has(form["Impact"]) && form["Impact"] == "many people""#));
    assert!(world.holds(r#"form["Nothing"] == "" && !has(form.Nothing)"#));
    assert!(world.holds(r#"issue.title.matches("(?i)rstudio|jupyter")"#));
    assert!(!world.holds(r"has(guess.confidence) && guess.confidence >= 0.9"));
    assert!(world.holds(r#"kind == "feature" && !critical && current.kind == """#));
    assert!(world.holds(r"size(goal) > 0 && demand.requests >= 2"));
    let points = r#"impact == "high" ? 3 : impact == "critical" ? 5 : 1"#;
    assert_eq!(world.value(points), Value::Int(5));
    assert_eq!(world.value("min(demand.requests, 5)"), Value::Int(2));
    assert_eq!(world.value("issue.comments / 2 * 2 + 1 % 2"), Value::Int(3));
}

#[test]
fn what_is_not_there_is_absent_or_empty() {
    let world = World::new();
    assert_eq!(world.value("board.points"), Value::Absent);
    assert_eq!(world.value("board.points.or(7)"), Value::Int(7));
    assert_eq!(world.value(r#"scores["x"].or(4)"#), Value::Int(4));
    assert_eq!(world.value(r#"impact.or("low")"#), Value::str("low"));
    assert_eq!(world.value("points[1].or(0)"), Value::Int(2));
    assert_eq!(
        world.value("points[9].or(0) + points[-1].or(0)"),
        Value::Int(0)
    );
    assert_eq!(world.value("issue.labels[7]"), Value::str(""));
    assert!(world.holds(r#"board.fields["Team size"].or(3) == 3"#));
    assert!(world.holds(r#""Impact" in form && !("Effort" in form) && size(form) == 1"#));
    assert!(!world.holds("has(issue.private) && issue.private"));
}

#[test]
fn arithmetic_always_has_an_answer() {
    let world = World::new();
    let max = i64::MAX;
    for (text, value) in [
        ("9223372036854775807 + 1", Value::Int(max)),
        ("-9223372036854775808 - 1", Value::Int(i64::MIN)),
        ("-(-9223372036854775808)", Value::Int(max)),
        ("-9223372036854775808 / -1", Value::Int(max)),
        ("-9223372036854775808 % -1", Value::Int(0)),
        ("9223372036854775807 * 2", Value::Int(max)),
        ("issue.comments / 0", Value::Int(0)),
        ("issue.comments % 0", Value::Int(0)),
        ("-7 / 2", Value::Int(-3)),
        ("-7 % 2", Value::Int(-1)),
        ("1.0 / 0.0", Value::Double(f64::INFINITY)),
        ("int(2.9) + int(-2.9)", Value::Int(0)),
        ("int(1e300)", Value::Int(max)),
        ("double(3) / 2", Value::Double(1.5)),
        ("max(1, 2.5)", Value::Double(2.5)),
        (
            "days(9223372036854775807) > hours(1) ? 1 : 0",
            Value::Int(1),
        ),
    ] {
        assert_eq!(world.value(text), value, "{text}");
    }
    assert!(world.holds("1 == 1.0 && 2 > 1.5 && 9007199254740993 > 9007199254740992.0"));
    assert!(!world.holds("0.0 / 0.0 == 0.0 / 0.0"));
}

#[test]
fn macros_go_over_lists_and_keys() {
    let world = World::new();
    assert!(world.holds(r#"issue.labels.exists(l, l.startsWith("kind/"))"#));
    assert!(world.holds("points.all(p, p > 0) && points.exists_one(p, p > 2)"));
    assert!(!world.holds("points.exists_one(p, p > 1)"));
    assert!(world.holds("points.filter(p, p % 2 == 1) == [1, 3]"));
    assert!(world.holds("points.map(p, p * issue.comments) == [3, 6, 9]"));
    assert!(world.holds("points.map(p, p > 1, p * 10) == [20, 30]"));
    assert!(world.holds("points.all(p, points.exists(q, q >= p))"));
    assert!(world.holds(r#"form.exists(heading, heading == "Impact")"#));
    assert!(world.holds("[].all(x, x == 1) && ![].exists(x, x == 1)"));
    // A macro's variable hides a fact of its name.
    assert!(world.holds("points.exists(kind, kind == 3)"));
    assert!(world.holds("goal.all(g, g in [\"research\"])"));
    assert!(world.holds("[[1], [2, 3]].exists(xs, xs.exists(x, x == 3))"));
}

#[test]
fn texts() {
    let world = World::new();
    assert!(world.holds(r#"size("héé") == 3 && "héé".size() == 3"#));
    assert!(world.holds(r#"issue.title.lowerAscii().endsWith("rstudio")"#));
    assert!(world.holds(r#"("kind/" + kind) in issue.labels"#));
    assert!(world.holds(r#"issue.labels + ["x"] == ["kind/feature", "hub", "x"]"#));
    assert!(world.holds(r#""abc" < "abd" && kind.startsWith("fea") && kind != issue.title"#));
}

#[test]
fn patterns_over_one_fact_are_matched_together_and_follow_the_fact() {
    let mut world = World::new();
    let words = ["rstudio", "jupyter", "workshop", "hackweek", "(?i)please"];
    let programs: Vec<Program> = words
        .iter()
        .map(|w| world.compile(&format!("issue.title.matches(\"{w}\")"), Expect::Bool))
        .collect();
    let before = world.facts.clone(); // made before there were patterns
    world.facts = Facts::new(&world.schema);
    let held = |facts: &Facts| -> Vec<bool> {
        let mut notes = Notes::default();
        programs
            .iter()
            .map(|p| p.holds(facts, &mut notes))
            .collect()
    };
    assert_eq!(held(&before), [false, false, false, false, true]);
    world.set("issue.title", Value::str("jupyter workshop"));
    assert_eq!(held(&world.facts), [false, true, true, false, false]);
    world.set("issue.title", Value::str("hackweek"));
    assert_eq!(held(&world.facts), [false, false, false, true, false]);
    let late = world.compile("issue.title.matches(\"week$\")", Expect::Bool);
    assert!(late.holds(&world.facts, &mut Notes::default()));
}

#[test]
fn a_program_says_what_it_reads() {
    let world = World::new();
    let program = world.compile(
        r#"author.is("member") && kind != "" || kind == current.kind"#,
        Expect::Bool,
    );
    let paths: Vec<_> = program
        .reads()
        .iter()
        .map(|s| world.schema.path(*s))
        .collect();
    assert_eq!(paths, ["kind", "current.kind", "author.roles"]);
}

#[test]
fn a_trace_shows_every_leaf_and_what_was_not_reached() {
    let world = World::new();
    let program = world.compile(
        r#"kind == "bug" && critical || !(demand.requests > 5) && (critical ? true : size(goal) == 1)"#,
        Expect::Bool,
    );
    let trace = program.trace(&world.facts);
    assert!(trace.held());
    let leaves: Vec<_> = trace
        .leaves()
        .iter()
        .map(|l| {
            let seen: Vec<_> = l.looked_at.iter().map(|s| s.text.as_str()).collect();
            let result = l.result.clone().map(|r| r == Value::Bool(true));
            (l.text.as_str(), result, seen.join(","))
        })
        .collect();
    let leaf = |text, result, seen: &str| (text, result, seen.to_owned());
    assert_eq!(
        leaves,
        [
            leaf("kind == \"bug\"", Some(false), "kind"),
            leaf("critical", None, ""),
            leaf("(demand.requests > 5)", Some(false), "demand.requests"),
            leaf("critical", Some(false), "critical"),
            leaf("true", None, ""),
            leaf("size(goal) == 1", Some(true), "goal"),
        ]
    );
    let json = serde_json::to_value(&trace).expect("serialises");
    assert_eq!(json["step"], "any");
    assert_eq!(
        json["parts"][0]["parts"][0]["looked_at"][0]["value"],
        "feature"
    );
}
