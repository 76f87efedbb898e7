//! All families of views over one fold of the facts: each event is read once, and its facts are changed once.

use chrono::NaiveDate;

use super::action::ActionFamily;
use super::as_of::{AsOfView, ChangelogSource};
use super::changelog::ChangelogChunk;
use super::changes::Changes;
use super::country::CountryFamily;
use super::error::RestoreError;
use super::event_ref::EventRef;
use super::event_time::EventTime;
use super::family;
use super::fold::{View, nothing_left, restore_tables};
use super::ledger::{LedgerViews, Whole};
use super::list::Page;
use super::maintained::MaintainedViews;
use super::read_model::ReadModel;
use super::watch::{UnknownFilter, WatchPage};
use crate::wire::v1::view::{CommitmentList, EventList, Timeliness, WatchAnswer};

pub use crate::wire::v1::view::Family;

/// The family that a view belongs to, by the form of its key: codes of countries are capital letters, codes of actions have a hyphen after some,
/// and the views of the whole ledger begin with a small letter.
pub fn family_of(key: &str) -> Family {
    if key.starts_with(|first: char| first.is_ascii_lowercase()) {
        Family::Summary
    } else if key.contains('-') {
        Family::Action
    } else {
        Family::Country
    }
}

/// All families of views.
pub(crate) struct All {
    model: ReadModel,
    country: family::FamilyViews<CountryFamily>,
    action: family::FamilyViews<ActionFamily>,
    whole: LedgerViews,
}

impl Default for All {
    fn default() -> Self {
        let model = ReadModel::default();
        Self {
            country: MaintainedViews::begun(&model.tables),
            action: MaintainedViews::begun(&model.tables),
            whole: MaintainedViews::begun(&model.tables),
            model,
        }
    }
}

/// Asks the family that a key belongs to.
macro_rules! of_family {
    ($all:expr, $key:expr, $views:ident => $ask:expr) => {
        match family_of($key) {
            Family::Country => {
                let $views = &$all.country;
                $ask
            }
            Family::Action => {
                let $views = &$all.action;
                $ask
            }
            Family::Summary => {
                let $views = &$all.whole;
                $ask
            }
        }
    };
}

impl All {
    pub(crate) fn apply(&mut self, event: &EventRef<'_>) {
        let Some(mut delta) = self.model.begin(event) else {
            return;
        };
        if delta.moves_tables() {
            self.country.retract(&self.model, &delta);
            self.action.retract(&self.model, &delta);
            self.whole.retract(&self.model, &delta);
        }
        self.model.evolve(event, &mut delta);
        self.country.accumulate(&self.model, event, &delta);
        self.action.accumulate(&self.model, event, &delta);
        self.whole.accumulate(&self.model, event, &delta);
    }

    pub(crate) fn watermark(&self) -> Option<EventTime> {
        self.model.tables.watermark()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        let tables = &self.model.tables;
        let mut keys = self.country.keys(tables);
        keys.extend(self.action.keys(tables));
        keys.extend(self.whole.keys(tables));
        keys.sort_unstable();
        keys
    }

    pub(crate) fn body(&self, key: &str) -> Option<Vec<u8>> {
        of_family!(self, key, views => views.body(&self.model.tables, key))
    }

    pub(crate) fn title(&self, key: &str) -> Option<String> {
        of_family!(self, key, views => views.title(&self.model.tables, key))
    }

    pub(crate) fn list(&self, key: &str, page: &Page) -> Option<CommitmentList> {
        of_family!(self, key, views => views.list(&self.model.tables, key, page))
    }

    pub(crate) fn timeliness(&self, key: &str, today: NaiveDate) -> Option<Timeliness> {
        of_family!(self, key, views => views.timeliness(&self.model.tables, key, today))
    }

