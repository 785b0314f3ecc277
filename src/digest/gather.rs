//! From the rows of the store to what a digest is made of.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::ids::{ItemId, RepositoryId, UserId};
use crate::insight::digest::Place;
use crate::insight::gathered::{Cap, Decision, Gathered, Known, Override, Stated};
use crate::insight::history::{self, Event, History, Reason, What};
use crate::insight::slot::Slot;
use crate::policy::Policy;
use crate::policy::kpi::{Deciding, Filter, Measure};
use crate::policy::model::Digest as Declared;
use crate::store::{Happened, MirrorIssue, Past};
use crate::triage::ledger::{self, Act, DUPLICATE, KPI, LedgerEntry, Rank, SNOOZED};
use crate::triage::score::Score;
use crate::triage::{communities, projection};

/// The attribute that `/triage` sets, and its values that decide.
const TRIAGE: &str = "triage";
const DECISIONS: [&str; 3] = ["accepted", "deferred", "declined"];
/// What the hidden line of a digest begins with.
const MARKER: &str = "<!-- northstar:digest-";
/// How the ledger calls what was said about a cap or gate.
const LIMIT: &str = "limit ";

/// Everything that a digest of this slot, to stand in that place, is made of.
#[must_use]
pub fn gather(
    policy: &Policy,
    declared: &Declared,
    past: &Past,
    slot: &Slot,
    place: &Place,
) -> Gathered {
    let gather = Gather {
        policy,
        past,
        slot,
        readers_of: place.repository_id.filter(|_| place.private),
        logins: past
            .issues
            .iter()
            .map(|(_, mirror)| (mirror.author, mirror.author_login.as_str()))
            .chain(past.people.iter().map(|(id, login)| (*id, login.as_str())))
            .collect(),
        deciding: deciding(policy),
        own: own(policy, past),
        filter: &declared.filter,
    };
    let in_week = |e: &LedgerEntry| slot.from <= e.at && e.at < slot.at;
    let mut wrote: BTreeMap<String, usize> = BTreeMap::new();
    let mut unauthorised = 0;
    for entry in past.ledger.values().flatten().filter(|e| in_week(e)) {
        match entry.rank {
            // What was commanded and is done.
            Rank::Rule if entry.attribute == DUPLICATE => {}
            Rank::Rule => *wrote.entry(entry.cause.clone()).or_default() += 1,
            Rank::Ambient
                if entry.by.is_some() && policy.attributes.contains_key(&entry.attribute) =>
            {
                unauthorised += 1;
            }
            _ => {}
        }
    }
    let items = gather.items();
    let mut gathered = Gathered {
        history: gather.history(&items),
        items,
        caps: gather.caps(),
        overrides: gather.overrides(),
        decisions: gather.decisions(),
        wrote,
        unauthorised,
        stated: gather.stated(),
        ranked_before: None,
    };
    if !gather.filter.0.is_empty() {
        gather.keep_to_its_own(&mut gathered);
    }
    gathered
}

struct Gather<'a> {
    policy: &'a Policy,
    past: &'a Past,
    slot: &'a Slot,
    /// Of the private repository in which the digest will stand; `None`: everybody reads it.
    readers_of: Option<RepositoryId>,
    logins: BTreeMap<UserId, &'a str>,
    deciding: Option<Deciding>,
    /// The issues that digests stand on: they are nobody's request.
    own: BTreeSet<ItemId>,
    filter: &'a Filter,
}

fn number(item: ItemId) -> i64 {
    item.0.cast_signed()
}

fn values(of: &crate::triage::attribute::AttributeValue) -> Vec<String> {
    of.iter().map(str::to_owned).collect()
}

fn own(policy: &Policy, past: &Past) -> BTreeSet<ItemId> {
    let issues = past.issues.iter();
    let own = issues.filter(|(_, mirror)| {
        // Anybody could write the hidden line.
        let made = mirror.author_is_bot && mirror.issue.body.contains(MARKER);
        made || super::is_posted_on(policy, &mirror.issue)
    });
    own.map(|(item, _)| *item).collect()
}

