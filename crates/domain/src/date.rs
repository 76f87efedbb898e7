//! Dates as precise as they are known: a year, a month, or a day.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// A text that is no date of the forms the ledger knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{value:?} is not a date: write 2026, 2026-03 or 2026-03-31 (years 1000 to 9999), as precise as it is known"
)]
pub struct DateError {
    /// What was found, cut to 40 characters.
    pub value: String,
}

/// A date of its own precision: `2026`, `2026-03` or `2026-03-31`. An unknown date is an absent one.
///
/// The order is that of the texts, so a year comes before its months. Due dates are compared by [`PartialDate::last_day`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartialDate(
    // Year × 65,536 + month × 256 + day, where 0 stands for "not known": four bytes even in an `Option`.
    NonZeroU32,
);

impl PartialDate {
    fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        let in_calendar = match (month, day) {
            (0..=12, 0) => true,
            (_, _) => NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).is_some(),
        };
        if !in_calendar || !(1000..=9999).contains(&year) {
            return None;
        }
        NonZeroU32::new(year << 16 | month << 8 | day).map(Self)
    }

    /// A date known to the day. `None` outside the years 1000 to 9999.
    pub fn from_day(day: NaiveDate) -> Option<Self> {
        Self::new(u32::try_from(day.year()).ok()?, day.month(), day.day())
    }

    /// The year.
    pub fn year(self) -> u32 {
        self.0.get() >> 16
    }

    /// The month, 1 to 12, if it is known.
    pub fn month(self) -> Option<u32> {
        Some(self.0.get() >> 8 & 0xff).filter(|month| *month > 0)
    }

    /// The day of the month, if it is known.
    pub fn day(self) -> Option<u32> {
        Some(self.0.get() & 0xff).filter(|day| *day > 0)
    }

    /// The first day it may stand for.
    pub fn first_day(self) -> NaiveDate {
        day_of(
            self.year(),
            self.month().unwrap_or(1),
            self.day().unwrap_or(1),
        )
    }

    /// The last day it can say anything of when it is recorded: one that goes on then, as a year may, ends for this with the day of recording.
    /// Where it is latest on Earth the next day may have begun.
    pub fn last_day_by(self, recorded: DateTime<Utc>) -> NaiveDate {
        let begun = self.first_day().min(latest_day(recorded));
        self.last_day().min(recorded.date_naive().max(begun))
    }

    /// The last day it may stand for: a due date of `2026` is kept by anything done on 31 December.
    pub fn last_day(self) -> NaiveDate {
        let month = self.month().unwrap_or(12);
        match self.day() {
            Some(day) => day_of(self.year(), month, day),
            None => (28..=31)
                .rev()
                .find_map(|day| {
                    NaiveDate::from_ymd_opt(i32::try_from(self.year()).ok()?, month, day)
                })
                .unwrap_or_default(),
        }
    }
}

/// The day it is where it is latest, at UTC+14: of what happened, everything up to this day can have been dated truly.
pub fn latest_day(now: DateTime<Utc>) -> NaiveDate {
    day_at(now, TimeDelta::hours(14))
}

/// The day it is where it is earliest, at UTC−12: every day before it is over everywhere.
pub fn earliest_day(now: DateTime<Utc>) -> NaiveDate {
    day_at(now, TimeDelta::hours(-12))
}

fn day_at(now: DateTime<Utc>, offset: TimeDelta) -> NaiveDate {
    now.checked_add_signed(offset).unwrap_or(now).date_naive()
}

/// A day that was checked when the date was made, so the default is never taken.
fn day_of(year: u32, month: u32, day: u32) -> NaiveDate {
    i32::try_from(year)
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, month, day))
        .unwrap_or_default()
}

impl FromStr for PartialDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let error = || DateError {
            value: text.chars().take(40).collect(),
        };
        let (year, month, day) = match text.as_bytes() {
            [year @ .., b'-', m1, m0, b'-', d1, d0] if year.len() == 4 => {
                (decimal(year), part([*m1, *m0]), part([*d1, *d0]))
            }
            [year @ .., b'-', m1, m0] if year.len() == 4 => {
                (decimal(year), part([*m1, *m0]), Some(0))
            }
            year if year.len() == 4 => (decimal(year), Some(0), Some(0)),
            _ => return Err(error()),
        };
        let (Some(year), Some(month), Some(day)) = (year, month, day) else {
            return Err(error());
        };
        Self::new(year, month, day).ok_or_else(error)
    }
}

/// The number that digits write. By hand: every command and event of the log goes through here.
fn decimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| {
        let value = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        Some(number * 10 + value)
    })
}

