//! A family of views: what it counts of a commitment ([`ViewFamily`]), and its views ([`FamilyViews`]), kept up to date one change at a time.

pub(super) mod action;
pub(super) mod body;
pub(super) mod country;
pub(super) mod coverage;
pub(super) mod family_view;
pub(super) mod last_change;
pub(super) mod reach;
pub(super) mod sign;
pub(super) mod summary;
pub(super) mod tally;

use std::collections::BTreeSet;
use std::hash::Hash;

use chrono::NaiveDate;
use rustc_hash::FxHashMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::changelog::{ChangelogChunk, Open};
use super::error::RestoreError;
use super::list::Page;
use super::read_model::{CommitmentChange, Delta};
use super::watch::{self, UnknownFilter, WatchPage};
use crate::view::changelog::postings::Postings;
use crate::view::read_model::dates::{Calendar, Dates};
use crate::view::read_model::facts::{CommitmentFacts, Difference, PartState};
use crate::view::read_model::index::{Keys, Slot};
use crate::view::read_model::rows::Row;
use crate::view::read_model::tables::{About, Tables};
use crate::wire::v1::view::{CommitmentList, ParticipationRole, Timeliness, WatchAnswer};
use body::encoded;
use family_view::{FamilyRef, FamilyView};
use last_change::LastChange;
use sign::Sign;

/// The first byte of the row keys that hold when a view changed last.
const LAST_CHANGE_ROW: u8 = b'k';

/// A family of views, with its subject and its way to count one commitment.
pub(crate) trait ViewFamily {
    type Key: Copy + Eq + Ord + Hash;
    type Counts: Default;
    type Body: Serialize + DeserializeOwned;
    /// Every event concerns each of these views, so that the list of all events is theirs.
    const ALL_EVENTS: bool = false;

    /// The views that a commitment stands in, each once.
    fn memberships(tables: &Tables, facts: &CommitmentFacts) -> Keys<Self::Key>;
    /// Counts a commitment into, or out of, one of those views: what it is, which no report and no assessment changes.
    fn count_terms(
        counts: &mut Self::Counts,
        key: Self::Key,
        tables: &Tables,
        facts: &CommitmentFacts,
        sign: Sign,
    );
    /// Counts into it, or out of it, what reports and assessments say of the commitment.
    fn count_progress(
        counts: &mut Self::Counts,
        key: Self::Key,
        tables: &Tables,
        facts: &CommitmentFacts,
        sign: Sign,
    );
    /// Counts all of a commitment into, or out of, one of those views.
    fn count(
        counts: &mut Self::Counts,
        key: Self::Key,
        tables: &Tables,
        facts: &CommitmentFacts,
        sign: Sign,
    ) {
        Self::count_terms(counts, key, tables, facts, sign);
        Self::count_progress(counts, key, tables, facts, sign);
    }
    /// Returns true when the commitment counts as the view's own, rather than as one its parties
    /// take part in.
    fn owns(key: Self::Key, tables: &Tables, facts: &CommitmentFacts) -> bool;
    /// The part that the view's country has in the commitment, and what its party says of that.
    fn role(
        key: Self::Key,
        tables: &Tables,
        facts: &CommitmentFacts,
    ) -> Option<(ParticipationRole, PartState)>;
    /// The views that an event concerns besides those its commitments stand in.
    fn concerned(tables: &Tables, about: &About) -> Keys<Self::Key>;
    /// The views that show a figure of this view and so change with it.
    fn echoes(tables: &Tables, key: Self::Key) -> Keys<Self::Key>;
    /// Where the figures of a view come from: the views whose commitments it looks at, with the views that those are counted into; none where
    /// another source counts them.
    fn sources(_: &Tables, key: Self::Key) -> Vec<(Self::Key, Vec<Self::Key>)> {
        vec![(key, vec![key])]
    }
    /// The views that exist whether or not anything was counted in them.
    fn standing(tables: &Tables) -> Vec<Self::Key>;
    /// Finds a view by its key's text.
    fn parse(tables: &Tables, key: &str) -> Option<Self::Key>;
    /// The text of a key.
    fn text(tables: &Tables, key: Self::Key) -> String;
    /// The title of what the view is about.
    fn title(tables: &Tables, key: Self::Key) -> Option<String>;
    /// The body of one view.
    fn body(views: FamilyRef<'_, Self::Key, Self::Counts>, key: Self::Key) -> Option<Self::Body>;
}

/// Every view of one family.
pub(crate) struct FamilyViews<L: ViewFamily> {
    entries: FxHashMap<L::Key, FamilyView<L::Counts>>,
    changed: Vec<L::Key>,
    unsaved: Vec<L::Key>,
    nothing: L::Counts,
    /// A change log is kept: of each view the events that concerned it, in chunks of which these were closed.
    keeps_changelog: bool,
    closed_postings: Vec<(L::Key, Open)>,
    /// The views that the commitments touched by the event under way stood in, where they were taken out before it.
    left: Vec<Keys<L::Key>>,
}

impl<L: ViewFamily> FamilyViews<L> {
    pub(super) fn beside<'a>(&'a self, tables: &'a Tables) -> FamilyRef<'a, L::Key, L::Counts> {
        FamilyRef {
            tables,
            entries: &self.entries,
            nothing: &self.nothing,
        }
    }

