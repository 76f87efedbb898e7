//! The views of the ledger as a whole: the summary, and beside it the gaps, the activity of each partner and the review cycles.

use std::ops::ControlFlow;

use chrono::NaiveDate;
use smallvec::SmallVec;

use super::RestoreError;
use super::book::{About, Book};
use super::codec::{RowReader, RowWriter};
use super::envelope::Timeliness;
use super::family::{Family, Seen};
use super::fold::{Follow, Moment, Single, View};
use super::gaps;
use super::ground::{Ground, Step};
use super::happening::Happening;
use super::history::{Entries, History, HistoryChunk, Holds, List};
use super::known::{
    KnownEvents, KnownHistory, KnownView, all_chunks, events_of_list, events_of_view,
};
use super::list::{CommitmentList, Page};
use super::partner::{PARTNER_ROW, PartnerIndex, Partners};
use super::review::{self, REVIEW_ROW, Reviews};
use super::rows::Row;
use super::summary::SummaryLens;
use super::watch::{UnknownFilter, WatchAnswer, WatchPage};

/// The key of the summary.
const SUMMARY: &str = "summary";
/// The key of the gaps.
const GAPS: &str = "gaps";

/// The first byte of the key of the row that says when the gaps changed last.
const GAPS_ROW: u8 = b'g';

/// The views of the whole ledger, over facts of their own.
pub(crate) type Whole = Single<WholeViews>;

/// The summary and what stands beside it.
pub(crate) struct WholeViews {
    summary: Family<SummaryLens>,
    partners: Partners,
    reviews: Reviews,
    gaps_changed: Option<Moment>,
    /// The gaps are not among the keys taken last.
    gaps_untaken: bool,
    /// The moment of the gaps is not among the rows taken last.
    gaps_unsaved: bool,
    /// When the gaps changed, and what the partners did, if history is kept.
    history: Option<History<Beside>>,
}

/// What stands beside the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Beside {
    Gaps,
    Partner(PartnerIndex),
    Review(u32),
}

impl WholeViews {
    /// Enters what the event did to a review and to partners: a partner's chunk begins with all that is known of it, and goes on with what
    /// it sent.
    fn keep_beside(&mut self, event: &Happening<'_>, step: &Step) {
        let (Some(history), Some(mark)) = (&mut self.history, &step.mark) else {
            return;
        };
        let at = step.moment;
        if let Some(review) = self.reviews.number_of(event) {
            let state = self.reviews.encode(review);
            history.state(mark, Beside::Review(review), at, &state);
        }
        let sender = self.partners.last_sender();
        let mut registered: SmallVec<[PartnerIndex; 2]> =
            self.partners.registered_by(event).collect();
        if registered.is_empty() && !history.begins_chunk(Beside::Partner(sender)) {
            return history.mark(mark, Beside::Partner(sender), at);
        }
        registered.push(sender);
        registered.sort_unstable();
        registered.dedup();
        for partner in registered {
            let state = self.partners.encode(partner);
            history.state(mark, Beside::Partner(partner), at, &state);
        }
    }

    fn beside(&self, key: &str) -> Option<Beside> {
        if key == GAPS {
            return Some(Beside::Gaps);
        }
        let partner = self.partners.find_number(key).map(Beside::Partner);
        partner.or_else(|| self.reviews.find_number(key).map(Beside::Review))
    }

    fn list_text(&self, list: List<Beside>) -> String {
        list_text(&self.partners, &self.reviews, list)
    }
}

impl Follow for WholeViews {
    fn begun(book: &Book) -> Self {
        Self {
            summary: Family::begun(book),
            gaps_untaken: true,
            ..Self::empty()
        }
    }

    fn empty() -> Self {
        Self {
            summary: Family::empty(),
            partners: Partners::default(),
            reviews: Reviews::default(),
            gaps_changed: None,
            gaps_untaken: false,
            gaps_unsaved: false,
            history: None,
        }
    }

    fn leave(&mut self, ground: &Ground, step: &Step) {
        self.summary.leave(ground, step);
    }

