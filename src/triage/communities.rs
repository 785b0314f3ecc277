//! Which communities are behind a request. Counted by who asks, never by how often or how loudly.

use std::collections::BTreeSet;

use crate::policy::form;
use crate::policy::model::{Community, Policy, loosely_equal};

use super::ledger::{self, Act, LedgerEntry, told};
use super::snapshot::Issue;

/// The communities (ids of the policy) that an issue names: by a label that ends in the
/// community's id (`interested:openscapes`, `co-funded/openscapes`), by an answer of its form that
/// is the community's id or name, or by its author being one of the community's members. What
/// `/community` said last counts more than all of these.
#[must_use]
pub fn of(
    policy: &Policy,
    issue: &Issue,
    author_login: &str,
    ledger: &[LedgerEntry],
) -> BTreeSet<String> {
    let answers = form::answers(&issue.body);
    let asked = |community: &&Community| {
        let called =
            |text: &str| loosely_equal(text, &community.id) || loosely_equal(text, &community.name);
        community
            .members
            .iter()
            .any(|login| login.eq_ignore_ascii_case(author_login))
            || issue
                .labels
                .iter()
                .filter_map(|label| label.rsplit_once([':', '/']))
                .any(|(_, end)| end.trim().eq_ignore_ascii_case(&community.id))
            || answers.values().any(|answer| called(answer))
    };
    let said = |community: &&Community| {
        let name = ledger::community(&community.id);
        let last = told::last(ledger, &name)?;
        (last.act != Act::Release).then(|| !last.value.is_empty())
    };
    policy
        .communities
        .values()
        .filter(|community| said(community).unwrap_or_else(|| asked(community)))
        .map(|community| community.id.clone())
        .collect()
}
