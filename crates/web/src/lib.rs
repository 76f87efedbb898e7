//! HTTP for machines that watch the ledger: `/healthz`, `/readyz`, `/metrics`; and asking for it.
//!
//! This crate opens no store: it asks the node and the projectors over the bus, as everybody does.

mod probe;

pub use probe::{Answered, ProbeError, probe};

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ledger_bus::Bus;
use ledger_bus::query::ProjectionAnswer;
use thiserror::Error;
use tokio::net::TcpListener;

const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);
/// The projections that must have caught up before the ledger is ready.
const PROJECTIONS: [&str; 3] = ["country", "action", "summary"];
/// How often a projection that is behind is asked again while a readiness request waits.
const ASK_AGAIN: Duration = Duration::from_millis(20);
const ASK_TIMES: u32 = 25;

/// HTTP cannot be served.
#[derive(Debug, Error)]
pub enum WebError {
    /// The address is taken or not one of this machine.
    #[error("cannot listen on {address}: choose another with --http")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why the system refused.
        #[source]
        source: std::io::Error,
    },
    /// Serving ended.
    #[error("serving HTTP failed")]
    Serve(#[source] std::io::Error),
}

/// Where the metrics come from: the text that Prometheus reads.
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

/// What `/readyz` speaks for.
#[derive(Clone)]
pub enum Ready {
    /// The whole ledger: commands are taken and all views have caught up, once the gate is open.
    Ledger(ReadyGate),
    /// A node: commands are taken.
    Node,
    /// A projector: it has folded what the node has on disk.
    Projector(Checkpoint),
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
    /// [`WebError::Serve`] when the system cannot say.
    pub fn local_address(&self) -> Result<SocketAddr, WebError> {
        self.listener.local_addr().map_err(WebError::Serve)
    }

    /// Serves until `stop` completes.
    ///
    /// # Errors
    /// [`WebError::Serve`] when the listener fails.
    pub async fn serve(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), WebError> {
        axum::serve(self.listener, self.router)
            .with_graceful_shutdown(stop)
            .await
            .map_err(WebError::Serve)
    }
}

async fn metrics_text(State(shared): State<Shared>) -> impl IntoResponse {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], (shared.metrics)())
}

async fn readyz(State(shared): State<Shared>) -> Response {
    let ready = match &shared.ready {
        Ready::Ledger(gate) if !gate.is_open() => {
            Err("the start is not over, the reference catalogue is being loaded".to_owned())
        }
        Ready::Ledger(_) => readiness(&shared.bus)
            .await
            .map(|size| format!("{size} events, all views caught up")),
        Ready::Node => tree_size(&shared.bus)
            .await
            .map(|size| format!("{size} events, commands are taken")),
        Ready::Projector(checkpoint) => caught_up(&shared.bus, checkpoint)
            .await
            .map(|size| format!("{size} events, these views caught up")),
    };
    match ready {
        Ok(how) => format!("ready: {how}\n").into_response(),
        Err(why) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {why}\n"),
        )
            .into_response(),
    }
}

/// Events on disk, when the node answers: it does so once it takes commands.
async fn tree_size(bus: &Bus) -> Result<u64, String> {
    match bus.head(ANSWER_TIMEOUT).await {
        Ok(head) => Ok(head.tree_size),
        Err(error) => Err(format!("the node does not answer: {error}")),
    }
}

/// The log's size when the projection of this process comes that far in time.
async fn caught_up(bus: &Bus, checkpoint: &Checkpoint) -> Result<u64, String> {
    let size = tree_size(bus).await?;
    for _ in 0..ASK_TIMES {
        if checkpoint() >= size {
            return Ok(size);
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
    Err(format!(
        "these views are at {} of {size} events",
        checkpoint()
    ))
}

/// The log's size when commands are taken and every projection has come that far.
///
/// # Errors
/// A sentence that says what is not there yet.
pub async fn readiness(bus: &Bus) -> Result<u64, String> {
    let size = tree_size(bus).await?;
    for projection in PROJECTIONS {
        let endpoint = format!("projection.{projection}");
        let mut asked = 0;
        loop {
            let answer: ProjectionAnswer = bus
                .ask(&endpoint, &(), ANSWER_TIMEOUT)
                .await
                .map_err(|error| format!("the {projection} projector does not answer: {error}"))?;
            if answer.checkpoint >= size {
                break;
            }
            asked += 1;
            if asked >= ASK_TIMES {
                return Err(format!(
                    "the {projection} views are at {} of {size} events",
                    answer.checkpoint
                ));
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }
    Ok(size)
}
