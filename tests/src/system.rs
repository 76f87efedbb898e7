//! The ledger as processes of their own: nats-server, a node and the projectors, each of which can be taken away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command as Program, ExitStatus};
use std::time::Duration;

use bytes::Bytes;
use ledger_bus::{Bus, BusOptions, EventFeed, FeedEvent, ViewBucket, subject};
use ledger_client::{Connection, SubmitOptions, Submitter, audit};
use ledger_domain::view::Views;
use ledger_domain::wire::v1::view::Family;
use ledger_domain::wire::v1::{Command, Receipt, Root, Status};
use ledger_import::seeds;
use tempfile::TempDir;

use crate::commands::Commander;
use crate::log::{Recorded, read_log};
use crate::nats::TestNats;
use crate::process::{Process, ledger};
use crate::wait::{await_that, eventually};

/// The families of views, as `compact-ledger projector` calls them.
pub const VIEWS: [&str; 3] = ["country", "action", "summary"];

/// The family that a projector of [`VIEWS`] folds.
///
/// # Panics
/// When it is none of them.
pub fn family(view: &str) -> Family {
    Family::from_name(view).expect("a family")
}

const READY_WITHIN: Duration = Duration::from_mins(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// A nats-server, a node and up to three projectors. Dropping it kills them all.
#[derive(Debug)]
pub struct System {
    node: Option<Process>,
    projectors: BTreeMap<&'static str, Process>,
    nats: TestNats,
    node_arguments: Vec<String>,
    folder: TempDir,
    connection: Connection,
}

impl System {
    /// Starts nats-server and a node with these further arguments, and loads the reference catalogue.
    ///
    /// # Panics
    /// When something does not start, or the catalogue is refused.
    pub async fn start(node_arguments: &[&str]) -> Self {
        let mut system = Self::with_nats_only(node_arguments).await;
        system.start_node().await;
        system.load_reference().await;
        system
    }

    /// The same with all three projectors.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub async fn start_whole(node_arguments: &[&str]) -> Self {
        let mut system = Self::start(node_arguments).await;
        system.start_projectors();
        system
    }

    /// Starts nats-server alone; `node_arguments` are for when the node is started.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn with_nats_only(node_arguments: &[&str]) -> Self {
        Self::with_nats(TestNats::start(), node_arguments).await
    }

    /// The same with a nats-server that runs already.
    ///
    /// # Panics
    /// When it cannot be reached.
    pub async fn with_nats(nats: TestNats, node_arguments: &[&str]) -> Self {
        let connection = Connection::open(nats.url(), "test")
            .await
            .expect("a connection");
        Self {
            node: None,
            projectors: BTreeMap::new(),
            nats,
            node_arguments: node_arguments.iter().map(|&text| text.to_owned()).collect(),
            folder: TempDir::new().expect("a temporary folder"),
            connection,
        }
    }

    /// The nats-server.
    pub fn nats(&mut self) -> &mut TestNats {
        &mut self.nats
    }

    /// The address of the nats-server.
    pub fn url(&self) -> String {
        self.nats.url()
    }

    /// A connection that lasts as long as the test, whatever goes away in between.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The same connection, as the bus.
    pub fn bus(&self) -> &Bus {
        self.connection.bus()
    }

    /// A connection of its own for one writer.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn another_bus(&self) -> Bus {
        let options = BusOptions::service(self.url(), "writer");
        Bus::connect(&options).await.expect("a connection")
    }

    /// Where the node keeps its log.
    pub fn log_folder(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    /// Where a projector keeps its views.
    pub fn view_folder(&self, view: &str) -> PathBuf {
        self.folder.path().join("views").join(view)
    }

    /// The arguments with which the node is started from now on.
    pub fn set_node_arguments(&mut self, arguments: &[&str]) {
        self.node_arguments = arguments.iter().map(|&text| text.to_owned()).collect();
    }

    /// A call of the binary with this system's address in its environment.
    pub fn ledger<const N: usize>(&self, arguments: [&str; N]) -> Program {
        let mut program = ledger(arguments);
        program.env("NATS_URL", self.url());
        program
    }

    /// Starts the node without waiting for anything.
    pub fn spawn_node(&mut self) -> &mut Process {
        let mut program = self.node_program(&self.log_folder());
        self.node.insert(Process::start("node", &mut program))
    }

    /// The call that starts a node of this system on a folder.
    pub fn node_program(&self, folder: &Path) -> Program {
        let mut program = self.ledger(["node", "--data"]);
        program.arg(folder).args(&self.node_arguments);
        program
    }

    /// Starts the node and waits until it answers.
    ///
    /// # Panics
    /// When it ends, or does not answer within a minute.
    pub async fn start_node(&mut self) {
        self.spawn_node();
        self.await_node().await;
    }

    /// Waits until the node answers.
    ///
    /// # Panics
    /// When it ends, or does not answer within a minute.
    pub async fn await_node(&mut self) {
        let bus = self.connection.bus().clone();
        let node = self.node.as_mut().expect("a node");
        eventually("the node to answer", READY_WITHIN, async || {
            assert!(node.runs(), "the node has ended:\n{}", node.stderr());
            bus.head(Duration::from_secs(1)).await.ok()
        })
        .await;
    }

    /// The node's process.
    ///
    /// # Panics
    /// When there is none.
    pub fn node(&mut self) -> &mut Process {
        self.node.as_mut().expect("a node")
    }

    /// Kills the node with SIGKILL.
    pub fn kill_node(&mut self) {
        self.node().kill();
    }

    /// Asks the node to end, and says how it did.
    ///
    /// # Panics
    /// When it does not end within half a minute.
    pub fn stop_node(&mut self) -> ExitStatus {
        self.node().terminate(ENDS_WITHIN)
    }

    /// Ends the node in good order and starts it again.
    ///
    /// # Panics
    /// When it does not end well or does not come back.
    pub async fn restart_node(&mut self) {
        assert!(self.stop_node().success(), "{}", self.node().stderr());
        self.start_node().await;
    }

    /// Starts a projector; one that runs already is killed first.
    pub fn start_projector(&mut self, view: &'static str) {
        self.start_projector_with(view, &[]);
    }

    /// The same with further arguments.
    pub fn start_projector_with(&mut self, view: &'static str, arguments: &[&str]) {
        self.projectors.remove(view);
        let mut program = self.ledger(["projector", view, "--data"]);
        program.arg(self.view_folder(view)).args(arguments);
        let process = Process::start(&format!("projector {view}"), &mut program);
        self.projectors.insert(view, process);
    }

    /// Starts all projectors.
    pub fn start_projectors(&mut self) {
        for view in VIEWS {
            self.start_projector(view);
        }
    }

    /// A projector's process.
    ///
    /// # Panics
    /// When there is none.
    pub fn projector(&mut self, view: &str) -> &mut Process {
        self.projectors.get_mut(view).expect("a projector")
    }

    /// Asks a projector to end.
    ///
    /// # Panics
    /// When it does not end well within half a minute.
    pub fn stop_projector(&mut self, view: &str) {
        let process = self.projector(view);
        // Before it has begun, the signal would end it as it ends any process.
        await_that("the projector to begin", READY_WITHIN, || {
            !process.stderr().is_empty()
        });
        let status = process.terminate(ENDS_WITHIN);
        assert!(status.success(), "{status}: {}", process.stderr());
    }

    /// Waits until every projector that was started has folded the whole log.
    ///
    /// # Panics
    /// When one has ended, or has not within a minute.
    pub async fn await_views(&mut self) {
        let tree_size = self.tree_size().await;
        for (view, process) in &mut self.projectors {
            let what = format!("the {view} projector to fold {tree_size} events");
            eventually(&what, READY_WITHIN, async || {
                assert!(process.runs(), "{view} has ended:\n{}", process.stderr());
                let answer = self.connection.projection(family(view)).await.ok()?;
                (answer.checkpoint >= tree_size).then_some(())
            })
            .await;
        }
    }

    /// Sends the reference catalogue.
    ///
    /// # Panics
    /// When any of it is refused.
    pub async fn load_reference(&self) {
        let root = Root {
            partner: "root".parse().expect("an id"),
            party: "ledger".parse().expect("an id"),
        };
        let commands = seeds::reference_commands(&root).expect("the seeds");
        // The first makes the partner that sends the others.
        let (first, rest) = commands.split_first().expect("commands");
        self.accepted(std::slice::from_ref(first)).await;
        self.accepted(rest).await;
    }

    /// Registers a partner that reports for these parties, and gives a maker of its commands for the first.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn reporter(&self, partner: &str, parties: &[&str]) -> Commander {
        let mut root = Commander::new("root", "ledger", 0);
        let mut command = root.register_reporter(partner, parties);
        let subject = format!("partner/{partner}");
        command.id.0 = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, subject.as_bytes());
        self.accepted(&[command]).await;
        Commander::new(partner, parties[0], 1)
    }

    /// Sends commands of one partner as one submission and gives their receipts, however long the ledger is busy.
    ///
    /// # Panics
    /// When there are no receipts within half a minute.
    pub async fn submit(&self, commands: &[Command]) -> Vec<Receipt> {
        let partner = commands[0].partner.as_str();
        let submitter = Submitter::open(self.bus(), partner, SubmitOptions::default())
            .await
            .expect("a submitter");
        let reply = submitter.submit(batch(commands)).await;
        reply.expect("receipts").receipts
    }

    /// The same, given that all are accepted.
    ///
    /// # Panics
    /// When one is not.
    pub async fn accepted(&self, commands: &[Command]) -> Vec<Receipt> {
        let receipts = self.submit(commands).await;
        for receipt in &receipts {
            assert_eq!(receipt.status, Status::Accepted, "{receipt:?}");
        }
        receipts
    }

    /// Sends these bytes as a partner, once, and gives what comes back.
    ///
    /// # Panics
    /// When no receipts come within ten seconds.
    pub async fn ask(&self, partner: &str, bytes: impl Into<Bytes>) -> Vec<Receipt> {
        let reply = self
            .bus()
            .request(&subject::command(partner), bytes.into(), ANSWER_WITHIN)
            .await
            .expect("a reply");
        receipts(&reply.payload)
    }

    /// Events on the node's disk.
    ///
    /// # Panics
    /// When the node does not answer.
    pub async fn tree_size(&self) -> u64 {
        let head = self.connection.head().await;
        head.expect("a head").tree_size
    }

    /// Waits until the event stream holds everything that is on disk; gives its size.
    ///
    /// # Panics
    /// When it does not within a minute.
    pub async fn await_published(&self) -> u64 {
        eventually("everything to be published", READY_WITHIN, async || {
            let head = self.connection.head().await.ok()?;
            (head.published == head.tree_size).then_some(head.tree_size)
        })
        .await
    }

    /// Holds the event stream to be the log: at every sequence the event of the position before it, to the byte.
    ///
    /// # Panics
    /// When it is not within a minute.
    pub async fn verify_stream(&self) {
        let log = self.log_from(0).await;
        let what = format!("the stream to hold {} events", log.len());
        let published = eventually(&what, READY_WITHIN, async || {
            self.published(log.len()).await
        });
        for (published, recorded) in published.await.iter().zip(&log) {
            assert_eq!(published.position, recorded.position);
            assert_eq!(published.delivered, recorded.delivered);
        }
    }

    /// The first events of the stream; `None` if they cannot be had now.
    async fn published(&self, count: usize) -> Option<Vec<FeedEvent>> {
        let mut feed = EventFeed::open(self.bus(), 0, 512).await.ok()?;
        let mut published = Vec::new();
        while published.len() < count {
            let next = tokio::time::timeout(Duration::from_secs(2), feed.next()).await;
            published.extend(next.ok()?.ok()?);
        }
        Some(published)
    }

    /// Everything the node has from a position on, each leaf checked against its data.
    ///
    /// # Panics
    /// When it cannot be read or does not hold.
    pub async fn log_from(&self, from: u64) -> Vec<Recorded> {
        read_log(&self.connection, from).await
    }

    /// Recomputes the tree and all views as an auditor does, and holds them to be what is served.
    ///
    /// # Panics
    /// When anything differs.
    pub async fn audit(&self) {
        let report = audit::verify(&self.connection, None, |_| {}).await;
        let report = report.expect("a log that agrees with itself");
        assert!(report.agrees(), "{report:?}");
    }

    /// The same, and holds the buckets to have these views too. Nothing may be recorded meanwhile.
    ///
    /// # Panics
    /// When anything differs.
    pub async fn verify(&mut self) {
        self.await_views().await;
        self.audit().await;
        self.verify_buckets().await;
    }

    async fn verify_buckets(&self) {
        let events = self.log_from(0).await;
        self.verify_bucket(Family::Country, &events).await;
        self.verify_bucket(Family::Action, &events).await;
        self.verify_bucket(Family::Summary, &events).await;
    }

    async fn verify_bucket(&self, family: Family, events: &[Recorded]) {
        let mut projection = Views::of(&[family]);
        for recorded in events {
            projection.apply(&recorded.event);
        }
        let bucket = ViewBucket::open(self.bus(), family.name()).await;
        let bucket = bucket.expect("a bucket");
        for key in projection.keys() {
            let body = projection.body(&key).expect("the body of a key");
            let what = format!("the bucket's view {} of {key}", family.name());
            eventually(&what, READY_WITHIN, async || {
                let found = bucket.get(&key).await.ok()??;
                (found == body).then_some(())
            })
            .await;
        }
    }

    /// Waits until the node has ended by itself; gives its exit code and what it said.
    ///
    /// # Panics
    /// When it goes on for half a minute.
    pub fn node_ended(&mut self) -> (Option<i32>, String) {
        let node = self.node();
        await_that("the node to end by itself", ENDS_WITHIN, || !node.runs());
        let status = node.wait(ENDS_WITHIN);
        (status.code(), node.stderr())
    }
}

/// Commands as one submission: an array, even of one.
pub fn batch(commands: &[Command]) -> Bytes {
    let encoded: Vec<Vec<u8>> = commands.iter().map(Command::encode).collect();
    batch_of(&encoded)
}

/// The bytes of commands as one submission.
pub fn batch_of<B: AsRef<[u8]>>(commands: &[B]) -> Bytes {
    let mut bytes = vec![b'['];
    for (index, command) in commands.iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(command.as_ref());
    }
    bytes.push(b']');
    bytes.into()
}

/// The receipts in a reply: one alone or an array.
///
/// # Panics
/// When it is neither.
pub fn receipts(reply: &[u8]) -> Vec<Receipt> {
    if reply.starts_with(b"[") {
        serde_json::from_slice(reply).expect("receipts")
    } else {
        vec![serde_json::from_slice(reply).expect("a receipt")]
    }
}
