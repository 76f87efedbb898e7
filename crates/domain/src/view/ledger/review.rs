//! The review cycles: when each was opened and closed, and who spoke in it. A review's figures are not kept here: they are the views as of
//! the position that closed it.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::date::PartialDate;
use crate::ids::{InstrumentId, PartyId, ReviewId, Subject};
use crate::view::as_of::AsOfView;
use crate::view::error::RestoreError;
use crate::view::family::body::bounded;
use crate::view::family::body::encoded;
use crate::view::read_model::codec::{RowReader, RowWriter};
use crate::view::read_model::event_ref::EventRef;
use crate::view::read_model::event_time::EventTime;
use crate::view::read_model::index::{entry_at, entry_at_mut, number};
use crate::view::read_model::rows::{Row, expect, key};
use crate::wire::v1::EventBody;
use crate::wire::v1::view::{
    RecordedAt, ReviewBody, ReviewParties, ReviewStatements, ReviewStatus, ViewKind,
};

/// The first byte of the keys of reviews' rows.
pub(crate) const REVIEW_ROW: u8 = b'v';

/// The most bytes that the table of parties that spoke may take.
const MAX_SPEAKERS_BYTES: usize = 32 * 1024;

/// What a review's key begins with.
pub(crate) const KEY_PREFIX: &str = "review.";

/// Every review.
#[derive(Debug, Default)]
pub(crate) struct Reviews {
    entries: Vec<Review>,
    numbers: FxHashMap<ReviewId, u32>,
    /// Whose keys and whose rows are to be taken.
    changed: Vec<u32>,
    unsaved: Vec<u32>,
}

#[derive(Debug, PartialEq)]
struct Review {
    id: ReviewId,
    title: Option<String>,
    instrument: Option<InstrumentId>,
    from: Option<PartialDate>,
    to: Option<PartialDate>,
    opened: Option<EventTime>,
    closed: Option<EventTime>,
    /// Who spoke, and how often.
    speakers: BTreeMap<PartyId, u64>,
    /// The last event about it.
    stamp: Option<EventTime>,
    changed: bool,
    unsaved: bool,
}

impl Review {
    fn new(id: ReviewId) -> Self {
        Self {
            id,
            title: None,
            instrument: None,
            from: None,
            to: None,
            opened: None,
            closed: None,
            speakers: BTreeMap::new(),
            stamp: None,
            changed: false,
            unsaved: false,
        }
    }

    fn take_in(&mut self, body: &EventBody, at: EventTime) {
        if let EventBody::ReviewOpened(data) = body {
            self.title = Some(data.title.clone());
            self.instrument.clone_from(&data.instrument);
            (self.from, self.to) = (data.from, data.to);
            self.opened = Some(at);
        } else if let EventBody::StatementRecorded(data) = body {
            *self.speakers.entry(data.speaker.clone()).or_default() += 1;
        } else if let EventBody::ReviewClosed(_) = body {
            self.closed = Some(at);
        }
    }

    fn body(&self) -> ReviewBody {
        let stamp = self.stamp.map(RecordedAt::from);
        let speakers = self
            .speakers
            .iter()
            .map(|(id, &count)| (id.to_string(), count));
        let (statements_by_party, parties_left_out) =
            bounded(speakers, |&count| count, MAX_SPEAKERS_BYTES);
        ReviewBody {
            view: ViewKind::Review,
            review: self.id.to_string(),
            position: stamp.as_ref().map(|moment| moment.position.clone()),
            recorded: stamp.map(|moment| moment.recorded),
            status: if self.closed.is_some() {
                ReviewStatus::Closed
            } else {
                ReviewStatus::Open
            },
            instrument: self.instrument.as_ref().map(ToString::to_string),
            from: self.from,
            to: self.to,
            opened: self.opened.map(RecordedAt::from),
            closed: self.closed.map(RecordedAt::from),
            statements: ReviewStatements {
                recorded: self.speakers.values().sum(),
            },
            parties: ReviewParties {
                spoke: self.speakers.len(),
            },
            statements_by_party,
            parties_left_out,
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut row = RowWriter::new();
        row.text(self.id.as_str());
        row.u8(u8::from(self.title.is_some()));
        row.text(self.title.as_deref().unwrap_or_default());
        row.text(self.instrument.as_ref().map_or("", InstrumentId::as_str));
        for date in [self.from, self.to] {
            row.text(&date.map_or_else(String::new, |date| date.to_string()));
        }
        for moment in [self.opened, self.closed, self.stamp] {
            row.moment(moment);
        }
        row.count(self.speakers.len());
        for (speaker, count) in &self.speakers {
            row.text(speaker.as_str());
            row.u64(*count);
        }
        row.finish()
    }

    fn decode(value: &[u8]) -> Result<Self, RestoreError> {
        let mut row = RowReader::new("review", value)?;
        let id = row.name()?.ok_or_else(|| row.damaged())?;
        let mut review = Self::new(id);
        let titled = row.u8()? == 1;
        review.title = Some(row.text()?.to_owned()).filter(|_| titled);
        review.instrument = row.name()?;
        review.from = row.name()?;
        review.to = row.name()?;
        review.opened = row.moment()?;
        review.closed = row.moment()?;
        review.stamp = row.moment()?;
        for _ in 0..row.count()? {
            let speaker = row.name()?.ok_or_else(|| row.damaged())?;
            review.speakers.insert(speaker, row.u64()?);
        }
        row.finish()?;
        Ok(review)
    }
}

impl Reviews {
    pub(crate) fn apply(&mut self, event: &EventRef<'_>, at: EventTime) {
        let Subject::Review(id) = event.subject else {
            return;
        };
        let review = self.number(id);
        let Some(entry) = entry_at_mut(&mut self.entries, review) else {
            return;
        };
        entry.take_in(event.body, at);
        entry.stamp = Some(at);
        if !entry.changed {
            entry.changed = true;
            self.changed.push(review);
        }
        if !entry.unsaved {
            entry.unsaved = true;
            self.unsaved.push(review);
        }
    }

