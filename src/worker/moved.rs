//! Which item a lane is about, and where an item is decided on.
//!
//! A lane is named by a place: a repository and a number. An issue that is transferred has another
//! place from then on, and one lane still decides and writes: that of the place where the mirror has
//! it. Whoever holds that lane takes in the word of the transfer, from whichever repository it came,
//! and lets go of the item. A lane of any other place hands on what it is given.

use jiff::Timestamp;

use crate::github::ItemRead;
use crate::ids::{ItemId, RepoName, RepositoryId};
use crate::receive::payload::IssueEvent;
use crate::store::{Alias, Delivery, Lease};

use super::event::Event;
use super::{Organization, WorkError, Worker};

/// Whose a lane is.
pub(super) enum Whose {
    Item(ItemId),
    /// An issue comes from where nobody knows it. A word of who it was there may be on its way (it
    /// was transferred twice, and the words overtook each other), and is waited for until then, so
    /// that what is known already is not triaged as if it were new.
    ToldUntil(Timestamp),
}

impl Worker {
    /// The item that a lane is about, made if nobody knows it.
    pub(super) async fn whose(
        &self,
        lease: &Lease,
        (repository, number): (RepositoryId, u64),
        pending: &[(Delivery, Option<Event>)],
    ) -> Result<Whose, WorkError> {
        let here = Alias::Number(repository, number);
        let words: Vec<_> = pending.iter().filter_map(word).collect();
        let names = |action: &'static str| {
            let words = words.iter().filter(move |(_, word)| word.action == action);
            words.flat_map(|(_, word)| &word.elsewhere)
        };
        // What came from somewhere is what it was there, also where somebody met it here before that
        // was told. What went somewhere is what it was here, if it was anything.
        let in_order = names("opened").chain([&here]).chain(names("transferred"));
        for name in in_order {
            let known = self.store.item_by_alias(lease.installation, name).await?;
            if let Some(item) = known {
                return Ok(Whose::Item(item));
            }
        }
        if let Some(told_at) = words.iter().map(|(at, _)| *at).min() {
            let until = told_at.saturating_add(self.config.settle_after);
            let until = until.ok().filter(|until| *until > self.clock.now());
            if let Some(until) = until {
                return Ok(Whose::ToldUntil(until));
            }
        }
        let item = self.store.ensure_item(lease.installation, &[here]).await?;
        Ok(Whose::Item(item))
    }
}

impl Organization {
    /// The issue that had this number when somebody wrote it down, wherever it was transferred since.
    /// `None`: it is gone, or out of sight. One read; two more where it was transferred.
    pub(super) async fn issue_named(
        &self,
        repository: &RepoName,
        number: u64,
    ) -> Result<Option<ItemRead>, WorkError> {
        match self.github.item(repository, number).await? {
            Some(read) => Ok(Some(read)),
            None => self.issue_that_was_at(repository, number).await,
        }
    }

    /// What GitHub answers to neither by its node id nor by its number may have been transferred: its
    /// old address leads there. `None`: it is gone, or out of sight.
    pub(super) async fn issue_that_was_at(
        &self,
        repository: &RepoName,
        number: u64,
    ) -> Result<Option<ItemRead>, WorkError> {
        match self.github.leads_to(repository, number).await? {
            Some(node) => Ok(self.github.item_by_node(&node).await?),
            None => Ok(None),
        }
    }
}

/// The word of a transfer, and when it came.
fn word((delivery, event): &(Delivery, Option<Event>)) -> Option<(Timestamp, &IssueEvent)> {
    match event {
        Some(Event::Issue(event)) if event.arrival.is_some() => {
            Some((delivery.received_at, event.as_ref()))
        }
        _ => None,
    }
}
