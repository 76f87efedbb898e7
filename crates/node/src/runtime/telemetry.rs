//! What a node counts, in the text format that Prometheus reads.

mod process;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use ledger_bus::subject;
use ledger_domain::RejectionCode;
use ledger_domain::wire::v1::Status;
use ledger_domain::wire::v1::answer::BucketAnswer;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::lease::LeaseStanding;
use ledger_bus::Transport;

const CHECKPOINT_HELP: &str = "Next position a projection will fold";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProjectionLabel {
    projection: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BucketLabel {
    bucket: String,
}

/// What is counted of the buckets of views.
#[derive(Clone, Debug, Default)]
struct Buckets {
    checkpoints: Family<BucketLabel, Size>,
    pending_writes: Family<BucketLabel, Size>,
    /// Why a bucket could not be written the last time.
    errors: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Buckets {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "bucket_checkpoint",
            "Position below which a bucket has all changes of its views",
            Family::clone(&self.checkpoints),
        );
        registry.register(
            "bucket_pending_writes",
            "Changed views that are not written to their bucket yet",
            Family::clone(&self.pending_writes),
        );
    }
}

type Size = Gauge<i64, std::sync::atomic::AtomicI64>;
type Seconds = Gauge<f64, AtomicU64>;

/// The counts of one process; clones share them.
#[derive(Clone, Debug)]
pub struct Telemetry {
    registry: Arc<Registry>,
    commands: Family<OutcomeLabel, Counter<u64, AtomicU64>>,
    rejections: Family<CodeLabel, Counter<u64, AtomicU64>>,
    checkpoints: Family<ProjectionLabel, Size>,
    buckets: Buckets,
    /// Whether `JetStream` takes what it is given.
    pub transport: Transport,
    /// Bytes free on the log's disk.
    pub free_bytes: Size,
    /// Bytes below which commands are refused.
    pub free_floor_bytes: Size,
    /// 1 while commands are taken.
    pub ready: Size,
    /// Seconds by which the clock ran ahead of the time that has passed since the start.
    pub clock_ahead: Size,
    /// Seconds by which the clock is behind the newest event.
    pub clock_behind: Size,
    /// Events on disk.
    pub tree_size: Size,
    /// Events in the stream `LEDGER_EVENTS`.
    pub published: Size,
    /// Bytes of submissions received and not yet answered.
    pub queued_bytes: Size,
    /// Seconds from taking a group to its sync.
    pub group_seconds: Histogram,
    /// Events in a group.
    pub group_events: Histogram,
    /// Whether the node of this process holds the lease.
    pub lease: LeaseStanding,
    lease_held: Size,
    lease_seconds: Seconds,
}

impl Default for Telemetry {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("ledger");
        let commands = Family::default();
        let checkpoints = Family::default();
        let buckets = Buckets::default();
        buckets.register(&mut registry);
        let (tree_size, published, queued_bytes) =
            (Size::default(), Size::default(), Size::default());
        let standing = Standing::register(&mut registry);
        let rejections = Family::default();
        registry.register(
            "rejections",
            "Commands refused, by the code of the refusal",
            Family::clone(&rejections),
        );
        let (lease_held, lease_seconds) = (Size::default(), Seconds::default());
        let group_seconds = Histogram::new(exponential_buckets(0.000_1, 2.0, 16));
        let group_events = Histogram::new(exponential_buckets(1.0, 2.0, 15));
        registry.register(
            "commands",
            "Commands answered, by what became of them",
            Family::clone(&commands),
        );
        registry.register(
            "projection_checkpoint",
            CHECKPOINT_HELP,
            Family::clone(&checkpoints),
        );
        registry.register("tree_size", "Events on disk", tree_size.clone());
        registry.register(
            "published_size",
            "Events in the stream LEDGER_EVENTS",
            published.clone(),
        );
        registry.register(
            "queued_bytes",
            "Bytes of memory that submissions not yet answered take",
            queued_bytes.clone(),
        );
        registry.register(
            "group_commit_seconds",
            "Time from taking a group to its sync",
            group_seconds.clone(),
        );
        registry.register(
            "group_commit_events",
            "Events in a group commit",
            group_events.clone(),
        );
        registry.register(
            "lease_held",
            "1 while this node holds the lease without which it takes no commands",
            lease_held.clone(),
        );
        registry.register(
            "lease_left_seconds",
            "Time for which this node may still rely on its lease",
            lease_seconds.clone(),
        );
        Self {
            registry: Arc::new(registry),
            commands,
            rejections,
            checkpoints,
            buckets,
            transport: Transport::default(),
            free_bytes: standing.free_bytes,
            free_floor_bytes: standing.free_floor_bytes,
            ready: standing.ready,
            clock_ahead: standing.clock_ahead,
            clock_behind: standing.clock_behind,
            tree_size,
            published,
            queued_bytes,
            group_seconds,
            group_events,
            lease: LeaseStanding::default(),
            lease_held,
            lease_seconds,
        }
    }
}

