//! Signs tree heads: when there is something new, at most every 100 ms.

use std::time::Duration;

use ledger_store::{HeadError, Log};
use tokio::sync::watch;

const SIGNING_INTERVAL: Duration = Duration::from_millis(100);

/// Signs until the appender is gone, and once more for what it wrote last.
///
/// # Errors
/// When the log's end cannot be read back as it was written, or the head cannot be kept: the node stops.
pub(crate) async fn run(log: Log, mut tree_size: watch::Receiver<u64>) -> Result<(), HeadError> {
    loop {
        let appender_gone = tree_size.changed().await.is_err();
        let signing = log.clone();
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
        tokio::time::sleep(SIGNING_INTERVAL).await;
    }
}
