//! Being told to stop.

use std::time::{Duration, Instant};

use ledger_node::{Shutdown, shutdown};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// Whoever presses Ctrl-C again after this long means it; what comes sooner is the same wish come twice, as service managers, `timeout` and
/// groups of processes send it.
const MEANT_AFTER: Duration = Duration::from_secs(1);

/// Asks everything to stop at SIGTERM or SIGINT. However often these come, the stop stays an orderly one; only SIGINT ends the process at
/// once, at the second more than a second after the first. What is acknowledged is on disk at any moment.
pub(crate) fn shutdown_on_signals() -> Result<Shutdown, Failure> {
    let (trigger, shutdown) = shutdown();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        let mut interrupts = Interrupts::default();
        loop {
            let is_end = tokio::select! {
                Some(()) = terminate.recv() => false,
                Some(()) = interrupt.recv() => interrupts.is_end(Instant::now()),
                else => return,
            };
            trigger.trigger();
            if is_end {
                tracing::warn!("interrupted again: ending at once");
                std::process::exit(1);
            }
        }
    });
    Ok(shutdown)
}

/// SIGTERM, SIGINT and SIGHUP, for a command that has something to tidy up before it ends: none of them ends the process any more.
pub(crate) struct EndSignals([Signal; 3]);

impl EndSignals {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self, Failure> {
        Ok(Self([
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    /// Waits for one of them.
    pub(crate) async fn received(mut self) {
        let [terminate, interrupt, hangup] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// The interrupts so far.
#[derive(Default)]
struct Interrupts {
    first: Option<Instant>,
}

impl Interrupts {
    /// Returns true when the interrupt at this moment ends the process at once.
    fn is_end(&mut self, now: Instant) -> bool {
        let first = *self.first.get_or_insert(now);
        now.saturating_duration_since(first) > MEANT_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_interrupt_that_comes_later_than_the_first_ends_at_once() {
        let start = Instant::now();
        let mut interrupts = Interrupts::default();
        for (after_ms, is_end) in [(0, false), (1, false), (999, false), (1_001, true)] {
            let now = start + Duration::from_millis(after_ms);
            assert_eq!(interrupts.is_end(now), is_end, "{after_ms} ms");
        }
    }
}
