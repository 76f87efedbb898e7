//! The one owner of the log's end.

use crate::core::{Core, LOOKING, Pending, held};
use crate::error::AppendError;
use crate::feed::{self, with_causes};
use crate::group::{Encoded, Group, encode};
use crate::head::LastFrame;
use crate::journal::Segment;
use crate::journal::frame::{FRAME_HEADER_LEN, FrameHeader};
use crate::journal::writer::{JournalWriter, WriteError};
use bytes::Bytes;
use ledger_proof::block::BlockBuilder;
use ledger_proof::{Frontier, Hash};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// Free space is looked at again after so many bytes, whatever the time.
const SPACE_BYTES: u64 = 16 << 20;

/// Older segments looked for at once.
const SEGMENTS_LOOKED_FOR: usize = 256;

/// The tree after an append.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Appended {
    /// Last position + 1.
    pub tree_size: u64,
    /// The root over all of it.
    pub root: Hash,
}

/// When free space was last looked at.
#[derive(Debug)]
struct SpaceGauge {
    looked: Option<Instant>,
    written: u64,
}

/// Appends commit groups. There is one for a log; dropping it feeds sled to the end and stops the feeding thread.
#[derive(Debug)]
pub struct Appender {
    core: Arc<Core>,
    writer: JournalWriter,
    frontier: Frontier,
    builder: BlockBuilder,
    gauge: SpaceGauge,
    /// The next of the older segments to be looked for.
    next_looked_for: usize,
    feeder: Option<JoinHandle<()>>,
}

impl Appender {
    pub(crate) fn start(
        core: Arc<Core>,
        writer: JournalWriter,
        frontier: Frontier,
    ) -> std::io::Result<Self> {
        let builder = BlockBuilder::new(frontier.size())?;
        let shared = Arc::clone(&core);
        let feeder = std::thread::Builder::new()
            .name("ledger-feed".to_owned())
            .spawn(move || feed::run(&shared))?;
        let gauge = SpaceGauge {
            looked: None,
            written: 0,
        };
        Ok(Self {
            core,
            writer,
            frontier,
            builder,
            gauge,
            next_looked_for: 0,
            feeder: Some(feeder),
        })
    }

    /// The tree that the next group continues.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Appends a group. On return it is on the disk (fdatasync), readable, and found by every lookup.
    ///
    /// Waits while sled is behind by more than the options allow.
    ///
    /// # Errors
    /// [`AppendError::NoSpace`] and [`AppendError::Group`]: nothing was written, and the log goes on.
    /// [`AppendError::Poisoned`]: a write or sync failed, now or earlier; what is on the disk is unknown, and nothing is
    /// appended any more.
    pub fn append(&mut self, group: &Group) -> Result<Appended, AppendError> {
        if let Some(poisoned) = self.core.poisoned() {
            return Err(poisoned);
        }
        if group.records.is_empty() {
            return Ok(Appended {
                tree_size: self.frontier.size(),
                root: self.frontier.root(),
            });
        }
        let mut frame = vec![0; FRAME_HEADER_LEN];
        let encoded = encode(
            group,
            self.frontier.clone(),
            self.core.options.epoch_bits,
            &mut self.builder,
            &mut frame,
        )?;
        let header = self.frame_header(&frame, &encoded)?;
        if let Some(place) = frame.get_mut(..FRAME_HEADER_LEN) {
            place.copy_from_slice(&header.encode());
        }
        self.check_space(frame.len() as u64)?;
        self.wait_for_feeder()?;
        // Before a name is used for a new segment, and before a frame stands behind a gap.
        self.check_end()?;
        let reserved = self.writer.reserve(frame.len() as u64, &self.frontier);
        reserved.map_err(|error| self.refuse(error))?;
        let place = self.writer.place(header.first_position);
        let written = self.writer.write(&frame);
        written.map_err(|error| self.refuse(error))?;
        // What was synced counts only where it is found again.
        self.core.check_place()?;
        self.gauge.written = self.gauge.written.saturating_add(frame.len() as u64);
        let before = std::mem::replace(&mut self.frontier, encoded.frontier.clone());
        held(&self.core.heads).last = LastFrame::Written { place, before };
        self.publish(group, &encoded, &Bytes::from(frame));
        Ok(Appended {
            tree_size: self.frontier.size(),
            root: header.root,
        })
    }

