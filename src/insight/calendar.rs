//! Weeks and working days on the calendar of a time zone.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A local time as an instant. One that a change of clocks skips is moved forward by the gap; of
/// one that happens twice it is the first.
#[must_use]
pub fn at_local(local: DateTime, zone: &TimeZone) -> Timestamp {
    zone.to_ambiguous_timestamp(local)
        .compatible()
        .unwrap_or(Timestamp::MAX)
}

/// The beginning of a day.
#[must_use]
pub fn midnight(day: Date, zone: &TimeZone) -> Timestamp {
    at_local(day.to_datetime(jiff::civil::Time::midnight()), zone)
}

/// The same local time, that many times seven days earlier.
#[must_use]
pub fn weeks_before(end: Timestamp, weeks: u32, zone: &TimeZone) -> Timestamp {
    let local = zone.to_datetime(end);
    at_local(local.saturating_sub(i64::from(weeks).weeks()), zone)
}

/// Seconds from one instant to another.
#[must_use]
pub fn seconds(a: Timestamp, b: Timestamp) -> f64 {
    b.duration_since(a).as_secs_f64()
}

/// Days of 86,400 seconds.
#[must_use]
pub fn days(a: Timestamp, b: Timestamp) -> f64 {
    seconds(a, b) / 86_400.0
}

/// Days from Monday to Friday between two instants: of each local day, the part of it that lies
/// between them.
#[must_use]
pub fn working_days(a: Timestamp, b: Timestamp, zone: &TimeZone) -> f64 {
    if b <= a {
        return 0.0;
    }
    let (first, last) = (zone.to_datetime(a).date(), zone.to_datetime(b).date());
    if first == last {
        return part_of(first, a, b, zone);
    }
    let tomorrow = midnight(first.tomorrow().unwrap_or(first), zone);
    part_of(first, a, tomorrow, zone)
        + f64::from(weekdays_between(first, last))
        + part_of(last, midnight(last, zone), b, zone)
}

/// The part of a day that an interval within it takes; nothing on weekends.
fn part_of(day: Date, a: Timestamp, b: Timestamp, zone: &TimeZone) -> f64 {
    if is_weekend(day) {
        return 0.0;
    }
    let length = seconds(
        midnight(day, zone),
        midnight(day.tomorrow().unwrap_or(day), zone),
    );
    if length > 0.0 {
        seconds(a, b) / length
    } else {
        0.0
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Mondays to Fridays after one day and before another.
fn weekdays_between(first: Date, last: Date) -> i32 {
    let whole = days_of(first, last) - 1;
    let (weeks, rest) = (whole / 7, whole % 7);
    let start = i32::from(first.weekday().to_monday_zero_offset()) + 1;
    let odd = (0..rest).filter(|n| (start + n) % 7 < 5).count();
    weeks * 5 + i32::try_from(odd).unwrap_or_default()
}

fn days_of(first: Date, last: Date) -> i32 {
    first.until(last).map_or(1, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn london() -> TimeZone {
        TimeZone::get("Europe/London").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_weekend_is_no_work() {
        let zone = london();
        let (friday, monday) = (at("2026-01-09T12:00:00Z"), at("2026-01-12T12:00:00Z"));
        assert!((working_days(friday, monday, &zone) - 1.0).abs() < 1e-9);
        let saturday = at("2026-01-10T03:00:00Z");
        let sunday = at("2026-01-11T22:00:00Z");
        assert!(working_days(saturday, sunday, &zone).abs() < 1e-9);
        assert!(working_days(monday, friday, &zone).abs() < 1e-9);
    }

    #[test]
    fn a_long_interval_is_the_sum_of_its_days() {
        let zone = london();
        let start = at("2026-03-04T10:20:00Z");
        for n in 0..40 {
            let end = start + (n * 31).hours();
            let mut sum = 0.0;
            let mut t = start;
            while t < end {
                let next = (t + 1.hour()).min(end);
                sum += working_days(t, next, &zone);
                t = next;
            }
            let whole = working_days(start, end, &zone);
            assert!((whole - sum).abs() < 1e-9, "{n}: {whole} and {sum}");
        }
    }

    #[test]
    fn a_day_without_midnight_is_a_day() {
        // Clocks in Beirut go forward at midnight, on a Sunday.
        let zone = TimeZone::get("Asia/Beirut").unwrap();
        let start = at("2026-03-27T10:00:00Z");
        let end = at("2026-03-30T10:00:00Z");
        let found = working_days(start, end, &zone);
        // Friday from 12:00 local, Monday to 13:00 local.
        assert!((found - (0.5 + 13.0 / 24.0)).abs() < 1e-9, "{found}");
    }

    #[test]
    fn a_week_before_is_at_the_same_local_time() {
        let zone = london();
        // Clocks went back on Sunday 2026-10-25.
        let monday = at("2026-10-26T09:00:00Z");
        assert_eq!(weeks_before(monday, 1, &zone), at("2026-10-19T08:00:00Z"));
        // 01:30 did not exist on 2026-03-29.
        let sunday = at("2026-04-05T00:30:00Z");
        assert_eq!(weeks_before(sunday, 1, &zone), at("2026-03-29T01:30:00Z"));
    }
}
