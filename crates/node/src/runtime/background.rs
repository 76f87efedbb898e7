//! Work that lets receipts go first.
//!
//! On a busy machine the way to a receipt is a chain: commands are decoded, decided, synced, answered, and one core is often idle while
//! the other one works at one link of it. A thread of lower priority uses exactly that time, and yields at once when the chain wants the
//! core. A lower priority is no promise of none: what waits for such work is bounded, and makes the chain wait when it is full.

use rustix::process::{getpriority_process, setpriority_process};

/// How much lower the priority is, as the system counts it: a third of what another thread gets while both want the same core.
const NICENESS: i32 = 5;

/// Lowers the priority of the calling thread, and of the threads it will start.
pub(crate) fn lower_priority() {
    let lowered = getpriority_process(None)
        .and_then(|niceness| setpriority_process(None, niceness.saturating_add(NICENESS).min(19)));
    if let Err(error) = lowered {
        tracing::debug!(%error, "the system did not lower the priority of a thread");
    }
}
