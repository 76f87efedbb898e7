//! What a later word on a commitment changes of what was said before, and what it does not.

use super::super::*;
use super::bodies::{ACTION_A, IN_2025, IN_2026, IN_MARCH, IOM, KEN, record, report, with};
use super::events::date;
use super::folded;
use super::steps::{Naming, Piece, Step};
use crate::wire::v1::view::*;
use crate::wire::v1::{Completion, Outcome, Stage};

/// The one commitment after these steps, due in 2025.
fn row(steps: &[Step]) -> CommitmentRow {
    let view = after(steps);
    view.list("summary", &Page::default())
        .unwrap()
        .rows
        .remove(0)
}

fn after(steps: &[Step]) -> Views {
    let mut first = record(0, KEN, &[ACTION_A]);
    if let Step::Record { due, .. } = &mut first {
        *due = IN_2025;
    }
    folded(&[Family::Summary], &with(&[&[first], steps].concat()))
}

/// Why the commitment is on a list at the end of 2027, if it is.
fn why(list: WatchList, steps: &[Step]) -> Option<String> {
    let page = WatchPage {
        list: Some(list),
        ..WatchPage::default()
    };
    let today = date("2027-12-31").first_day();
    let answer = after(steps).watch(&page, today).unwrap().unwrap();
    let rows = answer.watch.unwrap().rows;
    assert_eq!(answer.commitments_by_list[&list], rows.len() as u64);
    rows.into_iter().next().map(|row| row.why)
}

#[test]
fn what_was_closed_as_not_fulfilled_needs_no_assessment_of_a_fulfilment() {
    let fulfilled = report(0, IN_2026, Stage::Fulfilled);
    let closed = |outcome| {
        let steps = [fulfilled.clone(), Step::Close(0, outcome)];
        why(WatchList::FulfilledUnassessed, &steps)
    };
    let reported = std::slice::from_ref(&fulfilled);
    assert!(why(WatchList::FulfilledUnassessed, reported).is_some());
    assert!(closed(Outcome::Fulfilled).is_some());
    assert_eq!(closed(Outcome::NotFulfilled), None);
    assert_eq!(closed(Outcome::PartlyFulfilled), None);
}

#[test]
fn a_report_of_fulfilment_that_was_returned_does_not_end_lateness() {
    let fulfilled = report(0, IN_2026, Stage::Fulfilled);
    for list in [
        WatchList::Overdue,
        WatchList::OverdueOriginal,
        WatchList::Stale,
    ] {
        let late = |steps: &[Step]| {
            let steps = [std::slice::from_ref(&fulfilled), steps].concat();
            why(list, &steps).is_some()
        };
        assert!(!late(&[]), "{list:?}");
        assert!(late(&[Step::Return(0, 0)]), "{list:?}");
        assert!(!late(&[Step::Return(0, 0), Step::Validate(0, 0)]));
        // Reported anew, the secretariat has said nothing of it.
        assert!(!late(&[Step::Return(0, 0), fulfilled.clone()]));
    }
    let retracted = [fulfilled, Step::Retract(0, 0)];
    assert!(why(WatchList::OverdueOriginal, &retracted).is_some());
}

fn assess(completion: Option<Completion>, assessed: usize) -> Step {
    Step::Assess {
        commitment: 0,
        assessor: IOM,
        method: 0,
        completion,
        assessed,
    }
}

fn revise(completion: Option<Completion>) -> Step {
    Step::Revise {
        commitment: 0,
        assessment: 0,
        graded: true,
        completion,
    }
}

#[test]
fn a_grade_that_nothing_translates_does_not_hide_that_an_assessor_went_down() {
    let unclear = assess(None, IN_MARCH);
    let went_down = |steps: &[Step]| {
        let why = why(WatchList::Downgraded, steps);
        assert_eq!(row(steps).downgraded, why.is_some());
        why
    };
    let complete = assess(Some(Completion::Complete), IN_2025);
    let limited = assess(Some(Completion::Limited), IN_2026);
    let said = Some("IOM: limited, complete before (IRM 2014)".to_owned());
    assert_eq!(
        went_down(&[complete.clone(), unclear, limited.clone()]),
        said
    );
    let down = revise(Some(Completion::Limited));
    assert_eq!(went_down(&[complete.clone(), revise(None)]), None);
    assert_eq!(
        went_down(&[complete.clone(), revise(None), down.clone()]),
        said
    );
    assert_eq!(
        went_down(&[complete.clone(), down.clone(), down.clone()]),
        said,
        "to say it again takes nothing back"
    );
    let up = revise(Some(Completion::Substantial));
    assert_eq!(went_down(&[complete, down, up]), None);
}