    fn find(&self, tables: &Tables, key: &str) -> Option<L::Key> {
        let key = L::parse(tables, key)?;
        let exists = self.entries.contains_key(&key) || L::standing(tables).contains(&key);
        exists.then_some(key)
    }

    /// A view, made if it is not there.
    pub(super) fn entry(&mut self, key: L::Key) -> &mut FamilyView<L::Counts> {
        self.entries.entry(key).or_default()
    }

    /// Counts facts into or out of some views.
    fn count(&mut self, tables: &Tables, keys: &[L::Key], facts: &CommitmentFacts, sign: Sign) {
        for &key in keys {
            L::count(&mut self.entry(key).counts, key, tables, facts, sign);
        }
    }

    /// Moves a commitment that an event touched between the counts, calendars and lists of the views it stood in and those it stands in.
    fn move_commitment(
        &mut self,
        tables: &Tables,
        change: &CommitmentChange,
        left: Option<Keys<L::Key>>,
        facts: &CommitmentFacts,
    ) -> (Keys<L::Key>, Keys<L::Key>) {
        let entered = L::memberships(tables, facts);
        if change.difference != Difference::Terms {
            let dates = (change.dates_before, change.dates);
            if change.difference == Difference::Progress
                && let Some(before) = &change.before
            {
                self.recount_progress(tables, &entered, before, facts);
            }
            if dates.0 != dates.1 {
                self.move_dates(tables, &entered, facts, dates);
            }
            return (entered.clone(), entered);
        }
        let left = match (left, &change.before) {
            (Some(left), _) => left,
            (None, Some(before)) => {
                let left = L::memberships(tables, before);
                self.count(tables, &left, before, Sign::Remove);
                self.move_dates(
                    tables,
                    &left,
                    before,
                    (change.dates_before, Dates::default()),
                );
                left
            }
            (None, None) => Keys::new(),
        };
        self.count(tables, &entered, facts, Sign::Add);
        self.move_dates(tables, &entered, facts, (Dates::default(), change.dates));
        self.move_member(change.slot, &left, &entered);
        (left, entered)
    }

    /// Counts what reports and assessments say now in place of what they said before.
    fn recount_progress(
        &mut self,
        tables: &Tables,
        keys: &[L::Key],
        before: &CommitmentFacts,
        after: &CommitmentFacts,
    ) {
        for &key in keys {
            let counts = &mut self.entry(key).counts;
            L::count_progress(counts, key, tables, before, Sign::Remove);
            L::count_progress(counts, key, tables, after, Sign::Add);
        }
    }

