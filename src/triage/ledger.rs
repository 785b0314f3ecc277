//! Who last set each attribute of an item, and who may set it next.
//!
//! The ledger is a list of entries, appended once and never changed; ownership is what folding
//! them gives. Writers rank: ambient < rule < person < command < override.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::UserId;

use super::attribute::AttributeValue;

/// How much weight a write carries. The order is the order of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// There at installation or opening, automation, other bots, people without the permission.
    Ambient,
    /// A rule of the policy.
    Rule,
    /// A change by hand, by somebody whom `commands:` lets set this attribute.
    Person,
    /// A slash command.
    Command,
    /// An `/override`, until released.
    Override,
}

/// What an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// The attribute now has `value` (for a many-valued one: all of it).
    Set,
    /// A rule's `hold` wrote it: withdrawn when no rule asks for it any more.
    Hold,
    /// Handed back to the rules (`/release`, or an override that ended).
    Release,
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Attribute id of the policy.
    pub attribute: String,
    pub act: Act,
    pub rank: Rank,
    pub value: AttributeValue,
    pub at: Timestamp,
    /// Who did it; `None` for rules.
    pub by: Option<UserId>,
    /// Rule id, command text, or what was done by hand (`label`, `field`, `milestone`).
    pub cause: String,
    /// The reason given, or the rule's `because`.
    pub reason: String,
}
