//! The whole system as a newcomer starts it.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use tempfile::TempDir;

use crate::http::{Response, get};
use crate::process::{Finished, Process, ledger, run};
use crate::wait::{await_that, free_port};

const READY_WITHIN: Duration = Duration::from_mins(1);
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// A running `compact-ledger up`, with ports and a data folder of its own. Dropping it kills it.
#[derive(Debug)]
pub struct Up {
    folder: TempDir,
    http: String,
    nats_port: u16,
    arguments: Vec<String>,
    process: Process,
}

impl Up {
    /// Starts it with these further arguments, and returns once it says that it is ready.
    ///
    /// # Panics
    /// When it ends, or is not ready within a minute.
    pub fn start(arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let http = format!("127.0.0.1:{}", free_port());
        let nats_port = free_port();
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        let process = start(folder.path(), &http, nats_port, &arguments);
        let mut up = Self {
            folder,
            http,
            nats_port,
            arguments,
            process,
        };
        up.await_ready();
        up
    }

    /// Starts it again on the same data and ports, and returns once it is ready. A running one is killed first.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub fn start_again(&mut self) {
        self.process.kill();
        self.process = start(
            self.folder.path(),
            &self.http,
            self.nats_port,
            &self.arguments,
        );
        self.await_ready();
    }

    /// Starts it again with other further arguments.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub fn start_again_with(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(|&text| text.to_owned()).collect();
        self.start_again();
    }

    /// Kills it with SIGKILL: whatever it started must go by itself.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to end, and says how it ended.
    ///
    /// # Panics
    /// When it does not end within half a minute.
    pub fn terminate(&mut self) -> ExitStatus {
        self.process.terminate(ENDS_WITHIN)
    }

    /// Waits until it has loaded the seeds and says where to look; the line that says so.
    ///
    /// # Panics
    /// When it ends, or does not say so within a minute.
    pub fn announced(&mut self) -> String {
        const OPENING: &str = "compact-ledger is up: ";
        let process = &mut self.process;
        let mut line = None;
        await_that("`up` to say that it is up", READY_WITHIN, || {
            assert!(process.runs(), "`up` has ended:\n{}", process.stderr());
            let said = process.stdout();
            line = said
                .split_inclusive('\n')
                .find(|line| line.starts_with(OPENING) && line.ends_with('\n'))
                .map(|line| line.trim_end().to_owned());
            line.is_some()
        });
        line.expect("the line that was awaited")
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// The address of its NATS server.
    pub fn nats_url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.nats_port)
    }

    /// The address of its HTTP server.
    pub fn http(&self) -> &str {
        &self.http
    }

    /// The process itself.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Asks it over HTTP.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn get(&self, path: &str) -> Response {
        get(&self.http, path).expect("an answer")
    }

    /// Runs another `compact-ledger` against it, to its end, with `input` on its standard input.
    ///
    /// # Panics
    /// When that cannot be started.
    pub fn cli<const N: usize>(&self, arguments: [&str; N], input: &[u8]) -> Finished {
        run(self.command(&mut ledger(arguments)), input)
    }

    /// The same with any number of arguments and nothing on its standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        run(self.command(ledger([]).args(arguments)), b"")
    }

    /// The same command with this system's address in its environment.
    pub fn command<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("NATS_URL", self.nats_url())
    }

    fn await_ready(&mut self) {
        let (http, process) = (&self.http, &mut self.process);
        await_that("`up` to be ready", READY_WITHIN, || {
            assert!(process.runs(), "`up` has ended:\n{}", process.stderr());
            get(http, "/readyz").is_ok_and(|response| response.status == 200)
        });
    }
}

fn start(data: &Path, http: &str, nats_port: u16, arguments: &[String]) -> Process {
    let mut command = ledger(["up", "--http", http, "--nats-port", &nats_port.to_string()]);
    command.arg("--data").arg(data).args(arguments);
    Process::start("up", &mut command)
}
