//! Opening the journal: where it ends, and whether its end was torn or damaged.

use super::frame::{FRAME_HEADER_LEN, FRAME_MAGIC, FrameHeader, SEGMENT_HEADER_LEN};
use super::{DIR, Frame, Segment};
use crate::disk::Disk;
use crate::error::{Damage, OpenError, ReadError};
use ledger_proof::block::Decoder;
use ledger_proof::{Frontier, Hash, leaf_hash};
use std::sync::Arc;

/// Bytes read at once while looking for what follows a frame.
pub(crate) const SCAN_BYTES: usize = 1 << 20;

/// Bytes after the last whole frame that are not zero: a frame that was being written when the power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Torn {
    /// Where the torn frame starts in the newest segment.
    pub(crate) offset: u64,
    /// Up to where something other than zeroes stands.
    pub(crate) end: u64,
}

/// What the journal holds.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) segments: Vec<Arc<Segment>>,
    /// The tree of all whole frames.
    pub(crate) frontier: Frontier,
    /// Where the next frame goes in the newest segment.
    pub(crate) offset: u64,
    /// Where the last whole frame of the newest segment starts, if it has one.
    pub(crate) last: Option<u64>,
    pub(crate) torn: Option<Torn>,
    /// The tree sizes at which the newest segment begins and its whole frames end, and the roots there.
    roots: Vec<(u64, Hash)>,
}

impl Recovered {
    /// The root over the first `size` leaves, if a frame of the newest segment begins or ends there: every signed head has
    /// the size of some frame's end.
    pub(crate) fn root_at(&self, size: u64) -> Option<Hash> {
        let found = self.roots.binary_search_by_key(&size, |(end, _)| *end);
        found
            .ok()
            .and_then(|at| self.roots.get(at))
            .map(|(_, root)| *root)
    }
}

/// The segments there are, in order.
pub(crate) fn segments(disk: &dyn Disk) -> Result<Vec<Arc<Segment>>, OpenError> {
    let names = disk
        .list(DIR)
        .map_err(OpenError::io("listing the journal"))?;
    let mut positions: Vec<u64> = names
        .iter()
        .filter_map(|name| Segment::parse_name(name))
        .collect();
    positions.sort_unstable();
    if let Some(next) = positions.first().copied().filter(|first| *first != 0) {
        let what = Damage::SegmentMissing { next };
        return Err(OpenError::Damaged {
            journal: None,
            position: 0,
            what,
        });
    }
    let mut segments = Vec::new();
    for first_position in positions {
        let file = disk
            .open(&Segment::path(first_position))
            .map_err(OpenError::io("opening a journal segment"))?;
        segments.push(Arc::new(Segment {
            first_position,
            file,
        }));
    }
    Ok(segments)
}

/// Reads the newest segment and checks every frame in it. Writes nothing.
pub(crate) fn recover(disk: &dyn Disk) -> Result<Option<Recovered>, OpenError> {
    let segments = segments(disk)?;
    let Some(newest) = segments.last().map(Arc::clone) else {
        return Ok(None);
    };
    let mut frontier = newest.frontier()?;
    let mut offset = SEGMENT_HEADER_LEN as u64;
    let mut last = None;
    let mut roots = vec![(frontier.size(), frontier.root())];
    let mut decoder = Decoder::default();
    while let Some(frame) = next_frame(&newest, offset, frontier.size())? {
        check_frame(&frame, &mut frontier, &mut decoder)?;
        last = Some(offset);
        offset = offset.saturating_add(frame.header.frame_len());
        roots.push((frontier.size(), frame.header.root));
    }
    let torn = tail(&newest, offset, frontier.size())?;
    Ok(Some(Recovered {
        segments,
        frontier,
        offset,
        last,
        torn,
        roots,
    }))
}

/// The frame at an offset, if it is whole and continues the log.
fn next_frame(segment: &Segment, offset: u64, position: u64) -> Result<Option<Frame>, ReadError> {
    let header = segment.frame_header(offset)?;
    let Some(header) = header.filter(|header| header.first_position == position) else {
        return Ok(None);
    };
    let payload = segment.payload(offset, &header)?;
    Ok(payload.map(|payload| Frame {
        segment: segment.first_position,
        offset,
        header,
        payload,
    }))
}

/// Pushes a frame's leaves and compares the roots. A frame whose checksums hold but whose roots do not was not torn.
pub(crate) fn check_frame(
    frame: &Frame,
    frontier: &mut Frontier,
    decoder: &mut Decoder,
) -> Result<(), ReadError> {
    let position = frame.header.first_position;
    let broken = || ReadError::Damaged {
        position,
        what: Damage::RootChain {
            segment: Segment::name(frame.segment),
            offset: frame.offset,
        },
    };
    if frontier.root() != frame.header.previous_root || frontier.size() != position {
        return Err(broken());
    }
    let blocks = frame.blocks()?;
    if u32::try_from(blocks.len()) != Ok(frame.header.block_count) {
        return Err(broken());
    }
    for (header, bytes) in blocks {
        let position = header.first_position;
        let fault = |source| ReadError::Block { position, source };
        let events = decoder.events(&bytes).map_err(fault)?;
        for event in &events {
            frontier.push(leaf_hash(event.map_err(fault)?.header));
        }
    }
    if frontier.root() == frame.header.root {
        Ok(())
    } else {
        Err(broken())
    }
}

/// What stands after the last whole frame: nothing, a torn frame, or (an error) proof that a whole frame is damaged.
pub(crate) fn tail(
    segment: &Segment,
    offset: u64,
    position: u64,
) -> Result<Option<Torn>, ReadError> {
    let len = segment.file.len()?;
    let mut end = None;
    let mut at = offset;
    let mut buffer = vec![0; SCAN_BYTES + FRAME_HEADER_LEN];
    while at < len {
        let read = segment.file.read_at(&mut buffer, at)?;
        let window = buffer.get(..read).unwrap_or(&[]);
        if let Some(last) = window.iter().rposition(|byte| *byte != 0) {
            end = Some(at.saturating_add(last as u64).saturating_add(1));
            if later_frame(segment, window, at, offset, position)? {
                let header = segment.frame_header(offset)?;
                let header_too = header.is_none_or(|header| header.first_position != position);
                return Err(segment.damage(position, offset, header_too));
            }
        }
        at = at.saturating_add(SCAN_BYTES as u64);
    }
    Ok(end.map(|end| Torn { offset, end }))
}

/// Whether a whole frame of a later position starts in the window: it was written after the bad one had been synced.
fn later_frame(
    segment: &Segment,
    window: &[u8],
    at: u64,
    offset: u64,
    position: u64,
) -> Result<bool, ReadError> {
    let starts = window.windows(FRAME_MAGIC.len()).enumerate();
    for (index, _) in starts.filter(|(_, bytes)| *bytes == FRAME_MAGIC) {
        let start = at.saturating_add(index as u64);
        let header = window.get(index..).and_then(FrameHeader::decode);
        if let Some(header) = header.filter(|h| h.first_position > position && start > offset)
            && segment.payload(start, &header)?.is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}
