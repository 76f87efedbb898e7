//! A disk in memory that loses, tears and refuses writes on demand.
//!
//! It keeps what is durable apart from what was only written. A crash keeps the durable bytes and, of the writes that
//! were never synced, whatever the test asks for.

use super::{Disk, DiskFile, FileId};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};

/// Which operations a planned fault counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A write into a file.
    Write,
    /// A sync of a file.
    Sync,
    /// The making of a file of zeroes.
    Create,
}

/// What the failing operation does before it reports failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing of it happens.
    Lost,
    /// All of it happens and is durable, yet it is reported lost.
    Persisted,
}

/// What a crash does with writes that were never synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// They are gone.
    DropUnsynced,
    /// The first of them survive, up to so many bytes in all, in the order they were written.
    KeepBytes(usize),
}

#[derive(Debug, Clone, Default)]
struct FileState {
    durable: Vec<u8>,
    current: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Arc<Mutex<FileState>>>,
    plan: Option<(Operation, u32, Outcome)>,
    fired: u32,
    free: Option<u64>,
    writes: u64,
    syncs: u64,
    renaming: Option<Arc<Barrier>>,
}

/// The simulated disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SimDisk {
    /// An empty disk without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the `nth` (from 1) following operation of a kind fail, once.
    pub fn fail_nth(&self, operation: Operation, nth: u32, outcome: Outcome) {
        held(&self.state).plan = Some((operation, nth, outcome));
    }

    /// Makes the next renaming take its time: whoever renames meets the barrier before it, and once more to go on.
    pub fn hold_next_rename(&self) -> Arc<Barrier> {
        let barrier = Arc::new(Barrier::new(2));
        held(&self.state).renaming = Some(Arc::clone(&barrier));
        barrier
    }

    /// How many planned faults have happened: a test's proof that its fault fired.
    pub fn fired(&self) -> u32 {
        held(&self.state).fired
    }

    /// Sets the free space; making files larger than it fails with `StorageFull`.
    pub fn set_free(&self, bytes: u64) {
        held(&self.state).free = Some(bytes);
    }

    /// How many writes and syncs there were.
    pub fn counts(&self) -> (u64, u64) {
        let state = held(&self.state);
        (state.writes, state.syncs)
    }

    /// Forgets what a power loss would: handles opened before it must not be used after it.
    pub fn crash(&self, how: Crash) {
        let state = held(&self.state);
        let mut budget = match how {
            Crash::DropUnsynced => 0,
            Crash::KeepBytes(bytes) => bytes,
        };
        for file in state.files.values() {
            let file = &mut *held(file);
            let unsynced = std::mem::take(&mut file.unsynced);
            for (offset, bytes) in unsynced {
                let kept = budget.min(bytes.len());
                budget -= kept;
                put(&mut file.durable, offset, bytes.get(..kept).unwrap_or(&[]));
            }
            file.current.clone_from(&file.durable);
        }
    }

    /// Bytes written and not synced, over all files.
    pub fn unsynced_bytes(&self) -> usize {
        let state = held(&self.state);
        state
            .files
            .values()
            .map(|file| {
                held(file)
                    .unsynced
                    .iter()
                    .map(|(_, bytes)| bytes.len())
                    .sum::<usize>()
            })
            .sum()
    }

    /// The current bytes of a file.
    pub fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        held(&self.state)
            .files
            .get(path)
            .map(|file| held(file).current.clone())
    }

    /// Puts bytes in place of a file's own, durably: damage, or a file from nowhere.
    pub fn set_bytes(&self, path: &str, bytes: Vec<u8>) {
        let file = FileState {
            durable: bytes.clone(),
            current: bytes,
            unsynced: Vec::new(),
        };
        held(&self.state)
            .files
            .insert(path.to_owned(), Arc::new(Mutex::new(file)));
    }

    /// A disk with the same durable contents and no faults, to open again and again from one state.
    #[must_use]
    pub fn fork(&self) -> Self {
        let other = Self::new();
        let state = held(&self.state);
        for (path, file) in &state.files {
            other.set_bytes(path, held(file).durable.clone());
        }
        other
    }

    /// Takes note of an operation; says what becomes of it if it is the one planned to fail.
    fn fault(&self, operation: Operation) -> Option<Outcome> {
        let mut state = held(&self.state);
        match operation {
            Operation::Write => state.writes += 1,
            Operation::Sync => state.syncs += 1,
            Operation::Create => {}
        }
        let (planned, nth, outcome) = state.plan?;
        if planned != operation {
            return None;
        }
        if nth > 1 {
            state.plan = Some((planned, nth - 1, outcome));
            return None;
        }
        state.plan = None;
        state.fired += 1;
        Some(outcome)
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, new: &[u8]) {
    let end = offset + new.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(place) = bytes.get_mut(offset..end) {
        place.copy_from_slice(new);
    }
}

