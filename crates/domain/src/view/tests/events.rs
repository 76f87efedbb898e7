//! Steps as events: sensible ones in any order, and some that no decision would let through, because a fold never fails.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each maker takes the steps that are handed to it"
)]

use chrono::DateTime;
use uuid::Uuid;

use super::evidence::evidence_body;
use super::steps::{ACTIONS, DATES, METHODS, PARTIES, PARTNERS, Step};
use crate::date::PartialDate;
use crate::ids::{CommitmentId, EventId, PartyId, Position, Subject, Version};
use crate::wire::v1::*;

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
            outline_digest: None,
        },
        body,
    }
}

pub(super) fn log(steps: &[Step]) -> Vec<Event> {
    let mut log: Vec<Event> = Vec::new();
    for (position, step) in (0..).zip(steps) {
        let event = match step {
            Step::Party(..)
            | Step::Deactivate(..)
            | Step::Rename(..)
            | Step::Catalogue(..)
            | Step::Retext(_)
            | Step::Map(..)
            | Step::Review(_)
            | Step::Other => {
                let (subject, party, body) = reference_body(step);
                event(position, subject, party, body)
            }
            _ => {
                let (number, party, body) = commitment_body(step, &log);
                event(
                    position,
                    Subject::Commitment(commitment(number)),
                    &party,
                    body,
                )
            }
        };
        log.push(event);
    }
    log
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

fn evidence(named: bool) -> Vec<Evidence> {
    let piece = Evidence {
        sha256: Some(Sha256([7; 32])),
        url: None,
        title: None,
    };
    if named { vec![piece] } else { vec![] }
}

fn report(from: usize, to: usize, stage: usize, named: bool) -> ProgressReported {
    ProgressReported {
        language: None,
        period: Period {
            from: table_date(from).unwrap(),
            to: table_date(to).unwrap(),
        },
        stage: Stage::ALL[stage],
        indicators: vec![],
        narrative: None,
        evidence: evidence(named),
        no_evidence_reason: None,
    }
}

fn reference_body(step: &Step) -> (Subject, &'static str, EventBody) {
    let reason = "a reason".to_owned();
    match step {
        Step::Party(party) => {
            let (id, kind, country) = PARTIES[*party];
            let data = PartyRegistered {
                name: id.to_owned(),
                kind,
                country: country.map(|country| country.parse().unwrap()),
            };
            (party_subject(*party), id, data.into())
        }
        Step::Deactivate(party, active) => {
            let status = if *active {
                PartyStatus::Active
            } else {
                PartyStatus::Inactive
            };
            let data = PartyStatusChanged { status, reason };
            (party_subject(*party), "secretariat", data.into())
        }
        Step::Rename(party, name) => {
            let name = (*name).to_owned();
            let data = PartyAmended { name, reason };
            (party_subject(*party), "secretariat", data.into())
        }
        Step::Catalogue(action, parent) => {
            let (code, _, usual) = ACTIONS[*action];
            let parent = parent.map(|parent| ACTIONS[parent].0).or(usual);
            let data = ActionCatalogued {
                code: code.parse().unwrap(),
                title: format!("Title of {code}"),
                parent: parent.map(|parent| parent.parse().unwrap()),
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
                reason,
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
        Step::Review(kind) => review_body(*kind),
        _ => {
            let subject = Subject::Partner("partner".parse().unwrap());
            (subject, "ledger", PartnerRevoked { reason }.into())
        }
    }
}

fn review_body(kind: usize) -> (Subject, &'static str, EventBody) {
    let body = match kind {
        0 => ReviewOpened {
            title: "A review".to_owned(),
            from: None,
            to: None,
            instrument: None,
        }
        .into(),
        1 | 2 => StatementRecorded {
            language: None,
            speaker: PARTIES[kind].0.parse().unwrap(),
            statement: "Said.".to_owned(),
            url: None,
            made: None,
        }
        .into(),
        _ => ReviewClosed { note: None }.into(),
    };
    (
        Subject::Review("forum".parse().unwrap()),
        "secretariat",
        body,
    )
}

fn participants(parts: &[(usize, bool)]) -> Vec<Participant> {
    let participant = |&(party, partner): &(usize, bool)| Participant {
        party: PARTIES[party].0.parse().unwrap(),
        role: if partner {
            ParticipantRole::Partner
        } else {
            ParticipantRole::Supporter
        },
    };
    parts.iter().map(participant).collect()
}

fn milestones(count: usize) -> Vec<Milestone> {
    let milestone = |number| Milestone {
        name: format!("Step {number}"),
        due: None,
    };
    (0..count).map(milestone).collect()
}

fn recorded(lead: usize, actions: &[usize], parts: &[(usize, bool)]) -> CommitmentRecorded {
    CommitmentRecorded {
        language: None,
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
        participants: participants(parts),
        countries: vec![],
        principles: vec![],
        measure: None,
        made: None,
        due: None,
        milestones: vec![],
        source: None,
        illustrative: false,
    }
}

fn amended() -> CommitmentAmended {
    CommitmentAmended {
        language: None,
        title: None,
        description: None,
        due: None,
        measure: None,
        actions: None,
        countries: None,
        nature: None,
        made: None,
        form: None,
        participants: vec![],
        milestones: vec![],
        reason: "a reason".to_owned(),
        weakened: false,
        before: Before::default(),
    }
}

/// Events of one commitment that are of certain types, counted back from the newest; position 999 where there is none.
fn back<'a>(log: &'a [Event], number: u8, count: usize, types: &[EventType]) -> Option<&'a Event> {
    let subject = Subject::Commitment(commitment(number));
    let these = |event: &&Event| {
        event.header.subject == subject && types.contains(&event.header.event_type)
    };
    log.iter().rev().filter(these).nth(count)
}

pub(super) fn position_back(
    log: &[Event],
    number: u8,
    count: usize,
    types: &[EventType],
) -> Position {
    back(log, number, count, types).map_or(Position(999), |event| event.header.position)
}

pub(super) const REPORTS: &[EventType] = &[EventType::ProgressReported, EventType::ReportCorrected];
const CONTESTS: &[EventType] = &[EventType::ReportContested];
const ASSESSMENTS: &[EventType] = &[
    EventType::ProgressAssessed,
    EventType::AmbitionAssessed,
    EventType::AssessmentRevised,
];

pub(super) fn commitment_body(step: &Step, log: &[Event]) -> (u8, String, EventBody) {
    let reason = "a reason".to_owned();
    let by = ActedBy::Lead;
    let (number, body): (u8, EventBody) = match step {
        Step::Record { .. } | Step::Amend { .. } | Step::Enlarge { .. } => return terms_body(step),
        Step::Confirm(number, party) => {
            let data = ParticipationConfirmed { note: None };
            return (*number, PARTIES[*party].0.to_owned(), data.into());
        }
        Step::Leave(number, party) => {
            let data = CommitmentLeft { reason };
            return (*number, PARTIES[*party].0.to_owned(), data.into());
        }
        Step::Withdraw(number) => (*number, CommitmentWithdrawn { reason, by }.into()),
        Step::Lapse(number) => (*number, CommitmentLapsed { reason, by }.into()),
        Step::Suspend(number) => (*number, CommitmentSuspended { reason, by }.into()),
        Step::Resume(number) => (*number, CommitmentResumed { reason, by }.into()),
        Step::Reinstate(number) => (*number, CommitmentReinstated { reason, by }.into()),
        Step::Supersede(number, successor) => {
            let successor = commitment(*successor);
            let data = CommitmentSuperseded {
                successor,
                reason,
                by,
            };
            (*number, data.into())
        }
        Step::Close(number, outcome) => {
            let outcome = *outcome;
            let data = CommitmentClosed {
                outcome,
                reason,
                by,
            };
            (*number, data.into())
        }
        Step::Reach(number, named) => {
            let data = MilestoneReached {
                milestone: "Step 0".to_owned(),
                reached: None,
                note: None,
                evidence: evidence(*named),
            };
            (*number, data.into())
        }
        Step::Report { .. } | Step::Correct { .. } => return report_body(step, log),
        Step::Assess { .. }
        | Step::Ambition { .. }
        | Step::Revise { .. }
        | Step::Attach(..)
        | Step::Move(..)
        | Step::Flag(..)
        | Step::Name(..)
        | Step::Digest(..)
        | Step::MovePlaced(..)
        | Step::FlagPlaced(..) => return scrutiny_body(step, log),
        _ => return contest_body(step, log),
    };
    (number, "KEN".to_owned(), body)
}

fn terms_body(step: &Step) -> (u8, String, EventBody) {
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
            data.milestones = milestones(*due);
            data.illustrative = *illustrative;
            (*id, PARTIES[*lead].0.to_owned(), data.into())
        }
        Step::Amend {
            commitment: id,
            actions,
            due,
            measured,
            weakened,
        } => {
            let mut data = amended();
            data.actions = actions.as_deref().map(codes);
            data.weakened = *weakened;
            data.title = Some(format!("Amended {id}"));
            data.due = table_date(*due);
            data.measure = Some(MeasureChange {
                target: measure(*measured).target,
                ..MeasureChange::default()
            });
            (*id, "KEN".to_owned(), data.into())
        }
        Step::Enlarge {
            commitment: id,
            parts,
            milestones: count,
        } => {
            let mut data = amended();
            data.participants = participants(parts);
            data.milestones = milestones(*count);
            (*id, "KEN".to_owned(), data.into())
        }
        _ => unreachable!("{step:?} sets no terms"),
    }
}

