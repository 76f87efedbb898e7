//! Publishes the log's events to `LEDGER_EVENTS` by tailing the log.
//!
//! Events are never published by whoever decided them: what is on disk is published, in order, at the sequence that
//! its position gives it. If the stream is behind it is filled, if it was lost or thinned it is made anew.

mod error;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ledger_bus::{
    Bus, BusOptions, EventPublisher, LogThrottle, MAX_RUN_EVENTS, NatsAccess, PublishError,
    StreamState,
};
use ledger_proof::block::{Content, StoredEvent};
use ledger_store::Log;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tracing::{info, warn};

pub use error::PublisherError;
pub(crate) use error::{Interruption, interrupted};

use crate::error::NodeError;
use crate::lease::Lease;
use crate::publish::agreement::compare;
use crate::publish::recent::RecentEvents;
use crate::publish::runs::{MAX_RUN_BYTES, publishable, read_run};
use crate::runtime::background::lower_priority;
use crate::runtime::shutdown::Shutdown;
use crate::runtime::telemetry::{Telemetry, gauge_value};

/// Runs of events sent ahead of their acknowledgement.
const RUNS_IN_FLIGHT: usize = 4;
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// How often the stream is looked at while events flow.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// What the publisher of one node tails.
pub(crate) struct Tail {
    pub(crate) log: Log,
    /// Events on disk, as the appender sees them.
    pub(crate) tree_size: watch::Receiver<u64>,
    /// Events that were just written.
    pub(crate) recent: Arc<RecentEvents>,
    /// Events published, for queries.
    pub(crate) published: watch::Sender<u64>,
    pub(crate) telemetry: Telemetry,
    /// Nothing is published without it.
    pub(crate) lease: Lease,
}

impl Tail {
    /// Publishes until the appender is gone, or until nothing more is waited for: on the calling thread, whose priority it lowers, and over
    /// a connection of its own, so that receipts wait neither for the processor nor behind events. On return nothing of it holds the log.
    ///
    /// # Errors
    /// [`NodeError`] when the stream contradicts the log, or the log cannot be read.
    pub(crate) fn run(
        self,
        nats_url: &NatsAccess,
        mut giving_up: Shutdown,
    ) -> Result<(), NodeError> {
        lower_priority();
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| NodeError::Ended { part: "publisher" })?;
        runtime.block_on(async {
            tokio::select! {
                ended = self.publish(nats_url) => ended,
                () = giving_up.requested() => Ok(()),
            }
        })
    }

    async fn publish(self, nats_url: &NatsAccess) -> Result<(), NodeError> {
        let bus = Bus::connect(&BusOptions::service(nats_url, "publisher")).await?;
        let publisher = Publisher {
            bus: bus.clone(),
            tail: self,
            interrupted: LogThrottle::default(),
            filling: LogThrottle::default(),
            recreating: false,
        };
        let result = publisher.run().await;
        bus.close().await;
        Ok(result?)
    }
}

/// The publisher at work.
struct Publisher {
    bus: Bus,
    tail: Tail,
    /// Why it could not publish, as far as that was said.
    interrupted: LogThrottle,
    /// That it fills the stream: while that takes nothing, it begins again and again.
    filling: LogThrottle,
    /// That it makes the stream anew was said, and nothing was published since.
    recreating: bool,
}

