//! One connection to nats-server.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_nats::{Client, HeaderMap, ServerAddr, ServerError};
use bytes::Bytes;
use ledger_domain::wire::v1::problem::{Problem, ProblemCode};
use thiserror::Error;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::access::{AddressError, EXAMPLE, NatsAccess};
use crate::denied::{DenialWatch, Denials, DeniedError};
use crate::dropped::Dropped;
use crate::throttle::LogThrottle;

/// How long JetStream's own answers may take. Without a bound, a request whose answer was lost with the connection would
/// be waited for forever.
const API_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the end of a connection may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a nats-server of a ledger should take in one message, in bytes: 8 MiB, as the one of `up` does.
pub const RECOMMENDED_MAX_PAYLOAD: usize = 8 << 20;

/// A directive for the filter of a log: what the client writes at every attempt to connect is left out. It is told as an event too, and said once.
pub const QUIET_ATTEMPTS: &str = "async_nats::connector=off";

/// What to do when no server answers at the first attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenAway {
    /// Give up with an error: a person at a terminal wants to know now.
    Fail,
    /// Keep trying: a service starts in any order.
    KeepTrying,
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct BusOptions {
    /// The server, and who this process is to it.
    pub access: NatsAccess,
    /// The name shown in the server's list of connections.
    pub name: String,
    /// What to do when no server answers.
    pub when_away: WhenAway,
    /// Messages a subscription holds before the client drops more of them.
    pub subscription_capacity: usize,
}

impl BusOptions {
    /// Options for a command-line tool: fails at once when nobody answers.
    pub fn tool(access: impl Into<NatsAccess>, name: &str) -> Self {
        Self {
            access: access.into(),
            name: name.to_owned(),
            when_away: WhenAway::Fail,
            subscription_capacity: 65_536,
        }
    }

    /// Options for the connection on which a service answers queries: what waits there longer than anybody for an answer is not worth
    /// its memory.
    pub fn queries(access: impl Into<NatsAccess>, name: &str) -> Self {
        Self {
            subscription_capacity: 1_024,
            ..Self::service(access, name)
        }
    }

    /// Options for a service: waits for the server and reconnects for ever.
    pub fn service(access: impl Into<NatsAccess>, name: &str) -> Self {
        Self {
            when_away: WhenAway::KeepTrying,
            ..Self::tool(access, name)
        }
    }
}

/// A connection could not be made.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The address cannot be read.
    #[error(transparent)]
    BadUrl(#[from] AddressError),
    /// The server answered that it does not take this user.
    #[error("the nats-server at {address} refuses the connection: {why}")]
    Refused {
        /// The address tried, without secrets.
        address: String,
        /// The server's words, and the change to make.
        why: String,
    },
    /// No server took the connection.
    #[error(
        "no nats-server answers at {address}: {why}; start the ledger with `compact-ledger up`, or set NATS_URL"
    )]
    Away {
        /// The address tried, without secrets.
        address: String,
        /// The reason, as far as it is known.
        why: &'static str,
        /// Why the client failed.
        #[source]
        source: async_nats::ConnectError,
    },
}

/// A request got no usable reply.
#[derive(Debug, Error)]
pub enum RequestError {
    /// Nobody listens on the subject: the service is not running.
    #[error("nobody answers on {subject}: the service behind it is not running")]
    NoResponders {
        /// The subject asked.
        subject: String,
    },
    /// No reply came in time.
    #[error("no reply on {subject} within {timeout_ms} ms")]
    Timeout {
        /// The subject asked.
        subject: String,
        /// How long was waited, in milliseconds.
        timeout_ms: u128,
    },
    /// The server does not let this user ask, or have the reply.
    #[error(transparent)]
    Denied(#[from] DeniedError),
    /// The service answered with an error of its own.
    #[error("{0}")]
    Refused(Problem),
    /// The request could not be sent.
    #[error("the request on {subject} was not sent")]
    NotSent {
        /// The subject asked.
        subject: String,
        /// Why the client failed.
        #[source]
        source: async_nats::RequestError,
    },
}

/// A reply to a request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The payload.
    pub payload: Bytes,
    headers: Option<HeaderMap>,
}

impl Reply {
    /// The value of a header, when there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .as_ref()
            .and_then(|headers| headers.get(name))
            .map(async_nats::HeaderValue::as_str)
    }
}

/// A connection; clones share it.
#[derive(Clone, Debug)]
pub struct Bus {
    pub(crate) client: Client,
    closed: watch::Receiver<bool>,
    connected: watch::Receiver<u64>,
    denials: DenialWatch,
}

