//! The long-running tasks of a node and a projector.
//!
//! - [`run_node`] owns the log: intake → writer → appender, with the publisher, the head signer and the query service
//!   tailing it.
//! - [`run_projector`] folds the log into views of its own.
//!
//! Each task has one owner of its state; others hold a handle or a bounded queue. This crate does *not* decide (the
//! domain does), hash (the proof crate does), or know files (the store does).

mod error;
mod lease;
mod projector;
mod publish;
mod query;
mod runtime;
#[cfg(test)]
mod test_log;
mod write;

pub use error::NodeError;
pub use lease::{Holder, LeaseError, LeaseStanding};
pub use ledger_store::FREE_FLOOR_BYTES;
pub use projector::{ProjectorError, ProjectorOptions, run_projector};
pub use publish::publisher::PublisherError;
pub use query::history::HistoryError;
pub use query::scrub::{ScrubError, scrub_directory};
pub use runtime::clock::{ClockError, SystemClock, TimeSource};
pub use runtime::node::run_node;
pub use runtime::open_files::raise_open_files;
pub use runtime::options::{LEASE_SECONDS, NodeOptions};
pub use runtime::shutdown::{Shutdown, ShutdownTrigger, shutdown};
pub use runtime::telemetry::Telemetry;
