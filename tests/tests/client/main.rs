//! What the client library does with a ledger that is honest, busy, away or lying.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expected and stops"
)]

mod audit;
mod import;
mod leaves;
mod paper_ledger;
mod submit;