impl Bus {
    /// Connects, and keeps reconnecting for as long as the value lives.
    ///
    /// # Errors
    /// [`ConnectError::BadUrl`] for an address that is none; [`ConnectError::Away`] when nobody answers, and
    /// [`ConnectError::Refused`] when the server does not take this user, if the options say to fail.
    pub async fn connect(options: &BusOptions) -> Result<Self, ConnectError> {
        let (addresses, _) = options.access.options()?;
        let mut refused = match Self::connect_to(options, addresses.clone()).await {
            Err(error @ ConnectError::Refused { .. }) if addresses.len() > 1 => error,
            outcome => return outcome,
        };
        // The client ends at the first server that refuses: another of them may take this user.
        for first in 0..addresses.len() {
            let mut addresses = addresses.clone();
            addresses.rotate_left(first);
            match Self::connect_to(options, addresses).await {
                Err(error @ ConnectError::Refused { .. }) => refused = error,
                outcome => return outcome,
            }
        }
        Err(refused)
    }

    /// Connects to the first of some servers that answers.
    async fn connect_to(
        options: &BusOptions,
        addresses: Vec<ServerAddr>,
    ) -> Result<Self, ConnectError> {
        let (_, connect) = options.access.options()?;
        let address = options.access.to_string();
        let (name, at) = (options.name.clone(), address.clone());
        let (closing, closed) = watch::channel(false);
        let (connecting, connected) = watch::channel(0);
        let reported = Reported::default();
        let denials = reported.denials.watch(options.access.inbox_prefix());
        let mut connect = connect
            .name(&options.name)
            .retain_servers_order()
            .subscription_capacity(options.subscription_capacity)
            .client_capacity(16_384)
            .read_buffer_capacity(u16::MAX)
            .request_timeout(Some(API_TIMEOUT))
            .connection_timeout(Duration::from_secs(5))
            .reconnect_delay_callback(|attempts| {
                Duration::from_millis(50 * u64::try_from(attempts.min(20)).unwrap_or(20))
            })
            .event_callback(move |event| {
                if matches!(event, async_nats::Event::Closed) {
                    closing.send_replace(true);
                }
                if matches!(event, async_nats::Event::Connected) {
                    connecting.send_modify(|times| *times += 1);
                }
                report(&name, &at, &event, &reported);
                std::future::ready(())
            });
        if options.when_away == WhenAway::KeepTrying {
            connect = connect.retry_on_initial_connect().max_reconnects(None);
        }
        let client = connect
            .connect(addresses)
            .await
            .map_err(|source| not_connected(address, source))?;
        Ok(Self {
            client,
            closed,
            connected,
            denials,
        })
    }

    /// The most bytes the server takes in one message.
    pub fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    /// The most bytes that an answer to a query may have: what the server takes less the headers.
    pub fn max_answer(&self) -> usize {
        crate::service::answer_bytes(self.max_payload())
    }

    /// Logs that the server takes smaller messages than it should. Call it once the connection stands.
    pub fn warn_of_small_messages(&self) {
        let max_payload = self.max_payload();
        if max_payload < RECOMMENDED_MAX_PAYLOAD {
            warn!(
                max_payload,
                recommended = RECOMMENDED_MAX_PAYLOAD,
                "the nats-server takes small messages only: answers come in more pages, and batches \
                 of commands must be smaller; set max_payload: 8MB in its configuration"
            );
        }
    }

    /// Whether the connection stands at this moment.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Which of this value's connections is the newest: grows whenever the client has connected again.
    pub fn connection_number(&self) -> u64 {
        self.client.statistics().connects.load(Ordering::Relaxed)
    }

    /// Told whenever the client has connected, soon after it has.
    pub fn connections(&self) -> watch::Receiver<u64> {
        self.connected.clone()
    }

    /// Waits until the server denies this user a subject from now on, or the inbox of the replies.
    pub(crate) fn denied(&self, subject: &str) -> impl Future<Output = DeniedError> + use<> {
        self.denials.of(subject)
    }

