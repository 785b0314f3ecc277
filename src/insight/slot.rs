//! When a digest is due, by the clock on the wall of its time zone.

use jiff::civil::{ISOWeekDate, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::calendar::{at_local, weeks_before};

/// A day of the week and a time of day in a zone.
#[derive(Clone, Debug)]
pub struct Schedule {
    day: Weekday,
    time: Time,
    zone: TimeZone,
}

/// One occasion. The digest made for it is about the seven days on the calendar before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// When it is due, and where the week it is about ends.
    pub at: Timestamp,
    /// Where the week it is about begins.
    pub from: Timestamp,
    /// The ISO week in which most of it lies: `2026-W47`.
    pub week: String,
}

impl Schedule {
    /// Reads `monday 09:00`; `None` for what the policy's checker refuses.
    #[must_use]
    pub fn parse(every: &str, timezone: &str) -> Option<Self> {
        let (day, time) = every.split_once(' ')?;
        let day = match day {
            "monday" => Weekday::Monday,
            "tuesday" => Weekday::Tuesday,
            "wednesday" => Weekday::Wednesday,
            "thursday" => Weekday::Thursday,
            "friday" => Weekday::Friday,
            "saturday" => Weekday::Saturday,
            "sunday" => Weekday::Sunday,
            _ => return None,
        };
        Some(Self {
            day,
            time: time.parse().ok()?,
            zone: TimeZone::get(timezone).ok()?,
        })
    }

    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The newest slot that is not after an instant. However often the clocks change, a week has
    /// one: a time that is skipped is moved forward, of one that comes twice it is the first.
    #[must_use]
    pub fn newest(&self, now: Timestamp) -> Slot {
        let today = self.zone.to_datetime(now).date();
        let back = i64::from(today.weekday().since(self.day));
        let day = today.saturating_sub(back.days());
        let at = at_local(day.to_datetime(self.time), &self.zone);
        if at <= now {
            return self.slot(at);
        }
        let before = day.saturating_sub(1.week());
        self.slot(at_local(before.to_datetime(self.time), &self.zone))
    }

    /// The first slot after an instant.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Slot {
        let newest = self.newest(now).at;
        let day = self
            .zone
            .to_datetime(newest)
            .date()
            .saturating_add(1.week());
        self.slot(at_local(day.to_datetime(self.time), &self.zone))
    }

    /// The slot about a week such as `2026-W47`; `None` if that is not how a week is written.
    #[must_use]
    pub fn about(&self, week: &str) -> Option<Slot> {
        let (year, number) = week.split_once("-W")?;
        let thursday =
            ISOWeekDate::new(year.parse().ok()?, number.parse().ok()?, Weekday::Thursday).ok()?;
        let start = at_local(thursday.date().at(0, 0, 0, 0), &self.zone);
        let mut slot = self.newest(start);
        for _ in 0..3 {
            if slot.week == week {
                return Some(slot);
            }
            slot = self.next(slot.at);
        }
        None
    }

    /// How many slots lie after one instant and not after another: those that were missed.
    #[must_use]
    pub fn between(&self, after: Timestamp, until: Timestamp) -> usize {
        let mut slot = self.next(after);
        let mut n = 0;
        while slot.at <= until {
            n += 1;
            slot = self.next(slot.at);
        }
        n
    }

    fn slot(&self, at: Timestamp) -> Slot {
        let middle = self.zone.to_datetime(at).saturating_sub(84.hours());
        let week = middle.date().iso_week_date();
        Slot {
            at,
            from: weeks_before(at, 1, &self.zone),
            week: format!("{:04}-W{:02}", week.year(), week.week()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_newest_slot_is_this_week_s_or_last_week_s() {
        let schedule = Schedule::parse("monday 09:00", "Europe/London").unwrap();
        let newest = |text| schedule.newest(at(text)).at;
        assert_eq!(newest("2026-11-23T08:59:59Z"), at("2026-11-16T09:00:00Z"));
        assert_eq!(newest("2026-11-23T09:00:00Z"), at("2026-11-23T09:00:00Z"));
        assert_eq!(newest("2026-11-29T23:00:00Z"), at("2026-11-23T09:00:00Z"));
        assert_eq!(schedule.newest(at("2026-11-23T09:00:00Z")).week, "2026-W47");
        assert!(Schedule::parse("mondays", "UTC").is_none());
    }

    #[test]
    fn a_changing_clock_neither_repeats_nor_loses_a_slot() {
        for (zone, every) in [
            ("Europe/London", "sunday 01:30"), // skipped in March, twice in October
            ("Europe/London", "sunday 02:00"),
            ("America/St_Johns", "sunday 02:15"),
            ("Asia/Beirut", "sunday 00:00"),
            ("Pacific/Apia", "friday 09:00"),
        ] {
            let schedule = Schedule::parse(every, zone).unwrap();
            let mut now = at("2026-01-01T00:00:00Z");
            let mut seen = vec![schedule.newest(now).at];
            while now < at("2027-01-01T00:00:00Z") {
                let newest = schedule.newest(now).at;
                if seen.last() != Some(&newest) {
                    assert_eq!(schedule.next(seen[seen.len() - 1]).at, newest);
                    seen.push(newest);
                }
                now += 20.minutes();
            }
            assert!(seen.is_sorted(), "{zone} {every}");
            // A year has 52 or 53, and the one before it began counts.
            assert!((53..=54).contains(&seen.len()), "{zone} {every}");
        }
    }

    #[test]
    fn a_week_is_found_by_its_name() {
        for every in ["monday 09:00", "sunday 23:30", "thursday 12:00"] {
            let schedule = Schedule::parse(every, "Europe/London").unwrap();
            let slot = schedule.newest(at("2026-11-25T12:00:00Z"));
            assert_eq!(schedule.about(&slot.week), Some(slot), "{every}");
        }
        let schedule = Schedule::parse("monday 09:00", "UTC").unwrap();
        assert_eq!(schedule.about("2026-47"), None);
        assert_eq!(schedule.about("2026-W54"), None);
        let (from, to) = (at("2026-11-02T09:00:00Z"), at("2026-11-24T00:00:00Z"));
        assert_eq!(schedule.between(from, to), 3);
    }
}
