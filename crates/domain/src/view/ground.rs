//! What every family of views stands on: the facts, and one step of the fold for each event, taken once however many families follow it.

use smallvec::SmallVec;

use super::RestoreError;
use super::book::{About, Book, Slot};
use super::dates::Dates;
use super::facts::{Difference, Facts};
use super::fold::Moment;
use super::happening::Happening;
use super::history::{EVENTS, History, HistoryChunk, List, MOMENTS, Mark, REFERENCE};
use super::rows::{Reference, Row};
use crate::wire::v1::EventBody;

/// The facts, and the history of what all families share of them.
#[derive(Default)]
pub(crate) struct Ground {
    pub(super) book: Book,
    /// What all events did, and parties, actions, instruments and recorded times at every position, if history is kept.
    history: Option<History<()>>,
}

/// What one event did to the facts.
pub(crate) struct Step {
    pub(super) moment: Moment,
    pub(super) about: About,
    /// The commitments it touched, in recorded order.
    pub(super) touched: SmallVec<[Touched; 1]>,
    /// What the history says of the event; none if no history is kept.
    pub(super) mark: Option<Mark>,
    /// The event makes a party or an action known that commitments named before: where those stand follows from the book, so they are taken out
    /// of their counts before it changes.
    moves_book: bool,
}

/// A commitment before and after an event.
pub(crate) struct Touched {
    pub(super) slot: Slot,
    /// Its facts before; none of one that is new, or that was taken out of its counts already.
    pub(super) before: Option<Facts>,
    pub(super) dates_before: Dates,
    pub(super) dates: Dates,
    pub(super) difference: Difference,
}

impl Step {
    /// Whether commitments are to be taken out of their counts before the facts change.
    pub(super) fn moves_book(&self) -> bool {
        self.moves_book
    }

    pub(super) fn is_report(&self) -> bool {
        self.about == About::Reported
    }
}

impl Touched {
    fn new(slot: Slot) -> Self {
        Self {
            slot,
            before: None,
            dates_before: Dates::default(),
            dates: Dates::default(),
            difference: Difference::Terms,
        }
    }

    /// Whether a view may not know its id and title: it is new, stands in other views than before, or has another title.
    fn is_new_to_views(&self, facts: &Facts) -> bool {
        let known = |before: &Facts| facts.title == before.title && facts.stands_like(before);
        !self.before.as_ref().is_some_and(known)
    }
}

impl Ground {
    pub(super) fn over(book: Book) -> Self {
        Self {
            book,
            history: None,
        }
    }

    /// Begins the step of an event, unless it was taken in before.
    pub(super) fn begin(&mut self, event: &Happening<'_>) -> Option<Step> {
        let moment = self.book.advance(event)?;
        let slots = self.book.slots_of(event);
        let moves_book = matches!(
            event.body,
            EventBody::PartyRegistered(_) | EventBody::ActionCatalogued(_)
        );
        let touched = slots.into_iter().filter_map(|slot| {
            let facts = self.book.facts(slot)?;
            Some(Touched {
                before: (!moves_book).then(|| facts.clone()),
                dates_before: facts.dates(),
                ..Touched::new(slot)
            })
        });
        Some(Step {
            moment,
            about: About::Other,
            touched: touched.collect(),
            mark: None,
            moves_book,
        })
    }

    /// Takes the event into the facts.
    pub(super) fn evolve(&mut self, event: &Happening<'_>, step: &mut Step) {
        let known = self.book.unsaved.reference();
        let slots: SmallVec<[Slot; 1]> = step.touched.iter().map(|touched| touched.slot).collect();
        step.about = self.book.evolve(event, &slots);
        if let About::Recorded(slot) = step.about {
            step.touched.push(Touched::new(slot));
        }
        for touched in &mut step.touched {
            let Some(facts) = self.book.facts(touched.slot) else {
                continue;
            };
            touched.dates = facts.dates();
            let before = touched.before.as_ref();
            touched.difference = before.map_or(Difference::Terms, |before| facts.compare(before));
        }
        if self.history.is_some() {
            step.mark = Some(Mark::of(event, step.is_report()));
            self.keep(step, known);
        }
    }

    /// Enters into the history what the event did; `known` is what was known of parties, actions and instruments before it.
    fn keep(&mut self, step: &Step, known: Reference) {
        let (Some(history), Some(mark)) = (&mut self.history, &step.mark) else {
            return;
        };
        let (book, at) = (&self.book, step.moment);
        history.moment(at);
        if step.touched.is_empty() {
            history.event(mark, at);
        }
        for touched in &step.touched {
            let Some(facts) = book.facts(touched.slot) else {
                continue;
            };
            let titled = touched.is_new_to_views(facts);
            history.facts(mark, at, (touched.slot, facts.id), titled, |row| {
                if titled {
                    facts.encode_name(book.titles.get(facts.title), row);
                }
                facts.encode_rest(&book.annex, row);
            });
        }
        book.rows_since(known, |kind, number, row| {
            history.reference(mark, at, kind, number, &row);
        });
    }

    /// Begins to keep history, or goes on with the open chunks of one; gives back the lists that are not the ground's.
    pub(super) fn keep_history(
        &mut self,
        open: impl Iterator<Item = (String, Vec<u8>)>,
    ) -> Result<Vec<(String, Vec<u8>)>, RestoreError> {
        let mut history = History::default();
        let mut others = Vec::new();
        for (name, bytes) in open {
            match name.as_str() {
                EVENTS => history.resume(List::Events, bytes)?,
                REFERENCE => history.resume(List::Reference, bytes)?,
                MOMENTS => history.resume(List::Moments, bytes)?,
                _ => others.push((name, bytes)),
            }
        }
        self.history = Some(history);
        Ok(others)
    }

    pub(super) fn take_closed_history(&mut self, chunks: &mut Vec<HistoryChunk>) {
        if let Some(history) = &mut self.history {
            history.take_closed(chunks, list_text);
        }
    }

    pub(super) fn take_grown_history(&mut self, chunks: &mut Vec<HistoryChunk>) {
        if let Some(history) = &mut self.history {
            history.take_grown(chunks, list_text);
        }
    }

    /// The open chunks of the lists that every answer about the past is made from.
    pub(super) fn history(&self) -> Option<[HistoryChunk; 3]> {
        let history = self.history.as_ref()?;
        Some(
            [List::Events, List::Reference, List::Moments]
                .map(|list| history.open_chunk(list, list_text(list))),
        )
    }

    pub(super) fn take_rows(&mut self) -> Vec<Row> {
        self.book.take_rows()
    }
}

fn list_text(list: List<()>) -> String {
    match list {
        // The ground has no views.
        List::View(()) => String::new(),
        List::Events => EVENTS.to_owned(),
        List::Reference => REFERENCE.to_owned(),
        List::Moments => MOMENTS.to_owned(),
    }
}
