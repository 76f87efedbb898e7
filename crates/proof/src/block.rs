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
//! Integers are little-endian. The raw content is the event section, then the submission section: a reader who wants
//! events alone stops decoding at `events_len`. Lengths inside of the sections are LEB128 varints.
//!
//! - Event: header length, header bytes (the leaf), kind (0 present: 16 bytes of salt, data length, data; 1 withheld:
//!   ground length, ground), route length, route.
//! - Submission part: position of the submission's first event, index of the part's first command in its submission,
//!   count of commands in the whole submission, partner length, partner, signature flag (and length, signature), count
//!   of commands, then the commands: kind (0 kept: length, bytes; 1 digest: 32 bytes), count of its events and, if it
//!   made any, the index in this block of the first.
//!
//! A submission whose events fill several blocks has a part in each: a command stands in the block of its first event.

use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective};

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

/// What an event says, beside its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// The data is here.
    Present {
        /// The salt of the data digest.
        salt: &'a [u8; 16],
        /// The data bytes.
        data: &'a [u8],
    },
    /// The data is withheld, on the ground given.
    Withheld {
        /// The ground.
        ground: &'a str,
    },
}

/// One event as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredEvent<'a> {
    /// Its position.
    pub position: u64,
    /// The header bytes: the leaf.
    pub header: &'a [u8],
    /// Salt and data, or why they are withheld.
    pub content: Content<'a>,
    /// Where the event belongs: `KEN|GCM-05a,GCM-10`, or `|…` without a country.
    pub route: &'a str,
}

/// A command as kept: its bytes, or their digest once they are erased or when it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptCommand<'a> {
    /// The bytes as received.
    Bytes(&'a [u8]),
    /// Their SHA-256.
    Digest(&'a [u8; 32]),
}

/// One command of a submission part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredCommand<'a> {
    /// The command, or its digest.
    pub command: KeptCommand<'a>,
    /// Position of its first event; the block's first position when it made none.
    pub first_position: u64,
    /// How many events it made; 0 when it was refused.
    pub events: u32,
}

/// The part of a submission that stands in one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionPart<'a> {
    /// Position of the submission's first event: the same in all of its parts.
    pub first_position: u64,
    /// Index, in the submission, of this part's first command.
    pub first_index: u32,
    /// Count of commands in the whole submission.
    pub total: u32,
    /// Who submitted it.
    pub partner: &'a str,
    /// The signature header as received.
    pub signature: Option<&'a str>,
    /// This part's commands, in order.
    pub commands: Vec<StoredCommand<'a>>,
}

/// The decoded event section of a block; iterate it with [`Events::iter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    raw: Vec<u8>,
    section_len: usize,
    first_position: u64,
    count: u16,
}

impl Events {
    /// Position of the first event.
    pub fn first_position(&self) -> u64 {
        self.first_position
    }

    /// Count of events.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// The events in order. An item is an error, and the last one, where the section does not parse.
    pub fn iter(&self) -> EventIter<'_> {
        let section = self.raw.get(..self.section_len).unwrap_or(&self.raw);
        iter_events(section, self.first_position, self.count)
    }
}

impl<'a> IntoIterator for &'a Events {
    type Item = Result<StoredEvent<'a>, BlockError>;
    type IntoIter = EventIter<'a>;

    fn into_iter(self) -> EventIter<'a> {
        self.iter()
    }
}

/// Iterates over a raw event section that was not wrapped in [`Events`] (a writer's own).
pub fn iter_events(section: &[u8], first_position: u64, count: u16) -> EventIter<'_> {
    EventIter {
        cursor: Cursor::new(section),
        position: first_position,
        left: count,
        failed: false,
    }
}

/// Iterator over an event section.
#[derive(Debug, Clone)]
pub struct EventIter<'a> {
    cursor: Cursor<'a>,
    position: u64,
    left: u16,
    failed: bool,
}

impl<'a> EventIter<'a> {
    fn event(&mut self) -> Result<StoredEvent<'a>, BlockError> {
        let header = self.cursor.prefixed()?;
        let content = match self.cursor.byte()? {
            0 => Content::Present {
                salt: self.cursor.array_ref()?,
                data: self.cursor.prefixed()?,
            },
            1 => Content::Withheld {
                ground: self.cursor.text()?,
            },
            _ => return Err(self.cursor.fault()),
        };
        let route = self.cursor.text()?;
        Ok(StoredEvent {
            position: self.position,
            header,
            content,
            route,
        })
    }
}

