//! Which item a lane is about, and where an item is decided on.
//!
//! A lane is named by a place: a repository and a number. An issue that is transferred has another
//! place from then on, and one lane still decides and writes: that of the place where the mirror has
//! it. Whoever holds that lane takes in the word of the transfer, from whichever repository it came,
//! and lets go of the item. A lane of any other place hands on what it is given.

use crate::ids::{ItemId, RepositoryId};
use crate::receive::payload::IssueEvent;
use crate::store::{Alias, Delivery, ItemRecord, Lease};

use super::{WorkError, Worker};

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

    /// The item that a transfer which waits to be taken in tells of, by its names on the other side.
    async fn known_elsewhere(
        &self,
        lease: &Lease,
        pending: &[Delivery],
        action: &str,
    ) -> Result<Option<ItemId>, WorkError> {
        let told = pending
            .iter()
            .filter(|d| d.event == "issues" && d.action == action)
            .filter_map(|d| IssueEvent::read(&d.payload))
            .filter(|event| event.arrival.is_some());
        for alias in told.flat_map(|event| event.elsewhere) {
            let known = self.store.item_by_alias(lease.installation, &alias).await?;
            if known.is_some() {
                return Ok(known);
            }
        }
        Ok(None)
    }
}
