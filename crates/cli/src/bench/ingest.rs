//! `bench ingest`: durable commands a second, beside its baselines in the same run.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ledger_bus::subject;
use ledger_domain::wire::v1::query::ReplayQuery;
use ledger_domain::wire::v1::view::Family;
use serde::Serialize;

use super::drive::drive;
use super::load::Load;
use super::rig::{PARTNER, Rig, actions, parties};
use super::{BenchArgs, ECHO_SUBJECT, Spread, per_second};
use crate::failure::Failure;

/// Commands that warm caches and connections up before anything is timed.
const WARM_UP: usize = 20_000;
/// Commands sent one at a time to time a lone command.
const ALONE: usize = 1_000;
/// Preallocated file of the write baseline.
const BASELINE_FILE_BYTES: u64 = 64 << 20;

/// The figures of an ingest run. Rates are of commands; bytes are per event.
#[derive(Debug, Serialize)]
pub(super) struct IngestReport {
    /// Median over the rounds.
    rate_per_s: f64,
    /// Requests echoed a second with the same payloads and as many in flight, median over the rounds.
    echo_per_s: f64,
    /// Commands that write + fdatasync alone would carry, with the node's mean group and the same bytes.
    sync_per_s: f64,
    /// `rate_per_s` over `echo_per_s`.
    ratio_to_echo: f64,
    rates: Spread,
    echoes: Spread,
    latency_ms_p50: f64,
    latency_ms_p99: f64,
    alone_ms_p50: f64,
    alone_sync_ms_p50: f64,
    alone_echo_ms_p50: f64,
    commands: usize,
    in_flight: usize,
    batch: usize,
    rounds: usize,
    /// Processor time for one command, in microseconds: where the time of this machine went.
    processor_us: ProcessorTime,
    mean_command_bytes: f64,
    mean_group_events: f64,
    events: u64,
    raw_bytes_per_event: f64,
    journal_bytes_per_event: f64,
    sled_bytes_per_event: f64,
    node_peak_memory_bytes: u64,
    projectors: bool,
    /// How many events the views were behind when the last receipt came; absent without projectors.
    view_lag_events: Option<u64>,
    /// How long the views took to catch up after it.
    view_catch_up_s: Option<f64>,
    /// How many events the stream was behind when the last receipt came.
    publish_lag_events: u64,
    processes: &'static str,
}

/// Processor time of the ingest rounds, divided by their commands.
#[derive(Debug, Serialize)]
struct ProcessorTime {
    node: f64,
    nats_server: f64,
    load_generator: f64,
}

/// Runs rounds of echo and ingest in turn.
pub(super) async fn run(args: &BenchArgs) -> Result<IngestReport, Failure> {
    let mut rig = Rig::start(&args.dir, args.cached_commitments).await?;
    rig.start_echo().await?;
    if args.projectors {
        rig.start_projectors()?;
    }
    let mut load = Load::new(7, parties(), actions()?);
    let warm_up = make(&mut load, WARM_UP.min(args.commands), 100);
    drive_commands(&rig, warm_up, 16).await?;

    let (mut rates, mut echoes) = (Vec::new(), Vec::new());
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    let (mut command_bytes, mut lag) = (0, (0, None, None));
    let mut processor = [0.0; 3];
    let before = rig.tree_size().await?;
    let in_flight = args.submissions_in_flight();
    let per_round = args.commands / args.rounds.max(1);
    for _ in 0..args.rounds.max(1) {
        let submissions = make(&mut load, per_round, args.batch);
        command_bytes += submissions.iter().map(Bytes::len).sum::<usize>();
        let echo = drive(
            &rig.bus,
            ECHO_SUBJECT.to_owned(),
            submissions.clone(),
            in_flight,
        )
        .await?;
        echoes.push(per_second(per_round, echo.elapsed));
        let processor_before = rig.processor_seconds();
        let round = drive_commands(&rig, submissions, in_flight).await?;
        for (sum, (after, before)) in processor
            .iter_mut()
            .zip(rig.processor_seconds().into_iter().zip(processor_before))
        {
            *sum += after - before;
        }
        rates.push(per_second(per_round, round.elapsed));
        p50.push(round.percentile_ms(50));
        p99.push(round.percentile_ms(99));
        lag = lag_of(&rig, args.projectors).await?;
        settle(&rig, args.projectors).await?;
    }
    let events = rig.tree_size().await?;
    let groups: u64 = rig.metric("ledger_group_commit_events_count")?;
    let grouped: f64 = rig.metric("ledger_group_commit_events_sum")?;
    let mean_group_events = grouped / as_f64(groups);
    let journal = rig.bytes_on_disk("journal");
    let alone = alone(&rig, &mut load).await?;
    let group_bytes = (journal / groups.max(1)).max(512);
    let (sync_s, alone_sync_s) = (
        write_baseline(rig.dir(), group_bytes)?,
        write_baseline(rig.dir(), 1_024)?,
    );
    let [node, nats_server, load_generator] =
        processor.map(|seconds| seconds * 1e6 / as_f64(args.commands as u64));
    let (rates, echoes) = (Spread::of(rates), Spread::of(echoes));
    let counted = as_f64(events);
    Ok(IngestReport {
        rate_per_s: rates.median,
        echo_per_s: echoes.median,
        sync_per_s: mean_group_events / sync_s,
        ratio_to_echo: rates.median / echoes.median,
        latency_ms_p50: Spread::of(p50).median,
        latency_ms_p99: Spread::of(p99).median,
        alone_ms_p50: alone.0,
        alone_echo_ms_p50: alone.1,
        alone_sync_ms_p50: alone_sync_s * 1e3,
        commands: args.commands,
        in_flight,
        batch: args.batch,
        rounds: args.rounds,
        processor_us: ProcessorTime {
            node,
            nats_server,
            load_generator,
        },
        mean_command_bytes: as_f64(command_bytes as u64) / as_f64(events - before),
        mean_group_events,
        events,
        raw_bytes_per_event: raw_bytes(&rig, events).await?,
        journal_bytes_per_event: as_f64(journal) / counted,
        sled_bytes_per_event: as_f64(rig.bytes_on_disk("log")) / counted,
        node_peak_memory_bytes: rig.peak_memory("node"),
        projectors: args.projectors,
        publish_lag_events: lag.0,
        view_lag_events: lag.1,
        view_catch_up_s: lag.2,
        processes: if args.projectors {
            "nats-server, node, load generator, echo responder, one projector of all views"
        } else {
            "nats-server, node, load generator, echo responder"
        },
        rates,
        echoes,
    })
}

