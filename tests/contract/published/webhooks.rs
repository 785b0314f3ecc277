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

/// Where the description contradicts itself, so that nothing could satisfy it.
struct Amendment {
    /// In `changes.field_value` of `projects_v2_item.edited`.
    at: &'static str,
    was: fn() -> Value,
    is: fn() -> Value,
    reason: &'static str,
}

const FIELD_VALUE: &str = "/components/schemas/webhook-projects-v2-item-edited/properties/changes/\
    oneOf/0/properties/field_value/properties";

/// For `from` and `to` alike.
const AMENDMENTS: &[Amendment] = &[
    Amendment {
        at: "/oneOf/1",
        was: || json!({"type": "integer"}),
        is: || json!({"type": ["number", "null"]}),
        reason: "the type beside this list allows null (the field was, or is, empty) and the list \
                 does not; number fields hold fractions",
    },
    Amendment {
        at: "/type",
        was: || json!(["null", "string", "integer", "object"]),
        is: || json!(["null", "string", "number", "object"]),
        reason: "number fields hold fractions",
    },
];

fn amend(description: &mut Value) {
    for side in ["from", "to"] {
        for Amendment {
            at,
            was,
            is,
            reason,
        } in AMENDMENTS
        {
            let pointer = format!("{FIELD_VALUE}/{side}{at}");
            let found = description.pointer_mut(&pointer);
            let found = found.unwrap_or_else(|| panic!("nothing to amend at {pointer} ({reason})"));
            assert_eq!(*found, was(), "{pointer}: is this still needed? {reason}");
            *found = is();
        }
    }
}

/// Where the description does not say what GitHub does.
pub struct Exception {
    /// As `X-GitHub-Event` names it, or `*` for all.
    pub event: &'static str,
    /// The end of the path.
    pub path: &'static str,
    /// A part of what is said.
    pub what: &'static str,
    pub reason: &'static str,
}

/// All of them.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        event: "issues",
        path: "/issue/parent_issue_url",
        what: "is not described",
        reason: "a sub-issue has it wherever GitHub shows the issue; the REST description and \
                 `sub_issues` say so, the older description of the issue in `issues` does not",
    },
    Exception {
        event: "*",
        path: "/performed_via_github_app/client_id",
        what: "is not described",
        reason: "GitHub shows an App with its client id; the REST description says so, the older \
                 description of an App in these events does not",
    },
];

/// The exception that speaks of this problem.
pub fn exception(event: &str, problem: &Problem) -> Option<&'static Exception> {
    EXCEPTIONS.iter().find(|known| {
        (known.event == event || known.event == "*")
            && problem.path.ends_with(known.path)
            && problem.what.contains(known.what)
    })
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

    /// Everything wrong with a payload of this event (as `X-GitHub-Event` names it), the exceptions
    /// apart.
    pub fn check(&self, event: &str, payload: &Value) -> Vec<Problem> {
        let mut wrong = self.check_strictly(event, payload);
        wrong.retain(|problem| exception(event, problem).is_none());
        wrong
    }

    /// As [`Webhooks::check`], the exceptions included.
    pub fn check_strictly(&self, event: &str, payload: &Value) -> Vec<Problem> {
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
