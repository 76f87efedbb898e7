//! Publishes the log's events to `LEDGER_EVENTS` by tailing the log.
//!
//! Events are never published by whoever decided them: what is on disk is published, in order, at the sequence that
//! its position gives it. If the stream is behind it is filled, if it was lost or thinned it is made anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ledger_bus::{
    Bus, BusOptions, EventPublisher, LogThrottle, MAX_RUN_EVENTS, NatsAccess, PublishError,
    StreamState, subject,
};
use ledger_proof::block::{Content, Decoder, StoredEvent, split_first};
use ledger_proof::header::event_name_of;
use ledger_store::Log;
use thiserror::Error;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::agreement::compare;
use crate::background::lower_priority;
use crate::history::{HistoryError, deliver};
use crate::lease::Lease;
use crate::node::NodeError;
use crate::recent::RecentEvents;
use crate::shutdown::Shutdown;
use crate::telemetry::{Telemetry, gauge_value};

/// Runs of events sent ahead of their acknowledgement.
const RUNS_IN_FLIGHT: usize = 4;
/// Bytes of events in one run at most.
const MAX_RUN_BYTES: usize = 2 << 20;
/// Bytes of stored blocks read at once: about one run of events.
const READ_BYTES: usize = 512 << 10;
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// How often the stream is looked at while events flow.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// Why publishing ended for good: the node stops.
#[derive(Debug, Error)]
pub enum PublisherError {
    /// The stream holds events that the log does not: the log lost its end, or is another one.
    #[error(
        "the stream LEDGER_EVENTS ends at sequence {last_sequence}, but the log has only {tree_size} events: \
         the log has lost its end or belongs to another ledger; nothing was changed. If an older backup was put back on \
         purpose, go on as the manual says under `Restoring an older backup`"
    )]
    StreamAhead {
        /// Sequence of the stream's newest event.
        last_sequence: u64,
        /// Events in the log.
        tree_size: u64,
    },
    /// The stream holds another event than the log at the same position.
    #[error(
        "the stream LEDGER_EVENTS has another event than the log at position {position}: \
         it belongs to another ledger, or to a copy of this one that went on without it; nothing was changed"
    )]
    StreamForeign {
        /// Position at which they differ.
        position: u64,
    },
    /// The log cannot be read.
    #[error("the log cannot be read for publishing")]
    Read(#[source] HistoryError),
}

/// Why publishing does not go on.
pub(crate) enum Interruption {
    Stopped(PublisherError),
    Transport(PublishError),
}

impl From<PublishError> for Interruption {
    fn from(error: PublishError) -> Self {
        Self::Transport(error)
    }
}

impl From<HistoryError> for Interruption {
    fn from(error: HistoryError) -> Self {
        Self::Stopped(PublisherError::Read(error))
    }
}

/// Reading the log was cut short.
pub(crate) fn interrupted(error: impl std::fmt::Display) -> Interruption {
    let what = error.to_string();
    PublishError::Unavailable { what }.into()
}

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

/// One run of events from `from` on, none at or after `to`.
pub(crate) fn read_run(
    log: &Log,
    from: u64,
    to: u64,
) -> Result<Vec<(String, Bytes)>, HistoryError> {
    let (blocks, _) = log.stored_blocks(from..to, READ_BYTES)?;
    let mut decoder = Decoder::default();
    let (mut events, mut bytes) = (Vec::new(), 0);
    let mut rest: &[u8] = &blocks;
    while !rest.is_empty() {
        let block_error = |source| HistoryError::Block {
            position: from,
            source,
        };
        let (block, after) = split_first(rest).map_err(block_error)?;
        for stored in &decoder.events(block).map_err(block_error)? {
            let stored = stored.map_err(block_error)?;
            if stored.position < from {
                continue;
            }
            if stored.position >= to || events.len() >= MAX_RUN_EVENTS || bytes >= MAX_RUN_BYTES {
                return Ok(events);
            }
            let event = publishable(&stored)?;
            bytes += event.1.len();
            events.push(event);
        }
        rest = after;
    }
    Ok(events)
}

/// The subject on which an event is published, and its delivered form.
fn publishable(stored: &StoredEvent<'_>) -> Result<(String, Bytes), HistoryError> {
    let country = stored
        .route
        .split('|')
        .next()
        .filter(|country| !country.is_empty());
    let event = event_name_of(stored.header).unwrap_or("unknown");
    Ok((
        subject::event(country.unwrap_or("INT"), event),
        deliver(stored)?.into(),
    ))
}
