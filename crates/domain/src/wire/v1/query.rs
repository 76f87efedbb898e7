//! The questions of a reader, one type each. A query is JSON; an empty one asks with the defaults.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use super::json_fault::json_fault;
use super::problem::Problem;

/// The payload of a query.
pub trait QueryPayload: Sized {
    /// Reads the payload as it came.
    ///
    /// # Errors
    /// A bad query: a sentence says what in it is not as documented.
    fn read(payload: &[u8]) -> Result<Self, Problem>;

    /// The payload to send; empty where there is nothing to say.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which no query of this module is.
    fn write(&self) -> Result<Vec<u8>, serde_json::Error>;
}

/// No payload: what is asked for is in the endpoint alone. Whatever was sent beside it is passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoQuery;

impl QueryPayload for NoQuery {
    fn read(_: &[u8]) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(Vec::new())
    }
}

macro_rules! json_queries {
    ($($query:ident),+) => {$(
        impl QueryPayload for $query {
            fn read(payload: &[u8]) -> Result<Self, Problem> {
                read_json(payload)
            }

            fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
                serde_json::to_vec(self)
            }
        }
    )+};
}

json_queries!(ReplayQuery, ViewQuery, WatchQuery, CommitmentQuery);

fn read_json<T: DeserializeOwned + Default>(payload: &[u8]) -> Result<T, Problem> {
    if payload.is_empty() {
        return Ok(T::default());
    }
    let mut deserializer = serde_json::Deserializer::from_slice(payload);
    let query =
        T::deserialize(&mut deserializer).and_then(|query| deserializer.end().map(|()| query));
    query.map_err(|error| {
        let fault = json_fault(&error);
        Problem::bad_query(format!("the query is not as documented: {fault}"))
    })
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
    /// The most bytes of blocks to answer with; one block comes in any case.
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

/// Query of `query.commitment.<id>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitmentQuery {
    /// First position wanted: where the answer before said to go on.
    #[serde(default)]
    pub from: u64,
    /// The moment to answer as of: a position, in digits, or a time (RFC 3339). Later records are
    /// left out.
    #[serde(
        default,
        deserialize_with = "moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub as_of: Option<String>,
    /// The reader asks for the commitment's state, instead of its events.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub state: bool,
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
