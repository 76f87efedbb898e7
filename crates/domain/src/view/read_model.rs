//! The read model that all families of views share. Each event is applied to it once.

pub(super) mod assessments;
pub(super) mod codec;
pub(super) mod contests;
pub(super) mod dates;
pub(super) mod event_ref;
pub(super) mod event_time;
pub(super) mod evidence;
pub(super) mod evolve;
pub(super) mod facts;
pub(super) mod index;
pub(super) mod place;
pub(super) mod reference;
pub(super) mod reports;
pub(super) mod rows;
pub(super) mod scrutiny;
pub(super) mod shared;
pub(super) mod stored;
pub(super) mod table;
pub(super) mod tables;
pub(super) mod watch_lists;
pub(super) mod watched;

use smallvec::SmallVec;

use super::changelog::{Changelog, ChangelogChunk, EVENTS, List, MOMENTS, Mark, REFERENCE};
use super::error::RestoreError;
use crate::wire::v1::EventBody;
use dates::Dates;
use event_ref::EventRef;
use event_time::EventTime;
use facts::{CommitmentFacts, Difference};
use index::Slot;
use rows::{Reference, Row};
use tables::{About, Tables};

/// The facts, and the change log of what all families share of them.
#[derive(Default)]
pub(crate) struct ReadModel {
    pub(super) tables: Tables,
    /// The effects of all events, if a change log is kept. It also has parties, actions,
    /// instruments and recorded times at every position.
    changelog: Option<Changelog<()>>,
}

/// The effect of one event on the facts.
pub(crate) struct Delta {
    pub(super) moment: EventTime,
    pub(super) about: About,
    /// The commitments it touched, in recorded order.
    pub(super) changes: SmallVec<[CommitmentChange; 1]>,
    /// The change log's mark of the event; none if no change log is kept.
    pub(super) mark: Option<Mark>,
    /// The event makes a party or an action known that commitments named before: where those stand follows from the tables, so they are taken out
    /// of their counts before it changes.
    moves_tables: bool,
}

/// A commitment before and after an event.
pub(crate) struct CommitmentChange {
    pub(super) slot: Slot,
    /// Its facts before; none of one that is new, or that was taken out of its counts already.
    pub(super) before: Option<CommitmentFacts>,
    pub(super) dates_before: Dates,
    pub(super) dates: Dates,
    pub(super) difference: Difference,
    /// Its participations are others than before, or in another state.
    changes_parts: bool,
}

impl Delta {
    /// Returns true when commitments are to be taken out of their counts before the facts change.
    pub(super) fn moves_tables(&self) -> bool {
        self.moves_tables
    }

    pub(super) fn is_report(&self) -> bool {
        self.about == About::Reported
    }

    /// Returns true when the event changed the participants of a commitment, or the knowledge of
    /// them.
    pub(super) fn changes_parts(&self) -> bool {
        self.changes.iter().any(|change| change.changes_parts)
    }
}

impl CommitmentChange {
    fn new(slot: Slot) -> Self {
        Self {
            slot,
            before: None,
            dates_before: Dates::default(),
            dates: Dates::default(),
            difference: Difference::Terms,
            changes_parts: true,
        }
    }

    /// Returns true when a view may not know the commitment's id and title. The commitment is new,
    /// stands in other views than before, or has another title.
    fn is_new_to_views(&self, facts: &CommitmentFacts) -> bool {
        let known =
            |before: &CommitmentFacts| facts.title == before.title && facts.stands_like(before);
        !self.before.as_ref().is_some_and(known)
    }
}

impl ReadModel {
    pub(super) fn over(tables: Tables) -> Self {
        Self {
            tables,
            changelog: None,
        }
    }

    /// Begins with an event, unless it was taken in before.
    pub(super) fn begin(&mut self, event: &EventRef<'_>) -> Option<Delta> {
        let moment = self.tables.advance(event)?;
        let slots = self.tables.slots_of(event);
        let moves_tables = matches!(
            event.body,
            EventBody::PartyRegistered(_) | EventBody::ActionCatalogued(_)
        );
        let change = slots.into_iter().filter_map(|slot| {
            let facts = self.tables.facts(slot)?;
            Some(CommitmentChange {
                before: (!moves_tables).then(|| facts.clone()),
                dates_before: facts.dates(),
                ..CommitmentChange::new(slot)
            })
        });
        Some(Delta {
            moment,
            about: About::Other,
            changes: change.collect(),
            mark: None,
            moves_tables,
        })
    }

