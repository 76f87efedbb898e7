//! From a block's bytes to what it holds.

use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective};

use super::{BlockError, BlockHeader, Contents, Events, HEADER_LEN, verify};

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
