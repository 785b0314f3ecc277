//! Webhooks against npm `@octokit/openapi-webhooks`.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::fetched;
use super::schema::{Problem, Schemas};

/// GitHub's description of the webhooks it sends.
pub struct Webhooks {
    webhooks: Value,
    schemas: Schemas,
}

/// Where the description contradicts itself: (a list in it, an entry that list lacks, reason).
const AMENDMENTS: &[(&str, &str, &str)] = &[
    (
        "/components/schemas/webhook-projects-v2-item-edited/properties/changes/oneOf/0/properties/field_value/properties/from/oneOf",
        "null",
        "the type beside this list allows null (the field was empty), the list does not",
    ),
    (
        "/components/schemas/webhook-projects-v2-item-edited/properties/changes/oneOf/0/properties/field_value/properties/to/oneOf",
        "null",
        "the type beside this list allows null (the field was emptied), the list does not",
    ),
];

fn amend(description: &mut Value) {
    for (pointer, kind, reason) in AMENDMENTS {
        let list = description
            .pointer_mut(pointer)
            .and_then(Value::as_array_mut);
        let list = list.unwrap_or_else(|| panic!("nothing to amend at {pointer} ({reason})"));
        let entry = json!({"type": kind});
        assert!(
            !list.contains(&entry),
            "no longer needed at {pointer}: {reason}"
        );
        list.push(entry);
    }
}

impl Webhooks {
    /// The description, read once.
    pub fn get() -> &'static Self {
        static WEBHOOKS: OnceLock<Webhooks> = OnceLock::new();
        WEBHOOKS.get_or_init(|| {
            let mut description = fetched::json("webhooks.json");
            amend(&mut description);
            Self {
                schemas: Schemas::of(&description),
                webhooks: description["webhooks"].take(),
            }
        })
    }

    /// Everything wrong with a payload of this event, as `X-GitHub-Event` names it.
    pub fn check(&self, event: &str, payload: &Value) -> Vec<Problem> {
        let name = name(event, payload["action"].as_str());
        match self.webhooks.get(&name) {
            Some(described) => self.schemas.check(&name, &described["schema"], payload),
            None => vec![Problem {
                path: String::new(),
                what: format!("GitHub has no webhook {name}"),
            }],
        }
    }

    /// The headers that GitHub says every such webhook has.
    pub fn headers(&self, event: &str, action: Option<&str>) -> Vec<&str> {
        let described = &self.webhooks[name(event, action)]["headers"];
        let list = described.as_array().into_iter().flatten();
        list.filter_map(Value::as_str).collect()
    }

    /// The schema of a webhook by its name in the description (`issues-closed`).
    pub fn schema(&self, event: &str, action: &str) -> Option<&Value> {
        Some(&self.webhooks.get(name(event, Some(action)))?["schema"])
    }

    /// The schemas that [`Webhooks::schema`] refers to.
    pub fn schemas(&self) -> &Schemas {
        &self.schemas
    }
}

fn name(event: &str, action: Option<&str>) -> String {
    let whole = match action {
        Some(action) => format!("{event}-{action}"),
        None => event.to_owned(),
    };
    whole.replace('_', "-")
}
