//! Signs tree heads: when there is something new, at most every 100 ms, and less often when reading the end of the log
//! back takes long, as it does after large groups.

use std::time::{Duration, Instant};

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
pub(crate) async fn run(log: Log, mut tree_size: watch::Receiver<u64>) -> Result<(), HeadError> {
    let signed = log.signed_tree_head().map_or(0, |head| head.head().size);
    if signed < log.tree_size() {
        tree_size.mark_changed();
    }
    loop {
        let appender_gone = tree_size.changed().await.is_err();
        let signing = log.clone();
        let started = Instant::now();
        match tokio::task::spawn_blocking(move || signing.sign_head()).await {
            Ok(signed) => {
                let head = signed?;
                tracing::trace!(size = head.head().size, "signed a tree head");
            }
            Err(error) => tracing::error!(%error, "signing a tree head was interrupted"),
        }
        if appender_gone {
            return Ok(());
        }
        tokio::time::sleep(SIGNING_INTERVAL.max(started.elapsed() * SIGNING_SHARE)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::opening_group;
    use ledger_domain::wire::v1::Root;
    use ledger_store::Options;

    #[tokio::test]
    async fn what_nobody_signed_yet_is_signed_at_the_start() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let options = Options {
            segment_bytes: 1 << 20,
            ..Options::new(folder.path(), "test")
        };
        let (log, mut appender, _) = Log::open(options).expect("a log");
        let root = Root {
            partner: "root".parse().expect("an id"),
            party: "ledger".parse().expect("an id"),
        };
        let opening = opening_group(&log, &"test".parse().expect("an id"), root);
        appender.append(&opening).expect("appended");
        assert!(log.signed_tree_head().is_none());

        let (sender, tree_size) = watch::channel(log.tree_size());
        let running = tokio::spawn(run(log.clone(), tree_size));
        let signed = tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                if let Some(head) = log.signed_tree_head() {
                    return head.head().size;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert_eq!(signed.await, Ok(1));
        drop(sender);
        running.await.expect("no panic").expect("signed");
    }
}
