//! A disk that fails when it is told to.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use ledger_store::disk::{Disk, DiskFile, FileId, OsDisk};

const HELD_WITHIN: Duration = Duration::from_secs(30);
/// The folder of the log's truth, whose loss would break a receipt.
const JOURNAL: &str = "journal/";

/// What of the journal is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFault {
    /// A write: nothing of it reaches the file.
    Write,
    /// A sync, of what was written whole: it may be on the disk or not.
    Sync,
}

#[derive(Debug, Default)]
struct Plan {
    fault: Option<DiskFault>,
    /// The operation that is to fail has begun.
    held: bool,
    released: bool,
}

/// A folder on a disk of which one operation on the journal fails: it is held first, so that a test can see what waits behind it.
/// Clones are the same disk.
#[derive(Clone)]
pub struct FaultyDisk {
    folder: Arc<OsDisk>,
    plan: Arc<(Mutex<Plan>, Condvar)>,
}

impl fmt::Debug for FaultyDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FaultyDisk").field(&self.folder).finish()
    }
}

impl FaultyDisk {
    /// A folder without faults so far.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: Arc::new(OsDisk::new(folder)),
            plan: Arc::default(),
        }
    }

    /// Has the next operation of this kind wait, and then fail.
    pub fn hold(&self, fault: DiskFault) {
        self.change(|plan| plan.fault = Some(fault));
    }

    /// Waits until the operation has begun.
    ///
    /// # Panics
    /// When it does not within half a minute.
    pub fn await_held(&self) {
        let (plan, changed) = &*self.plan;
        let plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(plan, HELD_WITHIN, |plan| !plan.held);
        let (plan, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(plan.held, "nothing was written");
    }

    /// Lets the operation fail.
    pub fn fail(&self) {
        self.change(|plan| plan.released = true);
    }

    fn change(&self, change: impl FnOnce(&mut Plan)) {
        let (plan, changed) = &*self.plan;
        change(&mut plan.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
    }

    fn attempt(&self, operation: DiskFault) -> io::Result<()> {
        let (plan, changed) = &*self.plan;
        let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
        if plan.fault != Some(operation) {
            return Ok(());
        }
        plan.fault = None;
        plan.held = true;
        changed.notify_all();
        let waited = changed.wait_while(plan, |plan| !plan.released);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        Err(io::Error::other("the test's own fault"))
    }

    fn watched(&self, path: &str, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        if !path.starts_with(JOURNAL) {
            return file;
        }
        let disk = self.clone();
        Arc::new(FaultyFile { disk, file })
    }
}

impl Disk for FaultyDisk {
    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.folder.create_dir(path)
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.folder.list(dir)
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.watched(path, self.folder.open(path)?))
    }

    fn create(&self, path: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.watched(path, self.folder.create(path, len)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.folder.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.folder.remove(path)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.folder.sync_dir(dir)
    }

    fn identity(&self, path: &str) -> io::Result<FileId> {
        self.folder.identity(path)
    }

    fn free_space(&self) -> io::Result<u64> {
        self.folder.free_space()
    }
}

#[derive(Debug)]
struct FaultyFile {
    disk: FaultyDisk,
    file: Arc<dyn DiskFile>,
}

impl DiskFile for FaultyFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.attempt(DiskFault::Write)?;
        self.file.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.attempt(DiskFault::Sync)?;
        self.file.sync()
    }

    fn identity(&self) -> io::Result<FileId> {
        self.file.identity()
    }

    fn leave_cache(&self) {
        self.file.leave_cache();
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}
