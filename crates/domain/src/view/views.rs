//! The views of some families, folded from the log over one read model.

use chrono::NaiveDate;

use serde_json::value::RawValue;

use super::as_of::{AsOfView, AsOfViews, ChangelogSource, events_of_list, events_of_view};
use super::changelog::ChangelogChunk;
use super::changes::Changes;
use super::error::{HexKey, RestoreError};
use super::families::{Family, family_of};
use super::family::body::bytes;
use super::family::{FamilyViews, changed_view};
use super::ledger::{self, LedgerViews};
use super::list::Page;
use super::read_model::ReadModel;
use super::watch::{UnknownFilter, WatchPage};
use crate::ids::Position;
use crate::view::family::action::ActionFamily;
use crate::view::family::country::CountryFamily;
use crate::view::family::last_change::LastChange;
use crate::view::family::summary::{SUMMARY, SummaryFamily};
use crate::view::read_model::event_ref::EventRef;
use crate::view::read_model::tables::Tables;
use crate::wire::v1::view::{CommitmentList, EventList, Timeliness, WatchAnswer};
use crate::wire::v1::{Event, EventExcerpt};

/// The views of some families, folded from the log in the order of its positions. All families that are folded share one
/// read model, so each event is read once.
///
/// The fold is deterministic: equal events give equal bodies, lists and rows' meaning, wherever and in how many sittings
/// they are folded, and whichever other families are folded beside them.
pub struct Views {
    model: ReadModel,
    country: Option<FamilyViews<CountryFamily>>,
    action: Option<FamilyViews<ActionFamily>>,
    summary: Option<FamilyViews<SummaryFamily>>,
    /// The views beside the summary, which [`Family::Summary`] has too.
    ledger: Option<LedgerViews>,
}

/// Does something with each family of views of commitments.
macro_rules! each_family {
    ($all:expr, $views:ident => $do:expr) => {
        if let Some($views) = &mut $all.country {
            $do;
        }
        if let Some($views) = &mut $all.action {
            $do;
        }
        if let Some($views) = &mut $all.summary {
            $do;
        }
    };
}

/// Asks the family of views of commitments that a key belongs to; none where that is not folded.
macro_rules! of_family {
    ($all:expr, $key:expr, $views:ident => $ask:expr) => {
        match family_of($key) {
            Family::Country => $all.country.as_ref().and_then(|$views| $ask),
            Family::Action => $all.action.as_ref().and_then(|$views| $ask),
            Family::Summary => $all.summary.as_ref().and_then(|$views| $ask),
        }
    };
}

impl Views {
    /// The views of these families before the first event.
    pub fn of(families: &[Family]) -> Self {
        let model = ReadModel::default();
        let tables = &model.tables;
        let has = |family| families.contains(&family);
        Self {
            country: has(Family::Country).then(|| FamilyViews::begun(tables)),
            action: has(Family::Action).then(|| FamilyViews::begun(tables)),
            summary: has(Family::Summary).then(|| FamilyViews::begun(tables)),
            ledger: has(Family::Summary).then(LedgerViews::begun),
            model,
        }
    }

    /// The views of all families before the first event.
    pub fn all() -> Self {
        Self::of(&Family::ALL)
    }

    /// Takes in the next event. Never fails; an event at or below the watermark was taken in before and changes nothing, so
    /// a stream that delivers twice does no harm. A gap is not noticed here: the caller keeps positions without gaps.
    pub fn apply(&mut self, event: &Event) {
        self.fold(&event.into());
    }

    /// Takes in the next event as [`Views::apply`] does: its excerpt has all that counts.
    pub fn apply_excerpt(&mut self, excerpt: &EventExcerpt) {
        self.fold(&excerpt.into());
    }

    fn fold(&mut self, event: &EventRef<'_>) {
        let Some(mut delta) = self.model.begin(event) else {
            return;
        };
        if delta.moves_tables() {
            each_family!(self, views => views.retract(&self.model.tables, &delta));
        }
        self.model.evolve(event, &mut delta);
        each_family!(self, views => views.accumulate(&self.model.tables, &delta));
        if let Some(ledger) = &mut self.ledger {
            ledger.accumulate(event, &delta);
        }
    }

    /// The position of the last event taken in, none before the first.
    pub fn watermark(&self) -> Option<Position> {
        let watermark = self.model.tables.watermark();
        watermark.map(|at| Position(at.position))
    }

    /// Every key that has a body, in order. Some exist before the first event, so that a gap shows as zero.
    pub fn keys(&self) -> Vec<String> {
        let tables = &self.model.tables;
        let families = [
            self.country.as_ref().map(|views| views.keys(tables)),
            self.action.as_ref().map(|views| views.keys(tables)),
            self.summary.as_ref().map(|views| views.keys(tables)),
            self.ledger.as_ref().map(LedgerViews::keys),
        ];
        let mut keys: Vec<String> = families.into_iter().flatten().flatten().collect();
        keys.sort_unstable();
        keys
    }

