//! The words of an event of a commitment, a line each.

use super::terms::amount;
use ledger_domain::PartialDate;
use ledger_domain::ids::MethodId;
use ledger_domain::wire::v1::{
    ActedBy, Completion, EventBody, Evidence, Grade, Indicator, Milestone, Participant, Period,
    ProgressReported,
};

/// The report that an event makes or puts in the place of another.
fn report(body: &EventBody) -> Option<&ProgressReported> {
    if let EventBody::ProgressReported(report) = body {
        return Some(report);
    }
    if let EventBody::ReportCorrected(data) = body {
        return Some(&data.report);
    }
    None
}

/// The word of a report or an assessment.
pub(super) fn word(body: &EventBody) -> Option<String> {
    let plain = |word: &str| word.replace('_', " ");
    if let Some(report) = report(body) {
        return Some(plain(report.stage.as_str()));
    }
    let said = |completion: Option<Completion>, grade: Option<&String>| {
        let completion = completion.map(|it| plain(it.as_str()));
        completion.or_else(|| grade.map(|grade| plain(grade)))
    };
    if let EventBody::ProgressAssessed(data) = body {
        return said(data.completion, Some(&data.grade));
    }
    if let EventBody::AssessmentRevised(data) = body {
        return said(data.completion, data.grade.as_ref());
    }
    None
}

/// The outcome of a contest or a commitment.
pub(super) fn outcome(body: &EventBody) -> Option<&'static str> {
    if let EventBody::ContestResolved(data) = body {
        return Some(data.outcome.as_str());
    }
    if let EventBody::CommitmentClosed(data) = body {
        return Some(data.outcome.as_str());
    }
    None
}

/// The lines about an event, in the order in which they are read.
pub(super) fn said(body: &EventBody) -> Vec<String> {
    let mut lines = Lines::default();
    if let Some(report) = report(body) {
        let word = report.stage.as_str().replace('_', " ");
        lines.say("", format!("{word}, {}", period(report.period)));
        lines.say("", indicators(&report.indicators));
        lines.say("evidence: ", pieces(&report.evidence));
    }
    assessed(body, &mut lines);
    steps(body, &mut lines);
    if let EventBody::CommitmentSuperseded(data) = body {
        lines.say("successor: ", data.successor.to_string());
    }
    lines.say(
        "outcome: ",
        outcome(body).unwrap_or_default().replace('_', " "),
    );
    if let EventBody::EvidenceDigested(data) = body {
        lines.say("evidence ", data.sha256.to_string());
    }
    if let EventBody::EvidenceFlaggedUnavailable(data) = body {
        lines.say(
            "evidence ",
            data.sha256.map_or_else(String::new, |it| it.to_string()),
        );
    }
    if let EventBody::EvidenceMoved(data) = body {
        lines.say(
            "evidence ",
            data.sha256.map_or_else(String::new, |it| it.to_string()),
        );
        lines.say("now at ", data.url.clone());
    }
    let by = acted_by(body).map_or("", ActedBy::as_str);
    lines.say("acted as ", by.replace('_', " "));
    lines.0
}

/// The words of an assessment, or of the evidence beside a report.
fn assessed(body: &EventBody, lines: &mut Lines) {
    if let EventBody::ProgressAssessed(data) = body {
        lines.say("period: ", data.period.map_or_else(String::new, period));
    }
    lines.say("evidence: ", pieces(evidence(body)));
    if let EventBody::ProgressAssessed(data) = body {
        lines.say_method(&data.method, &data.method_version, data.assessed);
        let completion = data.completion.map_or("", Completion::as_str);
        lines.say("completion: ", completion.replace('_', " "));
        lines.say("grade: ", data.grade.clone());
    }
    if let EventBody::AmbitionAssessed(data) = body {
        lines.say_method(&data.method, &data.method_version, data.assessed);
        lines.say_grades(&data.grades);
    }
    if let EventBody::AssessmentRevised(data) = body {
        let completion = data.completion.map_or("", Completion::as_str);
        lines.say("completion: ", completion.replace('_', " "));
        lines.say("grade: ", data.grade.clone().unwrap_or_default());
        lines.say_grades(data.grades.as_deref().unwrap_or_default());
        if data.grade.is_some() && data.completion.is_none() {
            let none = "none, as none was given with the new grade";
            lines.say("completion: ", none);
        }
    }
}

