//! Logs to fold: sensible events in any order, and some that no decision would let through, because a fold never fails.

use chrono::DateTime;
use proptest::prelude::*;
use uuid::Uuid;

use crate::date::PartialDate;
use crate::ids::{CommitmentId, EventId, PartyId, Position, Subject, Version};
use crate::wire::v1::*;

pub(super) const PARTIES: [(&str, PartyKind, Option<&str>); 7] = [
    ("KEN", PartyKind::MemberState, Some("KEN")),
    ("MEX", PartyKind::MemberState, Some("MEX")),
    ("VAT", PartyKind::Observer, Some("VAT")),
    ("nairobi", PartyKind::LocalAuthority, Some("KEN")),
    ("aruba-chamber", PartyKind::PrivateSector, Some("ABW")),
    ("IOM", PartyKind::UnEntity, None),
    ("AU", PartyKind::RegionalOrganization, None),
];
/// Code, instrument, parent.
pub(super) const ACTIONS: [(&str, &str, Option<&str>); 7] = [
    ("GCM-05", "GCM-2018", None),
    ("GCM-05a", "GCM-2018", Some("GCM-05")),
    ("GCM-05b", "GCM-2018", Some("GCM-05")),
    ("SDG-10.7", "SDG-10.7", None),
    ("SDG-10.7.2", "SDG-10.7", Some("SDG-10.7")),
    ("UPR-Trafficking", "UPR", None),
    ("UPR-Asylum", "UPR", None),
];
/// Each sends two events, then the next.
pub(super) const PARTNERS: [&str; 3] = ["partner", "import-upr", "city_1"];
const DATES: [Option<&str>; 5] = [
    None,
    Some("2025"),
    Some("2026-03"),
    Some("2026-03-31"),
    Some("2030-12-31"),
];

/// One event, by numbers into the tables above.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Party(usize),
    Deactivate(usize, bool),
    Catalogue(usize, Option<usize>),
    Retext(usize),
    Map(usize, Vec<usize>),
    Record {
        commitment: u8,
        lead: usize,
        actions: Vec<usize>,
        parts: Vec<(usize, bool)>,
        due: usize,
        measured: bool,
        illustrative: bool,
    },
    Report {
        commitment: u8,
        reporter: usize,
        from: usize,
        to: usize,
        stage: usize,
        evidence: bool,
        corrects: bool,
    },
    Amend {
        commitment: u8,
        actions: Option<Vec<usize>>,
        due: usize,
        measured: bool,
        weakened: bool,
    },
    Withdraw(u8),
    Other,
}

pub(super) fn steps() -> impl Strategy<Value = Step> {
    let party = 0..PARTIES.len();
    let action = 0..ACTIONS.len();
    let actions = prop::collection::vec(action.clone(), 1..4);
    let commitment = 0..6u8;
    prop_oneof![
        2 => party.clone().prop_map(Step::Party),
        1 => (party.clone(), any::<bool>()).prop_map(|(party, active)| Step::Deactivate(party, active)),
        3 => (action.clone(), prop::option::weighted(0.1, action.clone())).prop_map(|(action, parent)| Step::Catalogue(action, parent)),
        1 => action.clone().prop_map(Step::Retext),
        1 => (action, actions.clone()).prop_map(|(from, to)| Step::Map(from, to)),
        4 => (commitment.clone(), prop_oneof![0..3usize, party], actions.clone(), prop::collection::vec((0..PARTIES.len(), any::<bool>()), 0..3),
              0..DATES.len(), any::<bool>(), any::<bool>())
            .prop_map(|(commitment, lead, actions, parts, due, measured, illustrative)| {
                Step::Record { commitment, lead, actions, parts, due, measured, illustrative }
            }),
        // Few reporters and periods, so that many reports are corrected.
        8 => (0..3u8, 0..3usize, 1..3usize, 1..4usize, 0..Stage::ALL.len(), any::<bool>(), any::<bool>())
            .prop_map(|(commitment, reporter, from, to, stage, evidence, corrects)| {
                Step::Report { commitment, reporter, from, to, stage, evidence, corrects }
            }),
        2 => (commitment.clone(), prop::option::of(actions), 0..DATES.len(), any::<bool>(), any::<bool>())
            .prop_map(|(commitment, actions, due, measured, weakened)| Step::Amend { commitment, actions, due, measured, weakened }),
        1 => commitment.prop_map(Step::Withdraw),
        1 => Just(Step::Other),
    ]
}

pub(super) fn commitment(number: u8) -> CommitmentId {
    CommitmentId(Uuid::from_bytes([number + 1; 16]))
}

pub(super) fn date(text: &str) -> PartialDate {
    text.parse().unwrap()
}

fn table_date(index: usize) -> Option<PartialDate> {
    DATES[index].map(date)
}

