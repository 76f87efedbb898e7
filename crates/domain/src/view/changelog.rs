//! The change log, from which a view is counted as of any past position: one list of all events (`.events`), which all views share, and for
//! each view a list of the positions that concerned it.
//!
//! The list of events has an entry for each event and each commitment that it touched, with the commitment's facts as they stood after it: a view as
//! known at a position is counted from the newest facts of each commitment among the events that concerned it up to there. A commitment that enters
//! or leaves a view does so with an event that concerns that view, so nothing has to be looked for elsewhere. Parties, actions and instruments have
//! one list for themselves, and so have the recorded times. What stands beside the summary has lists of entries of its own.
//!
//! Lists are written in chunks: closed ones never change, the open one grows.

pub(super) mod postings;

use std::hash::Hash;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::error::RestoreError;
use crate::ids::{CommitmentId, Subject};
use crate::view::read_model::codec::{RowReader, RowWriter};
use crate::view::read_model::event_ref::EventRef;
use crate::view::read_model::event_time::EventTime;
use crate::view::read_model::index::Slot;
use crate::wire::v1::{EventType, Form, Nature, Stage};

/// Bytes after which a chunk is closed.
const CHUNK_BYTES: usize = if cfg!(test) { 100 } else { 16 * 1024 };

/// The list of all events. No view has a key that begins with a dot.
pub(crate) const EVENTS: &str = ".events";
/// The list of parties, actions and instruments.
pub(crate) const REFERENCE: &str = ".reference";
/// The list of recorded times.
pub(crate) const MOMENTS: &str = ".moments";

/// What the errors of reading call an entry.
const ENTRY: &str = "history";

/// A run of entries of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangelogChunk {
    /// The list: a view's key, or a name that begins with a dot.
    pub list: String,
    /// The position of its first entry.
    pub first: u64,
    /// Its entries.
    pub bytes: Vec<u8>,
}

impl ChangelogChunk {
    /// The open chunk of a list that has none.
    pub(crate) fn nothing(list: String) -> Self {
        Self {
            list,
            first: 0,
            bytes: Vec::new(),
        }
    }
}

/// The name of a list of entries before it is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum List<K> {
    View(K),
    Events,
    Reference,
    Moments,
}

/// A chunk that entries are still added to.
#[derive(Debug)]
pub(crate) struct Open {
    bytes: Vec<u8>,
    first: u64,
    last: EventTime,
    unsaved: bool,
}

/// What every entry of an event says of it, in bytes where that is the same in all of them.
#[derive(Debug)]
pub(crate) struct Mark {
    kind: u8,
    /// The event's effective date as text; empty where it has none.
    effective: SmallVec<[u8; 16]>,
    subject: Subject,
    reported: bool,
}

/// Lists of entries while they are written.
#[derive(Debug)]
pub(crate) struct Changelog<K> {
    open: FxHashMap<List<K>, Open>,
    closed: Vec<(List<K>, Open)>,
    /// A buffer that the facts of one entry leave to the next.
    spare: Vec<u8>,
}

impl<K> Default for Changelog<K> {
    fn default() -> Self {
        Self {
            open: FxHashMap::default(),
            closed: Vec::new(),
            spare: Vec::new(),
        }
    }
}

/// What an entry holds, one bit each.
mod bits {
    /// The facts of a commitment, without its id and title.
    pub(super) const FACTS: u8 = 1;
    /// Its id and title before them.
    pub(super) const TITLED: u8 = 1 << 1;
    /// The event is a report on the commitment.
    pub(super) const REPORTED: u8 = 1 << 2;
    /// The event's effective date.
    pub(super) const EFFECTIVE: u8 = 1 << 3;
    /// What the event is about, where that is not the commitment.
    pub(super) const SUBJECT: u8 = 1 << 4;
    /// Another kind of state.
    pub(super) const STATE: u8 = 1 << 5;
}

