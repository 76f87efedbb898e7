//! What every view was made of at any past position: for each view a list of entries, one for each event that concerned it and
//! each commitment that the event touched there.
//!
//! An entry holds the commitment's facts as they stood after the event, so that a view as known at a position is counted from
//! the newest entry of each commitment up to there. A commitment that enters a view late brings its facts with it, and one that leaves
//! leaves an entry that says so; nothing has to be looked for elsewhere. Parties, actions and instruments have one list for
//! themselves, and the recorded times one.
//!
//! Lists are written in chunks: closed ones never change, the open one grows. Entries are encoded once per event, whatever number of views
//! they concern.

use std::hash::Hash;
use std::ops::Range;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::RestoreError;
use super::codec::{RowReader, RowWriter};
use super::fold::Moment;
use crate::ids::Subject;
use crate::wire::v1::{Event, EventType, Form, Nature, Stage};

/// Bytes after which a chunk is closed.
const CHUNK_BYTES: usize = if cfg!(test) { 100 } else { 16 * 1024 };

/// The list of parties, actions and instruments. No view has a key that begins with a dot.
pub(crate) const REFERENCE: &str = ".reference";
/// The list of recorded times.
pub(crate) const MOMENTS: &str = ".moments";

/// What the errors of reading call an entry.
const ENTRY: &str = "history";

/// A run of entries of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryChunk {
    /// The list: a view's key, or a name that begins with a dot.
    pub list: String,
    /// The position of its first entry.
    pub first: u64,
    /// The position of its last entry.
    pub last: u64,
    /// When its last entry was recorded, in microseconds since 1970.
    pub last_recorded_us: i64,
    /// Its entries.
    pub bytes: Vec<u8>,
}

impl HistoryChunk {
    /// The open chunk of a list that has none.
    pub(crate) fn nothing(list: String) -> Self {
        Self {
            list,
            first: 0,
            last: 0,
            last_recorded_us: 0,
            bytes: Vec::new(),
        }
    }
}

/// The name of a list before it is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum List<K> {
    View(K),
    Reference,
    Moments,
}

/// A chunk that entries are still added to.
#[derive(Debug)]
struct Open {
    bytes: Vec<u8>,
    first: u64,
    last: Moment,
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

/// The lists of a family of views while it is folded.
#[derive(Debug)]
pub(crate) struct History<K> {
    open: FxHashMap<List<K>, Open>,
    closed: Vec<(List<K>, Open)>,
}

impl<K> Default for History<K> {
    fn default() -> Self {
        Self {
            open: FxHashMap::default(),
            closed: Vec::new(),
        }
    }
}

/// What an entry holds, one bit each.
mod bits {
    /// The facts of a commitment, without its id and title.
    pub(super) const FACTS: u8 = 1;
    /// Its id and title before them.
    pub(super) const TITLED: u8 = 1 << 1;
    /// The event is a report on one of the view's commitments.
    pub(super) const REPORTED: u8 = 1 << 2;
    /// The event's effective date.
    pub(super) const EFFECTIVE: u8 = 1 << 3;
    /// What the event is about, where that is not the commitment.
    pub(super) const SUBJECT: u8 = 1 << 4;
    /// Another kind of state.
    pub(super) const STATE: u8 = 1 << 5;
}

impl<K: Copy + Eq + Hash> History<K> {
    /// Enters when an event was recorded, where that is another time than that of the one before it.
    pub(crate) fn moment(&mut self, at: Moment) {
        let unmoved = self
            .open
            .get(&List::Moments)
            .is_some_and(|open| open.last.recorded_us == at.recorded_us);
        if !unmoved {
            self.append(List::Moments, at, |_| ());
        }
    }

    /// Enters the facts of a commitment into the list of a view; `entry` is what [`Mark::entries`] made of them.
    pub(crate) fn facts(&mut self, view: K, at: Moment, entry: &[u8]) {
        self.append(List::View(view), at, |row| row.array(entry));
    }