    /// The canonical JSON of one view, at most [`MAX_BODY_BYTES`](super::MAX_BODY_BYTES), free of free text but the names of parties. It carries the
    /// position of the last event that concerned it.
    pub fn body(&self, key: &str) -> Option<Vec<u8>> {
        self.raw_body(key).map(bytes)
    }

    /// The same as a JSON value, for an answer around it.
    pub fn raw_body(&self, key: &str) -> Option<Box<RawValue>> {
        let tables = &self.model.tables;
        of_family!(self, key, views => views.body(tables, key)).or_else(|| {
            let summary = self.summary.as_ref()?.beside(tables);
            self.ledger.as_ref()?.body(summary, key)
        })
    }

    /// The title of what the view is about, for people to read; beside the body because it is free text.
    pub fn title(&self, key: &str) -> Option<String> {
        of_family!(self, key, views => views.title(&self.model.tables, key))
            .or_else(|| self.ledger.as_ref()?.title(key))
    }

    /// One page of the view's commitments in recorded order; none if there is no such view, or it is not one of commitments.
    pub fn list(&self, key: &str, page: &Page) -> Option<CommitmentList> {
        of_family!(self, key, views => views.list(&self.model.tables, key, page))
    }

    /// The standing of the view's active commitments against their dates on `today`; none as for
    /// [`Views::list`].
    pub fn timeliness(&self, key: &str, today: NaiveDate) -> Option<Timeliness> {
        of_family!(self, key, views => views.timeliness(&self.model.tables, key, today))
    }

    /// The watch lists on `today`: how many commitments are on each, and a page of one where the page names it. None where
    /// the summary is not folded.
    pub fn watch(
        &self,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Option<Result<WatchAnswer, UnknownFilter>> {
        let summary = self.summary.as_ref()?;
        Some(summary.watch(&self.model.tables, (), page, today))
    }
}

/// Saving, and going on from what was saved.
impl Views {
    /// The changes since the last call: rows to keep, in one atomic write together with the
    /// watermark, and keys to publish. The first call after a start from nothing names every key
    /// there is.
    ///
    /// Catching up, call it rarely (every million events, say): then most commitments are written in pages of 64, and each
    /// once.
    pub fn take_changes(&mut self) -> Changes {
        let mut rows = self.model.take_rows();
        each_family!(self, views => views.take_rows(&self.model.tables, &mut rows));
        if let Some(ledger) = &mut self.ledger {
            ledger.take_rows(&mut rows);
        }
        let keys = self.take_keys();
        Changes { rows, keys }
    }

    /// The keys among the changes alone, where only they are wanted: the rows stay to be taken.
    pub fn take_keys(&mut self) -> Vec<String> {
        let mut keys = Vec::new();
        each_family!(self, views => views.take_keys(&self.model.tables, &mut keys));
        if let Some(ledger) = &mut self.ledger {
            ledger.take_keys(&mut keys);
        }
        keys.sort_unstable();
        keys
    }

    /// Builds the views of these families from every row ever taken of them, the last value of each key, in the order of the
    /// keys' bytes.
    ///
    /// # Errors
    /// When a row is of another version, damaged, or missing: the caller folds from position 0 instead.
    pub fn restore(
        families: &[Family],
        rows: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Self, RestoreError> {
        let mut tables = Tables::default();
        let has = |family| families.contains(&family);
        let mut ledger = has(Family::Summary).then(LedgerViews::default);
        let mut changed: Vec<(Family, String, LastChange)> = Vec::new();
        for (key, value) in rows {
            if let Some((&kind, rest)) = key.split_first()
                && tables.restore_row(kind, rest, &value)?
            {
                continue;
            }
            match changed_view(&key).map(|view| (family_of(view), view)) {
                Some((family, view)) if has(family) => {
                    changed.push((family, view.to_owned(), LastChange::decode(&value)?));
                    continue;
                }
                Some(_) | None => {}
            }
            let taken = ledger
                .as_mut()
                .map(|ledger| ledger.restore_row(&key, &value));
            if !taken.transpose()?.unwrap_or(false) {
                return Err(RestoreError::UnknownKey { key: HexKey(key) });
            }
        }
        tables.finish_restore()?;
        let of = |family| {
            let changed = changed.iter().filter(move |(other, ..)| *other == family);
            changed.map(|(_, view, last)| (view.as_str(), *last))
        };
        let has = |family| Some(family).filter(|family| has(*family)).map(of);
        let (country, action) = (has(Family::Country), has(Family::Action));
        Ok(Self {
            country: country
                .map(|it| FamilyViews::restored(&tables, it))
                .transpose()?,
            action: action
                .map(|it| FamilyViews::restored(&tables, it))
                .transpose()?,
            summary: has(Family::Summary)
                .map(|it| FamilyViews::restored(&tables, it))
                .transpose()?,
            ledger,
            model: ReadModel::over(tables),
        })
    }
}

/// The change log, and answers about the past that are made from it.
impl Views {
    /// Begins to keep the change log of every view: from the start of the log, or with the open chunks that were saved
    /// together with the rows it was restored from. Without this call no change log is kept and folding is cheaper.
    ///
    /// # Errors
    /// When an open chunk is damaged, or of a view that is missing: the caller folds from position 0 instead.
    pub fn keep_changelog(
        &mut self,
        open: impl Iterator<Item = (String, Vec<u8>)>,
    ) -> Result<(), RestoreError> {
        let mut open = self.model.keep_changelog(open)?;
        if let Some(ledger) = &mut self.ledger {
            open = ledger.keep_changelog(open)?;
        }
        each_family!(self, views => open = views.keep_changelog(&self.model.tables, open)?);
        match open.as_slice() {
            [] => Ok(()),
            _ => Err(RestoreError::Dangling { row: "history" }),
        }
    }

