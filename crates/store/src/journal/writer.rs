//! The one writer of the journal.

use super::frame::{FRAME_HEADER_LEN, SEGMENT_HEADER_LEN, encode_segment_header};
use super::recover::{Recovered, Torn};
use super::{DIR, Frame, Journal, SPARE, Segment};
use crate::disk::{Disk, DiskFile};
use crate::error::ReadError;
use ledger_proof::Frontier;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Zeroes written at once when a torn tail is cut.
const CUT_BYTES: u64 = 1 << 20;

/// Why a frame was not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// There is no room for another segment; nothing was written.
    Full,
    /// Something failed midway: what is on the disk is unknown.
    Failed { at: &'static str, source: io::Error },
}

fn failed(at: &'static str) -> impl FnOnce(io::Error) -> WriteError {
    move |source| WriteError::Failed { at, source }
}

type Spare = JoinHandle<io::Result<Arc<dyn DiskFile>>>;

/// Appends frames to the newest segment, and prepares the next one in the background.
#[derive(Debug)]
pub(crate) struct JournalWriter {
    journal: Arc<Journal>,
    segment: Arc<Segment>,
    offset: u64,
    segment_len: u64,
    segment_bytes: u64,
    spare: Option<Spare>,
    /// The header of the last frame in the newest segment, and where it stands.
    last: Option<(u64, Vec<u8>)>,
}

impl JournalWriter {
    /// Starts a journal that has no segment yet.
    pub(crate) fn create(disk: &Arc<dyn Disk>, segment_bytes: u64) -> io::Result<Self> {
        disk.create_dir(DIR)?;
        let file = disk.create(SPARE, segment_bytes)?;
        let segment = install(disk.as_ref(), file, &Frontier::new())?;
        let journal = Arc::new(Journal::new(Arc::clone(disk), vec![Arc::clone(&segment)]));
        let mut writer = Self::new(journal, segment, SEGMENT_HEADER_LEN as u64, segment_bytes)?;
        writer.prepare()?;
        Ok(writer)
    }

    /// Goes on after the last whole frame. A torn tail must have been cut. The next segment is prepared at once if there is room for it, else
    /// when it is needed.
    pub(crate) fn resume(
        disk: &Arc<dyn Disk>,
        found: Recovered,
        segment_bytes: u64,
        has_room: bool,
    ) -> io::Result<Option<Self>> {
        let Some(segment) = found.segments.last().map(Arc::clone) else {
            return Ok(None);
        };
        // A spare half prepared by an earlier process says nothing about whether its zeroes are durable.
        if disk
            .list(DIR)?
            .iter()
            .any(|name| SPARE.ends_with(&format!("/{name}")))
        {
            disk.remove(SPARE)?;
        }
        let journal = Arc::new(Journal::new(Arc::clone(disk), found.segments));
        let mut writer = Self::new(journal, segment, found.offset, segment_bytes)?;
        if let Some(last) = found.last {
            let mut header = vec![0; FRAME_HEADER_LEN];
            writer.segment.file.read_at(&mut header, last)?;
            writer.last = Some((last, header));
        }
        if has_room {
            writer.prepare()?;
        }
        Ok(Some(writer))
    }

    fn new(
        journal: Arc<Journal>,
        segment: Arc<Segment>,
        offset: u64,
        segment_bytes: u64,
    ) -> io::Result<Self> {
        let segment_len = segment.file.len()?;
        Ok(Self {
            journal,
            segment,
            offset,
            segment_len,
            segment_bytes,
            spare: None,
            last: None,
        })
    }

    pub(crate) fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    fn prepare(&mut self) -> io::Result<()> {
        let disk = Arc::clone(&self.journal.disk);
        let len = self.segment_bytes;
        let thread = std::thread::Builder::new().name("journal-next".to_owned());
        self.spare = Some(thread.spawn(move || disk.create(SPARE, len))?);
        Ok(())
    }

