//! A node id: events about rows of boards name their issue by nothing else.

use crate::store::{Alias, Found, ItemRecord, LaneKey, Lease};

use super::draft::Draft;
use super::look::column_of;
use super::mirror::aliases;
use super::{Organization, WorkError, Worker};

impl Worker {
    /// Joins the lane of its issue, which GitHub is asked for if it was never seen. What is read
    /// then is kept, so that the issue's lane need not read it again.
    pub(super) async fn resolve(
        &self,
        organization: &Organization,
        lease: &Lease,
        node: &str,
    ) -> Result<(), WorkError> {
        let installation = lease.installation;
        let alias = Alias::Node(node.to_owned());
        let mut home = None;
        if let Some(item) = self.store.item_by_alias(installation, &alias).await? {
            let record = self.store.item(installation, item).await?;
            home = record.and_then(|r| r.number());
        }
        if home.is_none()
            && let Some(read) = organization.github.item_by_node(node).await?
        {
            let number = (read.issue.repository_id, read.issue.issue.number);
            let mut aliases = Vec::from(aliases(&read.issue));
            aliases.push(alias);
            let board_ids = organization.board_ids().await?;
            let column = column_of(&organization.policy, &board_ids);
            let mut draft = Draft::new(ItemRecord::default(), self.clock.now(), board_ids.clone());
            draft.take_read(read, self.clock.now(), column);
            let changes = draft.into_changes();
            let found = vec![Found { aliases, changes }];
            self.store.learn(lease, found).await?;
            home = Some(number);
        }
        match home {
            Some((repository, number)) => {
                let to = LaneKey::Issue { repository, number };
                self.store.forward(lease, &to).await?;
                Ok(())
            }
            // Nothing that the App may see: there is nothing to triage.
            None => self.drop_all(lease).await,
        }
    }
}
