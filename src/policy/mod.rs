//! The policy: what the organisation wants, read from YAML, checked, and ready to decide by.
//!
//! *In:* the text of the policy's files. *Out:* a checked [`Policy`], or every diagnostic at once.
//! *May call:* nothing but `triage`'s plain data; only [`examples`], which are tests of a policy,
//! decide. Pure: reading the folder is the shell's business.

pub mod diagnostic;
pub mod examples;
pub mod expr;
pub mod facts;
pub mod form;
pub mod kpi;
pub mod lock;
pub mod model;
pub mod render;
pub mod schema;
pub mod template;

mod lint;
mod load;
mod order;
mod read;
mod yaml;

#[cfg(test)]
mod docs;
#[cfg(test)]
pub(crate) mod tests;

pub use diagnostic::{Diagnostic, Diagnostics, Severity, Source};
pub use load::load;
#[cfg(test)]
pub(crate) use load::load_contradicting;
pub use model::Policy;
