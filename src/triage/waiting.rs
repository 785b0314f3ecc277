//! Questions to the author that nobody answers: when they are reminded, and when it ends by itself.
//!
//! All of it is worked out from the ledger, so it is the same after any restart, and happens once.

use jiff::{SignedDuration, Timestamp};

use crate::policy::Policy;
use crate::policy::model::{Attribute, Waits};

use super::attribute::AttributeValue;
use super::decision::{Mode, Reason};
use super::ledger::{self, Act, LedgerEntry, Rank, fold};

/// A question that waits for the author.
#[derive(Clone, Debug)]
pub struct Waiting<'p> {
    pub attribute: &'p Attribute,
    pub asked_at: Timestamp,
    /// The author is to be reminded now: the key of the comment, its template, and why.
    pub reminder: Option<(String, &'p str, Reason)>,
    /// It ends now.
    pub end: Option<LedgerEntry>,
    /// When there will be something to do.
    pub next: Option<Timestamp>,
}

/// The questions that wait on an open item. While it is snoozed nobody is reminded.
#[must_use]
pub fn waiting<'p>(
    policy: &'p Policy,
    entries: &[LedgerEntry],
    open: bool,
    now: Timestamp,
) -> Vec<Waiting<'p>> {
    if !open || ledger::snoozed(entries, now).is_some() {
        return Vec::new();
    }
    let attributes = policy.attributes.values();
    attributes
        .filter_map(|attribute| one(policy, attribute, entries, now))
        .collect()
}

fn one<'p>(
    policy: &Policy,
    attribute: &'p Attribute,
    entries: &[LedgerEntry],
    now: Timestamp,
) -> Option<Waiting<'p>> {
    let owner = fold(entries, &attribute.id).owner?;
    let AttributeValue::One(id) = &owner.value else {
        return None;
    };
    let Waits { remind, end } = attribute.value(id)?.waits.as_ref()?;
    // What was commanded is carried out in every mode; what somebody's hand began is the policy's.
    let mode = match owner.rank {
        Rank::Ambient | Rank::Rule => return None,
        Rank::Person => policy.mode,
        Rank::Command | Rank::Override => Mode::Enforce,
    };
    let asked_at = owner.at;
    let mut out = Waiting {
        attribute,
        asked_at,
        reminder: None,
        end: None,
        next: None,
    };
    let mut ends_at = end.as_ref().map(|(after, _)| later(asked_at, *after));
    if let Some((after, template)) = remind {
        let key = ledger::reminder(&attribute.id, asked_at);
        let this = AttributeValue::One(key.clone());
        let mut told = entries.iter().rev();
        let told = told.find(|e| e.attribute == ledger::REMINDED && e.value == this);
        if let Some(told) = told {
            // Nobody is given less time after the reminder than the policy says, however late
            // that came.
            let rest = end.as_ref().map(|(end, _)| *end - *after);
            ends_at = ends_at.max(rest.map(|rest| later(told.at, rest)));
        } else {
            ends_at = None;
            let due = later(asked_at, *after);
            if now < due {
                out.next = Some(due);
            } else {
                let reason = Reason {
                    rule: format!("{} {id}", attribute.id),
                    principle: String::new(),
                    because: format!("nobody answered for {}", in_words(*after)),
                    mode,
                };
                out.reminder = Some((key, template, reason));
            }
        }
    }
    if let (Some(at), Some((after, value))) = (ends_at, end) {
        if now < at {
            out.next = Some(at);
        } else if mode == Mode::Enforce {
            out.end = Some(LedgerEntry {
                attribute: attribute.id.clone(),
                act: Act::Set,
                rank: Rank::Command,
                value: AttributeValue::One(value.clone()),
                at: now,
                by: None,
                cause: ledger::UNANSWERED.to_owned(),
                reason: format!("nobody answered for {}", in_words(*after)),
                told_in: None,
                until: None,
                said_at: None,
            });
        }
    }
    Some(out)
}

