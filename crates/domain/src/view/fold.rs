//! The fold that the three projections share: facts out of the counts, the event into the facts, facts into the counts.

use std::collections::BTreeSet;
use std::hash::Hash;

use chrono::{DateTime, NaiveDate, Utc};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::book::{About, Book, Slot};
use super::codec::{RowReader, RowWriter};
use super::dates::{Calendar, Dates};
use super::envelope::Timeliness;
use super::facts::{Facts, PartState};
use super::history::{History, HistoryChunk, List, MOMENTS, REFERENCE};
use super::list::{CommitmentList, Page, ParticipationRole};
use super::table::TitleRef;
use super::watch::{self, UnknownFilter, WatchAnswer, WatchPage, WatchedCounts};
use super::{Changes, HexKey, RestoreError};
use crate::wire::v1::Event;

/// The first byte of the row keys that hold when a view changed last.
const STAMP_ROW: u8 = b'k';

/// Into the counts or out of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Add,
    Remove,
}

impl Sign {
    /// Moves a count by one. Whatever is removed was added before with the same facts, so a count never falls below zero.
    pub(crate) fn step(self, count: &mut u64) {
        *count = match self {
            Self::Add => count.saturating_add(1),
            Self::Remove => count.saturating_sub(1),
        };
    }

    /// Moves a count by so many.
    pub(crate) fn step_by(self, number: u64, count: &mut u64) {
        *count = match self {
            Self::Add => count.saturating_add(number),
            Self::Remove => count.saturating_sub(number),
        };
    }

    /// Moves a count by one if the fact it counts holds.
    pub(crate) fn step_if(self, holds: bool, count: &mut u64) {
        if holds {
            self.step(count);
        }
    }

    /// Moves the count of one thing among many, forgetting what is counted no more.
    pub(crate) fn step_in<K: Hash + Eq>(self, counts: &mut FxHashMap<K, u64>, key: K) {
        match self {
            Self::Add => *counts.entry(key).or_default() += 1,
            Self::Remove => {
                if let Some(count) = counts.get_mut(&key) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        counts.remove(&key);
                    }
                }
            }
        }
    }
}

/// The position and the recorded time of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) position: u64,
    pub(crate) recorded_us: i64,
}

/// When a view last changed. Kept in a row of its own: it is the one thing about a view that the facts do not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The last event that concerned the view.
    pub(crate) change: Option<Moment>,
    /// The last report on one of its commitments.
    pub(crate) report: Option<Moment>,
}

/// The keys of the views that one commitment stands in.
pub(crate) type Keys<K> = SmallVec<[K; 8]>;

/// The dates of a commitment, and the views it is counted in as their own.
#[derive(PartialEq)]
struct Held<K> {
    keys: Keys<K>,
    dates: Dates,
}

impl<K> Default for Held<K> {
    fn default() -> Self {
        Self {
            keys: Keys::new(),
            dates: Dates::default(),
        }
    }
}

/// Commitments that an event may change, the views they stood in, the dates they were held to and the titles they had before it.
type Before<K> = SmallVec<[(Slot, Keys<K>, Held<K>, TitleRef); 1]>;

/// What one family of views looks at, and how it counts one commitment.
pub(crate) trait Lens {
    type Key: Copy + Eq + Ord + Hash;
    type Counts: Default;

    /// The views that a commitment stands in, each once.
    fn memberships(book: &Book, facts: &Facts) -> Keys<Self::Key>;
    /// Counts a commitment into, or out of, one of those views.
    fn count(counts: &mut Self::Counts, key: Self::Key, book: &Book, facts: &Facts, sign: Sign);
    /// Whether the commitment counts as the view's own, rather than as one its parties take part in.
    fn owns(key: Self::Key, book: &Book, facts: &Facts) -> bool;
    /// The part that the view's country has in the commitment, and what its party says of that.
    fn role(key: Self::Key, book: &Book, facts: &Facts) -> Option<(ParticipationRole, PartState)>;
    /// The views that an event concerns besides those its commitments stand in.
    fn concerned(book: &Book, about: &About) -> Keys<Self::Key>;
    /// The views that show a figure of this view and so change with it.
    fn echoes(book: &Book, key: Self::Key) -> &[Self::Key];
    /// Where the figures of a view come from: the views whose commitments it looks at, with the views that those are counted into; none where
    /// another source counts them.
    fn sources(_: &Book, key: Self::Key) -> Vec<(Self::Key, Vec<Self::Key>)> {
        vec![(key, vec![key])]
    }
    /// The views that exist whether or not anything was counted in them.
    fn standing(book: &Book) -> Vec<Self::Key>;
    /// Finds a view by its key's text.
    fn parse(book: &Book, key: &str) -> Option<Self::Key>;
    /// The text of a key.
    fn text(book: &Book, key: Self::Key) -> String;
    /// The title of what the view is about.
    fn title(book: &Book, key: Self::Key) -> Option<String>;
    /// The canonical JSON of one view.
    fn body(view: &View<Self>, key: Self::Key) -> Option<Vec<u8>>
    where
        Self: Sized;
}

