//! `/promote` and `/park`: what they set is the policy's to say.

use crate::command::{Said, ValueChange};
use crate::policy::template::code;

use super::{Hearing, Outcome};

impl Hearing<'_, '_> {
    /// Sets all that the policy has it set, as if each had been said.
    pub(super) fn shorthand(&mut self, said: &Said, text: &str) -> Outcome {
        let policy = self.around.policy;
        let Some(sets) = policy.shorthands.get(&said.name) else {
            return Err(format!(
                "the policy does not say what {} sets.",
                code(&format!("/{}", said.name))
            ));
        };
        for (attribute, values) in sets {
            let changes: Vec<ValueChange> = match values.as_slice() {
                [] => vec![ValueChange::Clear],
                values => values.iter().cloned().map(ValueChange::Add).collect(),
            };
            self.set(said, attribute, &changes, text)?;
        }
        Ok(())
    }
}
