//! From a block's bytes to what it holds.

use zstd::zstd_safe::DCtx;

use super::{BlockError, BlockHeader, Contents, Events, HEADER_LEN, verify};

/// Decodes blocks, keeping zstd's working memory between them: one per thread.
pub struct Decoder {
    context: DCtx<'static>,
    /// Memory of an earlier block, given back by [`Decoder::recycle`].
    spare: Vec<u8>,
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
            spare: Vec::new(),
        }
    }
}

impl Decoder {
    /// Decodes the events, after checking the block's checksum. (All of the block is decompressed: zstd works in pieces
    /// of 128 KiB, so that stopping at the end of the event section saves nothing and costs a copy.)
    ///
    /// # Errors
    /// [`BlockError`] when the block is not whole and sound.
    pub fn events(&mut self, block: &[u8]) -> Result<Events, BlockError> {
        let header = verify(block)?;
        let raw = self.raw(block, header.raw_len)?;
        Ok(Self::section(&header, raw))
    }

    /// Takes back the memory of a block that is done with, for the next one.
    pub fn recycle(&mut self, events: Events) {
        self.spare = events.raw;
    }

    /// Decodes events and submissions, after checking the block's checksum.
    ///
    /// # Errors
    /// [`BlockError`] when the block is not whole and sound.
    pub fn all(&mut self, block: &[u8]) -> Result<Contents, BlockError> {
        let header = verify(block)?;
        let raw = self.raw(block, header.raw_len)?;
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

    fn raw(&mut self, block: &[u8], wanted: u32) -> Result<Vec<u8>, BlockError> {
        let frame = block.get(HEADER_LEN..).unwrap_or(&[]);
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let mut raw = std::mem::take(&mut self.spare);
        raw.clear();
        raw.reserve(wanted);
        let decompressed = self.context.decompress(&mut raw, frame);
        let have = decompressed.map_err(|code| BlockError::Zstd {
            what: zstd::zstd_safe::get_error_name(code),
        })?;
        if have == wanted {
            Ok(raw)
        } else {
            Err(BlockError::Short { have, need: wanted })
        }
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
