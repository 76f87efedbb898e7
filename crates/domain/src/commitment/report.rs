//! The reports of one commitment, as a decision needs to know them: 20 bytes each.

use crate::date::PartialDate;
use crate::ids::{PartyId, Position};
use crate::intern::Symbol;
use crate::wire::v1::{Period, ProgressReported};

/// One report. It stays when another takes its place, so that a command that still names it is told what became of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Report {
    from: PartialDate,
    to: PartialDate,
    reporter: Symbol,
    // The high half of the position with three flags in its highest bits, then the low half: as two halves, so that a report takes 20
    // bytes and not 24. A log has fewer than 2^61 events.
    position: [u32; 2],
}

const EVIDENCED: u32 = 1 << 31;
const CORRECTED: u32 = 1 << 30;
const RETRACTED: u32 = 1 << 29;
const FLAGS: u32 = EVIDENCED | CORRECTED | RETRACTED;

/// What became of a report that a command names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportState {
    /// It is the newest of its reporter over its period.
    Standing,
    /// A later report took its place.
    Corrected,
    /// Its reporter took it back.
    Retracted,
}

/// A report that a command names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NamedReport {
    /// The time it is about.
    pub period: Period,
    /// What became of it.
    pub state: ReportState,
    pub(super) reporter: Symbol,
}

impl NamedReport {
    /// Whether the party made it.
    pub fn is_reporter(&self, party: &PartyId) -> bool {
        Symbol::find(party.as_str()) == Some(self.reporter)
    }
}

impl Report {
    pub(super) fn new(position: Position, reporter: Symbol, report: &ProgressReported) -> Self {
        let low = u32::try_from(position.0 & 0xffff_ffff).unwrap_or_default();
        let high = u32::try_from(position.0 >> 32).unwrap_or_default() & !FLAGS;
        let flag = if report.evidence.is_empty() {
            0
        } else {
            EVIDENCED
        };
        Self {
            from: report.period.from,
            to: report.period.to,
            reporter,
            position: [high | flag, low],
        }
    }

    fn has(&self, flags: u32) -> bool {
        let [high, _] = self.position;
        high & flags != 0
    }

    fn set(&mut self, flag: u32) {
        let [high, _] = &mut self.position;
        *high |= flag;
    }

    pub(super) fn position(&self) -> Position {
        let [high, low] = self.position;
        Position(u64::from(high & !FLAGS) << 32 | u64::from(low))
    }

    pub(super) fn is_standing(&self) -> bool {
        !self.has(CORRECTED | RETRACTED)
    }

    pub(super) fn is_evidenced(&self) -> bool {
        self.has(EVIDENCED)
    }

    /// Whether it stands, and is the reporter's over the days of the period.
    pub(super) fn stands_for(&self, reporter: Symbol, period: Period) -> bool {
        self.is_standing() && self.reporter == reporter && self.period().covers_same_days(&period)
    }

    pub(super) fn period(&self) -> Period {
        Period {
            from: self.from,
            to: self.to,
        }
    }

    pub(super) fn correct(&mut self) {
        self.set(CORRECTED);
    }

    pub(super) fn retract(&mut self) {
        self.set(RETRACTED);
    }

    pub(super) fn attach(&mut self) {
        self.set(EVIDENCED);
    }

    pub(super) fn named(&self) -> NamedReport {
        let state = if self.has(RETRACTED) {
            ReportState::Retracted
        } else if self.has(CORRECTED) {
            ReportState::Corrected
        } else {
            ReportState::Standing
        };
        NamedReport {
            period: self.period(),
            state,
            reporter: self.reporter,
        }
    }
}
