//! The reading half of a log.

use crate::append::Appender;
use crate::core::{Core, held};
use crate::disk::FileId;
use crate::error::{AppendError, OpenError, ReadError};
use crate::head::{self, HeadError};
use crate::index::keys::{CommandKey, Kind};
use crate::index::sealed::TILE_LEAVES;
use crate::open::{self, Recovery};
use crate::options::Options;
use bytes::{Bytes, BytesMut};
use ledger_proof::block::{BlockError, BlockHeader, Decoder, KeptCommand, SubmissionPart};
use ledger_proof::{Frontier, Hash, LedgerKey, SignedTreeHead, leaf_hash};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use uuid::Uuid;

/// Where a command's events are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Position of its first event.
    pub first_position: u64,
    /// How many events it made.
    pub events: u32,
}

/// A command as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Its bytes as received.
    Bytes(Vec<u8>),
    /// Their SHA-256, because the command was refused or its bytes were erased.
    Digest([u8; 32]),
}

/// A command of a recorded submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCommand {
    /// The command.
    pub command: Kept,
    /// Where its events are; nothing when it was refused.
    pub found: Option<Found>,
}

/// A submission as it was recorded: with the ledger's id, all that its manifest is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedSubmission {
    /// Position of its first event.
    pub first_position: u64,
    /// Who submitted it.
    pub partner: String,
    /// The signature header as received.
    pub signature: Option<String>,
    /// All its commands, in order.
    pub commands: Vec<RecordedCommand>,
}

/// Reads a log. Cheap to clone; any number of threads may read while one appends.
///
/// Everything up to [`Log::tree_size`] is durable, readable and indexed.
#[derive(Debug, Clone)]
pub struct Log {
    core: Arc<Core>,
}

impl Log {
    /// Opens a log, or makes one.
    ///
    /// Checks every frame of the newest journal segment, cuts a torn tail, and feeds sled what it lacks.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] names the first position that cannot be vouched for. Nothing was changed then, if the damage is in the
    /// newest segment or shows against it. What needs an older one (feeding sled what it lacks, a stored head from before the newest
    /// segment) is looked at last: by then a torn tail may have been cut and sled fed.
    pub fn open(options: Options) -> Result<(Self, Appender, Recovery), OpenError> {
        open::open(options)
    }

    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// The ledger's key.
    pub fn key(&self) -> &LedgerKey {
        &self.core.key
    }

    /// Last synced position + 1.
    pub fn tree_size(&self) -> u64 {
        self.core.synced()
    }

    /// The stored bytes of the block that holds a position (`ledger_proof::block` decodes them), checksum verified.
    ///
    /// # Errors
    /// [`ReadError::Beyond`] at or after the tree size; others when journal and sled both fail.
    pub fn read_block(&self, position: u64) -> Result<Bytes, ReadError> {
        self.core.read_block(position)
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.core.options.dir
    }

    /// Which file the lock is that this process holds: a copy of the directory has another one.
    pub fn lock_id(&self) -> FileId {
        self.core.place.lock()
    }

    /// Looks whether the log's files are still where they were opened.
    ///
    /// # Errors
    /// [`AppendError::Poisoned`] when they are not, or when the log is poisoned already: nothing is appended any more.
    pub fn check_files(&self) -> Result<(), AppendError> {
        self.core.check_place()
    }

    /// Bytes free on the disk of the log, as an append looks at them.
    ///
    /// # Errors
    /// [`ReadError::Io`] when the system cannot say.
    pub fn free_space(&self) -> Result<u64, ReadError> {
        Ok(self.core.options.disk.free_space()?)
    }

    /// Stored blocks from the one that holds the range's start up to the one that holds its last position, back to back: at least one, then
    /// while they fit in `max_bytes`. Also the position after them. Empty at the tree size, and where the range is.
    ///
    /// # Errors
    /// As [`Log::read_block`].
    pub fn stored_blocks(
        &self,
        range: Range<u64>,
        max_bytes: usize,
    ) -> Result<(Bytes, u64), ReadError> {
        let end = range.end.min(self.tree_size());
        // Enough for an answer whose last block almost fits; one that asks for more than there is gets no more than that.
        let mut out = BytesMut::with_capacity(max_bytes.min(1 << 20));
        let mut at = range.start;
        while at < end {
            let block = self.core.scan_block(at)?;
            if !out.is_empty() && out.len() + block.len() > max_bytes {
                break;
            }
            let header = BlockHeader::read(&block).map_err(|source| ReadError::Block {
                position: at,
                source,
            })?;
            out.extend_from_slice(&block);
            at = header.end_position();
        }
        Ok((out.freeze(), at))
    }

