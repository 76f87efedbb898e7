//! From stored blocks to checked events, on as many threads as there are cores.

use crate::replay::{Replay, ReplayChunk, ReplayError};
use ledger_domain::Route;
use ledger_domain::wire::v1::{
    Event, EventBody, EventHeader, EventType, HeaderError, NoOutline, UnreadableEvent, outline,
};
use ledger_proof::block::{BlockError, Content, Decoder, Events, StoredEvent};
use ledger_proof::header::LeafHeader;
use ledger_proof::submission::{SubmissionError, SubmissionRun, Taken, commands_of};
use ledger_proof::verify::{CheckedRun, LeafError, check_outline};
use std::collections::VecDeque;
use std::iter::Peekable;
use thiserror::Error;
use tokio::task::JoinHandle;

/// Why replayed events are not what a ledger writes.
#[derive(Debug, Error)]
pub enum CheckError {
    /// The blocks could not be fetched or are damaged.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// An event contradicts itself or the one before it.
    #[error(transparent)]
    Leaf(#[from] LeafError),
    /// The commands kept are not those that the events came of.
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    /// A commitment is kept under another country or other actions than its own.
    #[error(
        "position {position}: the commitment is kept under `{found}`, and belongs under `{expected}`"
    )]
    Route {
        /// The event's position.
        position: u64,
        /// The country and actions that it is found by.
        found: String,
        /// Those that it names.
        expected: String,
    },
    /// The leaf is sound, but its attributes are not the domain's.
    #[error("position {position}: the header cannot be read")]
    Header {
        /// The event's position.
        position: u64,
        /// Where it fails.
        #[source]
        source: HeaderError,
    },
    /// The data is that of the leaf, but not of such an event.
    #[error("position {position}: the data cannot be read")]
    Data {
        /// The event's position.
        position: u64,
        /// Where it fails.
        #[source]
        source: UnreadableEvent,
    },
    /// The data is that of the leaf, but not written as a ledger writes such an event.
    #[error("position {position}: the data has no outline")]
    Outline {
        /// The event's position.
        position: u64,
        /// Why.
        #[source]
        source: NoOutline,
    },
    /// The data is withheld, so that no view can be folded over it.
    #[error("position {position}: the data is withheld ({ground}), views cannot be folded over it")]
    Withheld {
        /// The event's position.
        position: u64,
        /// Why it is withheld.
        ground: String,
    },
    /// The thread that checked was stopped.
    #[error("the check was stopped")]
    Stopped,
}

/// What to make of replayed blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoding {
    /// Check every leaf against its data and its neighbours.
    Check,
    /// The same, and against the commands kept, and decode the events too.
    CheckAndDecode,
}

/// Consecutive events, checked among themselves.
#[derive(Debug, Default)]
pub struct CheckedChunk {
    /// The leaves, checked; none if the chunk had no event that was wanted.
    pub run: Option<CheckedRun>,
    /// The commands that the events came of, if the events were asked for.
    pub submissions: SubmissionRun,
    /// The events, if they were asked for.
    pub events: Vec<Event>,
}

