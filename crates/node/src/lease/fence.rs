//! The fence: which node gave receipts last, and how many events its log had.
//!
//! A node writes it when it takes the lease, and again before the first receipt that rests on more
//! events. A copy of its directory from before has fewer, and never takes over.

use ledger_bus::{Bus, LeaseBucket, LeaseBucketError};
use tracing::warn;

use super::error::LeaseError;
use super::holder::{Holder, Stage};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Fence {
    bucket: LeaseBucket,
    revision: u64,
    /// Events that it covers: no log with fewer takes over.
    pub(super) covers: u64,
}

/// Why the fence was not passed or written.
#[derive(Debug)]
pub(super) enum FenceError {
    /// It is tried again.
    Passing(LeaseBucketError),
    Over(LeaseError),
}

impl From<LeaseBucketError> for FenceError {
    fn from(error: LeaseBucketError) -> Self {
        Self::Passing(error)
    }
}

impl Fence {
    pub(super) fn new(bus: &Bus) -> Self {
        Self {
            bucket: LeaseBucket::fence(bus),
            revision: 0,
            covers: 0,
        }
    }

    /// Reads the fence; gives who wrote it.
    pub(super) async fn read(&mut self, ledger: &str) -> Result<Option<Holder>, LeaseBucketError> {
        let entry = self.bucket.read().await?;
        self.revision = entry.as_ref().map_or(0, |entry| entry.revision);
        let holder = entry.and_then(|entry| Holder::decode(&entry.value));
        // One of another ledger covers nothing of this one.
        let holder = holder.filter(|holder| holder.ledger == ledger);
        self.covers = holder.as_ref().map_or(0, |holder| holder.tree_size);
        Ok(holder)
    }

    /// Writes it for a node and its log's size.
    pub(super) async fn write(&mut self, this: &Holder) -> Result<(), LeaseBucketError> {
        let value = this.clone().encode(Stage::Held);
        self.revision = self.bucket.write(value, self.revision, None).await?;
        self.covers = this.tree_size;
        Ok(())
    }

    /// Passes the fence with a claimed lease: the log of `this` must have what it covers. It is then
    /// written for `this`; where the server takes nothing, as on a full disk, it stays as it is, and
    /// the first receipt waits.
    pub(super) async fn pass(&mut self, this: &Holder) -> Result<(), FenceError> {
        loop {
            if let Some(other) = self.read(&this.ledger).await?
                && other.tree_size > this.tree_size
            {
                let tree_size = this.tree_size;
                let other = other.into();
                return Err(FenceError::Over(LeaseError::OlderCopy { other, tree_size }));
            }
            match self.write(this).await {
                // A node that was stopped while it wrote: the lease is not its any more.
                Err(LeaseBucketError::Changed) => {}
                Err(error @ LeaseBucketError::Unavailable { .. }) => {
                    warn!(%error, "the fence is not written yet: the first receipt waits for it");
                    return Ok(());
                }
                Ok(()) => return Ok(()),
            }
        }
    }

    /// Passes it again where the lease was gone meanwhile. Nobody wrote it in between, or that node
    /// has taken over; where it is gone too, as from a server that was wiped, it is written anew.
    pub(super) async fn pass_again(&mut self, this: &Holder) -> Result<(), FenceError> {
        match self.read(&this.ledger).await? {
            Some(other) if other.session != this.session && other.tree_size > this.tree_size => {
                Err(FenceError::Over(LeaseError::TakenOver(other.into())))
            }
            Some(_) => Ok(()),
            None => Ok(self.write(this).await?),
        }
    }
}
