//! One view of a family: its counts, its commitments and their dates.

use std::hash::Hash;

use chrono::NaiveDate;
use rustc_hash::FxHashMap;

use super::last_change::LastChange;
use crate::view::changelog::postings::Postings;
use crate::view::read_model::dates::{Calendar, Dates};
use crate::view::read_model::facts::CommitmentFacts;
use crate::view::read_model::index::Slot;
use crate::view::read_model::tables::Tables;
use crate::wire::v1::view::Timeliness;

/// One view: its counts, its commitments, and when it changed.
pub(crate) struct FamilyView<C> {
    pub(crate) counts: C,
    /// The dates of the view's own commitments.
    pub(crate) calendar: Calendar,
    /// The same of those among them that are examples.
    pub(crate) illustrative: Calendar,
    /// The view's commitments in recorded order.
    pub(crate) members: Vec<Slot>,
    pub(crate) last_change: LastChange,
    /// The events that concerned it, if a change log is kept.
    pub(crate) postings: Postings,
    /// It stands among the changed keys.
    pub(crate) changed: bool,
    /// Its last change stands among the unsaved ones.
    pub(crate) unsaved: bool,
}

impl<C: Default> Default for FamilyView<C> {
    fn default() -> Self {
        Self {
            counts: C::default(),
            calendar: Calendar::default(),
            illustrative: Calendar::default(),
            members: Vec::new(),
            last_change: LastChange::default(),
            postings: Postings::default(),
            changed: false,
            unsaved: false,
        }
    }
}

impl<C> FamilyView<C> {
    /// Changes the dates that one of the view's own commitments is held to.
    pub(crate) fn move_dates(&mut self, facts: &CommitmentFacts, before: Dates, after: Dates) {
        self.calendar.change(before, after);
        if facts.is_illustrative() {
            self.illustrative.change(before, after);
        }
    }
}

/// A family's views beside the tables: what bodies are made from.
pub(crate) struct FamilyRef<'a, K, C> {
    pub(crate) tables: &'a Tables,
    pub(crate) entries: &'a FxHashMap<K, FamilyView<C>>,
    /// The counts of a view in which nothing was counted.
    pub(crate) nothing: &'a C,
}

impl<K, C> Clone for FamilyRef<'_, K, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, C> Copy for FamilyRef<'_, K, C> {}

impl<'a, K: Copy + Eq + Hash, C> FamilyRef<'a, K, C> {
    pub(crate) fn tables(self) -> &'a Tables {
        self.tables
    }

    /// The counts of a view; all zero where nothing was counted.
    pub(crate) fn counts(self, key: K) -> &'a C {
        let entry = self.entries.get(&key);
        entry.map_or(self.nothing, |entry| &entry.counts)
    }

    pub(crate) fn last_change(self, key: K) -> LastChange {
        let entry = self.entries.get(&key);
        entry.map(|entry| entry.last_change).unwrap_or_default()
    }

    pub(crate) fn timeliness(self, key: K, today: NaiveDate) -> Timeliness {
        let entry = self.entries.get(&key);
        entry.map_or_else(Timeliness::default, |entry| entry.calendar.on(today))
    }
}
