//! HTTP for machines that watch the ledger: `/healthz`, `/readyz`, `/metrics`; and asking for it.
//!
//! This crate opens no store: it asks the node and the projectors over the bus, as everybody does.

mod metrics;
mod probe;

use probe::LEDGER_HEADER;
pub use probe::{Answered, ProbeError, probe};

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use ledger_bus::Bus;
use ledger_domain::wire::v1::answer::{HeadAnswer, ProjectionAnswer};
use ledger_domain::wire::v1::view::Family;
use metrics::Format;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Connections open at once; whoever comes then waits until one of them ends. Far below what a process may have open, so that
/// no number of callers keeps the log from opening its files.
const MAX_CONNECTIONS: usize = 128;
/// How long a connection may take for its one request and the answer. Those who watch a ledger wait less.
const CONNECTION_TIME: Duration = Duration::from_secs(5);
/// How long answers may still take when everything stops.
const DRAIN_TIME: Duration = Duration::from_secs(1);
/// How long no connection is taken after the system refused one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);
/// How often a projection that is behind is asked again while a readiness request waits.
const ASK_AGAIN: Duration = Duration::from_millis(20);
const ASK_TIMES: u32 = 25;

/// HTTP cannot be served.
#[derive(Debug, Error)]
pub enum WebError {
    /// The address is taken or not one of this machine.
    #[error("cannot listen on {address}: choose another with --http or LEDGER_HTTP")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why the system refused.
        #[source]
        source: std::io::Error,
    },
    /// The system does not say where it listens.
    #[error("the address of the HTTP listener is not known")]
    Address(#[source] std::io::Error),
}

/// Where the metrics come from, in `OpenMetrics`.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// Keeps `/readyz` at "not yet" while what answers has still to be prepared, whatever state the ledger is in.
#[derive(Clone, Debug, Default)]
pub struct ReadyGate {
    is_open: Arc<AtomicBool>,
}

impl ReadyGate {
    /// Lets readiness depend on the ledger alone from now on.
    pub fn open(&self) {
        self.is_open.store(true, Ordering::Release);
    }

    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }
}

/// How far a projection of this process has come: positions below this are folded.
pub type Checkpoint = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How far the buckets of the projections of this process have come, or why one cannot be written.
pub type BucketCheckpoint = Arc<dyn Fn() -> Result<u64, String> + Send + Sync>;

/// Why the node of this process takes no commands; nothing when it does. Another node may answer on the bus meanwhile.
pub type WhyNot = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// What `/readyz` speaks for.
#[derive(Clone)]
pub enum Ready {
    /// The whole ledger: commands are taken and all views have caught up, once the gate is open.
    Ledger(ReadyGate, WhyNot),
    /// A node: commands are taken.
    Node(WhyNot),
    /// A projector: it has folded what the node has on disk, and written it to its buckets.
    Projector {
        /// Its views.
        views: Checkpoint,
        /// Their buckets.
        buckets: BucketCheckpoint,
    },
}

#[derive(Clone)]
struct Shared {
    bus: Bus,
    metrics: MetricsText,
    ready: Ready,
}

/// A listener and what it serves.
pub struct WebServer {
    listener: TcpListener,
    router: Router,
}

impl WebServer {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// [`WebError::Listen`] when the address cannot be had.
    pub async fn bind(
        address: SocketAddr,
        bus: Bus,
        metrics: MetricsText,
        ready: Ready,
    ) -> Result<Self, WebError> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| WebError::Listen { address, source })?;
        let router = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics_text))
            .with_state(Shared {
                bus,
                metrics,
                ready,
            });
        Ok(Self { listener, router })
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// [`WebError::Address`] when the system cannot say.
    pub fn local_address(&self) -> Result<SocketAddr, WebError> {
        self.listener.local_addr().map_err(WebError::Address)
    }

    /// Serves until `stop` completes, and a second longer at most, for answers under way: nobody can hold up the end of a process
    /// by asking half a question.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                accepted = self.listener.accept(), if connections.len() < MAX_CONNECTIONS => {
                    if let Ok((stream, _)) = accepted {
                        connections.spawn(answer(stream, self.router.clone()));
                    } else {
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        let end = Instant::now() + DRAIN_TIME;
        while let Ok(Some(_)) = tokio::time::timeout_at(end, connections.join_next()).await {}
    }
}

/// Answers the one request of a connection. One that takes too long to ask, or to read the answer, is cut.
async fn answer(stream: TcpStream, router: Router) {
    let answering = http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // What a caller does wrong is the caller's concern.
    drop(tokio::time::timeout(CONNECTION_TIME, answering).await);
}

