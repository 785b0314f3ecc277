//! Two places that show one attribute, changed by hand at once to different values: the later by
//! GitHub's time counts, the other is lost, and that is said.

use jiff::SignedDuration;

use crate::policy::model::{Attribute, Policy};
use crate::policy::template::code;

use super::super::attribute::AttributeValue;
use super::super::decision::{Mode, Outcome, WantedComment};
use super::super::ledger::LedgerEntry;
use super::super::ledger::told::{Place, in_order, place};
use super::super::projection::shows_label;
use super::super::snapshot::Snapshot;
use super::attribute::no_rule;

/// Changes by hand that are no further apart were made without knowing of each other: it takes
/// about so long until one place follows the other, and that is seen.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(10);
/// What is older is nobody's news.
const NEWS: SignedDuration = SignedDuration::from_hours(24);

/// What is to be said of an attribute that was changed at once in two places, if it was. One
/// comment for each time, which stays as it was said. Nothing where nothing is written through, for
/// then both stand; and nothing of many values, which do not exclude each other.
pub(super) fn changed_at_once(
    policy: &Policy,
    snapshot: &Snapshot,
    attribute: &Attribute,
    outcome: &Outcome,
) -> Option<WantedComment> {
    let places = attribute.fields.len() + usize::from(shows_label(attribute, snapshot));
    if attribute.many || policy.mode != Mode::Enforce || places < 2 {
        return None;
    }
    let (earlier, later) = clash(&snapshot.ledger, &attribute.id)?;
    if snapshot.now.duration_since(later.at) > NEWS {
        return None;
    }
    let stands = match &outcome.value {
        value if value.is_empty() => "nothing".to_owned(),
        value => in_code(value),
    };
    let which = if outcome.value == later.value {
        "The later change counts"
    } else if outcome.value == earlier.value {
        "The earlier change counts"
    } else {
        "Neither counts"
    };
    let both = [earlier, later].map(|change| {
        let place = match place(change) {
            Some(Place::Field(board)) if attribute.fields.len() > 1 && !board.is_empty() => {
                format!("the field on the board {}", code(board))
            }
            Some(Place::Field(_)) => "the field on the board".to_owned(),
            _ => "the label".to_owned(),
        };
        format!("{place} to {}", in_code(&change.value))
    });
    Some(WantedComment {
        key: format!("both-{}-{}", attribute.id, earlier.at.as_microsecond()),
        sticky: false,
        collapsed: false,
        body: format!(
            "{} was changed in two places at once: {}. {which}: it is {stands} now, in both. If \
             that is not what was meant, set either of them again; the other follows.",
            code(&attribute.id),
            both.join(", then ")
        ),
        reason: no_rule(policy, "it was changed in two places at once"),
    })
}

/// The last change by hand and the last one before it in another place, if they were made without
/// knowing of each other and say different things. One that only took the value away is half of a
/// change.
fn clash<'e>(
    ledger: &'e [LedgerEntry],
    attribute: &str,
) -> Option<(&'e LedgerEntry, &'e LedgerEntry)> {
    let told = in_order(ledger, attribute);
    let by_hand = told.iter().filter(|t| !t.entry.value.is_empty());
    let mut latest_first = by_hand.filter_map(|t| Some((t, place(t.entry)?))).rev();
    let (last, there) = latest_first.next()?;
    let (first, _) = latest_first.find(|(_, place)| *place != there)?;
    let at_once = last.entry.at.duration_since(first.entry.at) <= AT_ONCE;
    // Told too late to be followed before the other was made.
    let unknown = first.nth > last.nth;
    ((at_once || unknown) && first.entry.value != last.entry.value)
        .then_some((first.entry, last.entry))
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
            said_at: None,
        }
    }

    fn found(ledger: &[LedgerEntry]) -> Option<(String, String)> {
        let (earlier, later) = clash(ledger, "kind")?;
        Some((earlier.value.to_string(), later.value.to_string()))
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
            Some(pair("bug", "docs"))
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
        let on = |board: &str, value, second| {
            let cause = crate::triage::ledger::told::field_on(board);
            by_hand(&cause, value, second)
        };
        assert_eq!(
            found(&[on("a", "bug", 0), on("b", "docs", 1)]),
            Some(pair("bug", "docs"))
        );
        assert_eq!(found(&[on("a", "bug", 0), on("a", "docs", 1)]), None);
        // Told the other way round, and one of them so late that it was not followed.
        assert_eq!(
            found(&[field("docs", 60), label("bug", 0)]),
            Some(pair("bug", "docs"))
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
