//! A projector: folds the log into one family of views, keeps them in a store of its own, publishes and answers them.
//!
//! It catches up by blocks from the node, then follows `LEDGER_EVENTS`. It never skips a gap: what the stream does not
//! deliver next is asked of the node. Views and the checkpoint they stand at are saved in one atomic write, so that a
//! crash costs some folding and nothing else.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::Utc;
use hashbrown::HashMap;
use ledger_bus::query::{
    ProjectionAnswer, QueryError, ReplayPage, ReplayQuery, ViewQuery, WATERMARK_HEADER,
};
use ledger_bus::{
    Answer, Argument, BucketError, Bus, BusOptions, ConnectError, Endpoint, EventFeed, FeedError,
    FeedEvent, Query, QueryFailure, QueryService, ServiceError, ViewBucket,
};
use ledger_domain::view::{Envelope, Page, Projection};
use ledger_domain::wire::v1::Event;
use ledger_proof::block::{Content, Decoder, StoredEvent, split_first};
use ledger_proof::delivered::{self, Payload};
use ledger_proof::{EMPTY_HASH, Hash, leaf_hash};
use ledger_store::{SledFault, ViewStore};
use thiserror::Error;
use tokio::time::MissedTickBehavior;
use tracing::{info, warn};

use crate::history::{HistoryError, decode_event};
use crate::queries::{json, parse};
use crate::shutdown::Shutdown;
use crate::telemetry::Telemetry;
use crate::waiting::Waiting;

/// Views saved by another version are folded anew.
const VIEW_STORE_VERSION: &str = "1";
/// The row that says from which log the views come; no projection has a key like it.
const LAST_LEAF_KEY: &[u8] = b"\0last-leaf";
/// The one key of the summary.
const SUMMARY: &str = "summary";
/// Events that the stream may be behind the node before blocks are fetched instead.
const LAG_EVENTS: u64 = 10_000;
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// How often changed views are published.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(50);
/// How often views are saved, at the most.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
/// How often the node is asked whether the stream holds something back.
const LAG_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Events after which views are saved while catching up.
const SAVE_EVENTS: u64 = 1_000_000;
const FEED_CHUNK: usize = 512;
const REPLAY_BYTES: usize = 1 << 20;

/// What a projector is told when it starts.
#[derive(Clone, Debug)]
pub struct ProjectorOptions {
    /// Address of the nats-server.
    pub nats_url: String,
    /// Directory of its own store.
    pub dir: PathBuf,
}

