//! The node crate.

pub mod nats_server;
