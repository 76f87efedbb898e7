//! The watch lists: commitments that somebody should look at, and why.
//!
//! Which lists a commitment is on follows from its facts and, for those about dates, from the day of asking. How many are on a list is kept
//! counted. Rows are found by reading the commitments in recorded order, at most [`MAX_READ`] for one answer, so that no answer holds the others up:
//! a page may come short and still say where to go on.

mod why;

use chrono::NaiveDate;
use rustc_hash::FxHashSet;

use super::list::MAX_PAGE_ROWS;
use crate::date::PartialDate;
use crate::view::read_model::dates::{Dates, days_before, epoch_day};
use crate::view::read_model::facts::{CommitmentFacts, PartState};
use crate::view::read_model::index::{ActionIndex, Slot, number};
use crate::view::read_model::place::{Place, place};
use crate::view::read_model::tables::Tables;
use crate::wire::v1::view::{STALE_AFTER_DAYS, WatchList, WatchRow, WatchRows};
use why::why;

/// The most commitments that are read for one answer.
pub(crate) const MAX_READ: u32 = 65_536;

/// Which part of a watch list is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchPage {
    /// The list; none for the counts alone.
    pub list: Option<WatchList>,
    /// Only commitments that a party of this country leads, or may take part in where the list is about that: ISO alpha-3, or `INT` for those of
    /// no country.
    pub country: Option<String>,
    /// Only commitments under this action.
    pub action: Option<String>,
    /// Leave out the commitments recorded at this position or before: the `next` of the page before.
    pub after: Option<u64>,
    /// At most this many rows; at least 1 and at most [`MAX_PAGE_ROWS`] are given.
    pub limit: usize,
}

/// What a watch list is asked for does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger knows no {what} {key}")]
pub struct UnknownFilter {
    /// `country` or `action`.
    pub what: &'static str,
    /// The key that was asked for.
    pub key: String,
}

/// A list on a day, for some commitments.
pub(crate) struct Search {
    pub(crate) list: WatchList,
    today: NaiveDate,
    place: Option<Place>,
    /// The action asked for and those under it.
    actions: Option<FxHashSet<ActionIndex>>,
}

/// A page of a list.
pub(crate) fn rows(
    tables: &Tables,
    list: WatchList,
    page: &WatchPage,
    today: NaiveDate,
) -> Result<WatchRows, UnknownFilter> {
    let search = Search::new(tables, list, page, today)?;
    Ok(search.run(tables, page, MAX_READ))
}

