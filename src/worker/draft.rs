//! An item's record while it is worked on, and what of it changed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::github::ItemRead;
use crate::ids::{CommentId, InstallationId, ItemId, UserId};
use crate::policy::Policy;
use crate::receive::payload::Sender;
use crate::store::{
    ActKey, Alias, Delivery, Happening, ItemChanges, ItemRecord, LaneKey, Lease, MirrorIssue,
    NewAudit,
};
use crate::triage::answer::Answer;
use crate::triage::apply_to;
use crate::triage::board::Place;
use crate::triage::change::{Assignment, Change, Plan, Write};
use crate::triage::ledger::{self, Act, LedgerEntry, Rank};
use crate::triage::plan::fingerprint;
use crate::triage::projection;
use crate::triage::snapshot::{BoardRow, Issue, PostedComment};

use super::happened;
use super::look::Decided;
use super::mirror::{aliases, mirrored};
use super::obey::Told;
use super::places::column_in;
use super::posted::Posted;
use super::turn::Done;

/// The record as it will be, and the changes that make the store's copy so.
pub(super) struct Draft {
    pub record: ItemRecord,
    changes: ItemChanges,
    /// Attributes whose label was taken out of the repository: that it is gone here too is nobody's
    /// decision about this item.
    pub unnamed: BTreeSet<String>,
    /// Commands for other items, to be put in their lanes.
    pub told: Vec<Told>,
    /// Plans that were let go.
    pub let_go: Vec<String>,
    /// When what is taken in now was said.
    pub at: Timestamp,
    /// The policy's board ids, by the project's node id.
    boards: BTreeMap<String, String>,
    /// For the audit trail: kind, who, what.
    notes: Vec<(&'static str, Option<UserId>, Value)>,
}

impl Draft {
    pub fn new(record: ItemRecord, now: Timestamp, boards: BTreeMap<String, String>) -> Self {
        Self {
            record,
            changes: ItemChanges::default(),
            unnamed: BTreeSet::new(),
            told: Vec::new(),
            let_go: Vec::new(),
            at: now,
            boards,
            notes: Vec::new(),
        }
    }

    pub fn into_changes(self) -> ItemChanges {
        self.changes
    }

    pub fn alias(&mut self, alias: Alias) {
        if self.record.aliases.insert(alias.clone()) {
            self.changes.aliases.push(alias);
        }
    }

    pub fn set_issue(&mut self, issue: MirrorIssue) {
        if self.record.issue.as_ref() != Some(&issue) {
            let happened = happened::to_issue(self.record.issue.as_ref(), &issue);
            self.happened(happened);
            self.changes.issue = Some(issue.clone());
            self.record.issue = Some(issue);
        }
    }

    pub fn happened(&mut self, what: impl IntoIterator<Item = Happening>) {
        let at = self.at;
        let noted = what.into_iter().map(|happening| (at, happening));
        self.changes.history.extend(noted);
    }

    /// GitHub says that the issue is somewhere else now, and all the names it has. Labels and
    /// milestone may not have gone with it, which is nobody's decision; the rest is read there.
    pub fn move_to(&mut self, arrival: &MirrorIssue) {
        self.changes.is_one = true;
        let Some(known) = self.record.issue.clone() else {
            self.set_issue(arrival.clone());
            return self.distrust();
        };
        let there = &arrival.issue;
        self.set_issue(MirrorIssue {
            repository_id: arrival.repository_id,
            node_id: arrival.node_id.clone(),
            stale: true,
            issue: Issue {
                repository: there.repository.clone(),
                number: there.number,
                private: there.private,
                labels: there.labels.clone(),
                milestone: there.milestone.clone(),
                ..known.issue
            },
            ..known
        });
    }

    /// The copy may be behind: GitHub is asked before the next decision.
    pub fn distrust(&mut self) {
        if let Some(mut issue) = self.record.issue.clone() {
            issue.stale = true;
            self.set_issue(issue);
        }
    }

