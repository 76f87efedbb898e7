//! The views of the ledger as a whole: the summary, and beside it the gaps, the activity of each partner and the review cycles.

use std::ops::ControlFlow;

use chrono::NaiveDate;
use smallvec::SmallVec;

use super::as_of::{AsOfView, ChangelogSource, all_chunks, events_of_list, events_of_view};
use super::changelog::{Changelog, ChangelogChunk, Entries, Holds, List};
use super::codec::{RowReader, RowWriter};
use super::entries::FamilyRef;
use super::error::RestoreError;
use super::event_ref::EventRef;
use super::event_time::EventTime;
use super::family::FamilyViews;
use super::fold::{Single, View};
use super::gaps;
use super::list::Page;
use super::maintained::MaintainedViews;
use super::partner::{PARTNER_ROW, PartnerIndex, Partners};
use super::read_model::{Delta, ReadModel};
use super::review::{self, REVIEW_ROW, Reviews};
use super::rows::Row;
use super::summary::{SummaryCounts, SummaryFamily};
use super::tables::{About, Tables};
use super::watch::{UnknownFilter, WatchPage};
use crate::wire::v1::view::{CommitmentList, EventList, Timeliness, WatchAnswer};

/// The key of the summary.
const SUMMARY: &str = "summary";
/// The key of the gaps.
const GAPS: &str = "gaps";

/// The first byte of the key of the row that says when the gaps changed last.
const GAPS_ROW: u8 = b'g';

/// The views of the whole ledger, over facts of their own.
pub(crate) type Whole = Single<LedgerViews>;

/// The summary and what stands beside it.
pub(crate) struct LedgerViews {
    summary: FamilyViews<SummaryFamily>,
    partners: Partners,
    reviews: Reviews,
    gaps_changed: Option<EventTime>,
    /// The gaps are not among the keys taken last.
    gaps_untaken: bool,
    /// The moment of the gaps is not among the rows taken last.
    gaps_unsaved: bool,
    /// When the gaps changed, and what the partners did, if history is kept.
    history: Option<Changelog<LedgerView>>,
}

/// What stands beside the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum LedgerView {
    Gaps,
    Partner(PartnerIndex),
    Review(u32),
}

impl LedgerViews {
    /// Enters what the event did to a review and to partners: a partner's chunk begins with all that is known of it, and goes on with what
    /// it sent.
    fn keep_ledger_view(&mut self, event: &EventRef<'_>, delta: &Delta) {
        let (Some(history), Some(mark)) = (&mut self.history, &delta.mark) else {
            return;
        };
        let at = delta.moment;
        if let Some(review) = self.reviews.number_of(event) {
            let state = self.reviews.encode(review);
            history.state(mark, LedgerView::Review(review), at, &state);
        }
        let sender = self.partners.last_sender();
        let mut registered: SmallVec<[PartnerIndex; 2]> =
            self.partners.registered_by(event).collect();
        if registered.is_empty() && !history.begins_chunk(LedgerView::Partner(sender)) {
            return history.mark(mark, LedgerView::Partner(sender), at);
        }
        registered.push(sender);
        registered.sort_unstable();
        registered.dedup();
        for partner in registered {
            let state = self.partners.encode(partner);
            history.state(mark, LedgerView::Partner(partner), at, &state);
        }
    }

    fn beside(&self, key: &str) -> Option<LedgerView> {
        if key == GAPS {
            return Some(LedgerView::Gaps);
        }
        let partner = self.partners.find_number(key).map(LedgerView::Partner);
        partner.or_else(|| self.reviews.find_number(key).map(LedgerView::Review))
    }

    fn list_text(&self, list: List<LedgerView>) -> String {
        list_text(&self.partners, &self.reviews, list)
    }
}

impl MaintainedViews for LedgerViews {
    fn begun(tables: &Tables) -> Self {
        Self {
            summary: FamilyViews::begun(tables),
            gaps_untaken: true,
            ..Self::empty()
        }
    }

