//! Whether what is handed to `JetStream` is taken: nats-server can stop taking anything until it is started again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures of writes to `JetStream` since the last that was taken; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Transport(Arc<Mutex<Option<Failing>>>);

#[derive(Clone, Copy, Debug)]
struct Failing {
    since: Instant,
    failures: u32,
}

/// What the server says of a bound that somebody set on a stream: no failure of the server.
const BOUNDS: [&str; 2] = ["maximum bytes exceeded", "maximum messages exceeded"];

impl Transport {
    /// Notes a write that was not taken, with the server's or client's words.
    pub fn note_failure(&self, what: &str) {
        if BOUNDS.iter().any(|bound| what.contains(bound)) {
            return;
        }
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failing = failing.get_or_insert_with(|| Failing {
            since: Instant::now(),
            failures: 0,
        });
        failing.failures = failing.failures.saturating_add(1);
    }

    /// Notes a write that was taken.
    pub fn note_success(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How often in a row writes were not taken, and for how long; nothing when the last one was.
    pub fn failing(&self) -> Option<(u32, Duration)> {
        let failing = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failing.map(|failing| (failing.failures, failing.since.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_until_a_write_is_taken_and_bounds_of_streams_are_none() {
        let transport = Transport::default();
        transport.note_failure("maximum bytes exceeded");
        assert!(transport.failing().is_none());
        let other = transport.clone();
        other.note_failure("no responders");
        other.note_failure("insufficient storage resources available");
        assert_eq!(transport.failing().map(|(failures, _)| failures), Some(2));
        transport.note_success();
        assert!(other.failing().is_none());
    }
}
