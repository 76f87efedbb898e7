//! Decisions about reports: made by participants, corrected and taken back by their reporters, contested by others, validated
//! or returned by the secretariat or the State's focal point. A report is named by the position of the event that made it.

use super::commitment::{limit, route};
use super::{CommitmentLookup, Context, Decision, Sender, refuse};
use crate::commitment::{Commitment, NamedReport, Participation, ReportState};
use crate::ids::Position;
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{
    ActedBy, AnswerContest, ContestAnswered, ContestReport, ContestResolved, CorrectReport,
    EventBody, Evidence, Indicator, MilestoneReached, ProgressReported, ReachMilestone,
    ReportContested, ReportCorrected, ReportProgress, ReportRetracted, ReportReturned,
    ReportValidated, ResolveContest, RetractReport, ReturnReport, ValidateReport, is_share,
    negative_money, no_share,
};

impl Context<'_> {
    /// The command's party takes part in the commitment, as lead or beside it, claimed or confirmed, and has not assessed it.
    pub(super) fn participant(&self, commitment: &Commitment) -> Result<(), Rejection> {
        let party = &self.command.party;
        match commitment.participation(party) {
            Some(Participation::Claimed) => self.no_assessor(commitment),
            Some(Participation::Lead | Participation::Confirmed) => Ok(()),
            Some(Participation::Left) | None => refuse(
                RejectionCode::NotParticipant,
                "party",
                format!("{party} takes no part in the commitment; have a participant send it"),
            ),
        }
    }
}

/// What a participant reports of the indicator that measures the commitment is bound as its targets are: a share stays one, and
/// money is not less than none.
fn reported_values(commitment: &Commitment, indicators: &[Indicator]) -> Result<(), Rejection> {
    for (index, indicator) in indicators.iter().enumerate() {
        if !commitment.is_measured_by(&indicator.name) {
            continue;
        }
        let value = indicator.value;
        let field = || format!("data.indicators[{index}].value");
        if indicator.unit.is_none() && commitment.is_share() && !is_share(value) {
            return Err(no_share(field(), value));
        }
        if commitment.is_financial() && value.get() < 0.0 {
            return Err(negative_money(field(), value));
        }
    }
    Ok(())
}

/// The report at a position, which must stand.
pub(super) fn standing_report(
    commitment: &Commitment,
    position: Position,
) -> Result<NamedReport, Rejection> {
    let field = "data.report";
    let Some(report) = commitment.report_at(position) else {
        return refuse(
            RejectionCode::UnknownReport,
            field,
            format!(
                "no report of the commitment stands at position {position}; name the position that its receipt gave"
            ),
        );
    };
    match report.state {
        ReportState::Standing => Ok(report),
        ReportState::Corrected => refuse(
            RejectionCode::ReportCorrectedAlready,
            field,
            format!(
                "the report at position {position} was corrected; name the newest report over its period"
            ),
        ),
        ReportState::Retracted => refuse(
            RejectionCode::ReportRetracted,
            field,
            format!("the report at position {position} was retracted; report over its period anew"),
        ),
    }
}

/// A standing report that the command's party made itself.
fn own_report(
    context: &Context<'_>,
    commitment: &Commitment,
    position: Position,
) -> Result<NamedReport, Rejection> {
    let report = standing_report(commitment, position)?;
    if report.is_reporter(&context.command.party) {
        return Ok(report);
    }
    refuse(
        RejectionCode::NotReporter,
        "party",
        format!(
            "{} did not make the report at position {position}; have its reporter send it",
            context.command.party
        ),
    )
}

/// A report names evidence, or says why there is none, or neither; and it fits into what is kept of the commitment.
fn evidence_of_report(
    commitment: &Commitment,
    evidence: &[Evidence],
    no_evidence_reason: Option<&String>,
) -> Result<(), Rejection> {
    if no_evidence_reason.is_some() && !evidence.is_empty() {
        return refuse(
            RejectionCode::Contradiction,
            "data.no_evidence_reason",
            "the report has evidence, and says why it has none; leave one of them out",
        );
    }
    room_for_evidence(commitment, evidence)
}