/// What the first KPI that is about decisions calls a decision; without one, what `/triage` makes.
fn deciding(policy: &Policy) -> Option<Deciding> {
    let declared = policy.kpis.values().find_map(|k| match &k.measure {
        Measure::UndecidedAge(d) | Measure::FirstTriage(d) | Measure::Decisions(d) => Some(d),
        _ => None,
    });
    declared.cloned().or_else(|| {
        let known = policy.attributes.get(TRIAGE)?;
        let values = DECISIONS.iter().filter(|v| known.value(v).is_some());
        Some(Deciding {
            attribute: TRIAGE.to_owned(),
            values: values.map(|v| (*v).to_owned()).collect(),
        })
    })
}

impl Gather<'_> {
    /// A digest about some items only. What is in flight is everybody's, and stays.
    fn keep_to_its_own(&self, gathered: &mut Gathered) {
        let keeps = |known: &Known| {
            self.filter.0.iter().all(|(name, wanted)| {
                let has = known.attributes.get(name).map_or(&[][..], Vec::as_slice);
                wanted.iter().any(|wanted| match wanted.as_str() {
                    "*" => !has.is_empty(),
                    "" => has.is_empty(),
                    wanted => has.iter().any(|value| value == wanted),
                })
            })
        };
        let mut kept = BTreeSet::new();
        for (item, known) in &mut gathered.items {
            if keeps(known) {
                kept.insert(*item);
            } else {
                (known.undecided, known.candidate) = (false, false);
            }
        }
        gathered.history.events.retain(|e| kept.contains(&e.item));
        gathered.overrides.retain(|o| kept.contains(&o.item));
        gathered.decisions.retain(|d| kept.contains(&d.item));
    }

    fn ledger(&self, item: ItemId) -> &[LedgerEntry] {
        self.past.ledger.get(&item).map_or(&[], Vec::as_slice)
    }

    fn items(&self) -> BTreeMap<i64, Known> {
        let scores: BTreeMap<ItemId, &Score> = self
            .past
            .places
            .iter()
            .map(|(item, place)| (*item, &place.score))
            .collect();
        // What has come further than the queues of the caps, or out of them, is no candidate.
        let caps = self.past.boards.iter().flat_map(|board| &board.caps);
        let waiting: BTreeSet<ItemId> = caps.flat_map(|cap| &cap.queue).copied().collect();
        let places = self.past.places.iter();
        let under_way: BTreeSet<ItemId> = places
            .filter(|(_, place)| place.on_board && !place.column.is_empty())
            .map(|(item, _)| *item)
            .filter(|item| !waiting.contains(item))
            .collect();
        let known = |(item, mirror): &(ItemId, MirrorIssue)| {
            let issue = &mirror.issue;
            let attributes = self.attributes(*item, mirror);
            let decided = self.deciding.as_ref().is_none_or(|d| {
                let has = attributes.get(&d.attribute);
                has.is_some_and(|values| values.iter().any(|v| d.values.contains(v)))
            });
            let ledger = self.ledger(*item);
            let snoozed = ledger::snoozed(ledger, self.slot.at).is_some();
            let known = Known {
                repository: issue.repository.clone(),
                number: issue.number,
                title: issue.title.clone(),
                private: issue.private,
                opened: issue.created_at,
                open: issue.open,
                communities: communities::of(self.policy, issue, &mirror.author_login, ledger),
                score: scores.get(item).map(|s| (*s).clone()).unwrap_or_default(),
                undecided: !decided && !snoozed,
                candidate: !under_way.contains(item) && !snoozed,
                attributes,
            };
            (number(*item), known)
        };
        let issues = self.past.issues.iter();
        issues
            .filter(|(item, _)| !self.own.contains(item))
            .map(known)
            .collect()
    }

    /// What labels show and, of what they do not show, the ledger's last word.
    fn attributes(&self, item: ItemId, mirror: &MirrorIssue) -> BTreeMap<String, Vec<String>> {
        let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for label in &mirror.issue.labels {
            if let Some((attribute, value)) = projection::attribute_of_label(self.policy, label) {
                let entry = out.entry(attribute.id.clone()).or_default();
                entry.push(value.to_owned());
            }
        }
        for attribute in self.policy.attributes.values() {
            if attribute.label.is_some() && !attribute.internal {
                continue;
            }
            let entries = self.ledger(item).iter().rev();
            let mut said = entries.filter(|e| e.attribute == attribute.id && e.act != Act::Release);
            if let Some(entry) = said.next()
                && !entry.value.is_empty()
            {
                out.entry(attribute.id.clone())
                    .or_insert_with(|| values(&entry.value));
            }
        }
        out
    }

    fn history(&self, items: &BTreeMap<i64, Known>) -> History {
        let since = self.past.since.unwrap_or(Timestamp::MAX);
        let mut events = Vec::new();
        for (item, happening) in &self.past.history {
            let at = happening.at;
            if let Some((at, what)) = self.what(&happening.what, at) {
                events.push(Event {
                    at,
                    item: number(*item),
                    what,
                });
            }
        }
        for (item, ledger) in &self.past.ledger {
            for entry in ledger {
                if let Some(what) = said(entry) {
                    events.push(Event {
                        at: entry.at,
                        item: number(*item),
                        what,
                    });
                }
            }
        }
        let told = self.past.history.iter().filter_map(|(i, h)| match &h.what {
            Happened::Attribute { name, .. } => Some((*i, name.as_str())),
            _ => None,
        });
        let told: BTreeSet<(ItemId, &str)> = told.collect();
        // What labels showed before anybody listened was there from the beginning.
        for (item, known) in items {
            let id = ItemId(item.cast_unsigned());
            let ledger = self.ledger(id);
            for (name, values) in &known.attributes {
                let said = ledger.iter().any(|e| e.attribute == *name);
                if !said && !told.contains(&(id, name.as_str())) {
                    events.push(Event {
                        at: known.opened,
                        item: *item,
                        what: What::Set {
                            name: name.clone(),
                            values: values.clone(),
                            person: false,
                        },
                    });
                }
            }
        }
        events.retain(|e| !self.own.contains(&ItemId(e.item.cast_unsigned())));
        events.sort_by_key(|e| e.at);
        History {
            known: history::Known {
                // What GitHub told of the time before has no moves on boards that could be relied on.
                issues: if self.past.read_back {
                    Timestamp::MIN
                } else {
                    since
                },
                moves: since,
            },
            events,
        }
    }

    fn what(&self, happened: &Happened, at: Timestamp) -> Option<(Timestamp, What)> {
        Some(match happened {
            Happened::Opened => (at, What::Opened),
            Happened::Closed { reason } => {
                let reason = match reason.as_str() {
                    "not_planned" => Reason::NotPlanned,
                    "duplicate" => Reason::Duplicate,
                    _ => Reason::Completed,
                };
                (at, What::Closed { reason })
            }
            Happened::Reopened => (at, What::Reopened),
            Happened::Attribute {
                name,
                values,
                by_person,
            } => {
                let set = What::Set {
                    name: name.clone(),
                    values: values.clone(),
                    person: *by_person,
                };
                (at, set)
            }
            Happened::Gone => (at, What::Gone),
            Happened::Field {
                board,
                field,
                from,
                to,
                entered_at,
            } => {
                let declared = self.policy.boards.get(board)?;
                if field.eq_ignore_ascii_case(&declared.column_field) {
                    let moved = What::Moved {
                        board: board.clone(),
                        from: from.clone(),
                        to: to.clone(),
                    };
                    (entered_at.unwrap_or(at), moved)
                } else {
                    let name = declared.field(field).map_or(field.as_str(), |(n, _)| n);
                    let shown = Some(to.clone()).filter(|to| !to.is_empty());
                    let set = What::Set {
                        name: format!("{board}.{name}"),
                        values: shown.into_iter().collect(),
                        person: false,
                    };
                    (at, set)
                }
            }
        })
    }

    fn caps(&self) -> Vec<Cap> {
        let states = self.past.boards.iter().flat_map(|board| &board.caps);
        states
            .filter(|state| self.policy.caps.contains_key(&state.cap))
            .map(|state| Cap {
                id: state.cap.clone(),
                at_most: state.at_most,
                inside: state.in_flight.iter().map(|i| number(*i)).collect(),
                exempt: state.exempt.len(),
                next: state.queue.first().map(|i| number(*i)),
            })
            .collect()
    }

    /// Who did it, for those who were there: that somebody spoke in private is not told in public.
    fn login(&self, entry: &LedgerEntry) -> String {
        let who = entry.by.filter(|_| entry.is_told_to(self.readers_of));
        let known = who.and_then(|id| self.logins.get(&id));
        known.map_or_else(String::new, |login| (*login).to_owned())
    }

    /// Those that stand at the end of the week.
    fn overrides(&self) -> Vec<Override> {
        let mut out = Vec::new();
        for (item, ledger) in &self.past.ledger {
            let mut last: BTreeMap<&str, &LedgerEntry> = BTreeMap::new();
            for entry in ledger.iter().filter(|e| e.at < self.slot.at) {
                if entry.rank == Rank::Override || entry.act == Act::Release {
                    last.insert(&entry.attribute, entry);
                }
            }
            let stands = |e: &&LedgerEntry| {
                e.act == Act::Set && e.until.is_none_or(|until| self.slot.from < until)
            };
            out.extend(last.into_values().filter(stands).map(|entry| Override {
                item: number(*item),
                of: named(&entry.attribute).to_owned(),
                by: self.login(entry),
                reason: entry.reason_for(self.readers_of).to_owned(),
                at: entry.at,
                until: entry.until,
            }));
        }
        out.sort_by_key(|o| o.at);
        out
    }

    /// Figures that were stated and not taken back.
    fn stated(&self) -> Vec<Stated> {
        let mut out: Vec<(ItemId, Stated)> = Vec::new();
        let ledgers = self.past.ledger.iter();
        for (item, entry) in ledgers.flat_map(|(item, l)| l.iter().map(move |e| (item, e))) {
            let Some(id) = entry.attribute.strip_prefix(KPI) else {
                continue;
            };
            let said = entry.value.to_string();
            let said = said.split_once(' ').filter(|_| entry.act == Act::Set);
            let Some((figure, period)) = said else {
                out.retain(|(on, stated)| on != item || stated.kpi != id);
                continue;
            };
            if let Ok(figure) = figure.parse() {
                let stated = Stated {
                    kpi: id.to_owned(),
                    figure,
                    period: period.to_owned(),
                    by: self.login(entry),
                    at: entry.at,
                };
                out.push((*item, stated));
            }
        }
        out.sort_by_key(|(_, stated)| stated.at);
        out.into_iter().map(|(_, stated)| stated).collect()
    }

    fn decisions(&self) -> Vec<Decision> {
        let Some(deciding) = &self.deciding else {
            return Vec::new();
        };
        let decided = |e: &LedgerEntry| {
            e.attribute == deciding.attribute && e.rank >= Rank::Person && e.act == Act::Set
        };
        let ledgers = self.past.ledger.iter();
        let entries = ledgers.flat_map(|(item, ledger)| ledger.iter().map(move |e| (item, e)));
        let made = entries.filter(|(_, e)| decided(e));
        let made = made.flat_map(|(item, entry)| {
            let values = entry
                .value
                .iter()
                .filter(|v| deciding.values.iter().any(|d| d == v));
            values.map(|value| Decision {
                item: number(*item),
                attribute: entry.attribute.clone(),
                value: value.to_owned(),
                by: self.login(entry),
                reason: entry.reason_for(self.readers_of).to_owned(),
                at: entry.at,
            })
        });
        let mut made: Vec<Decision> = made.collect();
        made.sort_by_key(|decision| decision.at);
        made
    }
}

/// The cap, gate or attribute that an entry is about.
fn named(attribute: &str) -> &str {
    attribute.strip_prefix(LIMIT).unwrap_or(attribute)
}

/// What an entry of the ledger says of history; nothing, if it only gives something back.
fn said(entry: &LedgerEntry) -> Option<What> {
    let aside = [SNOOZED, DUPLICATE].contains(&&*entry.attribute);
    let aside = aside || entry.attribute.starts_with(KPI);
    if entry.act == Act::Release || aside {
        return None;
    }
    if entry.attribute.starts_with(LIMIT) {
        return Some(What::Overridden {
            of: named(&entry.attribute).to_owned(),
        });
    }
    Some(What::Set {
        name: entry.attribute.clone(),
        values: values(&entry.value),
        person: entry.rank >= Rank::Person,
    })
}
