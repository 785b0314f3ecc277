//! The lane of the weekly digest: when its time has come it is made, once for each slot, and handed
//! to the lane of the issue it is posted on.
//!
//! What is handed over is a delivery of our own whose name is the slot, so however often this is
//! begun anew there is one; the issue's lane posts it like every other comment.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::digest::{self, Wish};
use crate::ids::RepoName;
use crate::insight::digest::Place;
use crate::insight::slot::{Schedule, Slot};
use crate::policy::model::Digest as Declared;
use crate::store::{DigestRecord, Finish, LaneKey, Lease, NewAudit, Past};
use crate::triage::decision::Mode;

use super::marker::marker;
use super::obey::Other;
use super::posted::Posted;
use super::{Organization, WorkError, Worker};

/// A digest that has nowhere to go is tried again after this.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// How many earlier digests are looked through for the one before.
const EARLIER: usize = 60;

impl Worker {
    /// Has the digests looked at; from then on their lanes have timers of their own.
    pub(super) async fn wake_digests(&self, organization: &Organization) -> Result<(), WorkError> {
        for declared in &organization.policy.digests {
            let lane = LaneKey::Digest(declared.id.clone());
            let (installation, now) = (organization.installation, self.clock.now());
            self.store.wake(installation, &lane, now).await?;
        }
        Ok(())
    }

    /// Handles a digest's lane that is due.
    pub(super) async fn look_at_digest(
        &self,
        organization: &Organization,
        lease: &Lease,
        id: &str,
    ) -> Result<(), WorkError> {
        let pending = self.store.pending(lease, usize::MAX).await?;
        let mut finish = Finish {
            done: pending.iter().map(|d| d.seq).collect(),
            ..Finish::default()
        };
        let policy = &organization.policy;
        let declared = digest::declared(policy, id);
        let planned = declared.and_then(|d| Some((d, digest::schedule(d)?)));
        let Some((declared, schedule)) = planned else {
            // The policy has another one now, or none.
            return Ok(self.store.finish(lease, finish).await?);
        };
        let now = self.clock.now();
        let made = self.store.digests(lease.installation, id, EARLIER).await?;
        let mut slots: Vec<(Slot, String)> = Vec::new();
        for wish in pending.iter().filter(|d| d.event == Wish::EVENT) {
            let week = serde_json::from_slice::<Wish>(&wish.payload).ok();
            if let Some(slot) = week.and_then(|wish| schedule.about(&wish.week)) {
                slots.push((slot, wish.guid.clone()));
            }
        }
        let newest = schedule.newest(now);
        if made.iter().all(|record| record.slot_at < newest.at) {
            // Of a week before anybody listened there is nothing to say.
            let since = self.store.recorded_since(lease.installation).await?;
            if since.is_some_and(|since| since < newest.at) {
                let name = format!("digest:{id}:{}", newest.at);
                slots.push((newest, name));
            }
        }
        finish.wake_at = Some(schedule.next(now).at);
        if !slots.is_empty() {
            let past = self.store.past(lease.installation).await?;
            if let Some(target) = self.target(organization, declared).await? {
                for (slot, name) in slots {
                    let asked = (declared, &schedule, &slot, name);
                    let record = self
                        .make(organization, asked, &target, (&past, &made))
                        .await?;
                    finish.audit.push(line(lease, &record, now));
                    finish.digests.push(record);
                }
            } else {
                tracing::warn!(id, "the issue or repository for the digest is not there");
                finish.wake_at = now.checked_add(AGAIN).ok();
            }
        }
        self.store.finish(lease, finish).await?;
        Ok(())
    }

