//! Decisions about what a commitment is: recording and amending it.

use smallvec::SmallVec;

use super::admin::nothing_to_change;
use super::{CommitmentLookup, Context, Decision, Route, refuse};
use crate::commitment::Commitment;
use crate::date::PartialDate;
use crate::ids::{ActionCode, CommitmentId, Version};
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{
    AmendCommitment, Before, CommitmentAmended, CommitmentRecorded, CommitmentStatus, Form,
    MeasureChange, Milestone, Nature, Participant, RecordCommitment, is_percent, is_share,
    negative_money, no_share,
};

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

    /// The commitment the command is about, which stands: it is active or suspended.
    pub(super) fn standing<'c>(
        &self,
        commitments: &'c (impl CommitmentLookup + ?Sized),
    ) -> Result<&'c Commitment, Rejection> {
        let commitment = self.subject(commitments)?;
        match commitment.status() {
            CommitmentStatus::Active | CommitmentStatus::Suspended => Ok(commitment),
            CommitmentStatus::Withdrawn => refuse(
                RejectionCode::CommitmentWithdrawn,
                "subject",
                "the commitment was withdrawn; record a new one, or have it reinstated",
            ),
            status @ (CommitmentStatus::Superseded | CommitmentStatus::Closed) => refuse(
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
        (Some(form), _) => form,
    };
    context.happened(data.made, "data.made")?;
    due_dates(context, data.made, data.due, &data.milestones)?;
    Ok(form)
}