impl<K: Copy + Eq + Hash> Changelog<K> {
    /// Enters when an event was recorded, where that is another time than that of the one before it.
    pub(crate) fn moment(&mut self, at: EventTime) {
        let unmoved = self
            .open
            .get(&List::Moments)
            .is_some_and(|open| open.last.recorded_us == at.recorded_us);
        if !unmoved {
            self.append(List::Moments, at, |_| ());
        }
    }

    /// Enters an event that touched no commitment.
    pub(crate) fn event(&mut self, mark: &Mark, at: EventTime) {
        self.append(List::Events, at, |row| mark.write(bits::SUBJECT, row));
    }

    /// Enters the facts of a commitment after an event that touched it; `encode` writes them as a row does, with id and title first if they are
    /// `titled`.
    pub(crate) fn facts(
        &mut self,
        mark: &Mark,
        at: EventTime,
        commitment: (Slot, CommitmentId),
        titled: bool,
        encode: impl FnOnce(&mut RowWriter),
    ) {
        let (slot, id) = commitment;
        let mut facts = RowWriter::onto(std::mem::take(&mut self.spare));
        encode(&mut facts);
        let mut facts = facts.finish();
        self.append(List::Events, at, |row| {
            mark.write(mark.holds_facts(id, titled), row);
            row.u32(slot);
            row.count(facts.len());
            row.array(&facts);
        });
        facts.clear();
        self.spare = facts;
    }

    /// Enters that the event concerned a list, and nothing more of it.
    pub(crate) fn mark(&mut self, mark: &Mark, view: K, at: EventTime) {
        self.append(List::View(view), at, |row| mark.write(0, row));
    }

    /// Whether the next entry of a list begins a chunk.
    pub(crate) fn begins_chunk(&self, view: K) -> bool {
        let open = self.open.get(&List::View(view));
        open.is_none_or(|open| open.bytes.len() >= CHUNK_BYTES)
    }

    /// Enters the whole state of something that no commitment's facts give.
    pub(crate) fn state(&mut self, mark: &Mark, view: K, at: EventTime, state: &[u8]) {
        self.append(List::View(view), at, |row| {
            mark.write(bits::STATE, row);
            row.u8(0);
            row.u32(0);
            row.count(state.len());
            row.array(state);
        });
    }

    /// Enters a row of a party, an action or an instrument.
    pub(crate) fn reference(
        &mut self,
        mark: &Mark,
        at: EventTime,
        kind: u8,
        number: u32,
        row: &[u8],
    ) {
        self.append(List::Reference, at, |entry| {
            mark.write(bits::STATE, entry);
            entry.u8(kind);
            entry.u32(number);
            entry.count(row.len());
            entry.array(row);
        });
    }

    fn append(&mut self, list: List<K>, at: EventTime, write: impl FnOnce(&mut RowWriter)) {
        let open = self.open.entry(list).or_insert_with(|| Open::at(at));
        if let Some(full) = open.make_room(at) {
            self.closed.push((list, full));
        }
        open.append(at, |row, last| {
            row.u64(at.position.saturating_sub(last.position));
            row.i64(at.recorded_us.saturating_sub(last.recorded_us));
            write(row);
        });
    }

    /// Takes the chunks that were closed since the last call, in order.
    pub(crate) fn take_closed(
        &mut self,
        chunks: &mut Vec<ChangelogChunk>,
        text: impl Fn(List<K>) -> String,
    ) {
        let closed = self.closed.drain(..);
        chunks.extend(closed.map(|(list, open)| open.into_chunk(text(list))));
    }

    /// Takes copies of the open chunks that grew since the last call.
    pub(crate) fn take_grown(
        &mut self,
        chunks: &mut Vec<ChangelogChunk>,
        text: impl Fn(List<K>) -> String,
    ) {
        for (list, open) in &mut self.open {
            chunks.extend(open.take_grown(|| text(*list)));
        }
    }

    /// The open chunk of a list; an empty one of a list that has no entries.
    pub(crate) fn open_chunk(&self, list: List<K>, text: String) -> ChangelogChunk {
        match self.open.get(&list) {
            Some(open) => open.chunk(text),
            None => ChangelogChunk::nothing(text),
        }
    }

