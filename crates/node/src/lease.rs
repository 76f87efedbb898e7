//! The lease: of all nodes behind one nats-server, one takes commands.
//!
//! A node holds the lease before it takes commands, renews it, and takes none once it could not: it
//! relies on it for less time than the server keeps it, counted from before it asked. Whatever
//! rests on the lease looks at it again at the last moment ([`Lease::held`]): before a group is
//! written, before its receipts leave, before events are published, before a query is answered. So
//! a process that was stopped for longer than its lease gives no receipt for what it had taken
//! before.
//!
//! No clock is trusted with more than that. The first receipt of a run waits until the
//! [fence](fence) covers its events, and a node that takes the lease over compares its log with the
//! fence and with the stream's end: a copy of the directory that was made before lacks those events,
//! and can never take over. The stream alone would not do: the server acknowledges an event before
//! it has written it.

mod error;
mod fence;
mod holder;
mod standing;
pub(crate) mod take;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ledger_bus::{Bus, EventPublisher, LeaseBucket, LeaseBucketError, LogThrottle};
use ledger_store::Log;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{info, warn};

pub use error::LeaseError;
pub(crate) use error::NotHeld;
pub use holder::Holder;
pub use standing::LeaseStanding;

use crate::error::NodeError;
use crate::publish::agreement::agrees;
use crate::publish::publisher::{Interruption, PublisherError};
use crate::runtime::shutdown::Shutdown;
use fence::{Fence, FenceError};
use holder::Stage;
use ledger_bus::Transport;
use standing::{Confirmed, Moment};

const RETRY_DELAY: Duration = Duration::from_millis(100);
/// How long a node that stops tries to give its lease back.
const RELEASE_TIME: Duration = Duration::from_secs(1);

/// The time that the fence may take before a message says that receipts wait for it.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);
const NOT_WRITTEN: &str = "nats-server has not taken the mark that keeps a copy of this directory from taking over \
     (bucket ledger_fence), and receipts wait until it has";

/// The times of a lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// How long the server keeps it, in whole seconds.
    lasts: Duration,
    /// How long the holder relies on it.
    reliable: Duration,
    renewed_every: Duration,
}

impl Terms {
    pub(crate) fn lasting(seconds: u32) -> Self {
        // The server takes a second at the least; with that, nothing of it could be relied on.
        let lasts = Duration::from_secs(seconds.max(2).into());
        Self {
            lasts,
            reliable: lasts * 4 / 5,
            renewed_every: lasts / 4,
        }
    }

    pub(crate) fn lasts(self) -> Duration {
        self.lasts
    }
}

/// The lease of this node; clones are the same.
#[derive(Clone)]
pub(crate) struct Lease {
    bus: Bus,
    standing: LeaseStanding,
    /// Told when it was confirmed, or is over.
    changes: Arc<watch::Sender<bool>>,
    stopping: Shutdown,
    runtime: Handle,
    kept: Arc<Mutex<Kept>>,
    fence: Arc<tokio::sync::Mutex<Fence>>,
    terms: Terms,
}

/// What the next renewal needs.
struct Kept {
    this: Holder,
    revision: u64,
}

impl Lease {
    fn new(
        bus: &Bus,
        this: Holder,
        terms: Terms,
        standing: LeaseStanding,
        (revision, fence): (u64, Fence),
        stopping: Shutdown,
    ) -> Self {
        Self {
            bus: bus.clone(),
            standing,
            changes: Arc::new(watch::channel(false).0),
            stopping,
            runtime: Handle::current(),
            kept: Arc::new(Mutex::new(Kept { this, revision })),
            fence: Arc::new(tokio::sync::Mutex::new(fence)),
            terms,
        }
    }

    /// Whether it is held at this moment: confirmed over the connection that stands, not so long
    /// ago.
    pub(crate) fn is_held(&self) -> bool {
        let confirmed = self.standing.confirmed();
        confirmed.is_some_and(|confirmed| confirmed.connection == self.bus.connection_number())
            && self.bus.is_connected()
    }

