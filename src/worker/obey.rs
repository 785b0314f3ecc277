//! Commands: who may say them, and what they do to an item's draft.
//!
//! What a command changes is a line of the ledger, of the rank of a command; the ordinary walk
//! then shows it on GitHub. What is to be said is an [`Answer`], and the plan says it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::table;
use crate::command::{self, Act as Asked, Found, ItemRef, Reading, Said, ValueChange, Vocabulary};
use crate::github::ItemRead;
use crate::ids::{CommentId, RepoName, RepositoryId};
use crate::policy::Policy;
use crate::policy::template::{code, harmless};
use crate::receive::payload::Sender;
use crate::store::ActKey;
use crate::triage::answer::{Answer, Question, Sign, key_of};
use crate::triage::attribute::AttributeValue;
use crate::triage::explain::About;
use crate::triage::ledger::{self, Act, LedgerEntry, Rank};
use crate::triage::plan::fingerprint;
use crate::triage::projection;

use super::draft::Draft;
use super::intake::Surroundings;
use super::observe;

mod aside;
mod audience;
mod authority;
mod critical;
mod questions;
mod same;
mod shorthand;
mod undo;

pub(super) use questions::{Elsewhere, explain};

/// Somebody said something.
pub(super) struct Spoken<'a> {
    /// Of the event: whoever edits somebody's comment does not speak as them.
    pub sender: &'a Sender,
    pub place: Place,
    /// When we heard it.
    pub at: Timestamp,
    /// When it was said, by GitHub.
    pub said_at: Option<Timestamp>,
    /// What makes it the same for ever: the delivery.
    pub key: &'a str,
    /// The command that it is a part of, where it is: whoever may say that may say this.
    pub part_of: Option<&'a str>,
    /// Of what was said elsewhere: the private repository in which that was, if it was.
    pub told_in: Option<RepositoryId>,
}

/// Where something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the issue's own text.
    Issue,
    Comment(CommentId),
    /// At another item, which has the sign.
    Elsewhere,
}

/// A command that was said elsewhere, on its way to the item it names: a delivery of our own.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub sender: Sender,
    pub found: Found,
    /// `owner/repo#n` where it was said.
    pub from: String,
    /// Its repository, where that is private.
    #[serde(default, deserialize_with = "ledger::told_in")]
    pub in_private: Option<RepositoryId>,
    pub to: Other,
    /// Other lines that are said with it.
    #[serde(default)]
    pub also: Vec<Found>,
    /// The command that these lines are a part of: whoever may say that may say them.
    #[serde(default)]
    pub part_of: Option<String>,
    /// When it was said, by GitHub.
    #[serde(default)]
    pub said_at: Option<Timestamp>,
}

/// Where an item is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Other {
    pub repository_id: RepositoryId,
    pub repository: RepoName,
    pub number: u64,
}

/// An item that a command names, as GitHub shows it now.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub at: Other,
    pub node_id: String,
    pub private: bool,
}

impl Named {
    pub fn of(read: ItemRead) -> Self {
        Self {
            at: Other {
                repository_id: read.issue.repository_id,
                repository: read.issue.issue.repository,
                number: read.issue.issue.number,
            },
            node_id: read.issue.node_id,
            private: read.issue.issue.private,
        }
    }
}

impl Told {
    /// Stands for GitHub's name of the event. The door takes no such deliveries.
    pub const EVENT: &str = "northstar.command";

    pub fn read(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }
}

/// The items that command lines name.
pub(super) fn items_named(found: &[Found], words: &Vocabulary) -> BTreeSet<ItemRef> {
    let readings = found.iter().filter_map(|line| command::read(line, words));
    readings
        .filter_map(|reading| match reading {
            Reading::Command { mut said, act } => {
                if let Asked::Duplicate { of } = act {
                    said.items.push(of);
                }
                Some(said.items)
            }
            _ => None,
        })
        .flatten()
        .collect()
}

/// Does what the command lines ask for, as far as whoever said them may, and notes the answer.
pub(super) fn obey(
    draft: &mut Draft,
    around: &Surroundings<'_>,
    spoken: &Spoken<'_>,
    found: &[Found],
) {
    // A bot commands only where the policy gives it a role.
    if spoken.sender.bot && around.sender_roles.is_empty() {
        return;
    }
    let mut hearing = Hearing {
        draft,
        around,
        spoken,
        sign: None,
        texts: Vec::new(),
        questions: Vec::new(),
    };
    for line in found {
        hearing.hear(line);
    }
    hearing.answer();
}

/// What a command that was understood and allowed came to.
type Outcome = Result<(), String>;

