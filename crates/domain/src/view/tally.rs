//! What every view counts of its commitments.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::body::{Stages, bounded};
use super::facts::{CommitmentFacts, Flags, PartState, Participation, Status};
use super::fold::Sign;
use super::list::{Milestones, ParticipationRole};
use super::scrutiny::Scrutiny;
use super::tables::{MethodIndex, PartyIndex, Tables};
use crate::wire::v1::{Completion, Outcome};

/// The most bytes that the table of methods may take in a body.
const METHODS_BYTES: usize = 8 * 1024;

/// Counts of commitments.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally {
    statuses: Statuses,
    illustrative: u64,
    // Of the active ones, from here on.
    pub(crate) stages: Stages,
    measurable: u64,
    with_evidence: u64,
    with_undigested_evidence: u64,
    weakened: u64,
    fulfilled_unassessed: u64,
    unconfirmed: u64,
    marks: Marks,
    milestones_named: u64,
    milestones_reached: u64,
    /// Parties by the active commitments they lead.
    pub(crate) leading: FxHashMap<PartyIndex, u64>,
    // Of the closed ones.
    self_declared: u64,
    closed_without_evidence: u64,
    closed_with_undigested_evidence: u64,
    ground_taken_back: u64,
    closed_marks: Marks,
    // Of both.
    by_method: FxHashMap<MethodIndex, Completions>,
}

/// Commitments by where they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
struct Statuses {
    active: u64,
    suspended: u64,
    withdrawn: u64,
    superseded: u64,
    closed_fulfilled: u64,
    closed_partly_fulfilled: u64,
    closed_not_fulfilled: u64,
    lapsed: u64,
}

/// Commitments by what few of them have.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Marks {
    evidence_unavailable: u64,
    contested: u64,
    contest_upheld: u64,
    validated: u64,
    returned: u64,
    assessed: u64,
    assessed_below_report: u64,
    downgraded: u64,
}

/// Assessed commitments under one method by their newest completion; `other` are grades that the method does not translate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Completions {
    no_evidence: u64,
    not_started: u64,
    limited: u64,
    substantial: u64,
    complete: u64,
    other: u64,
}

/// Participations beside the lead by role and by whether the party itself confirmed them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Participations {
    partner: Parts,
    supporter: Parts,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
struct Parts {
    claimed: u64,
    confirmed: u64,
    left: u64,
}

/// Commitments ever recorded: the sum of those after it, but `illustrative`. Unit: commitments.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RecordedBody {
    recorded: u64,
    #[serde(flatten)]
    statuses: Statuses,
    illustrative: u64,
}

/// Commitments that stand: active and suspended ones. Unit: commitments.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ActiveBody {
    total: u64,
    by_stage: Stages,
    measurable: u64,
    not_measurable: u64,
    with_evidence: u64,
    with_undigested_evidence: u64,
    no_evidence: u64,
    evidence_unavailable: u64,
    weakened: u64,
    contested: u64,
    contest_upheld: u64,
    validated: u64,
    returned: u64,
    assessed: u64,
    assessed_below_report: u64,
    downgraded: u64,
    fulfilled_unassessed: u64,
    unconfirmed: u64,
}

/// What is counted apart from the commitments that stand.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ApartBody {
    closed_commitments: ClosedBody,
    assessed_commitments_by_method: BTreeMap<String, Completions>,
    methods_left_out: usize,
    milestones: MilestonesBody,
}

/// Commitments that were closed. Unit: commitments.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ClosedBody {
    self_declared: u64,
    with_undigested_evidence: u64,
    ground_taken_back: u64,
    no_evidence: u64,
    contested: u64,
    contest_upheld: u64,
    assessed: u64,
    assessed_below_report: u64,
    downgraded: u64,
}

/// Milestones of the commitments that stand. Unit: milestones.
#[derive(Debug, Default, Serialize)]
struct MilestonesBody {
    named: u64,
    reached: u64,
}

impl Tally {
    /// Counts what no report and no assessment changes.
    pub(crate) fn count_terms(&mut self, facts: &CommitmentFacts, sign: Sign) {
        self.statuses.count(facts.status, sign);
        sign.step_if(facts.is_illustrative(), &mut self.illustrative);
        if !facts.is_active() {
            return;
        }
        sign.step_if(facts.is_measurable(), &mut self.measurable);
        sign.step_if(facts.is_weakened(), &mut self.weakened);
        sign.step_if(facts.is_unconfirmed(), &mut self.unconfirmed);
        sign.step_in(&mut self.leading, facts.lead);
        let Milestones { named, reached } = facts.milestones();
        sign.step_by(named.into(), &mut self.milestones_named);
        sign.step_by(reached.into(), &mut self.milestones_reached);
    }