/// A report; or the correction of one, by its reporter and over its period.
fn report_body(step: &Step, log: &[Event]) -> (u8, String, EventBody) {
    match step {
        Step::Report {
            commitment: id,
            reporter,
            from,
            to,
            stage,
            evidence,
        } => {
            let data = report(*from, *to, *stage, *evidence);
            (*id, PARTIES[*reporter].0.to_owned(), data.into())
        }
        Step::Correct {
            commitment: id,
            report: count,
            stage,
            evidence,
        } => {
            let corrected = back(log, *id, *count, REPORTS);
            let mut report = report(1, 2, *stage, *evidence);
            if let Some(event) = corrected {
                report.period = match &event.body {
                    EventBody::ProgressReported(data) => data.period,
                    EventBody::ReportCorrected(data) => data.report.period,
                    _ => unreachable!("no report"),
                };
            }
            let data = ReportCorrected {
                corrects: corrected.map_or(Position(999), |event| event.header.position),
                report,
                reason: None,
            };
            let reporter = corrected.map_or("KEN", |event| event.header.party.as_str());
            (*id, reporter.to_owned(), data.into())
        }
        _ => unreachable!("{step:?} is no report"),
    }
}

fn contest_body(step: &Step, log: &[Event]) -> (u8, String, EventBody) {
    let reason = "a reason".to_owned();
    let by = ActedBy::Secretariat;
    let at = |number: &u8, back: &usize| position_back(log, *number, *back, REPORTS);
    let contest = |number: &u8, back: &usize| position_back(log, *number, *back, CONTESTS);
    let (number, body): (&u8, EventBody) = match step {
        Step::Retract(number, count) => {
            // By its reporter.
            let report = at(number, count);
            let reporter = back(log, *number, *count, REPORTS);
            let reporter = reporter.map_or("KEN", |event| event.header.party.as_str());
            let data = ReportRetracted { report, reason };
            return (*number, reporter.to_owned(), data.into());
        }
        Step::Contest(number, back) => {
            let data = ReportContested {
                report: at(number, back),
                reason,
                evidence: vec![],
            };
            (number, data.into())
        }
        Step::Answer(number, back) => {
            let data = ContestAnswered {
                contest: contest(number, back),
                answer: "an answer".to_owned(),
            };
            (number, data.into())
        }
        Step::Resolve(number, back, outcome) => {
            let data = ContestResolved {
                contest: contest(number, back),
                outcome: *outcome,
                reason,
            };
            (number, data.into())
        }
        Step::Validate(number, back) => {
            let data = ReportValidated {
                report: at(number, back),
                by,
                note: None,
            };
            (number, data.into())
        }
        Step::Return(number, back) => {
            let report = at(number, back);
            (number, ReportReturned { report, by, reason }.into())
        }
        _ => unreachable!("{step:?} is about no report"),
    };
    (*number, "MEX".to_owned(), body)
}