    fn enter(&mut self, ground: &Ground, event: &Happening<'_>, step: &Step) {
        self.summary.enter(ground, event, step);
        self.partners.apply(event, step.moment);
        self.reviews.apply(event, step.moment);
        self.keep_beside(event, step);
        match step.about {
            About::Recorded(_) | About::Commitment | About::Party(_) | About::Actions(_) => {
                self.gaps_changed = Some(step.moment);
                self.gaps_untaken = true;
                self.gaps_unsaved = true;
                if let (Some(history), Some(mark)) = (&mut self.history, &step.mark) {
                    history.mark(mark, Beside::Gaps, step.moment);
                }
            }
            About::Reported | About::Statement(_) | About::Other => {}
        }
    }

    fn keys(&self, book: &Book) -> Vec<String> {
        let mut keys = self.summary.keys(book);
        keys.push(GAPS.to_owned());
        keys.extend(self.partners.keys());
        keys.extend(self.reviews.keys());
        keys
    }

    fn body(&self, book: &Book, key: &str) -> Option<Vec<u8>> {
        if key == GAPS {
            return gaps_body(self.summary.seen(book), self.gaps_changed);
        }
        self.summary
            .body(book, key)
            .or_else(|| self.partners.body(key))
            .or_else(|| self.reviews.body(key))
    }

    fn title(&self, book: &Book, key: &str) -> Option<String> {
        self.summary
            .title(book, key)
            .or_else(|| self.partners.title(key))
            .or_else(|| self.reviews.title(key))
    }

    fn list(&self, book: &Book, key: &str, page: &Page) -> Option<CommitmentList> {
        self.summary.list(book, key, page)
    }

    fn timeliness(&self, book: &Book, key: &str, today: NaiveDate) -> Option<Timeliness> {
        self.summary.timeliness(book, key, today)
    }

    fn watch(
        &self,
        book: &Book,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Option<Result<WatchAnswer, UnknownFilter>> {
        Some(self.summary.seen(book).watched((), page, today))
    }

    fn take_keys(&mut self, book: &Book) -> Vec<String> {
        let mut keys = self.summary.take_keys(book);
        if std::mem::take(&mut self.gaps_untaken) {
            keys.push(GAPS.to_owned());
        }
        self.partners.take_keys(&mut keys);
        self.reviews.take_keys(&mut keys);
        keys
    }

    fn take_rows(&mut self, book: &Book, rows: &mut Vec<Row>) {
        self.summary.take_rows(book, rows);
        if std::mem::take(&mut self.gaps_unsaved) {
            let mut row = RowWriter::new();
            row.moment(self.gaps_changed);
            rows.push((vec![GAPS_ROW], row.finish()));
        }
        self.partners.take_rows(rows);
        self.reviews.take_rows(rows);
    }

    fn keep_history(
        &mut self,
        book: &Book,
        open: Vec<(String, Vec<u8>)>,
    ) -> Result<Vec<(String, Vec<u8>)>, RestoreError> {
        let mut history = History::default();
        let mut others = Vec::new();
        for (list, bytes) in open {
            match self.beside(&list) {
                Some(beside) => history.resume(List::View(beside), bytes)?,
                None => others.push((list, bytes)),
            }
        }
        self.history = Some(history);
        self.summary.keep_history(book, others)
    }

    fn take_closed_history(&mut self, book: &Book, chunks: &mut Vec<HistoryChunk>) {
        self.summary.take_closed_history(book, chunks);
        if let Some(history) = &mut self.history {
            history.take_closed(chunks, |list| {
                list_text(&self.partners, &self.reviews, list)
            });
        }
    }

    fn take_grown_history(&mut self, book: &Book, chunks: &mut Vec<HistoryChunk>) {
        self.summary.take_grown_history(book, chunks);
        if let Some(history) = &mut self.history {
            history.take_grown(chunks, |list| {
                list_text(&self.partners, &self.reviews, list)
            });
        }
    }

    fn history_of(&self, book: &Book, key: &str) -> Option<Vec<HistoryChunk>> {
        let Some(beside) = self.beside(key) else {
            return self.summary.history_of(book, key);
        };
        let mut chunks = self.summary.history_of(book, SUMMARY)?;
        let list = List::View(beside);
        let history = self.history.as_ref()?;
        chunks.push(history.open_chunk(list, self.list_text(list)));
        Some(chunks)
    }

    fn restore_row(&mut self, key: &[u8], value: &[u8]) -> Result<bool, RestoreError> {
        match key.split_first() {
            Some((&PARTNER_ROW, rest)) => self.partners.restore_row(rest, value)?,
            Some((&REVIEW_ROW, rest)) => self.reviews.restore_row(rest, value)?,
            Some((&GAPS_ROW, [])) => {
                let mut row = RowReader::new("gaps", value)?;
                self.gaps_changed = row.moment()?;
                row.finish()?;
            }
            Some(_) | None => return self.summary.restore_row(key, value),
        }
        Ok(true)
    }

    fn restored(&mut self, book: &Book) -> Result<(), RestoreError> {
        self.summary.restored(book)
    }
}

/// What is known of past positions.
impl Whole {
    pub(crate) fn as_known<S: KnownHistory>(
        source: &S,
        key: &str,
        position: u64,
        today: NaiveDate,
        page: Option<&Page>,
    ) -> Result<Option<KnownView>, S::Error> {
        if key == GAPS {
            return gaps_as_known(source, position);
        }
        if key == SUMMARY {
            return View::<SummaryLens>::as_known(source, key, position, today, page);
        }
        state_as_known(source, key, position)
    }