/// One view: its counts, its commitments, and when it changed.
pub(super) struct Entry<C> {
    pub(super) counts: C,
    /// The dates of the view's own commitments.
    pub(super) calendar: Calendar,
    /// The view's commitments in recorded order.
    members: Vec<Slot>,
    pub(super) stamp: Stamp,
    changed: bool,
}

impl<C: Default> Default for Entry<C> {
    fn default() -> Self {
        Self {
            counts: C::default(),
            calendar: Calendar::default(),
            members: Vec::new(),
            stamp: Stamp::default(),
            changed: false,
        }
    }
}

/// The facts and every view of one family over them.
pub(crate) struct View<L: Lens> {
    book: Book,
    entries: FxHashMap<L::Key, Entry<L::Counts>>,
    changed: Vec<L::Key>,
    nothing: L::Counts,
    /// What the views were made of at every position, if that is kept.
    history: Option<History<L::Key>>,
}

impl<L: Lens> Default for View<L> {
    fn default() -> Self {
        let mut view = Self::over(Book::default());
        for key in L::standing(&view.book) {
            view.entries.entry(key).or_default().changed = true;
            view.changed.push(key);
        }
        view
    }
}

impl<L: Lens> View<L> {
    pub(super) fn over(book: Book) -> Self {
        Self {
            book,
            entries: FxHashMap::default(),
            changed: Vec::new(),
            nothing: L::Counts::default(),
            history: None,
        }
    }

    pub(crate) fn book(&self) -> &Book {
        &self.book
    }

    pub(super) fn book_mut(&mut self) -> &mut Book {
        &mut self.book
    }

    /// A view, made if it is not there, beside the book.
    pub(super) fn entry(&mut self, key: L::Key) -> (&Book, &mut Entry<L::Counts>) {
        (&self.book, self.entries.entry(key).or_default())
    }

    /// The counts of a view; all zero where nothing was counted.
    pub(crate) fn counts(&self, key: L::Key) -> &L::Counts {
        self.entries
            .get(&key)
            .map_or(&self.nothing, |entry| &entry.counts)
    }

    pub(crate) fn stamp(&self, key: L::Key) -> Stamp {
        self.entries
            .get(&key)
            .map(|entry| entry.stamp)
            .unwrap_or_default()
    }

    /// Takes an event in, unless it was before, and says what it was about.
    pub(crate) fn apply(&mut self, event: &Event) -> Option<(Moment, About)> {
        let moment = self.book.advance(event)?;
        let slots = self.book.slots_of(event);
        let mut before: Before<L::Key> = SmallVec::new();
        for &slot in &slots {
            let title = self.book.facts(slot).map(|facts| facts.title);
            let left = self.count(slot, Sign::Remove);
            let held = self.held(slot, left.clone());
            before.push((slot, left, held, title.unwrap_or_default()));
        }
        let known = self.book.unsaved.reference();
        let about = self.book.evolve(event, &slots);
        if let About::Recorded(slot) = about {
            before.push((slot, Keys::new(), Held::default(), TitleRef::default()));
        }
        if let Some(history) = &mut self.history {
            history.begin(event);
            history.moment(moment);
            history.set_reported(about == About::Reported);
            self.book.rows_since(known, |kind, number, row| {
                history.reference(moment, kind, number, &row);
            });
        }
        let mut concerned: SmallVec<[L::Key; 16]> = SmallVec::new();
        for (slot, left, held, title) in before {
            let entered = self.count(slot, Sign::Add);
            self.move_dates(&held, &self.held(slot, entered.clone()));
            self.move_member(slot, &left, &entered);
            self.keep_facts(slot, moment, title, &left, &entered);
            concerned.extend(left.into_iter().filter(|key| !entered.contains(key)));
            concerned.extend(entered);
        }
        let reported = about == About::Reported;
        for key in concerned {
            self.touch(key, moment, reported);
        }
        for key in L::concerned(&self.book, &about) {
            self.touch(key, moment, false);
        }
        Some((moment, about))
    }

