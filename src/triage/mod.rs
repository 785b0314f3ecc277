//! The decision: what an item should be, and the smallest change that makes it so.
//!
//! *In:* a checked [`Policy`](crate::policy::Policy) and a [`snapshot::Snapshot`].
//! *Out:* a [`decision::Decision`] with reasons, and a [`change::Plan`].
//! *May call:* `policy`. Pure: no I/O, no clock, no randomness; `now` is in the snapshot.

pub mod answer;
pub mod attribute;
pub mod board;
pub mod change;
pub mod communities;
pub mod decision;
pub mod explain;
pub mod ledger;
pub mod plan;
pub mod projection;
pub mod report;
pub mod score;
pub mod snapshot;
pub mod suggest;
pub mod waiting;

mod decide;
#[cfg(test)]
mod tests;

pub use decide::{FLAPPING, decide};
pub use plan::{apply_to, entries_of, held_labels_after, plan};
pub use projection::{attribute_of_field, attribute_of_label, value_of_field};
pub use score::score;
