//! The blocks in sled: one database for each 2^18 positions, so that what one of them holds stays bounded.
//!
//! Only a few are open at once: the newest, which is written, and the last ones read. A database is complete when it holds
//! every position of its shard; it is then synced and marked, and one without the mark is filled from the journal
//! before it is read.

use crate::error::SledFault;
use crate::sledbox::{self, guard};
use bytes::Bytes;
use ledger_proof::block;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// How many databases stay open, the one being written included.
const OPEN_MAX: usize = 3;
const COMPLETE: &str = "complete";

/// One open database.
#[derive(Debug)]
pub(crate) struct Shard {
    path: PathBuf,
    db: sled::Db,
    blocks: sled::Tree,
}

impl Shard {
    fn open(path: &Path, cache_bytes: u64) -> Result<Self, SledFault> {
        let db = sledbox::open(path, cache_bytes)?;
        let blocks = guard(|| db.open_tree("blocks"))?;
        Ok(Self {
            path: path.to_path_buf(),
            db,
            blocks,
        })
    }

    pub(crate) fn insert(&self, first_position: u64, bytes: &[u8]) -> Result<(), SledFault> {
        guard(|| self.blocks.insert(first_position.to_be_bytes(), bytes)).map(drop)
    }

    /// The block that holds a position, checked; nothing when it is missing or damaged.
    pub(crate) fn read(&self, position: u64) -> Result<Option<Bytes>, SledFault> {
        let found = guard(|| {
            self.blocks
                .range(..=position.to_be_bytes())
                .next_back()
                .transpose()
        })?;
        let sound = found.filter(|(_, value)| {
            block::verify(value).is_ok_and(|header| {
                (header.first_position..header.end_position()).contains(&position)
            })
        });
        Ok(sound.map(|(_, value)| Bytes::copy_from_slice(&value)))
    }

    /// The bytes under a block's first position, as they are.
    pub(crate) fn raw(&self, first_position: u64) -> Result<Option<sled::IVec>, SledFault> {
        guard(|| self.blocks.get(first_position.to_be_bytes()))
    }

    /// The position after the last block that is sound; nothing when there is none.
    pub(crate) fn end(&self) -> Result<Option<u64>, SledFault> {
        let last = guard(|| self.blocks.last())?;
        Ok(last
            .and_then(|(_, value)| block::verify(&value).ok())
            .map(|header| header.end_position()))
    }

    /// The highest position that a key names, whatever its value.
    pub(crate) fn highest_key(&self) -> Result<Option<u64>, SledFault> {
        let last = guard(|| self.blocks.last())?;
        Ok(last
            .and_then(|(key, _)| key.as_ref().try_into().ok())
            .map(u64::from_be_bytes))
    }

    pub(crate) fn is_complete(&self) -> Result<bool, SledFault> {
        guard(|| self.db.contains_key(COMPLETE))
    }

    pub(crate) fn flush(&self) -> Result<(), SledFault> {
        guard(|| self.db.flush()).map(drop)
    }

    /// Syncs everything, then marks the shard complete, and syncs the mark.
    pub(crate) fn complete(&self) -> Result<(), SledFault> {
        sledbox::sync_files(&self.db, &self.path)?;
        guard(|| self.db.insert(COMPLETE, &[]))?;
        sledbox::sync_files(&self.db, &self.path)
    }
}

#[derive(Debug, Default)]
struct Opened {
    /// Newest use last.
    kept: VecDeque<(u32, Arc<Shard>)>,
    /// Shards that somebody may still be reading: sled does not open a database twice.
    alive: HashMap<u32, Weak<Shard>>,
}

/// All shards of a log.
#[derive(Debug)]
pub(crate) struct Shards {
    dir: PathBuf,
    cache_bytes: u64,
    opened: Mutex<Opened>,
}

impl Shards {
    pub(crate) fn new(dir: PathBuf, cache_bytes: u64) -> Self {
        Self {
            dir,
            cache_bytes,
            opened: Mutex::default(),
        }
    }

    fn path(&self, number: u32) -> PathBuf {
        self.dir.join(format!("{number:06}"))
    }

    /// The numbers of the shards that have a directory, ascending.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        let entries = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut numbers: Vec<u32> = names
            .filter(|name| name.len() == 6)
            .filter_map(|name| name.parse().ok())
            .collect();
        numbers.sort_unstable();
        numbers
    }

    /// The shard, opened or made if need be.
    pub(crate) fn get(&self, number: u32) -> Result<Arc<Shard>, SledFault> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = opened.kept.iter().position(|(other, _)| *other == number) {
            let Some((_, shard)) = opened.kept.remove(at) else {
                return Err(SledFault::Panic("a shard vanished".to_owned()));
            };
            opened.kept.push_back((number, Arc::clone(&shard)));
            return Ok(shard);
        }
        let alive = opened.alive.get(&number).and_then(Weak::upgrade);
        let shard = match alive {
            Some(shard) => shard,
            None => Arc::new(Shard::open(&self.path(number), self.cache_bytes)?),
        };
        opened.alive.retain(|_, weak| weak.strong_count() > 0);
        opened.alive.insert(number, Arc::downgrade(&shard));
        opened.kept.push_back((number, Arc::clone(&shard)));
        while opened.kept.len() > OPEN_MAX {
            opened.kept.pop_front();
        }
        Ok(shard)
    }

    /// The shard, if it is open.
    pub(crate) fn opened(&self, number: u32) -> Option<Arc<Shard>> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = opened.kept.iter().find(|(other, _)| *other == number);
        kept.map(|(_, shard)| Arc::clone(shard))
    }

    /// Closes a shard once nobody reads it any more: what it caches is freed.
    pub(crate) fn release(&self, number: u32) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.kept.retain(|(other, _)| *other != number);
    }

    /// Whether a shard has a directory.
    pub(crate) fn exists(&self, number: u32) -> bool {
        self.path(number).is_dir()
    }

    /// Forgets a shard and removes its files. Who still reads it reads what was there.
    pub(crate) fn remove(&self, number: u32) -> Result<(), SledFault> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.kept.retain(|(other, _)| *other != number);
        opened.alive.remove(&number);
        sledbox::remove(&self.path(number))
    }
}
