//! What is said on an issue without anybody there having asked: a digest, a plan, what a board has
//! to say.
//!
//! It is a delivery of our own to that issue's lane, which posts it like every other comment. The
//! delivery's name says what it is about, so however often this is begun anew there is one.

use serde::{Deserialize, Serialize};

use crate::github::IssueRead;
use crate::ids::InstallationId;
use crate::store::{LaneKey, NewDelivery};
use crate::triage::answer::{Answer, Sign};

use super::obey::Other;
use super::{Organization, WorkError, Worker};

/// Something to be posted on an issue: a delivery of our own.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Posted {
    /// The comment's key.
    pub key: String,
    pub body: String,
    pub because: String,
    pub to: Other,
}

impl Posted {
    /// Stands for GitHub's name of the event. The door takes no such deliveries.
    pub const EVENT: &str = "northstar.post";
    /// What the keys of digests begin with.
    pub const DIGEST: &str = "digest-";
    /// What the keys of plans begin with.
    pub const PLAN: &str = "plan-";

    pub fn read(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }

    /// Is it a comment that stands as it was posted?
    pub fn is_key(key: &str) -> bool {
        key.starts_with(Self::DIGEST) || key.starts_with(Self::PLAN)
    }

    pub fn answer(&self) -> Answer {
        Answer {
            comment: None,
            sign: Sign::Done,
            shown: true,
            body: self.body.clone(),
            because: self.because.clone(),
            questions: Vec::new(),
        }
    }
}

impl Other {
    pub fn of(read: &IssueRead) -> Self {
        Self {
            repository_id: read.repository_id,
            repository: read.issue.repository.clone(),
            number: read.issue.number,
        }
    }
}

impl Worker {
    /// The issue of the first digest that is posted on one, as GitHub has it. `None`: there is no
    /// such digest, or the issue is gone. One read.
    pub(super) async fn digest_issue(
        &self,
        organization: &Organization,
    ) -> Result<Option<IssueRead>, WorkError> {
        let mut digests = organization.policy.digests.iter();
        let Some((repository, number)) = digests.find_map(|d| d.post_to.as_ref()) else {
            return Ok(None);
        };
        let read = organization.issue_named(repository, *number).await?;
        if read.is_none() {
            tracing::warn!(%repository, number, "the digest's issue is not there");
        }
        Ok(read.map(|read| read.issue))
    }

    /// Hands it to the lane of its issue, once for each `name`.
    pub(super) async fn post(
        &self,
        installation: InstallationId,
        name: String,
        posted: &Posted,
    ) -> Result<(), WorkError> {
        let lane = LaneKey::Issue {
            repository: posted.to.repository_id,
            number: posted.to.number,
        };
        let named = (Posted::EVENT, name);
        let at = self.clock.now();
        let delivery = NewDelivery::of_our_own(installation, named, lane, posted, at)?;
        self.store.accept(delivery).await?;
        self.ring();
        Ok(())
    }
}
