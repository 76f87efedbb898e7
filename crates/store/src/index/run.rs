//! Sorted runs: how the keys of a sealed epoch are laid out.
//!
//! A chunk holds entries in key order: key length, key, count of offsets, first offset, differences, all but the key as
//! varints, and ends in the CRC32C of what is before. Offsets count from the epoch's first position. A key with more
//! than 4,096 offsets has several entries in a row, perhaps in several chunks.

use crate::checksum;
use ledger_proof::block::{push_varint, read_varint};

/// A chunk is closed once it is this long; an entry adds at most about 12 KiB more.
const CHUNK_BYTES: usize = 8 << 10;
const ENTRY_OFFSETS: usize = 4096;

/// One chunk and its first key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) first_key: Box<[u8]>,
    pub(crate) bytes: Vec<u8>,
}

/// Lays out entries that come in key order, each with ascending offsets.
#[derive(Debug, Default)]
pub(crate) struct RunBuilder {
    chunks: Vec<Chunk>,
    open: Option<Chunk>,
}

impl RunBuilder {
    pub(crate) fn push(&mut self, key: &[u8], offsets: &[u16]) {
        for offsets in offsets.chunks(ENTRY_OFFSETS) {
            let chunk = self.open.get_or_insert_with(|| Chunk {
                first_key: key.into(),
                bytes: Vec::with_capacity(CHUNK_BYTES + 1024),
            });
            push_varint(&mut chunk.bytes, key.len() as u64);
            chunk.bytes.extend_from_slice(key);
            push_varint(&mut chunk.bytes, offsets.len() as u64);
            let mut previous = 0;
            for offset in offsets {
                push_varint(&mut chunk.bytes, u64::from(offset.wrapping_sub(previous)));
                previous = *offset;
            }
            if chunk.bytes.len() >= CHUNK_BYTES {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        if let Some(mut chunk) = self.open.take() {
            checksum::close(&mut chunk.bytes);
            self.chunks.push(chunk);
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Chunk> {
        self.close();
        self.chunks
    }
}

/// An entry: its key, and what decodes to its offsets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) key: &'a [u8],
    count: u64,
    offsets: &'a [u8],
}

impl Entry<'_> {
    /// Appends the offsets, as positions after `base`.
    pub(crate) fn positions(&self, base: u64, out: &mut Vec<u64>) {
        let mut at = base;
        let mut rest = self.offsets;
        for _ in 0..self.count {
            let Some((difference, after)) = read_varint(rest) else {
                return;
            };
            at = at.saturating_add(difference);
            rest = after;
            out.push(at);
        }
    }
}

/// The entries of a checked chunk, in key order.
pub(crate) fn entries(content: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let mut rest = content;
    std::iter::from_fn(move || {
        let (len, after) = read_varint(rest)?;
        let (key, after) = after.split_at_checked(usize::try_from(len).ok()?)?;
        let (count, offsets) = read_varint(after)?;
        rest = offsets;
        for _ in 0..count {
            (_, rest) = read_varint(rest)?;
        }
        Some(Entry {
            key,
            count,
            offsets,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn a_run_gives_back_its_entries(
            model in proptest::collection::btree_map("[A-Z]{1,4}", proptest::collection::btree_set(any::<u16>(), 1..6000), 1..20),
        ) {
            let mut builder = RunBuilder::default();
            for (key, offsets) in &model {
                builder.push(key.as_bytes(), &offsets.iter().copied().collect::<Vec<_>>());
            }
            let mut found: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
            for chunk in builder.finish() {
                let content = checksum::check(&chunk.bytes).unwrap();
                for (n, entry) in entries(content).enumerate() {
                    if n == 0 {
                        prop_assert_eq!(entry.key, &chunk.first_key[..]);
                    }
                    let mut positions = Vec::new();
                    entry.positions(0, &mut positions);
                    let key = String::from_utf8(entry.key.to_vec()).unwrap();
                    found.entry(key).or_default().extend(positions.iter().map(|p| u16::try_from(*p).unwrap()));
                }
            }
            prop_assert_eq!(found, model);
        }

        #[test]
        fn hostile_chunks_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut out = Vec::new();
            for entry in entries(&bytes) {
                entry.positions(u64::MAX, &mut out);
            }
        }
    }
}
