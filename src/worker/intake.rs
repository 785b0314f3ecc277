//! What a delivery says, taken into an item's draft: state is merged, acts become ledger entries.
//!
//! State may come twice, late and out of order: the newer copy wins, and where that cannot be told
//! the mirror is distrusted and GitHub asked. Acts are entered once, keyed by their delivery.
//! Our own changes come back as webhooks like everybody's; they are state we know, never acts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::command::{Found, ItemRef, Vocabulary};
use crate::ids::UserId;
use crate::policy::Policy;
use crate::policy::model::Attribute;
use crate::receive::payload::{CommentEvent, FieldChange, IssueEvent, ItemEvent, Side};
use crate::store::{ActKey, Alias, Delivery, MirrorIssue};
use crate::triage::attribute::AttributeValue;
use crate::triage::board::Limit;
use crate::triage::ledger::told::{LABEL, OPENED, field_on};
use crate::triage::ledger::{self, Act, LedgerEntry, Rank};
use crate::triage::projection;
use crate::triage::snapshot::{BoardRow, FieldValue, Issue};
use crate::triage::waiting::answered;

use super::draft::Draft;
use super::event::Event;
use super::marker::key_of;
use super::noticed::Before;
use super::obey::{self, Named, Place, Spoken};

/// GitHub's times of a row and of a field that was set with it may differ by this much.
const A_MOMENT: SignedDuration = SignedDuration::from_secs(2);

/// What taking in needs to know beside the event.
pub(super) struct Surroundings<'a> {
    pub policy: &'a Policy,
    pub bot: UserId,
    /// Roles of whoever did it.
    pub sender_roles: BTreeSet<String>,
    /// The policy's words, for reading commands.
    pub words: &'a Vocabulary,
    /// The command lines that the event brings, and where they were said.
    pub said: (Place, Vec<Found>),
    /// The items besides this one that they name, as far as they are there.
    pub others: BTreeMap<ItemRef, Option<Named>>,
    /// Plans that wait or were let go, if a command names one.
    pub plans: BTreeSet<String>,
    /// The policy's board ids by the project's node id.
    pub board_ids: BTreeMap<String, String>,
    /// The label that the event is about is no longer in the repository: that is a change of the
    /// vocabulary, and nobody's decision about this item.
    pub label_is_gone: bool,
}

/// Takes one event in.
pub(super) fn take_in(
    draft: &mut Draft,
    delivery: &Delivery,
    event: &Event,
    around: &Surroundings<'_>,
) {
    let own = event.sender().is_some_and(|s| s.id == around.bot);
    let before = Before::of(&draft.record);
    let known = draft.record.ledger.len();
    draft.at = delivery.received_at;
    let mut intake = Intake {
        draft,
        delivery,
        around,
        who: event.actor(around.bot),
    };
    match event {
        Event::Issue(event) => {
            match &event.arrival {
                Some(arrival) => intake.transferred(event, arrival),
                None => intake.merge(&event.issue, own),
            }
            for alias in event.aliases.iter().chain(&event.elsewhere) {
                intake.draft.alias(alias.clone());
            }
            intake.issue(event);
        }
        Event::Comment(event) => {
            intake.merge(&event.issue, own);
            for alias in &event.aliases {
                intake.draft.alias(alias.clone());
            }
            intake.comment(event, own);
        }
        Event::Item(event) => intake.row(event),
        // Parents and children are part of an issue that the event does not carry whole.
        Event::SubIssue(_) => intake.draft.distrust(),
        Event::Told(_) => {}
        Event::Posted(posted) => intake.draft.set_answer(&posted.key, posted.answer()),
    }
    let (place, found) = &around.said;
    if let Some(sender) = event.sender().filter(|_| !found.is_empty()) {
        let spoken = Spoken {
            sender,
            place: *place,
            at: delivery.received_at,
            said_at: event.said_when(),
            key: &delivery.guid,
            part_of: match event {
                Event::Told(told) => told.part_of.as_deref(),
                _ => None,
            },
            told_in: match event {
                Event::Told(told) => told.in_private,
                _ => None,
            },
        };
        obey::obey(draft, around, &spoken, found);
    }
    let told = match event {
        Event::Issue(event) if !own => event.label.as_deref(),
        _ => None,
    };
    let told = told.and_then(|label| projection::attribute_of_label(around.policy, label));
    if let Some((attribute, _)) = told.filter(|_| around.label_is_gone) {
        draft.unnamed.insert(attribute.id.clone());
    }
    if let Some(sender) = event.sender().filter(|_| draft.record.ledger.len() > known) {
        draft.name(sender);
    }
    let moved = matches!(event, Event::Issue(event) if event.arrival.is_some());
    if !moved && !matches!(event, Event::Item(_) | Event::Told(_) | Event::Posted(_)) {
        let at = (delivery.guid.as_str(), delivery.received_at);
        let told = told.map(|(attribute, _)| attribute.id.as_str());
        before.notice(draft, around.policy, &around.board_ids, told, at);
    }
}

