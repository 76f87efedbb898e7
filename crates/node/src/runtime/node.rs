//! A node: opens the log, makes it when it is new, and runs the loops around it until one fails or it is told to stop.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use ledger_bus::{Bus, BusOptions, EventPublisher, LogThrottle, Replier};
use ledger_domain::RULES_VERSION;
use ledger_domain::ids::{EventId, LedgerId, PartnerId, PartyId, Position, Subject, Version};
use ledger_domain::wire::v1::{EventBody, EventHeader, LedgerOpened, Policy, Root};
use ledger_proof::{data_digest, leaf_hash};
use ledger_store::{
    AppendError, Appender, Damage, EventKeys, Group, Log, NewRecord, OpenError, Options, Witness,
    lock_id_at,
};
use rand::RngCore;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};
use uuid::Uuid;

use crate::error::NodeError;
use crate::lease::take::Applicant;
use crate::lease::{Holder, Lease, LeaseStanding, Terms};
use crate::publish::publisher::{PublisherError, Tail};
use crate::publish::recent::RecentEvents;
use crate::query::queries::Queries;
use crate::runtime::clock::{Clock, ClockError};
use crate::runtime::ledger_key::{self};
use crate::runtime::options::NodeOptions;
use crate::runtime::parts::{Part, Parts};
use crate::runtime::shutdown::{Shutdown, ShutdownTrigger};
use crate::runtime::telemetry::{Telemetry, gauge_value};
use crate::write::appender::AppendLoop;
use crate::write::intake::{Chunk, Intake};
use crate::write::pending::Pending;
use crate::write::queue::QueueRoom;
use crate::write::refusing::Refusing;
use crate::write::replies::{self, Guard, ReplySender};
use crate::write::state::DecisionState;
use crate::write::writer::Writer;

/// The party that the root partner acts for: the ledger itself.
const ROOT_PARTY: &str = "ledger";
/// More room than there was, for a log that needs some to be tried again: a segment of sled.
const ROOM_BYTES: u64 = 16 << 20;
/// The time between two looks for room.
const ROOM_DELAY: Duration = Duration::from_secs(1);
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// How long a stopping node waits for receipts and events to leave.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Runs a node until it is told to stop. On return the log is closed and everything acknowledged is on disk.
///
/// # Errors
/// [`NodeError`] when the log cannot be opened, read, written or signed, or the event stream contradicts it.
pub async fn run_node(
    options: NodeOptions,
    telemetry: Telemetry,
    mut shutdown: Shutdown,
) -> Result<(), NodeError> {
    let bus = Bus::connect(&BusOptions::service(&options.nats_url, "node")).await?;
    let terms = Terms::lasting(options.lease_seconds);
    let directory = options.data_dir.display().to_string();
    let this = Holder::this(&options.ledger_id, directory, terms.lasts());
    let mut applicant = Applicant::new(&bus, this, terms, telemetry.lease.clone());
    let witnessed_size = tokio::select! {
        // Who holds the lease says more than a log that is shorter than the stream.
        looked = applicant.look(lock_id_at(&options.data_dir)) => {
            looked?;
            tokio::select! {
                size = published_size(&bus, &telemetry.lease) => size,
                () = shutdown.requested() => return Ok(()),
            }
        }
        () = shutdown.requested() => return Ok(()),
    };
    bus.warn_of_small_messages();
    let opened =
        open_when_there_is_room(&options, witnessed_size, &telemetry.lease, &mut shutdown).await?;
    let Some(opened) = opened else {
        return Ok(());
    };
    let (trigger, stopping) = crate::runtime::shutdown::shutdown();
    let lease = tokio::select! {
        taken = applicant.take(&opened.log, opened.had_events, stopping) => taken?,
        () = shutdown.requested() => {
            applicant.release().await;
            return Ok(());
        }
    };
    let starting = Loops::start(bus, opened, &options, telemetry, lease.clone(), trigger);
    match Box::pin(starting).await {
        Ok(loops) => loops.run(shutdown).await,
        Err(error) => {
            lease.release().await;
            Err(error)
        }
    }
}

/// How many events the stream holds: a log found shorter has lost its end.
async fn published_size(bus: &Bus, standing: &LeaseStanding) -> u64 {
    let mut waiting = LogThrottle::default();
    loop {
        let state = match EventPublisher::open(bus).await {
            Ok(publisher) => publisher.state().await,
            Err(error) => Err(error),
        };
        match state {
            Ok(state) => return state.last_sequence,
            Err(error) => {
                if waiting.should_log(&error, Instant::now()) {
                    warn!(%error, "waiting for nats-server with JetStream");
                }
                standing.say(format!("the event stream cannot be looked at yet: {error}"));
            }
        }
        tokio::time::sleep(RETRY_DELAY).await;
    }
}

