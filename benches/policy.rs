//! The policy language: compiling, deciding and proving, beside the `cel` crate on the same
//! conditions, so that the ratio is from one run.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use northstar::policy::expr::{
    Expect, Facts, Notes, Program, Schema, Type, Value, compile, disjoint,
};
use northstar::policy::{Source, load};
use northstar::triage::board;

/// As in the service.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const RULES: usize = 1000;
const KINDS: [&str; 4] = ["feature", "bug", "support", "docs"];
const WORDS: [&str; 5] = ["workshop", "hackweek", "rstudio", "quota", "login"];

/// About forty facts, as an item has them.
fn schema() -> Schema {
    let mut schema = Schema::new();
    let kind = schema.add_enum("kind", KINDS.map(str::to_owned));
    schema.add_fact("now", Type::Timestamp, false);
    schema.add_fact("title", Type::String, false);
    schema.add_fact("labels", Type::List(Box::new(Type::String)), false);
    schema.add_fact("kind", Type::Enum(kind), false);
    for n in 0..12 {
        schema.add_fact(&format!("count{n}"), Type::Int, false);
        schema.add_fact(&format!("flag{n}"), Type::Bool, false);
        schema.add_fact(&format!("text{n}"), Type::String, false);
    }
    schema
}

fn facts(schema: &Schema) -> Facts {
    let mut facts = Facts::new(schema);
    let mut set = |path: &str, value| facts.set(schema.slot(path).expect("declared"), value);
    set(
        "title",
        Value::str("Please raise the quota of our hub before the course begins"),
    );
    set("labels", Value::strs(["hub", "kind/feature", "area/quota"]));
    set("kind", Value::str("feature"));
    for n in 0..12 {
        set(&format!("count{n}"), Value::Int(n));
        set(&format!("flag{n}"), Value::Bool(n % 2 == 0));
        set(
            &format!("text{n}"),
            Value::str(KINDS[usize::try_from(n).unwrap_or(0) % 4]),
        );
    }
    facts
}

/// Conditions in the proportions of a real policy; one in twenty has a pattern.
fn conditions() -> Vec<String> {
    let condition = |i: usize| {
        let (a, b, kind) = (i % 12, (i / 3) % 12, KINDS[i % 4]);
        match i % 20 {
            0 => format!("title.matches('(?i){}.*{}')", WORDS[i / 20 % 5], i % 7),
            1..=4 => format!("'area/{}' in labels && count{a} > {b}", WORDS[i % 5]),
            5..=9 => format!("kind == '{kind}' && !flag{a} && text{b} == ''"),
            10..=14 => {
                format!("kind in ['{kind}', 'docs'] && count{a} >= {b} || flag{b} && flag{a}")
            }
            _ => format!(
                "(count{a} + count{b} > 9 ? flag{a} : text{a} == '{kind}') && kind != 'bug'"
            ),
        }
    };
    (0..RULES).map(condition).collect()
}

fn programs(schema: &Schema, conditions: &[String]) -> Vec<Program> {
    let one = |text: &String| compile(text, schema, Expect::Bool).expect("well typed");
    conditions.iter().map(one).collect()
}

fn context(schema: &Schema, facts: &Facts) -> cel::Context<'static, 'static> {
    let text = |s: &Arc<str>| cel::Value::String(Arc::new(s.to_string()));
    let mut context = cel::Context::default();
    for slot in schema.slots() {
        let value = match facts.get(slot) {
            Value::Bool(b) => cel::Value::Bool(*b),
            Value::Int(i) => cel::Value::Int(*i),
            Value::Str(s) => text(s),
            Value::List(items) => {
                let items = items.iter().filter_map(|item| match item {
                    Value::Str(s) => Some(text(s)),
                    _ => None,
                });
                cel::Value::List(Arc::new(items.collect()))
            }
            _ => continue,
        };
        context.add_variable_from_value(schema.path(slot), value);
    }
    context
}

fn benches(c: &mut Criterion) {
    let schema = schema();
    let conditions = conditions();
    c.bench_function("compile 1000 conditions", |b| {
        b.iter(|| programs(&self::schema(), black_box(&conditions)));
    });
    let ours = programs(&schema, &conditions);
    let facts = facts(&schema);
    c.bench_function("evaluate 1000 conditions", |b| {
        let mut notes = Notes::default();
        b.iter(|| {
            // A new item: what the patterns found in the last one is forgotten.
            let mut facts = facts.clone();
            let title = schema.slot("title").expect("declared");
            let same = facts.get(title).clone();
            facts.set(title, same);
            ours.iter().filter(|p| p.holds(&facts, &mut notes)).count()
        });
    });
    let theirs: Vec<_> = conditions
        .iter()
        .map(|text| cel::Program::compile(text).expect("CEL"))
        .collect();
    let context = context(&schema, &facts);
    c.bench_function("evaluate 1000 conditions with cel", |b| {
        let holds = |p: &&cel::Program| matches!(p.execute(&context), Ok(cel::Value::Bool(true)));
        b.iter(|| theirs.iter().filter(holds).count());
    });
    c.bench_function("all pairs of 1000 conditions disjoint?", |b| {
        b.iter(|| {
            let pairs = ours.iter().enumerate();
            pairs
                .flat_map(|(i, x)| ours[i + 1..].iter().map(move |y| (x, y)))
                .filter(|(x, y)| disjoint(x, y, &schema))
                .count()
        });
    });
}

