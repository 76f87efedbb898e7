//! Checking a log against itself, from end to end.
//!
//! It reads every segment and frame of the journal, every leaf with its data and its command, every block and index in sled, and
//! the stored head, and says what does not agree. It never repairs: the journal cannot be, and sled repairs itself when it is read
//! or opened.

use crate::copies::{Copies, CopyFault, Stored};
use crate::core::{Core, held};
use crate::error::{Damage, OpenError, ReadError, SledFault, Witness};
use crate::head;
use crate::index::keys::EventKeys;
use crate::index::sealed::{IndexFault, SealedIndex};
use crate::index::tail::EpochTail;
use crate::journal::frame::SEGMENT_HEADER_LEN;
use crate::journal::recover::{self, Torn, check_frame};
use crate::journal::{Frame, Journal, Segment};
use crate::log::Log;
use crate::open::lock_shared;
use crate::options::Options;
use ledger_proof::block::{BlockError, BlockHeader, Content, Decoder, StoredEvent};
use ledger_proof::submission::{SubmissionError, SubmissionFault, SubmissionVerifier, commands_of};
use ledger_proof::verify::{CheckedRun, LeafFault};
use ledger_proof::{Frontier, Hash, SignedTreeHead, VerifierKey, leaf_hash};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Findings that a report lists: a lost database would give one for every block.
const LISTED_MAX: usize = 1000;

/// What a scrub found wrong, at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The first position concerned.
    pub position: u64,
    /// What is wrong.
    pub what: Fault,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The journal is damaged.
    #[error(transparent)]
    Journal(Damage),
    /// The journal could not be read.
    #[error("the journal could not be read: {0}")]
    Unreadable(String),
    /// An event is not what it should be.
    #[error(transparent)]
    Leaf(LeafFault),
    /// The commands kept are not those that the events came of.
    #[error(transparent)]
    Submission(SubmissionFault),
    /// An event was recorded before the one ahead of it.
    #[error("recorded at {found}, before the event ahead of it ({previous})")]
    Time {
        /// Its time.
        found: String,
        /// The time ahead of it.
        previous: String,
    },
    /// sled lacks a block that it was fed.
    #[error("the block is missing in sled")]
    BlockMissing,
    /// sled's block is not the journal's.
    #[error("the block in sled is not the journal's")]
    BlockDiffers,
    /// A sled database failed.
    #[error("sled failed: {0}")]
    Sled(String),
    /// The index of an epoch is missing or is not what indexing it anew gives.
    #[error("the index of epoch {epoch} is not what its events give")]
    Index {
        /// The epoch.
        epoch: u32,
    },
}

/// What a scrub did and found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScrubReport {
    /// Positions checked: the tree size, unless the journal is damaged.
    pub tree_size: u64,
    /// The root that the leaves give; nothing when some could not be read.
    pub root: Option<Hash>,
    /// Blocks checked.
    pub blocks: u64,
    /// Epochs whose index was compared.
    pub epochs: u64,
    /// Events whose data is withheld and could not be compared.
    pub withheld: u64,
    /// Bytes of a torn last frame: never acknowledged, cut at the next opening, no damage.
    pub torn_bytes: u64,
    /// Positions at the log's end that sled does not have yet, as after a crash: fed at the next opening, no damage.
    pub unfed: u64,
    /// Events in full epochs that have no index yet: indexed at the next opening, no damage.
    pub unindexed: u64,
    /// The data of the event at position 0, for whoever knows what it means; nothing when it is withheld or cannot be read.
    pub opening: Option<Vec<u8>>,
    /// Files beside the journal that cannot be used, with what is wrong with each.
    pub files: Vec<String>,
    /// The things that were not compared, with the reasons.
    pub not_compared: Vec<String>,
    /// What is wrong, in the order it was found: the first 1,000 of it.
    pub findings: Vec<Finding>,
    /// How many findings there were beside those.
    pub more_findings: u64,
}

