//! The look: take in what happened to one item, decide, and queue it for the writer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::command::{Found, ItemRef, table};
use crate::digest;
use crate::ids::{ItemId, RepoName, RepositoryId};
use crate::policy::Policy;
use crate::receive::payload::{ItemEvent, LabelEvent};
use crate::store::{
    ActKey, Delivery, Finish, Happened, Happening, ItemRecord, LaneKey, Lease, MirrorIssue,
    NewAudit, NewDelivery, WritePriority,
};
use crate::triage::change::{Change, Plan};
use crate::triage::decision::Decision;
use crate::triage::plan::ANSWER;
use crate::triage::snapshot::Snapshot;
use crate::triage::waiting::waiting;
use crate::triage::{decide, plan};

use super::draft::Draft;
use super::intake::{self, Event};
use super::mirror::{aliases, mirrored};
use super::noticed::Before;
use super::obey::{self, Elsewhere, Named, Told};
use super::observe;
use super::places::{self, OnBoards};
use super::radius;
use super::{Organization, WorkError, Worker};

/// At most this many deliveries are taken in before the lane is written back.
pub(super) const AT_A_TIME: usize = 200;

/// How sure a look has to be of the mirror.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// GitHub is asked only where the mirror knows that it is behind.
    Mirror,
    /// GitHub is asked (before something is taken away, or after an uncertain send).
    Again,
}

/// What a look saw of the issue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// The mirror's copy.
    Mirror,
    /// GitHub's, read in this look.
    GitHub,
    /// GitHub has it no longer.
    Gone,
}

/// An item that was looked at: what is to be remembered, and what is to be written.
pub(super) struct Looked {
    pub item: ItemId,
    pub draft: Draft,
    pub finish: Finish,
    /// Somebody did something to the item, rather than to the policy or the vocabulary.
    pub asked: bool,
    /// Where what was decided on comes from.
    pub seen: Seen,
    /// `None`: the issue is gone from GitHub, or cannot be decided before its deliveries are in.
    pub decided: Option<Decided>,
}

impl Looked {
    fn undecided(item: ItemId, draft: Draft, finish: Finish, asked: bool, seen: Seen) -> Self {
        Self {
            item,
            draft,
            finish,
            asked,
            seen,
            decided: None,
        }
    }

    /// The item is decided on in another lane: that one takes over what is left to do.
    fn goes_on_in(lane: LaneKey, item: ItemId, draft: Draft, mut finish: Finish) -> Self {
        finish.goes_on_in = Some(lane);
        Self::undecided(item, draft, finish, false, Seen::Mirror)
    }
}

/// The lane in which an item is decided on, if that is another one.
fn elsewhere(draft: &Draft, lease: &Lease) -> Option<LaneKey> {
    draft.record.issue.as_ref()?;
    draft.record.lane().filter(|lane| *lane != lease.lane)
}

pub(super) struct Decided {
    pub snapshot: Snapshot,
    pub decision: Decision,
    pub plan: Plan,
    pub boards: OnBoards,
}

impl Worker {
    /// Handles a lane that is due.
    pub(super) async fn look(&self, lease: &Lease) -> Result<(), WorkError> {
        let Some(organization) = self.organizations.get(lease.installation).await? else {
            return self.drop_all(lease).await;
        };
        match &lease.lane {
            LaneKey::Issue { repository, number } => {
                let number = (*repository, *number);
                if let Some(until) = self.origin_may_be_told(lease, number).await? {
                    let finish = Finish {
                        retry_at: Some(until),
                        ..Finish::default()
                    };
                    return Ok(self.store.finish(lease, finish).await?);
                }
                let looked = self
                    .look_at(&organization, lease, number, Read::Mirror)
                    .await?;
                self.queue(lease, looked).await
            }
            LaneKey::Node(id) => self.resolve(&organization, lease, id).await,
            // Rarer than the others, and larger.
            LaneKey::Board(project) => {
                Box::pin(self.look_at_board(&organization, lease, project)).await
            }
            LaneKey::History => Box::pin(self.look_at_history(&organization, lease)).await,
            LaneKey::Digest(id) => Box::pin(self.look_at_digest(&organization, lease, id)).await,
            LaneKey::Installation => self.look_around(&organization, lease).await,
        }
    }

    /// An installation that is no longer served: its deliveries are acknowledged, nothing more.
    pub(super) async fn drop_all(&self, lease: &Lease) -> Result<(), WorkError> {
        let pending = self.store.pending(lease, usize::MAX).await?;
        let finish = Finish {
            done: pending.iter().map(|d| d.seq).collect(),
            ..Finish::default()
        };
        Ok(self.store.finish(lease, finish).await?)
    }

