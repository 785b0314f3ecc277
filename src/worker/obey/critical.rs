//! `/critical`, and taking it back.

use std::collections::BTreeSet;

use crate::command::Said;
use crate::policy::expr::witness::looks_at;
use crate::triage::attribute::AttributeValue;
use crate::triage::ledger::{self, Act, LedgerEntry, Rank};

use super::Hearing;

/// The fact in which a policy sees who has confirmed an item.
const FACT: &str = "confirmations";
/// What the cause of whatever an undo entered begins with.
const UNDO: &str = "/undo";

impl Hearing<'_, '_> {
    /// All roles of whoever says it have confirmed the item.
    pub(super) fn critical(&mut self, said: &Said, text: &str) {
        self.hand_back(said, text);
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

    /// What an `/undo` of an earlier confirmation put back stays as that command's word; this one
    /// is newer, so it is for the rules again.
    fn hand_back(&mut self, said: &Said, text: &str) {
        let ledger = self.draft.record.ledger.clone();
        let confirmed = ledger.iter().rfind(|e| e.attribute == ledger::CONFIRMED);
        let Some(taken_back) = confirmed.filter(|e| e.cause.starts_with(UNDO)) else {
            return;
        };
        for id in self.around.policy.attributes.keys() {
            let last = ledger.iter().rposition(|e| e.attribute == *id);
            let with_it = |e: &LedgerEntry| {
                let (one, other) = (e, taken_back);
                (one.at, one.by, &one.cause) == (other.at, other.by, &other.cause)
            };
            let put_back = last.filter(|i| with_it(&ledger[*i]));
            if put_back.is_some_and(|i| self.by_confirmation(&ledger[..i], id).is_some()) {
                let nothing = AttributeValue::One(String::new());
                let (act, rank) = (Act::Release, Rank::Command);
                self.enter(said, text, id, act, rank, nothing, None);
            }
        }
    }

    /// The entry of the rule that owns an attribute, if that rule looks at who has confirmed.
    fn by_confirmation(&self, entries: &[LedgerEntry], attribute: &str) -> Option<LedgerEntry> {
        let policy = self.around.policy;
        let fact = policy.schema().slot(FACT)?;
        let owner = ledger::fold(entries, attribute).owner?;
        let rule = policy.rules.get(&owner.cause)?;
        let looks = looks_at(rule.programs(), policy.schema()).contains(&fact);
        (owner.rank == Rank::Rule && looks).then_some(owner)
    }

    /// The roles that had confirmed it before have, and what rules have set since for that reason
    /// is what it was. `undone`: attributes that are put back by themselves.
    pub(super) fn unconfirm(
        &mut self,
        said: &Said,
        text: &str,
        before: &[LedgerEntry],
        undone: &BTreeSet<&str>,
    ) {
        self.put_back(said, text, ledger::CONFIRMED, before);
        let stands = self.draft.record.ledger.last();
        let roles = stands.filter(|e| e.attribute == ledger::CONFIRMED && e.act == Act::Set);
        let roles = roles.map_or_else(BTreeSet::new, |e| {
            e.value.iter().map(str::to_owned).collect()
        });
        self.draft.set_confirmed(roles);

        let attributes = self.around.policy.attributes.values();
        for attribute in attributes.filter(|a| !undone.contains(a.id.as_str())) {
            let id = &attribute.id;
            let was = ledger::fold(before, id);
            let value = was.latest().cloned().unwrap_or(attribute.nothing());
            let now = self.by_confirmation(&self.draft.record.ledger, id);
            if now.is_some_and(|e| Some(&e) != was.owner.as_ref() && e.value != value) {
                let rank = Rank::Command;
                self.enter(said, text, id, Act::Set, rank, value, None);
            }
        }
    }
}
