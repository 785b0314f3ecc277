//! The blast radius: how many items rules change of their own accord.
//!
//! What somebody's act leads to is written. What rules want where nobody did anything (the policy
//! changed, time passed, GitHub's word came by a sweep) is counted; beyond `blast_radius` items in
//! ten minutes it is put into a plan and waits for `/apply`. Gates and caps answer what was moved,
//! and are not counted.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::policy::Policy;
use crate::policy::template::code;
use crate::store::{HeldItem, HeldPlan, LaneKey, Lease, NewAudit, Reach, Reached, WritePriority};
use crate::triage::change::{Change, Write};
use crate::triage::report::in_words;

use super::draft::{attribute_of, touched};
use super::look::Looked;
use super::obey::Other;
use super::posted::Posted;
use super::{Organization, WorkError, Worker};

/// What rules changed within this is counted.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// A plan that nobody let go ends after this.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A plan is told when it has had time to fill.
const TOLD_AFTER: SignedDuration = SignedDuration::from_secs(5);
/// Items that the comment about a plan lists.
const LISTED: usize = 40;

/// Plans made before this have ended.
pub(crate) fn kept_since(now: Timestamp) -> Timestamp {
    now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN)
}

impl Worker {
    /// Takes out of what is to be written what nobody asked for and reaches too far.
    pub(super) async fn keep_within_reach(
        &self,
        organization: &Organization,
        lease: &Lease,
        looked: &mut Looked,
    ) -> Result<(), WorkError> {
        let unasked = matches!(lease.wants_write, Some((WritePriority::Unasked, _)));
        let Some(decided) = looked.decided.as_mut().filter(|_| unasked && !looked.asked) else {
            return Ok(());
        };
        if decided.plan.changes.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let issue = &decided.snapshot.issue;
        let name = format!("{}#{}", issue.repository, issue.number);
        let writes = decided.plan.changes.iter().map(|c| c.write.clone());
        let reach = Reach {
            item: HeldItem {
                item: looked.item,
                name,
                private: issue.private,
                writes: writes.collect(),
            },
            at: now,
            at_most: self.config.blast_radius,
            since: now.saturating_sub(WITHIN).unwrap_or(Timestamp::MIN),
            kept_since: kept_since(now),
        };
        let (let_go, plan) = match self.store.reach(lease, reach).await? {
            Reached::All => return Ok(()),
            Reached::Only(writes) => (writes, None),
            Reached::Waits { plan } => (Vec::new(), Some(plan)),
        };
        let (kept, held): (Vec<Change>, Vec<Change>) = std::mem::take(&mut decided.plan.changes)
            .into_iter()
            .partition(|change| let_go.contains(&change.write));
        decided.plan.changes = kept;
        let waits = touched(&organization.policy, &held);
        decided
            .plan
            .assignments
            .retain(|a| !waits.contains(&a.attribute));
        let Some(plan) = plan else {
            if !held.is_empty() {
                // The rest has to stand for itself.
                looked.finish.wake_at = Some(now);
            }
            return Ok(());
        };
        let what = json!({ "plan": plan, "changes": held });
        let noticed = NewAudit::noticed(lease, now, Some(looked.item), "waits", what);
        looked.finish.audit.push(noticed);
        let lane = LaneKey::Installation;
        let at = now.saturating_add(TOLD_AFTER).unwrap_or(now);
        Ok(self.store.wake(lease.installation, &lane, at).await?)
    }

    /// Has the plans that wait, or were let go, said on the issue of the first digest.
    pub(super) async fn tell_plans(
        &self,
        organization: &Organization,
        lease: &Lease,
    ) -> Result<(), WorkError> {
        let now = self.clock.now();
        let plans = self
            .store
            .plans(lease.installation, kept_since(now))
            .await?;
        if plans.is_empty() {
            return Ok(());
        }
        let Some(read) = self.digest_issue(organization).await? else {
            return Ok(());
        };
        for plan in plans {
            let posted = Posted {
                key: format!("{}{}", Posted::PLAN, plan.id),
                body: comment(&organization.policy, &plan, read.issue.private),
                because: "rules would change many items at once".to_owned(),
                to: Other::of(&read),
            };
            // Said once for each state it is in.
            let state = plan.applied_at.map_or("waits", |_| "applied");
            let name = format!("plan:{}:{}:{state}", plan.id, plan.items.len());
            self.post(lease.installation, name, &posted).await?;
        }
        Ok(())
    }

