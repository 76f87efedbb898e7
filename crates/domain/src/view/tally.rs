//! What every view counts of its commitments.

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::body::Stages;
use super::book::PartyIndex;
use super::facts::Facts;
use super::fold::Sign;

/// Counts of commitments. Those after `illustrative` leave out the withdrawn ones.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) recorded: u64,
    withdrawn: u64,
    illustrative: u64,
    pub(crate) stages: Stages,
    measurable: u64,
    with_evidence: u64,
    weakened: u64,
    /// Parties by the active commitments they lead.
    pub(crate) leading: FxHashMap<PartyIndex, u64>,
}

/// Commitments ever recorded. Unit: commitments.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RecordedBody {
    recorded: u64,
    active: u64,
    withdrawn: u64,
    illustrative: u64,
}

/// Commitments that are not withdrawn. Unit: commitments.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ActiveBody {
    by_stage: Stages,
    measurable: u64,
    not_measurable: u64,
    with_evidence: u64,
    weakened: u64,
}

impl Tally {
    pub(crate) fn count(&mut self, facts: &Facts, sign: Sign) {
        sign.step(&mut self.recorded);
        sign.step_if(facts.is_illustrative(), &mut self.illustrative);
        if !facts.is_active() {
            sign.step(&mut self.withdrawn);
            return;
        }
        self.stages.count(facts.stage, sign);
        sign.step_if(facts.is_measurable(), &mut self.measurable);
        sign.step_if(facts.has_evidence(), &mut self.with_evidence);
        sign.step_if(facts.is_weakened(), &mut self.weakened);
        sign.step_in(&mut self.leading, facts.lead);
    }

    /// The commitments that are not withdrawn.
    pub(crate) fn active(&self) -> u64 {
        self.stages.total()
    }
}

/// The sum of tallies that share no commitment.
pub(crate) fn sum(tallies: &[&Tally]) -> (RecordedBody, ActiveBody) {
    let mut recorded = RecordedBody::default();
    let mut active = ActiveBody::default();
    for tally in tallies {
        recorded.recorded += tally.recorded;
        recorded.active += tally.active();
        recorded.withdrawn += tally.withdrawn;
        recorded.illustrative += tally.illustrative;
        active.by_stage = active.by_stage.plus(tally.stages);
        active.measurable += tally.measurable;
        active.not_measurable += tally.active().saturating_sub(tally.measurable);
        active.with_evidence += tally.with_evidence;
        active.weakened += tally.weakened;
    }
    (recorded, active)
}
