//! A projector: folds the log into one family of views or into all of them, keeps them in a store of its own, publishes and answers them.
//!
//! It catches up by blocks from the node, then follows `LEDGER_EVENTS`. It never skips a gap: what the stream does not
//! deliver next is asked of the node. Views and the checkpoint they stand at are saved in one atomic write, so that a
//! crash costs some folding and nothing else.

mod answer;
mod follow;
mod known;
mod pages;
mod payload;
mod standing;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ledger_bus::{
    BucketError, Bus, BusOptions, ConnectError, FeedError, LogThrottle, NatsAccess, QueryError,
    QueryService, ServiceError, ViewBucket,
};
use ledger_domain::view::{
    Changes, Family, RestoreError, Views, changelog_version, family_of, projection_name,
};
use ledger_domain::wire::v1::EventExcerpt;
use ledger_domain::wire::v1::endpoint::ViewEndpoint;
use ledger_proof::block::Decoder;
use ledger_proof::{EMPTY_HASH, Hash, leaf_hash};
use ledger_store::{OpenError, SavedViews, SledFault, ViewStore};
use thiserror::Error;
use tokio::sync::Semaphore;
use tracing::{info, warn};

use self::standing::Standing;
use crate::query::history::HistoryError;
use crate::runtime::shutdown::Shutdown;
use crate::runtime::telemetry::Telemetry;

/// Views saved by another version are folded anew.
const VIEW_STORE_VERSION: &str = "11";
/// The row that says from which log the views come; no projection has a key like it.
const LAST_LEAF_KEY: &[u8] = b"\0last-leaf";
/// Questions about the past that are answered at once, each on a thread of its own.
const KNOWN_AT_ONCE: usize = 4;
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// The longest pause before buckets that cannot be written are written again.
const LONGEST_BUCKET_DELAY: Duration = Duration::from_secs(2);
/// How often it is looked whether a store that could not be written can be.
const ROOM_CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// What a projector is told when it starts.
#[derive(Clone, Debug)]
pub struct ProjectorOptions {
    /// Address of the nats-server.
    pub nats_url: NatsAccess,
    /// Directory of its own store.
    pub dir: PathBuf,
    /// The families of views that it folds.
    pub families: &'static [Family],
}

impl ProjectorOptions {
    /// The projector's name.
    pub(crate) fn name(&self) -> &'static str {
        projection_name(self.families)
    }
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
    /// Its store cannot be opened: by another process it is open, or the disk refuses.
    #[error("the projector's store cannot be opened")]
    Open(#[from] OpenError),
    /// Its store cannot be read or written.
    #[error("the projector's store cannot be used")]
    Store(#[from] SledFault),
    /// A history of nothing does not begin.
    #[error("the history of the views cannot begin")]
    History(#[from] RestoreError),
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
    /// Its store cannot be written, for want of space most likely: it is made anew when it can be.
    #[error(
        "the projector's store cannot be written ({what}): it will be made anew when it can be, from the log"
    )]
    Store {
        /// What failed, with its causes.
        what: String,
    },
    /// Its history does not hold any more.
    #[error("the history of the views is damaged: they are folded anew from the log")]
    Damaged,
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
        Self::Store {
            what: causes(&error),
        }
    }
}

/// What an error rests on, down to the system's own words.
fn causes(error: &dyn std::error::Error) -> String {
    let mut what = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !what.ends_with(&said) {
            what.push_str(if what.is_empty() { "" } else { ": " });
            what.push_str(&said);
        }
        cause = error.source();
    }
    if what.is_empty() {
        what = error.to_string();
    }
    what
}

/// Runs one projector until it is told to stop; whatever the server does, it begins again.
///
/// # Errors
/// [`ProjectorError`] when its own store cannot be opened or an event cannot be read.
pub async fn run_projector(
    options: ProjectorOptions,
    telemetry: Telemetry,
    shutdown: Shutdown,
) -> Result<(), ProjectorError> {
    let bus_options =
        BusOptions::service(&options.nats_url, &format!("projector-{}", options.name()));
    let bus = Bus::connect(&bus_options).await?;
    let ended = run(&bus, &options, telemetry, shutdown).await;
    bus.close().await;
    ended
}

