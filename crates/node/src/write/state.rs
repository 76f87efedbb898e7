//! What decisions rest on: folds of the log at the position before the next.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use hashbrown::HashMap;
use ledger_domain::ids::CommitmentId;
use ledger_domain::wire::v1::{Event, ReceiptEvent};
use ledger_domain::{Commitment, CommitmentLookup, Reference};
use ledger_store::{CommandKey, Log};
use rustc_hash::FxBuildHasher;
use std::collections::VecDeque;

use crate::query::history::{
    HistoryError, RecordedCommand, commands_around, for_each_event, header_at, recorded_command,
};
use crate::write::cache::CommitmentCache;

/// How far the clock may be behind the newest event before that is said.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(1);
/// A command names at most this many commitments, and all of them must be in memory when it is decided.
const NAMED_BY_A_COMMAND: usize = 2;

/// The state of the log at `next_position`, as far as decisions need it.
pub(crate) struct DecisionState {
    log: Log,
    pub(crate) reference: Reference,
    commitments: CommitmentCache,
    recent: RecentCommands,
    /// The commands of the block that was read last for a repeated one. What is recorded stays as it is.
    reread: HashMap<CommandKey, RecordedCommand, FxBuildHasher>,
    pub(crate) next_position: u64,
    /// Recorded time of the newest event.
    pub(crate) last_time: DateTime<Utc>,
    /// Whether the clock was behind that when it was last looked at.
    clock_is_late: bool,
}

/// Commands whose events may not be in the log yet.
#[derive(Default)]
struct RecentCommands {
    by_key: HashMap<CommandKey, ([u8; 32], Vec<ReceiptEvent>), FxBuildHasher>,
    /// In the order of their last positions.
    in_order: VecDeque<(u64, CommandKey)>,
}

impl RecentCommands {
    fn put(&mut self, key: CommandKey, digest: [u8; 32], events: Vec<ReceiptEvent>, synced: u64) {
        if let Some(last) = events.last() {
            self.in_order.push_back((last.position, key));
            self.by_key.insert(key, (digest, events));
        }
        while let Some((_, key)) = self
            .in_order
            .pop_front_if(|(position, _)| *position < synced)
        {
            self.by_key.remove(&key);
        }
    }
}

struct Cached<'a>(&'a CommitmentCache);

impl CommitmentLookup for Cached<'_> {
    fn commitment(&self, id: &CommitmentId) -> Option<&Commitment> {
        self.0.peek(id)
    }
}

impl DecisionState {
    /// Folds what the log holds.
    pub(crate) fn load(log: Log, cached_commitments: usize) -> Result<Self, HistoryError> {
        let mut reference = Reference::new();
        for_each_event(&log, &log.reference_positions()?, |event| {
            reference.evolve(&event);
        })?;
        let next_position = log.tree_size();
        let mut last_time = DateTime::UNIX_EPOCH;
        if let Some(last) = next_position.checked_sub(1) {
            last_time = header_at(&log, last)?.time;
        }
        let mut state = Self {
            log,
            reference,
            commitments: CommitmentCache::new(cached_commitments.max(NAMED_BY_A_COMMAND)),
            recent: RecentCommands::default(),
            reread: HashMap::default(),
            next_position,
            last_time,
            clock_is_late: false,
        };
        state.look_at_clock(Utc::now());
        Ok(state)
    }

    /// Says once that the clock is well behind the newest event: until it has come that far, all that is recorded has that event's time.
    fn look_at_clock(&mut self, now: DateTime<Utc>) {
        let behind = self.last_time.signed_duration_since(now);
        let is_late = behind > CLOCK_TOLERANCE;
        if is_late && !self.clock_is_late {
            let (seconds, newest) = (behind.num_seconds(), self.last_time);
            tracing::warn!(seconds, %newest, "this machine's clock is behind the newest event: look at it; until it has caught up, everything is recorded at that event's time");
        }
        self.clock_is_late = is_late;
    }

