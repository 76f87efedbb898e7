//! Runs of events of the log, as the stream has them.

use bytes::Bytes;
use std::ops::ControlFlow;

use ledger_bus::{MAX_RUN_EVENTS, subject};
use ledger_domain::country::NO_COUNTRY;
use ledger_proof::block::{Decoder, StoredEvent, Tags, for_each_event};
use ledger_proof::header::event_name_of;
use ledger_store::Log;

use crate::query::history::{HistoryError, deliver};

/// Bytes of events in one run at most.
pub(crate) const MAX_RUN_BYTES: usize = 2 << 20;
/// Bytes of stored blocks read at once: about one run of events.
const READ_BYTES: usize = 512 << 10;

/// One run of events from `from` on, none at or after `to`.
pub(crate) fn read_run(
    log: &Log,
    from: u64,
    to: u64,
) -> Result<Vec<(String, Bytes)>, HistoryError> {
    let (blocks, _) = log.stored_blocks(from..to, READ_BYTES)?;
    let mut decoder = Decoder::default();
    let (mut events, mut bytes) = (Vec::new(), 0);
    let block_error = |source| HistoryError::Block {
        position: from,
        source,
    };
    for_each_event(&mut decoder, &blocks, block_error, |stored| {
        if stored.position >= to || events.len() >= MAX_RUN_EVENTS || bytes >= MAX_RUN_BYTES {
            return Ok(ControlFlow::Break(()));
        }
        if stored.position >= from {
            let event = publishable(stored)?;
            bytes += event.1.len();
            events.push(event);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(events)
}

/// The subject on which an event is published, and its delivered form.
pub(crate) fn publishable(stored: &StoredEvent<'_>) -> Result<(String, Bytes), HistoryError> {
    let country = Tags::read(stored.route).country;
    let event = event_name_of(stored.header).unwrap_or("unknown");
    Ok((
        subject::event(country.unwrap_or(NO_COUNTRY), event),
        deliver(stored)?.into(),
    ))
}
