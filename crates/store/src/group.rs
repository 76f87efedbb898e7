//! A commit group, and how it becomes blocks.

use crate::error::AppendError;
use crate::index::keys::EventKeys;
use bytes::Bytes;
use ledger_proof::block::{BlockBuilder, Content, KeptCommand, MAX_EVENTS};
use ledger_proof::header::HeaderError;
use ledger_proof::{Frontier, Salt, leaf_hash, sha256};

/// A block is closed once its raw content is this long.
const BLOCK_RAW_BYTES: usize = 1 << 20;
/// Longest event data or command, and longest header: a block of one event then stays far below a quarter of sled's segment.
const PART_BYTES_MAX: usize = 1 << 20;

/// An event to append.
#[derive(Debug, Clone)]
pub struct NewRecord {
    /// The position that the event will have.
    pub position: u64,
    /// What it is found by.
    pub keys: EventKeys,
    /// The header bytes: the leaf. They state the position and the keys.
    pub header: Vec<u8>,
    /// The salt of the data digest.
    pub salt: Salt,
    /// The data bytes.
    pub data: Vec<u8>,
    /// Where it belongs: `KEN|GCM-05a,GCM-10`, or `|…` without a country.
    pub route: String,
}

impl NewRecord {
    /// The event with this header, whose position and keys are read from it.
    ///
    /// # Errors
    /// [`HeaderError`] when the header is not a leaf.
    pub fn read(
        header: Vec<u8>,
        salt: Salt,
        data: Vec<u8>,
        route: String,
    ) -> Result<Self, HeaderError> {
        let (keys, position) = EventKeys::of(&header, leaf_hash(&header))?;
        Ok(Self {
            position,
            keys,
            header,
            salt,
            data,
            route,
        })
    }
}

/// A command of a submission.
#[derive(Debug, Clone)]
pub struct SubmittedCommand {
    /// Its bytes as received.
    pub bytes: Bytes,
    /// Index in the group of its first event.
    pub first_event: u32,
    /// How many events it made. A command that made none was refused: nothing of it is recorded but the digest of its
    /// bytes, which the manifest needs.
    pub events: u16,
}

/// A submission: commands that arrived, and were signed, together.
#[derive(Debug, Clone)]
pub struct NewSubmission {
    /// Who submitted it.
    pub partner: String,
    /// The signature header as received.
    pub signature: Option<String>,
    /// Its commands, in order.
    pub commands: Vec<SubmittedCommand>,
}

/// What is made durable by one sync. A submission never spans two groups; one none of whose commands made an event leaves
/// no trace. Events of no submission (the log's opening) are allowed.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The events in order.
    pub records: Vec<NewRecord>,
    /// The submissions, in the order of their events.
    pub submissions: Vec<NewSubmission>,
}

/// Where a block of an encoded group stands in its payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockSpan {
    pub(crate) first_position: u64,
    pub(crate) count: u16,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The blocks of a group, and the tree after it.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) blocks: Vec<BlockSpan>,
    pub(crate) frontier: Frontier,
}

/// The commands of a group in order, with what their part of a block says.
struct Commands<'a> {
    group: &'a Group,
    base: u64,
    submission: usize,
    command: usize,
}

impl<'a> Commands<'a> {
    fn current(&self) -> Option<(&'a NewSubmission, Option<&'a SubmittedCommand>)> {
        let submission = self.group.submissions.get(self.submission)?;
        Some((submission, submission.commands.get(self.command)))
    }

    /// Moves past submissions that are done, or that made nothing.
    fn settle(&mut self) {
        while let Some((submission, command)) = self.current() {
            let made_nothing = submission
                .commands
                .iter()
                .all(|command| command.events == 0);
            if command.is_some() && !made_nothing {
                return;
            }
            self.submission += 1;
            self.command = 0;
        }
    }

    fn open_part(&self, builder: &mut BlockBuilder, submission: &NewSubmission) {
        let first = submission
            .commands
            .iter()
            .find(|command| command.events > 0);
        let first = first.map_or(0, |command| u64::from(command.first_event));
        let count = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        builder.open_part(
            self.base.saturating_add(first),
            count(self.command),
            count(submission.commands.len()),
            &submission.partner,
            submission.signature.as_deref(),
        );
    }