    /// Where a digest is to stand, and who reads it there, by GitHub's word. `None`: some of it is
    /// not there.
    async fn target(
        &self,
        organization: &Organization,
        declared: &Declared,
    ) -> Result<Option<Target>, WorkError> {
        let github = &organization.github;
        let mut target = Target {
            post_to: None,
            new_issue: None,
            place: digest::most_public(std::iter::empty()),
        };
        let mut places = Vec::new();
        if let Some((repository, number)) = &declared.post_to {
            let Some(read) = organization.issue_named(repository, *number).await? else {
                return Ok(None);
            };
            let to = Other::of(&read.issue);
            if (&to.repository, to.number) != (repository, *number) {
                tracing::warn!(
                    digest = declared.id,
                    "the issue of a digest was transferred: the policy is to name {}#{}",
                    to.repository,
                    to.number
                );
            }
            places.push(Place {
                repository: to.repository.clone(),
                repository_id: Some(to.repository_id),
                private: read.issue.issue.private,
            });
            target.post_to = Some(to);
        }
        if let Some(repository) = &declared.new_issue {
            let found = github.repositories().await?;
            let Some(found) = found.into_iter().find(|found| found.name == *repository) else {
                return Ok(None);
            };
            places.push(Place {
                repository: found.name.clone(),
                repository_id: Some(found.id),
                private: found.private,
            });
            target.new_issue = Some(found.name);
        }
        target.place = digest::most_public(places.into_iter());
        Ok(Some(target))
    }

    /// Makes a digest and, where rules are enforced, has it posted.
    async fn make(
        &self,
        organization: &Organization,
        (declared, schedule, slot, name): (&Declared, &Schedule, &Slot, String),
        target: &Target,
        (past, made): (&Past, &[DigestRecord]),
    ) -> Result<DigestRecord, WorkError> {
        let policy = &organization.policy;
        let (now, place) = (self.clock.now(), &target.place);
        let digest = digest::of_slot(policy, declared, (schedule, slot), place, past, made);
        let mut record = digest::record_of(policy, declared, slot, &digest, place, now);
        if policy.mode != Mode::Enforce {
            return Ok(record);
        }
        if let Some(repository) = &target.new_issue {
            let before = made.iter().find(|r| r.slot_at == slot.at);
            let known = before.and_then(|r| r.issue);
            let number = self.issue(organization, repository, &record, known).await?;
            record.issue = Some(number);
        }
        if let Some(to) = &target.post_to {
            let posted = Posted {
                key: key(&record),
                body: record.markdown.clone(),
                because: format!("the weekly summary for {}", record.week),
                to: to.clone(),
            };
            let name = format!("{name}:post");
            self.post(organization.installation, name, &posted).await?;
        }
        Ok(record)
    }

    /// The week's own issue; its number. It is looked for before it is made: whoever was here
    /// before may have made it and not come to say so.
    async fn issue(
        &self,
        organization: &Organization,
        repository: &RepoName,
        record: &DigestRecord,
        known: Option<u64>,
    ) -> Result<u64, WorkError> {
        let github = &organization.github;
        let marker = marker(&key(record));
        let body = format!("{}\n\n{marker}", record.markdown);
        let there = if known.is_some() {
            known
        } else {
            let week_before = SignedDuration::from_hours(24 * 7);
            let since = record.slot_at.saturating_sub(week_before);
            let since = since.unwrap_or(record.slot_at);
            let own = github
                .issues_by(repository, organization.bot, since)
                .await?;
            let mut own = own.into_iter().filter(|(_, text)| text.contains(&marker));
            own.next().map(|(number, _)| number)
        };
        if let Some(number) = there
            && github.edit_issue(repository, number, &body).await?
        {
            return Ok(number);
        }
        let title = format!("Triage summary, {}", record.week);
        Ok(github.open_issue(repository, &title, &body).await?)
    }
}

/// Where a digest is to stand.
struct Target {
    post_to: Option<Other>,
    new_issue: Option<RepoName>,
    /// Who reads it.
    place: Place,
}

/// What the digest's comment or issue is known by.
fn key(record: &DigestRecord) -> String {
    format!("{}{}-{}", Posted::DIGEST, record.digest, record.week)
}

fn line(lease: &Lease, record: &DigestRecord, at: Timestamp) -> NewAudit {
    let what = json!({ "digest": record.digest, "week": record.week, "slot": record.slot_at });
    NewAudit::noticed(lease, at, None, "digest", what)
}
