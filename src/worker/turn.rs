//! One item's turn with the writer: its requests, each journalled before and settled after.
//!
//! Labels, milestone, rows on boards and closing go in one document; then all fields of those rows
//! (and what is archived) in one document; then comments, last, so that a plan cut in half is silent
//! rather than noisy.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::github::{FieldInput, GitHubError, Mutation, MutationOk, Project, Reaction};
use crate::ids::{CommentId, ItemId};
use crate::store::{EffectEnd, EffectId, Lease, NewAudit, NewEffect, Settled};
use crate::triage::answer::Sign;
use crate::triage::change::{Assignment, Change, Plan, Write};
use crate::triage::snapshot::{FieldValue, Snapshot};

use super::draft::attribute_of;
use super::marker::marker;
use super::owed::{self, Owed};
use super::uncertain::find_ours;
use super::{Organization, WorkError, Worker};

/// Said of writes to a board of the policy that GitHub does not show.
const NO_BOARD: &str = "the organisation has no such board, or the App may not see it";

/// What the journal keeps of a write, for whoever has to find out what became of it.
#[derive(Serialize, Deserialize)]
pub(super) struct Sent {
    pub change: Change,
    /// What the ledger learns if it happened.
    pub assignment: Option<Assignment>,
}

/// What a turn achieved.
#[derive(Default)]
pub(super) struct Done {
    pub written: Vec<Change>,
    pub settled: Vec<Settled>,
    pub audit: Vec<NewAudit>,
    /// What cannot be shown at all: there is no such board, field or option.
    pub hopeless: Vec<Change>,
    /// GitHub said no to something.
    pub refused: bool,
    /// The issue's `updated_at` as the last answer gave it.
    pub touched: Option<Timestamp>,
    /// The project's node id of every board that was written to, by the policy's board id.
    pub projects: BTreeMap<String, String>,
    /// Node ids of rows that were made, by the policy's board id.
    pub rows: BTreeMap<String, String>,
    /// When GitHub says it changed rows, by the policy's board id.
    pub rows_touched: BTreeMap<String, Timestamp>,
    /// Comments that were posted, by key.
    pub comments: Vec<(String, CommentId)>,
    /// Keys of comments that were to be edited and are not there any more.
    pub comments_gone: Vec<String>,
}

/// One item's turn with the writer.
pub(super) struct Turn<'a> {
    pub worker: &'a Worker,
    pub organization: &'a Organization,
    pub lease: &'a Lease,
    pub item: ItemId,
    /// The issue's node id.
    pub issue: String,
    pub snapshot: &'a Snapshot,
    pub plan: &'a Plan,
    /// What the journal notes as still to be written.
    pub owed: Vec<Owed>,
    /// The notes of this plan are in the journal.
    pub noted: bool,
    /// The service stops: nothing more is sent.
    pub stop: &'a CancellationToken,
    pub done: Done,
}

