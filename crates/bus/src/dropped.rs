//! Saying that messages are dropped, without a line for each of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing::warn;

/// After so long without another it is over, or is said again; then after twice as long each time.
const SAY_AGAIN_AFTER: Duration = Duration::from_secs(10);
const LONGEST_SILENCE: Duration = Duration::from_mins(10);

/// The messages that the subscriptions of a connection dropped because they were full, since that began. While it goes on there is a task that
/// says so now and then, and in the end that it is over.
#[derive(Debug, Default)]
pub(crate) struct Dropped(AtomicU64);

impl Dropped {
    /// Notes one more message.
    pub(crate) fn note(self: &Arc<Self>, connection: &str) {
        if self.0.fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        warn!(connection, "a subscription is full and drops messages");
        let (dropped, connection) = (Arc::clone(self), connection.to_owned());
        tokio::spawn(async move { dropped.follow(&connection).await });
    }

    /// Says what becomes of it, until nothing is dropped any more. The count is what the client told of: it may leave some out.
    async fn follow(&self, connection: &str) {
        let (mut silence, mut said) = (SAY_AGAIN_AFTER, 1);
        loop {
            tokio::time::sleep(silence).await;
            let dropped = self.0.load(Ordering::Relaxed);
            if dropped > said {
                warn!(
                    connection,
                    dropped, "a subscription is full and drops messages still"
                );
                said = dropped;
                silence = LONGEST_SILENCE.min(silence * 2);
            } else if self.end(dropped) {
                warn!(
                    connection,
                    dropped, "the subscriptions drop no more messages"
                );
                return;
            }
        }
    }

    /// Begins at nothing again, unless another was dropped meanwhile.
    fn end(&self, dropped: u64) -> bool {
        let ended = self
            .0
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
        assert_eq!(dropped.0.load(Ordering::Relaxed), 0);
    }
}
