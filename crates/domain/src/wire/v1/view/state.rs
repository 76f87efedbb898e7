//! The state of one commitment.

use serde::{Deserialize, Serialize};

use super::commitment::{CommitmentRow, ParticipationRole, is_zero};
use super::watch::WatchList;
use crate::wire::v1::{Amount, Source};

/// The state of one commitment after some of its events, on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitmentState {
    /// The commitment as every list shows it.
    #[serde(flatten)]
    pub commitment: CommitmentRow,
    /// The form in which it is held: `individual`, `common`, `partnership` or `matching`.
    pub form: String,
    /// The nature of the commitment, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nature: Option<String>,
    /// Its text, as amended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The language of its texts, as amended: a tag of BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where it is to be carried out, as amended: ISO alpha-3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// Where it was published first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The participants beside the lead, present and former, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participations: Vec<ParticipationRow>,
    /// The position of the report that its stage comes from: the lead's own word on the latest period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage_from: Option<String>,
    /// The days from the end of its first due date to the end of the period of one report. In that
    /// report its lead first called it fulfilled, and stayed with that. The number is absent where
    /// it was in time, was not reported as fulfilled, or was in a report that was returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_fulfilled_days_after_first_due: Option<u64>,
    /// The measure of the commitment, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<MeasureRow>,
    /// The reports that stand, in their order: neither retracted nor replaced by a correction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<ReportRow>,
    /// All evidence that was ever named, in the order in which it was, as far as it has room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence_pieces: Vec<EvidenceRow>,
    /// The number of pieces that had no room: the commitment's history has them all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub evidence_pieces_left_out: usize,
    /// The contests that are not resolved, of reports that stand or were retracted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contests: Vec<ContestRow>,
    /// The marks of its state, a word each, such as `not_measurable`, `overdue` or `contested`.
    pub flags: Vec<String>,
    /// The watch lists it is on that day, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watch: Vec<WatchedRow>,
}

/// A party's part in a commitment that it does not lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipationRow {
    /// The party.
    pub party: String,
    /// Its part.
    pub role: ParticipationRole,
    /// `claimed` as long as only the lead says so, `confirmed`, or `left`.
    pub state: String,
}

/// A report that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a row on the wire, each bool one thing that people ask of a report"
)]
pub struct ReportRow {
    /// The position of the event that made it, or that corrected it last.
    pub position: String,
    /// When that was recorded, to the second.
    pub recorded: String,
    /// The party that reported.
    pub party: String,
    /// The party leads the commitment.
    pub by_lead: bool,
    /// The end of the period it is about, as precisely as that is known.
    pub until: String,
    /// The stage it reports.
    pub stage: String,
    /// The report names evidence.
    pub evidence: bool,
    /// Such evidence exists, and none of it has a digest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub evidence_undigested: bool,
    /// The report was found in order, and that is the last word on it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub validated: bool,
    /// The report was given back to its reporter, and that is the last word on it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returned: bool,
    /// A contest of the report was upheld.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contest_upheld: bool,
}

/// A contest that is not resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContestRow {
    /// The party that contests.
    pub party: String,
    /// The position of the report that is contested, as it was corrected last.
    pub report: String,
    /// The report was retracted. The contest then is about the next one of its reporter over its
    /// period.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retracted: bool,
}

/// A watch list that the commitment is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedRow {
    /// The list.
    pub list: WatchList,
    /// Why it is on the list, in words.
    pub why: String,
    /// The first day it was, where the list is about dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// A piece of evidence as it stands: named by a report that stands or not, by a milestone, a contest, an assessment or of the commitment itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRow {
    /// Where it was named first: `<position>.<index>`. A piece that came without a digest is named by this.
    pub evidence: String,
    /// Its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The piece has no digest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undigested: bool,
    /// Where it is, as was said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The title that was given last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The party that named it first.
    pub party: String,
    /// The position of the report that it was named by or added to first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// The piece could not be found when it was looked for last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unavailable: bool,
}

/// The measure of a commitment. A value that an amendment changed stands beside the first one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureRow {
    /// The thing that is counted.
    pub indicator: String,
    /// In which unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Where it stood when the commitment was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Amount>,
    /// Where it is to stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Amount>,
    /// The first indicator, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_indicator: Option<String>,
    /// The first unit, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_unit: Option<String>,
    /// The first baseline, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_baseline: Option<Amount>,
    /// The first target, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_target: Option<Amount>,
    /// The newest value of the indicator in a report that stands: the lead's, or another participant's where the lead gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<ValueRow>,
}

/// A value that was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueRow {
    /// The value.
    pub value: Amount,
    /// The unit that the report gives it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The party that reported it.
    pub party: String,
    /// The beginning of the period it is about, as precisely as that is known.
    pub from: String,
    /// The end of it.
    pub until: String,
    /// The position of the report, as it was corrected last.
    pub report: String,
}
