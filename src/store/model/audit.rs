//! The audit trail.

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::{InstallationId, ItemId, UserId};

use super::lane::Lease;

/// A line for the audit trail.
#[derive(Clone, Debug)]
pub struct NewAudit {
    pub installation: InstallationId,
    pub at: Timestamp,
    pub item: Option<ItemId>,
    /// `decision`, `write`, `act`, `refusal`, `policy`, `dead_letter`, …
    pub kind: String,
    pub actor: Option<UserId>,
    /// GUID of the delivery that led to it.
    pub delivery: Option<String>,
    /// What happened, as JSON.
    pub detail: serde_json::Value,
}

impl NewAudit {
    /// A line about what no delivery told, noticed in a lane.
    #[must_use]
    pub fn noticed(
        lease: &Lease,
        at: Timestamp,
        item: Option<ItemId>,
        kind: &str,
        detail: serde_json::Value,
    ) -> Self {
        Self {
            installation: lease.installation,
            at,
            item,
            kind: kind.to_owned(),
            actor: None,
            delivery: None,
            detail,
        }
    }
}

/// A line of the audit trail.
#[derive(Clone, Debug, Serialize)]
pub struct AuditEntry {
    pub id: i64,
    pub installation: InstallationId,
    pub at: Timestamp,
    pub item: Option<ItemId>,
    pub kind: String,
    pub actor: Option<UserId>,
    pub delivery: Option<String>,
    pub detail: serde_json::Value,
}

/// What to read of the audit trail. `None` means any.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    pub installation: Option<InstallationId>,
    pub item: Option<ItemId>,
    pub kind: Option<String>,
    pub since: Option<Timestamp>,
    /// Only lines before this one (its id): the next page.
    pub before: Option<i64>,
    /// At most this many; 0 means 1,000.
    pub limit: usize,
}