    /// Has every open issue looked at again, if the policy is another than before.
    pub(super) async fn wake_for_policy(
        &self,
        organization: &Organization,
    ) -> Result<(), WorkError> {
        let (now, mark) = (self.clock.now(), &organization.fingerprint);
        let installation = organization.installation;
        let issues = self.store.decided_by(installation, mark, now).await?;
        if issues > 0 {
            tracing::info!(
                organization = organization.login,
                issues,
                "the policy changed; what is open is looked at again"
            );
        }
        Ok(())
    }
}

/// What is said of a plan. Whoever reads it in public is told of no private item.
fn comment(policy: &Policy, plan: &HeldPlan, private: bool) -> String {
    let id = code(&format!("/apply {}", plan.id));
    let count = plan.items.len();
    let items = if count == 1 { "item" } else { "items" };
    let mut text = match plan.applied_at {
        None => format!(
            "**Rules would change {count} more {items}, and wait.** Nobody did anything to them: the \
             policy changed, or something on GitHub did. None of it is written until {id} is \
             said in a comment, here or on any issue. Then what is listed is written, as far \
             as it still holds. On {} the plan ends.\n\n",
            plan.made_at
                .saturating_add(KEPT)
                .unwrap_or(plan.made_at)
                .strftime("%-d %B %Y")
        ),
        Some(at) => format!(
            "The plan {} for {count} {items} was let go on {}.\n\n",
            code(&plan.id),
            at.strftime("%-d %B %Y, %H:%M UTC")
        ),
    };
    text.push_str("| item | would change |\n|---|---|\n");
    for item in plan.items.iter().take(LISTED) {
        if item.private && !private {
            text.push_str("| a private item | |\n");
            continue;
        }
        let shown = item
            .writes
            .iter()
            .filter(|w| private || !is_internal(policy, w));
        let writes: Vec<String> = shown.map(said).collect();
        let (repository, number) = item.name.rsplit_once('#').unwrap_or((&item.name, ""));
        let address = format!("https://redirect.github.com/{repository}/issues/{number}");
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| [{}]({address}) | {} |",
            item.name,
            writes.join(", ")
        );
    }
    if count > LISTED {
        let _ = writeln!(
            text,
            "\nand {} more, which `northstar plan {}` shows.",
            count - LISTED,
            plan.id
        );
    }
    text
}

fn is_internal(policy: &Policy, write: &Write) -> bool {
    let attribute = attribute_of(policy, write).and_then(|id| policy.attributes.get(&id));
    attribute.is_some_and(|attribute| attribute.internal)
}

fn said(write: &Write) -> String {
    code(&in_words(write).replace('|', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ItemId;
    use crate::policy::Source;

    fn plan(private: bool) -> HeldPlan {
        let label = "x`|<b>@lea".to_owned();
        HeldPlan {
            id: "k3f9ab".to_owned(),
            made_at: "2026-11-21T10:00:00Z".parse().expect("a time"),
            applied_at: None,
            items: (1..=45)
                .map(|n| HeldItem {
                    item: ItemId(n),
                    name: format!("o/r#{n}"),
                    private: private && n == 3,
                    writes: vec![Write::AddLabel {
                        label: label.clone(),
                    }],
                })
                .collect(),
        }
    }

    fn policy() -> Policy {
        let text = "version: 1\norganization: o\n";
        crate::policy::load(&[Source::new("p.yaml", text)]).expect("a policy")
    }

    #[test]
    fn a_private_item_has_no_name_in_public() {
        let public = comment(&policy(), &plan(true), false);
        assert!(!public.contains("o/r#3]"), "{public}");
        assert!(public.contains("| a private item | |"));
        assert!(comment(&policy(), &plan(true), true).contains("o/r#3]"));
        assert!(public.contains("`/apply k3f9ab`"));
        assert!(public.contains("28 November 2026"));
        assert!(public.contains("and 5 more"));
    }

    #[test]
    fn what_is_quoted_stays_in_its_cell() {
        let text = comment(&policy(), &plan(false), false);
        let row = text.lines().find(|l| l.contains("o/r#1]")).expect("a row");
        assert_eq!(row.matches('|').count(), 3, "{row}");
    }
}
