//! What a node counts, in the text format that Prometheus reads.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ledger_domain::wire::v1::Status;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

const CHECKPOINT_HELP: &str = "Next position a projection will fold";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProjectionLabel {
    projection: String,
}

type Size = Gauge<i64, std::sync::atomic::AtomicI64>;

/// The counts of one process; clones share them.
#[derive(Clone, Debug)]
pub struct Telemetry {
    registry: Arc<Registry>,
    commands: Family<OutcomeLabel, Counter<u64, AtomicU64>>,
    checkpoints: Family<ProjectionLabel, Size>,
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
}

impl Default for Telemetry {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("ledger");
        let commands = Family::default();
        let checkpoints = Family::default();
        let (tree_size, published, queued_bytes) =
            (Size::default(), Size::default(), Size::default());
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
        Self {
            registry: Arc::new(registry),
            commands,
            checkpoints,
            tree_size,
            published,
            queued_bytes,
            group_seconds,
            group_events,
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

    /// Counts answered commands.
    pub fn count_commands(&self, outcome: Status, count: u64) {
        let outcome = outcome.as_str();
        self.commands
            .get_or_create(&OutcomeLabel { outcome })
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

    /// Everything in the text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
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
        telemetry.set_checkpoint("country", 5);
        let text = telemetry.text();
        assert!(
            text.contains("ledger_commands_total{outcome=\"accepted\"} 3"),
            "{text}"
        );
        assert!(text.contains("ledger_tree_size 7"), "{text}");
        assert!(
            text.contains("ledger_projection_checkpoint{projection=\"country\"} 5"),
            "{text}"
        );
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