impl<'a> Iterator for EventIter<'a> {
    type Item = Result<StoredEvent<'a>, BlockError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.left == 0 {
            // Bytes nobody reads would be bytes nobody checks.
            self.failed = true;
            return (!self.cursor.rest.is_empty()).then(|| Err(self.cursor.fault()));
        }
        self.left -= 1;
        let event = self.event();
        self.failed = event.is_err();
        self.position = self.position.saturating_add(1);
        Some(event)
    }
}

/// A whole decoded block: its events and its submission parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    events: Events,
}

impl Contents {
    /// The events.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// The submission parts in order.
    ///
    /// # Errors
    /// [`BlockError::Content`] when the section does not parse.
    pub fn submissions(&self) -> Result<Vec<SubmissionPart<'_>>, BlockError> {
        let section = self
            .events
            .raw
            .get(self.events.section_len..)
            .unwrap_or(&[]);
        let mut cursor = Cursor::new(section);
        let mut parts = Vec::new();
        while !cursor.rest.is_empty() {
            parts.push(self.part(&mut cursor)?);
        }
        Ok(parts)
    }

    fn part<'a>(&self, cursor: &mut Cursor<'a>) -> Result<SubmissionPart<'a>, BlockError> {
        let first_position = cursor.varint()?;
        let first_index = cursor.varint_u32()?;
        let total = cursor.varint_u32()?;
        let partner = cursor.text()?;
        let signature = match cursor.byte()? {
            0 => None,
            1 => Some(cursor.text()?),
            _ => return Err(cursor.fault()),
        };
        let commands = cursor.varint_u32()?;
        let mut part = SubmissionPart {
            first_position,
            first_index,
            total,
            partner,
            signature,
            commands: Vec::new(),
        };
        for _ in 0..commands {
            let command = match cursor.byte()? {
                0 => KeptCommand::Bytes(cursor.prefixed()?),
                1 => KeptCommand::Digest(cursor.array_ref()?),
                _ => return Err(cursor.fault()),
            };
            let events = cursor.varint_u32()?;
            let offset = if events == 0 { 0 } else { cursor.varint_u32()? };
            if offset >= u32::from(self.events.count) {
                return Err(cursor.fault());
            }
            let first_position = self.events.first_position.saturating_add(offset.into());
            part.commands.push(StoredCommand {
                command,
                first_position,
                events,
            });
        }
        Ok(part)
    }
}

/// Decodes blocks, keeping zstd's working memory between them: one per thread.
pub struct Decoder {
    context: DCtx<'static>,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            context: DCtx::create(),
        }
    }
}

impl Decoder {
    /// Decodes the event section alone, after checking the block's checksum.
    ///
    /// # Errors
    /// [`BlockError`] when the block is not whole and sound.
    pub fn events(&mut self, block: &[u8]) -> Result<Events, BlockError> {
        let header = verify(block)?;
        let raw = self.raw(
            block,
            header.events_len,
            header.events_len == header.raw_len,
        )?;
        Ok(Self::section(&header, raw))
    }

    /// Decodes events and submissions, after checking the block's checksum.
    ///
    /// # Errors
    /// [`BlockError`] when the block is not whole and sound.
    pub fn all(&mut self, block: &[u8]) -> Result<Contents, BlockError> {
        let header = verify(block)?;
        let raw = self.raw(block, header.raw_len, true)?;
        Ok(Contents {
            events: Self::section(&header, raw),
        })
    }

    fn section(header: &BlockHeader, raw: Vec<u8>) -> Events {
        Events {
            raw,
            section_len: usize::try_from(header.events_len).unwrap_or(usize::MAX),
            first_position: header.first_position,
            count: header.count,
        }
    }

    fn raw(&mut self, block: &[u8], wanted: u32, whole: bool) -> Result<Vec<u8>, BlockError> {
        let frame = block.get(HEADER_LEN..).unwrap_or(&[]);
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let failed = |code| BlockError::Zstd {
            what: zstd::zstd_safe::get_error_name(code),
        };
        if whole {
            let mut raw = Vec::with_capacity(wanted);
            let len = self.context.decompress(&mut raw, frame).map_err(failed)?;
            return if len == wanted {
                Ok(raw)
            } else {
                Err(BlockError::Short {
                    have: len,
                    need: wanted,
                })
            };
        }
        self.context
            .reset(ResetDirective::SessionOnly)
            .map_err(failed)?;
        let mut raw = vec![0; wanted];
        let mut output = OutBuffer::around(raw.as_mut_slice());
        let mut input = InBuffer::around(frame);
        while output.pos() < wanted {
            let before = (output.pos(), input.pos());
            self.context
                .decompress_stream(&mut output, &mut input)
                .map_err(failed)?;
            if (output.pos(), input.pos()) == before {
                return Err(BlockError::Short {
                    have: output.pos(),
                    need: wanted,
                });
            }
        }
        Ok(raw)
    }
}