fn scrutiny_body(step: &Step, log: &[Event]) -> (u8, String, EventBody) {
    let method = |index: usize| {
        let (method, version) = METHODS[index];
        (method.parse().unwrap(), version.parse().unwrap())
    };
    match step {
        Step::Assess {
            commitment: id,
            assessor,
            method: index,
            completion,
            assessed,
        } => {
            let (method, method_version) = method(*index);
            let data = ProgressAssessed {
                language: None,
                method,
                method_version,
                grade: completion.map_or("Unclear".to_owned(), |it| it.to_string()),
                completion: *completion,
                period: None,
                assessed: table_date(*assessed),
                summary: None,
                evidence: vec![],
            };
            (*id, PARTIES[*assessor].0.to_owned(), data.into())
        }
        Step::Ambition {
            commitment: id,
            assessor,
            method: index,
        } => {
            let (method, method_version) = method(*index);
            let data = AmbitionAssessed {
                language: None,
                method,
                method_version,
                grades: vec![grade("high")],
                assessed: None,
                summary: None,
            };
            (*id, PARTIES[*assessor].0.to_owned(), data.into())
        }
        Step::Revise {
            commitment: id,
            assessment: count,
            graded,
            completion,
        } => {
            let assessment = back(log, *id, *count, ASSESSMENTS);
            let kind = match assessment.map(|event| &event.body) {
                Some(EventBody::AssessmentRevised(data)) => data.kind,
                Some(EventBody::AmbitionAssessed(_)) => AssessmentKind::Ambition,
                _ => AssessmentKind::Progress,
            };
            let data = AssessmentRevised {
                assessment: assessment.map_or(Position(999), |event| event.header.position),
                kind,
                reason: "a reason".to_owned(),
                grade: (*graded && kind == AssessmentKind::Progress).then(|| "Unclear".to_owned()),
                completion: completion.filter(|_| kind == AssessmentKind::Progress),
                grades: Some(vec![grade("low")]).filter(|_| kind == AssessmentKind::Ambition),
                summary: None,
            };
            (*id, "IOM".to_owned(), data.into())
        }
        _ => evidence_body(step, log),
    }
}

fn grade(grade: &str) -> Grade {
    Grade {
        dimension: "Specificity".to_owned(),
        grade: grade.to_owned(),
    }
}

/// The first commitments, then reports on any among further commitments, until there are `all`.
pub(in super::super) fn large_log(first: u64, reports: &[(u64, bool)], all: u64) -> Vec<Event> {
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
