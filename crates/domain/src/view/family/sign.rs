//! The direction in which a count moves.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// Into the counts or out of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Add,
    Remove,
}

impl Sign {
    /// Moves a count by one. Whatever is removed was added before with the same facts, so a count never falls below zero.
    pub(crate) fn step(self, count: &mut u64) {
        *count = match self {
            Self::Add => count.saturating_add(1),
            Self::Remove => count.saturating_sub(1),
        };
    }

    /// Moves a count by so many.
    pub(crate) fn step_by(self, number: u64, count: &mut u64) {
        *count = match self {
            Self::Add => count.saturating_add(number),
            Self::Remove => count.saturating_sub(number),
        };
    }

    /// Moves a count by one if the fact it counts holds.
    pub(crate) fn step_if(self, holds: bool, count: &mut u64) {
        if holds {
            self.step(count);
        }
    }

    /// Moves the count of one thing among many, forgetting what is counted no more.
    pub(crate) fn step_in<K: Hash + Eq>(self, counts: &mut FxHashMap<K, u64>, key: K) {
        match self {
            Self::Add => *counts.entry(key).or_default() += 1,
            Self::Remove => {
                if let Some(count) = counts.get_mut(&key) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        counts.remove(&key);
                    }
                }
            }
        }
    }
}
