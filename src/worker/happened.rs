//! What happened to an item, told from how it stood before and how it stands now.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::store::{Happened, Happening, MirrorIssue};
use crate::triage::snapshot::{BoardRow, FieldValue, Issue};

/// Between two copies of an issue. The first copy ever tells of the opening, and of a closing that
/// was before it.
pub(super) fn to_issue(before: Option<&MirrorIssue>, after: &MirrorIssue) -> Vec<Happening> {
    let mut out = Vec::new();
    let issue = &after.issue;
    if before.is_none() {
        out.push(Happening {
            at: issue.created_at,
            what: Happened::Opened,
        });
    }
    let was_open = before.is_none_or(|b| b.issue.open);
    if was_open && !issue.open {
        out.push(Happening {
            at: issue.closed_at.unwrap_or(issue.updated_at),
            what: closed(issue),
        });
    } else if !was_open && issue.open {
        out.push(Happening {
            at: issue.updated_at,
            what: Happened::Reopened,
        });
    }
    out
}

fn closed(issue: &Issue) -> Happened {
    Happened::Closed {
        reason: issue.state_reason.clone(),
    }
}

/// Between two copies of a row; `board` is the policy's id of it.
pub(super) fn to_row(
    board: &str,
    before: Option<&BoardRow>,
    after: Option<&BoardRow>,
    now: Timestamp,
) -> Vec<Happening> {
    let names: BTreeSet<&String> = before
        .into_iter()
        .chain(after)
        .flat_map(|row| row.fields.keys())
        .collect();
    let shown = |row: Option<&BoardRow>, name: &str| {
        row.and_then(|r| r.fields.get(name))
            .map_or_else(String::new, FieldValue::text)
    };
    let entered_at = after.and_then(|row| row.entered_at);
    names
        .into_iter()
        .map(|name| (name, shown(before, name), shown(after, name)))
        .filter(|(_, from, to)| from != to)
        .map(|(name, from, to)| Happening {
            at: now,
            what: Happened::Field {
                board: board.to_owned(),
                field: name.clone(),
                from,
                to,
                entered_at: entered_at
                    .filter(|_| before.is_none_or(|row| row.entered_at != entered_at)),
            },
        })
        .collect()
}
