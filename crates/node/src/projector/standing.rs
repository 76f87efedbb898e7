//! What a projector knows of the log beside what it has folded: whether its views may be shown, and how
//! far they are behind.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use ledger_bus::{BucketError, subject};
use ledger_domain::wire::v1::answer::BucketAnswer;
use ledger_domain::wire::v1::problem::Problem;
use ledger_domain::wire::v1::view::Family;

use crate::runtime::telemetry::Telemetry;

/// How long the node's word about the size of the log holds. It is asked every second.
const HEARD_HOLDS: Duration = Duration::from_secs(5);
/// What was recorded so long before the node spoke is in the size that it gave.
const RECORDED_BEFORE: TimeDelta = TimeDelta::seconds(1);

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Events on disk, as the node said or the stream showed.
    tree_size: u64,
    heard: Option<(Instant, DateTime<Utc>)>,
    /// Events that must be folded before views are shown; unknown until they were compared with the node's log. Views
    /// that begin at nothing are not shown before they have come as far as the log was then: until then they would
    /// count nothing where something was recorded.
    shown_from: Option<u64>,
    buckets: BTreeMap<&'static str, BucketAnswer>,
}

impl Standing {
    /// Notes what the node says of the size of its log.
    pub(super) fn hear(&mut self, tree_size: u64) {
        self.tree_size = tree_size;
        self.heard = Some((Instant::now(), Utc::now()));
    }

    /// Notes what the stream shows of the size of the log: it may have grown beyond that.
    pub(super) fn see(&mut self, tree_size: u64) {
        self.tree_size = self.tree_size.max(tree_size);
    }

    /// The node does not answer: how far it has come is not known.
    pub(super) fn lose(&mut self) {
        self.heard = None;
    }

    /// Events on disk, as far as is known.
    pub(super) fn tree_size(&self) -> u64 {
        self.tree_size
    }

    /// How many events the log has beyond a checkpoint, unless that is not known at this moment.
    pub(super) fn lag(&self, checkpoint: u64) -> Option<u64> {
        let (heard, _) = self.heard?;
        let holds = heard.elapsed() <= HEARD_HOLDS;
        holds.then(|| self.tree_size.saturating_sub(checkpoint))
    }

    /// The time up to which everything recorded is folded, when all that the node told of is.
    pub(super) fn settled(&self, checkpoint: u64) -> Option<DateTime<Utc>> {
        let (_, heard) = self.heard?;
        (self.tree_size <= checkpoint).then(|| heard - RECORDED_BEFORE)
    }

    /// The views are of the log that the node has: they go on from where they are.
    pub(super) fn follow_on(&mut self) {
        self.shown_from.get_or_insert(0);
    }

    /// The views begin at nothing, of the log that the node has.
    pub(super) fn begin(&mut self) {
        self.shown_from.get_or_insert(self.tree_size);
    }

    /// The views were thrown away.
    pub(super) fn forget(&mut self) {
        self.shown_from = None;
        self.buckets.clear();
    }

    /// Whether a head of the node was ever seen.
    pub(super) fn is_known(&self) -> bool {
        self.shown_from.is_some()
    }

    /// Why no view is shown; nothing when they are.
    pub(super) fn refusal(&self, checkpoint: u64) -> Option<Problem> {
        let Some(shown_from) = self.shown_from else {
            return Some(Problem::unavailable(
                "the projector has not reached the node yet and does not know what is recorded: \
                 ask again when the node runs",
            ));
        };
        (checkpoint < shown_from).then(|| {
            Problem::unavailable(format!(
                "the views are being folded from the log, {checkpoint} of {shown_from} events so far: \
                 ask again in a moment"
            ))
        })
    }

    /// The bucket of a family.
    pub(super) fn bucket(&self, family: Family) -> BucketAnswer {
        let bucket = self.buckets.get(family.name());
        bucket.cloned().unwrap_or_default()
    }

    /// Notes that bodies wait to be written to a bucket.
    pub(super) fn begin_writes(&mut self, family: Family, writes: usize, telemetry: &Telemetry) {
        let bucket = self.buckets.entry(family.name()).or_default();
        bucket.pending_writes = u64::try_from(writes).unwrap_or(u64::MAX);
        telemetry.set_bucket(family.name(), bucket);
    }

    /// Notes that a bucket holds everything up to a checkpoint.
    pub(super) fn end_writes(&mut self, family: Family, checkpoint: u64, telemetry: &Telemetry) {
        let bucket = BucketAnswer {
            checkpoint,
            ..BucketAnswer::default()
        };
        telemetry.set_bucket(family.name(), &bucket);
        self.buckets.insert(family.name(), bucket);
    }

    /// Notes why a bucket of one of these families cannot be written. All its views, as many as `views` counts, are written when it can be.
    pub(super) fn fail_writes(
        &mut self,
        families: &[Family],
        error: &BucketError,
        views: impl Fn(Family) -> usize,
        telemetry: &Telemetry,
    ) {
        let failed = families
            .iter()
            .filter(|family| subject::bucket(family.name()) == error.bucket);
        for family in failed {
            let bucket = self.buckets.entry(family.name()).or_default();
            bucket.error = Some(error.what.clone());
            let views = u64::try_from(views(*family)).unwrap_or(u64::MAX);
            bucket.pending_writes = bucket.pending_writes.max(views);
            telemetry.set_bucket(family.name(), bucket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::problem::ProblemCode;

    #[test]
    fn nothing_is_shown_and_no_lag_is_known_until_the_node_was_heard() {
        let mut standing = Standing::default();
        assert_eq!(standing.lag(0), None);
        assert_eq!(standing.settled(0), None);
        assert_eq!(
            standing.refusal(0).map(|failure| failure.code),
            Some(ProblemCode::Unavailable)
        );
        assert_eq!(
            standing.refusal(7).map(|failure| failure.code),
            Some(ProblemCode::Unavailable)
        );
        standing.hear(10);
        standing.follow_on();
        assert_eq!(standing.refusal(7), None);
        assert_eq!(standing.lag(7), Some(3));
        assert_eq!(standing.settled(7), None);
        assert!(standing.settled(10).is_some());
        standing.lose();
        assert_eq!(standing.refusal(7), None, "the views are there");
        assert_eq!((standing.lag(7), standing.settled(10)), (None, None));
    }

    #[test]
    fn views_that_begin_at_nothing_are_shown_when_they_have_come_as_far_as_the_log_was() {
        let mut standing = Standing::default();
        standing.hear(10);
        standing.begin();
        standing.hear(20);
        standing.follow_on();
        assert_eq!(
            standing.refusal(9).map(|failure| failure.code),
            Some(ProblemCode::Unavailable)
        );
        assert_eq!(standing.refusal(10), None);
        standing.forget();
        assert_eq!(
            standing.refusal(10).map(|failure| failure.code),
            Some(ProblemCode::Unavailable)
        );
    }
}