    /// Waits until it is held.
    ///
    /// # Errors
    /// [`NotHeld`] when another node has it, or it is not held while this node stops: nothing that
    /// rests on it may be done any more.
    pub(crate) async fn held(&self) -> Result<(), NotHeld> {
        let mut stopping = self.stopping.clone();
        loop {
            let mut changes = self.changes.subscribe();
            let is_over = *changes.borrow_and_update();
            if is_over {
                return Err(NotHeld);
            }
            if self.is_held() {
                return Ok(());
            }
            tokio::select! {
                told = changes.changed() => told.map_err(|_| NotHeld)?,
                () = tokio::time::sleep(RETRY_DELAY) => {}
                () = stopping.requested() => {
                    return if self.is_held() { Ok(()) } else { Err(NotHeld) };
                }
            }
        }
    }

    /// Whether it is held at this moment, or within this time.
    pub(crate) async fn is_held_soon(&self, within: Duration) -> bool {
        if self.is_held() {
            return true;
        }
        let held = tokio::time::timeout(within, self.held()).await;
        matches!(held, Ok(Ok(())))
    }

    /// The same as [`Lease::held`] on a thread that may block.
    pub(crate) fn held_blocking(&self) -> Result<(), NotHeld> {
        if self.is_held() {
            return Ok(());
        }
        self.runtime.block_on(self.held())
    }

    /// Why it is not held.
    pub(crate) fn why_not(&self) -> String {
        let why_not = self.standing.why_not();
        why_not.unwrap_or_else(|| "the connection to nats-server was lost".to_owned())
    }

    /// Renews it until another node has it.
    ///
    /// # Errors
    /// [`LeaseError::TakenOver`], or [`PublisherError`] when the stream went on without this node.
    pub(crate) async fn keep(
        self,
        log: Log,
        published: watch::Receiver<u64>,
        transport: Transport,
    ) -> Result<(), NodeError> {
        let mut connections = self.bus.connections();
        let bucket = LeaseBucket::lease(&self.bus);
        let mut waiting = LogThrottle::default();
        let mut pause = self.terms.renewed_every;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                Ok(()) = connections.changed() => {}
            }
            {
                let mut kept = self.kept();
                kept.this.tree_size = log.tree_size();
                kept.this.published = *published.borrow();
            }
            match self.renew(&bucket, &log).await {
                Ok(()) => {
                    if waiting.is_over().is_some() {
                        transport.note_success();
                        info!("the lease is renewed again");
                    }
                    pause = self.terms.renewed_every;
                }
                Err(Trouble::Passing(error)) => {
                    // Nothing is published meanwhile whose failure could show that JetStream takes
                    // nothing.
                    if self.bus.is_connected() {
                        transport.note_failure(&error);
                    }
                    if waiting.should_log(&error, Instant::now()) {
                        warn!(error, "the lease could not be renewed, trying until it can");
                    }
                    self.standing
                        .say(format!("the lease could not be renewed: {error}"));
                    pause = RETRY_DELAY;
                }
                Err(Trouble::Over(error)) => {
                    self.standing.end(error.to_string());
                    self.changes.send_replace(true);
                    return Err(error);
                }
            }
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn renew(&self, bucket: &LeaseBucket, log: &Log) -> Result<(), Trouble> {
        let revision = self.kept().revision;
        match self.write(bucket, revision).await {
            Err(LeaseBucketError::Changed) => self.take_again(bucket, log).await,
            written => Ok(written?),
        }
    }

    /// Takes the lease back where it is gone: the server was started again or wiped, or it ran out
    /// while the server could not be asked. Nobody else had it in between unless the stream shows
    /// it.
    async fn take_again(&self, bucket: &LeaseBucket, log: &Log) -> Result<(), Trouble> {
        let entry = bucket.read().await?;
        let holder = entry
            .as_ref()
            .and_then(|entry| Holder::decode(&entry.value));
        if let Some(holder) = holder
            && holder.stage == Stage::Held
            && holder.session != self.kept().this.session
        {
            return Err(Trouble::Over(LeaseError::TakenOver(holder.into()).into()));
        }
        let publisher = EventPublisher::open(&self.bus).await?;
        agrees(&publisher, log).await?;
        let this = {
            let mut kept = self.kept();
            kept.this.tree_size = log.tree_size();
            kept.this.clone()
        };
        self.fence.lock().await.pass_again(&this).await?;
        let replaces = entry.map_or(0, |entry| entry.revision);
        self.write(bucket, replaces).await?;
        warn!("the lease was gone from nats-server, and was taken again");
        Ok(())
    }

