//! `/undo`.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::Said;
use crate::policy::template::code;
use crate::triage::attribute::AttributeValue;
use crate::triage::ledger::{self, Act, LedgerEntry, Rank};

use super::{Hearing, Outcome};

impl Hearing<'_, '_> {
    /// Takes back what the last comment with commands did, attribute by attribute, where nobody
    /// changed it since. What was there before is put back, and stays as a command's word.
    pub(super) fn undo(&mut self, said: &Said, text: &str) -> Outcome {
        let ledger = self.draft.record.ledger.clone();
        let now = self.spoken.at;
        // That a command was carried out is no command.
        let said_by_somebody = |e: &LedgerEntry| e.cause.starts_with('/') && e.rank != Rank::Rule;
        let by_command = |e: &LedgerEntry| said_by_somebody(e) && e.at != now;
        let Some(last) = ledger.iter().rev().find(|e| by_command(e)) else {
            return Err("nothing was commanded here that could be taken back.".to_owned());
        };
        // Of each attribute the first and the last line. The ledger's order tells what came
        // since: the instants of hand changes are GitHub's, in whole seconds.
        let mut undone: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (i, entry) in ledger.iter().enumerate() {
            if by_command(entry) && entry.at == last.at && entry.by == last.by {
                let lines = undone.entry(&entry.attribute).or_insert((i, i));
                lines.1 = i;
            }
        }
        let mut left = Vec::new();
        let names: BTreeSet<&str> = undone.keys().copied().collect();
        for (attribute, (first, last)) in undone {
            let changed = ledger[last + 1..]
                .iter()
                .any(|e| e.attribute == attribute && e.rank != Rank::Rule);
            if changed {
                left.push(code(attribute));
                continue;
            }
            if attribute == ledger::DUPLICATE {
                self.texts.push(
                    "Closing is for people to take back: reopen this, and I shall leave it open. \
                     Its communities stay with the other request, too."
                        .to_owned(),
                );
            }
            if attribute == ledger::CONFIRMED {
                self.unconfirm(said, text, &ledger[..first], &names);
                continue;
            }
            let Some(known) = self.around.policy.attributes.get(attribute) else {
                self.put_back(said, text, attribute, &ledger[..first]);
                continue;
            };
            let before = ledger::fold(&ledger[..first], attribute);
            let rank = before.rank().unwrap_or(Rank::Command).max(Rank::Command);
            // Where nothing was there, nobody had said anything.
            let (rank, value) = match before.latest() {
                Some(value) => (rank, value.clone()),
                None => (Rank::Command, known.nothing()),
            };
            self.enter(said, text, attribute, Act::Set, rank, value, None);
        }
        if !left.is_empty() {
            self.texts.push(format!(
                "{} was changed by somebody since, and is left as it is.",
                left.join(" and ")
            ));
        }
        Ok(())
    }

    /// What is no attribute (a pass, a snooze, a community) has no owner: what was last said of it
    /// stands again, with its end, or nothing does.
    pub(super) fn put_back(&mut self, said: &Said, text: &str, name: &str, before: &[LedgerEntry]) {
        let stood = before.iter().rev().find(|e| e.attribute == name);
        if let Some(e) = stood.filter(|e| e.act != Act::Release) {
            let (act, rank, value) = (e.act, e.rank, e.value.clone());
            self.enter(said, text, name, act, rank, value, e.until);
        } else {
            let nothing = AttributeValue::One(String::new());
            let (act, rank) = (Act::Release, Rank::Command);
            self.enter(said, text, name, act, rank, nothing, None);
        }
    }
}
