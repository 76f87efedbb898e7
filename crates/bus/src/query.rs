//! The shapes of queries and answers on `ledger.v1.query.…`. JSON, except where said.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use ledger_domain::wire::v1::view::{CommitmentState, WatchAnswer};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::connection::{Bus, RequestError};
use crate::subject;
use crate::words::json_fault;

/// Answer of `query.head`: how far the log goes and its newest signed tree head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadAnswer {
    /// The ledger's id.
    pub ledger: String,
    /// Events on disk: last position + 1.
    pub tree_size: u64,
    /// Recorded time of the newest event (RFC 3339, microseconds).
    pub recorded: String,
    /// The newest signed tree head, a C2SP checkpoint; it may cover fewer events than `tree_size`. Absent until
    /// the first one was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree_head: Option<String>,
    /// Events that the stream `LEDGER_EVENTS` holds.
    pub published: u64,
    /// Why commands are refused at this moment, whatever they say; absent when they are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusing: Option<String>,
}

/// Query of `query.replay`. The answer is stored blocks back to back (each says its own length; see the block codec),
/// with the headers `Ledger-Next` (where to go on) and `Ledger-Tree-Size` (events on disk). Blocks are handed out whole: whoever
/// asks drops the events that it did not ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayQuery {
    /// First position wanted. The first block may begin before it.
    pub from: u64,
    /// The position to stop before; absent for the end of the log. The last block is the one that holds the position before it, and may
    /// end after it; `Ledger-Next` says where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// How many bytes of blocks to answer with at most; one block comes in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<usize>,
    /// Only blocks with events of this country (ISO alpha-3 of the lead party). `INT` stands for no country: events of none are not
    /// indexed as such, so that all blocks come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Only blocks with events of this action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// Header of a replay's answer: the position to ask for next.
pub const NEXT_HEADER: &str = "Ledger-Next";
/// Header of a replay's answer: events on disk when it was made.
pub const TREE_SIZE_HEADER: &str = "Ledger-Tree-Size";

/// Query of `query.country.<ISO3>`, `query.action.<code>`, `query.summary`, `query.gaps`, `query.partner.<id>` and `query.review.<id>`: the body in its
/// envelope, and under `list` a page of its commitments when some were asked for and it is a view of commitments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewQuery {
    /// Commitments to list, at most 200; none by default. With `since`, events to list, at most 1,000.
    #[serde(default)]
    pub limit: usize,
    /// Leave out the commitments recorded at this position or before: `next` of the page before. With `since`, the events up to it.
    #[serde(
        default,
        deserialize_with = "position",
        skip_serializing_if = "Option::is_none"
    )]
    pub after: Option<u64>,
    /// The view as it was known then: a position, in digits, or a time (RFC 3339).
    #[serde(
        default,
        deserialize_with = "moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub as_of: Option<String>,
    /// List the events that concerned the view after this position, time or day and up to `as_of`, instead of its commitments.
    #[serde(
        default,
        deserialize_with = "moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub since: Option<String>,
}

/// Query of `query.watch`: the watch lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchQuery {
    /// The list to read, such as `overdue`; the counts of all lists alone if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Only commitments that this country's parties lead (ISO alpha-3, or `INT`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Only commitments under this action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Rows to give, at least 1 and at most 200.
    #[serde(default)]
    pub limit: usize,
    /// Leave out the commitments recorded at this position or before: `next` of the page before.
    #[serde(
        default,
        deserialize_with = "position",
        skip_serializing_if = "Option::is_none"
    )]
    pub after: Option<u64>,
    /// The lists as they were known then, and on that day: a position, in digits, or a time (RFC 3339).
    #[serde(
        default,
        deserialize_with = "moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub as_of: Option<String>,
}

/// A position as a query may name it: as a number, or as the text of one, which is how answers name it.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

fn position<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let expected = "a position is a number, or a text of digits";
    let named = Option::<NumberOrText>::deserialize(deserializer);
    match named.map_err(|_| D::Error::custom(expected))? {
        None => Ok(None),
        Some(NumberOrText::Number(position)) => Ok(Some(position)),
        Some(NumberOrText::Text(text)) => match text.parse() {
            Ok(position) => Ok(Some(position)),
            Err(_) => Err(D::Error::custom(expected)),
        },
    }
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let named = Option::<NumberOrText>::deserialize(deserializer);
    let expected = "a moment is a position, or the text of one or of a time";
    let named = named.map_err(|_| D::Error::custom(expected))?;
    Ok(named.map(|named| match named {
        NumberOrText::Number(position) => position.to_string(),
        NumberOrText::Text(text) => text,
    }))
}

/// Answer of `query.watch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchEnvelope {
    /// The time that counts as today.
    pub as_of: String,
    /// The position that the lists are shown as known at; absent for those of today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of_position: Option<String>,
    /// The highest position that is included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<String>,
    /// Events on disk that are not included yet; absent while the node does not say how many it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_events: Option<u64>,
    /// The lists.
    #[serde(flatten)]
    pub lists: WatchAnswer,
}

/// Header of a view's answer: positions below this are in it. It is there before the first event too, when there is no watermark.
pub const CHECKPOINT_HEADER: &str = "Ledger-Checkpoint";

/// Answer of `query.projection.<country|action|summary>`: how far a projector has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectionAnswer {
    /// `country`, `action` or `summary`.
    pub projection: String,
    /// Positions below this are folded.
    pub checkpoint: u64,
    /// Views that have a body.
    pub views: Vec<String>,
    /// How far the bucket of these views has come; absent from what keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<BucketAnswer>,
}

