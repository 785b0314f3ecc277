//! What happens to issues.

use serde_json::{Map, Value, json};

use crate::sim::ids::Node;
use crate::sim::refusal::Refusal;
use crate::sim::state::{Actor, Issue, Milestone, State, TimelineEvent, TimelineWhat};
use crate::sim::webhooks::Place;

use super::{BODY, LABELS, check_length, check_title};

/// An issue to be opened.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct NewIssue {
    pub title: String,
    pub body: Option<String>,
    /// By name; unknown ones are made.
    pub labels: Vec<String>,
    pub assignees: Vec<u64>,
    pub milestone: Option<u64>,
}

/// What an edit does to the milestone.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::sim) enum NewMilestone {
    #[default]
    Same,
    None,
    Is(u64),
}

/// What an edit changes; `None` leaves as is.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Edit {
    pub title: Option<String>,
    pub body: Option<String>,
    /// All labels, by id.
    pub labels: Option<Vec<u64>>,
    pub milestone: NewMilestone,
    pub open: Option<bool>,
    pub reason: Option<&'static str>,
    pub assignees: Option<Vec<u64>>,
}

impl State {
    pub fn issue(&self, id: u64) -> Result<&Issue, Refusal> {
        self.issues.get(&id).ok_or_else(Refusal::not_found)
    }

    pub(super) fn issue_mut(&mut self, id: u64) -> Result<&mut Issue, Refusal> {
        self.issues.get_mut(&id).ok_or_else(Refusal::not_found)
    }

    /// Announces a change of an issue; `extra` beside `issue`.
    pub(super) fn issue_event(&mut self, action: &str, by: Actor, id: u64, extra: Value) {
        let Some(issue) = self.issues.get(&id) else {
            return;
        };
        let repository = issue.repository;
        let mut fields = Map::new();
        fields.insert("issue".to_owned(), self.issue_json(issue));
        if let Value::Object(extra) = extra {
            fields.extend(extra);
        }
        self.issue_event_of(action, repository, by, Value::Object(fields));
    }

    /// As [`State::issue_event`], with all of its fields.
    pub(super) fn issue_event_of(
        &mut self,
        action: &str,
        repository: u64,
        by: Actor,
        fields: Value,
    ) {
        let place = Place::Repository(repository);
        self.emit("issues", action, place, by.user, fields);
    }

    /// Writes an entry of an issue's timeline.
    pub(super) fn told(&mut self, issue: u64, by: Actor, what: TimelineWhat) {
        let at = self.now();
        if let Some(issue) = self.issues.get_mut(&issue) {
            let by = by.user;
            issue.timeline.push(TimelineEvent { at, by, what });
        }
    }

    pub(super) fn touch(&mut self, id: u64) {
        let now = self.now();
        if let Some(issue) = self.issues.get_mut(&id) {
            issue.updated_at = now;
        }
    }

    pub fn open_issue(
        &mut self,
        by: Actor,
        repository: u64,
        new: NewIssue,
    ) -> Result<u64, Refusal> {
        check_title(&new.title)?;
        check_length("Issue", "body", new.body.as_deref().unwrap_or(""), BODY)?;
        let labels = self.labels_named(by, repository, &new.labels)?;
        let now = self.now();
        let id = self.ids.create(Node::Issue);
        let repo = self
            .repositories
            .get_mut(&repository)
            .ok_or_else(Refusal::not_found)?;
        let number = repo.next_number;
        repo.next_number += 1;
        repo.issues.insert(number, id);
        self.issues.insert(
            id,
            Issue {
                id,
                repository,
                number,
                title: new.title,
                body: new.body,
                author: by.user,
                labels: labels.clone(),
                milestone: new.milestone,
                assignees: new.assignees.clone(),
                open: true,
                state_reason: None,
                kind: None,
                parent: None,
                comments: Vec::new(),
                reactions: Vec::new(),
                created_at: now,
                updated_at: now,
                closed_at: None,
                closed_by: None,
                by_app: by.app,
                timeline: Vec::new(),
            },
        );
        self.issue_event("opened", by, id, json!({}));
        for label in labels {
            self.labelled("labeled", by, id, label);
        }
        for assignee in new.assignees {
            self.assigned("assigned", by, id, assignee);
        }
        Ok(id)
    }

