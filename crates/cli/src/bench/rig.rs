//! A nats-server and a node of the measurement's own, on free ports and in an empty directory.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ledger_bus::{Bus, BusOptions};
use ledger_client::{Connection, SubmitOptions, audit, submit_in_order};
use ledger_domain::country;
use ledger_domain::ids::{PartnerId, Subject};
use ledger_domain::wire::v1::{Command as LedgerCommand, CommandBody, RegisterPartner, Role};
use ledger_import::seeds;
use ledger_nats_server::{Launch, NatsServer, Places, Port};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::ECHO_SUBJECT;
use crate::failure::Failure;
use crate::output::say;

/// The partner that sends the load.
pub(crate) const PARTNER: &str = "bench";
const READY_WITHIN: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Parties the load speaks for, and actions it names.
const PARTIES: usize = 190;
const ACTIONS: usize = 180;

/// Processes of the ledger under measurement; all end when it is dropped.
pub(crate) struct Rig {
    processes: Vec<(&'static str, Child)>,
    nats: Option<NatsServer>,
    dir: tempfile::TempDir,
    node_http: SocketAddr,
    pub(crate) bus: Bus,
}

impl Rig {
    /// Starts nats-server and a node in a new directory under `parent`, and loads the reference catalogue.
    pub(crate) async fn start(parent: &Path, cached_commitments: usize) -> Result<Self, Failure> {
        std::fs::create_dir_all(parent)?;
        let dir = tempfile::Builder::new()
            .prefix("ledger-bench-")
            .tempdir_in(parent)?;
        let options = ledger_nats_server::Options {
            server: ledger_nats_server::find(&Places::from_environment())?,
            folder: dir.path().join("nats"),
            port: Port::Free,
            launch: Launch::Guarded {
                program: std::env::current_exe()?,
                arguments: vec![crate::EXEC_CHILD.to_owned()],
            },
            ready_within: READY_WITHIN,
            stream_bytes: None,
            max_payload: None,
        };
        let started = tokio::task::spawn_blocking(move || NatsServer::start(&options)).await;
        let nats = started.map_err(|error| Failure::failed(&error))??;
        let bus = Bus::connect(&BusOptions::tool(nats.url(), "bench")).await?;
        let mut rig = Self {
            processes: Vec::new(),
            nats: Some(nats),
            dir,
            node_http: free_address()?,
            bus,
        };
        let http = rig.node_http.to_string();
        let cached = cached_commitments.to_string();
        let data = rig.dir.path().join("ledger");
        let arguments = [
            "node",
            "--http",
            &http,
            "--cached-commitments",
            &cached,
            "--data",
        ];
        rig.spawn("node", &arguments, Some(&data))?;
        rig.wait_for_node().await?;
        rig.load_reference().await?;
        Ok(rig)
    }

    /// Starts the projector of all views, as `up` runs it but in a process of its own.
    pub(crate) fn start_projectors(&mut self) -> Result<(), Failure> {
        let dir = self.views_dir();
        self.spawn("projector", &["projector", "all", "--data"], Some(&dir))
    }

    /// Where the projector keeps its store.
    pub(crate) fn views_dir(&self) -> PathBuf {
        self.dir.path().join("views").join("all")
    }

