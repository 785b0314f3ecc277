//! What is known of each item at an instant, folded from the events before it.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::policy::kpi::Filter;

use super::history::{Event, History, Reason, What};

/// Goes through a history once, stopping where it is told to.
pub(super) struct Items<'h> {
    ahead: &'h [Event],
    places: HashMap<i64, usize>,
    all: Vec<Item<'h>>,
}

/// One item, as far as its events say.
#[derive(Default)]
pub(super) struct Item<'h> {
    pub opened: Option<Timestamp>,
    pub state: State,
    /// When it was first closed.
    pub first_closed: Option<Timestamp>,
    values: Vec<(&'h str, &'h [String])>,
    pub sets: Vec<Set<'h>>,
    pub moves: Vec<Move<'h>>,
    pub overridden: Vec<Timestamp>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Open,
    Closed(Timestamp, Reason),
    Gone,
}

pub(super) struct Set<'h> {
    pub at: Timestamp,
    pub name: &'h str,
    pub values: &'h [String],
    pub before: &'h [String],
    pub person: bool,
}

pub(super) struct Move<'h> {
    pub at: Timestamp,
    pub board: &'h str,
    pub from: &'h str,
    pub to: &'h str,
}

impl<'h> Items<'h> {
    pub fn new(history: &'h History) -> Self {
        Self {
            ahead: &history.events,
            places: HashMap::new(),
            all: Vec::new(),
        }
    }

    /// The items at an instant, which must not be before the one asked for last.
    pub fn at(&mut self, end: Timestamp) -> &[Item<'h>] {
        let n = self.ahead.partition_point(|e| e.at < end);
        let (now, ahead) = self.ahead.split_at(n);
        self.ahead = ahead;
        for event in now {
            let place = *self.places.entry(event.item).or_insert_with(|| {
                self.all.push(Item::default());
                self.all.len() - 1
            });
            self.all[place].fold(event);
        }
        &self.all
    }
}

impl<'h> Item<'h> {
    fn fold(&mut self, event: &'h Event) {
        let at = event.at;
        match &event.what {
            What::Opened => self.opened = self.opened.or(Some(at)),
            What::Closed { reason } => {
                if !matches!(self.state, State::Closed(..)) {
                    self.state = State::Closed(at, *reason);
                    self.first_closed = self.first_closed.or(Some(at));
                }
            }
            What::Reopened => self.state = State::Open,
            What::Gone => self.state = State::Gone,
            What::Moved { board, from, to } => self.moves.push(Move {
                at,
                board,
                from,
                to,
            }),
            What::Set {
                name,
                values,
                person,
            } => {
                self.sets.push(Set {
                    at,
                    name,
                    values,
                    before: self.values(name),
                    person: *person,
                });
                match self.values.iter_mut().find(|(n, _)| n == name) {
                    Some((_, old)) => *old = values,
                    None => self.values.push((name, values)),
                }
            }
            What::Overridden { .. } => self.overridden.push(at),
        }
    }

    /// The values of an attribute or field; empty without one.
    pub fn values(&self, name: &str) -> &'h [String] {
        let found = self.values.iter().find(|(n, _)| *n == name);
        found.map_or(&[], |(_, values)| values)
    }

    pub fn is_kept_by(&self, filter: &Filter) -> bool {
        filter.0.iter().all(|(name, wanted)| {
            let has = self.values(name);
            wanted.iter().any(|w| match w.as_str() {
                "*" => !has.is_empty(),
                "" => has.is_empty(),
                w => has.iter().any(|v| v == w),
            })
        })
    }
}
