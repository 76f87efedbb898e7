//! Posting lists: for each view the positions of the events that concerned it, beside the one list of what all events did.

use crate::view::changelog::{ChangelogChunk, Open};
use crate::view::error::RestoreError;
use crate::view::read_model::codec::RowReader;
use crate::view::read_model::event_time::EventTime;

/// What the errors of reading call a mention.
const MENTION: &str = "mention";

/// The list of one view while it is folded.
#[derive(Debug, Default)]
pub(crate) struct Postings(Option<Open>);

impl Postings {
    /// Enters that an event concerned the view, unless the list says so already: it touched a commitment that stands in the view, or leaves it
    /// (`of_commitment`), or a figure that the view shows. What touches commitments is entered before the rest. Gives back a chunk that was full.
    pub(crate) fn enter(&mut self, at: EventTime, of_commitment: bool) -> Option<Open> {
        let open = self.0.get_or_insert_with(|| Open::at(at));
        if open.ends_with(at) {
            return None;
        }
        let full = open.make_room(at);
        open.append(at, |row, last| {
            let step = at.position.saturating_sub(last.position);
            row.u64(step << 1 | u64::from(of_commitment));
        });
        full
    }

    /// The open chunk; an empty one of a view that nothing concerned.
    pub(crate) fn open_chunk(&self, list: String) -> ChangelogChunk {
        match &self.0 {
            Some(open) => open.chunk(list),
            None => ChangelogChunk::nothing(list),
        }
    }

    /// A copy of the open chunk if it grew since the last call.
    pub(crate) fn take_grown(&mut self, list: impl FnOnce() -> String) -> Option<ChangelogChunk> {
        self.0.as_mut()?.take_grown(list)
    }

    /// Goes on with an open chunk that was saved.
    pub(crate) fn resume(bytes: Vec<u8>) -> Result<Self, RestoreError> {
        let mut ends: Option<(u64, u64)> = None;
        for mention in PostingsReader::new(&bytes) {
            let (position, _) = mention?;
            ends = Some((ends.map_or(position, |(first, _)| first), position));
        }
        let open = ends.map(|(first, position)| {
            // When the last event was recorded is not asked of a list of positions.
            let last = EventTime {
                position,
                recorded_us: 0,
            };
            Open::resumed(bytes, first, last)
        });
        Ok(Self(open))
    }
}

/// Reads the positions of a chunk in order, each with whether the event was of a commitment of the view.
pub(crate) struct PostingsReader<'a> {
    row: RowReader<'a>,
    last: u64,
}

impl<'a> PostingsReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            row: RowReader::within(MENTION, bytes),
            last: 0,
        }
    }

    fn read(&mut self) -> Result<(u64, bool), RestoreError> {
        let number = self.row.u64()?;
        let position = self.last.checked_add(number >> 1);
        self.last = position.ok_or_else(|| self.row.damaged())?;
        Ok((self.last, number & 1 == 1))
    }
}

impl Iterator for PostingsReader<'_> {
    type Item = Result<(u64, bool), RestoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.row.rest().is_empty()).then(|| self.read())
    }
}
