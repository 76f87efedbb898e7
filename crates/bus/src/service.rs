//! Queries as a NATS service named `compact-ledger`: found by `nats service`, balanced over its instances.

use async_nats::service::{Request, Service, ServiceExt};
use bytes::Bytes;
use futures::StreamExt;
use thiserror::Error;
use tokio::sync::mpsc;

use crate::connection::Bus;
use crate::subject;

/// Queries waiting to be answered, over all endpoints of this process.
const QUEUED_QUERIES: usize = 1_024;
/// The longest sentence of a failure: it repeats what was asked, and goes back as a header.
const MAX_FAILURE_CHARS: usize = 1_000;

/// The service could not be started.
#[derive(Debug, Error)]
#[error("the query service cannot be started: {what}")]
pub struct ServiceError {
    /// What failed, in the client's words.
    pub what: String,
}

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct QueryFailure {
    /// HTTP's number for it: 400 a bad query, 404 no such thing, 503 not now.
    pub code: u16,
    /// A sentence that says what to change.
    pub message: String,
}

impl QueryFailure {
    /// The query cannot be understood.
    pub fn bad(message: impl Into<String>) -> Self {
        Self {
            code: 400,
            message: message.into(),
        }
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self {
            code: 404,
            message: message.into(),
        }
    }

    /// It cannot be answered at this moment.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self {
            code: 503,
            message: message.into(),
        }
    }

    /// The sentence as the value of a header: in one line, and cut where it is longer than any of ours.
    fn header(&self) -> String {
        let line = |letter: char| if letter.is_control() { ' ' } else { letter };
        let letters = self.message.chars().map(line);
        letters.take(MAX_FAILURE_CHARS).collect()
    }
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
pub struct Query {
    /// The endpoint's name, as given to [`QueryService::start`].
    pub endpoint: &'static str,
    /// What follows the endpoint's name in the subject, such as `KEN` or `SDG-10.7.2`; empty when nothing does.
    pub argument: String,
    /// The request's payload.
    pub payload: Bytes,
    request: Request,
}

impl Query {
    /// Sends the answer. An answer that cannot be sent is dropped: who asked
    /// sees a timeout and asks again.
    pub async fn respond(self, answer: Result<Answer, QueryFailure>) {
        let sent = match answer {
            Ok(Answer { payload, headers }) if headers.is_empty() => {
                self.request.respond(Ok(payload)).await
            }
            Ok(Answer { payload, headers }) => {
                let mut map = async_nats::HeaderMap::new();
                for (name, value) in headers {
                    map.insert(name, value.as_str());
                }
                self.request.respond_with_headers(Ok(payload), map).await
            }
            Err(failure) => {
                let error = async_nats::service::error::Error {
                    status: failure.header(),
                    code: usize::from(failure.code),
                };
                self.request.respond(Err(error)).await
            }
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "an answer could not be sent");
        }
    }
}

/// One thing a process answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name in the list of endpoints, unique within the process.
    pub name: &'static str,
    /// Its subject after `query.`.
    pub path: &'static str,
    /// Whether its subject carries an argument.
    pub argument: Argument,
}

/// Whether an endpoint's subject carries an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// `query.<path>` and nothing more.
    None,
    /// `query.<path>.<one or more tokens>`.
    Tokens,
}

/// The running service of one process; stops when dropped.
pub struct QueryService {
    queries: mpsc::Receiver<Query>,
    _service: Service,
}

impl QueryService {
    /// Starts an instance that answers these endpoints.
    ///
    /// # Errors
    /// [`ServiceError`] when the service or an endpoint cannot be registered.
    pub async fn start(
        bus: &Bus,
        description: &str,
        endpoints: &[Endpoint],
    ) -> Result<Self, ServiceError> {
        let failed = |error: async_nats::Error| ServiceError {
            what: error.to_string(),
        };
        let builder = bus.client.service_builder().description(description);
        let service = builder
            .start(subject::SERVICE_NAME, env!("CARGO_PKG_VERSION"))
            .await
            .map_err(failed)?;
        let (sender, queries) = mpsc::channel(QUEUED_QUERIES);
        for &Endpoint {
            name,
            path,
            argument,
        } in endpoints
        {
            let path = subject::query(path);
            let listen = match argument {
                Argument::None => path.clone(),
                Argument::Tokens => format!("{path}.>"),
            };
            let endpoint = service
                .endpoint_builder()
                .name(name)
                .add(listen)
                .await
                .map_err(failed)?;
            tokio::spawn(forward(name, path, endpoint, sender.clone()));
        }
        Ok(Self {
            queries,
            _service: service,
        })
    }

    /// Waits for the next query; `None` when the connection was closed for good.
    pub async fn next(&mut self) -> Option<Query> {
        self.queries.recv().await
    }
}

async fn forward(
    name: &'static str,
    path: String,
    mut endpoint: async_nats::service::endpoint::Endpoint,
    to: mpsc::Sender<Query>,
) {
    let prefix = format!("{path}.");
    while let Some(request) = endpoint.next().await {
        // A query that nobody can be answered for is not worth reading the log for.
        let reply_to = request.message.reply.as_deref();
        if !reply_to.is_some_and(subject::takes_answers) {
            continue;
        }
        let argument = request
            .message
            .subject
            .as_str()
            .strip_prefix(&prefix)
            .unwrap_or_default()
            .to_owned();
        let payload = request.message.payload.clone();
        if to
            .send(Query {
                endpoint: name,
                argument,
                payload,
                request,
            })
            .await
            .is_err()
        {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_fits_into_a_header_whatever_was_asked() {
        let asked = format!("a\r\nb\0{}", "é".repeat(8 << 20));
        let header = QueryFailure::bad(asked).header();
        assert!(header.starts_with("a  b é"));
        assert_eq!(header.chars().count(), MAX_FAILURE_CHARS);
    }
}
