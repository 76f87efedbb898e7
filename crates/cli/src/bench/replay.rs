//! `bench replay` and `bench rebuild`: how fast a log is read back.

use std::time::{Duration, Instant};

use ledger_bus::subject;
use ledger_client::{CheckedReplay, Connection, Decoding, Replay, ReplayRange};
use ledger_proof::verify::LeafVerifier;
use serde::Serialize;

use super::drive::drive;
use super::ingest::{as_f64, slowest_view};
use super::load::Load;
use super::rig::{PARTNER, Rig, actions, parties};
use super::{BenchArgs, ECHO_SUBJECT, Spread, per_second};
use crate::failure::Failure;

/// Commands in one submission while the log is filled.
const FILL_BATCH: usize = 1_000;
/// Commands made ahead while the log is filled.
const FILL_CHUNK: usize = 100_000;
/// Commands echoed before each round.
const ECHO_COMMANDS: usize = 100_000;

/// The figures of a replay or rebuild. Rates are of events.
#[derive(Debug, Serialize)]
pub(super) struct ReadReport {
    /// Median over the rounds.
    rate_per_s: f64,
    /// Commands echoed a second, one per request: what the connection itself carries; median over the rounds.
    echo_per_s: f64,
    /// `rate_per_s` over `echo_per_s`.
    ratio_to_echo: f64,
    rates: Spread,
    echoes: Spread,
    events: u64,
    rounds: usize,
    /// Root recomputed from the leaves that were read; absent where no tree was computed.
    root: Option<String>,
    reader_peak_memory_bytes: u64,
    node_peak_memory_bytes: u64,
    /// Processor time for one event, in microseconds; absent where it was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    processor_us: Option<ProcessorTime>,
    processes: &'static str,
}

/// Processor time of all rounds, divided by the events read in them.
#[derive(Debug, Serialize)]
struct ProcessorTime {
    projector: f64,
    node: f64,
    nats_server: f64,
}

/// A node with a log of so many commands.
pub(super) async fn filled(args: &BenchArgs) -> Result<Rig, Failure> {
    let rig = Rig::start(&args.dir, args.cached_commitments).await?;
    let mut load = Load::new(7, parties(), actions()?);
    let mut left = args.commands;
    while left > 0 {
        let batches = load.batches(left.min(FILL_CHUNK), FILL_BATCH.min(left));
        let round = drive(&rig.bus, subject::command(PARTNER), batches, 16).await?;
        if round.refused > 0 {
            return Err(Failure::because("submissions of the load had refusals"));
        }
        left -= left.min(FILL_CHUNK);
    }
    Ok(rig)
}

/// Reads the whole log in rounds, verifying every leaf and the root.
pub(super) async fn replay(args: &BenchArgs) -> Result<ReadReport, Failure> {
    let mut rig = filled(args).await?;
    rig.start_echo().await?;
    let connection = Connection::open(rig.url(), "bench-auditor").await?;
    let events = rig.tree_size().await?;
    settled(&rig).await?;
    let (mut rates, mut echoes, mut root) = (Vec::new(), Vec::new(), None);
    for _ in 0..args.rounds.max(1) {
        echoes.push(echo(&rig, args).await?);
        let range = ReplayRange {
            to: Some(events),
            ..ReplayRange::default()
        };
        let started = Instant::now();
        let mut replay = CheckedReplay::new(Replay::new(&connection, range), Decoding::Check);
        let mut verifier = LeafVerifier::new();
        while let Some(chunk) = replay.next().await? {
            if let Some(run) = &chunk.run {
                verifier
                    .admit(run)
                    .map_err(|error| Failure::failed(&error))?;
            }
        }
        if verifier.size() != events {
            return Err(Failure::because(format!(
                "{} of {events} events were replayed",
                verifier.size()
            )));
        }
        rates.push(as_f64(events) / started.elapsed().as_secs_f64());
        root = Some(ledger_proof::hash_to_hex(&verifier.root()));
    }
    let (rates, echoes) = (Spread::of(rates), Spread::of(echoes));
    Ok(ReadReport {
        rate_per_s: rates.median,
        echo_per_s: echoes.median,
        ratio_to_echo: rates.median / echoes.median,
        rates,
        echoes,
        events,
        rounds: args.rounds,
        root,
        reader_peak_memory_bytes: own_peak_memory(),
        node_peak_memory_bytes: rig.peak_memory("node"),
        processor_us: None,
        processes: "nats-server, node, auditor, echo responder",
    })
}

/// Starts the projector on a full log and times it until all views stand at its end.
pub(super) async fn rebuild(args: &BenchArgs) -> Result<ReadReport, Failure> {
    let mut rig = filled(args).await?;
    rig.start_echo().await?;
    let events = rig.tree_size().await?;
    settled(&rig).await?;
    let (mut rates, mut echoes) = (Vec::new(), Vec::new());
    let mut reader_peak = 0;
    let mut processor = [0.0; 3];
    for _ in 0..args.rounds.max(1) {
        let dir = rig.views_dir();
        if dir.exists() {
            std::fs::remove_dir_all(dir)?;
        }
        echoes.push(echo(&rig, args).await?);
        let [node_before, nats_before, _] = rig.processor_seconds();
        let started = Instant::now();
        rig.start_projectors()?;
        while slowest_view(&rig).await? < events {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        rates.push(per_second(
            usize::try_from(events).unwrap_or(usize::MAX),
            started.elapsed(),
        ));
        let [node, nats, _] = rig.processor_seconds();
        let used = [
            rig.projector_seconds(),
            node - node_before,
            nats - nats_before,
        ];
        for (sum, seconds) in processor.iter_mut().zip(used) {
            *sum += seconds;
        }
        reader_peak = reader_peak.max(rig.peak_memory("projector"));
        rig.stop("projector")?;
    }
    let read = as_f64(events) * as_f64(args.rounds.max(1) as u64);
    let [projector, node, nats_server] = processor.map(|seconds| seconds * 1e6 / read);
    let (rates, echoes) = (Spread::of(rates), Spread::of(echoes));
    Ok(ReadReport {
        rate_per_s: rates.median,
        echo_per_s: echoes.median,
        ratio_to_echo: rates.median / echoes.median,
        rates,
        echoes,
        events,
        rounds: args.rounds,
        root: None,
        reader_peak_memory_bytes: reader_peak,
        node_peak_memory_bytes: rig.peak_memory("node"),
        processor_us: Some(ProcessorTime {
            projector,
            node,
            nats_server,
        }),
        processes: "nats-server, node, one projector of all views, as `up` runs it, in a process of its own",
    })
}

/// Commands that the echo sends back a second, as `bench ingest` measures it.
async fn echo(rig: &Rig, args: &BenchArgs) -> Result<f64, Failure> {
    let commands = ECHO_COMMANDS.min(args.commands.max(1));
    let submissions = Load::new(11, parties(), actions()?).commands(commands);
    let in_flight = args.submissions_in_flight();
    let round = drive(&rig.bus, ECHO_SUBJECT.to_owned(), submissions, in_flight).await?;
    Ok(per_second(commands, round.elapsed))
}

/// Waits until what filled the log is published, so that only the rebuild is measured.
async fn settled(rig: &Rig) -> Result<(), Failure> {
    loop {
        let head = rig.bus.head(Duration::from_secs(10)).await?;
        if head.published >= head.tree_size {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn own_peak_memory() -> u64 {
    super::rig::peak_memory_of("self")
}
