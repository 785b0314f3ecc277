//! In which order changes were made, whatever the order in which they were told.
//!
//! The ledger is written as webhooks come, and they come in any order: also an hour late, where the
//! service was down. What people change by hand and what they say carries GitHub's own time; among
//! such entries that time counts. GitHub's times are whole seconds: within one, what was told first
//! counts as the first. What rules wrote stays where it was entered, for that is by our own clock.

use jiff::{SignedDuration, Timestamp};

use super::{LedgerEntry, MILESTONE, Rank, SEEN};
use crate::triage::attribute::AttributeValue;

/// By so much our clock may be behind GitHub's, and labels come after the issue they were chosen for.
const BEHIND: SignedDuration = SignedDuration::from_secs(2);

/// What a change of a label is called in the ledger.
pub const LABEL: &str = "label";
/// What the choice of whoever opened the issue is called in the ledger, until a word of its own tells
/// of it.
pub const OPENED: &str = "opened";
/// What a change of a board's field is called in the ledger, before the board's name. (Once the
/// board was not named.)
const FIELD: &str = "field";

/// What a change of a field of a board (policy board id) is called in the ledger.
#[must_use]
pub fn field_on(board: &str) -> String {
    format!("{FIELD} {board}")
}

/// Where a change was made by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'e> {
    Label,
    /// The policy's board id; empty where it was not noted.
    Field(&'e str),
}

/// Where the entry was made by hand, if it was.
#[must_use]
pub fn place(entry: &LedgerEntry) -> Option<Place<'_>> {
    entry.by?;
    match entry.cause.as_str() {
        LABEL => Some(Place::Label),
        FIELD => Some(Place::Field("")),
        cause => {
            let board = cause.strip_prefix(FIELD)?.strip_prefix(' ')?;
            Some(Place::Field(board))
        }
    }
}

/// An entry, and which it was of those that were told.
#[derive(Clone, Copy, Debug)]
pub struct Told<'e> {
    pub entry: &'e LedgerEntry,
    /// Larger: told later.
    pub nth: usize,
}

/// The entries about one attribute in the order in which they were made.
///
/// What was seen before its webhook told of it is left out once that has been told, which counts from
/// where it was seen.
#[must_use]
pub fn in_order<'e>(entries: &'e [LedgerEntry], attribute: &str) -> Vec<Told<'e>> {
    let of_it = entries.iter().enumerate();
    let of_it = of_it.filter(|(_, entry)| entry.attribute == attribute);
    let mut out: Vec<Told<'e>> = Vec::new();
    for (nth, entry) in of_it {
        let told = Told { entry, nth };
        let Some(at) = time(entry) else {
            out.push(told);
            continue;
        };
        let seen = out.iter().position(|t| is_word_of(entry, t.entry));
        if let Some(seen) = seen {
            out.remove(seen);
        }
        let later = |t: &Told<'_>| time(t.entry).is_some_and(|other| other > at);
        let place = out.iter().position(later).unwrap_or(out.len());
        out.insert(seen.unwrap_or(place).min(place), told);
    }
    out
}

/// The last entry about something.
#[must_use]
pub fn last<'e>(entries: &'e [LedgerEntry], name: &str) -> Option<&'e LedgerEntry> {
    in_order(entries, name).last().map(|told| told.entry)
}

/// Does the entry tell of what was seen before?
fn is_word_of(entry: &LedgerEntry, seen: &LedgerEntry) -> bool {
    let by_hand = place(entry).is_some() || entry.cause == MILESTONE;
    let when = match seen.cause.as_str() {
        SEEN => entry.by.is_some() && seen.at >= entry.at,
        // Labels come a moment after the issue.
        OPENED => entry.by == seen.by && seen.at >= since(entry),
        _ => false,
    };
    by_hand && when && seen.value == entry.value
}

/// When the change was made at the earliest, by our clock.
fn since(entry: &LedgerEntry) -> Timestamp {
    entry.at.saturating_sub(BEHIND).unwrap_or(entry.at)
}