    /// Writes or (`None`) forgets a row, by the project's node id.
    pub fn set_row(&mut self, project: &str, row: Option<BoardRow>) {
        if self.record.boards.get(project) == row.as_ref() {
            return;
        }
        if let Some(board) = self.boards.get(project) {
            let before = self.record.boards.get(project);
            let happened = happened::to_row(board, before, row.as_ref(), self.at);
            self.happened(happened);
        }
        match &row {
            Some(row) => self.record.boards.insert(project.to_owned(), row.clone()),
            None => self.record.boards.remove(project),
        };
        self.changes.boards.insert(project.to_owned(), row);
    }

    /// Adds a line to the ledger. The key makes it the same line for ever.
    pub fn append(&mut self, key: ActKey, entry: LedgerEntry) {
        self.record.ledger.push(entry.clone());
        self.changes.ledger.push((key, entry));
    }

    pub fn set_comment(&mut self, key: &str, comment: PostedComment) {
        if self.record.comments.get(key) != Some(&comment) {
            self.record.comments.insert(key.to_owned(), comment.clone());
            self.changes.comments.insert(key.to_owned(), comment);
        }
    }

    /// One of our comments was found or seen: it stands.
    pub fn posted(&mut self, key: &str, id: CommentId, body: &str) {
        let comment = PostedComment {
            id,
            fingerprint: fingerprint(super::marker::without_marker(body)),
            deleted: false,
            collapsed: false,
        };
        self.set_comment(key, comment);
    }

    pub fn set_answer(&mut self, key: &str, answer: Answer) {
        if self.record.answers.get(key) != Some(&answer) {
            self.record.answers.insert(key.to_owned(), answer.clone());
            self.changes.answers.insert(key.to_owned(), answer);
        }
    }

    /// What was to be posted and stands need not be kept here as well.
    pub fn forget_posted(&mut self) {
        let answers = self.record.answers.iter();
        let stands = |key: &String, answer: &Answer| {
            let posted = self.record.comments.get(key);
            posted.is_some_and(|c| c.deleted || c.fingerprint == fingerprint(&answer.body))
        };
        let posted = answers
            .filter(|(key, answer)| {
                Posted::is_key(key) && !answer.body.is_empty() && stands(key, answer)
            })
            .map(|(key, answer)| (key.clone(), answer.clone()));
        for (key, answer) in posted.collect::<Vec<_>>() {
            let body = String::new();
            self.set_answer(&key, Answer { body, ..answer });
        }
    }

    /// Somebody did something: how they are called now.
    pub fn name(&mut self, sender: &Sender) {
        let login = sender.login.clone();
        self.changes.people.insert(sender.id, login);
    }

    /// These roles, and no others, have confirmed the item.
    pub fn set_confirmed(&mut self, roles: BTreeSet<String>) {
        if roles != self.record.confirmed_by {
            self.record.confirmed_by.clone_from(&roles);
            self.changes.confirmed_by = Some(roles);
        }
    }

    /// Writes or forgets a place, by the project's node id. Returns whether it changed.
    pub fn set_place(&mut self, project: &str, place: Option<Place>, lane: &LaneKey) -> bool {
        let known = self.record.places.get(project).map(|p| &p.place);
        if known == place.as_ref() {
            return false;
        }
        match &place {
            Some(place) => {
                let record = self.record.places.entry(project.to_owned());
                record.or_default().place = place.clone();
            }
            None => {
                self.record.places.remove(project);
            }
        }
        let change = place.map(|place| (Some(lane.clone()), place));
        self.changes.places.insert(project.to_owned(), change);
        true
    }

    /// Nothing of this verdict is left to do.
    pub fn end_verdict(&mut self, project: String, verdict: String) {
        self.changes.answered.push((project, verdict));
    }

    pub fn note(&mut self, kind: &'static str, who: Option<UserId>, what: Value) {
        self.notes.push((kind, who, what));
    }

    /// The notes since the last call, as lines of the audit trail.
    pub fn take_audit(
        &mut self,
        installation: InstallationId,
        item: ItemId,
        delivery: &Delivery,
    ) -> Vec<NewAudit> {
        self.notes
            .drain(..)
            .map(|(kind, actor, detail)| NewAudit {
                installation,
                at: delivery.received_at,
                item: Some(item),
                kind: kind.to_owned(),
                actor,
                delivery: Some(delivery.guid.clone()),
                detail,
            })
            .collect()
    }

