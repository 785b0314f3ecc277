//! `projects_v2_item`: a row of a board, by node ids only.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::receive::lenient;
use crate::triage::snapshot::FieldValue;

use super::{RawUser, Sender, instant, object};

/// `projects_v2_item`.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemEvent {
    /// `created`, `edited`, `archived`, `restored`, `converted`, `reordered`, `deleted`, …
    pub action: String,
    pub sender: Option<Sender>,
    /// Node id of the row.
    pub node_id: String,
    pub project_node_id: String,
    /// Node id of the issue, pull request or draft; empty where it is not told.
    pub content_node_id: String,
    /// `Issue`, `PullRequest`, `DraftIssue`, …
    pub content_type: String,
    pub archived: bool,
    /// When the row was last changed, as of this event; whole seconds.
    pub updated_at: Option<Timestamp>,
    /// The field that was edited, where it is told.
    pub change: Option<FieldChange>,
}

/// `changes.field_value` of an edit.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    pub field_node_id: String,
    /// `single_select`, `text`, `number`, `date`, `iteration`, `labels`, …
    pub field_type: String,
    /// Empty in older payloads.
    pub field_name: String,
    pub project_number: Option<u64>,
    pub from: Side,
    pub to: Side,
}

/// What one side of a change was.
#[derive(Clone, Debug, PartialEq)]
pub enum Side {
    /// Not told (older payloads), or nothing this version can read: ask GitHub.
    NotSaid,
    /// The field was, or is, empty.
    Empty,
    Value(FieldValue),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(deserialize_with = "lenient::string")]
    action: String,
    #[serde(deserialize_with = "lenient::object")]
    sender: Option<RawUser>,
    #[serde(deserialize_with = "lenient::object")]
    projects_v2_item: Option<RawItem>,
    #[serde(deserialize_with = "lenient::object")]
    changes: Option<Changes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawItem {
    #[serde(deserialize_with = "lenient::string")]
    node_id: String,
    #[serde(deserialize_with = "lenient::string")]
    project_node_id: String,
    #[serde(deserialize_with = "lenient::string")]
    content_node_id: String,
    #[serde(deserialize_with = "lenient::string")]
    content_type: String,
    #[serde(deserialize_with = "lenient::present")]
    archived_at: bool,
    #[serde(deserialize_with = "lenient::string")]
    updated_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Changes {
    #[serde(deserialize_with = "lenient::object")]
    field_value: Option<RawChange>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawChange {
    #[serde(deserialize_with = "lenient::string")]
    field_node_id: String,
    #[serde(deserialize_with = "lenient::string")]
    field_type: String,
    #[serde(deserialize_with = "lenient::string")]
    field_name: String,
    #[serde(deserialize_with = "lenient::number")]
    project_number: Option<u64>,
    #[serde(deserialize_with = "said")]
    from: Option<Value>,
    #[serde(deserialize_with = "said")]
    to: Option<Value>,
}

/// Tells `null` (`Some(Null)`) from absent (`None`, the default).
fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

impl ItemEvent {
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        let payload: Payload = object(payload)?;
        let item = payload.projects_v2_item?;
        if item.node_id.is_empty() || item.project_node_id.is_empty() {
            return None;
        }
        let change = payload.changes.and_then(|changes| changes.field_value);
        Some(Self {
            action: payload.action,
            sender: payload.sender.and_then(RawUser::sender),
            node_id: item.node_id,
            project_node_id: item.project_node_id,
            content_node_id: item.content_node_id,
            content_type: item.content_type,
            archived: item.archived_at,
            updated_at: instant(&item.updated_at),
            change: change.map(|change| FieldChange {
                from: side(&change.field_type, change.from),
                to: side(&change.field_type, change.to),
                field_node_id: change.field_node_id,
                field_type: change.field_type,
                field_name: change.field_name,
                project_number: change.project_number,
            }),
        })
    }
}

/// Reads one side. The field's type decides where it is known, else the value's own shape.
fn side(field_type: &str, value: Option<Value>) -> Side {
    let value = match value {
        None => return Side::NotSaid,
        Some(Value::Null) => return Side::Empty,
        Some(value) => value,
    };
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let read = match (&value, field_type) {
        (Value::String(s), _) if s.is_empty() => return Side::Empty,
        // Dates come as days or as instants of that day.
        (Value::String(s), "date") => s
            .get(..10)
            .and_then(|day| day.parse().ok())
            .map(FieldValue::Date),
        (Value::String(s), "number") => s.parse().ok().map(FieldValue::Number),
        (Value::String(s), "single_select") => Some(FieldValue::Option(s.clone())),
        (Value::String(s), "iteration") => Some(FieldValue::Iteration(s.clone())),
        (Value::String(s), _) => Some(FieldValue::Text(s.clone())),
        (Value::Number(n), _) => n.as_f64().map(FieldValue::Number),
        (Value::Object(_), "iteration") => text("title").map(FieldValue::Iteration),
        (Value::Object(_), "single_select") => text("name").map(FieldValue::Option),
        (Value::Object(_), _) => text("name")
            .map(FieldValue::Option)
            .or_else(|| text("title").map(FieldValue::Iteration)),
        _ => None,
    };
    read.map_or(Side::NotSaid, Side::Value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(field_type: &str, sides: &str) -> FieldChange {
        let payload = format!(
            r#"{{"action":"edited","changes":{{"field_value":{{"field_node_id":"F_1",
                "field_type":"{field_type}","field_name":"Status","project_number":57{sides}}}}},
                "projects_v2_item":{{"node_id":"PVTI_1","project_node_id":"PVT_1",
                "content_node_id":"I_1","content_type":"Issue","archived_at":null}}}}"#
        );
        let event = ItemEvent::read(payload.as_bytes()).expect("an item event");
        assert_eq!(event.node_id, "PVTI_1");
        assert!(!event.archived);
        event.change.expect("a change")
    }

    #[test]
    fn sides_come_in_many_shapes() {
        let option = |name: &str| Side::Value(FieldValue::Option(name.to_owned()));
        let change = edited(
            "single_select",
            r#","from":{"id":"1","name":"Up Next","color":"RED"},"to":{"id":"2","name":"Done"}"#,
        );
        assert_eq!(
            (change.from, change.to),
            (option("Up Next"), option("Done"))
        );
        assert_eq!(change.field_name, "Status");
        assert_eq!(change.project_number, Some(57));

        let change = edited(
            "iteration",
            r#","from":null,"to":{"id":"1","title":"Sprint 4"}"#,
        );
        assert_eq!(change.from, Side::Empty);
        let sprint = FieldValue::Iteration("Sprint 4".to_owned());
        assert_eq!(change.to, Side::Value(sprint));

        let change = edited("number", r#","from":3,"to":2.5"#);
        assert_eq!(change.to, Side::Value(FieldValue::Number(2.5)));
        let change = edited("text", r#","from":"","to":"note""#);
        assert_eq!(change.from, Side::Empty);
        assert_eq!(change.to, Side::Value(FieldValue::Text("note".to_owned())));
        let day = Side::Value(FieldValue::Date(jiff::civil::date(2026, 12, 24)));
        let change = edited(
            "date",
            r#","from":"2026-12-24T00:00:00+00:00","to":"2026-12-24""#,
        );
        assert_eq!((change.from, change.to), (day.clone(), day));
    }

    #[test]
    fn what_is_not_said_or_not_understood_is_not_made_up() {
        let change = edited("single_select", "");
        assert_eq!((change.from, change.to), (Side::NotSaid, Side::NotSaid));
        let change = edited("of_next_year", r#","from":[1],"to":{"colour":"red"}"#);
        assert_eq!((change.from, change.to), (Side::NotSaid, Side::NotSaid));
        let change = edited("date", r#","from":"soon","to":true"#);
        assert_eq!((change.from, change.to), (Side::NotSaid, Side::NotSaid));
    }

    #[test]
    fn other_actions_have_no_change() {
        let payload = br#"{"action":"archived","changes":{"archived_at":{"from":null}},
            "projects_v2_item":{"node_id":"PVTI_1","project_node_id":"PVT_1",
            "archived_at":"2026-01-01T00:00:00Z"}}"#;
        let event = ItemEvent::read(payload).unwrap();
        assert!(event.archived);
        assert_eq!((event.change, event.content_type.as_str()), (None, ""));
    }
}
