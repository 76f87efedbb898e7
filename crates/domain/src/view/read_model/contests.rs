//! Contests of a commitment's reports that are not resolved.

use super::codec::{RowReader, RowWriter};
use super::event_time::EventTime;
use super::index::PartyIndex;
use crate::view::error::RestoreError;
use crate::wire::v1::Period;

/// The open contests of one commitment.
#[derive(Debug, Default, Clone)]
pub(crate) struct Contests(Vec<Contest>);

/// An open contest and the report it is about. Both go by position.
#[derive(Debug, Clone, Copy)]
struct Contest {
    position: u64,
    report: u64,
    /// The party that contests it.
    party: PartyIndex,
    /// Whose report over which period it was, if it was retracted: the contest is about the next such one.
    retracted: Option<(PartyIndex, Period)>,
}

/// An open contest as it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenContest {
    /// The party that contests.
    pub(crate) party: PartyIndex,
    /// The position of the report, as it was corrected last.
    pub(crate) report: u64,
    /// The report was retracted, and none of its reporter over its period has come after it.
    pub(crate) retracted: bool,
}

impl Contests {
    pub(crate) fn open(&mut self, party: PartyIndex, report: u64, at: EventTime) {
        self.0.push(Contest {
            position: at.position,
            report,
            party,
            retracted: None,
        });
    }

    /// Closes a contest; gives the position of the report that it was about, if that was not retracted.
    pub(crate) fn resolve(&mut self, contest: u64) -> Option<u64> {
        let mut contests = self.0.iter();
        let place = contests.position(|open| open.position == contest)?;
        let resolved = self.0.remove(place);
        resolved.retracted.is_none().then_some(resolved.report)
    }

    /// A corrected report stays contested until its contest is resolved.
    pub(crate) fn report_corrected(&mut self, report: u64, correction: u64) {
        for contest in &mut self.0 {
            if contest.report == report && contest.retracted.is_none() {
                contest.report = correction;
            }
        }
    }

    /// A contest of a report that is retracted stays open: to retract and report again settles nothing.
    pub(crate) fn report_retracted(&mut self, report: u64, reporter: PartyIndex, period: Period) {
        for contest in &mut self.0 {
            if contest.report == report {
                contest.retracted = Some((reporter, period));
            }
        }
    }

    /// Contests of a retracted report pass to the next one of its reporter over its period.
    pub(crate) fn reported(&mut self, reporter: PartyIndex, period: Period, at: EventTime) {
        let same =
            |(by, over): (PartyIndex, Period)| by == reporter && over.covers_same_days(&period);
        for contest in &mut self.0 {
            if contest.retracted.is_some_and(same) {
                contest.report = at.position;
                contest.retracted = None;
            }
        }
    }

    /// Returns true when an open contest is about the report at this position.
    pub(crate) fn concern(&self, report: u64) -> bool {
        self.0.iter().any(|open| open.report == report)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = OpenContest> {
        self.0.iter().map(|open| OpenContest {
            party: open.party,
            report: open.report,
            retracted: open.retracted.is_some(),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn parties(&self) -> impl Iterator<Item = PartyIndex> {
        self.0.iter().flat_map(|contest| {
            let reporter = contest.retracted.map(|(reporter, _)| reporter);
            std::iter::once(contest.party).chain(reporter)
        })
    }

    pub(crate) fn encode(&self, row: &mut RowWriter) {
        row.count(self.0.len());
        for contest in &self.0 {
            row.u64(contest.position);
            row.u64(contest.report);
            row.u32(contest.party);
            row.u8(u8::from(contest.retracted.is_some()));
            if let Some((reporter, period)) = contest.retracted {
                row.u32(reporter);
                row.date(Some(period.from));
                row.date(Some(period.to));
            }
        }
    }

    pub(crate) fn decode(row: &mut RowReader<'_>) -> Result<Self, RestoreError> {
        let mut contests = Self::default();
        for _ in 0..row.count()? {
            contests.0.push(Contest {
                position: row.u64()?,
                report: row.u64()?,
                party: row.u32()?,
                retracted: read_retracted(row)?,
            });
        }
        Ok(contests)
    }
}

fn read_retracted(row: &mut RowReader<'_>) -> Result<Option<(PartyIndex, Period)>, RestoreError> {
    if row.u8()? == 0 {
        return Ok(None);
    }
    let reporter = row.u32()?;
    let from = row.date()?.ok_or_else(|| row.damaged())?;
    let to = row.date()?.ok_or_else(|| row.damaged())?;
    Ok(Some((reporter, Period { from, to })))
}