struct Scrub<'a> {
    journal: &'a Journal,
    stored: Stored<'a>,
    sealed: Option<&'a SealedIndex>,
    epoch_bits: u8,
    shard_bits: u8,
    /// Positions below this must be in sled.
    applied: u64,
    /// Epochs below this must be sealed.
    sealed_epochs: u32,
    /// What is in sled shows that the log had this size.
    fed: u64,
    /// So do the indexes.
    indexed: u64,
    head: Option<SignedTreeHead>,
    /// What stands behind the last whole frame.
    torn: Option<Torn>,
    /// The tree over all leaves so far, while none is missing.
    frontier: Option<Frontier>,
    time: String,
    epoch: Option<EpochTail>,
    ledger: &'a str,
    submissions: SubmissionVerifier,
    decoder: Decoder,
    report: ScrubReport,
}

impl Log {
    /// Checks everything synced so far while the log goes on. `progress` gets positions done and positions to do.
    ///
    /// # Errors
    /// None of the log's own damage, which is in the report.
    pub fn scrub(&self, mut progress: impl FnMut(u64, u64)) -> ScrubReport {
        let core: &Core = self.core();
        let applied = core.applied.load(Ordering::Acquire);
        let sealed_epochs = core.sealed.epochs();
        let mut scrub = Scrub {
            journal: &core.journal,
            stored: Stored::Open(&core.shards),
            sealed: Some(&core.sealed),
            epoch_bits: core.options.epoch_bits,
            shard_bits: core.options.shard_bits,
            applied,
            sealed_epochs,
            fed: applied,
            indexed: core.epoch_start(sealed_epochs),
            torn: None,
            head: held(&core.heads).newest.clone(),
            frontier: Some(Frontier::new()),
            time: String::new(),
            epoch: None,
            ledger: &core.options.ledger_id,
            submissions: SubmissionVerifier::default(),
            decoder: Decoder::default(),
            report: ScrubReport::default(),
        };
        let on = |done, all| {
            progress(done, all);
            ControlFlow::Continue(())
        };
        scrub.walk(Some(core.synced()), on);
        scrub.report
    }
}

/// The data of the event at position 0 of the log in a directory, read without writing; nothing where there is none, or where it
/// is withheld.
///
/// # Errors
/// [`OpenError`] when it cannot be read.
pub fn opening(options: &Options) -> Result<Option<Vec<u8>>, OpenError> {
    let segments = recover::segments(options.disk.as_ref())?;
    if segments.is_empty() {
        return Ok(None);
    }
    let journal = Journal::new(Arc::clone(&options.disk), segments);
    let (_, block) = journal.block_at(0)?;
    let mut decoder = Decoder::default();
    let position = 0;
    let fault = |source| OpenError::from(ReadError::Block { position, source });
    let events = decoder.events(&block).map_err(fault)?;
    let first = (&events).into_iter().next().transpose().map_err(fault)?;
    Ok(first.and_then(|event| match event.content {
        Content::Present { data, .. } => Some(data.to_vec()),
        Content::Withheld { .. } => None,
    }))
}

