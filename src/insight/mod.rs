//! What the history of an organisation's items says: the KPIs and the weekly digest.
//!
//! *In:* a [`History`] and what the policy declares. *Out:* figures, and a digest as data and as
//! Markdown. *May call:* `policy` and `triage`. Pure: no I/O, no clock.

pub mod calendar;
pub mod digest;
pub mod gathered;
pub mod history;
pub mod kpi;
pub mod slot;

mod items;
mod markdown;
mod search;

#[cfg(test)]
mod tests;

pub use history::History;
