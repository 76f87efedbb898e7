//! Why no command is taken at this moment, whatever it says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ledger_store::{Log, ReadError};

use crate::runtime::clock::Clock;
use crate::runtime::telemetry::{Telemetry, gauge_value};

/// What decides it; clones share it.
#[derive(Clone)]
pub(crate) struct Refusing {
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    /// Bytes below which commands are refused, as free space on the log's disk.
    pub(crate) free_floor_bytes: u64,
    /// Bytes that must be free for the next group, while one was refused for want of them; 0 else.
    pub(crate) space_lacked: Arc<AtomicU64>,
}

impl Refusing {
    /// Why; nothing while commands are taken. Files, disk and clock themselves are looked at: that all is well again is known before the
    /// next command is sent.
    ///
    /// # Errors
    /// When the system does not say how much space there is.
    pub(crate) fn why(&self) -> Result<Option<String>, ReadError> {
        if let Err(poisoned) = self.log.check_files() {
            return Ok(Some(poisoned.to_string()));
        }
        if let Err(jumped) = self.clock.now() {
            return Ok(Some(jumped));
        }
        let needed = self.space_lacked.load(Ordering::Relaxed);
        let needed = needed.max(self.free_floor_bytes);
        let free = self.log.free_space()?;
        Ok((free < needed).then(|| self.no_room(free, needed)))
    }

    /// What lacks room, and what helps.
    pub(crate) fn no_room(&self, free: u64, needed: u64) -> String {
        let mut why = format!(
            "{} MiB are free on the log's disk, and {} MiB must be: make room on the disk of {}",
            free >> 20,
            needed.div_ceil(1 << 20),
            self.log.dir().display()
        );
        if needed <= self.free_floor_bytes {
            why.push_str(", or start with a lower --free-space-floor-mib");
        }
        why
    }

    /// Notes for whoever watches: room, readiness, and what the clock does.
    pub(crate) fn note(
        &self,
        telemetry: &Telemetry,
        newest: Option<chrono::DateTime<chrono::Utc>>,
    ) {
        let free = self.log.free_space().unwrap_or_default();
        telemetry.free_bytes.set(gauge_value(free));
        telemetry
            .free_floor_bytes
            .set(gauge_value(self.free_floor_bytes));
        let is_ready = matches!(self.why(), Ok(None));
        telemetry.ready.set(i64::from(is_ready));
        telemetry.clock_ahead.set(self.clock.ahead().num_seconds());
        let behind = newest.map_or(0, |newest| self.clock.behind(newest).num_seconds());
        telemetry.clock_behind.set(behind);
    }
}
