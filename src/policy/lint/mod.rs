//! What can be found in a policy without an item: `northstar check`'s proofs and doubts.
//!
//! *In:* a policy that has been read and put in order, and where its parts stand in the files.
//! *Out:* diagnostics. *May call:* the expressions' proofs, and what facts an ordinary item has.
//!
//! Sound: what is called disjoint is disjoint, and a conflict that is called an error comes with
//! facts for which both conditions were evaluated and held. What is neither proved nor found is
//! said as a doubt (`possible-conflict`); deciding then writes nothing and asks a human.

mod conflict;
mod dead;
mod depends;
mod labels;
mod principle;
mod undo;
mod unused;
mod way;
mod world;

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::diagnostic::Severity;
use super::model::Policy;
use super::read::Reader;
use super::yaml::Node;

/// Where things stand in the files.
pub struct Places<'n> {
    /// The ids of rules, gates and caps.
    pub rules: &'n IndexMap<String, Node>,
    /// Keys and ids by section (`facts`, `templates`, `attributes`, `score`, `principles`).
    pub named: BTreeMap<(&'static str, String), &'n Node>,
}

impl<'n> Places<'n> {
    fn named(&self, section: &'static str, name: &str) -> Option<&'n Node> {
        self.named.get(&(section, name.to_owned())).copied()
    }
}

/// Adds everything that is found.
pub fn lint(r: &mut Reader<'_>, policy: &Policy, places: &Places<'_>) {
    let mut world = world::World::new(policy);
    conflict::find(r, policy, places, &mut world);
    undo::find(r, policy, places, &mut world);
    principle::find(r, policy, places);
    dead::find(r, policy, places);
    if !r.findings.iter().any(|d| d.severity == Severity::Error) {
        // What could not be read might have used it.
        unused::find(r, policy, places);
    }
    labels::find(r, policy, places);
}

#[cfg(test)]
mod tests;
