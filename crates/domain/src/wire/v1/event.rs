//! Events: what was recorded.

use super::event_body::EventBody;
use super::header::EventHeader;

/// One event: its header, which is the leaf of the tree, and its data.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What the tree holds.
    pub header: EventHeader,
    /// What was recorded.
    pub body: EventBody,
}