/// How a node stands, as it looks at itself every second.
struct Standing {
    free_bytes: Size,
    free_floor_bytes: Size,
    ready: Size,
    clock_ahead: Size,
    clock_behind: Size,
}

impl Standing {
    fn register(registry: &mut Registry) -> Self {
        let mut gauge = |name: &str, help: &str| {
            let gauge = Size::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        Self {
            free_bytes: gauge("free_bytes", "Bytes free on the disk of the log"),
            free_floor_bytes: gauge(
                "free_floor_bytes",
                "Free bytes below which commands are refused",
            ),
            ready: gauge("ready", "1 while commands are taken, else 0"),
            clock_ahead: gauge(
                "clock_ahead_seconds",
                "Seconds by which the clock ran ahead of the time that has passed since the start; negative when it is behind",
            ),
            clock_behind: gauge(
                "clock_behind_seconds",
                "Seconds by which the clock is behind the newest event",
            ),
        }
    }
}

impl Telemetry {
    /// The counts of a process that is a projector and nothing else: those of a node would only stand there as zeros.
    pub fn of_projector() -> Self {
        let counts = Self::default();
        let mut registry = Registry::with_prefix("ledger");
        registry.register(
            "projection_checkpoint",
            CHECKPOINT_HELP,
            Family::clone(&counts.checkpoints),
        );
        counts.buckets.register(&mut registry);
        Self {
            registry: Arc::new(registry),
            ..counts
        }
    }

    /// How far a projection of this process has come; 0 until it has looked at the log.
    pub fn checkpoint(&self, projection: &str) -> u64 {
        let label = ProjectionLabel {
            projection: projection.to_owned(),
        };
        let checkpoint = self.checkpoints.get_or_create(&label).get();
        u64::try_from(checkpoint).unwrap_or(0)
    }

    /// How far the bucket of a projection of this process has come, or why it cannot be written.
    ///
    /// # Errors
    /// The reason, in the server's or client's words.
    pub fn bucket_checkpoint(&self, projection: &str) -> Result<u64, String> {
        let bucket = subject::bucket(projection);
        let errors = &self.buckets.errors;
        let errors = errors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = errors.get(&bucket) {
            return Err(error.clone());
        }
        let label = BucketLabel { bucket };
        let checkpoint = self.buckets.checkpoints.get_or_create(&label).get();
        Ok(u64::try_from(checkpoint).unwrap_or(0))
    }

    /// Notes how far the bucket of a projection has come.
    pub(crate) fn set_bucket(&self, projection: &str, state: &BucketAnswer) {
        let bucket = subject::bucket(projection);
        let label = BucketLabel {
            bucket: bucket.clone(),
        };
        let Buckets {
            checkpoints,
            pending_writes,
            errors,
        } = &self.buckets;
        checkpoints
            .get_or_create(&label)
            .set(gauge_value(state.checkpoint));
        pending_writes
            .get_or_create(&label)
            .set(gauge_value(state.pending_writes));
        let mut errors = errors.lock().unwrap_or_else(PoisonError::into_inner);
        match &state.error {
            Some(error) => errors.insert(bucket, error.clone()),
            None => errors.remove(&bucket),
        };
    }

    /// Counts answered commands.
    pub fn count_commands(&self, outcome: Status, count: u64) {
        let outcome = outcome.as_str();
        self.commands
            .get_or_create(&OutcomeLabel { outcome })
            .inc_by(count);
    }

    /// Counts refused commands of a code.
    pub fn count_rejections(&self, code: RejectionCode, count: u64) {
        let code = code.as_str();
        self.rejections
            .get_or_create(&CodeLabel { code })
            .inc_by(count);
    }

