//! Where a log lies: whether the paths of its files still lead to the files that are open.
//!
//! A directory that is removed, moved or replaced takes its names with it, while the open files go on taking writes and syncs: a
//! receipt would rest on what nobody finds again. So the names are looked up before a receipt, which costs some microseconds.

use crate::disk::{Disk, FileId};
use crate::journal::{DIR, Segment};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The name of the lock file in a data directory.
pub(crate) const LOCK: &str = "LOCK";

/// Which file the lock of a directory is whose log may not be open; nothing where there was never a log.
pub fn lock_id_at(dir: &Path) -> Option<FileId> {
    let found = std::fs::metadata(dir.join(LOCK)).ok()?;
    Some(FileId::from(&found))
}

/// What an opened log was found at.
#[derive(Debug)]
pub(crate) struct Place {
    lock_path: PathBuf,
    lock: FileId,
    journal_path: PathBuf,
    journal: FileId,
}

impl Place {
    /// The place of a log whose lock is held and whose journal is there.
    pub(crate) fn of(dir: &Path, disk: &dyn Disk, held: &File) -> io::Result<Self> {
        Ok(Self {
            lock_path: dir.join(LOCK),
            lock: FileId::from(&held.metadata()?),
            journal_path: dir.join(DIR),
            journal: disk.identity(DIR)?,
        })
    }

    /// Which file the lock is.
    pub(crate) fn lock(&self) -> FileId {
        self.lock
    }

    /// Looks whether the lock, the journal's directory and a segment of it are still where they were.
    ///
    /// # Errors
    /// A sentence that names what is not.
    pub(crate) fn check(&self, disk: &dyn Disk, segment: &Segment) -> Result<(), String> {
        let lock = std::fs::metadata(&self.lock_path).map(|found| FileId::from(&found));
        compare(&self.lock_path, lock, Ok(self.lock))?;
        compare(&self.journal_path, disk.identity(DIR), Ok(self.journal))?;
        self.check_segment(disk, segment)
    }

    /// The same for a segment alone.
    pub(crate) fn check_segment(&self, disk: &dyn Disk, segment: &Segment) -> Result<(), String> {
        let path = Segment::path(segment.first_position);
        let full = self.journal_path.with_file_name(&path);
        compare(&full, disk.identity(&path), segment.file.identity())
    }
}

fn compare(path: &Path, found: io::Result<FileId>, open: io::Result<FileId>) -> Result<(), String> {
    let what = match (found, open) {
        (Ok(found), Ok(open)) if found == open => return Ok(()),
        (Ok(_), Ok(_)) => "is another file than the one that is open".to_owned(),
        (Err(error), _) if error.kind() == io::ErrorKind::NotFound => "is gone".to_owned(),
        (Err(error), _) | (_, Err(error)) => format!("cannot be looked at ({error})"),
    };
    Err(format!(
        "{} {what}: the directory was removed, moved or replaced while the ledger ran, and what is written there is lost; \
         stop the ledger before its directory is touched",
        path.display()
    ))
}
