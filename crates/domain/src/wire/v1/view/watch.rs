//! The watch lists: commitments that somebody should look at, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::commitment::CommitmentRow;

macro_rules! watch_lists {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// A list of commitments that somebody should look at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum WatchList {
            $($(#[$doc])* $name,)+
        }

        impl WatchList {
            /// Every list, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name in queries and answers.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

watch_lists! {
    /// Past the due date they have now, and not reported as fulfilled, or in a report that was returned.
    Overdue = "overdue",
    /// Past the due date they were recorded with, and not reported as fulfilled, or in a report that was returned.
    OverdueOriginal = "overdue_original",
    /// Reported on, but not for more than [`super::STALE_AFTER_DAYS`] days.
    Stale = "stale",
    /// Never reported on by any participant.
    NeverReported = "never_reported",
    /// Closed as fulfilled, or standing and reported as such, and never assessed.
    FulfilledUnassessed = "fulfilled_unassessed",
    /// Somebody's newest assessment says less than the lead does.
    AssessedBelowReport = "assessed_below_report",
    /// Somebody's newest assessment says less than the one before.
    Downgraded = "downgraded",
    /// A standing report is contested and the contest is not resolved.
    Contested = "contested",
    /// Reported on or closed as fulfilled, and nothing names evidence of its participants.
    EvidenceMissing = "evidence_missing",
    /// Evidence could not be found when it was looked for last.
    EvidenceUnavailable = "evidence_unavailable",
    /// A party is named that has not confirmed its part.
    Unconfirmed = "unconfirmed",
    /// Closed as fulfilled, and the report that this rested on was retracted, returned, contested successfully, or corrected so that it says so no more.
    GroundTakenBack = "ground_taken_back",
    /// Superseded, and the commitment that took its place was withdrawn.
    SuccessorWithdrawn = "successor_withdrawn",
}

/// The watch lists on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchAnswer {
    /// The number of commitments of the whole ledger on each list.
    pub commitments_by_list: BTreeMap<WatchList, u64>,
    /// The number of those that are examples, nobody's pledge.
    #[serde(default)]
    pub illustrative_commitments_by_list: BTreeMap<WatchList, u64>,
    /// A page of the list that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<WatchRows>,
}

/// A page of a watch list, in the order in which the commitments were recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRows {
    /// The list.
    pub list: WatchList,
    /// The rows; they may be fewer than asked for while there is a `next`.
    pub rows: Vec<WatchRow>,
    /// The value of `after` to go on; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A commitment on a watch list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRow {
    /// Why it is on the list, in words.
    pub why: String,
    /// The first day it was, where the list is about dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The commitment.
    #[serde(flatten)]
    pub commitment: CommitmentRow,
}