    pub(crate) fn watch_as_known<S: KnownHistory>(
        source: &S,
        page: &WatchPage,
        position: u64,
        today: NaiveDate,
    ) -> Result<Option<Result<WatchAnswer, UnknownFilter>>, S::Error> {
        View::<SummaryLens>::watched_as_known(source, (), page, position, today).map(Some)
    }

    pub(crate) fn events_between<S: KnownHistory>(
        source: &S,
        key: &str,
        between: (Option<u64>, u64),
        page: &Page,
    ) -> Result<KnownEvents, S::Error> {
        if key == SUMMARY {
            return events_of_view(source, key, false, between, page);
        }
        events_of_list(source, key, between, page)
    }
}

fn list_text(partners: &Partners, reviews: &Reviews, list: List<Beside>) -> String {
    match list {
        List::View(Beside::Gaps) => GAPS.to_owned(),
        List::View(Beside::Partner(partner)) => partners.view_key(partner),
        List::View(Beside::Review(review)) => reviews.view_key(review),
        // These are the ground's.
        List::Events | List::Reference | List::Moments => String::new(),
    }
}

fn gaps_as_known<S: KnownHistory>(
    source: &S,
    position: u64,
) -> Result<Option<KnownView>, S::Error> {
    let mut changed = None;
    source.newest_first(GAPS, position, &all_chunks, &mut |chunk| {
        for entry in Entries::new(chunk) {
            let at = entry?.at;
            changed = Some(at).filter(|at| at.position <= position).or(changed);
        }
        Ok(ControlFlow::Break(()))
    })?;
    let summary = View::<SummaryLens>::counts_as_known(source, (), position)?;
    Ok(gaps_body(summary.seen(), changed).map(|body| KnownView {
        body,
        title: None,
        timeliness: None,
        list: None,
    }))
}

/// A partner or a review.
fn state_as_known<S: KnownHistory>(
    source: &S,
    key: &str,
    position: u64,
) -> Result<Option<KnownView>, S::Error> {
    let mut known = None;
    source.newest_first(key, position, &all_chunks, &mut |chunk| {
        let (mut state, mut sent): (&[u8], Vec<_>) = (&[], Vec::new());
        for entry in Entries::new(chunk) {
            let entry = entry?;
            if entry.at.position > position {
                break;
            }
            if let Holds::State { row, .. } = entry.holds {
                state = row;
                sent.clear();
            } else {
                sent.push((entry.kind, entry.at));
            }
        }
        if !state.is_empty() {
            known = if key.starts_with(review::KEY_PREFIX) {
                Reviews::known(state)?
            } else {
                Partners::known(state, sent.into_iter())?
            };
        }
        Ok(ControlFlow::Break(()))
    })?;
    Ok(known)
}

fn gaps_body(summary: Seen<'_, SummaryLens>, changed: Option<Moment>) -> Option<Vec<u8>> {
    gaps::body(summary.book(), summary.counts(()), changed)
}
