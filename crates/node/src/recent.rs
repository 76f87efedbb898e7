//! What was just made durable, kept for the publisher so that it need not be read back.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use ledger_store::NewRecord;

/// Bytes kept at most; what is older is read from the log.
const MAX_BYTES: usize = 48 << 20;

/// Events of the newest groups, in order. The appender puts them in, the publisher takes them out.
#[derive(Debug, Default)]
pub(crate) struct RecentEvents {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Position of the first event that is kept.
    first: u64,
    events: VecDeque<NewRecord>,
    bytes: usize,
}

impl Kept {
    fn drop_first(&mut self) -> Option<NewRecord> {
        let record = self.events.pop_front()?;
        self.first += 1;
        self.bytes = self.bytes.saturating_sub(size(&record));
        Some(record)
    }
}

fn size(record: &NewRecord) -> usize {
    record.header.len() + record.data.len() + record.route.len()
}

impl RecentEvents {
    /// Keeps the events of a group that begins at `first`.
    pub(crate) fn keep(&self, first: u64, records: Vec<NewRecord>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *kept;
        let end = u64::try_from(kept.events.len()).map_or(u64::MAX, |count| kept.first + count);
        if end != first {
            *kept = Kept {
                first,
                ..Kept::default()
            };
        }
        kept.bytes += records.iter().map(size).sum::<usize>();
        kept.events.extend(records);
        while kept.bytes > MAX_BYTES && kept.drop_first().is_some() {}
    }

    /// Takes the events from `from` on, at most `max_events` and about `max_bytes`; none when they are not here any more.
    /// What lies before them is dropped: it was published.
    pub(crate) fn take(&self, from: u64, max_events: usize, max_bytes: usize) -> Vec<NewRecord> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        if from < kept.first {
            return taken;
        }
        while kept.first < from && kept.drop_first().is_some() {}
        let mut bytes = 0;
        while kept.first >= from && taken.len() < max_events && bytes < max_bytes {
            let Some(record) = kept.drop_first() else {
                break;
            };
            bytes += size(&record);
            taken.push(record);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_proof::EMPTY_HASH;

    fn records(count: usize, bytes: usize) -> Vec<NewRecord> {
        let record = NewRecord {
            header: Vec::new(),
            salt: [0; 16],
            data: vec![0; bytes],
            leaf_hash: EMPTY_HASH,
            route: String::new(),
        };
        vec![record; count]
    }

    #[test]
    fn events_come_out_once_and_in_order() {
        let recent = RecentEvents::default();
        recent.keep(10, records(5, 1));
        recent.keep(15, records(5, 1));
        assert_eq!(recent.take(10, 7, 1_000).len(), 7);
        assert_eq!(recent.take(17, 7, 1_000).len(), 3);
        assert!(recent.take(20, 7, 1_000).is_empty());
    }

    #[test]
    fn what_was_published_from_the_log_is_dropped() {
        let recent = RecentEvents::default();
        recent.keep(10, records(5, 1));
        assert_eq!(recent.take(13, 7, 1_000).len(), 2);
        assert!(recent.take(10, 7, 1_000).is_empty(), "they are behind");
    }

    #[test]
    fn a_publisher_that_is_behind_is_sent_to_the_log() {
        let recent = RecentEvents::default();
        recent.keep(0, records(3, MAX_BYTES / 2));
        assert!(
            recent.take(0, 7, 1_000).is_empty(),
            "the oldest went to keep the bound"
        );
        assert_eq!(recent.take(1, 7, usize::MAX).len(), 2);
    }
}
