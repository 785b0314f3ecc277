//! What a board has to say on the digest's issue: who is next, what stands where it should not and
//! cannot be put back, columns that are not there, and what is no longer as it is pinned.
//!
//! It is handed to the issue's own lane as a delivery of our own. Each thing has a comment of its
//! own, which is edited when there is something new to say.

use std::collections::BTreeSet;

use crate::policy::Policy;
use crate::store::Lease;
use crate::triage::board::{self, BoardDecision, Limit, Place, Row};

use super::obey::Other;
use super::posted::Posted;
use super::{Organization, WorkError, Worker};

/// Something to say.
pub(super) enum ToSay {
    /// A place is free, by the cap's id.
    Next(String),
    /// A row, by its index, that a cap or gate would not have.
    Over { row: usize, limit: String },
    /// The columns that gates and caps name and the board does not have.
    Columns(BTreeSet<String>),
    /// How the board differs from what is pinned of it; empty: no longer.
    Drift(Vec<String>),
}

/// What it is said of.
pub(super) struct About<'a> {
    /// The policy's board id.
    pub board: &'a str,
    pub rows: &'a [Row],
    pub decision: &'a BoardDecision,
}

impl Worker {
    /// Says it where the policy has a digest on an issue. One read, however much there is to say.
    pub(super) async fn say_on_digest(
        &self,
        organization: &Organization,
        lease: &Lease,
        about: &About<'_>,
        all: &[ToSay],
    ) -> Result<(), WorkError> {
        if all.is_empty() {
            return Ok(());
        }
        let Some(read) = self.digest_issue(organization).await? else {
            return Ok(());
        };
        let to = Other::of(&read);
        let viewer = Place {
            name: format!("{}#{}", to.repository, to.number),
            private: read.issue.private,
            ..Place::default()
        };
        for (n, say) in all.iter().enumerate() {
            let Some((key, body)) = words(&organization.policy, about, &viewer, say) else {
                continue;
            };
            let posted = Posted {
                key,
                body,
                because: format!("the board `{}` has something to say", about.board),
                to: to.clone(),
            };
            let name = format!("{}:{}:{n}:post", lease.lane, lease.fence);
            self.post(lease.installation, name, &posted).await?;
        }
        Ok(())
    }
}

/// The comment's key and text.
fn words(
    policy: &Policy,
    about: &About<'_>,
    viewer: &Place,
    say: &ToSay,
) -> Option<(String, String)> {
    let (rows, decision) = (about.rows, about.decision);
    match say {
        ToSay::Next(cap) => {
            let state = decision.caps.iter().find(|state| state.cap == *cap)?;
            let text = board::next_in_line(policy, rows, state, viewer);
            Some((format!("next-{cap}"), text))
        }
        ToSay::Over { row, limit } => {
            let known = Limit::named(policy, limit)?;
            let place = &rows.get(*row)?.place;
            let text = board::stands_over(policy, rows, decision, (place, known), viewer);
            Some((format!("over-{limit}"), text))
        }
        ToSay::Columns(missing) => {
            let text = board::missing_columns(about.board, missing);
            Some((format!("columns-{}", about.board), text))
        }
        ToSay::Drift(drift) => {
            let text = board::drifted(about.board, drift);
            Some((format!("drift-{}", about.board), text))
        }
    }
}