/// The participants, and their milestones.
fn steps(body: &EventBody, lines: &mut Lines) {
    if let EventBody::CommitmentRecorded(data) = body {
        lines.say_steps(&data.participants, &data.milestones);
    }
    if let EventBody::CommitmentAmended(data) = body {
        lines.say_steps(&data.participants, &data.milestones);
    }
    if let EventBody::MilestoneReached(data) = body {
        lines.say("milestone: ", data.milestone.clone());
    }
}

/// Lines of what was said; none of what was not.
#[derive(Default)]
struct Lines(Vec<String>);

impl Lines {
    fn say(&mut self, what: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.push(format!("{what}{value}"));
        }
    }

    fn say_method(&mut self, method: &MethodId, version: &MethodId, day: Option<PartialDate>) {
        self.say("method: ", format!("{method} {version}"));
        self.say(
            "assessed: ",
            day.map_or_else(String::new, |it| it.to_string()),
        );
    }

    fn say_grades(&mut self, grades: &[Grade]) {
        for Grade { dimension, grade } in grades {
            self.say("", format!("{dimension}: {grade}"));
        }
    }

    fn say_steps(&mut self, participants: &[Participant], milestones: &[Milestone]) {
        for Participant { party, role } in participants {
            self.say("", format!("{role} {party}, claimed by the lead"));
        }
        for Milestone { name, due } in milestones {
            let due = due.map_or_else(String::new, |due| format!(", due {due}"));
            self.say("milestone: ", format!("{name}{due}"));
        }
    }
}

/// The evidence that an event names beside a report's.
fn evidence(body: &EventBody) -> &[Evidence] {
    if let EventBody::MilestoneReached(data) = body {
        return &data.evidence;
    }
    if let EventBody::ReportContested(data) = body {
        return &data.evidence;
    }
    if let EventBody::ProgressAssessed(data) = body {
        return &data.evidence;
    }
    if let EventBody::EvidenceAttached(data) = body {
        return &data.evidence;
    }
    &[]
}

/// As whom the sender acted.
fn acted_by(body: &EventBody) -> Option<ActedBy> {
    let mut by = None;
    if let EventBody::CommitmentWithdrawn(data) = body {
        by = Some(data.by);
    }
    if let EventBody::CommitmentSuspended(data) = body {
        by = Some(data.by);
    }
    if let EventBody::CommitmentResumed(data) = body {
        by = Some(data.by);
    }
    if let EventBody::CommitmentSuperseded(data) = body {
        by = Some(data.by);
    }
    if let EventBody::CommitmentClosed(data) = body {
        by = Some(data.by);
    }
    if let EventBody::CommitmentLapsed(data) = body {
        by = Some(data.by);
    }
    if let EventBody::CommitmentReinstated(data) = body {
        by = Some(data.by);
    }
    if let EventBody::ReportValidated(data) = body {
        by = Some(data.by);
    }
    if let EventBody::ReportReturned(data) = body {
        by = Some(data.by);
    }
    by
}

/// Texts that people wrote, with what they are.
pub(super) fn texts(body: &EventBody) -> Vec<String> {
    let mut lines = Lines::default();
    lines.say("reason: ", reason(body).unwrap_or_default());
    let report = report(body);
    let narrative = report.and_then(|report| report.narrative.clone());
    lines.say("narrative: ", narrative.unwrap_or_default());
    if let EventBody::MilestoneReached(data) = body {
        lines.say("note: ", data.note.clone().unwrap_or_default());
    }
    if let EventBody::ParticipationConfirmed(data) = body {
        lines.say("note: ", data.note.clone().unwrap_or_default());
    }
    if let EventBody::ReportValidated(data) = body {
        lines.say("note: ", data.note.clone().unwrap_or_default());
    }
    if let EventBody::ContestAnswered(data) = body {
        lines.say("answer: ", data.answer.clone());
    }
    if let EventBody::ProgressAssessed(data) = body {
        lines.say("summary: ", data.summary.clone().unwrap_or_default());
    }
    if let EventBody::AmbitionAssessed(data) = body {
        lines.say("summary: ", data.summary.clone().unwrap_or_default());
    }
    if let EventBody::AssessmentRevised(data) = body {
        lines.say("summary: ", data.summary.clone().unwrap_or_default());
    }
    let none = report.and_then(|report| report.no_evidence_reason.clone());
    lines.say("no evidence: ", none.unwrap_or_default());
    lines.0
}

