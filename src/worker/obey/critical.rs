//! `/critical`, and taking it back.

use std::collections::BTreeSet;

use crate::command::Said;
use crate::policy::expr::witness::looks_at;
use crate::triage::attribute::AttributeValue;
use crate::triage::ledger::{self, Act, LedgerEntry, Rank};

use super::Hearing;

/// The fact in which a policy sees who has confirmed an item.
const FACT: &str = "confirmations";

impl Hearing<'_, '_> {
    /// All roles of whoever says it have confirmed the item.
    pub(super) fn critical(&mut self, said: &Said, text: &str) {
        let before = self.draft.record.confirmed_by.clone();
        let name = ledger::CONFIRMED;
        let known = self.draft.record.ledger.iter().any(|e| e.attribute == name);
        if !known && !before.is_empty() {
            // What was confirmed before anything was noted of it, so that it can be put back.
            let stood = AttributeValue::Many(before.clone());
            let text = format!("before {text}");
            self.enter(said, &text, name, Act::Set, Rank::Ambient, stood, None);
        }
        let roles: BTreeSet<String> = before.union(&self.around.sender_roles).cloned().collect();
        let value = AttributeValue::Many(roles.clone());
        self.enter(said, text, name, Act::Set, Rank::Command, value, None);
        self.draft.set_confirmed(roles);
    }

    /// The roles that had confirmed it before have, and what rules have set since for that reason
    /// is what it was.
    pub(super) fn unconfirm(&mut self, said: &Said, text: &str, before: &[LedgerEntry]) {
        self.put_back(said, text, ledger::CONFIRMED, before);
        let stands = self.draft.record.ledger.last();
        let roles = stands.filter(|e| e.attribute == ledger::CONFIRMED && e.act == Act::Set);
        let roles = roles.map_or_else(BTreeSet::new, |e| {
            e.value.iter().map(str::to_owned).collect()
        });
        self.draft.set_confirmed(roles);

        let policy = self.around.policy;
        let Some(fact) = policy.schema().slot(FACT) else {
            return;
        };
        let looks = |rule: &str| {
            let rule = policy.rules.get(rule);
            rule.is_some_and(|r| looks_at(r.programs(), policy.schema()).contains(&fact))
        };
        for attribute in policy.attributes.values() {
            let now = ledger::fold(&self.draft.record.ledger, &attribute.id);
            let was = ledger::fold(before, &attribute.id);
            let by_rule = now
                .owner
                .filter(|e| e.rank == Rank::Rule && looks(&e.cause));
            let value = was.latest().cloned().unwrap_or(attribute.nothing());
            if by_rule.is_some_and(|e| Some(&e) != was.owner.as_ref() && e.value != value) {
                let (id, rank) = (&attribute.id, Rank::Command);
                self.enter(said, text, id, Act::Set, rank, value, None);
            }
        }
    }
}