/// The number of a month or a day, where 00 stands for none.
fn part(digits: [u8; 2]) -> Option<u32> {
    decimal(&digits).filter(|part| *part > 0)
}

impl TryFrom<&str> for PartialDate {
    type Error = DateError;

    fn try_from(text: &str) -> Result<Self, DateError> {
        text.parse()
    }
}

impl PartialDate {
    /// Its text and how long that is. Written by hand: every command and event of the log goes through here.
    fn text(self) -> ([u8; 10], usize) {
        let digit = |value: u32| u8::try_from(value % 10).map_or(b'0', |value| b'0' + value);
        let year = self.year();
        let mut text = *b"0000-00-00";
        let mut length = 4;
        for (place, divisor) in text.iter_mut().zip([1000, 100, 10, 1]) {
            *place = digit(year / divisor);
        }
        for part in [self.month(), self.day()].into_iter().flatten() {
            let places = text.iter_mut().skip(length + 1).zip([10, 1]);
            for (place, divisor) in places {
                *place = digit(part / divisor);
            }
            length += 3;
        }
        (text, length)
    }

    /// Calls `write` with its text.
    pub(crate) fn with_text<T>(self, write: impl FnOnce(&str) -> T) -> T {
        let (text, length) = self.text();
        let written = text.get(..length).unwrap_or_default();
        // Digits and hyphens are always UTF-8.
        write(str::from_utf8(written).unwrap_or_default())
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl crate::wire::v1::Outlined for PartialDate {}

impl Serialize for PartialDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

impl<'de> Deserialize<'de> for PartialDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DateVisitor;

        impl Visitor<'_> for DateVisitor {
            type Value = PartialDate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date like 2026, 2026-03 or 2026-03-31")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<PartialDate, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(DateVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> PartialDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_date_keeps_its_precision() {
        for text in ["2026", "2026-03", "2026-03-31", "1951-07-28", "9999-12-31"] {
            assert_eq!(date(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "26",
            "2026-",
            "2026-3",
            "2026-13",
            "2026-00",
            "2026-02-30",
            "2026-02-00",
            "2026-03-31T",
            "0999",
            "+026",
            "2026/03",
            "2026-03-3１",
            "-026-03",
            "2026-1-01",
        ] {
            assert!(text.parse::<PartialDate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_date_spans_the_days_it_may_stand_for() {
        let span = |text| {
            let date = date(text);
            (date.first_day().to_string(), date.last_day().to_string())
        };
        assert_eq!(span("2026"), ("2026-01-01".into(), "2026-12-31".into()));
        assert_eq!(span("2024-02"), ("2024-02-01".into(), "2024-02-29".into()));
        assert_eq!(span("2023-02"), ("2023-02-01".into(), "2023-02-28".into()));
        assert_eq!(
            span("2026-04-07"),
            ("2026-04-07".into(), "2026-04-07".into())
        );
    }

    #[test]
    fn a_day_has_come_when_it_has_begun_anywhere_and_is_over_when_it_is_over_everywhere() {
        let days = |text: &str| {
            let now = text.parse().expect("a time");
            (latest_day(now).to_string(), earliest_day(now).to_string())
        };
        for (now, latest, earliest) in [
            ("2026-11-30T09:59:59Z", "2026-11-30", "2026-11-29"),
            ("2026-11-30T10:00:00Z", "2026-12-01", "2026-11-29"),
            ("2026-11-30T12:00:00Z", "2026-12-01", "2026-11-30"),
            ("2026-12-31T23:59:59Z", "2027-01-01", "2026-12-31"),
        ] {
            assert_eq!(days(now), (latest.to_owned(), earliest.to_owned()));
        }
    }

    #[test]
    fn what_goes_on_when_it_is_recorded_ends_with_that_day() {
        let by = |text: &str, recorded: &str| {
            let recorded = recorded.parse().expect("a time");
            date(text).last_day_by(recorded).to_string()
        };
        let noon = "2026-11-30T12:00:00Z";
        assert_eq!(by("2026", noon), "2026-11-30");
        assert_eq!(by("2026-11-30", noon), "2026-11-30");
        assert_eq!(by("2026-12-01", noon), "2026-12-01");
        assert_eq!(by("2026-12", noon), "2026-12-01");
        assert_eq!(by("2030", noon), "2026-12-01");
        assert_eq!(by("2025", noon), "2025-12-31");
    }

    #[test]
    fn an_optional_date_takes_four_bytes() {
        assert_eq!(size_of::<Option<PartialDate>>(), 4);
    }
}
