//! The decision states of commitments that are kept in memory.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use ledger_domain::Commitment;
use ledger_domain::ids::CommitmentId;

/// States in one piece of memory: growing by such pieces moves nothing.
const CHUNK_STATES: usize = 4_096;
/// Used states that are passed over in the search for one to replace.
const SECOND_CHANCES: usize = 64;

/// At most `capacity` states, those least recently used replaced first, except that a state with events that are not in
/// the log yet is never replaced: it could not be loaded again.
///
/// What was used is known by one bit a state and a hand that goes around (the "clock" algorithm): a list in the exact order of use would
/// touch the memory of two neighbours at every use, and these are millions of states named at random.
pub(crate) struct CommitmentCache {
    /// Where each id's state stands.
    places: HashTable<u32>,
    /// Seeded anew in every process: partners choose the ids, and with a hash that they know they could choose ids that all
    /// meet in one place.
    hasher: DefaultHashBuilder,
    chunks: Vec<Vec<Cached>>,
    count: usize,
    capacity: usize,
    /// The place to look at next when one is wanted.
    hand: usize,
}

struct Cached {
    id: CommitmentId,
    state: Commitment,
    /// Position of the newest event folded into it.
    last_position: u64,
    /// Used since the hand was here.
    used: bool,
}

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

fn at(chunks: &[Vec<Cached>], place: usize) -> Option<&Cached> {
    chunks.get(place / CHUNK_STATES)?.get(place % CHUNK_STATES)
}

fn at_mut(chunks: &mut [Vec<Cached>], place: usize) -> Option<&mut Cached> {
    chunks
        .get_mut(place / CHUNK_STATES)?
        .get_mut(place % CHUNK_STATES)
}

