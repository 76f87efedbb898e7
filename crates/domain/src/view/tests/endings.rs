//! What becomes of a commitment that has ended: what its closing rested on, and what took its place.

use super::events::{commitment, date, event};
use crate::ids::{Position, Subject};
use crate::view::{Family, Page, Views, WatchPage};
use crate::wire::v1::view::{CommitmentRow, WatchList};
use crate::wire::v1::*;

/// A ledger of a few commitments of KEN, one event after the other.
struct Ledger {
    view: Views,
    next: u64,
}

impl Ledger {
    fn of(commitments: u8) -> Self {
        let mut ledger = Self {
            view: Views::of(&[Family::Summary]),
            next: 0,
        };
        for number in 0..commitments {
            let data = r#"{"lead":"KEN","title":"Visas","actions":["GCM-05a"],"form":"individual","due":"2020","participants":[{"party":"UGA","role":"partner"}]}"#;
            ledger.says("KEN", number, EventType::CommitmentRecorded, data);
        }
        ledger
    }

    fn says(&mut self, party: &str, number: u8, kind: EventType, data: &str) -> Position {
        let body = EventBody::decode(kind, data.as_bytes()).unwrap();
        let subject = Subject::Commitment(commitment(number));
        self.view.apply(&event(self.next, subject, party, body));
        self.next += 1;
        Position(self.next - 1)
    }

    fn changes(&mut self, number: u8, kind: EventType) {
        let data = r#"{"reason":"x","by":"lead"}"#;
        self.says("KEN", number, kind, data);
    }

