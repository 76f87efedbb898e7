//! The whole system, as processes of their own over a real nats-server.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expected and stops"
)]

mod earlier;
mod known;
mod up;
