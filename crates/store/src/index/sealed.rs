//! The sealed epochs: runs in sled, filters in memory.

use super::filter::Filter;
use super::keys::{CommandKey, Kind};
use super::run::{self, Chunk};
use super::tail::EpochTail;
use crate::checksum;
use crate::error::SledFault;
use crate::sledbox::{self, guard};
use ledger_proof::block::{push_varint, read_varint};
use ledger_proof::{Hash, subtree_root};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// Epochs that share one filter.
const GROUP_EPOCHS: u32 = 16;
/// Leaves under one hash of a tile of level 1.
pub(crate) const TILE_LEAVES: usize = 256;
const FILTER_PIECE_BYTES: usize = 64 << 10;
const SEAL_VERSION: u8 = 1;

/// Why a lookup failed.
#[derive(Debug)]
pub(crate) enum IndexFault {
    Sled(SledFault),
    /// An epoch's chunks are not what its seal says: it must be indexed anew.
    Epoch(u32),
}

impl From<SledFault> for IndexFault {
    fn from(fault: SledFault) -> Self {
        Self::Sled(fault)
    }
}

/// One sealed epoch: its subtree's root and the first key of each chunk, by kind.
#[derive(Debug, Clone, PartialEq)]
struct Seal {
    root: Hash,
    directory: Vec<Vec<Box<[u8]>>>,
}

#[derive(Debug)]
struct GroupFilters {
    commands: Filter,
    commitments: Filter,
}

impl GroupFilters {
    /// 32 bits a position for commands, each of which has one; 16 for commitments, which are fewer.
    fn new(epoch_bits: u8) -> Self {
        let positions = usize::try_from(u64::from(GROUP_EPOCHS) << epoch_bits).unwrap_or(0);
        Self {
            commands: Filter::new(positions * 4),
            commitments: Filter::new(positions * 2),
        }
    }

    fn of(&self, kind: Kind) -> Option<&Filter> {
        match kind {
            Kind::Command => Some(&self.commands),
            Kind::Commitment => Some(&self.commitments),
            Kind::Country | Kind::Action | Kind::Reference => None,
        }
    }

    fn add(&mut self, kind: Kind, key: &[u8; 16]) {
        match kind {
            Kind::Command => self.commands.insert(key),
            Kind::Commitment => self.commitments.insert(key),
            Kind::Country | Kind::Action | Kind::Reference => {}
        }
    }
}

const FILTERED: [Kind; 2] = [Kind::Command, Kind::Commitment];

#[derive(Debug, Default)]
struct Sealed {
    epochs: Vec<Seal>,
    groups: Vec<GroupFilters>,
}

/// The sled database of the sealed epochs.
#[derive(Debug)]
pub(crate) struct SealedIndex {
    path: PathBuf,
    epoch_bits: u8,
    db: sled::Db,
    runs: sled::Tree,
    seals: sled::Tree,
    filters: sled::Tree,
    sealed: RwLock<Sealed>,
}

impl SealedIndex {
    /// Opens the database and loads the seals, up to the first that is missing or does not hold, and the filters.
    pub(crate) fn open(path: &Path, cache_bytes: u64, epoch_bits: u8) -> Result<Self, SledFault> {
        let db = sledbox::open(path, cache_bytes)?;
        let (runs, seals, filters) = guard(|| {
            Ok((
                db.open_tree("runs")?,
                db.open_tree("seals")?,
                db.open_tree("filters")?,
            ))
        })?;
        let sealed = RwLock::default();
        let index = Self {
            path: path.to_path_buf(),
            epoch_bits,
            db,
            runs,
            seals,
            filters,
            sealed,
        };
        index.load()?;
        Ok(index)
    }

    fn load(&self) -> Result<(), SledFault> {
        let mut sealed = Sealed::default();
        for item in &self.seals {
            let (key, value) = guard(|| item)?;
            let expected = u32::try_from(sealed.epochs.len()).unwrap_or(u32::MAX);
            let Some((seal, _)) = (key.as_ref() == expected.to_be_bytes())
                .then(|| decode_seal(&value, self.epoch_bits))
                .flatten()
            else {
                break;
            };
            sealed.epochs.push(seal);
        }
        let epochs = u32::try_from(sealed.epochs.len()).unwrap_or(u32::MAX);
        for group in 0..epochs.div_ceil(GROUP_EPOCHS) {
            let whole = (group + 1) * GROUP_EPOCHS <= epochs;
            let stored = if whole {
                self.stored_filters(group)?
            } else {
                None
            };
            let filters = match stored {
                Some(filters) => filters,
                None => match self.filters_from_runs(&sealed, group) {
                    Ok(filters) => filters,
                    Err(IndexFault::Sled(fault)) => return Err(fault),
                    Err(IndexFault::Epoch(epoch)) => {
                        // Everything from the damaged epoch on is indexed anew.
                        sealed.epochs.truncate(usize::try_from(epoch).unwrap_or(0));
                        sealed
                            .groups
                            .truncate(usize::try_from(epoch / GROUP_EPOCHS).unwrap_or(0));
                        if epoch % GROUP_EPOCHS != 0
                            && let Ok(filters) =
                                self.filters_from_runs(&sealed, epoch / GROUP_EPOCHS)
                        {
                            sealed.groups.push(filters);
                        }
                        break;
                    }
                },
            };
            sealed.groups.push(filters);
        }
        *self.sealed.write().unwrap_or_else(PoisonError::into_inner) = sealed;
        Ok(())
    }