/// Checks the log in a directory that no process has open, and changes nothing there: sled's databases, which sled writes to when it
/// opens them, are read in copies, and not compared where there is no room for any. `key` is the one that heads must be signed with.
/// `progress` gets positions done and positions to do, and says whether to go on.
///
/// # Errors
/// [`OpenError`] when the directory is in use or the operating system refuses, or [`OpenError::Stopped`] as `progress` said. Damage is in
/// the report.
pub fn scrub(
    options: &Options,
    key: &VerifierKey,
    mut progress: impl FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<ScrubReport, OpenError> {
    options.check()?;
    let _lock = lock_shared(&options.dir)?;
    let mut report = ScrubReport::default();
    let (end, torn) = match recover::recover(options.disk.as_ref()) {
        Ok(Some(found)) => (Some(found.frontier.size()), found.torn),
        Ok(None) => (Some(0), None),
        // Where it ends shows when it is walked through.
        Err(OpenError::Damaged { .. } | OpenError::Read(_)) => (None, None),
        Err(error) => return Err(error),
    };
    let segments = match recover::segments(options.disk.as_ref()) {
        Ok(segments) => segments,
        Err(OpenError::Damaged { position, what, .. }) => {
            report.add(position, Fault::Journal(what));
            return Ok(report);
        }
        Err(error) => return Err(error),
    };
    let journal = Journal::new(Arc::clone(&options.disk), segments);
    let databases = Databases::copy(options, end, &mut report);
    let mut scrub = Scrub {
        journal: &journal,
        stored: databases.stored,
        sealed: databases.sealed.as_ref(),
        epoch_bits: options.epoch_bits,
        shard_bits: options.shard_bits,
        applied: databases.applied,
        sealed_epochs: databases.sealed_epochs,
        fed: databases.fed,
        indexed: databases.indexed,
        torn,
        head: None,
        frontier: Some(Frontier::new()),
        time: String::new(),
        epoch: None,
        ledger: &options.ledger_id,
        submissions: SubmissionVerifier::default(),
        decoder: Decoder::default(),
        report,
    };
    scrub.load_head(options, key);
    let mut stopped = false;
    scrub.walk(end, |done, all| {
        let on = progress(done, all);
        stopped |= on.is_break();
        on
    });
    if stopped {
        return Err(OpenError::Stopped);
    }
    Ok(scrub.report)
}

/// Copies of sled's databases, and what they show.
struct Databases {
    stored: Stored<'static>,
    sealed: Option<SealedIndex>,
    applied: u64,
    fed: u64,
    sealed_epochs: u32,
    indexed: u64,
}

impl Databases {
    fn copy(options: &Options, end: Option<u64>, report: &mut ScrubReport) -> Self {
        let mut found = Self {
            stored: Stored::Not,
            sealed: None,
            applied: 0,
            fed: 0,
            sealed_epochs: 0,
            indexed: 0,
        };
        let mut copies = match Copies::new(options.dir.join("log"), options.sled_cache_bytes) {
            Ok(copies) => copies,
            Err(why) => {
                report.not_compared(&why);
                return found;
            }
        };
        match copies.index(options.epoch_bits) {
            Ok(Some(sealed)) => {
                match sealed.stated_epochs() {
                    Ok(epochs) => found.sealed_epochs = epochs,
                    Err(fault) => report.add(0, sled(&fault)),
                }
                found.indexed = u64::from(sealed.epochs()) << options.epoch_bits;
                found.sealed = Some(sealed);
            }
            Ok(None) => {}
            Err(CopyFault::Sled(fault)) => report.add(0, sled(&fault)),
            Err(CopyFault::NotCopied(why)) => {
                report.not_compared(&why);
                return found;
            }
        }
        match newest_end(&mut copies, options.shard_bits) {
            Ok(fed) => (found.applied, found.fed) = (fed, fed),
            Err(CopyFault::Sled(fault)) => {
                report.add(0, sled(&fault));
                found.applied = end.unwrap_or(u64::MAX);
            }
            Err(CopyFault::NotCopied(why)) => {
                report.not_compared(&why);
                return found;
            }
        }
        found.stored = Stored::Copied(Box::new(copies));
        found
    }
}

impl ScrubReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && self.files.is_empty()
    }

    /// sled's databases, or the rest of them, are not compared.
    fn not_compared(&mut self, why: &str) {
        let what = format!("blocks and indexes in log/ (copies of the journal): {why}");
        self.not_compared.push(what);
    }

    fn add(&mut self, position: u64, what: Fault) {
        if self.findings.len() >= LISTED_MAX {
            self.more_findings += 1;
            return;
        }
        tracing::warn!(position, %what, "scrub found something");
        self.findings.push(Finding { position, what });
    }
}

fn sled(fault: &SledFault) -> Fault {
    Fault::Sled(crate::feed::with_causes(fault))
}