    /// What GitHub shows now replaces what the mirror held. `column_of` names a board's column
    /// field, by the project's node id, for the boards of the policy.
    pub fn take_read(
        &mut self,
        read: ItemRead,
        now: Timestamp,
        column_of: impl Fn(&str) -> Option<String>,
    ) {
        let ItemRead {
            issue,
            boards,
            field_set_at,
            ..
        } = read;
        for alias in aliases(&issue) {
            self.alias(alias);
        }
        self.set_issue(MirrorIssue {
            stale: false,
            boards_read_at: Some(now),
            ..mirrored(issue)
        });
        let gone: Vec<_> = self
            .record
            .boards
            .keys()
            .filter(|project| !boards.contains_key(*project))
            .cloned()
            .collect();
        for project in gone {
            self.set_row(&project, None);
        }
        for (project, (_, mut row)) in boards {
            row.entered_at = column_of(&project)
                .and_then(|column| field_set_at.get(&project)?.get(&column).copied());
            let known = self.record.boards.get(&project);
            // Of an empty field GitHub does not say when it was emptied; a word of it did.
            for (field, at) in known.iter().flat_map(|known| &known.set_at) {
                let set_at = row.set_at.entry(field.clone()).or_insert(*at);
                *set_at = (*set_at).max(*at);
            }
            // GitHub's times have whole seconds: what was seen coming in did not come in before.
            if row.entered_at.is_some() {
                row.entered_at = row.entered_at.max(known.and_then(|known| known.entered_at));
            }
            row.came_from = known.and_then(|known| {
                let column = |row: &BoardRow| {
                    let field = column_of(&project)?;
                    projection::field_of(row, &field).map(|(_, value)| value.text())
                };
                // It has moved since: where it stood is where it came from.
                let (was, is) = (column(known), column(&row));
                if was == is {
                    known.came_from.clone()
                } else {
                    was
                }
            });
            self.set_row(&project, Some(row));
        }
    }

    /// Rules take attributes: what was planned for them is so now.
    pub fn assign(&mut self, assignments: &[Assignment], lease: &Lease, at: Timestamp) {
        for assignment in assignments {
            let key = format!(
                "rule:{}:{}:{}",
                lease.lane, lease.fence, assignment.attribute
            );
            let entry = LedgerEntry {
                attribute: assignment.attribute.clone(),
                act: if assignment.hold { Act::Hold } else { Act::Set },
                rank: Rank::Rule,
                value: assignment.value.clone(),
                at,
                by: None,
                cause: assignment.reason.rule.clone(),
                reason: assignment.reason.because.clone(),
                told_in: None,
                until: None,
                said_at: None,
            };
            self.append(ActKey(key), entry);
        }
    }

    /// What a turn of the writer achieved is in the record before its webhooks come back.
    pub fn take_written(
        &mut self,
        policy: &Policy,
        done: &Done,
        decided: &Decided,
        lease: &Lease,
        now: Timestamp,
    ) {
        let written = Plan {
            changes: done.written.clone(),
            withheld: Vec::new(),
            assignments: Vec::new(),
        };
        let after = apply_to(&decided.snapshot, &decided.decision, &written);
        if let Some(mut mirror) = self.record.issue.clone() {
            mirror.issue.labels.clone_from(&after.issue.labels);
            mirror.issue.milestone.clone_from(&after.issue.milestone);
            if mirror.issue.open != after.issue.open {
                mirror.issue.open = after.issue.open;
                mirror
                    .issue
                    .state_reason
                    .clone_from(&after.issue.state_reason);
                mirror.issue.closed_at = after.issue.closed_at;
            }
            if let Some(touched) = done.touched {
                let copied_at = mirror.issue.updated_at;
                mirror.written_over.get_or_insert(copied_at);
                mirror.issue.updated_at = mirror.issue.updated_at.max(touched);
            }
            self.set_issue(mirror);
        }
        for (board, project) in &done.projects {
            if let Some(row) = after.boards.get(board) {
                let mut row = row.clone();
                if let Some(made) = done.rows.get(board) {
                    row.node_id.clone_from(made);
                }
                let was = column_in(policy, &decided.snapshot, board);
                if was != column_in(policy, &after, board) {
                    row.entered_at = Some(now);
                    row.came_from = (!was.is_empty()).then_some(was);
                }
                if let Some(touched) = done.rows_touched.get(board) {
                    for field in fields_set(board, &done.written) {
                        row.set_at.insert(name_in(&row, field), *touched);
                    }
                }
                self.set_row(project, Some(row));
            }
        }
        if after.held_labels != self.record.held_labels {
            self.record.held_labels.clone_from(&after.held_labels);
            self.changes.held_labels = Some(after.held_labels.clone());
        }
        self.take_comments(done, &after.comments);
        for (key, answer) in after.answers {
            self.set_answer(&key, answer);
        }
        // An attribute is the rule's once something shows it. What failed is planned again, but
        // then GitHub shows the value already, and nothing would tell whose it is.
        let planned = touched(policy, &decided.plan.changes);
        let written = touched(policy, &done.written);
        let shown = decided.plan.assignments.iter();
        let shown: Vec<_> = shown
            .filter(|a| written.contains(&a.attribute) || !planned.contains(&a.attribute))
            .cloned()
            .collect();
        self.assign(&shown, lease, now);
    }

