//! Asking on `ledger.v1.query.…`. What is asked and answered are types of the domain: each endpoint names its own.

use std::time::Duration;

use bytes::Bytes;
use ledger_domain::wire::v1::answer::{
    HeadAnswer, NEXT_HEADER, ProjectionAnswer, TREE_SIZE_HEADER,
};
use ledger_domain::wire::v1::endpoint::{Ask, Endpoint, EndpointSpec, log, views};
use ledger_domain::wire::v1::json_fault;
use ledger_domain::wire::v1::query::{NoQuery, QueryPayload, ReplayQuery};
use ledger_domain::wire::v1::view::Family;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::connection::{Bus, Reply, RequestError};
use crate::subject;

/// One answer of `query.replay`.
#[derive(Clone, Debug)]
pub struct ReplayPage {
    /// Stored blocks back to back.
    pub blocks: Bytes,
    /// Where to go on.
    pub next: u64,
    /// Events on disk when the answer was made.
    pub tree_size: u64,
}

/// A query had no usable answer.
#[derive(Debug, Error)]
pub enum QueryError {
    /// The request failed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The answer is not of the documented form.
    #[error("the answer on {subject} is not as documented: {what}")]
    Answer {
        /// The subject asked.
        subject: String,
        /// What is wrong with it.
        what: String,
    },
}

impl QueryError {
    /// An answer on an endpoint is not of the documented form.
    pub fn answer(endpoint: &EndpointSpec, argument: &str, what: impl Into<String>) -> Self {
        Self::Answer {
            subject: subject::query(endpoint, argument),
            what: what.into(),
        }
    }
}

impl Bus {
    /// Asks an endpoint that answers in JSON. The argument is empty where the endpoint takes none.
    ///
    /// # Errors
    /// [`QueryError`] when nobody answers in time or not as documented.
    pub async fn ask<E>(
        &self,
        argument: &str,
        query: &E::Query,
        timeout: Duration,
    ) -> Result<E::Answer, QueryError>
    where
        E: Ask,
        E::Answer: DeserializeOwned,
    {
        let endpoint = E::ENDPOINT.spec();
        let reply = self.ask_bytes(endpoint, argument, query, timeout).await?;
        serde_json::from_slice(&reply.payload)
            .map_err(|error| QueryError::answer(endpoint, argument, json_fault(&error)))
    }

    /// Asks an endpoint, and leaves the answer as it came.
    ///
    /// # Errors
    /// [`QueryError`] when nobody answers in time.
    pub async fn ask_bytes(
        &self,
        endpoint: &EndpointSpec,
        argument: &str,
        query: &impl QueryPayload,
        timeout: Duration,
    ) -> Result<Reply, QueryError> {
        let payload = query.write();
        let payload =
            payload.map_err(|error| QueryError::answer(endpoint, argument, json_fault(&error)))?;
        let subject = subject::query(endpoint, argument);
        Ok(self.request(&subject, payload.into(), timeout).await?)
    }

    /// Asks `query.head`.
    ///
    /// # Errors
    /// [`QueryError`] when nobody answers in time or not as documented.
    pub async fn head(&self, timeout: Duration) -> Result<HeadAnswer, QueryError> {
        self.ask::<log::Head>("", &NoQuery, timeout).await
    }

    /// Asks how far the projector of a family has come, and which views it has.
    ///
    /// # Errors
    /// [`QueryError`] when nobody answers in time or not as documented.
    pub async fn projection(
        &self,
        family: Family,
        timeout: Duration,
    ) -> Result<ProjectionAnswer, QueryError> {
        match family {
            Family::Country => {
                self.ask::<views::ProjectionCountry>("", &NoQuery, timeout)
                    .await
            }
            Family::Action => {
                self.ask::<views::ProjectionAction>("", &NoQuery, timeout)
                    .await
            }
            Family::Summary => {
                self.ask::<views::ProjectionSummary>("", &NoQuery, timeout)
                    .await
            }
        }
    }

    /// Asks `query.replay` for one page of blocks.
    ///
    /// # Errors
    /// [`QueryError`] when nobody answers in time or not as documented.
    pub async fn replay(
        &self,
        query: &ReplayQuery,
        timeout: Duration,
    ) -> Result<ReplayPage, QueryError> {
        let endpoint = log::Replay::ENDPOINT.spec();
        let reply = self.ask_bytes(endpoint, "", query, timeout).await?;
        let number = |name: &str| {
            let value = reply.header(name).and_then(|value| value.parse().ok());
            value.ok_or_else(|| {
                QueryError::answer(endpoint, "", format!("the header {name} is no number"))
            })
        };
        let (next, tree_size) = (number(NEXT_HEADER)?, number(TREE_SIZE_HEADER)?);
        Ok(ReplayPage {
            blocks: reply.payload,
            next,
            tree_size,
        })
    }
}