    /// What is about the installation as a whole, not about one item.
    async fn look_around(
        &self,
        organization: &Organization,
        lease: &Lease,
    ) -> Result<(), WorkError> {
        let pending = self.store.pending(lease, usize::MAX).await?;
        let mut finish = Finish::default();
        for delivery in &pending {
            match delivery.event.as_str() {
                "team" | "membership" | "organization" => organization.roles.forget(),
                // A label that we made ourselves is known.
                "label"
                    if LabelEvent::read(&delivery.payload)
                        .and_then(|event| event.sender)
                        .is_some_and(|sender| sender.id == organization.bot) => {}
                "label" => organization.vocabulary.forget(),
                "installation" | "installation_repositories" => {
                    // Removed, suspended, or with other permissions: found anew when needed.
                    self.organizations.forget(lease.installation);
                    // A repository that was added has a past.
                    if self.config.read_history {
                        let (lane, now) = (LaneKey::History, self.clock.now());
                        self.store.wake(lease.installation, &lane, now).await?;
                    }
                }
                "push" => {
                    let line = self.take_push(organization, lease, delivery).await?;
                    finish.audit.extend(line);
                }
                _ => {}
            }
            finish.done.push(delivery.seq);
        }
        self.tell_plans(organization, lease).await?;
        Ok(self.store.finish(lease, finish).await?)
    }

    /// Takes in the lane's deliveries, observes, decides and plans. Nothing is written yet, here
    /// or on GitHub: all of it is in what is returned.
    pub(super) async fn look_at(
        &self,
        organization: &Organization,
        lease: &Lease,
        number: (RepositoryId, u64),
        read: Read,
    ) -> Result<Looked, WorkError> {
        let installation = lease.installation;
        let pending = self.store.pending(lease, AT_A_TIME).await?;
        let (item, record) = self.item_of_lane(lease, number, &pending).await?;
        let board_ids = organization.board_ids().await?;
        let mut draft = Draft::new(record, self.clock.now(), board_ids);
        let mut finish = Finish::default();
        let mut asked = false;
        if let Some(lane) = elsewhere(&draft, lease) {
            return Ok(Looked::goes_on_in(lane, item, draft, finish));
        }

        for delivery in pending {
            if draft.record.issue.is_none()
                && let Some(name) = Event::addressee(&delivery)
            {
                // Never seen, and word of our own says nothing of how it stands.
                self.read_again(organization, lease, &mut draft, Some(name))
                    .await?;
            }
            match self.take_in(organization, &mut draft, &delivery).await {
                Ok(by_hand) => {
                    asked |= by_hand;
                    finish.done.push(delivery.seq);
                    finish
                        .audit
                        .extend(draft.take_audit(installation, item, &delivery));
                    if let Some(lane) = elsewhere(&draft, lease) {
                        // It has gone there just now.
                        return Ok(Looked::goes_on_in(lane, item, draft, finish));
                    }
                }
                // What came before it is kept; the lane waits for it.
                Err(error) if finish.done.is_empty() => return Err(error),
                Err(_) => {
                    finish.wake_at = Some(self.clock.now());
                    let seen = Seen::Mirror;
                    return Ok(Looked::undecided(item, draft, finish, asked, seen));
                }
            }
        }

        draft.forget_posted();
        let behind = draft.record.issue.as_ref().is_none_or(|i| i.stale);
        let mut seen = Seen::Mirror;
        if behind || read == Read::Again {
            let was = draft.record.issue.as_ref().map(MirrorIssue::name);
            let is_there = self
                .read_again(organization, lease, &mut draft, None)
                .await?;
            if let Some(lane) = elsewhere(&draft, lease) {
                let is = draft.record.issue.as_ref().map(MirrorIssue::name);
                let line = json!({ "from": was, "to": is });
                finish.audit.push(self.line(lease, item, "transfer", line));
                return Ok(Looked::goes_on_in(lane, item, draft, finish));
            }
            if !is_there {
                let seen = Seen::Gone;
                return Ok(Looked::undecided(item, draft, finish, asked, seen));
            }
            seen = Seen::GitHub;
        }
        let decided = match draft.record.issue.clone() {
            Some(mirror) => {
                let ended = self.end_questions(organization, lease, item, &mut draft, &mirror);
                finish.audit.extend(ended);
                let decided = self.decide(organization, &draft.record, &mirror).await?;
                let elsewhere = Elsewhere::read(&*self.store, installation, &draft).await?;
                if obey::explain(organization, &elsewhere, &mut draft, &decided) {
                    // With what is now to be said.
                    Some(self.decide(organization, &draft.record, &mirror).await?)
                } else {
                    Some(decided)
                }
            }
            None => None,
        };
        finish.wake_at = decided.as_ref().and_then(|d| d.decision.look_again_at);
        Ok(Looked {
            item,
            draft,
            finish,
            asked,
            seen,
            decided,
        })
    }

