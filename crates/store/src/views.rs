//! Where a projector keeps its rows between two starts.
//!
//! It is a cache of a fold, never the truth: when anything in it does not hold, it is cleared, and the projector folds the log
//! again. sled does not sync on its own, so a power loss may take the last saves with it, but never a part of
//! one: rows and checkpoint are one atomic batch.

use crate::checksum::{self, check};
use crate::error::{OpenError, SledFault};
use crate::open::lock;
use crate::sledbox::{self, guard};
use crate::view_history::{ChunkPlace, ClosedChunk, HistoryFile, HistoryKeeper, HistoryList};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

const CHECKPOINT: &[u8] = &[0];
const VERSION: &[u8] = &[1];
const ROW: u8 = 2;
/// Where a closed chunk of history lies: list, a zero, number.
const CHUNK: u8 = 3;
/// The open chunk of a list.
const OPEN_CHUNK: u8 = 4;
/// Where the store lies in its projector's directory. It is removed whole when it is cleared, so nothing else may lie in it.
const FOLDER: &str = "store";

/// What must be free for a store to be made: sled begins with a segment of 16 MiB.
const ROOM_MIB: usize = 32;

/// The open chunk of each list of a history.
type OpenHistory = Vec<(String, Vec<u8>)>;

/// Rows of a projection, and the checkpoint they stand at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedViews {
    /// The next position to fold.
    pub checkpoint: u64,
    /// Keys and values, in key order.
    pub rows: Vec<(Vec<u8>, Vec<u8>)>,
    /// The open chunk of each list of the history.
    pub open_history: OpenHistory,
}

/// A projector's own sled database.
#[derive(Debug)]
pub struct ViewStore {
    /// Held as long as the store is open.
    _lock: File,
    path: PathBuf,
    version: String,
    cache_bytes: u64,
    /// Open, but for a moment while the store is cleared.
    db: Option<sled::Db>,
    history: HistoryKeeper,
    saving: Option<Saving>,
}

/// A save under way, and the chunks of history that it names.
#[derive(Debug)]
struct Saving {
    writing: JoinHandle<Result<(), SledFault>>,
    chunks: usize,
}

impl Drop for ViewStore {
    /// A save that was begun is written, so that whoever opens the store next finds it.
    fn drop(&mut self) {
        if let Err(fault) = self.end_save() {
            tracing::warn!(%fault, path = %self.path.display(), "the last save of the views failed");
        }
    }
}

impl ViewStore {
    /// Opens the store in a directory, or makes one. `version` names the fold and its row format: rows of another one are not given
    /// back. What sled cannot open is removed. Whatever else lies in the directory stays as it is.
    ///
    /// # Errors
    /// [`OpenError::Locked`] when another process has the directory; others when it cannot be used, or not even a new database
    /// can be opened.
    pub fn open(dir: &Path, version: &str) -> Result<Self, OpenError> {
        std::fs::create_dir_all(dir).map_err(|error| OpenError::File {
            path: dir.to_owned(),
            what: format!(
                "the directory of the views cannot be made ({error}): make room for it, or choose another one"
            ),
        })?;
        let lock = lock(dir)?;
        let path = dir.join(FOLDER);
        let cache_bytes = 32 << 20;
        let open = || {
            Ok((
                sledbox::open(&path, cache_bytes)?,
                HistoryFile::open(&path)?,
            ))
        };
        let opened = open().or_else(|fault: SledFault| {
            tracing::warn!(%fault, path = %path.display(), "the views' store cannot be opened: clearing it, the views will be rebuilt");
            sledbox::remove(&path)?;
            open()
        });
        let (db, history) = opened.map_err(OpenError::sled(&path))?;
        Ok(Self {
            _lock: lock,
            history: HistoryKeeper::of(history),
            path,
            version: version.to_owned(),
            cache_bytes,
            db: Some(db),
            saving: None,
        })
    }

    fn db(&self) -> Result<&sled::Db, SledFault> {
        self.db.as_ref().ok_or_else(|| {
            let closed = std::io::Error::other("the views' store could not be opened again");
            SledFault::Error(sled::Error::Io(closed))
        })
    }

