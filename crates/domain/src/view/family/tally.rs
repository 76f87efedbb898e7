//! Counts of commitments, which every view has.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::body::bounded;
use super::sign::Sign;
use crate::view::read_model::facts::{CommitmentFacts, Flags, PartState, Participation, Status};
use crate::view::read_model::index::{MethodIndex, PartyIndex};
use crate::view::read_model::tables::Tables;
use crate::wire::v1::Outcome;
use crate::wire::v1::view::{
    ActiveCommitments, ApartFromActive, ClosedCommitments, Completions, MilestoneRow,
    ParticipationRole, ParticipationsBeside, RecordedCommitments, Stages, Statuses,
};

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

impl Tally {
    /// Counts what no report and no assessment changes.
    pub(crate) fn count_terms(&mut self, facts: &CommitmentFacts, sign: Sign) {
        sign.step(count_of(&mut self.statuses, facts.status));
        sign.step_if(facts.is_illustrative(), &mut self.illustrative);
        if !facts.is_active() {
            return;
        }
        sign.step_if(facts.is_measurable(), &mut self.measurable);
        sign.step_if(facts.is_weakened(), &mut self.weakened);
        sign.step_if(facts.is_unconfirmed(), &mut self.unconfirmed);
        sign.step_in(&mut self.leading, facts.lead);
        let MilestoneRow { named, reached } = facts.milestones();
        sign.step_by(named.into(), &mut self.milestones_named);
        sign.step_by(reached.into(), &mut self.milestones_reached);
    }

    /// Counts what reports and assessments say.
    pub(crate) fn count_progress(&mut self, facts: &CommitmentFacts, sign: Sign) {
        if facts.is_active() {
            sign.step(self.stages.of(facts.stage));
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
        for (method, completion) in assessed.flat_map(|it| it.assessments.completions()) {
            let completions = self.by_method.entry(method).or_default();
            sign.step(completions.of(completion));
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

/// The count of one status.
fn count_of(statuses: &mut Statuses, status: Status) -> &mut u64 {
    match status {
        Status::Active => &mut statuses.active,
        Status::Suspended => &mut statuses.suspended,
        Status::Withdrawn => &mut statuses.withdrawn,
        Status::Superseded => &mut statuses.superseded,
        Status::Closed(Outcome::Fulfilled) => &mut statuses.closed_fulfilled,
        Status::Closed(Outcome::PartlyFulfilled) => &mut statuses.closed_partly_fulfilled,
        Status::Closed(Outcome::NotFulfilled) => &mut statuses.closed_not_fulfilled,
        Status::Lapsed => &mut statuses.lapsed,
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

/// Counts a participation beside the lead's. The lead's own part is the commitment, counted as one.
pub(crate) fn count_part(counts: &mut ParticipationsBeside, part: Participation, sign: Sign) {
    let states = match part.role {
        ParticipationRole::Lead => return,
        ParticipationRole::Partner => &mut counts.partner,
        ParticipationRole::Supporter => &mut counts.supporter,
    };
    sign.step(match part.state {
        PartState::Claimed => &mut states.claimed,
        PartState::Confirmed => &mut states.confirmed,
        PartState::Left => &mut states.left,
    });
}

/// The sum of the tallies, which share no commitment.
pub(crate) fn sum(
    tables: &Tables,
    tallies: &[&Tally],
) -> (RecordedCommitments, ActiveCommitments, ApartFromActive) {
    let mut recorded = RecordedCommitments::default();
    let mut active = ActiveCommitments::default();
    let mut apart = ApartFromActive::default();
    let mut by_method: BTreeMap<String, Completions> = BTreeMap::new();
    for tally in tallies {
        recorded.recorded += tally.recorded();
        recorded.statuses.add(&tally.statuses);
        recorded.illustrative += tally.illustrative;
        add_active(&mut active, tally);
        add_closed(&mut apart.closed_commitments, tally);
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

fn add_active(sum: &mut ActiveCommitments, tally: &Tally) {
    sum.total += tally.active();
    sum.by_stage.add(&tally.stages);
    sum.measurable += tally.measurable;
    sum.not_measurable += tally.active().saturating_sub(tally.measurable);
    sum.with_evidence += tally.with_evidence;
    sum.with_undigested_evidence += tally.with_undigested_evidence;
    let evidenced = tally.with_evidence + tally.with_undigested_evidence;
    sum.no_evidence += tally.active().saturating_sub(evidenced);
    sum.evidence_unavailable += tally.marks.evidence_unavailable;
    sum.weakened += tally.weakened;
    sum.contested += tally.marks.contested;
    sum.contest_upheld += tally.marks.contest_upheld;
    sum.validated += tally.marks.validated;
    sum.returned += tally.marks.returned;
    sum.assessed += tally.marks.assessed;
    sum.assessed_below_report += tally.marks.assessed_below_report;
    sum.downgraded += tally.marks.downgraded;
    sum.fulfilled_unassessed += tally.fulfilled_unassessed;
    sum.unconfirmed += tally.unconfirmed;
}

fn add_closed(sum: &mut ClosedCommitments, tally: &Tally) {
    sum.self_declared += tally.self_declared;
    sum.with_undigested_evidence += tally.closed_with_undigested_evidence;
    sum.ground_taken_back += tally.ground_taken_back;
    sum.no_evidence += tally.closed_without_evidence;
    sum.contested += tally.closed_marks.contested;
    sum.contest_upheld += tally.closed_marks.contest_upheld;
    sum.assessed += tally.closed_marks.assessed;
    sum.assessed_below_report += tally.closed_marks.assessed_below_report;
    sum.downgraded += tally.closed_marks.downgraded;
}
