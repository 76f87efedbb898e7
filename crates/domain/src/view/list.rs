//! Pages of a view's commitments.

use serde::{Deserialize, Serialize};

/// The most rows one page may have.
pub const MAX_PAGE_ROWS: usize = 200;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Leave out the commitments recorded at this position or before: the `next` of the page before.
    pub after: Option<u64>,
    /// At most this many rows; at least 1 and at most [`MAX_PAGE_ROWS`] are given.
    pub limit: usize,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            after: None,
            limit: 50,
        }
    }
}

impl Page {
    pub(crate) fn rows(&self) -> usize {
        self.limit.clamp(1, MAX_PAGE_ROWS)
    }
}

/// One page of a view's commitments, in the order they were recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitmentList {
    /// How many commitments the whole list has.
    pub commitments: usize,
    /// The rows of this page.
    pub rows: Vec<CommitmentRow>,
    /// What to ask for as `after` to get the next page; absent on the last one.
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
    /// What the country of the view is in it; absent where the view is not a country's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<ParticipationRole>,
    /// Whether that role was only claimed by the lead and is not confirmed by the party.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub claimed: bool,
    /// The codes of the actions it is made under.
    pub actions: Vec<String>,
    /// `active` or `withdrawn`.
    pub status: String,
    /// The stage the lead reported last, or `none_reported`.
    pub stage: String,
    /// Whether it has a baseline, a target and a due date.
    pub measurable: bool,
    /// Whether a standing report on it names evidence.
    pub evidence: bool,
    /// Whether an amendment moved its due date later or its target lower.
    pub weakened: bool,
    /// Whether it is an example and nobody's real pledge.
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
    /// When the last report on it was recorded, to the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_report: Option<String>,
    /// When it was recorded, to the second.
    pub recorded: String,
    /// The position it was recorded at.
    pub position: String,
    /// The position of the last event about it.
    pub changed: String,
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
