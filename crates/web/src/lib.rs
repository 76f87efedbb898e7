//! The web crate.
