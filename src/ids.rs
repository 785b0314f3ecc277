//! The numbers GitHub knows things by, and the one we know items by.
//!
//! Logins, repository names and titles change; these do not. Each is its own type, so that a user
//! cannot be passed where a repository is meant.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// One installation of the App on one organisation; in every key of the store.
    InstallationId
);
id!(
    /// A repository's numeric id (survives renames and transfers of the repository).
    RepositoryId
);
id!(
    /// A user's, bot's or organisation's numeric id.
    UserId
);
id!(
    /// A comment's numeric id, as the REST API and the webhooks give it.
    CommentId
);
id!(
    /// An item in our own store. GitHub's several names for it are its aliases.
    ItemId
);

/// `owner/name` of a repository, as it is called at the moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RepoName {
    pub owner: String,
    pub name: String,
}

impl RepoName {
    /// Reads `owner/name`; anything else is `None`.
    #[must_use]
    pub fn parse(full_name: &str) -> Option<Self> {
        let (owner, name) = full_name.split_once('/')?;
        let ok = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        (ok(owner) && ok(name)).then(|| Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl std::fmt::Display for RepoName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}
