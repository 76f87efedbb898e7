//! What a partner or an auditor links: submit commands and get receipts, replay the log, verify it.
//!
//! Everything goes over NATS; nothing here opens the ledger's store. A partner needs [`Submitter`] (one submission, one
//! reply, repeated until it has one) or [`submit_in_order`] (a stream of commands, a receipt for each). An auditor needs
//! [`Replay`] (stored blocks as they are on the disk), [`CheckedReplay`] (the same, every leaf checked on all cores), and
//! [`audit`] (the tree and every view computed again).

pub mod audit;
mod command_reader;
mod connection;
mod decode;
mod lines;
mod replay;
mod submit;

pub use command_reader::{other_encoding, read_commands};
pub use connection::{Connection, Served, is_not_found, is_unreachable};
pub use decode::{
    CheckError, CheckedChunk, CheckedReplay, Decoding, check_chunk, decode_event, visit_events,
};
pub use lines::{Line, LineOutcome, LinesError, submit_in_order};
pub use replay::{Replay, ReplayChunk, ReplayError, ReplayRange};
pub use submit::{Reply, SubmitError, SubmitOptions, Submitter};
