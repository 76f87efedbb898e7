//! The events that concerned a view between two positions.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use super::source::{ChangelogSource, Concerning};
use crate::ids::CommitmentId;
use crate::view::changelog::{EVENTS, Entries, Entry, Holds};
use crate::view::error::RestoreError;
use crate::view::family::body::recorded_text;
use crate::view::list::Page;
use crate::view::read_model::codec::RowReader;
use crate::view::read_model::facts::CommitmentFacts;
use crate::view::read_model::index::Slot;
use crate::view::read_model::shared::SharedTables;
use crate::wire::v1::EventType;
use crate::wire::v1::view::{EventList, EventRow};

/// The most events one page of [`EventList`] has.
pub const MAX_EVENT_ROWS: usize = 1_000;

/// A page of the events that concerned a view after one position and up to another; `is_listed` says that the view has a list of them, and that
/// they are not all there are.
pub(in super::super) fn events_of_view<S: ChangelogSource>(
    source: &S,
    view: &str,
    is_listed: bool,
    (after, to): (Option<u64>, u64),
    page: &Page,
) -> Result<EventList, S::Error> {
    let concerning = if is_listed {
        Concerning::listed(source, view, to)?
    } else {
        Concerning::All
    };
    Between::new(after, page).read(source, EVENTS, &concerning, to)
}

/// The same from a list that has the entries itself.
pub(in super::super) fn events_of_list<S: ChangelogSource>(
    source: &S,
    list: &str,
    (after, to): (Option<u64>, u64),
    page: &Page,
) -> Result<EventList, S::Error> {
    Between::new(after, page).read(source, list, &Concerning::All, to)
}

/// The events of a list being looked through, newest first.
struct Between {
    after: Option<u64>,
    rows: usize,
    events: usize,
    /// The earliest events after `after`, one more than a page has, and the slots of their commitments.
    shown: BTreeMap<u64, (EventRow, Option<Slot>)>,
    /// The events among them whose commitment's title was not found yet, by its slot.
    untitled: FxHashMap<Slot, Vec<u64>>,
    /// Some events among them are of commitments that do not stand in the view: what has their titles need not concern it.
    has_foreign: bool,
    last: Option<u64>,
    from: Option<u64>,
}

impl Between {
    fn new(from: Option<u64>, page: &Page) -> Self {
        Self {
            after: page.after.max(from),
            rows: page.limit.clamp(1, MAX_EVENT_ROWS),
            events: 0,
            shown: BTreeMap::new(),
            untitled: FxHashMap::default(),
            has_foreign: false,
            last: None,
            from,
        }
    }

    fn read<S: ChangelogSource>(
        mut self,
        source: &S,
        list: &str,
        concerning: &Concerning,
        to: u64,
    ) -> Result<EventList, S::Error> {
        let all_wanted = Cell::new(false);
        let wants = |positions| all_wanted.get() || concerning.any_of(positions);
        source.newest_first(list, to, &wants, &mut |chunk| {
            let entries: Vec<Entry<'_>> = Entries::new(chunk).collect::<Result<_, _>>()?;
            let mut before = false;
            for entry in entries.iter().rev() {
                let at = entry.at.position;
                if at > to {
                    continue;
                }
                if self.from.is_some_and(|from| at <= from) {
                    before = true;
                } else if concerning.has(at) {
                    self.take(entry, concerning.is_of_commitment(at));
                }
                self.name(entry)?;
            }
            let waiting = !self.untitled.is_empty();
            all_wanted.set(waiting && self.has_foreign);
            Ok(if before && !waiting {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })?;
        Ok(self.finish())
    }

    fn take(&mut self, entry: &Entry<'_>, of_commitment: bool) {
        let position = entry.at.position;
        if self.last == Some(position) {
            return;
        }
        self.last = Some(position);
        self.events += 1;
        if self.after.is_some_and(|after| position <= after) {
            return;
        }
        let mut row = EventRow {
            position: position.to_string(),
            recorded: recorded_text(entry.at.recorded_us),
            effective: entry.effective.map(str::to_owned),
            event: EventType::name(entry.kind).to_owned(),
            commitment: None,
            title: None,
            illustrative: false,
            subject: None,
        };
        let mut commitment = None;
        match (entry.subject, entry.holds) {
            (Some(subject), _) if subject.parse::<CommitmentId>().is_ok() => {
                row.commitment = Some(subject.to_owned());
            }
            (Some(subject), _) => row.subject = Some(subject.to_owned()),
            (None, Holds::Facts { slot, .. }) => {
                commitment = Some(slot);
                self.untitled.entry(slot).or_default().push(position);
                self.has_foreign |= !of_commitment;
            }
            (None, Holds::Nothing | Holds::State { .. }) => {}
        }
        self.shown.insert(position, (row, commitment));
        if self.shown.len() > self.rows + 1 {
            self.leave_out_last();
        }
    }

    fn leave_out_last(&mut self) {
        let Some((position, (_, Some(slot)))) = self.shown.pop_last() else {
            return;
        };
        if let Some(waiting) = self.untitled.get_mut(&slot) {
            waiting.retain(|other| *other != position);
            if waiting.is_empty() {
                self.untitled.remove(&slot);
            }
        }
    }

    /// Gives the events of a commitment the title it had, which stands in the newest entry before them that has one.
    fn name(&mut self, entry: &Entry<'_>) -> Result<(), RestoreError> {
        let Holds::Facts {
            slot,
            titled: true,
            row,
        } = entry.holds
        else {
            return Ok(());
        };
        let Some(waiting) = self.untitled.remove(&slot) else {
            return Ok(());
        };
        let mut row = RowReader::within("history", row);
        let (facts, title) = CommitmentFacts::decode(&mut row, &mut SharedTables::default())?;
        for position in waiting {
            if let Some((event, _)) = self.shown.get_mut(&position) {
                event.commitment = Some(facts.id.to_string());
                event.title = Some(title.to_owned());
                event.illustrative = facts.is_illustrative();
            }
        }
        Ok(())
    }

    fn finish(mut self) -> EventList {
        let more = self.shown.len() > self.rows;
        if more {
            self.shown.pop_last();
        }
        EventList {
            events: self.events,
            next: self
                .shown
                .last_key_value()
                .filter(|_| more)
                .map(|(position, _)| position.to_string()),
            rows: self.shown.into_values().map(|(row, _)| row).collect(),
        }
    }
}
