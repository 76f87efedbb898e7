//! The disk as the journal and the head file see it.
//!
//! Everything whose loss would break a receipt goes through [`Disk`], so that tests can lose, tear and refuse writes.
//! sled does its own I/O: it is rebuilt from the journal, so nothing rests on it.

mod os;
#[cfg(test)]
pub mod sim;

pub use os::OsDisk;

use std::fmt::Debug;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

/// Which file or directory something is, whatever its name: what a copy does not share with its original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId {
    /// The device that it lies on.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// A directory tree of files, by paths relative to its root.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Makes a directory, and its parents, if they are missing. All names on the way to it are durable on return, whoever made
    /// them; those above this disk's root as far as the system lets this process sync them.
    ///
    /// # Errors
    /// The disk's own.
    fn create_dir(&self, path: &str) -> io::Result<()>;

    /// The names of the files in a directory, in no order; nothing when it does not exist.
    ///
    /// # Errors
    /// The disk's own.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;

    /// Opens an existing file for reading and writing.
    ///
    /// # Errors
    /// `NotFound`, or the disk's own.
    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Makes a new file of `len` zeroes *written out*, in place of any of that name. Contents, length and name are
    /// durable on return; those of an empty file are not, for it is yet to be written. Zeroes are written, not reserved: a
    /// sync into written zeroes changes no metadata.
    ///
    /// # Errors
    /// `StorageFull` when there is no room (nothing is left behind), or the disk's own.
    fn create(&self, path: &str, len: u64) -> io::Result<Arc<dyn DiskFile>>;

    /// Renames a file over any other of that name. Durable after [`Disk::sync_dir`].
    ///
    /// # Errors
    /// The disk's own.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Durable after [`Disk::sync_dir`].
    ///
    /// # Errors
    /// The disk's own.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// The disk's own.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;

    /// Which file or directory has this path now.
    ///
    /// # Errors
    /// `NotFound`, or the disk's own.
    fn identity(&self, path: &str) -> io::Result<FileId>;

    /// Bytes this process may still write.
    ///
    /// # Errors
    /// The disk's own.
    fn free_space(&self) -> io::Result<u64>;
}

/// An open file. Concurrent reads are allowed during a write elsewhere in the file.
pub trait DiskFile: Debug + Send + Sync {
    /// Reads up to `buf.len()` bytes from `offset`; fewer only at the end of the file.
    ///
    /// # Errors
    /// The disk's own.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`. Durable after [`DiskFile::sync`].
    ///
    /// # Errors
    /// The disk's own; how much was written is then unknown.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes every completed write durable (fdatasync). After an error nothing is known about earlier writes.
    ///
    /// # Errors
    /// The disk's own.
    fn sync(&self) -> io::Result<()>;

    /// Which file this is, whatever its path leads to by now.
    ///
    /// # Errors
    /// The disk's own.
    fn identity(&self) -> io::Result<FileId>;

    /// Says that what was synced will hardly be read again, so that the memory it is cached in may serve others.
    fn leave_cache(&self) {}

    /// Length in bytes.
    ///
    /// # Errors
    /// The disk's own.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file has no bytes.
    ///
    /// # Errors
    /// The disk's own.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// Replaces a small file so that a reader finds the old bytes or the new ones, never a mixture. Durable on return, by two
/// syncs: of the bytes and of the name.
pub(crate) fn replace(disk: &dyn Disk, path: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = format!("{path}.tmp");
    let file = disk.create(&temporary, 0)?;
    file.write_at(bytes, 0)?;
    file.sync()?;
    disk.rename(&temporary, path)?;
    disk.sync_dir("")
}

/// The bytes of a small file, or nothing when it does not exist.
pub(crate) fn read_whole(disk: &dyn Disk, path: &str) -> io::Result<Option<Vec<u8>>> {
    let file = match disk.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let len = usize::try_from(file.len()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; len];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(Some(bytes))
}
