//! The history that a projector keeps beside its rows: closed chunks in one file that only grows, and where each lies in sled.
//!
//! Chunks stand there as they are, since their entries share little and most are written in haste, and end in their CRC32C. The file is written before the save that names its chunks, and what lies behind the last
//! named chunk is written over. Neither is synced: after a power loss a chunk may not hold, which is said when it is read, and the history is
//! then folded anew like the rows, by whoever keeps the views.

use crate::checksum;
use crate::error::SledFault;
use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

const FILE_NAME: &str = "history";
/// A chunk in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkPlace {
    /// The position of its first entry.
    pub(crate) first: u64,
    offset: u64,
    stored_bytes: u32,
}

impl ChunkPlace {
    /// The place as a row keeps it.
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut row = Vec::with_capacity(20);
        row.extend_from_slice(&self.first.to_be_bytes());
        row.extend_from_slice(&self.offset.to_be_bytes());
        row.extend_from_slice(&self.stored_bytes.to_be_bytes());
        row
    }

    pub(crate) fn decode(row: &[u8]) -> Option<Self> {
        let (first, row) = row.split_first_chunk()?;
        let (offset, row) = row.split_first_chunk()?;
        let stored_bytes = row.try_into().ok()?;
        Some(Self {
            first: u64::from_be_bytes(*first),
            offset: u64::from_be_bytes(*offset),
            stored_bytes: u32::from_be_bytes(stored_bytes),
        })
    }

    fn end(self) -> u64 {
        self.offset + u64::from(self.stored_bytes)
    }
}

/// The file, and where the chunks of each list lie in it, in order.
pub(crate) struct HistoryFile {
    file: Arc<File>,
    /// Where the next chunk goes.
    end: u64,
    /// A buffer that one writing leaves to the next.
    written: Vec<u8>,
    lists: HashMap<String, Vec<ChunkPlace>>,
    /// Chunks that no save names yet: the list and the number within it.
    unsaved: Vec<(String, u32, ChunkPlace)>,
}

impl std::fmt::Debug for HistoryFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HistoryFile")
            .field("end", &self.end)
            .field("lists", &self.lists.len())
            .finish_non_exhaustive()
    }
}

impl HistoryFile {
    /// Opens or makes the file in a store's directory.
    pub(crate) fn open(dir: &Path) -> Result<Self, SledFault> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join(FILE_NAME))
            .map_err(fault)?;
        Ok(Self {
            file: Arc::new(file),
            end: 0,
            written: Vec::new(),
            lists: HashMap::new(),
            unsaved: Vec::new(),
        })
    }

    /// Takes a saved chunk back in; the chunks of a list come in order. Whether the file can hold it.
    pub(crate) fn restore(&mut self, list: &str, number: u32, place: ChunkPlace) -> bool {
        let chunks = self.lists.entry(list.to_owned()).or_default();
        let in_order = usize::try_from(number).is_ok_and(|number| number == chunks.len());
        chunks.push(place);
        self.end = self.end.max(place.end());
        in_order
            && self
                .file
                .metadata()
                .is_ok_and(|file| file.len() >= place.end())
    }

    /// Writes closed chunks behind the others, at one go.
    fn append_all(&mut self, chunks: Vec<ClosedChunk>) -> Result<(), SledFault> {
        let mut written = std::mem::take(&mut self.written);
        written.clear();
        let mut offset = self.end;
        for ClosedChunk { list, first, bytes } in chunks {
            checksum::push(&mut written, &bytes);
            let place = ChunkPlace {
                first,
                offset,
                stored_bytes: length(bytes.len() + size_of::<u32>()),
            };
            offset = place.end();
            let places = self.lists.entry(list.clone()).or_default();
            self.unsaved.push((list, length(places.len()), place));
            places.push(place);
        }
        self.file.write_all_at(&written, self.end).map_err(fault)?;
        self.end = offset;
        self.written = written;
        Ok(())
    }

    pub(crate) fn unsaved(&mut self) -> Vec<(String, u32, ChunkPlace)> {
        self.unsaved.clone()
    }

    /// Forgets the first so many of the unsaved chunks: a save names them.
    pub(crate) fn saved(&mut self, chunks: usize) {
        self.unsaved.drain(..chunks.min(self.unsaved.len()));
    }

    pub(crate) fn list(&self, list: &str) -> HistoryList {
        HistoryList {
            file: Arc::clone(&self.file),
            chunks: self.lists.get(list).cloned().unwrap_or_default(),
        }
    }
}

/// A chunk of a list that nothing is added to any more.
#[derive(Debug)]
pub struct ClosedChunk {
    /// The list.
    pub list: String,
    /// The position of its first entry.
    pub first: u64,
    /// Its entries.
    pub bytes: Vec<u8>,
}

