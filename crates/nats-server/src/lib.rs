//! The nats-server that `up` starts: a supervised child with a configuration of our own.
//!
//! The child dies with us, even at `kill -9` ([`exec_guarded`]); should one be left behind all the same, the next start
//! ends it. A server that exits is started again on the same port, so that the addresses given out stay good.

mod files;
mod find;
mod guard;
mod revive;

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ledger_bus::LogThrottle;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use files::{Files, Lock};
pub use find::{FindError, OLDEST, Places, Version, VersionError, find, usable};
pub use guard::{GuardError, exec_guarded};
pub use revive::Reviver;

const MAX_PAYLOAD_BYTES: u32 = 8 * 1024 * 1024;
/// What the server holds for a connection before it takes it for a slow one and cuts it: 64 MiB, its default, is a moment's load
/// of partners that send many full batches at once.
const MAX_PENDING_BYTES: u32 = 256 * 1024 * 1024;
const LOG_BYTES: u32 = 16 * 1024 * 1024;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// A server that ran this long has proved itself: its next exit starts the backoff afresh.
const STEADY_AFTER: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// How long a server has to leave after SIGTERM before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// The free room that a server needs to start. On a full disk it runs, but cannot say on which
/// port.
const ROOM_BYTES: u64 = 1 << 20;

/// The server lives on a few tens of megabytes and makes garbage at every message: collecting it at twice that size, as Go does by
/// itself, takes a tenth of the server's time. Near the limit it collects as ever. What the environment says goes first.
const GO_RUNTIME: [(&str, &str); 2] = [("GOGC", "400"), ("GOMEMLIMIT", "512MiB")];

/// How the child is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// Through `<program> <arguments…> <our pid> <nats-server> …`, which must end in [`exec_guarded`]: the child dies with us.
    Guarded {
        /// The program, usually ourselves.
        program: PathBuf,
        /// Its arguments before the process id, usually a hidden subcommand.
        arguments: Vec<String>,
    },
    /// As it is: a `kill -9` of this process leaves the server running until the next start.
    Direct,
}

/// Which TCP port the server listens on, on the loopback address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// One that the server finds free; kept over restarts.
    Free,
    /// This one.
    Fixed(u16),
}

/// What to start, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program, as [`find`] gives it.
    pub server: PathBuf,
    /// A folder of the server's own: its streams, configuration and log. Created when missing.
    pub folder: PathBuf,
    /// Where to listen.
    pub port: Port,
    /// How to start it.
    pub launch: Launch,
    /// How long it may take until it answers. Recovering large streams after a crash takes a while.
    pub ready_within: Duration,
    /// What the streams may take at the most; what they have and three quarters of what is free, if absent.
    pub stream_bytes: Option<u64>,
    /// The most bytes it takes in a message; 8 MiB, if absent.
    pub max_payload: Option<u32>,
}

/// Why the server is not running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program is not a usable nats-server.
    #[error("{path} cannot be used as nats-server")]
    Unusable {
        /// The program.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: VersionError,
    },
    /// Its folder could not be prepared.
    #[error("{path} cannot be used: {}", remedy(.source))]
    Folder {
        /// The path that was worked on.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Its disk is full.
    #[error("{} KiB are free on the disk of {folder}, and nats-server needs {} to be started: make room", free >> 10, ROOM_BYTES >> 10)]
    NoRoom {
        /// The folder.
        folder: PathBuf,
        /// Bytes free.
        free: u64,
    },
    /// It was called off before the server answered.
    #[error("nats-server was not started: that was called off")]
    CalledOff,
    /// Another process has a server in this folder.
    #[error(
        "{folder} is in use by another process: stop that one, or choose another directory with --data"
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// A server from an earlier run does not go away.
    #[error("a nats-server of an earlier run still uses {folder} and could not be ended")]
    LeftBehind {
        /// The folder.
        folder: PathBuf,
    },
    /// Something else listens on the port that was asked for.
    #[error("port {port} is taken: choose another with --nats-port, or 0 for a free one")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// It could not be started.
    #[error("{path} could not be started")]
    Spawn {
        /// The program.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It ended before it answered.
    #[error("nats-server ended before it was ready ({status}); its log ends with:\n{log}")]
    Exited {
        /// How it ended.
        status: String,
        /// The end of its log.
        log: String,
    },
    /// It did not answer in time.
    #[error("nats-server was not ready within {}; its log ends with:\n{log}", seconds(*.within))]
    NotReady {
        /// How long we waited.
        within: Duration,
        /// The end of its log.
        log: String,
    },
}

/// The remedy for a path that cannot be used.
fn remedy(error: &std::io::Error) -> &'static str {
    if is_full(error) {
        "make room on its disk"
    } else {
        "make it writable, or choose another directory with --data"
    }
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    [StorageFull, QuotaExceeded].contains(&error.kind())
}

