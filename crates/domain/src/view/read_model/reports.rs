//! The standing reports of all commitments, in one table: a commitment holds the number of its last one, and each report that of the one before.
//! Millions are held, and most commitments have one or two: neither pays for a list of its own.

use std::num::NonZeroU32;

use chrono::NaiveDate;

use super::codec::{RowReader, RowWriter};
use super::event_time::{EventTime, Second};
use super::table::Table;
use crate::date::PartialDate;
use crate::view::error::RestoreError;
use crate::wire::v1::{Period, Stage};

/// The number of a report in the table, counted from one; none where a chain ends.
pub(crate) type ReportLink = Option<NonZeroU32>;

/// A report that stands: neither retracted nor replaced by a correction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Report {
    /// The beginning of the period it is about.
    from: PartialDate,
    /// The end of it.
    pub(crate) to: PartialDate,
    pub(crate) recorded: Second,
    next: ReportLink,
    // 48 bits of a position: 281 million million events are more than any disk holds, and millions of reports are kept.
    position_low: u32,
    position_high: u16,
    pub(crate) stage: Stage,
    flags: u8,
}

impl Report {
    /// The lead made it, not another participant.
    pub(crate) const BY_LEAD: u8 = 1;
    /// It names evidence itself: a correction says anew whether it does.
    pub(crate) const EVIDENCE: u8 = 1 << 1;
    /// It was found in order, and that is the last word on it.
    pub(crate) const VALIDATED: u8 = 1 << 2;
    /// It was given back to its reporter, and that is the last word on it.
    pub(crate) const RETURNED: u8 = 1 << 3;
    /// A contest of it was upheld.
    pub(crate) const CONTEST_UPHELD: u8 = 1 << 4;
    /// Evidence was added to it, or to the report that it corrects.
    pub(crate) const ATTACHED: u8 = 1 << 5;
    /// Some of the evidence that it names itself has a digest.
    pub(crate) const DIGESTED: u8 = 1 << 6;
    /// Some of the evidence that was added to it has a digest.
    pub(crate) const ATTACHED_DIGESTED: u8 = 1 << 7;

    pub(crate) fn new(period: Period, stage: Stage, at: EventTime) -> Self {
        let mut report = Self {
            from: period.from,
            to: period.to,
            recorded: Second::of(at),
            next: None,
            position_low: 0,
            position_high: 0,
            stage,
            flags: 0,
        };
        report.set_position(at.position);
        report
    }

    /// The position of the event that made it, or that corrected it last.
    pub(crate) fn position(&self) -> u64 {
        u64::from(self.position_high) << 32 | u64::from(self.position_low)
    }

    fn set_position(&mut self, position: u64) {
        self.position_low = u32::try_from(position & 0xffff_ffff).unwrap_or_default();
        self.position_high = u16::try_from(position >> 32 & 0xffff).unwrap_or_default();
    }

    pub(crate) fn period(&self) -> Period {
        Period {
            from: self.from,
            to: self.to,
        }
    }

    /// The last day it can say anything of: a period that goes on when it is recorded, as a year may, is reported on up to that day.
    pub(crate) fn until(&self) -> NaiveDate {
        self.to.last_day_by(self.recorded.time())
    }

    /// Whether it says more of now than the other: it is about a later time, or about the same and was recorded later.
    pub(crate) fn is_newer(&self, other: &Self) -> bool {
        (self.until(), self.position()) > (other.until(), other.position())
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// It was neither given back nor contested with success.
    pub(crate) fn holds(&self) -> bool {
        !self.has(Self::RETURNED | Self::CONTEST_UPHELD)
    }

    /// It names evidence, or some was added to it.
    pub(crate) fn has_evidence(&self) -> bool {
        self.has(Self::EVIDENCE | Self::ATTACHED)
    }

    /// Some of that has a digest.
    pub(crate) fn has_digested_evidence(&self) -> bool {
        self.has(Self::EVIDENCE) && self.has(Self::DIGESTED)
            || self.has(Self::ATTACHED) && self.has(Self::ATTACHED_DIGESTED)
    }

    pub(crate) fn set(&mut self, flag: u8, on: bool) {
        if on {
            self.flags |= flag;
        } else {
            self.flags &= !flag;
        }
    }
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    table: Table<Report>,
    /// A chain of places that stand empty, left by retracted reports.
    free: ReportLink,
}

impl Reports {
    fn get(&self, link: NonZeroU32) -> Option<&Report> {
        self.table.get(link.get() - 1)
    }

    fn get_mut(&mut self, link: NonZeroU32) -> Option<&mut Report> {
        self.table.get_mut(link.get() - 1)
    }

    /// The reports of a chain, the one that was added last first.
    pub(crate) fn of(&self, head: ReportLink) -> impl Iterator<Item = &Report> {
        let mut next = head;
        std::iter::from_fn(move || {
            let report = self.get(next?)?;
            next = report.next;
            Some(report)
        })
    }

    /// Adds a report to a chain.
    pub(crate) fn push(&mut self, head: &mut ReportLink, mut report: Report) {
        report.next = *head;
        let empty = self.free;
        if let Some((link, place)) = empty.and_then(|link| Some((link, self.get_mut(link)?))) {
            let free = place.next;
            *place = report;
            self.free = free;
            *head = Some(link);
            return;
        }
        self.table.push(report);
        *head = u32::try_from(self.table.len())
            .ok()
            .and_then(NonZeroU32::new);
    }

