//! The appender: makes decided groups durable, then lets their receipts go.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ledger_bus::LogThrottle;
use ledger_store::{AppendError, Appender};
use tokio::sync::watch;
use tracing::{error, warn};

use crate::lease::Lease;
use crate::publish::recent::RecentEvents;
use crate::query::history::header_at;
use crate::runtime::telemetry::{Telemetry, gauge_value};
use crate::write::pending::{AppenderEnd, Pending, Taken};
use crate::write::refusing::Refusing;
use crate::write::replies::{ReplySender, SubmissionReply, not_recorded, refuse_all, stopped};

/// How often files, disk and clock are looked at, whatever is appended.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

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
    /// Why commands are refused at this moment.
    pub(crate) refusing: Refusing,
    /// Nothing is written without it.
    pub(crate) lease: Lease,
}

impl AppendLoop {
    /// Appends until the writer has ended and all it decided is on disk.
    ///
    /// # Errors
    /// When a write or sync failed: what it held is not acknowledged, and nothing is written after it.
    pub(crate) fn run(mut self) -> Result<(), AppendError> {
        let _end = AppenderEnd(Arc::clone(&self.pending));
        let mut refusing = LogThrottle::default();
        let mut looked: Option<Instant> = None;
        let mut mistrusting = LogThrottle::default();
        loop {
            let taken = self.pending.take_within(LOOK_INTERVAL);
            if looked.is_none_or(|looked| looked.elapsed() >= LOOK_INTERVAL) {
                looked = Some(Instant::now());
                self.look(&mut mistrusting);
                if let Err(failure) = self.appender.check_files() {
                    return Err(self.end(failure, taken.replies()));
                }
            }
            let decided = match taken {
                Taken::Decided(decided) => decided,
                Taken::Nothing => continue,
                Taken::Ended => return Ok(()),
            };
            if self.lease.held_blocking().is_err() {
                // Its senders get no reply, as from a node that is gone: whoever holds the lease answers them.
                drop(self.pending.close_appender());
                return Ok(());
            }
            let started = Instant::now();
            if decided.group.records.is_empty() {
                // A duplicate's receipt rests on what must still be found.
                if let Err(failure) = self.appender.check_files() {
                    return Err(self.end(failure, decided.replies));
                }
                // Everything these replies rest on is on disk: it was in the groups before.
                self.replies.send_all(decided.replies);
                continue;
            }
            self.recent.wait_for_room();
            let count = u32::try_from(decided.group.records.len()).unwrap_or(u32::MAX);
            match self.appender.append(&decided.group) {
                Ok(appended) => {
                    self.refusing.space_lacked.store(0, Ordering::Relaxed);
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
                    self.refusing.space_lacked.store(floor, Ordering::Relaxed);
                    if refusing.should_log(&"no space", Instant::now()) {
                        let groups = refusing.attempts();
                        warn!(
                            groups,
                            "commands are refused until there is room: {}",
                            self.refusing.no_room(free, floor)
                        );
                    }
                    let mut replies = decided.replies;
                    replies.extend(self.pending.void());
                    self.replies.send_all(refuse_all(replies, not_recorded));
                }
                Err(failure) => {
                    // What was in this group may be on disk or not: nobody can know before the next start, so its
                    // senders get no reply at all. What was waiting behind it was never written.
                    return Err(self.end(failure, Vec::new()));
                }
            }
        }
    }

    /// Ends for good: refuses what waits, and what was taken and needs no writing.
    fn end(&self, failure: AppendError, mut replies: Vec<SubmissionReply>) -> AppendError {
        error!(%failure, "the log cannot be written any more: no receipt was given for what it held");
        replies.extend(self.pending.close_appender());
        self.replies.send_all(refuse_all(replies, stopped));
        failure
    }

    /// Notes how things stand, and says when the clock is not believed.
    fn look(&self, mistrusting: &mut LogThrottle) {
        match self.refusing.clock.now() {
            Err(jumped) if mistrusting.should_log(&"jumped", Instant::now()) => {
                warn!("commands are refused as unavailable: {jumped}");
            }
            Err(_) => {}
            Ok(_) => {
                if mistrusting.is_over().is_some() {
                    warn!(
                        "the clock agrees with the time that has passed again: commands are taken"
                    );
                }
            }
        }
        let log = &self.refusing.log;
        let newest = log.tree_size().checked_sub(1);
        let newest = newest.and_then(|newest| header_at(log, newest).ok());
        self.refusing
            .note(&self.telemetry, newest.map(|newest| newest.time));
    }
}
