//! What figures and digests are made of, gathered from the store.
//!
//! *In:* a policy and everything that was recorded. *Out:* what `insight` makes a digest of, and
//! the digest as it is kept.
//! *May call:* `store`, `policy`, `triage`, `insight`. No request is sent to GitHub.

mod gather;

pub use gather::gather;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{InstallationId, ItemId, RepoName};
use crate::insight::digest::{Asked, Digest, Place, digest};
use crate::insight::slot::{Schedule, Slot};
use crate::policy::Policy;
use crate::store::{Accepted, DigestRecord, LaneKey, NewDelivery, Past, Store, StoreError};

/// The schedule of the policy's digest; `None` where it declares none.
#[must_use]
pub fn schedule(policy: &Policy) -> Option<Schedule> {
    let declared = policy.digest.as_ref()?;
    Schedule::parse(&declared.every, &declared.timezone)
}

/// The issue that the policy wants its digest on.
#[must_use]
pub fn post_to(policy: &Policy) -> Option<(RepoName, u64)> {
    let (repository, number) = policy.digest.as_ref()?.post_to.split_once('#')?;
    Some((RepoName::parse(repository)?, number.parse().ok()?))
}

/// Where the policy wants its digest, as far as the mirror knows. A repository that nothing is
/// known of may be public.
#[must_use]
pub fn place(policy: &Policy, past: &Past) -> Option<Place> {
    let (repository, _) = post_to(policy)?;
    let mut there = past.issues.iter().map(|(_, mirror)| &mirror.issue);
    let known = there.find(|issue| issue.repository == repository);
    Some(Place {
        private: known.is_some_and(|issue| issue.private),
        repository,
    })
}

/// The installation whose issues are the organisation's, as far as issues are known.
///
/// # Errors
/// When the store cannot be read.
pub async fn installation_of(
    store: &dyn Store,
    policy: &Policy,
) -> Result<Option<(InstallationId, Past)>, StoreError> {
    for installation in store.installations().await? {
        let past = store.past(installation).await?;
        let owned = past.issues.iter().any(|(_, mirror)| {
            let owner = &mirror.issue.repository.owner;
            owner.eq_ignore_ascii_case(&policy.organization)
        });
        if owned {
            return Ok(Some((installation, past)));
        }
    }
    Ok(None)
}

/// The digest of a slot, as a place may show it. `made`: digests that were made before, the newest
/// first.
#[must_use]
pub fn of_slot(
    policy: &Policy,
    (schedule, slot): (&Schedule, &Slot),
    place: &Place,
    past: &Past,
    made: &[DigestRecord],
) -> Digest {
    let before = made.iter().find(|record| record.slot_at < slot.at);
    let mut gathered = gather(policy, past, slot);
    let ids = |ranking: &[ItemId]| ranking.iter().map(|i| i.0.cast_signed()).collect();
    gathered.ranked_before = before.map(|record| ids(&record.ranking));
    let asked = Asked {
        policy,
        schedule,
        slot,
        place,
        missed: before.map_or(0, |record| {
            schedule.between(record.slot_at, slot.at).saturating_sub(1)
        }),
    };
    digest(&asked, &gathered)
}

/// Keeps a digest for the page, and for the next one to compare itself with.
#[must_use]
pub fn record_of(
    policy: &Policy,
    slot: &Slot,
    digest: &Digest,
    place: &Place,
    now: Timestamp,
) -> DigestRecord {
    let ids = digest.ranking.iter();
    let ids = ids.map(|ranked| ItemId(ranked.id.cast_unsigned()));
    DigestRecord {
        digest: policy
            .digest
            .as_ref()
            .map_or_else(String::new, |d| d.id.clone()),
        organization: policy.organization.clone(),
        slot_at: slot.at,
        week: digest.week.clone(),
        made_at: now,
        private: place.private,
        markdown: digest.markdown(),
        ranking: ids.collect(),
    }
}

/// A wish for the digest of a week, again or before its time: a delivery of our own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wish {
    /// `2026-W47`.
    pub week: String,
}

impl Wish {
    /// Stands for GitHub's name of the event. The door takes no such deliveries.
    pub const EVENT: &str = "northstar.digest";

    /// Puts the wish in the digest's lane; whoever works on the store carries it out.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn ask(
        &self,
        store: &dyn Store,
        installation: InstallationId,
        digest: &str,
        now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let lane = LaneKey::Digest(digest.to_owned());
        let guid = format!("wish:{digest}:{}:{now}", self.week);
        let wish = NewDelivery::of_our_own(installation, (Self::EVENT, guid), lane, self, now)?;
        store.accept(wish).await
    }
}
