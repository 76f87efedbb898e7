//! The journal: what a receipt rests on.
//!
//! One commit group is one frame, written once and synced once. A frame is written only after the one before it was
//! synced, so that at most the last frame can be torn. Reading never writes. `frame` has the bytes.

pub(crate) mod frame;
pub(crate) mod recover;
pub(crate) mod writer;

use crate::disk::{Disk, DiskFile};
use crate::error::{Damage, ReadError};
use bytes::Bytes;
use frame::{FRAME_HEADER_LEN, FrameHeader, SEGMENT_HEADER_LEN};
use ledger_proof::Frontier;
use ledger_proof::block::{self, BlockHeader};
use recover::Torn;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

pub(crate) const DIR: &str = "journal";
/// The next segment while it is being prepared. It has no position yet, so it is no part of the journal.
pub(crate) const SPARE: &str = "journal/next";

/// One file of the journal.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) first_position: u64,
    pub(crate) file: Arc<dyn DiskFile>,
}

impl Segment {
    pub(crate) fn name(first_position: u64) -> String {
        format!("{first_position:020}.journal")
    }

    pub(crate) fn path(first_position: u64) -> String {
        format!("{DIR}/{}", Self::name(first_position))
    }

    /// The position in a segment's file name.
    pub(crate) fn parse_name(name: &str) -> Option<u64> {
        let digits = name.strip_suffix(".journal")?;
        (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.parse().ok())?
    }

    /// The frontier of all leaves before this segment.
    pub(crate) fn frontier(&self) -> Result<Frontier, ReadError> {
        let mut page = vec![0; SEGMENT_HEADER_LEN];
        let read = self.file.read_at(&mut page, 0)?;
        page.truncate(read);
        frame::decode_segment_header(&page)
            .filter(|frontier| frontier.size() == self.first_position)
            .ok_or_else(|| ReadError::Damaged {
                position: self.first_position,
                what: Damage::SegmentHeader {
                    segment: Self::name(self.first_position),
                },
            })
    }

    /// The frame header at an offset; nothing where there is none or it does not hold.
    pub(crate) fn frame_header(&self, offset: u64) -> Result<Option<FrameHeader>, ReadError> {
        let mut head = [0; FRAME_HEADER_LEN];
        let read = self.file.read_at(&mut head, offset)?;
        Ok(head.get(..read).and_then(FrameHeader::decode))
    }

    /// A frame's payload; nothing when it is cut or its checksum does not hold.
    pub(crate) fn payload(
        &self,
        offset: u64,
        header: &FrameHeader,
    ) -> Result<Option<Bytes>, ReadError> {
        // The length is checked against the file before anything is allocated for it.
        let end = offset.saturating_add(header.frame_len());
        let (Ok(len), true) = (usize::try_from(header.payload_len), end <= self.file.len()?) else {
            return Ok(None);
        };
        let mut payload = vec![0; len];
        let read = self
            .file
            .read_at(&mut payload, offset + FRAME_HEADER_LEN as u64)?;
        let sound = read == len && crc32c::crc32c(&payload) == header.payload_crc;
        Ok(sound.then(|| Bytes::from(payload)))
    }

    /// Where the first byte after `offset` stands that is no zero.
    pub(crate) fn first_written(&self, offset: u64) -> Result<Option<u64>, ReadError> {
        let mut at = offset;
        let mut buffer = vec![0; recover::SCAN_BYTES];
        loop {
            let read = self.file.read_at(&mut buffer, at)?;
            if read == 0 {
                return Ok(None);
            }
            let window = buffer.get(..read).unwrap_or(&[]);
            if let Some(written) = window.iter().position(|byte| *byte != 0) {
                return Ok(Some(at.saturating_add(written as u64)));
            }
            at = at.saturating_add(read as u64);
        }
    }

    pub(crate) fn damage(&self, position: u64, offset: u64, header_too: bool) -> ReadError {
        let segment = Self::name(self.first_position);
        let what = if header_too {
            Damage::FrameHeader { segment, offset }
        } else {
            Damage::FramePayload { segment, offset }
        };
        ReadError::Damaged { position, what }
    }
}

