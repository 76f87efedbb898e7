//! Parts that the bodies of all views share: times and bounded tables in JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::last_change::LastChange;
use crate::view::read_model::event_time::EventTime;
use crate::wire::v1::view::{LastEvents, RecordedAt};

/// Tables of up to so many lines are not measured: they fit into the smallest room that a body leaves for one.
const FEW_LINES: usize = 24;

/// A recorded time as every event writes it: UTC, microseconds.
pub(crate) fn recorded_text(recorded_us: i64) -> String {
    DateTime::from_timestamp_micros(recorded_us)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl From<EventTime> for RecordedAt {
    fn from(moment: EventTime) -> Self {
        Self {
            position: moment.position.to_string(),
            recorded: recorded_text(moment.recorded_us),
        }
    }
}

impl From<LastChange> for LastEvents {
    fn from(stamp: LastChange) -> Self {
        Self {
            position: stamp.change.map(|moment| moment.position.to_string()),
            recorded: stamp.change.map(|moment| recorded_text(moment.recorded_us)),
            last_report: stamp.report.map(RecordedAt::from),
        }
    }
}

/// The canonical JSON of a body. It goes into an answer as it is, without being read again.
pub(crate) fn encoded(body: &impl Serialize) -> Option<Box<RawValue>> {
    to_raw_value(body).ok()
}

/// The bytes of a body.
pub(crate) fn bytes(body: Box<RawValue>) -> Vec<u8> {
    Box::<str>::from(body).into_string().into_bytes()
}

/// A table that takes at most so many bytes of a body: the lines that weigh most, in the order of their keys, and how many were left out.
pub(crate) fn bounded<K: AsRef<str> + Ord, V: Serialize>(
    lines: impl Iterator<Item = (K, V)>,
    weight: impl Fn(&V) -> u64,
    bytes: usize,
) -> (BTreeMap<K, V>, usize) {
    let mut lines: Vec<(K, V)> = lines.collect();
    if lines.len() <= FEW_LINES {
        return (lines.into_iter().collect(), 0);
    }
    lines.sort_by(|(a, left), (b, right)| weight(right).cmp(&weight(left)).then_with(|| a.cmp(b)));
    let mut left_out = lines.len();
    let mut room = bytes;
    let kept = lines.into_iter().map_while(|(key, value)| {
        // Two quotes, a colon and a comma; keys are codes and need no escape.
        let line = key.as_ref().len() + 4 + serde_json::to_vec(&value).map_or(0, |it| it.len());
        room = room.checked_sub(line)?;
        left_out -= 1;
        Some((key, value))
    });
    let kept = kept.collect();
    (kept, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_the_heaviest_lines_and_says_how_many_it_left_out() {
        let lines = || (0..1_000u64).map(|line| (format!("{line:03}"), line));
        // `"999":999,` takes ten bytes.
        let (table, left_out) = bounded(lines(), |&weight| weight, 3_205);
        assert_eq!((table.len(), left_out), (320, 680));
        assert_eq!(table.keys().next_back().map(String::as_str), Some("999"));
        assert!(serde_json::to_vec(&table).unwrap().len() <= 3_205);
        let (table, left_out) = bounded(lines().take(3), |_| 0, 3_200);
        assert_eq!((table.len(), left_out), (3, 0));
    }
}