    pub fn edit_issue(&mut self, by: Actor, id: u64, edit: Edit) -> Result<(), Refusal> {
        if let Some(title) = &edit.title {
            check_title(title)?;
        }
        check_length("Issue", "body", edit.body.as_deref().unwrap_or(""), BODY)?;
        if edit
            .labels
            .as_ref()
            .is_some_and(|labels| labels.len() > LABELS)
        {
            return Err(too_many_labels());
        }
        let issue = self.issue_mut(id)?;
        let mut changes = Map::new();
        if let Some(title) = edit.title.filter(|title| *title != issue.title) {
            let from = std::mem::replace(&mut issue.title, title);
            changes.insert("title".to_owned(), json!({"from": from}));
        }
        if let Some(body) = edit.body
            && issue.body.as_deref() != Some(&body)
        {
            let from = issue.body.replace(body).unwrap_or_default();
            changes.insert("body".to_owned(), json!({"from": from}));
        }
        if !changes.is_empty() {
            self.touch(id);
            self.issue_event("edited", by, id, json!({"changes": changes}));
        }
        if let Some(wanted) = edit.labels {
            let have = self.issue(id)?.labels.clone();
            let gone: Vec<u64> = have.into_iter().filter(|l| !wanted.contains(l)).collect();
            self.remove_labels(by, id, &gone)?;
            self.add_labels(by, id, &wanted)?;
        }
        if let Some(assignees) = edit.assignees {
            self.set_assignees(by, id, &assignees)?;
        }
        match edit.milestone {
            NewMilestone::Same => {}
            NewMilestone::None => self.set_milestone(by, id, None)?,
            NewMilestone::Is(milestone) => self.set_milestone(by, id, Some(milestone))?,
        }
        if let Some(open) = edit.open {
            self.set_open(by, id, open, edit.reason)?;
        }
        Ok(())
    }

    /// Closes or reopens; saying again what already is changes nothing.
    pub fn set_open(
        &mut self,
        by: Actor,
        id: u64,
        open: bool,
        reason: Option<&'static str>,
    ) -> Result<(), Refusal> {
        let now = self.now();
        let issue = self.issue_mut(id)?;
        if issue.open == open {
            return Ok(());
        }
        issue.open = open;
        issue.updated_at = now;
        if open {
            issue.state_reason = Some("reopened");
            issue.closed_at = None;
            issue.closed_by = None;
        } else {
            issue.state_reason = Some(reason.unwrap_or("completed"));
            issue.closed_at = Some(now);
            issue.closed_by = Some(by.user);
        }
        let action = if open { "reopened" } else { "closed" };
        self.told(
            id,
            by,
            if open {
                TimelineWhat::Reopened
            } else {
                TimelineWhat::Closed(reason.unwrap_or("completed"))
            },
        );
        self.issue_event(action, by, id, json!({}));
        Ok(())
    }

    /// Adds labels by id; those already there are left alone.
    pub fn add_labels(&mut self, by: Actor, id: u64, labels: &[u64]) -> Result<(), Refusal> {
        let issue = self.issue(id)?;
        let repository = issue.repository;
        let mut new: Vec<u64> = Vec::new();
        for label in labels {
            let known = self.labels.get(label).ok_or_else(Refusal::not_found)?;
            if known.repository != repository {
                return Err(Refusal::invalid("Label", "name", "invalid"));
            }
            if !issue.labels.contains(label) && !new.contains(label) {
                new.push(*label);
            }
        }
        if issue.labels.len() + new.len() > LABELS {
            return Err(too_many_labels());
        }
        for label in new {
            self.issue_mut(id)?.labels.push(label);
            self.touch(id);
            self.labelled("labeled", by, id, label);
        }
        Ok(())
    }

    /// Takes labels off; those not on the issue are passed over.
    pub fn remove_labels(&mut self, by: Actor, id: u64, labels: &[u64]) -> Result<(), Refusal> {
        for label in labels {
            let issue = self.issue_mut(id)?;
            let before = issue.labels.len();
            issue.labels.retain(|have| have != label);
            if issue.labels.len() < before {
                self.touch(id);
                self.labelled("unlabeled", by, id, *label);
            }
        }
        Ok(())
    }

    pub(super) fn labelled(&mut self, action: &str, by: Actor, id: u64, label: u64) {
        if let Some(known) = self.labels.get(&label) {
            let name = known.name.clone();
            let what = if action == "labeled" {
                TimelineWhat::Labelled(name)
            } else {
                TimelineWhat::Unlabelled(name)
            };
            self.told(id, by, what);
        }
        let label = self.labels.get(&label).map(|label| self.label_json(label));
        self.issue_event(action, by, id, json!({"label": label}));
    }

    pub fn set_milestone(
        &mut self,
        by: Actor,
        id: u64,
        milestone: Option<u64>,
    ) -> Result<(), Refusal> {
        let repository = self.issue(id)?.repository;
        if let Some(wanted) = milestone {
            let known = self
                .milestones
                .get(&wanted)
                .ok_or_else(Refusal::not_found)?;
            if known.repository != repository {
                return Err(Refusal::invalid("Issue", "milestone", "invalid"));
            }
        }
        let before = self.issue(id)?.milestone;
        if before == milestone {
            return Ok(());
        }
        self.issue_mut(id)?.milestone = milestone;
        self.touch(id);
        for (which, action) in [(before, "demilestoned"), (milestone, "milestoned")] {
            if let Some(milestone) = which.and_then(|id| self.milestones.get(&id)) {
                let shown = self.milestone_json(milestone);
                self.issue_event(action, by, id, json!({"milestone": shown}));
            }
        }
        Ok(())
    }

