//! Support for the system tests: real servers, real processes, and conditions that are awaited instead of slept for.
//!
//! Everything a test starts ends with the value that stands for it; when a test fails, the processes' last words are
//! printed. No port is fixed, and every folder is temporary.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expected and stops"
)]

pub mod commands;
mod data;
mod disk;
mod examples;
mod http;
mod log;
mod nats;
mod process;
mod system;
mod terminal;
mod up;
mod wait;
mod writers;

pub use data::test_data;
pub use disk::{DiskFault, FaultyDisk};
pub use examples::illustrative_commitments;
pub use http::{Response, get};
pub use log::{Recorded, assert_receipt_holds};
pub use nats::TestNats;
pub use process::{Finished, Process, ledger, ledger_binary, run};
pub use system::{System, VIEWS, batch, batch_of, family, receipts};
pub use terminal::run_on_terminal;
pub use up::Up;
pub use wait::{await_that, eventually, free_port};
pub use writers::{Acknowledged, Writers};
