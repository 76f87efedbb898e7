//! Replay: the log's stored blocks, as they are on the disk, fetched ahead of the reader.

use crate::connection::{Connection, QUERY_TIMEOUT, is_unreachable};
use bytes::Bytes;
use ledger_bus::RequestError;
use ledger_bus::{QueryError, ReplayPage};
use ledger_domain::wire::v1::query::ReplayQuery;
use ledger_proof::block::{self, BlockError};
use std::time::Duration;
use thiserror::Error;
use tokio::task::JoinHandle;

/// Bytes of blocks to ask for at once: where one connection moves the most (`DESIGN.md`, "NATS").
const CHUNK_BYTES: usize = 512 * 1024;

/// How often an unanswered question is asked again: replaying changes nothing, so asking again is always safe.
const ATTEMPTS_MAX: u32 = 5;

/// The pause before asking again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// Why a replay stopped.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The node did not answer, or refused.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The answer says to go back, or to stay.
    #[error("the replay's answer from position {from} does not go on")]
    NoProgress {
        /// The position asked for.
        from: u64,
    },
    /// The answer is not blocks.
    #[error("the block at or after position {position} is damaged")]
    Block {
        /// The position asked for, or that of the block if its header can be read.
        position: u64,
        /// What is wrong.
        #[source]
        source: BlockError,
    },
    /// The task that fetches ahead was stopped.
    #[error("fetching ahead was stopped")]
    Stopped,
}

impl ReplayError {
    /// Whether nobody answered, as opposed to an answer that does not please.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Query(error) => is_unreachable(error),
            Self::NoProgress { .. } | Self::Block { .. } | Self::Stopped => false,
        }
    }
}

/// What to replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayRange {
    /// The first position wanted.
    pub from: u64,
    /// The position to stop before; absent for the end of the log.
    pub to: Option<u64>,
    /// Only blocks with events of this country.
    pub country: Option<String>,
    /// Only blocks with events of this action.
    pub action: Option<String>,
}

/// Blocks as they came, back to back.
#[derive(Clone, Debug)]
pub struct ReplayChunk {
    /// The position that was asked for: events before it may come along and are not wanted.
    pub from: u64,
    /// The position to stop before.
    pub to: Option<u64>,
    /// The position to go on from.
    pub next: u64,
    /// Events on disk when the answer was made.
    pub tree_size: u64,
    /// The blocks.
    pub bytes: Bytes,
}

impl ReplayChunk {
    /// The blocks one by one, each with its checksum verified; the last is an error if there is one.
    pub fn blocks(&self) -> impl Iterator<Item = Result<&[u8], ReplayError>> {
        let mut blocks = block::blocks(&self.bytes);
        std::iter::from_fn(move || {
            let block = blocks.next()?;
            Some(block.map_err(|source| {
                let header = block::BlockHeader::read(blocks.rest());
                let position = header.map_or(self.from, |header| header.first_position);
                ReplayError::Block { position, source }
            }))
        })
    }
}

/// A replay under way. The next answer is asked for as soon as the last one says where to go on, so that it travels
/// while the reader works.
#[derive(Debug)]
pub struct Replay {
    connection: Connection,
    range: ReplayRange,
    next: u64,
    ahead: Option<JoinHandle<Result<ReplayPage, QueryError>>>,
}

impl Replay {
    /// A replay of this range.
    pub fn new(connection: &Connection, range: ReplayRange) -> Self {
        let next = range.from;
        Self {
            connection: connection.clone(),
            range,
            next,
            ahead: None,
        }
    }

    /// The next blocks; `None` at the end of the range, or of the log as it is now. Asking again after the end goes on
    /// with what the log has gained.
    ///
    /// # Errors
    ///
    /// [`ReplayError`]; asking again goes on from the same position.
    pub async fn next_chunk(&mut self) -> Result<Option<ReplayChunk>, ReplayError> {
        if self.range.to.is_some_and(|to| self.next >= to) {
            return Ok(None);
        }
        let from = self.next;
        let fetching = match self.ahead.take() {
            Some(fetching) => fetching,
            None => self.fetch(from),
        };
        let page = fetching.await.map_err(|_| ReplayError::Stopped)??;
        let (next, tree_size) = (page.next, page.tree_size);
        if next <= from {
            // The end of the log is the one place where there is nothing to go on to.
            return if from >= tree_size {
                Ok(None)
            } else {
                Err(ReplayError::NoProgress { from })
            };
        }
        self.next = next;
        let limit = self.range.to.unwrap_or(tree_size).min(tree_size);
        if next < limit {
            self.ahead = Some(self.fetch(next));
        }
        Ok(Some(ReplayChunk {
            from,
            to: self.range.to,
            next,
            tree_size,
            bytes: page.blocks,
        }))
    }

    fn fetch(&self, from: u64) -> JoinHandle<Result<ReplayPage, QueryError>> {
        let connection = self.connection.clone();
        let query = ReplayQuery {
            from,
            to: self.range.to,
            max_bytes: Some(CHUNK_BYTES),
            country: self.range.country.clone(),
            action: self.range.action.clone(),
        };
        tokio::spawn(async move {
            let mut attempt = 1;
            loop {
                match connection.bus().replay(&query, QUERY_TIMEOUT).await {
                    Err(QueryError::Request(
                        RequestError::Timeout { .. } | RequestError::NoResponders { .. },
                    )) if attempt < ATTEMPTS_MAX => {
                        attempt += 1;
                        tokio::time::sleep(RETRY_PAUSE).await;
                    }
                    outcome => return outcome,
                }
            }
        })
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        if let Some(ahead) = &self.ahead {
            ahead.abort();
        }
    }
}
