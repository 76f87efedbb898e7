//! The errors that end a node.

use ledger_bus::{ConnectError, IntakeError, ServiceError};
use ledger_domain::ids::IdError;
use ledger_store::{AppendError, HeadError, OpenError};
use thiserror::Error;

use crate::lease::LeaseError;
use crate::publish::publisher::PublisherError;
use crate::query::history::HistoryError;
use crate::runtime::clock::ClockError;
use crate::runtime::ledger_key::ForeignKey;

/// Why a node ended otherwise than by being told to.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The address of the server cannot be used.
    #[error("the node cannot connect")]
    Connect(#[from] ConnectError),
    /// The log cannot be opened.
    #[error("the log cannot be opened")]
    Open(#[from] OpenError),
    /// An id given for a new ledger is not one.
    #[error("the new ledger cannot have this name")]
    Name(#[from] IdError),
    /// The log cannot be written any more.
    #[error("the log cannot be written any more; nothing that was not on disk was acknowledged")]
    Append(#[from] AppendError),
    /// The log cannot be read.
    #[error("the log cannot be read")]
    History(#[from] HistoryError),
    /// The key beside the log is not the one that position 0 names.
    #[error(transparent)]
    Key(#[from] ForeignKey),
    /// The clock is not one to date events with.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The tree head cannot be signed.
    #[error("the tree head cannot be signed")]
    Head(#[from] HeadError),
    /// The event stream contradicts the log.
    #[error(transparent)]
    Publisher(#[from] PublisherError),
    /// Commands cannot be listened for.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// Queries cannot be offered.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Another node takes commands.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// A task or thread of the node panicked, or ended before the node was told to stop.
    #[error("the {part} of the node ended unexpectedly")]
    Ended {
        /// Which one.
        part: &'static str,
    },
}