    fn empty() -> Self {
        Self {
            summary: FamilyViews::empty(),
            partners: Partners::default(),
            reviews: Reviews::default(),
            gaps_changed: None,
            gaps_untaken: false,
            gaps_unsaved: false,
            history: None,
        }
    }

    fn retract(&mut self, model: &ReadModel, delta: &Delta) {
        self.summary.retract(model, delta);
    }

    fn accumulate(&mut self, model: &ReadModel, event: &EventRef<'_>, delta: &Delta) {
        self.summary.accumulate(model, event, delta);
        self.partners.apply(event, delta.moment);
        self.reviews.apply(event, delta.moment);
        self.keep_ledger_view(event, delta);
        match delta.about {
            About::Recorded(_) | About::Commitment | About::Party(_) | About::Actions(_) => {
                self.gaps_changed = Some(delta.moment);
                self.gaps_untaken = true;
                self.gaps_unsaved = true;
                if let (Some(history), Some(mark)) = (&mut self.history, &delta.mark) {
                    history.mark(mark, LedgerView::Gaps, delta.moment);
                }
            }
            About::Reported | About::Statement(_) | About::Other => {}
        }
    }

    fn keys(&self, tables: &Tables) -> Vec<String> {
        let mut keys = self.summary.keys(tables);
        keys.push(GAPS.to_owned());
        keys.extend(self.partners.keys());
        keys.extend(self.reviews.keys());
        keys
    }

    fn body(&self, tables: &Tables, key: &str) -> Option<Vec<u8>> {
        if key == GAPS {
            return gaps_body(self.summary.beside(tables), self.gaps_changed);
        }
        self.summary
            .body(tables, key)
            .or_else(|| self.partners.body(key))
            .or_else(|| self.reviews.body(key))
    }

    fn title(&self, tables: &Tables, key: &str) -> Option<String> {
        self.summary
            .title(tables, key)
            .or_else(|| self.partners.title(key))
            .or_else(|| self.reviews.title(key))
    }

    fn list(&self, tables: &Tables, key: &str, page: &Page) -> Option<CommitmentList> {
        self.summary.list(tables, key, page)
    }

    fn timeliness(&self, tables: &Tables, key: &str, today: NaiveDate) -> Option<Timeliness> {
        self.summary.timeliness(tables, key, today)
    }

