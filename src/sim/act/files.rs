//! What happens to a repository's files.

use serde_json::json;

use crate::sim::graphql::files::oid;
use crate::sim::refusal::Refusal;
use crate::sim::state::{Actor, State, time};
use crate::sim::webhooks::Place;

impl State {
    /// One commit on the default branch. `None`: the file goes.
    pub fn push(
        &mut self,
        by: Actor,
        repository: u64,
        files: &[(&str, Option<&str>)],
    ) -> Result<(), Refusal> {
        let now = time(self.now());
        let name = self.full_name(repository);
        let repo = self
            .repositories
            .get_mut(&repository)
            .ok_or_else(Refusal::not_found)?;
        let before = oid(&format!("{:?}", repo.files));
        let (mut added, mut modified, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for (path, text) in files {
            let was = match text {
                Some(text) => repo.files.insert((*path).to_owned(), (*text).to_owned()),
                None => repo.files.remove(*path),
            };
            match (was, text) {
                (None, Some(_)) => added.push(*path),
                (Some(_), Some(_)) => modified.push(*path),
                (_, None) => removed.push(*path),
            }
        }
        let after = oid(&format!("{:?}", repo.files));
        let pusher = self.user_json(by.user);
        let person = json!({
            "name": pusher["login"], "email": "somebody@example.org", "username": pusher["login"],
        });
        let commit = json!({
            "id": after,
            "tree_id": after,
            "distinct": true,
            "message": "A push",
            "timestamp": now,
            "url": format!("https://github.com/{name}/commit/{after}"),
            "author": person,
            "committer": person,
            "added": added,
            "removed": removed,
            "modified": modified,
        });
        let fields = json!({
            "ref": "refs/heads/main",
            "before": before,
            "after": after,
            "base_ref": null,
            "created": false,
            "deleted": false,
            "forced": false,
            "compare": format!("https://github.com/{name}/compare/{before}...{after}"),
            "commits": [commit],
            "head_commit": commit,
            "pusher": { "name": pusher["login"], "email": "somebody@example.org" },
        });
        self.emit("push", "", Place::Repository(repository), by.user, fields);
        Ok(())
    }
}
