//! The views of the ledger beside the summary: the gaps, the activity of each partner and the review cycles.

pub(super) mod gaps;
pub(super) mod partner;
pub(super) mod review;

use std::ops::ControlFlow;

use smallvec::SmallVec;

use super::as_of::{AsOfView, AsOfViews, ChangelogSource, all_chunks};
use super::changelog::{Changelog, ChangelogChunk, Entries, Holds, List};
use super::error::RestoreError;
use super::read_model::Delta;
use serde_json::value::RawValue;

use crate::view::family::body::encoded;
use crate::view::family::family_view::FamilyRef;
use crate::view::family::summary::{SummaryCounts, SummaryFamily};
use crate::view::read_model::codec::{RowReader, RowWriter};
use crate::view::read_model::event_ref::EventRef;
use crate::view::read_model::event_time::EventTime;
use crate::view::read_model::rows::Row;
use crate::view::read_model::tables::About;
use partner::{PARTNER_ROW, PartnerIndex, Partners};
use review::{REVIEW_ROW, Reviews};

/// The key of the gaps.
const GAPS: &str = "gaps";

/// The first byte of the key of the row that says when the gaps changed last.
const GAPS_ROW: u8 = b'g';

/// The views of the ledger beside the summary.
#[derive(Default)]
pub(crate) struct LedgerViews {
    partners: Partners,
    reviews: Reviews,
    gaps_changed: Option<EventTime>,
    /// The gaps are not among the keys taken last.
    gaps_untaken: bool,
    /// When they changed is not among the rows taken last.
    gaps_unsaved: bool,
    /// When the gaps changed, and what the partners did, if a change log is kept.
    changelog: Option<Changelog<LedgerView>>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum LedgerView {
    Gaps,
    Partner(PartnerIndex),
    Review(u32),
}

impl LedgerViews {
    /// Enters what the event did to a review and to partners: a partner's chunk begins with all that is known of it, and goes on with what
    /// it sent.
    fn log_records(&mut self, event: &EventRef<'_>, delta: &Delta) {
        let (Some(changelog), Some(mark)) = (&mut self.changelog, &delta.mark) else {
            return;
        };
        let at = delta.moment;
        if let Some(review) = self.reviews.number_of(event) {
            let state = self.reviews.encode(review);
            changelog.state(mark, LedgerView::Review(review), at, &state);
        }
        let sender = self.partners.last_sender();
        let mut registered: SmallVec<[PartnerIndex; 2]> =
            self.partners.registered_by(event).collect();
        if registered.is_empty() && !changelog.begins_chunk(LedgerView::Partner(sender)) {
            return changelog.mark(mark, LedgerView::Partner(sender), at);
        }
        registered.push(sender);
        registered.sort_unstable();
        registered.dedup();
        for partner in registered {
            let state = self.partners.encode(partner);
            changelog.state(mark, LedgerView::Partner(partner), at, &state);
        }
    }

    fn find(&self, key: &str) -> Option<LedgerView> {
        if key == GAPS {
            return Some(LedgerView::Gaps);
        }
        let partner = self.partners.find_number(key).map(LedgerView::Partner);
        partner.or_else(|| self.reviews.find_number(key).map(LedgerView::Review))
    }
}

impl LedgerViews {
    /// The views before the first event.
    pub(super) fn begun() -> Self {
        Self {
            gaps_untaken: true,
            ..Self::default()
        }
    }

    /// Follows an event.
    pub(super) fn accumulate(&mut self, event: &EventRef<'_>, delta: &Delta) {
        self.partners.apply(event, delta.moment);
        self.reviews.apply(event, delta.moment);
        self.log_records(event, delta);
        if concerns_gaps(delta) {
            self.gaps_changed = Some(delta.moment);
            self.gaps_untaken = true;
            self.gaps_unsaved = true;
            if let (Some(changelog), Some(mark)) = (&mut self.changelog, &delta.mark) {
                changelog.mark(mark, LedgerView::Gaps, delta.moment);
            }
        }
    }

    pub(super) fn keys(&self) -> Vec<String> {
        let gaps = std::iter::once(GAPS.to_owned());
        let partners = gaps.chain(self.partners.keys());
        partners.chain(self.reviews.keys()).collect()
    }

    /// The canonical JSON of one view; the gaps are what the summary counts.
    pub(super) fn body(
        &self,
        summary: FamilyRef<'_, (), SummaryCounts>,
        key: &str,
    ) -> Option<Box<RawValue>> {
        match self.find(key)? {
            LedgerView::Gaps => gaps_body(summary, self.gaps_changed),
            LedgerView::Partner(_) => encoded(&self.partners.body(key)?),
            LedgerView::Review(_) => encoded(&self.reviews.body(key)?),
        }
    }

