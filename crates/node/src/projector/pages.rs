//! The log from one position on, fetched from the node and decoded ahead of the fold: on two cores one decodes while the other folds.

use std::ops::ControlFlow;
use std::time::Duration;

use ledger_bus::{Bus, FeedError};
use ledger_bus::{QueryError, ReplayPage};
use ledger_domain::wire::v1::EventExcerpt;
use ledger_domain::wire::v1::query::ReplayQuery;
use ledger_proof::block::{Decoder, StoredEvent, for_each_event};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Interruption;
use crate::query::history::{HistoryError, decode_excerpt};

/// The time that the node may take to answer.
pub(super) const QUERY_TIMEOUT: Duration = Duration::from_secs(10);
/// The bytes of a page: what is decoded and folded between two looks at what else there is to do.
const PAGE_BYTES: usize = 1 << 20;
/// Decoded pages that wait to be folded. Each takes a few MiB.
const PAGES_AHEAD: usize = 2;

/// A page of events, in their order.
pub(super) struct DecodedPage {
    /// The position of the first event.
    pub(super) first: u64,
    /// The position after the last.
    pub(super) next: u64,
    /// The events; none where the data is withheld.
    pub(super) events: Vec<Option<EventExcerpt>>,
    /// The leaf of the last event.
    pub(super) last_leaf: Vec<u8>,
    /// Events on disk when the page was read.
    pub(super) tree_size: u64,
    /// It reaches up to the end of the log.
    pub(super) at_end: bool,
}

/// Pages in their order. Dropping it ends the reading.
pub(super) struct Pages {
    pages: mpsc::Receiver<Result<DecodedPage, Interruption>>,
    reader: JoinHandle<()>,
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Pages {
    /// Begins to read at a position.
    pub(super) fn open(bus: &Bus, from: u64) -> Self {
        let (sender, pages) = mpsc::channel(PAGES_AHEAD);
        let reader = tokio::spawn(read(bus.clone(), from, sender));
        Self { pages, reader }
    }

    /// The next page. After the one at the end there is none.
    pub(super) async fn next(&mut self) -> Result<DecodedPage, Interruption> {
        let ended = || FeedError {
            what: "the reading of pages ended".to_owned(),
        };
        self.pages.recv().await.ok_or_else(ended)?
    }
}

fn fetch(bus: &Bus, from: u64) -> JoinHandle<Result<ReplayPage, QueryError>> {
    let bus = bus.clone();
    let query = ReplayQuery {
        from,
        max_bytes: Some(PAGE_BYTES),
        ..ReplayQuery::default()
    };
    tokio::spawn(async move { bus.replay(&query, QUERY_TIMEOUT).await })
}

async fn read(bus: Bus, mut from: u64, sender: mpsc::Sender<Result<DecodedPage, Interruption>>) {
    let mut decoder = Decoder::default();
    let mut fetching = fetch(&bus, from);
    loop {
        let page = match fetching.await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) => return give(&sender, Err(error.into())).await,
            Err(error) => {
                let what = error.to_string();
                return give(&sender, Err(FeedError { what }.into())).await;
            }
        };
        let after = (page.next < page.tree_size).then(|| fetch(&bus, page.next));
        let events = tokio::task::block_in_place(|| decode(&mut decoder, &page, from));
        let is_sound = events.is_ok();
        give(&sender, events.map_err(Interruption::from)).await;
        from = page.next;
        match after {
            Some(next) if is_sound && !sender.is_closed() => fetching = next,
            Some(unwanted) => return unwanted.abort(),
            None => return,
        }
    }
}

/// Hands a page on; when nobody wants it any more, the reader sees that next.
async fn give(
    sender: &mpsc::Sender<Result<DecodedPage, Interruption>>,
    page: Result<DecodedPage, Interruption>,
) {
    if sender.send(page).await.is_err() {
        tracing::trace!("a page is not wanted any more");
    }
}

/// Decodes the events of a page from a position on: its first block may begin before it.
fn decode(
    decoder: &mut Decoder,
    page: &ReplayPage,
    from: u64,
) -> Result<DecodedPage, HistoryError> {
    let mut events = Vec::new();
    let mut last_leaf = Vec::new();
    for_each_stored(decoder, page, |stored| {
        if stored.position < from {
            return Ok(());
        }
        if stored.position + 1 == page.next {
            last_leaf.extend_from_slice(stored.header);
        }
        events.push(decode_excerpt(stored)?);
        Ok(())
    })?;
    Ok(DecodedPage {
        first: from,
        next: page.next,
        events,
        last_leaf,
        tree_size: page.tree_size,
        at_end: page.next >= page.tree_size,
    })
}

/// Calls `visit` with every event of a page, in order.
pub(super) fn for_each_stored(
    decoder: &mut Decoder,
    page: &ReplayPage,
    mut visit: impl FnMut(&StoredEvent<'_>) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    let block_error = |source| HistoryError::Block {
        position: page.next,
        source,
    };
    for_each_event(decoder, &page.blocks, block_error, |stored| {
        visit(stored).map(ControlFlow::Continue)
    })
}