    /// The report of a chain that an event at this position made or corrected last.
    pub(crate) fn find(&mut self, head: ReportLink, position: u64) -> Option<&mut Report> {
        let mut next = head;
        while let Some(link) = next {
            let report = self.get(link)?;
            if report.position() == position {
                return self.get_mut(link);
            }
            next = report.next;
        }
        None
    }

    /// Puts a correction in the place of the report it names; whether there is such a one. Evidence that was added to the report stays with it.
    pub(crate) fn replace(&mut self, head: ReportLink, position: u64, mut report: Report) -> bool {
        let Some(place) = self.find(head, position) else {
            return false;
        };
        report.next = place.next;
        for added in [Report::ATTACHED, Report::ATTACHED_DIGESTED] {
            report.set(added, place.has(added));
        }
        *place = report;
        true
    }

    /// Takes a report out of a chain; gives it back if there is such a one.
    pub(crate) fn remove(&mut self, head: &mut ReportLink, position: u64) -> Option<Report> {
        let (mut before, mut next) = (None, *head);
        while let Some(link) = next {
            let report = *self.get(link)?;
            if report.position() == position {
                match before.and_then(|before| self.get_mut(before)) {
                    Some(before) => before.next = report.next,
                    None => *head = report.next,
                }
                self.release(link);
                return Some(report);
            }
            (before, next) = (Some(link), report.next);
        }
        None
    }

    fn release(&mut self, link: NonZeroU32) {
        let free = self.free;
        if let Some(place) = self.get_mut(link) {
            place.next = free;
            self.free = Some(link);
        }
    }

    /// Gives the places of a whole chain back.
    pub(crate) fn clear(&mut self, head: ReportLink) {
        let mut next = head;
        while let Some(link) = next {
            next = self.get(link).and_then(|report| report.next);
            self.release(link);
        }
    }

    pub(crate) fn encode(&self, head: ReportLink, row: &mut RowWriter) {
        row.count(self.of(head).count());
        for report in self.of(head) {
            row.date(Some(report.to));
            // Most periods are one year, or one month.
            row.date(Some(report.from).filter(|from| *from != report.to));
            row.u32(report.recorded.get());
            row.u64(report.position());
            row.word(Stage::ALL, Some(report.stage));
            row.u8(report.flags);
        }
    }

    pub(crate) fn decode(&mut self, row: &mut RowReader<'_>) -> Result<ReportLink, RestoreError> {
        let mut head = None;
        for _ in 0..row.count()? {
            let to = row.date()?.ok_or_else(|| row.damaged())?;
            let from = row.date()?.unwrap_or(to);
            let recorded = Second::new(row.u32()?);
            let position = row.u64()?;
            let stage = row.word(Stage::ALL)?.ok_or_else(|| row.damaged())?;
            let at = EventTime {
                position,
                recorded_us: 0,
            };
            let mut report = Report::new(Period { from, to }, stage, at);
            report.recorded = recorded;
            report.flags = row.u8()?;
            self.push(&mut head, report);
        }
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(position: u64) -> Report {
        let at = EventTime {
            position,
            recorded_us: 1_000_000,
        };
        let period = Period {
            from: "2025".parse().unwrap(),
            to: "2026".parse().unwrap(),
        };
        Report::new(period, Stage::Planning, at)
    }

    fn positions(reports: &Reports, head: ReportLink) -> Vec<u64> {
        reports.of(head).map(Report::position).collect()
    }

    #[test]
    fn a_report_takes_twenty_four_bytes() {
        assert_eq!(size_of::<Report>(), 24);
        assert_eq!(report((1 << 40) + 5).position(), (1 << 40) + 5);
    }

    #[test]
    fn chains_share_the_table_and_places_are_used_again() {
        let mut reports = Reports::default();
        let (mut one, mut other) = (None, None);
        for position in [1, 3, 5] {
            reports.push(&mut one, report(position));
            reports.push(&mut other, report(position + 1));
        }
        for middle_first_last in [3, 5, 1] {
            let removed = reports.remove(&mut one, middle_first_last);
            assert_eq!(removed.map(|it| it.position()), Some(middle_first_last));
        }
        assert_eq!((one, positions(&reports, other)), (None, vec![6, 4, 2]));
        assert_eq!(reports.remove(&mut other, 77), None);
        for position in [7, 8, 9] {
            reports.push(&mut one, report(position));
        }
        assert_eq!(reports.table.len(), 6, "the places of the removed ones");
        assert_eq!(positions(&reports, one), [9, 8, 7]);
        assert!(reports.replace(one, 8, report(10)));
        assert!(!reports.replace(one, 8, report(11)));
        assert_eq!(positions(&reports, one), [9, 10, 7]);
        reports.clear(one);
        for position in [12, 13, 14] {
            reports.push(&mut other, report(position));
        }
        assert_eq!(reports.table.len(), 6);
        assert_eq!(positions(&reports, other), [14, 13, 12, 6, 4, 2]);
    }
}
