//! What the ledger does with commands, good and bad, over a real nats-server and a node in a process of its own.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test says what it expected and stops"
)]

mod busy;
mod cold;
mod life;
mod messages;
mod refusals;
mod repeats;
