//! Queries as a NATS service named `compact-ledger`: found by `nats service`, balanced over its instances.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_nats::service::{Request, Service, ServiceExt};
use bytes::Bytes;
use futures::channel::mpsc;
use futures::stream::{BoxStream, SelectAll, StreamExt as _};
use ledger_domain::wire::v1::endpoint::{Argument, Endpoint};
use ledger_domain::wire::v1::problem::Problem;
use thiserror::Error;

use crate::connection::Bus;
use crate::subject;

/// Queries of one endpoint that wait to be answered. Those beyond are dropped: who asked sees a timeout and asks again, which is better
/// than an answer long after.
const QUEUED_QUERIES: usize = 256;
/// What is kept of a query's payload: no query that means anything is as long.
const MAX_QUERY_BYTES: usize = 16 << 10;
/// Bytes of answers that are handed to the connection before one of them waits until they are written: whoever asks
/// faster than answers leave waits with its next questions, not with answers in memory.
const UNWRITTEN_BYTES: usize = 1 << 20;
/// The longest value of a header: the sentence of a failure repeats what was asked.
const MAX_HEADER_BYTES: usize = 1_000;
/// What the headers of an answer may take of the server's `max_payload`, which counts them.
const HEADERS_BYTES: usize = 4 << 10;

/// The service could not be started.
#[derive(Debug, Error)]
#[error("the query service cannot be started: {what}")]
pub struct ServiceError {
    /// What failed, in the client's words.
    pub what: String,
}

/// The answer is larger than the nats-server takes, and asking for less of it does not help.
fn too_large(bytes: usize, max_payload: usize) -> Problem {
    Problem::too_large(format!(
        "the answer has {bytes} bytes and the nats-server takes {max_payload} in a message: \
         set max_payload: 8MB in its configuration"
    ))
}

/// The most bytes an answer may have where the server takes `max_payload` in a message.
pub(crate) fn answer_bytes(max_payload: usize) -> usize {
    max_payload.saturating_sub(HEADERS_BYTES)
}

/// A text as the value of a header: one line of printable ASCII, as many clients drop all headers where one of them is anything
/// else. A sign beyond ASCII is escaped as `\u{e0}`, a control sign is a space, and what is longer than any value of ours is cut.
pub(crate) fn header_value(text: &str) -> String {
    let mut value = String::new();
    for letter in text.chars() {
        let before = value.len();
        match letter {
            ' '..='~' => value.push(letter),
            letter if letter.is_ascii_control() => value.push(' '),
            letter => value.extend(letter.escape_unicode()),
        }
        if value.len() > MAX_HEADER_BYTES {
            value.truncate(before);
            break;
        }
    }
    value
}

/// An answer: its payload, and headers as name and value.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The payload.
    pub payload: Bytes,
    /// Headers as name and value.
    pub headers: Vec<(&'static str, String)>,
}

impl From<Vec<u8>> for Answer {
    fn from(payload: Vec<u8>) -> Self {
        Self {
            payload: payload.into(),
            headers: Vec::new(),
        }
    }
}

/// One query to answer.
pub struct Query<E> {
    /// The endpoint asked.
    pub endpoint: E,
    /// What follows the endpoint's name in the subject, such as `KEN` or `SDG-10.7.2`; empty when nothing does.
    pub argument: String,
    /// The request's payload.
    pub payload: Bytes,
    request: Request,
    connection: Arc<Connection>,
}

/// Where answers go.
struct Connection {
    bus: Bus,
    /// Bytes of answers since the connection was last seen to have written all.
    unwritten: AtomicUsize,
}

impl Connection {
    /// Waits until all is written when that is much, with the answer that was just handed over.
    async fn make_room(&self, bytes: usize) {
        let before = self.unwritten.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) >= UNWRITTEN_BYTES {
            self.unwritten.store(0, Ordering::Relaxed);
            self.bus.flush().await;
        }
    }
}

impl<E> Query<E> {
    /// Sends the answer. An answer that cannot be sent is dropped: who asked
    /// sees a timeout and asks again. Returns when the answer is written, or not much is still to be: as long as whoever answers does so with a
    /// bounded number of queries at once, the answers in memory are bounded too.
    ///
    /// What is larger than the server takes is refused with a failure that says so: the client would drop it without a word.
    pub async fn respond(self, answer: Result<Answer, Problem>) {
        let max_payload = self.connection.bus.max_payload();
        let answer = answer.and_then(|answer| {
            let bytes = answer.payload.len();
            if bytes > answer_bytes(max_payload) {
                return Err(too_large(bytes, max_payload));
            }
            Ok(answer)
        });
        let bytes = answer.as_ref().map_or(0, |answer| answer.payload.len());
        let sent = match answer {
            Ok(Answer { payload, headers }) if headers.is_empty() => {
                self.request.respond(Ok(payload)).await
            }
            Ok(Answer { payload, headers }) => {
                let mut map = async_nats::HeaderMap::new();
                for (name, value) in headers {
                    map.insert(name, header_value(&value).as_str());
                }
                self.request.respond_with_headers(Ok(payload), map).await
            }
            Err(problem) => {
                let error = async_nats::service::error::Error {
                    status: header_value(&problem.message),
                    code: usize::from(problem.code.number()),
                };
                self.request.respond(Err(error)).await
            }
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "an answer could not be sent");
        }
        self.connection.make_room(bytes).await;
    }
}