fn codes(actions: &[usize]) -> Vec<crate::ids::ActionCode> {
    actions
        .iter()
        .map(|&action| ACTIONS[action].0.parse().unwrap())
        .collect()
}

/// An event at a position, recorded a day and a second after the one before.
pub(super) fn event(
    position: u64,
    subject: Subject,
    party: &str,
    body: impl Into<EventBody>,
) -> Event {
    let body = body.into();
    let second = 1_780_000_000 + i64::try_from(position).unwrap() * 86_401;
    Event {
        header: EventHeader {
            id: EventId(Uuid::from_u128(u128::from(position) + 1)),
            ledger: "test".parse().unwrap(),
            event_type: body.event_type(),
            subject,
            time: DateTime::from_timestamp(second, 5_000).unwrap(),
            position: Position(position),
            stream_version: Version(1),
            partner: PARTNERS[usize::try_from(position / 2).unwrap() % PARTNERS.len()]
                .parse()
                .unwrap(),
            party: party.parse().unwrap(),
            causation_id: None,
            submission: None,
            submission_index: None,
            effective: None,
            rules_version: 1,
            data_digest: [0; 32],
        },
        body,
    }
}

pub(super) fn log(steps: &[Step]) -> Vec<Event> {
    (0..)
        .zip(steps)
        .map(|(position, step)| {
            let (subject, party, body) = body(step);
            event(position, subject, party, body)
        })
        .collect()
}

fn party_subject(party: usize) -> Subject {
    Subject::Party(PARTIES[party].0.parse::<PartyId>().unwrap())
}

fn instrument_subject(action: usize) -> Subject {
    Subject::Instrument(ACTIONS[action].1.parse().unwrap())
}

fn measure(measured: bool) -> Measure {
    let amount = |number: u8| serde_json::from_value(number.into()).ok();
    Measure {
        indicator: "people".to_owned(),
        unit: None,
        baseline: amount(1),
        target: measured.then(|| amount(9)).flatten(),
    }
}

fn report(from: usize, to: usize, stage: usize, evidence: bool) -> ProgressReported {
    ProgressReported {
        period: Period {
            from: table_date(from).unwrap(),
            to: table_date(to).unwrap(),
        },
        stage: Stage::ALL[stage],
        indicators: vec![],
        narrative: None,
        evidence: if evidence {
            vec![Evidence {
                sha256: Sha256([7; 32]),
                url: None,
                title: None,
            }]
        } else {
            vec![]
        },
        no_evidence_reason: None,
    }
}

fn body(step: &Step) -> (Subject, &'static str, EventBody) {
    match step {
        Step::Party(party) => {
            let (id, kind, country) = PARTIES[*party];
            let country = country.map(|country| country.parse().unwrap());
            (
                party_subject(*party),
                id,
                PartyRegistered {
                    name: id.to_owned(),
                    kind,
                    country,
                }
                .into(),
            )
        }
        Step::Deactivate(party, active) => {
            let status = if *active {
                PartyStatus::Active
            } else {
                PartyStatus::Inactive
            };
            (
                party_subject(*party),
                "secretariat",
                PartyStatusChanged {
                    status,
                    reason: "a reason".to_owned(),
                }
                .into(),
            )
        }
        Step::Catalogue(..) | Step::Retext(_) | Step::Map(..) => catalogue_body(step),
        Step::Other => {
            let subject = Subject::Partner("partner".parse().unwrap());
            (
                subject,
                "ledger",
                PartnerRevoked {
                    reason: "a reason".to_owned(),
                }
                .into(),
            )
        }
        Step::Record { .. } => record_body(step),
        Step::Report { .. } | Step::Amend { .. } | Step::Withdraw(_) => commitment_body(step),
    }
}

fn catalogue_body(step: &Step) -> (Subject, &'static str, EventBody) {
    match step {
        Step::Catalogue(action, parent) => {
            let (code, _, usual) = ACTIONS[*action];
            let parent = parent
                .map(|parent| ACTIONS[parent].0)
                .or(usual)
                .map(|parent| parent.parse().unwrap());
            let data = ActionCatalogued {
                code: code.parse().unwrap(),
                title: format!("Title of {code}"),
                parent,
                text_status: TextStatus::Seen,
                description: None,
                kind: None,
            };
            (instrument_subject(*action), "secretariat", data.into())
        }
        Step::Retext(action) => {
            let data = ActionTextAmended {
                code: ACTIONS[*action].0.parse().unwrap(),
                title: Some("Another title".to_owned()),
                description: None,
                text_status: Some(TextStatus::NotSeen),
                reason: "a reason".to_owned(),
            };
            (instrument_subject(*action), "secretariat", data.into())
        }
        Step::Map(from, to) => {
            let data = ActionsMapped {
                from: ACTIONS[*from].0.parse().unwrap(),
                to: codes(to),
                basis: None,
            };
            (instrument_subject(*from), "secretariat", data.into())
        }
        Step::Party(_)
        | Step::Deactivate(..)
        | Step::Other
        | Step::Record { .. }
        | Step::Report { .. }
        | Step::Amend { .. }
        | Step::Withdraw(_) => body(step),
    }
}