impl StartError {
    /// Returns true when only a full disk kept the server from starting. It can start once there is
    /// room.
    fn is_for_want_of_room(&self) -> bool {
        match self {
            Self::NoRoom { .. } => true,
            Self::Folder { source, .. } => is_full(source),
            Self::Unusable { .. }
            | Self::CalledOff
            | Self::InUse { .. }
            | Self::LeftBehind { .. }
            | Self::PortTaken { .. }
            | Self::Spawn { .. }
            | Self::Exited { .. }
            | Self::NotReady { .. } => false,
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f32())
}

/// A running server. Dropping it stops the server.
#[derive(Debug)]
pub struct NatsServer {
    port: u16,
    shared: Arc<Shared>,
    supervisor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    files: Files,
    server: PathBuf,
    launch: Launch,
    /// What the streams may take at the most, where that was given.
    stream_bytes: Option<u64>,
    max_payload: u32,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Where the next child listens.
    port: Port,
    /// Held as long as the server may run: its owner is alive, so the server is not left behind.
    lock: Lock,
    /// The child, from its start until it is reaped: its process id is ours to signal exactly that long.
    child: Option<Child>,
    stopping: bool,
    last_exit: Option<String>,
    start_error: Option<StartError>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NatsServer {
    /// Starts a server and returns once it answers; where its disk is full, once there is room. Blocks the thread; nothing of the child is
    /// bound to it.
    ///
    /// # Errors
    /// See [`StartError`]. Nothing is left running then.
    pub fn start(options: &Options) -> Result<Self, StartError> {
        Self::start_while(options, || true)
    }

    /// The same as long as `go_on` says so, which is asked again and again.
    ///
    /// # Errors
    /// See [`StartError`]; [`StartError::CalledOff`] when `go_on` said otherwise. Nothing is left running then.
    pub fn start_while(options: &Options, go_on: impl Fn() -> bool) -> Result<Self, StartError> {
        usable(&options.server).map_err(|source| StartError::Unusable {
            path: options.server.clone(),
            source,
        })?;
        let files = Files::prepare(&options.folder)?;
        let lock = files.lock()?;
        end_left_behind(&files)?;
        check_free(options.port)?;
        files.forget_ports()?;
        let shared = Arc::new(Shared {
            files,
            server: options.server.clone(),
            launch: options.launch.clone(),
            stream_bytes: options.stream_bytes,
            max_payload: options.max_payload.unwrap_or(MAX_PAYLOAD_BYTES),
            state: Mutex::new(State {
                port: options.port,
                lock,
                child: None,
                stopping: false,
                last_exit: None,
                start_error: None,
            }),
            changed: Condvar::new(),
        });
        let supervised = Arc::clone(&shared);
        let supervisor = std::thread::Builder::new()
            .name("nats-server".to_owned())
            .spawn(move || supervise(&supervised))
            .map_err(|source| StartError::Spawn {
                path: options.server.clone(),
                source,
            })?;
        // From here on, dropping `server` ends what was started.
        let mut server = Self {
            port: 0,
            shared,
            supervisor: Some(supervisor),
        };
        server.port = server.wait_until_ready(options.ready_within, go_on)?;
        server.shared.state().port = Port::Fixed(server.port);
        Ok(server)
    }

    /// The TCP port on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a client connects to: `nats://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("nats://{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// The process id of the running child; `None` between an exit and the next start.
    pub fn process_id(&self) -> Option<u32> {
        self.shared.state().child.as_ref().map(Child::id)
    }

    /// Asks the server to end, kills it when it does not within ten seconds, and waits until it is gone. Blocks.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(supervisor) = self.supervisor.take() else {
            return;
        };
        let mut state = self.shared.state();
        state.stopping = true;
        self.shared.changed.notify_all();
        for signal in [Signal::TERM, Signal::KILL] {
            signal_child(&state, signal);
            // One that was halted would not see the signal before it is let go on.
            signal_child(&state, Signal::CONT);
            let (waited, _) = self
                .shared
                .changed
                .wait_timeout_while(state, STOP_PATIENCE, |state| state.child.is_some())
                .unwrap_or_else(PoisonError::into_inner);
            state = waited;
        }
        drop(state);
        if supervisor.join().is_err() {
            tracing::error!("the supervisor of nats-server panicked");
        }
    }

