//! What happened before anybody listened, read from GitHub once: repository by repository, the
//! oldest issues first, some pages at a time.
//!
//! The issues that nobody knew come into the mirror as they stand, without being triaged; somebody's
//! next act on them has them looked at. Whoever is interrupted goes on where the last page was
//! written, and what was read twice is noted once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::github::{IssueRead, Told, ToldWhat};
use crate::ids::InstallationId;
use crate::policy::Policy;
use crate::store::{Finish, Found, Happened, Happening, ItemChanges, LaneKey, Lease};
use crate::triage::projection;

use super::mirror::{aliases, mirrored};
use super::places;
use super::{Organization, WorkError, Worker};

/// Boards come first: what stands on them is read with its rows, a hundred at a time. Whoever reads
/// one says so; this is for boards that cannot be read.
const AFTER_BOARDS: SignedDuration = SignedDuration::from_mins(1);
/// Pages of a repository that are read before others have their turn.
const AT_A_TIME: usize = 4;

impl Worker {
    /// Has history read once, if it was not.
    pub(super) async fn wake_history(&self, installation: InstallationId) -> Result<(), WorkError> {
        if self.store.backfill(installation).await?.done_at.is_none() {
            let (lane, now) = (LaneKey::History, self.clock.now());
            self.store.wake(installation, &lane, now).await?;
        }
        Ok(())
    }

    /// Reads the next pages.
    pub(super) async fn look_at_history(
        &self,
        organization: &Organization,
        lease: &Lease,
    ) -> Result<(), WorkError> {
        let mut read = self.store.backfill(lease.installation).await?;
        let now = self.clock.now();
        let mut finish = Finish::default();
        let board_ids = organization.board_ids().await?;
        for (project, _) in places::limited(&organization.policy, &board_ids) {
            let board = self.store.board(lease.installation, project).await?;
            if board.state.read_at.is_none() {
                finish.wake_at = now.checked_add(AFTER_BOARDS).ok();
                return Ok(self.store.finish(lease, finish).await?);
            }
        }
        let repositories = organization.github.repositories().await?;
        let next = repositories
            .into_iter()
            .find(|repository| !read.repositories_done.contains(&repository.id));
        if let Some(repository) = next {
            let mut after = read.next.remove(&repository.id);
            for _ in 0..AT_A_TIME {
                let github = &organization.github;
                let page = github.history(&repository.name, after.as_deref()).await?;
                let policy = &organization.policy;
                let issues = page.issues.into_iter();
                let found =
                    issues.map(|(issue, told)| found(policy, &board_ids, issue, &told, now));
                let found = found.collect();
                let new = self.store.learn(lease, found).await?;
                tracing::info!(
                    repository = %repository.name,
                    issues = page.total,
                    new = new.len(),
                    "reading what happened before"
                );
                let until = self.clock.now().saturating_add(self.config.lease);
                self.store.renew(lease, until.unwrap_or(now)).await?;
                // A page that begins where it began would be read for ever.
                after = page.next.filter(|next| Some(next) != after.as_ref());
                if after.is_none() {
                    break;
                }
            }
            match after {
                Some(after) => drop(read.next.insert(repository.id, after)),
                None => drop(read.repositories_done.insert(repository.id)),
            }
            finish.wake_at = Some(self.clock.now());
        } else {
            tracing::info!("what happened before is read");
            read.done_at = Some(now);
        }
        finish.backfill = Some(read);
        Ok(self.store.finish(lease, finish).await?)
    }
}

/// An issue with its history, as the store takes it.
fn found(
    policy: &Policy,
    board_ids: &BTreeMap<String, String>,
    read: IssueRead,
    told: &[Told],
    now: Timestamp,
) -> Found {
    let opened = Happening {
        at: read.issue.created_at,
        what: Happened::Opened,
    };
    let mut history = vec![(now, opened)];
    let mut labels: BTreeSet<&str> = BTreeSet::new();
    for Told { at, what } in told {
        let what = match what {
            ToldWhat::Closed { reason } => Some(Happened::Closed {
                reason: reason.clone(),
            }),
            ToldWhat::Reopened => Some(Happened::Reopened),
            ToldWhat::Labelled {
                label,
                off,
                by_person,
            } => {
                if *off {
                    labels.remove(label.as_str());
                } else {
                    labels.insert(label);
                }
                attribute(policy, label, &labels, *by_person)
            }
            ToldWhat::Moved { project, from, to } => board_ids.get(project).and_then(|board| {
                Some(Happened::Field {
                    board: board.clone(),
                    field: policy.boards.get(board)?.column_field.clone(),
                    from: from.clone(),
                    to: to.clone(),
                    entered_at: Some(*at),
                })
            }),
        };
        history.extend(what.map(|what| (now, Happening { at: *at, what })));
    }
    Found {
        aliases: aliases(&read).into(),
        changes: ItemChanges {
            issue: Some(mirrored(read)),
            history,
            ..ItemChanges::default()
        },
    }
}

/// What an attribute is after one of its labels was put on or taken off.
fn attribute(
    policy: &Policy,
    label: &str,
    labels: &BTreeSet<&str>,
    by_person: bool,
) -> Option<Happened> {
    let (attribute, _) = projection::attribute_of_label(policy, label)?;
    let values = labels.iter().filter_map(|label| {
        let (of, value) = projection::attribute_of_label(policy, label)?;
        (of.id == attribute.id).then(|| value.to_owned())
    });
    Some(Happened::Attribute {
        name: attribute.id.clone(),
        values: values.collect(),
        by_person,
    })
}
