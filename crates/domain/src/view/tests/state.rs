//! One commitment folded from its own events against the views that fold the whole log.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::*;
use super::any_steps;
use super::events::{date, log};
use crate::ids::CommitmentId;

const WHOLE: Page = Page {
    after: None,
    limit: MAX_PAGE_ROWS,
};

/// The lists that a commitment is on, and why, by the watch lists of the whole ledger.
fn watched(view: &SummaryView, id: &str, today: NaiveDate) -> Vec<WatchedRow> {
    let mut found = Vec::new();
    for &list in WatchList::ALL {
        let page = WatchPage {
            list: Some(list),
            limit: MAX_PAGE_ROWS,
            ..WatchPage::default()
        };
        let rows = view.watch(&page, today).unwrap().unwrap().watch.unwrap();
        let rows = rows.rows.into_iter();
        let own = rows.filter(|row| row.commitment.commitment == id);
        found.extend(own.map(|row| WatchedRow {
            list,
            why: row.why,
            since: row.since,
        }));
    }
    found
}

fn assert_agrees_with_itself(state: &CommitmentState) {
    let has = |flag: &str| state.flags.iter().any(|other| other == flag);
    let row = &state.commitment;
    assert_eq!(has("not_measurable"), !row.measurable);
    let contested = state.contests.iter().any(|contest| !contest.retracted);
    assert_eq!((has("contested"), row.contested), (contested, contested));
    let upheld = state.reports.iter().any(|report| report.contest_upheld);
    assert_eq!(
        (has("contest_upheld"), row.contest_upheld),
        (upheld, upheld)
    );
    assert_eq!(has("self_declared"), row.self_declared);
    let claimed = state
        .participations
        .iter()
        .any(|part| part.state == "claimed");
    assert_eq!(has("claimed"), claimed);
    let from = state.stage_from.as_ref();
    let from = from.and_then(|at| state.reports.iter().find(|report| report.position == *at));
    let said = from.map_or("none_reported", |report| &report.stage);
    assert_eq!(row.stage, said);
    let last = state.reports.iter().map(|report| &report.recorded).max();
    assert_eq!(row.last_report.as_ref(), last);
    for report in &state.reports {
        assert_eq!(report.by_lead, report.party == row.lead, "{report:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_commitment_folded_alone_stands_as_in_the_views_of_the_whole_ledger(
        steps in any_steps(),
        days_after in 0..3_000u64,
    ) {
        let today = date("2026-06-01").first_day() + chrono::Days::new(days_after);
        let mut view = SummaryView::default();
        let mut alone: BTreeMap<CommitmentId, CommitmentFold> = BTreeMap::new();
        for event in &log(&steps) {
            view.apply(event);
            let Some(id) = event.header.subject.commitment() else { continue };
            let fold = alone.entry(id).or_default();
            fold.apply(event);
            // An event that is delivered again changes nothing.
            fold.apply(event);
            let rows = view.list("summary", &WHOLE).unwrap().rows.into_iter();
            let row = rows.into_iter().find(|row| row.commitment == id.to_string());
            let state = fold.state(id, today);
            prop_assert_eq!(state.as_ref().map(|state| &state.commitment), row.as_ref());
            if let Some(state) = state {
                prop_assert_eq!(&state.watch, &watched(&view, &id.to_string(), today));
                assert_agrees_with_itself(&state);
            }
        }
    }
}

#[test]
fn nothing_is_known_of_a_commitment_that_was_not_recorded() {
    let id: CommitmentId = "01938f3e-7b5a-7000-8000-000000000000".parse().unwrap();
    let state = CommitmentFold::default().state(id, NaiveDate::default());
    assert_eq!(state, None);
}
