//! Events read back from the log, as the domain knows them.

use std::ops::ControlFlow;

use ledger_domain::ids::CommandId;
use ledger_domain::wire::v1::{
    Durability, Event, EventBody, EventExcerpt, EventHeader, EventType, HeaderError, Heading,
    NoOutline, Receipt, ReceiptEvent, Sha256, Status, UnreadableEvent, outline,
};
use ledger_proof::block::{BlockError, Content, Decoder, KeptCommand, StoredEvent};
use ledger_proof::delivered::{self, DeliveredError};
use ledger_proof::{leaf_hash, sha256, verify};
use ledger_store::{CommandKey, Found, Kept, Log, ReadError};
use thiserror::Error;

/// The log holds something that this version cannot read back.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// The store could not give the bytes.
    #[error("the log cannot be read")]
    Read(#[from] ReadError),
    /// The block does not decode.
    #[error("the block of position {position} does not decode")]
    Block {
        /// Position asked for.
        position: u64,
        /// What is wrong with it.
        #[source]
        source: BlockError,
    },
    /// The leaf is not an event header.
    #[error("the leaf at position {position} is not an event header")]
    Header {
        /// Its position.
        position: u64,
        /// What is wrong with it.
        #[source]
        source: HeaderError,
    },
    /// The data is not what the header says.
    #[error("the data at position {position} cannot be read")]
    Data {
        /// Its position.
        position: u64,
        /// What is wrong with it.
        #[source]
        source: UnreadableEvent,
    },
    /// The data has no outline.
    #[error("the data at position {position} has no outline")]
    Outline {
        /// Its position.
        position: u64,
        /// Why.
        #[source]
        source: NoOutline,
    },
    /// The event cannot be put into its delivered form.
    #[error("the event at position {position} cannot be delivered")]
    Deliver {
        /// Its position.
        position: u64,
        /// What is wrong with it.
        #[source]
        source: DeliveredError,
    },
    /// The position is not where the index says.
    #[error("position {position} is not in the block that should hold it")]
    Missing {
        /// The position.
        position: u64,
    },
}

/// The domain's form of a stored event; `None` for one whose data is withheld.
pub(crate) fn decode_event(stored: &StoredEvent<'_>) -> Result<Option<Event>, HistoryError> {
    let position = stored.position;
    let header = EventHeader::decode(stored.header)
        .map_err(|source| HistoryError::Header { position, source })?;
    match stored.content {
        Content::Present { data, .. } => {
            let body = EventBody::decode(header.event_type, data)
                .map_err(|source| HistoryError::Data { position, source })?;
            Ok(Some(Event { header, body }))
        }
        Content::Withheld { .. } => Ok(None),
    }
}

/// The digest that a leaf is to have of its data's outline.
pub(crate) fn outline_digest(
    position: u64,
    event_type: EventType,
    data: &[u8],
) -> Result<Option<[u8; 32]>, HistoryError> {
    let outline =
        outline(event_type, data).map_err(|source| HistoryError::Outline { position, source })?;
    Ok(verify::outline_digest(data, &outline))
}

/// What the views read of a stored event; `None` for one whose data is withheld.
pub(crate) fn decode_excerpt(
    stored: &StoredEvent<'_>,
) -> Result<Option<EventExcerpt>, HistoryError> {
    let position = stored.position;
    let Content::Present { data, .. } = stored.content else {
        return Ok(None);
    };
    let heading = Heading::decode(stored.header)
        .map_err(|source| HistoryError::Header { position, source })?;
    let body = EventBody::decode_excerpt(heading.event_type, data)
        .map_err(|source| HistoryError::Data { position, source })?;
    Ok(Some(EventExcerpt { heading, body }))
}

/// Calls `visit` with the stored event at each position, which must ascend; each block is decoded once.
pub(crate) fn for_each_stored(
    log: &Log,
    positions: &[u64],
    mut visit: impl FnMut(&StoredEvent<'_>) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    visit_stored(log, positions, |stored| {
        visit(stored).map(ControlFlow::Continue)
    })
}

