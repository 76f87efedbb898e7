//! What this process may do at this moment: whether its node holds the lease, and if not, why.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment on two clocks. A process may be stopped, a machine suspended, a virtual machine paused,
/// and not every clock goes on meanwhile: of what has passed, the longer one counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    since_boot: Duration,
    of_day: Duration,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self {
            since_boot: read(ClockId::Boottime),
            of_day: read(ClockId::Realtime),
        }
    }

    pub(crate) fn elapsed(self) -> Duration {
        let now = Self::now();
        let since_boot = now.since_boot.saturating_sub(self.since_boot);
        // Set back, it says nothing.
        since_boot.max(now.of_day.saturating_sub(self.of_day))
    }
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// A lease that was confirmed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confirmed {
    /// Before the request was sent that the server confirmed.
    pub(super) since: Moment,
    /// How long it may be relied on: less than the server keeps it.
    pub(super) lasts: Duration,
    /// The connection over which it was confirmed.
    pub(super) connection: u64,
}

impl Confirmed {
    fn left(self) -> Duration {
        self.lasts.saturating_sub(self.since.elapsed())
    }
}

#[derive(Debug, Default)]
struct Facts {
    confirmed: Option<Confirmed>,
    why_not: String,
    /// Why receipts wait although the lease is held.
    receipts_wait: Option<&'static str>,
}

/// Whether the node of this process takes commands; clones say the same.
#[derive(Clone, Debug, Default)]
pub struct LeaseStanding(Arc<Mutex<Facts>>);

impl LeaseStanding {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the node of this process takes no commands; nothing when it does, as far as the lease is
    /// concerned.
    pub fn why_not(&self) -> Option<String> {
        let facts = self.facts();
        let left = facts.confirmed.map(Confirmed::left).unwrap_or_default();
        if left.is_zero() {
            return Some(if facts.why_not.is_empty() {
                "the node is starting and does not hold the lease yet".to_owned()
            } else {
                facts.why_not.clone()
            });
        }
        facts.receipts_wait.map(str::to_owned)
    }

    /// How long the lease still lasts; nothing when it is not held.
    pub fn lease_left(&self) -> Duration {
        let confirmed = self.facts().confirmed;
        confirmed.map(Confirmed::left).unwrap_or_default()
    }

    pub(super) fn confirmed(&self) -> Option<Confirmed> {
        self.facts()
            .confirmed
            .filter(|confirmed| !confirmed.left().is_zero())
    }

    pub(super) fn confirm(&self, confirmed: Confirmed) {
        let mut facts = self.facts();
        facts.confirmed = Some(confirmed);
        "the lease has run out and could not be renewed".clone_into(&mut facts.why_not);
    }

    /// The lease is not held, or will not be renewed, for this reason.
    pub(crate) fn say(&self, why_not: String) {
        self.facts().why_not = why_not;
    }

    pub(super) fn end(&self, why_not: String) {
        let mut facts = self.facts();
        facts.confirmed = None;
        facts.why_not = why_not;
    }

    pub(crate) fn receipts_wait(&self, why: Option<&'static str>) {
        self.facts().receipts_wait = why;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirmed_ago(ago: Duration, lasts: Duration) -> Confirmed {
        let now = Moment::now();
        let since = Moment {
            since_boot: now.since_boot.saturating_sub(ago),
            ..now
        };
        Confirmed {
            since,
            lasts,
            connection: 1,
        }
    }

    const SECONDS: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn a_lease_is_held_until_it_has_run_out_and_then_it_is_said_why() {
        let standing = LeaseStanding::default();
        assert!(standing.why_not().is_some());
        standing.confirm(confirmed_ago(SECONDS(1), SECONDS(60)));
        assert_eq!(standing.why_not(), None);
        assert!(standing.lease_left() > SECONDS(50));
        standing.confirm(confirmed_ago(SECONDS(61), SECONDS(60)));
        assert!(standing.confirmed().is_none());
        assert!(standing.lease_left().is_zero());
        let why_not = standing.why_not().expect("a reason");
        assert!(why_not.contains("run out"), "{why_not}");
    }

    #[test]
    fn of_two_clocks_the_one_that_went_on_counts() {
        let now = Moment::now();
        let stopped = Moment {
            of_day: now.of_day.saturating_sub(SECONDS(30)),
            ..now
        };
        assert!(stopped.elapsed() >= SECONDS(30));
        let set_back = Moment {
            of_day: now.of_day + SECONDS(3600),
            ..now
        };
        assert!(set_back.elapsed() < SECONDS(30));
    }
}
