//! The proof crate.

pub mod block;