/// Whether there is evidence, and whether some of it could not be found.
fn evidence(steps: &[Step]) -> (bool, bool) {
    let row = row(steps);
    (row.evidence, row.evidence_unavailable)
}

#[test]
fn evidence_that_was_added_to_a_report_stays_when_that_is_corrected() {
    let correct = |evidence| Step::Correct {
        commitment: 0,
        report: 0,
        stage: 1,
        evidence,
    };
    let attached = [
        report(0, IN_2025, Stage::InProgress),
        Step::Attach(0, KEN, Some(0)),
    ];
    assert_eq!(evidence(&attached), (true, false));
    let corrected = [&attached[..], &[correct(false), correct(false)]].concat();
    assert_eq!(evidence(&corrected), (true, false));
    let retracted = [&corrected[..], &[Step::Retract(0, 0)]].concat();
    assert_eq!(evidence(&retracted), (false, false));
}

#[test]
fn evidence_is_missing_no_more_once_it_is_attached_anew_or_gone_with_its_report() {
    const NAIROBI: usize = 3;
    // What Nairobi attaches is piece 1, with a URL; what Mexico does, without.
    let flagged = [
        Step::Attach(0, KEN, None),
        Step::Flag(0, 1),
        Step::Attach(0, 1, None),
    ];
    assert_eq!(evidence(&flagged), (true, true));
    let anew = [&flagged[..], &[Step::Attach(0, NAIROBI, None)]].concat();
    assert_eq!(evidence(&anew), (true, false));
    let gone = [
        report(0, IN_2025, Stage::InProgress),
        Step::Attach(0, KEN, Some(0)),
        Step::Flag(0, 0),
        Step::Retract(0, 0),
    ];
    assert_eq!(evidence(&gone[..3]), (true, true));
    assert_eq!(evidence(&gone), (false, false));
}

#[test]
fn evidence_that_was_not_found_is_found_by_whatever_names_it_with_a_url() {
    let flagged = [
        report(0, IN_2025, Stage::InProgress),
        Step::Attach(0, KEN, None),
        Step::Flag(0, 0),
    ];
    assert_eq!(evidence(&flagged), (true, true));
    for &naming in Naming::ALL {
        let named = |piece| [&flagged[..], &[Step::Name(0, naming, piece)]].concat();
        let again = named(Piece::Digested(0));
        assert_eq!(evidence(&again), (true, false), "{naming:?}");
        for other in [Piece::Digested(1), Piece::Undigested] {
            assert_eq!(
                evidence(&named(other)),
                (true, true),
                "{naming:?} {other:?}"
            );
        }
    }
}

#[test]
fn evidence_without_a_digest_is_told_apart_until_it_is_given_one() {
    let kinds = |steps: &[Step]| {
        let row = row(steps);
        (row.evidence, row.evidence_undigested)
    };
    for naming in [
        Naming::Report,
        Naming::Correction,
        Naming::Milestone,
        Naming::Commitment,
        Naming::AddedToReport,
    ] {
        let named = [
            report(0, IN_2025, Stage::InProgress),
            Step::Name(0, naming, Piece::Undigested),
        ];
        assert_eq!(kinds(&named), (true, true), "{naming:?}");
        let digested = [&named[..], &[Step::Digest(0, 0, 1)]].concat();
        assert_eq!(kinds(&digested), (true, false), "{naming:?}");
        let beside = [&named[..], &[Step::Attach(0, KEN, None)]].concat();
        assert_eq!(kinds(&beside), (true, false), "beside one with a digest");
    }
    // What a contest or an assessor names is not the participants' evidence.
    for naming in [Naming::Contest, Naming::Assessment] {
        let named = [
            report(0, IN_2025, Stage::InProgress),
            Step::Name(0, naming, Piece::Undigested),
            Step::Digest(0, 0, 1),
        ];
        assert_eq!(kinds(&named), (false, false), "{naming:?}");
    }
}

#[test]
fn evidence_without_a_digest_is_flagged_and_found_under_both_of_its_names() {
    let named = [
        report(0, IN_2025, Stage::InProgress),
        Step::Name(0, Naming::Commitment, Piece::Undigested),
        Step::FlagPlaced(0, 0),
    ];
    let then = |steps: &[Step]| evidence(&[&named[..], steps].concat());
    assert_eq!(then(&[]), (true, true));
    assert_eq!(then(&[Step::MovePlaced(0, 0)]), (true, false));
    assert_eq!(then(&[Step::Digest(0, 0, 1)]), (true, true));
    assert_eq!(
        then(&[Step::Digest(0, 0, 1), Step::Move(0, 1)]),
        (true, false)
    );
    assert_eq!(
        then(&[Step::Digest(0, 0, 1), Step::MovePlaced(0, 0)]),
        (true, false)
    );
}