/// Why a projector ended.
#[derive(Debug, Error)]
pub enum ProjectorError {
    /// The address of the server cannot be used.
    #[error("the projector cannot connect")]
    Connect(#[from] ConnectError),
    /// Its queries could not be offered.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Its store cannot be opened or written.
    #[error("the projector's store cannot be used")]
    Store(#[from] SledFault),
    /// An event of the log cannot be read by this version: going on would give wrong views.
    #[error("an event cannot be folded")]
    Event(#[from] HistoryError),
}

/// What interrupts folding without ending the projector.
#[derive(Debug, Error)]
enum Interruption {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error("the projector cannot go on")]
    Fatal(#[from] ProjectorError),
}

impl From<HistoryError> for Interruption {
    fn from(error: HistoryError) -> Self {
        Self::Fatal(error.into())
    }
}

impl From<SledFault> for Interruption {
    fn from(error: SledFault) -> Self {
        Self::Fatal(error.into())
    }
}

/// Runs one projector until it is told to stop; whatever the server does, it begins again.
///
/// # Errors
/// [`ProjectorError`] when its own store fails or an event cannot be read.
pub async fn run_projector<P: Projection + Send + 'static>(
    options: ProjectorOptions,
    telemetry: Telemetry,
    shutdown: Shutdown,
) -> Result<(), ProjectorError> {
    let bus_options = BusOptions::service(&options.nats_url, &format!("projector-{}", P::NAME));
    let bus = Bus::connect(&bus_options).await?;
    let ended = run::<P>(&bus, &options, telemetry, shutdown).await;
    bus.close().await;
    ended
}

async fn run<P: Projection + Send + 'static>(
    bus: &Bus,
    options: &ProjectorOptions,
    telemetry: Telemetry,
    mut shutdown: Shutdown,
) -> Result<(), ProjectorError> {
    let mut projector = Projector::<P>::open(bus.clone(), options, telemetry)?;
    let endpoints = endpoints::<P>();
    let description = format!("Answers {} views", P::NAME);
    let mut waiting = Waiting::default();
    let mut service = loop {
        let started = QueryService::start(bus, &description, &endpoints);
        tokio::select! {
            started = started => match started {
                Ok(service) => break service,
                Err(error) if waiting.is_news(&error, Instant::now()) => {
                    warn!(%error, "queries cannot be offered yet");
                }
                Err(_) => {}
            },
            () = shutdown.requested() => return Ok(()),
        }
        tokio::time::sleep(RETRY_DELAY).await;
    };
    loop {
        let ended = tokio::select! {
            ended = projector.session(&mut service) => ended,
            () = shutdown.requested() => {
                return Ok(projector.save()?);
            }
        };
        if let Interruption::Fatal(error) = ended {
            return Err(error);
        }
        if !waiting.is_news(&ended, Instant::now()) {
            tracing::debug!(projection = P::NAME, error = %ended, "beginning again");
        } else if projector.tree_size == 0 {
            info!(projection = P::NAME, waiting = %ended, "the node is not there yet");
        } else {
            warn!(projection = P::NAME, error = %ended, "following the log was interrupted, beginning again");
        }
        let pause = tokio::time::sleep(RETRY_DELAY);
        tokio::select! {
            // The views are there, whatever is away.
            ended = projector.answer_until(&mut service, pause) => {
                if let Err(Interruption::Fatal(error)) = ended {
                    return Err(error);
                }
            }
            () = shutdown.requested() => return Ok(projector.save()?),
        }
    }
}

/// What a projector answers: its views, and how far it has come.
fn endpoints<P: Projection>() -> [Endpoint; 2] {
    let (name, path) = match P::NAME {
        "country" => ("projection_country", "projection.country"),
        "action" => ("projection_action", "projection.action"),
        _ => ("projection_summary", "projection.summary"),
    };
    let argument = if P::NAME == SUMMARY {
        Argument::None
    } else {
        Argument::Tokens
    };
    [
        Endpoint {
            name: P::NAME,
            path: P::NAME,
            argument,
        },
        Endpoint {
            name,
            path,
            argument: Argument::None,
        },
    ]
}

/// The newest leaf that was folded. Its hash is wanted once a save, so it is not made for every event.
enum LastLeaf {
    Hash(Hash),
    Bytes(Vec<u8>),
}

impl LastLeaf {
    fn note(&mut self, leaf: &[u8]) {
        if let Self::Bytes(bytes) = self {
            bytes.clear();
            bytes.extend_from_slice(leaf);
        } else {
            *self = Self::Bytes(leaf.to_vec());
        }
    }

    fn hash(&self) -> Hash {
        match self {
            Self::Hash(hash) => *hash,
            Self::Bytes(leaf) => leaf_hash(leaf),
        }
    }
}

/// The views and how far they have come.
struct Projector<P> {
    bus: Bus,
    telemetry: Telemetry,
    store: ViewStore,
    projection: P,
    /// The next position to fold.
    checkpoint: u64,
    /// Leaf hash of the event before it: shows that the views come from this log and no other.
    last_leaf: LastLeaf,
    /// Events on disk, as last heard from the node.
    tree_size: u64,
    unsaved_rows: HashMap<Vec<u8>, Vec<u8>>,
    unsaved_events: u64,
    unpublished: BTreeSet<String>,
    saved_at: Instant,
    decoder: Decoder,
}

impl<P: Projection + Send + 'static> Projector<P> {
    /// Opens the store and builds the projection from what it holds, or from nothing when it cannot be read.
    fn open(
        bus: Bus,
        options: &ProjectorOptions,
        telemetry: Telemetry,
    ) -> Result<Self, ProjectorError> {
        let store = ViewStore::open(&options.dir, VIEW_STORE_VERSION)?;
        let mut projector = Self {
            bus,
            telemetry,
            store,
            projection: P::default(),
            checkpoint: 0,
            last_leaf: LastLeaf::Hash(EMPTY_HASH),
            tree_size: 0,
            unsaved_rows: HashMap::new(),
            unsaved_events: 0,
            unpublished: BTreeSet::new(),
            saved_at: Instant::now(),
            decoder: Decoder::default(),
        };
        if let Some(saved) = projector.store.load()? {
            let (mark, rows): (Vec<_>, Vec<_>) = saved
                .rows
                .into_iter()
                .partition(|(key, _)| key == LAST_LEAF_KEY);
            let last_leaf = mark
                .first()
                .and_then(|(_, hash)| hash.as_slice().try_into().ok());
            match (P::restore(rows.into_iter()), last_leaf) {
                (Ok(projection), Some(last_leaf)) => {
                    projector.projection = projection;
                    projector.checkpoint = saved.checkpoint;
                    projector.last_leaf = LastLeaf::Hash(Hash(last_leaf));
                }
                (Err(error), _) => {
                    warn!(projection = P::NAME, %error, "saved views cannot be read, folding the log anew");
                    projector.store.clear()?;
                }
                (Ok(_), None) => projector.store.clear()?,
            }
        }
        Ok(projector)
    }

