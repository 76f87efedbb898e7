//! The shapes of queries and answers on `ledger.v1.query.…`. JSON, except where said.

use serde::{Deserialize, Serialize};

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
}

/// Query of `query.replay`. The answer is stored blocks back to back (each says its own length; see the block codec),
/// with the headers `Ledger-Next` (where to go on) and `Ledger-Tree-Size` (events on disk).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayQuery {
    /// First position wanted. The first block may begin before it.
    pub from: u64,
    /// The position to stop before; absent for the end of the log. The last block may end after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// How many bytes of blocks to answer with at most; one block comes in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<usize>,
    /// Only blocks with events of this country (ISO alpha-3 of the lead party).
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

/// Query of `query.country.<ISO3>`, `query.action.<code>` and `query.summary`: the body, and a page of its commitments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewQuery {
    /// Commitments to list, at most 200; none by default.
    #[serde(default)]
    pub limit: usize,
    /// Go on after this cursor, taken from the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Header of a view's answer: positions below this are folded into the projection.
pub const WATERMARK_HEADER: &str = "Ledger-Watermark";

/// Answer of `query.projection.<name>`: how far a projector has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectionAnswer {
    /// `country`, `action` or `summary`.
    pub projection: String,
    /// Positions below this are folded.
    pub checkpoint: u64,
    /// Views that have a body.
    pub views: Vec<String>,
}
