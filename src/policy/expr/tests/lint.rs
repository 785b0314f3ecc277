//! What the lint may rely on.

use super::generate::{Dialect, INTS, Random, Sort, expression, facts, schema};
use super::*;

fn never_together(a: &str, b: &str) -> bool {
    let world = World::new();
    let compiled = |text: &str| world.compile(text, Expect::Bool);
    disjoint(&compiled(a), &compiled(b), &world.schema)
}

#[test]
fn conditions_that_exclude_one_another_are_seen() {
    for (a, b) in [
        ("kind == \"bug\"", "kind == \"feature\" && critical"),
        ("kind == \"bug\"", "kind != \"bug\""),
        (
            "kind in [\"bug\", \"support\"]",
            "kind == \"\" || kind == \"feature\"",
        ),
        ("has(kind)", "kind == \"\""),
        // The enum has no fourth value.
        (
            "kind != \"bug\" && kind != \"\"",
            "!(kind in [\"feature\", \"support\"])",
        ),
        ("critical", "!critical && kind == \"bug\""),
        ("critical == true", "critical != true"),
        ("demand.requests > 3", "demand.requests <= 3"),
        ("demand.requests > 3", "demand.requests < 4"),
        ("3 < demand.requests", "demand.requests == 2"),
        (
            "has(guess.confidence) && guess.confidence >= 0.9",
            "has(guess.confidence) && guess.confidence < 0.5",
        ),
        (
            "has(board.points) && board.points > 1",
            "!has(board.points)",
        ),
        ("issue.age > days(7)", "issue.age < hours(24)"),
        ("size(goal) == 0", "\"research\" in goal"),
        ("!has(goal)", "size(goal) > 0"),
        (
            "author.is(\"member\")",
            "!author.is(\"member\") && critical",
        ),
        ("issue.title.matches(\"x\")", "!(issue.title.matches('x'))"),
        ("kind == current.kind", "current.kind != kind"),
        ("(critical ? kind : \"bug\") == \"bug\" && false", "true"),
        (
            "critical ? kind == \"bug\" : kind == \"support\"",
            "kind == \"feature\"",
        ),
        ("form[\"Impact\"] == \"x\"", "form.Impact == \"y\""),
        (
            "issue.labels.exists(a, a == \"x\")",
            "!issue.labels.exists(b, b == \"x\")",
        ),
    ] {
        assert!(never_together(a, b), "{a} / {b}");
        assert!(never_together(b, a), "{b} / {a}");
    }
}

#[test]
fn what_can_hold_together_is_not_called_disjoint() {
    for (a, b) in [
        ("kind == \"bug\"", "impact == \"high\""),
        ("kind in [\"bug\", \"feature\"]", "kind != \"bug\""),
        ("demand.requests > 3", "demand.requests <= 4"),
        (
            "!(has(guess.confidence) && guess.confidence >= 0.9)",
            "!(has(guess.confidence) && guess.confidence < 0.9)",
        ),
        (
            "has(board.points) && board.points > 1",
            "!has(board.points) || board.points > 2",
        ),
        ("\"research\" in goal", "\"teaching\" in goal"),
        ("issue.title.matches(\"x\")", "!issue.title.matches(\"y\")"),
        ("form[\"Impact\"] == \"x\"", "form[\"Effort\"] == \"y\""),
        (
            "issue.labels.exists(a, a == \"x\")",
            "!issue.labels.exists(b, b == \"y\")",
        ),
    ] {
        assert!(!never_together(a, b), "{a} / {b}");
    }
}

#[test]
fn derived_facts_are_looked_through() {
    let mut world = World::new();
    let undecided = world.compile("kind in [\"\", \"support\"]", Expect::Bool);
    world.schema.add_derived("undecided", &undecided);
    let a = world.compile("undecided && critical", Expect::Bool);
    let b = world.compile("kind == \"bug\"", Expect::Bool);
    assert!(disjoint(&a, &b, &world.schema));
    let c = world.compile("!undecided && kind == \"\"", Expect::Bool);
    assert!(never_holds(&c, &world.schema));
    assert!(!never_holds(&a, &world.schema));
}

