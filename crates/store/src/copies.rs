//! Private copies of sled's databases, for whoever may not write: sled writes when it opens a database, if only to tidy.
//!
//! They lie in the system's temporary directory (`TMPDIR`), one shard at a time beside the index, and go when the check ends. What a
//! check left behind that was killed goes at the next one.

use crate::error::SledFault;
use crate::index::sealed::SealedIndex;
use crate::options::FREE_FLOOR_BYTES;
use crate::shards::{Shard, Shards};
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// The bytes that sled may add to a copy when it opens it, and more.
const SLED_BYTES: u64 = 64 << 20;
/// The beginning of the folders' names.
const PREFIX: &str = "compact-ledger-scrub-";
/// The number of attempts at another folder, where one is taken for left behind before it is
/// locked.
const ATTEMPTS: u32 = 8;
/// The index's directory beside the shards'.
const INDEX: &str = "index";

/// Copies of the databases in a directory.
#[derive(Debug)]
pub(crate) struct Copies {
    source: Shards,
    from: PathBuf,
    copied: Shards,
    current: Option<u32>,
    folder: Folder,
    cache_bytes: u64,
}

/// A folder of copies. Its owner holds a lock on it: one without was left behind.
#[derive(Debug)]
struct Folder {
    dir: TempDir,
    _lock: File,
}

impl Folder {
    fn make() -> io::Result<Self> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let dir = TempDir::with_prefix(PREFIX)?;
            match File::open(dir.path()) {
                Ok(lock) => {
                    let is_another_s = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
                    // Where there are no locks, nobody takes it for left behind either.
                    if !is_another_s && dir.path().is_dir() {
                        return Ok(Self { dir, _lock: lock });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            if attempts == ATTEMPTS {
                return Err(io::Error::other("others remove it again and again"));
            }
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Removes the folders of this user that no process holds.
fn remove_left_behind() {
    let entries = std::fs::read_dir(std::env::temp_dir());
    for entry in entries.into_iter().flatten().flatten() {
        let is_ours = entry.metadata().is_ok_and(|found| {
            found.is_dir() && found.uid() == rustix::process::geteuid().as_raw()
        });
        if !is_ours || !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let path = entry.path();
        let Ok(folder) = File::open(&path) else {
            continue;
        };
        if folder.try_lock().is_err() {
            continue;
        }
        match std::fs::remove_dir_all(&path) {
            Ok(()) => {
                tracing::info!(path = %path.display(), "removed the copies that an interrupted check left");
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "could not remove the copies that an interrupted check left");
            }
        }
    }
}

/// Why a copy cannot be read.
#[derive(Debug)]
pub(crate) enum CopyFault {
    /// None was made: nothing is known of the database.
    NotCopied(String),
    /// sled does not read it.
    Sled(SledFault),
}

/// Where the blocks of sled are read.
#[derive(Debug)]
pub(crate) enum Stored<'a> {
    /// In the databases of an open log.
    Open(&'a Shards),
    /// In copies of them.
    Copied(Box<Copies>),
    /// Nowhere: they are not compared.
    Not,
}

impl Stored<'_> {
    /// Returns true when there is such a shard.
    pub(crate) fn exists(&self, number: u32) -> bool {
        match self {
            Self::Open(shards) => shards.exists(number),
            Self::Copied(copies) => copies.exists(number),
            Self::Not => false,
        }
    }

    /// The bytes under a block's first position, as they are.
    pub(crate) fn raw(
        &mut self,
        number: u32,
        position: u64,
    ) -> Result<Option<sled::IVec>, CopyFault> {
        let shard = match self {
            Self::Open(shards) => shards.get(number).map_err(CopyFault::Sled)?,
            Self::Copied(copies) => copies.shard(number)?,
            Self::Not => return Ok(None),
        };
        shard.raw(position).map_err(CopyFault::Sled)
    }
}

impl Copies {
    /// A place for copies of what lies in `from`.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn new(from: PathBuf, cache_bytes: u64) -> Result<Self, String> {
        remove_left_behind();
        let folder = Folder::make().map_err(|error| {
            format!(
                "no directory can be made in {}: {error}",
                std::env::temp_dir().display()
            )
        })?;
        Ok(Self {
            source: Shards::new(from.clone(), cache_bytes),
            copied: Shards::new(folder.path().to_owned(), cache_bytes),
            from,
            current: None,
            folder,
            cache_bytes,
        })
    }

    /// The number of the newest shard.
    pub(crate) fn newest(&self) -> Option<u32> {
        self.source.numbers().last().copied()
    }

    /// Returns true when there is such a shard.
    pub(crate) fn exists(&self, number: u32) -> bool {
        self.source.exists(number)
    }

    /// A shard; the one before it is removed.
    pub(crate) fn shard(&mut self, number: u32) -> Result<Arc<Shard>, CopyFault> {
        if self.current != Some(number) {
            if let Some(before) = self.current.take() {
                self.copied.remove(before).map_err(CopyFault::Sled)?;
            }
            self.copy(&format!("{number:06}"))?;
            self.current = Some(number);
        }
        self.copied.get(number).map_err(CopyFault::Sled)
    }

    /// The index, if there is one.
    pub(crate) fn index(&self, epoch_bits: u8) -> Result<Option<SealedIndex>, CopyFault> {
        if !self.from.join(INDEX).is_dir() {
            return Ok(None);
        }
        self.copy(INDEX)?;
        let opened = SealedIndex::open(
            &self.folder.path().join(INDEX),
            self.cache_bytes,
            epoch_bits,
        );
        opened.map(Some).map_err(CopyFault::Sled)
    }

    fn copy(&self, name: &str) -> Result<(), CopyFault> {
        let (from, to) = (self.from.join(name), self.folder.path().join(name));
        let bytes = size_of(&from)
            .map_err(|error| CopyFault::NotCopied(format!("{}: {error}", from.display())))?;
        let room = free_space(self.folder.path());
        let needed = bytes.saturating_add(SLED_BYTES + FREE_FLOOR_BYTES);
        if room < needed {
            return Err(CopyFault::NotCopied(format!(
                "a copy takes {} MiB of room in {}, and {} MiB are free: name a directory with room in TMPDIR",
                needed >> 20,
                std::env::temp_dir().display(),
                room >> 20
            )));
        }
        copy_all(&from, &to)
            .map_err(|error| CopyFault::NotCopied(format!("{}: {error}", from.display())))
    }
}

fn free_space(folder: &Path) -> u64 {
    let stat = rustix::fs::statvfs(folder);
    stat.map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn size_of(dir: &Path) -> io::Result<u64> {
    let mut bytes: u64 = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        bytes = bytes.saturating_add(if entry.file_type()?.is_dir() {
            size_of(&entry.path())?
        } else {
            entry.metadata()?.len()
        });
    }
    Ok(bytes)
}

/// Copies a directory's bytes, and not who may read or write them.
fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &to)?;
        } else {
            let mut source = std::fs::File::open(entry.path())?;
            std::io::copy(&mut source, &mut std::fs::File::create(to)?)?;
        }
    }
    Ok(())
}
