//! A commitment as every list shows it.

use crate::date::PartialDate;
use crate::view::read_model::assessments::NewestAssessment;
use crate::view::read_model::event_time::Second;
use crate::view::read_model::facts::{CommitmentFacts, Flags, PartState};
use crate::view::read_model::scrutiny::Scrutiny;
use crate::view::read_model::tables::Tables;
use crate::wire::v1::view::{AssessmentRow, CommitmentRow, MilestoneRow, ParticipationRole};

impl CommitmentFacts {
    /// The commitment as a list shows it.
    pub(crate) fn row(
        &self,
        tables: &Tables,
        role: Option<(ParticipationRole, PartState)>,
    ) -> CommitmentRow {
        let text = |date: Option<PartialDate>| date.map(|date| date.to_string());
        let is_in = |state| role.is_some_and(|(_, other)| other == state);
        let scrutiny = self.scrutiny();
        let (assessments, assessments_left_out) =
            scrutiny.map_or_else(Default::default, |it| assessments(tables, it));
        CommitmentRow {
            commitment: self.id.to_string(),
            title: tables.titles.get(self.title).to_owned(),
            lead: tables.party_text(self.lead),
            role: role.map(|(role, _)| role),
            claimed: is_in(PartState::Claimed),
            left: is_in(PartState::Left),
            actions: self
                .actions()
                .iter()
                .map(|&action| tables.action_text(action))
                .collect(),
            status: self.status.as_str().to_owned(),
            successor: scrutiny
                .and_then(|scrutiny| scrutiny.successor)
                .map(|successor| successor.to_string()),
            successor_withdrawn: self.flags.has(Flags::SUCCESSOR_WITHDRAWN),
            stage: self.stage_text().to_owned(),
            measurable: self.is_measurable(),
            evidence: self.has_evidence(),
            evidence_undigested: self.has_undigested_evidence_only(),
            evidence_unavailable: self.flags.has(Flags::EVIDENCE_UNAVAILABLE),
            weakened: self.is_weakened(),
            contested: self.flags.has(Flags::CONTESTED),
            contest_upheld: self.flags.has(Flags::CONTEST_UPHELD),
            validated: self.flags.has(Flags::VALIDATED),
            returned: self.flags.has(Flags::RETURNED),
            self_declared: self.is_self_declared(),
            ground_taken_back: self.flags.has(Flags::GROUND_TAKEN_BACK),
            assessed_below_report: self.flags.has(Flags::ASSESSED_BELOW_REPORT),
            downgraded: self.flags.has(Flags::DOWNGRADED),
            assessments,
            assessments_left_out,
            milestones: Some(self.milestones()).filter(|it| *it != MilestoneRow::default()),
            illustrative: self.is_illustrative(),
            made: text(self.made),
            due: text(self.due),
            original_due: text(self.original_due.filter(|_| self.original_due != self.due)),
            last_report: self.last_report.map(Second::text),
            reported_until: self.reported_until.map(|until| until.to_string()),
            recorded: self.recorded.text(),
            position: self.recorded_position.to_string(),
            changed: self.changed_position.to_string(),
        }
    }
}

/// The newest assessments, the newest first, and how many of them had no room.
fn assessments(tables: &Tables, scrutiny: &Scrutiny) -> (Vec<AssessmentRow>, usize) {
    let (newest, left_out) = scrutiny.assessments.newest();
    let row = |it: NewestAssessment<'_>| {
        let (method, version) = tables.shared.method(it.method);
        AssessmentRow {
            kind: it.kind.as_str().to_owned(),
            assessor: tables.party_text(it.assessor),
            method: method.to_owned(),
            method_version: version.to_owned(),
            completion: it.completion.map(|it| it.as_str().to_owned()),
            grade: it.grade.map(str::to_owned),
            grades: it.grades.to_vec(),
            assessed: it.assessed.map(|date| date.to_string()),
            position: it.position.to_string(),
        }
    };
    (newest.into_iter().map(row).collect(), left_out)
}
