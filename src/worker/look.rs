//! The look: take in what happened to one item, decide, and queue it for the writer.

use std::collections::BTreeMap;

use serde_json::json;

use crate::digest;
use crate::ids::{ItemId, RepoName, RepositoryId};
use crate::policy::Policy;
use crate::receive::payload::LabelEvent;
use crate::store::{ActKey, Finish, ItemRecord, LaneKey, Lease, MirrorIssue, NewAudit};
use crate::triage::change::{Change, Plan};
use crate::triage::decision::Decision;
use crate::triage::plan::ANSWER;
use crate::triage::snapshot::Snapshot;
use crate::triage::waiting::waiting;
use crate::triage::{decide, plan};

use super::draft::Draft;
use super::event::Event;
use super::hear::Heard;
use super::mirror::{aliases, mirrored};
use super::moved::Whose;
use super::noticed::Before;
use super::obey::{self, Elsewhere};
use super::observe;
use super::places::OnBoards;
use super::posted::Posted;
use super::{Organization, WorkError, Worker};

/// At most this many deliveries are taken in before the lane is written back.
const AT_A_TIME: usize = 200;

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
}

/// The lane in which an item is decided on, if that is another one.
pub(super) fn elsewhere(draft: &Draft, lease: &Lease) -> Option<LaneKey> {
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
                let looked = self.look_at(&organization, lease, number, Read::Mirror);
                match looked.await? {
                    Some(looked) => self.queue(lease, looked).await,
                    None => Ok(()),
                }
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
    ///
    /// `None`: the item is decided on in another lane, or it is not known yet which item it is. The
    /// lease has ended.
    pub(super) async fn look_at(
        &self,
        organization: &Organization,
        lease: &Lease,
        number: (RepositoryId, u64),
        read: Read,
    ) -> Result<Option<Looked>, WorkError> {
        let installation = lease.installation;
        let pending = self.store.pending(lease, AT_A_TIME).await?;
        let pending: Vec<_> = pending
            .into_iter()
            .map(|delivery| {
                let event = Event::read(&delivery);
                (delivery, event)
            })
            .collect();
        let item = match self.whose(lease, number, &pending).await? {
            Whose::Item(item) => item,
            Whose::ToldUntil(until) => {
                let finish = Finish {
                    retry_at: Some(until),
                    ..Finish::default()
                };
                self.store.finish(lease, finish).await?;
                return Ok(None);
            }
        };
        let record = self.store.item(installation, item).await?;
        let board_ids = organization.board_ids().await?;
        let mut draft = Draft::new(record.unwrap_or_default(), self.clock.now(), board_ids);
        let mut finish = Finish::default();
        let heard = self.hear(organization, lease, item, &pending, &mut draft, &mut finish);
        let Heard { asked, all } = heard.await?;
        if let Some(lane) = elsewhere(&draft, lease) {
            return self.hand_on(lease, lane, (item, draft, finish)).await;
        }
        if !all {
            finish.wake_at = Some(self.clock.now());
            let looked = Looked::undecided(item, draft, finish, asked, Seen::Mirror);
            return Ok(Some(looked));
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
                let what = json!({ "from": was, "to": is });
                let line = NewAudit::noticed(lease, self.clock.now(), Some(item), "transfer", what);
                finish.audit.push(line);
                return self.hand_on(lease, lane, (item, draft, finish)).await;
            }
            if !is_there {
                let seen = Seen::Gone;
                let looked = Looked::undecided(item, draft, finish, asked, seen);
                return Ok(Some(looked));
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
        Ok(Some(Looked {
            item,
            draft,
            finish,
            asked,
            seen,
            decided,
        }))
    }

    /// Ends the lease of a lane whose item is decided on in another one: that takes over what is left
    /// to do.
    async fn hand_on(
        &self,
        lease: &Lease,
        to: LaneKey,
        (item, draft, mut finish): (ItemId, Draft, Finish),
    ) -> Result<Option<Looked>, WorkError> {
        finish.goes_on_in = Some(to);
        finish.item = Some((item, draft.into_changes()));
        self.store.finish(lease, finish).await?;
        self.ring();
        Ok(None)
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
            let what = json!({
                "attribute": entry.attribute, "value": entry.value, "by": entry.cause,
                "rank": entry.rank, "reason": entry.reason,
            });
            audit.push(NewAudit::noticed(lease, now, Some(item), "act", what));
            // Of one question there is one end, however often it is looked at.
            let key = format!("unanswered:{item}:{}:{asked_at}", entry.attribute);
            draft.append(ActKey(key), entry);
        }
        audit
    }

    /// One read that brings the whole item up to date. `false`: GitHub has it no longer. The
    /// repository's name is needed only for an item that was never seen.
    pub(super) async fn read_again(
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
            // Nobody told.
            let (repository, number) = (&known.issue.repository, known.issue.number);
            read = organization.issue_that_was_at(repository, number).await?;
            // GitHub's two answers differ: it is looked at again when told to.
            read = read.filter(|read| read.issue.node_id != known.node_id);
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
        let is_ours = mirror.author == organization.bot
            || digest::is_posted_on(policy, &mirror.issue)
            // Under another name, by the policy.
            || record.comments.keys().any(|key| Posted::is_key(key));
        if is_ours {
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
