//! Signs tree heads: when there is something new, at most every 100 ms, and less often when reading the end of the log
//! back takes long, as it does after large groups.

use std::time::{Duration, Instant};

use ledger_store::{HeadError, Log};
use tokio::sync::watch;

const SIGNING_INTERVAL: Duration = Duration::from_millis(100);
/// Signing takes at most one part in so many of a core's time.
const SIGNING_SHARE: u32 = 20;

/// Signs until the appender is gone, and once more for what it wrote last.
///
/// # Errors
/// When the log's end cannot be read back as it was written, or the head cannot be kept: the node stops.
pub(crate) async fn run(log: Log, mut tree_size: watch::Receiver<u64>) -> Result<(), HeadError> {
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