    /// Counts what reports and assessments say.
    pub(crate) fn count_progress(&mut self, facts: &CommitmentFacts, sign: Sign) {
        if facts.is_active() {
            self.stages.count(facts.stage, sign);
            sign.step_if(facts.has_digested_evidence(), &mut self.with_evidence);
            sign.step_if(
                facts.has_undigested_evidence_only(),
                &mut self.with_undigested_evidence,
            );
            let unassessed = facts.is_fulfilled_unassessed();
            sign.step_if(unassessed, &mut self.fulfilled_unassessed);
            self.marks.count(facts, sign);
            self.count_assessed(facts, sign);
        } else if facts.is_closed() {
            sign.step_if(facts.is_self_declared(), &mut self.self_declared);
            sign.step_if(!facts.has_evidence(), &mut self.closed_without_evidence);
            sign.step_if(
                facts.has_undigested_evidence_only(),
                &mut self.closed_with_undigested_evidence,
            );
            let taken_back = facts.flags.has(Flags::GROUND_TAKEN_BACK);
            sign.step_if(taken_back, &mut self.ground_taken_back);
            self.closed_marks.count(facts, sign);
            self.count_assessed(facts, sign);
        }
    }

    fn count_assessed(&mut self, facts: &CommitmentFacts, sign: Sign) {
        if !facts.flags.has(Flags::ASSESSED) {
            return;
        }
        let assessed = facts.scrutiny().into_iter();
        for (method, completion) in assessed.flat_map(Scrutiny::completions) {
            let completions = self.by_method.entry(method).or_default();
            completions.count(completion, sign);
            if *completions == Completions::default() {
                self.by_method.remove(&method);
            }
        }
    }

    /// All commitments ever recorded.
    pub(crate) fn recorded(&self) -> u64 {
        self.statuses.total()
    }

    /// The commitments that stand.
    pub(crate) fn active(&self) -> u64 {
        self.stages.total()
    }
}

impl Statuses {
    fn count(&mut self, status: Status, sign: Sign) {
        sign.step(match status {
            Status::Active => &mut self.active,
            Status::Suspended => &mut self.suspended,
            Status::Withdrawn => &mut self.withdrawn,
            Status::Superseded => &mut self.superseded,
            Status::Closed(Outcome::Fulfilled) => &mut self.closed_fulfilled,
            Status::Closed(Outcome::PartlyFulfilled) => &mut self.closed_partly_fulfilled,
            Status::Closed(Outcome::NotFulfilled) => &mut self.closed_not_fulfilled,
            Status::Lapsed => &mut self.lapsed,
        });
    }

    fn total(&self) -> u64 {
        let ended = self.withdrawn + self.superseded + self.closed() + self.lapsed;
        self.active + self.suspended + ended
    }

    fn closed(&self) -> u64 {
        self.closed_fulfilled + self.closed_partly_fulfilled + self.closed_not_fulfilled
    }

