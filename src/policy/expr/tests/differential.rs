//! The `cel` crate as oracle: where CEL has an answer, ours is the same.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::generate::{Dialect, Random, Sort, expression, facts, schema};
use super::*;

const OVER_LIMITS: &str = "over our limits";

/// What CEL may give up for, where ours has an answer.
const AGREED: [&str; 5] = [
    "Division by zero",
    "Remainder by zero",
    "Overflow from binary",
    "No such key",
    // The crate cannot order not-a-number.
    "found no matching",
];

/// Expressions in one run.
const EXPRESSIONS: u64 = 20_000;

fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Bool(b) => cel::Value::Bool(*b),
        Value::Int(i) => cel::Value::Int(*i),
        Value::Double(d) => cel::Value::Float(*d),
        Value::Str(s) => cel::Value::String(Arc::new(s.to_string())),
        Value::List(l) => cel::Value::List(Arc::new(l.iter().map(to_cel).collect())),
        Value::Map(m) => {
            let map: HashMap<String, cel::Value> =
                m.iter().map(|(k, v)| (k.clone(), to_cel(v))).collect();
            map.into()
        }
        _ => cel::Value::Null,
    }
}

fn from_cel(value: &cel::Value) -> Option<Value> {
    Some(match value {
        cel::Value::Bool(b) => Value::Bool(*b),
        cel::Value::Int(i) => Value::Int(*i),
        cel::Value::Float(d) => Value::Double(*d),
        cel::Value::String(s) => Value::str(s),
        cel::Value::List(l) => {
            Value::List(l.iter().map(from_cel).collect::<Option<Vec<_>>>()?.into())
        }
        _ => return None,
    })
}

/// The facts as variables; dotted ones as maps.
fn context(schema: &Schema, facts: &Facts) -> cel::Context<'static, 'static> {
    let mut context = cel::Context::default();
    let mut item = BTreeMap::new();
    for slot in schema.slots() {
        let (path, value) = (schema.path(slot), facts.get(slot));
        match path.strip_prefix("item.") {
            Some(rest) => {
                item.insert(rest.to_owned(), value.clone());
            }
            None => context.add_variable_from_value(path, to_cel(value)),
        }
    }
    context.add_variable_from_value("item", to_cel(&Value::Map(Arc::new(item))));
    context
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Double(a), Value::Double(b)) => {
            a.partial_cmp(b) == Some(Ordering::Equal) || a.is_nan() && b.is_nan()
        }
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b))
        }
        _ => a == b,
    }
}

#[test]
fn where_cel_has_an_answer_ours_is_the_same() {
    let schema = schema();
    let sorts = [
        Sort::Bool,
        Sort::Bool,
        Sort::Int,
        Sort::Double,
        Sort::Text,
        Sort::Ints,
        Sort::Texts,
    ];
    // Making a context takes the crate longer than evaluating in it.
    let mut random = Random::new(7);
    let worlds: Vec<_> = (0..64)
        .map(|_| {
            let facts = facts(&schema, &mut random);
            let context = context(&schema, &facts);
            (facts, context)
        })
        .collect();
    let mut left_out: BTreeMap<String, u32> = BTreeMap::new();
    let mut different = Vec::new();
    for seed in 0..EXPRESSIONS {
        let mut random = Random::new(seed);
        let sort = random.pick(&sorts);
        let text = expression(&mut random, Dialect::Cel, sort, 3);
        let (facts, context) = &worlds[random.below(worlds.len())];
        let ours = match compile(&text, &schema, Expect::Any) {
            Ok(program) => program.eval(facts, &mut Notes::default()),
            Err(problems) => {
                let limit = |p: &Problem| p.code.starts_with("too-");
                assert!(problems.iter().all(limit), "{text}: {problems:#?}");
                *left_out.entry(OVER_LIMITS.to_owned()).or_default() += 1;
                continue;
            }
        };
        let theirs = cel::Program::compile(&text)
            .unwrap_or_else(|e| panic!("{text}: {e}"))
            .execute(context);
        match theirs {
            Ok(value) => {
                let value = from_cel(&value);
                if !value.as_ref().is_some_and(|v| equal(v, &ours)) {
                    different.push(format!("{text}\n  ours {ours:?}\n  cel  {value:?}"));
                }
            }
            Err(error) => {
                // Without the values: "Division by zero of Int(7)".
                let error = error.to_string();
                let reason: Vec<_> = error.split([' ', ':']).take(3).collect();
                let unordered = error.contains("overload") && !error.contains("double");
                if unordered || !AGREED.contains(&reason.join(" ").as_str()) {
                    different.push(format!("{text}\n  ours {ours:?}\n  cel  {error}"));
                }
                *left_out.entry(reason.join(" ")).or_default() += 1;
            }
        }
    }
    let total: u32 = left_out.values().sum();
    let share = f64::from(total) / 200.0;
    println!("{EXPRESSIONS} expressions, {total} ({share} %) left out, because: {left_out:#?}");
    assert!(share < 10.0, "{share} % left out");
    let shown = different
        .iter()
        .take(40)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(different.is_empty(), "{} differ:\n{shown}", different.len());
}

/// What the two are meant to disagree on; `None` where CEL, or the crate, has no answer.
#[test]
fn the_agreed_differences_are_these() {
    let schema = schema();
    let mut facts = Facts::new(&schema);
    let empty = [("a".to_owned(), Value::str(""))];
    let m = schema.slot("m").expect("m");
    facts.set(m, Value::Map(Arc::new(empty.into())));
    for (text, ours, theirs) in [
        // Whole numbers saturate, and dividing by zero gives zero.
        ("9223372036854775807 + 1", Value::Int(i64::MAX), None),
        ("-9223372036854775808 - 1", Value::Int(i64::MIN), None),
        ("-9223372036854775808 / -1", Value::Int(i64::MAX), None),
        ("7 / 0", Value::Int(0), None),
        ("7 % 0", Value::Int(0), None),
        ("int(1e300)", Value::Int(i64::MAX), None),
        // What is not there is empty.
        ("m['zz']", Value::str(""), None),
        // `has` asks for a value, not for a key.
        ("has(m.a)", Value::Bool(false), Some(Value::Bool(true))),
        // Not-a-number is in no order with anything: CEL says false, the crate gives up.
        ("0.0 / 0.0 < 1.0", Value::Bool(false), None),
        // Every function both ways.
        ("contains('abc', 'b')", Value::Bool(true), None),
        // A whole number that is written out counts as a decimal one where one is needed.
        ("0.5 + 1", Value::Double(1.5), None),
    ] {
        let program =
            compile(text, &schema, Expect::Any).unwrap_or_else(|p| panic!("{text}: {p:?}"));
        assert_eq!(program.eval(&facts, &mut Notes::default()), ours, "{text}");
        let cel = cel::Program::compile(text).ok();
        let cel = cel.and_then(|p| p.execute(&context(&schema, &facts)).ok());
        assert_eq!(cel.as_ref().and_then(from_cel), theirs, "{text}: {cel:?}");
    }
}
