//! The domain of the implementation ledger: what may be recorded, who may record it, and what follows from it.
//!
//! Everything here is pure: no clock, no randomness, no files, no async. Time and ids arrive as data, so that a decision
//! can be run again by an auditor and gives the same events.
//!
//! - [`wire::v1`] holds the bytes: commands, events, receipts, and what may be asked and is answered:
//!   [`wire::v1::endpoint`] is the list.
//! - [`Reference`] and [`Commitment`] are folds of events: the context of a decision.
//! - [`decide()`] turns a command into events, or into a [`Rejection`] with a stable code.

pub mod commitment;
pub mod compare;
pub mod country;
pub mod date;
pub mod decide;
pub mod ids;
mod intern;
mod language;
mod name;
pub mod personal;
pub mod reference;
pub mod rejection;
pub mod rules;
pub mod view;
pub mod wire;

pub use commitment::Commitment;
pub use date::PartialDate;
pub use decide::{CommitmentLookup, NewEvent, Route, decide, screen};
pub use reference::Reference;
pub use rejection::{Rejection, RejectionCode};
pub use rules::{RulesVersion, UnknownRules};

/// The number of the rules that decide today: [`RulesVersion::CURRENT`].
pub const RULES_VERSION: u32 = RulesVersion::CURRENT.number();