async fn run(
    bus: &Bus,
    options: &ProjectorOptions,
    telemetry: Telemetry,
    mut shutdown: Shutdown,
) -> Result<(), ProjectorError> {
    let opened = tokio::select! {
        opened = Projector::open_with_room(bus, options, telemetry) => opened?,
        () = shutdown.requested() => return Ok(()),
    };
    let mut projector = opened;
    let endpoints = answer::endpoints(options.families);
    let description = format!("Answers {} views", options.name());
    let mut waiting = LogThrottle::default();
    let mut service = loop {
        let started = QueryService::start(bus, &description, &endpoints);
        tokio::select! {
            started = started => match started {
                Ok(service) => break service,
                Err(error) if waiting.should_log(&error, Instant::now()) => {
                    warn!(%error, "queries cannot be offered yet");
                }
                Err(_) => {}
            },
            () = shutdown.requested() => return Ok(()),
        }
        tokio::time::sleep(RETRY_DELAY).await;
    };
    let mut bucket_delay = RETRY_DELAY;
    loop {
        let ended = tokio::select! {
            ended = projector.session(&mut service) => ended,
            () = shutdown.requested() => {
                projector.finish();
                return Ok(());
            }
        };
        let mut delay = RETRY_DELAY;
        match &ended {
            Interruption::Store { .. } => {
                projector.faulty.store(true, Ordering::Relaxed);
                delay = ROOM_CHECK_INTERVAL;
            }
            Interruption::Bucket(error) => {
                projector.fail_writes(error);
                delay = bucket_delay;
            }
            Interruption::Query(_) => projector.standing.lose(),
            Interruption::Feed(_) | Interruption::Damaged | Interruption::Fatal(_) => {}
        }
        bucket_delay = match ended {
            Interruption::Bucket(_) => LONGEST_BUCKET_DELAY.min(bucket_delay * 2),
            Interruption::Query(_)
            | Interruption::Feed(_)
            | Interruption::Store { .. }
            | Interruption::Damaged
            | Interruption::Fatal(_) => RETRY_DELAY,
        };
        if let Interruption::Fatal(error) = ended {
            return Err(error);
        }
        if !waiting.should_log(&ended, Instant::now()) {
            tracing::debug!(projection = options.name(), error = %ended, "beginning again");
        } else if !projector.standing.is_known() {
            info!(projection = options.name(), waiting = %ended, "the node is not there yet");
        } else {
            warn!(projection = options.name(), error = %ended, "following the log was interrupted, beginning again");
        }
        let pause = tokio::time::sleep(delay);
        tokio::select! {
            // The views are there, whatever is away.
            ended = projector.answer_until(&mut service, pause) => {
                if let Err(Interruption::Fatal(error)) = ended {
                    return Err(error);
                }
            }
            () = shutdown.requested() => {
                projector.finish();
                return Ok(());
            }
        }
    }
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
struct Projector {
    families: &'static [Family],
    bus: Bus,
    telemetry: Telemetry,
    store: ViewStore,
    projection: Views,
    /// The next position to fold.
    checkpoint: u64,
    /// Leaf hash of the event before it: shows that the views come from this log and no other.
    last_leaf: LastLeaf,
    standing: Standing,
    unsaved_events: u64,
    unpublished: BTreeSet<String>,
    saved_at: Instant,
    published_at: Instant,
    decoder: Decoder,
    /// Room for questions about the past.
    known: Arc<Semaphore>,
    /// The store or its history does not hold: nothing is saved until it is made anew.
    faulty: Arc<AtomicBool>,
}

impl Projector {
    fn name(&self) -> &'static str {
        projection_name(self.families)
    }

    /// Opens the store; where that fails on a full disk, again and again until there is room.
    async fn open_with_room(
        bus: &Bus,
        options: &ProjectorOptions,
        telemetry: Telemetry,
    ) -> Result<Self, ProjectorError> {
        let mut waiting = LogThrottle::default();
        loop {
            let error = match Self::open(bus.clone(), options, telemetry.clone()) {
                Ok(projector) => return Ok(projector),
                Err(error) => error,
            };
            if ViewStore::has_room(&options.dir) {
                return Err(error);
            }
            let why = causes(&error);
            if waiting.should_log(&why, Instant::now()) {
                warn!(projection = options.name(), dir = %options.dir.display(), error = %why, "the views' store cannot be opened until there is room on its disk");
            }
            tokio::time::sleep(ROOM_CHECK_INTERVAL).await;
        }
    }

    /// Opens the store and builds the projection from what it holds, or from nothing when it cannot be read.
    fn open(
        bus: Bus,
        options: &ProjectorOptions,
        telemetry: Telemetry,
    ) -> Result<Self, ProjectorError> {
        let version = format!("{VIEW_STORE_VERSION} {}", changelog_version());
        let store = ViewStore::open(&options.dir, &version)?;
        let mut projector = Self {
            bus,
            telemetry,
            store,
            families: options.families,
            projection: Views::of(options.families),
            checkpoint: 0,
            last_leaf: LastLeaf::Hash(EMPTY_HASH),
            standing: Standing::default(),
            unsaved_events: 0,
            unpublished: BTreeSet::new(),
            saved_at: Instant::now(),
            published_at: Instant::now(),
            decoder: Decoder::default(),
            known: Arc::new(Semaphore::new(KNOWN_AT_ONCE)),
            faulty: Arc::default(),
        };
        if let Some(saved) = projector.store.load()? {
            let (mark, rows): (Vec<_>, Vec<_>) = saved
                .rows
                .into_iter()
                .partition(|(key, _)| key == LAST_LEAF_KEY);
            let last_leaf = mark
                .first()
                .and_then(|(_, hash)| hash.as_slice().try_into().ok());
            let open_history = saved.open_history.into_iter();
            let restored =
                Views::restore(options.families, rows.into_iter()).and_then(|mut projection| {
                    projection.keep_changelog(open_history)?;
                    Ok(projection)
                });
            match (restored, last_leaf) {
                (Ok(projection), Some(last_leaf)) => {
                    projector.projection = projection;
                    projector.checkpoint = saved.checkpoint;
                    projector.last_leaf = LastLeaf::Hash(Hash(last_leaf));
                }
                (Err(error), _) => {
                    warn!(projection = options.name(), %error, "saved views cannot be read, folding the log anew");
                    projector.store.clear()?;
                }
                (Ok(_), None) => projector.store.clear()?,
            }
        }
        if projector.checkpoint == 0 {
            projector.projection = begun(options.families)?;
        }
        Ok(projector)
    }

    /// Forgets everything and begins at position 0.
    fn start_over(&mut self) -> Result<(), Interruption> {
        self.store.clear()?;
        self.projection = begun(self.families)?;
        // Whoever still answers from what was there before tells nobody of it.
        self.faulty = Arc::default();
        self.unpublished.clear();
        self.standing.forget();
        self.checkpoint = 0;
        self.note_checkpoint();
        self.last_leaf = LastLeaf::Hash(EMPTY_HASH);
        self.unsaved_events = 0;
        Ok(())
    }

    /// Takes the event at the checkpoint in. One whose data is withheld moves the checkpoint and nothing else.
    fn fold(&mut self, event: Option<&EventExcerpt>) {
        if let Some(event) = event {
            self.projection.apply_excerpt(event);
        }
        self.checkpoint += 1;
        self.unsaved_events += 1;
    }

    /// Says how far the views have come, for each family.
    fn note_checkpoint(&self) {
        for family in self.families {
            self.telemetry
                .set_checkpoint(family.name(), self.checkpoint);
        }
    }

    async fn publish(
        &mut self,
        buckets: &[(Family, ViewBucket)],
        service: &mut QueryService<ViewEndpoint>,
    ) -> Result<(), Interruption> {
        self.unpublished.extend(self.projection.take_keys());
        let checkpoint = self.checkpoint;
        let keys = std::mem::take(&mut self.unpublished);
        for (family, bucket) in buckets {
            let of_family = keys.iter().filter(|key| family_of(key) == *family);
            let bodies = of_family.filter_map(|key| {
                let body = self.projection.body(key)?;
                Some((key.clone(), Bytes::from(body)))
            });
            let bodies: Vec<_> = bodies.collect();
            if !bodies.is_empty() {
                self.standing
                    .begin_writes(*family, bodies.len(), &self.telemetry);
                let putting = bucket.put_all(bodies);
                self.answer_until(service, putting).await??;
                self.telemetry.transport.note_success();
            }
            self.standing
                .end_writes(*family, checkpoint, &self.telemetry);
        }
        if !keys.is_empty() {
            self.published_at = Instant::now();
        }
        Ok(())
    }

    fn fail_writes(&mut self, error: &BucketError) {
        let keys = self.projection.keys();
        let views = |family| keys.iter().filter(|key| family_of(key) == family).count();
        self.standing
            .fail_writes(self.families, error, views, &self.telemetry);
        self.telemetry.transport.note_failure(&error.what);
    }

    /// Begins to save the rows that changed since the last save, and the checkpoint they stand at. They are written while the fold goes on.
    fn save(&mut self) -> Result<(), SledFault> {
        tokio::task::block_in_place(|| {
            let Changes { mut rows, keys } = self.projection.take_changes();
            self.unpublished.extend(keys);
            rows.push((LAST_LEAF_KEY.to_vec(), self.last_leaf.hash().0.to_vec()));
            let grown = self.projection.take_grown_chunks().into_iter();
            self.store.begin_save(SavedViews {
                checkpoint: self.checkpoint,
                rows,
                open_history: grown.map(|chunk| (chunk.list, chunk.bytes)).collect(),
            })
        })?;
        self.unsaved_events = 0;
        self.saved_at = Instant::now();
        Ok(())
    }

    fn is_faulty(&self) -> bool {
        self.faulty.load(Ordering::Relaxed)
    }

    /// Saves, and waits until that is written. What was not saved is folded again at the next start.
    fn finish(&mut self) {
        if self.is_faulty() {
            return;
        }
        let saved = self.save();
        let saved = saved.and_then(|()| tokio::task::block_in_place(|| self.store.end_save()));
        if let Err(error) = saved {
            let error = Interruption::from(error);
            warn!(projection = self.name(), %error, "the last views were not saved");
        }
    }
}

/// A projection of nothing yet that keeps its history.
fn begun(families: &[Family]) -> Result<Views, ProjectorError> {
    let mut projection = Views::of(families);
    projection.keep_changelog(std::iter::empty())?;
    Ok(projection)
}
