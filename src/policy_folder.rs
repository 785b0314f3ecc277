//! Reads a policy's folder, bounded, so that the language itself needs no I/O.
//!
//! *In:* a folder (or one file), or what GitHub has of one. *Out:* the [`Source`]s that [`policy::load`](crate::policy::load)
//! takes, in the order of their names.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::github::{NoText, RepositoryFile};
use crate::policy::Source;
use crate::triage::decision::Mode;

/// No policy is larger than this, all files together. (A configuration of 70 kB out in the world
/// is already one that nobody can read.)
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Nor has it more files than this.
const MAX_FILES: usize = 500;
/// Folders within folders.
const MAX_DEPTH: usize = 8;

/// Why a folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("cannot read {}: {source}", .path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} is not UTF-8 (byte {at} is the first that is not)", .path.display())]
    NotUtf8 { path: PathBuf, at: usize },
    #[error("{} has no .yaml file; a policy needs at least one", .path.display())]
    Empty { path: PathBuf },
    #[error("{} is too large for a policy: {limit}", .path.display())]
    TooLarge { path: PathBuf, limit: String },
    #[error("cannot read {}: {why}", .path.display())]
    NoText { path: PathBuf, why: NoText },
}

/// Reads every `.yaml`, `.yml` and (for templates) `.md` file below `root`; names beginning with
/// a dot and README files are left out. Links to folders are not followed, so they cannot loop.
pub fn read(root: &Path) -> Result<Vec<Source>, FolderError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| FolderError::Io { path, source }
    };
    let mut files = Vec::new();
    if std::fs::metadata(root).map_err(io(root))?.is_file() {
        files.push(root.to_owned());
    } else {
        collect(root, 0, &mut files)?;
    }
    files.sort();
    let mut bytes = 0;
    let mut sources = Vec::with_capacity(files.len());
    for path in files {
        bytes += std::fs::metadata(&path).map_err(io(&path))?.len();
        if bytes > MAX_BYTES {
            return Err(FolderError::TooLarge {
                path: root.to_owned(),
                limit: format!("more than {} MB", MAX_BYTES / 1024 / 1024),
            });
        }
        let raw = std::fs::read(&path).map_err(io(&path))?;
        let text = String::from_utf8(raw).map_err(|e| FolderError::NotUtf8 {
            path: path.clone(),
            at: e.utf8_error().valid_up_to(),
        })?;
        sources.push(Source {
            path: path.to_string_lossy().into_owned(),
            text,
        });
    }
    with_yaml(root, sources)
}

/// The same of files that were read from a repository below `root`.
pub fn of_repository(root: &str, files: Vec<RepositoryFile>) -> Result<Vec<Source>, FolderError> {
    let too_large = |limit: String| FolderError::TooLarge {
        path: PathBuf::from(root),
        limit,
    };
    let below = |path: &str| {
        let path = path.strip_prefix(root).unwrap_or(path);
        PathBuf::from(path.trim_start_matches('/'))
    };
    let mut sources = Vec::new();
    for file in files {
        let too_deep = file.text == Err(NoText::TooDeep);
        // Whoever names one file means it, whatever it is called.
        if file.path != root && !too_deep && !is_part(&below(&file.path)) {
            continue;
        }
        let text = file.text.map_err(|why| FolderError::NoText {
            path: PathBuf::from(&file.path),
            why,
        })?;
        sources.push(Source {
            path: file.path,
            text,
        });
    }
    if sources.len() > MAX_FILES {
        return Err(too_large(format!("more than {MAX_FILES} files")));
    }
    if sources.iter().map(|s| s.text.len() as u64).sum::<u64>() > MAX_BYTES {
        return Err(too_large(format!(
            "more than {} MB",
            MAX_BYTES / 1024 / 1024
        )));
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    with_yaml(Path::new(root), sources)
}

fn with_yaml(root: &Path, sources: Vec<Source>) -> Result<Vec<Source>, FolderError> {
    if sources.iter().any(|s| is_yaml(Path::new(&s.path))) {
        Ok(sources)
    } else {
        Err(FolderError::Empty {
            path: root.to_owned(),
        })
    }
}

/// What tells one policy from another: of the same texts in the same mode it is always the same.
#[must_use]
pub fn fingerprint(sources: &[Source], mode: Mode) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{mode:?}"));
    for source in sources {
        // The lengths keep the end of one text apart from the beginning of the next.
        hash.update(source.text.len().to_le_bytes());
        hash.update(&source.text);
    }
    let mut text = String::new();
    for byte in hash.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), FolderError> {
    let io = |source| FolderError::Io {
        path: folder.to_owned(),
        source,
    };
    if depth > MAX_DEPTH {
        return Err(FolderError::TooLarge {
            path: folder.to_owned(),
            limit: format!("more than {MAX_DEPTH} folders deep"),
        });
    }
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let path = entry.path();
        if is_left_out(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let kind = entry.file_type().map_err(io)?;
        if kind.is_dir() {
            collect(&path, depth + 1, files)?;
        } else if is_yaml(&path) || is_template(&path) {
            // A link to a file is read like the file; a link to a folder is not a file.
            if kind.is_symlink() && !std::fs::metadata(&path).is_ok_and(|m| m.is_file()) {
                continue;
            }
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(FolderError::TooLarge {
                path: folder.to_owned(),
                limit: format!("more than {MAX_FILES} files"),
            });
        }
    }
    Ok(())
}

/// Is a file, by its path below the policy's folder, part of the policy?
#[must_use]
pub fn is_part(path: &Path) -> bool {
    let mut steps = path.iter().map(|step| step.to_string_lossy());
    (is_yaml(path) || is_template(path)) && !steps.any(|step| is_left_out(&step))
}

fn is_left_out(name: &str) -> bool {
    name.starts_with('.') || name.eq_ignore_ascii_case("readme.md")
}

fn is_template(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "md")
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "yaml" || e == "yml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_sorted_and_hidden_ones_and_readmes_do_not() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("b")).unwrap();
        for name in [
            "b/z.yaml",
            "a.yml",
            "b/t.md",
            "README.md",
            ".hidden.yaml",
            "notes.txt",
        ] {
            std::fs::write(dir.path().join(name), "x: 1").unwrap();
        }
        let names: Vec<_> = read(dir.path())
            .unwrap()
            .into_iter()
            .map(|s| s.path[dir.path().to_string_lossy().len() + 1..].to_owned())
            .collect();
        assert_eq!(names, ["a.yml", "b/t.md", "b/z.yaml"]);
    }

    #[test]
    fn empty_missing_broken_and_looping_folders_are_clear_errors() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(read(dir.path()), Err(FolderError::Empty { .. })));
        assert!(matches!(
            read(&dir.path().join("nowhere")),
            Err(FolderError::Io { .. })
        ));
        std::os::unix::fs::symlink(dir.path(), dir.path().join("loop")).unwrap();
        assert!(matches!(read(dir.path()), Err(FolderError::Empty { .. })));
        std::fs::write(dir.path().join("bad.yaml"), b"a: \xff").unwrap();
        assert!(matches!(
            read(dir.path()),
            Err(FolderError::NotUtf8 { at: 3, .. })
        ));
    }

    #[test]
    fn a_policy_of_ten_megabytes_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("big.yaml"), vec![b'#'; 10 * 1024 * 1024]).unwrap();
        assert!(matches!(
            read(dir.path()),
            Err(FolderError::TooLarge { .. })
        ));
    }
}