/// The policy that ships, as the shell would read it.
fn shipped() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut open = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "md") {
                let text = std::fs::read_to_string(&path).expect("readable");
                sources.push(Source::new(path.to_string_lossy(), text));
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

/// As many rules, all of which write one attribute, each pair proved apart: by a number, a form's
/// answer and, within ten, by the title.
fn contending() -> Vec<Source> {
    let mut text = String::from(
        "version: 1\nattributes: { kind: { values: [a, b, c], label: \"kind/{value}\" } }\nfacts: { loud: issue.comments > 9 }\nprinciples:\n- id: p\n  statement: s\n  rules:\n",
    );
    for i in 0..RULES {
        let (n, one) = (i / 10, i % 10);
        let value = ["a", "b", "c"][i % 3];
        text.push_str(&format!(
            "  - {{ id: r{i}, when: '(loud || issue.open) && issue.number == {n} && form[\"Area\"] == \"{one}\"', set: {{ kind: {value} }}, because: b }}\n"
        ));
    }
    vec![Source::new("policy.yaml", text)]
}

fn loading(c: &mut Criterion) {
    let sources = shipped();
    c.bench_function("load and check the shipped policy", |b| {
        b.iter(|| load(black_box(&sources)).expect("sound"));
    });
    let sources = contending();
    c.bench_function("load 1000 rules, all pairs checked for conflict", |b| {
        b.iter(|| load(black_box(&sources)).expect("sound"));
    });
}

/// A board of this many rows, its cap full and some over it.
fn a_board() -> (northstar::policy::Policy, Vec<board::Row>) {
    let policy = load(&[Source::new("policy.yaml", BOARD)]).expect("sound");
    let row = |id: u64| {
        let column =
            ["Ideas", "Next", "Doing", "Review", "Done"][usize::try_from(id % 5).unwrap_or(0)];
        let place = board::Place {
            name: format!("o/r#{id}"),
            title: "A row".to_owned(),
            on_board: true,
            open: id % 5 != 4,
            column: column.to_owned(),
            came_from: Some("Next".to_owned()),
            entered_at: jiff::Timestamp::from_second(i64::try_from(id * 7919 % 5000).unwrap_or(0))
                .ok(),
            meets: std::collections::BTreeSet::from(["looked-at".to_owned()]),
            #[allow(clippy::cast_precision_loss)]
            order: [(
                "few".to_owned(),
                vec![board::OrderKey::Number((id % 37) as f64)],
            )]
            .into(),
            ..board::Place::default()
        };
        let mut standing = board::Standing::default();
        if id % 10 == 2 {
            standing.inside = ["few", "looked-at"].map(str::to_owned).into();
        }
        board::Row {
            item: northstar::ids::ItemId(id),
            place,
            standing: Some(standing),
        }
    };
    (policy, (0..5000).map(row).collect())
}

const BOARD: &str = "
version: 1
mode: enforce
boards: { delivery: { project: 1 } }
principles:
- id: p
  statement: s
  gates:
  - { id: looked-at, board: delivery, into: [Doing, Review], requires: issue.open, because: b }
  caps:
  - { id: few, board: delivery, columns: [Doing], at_most: 400, next_by: [score desc], because: b }
";

fn boards(c: &mut Criterion) {
    let (policy, rows) = a_board();
    let now = jiff::Timestamp::from_second(10_000).expect("an instant");
    let since = [("few", now), ("looked-at", now)];
    let since = since.map(|(id, at)| (id.to_owned(), at)).into();
    c.bench_function("decide a board of 5000 rows", |b| {
        b.iter(|| {
            board::judge(&board::Board {
                policy: &policy,
                id: "delivery",
                now,
                columns: &[],
                rows: black_box(&rows),
                since: &since,
            })
        });
    });
}

criterion_group! {
    name = policy;
    config = Criterion::default().sample_size(20);
    targets = benches, loading, boards
}
criterion_main!(policy);