/// A frame with its payload, checksums checked.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
    pub(crate) header: FrameHeader,
    pub(crate) payload: Bytes,
}

impl Frame {
    /// The frame's blocks, each checked.
    pub(crate) fn blocks(&self) -> Result<Vec<(BlockHeader, Bytes)>, ReadError> {
        let mut blocks = Vec::new();
        let mut position = self.header.first_position;
        let mut rest = self.payload.clone();
        while !rest.is_empty() {
            let fault = |source| ReadError::Block { position, source };
            let (bytes, _) = block::split_first(&rest).map_err(fault)?;
            let header = BlockHeader::read(bytes).map_err(fault)?;
            if header.first_position != position {
                let value = header.first_position;
                return Err(fault(block::BlockError::Header {
                    field: "first_position",
                    value,
                }));
            }
            let bytes = rest.split_to(bytes.len());
            position = header.end_position();
            blocks.push((header, bytes));
        }
        if position != self.header.end_position() {
            let source = block::BlockError::Header {
                field: "count",
                value: position,
            };
            return Err(ReadError::Block { position, source });
        }
        Ok(blocks)
    }
}

/// Offsets of frames, kept from earlier walks over their segments.
#[derive(Debug, Default)]
struct Directory {
    /// By segment: first position and offset of each frame walked over, from the first on.
    segments: HashMap<u64, Vec<(u64, u64)>>,
    entries: usize,
}

/// Frame offsets kept at most: 16 MiB of them. Beyond, all are forgotten and walked over again.
const DIRECTORY_ENTRIES: usize = 1 << 20;

/// The journal for reading. Positions at or beyond the tree size are never asked of it.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) disk: Arc<dyn Disk>,
    segments: RwLock<Vec<Arc<Segment>>>,
    directory: Mutex<Directory>,
}

impl Journal {
    pub(crate) fn new(disk: Arc<dyn Disk>, segments: Vec<Arc<Segment>>) -> Self {
        Self {
            disk,
            segments: RwLock::new(segments),
            directory: Mutex::default(),
        }
    }

    pub(crate) fn add(&self, segment: Arc<Segment>) {
        self.segments
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(segment);
    }

    /// Where to go on after a position that cannot be read: the position and the offset after its frame, if that says how long it
    /// is.
    pub(crate) fn after(&self, position: u64) -> Option<(u64, u64)> {
        let (_, offset, header) = self.locate(position).ok()?;
        let after = offset.saturating_add(header.frame_len());
        Some((header.end_position(), after))
    }

    /// Whether the journal ends before a position that could not be read, for the error given: in its newest segment, with nothing
    /// behind but zeroes or a torn frame. Gives where that stands: from its offset to the same if there are only zeroes.
    pub(crate) fn ends_at(&self, position: u64, error: &ReadError) -> Option<Torn> {
        let ReadError::Damaged {
            what: Damage::FrameHeader { offset, .. } | Damage::FramePayload { offset, .. },
            ..
        } = error
        else {
            return None;
        };
        let (segment, None) = self.segment_of(position)? else {
            return None;
        };
        let (offset, end) = (*offset, *offset);
        let torn = recover::tail(&segment, offset, position).ok()?;
        Some(torn.unwrap_or(Torn { offset, end }))
    }

    /// The segments there are now, in order.
    pub(crate) fn segments(&self) -> Vec<Arc<Segment>> {
        self.segments
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The newest segment: the one that is written.
    pub(crate) fn newest(&self) -> Option<Arc<Segment>> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.last().map(Arc::clone)
    }

