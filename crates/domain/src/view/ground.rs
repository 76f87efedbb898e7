//! What every family of views stands on: the facts, and one step of the fold for each event, taken once however many families follow it.

use smallvec::SmallVec;

use super::RestoreError;
use super::book::{About, Book, Slot};
use super::dates::Dates;
use super::facts::Facts;
use super::fold::Moment;
use super::history::{History, HistoryChunk, List, MOMENTS, Mark, REFERENCE};
use super::rows::Row;
use super::table::TitleRef;
use crate::wire::v1::{Event, EventBody};

/// The facts, and the history of what all families share of them.
#[derive(Default)]
pub(crate) struct Ground {
    pub(super) book: Book,
    /// Parties, actions, instruments and recorded times at every position, if history is kept.
    history: Option<History<()>>,
    /// A buffer that the entry of one step leaves to the next.
    spare: Vec<u8>,
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
    /// Nothing that is counted of it is different, and it stands in the same views.
    pub(super) counts_alike: bool,
    pub(super) renamed: bool,
    title_before: TitleRef,
    /// Its entry in the history with id and title, where any view needs that, and behind it the one without.
    entries: Vec<u8>,
    slim_from: usize,
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
            counts_alike: false,
            renamed: false,
            title_before: TitleRef::default(),
            entries: Vec::new(),
            slim_from: 0,
        }
    }

    /// Its entry in the history of a view: with id and title where the view does not know them.
    pub(super) fn entry(&self, titled: bool) -> &[u8] {
        let (with_title, slim) = self.entries.split_at(self.slim_from);
        if titled { with_title } else { slim }
    }
}

impl Ground {
    pub(super) fn over(book: Book) -> Self {
        Self {
            book,
            history: None,
            spare: Vec::new(),
        }
    }

    /// Begins the step of an event, unless it was taken in before.
    pub(super) fn begin(&mut self, event: &Event) -> Option<Step> {
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
                title_before: facts.title,
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
    pub(super) fn evolve(&mut self, event: &Event, step: &mut Step) {
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
            touched.renamed = touched.title_before != facts.title;
            touched.counts_alike = touched
                .before
                .as_ref()
                .is_some_and(|before| facts.counts_like(before));
        }
        if self.history.is_some() {
            step.mark = Some(Mark::of(event, step.is_report()));
            self.keep(step);
            if let (Some(history), Some(mark)) = (&mut self.history, &step.mark) {
                history.moment(step.moment);
                self.book.rows_since(known, |kind, number, row| {
                    history.reference(mark, step.moment, kind, number, &row);
                });
            }
        }
    }

    /// Writes the entries of the touched commitments, once for all the views that they stand in.
    fn keep(&mut self, step: &mut Step) {
        let Some(mark) = &step.mark else { return };
        for touched in &mut step.touched {
            let Some(facts) = self.book.facts(touched.slot) else {
                continue;
            };
            let buffer = std::mem::take(&mut self.spare);
            let needs_title = touched.renamed || !touched.counts_alike;
            let title = self.book.titles.get(facts.title);
            (touched.entries, touched.slim_from) =
                mark.entries(touched.slot, buffer, needs_title, |row| {
                    facts.encode(title, &self.book.annex, row);
                });
        }
    }

    /// Ends the step: what it needed room for is there for the next.
    pub(super) fn end(&mut self, step: Step) {
        for mut touched in step.touched {
            self.spare = std::mem::take(&mut touched.entries);
            self.spare.clear();
        }
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
    pub(super) fn history(&self) -> Option<[HistoryChunk; 2]> {
        let history = self.history.as_ref()?;
        Some([List::Reference, List::Moments].map(|list| history.open_chunk(list, list_text(list))))
    }

    pub(super) fn take_rows(&mut self) -> Vec<Row> {
        self.book.take_rows()
    }
}

fn list_text(list: List<()>) -> String {
    match list {
        // The ground has no views.
        List::View(()) => String::new(),
        List::Reference => REFERENCE.to_owned(),
        List::Moments => MOMENTS.to_owned(),
    }
}
