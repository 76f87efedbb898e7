//! What the appender, the feeding thread and all readers share.

use crate::error::{AppendError, ReadError, SledFault};
use crate::index::keys::EventKeys;
use crate::index::sealed::{IndexFault, SealedIndex};
use crate::index::tail::{EpochTail, Tails};
use crate::journal::Journal;
use crate::options::Options;
use crate::place::Place;
use crate::shards::{Shard, Shards};
use bytes::Bytes;
use ledger_proof::block::{BlockHeader, Decoder};
use ledger_proof::{LedgerKey, leaf_hash};
use std::collections::VecDeque;
use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

/// A synced block that sled does not have yet.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) first_position: u64,
    pub(crate) end_position: u64,
    pub(crate) bytes: Bytes,
}

#[derive(Debug, Default)]
pub(crate) struct Overlay {
    pub(crate) blocks: VecDeque<Pending>,
    pub(crate) bytes: usize,
    /// The appender is gone: nothing will be added.
    pub(crate) closed: bool,
}

/// The first failure after which nothing is acknowledged any more.
#[derive(Debug)]
pub(crate) struct Poison {
    at: &'static str,
    cause: String,
}

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) options: Options,
    pub(crate) key: LedgerKey,
    pub(crate) journal: Arc<Journal>,
    pub(crate) sealed: SealedIndex,
    pub(crate) shards: Shards,
    pub(crate) tails: RwLock<Tails>,
    pub(crate) overlay: Mutex<Overlay>,
    pub(crate) overlay_changed: Condvar,
    pub(crate) synced: AtomicU64,
    pub(crate) applied: AtomicU64,
    pub(crate) heads: Mutex<crate::head::Heads>,
    /// Held by whoever signs a head. Taken before `heads`.
    pub(crate) signing: Mutex<()>,
    pub(crate) poison: OnceLock<Poison>,
    /// Shards that are being filled from the journal by a reader.
    pub(crate) refilling: Mutex<()>,
    /// Held as long as anybody reads: one process per directory.
    pub(crate) _lock: File,
    pub(crate) place: Place,
}

/// What was being done when files were not found where they should be.
pub(crate) const LOOKING: &str = "looking for the files of the log";

pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    pub(crate) fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    pub(crate) fn epoch_of(&self, position: u64) -> u32 {
        u32::try_from(position >> self.options.epoch_bits).unwrap_or(u32::MAX)
    }

    pub(crate) fn epoch_start(&self, epoch: u32) -> u64 {
        u64::from(epoch) << self.options.epoch_bits
    }

    pub(crate) fn shard_of(&self, position: u64) -> u32 {
        u32::try_from(position >> self.options.shard_bits).unwrap_or(u32::MAX)
    }

    pub(crate) fn shard_range(&self, number: u32) -> std::ops::Range<u64> {
        let bits = self.options.shard_bits;
        u64::from(number) << bits..(u64::from(number) + 1) << bits
    }

    pub(crate) fn poison(&self, at: &'static str, cause: String) -> AppendError {
        tracing::error!(
            at,
            cause,
            "the log is poisoned: nothing is acknowledged any more"
        );
        let poison = self.poison.get_or_init(|| Poison { at, cause });
        // Whoever looked for poison and found none waits by now, and is told.
        drop(held(&self.overlay));
        self.overlay_changed.notify_all();
        AppendError::Poisoned {
            at: poison.at,
            cause: poison.cause.clone(),
        }
    }

    pub(crate) fn poisoned(&self) -> Option<AppendError> {
        let poison = self.poison.get()?;
        Some(AppendError::Poisoned {
            at: poison.at,
            cause: poison.cause.clone(),
        })
    }

    /// Looks whether the log's files are still where they were opened; the log is poisoned when they are not. Whoever writes by a path
    /// looks first: it might lead into a copy that was put in this log's place.
    pub(crate) fn check_place(&self) -> Result<(), AppendError> {
        self.poisoned().map_or(Ok(()), Err)?;
        let Some(newest) = self.journal.newest() else {
            return Ok(());
        };
        let checked = self.place.check(self.options.disk.as_ref(), &newest);
        checked.map_err(|why| self.poison(LOOKING, why))
    }

    /// Adds events to the unsealed tail; the iterator's first is the next position of the tail.
    pub(crate) fn index<'a>(
        &self,
        first_position: u64,
        events: impl Iterator<Item = (&'a EventKeys, &'a str)>,
    ) {
        let mut tails = self.tails.write().unwrap_or_else(PoisonError::into_inner);
        for (position, (keys, route)) in (first_position..).zip(events) {
            tails.push(position, self.options.epoch_bits, keys, route);
        }
    }

    /// The keys and routes of a block's events.
    pub(crate) fn keys_of(
        block: &[u8],
        header: &BlockHeader,
        decoder: &mut Decoder,
    ) -> Result<(Vec<EventKeys>, Vec<String>), ReadError> {
        let position = header.first_position;
        let fault = |source| ReadError::Block { position, source };
        let events = decoder.events(block).map_err(fault)?;
        let mut keys = Vec::new();
        let mut routes = Vec::new();
        for event in &events {
            let event = event.map_err(fault)?;
            let parsed = EventKeys::of(event.header, leaf_hash(event.header));
            let (event_keys, stated) = parsed
                .map_err(|_| fault(ledger_proof::block::BlockError::Content { offset: 0 }))?;
            if stated != event.position {
                let value = stated;
                return Err(fault(ledger_proof::block::BlockError::Header {
                    field: "position",
                    value,
                }));
            }
            keys.push(event_keys);
            routes.push(event.route.to_owned());
        }
        Ok((keys, routes))
    }

    /// Indexes a whole epoch anew from the journal.
    pub(crate) fn reindex(&self, epoch: u32) -> Result<EpochTail, ReadError> {
        let (start, end) = (
            self.epoch_start(epoch),
            self.epoch_start(epoch.saturating_add(1)),
        );
        let mut tail = EpochTail::new(epoch);
        let mut decoder = Decoder::default();
        for frame in self.journal.frames(start, end) {
            for (header, bytes) in frame?.blocks()? {
                if header.first_position < start || header.first_position >= end {
                    continue;
                }
                let (keys, routes) = Self::keys_of(&bytes, &header, &mut decoder)?;
                for (keys, route) in keys.iter().zip(&routes) {
                    tail.push(keys, route);
                }
            }
        }
        Ok(tail)
    }

    /// Runs a lookup in the sealed indexes; an epoch found damaged is indexed anew and the lookup done again.
    pub(crate) fn with_index<T>(
        &self,
        lookup: impl Fn(&SealedIndex) -> Result<T, IndexFault>,
    ) -> Result<T, ReadError> {
        let mut repairs_left = 64;
        loop {
            match lookup(&self.sealed) {
                Ok(found) => return Ok(found),
                Err(IndexFault::Epoch(epoch)) if repairs_left > 0 => {
                    tracing::warn!(
                        epoch,
                        "an epoch's index is damaged: indexing it anew from the journal"
                    );
                    self.sealed.seal(&self.reindex(epoch)?)?;
                    repairs_left -= 1;
                }
                Err(IndexFault::Epoch(epoch)) => {
                    let text = format!("the index of epoch {epoch} stays damaged");
                    return Err(SledFault::Panic(text).into());
                }
                Err(IndexFault::Sled(fault)) => return Err(fault.into()),
            }
        }
    }

    /// Inserts the journal's blocks of a range into a shard.
    fn refill(&self, shard: &Shard, range: std::ops::Range<u64>) -> Result<(), ReadError> {
        for frame in self.journal.frames(range.start, range.end) {
            for (header, bytes) in frame?.blocks()? {
                if range.contains(&header.first_position) {
                    shard.insert(header.first_position, &bytes)?;
                }
            }
        }
        Ok(shard.flush()?)
    }

    /// A shard with everything below `end` in it, made anew from the journal if sled cannot open it.
    pub(crate) fn rebuild_shard(&self, number: u32, end: u64) -> Result<Arc<Shard>, ReadError> {
        let range = self.shard_range(number);
        let end = end.min(range.end);
        self.check_place()?;
        tracing::warn!(
            shard = number,
            from = range.start,
            end,
            "rebuilding a block store from the journal"
        );
        self.shards.remove(number)?;
        let shard = self.shards.get(number)?;
        self.refill(&shard, range.start..end)?;
        if end == range.end {
            shard.complete()?;
        }
        Ok(shard)
    }

    /// A shard for reading. An older one that is not complete is rebuilt first.
    fn shard_for_read(&self, number: u32) -> Result<Arc<Shard>, ReadError> {
        let applied = self.applied.load(Ordering::Acquire);
        if self.shard_range(number).end > applied {
            return Ok(self.shards.get(number)?);
        }
        if let Some(shard) = self.complete_shard(number) {
            return Ok(shard);
        }
        // One reader rebuilds it, the others wait and look again.
        let _alone = held(&self.refilling);
        match self.complete_shard(number) {
            Some(shard) => Ok(shard),
            None => self.rebuild_shard(number, applied),
        }
    }

    fn complete_shard(&self, number: u32) -> Option<Arc<Shard>> {
        let opened = self
            .shards
            .get(number)
            .and_then(|shard| Ok((shard.is_complete()?, shard)));
        opened
            .ok()
            .and_then(|(complete, shard)| complete.then_some(shard))
    }

    /// The block that holds a synced position, for one who wants just this one.
    pub(crate) fn read_block(&self, position: u64) -> Result<Bytes, ReadError> {
        if let Some(bytes) = self.in_overlay(position)? {
            return Ok(bytes);
        }
        if self.shards.opened(self.shard_of(position)).is_none() {
            match self.journal.block_at(position) {
                Ok((_, bytes)) => return Ok(bytes),
                Err(error) => tracing::warn!(position, %error, "the journal failed: reading sled"),
            }
        }
        self.scan_block(position)
    }

    /// The block that holds a synced position, for one who will want its neighbours: from the overlay, else from sled, else
    /// from the journal, and then sled is healed.
    pub(crate) fn scan_block(&self, position: u64) -> Result<Bytes, ReadError> {
        if let Some(bytes) = self.in_overlay(position)? {
            return Ok(bytes);
        }
        let number = self.shard_of(position);
        let read = |shard: Arc<Shard>| Ok(shard.read(position)?);
        match self.shard_for_read(number).and_then(read) {
            Ok(Some(bytes)) => return Ok(bytes),
            Ok(None) => tracing::warn!(
                position,
                "a block is missing or damaged in sled: healing it from the journal"
            ),
            Err(error) => tracing::warn!(position, %error, "sled failed: reading the journal"),
        }
        let (header, bytes) = self.journal.block_at(position)?;
        let shard = self.shards.get(number);
        if let Err(fault) = shard.and_then(|shard| shard.insert(header.first_position, &bytes)) {
            tracing::warn!(position, %fault, "could not heal sled");
        }
        Ok(bytes)
    }

    fn in_overlay(&self, position: u64) -> Result<Option<Bytes>, ReadError> {
        let tree_size = self.synced();
        if position >= tree_size {
            return Err(ReadError::Beyond {
                position,
                tree_size,
            });
        }
        let overlay = held(&self.overlay);
        let blocks = &overlay.blocks;
        let after = blocks.partition_point(|block| block.first_position <= position);
        let block = after.checked_sub(1).and_then(|last| blocks.get(last));
        let block = block.filter(|block| position < block.end_position);
        Ok(block.map(|block| block.bytes.clone()))
    }
}