fn identity_of(file: &Arc<Mutex<FileState>>) -> FileId {
    FileId {
        device: 0,
        inode: Arc::as_ptr(file).addr() as u64,
    }
}

fn failed() -> io::Error {
    io::Error::other("simulated fault")
}

impl Disk for SimDisk {
    fn create_dir(&self, _path: &str) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let prefix = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let state = held(&self.state);
        let names = state
            .files
            .keys()
            .filter_map(|path| path.strip_prefix(&prefix));
        Ok(names
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect())
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let state = held(&self.state);
        let file = state.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            file: Arc::clone(file),
        }))
    }

    fn create(&self, path: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        let fault = self.fault(Operation::Create);
        if fault == Some(Outcome::Lost) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        {
            let state = held(&self.state);
            if state.free.is_some_and(|free| free < len) {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.set_bytes(path, vec![0; len]);
        if fault.is_some() {
            return Err(failed());
        }
        self.open(path)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let barrier = held(&self.state).renaming.take();
        if let Some(barrier) = barrier {
            barrier.wait();
            barrier.wait();
        }
        let mut state = held(&self.state);
        let file = state.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut state = held(&self.state);
        state
            .files
            .remove(path)
            .map(drop)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self, _dir: &str) -> io::Result<()> {
        Ok(())
    }

    fn identity(&self, path: &str) -> io::Result<FileId> {
        let state = held(&self.state);
        if let Some(file) = state.files.get(path) {
            return Ok(identity_of(file));
        }
        let within = format!("{path}/");
        let is_dir = state.files.keys().any(|name| name.starts_with(&within));
        // A directory stays the same one as long as there is anything in it.
        is_dir
            .then_some(FileId {
                device: 0,
                inode: 1,
            })
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn free_space(&self) -> io::Result<u64> {
        Ok(held(&self.state).free.unwrap_or(u64::MAX))
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    file: Arc<Mutex<FileState>>,
}

impl DiskFile for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let file = held(&self.file);
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let from = file.current.get(offset..).unwrap_or(&[]);
        let len = from.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..len), from.get(..len)) {
            to.copy_from_slice(from);
        }
        Ok(len)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let fault = self.disk.fault(Operation::Write);
        if fault == Some(Outcome::Lost) {
            return Err(failed());
        }
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let mut file = held(&self.file);
        put(&mut file.current, offset, bytes);
        if fault.is_some() {
            put(&mut file.durable, offset, bytes);
            return Err(failed());
        }
        file.unsynced.push((offset, bytes.to_vec()));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let fault = self.disk.fault(Operation::Sync);
        let mut file = held(&self.file);
        let unsynced = std::mem::take(&mut file.unsynced);
        if fault == Some(Outcome::Lost) {
            // As Linux does: the pages are marked clean although they never reached the disk.
            return Err(failed());
        }
        for (offset, bytes) in unsynced {
            put(&mut file.durable, offset, &bytes);
        }
        fault.map_or(Ok(()), |_| Err(failed()))
    }

    fn identity(&self) -> io::Result<FileId> {
        Ok(identity_of(&self.file))
    }

    fn len(&self) -> io::Result<u64> {
        u64::try_from(held(&self.file).current.len()).map_err(io::Error::other)
    }
}