    /// Makes sure that a frame of `frame_len` bytes has a place. Only here is space taken, so only here can it lack.
    pub(crate) fn reserve(
        &mut self,
        frame_len: u64,
        frontier: &Frontier,
    ) -> Result<(), WriteError> {
        if self.offset.saturating_add(frame_len) <= self.segment_len {
            return Ok(());
        }
        let need = frame_len.saturating_add(SEGMENT_HEADER_LEN as u64);
        let made = match self.spare.take() {
            Some(spare) => spare
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("preparing a segment panicked"))),
            None => self
                .journal
                .disk
                .create(SPARE, self.segment_bytes.max(need)),
        };
        let mut file = made.map_err(full_or("preparing a segment"))?;
        if need > self.segment_bytes {
            file = self
                .journal
                .disk
                .create(SPARE, need)
                .map_err(full_or("preparing a large segment"))?;
        }
        let segment = install(self.journal.disk.as_ref(), file, frontier)
            .map_err(failed("installing a segment"))?;
        self.segment_len = segment.file.len().map_err(failed("measuring a segment"))?;
        self.offset = SEGMENT_HEADER_LEN as u64;
        let full = std::mem::replace(&mut self.segment, Arc::clone(&segment));
        self.last = None;
        // Readers are served from sled.
        full.file.leave_cache();
        self.journal.add(segment);
        self.prepare()
            .map_err(failed("starting the thread that prepares segments"))
    }

    /// Where the next frame goes, once it is reserved.
    pub(crate) fn place(&self, position: u64) -> Place {
        Place {
            segment: Arc::clone(&self.segment),
            offset: self.offset,
            position,
        }
    }

    /// Writes a frame and syncs it. It must have been reserved. Durable on return; after an error, unknown.
    pub(crate) fn write(&mut self, frame: &[u8]) -> Result<(), WriteError> {
        self.segment
            .file
            .write_at(frame, self.offset)
            .map_err(failed("writing a frame"))?;
        self.segment
            .file
            .sync()
            .map_err(failed("syncing a frame"))?;
        let header = frame.get(..FRAME_HEADER_LEN).unwrap_or(frame);
        self.last = Some((self.offset, header.to_vec()));
        self.offset = self.offset.saturating_add(frame.len() as u64);
        Ok(())
    }
}

impl JournalWriter {
    /// Whether the last frame still stands where it was written: a copy that was written over the file, in place, has another one
    /// there, or none. The next frame would stand behind a gap.
    pub(crate) fn last_stands(&self) -> io::Result<bool> {
        let Some((offset, written)) = &self.last else {
            return Ok(true);
        };
        let mut found = vec![0; written.len()];
        let read = self.segment.file.read_at(&mut found, *offset)?;
        Ok(read == written.len() && found == *written)
    }

    /// The segment that is written.
    pub(crate) fn segment(&self) -> &Segment {
        &self.segment
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        // The directory may be opened again at once: nobody may still be writing into it.
        if let Some(Err(panic)) = self.spare.take().map(JoinHandle::join) {
            tracing::error!(?panic, "preparing a journal segment panicked");
        }
    }
}

fn full_or(at: &'static str) -> impl FnOnce(io::Error) -> WriteError {
    move |source| {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        if full.contains(&source.kind()) {
            WriteError::Full
        } else {
            WriteError::Failed { at, source }
        }
    }
}

/// Turns the spare into the segment after the leaves of `frontier`: its header is durable before it has a name.
fn install(
    disk: &dyn Disk,
    file: Arc<dyn DiskFile>,
    frontier: &Frontier,
) -> io::Result<Arc<Segment>> {
    file.write_at(&encode_segment_header(frontier), 0)?;
    file.sync()?;
    disk.rename(SPARE, &Segment::path(frontier.size()))?;
    disk.sync_dir(DIR)?;
    Ok(Arc::new(Segment {
        first_position: frontier.size(),
        file,
    }))
}

/// Puts zeroes in place of a torn frame. Durable on return.
pub(crate) fn cut(segment: &Segment, torn: &Torn) -> io::Result<()> {
    let mut at = torn.offset;
    while at < torn.end {
        let len = usize::try_from((torn.end - at).min(CUT_BYTES)).map_err(io::Error::other)?;
        segment.file.write_at(&vec![0; len], at)?;
        at = at.saturating_add(len as u64);
    }
    segment.file.sync()
}

/// Where a frame is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    segment: Arc<Segment>,
    offset: u64,
    position: u64,
}

impl Place {
    /// Reads the frame from the disk.
    pub(crate) fn read(&self) -> Result<Frame, ReadError> {
        let header = self.segment.frame_header(self.offset)?;
        let Some(header) = header else {
            return Err(self.segment.damage(self.position, self.offset, true));
        };
        let Some(payload) = self.segment.payload(self.offset, &header)? else {
            return Err(self.segment.damage(self.position, self.offset, false));
        };
        Ok(Frame {
            segment: self.segment.first_position,
            offset: self.offset,
            header,
            payload,
        })
    }
}
