//! The scrutiny of a commitment by others: contests of its reports, independent assessments, evidence that is gone, and its successor.
//! Hardly any commitment has these, so they are in a box of their own.

use super::assessments::Assessments;
use super::codec::{RowReader, RowWriter};
use super::contests::Contests;
use super::evidence::EvidenceWords;
use super::index::PartyIndex;
use super::shared::SharedTables;
use crate::ids::CommitmentId;
use crate::view::error::RestoreError;
use crate::wire::v1::Period;

/// The words of others on a commitment, and its successor.
#[derive(Debug, Default, Clone)]
pub(crate) struct Scrutiny {
    pub(crate) contests: Contests,
    pub(crate) assessments: Assessments,
    pub(crate) evidence: EvidenceWords,
    pub(crate) successor: Option<CommitmentId>,
}

impl Scrutiny {
    /// A report was corrected by the event at a position.
    pub(crate) fn report_corrected(&mut self, report: u64, correction: u64) {
        self.contests.report_corrected(report, correction);
        self.evidence.report_corrected(report, correction);
    }

    pub(crate) fn report_retracted(&mut self, report: u64, reporter: PartyIndex, period: Period) {
        self.contests.report_retracted(report, reporter, period);
        self.evidence.report_gone(report);
    }

    pub(crate) fn parties(&self) -> impl Iterator<Item = PartyIndex> {
        self.assessments.assessors().chain(self.contests.parties())
    }

    pub(crate) fn encode(&self, shared: &SharedTables, row: &mut RowWriter) {
        self.contests.encode(row);
        self.assessments.encode(shared, row);
        self.evidence.encode(row);
        row.u8(u8::from(self.successor.is_some()));
        if let Some(successor) = self.successor {
            row.array(successor.0.as_bytes());
        }
    }

    pub(crate) fn decode(
        row: &mut RowReader<'_>,
        shared: &mut SharedTables,
    ) -> Result<Self, RestoreError> {
        let mut scrutiny = Self {
            contests: Contests::decode(row)?,
            assessments: Assessments::decode(row, shared)?,
            evidence: EvidenceWords::decode(row)?,
            successor: None,
        };
        if row.u8()? == 1 {
            scrutiny.successor = Some(CommitmentId(uuid::Uuid::from_bytes(row.array()?)));
        }
        Ok(scrutiny)
    }
}
