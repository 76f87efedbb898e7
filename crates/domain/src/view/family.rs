//! One family of views: what is counted in each, and what of it changed.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::RestoreError;
use super::book::{Book, Slot};
use super::dates::{Calendar, Dates};
use super::envelope::Timeliness;
use super::facts::{Difference, Facts};
use super::fold::{Follow, Keys, Lens, Sign, Stamp};
use super::ground::{Ground, Step, Touched};
use super::happening::Happening;
use super::history::{HistoryChunk, Open};
use super::list::{CommitmentList, Page};
use super::mentions::Mentions;
use super::rows::Row;
use super::watch::{self, UnknownFilter, WatchAnswer, WatchPage};

/// The first byte of the row keys that hold when a view changed last.
const STAMP_ROW: u8 = b'k';

/// One view: its counts, its commitments, and when it changed.
pub(super) struct Entry<C> {
    pub(super) counts: C,
    /// The dates of the view's own commitments.
    pub(super) calendar: Calendar,
    /// The same of those among them that are examples.
    pub(super) illustrative: Calendar,
    /// The view's commitments in recorded order.
    members: Vec<Slot>,
    pub(super) stamp: Stamp,
    /// The events that concerned it, if history is kept.
    mentions: Mentions,
    /// It stands among the changed keys.
    changed: bool,
    /// Its stamp stands among the unsaved ones.
    unsaved: bool,
}

impl<C: Default> Default for Entry<C> {
    fn default() -> Self {
        Self {
            counts: C::default(),
            calendar: Calendar::default(),
            illustrative: Calendar::default(),
            members: Vec::new(),
            stamp: Stamp::default(),
            mentions: Mentions::default(),
            changed: false,
            unsaved: false,
        }
    }
}

impl<C> Entry<C> {
    /// Changes the dates that one of the view's own commitments is held to.
    pub(super) fn move_dates(&mut self, facts: &Facts, before: Dates, after: Dates) {
        self.calendar.change(before, after);
        if facts.is_illustrative() {
            self.illustrative.change(before, after);
        }
    }
}

/// Every view of one family.
pub(crate) struct Family<L: Lens> {
    entries: FxHashMap<L::Key, Entry<L::Counts>>,
    changed: Vec<L::Key>,
    unsaved: Vec<L::Key>,
    nothing: L::Counts,
    /// History is kept: of each view the events that concerned it, in chunks of which these were closed.
    keeps_history: bool,
    closed_mentions: Vec<(L::Key, Open)>,
    /// The views that the commitments touched by the event under way stood in, where they were taken out before it.
    left: Vec<Keys<L::Key>>,
    /// Stamps that were read back, until the book is there to find their views by.
    restored: Vec<(String, Stamp)>,
}

/// A family of views beside the facts: what answers are made from.
pub(crate) struct Seen<'a, L: Lens> {
    book: &'a Book,
    family: &'a Family<L>,
}

impl<L: Lens> Clone for Seen<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Lens> Copy for Seen<'_, L> {}

