//! Which items may be spoken of where: what is private is named only in its own repository.
//!
//! An item that may not be named is answered like one that is not there, whatever is asked of it:
//! else the answer would tell that it is.

use crate::command::{Act as Asked, ItemRef};
use crate::ids::RepositoryId;
use crate::policy::template::code;

use super::{Hearing, Named, Outcome, Place};

impl Hearing<'_, '_> {
    /// This item's repository, where only some may read it.
    pub(super) fn private_here(&self) -> Option<RepositoryId> {
        self.draft.record.issue.as_ref()?.readers_of()
    }

    /// The private repository in which this was said, if it was in one.
    pub(super) fn told_in(&self) -> Option<RepositoryId> {
        match self.spoken.place {
            Place::Elsewhere => self.spoken.told_in,
            Place::Issue | Place::Comment(_) => self.private_here(),
        }
    }

    /// The item that a command names, as far as everybody who reads along may know of it.
    pub(super) fn seen_from_here(&self, item: &ItemRef) -> Option<&Named> {
        let there = self.around.others.get(item)?.as_ref()?;
        let here = self.draft.record.issue.as_ref();
        let may = !there.private
            || here.is_some_and(|here| {
                here.issue.private && here.repository_id == there.at.repository_id
            });
        may.then_some(there)
    }

    /// An item that is told to be a duplicate is answered there: the original must not be named
    /// where others read.
    pub(super) fn original_may_be_named(&self, act: &Asked, there: &Named) -> Outcome {
        let (Asked::Duplicate { of }, Some(here)) = (act, &self.draft.record.issue) else {
            return Ok(());
        };
        let (private, repository) = if self.is_here(of) {
            (here.issue.private, here.repository_id)
        } else {
            let original = self.seen_from_here(of).ok_or(unseen(of))?;
            (original.private, original.at.repository_id)
        };
        if !private || there.private && there.at.repository_id == repository {
            return Ok(());
        }
        Err(format!(
            "{} is not to be named where {}#{} is read; nothing was done.",
            code(&of.to_string()),
            there.at.repository,
            there.at.number
        ))
    }
}

/// Said alike of what is not there and of what is not for everybody here.
pub(super) fn unseen(item: &ItemRef) -> String {
    let item = code(&item.to_string());
    format!("{item} is no issue that I may speak of here; nothing was done.")
}
