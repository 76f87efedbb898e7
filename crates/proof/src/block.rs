//! The block: the unit in which events are stored, replayed and verified.
//!
//! A block holds up to [`MAX_EVENTS`] consecutive events and the commands that made them. The same bytes stand in the
//! journal, in sled and in a replay's answer, so that an auditor decodes what the disk holds. This module does no I/O
//! and treats every byte as hostile: decoding returns an error, it never panics and never allocates more than
//! [`MAX_RAW_BYTES`].
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | magic `CLB1` |
//! | 4 | 1 | version, 1 |
//! | 5 | 1 | flags, 0 |
//! | 6 | 2 | count of events |
//! | 8 | 8 | position of the first event |
//! | 16 | 4 | `events_len`: length of the raw event section |
//! | 20 | 4 | `raw_len`: length of the raw content |
//! | 24 | 4 | `stored_len`: length of the zstd frame that follows the header |
//! | 28 | 4 | CRC32C of bytes 0..28 and of the zstd frame |
//! | 32 | `stored_len` | one zstd frame |
//!
//! Integers are little-endian. The raw content is the event section, `events_len` bytes, then the submission
//! section. Lengths inside of the sections are LEB128 varints.
//!
//! - Event: header length, header bytes (the leaf), kind (0 present: 16 bytes of salt, data length, data; 1 withheld:
//!   ground length, ground), route length, route.
//! - Submission part: position of the submission's first event, index of the part's first command in its submission,
//!   count of commands in the whole submission, partner length, partner, signature flag (and length, signature), count
//!   of commands, then the commands: kind (0 kept: length, bytes; 1 digest: 32 bytes), count of its events and, if it
//!   made any, the index in this block of the first.
//!
//! A submission whose events fill several blocks has a part in each: a command stands in the block of its first event.

mod builder;
mod content;
mod decoder;
mod tags;
mod varint;
mod walk;

pub use builder::{BlockBuilder, Finished};
pub use content::{
    Content, Contents, EventIter, Events, KeptCommand, StoredCommand, StoredEvent, SubmissionPart,
};
pub use decoder::Decoder;
pub use tags::Tags;
pub use varint::{push_varint, read_varint};
pub use walk::{Blocks, blocks, for_each_event};

use varint::Cursor;

/// The most events one block holds.
pub const MAX_EVENTS: usize = 128;
/// The most raw bytes a decoder accepts, far above what a writer makes (about 1 MiB, or one very large event).
pub const MAX_RAW_BYTES: u32 = 16 << 20;
/// Length of the block header.
pub const HEADER_LEN: usize = 32;

const MAGIC: [u8; 4] = *b"CLB1";
const VERSION: u8 = 1;
const ZSTD_LEVEL: i32 = 1;

/// Why bytes are not a block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Fewer bytes than the header, or than the header says.
    #[error("block is cut short: {have} bytes of {need}")]
    Short {
        /// Bytes there are.
        have: usize,
        /// Bytes there should be.
        need: usize,
    },
    /// More bytes than the header says.
    #[error("block is followed by {extra} bytes that are not its own")]
    Trailing {
        /// Bytes too many.
        extra: usize,
    },
    /// The first four bytes are not `CLB1`.
    #[error("not a block: magic {found:02x?}")]
    Magic {
        /// What stands there.
        found: [u8; 4],
    },
    /// A version or flags this code does not know.
    #[error("unknown block version {version}, flags {flags}")]
    Version {
        /// The version found.
        version: u8,
        /// The flags found.
        flags: u8,
    },
    /// Counts or lengths that contradict each other or a limit.
    #[error("block header is inconsistent: {field} is {value}")]
    Header {
        /// The field at fault.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// The CRC32C does not match the bytes.
    #[error("block checksum is {found:08x}, its header says {stated:08x}")]
    Checksum {
        /// What the bytes give.
        found: u32,
        /// What the header says.
        stated: u32,
    },
    /// The zstd frame is damaged.
    #[error("block does not decompress: {what}")]
    Zstd {
        /// zstd's own name of the error.
        what: &'static str,
    },
    /// The decompressed sections do not parse.
    #[error("block content is damaged at raw byte {offset}")]
    Content {
        /// Where parsing stopped.
        offset: usize,
    },
}

