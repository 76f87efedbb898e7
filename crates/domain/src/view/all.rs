//! All families of views over one fold of the facts: each event is read once, and its facts are changed once.

use chrono::NaiveDate;

use super::action::ActionLens;
use super::country::CountryLens;
use super::envelope::Timeliness;
use super::family;
use super::fold::{Follow, Moment, View, nothing_left, restore_book};
use super::ground::Ground;
use super::happening::Happening;
use super::history::HistoryChunk;
use super::known::{KnownEvents, KnownHistory, KnownView};
use super::list::{CommitmentList, Page};
use super::watch::{UnknownFilter, WatchAnswer, WatchPage};
use super::whole::{Whole, WholeViews};
use super::{Changes, RestoreError};

/// A family of views, as its projection is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// One view for each country.
    Country,
    /// One view for each action.
    Action,
    /// The views of the whole ledger.
    Summary,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 3] = [Self::Country, Self::Action, Self::Summary];

    /// Its name: that of its projection and of its bucket.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Action => "action",
            Self::Summary => "summary",
        }
    }
}

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
    ground: Ground,
    country: family::Family<CountryLens>,
    action: family::Family<ActionLens>,
    whole: WholeViews,
}

impl Default for All {
    fn default() -> Self {
        let ground = Ground::default();
        Self {
            country: Follow::begun(&ground.book),
            action: Follow::begun(&ground.book),
            whole: Follow::begun(&ground.book),
            ground,
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
    pub(crate) fn apply(&mut self, event: &Happening<'_>) {
        let Some(mut step) = self.ground.begin(event) else {
            return;
        };
        if step.moves_book() {
            self.country.leave(&self.ground, &step);
            self.action.leave(&self.ground, &step);
            self.whole.leave(&self.ground, &step);
        }
        self.ground.evolve(event, &mut step);
        self.country.enter(&self.ground, event, &step);
        self.action.enter(&self.ground, event, &step);
        self.whole.enter(&self.ground, event, &step);
    }

    pub(crate) fn watermark(&self) -> Option<Moment> {
        self.ground.book.watermark()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        let book = &self.ground.book;
        let mut keys = self.country.keys(book);
        keys.extend(self.action.keys(book));
        keys.extend(self.whole.keys(book));
        keys.sort_unstable();
        keys
    }

    pub(crate) fn body(&self, key: &str) -> Option<Vec<u8>> {
        of_family!(self, key, views => views.body(&self.ground.book, key))
    }

    pub(crate) fn title(&self, key: &str) -> Option<String> {
        of_family!(self, key, views => views.title(&self.ground.book, key))
    }

    pub(crate) fn list(&self, key: &str, page: &Page) -> Option<CommitmentList> {
        of_family!(self, key, views => views.list(&self.ground.book, key, page))
    }

    pub(crate) fn timeliness(&self, key: &str, today: NaiveDate) -> Option<Timeliness> {
        of_family!(self, key, views => views.timeliness(&self.ground.book, key, today))
    }

    pub(crate) fn watch(
        &self,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Option<Result<WatchAnswer, UnknownFilter>> {
        self.whole.watch(&self.ground.book, page, today)
    }

    pub(crate) fn take_keys(&mut self) -> Vec<String> {
        let book = &self.ground.book;
        let mut keys = self.country.take_keys(book);
        keys.extend(self.action.take_keys(book));
        keys.extend(self.whole.take_keys(book));
        keys.sort_unstable();
        keys
    }

    pub(crate) fn take_changes(&mut self) -> Changes {
        let mut rows = self.ground.take_rows();
        let book = &self.ground.book;
        self.country.take_rows(book, &mut rows);
        self.action.take_rows(book, &mut rows);
        self.whole.take_rows(book, &mut rows);
        let keys = self.take_keys();
        Changes { rows, keys }
    }

    pub(crate) fn keep_history(
        &mut self,
        open: impl Iterator<Item = (String, Vec<u8>)>,
    ) -> Result<(), RestoreError> {
        let left = self.ground.keep_history(open)?;
        let book = &self.ground.book;
        let left = self.country.keep_history(book, left)?;
        let left = self.action.keep_history(book, left)?;
        let left = self.whole.keep_history(book, left)?;
        nothing_left(&left)
    }

    pub(crate) fn take_closed_history(&mut self) -> Vec<HistoryChunk> {
        let mut chunks = Vec::new();
        self.ground.take_closed_history(&mut chunks);
        let book = &self.ground.book;
        self.country.take_closed_history(book, &mut chunks);
        self.action.take_closed_history(book, &mut chunks);
        self.whole.take_closed_history(book, &mut chunks);
        chunks
    }

    pub(crate) fn take_grown_history(&mut self) -> Vec<HistoryChunk> {
        let mut chunks = Vec::new();
        self.ground.take_grown_history(&mut chunks);
        let book = &self.ground.book;
        self.country.take_grown_history(book, &mut chunks);
        self.action.take_grown_history(book, &mut chunks);
        self.whole.take_grown_history(book, &mut chunks);
        chunks
    }

    pub(crate) fn history_of(&self, key: &str) -> Option<Vec<HistoryChunk>> {
        let book = &self.ground.book;
        let mut chunks = of_family!(self, key, views => views.history_of(book, key))?;
        chunks.extend(self.ground.history()?);
        Some(chunks)
    }

    pub(crate) fn as_known<S: KnownHistory>(
        source: &S,
        key: &str,
        position: u64,
        today: NaiveDate,
        page: Option<&Page>,
    ) -> Result<Option<KnownView>, S::Error> {
        match family_of(key) {
            Family::Country => View::<CountryLens>::as_known(source, key, position, today, page),
            Family::Action => View::<ActionLens>::as_known(source, key, position, today, page),
            Family::Summary => Whole::as_known(source, key, position, today, page),
        }
    }

    pub(crate) fn watch_as_known<S: KnownHistory>(
        source: &S,
        page: &WatchPage,
        position: u64,
        today: NaiveDate,
    ) -> Result<Option<Result<WatchAnswer, UnknownFilter>>, S::Error> {
        Whole::watch_as_known(source, page, position, today)
    }

    pub(crate) fn events_between<S: KnownHistory>(
        source: &S,
        key: &str,
        between: (Option<u64>, u64),
        page: &Page,
    ) -> Result<KnownEvents, S::Error> {
        match family_of(key) {
            Family::Country => View::<CountryLens>::events_between(source, key, between, page),
            Family::Action => View::<ActionLens>::events_between(source, key, between, page),
            Family::Summary => Whole::events_between(source, key, between, page),
        }
    }

    pub(crate) fn restore(
        rows: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Self, RestoreError> {
        let mut country: family::Family<CountryLens> = Follow::empty();
        let mut action: family::Family<ActionLens> = Follow::empty();
        let mut whole = WholeViews::empty();
        let book = restore_book(rows, |key, value| match family::stamped_view(key) {
            Some(view) if family_of(view) == Family::Country => country.restore_row(key, value),
            Some(view) if family_of(view) == Family::Action => action.restore_row(key, value),
            Some(_) | None => whole.restore_row(key, value),
        })?;
        country.restored(&book)?;
        action.restored(&book)?;
        whole.restored(&book)?;
        Ok(Self {
            ground: Ground::over(book),
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
