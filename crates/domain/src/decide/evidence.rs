//! Decisions about evidence, which its digest names: the URL may move.

use super::commitment::route;
use super::reporting::{room_for_evidence, standing_report};
use super::{CommitmentLookup, Context, Decision, Sender, refuse};
use crate::commitment::Commitment;
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{
    AttachEvidence, EvidenceAttached, EvidenceFlaggedUnavailable, EvidenceMoved,
    FlagEvidenceUnavailable, MoveEvidence, Sha256,
};

/// A participant speaks as a reporter does, and whoever never took part as an assessor does.
fn participant_or_assessor(
    context: &Context<'_>,
    commitment: &Commitment,
    sender: Sender,
) -> Result<(), Rejection> {
    let party = &context.command.party;
    if sender.reporter && commitment.has_participant(party) {
        return Ok(());
    }
    match (sender.assessor, commitment.took_part(party)) {
        (true, false) => Ok(()),
        (true, true) => refuse(
            RejectionCode::AssessorParticipates,
            "party",
            format!("{party} takes part in the commitment, or did, so it is no assessor of it"),
        ),
        (false, _) => context.participant(commitment),
    }
}

fn known_evidence(commitment: &Commitment, digest: &Sha256) -> Result<(), Rejection> {
    if commitment.has_evidence(digest) {
        return Ok(());
    }
    refuse(
        RejectionCode::UnknownEvidence,
        "data.sha256",
        "the commitment has no evidence with this digest; attach it first, or correct the digest",
    )
}

pub(super) fn attach(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &AttachEvidence,
) -> Decision {
    let commitment = context.subject(commitments)?;
    participant_or_assessor(context, commitment, sender)?;
    if let Some(report) = data.report {
        standing_report(commitment, report)?;
    }
    room_for_evidence(commitment, &data.evidence)?;
    let body = EvidenceAttached {
        report: data.report,
        evidence: data.evidence.clone(),
    };
    Ok(context.event(commitment.version(), None, route(commitment), body))
}

pub(super) fn relocate(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &MoveEvidence,
) -> Decision {
    let commitment = context.subject(commitments)?;
    participant_or_assessor(context, commitment, sender)?;
    known_evidence(commitment, &data.sha256)?;
    let body = EvidenceMoved {
        sha256: data.sha256,
        url: data.url.clone(),
        reason: data.reason.clone(),
    };
    Ok(context.event(commitment.version(), None, route(commitment), body))
}

pub(super) fn flag_unavailable(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &FlagEvidenceUnavailable,
) -> Decision {
    let commitment = context.subject(commitments)?;
    participant_or_assessor(context, commitment, sender)?;
    known_evidence(commitment, &data.sha256)?;
    let body = EvidenceFlaggedUnavailable {
        sha256: data.sha256,
        reason: data.reason.clone(),
    };
    Ok(context.event(commitment.version(), None, route(commitment), body))
}
