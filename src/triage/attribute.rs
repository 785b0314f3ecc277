//! The value of an attribute of an item.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One value or a set of them, as ids of the policy. `One("")` and an empty `Many` mean none.
///
/// In JSON a string or a list: `"feature"`, `["research"]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    One(String),
    Many(BTreeSet<String>),
}

impl AttributeValue {
    /// No value is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::One(value) => value.is_empty(),
            Self::Many(values) => values.is_empty(),
        }
    }

    /// The values that are set, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (one, many) = match self {
            Self::One(value) => ((!value.is_empty()).then_some(value), None),
            Self::Many(values) => (None, Some(values)),
        };
        one.into_iter()
            .chain(many.into_iter().flatten())
            .map(String::as_str)
    }

    /// Is this value among those that are set?
    #[must_use]
    pub fn contains(&self, value: &str) -> bool {
        self.iter().any(|v| v == value)
    }
}

impl std::fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, value) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(value)?;
        }
        Ok(())
    }
}