async fn metrics_text(State(shared): State<Shared>, headers: HeaderMap) -> impl IntoResponse {
    // A header may come in several lines, which are one list (RFC 9110, 5.3).
    let accept = headers.get_all(header::ACCEPT).iter();
    let accept: Vec<&str> = accept.filter_map(|line| line.to_str().ok()).collect();
    let format = Format::accepted((!accept.is_empty()).then(|| accept.join(",")).as_deref());
    let metrics = format.write((shared.metrics)());
    let headers = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::VARY, "Accept"),
    ];
    (headers, metrics)
}

async fn readyz(State(shared): State<Shared>) -> Response {
    let why_not = match &shared.ready {
        Ready::Ledger(_, why_not) | Ready::Node(why_not) => why_not(),
        Ready::Projector { .. } => None,
    };
    // What answers on the bus is another node then, perhaps of another ledger.
    if let Some(why) = why_not {
        return not_ready(&why);
    }
    let (ready, head) = tokio::join!(is_ready(&shared), head(&shared.bus));
    let mut response = match ready {
        Ok(how) => format!("ready: {how}\n").into_response(),
        Err(why) => not_ready(&why),
    };
    // Whoever asks the wrong address learns whose answer it is.
    let ledger = head.map(|head| HeaderValue::try_from(head.ledger));
    if let Ok(Ok(ledger)) = ledger {
        response.headers_mut().insert(LEDGER_HEADER, ledger);
    }
    response
}

/// The extent that is ready, or the reason for not being ready.
async fn is_ready(shared: &Shared) -> Result<String, String> {
    match &shared.ready {
        Ready::Ledger(gate, _) if !gate.is_open() => {
            Err("the start is not over, the reference catalogue is being loaded".to_owned())
        }
        Ready::Ledger(_, _) => ledger_readiness(&shared.bus)
            .await
            .map(|size| format!("{size} events, all views caught up")),
        Ready::Node(_) => node_readiness(&shared.bus)
            .await
            .map(|size| format!("{size} events, commands are taken")),
        Ready::Projector { views, buckets } => caught_up(&shared.bus, views, buckets)
            .await
            .map(|size| format!("{size} events, these views caught up")),
    }
}

fn not_ready(why: &str) -> Response {
    let sentence = format!("not ready: {why}\n");
    (StatusCode::SERVICE_UNAVAILABLE, sentence).into_response()
}

/// The node's answer about itself.
async fn head(bus: &Bus) -> Result<HeadAnswer, String> {
    let answered = bus.head(ANSWER_TIMEOUT).await;
    answered.map_err(|error| format!("the node does not answer: {error}"))
}

/// Events on disk, when the node takes commands.
async fn node_readiness(bus: &Bus) -> Result<u64, String> {
    let head = head(bus).await?;
    match head.refusing {
        Some(why) => Err(format!("commands are refused: {why}")),
        None => Ok(head.tree_size),
    }
}

/// Events on disk, when the node takes commands and every projection has come that far.
async fn ledger_readiness(bus: &Bus) -> Result<u64, String> {
    node_readiness(bus).await?;
    all_caught_up(bus, Extent::ViewsAndBuckets).await
}

/// The log's size when the projection of this process comes that far in time, and its buckets too.
async fn caught_up(
    bus: &Bus,
    views: &Checkpoint,
    buckets: &BucketCheckpoint,
) -> Result<u64, String> {
    let size = head(bus).await?.tree_size;
    let mut why = String::new();
    for _ in 0..ASK_TIMES {
        why = match (views(), buckets()) {
            (folded, _) if folded < size => format!("these views are at {folded} of {size} events"),
            (_, Err(error)) => format!("the buckets of these views cannot be written: {error}"),
            (_, Ok(written)) if written < size => {
                format!("the buckets of these views are at {written} of {size} events")
            }
            (_, Ok(_)) => return Ok(size),
        };
        tokio::time::sleep(ASK_AGAIN).await;
    }
    Err(why)
}

/// What must have caught up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Views,
    ViewsAndBuckets,
}

/// Why the projection of an answer has not caught up with a log of this size; nothing when it has.
fn behind(answer: &ProjectionAnswer, size: u64, extent: Extent) -> Option<String> {
    let projection = &answer.projection;
    if answer.checkpoint < size {
        let checkpoint = answer.checkpoint;
        return Some(format!(
            "the {projection} views are at {checkpoint} of {size} events"
        ));
    }
    let bucket = answer.bucket.as_ref();
    let bucket = bucket.filter(|_| extent == Extent::ViewsAndBuckets)?;
    let pending = bucket.pending_writes;
    if let Some(error) = &bucket.error {
        return Some(format!(
            "the bucket of the {projection} views cannot be written, {pending} writes are pending: {error}"
        ));
    }
    (bucket.checkpoint < size).then(|| {
        let checkpoint = bucket.checkpoint;
        format!(
            "the bucket of the {projection} views is at {checkpoint} of {size} events, {pending} writes are pending"
        )
    })
}

