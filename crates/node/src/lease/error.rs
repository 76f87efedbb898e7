//! Why a node does not hold the lease.

use thiserror::Error;

use super::holder::Holder;

/// Why a node takes no commands and ends.
#[derive(Debug, Error)]
pub enum LeaseError {
    /// Another node holds the lease, and renews it.
    #[error(
        "{0}, and renews it: only one node takes commands behind a nats-server, and nothing was changed here; stop that one first, \
         or give this one a nats-server of its own, as for rehearsing an upgrade on a copy"
    )]
    HeldElsewhere(Box<Holder>),
    /// Another node answers queries without a lease.
    #[error(
        "a node of ledger `{ledger}` with {tree_size} events answers behind this nats-server, and only one node takes commands there; \
         stop that one first, or give this one a nats-server of its own, as for rehearsing an upgrade on a copy"
    )]
    Answers {
        /// The ledger's id.
        ledger: String,
        /// Events on that node's disk.
        tree_size: u64,
    },
    /// Another node took the lease over while this one could not renew it.
    #[error(
        "the lease ran out before it was renewed, and another node took over: {0}; no receipt was given since it ran out"
    )]
    TakenOver(Box<Holder>),
    /// This directory lacks what another one recorded and gave receipts for.
    #[error(
        "the node of ledger `{}` on host `{}` (directory {}) gave receipts for a log of {} events, and this directory has only {tree_size} events: \
         it is an older copy. Start that one; if this one is to take its place, see \"Restoring an older backup\" in the manual",
        .other.ledger, .other.host, .other.directory, .other.tree_size
    )]
    OlderCopy {
        /// The node that gave the receipts.
        other: Box<Holder>,
        /// Events in this directory.
        tree_size: u64,
    },
}

/// The lease is not held, and the node stops.
#[derive(Debug)]
pub(crate) struct NotHeld;