impl CommitmentCache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            places: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            chunks: Vec::new(),
            count: 0,
            capacity: capacity.max(1),
            hand: 0,
        }
    }

    fn place_of(&self, id: &CommitmentId) -> Option<usize> {
        let is_its = |place: &u32| at(&self.chunks, index(*place)).is_some_and(|it| it.id == *id);
        self.places
            .find(self.hasher.hash_one(id), is_its)
            .copied()
            .map(index)
    }

    /// Whether the state is here; a state that is counts as used.
    pub(crate) fn touch(&mut self, id: &CommitmentId) -> bool {
        let place = self.place_of(id);
        let cached = place.and_then(|place| at_mut(&mut self.chunks, place));
        cached.is_some_and(|cached| {
            cached.used = true;
            true
        })
    }

    /// The state, without changing what was used when.
    pub(crate) fn peek(&self, id: &CommitmentId) -> Option<&Commitment> {
        let place = self.place_of(id)?;
        at(&self.chunks, place).map(|cached| &cached.state)
    }

    /// Folds an event at `position` into the state, where it stands, or into none. `synced` is the number of positions that
    /// the log holds.
    pub(crate) fn change(
        &mut self,
        id: CommitmentId,
        position: u64,
        synced: u64,
        fold: impl FnOnce(Option<Commitment>) -> Commitment,
    ) {
        let place = self.place_of(&id);
        match place.and_then(|place| at_mut(&mut self.chunks, place)) {
            Some(cached) => {
                cached.state = fold(Some(std::mem::take(&mut cached.state)));
                cached.last_position = position;
                cached.used = true;
            }
            None => self.put(id, fold(None), position, synced, &[]),
        }
    }

    /// Puts a state in that is not here. None that is `named` is replaced by it.
    pub(crate) fn put(
        &mut self,
        id: CommitmentId,
        state: Commitment,
        last_position: u64,
        synced: u64,
        named: &[CommitmentId],
    ) {
        let cached = Cached {
            id,
            state,
            last_position,
            used: true,
        };
        let replaced = if self.count >= self.capacity {
            self.find_replaceable(synced, named)
        } else {
            None
        };
        let place = replaced.unwrap_or(self.count);
        let number = u32::try_from(place).unwrap_or(u32::MAX);
        if replaced.is_some() {
            self.forget(place);
            if let Some(old) = at_mut(&mut self.chunks, place) {
                *old = cached;
            }
        } else {
            if self.count.is_multiple_of(CHUNK_STATES) {
                self.chunks.push(Vec::with_capacity(CHUNK_STATES));
            }
            if let Some(chunk) = self.chunks.last_mut() {
                chunk.push(cached);
                self.count += 1;
            }
        }
        let rehash = |place: &u32| {
            let id = at(&self.chunks, index(*place)).map(|it| it.id);
            id.map_or(0, |id| self.hasher.hash_one(id))
        };
        self.places
            .insert_unique(self.hasher.hash_one(id), number, rehash);
    }

    /// The next place, going around, whose state is in the log, is not named and was not used lately; used or not once so many were passed
    /// over. None when all states hold events that are not in the log: then there is one more than the capacity.
    fn find_replaceable(&mut self, synced: u64, named: &[CommitmentId]) -> Option<usize> {
        for step in 0..self.count + SECOND_CHANCES {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.count.max(1);
            let cached = at_mut(&mut self.chunks, place)?;
            let is_needed = cached.last_position >= synced || named.contains(&cached.id);
            let was_used = std::mem::take(&mut cached.used) && step < SECOND_CHANCES;
            if !is_needed && !was_used {
                return Some(place);
            }
        }
        None
    }

    /// Takes the id at a place out of the table.
    fn forget(&mut self, place: usize) {
        let Some(id) = at(&self.chunks, place).map(|cached| cached.id) else {
            return;
        };
        let is_here = |other: &u32| index(*other) == place;
        if let Ok(entry) = self.places.find_entry(self.hasher.hash_one(id), is_here) {
            entry.remove();
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        assert_eq!(self.places.len(), self.count);
        self.count
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
    fn what_was_not_used_since_the_hand_came_by_goes_first() {
        let mut cache = CommitmentCache::new(2);
        cache.put(id(1), Commitment::default(), 0, 9, &[]);
        cache.put(id(2), Commitment::default(), 1, 9, &[]);
        cache.put(id(3), Commitment::default(), 2, 9, &[]);
        assert!(
            cache.peek(&id(1)).is_none(),
            "all were used: the first goes"
        );
        assert!(cache.touch(&id(3)));
        cache.put(id(4), Commitment::default(), 3, 9, &[]);
        assert!(cache.peek(&id(2)).is_none(), "it was not used since");
        assert!(cache.peek(&id(3)).is_some() && cache.peek(&id(4)).is_some());
        assert!(!cache.touch(&id(2)));
        assert_eq!(cache.len(), 2);
    }

    #[test]
    fn a_state_whose_events_are_not_in_the_log_stays() {
        let mut cache = CommitmentCache::new(1);
        cache.put(id(1), Commitment::default(), 5, 5, &[]);
        cache.put(id(2), Commitment::default(), 6, 5, &[]);
        assert_eq!(cache.len(), 2, "both are needed: neither could be loaded");
        cache.put(id(3), Commitment::default(), 7, 8, &[]);
        assert_eq!(cache.len(), 2, "once they are in the log they are replaced");
        assert!(cache.peek(&id(3)).is_some());
    }

    #[test]
    fn what_one_command_names_is_not_replaced_by_the_rest_of_it() {
        let mut cache = CommitmentCache::new(2);
        let named = [id(1), id(9)];
        cache.put(id(1), Commitment::default(), 0, 9, &named);
        cache.put(id(2), Commitment::default(), 1, 9, &[]);
        cache.put(id(9), Commitment::default(), 2, 9, &named);
        assert!(named.iter().all(|id| cache.peek(id).is_some()));
        assert_eq!(cache.len(), 2);
    }

    #[test]
    fn a_state_changes_where_it_stands_and_is_made_where_there_was_none() {
        let mut cache = CommitmentCache::new(2);
        cache.change(id(1), 0, 0, |state| {
            assert_eq!(state, None);
            Commitment::default()
        });
        let mut folded = false;
        cache.change(id(1), 1, 0, |state| {
            folded = state.is_some();
            state.unwrap_or_default()
        });
        assert!(folded);
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn nobody_can_choose_ids_that_meet_in_one_place() {
        // The first seed of the hash that was used here: ids that begin with it had one hash, whatever followed.
        const SEED: u64 = 0x243f_6a88_85a3_08d3;
        let cache = CommitmentCache::new(2);
        let chosen = (0..1_000_u64).map(|n| Uuid::from_u64_pair(SEED.swap_bytes(), n));
        let mut hashes: Vec<u64> = chosen
            .map(|id| cache.hasher.hash_one(CommitmentId(id)))
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert!(hashes.len() > 990, "{} different hashes", hashes.len());
    }

    #[test]
    fn every_state_is_found_again_over_many_pieces_of_memory() {
        let many = 3 * u128::try_from(CHUNK_STATES).unwrap();
        let mut cache = CommitmentCache::new(10 * CHUNK_STATES);
        for number in 0..many {
            cache.put(id(number), Commitment::default(), 0, 1, &[]);
        }
        assert!((0..many).all(|number| cache.touch(&id(number))));
        assert!(cache.peek(&id(many)).is_none());
    }
}
