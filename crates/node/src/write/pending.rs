//! The group being gathered: the writer adds to it while the appender is busy with the one before.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ledger_store::Group;

use crate::write::replies::SubmissionReply;

/// Events above which the writer waits for the appender.
const MAX_PENDING_EVENTS: usize = 8_192;
/// Bytes above which the writer waits for the appender.
const MAX_PENDING_BYTES: usize = 16 << 20;

/// What has been decided and not yet written.
#[derive(Default)]
pub(crate) struct Decided {
    pub(crate) group: Group,
    pub(crate) replies: Vec<SubmissionReply>,
    pub(crate) bytes: usize,
}

impl Decided {
    fn is_empty(&self) -> bool {
        self.group.records.is_empty() && self.replies.is_empty()
    }

    fn is_full(&self) -> bool {
        self.group.records.len() >= MAX_PENDING_EVENTS || self.bytes >= MAX_PENDING_BYTES
    }

    /// Adds what was decided after this.
    fn extend(&mut self, later: Self) {
        let Self {
            group,
            replies,
            bytes,
        } = later;
        let offset = u32::try_from(self.group.records.len()).unwrap_or(u32::MAX);
        self.group.records.extend(group.records);
        for mut submission in group.submissions {
            for command in &mut submission.commands {
                command.first_event += offset;
            }
            self.group.submissions.push(submission);
        }
        self.replies.extend(replies);
        self.bytes += bytes;
    }
}

#[derive(Default)]
struct State {
    decided: Decided,
    /// Grows when decisions that were not written were dropped: what the writer decided before is void.
    generation: u64,
    /// The writer has ended: nothing more will come.
    writer_gone: bool,
    /// The appender has ended: nothing more will be written.
    appender_gone: bool,
}

/// The place between the writer and the appender.
#[derive(Default)]
pub(crate) struct Pending {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
}

/// What became of decisions handed over; those that will not be written come back.
pub(crate) enum HandedOver {
    /// The appender will take them.
    Taken,
    /// They rest on decisions that were dropped: what comes next is decided from what the log holds.
    Void(Decided),
    /// Nothing will be written any more.
    Closed(Decided),
}

/// What the appender found.
pub(crate) enum Taken {
    /// Decisions to write.
    Decided(Decided),
    /// None so far.
    Nothing,
    /// The writer has ended and nothing is left.
    Ended,
}

impl Taken {
    /// The replies of what will not be written.
    pub(crate) fn replies(self) -> Vec<SubmissionReply> {
        match self {
            Self::Decided(decided) => decided.replies,
            Self::Nothing | Self::Ended => Vec::new(),
        }
    }
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere ends the node; what was decided so far is whole, since it is only ever moved.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The generation in which the writer decides.
    pub(crate) fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// Hands decisions over; waits while the appender is a full group behind.
    pub(crate) fn hand_over(&self, decided: Decided, generation: u64) -> HandedOver {
        let mut state = self.lock();
        while state.decided.is_full() && !state.appender_gone && state.generation == generation {
            state = self
                .emptied
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.appender_gone {
            return HandedOver::Closed(decided);
        }
        if state.generation != generation {
            return HandedOver::Void(decided);
        }
        state.decided.extend(decided);
        self.filled.notify_one();
        HandedOver::Taken
    }

    /// Waits for decisions, so long at most, and takes all there are.
    pub(crate) fn take_within(&self, patience: Duration) -> Taken {
        let waiting = |state: &mut State| state.decided.is_empty() && !state.writer_gone;
        let waited = self
            .filled
            .wait_timeout_while(self.lock(), patience, waiting);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !state.decided.is_empty() {
            self.emptied.notify_one();
            return Taken::Decided(std::mem::take(&mut state.decided));
        }
        if state.writer_gone {
            Taken::Ended
        } else {
            Taken::Nothing
        }
    }

    /// Drops what waits and voids what the writer decides on top of it; returns the replies that were to go with it.
    pub(crate) fn void(&self) -> Vec<SubmissionReply> {
        let mut state = self.lock();
        state.generation += 1;
        self.emptied.notify_one();
        std::mem::take(&mut state.decided).replies
    }

    /// Says that the writer has ended.
    fn close_writer(&self) {
        self.lock().writer_gone = true;
        self.filled.notify_one();
    }

    /// Says that the appender has ended; returns the replies of what it will not write.
    pub(crate) fn close_appender(&self) -> Vec<SubmissionReply> {
        let mut state = self.lock();
        state.appender_gone = true;
        self.emptied.notify_one();
        std::mem::take(&mut state.decided).replies
    }
}

/// Held by the writer as long as it runs: however it ends, the appender does not wait for it.
pub(crate) struct WriterEnd(pub(crate) Arc<Pending>);

impl Drop for WriterEnd {
    fn drop(&mut self) {
        self.0.close_writer();
    }
}

/// Held by the appender as long as it runs: however it ends, the writer does not wait for it.
pub(crate) struct AppenderEnd(pub(crate) Arc<Pending>);

impl Drop for AppenderEnd {
    fn drop(&mut self) {
        drop(self.0.close_appender());
    }
}

#[cfg(test)]
mod tests;
