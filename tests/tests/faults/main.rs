//! What the ledger survives, and what it refuses to go on with: the server away, files lost or damaged, a full disk.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test says what it expected and stops"
)]

mod buckets;
mod clock;
mod disk;
mod files;
mod floods;
mod lease;
mod offline;
mod replaced;
mod restored;
mod stop;
mod stream;
mod support;
mod waiting;
