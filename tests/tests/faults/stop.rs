//! Told to stop in the middle of everything.

use std::time::{Duration, Instant};

use ledger_bus::query::ViewQuery;
use ledger_tests::{System, Writers, await_that, eventually};

use crate::support::{SOON, some_events};

/// More than a node takes, less than what a service manager grants.
const WITHIN: Duration = Duration::from_secs(8);
/// Less than any retry or time limit, more than an answer takes on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_node_told_to_stop_under_load_ends_well_and_every_receipt_is_on_disk() {
    let mut system = System::start_whole(&[]).await;
    let writers = Writers::start(&system, 8).await;
    for _ in 0..3 {
        let before = writers.acknowledged();
        await_that("load", SOON, || writers.acknowledged() > before + 100);
        let started = Instant::now();
        let status = system.stop_node();
        assert!(status.success(), "{status}: {}", system.node().stderr());
        assert!(
            started.elapsed() < WITHIN,
            "it took {:?}",
            started.elapsed()
        );
        let failed = writers.failures();
        await_that("the writers to notice", SOON, || {
            writers.failures() > failed
        });
        system.start_node().await;
        let receipts = writers.acknowledged();
        let log = system.log_from(0).await;
        writers.receipts_hold(0..receipts, &log);
    }
    let acknowledged = writers.finish().await;
    acknowledged.are_there_exactly_once(&system.log_from(0).await);
    system.verify().await;
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_told_to_stop_goes_on_where_it_was() {
    let mut system = System::start_whole(&[]).await;
    let writers = Writers::start(&system, 2).await;
    for _ in 0..3 {
        let before = writers.acknowledged();
        await_that("load", SOON, || writers.acknowledged() > before + 50);
        system.stop_projector("country");
        system.start_projector("country");
    }
    writers.finish().await;
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_answered_while_the_node_is_away() {
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 3).await;
    system.await_views().await;
    let query = ViewQuery::default();
    let view = system.connection().view("country", "KEN", &query).await;
    let checkpoint = view.expect("a view").checkpoint;
    assert!(system.stop_node().success());
    for _ in 0..2 {
        let started = Instant::now();
        let view = system.connection().view("country", "KEN", &query).await;
        assert_eq!(view.expect("a view").checkpoint, checkpoint);
        assert!(
            started.elapsed() < AT_ONCE,
            "it took {:?}",
            started.elapsed()
        );
        // The saved views are as good as those in memory.
        system.stop_projector("country");
        system.start_projector("country");
        eventually("the projector to answer", SOON, async || {
            system.connection().projection("country").await.ok()
        })
        .await;
    }
    system.start_node().await;
    system.verify().await;
}