    /// Notes how far a projection has come.
    pub fn set_checkpoint(&self, projection: &str, checkpoint: u64) {
        let label = ProjectionLabel {
            projection: projection.to_owned(),
        };
        self.checkpoints
            .get_or_create(&label)
            .set(gauge_value(checkpoint));
    }

    /// Everything in `OpenMetrics`, with what the system says of the process.
    pub fn text(&self) -> String {
        let left = self.lease.lease_left();
        self.lease_held.set(i64::from(!left.is_zero()));
        if self.lease.why_not().is_some() {
            self.ready.set(0);
        }
        self.lease_seconds.set(left.as_secs_f64());
        let mut text = String::new();
        let encoded = encode_registry(&mut text, &process::registry())
            .and_then(|()| encode(&mut text, &self.registry));
        match encoded {
            Ok(()) => text,
            Err(error) => format!("# metrics could not be written: {error}\n"),
        }
    }
}

/// A size as a gauge takes it.
pub(crate) fn gauge_value(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_in_the_text() {
        let telemetry = Telemetry::default();
        telemetry.count_commands(Status::Accepted, 3);
        telemetry.tree_size.set(gauge_value(7));
        telemetry.count_rejections(RejectionCode::StorageFull, 2);
        telemetry.free_bytes.set(11);
        telemetry.set_checkpoint("country", 5);
        let text = telemetry.text();
        assert!(
            text.contains("ledger_commands_total{outcome=\"accepted\"} 3"),
            "{text}"
        );
        assert!(text.contains("ledger_tree_size 7"), "{text}");
        assert!(text.contains("ledger_lease_held 0"), "{text}");
        assert!(text.contains("ledger_lease_left_seconds 0.0"), "{text}");
        assert!(
            text.contains("ledger_rejections_total{code=\"storage_full\"} 2"),
            "{text}"
        );
        assert!(text.contains("ledger_free_bytes 11"), "{text}");
        assert!(
            text.contains("ledger_projection_checkpoint{projection=\"country\"} 5"),
            "{text}"
        );
    }

    #[test]
    fn the_process_and_the_build_are_in_the_text_and_it_ends_once() {
        for telemetry in [Telemetry::default(), Telemetry::of_projector()] {
            let text = telemetry.text();
            for sample in [
                "process_cpu_seconds_total ",
                "process_resident_memory_bytes ",
                "process_virtual_memory_bytes ",
                "process_start_time_seconds ",
                "process_open_fds ",
                "process_max_fds ",
                "process_threads ",
            ] {
                let line = text.lines().find_map(|line| line.strip_prefix(sample));
                let value = line.and_then(|value| value.parse::<f64>().ok());
                assert!(value.is_some_and(|value| value > 0.0), "{sample}: {text}");
            }
            let version = env!("CARGO_PKG_VERSION");
            let build = format!("ledger_build_info{{version=\"{version}\",");
            assert!(text.contains(&build), "{text}");
            assert_eq!(text.matches("# EOF").count(), 1);
            assert!(text.ends_with("# EOF\n"));
        }
    }

    #[test]
    fn a_bucket_shows_its_position_what_it_waits_for_and_why() {
        let telemetry = Telemetry::of_projector();
        let mut state = BucketAnswer {
            checkpoint: 7,
            pending_writes: 3,
            error: Some("no room".to_owned()),
        };
        telemetry.set_bucket("country", &state);
        assert_eq!(
            telemetry.bucket_checkpoint("country"),
            Err("no room".to_owned())
        );
        let text = telemetry.text();
        for sample in [
            "ledger_bucket_checkpoint{bucket=\"ledger_country\"} 7",
            "ledger_bucket_pending_writes{bucket=\"ledger_country\"} 3",
        ] {
            assert!(text.contains(sample), "{text}");
        }
        state.error = None;
        telemetry.set_bucket("country", &state);
        assert_eq!(telemetry.bucket_checkpoint("country"), Ok(7));
    }

    #[test]
    fn a_projector_shows_its_own_counts_only() {
        let telemetry = Telemetry::of_projector();
        assert_eq!(telemetry.checkpoint("country"), 0);
        telemetry.set_checkpoint("country", 5);
        assert_eq!(telemetry.checkpoint("country"), 5);
        let text = telemetry.text();
        assert!(text.contains("ledger_projection_checkpoint{"), "{text}");
        assert!(!text.contains("ledger_tree_size"), "{text}");
    }
}
