//! Reads a policy's folder from disk, bounded, so that the language itself needs no I/O.
//!
//! *In:* a folder (or one file). *Out:* the [`Source`]s that [`policy::load`](crate::policy::load)
//! takes, in the order of their names.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

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
    if !sources.iter().any(|s| is_yaml(Path::new(&s.path))) {
        return Err(FolderError::Empty {
            path: root.to_owned(),
        });
    }
    Ok(sources)
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
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name.eq_ignore_ascii_case("readme.md") {
            continue;
        }
        let kind = entry.file_type().map_err(io)?;
        if kind.is_dir() {
            collect(&path, depth + 1, files)?;
        } else if is_yaml(&path) || path.extension().is_some_and(|e| e == "md") {
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
