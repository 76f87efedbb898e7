//! The watch lists against the rows of every commitment, read one by one by the rules as they are written down.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use proptest::prelude::*;

use super::super::*;
use super::bodies::{ACTION_A, IN_2025, KEN, record, report, with};
use super::events::{date, log};
use super::steps::Step;
use super::{any_steps, breaks, folded, folded_with_restarts};
use crate::wire::v1::view::*;
use crate::wire::v1::{Outcome, Stage};

const WHOLE: Page = Page {
    after: None,
    limit: MAX_PAGE_ROWS,
};

fn page(list: WatchList) -> WatchPage {
    WatchPage {
        list: Some(list),
        limit: MAX_PAGE_ROWS,
        ..WatchPage::default()
    }
}

fn asked(view: &Views, page: &WatchPage, today: NaiveDate) -> (WatchRows, u64) {
    let answer = view.watch(page, today).unwrap().unwrap();
    let rows = answer.watch.unwrap();
    let count = answer.commitments_by_list[&rows.list];
    (rows, count)
}

fn ids(rows: &WatchRows) -> Vec<&str> {
    rows.rows
        .iter()
        .map(|row| row.commitment.commitment.as_str())
        .collect()
}

/// Whether a commitment is on a list, by its row; none where its row does not tell.
fn is_on(list: WatchList, row: &CommitmentRow, today: NaiveDate) -> Option<bool> {
    let stands = row.status == "active" || row.status == "suspended";
    let kept = stands || row.status.starts_with("closed_");
    let open = stands && (row.stage != "fulfilled" || row.returned);
    let past = |due: &Option<String>| due.as_ref().is_some_and(|due| date(due).last_day() < today);
    let assessed = row.assessments.iter().any(|it| it.kind == "progress");
    let reported_fulfilled = stands && row.stage == "fulfilled";
    let fulfilled = reported_fulfilled || row.status == "closed_fulfilled";
    let reported = row.reported_until.as_ref();
    let reported = reported.map(|until| until.parse::<NaiveDate>().unwrap());
    Some(match list {
        WatchList::Overdue => open && past(&row.due),
        WatchList::OverdueOriginal => {
            open && past(
                row.original_due
                    .as_ref()
                    .map_or(&row.due, |_| &row.original_due),
            )
        }
        WatchList::Stale => {
            let fresh_until = |day: NaiveDate| day + Days::new(STALE_AFTER_DAYS as u64);
            open && reported.is_some_and(|day| fresh_until(day) < today)
        }
        WatchList::NeverReported => stands && reported.is_none(),
        WatchList::FulfilledUnassessed => kept && fulfilled && !assessed,
        WatchList::AssessedBelowReport => kept && row.assessed_below_report,
        WatchList::Downgraded => kept && row.downgraded,
        WatchList::Contested => row.contested,
        WatchList::EvidenceMissing => {
            let said = reported.is_some() || row.status == "closed_fulfilled";
            kept && said && !row.evidence
        }
        WatchList::EvidenceUnavailable => kept && row.evidence_unavailable,
        WatchList::Unconfirmed => return None,
        WatchList::GroundTakenBack => row.ground_taken_back,
        WatchList::SuccessorWithdrawn => row.successor_withdrawn,
    })
}

fn check(view: &Views, countries: &Views, today: NaiveDate) {
    let all = view.list("summary", &WHOLE).unwrap().rows;
    for &list in WatchList::ALL {
        let (rows, count) = asked(view, &page(list), today);
        assert_eq!(count, rows.rows.len() as u64, "{list:?} on {today}");
        assert_eq!(rows.next, None);
        let examples = rows.rows.iter().filter(|row| row.commitment.illustrative);
        let answer = view.watch(&page(list), today).unwrap().unwrap();
        assert_eq!(
            answer.illustrative_commitments_by_list[&list],
            examples.count() as u64
        );
        let expected = all.iter().map(|row| (row, is_on(list, row, today)));
        let expected: Vec<_> = expected.filter(|(_, on)| *on != Some(false)).collect();
        if list == WatchList::Unconfirmed {
            continue;
        }
        let expected: Vec<&str> = expected
            .iter()
            .map(|(row, _)| row.commitment.as_str())
            .collect();
        assert_eq!(ids(&rows), expected, "{list:?} on {today}");
        for row in &rows.rows {
            assert!(!row.why.is_empty());
            let since = row
                .since
                .as_ref()
                .map(|day| day.parse::<NaiveDate>().unwrap());
            assert!(
                since.is_none_or(|since| since <= today),
                "{row:?} on {today}"
            );
        }
        let leads = |row: &CommitmentRow| row.role == Some(ParticipationRole::Lead);
        for key in countries.keys() {
            let led = countries.list(&key, &WHOLE).unwrap().rows.into_iter();
            let led: BTreeSet<String> = led.filter(leads).map(|row| row.commitment).collect();
            let country = Some(key.clone());
            let found = asked(
                view,
                &WatchPage {
                    country,
                    ..page(list)
                },
                today,
            )
            .0;
            let expected = ids(&rows).into_iter().filter(|id| led.contains(*id));
            assert_eq!(
                ids(&found),
                expected.collect::<Vec<_>>(),
                "{list:?} of {key}"
            );
        }
    }
}

