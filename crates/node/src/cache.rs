//! The decision states of commitments that are kept in memory.

use hashlink::LinkedHashMap;
use ledger_domain::Commitment;
use ledger_domain::ids::CommitmentId;
use rustc_hash::FxBuildHasher;

/// Least recently used states, at most `capacity` of them, except that a state with events that are not in the log
/// yet is never dropped: it could not be loaded again.
pub(crate) struct CommitmentCache {
    states: LinkedHashMap<CommitmentId, Cached, FxBuildHasher>,
    capacity: usize,
}

struct Cached {
    state: Commitment,
    /// Position of the newest event folded into it.
    last_position: u64,
}

impl CommitmentCache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            states: LinkedHashMap::with_hasher(FxBuildHasher),
            capacity: capacity.max(1),
        }
    }

    /// Whether the state is here; a state that is becomes the most recently used.
    pub(crate) fn touch(&mut self, id: &CommitmentId) -> bool {
        self.states.to_back(id).is_some()
    }

    /// The state, without changing what was used when.
    pub(crate) fn peek(&self, id: &CommitmentId) -> Option<&Commitment> {
        self.states.get(id).map(|cached| &cached.state)
    }

    /// Takes the state out, to fold an event into it.
    pub(crate) fn take(&mut self, id: &CommitmentId) -> Option<Commitment> {
        self.states.remove(id).map(|cached| cached.state)
    }

    /// Puts a state in; `synced` is the number of positions that the log holds.
    pub(crate) fn put(
        &mut self,
        id: CommitmentId,
        state: Commitment,
        last_position: u64,
        synced: u64,
    ) {
        self.states.insert(
            id,
            Cached {
                state,
                last_position,
            },
        );
        while self.states.len() > self.capacity {
            let droppable = self
                .states
                .front()
                .is_some_and(|(_, oldest)| oldest.last_position < synced);
            if !droppable {
                return;
            }
            self.states.pop_front();
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.states.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(number: u128) -> CommitmentId {
        CommitmentId(Uuid::from_u128(number))
    }

    #[test]
    fn the_least_recently_used_state_goes_first() {
        let mut cache = CommitmentCache::new(2);
        cache.put(id(1), Commitment::default(), 0, 9);
        cache.put(id(2), Commitment::default(), 1, 9);
        assert!(cache.touch(&id(1)));
        cache.put(id(3), Commitment::default(), 2, 9);
        assert!(cache.peek(&id(2)).is_none());
        assert!(cache.peek(&id(1)).is_some() && cache.peek(&id(3)).is_some());
    }

    #[test]
    fn a_state_whose_events_are_not_in_the_log_stays() {
        let mut cache = CommitmentCache::new(1);
        cache.put(id(1), Commitment::default(), 5, 5);
        cache.put(id(2), Commitment::default(), 6, 5);
        assert_eq!(cache.len(), 2, "both are needed: neither could be loaded");
        cache.put(id(3), Commitment::default(), 7, 8);
        assert_eq!(cache.len(), 1, "once they are in the log they go");
        assert!(cache.peek(&id(3)).is_some());
    }
}