    /// Forgets everything and begins at position 0.
    fn start_over(&mut self) -> Result<(), ProjectorError> {
        self.store.clear()?;
        self.projection = P::default();
        self.checkpoint = 0;
        self.telemetry.set_checkpoint(P::NAME, 0);
        self.last_leaf = LastLeaf::Hash(EMPTY_HASH);
        self.unsaved_rows.clear();
        self.unsaved_events = 0;
        Ok(())
    }

    /// Catches up and follows the log until something interrupts it.
    async fn session(&mut self, service: &mut QueryService) -> Interruption {
        match self.follow(service).await {
            Ok(never) => match never {},
            Err(interruption) => interruption,
        }
    }

    async fn follow(&mut self, service: &mut QueryService) -> Result<Infallible, Interruption> {
        let bus = self.bus.clone();
        self.check_history(service).await?;
        self.catch_up(service).await?;
        let opening = Box::pin(ViewBucket::open(&bus, P::NAME));
        let bucket = self.answer_until(service, opening).await??;
        self.unpublished.extend(self.projection.keys());
        self.publish(&bucket, service).await?;
        let opening = Box::pin(EventFeed::open(&bus, self.checkpoint, FEED_CHUNK));
        let mut feed = self.answer_until(service, opening).await??;
        let mut publish_tick = tokio::time::interval(PUBLISH_INTERVAL);
        let mut lag_tick = tokio::time::interval(LAG_CHECK_INTERVAL);
        let mut behind_at = None;
        publish_tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        lag_tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                events = feed.next() => self.fold_feed(&events?, service).await?,
                query = service.next() => self.answer(query).await?,
                _ = publish_tick.tick() => {
                    self.collect_changes();
                    self.publish(&bucket, service).await?;
                    if self.unsaved_events > 0 && self.saved_at.elapsed() >= SAVE_INTERVAL {
                        self.save()?;
                    }
                }
                _ = lag_tick.tick() => {
                    self.check_feed(&mut behind_at, service).await?;
                    self.check_bucket(&bucket, service).await?;
                }
            }
        }
    }

    /// Sees to it that the stream does not hold anything back, and fetches from the node what is not published in time.
    /// Normally nothing is left to fetch: it was delivered.
    async fn check_feed(
        &mut self,
        behind_at: &mut Option<u64>,
        service: &mut QueryService,
    ) -> Result<(), Interruption> {
        let bus = self.bus.clone();
        let asking = bus.head(QUERY_TIMEOUT);
        let head = self.answer_until(service, asking).await??;
        let stalled = *behind_at == Some(self.checkpoint);
        if stalled && head.published > self.checkpoint {
            // A consumer that lost its server may go silent without an error: only the node can tell.
            let what = format!(
                "nothing came after {} events although {} were published",
                self.checkpoint, head.published
            );
            return Err(FeedError { what }.into());
        }
        let lag_events = head.tree_size.saturating_sub(self.checkpoint);
        if lag_events > LAG_EVENTS || (stalled && lag_events > 0) {
            self.catch_up(service).await?;
        }
        // What was published while the node was asked may be waiting here: only the next look can tell.
        *behind_at = (head.tree_size > self.checkpoint).then_some(self.checkpoint);
        Ok(())
    }

    /// Sees to it that the bucket holds what was written to it: it may have been lost while no view changed.
    async fn check_bucket(
        &mut self,
        bucket: &ViewBucket,
        service: &mut QueryService,
    ) -> Result<(), Interruption> {
        self.collect_changes();
        self.publish(bucket, service).await?;
        let held = self.answer_until(service, bucket.count()).await??;
        let written = self.projection.keys().len();
        if usize::try_from(held).is_ok_and(|held| held < written) {
            return Err(BucketError {
                bucket: P::NAME.to_owned(),
                what: format!("it has lost views: {held} of {written} are left"),
            }
            .into());
        }
        Ok(())
    }

    /// Makes sure that the views come from the log that the node has now.
    async fn check_history(&mut self, service: &mut QueryService) -> Result<(), Interruption> {
        let bus = self.bus.clone();
        let asking = bus.head(QUERY_TIMEOUT);
        let head = self.answer_until(service, asking).await??;
        self.tree_size = head.tree_size;
        let Some(last) = self.checkpoint.checked_sub(1) else {
            return Ok(());
        };
        if head.tree_size >= self.checkpoint {
            let query = ReplayQuery {
                from: last,
                to: Some(self.checkpoint),
                ..ReplayQuery::default()
            };
            let asking = bus.replay(&query, QUERY_TIMEOUT);
            let page = self.answer_until(service, asking).await??;
            let mut found = None;
            for_each_stored(&mut self.decoder, &page, |stored| {
                if stored.position == last {
                    found = Some(leaf_hash(stored.header));
                }
                Ok(())
            })?;
            if found == Some(self.last_leaf.hash()) {
                return Ok(());
            }
        }
        warn!(
            projection = P::NAME,
            checkpoint = self.checkpoint,
            "the views come from another log, folding anew"
        );
        Ok(self.start_over()?)
    }

    /// Folds blocks from the node until its end is reached; queries are answered in between.
    async fn catch_up(&mut self, service: &mut QueryService) -> Result<(), Interruption> {
        let fetch = |bus: &Bus, from: u64| {
            let bus = bus.clone();
            let query = ReplayQuery {
                from,
                max_bytes: Some(REPLAY_BYTES),
                ..ReplayQuery::default()
            };
            tokio::spawn(async move { bus.replay(&query, QUERY_TIMEOUT).await })
        };
        let mut next_page = fetch(&self.bus, self.checkpoint);
        loop {
            let page = self.answer_until(service, next_page).await?;
            let page = page.map_err(|error| FeedError {
                what: error.to_string(),
            })??;
            self.tree_size = page.tree_size;
            let at_end = page.next >= page.tree_size;
            next_page = fetch(&self.bus, page.next);
            self.fold_page(&page)?;
            if self.unsaved_events >= SAVE_EVENTS {
                self.collect_changes();
                self.save()?;
            }
            if at_end {
                next_page.abort();
                self.collect_changes();
                return Ok(());
            }
        }
    }

    fn fold_page(&mut self, page: &ReplayPage) -> Result<(), Interruption> {
        let mut decoder = std::mem::take(&mut self.decoder);
        let folded = for_each_stored(&mut decoder, page, |stored| {
            if stored.position == self.checkpoint {
                let event = decode_event(stored)?;
                self.fold(stored.header, event.as_ref());
            }
            Ok(())
        });
        self.decoder = decoder;
        self.telemetry.set_checkpoint(P::NAME, self.checkpoint);
        folded.map_err(Into::into)
    }

    /// Folds what the stream delivered; a gap is filled from the node first.
    async fn fold_feed(
        &mut self,
        events: &[FeedEvent],
        service: &mut QueryService,
    ) -> Result<(), Interruption> {
        for event in events {
            if event.position > self.checkpoint {
                self.catch_up(service).await?;
            }
            if event.position < self.checkpoint {
                continue;
            }
            if event.position > self.checkpoint {
                let what = format!(
                    "position {} is missing from it and from the node",
                    self.checkpoint
                );
                return Err(FeedError { what }.into());
            }
            let position = event.position;
            let cut = delivered::cut(&event.delivered).map_err(|error| FeedError {
                what: format!("position {position}: {error}"),
            })?;
            let leaf = cut.leaf();
            let stored = StoredEvent {
                position,
                header: &leaf,
                content: content(&cut.payload),
                route: "",
            };
            let decoded = decode_event(&stored)?;
            self.fold(&leaf, decoded.as_ref());
        }
        self.tree_size = self.tree_size.max(self.checkpoint);
        self.telemetry.set_checkpoint(P::NAME, self.checkpoint);
        Ok(())
    }

    /// Takes the event at the checkpoint in. One whose data is withheld moves the checkpoint and nothing else.
    fn fold(&mut self, leaf: &[u8], event: Option<&Event>) {
        if let Some(event) = event {
            self.projection.apply(event);
        }
        self.checkpoint += 1;
        self.unsaved_events += 1;
        self.last_leaf.note(leaf);
    }

    fn collect_changes(&mut self) {
        let changes = self.projection.take_changes();
        self.unsaved_rows.extend(changes.rows);
        self.unpublished.extend(changes.keys);
    }

    async fn publish(
        &mut self,
        bucket: &ViewBucket,
        service: &mut QueryService,
    ) -> Result<(), Interruption> {
        if self.unpublished.is_empty() {
            return Ok(());
        }
        let keys = std::mem::take(&mut self.unpublished);
        let bodies = keys.into_iter().filter_map(|key| {
            let body = self.projection.body(&key)?;
            Some((key, Bytes::from(body)))
        });
        let putting = bucket.put_all(bodies.collect());
        Ok(self.answer_until(service, putting).await??)
    }

    fn save(&mut self) -> Result<(), SledFault> {
        self.collect_changes();
        let mut rows = std::mem::take(&mut self.unsaved_rows);
        rows.insert(LAST_LEAF_KEY.to_vec(), self.last_leaf.hash().0.to_vec());
        tokio::task::block_in_place(|| self.store.save(self.checkpoint, rows))?;
        self.unsaved_events = 0;
        self.saved_at = Instant::now();
        Ok(())
    }

    /// Waits for something that needs nothing of the projector, and answers queries meanwhile: whoever asks for a view
    /// does not wait for the node or for `JetStream`.
    async fn answer_until<T>(
        &mut self,
        service: &mut QueryService,
        waiting: impl Future<Output = T>,
    ) -> Result<T, Interruption> {
        let mut waiting = pin!(waiting);
        loop {
            tokio::select! {
                done = &mut waiting => return Ok(done),
                query = service.next() => self.answer(query).await?,
            }
        }
    }

    async fn answer(&mut self, query: Option<Query>) -> Result<(), Interruption> {
        let Some(query) = query else {
            return Err(FeedError {
                what: "the connection is closed".to_owned(),
            }
            .into());
        };
        let answer = if query.endpoint == P::NAME {
            let key = if query.argument.is_empty() {
                SUMMARY
            } else {
                &query.argument
            };
            parse(&query.payload).and_then(|asked| self.view(key, &asked))
        } else {
            json(&ProjectionAnswer {
                projection: P::NAME.to_owned(),
                checkpoint: self.checkpoint,
                views: self.projection.keys(),
            })
        };
        query.respond(answer).await;
        Ok(())
    }

    /// A view in its envelope, with a page of its commitments when some are asked for.
    fn view(&self, key: &str, asked: &ViewQuery) -> Result<Answer, QueryFailure> {
        let Some(body) = self.projection.body(key) else {
            return Err(QueryFailure::not_found(format!(
                "there is no {} view of {key}",
                P::NAME
            )));
        };
        let failed = |error: serde_json::Error| QueryFailure {
            code: 500,
            message: error.to_string(),
        };
        let now = Utc::now();
        let envelope = Envelope {
            as_of: now,
            watermark: self.checkpoint.checked_sub(1),
            lag_events: self.tree_size.saturating_sub(self.checkpoint),
            title: self.projection.title(key),
            timeliness: self
                .projection
                .timeliness(key, now.date_naive())
                .unwrap_or_default(),
        };
        let mut payload = envelope.wrap(&body).map_err(failed)?;
        if asked.limit > 0 {
            let page = Page {
                after: asked.after,
                limit: asked.limit,
            };
            let list = self.projection.list(key, &page);
            if payload.pop() == Some(b'}') {
                payload.extend_from_slice(b",\"list\":");
                serde_json::to_writer(&mut payload, &list).map_err(failed)?;
                payload.push(b'}');
            }
        }
        let headers = vec![(WATERMARK_HEADER, self.checkpoint.to_string())];
        Ok(Answer {
            payload: payload.into(),
            headers,
        })
    }
}

fn content<'a>(payload: &'a Payload<'a>) -> Content<'a> {
    match payload {
        Payload::Data { salt, data } => Content::Present { salt, data },
        Payload::Withheld { ground } => Content::Withheld { ground },
    }
}

/// Calls `visit` with every event of a page, in order.
fn for_each_stored(
    decoder: &mut Decoder,
    page: &ReplayPage,
    mut visit: impl FnMut(&StoredEvent<'_>) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    let block_error = |source| HistoryError::Block {
        position: page.next,
        source,
    };
    let mut rest: &[u8] = &page.blocks;
    while !rest.is_empty() {
        let (block, after) = split_first(rest).map_err(block_error)?;
        let events = decoder.events(block).map_err(block_error)?;
        for stored in &events {
            visit(&stored.map_err(block_error)?)?;
        }
        decoder.recycle(events);
        rest = after;
    }
    Ok(())
}