fn make(load: &mut Load, commands: usize, batch: usize) -> Vec<Bytes> {
    if batch <= 1 {
        load.commands(commands)
    } else {
        load.batches(commands, batch)
    }
}

async fn drive_commands(
    rig: &Rig,
    submissions: Vec<Bytes>,
    in_flight: usize,
) -> Result<super::drive::Round, Failure> {
    let round = drive(&rig.bus, subject::command(PARTNER), submissions, in_flight).await?;
    if round.refused > 0 {
        let why = if round.sent_again > 0 {
            ": the node was busy, and reports overtook the commitments they name: have fewer --in-flight"
        } else {
            ""
        };
        return Err(Failure::because(format!(
            "{} submissions of the load had refusals{why}",
            round.refused
        )));
    }
    Ok(round)
}

/// How far the stream and the views are behind the log now, in events, and how long the views take to come up to it.
async fn lag_of(rig: &Rig, projectors: bool) -> Result<(u64, Option<u64>, Option<f64>), Failure> {
    let head = rig.bus.head(Duration::from_secs(10)).await?;
    let publish_lag = head.tree_size.saturating_sub(head.published);
    if !projectors {
        return Ok((publish_lag, None, None));
    }
    let view_lag = head.tree_size.saturating_sub(slowest_view(rig).await?);
    let started = Instant::now();
    while slowest_view(rig).await? < head.tree_size {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok((
        publish_lag,
        Some(view_lag),
        Some(started.elapsed().as_secs_f64()),
    ))
}

pub(super) async fn slowest_view(rig: &Rig) -> Result<u64, Failure> {
    let mut slowest = u64::MAX;
    for family in Family::ALL {
        let answer = rig.bus.projection(family, Duration::from_secs(30)).await;
        // A projector that has not started yet has folded nothing.
        slowest = slowest.min(answer.map_or(0, |answer| answer.checkpoint));
    }
    Ok(slowest)
}

/// Waits until what a round left behind is published and folded, so that the next round starts alike.
async fn settle(rig: &Rig, projectors: bool) -> Result<(), Failure> {
    loop {
        let head = rig.bus.head(Duration::from_secs(10)).await?;
        let views = if projectors {
            slowest_view(rig).await?
        } else {
            head.tree_size
        };
        if head.published >= head.tree_size && views >= head.tree_size {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The median of a lone command's round trip and of a lone echo's, in milliseconds.
async fn alone(rig: &Rig, load: &mut Load) -> Result<(f64, f64), Failure> {
    let commands = load.commands(ALONE);
    let echo = drive(&rig.bus, ECHO_SUBJECT.to_owned(), commands.clone(), 1).await?;
    let round = drive_commands(rig, commands, 1).await?;
    Ok((round.percentile_ms(50), echo.percentile_ms(50)))
}

/// The median time of write + fdatasync of `bytes` into a file filled with zeroes beforehand, in seconds.
fn write_baseline(dir: &Path, bytes: u64) -> Result<f64, Failure> {
    const WRITES: u64 = 300;
    let path = dir.join("write-baseline");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(&path)?;
    let zeroes = vec![0; 1 << 20];
    for _ in 0..BASELINE_FILE_BYTES >> 20 {
        file.write_all(&zeroes)?;
    }
    file.sync_all()?;
    let wanted = bytes.min(BASELINE_FILE_BYTES);
    let chunk = usize::try_from(wanted).unwrap_or(1);
    let content: Vec<u8> = (0..chunk)
        .map(|index| u8::try_from(index % 251).unwrap_or(0))
        .collect();
    let mut times = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    for _ in 0..WRITES {
        if file.stream_position()? + wanted > BASELINE_FILE_BYTES {
            file.seek(SeekFrom::Start(0))?;
        }
        let started = Instant::now();
        file.write_all(&content)?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    std::fs::remove_file(&path)?;
    Ok(times
        .get(times.len() / 2)
        .map_or(0.0, Duration::as_secs_f64))
}

/// Bytes of commands and events before compression, per event, over the newest block-sized part of the log.
async fn raw_bytes(rig: &Rig, events: u64) -> Result<f64, Failure> {
    let from = events.saturating_sub(10_000);
    let query = ReplayQuery {
        from,
        ..Default::default()
    };
    let page = rig.bus.replay(&query, Duration::from_secs(10)).await?;
    let (mut raw, mut count) = (0_u64, 0_u64);
    for block in ledger_proof::block::blocks(&page.blocks) {
        let block = block.map_err(|error| Failure::failed(&error))?;
        let header = ledger_proof::block::BlockHeader::read(block)
            .map_err(|error| Failure::failed(&error))?;
        raw += u64::from(header.raw_len);
        count += u64::from(header.count);
    }
    Ok(as_f64(raw) / as_f64(count.max(1)))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "figures are shown to a few digits"
)]
pub(super) fn as_f64(value: u64) -> f64 {
    value as f64
}
