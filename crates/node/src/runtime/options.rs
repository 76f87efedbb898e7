//! What a node is told when it starts.

use std::path::PathBuf;
use std::sync::Arc;

use crate::runtime::clock::{SystemClock, TimeSource};
use ledger_bus::NatsAccess;
use ledger_store::disk::{Disk, OsDisk};

/// Options of a node. Sizes are bounds: what is over them is refused or waits, it never grows.
#[derive(Clone, Debug)]
pub struct NodeOptions {
    /// Directory of the log. Made when it is not there.
    pub data_dir: PathBuf,
    /// Where the journal and the newest tree head are kept: that directory, unless a test puts a disk that fails before it.
    pub disk: Arc<dyn Disk>,
    /// Where the node reads the time: the clocks of this machine, unless a test sets others.
    pub clock: Arc<dyn TimeSource>,
    /// Start although the clock is far from the newest event or from the program's day.
    pub accept_clock: bool,
    /// The nats-server, and who the node is to it.
    pub nats_url: NatsAccess,
    /// Id given to the ledger when it is created; an existing ledger keeps its own.
    pub ledger_id: String,
    /// The partner that has the role root when the ledger is created.
    pub root_partner: String,
    /// Bytes that submissions received and not yet answered take in memory; over it a submission is refused as `busy`.
    pub queue_bytes: usize,
    /// Submissions received and not yet answered; over it a submission is refused as `busy`.
    pub queue_submissions: usize,
    /// Commitments whose decision state is kept in memory; others are loaded from the log when they are named.
    pub cached_commitments: usize,
    /// Bytes that must stay free on the log's file system; below it commands are refused as `storage_full`.
    pub free_space_floor_bytes: u64,
    /// Seconds for which the lease lasts that lets this node take commands, unless it is renewed; at least two.
    pub lease_seconds: u32,
}

/// How long a lease lasts if nothing else is said.
pub const LEASE_SECONDS: u32 = 10;

impl NodeOptions {
    /// The defaults for a log in `data_dir` behind the server at `nats_url`.
    pub fn new(data_dir: impl Into<PathBuf>, nats_url: impl Into<NatsAccess>) -> Self {
        let data_dir = data_dir.into();
        Self {
            disk: Arc::new(OsDisk::new(data_dir.clone())),
            data_dir,
            clock: Arc::new(SystemClock),
            accept_clock: false,
            nats_url: nats_url.into(),
            ledger_id: "main".to_owned(),
            root_partner: "root".to_owned(),
            queue_bytes: 64 << 20,
            queue_submissions: 65_536,
            cached_commitments: 2_000_000,
            free_space_floor_bytes: ledger_store::FREE_FLOOR_BYTES,
            lease_seconds: LEASE_SECONDS,
        }
    }
}
