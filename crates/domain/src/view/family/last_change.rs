//! The last change of a view.

use crate::view::error::RestoreError;
use crate::view::read_model::codec::{RowReader, RowWriter};
use crate::view::read_model::event_time::EventTime;

/// When a view last changed. Kept in a row of its own: it is the one thing about a view that the facts do not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LastChange {
    /// The last event that concerned the view.
    pub(crate) change: Option<EventTime>,
    /// The last report on one of its commitments.
    pub(crate) report: Option<EventTime>,
}

impl LastChange {
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut row = RowWriter::new();
        row.moment(self.change);
        row.moment(self.report);
        row.finish()
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Self, RestoreError> {
        let mut row = RowReader::new("stamp", value)?;
        let stamp = Self {
            change: row.moment()?,
            report: row.moment()?,
        };
        row.finish()?;
        Ok(stamp)
    }
}
