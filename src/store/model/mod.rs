//! The rows of the store, as the other rooms see them.

mod audit;
mod board;
mod delivery;
mod effect;
mod item;
mod lane;
mod past;
mod plan;

pub use audit::{AuditEntry, AuditQuery, NewAudit};
pub use board::{BoardChanges, BoardItem, BoardRecord, BoardState, PlaceRecord, Stood};
pub use delivery::{Accepted, DeadLetter, Delivery, NewDelivery};
pub use effect::{ActKey, Effect, EffectEnd, EffectId, NewEffect, Settled};
pub use item::{Alias, Found, ItemChanges, ItemRecord, MirrorIssue, OpenIssue};
pub use lane::{Counts, Finish, LaneKey, Lease, WritePriority};
pub use past::{Backfill, DigestRecord, Happened, Happening, Past};
pub use plan::{HeldItem, HeldPlan, Reach, Reached};