    /// Changes the dates in the calendars of the views that own a commitment.
    fn move_dates(
        &mut self,
        tables: &Tables,
        keys: &[L::Key],
        facts: &CommitmentFacts,
        (before, after): (Dates, Dates),
    ) {
        for &key in keys.iter().filter(|key| L::owns(**key, tables, facts)) {
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
    fn touch_echoes(&mut self, tables: &Tables, delta: &Delta, key: L::Key) {
        for echo in L::echoes(tables, key) {
            self.touch(delta, echo, false);
        }
    }

    /// Stamps a view that an event concerned: one of its commitments if `of_commitment`, else a figure that it shows.
    fn touch(&mut self, delta: &Delta, key: L::Key, of_commitment: bool) {
        let entry = self.entries.entry(key).or_default();
        entry.last_change.change = Some(delta.moment);
        if of_commitment && delta.is_report() {
            entry.last_change.report = Some(delta.moment);
        }
        if !entry.changed {
            entry.changed = true;
            self.changed.push(key);
        }
        if !entry.unsaved {
            entry.unsaved = true;
            self.unsaved.push(key);
        }
        if self.keeps_changelog && !L::ALL_EVENTS {
            let closed = entry.postings.enter(delta.moment, of_commitment);
            self.closed_postings
                .extend(closed.map(|chunk| (key, chunk)));
        }
    }
}

/// Folding: what a change of the read model does to the views.
impl<L: ViewFamily> FamilyViews<L> {
    /// The views before the first event.
    pub(super) fn begun(tables: &Tables) -> Self {
        let mut family = Self::empty();
        for key in L::standing(tables) {
            family.entry(key).changed = true;
            family.changed.push(key);
        }
        family
    }

    pub(super) fn empty() -> Self {
        Self {
            entries: FxHashMap::default(),
            changed: Vec::new(),
            unsaved: Vec::new(),
            nothing: L::Counts::default(),
            keeps_changelog: false,
            closed_postings: Vec::new(),
            left: Vec::new(),
        }
    }

    /// Takes the commitments that an event touches out of the counts, where the event moves the tables too.
    pub(super) fn retract(&mut self, tables: &Tables, delta: &Delta) {
        for change in &delta.changes {
            let mut left = Keys::new();
            if let Some(facts) = tables.facts(change.slot) {
                left = L::memberships(tables, facts);
                self.count(tables, &left, facts, Sign::Remove);
                self.move_dates(
                    tables,
                    &left,
                    facts,
                    (change.dates_before, Dates::default()),
                );
            }
            self.left.push(left);
        }
    }

    /// Counts what an event changed.
    pub(super) fn accumulate(&mut self, tables: &Tables, delta: &Delta) {
        let mut concerned: SmallVec<[L::Key; 16]> = SmallVec::new();
        let mut all_left = std::mem::take(&mut self.left).into_iter();
        for change in &delta.changes {
            let Some(facts) = tables.facts(change.slot) else {
                continue;
            };
            let (left, entered) = self.move_commitment(tables, change, all_left.next(), facts);
            concerned.extend(left.into_iter().filter(|key| !entered.contains(key)));
            concerned.extend(entered);
        }
        for &key in &concerned {
            self.touch(delta, key, true);
        }
        for key in concerned {
            self.touch_echoes(tables, delta, key);
        }
        for key in L::concerned(tables, &delta.about) {
            self.touch(delta, key, false);
            self.touch_echoes(tables, delta, key);
        }
    }
}

/// Answering about one view.
impl<L: ViewFamily> FamilyViews<L> {
    pub(super) fn keys(&self, tables: &Tables) -> Vec<String> {
        let keys: BTreeSet<L::Key> = L::standing(tables)
            .into_iter()
            .chain(self.entries.keys().copied())
            .collect();
        keys.into_iter().map(|key| L::text(tables, key)).collect()
    }

    pub(super) fn body(&self, tables: &Tables, key: &str) -> Option<Box<RawValue>> {
        encoded(&L::body(self.beside(tables), self.find(tables, key)?)?)
    }

    pub(super) fn title(&self, tables: &Tables, key: &str) -> Option<String> {
        L::title(tables, self.find(tables, key)?)
    }

    pub(super) fn list(&self, tables: &Tables, key: &str, page: &Page) -> Option<CommitmentList> {
        let key = self.find(tables, key)?;
        let entry = self.entries.get(&key);
        let members = entry.map_or(&[][..], |entry| &entry.members);
        let start = page.after.map_or(0, |after| {
            members.partition_point(|&slot| {
                tables
                    .facts(slot)
                    .is_some_and(|facts| facts.recorded_position <= after)
            })
        });
        let rest = members.get(start..).unwrap_or_default();
        let shown = rest.get(..page.rows()).unwrap_or(rest);
        let next = shown
            .last()
            .filter(|_| shown.len() < rest.len())
            .and_then(|&slot| tables.facts(slot));
        Some(CommitmentList {
            commitments: members.len(),
            rows: shown
                .iter()
                .filter_map(|&slot| tables.facts(slot))
                .map(|facts| facts.row(tables, L::role(key, tables, facts)))
                .collect(),
            next: next.map(|facts| facts.recorded_position.to_string()),
        })
    }

    pub(super) fn timeliness(
        &self,
        tables: &Tables,
        key: &str,
        today: NaiveDate,
    ) -> Option<Timeliness> {
        let key = self.find(tables, key)?;
        Some(self.beside(tables).timeliness(key, today))
    }

    /// The watch lists on a day, counted over one view's own commitments.
    pub(super) fn watch(
        &self,
        tables: &Tables,
        key: L::Key,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Result<WatchAnswer, UnknownFilter> {
        let rows = page.list.map(|list| watch::rows(tables, list, page, today));
        let nothing = Calendar::default();
        let entry = self.entries.get(&key);
        let (all, illustrative) = entry.map_or((&nothing, &nothing), |entry| {
            (&entry.calendar, &entry.illustrative)
        });
        Ok(WatchAnswer {
            commitments_by_list: all.lists(today),
            illustrative_commitments_by_list: illustrative.lists(today),
            watch: rows.transpose()?,
        })
    }
}

/// Saving, and the change log.
impl<L: ViewFamily> FamilyViews<L> {
    /// The keys of the views that changed since the last call, in no order.
    pub(super) fn take_keys(&mut self, tables: &Tables, keys: &mut Vec<String>) {
        for key in std::mem::take(&mut self.changed) {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.changed = false;
            }
            keys.push(L::text(tables, key));
        }
    }

    /// The rows of what changed since the last call.
    pub(super) fn take_rows(&mut self, tables: &Tables, rows: &mut Vec<Row>) {
        for key in std::mem::take(&mut self.unsaved) {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.unsaved = false;
                rows.push((
                    last_change_key(&L::text(tables, key)),
                    entry.last_change.encode(),
                ));
            }
        }
    }

    /// Begins to keep the change log, or goes on with open chunks; gives back those that are not its own.
    pub(super) fn keep_changelog(
        &mut self,
        tables: &Tables,
        open: Vec<(String, Vec<u8>)>,
    ) -> Result<Vec<(String, Vec<u8>)>, RestoreError> {
        let mut others = Vec::new();
        for (name, bytes) in open {
            match L::parse(tables, &name) {
                Some(key) => self.entry(key).postings = Postings::resume(bytes)?,
                None => others.push((name, bytes)),
            }
        }
        self.keeps_changelog = true;
        Ok(others)
    }

    pub(super) fn take_closed_chunks(&mut self, tables: &Tables, chunks: &mut Vec<ChangelogChunk>) {
        let closed = self.closed_postings.drain(..);
        chunks.extend(closed.map(|(key, chunk)| chunk.into_chunk(L::text(tables, key))));
    }

    pub(super) fn take_grown_chunks(&mut self, tables: &Tables, chunks: &mut Vec<ChangelogChunk>) {
        for (&key, entry) in &mut self.entries {
            chunks.extend(entry.postings.take_grown(|| L::text(tables, key)));
        }
    }

    /// The open chunks of the lists of its own that answers about a view are made from.
    pub(super) fn changelog_of(&self, tables: &Tables, key: &str) -> Option<Vec<ChangelogChunk>> {
        let key = self.find(tables, key)?;
        if !self.keeps_changelog {
            return None;
        }
        if L::ALL_EVENTS {
            return Some(Vec::new());
        }
        let chunk = |(view, _)| {
            let list = L::text(tables, view);
            match self.entries.get(&view) {
                Some(entry) => entry.postings.open_chunk(list),
                None => ChangelogChunk::nothing(list),
            }
        };
        Some(L::sources(tables, key).into_iter().map(chunk).collect())
    }

    /// The views of restored tables, and when they changed last.
    pub(super) fn restored<'a>(
        tables: &Tables,
        changed: impl Iterator<Item = (&'a str, LastChange)>,
    ) -> Result<Self, RestoreError> {
        let mut family = Self::empty();
        for slot in tables.slots() {
            let Some(facts) = tables.facts(slot) else {
                continue;
            };
            let entered = L::memberships(tables, facts);
            family.count(tables, &entered, facts, Sign::Add);
            family.move_dates(tables, &entered, facts, (Dates::default(), facts.dates()));
            family.move_member(slot, &[], &entered);
        }
        for (view, last_change) in changed {
            let key = L::parse(tables, view).ok_or(RestoreError::Dangling { row: "stamp" })?;
            family.entry(key).last_change = last_change;
        }
        Ok(family)
    }
}

/// The text of the view that a row says the last change of; none of another row.
pub(super) fn changed_view(row_key: &[u8]) -> Option<&str> {
    let (&LAST_CHANGE_ROW, text) = row_key.split_first()? else {
        return None;
    };
    str::from_utf8(text).ok()
}

fn last_change_key(text: &str) -> Vec<u8> {
    let mut key = vec![LAST_CHANGE_ROW];
    key.extend_from_slice(text.as_bytes());
    key
}
