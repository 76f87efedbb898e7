//! The clock that events are dated with, and when it is not believed.
//!
//! Recorded time never goes back: one moment in 2036 dates everything after it for ten years. So a node compares its clock with what
//! cannot jump: at its start with the newest event and with the day of this program, and while it runs with the time that has passed.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, SubsecRound, TimeDelta, Utc};
use rustix::time::{ClockId, clock_gettime};
use thiserror::Error;

/// The day from which this version of the program is: no right clock is before it. A release moves it on; `cargo xtask tidy` compares it
/// with the history.
const PROGRAM_DAY: &str = "2026-11-28";
/// Days of silence after which a clock is not believed by itself.
const SILENT_DAYS: u64 = 366;
/// Days that this program is used for at most, unless somebody says that it is.
const PROGRAM_DAYS: u64 = 20 * 365 + 5;
/// How far the clock may part from the time that has passed since the start.
const TOLERANCE: TimeDelta = TimeDelta::seconds(60);

/// Where a node reads the time.
pub trait TimeSource: Debug + Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> DateTime<Utc>;

    /// Time since a fixed moment. It goes on while the machine sleeps, and nobody can set it.
    fn elapsed(&self) -> Duration;
}

/// The clocks of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl TimeSource for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn elapsed(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
    }
}

/// The clock is not one to date events with.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum ClockError {
    /// It is before the program itself.
    #[error(
        "this machine's clock says {now}, which is before the day of this program ({day}): set the clock, or start with \
         --accept-clock if it is right; nothing was recorded"
    )]
    BeforeProgram {
        /// What the clock says.
        now: DateTime<Utc>,
        /// The program's day.
        day: NaiveDate,
    },
    /// It is long after the program.
    #[error(
        "this machine's clock says {now}, more than 20 years after the day of this program ({day}): set the clock, or start with \
         --accept-clock if it is right; recorded time never goes back, and nothing was recorded"
    )]
    AfterProgram {
        /// What the clock says.
        now: DateTime<Utc>,
        /// The program's day.
        day: NaiveDate,
    },
    /// It is long after the newest event.
    #[error(
        "this machine's clock says {now}, more than 366 days after the newest event ({newest}): set the clock, or start with \
         --accept-clock if it is right; recorded time never goes back, and nothing was recorded"
    )]
    AfterNewest {
        /// What the clock says.
        now: DateTime<Utc>,
        /// The recorded time of the newest event.
        newest: DateTime<Utc>,
    },
}

/// A node's clock; clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    source: Arc<dyn TimeSource>,
    start: DateTime<Utc>,
    elapsed: Duration,
}

impl Clock {
    /// Takes both clocks as they are now.
    pub(crate) fn start(source: Arc<dyn TimeSource>) -> Self {
        Self {
            start: source.now(),
            elapsed: source.elapsed(),
            source,
        }
    }

    /// Whether the clock is one to begin with.
    ///
    /// # Errors
    /// [`ClockError`] when it is far from the program's day or from the newest event.
    pub(crate) fn check(&self, newest: Option<DateTime<Utc>>) -> Result<(), ClockError> {
        plausible(self.source.now(), program_day(), newest)
    }

    /// The time of day, while it agrees with the time that has passed since the start.
    ///
    /// # Errors
    /// A sentence that says by how much it does not.
    pub(crate) fn now(&self) -> Result<DateTime<Utc>, String> {
        let now = self.source.now();
        let ahead = self.ahead_at(now);
        if ahead.abs() <= TOLERANCE {
            return Ok(now);
        }
        let (seconds, way) = (
            ahead.num_seconds().unsigned_abs(),
            if ahead > TimeDelta::zero() {
                "ahead"
            } else {
                "back"
            },
        );
        Err(format!(
            "the clock of the ledger's machine has jumped {way} by {seconds} seconds against the time that has passed since the node \
             started: nothing is recorded until it is set right, or until the node is started again if it is right now"
        ))
    }

    /// How far the time of day has run ahead of the time that has passed since the start; negative where it is behind.
    pub(crate) fn ahead(&self) -> TimeDelta {
        self.ahead_at(self.source.now())
    }

    /// How far the clock is behind a moment; zero where it is not.
    pub(crate) fn behind(&self, moment: DateTime<Utc>) -> TimeDelta {
        let behind = moment.signed_duration_since(self.source.now());
        behind.max(TimeDelta::zero())
    }

    fn ahead_at(&self, now: DateTime<Utc>) -> TimeDelta {
        let passed = self.source.elapsed().saturating_sub(self.elapsed);
        let passed = TimeDelta::from_std(passed).unwrap_or(TimeDelta::MAX);
        now.signed_duration_since(self.start)
            .checked_sub(&passed)
            .unwrap_or(TimeDelta::MIN)
    }
}

