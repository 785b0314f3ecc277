//! The files of a repository, as its default branch has them.

use serde::Deserialize;

/// A file below a path that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryFile {
    /// From the root of the repository.
    pub path: String,
    /// Its text, or why there is none.
    pub text: Result<String, NoText>,
}

/// Why a file's text cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoText {
    #[error("it is not text")]
    Binary,
    #[error("it is too large")]
    TooLarge,
    /// A folder in the third folder down.
    #[error("it lies in too many folders")]
    TooDeep,
}

/// A git object: a file, a folder, or something else (`null` for a submodule).
#[derive(Deserialize)]
#[serde(tag = "__typename")]
pub(super) enum WireObject {
    #[serde(rename_all = "camelCase")]
    Blob {
        is_truncated: bool,
        text: Option<String>,
    },
    Tree {
        /// Not asked for of the folders furthest down.
        entries: Option<Vec<WireEntry>>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
pub(super) struct WireEntry {
    name: String,
    object: Option<WireObject>,
}

impl WireObject {
    /// The files at `path` and below, in no order.
    pub(super) fn files(self, path: String) -> Vec<RepositoryFile> {
        let text = match self {
            Self::Blob {
                is_truncated: true, ..
            } => Err(NoText::TooLarge),
            Self::Blob { text, .. } => text.ok_or(NoText::Binary),
            Self::Tree { entries: None } => Err(NoText::TooDeep),
            Self::Tree {
                entries: Some(entries),
            } => {
                let below = entries.into_iter().filter_map(|entry| {
                    let path = match path.as_str() {
                        "" => entry.name,
                        folder => format!("{folder}/{}", entry.name),
                    };
                    Some(entry.object?.files(path))
                });
                return below.flatten().collect();
            }
            Self::Other => return Vec::new(),
        };
        vec![RepositoryFile { path, text }]
    }
}
