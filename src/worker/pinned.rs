//! What GitHub has of that which lock files pin: a board's fields, and the goals that are its items.
//! Beside `check --online`, the running service looks now and then whether they still agree.

use jiff::Timestamp;

use crate::github::{Content, Field, GitHubError, Installation, Project};
use crate::policy::Policy;
use crate::policy::lock::{self, Fields, Objective};
use crate::policy::model::{Board, FieldKind};
use crate::store::{BoardChanges, Delivery, Finish, Lease};
use crate::triage::board::BoardDecision;
use crate::triage::decision::Mode;

use super::board_said::{About, ToSay};
use super::{Organization, WorkError, Worker};

/// The issues and drafts on a board, in its order.
pub async fn goals(github: &Installation, project: &str) -> Result<Vec<Objective>, GitHubError> {
    let mut out = Vec::new();
    let mut after = None;
    loop {
        let page = github.project_items(project, after.as_deref()).await?;
        for row in page.rows {
            let (title, issue, public) = match row.content {
                Content::Issue {
                    read: Some(read), ..
                } => {
                    let issue = read.issue;
                    let name = format!("{}#{}", issue.repository, issue.number);
                    (issue.title, name, !issue.private)
                }
                Content::Draft { title, .. } => (title, String::new(), false),
                _ => continue,
            };
            out.push(Objective {
                item: row.row.node_id,
                title: title.split_whitespace().collect::<Vec<_>>().join(" "),
                issue,
                public,
            });
        }
        after = page.next;
        if after.is_none() {
            return Ok(out);
        }
    }
}

/// The fields that people set; those that every board has (assignees, labels …) are no vocabulary.
#[must_use]
pub fn fields(of: Vec<Field>) -> Fields {
    let kind = |field: Field| {
        let kind = match field.data_type.as_str() {
            "SINGLE_SELECT" => {
                FieldKind::Options(field.options.into_iter().map(|(_, name)| name).collect())
            }
            "TEXT" => FieldKind::Text,
            "NUMBER" => FieldKind::Number,
            "DATE" => FieldKind::Date,
            "ITERATION" => {
                // By time, so that an iteration that ends stays in its place.
                let mut iterations = field.iterations;
                iterations.sort_by_key(|iteration| iteration.start_date);
                FieldKind::Iteration(iterations.into_iter().map(|i| i.title).collect())
            }
            _ => return None,
        };
        Some((field.name, kind))
    };
    of.into_iter().filter_map(kind).collect()
}

/// Is there anything pinned that the board could drift from?
pub(super) fn is_pinned(policy: &Policy, board: &Board) -> bool {
    !board.fields.is_empty() || board.goals && !policy.pinned_goals.is_empty()
}

impl Worker {
    /// How the board differs from what is pinned of it.
    pub(super) async fn drift(
        &self,
        organization: &Organization,
        board: &Board,
        shown: Project,
    ) -> Result<Vec<String>, WorkError> {
        let policy = &organization.policy;
        let read = if board.goals && !policy.pinned_goals.is_empty() {
            Some(goals(&organization.github, &shown.id).await?)
        } else {
            None
        };
        let now = fields(shown.fields);
        let drift = lock::drift_of(board, &policy.pinned_goals, &now, read.as_deref());
        #[allow(clippy::cast_precision_loss)] // nobody has so many
        metrics::gauge!(
            "northstar_pinned_drift",
            "organization" => organization.login.clone(),
            "board" => board.id.clone()
        )
        .set(drift.len() as f64);
        Ok(drift)
    }

    /// A board without gates and caps: what is pinned of it is looked at, and nothing else.
    pub(super) async fn look_at_pins(
        &self,
        organization: &Organization,
        lease: &Lease,
        (board, project): (&Board, &str),
        (pending, mut finish): (&[Delivery], Finish),
    ) -> Result<(), WorkError> {
        let mut state = self.store.board(lease.installation, project).await?.state;
        let told = pending.iter().any(|d| d.event == "projects_v2");
        let now = self.clock.now();
        if told || !state.swept_at.is_some_and(|at| self.is_fresh(at, now)) {
            let shown = organization
                .github
                .project(&organization.login, board.project)
                .await?;
            if let Some(shown) = shown {
                let drift = self.drift(organization, board, shown).await?;
                if drift != state.drift && organization.policy.mode == Mode::Enforce {
                    let decision = BoardDecision::default();
                    let about = About {
                        board: &board.id,
                        rows: &[],
                        decision: &decision,
                    };
                    let say = [ToSay::Drift(drift.clone())];
                    self.say_on_digest(organization, lease, &about, &say)
                        .await?;
                }
                state.drift = drift;
            }
            state.swept_at = Some(now);
        }
        finish.wake_at = self.next_sweep(state.swept_at.unwrap_or(now));
        finish.board = Some(BoardChanges {
            project: project.to_owned(),
            state: Some(state),
            ..BoardChanges::default()
        });
        Ok(self.store.finish(lease, finish).await?)
    }

    /// Was it read by this worker, and not long ago?
    pub(super) fn is_fresh(&self, at: Timestamp, now: Timestamp) -> bool {
        at >= self.started_at && now.duration_since(at) < self.config.read_boards_every
    }

    fn next_sweep(&self, last: Timestamp) -> Option<Timestamp> {
        last.checked_add(self.config.read_boards_every).ok()
    }
}