    /// Goes on with an open chunk that was saved.
    pub(crate) fn resume(&mut self, list: List<K>, bytes: Vec<u8>) -> Result<(), RestoreError> {
        let mut ends: Option<(u64, EventTime)> = None;
        let mut visit = |at: EventTime| {
            let first = ends.map_or(at.position, |(first, _)| first);
            ends = Some((first, at));
        };
        if list == List::Moments {
            for at in Moments::new(&bytes) {
                visit(at?);
            }
        } else {
            for entry in Entries::new(&bytes) {
                visit(entry?.at);
            }
        }
        if let Some((first, last)) = ends {
            self.open.insert(list, Open::resumed(bytes, first, last));
        }
        Ok(())
    }
}

impl Open {
    /// An empty chunk whose first entry will be at this moment; differences begin at nothing.
    pub(crate) fn at(at: EventTime) -> Self {
        Self {
            bytes: Vec::new(),
            first: at.position,
            last: EventTime {
                position: 0,
                recorded_us: 0,
            },
            unsaved: true,
        }
    }

    /// A chunk that was saved.
    pub(crate) fn resumed(bytes: Vec<u8>, first: u64, last: EventTime) -> Self {
        Self {
            bytes,
            first,
            last,
            unsaved: false,
        }
    }

    /// Whether its last entry is of the event at this moment.
    pub(crate) fn ends_with(&self, at: EventTime) -> bool {
        !self.bytes.is_empty() && self.last.position == at.position
    }

    /// Begins the next chunk if this one is full, and gives back the full one.
    pub(crate) fn make_room(&mut self, at: EventTime) -> Option<Self> {
        if self.bytes.len() < CHUNK_BYTES {
            return None;
        }
        // The next chunk will be as long: room for it is made at once.
        let room = Vec::with_capacity(self.bytes.len() + CHUNK_BYTES / 8);
        let full = std::mem::replace(self, Self::at(at));
        self.bytes = room;
        Some(full)
    }

    /// Adds an entry; `write` is told of the one before it.
    pub(crate) fn append(&mut self, at: EventTime, write: impl FnOnce(&mut RowWriter, EventTime)) {
        let mut row = RowWriter::onto(std::mem::take(&mut self.bytes));
        write(&mut row, self.last);
        self.bytes = row.finish();
        self.last = at;
        self.unsaved = true;
    }

    /// A copy of the chunk if it grew since the last call.
    pub(crate) fn take_grown(&mut self, list: impl FnOnce() -> String) -> Option<ChangelogChunk> {
        std::mem::take(&mut self.unsaved).then(|| self.chunk(list()))
    }

    pub(crate) fn chunk(&self, list: String) -> ChangelogChunk {
        ChangelogChunk {
            list,
            first: self.first,
            bytes: self.bytes.clone(),
        }
    }

    pub(crate) fn into_chunk(self, list: String) -> ChangelogChunk {
        ChangelogChunk {
            list,
            first: self.first,
            bytes: self.bytes,
        }
    }
}

impl Mark {
    pub(crate) fn of(event: &EventRef<'_>, reported: bool) -> Self {
        let mut effective = SmallVec::new();
        if let Some(date) = event.effective {
            effective.extend_from_slice(date.to_string().as_bytes());
        }
        Self {
            kind: type_number(event.body.event_type()),
            effective,
            subject: event.subject.clone(),
            reported,
        }
    }

    fn write(&self, holds: u8, row: &mut RowWriter) {
        let dated = if self.effective.is_empty() {
            0
        } else {
            bits::EFFECTIVE
        };
        row.u8(self.kind);
        row.u8(holds | dated);
        if dated != 0 {
            row.count(self.effective.len());
            row.array(&self.effective);
        }
        if holds & bits::SUBJECT != 0 {
            row.text(&self.subject.to_string());
        }
    }

    /// What an entry of the facts of a commitment holds.
    fn holds_facts(&self, commitment: CommitmentId, titled: bool) -> u8 {
        let bit = |holds: bool, bit: u8| if holds { bit } else { 0 };
        bits::FACTS
            | bit(titled, bits::TITLED)
            | bit(self.reported, bits::REPORTED)
            | bit(self.subject.commitment() != Some(commitment), bits::SUBJECT)
    }
}

