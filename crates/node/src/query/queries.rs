//! The node's answers about the log: `query.head`, `query.replay`, `query.commitment.<id>`.

mod commitment;
mod failure;
mod names;

use failure::{internal, read_failure};
pub(crate) use names::Names;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ledger_bus::{Answer, Bus, Query, QueryService, ServiceError};
use ledger_domain::country::NO_COUNTRY;
use ledger_domain::wire::v1::answer::{HeadAnswer, NEXT_HEADER, ScrubAnswer, TREE_SIZE_HEADER};
use ledger_domain::wire::v1::endpoint::{Ask, Endpoint, LogEndpoint, LogQuery, log};
use ledger_domain::wire::v1::problem::Problem;
use ledger_domain::wire::v1::query::{NoQuery, ReplayQuery};
use ledger_proof::block::BlockHeader;
use ledger_store::Log;
use serde::Serialize;
use tokio::sync::{Semaphore, watch};

use crate::lease::Lease;
use crate::query::as_of::not_reached;
use crate::query::history::header_at;
use crate::query::scrub;
use crate::write::refusing::Refusing;

/// Bytes of blocks in a replay's answer, unless the query says otherwise.
const REPLAY_BYTES: usize = 512 << 10;
/// Bytes of blocks in a replay's answer, whatever the query says: well under the server's `max_payload`.
const MAX_REPLAY_BYTES: usize = 2 << 20;
/// Queries answered at once; each reads the log on a thread of its own.
const CONCURRENT_QUERIES: usize = 8;

/// Positions taken from an index at once.
const INDEX_PAGE: usize = 4_096;

/// How long a query waits for the lease to be confirmed, as after a connection was lost.
const LEASE_WITHIN: Duration = Duration::from_millis(300);

/// What the answers are made from; clones share it.
#[derive(Clone)]
pub(crate) struct Queries {
    pub(crate) log: Log,
    pub(crate) ledger: Arc<str>,
    pub(crate) published: watch::Receiver<u64>,
    /// Held by the one check of the whole log that may be under way: it keeps a core and the disk busy for long.
    pub(crate) scrubbing: Arc<Mutex<()>>,
    /// What a query may filter by.
    pub(crate) names: Arc<Names>,
    /// The most bytes that the nats-server takes in an answer.
    pub(crate) max_answer: MaxAnswer,
    /// Why commands are refused at this moment.
    pub(crate) refusing: Refusing,
}

/// How many bytes an answer may have at this moment: the nats-server may be another one after a reconnection.
pub(crate) type MaxAnswer = Arc<dyn Fn() -> usize + Send + Sync>;

impl Queries {
    /// Registers the endpoints.
    pub(crate) async fn start(bus: &Bus) -> Result<QueryService<LogEndpoint>, ServiceError> {
        let description = "Answers about the log of the ledger";
        QueryService::start(bus, description, LogEndpoint::ALL).await
    }

