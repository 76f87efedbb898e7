//! Events as lists show them.

use serde::{Deserialize, Serialize};

/// The events that concerned a view between two positions, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventList {
    /// The number of events in all.
    pub events: usize,
    /// The rows of this page.
    pub rows: Vec<EventRow>,
    /// The value of `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One event as a list of events shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    /// Its position.
    pub position: String,
    /// When the ledger learned it.
    pub recorded: String,
    /// When it was true, as precisely as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<String>,
    /// The event's name.
    pub event: String,
    /// The commitment it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<String>,
    /// The commitment's title as it was known then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The commitment is an example, nobody's pledge; absent where it is none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub illustrative: bool,
    /// The subject of the event, where that is no commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}
