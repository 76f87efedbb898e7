//! What can go wrong, one enum per operation.

use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with bytes that once were acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The header of a journal segment does not hold.
    #[error("the header of segment {segment} is damaged")]
    SegmentHeader {
        /// The segment's file name.
        segment: String,
    },
    /// The header of a journal segment holds, and names other roots than the leaves before the segment give.
    #[error("the header of segment {segment} names other roots than the leaves before it give")]
    SegmentRoots {
        /// The segment's file name.
        segment: String,
    },
    /// Something stands after the last frame of a segment that another one follows.
    #[error(
        "something other than zeroes stands after the last frame of segment {segment}, from byte {offset} on"
    )]
    SegmentTail {
        /// The segment's file name.
        segment: String,
        /// Where the first byte that is no zero stands.
        offset: u64,
    },
    /// A segment of the journal is missing.
    #[error("no segment holds this position; the next one starts at {next}")]
    SegmentMissing {
        /// Where the next segment starts.
        next: u64,
    },
    /// The header of a frame does not hold, and something after it shows that it once did.
    #[error("the frame header at byte {offset} of segment {segment} is damaged")]
    FrameHeader {
        /// The segment's file name.
        segment: String,
        /// The frame's offset in it.
        offset: u64,
    },
    /// A frame's payload does not have its checksum.
    #[error("the frame at byte {offset} of segment {segment} is damaged")]
    FramePayload {
        /// The segment's file name.
        segment: String,
        /// The frame's offset in it.
        offset: u64,
    },
    /// The leaves do not give the root that their frame states, or its previous root is not the one before it.
    #[error("the chain of roots breaks in the frame at byte {offset} of segment {segment}")]
    RootChain {
        /// The segment's file name.
        segment: String,
        /// The frame's offset in it.
        offset: u64,
    },
    /// The journal ends before what something else shows the log held.
    #[error("the journal ends at position {journal}, but the {witness} knows {known}")]
    Shorter {
        /// The tree size that the journal gives.
        journal: u64,
        /// The tree size known.
        known: u64,
        /// Who knows it.
        witness: Witness,
    },
    /// The stored tree head names another root than the journal gives.
    #[error("the stored tree head names another root for {size} leaves")]
    HeadRoot {
        /// The head's size.
        size: u64,
    },
}

/// Who shows that the log was once longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// The newest signed tree head.
    Head,
    /// sled's blocks.
    Blocks,
    /// sled's sealed indexes.
    Index,
    /// The one who opens the log (for the node, `JetStream`).
    Caller,
}

impl std::fmt::Display for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Head => "stored tree head",
            Self::Blocks => "block store",
            Self::Index => "index",
            Self::Caller => "caller",
        })
    }
}

/// Why a log could not be opened. Nothing that was ever acknowledged was changed; a directory without a log may have been
/// given a lock file and a key. [`crate::Log::open`] says what damage is found before a torn tail is cut.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has the data directory.
    #[error("{} is in use by another process", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// Less space than the floor, and no log yet.
    #[error(
        "{} MiB are free on the disk of {}, and {} MiB must be before a new ledger is made there: make room, choose another \
         directory, or give a lower floor with --free-space-floor-mib",
        free >> 20, dir.display(), floor >> 20
    )]
    NoSpace {
        /// The data directory.
        dir: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes that must be free.
        floor: u64,
    },
    /// The log is damaged at a position.
    #[error("{}", damaged(journal.as_deref(), *position, what))]
    Damaged {
        /// The journal's directory, where that is known.
        journal: Option<PathBuf>,
        /// The first position that cannot be vouched for.
        position: u64,
        /// What is wrong there.
        what: Damage,
    },
    /// The key file is missing beside a log that has events, or is not a key of this ledger.
    #[error("{}: {what}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file beside the journal cannot be used.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The fault in it, and the remedy.
        what: String,
    },
    /// A check was told to stop before its end.
    #[error("stopped before the end")]
    Stopped,
    /// An option out of its range.
    #[error("option {name} cannot be {value}")]
    Option {
        /// The option.
        name: &'static str,
        /// Its value.
        value: u64,
    },
    /// The operating system's error.
    #[error("{doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        #[source]
        /// The cause.
        source: io::Error,
    },
    /// sled's error, after its database was removed and made anew.
    #[error(
        "{} cannot be opened, not even when made anew: move it away while nothing runs here, and it is made from the log",
        path.display()
    )]
    Sled {
        /// The directory of sled's databases.
        path: PathBuf,
        #[source]
        /// The cause.
        source: SledFault,
    },
    /// The journal could not be read.
    #[error("the journal could not be read")]
    Read(#[source] ReadError),
}