    async fn write(&self, bucket: &LeaseBucket, replaces: u64) -> Result<(), LeaseBucketError> {
        let since = Moment::now();
        let connection = self.bus.connection_number();
        let value = self.kept().this.encode(Stage::Held);
        let lasts = Some(self.terms.lasts);
        let revision = bucket.write(value, replaces, lasts).await?;
        self.kept().revision = revision;
        self.standing.confirm(Confirmed {
            since,
            lasts: self.terms.reliable,
            connection,
        });
        self.changes.send_replace(false);
        Ok(())
    }

    /// Gives it back, so that whoever comes next need not wait.
    pub(crate) async fn release(&self) {
        self.standing.end("the node stops".to_owned());
        if *self.changes.borrow() || !self.bus.is_connected() {
            return;
        }
        let (mut this, revision) = {
            let kept = self.kept();
            (kept.this.clone(), kept.revision)
        };
        release(&LeaseBucket::lease(&self.bus), &mut this, revision).await;
    }
}

impl Lease {
    /// Waits until the fence covers so many events of the log, which has at least as many.
    ///
    /// # Errors
    /// [`NotHeld`] when the lease is over first.
    pub(crate) async fn fence(&self, tree_size: u64) -> Result<(), NotHeld> {
        let begun = Instant::now();
        let mut waiting = LogThrottle::default();
        loop {
            self.held().await?;
            let Err(error) = self.try_to_fence(tree_size).await else {
                break;
            };
            if begun.elapsed() >= WRITTEN_WITHIN {
                if waiting.should_log(&error, Instant::now()) {
                    warn!(%error, "{NOT_WRITTEN}");
                }
                self.standing.receipts_wait(Some(NOT_WRITTEN));
            }
            tokio::time::sleep(RETRY_DELAY).await;
        }
        self.standing.receipts_wait(None);
        Ok(())
    }

    async fn try_to_fence(&self, tree_size: u64) -> Result<(), LeaseBucketError> {
        // Not held while the lease is waited for, whose renewal needs it.
        let mut fence = self.fence.lock().await;
        if fence.covers >= tree_size {
            return Ok(());
        }
        let mut this = self.kept().this.clone();
        this.tree_size = this.tree_size.max(tree_size);
        let written = fence.write(&this).await;
        if matches!(written, Err(LeaseBucketError::Changed)) {
            // An answer was lost, or it was written while this process was stopped.
            fence.read(&this.ledger).await?;
        }
        written
    }
}

/// Writes that the lease is free, where it is still this node's.
async fn release(bucket: &LeaseBucket, this: &mut Holder, revision: u64) {
    let releasing = async {
        let value = this.encode(Stage::Released);
        match bucket.write(value.clone(), revision, None).await {
            Err(LeaseBucketError::Changed) => {
                // A renewal may have been under way.
                let entry = bucket.read().await?;
                let own = entry.filter(|entry| {
                    let holder = Holder::decode(&entry.value);
                    holder.is_some_and(|holder| holder.session == this.session)
                });
                match own {
                    Some(entry) => bucket.write(value, entry.revision, None).await.map(drop),
                    None => Ok(()),
                }
            }
            written => written.map(drop),
        }
    };
    match tokio::time::timeout(RELEASE_TIME, releasing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!(%error, "the lease was not given back: it runs out by itself"),
        Err(_elapsed) => warn!("the lease was not given back in time: it runs out by itself"),
    }
}

/// Why a renewal failed.
enum Trouble {
    /// It is tried again.
    Passing(String),
    Over(NodeError),
}

impl From<FenceError> for Trouble {
    fn from(error: FenceError) -> Self {
        match error {
            FenceError::Passing(error) => error.into(),
            FenceError::Over(error) => Self::Over(error.into()),
        }
    }
}

impl From<LeaseBucketError> for Trouble {
    fn from(error: LeaseBucketError) -> Self {
        Self::Passing(error.to_string())
    }
}

impl From<ledger_bus::PublishError> for Trouble {
    fn from(error: ledger_bus::PublishError) -> Self {
        Self::Passing(error.to_string())
    }
}

impl From<PublisherError> for Trouble {
    fn from(error: PublisherError) -> Self {
        Self::Over(error.into())
    }
}

impl From<Interruption> for Trouble {
    fn from(interruption: Interruption) -> Self {
        match interruption {
            Interruption::Stopped(error) => error.into(),
            Interruption::Transport(error) => error.into(),
        }
    }
}
