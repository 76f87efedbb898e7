//! The command line against a whole system: what it prints, what it says, and how it ends.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expected and stops"
)]

mod access;
mod bench;
mod careless;
mod import;
mod known;
mod operate;
mod operations;
mod read;
mod submit;
mod whole;

use ledger_tests::{Finished, Up};
use serde_json::Value;

/// The JSON object on each line.
fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The exit code, given that the command ended by itself.
fn code(finished: &Finished) -> i32 {
    finished.status.code().unwrap()
}

/// Lets an auditor check everything.
fn audited(up: &Up) -> Value {
    let verified = up.cli(["audit", "verify", "--json"], b"").succeeded();
    serde_json::from_str(&verified).unwrap()
}