/// What becomes of the lists of an action is what stands in the action's own view.
fn check_actions(view: &Views, actions: &Views, today: NaiveDate) {
    for key in actions.keys() {
        let late = actions.timeliness(&key, today).unwrap();
        for (list, expected) in [
            (WatchList::Overdue, late.overdue_amended),
            (WatchList::Stale, late.stale),
            (WatchList::NeverReported, late.never_reported),
        ] {
            let action = Some(key.clone());
            let found = asked(
                view,
                &WatchPage {
                    action,
                    ..page(list)
                },
                today,
            )
            .0;
            assert_eq!(found.rows.len() as u64, expected, "{list:?} of {key}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn watch_lists_are_what_reading_every_commitment_gives(
        steps in any_steps(),
        breaks in breaks(),
        days_after in 0..3_000u64,
    ) {
        let log = log(&steps);
        let recorded = log.last().map(|event| event.header.time.date_naive());
        let today = recorded.unwrap_or_default() + Days::new(days_after);
        let (view, _) = folded_with_restarts(&[Family::Summary], &log, &breaks);
        check(&view, &folded(&[Family::Country], &log), today);
        check_actions(&view, &folded(&[Family::Action], &log), today);
    }

    /// Pages put together are the whole list, whatever their size.
    #[test]
    fn pages_cover_a_watch_list(steps in any_steps(), limit in 1..4usize) {
        let view = folded(&[Family::Summary], &log(&steps));
        let today = date("2031-01-01").first_day();
        for &list in WatchList::ALL {
            let whole = asked(&view, &page(list), today).0;
            let mut rows = Vec::new();
            let mut next = WatchPage { limit, ..page(list) };
            loop {
                let part = asked(&view, &next, today).0;
                prop_assert!(part.rows.len() <= limit);
                rows.extend(part.rows);
                match part.next {
                    Some(after) => next.after = after.parse().ok(),
                    None => break,
                }
            }
            prop_assert_eq!(rows, whole.rows);
        }
    }
}

#[test]
fn what_was_closed_as_fulfilled_owes_evidence_even_when_its_reports_are_retracted() {
    let steps = [
        record(0, KEN, &[ACTION_A]),
        report(0, IN_2025, Stage::Fulfilled),
        Step::Attach(0, KEN, Some(0)),
        Step::Close(0, Outcome::Fulfilled),
        Step::Retract(0, 0),
    ];
    let today = date("2026-06-30").first_day();
    let missing = |steps: &[Step]| {
        let view = folded(&[Family::Summary], &with(steps));
        let (rows, _) = asked(&view, &page(WatchList::EvidenceMissing), today);
        let why = rows.rows.into_iter().map(|row| row.why);
        why.collect::<Vec<_>>()
    };
    assert_eq!(missing(&steps[..4]), Vec::<String>::new());
    assert_eq!(missing(&steps), ["closed as fulfilled without evidence"]);
}

/// Two clocks may be on either side of midnight.
#[test]
fn what_was_recorded_after_today_is_new() {
    let step = Step::Record {
        commitment: 0,
        lead: 0,
        actions: vec![0],
        parts: Vec::new(),
        due: 0,
        measured: false,
        illustrative: false,
    };
    let view = folded(&[Family::Summary], &log(&[step]));
    let yesterday = date("2026-05-01").first_day();
    let (rows, _) = asked(&view, &page(WatchList::NeverReported), yesterday);
    let why: Vec<&str> = rows.rows.iter().map(|row| row.why.as_str()).collect();
    assert_eq!(why, ["no report in 0 days since it was recorded"]);
}

#[test]
fn what_is_unknown_is_said_and_other_projections_keep_no_lists() {
    let view = Views::of(&[Family::Summary]);
    let today = date("2026-01-01").first_day();
    let unknown = |page| view.watch(&page, today).unwrap().unwrap_err().what;
    let country = Some("XXX".to_owned());
    let action = Some("GCM-99".to_owned());
    assert_eq!(
        unknown(WatchPage {
            country,
            ..page(WatchList::Stale)
        }),
        "country"
    );
    assert_eq!(
        unknown(WatchPage {
            action,
            ..page(WatchList::Stale)
        }),
        "action"
    );
    assert!(
        Views::of(&[Family::Country])
            .watch(&page(WatchList::Stale), today)
            .is_none()
    );
    let counts = view.watch(&WatchPage::default(), today).unwrap().unwrap();
    assert_eq!(counts.watch, None);
    assert_eq!(counts.commitments_by_list.len(), WatchList::ALL.len());
}
