//! `bench`: figures about this machine, each beside its baselines in the same run.
//!
//! A measurement starts a nats-server and a node of its own on free ports and in an empty directory; the load generator
//! is this process. Ratios count: machines are noisy.

mod drive;
mod ingest;
mod load;
mod query;
mod replay;
mod rig;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use ledger_bus::{Bus, BusOptions, CommandIntake, NatsAccess, Replier};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{self, Output};

/// Subject of the echo baseline: outside of the ledger's own.
const ECHO_SUBJECT: &str = "bench.echo";
/// As long as a receipt.
const ECHO_REPLY: &[u8] = &[b'x'; 330];

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum BenchCommand {
    /// Durable commands a second, with the NATS echo and the disk's own speed as baselines.
    Ingest,
    /// Events a second to an auditor who verifies every leaf.
    Replay,
    /// Events a second from an empty projector to views that have caught up.
    Rebuild,
    /// How long a question about a view takes.
    Query,
    /// The other end of the echo baseline.
    #[command(hide = true)]
    Echo,
}

/// How to measure.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Commands in all rounds together.
    #[arg(long, default_value_t = 300_000, global = true)]
    pub(crate) commands: usize,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 3, global = true)]
    pub(crate) rounds: usize,
    /// Submissions under way at once [default: 512 of one command, 16 of more].
    #[arg(long, global = true)]
    pub(crate) in_flight: Option<usize>,
    /// Commands in one submission.
    #[arg(long, default_value_t = 1, global = true)]
    pub(crate) batch: usize,
    /// Run the projector of all views too, in a process of its own.
    #[arg(long, global = true)]
    pub(crate) projectors: bool,
    /// Commitments whose state the node keeps in memory.
    #[arg(long, default_value_t = 2_000_000, global = true)]
    pub(crate) cached_commitments: usize,
    /// Directory in which the measurement makes one of its own: on the disk to be measured.
    #[arg(long, default_value = ".", global = true)]
    pub(crate) dir: PathBuf,
    #[command(subcommand)]
    pub(crate) command: BenchCommand,
}

impl BenchArgs {
    /// Submissions under way at once. Sixteen batches keep a node busy; more would only wait for each other.
    fn submissions_in_flight(&self) -> usize {
        let default = if self.batch > 1 { 16 } else { 512 };
        self.in_flight.unwrap_or(default).max(1)
    }
}

/// Median and extremes of a figure over the rounds.
#[derive(Debug, Serialize)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(0.0);
        Self {
            median: at(values.len() / 2),
            min: at(0),
            max: at(values.len().saturating_sub(1)),
        }
    }
}

fn per_second(count: usize, elapsed: Duration) -> f64 {
    ingest::as_f64(count as u64) / elapsed.as_secs_f64()
}

/// Runs one measurement and prints its report.
pub(crate) async fn run(args: BenchArgs, nats: &NatsAccess, output: Output) -> Result<(), Failure> {
    match args.command {
        BenchCommand::Ingest => print(&ingest::run(&args).await?, output),
        BenchCommand::Replay => print(&replay::replay(&args).await?, output),
        BenchCommand::Rebuild => print(&replay::rebuild(&args).await?, output),
        BenchCommand::Query => print(&query::run(&args).await?, output),
        BenchCommand::Echo => echo(nats).await,
    }
}

fn print(report: &impl Serialize, output: Output) -> Result<(), Failure> {
    let failed = |error: serde_json::Error| Failure::failed(&error);
    if output.json {
        return Ok(output::json_line(
            &serde_json::to_vec(report).map_err(failed)?,
        )?);
    }
    let text = serde_json::to_string_pretty(report).map_err(failed)?;
    Ok(output::text(&format!("{text}\n"))?)
}

/// Replies to everything, as the ledger would with a receipt.
async fn echo(nats: &NatsAccess) -> Result<(), Failure> {
    let bus = Bus::connect(&BusOptions::tool(nats, "echo")).await?;
    let opened = CommandIntake::open_on(&bus, ECHO_SUBJECT, 128).await;
    let mut intake = opened.map_err(|error| Failure::failed(&error))?;
    let replier = Replier::new(&bus);
    while let Some(messages) = intake.next().await {
        for message in messages {
            if let Some(to) = message.reply_to {
                replier
                    .reply(to, bytes::Bytes::from_static(ECHO_REPLY))
                    .await;
            }
        }
    }
    Ok(())
}
