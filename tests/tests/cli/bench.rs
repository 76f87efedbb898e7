//! `bench`: every measurement runs to its end and prints its figure beside its baseline. What the figures are is no test's
//! concern.

use ledger_tests::{Process, await_that, ledger, run};
use serde_json::Value;

use crate::lines;
use std::time::Duration;

/// Runs one small measurement and gives its report.
fn measured(arguments: &[&str]) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let mut command = ledger(["bench"]);
    command
        .args(arguments)
        .args(["--commands", "600", "--rounds", "1", "--json", "--dir"])
        .arg(dir.path());
    let printed = run(&mut command, b"").succeeded();
    let report = lines(&printed).remove(0);
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert!(left.is_empty(), "a measurement leaves nothing: {left:?}");
    report
}

fn assert_beside_its_echo(report: &Value) {
    let [rate, echo, ratio] =
        ["rate_per_s", "echo_per_s", "ratio_to_echo"].map(|key| report[key].as_f64().unwrap());
    assert!(rate > 0.0 && echo > 0.0, "{report}");
    assert!((ratio - rate / echo).abs() < 1e-9, "{report}");
}

#[test]
fn ingest_counts_every_command_once_however_they_are_sent() {
    let reports = [("1", 512), ("100", 16)].map(|(batch, in_flight)| {
        let report = measured(&["ingest", "--batch", batch, "--projectors"]);
        assert_beside_its_echo(&report);
        assert_eq!(report["in_flight"], in_flight);
        report
    });
    let [single, batched] = reports.map(|report| report["events"].as_u64().unwrap());
    assert_eq!(single, batched);
    // The reference catalogue, as many commands to warm up, and those that were timed.
    assert!(single > 600 + 600, "{single}");
}

#[test]
fn replay_and_rebuild_read_the_whole_log() {
    let replayed = measured(&["replay"]);
    assert_beside_its_echo(&replayed);
    assert!(replayed["root"].is_string(), "{replayed}");
    let rebuilt = measured(&["rebuild"]);
    assert_beside_its_echo(&rebuilt);
    // The same load on the same catalogue.
    assert_eq!(rebuilt["events"], replayed["events"]);
}

#[test]
fn a_measurement_that_is_told_to_end_leaves_nothing() {
    const SOON: Duration = Duration::from_secs(30);
    let dir = tempfile::tempdir().unwrap();
    let within = || std::fs::read_dir(dir.path()).unwrap().flatten();
    let mut command = ledger(["bench", "ingest", "--dir"]);
    let mut bench = Process::start("bench", command.arg(dir.path()));
    await_that("its node", SOON, || {
        assert!(bench.runs(), "{}", bench.stderr());
        within().any(|made| made.path().join("ledger/head").exists())
    });
    let status = bench.terminate(SOON);
    assert_eq!(status.code(), Some(1), "it ends by itself: {status}");
    assert_eq!(within().count(), 0);
}
