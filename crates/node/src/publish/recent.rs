//! What was just made durable, kept for the publisher so that it need not be read back.
//!
//! It is also where appending and publishing keep pace: as long as the publisher takes its events from here, the appender
//! waits a little when there is no more room, so that under load the stream is no further behind than what is kept here. A
//! publisher that does not keep up even so, or is further behind (the server was away), is not waited for: receipts do not
//! depend on the stream.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use ledger_store::NewRecord;

/// Bytes kept at most; what is older is read from the log.
const MAX_BYTES: usize = 64 << 20;
/// Bytes kept above which the appender waits. A group that is added then still has room.
const FULL_BYTES: usize = 40 << 20;
/// How long one group waits for room at the most.
const PATIENCE: Duration = Duration::from_millis(200);

/// Events of the newest groups, in order. The appender puts them in, the publisher takes them out.
#[derive(Debug)]
pub(crate) struct RecentEvents {
    kept: Mutex<Kept>,
    taken: Condvar,
    patience: Duration,
}

impl Default for RecentEvents {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            taken: Condvar::new(),
            patience: PATIENCE,
        }
    }
}

#[derive(Debug, Default)]
struct Kept {
    /// Position of the first event that is kept.
    first: u64,
    events: VecDeque<NewRecord>,
    bytes: usize,
    /// Whether the publisher takes its events from here.
    attended: bool,
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
    /// Waits a little for room while the publisher takes its events from here.
    pub(crate) fn wait_for_room(&self) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |kept: &mut Kept| kept.attended && kept.bytes >= FULL_BYTES;
        let waited = self.taken.wait_timeout_while(kept, self.patience, full);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Keeps the events of a group that begins at `first`.
    pub(crate) fn keep(&self, first: u64, records: Vec<NewRecord>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *kept;
        let end = u64::try_from(kept.events.len()).map_or(u64::MAX, |count| kept.first + count);
        if end != first {
            *kept = Kept {
                first,
                attended: kept.attended,
                ..Kept::default()
            };
        }
        kept.bytes += records.iter().map(size).sum::<usize>();
        kept.events.extend(records);
        while kept.bytes > MAX_BYTES && kept.drop_first().is_some() {
            kept.attended = false;
        }
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
        if !taken.is_empty() {
            kept.attended = true;
            self.taken.notify_one();
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_proof::EMPTY_HASH;
    use ledger_store::EventKeys;

    fn records(count: usize, bytes: usize) -> Vec<NewRecord> {
        let record = NewRecord {
            position: 0,
            keys: EventKeys {
                command: None,
                commitment: None,
                leaf: EMPTY_HASH,
            },
            header: Vec::new(),
            salt: [0; 16],
            data: vec![0; bytes],
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
    fn a_publisher_that_takes_is_waited_for() {
        let recent = RecentEvents {
            patience: Duration::from_mins(10),
            ..RecentEvents::default()
        };
        recent.keep(0, records(2, MAX_BYTES / 3));
        assert_eq!(recent.take(0, 1, 1_000).len(), 1);
        recent.keep(2, records(1, MAX_BYTES / 3));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                recent.wait_for_room();
                recent.kept.lock().unwrap().bytes
            });
            assert_eq!(recent.take(1, 1, 1_000).len(), 1);
            assert!(waiting.join().unwrap() < FULL_BYTES);
        });
        assert!(recent.kept.lock().unwrap().attended);
    }

    #[test]
    fn a_publisher_that_falls_behind_is_not_waited_for() {
        let recent = RecentEvents::default();
        recent.keep(0, records(1, 1));
        assert_eq!(recent.take(0, 1, 1_000).len(), 1);
        recent.keep(1, records(3, MAX_BYTES / 3));
        assert!(recent.kept.lock().unwrap().attended);
        recent.wait_for_room();
        recent.keep(4, records(1, MAX_BYTES / 3));
        assert!(!recent.kept.lock().unwrap().attended);
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
