//! How a log is opened.

use crate::disk::{Disk, OsDisk};
use crate::error::OpenError;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Free space below which a log is neither opened nor appended to, unless somebody says otherwise.
pub const FREE_FLOOR_BYTES: u64 = 256 << 20;

/// How a log is opened. [`Options::new`] gives what a node uses; tests make things small.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory; made if it is missing.
    pub dir: PathBuf,
    /// The ledger's id: names the key that is made when the log is new.
    pub ledger_id: String,
    /// Where the journal and the head file are kept.
    pub disk: Arc<dyn Disk>,
    /// Length of a journal segment.
    pub segment_bytes: u64,
    /// Free space below which nothing is opened or appended.
    pub free_floor_bytes: u64,
    /// Free space is looked at again after so long (or 16 MiB written).
    pub space_interval: Duration,
    /// An epoch has 2^this positions: 8 to 16. Kept for the life of the indexes; with another value they are rebuilt.
    pub epoch_bits: u8,
    /// A shard of blocks has 2^this positions: at least `epoch_bits`. Must not change once there are shards.
    pub shard_bits: u8,
    /// Synced bytes that sled may be behind by, before appends wait.
    pub overlay_bytes: usize,
    /// sled's cache for each open database.
    pub sled_cache_bytes: u64,
    /// A tree size that someone outside knows the log had (for the node, what `JetStream` holds): a log found shorter is
    /// damaged, not torn.
    pub witnessed_size: u64,
}

impl Options {
    /// The options of a node.
    pub fn new(dir: impl Into<PathBuf>, ledger_id: impl Into<String>) -> Self {
        let dir = dir.into();
        Self {
            disk: Arc::new(OsDisk::new(dir.clone())),
            dir,
            ledger_id: ledger_id.into(),
            segment_bytes: 64 << 20,
            free_floor_bytes: FREE_FLOOR_BYTES,
            space_interval: Duration::from_millis(100),
            epoch_bits: 16,
            shard_bits: 18,
            overlay_bytes: 32 << 20,
            sled_cache_bytes: 8 << 20,
            witnessed_size: 0,
        }
    }

    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let wrong = |name, value: u8| {
            Err(OpenError::Option {
                name,
                value: value.into(),
            })
        };
        if !(8..=16).contains(&self.epoch_bits) {
            return wrong("epoch_bits", self.epoch_bits);
        }
        if self.shard_bits < self.epoch_bits || self.shard_bits > 40 {
            return wrong("shard_bits", self.shard_bits);
        }
        if self.segment_bytes < 8192 {
            return Err(OpenError::Option {
                name: "segment_bytes",
                value: self.segment_bytes,
            });
        }
        Ok(())
    }
}