    /// Assigns the issue to these people and to nobody else. Each change is told by itself.
    pub fn set_assignees(&mut self, by: Actor, id: u64, wanted: &[u64]) -> Result<(), Refusal> {
        let issue = self.issue_mut(id)?;
        let before = std::mem::replace(&mut issue.assignees, wanted.to_vec());
        if before == wanted {
            return Ok(());
        }
        self.touch(id);
        for gone in before.iter().filter(|user| !wanted.contains(user)) {
            self.assigned("unassigned", by, id, *gone);
        }
        for new in wanted.iter().filter(|user| !before.contains(user)) {
            self.assigned("assigned", by, id, *new);
        }
        Ok(())
    }

    fn assigned(&mut self, action: &str, by: Actor, id: u64, assignee: u64) {
        let shown = self.user_json(assignee);
        self.issue_event(action, by, id, json!({"assignee": shown}));
    }

    pub fn create_milestone(
        &mut self,
        by: Actor,
        repository: u64,
        title: &str,
    ) -> Result<u64, Refusal> {
        if title.trim().is_empty() {
            return Err(Refusal::invalid("Milestone", "title", "missing_field"));
        }
        let taken = self
            .milestones
            .values()
            .any(|m| m.repository == repository && m.title == title);
        if taken {
            return Err(Refusal::invalid("Milestone", "title", "already_exists"));
        }
        let now = self.now();
        let id = self.ids.create(Node::Milestone);
        let repo = self
            .repositories
            .get_mut(&repository)
            .ok_or_else(Refusal::not_found)?;
        repo.milestones.push(id);
        let number = repo.milestones.len() as u64;
        let milestone = Milestone {
            id,
            repository,
            number,
            title: title.to_owned(),
            creator: by.user,
            created_at: now,
        };
        let shown = self.milestone_json(&milestone);
        self.milestones.insert(id, milestone);
        let place = Place::Repository(repository);
        self.emit(
            "milestone",
            "created",
            place,
            by.user,
            json!({"milestone": shown}),
        );
        Ok(id)
    }

    /// Makes `child` a sub-issue of `parent`. Both repositories hear of it.
    pub fn add_sub_issue(&mut self, by: Actor, parent: u64, child: u64) -> Result<(), Refusal> {
        let shown_parent = self.issue(parent)?.clone();
        self.issue_mut(child)?.parent = Some(parent);
        self.touch(child);
        let child = self.issue(child)?.clone();
        let repo = self
            .repositories
            .get(&child.repository)
            .ok_or_else(Refusal::not_found)?;
        let fields = json!({
            "sub_issue_id": child.id,
            "sub_issue": self.issue_json(&child),
            "sub_issue_repo": self.repository_json(repo),
            "parent_issue_id": parent,
            "parent_issue": self.issue_json(&shown_parent),
        });
        let parents_repo = self
            .repositories
            .get(&shown_parent.repository)
            .ok_or_else(Refusal::not_found)?;
        let told_to_child = json!({
            "parent_issue_id": parent,
            "parent_issue": self.issue_json(&shown_parent),
            "parent_issue_repo": self.repository_json(parents_repo),
            "sub_issue_id": child.id,
            "sub_issue": self.issue_json(&child),
        });
        let place = Place::Repository(shown_parent.repository);
        self.emit("sub_issues", "sub_issue_added", place, by.user, fields);
        let place = Place::Repository(child.repository);
        self.emit(
            "sub_issues",
            "parent_issue_added",
            place,
            by.user,
            told_to_child,
        );
        Ok(())
    }

    /// Sets or clears the organisation's issue type.
    pub fn set_issue_type(&mut self, by: Actor, id: u64, kind: Option<u64>) -> Result<(), Refusal> {
        let issue = self.issue_mut(id)?;
        let before = std::mem::replace(&mut issue.kind, kind);
        if before == kind {
            return Ok(());
        }
        self.touch(id);
        let issue = self.issue(id)?;
        let (action, shown) = match (kind, before) {
            (Some(kind), _) => ("typed", self.issue_type_json(issue, kind)),
            (None, Some(kind)) => ("untyped", self.issue_type_json(issue, kind)),
            (None, None) => return Ok(()),
        };
        self.issue_event(action, by, id, json!({"type": shown}));
        Ok(())
    }

    pub fn delete_issue(&mut self, by: Actor, id: u64) -> Result<(), Refusal> {
        let issue = self.issue(id)?.clone();
        self.issue_event("deleted", by, id, json!({}));
        for comment in &issue.comments {
            self.comments.remove(comment);
            self.ids.forget(Node::Comment(*comment));
        }
        let rows: Vec<u64> = self
            .projects
            .keys()
            .filter_map(|project| self.item_of(*project, id))
            .map(|item| item.id)
            .collect();
        for row in rows {
            self.delete_item(by, row)?;
        }
        if let Some(repo) = self.repositories.get_mut(&issue.repository) {
            repo.issues.remove(&issue.number);
        }
        self.issues.remove(&id);
        self.ids.forget(Node::Issue(id));
        Ok(())
    }
}

fn too_many_labels() -> Refusal {
    Refusal::invalid_because("Issue", "labels", "labels cannot have more than 100 labels")
}
