//! What figures and digests are made of, gathered from the store.
//!
//! *In:* a policy and everything that was recorded. *Out:* what `insight` makes a digest of.
//! *May call:* `store`, `policy`, `triage`, `insight`. No request is sent to GitHub.

mod gather;

pub use gather::gather;

use crate::ids::InstallationId;
use crate::insight::digest::{Asked, Digest, Place, digest};
use crate::insight::slot::{Schedule, Slot};
use crate::policy::Policy;
use crate::store::{Past, Store, StoreError};

/// The schedule of the policy's digest; `None` where it declares none.
#[must_use]
pub fn schedule(policy: &Policy) -> Option<Schedule> {
    let declared = policy.digest.as_ref()?;
    Schedule::parse(&declared.every, &declared.timezone)
}

/// Where the policy wants its digest. A repository that nothing is known of may be public.
#[must_use]
pub fn place(policy: &Policy, past: &Past) -> Option<Place> {
    let (repository, _) = policy.digest.as_ref()?.post_to.split_once('#')?;
    let repository = crate::ids::RepoName::parse(repository)?;
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

/// The digest of a slot, as its place may show it.
#[must_use]
pub fn of_slot(policy: &Policy, schedule: &Schedule, slot: &Slot, past: &Past) -> Option<Digest> {
    let place = place(policy, past)?;
    let gathered = gather(policy, past, slot);
    let asked = Asked {
        policy,
        schedule,
        slot,
        place: &place,
        missed: 0,
    };
    Some(digest(&asked, &gathered))
}
