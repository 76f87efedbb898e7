//! Decisions about where a commitment stands. The lead decides, or the secretariat in its place; a reason is always given.

use super::commitment::{not_lead, route};
use super::{CommitmentLookup, Context, Decision, Sender, refuse};
use crate::commitment::Commitment;
use crate::date::PartialDate;
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{
    ActedBy, CloseCommitment, CommitmentClosed, CommitmentLapsed, CommitmentReinstated,
    CommitmentResumed, CommitmentStatus, CommitmentSuperseded, CommitmentSuspended,
    CommitmentWithdrawn, EventBody, LapseCommitment, Outcome, ReinstateCommitment,
    ResumeCommitment, SupersedeCommitment, SuspendCommitment, WithdrawCommitment,
};

/// In which capacity the sender changes the commitment's status.
fn acting(
    context: &Context<'_>,
    commitment: &Commitment,
    sender: Sender,
) -> Result<ActedBy, Rejection> {
    if sender.reporter && commitment.is_lead(&context.command.party) {
        Ok(ActedBy::Lead)
    } else if sender.secretariat {
        Ok(ActedBy::Secretariat)
    } else {
        not_lead(context, commitment)
    }
}

fn changed(
    context: &Context<'_>,
    commitment: &Commitment,
    effective: Option<PartialDate>,
    body: impl Into<EventBody>,
) -> Decision {
    context.happened(effective, "data.effective")?;
    Ok(context.event(commitment.version(), effective, route(commitment), body))
}

fn conflict<T>(status: CommitmentStatus, remedy: &str) -> Result<T, Rejection> {
    refuse(
        RejectionCode::StatusConflict,
        "subject",
        format!("the commitment is {status}; {remedy}"),
    )
}

pub(super) fn withdraw(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &WithdrawCommitment,
) -> Decision {
    let commitment = context.not_withdrawn(commitments)?;
    let by = acting(context, commitment, sender)?;
    let body = CommitmentWithdrawn {
        reason: data.reason.clone(),
        by,
    };
    changed(context, commitment, data.effective, body)
}

pub(super) fn suspend(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &SuspendCommitment,
) -> Decision {
    let commitment = context.standing(commitments)?;
    let by = acting(context, commitment, sender)?;
    if commitment.status() != CommitmentStatus::Active {
        return conflict(commitment.status(), "resume it first");
    }
    let body = CommitmentSuspended {
        reason: data.reason.clone(),
        by,
    };
    changed(context, commitment, data.effective, body)
}

pub(super) fn resume(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &ResumeCommitment,
) -> Decision {
    let commitment = context.standing(commitments)?;
    let by = acting(context, commitment, sender)?;
    if commitment.status() != CommitmentStatus::Suspended {
        return conflict(commitment.status(), "only a suspended one is resumed");
    }
    let body = CommitmentResumed {
        reason: data.reason.clone(),
        by,
    };
    changed(context, commitment, data.effective, body)
}

/// The successor stands at this moment, so it was not superseded itself, whether by this commitment or by one after it:
/// hence nothing is ever superseded in a circle.
pub(super) fn supersede(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &SupersedeCommitment,
) -> Decision {
    let commitment = context.standing(commitments)?;
    let by = acting(context, commitment, sender)?;
    let id = context.commitment_subject()?;
    let field = "data.successor";
    if data.successor == id {
        return refuse(
            RejectionCode::SelfReference,
            field,
            "a commitment cannot supersede itself; name another",
        );
    }
    let Some(successor) = commitments.commitment(&data.successor) else {
        return refuse(
            RejectionCode::UnknownCommitment,
            field,
            format!(
                "commitment {} does not exist; record it first, or correct the id",
                data.successor
            ),
        );
    };
    match successor.status() {
        CommitmentStatus::Active | CommitmentStatus::Suspended => {}
        CommitmentStatus::Superseded if successor.successor() == Some(id) => {
            return refuse(
                RejectionCode::SupersedeCycle,
                field,
                "this commitment took the place of the successor; have that one reinstated first, or name another",
            );
        }
        status @ (CommitmentStatus::Withdrawn
        | CommitmentStatus::Superseded
        | CommitmentStatus::Closed
        | CommitmentStatus::Lapsed) => {
            return refuse(
                RejectionCode::StatusConflict,
                field,
                format!("the successor is {status}; name one that stands"),
            );
        }
    }
    let body = CommitmentSuperseded {
        successor: data.successor,
        reason: data.reason.clone(),
        by,
    };
    changed(context, commitment, data.effective, body)
}

pub(super) fn close(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &CloseCommitment,
) -> Decision {
    let commitment = context.standing(commitments)?;
    let by = acting(context, commitment, sender)?;
    if data.outcome == Outcome::Fulfilled && !commitment.has_evidenced_report() {
        return refuse(
            RejectionCode::EvidenceRequired,
            "data.outcome",
            "no standing report has evidence; report with evidence first, or attach it to a report",
        );
    }
    let body = CommitmentClosed {
        outcome: data.outcome,
        reason: data.reason.clone(),
        by,
    };
    changed(context, commitment, data.effective, body)
}

pub(super) fn lapse(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &LapseCommitment,
) -> Decision {
    let commitment = context.standing(commitments)?;
    let by = acting(context, commitment, sender)?;
    let body = CommitmentLapsed {
        reason: data.reason.clone(),
        by,
    };
    changed(context, commitment, data.effective, body)
}

pub(super) fn reinstate(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &ReinstateCommitment,
) -> Decision {
    let commitment = context.subject(commitments)?;
    let by = acting(context, commitment, sender)?;
    match commitment.status() {
        CommitmentStatus::Withdrawn
        | CommitmentStatus::Superseded
        | CommitmentStatus::Closed
        | CommitmentStatus::Lapsed => {}
        status @ (CommitmentStatus::Active | CommitmentStatus::Suspended) => {
            return conflict(
                status,
                "only a withdrawn, superseded, closed or lapsed one is reinstated",
            );
        }
    }
    let body = CommitmentReinstated {
        reason: data.reason.clone(),
        by,
    };
    changed(context, commitment, data.effective, body)
}