/// Decodes the event section of one block with a decoder of its own.
///
/// # Errors
/// [`BlockError`] when the block is not whole and sound.
pub fn decode_events(block: &[u8]) -> Result<Events, BlockError> {
    Decoder::default().events(block)
}

/// Decodes events and submissions of one block with a decoder of its own.
///
/// # Errors
/// [`BlockError`] when the block is not whole and sound.
pub fn decode_all(block: &[u8]) -> Result<Contents, BlockError> {
    Decoder::default().all(block)
}

/// Builds blocks, keeping its buffers and zstd's working memory between them.
pub struct BlockBuilder {
    first_position: u64,
    count: u16,
    events: Vec<u8>,
    submissions: Vec<u8>,
    /// The part being built: where its commands began in `submissions`, and how many there are.
    commands: Vec<u8>,
    command_count: u32,
    part_open: bool,
    compressor: zstd::bulk::Compressor<'static>,
}

impl std::fmt::Debug for BlockBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockBuilder")
            .field("first_position", &self.first_position)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// A finished block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// Position of the first event.
    pub first_position: u64,
    /// Count of events.
    pub count: u16,
}

impl BlockBuilder {
    /// An empty builder, whose first block starts at `first_position`.
    ///
    /// # Errors
    /// zstd's own, when it cannot get its working memory.
    pub fn new(first_position: u64) -> std::io::Result<Self> {
        Ok(Self {
            first_position,
            count: 0,
            events: Vec::new(),
            submissions: Vec::new(),
            commands: Vec::new(),
            command_count: 0,
            part_open: false,
            compressor: zstd::bulk::Compressor::new(ZSTD_LEVEL)?,
        })
    }

    /// Count of events in the block being built.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// Position the next event will have.
    pub fn next_position(&self) -> u64 {
        self.first_position.saturating_add(self.count.into())
    }

    /// Raw bytes of the block being built.
    pub fn raw_len(&self) -> usize {
        self.events.len() + self.submissions.len() + self.commands.len()
    }

    /// The raw event section of the block being built.
    pub fn event_section(&self) -> &[u8] {
        &self.events
    }

    /// Starts over at `first_position`, dropping what was not finished.
    pub fn restart(&mut self, first_position: u64) {
        self.first_position = first_position;
        self.count = 0;
        self.events.clear();
        self.submissions.clear();
        self.commands.clear();
        self.command_count = 0;
        self.part_open = false;
    }

    /// Adds an event. The caller keeps to [`MAX_EVENTS`] and to its own bound on [`BlockBuilder::raw_len`].
    pub fn push_event(&mut self, header: &[u8], content: Content<'_>, route: &str) {
        push_prefixed(&mut self.events, header);
        match content {
            Content::Present { salt, data } => {
                self.events.push(0);
                self.events.extend_from_slice(salt);
                push_prefixed(&mut self.events, data);
            }
            Content::Withheld { ground } => {
                self.events.push(1);
                push_prefixed(&mut self.events, ground.as_bytes());
            }
        }
        push_prefixed(&mut self.events, route.as_bytes());
        self.count = self.count.saturating_add(1);
    }

    /// Opens a submission part: the commands pushed next are its own.
    pub fn open_part(
        &mut self,
        submission: u64,
        first_index: u32,
        total: u32,
        partner: &str,
        signature: Option<&str>,
    ) {
        self.close_part();
        self.part_open = true;
        push_varint(&mut self.submissions, submission);
        push_varint(&mut self.submissions, first_index.into());
        push_varint(&mut self.submissions, total.into());
        push_prefixed(&mut self.submissions, partner.as_bytes());
        match signature {
            None => self.submissions.push(0),
            Some(text) => {
                self.submissions.push(1);
                push_prefixed(&mut self.submissions, text.as_bytes());
            }
        }
    }

