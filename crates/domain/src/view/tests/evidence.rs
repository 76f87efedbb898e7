//! Steps about evidence as events.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each maker takes the steps that are handed to it"
)]

use super::events::{REPORTS, commitment, commitment_body, position_back};
use super::steps::{Naming, PARTIES, Piece, Step};
use crate::ids::{Position, Subject};
use crate::wire::v1::*;

pub(super) fn evidence_body(step: &Step, log: &[Event]) -> (u8, String, EventBody) {
    let (number, body): (&u8, EventBody) = match step {
        Step::Attach(number, party, back) => {
            // Different parties attach different pieces, some of them with a URL.
            let piece = Evidence {
                sha256: Some(Sha256([u8::from(*party % 2 == 1); 32])),
                url: (*party > 2).then(|| "https://example.org/here".to_owned()),
                title: None,
            };
            let data = EvidenceAttached {
                report: back.map(|back| position_back(log, *number, back, REPORTS)),
                evidence: vec![piece],
            };
            return (*number, PARTIES[*party].0.to_owned(), data.into());
        }
        Step::Move(number, digest) => {
            let data = EvidenceMoved {
                sha256: Some(Sha256([*digest; 32])),
                evidence: None,
                url: "https://example.org/moved".to_owned(),
                reason: None,
            };
            (number, data.into())
        }
        Step::Flag(number, digest) => {
            let data = EvidenceFlaggedUnavailable {
                sha256: Some(Sha256([*digest; 32])),
                evidence: None,
                reason: "a reason".to_owned(),
            };
            (number, data.into())
        }
        Step::MovePlaced(number, back) => {
            let data = EvidenceMoved {
                sha256: None,
                evidence: Some(place_back(log, *number, *back)),
                url: "https://example.org/moved".to_owned(),
                reason: None,
            };
            (number, data.into())
        }
        Step::FlagPlaced(number, back) => {
            let data = EvidenceFlaggedUnavailable {
                sha256: None,
                evidence: Some(place_back(log, *number, *back)),
                reason: "a reason".to_owned(),
            };
            (number, data.into())
        }
        Step::Digest(number, back, digest) => {
            let data = EvidenceDigested {
                evidence: place_back(log, *number, *back),
                sha256: Sha256([*digest; 32]),
                reason: None,
            };
            (number, data.into())
        }
        Step::Name(number, naming, piece) => return naming_body(*number, *naming, *piece, log),
        _ => unreachable!("{step:?} is about no evidence"),
    };
    (*number, "KEN".to_owned(), body)
}

/// The evidence that an event names.
pub(super) fn evidence_of(body: &EventBody) -> &[Evidence] {
    match body {
        EventBody::ProgressReported(data) => &data.evidence,
        EventBody::ReportCorrected(data) => &data.report.evidence,
        EventBody::MilestoneReached(data) => &data.evidence,
        EventBody::ReportContested(data) => &data.evidence,
        EventBody::ProgressAssessed(data) => &data.evidence,
        EventBody::EvidenceAttached(data) => &data.evidence,
        _ => &[],
    }
}

fn place_back(log: &[Event], number: u8, back: usize) -> EvidencePlace {
    let subject = Subject::Commitment(commitment(number));
    let names = |event: &&Event| {
        let mut pieces = evidence_of(&event.body).iter();
        event.header.subject == subject && pieces.any(|piece| piece.sha256.is_none())
    };
    let event = log.iter().rev().filter(names).nth(back);
    EvidencePlace {
        position: event.map_or(Position(999), |event| event.header.position),
        index: 0,
    }
}

/// One event that names one piece of evidence, with a URL.
fn naming_body(number: u8, naming: Naming, piece: Piece, log: &[Event]) -> (u8, String, EventBody) {
    let evidence = vec![Evidence {
        sha256: match piece {
            Piece::Digested(digest) => Some(Sha256([digest; 32])),
            Piece::Undigested => None,
        },
        url: Some("https://example.org/here".to_owned()),
        title: None,
    }];
    let step = match naming {
        Naming::Report => Step::Report {
            commitment: number,
            reporter: 0,
            from: 2,
            to: 3,
            stage: 1,
            evidence: true,
        },
        Naming::Correction => Step::Correct {
            commitment: number,
            report: 0,
            stage: 1,
            evidence: true,
        },
        Naming::Milestone => Step::Reach(number, true),
        Naming::Contest => Step::Contest(number, 0),
        Naming::Assessment => Step::Assess {
            commitment: number,
            assessor: 5,
            method: 0,
            completion: None,
            assessed: 0,
        },
        Naming::Commitment => Step::Attach(number, 0, None),
        Naming::AddedToReport => Step::Attach(number, 0, Some(0)),
    };
    let (number, party, mut body) = commitment_body(&step, log);
    match &mut body {
        EventBody::ProgressReported(data) => data.evidence = evidence,
        EventBody::ReportCorrected(data) => data.report.evidence = evidence,
        EventBody::MilestoneReached(data) => data.evidence = evidence,
        EventBody::ReportContested(data) => data.evidence = evidence,
        EventBody::ProgressAssessed(data) => data.evidence = evidence,
        EventBody::EvidenceAttached(data) => data.evidence = evidence,
        _ => unreachable!("{step:?} names no evidence"),
    }
    (number, party, body)
}