    /// Stamps a view that an event concerned, and those that show a figure of it.
    fn touch(&mut self, key: L::Key, moment: Moment, reported: bool) {
        let stamp = &mut self.stamped(key, moment).stamp;
        if reported {
            stamp.report = Some(moment);
        }
        for index in 0..L::echoes(&self.book, key).len() {
            if let Some(&echo) = L::echoes(&self.book, key).get(index) {
                self.stamped(echo, moment);
            }
        }
    }

    /// Enters a commitment's facts into the history of the views it stands in or has left.
    fn keep_facts(
        &mut self,
        slot: Slot,
        moment: Moment,
        title: TitleRef,
        left: &[L::Key],
        entered: &[L::Key],
    ) {
        let (Some(history), Some(facts)) = (&mut self.history, self.book.facts(slot)) else {
            return;
        };
        let renamed = facts.title != title;
        let mut views: SmallVec<[(L::Key, bool); 16]> = SmallVec::new();
        for key in entered {
            views.push((*key, renamed || !left.contains(key)));
        }
        for key in left.iter().filter(|key| !entered.contains(key)) {
            views.push((*key, false));
        }
        history.facts(slot, moment, &views, |row| {
            facts.encode(self.book.titles.get(facts.title), &self.book.annex, row);
        });
    }

    fn stamped(&mut self, key: L::Key, moment: Moment) -> &mut Entry<L::Counts> {
        if let Some(history) = &mut self.history {
            history.touch(key, moment);
        }
        let entry = self.entries.entry(key).or_default();
        entry.stamp.change = Some(moment);
        if !entry.changed {
            entry.changed = true;
            self.changed.push(key);
        }
        entry
    }

    /// Counts a commitment into or out of every view it stands in, and says which those are.
    fn count(&mut self, slot: Slot, sign: Sign) -> Keys<L::Key> {
        let Some(facts) = self.book.facts(slot) else {
            return Keys::new();
        };
        let keys = L::memberships(&self.book, facts);
        for &key in &keys {
            L::count(
                &mut self.entries.entry(key).or_default().counts,
                key,
                &self.book,
                facts,
                sign,
            );
        }
        keys
    }

    /// The dates of a commitment that stands in some views.
    fn held(&self, slot: Slot, mut keys: Keys<L::Key>) -> Held<L::Key> {
        let Some(facts) = self.book.facts(slot) else {
            return Held::default();
        };
        keys.retain(|key| L::owns(*key, &self.book, facts));
        Held {
            keys,
            dates: facts.dates(),
        }
    }

    /// Keeps the calendars of the views that own a commitment. Most events leave both the views and the dates as they are.
    fn move_dates(&mut self, before: &Held<L::Key>, after: &Held<L::Key>) {
        if before == after {
            return;
        }
        for key in before.keys.iter().filter(|key| !after.keys.contains(key)) {
            let calendar = &mut self.entries.entry(*key).or_default().calendar;
            calendar.change(before.dates, Dates::default());
        }
        for key in &after.keys {
            let held = before.keys.contains(key);
            let dates = if held { before.dates } else { Dates::default() };
            let calendar = &mut self.entries.entry(*key).or_default().calendar;
            calendar.change(dates, after.dates);
        }
    }