    /// Answers until the connection is closed; without the lease with a failure alone, for another node may speak for the ledger.
    pub(crate) async fn run(self, mut service: QueryService<LogEndpoint>, lease: Lease) {
        let permits = Arc::new(Semaphore::new(CONCURRENT_QUERIES));
        while let Some(query) = service.next().await {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                return;
            };
            let (queries, lease) = (self.clone(), lease.clone());
            tokio::spawn(async move {
                if !lease.is_held_soon(LEASE_WITHIN).await {
                    let failure = Problem::unavailable(lease.why_not());
                    Query::respond(query, Err(failure)).await;
                    return;
                }
                let (endpoint, argument) = (query.endpoint, query.argument.clone());
                let payload = query.payload.clone();
                let answered = tokio::task::spawn_blocking(move || {
                    queries.answer(endpoint, &argument, &payload)
                })
                .await;
                let answer =
                    answered.unwrap_or_else(|error| Err(Problem::failed(error.to_string())));
                Query::respond(query, answer).await;
                drop(permit);
            });
        }
    }

    fn answer(
        &self,
        endpoint: LogEndpoint,
        argument: &str,
        payload: &[u8],
    ) -> Result<Answer, Problem> {
        match endpoint.read(payload)? {
            LogQuery::Head(NoQuery) => json::<log::Head>(&self.head()?),
            LogQuery::Replay(query) => self.replay(&query),
            LogQuery::Commitment(query) => {
                let max_answer = (self.max_answer)();
                let answer = commitment::answer(&self.log, argument, &query, max_answer)?;
                json::<log::Commitment>(&answer)
            }
            LogQuery::Scrub(NoQuery) => json::<log::Scrub>(&self.scrub()?),
        }
    }

    fn scrub(&self) -> Result<ScrubAnswer, Problem> {
        match self.scrubbing.try_lock() {
            Ok(_held) => Ok(scrub::answer(
                &self.log.scrub(|_, _| ()),
                self.log.key().verifier_key(),
            )),
            Err(_) => Err(Problem::unavailable(
                "the log is being checked already; ask again when that is over",
            )),
        }
    }

    fn head(&self) -> Result<HeadAnswer, Problem> {
        let tree_size = self.log.tree_size();
        let newest = header_at(&self.log, tree_size.saturating_sub(1)).map_err(internal)?;
        let tree_head = self.log.signed_tree_head();
        Ok(HeadAnswer {
            ledger: self.ledger.to_string(),
            tree_size,
            recorded: newest
                .time
                .to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            tree_head: tree_head.map(|head| String::from_utf8_lossy(head.as_bytes()).into_owned()),
            published: *self.published.borrow(),
            refusing: self.refusing.why().map_err(internal)?,
        })
    }

    fn replay(&self, query: &ReplayQuery) -> Result<Answer, Problem> {
        let tree_size = self.log.tree_size();
        // The end itself is what a follower asks for.
        if query.from > tree_size {
            let what = format!("position {}", query.from);
            return Err(not_reached(&what, tree_size, tree_size));
        }
        if let Some(country) = &query.country {
            Names::expect_country(country)?;
        }
        if let Some(action) = &query.action {
            self.names.expect_action(&self.log, action)?;
        }
        let to = query.to.map_or(tree_size, |to| to.min(tree_size));
        let max_bytes = query
            .max_bytes
            .unwrap_or(REPLAY_BYTES)
            .min(MAX_REPLAY_BYTES)
            .min((self.max_answer)());
        let country = query.country.as_deref();
        let country = country.filter(|country| *country != NO_COUNTRY);
        let (payload, next) = if country.is_none() && query.action.is_none() {
            self.log
                .stored_blocks(query.from..to, max_bytes)
                .map_err(read_failure)?
        } else {
            self.filtered_blocks(query, country, to, max_bytes)?
        };
        let headers = vec![
            (NEXT_HEADER, next.to_string()),
            (TREE_SIZE_HEADER, tree_size.to_string()),
        ];
        Ok(Answer { payload, headers })
    }

    /// The blocks that hold the positions the indexes name. With two filters the country's index leads and the reader
    /// drops what is of another action, as it drops everything else in a block that it did not ask for.
    fn filtered_blocks(
        &self,
        query: &ReplayQuery,
        country: Option<&str>,
        to: u64,
        max_bytes: usize,
    ) -> Result<(Bytes, u64), Problem> {
        let mut payload = BytesMut::new();
        let mut next = query.from;
        loop {
            let positions = match (country, &query.action) {
                (Some(country), _) => self.log.country_positions(country, next, INDEX_PAGE),
                (None, Some(action)) => self.log.action_positions(action, next, INDEX_PAGE),
                (None, None) => Ok(Vec::new()),
            };
            let positions = positions.map_err(read_failure)?;
            if positions.is_empty() {
                return Ok((payload.freeze(), to.max(next)));
            }
            for position in positions {
                if position >= to {
                    return Ok((payload.freeze(), to.max(next)));
                }
                if position < next {
                    continue;
                }
                let block = self.log.read_block(position).map_err(read_failure)?;
                if !payload.is_empty() && payload.len() + block.len() > max_bytes {
                    return Ok((payload.freeze(), position));
                }
                payload.extend_from_slice(&block);
                next = BlockHeader::read(&block).map_err(internal)?.end_position();
            }
        }
    }
}

/// The answer of an endpoint as it is sent.
pub(crate) fn json<E: Ask>(answer: &E::Answer) -> Result<Answer, Problem>
where
    E::Answer: Serialize,
{
    serde_json::to_vec(answer)
        .map(Answer::from)
        .map_err(internal)
}

#[cfg(test)]
mod tests;
