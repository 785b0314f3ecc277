//! What can be found without an item: rules that may clash, conditions that never hold.
//!
//! A clash that this cannot exclude is decided at run time: nothing is written, and a human is
//! asked. So these are warnings.

use indexmap::IndexMap;

use super::expr::{disjoint, never_holds};
use super::model::{Given, Pick, Policy, Rule};
use super::read::Reader;
use super::yaml::Node;

pub fn lint(r: &mut Reader<'_>, policy: &Policy, places: &IndexMap<String, Node>) {
    for rule in policy.rules.values() {
        if let (Some(when), Some(place)) = (&rule.when, places.get(&rule.id))
            && never_holds(when, &policy.schema)
        {
            let message = format!("the condition of `{}` can never hold", rule.id);
            r.warn("never-holds", place, message, None);
        }
    }
    for attribute in policy.attributes.values().filter(|a| !a.many) {
        let is_target = |rule: &&Rule| rule.wishes.iter().any(|w| w.attribute == attribute.id);
        let writers: Vec<&Rule> = policy.rules.values().filter(is_target).collect();
        for (i, first) in writers.iter().enumerate() {
            for second in &writers[i + 1..] {
                if let Some(place) = places.get(&second.id)
                    && may_clash(policy, &attribute.id, first, second)
                {
                    let id = &attribute.id;
                    let message = format!(
                        "`{}` and `{}` may both hold and write `{id}` differently; then neither is done",
                        first.id, second.id
                    );
                    let help = format!("say which one goes first: `overrides: [{}]`", first.id);
                    r.warn("possible-conflict", place, message, Some(help));
                }
            }
        }
    }
}

fn may_clash(policy: &Policy, attribute: &str, a: &Rule, b: &Rule) -> bool {
    if a.overrides.contains(&b.id) || b.overrides.contains(&a.id) || a.enforce != b.enforce {
        return false;
    }
    let literal = |rule: &Rule| {
        let wish = rule.wishes.iter().find(|w| w.attribute == attribute)?;
        match &wish.pick {
            Pick::One(Given::Literal(value)) => Some(value.clone()),
            _ => None,
        }
    };
    if let (Some(x), Some(y)) = (literal(a), literal(b))
        && x == y
    {
        return false;
    }
    match (&a.when, &b.when) {
        (Some(x), Some(y)) => !disjoint(x, y, &policy.schema),
        _ => true,
    }
}