struct Hearing<'a, 'd> {
    draft: &'d mut Draft,
    around: &'a Surroundings<'a>,
    spoken: &'a Spoken<'a>,
    /// `None` while nothing was a command.
    sign: Option<Sign>,
    texts: Vec<String>,
    questions: Vec<Question>,
}

impl Hearing<'_, '_> {
    fn hear(&mut self, line: &Found) {
        match command::read(line, self.around.words) {
            None => {}
            Some(Reading::Unknown {
                name, did_you_mean, ..
            }) => self.refuse(
                &format!("/{name}"),
                &format!(
                    "there is no such command; did you mean {}?",
                    code(&format!("/{did_you_mean}"))
                ),
            ),
            Some(Reading::Wrong { said, problem }) => {
                let text = harmless(&problem.to_string());
                self.refuse(&in_words(&said), &text);
            }
            Some(Reading::Command { said, act }) => {
                let text = in_words(&said);
                if !self.may(&said.name, &act) {
                    let why = self.who_may(&said.name, &act);
                    return self.refuse(&text, &why);
                }
                match self.everywhere(&said, &act, &text) {
                    Ok(()) => {
                        let who = Some(self.spoken.sender.id);
                        let detail = json!({ "command": text, "reason": said.reason });
                        self.draft.note("command", who, detail);
                        let sign = if is_question(&act) {
                            Sign::Seen
                        } else {
                            Sign::Done
                        };
                        self.sign = self.sign.max(Some(sign));
                    }
                    Err(why) => self.refuse(&text, &why),
                }
            }
        }
    }

    fn is_here(&self, item: &ItemRef) -> bool {
        self.draft.record.issue.as_ref().is_some_and(|mirror| {
            let here = &mirror.issue;
            item.number == here.number
                && item
                    .repository
                    .as_ref()
                    .is_none_or(|r| *r == here.repository)
        })
    }

    /// Does it here or, where it names items, to them. Those elsewhere are told.
    fn everywhere(&mut self, said: &Said, act: &Asked, text: &str) -> Outcome {
        let elsewhere: Vec<&ItemRef> = said.items.iter().filter(|i| !self.is_here(i)).collect();
        let mut told = Vec::new();
        for item in &elsewhere {
            let there = self.seen_from_here(item).ok_or(audience::unseen(item))?;
            self.original_may_be_named(act, there)?;
            told.push(there.at.clone());
        }
        if !told.is_empty() && is_question(act) {
            return Err("ask this on the issue itself, please.".to_owned());
        }
        let about_this = said.items.is_empty() || elsewhere.len() < said.items.len();
        if about_this {
            self.act(said, act, text)?;
        }
        let here = self.draft.record.issue.as_ref();
        let from = here.map(|m| format!("{}#{}", m.issue.repository, m.issue.number));
        for to in told {
            let told = Told {
                sender: self.spoken.sender.clone(),
                found: self.for_another(said, act),
                from: from.clone().unwrap_or_default(),
                in_private: self.private_here(),
                to,
                also: Vec::new(),
                part_of: None,
                said_at: self.spoken.said_at,
            };
            self.draft.told.push(told);
        }
        Ok(())
    }

    fn refuse(&mut self, text: &str, why: &str) {
        let who = Some(self.spoken.sender.id);
        self.draft
            .note("refusal", who, json!({ "command": text, "why": why }));
        self.sign = Some(Sign::Refused);
        self.texts.push(format!("{}: {why}", code(text)));
    }