/// Visits the events of a chunk that were asked for, leaving out those that only share a block with them.
///
/// # Errors
///
/// [`ReplayError::Block`] if a block is damaged, or what `visit` returns.
pub fn visit_events<E: From<ReplayError>>(
    chunk: &ReplayChunk,
    mut visit: impl FnMut(&StoredEvent<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut decoder = Decoder::default();
    for block in chunk.blocks() {
        let block = block?;
        let damaged = |source| ReplayError::Block {
            position: chunk.from,
            source,
        };
        let events = decoder.events(block).map_err(damaged)?;
        for event in &events {
            let event = event.map_err(damaged)?;
            if event.position >= chunk.from && chunk.to.is_none_or(|to| event.position < to) {
                visit(&event)?;
            }
        }
        decoder.recycle(events);
    }
    Ok(())
}

/// Checks the events of a chunk among themselves.
///
/// # Errors
///
/// [`CheckError`] with the position of the first event that fails.
pub fn check_chunk(chunk: &ReplayChunk, decoding: Decoding) -> Result<CheckedChunk, CheckError> {
    check_chunk_with(&mut Decoder::default(), chunk, decoding)
}

fn check_chunk_with(
    decoder: &mut Decoder,
    chunk: &ReplayChunk,
    decoding: Decoding,
) -> Result<CheckedChunk, CheckError> {
    let mut checking = Checking {
        chunk,
        decoding,
        checked: CheckedChunk::default(),
    };
    for block in chunk.blocks() {
        let block = block?;
        let damaged = checking.damaged();
        let events = match decoding {
            Decoding::Check => {
                let events = decoder.events(block).map_err(damaged)?;
                checking.events(&events, Vec::new())?;
                events
            }
            Decoding::CheckAndDecode => {
                let contents = decoder.all(block).map_err(&damaged)?;
                let parts = contents.submissions().map_err(&damaged)?;
                checking.events(contents.events(), commands_of(&parts))?;
                drop(parts);
                contents.into_events()
            }
        };
        decoder.recycle(events);
    }
    Ok(checking.checked)
}

/// A chunk being checked.
struct Checking<'a> {
    chunk: &'a ReplayChunk,
    decoding: Decoding,
    checked: CheckedChunk,
}

impl Checking<'_> {
    fn damaged(&self) -> impl Fn(BlockError) -> ReplayError + use<> {
        let position = self.chunk.from;
        move |source| ReplayError::Block { position, source }
    }

    /// Checks a block's events and commands. Those that were not asked for are another chunk's.
    fn events(&mut self, events: &Events, mut commands: Vec<Taken<'_>>) -> Result<(), CheckError> {
        let (from, to) = (self.chunk.from, self.chunk.to);
        let wanted = |position| position >= from && to.is_none_or(|to| position < to);
        commands.retain(|command| wanted(command.place));
        let mut commands = commands.into_iter().peekable();
        for event in events {
            let event = event.map_err(self.damaged())?;
            if wanted(event.position) {
                self.event(&event, &mut commands)?;
            }
        }
        // None of these stands before an event of this block.
        match commands.next() {
            Some(command) => Err(command.misplaced().into()),
            None => Ok(()),
        }
    }

    fn event<'a>(
        &mut self,
        event: &StoredEvent<'_>,
        commands: &mut Peekable<impl Iterator<Item = Taken<'a>>>,
    ) -> Result<(), CheckError> {
        // Within a chunk positions must be continuous, so that one run takes all of its events.
        let run = &mut self.checked.run;
        let run = run.get_or_insert_with(|| CheckedRun::new(event.position));
        let header = run.check(event.header, &event.content.into())?;
        check_outline_of(event, &header)?;
        if self.decoding == Decoding::CheckAndDecode {
            let ledger = header.source.strip_prefix("ledger/").unwrap_or_default();
            let submissions = &mut self.checked.submissions;
            while let Some(command) = commands.next_if(|next| next.place <= event.position) {
                submissions.command(ledger, command)?;
            }
            submissions.event(&header)?;
            let decoded = decode_event(event)?;
            check_route(event, &decoded)?;
            self.checked.events.push(decoded);
        }
        Ok(())
    }
}

/// Compares the digest that the leaf has of the event's outline with the outline of the data.
fn check_outline_of(event: &StoredEvent<'_>, header: &LeafHeader<'_>) -> Result<(), CheckError> {
    let position = event.position;
    let Content::Present { data, .. } = event.content else {
        return Ok(());
    };
    let Some(event_type) = header.event_name().and_then(EventType::from_name) else {
        // A newer ledger has events that this version does not know: it says so where it must understand them.
        return Ok(());
    };
    let outline =
        outline(event_type, data).map_err(|source| CheckError::Outline { position, source })?;
    check_outline(header, data, &outline).map_err(|fault| LeafError { position, fault })?;
    Ok(())
}