/// How far the KV bucket of a projection has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketAnswer {
    /// The bucket has what the positions below this changed.
    pub checkpoint: u64,
    /// Views that changed since and are being written.
    pub pending_writes: u64,
    /// Why the bucket could not be written the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Query of `query.commitment.<id>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitmentQuery {
    /// First position wanted: where the answer before said to go on.
    #[serde(default)]
    pub from: u64,
    /// What was known then, and nothing that was recorded since: a position, in digits, or a time (RFC 3339).
    #[serde(
        default,
        deserialize_with = "moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub as_of: Option<String>,
    /// How it stands, instead of its events.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub state: bool,
}

/// Answer of `query.commitment.<id>`: how it stands; or its whole history, in pages of 2,000 events, or of fewer that have 2 MiB.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommitmentAnswer {
    /// The commitment's id.
    pub commitment: String,
    /// Events on disk when the answer was made.
    pub tree_size: u64,
    /// The time that counts as today: now, the recorded time of the position asked for, or the time asked for.
    pub as_of: String,
    /// The position that all of this was known at; absent for what is known now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of_position: Option<String>,
    /// How it stands, if that was asked for; absent also where the event that recorded it is withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<CommitmentState>,
    /// Its events in order, each in its delivered form; none beside its state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Box<RawValue>>,
    /// When the partner says that it made the command of each event, by the event's position: the command's own `time`, as it was written. An event that no
    /// kept command caused has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub partner_times: BTreeMap<String, String>,
    /// Where to go on; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Answer of `query.scrub`: the log checked against itself, from end to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubAnswer {
    /// Events checked: the size of the log, unless the journal is damaged.
    pub tree_size: u64,
    /// The root that the leaves give, in lowercase hexadecimal; absent when some could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Blocks checked.
    pub blocks: u64,
    /// Epochs whose index was compared.
    pub epochs: u64,
    /// Events whose data is withheld and could not be compared.
    pub withheld: u64,
    /// Bytes of a torn last frame, which was never acknowledged and is cut at the next start: no damage.
    pub torn_bytes: u64,
    /// Events at the end that sled does not have yet, as after a crash: fed at the next start, no damage.
    pub unfed: u64,
    /// Events that should have an index by now and have none: indexed at the next start, no damage.
    #[serde(default)]
    pub unindexed: u64,
    /// Files beside the journal that cannot be used, a sentence each: findings that concern no position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// What was not compared, and why: no finding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_compared: Vec<String>,
    /// What is wrong, in the order it was found: 1,000 findings at most.
    pub findings: Vec<ScrubFinding>,
    /// How many findings there were beside those.
    #[serde(default)]
    pub more_findings: u64,
}

/// Something a scrub found wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubFinding {
    /// The first position concerned.
    pub position: u64,
    /// What is wrong, in a sentence.
    pub what: String,
}

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

impl Bus {
    /// Asks `query.head`.
    ///
    /// # Errors
    /// [`QueryError`] when nobody answers in time or not as documented.
    pub async fn head(&self, timeout: Duration) -> Result<HeadAnswer, QueryError> {
        self.ask("head", &(), timeout).await
    }

    /// Asks an endpoint that answers in JSON.
    ///
    /// # Errors
    /// [`QueryError`] when nobody answers in time or not as documented.
    pub async fn ask<A: DeserializeOwned>(
        &self,
        endpoint: &str,
        query: &(impl Serialize + Sync),
        timeout: Duration,
    ) -> Result<A, QueryError> {
        let subject = subject::query(endpoint);
        let unreadable = |error: serde_json::Error| QueryError::Answer {
            subject: subject.clone(),
            what: json_fault(&error),
        };
        let payload = serde_json::to_vec(query).map_err(unreadable)?;
        let payload = if payload == b"null" {
            Vec::new()
        } else {
            payload
        };
        let reply = self.request(&subject, payload.into(), timeout).await?;
        serde_json::from_slice(&reply.payload).map_err(unreadable)
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
        let subject = subject::query("replay");
        let broken = |what: String| QueryError::Answer {
            subject: subject.clone(),
            what,
        };
        let payload = serde_json::to_vec(query).map_err(|error| broken(error.to_string()))?;
        let reply = self.request(&subject, payload.into(), timeout).await?;
        let number = |name: &str| {
            let value = reply.header(name).and_then(|value| value.parse().ok());
            value.ok_or_else(|| broken(format!("the header {name} is no number")))
        };
        let (next, tree_size) = (number(NEXT_HEADER)?, number(TREE_SIZE_HEADER)?);
        Ok(ReplayPage {
            blocks: reply.payload,
            next,
            tree_size,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_taken_as_numbers_and_as_answers_write_them() {
        let read = |text: &str| serde_json::from_str::<ViewQuery>(text);
        for text in [
            r#"{"after":523,"as_of":1190,"since":7}"#,
            r#"{"after":"523","as_of":"1190","since":"7"}"#,
        ] {
            let query = read(text).unwrap();
            assert_eq!(query.after, Some(523), "{text}");
            assert_eq!(query.as_of.as_deref(), Some("1190"), "{text}");
            assert_eq!(query.since.as_deref(), Some("7"), "{text}");
        }
        assert_eq!(read(r#"{"after":null}"#).unwrap(), ViewQuery::default());
        for text in [r#"{"after":"soon"}"#, r#"{"after":-1}"#, r#"{"as_of":[1]}"#] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("position"), "{error}");
        }
        let watch: WatchQuery = serde_json::from_str(r#"{"after":"9","as_of":3}"#).unwrap();
        assert_eq!((watch.after, watch.as_of.as_deref()), (Some(9), Some("3")));
    }
}
