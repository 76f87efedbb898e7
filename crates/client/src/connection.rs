//! A connection to a ledger and the questions one may ask of it.

use bytes::Bytes;
use ledger_bus::{Bus, BusOptions, ConnectError, NatsAccess, QueryError, RequestError};
use ledger_domain::wire::v1::answer::{
    CHECKPOINT_HEADER, CommitmentAnswer, HeadAnswer, ProjectionAnswer, ScrubAnswer, WatchEnvelope,
};
use ledger_domain::wire::v1::endpoint::{Ask, Endpoint, ViewEndpoint, log, views};
use ledger_domain::wire::v1::problem::ProblemCode;
use ledger_domain::wire::v1::query::{CommitmentQuery, NoQuery, ViewQuery, WatchQuery};
use ledger_domain::wire::v1::view::{Family, ViewKey};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long an answer may take before the question counts as unanswered.
pub(crate) const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a whole log may take to be checked.
const SCRUB_TIMEOUT: Duration = Duration::from_hours(1);

/// Whether a question failed for want of anyone to answer it, as opposed to an answer that does not please.
pub fn is_unreachable(error: &QueryError) -> bool {
    match error {
        QueryError::Request(
            RequestError::NoResponders { .. }
            | RequestError::Timeout { .. }
            | RequestError::Denied(_)
            | RequestError::NotSent { .. },
        ) => true,
        QueryError::Request(RequestError::Refused(problem)) => {
            problem.code == ProblemCode::Unavailable
        }
        QueryError::Answer { .. } => false,
    }
}

/// Whether the answer was that there is no such thing.
pub fn is_not_found(error: &QueryError) -> bool {
    is_problem(error, ProblemCode::NotFound)
}

/// Whether the answer was that there is none at this moment.
pub(crate) fn is_unavailable(error: &QueryError) -> bool {
    is_problem(error, ProblemCode::Unavailable)
}

fn is_problem(error: &QueryError, code: ProblemCode) -> bool {
    matches!(error, QueryError::Request(RequestError::Refused(problem)) if problem.code == code)
}

/// A view as a projector served it.
#[derive(Clone, Debug)]
pub struct Served {
    /// The answer's JSON, as it came.
    pub json: Bytes,
    /// Positions below this are folded into it.
    pub checkpoint: u64,
}

/// A connection to a ledger. Clones share it.
#[derive(Clone, Debug)]
pub struct Connection {
    bus: Bus,
}

impl Connection {
    /// Connects to nats-server as a tool does: an error at once if nobody answers there. `name` shows in
    /// the server's list of connections.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] if the address is none, nobody answers, or the server does not take this user.
    pub async fn open(nats: impl Into<NatsAccess>, name: &str) -> Result<Self, ConnectError> {
        Ok(Self {
            bus: Bus::connect(&BusOptions::tool(nats, name)).await?,
        })
    }

    /// The bus below.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    async fn ask<E>(&self, argument: &str, query: &E::Query) -> Result<E::Answer, QueryError>
    where
        E: Ask,
        E::Answer: DeserializeOwned,
    {
        self.bus.ask::<E>(argument, query, QUERY_TIMEOUT).await
    }

    /// How far the log goes, and its newest signed tree head.
    ///
    /// # Errors
    ///
    /// [`QueryError`].
    pub async fn head(&self) -> Result<HeadAnswer, QueryError> {
        self.bus.head(QUERY_TIMEOUT).await
    }

    /// The progress of the projector of a family, and the views that it has.
    ///
    /// # Errors
    ///
    /// [`QueryError`].
    pub async fn projection(&self, family: Family) -> Result<ProjectionAnswer, QueryError> {
        self.bus.projection(family, QUERY_TIMEOUT).await
    }

    /// A view as its projector serves it, now or as known earlier.
    ///
    /// # Errors
    ///
    /// [`QueryError`]; [`is_not_found`] tells if there is no such view.
    pub async fn view(&self, key: &ViewKey, query: &ViewQuery) -> Result<Served, QueryError> {
        let (endpoint, argument) = (ViewEndpoint::of(key).spec(), key.argument());
        let reply = self
            .bus
            .ask_bytes(endpoint, argument, query, QUERY_TIMEOUT)
            .await?;
        let checkpoint = reply
            .header(CHECKPOINT_HEADER)
            .and_then(|text| text.parse().ok());
        let checkpoint = checkpoint.ok_or_else(|| {
            let what = format!("the header {CHECKPOINT_HEADER} is no number");
            QueryError::answer(endpoint, argument, what)
        })?;
        Ok(Served {
            json: reply.payload,
            checkpoint,
        })
    }

    /// The watch lists, today or as known earlier: the counts of all, and rows of one where the query names it. As many rows as were asked for, if there are: where
    /// one answer ends before that, this goes on.
    ///
    /// # Errors
    ///
    /// [`QueryError`]; [`is_not_found`] tells if there is no such country or action.
    pub async fn watch(&self, query: &WatchQuery) -> Result<WatchEnvelope, QueryError> {
        let mut query = query.clone();
        let wanted = query.limit;
        let mut whole = self.ask::<views::Watch>("", &query).await?;
        while let Some(found) = &mut whole.lists.watch {
            query.limit = wanted.saturating_sub(found.rows.len());
            query.after = found.next.as_ref().and_then(|next| next.parse().ok());
            if query.after.is_none() || query.limit == 0 {
                break;
            }
            let page = self.ask::<views::Watch>("", &query).await?;
            let Some(page) = page.lists.watch else { break };
            found.rows.extend(page.rows);
            found.next = page.next;
        }
        Ok(whole)
    }

    /// Has the node check its log against itself, from end to end, while it goes on recording. It reads the whole log.
    ///
    /// # Errors
    ///
    /// [`QueryError`]. What is wrong with the log is in the answer.
    pub async fn scrub(&self) -> Result<ScrubAnswer, QueryError> {
        self.bus
            .ask::<log::Scrub>("", &NoQuery, SCRUB_TIMEOUT)
            .await
    }

    /// How a commitment stands, now or as it was known at a position or time.
    ///
    /// # Errors
    ///
    /// [`QueryError`]; [`is_not_found`] tells if there is no such commitment, or was none then.
    pub async fn commitment_state(
        &self,
        id: &str,
        as_of: Option<&str>,
    ) -> Result<CommitmentAnswer, QueryError> {
        let query = CommitmentQuery {
            as_of: as_of.map(str::to_owned),
            state: true,
            ..CommitmentQuery::default()
        };
        self.ask::<log::Commitment>(id, &query).await
    }

    /// The history of a commitment, the whole or what was known of it at a position or time: its events in order, each in its delivered form.
    ///
    /// # Errors
    ///
    /// [`QueryError`]; [`is_not_found`] tells if there is no such commitment, or was none then.
    pub async fn commitment(
        &self,
        id: &str,
        as_of: Option<&str>,
    ) -> Result<CommitmentAnswer, QueryError> {
        let mut query = CommitmentQuery {
            as_of: as_of.map(str::to_owned),
            ..CommitmentQuery::default()
        };
        let mut whole: Option<CommitmentAnswer> = None;
        loop {
            let page = self.ask::<log::Commitment>(id, &query).await?;
            let next = page.next.filter(|next| *next > query.from);
            match &mut whole {
                Some(whole) => {
                    whole.events.extend(page.events);
                    whole.partner_times.extend(page.partner_times);
                }
                None => whole = Some(page),
            }
            if let Some(next) = next {
                query.from = next;
            } else if let Some(mut whole) = whole {
                whole.next = None;
                return Ok(whole);
            }
        }
    }
}