    /// A line of the audit trail about what nobody's delivery told.
    fn line(&self, lease: &Lease, item: ItemId, kind: &str, detail: serde_json::Value) -> NewAudit {
        NewAudit {
            installation: lease.installation,
            at: self.clock.now(),
            item: Some(item),
            kind: kind.to_owned(),
            actor: None,
            delivery: None,
            detail,
        }
    }

    /// Ends questions that nobody answered in time. Returns the lines of the audit trail.
    fn end_questions(
        &self,
        organization: &Organization,
        lease: &Lease,
        item: ItemId,
        draft: &mut Draft,
        mirror: &MirrorIssue,
    ) -> Vec<NewAudit> {
        let (policy, now) = (&organization.policy, self.clock.now());
        let waiting = waiting(policy, &draft.record.ledger, mirror.issue.open, now);
        let ended = waiting
            .into_iter()
            .filter_map(|w| Some((w.asked_at, w.end?)));
        let mut audit = Vec::new();
        for (asked_at, entry) in ended {
            let line = json!({
                "attribute": entry.attribute, "value": entry.value, "by": entry.cause,
                "rank": entry.rank, "reason": entry.reason,
            });
            audit.push(self.line(lease, item, "act", line));
            // Of one question there is one end, however often it is looked at.
            let key = format!("unanswered:{item}:{}:{asked_at}", entry.attribute);
            draft.append(ActKey(key), entry);
        }
        audit
    }

