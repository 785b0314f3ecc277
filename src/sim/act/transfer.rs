//! An issue that goes to another repository.

use serde_json::{Value, json};

use crate::sim::ids::Node;
use crate::sim::refusal::Refusal;
use crate::sim::state::{Actor, Content, Issue, State};

impl State {
    /// Transfers an issue to another repository of the same owner, as GitHub does: a new number and
    /// new ids, for its comments too; labels and milestone where the other repository has those of
    /// the same name; its rows on boards stay. Both repositories hear of it. Returns the new id.
    pub fn transfer_issue(&mut self, by: Actor, id: u64, to: u64) -> Result<u64, Refusal> {
        let old = self.issue(id)?.clone();
        let (from, there) = match (
            self.repositories.get(&old.repository),
            self.repositories.get(&to),
        ) {
            (Some(from), Some(there)) => (from.clone(), there.clone()),
            _ => return Err(Refusal::not_found()),
        };
        if from.owner != there.owner || from.id == there.id || from.private && !there.private {
            return Err(Refusal::invalid("Issue", "repository", "invalid"));
        }
        let before = self.issue_json(&old);
        let new = self.new_place(&old, to)?;
        let (id_there, number) = (new.id, new.number);
        self.issues.insert(new.id, new);
        if let Some(repo) = self.repositories.get_mut(&to) {
            repo.next_number += 1;
            repo.issues.insert(number, id_there);
        }
        for child in self.issues.values_mut() {
            if child.parent == Some(id) {
                child.parent = Some(id_there);
            }
        }
        for row in self.items.values_mut() {
            if matches!(row.content, Content::Issue(issue) if issue == id) {
                row.content = Content::Issue(id_there);
            }
        }
        if let Some(repo) = self.repositories.get_mut(&old.repository) {
            repo.issues.remove(&old.number);
        }
        self.issues.remove(&id);
        self.ids.forget(Node::Issue(id));
        for there in self.transferred.values_mut() {
            if *there == id {
                *there = id_there;
            }
        }
        self.transferred
            .insert((old.repository, old.number), id_there);
        self.announce(by, &old, &before, id_there);
        Ok(id_there)
    }

    /// Where the issue went that had this number.
    pub fn issue_moved_to(&self, repository: u64, number: u64) -> Option<&Issue> {
        let there = self.transferred.get(&(repository, number))?;
        self.issues.get(there)
    }

    /// The issue as it will be there. Its comments are made anew, with their old times.
    fn new_place(&mut self, old: &Issue, to: u64) -> Result<Issue, Refusal> {
        let there = self.repositories.get(&to).ok_or_else(Refusal::not_found)?;
        let number = there.next_number;
        let milestones = there.milestones.clone();
        let names: Vec<String> = old
            .labels
            .iter()
            .filter_map(|label| Some(self.labels.get(label)?.name.clone()))
            .collect();
        let labels = names
            .iter()
            .filter_map(|name| Some(self.label_by_name(to, name)?.id))
            .collect();
        let title = |id: &u64| self.milestones.get(id).map(|m| m.title.clone());
        let wanted = old.milestone.as_ref().and_then(title);
        let milestone = milestones
            .into_iter()
            .find(|id| wanted.is_some() && title(id) == wanted);
        let now = self.now();
        let id = self.ids.create(Node::Issue);
        let mut comments = Vec::new();
        for comment in &old.comments {
            let Some(mut comment) = self.comments.remove(comment) else {
                continue;
            };
            self.ids.forget(Node::Comment(comment.id));
            comment.id = self.ids.create(Node::Comment);
            comment.issue = id;
            comments.push(comment.id);
            self.comments.insert(comment.id, comment);
        }
        Ok(Issue {
            id,
            repository: to,
            number,
            labels,
            milestone,
            comments,
            updated_at: now,
            ..old.clone()
        })
    }

    /// `transferred` where it was, `opened` where it is. The latter comes before everything is
    /// copied: users report it without a text, and nothing promises that the comments are there.
    fn announce(&mut self, by: Actor, old: &Issue, before: &Value, id: u64) {
        let Some(new) = self.issues.get(&id) else {
            return;
        };
        let shown = self.issue_json(new);
        let mut copying = shown.clone();
        if let Some(issue) = copying.as_object_mut() {
            issue.insert("body".to_owned(), Value::Null);
            issue.insert("comments".to_owned(), 0.into());
        }
        let repository = |id: u64| {
            let repository = self.repositories.get(&id);
            repository.map_or(Value::Null, |repo| self.repository_json(repo))
        };
        let (from, to) = (repository(old.repository), repository(new.repository));
        let new_repository = new.repository;
        let gone = json!({
            "issue": before,
            "changes": { "new_issue": shown, "new_repository": to },
        });
        let come = json!({
            "issue": copying,
            "changes": { "old_issue": before, "old_repository": from },
        });
        self.issue_event_of("transferred", old.repository, by, gone);
        self.issue_event_of("opened", new_repository, by, come);
    }
}
