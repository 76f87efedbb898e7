//! A connection to a ledger and the questions one may ask of it.

use bytes::Bytes;
use ledger_bus::query::{HeadAnswer, ProjectionAnswer, ViewQuery, WATERMARK_HEADER};
use ledger_bus::{Bus, BusOptions, ConnectError, RequestError, subject};
use std::time::Duration;
use thiserror::Error;

/// How long an answer may take before the question counts as unanswered.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a question got no answer that can be used.
#[derive(Debug, Error)]
pub enum QueryError {
    /// The service did not answer, or refused.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The answer to `endpoint` is not in its form.
    #[error("the answer on `{endpoint}` cannot be read")]
    Answer {
        /// What was asked.
        endpoint: String,
        /// Where it fails.
        #[source]
        source: serde_json::Error,
    },
}

impl QueryError {
    /// Whether nobody answered, as opposed to an answer that does not please.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Request(error) => is_unreachable(error),
            Self::Answer { .. } => false,
        }
    }

    /// Whether the service answered that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Request(RequestError::Refused { code: 404, .. }))
    }
}

/// Whether a request failed for want of anyone to answer it.
pub(crate) fn is_unreachable(error: &RequestError) -> bool {
    match error {
        RequestError::NoResponders { .. }
        | RequestError::Timeout { .. }
        | RequestError::NotSent { .. } => true,
        RequestError::Refused { code, .. } => *code == 503,
    }
}

/// A view as a projector served it.
#[derive(Clone, Debug)]
pub struct Served {
    /// The answer's JSON, as it came.
    pub json: Bytes,
    /// Positions below this are folded into it.
    pub watermark: u64,
}

/// A connection to a ledger. Clones share it.
#[derive(Clone, Debug)]
pub struct Connection {
    bus: Bus,
}

impl Connection {
    /// Connects to the nats-server at `url` as a tool does: an error at once if nobody answers there. `name` shows in
    /// the server's list of connections.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] if the address is none or nobody answers.
    pub async fn open(url: &str, name: &str) -> Result<Self, ConnectError> {
        Ok(Self {
            bus: Bus::connect(&BusOptions::tool(url, name)).await?,
        })
    }

    /// The bus below.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// How far the log goes, and its newest signed tree head.
    ///
    /// # Errors
    ///
    /// [`QueryError`].
    pub async fn head(&self) -> Result<HeadAnswer, QueryError> {
        self.ask("head").await
    }

    /// How far a projector has come, and which views it has.
    ///
    /// # Errors
    ///
    /// [`QueryError`].
    pub async fn projection(&self, name: &str) -> Result<ProjectionAnswer, QueryError> {
        self.ask(&format!("projection.{name}")).await
    }

    /// A view as its projector serves it now: `country` and an ISO alpha-3 code, `action` and its code, or `summary`
    /// and anything.
    ///
    /// # Errors
    ///
    /// [`QueryError`]; [`QueryError::is_not_found`] if there is no such view.
    pub async fn view(
        &self,
        projection: &str,
        key: &str,
        query: &ViewQuery,
    ) -> Result<Served, QueryError> {
        let endpoint = if projection == "summary" {
            projection.to_owned()
        } else {
            format!("{projection}.{key}")
        };
        let reply = self.request(&endpoint, &to_json(query, &endpoint)?).await?;
        let watermark = reply
            .header(WATERMARK_HEADER)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        Ok(Served {
            json: reply.payload,
            watermark,
        })
    }

    /// The history of a commitment, as the node serves it.
    ///
    /// # Errors
    ///
    /// [`QueryError`]; [`QueryError::is_not_found`] if there is no such commitment.
    pub async fn commitment(&self, id: &str) -> Result<Bytes, QueryError> {
        let reply = self
            .request(&format!("commitment.{id}"), &Bytes::new())
            .await?;
        Ok(reply.payload)
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, endpoint: &str) -> Result<T, QueryError> {
        let reply = self.request(endpoint, &Bytes::new()).await?;
        serde_json::from_slice(&reply.payload).map_err(|source| QueryError::Answer {
            endpoint: endpoint.to_owned(),
            source,
        })
    }

    pub(crate) async fn request(
        &self,
        endpoint: &str,
        question: &Bytes,
    ) -> Result<ledger_bus::Reply, RequestError> {
        self.bus
            .request(&subject::query(endpoint), question.clone(), QUERY_TIMEOUT)
            .await
    }
}

/// A question's JSON.
pub(crate) fn to_json<T: serde::Serialize>(
    question: &T,
    endpoint: &str,
) -> Result<Bytes, QueryError> {
    serde_json::to_vec(question)
        .map(Bytes::from)
        .map_err(|source| QueryError::Answer {
            endpoint: endpoint.to_owned(),
            source,
        })
}
