//! The views of the ledger as a whole: the summary, and beside it the gaps, the activity of each partner and the review cycles.

use std::ops::ControlFlow;

use chrono::NaiveDate;
use smallvec::SmallVec;

use super::book::About;
use super::codec::{RowReader, RowWriter};
use super::envelope::Timeliness;
use super::fold::{Moment, View};
use super::gaps;
use super::history::{Entries, History, HistoryChunk, Holds, List, MOMENTS, REFERENCE};
use super::known::{KnownEvents, KnownHistory, KnownView};
use super::list::{CommitmentList, Page};
use super::partner::{PARTNER_ROW, PartnerIndex, Partners};
use super::review::{self, REVIEW_ROW, Reviews};
use super::summary::SummaryLens;
use super::watch::{UnknownFilter, WatchAnswer, WatchPage};
use super::{Changes, RestoreError};
use crate::wire::v1::Event;

/// The key of the summary.
const SUMMARY: &str = "summary";
/// The key of the gaps.
const GAPS: &str = "gaps";

/// The first byte of the key of the row that says when the gaps changed last.
const GAPS_ROW: u8 = b'g';

/// The summary and what stands beside it.
pub(crate) struct Whole {
    summary: View<SummaryLens>,
    partners: Partners,
    reviews: Reviews,
    gaps_changed: Option<Moment>,
    /// The gaps are not among the changes taken last.
    gaps_untaken: bool,
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

impl Default for Whole {
    fn default() -> Self {
        Self {
            summary: View::default(),
            partners: Partners::default(),
            reviews: Reviews::default(),
            gaps_changed: None,
            gaps_untaken: true,
            history: None,
        }
    }
}

impl Whole {
    pub(crate) fn apply(&mut self, event: &Event) {
        let Some((moment, about)) = self.summary.apply(event) else {
            return;
        };
        self.partners.apply(event, moment);
        self.reviews.apply(event, moment);
        self.keep_beside(event, moment);
        match about {
            About::Recorded(_) | About::Commitment | About::Party(_) | About::Actions(_) => {
                self.gaps_changed = Some(moment);
                self.gaps_untaken = true;
                if let Some(history) = &mut self.history {
                    history.mark(Beside::Gaps, moment);
                }
            }
            About::Reported | About::Statement(_) | About::Other => {}
        }
    }

    /// Enters what the event did to a review and to partners: a partner's chunk begins with all that is known of it, and goes on with what
    /// it sent.
    fn keep_beside(&mut self, event: &Event, at: Moment) {
        let Some(history) = &mut self.history else {
            return;
        };
        history.begin(event);
        if let Some(review) = self.reviews.number_of(event) {
            history.state(Beside::Review(review), at, &self.reviews.encode(review));
        }
        let sender = self.partners.last_sender();
        let mut registered: SmallVec<[PartnerIndex; 2]> =
            self.partners.registered_by(event).collect();
        if registered.is_empty() && !history.begins_chunk(Beside::Partner(sender)) {
            return history.mark(Beside::Partner(sender), at);
        }
        registered.push(sender);
        registered.sort_unstable();
        registered.dedup();
        for partner in registered {
            history.state(Beside::Partner(partner), at, &self.partners.encode(partner));
        }
    }

    pub(crate) fn watermark(&self) -> Option<Moment> {
        self.summary.watermark()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = self.summary.keys();
        keys.push(GAPS.to_owned());
        keys.extend(self.partners.keys());
        keys.extend(self.reviews.keys());
        keys.sort_unstable();
        keys
    }

    pub(crate) fn body(&self, key: &str) -> Option<Vec<u8>> {
        if key == GAPS {
            return gaps_body(&self.summary, self.gaps_changed);
        }
        self.summary
            .body(key)
            .or_else(|| self.partners.body(key))
            .or_else(|| self.reviews.body(key))
    }

    pub(crate) fn title(&self, key: &str) -> Option<String> {
        self.summary
            .title(key)
            .or_else(|| self.partners.title(key))
            .or_else(|| self.reviews.title(key))
    }

    pub(crate) fn list(&self, key: &str, page: &Page) -> Option<CommitmentList> {
        self.summary.list(key, page)
    }

