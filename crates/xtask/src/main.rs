//! The project's chores, one command each: `cargo xtask <command>`.

mod nats;
mod steps;
mod tidy;
mod workspace;

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use workspace::Workspace;

const USAGE: &str = "\
cargo xtask <command>

  up [ARGS…]    fetch nats-server if there is none, build in release, start `compact-ledger up ARGS…`
  test          format, tidy, clippy, unit, system and crash tests; ends with `N passed, N failed`
  ci            the same with a Cargo.lock that may not change
  tidy          the rules that no compiler checks: crate arrows, dependencies, licences, file sizes
  nats-server   print the path of a usable nats-server, fetching the pinned one if there is none
";

/// What stops a chore. A failing test is not one of these: it is counted.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Nats(#[from] nats::Error),
    #[error(transparent)]
    Workspace(#[from] workspace::Error),
    #[error("the build failed")]
    Build,
    #[error("{program} could not be started: {source}")]
    Start {
        program: String,
        source: std::io::Error,
    },
    #[error("unknown command `{0}`\n\n{USAGE}")]
    UnknownCommand(String),
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match run(&command, &rest) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, arguments: &[String]) -> Result<ExitCode, Error> {
    match command {
        "up" => up(arguments),
        "test" => Ok(steps::run_all(
            &Workspace::load()?,
            steps::Lockfile::MayChange,
        )?),
        "ci" => Ok(steps::run_all(
            &Workspace::load()?,
            steps::Lockfile::Frozen,
        )?),
        "tidy" => Ok(report_tidy(&Workspace::load()?)),
        "nats-server" => {
            println!(
                "{}",
                nats::find_or_fetch(&Workspace::load()?.root)?.display()
            );
            Ok(ExitCode::SUCCESS)
        }
        "" | "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        other => Err(Error::UnknownCommand(other.to_owned())),
    }
}

/// Builds the release binary and becomes it, so that signals and the exit code are its own.
fn up(arguments: &[String]) -> Result<ExitCode, Error> {
    let workspace = Workspace::load()?;
    let nats_server = nats::find_or_fetch(&workspace.root)?;
    let built = Command::new(workspace::cargo())
        .current_dir(&workspace.root)
        .args(["build", "--release", "--package", "compact-ledger"])
        .status()
        .map_err(|source| Error::Start {
            program: "cargo".to_owned(),
            source,
        })?;
    if !built.success() {
        return Err(Error::Build);
    }
    let binary = workspace.target.join("release").join("compact-ledger");
    let source = Command::new(&binary)
        .arg("up")
        .args(arguments)
        .env("NATS_SERVER", nats_server)
        .exec();
    Err(Error::Start {
        program: binary.display().to_string(),
        source,
    })
}

fn report_tidy(workspace: &Workspace) -> ExitCode {
    let violations = tidy::check(workspace);
    for violation in &violations {
        eprintln!("tidy: {violation}");
    }
    if violations.is_empty() {
        println!("tidy: nothing to say");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
