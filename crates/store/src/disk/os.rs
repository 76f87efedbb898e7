//! The operating system's disk.

use super::{Disk, DiskFile, FileId};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Zeroes are written in pieces of this size, each synced, so that preparing a segment never holds up the disk for long.
const ZERO_BYTES: usize = 2 << 20;

/// A directory of the operating system.
#[derive(Debug, Clone)]
pub struct OsDisk {
    root: PathBuf,
    is_read_only: bool,
}

impl OsDisk {
    /// The disk whose paths are relative to `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            is_read_only: false,
        }
    }

    /// The same for reading alone: whatever would change anything is refused.
    pub fn read_only(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            is_read_only: true,
        }
    }

    /// The path of what is to be changed.
    fn to_change(&self, path: &str) -> io::Result<PathBuf> {
        let path = self.root.join(path);
        if self.is_read_only {
            return Err(named(&path)(io::ErrorKind::ReadOnlyFilesystem.into()));
        }
        Ok(path)
    }

    fn sync_path(path: &Path) -> io::Result<()> {
        let synced = File::open(path).and_then(|file| file.sync_all());
        synced.map_err(named(path))
    }

    fn fill(file: &File, len: u64) -> io::Result<()> {
        let zeroes = vec![0; ZERO_BYTES];
        let mut offset = 0;
        while offset < len {
            let left = usize::try_from(len - offset)
                .unwrap_or(usize::MAX)
                .min(ZERO_BYTES);
            let piece = zeroes.get(..left).unwrap_or(&zeroes);
            file.write_all_at(piece, offset)?;
            file.sync_data()?;
            offset += u64::try_from(piece.len()).map_err(io::Error::other)?;
        }
        file.sync_all()
    }
}

impl Disk for OsDisk {
    fn create_dir(&self, path: &str) -> io::Result<()> {
        let dir = self.to_change(path)?;
        std::fs::create_dir_all(&dir).map_err(named(&dir))?;
        sync_names(
            &dir.canonicalize()?,
            &self.root.canonicalize()?,
            Self::sync_path,
        )
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let dir = self.root.join(dir);
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(named(&dir)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        Ok(names)
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.root.join(path);
        let file = OpenOptions::new()
            .read(true)
            .write(!self.is_read_only)
            .open(&path)
            .map_err(named(&path))?;
        Ok(Arc::new(OsFile { file, path }))
    }

    fn create(&self, path: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        let full = self.to_change(path)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&full)
            .map_err(named(&full))?;
        if len == 0 {
            return Ok(Arc::new(OsFile { file, path: full }));
        }
        if let Err(error) = Self::fill(&file, len) {
            // A half-made file would hold the very space whose lack made it fail.
            if let Err(second) = std::fs::remove_file(&full) {
                tracing::warn!(path = %full.display(), error = %second, "could not remove a half-made file");
            }
            return Err(named(&full)(error));
        }
        full.parent().map_or(Ok(()), Self::sync_path)?;
        Ok(Arc::new(OsFile { file, path: full }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let from = self.to_change(from)?;
        std::fs::rename(&from, self.root.join(to)).map_err(named(&from))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let path = self.to_change(path)?;
        std::fs::remove_file(&path).map_err(named(&path))
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        Self::sync_path(&self.to_change(dir)?)
    }

    fn identity(&self, path: &str) -> io::Result<FileId> {
        Ok(FileId::from(&std::fs::metadata(self.root.join(path))?))
    }

    fn free_space(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(&self.root)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// Names the file in an error of the system, which does not.
fn named(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Syncs a directory and each one above it. Those above `root` are others': where the system refuses, that is said.
fn sync_names(
    dir: &Path,
    root: &Path,
    mut sync: impl FnMut(&Path) -> io::Result<()>,
) -> io::Result<()> {
    for place in dir.ancestors() {
        match sync(place) {
            Err(error) if place.starts_with(root) => return Err(error),
            Err(error) => {
                tracing::warn!(path = %place.display(), %error, "could not sync a directory: a power loss may take what was just made in it");
            }
            Ok(()) => {}
        }
    }
    Ok(())
}

#[derive(Debug)]
struct OsFile {
    file: File,
    path: PathBuf,
}

impl DiskFile for OsFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(u64::try_from(filled).map_err(io::Error::other)?);
            match self.file.read_at(rest, at) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(named(&self.path)(error)),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let written = self.file.write_all_at(bytes, offset);
        written.map_err(named(&self.path))
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data().map_err(named(&self.path))
    }

    fn identity(&self) -> io::Result<FileId> {
        Ok(FileId::from(&self.file.metadata()?))
    }

    fn leave_cache(&self) {
        if let Err(error) = rustix::fs::fadvise(&self.file, 0, None, rustix::fs::Advice::DontNeed) {
            tracing::debug!(%error, "the system did not take advice about its cache");
        }
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synced(dir: &str, root: &str, refused: &str) -> (Vec<String>, bool) {
        let mut synced = Vec::new();
        let result = sync_names(Path::new(dir), Path::new(root), |path| {
            if path == Path::new(refused) {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            synced.push(path.display().to_string());
            Ok(())
        });
        (synced, result.is_ok())
    }

    #[test]
    fn every_name_on_the_way_to_a_directory_is_synced() {
        let (paths, all) = synced("/srv/data/ledger/journal", "/srv/data/ledger", "");
        let expected = [
            "/srv/data/ledger/journal",
            "/srv/data/ledger",
            "/srv/data",
            "/srv",
            "/",
        ];
        assert_eq!((paths, all), (expected.map(str::to_owned).to_vec(), true));
    }

    #[test]
    fn a_refusal_counts_within_the_root_and_not_above_it() {
        let journal = "/srv/data/ledger/journal";
        let (paths, all) = synced(journal, "/srv/data/ledger", "/srv/data");
        assert_eq!((paths.len(), all), (4, true));
        assert!(!synced(journal, "/srv/data/ledger", "/srv/data/ledger").1);
        assert!(!synced(journal, "/srv/data/ledger", journal).1);
    }

    #[test]
    fn a_directory_is_made_with_what_is_missing_above_it() {
        let dir = tempfile::tempdir().unwrap();
        let disk = OsDisk::new(dir.path().join("a/b"));
        disk.create_dir("journal").unwrap();
        disk.create_dir("journal").unwrap();
        assert!(dir.path().join("a/b/journal").is_dir());
    }
}