/// The route stands beside the leaf. That of a new commitment follows from its data.
fn check_route(event: &StoredEvent<'_>, decoded: &Event) -> Result<(), CheckError> {
    let EventBody::CommitmentRecorded(recorded) = &decoded.body else {
        return Ok(());
    };
    let expected = Route {
        country: recorded.country,
        actions: recorded.actions.iter().cloned().collect(),
    };
    let expected = expected.to_string();
    if event.route == expected {
        return Ok(());
    }
    Err(CheckError::Route {
        position: event.position,
        found: event.route.to_owned(),
        expected,
    })
}

/// The domain's event in a stored one.
///
/// # Errors
///
/// [`CheckError::Header`], [`CheckError::Data`] or [`CheckError::Withheld`].
pub fn decode_event(event: &StoredEvent<'_>) -> Result<Event, CheckError> {
    let position = event.position;
    let header = EventHeader::decode(event.header)
        .map_err(|source| CheckError::Header { position, source })?;
    match event.content {
        Content::Present { data, .. } => EventBody::decode(header.event_type, data)
            .map(|body| Event { header, body })
            .map_err(|source| CheckError::Data { position, source }),
        Content::Withheld { ground } => Err(CheckError::Withheld {
            position,
            ground: ground.to_owned(),
        }),
    }
}

/// A replay whose chunks are checked on other threads, a few at once, and come out in the order of the log.
#[derive(Debug)]
pub struct CheckedReplay {
    replay: Replay,
    decoding: Decoding,
    at_work: VecDeque<JoinHandle<(Result<CheckedChunk, CheckError>, Decoder)>>,
    at_work_max: usize,
    /// Decoders whose chunks are done, with the memory they have.
    spare: Vec<Decoder>,
}

impl CheckedReplay {
    /// Checks what this replay fetches.
    pub fn new(replay: Replay, decoding: Decoding) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            replay,
            decoding,
            at_work: VecDeque::new(),
            // While some are checked, others wait their turn, so that no core waits for the next answer.
            at_work_max: 2 * cores,
            spare: Vec::new(),
        }
    }

    /// The next events; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`CheckError`]; what comes after an error should not be trusted.
    pub async fn next(&mut self) -> Result<Option<CheckedChunk>, CheckError> {
        while self.at_work.len() < self.at_work_max {
            let Some(chunk) = self.replay.next_chunk().await? else {
                break;
            };
            let decoding = self.decoding;
            let mut decoder = self.spare.pop().unwrap_or_default();
            let check = tokio::task::spawn_blocking(move || {
                let checked = check_chunk_with(&mut decoder, &chunk, decoding);
                (checked, decoder)
            });
            self.at_work.push_back(check);
        }
        match self.at_work.pop_front() {
            Some(check) => {
                let (checked, decoder) = check.await.map_err(|_| CheckError::Stopped)?;
                self.spare.push(decoder);
                Ok(Some(checked?))
            }
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_proof::block::Tags;

    #[test]
    fn a_route_reads_back_from_its_text() {
        for (country, actions) in [
            (None, &[][..]),
            (Some("KEN"), &[][..]),
            (None, &["GCM-05a"][..]),
            (Some("KEN"), &["GCM-05a", "SDG-10.7.2", "OTH-1"][..]),
        ] {
            let route = Route {
                country: country.map(|code| code.parse().expect("a country")),
                actions: actions
                    .iter()
                    .map(|code| code.parse().expect("an action"))
                    .collect(),
            };
            let text = route.to_string();
            let tags = Tags::read(&text);
            assert_eq!(tags.country, country, "{text}");
            assert_eq!(tags.actions().collect::<Vec<_>>(), actions, "{text}");
        }
    }
}
