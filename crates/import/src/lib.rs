//! Importers and seeds: pure functions from someone else's records, or our own files, to commands.
//!
//! An importer asks no clock and draws no random number: ids and times are derived from the records, so that a second
//! import makes the same bytes and adds nothing. What is the same for every source is here: reading lines
//! ([`LineError`]), commands with derived ids, and texts that the ledger takes ([`Edits`]).

mod members;
pub mod ogp;
mod outbox;
mod records;
pub mod seeds;
mod sender;
mod texts;
mod themes;
pub mod upr;

pub use records::{LineError, LineFault};
pub use texts::Edits;