    pub(super) fn title(&self, key: &str) -> Option<String> {
        let partner = self.partners.title(key);
        partner.or_else(|| self.reviews.title(key))
    }

    /// The keys of the views that changed since the last call, in no order.
    pub(super) fn take_keys(&mut self, keys: &mut Vec<String>) {
        if std::mem::take(&mut self.gaps_untaken) {
            keys.push(GAPS.to_owned());
        }
        self.partners.take_keys(keys);
        self.reviews.take_keys(keys);
    }

    /// The rows of what changed since the last call.
    pub(super) fn take_rows(&mut self, rows: &mut Vec<Row>) {
        if std::mem::take(&mut self.gaps_unsaved) {
            let mut row = RowWriter::new();
            row.moment(self.gaps_changed);
            rows.push((vec![GAPS_ROW], row.finish()));
        }
        self.partners.take_rows(rows);
        self.reviews.take_rows(rows);
    }

    /// Takes a row back in; whether it was its own.
    pub(super) fn restore_row(&mut self, key: &[u8], value: &[u8]) -> Result<bool, RestoreError> {
        match key.split_first() {
            Some((&PARTNER_ROW, rest)) => self.partners.restore_row(rest, value)?,
            Some((&REVIEW_ROW, rest)) => self.reviews.restore_row(rest, value)?,
            Some((&GAPS_ROW, [])) => {
                let mut row = RowReader::new("gaps", value)?;
                self.gaps_changed = row.moment()?;
                row.finish()?;
            }
            Some(_) | None => return Ok(false),
        }
        Ok(true)
    }

    /// Begins to keep the change log, or goes on with open chunks; gives back those that are not its own.
    pub(super) fn keep_changelog(
        &mut self,
        open: Vec<(String, Vec<u8>)>,
    ) -> Result<Vec<(String, Vec<u8>)>, RestoreError> {
        let mut changelog = Changelog::default();
        let mut others = Vec::new();
        for (list, bytes) in open {
            match self.find(&list) {
                Some(view) => changelog.resume(List::View(view), bytes)?,
                None => others.push((list, bytes)),
            }
        }
        self.changelog = Some(changelog);
        Ok(others)
    }

    pub(super) fn take_closed_chunks(&mut self, chunks: &mut Vec<ChangelogChunk>) {
        if let Some(changelog) = &mut self.changelog {
            changelog.take_closed(chunks, |list| {
                list_text(&self.partners, &self.reviews, list)
            });
        }
    }

    pub(super) fn take_grown_chunks(&mut self, chunks: &mut Vec<ChangelogChunk>) {
        if let Some(changelog) = &mut self.changelog {
            changelog.take_grown(chunks, |list| {
                list_text(&self.partners, &self.reviews, list)
            });
        }
    }

    /// The open chunk of a view's list.
    pub(super) fn changelog_of(&self, key: &str) -> Option<Vec<ChangelogChunk>> {
        let list = List::View(self.find(key)?);
        let text = list_text(&self.partners, &self.reviews, list);
        Some(vec![self.changelog.as_ref()?.open_chunk(list, text)])
    }
}

/// Returns true when the gaps may have changed. A report changes no gap, unless it is the first
/// word of a party that the lead named. Such a word confirms that party's part.
fn concerns_gaps(delta: &Delta) -> bool {
    match delta.about {
        About::Recorded(_) | About::Commitment | About::Party(_) | About::Actions(_) => true,
        About::Reported => delta.changes_parts(),
        About::Statement(_) | About::Other => false,
    }
}

/// One of these views as of a position.
pub(super) fn as_of<S: ChangelogSource>(
    source: &S,
    key: &str,
    position: u64,
) -> Result<Option<AsOfView>, S::Error> {
    if key == GAPS {
        return gaps_as_of(source, position);
    }
    state_as_of(source, key, position)
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
    let summary = AsOfViews::<SummaryFamily>::counts(source, (), position)?;
    let body = gaps_body(summary.beside(), changed);
    Ok(body.map(|body| AsOfView::apart(body, None)))
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
                Reviews::as_of(state)?
            } else {
                Partners::as_of(state, sent.into_iter())?
            };
        }
        Ok(ControlFlow::Break(()))
    })?;
    Ok(known)
}

fn gaps_body(
    summary: FamilyRef<'_, (), SummaryCounts>,
    changed: Option<EventTime>,
) -> Option<Box<RawValue>> {
    encoded(&gaps::body(summary.tables(), summary.counts(()), changed))
}