fn recorded(lead: usize, actions: &[usize], parts: &[(usize, bool)]) -> CommitmentRecorded {
    let participant = |&(party, partner): &(usize, bool)| Participant {
        party: PARTIES[party].0.parse().unwrap(),
        role: if partner {
            ParticipantRole::Partner
        } else {
            ParticipantRole::Supporter
        },
    };
    CommitmentRecorded {
        lead: PARTIES[lead].0.parse().unwrap(),
        country: None,
        catalogue: None,
        title: String::new(),
        description: None,
        actions: codes(actions),
        form: if parts.is_empty() {
            Form::Individual
        } else {
            Form::Partnership
        },
        nature: None,
        matches: None,
        participants: parts.iter().map(participant).collect(),
        countries: vec![],
        principles: vec![],
        measure: None,
        made: None,
        due: None,
        source: None,
        illustrative: false,
        milestones: Vec::new(),
    }
}

fn amended(actions: Option<&[usize]>, weakened: bool) -> CommitmentAmended {
    CommitmentAmended {
        title: None,
        description: None,
        due: None,
        measure: None,
        actions: actions.map(codes),
        countries: None,
        nature: None,
        reason: "a reason".to_owned(),
        weakened,
        before: Before::default(),
        milestones: Vec::new(),
        participants: Vec::new(),
    }
}

fn record_body(step: &Step) -> (Subject, &'static str, EventBody) {
    match step {
        Step::Record {
            commitment: id,
            lead,
            actions,
            parts,
            due,
            measured,
            illustrative,
        } => {
            let mut data = recorded(*lead, actions, parts);
            data.title = format!("Commitment {id}");
            data.nature = illustrative.then_some(Nature::Process);
            data.measure = Some(measure(*measured));
            data.due = table_date(*due);
            data.illustrative = *illustrative;
            (
                Subject::Commitment(commitment(*id)),
                PARTIES[*lead].0,
                data.into(),
            )
        }
        Step::Report { .. }
        | Step::Amend { .. }
        | Step::Withdraw(_)
        | Step::Party(_)
        | Step::Deactivate(..)
        | Step::Catalogue(..)
        | Step::Retext(_)
        | Step::Map(..)
        | Step::Other => body(step),
    }
}

fn commitment_body(step: &Step) -> (Subject, &'static str, EventBody) {
    match step {
        Step::Report {
            commitment: id,
            reporter,
            from,
            to,
            stage,
            evidence,
            corrects,
        } => {
            let report = report(*from, *to, *stage, *evidence);
            let body = if *corrects {
                ReportCorrected {
                    corrects: Position(0),
                    report,
                    reason: None,
                }
                .into()
            } else {
                report.into()
            };
            (
                Subject::Commitment(commitment(*id)),
                PARTIES[*reporter].0,
                body,
            )
        }
        Step::Amend {
            commitment: id,
            actions,
            due,
            measured,
            weakened,
        } => {
            let mut data = amended(actions.as_deref(), *weakened);
            data.title = Some(format!("Amended {id}"));
            data.due = table_date(*due);
            let target = measure(*measured).target;
            data.measure = Some(MeasureChange {
                target,
                ..MeasureChange::default()
            });
            (Subject::Commitment(commitment(*id)), "KEN", data.into())
        }
        Step::Withdraw(id) => {
            let data = CommitmentWithdrawn {
                reason: "a reason".to_owned(),
                by: ActedBy::Lead,
            };
            (Subject::Commitment(commitment(*id)), "KEN", data.into())
        }
        Step::Record { .. }
        | Step::Party(_)
        | Step::Deactivate(..)
        | Step::Catalogue(..)
        | Step::Retext(_)
        | Step::Map(..)
        | Step::Other => body(step),
    }
}

/// The first commitments, then reports on any among further commitments, until there are `all`.
pub(super) fn large_log(first: u64, reports: &[(u64, bool)], all: u64) -> Vec<Event> {
    let subject =
        |number: u64| Subject::Commitment(CommitmentId(Uuid::from_u128(u128::from(number))));
    let record = |number: u64| {
        let mut data = recorded(0, &[1, 2, 3, 4], &[]);
        data.title = format!("Commitment {number}");
        (number, EventBody::from(data))
    };
    let mut bodies: Vec<(u64, EventBody)> = (0..first).map(record).collect();
    for (index, &(number, evidence)) in (first..).zip(reports) {
        bodies.push((number % first, report(1, 2, 1, evidence).into()));
        if index < all {
            bodies.push(record(index));
        }
    }
    let with_position = (0..).zip(bodies);
    with_position
        .map(|(position, (number, body))| event(position, subject(number), PARTIES[0].0, body))
        .collect()
}
