//! Taking the lease: what a node does before it takes commands.

use std::time::{Duration, Instant};

use ledger_bus::QueryError;
use ledger_bus::{
    Bus, EventPublisher, LeaseBucket, LeaseBucketError, LeaseEntry, LogThrottle, RequestError,
};
use ledger_store::Log;
use ledger_store::disk::FileId;
use tracing::{info, warn};

use super::fence::{Fence, FenceError};
use super::holder::{Holder, Stage};
use super::standing::{Confirmed, LeaseStanding, Moment};
use super::{Lease, LeaseError, Terms};
use crate::error::NodeError;
use crate::publish::agreement::agrees;
use crate::publish::publisher::Interruption;
use crate::runtime::shutdown::Shutdown;

/// How often the lease of another node is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// What a lease of another may last longer than it says, by the server's clock and ours.
const SLACK: Duration = Duration::from_millis(500);
/// How long a node may take to say that it is there.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// A node that wants the lease.
pub(crate) struct Applicant {
    bus: Bus,
    bucket: LeaseBucket,
    /// Goes with the lease once that is held.
    fence: Fence,
    this: Holder,
    terms: Terms,
    standing: LeaseStanding,
    /// The lease of another, as it was seen first.
    seen: Option<Seen>,
    waiting: LogThrottle,
    /// The revision of what this node wrote last.
    revision: Option<u64>,
}

struct Seen {
    /// The message about it.
    why_not: String,
    revision: u64,
    lasts: Duration,
    at: Instant,
}

impl Seen {
    fn has_run_out(&self) -> bool {
        self.at.elapsed() >= self.lasts + SLACK
    }
}

/// What the lease was taken in place of.
struct Free {
    revision: u64,
    /// It was of this very directory.
    own: bool,
}

/// What has to hold before commands are taken.
struct Conditions {
    /// The lease was this directory's before.
    own: bool,
    /// Nothing says who was here before, and the log is not new: whoever was has the time to come
    /// back.
    waits: bool,
}

impl Applicant {
    pub(crate) fn new(bus: &Bus, this: Holder, terms: Terms, standing: LeaseStanding) -> Self {
        Self {
            bus: bus.clone(),
            bucket: LeaseBucket::lease(bus),
            fence: Fence::new(bus),
            this,
            terms,
            standing,
            seen: None,
            waiting: LogThrottle::default(),
            revision: None,
        }
    }

    /// Waits until the lease is free, or it is known that it will not be: whoever holds it renews
    /// it. Changes nothing.
    ///
    /// # Errors
    /// [`LeaseError::HeldElsewhere`] names who holds it.
    pub(crate) async fn look(&mut self, directory: Option<FileId>) -> Result<(), LeaseError> {
        if let Some(id) = directory {
            self.this = self.this.clone().in_directory(id);
        }
        self.free().await.map(|_| ())
    }