    fn add(&mut self, other: &Self) {
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

impl Marks {
    fn count(&mut self, facts: &CommitmentFacts, sign: Sign) {
        if !facts.is_unusual() {
            return;
        }
        for (flag, count) in [
            (Flags::EVIDENCE_UNAVAILABLE, &mut self.evidence_unavailable),
            (Flags::CONTESTED, &mut self.contested),
            (Flags::CONTEST_UPHELD, &mut self.contest_upheld),
            (Flags::VALIDATED, &mut self.validated),
            (Flags::RETURNED, &mut self.returned),
            (Flags::ASSESSED, &mut self.assessed),
            (
                Flags::ASSESSED_BELOW_REPORT,
                &mut self.assessed_below_report,
            ),
            (Flags::DOWNGRADED, &mut self.downgraded),
        ] {
            sign.step_if(facts.flags.has(flag), count);
        }
    }
}

impl Completions {
    fn count(&mut self, completion: Option<Completion>, sign: Sign) {
        sign.step(match completion {
            Some(Completion::NoEvidence) => &mut self.no_evidence,
            Some(Completion::NotStarted) => &mut self.not_started,
            Some(Completion::Limited) => &mut self.limited,
            Some(Completion::Substantial) => &mut self.substantial,
            Some(Completion::Complete) => &mut self.complete,
            None => &mut self.other,
        });
    }

    fn total(&self) -> u64 {
        self.no_evidence
            + self.not_started
            + self.limited
            + self.substantial
            + self.complete
            + self.other
    }

    fn add(&mut self, other: &Self) {
        self.no_evidence += other.no_evidence;
        self.not_started += other.not_started;
        self.limited += other.limited;
        self.substantial += other.substantial;
        self.complete += other.complete;
        self.other += other.other;
    }
}

impl Participations {
    pub(crate) fn count(&mut self, part: Participation, sign: Sign) {
        let parts = match part.role {
            // The lead's own part is the commitment, counted as one.
            ParticipationRole::Lead => return,
            ParticipationRole::Partner => &mut self.partner,
            ParticipationRole::Supporter => &mut self.supporter,
        };
        sign.step(match part.state {
            PartState::Claimed => &mut parts.claimed,
            PartState::Confirmed => &mut parts.confirmed,
            PartState::Left => &mut parts.left,
        });
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            partner: self.partner.plus(other.partner),
            supporter: self.supporter.plus(other.supporter),
        }
    }
}

impl Parts {
    fn plus(self, other: Self) -> Self {
        Self {
            claimed: self.claimed + other.claimed,
            confirmed: self.confirmed + other.confirmed,
            left: self.left + other.left,
        }
    }
}

/// What the tallies, which share no commitment, say together.
pub(crate) fn sum(tables: &Tables, tallies: &[&Tally]) -> (RecordedBody, ActiveBody, ApartBody) {
    let mut recorded = RecordedBody::default();
    let mut active = ActiveBody::default();
    let mut apart = ApartBody::default();
    let mut by_method: BTreeMap<String, Completions> = BTreeMap::new();
    for tally in tallies {
        recorded.recorded += tally.recorded();
        recorded.statuses.add(&tally.statuses);
        recorded.illustrative += tally.illustrative;
        active.add(tally);
        apart.closed_commitments.add(tally);
        apart.milestones.named += tally.milestones_named;
        apart.milestones.reached += tally.milestones_reached;
        for (&method, completions) in &tally.by_method {
            let (name, version) = tables.shared.method(method);
            let line = by_method.entry(format!("{name} {version}")).or_default();
            line.add(completions);
        }
    }
    let lines = by_method.into_iter();
    (apart.assessed_commitments_by_method, apart.methods_left_out) =
        bounded(lines, Completions::total, METHODS_BYTES);
    (recorded, active, apart)
}

impl ActiveBody {
    fn add(&mut self, tally: &Tally) {
        self.total += tally.active();
        self.by_stage = self.by_stage.plus(tally.stages);
        self.measurable += tally.measurable;
        self.not_measurable += tally.active().saturating_sub(tally.measurable);
        self.with_evidence += tally.with_evidence;
        self.with_undigested_evidence += tally.with_undigested_evidence;
        let evidenced = tally.with_evidence + tally.with_undigested_evidence;
        self.no_evidence += tally.active().saturating_sub(evidenced);
        self.evidence_unavailable += tally.marks.evidence_unavailable;
        self.weakened += tally.weakened;
        self.contested += tally.marks.contested;
        self.contest_upheld += tally.marks.contest_upheld;
        self.validated += tally.marks.validated;
        self.returned += tally.marks.returned;
        self.assessed += tally.marks.assessed;
        self.assessed_below_report += tally.marks.assessed_below_report;
        self.downgraded += tally.marks.downgraded;
        self.fulfilled_unassessed += tally.fulfilled_unassessed;
        self.unconfirmed += tally.unconfirmed;
    }
}

impl ClosedBody {
    fn add(&mut self, tally: &Tally) {
        self.self_declared += tally.self_declared;
        self.with_undigested_evidence += tally.closed_with_undigested_evidence;
        self.ground_taken_back += tally.ground_taken_back;
        self.no_evidence += tally.closed_without_evidence;
        self.contested += tally.closed_marks.contested;
        self.contest_upheld += tally.closed_marks.contest_upheld;
        self.assessed += tally.closed_marks.assessed;
        self.assessed_below_report += tally.closed_marks.assessed_below_report;
        self.downgraded += tally.closed_marks.downgraded;
    }
}