impl Publisher {
    /// Publishes until the appender is gone and everything is out; reconnects and begins again whatever the server does.
    ///
    /// # Errors
    /// [`PublisherError`] when the stream contradicts the log or the log cannot be read.
    async fn run(mut self) -> Result<(), PublisherError> {
        loop {
            if self.tail.lease.held().await.is_err() {
                return Ok(());
            }
            match self.session().await {
                Ok(()) => return Ok(()),
                Err(Interruption::Stopped(error)) => return Err(error),
                Err(Interruption::Transport(error)) => {
                    if let PublishError::Unavailable { what } = &error {
                        self.tail.telemetry.transport.note_failure(what);
                    }
                    if self.interrupted.should_log(&error, Instant::now()) {
                        let attempts = self.interrupted.attempts();
                        warn!(%error, attempts, "publishing was interrupted, looking at the stream again");
                    }
                    if self.tail.tree_size.has_changed().is_err() {
                        return Ok(());
                    }
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    /// Publishes from where the stream ends.
    async fn session(&mut self) -> Result<(), Interruption> {
        let mut publisher = EventPublisher::open(&self.bus).await?;
        let mut sent = self.prepared(&publisher).await?;
        self.note(sent);
        // The first event goes alone. If the server refuses it, its answer says why; the one to a run would say that the run's last
        // event does not follow the one before.
        if sent < *self.tail.tree_size.borrow() {
            let first = self.read(sent, sent + 1).await?;
            publisher.send(sent, first).await?;
            sent = self.acknowledged(&mut publisher).await?;
        }
        self.recreating = false;
        if let Some(attempts) = self.interrupted.is_over() {
            warn!(attempts, "publishing goes on");
        }
        let mut looked_at = Instant::now();
        loop {
            if looked_at.elapsed() >= LOOK_INTERVAL {
                whole(publisher.state().await?)?;
                looked_at = Instant::now();
            }
            let tree_size = *self.tail.tree_size.borrow_and_update();
            if sent < tree_size {
                let events = self.next_run(sent, tree_size).await?;
                if self.tail.lease.held().await.is_err() {
                    return Ok(());
                }
                let count = u64::try_from(events.len()).unwrap_or(0);
                publisher.send(sent, events).await?;
                sent += count;
                if publisher.in_flight() >= RUNS_IN_FLIGHT {
                    self.acknowledged(&mut publisher).await?;
                }
                continue;
            }
            while publisher.in_flight() > 0 {
                self.acknowledged(&mut publisher).await?;
            }
            if *self.tail.tree_size.borrow() > sent {
                continue;
            }
            if !self.grown_or_checked(&publisher, sent).await? {
                return Ok(());
            }
        }
    }

    /// Waits for the log to grow; looks at the stream now and then, so that one wiped or thinned while nothing happens is filled
    /// again. `false` when the appender is gone.
    async fn grown_or_checked(
        &mut self,
        publisher: &EventPublisher,
        sent: u64,
    ) -> Result<bool, Interruption> {
        const CHECK_INTERVAL: Duration = Duration::from_secs(2);
        match tokio::time::timeout(CHECK_INTERVAL, self.tail.tree_size.changed()).await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(_)) => Ok(false),
            Err(_elapsed) => {
                let last = whole(publisher.prepare().await?)?.last_sequence;
                if last == sent {
                    return Ok(true);
                }
                Err(PublishError::OutOfStep {
                    expected: sent,
                    what: format!("it ends at {last}"),
                }
                .into())
            }
        }
    }

    /// The sequence from which to go on, once the stream is known to be a copy of the log's beginning.
    async fn prepared(&mut self, publisher: &EventPublisher) -> Result<u64, Interruption> {
        let state = publisher.prepare().await?;
        let last_sequence = state.last_sequence;
        let tree_size = *self.tail.tree_size.borrow();
        compare(publisher, &self.tail.log, state, tree_size).await?;
        if !state.is_whole() {
            if !std::mem::replace(&mut self.recreating, true) {
                warn!(
                    last_sequence,
                    "events are missing from the stream: it is made anew"
                );
            }
            return Ok(publisher.recreate().await?.last_sequence);
        }
        if last_sequence < tree_size && self.filling.should_log(&"behind", Instant::now()) {
            info!(
                from = last_sequence,
                to = tree_size,
                "filling the event stream"
            );
        }
        Ok(last_sequence)
    }

    /// The next events in their delivered form, with their subjects: as they were just written, else from the log.
    async fn next_run(&self, from: u64, to: u64) -> Result<Vec<(String, Bytes)>, Interruption> {
        let recent = self.tail.recent.take(from, MAX_RUN_EVENTS, MAX_RUN_BYTES);
        if recent.is_empty() {
            return self.read(from, to).await;
        }
        let publishable = (from..).zip(&recent).map(|(position, record)| {
            let content = Content::Present {
                salt: &record.salt,
                data: &record.data,
            };
            let (header, route) = (record.header.as_slice(), record.route.as_str());
            publishable(&StoredEvent {
                position,
                header,
                content,
                route,
            })
        });
        Ok(publishable.collect::<Result<_, _>>()?)
    }

    /// Events of the log in their delivered form, with their subjects.
    async fn read(&self, from: u64, to: u64) -> Result<Vec<(String, Bytes)>, Interruption> {
        let log = self.tail.log.clone();
        let read = tokio::task::spawn_blocking(move || read_run(&log, from, to)).await;
        Ok(read.map_err(interrupted)??)
    }

    /// Waits for the oldest run under way, and notes where the stream ends then.
    async fn acknowledged(&self, publisher: &mut EventPublisher) -> Result<u64, PublishError> {
        let sent = publisher.acknowledged().await?;
        self.tail.telemetry.transport.note_success();
        self.note(sent);
        Ok(sent)
    }

    fn note(&self, published: u64) {
        self.tail.telemetry.published.set(gauge_value(published));
        self.tail.published.send_replace(published);
    }
}

/// The state, if the stream lacks nothing in between: else it is to be made anew.
fn whole(state: StreamState) -> Result<StreamState, PublishError> {
    if state.is_whole() {
        return Ok(state);
    }
    Err(PublishError::Thinned {
        messages: state.messages,
        last_sequence: state.last_sequence,
    })
}
