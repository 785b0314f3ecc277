//! Labels that would be more than GitHub takes.

use std::collections::BTreeSet;

use crate::policy::model::Policy;
use crate::policy::read::Reader;

use super::Places;

/// GitHub's limit on the labels of one issue.
const MOST: usize = 100;

pub fn find(r: &mut Reader<'_>, policy: &Policy, places: &Places<'_>) {
    let free: BTreeSet<String> = policy
        .rules
        .values()
        .flat_map(|rule| rule.labels.iter().map(|l| l.to_lowercase()))
        .collect();
    let mut most = free.len();
    let mut largest: Option<(usize, &str)> = None;
    for attribute in policy.attributes.values().filter(|a| a.label.is_some()) {
        let labels = if attribute.many {
            attribute.values.len()
        } else {
            1
        };
        most += labels;
        if largest.is_none_or(|(n, _)| labels > n) {
            largest = Some((labels, &attribute.id));
        }
    }
    if most > MOST
        && let Some((_, id)) = largest
        && let Some(place) = places.named("attributes", id)
    {
        let message = format!(
            "one item could come to have {most} labels of this policy, and GitHub takes {MOST}"
        );
        let help = Some(format!("show `{id}` in a text field of a board instead"));
        r.warn("too-many-labels", place, message, help);
    }
}