    /// The recorded time of the next event: `now` to the microsecond, but never before the newest event's.
    pub(crate) fn recorded_time(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.look_at_clock(now);
        now.duration_trunc(TimeDelta::microseconds(1))
            .unwrap_or(now)
            .max(self.last_time)
    }

    /// The states that are in memory: load the ones a decision needs first.
    pub(crate) fn lookup(&self) -> impl CommitmentLookup + '_ {
        Cached(&self.commitments)
    }

    /// Brings the states of these commitments into memory, as far as they exist.
    pub(crate) fn load_commitments(&mut self, ids: &[CommitmentId]) -> Result<(), HistoryError> {
        for id in ids {
            if self.commitments.touch(id) {
                continue;
            }
            let positions = self.log.commitment_positions(&id.0, 0, usize::MAX)?;
            let Some(&last) = positions.last() else {
                continue;
            };
            let mut state = None;
            for_each_event(&self.log, &positions, |event| {
                state = Some(Commitment::evolve(state.take(), &event));
            })?;
            if let Some(state) = state {
                let synced = self.log.tree_size();
                self.commitments.put(*id, state, last, synced, ids);
            }
        }
        Ok(())
    }

    /// What was recorded of a command, if it was.
    pub(crate) fn recorded(
        &mut self,
        key: &CommandKey,
    ) -> Result<Option<RecordedCommand>, HistoryError> {
        if let Some((digest, events)) = self.recent.by_key.get(key) {
            return Ok(Some(RecordedCommand {
                digest: *digest,
                events: events.clone(),
            }));
        }
        if let Some(recorded) = self.reread.get(key) {
            return Ok(Some(recorded.clone()));
        }
        let Some(found) = self.log.find_command(key)? else {
            return Ok(None);
        };
        self.reread = commands_around(&self.log, found.first_position)?
            .into_iter()
            .collect();
        match self.reread.get(key) {
            Some(recorded) => Ok(Some(recorded.clone())),
            // Its events go on into the next block.
            None => recorded_command(&self.log, found).map(Some),
        }
    }

    /// Takes a new event in.
    pub(crate) fn evolve(&mut self, event: &Event) {
        let position = event.header.position.0;
        self.next_position = position + 1;
        self.last_time = event.header.time;
        match event.header.subject.commitment() {
            Some(id) => {
                let synced = self.log.tree_size();
                let fold = |state| Commitment::evolve(state, event);
                self.commitments.change(id, position, synced, fold);
            }
            None => self.reference.evolve(event),
        }
    }

    /// Remembers a command whose events were just taken in.
    pub(crate) fn remember(
        &mut self,
        key: CommandKey,
        digest: [u8; 32],
        events: Vec<ReceiptEvent>,
    ) {
        self.recent.put(key, digest, events, self.log.tree_size());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::node::opening_group;
    use ledger_domain::wire::v1::Root;
    use ledger_store::Options;

    #[test]
    fn a_clock_behind_the_newest_event_is_noticed_until_it_has_caught_up() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let options = Options {
            segment_bytes: 1 << 20,
            ..Options::new(folder.path(), "test")
        };
        let (log, mut appender, _) = Log::open(options).expect("a log");
        let root = Root {
            partner: "root".parse().expect("an id"),
            party: "ledger".parse().expect("an id"),
        };
        let opening = opening_group(&log, &"test".parse().expect("an id"), root);
        appender.append(&opening).expect("appended");
        let mut state = DecisionState::load(log, 10).expect("a state");
        assert!(!state.clock_is_late);
        let newest = state.last_time;
        assert_eq!(state.recorded_time(newest - TimeDelta::seconds(59)), newest);
        assert!(!state.clock_is_late);
        assert_eq!(state.recorded_time(newest - TimeDelta::hours(1)), newest);
        assert!(state.clock_is_late);
        let later = newest + TimeDelta::seconds(1);
        assert_eq!(state.recorded_time(later), later);
        assert!(!state.clock_is_late);
    }
}