    /// Adds a command to the open part; `events` counts from the block's next event on.
    pub fn push_command(&mut self, command: KeptCommand<'_>, events: u32) {
        match command {
            KeptCommand::Bytes(bytes) => {
                self.commands.push(0);
                push_prefixed(&mut self.commands, bytes);
            }
            KeptCommand::Digest(digest) => {
                self.commands.push(1);
                self.commands.extend_from_slice(digest);
            }
        }
        push_varint(&mut self.commands, events.into());
        if events > 0 {
            push_varint(&mut self.commands, self.count.into());
        }
        self.command_count = self.command_count.saturating_add(1);
    }

    /// Whether a part is open in the block being built.
    pub fn has_open_part(&self) -> bool {
        self.part_open
    }

    fn close_part(&mut self) {
        if self.part_open {
            push_varint(&mut self.submissions, self.command_count.into());
            self.submissions.append(&mut self.commands);
            self.command_count = 0;
            self.part_open = false;
        }
    }

    /// Appends the finished block to `out` and starts the next one.
    ///
    /// # Errors
    /// `InvalidInput` when there is no event or the raw content exceeds [`MAX_RAW_BYTES`]; zstd's own otherwise.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> std::io::Result<Finished> {
        let refuse = |what| std::io::Error::new(std::io::ErrorKind::InvalidInput, what);
        if self.count == 0 || usize::from(self.count) > MAX_EVENTS {
            return Err(refuse("a block holds 1 to 128 events"));
        }
        self.close_part();
        let events_len = u32::try_from(self.events.len()).map_err(|_| refuse("block too large"))?;
        self.events.extend_from_slice(&self.submissions);
        let raw_len = u32::try_from(self.events.len()).map_err(|_| refuse("block too large"))?;
        if raw_len > MAX_RAW_BYTES {
            return Err(refuse("block too large"));
        }
        let frame = self.compressor.compress(&self.events)?;
        let stored_len = u32::try_from(frame.len()).map_err(|_| refuse("block too large"))?;
        let mut header = Vec::with_capacity(HEADER_LEN);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&[VERSION, 0]);
        header.extend_from_slice(&self.count.to_le_bytes());
        header.extend_from_slice(&self.first_position.to_le_bytes());
        header.extend_from_slice(&events_len.to_le_bytes());
        header.extend_from_slice(&raw_len.to_le_bytes());
        header.extend_from_slice(&stored_len.to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&header), &frame);
        header.extend_from_slice(&crc.to_le_bytes());
        out.reserve(HEADER_LEN + frame.len());
        out.extend_from_slice(&header);
        out.extend_from_slice(&frame);
        let finished = Finished {
            first_position: self.first_position,
            count: self.count,
        };
        self.restart(self.next_position());
        Ok(finished)
    }
}

/// Appends a LEB128 varint.
pub fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Reads a LEB128 varint from the front of `bytes`: the value and what follows, or nothing where it is cut or too large.
pub fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value: u64 = 0;
    let mut rest = bytes;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
    }
    None
}

fn push_prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    push_varint(out, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    out.extend_from_slice(bytes);
}

