//! What happens to comments, and the reactions to them and to issues.

use serde_json::{Map, Value, json};

use crate::sim::ids::Node;
use crate::sim::refusal::Refusal;
use crate::sim::state::{Actor, Comment, Reaction, State};
use crate::sim::webhooks::Place;

use super::{BODY, REACTIONS, check_length};

impl State {
    fn comment_event(&mut self, action: &str, by: Actor, id: u64, extra: Value) {
        let Some(comment) = self.comments.get(&id) else {
            return;
        };
        let Some(issue) = self.issues.get(&comment.issue) else {
            return;
        };
        let place = Place::Repository(issue.repository);
        let mut fields = Map::new();
        fields.insert("issue".to_owned(), self.issue_json(issue));
        fields.insert("comment".to_owned(), self.comment_json(comment));
        if let Value::Object(extra) = extra {
            fields.extend(extra);
        }
        self.emit("issue_comment", action, place, by.user, fields.into());
    }

    pub fn add_comment(&mut self, by: Actor, issue: u64, body: &str) -> Result<u64, Refusal> {
        check_comment(body)?;
        let now = self.now();
        self.issue(issue)?;
        let id = self.ids.create(Node::Comment);
        self.comments.insert(
            id,
            Comment {
                id,
                issue,
                author: by.user,
                body: body.to_owned(),
                reactions: Vec::new(),
                created_at: now,
                updated_at: now,
                by_app: by.app,
            },
        );
        self.issue_mut(issue)?.comments.push(id);
        self.touch(issue);
        self.comment_event("created", by, id, json!({}));
        Ok(id)
    }

    pub fn edit_comment(&mut self, by: Actor, id: u64, body: &str) -> Result<(), Refusal> {
        check_comment(body)?;
        let now = self.now();
        let comment = self.comments.get_mut(&id).ok_or_else(Refusal::not_found)?;
        if comment.body == body {
            return Ok(());
        }
        let from = std::mem::replace(&mut comment.body, body.to_owned());
        comment.updated_at = now;
        let issue = comment.issue;
        self.touch(issue);
        self.comment_event(
            "edited",
            by,
            id,
            json!({"changes": {"body": {"from": from}}}),
        );
        Ok(())
    }

    pub fn delete_comment(&mut self, by: Actor, id: u64) -> Result<(), Refusal> {
        let issue = self.comments.get(&id).ok_or_else(Refusal::not_found)?.issue;
        self.issue_mut(issue)?.comments.retain(|have| *have != id);
        self.touch(issue);
        self.comment_event("deleted", by, id, json!({}));
        self.comments.remove(&id);
        self.ids.forget(Node::Comment(id));
        Ok(())
    }

    /// A reaction of this content; GitHub sends no webhook for it. False: it was already there.
    pub fn react_to_comment(
        &mut self,
        by: Actor,
        id: u64,
        content: &str,
    ) -> Result<(Reaction, bool), Refusal> {
        let reaction = self.reaction(by, content)?;
        let comment = self.comments.get_mut(&id).ok_or_else(Refusal::not_found)?;
        Ok(add(&mut comment.reactions, reaction))
    }

    /// As [`State::react_to_comment`], on the issue itself.
    pub fn react_to_issue(
        &mut self,
        by: Actor,
        id: u64,
        content: &str,
    ) -> Result<(Reaction, bool), Refusal> {
        let reaction = self.reaction(by, content)?;
        let issue = self.issue_mut(id)?;
        Ok(add(&mut issue.reactions, reaction))
    }

    fn reaction(&mut self, by: Actor, content: &str) -> Result<Reaction, Refusal> {
        let content = REACTIONS
            .into_iter()
            .find(|known| *known == content)
            .ok_or_else(|| Refusal::invalid("Reaction", "content", "invalid"))?;
        let created_at = self.now();
        Ok(Reaction {
            id: self.ids.create(Node::Reaction),
            user: by.user,
            content,
            created_at,
        })
    }
}

fn add(reactions: &mut Vec<Reaction>, new: Reaction) -> (Reaction, bool) {
    let old = reactions
        .iter()
        .find(|old| old.user == new.user && old.content == new.content);
    if let Some(old) = old {
        return (old.clone(), false);
    }
    reactions.push(new.clone());
    (new, true)
}

fn check_comment(body: &str) -> Result<(), Refusal> {
    if body.trim().is_empty() {
        return Err(Refusal::invalid("IssueComment", "body", "missing_field"));
    }
    check_length("IssueComment", "body", body, BODY)
}
