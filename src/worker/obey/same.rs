//! `/duplicate`: the item is linked to the one it repeats, hands its communities over, and is closed.

use crate::command::{Act as Asked, Found, ItemRef, Said};
use crate::policy::template::code;
use crate::triage::communities;
use crate::triage::ledger::{self, Act, Original, Rank};

use super::{Hearing, Named, Outcome, Told, alone};

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
        let Some(Some(original)) = self.around.others.get(of).cloned() else {
            return Err(unseen(of));
        };
        // What may not be named here is answered like what is not there.
        if original.private && !here.private {
            return Err(unseen(of));
        }
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
                to: to.clone(),
                also: lines,
                part_of: Some(said.name.clone()),
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

    /// An item that is told to be a duplicate is answered there: the original must not be named
    /// where others read.
    pub(super) fn original_may_be_named(&self, act: &Asked, there: &Named) -> Outcome {
        let Asked::Duplicate { of } = act else {
            return Ok(());
        };
        let here = self.draft.record.issue.as_ref();
        let private = if self.is_here(of) {
            here.is_none_or(|mirror| mirror.issue.private)
        } else {
            match self.around.others.get(of) {
                Some(Some(original)) => original.private,
                _ => return Err(unseen(of)),
            }
        };
        match here {
            _ if !private || there.private => Ok(()),
            Some(mirror) if mirror.issue.private => Err(format!(
                "{} is not to be named where {}#{} is read; nothing was done.",
                code(&of.to_string()),
                there.at.repository,
                there.at.number
            )),
            _ => Err(unseen(of)),
        }
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

pub(super) fn unseen(item: &ItemRef) -> String {
    let item = code(&item.to_string());
    format!("{item} is no issue that I may see; nothing was done.")
}
