//! What each decision of a policy depends on, step by step.

use std::collections::{BTreeMap, VecDeque};

use crate::policy::expr::{Program, Slot};
use crate::policy::model::{Attribute, Cap, Policy, Rule};

/// Something that decides or is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    Attribute(usize),
    /// What GitHub shows of an attribute.
    Current(usize),
    Milestone,
    Fact(usize),
    Rule(usize),
    Gate(usize),
    Cap(usize),
    Score,
    Driver(usize),
    Unaligned,
    BuiltIn(Slot),
}

/// The dependencies of one policy.
pub struct Depends<'p> {
    policy: &'p Policy,
    of_slot: BTreeMap<Slot, Thing>,
}

impl<'p> Depends<'p> {
    pub fn new(policy: &'p Policy) -> Self {
        let mut of_slot = BTreeMap::new();
        for (i, attribute) in policy.attributes.values().enumerate() {
            of_slot.insert(attribute.slot, Thing::Attribute(i));
            of_slot.insert(attribute.current, Thing::Current(i));
        }
        for (i, fact) in policy.facts.iter().enumerate() {
            of_slot.insert(fact.slot, Thing::Fact(i));
        }
        if let Some(slot) = policy.unaligned {
            of_slot.insert(slot, Thing::Unaligned);
        }
        Self { policy, of_slot }
    }

    /// The decision of that name: an attribute, `milestone`, `score`, a gate or a cap.
    pub fn decision(&self, name: &str) -> Option<Thing> {
        let policy = self.policy;
        let attribute = policy.attributes.get_index_of(name).map(Thing::Attribute);
        attribute
            .or_else(|| policy.gates.get_index_of(name).map(Thing::Gate))
            .or_else(|| policy.caps.get_index_of(name).map(Thing::Cap))
            // Those of all values depend on the same.
            .or_else(|| {
                let mut caps = policy.caps.values();
                let of = |cap: &Cap| cap.only.as_ref().is_some_and(|only| only.of == name);
                caps.position(of).map(Thing::Cap)
            })
            .or(match name {
                "milestone" => Some(Thing::Milestone),
                "score" => Some(Thing::Score),
                _ => None,
            })
    }

    pub fn thing(&self, slot: Slot) -> Thing {
        self.of_slot
            .get(&slot)
            .copied()
            .unwrap_or(Thing::BuiltIn(slot))
    }

