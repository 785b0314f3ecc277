//! Taking deliveries in, with all that has to be asked and told around it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::command::{Found, ItemRef, table};
use crate::ids::ItemId;
use crate::receive::payload::ItemEvent;
use crate::store::{Delivery, Finish, LaneKey, Lease, NewDelivery};

use super::draft::Draft;
use super::event::Event;
use super::intake;
use super::look::elsewhere;
use super::obey::{self, Named, Told};
use super::radius;
use super::{Organization, WorkError, Worker};

/// How far a lane's deliveries were taken in.
pub(super) struct Heard {
    /// One of them tells of somebody's act on the item.
    pub asked: bool,
    /// Unless one could not be: then those before it were, and the rest waits for it.
    pub all: bool,
}

impl Worker {
    /// Takes deliveries in, in their order, until one says that the item is decided on elsewhere.
    ///
    /// # Errors
    /// When not even the first can be taken in.
    pub(super) async fn hear(
        &self,
        organization: &Organization,
        lease: &Lease,
        item: ItemId,
        pending: &[(Delivery, Option<Event>)],
        draft: &mut Draft,
        finish: &mut Finish,
    ) -> Result<Heard, WorkError> {
        let mut asked = false;
        for (delivery, event) in pending {
            if elsewhere(draft, lease).is_some() {
                break;
            }
            if draft.record.issue.is_none()
                && let Some(name) = event.as_ref().and_then(Event::addressee)
            {
                // Never seen, and word of our own says nothing of how it stands.
                self.read_again(organization, lease, draft, Some(name.clone()))
                    .await?;
            }
            let heard = self.hear_one(organization, draft, delivery, event.as_ref());
            match heard.await {
                Ok(by_hand) => {
                    asked |= by_hand;
                    finish.done.push(delivery.seq);
                    let noted = draft.take_audit(lease.installation, item, delivery);
                    finish.audit.extend(noted);
                }
                Err(error) if finish.done.is_empty() => return Err(error),
                Err(_) => return Ok(Heard { asked, all: false }),
            }
        }
        Ok(Heard { asked, all: true })
    }

    /// Whether it tells of somebody's act on the item.
    async fn hear_one(
        &self,
        organization: &Organization,
        draft: &mut Draft,
        delivery: &Delivery,
        event: Option<&Event>,
    ) -> Result<bool, WorkError> {
        let event = event.ok_or_else(|| WorkError::Payload {
            guid: delivery.guid.clone(),
            problem: "it does not say which item it is about".to_owned(),
        })?;
        let said = event.commands(organization.bot, &organization.bot_name);
        let actor = event.actor(organization.bot);
        let surroundings = intake::Surroundings {
            others: self.others(organization, event, &said.1).await?,
            policy: &organization.policy,
            bot: organization.bot,
            plans: self.plans_named(organization, &said.1).await?,
            sender_roles: match actor {
                Some(sender) => organization.roles.of(&organization.policy, sender).await?,
                None => BTreeSet::new(),
            },
            said,
            words: &organization.words,
            board_ids: organization.board_ids().await?,
            label_is_gone: match event.taken_off(organization.bot, &organization.policy) {
                Some((repo, label)) => !organization.vocabulary.still_has(repo, label).await?,
                None => false,
            },
        };
        intake::take_in(draft, delivery, event, &surroundings);
        if let Event::Item(row) = event
            && row.action == "converted"
        {
            self.forget_draft(organization, delivery, row).await?;
        }
        self.tell(organization, draft, delivery).await?;
        let posted = matches!(event, Event::Posted(_));
        Ok(posted || actor.is_some() && !surroundings.label_is_gone)
    }

    /// A draft has become this issue: the board is told, which knows the draft, that it is gone.
    async fn forget_draft(
        &self,
        organization: &Organization,
        delivery: &Delivery,
        row: &ItemEvent,
    ) -> Result<(), WorkError> {
        let gone = json!({
            "action": "deleted",
            "projects_v2_item": {
                "node_id": row.node_id,
                "project_node_id": row.project_node_id,
                "content_type": "DraftIssue",
            },
        });
        let lane = LaneKey::Board(row.project_node_id.clone());
        let named = ("projects_v2_item", format!("{}:draft", delivery.guid));
        let installation = organization.installation;
        let told = NewDelivery::of_our_own(installation, named, lane, &gone, self.clock.now())?;
        self.store.accept(told).await?;
        self.ring();
        Ok(())
    }

    /// The items that commands name besides the one they were said on; `None`: GitHub shows the
    /// App no such issue.
    async fn others(
        &self,
        organization: &Organization,
        event: &Event,
        found: &[Found],
    ) -> Result<BTreeMap<ItemRef, Option<Named>>, WorkError> {
        let mut others = BTreeMap::new();
        let Some((here, number)) = event.said_at() else {
            return Ok(others);
        };
        for item in obey::items_named(found, &organization.words) {
            let repository = item.repository.as_ref().unwrap_or(here);
            if repository == here && item.number == number {
                continue;
            }
            let same_owner = repository.owner.eq_ignore_ascii_case(&organization.login);
            let read = if same_owner {
                organization.issue_named(repository, item.number).await?
            } else {
                None
            };
            others.insert(item, read.map(Named::of));
        }
        Ok(others)
    }

    /// Puts commands for other items in their lanes. Before the lane's own work is finished, and
    /// under names that make them the same for ever: whatever breaks, each comes once.
    async fn tell(
        &self,
        organization: &Organization,
        draft: &mut Draft,
        delivery: &Delivery,
    ) -> Result<(), WorkError> {
        for told in draft.told.drain(..) {
            let lane = LaneKey::Issue {
                repository: told.to.repository_id,
                number: told.to.number,
            };
            let guid = format!("{}:{}:{lane}", delivery.guid, told.found.line);
            let named = (Told::EVENT, guid);
            let at = delivery.received_at;
            let delivery =
                NewDelivery::of_our_own(organization.installation, named, lane, &told, at)?;
            self.store.accept(delivery).await?;
            self.ring();
        }
        for plan in draft.let_go.drain(..) {
            let (installation, now) = (organization.installation, self.clock.now());
            let kept_since = radius::kept_since(now);
            let store = &self.store;
            if store.let_go(installation, &plan, now, kept_since).await? {
                store
                    .wake(installation, &LaneKey::Installation, now)
                    .await?;
                self.ring();
            }
        }
        Ok(())
    }

    /// The plans that wait or were let go, if a command may be about one.
    async fn plans_named(
        &self,
        organization: &Organization,
        found: &[Found],
    ) -> Result<BTreeSet<String>, WorkError> {
        if !found.iter().any(|line| line.name == table::APPLY) {
            return Ok(BTreeSet::new());
        }
        let kept_since = radius::kept_since(self.clock.now());
        let plans = self.store.plans(organization.installation, kept_since);
        Ok(plans.await?.into_iter().map(|plan| plan.id).collect())
    }
}