    /// Sends a request and waits for one reply.
    ///
    /// # Errors
    /// As [`RequestError`] says; a timeout says nothing about whether the request was carried out.
    pub async fn request(
        &self,
        subject: &str,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<Reply, RequestError> {
        let request = async_nats::Request::new()
            .payload(payload)
            .timeout(Some(timeout));
        let denied = self.denied(subject);
        let replied = tokio::select! {
            replied = self.client.send_request(subject.to_owned(), request) => replied,
            denied = denied => return Err(denied.into()),
        };
        let message = replied.map_err(|source| match source.kind() {
            async_nats::RequestErrorKind::NoResponders => RequestError::NoResponders {
                subject: subject.to_owned(),
            },
            async_nats::RequestErrorKind::TimedOut => RequestError::Timeout {
                subject: subject.to_owned(),
                timeout_ms: timeout.as_millis(),
            },
            async_nats::RequestErrorKind::InvalidSubject
            | async_nats::RequestErrorKind::MaxPayloadExceeded
            | async_nats::RequestErrorKind::Other => RequestError::NotSent {
                subject: subject.to_owned(),
                source,
            },
        })?;
        let reply = Reply {
            payload: message.payload,
            headers: message.headers,
        };
        if let Some(code) = reply.header(async_nats::service::NATS_SERVICE_ERROR_CODE) {
            let code = code
                .parse()
                .map_or(ProblemCode::Failed, ProblemCode::of_number);
            let message = reply
                .header(async_nats::service::NATS_SERVICE_ERROR)
                .unwrap_or("the service failed")
                .to_owned();
            return Err(RequestError::Refused(Problem { code, message }));
        }
        Ok(reply)
    }

    /// Ends the connection for every clone of this value: what was published before has left, and a server that goes away
    /// after it is nobody's concern. Returns within two seconds in any case.
    pub async fn close(&self) {
        if !self.is_connected() {
            return;
        }
        let mut closed = self.closed.clone();
        let closing = async {
            // Draining alone may end before a large buffer is written.
            self.flush().await;
            match self.client.drain().await {
                Ok(()) => closed.wait_for(|closed| *closed).await.is_ok(),
                Err(_) => true,
            }
        };
        if tokio::time::timeout(CLOSE_TIMEOUT, closing).await.is_err() {
            warn!("nats-server did not take everything before the end");
        }
    }

    /// Waits until everything published so far has left this process.
    pub async fn flush(&self) {
        if let Err(error) = self.client.flush().await {
            warn!(%error, "the connection closed before everything was sent");
        }
    }
}

/// Why no connection was made, in words for people.
fn not_connected(address: String, source: async_nats::ConnectError) -> ConnectError {
    let kind = source.kind();
    let server_said = std::error::Error::source(&source)
        .and_then(|source| source.downcast_ref::<ServerError>())
        .map(ToString::to_string);
    match server_said {
        _ if kind == async_nats::ConnectErrorKind::AuthorizationViolation => {
            let why = violation();
            ConnectError::Refused { address, why }
        }
        Some(said) => {
            let why = said.trim_start_matches(CLIENTS_PREFIX).to_owned();
            ConnectError::Refused { address, why }
        }
        None => ConnectError::Away {
            why: why_away(&kind.to_string()),
            address,
            source,
        },
    }
}

/// The prefix that the client puts before every error.
const CLIENTS_PREFIX: &str = "nats: ";
/// The client's words for the refusal of a user.
const VIOLATION: &str = "authorization violation";
/// The server's words, and the change to make.
fn violation() -> String {
    format!(
        "{VIOLATION}; give the user that it knows, or its token, in the address, like {EXAMPLE}"
    )
}

/// The client's word for why an attempt failed, as a person says it.
fn why_away(clients_word: &str) -> &'static str {
    match clients_word.trim_start_matches(CLIENTS_PREFIX) {
        "DNS error" => "no address is known by that name",
        "timed out" => "nothing answered in time",
        "TLS error" => "its certificate is not trusted, or it speaks no TLS",
        _ => "nobody listens there, or the connection broke",
    }
}

/// What was said of a connection that happens again and again.
#[derive(Default)]
struct Reported {
    /// Why no server takes the connection.
    away: Mutex<LogThrottle>,
    /// What the server says is wrong.
    errors: Mutex<LogThrottle>,
    denials: Denials,
    dropped: Arc<Dropped>,
}

impl Reported {
    /// Notes that an attempt to connect did not fail.
    fn connected(&self) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.is_over();
        self.denials.forget();
    }
}

/// Whether to log a failure.
fn should_log(throttle: &Mutex<LogThrottle>, why: &impl std::fmt::Display) -> bool {
    let mut throttle = throttle.lock().unwrap_or_else(PoisonError::into_inner);
    throttle.should_log(why, Instant::now())
}

/// Logs what happened to a connection.
fn report(name: &str, address: &str, event: &async_nats::Event, reported: &Reported) {
    match event {
        async_nats::Event::Connected => {
            reported.connected();
            info!(connection = name, address, "connected to nats-server");
        }
        // Every attempt fails with the same words.
        async_nats::Event::ClientError(error) => {
            let said = error.to_string();
            let is_news = should_log(&reported.away, &said);
            if said.ends_with(VIOLATION) {
                if is_news {
                    warn!(
                        connection = name,
                        "the nats-server at {address} refuses the connection: {}; trying until it is taken",
                        violation()
                    );
                }
            } else if is_news {
                let why = why_away(&said);
                info!(
                    connection = name,
                    "no nats-server answers at {address}: {why}; trying until one does"
                );
            }
        }
        async_nats::Event::Disconnected => warn!(
            connection = name,
            "disconnected from nats-server, reconnecting"
        ),
        async_nats::Event::SlowConsumer(_) => reported.dropped.note(name),
        // Asked for by whoever closes the connection.
        async_nats::Event::Draining | async_nats::Event::Closed => {
            tracing::debug!(connection = name, %event, "connection event");
        }
        async_nats::Event::ServerError(error) => {
            reported.denials.note(&error.to_string());
            if should_log(&reported.errors, error) {
                warn!(connection = name, %event, "the nats-server reports an error");
            }
        }
        async_nats::Event::LameDuckMode => {
            info!(connection = name, %event, "connection event");
        }
    }
}