    /// Pushes the command that event `index` begins, the refused ones before it, and those at its submission's end.
    fn push_at(&mut self, index: usize, builder: &mut BlockBuilder) -> Result<(), AppendError> {
        self.settle();
        let Some((submission, _)) = self.current() else {
            return Ok(());
        };
        let next = submission
            .commands
            .iter()
            .skip(self.command)
            .find(|command| command.events > 0);
        let Some(next) = next else {
            return Err(AppendError::Group(
                "a submission's commands are out of order",
            ));
        };
        match usize::try_from(next.first_event)
            .unwrap_or(usize::MAX)
            .cmp(&index)
        {
            std::cmp::Ordering::Greater => return Ok(()),
            std::cmp::Ordering::Less => {
                return Err(AppendError::Group(
                    "a command's first event is out of order",
                ));
            }
            std::cmp::Ordering::Equal => {}
        }
        if self.command == 0 || !builder.has_open_part() {
            self.open_part(builder, submission);
        }
        let mut pushed_it = false;
        while let Some(command) = submission.commands.get(self.command) {
            if command.events == 0 {
                builder.push_command(KeptCommand::Digest(&sha256(&command.bytes)), 0);
            } else if pushed_it {
                break;
            } else {
                builder.push_command(KeptCommand::Bytes(&command.bytes), command.events.into());
                pushed_it = true;
            }
            self.command += 1;
        }
        Ok(())
    }
}

/// Encodes a group into `payload`, after what stands there. Nothing else is changed.
pub(crate) fn encode(
    group: &Group,
    mut frontier: Frontier,
    epoch_bits: u8,
    builder: &mut BlockBuilder,
    payload: &mut Vec<u8>,
) -> Result<Encoded, AppendError> {
    let base = frontier.size();
    let epoch_mask = (1_u64 << epoch_bits) - 1;
    let mut commands = Commands {
        group,
        base,
        submission: 0,
        command: 0,
    };
    let mut encoded = Encoded {
        blocks: Vec::new(),
        frontier: Frontier::new(),
    };
    builder.restart(base);
    for (index, record) in group.records.iter().enumerate() {
        // A block lies within one epoch, and so within one shard.
        let full =
            usize::from(builder.count()) >= MAX_EVENTS || builder.raw_len() >= BLOCK_RAW_BYTES;
        if builder.count() > 0 && (full || builder.next_position() & epoch_mask == 0) {
            finish(builder, payload, &mut encoded.blocks)?;
        }
        check_sizes(record)?;
        if record.position != builder.next_position() {
            return Err(AppendError::Group("an event has another position"));
        }
        commands.push_at(index, builder)?;
        builder.push_event(
            &record.header,
            Content::Present {
                salt: &record.salt,
                data: &record.data,
            },
            &record.route,
        );
        frontier.push(record.keys.leaf);
    }
    commands.settle();
    if commands.current().is_some() {
        return Err(AppendError::Group(
            "a command's first event is not in the group",
        ));
    }
    finish(builder, payload, &mut encoded.blocks)?;
    encoded.frontier = frontier;
    Ok(encoded)
}

fn check_sizes(record: &NewRecord) -> Result<(), AppendError> {
    if record.data.len() > PART_BYTES_MAX || record.route.len() > PART_BYTES_MAX {
        return Err(AppendError::Group("an event's data is longer than 1 MiB"));
    }
    Ok(())
}

fn finish(
    builder: &mut BlockBuilder,
    payload: &mut Vec<u8>,
    blocks: &mut Vec<BlockSpan>,
) -> Result<(), AppendError> {
    let start = payload.len();
    let finished = builder
        .finish(payload)
        .map_err(|_| AppendError::Group("a block would be too large"))?;
    blocks.push(BlockSpan {
        first_position: finished.first_position,
        count: finished.count,
        start,
        end: payload.len(),
    });
    Ok(())
}
