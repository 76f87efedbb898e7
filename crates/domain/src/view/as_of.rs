//! Views as of a past position, counted from the change log.
//!
//! The same code counts as in the fold: the facts that a commitment had then are put into the counts of the view, with the
//! parties and actions as they were then. One chunk of a list is in memory at a time, and of the commitments only those of the page
//! that was asked for, so that the whole of a ledger of any size can be asked for too.

mod between;
mod bits;
mod source;
mod watch;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chrono::{DateTime, NaiveDate, Utc};

use super::changelog::{EVENTS, Entries, Entry, Holds, MOMENTS, Moments, REFERENCE};
use super::error::{HexKey, RestoreError};
use super::family::{FamilyViews, ViewFamily};
use super::list::Page;
use super::watch::Search;
use crate::ids::CommitmentId;
use serde_json::value::RawValue;

use crate::view::family::body::{bytes, encoded};
use crate::view::family::family_view::FamilyRef;
use crate::view::family::sign::Sign;
use crate::view::read_model::codec::{RowReader, RowWriter};
use crate::view::read_model::dates::Dates;
use crate::view::read_model::event_time::EventTime;
use crate::view::read_model::facts::CommitmentFacts;
use crate::view::read_model::index::{Keys, Slot};
use crate::view::read_model::tables::Tables;
use crate::wire::v1::view::{CommitmentList, Timeliness};

pub use between::MAX_EVENT_ROWS;
pub use source::{ChangelogSource, VisitChunk, WantChunk};

use bits::Bits;
use source::Concerning;

pub(super) use between::{events_of_list, events_of_view};
pub(super) use source::all as all_chunks;

/// A view as known at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsOfView {
    /// Its body: the bytes that a fold of the log up to there gives.
    pub body: Vec<u8>,
    /// The title of what it is about.
    pub title: Option<String>,
    /// How its commitments stood on the day asked for; none of a view that has no commitments of its own.
    pub timeliness: Option<Timeliness>,
    /// A page of its commitments, if one was asked for.
    pub list: Option<CommitmentList>,
}

impl AsOfView {
    /// A view that has no commitments of its own.
    pub(super) fn apart(body: Box<RawValue>, title: Option<String>) -> Self {
        Self {
            body: bytes(body),
            title,
            timeliness: None,
            list: None,
        }
    }
}