/// What the author's word gives back, where a question was put to them by this attribute, also one
/// that has ended unanswered: what was there before it.
#[must_use]
pub fn answered(attribute: &Attribute, entries: &[LedgerEntry]) -> Option<AttributeValue> {
    let own = fold(entries, &attribute.id);
    let owner = own.owner?;
    let asks = |value: &AttributeValue| attribute.asks_author(value);
    let open = owner.rank >= Rank::Person && asks(&owner.value);
    if !open && owner.cause != ledger::UNANSWERED {
        return None;
    }
    let said: Vec<_> = own.said.into_iter().map(|given| given.value).collect();
    let asked = said.iter().rposition(asks)?;
    let before = said[..asked].iter().rfind(|value| !asks(value));
    Some(before.cloned().unwrap_or(attribute.nothing()))
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

fn in_words(time: SignedDuration) -> String {
    match time.as_hours() {
        1 => "an hour".to_owned(),
        24 => "a day".to_owned(),
        hours if hours % 24 == 0 => format!("{} days", hours / 24),
        hours => format!("{hours} hours"),
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::{Source, load};

    use super::*;

    const POLICY: &str = "
version: 1
attributes:
  triage:
    values:
      open: {}
      asked: { remind_after: 10h, remind_with: t, ends_after: 1d, ends_as: later }
      later: {}
templates: { t: Well? }
";

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    fn entry(attribute: &str, rank: Rank, value: &str, hours: i64) -> LedgerEntry {
        LedgerEntry {
            attribute: attribute.into(),
            act: Act::Set,
            rank,
            value: AttributeValue::One(value.into()),
            at: at(hours),
            by: None,
            cause: "test".into(),
            reason: String::new(),
            told_in: None,
            until: None,
            said_at: None,
        }
    }

    fn policy() -> Policy {
        load(&[Source::new("p.yaml", POLICY)]).unwrap()
    }

    /// Is there a reminder, an end, and when is there something next, in hours?
    fn stands(policy: &Policy, ledger: &[LedgerEntry], hours: i64) -> (bool, bool, Option<i64>) {
        let waiting = waiting(policy, ledger, true, at(hours));
        let one = waiting.first().unwrap();
        let next = one.next.map(|next| next.as_second() / 3600);
        (one.reminder.is_some(), one.end.is_some(), next)
    }

    #[test]
    fn a_reminder_comes_first_and_the_end_never_without_one() {
        let policy = policy();
        let mut ledger = vec![entry("triage", Rank::Command, "asked", 0)];
        assert_eq!(stands(&policy, &ledger, 9), (false, false, Some(10)));
        assert_eq!(stands(&policy, &ledger, 10), (true, false, None));
        // Nobody was there for long.
        assert_eq!(stands(&policy, &ledger, 90), (true, false, None));
        let told = ledger::reminder("triage", at(0));
        ledger.push(entry(ledger::REMINDED, Rank::Rule, &told, 90));
        assert_eq!(stands(&policy, &ledger, 91), (false, false, Some(104)));
        assert_eq!(stands(&policy, &ledger, 104), (false, true, None));
        // Another question has a time of its own.
        ledger.push(entry("triage", Rank::Command, "asked", 95));
        assert_eq!(stands(&policy, &ledger, 104), (false, false, Some(105)));
    }

    #[test]
    fn what_is_closed_snoozed_or_a_rules_waits_for_nobody() {
        let policy = policy();
        let asked = entry("triage", Rank::Command, "asked", 0);
        assert!(waiting(&policy, std::slice::from_ref(&asked), false, at(99)).is_empty());
        let mut snoozed = entry(ledger::SNOOZED, Rank::Command, "snoozed", 0);
        snoozed.until = Some(at(50));
        let both = [asked, snoozed];
        assert!(waiting(&policy, &both, true, at(49)).is_empty());
        assert_eq!(stands(&policy, &both, 50), (true, false, None));
        let by_rule = [entry("triage", Rank::Rule, "asked", 0)];
        assert!(waiting(&policy, &by_rule, true, at(99)).is_empty());
    }

    #[test]
    fn an_answer_gives_back_what_was_there_before_the_question() {
        let policy = policy();
        let triage = &policy.attributes["triage"];
        let mut ledger = vec![
            entry("triage", Rank::Rule, "open", 0),
            entry("triage", Rank::Command, "asked", 1),
        ];
        let open = Some(AttributeValue::One("open".into()));
        assert_eq!(answered(triage, &ledger), open);
        ledger.push(entry("triage", Rank::Command, "later", 2));
        assert_eq!(answered(triage, &ledger), None, "somebody decided");
        ledger[2].cause = ledger::UNANSWERED.into();
        assert_eq!(answered(triage, &ledger), open, "and here nobody did");
    }
}
