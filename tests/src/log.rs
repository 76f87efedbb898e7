//! The log as a partner reads it back.

use ledger_client::{
    CheckError, CheckedReplay, Connection, Decoding, Replay, ReplayChunk, ReplayRange,
    decode_event, visit_events,
};
use ledger_domain::ids::CommandId;
use ledger_domain::wire::v1::{Event, Receipt, Sha256};
use ledger_proof::block::Content;
use ledger_proof::{delivered, leaf_hash};

/// One event of the log.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its position.
    pub position: u64,
    /// The hash of its leaf.
    pub leaf_hash: Sha256,
    /// Its delivered form.
    pub delivered: Vec<u8>,
    /// What it says.
    pub event: Event,
}

impl Recorded {
    /// The partner and the command that caused it; nothing caused position 0.
    pub fn cause(&self) -> Option<(String, CommandId)> {
        let header = &self.event.header;
        let partner = header.partner.as_str().to_owned();
        header.causation_id.map(|command| (partner, command))
    }
}

/// Reads the log from a position to its end; every leaf is checked against its data and its neighbours.
pub(crate) async fn read_log(connection: &Connection, from: u64) -> Vec<Recorded> {
    let range = ReplayRange {
        from,
        ..ReplayRange::default()
    };
    let mut checked = CheckedReplay::new(Replay::new(connection, range.clone()), Decoding::Check);
    while checked.next().await.expect("leaves that hold").is_some() {}
    let mut replay = Replay::new(connection, range);
    let mut log = Vec::new();
    while let Some(chunk) = replay.next_chunk().await.expect("a chunk") {
        take(&chunk, &mut log).expect("readable events");
    }
    for (expected, recorded) in (from..).zip(&log) {
        assert_eq!(recorded.position, expected, "no gap and no repetition");
    }
    log
}

fn take(chunk: &ReplayChunk, log: &mut Vec<Recorded>) -> Result<(), CheckError> {
    visit_events(chunk, |stored| {
        let delivered = match stored.content {
            Content::Present { salt, data } => delivered::join(stored.header, salt, data),
            Content::Withheld { ground } => delivered::withhold(stored.header, ground),
        };
        log.push(Recorded {
            position: stored.position,
            leaf_hash: Sha256(leaf_hash(stored.header).0),
            delivered: delivered.expect("a deliverable event"),
            event: decode_event(stored)?,
        });
        Ok(())
    })
}

/// Holds a receipt to be true of the log: its positions hold its events, with these ids, types, leaves and cause.
///
/// # Panics
/// When it is not, or names no event.
pub fn assert_receipt_holds(receipt: &Receipt, log: &[Recorded]) {
    assert!(!receipt.events.is_empty(), "{receipt:?}");
    let first = log.first().map_or(0, |recorded| recorded.position);
    for named in &receipt.events {
        let index = usize::try_from(named.position - first).expect("a small log");
        let recorded = &log[index];
        let header = &recorded.event.header;
        assert_eq!(recorded.position, named.position);
        assert_eq!(header.id, named.id, "{receipt:?}");
        assert_eq!(header.event_type, named.event_type);
        assert_eq!(recorded.leaf_hash, named.leaf_hash);
        assert_eq!(header.causation_id, receipt.command_id);
    }
}
