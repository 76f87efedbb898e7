//! Dates of the source: which are dates, and which are only texts.

use ledger_domain::date::PartialDate;
use thiserror::Error;

/// Before this no commitment of the Partnership began: what is dated earlier is a number that a spreadsheet took for a day.
const FIRST_YEAR: u32 = 2000;

/// Why a date is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DateFault {
    /// It stands in no calendar.
    #[error("is no date")]
    NoDate,
    /// It lies before the Partnership.
    #[error("lies long before the Partnership")]
    TooEarly,
    /// The record writes its other date day first, and this one has another meaning that way.
    #[error("may be day first, as the record's other date is, or month first")]
    Ambiguous,
    /// The end lies before the start.
    #[error("lies before the start")]
    BeforeStart,
}

/// The dates of a commitment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dates {
    /// When it was made.
    pub(super) made: Option<PartialDate>,
    /// When it is due.
    pub(super) due: Option<PartialDate>,
    /// Whether the source's own text says more than the two above.
    pub(super) as_text: bool,
    /// Which were given and not taken, as the source wrote them, and why.
    pub(super) faults: Vec<(&'static str, String, DateFault)>,
}

/// Takes start and end as `given`, unless they or the texts they were made of show that they cannot be right.
pub(super) fn dates(given: [Option<&str>; 2], raw: &[String; 2]) -> Dates {
    let [given_start, given_end] = given;
    let [raw_start, raw_end] = raw;
    let mut dates = Dates::default();
    match taken(given_start, raw_start, raw_end) {
        Ok(made) => dates.made = made,
        Err(fault) => dates.faults.push(("start", raw_start.clone(), fault)),
    }
    let due = taken(given_end, raw_end, raw_start).and_then(|due| match (dates.made, due) {
        (Some(made), Some(due)) if due.last_day() < made.first_day() => Err(DateFault::BeforeStart),
        (_, due) => Ok(due),
    });
    match due {
        Ok(due) => dates.due = due,
        Err(fault) => dates.faults.push(("end", raw_end.clone(), fault)),
    }
    let unsaid = |date: Option<PartialDate>, raw: &str| date.is_none() && raw != "NA";
    dates.as_text = unsaid(dates.made, raw_start) || unsaid(dates.due, raw_end);
    dates
}

fn taken(
    given: Option<&str>,
    raw: &str,
    other_raw: &str,
) -> Result<Option<PartialDate>, DateFault> {
    let Some(given) = given else {
        return Ok(None);
    };
    let date: PartialDate = given.parse().map_err(|_| DateFault::NoDate)?;
    if date.year() < FIRST_YEAR {
        return Err(DateFault::TooEarly);
    }
    let two_meanings = leading_numbers(raw)
        .is_some_and(|(first, second)| first <= 12 && second <= 12 && first != second);
    let day_first = leading_numbers(other_raw).is_some_and(|(first, _)| first > 12);
    if two_meanings && day_first {
        return Err(DateFault::Ambiguous);
    }
    Ok(Some(date))
}

/// The first two numbers of a date with slashes, like 31 and 12 of `31/12/2014`.
fn leading_numbers(raw: &str) -> Option<(u32, u32)> {
    let mut numbers = raw.split('/').map(|part| part.parse().ok());
    let pair = (numbers.next()??, numbers.next()??);
    (numbers.count() == 1).then_some(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(start: (&str, &str), end: (&str, &str)) -> Dates {
        let given = |text: &'static str| (text != "null").then_some(text);
        let leak = |text: &str| -> &'static str { String::from(text).leak() };
        dates(
            [given(leak(start.0)), given(leak(end.0))],
            &[start.1.to_owned(), end.1.to_owned()],
        )
    }

    fn faults(dates: &Dates) -> Vec<DateFault> {
        dates.faults.iter().map(|(_, _, fault)| *fault).collect()
    }

    #[test]
    fn dates_keep_their_precision_and_an_unknown_one_is_absent() {
        let known = read(("2014-07", "July 2014"), ("2016", "2016"));
        assert_eq!(
            known.made.map(|date| date.to_string()).as_deref(),
            Some("2014-07")
        );
        assert_eq!(
            known.due.map(|date| date.to_string()).as_deref(),
            Some("2016")
        );
        assert!(!known.as_text);
        assert_eq!(read(("null", "NA"), ("null", "NA")), Dates::default());
    }

    #[test]
    fn what_is_no_date_stays_text() {
        let dates = read(("null", "NA"), ("2014-31-12", "31/12/2014"));
        assert_eq!(faults(&dates), [DateFault::NoDate]);
        assert_eq!(dates.due, None);
        assert!(dates.as_text);
        let quarter = read(("null", "Quarter 1 2014"), ("null", "NA"));
        assert!(quarter.as_text && quarter.faults.is_empty());
    }

    #[test]
    fn a_spreadsheet_number_is_no_day_of_1905() {
        let dates = read(("1905-07-16", "7/16/1905"), ("1905-07-19", "7/19/1905"));
        assert_eq!(faults(&dates), [DateFault::TooEarly, DateFault::TooEarly]);
    }

    #[test]
    fn a_date_beside_one_written_day_first_is_taken_only_if_it_has_one_meaning() {
        let both = read(("2014-01-07", "1/7/2014"), ("2016-31-12", "31/12/2016"));
        assert_eq!(faults(&both), [DateFault::Ambiguous, DateFault::NoDate]);
        let same = read(("2014-01-01", "1/1/2014"), ("2016-31-12", "31/12/2016"));
        assert!(same.made.is_some());
        let month_first = read(("2014-01-07", "1/7/2014"), ("2016-12-31", "12/31/2016"));
        assert!(month_first.made.is_some() && month_first.due.is_some());
    }

    #[test]
    fn an_end_before_the_start_is_left_out() {
        let dates = read(("2016-05-01", "5/1/2016"), ("2015", "2015"));
        assert_eq!(faults(&dates), [DateFault::BeforeStart]);
        assert!(dates.made.is_some() && dates.due.is_none());
    }
}
