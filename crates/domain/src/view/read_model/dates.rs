//! Counts of the dates that a view's commitments are held to. The number that is late on a day is a sum of them: no commitment is read.

use std::collections::BTreeMap;
use std::hash::Hash;

use chrono::{Days, NaiveDate};
use rustc_hash::FxHashMap;

use super::watch_lists::{UndatedCounts, UndatedLists};
use crate::date::PartialDate;
use crate::wire::v1::view::{STALE_AFTER_DAYS, Timeliness, WatchList};

/// A day as the number of days since 1970.
pub(crate) type EpochDay = u32;

/// The dates that one commitment is held to. Of one that owes nothing, as after its withdrawal, there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dates {
    pub(crate) due: Option<PartialDate>,
    pub(crate) original_due: Option<PartialDate>,
    /// The last day that a report is about.
    pub(crate) reported_until: Option<EpochDay>,
    pub(crate) never_reported: bool,
    /// The watch lists it is on, but for those that follow from the dates.
    pub(crate) watched: UndatedLists,
}

/// How many commitments of a view are held to each date. Dates repeat, so this stays small however many commitments there are.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    due: FxHashMap<PartialDate, u32>,
    original_due: FxHashMap<PartialDate, u32>,
    reported_until: FxHashMap<EpochDay, u32>,
    never_reported: u32,
    watched: UndatedCounts,
}

impl Calendar {
    /// Takes the dates a commitment was held to out, and puts those it is held to now in. Most events move one of them or none.
    pub(crate) fn change(&mut self, before: Dates, after: Dates) {
        shift(&mut self.due, before.due, after.due);
        shift(
            &mut self.original_due,
            before.original_due,
            after.original_due,
        );
        shift(
            &mut self.reported_until,
            before.reported_until,
            after.reported_until,
        );
        self.never_reported = (self.never_reported + u32::from(after.never_reported))
            .saturating_sub(u32::from(before.never_reported));
        self.watched.change(before.watched, after.watched);
    }

    /// How many of the commitments are on each watch list on a day.
    pub(crate) fn lists(&self, today: NaiveDate) -> BTreeMap<WatchList, u64> {
        self.watched.with(self.on(today))
    }

    /// How the commitments stand against their dates on a day.
    pub(crate) fn on(&self, today: NaiveDate) -> Timeliness {
        let stale_before = epoch_day(days_before(today, STALE_AFTER_DAYS));
        let past = |due: &PartialDate| due.last_day() < today;
        Timeliness {
            overdue_original: sum(&self.original_due, past),
            overdue_amended: sum(&self.due, past),
            stale: sum(&self.reported_until, |&day| day < stale_before),
            never_reported: self.never_reported.into(),
        }
    }
}

fn shift<K: Hash + Eq>(counts: &mut FxHashMap<K, u32>, before: Option<K>, after: Option<K>) {
    if before == after {
        return;
    }
    if let Some(key) = after {
        *counts.entry(key).or_default() += 1;
    }
    let Some(key) = before else { return };
    if let Some(count) = counts.get_mut(&key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

fn sum<K>(counts: &FxHashMap<K, u32>, holds: impl Fn(&K) -> bool) -> u64 {
    let held = counts.iter().filter(|(key, _)| holds(key));
    held.map(|(_, &count)| u64::from(count)).sum()
}

/// The day so many days before `today`; the first day there is when `today` is closer to it than that.
pub(crate) fn days_before(today: NaiveDate, days: i64) -> NaiveDate {
    today
        .checked_sub_days(Days::new(days.unsigned_abs()))
        .unwrap_or(NaiveDate::MIN)
}

/// A day as a number; 0 for every day before 1970, when nothing was recorded.
pub(crate) fn epoch_day(day: NaiveDate) -> EpochDay {
    let days = day.signed_duration_since(NaiveDate::default()).num_days();
    u32::try_from(days.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_january_1970_is_day_0() {
        let day = |text: &str| epoch_day(text.parse().unwrap());
        assert_eq!(
            [day("1970-01-01"), day("1970-01-02"), day("1969-12-31")],
            [0, 1, 0]
        );
        assert_eq!(day("2026-01-01"), 20_454);
    }

    #[test]
    fn dates_that_nothing_is_held_to_are_forgotten() {
        let mut calendar = Calendar::default();
        let dates = |due: &str| Dates {
            due: due.parse().ok(),
            original_due: "2025".parse().ok(),
            reported_until: Some(20_000),
            ..Dates::default()
        };
        calendar.change(Dates::default(), dates("2026"));
        calendar.change(dates("2026"), dates("2027"));
        assert_eq!(calendar.due.len(), 1);
        let on = |calendar: &Calendar, day: &str| calendar.on(day.parse().unwrap());
        assert_eq!(on(&calendar, "2027-12-31").overdue_amended, 0);
        assert_eq!(on(&calendar, "2028-01-01").overdue_amended, 1);
        calendar.change(dates("2027"), Dates::default());
        assert_eq!(on(&calendar, "2099-01-01"), Timeliness::default());
        assert!(calendar.due.is_empty() && calendar.reported_until.is_empty());
    }
}