/// Nothing is due before it was promised, nor after anybody could ask.
fn due_dates(
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

pub(super) fn amend(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &AmendCommitment,
) -> Decision {
    let commitment = context.standing(commitments)?;
    if !commitment.is_lead(&context.command.party) {
        return not_lead(context, commitment);
    }
    if let Some(actions) = &data.actions {
        context.known_actions(actions, "data.actions")?;
    }
    if names_nothing(data) {
        return nothing_to_change("at least one field beside reason");
    }
    let participants = data.participants.as_deref().unwrap_or_default();
    let milestones = data.milestones.as_deref().unwrap_or_default();
    new_participants(context, commitment, participants)?;
    new_milestones(commitment, milestones)?;
    amended_measure(commitment, data)?;
    due_dates(context, commitment.made(), data.due, milestones)?;
    context.happened(data.effective, "data.effective")?;
    let weaker = |change| is_weaker(commitment, change);
    let weakened =
        is_later(commitment.due(), data.due) || data.measure.as_ref().is_some_and(weaker);
    let body = CommitmentAmended {
        title: data.title.clone(),
        description: data.description.clone(),
        due: data.due,
        measure: data.measure.clone(),
        actions: data.actions.clone(),
        countries: data.countries.clone(),
        nature: data.nature,
        participants: participants.to_vec(),
        milestones: milestones.to_vec(),
        reason: data.reason.clone(),
        weakened,
        before: before(commitment, data),
    };
    let route = amended_route(commitment, data.actions.as_deref());
    Ok(context.event(commitment.version(), data.effective, route, body))
}

/// Whoever is named in an amendment is known, takes no part yet, and never assessed the commitment.
fn new_participants(
    context: &Context<'_>,
    commitment: &Commitment,
    participants: &[Participant],
) -> Result<(), Rejection> {
    for (index, participant) in participants.iter().enumerate() {
        let party = &participant.party;
        let field = format!("data.participants[{index}].party");
        context.active_party(party, &field)?;
        if commitment.has_participant(party) {
            return refuse(
                RejectionCode::DuplicateValue,
                &field,
                format!("{party} takes part in the commitment already; leave it out"),
            );
        }
        if commitment.has_assessed(party) {
            return refuse(
                RejectionCode::AssessorParticipates,
                &field,
                format!("{party} has assessed the commitment, so it cannot take part in it"),
            );
        }
    }
    let count = commitment.participant_count() + participants.len();
    limit(count, Commitment::MAX_PARTICIPANTS, "data.participants")
}

fn new_milestones(commitment: &Commitment, milestones: &[Milestone]) -> Result<(), Rejection> {
    let known = |milestone: &Milestone| commitment.milestone(&milestone.name).is_some();
    if let Some(index) = milestones.iter().position(known) {
        return refuse(
            RejectionCode::DuplicateValue,
            &format!("data.milestones[{index}].name"),
            "the commitment has a milestone of this name; choose another",
        );
    }
    let count = commitment.milestone_count() + milestones.len();
    limit(count, Commitment::MAX_MILESTONES, "data.milestones")
}

/// The measure as it would be is one: it has an indicator, a share stays one, and money is not less than none.
fn amended_measure(commitment: &Commitment, data: &AmendCommitment) -> Result<(), Rejection> {
    let unchanged = MeasureChange::default();
    let change = data.measure.as_ref().unwrap_or(&unchanged);
    if data.measure.is_some() && !commitment.is_measured() && change.indicator.is_none() {
        return refuse(
            RejectionCode::MissingField,
            "data.measure.indicator",
            "the commitment has no measure yet, so the change must name its indicator",
        );
    }
    let share = match &change.unit {
        Some(unit) => is_percent(unit),
        None => commitment.is_share(),
    };
    let financial = match data.nature {
        Some(nature) => nature == Nature::Financial,
        None => commitment.is_financial(),
    };
    let old = [commitment.baseline(), commitment.target()];
    let new = [("baseline", change.baseline), ("target", change.target)];
    for ((name, new), old) in new.into_iter().zip(old) {
        // A number that is not changed has to fit what is.
        let Some(value) = new.or(old) else {
            continue;
        };
        let field = || format!("data.measure.{name}");
        if share && !is_share(value) {
            return Err(no_share(field(), value));
        }
        if financial && value.get() < 0.0 {
            let field = new.map_or_else(|| "data.nature".to_owned(), |_| field());
            return Err(negative_money(field, value));
        }
    }
    Ok(())
}

fn names_nothing(data: &AmendCommitment) -> bool {
    let measure = data
        .measure
        .as_ref()
        .is_none_or(|change| *change == MeasureChange::default());
    measure
        && data.title.is_none()
        && data.description.is_none()
        && data.due.is_none()
        && data.actions.is_none()
        && data.countries.is_none()
        && data.nature.is_none()
        && data.participants.is_none()
        && data.milestones.is_none()
}

fn is_later(old: Option<PartialDate>, new: Option<PartialDate>) -> bool {
    matches!((old, new), (Some(old), Some(new)) if new.last_day() > old.last_day())
}

/// Whether the new target asks for less: a lower one, or a higher one where less is better. Numbers in two units cannot be
/// compared, so a target in another unit counts as weaker: nobody can show that it asks for as much, and to write "thousands" must
/// not be a way to ask for less unseen.
fn is_weaker(commitment: &Commitment, change: &MeasureChange) -> bool {
    let (Some(old), Some(new)) = (commitment.target(), change.target) else {
        return false;
    };
    if commitment.has_other_unit(change.unit.as_deref()) {
        true
    } else if commitment.is_falling_from(change.baseline) {
        new > old
    } else {
        new < old
    }
}

fn before(commitment: &Commitment, data: &AmendCommitment) -> Before {
    let change = data.measure.as_ref();
    Before {
        due: data.due.and(commitment.due()),
        baseline: change
            .and_then(|change| change.baseline)
            .and(commitment.baseline()),
        target: change
            .and_then(|change| change.target)
            .and(commitment.target()),
        actions: data
            .actions
            .as_ref()
            .map(|_| commitment.actions().collect()),
    }
}

/// An amendment is found under the actions of before and of after: under the former it says that the commitment left.
fn amended_route(commitment: &Commitment, new: Option<&[ActionCode]>) -> Route {
    let mut route = route(commitment);
    let added: SmallVec<[ActionCode; 4]> = new
        .unwrap_or_default()
        .iter()
        .filter(|code| !route.actions.contains(*code))
        .cloned()
        .collect();
    route.actions.extend(added);
    route
}
