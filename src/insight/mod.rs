//! What the history of an organisation's items says: the KPIs and the weekly digest; and which
//! requests are alike.
//!
//! *In:* a [`History`] and what the policy declares. *Out:* figures, and a digest as data and as
//! Markdown; of titles, those that are [`similar`](similar::similar). *May call:* `policy` and `triage`. Pure: no I/O, no clock.

pub mod calendar;
pub mod digest;
pub mod gathered;
pub mod history;
pub mod kpi;
pub mod similar;
pub mod slot;

mod items;
mod markdown;
mod search;

#[cfg(test)]
mod tests;

pub use history::History;
