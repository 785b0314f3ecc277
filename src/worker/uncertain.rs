//! Writes whose end is not known: GitHub is read before anything is repeated.

use jiff::Timestamp;
use serde::Deserialize;

use crate::github::{Comment, GitHubError};
use crate::ids::RepoName;
use crate::store::{Effect, EffectEnd, Lease, Settled};
use crate::triage::change::Write;
use crate::triage::snapshot::{FieldValue, Snapshot};

use super::look::{Looked, Seen};
use super::marker::key_of;
use super::turn::Sent;
use super::{Organization, WorkError, Worker};

impl Worker {
    /// Until when GitHub may still be working on what was sent; `None`: it may be asked.
    pub(super) fn too_early(&self, uncertain: &[Effect]) -> Option<Timestamp> {
        let newest = uncertain.iter().map(|e| e.sent_at).max()?;
        let settled = newest
            .saturating_add(self.config.settle_after)
            .unwrap_or(newest);
        (self.clock.now() < settled).then_some(settled)
    }

    /// What became of them, from an item that was just read. Empty where it was not.
    pub(super) async fn find_out(
        &self,
        organization: &Organization,
        lease: &Lease,
        looked: &mut Looked,
        uncertain: &[Effect],
    ) -> Result<Vec<Settled>, WorkError> {
        if looked.seen == Seen::Mirror {
            return Ok(Vec::new());
        }
        let name = looked
            .draft
            .record
            .issue
            .as_ref()
            .map(|i| (i.issue.repository.clone(), i.issue.number));
        let mut settled = Vec::new();
        for effect in uncertain {
            let end = match (&name, effect.kind.as_str()) {
                _ if looked.seen == Seen::Gone => EffectEnd::Refused {
                    error: "the issue is gone".to_owned(),
                },
                (Some((repo, number)), "comment") => {
                    self.find_comment(organization, looked, effect, (repo, *number))
                        .await?
                }
                // Anything else is a state: what is missing is planned again.
                _ => find_state(lease, looked, effect),
            };
            settled.push(Settled {
                effect: effect.id,
                end,
                at: self.clock.now(),
            });
        }
        Ok(settled)
    }

    async fn find_comment(
        &self,
        organization: &Organization,
        looked: &mut Looked,
        effect: &Effect,
        (repo, number): (&RepoName, u64),
    ) -> Result<EffectEnd, WorkError> {
        let key = effect.target.as_str();
        if let Some(posted) = looked.draft.record.comments.get(key) {
            let github_id = posted.id.to_string();
            return Ok(EffectEnd::Confirmed { github_id });
        }
        let found = find_ours(organization, (repo, number), key).await?;
        Ok(match found {
            Some(comment) => {
                looked.draft.posted(key, comment.id, &comment.body);
                EffectEnd::Confirmed {
                    github_id: comment.id.to_string(),
                }
            }
            None => EffectEnd::Refused {
                error: "GitHub does not have it".to_owned(),
            },
        })
    }
}

/// Our own comment with this key's marker, searched for on the issue.
pub(super) async fn find_ours(
    organization: &Organization,
    (repo, number): (&RepoName, u64),
    key: &str,
) -> Result<Option<Comment>, GitHubError> {
    let comments = organization.github.comments(repo, number, None).await?;
    let is_it = |c: &Comment| c.author_id == Some(organization.bot) && key_of(&c.body) == Some(key);
    Ok(comments.into_iter().find(is_it))
}

/// Does the item, as it was just read, show what was sent?
fn find_state(lease: &Lease, looked: &mut Looked, effect: &Effect) -> EffectEnd {
    let sent = Sent::deserialize(&effect.detail).ok();
    let snapshot = looked.decided.as_ref().map(|d| &d.snapshot);
    match (sent, snapshot) {
        (Some(sent), Some(snapshot)) if shows(snapshot, &sent.change.write) => {
            if let Some(assignment) = sent.assignment {
                looked.draft.assign(&[assignment], lease, effect.sent_at);
            }
            EffectEnd::Confirmed {
                github_id: String::new(),
            }
        }
        _ => EffectEnd::Refused {
            error: "GitHub does not show it".to_owned(),
        },
    }
}

fn shows(snapshot: &Snapshot, write: &Write) -> bool {
    let has_label = |label: &String| {
        let mut labels = snapshot.issue.labels.iter();
        labels.any(|l| l.eq_ignore_ascii_case(label))
    };
    match write {
        Write::AddLabel { label } => has_label(label),
        Write::RemoveLabel { label } => !has_label(label),
        Write::ClearMilestone => snapshot.issue.milestone.is_empty(),
        Write::Close { .. } => !snapshot.issue.open,
        Write::AddToBoard { board } => snapshot.boards.contains_key(board),
        Write::Archive { board } => snapshot.boards.get(board).is_some_and(|r| r.archived),
        Write::SetField {
            board,
            field,
            value,
        } => snapshot.boards.get(board).is_some_and(|row| {
            let mut fields = row.fields.iter();
            let shown = fields.find(|(name, _)| name.eq_ignore_ascii_case(field));
            shown.map(|(_, value)| value.text()) == value.as_ref().map(FieldValue::text)
        }),
        // Edits are made again where the text differs, reacting twice is reacting once, and new
        // comments are searched for.
        Write::React { .. } | Write::Comment { .. } | Write::EditComment { .. } => false,
    }
}
