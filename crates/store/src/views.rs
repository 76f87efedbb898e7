//! Where a projector keeps its rows between two starts.
//!
//! It is a cache of a fold, never the truth: when anything in it does not hold, it is cleared, and the projector folds the log
//! again. sled does not sync on its own, so a power loss may take the last saves with it, but never a part of
//! one: rows and checkpoint are one atomic batch.

use crate::error::SledFault;
use crate::index::run::check;
use crate::sledbox::{self, guard};
use std::path::{Path, PathBuf};

const CHECKPOINT: &[u8] = &[0];
const VERSION: &[u8] = &[1];
const ROW: u8 = 2;

/// Rows of a projection, and the checkpoint they stand at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedViews {
    /// The next position to fold.
    pub checkpoint: u64,
    /// Keys and values, in key order.
    pub rows: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A projector's own sled database.
#[derive(Debug)]
pub struct ViewStore {
    path: PathBuf,
    version: String,
    cache_bytes: u64,
    db: sled::Db,
}

impl ViewStore {
    /// Opens a store, or makes one. `version` names the fold and its row format: rows of another one are not given back. What
    /// sled cannot open is removed.
    ///
    /// # Errors
    /// [`SledFault`] when even a new database cannot be opened.
    pub fn open(path: &Path, version: &str) -> Result<Self, SledFault> {
        let cache_bytes = 32 << 20;
        let db = match sledbox::open(path, cache_bytes) {
            Ok(db) => db,
            Err(fault) => {
                tracing::warn!(%fault, path = %path.display(), "the views' store cannot be opened: clearing it, the views will be rebuilt");
                sledbox::remove(path)?;
                sledbox::open(path, cache_bytes)?
            }
        };
        Ok(Self {
            path: path.to_path_buf(),
            version: version.to_owned(),
            cache_bytes,
            db,
        })
    }

    /// What was last saved; nothing when there is nothing, or nothing that holds (it is then cleared).
    ///
    /// # Errors
    /// [`SledFault`] when the store cannot even be cleared.
    pub fn load(&mut self) -> Result<Option<SavedViews>, SledFault> {
        match self.read() {
            Ok(Some(saved)) => Ok(Some(saved)),
            Ok(None) if guard(|| Ok(self.db.is_empty()))? => Ok(None),
            Ok(None) => {
                tracing::warn!(path = %self.path.display(), "the saved views do not hold: clearing them, they will be rebuilt");
                self.clear().map(|()| None)
            }
            Err(fault) => {
                tracing::warn!(%fault, path = %self.path.display(), "the saved views cannot be read: clearing them, they will be rebuilt");
                self.clear().map(|()| None)
            }
        }
    }

    fn read(&self) -> Result<Option<SavedViews>, SledFault> {
        let stated = |key: &[u8]| -> Result<Option<Vec<u8>>, SledFault> {
            let value = guard(|| self.db.get(key))?;
            Ok(value.and_then(|value| check(&value).map(<[u8]>::to_vec)))
        };
        if stated(VERSION)?.as_deref() != Some(self.version.as_bytes()) {
            return Ok(None);
        }
        let checkpoint = stated(CHECKPOINT)?.and_then(|bytes| bytes.try_into().ok());
        let Some(checkpoint) = checkpoint.map(u64::from_be_bytes) else {
            return Ok(None);
        };
        let mut rows = Vec::new();
        let mut stored = self.db.scan_prefix([ROW]);
        while let Some((key, value)) = guard(|| stored.next().transpose())? {
            let (Some(key), Some(value)) = (key.get(1..), check(&value)) else {
                return Ok(None);
            };
            rows.push((key.to_vec(), value.to_vec()));
        }
        Ok(Some(SavedViews { checkpoint, rows }))
    }

