//! Rows of the read model: one for each party, action, instrument and commitment, and one for the watermark.
//!
//! A row's key is one letter and the entry's number, big-endian, so an ordered store hands the rows back in the order they are restored in.
//! What follows from other rows (children, mappings backwards, every count) is not kept.

use std::ops::Range;

use super::codec::{RowReader, RowWriter};
use super::event_time::EventTime;
use super::facts::{CommitmentFacts, Flags};
use super::index::{InstrumentIndex, Slot, entry_at, entry_at_mut, number};
use super::tables::{ActionEntry, PartyEntry, Statements, Tables, Unsaved};
use crate::view::error::RestoreError;
use crate::wire::v1::{EventType, PartyKind, TextStatus};

const ACTION: u8 = b'a';
const COMMITMENT: u8 = b'c';
const INSTRUMENT: u8 = b'i';
const META: u8 = b'm';
const PARTY: u8 = b'p';

/// Commitments in one page, and changes among them from which on the whole page is written.
const PAGE_SLOTS: u32 = 64;
const WHOLE_PAGE_CHANGES: usize = 16;

pub(crate) type Row = (Vec<u8>, Vec<u8>);

/// How many changes of parties, actions and instruments are not taken yet: what comes after them is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference {
    parties: usize,
    actions: usize,
    instruments: usize,
}

impl Unsaved {
    pub(crate) fn reference(&self) -> Reference {
        Reference {
            parties: self.parties.len(),
            actions: self.actions.len(),
            instruments: self.instruments.len(),
        }
    }
}

impl Tables {
    /// The rows that differ from those taken before.
    pub(crate) fn take_rows(&mut self) -> Vec<Row> {
        let Unsaved {
            parties,
            actions,
            instruments,
            commitments,
            watermark,
        } = std::mem::take(&mut self.unsaved);
        let mut rows = Vec::with_capacity(commitments.len() + 8);
        for action in once_each(actions) {
            rows.extend(
                entry_at(&self.actions, action)
                    .map(|entry| (key(ACTION, action), encode_action(entry))),
            );
        }
        self.take_commitments(commitments, &mut rows);
        for instrument in once_each(instruments) {
            let row = self.encode_instrument(instrument);
            rows.push((key(INSTRUMENT, instrument), row));
        }
        for party in once_each(parties) {
            rows.extend(
                entry_at(&self.parties, party)
                    .map(|entry| (key(PARTY, party), encode_party(entry))),
            );
        }
        if let Some(moment) = self.watermark.filter(|_| watermark) {
            let mut row = RowWriter::new();
            row.u64(moment.position);
            row.i64(moment.recorded_us);
            row.count(self.events.len());
            for (kind, count) in &self.events {
                row.text(kind.name());
                row.u64(*count);
            }
            rows.push((vec![META], row.finish()));
        }
        rows
    }

    /// Calls `visit` with the kind, the number and the row of every party, action and instrument that was changed since `known`.
    pub(crate) fn rows_since(&self, known: Reference, mut visit: impl FnMut(u8, u32, Vec<u8>)) {
        if self.unsaved.reference() == known {
            return;
        }
        let Unsaved {
            parties,
            actions,
            instruments,
            ..
        } = &self.unsaved;
        let since = |numbers: &[u32], known: usize| {
            once_each(numbers.get(known..).unwrap_or_default().to_vec())
        };
        for action in since(actions, known.actions) {
            if let Some(entry) = entry_at(&self.actions, action) {
                visit(ACTION, action, encode_action(entry));
            }
        }
        for instrument in since(instruments, known.instruments) {
            visit(INSTRUMENT, instrument, self.encode_instrument(instrument));
        }
        for party in since(parties, known.parties) {
            if let Some(entry) = entry_at(&self.parties, party) {
                visit(PARTY, party, encode_party(entry));
            }
        }
    }

    fn encode_instrument(&self, instrument: InstrumentIndex) -> Vec<u8> {
        let mut row = RowWriter::new();
        row.text(self.instrument_id(instrument));
        row.finish()
    }

    /// The rows of changed commitments. Where much of a page changed the whole page is one row, so that folding the log from its start does not
    /// write millions of them; else each commitment has its own, so that a report does not write a page.
    fn take_commitments(&mut self, mut changed: Vec<Slot>, rows: &mut Vec<Row>) {
        changed.sort_unstable();
        for slot in &changed {
            if let Some(facts) = self.commitments.get_mut(*slot) {
                facts.flags.set(Flags::UNSAVED, false);
            }
        }
        for changed in changed.chunk_by(|a, b| a / PAGE_SLOTS == b / PAGE_SLOTS) {
            let page = changed.first().map_or(0, |slot| slot / PAGE_SLOTS);
            let slots = page * PAGE_SLOTS..(page + 1) * PAGE_SLOTS;
            let complete = number(self.commitments.len()) >= slots.end;
            if complete && changed.len() >= WHOLE_PAGE_CHANGES {
                rows.push((commitment_key(page, None), self.encode_commitments(slots)));
                continue;
            }
            for &slot in changed {
                let value = self.encode_commitments(slot..slot + 1);
                rows.push((commitment_key(page, Some(slot % PAGE_SLOTS)), value));
            }
        }
    }