    /// A segment by its number in their order.
    pub(crate) fn segment(&self, number: usize) -> Option<Arc<Segment>> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.get(number).map(Arc::clone)
    }

    /// The segment that holds a position, and where the next segment starts.
    fn segment_of(&self, position: u64) -> Option<(Arc<Segment>, Option<u64>)> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let after = segments.partition_point(|segment| segment.first_position <= position);
        let segment = segments.get(after.checked_sub(1)?)?;
        Some((
            Arc::clone(segment),
            segments.get(after).map(|next| next.first_position),
        ))
    }

    /// The frame that holds a position below the tree size.
    pub(crate) fn frame_at(&self, position: u64) -> Result<Frame, ReadError> {
        let (segment, offset, header) = self.locate(position)?;
        let Some(payload) = segment.payload(offset, &header)? else {
            return Err(segment.damage(header.first_position, offset, false));
        };
        Ok(Frame {
            segment: segment.first_position,
            offset,
            header,
            payload,
        })
    }

    /// The block that holds a position below the tree size, read without the rest of its frame.
    pub(crate) fn block_at(&self, position: u64) -> Result<(BlockHeader, Bytes), ReadError> {
        let (segment, start, frame) = self.locate(position)?;
        let end = start.saturating_add(frame.frame_len());
        let mut offset = start.saturating_add(FRAME_HEADER_LEN as u64);
        let damaged = || segment.damage(frame.first_position, start, false);
        while offset < end {
            let mut head = [0; block::HEADER_LEN];
            segment.file.read_at(&mut head, offset)?;
            let header = BlockHeader::read(&head).map_err(|_| damaged())?;
            let after = offset.saturating_add(header.block_len() as u64);
            let holds = (header.first_position..header.end_position()).contains(&position);
            if holds && after <= end {
                let mut bytes = vec![0; header.block_len()];
                segment.file.read_at(&mut bytes, offset)?;
                block::verify(&bytes).map_err(|_| damaged())?;
                return Ok((header, Bytes::from(bytes)));
            }
            offset = after;
        }
        Err(damaged())
    }

    /// Where the frame that holds a position is.
    fn locate(&self, position: u64) -> Result<(Arc<Segment>, u64, FrameHeader), ReadError> {
        let Some((segment, next)) = self.segment_of(position) else {
            let next = 0;
            return Err(ReadError::Damaged {
                position,
                what: Damage::SegmentMissing { next },
            });
        };
        let (mut at, mut offset) = self.known_frame(&segment, position);
        loop {
            if let Some(next) = next.filter(|next| at >= *next) {
                return Err(ReadError::Damaged {
                    position,
                    what: Damage::SegmentMissing { next },
                });
            }
            let header = segment.frame_header(offset)?;
            let Some(header) = header.filter(|header| header.first_position == at) else {
                return Err(segment.damage(at, offset, true));
            };
            self.remember(segment.first_position, at, offset);
            if position < header.end_position() {
                return Ok((segment, offset, header));
            }
            at = header.end_position();
            offset = offset.saturating_add(header.frame_len());
        }
    }

    /// The nearest frame already known at or before a position: its first position and offset.
    fn known_frame(&self, segment: &Segment, position: u64) -> (u64, u64) {
        let start = (segment.first_position, SEGMENT_HEADER_LEN as u64);
        let directory = self
            .directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(frames) = directory.segments.get(&segment.first_position) else {
            return start;
        };
        let after = frames.partition_point(|(first, _)| *first <= position);
        let known = after.checked_sub(1).and_then(|last| frames.get(last));
        known.copied().unwrap_or(start)
    }

    fn remember(&self, segment: u64, position: u64, offset: u64) {
        let mut directory = self
            .directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if directory.entries >= DIRECTORY_ENTRIES {
            *directory = Directory::default();
        }
        let frames = directory.segments.entry(segment).or_default();
        // Walks start at the segment's first frame or at a known one, so what is known has no gaps.
        if frames.last().is_none_or(|(last, _)| *last < position) {
            frames.push((position, offset));
            directory.entries += 1;
        }
    }

    /// The frames from the one that holds `from` on, up to `end`.
    pub(crate) fn frames(
        &self,
        from: u64,
        end: u64,
    ) -> impl Iterator<Item = Result<Frame, ReadError>> + '_ {
        let mut at = from;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let frame = self.frame_at(at);
            at = frame
                .as_ref()
                .map_or(end, |frame| frame.header.end_position());
            Some(frame)
        })
    }
}