impl<'a, L: Lens> Seen<'a, L> {
    pub(super) fn book(self) -> &'a Book {
        self.book
    }

    /// The counts of a view; all zero where nothing was counted.
    pub(super) fn counts(self, key: L::Key) -> &'a L::Counts {
        let entry = self.family.entries.get(&key);
        entry.map_or(&self.family.nothing, |entry| &entry.counts)
    }

    pub(super) fn stamp(self, key: L::Key) -> Stamp {
        let entry = self.family.entries.get(&key);
        entry.map(|entry| entry.stamp).unwrap_or_default()
    }

    pub(super) fn timeliness(self, key: L::Key, today: NaiveDate) -> Timeliness {
        let entry = self.family.entries.get(&key);
        entry.map_or_else(Timeliness::default, |entry| entry.calendar.on(today))
    }

    /// The watch lists on a day, counted over one view's own commitments.
    pub(super) fn watched(
        self,
        key: L::Key,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Result<WatchAnswer, UnknownFilter> {
        let rows = page
            .list
            .map(|list| watch::rows(self.book, list, page, today));
        let nothing = Calendar::default();
        let entry = self.family.entries.get(&key);
        let (all, illustrative) = entry.map_or((&nothing, &nothing), |entry| {
            (&entry.calendar, &entry.illustrative)
        });
        Ok(WatchAnswer {
            commitments_by_list: all.lists(today),
            illustrative_commitments_by_list: illustrative.lists(today),
            watch: rows.transpose()?,
        })
    }

    fn find(self, key: &str) -> Option<L::Key> {
        let key = L::parse(self.book, key)?;
        let exists =
            self.family.entries.contains_key(&key) || L::standing(self.book).contains(&key);
        exists.then_some(key)
    }

    fn list(self, key: L::Key, page: &Page) -> CommitmentList {
        let entry = self.family.entries.get(&key);
        let members = entry.map_or(&[][..], |entry| &entry.members);
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
        CommitmentList {
            commitments: members.len(),
            rows: shown
                .iter()
                .filter_map(|&slot| self.book.facts(slot))
                .map(|facts| facts.row(self.book, L::role(key, self.book, facts)))
                .collect(),
            next: next.map(|facts| facts.recorded_position.to_string()),
        }
    }
}

impl<L: Lens> Family<L> {
    pub(super) fn seen<'a>(&'a self, book: &'a Book) -> Seen<'a, L> {
        Seen { book, family: self }
    }

    /// A view, made if it is not there.
    pub(super) fn entry(&mut self, key: L::Key) -> &mut Entry<L::Counts> {
        self.entries.entry(key).or_default()
    }

    /// Counts facts into or out of some views.
    fn count(&mut self, book: &Book, keys: &[L::Key], facts: &Facts, sign: Sign) {
        for &key in keys {
            L::count(&mut self.entry(key).counts, key, book, facts, sign);
        }
    }

    /// Moves a commitment that an event touched between the counts, calendars and lists of the views it stood in and those it stands in.
    fn move_commitment(
        &mut self,
        book: &Book,
        touched: &Touched,
        left: Option<Keys<L::Key>>,
        facts: &Facts,
    ) -> (Keys<L::Key>, Keys<L::Key>) {
        let entered = L::memberships(book, facts);
        if touched.difference != Difference::Terms {
            let dates = (touched.dates_before, touched.dates);
            if touched.difference == Difference::Progress
                && let Some(before) = &touched.before
            {
                self.recount_progress(book, &entered, before, facts);
            }
            if dates.0 != dates.1 {
                self.move_dates(book, &entered, facts, dates);
            }
            return (entered.clone(), entered);
        }
        let left = match (left, &touched.before) {
            (Some(left), _) => left,
            (None, Some(before)) => {
                let left = L::memberships(book, before);
                self.count(book, &left, before, Sign::Remove);
                self.move_dates(
                    book,
                    &left,
                    before,
                    (touched.dates_before, Dates::default()),
                );
                left
            }
            (None, None) => Keys::new(),
        };
        self.count(book, &entered, facts, Sign::Add);
        self.move_dates(book, &entered, facts, (Dates::default(), touched.dates));
        self.move_member(touched.slot, &left, &entered);
        (left, entered)
    }

    /// Counts what reports and assessments say now in place of what they said before.
    fn recount_progress(&mut self, book: &Book, keys: &[L::Key], before: &Facts, after: &Facts) {
        for &key in keys {
            let counts = &mut self.entry(key).counts;
            L::count_progress(counts, key, book, before, Sign::Remove);
            L::count_progress(counts, key, book, after, Sign::Add);
        }
    }

    /// Changes the dates in the calendars of the views that own a commitment.
    fn move_dates(
        &mut self,
        book: &Book,
        keys: &[L::Key],
        facts: &Facts,
        (before, after): (Dates, Dates),
    ) {
        for &key in keys.iter().filter(|key| L::owns(**key, book, facts)) {
            self.entry(key).move_dates(facts, before, after);
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
            let members = &mut self.entry(key).members;
            // A new commitment has the highest slot.
            if members.last().is_none_or(|&last| last < slot) {
                members.push(slot);
            } else if let Err(index) = members.binary_search(&slot) {
                members.insert(index, slot);
            }
        }
    }

