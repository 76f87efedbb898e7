//! sled behind a wall: its errors and its panics (a flipped bit makes 0.34 panic at open) become [`SledFault`]s.

use crate::error::SledFault;
use std::panic::AssertUnwindSafe;
use std::path::Path;

/// sled's segment. A value over a quarter of it would go to files that are never synced, so it is far above a block.
const SEGMENT_BYTES: usize = 16 << 20;

/// Runs one call to sled.
pub(crate) fn guard<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, SledFault> {
    match std::panic::catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(SledFault::Error(error)),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(SledFault::Panic(
                text.unwrap_or("without a message").to_owned(),
            ))
        }
    }
}

/// Opens a database, after removing the half-made snapshot that a full disk leaves and that blocks every later opening.
///
/// sled flushes only when told: what it has not flushed at a crash is fed again from the journal.
pub(crate) fn open(path: &Path, cache_bytes: u64) -> Result<sled::Db, SledFault> {
    if let Ok(entries) = std::fs::read_dir(path) {
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("snap.")
                && name.ends_with(".generating")
                && let Err(error) = std::fs::remove_file(entry.path())
            {
                tracing::warn!(%error, path = %entry.path().display(), "could not remove a half-made snapshot");
            }
        }
    }
    guard(|| {
        sled::Config::new()
            .path(path)
            .segment_size(SEGMENT_BYTES)
            .cache_capacity(cache_bytes)
            .use_compression(false)
            .flush_every_ms(None)
            .open()
    })
}

/// Makes a database's files durable: `Db::flush` writes but does not sync them on Linux.
pub(crate) fn sync_files(db: &sled::Db, path: &Path) -> Result<(), SledFault> {
    guard(|| {
        db.flush()?;
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::File::open(entry.path())?.sync_all()?;
            }
        }
        std::fs::File::open(path)?.sync_all()?;
        Ok(())
    })
}

/// Removes a database's directory, if there is one.
pub(crate) fn remove(path: &Path) -> Result<(), SledFault> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SledFault::Error(sled::Error::Io(error)))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