    pub(crate) fn timeliness(&self, key: &str, today: NaiveDate) -> Option<Timeliness> {
        self.summary.timeliness(key, today)
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "it stands where other folds answer none"
    )]
    pub(crate) fn watch(
        &self,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Option<Result<WatchAnswer, UnknownFilter>> {
        Some(self.summary.watched((), page, today))
    }

    pub(crate) fn take_changes(&mut self) -> Changes {
        let Changes { mut rows, mut keys } = self.summary.take_changes();
        if std::mem::take(&mut self.gaps_untaken) {
            keys.push(GAPS.to_owned());
            if self.gaps_changed.is_some() {
                let mut row = RowWriter::new();
                row.moment(self.gaps_changed);
                rows.push((vec![GAPS_ROW], row.finish()));
            }
        }
        self.partners.take_changes(&mut rows, &mut keys);
        self.reviews.take_changes(&mut rows, &mut keys);
        keys.sort_unstable();
        Changes { rows, keys }
    }

    pub(crate) fn restore(
        rows: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Self, RestoreError> {
        let mut partners = Partners::default();
        let mut reviews = Reviews::default();
        let mut gaps_changed = None;
        let mut refused = None;
        let mut take = |key: &[u8], value: &[u8]| -> Result<bool, RestoreError> {
            match key.split_first() {
                Some((&PARTNER_ROW, rest)) => partners.restore_row(rest, value)?,
                Some((&REVIEW_ROW, rest)) => reviews.restore_row(rest, value)?,
                Some((&GAPS_ROW, [])) => {
                    let mut row = RowReader::new("gaps", value)?;
                    gaps_changed = row.moment()?;
                    row.finish()?;
                }
                Some(_) | None => return Ok(false),
            }
            Ok(true)
        };
        let of_summary = rows.filter(|(key, value)| match take(key, value) {
            Ok(taken) => !taken,
            Err(error) => {
                refused.get_or_insert(error);
                false
            }
        });
        let summary = View::restore(of_summary)?;
        match refused {
            Some(error) => Err(error),
            None => Ok(Self {
                summary,
                partners,
                reviews,
                gaps_changed,
                gaps_untaken: false,
                history: None,
            }),
        }
    }
}

/// What is known of past positions.
impl Whole {
    pub(crate) fn keep_history(
        &mut self,
        open: impl Iterator<Item = (String, Vec<u8>)>,
    ) -> Result<(), RestoreError> {
        let mut history = History::default();
        let mut of_summary = Vec::new();
        for (list, bytes) in open {
            match self.beside(&list) {
                Some(beside) => history.resume(List::View(beside), bytes)?,
                None => of_summary.push((list, bytes)),
            }
        }
        self.history = Some(history);
        self.summary.keep_history(of_summary.into_iter())
    }

    fn beside(&self, key: &str) -> Option<Beside> {
        if key == GAPS {
            return Some(Beside::Gaps);
        }
        let partner = self.partners.find_number(key).map(Beside::Partner);
        partner.or_else(|| self.reviews.find_number(key).map(Beside::Review))
    }

    pub(crate) fn take_closed_history(&mut self) -> Vec<HistoryChunk> {
        let mut chunks = self.summary.take_closed_history();
        if let Some(history) = &mut self.history {
            chunks
                .extend(history.take_closed(|list| list_text(&self.partners, &self.reviews, list)));
        }
        chunks
    }

    pub(crate) fn take_grown_history(&mut self) -> Vec<HistoryChunk> {
        let mut chunks = self.summary.take_grown_history();
        if let Some(history) = &mut self.history {
            chunks
                .extend(history.take_grown(|list| list_text(&self.partners, &self.reviews, list)));
        }
        chunks
    }

    pub(crate) fn history_of(&self, key: &str) -> Option<Vec<HistoryChunk>> {
        let Some(beside) = self.beside(key) else {
            return self.summary.history_of(key);
        };
        let mut chunks = self.summary.history_of(SUMMARY)?;
        let history = self.history.as_ref()?;
        let nothing = || HistoryChunk::nothing(key.to_owned());
        let open = history.open_chunk(List::View(beside), key.to_owned());
        chunks.push(open.unwrap_or_else(nothing));
        Some(chunks)
    }

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
        View::<SummaryLens>::events_between(source, key, between, page)
    }
}

fn list_text(partners: &Partners, reviews: &Reviews, list: List<Beside>) -> String {
    match list {
        List::View(Beside::Gaps) => GAPS.to_owned(),
        List::View(Beside::Partner(partner)) => partners.view_key(partner),
        List::View(Beside::Review(review)) => reviews.view_key(review),
        List::Reference => REFERENCE.to_owned(),
        List::Moments => MOMENTS.to_owned(),
    }
}

fn gaps_as_known<S: KnownHistory>(
    source: &S,
    position: u64,
) -> Result<Option<KnownView>, S::Error> {
    let mut changed = None;
    source.newest_first(GAPS, position, &mut |chunk| {
        for entry in Entries::new(chunk) {
            let at = entry?.at;
            changed = Some(at).filter(|at| at.position <= position).or(changed);
        }
        Ok(ControlFlow::Break(()))
    })?;
    let summary = View::<SummaryLens>::counts_as_known(source, (), position)?;
    Ok(gaps_body(&summary, changed).map(|body| KnownView {
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
    source.newest_first(key, position, &mut |chunk| {
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

fn gaps_body(summary: &View<SummaryLens>, changed: Option<Moment>) -> Option<Vec<u8>> {
    let (book, counts) = (summary.book(), summary.counts(()));
    let (places, leads) = (counts.by_country.keys(), counts.all.leading.keys());
    gaps::body(book, &counts.reach, places, leads, changed)
}