/// Why the sender did it.
fn reason(body: &EventBody) -> Option<&str> {
    match body {
        EventBody::CommitmentAmended(data) => Some(&data.reason),
        EventBody::CommitmentWithdrawn(data) => Some(&data.reason),
        EventBody::CommitmentLeft(data) => Some(&data.reason),
        EventBody::CommitmentSuspended(data) => Some(&data.reason),
        EventBody::CommitmentResumed(data) => Some(&data.reason),
        EventBody::CommitmentSuperseded(data) => Some(&data.reason),
        EventBody::CommitmentClosed(data) => Some(&data.reason),
        EventBody::CommitmentLapsed(data) => Some(&data.reason),
        EventBody::CommitmentReinstated(data) => Some(&data.reason),
        EventBody::ReportRetracted(data) => Some(&data.reason),
        EventBody::ReportContested(data) => Some(&data.reason),
        EventBody::ContestResolved(data) => Some(&data.reason),
        EventBody::ReportReturned(data) => Some(&data.reason),
        EventBody::AssessmentRevised(data) => Some(&data.reason),
        EventBody::EvidenceFlaggedUnavailable(data) => Some(&data.reason),
        EventBody::ActionTextAmended(data) => Some(&data.reason),
        EventBody::PartnerRevoked(data) => Some(&data.reason),
        EventBody::PartyAmended(data) => Some(&data.reason),
        EventBody::PartyStatusChanged(data) => Some(&data.reason),
        EventBody::ReportCorrected(data) => data.reason.as_deref(),
        EventBody::EvidenceMoved(data) => data.reason.as_deref(),
        EventBody::EvidenceDigested(data) => data.reason.as_deref(),
        EventBody::LedgerOpened(_)
        | EventBody::PartnerRegistered(_)
        | EventBody::PartnerChanged(_)
        | EventBody::InstrumentPublished(_)
        | EventBody::ActionCatalogued(_)
        | EventBody::ActionsMapped(_)
        | EventBody::PartyRegistered(_)
        | EventBody::CommitmentRecorded(_)
        | EventBody::ProgressReported(_)
        | EventBody::ParticipationConfirmed(_)
        | EventBody::MilestoneReached(_)
        | EventBody::ContestAnswered(_)
        | EventBody::ReportValidated(_)
        | EventBody::ProgressAssessed(_)
        | EventBody::AmbitionAssessed(_)
        | EventBody::EvidenceAttached(_)
        | EventBody::ReviewOpened(_)
        | EventBody::StatementRecorded(_)
        | EventBody::ReviewClosed(_) => None,
    }
}

/// Both ends of a period, or the one that it is.
fn period(Period { from, to }: Period) -> String {
    let (from, to) = (from.to_string(), to.to_string());
    if from == to {
        from
    } else {
        format!("{from} to {to}")
    }
}

fn indicators(indicators: &[Indicator]) -> String {
    let values = indicators.iter().map(|indicator| {
        let unit = indicator.unit.as_deref().unwrap_or_default();
        let value = amount(indicator.value);
        let text = format!("{}: {value} {unit}", indicator.name);
        text.trim_end().to_owned()
    });
    values.collect::<Vec<_>>().join("; ")
}

/// Pieces of evidence by what they are called, else where they are, else by their digest; and which have none.
fn pieces(evidence: &[Evidence]) -> String {
    let names = evidence.iter().map(|piece| {
        let digest = piece.sha256.map(|it| it.to_string());
        let names = [&piece.title, &piece.url, &digest];
        let name = names.into_iter().flatten().find(|name| !name.is_empty());
        let mark = if piece.sha256.is_some() {
            ""
        } else {
            " (no digest)"
        };
        format!("{}{mark}", name.map_or("", String::as_str))
    });
    names.collect::<Vec<_>>().join("; ")
}