    fn number(&mut self, id: &ReviewId) -> u32 {
        if let Some(&known) = self.numbers.get(id) {
            return known;
        }
        let review = number(self.entries.len());
        self.entries.push(Review::new(id.clone()));
        self.numbers.insert(id.clone(), review);
        review
    }

    fn find(&self, view: &str) -> Option<&Review> {
        let review = self.numbers.get(view.strip_prefix(KEY_PREFIX)?)?;
        entry_at(&self.entries, *review)
    }

    pub(crate) fn body(&self, view: &str) -> Option<ReviewBody> {
        Some(self.find(view)?.body())
    }

    pub(crate) fn title(&self, view: &str) -> Option<String> {
        self.find(view)?.title.clone()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = String> {
        self.entries.iter().map(|entry| view_key(&entry.id))
    }

    /// The keys of the reviews that changed since the last call.
    pub(crate) fn take_keys(&mut self, keys: &mut Vec<String>) {
        for review in std::mem::take(&mut self.changed) {
            if let Some(entry) = entry_at_mut(&mut self.entries, review) {
                entry.changed = false;
                keys.push(view_key(&entry.id));
            }
        }
    }

    /// The rows of the reviews that changed since the last call.
    pub(crate) fn take_rows(&mut self, rows: &mut Vec<Row>) {
        for review in std::mem::take(&mut self.unsaved) {
            if let Some(entry) = entry_at_mut(&mut self.entries, review) {
                entry.unsaved = false;
                rows.push((key(REVIEW_ROW, review), entry.encode()));
            }
        }
    }

    /// Takes one row back in; `rest` is its key after the first letter.
    pub(crate) fn restore_row(&mut self, rest: &[u8], value: &[u8]) -> Result<(), RestoreError> {
        expect("review", rest, self.entries.len())?;
        let entry = Review::decode(value)?;
        self.numbers
            .insert(entry.id.clone(), number(self.entries.len()));
        self.entries.push(entry);
        Ok(())
    }
}

/// Access for the change log of reviews.
impl Reviews {
    /// The review that an event is about.
    pub(crate) fn number_of(&self, event: &EventRef<'_>) -> Option<u32> {
        if let Subject::Review(id) = event.subject {
            self.numbers.get(id).copied()
        } else {
            None
        }
    }

    pub(crate) fn find_number(&self, view: &str) -> Option<u32> {
        self.numbers.get(view.strip_prefix(KEY_PREFIX)?).copied()
    }

    pub(crate) fn view_key(&self, review: u32) -> String {
        entry_at(&self.entries, review).map_or_else(String::new, |entry| view_key(&entry.id))
    }

    pub(crate) fn encode(&self, review: u32) -> Vec<u8> {
        entry_at(&self.entries, review).map_or_else(Vec::new, Review::encode)
    }

    /// The view of a review as its row says.
    pub(crate) fn as_of(row: &[u8]) -> Result<Option<AsOfView>, RestoreError> {
        let review = Review::decode(row)?;
        Ok(encoded(&review.body()).map(|body| AsOfView::apart(body, review.title)))
    }
}

fn view_key(id: &ReviewId) -> String {
    format!("{KEY_PREFIX}{id}")
}
