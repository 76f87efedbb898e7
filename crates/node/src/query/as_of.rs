//! What a question about the past may name, and what answers say of a moment that is not there.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use ledger_domain::wire::v1::problem::Problem;

/// How long ago a time must be for nothing recorded before it to be still under way.
pub(crate) const SETTLED: TimeDelta = TimeDelta::seconds(2);

/// The moment that a question names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AsOf {
    /// After the event at this position.
    Position(u64),
    /// After all that was recorded by this time.
    Time(DateTime<Utc>),
}

impl AsOf {
    /// Reads a position, in digits, a time, or a day: its end, in UTC.
    pub(crate) fn read(text: &str) -> Result<Self, Problem> {
        if let Ok(position) = text.parse::<u64>() {
            return Ok(Self::Position(position));
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::Time(time.to_utc()));
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        let end = day.and_then(|day| day.and_hms_micro_opt(23, 59, 59, 999_999));
        end.map(|end| Self::Time(end.and_utc())).ok_or_else(|| {
            Problem::bad_query(format!(
                "`{text}` is neither a position, in digits, nor a day like 2026-03-31, nor a time like 2026-03-31T12:00:00Z"
            ))
        })
    }
}

/// A position, and what was today then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Then {
    pub(crate) position: u64,
    pub(crate) time: DateTime<Utc>,
}

/// The moment is later than what is known.
pub(crate) fn not_reached(what: &str, recorded: u64, counted: u64) -> Problem {
    Problem::not_reached(format!(
        "{what} is not reached yet: {recorded} events are recorded and {counted} are counted"
    ))
}

/// The moment is earlier than the first event.
pub(crate) fn nothing_by(text: &str) -> Problem {
    Problem::not_found(format!("nothing was recorded by {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::problem::ProblemCode;

    #[test]
    fn digits_are_a_position_and_anything_else_must_be_a_time_or_a_day() {
        assert_eq!(AsOf::read("17"), Ok(AsOf::Position(17)));
        let time = AsOf::read("2026-03-31T14:00:00+02:00");
        let noon = "2026-03-31T12:00:00Z".parse::<DateTime<Utc>>();
        assert_eq!(time.ok(), noon.ok().map(AsOf::Time));
        let day = AsOf::read("2026-03-31");
        let end = "2026-03-31T23:59:59.999999Z".parse::<DateTime<Utc>>();
        assert_eq!(day.ok(), end.ok().map(AsOf::Time));
        for text in ["", "-1", "yesterday", "2026-02-30"] {
            let read = AsOf::read(text).map_err(|problem| problem.code);
            assert_eq!(read, Err(ProblemCode::BadQuery));
        }
    }
}