pub(super) fn room_for_evidence(
    commitment: &Commitment,
    evidence: &[Evidence],
) -> Result<(), Rejection> {
    let count = commitment.evidence_count() + evidence.len();
    limit(count, Commitment::MAX_EVIDENCE, "data.evidence")
}

pub(super) fn report(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &ReportProgress,
) -> Decision {
    let commitment = context.standing(commitments)?;
    context.participant(commitment)?;
    let period = data.period;
    context.past_period(period)?;
    reported_values(commitment, &data.indicators)?;
    evidence_of_report(commitment, &data.evidence, data.no_evidence_reason.as_ref())?;
    let report = ProgressReported {
        period,
        stage: data.stage,
        indicators: data.indicators.clone(),
        narrative: data.narrative.clone(),
        evidence: data.evidence.clone(),
        no_evidence_reason: data.no_evidence_reason.clone(),
        language: data.language.clone(),
    };
    let body: EventBody = match commitment.report(&context.command.party, period) {
        Some(corrects) => ReportCorrected {
            corrects,
            report,
            reason: None,
        }
        .into(),
        None if commitment.report_count() >= Commitment::MAX_REPORTS => {
            return refuse(
                RejectionCode::TooManyReports,
                "data.period",
                format!(
                    "the commitment has reports over {} periods already; correct one of them",
                    Commitment::MAX_REPORTS
                ),
            );
        }
        None => report.into(),
    };
    let version = commitment.version();
    Ok(context.event(version, Some(period.to), route(commitment), body))
}

pub(super) fn correct(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &CorrectReport,
) -> Decision {
    let commitment = context.subject(commitments)?;
    let period = own_report(context, commitment, data.report)?.period;
    reported_values(commitment, &data.indicators)?;
    evidence_of_report(commitment, &data.evidence, data.no_evidence_reason.as_ref())?;
    let report = ProgressReported {
        period,
        stage: data.stage,
        indicators: data.indicators.clone(),
        narrative: data.narrative.clone(),
        evidence: data.evidence.clone(),
        no_evidence_reason: data.no_evidence_reason.clone(),
        language: data.language.clone(),
    };
    let body = ReportCorrected {
        corrects: data.report,
        report,
        reason: Some(data.reason.clone()),
    };
    let version = commitment.version();
    Ok(context.event(version, Some(period.to), route(commitment), body))
}

pub(super) fn retract(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &RetractReport,
) -> Decision {
    let commitment = context.subject(commitments)?;
    own_report(context, commitment, data.report)?;
    let body = ReportRetracted {
        report: data.report,
        reason: data.reason.clone(),
    };
    Ok(context.event(commitment.version(), None, route(commitment), body))
}

pub(super) fn reach_milestone(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &ReachMilestone,
) -> Decision {
    let commitment = context.standing(commitments)?;
    context.participant(commitment)?;
    let name = match commitment.milestone(&data.milestone) {
        Some((name, false)) => name,
        Some((_, true)) => {
            return refuse(
                RejectionCode::MilestoneReached,
                "data.milestone",
                "the milestone was reached already; nothing is left to say",
            );
        }
        None => {
            return refuse(
                RejectionCode::UnknownMilestone,
                "data.milestone",
                "the commitment has no milestone of this name; use the name as it was recorded",
            );
        }
    };
    context.happened(data.reached, "data.reached")?;
    room_for_evidence(commitment, &data.evidence)?;
    let body = MilestoneReached {
        // As it was first written, so that whoever joins by the name finds it.
        milestone: name.to_owned(),
        reached: data.reached,
        note: data.note.clone(),
        evidence: data.evidence.clone(),
    };
    let version = commitment.version();
    Ok(context.event(version, data.reached, route(commitment), body))
}

