//! Two places that show one attribute, changed by hand at once to different values: one of the
//! changes is lost, and that is said.

use jiff::SignedDuration;

use crate::policy::model::{Attribute, Policy};
use crate::policy::template::code;

use super::super::attribute::AttributeValue;
use super::super::decision::{Mode, Outcome, WantedComment};
use super::super::ledger::LedgerEntry;
use super::super::projection::shows_label;
use super::super::snapshot::Snapshot;
use super::attribute::no_rule;

/// Changes by hand that are no further apart were made without knowing of each other: it takes
/// about so long until one place follows the other, and that is seen.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(10);
/// What is older is nobody's news.
const NEWS: SignedDuration = SignedDuration::from_hours(24);

const LABEL: &str = "label";
const FIELD: &str = "field";

/// What is to be said of an attribute whose label and field were changed at once, if they were.
/// One comment for each time, which stays as it was said. Nothing where nothing is written
/// through, for then both stand; and nothing of many values, which do not exclude each other.
pub(super) fn changed_at_once(
    policy: &Policy,
    snapshot: &Snapshot,
    attribute: &Attribute,
    outcome: &Outcome,
) -> Option<WantedComment> {
    if attribute.many || policy.mode != Mode::Enforce || !shows_label(attribute, snapshot) {
        return None;
    }
    let (first, last) = clash(&snapshot.ledger, &attribute.id)?;
    if snapshot.now.duration_since(last.at) > NEWS {
        return None;
    }
    let name = code(&attribute.id);
    let (label, field) = if first.cause == LABEL {
        (first, last)
    } else {
        (last, first)
    };
    let stands = match &outcome.value {
        value if value.is_empty() => "nothing".to_owned(),
        value => in_code(value),
    };
    // Webhooks come in any order; where GitHub's seconds tell the two apart, those are believed.
    let (earlier, later) = if first.at > last.at {
        (last, first)
    } else {
        (first, last)
    };
    let which = if outcome.value == later.value {
        "The later change counts"
    } else if outcome.value == earlier.value {
        "The earlier change counts"
    } else {
        "Neither counts"
    };
    Some(WantedComment {
        key: format!("both-{}-{}", attribute.id, first.at.as_microsecond()),
        sticky: false,
        collapsed: false,
        body: format!(
            "{name} was changed in two places at once: the label to {}, the field on the board to \
             {}. {which}: it is {stands} now, in both. If that is not what was meant, set either \
             of them again; the other follows.",
            in_code(&label.value),
            in_code(&field.value)
        ),
        reason: no_rule(policy, "label and field were changed at once"),
    })
}

/// The last change by hand and, in the other place, the last one before it, if they were made at
/// once and say different things. One that only took the value away is half of a change.
fn clash<'e>(
    ledger: &'e [LedgerEntry],
    attribute: &str,
) -> Option<(&'e LedgerEntry, &'e LedgerEntry)> {
    let by_hand = |e: &&LedgerEntry| {
        e.attribute == attribute
            && e.by.is_some()
            && [LABEL, FIELD].contains(&e.cause.as_str())
            && !e.value.is_empty()
    };
    let mut latest_first = ledger.iter().rev().filter(by_hand);
    let last = latest_first.next()?;
    let first = latest_first.find(|e| e.cause != last.cause)?;
    let at_once = last.at.duration_since(first.at).abs() <= AT_ONCE;
    (at_once && first.value != last.value).then_some((first, last))
}

fn in_code(value: &AttributeValue) -> String {
    code(&value.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::super::ledger::{Act, Rank};
    use super::*;
    use crate::ids::UserId;

    fn by_hand(cause: &str, value: &str, second: i64) -> LedgerEntry {
        LedgerEntry {
            attribute: "kind".into(),
            act: Act::Set,
            rank: Rank::Person,
            value: AttributeValue::One(value.into()),
            at: jiff::Timestamp::from_second(second).unwrap(),
            by: Some(UserId(7)),
            cause: cause.into(),
            reason: String::new(),
            told_in: None,
            until: None,
        }
    }

    fn found(ledger: &[LedgerEntry]) -> Option<(String, String)> {
        let (first, last) = clash(ledger, "kind")?;
        Some((first.value.to_string(), last.value.to_string()))
    }

    fn pair(first: &str, last: &str) -> (String, String) {
        (first.to_owned(), last.to_owned())
    }

    #[test]
    fn two_places_clash_where_both_were_changed_at_once_to_different_values() {
        let label = |value, second| by_hand("label", value, second);
        let field = |value, second| by_hand("field", value, second);
        assert_eq!(
            found(&[label("bug", 0), field("docs", 10)]),
            Some(pair("bug", "docs"))
        );
        assert_eq!(
            found(&[field("docs", 3), label("bug", 0)]),
            Some(pair("docs", "bug"))
        );
        assert_eq!(
            found(&[label("bug", 0), field("docs", 11)]),
            None,
            "one after the other"
        );
        assert_eq!(
            found(&[label("bug", 0), field("bug", 1)]),
            None,
            "they say the same"
        );
        assert_eq!(
            found(&[label("bug", 0), label("docs", 1)]),
            None,
            "one place"
        );
        // A relabelling is two changes, and the first of them says nothing yet.
        assert_eq!(found(&[field("docs", 0), label("", 1)]), None);
        let relabelled = [field("docs", 0), label("", 1), label("bug", 1)];
        assert_eq!(found(&relabelled), Some(pair("docs", "bug")));
        // What nobody did by hand is no such change.
        let seen = LedgerEntry {
            by: None,
            ..label("bug", 0)
        };
        assert_eq!(found(&[seen, field("docs", 1)]), None);
        let said = by_hand("/kind bug", "bug", 0);
        assert_eq!(found(&[said, field("docs", 1)]), None);
    }
}
