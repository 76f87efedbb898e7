//! The proof crate.
