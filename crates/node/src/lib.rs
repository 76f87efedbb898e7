//! The loops: what a node and a projector do all day.
//!
//! - [`run_node`] owns the log: intake → writer → appender, with the publisher, the head signer and the query service
//!   tailing it.
//! - [`run_projector`] folds the log into views of its own.
//! - [`nats_server`] starts and supervises a nats-server for `compact-ledger up`.
//!
//! Each loop has one owner of its state; others hold a handle or a bounded queue. This crate does *not* decide (the
//! domain does), hash (the proof crate does), or know files (the store does).

mod agreement;
mod appender;
mod as_of;
mod background;
mod cache;
mod clock;
mod error;
mod heads;
mod history;
mod intake;
mod lease;
mod ledger_key;
pub mod nats_server;
mod node;
mod open_files;
mod options;
mod parts;
mod pending;
mod projector;
mod publisher;
mod queries;
mod queue;
mod recent;
mod refusing;
mod replies;
mod runs;
mod scrub;
mod shutdown;
mod state;
mod telemetry;
#[cfg(test)]
mod test_log;
mod writer;

pub use clock::{ClockError, SystemClock, TimeSource};
pub use error::NodeError;
pub use history::HistoryError;
pub use lease::{Holder, LeaseError, LeaseStanding};
pub use ledger_bus::LogThrottle;
pub use ledger_store::FREE_FLOOR_BYTES;
pub use node::run_node;
pub use open_files::raise_open_files;
pub use options::{LEASE_SECONDS, NodeOptions};
pub use projector::{ProjectorError, ProjectorOptions, run_projector};
pub use publisher::PublisherError;
pub use scrub::{ScrubError, scrub_directory};
pub use shutdown::{Shutdown, ShutdownTrigger, shutdown};
pub use telemetry::{Telemetry, Transport};