/// Opens the log. Where its block store must be made anew and the disk has no room for that, it waits for room; nothing
/// when it was told to stop meanwhile.
async fn open_when_there_is_room(
    options: &NodeOptions,
    witnessed_size: u64,
    standing: &LeaseStanding,
    shutdown: &mut Shutdown,
) -> Result<Option<Opened>, NodeError> {
    loop {
        let (opening, clock) = (options.clone(), Clock::start(Arc::clone(&options.clock)));
        let opened = tokio::task::spawn_blocking(move || open(&opening, clock, witnessed_size));
        let opened = opened.await;
        match opened.map_err(|_| NodeError::Ended { part: "opening" })? {
            Err(NodeError::Open(error)) if error.is_for_want_of_room() => {
                let dir = options.data_dir.display();
                let why = format!(
                    "the log is opened as soon as there is room on the disk of {dir}: make room"
                );
                warn!(%error, "{why}");
                standing.say(why);
            }
            opened => return opened.map(Some),
        }
        // Tried again when there is more room, and not before: each attempt writes until the disk is full.
        let free = options.disk.free_space().unwrap_or_default();
        while options.disk.free_space().unwrap_or_default() < free.saturating_add(ROOM_BYTES) {
            tokio::select! {
                () = tokio::time::sleep(ROOM_DELAY) => {}
                () = shutdown.requested() => return Ok(None),
            }
        }
    }
}

/// The log with the state that decisions rest on.
struct Opened {
    log: Log,
    appender: Appender,
    state: DecisionState,
    ledger: LedgerId,
    clock: Clock,
    /// Events it had before this start.
    had_events: u64,
}

fn open(options: &NodeOptions, clock: Clock, witnessed_size: u64) -> Result<Opened, NodeError> {
    let ledger: LedgerId = options.ledger_id.parse()?;
    let root = Root {
        partner: options.root_partner.parse()?,
        party: ROOT_PARTY.parse()?,
    };
    // Before anything is made.
    believe(options, &clock, None)?;
    let store_options = Options {
        disk: Arc::clone(&options.disk),
        free_floor_bytes: options.free_space_floor_bytes,
        witnessed_size,
        ..Options::new(&options.data_dir, ledger.as_str())
    };
    let (log, mut appender, recovery) = Log::open(store_options).map_err(open_failure)?;
    info!(?recovery, "the log is open");
    let had_events = log.tree_size();
    if log.tree_size() == 0 {
        let opened = appender.append(&opening_group(&log, &ledger, root));
        opened.map_err(|error| opening_failure(error, &options.data_dir))?;
        info!(%ledger, "a new ledger was made");
    } else {
        ledger_key::check(&log)??;
        let newest = crate::query::history::header_at(&log, log.tree_size() - 1)?;
        believe(options, &clock, Some(newest.time))?;
    }
    let state = DecisionState::load(log.clone(), options.cached_commitments)?;
    let ledger = crate::query::history::header_at(&log, 0)?.ledger;
    Ok(Opened {
        log,
        appender,
        state,
        ledger,
        clock,
        had_events,
    })
}

/// Whether the clock is one to begin with, unless its owner said that it is.
fn believe(
    options: &NodeOptions,
    clock: &Clock,
    newest: Option<DateTime<Utc>>,
) -> Result<(), ClockError> {
    match clock.check(newest) {
        Err(error) if options.accept_clock => {
            warn!(%error, "the clock was accepted");
            Ok(())
        }
        checked => checked,
    }
}

/// Says of a disk that is too small for a new log what the next start would say.
fn opening_failure(error: AppendError, dir: &Path) -> NodeError {
    if let AppendError::NoSpace { free, floor } = error {
        let dir = dir.to_owned();
        return OpenError::NoSpace { dir, free, floor }.into();
    }
    error.into()
}

/// Says of a log that is shorter than its stream what the publisher would say.
fn open_failure(error: OpenError) -> NodeError {
    if let OpenError::Damaged { what, .. } = &error
        && let Damage::Shorter {
            journal,
            known,
            witness: Witness::Caller,
        } = what
    {
        return PublisherError::StreamAhead {
            last_sequence: *known,
            tree_size: *journal,
        }
        .into();
    }
    error.into()
}

/// The event at position 0: what the ledger is called, its key, its root and its policy.
pub(crate) fn opening_group(log: &Log, ledger: &LedgerId, root: Root) -> Group {
    let mut salt = [0; 16];
    rand::rng().fill_bytes(&mut salt);
    let now = Utc::now();
    let (partner, party): (PartnerId, PartyId) = (root.partner.clone(), root.party.clone());
    let body = EventBody::LedgerOpened(LedgerOpened {
        ledger: ledger.clone(),
        verifier_key: log.key().verifier_key().as_str().to_owned(),
        root,
        policy: Policy::default(),
    });
    let data = body.encode();
    let header = EventHeader {
        id: EventId(Uuid::now_v7()),
        ledger: ledger.clone(),
        event_type: body.event_type(),
        subject: Subject::Ledger,
        time: now
            .duration_trunc(TimeDelta::microseconds(1))
            .unwrap_or(now),
        position: Position(0),
        stream_version: Version(1),
        partner,
        party,
        causation_id: None,
        submission: None,
        submission_index: None,
        effective: None,
        rules_version: RULES_VERSION,
        data_digest: data_digest(&salt, &data),
        // Position 0 has no free text: its outline is its data.
        outline_digest: None,
    }
    .encode();
    let keys = EventKeys {
        command: None,
        commitment: None,
        leaf: leaf_hash(&header),
    };
    let record = NewRecord {
        position: 0,
        keys,
        header,
        salt,
        data,
        route: "|".to_owned(),
    };
    Group {
        records: vec![record],
        submissions: Vec::new(),
    }
}

