//! The moments that people ask about: a position, a time, or a day.

use crate::failure::Failure;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// How far another machine's clock may be ahead of this one's for a time that it knows to be asked for.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(1);

/// What the ledger is asked for: it reads the text itself, but what is yet to come is refused here, in words that fit.
pub(super) fn read(text: &str) -> Result<String, Failure> {
    read_at(text, Utc::now())
}

/// The same where nothing need be named.
pub(super) fn read_any(text: Option<&str>) -> Result<Option<String>, Failure> {
    text.map(read).transpose()
}

fn read_at(text: &str, now: DateTime<Utc>) -> Result<String, Failure> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    if day.is_ok_and(|day| day >= now.date_naive()) {
        return Err(Failure::because(format!(
            "the day {text} has not ended yet (UTC): what is known now is shown where no moment is named"
        )));
    }
    let time = DateTime::parse_from_rfc3339(text);
    if time.is_ok_and(|time| time.to_utc() > now + CLOCKS_DIFFER) {
        return Err(Failure::because(format!(
            "{text} has not come yet: what is known now is shown where no moment is named"
        )));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let now = DateTime::parse_from_rfc3339("2026-11-27T12:00:00Z").expect("a time");
        read_at(text, now.to_utc()).ok()
    }

    #[test]
    fn a_day_that_has_not_ended_is_refused() {
        assert_eq!(read("2026-11-26").as_deref(), Some("2026-11-26"));
        assert_eq!(read("2026-11-27"), None);
        assert_eq!(read("2030-01-01"), None);
    }

    #[test]
    fn a_time_in_the_future_is_refused_and_anything_else_is_left_to_the_ledger() {
        assert_eq!(read("2026-11-27T14:00:00Z"), None);
        for text in ["2026-11-27T14:00:30+02:00", "1300", "2026", "yesterday", ""] {
            assert_eq!(read(text).as_deref(), Some(text));
        }
    }
}
