//! Decisions about amendments of a commitment: what changes, whether that asks for less, and what stood before.

use smallvec::SmallVec;

use super::admin::{all_stand, nothing_to_change};
use super::commitment::{due_dates, limit, not_lead, route};
use super::{CommitmentLookup, Context, Decision, Route, refuse};
use crate::commitment::Commitment;
use crate::date::PartialDate;
use crate::ids::ActionCode;
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{
    AmendCommitment, Amount, Before, CommitmentAmended, Form, MeasureChange, Milestone, Nature,
    Participant, is_percent, is_share, negative_money, no_share,
};

/// Which values an amendment changes: those that it names and that do not stand already.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each value that an amendment may name"
)]
struct Changes {
    title: bool,
    description: bool,
    due: bool,
    indicator: bool,
    unit: bool,
    baseline: bool,
    target: bool,
    actions: bool,
    countries: bool,
    nature: bool,
    made: bool,
    form: bool,
    language: bool,
    /// Participants and milestones are only named where they are new, or in another role.
    others: bool,
}

impl Changes {
    fn of(commitment: &Commitment, data: &AmendCommitment) -> Self {
        fn other<T: PartialEq + Copy>(new: Option<T>, old: Option<T>) -> bool {
            new.is_some_and(|new| old != Some(new))
        }
        let unchanged = MeasureChange::default();
        let measure = data.measure.as_ref().unwrap_or(&unchanged);
        let title = data.title.as_ref();
        let description = data.description.as_ref();
        let countries = data.countries.as_ref();
        let language = data.language.as_ref();
        Self {
            title: title.is_some_and(|title| !commitment.has_title(title)),
            description: description.is_some_and(|text| !commitment.has_description(text)),
            due: other(data.due, commitment.due()),
            indicator: measure
                .indicator
                .as_deref()
                .is_some_and(|name| !commitment.is_measured_by(name)),
            unit: measure
                .unit
                .as_deref()
                .is_some_and(|unit| !commitment.is_measured_in(unit)),
            baseline: other(measure.baseline, commitment.baseline()),
            target: other(measure.target, commitment.target()),
            actions: data
                .actions
                .as_ref()
                .is_some_and(|codes| !commitment.has_actions(codes)),
            countries: countries.is_some_and(|codes| !commitment.has_countries(codes)),
            nature: other(data.nature, commitment.nature()),
            made: other(data.made, commitment.made()),
            form: other(data.form, commitment.form()),
            language: language.is_some_and(|tag| !commitment.has_language(tag)),
            others: data.participants.is_some() || data.milestones.is_some(),
        }
    }

    fn any(self) -> bool {
        let terms =
            self.title || self.description || self.due || self.made || self.form || self.language;
        let measure = self.indicator || self.unit || self.baseline || self.target;
        terms || measure || self.actions || self.countries || self.nature || self.others
    }

    /// What is counted, or in which unit, is another: all numbers of the measure mean something else.
    fn measures_otherwise(self) -> bool {
        self.indicator || self.unit
    }
}

pub(super) fn amend(
    context: &Context<'_>,
    commitments: &(impl CommitmentLookup + ?Sized),
    data: &AmendCommitment,
) -> Decision {
    let commitment = context.not_withdrawn(commitments)?;
    if !commitment.is_lead(&context.command.party) {
        return not_lead(context, commitment);
    }
    if let Some(actions) = &data.actions {
        context.known_actions(actions, "data.actions")?;
    }
    if names_nothing(data) {
        return nothing_to_change("at least one field beside reason");
    }
    let changes = Changes::of(commitment, data);
    if !changes.any() {
        return all_stand();
    }
    let participants = data.participants.as_deref().unwrap_or_default();
    let milestones = data.milestones.as_deref().unwrap_or_default();
    new_participants(context, commitment, participants)?;
    new_milestones(commitment, milestones)?;
    amended_measure(commitment, data)?;
    amended_form(commitment, data.form)?;
    amended_dates(context, commitment, data)?;
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
        made: data.made,
        form: data.form,
        language: data.language.clone(),
        participants: participants.to_vec(),
        milestones: milestones.to_vec(),
        reason: data.reason.clone(),
        weakened,
        before: before(commitment, changes, participants),
    };
    let route = amended_route(commitment, data.actions.as_deref());
    Ok(context.event(commitment.version(), data.effective, route, body))
}

/// Only what answers another commitment is held as matching.
fn amended_form(commitment: &Commitment, form: Option<Form>) -> Result<(), Rejection> {
    match form {
        Some(form) if (form == Form::Matching) != commitment.is_matching() => {
            let why = if commitment.is_matching() {
                "a commitment that answers another is held as matching"
            } else {
                "the commitment answers no other"
            };
            refuse(
                RejectionCode::Contradiction,
                "data.form",
                format!("{why}, so it cannot be {form}; leave the form out, or name another"),
            )
        }
        Some(_) | None => Ok(()),
    }
}

