//! The counts that several views share. Each says its unit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::wire::v1::{Completion, Stage};

/// An event, by its position and its recorded time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedAt {
    /// The event's position.
    pub position: String,
    /// When it was recorded: RFC 3339, microseconds.
    pub recorded: String,
}

/// The last event and the last report that concerned a view; null before the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEvents {
    /// The position of that event.
    pub position: Option<String>,
    /// When it was recorded: RFC 3339, microseconds.
    pub recorded: Option<String>,
    /// The last report on a commitment of the view.
    pub last_report: Option<RecordedAt>,
}

/// Commitments by the stage that their lead reported last. Unit: commitments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stages {
    /// Their lead has not reported.
    pub none_reported: u64,
    /// Being planned.
    pub planning: u64,
    /// Under way.
    pub in_progress: u64,
    /// Done, as the lead says.
    pub fulfilled: u64,
    /// Not going on.
    pub stalled: u64,
}

impl Stages {
    /// The count of one stage; none stands for commitments that were not reported on.
    pub fn of(&mut self, stage: Option<Stage>) -> &mut u64 {
        match stage {
            None => &mut self.none_reported,
            Some(Stage::Planning) => &mut self.planning,
            Some(Stage::InProgress) => &mut self.in_progress,
            Some(Stage::Fulfilled) => &mut self.fulfilled,
            Some(Stage::Stalled) => &mut self.stalled,
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.none_reported + self.planning + self.in_progress + self.fulfilled + self.stalled
    }

    /// Adds counts of other commitments.
    pub fn add(&mut self, other: &Self) {
        self.none_reported += other.none_reported;
        self.planning += other.planning;
        self.in_progress += other.in_progress;
        self.fulfilled += other.fulfilled;
        self.stalled += other.stalled;
    }
}

/// Commitments by their status. Unit: commitments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Statuses {
    /// Standing, and not suspended.
    pub active: u64,
    /// Standing, and suspended.
    pub suspended: u64,
    /// Withdrawn by their lead.
    pub withdrawn: u64,
    /// Superseded by another commitment.
    pub superseded: u64,
    /// Closed as fulfilled.
    pub closed_fulfilled: u64,
    /// Closed as partly fulfilled.
    pub closed_partly_fulfilled: u64,
    /// Closed as not fulfilled.
    pub closed_not_fulfilled: u64,
    /// Lapsed: ended, and no outcome was said.
    pub lapsed: u64,
}

impl Statuses {
    /// All of them.
    pub fn total(&self) -> u64 {
        let closed =
            self.closed_fulfilled + self.closed_partly_fulfilled + self.closed_not_fulfilled;
        self.active + self.suspended + self.withdrawn + self.superseded + closed + self.lapsed
    }

    /// Adds counts of other commitments.
    pub fn add(&mut self, other: &Self) {
        self.active += other.active;
        self.suspended += other.suspended;
        self.withdrawn += other.withdrawn;
        self.superseded += other.superseded;
        self.closed_fulfilled += other.closed_fulfilled;
        self.closed_partly_fulfilled += other.closed_partly_fulfilled;
        self.closed_not_fulfilled += other.closed_not_fulfilled;
        self.lapsed += other.lapsed;
    }
}

/// Assessed commitments under one method, by their newest completion. Unit: commitments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Completions {
    /// Nothing shows that anything was done.
    pub no_evidence: u64,
    /// Not begun.
    pub not_started: u64,
    /// Limited.
    pub limited: u64,
    /// Substantial.
    pub substantial: u64,
    /// Complete.
    pub complete: u64,
    /// With a grade that the method does not translate.
    pub other: u64,
}

impl Completions {
    /// The count of one completion; none stands for a grade that the method does not translate.
    pub fn of(&mut self, completion: Option<Completion>) -> &mut u64 {
        match completion {
            Some(Completion::NoEvidence) => &mut self.no_evidence,
            Some(Completion::NotStarted) => &mut self.not_started,
            Some(Completion::Limited) => &mut self.limited,
            Some(Completion::Substantial) => &mut self.substantial,
            Some(Completion::Complete) => &mut self.complete,
            None => &mut self.other,
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        let graded = self.not_started + self.limited + self.substantial + self.complete;
        self.no_evidence + graded + self.other
    }

    /// Adds counts of other commitments.
    pub fn add(&mut self, other: &Self) {
        self.no_evidence += other.no_evidence;
        self.not_started += other.not_started;
        self.limited += other.limited;
        self.substantial += other.substantial;
        self.complete += other.complete;
        self.other += other.other;
    }
}

/// The participations in active commitments. Unit: participations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Participations {
    /// Leads: one for each commitment.
    pub lead: u64,
    /// All others.
    #[serde(flatten)]
    pub beside: ParticipationsBeside,
}