/// When the last event up to a position was recorded; none before the first.
///
/// # Errors
/// When the change log cannot be read.
pub fn recorded_at<S: ChangelogSource>(
    source: &S,
    position: u64,
) -> Result<Option<DateTime<Utc>>, S::Error> {
    let mut found = None;
    source.newest_first(MOMENTS, position, &source::all, &mut |chunk| {
        for at in Moments::new(chunk) {
            let at = at?;
            if at.position <= position {
                found = at.time();
            }
        }
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

/// The last of the first `tree_size` positions that was recorded at or before a time; none when nothing was.
///
/// # Errors
/// When the change log cannot be read.
pub fn position_at<S: ChangelogSource>(
    source: &S,
    time: DateTime<Utc>,
    tree_size: u64,
) -> Result<Option<u64>, S::Error> {
    let asked_us = time.timestamp_micros();
    let mut later = tree_size;
    source.newest_first(MOMENTS, tree_size, &source::all, &mut |chunk| {
        for at in Moments::new(chunk) {
            let at = at?;
            if at.recorded_us > asked_us {
                later = at.position;
                // All before it in this chunk is earlier, and so is every older chunk unless this is its first entry.
                let is_first = Moments::new(chunk).next() == Some(Ok(at));
                return Ok(if is_first {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                });
            }
        }
        Ok(ControlFlow::Break(()))
    })?;
    Ok(later.checked_sub(1))
}

/// The tables and the views of one family as of a position.
pub(super) struct AsOfViews<L: ViewFamily> {
    tables: Tables,
    views: FamilyViews<L>,
}

impl<L: ViewFamily> AsOfViews<L> {
    /// One view as of a position; none if there was no such view then.
    pub(super) fn view<S: ChangelogSource>(
        source: &S,
        key: &str,
        position: u64,
        today: NaiveDate,
        page: Option<&Page>,
    ) -> Result<Option<AsOfView>, S::Error> {
        let mut all = Self::before(source, position)?;
        let Some(asked) = L::parse(&all.tables, key) else {
            return Ok(None);
        };
        let mut reader = AsOfReader::<L>::new(asked, page);
        reader.read_all(source, &mut all, position)?;
        if !reader.is_concerned && !L::standing(&all.tables).contains(&asked) {
            return Ok(None);
        }
        let list = page.map(|page| reader.take_list(&mut all, page));
        let body = L::body(all.beside(), asked).and_then(|body| encoded(&body));
        Ok(body.map(|body| AsOfView {
            body: bytes(body),
            title: L::title(&all.tables, asked),
            timeliness: Some(all.beside().timeliness(asked, today)),
            list,
        }))
    }

    /// The counts of one view as of a position, over the parties and actions of then.
    pub(super) fn counts<S: ChangelogSource>(
        source: &S,
        key: L::Key,
        position: u64,
    ) -> Result<Self, S::Error> {
        let mut all = Self::before(source, position)?;
        AsOfReader::<L>::new(key, None).read_all(source, &mut all, position)?;
        Ok(all)
    }

    /// The tables as of a position, and nothing counted yet.
    fn before<S: ChangelogSource>(source: &S, position: u64) -> Result<Self, S::Error> {
        Ok(Self {
            tables: tables_as_of(source, position)?,
            views: FamilyViews::empty(),
        })
    }

    pub(super) fn beside(&self) -> FamilyRef<'_, L::Key, L::Counts> {
        self.views.beside(&self.tables)
    }

    /// Counts facts into some views, and their dates into those that own them.
    fn count_facts(&mut self, keys: &[L::Key], facts: &CommitmentFacts) {
        for &key in keys {
            let owned = L::owns(key, &self.tables, facts);
            let entry = self.views.entry(key);
            L::count(&mut entry.counts, key, &self.tables, facts, Sign::Add);
            if owned {
                entry.move_dates(facts, Dates::default(), facts.dates());
            }
        }
    }

    /// Takes the last change from an entry, where entries come newest first.
    fn note_change(&mut self, key: L::Key, at: EventTime, reported: bool) {
        let last = &mut self.views.entry(key).last_change;
        last.change.get_or_insert(at);
        if reported {
            last.report.get_or_insert(at);
        }
    }
}

/// The parties, actions and instruments as they were known at a position.
fn tables_as_of<S: ChangelogSource>(source: &S, position: u64) -> Result<Tables, S::Error> {
    let mut rows: BTreeMap<(u8, u32), Vec<u8>> = BTreeMap::new();
    source.newest_first(REFERENCE, position, &source::all, &mut |chunk| {
        let entries: Vec<Entry<'_>> = Entries::new(chunk).collect::<Result<_, _>>()?;
        for entry in entries.iter().rev() {
            if let Holds::State { kind, number, row } = entry.holds
                && entry.at.position <= position
            {
                rows.entry((kind, number)).or_insert_with(|| row.to_vec());
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut tables = Tables::default();
    for ((kind, number), row) in rows {
        if !tables.restore_row(kind, &number.to_be_bytes(), &row)? {
            let key = HexKey(vec![kind]);
            return Err(RestoreError::UnknownKey { key }.into());
        }
    }
    tables.finish_restore()?;
    Ok(tables)
}

/// A commitment of the page: its facts, and its id and title as soon as they are found.
struct Shown {
    facts: CommitmentFacts,
    title: Option<String>,
}

/// Counts one view from the change log.
struct AsOfReader<L: ViewFamily> {
    key: L::Key,
    /// The commitments of the page, and one more; none are wanted if no page was asked for.
    shown: BTreeMap<Slot, Shown>,
    after: Option<u64>,
    wanted: usize,
    /// The watch list that the commitments of the page are on, where not all of them are wanted.
    search: Option<Search>,
    commitments: usize,
    is_concerned: bool,
    last_event: Option<u64>,
    buffer: Vec<u8>,
}

impl<L: ViewFamily> AsOfReader<L> {
    fn new(key: L::Key, page: Option<&Page>) -> Self {
        Self {
            key,
            shown: BTreeMap::new(),
            after: page.and_then(|page| page.after),
            wanted: page.map_or(0, |page| page.rows() + 1),
            search: None,
            commitments: 0,
            is_concerned: false,
            last_event: None,
            buffer: Vec::new(),
        }
    }

    /// Counts everything that the view looks at.
    fn read_all<S: ChangelogSource>(
        &mut self,
        source: &S,
        view: &mut AsOfViews<L>,
        position: u64,
    ) -> Result<(), S::Error> {
        for (list, counted) in L::sources(&view.tables, self.key) {
            if !counted.is_empty() {
                self.read(source, view, list, &counted, position)?;
            }
        }
        Ok(())
    }

    /// Counts the newest facts of the commitments of one view into some views, if they stood in that view then: those that had left it are not up to
    /// date among the events that concern it.
    fn read<S: ChangelogSource>(
        &mut self,
        source: &S,
        view: &mut AsOfViews<L>,
        list: L::Key,
        counted: &[L::Key],
        position: u64,
    ) -> Result<(), S::Error> {
        let mut seen = Bits::default();
        let concerning = if L::ALL_EVENTS {
            Concerning::All
        } else {
            Concerning::listed(source, &L::text(&view.tables, list), position)?
        };
        let wants = |positions| concerning.any_of(positions);
        source.newest_first(EVENTS, position, &wants, &mut |chunk| {
            let entries: Vec<Entry<'_>> = Entries::new(chunk).collect::<Result<_, _>>()?;
            for entry in entries.iter().rev() {
                let at = entry.at.position;
                if at > position || !concerning.has(at) {
                    continue;
                }
                let of_commitment = concerning.is_of_commitment(at);
                if list == self.key {
                    self.note(view, entry, of_commitment && entry.reported);
                }
                let Holds::Facts { slot, titled, row } = entry.holds else {
                    continue;
                };
                if !of_commitment {
                    continue;
                }
                if seen.insert(slot.into()) {
                    self.count(view, list, counted, slot, titled, row)?;
                } else if titled && list == self.key {
                    self.name(slot, row)?;
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Takes from an entry, newest first, when the view changed and what kinds of events concerned it.
    fn note(&mut self, view: &mut AsOfViews<L>, entry: &Entry<'_>, reported: bool) {
        self.is_concerned = true;
        view.note_change(self.key, entry.at, reported);
        if self.last_event != Some(entry.at.position) {
            self.last_event = Some(entry.at.position);
            view.tables.count_event(entry.kind);
        }
    }

    fn count(
        &mut self,
        view: &mut AsOfViews<L>,
        list: L::Key,
        counted: &[L::Key],
        slot: Slot,
        titled: bool,
        row: &[u8],
    ) -> Result<(), RestoreError> {
        let (facts, title) = self.decode(&mut view.tables, titled, row)?;
        if !&view.tables.holds(&facts) {
            return Err(RestoreError::Dangling { row: "history" });
        }
        let keys = L::memberships(&view.tables, &facts);
        let mut kept = Some(Shown { facts, title });
        if keys.contains(&list) {
            let counted: Keys<L::Key> = keys
                .into_iter()
                .filter(|key| counted.contains(key))
                .collect();
            if let Some(Shown { facts, .. }) = &kept {
                view.count_facts(&counted, facts);
            }
            if list == self.key {
                self.commitments += 1;
                let wants = |it: &Shown| self.wants(&view.tables, &it.facts);
                if kept.as_ref().is_some_and(wants) {
                    kept = kept.and_then(|it| self.show(slot, it));
                }
            }
        }
        // What the facts keep in the tables is needed no more: memory is that of a page, whatever is counted.
        if let Some(Shown { mut facts, .. }) = kept {
            facts.release(&mut view.tables.shared.reports);
        }
        Ok(())
    }

    fn wants(&self, tables: &Tables, facts: &CommitmentFacts) -> bool {
        let search = self.search.as_ref();
        search.is_none_or(|search| search.finds(tables, facts))
    }

    /// Keeps a commitment for the page, as long as no earlier ones fill it; gives back the one that is not kept.
    fn show(&mut self, slot: Slot, shown: Shown) -> Option<Shown> {
        let recorded = shown.facts.recorded_position;
        if self.wanted == 0 || self.after.is_some_and(|after| recorded <= after) {
            return Some(shown);
        }
        self.shown.insert(slot, shown);
        if self.shown.len() > self.wanted {
            return self.shown.pop_last().map(|(_, last)| last);
        }
        None
    }

    /// Gives a commitment of the page the id and the title that its newest facts came without.
    fn name(&mut self, slot: Slot, row: &[u8]) -> Result<(), RestoreError> {
        let Some(shown) = self.shown.get_mut(&slot).filter(|it| it.title.is_none()) else {
            return Ok(());
        };
        let (id, title) = named(row)?;
        shown.facts.id = id;
        shown.title = Some(title.to_owned());
        Ok(())
    }

    fn decode(
        &mut self,
        tables: &mut Tables,
        titled: bool,
        row: &[u8],
    ) -> Result<(CommitmentFacts, Option<String>), RestoreError> {
        if titled {
            let mut row = RowReader::within("history", row);
            let (facts, title) = CommitmentFacts::decode(&mut row, &mut tables.shared)?;
            row.finish()?;
            return Ok((facts, (self.wanted > 0).then(|| title.to_owned())));
        }
        let mut whole = RowWriter::onto(std::mem::take(&mut self.buffer));
        whole.array(&[0; 16]);
        whole.text("");
        whole.array(row);
        self.buffer = whole.finish();
        let mut row = RowReader::within("history", &self.buffer);
        let (facts, _) = CommitmentFacts::decode(&mut row, &mut tables.shared)?;
        row.finish()?;
        self.buffer.clear();
        Ok((facts, None))
    }

    /// The commitments of the page, and what to ask for to get the next one.
    fn take_shown(
        &mut self,
        view: &mut AsOfViews<L>,
        rows: usize,
    ) -> (Vec<CommitmentFacts>, Option<String>) {
        let more = self.shown.len() > rows;
        let shown = std::mem::take(&mut self.shown).into_values().take(rows);
        let facts: Vec<CommitmentFacts> = shown
            .map(|Shown { mut facts, title }| {
                facts.title = view.tables.titles.push(&title.unwrap_or_default());
                facts
            })
            .collect();
        let last = facts.last().filter(|_| more);
        let next = last.map(|facts| facts.recorded_position.to_string());
        (facts, next)
    }

    fn take_list(&mut self, view: &mut AsOfViews<L>, page: &Page) -> CommitmentList {
        let (shown, next) = self.take_shown(view, page.rows());
        let row = |facts: &CommitmentFacts| {
            facts.row(&view.tables, L::role(self.key, &view.tables, facts))
        };
        CommitmentList {
            commitments: self.commitments,
            rows: shown.iter().map(row).collect(),
            next,
        }
    }
}

/// The id and the title that come first in a commitment's row.
fn named(row: &[u8]) -> Result<(CommitmentId, &str), RestoreError> {
    let mut row = RowReader::within("history", row);
    let id = CommitmentId(uuid::Uuid::from_bytes(row.array()?));
    Ok((id, row.text()?))
}