/// The position after the newest block in sled: what is before it was fed once. A shard is made when those before it are full.
fn newest_end(copies: &mut Copies, shard_bits: u8) -> Result<u64, CopyFault> {
    let Some(newest) = copies.newest() else {
        return Ok(0);
    };
    let shard = copies.shard(newest)?;
    let highest = shard.highest_key().map_err(CopyFault::Sled)?;
    let highest = highest.map_or(0, |key| key.saturating_add(1));
    let end = shard.end().map_err(CopyFault::Sled)?.unwrap_or(highest);
    Ok(end.max(u64::from(newest) << shard_bits))
}

impl Scrub<'_> {
    fn load_head(&mut self, options: &Options, key: &VerifierKey) {
        match head::load(options.disk.as_ref(), &options.dir, key) {
            Ok(head) => self.head = head,
            Err(error) => self.report.files.push(error.to_string()),
        }
    }

    /// Goes through the journal up to `end`, or as far as it goes, or until `progress` says to stop: then the report is of no use.
    fn walk(&mut self, end: Option<u64>, mut progress: impl FnMut(u64, u64) -> ControlFlow<()>) {
        let mut reached = Ok(0);
        self.check_head();
        let segments = self.journal.segments();
        let nexts = segments
            .iter()
            .skip(1)
            .map(|next| Some(next.first_position));
        for (segment, next) in segments.iter().zip(nexts.chain([None])) {
            // One made since the end was looked at is no part of what is checked.
            if end.is_none_or(|end| segment.first_position <= end) {
                self.segment_header(segment);
                reached = self.segment(segment, next, end, &mut progress);
            }
        }
        let at = reached.unwrap_or_else(|lost| lost);
        if progress(at, at).is_break() {
            return;
        }
        self.report.tree_size = at;
        if !matches!(self.stored, Stored::Not) {
            self.report.unfed = at.saturating_sub(self.applied);
            let unsealed = (at >> self.epoch_bits).saturating_sub(self.sealed_epochs.into());
            self.report.unindexed = unsealed << self.epoch_bits;
        }
        let whole = self.submissions.expect_whole(at);
        self.submission(whole);
        if reached.is_ok() {
            self.check_end(at, segments.last());
        }
        self.report.root = self.frontier.as_ref().map(Frontier::root);
    }

    /// A segment's header holds, and names the roots that the leaves so far give.
    fn segment_header(&mut self, segment: &Segment) {
        let position = segment.first_position;
        let fault = match (segment.frontier(), &self.frontier) {
            (Err(error), _) => fault_of(error),
            (Ok(stated), Some(frontier)) if stated != *frontier => {
                Fault::Journal(Damage::SegmentRoots {
                    segment: Segment::name(position),
                })
            }
            (Ok(_), _) => return,
        };
        self.report.add(position, fault);
    }

    /// Goes through a segment's frames, up to `end` if that lies in it. Gives the position after the last; as an error, where
    /// the segment goes on and cannot be read.
    fn segment(
        &mut self,
        segment: &Segment,
        next: Option<u64>,
        end: Option<u64>,
        progress: &mut impl FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<u64, u64> {
        let mut at = segment.first_position;
        let mut offset = SEGMENT_HEADER_LEN as u64;
        let stop = [next, end].into_iter().flatten().min();
        while stop.is_none_or(|stop| at < stop) {
            if progress(at, end.unwrap_or(self.fed).max(at)).is_break() {
                return Err(at);
            }
            let error = match self.journal.frame_at(at) {
                Ok(frame) => {
                    self.frame(&frame);
                    at = frame.header.end_position();
                    offset = frame.offset.saturating_add(frame.header.frame_len());
                    continue;
                }
                Err(error) => error,
            };
            if stop.is_none()
                && let Some(torn) = self.journal.ends_at(at, &error)
            {
                self.torn = (torn.end > torn.offset).then_some(torn);
                return Ok(at);
            }
            self.report.add(at, fault_of(error));
            self.lose();
            // After its frame, if that says how long it is; else the rest of the segment is lost.
            (at, offset) = self.journal.after(at).ok_or(at)?;
        }
        if next == Some(at) {
            self.tail(segment, offset, at);
        }
        Ok(at)
    }

    /// Only zeroes follow the last frame of a segment that another one follows.
    fn tail(&mut self, segment: &Segment, offset: u64, position: u64) {
        let fault = match segment.first_written(offset) {
            Ok(None) => return,
            Ok(Some(offset)) => Fault::Journal(Damage::SegmentTail {
                segment: Segment::name(segment.first_position),
                offset,
            }),
            Err(error) => fault_of(error),
        };
        self.report.add(position, fault);
    }

    /// Whether something shows that the log was longer than its journal; then what seems torn is damaged.
    fn check_end(&mut self, at: u64, newest: Option<&Arc<Segment>>) {
        let head = self.head.as_ref().map_or(0, |head| head.head().size);
        let is_longer = head.max(self.fed).max(self.indexed) > at;
        if let (Some(torn), Some(newest)) = (self.torn, newest) {
            if is_longer {
                let header = newest.frame_header(torn.offset);
                let header_too = !header.is_ok_and(|header| header.is_some());
                let damage = newest.damage(at, torn.offset, header_too);
                self.report.add(at, fault_of(damage));
                self.frontier = None;
            } else {
                self.report.torn_bytes = torn.end.saturating_sub(torn.offset);
            }
        }
        self.check_reached(at, head, Witness::Head);
        self.check_reached(at, self.fed, Witness::Blocks);
        self.check_reached(at, self.indexed, Witness::Index);
    }

    /// Some of the log could not be read: what rests on all of it cannot be computed any more.
    fn lose(&mut self) {
        self.frontier = None;
        self.epoch = None;
        self.submissions.lose();
    }

    fn submission(&mut self, checked: Result<(), SubmissionError>) {
        if let Err(error) = checked {
            self.report
                .add(error.position, Fault::Submission(error.fault));
        }
    }

    fn frame(&mut self, frame: &Frame) {
        if let Some(frontier) = &self.frontier {
            let mut after = frontier.clone();
            if let Err(error) = check_frame(frame, &mut after, &mut self.decoder) {
                self.report
                    .add(frame.header.first_position, fault_of(error));
            }
        }
        let blocks = match frame.blocks() {
            Ok(blocks) => blocks,
            Err(error) => {
                self.report
                    .add(frame.header.first_position, fault_of(error));
                self.lose();
                return;
            }
        };
        for (header, bytes) in blocks {
            self.report.blocks += 1;
            self.block(&header, &bytes);
            self.stored(&header, &bytes);
        }
    }

    fn block(&mut self, header: &BlockHeader, bytes: &[u8]) {
        let position = header.first_position;
        if let Err(source) = self.contents(bytes) {
            self.report
                .add(position, fault_of(ReadError::Block { position, source }));
            self.lose();
        }
    }

    fn contents(&mut self, bytes: &[u8]) -> Result<(), BlockError> {
        let contents = self.decoder.all(bytes)?;
        let parts = contents.submissions()?;
        let mut commands = commands_of(&parts).into_iter().peekable();
        for event in contents.events() {
            let event = event?;
            while let Some(command) = commands.next_if(|next| next.place <= event.position) {
                let checked = self.submissions.command(self.ledger, &command);
                self.submission(checked);
            }
            self.event(&event);
        }
        if let Some(command) = commands.next() {
            self.submissions.lose();
            self.submission(Err(command.misplaced()));
        }
        Ok(())
    }

    fn event(&mut self, event: &StoredEvent<'_>) {
        let payload = event.content.into();
        if let (0, Content::Present { data, .. }) = (event.position, event.content) {
            self.report.opening = Some(data.to_vec());
        }
        match CheckedRun::new(event.position).check(event.header, &payload) {
            Ok(header) => {
                if header.time < self.time.as_str() {
                    let (found, previous) = (header.time.to_owned(), self.time.clone());
                    self.report
                        .add(event.position, Fault::Time { found, previous });
                }
                header.time.clone_into(&mut self.time);
                let checked = self.submissions.event(&header);
                self.submission(checked);
            }
            Err(error) => {
                self.report.add(event.position, Fault::Leaf(error.fault));
                self.submissions.lose();
            }
        }
        self.report.withheld += u64::from(matches!(
            payload,
            ledger_proof::delivered::Payload::Withheld { .. }
        ));
        let leaf = leaf_hash(event.header);
        if let Some(frontier) = &mut self.frontier {
            frontier.push(leaf);
        }
        self.check_head();
        self.index(event, leaf);
    }

    /// Collects the epoch's keys, and compares them at its end.
    fn index(&mut self, event: &StoredEvent<'_>, leaf: Hash) {
        let mask = (1_u64 << self.epoch_bits) - 1;
        let epoch = u32::try_from(event.position >> self.epoch_bits).unwrap_or(u32::MAX);
        if event.position & mask == 0 {
            self.epoch = Some(EpochTail::new(epoch));
        }
        let Some(tail) = &mut self.epoch else {
            return;
        };
        // An event whose header does not parse is in the report already.
        if let Ok((keys, _)) = EventKeys::of(event.header, leaf) {
            tail.push(&keys, event.route);
        }
        if event.position & mask == mask && epoch < self.sealed_epochs {
            self.report.epochs += 1;
            let differs = match self.sealed {
                Some(sealed) if epoch < sealed.epochs() => sealed.differs(tail),
                Some(_) | None => Ok(true),
            };
            match differs {
                Ok(false) => {}
                Ok(true) | Err(IndexFault::Epoch(_)) => self
                    .report
                    .add(event.position & !mask, Fault::Index { epoch }),
                Err(IndexFault::Sled(fault)) => {
                    self.report.add(event.position & !mask, sled(&fault));
                }
            }
        }
    }

    /// Compares sled's block with the journal's.
    fn stored(&mut self, header: &BlockHeader, bytes: &[u8]) {
        let position = header.first_position;
        if position >= self.applied {
            return;
        }
        if matches!(self.stored, Stored::Not) {
            return;
        }
        let number = u32::try_from(position >> self.shard_bits).unwrap_or(u32::MAX);
        if !self.stored.exists(number) {
            return self.report.add(position, Fault::BlockMissing);
        }
        match self.stored.raw(number, position) {
            Ok(Some(stored)) if stored.as_ref() == bytes => {}
            Ok(Some(_)) => self.report.add(position, Fault::BlockDiffers),
            Ok(None) => self.report.add(position, Fault::BlockMissing),
            Err(CopyFault::Sled(fault)) => self.report.add(position, sled(&fault)),
            Err(CopyFault::NotCopied(why)) => {
                self.report
                    .not_compared(&format!("from position {position} on: {why}"));
                self.stored = Stored::Not;
            }
        }
    }

    /// Compares the head's root where the tree has its size.
    fn check_head(&mut self) {
        let (Some(frontier), Some(head)) = (&self.frontier, &self.head) else {
            return;
        };
        let size = head.head().size;
        if frontier.size() == size {
            if frontier.root() != head.head().root {
                self.report
                    .add(size, Fault::Journal(Damage::HeadRoot { size }));
            }
            self.head = None;
        }
    }

    /// A head of a size that the tree never had, or a block behind its end, shows that the log was longer.
    fn check_reached(&mut self, journal: u64, known: u64, witness: Witness) {
        if known > journal {
            self.report.add(
                journal,
                Fault::Journal(Damage::Shorter {
                    journal,
                    known,
                    witness,
                }),
            );
        }
    }
}

fn fault_of(error: ReadError) -> Fault {
    match error {
        ReadError::Damaged { what, .. } => Fault::Journal(what),
        other @ (ReadError::Io(_)
        | ReadError::Sled(_)
        | ReadError::Poisoned(_)
        | ReadError::Beyond { .. }
        | ReadError::Block { .. }) => Fault::Unreadable(crate::feed::with_causes(&other)),
    }
}
