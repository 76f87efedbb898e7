//! Decisions about what a commitment is: recording and amending it.

use super::{CommitmentLookup, Context, Decision, Route, refuse};
use crate::commitment::Commitment;
use crate::date::PartialDate;
use crate::ids::{CommitmentId, Version};
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{CommitmentRecorded, CommitmentStatus, Form, Milestone, RecordCommitment};

impl Context<'_> {
    pub(super) fn commitment_subject(&self) -> Result<CommitmentId, Rejection> {
        self.command
            .subject
            .commitment()
            .map_or_else(|| self.wrong_subject(), Ok)
    }

    /// The commitment the command is about: it exists, and has the expected version. It may have any status.
    pub(super) fn subject<'c>(
        &self,
        commitments: &'c (impl CommitmentLookup + ?Sized),
    ) -> Result<&'c Commitment, Rejection> {
        let id = self.commitment_subject()?;
        let Some(commitment) = commitments.commitment(&id) else {
            return refuse(
                RejectionCode::UnknownCommitment,
                "subject",
                format!("commitment {id} does not exist; record it first, or correct the id"),
            );
        };
        self.expect_version(commitment.version())?;
        Ok(commitment)
    }

    /// The commitment the command is about, which was not withdrawn: what has ended can still be corrected and withdrawn.
    pub(super) fn not_withdrawn<'c>(
        &self,
        commitments: &'c (impl CommitmentLookup + ?Sized),
    ) -> Result<&'c Commitment, Rejection> {
        let commitment = self.subject(commitments)?;
        match commitment.status() {
            CommitmentStatus::Withdrawn => refuse(
                RejectionCode::CommitmentWithdrawn,
                "subject",
                "the commitment was withdrawn; record a new one, or have it reinstated",
            ),
            CommitmentStatus::Active
            | CommitmentStatus::Suspended
            | CommitmentStatus::Superseded
            | CommitmentStatus::Closed
            | CommitmentStatus::Lapsed => Ok(commitment),
        }
    }

    /// The commitment the command is about, which stands: it is active or suspended.
    pub(super) fn standing<'c>(
        &self,
        commitments: &'c (impl CommitmentLookup + ?Sized),
    ) -> Result<&'c Commitment, Rejection> {
        let commitment = self.not_withdrawn(commitments)?;
        match commitment.status() {
            CommitmentStatus::Active | CommitmentStatus::Suspended => Ok(commitment),
            status @ (CommitmentStatus::Withdrawn
            | CommitmentStatus::Superseded
            | CommitmentStatus::Closed
            | CommitmentStatus::Lapsed) => refuse(
                RejectionCode::StatusConflict,
                "subject",
                format!("the commitment is {status}; have it reinstated first"),
            ),
        }
    }
}

pub(super) fn record(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &RecordCommitment,
) -> Decision {
    let id = context.commitment_subject()?;
    if commitments.commitment(&id).is_some() {
        return refuse(
            RejectionCode::CommitmentExists,
            "subject",
            format!("commitment {id} is recorded already; amend it, or use a new id"),
        );
    }
    context.expect_version(Version(0))?;
    record_names(context, commitments, id, data)?;
    let form = record_rules(context, data)?;
    let lead = context.active_party(&context.command.party, "party")?;
    let route = Route {
        country: lead.country,
        actions: data.actions.iter().cloned().collect(),
    };
    let body = CommitmentRecorded {
        lead: context.command.party.clone(),
        country: lead.country,
        catalogue: context.reference.catalogue(),
        title: data.title.clone(),
        description: data.description.clone(),
        actions: data.actions.clone(),
        form,
        nature: data.nature,
        matches: data.matches,
        participants: data.participants.clone(),
        countries: data.countries.clone(),
        principles: data.principles.clone(),
        measure: data.measure.clone(),
        made: data.made,
        due: data.due,
        milestones: data.milestones.clone(),
        source: data.source.clone(),
        illustrative: data.illustrative,
        language: data.language.clone(),
    };
    Ok(context.event(Version(0), data.made, route, body))
}

