//! Decisions about evidence. Its digest names it, or, where it came without one, the event that named it; its URL may move.

use super::admin::nothing_to_change;
use super::commitment::{limit, route};
use super::reporting::{room_for_evidence, standing_report};
use super::{CommitmentLookup, Context, Decision, Sender, refuse};
use crate::commitment::Commitment;
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{
    AttachEvidence, DigestEvidence, EvidenceAttached, EvidenceDigested, EvidenceFlaggedUnavailable,
    EvidenceMoved, EvidencePlace, FlagEvidenceUnavailable, MoveEvidence, NamedEvidence, Sha256,
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

/// The evidence that is named, which the commitment has.
fn known_evidence(
    commitment: &Commitment,
    sha256: Option<Sha256>,
    evidence: Option<EvidencePlace>,
) -> Result<NamedEvidence, Rejection> {
    match NamedEvidence::of(sha256, evidence) {
        Some(named) if commitment.has_evidence(named) => Ok(named),
        Some(NamedEvidence::Place(place)) => unknown_place(place),
        Some(NamedEvidence::Digest(_)) | None => refuse(
            RejectionCode::UnknownEvidence,
            "data.sha256",
            "the commitment has no evidence with this digest; attach it first, or correct the digest",
        ),
    }
}

fn unknown_place<T>(place: EvidencePlace) -> Result<T, Rejection> {
    refuse(
        RejectionCode::UnknownEvidence,
        "data.evidence",
        format!(
            "no evidence of the commitment was named without a digest at {place}; give the event's position and the place in its list from 0, or name evidence that has a digest by its sha256"
        ),
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
    let party = &context.command.party;
    let mut pieces = data.evidence.iter();
    if pieces.all(|piece| commitment.has_attached(piece, data.report, party)) {
        return nothing_to_change("at least one piece that is not attached there yet");
    }
    room_for_evidence(commitment, &data.evidence)?;
    context.happened(data.effective, "data.effective")?;
    let body = EvidenceAttached {
        report: data.report,
        evidence: data.evidence.clone(),
    };
    let version = commitment.version();
    Ok(context.event(version, data.effective, route(commitment), body))
}

pub(super) fn digest(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &DigestEvidence,
) -> Decision {
    let commitment = context.subject(commitments)?;
    participant_or_assessor(context, commitment, sender)?;
    match commitment.is_digested(data.evidence) {
        None => return unknown_place(data.evidence),
        Some(true) => {
            return refuse(
                RejectionCode::NothingToChange,
                "data",
                "the evidence has a digest already; attach other bytes as a piece of their own",
            );
        }
        Some(false) => {}
    }
    let count = commitment.evidence_count() + 1;
    limit(count, Commitment::MAX_EVIDENCE, "data.evidence")?;
    context.happened(data.effective, "data.effective")?;
    let body = EvidenceDigested {
        evidence: data.evidence,
        sha256: data.sha256,
        reason: data.reason.clone(),
    };
    let version = commitment.version();
    Ok(context.event(version, data.effective, route(commitment), body))
}

pub(super) fn relocate(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &MoveEvidence,
) -> Decision {
    let commitment = context.subject(commitments)?;
    participant_or_assessor(context, commitment, sender)?;
    let named = known_evidence(commitment, data.sha256, data.evidence)?;
    if commitment.is_evidence_at(named, &data.url) {
        return nothing_to_change("a URL that the evidence does not have already");
    }
    context.happened(data.effective, "data.effective")?;
    let body = EvidenceMoved {
        sha256: data.sha256,
        evidence: data.evidence,
        url: data.url.clone(),
        reason: data.reason.clone(),
    };
    let version = commitment.version();
    Ok(context.event(version, data.effective, route(commitment), body))
}

pub(super) fn flag_unavailable(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &FlagEvidenceUnavailable,
) -> Decision {
    let commitment = context.subject(commitments)?;
    participant_or_assessor(context, commitment, sender)?;
    let named = known_evidence(commitment, data.sha256, data.evidence)?;
    context.happened(data.effective, "data.effective")?;
    if commitment.is_evidence_missing(named, &data.reason, data.effective) {
        return nothing_to_change(
            "another reason, or a later date: the evidence is flagged already",
        );
    }
    let body = EvidenceFlaggedUnavailable {
        sha256: data.sha256,
        evidence: data.evidence,
        reason: data.reason.clone(),
    };
    let version = commitment.version();
    Ok(context.event(version, data.effective, route(commitment), body))
}
