//! Whether the event stream is a copy of the log's beginning.

use bytes::Bytes;
use ledger_bus::{EventPublisher, StreamState};
use ledger_store::Log;

use crate::publish::publisher::{Interruption, PublisherError};
use crate::publish::runs::read_run;

/// Compares the stream with the log, whose size is `tree_size`: its end with the position there,
/// and its first and last event with those of the log, to the byte. What the stream lacks is not
/// compared.
///
/// # Errors
/// [`Interruption::Stopped`] when the stream contradicts the log, or the log cannot be read.
pub(crate) async fn compare(
    publisher: &EventPublisher,
    log: &Log,
    state: StreamState,
    tree_size: u64,
) -> Result<(), Interruption> {
    let last_sequence = state.last_sequence;
    if last_sequence > tree_size {
        return Err(Interruption::Stopped(PublisherError::StreamAhead {
            last_sequence,
            tree_size,
        }));
    }
    // The last shows that the stream goes as the log does, and the first that it is of this ledger.
    for position in last_sequence.checked_sub(1).into_iter().chain([0]) {
        let Some(theirs) = publisher.stored(position + 1).await? else {
            continue;
        };
        if stored(log, position).await? != Some(theirs) {
            return Err(Interruption::Stopped(PublisherError::StreamForeign {
                position,
            }));
        }
    }
    Ok(())
}

/// Compares the stream with the log as they are now; gives the stream's end.
pub(crate) async fn agrees(publisher: &EventPublisher, log: &Log) -> Result<u64, Interruption> {
    let state = publisher.state().await?;
    compare(publisher, log, state, log.tree_size()).await?;
    Ok(state.last_sequence)
}

/// The event at a position in its delivered form.
async fn stored(log: &Log, position: u64) -> Result<Option<Bytes>, Interruption> {
    let log = log.clone();
    let read = tokio::task::spawn_blocking(move || read_run(&log, position, position + 1)).await;
    let events = read.map_err(crate::publish::publisher::interrupted)??;
    Ok(events.into_iter().next().map(|(_, delivered)| delivered))
}
