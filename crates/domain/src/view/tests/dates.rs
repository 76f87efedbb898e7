//! What is late on a day, against the rows of the list read one by one.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;

use super::super::*;
use super::events::{date, log};
use super::{any_steps, breaks, folded, folded_with_restarts};
use crate::wire::v1::view::*;

/// Whether a commitment is among those that a view counts as its own.
fn is_own(row: &CommitmentRow) -> bool {
    row.role.is_none_or(|role| role == ParticipationRole::Lead)
}

/// Every commitment of a view read, and looked at by the rules as they are written down.
fn recounted(view: &Views, key: &str, today: NaiveDate) -> Timeliness {
    let page = Page {
        after: None,
        limit: MAX_PAGE_ROWS,
    };
    let list = view.list(key, &page).expect("it lists commitments");
    assert_eq!(list.rows.len(), list.commitments, "one page holds them all");
    let mut counts = Timeliness::default();
    let active = |row: &&CommitmentRow| {
        ["active", "suspended"].contains(&row.status.as_str()) && is_own(row)
    };
    for row in list.rows.iter().filter(active) {
        let past = |due: &String| u64::from(date(due).last_day() < today);
        let open = row.stage != "fulfilled" || row.returned;
        let original = row.original_due.as_ref().or(row.due.as_ref());
        match &row.reported_until {
            None => counts.never_reported += 1,
            Some(until) if open => {
                let until: NaiveDate = until.parse().unwrap();
                let fresh = until + Days::new(STALE_AFTER_DAYS as u64) >= today;
                counts.stale += u64::from(!fresh);
            }
            Some(_) => {}
        }
        if open {
            counts.overdue_amended += row.due.as_ref().map_or(0, past);
            counts.overdue_original += original.map_or(0, past);
        }
    }
    counts
}

fn assert_late_as_recounted(view: &Views, today: NaiveDate) {
    let of_commitments = |key: &String| view.list(key, &Page::default()).is_some();
    for key in view.keys().into_iter().filter(of_commitments) {
        assert_eq!(
            view.timeliness(&key, today),
            Some(recounted(view, &key, today)),
            "{key} on {today}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_late_on_a_day_is_what_reading_every_commitment_gives(
        steps in any_steps(),
        breaks in breaks(),
        days_after in prop::collection::vec(0..3_000u64, 1..4),
    ) {
        let log = log(&steps);
        for days in days_after {
            let today = date("2025-01-01").first_day() + Days::new(days);
            assert_late_as_recounted(&folded(&[Family::Country], &log), today);
            assert_late_as_recounted(&folded(&[Family::Action], &log), today);
            let (restarted, _) = folded_with_restarts(&[Family::Summary], &log, &breaks);
            assert_late_as_recounted(&restarted, today);
        }
    }
}
