//! The watch lists that do not depend on the day: which of them a commitment is on, and how many commitments each has.

use std::collections::BTreeMap;

use crate::wire::v1::view::{Timeliness, WatchList};

/// The lists that do not depend on the day.
const UNDATED: [WatchList; 9] = [
    WatchList::FulfilledUnassessed,
    WatchList::AssessedBelowReport,
    WatchList::Downgraded,
    WatchList::Contested,
    WatchList::EvidenceMissing,
    WatchList::EvidenceUnavailable,
    WatchList::Unconfirmed,
    WatchList::GroundTakenBack,
    WatchList::SuccessorWithdrawn,
];

/// The undated lists that a commitment is on, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct UndatedLists(u16);

/// The number of commitments on each undated list.
#[derive(Debug, Default)]
pub(crate) struct UndatedCounts([u32; UNDATED.len()]);

impl UndatedLists {
    /// The lists for which `is_on` holds.
    pub(crate) fn of(is_on: impl Fn(WatchList) -> bool) -> Self {
        let mut lists = Self::default();
        for (bit, list) in UNDATED.iter().enumerate() {
            lists.0 |= u16::from(is_on(*list)) << bit;
        }
        lists
    }
}

impl UndatedCounts {
    pub(crate) fn change(&mut self, before: UndatedLists, after: UndatedLists) {
        if before == after {
            return;
        }
        for (bit, count) in self.0.iter_mut().enumerate() {
            let on = |watched: UndatedLists| u32::from(watched.0 >> bit & 1);
            *count = (*count + on(after)).saturating_sub(on(before));
        }
    }

    /// The counts of all lists, with those that depend on the day.
    pub(crate) fn with(&self, today: Timeliness) -> BTreeMap<WatchList, u64> {
        let undated = UNDATED
            .iter()
            .zip(self.0)
            .map(|(&list, count)| (list, u64::from(count)));
        let dated = [
            (WatchList::Overdue, today.overdue_amended),
            (WatchList::OverdueOriginal, today.overdue_original),
            (WatchList::Stale, today.stale),
            (WatchList::NeverReported, today.never_reported),
        ];
        dated.into_iter().chain(undated).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_undated_list_has_a_bit() {
        assert!(UNDATED.len() <= 16, "one bit each");
    }
}
