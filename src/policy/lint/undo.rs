//! Rules that undo what they, or each other, have done.

use std::cell::RefCell;

use crate::policy::expr::witness::{distance, looks_at};
use crate::policy::expr::{Facts, Part, Program, Slot, Value};
use crate::policy::model::{Attribute, Policy, Rule};
use crate::policy::read::Reader;
use crate::triage::attribute::AttributeValue;

use super::Places;
use super::conflict::beats;
use super::way::{Way, Writes, programs, ways, words};
use super::world::{Follows, World};

const EACH_OTHER: &str = "undo-each-other";
const ITSELF: &str = "hold-reads-itself";

pub fn find(r: &mut Reader<'_>, policy: &Policy, places: &Places<'_>, world: &mut World<'_>) {
    for attribute in policy.attributes.values() {
        holds(r, policy, places, attribute);
        if !attribute.many {
            in_turns(r, policy, places, attribute, world);
        }
    }
    labels(r, policy, places, world);
}

/// Does the rule look at the slot, through derived facts too?
fn reads(policy: &Policy, rule: &Rule, slot: Slot) -> bool {
    looks_at(rule.programs(), policy.schema()).contains(&slot)
}

/// A hold that reads what it writes, and a rule that reads what another holds: the withdrawal
/// makes the condition true again.
fn holds(r: &mut Reader<'_>, policy: &Policy, places: &Places<'_>, attribute: &Attribute) {
    let id = &attribute.id;
    let has_wish = |rule: &&Rule, hold: Option<bool>| {
        rule.wishes
            .iter()
            .any(|w| w.attribute == *id && hold.is_none_or(|h| h == w.hold))
    };
    let writers: Vec<&Rule> = policy
        .rules
        .values()
        .filter(|rule| has_wish(rule, None))
        .collect();
    let holders: Vec<&Rule> = writers
        .iter()
        .copied()
        .filter(|rule| has_wish(rule, Some(true)))
        .collect();
    for rule in writers {
        if holders.is_empty() || !reads(policy, rule, attribute.current) {
            continue;
        }
        let Some(place) = places.rules.get(&rule.id) else {
            continue;
        };
        if has_wish(&rule, Some(true)) {
            let message = format!(
                "`{}` holds `{id}` and reads `current.{id}`: it would switch itself off",
                rule.id
            );
            let help = Some("use `set:`, which stays when its condition ends".to_owned());
            r.error_help(ITSELF, place, message, help);
        } else if let Some(holder) = holders.first() {
            let message = format!(
                "`{}` writes `{id}` and reads `current.{id}`, while `{}` holds it: they would undo each other",
                rule.id, holder.id
            );
            r.error(EACH_OTHER, place, message);
        }
    }
}

/// Two ways of which each makes the other one true: `bug` becomes `task` becomes `bug`.
fn in_turns(
    r: &mut Reader<'_>,
    policy: &Policy,
    places: &Places<'_>,
    attribute: &Attribute,
    world: &mut World<'_>,
) {
    let ways = ways(policy, &attribute.id);
    let reads: Vec<bool> = ways
        .iter()
        .map(|way| looks_at(programs(&way.parts), policy.schema()).contains(&attribute.current))
        .collect();
    for (i, first) in ways.iter().enumerate() {
        for (j, second) in ways.iter().enumerate().skip(i + 1) {
            let (Writes::This(a), Writes::This(b)) = (&first.writes, &second.writes) else {
                continue;
            };
            if a == b || !reads[i] && !reads[j] {
                continue;
            }
            let Some(example) = turns(policy, attribute, world, (first, a), (second, b)) else {
                continue;
            };
            let Some(place) = places.rules.get(&second.rule.id) else {
                continue;
            };
            let both = if first.rule.id == second.rule.id {
                format!("`{}` undoes what it has done", first.rule.id)
            } else {
                let (one, two) = (&first.rule.id, &second.rule.id);
                format!("`{one}` and `{two}` undo each other")
            };
            let message = format!(
                "{both}: for {example}, `{}` becomes {} and {} in turns",
                attribute.id,
                first.writes.in_words(),
                second.writes.in_words()
            );
            let help = format!(
                "write it only where it is not there yet: `current.{} == \"\"`",
                attribute.id
            );
            r.error_help(EACH_OTHER, place, message, Some(help));
            return;
        }
    }
}

