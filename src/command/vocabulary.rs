//! The policy's words, as far as commands use them. Plain data; the caller makes it of the policy.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::policy::Policy;

/// What may be said after the commands' names.
///
/// A list left empty means "not known": any word is taken for it. So the same reading works with
/// a policy and without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// By the attribute's id, in the policy's order. Each is a command of its own.
    pub attributes: IndexMap<String, Attribute>,
    /// The ids of the roles that may say a command, by its name, for the help. Those of the table
    /// are described there where the policy says nothing.
    pub commands: BTreeMap<String, Vec<String>>,
    /// What the commands that set several attributes at once set, as it would be said one by one;
    /// `None` for "not known".
    pub shorthands: Option<BTreeMap<String, Vec<String>>>,
    /// Ids of communities.
    pub communities: Vec<String>,
    /// Ids of what `/override` may name: caps, gates and principles.
    pub limits: Vec<String>,
    /// Ids of what `/why` may name, besides attributes: rules and principles.
    pub rules: Vec<String>,
    /// Names of the figures that `/kpi` may state.
    pub kpis: Vec<String>,
    /// Host of the issue addresses that are understood; empty for `github.com`.
    pub web_host: String,
}

/// One attribute of the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attribute {
    /// In the policy's order; empty for "not known".
    pub values: Vec<Value>,
    /// May have several values at once.
    pub many: bool,
}

/// One value of an attribute, and how it is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub id: String,
    /// `accept` for `accepted`; without one the id is said.
    pub verb: Option<String>,
}

impl Value {
    /// The word that help and documentation show.
    #[must_use]
    pub fn word(&self) -> &str {
        self.verb.as_deref().unwrap_or(&self.id)
    }
}

impl Attribute {
    /// An attribute with these values, each said by its id.
    #[must_use]
    pub fn of(values: &[&str]) -> Self {
        Self {
            values: values
                .iter()
                .map(|id| Value {
                    id: (*id).to_owned(),
                    verb: None,
                })
                .collect(),
            many: false,
        }
    }
}

impl Vocabulary {
    /// The words of a policy.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let value = |value: &crate::policy::model::Value| Value {
            id: value.id.clone(),
            verb: value.verb.clone(),
        };
        let attribute = |attribute: &crate::policy::model::Attribute| Attribute {
            values: attribute.values.iter().map(value).collect(),
            many: attribute.many,
        };
        let shorthand = |sets: &crate::policy::model::Shorthand| {
            let sets = sets.iter();
            sets.map(|(id, values)| match values.as_slice() {
                [] => format!("/{id} none"),
                values => format!("/{id} {}", values.join(" ")),
            })
            .collect()
        };
        let principles = || policy.principles.keys().cloned();
        Self {
            attributes: policy
                .attributes
                .values()
                .map(|a| (a.id.clone(), attribute(a)))
                .collect(),
            commands: policy
                .commands
                .iter()
                .map(|(name, roles)| (name.clone(), roles.clone()))
                .collect(),
            shorthands: Some(
                policy
                    .shorthands
                    .iter()
                    .map(|(name, sets)| (name.clone(), shorthand(sets)))
                    .collect(),
            ),
            communities: policy.communities.keys().cloned().collect(),
            limits: policy
                .caps
                .keys()
                .chain(policy.gates.keys())
                .cloned()
                .chain(principles())
                .collect(),
            rules: policy.rules.keys().cloned().chain(principles()).collect(),
            ..Self::default()
        }
    }

    /// The words that every policy is expected to have: the blueprint's attributes, with values
    /// only where the commands themselves name them.
    #[must_use]
    pub fn without_policy() -> Self {
        let verb = |id: &str, verb: &str| Value {
            id: id.to_owned(),
            verb: (id != verb).then(|| verb.to_owned()),
        };
        let triage = Attribute {
            values: vec![
                verb("accepted", "accept"),
                verb("deferred", "defer"),
                verb("declined", "decline"),
                verb("needs-info", "needs-info"),
            ],
            many: false,
        };
        let goal = Attribute {
            many: true,
            ..Attribute::default()
        };
        let attributes = [
            ("triage", triage),
            ("kind", Attribute::default()),
            ("goal", goal),
            ("impact", Attribute::default()),
            ("effort", Attribute::default()),
            ("priority", Attribute::default()),
        ];
        Self {
            attributes: attributes
                .into_iter()
                .map(|(id, attribute)| (id.to_owned(), attribute))
                .collect(),
            ..Self::default()
        }
    }
}