    fn take_comments(&mut self, done: &Done, after: &BTreeMap<String, PostedComment>) {
        for (key, comment) in after {
            let mut comment = comment.clone();
            if let Some((_, id)) = done.comments.iter().find(|(k, _)| k == key) {
                comment.id = *id;
            }
            self.set_comment(key, comment);
        }
        for key in &done.comments_gone {
            if let Some(mut comment) = self.record.comments.get(key).cloned() {
                comment.deleted = true;
                self.set_comment(key, comment);
                self.note("act", None, json!({ "deleted_comment": key }));
            }
        }
    }
}

/// The fields of a board that were written.
fn fields_set<'c>(board: &str, written: &'c [Change]) -> impl Iterator<Item = &'c str> {
    let writes = written.iter().map(|change| &change.write);
    writes.filter_map(move |write| match write {
        Write::SetField {
            board: on, field, ..
        } if on == board => Some(field.as_str()),
        _ => None,
    })
}

/// A field's name as the row has it, whatever the policy's capitals.
fn name_in(row: &BoardRow, field: &str) -> String {
    let mut known = row.fields.keys().chain(row.set_at.keys());
    let known = known.find(|name| name.eq_ignore_ascii_case(field));
    known.map_or_else(|| field.to_owned(), Clone::clone)
}

/// The attributes that changes show.
pub(super) fn touched(policy: &Policy, changes: &[Change]) -> BTreeSet<String> {
    let shown = changes.iter();
    shown
        .filter_map(|c| attribute_of(policy, &c.write))
        .collect()
}

/// What the ledger calls that which a write shows: an attribute, the milestone, what it repeats, a
/// field that rules set, a row that they archive, or a reminder.
pub(super) fn attribute_of(policy: &Policy, write: &Write) -> Option<String> {
    match write {
        Write::AddLabel { label } | Write::RemoveLabel { label } => {
            let shown = projection::attribute_of_label(policy, label);
            shown.map(|(attribute, _)| attribute.id.clone())
        }
        Write::SetField { board, field, .. } => {
            let attribute = projection::attribute_of_field(policy, board, field);
            attribute.map(|attribute| attribute.id.clone()).or_else(|| {
                let wish = policy.field_set(board, field)?;
                Some(ledger::field(board, &wish.field))
            })
        }
        Write::ClearMilestone => Some(ledger::MILESTONE.to_owned()),
        Write::Close { .. } => Some(ledger::DUPLICATE.to_owned()),
        Write::Archive { board } => Some(ledger::archived(board)),
        Write::Comment { key, .. } if key.starts_with(ledger::REMINDED) => {
            Some(ledger::REMINDED.to_owned())
        }
        Write::AddToBoard { .. }
        | Write::React { .. }
        | Write::Comment { .. }
        | Write::EditComment { .. } => None,
    }
}