    async fn free(&mut self) -> Result<Free, LeaseError> {
        loop {
            let entry = self.read().await;
            let revision = entry.as_ref().map_or(0, |entry| entry.revision);
            let holder = entry.and_then(|entry| Holder::decode(&entry.value));
            let own = holder
                .as_ref()
                .is_some_and(|holder| holder.is_of_the_directory_of(&self.this));
            match holder {
                // A server that is started again has no lease: who held it is given the time to
                // come back.
                None if self.seen.as_ref().is_none_or(Seen::has_run_out) => {
                    return Ok(Free { revision, own });
                }
                None => {}
                Some(holder) if own || holder.stage == Stage::Released => {
                    return Ok(Free { revision, own });
                }
                Some(holder) => match &self.seen {
                    None => self.saw(&holder, revision),
                    Some(seen) if seen.revision != revision => {
                        return Err(LeaseError::HeldElsewhere(holder.into()));
                    }
                    Some(seen) if seen.has_run_out() => return Ok(Free { revision, own }),
                    // Why it could not be looked at is over.
                    Some(seen) => self.standing.say(seen.why_not.clone()),
                },
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    fn saw(&mut self, holder: &Holder, revision: u64) {
        warn!("{holder}: no command is taken here; waiting whether it is renewed");
        let why_not = format!("{holder}; this node waits whether it is renewed");
        self.standing.say(why_not.clone());
        self.seen = Some(Seen {
            why_not,
            revision,
            lasts: holder.lasts(),
            at: Instant::now(),
        });
    }

    async fn read(&mut self) -> Option<LeaseEntry> {
        loop {
            match self.bucket.read().await {
                Ok(entry) => return entry,
                Err(error) => self.pause(&error).await,
            }
        }
    }

    async fn pause(&mut self, error: &impl std::fmt::Display) {
        if self.waiting.should_log(error, Instant::now()) {
            warn!(%error, "waiting for nats-server with JetStream");
        }
        self.standing
            .say(format!("the lease cannot be taken yet: {error}"));
        tokio::time::sleep(LOOK_INTERVAL).await;
    }

    /// Takes the lease for the open log: claims it, asks whether another node answers, and compares
    /// the log with the stream. `had_events` is how many the log had when it was opened.
    ///
    /// # Errors
    /// [`LeaseError`] when another node is there, [`NodeError::Publisher`] when the stream
    /// contradicts the log. Then the lease is free again.
    pub(crate) async fn take(
        &mut self,
        log: &Log,
        had_events: u64,
        stopping: Shutdown,
    ) -> Result<Lease, NodeError> {
        self.this = self.this.clone().in_directory(log.lock_id());
        let taken = self.try_to_take(log, had_events).await;
        if taken.is_err() {
            self.release().await;
        }
        let (revision, confirmed) = taken?;
        self.standing.confirm(confirmed);
        info!(lease_ms = self.this.lease_ms, "this node holds the lease");
        Ok(Lease::new(
            &self.bus,
            self.this.clone(),
            self.terms,
            self.standing.clone(),
            (
                revision,
                std::mem::replace(&mut self.fence, Fence::new(&self.bus)),
            ),
            stopping,
        ))
    }

    async fn try_to_take(
        &mut self,
        log: &Log,
        had_events: u64,
    ) -> Result<(u64, Confirmed), NodeError> {
        loop {
            let free = self.free().await?;
            let (own, absent) = (free.own, free.revision == 0);
            if self.write(Stage::Claimed, free.revision).await.is_none() {
                continue;
            }
            let publisher = self.publisher().await;
            let end = self.stream_end(&publisher).await;
            let waits = absent && end == 0 && had_events > 0;
            if self.others_are_silent(&Conditions { own, waits }).await?
                && let Some(taken) = self.hold(log, &publisher).await?
            {
                return Ok(taken);
            }
            // Somebody wrote the lease while this node had claimed it.
            self.revision = None;
            self.seen = None;
        }
    }

    /// Writes the lease in place of a revision; nothing when another wrote it first.
    async fn write(&mut self, stage: Stage, replaces: u64) -> Option<Confirmed> {
        loop {
            let since = Moment::now();
            let connection = self.bus.connection_number();
            let value = self.this.encode(stage);
            let lasts = self.terms.lasts;
            match self.bucket.write(value, replaces, Some(lasts)).await {
                Ok(revision) => {
                    self.revision = Some(revision);
                    return Some(Confirmed {
                        since,
                        lasts: self.terms.reliable,
                        connection,
                    });
                }
                Err(LeaseBucketError::Changed) => return None,
                Err(error @ LeaseBucketError::Unavailable { .. }) => self.pause(&error).await,
            }
        }
    }

    /// Asks for other nodes until it is known that none is there, or that one which is there does
    /// not answer for so long that it has no lease. Keeps the claim meanwhile; `false` when it was
    /// lost.
    async fn others_are_silent(&mut self, conditions: &Conditions) -> Result<bool, LeaseError> {
        let (claimed_at, mut renewed_at) = (Instant::now(), Instant::now());
        let mut said = false;
        loop {
            let patience_is_over = claimed_at.elapsed() >= self.terms.lasts;
            let why = match self.bus.head(ANSWER_WITHIN).await {
                Ok(head) => {
                    return Err(LeaseError::Answers {
                        ledger: head.ledger,
                        tree_size: head.tree_size,
                    });
                }
                Err(QueryError::Request(RequestError::NoResponders { .. })) => {
                    if !conditions.waits || patience_is_over {
                        return Ok(true);
                    }
                    "nats-server holds nothing of this ledger, so another node may have been behind it"
                }
                Err(_) if conditions.own || patience_is_over => return Ok(true),
                Err(_) => "another node is connected and does not answer",
            };
            if !said {
                said = true;
                let seconds = self.terms.lasts.as_secs();
                warn!("{why}: it is given {seconds} seconds to show itself");
                self.standing
                    .say(format!("{why}: it is given {seconds} seconds"));
            }
            if renewed_at.elapsed() >= self.terms.renewed_every {
                let revision = self.revision.unwrap_or_default();
                if self.write(Stage::Claimed, revision).await.is_none() {
                    return Ok(false);
                }
                renewed_at = Instant::now();
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    /// Holds the lease, once the stream is seen to be a copy of the log's beginning and the fence is
    /// passed; nothing when the claim was lost meanwhile.
    async fn hold(
        &mut self,
        log: &Log,
        publisher: &EventPublisher,
    ) -> Result<Option<(u64, Confirmed)>, NodeError> {
        loop {
            match agrees(publisher, log).await {
                Ok(end) => {
                    self.this.tree_size = log.tree_size();
                    self.this.published = end;
                }
                Err(Interruption::Stopped(error)) => return Err(error.into()),
                Err(Interruption::Transport(error)) => {
                    self.pause(&error).await;
                    continue;
                }
            }
            match self.fence.pass(&self.this).await {
                Ok(()) => break,
                Err(FenceError::Over(error)) => return Err(error.into()),
                Err(FenceError::Passing(error)) => self.pause(&error).await,
            }
        }
        let claim = self.revision.unwrap_or_default();
        let confirmed = self.write(Stage::Held, claim).await;
        Ok(confirmed.map(|confirmed| (self.revision.unwrap_or_default(), confirmed)))
    }

    async fn publisher(&mut self) -> EventPublisher {
        loop {
            match EventPublisher::open(&self.bus).await {
                Ok(publisher) => return publisher,
                Err(error) => self.pause(&error).await,
            }
        }
    }

    async fn stream_end(&mut self, publisher: &EventPublisher) -> u64 {
        loop {
            match publisher.state().await {
                Ok(state) => return state.last_sequence,
                Err(error) => self.pause(&error).await,
            }
        }
    }

    /// Gives up what was claimed.
    pub(crate) async fn release(&mut self) {
        if let Some(revision) = self.revision.take() {
            super::release(&self.bucket, &mut self.this, revision).await;
        }
    }
}
