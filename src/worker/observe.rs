//! From the rows of the store to the snapshot that `decide` sees.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::policy::Policy;
use crate::store::{ItemRecord, MirrorIssue};
use crate::triage::communities;
use crate::triage::snapshot::{Demand, Iteration, Person, Snapshot};

/// What the record does not hold and the caller found out.
pub struct Surroundings {
    pub now: Timestamp,
    /// Roles of the issue's author.
    pub author_roles: BTreeSet<String>,
    /// The policy's board ids by the project's node id.
    pub board_ids: BTreeMap<String, String>,
    /// By the policy's board id and the field.
    pub iterations: BTreeMap<String, BTreeMap<String, Vec<Iteration>>>,
}

/// One snapshot. Rows of boards that the policy does not name are left out.
#[must_use]
pub fn snapshot(
    policy: &Policy,
    record: &ItemRecord,
    mirror: &MirrorIssue,
    surroundings: Surroundings,
) -> Snapshot {
    let boards = record
        .boards
        .iter()
        .filter_map(|(project, row)| {
            let id = surroundings.board_ids.get(project)?;
            Some((id.clone(), row.clone()))
        })
        .collect();
    let communities = communities::of(policy, &mirror.issue, &mirror.author_login, &record.ledger);
    Snapshot {
        now: surroundings.now,
        repository_id: mirror.repository_id,
        issue: mirror.issue.clone(),
        author: Person {
            id: mirror.author,
            login: mirror.author_login.clone(),
            bot: mirror.author_is_bot,
            roles: surroundings.author_roles,
        },
        confirmed_by: record.confirmed_by.clone(),
        // Requests that were found to be the same are not known yet: each stands for itself.
        demand: Demand {
            requests: 1,
            communities: communities.len() as u64,
        },
        communities,
        guess: None,
        boards,
        ledger: record.ledger.clone(),
        comments: record.comments.clone(),
        answers: record.answers.clone(),
        held_labels: record.held_labels.clone(),
        iterations: surroundings.iterations,
    }
}