impl Turn<'_> {
    pub(super) async fn write_all(&mut self, plan: &Plan) -> Result<(), WorkError> {
        self.write_issue(plan).await?;
        self.write_fields(plan).await?;
        for change in &plan.changes {
            match &change.write {
                Write::Comment { key, body, .. } => self.comment(change, key, body).await?,
                Write::EditComment { key, body, .. } => self.edit(change, key, body).await?,
                Write::React { comment, sign, .. } => self.react(change, *comment, *sign).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Labels, milestone, rows on boards, closing: one document.
    async fn write_issue(&mut self, plan: &Plan) -> Result<(), WorkError> {
        let repo = &self.snapshot.issue.repository;
        let vocabulary = &self.organization.vocabulary;
        let mut add = (Vec::new(), Vec::new());
        let mut remove = (Vec::new(), Vec::new());
        let mut batch: Vec<(Mutation, Vec<&Change>)> = Vec::new();
        let issue = self.issue.clone();
        for change in &plan.changes {
            match &change.write {
                Write::AddLabel { label } => {
                    add.0.push(vocabulary.label(repo, label).await?);
                    add.1.push(change);
                }
                Write::RemoveLabel { label } => {
                    remove.0.push(vocabulary.label(repo, label).await?);
                    remove.1.push(change);
                }
                Write::ClearMilestone => {
                    let mutation = Mutation::ClearMilestone {
                        issue: issue.clone(),
                    };
                    batch.push((mutation, vec![change]));
                }
                Write::Close { reason, original } => {
                    let mutation = Mutation::CloseIssue {
                        issue: issue.clone(),
                        reason: reason.clone(),
                        original: original.clone(),
                    };
                    batch.push((mutation, vec![change]));
                }
                Write::AddToBoard { board } => {
                    let Some(project) = self.project(board).await? else {
                        self.cannot(change, NO_BOARD);
                        continue;
                    };
                    let mutation = Mutation::AddToBoard {
                        project: project.id.clone(),
                        content: issue.clone(),
                    };
                    batch.push((mutation, vec![change]));
                }
                _ => {}
            }
        }
        if !remove.0.is_empty() {
            let mutation = Mutation::RemoveLabels {
                labelable: issue.clone(),
                label_ids: remove.0,
            };
            batch.insert(0, (mutation, remove.1));
        }
        if !add.0.is_empty() {
            let mutation = Mutation::AddLabels {
                labelable: issue,
                label_ids: add.0,
            };
            batch.insert(0, (mutation, add.1));
        }
        self.mutate(batch).await
    }

    /// All fields of all rows, and what is archived after: one document. Rows that are not there
    /// (the add failed, or the board does not exist) are left for the next look.
    async fn write_fields(&mut self, plan: &Plan) -> Result<(), WorkError> {
        let mut batch = Vec::new();
        for change in &plan.changes {
            let (Write::SetField { board, .. } | Write::Archive { board }) = &change.write else {
                continue;
            };
            let Some(project) = self.project(board).await? else {
                self.cannot(change, NO_BOARD);
                continue;
            };
            let row = match self.done.rows.get(board) {
                Some(row) => Some(row.clone()),
                None => self.snapshot.boards.get(board).map(|r| r.node_id.clone()),
            };
            let Some(row) = row else {
                continue;
            };
            let Write::SetField { field, value, .. } = &change.write else {
                let mutation = Mutation::Archive {
                    project: project.id.clone(),
                    item: row,
                };
                batch.push((mutation, vec![change]));
                continue;
            };
            match field_mutation(&project, row, field, value.as_ref()) {
                Ok(mutation) => batch.push((mutation, vec![change])),
                Err(problem) => {
                    tracing::warn!(board, field, problem, "the board cannot show this");
                    self.cannot(change, &problem);
                }
            }
        }
        self.mutate(batch).await
    }

    /// Sends one document, journalled before and settled after, mutation by mutation.
    async fn mutate(&mut self, batch: Vec<(Mutation, Vec<&Change>)>) -> Result<(), WorkError> {
        if batch.is_empty() {
            return Ok(());
        }
        let changes: Vec<&Change> = batch.iter().flat_map(|(_, c)| c.iter().copied()).collect();
        let mut effects = self.journal(&changes).await?.into_iter();
        let (mutations, changes): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let answers = match self.organization.github.mutate(mutations).await {
            Ok(answers) => answers,
            Err(error) => {
                if !error.may_have_happened() {
                    self.settle_all(effects.collect(), &error.to_string());
                }
                return Err(error.into());
            }
        };
        for (answer, changes) in answers.into_iter().zip(changes) {
            if let Ok(ok) = &answer {
                self.learn(ok, &changes);
            }
            for change in changes {
                let Some(effect) = effects.next() else {
                    break;
                };
                let end = match &answer {
                    Ok(_) => {
                        self.done.written.push(change.clone());
                        self.note(change, "written", "");
                        EffectEnd::Confirmed {
                            github_id: String::new(),
                        }
                    }
                    Err(error) => {
                        tracing::warn!(lane = %self.lease.lane, %error, "GitHub refused a change");
                        self.done.refused = true;
                        // A label or field that is gone: ask for the names again.
                        self.organization.vocabulary.forget();
                        self.note(change, "refused", &error.to_string());
                        EffectEnd::Refused {
                            error: error.to_string(),
                        }
                    }
                };
                self.settle(effect, end);
            }
        }
        Ok(())
    }

    fn learn(&mut self, ok: &MutationOk, changes: &[&Change]) {
        match ok {
            MutationOk::Labels { updated_at, .. } | MutationOk::Issue { updated_at } => {
                self.done.touched = self.done.touched.max(Some(*updated_at));
            }
            MutationOk::BoardItem { id } => {
                if let Some(Write::AddToBoard { board }) = changes.first().map(|c| &c.write) {
                    self.done.rows.insert(board.clone(), id.clone());
                }
            }
            MutationOk::Field { updated_at, .. } => {
                if let Some(Write::SetField { board, .. }) = changes.first().map(|c| &c.write) {
                    let touched = self.done.rows_touched.entry(board.clone());
                    let touched = touched.or_insert(*updated_at);
                    *touched = (*touched).max(*updated_at);
                }
            }
            MutationOk::Archived { .. } => {}
        }
    }

    async fn comment(&mut self, change: &Change, key: &str, body: &str) -> Result<(), WorkError> {
        let effects = self.journal(&[change]).await?;
        let text = format!("{body}\n\n{}", marker(key));
        let sent = self.post(key, &text).await;
        match sent {
            Ok(id) => {
                for effect in effects {
                    let github_id = id.to_string();
                    self.settle(effect, EffectEnd::Confirmed { github_id });
                }
                self.done.comments.push((key.to_owned(), id));
                self.done.written.push(change.clone());
                self.note(change, "written", "");
                Ok(())
            }
            Err(error) => {
                if !error.may_have_happened() {
                    self.settle_all(effects, &error.to_string());
                }
                Err(error.into())
            }
        }
    }

    /// Posts a comment. On an issue on which others spoke before we ever did, as far as is known, it
    /// may be there already: an issue that was transferred comes with its comments.
    async fn post(&self, key: &str, text: &str) -> Result<CommentId, GitHubError> {
        let issue = &self.snapshot.issue;
        let at = (&issue.repository, issue.number);
        let github = &self.organization.github;
        if self.snapshot.comments.is_empty()
            && issue.comments > 0
            && let Some(found) = find_ours(self.organization, at, key).await?
            && (found.body == text || github.edit_comment(at.0, found.id, text).await?)
        {
            return Ok(found.id);
        }
        github.comment(at.0, at.1, text).await
    }

    async fn react(
        &mut self,
        change: &Change,
        comment: Option<CommentId>,
        sign: Sign,
    ) -> Result<(), WorkError> {
        let effects = self.journal(&[change]).await?;
        let reaction = match sign {
            Sign::Seen => Reaction::Eyes,
            Sign::Done => Reaction::PlusOne,
            Sign::Refused => Reaction::Confused,
        };
        let github = &self.organization.github;
        let issue = &self.snapshot.issue;
        let sent = match comment {
            Some(id) => {
                github
                    .react_to_comment(&issue.repository, id, reaction)
                    .await
            }
            None => {
                github
                    .react_to_issue(&issue.repository, issue.number, reaction)
                    .await
            }
        };
        match sent {
            // A comment that is gone needs no sign any more.
            Ok(_) => {
                for effect in effects {
                    let github_id = String::new();
                    self.settle(effect, EffectEnd::Confirmed { github_id });
                }
                self.done.written.push(change.clone());
                self.note(change, "written", "");
                Ok(())
            }
            Err(error) => {
                if !error.may_have_happened() {
                    self.settle_all(effects, &error.to_string());
                }
                Err(error.into())
            }
        }
    }

    async fn edit(&mut self, change: &Change, key: &str, body: &str) -> Result<(), WorkError> {
        let Some(posted) = self.snapshot.comments.get(key) else {
            return Ok(());
        };
        let effects = self.journal(&[change]).await?;
        let text = format!("{body}\n\n{}", marker(key));
        let posted = posted.id;
        let sent = self.edit_found(key, posted, &text).await;
        match sent {
            Ok(there) => {
                for effect in effects {
                    let github_id = there.unwrap_or(posted).to_string();
                    self.settle(effect, EffectEnd::Confirmed { github_id });
                }
                if let Some(id) = there {
                    self.done.comments.push((key.to_owned(), id));
                    self.done.written.push(change.clone());
                    self.note(change, "written", "");
                } else {
                    // Somebody deleted it, and it stays deleted.
                    self.done.comments_gone.push(key.to_owned());
                }
                Ok(())
            }
            Err(error) => {
                if !error.may_have_happened() {
                    self.settle_all(effects, &error.to_string());
                }
                Err(error.into())
            }
        }
    }

    /// Edits a comment, by another id where an issue that was transferred has it under that. `None`:
    /// it is not there.
    async fn edit_found(
        &self,
        key: &str,
        posted: CommentId,
        text: &str,
    ) -> Result<Option<CommentId>, GitHubError> {
        let issue = &self.snapshot.issue;
        let at = (&issue.repository, issue.number);
        let github = &self.organization.github;
        if github.edit_comment(at.0, posted, text).await? {
            return Ok(Some(posted));
        }
        let Some(found) = find_ours(self.organization, at, key).await? else {
            return Ok(None);
        };
        let there = found.id != posted && github.edit_comment(at.0, found.id, text).await?;
        Ok(there.then_some(found.id))
    }

    /// Keeps the lane ours for one more request, and writes down what is about to be sent.
    async fn journal(&mut self, changes: &[&Change]) -> Result<Vec<EffectId>, WorkError> {
        if self.stop.is_cancelled() {
            return Err(WorkError::Stopping);
        }
        let now = self.worker.clock.now();
        let until = now.saturating_add(self.worker.config.lease).unwrap_or(now);
        self.worker.store.renew(self.lease, until).await?;
        let note = |change: &Change| {
            let (kind, target) = name_of(&change.write);
            NewEffect {
                item: self.item,
                kind: kind.to_owned(),
                target,
                detail: owed::detail(change, self.assignment_of(change)),
                at: now,
            }
        };
        let mut effects: Vec<_> = changes.iter().map(|change| note(change)).collect();
        let notes = if self.noted {
            Vec::new()
        } else {
            owed::notes(&self.plan.changes, changes, &self.owed, note)
        };
        let mut names = Vec::with_capacity(notes.len());
        for (effect, what) in notes {
            effects.push(effect);
            names.push(what);
        }
        let mut ids = self.worker.store.journal(self.lease, &effects).await?;
        let ids_of_notes = ids.split_off(changes.len().min(ids.len()));
        let added = ids_of_notes.into_iter().zip(names);
        self.owed
            .extend(added.map(|(effect, what)| Owed::new(effect, what)));
        self.noted = true;
        Ok(ids)
    }

    fn assignment_of(&self, change: &Change) -> Option<Assignment> {
        let attribute = attribute_of(&self.organization.policy, &change.write)?;
        let mut planned = self.plan.assignments.iter();
        planned.find(|a| a.attribute == attribute).cloned()
    }

    fn settle(&mut self, effect: EffectId, end: EffectEnd) {
        self.done.settled.push(Settled {
            effect,
            end,
            at: self.worker.clock.now(),
        });
    }

    fn settle_all(&mut self, effects: Vec<EffectId>, error: &str) {
        for effect in effects {
            let error = error.to_owned();
            self.settle(effect, EffectEnd::Refused { error });
        }
    }

    /// Nothing on GitHub can show this: said, and not tried.
    fn cannot(&mut self, change: &Change, problem: &str) {
        self.note(change, "refused", problem);
        self.done.hopeless.push(change.clone());
    }

    fn note(&mut self, change: &Change, end: &str, error: &str) {
        let what = json!({ "change": change, "end": end, "error": error });
        let (now, item) = (self.worker.clock.now(), Some(self.item));
        let line = NewAudit::noticed(self.lease, now, item, "write", what);
        self.done.audit.push(line);
    }

    async fn project(&mut self, board: &str) -> Result<Option<Arc<Project>>, WorkError> {
        let organization = self.organization;
        let project = organization
            .vocabulary
            .board(&organization.policy, board)
            .await?;
        if let Some(project) = &project {
            self.done
                .projects
                .insert(board.to_owned(), project.id.clone());
        }
        Ok(project)
    }
}

/// What the journal calls a write, and what it is about.
pub(super) fn name_of(write: &Write) -> (&'static str, String) {
    match write {
        Write::AddLabel { label } => ("add_label", label.clone()),
        Write::RemoveLabel { label } => ("remove_label", label.clone()),
        Write::ClearMilestone => ("clear_milestone", String::new()),
        Write::Close { .. } => ("close", String::new()),
        Write::AddToBoard { board } => ("add_to_board", board.clone()),
        Write::SetField { board, field, .. } => ("set_field", format!("{board}/{field}")),
        Write::Archive { board } => ("archive", board.clone()),
        Write::Comment { key, .. } => ("comment", key.clone()),
        Write::React { key, .. } => ("react", key.clone()),
        Write::EditComment { key, .. } => ("edit_comment", key.clone()),
    }
}

/// A value in the policy's words as a mutation in the board's ids.
fn field_mutation(
    project: &Project,
    row: String,
    field: &str,
    value: Option<&FieldValue>,
) -> Result<Mutation, String> {
    let Some(known) = project
        .fields
        .iter()
        .find(|f| f.name.eq_ignore_ascii_case(field))
    else {
        return Err(format!("there is no field `{field}`"));
    };
    let (project_id, field_id) = (project.id.clone(), known.id.clone());
    let Some(value) = value else {
        return Ok(Mutation::ClearField {
            project: project_id,
            item: row,
            field: field_id,
        });
    };
    let input = match value {
        FieldValue::Option(name) => known
            .options
            .iter()
            .find(|(_, n)| n.eq_ignore_ascii_case(name))
            .map(|(id, _)| FieldInput::Option(id.clone()))
            .ok_or_else(|| format!("field `{field}` has no option `{name}`"))?,
        FieldValue::Iteration(title) => known
            .iterations
            .iter()
            .find(|i| i.title == *title)
            .map(|i| FieldInput::Iteration(i.id.clone()))
            .ok_or_else(|| format!("field `{field}` has no iteration `{title}`"))?,
        FieldValue::Text(text) => FieldInput::Text(text.clone()),
        FieldValue::Number(number) => FieldInput::Number(*number),
        FieldValue::Date(date) => FieldInput::Date(*date),
    };
    Ok(Mutation::SetField {
        project: project_id,
        item: row,
        field: field_id,
        value: input,
    })
}
