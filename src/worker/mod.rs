//! The loop: lease an item, take in what happened, observe, decide, plan, apply, record.
//!
//! *In:* lanes that are due, from the store. *Out:* writes on GitHub, and what is remembered.
//! *May call:* `store`, `github`, `policy`, `triage`, and the payload shapes of `receive`.
//!
//! Two hands, and neither ever holds what the other waits for:
//!
//! * a **looker** leases a lane, turns its deliveries into state and acts, decides, and where
//!   something is to be written queues the item for the writer and lets go of the lane;
//! * the **writer**, one per installation, takes the item at the head of that queue, *looks
//!   again*, and writes only what still holds.
//!
//! A board with gates or caps has a lane as well: its look decides the whole board from what the
//! items' lanes noted of where they stand, and leaves each verdict for the item's own lane.
//!
//! A weekly digest has a lane too: when its time has come it is made, and handed to the lane of the
//! issue that it is posted on.
//!
//! An issue that is transferred has another lane from then on; the lane of where it was hands on what
//! it is given.
//!
//! Everything between is rows in the store. A crash at any point is repaired by looking again.

mod apply;
mod board;
mod board_read;
mod board_said;
mod draft;
mod event;
mod happened;
mod hear;
mod history;
mod intake;
mod look;
mod marker;
mod mirror;
mod moved;
mod noticed;
mod obey;
pub mod observe;
mod organization;
mod owed;
pub mod pinned;
mod places;
mod policy_source;
mod posted;
mod pushed;
mod queue;
pub(crate) mod radius;
mod resolve;
mod roles;
mod run;
mod sweep;
mod turn;
mod uncertain;
mod vocabulary;
mod weekly;

pub use organization::{Organization, Organizations};
pub use policy_source::{PolicyRefused, PolicySource};
pub use run::{Worker, WorkerConfig};

use crate::github::GitHubError;
use crate::store::StoreError;

/// Why a lane could not be finished now. None of these loses anything: the lane is looked at again.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    GitHub(#[from] GitHubError),
    #[error(transparent)]
    Policy(#[from] PolicyRefused),
    /// A delivery that cannot be understood; after some tries it becomes a dead letter.
    #[error("delivery {guid} cannot be understood: {problem}")]
    Payload { guid: String, problem: String },
    /// Whoever worked on the lane ended without a word, again and again.
    #[error("{times} times whoever worked on it ended without a word")]
    Vanished { times: u32 },
    /// The service stops; what is left is done after the next start.
    #[error("stopping")]
    Stopping,
}