    /// Stamps the views that show a figure of this one.
    fn touch_echoes(&mut self, book: &Book, step: &Step, key: L::Key) {
        for echo in L::echoes(book, key) {
            self.touch(step, echo, false);
        }
    }

    /// Stamps a view that an event concerned: one of its commitments if `of_commitment`, else a figure that it shows.
    fn touch(&mut self, step: &Step, key: L::Key, of_commitment: bool) {
        let entry = self.entries.entry(key).or_default();
        entry.stamp.change = Some(step.moment);
        if of_commitment && step.is_report() {
            entry.stamp.report = Some(step.moment);
        }
        if !entry.changed {
            entry.changed = true;
            self.changed.push(key);
        }
        if !entry.unsaved {
            entry.unsaved = true;
            self.unsaved.push(key);
        }
        if self.keeps_history && !L::ALL_EVENTS {
            let closed = entry.mentions.enter(step.moment, of_commitment);
            self.closed_mentions
                .extend(closed.map(|chunk| (key, chunk)));
        }
    }
}

impl<L: Lens> Follow for Family<L> {
    fn begun(book: &Book) -> Self {
        let mut family = Self::empty();
        for key in L::standing(book) {
            family.entry(key).changed = true;
            family.changed.push(key);
        }
        family
    }

    fn empty() -> Self {
        Self {
            entries: FxHashMap::default(),
            changed: Vec::new(),
            unsaved: Vec::new(),
            nothing: L::Counts::default(),
            keeps_history: false,
            closed_mentions: Vec::new(),
            left: Vec::new(),
            restored: Vec::new(),
        }
    }

    fn leave(&mut self, ground: &Ground, step: &Step) {
        let book = &ground.book;
        for touched in &step.touched {
            let mut left = Keys::new();
            if let Some(facts) = book.facts(touched.slot) {
                left = L::memberships(book, facts);
                self.count(book, &left, facts, Sign::Remove);
                self.move_dates(book, &left, facts, (touched.dates_before, Dates::default()));
            }
            self.left.push(left);
        }
    }

    fn enter(&mut self, ground: &Ground, _: &Happening<'_>, step: &Step) {
        let book = &ground.book;
        let mut concerned: SmallVec<[L::Key; 16]> = SmallVec::new();
        let mut all_left = std::mem::take(&mut self.left).into_iter();
        for touched in &step.touched {
            let Some(facts) = book.facts(touched.slot) else {
                continue;
            };
            let (left, entered) = self.move_commitment(book, touched, all_left.next(), facts);
            concerned.extend(left.into_iter().filter(|key| !entered.contains(key)));
            concerned.extend(entered);
        }
        for &key in &concerned {
            self.touch(step, key, true);
        }
        for key in concerned {
            self.touch_echoes(book, step, key);
        }
        for key in L::concerned(book, &step.about) {
            self.touch(step, key, false);
            self.touch_echoes(book, step, key);
        }
    }

    fn keys(&self, book: &Book) -> Vec<String> {
        let keys: BTreeSet<L::Key> = L::standing(book)
            .into_iter()
            .chain(self.entries.keys().copied())
            .collect();
        keys.into_iter().map(|key| L::text(book, key)).collect()
    }

    fn body(&self, book: &Book, key: &str) -> Option<Vec<u8>> {
        let seen = self.seen(book);
        L::body(seen, seen.find(key)?)
    }

    fn title(&self, book: &Book, key: &str) -> Option<String> {
        L::title(book, self.seen(book).find(key)?)
    }

    fn list(&self, book: &Book, key: &str, page: &Page) -> Option<CommitmentList> {
        let seen = self.seen(book);
        Some(seen.list(seen.find(key)?, page))
    }

