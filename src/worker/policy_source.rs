//! An organisation's policy: read already, or on GitHub, where a push changes it.

use std::sync::Arc;

use crate::github::Installation;
use crate::ids::RepoName;
use crate::policy::{self, Policy};
use crate::policy_folder;
use crate::policy_place::PolicyPlace;
use crate::triage::decision::Mode;

use super::WorkError;

/// Whose policy it is, and the policy or where it lies.
#[derive(Clone)]
pub struct PolicySource {
    pub login: String,
    lies: Lies,
}

#[derive(Clone)]
enum Lies {
    Here(Loaded),
    OnGitHub {
        repository: RepoName,
        path: String,
        mode: Mode,
    },
}

/// A policy without errors.
#[derive(Clone)]
pub(super) struct Loaded {
    pub policy: Arc<Policy>,
    /// Another one, if the policy is another ([`policy_folder::fingerprint`]).
    pub fingerprint: String,
}

/// A policy on GitHub that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the policy at {place} cannot be used: {problem}")]
pub struct PolicyRefused {
    pub place: PolicyPlace,
    /// With what was found, where it has errors.
    pub problem: String,
}

impl PolicySource {
    /// A policy that is there. `fingerprint`: another one, if the policy is another than before
    /// ([`policy_folder::fingerprint`]).
    #[must_use]
    pub fn here(login: &str, policy: Arc<Policy>, fingerprint: String) -> Self {
        let loaded = Loaded {
            policy,
            fingerprint,
        };
        Self {
            login: login.to_owned(),
            lies: Lies::Here(loaded),
        }
    }

    /// A policy in a repository, to be used in this mode.
    #[must_use]
    pub fn on_github(login: &str, repository: RepoName, path: String, mode: Mode) -> Self {
        Self {
            login: login.to_owned(),
            lies: Lies::OnGitHub {
                repository,
                path,
                mode,
            },
        }
    }

    /// What is there without asking.
    pub(super) fn loaded(&self) -> Option<&Loaded> {
        match &self.lies {
            Lies::Here(loaded) => Some(loaded),
            Lies::OnGitHub { .. } => None,
        }
    }

    /// The repository that it lies in.
    pub(super) fn repository(&self) -> Option<&RepoName> {
        match &self.lies {
            Lies::Here(_) => None,
            Lies::OnGitHub { repository, .. } => Some(repository),
        }
    }

    /// Reads it as it is now. One read.
    ///
    /// # Errors
    /// [`WorkError::Policy`] if it is not there or has errors.
    pub(super) async fn read(&self, github: &Installation) -> Result<Loaded, WorkError> {
        let (repository, path, mode) = match &self.lies {
            Lies::Here(loaded) => return Ok(loaded.clone()),
            Lies::OnGitHub {
                repository,
                path,
                mode,
            } => (repository, path, *mode),
        };
        let refused = |problem: String| PolicyRefused {
            place: PolicyPlace::GitHub {
                repository: repository.clone(),
                path: path.clone(),
            },
            problem,
        };
        let files = github.files(repository, path).await?;
        let files = files
            .ok_or_else(|| refused("there is no such path on the default branch".to_owned()))?;
        let sources =
            policy_folder::of_repository(path, files).map_err(|e| refused(e.to_string()))?;
        let policy = policy::load(&sources).map_err(|found| {
            let text = policy::render::text(&found.0, &sources, false);
            refused(format!("it has errors\n{text}"))
        })?;
        Ok(Loaded {
            policy: Arc::new(policy.with_mode(mode)),
            fingerprint: policy_folder::fingerprint(&sources, mode),
        })
    }
}
