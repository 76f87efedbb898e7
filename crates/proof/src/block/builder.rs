//! From events and commands to a block's bytes.

use zstd::zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd::zstd_safe::{
    CCtx, CParameter, InBuffer, OutBuffer, ResetDirective, compress_bound, get_error_name,
};

use super::varint::{push_prefixed, push_varint};
use super::{
    Content, HEADER_LEN, KeptCommand, MAGIC, MAX_EVENTS, MAX_RAW_BYTES, VERSION, ZSTD_LEVEL,
};

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
    compressor: CCtx<'static>,
    /// The frame being compressed.
    frame: Vec<u8>,
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
        let mut compressor =
            CCtx::try_create().ok_or_else(|| std::io::Error::other("no memory for zstd"))?;
        compressor
            .set_parameter(CParameter::CompressionLevel(ZSTD_LEVEL))
            .map_err(zstd_error)?;
        Ok(Self {
            first_position,
            count: 0,
            events: Vec::new(),
            submissions: Vec::new(),
            commands: Vec::new(),
            command_count: 0,
            part_open: false,
            compressor,
            frame: Vec::new(),
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
        let raw_len = u32::try_from(self.events.len() + self.submissions.len())
            .map_err(|_| refuse("block too large"))?;
        if raw_len > MAX_RAW_BYTES {
            return Err(refuse("block too large"));
        }
        self.compress()?;
        let frame = &self.frame;
        let stored_len = u32::try_from(frame.len()).map_err(|_| refuse("block too large"))?;
        let mut header = Vec::with_capacity(HEADER_LEN);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&[VERSION, 0]);
        header.extend_from_slice(&self.count.to_le_bytes());
        header.extend_from_slice(&self.first_position.to_le_bytes());
        header.extend_from_slice(&events_len.to_le_bytes());
        header.extend_from_slice(&raw_len.to_le_bytes());
        header.extend_from_slice(&stored_len.to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&header), frame);
        header.extend_from_slice(&crc.to_le_bytes());
        out.reserve(HEADER_LEN + frame.len());
        out.extend_from_slice(&header);
        out.extend_from_slice(frame);
        let finished = Finished {
            first_position: self.first_position,
            count: self.count,
        };
        self.restart(self.next_position());
        Ok(finished)
    }

    /// Compresses both sections into one frame. What zstd has of the events is flushed before the submissions begin, so that a
    /// reader who wants events alone stops there: the submissions, which repeat much of them, are the other half.
    fn compress(&mut self) -> std::io::Result<()> {
        let raw_len = self.events.len() + self.submissions.len();
        let pledged = u64::try_from(raw_len).unwrap_or(u64::MAX);
        self.compressor
            .reset(ResetDirective::SessionOnly)
            .and_then(|_| self.compressor.set_pledged_src_size(Some(pledged)))
            .map_err(zstd_error)?;
        self.frame.clear();
        // A flush may add one block's header to what zstd allows for.
        self.frame.reserve(compress_bound(raw_len) + 64);
        let mut out = OutBuffer::around(&mut self.frame);
        for (section, end) in [
            (&self.events, ZSTD_EndDirective::ZSTD_e_flush),
            (&self.submissions, ZSTD_EndDirective::ZSTD_e_end),
        ] {
            let mut input = InBuffer::around(section);
            let left = self
                .compressor
                .compress_stream2(&mut out, &mut input, end)
                .map_err(zstd_error)?;
            if left > 0 {
                return Err(std::io::Error::other("zstd outgrew its bound"));
            }
        }
        Ok(())
    }
}

fn zstd_error(code: usize) -> std::io::Error {
    std::io::Error::other(get_error_name(code))
}
