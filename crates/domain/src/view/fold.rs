//! The fold that all projections share: facts out of the counts, the event into the facts, facts into the counts. What a family of views
//! looks at is its [`ViewFamily`]; the facts it may share with others, as [`All`](super::all::All) does, or have to itself, as in [`Single`].

use chrono::NaiveDate;

use super::changelog::ChangelogChunk;
use super::changes::Changes;
use super::entries::{Entry, FamilyRef};
use super::error::{HexKey, RestoreError};
use super::event_ref::EventRef;
use super::event_time::EventTime;
use super::family::{FamilyViews, ViewFamily};
use super::list::Page;
use super::maintained::MaintainedViews;
use super::read_model::ReadModel;
use super::tables::Tables;
use super::watch::{UnknownFilter, WatchPage};
use crate::wire::v1::view::{CommitmentList, Timeliness, WatchAnswer};

/// Views over facts that they share with nobody.
pub(crate) struct Single<F> {
    pub(super) model: ReadModel,
    pub(super) views: F,
}

/// One family of views over facts of its own.
pub(crate) type View<L> = Single<FamilyViews<L>>;

impl<F: MaintainedViews> Default for Single<F> {
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

    pub(super) fn beside(&self) -> FamilyRef<'_, L::Key, L::Counts> {
        self.views.beside(&self.model.tables)
    }

    /// A view, made if it is not there, beside the tables.
    pub(super) fn entry(&mut self, key: L::Key) -> (&Tables, &mut Entry<L::Counts>) {
        (&self.model.tables, self.views.entry(key))
    }

    pub(super) fn timeliness_of(&self, key: L::Key, today: NaiveDate) -> Timeliness {
        self.beside().timeliness(key, today)
    }
}

impl<F: MaintainedViews> Single<F> {
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