    /// Keeps the lists in recorded order, which is the order of slots.
    fn move_member(&mut self, slot: Slot, left: &[L::Key], entered: &[L::Key]) {
        for key in left.iter().filter(|key| !entered.contains(key)) {
            if let Some(entry) = self.entries.get_mut(key)
                && let Ok(index) = entry.members.binary_search(&slot)
            {
                entry.members.remove(index);
            }
        }
        for &key in entered.iter().filter(|key| !left.contains(key)) {
            let members = &mut self.entries.entry(key).or_default().members;
            if let Err(index) = members.binary_search(&slot) {
                members.insert(index, slot);
            }
        }
    }

    pub(crate) fn watermark(&self) -> Option<Moment> {
        self.book.watermark()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        let keys: BTreeSet<String> = L::standing(&self.book)
            .into_iter()
            .chain(self.entries.keys().copied())
            .map(|key| L::text(&self.book, key))
            .collect();
        keys.into_iter().collect()
    }

    fn find(&self, key: &str) -> Option<L::Key> {
        let key = L::parse(&self.book, key)?;
        (self.entries.contains_key(&key) || L::standing(&self.book).contains(&key)).then_some(key)
    }

    pub(crate) fn body(&self, key: &str) -> Option<Vec<u8>> {
        L::body(self, self.find(key)?)
    }

    pub(crate) fn title(&self, key: &str) -> Option<String> {
        L::title(&self.book, self.find(key)?)
    }

    pub(crate) fn list(&self, key: &str, page: &Page) -> Option<CommitmentList> {
        let key = self.find(key)?;
        let members = self
            .entries
            .get(&key)
            .map_or(&[][..], |entry| &entry.members);
        let start = page.after.map_or(0, |after| {
            members.partition_point(|&slot| {
                self.book
                    .facts(slot)
                    .is_some_and(|facts| facts.recorded_position <= after)
            })
        });
        let rest = members.get(start..).unwrap_or_default();
        let shown = rest.get(..page.rows()).unwrap_or(rest);
        let next = shown
            .last()
            .filter(|_| shown.len() < rest.len())
            .and_then(|&slot| self.book.facts(slot));
        Some(CommitmentList {
            commitments: members.len(),
            rows: shown
                .iter()
                .filter_map(|&slot| self.book.facts(slot))
                .map(|facts| facts.row(&self.book, L::role(key, &self.book, facts)))
                .collect(),
            next: next.map(|facts| facts.recorded_position.to_string()),
        })
    }

    pub(crate) fn timeliness(&self, key: &str, today: NaiveDate) -> Option<Timeliness> {
        Some(self.timeliness_of(self.find(key)?, today))
    }

    pub(super) fn timeliness_of(&self, key: L::Key, today: NaiveDate) -> Timeliness {
        let entry = self.entries.get(&key);
        entry.map_or_else(Timeliness::default, |entry| entry.calendar.on(today))
    }

    /// Begins to keep the history of every view, or goes on with the open chunks of one.
    pub(crate) fn keep_history(
        &mut self,
        open: impl Iterator<Item = (String, Vec<u8>)>,
    ) -> Result<(), RestoreError> {
        let mut history = History::default();
        for (name, bytes) in open {
            let list = match name.as_str() {
                REFERENCE => List::Reference,
                MOMENTS => List::Moments,
                key => L::parse(&self.book, key)
                    .map(List::View)
                    .ok_or(RestoreError::Dangling { row: "history" })?,
            };
            history.resume(list, bytes)?;
        }
        self.history = Some(history);
        Ok(())
    }

    fn list_text(book: &Book, list: List<L::Key>) -> String {
        match list {
            List::View(key) => L::text(book, key),
            List::Reference => REFERENCE.to_owned(),
            List::Moments => MOMENTS.to_owned(),
        }
    }

    pub(crate) fn take_closed_history(&mut self) -> Vec<HistoryChunk> {
        let book = &self.book;
        let history = self.history.as_mut();
        history.map_or_else(Vec::new, |history| {
            history.take_closed(|list| Self::list_text(book, list))
        })
    }

    pub(crate) fn take_grown_history(&mut self) -> Vec<HistoryChunk> {
        let book = &self.book;
        let history = self.history.as_mut();
        history.map_or_else(Vec::new, |history| {
            history.take_grown(|list| Self::list_text(book, list))
        })
    }