    /// The chunks of the change log that were closed since the last call, in the order of each list. They never change again.
    pub fn take_closed_chunks(&mut self) -> Vec<ChangelogChunk> {
        let mut chunks = Vec::new();
        self.model.take_closed_chunks(&mut chunks);
        each_family!(self, views => views.take_closed_chunks(&self.model.tables, &mut chunks));
        if let Some(ledger) = &mut self.ledger {
            ledger.take_closed_chunks(&mut chunks);
        }
        chunks
    }

    /// The open chunks that grew since the last call, to be saved in place of what was saved of them before.
    pub fn take_grown_chunks(&mut self) -> Vec<ChangelogChunk> {
        let mut chunks = Vec::new();
        self.model.take_grown_chunks(&mut chunks);
        each_family!(self, views => views.take_grown_chunks(&self.model.tables, &mut chunks));
        if let Some(ledger) = &mut self.ledger {
            ledger.take_grown_chunks(&mut chunks);
        }
        chunks
    }

    /// The open chunks of every list that answers about a view at past positions are made from; one without entries is
    /// empty. None if there is no such view, or no change log is kept.
    pub fn changelog_of(&self, key: &str) -> Option<Vec<ChangelogChunk>> {
        let own = of_family!(self, key, views => views.changelog_of(&self.model.tables, key));
        let ledger = || self.ledger.as_ref()?.changelog_of(key);
        let mut chunks = own.or_else(ledger)?;
        chunks.extend(self.model.open_chunks()?);
        Some(chunks)
    }

    /// The view as of a position: its body, byte for byte as a fold of the log up to there gives it, how its commitments
    /// stand on `today`, and a page of them. None if there was no such view then. It is made from the lists that
    /// [`Views::changelog_of`] names.
    ///
    /// # Errors
    /// When the change log cannot be read.
    pub fn as_of<S: ChangelogSource>(
        source: &S,
        key: &str,
        position: u64,
        today: NaiveDate,
        page: Option<&Page>,
    ) -> Result<Option<AsOfView>, S::Error> {
        match family_of(key) {
            Family::Country => AsOfViews::<CountryFamily>::view(source, key, position, today, page),
            Family::Action => AsOfViews::<ActionFamily>::view(source, key, position, today, page),
            Family::Summary if key == SUMMARY => {
                AsOfViews::<SummaryFamily>::view(source, key, position, today, page)
            }
            Family::Summary => ledger::as_of(source, key, position),
        }
    }

    /// The watch lists as of a position, on `today`: what [`Views::watch`] gives after a fold of the log up to there, but
    /// that no page comes short. They are made from the lists that [`Views::changelog_of`] names for `summary`.
    ///
    /// # Errors
    /// When the change log cannot be read.
    pub fn watch_as_of<S: ChangelogSource>(
        source: &S,
        page: &WatchPage,
        position: u64,
        today: NaiveDate,
    ) -> Result<Result<WatchAnswer, UnknownFilter>, S::Error> {
        AsOfViews::<SummaryFamily>::watch(source, (), page, position, today)
    }

    /// A page of the events that concerned a view after the position `after`, or from the first, up to and with the position
    /// `to`.
    ///
    /// # Errors
    /// When the change log cannot be read.
    pub fn events_between<S: ChangelogSource>(
        source: &S,
        key: &str,
        after: Option<u64>,
        to: u64,
        page: &Page,
    ) -> Result<EventList, S::Error> {
        let between = (after, to);
        match family_of(key) {
            Family::Country | Family::Action => events_of_view(source, key, true, between, page),
            Family::Summary if key == SUMMARY => events_of_view(source, key, false, between, page),
            Family::Summary => events_of_list(source, key, between, page),
        }
    }
}
