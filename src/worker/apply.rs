//! The writer's turn: look again, write what still holds in as few requests as possible, record.
//!
//! Every write is in the journal before it is sent. What GitHub did not answer stays there, and
//! GitHub is read before anything is repeated.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::github::GitHubError;
use crate::store::{Finish, LaneKey, Lease};
use crate::triage::change::{Plan, Write};

use super::look::{Looked, Read, Seen};
use super::owed::{self, Owed};
use super::places;
use super::queue::{decision_line, gone};
use super::turn::{Done, Turn};
use super::{Organization, WorkError, Worker};

impl Worker {
    /// Handles the item at the head of the writer's queue. Returns until when GitHub wants to be
    /// left alone, where it said so.
    pub(super) async fn write(
        &self,
        lease: &Lease,
        stop: &CancellationToken,
    ) -> Result<Option<Timestamp>, WorkError> {
        let (Some(organization), LaneKey::Issue { repository, number }) = (
            self.organizations.get(lease.installation).await?,
            &lease.lane,
        ) else {
            let finish = Finish {
                wants_write: Some(None),
                ..Finish::default()
            };
            self.store.finish(lease, finish).await?;
            return Ok(None);
        };
        let number = (*repository, *number);
        let looked = self.look_at(&organization, lease, number, Read::Mirror);
        let Some(mut looked) = looked.await? else {
            return Ok(None);
        };
        let open = self
            .store
            .unsettled(lease.installation, looked.item)
            .await?;
        let (owed, uncertain) = owed::split(open);
        if let Some(until) = self.too_early(&uncertain) {
            let finish = Finish {
                retry_at: Some(until),
                ..Finish::default()
            };
            self.store.finish(lease, finish).await?;
            return Ok(None);
        }
        let takes_away = looked
            .decided
            .as_ref()
            .is_some_and(|d| takes_away(&d.plan) || d.boards.moves_card);
        if !uncertain.is_empty() || takes_away {
            let again = self.look_at(&organization, lease, number, Read::Again);
            match again.await? {
                Some(again) => looked = again,
                None => return Ok(None),
            }
        }
        if !uncertain.is_empty() {
            let settled = self
                .find_out(&organization, lease, &mut looked, &uncertain)
                .await?;
            looked.finish.settled.extend(settled);
            // What was found is part of what is decided on.
            if let (Some(decided), Some(mirror)) =
                (&mut looked.decided, looked.draft.record.issue.clone())
            {
                *decided = self
                    .decide(&organization, &looked.draft.record, &mirror)
                    .await?;
            }
        }
        let owed = self.take_up(&organization, &mut looked, owed);
        if owed.is_empty() {
            self.keep_within_reach(&organization, lease, &mut looked)
                .await?;
        }
        Box::pin(self.carry_out(&organization, lease, looked, owed, stop)).await
    }

    async fn carry_out(
        &self,
        organization: &Organization,
        lease: &Lease,
        looked: Looked,
        owed: Vec<Owed>,
        stop: &CancellationToken,
    ) -> Result<Option<Timestamp>, WorkError> {
        let Looked {
            item,
            mut draft,
            mut finish,
            decided,
            seen,
            asked: _,
        } = looked;
        finish.wants_write = Some(None);
        if seen == Seen::Gone {
            finish.wake_lanes.extend(gone(&mut draft, lease));
        }
        let mut failed = None;
        if let (Some(mut decided), Some(mirror)) = (decided, draft.record.issue.clone()) {
            if !finish.done.is_empty() {
                // Something happened since it was queued, and was decided on here.
                let now = self.clock.now();
                finish.audit.push(decision_line(lease, item, &decided, now));
            }
            let mut turn = Turn {
                worker: self,
                organization,
                lease,
                item,
                issue: mirror.node_id,
                snapshot: &decided.snapshot,
                plan: &decided.plan,
                owed,
                noted: false,
                stop,
                done: Done::default(),
            };
            failed = turn.write_all(&decided.plan).await.err();
            let Turn { mut done, owed, .. } = turn;
            let open = owed::close(owed, &mut done, failed.as_ref(), self.clock.now());
            draft.take_written(
                &organization.policy,
                &done,
                &decided,
                lease,
                self.clock.now(),
            );
            let boards = if done.written.is_empty() {
                std::mem::take(&mut decided.boards)
            } else if let Some(mirror) = draft.record.issue.clone() {
                // Boards are told what stands there now. What was written must be remembered
                // whatever becomes of that.
                match self.decide(organization, &draft.record, &mirror).await {
                    Ok(after) => after.boards,
                    Err(error) => {
                        tracing::warn!(lane = %lease.lane, %error, "boards are told later");
                        finish.wake_at = Some(self.clock.now());
                        places::OnBoards::default()
                    }
                }
            } else {
                places::OnBoards::default()
            };
            finish
                .wake_lanes
                .extend(places::take(&mut draft, boards, lease));
            finish.settled.extend(done.settled);
            finish.audit.extend(done.audit);
            if matches!(failed, Some(WorkError::Stopping)) {
                finish.wants_write = None;
                finish.wake_at = Some(self.clock.now());
            } else if failed.is_some() || done.refused || open {
                // What is left is planned again from what GitHub shows then.
                finish.wants_write = None;
                finish.retry_at = Some(self.retry_at(lease, failed.as_ref()));
            }
            if done.refused || failed.as_ref().is_some_and(is_refusal) {
                // What GitHub will not have is not as the mirror says.
                draft.distrust();
            }
        }
        finish.item = Some((item, draft.into_changes()));
        self.store.finish(lease, finish).await?;
        // The lane is back already; this is for the log and the writer's pause.
        Ok(failed.and_then(|error| {
            let until = match &error {
                WorkError::GitHub(error) => error.retry_at(),
                _ => None,
            };
            if !matches!(error, WorkError::Stopping) {
                metrics::counter!("northstar_failures_total").increment(1);
                tracing::warn!(lane = %lease.lane, %error, "written in part; will look again");
            }
            until
        }))
    }
}

/// GitHub understood and said no.
fn is_refusal(error: &WorkError) -> bool {
    matches!(
        error,
        WorkError::GitHub(
            GitHubError::NotFound | GitHubError::Refused { .. } | GitHubError::GraphQl(_)
        )
    )
}

/// Something a human may have wanted would go: read the target once more before.
fn takes_away(plan: &Plan) -> bool {
    plan.changes.iter().any(|c| {
        matches!(
            c.write,
            Write::RemoveLabel { .. }
                | Write::ClearMilestone
                | Write::Close { .. }
                | Write::SetField { value: None, .. }
                | Write::Archive { .. }
        )
    })
}