/// The header of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHeader {
    /// Position of the first event.
    pub first_position: u64,
    /// Count of events, 1 ..= [`MAX_EVENTS`].
    pub count: u16,
    /// Length of the raw event section.
    pub events_len: u32,
    /// Length of the raw content.
    pub raw_len: u32,
    /// Length of the zstd frame.
    pub stored_len: u32,
    /// CRC32C as stated.
    pub crc: u32,
}

impl BlockHeader {
    /// Reads a header without checking the checksum: for walking over blocks.
    ///
    /// # Errors
    /// [`BlockError`] when the bytes cannot be the start of a block.
    pub fn read(bytes: &[u8]) -> Result<Self, BlockError> {
        let Some((head, _)) = bytes.split_first_chunk::<HEADER_LEN>() else {
            return Err(BlockError::Short {
                have: bytes.len(),
                need: HEADER_LEN,
            });
        };
        let mut cursor = Cursor::new(head);
        let magic = cursor.array::<4>()?;
        if magic != MAGIC {
            return Err(BlockError::Magic { found: magic });
        }
        let [version, flags] = cursor.array::<2>()?;
        if version != VERSION || flags != 0 {
            return Err(BlockError::Version { version, flags });
        }
        let header = Self {
            count: u16::from_le_bytes(cursor.array()?),
            first_position: u64::from_le_bytes(cursor.array()?),
            events_len: u32::from_le_bytes(cursor.array()?),
            raw_len: u32::from_le_bytes(cursor.array()?),
            stored_len: u32::from_le_bytes(cursor.array()?),
            crc: u32::from_le_bytes(cursor.array()?),
        };
        let wrong = |field, value| Err(BlockError::Header { field, value });
        if header.count == 0 || usize::from(header.count) > MAX_EVENTS {
            return wrong("count", header.count.into());
        }
        if header.raw_len > MAX_RAW_BYTES {
            return wrong("raw_len", header.raw_len.into());
        }
        if header.events_len > header.raw_len {
            return wrong("events_len", header.events_len.into());
        }
        if header
            .first_position
            .checked_add(header.count.into())
            .is_none()
        {
            return wrong("first_position", header.first_position);
        }
        Ok(header)
    }

    /// Length of the whole block, header included.
    pub fn block_len(&self) -> usize {
        HEADER_LEN.saturating_add(usize::try_from(self.stored_len).unwrap_or(usize::MAX))
    }

    /// Position after the last event.
    pub fn end_position(&self) -> u64 {
        self.first_position.saturating_add(self.count.into())
    }
}

/// Checks a whole block's header and checksum, without decompressing it.
///
/// # Errors
/// [`BlockError`] when a byte is missing, added or changed.
pub fn verify(bytes: &[u8]) -> Result<BlockHeader, BlockError> {
    let header = BlockHeader::read(bytes)?;
    let need = header.block_len();
    if bytes.len() < need {
        return Err(BlockError::Short {
            have: bytes.len(),
            need,
        });
    }
    if bytes.len() > need {
        return Err(BlockError::Trailing {
            extra: bytes.len() - need,
        });
    }
    let found = checksum(bytes);
    if found != header.crc {
        return Err(BlockError::Checksum {
            found,
            stated: header.crc,
        });
    }
    Ok(header)
}

fn checksum(block: &[u8]) -> u32 {
    let (head, frame) = block.split_at_checked(HEADER_LEN).unwrap_or((block, &[]));
    let covered = head.get(..HEADER_LEN - 4).unwrap_or(head);
    crc32c::crc32c_append(crc32c::crc32c(covered), frame)
}

/// The first block of `bytes`, and the bytes after it: for reading blocks that stand back to back.
///
/// # Errors
/// [`BlockError`] when the first block is not whole and sound.
pub fn split_first(bytes: &[u8]) -> Result<(&[u8], &[u8]), BlockError> {
    let header = BlockHeader::read(bytes)?;
    let need = header.block_len();
    let Some((block, rest)) = bytes.split_at_checked(need) else {
        return Err(BlockError::Short {
            have: bytes.len(),
            need,
        });
    };
    verify(block)?;
    Ok((block, rest))
}

#[cfg(test)]
mod tests;
