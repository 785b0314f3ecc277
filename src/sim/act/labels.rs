//! What happens to a repository's labels.

use serde_json::{Map, json};

use crate::sim::ids::Node;
use crate::sim::refusal::Refusal;
use crate::sim::state::{Actor, Label, State};
use crate::sim::webhooks::Place;

use super::{LABEL_DESCRIPTION, LABEL_NAME, check_length};

/// What an edit of a label changes; `None` leaves as is.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct LabelEdit {
    pub name: Option<String>,
    pub color: Option<String>,
    pub description: Option<String>,
}

/// What GitHub paints labels made on use.
const GREY: &str = "ededed";

impl State {
    pub fn create_label(
        &mut self,
        by: Actor,
        repository: u64,
        name: &str,
        color: Option<&str>,
        description: Option<&str>,
    ) -> Result<u64, Refusal> {
        check_name(name)?;
        check_length(
            "Label",
            "description",
            description.unwrap_or(""),
            LABEL_DESCRIPTION,
        )?;
        let color = color.unwrap_or(GREY);
        check_color(color)?;
        if self.label_by_name(repository, name).is_some() {
            return Err(Refusal::invalid("Label", "name", "already_exists"));
        }
        let id = self.ids.create(Node::Label);
        let repo = self
            .repositories
            .get_mut(&repository)
            .ok_or_else(Refusal::not_found)?;
        repo.labels.push(id);
        let label = Label {
            id,
            repository,
            name: name.to_owned(),
            color: color.to_lowercase(),
            description: description.map(str::to_owned),
        };
        self.labels.insert(id, label);
        self.label_event("created", by, id, json!({}));
        Ok(id)
    }

    pub fn edit_label(&mut self, by: Actor, id: u64, edit: LabelEdit) -> Result<(), Refusal> {
        let label = self.labels.get(&id).ok_or_else(Refusal::not_found)?;
        let repository = label.repository;
        if let Some(name) = &edit.name {
            check_name(name)?;
            let taken = self.label_by_name(repository, name);
            if taken.is_some_and(|other| other.id != id) {
                return Err(Refusal::invalid("Label", "name", "already_exists"));
            }
        }
        if let Some(color) = &edit.color {
            check_color(color)?;
        }
        let description = edit.description.as_deref().unwrap_or("");
        check_length("Label", "description", description, LABEL_DESCRIPTION)?;
        let label = self.labels.get_mut(&id).ok_or_else(Refusal::not_found)?;
        let mut changes = Map::new();
        if let Some(name) = edit.name.filter(|name| *name != label.name) {
            let from = std::mem::replace(&mut label.name, name);
            changes.insert("name".to_owned(), json!({"from": from}));
        }
        if let Some(color) = edit.color.filter(|color| *color != label.color) {
            let from = std::mem::replace(&mut label.color, color.to_lowercase());
            changes.insert("color".to_owned(), json!({"from": from}));
        }
        if edit.description.is_some() && edit.description != label.description {
            let from = std::mem::replace(&mut label.description, edit.description);
            changes.insert(
                "description".to_owned(),
                json!({"from": from.unwrap_or_default()}),
            );
        }
        if !changes.is_empty() {
            self.label_event("edited", by, id, json!({"changes": changes}));
        }
        Ok(())
    }

    /// Deletes a label, from every issue too (each says so).
    pub fn delete_label(&mut self, by: Actor, id: u64) -> Result<(), Refusal> {
        let label = self.labels.get(&id).ok_or_else(Refusal::not_found)?.clone();
        let carriers: Vec<u64> = self
            .issues
            .values()
            .filter(|issue| issue.labels.contains(&id))
            .map(|issue| issue.id)
            .collect();
        self.label_event("deleted", by, id, json!({}));
        for issue in carriers {
            self.remove_labels(by, issue, &[id])?;
        }
        if let Some(repo) = self.repositories.get_mut(&label.repository) {
            repo.labels.retain(|have| *have != id);
        }
        self.labels.remove(&id);
        self.ids.forget(Node::Label(id));
        Ok(())
    }

    /// The ids of labels by name; unknown ones are made, as GitHub's REST API does.
    pub fn labels_named(
        &mut self,
        by: Actor,
        repository: u64,
        names: &[String],
    ) -> Result<Vec<u64>, Refusal> {
        for name in names {
            check_name(name)?;
        }
        let mut ids = Vec::new();
        for name in names {
            let id = match self.label_by_name(repository, name) {
                Some(label) => label.id,
                None => self.create_label(by, repository, name, None, None)?,
            };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    fn label_event(&mut self, action: &str, by: Actor, id: u64, extra: serde_json::Value) {
        let Some(label) = self.labels.get(&id) else {
            return;
        };
        let repository = label.repository;
        let mut fields = Map::new();
        fields.insert("label".to_owned(), self.label_json(label));
        if let serde_json::Value::Object(extra) = extra {
            fields.extend(extra);
        }
        let place = Place::Repository(repository);
        self.emit("label", action, place, by.user, fields.into());
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        return Err(Refusal::invalid("Label", "name", "missing_field"));
    }
    check_length("Label", "name", name, LABEL_NAME)
}

fn check_color(color: &str) -> Result<(), Refusal> {
    if color.len() == 6 && color.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(())
    } else {
        Err(Refusal::invalid("Label", "color", "invalid"))
    }
}
