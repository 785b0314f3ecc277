//! What happens on boards (GitHub Projects v2).

use serde_json::{Map, Value as Json, json};

use crate::sim::ids::Node;
use crate::sim::refusal::Refusal;
use crate::sim::state::{
    Actor, Content, Field, FieldKind, Item, SetValue, State, TimelineWhat, Value, time,
};
use crate::sim::webhooks::Place;

use super::{ITEMS, check_title};

impl State {
    fn item_event(&mut self, action: &str, by: Actor, id: u64, extra: Json) {
        let now = self.now();
        let Some(item) = self.items.get(&id) else {
            return;
        };
        if let Some(project) = self.projects.get_mut(&item.project) {
            project.updated_at = now;
        }
        let Some(project) = self.projects.get(&item.project) else {
            return;
        };
        let place = Place::Organization(project.org);
        let mut fields = Map::new();
        fields.insert("projects_v2_item".to_owned(), self.item_json(item));
        if let Json::Object(extra) = extra {
            fields.extend(extra);
        }
        self.emit("projects_v2_item", action, place, by.user, fields.into());
    }

    /// Puts an issue on a board; one that is there stays where it is (GitHub hands out the
    /// existing row).
    pub fn add_to_board(&mut self, by: Actor, project: u64, issue: u64) -> Result<u64, Refusal> {
        self.issue(issue)?;
        if let Some(item) = self.item_of(project, issue) {
            return Ok(item.id);
        }
        self.new_item(by, project, Content::Issue(issue))
    }

    pub fn add_draft(&mut self, by: Actor, project: u64, title: &str) -> Result<u64, Refusal> {
        check_title(title)?;
        let id = self.ids.create(Node::Draft);
        let title = title.to_owned();
        self.new_item(by, project, Content::Draft { id, title })
    }

    /// A draft becomes an issue that is there; its row stays the same.
    pub fn convert_draft(&mut self, by: Actor, id: u64, issue: u64) -> Result<(), Refusal> {
        self.issue(issue)?;
        let item = self.items.get_mut(&id).ok_or_else(Refusal::not_found)?;
        item.content = Content::Issue(issue);
        let change = json!({ "from": "DraftIssue", "to": "Issue" });
        let extra = json!({ "changes": { "content_type": change } });
        self.item_event("converted", by, id, extra);
        Ok(())
    }

    fn new_item(&mut self, by: Actor, project: u64, content: Content) -> Result<u64, Refusal> {
        let now = self.now();
        let board = self.projects.get(&project).ok_or_else(Refusal::not_found)?;
        if board.items.len() >= ITEMS {
            return Err(Refusal::new(
                422,
                "The project has reached the maximum number of items",
            ));
        }
        let id = self.ids.create(Node::Item);
        let item = Item {
            id,
            project,
            content,
            values: std::collections::BTreeMap::new(),
            archived_at: None,
            creator: by.user,
            created_at: now,
            updated_at: now,
        };
        self.items.insert(id, item);
        if let Some(board) = self.projects.get_mut(&project) {
            board.items.push(id);
            board.updated_at = now;
        }
        self.item_event("created", by, id, json!({}));
        Ok(id)
    }

    /// Sets a field of a row, or empties it; the event says from what to what.
    pub fn set_field(
        &mut self,
        by: Actor,
        id: u64,
        field: u64,
        value: Option<Value>,
    ) -> Result<(), Refusal> {
        let item = self.items.get(&id).ok_or_else(Refusal::not_found)?;
        if item.archived_at.is_some() {
            return Err(Refusal::new(
                422,
                "The item is archived and cannot be updated",
            ));
        }
        let project = self
            .projects
            .get(&item.project)
            .ok_or_else(Refusal::not_found)?;
        let field = project
            .fields
            .iter()
            .find(|known| known.id == field)
            .ok_or_else(Refusal::not_found)?
            .clone();
        if let Some(value) = &value {
            check_value(&field, value)?;
        }
        let before = item.values.get(&field.id).map(|set| set.value.clone());
        if before == value {
            return Ok(());
        }
        let number = project.number;
        let now = self.now();
        let change = json!({
            "field_node_id": self.node(field.node()),
            "field_type": field.data_type().to_lowercase(),
            "field_name": field.name,
            "project_number": number,
            "from": shown(&field, before.as_ref()),
            "to": shown(&field, value.as_ref()),
        });
        if let (Content::Issue(issue), "Status") = (&item.content, field.name.as_str()) {
            let column = |value: Option<&Value>| {
                let name = shown(&field, value)["name"].as_str().map(str::to_owned);
                name.unwrap_or_default()
            };
            let what = TimelineWhat::Moved {
                project: item.project,
                from: column(before.as_ref()),
                to: column(value.as_ref()),
            };
            self.told(*issue, by, what);
        }
        if let Some(item) = self.items.get_mut(&id) {
            item.updated_at = now;
            match value {
                Some(value) => {
                    let updated_at = now;
                    item.values.insert(field.id, SetValue { value, updated_at });
                }
                None => {
                    item.values.remove(&field.id);
                }
            }
        }
        self.item_event(
            "edited",
            by,
            id,
            json!({"changes": {"field_value": change}}),
        );
        Ok(())
    }

