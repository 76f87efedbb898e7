//! Decisions about assessments: independent ones, so no party both takes part in a commitment and assesses it.

use super::admin::{all_stand, nothing_to_change};
use super::commitment::{limit, route};
use super::reporting::room_for_evidence;
use super::{CommitmentLookup, Context, Decision, refuse};
use crate::commitment::Commitment;
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{
    AmbitionAssessed, AssessAmbition, AssessProgress, AssessmentKind, AssessmentRevised,
    ProgressAssessed, ReviseAssessment,
};

/// The command's party never took part in the commitment, and there is room for what it says. To be named as a participant
/// is not to take part: else a lead could choose who does not assess it.
fn independent(context: &Context<'_>, commitment: &Commitment) -> Result<(), Rejection> {
    let party = &context.command.party;
    if commitment.took_part(party) {
        return refuse(
            RejectionCode::AssessorParticipates,
            "party",
            format!(
                "{party} takes part in the commitment, or did; have an independent party assess it"
            ),
        );
    }
    let count = commitment.assessment_count() + 1;
    limit(count, Commitment::MAX_ASSESSMENTS, "subject")
}

pub(super) fn progress(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &AssessProgress,
) -> Decision {
    let commitment = context.subject(commitments)?;
    independent(context, commitment)?;
    if let Some(period) = data.period {
        context.past_period(period)?;
    }
    context.happened(data.assessed, "data.assessed")?;
    room_for_evidence(commitment, &data.evidence)?;
    let body = ProgressAssessed {
        method: data.method.clone(),
        method_version: data.method_version.clone(),
        grade: data.grade.clone(),
        completion: data.completion,
        period: data.period,
        assessed: data.assessed,
        summary: data.summary.clone(),
        evidence: data.evidence.clone(),
        language: data.language.clone(),
    };
    let version = commitment.version();
    Ok(context.event(version, data.assessed, route(commitment), body))
}

pub(super) fn ambition(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &AssessAmbition,
) -> Decision {
    let commitment = context.subject(commitments)?;
    independent(context, commitment)?;
    context.happened(data.assessed, "data.assessed")?;
    let body = AmbitionAssessed {
        method: data.method.clone(),
        method_version: data.method_version.clone(),
        grades: data.grades.clone(),
        assessed: data.assessed,
        language: data.language.clone(),
        summary: data.summary.clone(),
    };
    let version = commitment.version();
    Ok(context.event(version, data.assessed, route(commitment), body))
}

pub(super) fn revise(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &ReviseAssessment,
) -> Decision {
    let commitment = context.subject(commitments)?;
    let field = "data.assessment";
    let Some(assessment) = commitment.assessment(data.assessment) else {
        return refuse(
            RejectionCode::UnknownAssessment,
            field,
            format!(
                "no assessment of the commitment stands at position {}; name the position that its receipt gave",
                data.assessment
            ),
        );
    };
    if assessment.is_revised() {
        return refuse(
            RejectionCode::AssessmentRevisedAlready,
            field,
            format!(
                "the assessment at position {} was revised; name the newest revision",
                data.assessment
            ),
        );
    }
    if !assessment.is_assessor(&context.command.party) {
        return refuse(
            RejectionCode::NotAssessor,
            "party",
            format!(
                "{} did not make the assessment; have its assessor send it",
                context.command.party
            ),
        );
    }
    new_values(assessment.kind(), data)?;
    if assessment.is_as_revised(data) {
        return all_stand();
    }
    let count = commitment.assessment_count() + 1;
    limit(count, Commitment::MAX_ASSESSMENTS, field)?;
    let body = AssessmentRevised {
        assessment: data.assessment,
        kind: assessment.kind(),
        reason: data.reason.clone(),
        grade: data.grade.clone(),
        completion: data.completion,
        grades: data.grades.clone(),
        summary: data.summary.clone(),
    };
    Ok(context.event(commitment.version(), None, route(commitment), body))
}

/// A revision names something new, and of its kind only.
fn new_values(kind: AssessmentKind, data: &ReviseAssessment) -> Result<(), Rejection> {
    let foreign = match kind {
        AssessmentKind::Progress => data.grades.as_ref().map(|_| "data.grades"),
        AssessmentKind::Ambition => match (&data.grade, data.completion) {
            (Some(_), _) => Some("data.grade"),
            (None, Some(_)) => Some("data.completion"),
            (None, None) => None,
        },
    };
    if let Some(field) = foreign {
        return refuse(
            RejectionCode::Contradiction,
            field,
            format!("an assessment of {kind} has no such value; leave it out"),
        );
    }
    if data.grade.is_none()
        && data.completion.is_none()
        && data.grades.is_none()
        && data.summary.is_none()
    {
        return nothing_to_change("a new grade, completion, grades or summary");
    }
    Ok(())
}