    fn stored_filters(&self, group: u32) -> Result<Option<GroupFilters>, SledFault> {
        let mut filters = GroupFilters::new(self.epoch_bits);
        for kind in FILTERED {
            let mut bytes = Vec::new();
            for item in self.filters.scan_prefix(filter_key(group, kind, None)) {
                let (_, piece) = guard(|| item)?;
                let Some(content) = checksum::check(&piece) else {
                    return Ok(None);
                };
                bytes.extend_from_slice(content);
            }
            let expected = filters.of(kind).map(|filter| filter.to_bytes().len());
            let Some(filter) = Filter::from_bytes(&bytes).filter(|_| Some(bytes.len()) == expected)
            else {
                return Ok(None);
            };
            match kind {
                Kind::Command => filters.commands = filter,
                Kind::Commitment => filters.commitments = filter,
                Kind::Country | Kind::Action | Kind::Reference => {}
            }
        }
        Ok(Some(filters))
    }

    fn filters_from_runs(&self, sealed: &Sealed, group: u32) -> Result<GroupFilters, IndexFault> {
        let mut filters = GroupFilters::new(self.epoch_bits);
        let epochs = u32::try_from(sealed.epochs.len()).unwrap_or(u32::MAX);
        for epoch in group * GROUP_EPOCHS..epochs.min((group + 1) * GROUP_EPOCHS) {
            for kind in FILTERED {
                for chunk in 0..directory(sealed, epoch, kind).len() {
                    let bytes = self.chunk(epoch, kind, chunk)?;
                    let content = checksum::check(&bytes).ok_or(IndexFault::Epoch(epoch))?;
                    for entry in run::entries(content) {
                        if let Ok(key) = entry.key.try_into() {
                            filters.add(kind, key);
                        }
                    }
                }
            }
        }
        Ok(filters)
    }

    fn held(&self) -> RwLockReadGuard<'_, Sealed> {
        self.sealed.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many epochs are sealed.
    pub(crate) fn epochs(&self) -> u32 {
        u32::try_from(self.held().epochs.len()).unwrap_or(u32::MAX)
    }

    /// How many epochs the stored seals say there are, whether or not those hold.
    pub(crate) fn stated_epochs(&self) -> Result<u32, SledFault> {
        let last = guard(|| self.seals.last())?;
        let last = last.and_then(|(key, _)| key.as_ref().try_into().ok());
        Ok(last.map_or(0, |key| u32::from_be_bytes(key).saturating_add(1)))
    }