    pub fn archive_item(&mut self, by: Actor, id: u64, archive: bool) -> Result<(), Refusal> {
        let now = self.now();
        let item = self.items.get_mut(&id).ok_or_else(Refusal::not_found)?;
        if item.archived_at.is_some() == archive {
            return Ok(());
        }
        let from = item.archived_at;
        item.archived_at = archive.then_some(now);
        item.updated_at = now;
        let changes =
            json!({"archived_at": {"from": from.map(time), "to": item.archived_at.map(time)}});
        let action = if archive { "archived" } else { "restored" };
        self.item_event(action, by, id, json!({"changes": changes}));
        Ok(())
    }

    pub fn delete_item(&mut self, by: Actor, id: u64) -> Result<(), Refusal> {
        let item = self.items.get(&id).ok_or_else(Refusal::not_found)?.clone();
        self.item_event("deleted", by, id, json!({}));
        if let Some(project) = self.projects.get_mut(&item.project) {
            project.items.retain(|have| *have != id);
        }
        self.items.remove(&id);
        self.ids.forget(Node::Item(id));
        if let Content::Draft { id, .. } = item.content {
            self.ids.forget(Node::Draft(id));
        }
        Ok(())
    }

    /// Moves a row right behind another, or to the top.
    pub fn reorder_item(&mut self, by: Actor, id: u64, after: Option<u64>) -> Result<(), Refusal> {
        let item = self.items.get(&id).ok_or_else(Refusal::not_found)?;
        let project = item.project;
        let board = self
            .projects
            .get_mut(&project)
            .ok_or_else(Refusal::not_found)?;
        let old = board.items.iter().position(|have| *have == id);
        let before = old
            .and_then(|place| place.checked_sub(1))
            .and_then(|place| board.items.get(place).copied());
        board.items.retain(|have| *have != id);
        let place = match after {
            Some(after) => {
                board
                    .items
                    .iter()
                    .position(|have| *have == after)
                    .ok_or_else(Refusal::not_found)?
                    + 1
            }
            None => 0,
        };
        board.items.insert(place, id);
        let change = json!({
            "from": before.map(|id| self.node(Node::Item(id))),
            "to": after.map(|id| self.node(Node::Item(id))),
        });
        let changes = json!({"changes": {"previous_projects_v2_item_node_id": change}});
        self.item_event("reordered", by, id, changes);
        Ok(())
    }
}

fn check_value(field: &Field, value: &Value) -> Result<(), Refusal> {
    let good = match (&field.kind, value) {
        (FieldKind::SingleSelect(options), Value::Option(id)) => {
            if !options.iter().any(|option| option.id == *id) {
                return Err(Refusal::new(
                    422,
                    "The single select option Id does not belong to the field",
                ));
            }
            true
        }
        (FieldKind::Iteration(iterations), Value::Iteration(id)) => {
            if !iterations.iter().any(|iteration| iteration.id == *id) {
                return Err(Refusal::new(
                    422,
                    "The iteration Id does not belong to the field",
                ));
            }
            true
        }
        (FieldKind::Text, Value::Text(_))
        | (FieldKind::Number, Value::Number(_))
        | (FieldKind::Date, Value::Date(_)) => true,
        _ => false,
    };
    if good {
        return Ok(());
    }
    Err(Refusal::new(
        422,
        format!(
            "Did not receive a {} value to update a field of type {}",
            field.data_type().to_lowercase().replace('_', " "),
            field.data_type().to_lowercase()
        ),
    ))
}

/// A value as `changes.field_value` shows it.
fn shown(field: &Field, value: Option<&Value>) -> Json {
    match (value, &field.kind) {
        (Some(Value::Option(id)), FieldKind::SingleSelect(options)) => options
            .iter()
            .find(|option| option.id == *id)
            .map_or(Json::Null, |option| {
                json!({"id": id, "name": option.name, "color": option.color, "description": ""})
            }),
        (Some(Value::Iteration(id)), FieldKind::Iteration(iterations)) => iterations
            .iter()
            .find(|iteration| iteration.id == *id)
            .map_or(Json::Null, |iteration| {
                json!({
                    "id": id,
                    "title": iteration.title,
                    "title_html": iteration.title,
                    "duration": iteration.duration,
                    "start_date": iteration.start.to_string(),
                })
            }),
        (Some(Value::Text(text)), _) => json!(text),
        (Some(Value::Number(number)), _) => number_json(*number),
        (Some(Value::Date(date)), _) => json!(format!("{date}T00:00:00+00:00")),
        _ => Json::Null,
    }
}

/// Whole numbers are written without a point.
fn number_json(number: f64) -> Json {
    let whole = format!("{number}");
    whole
        .parse::<i64>()
        .map_or_else(|_| json!(number), |whole| json!(whole))
}
