//! Why publishing stops, or does not go on.

use ledger_bus::PublishError;
use thiserror::Error;

use crate::query::history::HistoryError;

/// Why publishing ended for good: the node stops.
#[derive(Debug, Error)]
pub enum PublisherError {
    /// The stream holds events that the log does not: the log lost its end, or is another one.
    #[error(
        "the stream LEDGER_EVENTS ends at sequence {last_sequence}, but the log has only {tree_size} events: \
         the log has lost its end or belongs to another ledger; nothing was changed. If an older backup was put back on \
         purpose, go on as the manual says under `Restoring an older backup`"
    )]
    StreamAhead {
        /// Sequence of the stream's newest event.
        last_sequence: u64,
        /// Events in the log.
        tree_size: u64,
    },
    /// The stream holds another event than the log at the same position.
    #[error(
        "the stream LEDGER_EVENTS has another event than the log at position {position}: \
         it belongs to another ledger, or to a copy of this one that went on without it; nothing was changed"
    )]
    StreamForeign {
        /// Position at which they differ.
        position: u64,
    },
    /// The log cannot be read.
    #[error("the log cannot be read for publishing")]
    Read(#[source] HistoryError),
}

/// Why publishing does not go on.
pub(crate) enum Interruption {
    Stopped(PublisherError),
    Transport(PublishError),
}

impl From<PublishError> for Interruption {
    fn from(error: PublishError) -> Self {
        Self::Transport(error)
    }
}

impl From<HistoryError> for Interruption {
    fn from(error: HistoryError) -> Self {
        Self::Stopped(PublisherError::Read(error))
    }
}

/// Reading the log was cut short.
pub(crate) fn interrupted(error: impl std::fmt::Display) -> Interruption {
    let what = error.to_string();
    PublishError::Unavailable { what }.into()
}