/// The running service of one process; stops when dropped.
pub struct QueryService<E> {
    /// A queue for each endpoint: they take turns, so that a flood on one of them leaves the others their answers.
    queries: SelectAll<mpsc::Receiver<Query<E>>>,
    _service: Service,
}

impl<E: Endpoint> QueryService<E> {
    /// Starts an instance that answers these endpoints.
    ///
    /// # Errors
    /// [`ServiceError`] when the service or an endpoint cannot be registered.
    pub async fn start(
        bus: &Bus,
        description: &str,
        endpoints: &[E],
    ) -> Result<Self, ServiceError> {
        let failed = |error: async_nats::Error| ServiceError {
            what: error.to_string(),
        };
        let builder = bus.client.service_builder().description(description);
        let service = builder
            .start(subject::SERVICE_NAME, env!("CARGO_PKG_VERSION"))
            .await
            .map_err(failed)?;
        let mut queries = SelectAll::new();
        let connection = Arc::new(Connection {
            bus: bus.clone(),
            unwritten: AtomicUsize::new(0),
        });
        for &asked in endpoints {
            let spec = asked.spec();
            let path = subject::query(spec, "");
            let listen = match spec.argument {
                Argument::None => path.clone(),
                Argument::Tokens => format!("{path}.>"),
            };
            let endpoint = service
                .endpoint_builder()
                .name(spec.name)
                .add(listen)
                .await
                .map_err(failed)?;
            let (sender, queued) = mpsc::channel(QUEUED_QUERIES);
            queries.push(queued);
            let prefix = format!("{path}.");
            let taken = endpoint.filter_map({
                let connection = Arc::clone(&connection);
                move |request| std::future::ready(query(asked, &prefix, request, &connection))
            });
            tokio::spawn(forward(taken.boxed(), sender));
        }
        Ok(Self {
            queries,
            _service: service,
        })
    }

    /// Waits for the next query; `None` when the connection was closed for good.
    pub async fn next(&mut self) -> Option<Query<E>> {
        self.queries.next().await
    }
}

/// Takes queries off the connection as fast as they come, whatever becomes of them: what waits in its subscription is bounded by their
/// number alone.
async fn forward<E>(mut queries: BoxStream<'static, Query<E>>, mut to: mpsc::Sender<Query<E>>) {
    while let Some(query) = queries.next().await {
        if let Err(refused) = to.try_send(query)
            && refused.is_disconnected()
        {
            return;
        }
    }
}

/// What a request asks; nothing when nobody can be answered for it, which is not worth reading the log for.
fn query<E>(
    endpoint: E,
    prefix: &str,
    mut request: Request,
    connection: &Arc<Connection>,
) -> Option<Query<E>> {
    let message = &mut request.message;
    if !message.reply.as_deref().is_some_and(subject::takes_answers) {
        return None;
    }
    let argument = message.subject.as_str().strip_prefix(prefix);
    let argument = argument.unwrap_or_default().to_owned();
    // A copy: the payload as it came keeps all that was read with it in memory. A longer one is cut and cannot be understood.
    let received = std::mem::take(&mut message.payload);
    let kept = received.get(..MAX_QUERY_BYTES).unwrap_or(&received);
    let payload = Bytes::copy_from_slice(kept);
    Some(Query {
        endpoint,
        argument,
        payload,
        request,
        connection: Arc::clone(connection),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_fits_into_a_header_whatever_was_asked() {
        let asked = format!("a\r\nb\0{}", "é".repeat(8 << 20));
        let header = header_value(&asked);
        assert!(header.starts_with(r"a  b \u{e9}\u{e9}"), "{header}");
        assert!(header.ends_with('}') && header.len() <= MAX_HEADER_BYTES);
    }

    #[test]
    fn a_header_is_printable_ascii_in_one_line() {
        for (text, value) in [
            (
                "`hier à midi` is no moment",
                r"`hier \u{e0} midi` is no moment",
            ),
            ("كينيا", r"\u{643}\u{64a}\u{646}\u{64a}\u{627}"),
            ("a\u{7f}\u{85}\u{2028}b", r"a \u{85}\u{2028}b"),
            (
                "x\r\nNats-Service-Error-Code: 200",
                "x  Nats-Service-Error-Code: 200",
            ),
            ("🇰🇪", r"\u{1f1f0}\u{1f1ea}"),
        ] {
            let header = header_value(text);
            assert_eq!(header, value);
            assert!(header.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}