    fn wait_until_ready(
        &self,
        within: Duration,
        go_on: impl Fn() -> bool,
    ) -> Result<u16, StartError> {
        let files = &self.shared.files;
        let mut deadline = Instant::now() + within;
        while Instant::now() < deadline {
            if !go_on() {
                return Err(StartError::CalledOff);
            }
            match self.failed_start() {
                // The supervisor says so, and tries again.
                Some(error) if error.is_for_want_of_room() => deadline = Instant::now() + within,
                Some(error) => return Err(error),
                None => {}
            }
            if let Some(port) = self.process_id().and_then(|pid| files.port_of(pid))
                && greets(port)
            {
                return Ok(port);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        let log = files.end_of_log();
        Err(StartError::NotReady { within, log })
    }

    /// Why the last start failed, if it did.
    fn failed_start(&self) -> Option<StartError> {
        let (error, status) = {
            let mut state = self.shared.state();
            (state.start_error.take(), state.last_exit.take())
        };
        let files = &self.shared.files;
        error.or_else(|| {
            let status = status?;
            let log = files.end_of_log();
            // A server that met a full disk ends with an error of its own.
            let met_full = files.check_room().err();
            Some(met_full.unwrap_or(StartError::Exited { status, log }))
        })
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.end();
    }
}

fn signal_child(state: &State, signal: Signal) {
    if let Some(child) = &state.child
        && let Err(error) = kill_process(Pid::from_child(child), signal)
    {
        tracing::warn!(%error, "nats-server could not be signalled");
    }
}

/// Starts the child and starts it again when it ends, until asked to stop. The thread lives as long as the child may:
/// the child's death signal is bound to the thread that started it.
fn supervise(shared: &Shared) {
    let mut backoff = FIRST_BACKOFF;
    let mut failing = LogThrottle::default();
    loop {
        let started = Instant::now();
        match start_child(shared, &mut failing) {
            Start::Running(pid) => {
                wait_for_exit(pid);
                reap(shared, &mut failing);
            }
            Start::Failed => {}
            Start::Stopping => return,
        }
        if started.elapsed() >= STEADY_AFTER {
            backoff = FIRST_BACKOFF;
            failing.is_over();
        }
        let (state, _) = shared
            .changed
            .wait_timeout_while(shared.state(), backoff, |state| !state.stopping)
            .unwrap_or_else(PoisonError::into_inner);
        if state.stopping {
            return;
        }
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
    }
}

/// What came of starting a child.
enum Start {
    Running(Pid),
    Failed,
    Stopping,
}

fn start_child(shared: &Shared, failing: &mut LogThrottle) -> Start {
    let mut state = shared.state();
    if state.stopping {
        return Start::Stopping;
    }
    match make_ready(shared, &mut state).and_then(|()| spawn(shared)) {
        Ok(child) => {
            let pid = Pid::from_child(&child);
            state.child = Some(child);
            Start::Running(pid)
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let why = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
            if failing.should_log(&why, Instant::now()) {
                let attempts = failing.attempts();
                if error.is_for_want_of_room() {
                    tracing::error!(
                        error = why,
                        attempts,
                        "nats-server is started as soon as there is room"
                    );
                } else {
                    tracing::error!(error = why, attempts, "nats-server could not be started");
                }
            }
            state.start_error = Some(error);
            Start::Failed
        }
    }
}

/// Makes the folder and the configuration anew, whatever became of them since the last start: somebody may have removed them under a running
/// server. The room for streams is what the disk has now.
fn make_ready(shared: &Shared, state: &mut State) -> Result<(), StartError> {
    let files = &shared.files;
    files.make_folders()?;
    files.check_room()?;
    if !files.holds(&state.lock) {
        // The lock went with the folder, and another process may have made it anew.
        state.lock = files.lock()?;
    }
    files.write_config(state.port, shared.max_payload, shared.stream_bytes)
}

fn spawn(shared: &Shared) -> Result<Child, StartError> {
    let mut command = match &shared.launch {
        Launch::Direct => Command::new(&shared.server),
        Launch::Guarded { program, arguments } => {
            let mut command = Command::new(program);
            command
                .args(arguments)
                .arg(std::process::id().to_string())
                .arg(&shared.server);
            command
        }
    };
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&shared.files.log)
        .and_then(|log| Ok((log.try_clone()?, log)));
    let (log, errors) = log.map_err(|source| StartError::Folder {
        path: shared.files.log.clone(),
        source,
    })?;
    command
        .envs(
            GO_RUNTIME
                .into_iter()
                .filter(|(name, _)| std::env::var_os(name).is_none()),
        )
        .arg("--config")
        .arg(&shared.files.config)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        // Ctrl-C in a terminal goes to the whole group: the server must outlast our own orderly end.
        .process_group(0)
        .spawn()
        .map_err(|source| StartError::Spawn {
            path: shared.server.clone(),
            source,
        })
}

/// Blocks until the child has ended, without reaping it: its process id stays taken until the lock is held.
fn wait_for_exit(pid: Pid) {
    while let Err(error) = waitid(
        WaitId::Pid(pid),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    ) {
        if error != rustix::io::Errno::INTR {
            tracing::error!(%error, "nats-server could not be waited for");
            return;
        }
    }
}

fn reap(shared: &Shared, failing: &mut LogThrottle) {
    let mut state = shared.state();
    let status = match state.child.take().map(|mut child| child.wait()) {
        Some(Ok(status)) => status.to_string(),
        Some(Err(error)) => error.to_string(),
        None => return,
    };
    if !state.stopping {
        if failing.should_log(&status, Instant::now()) {
            tracing::warn!(%status, "nats-server ended, starting it again");
        }
        state.last_exit = Some(status);
    }
    shared.changed.notify_all();
}

/// The server itself would say only in its log that it cannot listen.
fn check_free(port: Port) -> Result<(), StartError> {
    let Port::Fixed(port) = port else {
        return Ok(());
    };
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Err(StartError::PortTaken { port })
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Whether a NATS server answers on the port: it speaks first, with an INFO line.
fn greets(port: u16) -> bool {
    let patience = Duration::from_secs(1);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let greeting = TcpStream::connect_timeout(&address, patience).and_then(|stream| {
        stream.set_read_timeout(Some(patience))?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    });
    greeting.is_ok_and(|line| line.starts_with("INFO "))
}

/// With the lock in our hands, any server on this folder has lost its owner.
fn end_left_behind(files: &Files) -> Result<(), StartError> {
    let (found, all_gone) = guard::end_left_behind(&files.config, STOP_PATIENCE);
    if found > 0 {
        tracing::warn!(found, "ended a nats-server that an earlier run left behind");
    }
    if all_gone {
        return Ok(());
    }
    Err(StartError::LeftBehind {
        folder: files.folder.clone(),
    })
}

#[cfg(test)]
mod tests;
