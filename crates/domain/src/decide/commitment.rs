//! Decisions about commitments and reports.

use smallvec::SmallVec;

use super::admin::nothing_to_change;
use super::{CommitmentLookup, Context, NewEvent, Route, Sender, refuse};
use crate::commitment::Commitment;
use crate::date::PartialDate;
use crate::ids::{ActionCode, CommitmentId, Version};
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{
    AmendCommitment, Amount, Before, CommitmentAmended, CommitmentRecorded, CommitmentWithdrawn,
    EventBody, Form, MeasureChange, ProgressReported, RecordCommitment, ReportCorrected,
    ReportProgress, WithdrawCommitment, WithdrawnBy,
};

type Decision = Result<NewEvent, Rejection>;

impl Context<'_> {
    fn commitment_subject(&self) -> Result<CommitmentId, Rejection> {
        self.command
            .subject
            .commitment()
            .map_or_else(|| self.wrong_subject(), Ok)
    }

    /// The commitment the command is about: it exists, has the expected version, and stands.
    fn standing<'c>(
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
        if commitment.is_withdrawn() {
            return refuse(
                RejectionCode::CommitmentWithdrawn,
                "subject",
                format!("commitment {id} was withdrawn; record a new one"),
            );
        }
        Ok(commitment)
    }
}

fn date_order<T>(field: &str, message: String) -> Result<T, Rejection> {
    refuse(RejectionCode::DateOrder, field, message)
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
    if let Some(made) = data.made {
        context.not_in_future(made, "data.made")?;
    }
    due_after_made(data.made, data.due)?;
    Ok(form)
}

fn due_after_made(made: Option<PartialDate>, due: Option<PartialDate>) -> Result<(), Rejection> {
    match (made, due) {
        (Some(made), Some(due)) if due.last_day() < made.first_day() => date_order(
            "data.due",
            format!("due {due} lies before made {made}; correct one of them"),
        ),
        (_, _) => Ok(()),
    }
}

pub(super) fn report(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &ReportProgress,
) -> Decision {
    let commitment = context.standing(commitments)?;
    let reporter = &context.command.party;
    if !commitment.has_participant(reporter) {
        return refuse(
            RejectionCode::NotParticipant,
            "party",
            format!("{reporter} takes no part in the commitment; have a participant report"),
        );
    }
    let period = data.period;
    if period.to.last_day() < period.from.first_day() {
        let message = format!(
            "the period ends {} before it begins {}; correct one of them",
            period.to, period.from
        );
        return date_order("data.period.to", message);
    }
    context.not_in_future(period.from, "data.period.from")?;
    context.not_in_future(period.to, "data.period.to")?;
    if data.no_evidence_reason.is_some() && !data.evidence.is_empty() {
        return refuse(
            RejectionCode::Contradiction,
            "data.no_evidence_reason",
            "the report has evidence, and says why it has none; leave one of them out",
        );
    }
    let report = ProgressReported {
        period,
        stage: data.stage,
        indicators: data.indicators.clone(),
        narrative: data.narrative.clone(),
        evidence: data.evidence.clone(),
        no_evidence_reason: data.no_evidence_reason.clone(),
    };
    let body: EventBody = match commitment.report(reporter, period) {
        Some(corrects) => ReportCorrected { corrects, report }.into(),
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
    Ok(context.event(
        commitment.version(),
        Some(period.to),
        route(commitment),
        body,
    ))
}

/// The route of a commitment's later events.
fn route(commitment: &Commitment) -> Route {
    Route {
        country: commitment.country(),
        actions: commitment.actions().collect(),
    }
}

fn not_lead<T>(context: &Context<'_>, commitment: &Commitment) -> Result<T, Rejection> {
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
    if let Some(change) = &data.measure
        && !commitment.is_measured()
        && change.indicator.is_none()
    {
        return refuse(
            RejectionCode::MissingField,
            "data.measure.indicator",
            "the commitment has no measure yet, so the change must name its indicator",
        );
    }
    due_after_made(commitment.made(), data.due)?;
    let target = data.measure.as_ref().and_then(|change| change.target);
    let weakened = is_later(commitment.due(), data.due) || is_weaker(commitment, target);
    let body = CommitmentAmended {
        title: data.title.clone(),
        description: data.description.clone(),
        due: data.due,
        measure: data.measure.clone(),
        actions: data.actions.clone(),
        countries: data.countries.clone(),
        nature: data.nature,
        reason: data.reason.clone(),
        weakened,
        before: before(commitment, data),
    };
    let route = amended_route(commitment, data.actions.as_deref());
    Ok(context.event(commitment.version(), None, route, body))
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
}

fn is_later(old: Option<PartialDate>, new: Option<PartialDate>) -> bool {
    matches!((old, new), (Some(old), Some(new)) if new.last_day() > old.last_day())
}

/// Whether the new target asks for less: a lower one, or a higher one where less is better.
fn is_weaker(commitment: &Commitment, target: Option<Amount>) -> bool {
    match (commitment.target(), target) {
        (Some(old), Some(new)) if commitment.is_falling() => new > old,
        (Some(old), Some(new)) => new < old,
        (None, _) | (_, None) => false,
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

pub(super) fn withdraw(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
    data: &WithdrawCommitment,
) -> Decision {
    let commitment = context.standing(commitments)?;
    let by = if sender.reporter && commitment.is_lead(&context.command.party) {
        WithdrawnBy::Lead
    } else if sender.secretariat {
        WithdrawnBy::Secretariat
    } else {
        return not_lead(context, commitment);
    };
    let body = CommitmentWithdrawn {
        reason: data.reason.clone(),
        by,
    };
    Ok(context.event(commitment.version(), None, route(commitment), body))
}