    fn supersedes(&mut self, number: u8, successor: u8) {
        let successor = commitment(successor);
        let data = format!(r#"{{"reason":"x","by":"lead","successor":"{successor}"}}"#);
        self.says("KEN", number, EventType::CommitmentSuperseded, &data);
    }

    fn reports(&mut self, stage: &str, evidence: bool) -> Position {
        let data = report(stage, evidence);
        self.says("KEN", 0, EventType::ProgressReported, &data)
    }

    fn corrects(&mut self, at: Position, stage: &str, evidence: bool) -> Position {
        let report = report(stage, evidence);
        let data = format!(r#"{{"corrects":"{at}","report":{report}}}"#);
        self.says("KEN", 0, EventType::ReportCorrected, &data)
    }

    fn retracts(&mut self, at: Position) {
        let data = format!(r#"{{"report":"{at}","reason":"x"}}"#);
        self.says("KEN", 0, EventType::ReportRetracted, &data);
    }

    fn closes(&mut self, outcome: &str) {
        let data = format!(r#"{{"outcome":"{outcome}","reason":"x","by":"lead"}}"#);
        self.says("KEN", 0, EventType::CommitmentClosed, &data);
    }

    fn row(&self, number: u8) -> CommitmentRow {
        let rows = self.view.list("summary", &Page::default()).unwrap().rows;
        let id = commitment(number).to_string();
        rows.into_iter().find(|row| row.commitment == id).unwrap()
    }

    /// Whether a commitment is on a list, whose count and rows agree.
    fn is_on(&self, number: u8, list: WatchList) -> bool {
        let page = WatchPage {
            list: Some(list),
            limit: 10,
            ..WatchPage::default()
        };
        let today = date("2030-01-01").first_day();
        let answer = self.view.watch(&page, today).unwrap().unwrap();
        let rows = answer.watch.unwrap().rows;
        assert_eq!(answer.commitments_by_list[&list], rows.len() as u64);
        let id = commitment(number).to_string();
        rows.iter().any(|row| row.commitment.commitment == id)
    }

    fn is_ground_taken_back(&self) -> bool {
        let on = self.is_on(0, WatchList::GroundTakenBack);
        assert_eq!(self.row(0).ground_taken_back, on);
        let body = self.view.body("summary").unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let count = &body["closed_commitments"]["ground_taken_back"];
        assert_eq!(count, &serde_json::json!(u64::from(on)));
        on
    }
}

fn report(stage: &str, evidence: bool) -> String {
    let digest = "00".repeat(32);
    let evidence = if evidence {
        format!(r#","evidence":[{{"sha256":"{digest}"}}]"#)
    } else {
        String::new()
    };
    format!(r#"{{"period":{{"from":"2025","to":"2025"}},"stage":"{stage}"{evidence}}}"#)
}

fn returns(ledger: &mut Ledger, at: Position) {
    let data = format!(r#"{{"report":"{at}","by":"secretariat","reason":"x"}}"#);
    ledger.says("UNNM", 0, EventType::ReportReturned, &data);
}

fn contests_with_success(ledger: &mut Ledger, at: Position) {
    let data = format!(r#"{{"report":"{at}","reason":"x"}}"#);
    let contest = ledger.says("UGA", 0, EventType::ReportContested, &data);
    assert!(!ledger.is_ground_taken_back(), "contested is not false");
    let data = format!(r#"{{"contest":"{contest}","outcome":"upheld","reason":"x"}}"#);
    ledger.says("UNNM", 0, EventType::ContestResolved, &data);
}

#[test]
fn a_closing_whose_report_holds_no_more_is_shown_as_that() {
    type Change = fn(&mut Ledger, Position);
    let changes: [Change; 5] = [
        Ledger::retracts,
        returns,
        contests_with_success,
        |ledger, at| {
            ledger.corrects(at, "in_progress", true);
        },
        |ledger, at| {
            ledger.corrects(at, "fulfilled", false);
        },
    ];
    for change in changes {
        let mut ledger = Ledger::of(1);
        let at = ledger.reports("fulfilled", true);
        ledger.closes("fulfilled");
        assert!(!ledger.is_ground_taken_back());
        change(&mut ledger, at);
        assert!(ledger.is_ground_taken_back());
        assert_eq!(ledger.row(0).status, "closed_fulfilled");
        ledger.changes(0, EventType::CommitmentReinstated);
        assert!(!ledger.is_ground_taken_back(), "it is closed no more");
    }
}

#[test]
fn a_closing_has_its_ground_again_when_a_report_says_so_again() {
    let mut ledger = Ledger::of(1);
    let at = ledger.reports("fulfilled", true);
    ledger.closes("fulfilled");
    let at = ledger.corrects(at, "planning", true);
    assert!(ledger.is_ground_taken_back());
    let at = ledger.corrects(at, "fulfilled", true);
    assert!(!ledger.is_ground_taken_back());
    let other = report("fulfilled", true).replace("2025", "2024");
    ledger.says("UGA", 0, EventType::ProgressReported, &other);
    let at = ledger.corrects(at, "fulfilled", false);
    assert!(!ledger.is_ground_taken_back(), "another report says so");
    ledger.retracts(at);
    assert!(ledger.is_ground_taken_back(), "the lead says so no more");
}

#[test]
fn a_closing_rests_on_no_more_than_was_reported_then() {
    let mut ledger = Ledger::of(1);
    let at = ledger.reports("in_progress", true);
    ledger.closes("fulfilled");
    assert!(!ledger.is_ground_taken_back());
    ledger.retracts(at);
    assert!(ledger.is_ground_taken_back());
    for stage in ["planning", "stalled"] {
        let mut ledger = Ledger::of(1);
        let at = ledger.reports("in_progress", true);
        ledger.closes("fulfilled");
        let at = ledger.corrects(at, stage, true);
        assert!(ledger.is_ground_taken_back(), "{stage} is less");
        ledger.corrects(at, "in_progress", true);
        assert!(!ledger.is_ground_taken_back());
    }
    // To close otherwise needs no ground.
    let mut ledger = Ledger::of(1);
    ledger.closes("partly_fulfilled");
    assert!(!ledger.is_ground_taken_back());
}

#[test]
fn a_closing_rests_on_the_leads_word_as_well() {
    for change in [Ledger::retracts as fn(&mut Ledger, Position), returns] {
        let mut ledger = Ledger::of(1);
        let at = ledger.reports("fulfilled", false);
        let partners = report("in_progress", true);
        ledger.says("UGA", 0, EventType::ProgressReported, &partners);
        ledger.closes("fulfilled");
        assert!(!ledger.is_ground_taken_back());
        change(&mut ledger, at);
        assert!(ledger.is_ground_taken_back());
    }
}

#[test]
fn what_was_superseded_shows_that_its_successor_was_withdrawn() {
    let mut ledger = Ledger::of(3);
    let shown = |ledger: &Ledger, number| {
        let on = ledger.is_on(number, WatchList::SuccessorWithdrawn);
        assert_eq!(ledger.row(number).successor_withdrawn, on);
        on
    };
    ledger.supersedes(0, 2);
    ledger.supersedes(1, 2);
    assert!(!shown(&ledger, 0));
    ledger.changes(2, EventType::CommitmentWithdrawn);
    assert!(shown(&ledger, 0) && shown(&ledger, 1));
    assert!(!shown(&ledger, 2));
    assert_eq!(ledger.row(0).changed, ledger.row(2).changed);
    ledger.changes(2, EventType::CommitmentReinstated);
    assert!(!shown(&ledger, 0));
    ledger.changes(2, EventType::CommitmentWithdrawn);
    ledger.changes(0, EventType::CommitmentReinstated);
    assert!(!shown(&ledger, 0), "it stands again");
    assert!(shown(&ledger, 1));
    // A successor that ended otherwise is none that was withdrawn.
    ledger.supersedes(0, 1);
    assert!(!shown(&ledger, 0));
}

#[test]
fn a_lapsed_commitment_is_counted_apart_and_owes_nothing() {
    let mut ledger = Ledger::of(1);
    assert!(ledger.is_on(0, WatchList::Overdue) && ledger.is_on(0, WatchList::NeverReported));
    ledger.changes(0, EventType::CommitmentLapsed);
    assert_eq!(ledger.row(0).status, "lapsed");
    for list in WatchList::ALL {
        assert!(!ledger.is_on(0, *list), "{list:?}");
    }
}

#[test]
fn a_party_that_has_itself_reported_is_claimed_no_more() {
    let own = report("planning", false);
    let corrected = format!(r#"{{"corrects":"99","report":{own}}}"#);
    for (kind, data) in [
        (EventType::ProgressReported, own.as_str()),
        (EventType::ReportCorrected, &corrected),
        (EventType::MilestoneReached, r#"{"milestone":"Law"}"#),
    ] {
        let mut ledger = Ledger::of(1);
        assert!(ledger.is_on(0, WatchList::Unconfirmed));
        ledger.says("KEN", 0, kind, data);
        assert!(ledger.is_on(0, WatchList::Unconfirmed), "the lead's word");
        ledger.says("UGA", 0, kind, data);
        assert!(!ledger.is_on(0, WatchList::Unconfirmed), "{kind:?}");
    }
}

#[test]
fn an_amended_date_and_form_are_those_that_count() {
    let mut ledger = Ledger::of(1);
    let data = r#"{"made":"2019-04","form":"common","reason":"x","weakened":false,"before":{}}"#;
    ledger.says("KEN", 0, EventType::CommitmentAmended, data);
    assert_eq!(ledger.row(0).made.as_deref(), Some("2019-04"));
    let body = ledger.view.body("summary").unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let forms = &body["active_commitments"]["by_form"];
    assert_eq!(forms, &serde_json::json!({"common": 1}));
}
