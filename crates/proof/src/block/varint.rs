//! Lengths as LEB128, and a cursor over bytes that have them.

use super::BlockError;

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

pub(super) fn push_prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    push_varint(out, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    out.extend_from_slice(bytes);
}

#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a [u8],
    len: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            len: bytes.len(),
        }
    }

    pub(super) fn fault(&self) -> BlockError {
        BlockError::Content {
            offset: self.len - self.rest.len(),
        }
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], BlockError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| self.fault())?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array_ref<const N: usize>(&mut self) -> Result<&'a [u8; N], BlockError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or_else(|| self.fault())?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], BlockError> {
        self.array_ref().copied()
    }

    pub(super) fn byte(&mut self) -> Result<u8, BlockError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn varint(&mut self) -> Result<u64, BlockError> {
        let (value, rest) = read_varint(self.rest).ok_or_else(|| self.fault())?;
        self.rest = rest;
        Ok(value)
    }

    pub(super) fn varint_u32(&mut self) -> Result<u32, BlockError> {
        let value = self.varint()?;
        u32::try_from(value).map_err(|_| self.fault())
    }

    pub(super) fn prefixed(&mut self) -> Result<&'a [u8], BlockError> {
        let len = self.varint()?;
        let len = usize::try_from(len).map_err(|_| self.fault())?;
        self.take(len)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, BlockError> {
        let bytes = self.prefixed()?;
        std::str::from_utf8(bytes).map_err(|_| self.fault())
    }
}