impl OpenError {
    /// Returns true when only a full disk kept a log that exists from opening. The block store was
    /// lost or damaged, and there is no room to make it anew. A later attempt may succeed.
    pub fn is_for_want_of_room(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            let io = error.downcast_ref::<io::Error>().map(io::Error::kind);
            let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
            if io.is_some_and(|kind| full.contains(&kind)) || is_full(error.downcast_ref()) {
                return true;
            }
            cause = error.source();
        }
        false
    }

    pub(crate) fn sled(path: &Path) -> impl FnOnce(SledFault) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Sled { path, source }
    }

    /// The same error, with where the journal of a damaged log lies.
    pub(crate) fn of_journal(mut self, path: PathBuf) -> Self {
        if let Self::Damaged { journal, .. } = &mut self {
            *journal = Some(path);
        }
        self
    }

    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}

/// Says where the damage is, and what helps.
fn damaged(journal: Option<&Path>, position: u64, what: &Damage) -> String {
    let Some(journal) = journal.map(Path::display) else {
        return format!("the log is damaged at position {position}: {what}");
    };
    if let Damage::Shorter {
        journal: 0,
        known,
        witness,
    } = what
    {
        return format!(
            "{journal} holds no events, but the {witness} knows {known}: put the journal back from your copy"
        );
    }
    format!("the log is damaged at position {position}: {what}. Put {journal} back from your copy")
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged { position, what } => Self::Damaged {
                journal: None,
                position,
                what,
            },
            other @ (ReadError::Io(_)
            | ReadError::Sled(_)
            | ReadError::Poisoned(_)
            | ReadError::Beyond { .. }
            | ReadError::Block { .. }) => Self::Read(other),
        }
    }
}

/// sled keeps the system's error within its own, or in the text of a panic.
fn is_full(fault: Option<&SledFault>) -> bool {
    match fault {
        Some(SledFault::Error(sled::Error::Io(error))) => {
            error.kind() == io::ErrorKind::StorageFull
        }
        Some(SledFault::Panic(text)) => text.contains("StorageFull"),
        Some(SledFault::Error(_)) | None => false,
    }
}

/// sled failed: by an error, or by a panic (which a flipped bit in its files causes).
#[derive(Debug, thiserror::Error)]
pub enum SledFault {
    /// An error.
    #[error("sled failed")]
    Error(#[source] sled::Error),
    /// A panic.
    #[error("sled panicked: {0}")]
    Panic(String),
}

/// Why a group was not appended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// Free space is below the floor. Nothing was written; the same group may be appended again later.
    #[error("{} MiB are free, and {} MiB must be: no commands are taken", free >> 20, floor >> 20)]
    NoSpace {
        /// Bytes free.
        free: u64,
        /// The floor.
        floor: u64,
    },
    /// The group breaks a limit or contradicts itself. Nothing was written.
    #[error("the group cannot be stored: {0}")]
    Group(&'static str),
    /// A write or sync failed, now or earlier: nobody knows what is on the disk. Only a new opening finds out.
    #[error("the log is poisoned since {at}: {cause}")]
    Poisoned {
        /// What was being done when it happened.
        at: &'static str,
        /// The first error's text.
        cause: String,
    },
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The operating system's error.
    #[error("the journal could not be read")]
    Io(#[from] io::Error),
    /// The journal is damaged there.
    #[error("the log is damaged at position {position}: {what}")]
    Damaged {
        /// The position.
        position: u64,
        /// What is wrong.
        what: Damage,
    },
    /// The log is poisoned, and its block store cannot be mended.
    #[error(transparent)]
    Poisoned(#[from] AppendError),
    /// sled failed and the journal could not stand in.
    #[error("the block store failed")]
    Sled(#[from] SledFault),
    /// Nothing is there yet.
    #[error("position {position} is not below the tree size {tree_size}")]
    Beyond {
        /// The position asked for.
        position: u64,
        /// The tree size.
        tree_size: u64,
    },
    /// A block in the journal does not parse although its frame's checksum holds.
    #[error("the block at position {position} does not parse")]
    Block {
        /// The position.
        position: u64,
        #[source]
        /// What is wrong with it.
        source: ledger_proof::block::BlockError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_another_fault_wherever_it_is_met() {
        let io = |kind: io::ErrorKind| io::Error::from(kind);
        let sled = |kind| SledFault::Error(sled::Error::Io(io(kind)));
        for (kind, is_full) in [
            (io::ErrorKind::StorageFull, true),
            (io::ErrorKind::PermissionDenied, false),
        ] {
            let errors = [
                OpenError::sled(Path::new("log"))(sled(kind)),
                OpenError::Read(ReadError::Sled(sled(kind))),
                OpenError::Read(ReadError::Io(io(kind))),
                OpenError::io("preparing the journal")(io(kind)),
                OpenError::sled(Path::new("log"))(SledFault::Panic(format!(
                    "Os {{ kind: {kind:?} }}"
                ))),
            ];
            for error in errors {
                assert_eq!(error.is_for_want_of_room(), is_full, "{error:?}");
            }
        }
        let dir = PathBuf::new();
        let (free, floor) = (1, 2);
        assert!(!OpenError::NoSpace { dir, free, floor }.is_for_want_of_room());
    }
}
