//! What must be so for every expression there is.

use proptest::prelude::*;

use super::generate::{Dialect, Random, Sort, expression, facts, schema, settle_age};
use super::print::{print, same};
use super::*;
use crate::policy::expr::eval::ABSENT_USED;
use crate::policy::expr::parse::parse;

const SORTS: [Sort; 8] = [
    Sort::Bool,
    Sort::Int,
    Sort::Double,
    Sort::Text,
    Sort::Ints,
    Sort::Texts,
    Sort::Instant,
    Sort::Span,
];

fn has_type(value: &Value, ty: &Type) -> bool {
    match (value, ty) {
        (Value::Bool(_), Type::Bool)
        | (Value::Int(_), Type::Int)
        | (Value::Double(_), Type::Double)
        | (Value::Str(_), Type::String | Type::Enum(_))
        | (Value::Timestamp(_), Type::Timestamp)
        | (Value::Duration(_), Type::Duration) => true,
        (Value::List(items), Type::List(of)) => items.iter().all(|i| has_type(i, of)),
        (Value::Map(map), Type::Map(of)) => map.values().all(|v| has_type(v, of)),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_compiles_or_says_where_it_is_wrong(text in "\\PC{0,40}") {
        check_spans(&text)?;
    }

    #[test]
    fn any_heap_of_tokens_compiles_or_says_where_it_is_wrong(seed in any::<u64>()) {
        let parts = [
            "i", "s", "xs", ".", "(", ")", "[", "]", "&&", "||", "!", "-", "+", "in", "?", ":",
            "has", "all", "x", ",", "==", "1", "\"é\"", "true", "2.5", "p", "matches", "\"[\"",
            "kind", "item", "m", "size", "or", "“", "7d", "{", "null", "days", "timestamp",
        ];
        let mut random = Random::new(seed);
        let n = random.below(24);
        let text: Vec<_> = (0..n).map(|_| random.pick(&parts)).collect();
        check_spans(&text.join(" "))?;
        check_spans(&text.concat())?;
    }

    #[test]
    fn printing_and_parsing_again_gives_the_same_tree(seed in any::<u64>()) {
        let mut random = Random::new(seed);
        let sort = random.pick(&SORTS);
        let text = expression(&mut random, Dialect::Ours, sort, 4);
        let mut problems = Vec::new();
        let first = parse(&text, &mut problems);
        let printed = print(&first);
        let second = parse(&printed, &mut problems);
        prop_assert!(problems.is_empty(), "{text}\n{printed}\n{problems:?}");
        prop_assert!(same(&first, first.root, &second, second.root), "{text}\n{printed}");
    }

    /// What the checker promises: the type, a value where it says so, no absent value ever used,
    /// and an explanation that is the evaluation.
    #[test]
    fn evaluation_keeps_the_checkers_promises(seed in any::<u64>()) {
        let schema = schema();
        let mut random = Random::new(seed);
        let sort = random.pick(&SORTS);
        let text = expression(&mut random, Dialect::Ours, sort, 4);
        let Some(program) = compiled(&text, &schema)? else { return Ok(()) };
        for _ in 0..8 {
            let facts = facts(&schema, &mut random);
            ABSENT_USED.with(|used| used.set(0));
            let value = program.eval(&facts, &mut Notes::default());
            prop_assert!(has_type(&value, program.ty()), "{text}: {value:?}");
            prop_assert_eq!(ABSENT_USED.with(std::cell::Cell::get), 0, "{}", text);
            let trace = program.trace(&facts);
            // Debug, because not-a-number differs from itself.
            prop_assert_eq!(format!("{:?}", trace.result), format!("{:?}", Some(value)), "{}", text);
        }
    }

    /// Facts of other types than declared are a mistake elsewhere, and still no panic.
    #[test]
    fn facts_of_wrong_types_do_no_harm(seed in any::<u64>()) {
        let schema = schema();
        let mut random = Random::new(seed);
        let sort = random.pick(&SORTS);
        let text = expression(&mut random, Dialect::Ours, sort, 4);
        let Some(program) = compiled(&text, &schema)? else { return Ok(()) };
        let good = facts(&schema, &mut random);
        let mut bad = good.clone();
        let slots: Vec<_> = schema.slots().collect();
        for slot in &slots {
            bad.set(*slot, good.get(random.pick(&slots)).clone());
        }
        let mut notes = Notes::default();
        program.eval(&bad, &mut notes);
        program.holds(&bad, &mut notes);
        let _ = program.trace(&bad);
    }

    /// Until the noted instant, time alone changes no answer.
    #[test]
    fn nothing_flips_before_its_time(seed in any::<u64>()) {
        let schema = schema();
        let mut random = Random::new(seed);
        let text = expression(&mut random, Dialect::Ours, Sort::Bool, 4);
        let Some(program) = compiled(&text, &schema)? else { return Ok(()) };
        let mut facts = facts(&schema, &mut random);
        let mut notes = Notes::default();
        let now = facts.now().expect("set");
        let first = program.holds(&facts, &mut notes);
        let later = instant("2026-01-01T00:00:00Z");
        let last = notes.flips_at.map_or(later, |at| at - SignedDuration::from_nanos(1));
        prop_assert!(last >= now);
        let half = now + last.duration_since(now) / 2;
        for at in [half, last] {
            facts.set(schema.slot("now").expect("now"), Value::Timestamp(at));
            settle_age(&schema, &mut facts);
            prop_assert_eq!(program.holds(&facts, &mut Notes::default()), first, "{} at {}", text, at);
        }
    }
}

/// The generator makes expressions that fit; only the limits may refuse one.
fn compiled(text: &str, schema: &Schema) -> Result<Option<Program>, TestCaseError> {
    match compile(text, schema, Expect::Any) {
        Ok(program) => Ok(Some(program)),
        Err(problems) => {
            let limit = |p: &Problem| matches!(p.code, "too-costly" | "too-deep" | "too-long");
            prop_assert!(problems.iter().all(limit), "{text}: {problems:#?}");
            Ok(None)
        }
    }
}

fn check_spans(text: &str) -> Result<(), TestCaseError> {
    if let Err(problems) = compile(text, &schema(), Expect::Any) {
        prop_assert!(!problems.is_empty());
        for problem in problems {
            prop_assert!(
                text.get(problem.span.clone()).is_some(),
                "{text}: {problem:?}"
            );
            prop_assert!(CODES.iter().any(|(code, _)| *code == problem.code));
        }
    }
    Ok(())
}