    /// Enters that the event concerned a view, unless the list says so already.
    pub(crate) fn touch(&mut self, mark: &Mark, view: K, at: Moment) {
        let list = List::View(view);
        let entered = self
            .open
            .get(&list)
            .is_some_and(|open| open.last.position == at.position);
        if !entered {
            self.append(list, at, |row| mark.write(bits::SUBJECT, row));
        }
    }

    /// Enters that the event concerned a list, and nothing more of it.
    pub(crate) fn mark(&mut self, mark: &Mark, view: K, at: Moment) {
        self.append(List::View(view), at, |row| mark.write(0, row));
    }

    /// Whether the next entry of a list begins a chunk.
    pub(crate) fn begins_chunk(&self, view: K) -> bool {
        let open = self.open.get(&List::View(view));
        open.is_none_or(|open| open.bytes.len() >= CHUNK_BYTES)
    }

    /// Enters the whole state of something that no commitment's facts give.
    pub(crate) fn state(&mut self, mark: &Mark, view: K, at: Moment, state: &[u8]) {
        self.append(List::View(view), at, |row| {
            mark.write(bits::STATE, row);
            row.u8(0);
            row.u32(0);
            row.count(state.len());
            row.array(state);
        });
    }

    /// Enters a row of a party, an action or an instrument.
    pub(crate) fn reference(&mut self, mark: &Mark, at: Moment, kind: u8, number: u32, row: &[u8]) {
        self.append(List::Reference, at, |entry| {
            mark.write(bits::STATE, entry);
            entry.u8(kind);
            entry.u32(number);
            entry.count(row.len());
            entry.array(row);
        });
    }

    fn append(&mut self, list: List<K>, at: Moment, write: impl FnOnce(&mut RowWriter)) {
        let open = self.open.entry(list).or_insert_with(|| Open::at(at));
        if open.bytes.len() >= CHUNK_BYTES {
            // The next chunk will be as long: room for it is made at once.
            let room = Vec::with_capacity(open.bytes.len() + CHUNK_BYTES / 8);
            let full = std::mem::replace(open, Open::at(at));
            open.bytes = room;
            self.closed.push((list, full));
        }
        let mut row = RowWriter::onto(std::mem::take(&mut open.bytes));
        row.u64(at.position.saturating_sub(open.last.position));
        row.i64(at.recorded_us.saturating_sub(open.last.recorded_us));
        write(&mut row);
        open.bytes = row.finish();
        open.last = at;
        open.unsaved = true;
    }

    /// Takes the chunks that were closed since the last call, in order.
    pub(crate) fn take_closed(
        &mut self,
        chunks: &mut Vec<HistoryChunk>,
        text: impl Fn(List<K>) -> String,
    ) {
        let closed = self.closed.drain(..);
        chunks.extend(closed.map(|(list, open)| open.into_chunk(text(list))));
    }

    /// Takes copies of the open chunks that grew since the last call.
    pub(crate) fn take_grown(
        &mut self,
        chunks: &mut Vec<HistoryChunk>,
        text: impl Fn(List<K>) -> String,
    ) {
        for (list, open) in &mut self.open {
            if std::mem::take(&mut open.unsaved) {
                chunks.push(open.chunk(text(*list)));
            }
        }
    }

    /// The open chunk of a list; an empty one of a list that has no entries.
    pub(crate) fn open_chunk(&self, list: List<K>, text: String) -> HistoryChunk {
        match self.open.get(&list) {
            Some(open) => open.chunk(text),
            None => HistoryChunk::nothing(text),
        }
    }

    /// Goes on with an open chunk that was saved.
    pub(crate) fn resume(&mut self, list: List<K>, bytes: Vec<u8>) -> Result<(), RestoreError> {
        let mut ends: Option<(u64, Moment)> = None;
        let mut visit = |at: Moment| {
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
            let open = Open {
                bytes,
                first,
                last,
                unsaved: false,
            };
            self.open.insert(list, open);
        }
        Ok(())
    }
}

impl Open {
    /// An empty chunk whose first entry will be at this moment; differences begin at nothing.
    fn at(at: Moment) -> Self {
        Self {
            bytes: Vec::new(),
            first: at.position,
            last: Moment {
                position: 0,
                recorded_us: 0,
            },
            unsaved: true,
        }
    }

