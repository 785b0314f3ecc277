//! The language from the outside: text in, values and problems out.

use jiff::{SignedDuration, Timestamp};

use super::*;

mod differential;
mod generate;
mod language;
mod lint;
mod print;
mod problems;
mod properties;
mod time;

/// A schema like the policy's, with facts of one item.
pub(super) struct World {
    pub schema: Schema,
    pub facts: Facts,
}

impl World {
    pub fn new() -> Self {
        let mut schema = Schema::new();
        let list = |of: Type| Type::List(Box::new(of));
        let strings = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        let kind = schema.add_enum("kind", strings(&["feature", "bug", "support"]));
        let impact = schema.add_enum("impact", strings(&["low", "medium", "high", "critical"]));
        let goal = schema.add_enum("goal", strings(&["research", "teaching"]));
        let role = schema.add_enum("role", strings(&["member", "product_lead"]));
        schema.add_fact("now", Type::Timestamp, false);
        schema.add_fact("issue.title", Type::String, false);
        schema.add_fact("issue.body", Type::String, false);
        schema.add_fact("issue.labels", list(Type::String), false);
        schema.add_fact("issue.created_at", Type::Timestamp, false);
        schema.add_fact("issue.closed_at", Type::Timestamp, true);
        schema.add_fact("issue.age", Type::Duration, false);
        schema.add_fact("issue.comments", Type::Int, false);
        schema.add_fact("issue.private", Type::Bool, true);
        schema.add_fact("communities", list(Type::String), false);
        schema.add_fact("kind", Type::Enum(kind), false);
        schema.add_fact("current.kind", Type::Enum(kind), false);
        schema.add_fact("impact", Type::Enum(impact), false);
        schema.add_fact("goal", list(Type::Enum(goal)), false);
        schema.add_fact("guess.confidence", Type::Double, true);
        schema.add_fact("demand.requests", Type::Int, false);
        schema.add_fact("board.points", Type::Int, true);
        schema.add_fact("board.entered_at", Type::Timestamp, true);
        schema.add_fact("board.fields.Team size", Type::Int, true);
        schema.add_fact("form", Type::Map(Box::new(Type::String)), false);
        schema.add_fact("scores", Type::Map(Box::new(Type::Int)), false);
        schema.add_fact("points", list(Type::Int), false);
        schema.add_fact("critical", Type::Bool, false);
        let roles = schema.add_fact("author.roles", list(Type::Enum(role)), false);
        let confirmed = schema.add_fact("confirmed", list(Type::Enum(role)), false);
        schema.add_membership("author.is", roles);
        schema.add_membership("confirmed_by", confirmed);
        let facts = Facts::new(&schema);
        let mut world = Self { schema, facts };
        world.set("now", Value::Timestamp(instant("2026-03-10T12:00:00Z")));
        world.set(
            "issue.created_at",
            Value::Timestamp(instant("2026-03-01T12:00:00Z")),
        );
        world.set(
            "issue.age",
            Value::Duration(SignedDuration::from_hours(9 * 24)),
        );
        world.set("issue.title", Value::str("Please add RStudio"));
        world.set("issue.labels", Value::strs(["kind/feature", "hub"]));
        world.set("issue.comments", Value::Int(3));
        world.set("demand.requests", Value::Int(2));
        world.set("kind", Value::str("feature"));
        world.set("goal", Value::strs(["research"]));
        world.set("points", Value::List([1, 2, 3].map(Value::Int).into()));
        world.set("critical", Value::Bool(false));
        world.set("author.roles", Value::strs(["member"]));
        let form = [("Impact".to_owned(), Value::str("many people"))];
        world.set("form", Value::Map(std::sync::Arc::new(form.into())));
        world
    }

    pub fn set(&mut self, path: &str, value: Value) {
        let slot = self.schema.slot(path).expect(path);
        self.facts.set(slot, value);
    }

    pub fn compile(&self, text: &str, expect: Expect<'_>) -> Program {
        compile(text, &self.schema, expect).unwrap_or_else(|problems| {
            panic!("{text}: {problems:#?}");
        })
    }

    pub fn value(&self, text: &str) -> Value {
        self.compile(text, Expect::Any)
            .eval(&self.facts, &mut Notes::default())
    }

    pub fn holds(&self, text: &str) -> bool {
        self.compile(text, Expect::Bool)
            .holds(&self.facts, &mut Notes::default())
    }

    pub fn problems(&self, text: &str) -> Vec<Problem> {
        compile(text, &self.schema, Expect::Bool)
            .err()
            .unwrap_or_default()
    }
}

pub(super) fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}