/// The dates as they would be: it was made before today, and is due after that.
fn amended_dates(
    context: &Context<'_>,
    commitment: &Commitment,
    data: &AmendCommitment,
) -> Result<(), Rejection> {
    context.happened(data.made, "data.made")?;
    let made = data.made.or(commitment.made());
    let milestones = data.milestones.as_deref().unwrap_or_default();
    due_dates(context, made, data.due, milestones)?;
    let Some(made) = data.made else {
        return Ok(());
    };
    let is_before = |due: &PartialDate| due.last_day() < made.first_day();
    let due = commitment.due().filter(|_| data.due.is_none());
    if let Some(due) = due.filter(is_before) {
        let message = format!("made {made} lies after due {due}; correct one of them");
        return refuse(RejectionCode::DateOrder, "data.made", message);
    }
    if let Some(due) = commitment.first_milestone_due().filter(is_before) {
        let message = format!("made {made} lies after a milestone's due {due}; correct it");
        return refuse(RejectionCode::DateOrder, "data.made", message);
    }
    Ok(())
}

/// Whoever is named in an amendment is known, takes no part yet or takes it in the other role, and never assessed the
/// commitment.
fn new_participants(
    context: &Context<'_>,
    commitment: &Commitment,
    participants: &[Participant],
) -> Result<(), Rejection> {
    let mut count = commitment.participant_count();
    for (index, participant) in participants.iter().enumerate() {
        let party = &participant.party;
        let field = format!("data.participants[{index}].party");
        context.active_party(party, &field)?;
        if commitment.has_participant(party) {
            if commitment.is_lead(party) || commitment.role(party) == Some(participant.role) {
                return refuse(
                    RejectionCode::DuplicateValue,
                    &field,
                    format!("{party} takes part in the commitment already; leave it out"),
                );
            }
            continue;
        }
        if commitment.has_assessed(party) {
            return refuse(
                RejectionCode::AssessorParticipates,
                &field,
                format!("{party} has assessed the commitment, so it cannot take part in it"),
            );
        }
        count += 1;
    }
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
        && data.made.is_none()
        && data.form.is_none()
        && data.language.is_none()
        && data.participants.is_none()
        && data.milestones.is_none()
}

fn is_later(old: Option<PartialDate>, new: Option<PartialDate>) -> bool {
    matches!((old, new), (Some(old), Some(new)) if new.last_day() > old.last_day())
}

/// Whether the measure asks for less: a lower target, or a higher one where less is better. Numbers in two units cannot be compared, so
/// another unit alone counts as weaker, and a target in it too: nobody can show that it asks for as much, and to write "thousands"
/// must not be a way to ask for less unseen.
fn is_weaker(commitment: &Commitment, change: &MeasureChange) -> bool {
    let Some(old) = commitment.target() else {
        return false;
    };
    let other_unit = |unit: &str| commitment.unit().is_some() && !commitment.is_measured_in(unit);
    if change.unit.as_deref().is_some_and(other_unit) {
        return true;
    }
    let Some(new) = change.target else {
        return false;
    };
    // Where the baseline changes with the target, or comes with it, the new target must not ask for less by either: to turn the direction
    // round at once with the target must not hide that.
    let standing = commitment.baseline();
    let amended = change.baseline.or(standing);
    asks_for_less(standing, old, new) || asks_for_less(amended, old, new)
}

/// Whether less is better follows from the values that stand when the target changes: the old target lies below the baseline. More is
/// better where there is no baseline, or where it is the target.
fn asks_for_less(baseline: Option<Amount>, old: Amount, new: Amount) -> bool {
    match baseline {
        Some(baseline) if old < baseline => new > old,
        Some(_) | None => new < old,
    }
}

/// The values that the amendment replaces, of those that a decision knows.
fn before(commitment: &Commitment, changes: Changes, participants: &[Participant]) -> Before {
    let words = changes.measures_otherwise();
    let role_before = |participant: &Participant| {
        let party = participant.party.clone();
        let role = commitment.role(&party)?;
        let stands = commitment.has_participant(&party);
        stands.then_some(Participant { party, role })
    };
    Before {
        due: commitment.due().filter(|_| changes.due),
        baseline: commitment.baseline().filter(|_| changes.baseline || words),
        target: commitment.target().filter(|_| changes.target || words),
        actions: changes.actions.then(|| commitment.actions().collect()),
        indicator: commitment.indicator().filter(|_| words).map(str::to_owned),
        unit: commitment.unit().filter(|_| words).map(str::to_owned),
        made: commitment.made().filter(|_| changes.made),
        form: commitment.form().filter(|_| changes.form),
        nature: commitment.nature().filter(|_| changes.nature),
        participants: participants.iter().filter_map(role_before).collect(),
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
