//! The appender: makes decided groups durable, then lets their receipts go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ledger_bus::LogThrottle;
use ledger_domain::{Rejection, RejectionCode};
use ledger_store::{AppendError, Appender};
use tokio::sync::watch;
use tracing::{error, warn};

use crate::pending::{AppenderEnd, Pending};
use crate::recent::RecentEvents;
use crate::replies::ReplySender;
use crate::telemetry::{Telemetry, gauge_value};
use crate::writer::{not_recorded, refuse_all};

/// The appender's own thread runs this.
pub(crate) struct AppendLoop {
    pub(crate) appender: Appender,
    pub(crate) pending: Arc<Pending>,
    pub(crate) replies: ReplySender,
    /// Where what was written waits for the publisher.
    pub(crate) recent: Arc<RecentEvents>,
    /// Events on disk, for whoever tails the log.
    pub(crate) tree_size: watch::Sender<u64>,
    pub(crate) telemetry: Telemetry,
    /// Bytes that must be free for the next group, while one was refused for want of them; 0 else.
    pub(crate) space_lacked: Arc<AtomicU64>,
}

impl AppendLoop {
    /// Appends until the writer has ended and all it decided is on disk.
    ///
    /// # Errors
    /// When a write or sync failed: what it held is not acknowledged, and nothing is written after it.
    pub(crate) fn run(mut self) -> Result<(), AppendError> {
        let _end = AppenderEnd(Arc::clone(&self.pending));
        let mut refusing = LogThrottle::default();
        while let Some(decided) = self.pending.take() {
            let started = Instant::now();
            if decided.group.records.is_empty() {
                // Everything these replies rest on is on disk: it was in the groups before.
                self.replies.send_all(decided.replies);
                continue;
            }
            self.recent.wait_for_room();
            let count = u32::try_from(decided.group.records.len()).unwrap_or(u32::MAX);
            match self.appender.append(&decided.group) {
                Ok(appended) => {
                    self.space_lacked.store(0, Ordering::Relaxed);
                    if let Some(groups) = refusing.is_over() {
                        warn!(groups, "there is room again: commands are taken");
                    }
                    self.recent
                        .keep(appended.tree_size - u64::from(count), decided.group.records);
                    self.tree_size.send_replace(appended.tree_size);
                    self.telemetry
                        .tree_size
                        .set(gauge_value(appended.tree_size));
                    self.telemetry
                        .group_seconds
                        .observe(started.elapsed().as_secs_f64());
                    self.telemetry.group_events.observe(f64::from(count));
                    self.replies.send_all(decided.replies);
                }
                Err(AppendError::NoSpace { free, floor }) => {
                    self.space_lacked.store(floor, Ordering::Relaxed);
                    if refusing.should_log(&"no space", Instant::now()) {
                        let groups = refusing.attempts();
                        warn!(
                            free,
                            needed = floor,
                            groups,
                            "commands are refused until there is room on the log's disk"
                        );
                    }
                    let mut replies = decided.replies;
                    replies.extend(self.pending.void());
                    self.replies.send_all(refuse_all(replies, not_recorded));
                }
                Err(failure) => {
                    // What was in this group may be on disk or not: nobody can know before the next start, so its
                    // senders get no reply at all. What was waiting behind it was never written.
                    error!(%failure, "the log cannot be written any more: no receipt was given for what it held");
                    self.replies
                        .send_all(refuse_all(self.pending.close_appender(), stopped));
                    return Err(failure);
                }
            }
        }
        Ok(())
    }
}

/// The refusal of a command that waited, or came, when nothing is written any more.
pub(crate) fn stopped() -> Rejection {
    Rejection::new(
        RejectionCode::Unavailable,
        "the ledger cannot write any more and stops; nothing of this was recorded: send the same bytes again when it runs",
    )
}
