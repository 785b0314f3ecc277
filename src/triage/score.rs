//! How much speaks for an item: the policy's drivers, weighed and added up, with the breakdown.
//!
//! In a public place the drivers that the policy calls internal, or that tell something internal,
//! are left out of the breakdown *and* of the total, so that nobody can work out what they came to.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::policy::expr::{Notes, Value};
use crate::policy::model::Policy;
use crate::policy::template::harmless;

use super::decide::facts_after;
use super::decision::Decision;
use super::explain::Audience;
use super::snapshot::Snapshot;

/// An item's score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The sum of all parts, internal ones too. For ranking; shown by [`Score::total_for`] only.
    pub total: f64,
    /// In the policy's order.
    pub drivers: Vec<Driver>,
}

/// What one driver says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Driver {
    pub id: String,
    pub weight: f64,
    pub points: f64,
    /// Weight times points.
    pub part: f64,
    /// Never to be shown in a public place.
    pub internal: bool,
}

/// Scores a decided item. Without drivers in the policy the score is 0.
#[must_use]
pub fn score(policy: &Policy, snapshot: &Snapshot, decision: &Decision) -> Score {
    let facts = facts_after(policy, snapshot, decision);
    let hidden = policy.internal_slots();
    let drivers: Vec<Driver> = policy
        .score
        .values()
        .map(|driver| {
            let points = number(&driver.points.eval(&facts, &mut Notes::default()));
            Driver {
                id: driver.id.clone(),
                weight: driver.weight,
                points,
                part: driver.weight * points,
                internal: driver.internal
                    || driver.points.reads().iter().any(|s| hidden.contains(s)),
            }
        })
        .collect();
    Score {
        total: drivers.iter().map(|d| d.part).sum(),
        drivers,
    }
}

/// A number of the policy; what is not one, or not finite, counts nothing.
pub(crate) fn number(value: &Value) -> f64 {
    let number = match value {
        // Points are small; what is lost beyond 2^53 orders nothing.
        #[allow(clippy::cast_precision_loss)]
        Value::Int(n) => *n as f64,
        Value::Double(n) => *n,
        _ => 0.0,
    };
    if number.is_finite() { number } else { 0.0 }
}

impl Score {
    /// The drivers that this audience may see.
    pub fn drivers_for(&self, audience: Audience) -> impl Iterator<Item = &Driver> {
        let shown = move |d: &&Driver| audience == Audience::Internal || !d.internal;
        self.drivers.iter().filter(shown)
    }

    /// The sum of what this audience may see.
    #[must_use]
    pub fn total_for(&self, audience: Audience) -> f64 {
        self.drivers_for(audience).map(|d| d.part).sum()
    }

    /// `11 (impact 9, effort -2)`: total and parts, those that are nothing left out.
    #[must_use]
    pub fn line(&self, audience: Audience) -> String {
        let parts: Vec<String> = self
            .drivers_for(audience)
            .filter(|d| d.part != 0.0)
            .map(|d| format!("{} {}", d.id, short(d.part)))
            .collect();
        let total = short(self.total_for(audience));
        if parts.is_empty() {
            total
        } else {
            format!("{total} ({})", parts.join(", "))
        }
    }

    /// One driver a line, for a terminal.
    #[must_use]
    pub fn text(&self, audience: Audience) -> String {
        let mut out = format!("score {}\n", short(self.total_for(audience)));
        for d in self.drivers_for(audience) {
            let _ = writeln!(
                out,
                "  {}: {} × {} = {}",
                d.id,
                short(d.weight),
                short(d.points),
                short(d.part)
            );
        }
        out
    }

    /// A table for a comment.
    #[must_use]
    pub fn markdown(&self, audience: Audience) -> String {
        let mut out = String::from("| driver | weight | points | part |\n|---|--:|--:|--:|\n");
        for d in self.drivers_for(audience) {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                harmless(&d.id),
                short(d.weight),
                short(d.points),
                short(d.part)
            );
        }
        let total = short(self.total_for(audience));
        let _ = writeln!(out, "| **score** | | | **{total}** |");
        out
    }
}

/// A number with at most two decimals, and none that say nothing.
#[must_use]
pub fn short(number: f64) -> String {
    let rounded = (number * 100.0).round() / 100.0;
    // Minus nothing is nothing.
    (rounded + 0.0).to_string()
}
