//! What takes an item out of the way: `/snooze`.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::command::{End, Said};
use crate::triage::attribute::AttributeValue;
use crate::triage::ledger::{self, Act, Rank};

use super::{Hearing, Outcome};

impl Hearing<'_, '_> {
    pub(super) fn snooze(&mut self, said: &Said, end: End, text: &str) -> Outcome {
        let until = until(end, self.spoken.at).ok_or("that is too far away.")?;
        if until <= self.spoken.at {
            return Err("that day has come already.".to_owned());
        }
        let value = AttributeValue::One(ledger::SNOOZED.to_owned());
        let (name, act, rank) = (ledger::SNOOZED, Act::Set, Rank::Command);
        self.enter(said, text, name, act, rank, value, Some(until));
        self.texts.push(format!(
            "Out of the way until {}. `/release snooze` ends that earlier.",
            until.strftime("%Y-%m-%d %H:%M UTC")
        ));
        Ok(())
    }
}

/// On the day that was named the item is back. `None`: no calendar reaches so far.
fn until(end: End, now: Timestamp) -> Option<Timestamp> {
    match end {
        End::After(span) => {
            let span = SignedDuration::from_hours(i64::from(span.hours));
            now.checked_add(span).ok()
        }
        End::On(day) => Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp()),
    }
}

#[cfg(test)]
mod tests {
    use crate::command::Span;

    use super::*;

    #[test]
    fn it_ends_after_a_time_or_as_the_day_begins() {
        let now: Timestamp = "2026-11-21T08:15:00Z".parse().unwrap();
        let is = |end| until(end, now).map(|at| at.to_string());
        let two_days = End::After(Span { hours: 48 });
        assert_eq!(is(two_days).as_deref(), Some("2026-11-23T08:15:00Z"));
        let day = End::On(jiff::civil::date(2026, 12, 24));
        assert_eq!(is(day).as_deref(), Some("2026-12-24T00:00:00Z"));
        assert_eq!(is(End::On(jiff::civil::Date::MAX)), None);
    }
}