    fn chunk(&self, list: String) -> HistoryChunk {
        HistoryChunk {
            list,
            first: self.first,
            last: self.last.position,
            last_recorded_us: self.last.recorded_us,
            bytes: self.bytes.clone(),
        }
    }

    fn into_chunk(self, list: String) -> HistoryChunk {
        HistoryChunk {
            list,
            first: self.first,
            last: self.last.position,
            last_recorded_us: self.last.recorded_us,
            bytes: self.bytes,
        }
    }
}

impl Mark {
    pub(crate) fn of(event: &Event, reported: bool) -> Self {
        let mut effective = SmallVec::new();
        if let Some(date) = event.header.effective {
            effective.extend_from_slice(date.to_string().as_bytes());
        }
        Self {
            kind: type_number(event.body.event_type()),
            effective,
            subject: event.header.subject.clone(),
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

    /// Writes the entries of a commitment's facts into a buffer: if `titled` first one with id and title, and behind it, from the number that is
    /// given back, one without. `encode` writes the facts as a row does, id and title first.
    pub(crate) fn entries(
        &self,
        slot: u32,
        buffer: Vec<u8>,
        titled: bool,
        encode: impl FnOnce(&mut RowWriter),
    ) -> (Vec<u8>, usize) {
        let mut row = RowWriter::onto(buffer);
        encode(&mut row);
        let mut bytes = row.finish();
        let facts = bytes.len();
        let id = bytes.first_chunk::<16>();
        let subject = self.subject.commitment();
        let about_it = id
            .zip(subject)
            .is_some_and(|(id, subject)| subject.0.as_bytes() == id);
        let holds = bits::FACTS
            | if self.reported { bits::REPORTED } else { 0 }
            | if about_it { 0 } else { bits::SUBJECT };
        let mut from = facts;
        if titled {
            bytes = self.entry(holds | bits::TITLED, slot, bytes, 0..facts);
            from = bytes.len();
        }
        let slim = untitled(bytes.get(..facts).unwrap_or_default()).map_or(facts, <[u8]>::len);
        bytes = self.entry(holds, slot, bytes, facts - slim..facts);
        // The facts alone were only needed to copy from.
        bytes.drain(..facts);
        (bytes, from - facts)
    }

    /// Appends one entry that holds a part of the bytes before it.
    fn entry(&self, holds: u8, slot: u32, bytes: Vec<u8>, facts: Range<usize>) -> Vec<u8> {
        let mut row = RowWriter::onto(bytes);
        self.write(holds, &mut row);
        row.u32(slot);
        row.count(facts.len());
        let mut bytes = row.finish();
        bytes.extend_from_within(facts);
        bytes
    }
}

/// The facts after id and title, which come first in a row.
fn untitled(facts: &[u8]) -> Option<&[u8]> {
    let mut row = RowReader::within(ENTRY, facts);
    row.array::<16>().ok()?;
    row.bytes().ok()?;
    Some(row.rest())
}

fn type_number(kind: EventType) -> u8 {
    let number = EventType::ALL.iter().position(|other| *other == kind);
    number
        .and_then(|number| u8::try_from(number).ok())
        .unwrap_or(u8::MAX)
}

/// The names of the event types and the words that rows and entries number: what was written with other ones is not read.
pub fn history_version() -> String {
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
    pub(crate) at: Moment,
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
    last: Moment,
}

impl<'a> Entries<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            row: RowReader::within(ENTRY, bytes),
            last: Moment {
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
    last: Moment,
}

impl<'a> Moments<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let Entries { row, last } = Entries::new(bytes);
        Self { row, last }
    }
}

impl Iterator for Moments<'_> {
    type Item = Result<Moment, RestoreError>;

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

fn read_moment(row: &mut RowReader<'_>, last: Moment) -> Result<Moment, RestoreError> {
    let position = last.position.checked_add(row.u64()?);
    let recorded_us = last.recorded_us.checked_add(row.i64()?);
    let moment = position.zip(recorded_us);
    let (position, recorded_us) = moment.ok_or_else(|| row.damaged())?;
    Ok(Moment {
        position,
        recorded_us,
    })
}
