//! Sets of numbers, one bit each.

use std::ops::RangeInclusive;

/// Numbers in one word.
const WORD: u64 = 64;

/// A set of numbers.
#[derive(Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// Takes a number in; whether it was not there before.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        let Ok(index) = usize::try_from(number / WORD) else {
            return false;
        };
        if self.0.len() <= index {
            self.0.resize(index + 1, 0);
        }
        let bit = 1u64 << (number % WORD);
        self.0.get_mut(index).is_some_and(|word| {
            let new = *word & bit == 0;
            *word |= bit;
            new
        })
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.word(number / WORD) & (1u64 << (number % WORD)) != 0
    }

    /// Whether any number of a range is there.
    pub(super) fn any_of(&self, range: RangeInclusive<u64>) -> bool {
        let (first, last) = range.into_inner();
        let last = last.min((self.0.len() as u64).saturating_mul(WORD).saturating_sub(1));
        if first > last {
            return false;
        }
        let from_first = u64::MAX << (first % WORD);
        let to_last = u64::MAX >> (WORD - 1 - last % WORD);
        let (low, high) = (first / WORD, last / WORD);
        if low == high {
            return self.word(low) & from_first & to_last != 0;
        }
        self.word(low) & from_first != 0
            || self.word(high) & to_last != 0
            || (low + 1..high).any(|index| self.word(index) != 0)
    }

    fn word(&self, index: u64) -> u64 {
        let index = usize::try_from(index).ok();
        index
            .and_then(|index| self.0.get(index))
            .copied()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_set_of_bits_is_a_set(
            numbers in proptest::collection::vec(0..400u64, 0..20),
            first in 0..500u64,
            length in 0..200u64,
        ) {
            let mut bits = Bits::default();
            let mut set = BTreeSet::new();
            for number in numbers {
                prop_assert_eq!(bits.insert(number), set.insert(number));
            }
            for number in 0..500 {
                prop_assert_eq!(bits.contains(number), set.contains(&number));
            }
            let range = first..=first + length;
            prop_assert_eq!(bits.any_of(range.clone()), set.range(range).next().is_some());
            prop_assert_eq!(bits.any_of(first..=u64::MAX), set.range(first..).next().is_some());
        }
    }
}
