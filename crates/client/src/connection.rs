//! A connection to a ledger and the questions one may ask of it.

use bytes::Bytes;
use ledger_bus::query::{
    CHECKPOINT_HEADER, CommitmentAnswer, CommitmentQuery, HeadAnswer, ProjectionAnswer, QueryError,
    ScrubAnswer, ViewQuery, WatchEnvelope, WatchQuery,
};
use ledger_bus::{Bus, BusOptions, ConnectError, NatsAccess, RequestError, subject};
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
            | RequestError::NotSent { .. }
            | RequestError::Refused { code: 503, .. },
        ) => true,
        QueryError::Request(RequestError::Refused { .. }) | QueryError::Answer { .. } => false,
    }
}

/// Whether the answer was that there is no such thing.
pub fn is_not_found(error: &QueryError) -> bool {
    matches!(
        error,
        QueryError::Request(RequestError::Refused { code: 404, .. })
    )
}

/// Whether the answer was that there is none at this moment.
pub(crate) fn is_unavailable(error: &QueryError) -> bool {
    matches!(
        error,
        QueryError::Request(RequestError::Refused { code: 503, .. })
    )
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

    /// How far the log goes, and its newest signed tree head.
    ///
    /// # Errors
    ///
    /// [`QueryError`].
    pub async fn head(&self) -> Result<HeadAnswer, QueryError> {
        self.bus.head(QUERY_TIMEOUT).await
    }

    /// How far a projector has come, and which views it has.
    ///
    /// # Errors
    ///
    /// [`QueryError`].
    pub async fn projection(&self, name: &str) -> Result<ProjectionAnswer, QueryError> {
        let endpoint = format!("projection.{name}");
        self.bus.ask(&endpoint, &(), QUERY_TIMEOUT).await
    }

    /// A view as its projector serves it now: `country` and an ISO alpha-3 code, `action` and its code, or `summary`
    /// and one of its keys: `summary`, `gaps`, `partner.<id>`, `review.<id>`.
    ///
    /// # Errors
    ///
    /// [`QueryError`]; [`is_not_found`] tells if there is no such view.
    pub async fn view(
        &self,
        projection: &str,
        key: &str,
        query: &ViewQuery,
    ) -> Result<Served, QueryError> {
        let subject = if projection == "summary" {
            subject::query(key)
        } else {
            subject::query(&format!("{projection}.{key}"))
        };
        let broken = |what: String| QueryError::Answer {
            subject: subject.clone(),
            what,
        };
        let question = serde_json::to_vec(query).map_err(|error| broken(error.to_string()))?;
        let reply = self
            .bus
            .request(&subject, question.into(), QUERY_TIMEOUT)
            .await?;
        let checkpoint = reply
            .header(CHECKPOINT_HEADER)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| broken(format!("the header {CHECKPOINT_HEADER} is no number")))?;
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
        let mut whole: WatchEnvelope = self.bus.ask("watch", &query, QUERY_TIMEOUT).await?;
        while let Some(found) = &mut whole.lists.watch {
            query.limit = wanted.saturating_sub(found.rows.len());
            query.after = found.next.as_ref().and_then(|next| next.parse().ok());
            if query.after.is_none() || query.limit == 0 {
                break;
            }
            let page: WatchEnvelope = self.bus.ask("watch", &query, QUERY_TIMEOUT).await?;
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
        self.bus.ask("scrub", &(), SCRUB_TIMEOUT).await
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
        let endpoint = format!("commitment.{id}");
        self.bus.ask(&endpoint, &query, QUERY_TIMEOUT).await
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
        let endpoint = format!("commitment.{id}");
        let mut query = CommitmentQuery {
            as_of: as_of.map(str::to_owned),
            ..CommitmentQuery::default()
        };
        let mut whole: Option<CommitmentAnswer> = None;
        loop {
            let page: CommitmentAnswer = self.bus.ask(&endpoint, &query, QUERY_TIMEOUT).await?;
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
