//! Importers: pure functions from someone else's records to commands.
//!
//! An importer asks no clock and draws no random number: ids and times are derived from the records, so that a second
//! import makes the same bytes and adds nothing.

mod themes;
pub mod upr;
