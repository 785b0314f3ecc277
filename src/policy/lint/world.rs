//! The items that the lint imagines: an ordinary one, changed until given conditions hold.

use std::collections::BTreeSet;

use crate::policy::expr::witness::{self, Choice};
use crate::policy::expr::{Facts, Notes, Program, Slot, Value};
use crate::policy::facts;
use crate::policy::model::{Attribute, Fact, Policy};
use crate::policy::read::examples::ordinary;

/// Evaluations that all searches of one load may take together: some seconds at the very worst.
const PATIENCE: usize = 400_000;

/// An ordinary item's facts, and how facts hang together.
pub struct World<'p> {
    policy: &'p Policy,
    base: Facts,
    patience: usize,
}

/// An item that was found, with what was chosen about it.
pub struct Found {
    pub facts: Facts,
    choices: Vec<Choice>,
}

impl<'p> World<'p> {
    pub fn new(policy: &'p Policy) -> Self {
        let mut base = Facts::new(policy.schema());
        for (slot, value) in facts::read(policy, &ordinary()) {
            base.set(slot, value);
        }
        Self {
            policy,
            base,
            patience: PATIENCE,
        }
    }

    /// An item for which `goal` is 0, where one is found. The programs are what the goal looks at,
    /// the words what else may be asked for.
    pub fn search(
        &mut self,
        programs: &[&Program],
        words: &[&str],
        goal: &dyn Fn(&Facts) -> u32,
    ) -> Option<Found> {
        let schema = self.policy.schema();
        let mut slots = witness::looks_at(programs.iter().copied(), schema);
        if self.policy.unaligned.is_some_and(|s| slots.remove(&s)) {
            slots.extend(goals_of(self.policy).map(|a| a.slot));
        }
        // The first board's facts have two names; one of them is chosen, the other follows.
        let both: Vec<Slot> = aliases(self.policy)
            .filter(|(board, _)| slots.contains(board))
            .map(|(_, other)| other)
            .collect();
        slots.retain(|slot| !both.contains(slot));
        if slots.iter().any(|s| schema.path(*s) == "issue.age") {
            slots.retain(|s| schema.path(*s) != "issue.created_at");
        }
        let choices = witness::choices(&slots, programs, words, &self.base, schema);
        let follows = Follows::of_programs(self.policy, programs);
        let settled = |facts: &mut Facts| follows.settle(facts);
        let facts = witness::search(&choices, &self.base, &mut self.patience, &settled, goal)?;
        Some(Found { facts, choices })
    }

    /// The item in words: what is not as on an ordinary new one.
    pub fn describe(&self, found: &Found) -> String {
        let schema = self.policy.schema();
        let mut said = Vec::new();
        for choice in &found.choices {
            let value = choice.get(&found.facts);
            if value == choice.get(&self.base) {
                continue;
            }
            let path = schema.path(choice.slot);
            let name = match &choice.key {
                Some(key) => format!("`{path}[\"{key}\"]`"),
                None => format!("`{path}`"),
            };
            said.push(format!("{name} is {}", in_words(&value)));
        }
        match said.len() {
            0 => "an ordinary new item".to_owned(),
            1 => format!("an item of which {}", said.join("")),
            n => {
                let last = said.split_off(n - 1).join("");
                format!("an item of which {} and {last}", said.join(", "))
            }
        }
    }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Absent => "absent".to_owned(),
        Value::Str(s) if s.is_empty() => "empty".to_owned(),
        Value::List(l) if l.is_empty() => "empty".to_owned(),
        Value::Str(s) => format!("\"{s}\""),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(in_words).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Double(n) => n.to_string(),
        Value::Timestamp(t) => t.to_string(),
        Value::Duration(d) => format!("{d:#}"),
        Value::Map(_) => "a table".to_owned(),
    }
}

fn goals_of(policy: &Policy) -> impl Iterator<Item = &Attribute> {
    policy.attributes.values().filter(|a| a.of_goals)
}

/// `board.x` and `boards.<first>.x`.
fn aliases(policy: &Policy) -> impl Iterator<Item = (Slot, Slot)> + '_ {
    let first = policy.boards.keys().next().cloned().unwrap_or_default();
    let schema = policy.schema();
    schema.slots().filter_map(move |slot| {
        let rest = schema.path(slot).strip_prefix("board.")?;
        Some((slot, schema.slot(&format!("boards.{first}.{rest}"))?))
    })
}

/// The facts that follow from others, found once and settled for many items.
pub struct Follows<'p> {
    policy: &'p Policy,
    looked_at: BTreeSet<Slot>,
    /// From, and to.
    aliases: Vec<(Slot, Slot)>,
    age_and_created: Option<(Slot, Slot)>,
    unaligned: Option<Slot>,
    derived: Vec<&'p Fact>,
}

impl<'p> Follows<'p> {
    /// Those that the programs look at.
    pub fn of_programs(policy: &'p Policy, programs: &[&Program]) -> Self {
        let schema = policy.schema();
        let looked_at = witness::looks_at(programs.iter().copied(), schema);
        let wanted = |slot: Slot| looked_at.contains(&slot);
        let slot = |path: &str| schema.slot(path).filter(|s| wanted(*s));
        Self {
            policy,
            aliases: aliases(policy)
                .filter(|(from, to)| wanted(*from) && wanted(*to))
                .collect(),
            age_and_created: Option::zip(slot("issue.age"), slot("issue.created_at")),
            unaligned: policy.unaligned.filter(|s| wanted(*s)),
            derived: policy.facts.iter().filter(|f| wanted(f.slot)).collect(),
            looked_at,
        }
    }

    /// What the programs look at, and what that follows from.
    pub fn slots(&self) -> Vec<Slot> {
        let now = self.policy.schema().slot("now");
        let goals = self.unaligned.into_iter();
        let goals = goals.flat_map(|_| goals_of(self.policy).map(|a| a.slot));
        let created = self.age_and_created.map(|(_, created)| created);
        let looked_at = self.looked_at.iter().copied();
        looked_at.chain(now).chain(created).chain(goals).collect()
    }

    /// Gives them their values.
    pub fn settle(&self, facts: &mut Facts) {
        for (from, to) in &self.aliases {
            let value = facts.get(*from).clone();
            facts.set(*to, value);
        }
        if let Some((age, created)) = self.age_and_created
            && let (Value::Duration(age), Some(now)) = (facts.get(age), facts.now())
            && let Ok(then) = now.checked_sub(*age)
        {
            facts.set(created, Value::Timestamp(then));
        }
        if let Some(slot) = self.unaligned {
            let none = goals_of(self.policy).all(|a| !facts.get(a.slot).is_present());
            facts.set(slot, Value::Bool(none));
        }
        let mut notes = Notes::default();
        for fact in &self.derived {
            facts.derive(fact.slot, &fact.program, &mut notes);
        }
    }
}