    /// The roots of the first `count` epochs' subtrees.
    pub(crate) fn roots(&self, count: u32) -> Vec<Hash> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.held()
            .epochs
            .iter()
            .take(count)
            .map(|seal| seal.root)
            .collect()
    }

    /// The hashes over each 256 leaves of a sealed epoch.
    pub(crate) fn tile(&self, epoch: u32) -> Result<Vec<Hash>, IndexFault> {
        let value = guard(|| self.seals.get(epoch.to_be_bytes()))?;
        let decoded = value.and_then(|value| decode_seal(&value, self.epoch_bits));
        decoded
            .map(|(_, tile)| tile)
            .ok_or(IndexFault::Epoch(epoch))
    }

    /// Writes a full epoch's runs and then its seal. Sealing an epoch again replaces it by the same bytes.
    pub(crate) fn seal(&self, tail: &EpochTail) -> Result<(), SledFault> {
        let mut runs = Vec::new();
        for kind in Kind::ALL {
            runs.push((kind, tail.run(kind)));
        }
        guard(|| {
            for (kind, chunks) in &runs {
                for (number, chunk) in chunks.iter().enumerate() {
                    self.runs
                        .insert(chunk_key(tail.epoch, *kind, number), chunk.bytes.as_slice())?;
                }
            }
            self.seals.insert(
                tail.epoch.to_be_bytes(),
                encode_seal(tail, &runs, self.epoch_bits),
            )?;
            Ok(())
        })?;
        self.admit(tail, &runs)?;
        guard(|| self.db.flush()).map(drop)
    }

    /// What sealing the epoch would write, for comparing: the chunks of each kind.
    pub(crate) fn differs(&self, tail: &EpochTail) -> Result<bool, IndexFault> {
        for kind in Kind::ALL {
            for (number, chunk) in tail.run(kind).iter().enumerate() {
                if self.chunk(tail.epoch, kind, number)?.as_ref() != chunk.bytes.as_slice() {
                    return Ok(true);
                }
            }
        }
        let runs: Vec<_> = Kind::ALL
            .into_iter()
            .map(|kind| (kind, tail.run(kind)))
            .collect();
        let stored = guard(|| self.seals.get(tail.epoch.to_be_bytes()))?;
        Ok(stored.is_none_or(|seal| {
            seal.as_ref() != encode_seal(tail, &runs, self.epoch_bits).as_slice()
        }))
    }

    fn admit(&self, tail: &EpochTail, runs: &[(Kind, Vec<Chunk>)]) -> Result<(), SledFault> {
        let seal = Seal {
            root: subtree_root(tail.leaves.iter().copied()),
            directory: runs
                .iter()
                .map(|(_, chunks)| chunks.iter().map(|chunk| chunk.first_key.clone()).collect())
                .collect(),
        };
        let mut sealed = self.sealed.write().unwrap_or_else(PoisonError::into_inner);
        let at = usize::try_from(tail.epoch).unwrap_or(usize::MAX);
        if let Some(place) = sealed.epochs.get_mut(at) {
            *place = seal;
            return Ok(());
        }
        sealed.epochs.push(seal);
        if tail.epoch.is_multiple_of(GROUP_EPOCHS) {
            sealed.groups.push(GroupFilters::new(self.epoch_bits));
        }
        let Some(filters) = sealed.groups.last_mut() else {
            return Ok(());
        };
        for kind in FILTERED {
            for key in tail.filter_keys(kind) {
                filters.add(kind, key);
            }
        }
        if (tail.epoch + 1).is_multiple_of(GROUP_EPOCHS) {
            let group = tail.epoch / GROUP_EPOCHS;
            for kind in FILTERED {
                let bytes = filters.of(kind).map(Filter::to_bytes).unwrap_or_default();
                for (number, piece) in bytes.chunks(FILTER_PIECE_BYTES).enumerate() {
                    let (key, value) = (
                        filter_key(group, kind, Some(number)),
                        checksum::closed(piece),
                    );
                    guard(|| self.filters.insert(key, value))?;
                }
            }
        }
        Ok(())
    }

    fn chunk(&self, epoch: u32, kind: Kind, number: usize) -> Result<sled::IVec, IndexFault> {
        guard(|| self.runs.get(chunk_key(epoch, kind, number)))?.ok_or(IndexFault::Epoch(epoch))
    }

    /// Appends the positions under a key in the epochs from `from` to before `until`, ascending, until there are `limit`.
    pub(crate) fn positions(
        &self,
        kind: Kind,
        key: &[u8],
        from: u32,
        until: u32,
        limit: usize,
        out: &mut Vec<u64>,
    ) -> Result<(), IndexFault> {
        let filter_key: Option<[u8; 16]> = key.try_into().ok();
        let mut epoch = from;
        while epoch < until && out.len() < limit {
            let chunks = {
                let sealed = self.held();
                if !group_admits(&sealed, epoch / GROUP_EPOCHS, kind, filter_key.as_ref()) {
                    epoch = (epoch / GROUP_EPOCHS + 1) * GROUP_EPOCHS;
                    continue;
                }
                chunks_of(directory(&sealed, epoch, kind), key)
            };
            self.in_chunks(epoch, kind, key, chunks, out)?;
            epoch += 1;
        }
        Ok(())
    }

    fn in_chunks(
        &self,
        epoch: u32,
        kind: Kind,
        key: &[u8],
        chunks: std::ops::Range<usize>,
        out: &mut Vec<u64>,
    ) -> Result<(), IndexFault> {
        let base = u64::from(epoch) << self.epoch_bits;
        for number in chunks {
            let bytes = self.chunk(epoch, kind, number)?;
            let content = checksum::check(&bytes).ok_or(IndexFault::Epoch(epoch))?;
            for entry in run::entries(content)
                .skip_while(|entry| entry.key < key)
                .take_while(|entry| entry.key == key)
            {
                entry.positions(base, out);
            }
        }
        Ok(())
    }

    /// The positions of a command's events in the epochs before `until`: newest epochs first, as retries are recent.
    pub(crate) fn command(
        &self,
        key: CommandKey,
        until: u32,
        out: &mut Vec<u64>,
    ) -> Result<(), IndexFault> {
        let bytes = key.as_bytes();
        let mut epoch = until;
        while epoch > 0 {
            epoch -= 1;
            let chunks = {
                let sealed = self.held();
                if !group_admits(&sealed, epoch / GROUP_EPOCHS, Kind::Command, Some(bytes)) {
                    epoch = epoch / GROUP_EPOCHS * GROUP_EPOCHS;
                    continue;
                }
                chunks_of(directory(&sealed, epoch, Kind::Command), bytes)
            };
            let before = out.len();
            self.in_chunks(epoch, Kind::Command, bytes, chunks, out)?;
            let starts_epoch = out
                .get(before)
                .is_some_and(|first| *first == u64::from(epoch) << self.epoch_bits);
            if out.len() > before && !starts_epoch {
                break;
            }
        }
        out.sort_unstable();
        Ok(())
    }

    /// Makes the database's files durable.
    pub(crate) fn sync(&self) -> Result<(), SledFault> {
        sledbox::sync_files(&self.db, &self.path)
    }
}

