//! A repository's files on its default branch, as git objects.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::resolve::{Obj, Val};
use crate::sim::state::Repository;

/// Text beyond this is cut, as GitHub does. Bytes.
const LONGEST_TEXT: usize = 512 * 1024;

/// What stands at `HEAD:path`. Null where there is nothing, or for another branch.
pub(super) fn at(repo: &Repository, expression: &str) -> Val {
    let Some(path) = expression.strip_prefix("HEAD:") else {
        return Val::Null;
    };
    object(repo, path.trim_matches('/'))
}

fn object(repo: &Repository, path: &str) -> Val {
    if let Some(text) = repo.files.get(path) {
        return blob(text);
    }
    let folder = if path.is_empty() {
        String::new()
    } else {
        format!("{path}/")
    };
    let below = repo.files.keys().filter_map(|at| at.strip_prefix(&folder));
    let names: BTreeSet<&str> = below.filter_map(|rest| rest.split('/').next()).collect();
    if names.is_empty() {
        return Val::Null;
    }
    let entries = names.into_iter().map(|name| {
        let fields = vec![
            ("name", name.into()),
            ("object", object(repo, &format!("{folder}{name}"))),
        ];
        Val::Obj(Obj::Made("TreeEntry", fields))
    });
    let entries = Val::List(entries.collect());
    let fields = vec![("entries", entries), ("oid", oid(path).into())];
    Val::Obj(Obj::Made("Tree", fields))
}

fn blob(text: &str) -> Val {
    let binary = text.contains('\0');
    let cut = text.floor_char_boundary(LONGEST_TEXT);
    let shown = if binary {
        Val::Null
    } else {
        text[..cut].into()
    };
    let fields = vec![
        ("byteSize", text.len().into()),
        ("isBinary", binary.into()),
        ("isTruncated", (cut < text.len()).into()),
        ("oid", oid(text).into()),
        ("text", shown),
    ];
    Val::Obj(Obj::Made("Blob", fields))
}

/// Forty hexadecimal digits that another content does not have; not git's own.
pub(in crate::sim) fn oid(content: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(content);
    digest[..20].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}