    /// Where a command's events are, if it was accepted. Sees everything synced.
    ///
    /// # Errors
    /// [`ReadError`] when the index fails and cannot be repaired.
    pub fn find_command(&self, key: &CommandKey) -> Result<Option<Found>, ReadError> {
        let mut out = Vec::new();
        let until = self.in_tails(Kind::Command, key.as_bytes(), &mut out);
        let continued = out
            .first()
            .is_some_and(|first| *first == self.core.epoch_start(until));
        if out.is_empty() || continued {
            let sealed = self.core.with_index(|index| {
                let mut sealed = Vec::new();
                index.command(*key, until, &mut sealed)?;
                Ok(sealed)
            })?;
            out.extend(sealed);
            out.sort_unstable();
        }
        let events = u32::try_from(out.len()).unwrap_or(u32::MAX);
        Ok(out.first().map(|first| Found {
            first_position: *first,
            events,
        }))
    }

    /// The positions of a commitment's events, ascending, from `from` on, at most `limit`.
    ///
    /// # Errors
    /// As [`Log::find_command`].
    pub fn commitment_positions(
        &self,
        commitment: &Uuid,
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>, ReadError> {
        self.positions(Kind::Commitment, commitment.as_bytes(), from, limit)
    }

    /// The positions of a country's events (by ISO 3166-1 alpha-3 code), ascending, from `from` on, at most `limit`.
    ///
    /// # Errors
    /// As [`Log::find_command`].
    pub fn country_positions(
        &self,
        country: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>, ReadError> {
        self.positions(Kind::Country, country.as_bytes(), from, limit)
    }

    /// The positions of an action's events, ascending, from `from` on, at most `limit`.
    ///
    /// # Errors
    /// As [`Log::find_command`].
    pub fn action_positions(
        &self,
        action: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>, ReadError> {
        self.positions(Kind::Action, action.as_bytes(), from, limit)
    }

    /// The positions of all events whose subject is no commitment: what `decide` needs whole.
    ///
    /// # Errors
    /// As [`Log::find_command`].
    pub fn reference_positions(&self) -> Result<Vec<u64>, ReadError> {
        self.positions(Kind::Reference, b"", 0, usize::MAX)
    }

    fn positions(
        &self,
        kind: Kind,
        key: &[u8],
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>, ReadError> {
        let mut recent = Vec::new();
        let until = self.in_tails(kind, key, &mut recent);
        let first_epoch = self.core.epoch_of(from);
        let start = self.core.epoch_start(first_epoch);
        // The first epoch may hold positions before `from`, at most as many as it has.
        let within = usize::try_from(from - start).unwrap_or(usize::MAX);
        let wanted = limit.saturating_add(within);
        let mut out = self.core.with_index(|index| {
            let mut out = Vec::new();
            index.positions(kind, key, first_epoch, until, wanted, &mut out)?;
            Ok(out)
        })?;
        out.extend(recent);
        out.retain(|position| *position >= from);
        out.truncate(limit);
        Ok(out)
    }

    /// Looks into the unsealed tail; gives the epoch it begins with, before which the sealed index must be asked.
    fn in_tails(&self, kind: Kind, key: &[u8], out: &mut Vec<u64>) -> u32 {
        let tails = self
            .core
            .tails
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        for tail in tails.iter() {
            tail.positions(kind, key, self.core.epoch_start(tail.epoch), out);
        }
        tails
            .iter()
            .next()
            .map_or_else(|| self.core.sealed.epochs(), |tail| tail.epoch)
    }

    /// The submission that the event at a position came in; nothing for an event of none (the log's opening).
    ///
    /// # Errors
    /// As [`Log::read_block`].
    pub fn submission_of(&self, position: u64) -> Result<Option<RecordedSubmission>, ReadError> {
        let mut decoder = Decoder::default();
        let covers = |command: &RecordedCommand| {
            command.found.is_some_and(|found| {
                (found.first_position..found.first_position + u64::from(found.events))
                    .contains(&position)
            })
        };
        // A command stands in the block of its first event, and its events are consecutive.
        let mut at = position;
        let part = loop {
            let block = self.read_block(at)?;
            let (parts, start, _) = decode_parts(&block, at, &mut decoder)?;
            if let Some(part) = parts
                .into_iter()
                .find(|part| part.submission.commands.iter().any(covers))
            {
                break part;
            }
            let Some(before) = start.checked_sub(1) else {
                return Ok(None);
            };
            // A command makes at most so many events, so none further back made this one: it is of no submission, as the log's
            // opening is.
            at = before;
            if position - at > u64::from(u16::MAX) {
                return Ok(None);
            }
        };
        self.whole_submission(part, &mut decoder).map(Some)
    }

    /// Follows a submission's parts from its first block on.
    fn whole_submission(
        &self,
        part: Part,
        decoder: &mut Decoder,
    ) -> Result<RecordedSubmission, ReadError> {
        if part.first_index == 0 && part.submission.commands.len() == part.total {
            return Ok(part.submission);
        }
        let first_position = part.submission.first_position;
        let mut whole = RecordedSubmission {
            commands: Vec::new(),
            ..part.submission
        };
        let mut at = first_position;
        while whole.commands.len() < part.total {
            let block = self.read_block(at)?;
            let (parts, _, end) = decode_parts(&block, at, decoder)?;
            let mut own = parts
                .into_iter()
                .filter(|other| other.submission.first_position == first_position);
            whole
                .commands
                .extend(own.by_ref().flat_map(|other| other.submission.commands));
            at = end;
        }
        Ok(whole)
    }

    /// The command whose event stands at a position, as kept.
    ///
    /// # Errors
    /// As [`Log::read_block`].
    pub fn command_of(&self, position: u64) -> Result<Option<Kept>, ReadError> {
        let submission = self.submission_of(position)?;
        let commands = submission
            .into_iter()
            .flat_map(|submission| submission.commands);
        let mut covering = commands.filter(|command| {
            command.found.is_some_and(|found| {
                (found.first_position..found.first_position + u64::from(found.events))
                    .contains(&position)
            })
        });
        Ok(covering.next().map(|command| command.command))
    }

    /// The newest signed tree head; none before the first [`Log::sign_head`].
    pub fn signed_tree_head(&self) -> Option<SignedTreeHead> {
        held(&self.core.heads).newest.clone()
    }

    /// Signs the root of everything synced, after reading the last frame back and hashing its leaves again. Durable before it
    /// is returned or shown. Costs two syncs: call it when there is something new, at most every 100 ms.
    ///
    /// # Errors
    /// [`HeadError`]; the newest head stays what it was.
    pub fn sign_head(&self) -> Result<SignedTreeHead, HeadError> {
        head::sign(&self.core)
    }
}

/// A part of a submission, owned.
struct Part {
    first_index: u32,
    total: usize,
    submission: RecordedSubmission,
}

/// The parts in a block, and the block's range.
fn decode_parts(
    block: &[u8],
    position: u64,
    decoder: &mut Decoder,
) -> Result<(Vec<Part>, u64, u64), ReadError> {
    let fault = |source: BlockError| ReadError::Block { position, source };
    let header = BlockHeader::read(block).map_err(fault)?;
    let contents = decoder.all(block).map_err(fault)?;
    let parts = contents.submissions().map_err(fault)?;
    Ok((
        parts.iter().map(own).collect(),
        header.first_position,
        header.end_position(),
    ))
}

fn own(part: &SubmissionPart<'_>) -> Part {
    let commands = part.commands.iter().map(|stored| RecordedCommand {
        command: match stored.command {
            KeptCommand::Bytes(bytes) => Kept::Bytes(bytes.to_vec()),
            KeptCommand::Digest(digest) => Kept::Digest(*digest),
        },
        found: (stored.events > 0).then_some(Found {
            first_position: stored.first_position,
            events: stored.events,
        }),
    });
    Part {
        first_index: part.first_index,
        total: usize::try_from(part.total).unwrap_or(usize::MAX),
        submission: RecordedSubmission {
            first_position: part.first_position,
            partner: part.partner.to_owned(),
            signature: part.signature.map(str::to_owned),
            commands: commands.collect(),
        },
    }
}

impl Core {
    /// The root over the first `size` leaves.
    pub(crate) fn root_at(&self, size: u64) -> Result<Hash, ReadError> {
        let tree_size = self.synced();
        if size > tree_size {
            return Err(ReadError::Beyond {
                position: size,
                tree_size,
            });
        }
        let mut frontier = Frontier::new();
        let misaligned = |_| ReadError::Beyond {
            position: size,
            tree_size,
        };
        let sealed = self.epoch_of(size).min(self.sealed.epochs());
        for root in self.sealed.roots(sealed) {
            frontier
                .push_subtree(self.options.epoch_bits, root)
                .map_err(misaligned)?;
        }
        if sealed == self.epoch_of(size) && sealed < self.sealed.epochs() {
            let tiles = usize::try_from((size - self.epoch_start(sealed)) / TILE_LEAVES as u64)
                .unwrap_or(usize::MAX);
            for hash in self
                .with_index(|index| index.tile(sealed))?
                .into_iter()
                .take(tiles)
            {
                frontier.push_subtree(8, hash).map_err(misaligned)?;
            }
        } else {
            let tails = self.tails.read().unwrap_or_else(PoisonError::into_inner);
            for tail in tails.iter().filter(|tail| tail.epoch >= sealed) {
                let start = self.epoch_start(tail.epoch);
                if frontier.size() == start {
                    let wanted = usize::try_from(size.saturating_sub(start)).unwrap_or(usize::MAX);
                    frontier.extend(tail.leaves.iter().take(wanted).copied());
                }
            }
        }
        self.leaves_from_blocks(&mut frontier, size)?;
        Ok(frontier.root())
    }

    /// Adds the leaves that neither seals nor tails gave: those behind the last whole tile of a sealed epoch, fewer than 256. An
    /// epoch that is sealed between the two looks is in neither, and comes from here whole.
    fn leaves_from_blocks(&self, frontier: &mut Frontier, size: u64) -> Result<(), ReadError> {
        let mut decoder = Decoder::default();
        while frontier.size() < size {
            let position = frontier.size();
            let fault = |source| ReadError::Block { position, source };
            let block = self.read_block(position)?;
            for event in &decoder.events(&block).map_err(fault)? {
                let event = event.map_err(fault)?;
                if event.position == frontier.size() && frontier.size() < size {
                    frontier.push(leaf_hash(event.header));
                }
            }
        }
        Ok(())
    }
}
