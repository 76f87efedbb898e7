//! The nats-server that `up` starts: a supervised child with a configuration of our own.
//!
//! The child dies with us, even at `kill -9` ([`exec_guarded`]); should one be left behind all the same, the next start
//! ends it. A server that exits is started again on the same port, so that the addresses given out stay good.

mod find;
mod guard;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde::Deserialize;

pub use find::{FindError, OLDEST, Places, Version, VersionError, find, usable};
pub use guard::{GuardError, exec_guarded};

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
    #[error("{path} cannot be used: make it writable, or choose another directory with --data")]
    Folder {
        /// The path that was worked on.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
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

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f32())
}

/// A running server. Dropping it stops the server.
#[derive(Debug)]
pub struct NatsServer {
    port: u16,
    shared: Arc<Shared>,
    supervisor: Option<JoinHandle<()>>,
    /// Held as long as the server may run: its owner is alive, so the server is not left behind.
    _lock: File,
}

#[derive(Debug)]
struct Shared {
    files: Files,
    server: PathBuf,
    launch: Launch,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The child, from its start until it is reaped: its process id is ours to signal exactly that long.
    child: Option<Child>,
    stopping: bool,
    last_exit: Option<String>,
    spawn_error: Option<std::io::Error>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files in the server's folder.
#[derive(Debug, Clone)]
struct Files {
    folder: PathBuf,
    config: PathBuf,
    log: PathBuf,
    ports: PathBuf,
    streams: PathBuf,
    /// What the streams held at the start and three quarters of what was free. The server's own default leaves out the
    /// first part, and would refuse to publish once the streams are larger than what is left of the disk.
    stream_bytes_limit: u64,
}

impl NatsServer {
    /// Starts a server and returns once it answers. Blocks the thread; nothing of the child is bound to it.
    ///
    /// # Errors
    /// See [`StartError`]. Nothing is left running then.
    pub fn start(options: &Options) -> Result<Self, StartError> {
        usable(&options.server).map_err(|source| StartError::Unusable {
            path: options.server.clone(),
            source,
        })?;
        let files = Files::prepare(&options.folder)?;
        let lock = take_lock(&files)?;
        end_left_behind(&files)?;
        check_free(options.port)?;
        files.forget_ports()?;
        files.write_config(options.port)?;
        let shared = Arc::new(Shared {
            files,
            server: options.server.clone(),
            launch: options.launch.clone(),
            state: Mutex::default(),
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
            _lock: lock,
        };
        server.port = server.wait_until_ready(options.ready_within)?;
        server.shared.files.write_config(Port::Fixed(server.port))?;
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

    fn wait_until_ready(&self, within: Duration) -> Result<u16, StartError> {
        let files = &self.shared.files;
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            {
                let mut state = self.shared.state();
                if let Some(source) = state.spawn_error.take() {
                    let path = self.shared.server.clone();
                    return Err(StartError::Spawn { path, source });
                }
                if let Some(status) = state.last_exit.take() {
                    let log = files.end_of_log();
                    return Err(StartError::Exited { status, log });
                }
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
    loop {
        let started = Instant::now();
        match start_child(shared) {
            Start::Running(pid) => {
                wait_for_exit(pid);
                reap(shared);
            }
            Start::Failed => {}
            Start::Stopping => return,
        }
        if started.elapsed() >= STEADY_AFTER {
            backoff = FIRST_BACKOFF;
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

fn start_child(shared: &Shared) -> Start {
    let mut state = shared.state();
    if state.stopping {
        return Start::Stopping;
    }
    match spawn(shared) {
        Ok(child) => {
            let pid = Pid::from_child(&child);
            state.child = Some(child);
            Start::Running(pid)
        }
        Err(error) => {
            tracing::error!(%error, server = %shared.server.display(), "nats-server could not be started");
            state.spawn_error = Some(error);
            Start::Failed
        }
    }
}

fn spawn(shared: &Shared) -> std::io::Result<Child> {
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
        .open(&shared.files.log)?;
    command
        .envs(
            GO_RUNTIME
                .into_iter()
                .filter(|(name, _)| std::env::var_os(name).is_none()),
        )
        .arg("--config")
        .arg(&shared.files.config)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // Ctrl-C in a terminal goes to the whole group: the server must outlast our own orderly end.
        .process_group(0)
        .spawn()
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

fn reap(shared: &Shared) {
    let mut state = shared.state();
    let status = match state.child.take().map(|mut child| child.wait()) {
        Some(Ok(status)) => status.to_string(),
        Some(Err(error)) => error.to_string(),
        None => return,
    };
    if !state.stopping {
        tracing::warn!(%status, "nats-server ended, starting it again");
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

fn take_lock(files: &Files) -> Result<File, StartError> {
    let path = files.folder.join("lock");
    let refused = |source| StartError::Folder {
        path: path.clone(),
        source,
    };
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(refused)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse {
            folder: files.folder.clone(),
        }),
        Err(TryLockError::Error(source)) => Err(refused(source)),
    }
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

/// What the server writes into its ports file.
#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
}

impl Files {
    fn prepare(folder: &Path) -> Result<Self, StartError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| StartError::Folder { path, source }
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        // The same folder must give the same path, whatever way it was named: left-behind servers are found by it.
        let folder = folder.canonicalize().map_err(failed(folder))?;
        let (ports, streams) = (folder.join("ports"), folder.join("streams"));
        for path in [&ports, &streams] {
            fs::create_dir_all(path).map_err(failed(path))?;
        }
        Ok(Self {
            config: folder.join("nats-server.conf"),
            log: folder.join("nats-server.log"),
            stream_bytes_limit: room_for_streams(&streams).map_err(failed(&streams))?,
            ports,
            streams,
            folder,
        })
    }

    /// Removes the ports files of servers that had no time to.
    fn forget_ports(&self) -> Result<(), StartError> {
        let forget = || {
            for entry in fs::read_dir(&self.ports)? {
                fs::remove_file(entry?.path())?;
            }
            Ok(())
        };
        forget().map_err(|source| StartError::Folder {
            path: self.ports.clone(),
            source,
        })
    }

    fn write_config(&self, port: Port) -> Result<(), StartError> {
        let next = self.folder.join("nats-server.conf.next");
        let write = || {
            let mut file = File::create(&next)?;
            file.write_all(self.config_text(port)?.as_bytes())?;
            fs::rename(&next, &self.config)
        };
        write().map_err(|source| StartError::Folder {
            path: self.config.clone(),
            source,
        })
    }

    fn config_text(&self, port: Port) -> std::io::Result<String> {
        let port = match port {
            Port::Free => "-1".to_owned(),
            Port::Fixed(port) => port.to_string(),
        };
        Ok(format!(
            "# Written at every start: changes are lost.\n\
             host: \"{host}\"\n\
             port: {port}\n\
             max_payload: {MAX_PAYLOAD_BYTES}\n\
             max_pending: {MAX_PENDING_BYTES}\n\
             ports_file_dir: {ports}\n\
             log_file: {log}\n\
             log_size_limit: {LOG_BYTES}\n\
             jetstream {{\n  store_dir: {streams}\n  max_file_store: {limit}\n}}\n",
            host = Ipv4Addr::LOCALHOST,
            ports = quoted(&self.ports)?,
            log = quoted(&self.log)?,
            streams = quoted(&self.streams)?,
            limit = self.stream_bytes_limit,
        ))
    }

    /// The port that a server with this process id says it listens on, once it does.
    fn port_of(&self, pid: u32) -> Option<u16> {
        let ending = format!("_{pid}.ports");
        let entry = fs::read_dir(&self.ports)
            .ok()?
            .filter_map(Result::ok)
            .find(|entry| entry.file_name().to_string_lossy().ends_with(&ending))?;
        let ports: Ports = serde_json::from_slice(&fs::read(entry.path()).ok()?).ok()?;
        ports.nats.first()?.rsplit_once(':')?.1.parse().ok()
    }

    fn end_of_log(&self) -> String {
        const LINES: usize = 10;
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines.iter().skip(lines.len().saturating_sub(LINES));
        tail.copied().collect::<Vec<_>>().join("\n")
    }
}

/// A path as a string of the configuration's own grammar, which knows backslash escapes within double quotes.
fn quoted(path: &Path) -> std::io::Result<String> {
    let text = path.to_str().ok_or_else(|| {
        let message = format!("{} is not UTF-8, which nats-server needs", path.display());
        std::io::Error::new(std::io::ErrorKind::InvalidInput, message)
    })?;
    Ok(format!(
        "\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"")
    ))
}

fn room_for_streams(streams: &Path) -> std::io::Result<u64> {
    let space = rustix::fs::statvfs(streams)?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    Ok(bytes_under(streams)?.saturating_add(free / 4 * 3))
}

fn bytes_under(folder: &Path) -> std::io::Result<u64> {
    let mut total = 0_u64;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total = total.saturating_add(if metadata.is_dir() {
            bytes_under(&entry.path())?
        } else {
            metadata.len()
        });
    }
    Ok(total)
}

#[cfg(test)]
mod tests;