    fn frame_header(&self, frame: &[u8], encoded: &Encoded) -> Result<FrameHeader, AppendError> {
        let payload = frame.get(FRAME_HEADER_LEN..).unwrap_or(&[]);
        let count = encoded.frontier.size() - self.frontier.size();
        Ok(FrameHeader {
            payload_len: payload.len() as u64,
            first_position: self.frontier.size(),
            count: u32::try_from(count).map_err(|_| AppendError::Group("too many events"))?,
            block_count: u32::try_from(encoded.blocks.len())
                .map_err(|_| AppendError::Group("too many blocks"))?,
            previous_root: self.frontier.root(),
            root: encoded.frontier.root(),
            payload_crc: crc32c::crc32c(payload),
        })
    }

    /// Looks whether the log's files are still where they were opened, and hold what was written last.
    ///
    /// # Errors
    /// [`AppendError::Poisoned`] when they are not: from then on nothing is appended.
    pub fn check_files(&mut self) -> Result<(), AppendError> {
        self.check_end()?;
        let disk = self.core.options.disk.as_ref();
        for _ in 0..SEGMENTS_LOOKED_FOR {
            let Some(segment) = self.core.journal.segment(self.next_looked_for) else {
                self.next_looked_for = 0;
                break;
            };
            self.next_looked_for += 1;
            let checked = self.core.place.check_segment(disk, &segment);
            checked.map_err(|why| self.core.poison(LOOKING, why))?;
        }
        Ok(())
    }

    fn check_end(&self) -> Result<(), AppendError> {
        self.core.check_place()?;
        let stands = self.writer.last_stands();
        let cause = match stands {
            Ok(true) => return Ok(()),
            Ok(false) => format!(
                "{} does not hold the last frame any more: the file was written over while the ledger ran; \
                 stop the ledger before its directory is touched",
                Segment::path(self.writer.segment().first_position)
            ),
            Err(error) => with_causes(&error),
        };
        Err(self.core.poison(LOOKING, cause))
    }

    /// Refuses below the floor, before anything is written.
    fn check_space(&mut self, frame_len: u64) -> Result<(), AppendError> {
        let fresh = self
            .gauge
            .looked
            .is_some_and(|looked| looked.elapsed() < self.core.options.space_interval);
        if fresh && self.gauge.written.saturating_add(frame_len) < SPACE_BYTES {
            return Ok(());
        }
        let floor = self.core.options.free_floor_bytes;
        let free = self.core.options.disk.free_space();
        let free = free.map_err(|error| {
            self.core
                .poison("looking at free space", with_causes(&error))
        })?;
        if free < floor {
            self.gauge.looked = None;
            return Err(AppendError::NoSpace { free, floor });
        }
        self.gauge = SpaceGauge {
            looked: Some(Instant::now()),
            written: 0,
        };
        Ok(())
    }

    fn wait_for_feeder(&self) -> Result<(), AppendError> {
        let behind = |overlay: &mut crate::core::Overlay| {
            overlay.bytes > self.core.options.overlay_bytes && self.core.poison.get().is_none()
        };
        let waited = self
            .core
            .overlay_changed
            .wait_while(held(&self.core.overlay), behind);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        self.core.poisoned().map_or(Ok(()), Err)
    }

    fn refuse(&self, error: WriteError) -> AppendError {
        match error {
            WriteError::Full => {
                let free = self.core.options.disk.free_space().unwrap_or(0);
                AppendError::NoSpace {
                    free,
                    floor: self.core.options.segment_bytes,
                }
            }
            WriteError::Failed { at, source } => self.core.poison(at, with_causes(&source)),
        }
    }

    /// Makes a synced group visible: indexes first, then blocks, then the tree size.
    fn publish(&self, group: &Group, encoded: &Encoded, frame: &Bytes) {
        let first = self
            .frontier
            .size()
            .saturating_sub(group.records.len() as u64);
        let records = group.records.iter();
        let events = records.map(|record| (&record.keys, record.route.as_str()));
        self.core.index(first, events);
        let mut overlay = held(&self.core.overlay);
        for block in &encoded.blocks {
            overlay.bytes = overlay
                .bytes
                .saturating_add(block.end.saturating_sub(block.start));
            overlay.blocks.push_back(Pending {
                first_position: block.first_position,
                end_position: block.first_position.saturating_add(block.count.into()),
                bytes: frame.slice(block.start..block.end),
            });
        }
        drop(overlay);
        self.core.overlay_changed.notify_all();
        self.core
            .synced
            .store(self.frontier.size(), Ordering::Release);
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        held(&self.core.overlay).closed = true;
        self.core.overlay_changed.notify_all();
        if let Some(Err(panic)) = self.feeder.take().map(JoinHandle::join) {
            tracing::error!(?panic, "the feeding thread panicked");
        }
    }
}