    /// The open chunks of every list that an answer about a view as known earlier is made from.
    pub(crate) fn history_of(&self, key: &str) -> Option<Vec<HistoryChunk>> {
        let key = self.find(key)?;
        let history = self.history.as_ref()?;
        let views = L::sources(&self.book, key).into_iter();
        let views = views.map(|(list, _)| List::View(list));
        let lists = views.chain([List::Reference, List::Moments]);
        let chunk = |list| {
            let name = Self::list_text(&self.book, list);
            let nothing = || HistoryChunk::nothing(name.clone());
            history
                .open_chunk(list, name.clone())
                .unwrap_or_else(nothing)
        };
        Some(lists.map(chunk).collect())
    }

    /// A family of views keeps no watch lists: what stands beside the summary does.
    #[expect(clippy::unused_self, reason = "it stands where another fold answers")]
    pub(crate) fn watch(
        &self,
        _: &WatchPage,
        _: NaiveDate,
    ) -> Option<Result<WatchAnswer, UnknownFilter>> {
        None
    }

    /// The watch lists on a day, counted over one view's own commitments.
    pub(crate) fn watched(
        &self,
        key: L::Key,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Result<WatchAnswer, UnknownFilter> {
        let rows = page
            .list
            .map(|list| watch::rows(&self.book, list, page, today));
        let entry = self.entries.get(&key);
        Ok(WatchAnswer {
            commitments_by_list: entry.map_or_else(
                || WatchedCounts::default().with(Timeliness::default()),
                |entry| entry.calendar.watched.with(entry.calendar.on(today)),
            ),
            watch: rows.transpose()?,
        })
    }

    pub(crate) fn take_changes(&mut self) -> Changes {
        let mut rows = self.book.take_rows();
        let mut keys: Vec<(String, L::Key)> = std::mem::take(&mut self.changed)
            .into_iter()
            .map(|key| (L::text(&self.book, key), key))
            .collect();
        keys.sort_unstable();
        for (text, key) in &keys {
            if let Some(entry) = self.entries.get_mut(key) {
                entry.changed = false;
                if entry.stamp.change.is_some() {
                    rows.push((stamp_key(text), entry.stamp.encode()));
                }
            }
        }
        Changes {
            rows,
            keys: keys.into_iter().map(|(text, _)| text).collect(),
        }
    }

    pub(crate) fn restore(
        rows: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Self, RestoreError> {
        let mut book = Book::default();
        let mut stamps: Vec<(String, Stamp)> = Vec::new();
        for (key, value) in rows {
            match key.split_first() {
                Some((&STAMP_ROW, text)) => {
                    let text = std::str::from_utf8(text)
                        .map_err(|_| RestoreError::Damaged { row: "stamp" })?;
                    stamps.push((text.to_owned(), Stamp::decode(&value)?));
                }
                Some((&kind, rest)) if Book::has_rows(kind) => {
                    book.restore_row(kind, rest, &value)?;
                }
                Some(_) | None => return Err(RestoreError::UnknownKey { key: HexKey(key) }),
            }
        }
        book.finish_restore()?;
        let mut view = Self::over(book);
        for slot in view.book.slots() {
            let entered = view.count(slot, Sign::Add);
            view.move_dates(&Held::default(), &view.held(slot, entered.clone()));
            view.move_member(slot, &[], &entered);
        }
        for (text, stamp) in stamps {
            let key = L::parse(&view.book, &text).ok_or(RestoreError::Dangling { row: "stamp" })?;
            view.entries.entry(key).or_default().stamp = stamp;
        }
        Ok(view)
    }
}

impl Stamp {
    fn encode(self) -> Vec<u8> {
        let mut row = RowWriter::new();
        row.moment(self.change);
        row.moment(self.report);
        row.finish()
    }

    fn decode(value: &[u8]) -> Result<Self, RestoreError> {
        let mut row = RowReader::new("stamp", value)?;
        let stamp = Self {
            change: row.moment()?,
            report: row.moment()?,
        };
        row.finish()?;
        Ok(stamp)
    }
}

impl Moment {
    pub(crate) fn time(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.recorded_us)
    }
}

fn stamp_key(text: &str) -> Vec<u8> {
    let mut key = vec![STAMP_ROW];
    key.extend_from_slice(text.as_bytes());
    key
}
