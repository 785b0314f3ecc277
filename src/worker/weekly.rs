//! The lane of the weekly digest: when its time has come it is made, once for each slot, and handed
//! to the lane of the issue it is posted on.
//!
//! What is handed over is a delivery of our own whose name is the slot, so however often this is
//! begun anew there is one; the issue's lane posts it like every other comment.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::digest::{self, Wish};
use crate::insight::digest::Place;
use crate::insight::slot::{Schedule, Slot};
use crate::store::{DigestRecord, Finish, LaneKey, Lease, NewAudit, NewDelivery};
use crate::triage::answer::{Answer, Sign};
use crate::triage::decision::Mode;

use super::obey::Other;
use super::{Organization, WorkError, Worker};

/// A digest that has nowhere to go is tried again after this.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// How many earlier digests are looked through for the one before.
const EARLIER: usize = 60;

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
    /// What the keys of such comments begin with.
    const KEY: &str = "digest-";

    pub fn read(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }

    pub fn is_key(key: &str) -> bool {
        key.starts_with(Self::KEY)
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

impl Worker {
    /// Has the digests looked at once when the service starts; from then on their lanes have timers
    /// of their own.
    pub(super) async fn wake_digests_on(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let woken = tokio::select! {
                woken = self.wake_digests() => woken,
                () = stop.cancelled() => return,
            };
            match woken {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, "digests are not looked at yet"),
            }
            self.pause(self.config.sweep_every, &stop).await;
        }
    }

    async fn wake_digests(&self) -> Result<(), WorkError> {
        for installation in self.organizations.served().await? {
            let Some(organization) = self.organizations.get(installation).await? else {
                continue;
            };
            if let Some(declared) = &organization.policy.digest {
                let lane = LaneKey::Digest(declared.id.clone());
                let now = self.clock.now();
                self.store.wake(installation, &lane, now).await?;
            }
        }
        self.ring();
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
        let declared = policy.digest.as_ref().filter(|declared| declared.id == id);
        let Some(schedule) = declared.and_then(|_| digest::schedule(policy)) else {
            // The policy has another one now, or none.
            return Ok(self.store.finish(lease, finish).await?);
        };
        let now = self.clock.now();
        let made = self.store.digests(lease.installation, id, EARLIER).await?;
        let past = self.store.past(lease.installation).await?;
        let mut slots: Vec<(Slot, String)> = Vec::new();
        for wish in pending.iter().filter(|d| d.event == Wish::EVENT) {
            let week = serde_json::from_slice::<Wish>(&wish.payload).ok();
            if let Some(slot) = week.and_then(|wish| schedule.about(&wish.week)) {
                slots.push((slot, wish.guid.clone()));
            }
        }
        let newest = schedule.newest(now);
        // Of a week before anybody listened there is nothing to say.
        let listened = past.since.is_some_and(|since| since < newest.at);
        if listened && made.iter().all(|record| record.slot_at < newest.at) {
            let name = format!("digest:{id}:{}", newest.at);
            slots.push((newest.clone(), name));
        }
        finish.wake_at = Some(schedule.next(now).at);
        if !slots.is_empty() {
            if let Some((to, place)) = self.target(organization).await? {
                for (slot, name) in slots {
                    let asked = (&schedule, &slot, name);
                    let record = self
                        .make(organization, asked, (&to, &place), (&past, &made))
                        .await?;
                    finish.audit.push(line(lease, &record, now));
                    finish.digests.push(record);
                }
            } else {
                let post_to = declared.map_or("", |d| &d.post_to);
                tracing::warn!(post_to, "the issue for the digest is not there");
                finish.wake_at = now.checked_add(AGAIN).ok();
            }
        }
        self.store.finish(lease, finish).await?;
        Ok(())
    }

    /// The issue that the digest is posted on, and who reads it, by GitHub's word.
    async fn target(
        &self,
        organization: &Organization,
    ) -> Result<Option<(Other, Place)>, WorkError> {
        let Some((repository, number)) = digest::post_to(&organization.policy) else {
            return Ok(None);
        };
        let read = organization.github.item(&repository, number).await?;
        Ok(read.map(|read| {
            let issue = read.issue.issue;
            let place = Place {
                repository: issue.repository.clone(),
                private: issue.private,
            };
            let to = Other {
                repository_id: read.issue.repository_id,
                repository: issue.repository,
                number: issue.number,
            };
            (to, place)
        }))
    }

    /// Makes a digest and, where rules are enforced, hands it over to be posted.
    async fn make(
        &self,
        organization: &Organization,
        (schedule, slot, name): (&Schedule, &Slot, String),
        (to, place): (&Other, &Place),
        (past, made): (&crate::store::Past, &[DigestRecord]),
    ) -> Result<DigestRecord, WorkError> {
        let policy = &organization.policy;
        let now = self.clock.now();
        let digest = digest::of_slot(policy, (schedule, slot), place, past, made);
        let record = digest::record_of(policy, slot, &digest, place, now);
        if policy.mode == Mode::Enforce {
            let posted = Posted {
                key: format!("{}{}-{}", Posted::KEY, record.digest, record.week),
                body: record.markdown.clone(),
                because: format!("the weekly summary for {}", record.week),
                to: to.clone(),
            };
            let lane = LaneKey::Issue {
                repository: to.repository_id,
                number: to.number,
            };
            let named = (Posted::EVENT, format!("{name}:post"));
            let installation = organization.installation;
            let delivery = NewDelivery::of_our_own(installation, named, lane, &posted, now)?;
            self.store.accept(delivery).await?;
            self.ring();
        }
        Ok(record)
    }
}

fn line(lease: &Lease, record: &DigestRecord, at: Timestamp) -> NewAudit {
    NewAudit {
        installation: lease.installation,
        at,
        item: None,
        kind: "digest".to_owned(),
        actor: None,
        delivery: None,
        detail: json!({ "digest": record.digest, "week": record.week, "slot": record.slot_at }),
    }
}