pub(super) fn contest(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &ContestReport,
) -> Decision {
    let commitment = context.subject(commitments)?;
    let report = standing_report(commitment, data.report)?;
    let party = &context.command.party;
    if report.is_reporter(party) {
        return refuse(
            RejectionCode::OwnReport,
            "party",
            format!("{party} made the report itself; correct or retract it instead"),
        );
    }
    if commitment.has_open_contest(party, &report) {
        return refuse(
            RejectionCode::ContestExists,
            "data.report",
            format!("{party} contests the report already; wait until that is resolved"),
        );
    }
    let count = commitment.contest_count() + 1;
    limit(count, Commitment::MAX_CONTESTS, "data.report")?;
    room_for_evidence(commitment, &data.evidence)?;
    let body = ReportContested {
        report: data.report,
        reason: data.reason.clone(),
        evidence: data.evidence.clone(),
    };
    Ok(context.event(commitment.version(), None, route(commitment), body))
}

fn open_contest(
    commitment: &Commitment,
    position: Position,
) -> Result<&crate::commitment::Contest, Rejection> {
    let field = "data.contest";
    match commitment.contest(position) {
        None => refuse(
            RejectionCode::UnknownContest,
            field,
            format!(
                "no contest of the commitment stands at position {position}; name the position that its receipt gave"
            ),
        ),
        Some(contest) if contest.is_resolved() => refuse(
            RejectionCode::ContestResolved,
            field,
            "the contest was resolved; contest the report again if it still does not hold",
        ),
        Some(contest) => Ok(contest),
    }
}

pub(super) fn answer_contest(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &AnswerContest,
) -> Decision {
    let commitment = context.subject(commitments)?;
    let contested = open_contest(commitment, data.contest)?;
    if !contested.is_reporter(&context.command.party) {
        return refuse(
            RejectionCode::NotReporter,
            "party",
            format!(
                "{} did not make the contested report; have its reporter answer",
                context.command.party
            ),
        );
    }
    let body = ContestAnswered {
        contest: data.contest,
        answer: data.answer.clone(),
    };
    Ok(context.event(commitment.version(), None, route(commitment), body))
}

pub(super) fn resolve_contest(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &ResolveContest,
) -> Decision {
    let commitment = context.subject(commitments)?;
    open_contest(commitment, data.contest)?;
    let body = ContestResolved {
        contest: data.contest,
        outcome: data.outcome,
        reason: data.reason.clone(),
    };
    Ok(context.event(commitment.version(), None, route(commitment), body))
}

/// Who may say of a report that it is in order: the focal point of the State whose commitment it is, speaking for that State,
/// or the secretariat.
fn reviewing(
    context: &Context<'_>,
    commitment: &Commitment,
    sender: Sender,
) -> Result<ActedBy, Rejection> {
    let party = &context.command.party;
    let state = commitment
        .country()
        .is_some_and(|country| country.as_str() == party.as_str());
    let named = context
        .reference
        .partner(&context.command.partner)
        .is_some_and(|partner| partner.focal_point_for.contains(party));
    if sender.reporter && state && named {
        Ok(ActedBy::FocalPoint)
    } else if sender.secretariat {
        Ok(ActedBy::Secretariat)
    } else {
        refuse(
            RejectionCode::NotFocalPoint,
            "party",
            format!(
                "partner {} is not the focal point of the commitment's State, or does not speak for it here; have the secretariat or the focal point send it",
                context.command.partner
            ),
        )
    }
}

pub(super) fn validate(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &ValidateReport,
) -> Decision {
    let commitment = context.subject(commitments)?;
    let by = reviewing(context, commitment, sender)?;
    standing_report(commitment, data.report)?;
    let body = ReportValidated {
        report: data.report,
        by,
        note: data.note.clone(),
    };
    Ok(context.event(commitment.version(), None, route(commitment), body))
}

pub(super) fn give_back(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &ReturnReport,
) -> Decision {
    let commitment = context.subject(commitments)?;
    let by = reviewing(context, commitment, sender)?;
    standing_report(commitment, data.report)?;
    let body = ReportReturned {
        report: data.report,
        by,
        reason: data.reason.clone(),
    };
    Ok(context.event(commitment.version(), None, route(commitment), body))
}