#[derive(Debug, Clone)]
struct Cursor<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            len: bytes.len(),
        }
    }

    fn fault(&self) -> BlockError {
        BlockError::Content {
            offset: self.len - self.rest.len(),
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], BlockError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| self.fault())?;
        self.rest = rest;
        Ok(taken)
    }

    fn array_ref<const N: usize>(&mut self) -> Result<&'a [u8; N], BlockError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or_else(|| self.fault())?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BlockError> {
        self.array_ref().copied()
    }

    fn byte(&mut self) -> Result<u8, BlockError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn varint(&mut self) -> Result<u64, BlockError> {
        let (value, rest) = read_varint(self.rest).ok_or_else(|| self.fault())?;
        self.rest = rest;
        Ok(value)
    }

    fn varint_u32(&mut self) -> Result<u32, BlockError> {
        let value = self.varint()?;
        u32::try_from(value).map_err(|_| self.fault())
    }

    fn prefixed(&mut self) -> Result<&'a [u8], BlockError> {
        let len = self.varint()?;
        let len = usize::try_from(len).map_err(|_| self.fault())?;
        self.take(len)
    }

    fn text(&mut self) -> Result<&'a str, BlockError> {
        let bytes = self.prefixed()?;
        std::str::from_utf8(bytes).map_err(|_| self.fault())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(first: u64, events: u16) -> Vec<u8> {
        let mut builder = BlockBuilder::new(first).unwrap();
        builder.open_part(first, 0, u32::from(events) + 1, "ken", Some("U.sig"));
        builder.push_command(KeptCommand::Digest(&[7; 32]), 0);
        for n in 0..events {
            builder.push_command(KeptCommand::Bytes(format!("command {n}").as_bytes()), 1);
            let data = format!("{{\"n\":{n}}}");
            let content = if n % 3 == 2 {
                Content::Withheld {
                    ground: "court_order",
                }
            } else {
                Content::Present {
                    salt: &[9; 16],
                    data: data.as_bytes(),
                }
            };
            builder.push_event(
                format!("{{\"position\":\"{n}\"}}").as_bytes(),
                content,
                "KEN|GCM-10",
            );
        }
        let mut out = Vec::new();
        builder.finish(&mut out).unwrap();
        out
    }

    #[test]
    fn a_block_gives_back_what_was_put_in() {
        let block = sample(40, 5);
        let contents = decode_all(&block).unwrap();
        let events: Vec<_> = contents.events().iter().collect::<Result<_, _>>().unwrap();
        assert_eq!(events.len(), 5);
        assert_eq!(events[1].position, 41);
        assert_eq!(events[1].header, b"{\"position\":\"1\"}");
        assert_eq!(
            events[1].content,
            Content::Present {
                salt: &[9; 16],
                data: b"{\"n\":1}"
            }
        );
        assert_eq!(
            events[2].content,
            Content::Withheld {
                ground: "court_order"
            }
        );
        assert_eq!(events[4].route, "KEN|GCM-10");
        let parts = contents.submissions().unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!(
            (parts[0].total, parts[0].partner, parts[0].signature),
            (6, "ken", Some("U.sig"))
        );
        assert_eq!(parts[0].commands[0].command, KeptCommand::Digest(&[7; 32]));
        assert_eq!(parts[0].commands[0].events, 0);
        assert_eq!(
            parts[0].commands[3].command,
            KeptCommand::Bytes(b"command 2")
        );
        assert_eq!(parts[0].commands[3].first_position, 42);
        let alone = decode_events(&block).unwrap();
        assert_eq!(alone.iter().collect::<Result<Vec<_>, _>>().unwrap(), events);
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let block = sample(7, 3);
        assert!(verify(&block).is_ok());
        for index in 0..block.len() {
            for bit in 0..8 {
                let mut damaged = block.clone();
                damaged[index] ^= 1 << bit;
                assert!(verify(&damaged).is_err(), "byte {index} bit {bit}");
            }
        }
    }

    #[test]
    fn every_cut_is_seen() {
        let block = sample(7, 3);
        for len in 0..block.len() {
            assert!(decode_all(&block[..len]).is_err(), "{len}");
        }
        let mut longer = block;
        longer.push(0);
        assert_eq!(verify(&longer), Err(BlockError::Trailing { extra: 1 }));
    }

    /// Rewrites the checksum, as one would who wants damage to pass for a block.
    fn sealed(mut block: Vec<u8>) -> Vec<u8> {
        let crc = checksum(&block);
        block[28..32].copy_from_slice(&crc.to_le_bytes());
        block
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(decode_all(&bytes).is_err());
        }

        #[test]
        fn hostile_changes_behind_a_right_checksum_never_panic(index in 0usize..120, value: u8, more in 0usize..120) {
            let mut block = sample(1, 4);
            let len = block.len();
            block[index % len] = value;
            block[more % len] ^= value;
            let block = sealed(block);
            if let Ok(contents) = decode_all(&block) {
                let _events = contents.events().iter().count();
                let _parts = contents.submissions().map(|parts| parts.len());
            }
            if let Ok(events) = decode_events(&block) {
                let _events = events.iter().count();
            }
        }

        #[test]
        fn hostile_sections_never_panic(section in proptest::collection::vec(any::<u8>(), 0..300)) {
            let items = iter_events(&section, 3, 20).collect::<Vec<_>>();
            prop_assert!(items.len() <= 21);
            let contents = Contents { events: Events { raw: section, section_len: 0, first_position: 0, count: 1 } };
            let _parts = contents.submissions().map(|parts| parts.len());
        }

        #[test]
        fn varints_come_back(value: u64) {
            let mut out = Vec::new();
            push_varint(&mut out, value);
            prop_assert_eq!(read_varint(&out), Some((value, &[][..])));
        }
    }
}
