//! What happened to issues before anybody listened, as far as GitHub remembers.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::graphql::Nodes;
use super::item::{IssueRead, WireIssue};

/// Some issues of a repository, the oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryPage {
    pub issues: Vec<(IssueRead, Vec<Told>)>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
    /// Issues of the whole repository.
    pub total: u64,
}

/// An entry of an issue's timeline. Of an issue with more than a hundred only the first are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub at: Timestamp,
    pub what: ToldWhat,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToldWhat {
    Closed {
        /// As webhooks write it: `completed`, `not_planned`, `duplicate`, or nothing.
        reason: String,
    },
    Reopened,
    Labelled {
        label: String,
        /// Off, rather than on.
        off: bool,
        by_person: bool,
    },
    /// The empty column is none.
    Moved {
        /// Node id of the project.
        project: String,
        from: String,
        to: String,
    },
}

#[derive(Deserialize)]
pub(super) struct WireHistory {
    #[serde(flatten)]
    nodes: Nodes<WireTold>,
    #[serde(rename = "totalCount")]
    total: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTold {
    #[serde(flatten)]
    issue: WireIssue,
    timeline_items: Option<Nodes<Value>>,
}

impl WireHistory {
    /// Issues that cannot be read are left out: they are no worse off than before.
    pub(super) fn read(self) -> HistoryPage {
        let next = self.nodes.next();
        let issues = self.nodes.into_iter().filter_map(|wire| {
            let read = wire.issue.read().ok()?;
            let told = wire.timeline_items.into_iter().flat_map(Nodes::into_iter);
            let mut told: Vec<Told> = told.filter_map(|entry| told_of(&entry)).collect();
            // Timelines do not say what is a duplicate; the issue does, of how it was closed last.
            if read.issue.issue.state_reason == "duplicate" {
                let mut last_first = told.iter_mut().rev().map(|told| &mut told.what);
                if let Some(ToldWhat::Closed { reason }) =
                    last_first.find(|what| matches!(what, ToldWhat::Closed { .. }))
                {
                    "duplicate".clone_into(reason);
                }
            }
            Some((read.issue, told))
        });
        HistoryPage {
            issues: issues.collect(),
            next,
            total: self.total,
        }
    }
}

fn told_of(wire: &Value) -> Option<Told> {
    let text = |key: &str| wire[key].as_str().unwrap_or_default().to_owned();
    let labelled = |off: bool| {
        Some(ToldWhat::Labelled {
            label: wire["label"]["name"].as_str()?.to_owned(),
            off,
            by_person: wire["actor"]["__typename"] == "User",
        })
    };
    let what = match wire["__typename"].as_str()? {
        "ClosedEvent" => ToldWhat::Closed {
            reason: text("stateReason").to_ascii_lowercase(),
        },
        "ReopenedEvent" => ToldWhat::Reopened,
        "LabeledEvent" => labelled(false)?,
        "UnlabeledEvent" => labelled(true)?,
        "ProjectV2ItemStatusChangedEvent" => ToldWhat::Moved {
            project: wire["project"]["id"].as_str()?.to_owned(),
            from: text("previousStatus"),
            to: text("status"),
        },
        _ => return None,
    };
    let at = wire["createdAt"].as_str()?.parse().ok()?;
    Some(Told { at, what })
}