impl Search {
    /// The list for those commitments that a page is about.
    pub(crate) fn new(
        tables: &Tables,
        list: WatchList,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Result<Self, UnknownFilter> {
        let unknown = |what, key: &str| UnknownFilter {
            what,
            key: key.to_owned(),
        };
        let place = page
            .country
            .as_deref()
            .map(|key| place(key).ok_or_else(|| unknown("country", key)));
        let actions = page.action.as_deref().map(|code| {
            let action = tables
                .find_action(code)
                .ok_or_else(|| unknown("action", code))?;
            Ok(tables.beneath(action).into_iter().chain([action]).collect())
        });
        Ok(Self {
            place: place.transpose()?,
            actions: actions.transpose()?,
            ..Self::all(list, today)
        })
    }

    /// The list for every commitment.
    pub(crate) fn all(list: WatchList, today: NaiveDate) -> Self {
        Self {
            list,
            today,
            place: None,
            actions: None,
        }
    }

    fn run(&self, tables: &Tables, page: &WatchPage, max_read: u32) -> WatchRows {
        let start = page.after.map_or(0, |after| tables.slot_after(after));
        let end = start
            .saturating_add(max_read)
            .min(number(tables.commitments.len()));
        let limit = page.limit.clamp(1, MAX_PAGE_ROWS);
        let mut rows = Vec::new();
        let mut next = None;
        for facts in (start..end).filter_map(|slot: Slot| tables.facts(slot)) {
            if !self.finds(tables, facts) {
                continue;
            }
            if rows.len() == limit {
                // One more than asked for is enough to know that the list goes on.
                return WatchRows {
                    list: self.list,
                    rows,
                    next,
                };
            }
            rows.push(self.row(tables, facts));
            next = Some(facts.recorded_position.to_string());
        }
        let last_read = end.checked_sub(1).and_then(|slot| tables.facts(slot));
        let at_end = end >= number(tables.commitments.len());
        WatchRows {
            list: self.list,
            rows,
            next: last_read
                .filter(|_| !at_end)
                .map(|facts| facts.recorded_position.to_string()),
        }
    }

    /// Whether a commitment is on the list, and one of those that are asked for.
    pub(crate) fn finds(&self, tables: &Tables, facts: &CommitmentFacts) -> bool {
        self.is_on(facts)
            && self
                .place
                .is_none_or(|place| self.is_of(tables, place, facts))
            && self
                .actions
                .as_ref()
                .is_none_or(|wanted| facts.actions().iter().any(|action| wanted.contains(action)))
    }

    fn is_on(&self, facts: &CommitmentFacts) -> bool {
        let dates = || facts.dates();
        let past = |due: Option<PartialDate>| due.is_some_and(|due| due.last_day() < self.today);
        match self.list {
            WatchList::Overdue => past(dates().due),
            WatchList::OverdueOriginal => past(dates().original_due),
            WatchList::Stale => {
                let fresh_from = epoch_day(days_before(self.today, STALE_AFTER_DAYS));
                dates().reported_until.is_some_and(|day| day < fresh_from)
            }
            WatchList::NeverReported => dates().never_reported,
            WatchList::FulfilledUnassessed
            | WatchList::AssessedBelowReport
            | WatchList::Downgraded
            | WatchList::Contested
            | WatchList::EvidenceMissing
            | WatchList::EvidenceUnavailable
            | WatchList::Unconfirmed
            | WatchList::GroundTakenBack
            | WatchList::SuccessorWithdrawn => facts.is_on_undated(self.list),
        }
    }

    fn is_of(&self, tables: &Tables, place: Place, facts: &CommitmentFacts) -> bool {
        let leads = tables.country_of(facts.lead) == place;
        leads
            || (self.list == WatchList::Unconfirmed
                && facts.participations().iter().any(|part| {
                    part.state == PartState::Claimed && tables.country_of(part.party) == place
                }))
    }

    /// The commitment as the list shows it.
    pub(crate) fn row(&self, tables: &Tables, facts: &CommitmentFacts) -> WatchRow {
        let commitment = facts.row(tables, None);
        let since = self.since(facts);
        WatchRow {
            why: why(
                self.list,
                tables,
                facts,
                &commitment,
                self.days_since(since),
            ),
            since: since.map(|day| day.to_string()),
            commitment,
        }
    }

    /// The days since the first on the list. Who asks may go by a clock a little behind the one that recorded: what was recorded
    /// tomorrow by it is new.
    fn days_since(&self, since: Option<NaiveDate>) -> i64 {
        since.map_or(0, |since| {
            let days = self.today.signed_duration_since(since).num_days();
            days.max(0)
        })
    }

    /// The first day on the list.
    fn since(&self, facts: &CommitmentFacts) -> Option<NaiveDate> {
        let Dates {
            due, original_due, ..
        } = facts.dates();
        match self.list {
            WatchList::Overdue => due?.last_day().succ_opt(),
            WatchList::OverdueOriginal => original_due?.last_day().succ_opt(),
            WatchList::Stale => {
                let days = chrono::Days::new(STALE_AFTER_DAYS.unsigned_abs() + 1);
                facts.reported_until?.checked_add_days(days)
            }
            WatchList::NeverReported => Some(facts.recorded.date()),
            WatchList::FulfilledUnassessed
            | WatchList::AssessedBelowReport
            | WatchList::Downgraded
            | WatchList::Contested
            | WatchList::EvidenceMissing
            | WatchList::EvidenceUnavailable
            | WatchList::Unconfirmed
            | WatchList::GroundTakenBack
            | WatchList::SuccessorWithdrawn => None,
        }
    }
}

impl Tables {
    /// The first commitment that was recorded after a position.
    fn slot_after(&self, position: u64) -> Slot {
        let (mut low, mut high) = (0, number(self.commitments.len()));
        while low < high {
            let middle = low + (high - low) / 2;
            let before = self
                .facts(middle)
                .is_some_and(|facts| facts.recorded_position <= position);
            if before {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_name_on_the_wire_and_in_words() {
        for list in WatchList::ALL {
            let json = serde_json::to_string(list).unwrap();
            assert_eq!(json, format!("{:?}", list.as_str()));
        }
    }

    #[test]
    fn an_answer_that_read_enough_says_where_to_go_on() {
        let log = crate::view::tests::events::large_log(300, &[], 0);
        let mut tables = Tables::default();
        for event in &log {
            let event = &event.into();
            let slots = tables.slots_of(event);
            tables.evolve(event, &slots);
        }
        let search = Search {
            actions: Some(FxHashSet::default()),
            ..Search::all(WatchList::NeverReported, NaiveDate::default())
        };
        let mut page = WatchPage {
            limit: 10,
            ..WatchPage::default()
        };
        let mut answers = 0;
        loop {
            let found = search.run(&tables, &page, 128);
            assert!(found.rows.is_empty(), "no commitment is under no action");
            answers += 1;
            match found.next {
                Some(next) => page.after = next.parse().ok(),
                None => break,
            }
        }
        assert_eq!(answers, 3);
    }
}
