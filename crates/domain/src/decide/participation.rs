//! Decisions about who takes part beside the lead: each party speaks for itself, whatever became of the commitment.

use super::commitment::route;
use super::{CommitmentLookup, Context, Decision, refuse};
use crate::commitment::{Commitment, Participation};
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{
    CommitmentLeft, ConfirmParticipation, LeaveCommitment, ParticipationConfirmed,
};

impl Context<'_> {
    /// The command's party has not assessed the commitment: nobody both assesses it and takes part in it.
    pub(super) fn no_assessor(&self, commitment: &Commitment) -> Result<(), Rejection> {
        let party = &self.command.party;
        if !commitment.has_assessed(party) {
            return Ok(());
        }
        refuse(
            RejectionCode::AssessorParticipates,
            "party",
            format!("{party} has assessed the commitment, so it cannot take part in it; leave it"),
        )
    }
}

fn not_participant<T>(context: &Context<'_>) -> Result<T, Rejection> {
    refuse(
        RejectionCode::NotParticipant,
        "party",
        format!(
            "{} is no participant of the commitment; have its lead name it in an amendment",
            context.command.party
        ),
    )
}

pub(super) fn confirm(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &ConfirmParticipation,
) -> Decision {
    let commitment = context.subject(commitments)?;
    let party = &context.command.party;
    match commitment.participation(party) {
        Some(Participation::Claimed) => context.no_assessor(commitment)?,
        Some(Participation::Lead | Participation::Confirmed) => {
            return refuse(
                RejectionCode::AlreadyConfirmed,
                "party",
                format!("{party} takes part by its own word already; nothing is left to confirm"),
            );
        }
        Some(Participation::Left) | None => return not_participant(context),
    }
    context.happened(data.effective, "data.effective")?;
    let body = ParticipationConfirmed {
        note: data.note.clone(),
    };
    let version = commitment.version();
    Ok(context.event(version, data.effective, route(commitment), body))
}

pub(super) fn leave(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &LeaveCommitment,
) -> Decision {
    let commitment = context.subject(commitments)?;
    match commitment.participation(&context.command.party) {
        Some(Participation::Claimed | Participation::Confirmed) => {}
        Some(Participation::Lead) => {
            return refuse(
                RejectionCode::LeadCannotLeave,
                "party",
                "the lead cannot leave its commitment; withdraw it, or supersede it",
            );
        }
        Some(Participation::Left) | None => return not_participant(context),
    }
    context.happened(data.effective, "data.effective")?;
    let body = CommitmentLeft {
        reason: data.reason.clone(),
    };
    let version = commitment.version();
    Ok(context.event(version, data.effective, route(commitment), body))
}
