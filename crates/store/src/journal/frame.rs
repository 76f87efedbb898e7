//! The bytes of the journal: segment headers and frame headers.
//!
//! A segment is a file of zeroes written beforehand, named by its first position. It begins with a page of 4,096 bytes:
//!
//! | offset | bytes | segment header |
//! |---|---|---|
//! | 0 | 8 | magic `CLJSEG01` |
//! | 8 | 8 | first position |
//! | 16 | 4 | count of subtree roots: one for each bit set in the first position |
//! | 20 | 4 | 0 |
//! | 24 | 32 × count | the roots of the complete subtrees that cover all earlier leaves, left to right |
//! | 4092 | 4 | CRC32C of bytes 0..4092 |
//!
//! so that the newest segment alone says what the root before it was. Frames follow back to back, one per commit
//! group; where the next frame would be there are zeroes:
//!
//! | offset | bytes | frame header |
//! |---|---|---|
//! | 0 | 4 | magic `CLJF` |
//! | 4 | 2 | version, 1 |
//! | 6 | 2 | flags, 0 |
//! | 8 | 8 | payload length |
//! | 16 | 8 | first position |
//! | 24 | 4 | count of events |
//! | 28 | 4 | count of blocks |
//! | 32 | 32 | root before the frame |
//! | 64 | 32 | root after it |
//! | 96 | 4 | CRC32C of the payload |
//! | 100 | 24 | 0 |
//! | 124 | 4 | CRC32C of bytes 0..124 |
//! | 128 | payload length | blocks (`ledger_proof::block`) back to back |
//!
//! Integers are little-endian. The header's checksum covers the payload's, so that both are covered and a header can be
//! trusted on its own: that is how a scan tells a torn tail from damage. Redaction changes the payload and its checksum
//! and leaves the roots as they are.

use ledger_proof::{Frontier, Hash};

/// Length of a segment header.
pub(crate) const SEGMENT_HEADER_LEN: usize = 4096;
/// Length of a frame header.
pub(crate) const FRAME_HEADER_LEN: usize = 128;
/// The first bytes of a frame.
pub(crate) const FRAME_MAGIC: [u8; 4] = *b"CLJF";

const SEGMENT_MAGIC: [u8; 8] = *b"CLJSEG01";
const VERSION: u16 = 1;

/// What a frame says of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FrameHeader {
    pub(crate) payload_len: u64,
    pub(crate) first_position: u64,
    pub(crate) count: u32,
    pub(crate) block_count: u32,
    pub(crate) previous_root: Hash,
    pub(crate) root: Hash,
    pub(crate) payload_crc: u32,
}

impl FrameHeader {
    pub(crate) fn encode(&self) -> [u8; FRAME_HEADER_LEN] {
        let mut bytes = Vec::with_capacity(FRAME_HEADER_LEN);
        bytes.extend_from_slice(&FRAME_MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&self.payload_len.to_le_bytes());
        bytes.extend_from_slice(&self.first_position.to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        bytes.extend_from_slice(&self.block_count.to_le_bytes());
        bytes.extend_from_slice(&self.previous_root.0);
        bytes.extend_from_slice(&self.root.0);
        bytes.extend_from_slice(&self.payload_crc.to_le_bytes());
        bytes.extend_from_slice(&[0; 24]);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes.try_into().unwrap_or([0; FRAME_HEADER_LEN])
    }

    /// The header, or nothing when a bit of it is wrong.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, crc) = bytes
            .get(..FRAME_HEADER_LEN)?
            .split_at_checked(FRAME_HEADER_LEN - 4)?;
        if !head.starts_with(&FRAME_MAGIC) || u32_at(crc, 0)? != crc32c::crc32c(head) {
            return None;
        }
        let version = u16::from_le_bytes(array_at(head, 4)?);
        let flags = u16::from_le_bytes(array_at(head, 6)?);
        if version != VERSION || flags != 0 {
            return None;
        }
        Some(Self {
            payload_len: u64_at(head, 8)?,
            first_position: u64_at(head, 16)?,
            count: u32_at(head, 24)?,
            block_count: u32_at(head, 28)?,
            previous_root: Hash(array_at(head, 32)?),
            root: Hash(array_at(head, 64)?),
            payload_crc: u32_at(head, 96)?,
        })
    }

    pub(crate) fn end_position(&self) -> u64 {
        self.first_position.saturating_add(self.count.into())
    }

    /// Length of the frame, header included.
    pub(crate) fn frame_len(&self) -> u64 {
        self.payload_len.saturating_add(FRAME_HEADER_LEN as u64)
    }
}

/// The header of the segment that starts after the leaves of `frontier`.
pub(crate) fn encode_segment_header(frontier: &Frontier) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SEGMENT_HEADER_LEN);
    bytes.extend_from_slice(&SEGMENT_MAGIC);
    bytes.extend_from_slice(&frontier.size().to_le_bytes());
    bytes.extend_from_slice(&frontier.size().count_ones().to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    for root in frontier.subtrees() {
        bytes.extend_from_slice(&root.0);
    }
    bytes.resize(SEGMENT_HEADER_LEN - 4, 0);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// The frontier that a segment header holds, or nothing when a bit of it is wrong.
pub(crate) fn decode_segment_header(bytes: &[u8]) -> Option<Frontier> {
    let (head, crc) = bytes
        .get(..SEGMENT_HEADER_LEN)?
        .split_at_checked(SEGMENT_HEADER_LEN - 4)?;
    if !head.starts_with(&SEGMENT_MAGIC) || u32_at(crc, 0)? != crc32c::crc32c(head) {
        return None;
    }
    let size = u64_at(head, 8)?;
    let count = usize::try_from(u32_at(head, 16)?).ok()?;
    let (roots, _) = head.get(24..)?.as_chunks::<32>();
    let roots = roots.iter().take(count).copied().map(Hash).collect();
    Frontier::from_subtrees(size, roots).ok()
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> FrameHeader {
        FrameHeader {
            payload_len: 70_000,
            first_position: 12,
            count: 200,
            block_count: 2,
            previous_root: Hash([1; 32]),
            root: Hash([2; 32]),
            payload_crc: 99,
        }
    }

    #[test]
    fn headers_come_back_and_every_flipped_bit_is_seen() {
        let frontier = Frontier::from_subtrees(5, vec![Hash([3; 32]), Hash([4; 32])]).unwrap();
        let segment = encode_segment_header(&frontier);
        assert_eq!(decode_segment_header(&segment), Some(frontier));
        let header = frame().encode();
        assert_eq!(FrameHeader::decode(&header), Some(frame()));
        for bit in 0..header.len() * 8 {
            let mut damaged = header;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::decode(&damaged), None, "frame bit {bit}");
        }
        for bit in 0..segment.len() * 8 {
            let mut damaged = segment.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode_segment_header(&damaged), None, "segment bit {bit}");
        }
    }

    #[test]
    fn what_is_too_short_is_no_header() {
        let header = frame().encode();
        for len in 0..header.len() {
            assert_eq!(FrameHeader::decode(&header[..len]), None);
        }
        assert_eq!(decode_segment_header(&[0; 4095]), None);
    }
}
