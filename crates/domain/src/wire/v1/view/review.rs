//! The view of one review cycle.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::counts::RecordedAt;
use super::kind::ViewKind;
use crate::date::PartialDate;

/// The body of `review.<id>`: when a review was held and who spoke in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewBody {
    /// [`ViewKind::Review`].
    pub view: ViewKind,
    /// The review's id.
    pub review: String,
    /// The position of the last event about it.
    pub position: Option<String>,
    /// When that was recorded.
    pub recorded: Option<String>,
    /// The review's status: it goes on, or is closed.
    pub status: ReviewStatus,
    /// The instrument under review, if it is one.
    pub instrument: Option<String>,
    /// The first day of the period under review.
    pub from: Option<PartialDate>,
    /// The last day of it.
    pub to: Option<PartialDate>,
    /// The event that opened it.
    pub opened: Option<RecordedAt>,
    /// The event that closed it.
    pub closed: Option<RecordedAt>,
    /// The statements made in it.
    pub statements: ReviewStatements,
    /// The parties that spoke in it.
    pub parties: ReviewParties,
    /// Statements by the id of the party that made them.
    pub statements_by_party: BTreeMap<String, u64>,
    /// The number of parties that had no room in that table.
    pub parties_left_out: usize,
}

/// The status of a review: it goes on, or is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewStatus {
    /// It goes on.
    Open,
    /// It is closed.
    Closed,
}

impl ReviewStatus {
    /// The word in the body.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Statements of a review. Unit: statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReviewStatements {
    /// All of them.
    pub recorded: u64,
}

/// Parties of a review. Unit: parties.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReviewParties {
    /// Those that made a statement.
    pub spoke: usize,
}
