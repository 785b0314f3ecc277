//! Facts and templates that nothing uses.

use std::collections::BTreeSet;

use crate::policy::expr::Slot;
use crate::policy::expr::witness::looks_at;
use crate::policy::model::{Policy, Rule};
use crate::policy::read::Reader;
use crate::policy::template::Part;

use super::Places;

pub fn find(r: &mut Reader<'_>, policy: &Policy, places: &Places<'_>) {
    let used = used(policy);
    for fact in &policy.facts {
        if let Some(place) = places.named("facts", &fact.id)
            && !used.contains(&fact.slot)
        {
            let message = format!("nothing uses the fact `{}`", fact.id);
            let help = Some("take it out, or use it".to_owned());
            r.warn("unused-fact", place, message, help);
        }
    }
    let keys: BTreeSet<&String> = policy
        .rules
        .values()
        .flat_map(|rule| rule.comment.iter().chain(&rule.sticky))
        .chain(policy.reminders())
        .collect();
    for key in policy.templates.keys().filter(|key| !keys.contains(key)) {
        let message = format!("nothing says the template `{key}`");
        let help = Some("take it out, or say it with `comment:` or `sticky:`".to_owned());
        if let Some(place) = places.named("templates", key) {
            r.warn("unused-template", place, message, help);
        } else {
            r.warn_template("unused-template", key, message, help);
        }
    }
}

/// Facts that something other than a fact uses, directly or through facts.
fn used(policy: &Policy) -> BTreeSet<Slot> {
    let programs = policy
        .rules
        .values()
        .flat_map(Rule::programs)
        .chain(policy.gates.values().map(|g| &g.requires))
        .chain(policy.caps.values().flat_map(|c| {
            let orders = c.next_by.iter().filter_map(|o| o.by.as_ref());
            std::iter::once(&c.at_most).chain(&c.exempt).chain(orders)
        }))
        .chain(policy.score.values().map(|d| &d.points));
    let mut used = looks_at(programs, policy.schema());
    let named = policy.texts().flat_map(|t| &t.parts);
    let named: Vec<Slot> = named
        .filter_map(|part| match part {
            Part::Fact(slot) => Some(*slot),
            Part::Text(_) => None,
        })
        .collect();
    let through: Vec<_> = policy
        .facts
        .iter()
        .filter(|f| named.contains(&f.slot))
        .map(|f| &f.program)
        .collect();
    used.extend(looks_at(through, policy.schema()));
    used.extend(named);
    used
}