    fn encode_commitments(&self, slots: Range<Slot>) -> Vec<u8> {
        let mut row = RowWriter::new();
        for facts in slots.filter_map(|slot| self.facts(slot)) {
            facts.encode(self.titles.get(facts.title), &self.shared, &mut row);
        }
        row.finish()
    }

    /// Takes a page back in, or one commitment: a new one, or the newer facts of one that stood in its page.
    fn restore_commitments(&mut self, rest: &[u8], value: &[u8]) -> Result<(), RestoreError> {
        let next = number(self.commitments.len());
        let missing = RestoreError::Missing {
            row: "commitment",
            expected: next,
        };
        let mut row = RowReader::new("commitment", value)?;
        let (page, within) = rest.split_first_chunk().ok_or_else(|| row.damaged())?;
        let first = u32::from_be_bytes(*page)
            .checked_mul(PAGE_SLOTS)
            .ok_or_else(|| row.damaged())?;
        let slot = match within {
            [] if first == next => {
                for _ in 0..PAGE_SLOTS {
                    let (facts, title) = CommitmentFacts::decode(&mut row, &mut self.shared)?;
                    self.restore_commitment(facts, title);
                }
                return row.finish();
            }
            [slot] if u32::from(*slot) < PAGE_SLOTS => first + u32::from(*slot),
            _ => return Err(missing),
        };
        let (mut facts, title) = CommitmentFacts::decode(&mut row, &mut self.shared)?;
        row.finish()?;
        match self.commitments.get_mut(slot) {
            None if slot == next => self.restore_commitment(facts, title),
            Some(known) if known.id == facts.id => {
                if known.changed_position < facts.changed_position {
                    std::mem::swap(known, &mut facts);
                    known.title = self.titles.push(title);
                }
                facts.release(&mut self.shared.reports);
            }
            Some(_) => return Err(RestoreError::Damaged { row: "commitment" }),
            None => return Err(missing),
        }
        Ok(())
    }

    fn restore_commitment(&mut self, mut facts: CommitmentFacts, title: &str) {
        facts.title = self.titles.push(title);
        self.insert(facts);
    }

