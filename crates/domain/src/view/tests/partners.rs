//! What partners sent, counted from the list of events.

use std::collections::BTreeSet;

use serde_json::json;

use super::events::{event, log};
use super::steps::Step;
use super::{Family, Views, as_of, assert_changes_are_named, bodies, body, folded, number};
use crate::ids::Subject;
use crate::wire::v1::*;

/// Compares the activity of every partner with the events that name it.
pub(super) fn check(log: &[Event], view: &Views) {
    let named = |event: &Event| match &event.header.subject {
        Subject::Partner(id) => Some(id.to_string()),
        Subject::Commitment(_)
        | Subject::Party(_)
        | Subject::Instrument(_)
        | Subject::Review(_)
        | Subject::Ledger => None,
    };
    let senders = log.iter().map(|event| event.header.partner.to_string());
    let partners: BTreeSet<String> = senders.chain(log.iter().filter_map(named)).collect();
    let keys: BTreeSet<String> = partners.iter().map(|id| format!("partner.{id}")).collect();
    let of_partners = view
        .keys()
        .into_iter()
        .filter(|key| key.starts_with("partner."));
    assert_eq!(of_partners.collect::<BTreeSet<_>>(), keys);
    for partner in &partners {
        let body = body(view, &format!("partner.{partner}"));
        let is_sender = |event: &&Event| event.header.partner.as_str() == partner;
        let sent: Vec<&Event> = log.iter().filter(is_sender).collect();
        assert_eq!(number(&body, "/events/sent"), sent.len() as u64);
        let of_kind = |kind: EventType| {
            sent.iter()
                .filter(|event| event.body.event_type() == kind)
                .count() as u64
        };
        for kind in EventType::ALL {
            let counted = body["events"]["by_type"].get(kind.name());
            assert_eq!(
                counted.map_or(0, |count| count.as_u64().unwrap()),
                of_kind(*kind),
                "{}",
                kind.name()
            );
        }
        assert_eq!(
            number(&body, "/reports/sent"),
            of_kind(EventType::ProgressReported)
        );
        assert_eq!(
            number(&body, "/reports/corrected"),
            of_kind(EventType::ReportCorrected)
        );
        let position = |event: Option<&&Event>| {
            event.map_or(json!(null), |event| {
                json!(event.header.position.to_string())
            })
        };
        assert_eq!(body["events"]["first"]["position"], position(sent.first()));
        assert_eq!(body["events"]["last"]["position"], position(sent.last()));
        let about = |event: &&Event| is_sender(event) || named(event).as_ref() == Some(partner);
        assert_eq!(
            body["position"],
            position(log.iter().filter(about).collect::<Vec<_>>().last())
        );
    }
}

#[test]
fn a_partner_that_was_registered_and_sent_nothing_shows_zero() {
    let registered = PartnerRegistered {
        name: "City of Nairobi".to_owned(),
        roles: vec![Role::Reporter],
        parties: vec!["nairobi".parse().unwrap(), "KEN".parse().unwrap()],
        focal_point_for: vec![],
    };
    let subject = Subject::Partner("nairobi".parse().unwrap());
    let mut view = folded(
        &[Family::Summary],
        &[event(0, subject.clone(), "secretariat", registered)],
    );
    let partner = body(&view, "partner.nairobi");
    assert_eq!(
        partner,
        json!({"view": "partner", "partner": "nairobi", "position": "0", "recorded": "2026-05-28T20:26:40.000005Z",
            "status": "registered", "roles": ["reporter"], "parties": {"speaks_for": 2},
            "events": {"sent": 0, "by_type": {}, "first": null, "last": null},
            "reports": {"sent": 0, "corrected": 0, "retracted": 0}})
    );
    assert_eq!(
        view.title("partner.nairobi").as_deref(),
        Some("City of Nairobi")
    );
    let revoked = PartnerRevoked {
        reason: "a reason".to_owned(),
    };
    view.apply(&event(1, subject, "secretariat", revoked));
    assert_eq!(body(&view, "partner.nairobi")["status"], "revoked");
    assert_eq!(view.body("partner.unknown"), None);
    assert_eq!(view.body("nairobi"), None);
}

#[test]
fn a_report_leaves_the_gaps_as_they_are_and_a_commitment_changes_them() {
    let mut view = folded(
        &[Family::Summary],
        &log(&[Step::Party(0), Step::Catalogue(1, None)]),
    );
    view.take_changes();
    let record = Step::Record {
        commitment: 0,
        lead: 0,
        actions: vec![1],
        parts: vec![],
        due: 0,
        measured: false,
        illustrative: false,
    };
    let report = Step::Report {
        commitment: 0,
        reporter: 0,
        from: 1,
        to: 1,
        stage: 0,
        evidence: false,
    };
    let log = log(&[Step::Other, Step::Other, record, report]);
    view.apply(&log[2]);
    assert_eq!(
        view.take_changes().keys,
        ["gaps", "partner.import-upr", "summary"]
    );
    view.apply(&log[3]);
    assert_eq!(view.take_changes().keys, ["partner.import-upr", "summary"]);
}

#[test]
fn a_report_that_confirms_a_part_changes_the_gaps() {
    let mut record = bodies::record(0, bodies::MEX, &[]);
    if let Step::Record { parts, .. } = &mut record {
        *parts = vec![(bodies::KEN, true)];
    }
    let report = bodies::report(0, bodies::IN_2025, Stage::Planning);
    let correction = Step::Correct {
        commitment: 0,
        report: 0,
        stage: 0,
        evidence: false,
    };
    for second in [report.clone(), correction] {
        let steps = [
            Step::Party(bodies::KEN),
            record.clone(),
            report.clone(),
            second,
        ];
        let log = log(&steps);
        assert_changes_are_named(&Family::ALL, &log);
        let gaps = body(&folded(&[Family::Summary], &log), "gaps");
        assert_eq!(gaps["position"], "2", "the second word confirms nothing");
        assert_eq!(number(&gaps, "/member_states/participant_only"), 1);
        as_of::assert_known_as_folded(&Family::ALL, &log, &[(2, true)]);
        as_of::assert_events_are_those_that_stamp(&Family::ALL, &log, None, 3);
    }
}