    /// Whether it tells of somebody's act on the item.
    async fn take_in(
        &self,
        organization: &Organization,
        draft: &mut Draft,
        delivery: &Delivery,
    ) -> Result<bool, WorkError> {
        let event = Event::read(delivery).ok_or_else(|| WorkError::Payload {
            guid: delivery.guid.clone(),
            problem: "it does not say which item it is about".to_owned(),
        })?;
        let said = event.commands(organization.bot, &organization.bot_name);
        let actor = event.actor(organization.bot);
        let surroundings = intake::Surroundings {
            others: self.others(organization, &event, &said.1).await?,
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
        intake::take_in(draft, delivery, &event, &surroundings);
        if let Event::Item(row) = &event
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
                organization.github.item(repository, item.number).await?
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

    /// One read that brings the whole item up to date. `false`: GitHub has it no longer. The
    /// repository's name is needed only for an item that was never seen.
    async fn read_again(
        &self,
        organization: &Organization,
        lease: &Lease,
        draft: &mut Draft,
        name: Option<RepoName>,
    ) -> Result<bool, WorkError> {
        let known = draft.record.issue.as_ref();
        let was_at = known.map(MirrorIssue::number);
        let name = known.map(|i| i.issue.repository.clone()).or(name);
        let number = draft.record.number();
        let mut read = match (draft.record.node_id(), name, number) {
            (Some(node), _, _) => organization.github.item_by_node(node).await?,
            (None, Some(name), Some((_, number))) => {
                organization.github.item(&name, number).await?
            }
            _ => None,
        };
        if let (None, Some(known)) = (&read, known) {
            read = self.read_where_it_went(organization, known).await?;
        }
        let Some(read) = read else {
            return Ok(false);
        };
        if was_at.is_some_and(|was| was != read.issue.number()) {
            // All of it is read where it is decided on.
            for alias in aliases(&read.issue) {
                draft.alias(alias);
            }
            draft.move_to(&mirrored(read.issue));
            return Ok(true);
        }
        let board_ids = organization.board_ids().await?;
        let before = Before::of(&draft.record);
        let now = self.clock.now();
        draft.take_read(read, now, column_of(&organization.policy, &board_ids));
        let key = format!("{}:{}", lease.lane, lease.fence);
        before.notice(draft, &organization.policy, &board_ids, None, (&key, now));
        Ok(true)
    }

    pub(super) async fn decide(
        &self,
        organization: &Organization,
        record: &ItemRecord,
        mirror: &MirrorIssue,
    ) -> Result<Decided, WorkError> {
        let policy: &Policy = &organization.policy;
        let now = self.clock.now();
        let surroundings = organization.surroundings(mirror.author, now).await?;
        let board_ids = surroundings.board_ids.clone();
        let snapshot = observe::snapshot(policy, record, mirror, surroundings);
        let decision = decide(policy, &snapshot);
        let mut plan = plan(policy, &snapshot, &decision);
        if mirror.author == organization.bot || digest::is_posted_on(policy, &mirror.issue) {
            // Nobody's request: it is answered on, and not triaged.
            let is_answer = |change: &Change| change.reason.rule.starts_with(ANSWER);
            plan.changes.retain(is_answer);
            plan.assignments.clear();
            plan.withheld.clear();
        }
        let mut decided = Decided {
            snapshot,
            decision,
            plan,
            boards: OnBoards::default(),
        };
        self.fit_to_boards(organization, record, &board_ids, &mut decided)
            .await?;
        Ok(decided)
    }

    /// Ends a look: what was learned is written, and the item queues for the writer if GitHub
    /// does not show what was decided.
    pub(super) async fn queue(&self, lease: &Lease, looked: Looked) -> Result<(), WorkError> {
        if looked.finish.goes_on_in.is_some() {
            let mut finish = looked.finish;
            finish.item = Some((looked.item, looked.draft.into_changes()));
            self.store.finish(lease, finish).await?;
            self.ring();
            return Ok(());
        }
        let Looked {
            item,
            mut draft,
            mut finish,
            asked,
            decided,
            seen,
        } = looked;
        if seen == Seen::Gone {
            let at = draft.at;
            draft.happened([Happening {
                at,
                what: Happened::Gone,
            }]);
            finish.wake_lanes.extend(places::forget(&mut draft, lease));
        }
        if let Some(decided) = &decided {
            let plan = &decided.plan;
            let mut priority = priority(decided, asked);
            if let Some((before, _)) = lease.wants_write {
                // What was asked for before waits still.
                priority = priority.min(before);
            }
            finish.wants_write = Some((!plan.changes.is_empty()).then_some(priority));
            if plan.changes.is_empty() {
                // Nothing to write on GitHub: what the ledger is to learn, it learns now.
                draft.assign(&plan.assignments, lease, self.clock.now());
            }
            if !finish.done.is_empty() || !plan.is_empty() {
                finish
                    .audit
                    .push(decision_line(lease, item, decided, self.clock.now()));
            }
        } else {
            finish.wants_write = Some(None);
        }
        // A write whose end is not known is the writer's to find out, also where the mirror (by a
        // webhook that was faster) shows already what was wanted.
        if !matches!(finish.wants_write, Some(Some(_)))
            && !self
                .store
                .unsettled(lease.installation, item)
                .await?
                .is_empty()
        {
            finish.wants_write = Some(Some(WritePriority::Rest));
        }
        let wants_write = matches!(finish.wants_write, Some(Some(_)));
        if let Some(decided) = decided {
            let woken = places::take(&mut draft, decided.boards, lease);
            finish.wake_lanes.extend(woken);
        }
        finish.item = Some((item, draft.into_changes()));
        self.store.finish(lease, finish).await?;
        if wants_write {
            self.ring_writers();
        }
        Ok(())
    }
}

/// The column field of a board of the policy, by the project's node id.
pub(super) fn column_of(
    policy: &Policy,
    board_ids: &BTreeMap<String, String>,
) -> impl Fn(&str) -> Option<String> {
    move |project| {
        let board = policy.boards.get(board_ids.get(project)?)?;
        Some(board.column_field.clone())
    }
}

/// Commands and their answers come first, then what the policy calls critical, then gates and caps.
/// What nobody asked for comes last, however critical the rules think it is.
fn priority(decided: &Decided, asked: bool) -> WritePriority {
    let by_command = |change: &Change| change.reason.rule.starts_with(ANSWER);
    if decided.plan.changes.iter().any(by_command) {
        WritePriority::Command
    } else if !asked && !decided.boards.wants_write {
        WritePriority::Unasked
    } else if decided.decision.critical {
        WritePriority::Critical
    } else if decided.boards.wants_write {
        WritePriority::Board
    } else {
        WritePriority::Rest
    }
}

pub(super) fn decision_line(
    lease: &Lease,
    item: ItemId,
    decided: &Decided,
    at: jiff::Timestamp,
) -> NewAudit {
    NewAudit {
        installation: lease.installation,
        at,
        item: Some(item),
        kind: "decision".to_owned(),
        actor: None,
        delivery: None,
        detail: json!({
            "fired": decided.decision.fired,
            "held": decided.decision.held,
            "changes": decided.plan.changes,
            "withheld": decided.plan.withheld,
        }),
    }
}