fn type_number(kind: EventType) -> u8 {
    let number = EventType::ALL.iter().position(|other| *other == kind);
    number
        .and_then(|number| u8::try_from(number).ok())
        .unwrap_or(u8::MAX)
}

/// The names of the event types and the words that rows and entries number: what was written with other ones is not read.
pub fn changelog_version() -> String {
    let events = EventType::ALL.iter().map(|kind| kind.name());
    let forms = Form::ALL.iter().map(|form| form.as_str());
    let natures = Nature::ALL.iter().map(|nature| nature.as_str());
    let stages = Stage::ALL.iter().map(|stage| stage.as_str());
    let names: Vec<&str> = events.chain(forms).chain(natures).chain(stages).collect();
    names.join(",")
}

/// One entry, read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) at: EventTime,
    pub(crate) kind: EventType,
    pub(crate) reported: bool,
    pub(crate) effective: Option<&'a str>,
    /// What the event is about, where it is not the commitment of the facts.
    pub(crate) subject: Option<&'a str>,
    pub(crate) holds: Holds<'a>,
}

/// What an entry holds besides its event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holds<'a> {
    Nothing,
    /// The facts of a commitment, with id and title first where `titled`.
    Facts {
        slot: u32,
        titled: bool,
        row: &'a [u8],
    },
    /// A row of a party, an action or an instrument, or another state.
    State {
        kind: u8,
        number: u32,
        row: &'a [u8],
    },
}

/// Reads the entries of a chunk in order.
pub(crate) struct Entries<'a> {
    row: RowReader<'a>,
    last: EventTime,
}

impl<'a> Entries<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            row: RowReader::within(ENTRY, bytes),
            last: EventTime {
                position: 0,
                recorded_us: 0,
            },
        }
    }

    fn read(&mut self) -> Result<Entry<'a>, RestoreError> {
        let row = &mut self.row;
        let at = read_moment(row, self.last)?;
        self.last = at;
        let kind = EventType::ALL.get(usize::from(row.u8()?)).copied();
        let kind = kind.ok_or_else(|| row.damaged())?;
        let bits = row.u8()?;
        let has = |bit: u8| bits & bit != 0;
        let effective = has(bits::EFFECTIVE).then(|| row.text()).transpose()?;
        let subject = has(bits::SUBJECT).then(|| row.text()).transpose()?;
        let holds = if has(bits::FACTS) {
            Holds::Facts {
                slot: row.u32()?,
                titled: has(bits::TITLED),
                row: row.bytes()?,
            }
        } else if has(bits::STATE) {
            Holds::State {
                kind: row.u8()?,
                number: row.u32()?,
                row: row.bytes()?,
            }
        } else {
            Holds::Nothing
        };
        Ok(Entry {
            at,
            kind,
            reported: has(bits::REPORTED),
            effective,
            subject,
            holds,
        })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, RestoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.row.rest().is_empty()).then(|| self.read())
    }
}

/// Reads the recorded times of a chunk: one for each event that was recorded at another time than the one before it.
pub(crate) struct Moments<'a> {
    row: RowReader<'a>,
    last: EventTime,
}

impl<'a> Moments<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let Entries { row, last } = Entries::new(bytes);
        Self { row, last }
    }
}

impl Iterator for Moments<'_> {
    type Item = Result<EventTime, RestoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.row.rest().is_empty() {
            return None;
        }
        let at = read_moment(&mut self.row, self.last);
        if let Ok(at) = at {
            self.last = at;
        }
        Some(at)
    }
}

fn read_moment(row: &mut RowReader<'_>, last: EventTime) -> Result<EventTime, RestoreError> {
    let position = last.position.checked_add(row.u64()?);
    let recorded_us = last.recorded_us.checked_add(row.i64()?);
    let moment = position.zip(recorded_us);
    let (position, recorded_us) = moment.ok_or_else(|| row.damaged())?;
    Ok(EventTime {
        position,
        recorded_us,
    })
}
