//! When an answer changes because time passed.

use super::*;

/// When the condition was found to flip, or `never`.
fn flips(world: &World, text: &str) -> String {
    let mut notes = Notes::default();
    world
        .compile(text, Expect::Bool)
        .holds(&world.facts, &mut notes);
    notes
        .flips_at
        .map_or_else(|| "never".to_owned(), |at| at.to_string())
}

#[test]
fn comparisons_with_now_say_when_they_flip() {
    let world = World::new();
    assert_eq!(flips(&world, "issue.comments > 3"), "never");
    assert_eq!(
        flips(&world, "issue.age >= days(14)"),
        "2026-03-15T12:00:00Z"
    );
    assert_eq!(
        flips(&world, "issue.age > days(14)"),
        "2026-03-15T12:00:00.000000001Z"
    );
    assert_eq!(flips(&world, "issue.age > days(3)"), "never");
    assert_eq!(
        flips(&world, "now - issue.created_at < duration(\"240h\")"),
        "2026-03-11T12:00:00Z"
    );
    assert_eq!(
        flips(&world, "timestamp(\"2026-04-01T00:00:00Z\") <= now"),
        "2026-04-01T00:00:00Z"
    );
    assert_eq!(flips(&world, "now + days(1) >= now"), "never");
    assert_eq!(
        flips(&world, "issue.created_at + days(30) - now < days(7)"),
        "2026-03-24T12:00:00.000000001Z"
    );
    assert_eq!(
        flips(&world, "now == timestamp(\"2026-03-11T00:00:00Z\")"),
        "2026-03-11T00:00:00Z"
    );
    assert_eq!(
        flips(&world, "min(issue.age, days(2)) > days(30)"),
        "never",
        "the lesser one does not move"
    );
    assert_eq!(
        flips(&world, "max(issue.age, days(12)) > days(30)"),
        "2026-03-13T12:00:00Z",
        "when the age becomes the greater one"
    );
}

#[test]
fn only_what_was_evaluated_counts() {
    let world = World::new();
    assert_eq!(flips(&world, "critical && issue.age >= days(14)"), "never");
    assert_eq!(
        flips(&world, "issue.age >= days(20) || issue.age >= days(14)"),
        "2026-03-15T12:00:00Z"
    );
    assert_eq!(
        flips(
            &world,
            "now - board.entered_at.or(issue.created_at) >= days(10)"
        ),
        "2026-03-11T12:00:00Z"
    );
    assert_eq!(
        flips(&world, "now - board.entered_at.or(now) >= days(10)"),
        "never"
    );
    assert_eq!(
        flips(&world, "[days(20), days(14)].exists(d, issue.age >= d)"),
        "2026-03-15T12:00:00Z"
    );
}

#[test]
fn derived_facts_move_too() {
    let mut world = World::new();
    let quiet = world.compile("now - issue.created_at", Expect::Any);
    assert!(quiet.moves());
    let slot = world.schema.add_derived("quiet", &quiet);
    let facts = world.facts.clone();
    world.facts = Facts::new(&world.schema);
    for path in ["now", "issue.created_at"] {
        let known = world.schema.slot(path).expect(path);
        world.facts.set(known, facts.get(known).clone());
    }
    world.facts.derive(slot, &quiet, &mut Notes::default());
    assert_eq!(flips(&world, "quiet >= days(14)"), "2026-03-15T12:00:00Z");
    assert_eq!(
        world.facts.get(slot),
        &Value::Duration(SignedDuration::from_hours(216))
    );
}

#[test]
fn what_moves_cannot_hide_in_a_list() {
    let world = World::new();
    for text in [
        "issue.created_at in [now]",
        "points.map(p, now)[0].or(now) == now",
        "[issue.age].exists(a, a > days(1))",
    ] {
        let problems = world.problems(text);
        assert!(
            problems.iter().any(|p| p.code == "unsupported"),
            "{text}: {problems:?}"
        );
    }
}

#[test]
fn the_flip_is_where_the_answer_changes() {
    // Stepping to the noted instant changes the answer; a nanosecond before it does not.
    let mut world = World::new();
    let start = instant("2026-03-10T12:00:00Z");
    for text in [
        "now - issue.created_at >= days(14)",
        "now - issue.created_at > days(14)",
        "issue.created_at + days(12) < now",
        "timestamp(\"2026-05-01T00:00:00Z\") - now <= hours(3)",
        "now != issue.created_at + days(11)",
    ] {
        let program = world.compile(text, Expect::Bool);
        let mut answer = |now: Timestamp| {
            world.set("now", Value::Timestamp(now));
            let mut notes = Notes::default();
            (program.holds(&world.facts, &mut notes), notes.flips_at)
        };
        let (first, flips) = answer(start);
        let flips = flips.expect(text);
        assert_eq!(
            answer(flips - SignedDuration::from_nanos(1)).0,
            first,
            "{text}"
        );
        assert_ne!(answer(flips).0, first, "{text}");
    }
}
