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
use crate::policy::model::Digest as Declared;
use crate::store::{Accepted, DigestRecord, LaneKey, NewDelivery, Past, Store, StoreError};
use crate::triage::snapshot::Issue;

/// The policy's digest of this id.
#[must_use]
pub fn declared<'p>(policy: &'p Policy, id: &str) -> Option<&'p Declared> {
    policy.digests.iter().find(|digest| digest.id == id)
}

/// When a digest is due; `None` for what the policy's checker refuses.
#[must_use]
pub fn schedule(digest: &Declared) -> Option<Schedule> {
    Schedule::parse(&digest.every, &digest.timezone)
}

/// Where a digest will stand, as far as the mirror knows. A repository that nothing is known of may
/// be public; and where it stands in two, the more public one counts.
#[must_use]
pub fn place(digest: &Declared, past: &Past) -> Place {
    let places = repositories(digest).map(|repository| {
        let mut there = past.issues.iter().map(|(_, mirror)| mirror);
        let known = there.find(|mirror| mirror.issue.repository == *repository);
        Place {
            private: known.is_some_and(|mirror| mirror.issue.private),
            repository_id: known.map(|mirror| mirror.repository_id),
            repository: repository.clone(),
        }
    });
    most_public(places)
}

/// The repositories in which a digest stands.
pub fn repositories(digest: &Declared) -> impl Iterator<Item = &RepoName> {
    let posted = digest.post_to.iter().map(|(repository, _)| repository);
    posted.chain(&digest.new_issue)
}

/// Of two places the one that more people see; of two private ones neither knows the other's.
pub fn most_public(places: impl Iterator<Item = Place>) -> Place {
    let nowhere = || Place {
        repository: RepoName {
            owner: String::new(),
            name: String::new(),
        },
        repository_id: None,
        private: false,
    };
    places
        .reduce(|one, other| match (one.private, other.private) {
            (false, _) => one,
            (true, false) => other,
            (true, true) if one.repository == other.repository => one,
            // What is private in one is not for the readers of the other.
            (true, true) => nowhere(),
        })
        .unwrap_or_else(nowhere)
}

/// Is this an issue that the policy has digests posted to? It is nobody's request.
#[must_use]
pub fn is_posted_on(policy: &Policy, issue: &Issue) -> bool {
    is_posted_at(policy, &issue.repository, issue.number)
}

/// Is a digest posted on the issue of this number?
#[must_use]
pub fn is_posted_at(policy: &Policy, repository: &RepoName, number: u64) -> bool {
    let posted = policy.digests.iter().filter_map(|d| d.post_to.as_ref());
    let mut posted = posted.filter(|(there, _)| there == repository);
    posted.any(|(_, there)| *there == number)
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
    declared: &Declared,
    (schedule, slot): (&Schedule, &Slot),
    place: &Place,
    past: &Past,
    made: &[DigestRecord],
) -> Digest {
    let before = made.iter().find(|record| record.slot_at < slot.at);
    let mut gathered = gather(policy, declared, past, slot, place);
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
    declared: &Declared,
    slot: &Slot,
    digest: &Digest,
    place: &Place,
    now: Timestamp,
) -> DigestRecord {
    let ids = digest.ranking.iter();
    let ids = ids.map(|ranked| ItemId(ranked.id.cast_unsigned()));
    DigestRecord {
        digest: declared.id.clone(),
        organization: policy.organization.clone(),
        slot_at: slot.at,
        week: digest.week.clone(),
        made_at: now,
        private: place.private,
        markdown: digest.markdown(),
        issue: None,
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
