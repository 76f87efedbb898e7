//! An event as the folds see it, whole or as its excerpt.

use super::event_time::EventTime;
use crate::date::PartialDate;
use crate::ids::{PartnerId, PartyId, Subject};
use crate::wire::v1::{Event, EventBody, EventExcerpt};

/// An event as the folds see it: nothing here is missing from its excerpt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventRef<'a> {
    pub(crate) at: EventTime,
    pub(crate) subject: &'a Subject,
    pub(crate) partner: &'a PartnerId,
    pub(crate) party: &'a PartyId,
    pub(crate) effective: Option<PartialDate>,
    pub(crate) body: &'a EventBody,
}

impl<'a> From<&'a Event> for EventRef<'a> {
    fn from(event: &'a Event) -> Self {
        let header = &event.header;
        Self {
            at: EventTime {
                position: header.position.0,
                recorded_us: header.time.timestamp_micros(),
            },
            subject: &header.subject,
            partner: &header.partner,
            party: &header.party,
            effective: header.effective,
            body: &event.body,
        }
    }
}

impl<'a> From<&'a EventExcerpt> for EventRef<'a> {
    fn from(excerpt: &'a EventExcerpt) -> Self {
        let heading = &excerpt.heading;
        Self {
            at: EventTime {
                position: heading.position.0,
                recorded_us: heading.time.timestamp_micros(),
            },
            subject: &heading.subject,
            partner: &heading.partner,
            party: &heading.party,
            effective: heading.effective,
            body: &excerpt.body,
        }
    }
}
