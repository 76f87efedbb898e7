//! The fold that all projections share: facts out of the counts, the event into the facts, facts into the counts. What a family of views
//! looks at is its [`ViewFamily`]; the facts it may share with others, as [`All`](super::all::All) does, or have to itself, as in [`Single`].

use std::hash::Hash;

use chrono::{DateTime, NaiveDate, Utc};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::changelog::ChangelogChunk;
use super::codec::{RowReader, RowWriter};
use super::event_ref::EventRef;
use super::facts::{CommitmentFacts, PartState};
use super::family::{Entry, FamilyViews, Seen};
use super::list::Page;
use super::read_model::{Delta, ReadModel};
use super::rows::Row;
use super::tables::{About, Tables};
use super::watch::{UnknownFilter, WatchPage};
use super::{Changes, HexKey, RestoreError};
use crate::wire::v1::view::{CommitmentList, ParticipationRole, Timeliness, WatchAnswer};

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
pub(crate) struct EventTime {
    pub(crate) position: u64,
    pub(crate) recorded_us: i64,
}

/// When a view last changed. Kept in a row of its own: it is the one thing about a view that the facts do not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LastChange {
    /// The last event that concerned the view.
    pub(crate) change: Option<EventTime>,
    /// The last report on one of its commitments.
    pub(crate) report: Option<EventTime>,
}

/// The keys of the views that one commitment stands in.
pub(crate) type Keys<K> = SmallVec<[K; 8]>;

/// What one family of views looks at, and how it counts one commitment.
pub(crate) trait ViewFamily {
    type Key: Copy + Eq + Ord + Hash;
    type Counts: Default;
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
    /// Whether the commitment counts as the view's own, rather than as one its parties take part in.
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
    /// The canonical JSON of one view.
    fn body(view: Seen<'_, Self>, key: Self::Key) -> Option<Vec<u8>>
    where
        Self: Sized;
}

/// Views that follow a read model: one family, or one and what stands beside it.
pub(crate) trait Follow: Sized {
    /// Follows a read model in which nothing has happened.
    fn begun(tables: &Tables) -> Self;
    /// Prepares for an event that changes where commitments stand: takes those it touches out of the counts.
    fn retract(&mut self, model: &ReadModel, delta: &Delta);
    /// Follows an event that the read model has taken in.
    fn accumulate(&mut self, model: &ReadModel, event: &EventRef<'_>, delta: &Delta);
    fn keys(&self, tables: &Tables) -> Vec<String>;
    fn body(&self, tables: &Tables, key: &str) -> Option<Vec<u8>>;
    fn title(&self, tables: &Tables, key: &str) -> Option<String>;
    fn list(&self, tables: &Tables, key: &str, page: &Page) -> Option<CommitmentList>;
    fn timeliness(&self, tables: &Tables, key: &str, today: NaiveDate) -> Option<Timeliness>;
    /// The watch lists, of those views that keep some.
    fn watch(
        &self,
        tables: &Tables,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Option<Result<WatchAnswer, UnknownFilter>>;
    /// The keys of the views that changed since the last call, in no order.
    fn take_keys(&mut self, tables: &Tables) -> Vec<String>;
    /// The rows of what changed since the last call.
    fn take_rows(&mut self, tables: &Tables, rows: &mut Vec<Row>);
    /// Begins to keep history, or goes on with the open chunks of one; those that are not its own are given back.
    fn keep_changelog(
        &mut self,
        tables: &Tables,
        open: Vec<(String, Vec<u8>)>,
    ) -> Result<Vec<(String, Vec<u8>)>, RestoreError>;
    fn take_closed_chunks(&mut self, tables: &Tables, chunks: &mut Vec<ChangelogChunk>);
    fn take_grown_chunks(&mut self, tables: &Tables, chunks: &mut Vec<ChangelogChunk>);
    /// The open chunks of the lists of its own that answers about a view are made from.
    fn changelog_of(&self, tables: &Tables, key: &str) -> Option<Vec<ChangelogChunk>>;
    /// Takes a row back in; whether it was its own. Rows come before [`Follow::restored`].
    fn restore_row(&mut self, key: &[u8], value: &[u8]) -> Result<bool, RestoreError>;
    /// Counts everything from the facts that were restored.
    fn restored(&mut self, tables: &Tables) -> Result<(), RestoreError>;
    /// Nothing yet, to be filled with rows.
    fn empty() -> Self;
}

/// Views over facts that they share with nobody.
pub(crate) struct Single<F> {
    pub(super) model: ReadModel,
    pub(super) views: F,
}

/// One family of views over facts of its own.
pub(crate) type View<L> = Single<FamilyViews<L>>;

impl<F: Follow> Default for Single<F> {
    fn default() -> Self {
        let model = ReadModel::default();
        Self {
            views: F::begun(&model.tables),
            model,
        }
    }
}

impl<L: ViewFamily> View<L> {
    pub(super) fn over(tables: Tables) -> Self {
        Self {
            model: ReadModel::over(tables),
            views: FamilyViews::empty(),
        }
    }

    pub(super) fn tables_mut(&mut self) -> &mut Tables {
        &mut self.model.tables
    }

    pub(super) fn seen(&self) -> Seen<'_, L> {
        self.views.seen(&self.model.tables)
    }

    /// A view, made if it is not there, beside the tables.
    pub(super) fn entry(&mut self, key: L::Key) -> (&Tables, &mut Entry<L::Counts>) {
        (&self.model.tables, self.views.entry(key))
    }

    pub(super) fn timeliness_of(&self, key: L::Key, today: NaiveDate) -> Timeliness {
        self.seen().timeliness(key, today)
    }
}

impl<F: Follow> Single<F> {
    pub(crate) fn tables(&self) -> &Tables {
        &self.model.tables
    }

