//! What can never hold: conditions, rows of tables, gates that let nothing through.

use std::collections::BTreeSet;

use crate::policy::expr::{Type, never_holds};
use crate::policy::model::Policy;
use crate::policy::read::Reader;

use super::Places;
use super::way::ways;

const CODE: &str = "never-holds";

pub fn find(r: &mut Reader<'_>, policy: &Policy, places: &Places<'_>) {
    let schema = policy.schema();
    let mut dead_rules = Vec::new();
    for rule in policy.rules.values() {
        if let (Some(when), Some(place)) = (&rule.when, places.rules.get(&rule.id))
            && never_holds(when, schema)
        {
            let message = format!("the condition of `{}` can never hold", rule.id);
            r.warn(CODE, place, message, None);
            dead_rules.push(&rule.id);
        }
    }
    for attribute in policy.attributes.values() {
        for way in ways(policy, &attribute.id) {
            if let (Some(row @ 1..), Some(place)) = (way.row, places.rules.get(&way.rule.id))
                && way.situation.is_impossible()
                && !dead_rules.contains(&&way.rule.id)
            {
                let message = format!(
                    "row {row} for `{}` in `{}` is never reached",
                    attribute.id, way.rule.id
                );
                let help = Some("an earlier row takes all of it, or it contradicts itself".into());
                r.warn(CODE, place, message, help);
            }
        }
    }
    for gate in policy.gates.values() {
        if let Some(place) = places.rules.get(&gate.id)
            && never_holds(&gate.requires, schema)
        {
            let message = format!("nothing can ever pass the gate `{}`", gate.id);
            r.warn(CODE, place, message, None);
        }
    }
    let mut seen = BTreeSet::new();
    for cap in policy.caps.values() {
        // Of a cap with many values one stands for all.
        if let Some(only) = &cap.only
            && !seen.insert(&only.of)
        {
            continue;
        }
        if let (Some(exempt), Some(place)) = (&cap.exempt, places.rules.get(&cap.id))
            && never_holds(exempt, schema)
        {
            let message = format!("nothing can ever be exempt from the cap `{}`", cap.id);
            r.warn(CODE, place, message, None);
        }
    }
    for fact in &policy.facts {
        if let Some(place) = places.named("facts", &fact.id)
            && *fact.program.ty() == Type::Bool
            && never_holds(&fact.program, schema)
        {
            let message = format!("the fact `{}` can never be true", fact.id);
            r.warn(CODE, place, message, None);
        }
    }
}