    fn read_by<'a>(&self, programs: impl IntoIterator<Item = &'a Program>) -> Vec<Thing> {
        let slots = programs.into_iter().flat_map(|p| p.reads().iter());
        slots.map(|slot| self.thing(*slot)).collect()
    }

    /// What a thing directly depends on.
    pub fn needs(&self, thing: Thing) -> Vec<Thing> {
        let policy = self.policy;
        match thing {
            Thing::Attribute(i) | Thing::Current(i) => policy
                .attributes
                .get_index(i)
                .map(|(_, a)| self.deciders(a))
                .unwrap_or_default(),
            Thing::Milestone => {
                let rules = policy.rules.values().enumerate();
                rules
                    .filter(|(_, rule)| rule.clear_milestone)
                    .map(|(i, _)| Thing::Rule(i))
                    .collect()
            }
            Thing::Fact(i) => self.read_by(policy.facts.get(i).map(|f| &f.program)),
            Thing::Rule(i) => {
                let rule = policy.rules.get_index(i).map(|(_, r)| r);
                self.read_by(rule.into_iter().flat_map(Rule::programs))
            }
            Thing::Gate(i) => {
                self.read_by(policy.gates.get_index(i).map(|(_, gate)| &gate.requires))
            }
            Thing::Cap(i) => {
                let Some((_, cap)) = policy.caps.get_index(i) else {
                    return Vec::new();
                };
                let orders = cap.next_by.iter().filter_map(|o| o.by.as_ref());
                let programs = std::iter::once(&cap.at_most).chain(&cap.exempt);
                let mut needs = self.read_by(programs.chain(orders));
                let attribute = cap.only.as_ref().map(|only| &only.attribute);
                let attribute = attribute.and_then(|id| policy.attributes.get_index_of(id));
                needs.extend(attribute.map(Thing::Attribute));
                if cap.next_by.iter().any(|o| o.by.is_none()) {
                    needs.push(Thing::Score);
                }
                needs
            }
            Thing::Score => (0..policy.score.len()).map(Thing::Driver).collect(),
            Thing::Driver(i) => {
                self.read_by(policy.score.get_index(i).map(|(_, driver)| &driver.points))
            }
            Thing::Unaligned => {
                let goals = policy.attributes.values().enumerate();
                goals
                    .filter(|(_, a)| a.of_goals)
                    .map(|(i, _)| Thing::Attribute(i))
                    .collect()
            }
            Thing::BuiltIn(_) => Vec::new(),
        }
    }

    /// The rules that write an attribute, and where it is a board's column, what guards that.
    fn deciders(&self, attribute: &Attribute) -> Vec<Thing> {
        let policy = self.policy;
        let writes = policy
            .rules
            .values()
            .enumerate()
            .filter(|(_, rule)| rule.wishes.iter().any(|w| w.attribute == attribute.id));
        let mut out: Vec<Thing> = writes.map(|(i, _)| Thing::Rule(i)).collect();
        let is_column_of = |board: &str| {
            let column = policy.boards.get(board).map(|b| b.column_field.as_str());
            attribute.fields.iter().any(|field| {
                field.board == board && column.is_some_and(|c| c.eq_ignore_ascii_case(&field.field))
            })
        };
        let gates = policy.gates.values().enumerate();
        out.extend(
            gates
                .filter(|(_, g)| is_column_of(&g.board))
                .map(|(i, _)| Thing::Gate(i)),
        );
        let caps = policy.caps.values().enumerate();
        out.extend(
            caps.filter(|(_, c)| is_column_of(&c.board))
                .map(|(i, _)| Thing::Cap(i)),
        );
        out
    }

    /// Everything a decision depends on, nearest first, each with the shortest way to it (the
    /// decision itself at its beginning).
    pub fn closure(&self, decision: Thing) -> Vec<Vec<Thing>> {
        let mut came_from: BTreeMap<Thing, Option<Thing>> = BTreeMap::from([(decision, None)]);
        let mut open = VecDeque::from([decision]);
        let mut out = Vec::new();
        while let Some(thing) = open.pop_front() {
            if thing != decision {
                let mut path = vec![thing];
                let mut at = thing;
                while let Some(Some(before)) = came_from.get(&at) {
                    path.push(*before);
                    at = *before;
                }
                path.reverse();
                out.push(path);
            }
            for next in self.needs(thing) {
                came_from.entry(next).or_insert_with(|| {
                    open.push_back(next);
                    Some(thing)
                });
            }
        }
        out
    }

    /// The name without what kind of thing it is.
    pub fn name(&self, thing: Thing) -> String {
        let policy = self.policy;
        let key = |found: Option<&String>| found.cloned().unwrap_or_default();
        match thing {
            Thing::Attribute(i) => key(policy.attributes.get_index(i).map(|(id, _)| id)),
            Thing::Current(i) => {
                let id = key(policy.attributes.get_index(i).map(|(id, _)| id));
                format!("current.{id}")
            }
            Thing::Milestone => "milestone".to_owned(),
            Thing::Fact(i) => key(policy.facts.get(i).map(|f| &f.id)),
            Thing::Rule(i) => key(policy.rules.get_index(i).map(|(id, _)| id)),
            Thing::Gate(i) => key(policy.gates.get_index(i).map(|(id, _)| id)),
            Thing::Cap(i) => key(policy.caps.get_index(i).map(|(id, _)| id)),
            Thing::Score => "score".to_owned(),
            Thing::Driver(i) => key(policy.score.get_index(i).map(|(id, _)| id)),
            Thing::Unaligned => "unaligned".to_owned(),
            Thing::BuiltIn(slot) => policy.schema().path(slot).to_owned(),
        }
    }

    /// The name as a step of a path.
    pub fn in_words(&self, thing: Thing) -> String {
        let name = self.name(thing);
        match thing {
            Thing::Fact(_) => format!("fact {name}"),
            Thing::Rule(_) => format!("rule {name}"),
            Thing::Gate(_) => format!("gate {name}"),
            Thing::Cap(_) => format!("cap {name}"),
            Thing::Driver(_) => format!("score driver {name}"),
            _ => name,
        }
    }
}
