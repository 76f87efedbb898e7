//! The time of an event: its position and when it was recorded.

use std::num::NonZeroU32;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

/// The position and the recorded time of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventTime {
    pub(crate) position: u64,
    pub(crate) recorded_us: i64,
}

impl EventTime {
    pub(crate) fn time(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.recorded_us)
    }
}

/// A recorded time to the second, in four bytes even where it is optional. It lasts until 2106.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Second(NonZeroU32);

impl Second {
    pub(crate) fn of(moment: EventTime) -> Self {
        let second = moment.recorded_us.div_euclid(1_000_000);
        Self::new(u32::try_from(second.max(0)).unwrap_or(u32::MAX))
    }

    pub(crate) fn new(second: u32) -> Self {
        Self(NonZeroU32::new(second).unwrap_or(NonZeroU32::MIN))
    }

    pub(crate) fn get(self) -> u32 {
        self.0.get()
    }

    pub(crate) fn time(self) -> DateTime<Utc> {
        DateTime::from_timestamp(i64::from(self.0.get()), 0).unwrap_or_default()
    }

    pub(crate) fn date(self) -> NaiveDate {
        self.time().date_naive()
    }

    pub(crate) fn text(self) -> String {
        self.time().to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}