/// The program's day.
fn program_day() -> NaiveDate {
    // A test reads it.
    PROGRAM_DAY.parse().unwrap_or(NaiveDate::MIN)
}

fn plausible(
    now: DateTime<Utc>,
    day: NaiveDate,
    newest: Option<DateTime<Utc>>,
) -> Result<(), ClockError> {
    // In a sentence seconds are enough.
    let (now, newest) = (
        now.trunc_subsecs(0),
        newest.map(|newest| newest.trunc_subsecs(0)),
    );
    let today = now.date_naive();
    if today < day {
        return Err(ClockError::BeforeProgram { now, day });
    }
    if later(day, PROGRAM_DAYS).is_some_and(|end| today > end) {
        return Err(ClockError::AfterProgram { now, day });
    }
    match newest {
        Some(newest) if now.signed_duration_since(newest) > silence() => {
            Err(ClockError::AfterNewest { now, newest })
        }
        Some(_) | None => Ok(()),
    }
}

fn later(day: NaiveDate, days: u64) -> Option<NaiveDate> {
    day.checked_add_days(Days::new(days))
}

fn silence() -> TimeDelta {
    TimeDelta::days(i64::try_from(SILENT_DAYS).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Two clocks that a test sets.
    #[derive(Debug)]
    struct SetClock(Mutex<(DateTime<Utc>, Duration)>);

    impl TimeSource for SetClock {
        fn now(&self) -> DateTime<Utc> {
            self.0.lock().unwrap().0
        }

        fn elapsed(&self) -> Duration {
            self.0.lock().unwrap().1
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_day_of_the_program_is_a_day_that_has_come() {
        assert_ne!(program_day(), NaiveDate::MIN);
        assert!(program_day() <= Utc::now().date_naive());
    }

    #[test]
    fn a_clock_that_jumps_is_not_believed_until_it_agrees_again() {
        let source = Arc::new(SetClock(Mutex::new((
            at("2026-12-01T00:00:00Z"),
            Duration::from_secs(5),
        ))));
        let clock = Clock::start(Arc::clone(&source) as Arc<dyn TimeSource>);
        let set = |now: &str, elapsed| {
            *source.0.lock().unwrap() = (at(now), Duration::from_secs(elapsed));
        };
        // An hour later: asleep or not, both clocks have gone on.
        for (now, believed) in [
            ("2026-12-01T01:00:00Z", true),
            ("2026-12-01T01:01:00Z", true),
            ("2026-12-01T00:59:00Z", true),
            ("2026-12-01T01:01:01Z", false),
            ("2026-12-01T00:58:59Z", false),
            ("2036-12-01T01:00:00Z", false),
            ("1970-01-01T00:00:00Z", false),
            ("2026-12-01T01:00:01Z", true),
        ] {
            set(now, 3605);
            assert_eq!(clock.now().is_ok(), believed, "{now}: {:?}", clock.now());
        }
        set("2036-12-01T01:00:00Z", 3605);
        assert!(clock.now().unwrap_err().contains("jumped ahead by 3156"));
        set("2026-12-01T00:00:00Z", 3605);
        assert!(
            clock
                .now()
                .unwrap_err()
                .contains("jumped back by 3600 seconds")
        );
    }

    #[test]
    fn a_clock_far_from_the_program_or_the_newest_event_is_none_to_start_with() {
        let day = at("2026-11-28T00:00:00Z").date_naive();
        let newest = |text| Some(at(text));
        for (now, newest, believed) in [
            ("2026-11-28T00:00:00Z", None, true),
            ("2026-11-27T23:59:59Z", None, false),
            ("2046-11-28T00:00:00Z", None, true),
            ("2046-12-01T00:00:00Z", None, false),
            ("2027-12-01T00:00:00Z", newest("2026-11-30T00:00:00Z"), true),
            (
                "2027-12-01T00:00:01Z",
                newest("2026-11-30T00:00:00Z"),
                false,
            ),
            (
                "2036-12-01T00:00:00Z",
                newest("2026-11-30T00:00:00Z"),
                false,
            ),
            // Behind the newest event: that one's time is taken until the clock has caught up.
            ("2026-12-01T00:00:00Z", newest("2027-11-30T00:00:00Z"), true),
        ] {
            let found = plausible(at(now), day, newest);
            assert_eq!(found.is_ok(), believed, "{now} after {newest:?}: {found:?}");
            if let Err(error) = found {
                assert!(error.to_string().contains("--accept-clock"), "{error}");
            }
        }
    }
}
