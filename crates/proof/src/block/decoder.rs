//! From a block's bytes to what it holds.

use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective};

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
    /// Decodes the events, after checking the block's checksum. What follows them is not decompressed.
    ///
    /// # Errors
    /// [`BlockError`] when the block is not whole and sound.
    pub fn events(&mut self, block: &[u8]) -> Result<Events, BlockError> {
        let header = verify(block)?;
        let raw = self.beginning(block, header.events_len)?;
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
        let mut raw = self.room(wanted);
        let decompressed = self
            .context
            .decompress(raw.as_mut_slice(), frame_of(block))
            .map_err(zstd_error)?;
        whole(raw, decompressed)
    }

    /// The first `wanted` bytes of what the frame holds.
    fn beginning(&mut self, block: &[u8], wanted: u32) -> Result<Vec<u8>, BlockError> {
        let mut raw = self.room(wanted);
        self.context
            .reset(ResetDirective::SessionOnly)
            .map_err(zstd_error)?;
        let mut input = InBuffer::around(frame_of(block));
        let mut out = OutBuffer::around(raw.as_mut_slice());
        let mut have = 0;
        while have < out.capacity() {
            self.context
                .decompress_stream(&mut out, &mut input)
                .map_err(zstd_error)?;
            // Without progress the frame has ended early.
            if out.pos() == have {
                break;
            }
            have = out.pos();
        }
        whole(raw, have)
    }

    /// Memory of exactly `wanted` bytes; what stands in it is of no meaning.
    fn room(&mut self, wanted: u32) -> Vec<u8> {
        let mut raw = std::mem::take(&mut self.spare);
        raw.resize(usize::try_from(wanted).unwrap_or(usize::MAX), 0);
        raw
    }
}

fn frame_of(block: &[u8]) -> &[u8] {
    block.get(HEADER_LEN..).unwrap_or(&[])
}

fn whole(raw: Vec<u8>, have: usize) -> Result<Vec<u8>, BlockError> {
    let need = raw.len();
    if have == need {
        Ok(raw)
    } else {
        Err(BlockError::Short { have, need })
    }
}

fn zstd_error(code: usize) -> BlockError {
    BlockError::Zstd {
        what: zstd::zstd_safe::get_error_name(code),
    }
}