    pub(crate) fn watch(
        &self,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Option<Result<WatchAnswer, UnknownFilter>> {
        self.whole.watch(&self.model.tables, page, today)
    }

    pub(crate) fn take_keys(&mut self) -> Vec<String> {
        let tables = &self.model.tables;
        let mut keys = self.country.take_keys(tables);
        keys.extend(self.action.take_keys(tables));
        keys.extend(self.whole.take_keys(tables));
        keys.sort_unstable();
        keys
    }

    pub(crate) fn take_changes(&mut self) -> Changes {
        let mut rows = self.model.take_rows();
        let tables = &self.model.tables;
        self.country.take_rows(tables, &mut rows);
        self.action.take_rows(tables, &mut rows);
        self.whole.take_rows(tables, &mut rows);
        let keys = self.take_keys();
        Changes { rows, keys }
    }

    pub(crate) fn keep_changelog(
        &mut self,
        open: impl Iterator<Item = (String, Vec<u8>)>,
    ) -> Result<(), RestoreError> {
        let left = self.model.keep_changelog(open)?;
        let tables = &self.model.tables;
        let left = self.country.keep_changelog(tables, left)?;
        let left = self.action.keep_changelog(tables, left)?;
        let left = self.whole.keep_changelog(tables, left)?;
        nothing_left(&left)
    }

    pub(crate) fn take_closed_chunks(&mut self) -> Vec<ChangelogChunk> {
        let mut chunks = Vec::new();
        self.model.take_closed_chunks(&mut chunks);
        let tables = &self.model.tables;
        self.country.take_closed_chunks(tables, &mut chunks);
        self.action.take_closed_chunks(tables, &mut chunks);
        self.whole.take_closed_chunks(tables, &mut chunks);
        chunks
    }

    pub(crate) fn take_grown_chunks(&mut self) -> Vec<ChangelogChunk> {
        let mut chunks = Vec::new();
        self.model.take_grown_chunks(&mut chunks);
        let tables = &self.model.tables;
        self.country.take_grown_chunks(tables, &mut chunks);
        self.action.take_grown_chunks(tables, &mut chunks);
        self.whole.take_grown_chunks(tables, &mut chunks);
        chunks
    }

    pub(crate) fn changelog_of(&self, key: &str) -> Option<Vec<ChangelogChunk>> {
        let tables = &self.model.tables;
        let mut chunks = of_family!(self, key, views => views.changelog_of(tables, key))?;
        chunks.extend(self.model.history()?);
        Some(chunks)
    }

    pub(crate) fn as_of<S: ChangelogSource>(
        source: &S,
        key: &str,
        position: u64,
        today: NaiveDate,
        page: Option<&Page>,
    ) -> Result<Option<AsOfView>, S::Error> {
        match family_of(key) {
            Family::Country => View::<CountryFamily>::as_of(source, key, position, today, page),
            Family::Action => View::<ActionFamily>::as_of(source, key, position, today, page),
            Family::Summary => Whole::as_of(source, key, position, today, page),
        }
    }

    pub(crate) fn watch_as_of<S: ChangelogSource>(
        source: &S,
        page: &WatchPage,
        position: u64,
        today: NaiveDate,
    ) -> Result<Option<Result<WatchAnswer, UnknownFilter>>, S::Error> {
        Whole::watch_as_of(source, page, position, today)
    }

    pub(crate) fn events_between<S: ChangelogSource>(
        source: &S,
        key: &str,
        between: (Option<u64>, u64),
        page: &Page,
    ) -> Result<EventList, S::Error> {
        match family_of(key) {
            Family::Country => View::<CountryFamily>::events_between(source, key, between, page),
            Family::Action => View::<ActionFamily>::events_between(source, key, between, page),
            Family::Summary => Whole::events_between(source, key, between, page),
        }
    }

    pub(crate) fn restore(
        rows: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Self, RestoreError> {
        let mut country: family::FamilyViews<CountryFamily> = MaintainedViews::empty();
        let mut action: family::FamilyViews<ActionFamily> = MaintainedViews::empty();
        let mut whole = LedgerViews::empty();
        let tables = restore_tables(rows, |key, value| match family::stamped_view(key) {
            Some(view) if family_of(view) == Family::Country => country.restore_row(key, value),
            Some(view) if family_of(view) == Family::Action => action.restore_row(key, value),
            Some(_) | None => whole.restore_row(key, value),
        })?;
        country.restored(&tables)?;
        action.restored(&tables)?;
        whole.restored(&tables)?;
        Ok(Self {
            model: ReadModel::over(tables),
            country,
            action,
            whole,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_form_of_their_family() {
        for (key, family) in [
            ("KEN", Family::Country),
            ("INT", Family::Country),
            ("GCM-05a", Family::Action),
            ("SDG-10.7.2", Family::Action),
            ("summary", Family::Summary),
            ("gaps", Family::Summary),
            ("partner.A-1", Family::Summary),
            ("review.IMRF26-x", Family::Summary),
        ] {
            assert_eq!(family_of(key), family, "{key}");
        }
    }
}