#[test]
fn too_many_alternatives_prove_nothing_and_take_no_time() {
    let world = World::new();
    let pair = |n: i64| format!("(demand.requests > {n} || issue.comments > {n})");
    let many: Vec<_> = (0..200).map(pair).collect();
    let program = world.compile(&many.join(" && "), Expect::Bool);
    assert!(!never_holds(&program, &world.schema));
    // Every level asks twice about the one below.
    let level = |inner: String, n: i64| format!("({inner} ? demand.requests > {n} : critical)");
    let deep = (0..50).fold("critical".to_owned(), level);
    let program = world.compile(&deep, Expect::Bool);
    assert!(!never_holds(&program, &world.schema));
    // A tower of derived facts, each of them twice the one below.
    let mut world = World::new();
    for n in 0..30 {
        let below = if n == 0 {
            "critical".to_owned()
        } else {
            format!("t{}", n - 1)
        };
        let text = format!("{below} && demand.requests > {n} || !{below} && issue.comments > {n}");
        let program = world.compile(&text, Expect::Bool);
        world.schema.add_derived(&format!("t{n}"), &program);
    }
    assert!(!never_holds(
        &world.compile("t29", Expect::Bool),
        &world.schema
    ));
}

/// Conditions over few values, so that many exclude one another.
fn narrow(random: &mut Random, depth: usize) -> String {
    if depth > 0 && !random.one_in(4) {
        let (a, b) = (narrow(random, depth - 1), narrow(random, depth - 1));
        return match random.below(5) {
            0 => format!("({a} || {b})"),
            1 => format!("!({a})"),
            2 => format!("({a} ? {b} : {})", narrow(random, depth - 1)),
            _ => format!("({a} && {b})"),
        };
    }
    let sign = random.pick(&["==", "!=", "<", "<=", ">", ">="]);
    let n = random.pick(&INTS);
    match random.below(12) {
        0 => format!(
            "kind == \"{}\"",
            random.pick(&["bug", "feature", "docs", ""])
        ),
        1 => format!(
            "kind in [\"bug\", \"{}\"]",
            random.pick(&["feature", "docs", ""])
        ),
        2 => format!("i {sign} {n}"),
        3 => format!("{n} {sign} size(xs)"),
        4 => format!("(has(p) && p {sign} {n})"),
        5 => format!("(has(r) && r {sign} {:?})", random.pick(&[0.5, 1.0, 3.0])),
        6 => format!(
            "has({})",
            random.pick(&["p", "r", "kind", "xs", "s", "done"])
        ),
        7 => format!("item.age {sign} days({})", random.below(6)),
        8 => format!("\"{}\" in kinds", random.pick(&["bug", "docs"])),
        9 => format!("s {} \"a\"", random.pick(&["==", "!="])),
        10 => format!("d {sign} {:?}", random.pick(&[0.5, 1.0, 3.0])),
        _ => expression(random, Dialect::Ours, Sort::Bool, 1),
    }
}

/// Tries to refute what is called disjoint, or never to hold.
#[test]
fn what_is_called_disjoint_is() {
    let schema = schema();
    let mut random = Random::new(4);
    let many: Vec<Facts> = (0..300).map(|_| facts(&schema, &mut random)).collect();
    let mut notes = Notes::default();
    let (mut proved, mut together, mut never) = (0, 0, 0);
    let pairs = 2000;
    for _ in 0..pairs {
        let texts = [narrow(&mut random, 2), narrow(&mut random, 3)];
        let [a, b] = texts.each_ref().map(|text| {
            compile(text, &schema, Expect::Bool).unwrap_or_else(|p| panic!("{text}: {p:?}"))
        });
        let apart = disjoint(&a, &b, &schema);
        let refuted = many
            .iter()
            .find(|f| a.holds(f, &mut notes) && b.holds(f, &mut notes));
        assert!(!(apart && refuted.is_some()), "{texts:#?}\n{refuted:#?}");
        proved += usize::from(apart);
        together += usize::from(refuted.is_some());
        for program in [&a, &b] {
            if never_holds(program, &schema) {
                never += 1;
                assert!(
                    !many.iter().any(|f| program.holds(f, &mut notes)),
                    "{program:?}"
                );
            }
        }
    }
    println!(
        "{pairs} pairs: {proved} proved disjoint, {together} seen together; {never} conditions proved never to hold"
    );
    // Both answers must be common, or the test shows nothing.
    assert!(proved > pairs / 20 && together > pairs / 10 && never > pairs / 50);
}
