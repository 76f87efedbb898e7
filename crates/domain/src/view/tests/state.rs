//! One commitment folded from its own events against the views that fold the whole log.

use chrono::NaiveDate;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::*;
use super::any_steps;
use super::bodies::{
    ACTION_A, FIRST_OF_2025, IN_2025, IN_2026, IN_MARCH, KEN, MEX, record, report, with,
};
use super::events::{commitment, date, log};
use super::steps::{Naming, Piece, Step};
use crate::ids::CommitmentId;
use crate::wire::v1::view::*;
use crate::wire::v1::{Amount, Event, EventBody, Indicator, MeasureChange, Stage};

const WHOLE: Page = Page {
    after: None,
    limit: MAX_PAGE_ROWS,
};

/// The lists that a commitment is on, and why, by the watch lists of the whole ledger.
fn watched(view: &Views, id: &str, today: NaiveDate) -> Vec<WatchedRow> {
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
    assert_eq!(has("ground_taken_back"), row.ground_taken_back);
    assert_eq!(has("successor_withdrawn"), row.successor_withdrawn);
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
        let mut view = Views::of(&[Family::Summary]);
        let mut alone: BTreeMap<CommitmentId, CommitmentFold> = BTreeMap::new();
        let log = log(&steps);
        for event in &log {
            view.apply(event);
            let Some(id) = event.header.subject.commitment() else { continue };
            let fold = alone.entry(id).or_default();
            fold.apply(event);
            // An event that is delivered again changes nothing.
            fold.apply(event);
            let rows = view.list("summary", &WHOLE).unwrap().rows.into_iter();
            let row = rows.into_iter().find(|row| row.commitment == id.to_string());
            if let Some(successor) = fold.successor(id) {
                let by_then = log.iter().take_while(|other| other.header.position <= event.header.position);
                let of_successor = |other: &&Event| other.header.subject.commitment() == Some(successor);
                by_then.filter(of_successor).for_each(|other| fold.follow(id, other));
            }
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
fn a_successor_that_was_never_recorded_is_not_withdrawn() {
    let log = with(&[
        record(0, KEN, &[ACTION_A]),
        Step::Withdraw(3),
        Step::Supersede(0, 3),
    ]);
    let id = log[log.len() - 3].header.subject.commitment().unwrap();
    let mut fold = CommitmentFold::default();
    let own = |event: &&Event| event.header.subject.commitment() == Some(id);
    for event in log.iter().filter(own) {
        fold.apply(event);
    }
    for event in &log {
        fold.follow(id, event);
    }
    let state = fold.state(id, date("2026-06-01").first_day()).unwrap();
    assert_eq!(state.commitment.status, "superseded");
    assert!(!state.commitment.successor_withdrawn);
}

#[test]
fn nothing_is_known_of_a_commitment_that_was_not_recorded() {
    let id: CommitmentId = "01938f3e-7b5a-7000-8000-000000000000".parse().unwrap();
    let state = CommitmentFold::default().state(id, NaiveDate::default());
    assert_eq!(state, None);
}

/// How the first commitment stands after some events of the whole ledger.
fn state_after(log: &[Event]) -> CommitmentState {
    let id = commitment(0);
    let mut fold = CommitmentFold::default();
    for event in log
        .iter()
        .filter(|it| it.header.subject.commitment() == Some(id))
    {
        fold.apply(event);
    }
    fold.state(id, date("2027-12-31").first_day()).unwrap()
}

#[test]
fn how_late_it_was_reported_as_fulfilled_is_measured_against_the_first_due_date() {
    let late = |steps: &[Step]| {
        let mut first = record(0, KEN, &[ACTION_A]);
        if let Step::Record { due, .. } = &mut first {
            *due = FIRST_OF_2025;
        }
        let log = with(&[&[first], steps].concat());
        state_after(&log).reported_fulfilled_days_after_first_due
    };
    let fulfilled = |to| report(0, to, Stage::Fulfilled);
    let days_of_2025 = Some(364);
    assert_eq!(late(&[report(0, IN_2025, Stage::InProgress)]), None);
    assert_eq!(late(&[fulfilled(IN_2025)]), days_of_2025);
    assert_eq!(
        late(&[fulfilled(IN_2025), fulfilled(IN_MARCH)]),
        days_of_2025,
        "to say it again later makes it no later"
    );
    let relapsed = [fulfilled(IN_2025), report(0, IN_MARCH, Stage::Stalled)];
    assert_eq!(late(&relapsed), None);
    assert_eq!(late(&[fulfilled(IN_2025), Step::Return(0, 0)]), None);
    assert_eq!(late(&[fulfilled(IN_2025), Step::Retract(0, 0)]), None);
    let moved = Step::Amend {
        commitment: 0,
        actions: None,
        due: IN_2026,
        measured: false,
        weakened: true,
    };
    assert_eq!(late(&[moved, fulfilled(IN_2025)]), days_of_2025);
    assert_eq!(late(&[fulfilled(FIRST_OF_2025)]), None, "in time");
}

fn amount(number: f64) -> Option<Amount> {
    Amount::new(number)
}

#[test]
fn what_it_is_measured_by_stands_beside_what_was_said_first_and_the_newest_value() {
    let by = |reporter, to| {
        let mut step = report(0, to, Stage::InProgress);
        if let Step::Report { reporter: who, .. } = &mut step {
            *who = reporter;
        }
        step
    };
    let mut log = with(&[
        record(0, KEN, &[ACTION_A]),
        Step::Amend {
            commitment: 0,
            actions: None,
            due: IN_2026,
            measured: true,
            weakened: false,
        },
        by(MEX, IN_MARCH),
        by(KEN, IN_2025),
    ]);
    let mut values = [(40.0, "People"), (30.0, "people")].into_iter();
    for event in &mut log {
        if let EventBody::ProgressReported(data) = &mut event.body {
            let (value, name) = values.next().unwrap();
            data.indicators.push(Indicator {
                name: name.to_owned(),
                value: amount(value).unwrap(),
                unit: Some("persons".to_owned()),
            });
        }
        if let EventBody::CommitmentAmended(data) = &mut event.body {
            data.measure = Some(MeasureChange {
                target: amount(7.0),
                unit: Some("persons".to_owned()),
                ..MeasureChange::default()
            });
        }
    }
    let end = log.len();
    let measure = |events: usize| state_after(&log[..events]).measure.unwrap();
    let first = measure(end - 3);
    assert_eq!((first.baseline, first.target), (amount(1.0), amount(9.0)));
    assert_eq!((first.first_target, first.latest), (None, None));
    let now = measure(end);
    assert_eq!(now.indicator, "people");
    assert_eq!((now.target, now.first_target), (amount(7.0), amount(9.0)));
    assert_eq!(now.unit.as_deref(), Some("persons"));
    assert_eq!((&now.first_unit, now.first_baseline), (&None, None));
    let value = |row: MeasureRow| row.latest.map(|it| (it.party, it.value.get(), it.until));
    let of_partner = Some(("MEX".to_owned(), 40.0, "2026-03".to_owned()));
    assert_eq!(value(measure(end - 1)), of_partner);
    let of_lead = Some(("KEN".to_owned(), 30.0, "2025".to_owned()));
    assert_eq!(value(now), of_lead, "the lead's own comes first");
}

#[test]
fn a_commitment_shows_its_text_its_places_its_source_and_where_its_evidence_is() {
    let naming = |naming, piece| Step::Name(0, naming, piece);
    let mut log = with(&[
        record(0, KEN, &[ACTION_A]),
        report(0, IN_2025, Stage::InProgress),
        naming(Naming::AddedToReport, Piece::Undigested),
        naming(Naming::Commitment, Piece::Digested(1)),
        naming(Naming::Contest, Piece::Undigested),
        Step::FlagPlaced(0, 1),
        Step::Digest(0, 1, 0),
        Step::Digest(0, 0, 1),
        Step::Move(0, 1),
    ]);
    for event in &mut log {
        if let EventBody::CommitmentRecorded(data) = &mut event.body {
            data.description = Some("What it is".to_owned());
            data.countries = vec!["UGA".parse().unwrap()];
            data.source = serde_json::from_str(r#"{"system":"UPR","reference":"A-1"}"#).unwrap();
        }
    }
    let state = state_after(&log);
    assert_eq!(state.description.as_deref(), Some("What it is"));
    assert_eq!(state.countries, ["UGA"]);
    assert_eq!(state.source.map(|it| it.reference), Some("A-1".to_owned()));
    let [attached, beside] = state.evidence_pieces.as_slice() else {
        panic!("the third was the second: {:?}", state.evidence_pieces);
    };
    let report = &state.reports[0].position;
    assert_eq!(
        (attached.report.as_ref(), &beside.report),
        (Some(report), &None)
    );
    assert_eq!(attached.sha256.as_deref(), Some(&*"00".repeat(32)));
    assert_eq!((attached.undigested, attached.unavailable), (false, true));
    assert_eq!(attached.url.as_deref(), Some("https://example.org/here"));
    assert_eq!((&*attached.party, beside.unavailable), ("KEN", false));
    assert_eq!(beside.sha256.as_deref(), Some(&*"01".repeat(32)));
    assert_eq!(beside.url.as_deref(), Some("https://example.org/moved"));
    let undigested = &state_after(&log[..log.len() - 3]).evidence_pieces[0];
    assert_eq!((undigested.undigested, &undigested.sha256), (true, &None));
    assert!(attached.evidence.ends_with(".0") && attached.evidence == undigested.evidence);
}

#[test]
fn evidence_without_room_in_an_answer_is_counted() {
    let mut log = with(&[record(0, KEN, &[ACTION_A])]);
    let attach = with(&[
        record(0, KEN, &[ACTION_A]),
        Step::Name(0, Naming::Commitment, Piece::Undigested),
    ]);
    for number in 0..400 {
        let mut event = attach.last().unwrap().clone();
        event.header.position = crate::ids::Position(log.len() as u64);
        if let EventBody::EvidenceAttached(data) = &mut event.body {
            data.evidence[0].url =
                Some(format!("https://example.org/{}{number}", "x".repeat(2000)));
        }
        log.push(event);
    }
    let state = state_after(&log);
    let shown = state.evidence_pieces.len();
    assert_eq!(shown + state.evidence_pieces_left_out, 400);
    assert!(shown > 50 && serde_json::to_vec(&state).unwrap().len() < 400 * 1024);
}
