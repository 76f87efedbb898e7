//! Commitments as lists show them.

use serde::{Deserialize, Serialize};

use crate::wire::v1::Grade;

/// One page of a view's commitments, in the order they were recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitmentList {
    /// The number of commitments in the whole list.
    pub commitments: usize,
    /// The rows of this page.
    pub rows: Vec<CommitmentRow>,
    /// The value of `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One commitment as a list shows it. Dates have their own precision; positions are texts, as in every event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a row on the wire, each bool one column that people ask for"
)]
pub struct CommitmentRow {
    /// The commitment's id.
    pub commitment: String,
    /// Its newest title.
    pub title: String,
    /// The party that leads it.
    pub lead: String,
    /// The role of the view's country in it; absent where the view is not a country's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<ParticipationRole>,
    /// The lead alone claimed that role, and the party has not confirmed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub claimed: bool,
    /// The party takes part no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
    /// The codes of the actions it is made under.
    pub actions: Vec<String>,
    /// `active`, `suspended`, `withdrawn`, `superseded`, `lapsed`, or `closed_` and the outcome.
    pub status: String,
    /// The commitment that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
    /// The successor was withdrawn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub successor_withdrawn: bool,
    /// The stage the lead reported last, or `none_reported`.
    pub stage: String,
    /// The commitment has a baseline, a target and a due date.
    pub measurable: bool,
    /// A standing report on it, one of its milestones or the commitment itself names evidence of
    /// its participants.
    pub evidence: bool,
    /// Such evidence exists, and none of it has a digest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub evidence_undigested: bool,
    /// Some of its evidence could not be found when it was looked for last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub evidence_unavailable: bool,
    /// An amendment moved its due date later or its target lower.
    pub weakened: bool,
    /// A standing report on it is contested and the contest is not resolved. Contested is not
    /// false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contested: bool,
    /// A contest of a standing report on it was upheld, and the report is as it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contest_upheld: bool,
    /// The report that its stage comes from was validated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub validated: bool,
    /// The report that its stage comes from was returned to its reporter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returned: bool,
    /// The commitment was closed as fulfilled, and no assessor's newest assessment says that it is
    /// complete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub self_declared: bool,
    /// The commitment was closed as fulfilled, and the report that this rested on holds no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ground_taken_back: bool,
    /// An assessor's newest assessment says less than the lead does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assessed_below_report: bool,
    /// An assessor's newest assessment says less than the one before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub downgraded: bool,
    /// The newest assessment of every assessor, method, version and kind, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assessments: Vec<AssessmentRow>,
    /// The number of those that had no room here: the commitment's history has them all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub assessments_left_out: usize,
    /// Its milestones, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milestones: Option<MilestoneRow>,
    /// The commitment is an example and nobody's real pledge.
    pub illustrative: bool,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
    /// When it is due, as amended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// When it was due first, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_due: Option<String>,
    /// When the last standing report on it was recorded, to the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_report: Option<String>,
    /// The last day of the latest period that a standing report is about, up to the day on which it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_until: Option<String>,
    /// When it was recorded, to the second.
    pub recorded: String,
    /// The position it was recorded at.
    pub position: String,
    /// The position of the last event about it, or of the one that withdrew or reinstated its successor.
    pub changed: String,
}

/// The last word of an independent assessor, in the method's own terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssessmentRow {
    /// `progress` or `ambition`.
    pub kind: String,
    /// The party that assessed.
    pub assessor: String,
    /// Its method.
    pub method: String,
    /// The version of the method.
    pub method_version: String,
    /// The completion in the ledger's words. It is absent where the method does not say it, and
    /// from an assessment of ambition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<String>,
    /// The grade, verbatim, of an assessment of progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<String>,
    /// The grades, verbatim, of an assessment of ambition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grades: Vec<Grade>,
    /// When it was assessed, as precisely as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessed: Option<String>,
    /// The position of the assessment or of its newest revision.
    pub position: String,
}

/// The number of milestones that a commitment names, and the number of those that were reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MilestoneRow {
    /// Those it names.
    pub named: u32,
    /// Those a participant says were reached.
    pub reached: u32,
}

/// A party's part in a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipationRole {
    /// The one party that leads it.
    Lead,
    /// A party that does part of it.
    Partner,
    /// A party that supports it.
    Supporter,
}

impl ParticipationRole {
    /// The word in a row.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Partner => "partner",
            Self::Supporter => "supporter",
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a field over by reference"
)]
pub(super) fn is_zero(count: &usize) -> bool {
    *count == 0
}