    fn timeliness(&self, book: &Book, key: &str, today: NaiveDate) -> Option<Timeliness> {
        let seen = self.seen(book);
        Some(seen.timeliness(seen.find(key)?, today))
    }

    /// A family of views keeps no watch lists: what stands beside the summary does.
    fn watch(
        &self,
        _: &Book,
        _: &WatchPage,
        _: NaiveDate,
    ) -> Option<Result<WatchAnswer, UnknownFilter>> {
        None
    }

    fn take_keys(&mut self, book: &Book) -> Vec<String> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let mut take = |key: L::Key| {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.changed = false;
            }
            L::text(book, key)
        };
        changed.map(&mut take).collect()
    }

    fn take_rows(&mut self, book: &Book, rows: &mut Vec<Row>) {
        for key in std::mem::take(&mut self.unsaved) {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.unsaved = false;
                rows.push((stamp_key(&L::text(book, key)), entry.stamp.encode()));
            }
        }
    }

    fn keep_history(
        &mut self,
        book: &Book,
        open: Vec<(String, Vec<u8>)>,
    ) -> Result<Vec<(String, Vec<u8>)>, RestoreError> {
        let mut others = Vec::new();
        for (name, bytes) in open {
            match L::parse(book, &name) {
                Some(key) => self.entry(key).mentions = Mentions::resume(bytes)?,
                None => others.push((name, bytes)),
            }
        }
        self.keeps_history = true;
        Ok(others)
    }

    fn take_closed_history(&mut self, book: &Book, chunks: &mut Vec<HistoryChunk>) {
        let closed = self.closed_mentions.drain(..);
        chunks.extend(closed.map(|(key, chunk)| chunk.into_chunk(L::text(book, key))));
    }

    fn take_grown_history(&mut self, book: &Book, chunks: &mut Vec<HistoryChunk>) {
        for (&key, entry) in &mut self.entries {
            chunks.extend(entry.mentions.take_grown(|| L::text(book, key)));
        }
    }

    fn history_of(&self, book: &Book, key: &str) -> Option<Vec<HistoryChunk>> {
        let key = self.seen(book).find(key)?;
        if !self.keeps_history {
            return None;
        }
        if L::ALL_EVENTS {
            return Some(Vec::new());
        }
        let chunk = |(view, _)| {
            let list = L::text(book, view);
            match self.entries.get(&view) {
                Some(entry) => entry.mentions.open_chunk(list),
                None => HistoryChunk::nothing(list),
            }
        };
        Some(L::sources(book, key).into_iter().map(chunk).collect())
    }

    fn restore_row(&mut self, key: &[u8], value: &[u8]) -> Result<bool, RestoreError> {
        let Some((&STAMP_ROW, text)) = key.split_first() else {
            return Ok(false);
        };
        let text = str::from_utf8(text).map_err(|_| RestoreError::Damaged { row: "stamp" })?;
        self.restored.push((text.to_owned(), Stamp::decode(value)?));
        Ok(true)
    }

    fn restored(&mut self, book: &Book) -> Result<(), RestoreError> {
        for slot in book.slots() {
            let Some(facts) = book.facts(slot) else {
                continue;
            };
            let entered = L::memberships(book, facts);
            self.count(book, &entered, facts, Sign::Add);
            self.move_dates(book, &entered, facts, (Dates::default(), facts.dates()));
            self.move_member(slot, &[], &entered);
        }
        for (text, stamp) in std::mem::take(&mut self.restored) {
            let key = L::parse(book, &text).ok_or(RestoreError::Dangling { row: "stamp" })?;
            self.entry(key).stamp = stamp;
        }
        Ok(())
    }
}

/// The text of the view that a row says the last change of; none of another row.
pub(super) fn stamped_view(row_key: &[u8]) -> Option<&str> {
    let (&STAMP_ROW, text) = row_key.split_first()? else {
        return None;
    };
    str::from_utf8(text).ok()
}

fn stamp_key(text: &str) -> Vec<u8> {
    let mut key = vec![STAMP_ROW];
    key.extend_from_slice(text.as_bytes());
    key
}
