//! The blocks in sled: one database for each 2^18 positions, so that what one of them holds stays bounded.
//!
//! Only a few are open at once: the newest, which is written, and the last ones read. A database is complete when it holds
//! every position of its shard; it is then synced and marked, and one without the mark is filled from the journal
//! before it is read.
//!
//! Inside a database the blocks of each 2^10 positions have a tree of their own. sled writes a leaf of a tree anew after
//! every ten changes to it, with all the values it holds: in one tree every block was written between two and three times. A tree
//! that gets eight full blocks is never written anew.

use crate::error::SledFault;
use crate::sledbox::{self, guard};
use bytes::Bytes;
use ledger_proof::block::{self, BlockHeader};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

/// How many databases stay open, the one being written included.
const OPEN_MAX: usize = 3;
const COMPLETE: &str = "complete";
/// A tree holds the blocks that begin in 2^this positions: eight full ones, below the ten changes after which sled
/// writes a leaf anew. A block reaches into the next tree's positions at most, for it is shorter than that.
const TREE_BITS: u8 = 10;
/// A tree's name is this and its number in eight bytes.
const TREE_PREFIX: &[u8] = b"blocks/";

/// One open database.
#[derive(Debug)]
pub(crate) struct Shard {
    path: PathBuf,
    db: sled::Db,
    /// Its trees by number.
    trees: RwLock<BTreeMap<u64, sled::Tree>>,
}

impl Shard {
    fn open(path: &Path, cache_bytes: u64) -> Result<Self, SledFault> {
        let db = sledbox::open(path, cache_bytes)?;
        let mut trees = BTreeMap::new();
        for name in guard(|| Ok(db.tree_names()))? {
            let number = name.strip_prefix(TREE_PREFIX);
            if let Some(Ok(number)) = number.map(<[u8; 8]>::try_from) {
                let tree = guard(|| db.open_tree(&name))?;
                trees.insert(u64::from_be_bytes(number), tree);
            }
        }
        Ok(Self {
            path: path.to_path_buf(),
            db,
            trees: RwLock::new(trees),
        })
    }

    /// The tree for the block that begins at a position, if there is one.
    fn tree(&self, first_position: u64) -> Option<sled::Tree> {
        let trees = self.trees.read().unwrap_or_else(PoisonError::into_inner);
        trees.get(&(first_position >> TREE_BITS)).cloned()
    }

    pub(crate) fn insert(&self, first_position: u64, bytes: &[u8]) -> Result<(), SledFault> {
        let tree = match self.tree(first_position) {
            Some(tree) => tree,
            None => self.make_tree(first_position >> TREE_BITS)?,
        };
        guard(|| tree.insert(first_position.to_be_bytes(), bytes)).map(drop)
    }

    fn make_tree(&self, number: u64) -> Result<sled::Tree, SledFault> {
        let name = [TREE_PREFIX, &number.to_be_bytes()].concat();
        let mut trees = self.trees.write().unwrap_or_else(PoisonError::into_inner);
        let tree = guard(|| self.db.open_tree(&name))?;
        trees.insert(number, tree.clone());
        Ok(tree)
    }

    /// The block that holds a position, checked; nothing when it is missing or damaged.
    pub(crate) fn read(&self, position: u64) -> Result<Option<Bytes>, SledFault> {
        let number = position >> TREE_BITS;
        let before = number.checked_sub(1);
        let candidates = [Some(number), before].into_iter().flatten();
        for tree in candidates.filter_map(|number| self.tree(number << TREE_BITS)) {
            let key = position.to_be_bytes();
            let found = guard(|| tree.range(..=key).next_back().transpose())?;
            if let Some((_, value)) = found {
                let sound = block::verify(&value).is_ok_and(|header| {
                    (header.first_position..header.end_position()).contains(&position)
                });
                return Ok(sound.then(|| Bytes::copy_from_slice(&value)));
            }
        }
        Ok(None)
    }

    /// The last entry of all trees.
    fn last(&self) -> Result<Option<(sled::IVec, sled::IVec)>, SledFault> {
        let trees = self.trees.read().unwrap_or_else(PoisonError::into_inner);
        for tree in trees.values().rev() {
            if let Some(last) = guard(|| tree.last())? {
                return Ok(Some(last));
            }
        }
        Ok(None)
    }

    /// The bytes under a block's first position, as they are.
    pub(crate) fn raw(&self, first_position: u64) -> Result<Option<sled::IVec>, SledFault> {
        let Some(tree) = self.tree(first_position) else {
            return Ok(None);
        };
        guard(|| tree.get(first_position.to_be_bytes()))
    }

    /// The last block, if it is sound: its header and its bytes.
    pub(crate) fn last_block(&self) -> Result<Option<(BlockHeader, sled::IVec)>, SledFault> {
        let last = self.last()?.map(|(_, value)| value);
        Ok(last.and_then(|value| Some((block::verify(&value).ok()?, value))))
    }

    /// The position after the last block that is sound; nothing when there is none.
    pub(crate) fn end(&self) -> Result<Option<u64>, SledFault> {
        Ok(self.last_block()?.map(|(header, _)| header.end_position()))
    }

    /// The highest position that a key names, whatever its value.
    pub(crate) fn highest_key(&self) -> Result<Option<u64>, SledFault> {
        Ok(self
            .last()?
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