/// Everything a new commitment names exists.
fn record_names(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    id: CommitmentId,
    data: &RecordCommitment,
) -> Result<(), Rejection> {
    context.known_actions(&data.actions, "data.actions")?;
    for (index, participant) in data.participants.iter().enumerate() {
        let field = format!("data.participants[{index}].party");
        context.active_party(&participant.party, &field)?;
    }
    let unknown = |code: &_| !context.reference.has_principle(code);
    if let Some(index) = data.principles.iter().position(unknown) {
        return refuse(
            RejectionCode::UnknownPrinciple,
            &format!("data.principles[{index}]"),
            "no published instrument has this principle; use a code of one that has",
        );
    }
    match data.matches {
        Some(matched) if matched == id => refuse(
            RejectionCode::SelfReference,
            "data.matches",
            "a commitment cannot match itself; name another",
        ),
        Some(matched) if commitments.commitment(&matched).is_none() => refuse(
            RejectionCode::UnknownCommitment,
            "data.matches",
            format!("commitment {matched} does not exist; record it first, or correct the id"),
        ),
        Some(_) | None => Ok(()),
    }
}

/// The rules of a new commitment; gives its form.
fn record_rules(context: &Context<'_>, data: &RecordCommitment) -> Result<Form, Rejection> {
    let lead = &context.command.party;
    let again = data
        .participants
        .iter()
        .position(|participant| participant.party == *lead);
    if let Some(index) = again {
        return refuse(
            RejectionCode::DuplicateValue,
            &format!("data.participants[{index}].party"),
            format!("{lead} leads the commitment, so it is no partner or supporter of it"),
        );
    }
    let form = match (data.form, data.matches) {
        (None, Some(_)) => Form::Matching,
        (None, None) => Form::Individual,
        (Some(form), Some(_)) if form != Form::Matching => {
            return refuse(
                RejectionCode::Contradiction,
                "data.form",
                format!(
                    "a commitment that matches another is not {form}; leave form or matches out"
                ),
            );
        }
        (Some(Form::Matching), None) => {
            return refuse(
                RejectionCode::Contradiction,
                "data.form",
                "a commitment that answers no other is not matching; name the other in matches, or leave the form out",
            );
        }
        (Some(form), _) => form,
    };
    context.happened(data.made, "data.made")?;
    due_dates(context, data.made, data.due, &data.milestones)?;
    Ok(form)
}

/// Nothing is due before it was promised, nor after anybody could ask.
pub(super) fn due_dates(
    context: &Context<'_>,
    made: Option<PartialDate>,
    due: Option<PartialDate>,
    milestones: &[Milestone],
) -> Result<(), Rejection> {
    let check = |due: Option<PartialDate>, field: &str| match (made, due) {
        (Some(made), Some(due)) if due.last_day() < made.first_day() => refuse(
            RejectionCode::DateOrder,
            field,
            format!("due {due} lies before made {made}; correct one of them"),
        ),
        (_, due) => context.foreseeable(due, field),
    };
    check(due, "data.due")?;
    let mut milestones = milestones.iter().enumerate();
    milestones.try_for_each(|(index, milestone)| match milestone.due {
        Some(due) => check(Some(due), &format!("data.milestones[{index}].due")),
        None => Ok(()),
    })
}

/// Refuses what would be more than the ledger keeps of one commitment.
pub(super) fn limit(count: usize, most: usize, field: &str) -> Result<(), Rejection> {
    if count <= most {
        return Ok(());
    }
    refuse(
        RejectionCode::LimitReached,
        field,
        format!("the commitment would have {count} of these; the ledger keeps {most}"),
    )
}

/// The route of a commitment's later events.
pub(super) fn route(commitment: &Commitment) -> Route {
    Route {
        country: commitment.country(),
        actions: commitment.actions().collect(),
    }
}

pub(super) fn not_lead<T>(context: &Context<'_>, commitment: &Commitment) -> Result<T, Rejection> {
    refuse(
        RejectionCode::NotLead,
        "party",
        format!(
            "{} leads the commitment, not {}; have the lead send it",
            commitment.lead(),
            context.command.party
        ),
    )
}
