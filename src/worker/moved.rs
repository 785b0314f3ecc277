//! Which item a lane is about, and where an item is decided on.
//!
//! A lane is named by a place: a repository and a number. An issue that is transferred has another
//! place from then on, and one lane still decides and writes: that of the place where the mirror has
//! it. Whoever holds that lane takes in the word of the transfer, from whichever repository it came,
//! and lets go of the item. A lane of any other place hands on what it is given.

use jiff::Timestamp;

use crate::github::ItemRead;
use crate::ids::{ItemId, RepositoryId};
use crate::receive::payload::IssueEvent;
use crate::store::{Alias, Delivery, ItemRecord, Lease, MirrorIssue};

use super::look::AT_A_TIME;
use super::{Organization, WorkError, Worker};

impl Worker {
    /// The item that a lane is about, made if nobody knows it.
    pub(super) async fn item_of_lane(
        &self,
        lease: &Lease,
        (repository, number): (RepositoryId, u64),
        pending: &[Delivery],
    ) -> Result<(ItemId, ItemRecord), WorkError> {
        let here = Alias::Number(repository, number);
        let own = self.store.item_by_alias(lease.installation, &here).await?;
        // What came from somewhere is what it was there, also where somebody met it here before that
        // was told. What went somewhere is what it was here, if it was anything.
        let mut item = self
            .known_elsewhere(lease, pending, "opened")
            .await?
            .or(own);
        if item.is_none() {
            item = self.known_elsewhere(lease, pending, "transferred").await?;
        }
        let item = match item {
            Some(item) => item,
            None => self.store.ensure_item(lease.installation, &[here]).await?,
        };
        let record = self.store.item(lease.installation, item).await?;
        Ok((item, record.unwrap_or_default()))
    }

    /// What GitHub answers to neither by its node id nor by its number may have been transferred, and
    /// nobody told: its old address leads there. `None`: it is gone, or out of sight.
    pub(super) async fn read_where_it_went(
        &self,
        organization: &Organization,
        known: &MirrorIssue,
    ) -> Result<Option<ItemRead>, WorkError> {
        let github = &organization.github;
        let issue = &known.issue;
        let Some(node) = github.leads_to(&issue.repository, issue.number).await? else {
            return Ok(None);
        };
        if node == known.node_id {
            return Ok(None); // GitHub's two answers differ: it is looked at again when told to
        }
        Ok(github.item_by_node(&node).await?)
    }

    /// An issue comes from where nobody knows it. A word of who it was there may be on its way (it was
    /// transferred twice, and the words overtook each other): until when it is waited for, so that
    /// what is known already is not triaged as if it were new.
    pub(super) async fn origin_may_be_told(
        &self,
        lease: &Lease,
        (repository, number): (RepositoryId, u64),
    ) -> Result<Option<Timestamp>, WorkError> {
        let here = Alias::Number(repository, number);
        let known = self.store.item_by_alias(lease.installation, &here).await?;
        if known.is_some() {
            return Ok(None);
        }
        let pending = self.store.pending(lease, AT_A_TIME).await?;
        let Some(told_at) = words(&pending).map(|(at, _)| at).min() else {
            return Ok(None);
        };
        for action in ["opened", "transferred"] {
            if self
                .known_elsewhere(lease, &pending, action)
                .await?
                .is_some()
            {
                return Ok(None);
            }
        }
        let until = told_at.saturating_add(self.config.settle_after);
        Ok(until.ok().filter(|until| *until > self.clock.now()))
    }

    /// The item that a transfer which waits to be taken in tells of, by its names on the other side.
    async fn known_elsewhere(
        &self,
        lease: &Lease,
        pending: &[Delivery],
        action: &str,
    ) -> Result<Option<ItemId>, WorkError> {
        let told = words(pending).filter(|(_, event)| event.action == action);
        for alias in told.flat_map(|(_, event)| event.elsewhere) {
            let known = self.store.item_by_alias(lease.installation, &alias).await?;
            if known.is_some() {
                return Ok(known);
            }
        }
        Ok(None)
    }
}

/// The words of transfers among deliveries, and when they came.
fn words(pending: &[Delivery]) -> impl Iterator<Item = (Timestamp, IssueEvent)> {
    let told = pending
        .iter()
        .filter(|d| d.event == "issues" && matches!(d.action.as_str(), "opened" | "transferred"));
    told.filter_map(|d| {
        let event = IssueEvent::read(&d.payload)?;
        event.arrival.is_some().then_some((d.received_at, event))
    })
}