fn directory(sealed: &Sealed, epoch: u32, kind: Kind) -> &[Box<[u8]>] {
    let seal = usize::try_from(epoch)
        .ok()
        .and_then(|epoch| sealed.epochs.get(epoch));
    let index = Kind::ALL.iter().position(|other| *other == kind);
    let keys = seal
        .zip(index)
        .and_then(|(seal, index)| seal.directory.get(index));
    keys.map_or(&[], Vec::as_slice)
}

fn group_admits(sealed: &Sealed, group: u32, kind: Kind, key: Option<&[u8; 16]>) -> bool {
    let filters = usize::try_from(group)
        .ok()
        .and_then(|group| sealed.groups.get(group));
    let filter = filters.and_then(|filters| filters.of(kind));
    filter
        .zip(key)
        .is_none_or(|(filter, key)| filter.may_contain(key))
}

/// The chunks that may hold a key: the last one that starts before it, and all that start with it.
fn chunks_of(first_keys: &[Box<[u8]>], key: &[u8]) -> std::ops::Range<usize> {
    let before = first_keys.partition_point(|first| first.as_ref() < key);
    let after = first_keys.partition_point(|first| first.as_ref() <= key);
    before.saturating_sub(1)..after
}

/// Epoch first: runs are then inserted in key order, and sled rewrites fewer of its pages.
fn chunk_key(epoch: u32, kind: Kind, number: usize) -> [u8; 9] {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    let mut key = [kind.tag(); 9];
    let bytes = epoch
        .to_be_bytes()
        .into_iter()
        .chain([kind.tag()])
        .chain(number.to_be_bytes());
    for (place, byte) in key.iter_mut().zip(bytes) {
        *place = byte;
    }
    key
}

fn filter_key(group: u32, kind: Kind, piece: Option<usize>) -> Vec<u8> {
    let mut key = group.to_be_bytes().to_vec();
    key.push(kind.tag());
    if let Some(piece) = piece {
        key.extend_from_slice(&u32::try_from(piece).unwrap_or(u32::MAX).to_be_bytes());
    }
    key
}

fn encode_seal(tail: &EpochTail, runs: &[(Kind, Vec<Chunk>)], epoch_bits: u8) -> Vec<u8> {
    let mut bytes = vec![SEAL_VERSION, epoch_bits];
    for leaves in tail.leaves.chunks(TILE_LEAVES) {
        bytes.extend_from_slice(&subtree_root(leaves.iter().copied()).0);
    }
    for (_, chunks) in runs {
        push_varint(&mut bytes, chunks.len() as u64);
        for chunk in chunks {
            push_varint(&mut bytes, chunk.first_key.len() as u64);
            bytes.extend_from_slice(&chunk.first_key);
        }
    }
    checksum::close(&mut bytes);
    bytes
}

/// The seal and its tile.
fn decode_seal(bytes: &[u8], epoch_bits: u8) -> Option<(Seal, Vec<Hash>)> {
    let rest = checksum::check(bytes)?.strip_prefix(&[SEAL_VERSION, epoch_bits])?;
    let tile_bytes = (1_usize << epoch_bits) / TILE_LEAVES * 32;
    let (tile, mut rest) = rest.split_at_checked(tile_bytes)?;
    let tile: Vec<Hash> = tile.as_chunks::<32>().0.iter().copied().map(Hash).collect();
    let mut directory = Vec::new();
    for _ in Kind::ALL {
        let (count, after) = read_varint(rest)?;
        rest = after;
        let mut keys: Vec<Box<[u8]>> = Vec::new();
        for _ in 0..count {
            let (len, after) = read_varint(rest)?;
            let (key, after) = after.split_at_checked(usize::try_from(len).ok()?)?;
            keys.push(key.into());
            rest = after;
        }
        directory.push(keys);
    }
    // Hashes of 256 leaves each, so their root is the epoch's.
    let root = subtree_root(tile.iter().copied());
    rest.is_empty().then_some((Seal { root, directory }, tile))
}
