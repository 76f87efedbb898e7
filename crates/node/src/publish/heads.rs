//! Signs tree heads: when there is something new, at most every 100 ms, and less often when reading the end of the log
//! back takes long, as it does after large groups.

use std::time::{Duration, Instant};

use ledger_bus::LogThrottle;
use ledger_store::{HeadError, Log};
use tokio::sync::watch;

const SIGNING_INTERVAL: Duration = Duration::from_millis(100);
/// Signing takes at most one part in so many of a core's time.
const SIGNING_SHARE: u32 = 20;

/// Signs until the appender is gone, and once more for what it wrote last. What was recorded before and not signed is signed
/// at once: the event that opens a ledger, or those before a crash, with nothing recorded after them.
///
/// # Errors
/// When the log's end cannot be read back as it was written, or the head cannot be kept: the node stops.
pub(crate) async fn run(log: Log, tree_size: watch::Receiver<u64>) -> Result<(), HeadError> {
    run_with(log, tree_size, SIGNING_INTERVAL).await
}

/// The same with at least this pause between two heads.
async fn run_with(
    log: Log,
    mut tree_size: watch::Receiver<u64>,
    interval: Duration,
) -> Result<(), HeadError> {
    let mut full = LogThrottle::default();
    let signed = log.signed_tree_head().map_or(0, |head| head.head().size);
    if signed < log.tree_size() {
        tree_size.mark_changed();
    }
    loop {
        let appender_gone = tree_size.changed().await.is_err();
        let signing = log.clone();
        let started = Instant::now();
        match tokio::task::spawn_blocking(move || signing.sign_head()).await {
            Ok(Ok(head)) => tracing::trace!(size = head.head().size, "signed a tree head"),
            Ok(Err(error)) if error.is_for_want_of_room() => {
                if full.should_log(&error, Instant::now()) {
                    tracing::warn!(%error, "no tree head is signed until there is room on the log's disk");
                }
                tree_size.mark_changed();
            }
            Ok(Err(error)) => return Err(error),
            Err(error) => tracing::error!(%error, "signing a tree head was interrupted"),
        }
        if appender_gone {
            return Ok(());
        }
        let pause = tokio::time::sleep(interval.max(started.elapsed() * SIGNING_SHARE));
        // On a receiver of its own: what is recorded during the pause stays to be signed after it.
        let mut end = tree_size.clone();
        tokio::select! {
            () = pause => {}
            _ = end.wait_for(|_| false) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::node::opening_group;
    use crate::test_log::{TestLog, commitment, root};

    fn opened() -> TestLog {
        let mut test = TestLog::new();
        let opening = opening_group(&test.log, &"test".parse().expect("an id"), root());
        test.append(&opening);
        test
    }

    async fn signed_size(log: &Log) -> u64 {
        let signed = tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                if let Some(head) = log.signed_tree_head() {
                    return head.head().size;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        signed.await.expect("a head in time")
    }

    #[tokio::test]
    async fn what_nobody_signed_yet_is_signed_at_the_start() {
        let test = opened();
        assert!(test.log.signed_tree_head().is_none());
        let (sender, tree_size) = watch::channel(test.log.tree_size());
        let running = tokio::spawn(run(test.log.clone(), tree_size));
        assert_eq!(signed_size(&test.log).await, 1);
        drop(sender);
        running.await.expect("no panic").expect("signed");
    }

    #[tokio::test]
    async fn what_was_recorded_last_is_signed_at_the_end_however_long_the_pause() {
        let mut test = opened();
        let (sender, tree_size) = watch::channel(test.log.tree_size());
        let pausing = run_with(test.log.clone(), tree_size, Duration::from_hours(1));
        let running = tokio::spawn(pausing);
        assert_eq!(signed_size(&test.log).await, 1);
        test.append_events(&[(commitment(1), "|")]);
        sender.send_replace(test.log.tree_size());
        drop(sender);
        let ended = tokio::time::timeout(Duration::from_secs(30), running);
        let ended = ended.await.expect("it does not sleep on");
        ended.expect("no panic").expect("signed");
        assert_eq!(signed_size(&test.log).await, 2);
    }
}
