//! The dates that a commitment is held to and the watch lists that it is on.

use super::dates::{Dates, epoch_day};
use super::facts::{CommitmentFacts, Flags};
use super::watch_lists::UndatedLists;
use crate::wire::v1::Stage;
use crate::wire::v1::view::WatchList;

impl CommitmentFacts {
    /// The dates it is held to. One that is not active owes nothing, and one reported as fulfilled nothing more, unless that report was returned.
    pub(crate) fn dates(&self) -> Dates {
        let owes = self.is_active();
        let fulfilled = self.stage == Some(Stage::Fulfilled) && !self.flags.has(Flags::RETURNED);
        let open = owes && !fulfilled;
        Dates {
            due: self.due.filter(|_| open),
            original_due: self.original_due.filter(|_| open),
            reported_until: self.reported_until.filter(|_| open).map(epoch_day),
            never_reported: owes && self.last_report.is_none(),
            watched: UndatedLists::of(|list| self.is_on_undated(list)),
        }
    }

    /// Returns true when a commitment is on a list that does not depend on the day; never for
    /// another. A withdrawn, superseded or lapsed commitment is watched no more. The exceptions are
    /// its open contests, and a successor that was withdrawn.
    pub(crate) fn is_on_undated(&self, list: WatchList) -> bool {
        let kept = self.is_active() || self.is_closed();
        let has = |flag| self.flags.has(flag);
        match list {
            WatchList::Overdue
            | WatchList::OverdueOriginal
            | WatchList::Stale
            | WatchList::NeverReported => false,
            WatchList::FulfilledUnassessed => kept && self.is_fulfilled_unassessed(),
            WatchList::AssessedBelowReport => kept && has(Flags::ASSESSED_BELOW_REPORT),
            WatchList::Downgraded => kept && has(Flags::DOWNGRADED),
            WatchList::Contested => has(Flags::CONTESTED),
            WatchList::EvidenceMissing => {
                let said = self.last_report.is_some() || self.is_closed_fulfilled();
                kept && said && !self.has_evidence()
            }
            WatchList::EvidenceUnavailable => kept && has(Flags::EVIDENCE_UNAVAILABLE),
            WatchList::Unconfirmed => self.is_active() && self.is_unconfirmed(),
            WatchList::GroundTakenBack => has(Flags::GROUND_TAKEN_BACK),
            WatchList::SuccessorWithdrawn => has(Flags::SUCCESSOR_WITHDRAWN),
        }
    }
}