/// The values that were set by hand in other places before this change by hand. If GitHub shows one
/// of them, it has spread from there, over this one, before this one was told. Not what was set
/// within the same second in the same place: of that nobody knows that it was before.
pub(super) fn outdated_by(entry: &LedgerEntry, before: &[Told<'_>]) -> Vec<AttributeValue> {
    let Some(here) = place(entry) else {
        return Vec::new();
    };
    let of = |elsewhere: bool| {
        let made = before.iter().map(|told| told.entry);
        made.filter(move |b| place(b).is_some_and(|place| (place != here) == elsewhere))
    };
    let unsure = |value: &AttributeValue| of(false).any(|b| b.at == entry.at && b.value == *value);
    let elsewhere = of(true).map(|b| &b.value);
    elsewhere.filter(|value| !unsure(value)).cloned().collect()
}

/// The values that rules wrote after this change by hand was made, and before it was told. If GitHub
/// shows one of them, a rule wrote over it that could not know.
pub(super) fn overwritten_by(entry: &LedgerEntry, before: &[Told<'_>]) -> Vec<AttributeValue> {
    if place(entry).is_none() {
        return Vec::new();
    }
    let made = before.iter().map(|told| told.entry);
    made.filter(|b| b.rank == Rank::Rule && b.at >= since(entry))
        .map(|b| b.value.clone())
        .collect()
}

/// GitHub's time, where it has one.
fn time(entry: &LedgerEntry) -> Option<Timestamp> {
    let cause = entry.cause.as_str();
    let by_hand = place(entry).is_some() || [MILESTONE, SEEN, OPENED].contains(&cause);
    if by_hand {
        Some(entry.at)
    } else {
        entry.said_at
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::{Act, Rank};
    use super::*;
    use crate::ids::UserId;

    fn entry(cause: &str, value: &str, second: i64) -> LedgerEntry {
        LedgerEntry {
            attribute: "kind".into(),
            act: Act::Set,
            rank: Rank::Person,
            value: AttributeValue::One(value.into()),
            at: Timestamp::from_second(second).unwrap(),
            by: (cause != SEEN).then_some(UserId(7)),
            cause: cause.into(),
            reason: String::new(),
            told_in: None,
            until: None,
            said_at: None,
        }
    }

    fn order(entries: &[LedgerEntry]) -> String {
        let told = in_order(entries, "kind");
        let values: Vec<_> = told.iter().map(|t| t.entry.value.to_string()).collect();
        values.join(" ")
    }

    #[test]
    fn changes_by_hand_stand_in_the_order_of_githubs_times() {
        let field = field_on("delivery");
        let late = [
            entry(&field, "b", 2),
            entry("label", "d", 4),
            entry("label", "a", 1),
            entry("field", "c", 3),
        ];
        assert_eq!(order(&late), "a b c d");
        let within_a_second = [entry("label", "x", 5), entry(&field, "y", 5)];
        assert_eq!(order(&within_a_second), "x y");
    }

    #[test]
    fn what_has_no_time_of_githubs_stays_where_it_was_told() {
        let said = [
            entry("label", "a", 5),
            entry("/kind b", "b", 1),
            entry("label", "c", 6),
        ];
        assert_eq!(order(&said), "a b c");
        // A late word of what was before them all goes before them all.
        let late = [
            entry("label", "b", 5),
            entry("/kind c", "c", 1),
            entry("label", "a", 4),
        ];
        assert_eq!(order(&late), "a b c");
    }

    #[test]
    fn what_a_rule_wrote_before_it_could_know_is_overwritten() {
        let by_rule = |second: i64| LedgerEntry {
            rank: Rank::Rule,
            by: None,
            ..entry("a-rule", "a", second)
        };
        let overwritten = |entries: &[LedgerEntry]| {
            let told = in_order(entries, "kind");
            let (last, before) = told.split_last().expect("an entry");
            let values = overwritten_by(last.entry, before);
            values.iter().map(ToString::to_string).collect::<String>()
        };
        assert_eq!(overwritten(&[by_rule(5), entry("label", "b", 5)]), "a");
        assert_eq!(overwritten(&[by_rule(4), entry("label", "b", 5)]), "a");
        assert_eq!(overwritten(&[by_rule(2), entry("label", "b", 5)]), "");
        assert_eq!(overwritten(&[by_rule(5), entry("/kind b", "b", 5)]), "");
    }

    #[test]
    fn what_was_set_elsewhere_before_is_outdated() {
        let outdated = |entries: &[LedgerEntry]| {
            let told = in_order(entries, "kind");
            let (last, before) = told.split_last().expect("an entry");
            let values = outdated_by(last.entry, before);
            values.iter().map(ToString::to_string).collect::<String>()
        };
        let field = field_on("delivery");
        let both = [entry("label", "a", 1), entry(&field, "b", 1)];
        assert_eq!(outdated(&both), "a");
        let here = [entry("label", "a", 1), entry("label", "b", 3)];
        assert_eq!(outdated(&here), "");
        let unsure = [
            entry(&field, "a", 1),
            entry("label", "a", 3),
            entry("label", "b", 3),
        ];
        assert_eq!(outdated(&unsure), "");
        let said = [entry("label", "a", 1), entry("/kind b", "b", 3)];
        assert_eq!(outdated(&said), "");
    }

    #[test]
    fn what_was_seen_is_forgotten_when_it_is_told_whose_it_was() {
        let seen = entry(SEEN, "a", 9);
        let told = [entry("field", "b", 3), seen.clone(), entry("label", "a", 2)];
        assert_eq!(order(&told), "a b");
        // What was said since is later than what was seen.
        let (seen, said) = (entry(SEEN, "a", 1), entry("/kind b", "b", 1));
        let opened = LedgerEntry {
            by: Some(UserId(7)),
            ..entry(OPENED, "a", 1)
        };
        for first in [&seen, &opened] {
            let told = [first.clone(), said.clone(), entry("label", "a", 1)];
            assert_eq!(order(&told), "a b", "{}", first.cause);
        }
        let others = LedgerEntry {
            by: Some(UserId(8)),
            ..entry("label", "a", 1)
        };
        assert_eq!(order(&[opened, others]), "a a");
        let seen = entry(SEEN, "a", 9);
        // It was seen before this one was made.
        let another = [seen, entry("label", "a", 10)];
        assert_eq!(order(&another), "a a");
    }
}