    /// Starts the other end of the echo baseline and waits until it answers.
    pub(crate) async fn start_echo(&mut self) -> Result<(), Failure> {
        self.spawn("echo", &["bench", "echo"], None)?;
        let started = Instant::now();
        let alive = || {
            let payload = Bytes::from_static(b"{}");
            self.bus
                .request(ECHO_SUBJECT, payload, Duration::from_secs(1))
        };
        while let Err(error) = alive().await {
            if started.elapsed() > READY_WITHIN {
                return Err(Failure::failed(&error));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// Ends the processes of one kind.
    pub(crate) fn stop(&mut self, kind: &str) -> Result<(), Failure> {
        for (_, child) in self.processes.iter_mut().filter(|(name, _)| *name == kind) {
            child.kill()?;
            child.wait()?;
        }
        self.processes.retain(|(name, _)| *name != kind);
        Ok(())
    }

    fn spawn(
        &mut self,
        kind: &'static str,
        arguments: &[&str],
        dir: Option<&PathBuf>,
    ) -> Result<(), Failure> {
        let url = self.nats.as_ref().map(NatsServer::url).unwrap_or_default();
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.dir.path().join(format!("{kind}.log")))?;
        let child = Command::new(std::env::current_exe()?)
            .args([crate::EXEC_CHILD, &std::process::id().to_string()])
            .arg(std::env::current_exe()?)
            .args(arguments)
            .args(dir)
            .env("NATS_URL", url)
            .env_remove("NATS_INBOX_PREFIX")
            .env_remove("LEDGER_HTTP")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        self.processes.push((kind, child));
        Ok(())
    }

    async fn wait_for_node(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        while self.bus.head(Duration::from_secs(1)).await.is_err() {
            if started.elapsed() > READY_WITHIN {
                let log =
                    std::fs::read_to_string(self.dir.path().join("node.log")).unwrap_or_default();
                return Err(Failure::because(format!(
                    "the node did not start; it said:\n{log}"
                )));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    async fn load_reference(&self) -> Result<(), Failure> {
        let url = self.nats.as_ref().map(NatsServer::url).unwrap_or_default();
        let connection = Connection::open(&url, "bench-setup").await?;
        let root = audit::opened(&connection).await?.root;
        let mut commands = seeds::reference_commands(&root)?;
        let partner: PartnerId = PARTNER.parse().map_err(|error| Failure::failed(&error))?;
        commands.push(LedgerCommand {
            id: ledger_domain::ids::CommandId(Uuid::new_v4()),
            partner: root.partner.clone(),
            subject: Subject::Partner(partner),
            time: chrono::Utc::now(),
            party: root.party.clone(),
            expected_version: None,
            nonce: None,
            body: CommandBody::RegisterPartner(RegisterPartner {
                name: "Load of a measurement".to_owned(),
                roles: vec![Role::Reporter],
                parties: parties()
                    .iter()
                    .filter_map(|code| code.parse().ok())
                    .collect(),
                focal_point_for: Vec::new(),
            }),
        });
        let (sender, lines) = mpsc::channel(commands.len());
        for command in &commands {
            let sent = sender.send(Bytes::from(command.encode()).into()).await;
            sent.map_err(|error| Failure::failed(&error))?;
        }
        drop(sender);
        let outcome =
            submit_in_order(&connection, SubmitOptions::default(), lines, |_, _| Ok(())).await?;
        if outcome.rejected > 0 {
            return Err(Failure::because(format!(
                "{} commands of the setup were refused",
                outcome.rejected
            )));
        }
        Ok(())
    }

    /// Events on disk.
    pub(crate) async fn tree_size(&self) -> Result<u64, Failure> {
        Ok(self.bus.head(Duration::from_secs(10)).await?.tree_size)
    }

    /// Processor time used so far by the node, by nats-server and by this process, in seconds.
    pub(crate) fn processor_seconds(&self) -> [f64; 3] {
        let nats = self.nats.as_ref().and_then(NatsServer::process_id);
        let node = self.processes.iter().find(|(name, _)| *name == "node");
        let of = |id: Option<u32>| id.map_or(0.0, |id| processor_seconds_of(&id.to_string()));
        [
            of(node.map(|(_, child)| child.id())),
            of(nats),
            processor_seconds_of("self"),
        ]
    }

    /// Processor time used so far by the projector, in seconds.
    pub(crate) fn projector_seconds(&self) -> f64 {
        let projectors = self
            .processes
            .iter()
            .filter(|(name, _)| *name == "projector");
        projectors
            .map(|(_, child)| processor_seconds_of(&child.id().to_string()))
            .sum()
    }

    /// The most memory that the processes of a kind ever held, each, in bytes.
    pub(crate) fn peak_memory(&self, kind: &str) -> u64 {
        let of_kind = self.processes.iter().filter(|(name, _)| *name == kind);
        of_kind
            .map(|(_, child)| peak_memory_of(&child.id().to_string()))
            .max()
            .unwrap_or(0)
    }

    /// A counter or gauge of the node.
    pub(crate) fn metric<T: std::str::FromStr>(&self, name: &str) -> Result<T, Failure> {
        let mut stream = TcpStream::connect(self.node_http)?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.ok_or_else(|| Failure::because(format!("the node has no metric {name}")))
    }

    /// Bytes that a part of the node's directory takes on disk.
    pub(crate) fn bytes_on_disk(&self, part: &str) -> u64 {
        fn sum(path: &Path) -> u64 {
            use std::os::unix::fs::MetadataExt;
            let Ok(metadata) = path.symlink_metadata() else {
                return 0;
            };
            if !metadata.is_dir() {
                return metadata.blocks() * 512;
            }
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| sum(&entry.path())).sum()
        }
        sum(&self.dir.path().join("ledger").join(part))
    }

    /// Where the measurement keeps its files.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The address of the nats-server.
    pub(crate) fn url(&self) -> String {
        self.nats.as_ref().map(NatsServer::url).unwrap_or_default()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        for (kind, child) in &mut self.processes {
            if let Err(error) = child.kill().and_then(|()| child.wait().map(|_| ())) {
                say(format_args!(
                    "the {kind} process could not be ended: {error}"
                ));
            }
        }
        if let Some(nats) = self.nats.take() {
            nats.stop();
        }
    }
}

/// An address nobody listens on at this moment.
fn free_address() -> Result<SocketAddr, Failure> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// The States that the load speaks for.
pub(crate) fn parties() -> Vec<String> {
    country::members()
        .take(PARTIES)
        .map(|country| country.code.to_string())
        .collect()
}

/// The lettered actions that the load names.
pub(crate) fn actions() -> Result<Vec<String>, Failure> {
    let opened: ledger_domain::wire::v1::Root = ledger_domain::wire::v1::Root {
        partner: "root".parse().map_err(|error| Failure::failed(&error))?,
        party: "ledger".parse().map_err(|error| Failure::failed(&error))?,
    };
    let commands = seeds::reference_commands(&opened)?;
    let codes = commands.into_iter().filter_map(|command| {
        let CommandBody::CatalogueAction(action) = command.body else {
            return None;
        };
        action.parent.is_some().then(|| action.code.to_string())
    });
    Ok(codes.take(ACTIONS).collect())
}

/// The most memory a process ever held, in bytes.
pub(super) fn peak_memory_of(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}

/// User and system time of a process, in seconds; the kernel counts in hundredths (`proc_pid_stat(5)`).
fn processor_seconds_of(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The second field is a name in parentheses that may hold spaces; utime and stime are fields 14 and 15.
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    super::ingest::as_f64(ticks) / 100.0
}