/// The same, until `visit` breaks off.
pub(crate) fn visit_stored(
    log: &Log,
    positions: &[u64],
    mut visit: impl FnMut(&StoredEvent<'_>) -> Result<ControlFlow<()>, HistoryError>,
) -> Result<(), HistoryError> {
    let mut decoder = Decoder::default();
    let mut left = positions;
    while let Some(&position) = left.first() {
        let block_error = |source| HistoryError::Block { position, source };
        let bytes = log.read_block(position)?;
        let block = decoder.events(&bytes).map_err(block_error)?;
        for stored in &block {
            let stored = stored.map_err(block_error)?;
            if left.first() == Some(&stored.position) {
                left = left.get(1..).unwrap_or_default();
                if visit(&stored)?.is_break() {
                    return Ok(());
                }
            }
        }
        if left.first() == Some(&position) {
            return Err(HistoryError::Missing { position });
        }
    }
    Ok(())
}

/// The same with the time that the partner gave the command whose event it is; none where no command is kept.
pub(crate) fn visit_sent(
    log: &Log,
    positions: &[u64],
    mut visit: impl FnMut(&StoredEvent<'_>, Option<String>) -> Result<ControlFlow<()>, HistoryError>,
) -> Result<(), HistoryError> {
    let mut decoder = Decoder::default();
    let mut left = positions;
    while let Some(&position) = left.first() {
        let block_error = |source| HistoryError::Block { position, source };
        let bytes = log.read_block(position)?;
        let block = decoder.all(&bytes).map_err(block_error)?;
        let parts = block.submissions().map_err(block_error)?;
        let sent = |position: u64| {
            let mut commands = parts.iter().flat_map(|part| &part.commands);
            let command = commands.find(|command| {
                let end = command.first_position + u64::from(command.events);
                (command.first_position..end).contains(&position)
            })?;
            match command.command {
                KeptCommand::Bytes(bytes) => time_of(bytes),
                KeptCommand::Digest(_) => None,
            }
        };
        for stored in block.events() {
            let stored = stored.map_err(block_error)?;
            if left.first() == Some(&stored.position) {
                left = left.get(1..).unwrap_or_default();
                if visit(&stored, sent(stored.position))?.is_break() {
                    return Ok(());
                }
            }
        }
        if left.first() == Some(&position) {
            return Err(HistoryError::Missing { position });
        }
    }
    Ok(())
}

/// The attribute `time` of a command's bytes.
fn time_of(command: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Sent {
        time: String,
    }
    let sent: Option<Sent> = serde_json::from_slice(command).ok();
    sent.map(|sent| sent.time)
}

/// Calls `visit` with the event at each position, which must ascend; one whose data is withheld is passed over.
pub(crate) fn for_each_event(
    log: &Log,
    positions: &[u64],
    mut visit: impl FnMut(Event),
) -> Result<(), HistoryError> {
    for_each_stored(log, positions, |stored| {
        if let Some(event) = decode_event(stored)? {
            visit(event);
        }
        Ok(())
    })
}

/// The header of the event at a position; there even when its data is withheld.
pub(crate) fn header_at(log: &Log, position: u64) -> Result<EventHeader, HistoryError> {
    let mut header = Err(HistoryError::Missing { position });
    for_each_stored(log, &[position], |stored| {
        header = EventHeader::decode(stored.header)
            .map_err(|source| HistoryError::Header { position, source });
        Ok(())
    })?;
    header
}

/// The delivered form of a stored event.
pub(crate) fn deliver(stored: &StoredEvent<'_>) -> Result<Vec<u8>, HistoryError> {
    let delivered = match stored.content {
        Content::Present { salt, data } => delivered::join(stored.header, salt, data),
        Content::Withheld { ground } => delivered::withhold(stored.header, ground),
    };
    let position = stored.position;
    delivered.map_err(|source| HistoryError::Deliver { position, source })
}

/// What the log holds of a command.
#[derive(Clone, Debug)]
pub(crate) struct RecordedCommand {
    /// SHA-256 of its bytes.
    pub(crate) digest: [u8; 32],
    /// Its events, as its first receipt named them.
    pub(crate) events: Vec<ReceiptEvent>,
}

/// The command whose events are there.
pub(crate) fn recorded_command(log: &Log, found: Found) -> Result<RecordedCommand, HistoryError> {
    let position = found.first_position;
    let digest = match log.command_of(position)? {
        Some(Kept::Bytes(bytes)) => sha256(&bytes),
        Some(Kept::Digest(digest)) => digest,
        None => return Err(HistoryError::Missing { position }),
    };
    let positions: Vec<u64> = (position..position + u64::from(found.events)).collect();
    let mut events = Vec::with_capacity(positions.len());
    for_each_stored(log, &positions, |stored| {
        events.push(receipt_event(stored)?);
        Ok(())
    })?;
    Ok(RecordedCommand { digest, events })
}

/// The commands that begin and end in the block of this position. Who repeats one command mostly repeats its neighbours
/// too: a whole submission sent again is read a block at a time.
pub(crate) fn commands_around(
    log: &Log,
    position: u64,
) -> Result<Vec<(CommandKey, RecordedCommand)>, HistoryError> {
    let block_error = |source| HistoryError::Block { position, source };
    let bytes = log.read_block(position)?;
    let block = Decoder::default().all(&bytes).map_err(block_error)?;
    let stored: Result<Vec<StoredEvent<'_>>, BlockError> = block.events().iter().collect();
    let stored = stored.map_err(block_error)?;
    let mut commands = Vec::new();
    for part in block.submissions().map_err(block_error)? {
        for command in &part.commands {
            let own = |event: &&StoredEvent<'_>| {
                (command.first_position..command.first_position + u64::from(command.events))
                    .contains(&event.position)
            };
            let events: Vec<&StoredEvent<'_>> = stored.iter().filter(own).collect();
            let Some(first) = events.first() else {
                continue;
            };
            if events.len() != usize::try_from(command.events).unwrap_or(usize::MAX) {
                continue;
            }
            let header =
                EventHeader::decode(first.header).map_err(|source| HistoryError::Header {
                    position: first.position,
                    source,
                })?;
            let Some(id) = header.causation_id else {
                continue;
            };
            let digest = match command.command {
                KeptCommand::Bytes(bytes) => sha256(bytes),
                KeptCommand::Digest(digest) => *digest,
            };
            let events = events
                .into_iter()
                .map(receipt_event)
                .collect::<Result<_, _>>()?;
            let recorded = RecordedCommand { digest, events };
            commands.push((CommandKey::new(part.partner, id.0), recorded));
        }
    }
    Ok(commands)
}

fn receipt_event(stored: &StoredEvent<'_>) -> Result<ReceiptEvent, HistoryError> {
    let position = stored.position;
    let header = EventHeader::decode(stored.header)
        .map_err(|source| HistoryError::Header { position, source })?;
    Ok(ReceiptEvent {
        position,
        id: header.id,
        event_type: header.event_type,
        leaf_hash: Sha256(leaf_hash(stored.header).0),
    })
}

/// The receipt of a recorded command: the same for ever, since its tree size is that of its own last event.
pub(crate) fn receipt(id: CommandId, status: Status, events: Vec<ReceiptEvent>) -> Receipt {
    Receipt {
        command_id: Some(id),
        status,
        tree_size: events.last().map(|event| event.position + 1),
        events,
        durability: Some(Durability::Fsync),
        rejection: None,
    }
}
