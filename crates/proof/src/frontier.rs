//! The right edge of the tree: all that is needed to append to it and to name its root.

use crate::hash::{EMPTY_HASH, Hash, node_hash};
use thiserror::Error;

/// The roots of the largest complete subtrees that cover a tree, left to right: one for each bit set in its size.
///
/// It is a few hundred bytes at any size, and appending costs one node hash per leaf on average (RFC 6962 section 2.1;
/// elsewhere called a compact range).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Hash>,
}

/// Why subtree roots do not make a frontier.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FrontierError {
    /// A tree of this size is covered by another number of complete subtrees.
    #[error("a tree of {size} leaves is covered by {expected} complete subtrees, not {found}")]
    SubtreeCount {
        /// The tree's size.
        size: u64,
        /// The number of bits set in it.
        expected: usize,
        /// The number of roots given.
        found: usize,
    },
    /// A complete subtree can only follow a multiple of its own size.
    #[error("a subtree of 2^{level} leaves cannot follow {size} leaves")]
    Misaligned {
        /// The tree's size before.
        size: u64,
        /// The subtree's level: it has 2^level leaves.
        level: u8,
    },
}

impl Frontier {
    /// The frontier of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The frontier of a tree of `size` leaves from the roots of its largest complete subtrees, left to right.
    ///
    /// # Errors
    ///
    /// [`FrontierError::SubtreeCount`] if there is not exactly one root for each bit set in `size`.
    pub fn from_subtrees(size: u64, subtrees: Vec<Hash>) -> Result<Self, FrontierError> {
        let expected = usize::try_from(size.count_ones()).unwrap_or(usize::MAX);
        if subtrees.len() == expected {
            Ok(Self { size, subtrees })
        } else {
            Err(FrontierError::SubtreeCount {
                size,
                expected,
                found: subtrees.len(),
            })
        }
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the largest complete subtrees, left to right: what [`Frontier::from_subtrees`] takes.
    pub fn subtrees(&self) -> &[Hash] {
        &self.subtrees
    }

    /// Appends one leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        self.carry(leaf, 0);
    }

    /// Appends a complete subtree of 2^`level` leaves by its root.
    ///
    /// # Errors
    ///
    /// [`FrontierError::Misaligned`] if the tree's size is not a multiple of 2^`level`, and nothing is appended.
    pub fn push_subtree(&mut self, level: u8, root: Hash) -> Result<(), FrontierError> {
        let aligned = level < 64 && self.size.trailing_zeros() >= u32::from(level);
        if aligned {
            self.carry(root, level);
            Ok(())
        } else {
            Err(FrontierError::Misaligned {
                size: self.size,
                level,
            })
        }
    }

    /// The root of the tree: the subtrees joined from the right (RFC 6962 section 2.1); of the empty tree, SHA-256 of
    /// nothing.
    pub fn root(&self) -> Hash {
        self.subtrees
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(left, right))
            .unwrap_or(EMPTY_HASH)
    }

    /// Adds 2^level leaves like a binary counter: each bit already set joins the new root with the one on its left.
    fn carry(&mut self, mut root: Hash, level: u8) {
        let mut bits = self.size >> level;
        while bits & 1 == 1 {
            // The bit says that the root is there; were it not, the count of `subtrees` would already be wrong.
            let Some(left) = self.subtrees.pop() else {
                break;
            };
            root = node_hash(left, root);
            bits >>= 1;
        }
        self.subtrees.push(root);
        self.size += 1 << level;
    }
}

impl Extend<Hash> for Frontier {
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, leaves: I) {
        for leaf in leaves {
            self.push(leaf);
        }
    }
}

/// The root of the tree over exactly these leaf hashes.
pub fn subtree_root(leaves: impl IntoIterator<Item = Hash>) -> Hash {
    let mut frontier = Frontier::new();
    frontier.extend(leaves);
    frontier.root()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;
    use proptest::prelude::*;
    use tlog_tiles::{Error, HashReader, stored_hashes_for_record_hash, tree_hash};

    struct Stored(Vec<Hash>);

    impl HashReader for Stored {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
            Ok(indexes
                .iter()
                .map(|&index| self.0[usize::try_from(index).unwrap()])
                .collect())
        }
    }

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    fn reference_root(leaves: &[Hash]) -> Hash {
        let mut stored = Stored(Vec::new());
        for (n, leaf) in (0..).zip(leaves) {
            let more = stored_hashes_for_record_hash(n, *leaf, &stored).unwrap();
            stored.0.extend(more);
        }
        tree_hash(leaves.len() as u64, &stored).unwrap()
    }

    proptest! {
        #[test]
        fn root_equals_that_of_tlog_tiles(count in 0_u64..600) {
            let leaves = leaves(count);
            let mut frontier = Frontier::new();
            frontier.extend(leaves.iter().copied());
            prop_assert_eq!(frontier.size(), count);
            prop_assert_eq!(frontier.root(), reference_root(&leaves));
        }

        #[test]
        fn whole_subtrees_and_single_leaves_give_the_same_frontier(
            count in 0_u64..600,
            level in 0_u8..9,
        ) {
            let leaves = leaves(count);
            let mut whole = Frontier::new();
            let chunks = leaves.chunks_exact(1 << level);
            let rest = chunks.remainder().to_vec();
            for chunk in chunks {
                whole.push_subtree(level, subtree_root(chunk.iter().copied())).unwrap();
            }
            whole.extend(rest);
            let mut single = Frontier::new();
            single.extend(leaves);
            prop_assert_eq!(&whole, &single);
            let again = Frontier::from_subtrees(single.size(), single.subtrees().to_vec());
            prop_assert_eq!(again, Ok(single));
        }
    }

    #[test]
    fn a_misplaced_subtree_is_refused_and_changes_nothing() {
        let mut frontier = Frontier::new();
        frontier.extend(leaves(3));
        let before = frontier.clone();
        assert_eq!(
            frontier.push_subtree(1, EMPTY_HASH),
            Err(FrontierError::Misaligned { size: 3, level: 1 })
        );
        assert_eq!(
            Frontier::new().push_subtree(64, EMPTY_HASH),
            Err(FrontierError::Misaligned { size: 0, level: 64 })
        );
        assert_eq!(frontier, before);
    }

    #[test]
    fn subtrees_must_be_as_many_as_the_bits_of_the_size() {
        assert_eq!(
            Frontier::from_subtrees(5, leaves(3)),
            Err(FrontierError::SubtreeCount {
                size: 5,
                expected: 2,
                found: 3
            })
        );
    }
}