    fn act(&mut self, said: &Said, act: &Asked, text: &str) -> Outcome {
        match act {
            Asked::Set { attribute, changes } => self.set(said, attribute, changes, text),
            Asked::Cofund { add, community } => {
                let change = if *add {
                    ValueChange::Add(community.clone())
                } else {
                    ValueChange::Remove(community.clone())
                };
                self.set(said, "cofunded", &[change], text)
            }
            Asked::Community { add, community } => {
                let value = if *add {
                    community.clone()
                } else {
                    String::new()
                };
                let name = ledger::community(community);
                self.enter(
                    said,
                    text,
                    &name,
                    Act::Set,
                    Rank::Command,
                    AttributeValue::One(value),
                    None,
                );
                Ok(())
            }
            Asked::Critical => {
                self.critical(said, text);
                Ok(())
            }
            Asked::Override { limit, until } => self.let_past(said, limit, *until, text),
            Asked::Release { held } => self.release(said, held, text),
            Asked::Why { rule } => {
                let unknown = |rule: &String| About::named(self.around.policy, rule).is_none();
                if rule.as_ref().is_some_and(unknown) {
                    return Err(
                        "the policy has no rule, attribute or principle of that name.".to_owned(),
                    );
                }
                self.questions.push(Question::Why(rule.clone()));
                Ok(())
            }
            Asked::Score if self.around.policy.score.is_empty() => {
                Err("the policy has no score.".to_owned())
            }
            Asked::Score => {
                self.questions.push(Question::Score);
                Ok(())
            }
            Asked::Help { topic } => {
                let words = self.around.words;
                let help = match topic {
                    None => Some(command::help(words)),
                    Some(topic) => command::help_about(topic, words),
                };
                self.texts.push(help.ok_or("there is no such command.")?);
                Ok(())
            }
            Asked::Undo => self.undo(said, text),
            Asked::Snooze { until } => self.snooze(said, *until, text),
            Asked::Kpi {
                kpi,
                figure,
                period,
            } => {
                let name = ledger::kpi(kpi);
                let value = AttributeValue::One(format!("{figure} {period}"));
                self.enter(said, text, &name, Act::Set, Rank::Command, value, None);
                Ok(())
            }
            Asked::Duplicate { of } => self.duplicate(said, of, text),
            Asked::Promote | Asked::Park => self.shorthand(said, text),
            Asked::Similar => {
                self.questions.push(Question::Similar);
                Ok(())
            }
            Asked::Apply { plan } => {
                let plan = plan.to_lowercase();
                if !self.around.plans.contains(&plan) {
                    return Err("no plan of that name waits. They end after seven days.".to_owned());
                }
                self.draft.let_go.push(plan);
                Ok(())
            }
        }
    }

    fn let_past(&mut self, said: &Said, limit: &str, until: Option<Date>, text: &str) -> Outcome {
        // The day named is the last one.
        let until = until.map(|day| day.tomorrow().and_then(|day| day.to_zoned(TimeZone::UTC)));
        let until = match until.transpose() {
            Ok(end) => end.map(|end| end.timestamp()),
            Err(_) => return Err("that day is too far away.".to_owned()),
        };
        if until.is_some_and(|until| until <= self.spoken.at) {
            return Err("that day is over.".to_owned());
        }
        let value = AttributeValue::One("stays".to_owned());
        let name = ledger::limit(limit);
        self.enter(said, text, &name, Act::Set, Rank::Override, value, until);
        Ok(())
    }

    fn release(&mut self, said: &Said, held: &str, text: &str) -> Outcome {
        let name = if self.around.policy.attributes.contains_key(held) {
            held.to_owned()
        } else if held == table::SNOOZE {
            if ledger::snoozed(&self.draft.record.ledger, self.spoken.at).is_none() {
                return Err("it is not snoozed.".to_owned());
            }
            ledger::SNOOZED.to_owned()
        } else {
            ledger::limit(held)
        };
        let known = self.draft.record.ledger.iter().any(|e| e.attribute == name);
        if !known {
            return Err("nobody holds it.".to_owned());
        }
        let nothing = AttributeValue::One(String::new());
        self.enter(
            said,
            text,
            &name,
            Act::Release,
            Rank::Command,
            nothing,
            None,
        );
        Ok(())
    }

    fn set(&mut self, said: &Said, id: &str, changes: &[ValueChange], text: &str) -> Outcome {
        let policy = self.around.policy;
        let Some(attribute) = policy.attributes.get(id) else {
            return Err(format!("the policy has no attribute {}.", code(id)));
        };
        let now = self.value_now(id);
        let value = if attribute.many {
            let mut values: BTreeSet<String> = now.iter().map(str::to_owned).collect();
            for change in changes {
                match change {
                    ValueChange::Add(value) => drop(values.insert(value.clone())),
                    ValueChange::Remove(value) => drop(values.remove(value)),
                    ValueChange::Clear => values.clear(),
                }
            }
            AttributeValue::Many(values)
        } else {
            let mut one = now.iter().next().unwrap_or_default().to_owned();
            for change in changes {
                match change {
                    ValueChange::Add(value) => one.clone_from(value),
                    ValueChange::Remove(value) if *value == one => one.clear(),
                    ValueChange::Remove(_) => {}
                    ValueChange::Clear => one.clear(),
                }
            }
            AttributeValue::One(one)
        };
        if ledger::fold(&self.draft.record.ledger, id)
            .latest()
            .is_none()
            && !now.is_empty()
        {
            // What was there before anybody spoke, so that it can be put back.
            let before = format!("before {text}");
            self.enter(
                said,
                &before,
                id,
                Act::Set,
                Rank::Ambient,
                now.clone(),
                None,
            );
        }
        let declined = id == "triage" && value.contains("declined") && !now.contains("declined");
        self.enter(said, text, id, Act::Set, Rank::Command, value, None);
        if declined {
            let entered = self.draft.record.ledger.last();
            let here = self.private_here();
            let reason = match entered.map_or("", |e| e.reason_for(here)) {
                "" => String::new(),
                reason => format!("\n\nThe reason: {}", harmless(reason)),
            };
            self.texts.push(format!(
                "Thank you for taking the time to ask for this. We have decided not to take it \
                 on.{reason}\n\nIf something changes, say so here, and somebody will look again."
            ));
        }
        Ok(())
    }

