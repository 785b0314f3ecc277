//! Where an organisation's policy lies: a folder, or a repository on GitHub.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::ids::RepoName;

/// Where a policy lies. Written as a path, or as `github:owner/repository//path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyPlace {
    /// A folder of YAML files, or one file.
    Folder(PathBuf),
    /// The same on the default branch of a repository, which the App may read.
    GitHub {
        repository: RepoName,
        /// From the root, without slashes at its ends; empty for the root itself.
        path: String,
    },
}

/// Why a place cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place on GitHub; write it as github:owner/repository//path/to/folder")]
pub struct PlaceError(String);

impl Default for PolicyPlace {
    fn default() -> Self {
        Self::Folder(PathBuf::from("rules"))
    }
}

impl PolicyPlace {
    /// The folder, if it is on this machine.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::GitHub { .. } => None,
        }
    }
}

impl FromStr for PolicyPlace {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let Some(place) = text.strip_prefix("github:") else {
            return Ok(Self::Folder(PathBuf::from(text)));
        };
        let wrong = || PlaceError(text.to_owned());
        let (repository, path) = place.split_once("//").unwrap_or((place, ""));
        let repository = RepoName::parse(repository).ok_or_else(wrong)?;
        let path = path.trim_matches('/');
        let steps = |step: &str| !step.is_empty() && step != "." && step != "..";
        if !path.is_empty() && !path.split('/').all(steps) {
            return Err(wrong());
        }
        Ok(Self::GitHub {
            repository,
            path: path.to_owned(),
        })
    }
}

impl fmt::Display for PolicyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::GitHub { repository, path } => write!(f, "github:{repository}//{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_repositories_are_told_apart() {
        let folder = |path: &str| Ok(PolicyPlace::Folder(path.into()));
        assert_eq!("policies/a".parse(), folder("policies/a"));
        let github = |path: &str| {
            Ok(PolicyPlace::GitHub {
                repository: RepoName::parse("o/r").unwrap(),
                path: path.to_owned(),
            })
        };
        assert_eq!("github:o/r//rules/".parse(), github("rules"));
        assert_eq!("github:o/r//a/b.yaml".parse(), github("a/b.yaml"));
        assert_eq!("github:o/r".parse(), github(""));
        for wrong in [
            "github:",
            "github:o",
            "github:o/r/rules",
            "github:o/r//a/../b",
            "github:o/r//a//b",
        ] {
            let place: Result<PolicyPlace, _> = wrong.parse();
            assert_eq!(place, Err(PlaceError(wrong.to_owned())));
        }
        let place: PolicyPlace = "github:o/r//rules".parse().unwrap();
        assert_eq!(place.to_string(), "github:o/r//rules");
    }
}
