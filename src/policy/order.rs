//! The order in which facts, rules and attributes are decided, and the loop where there is none.

use std::collections::{BTreeMap, BTreeSet};

use super::expr::Slot;
use super::model::{Policy, Rule, Step};
use super::template::Part;

/// Why there is no order.
pub struct Cycle {
    pub message: String,
    /// Ids of the rules in the loop.
    pub rules: Vec<String>,
}

/// What a rule's condition and values read.
fn reads_of(rule: &Rule) -> Vec<Slot> {
    rule.programs()
        .flat_map(|p| p.reads().iter().copied())
        .collect()
}

/// Every slot that something in the policy reads.
pub fn used(policy: &Policy) -> BTreeSet<Slot> {
    let mut out: BTreeSet<Slot> = policy.rules.values().flat_map(reads_of).collect();
    let programs = policy
        .facts
        .iter()
        .map(|f| &f.program)
        .chain(policy.gates.values().map(|g| &g.requires))
        .chain(policy.caps.values().flat_map(|c| {
            std::iter::once(&c.at_most)
                .chain(&c.exempt)
                .chain(c.next_by.iter().filter_map(|o| o.by.as_ref()))
        }))
        .chain(policy.score.values().map(|d| &d.points));
    out.extend(programs.flat_map(|p| p.reads().iter().copied()));
    out.extend(
        policy
            .texts()
            .flat_map(|t| &t.parts)
            .filter_map(|p| match p {
                Part::Fact(slot) => Some(*slot),
                Part::Text(_) => None,
            }),
    );
    // Comparisons with time need the present, whether it is named or hidden in an age.
    out.extend(policy.schema.slot("now"));
    out
}

/// A rule depends on what it reads, an attribute on the rules that write it, a fact on what it
/// reads. Ties go by the order of the policy, so that the same policy always decides alike.
pub fn order(policy: &Policy) -> Result<Vec<Step>, Cycle> {
    let mut of_slot: BTreeMap<Slot, Step> = BTreeMap::new();
    for (i, attribute) in policy.attributes.values().enumerate() {
        of_slot.insert(attribute.slot, Step::Attribute(i));
    }
    for (i, fact) in policy.facts.iter().enumerate() {
        of_slot.insert(fact.slot, Step::Fact(i));
    }
    if let Some(slot) = policy.unaligned {
        of_slot.insert(slot, Step::Unaligned);
    }
    let steps_of = |slots: &[Slot]| -> BTreeSet<Step> {
        slots
            .iter()
            .filter_map(|slot| of_slot.get(slot).copied())
            .collect()
    };

    let mut needs: BTreeMap<Step, BTreeSet<Step>> = BTreeMap::new();
    for (i, fact) in policy.facts.iter().enumerate() {
        needs.insert(Step::Fact(i), steps_of(fact.program.reads()));
    }
    for (i, rule) in policy.rules.values().enumerate() {
        needs.insert(Step::Rule(i), steps_of(&reads_of(rule)));
    }
    for (i, attribute) in policy.attributes.values().enumerate() {
        let writers = policy
            .rules
            .values()
            .enumerate()
            .filter(|(_, rule)| rule.wishes.iter().any(|w| w.attribute == attribute.id))
            .map(|(i, _)| Step::Rule(i));
        needs.insert(Step::Attribute(i), writers.collect());
    }
    if policy.unaligned.is_some() {
        let goals = policy
            .attributes
            .values()
            .enumerate()
            .filter(|(_, a)| a.of_goals);
        needs.insert(
            Step::Unaligned,
            goals.map(|(i, _)| Step::Attribute(i)).collect(),
        );
    }

    let mut done: Vec<Step> = Vec::with_capacity(needs.len());
    let mut decided: BTreeSet<Step> = BTreeSet::new();
    while decided.len() < needs.len() {
        let before = decided.len();
        for (step, wants) in &needs {
            if !decided.contains(step) && wants.is_subset(&decided) {
                decided.insert(*step);
                done.push(*step);
            }
        }
        if decided.len() == before {
            return Err(cycle(policy, &needs, &decided));
        }
    }
    Ok(done)
}

/// Walks what is stuck until a step comes again.
fn cycle(
    policy: &Policy,
    needs: &BTreeMap<Step, BTreeSet<Step>>,
    decided: &BTreeSet<Step>,
) -> Cycle {
    let mut path: Vec<Step> = Vec::new();
    let mut at = needs.keys().find(|s| !decided.contains(s)).copied();
    while let Some(step) = at {
        if let Some(start) = path.iter().position(|s| *s == step) {
            path.drain(..start);
            path.push(step);
            break;
        }
        path.push(step);
        at = needs
            .get(&step)
            .and_then(|wants| wants.iter().find(|s| !decided.contains(s)).copied());
    }
    let name = |step: &Step| match step {
        Step::Fact(i) => policy
            .facts
            .get(*i)
            .map_or_else(String::new, |f| format!("fact `{}`", f.id)),
        Step::Rule(i) => policy
            .rules
            .get_index(*i)
            .map_or_else(String::new, |(id, _)| format!("rule `{id}`")),
        Step::Attribute(i) => policy
            .attributes
            .get_index(*i)
            .map_or_else(String::new, |(id, _)| format!("`{id}`")),
        Step::Unaligned => "`unaligned`".to_owned(),
    };
    let rules = path
        .iter()
        .filter_map(|step| match step {
            Step::Rule(i) => policy.rules.get_index(*i).map(|(id, _)| id.clone()),
            _ => None,
        })
        .collect();
    let chain: Vec<String> = path.iter().map(name).collect();
    Cycle {
        message: format!(
            "this cannot be decided in any order: {}",
            chain.join(" needs ")
        ),
        rules,
    }
}