    /// Saves rows and the checkpoint they stand at, all or nothing. A row replaces the one of its key. Written, but not synced, on
    /// return.
    ///
    /// # Errors
    /// [`SledFault`]; what is kept is then the save before.
    pub fn save<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        checkpoint: u64,
        rows: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), SledFault> {
        let mut batch = sled::Batch::default();
        for (key, value) in rows {
            let mut row = vec![ROW];
            row.extend_from_slice(key.as_ref());
            batch.insert(row, with_checksum(value.as_ref()));
        }
        batch.insert(VERSION, with_checksum(self.version.as_bytes()));
        batch.insert(CHECKPOINT, with_checksum(&checkpoint.to_be_bytes()));
        guard(|| {
            self.db.apply_batch(batch)?;
            self.db.flush()?;
            Ok(())
        })
    }

    /// Forgets everything, and gives its space back.
    ///
    /// # Errors
    /// [`SledFault`] when a new database cannot be opened.
    pub fn clear(&mut self) -> Result<(), SledFault> {
        // sled holds its files as long as a handle lives, so this one stands aside on a database of no directory.
        self.db = guard(|| sled::Config::new().temporary(true).open())?;
        sledbox::remove(&self.path)?;
        self.db = sledbox::open(&self.path, self.cache_bytes)?;
        Ok(())
    }
}

fn with_checksum(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out.extend_from_slice(&crc32c::crc32c(bytes).to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(store: &mut ViewStore) -> Vec<(String, String)> {
        let saved = store
            .load()
            .unwrap()
            .map(|saved| saved.rows)
            .unwrap_or_default();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        saved
            .into_iter()
            .map(|(key, value)| (text(key), text(value)))
            .collect()
    }

    #[test]
    fn rows_and_checkpoint_come_back_with_the_last_value_of_each_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("views");
        let mut store = ViewStore::open(&path, "country-1").unwrap();
        assert_eq!(store.load().unwrap(), None);
        store.save(10, [("KEN", "one"), ("CHE", "one")]).unwrap();
        store.save(12, [("KEN", "two")]).unwrap();
        drop(store);
        let mut store = ViewStore::open(&path, "country-1").unwrap();
        assert_eq!(
            store.load().unwrap().map(|saved| saved.checkpoint),
            Some(12)
        );
        let expected =
            [("CHE", "one"), ("KEN", "two")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(rows(&mut store), expected);
    }

    #[test]
    fn another_version_starts_from_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("views");
        ViewStore::open(&path, "1")
            .unwrap()
            .save(10, [("a", "b")])
            .unwrap();
        let mut store = ViewStore::open(&path, "2").unwrap();
        assert_eq!(store.load().unwrap(), None);
        store.save(3, [("c", "d")]).unwrap();
        assert_eq!(rows(&mut store), [("c".to_owned(), "d".to_owned())]);
        store.clear().unwrap();
        assert_eq!(store.load().unwrap(), None);
    }

    #[test]
    fn damaged_files_give_the_saved_rows_or_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("views");
        let many: Vec<(String, String)> = (0..300)
            .map(|n| (format!("key{n:04}"), format!("value {n}")))
            .collect();
        ViewStore::open(&path, "1")
            .unwrap()
            .save(300, many.clone())
            .unwrap();
        let file = path.join("db");
        let sound = std::fs::read(&file).unwrap();
        let used = sound.iter().rposition(|byte| *byte != 0).unwrap();
        let mut cleared = 0;
        for n in 0..12 {
            let mut bytes = sound.clone();
            bytes[used * n / 12 + 5] ^= 0x10;
            std::fs::remove_dir_all(&path).unwrap();
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(&file, &bytes).unwrap();
            let mut store = ViewStore::open(&path, "1").unwrap();
            match store.load().unwrap() {
                Some(saved) => assert_eq!((saved.checkpoint, saved.rows.len()), (300, 300)),
                None => cleared += 1,
            }
            store.save(1, [("a", "b")]).unwrap();
        }
        assert!(cleared > 0, "no flip did any harm");
    }
}