    /// What was last saved; nothing when there is nothing, or nothing that holds (it is then cleared).
    ///
    /// # Errors
    /// [`SledFault`] when the store cannot even be cleared.
    pub fn load(&mut self) -> Result<Option<SavedViews>, SledFault> {
        match self.read() {
            Ok(Some(saved)) => Ok(Some(saved)),
            Ok(None) if self.is_empty()? => Ok(None),
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

    fn is_empty(&self) -> Result<bool, SledFault> {
        let db = self.db()?;
        guard(|| Ok(db.is_empty()))
    }

    fn read(&mut self) -> Result<Option<SavedViews>, SledFault> {
        let db = self.db()?.clone();
        let stated = |key: &[u8]| -> Result<Option<Vec<u8>>, SledFault> {
            let value = guard(|| db.get(key))?;
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
        let mut stored = db.scan_prefix([ROW]);
        while let Some((key, value)) = guard(|| stored.next().transpose())? {
            let (Some(key), Some(value)) = (key.get(1..), check(&value)) else {
                return Ok(None);
            };
            rows.push((key.to_vec(), value.to_vec()));
        }
        let Some(open_history) = self.read_history()? else {
            return Ok(None);
        };
        Ok(Some(SavedViews {
            checkpoint,
            rows,
            open_history,
        }))
    }

    /// Finds the closed chunks of the history, and gives back the open ones; nothing when the history does not hold.
    fn read_history(&mut self) -> Result<Option<OpenHistory>, SledFault> {
        let mut history = HistoryFile::open(&self.path)?;
        let db = self.db()?.clone();
        let mut stored = db.scan_prefix([CHUNK]);
        while let Some((key, value)) = guard(|| stored.next().transpose())? {
            let place = check(&value).and_then(ChunkPlace::decode);
            let (Some((list, number)), Some(place)) = (chunk_of(&key), place) else {
                return Ok(None);
            };
            if !history.restore(list, number, place) {
                return Ok(None);
            }
        }
        self.history = HistoryKeeper::of(history);
        let mut open = Vec::new();
        let mut stored = db.scan_prefix([OPEN_CHUNK]);
        while let Some((key, value)) = guard(|| stored.next().transpose())? {
            let list = key.get(1..).and_then(|list| str::from_utf8(list).ok());
            let (Some(list), Some(value)) = (list, check(&value)) else {
                return Ok(None);
            };
            open.push((list.to_owned(), value.to_vec()));
        }
        Ok(Some(open))
    }

    /// Adds closed chunks to their lists of the history. The next save names them: until then it is as if they were not there after a restart. Many
    /// are written on a thread of their own while the caller goes on; whoever asks for the history waits for that.
    ///
    /// # Errors
    /// [`SledFault`] when the file could not be written, for these chunks or for those before.
    pub fn append_history(&mut self, chunks: Vec<ClosedChunk>) -> Result<(), SledFault> {
        self.history.append(chunks)
    }

    /// The closed chunks of a list of the history as they are now.
    ///
    /// # Errors
    /// [`SledFault`] when chunks that were given before could not be written.
    pub fn history(&self, list: &str) -> Result<HistoryList, SledFault> {
        self.history.with(|history| history.list(list))
    }

    /// Begins to save rows, the open chunks of the history that grew, and the checkpoint they stand at, all or nothing: a row replaces the one of its
    /// key, an open chunk the one of its list. They are written on a thread of their own while the caller goes on, and nothing is synced; whoever
    /// saves again waits for it.
    ///
    /// # Errors
    /// [`SledFault`] of the save before: what is kept is then the one before that. Of this one [`ViewStore::end_save`] tells, or the next.
    pub fn begin_save(&mut self, views: SavedViews) -> Result<(), SledFault> {
        self.end_save()?;
        let closed = self.history.with(HistoryFile::unsaved)?;
        let chunks = closed.len();
        let (db, version) = (self.db()?.clone(), self.version.clone());
        let writing = std::thread::spawn(move || write(&db, &version, &views, &closed));
        self.saving = Some(Saving { writing, chunks });
        Ok(())
    }

    /// Waits until the save that was begun last is written.
    ///
    /// # Errors
    /// [`SledFault`]; what is kept is then the save before.
    pub fn end_save(&mut self) -> Result<(), SledFault> {
        let Some(Saving { writing, chunks }) = self.saving.take() else {
            return Ok(());
        };
        let panicked = |_| SledFault::Panic("while views were saved".to_owned());
        writing.join().map_err(panicked).flatten()?;
        self.history.with(|history| history.saved(chunks))
    }

    /// Whether the disk of a directory has room for a new store; `true` where that cannot be told.
    pub fn has_room(dir: &Path) -> bool {
        rustix::fs::statvfs(dir).map_or(true, |space| {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            usize::try_from(free >> 20).unwrap_or(usize::MAX) >= ROOM_MIB
        })
    }

    /// Whether a store can be made here: a file of the size with which one begins is written, and removed again. After a write that failed
    /// nothing is known of the store but that it is to be cleared, and that is in vain while the disk is full.
    ///
    /// # Errors
    /// [`SledFault`] when that file cannot be written.
    pub fn check_room(&self) -> Result<(), SledFault> {
        let path = self.path.with_extension("room");
        let written = guard(|| {
            let mut file = File::create(&path)?;
            let zeroes = vec![0; 1 << 20];
            for _ in 0..ROOM_MIB {
                file.write_all(&zeroes)?;
            }
            Ok(file.sync_all()?)
        });
        let removed = guard(|| Ok(std::fs::remove_file(&path)?));
        written.and(removed)
    }

    /// Forgets everything, and gives its space back.
    ///
    /// # Errors
    /// [`SledFault`] when a new database cannot be opened.
    pub fn clear(&mut self) -> Result<(), SledFault> {
        if let Err(fault) = self.end_save() {
            tracing::debug!(%fault, "a save failed that is cleared now");
        }
        // sled holds its files as long as a handle lives.
        self.db = None;
        sledbox::remove(&self.path)?;
        self.db = Some(sledbox::open(&self.path, self.cache_bytes)?);
        self.history = HistoryKeeper::of(HistoryFile::open(&self.path)?);
        Ok(())
    }
}

/// Writes a save and the places of the chunks that it names.
fn write(
    db: &sled::Db,
    version: &str,
    views: &SavedViews,
    closed: &[(String, u32, ChunkPlace)],
) -> Result<(), SledFault> {
    let mut batch = sled::Batch::default();
    let mut put = |kind: u8, key: &[u8], value: &[u8]| {
        let mut row = Vec::with_capacity(1 + key.len());
        row.push(kind);
        row.extend_from_slice(key);
        batch.insert(row, checksum::closed(value));
    };
    for (key, value) in &views.rows {
        put(ROW, key, value);
    }
    for (list, number, place) in closed {
        put(CHUNK, &chunk_key(list, *number), &place.encode());
    }
    for (list, bytes) in &views.open_history {
        put(OPEN_CHUNK, list.as_bytes(), bytes);
    }
    batch.insert(VERSION, checksum::closed(version.as_bytes()));
    batch.insert(
        CHECKPOINT,
        checksum::closed(&views.checkpoint.to_be_bytes()),
    );
    guard(|| {
        db.apply_batch(batch)?;
        db.flush()?;
        Ok(())
    })
}

fn chunk_key(list: &str, number: u32) -> Vec<u8> {
    let mut key = list.as_bytes().to_vec();
    key.push(0);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

fn chunk_of(row: &[u8]) -> Option<(&str, u32)> {
    let (key, number) = row.get(1..)?.split_last_chunk()?;
    let list = key.strip_suffix(&[0])?;
    Some((str::from_utf8(list).ok()?, u32::from_be_bytes(*number)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_history::HistoryFault;

    fn save(
        store: &mut ViewStore,
        checkpoint: u64,
        rows: &[(&str, &str)],
        open: &[(String, Vec<u8>)],
    ) {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let rows = rows.iter().map(|(key, value)| (bytes(key), bytes(value)));
        let views = SavedViews {
            checkpoint,
            rows: rows.collect(),
            open_history: open.to_vec(),
        };
        store.begin_save(views).unwrap();
        store.end_save().unwrap();
    }

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
        save(&mut store, 10, &[("KEN", "one"), ("CHE", "one")], &[]);
        save(&mut store, 12, &[("KEN", "two")], &[]);
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

    fn append(store: &mut ViewStore, list: &str, first: u64, bytes: &[u8]) {
        let chunk = ClosedChunk {
            list: list.to_owned(),
            first,
            bytes: bytes.to_vec(),
        };
        store.append_history(vec![chunk]).unwrap();
    }

    #[test]
    fn chunks_written_on_the_side_are_there_for_whoever_asks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("views");
        let mut store = ViewStore::open(&path, "1").unwrap();
        for run in 0..20u64 {
            let chunk = |n: u64| ClosedChunk {
                list: format!("L{}", n % 3),
                first: run * 100 + n,
                bytes: vec![n.to_le_bytes()[0]; 500],
            };
            store.append_history((0..30).map(chunk).collect()).unwrap();
            if run == 10 {
                save(&mut store, 1, &[], &[]);
            }
        }
        let count = |store: &ViewStore| {
            store
                .history("L1")
                .unwrap()
                .newest_first(u64::MAX, |_| true)
                .count()
        };
        assert_eq!(count(&store), 200);
        save(&mut store, 2, &[], &[]);
        drop(store);
        let mut store = ViewStore::open(&path, "1").unwrap();
        assert!(store.load().unwrap().is_some());
        assert_eq!(count(&store), 200);
        let list = store.history("L1").unwrap();
        assert!(
            list.newest_first(u64::MAX, |_| true)
                .all(|chunk| chunk.is_ok())
        );
    }

    #[test]
    fn history_comes_back_as_far_as_it_was_saved() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("views");
        let mut store = ViewStore::open(&path, "1").unwrap();
        append(&mut store, "KEN", 3, b"three");
        append(&mut store, "KEN", 9, b"nine");
        append(&mut store, "CHE", 4, b"four");
        let open = |bytes: &[u8]| [("KEN".to_owned(), bytes.to_vec())];
        save(&mut store, 12, &[], &open(b"open"));
        append(&mut store, "KEN", 13, b"lost");
        let read = |store: &ViewStore, list: &str, position| -> Vec<Vec<u8>> {
            let list = store.history(list).unwrap();
            let chunks = list.newest_first(position, |_| true);
            chunks.collect::<Result<_, _>>().unwrap()
        };
        assert_eq!(read(&store, "KEN", 20).len(), 3);
        drop(store);
        let mut store = ViewStore::open(&path, "1").unwrap();
        let saved = store.load().unwrap().unwrap();
        assert_eq!(saved.open_history, open(b"open"));
        assert_eq!(
            read(&store, "KEN", 20),
            [b"nine".to_vec(), b"three".to_vec()]
        );
        assert_eq!(read(&store, "KEN", 8), [b"three".to_vec()]);
        assert_eq!(read(&store, "CHE", 3), Vec::<Vec<u8>>::new());
        append(&mut store, "CHE", 13, b"again");
        assert_eq!(
            read(&store, "CHE", 20),
            [b"again".to_vec(), b"four".to_vec()]
        );
        store.clear().unwrap();
        assert_eq!(read(&store, "KEN", 20), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_chunk_that_does_not_hold_is_said_and_a_file_cut_short_starts_from_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("views");
        let mut store = ViewStore::open(&path, "1").unwrap();
        append(&mut store, "KEN", 3, &[7; 300]);
        save(&mut store, 12, &[], &[]);
        drop(store);
        let file = path.join(FOLDER).join("history");
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[2] ^= 1;
        std::fs::write(&file, &bytes).unwrap();
        let mut store = ViewStore::open(&path, "1").unwrap();
        assert!(store.load().unwrap().is_some());
        let list = store.history("KEN").unwrap();
        let found = list.newest_first(3, |_| true).next();
        assert!(matches!(
            found,
            Some(Err(HistoryFault::Damaged { offset: 0 }))
        ));
        drop(store);
        std::fs::write(&file, &bytes[..3]).unwrap();
        let mut store = ViewStore::open(&path, "1").unwrap();
        assert_eq!(store.load().unwrap(), None);
    }

    #[test]
    fn a_save_that_was_begun_is_there_for_whoever_opens_the_store_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("views");
        let mut store = ViewStore::open(&path, "1").unwrap();
        for checkpoint in 1..=20 {
            append(&mut store, "KEN", checkpoint, b"chunk");
            let views = SavedViews {
                checkpoint,
                rows: vec![(b"KEN".to_vec(), checkpoint.to_string().into_bytes())],
                open_history: Vec::new(),
            };
            store.begin_save(views).unwrap();
        }
        append(&mut store, "KEN", 21, b"lost");
        drop(store);
        let mut store = ViewStore::open(&path, "1").unwrap();
        assert_eq!(rows(&mut store), [("KEN".to_owned(), "20".to_owned())]);
        let list = store.history("KEN").unwrap();
        assert_eq!(list.newest_first(u64::MAX, |_| true).count(), 20);
    }

    #[test]
    fn whatever_else_lies_in_the_directory_stays() {
        let dir = tempfile::tempdir().unwrap();
        let thesis = dir.path().join("thesis.txt");
        std::fs::write(&thesis, "three years").unwrap();
        std::fs::create_dir(dir.path().join("journal")).unwrap();
        let mut store = ViewStore::open(dir.path(), "1").unwrap();
        save(&mut store, 10, &[("a", "b")], &[]);
        store.clear().unwrap();
        drop(store);
        std::fs::write(dir.path().join(FOLDER).join("conf"), "no database").unwrap();
        let mut store = ViewStore::open(dir.path(), "2").unwrap();
        assert_eq!(store.load().unwrap(), None);
        assert_eq!(std::fs::read_to_string(thesis).unwrap(), "three years");
        assert!(dir.path().join("journal").is_dir());
    }

    #[test]
    fn a_store_is_open_once_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = ViewStore::open(dir.path(), "1").unwrap();
        save(&mut store, 10, &[("a", "b")], &[]);
        let second = ViewStore::open(dir.path(), "1");
        assert!(matches!(second, Err(OpenError::Locked { .. })));
        assert_eq!(rows(&mut store), [("a".to_owned(), "b".to_owned())]);
        drop(store);
        let mut store = ViewStore::open(dir.path(), "1").unwrap();
        assert_eq!(rows(&mut store), [("a".to_owned(), "b".to_owned())]);
    }

    #[test]
    fn another_version_starts_from_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("views");
        let mut store = ViewStore::open(&path, "1").unwrap();
        save(&mut store, 10, &[("a", "b")], &[]);
        drop(store);
        let mut store = ViewStore::open(&path, "2").unwrap();
        assert_eq!(store.load().unwrap(), None);
        save(&mut store, 3, &[("c", "d")], &[]);
        assert_eq!(rows(&mut store), [("c".to_owned(), "d".to_owned())]);
        store.clear().unwrap();
        assert_eq!(store.load().unwrap(), None);
    }

    #[test]
    fn damaged_files_give_the_saved_rows_or_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("views");
        let keys: Vec<String> = (0..300).map(|n| format!("key{n:04}")).collect();
        let many: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "a value")).collect();
        let mut store = ViewStore::open(&path, "1").unwrap();
        save(&mut store, 300, &many, &[]);
        drop(store);
        let store = path.join(FOLDER);
        let file = store.join("db");
        let sound = std::fs::read(&file).unwrap();
        let used = sound.iter().rposition(|byte| *byte != 0).unwrap();
        let mut cleared = 0;
        for n in 0..12 {
            let mut bytes = sound.clone();
            bytes[used * n / 12 + 5] ^= 0x10;
            std::fs::remove_dir_all(&store).unwrap();
            std::fs::create_dir_all(&store).unwrap();
            std::fs::write(&file, &bytes).unwrap();
            let mut store = ViewStore::open(&path, "1").unwrap();
            match store.load().unwrap() {
                Some(saved) => assert_eq!((saved.checkpoint, saved.rows.len()), (300, 300)),
                None => cleared += 1,
            }
            save(&mut store, 1, &[("a", "b")], &[]);
        }
        assert!(cleared > 0, "no flip did any harm");
    }
}