    /// Takes one row back in, if it is one of these; `rest` is its key after the first letter.
    pub(crate) fn restore_row(
        &mut self,
        kind: u8,
        rest: &[u8],
        value: &[u8],
    ) -> Result<bool, RestoreError> {
        match kind {
            ACTION => {
                expect("action", rest, self.actions.len())?;
                self.restore_action(decode_action(value)?);
            }
            COMMITMENT => self.restore_commitments(rest, value)?,
            INSTRUMENT => {
                expect("instrument", rest, self.instruments.len())?;
                let mut row = RowReader::new("instrument", value)?;
                let id = row.name()?.ok_or_else(|| row.damaged())?;
                row.finish()?;
                self.instrument(&id);
            }
            PARTY => {
                expect("party", rest, self.parties.len())?;
                self.restore_party(decode_party(value)?);
            }
            META => self.restore_meta(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn restore_meta(&mut self, value: &[u8]) -> Result<(), RestoreError> {
        let mut row = RowReader::new("watermark", value)?;
        self.watermark = Some(EventTime {
            position: row.u64()?,
            recorded_us: row.i64()?,
        });
        for _ in 0..row.count()? {
            let kind = EventType::from_name(row.text()?).ok_or_else(|| row.damaged())?;
            let count = row.u64()?;
            self.events.push((kind, count));
        }
        row.finish()
    }

    /// Whether facts refer to nothing that is missing.
    pub(crate) fn holds(&self, facts: &CommitmentFacts) -> bool {
        facts.is_within(self.parties.len(), self.actions.len())
    }

    /// Works out what follows from the rows, and refuses rows that refer to missing ones.
    pub(crate) fn finish_restore(&mut self) -> Result<(), RestoreError> {
        let (parties, actions) = (self.parties.len(), self.actions.len());
        if !self
            .commitments
            .iter()
            .all(|facts| facts.is_within(parties, actions))
        {
            return Err(RestoreError::Dangling { row: "commitment" });
        }
        if !self
            .actions
            .iter()
            .all(|entry| entry.is_within(actions, self.instruments.len()))
        {
            return Err(RestoreError::Dangling { row: "action" });
        }
        self.derive_actions();
        self.derive_predecessors();
        self.unsaved = Unsaved::default();
        Ok(())
    }
}

impl Tables {
    fn restore_party(&mut self, entry: PartyEntry) {
        self.party_numbers
            .insert(entry.id.clone(), number(self.parties.len()));
        self.parties.push(entry);
    }

    fn restore_action(&mut self, entry: ActionEntry) {
        self.action_numbers
            .insert(entry.code.clone(), number(self.actions.len()));
        self.actions.push(entry);
    }

    /// Turns successors around.
    fn derive_predecessors(&mut self) {
        for (slot, facts) in (0..).zip(self.commitments.iter()) {
            let successor = facts.scrutiny().and_then(|scrutiny| scrutiny.successor);
            if let Some(successor) = successor {
                self.predecessors.entry(successor).or_default().push(slot);
            }
        }
    }

    /// Turns parents into children and mappings around.
    fn derive_actions(&mut self) {
        for action in 0..number(self.actions.len()) {
            let Some(entry) = self.action(action) else {
                continue;
            };
            let (parent, targets) = (entry.parent, entry.maps_to.clone());
            if let Some(entry) = parent.and_then(|parent| entry_at_mut(&mut self.actions, parent)) {
                entry.children.push(action);
            }
            for target in targets {
                if let Some(entry) = entry_at_mut(&mut self.actions, target) {
                    entry.mapped_from.push(action);
                }
            }
        }
    }
}

impl ActionEntry {
    fn is_within(&self, actions: usize, instruments: usize) -> bool {
        let action = |&number: &u32| usize::try_from(number).is_ok_and(|number| number < actions);
        self.parent.iter().all(action)
            && self.maps_to.iter().all(action)
            && self
                .instrument
                .iter()
                .all(|&number| usize::try_from(number).is_ok_and(|number| number < instruments))
    }
}

fn once_each(mut numbers: Vec<u32>) -> Vec<u32> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

pub(crate) fn key(kind: u8, number: u32) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// The key of a page, or of one commitment in it: a page comes before its commitments, and they before the next page.
fn commitment_key(page: u32, slot: Option<u32>) -> Vec<u8> {
    let mut key = key(COMMITMENT, page);
    key.extend(slot.and_then(|slot| u8::try_from(slot).ok()));
    key
}

/// Rows are numbered without gaps and come in order, so that a missing one is noticed.
pub(crate) fn expect(row: &'static str, rest: &[u8], next: usize) -> Result<(), RestoreError> {
    let expected = number(next);
    if rest == expected.to_be_bytes() {
        Ok(())
    } else {
        Err(RestoreError::Missing { row, expected })
    }
}

fn write_optional(row: &mut RowWriter, number: Option<u32>) {
    row.u64(number.map_or(0, |number| u64::from(number) + 1));
}

fn read_optional(row: &mut RowReader<'_>) -> Result<Option<u32>, RestoreError> {
    match row.u64()?.checked_sub(1) {
        None => Ok(None),
        Some(number) => u32::try_from(number).map(Some).map_err(|_| row.damaged()),
    }
}

fn encode_action(entry: &ActionEntry) -> Vec<u8> {
    let mut row = RowWriter::new();
    row.text(entry.code.as_str());
    row.u8(u8::from(entry.title.is_some()));
    row.text(entry.title.as_deref().unwrap_or_default());
    write_optional(&mut row, entry.instrument);
    write_optional(&mut row, entry.parent);
    row.text(entry.text_status.map_or("", TextStatus::as_str));
    row.count(entry.maps_to.len());
    entry.maps_to.iter().for_each(|&action| row.u32(action));
    row.finish()
}

fn decode_action(value: &[u8]) -> Result<ActionEntry, RestoreError> {
    let mut row = RowReader::new("action", value)?;
    let code = row.name()?.ok_or_else(|| row.damaged())?;
    let titled = row.u8()? == 1;
    let title = Some(row.text()?.to_owned()).filter(|_| titled);
    let instrument = read_optional(&mut row)?;
    let parent = read_optional(&mut row)?;
    let text_status = row.name()?;
    let maps_to = (0..row.count()?)
        .map(|_| row.u32())
        .collect::<Result<_, _>>()?;
    row.finish()?;
    Ok(ActionEntry {
        code,
        title,
        instrument,
        parent,
        text_status,
        maps_to,
        children: Vec::new(),
        mapped_from: Vec::new(),
    })
}

fn encode_party(entry: &PartyEntry) -> Vec<u8> {
    let mut row = RowWriter::new();
    row.text(entry.id.as_str());
    row.text(entry.kind.map_or("", PartyKind::as_str));
    row.text(
        entry
            .country
            .as_ref()
            .map_or("", |country| country.as_str()),
    );
    row.u8(u8::from(entry.active));
    row.u64(entry.statements.recorded);
    row.moment(entry.statements.last);
    row.text(&entry.name);
    row.count(entry.former_names.len());
    for name in &entry.former_names {
        row.text(name);
    }
    row.finish()
}

fn decode_party(value: &[u8]) -> Result<PartyEntry, RestoreError> {
    let mut row = RowReader::new("party", value)?;
    let id = row.name()?.ok_or_else(|| row.damaged())?;
    let kind = row.name()?;
    let country = row.name()?;
    let active = row.u8()? == 1;
    let statements = Statements {
        recorded: row.u64()?,
        last: row.moment()?,
    };
    let name = row.text()?.to_owned();
    let mut former_names = Vec::new();
    for _ in 0..row.count()? {
        former_names.push(row.text()?.to_owned());
    }
    row.finish()?;
    Ok(PartyEntry {
        id,
        name,
        former_names,
        kind,
        country,
        active,
        statements,
    })
}