/// Participations beside the lead's, by role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ParticipationsBeside {
    /// Partners.
    pub partner: ParticipationStates,
    /// Supporters.
    pub supporter: ParticipationStates,
}

impl ParticipationsBeside {
    /// Adds counts of other commitments.
    pub fn add(&mut self, other: &Self) {
        self.partner.add(&other.partner);
        self.supporter.add(&other.supporter);
    }
}

/// Participations by what the party itself says of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ParticipationStates {
    /// Only the lead says so.
    pub claimed: u64,
    /// The party confirmed it.
    pub confirmed: u64,
    /// The party left.
    pub left: u64,
}

impl ParticipationStates {
    /// Adds counts of other commitments.
    pub fn add(&mut self, other: &Self) {
        self.claimed += other.claimed;
        self.confirmed += other.confirmed;
        self.left += other.left;
    }
}

/// Commitments ever recorded. Unit: commitments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordedCommitments {
    /// All of them: the sum of the statuses.
    pub recorded: u64,
    /// By status.
    #[serde(flatten)]
    pub statuses: Statuses,
    /// Those of them that are examples and nobody's pledge.
    pub illustrative: u64,
}

/// Commitments that stand: active and suspended ones. Unit: commitments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActiveCommitments {
    /// All of them.
    pub total: u64,
    /// By the stage that their lead reported last.
    pub by_stage: Stages,
    /// With a baseline, a target and a due date.
    pub measurable: u64,
    /// Without one of these.
    pub not_measurable: u64,
    /// With evidence of their participants that has a digest.
    pub with_evidence: u64,
    /// With evidence of their participants, none of which has a digest.
    pub with_undigested_evidence: u64,
    /// Without any evidence of their participants.
    pub no_evidence: u64,
    /// With evidence that could not be found when it was looked for last.
    pub evidence_unavailable: u64,
    /// With a due date that was moved later or a target that was lowered.
    pub weakened: u64,
    /// With an open contest of a standing report.
    pub contested: u64,
    /// With a standing report against which a contest was upheld.
    pub contest_upheld: u64,
    /// Whose stage comes from a report that was validated.
    pub validated: u64,
    /// Whose stage comes from a report that was returned.
    pub returned: u64,
    /// Assessed by anybody.
    pub assessed: u64,
    /// With a newest assessment that says less than the lead.
    pub assessed_below_report: u64,
    /// With a newest assessment that says less than the one before.
    pub downgraded: u64,
    /// Reported as fulfilled and never assessed.
    pub fulfilled_unassessed: u64,
    /// That name a party which has not confirmed its part.
    pub unconfirmed: u64,
}

/// The counts apart from the commitments that stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApartFromActive {
    /// Commitments that were closed.
    pub closed_commitments: ClosedCommitments,
    /// Assessed commitments, standing or closed, by method and its version, `<method> <version>`.
    pub assessed_commitments_by_method: BTreeMap<String, Completions>,
    /// The number of methods that had no room in that table.
    pub methods_left_out: usize,
    /// Milestones of the commitments that stand.
    pub milestones: Milestones,
}

/// Commitments that were closed. Unit: commitments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClosedCommitments {
    /// Closed as fulfilled, and nobody's newest assessment says that they are complete.
    pub self_declared: u64,
    /// With evidence of their participants, none of which has a digest.
    pub with_undigested_evidence: u64,
    /// Closed as fulfilled, and the report that this rested on holds no more.
    pub ground_taken_back: u64,
    /// Without any evidence of their participants.
    pub no_evidence: u64,
    /// With an open contest of a standing report.
    pub contested: u64,
    /// With a standing report against which a contest was upheld.
    pub contest_upheld: u64,
    /// Assessed by anybody.
    pub assessed: u64,
    /// With a newest assessment that says less than the lead.
    pub assessed_below_report: u64,
    /// With a newest assessment that says less than the one before.
    pub downgraded: u64,
}

/// Milestones of commitments that stand. Unit: milestones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Milestones {
    /// Those that the commitments name.
    pub named: u64,
    /// Those that a participant says were reached.
    pub reached: u64,
}

/// The number that have committed, out of the number there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Coverage {
    /// Those that lead an active commitment.
    pub committed: u64,
    /// All there are.
    pub of: u64,
}
