//! Who may say a command: the policy's `commands:`, and where they are silent the table.

use crate::command::Act as Asked;
use crate::command::table::{self, Who};
use crate::policy::template::code;

use super::Hearing;

impl Hearing<'_, '_> {
    /// The roles of which one is needed to say it; `None`: none is.
    fn allowed(&self, name: &str, act: &Asked) -> Option<Vec<String>> {
        let policy = self.around.policy;
        let of = |name: &str| policy.commands.get(name).cloned();
        if let Some(roles) = of(name) {
            return Some(roles);
        }
        let Some(entry) = table::entry(name) else {
            return Some(Vec::new()); // an attribute that `commands:` lets nobody set
        };
        match entry.who {
            Who::Anyone => None,
            Who::MaySet(attribute) => Some(of(attribute).unwrap_or_default()),
            Who::Role(role) => Some(vec![role.to_owned()]),
            // All of it or nothing: what is told is the first that is lacking.
            Who::MaySetAll => {
                let sets = policy.shorthands.get(name)?.keys();
                let mut needed = sets.map(|attribute| of(attribute).unwrap_or_default());
                needed.find(|roles| !self.has_one_of(roles))
            }
            Who::MaySetIt => Some(match act {
                Asked::Release { held } if policy.attributes.contains_key(held) => {
                    of(held).unwrap_or_default()
                }
                Asked::Release { held } if held == table::SNOOZE => {
                    return self.allowed(table::SNOOZE, act);
                }
                Asked::Release { .. } => of("override").unwrap_or_default(),
                _ => of("triage").unwrap_or_default(),
            }),
        }
    }

    pub(super) fn may(&self, name: &str, act: &Asked) -> bool {
        let name = self.spoken.part_of.unwrap_or(name);
        self.allowed(name, act)
            .is_none_or(|roles| self.has_one_of(&roles))
    }

    fn has_one_of(&self, roles: &[String]) -> bool {
        let has = |role| self.around.sender_roles.contains(role);
        roles.iter().any(has)
    }

    pub(super) fn who_may(&self, name: &str, act: &Asked) -> String {
        let roles = self.allowed(name, act).unwrap_or_default();
        if roles.is_empty() {
            return "the policy lets nobody say this.".to_owned();
        }
        let roles: Vec<String> = roles.iter().map(|role| code(role)).collect();
        format!(
            "this is for {}. What speaks for it is welcome in a comment.",
            roles.join(" or ")
        )
    }
}