/// An item on which, with `a` shown, the second way writes, and with `b` shown, the first does.
fn turns(
    policy: &Policy,
    attribute: &Attribute,
    world: &mut World<'_>,
    (first, a): (&Way<'_>, &AttributeValue),
    (second, b): (&Way<'_>, &AttributeValue),
) -> Option<String> {
    let schema = policy.schema();
    let looks: Vec<&Program> = programs(&first.parts)
        .chain(programs(&second.parts))
        .collect();
    let far = |parts: &[Part<'_>], facts: &Facts| -> u32 {
        parts.iter().map(|p| distance(p, facts, schema)).sum()
    };
    let follows = Follows::of_programs(policy, &looks);
    let same_rule = first.rule.id == second.rule.id;
    // Where both hold, the one that does not go first must not be the one that writes.
    let wins = |winner: &Way<'_>, loser: &Way<'_>, facts: &Facts| {
        far(&winner.parts, facts)
            + u32::from(
                !same_rule && !beats(winner.rule, loser.rule) && far(&loser.parts, facts) == 0,
            )
    };
    // Asked thousands of times: only what is looked at is copied.
    let slots = follows.slots();
    let scratch = RefCell::new(Facts::new(schema));
    let shown = |facts: &Facts, value: &AttributeValue, winner: &Way<'_>, loser: &Way<'_>| {
        let mut copy = scratch.borrow_mut();
        for slot in &slots {
            copy.set(*slot, facts.get(*slot).clone());
        }
        let shown = value.iter().next().unwrap_or_default();
        copy.set(attribute.current, Value::str(shown));
        follows.settle(&mut copy);
        wins(winner, loser, &copy)
    };
    let goal = |facts: &Facts| shown(facts, a, second, first) + shown(facts, b, first, second);
    let found = world.search(
        &looks,
        &[words(&first.parts), words(&second.parts)].concat(),
        &goal,
    )?;
    Some(world.describe(&found))
}

/// A label that a rule puts on only while it is not there: the next look takes it off again.
fn labels(r: &mut Reader<'_>, policy: &Policy, places: &Places<'_>, world: &mut World<'_>) {
    let schema = policy.schema();
    let Some(slot) = schema.slot("issue.labels") else {
        return;
    };
    for rule in policy.rules.values() {
        let (Some(when), Some(place)) = (&rule.when, places.rules.get(&rule.id)) else {
            continue;
        };
        if rule.labels.is_empty() || !reads(policy, rule, slot) {
            continue;
        }
        let follows = Follows::of_programs(policy, &[when]);
        let with = |facts: &Facts| {
            let mut facts = facts.clone();
            let mut all: Vec<Value> = match facts.get(slot) {
                Value::List(items) => items.to_vec(),
                _ => Vec::new(),
            };
            all.extend(rule.labels.iter().map(|l| Value::str(l)));
            facts.set(slot, Value::List(all.into()));
            follows.settle(&mut facts);
            facts
        };
        let there = |facts: &Facts| match facts.get(slot) {
            Value::List(items) => rule.labels.iter().any(|l| items.contains(&Value::str(l))),
            _ => false,
        };
        let goal = |facts: &Facts| {
            distance(&Part::Holds(when, true), facts, schema)
                + distance(&Part::Holds(when, false), &with(facts), schema)
                + u32::from(there(facts))
        };
        if world.search(&[when], &[], &goal).is_some() {
            let message = format!(
                "`{}` puts a label on and reads `issue.labels`: it would switch itself off",
                rule.id
            );
            let help = Some("a label is on while the rule holds; do not ask for it".to_owned());
            r.error_help(ITSELF, place, message, help);
        }
    }
}