/// The most bytes of an answer, as the server says at the time.
fn max_answer(bus: &Bus) -> Arc<dyn Fn() -> usize + Send + Sync> {
    let bus = bus.clone();
    Arc::new(move || bus.max_answer())
}

/// A part that cannot fail.
async fn endless(run: impl Future<Output = ()>) -> Result<(), NodeError> {
    run.await;
    Ok(())
}

/// Everything that runs.
struct Loops {
    parts: Parts,
    bus: Bus,
    query_bus: Bus,
    log: Log,
    lease: Lease,
}

impl Loops {
    async fn start(
        bus: Bus,
        opened: Opened,
        options: &NodeOptions,
        telemetry: Telemetry,
        lease: Lease,
        trigger: ShutdownTrigger,
    ) -> Result<Self, NodeError> {
        let Opened {
            log,
            appender,
            state,
            ledger,
            clock,
            had_events,
        } = opened;
        let policy = Arc::new(state.reference.policy().clone());
        let size = log.tree_size();
        telemetry.tree_size.set(gauge_value(size));
        let (size_sender, tree_size) = watch::channel(size);
        let (publishing, published) = watch::channel(0);
        let (reply_sender, reply_receiver) = ReplySender::new();
        let (chunk_sender, chunks) = mpsc::unbounded_channel::<Chunk>();
        let pending = Arc::new(Pending::default());
        let room = QueueRoom::new(
            options.queue_bytes,
            options.queue_submissions,
            telemetry.clone(),
        );

        let writer = Writer {
            log: log.clone(),
            ledger: ledger.clone(),
            clock: clock.clone(),
            state,
            cached_commitments: options.cached_commitments,
            pending: Arc::clone(&pending),
            replies: reply_sender.clone(),
            runtime: Handle::current(),
            encoded: Vec::new(),
        };
        let recent = Arc::new(RecentEvents::default());
        let refusing = Refusing {
            log: log.clone(),
            clock,
            free_floor_bytes: options.free_space_floor_bytes,
            space_lacked: Arc::default(),
        };
        let append_loop = AppendLoop {
            appender,
            recent: Arc::clone(&recent),
            pending,
            replies: reply_sender.clone(),
            tree_size: size_sender,
            telemetry: telemetry.clone(),
            refusing: refusing.clone(),
            lease: lease.clone(),
        };
        let tail = Tail {
            log: log.clone(),
            tree_size: tree_size.clone(),
            recent,
            published: publishing,
            telemetry: telemetry.clone(),
            lease: lease.clone(),
        };
        let guard = Guard::new(&lease, had_events);
        let keeping =
            lease
                .clone()
                .keep(log.clone(), published.clone(), telemetry.transport.clone());
        let queries = Queries {
            log: log.clone(),
            ledger: ledger.as_str().into(),
            published,
            scrubbing: Arc::default(),
            names: Arc::default(),
            max_answer: max_answer(&bus),
            refusing,
        };
        let intake = Intake::open(&bus, room, policy, reply_sender, chunk_sender).await?;
        // A connection of its own: receipts do not wait behind answers, which are larger.
        let query_bus = Bus::connect(&BusOptions::queries(&options.nats_url, "queries")).await?;
        let service = Queries::start(&query_bus).await?;
        let replier = Replier::new(&bus);
        let heads = crate::publish::heads::run(log.clone(), tree_size);
        let nats_url = options.nats_url.clone();
        let mut parts = Parts::default();
        parts.trigger_at_stop(trigger);
        let (give_up, giving_up) = crate::runtime::shutdown::shutdown();
        parts.trigger_when_giving_up(give_up);
        parts.spawn(Part::Lease, keeping);
        parts.spawn_thread(Part::Writer, move || writer.run(chunks))?;
        parts.spawn_thread(Part::Appender, move || append_loop.run())?;
        parts.spawn_thread(Part::Publisher, move || tail.run(&nats_url, giving_up))?;
        parts.spawn(Part::Heads, heads);
        parts.spawn(Part::Intake, endless(intake.run()));
        let replying = replies::run(reply_receiver, replier, telemetry, guard);
        parts.spawn(Part::Replies, endless(replying));
        parts.spawn(Part::Queries, endless(queries.run(service, lease.clone())));
        Ok(Self {
            parts,
            bus,
            query_bus,
            log,
            lease,
        })
    }

    /// Runs until the signal or a failure; then everything that was taken is decided, synced and answered.
    async fn run(self, shutdown: Shutdown) -> Result<(), NodeError> {
        let ended = self.parts.run(shutdown, DRAIN_TIME).await;
        self.lease.release().await;
        tokio::join!(self.bus.close(), self.query_bus.close());
        drop(self.log);
        info!("stopped");
        ended
    }
}
