//! The standing of commitments against their dates.

use serde::{Deserialize, Serialize};

/// An active, unfulfilled commitment is stale when the latest period that any participant reported on ended more than this many days ago.
/// The period counts, not the day its report was recorded: old reports that are imported late say nothing of today.
pub const STALE_AFTER_DAYS: i64 = 365;

/// The standing of a view's commitments against their dates on one day. Units are commitments. Only
/// active and suspended ones are counted. Those reported as fulfilled are neither overdue nor
/// stale, unless that report was returned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeliness {
    /// Past the due date they were recorded with, however it was amended since.
    pub overdue_original: u64,
    /// Past the due date they have now.
    pub overdue_amended: u64,
    /// Reported on, but on no period that ended within the last [`STALE_AFTER_DAYS`] days.
    pub stale: u64,
    /// Without a standing report of any participant: never reported on, or every report retracted.
    pub never_reported: u64,
}