    /// Takes an event in, unless it was before.
    pub(crate) fn apply(&mut self, event: &EventRef<'_>) {
        let Some(mut delta) = self.model.begin(event) else {
            return;
        };
        if delta.moves_tables() {
            self.views.retract(&self.model, &delta);
        }
        self.model.evolve(event, &mut delta);
        self.views.accumulate(&self.model, event, &delta);
    }

    pub(crate) fn watermark(&self) -> Option<EventTime> {
        self.tables().watermark()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = self.views.keys(self.tables());
        keys.sort_unstable();
        keys
    }

    pub(crate) fn body(&self, key: &str) -> Option<Vec<u8>> {
        self.views.body(self.tables(), key)
    }

    pub(crate) fn title(&self, key: &str) -> Option<String> {
        self.views.title(self.tables(), key)
    }

    pub(crate) fn list(&self, key: &str, page: &Page) -> Option<CommitmentList> {
        self.views.list(self.tables(), key, page)
    }

    pub(crate) fn timeliness(&self, key: &str, today: NaiveDate) -> Option<Timeliness> {
        self.views.timeliness(self.tables(), key, today)
    }

    pub(crate) fn watch(
        &self,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Option<Result<WatchAnswer, UnknownFilter>> {
        self.views.watch(self.tables(), page, today)
    }

    pub(crate) fn take_keys(&mut self) -> Vec<String> {
        let mut keys = self.views.take_keys(&self.model.tables);
        keys.sort_unstable();
        keys
    }

    pub(crate) fn take_changes(&mut self) -> Changes {
        let mut rows = self.model.take_rows();
        self.views.take_rows(&self.model.tables, &mut rows);
        let keys = self.take_keys();
        Changes { rows, keys }
    }

    pub(crate) fn keep_changelog(
        &mut self,
        open: impl Iterator<Item = (String, Vec<u8>)>,
    ) -> Result<(), RestoreError> {
        let open = self.model.keep_changelog(open)?;
        let left = self.views.keep_changelog(&self.model.tables, open)?;
        nothing_left(&left)
    }

    pub(crate) fn take_closed_chunks(&mut self) -> Vec<ChangelogChunk> {
        let mut chunks = Vec::new();
        self.model.take_closed_chunks(&mut chunks);
        self.views
            .take_closed_chunks(&self.model.tables, &mut chunks);
        chunks
    }

    pub(crate) fn take_grown_chunks(&mut self) -> Vec<ChangelogChunk> {
        let mut chunks = Vec::new();
        self.model.take_grown_chunks(&mut chunks);
        self.views
            .take_grown_chunks(&self.model.tables, &mut chunks);
        chunks
    }

    pub(crate) fn changelog_of(&self, key: &str) -> Option<Vec<ChangelogChunk>> {
        let mut chunks = self.views.changelog_of(self.tables(), key)?;
        chunks.extend(self.model.history()?);
        Some(chunks)
    }

    pub(crate) fn restore(
        rows: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Self, RestoreError> {
        let mut views = F::empty();
        let tables = restore_tables(rows, |key, value| views.restore_row(key, value))?;
        views.restored(&tables)?;
        Ok(Self {
            model: ReadModel::over(tables),
            views,
        })
    }
}

/// Takes the tables' rows back in, and lets `take` have the others.
pub(super) fn restore_tables(
    rows: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
    mut take: impl FnMut(&[u8], &[u8]) -> Result<bool, RestoreError>,
) -> Result<Tables, RestoreError> {
    let mut tables = Tables::default();
    for (key, value) in rows {
        match key.split_first() {
            Some((&kind, rest)) if Tables::has_rows(kind) => {
                tables.restore_row(kind, rest, &value)?;
            }
            Some(_) | None => {
                if !take(&key, &value)? {
                    return Err(RestoreError::UnknownKey { key: HexKey(key) });
                }
            }
        }
    }
    tables.finish_restore()?;
    Ok(tables)
}

/// An open chunk of a list that nobody knows belongs to a view that is missing.
pub(super) fn nothing_left(left: &[(String, Vec<u8>)]) -> Result<(), RestoreError> {
    match left {
        [] => Ok(()),
        _ => Err(RestoreError::Dangling { row: "history" }),
    }
}

impl LastChange {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut row = RowWriter::new();
        row.moment(self.change);
        row.moment(self.report);
        row.finish()
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self, RestoreError> {
        let mut row = RowReader::new("stamp", value)?;
        let stamp = Self {
            change: row.moment()?,
            report: row.moment()?,
        };
        row.finish()?;
        Ok(stamp)
    }
}

impl EventTime {
    pub(crate) fn time(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.recorded_us)
    }
}
