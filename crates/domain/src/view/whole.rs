//! The views of the ledger as a whole: the summary, and beside it the gaps, the activity of each partner and the review cycles.

use chrono::NaiveDate;

use super::book::About;
use super::codec::{RowReader, RowWriter};
use super::envelope::Timeliness;
use super::fold::{Moment, View};
use super::gaps;
use super::list::{CommitmentList, Page};
use super::partner::{PARTNER_ROW, Partners};
use super::review::{REVIEW_ROW, Reviews};
use super::summary::SummaryLens;
use super::{Changes, RestoreError};
use crate::wire::v1::Event;

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
}

impl Default for Whole {
    fn default() -> Self {
        Self {
            summary: View::default(),
            partners: Partners::default(),
            reviews: Reviews::default(),
            gaps_changed: None,
            gaps_untaken: true,
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
        match about {
            About::Recorded(_) | About::Commitment | About::Party(_) | About::Actions(_) => {
                self.gaps_changed = Some(moment);
                self.gaps_untaken = true;
            }
            About::Reported | About::Other => {}
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
            return self.gaps();
        }
        self.summary
            .body(key)
            .or_else(|| self.partners.body(key))
            .or_else(|| self.reviews.body(key))
    }

    fn gaps(&self) -> Option<Vec<u8>> {
        let (book, counts) = (self.summary.book(), self.summary.counts(()));
        let (places, leads) = (counts.by_country.keys(), counts.all.leading.keys());
        gaps::body(book, &counts.reach, places, leads, self.gaps_changed)
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
            }),
        }
    }
}
