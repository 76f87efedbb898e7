//! The room for submissions that were received and not answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::runtime::telemetry::{Telemetry, gauge_value};

/// Refusals as `busy` on their way back; those that would be more are not sent.
const MAX_BUSY_REPLIES: usize = 65_536;

/// The room for submissions that were received and not answered.
#[derive(Debug)]
pub(crate) struct QueueRoom {
    max_bytes: usize,
    max_submissions: usize,
    pub(crate) bytes: AtomicUsize,
    pub(crate) submissions: AtomicUsize,
    pub(crate) telemetry: Telemetry,
}

/// A place in the queue; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Ticket {
    room: Arc<QueueRoom>,
    pub(crate) bytes: usize,
}

impl QueueRoom {
    pub(crate) fn new(max_bytes: usize, max_submissions: usize, telemetry: Telemetry) -> Arc<Self> {
        Arc::new(Self {
            max_bytes,
            max_submissions,
            bytes: AtomicUsize::new(0),
            submissions: AtomicUsize::new(0),
            telemetry,
        })
    }

    /// Room for the refusals of what found no room.
    pub(crate) fn of_refusals(telemetry: Telemetry) -> Arc<Self> {
        Self::new(usize::MAX, MAX_BUSY_REPLIES, telemetry)
    }

    /// Takes a place for `bytes` more, if there is room. Only one task takes places, so looking and taking need
    /// not be one step.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Option<Ticket> {
        let queued = self.bytes.load(Ordering::Relaxed);
        let full = queued.saturating_add(bytes) > self.max_bytes && queued > 0;
        if full || self.submissions.load(Ordering::Relaxed) >= self.max_submissions {
            return None;
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.submissions.fetch_add(1, Ordering::Relaxed);
        self.telemetry.queued_bytes.inc_by(gauge_bytes(bytes));
        Some(Ticket {
            room: Arc::clone(self),
            bytes,
        })
    }

    fn give_back(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.telemetry.queued_bytes.dec_by(gauge_bytes(bytes));
    }
}

impl Ticket {
    /// Gives back what is more than `bytes`.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let unneeded = self.bytes.saturating_sub(bytes);
        self.room.give_back(unneeded);
        self.bytes -= unneeded;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.room.give_back(self.bytes);
        self.room.submissions.fetch_sub(1, Ordering::Relaxed);
    }
}

fn gauge_bytes(bytes: usize) -> i64 {
    gauge_value(u64::try_from(bytes).unwrap_or(u64::MAX))
}
