//! What never came: GitHub does not deliver again by itself, so its log is read and it is asked.
//!
//! Asked for again is what failed at our door, and what was answered well (by us before a backup
//! was restored, or by something that stood in our place) and yet is not in the inbox. Each is
//! asked for a few times at most, oldest first, so that acts come in the order they were done.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::github::HookDelivery;
use crate::ids::InstallationId;

use super::{WorkError, Worker};

/// GitHub keeps its log for three days.
const LOG_KEPT: SignedDuration = SignedDuration::from_hours(72);
/// Deliveries that are done are remembered for longer than GitHub can send them again.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 7);
/// The log is read back this far beyond what was read before: entries appear late.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// A delivery without an answer may be on its way for this long.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(1);
/// Pages of a hundred that one sweep reads at most.
const PAGES: usize = 200;
/// Deliveries that one sweep asks for at most; the next goes on.
const AT_A_TIME: usize = 500;
/// What our door refuses this often is not asked for any more.
const ASKED_AT_MOST: u32 = 5;

/// Events of which the door stores every one. (Comments, for example, may be on pull requests.)
const ALWAYS_STORED: [&str; 9] = [
    "issues",
    "projects_v2_item",
    "projects_v2",
    "sub_issues",
    "label",
    "installation",
    "installation_repositories",
    "team",
    "membership",
];

/// What sweeps remember of one another.
#[derive(Default)]
struct Memory {
    /// The log was dealt with up to here.
    until: Option<Timestamp>,
    /// When a delivery was first asked for, and how often.
    asked: BTreeMap<String, (Timestamp, u32)>,
}

impl Worker {
    /// Sweeps at once and then every so often, until `stop`.
    pub(super) async fn sweep_on(&self, stop: CancellationToken) {
        let mut memory = Memory::default();
        while !stop.is_cancelled() {
            let swept = tokio::select! {
                swept = self.sweep(&mut memory) => swept,
                () = stop.cancelled() => return,
            };
            match swept {
                Ok(0) => {}
                Ok(asked) => tracing::info!(asked, "asked GitHub for deliveries that never came"),
                Err(error) => tracing::warn!(%error, "GitHub's log of deliveries was not read"),
            }
            self.forget_old().await;
            self.pause(self.config.sweep_every, &stop).await;
        }
    }

    /// GUIDs that GitHub cannot send again need not be remembered.
    async fn forget_old(&self) {
        let now = self.clock.now();
        let before = now.saturating_sub(REMEMBERED).unwrap_or(now);
        match self.store.prune(before).await {
            Ok(0) => {}
            Ok(deliveries) => tracing::debug!(deliveries, "old deliveries are forgotten"),
            Err(error) => tracing::warn!(%error, "old deliveries could not be forgotten"),
        }
    }

    /// One sweep. Returns how many deliveries were asked for.
    async fn sweep(&self, memory: &mut Memory) -> Result<usize, WorkError> {
        let now = self.clock.now();
        let kept = now.saturating_sub(LOG_KEPT).unwrap_or(now);
        let since = memory
            .until
            .and_then(|until| until.checked_sub(OVERLAP).ok())
            .map_or(kept, |until| until.max(kept));
        memory.asked.retain(|_, (first, _)| *first >= kept);
        let missing = self.missing(since, now).await?;
        let mut asked = 0;
        for delivery in &missing {
            let (_, times) = memory
                .asked
                .entry(delivery.guid.clone())
                .or_insert((now, 0));
            if *times >= ASKED_AT_MOST {
                continue;
            }
            if asked == AT_A_TIME {
                return Ok(asked);
            }
            self.organizations.app().redeliver(delivery.id).await?;
            *times += 1;
            asked += 1;
            metrics::counter!("northstar_redeliveries_total").increment(1);
        }
        memory.until = Some(now);
        Ok(asked)
    }

    /// What the log has since then, for organisations that are served, and the inbox has not:
    /// the last attempt at each, oldest first.
    async fn missing(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<HookDelivery>, WorkError> {
        let mut by_guid: BTreeMap<(InstallationId, String), HookDelivery> = BTreeMap::new();
        let mut page = None;
        for _ in 0..PAGES {
            let read = self
                .organizations
                .app()
                .hook_deliveries(page.as_deref())
                .await?;
            let reached = read.deliveries.iter().any(|d| d.delivered_at < since);
            for delivery in read.deliveries {
                let Some(installation) = delivery.installation_id else {
                    continue;
                };
                // The log is newest first.
                by_guid
                    .entry((installation, delivery.guid.clone()))
                    .or_insert(delivery);
            }
            page = read.next;
            if reached || page.is_none() {
                break;
            }
        }
        by_guid.retain(|_, delivery| wanted(delivery, now));
        let mut guids: BTreeMap<InstallationId, Vec<String>> = BTreeMap::new();
        for (installation, guid) in by_guid.keys() {
            guids.entry(*installation).or_default().push(guid.clone());
        }
        let mut seen: BTreeSet<(InstallationId, String)> = BTreeSet::new();
        for (installation, guids) in guids {
            let known = self.store.seen(installation, &guids).await?;
            seen.extend(known.into_iter().map(|guid| (installation, guid)));
        }
        by_guid.retain(|key, _| !seen.contains(key));
        if !by_guid.is_empty() {
            let served = self.organizations.served().await?;
            by_guid.retain(|(installation, _), _| served.contains(installation));
        }
        let mut missing: Vec<_> = by_guid.into_values().collect();
        missing.sort_by_key(|delivery| (delivery.delivered_at, delivery.id));
        Ok(missing)
    }
}

/// Should the inbox have it, going by the log?
fn wanted(delivery: &HookDelivery, now: Timestamp) -> bool {
    match delivery.status_code {
        0 => now.duration_since(delivery.delivered_at) >= ON_ITS_WAY,
        200..=299 => ALWAYS_STORED.contains(&delivery.event.as_str()),
        _ => true,
    }
}