    /// Takes the event into the facts.
    pub(super) fn evolve(&mut self, event: &EventRef<'_>, delta: &mut Delta) {
        let known = self.tables.unsaved.reference();
        let slots: SmallVec<[Slot; 1]> = delta.changes.iter().map(|change| change.slot).collect();
        delta.about = self.tables.evolve(event, &slots);
        if let About::Recorded(slot) = delta.about {
            delta.changes.push(CommitmentChange::new(slot));
        }
        for change in &mut delta.changes {
            let Some(facts) = self.tables.facts(change.slot) else {
                continue;
            };
            change.dates = facts.dates();
            let before = change.before.as_ref();
            change.difference = before.map_or(Difference::Terms, |before| facts.compare(before));
            change.changes_parts =
                before.is_none_or(|before| facts.participations() != before.participations());
        }
        if self.changelog.is_some() {
            delta.mark = Some(Mark::of(event, delta.is_report()));
            self.keep(delta, known);
        }
    }

    /// Enters into the change log what the event did; `known` is what was known of parties, actions and instruments before it.
    fn keep(&mut self, delta: &Delta, known: Reference) {
        let (Some(changelog), Some(mark)) = (&mut self.changelog, &delta.mark) else {
            return;
        };
        let (tables, at) = (&self.tables, delta.moment);
        changelog.moment(at);
        if delta.changes.is_empty() {
            changelog.event(mark, at);
        }
        for change in &delta.changes {
            let Some(facts) = tables.facts(change.slot) else {
                continue;
            };
            let titled = change.is_new_to_views(facts);
            changelog.facts(mark, at, (change.slot, facts.id), titled, |row| {
                if titled {
                    facts.encode_name(tables.titles.get(facts.title), row);
                }
                facts.encode_rest(&tables.shared, row);
            });
        }
        tables.rows_since(known, |kind, number, row| {
            changelog.reference(mark, at, kind, number, &row);
        });
    }

    /// Begins to keep the change log, or goes on with open chunks; gives back the lists that are not the read model's.
    pub(super) fn keep_changelog(
        &mut self,
        open: impl Iterator<Item = (String, Vec<u8>)>,
    ) -> Result<Vec<(String, Vec<u8>)>, RestoreError> {
        let mut changelog = Changelog::default();
        let mut others = Vec::new();
        for (name, bytes) in open {
            match name.as_str() {
                EVENTS => changelog.resume(List::Events, bytes)?,
                REFERENCE => changelog.resume(List::Reference, bytes)?,
                MOMENTS => changelog.resume(List::Moments, bytes)?,
                _ => others.push((name, bytes)),
            }
        }
        self.changelog = Some(changelog);
        Ok(others)
    }

    pub(super) fn take_closed_chunks(&mut self, chunks: &mut Vec<ChangelogChunk>) {
        if let Some(changelog) = &mut self.changelog {
            changelog.take_closed(chunks, list_text);
        }
    }

    pub(super) fn take_grown_chunks(&mut self, chunks: &mut Vec<ChangelogChunk>) {
        if let Some(changelog) = &mut self.changelog {
            changelog.take_grown(chunks, list_text);
        }
    }

    /// The open chunks of the lists that every answer about the past is made from.
    pub(super) fn open_chunks(&self) -> Option<[ChangelogChunk; 3]> {
        let changelog = self.changelog.as_ref()?;
        Some(
            [List::Events, List::Reference, List::Moments]
                .map(|list| changelog.open_chunk(list, list_text(list))),
        )
    }

    pub(super) fn take_rows(&mut self) -> Vec<Row> {
        self.tables.take_rows()
    }
}

fn list_text(list: List<()>) -> String {
    match list {
        // The read model has no views.
        List::View(()) => String::new(),
        List::Events => EVENTS.to_owned(),
        List::Reference => REFERENCE.to_owned(),
        List::Moments => MOMENTS.to_owned(),
    }
}
