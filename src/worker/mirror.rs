//! An issue that was read from GitHub, as the store keeps it.

use crate::github::IssueRead;
use crate::store::{Alias, MirrorIssue};

/// All names that an issue is known by.
pub(super) fn aliases(read: &IssueRead) -> [Alias; 3] {
    [
        Alias::Number(read.repository_id, read.issue.number),
        Alias::DatabaseId(read.database_id),
        Alias::Node(read.node_id.clone()),
    ]
}

/// The mirror's copy, without its rows on boards: behind until those are read.
pub(super) fn mirrored(read: IssueRead) -> MirrorIssue {
    MirrorIssue {
        repository_id: read.repository_id,
        node_id: read.node_id,
        author: read.author_id,
        author_login: read.author_login,
        author_is_bot: read.author_is_bot,
        issue: read.issue,
        stale: true,
        written_over: None,
        boards_read_at: None,
    }
}