/// The log's size when the node answers and every projection has come that far. Commands may be refused for want of room, and the buckets may
/// be behind.
///
/// # Errors
/// A sentence that says what is not there yet.
pub async fn readiness(bus: &Bus) -> Result<u64, String> {
    all_caught_up(bus, Extent::Views).await
}

async fn all_caught_up(bus: &Bus, extent: Extent) -> Result<u64, String> {
    let size = head(bus).await?.tree_size;
    for family in Family::ALL {
        let mut asked = 0;
        loop {
            let answer = bus
                .projection(family, ANSWER_TIMEOUT)
                .await
                .map_err(|error| format!("the {family} projector does not answer: {error}"))?;
            let Some(why) = behind(&answer, size, extent) else {
                break;
            };
            asked += 1;
            if asked >= ASK_TIMES {
                return Err(why);
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_bus::BusOptions;
    use ledger_domain::wire::v1::answer::BucketAnswer;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    const HALF_A_REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n";
    /// More than a bounded end takes on a busy machine, less than a connection may.
    const SOON: Duration = Duration::from_secs(4);

    async fn serving() -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
        let nobody = BusOptions::service("nats://127.0.0.1:1", "test");
        let bus = Bus::connect(&nobody).await.expect("an address");
        let metrics: MetricsText = Arc::new(|| "a line\n".repeat(1 << 20));
        let any = "127.0.0.1:0".parse().expect("an address");
        let server = WebServer::bind(any, bus, metrics, Ready::Node(Arc::new(|| None))).await;
        let server = server.expect("a listener");
        let address = server.local_address().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));
        (address, stop, serving)
    }

    async fn asking(address: SocketAddr, request: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(request).await.expect("sent");
        stream
    }

    #[test]
    fn a_bucket_that_stands_still_is_behind_whatever_the_views_are() {
        let answer = |checkpoint, bucket| ProjectionAnswer {
            projection: "country".to_owned(),
            checkpoint,
            views: Vec::new(),
            bucket,
        };
        let bucket = |checkpoint, error: Option<&str>| {
            Some(BucketAnswer {
                checkpoint,
                pending_writes: 0,
                error: error.map(str::to_owned),
            })
        };
        let extent = Extent::ViewsAndBuckets;
        let is_behind = |answer, extent| behind(&answer, 7, extent).is_some();
        assert!(!is_behind(answer(7, bucket(7, None)), extent));
        assert!(!is_behind(answer(8, bucket(8, None)), extent));
        assert!(!is_behind(answer(7, None), extent));
        assert!(is_behind(answer(6, bucket(6, None)), extent));
        assert!(is_behind(answer(7, bucket(6, None)), extent));
        assert!(is_behind(answer(7, bucket(7, Some("no room"))), extent));
        assert!(!is_behind(answer(7, bucket(6, None)), Extent::Views));
    }

    #[tokio::test]
    async fn metrics_come_as_they_are_asked_for() {
        let (address, _stop, _serving) = serving().await;
        for (accept, content_type) in [
            ("", "content-type: text/plain; version=0.0.4; charset=utf-8"),
            (
                "Accept: text/plain;q=0.5\r\nAccept: application/openmetrics-text\r\n",
                "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8",
            ),
        ] {
            let request = format!("GET /metrics HTTP/1.1\r\nHost: x\r\n{accept}\r\n");
            let mut stream = asking(address, request.as_bytes()).await;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("an answer");
            let answer = String::from_utf8(answer).expect("text");
            assert!(answer.contains(content_type), "{accept}");
        }
    }

    #[tokio::test]
    async fn neither_half_a_request_nor_an_unread_answer_holds_up_the_end() {
        let (address, stop, serving) = serving().await;
        let half = asking(address, HALF_A_REQUEST).await;
        let pipelined = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
        let unread = asking(address, &pipelined).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.send(()).expect("a server");
        let ended = tokio::time::timeout(SOON, serving).await;
        ended.expect("it ended in time").expect("no panic");
        drop((half, unread));
    }

    #[tokio::test]
    async fn however_many_do_not_finish_asking_they_are_cut_and_others_are_answered() {
        let (address, _stop, _serving) = serving().await;
        let mut halves = Vec::new();
        for _ in 0..2 * MAX_CONNECTIONS {
            halves.push(asking(address, HALF_A_REQUEST).await);
        }
        let url = format!("http://{address}/healthz");
        let answered = probe(&url, 4 * CONNECTION_TIME).await.expect("an answer");
        assert_eq!(answered.status, 200);
        let mut rest = Vec::new();
        let cut = tokio::time::timeout(SOON, halves.swap_remove(0).read_to_end(&mut rest)).await;
        cut.expect("it was cut").expect("in good order");
    }
}
