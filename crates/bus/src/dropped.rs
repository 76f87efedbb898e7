//! Logs that subscriptions drop messages, without a line for each of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::warn;

use crate::throttle::LogThrottle;

/// After so long without another it is over.
const OVER_AFTER: Duration = Duration::from_secs(10);

/// The messages that the subscriptions of a connection dropped because they were full, since that began. While it goes on there is a task that
/// says so now and then, and in the end that it is over.
#[derive(Debug, Default)]
pub(crate) struct Dropped {
    count: AtomicU64,
    throttle: Mutex<LogThrottle>,
}

impl Dropped {
    /// Notes one more message.
    pub(crate) fn note(self: &Arc<Self>, connection: &str) {
        if self.count.fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        self.log(connection, 1);
        let (dropped, connection) = (Arc::clone(self), connection.to_owned());
        tokio::spawn(async move { dropped.follow(&connection).await });
    }

    fn log(&self, connection: &str, dropped: u64) {
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        if throttle.should_log(&"full", Instant::now()) {
            warn!(
                connection,
                dropped, "a subscription is full and drops messages"
            );
        }
    }

    /// Says what becomes of it, until nothing is dropped any more. The count is what the client told of: it may leave some out.
    async fn follow(&self, connection: &str) {
        let mut seen = 1;
        loop {
            tokio::time::sleep(OVER_AFTER).await;
            let dropped = self.count.load(Ordering::Relaxed);
            if dropped > seen {
                self.log(connection, dropped);
                seen = dropped;
            } else if self.end(dropped) {
                let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
                if throttle.is_over().is_some() {
                    warn!(
                        connection,
                        dropped, "the subscriptions drop no more messages"
                    );
                }
                return;
            }
        }
    }

    /// Begins at nothing again, unless another was dropped meanwhile.
    fn end(&self, dropped: u64) -> bool {
        let ended = self
            .count
            .compare_exchange(dropped, 0, Ordering::Relaxed, Ordering::Relaxed);
        ended.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_begins_with_the_first_and_ends_only_if_none_came_meanwhile() {
        let dropped = Arc::new(Dropped::default());
        dropped.note("test");
        dropped.note("test");
        assert!(!dropped.end(1));
        assert!(dropped.end(2));
        assert_eq!(dropped.count.load(Ordering::Relaxed), 0);
    }
}
