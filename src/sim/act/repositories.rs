//! What happens to repositories.

use serde_json::json;

use crate::sim::refusal::Refusal;
use crate::sim::state::{Actor, State};
use crate::sim::webhooks::Place;

impl State {
    /// Gives it another name. Its number, and all that is in it, stays.
    pub fn rename_repository(&mut self, by: Actor, id: u64, name: &str) -> Result<(), Refusal> {
        let known = self.repositories.get(&id).ok_or_else(Refusal::not_found)?;
        let owner = known.owner;
        let taken = self
            .repositories
            .values()
            .any(|r| r.owner == owner && r.name.eq_ignore_ascii_case(name));
        if taken || name.is_empty() {
            return Err(Refusal::invalid("Repository", "name", "invalid"));
        }
        let known = self
            .repositories
            .get_mut(&id)
            .ok_or_else(Refusal::not_found)?;
        let before = std::mem::replace(&mut known.name, name.to_owned());
        let changes = json!({"repository": {"name": {"from": before}}});
        let place = Place::Repository(id);
        let fields = json!({ "changes": changes });
        self.emit("repository", "renamed", place, by.user, fields);
        Ok(())
    }
}
