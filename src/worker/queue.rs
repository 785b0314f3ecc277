//! The end of a look: what was learned is written, and an item that GitHub does not show as decided
//! queues for the writer.

use serde_json::json;

use crate::ids::ItemId;
use crate::store::{Happened, Happening, LaneKey, Lease, NewAudit, WritePriority};
use crate::triage::change::Change;
use crate::triage::plan::ANSWER;

use super::draft::Draft;
use super::look::{Decided, Looked, Seen};
use super::places;
use super::{WorkError, Worker};

impl Worker {
    /// Ends a look: what was learned is written, and the item queues for the writer if GitHub
    /// does not show what was decided.
    pub(super) async fn queue(&self, lease: &Lease, looked: Looked) -> Result<(), WorkError> {
        let Looked {
            item,
            mut draft,
            mut finish,
            asked,
            decided,
            seen,
        } = looked;
        if seen == Seen::Gone {
            finish.wake_lanes.extend(gone(&mut draft, lease));
        }
        if let Some(decided) = &decided {
            let plan = &decided.plan;
            let mut priority = priority(decided, asked);
            if let Some((before, _)) = lease.wants_write {
                // What was asked for before waits still.
                priority = priority.min(before);
            }
            finish.wants_write = Some((!plan.changes.is_empty()).then_some(priority));
            if plan.changes.is_empty() {
                // Nothing to write on GitHub: what the ledger is to learn, it learns now.
                draft.assign(&plan.assignments, lease, self.clock.now());
            }
            if !finish.done.is_empty() || !plan.is_empty() {
                finish
                    .audit
                    .push(decision_line(lease, item, decided, self.clock.now()));
            }
        } else {
            finish.wants_write = Some(None);
        }
        // A write whose end is not known is the writer's to find out, also where the mirror (by a
        // webhook that was faster) shows already what was wanted.
        if !matches!(finish.wants_write, Some(Some(_)))
            && !self
                .store
                .unsettled(lease.installation, item)
                .await?
                .is_empty()
        {
            finish.wants_write = Some(Some(WritePriority::Rest));
        }
        let wants_write = matches!(finish.wants_write, Some(Some(_)));
        if let Some(decided) = decided {
            let woken = places::take(&mut draft, decided.boards, lease);
            finish.wake_lanes.extend(woken);
        }
        finish.item = Some((item, draft.into_changes()));
        self.store.finish(lease, finish).await?;
        if wants_write {
            self.ring_writers();
        }
        Ok(())
    }
}

/// GitHub has the issue no longer. Returns the lanes of the boards on which it stood.
pub(super) fn gone(draft: &mut Draft, lease: &Lease) -> Vec<LaneKey> {
    let what = Happened::Gone;
    draft.happened([Happening { at: draft.at, what }]);
    places::forget(draft, lease)
}

/// Commands and their answers come first, then what the policy calls critical, then gates and caps.
/// What nobody asked for comes last, however critical the rules think it is.
fn priority(decided: &Decided, asked: bool) -> WritePriority {
    let by_command = |change: &Change| change.reason.rule.starts_with(ANSWER);
    if decided.plan.changes.iter().any(by_command) {
        WritePriority::Command
    } else if !asked && !decided.boards.wants_write {
        WritePriority::Unasked
    } else if decided.decision.critical {
        WritePriority::Critical
    } else if decided.boards.wants_write {
        WritePriority::Board
    } else {
        WritePriority::Rest
    }
}

pub(super) fn decision_line(
    lease: &Lease,
    item: ItemId,
    decided: &Decided,
    at: jiff::Timestamp,
) -> NewAudit {
    let what = json!({
        "fired": decided.decision.fired,
        "held": decided.decision.held,
        "changes": decided.plan.changes,
        "withheld": decided.plan.withheld,
    });
    NewAudit::noticed(lease, at, Some(item), "decision", what)
}
