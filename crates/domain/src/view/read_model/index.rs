//! Indexes into the read model's tables: four bytes each, because millions are held.

use smallvec::SmallVec;

/// The number of a commitment in recorded order.
pub(crate) type Slot = u32;
/// The number of a party in the order they were first named.
pub(crate) type PartyIndex = u32;
/// The number of an action in the order they were first named.
pub(crate) type ActionIndex = u32;
/// The number of an instrument in the order they were first named.
pub(crate) type InstrumentIndex = u32;

/// The number of a method of assessment and its version. Nothing that is kept or shown depends on it.
pub(crate) type MethodIndex = u32;

/// The keys of the views that one commitment stands in.
pub(crate) type Keys<K> = SmallVec<[K; 8]>;

/// An index as it is kept. More than four thousand million of anything do not fit into memory.
pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

pub(crate) fn entry_at<T>(table: &[T], index: u32) -> Option<&T> {
    usize::try_from(index)
        .ok()
        .and_then(|index| table.get(index))
}

pub(crate) fn entry_at_mut<T>(table: &mut [T], index: u32) -> Option<&mut T> {
    usize::try_from(index)
        .ok()
        .and_then(|index| table.get_mut(index))
}