    fn watch(
        &self,
        tables: &Tables,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Option<Result<WatchAnswer, UnknownFilter>> {
        Some(self.summary.watched(tables, (), page, today))
    }

    fn take_keys(&mut self, tables: &Tables) -> Vec<String> {
        let mut keys = self.summary.take_keys(tables);
        if std::mem::take(&mut self.gaps_untaken) {
            keys.push(GAPS.to_owned());
        }
        self.partners.take_keys(&mut keys);
        self.reviews.take_keys(&mut keys);
        keys
    }

    fn take_rows(&mut self, tables: &Tables, rows: &mut Vec<Row>) {
        self.summary.take_rows(tables, rows);
        if std::mem::take(&mut self.gaps_unsaved) {
            let mut row = RowWriter::new();
            row.moment(self.gaps_changed);
            rows.push((vec![GAPS_ROW], row.finish()));
        }
        self.partners.take_rows(rows);
        self.reviews.take_rows(rows);
    }

    fn keep_changelog(
        &mut self,
        tables: &Tables,
        open: Vec<(String, Vec<u8>)>,
    ) -> Result<Vec<(String, Vec<u8>)>, RestoreError> {
        let mut history = Changelog::default();
        let mut others = Vec::new();
        for (list, bytes) in open {
            match self.beside(&list) {
                Some(beside) => history.resume(List::View(beside), bytes)?,
                None => others.push((list, bytes)),
            }
        }
        self.history = Some(history);
        self.summary.keep_changelog(tables, others)
    }

    fn take_closed_chunks(&mut self, tables: &Tables, chunks: &mut Vec<ChangelogChunk>) {
        self.summary.take_closed_chunks(tables, chunks);
        if let Some(history) = &mut self.history {
            history.take_closed(chunks, |list| {
                list_text(&self.partners, &self.reviews, list)
            });
        }
    }

    fn take_grown_chunks(&mut self, tables: &Tables, chunks: &mut Vec<ChangelogChunk>) {
        self.summary.take_grown_chunks(tables, chunks);
        if let Some(history) = &mut self.history {
            history.take_grown(chunks, |list| {
                list_text(&self.partners, &self.reviews, list)
            });
        }
    }

    fn changelog_of(&self, tables: &Tables, key: &str) -> Option<Vec<ChangelogChunk>> {
        let Some(beside) = self.beside(key) else {
            return self.summary.changelog_of(tables, key);
        };
        let mut chunks = self.summary.changelog_of(tables, SUMMARY)?;
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

    fn restored(&mut self, tables: &Tables) -> Result<(), RestoreError> {
        self.summary.restored(tables)
    }
}

/// What is known of past positions.
impl Whole {
    pub(crate) fn as_of<S: ChangelogSource>(
        source: &S,
        key: &str,
        position: u64,
        today: NaiveDate,
        page: Option<&Page>,
    ) -> Result<Option<AsOfView>, S::Error> {
        if key == GAPS {
            return gaps_as_of(source, position);
        }
        if key == SUMMARY {
            return View::<SummaryFamily>::as_of(source, key, position, today, page);
        }
        state_as_of(source, key, position)
    }

    pub(crate) fn watch_as_of<S: ChangelogSource>(
        source: &S,
        page: &WatchPage,
        position: u64,
        today: NaiveDate,
    ) -> Result<Option<Result<WatchAnswer, UnknownFilter>>, S::Error> {
        View::<SummaryFamily>::watched_as_of(source, (), page, position, today).map(Some)
    }

    pub(crate) fn events_between<S: ChangelogSource>(
        source: &S,
        key: &str,
        between: (Option<u64>, u64),
        page: &Page,
    ) -> Result<EventList, S::Error> {
        if key == SUMMARY {
            return events_of_view(source, key, false, between, page);
        }
        events_of_list(source, key, between, page)
    }
}

fn list_text(partners: &Partners, reviews: &Reviews, list: List<LedgerView>) -> String {
    match list {
        List::View(LedgerView::Gaps) => GAPS.to_owned(),
        List::View(LedgerView::Partner(partner)) => partners.view_key(partner),
        List::View(LedgerView::Review(review)) => reviews.view_key(review),
        // These are the read model's.
        List::Events | List::Reference | List::Moments => String::new(),
    }
}

fn gaps_as_of<S: ChangelogSource>(source: &S, position: u64) -> Result<Option<AsOfView>, S::Error> {
    let mut changed = None;
    source.newest_first(GAPS, position, &all_chunks, &mut |chunk| {
        for entry in Entries::new(chunk) {
            let at = entry?.at;
            changed = Some(at).filter(|at| at.position <= position).or(changed);
        }
        Ok(ControlFlow::Break(()))
    })?;
    let summary = View::<SummaryFamily>::counts_as_of(source, (), position)?;
    Ok(gaps_body(summary.beside(), changed).map(|body| AsOfView {
        body,
        title: None,
        timeliness: None,
        list: None,
    }))
}

/// A partner or a review.
fn state_as_of<S: ChangelogSource>(
    source: &S,
    key: &str,
    position: u64,
) -> Result<Option<AsOfView>, S::Error> {
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

fn gaps_body(
    summary: FamilyRef<'_, (), SummaryCounts>,
    changed: Option<EventTime>,
) -> Option<Vec<u8>> {
    gaps::body(summary.tables(), summary.counts(()), changed)
}
