//! What the bodies of all views share: how a moment, a stage and a bounded table read in JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

use super::fold::{Moment, Sign, Stamp};
use crate::wire::v1::Stage;

/// The most lines a table inside a body may have, so that no body can outgrow [`super::MAX_BODY_BYTES`].
pub(crate) const MAX_TABLE_LINES: usize = 320;

/// A recorded time as every event writes it: UTC, microseconds.
pub(crate) fn recorded_text(recorded_us: i64) -> String {
    DateTime::from_timestamp_micros(recorded_us)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A moment in a body.
#[derive(Debug, Serialize)]
pub(crate) struct MomentBody {
    pub(crate) position: String,
    pub(crate) recorded: String,
}

impl From<Moment> for MomentBody {
    fn from(moment: Moment) -> Self {
        Self {
            position: moment.position.to_string(),
            recorded: recorded_text(moment.recorded_us),
        }
    }
}

/// The last change and the last report of a view, as its body begins; null before the first.
#[derive(Debug, Serialize)]
pub(crate) struct StampBody {
    position: Option<String>,
    recorded: Option<String>,
    last_report: Option<MomentBody>,
}

impl From<Stamp> for StampBody {
    fn from(stamp: Stamp) -> Self {
        Self {
            position: stamp.change.map(|moment| moment.position.to_string()),
            recorded: stamp.change.map(|moment| recorded_text(moment.recorded_us)),
            last_report: stamp.report.map(MomentBody::from),
        }
    }
}

/// Commitments by the stage their lead reported last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Stages {
    none_reported: u64,
    planning: u64,
    in_progress: u64,
    fulfilled: u64,
    stalled: u64,
}

impl Stages {
    pub(crate) fn count(&mut self, stage: Option<Stage>, sign: Sign) {
        sign.step(match stage {
            None => &mut self.none_reported,
            Some(Stage::Planning) => &mut self.planning,
            Some(Stage::InProgress) => &mut self.in_progress,
            Some(Stage::Fulfilled) => &mut self.fulfilled,
            Some(Stage::Stalled) => &mut self.stalled,
        });
    }

    pub(crate) fn total(&self) -> u64 {
        self.none_reported + self.planning + self.in_progress + self.fulfilled + self.stalled
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            none_reported: self.none_reported + other.none_reported,
            planning: self.planning + other.planning,
            in_progress: self.in_progress + other.in_progress,
            fulfilled: self.fulfilled + other.fulfilled,
            stalled: self.stalled + other.stalled,
        }
    }
}

/// A table of at most [`MAX_TABLE_LINES`] lines: those that weigh most, in the order of their keys, and how many were left out.
pub(crate) fn bounded<K: Ord, V>(
    lines: impl Iterator<Item = (K, V)>,
    weight: impl Fn(&V) -> u64,
) -> (BTreeMap<K, V>, usize) {
    let mut lines: Vec<(K, V)> = lines.collect();
    let left_out = lines.len().saturating_sub(MAX_TABLE_LINES);
    if left_out > 0 {
        lines.sort_by(|(a, left), (b, right)| {
            weight(right).cmp(&weight(left)).then_with(|| a.cmp(b))
        });
        lines.truncate(MAX_TABLE_LINES);
    }
    (lines.into_iter().collect(), left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_the_heaviest_lines_and_says_how_many_it_left_out() {
        let (table, left_out) = bounded((0..1_000u64).map(|line| (line, line)), |&weight| weight);
        assert_eq!(left_out, 1_000 - MAX_TABLE_LINES);
        assert_eq!(table.len(), MAX_TABLE_LINES);
        assert_eq!(table.keys().next_back(), Some(&999));
        let (table, left_out) = bounded((0..3u64).map(|line| (line, 0)), |&weight: &u64| weight);
        assert_eq!((table.len(), left_out), (3, 0));
    }
}
