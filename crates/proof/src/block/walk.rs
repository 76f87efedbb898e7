//! Blocks that stand back to back, as a replay answers them.

use std::ops::ControlFlow;

use super::{BlockError, Decoder, StoredEvent, split_first};

/// The blocks of some bytes, each with its checksum verified. After an error there are no more.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    rest: &'a [u8],
    is_over: bool,
}

/// The blocks that stand back to back in some bytes.
pub fn blocks(bytes: &[u8]) -> Blocks<'_> {
    Blocks {
        rest: bytes,
        is_over: bytes.is_empty(),
    }
}

impl<'a> Blocks<'a> {
    /// The bytes that were not given yet; after an error those of the block at fault and all behind it.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<&'a [u8], BlockError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let split = split_first(self.rest);
        self.is_over = split.as_ref().map_or(true, |(_, rest)| rest.is_empty());
        Some(split.map(|(block, rest)| {
            self.rest = rest;
            block
        }))
    }
}

/// Calls `visit` with every event of blocks that stand back to back, in order, until it breaks.
///
/// # Errors
/// The error that `block_error` makes of a block that cannot be read, and the error that `visit`
/// returns.
pub fn for_each_event<E>(
    decoder: &mut Decoder,
    bytes: &[u8],
    block_error: impl Fn(BlockError) -> E,
    mut visit: impl FnMut(&StoredEvent<'_>) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    for block in blocks(bytes) {
        let events = decoder
            .events(block.map_err(&block_error)?)
            .map_err(&block_error)?;
        for stored in &events {
            if visit(&stored.map_err(&block_error)?)?.is_break() {
                return Ok(());
            }
        }
        decoder.recycle(events);
    }
    Ok(())
}