struct Intake<'a> {
    draft: &'a mut Draft,
    delivery: &'a Delivery,
    around: &'a Surroundings<'a>,
    /// `None` for our own changes.
    who: Option<UserId>,
}

impl Intake<'_> {
    /// The issue went from one repository to another, whichever of the two says so. Where it has
    /// gone on since, this is a late word of its way.
    fn transferred(&mut self, event: &IssueEvent, arrival: &MirrorIssue) {
        let now_at = self.draft.record.issue.as_ref().map(MirrorIssue::number);
        let went = if event.issue.number() == arrival.number() {
            &event.elsewhere
        } else {
            &event.aliases
        };
        let was_there = now_at
            .is_some_and(|(repository, number)| went.contains(&Alias::Number(repository, number)));
        if now_at.is_none() || was_there {
            let from = self.draft.record.issue.as_ref().map(MirrorIssue::name);
            self.draft.move_to(arrival);
            if let Some(from) = from {
                let what = json!({ "from": from, "to": arrival.name() });
                self.draft.note("transfer", self.who, what);
            }
        } else {
            // What was read there may be of before all of it had come.
            self.draft.distrust();
        }
    }

    /// The newer copy wins. GitHub's times have whole seconds: a tie that differs is read again,
    /// unless it is the echo of our own write, which the mirror had before.
    fn merge(&mut self, incoming: &MirrorIssue, own: bool) {
        let mut incoming = incoming.clone();
        let Some(known) = &self.draft.record.issue else {
            self.draft.set_issue(incoming);
            return;
        };
        if incoming.number() != known.number() {
            return; // a late word of where it was
        }
        incoming.stale = known.stale;
        incoming.boards_read_at = known.boards_read_at;
        let (new, old) = (&incoming.issue, &known.issue);
        if new.updated_at > old.updated_at {
            self.draft.set_issue(incoming);
        } else if new.updated_at == old.updated_at && !own {
            if same(new, old) {
                self.draft.set_issue(incoming);
            } else {
                self.draft.distrust();
            }
        } else if known.written_over.is_some_and(|at| new.updated_at > at) && !own {
            // Somebody did something, and we wrote before we were told.
            self.draft.distrust();
        }
    }

    fn issue(&mut self, event: &IssueEvent) {
        let at = event.issue.issue.updated_at;
        match event.action.as_str() {
            "opened" if event.arrival.is_none() => self.opened(&event.issue.issue),
            "labeled" | "unlabeled" => {
                if let Some(label) = event.label.as_ref().filter(|_| !self.around.label_is_gone) {
                    let on = event.action == "labeled";
                    self.label(label, on, &event.issue.issue.labels, at);
                    self.doubt_label(label, on);
                }
            }
            "milestoned" => {
                let title = event.milestone.clone().unwrap_or_default();
                self.act(
                    ledger::MILESTONE,
                    AttributeValue::One(title),
                    at,
                    "milestone",
                );
            }
            "demilestoned" => {
                let none = AttributeValue::One(String::new());
                self.act(ledger::MILESTONE, none, at, "milestone");
            }
            "assigned" | "unassigned" => {
                let all = event.issue.issue.assignees.iter().cloned().collect();
                let all = AttributeValue::Many(all);
                self.act(ledger::ASSIGNEES, all, at, "assignee");
            }
            // Not there any more, or not here: GitHub says which. A transfer that says where to was
            // taken in before.
            "deleted" | "transferred" => self.draft.distrust(),
            _ => {}
        }
    }

    /// What it was opened with is the choice of whoever opened it, if they may choose. GitHub sends
    /// a word of each label besides, when rules may have written already.
    fn opened(&mut self, issue: &Issue) {
        let (policy, at) = (self.around.policy, issue.created_at);
        let may = |name: &str| policy.may(name, &self.around.sender_roles);
        let mut chosen = Vec::new();
        for attribute in policy.attributes.values().filter(|a| may(&a.id)) {
            let labels = issue.labels.iter();
            let value = labels.filter_map(|l| projection::value_of_label(attribute, l));
            chosen.push((attribute.id.as_str(), attribute.of(value)));
        }
        if may(ledger::MILESTONE) {
            let title = AttributeValue::One(issue.milestone.clone());
            chosen.push((ledger::MILESTONE, title));
        }
        for (name, value) in chosen {
            if !value.is_empty() {
                self.act(name, value, at, OPENED);
            }
        }
    }

    /// Somebody put a label on or took it off: the attribute's whole value after that.
    fn label(&mut self, label: &str, on: bool, labels: &[String], at: Timestamp) {
        let Some((attribute, _)) = projection::attribute_of_label(self.around.policy, label) else {
            return;
        };
        let attribute: &Attribute = attribute;
        let mut shown: Vec<&str> = labels
            .iter()
            .map(String::as_str)
            .filter(|l| !l.eq_ignore_ascii_case(label))
            .collect();
        if on {
            // First, so that a single value is the one that was just given.
            shown.insert(0, label);
        }
        let values = shown
            .into_iter()
            .filter_map(|l| projection::attribute_of_label(self.around.policy, l))
            .filter(|(a, _)| a.id == attribute.id)
            .map(|(_, value)| value);
        let value = attribute.of(values);
        self.act(&attribute.id, value, at, LABEL);
    }

    /// Somebody did this, and the copy, which is newer, does not show it: it was undone since, or we
    /// wrote before we were told.
    fn doubt_label(&mut self, label: &str, on: bool) {
        let issue = self.draft.record.issue.as_ref();
        let mut labels = issue.iter().flat_map(|mirror| &mirror.issue.labels);
        let shown = labels.any(|shown| shown.eq_ignore_ascii_case(label));
        if self.who.is_some() && shown != on {
            self.draft.distrust();
        }
    }

    fn comment(&mut self, event: &CommentEvent, own: bool) {
        match event.action.as_str() {
            "created" if self.who == Some(event.issue.author) => self.answered(),
            "created" if own => {
                if let Some(key) = key_of(&event.body)
                    && !self.draft.record.comments.contains_key(key)
                {
                    self.draft.posted(key, event.comment, &event.body);
                }
            }
            "deleted" => {
                let ours = self.draft.record.comments.iter();
                let gone = ours.filter(|(_, c)| c.id == event.comment && !c.deleted);
                let gone: Vec<_> = gone.map(|(k, c)| (k.clone(), c.clone())).collect();
                for (key, mut comment) in gone {
                    comment.deleted = true;
                    self.draft
                        .note("act", self.who, json!({ "deleted_comment": key }));
                    self.draft.set_comment(&key, comment);
                }
            }
            _ => {}
        }
    }

    /// The author said something: a question that somebody had put to them is answered, and what
    /// was there before it comes back.
    fn answered(&mut self) {
        let policy = self.around.policy;
        for attribute in policy.attributes.values() {
            let Some(value) = answered(attribute, &self.draft.record.ledger) else {
                continue;
            };
            let name = &attribute.id;
            self.draft.note(
                "act",
                self.who,
                json!({ "attribute": name, "value": value, "by": "reply", "rank": Rank::Command }),
            );
            self.draft.append(
                ActKey(format!("{}:answered:{name}", self.delivery.guid)),
                LedgerEntry {
                    attribute: name.clone(),
                    act: Act::Set,
                    rank: Rank::Command,
                    value,
                    at: self.delivery.received_at,
                    by: self.who,
                    cause: "reply".to_owned(),
                    reason: "the author answered".to_owned(),
                    told_in: None,
                    until: None,
                    said_at: None,
                },
            );
        }
    }

    fn row(&mut self, event: &ItemEvent) {
        let project = event.project_node_id.as_str();
        let known = self.draft.record.boards.get(project).cloned();
        let replaced = known.as_ref().is_some_and(|k| k.node_id != event.node_id);
        if event.action == "deleted" {
            // A late word about a row that another has replaced says nothing about that one.
            if !replaced {
                self.draft.set_row(project, None);
                self.on_board(project, false);
            }
            return;
        }
        let known = known.filter(|_| !replaced);
        let fresh = known.is_none();
        let mut row = known.unwrap_or_else(|| BoardRow {
            node_id: event.node_id.clone(),
            ..BoardRow::default()
        });
        row.archived = event.archived;
        match (event.action.as_str(), &event.change) {
            ("edited", Some(change)) => {
                self.field(event, &mut row, change, fresh);
            }
            // A row that became an issue, or an edit that does not say what it changed.
            ("converted" | "edited", _) => self.draft.distrust(),
            ("created", _) => self.on_board(project, true),
            ("archived" | "restored", _) => self.archived(project, event.archived),
            _ => {}
        }
        if replaced || fresh && event.action != "created" {
            // What else the row shows was told before anybody listened.
            self.draft.distrust();
        }
        self.draft.set_row(project, Some(row));
    }

    /// Somebody put the item on a board, or took it off. That it is there is seen on the board;
    /// what has to be remembered is that somebody did not want it there.
    fn on_board(&mut self, project: &str, on: bool) {
        let Some(board) = self.around.board_ids.get(project) else {
            return;
        };
        let name = ledger::on_board(board);
        let own = ledger::fold(&self.draft.record.ledger, &name);
        let off = own.latest().is_some_and(AttributeValue::is_empty);
        if on == off {
            let board = if on { board.clone() } else { String::new() };
            let at = self.delivery.received_at;
            self.act(&name, AttributeValue::One(board), at, "board");
        }
    }

    /// Somebody archived the row or brought it back. That it is so is seen on the board; that it
    /// was brought back has to be remembered, or a rule would archive it again.
    fn archived(&mut self, project: &str, archived: bool) {
        let Some(board) = self.around.board_ids.get(project) else {
            return;
        };
        let mut rules = self.around.policy.rules.values();
        if rules.any(|rule| rule.archive.contains(board)) {
            let value = if archived { "archived" } else { "" };
            let at = self.delivery.received_at;
            let name = ledger::archived(board);
            self.act(&name, AttributeValue::One(value.to_owned()), at, "board");
        }
    }

    fn field(&mut self, event: &ItemEvent, row: &mut BoardRow, change: &FieldChange, fresh: bool) {
        let project = event.project_node_id.as_str();
        let shown = row.fields.get(&change.field_name).cloned();
        let side = |side: &Side| match side {
            Side::NotSaid => None,
            Side::Empty => Some(None),
            Side::Value(value) => Some(Some(value.clone())),
        };
        let (Some(to), false) = (side(&change.to), change.field_name.is_empty()) else {
            self.draft.distrust();
            return;
        };
        let at = self.delivery.received_at;
        // What the mirror has may be of a later edit than this word of it. GitHub's times have
        // whole seconds, so within one only GitHub knows the order.
        let known_at = row.set_at.get(&change.field_name).copied();
        let newer = event
            .updated_at
            .zip(known_at)
            .is_none_or(|(at, known)| at > known);
        if let Some(at) = event.updated_at.filter(|_| newer) {
            row.set_at.insert(change.field_name.clone(), at);
        }
        if shown != to && !newer {
            self.draft.distrust();
        } else if shown != to {
            // An edit that does not begin where the mirror is: one before it is missing.
            if !fresh && side(&change.from).is_some_and(|from| from != shown) {
                self.draft.distrust();
            }
            match &to {
                Some(value) => row.fields.insert(change.field_name.clone(), value.clone()),
                None => row.fields.remove(&change.field_name),
            };
            if self.is_column(project, &change.field_name) {
                row.entered_at = Some(at);
                row.came_from = side(&change.from).flatten().map(|from| from.text());
            }
        } else if self.is_column(project, &change.field_name) {
            // The row was read before its word came, which tells more: where from, and when.
            let from = side(&change.from).flatten().map(|from| from.text());
            row.came_from = row.came_from.take().or(from);
            if let (Some(entered), Some(told)) = (row.entered_at, event.updated_at)
                && entered.subsec_nanosecond() == 0
                && entered.duration_since(told).abs() <= A_MOMENT
            {
                row.entered_at = Some(entered.max(at));
            }
        }
        self.moved(project, change, to.as_ref());
        let Some(board) = self.around.board_ids.get(project) else {
            return;
        };
        let policy = self.around.policy;
        if let Some(attribute) = projection::attribute_of_field(policy, board, &change.field_name) {
            let value = projection::value_of_field(attribute, board, to.as_ref());
            // As of a label, GitHub's time: which of two places was changed later is told by it.
            let at = event.updated_at.unwrap_or(at);
            self.act(&attribute.id, value, at, &field_on(board));
        } else if let Some(wish) = policy.field_set(board, &change.field_name) {
            let name = ledger::field(board, &wish.field);
            let text = to.as_ref().map(FieldValue::text).unwrap_or_default();
            // No command sets such a field: whoever has a role may.
            let rank = if self.around.sender_roles.is_empty() {
                Rank::Ambient
            } else {
                Rank::Person
            };
            self.act_of(
                &name,
                AttributeValue::One(text),
                at,
                (&field_on(board), rank),
            );
        }
    }

    /// Who moved it is told here only; whether that matters is for the board to say.
    fn moved(&mut self, project: &str, change: &FieldChange, to: Option<&FieldValue>) {
        let board = self.around.board_ids.get(project);
        if let (Some(board), true) = (board, self.is_column(project, &change.field_name))
            && Limit::of(self.around.policy, board).next().is_some()
        {
            let to = AttributeValue::One(to.map(FieldValue::text).unwrap_or_default());
            let at = self.delivery.received_at;
            self.act(&ledger::column(board), to, at, &field_on(board));
        }
    }

    fn is_column(&self, project: &str, field: &str) -> bool {
        let board = self.around.board_ids.get(project);
        board
            .and_then(|id| self.around.policy.boards.get(id))
            .is_some_and(|board| board.column_field.eq_ignore_ascii_case(field))
    }

    /// Enters an act of a person (or of another bot) in the ledger.
    fn act(&mut self, attribute: &str, value: AttributeValue, at: Timestamp, cause: &str) {
        let rank: Rank =
            ledger::hand_change(self.around.policy, attribute, &self.around.sender_roles);
        self.act_of(attribute, value, at, (cause, rank));
    }

    fn act_of(
        &mut self,
        attribute: &str,
        value: AttributeValue,
        at: Timestamp,
        (cause, rank): (&str, Rank),
    ) {
        let Some(who) = self.who else {
            return;
        };
        self.draft.note(
            "act",
            Some(who),
            json!({ "attribute": attribute, "value": value, "by": cause, "rank": rank }),
        );
        self.draft.append(
            ActKey(format!("{}:{attribute}", self.delivery.guid)),
            LedgerEntry {
                attribute: attribute.to_owned(),
                act: Act::Set,
                rank,
                value,
                at,
                by: Some(who),
                cause: cause.to_owned(),
                reason: String::new(),
                told_in: None,
                until: None,
                said_at: None,
            },
        );
    }
}

/// The same in all that an event tells reliably. Counts lag behind, and are told in passing.
fn same(a: &Issue, b: &Issue) -> bool {
    let told = |issue: &Issue| Issue {
        comments: 0,
        reactions: 0,
        sub_issues: 0,
        parent: String::new(),
        labels: {
            let mut labels = issue.labels.clone();
            labels.sort();
            labels
        },
        ..issue.clone()
    };
    told(a) == told(b)
}
