//! A push to where the policy lies: it is read anew, and what is open is looked at by it.
//!
//! One that has errors is not used. The one before goes on, and that is said on the digest's issue.

use serde_json::json;

use crate::policy::template::code;
use crate::receive::payload::PushEvent;
use crate::store::{Delivery, Lease, NewAudit};

use super::obey::Other;
use super::organization::Reloaded;
use super::posted::Posted;
use super::{Organization, WorkError, Worker};

/// The comment about a policy that cannot be used.
const KEY: &str = "policy";
/// Digits of a commit that are shown.
const SHORT: usize = 10;

impl Worker {
    /// Takes in a push. Returns the line for the audit trail, if the policy is another now.
    pub(super) async fn take_push(
        &self,
        organization: &Organization,
        lease: &Lease,
        delivery: &Delivery,
    ) -> Result<Option<NewAudit>, WorkError> {
        let Some(push) = PushEvent::read(&delivery.payload) else {
            return Ok(None);
        };
        let place = organization.policy_in.as_ref();
        if !push.is_to_default_branch() || place.is_none_or(|place| !push.is_in(place)) {
            return Ok(None);
        }
        let commit = push.after.get(..SHORT).unwrap_or(&push.after).to_owned();
        let (kind, said) = match self.organizations.reload(organization).await {
            Ok(Reloaded::Same) => return Ok(None),
            Ok(Reloaded::New {
                organization,
                mended,
            }) => {
                self.wake_for(&organization).await?;
                self.ring();
                tracing::info!(
                    organization = organization.login,
                    commit,
                    "a new policy is used"
                );
                let text = format!(
                    "The policy is in order again, and used since {}.",
                    code(&commit)
                );
                ("policy", mended.then_some(text))
            }
            Err(WorkError::Policy(refused)) => {
                tracing::error!(commit, "{refused}");
                ("policy refused", Some(refusal(&commit)))
            }
            Err(error) => return Err(error),
        };
        if let Some(body) = said {
            self.say_of_policy(organization, lease, delivery, body)
                .await?;
        }
        Ok(Some(NewAudit {
            installation: lease.installation,
            at: self.clock.now(),
            item: None,
            kind: kind.to_owned(),
            actor: push.sender.map(|sender| sender.id),
            delivery: Some(delivery.guid.clone()),
            detail: json!({ "commit": push.after }),
        }))
    }

    async fn say_of_policy(
        &self,
        organization: &Organization,
        lease: &Lease,
        delivery: &Delivery,
        body: String,
    ) -> Result<(), WorkError> {
        let Some(read) = self.digest_issue(organization).await? else {
            return Ok(());
        };
        let posted = Posted {
            key: KEY.to_owned(),
            body,
            because: "the policy was changed".to_owned(),
            to: Other::of(&read),
        };
        let name = format!("{}:post", delivery.guid);
        self.post(lease.installation, name, &posted).await
    }
}

/// What is said of a policy that has errors. What they are stands in the log alone: the policy may
/// be less public than this issue.
fn refusal(commit: &str) -> String {
    format!(
        "**The new policy cannot be used.** It was changed with {}, and what it says now has errors. \
         Nothing is decided by it; the policy before it goes on. `northstar check`, run in its \
         folder, shows what is wrong and where. With the next push it is read again.",
        code(commit)
    )
}