/// Chunks from which on a thread is worth its start.
const CHUNKS_ASIDE: usize = 16;

/// The file, or the thread that is writing to it.
#[derive(Debug)]
enum Place {
    Here(HistoryFile),
    Away(JoinHandle<Result<HistoryFile, SledFault>>),
    /// Writing failed: nothing is known of the file until it is opened anew.
    Lost,
}

/// The file of the history with one thread at most that writes to it.
#[derive(Debug)]
pub(crate) struct HistoryKeeper(Mutex<Place>);

impl HistoryKeeper {
    pub(crate) fn of(file: HistoryFile) -> Self {
        Self(Mutex::new(Place::Here(file)))
    }

    /// Writes chunks behind the others, many of them while the caller goes on.
    pub(crate) fn append(&mut self, chunks: Vec<ClosedChunk>) -> Result<(), SledFault> {
        if chunks.is_empty() {
            return Ok(());
        }
        let place = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut file = place.take()?;
        *place = if chunks.len() < CHUNKS_ASIDE {
            file.append_all(chunks)?;
            Place::Here(file)
        } else {
            Place::Away(std::thread::spawn(move || {
                file.append_all(chunks)?;
                Ok(file)
            }))
        };
        Ok(())
    }

    /// Waits until everything is written, and looks at the file.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut HistoryFile) -> T) -> Result<T, SledFault> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = place.take()?;
        let seen = look(&mut file);
        *place = Place::Here(file);
        Ok(seen)
    }
}

impl Place {
    /// Takes the file out, as soon as nothing is written to it.
    fn take(&mut self) -> Result<HistoryFile, SledFault> {
        match std::mem::replace(self, Self::Lost) {
            Self::Here(file) => Ok(file),
            Self::Away(writing) => writing.join().unwrap_or_else(|_| {
                let what = "while the history was written";
                Err(SledFault::Panic(what.to_owned()))
            }),
            Self::Lost => Err(fault(std::io::Error::other(
                "the history could not be written before",
            ))),
        }
    }
}

/// The closed chunks of one list as they were at one moment. They can be read from any thread while more are written.
#[derive(Debug, Clone)]
pub struct HistoryList {
    file: Arc<File>,
    chunks: Vec<ChunkPlace>,
}

/// A chunk of history does not hold.
#[derive(Debug, thiserror::Error)]
pub enum HistoryFault {
    /// The file cannot be read.
    #[error("the file of the history cannot be read")]
    Io(#[from] std::io::Error),
    /// The bytes are not those that were written.
    #[error("the chunk of the history at byte {offset} is damaged")]
    Damaged {
        /// Where it begins in the file.
        offset: u64,
    },
}

impl HistoryList {
    /// The chunks whose first entry stands at `position` or before and that are wanted, the newest first. `wants` is told at which positions a chunk
    /// has entries; of the newest the last one is not known, and the largest stands for it.
    ///
    /// # Errors
    /// Each is [`HistoryFault`] when it cannot be read or does not hold.
    pub fn newest_first(
        &self,
        position: u64,
        wants: impl Fn(RangeInclusive<u64>) -> bool,
    ) -> impl Iterator<Item = Result<Vec<u8>, HistoryFault>> {
        let end = self.chunks.partition_point(|chunk| chunk.first <= position);
        let chunks = self.chunks.get(..end).unwrap_or_default();
        // The entries of one position may stand in two chunks.
        let after = self.chunks.get(1..).unwrap_or_default().iter();
        let lasts = after.map(|chunk| chunk.first).chain([u64::MAX]);
        let places: Vec<(&ChunkPlace, u64)> = chunks.iter().zip(lasts).collect();
        let places = places.into_iter().rev();
        let wanted = places.filter(move |(place, last)| wants(place.first..=*last));
        wanted.map(|(place, _)| self.read(*place))
    }

    fn read(&self, place: ChunkPlace) -> Result<Vec<u8>, HistoryFault> {
        let damaged = || HistoryFault::Damaged {
            offset: place.offset,
        };
        let stored_bytes = usize::try_from(place.stored_bytes).map_err(|_| damaged())?;
        let mut stored = vec![0; stored_bytes];
        match self.file.read_exact_at(&mut stored, place.offset) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(damaged()),
            read => read?,
        }
        let bytes = checksum::check(&stored).ok_or_else(damaged)?.len();
        stored.truncate(bytes);
        Ok(stored)
    }
}

fn fault(error: std::io::Error) -> SledFault {
    SledFault::Error(sled::Error::Io(error))
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
