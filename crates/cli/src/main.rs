//! `compact-ledger`: one binary, a subcommand for each role.
//!
//! This crate is thin: it reads arguments, calls the crates that do the work, and puts what they say on a terminal or,
//! with `--json`, into a pipe. Standard output has what was asked for and nothing else; everything that is said about it
//! goes to standard error.

mod args;
mod bench;
mod commands;
mod environment;
mod failure;
mod logging;
mod output;
mod seeding;
mod signals;
mod usage;

use args::{AuditCommand, Cli, Command, ImportCommand, PartnerCommand};
use clap::FromArgMatches as _;
use failure::Failure;
use output::Output;
use seeding::Illustrate;
use std::process::ExitCode;

/// A command costs many small allocations on several threads; of the allocators tried this one left the node smallest.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What the first argument is where this process is to become another program that dies with the one that started it; the pid of that one, the program
/// and its arguments follow. Nobody types it, so it is no subcommand.
pub(crate) const EXEC_CHILD: &str = "exec-child";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // A child process of the ledger's becomes another program here, before anything of ours has started.
    if arguments.next().is_some_and(|first| first == EXEC_CHILD) {
        return Failure::failed(&ledger_nats_server::exec_guarded(arguments)).report();
    }
    let read =
        usage::matches(std::env::args_os()).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match read {
        Ok(cli) => cli,
        Err(error) => return usage::report(&error, std::env::args_os()),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(&error))?;
    let outcome = runtime.block_on(dispatch(cli));
    // A thread that still reads standard input must not hold up the end.
    runtime.shutdown_background();
    outcome
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let nats = environment::nats_access(cli.nats, cli.inbox_prefix)?;
    let nats = &nats;
    let output = Output { json: cli.json };
    match cli.command {
        Command::Up(args) => commands::serve::up(args, output).await,
        Command::Node(args) => commands::serve::node(nats, args).await,
        Command::Projector(args) => commands::serve::projector(nats, args).await,
        Command::Submit { file } => commands::submit::run(nats, &file).await,
        Command::Import {
            source: ImportCommand::Seeds { no_demo, demo },
        } => {
            let illustrate = match (no_demo, demo) {
                (true, _) => Illustrate::Never,
                (false, true) => Illustrate::Always,
                (false, false) => Illustrate::IntoUnused,
            };
            commands::import::seeds(nats, illustrate, output).await
        }
        Command::Import {
            source: ImportCommand::Ogp { file },
        } => commands::import::ogp(nats, &file, output).await,
        Command::Import {
            source: ImportCommand::Upr { file },
        } => commands::import::upr(nats, &file, output).await,
        Command::Country { code, list } => {
            commands::view::country(nats, &code, &list, output).await
        }
        Command::Action { code, list } => commands::view::action(nats, &code, &list, output).await,
        Command::Commitment(args) => commands::commitment::run(nats, &args, output).await,
        Command::Summary { known } => commands::summary::run(nats, &known, output).await,
        Command::Gaps { region, known } => {
            commands::gaps::run(nats, region.as_deref(), &known, output).await
        }
        Command::Partner {
            command: PartnerCommand::Show { id, known },
        } => match id {
            Some(id) => commands::partner::show(nats, &id, &known, output).await,
            None => commands::listing::partners(nats, &known, output).await,
        },
        Command::Review { id, known } => match id {
            Some(id) => commands::review::run(nats, &id, &known, output).await,
            None => commands::listing::reviews(nats, &known, output).await,
        },
        Command::Diff(args) => commands::diff::run(nats, &args, output).await,
        Command::Watch(args) => commands::watch::run(nats, args, output).await,
        Command::Replay(args) => commands::replay::run(nats, &args).await,
        Command::Audit {
            command: AuditCommand::Verify { key },
        } => commands::audit::verify(nats, key.as_deref(), output).await,
        Command::Audit {
            command: AuditCommand::Key,
        } => commands::audit::key(nats, output).await,
        Command::Bench(args) => {
            let told = signals::EndSignals::listen()?;
            tokio::select! {
                ended = bench::run(args, nats, output) => ended,
                // What it started ends with it, and its directory goes.
                () = told.received() => Err(Failure::because("interrupted")),
            }
        }
        Command::Scrub { dir: Some(dir) } => commands::scrub::directory(dir, output).await,
        Command::Scrub { dir: None } => commands::scrub::running(nats, output).await,
        Command::Health { url } => {
            commands::health::run(&environment::ready_url(url)?, output).await
        }
        Command::Completions { shell } => commands::manual::completions(shell),
        Command::Man { dir } => commands::manual::man(dir.as_deref()),
    }
}