    /// The attribute's value as the item has it, what was commanded and is on its way included.
    fn value_now(&self, id: &str) -> AttributeValue {
        let policy: &Policy = self.around.policy;
        let own = ledger::fold(&self.draft.record.ledger, id);
        if let Some(owner) = &own.owner
            && owner.rank >= Rank::Command
            && !own.disturbed
        {
            return owner.value.clone();
        }
        let (Some(attribute), Some(mirror)) = (policy.attributes.get(id), &self.draft.record.issue)
        else {
            return AttributeValue::One(String::new());
        };
        let surroundings = observe::Surroundings {
            now: self.spoken.at,
            author_roles: BTreeSet::new(),
            board_ids: self.around.board_ids.clone(),
            iterations: BTreeMap::new(),
        };
        let snapshot = observe::snapshot(policy, &self.draft.record, mirror, surroundings);
        projection::current(attribute, &snapshot, &own)
    }

    #[allow(clippy::too_many_arguments)] // the parts of a ledger entry
    fn enter(
        &mut self,
        said: &Said,
        text: &str,
        attribute: &str,
        act: Act,
        rank: Rank,
        value: AttributeValue,
        until: Option<Timestamp>,
    ) {
        let (key, line) = (self.spoken.key, said.line);
        let key = format!("{key}:{line}:{attribute}:{rank:?}");
        let entry = LedgerEntry {
            attribute: attribute.to_owned(),
            act,
            rank,
            value,
            at: self.spoken.at,
            by: Some(self.spoken.sender.id),
            cause: text.to_owned(),
            reason: said.reason.clone(),
            told_in: self.told_in(),
            until,
            said_at: self.spoken.said_at,
        };
        self.draft.append(ActKey(key), entry);
        self.tell_if_overtaken(attribute);
    }

    /// Somebody had the last word before this one arrived.
    fn tell_if_overtaken(&mut self, attribute: &str) {
        let entries = &self.draft.record.ledger;
        let last = ledger::told::in_order(entries, attribute);
        if last.last().is_none_or(|last| last.nth + 1 == entries.len()) {
            return;
        }
        let since = format!(
            "{} was changed since this was said, and the later word counts.",
            code(attribute)
        );
        if !self.texts.contains(&since) {
            self.texts.push(since);
        }
    }

    /// Notes what is to be said. A comment that was corrected has its reply corrected.
    fn answer(self) {
        let Some(sign) = self.sign else { return };
        let (key, comment) = match self.spoken.place {
            Place::Issue => (key_of(None), None),
            Place::Comment(id) => (key_of(Some(id)), Some(id)),
            Place::Elsewhere => (format!("told-{}", fingerprint(self.spoken.key)), None),
        };
        let signed_elsewhere = self.spoken.place == Place::Elsewhere;
        let earlier = self.draft.record.answers.get(&key);
        let mut body = self.texts.join("\n\n");
        let corrected = earlier.is_some_and(|e| !e.body.is_empty());
        if body.is_empty() && self.questions.is_empty() && corrected {
            "Understood now, and done.".clone_into(&mut body);
        }
        if body.is_empty() && signed_elsewhere {
            return;
        }
        let answer = Answer {
            comment,
            sign,
            shown: signed_elsewhere || earlier.is_some_and(|e| e.shown && e.sign == sign),
            body: questions::cut(body),
            because: String::new(),
            questions: self.questions,
        };
        self.draft.set_answer(&key, answer);
    }
}

fn is_question(act: &Asked) -> bool {
    matches!(
        act,
        Asked::Why { .. } | Asked::Score | Asked::Similar | Asked::Help { .. }
    )
}

/// The command without the items it names, as it would have been said at one of them.
fn alone(said: &Said) -> Found {
    let is_item = |arg: &str| said.items.iter().any(|item| item.to_string() == arg);
    let mut rest: Vec<String> = said.args.iter().filter(|a| !is_item(a)).cloned().collect();
    if !said.reason.is_empty() {
        // In quotes, so that none of it is taken for an argument.
        rest.push(format!("\"{}\"", said.reason.replace('"', "'")));
    }
    Found {
        name: said.name.clone(),
        rest: rest.join(" "),
        line: said.line,
    }
}

/// The command as it was understood.
fn in_words(said: &Said) -> String {
    let mut text = format!("/{}", said.name);
    for arg in &said.args {
        text.push(' ');
        text.push_str(arg);
    }
    text
}
