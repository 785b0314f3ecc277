//! The shape of a policy's files as JSON Schema, so that editors complete and underline them.
//!
//! *In:* nothing. *Out:* two schemas, of a policy's file and of a lock file. *May call:* nothing.
//! [`shape`] says the same as the reader in other words: it knows which keys there are and what
//! stands behind them, not what the names in them refer to. Tests hold the two together.

pub mod shape;
#[cfg(test)]
pub(super) mod tests;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The schema of a policy's file.
#[must_use]
pub fn policy() -> Value {
    of::<shape::Policy>()
}

/// The schema of a `*.lock.yaml`.
#[must_use]
pub fn lock() -> Value {
    of::<shape::Lock>()
}

/// A schema as it is written to a file.
#[must_use]
pub fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

/// Draft 7 is the newest that the language servers of all editors read.
fn of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    generator.into_root_schema_for::<T>().to_value()
}
