//! The answers of the ledger to queries, one type each. Answers are JSON; the one of a replay is
//! not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::view::{CommitmentList, CommitmentState, EventList, Timeliness, WatchAnswer};

/// Header of a replay's answer: the position to ask for next.
pub const NEXT_HEADER: &str = "Ledger-Next";
/// Header of a replay's answer: events on disk when it was made.
pub const TREE_SIZE_HEADER: &str = "Ledger-Tree-Size";
/// Header of a view's answer: positions below this are in it. It is there before the first event too, when there is no watermark.
pub const CHECKPOINT_HEADER: &str = "Ledger-Checkpoint";

/// A view as it is served: what is said of the moment of reading, around a body that folds to the same bytes for ever.
///
/// `B` is the type of the body, such as [`CountryBody`](super::view::CountryBody), or [`RawValue`] for its bytes as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewAnswer<B> {
    /// The time that counts as today: now, or the recorded time of the position asked for.
    pub as_of: String,
    /// The position that the view is shown as known at; absent for what is known now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of_position: Option<String>,
    /// The highest position the view includes; absent before the first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<String>,
    /// Events on disk that the view does not include yet; absent while the node does not say how many it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_events: Option<u64>,
    /// The title of what the view is about: free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The standing of its commitments on that day, if it is a view of commitments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitments_today: Option<Timeliness>,
    /// The body.
    pub view: B,
    /// A page of its commitments, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<CommitmentList>,
    /// A page of the events that concerned it, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<EventList>,
}

/// The answer of `query.replay`: no JSON, but stored blocks back to back, each of which says its own length, under the headers
/// [`NEXT_HEADER`] and [`TREE_SIZE_HEADER`]. Blocks are handed out whole: whoever asks drops the events that it did not ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredBlocks {}

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

/// Answer of `query.projection.<country|action|summary>`: how far a projector has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectionAnswer {
    /// `country`, `action` or `summary`.
    pub projection: String,
    /// Positions below this are folded.
    pub checkpoint: u64,
    /// Views that have a body.
    pub views: Vec<String>,
    /// The progress of the bucket of these views; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<BucketAnswer>,
}

/// The progress of the KV bucket of a projection.
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
    /// The commitment's state, if that was asked for; absent also where the event that recorded it
    /// is withheld.
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
    /// The things that were not compared, with the reasons: no finding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_compared: Vec<String>,
    /// The faults in the order in which they were found: 1,000 findings at most.
    pub findings: Vec<ScrubFinding>,
    /// The number of findings beside those.
    #[serde(default)]
    pub more_findings: u64,
}

/// Something a scrub found wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubFinding {
    /// The first position concerned.
    pub position: u64,
    /// The fault, in a sentence.
    pub what: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_keeps_its_bytes_inside_its_answer() {
        let body = r#"{"view":"summary", "position":"7"}"#;
        let answer = ViewAnswer {
            as_of: "1970-01-01T00:00:01.000001Z".to_owned(),
            as_of_position: None,
            watermark: Some("9".to_owned()),
            lag_events: Some(2),
            title: None,
            commitments_today: Some(Timeliness {
                stale: 3,
                ..Timeliness::default()
            }),
            view: serde_json::from_str::<&RawValue>(body).unwrap(),
            list: None,
            events: Some(EventList::default()),
        };
        let json = serde_json::to_string(&answer).unwrap();
        assert_eq!(
            json,
            r#"{"as_of":"1970-01-01T00:00:01.000001Z","watermark":"9","lag_events":2,"commitments_today":{"overdue_original":0,"overdue_amended":0,"stale":3,"never_reported":0},"view":{"view":"summary", "position":"7"},"events":{"events":0,"rows":[]}}"#
        );
        let read: ViewAnswer<Box<RawValue>> = serde_json::from_str(&json).unwrap();
        assert_eq!(read.view.get(), body);
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}
