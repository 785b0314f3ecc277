//! `/duplicate`: the item is linked to the one it repeats, hands its communities over, and is closed.

use crate::command::{Act as Asked, Found, ItemRef, Said};
use crate::triage::communities;
use crate::triage::ledger::{self, Act, Original, Rank};

use super::{Hearing, Outcome, Told, alone, audience};

impl Hearing<'_, '_> {
    pub(super) fn duplicate(&mut self, said: &Said, of: &ItemRef, text: &str) -> Outcome {
        let Some(mirror) = self.draft.record.issue.clone() else {
            return Err("I have not seen this issue yet.".to_owned());
        };
        let here = &mirror.issue;
        let itself = "nothing is a duplicate of itself.";
        if self.is_here(of) {
            return Err(itself.to_owned());
        }
        let original = self.seen_from_here(of).cloned();
        let original = original.ok_or(audience::unseen(of))?;
        let to = original.at;
        if to.repository_id == mirror.repository_id && to.number == here.number {
            return Err(itself.to_owned());
        }
        let name = format!("{}#{}", to.repository, to.number);
        let stands = Original {
            name: name.clone(),
            node_id: original.node_id,
        };
        let (value, rank) = (stands.to_value(), Rank::Command);
        self.enter(said, text, ledger::DUPLICATE, Act::Set, rank, value, None);

        let reason = if here.private {
            "a private item asks for the same".to_owned()
        } else {
            format!("{}#{} asks for the same", here.repository, here.number)
        };
        let policy = self.around.policy;
        let ledger = &self.draft.record.ledger;
        let asked = communities::of(policy, here, &mirror.author_login, ledger);
        let lines = asked.iter().map(|community| Found {
            name: "community".to_owned(),
            rest: format!("add {community} \"{reason}\""),
            line: said.line,
        });
        let mut lines: Vec<Found> = lines.collect();
        if let Some(found) = lines.pop() {
            self.draft.told.push(Told {
                sender: self.spoken.sender.clone(),
                found,
                from: format!("{}#{}", here.repository, here.number),
                in_private: self.private_here(),
                to: to.clone(),
                also: lines,
                part_of: Some(said.name.clone()),
                said_at: self.spoken.said_at,
            });
        }
        let shown = if to.repository == here.repository {
            format!("#{}", to.number)
        } else {
            name
        };
        self.texts.push(format!(
            "The same is asked for in {shown}. It goes on there, and what speaks for it is welcome \
             there."
        ));
        Ok(())
    }

    /// The command as it would have been said at another item. Of an original without its
    /// repository, that is the one of where it was said.
    pub(super) fn for_another(&self, said: &Said, act: &Asked) -> Found {
        let (Asked::Duplicate { of }, Some(mirror)) = (act, &self.draft.record.issue) else {
            return alone(said);
        };
        let (as_said, mut said) = (of.to_string(), said.clone());
        // First: it may be one of the items, too, and those are not passed on.
        if let Some(original) = said.args.iter_mut().find(|arg| **arg == as_said) {
            let repository = of.repository.as_ref().unwrap_or(&mirror.issue.repository);
            *original = format!("{repository}#{}", of.number);
        }
        said.items.retain(|item| item != of);
        alone(&said)
    }
}
