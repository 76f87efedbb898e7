//! What the system says of this process, under the names that Prometheus' own clients use
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>), and the build.

use std::fs;
use std::sync::atomic::AtomicU64;

use ledger_domain::RULES_VERSION;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use rustix::process::{Resource, getrlimit};

/// Ticks of the clock that `/proc` counts in: 100 a second on every machine that this program is built for.
const TICKS_PER_SECOND: f64 = 100.0;

/// A registry with the figures of this moment; what the system does not say is left out.
pub(super) fn registry() -> Registry {
    let mut registry = Registry::default();
    let build = vec![
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("rulesversion", RULES_VERSION.to_string()),
    ];
    registry.register(
        "ledger_build",
        "Version of the program and of the rules that it decides by",
        Info::new(build),
    );
    let mut gauge = |name: &str, help: &str, value: Option<f64>| {
        if let Some(value) = value {
            let gauge = Gauge::<f64, AtomicU64>::default();
            gauge.set(value);
            registry.register(name, help, gauge);
        }
    };
    let figures = Figures::read();
    let figure = |of: fn(&Figures) -> f64| figures.as_ref().map(of);
    gauge(
        "process_resident_memory_bytes",
        "Resident memory size in bytes",
        figure(|figures| figures.resident_bytes),
    );
    gauge(
        "process_virtual_memory_bytes",
        "Virtual memory size in bytes",
        figure(|figures| figures.virtual_bytes),
    );
    gauge(
        "process_threads",
        "Threads of the process",
        figure(|figures| figures.threads),
    );
    gauge(
        "process_start_time_seconds",
        "Start time of the process since the Unix epoch in seconds",
        figures
            .as_ref()
            .and_then(|figures| Some(boot_time()? + figures.started_seconds)),
    );
    gauge(
        "process_open_fds",
        "Open file descriptors",
        fs::read_dir("/proc/self/fd")
            .ok()
            .map(|open| count(open.count())),
    );
    // The system writes no limit as the largest number.
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    gauge(
        "process_max_fds",
        "Most open file descriptors",
        Some(number(limit)),
    );
    if let Some(figures) = figures {
        let cpu = Counter::<f64, AtomicU64>::default();
        cpu.inc_by(figures.cpu_seconds);
        registry.register_with_unit(
            "process_cpu",
            "User and system CPU time spent in seconds",
            Unit::Seconds,
            cpu,
        );
    }
    registry
}

/// What `/proc/self/stat` and `/proc/self/status` say (`proc_pid_stat(5)`, `proc_pid_status(5)`).
struct Figures {
    cpu_seconds: f64,
    threads: f64,
    /// Since the system was started.
    started_seconds: f64,
    virtual_bytes: f64,
    resident_bytes: f64,
}

impl Figures {
    fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        Self::parse(&stat, &fs::read_to_string("/proc/self/status").ok()?)
    }

    fn parse(stat: &str, status: &str) -> Option<Self> {
        // The name, in parentheses, may hold anything: what is counted begins after it, with the third field.
        let (_, fields) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        let field = |number: usize| {
            fields
                .get(number - 3)?
                .parse::<u64>()
                .ok()
                .map(self::number)
        };
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kib = line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?;
            Some(self::number(kib.saturating_mul(1024)))
        };
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) / TICKS_PER_SECOND,
            threads: field(20)?,
            started_seconds: field(22)? / TICKS_PER_SECOND,
            virtual_bytes: bytes("VmSize:")?,
            resident_bytes: bytes("VmRSS:")?,
        })
    }
}

/// When the system was started, since the Unix epoch.
fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

fn count(size: usize) -> f64 {
    number(u64::try_from(size).unwrap_or(u64::MAX))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the format has numbers of 64 bits in floating point"
)]
fn number(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_found_behind_whatever_the_process_is_called() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 1000 4096000 25 \
                    18446744073709551615 1";
        let status = "Name:\ta\nVmSize:\t    4000 kB\nVmRSS:\t     100 kB\n";
        let figures = Figures::parse(stat, status).expect("figures");
        let close = |found: f64, right: f64| (found - right).abs() < 1e-9;
        assert!(close(figures.cpu_seconds, 3.0));
        assert!(close(figures.threads, 9.0));
        assert!(close(figures.started_seconds, 10.0));
        assert!(close(figures.virtual_bytes, 4_096_000.0));
        assert!(close(figures.resident_bytes, 102_400.0));
        assert!(Figures::parse("7 (a) S 1", status).is_none());
        assert!(Figures::parse("", "").is_none());
    }
}
