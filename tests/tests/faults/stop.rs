//! Told to stop in the middle of everything.

use ledger_domain::wire::v1::problem::ProblemCode;
use ledger_domain::wire::v1::view::ViewKey;
use std::time::{Duration, Instant};

use ledger_bus::QueryError;
use ledger_bus::RequestError;
use ledger_domain::wire::v1::query::{ViewQuery, WatchQuery};
use ledger_tests::{System, VIEWS, Writers, await_that, eventually, family, free_port, get, run};

use rustix::process::{Pid, Signal, kill_process};

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

/// Sends a signal again and again until the node has ended.
fn signalled_until_it_ends(system: &mut System, signals: &[Signal]) -> std::process::ExitStatus {
    let node = system.node();
    let mut next = signals.iter().cycle();
    await_that("the node to end", SOON, || {
        for signal in next.by_ref().take(signals.len()) {
            node.signal(*signal);
        }
        !node.runs()
    });
    node.wait(SOON)
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_it_is_told_to_stop_in_a_moment_a_node_ends_in_order() {
    let mut system = System::start_whole(&[]).await;
    let writers = Writers::start(&system, 8).await;
    let before = writers.acknowledged();
    await_that("load", SOON, || writers.acknowledged() > before + 100);
    let status = signalled_until_it_ends(&mut system, &[Signal::TERM]);
    assert!(status.success(), "{status}: {}", system.node().stderr());
    let said = system.node().stderr();
    assert!(!said.contains("at once"), "{said}");
    system.start_node().await;
    let acknowledged = writers.finish().await;
    acknowledged.are_there_exactly_once(&system.log_from(0).await);
    // One wish that comes as two signals of two kinds, as a terminal and a manager send it together.
    system.node().signal(Signal::INT);
    system.node().signal(Signal::INT);
    system.node().signal(Signal::TERM);
    let status = system.node().wait(SOON);
    assert!(status.success(), "{status}: {}", system.node().stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_ends_a_node_that_cannot_end_in_order() {
    let mut system = System::start_whole(&[]).await;
    // A server that does not answer holds up the end.
    let halted = system.nats().process_id().expect("a running nats-server");
    let halted = Pid::from_raw(i32::try_from(halted).expect("a pid")).expect("a pid");
    kill_process(halted, Signal::STOP).expect("nats-server is halted");
    let started = Instant::now();
    let status = signalled_until_it_ends(&mut system, &[Signal::INT]);
    kill_process(halted, Signal::CONT).expect("nats-server goes on");
    assert_eq!(status.code(), Some(1), "{}", system.node().stderr());
    assert!(started.elapsed() > Duration::from_secs(1));
    let said = system.node().stderr();
    assert!(said.contains("interrupted again"), "{said}");
    system.start_node().await;
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
    let view = system
        .connection()
        .view(&ViewKey::Country("KEN".to_owned()), &query)
        .await;
    let checkpoint = view.expect("a view").checkpoint;
    assert!(system.stop_node().success());
    let started = Instant::now();
    let view = system
        .connection()
        .view(&ViewKey::Country("KEN".to_owned()), &query)
        .await;
    assert_eq!(view.expect("a view").checkpoint, checkpoint);
    assert!(
        started.elapsed() < AT_ONCE,
        "it took {:?}",
        started.elapsed()
    );
    // How far the log has come is not known any more, which is not the same as no lag.
    eventually("the lag to be unknown", SOON, async || {
        let view = system
            .connection()
            .view(&ViewKey::Country("KEN".to_owned()), &query)
            .await;
        let json: serde_json::Value = serde_json::from_slice(&view.ok()?.json).ok()?;
        assert!(json["view"]["position"].is_string(), "{json}");
        json.get("lag_events").is_none().then_some(())
    })
    .await;
    system.start_node().await;
    system.verify().await;
}

/// The code of a refusal.
fn code<T>(answer: &Result<T, QueryError>) -> Option<ProblemCode> {
    match answer {
        Err(QueryError::Request(RequestError::Refused(problem))) => Some(problem.code),
        Ok(_) | Err(_) => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_has_not_reached_the_node_shows_nothing_as_the_truth() {
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 3).await;
    system.await_views().await;
    assert!(system.stop_node().success());
    for view in VIEWS {
        system.stop_projector(view);
    }
    // One that has saved views, one that has none, and one whose views are of a log that it cannot compare them with.
    std::fs::remove_dir_all(system.view_folder("action")).expect("views to remove");
    let ports = VIEWS.map(|_| format!("127.0.0.1:{}", free_port()));
    for (view, http) in VIEWS.into_iter().zip(&ports) {
        system.start_projector_with(view, &["--http", http]);
    }
    let connection = system.connection().clone();
    let query = ViewQuery::default();
    for (view, key) in [
        ("country", "KEN"),
        ("action", "GCM-01"),
        ("summary", "summary"),
        ("summary", "gaps"),
        ("summary", "partner.tester"),
    ] {
        let what = format!("{view} {key} to be refused");
        let key = &ViewKey::read(key).expect("a key");
        eventually(&what, SOON, async || {
            let answer = connection.view(key, &query).await;
            assert!(answer.is_err(), "{view} {key}");
            (code(&answer) == Some(ProblemCode::Unavailable)).then_some(())
        })
        .await;
        let past = ViewQuery {
            as_of: Some("1".to_owned()),
            ..ViewQuery::default()
        };
        assert_eq!(
            code(&connection.view(key, &past).await),
            Some(ProblemCode::Unavailable)
        );
        let since = ViewQuery {
            since: Some("1".to_owned()),
            limit: 5,
            ..ViewQuery::default()
        };
        assert_eq!(
            code(&connection.view(key, &since).await),
            Some(ProblemCode::Unavailable)
        );
        assert_eq!(
            code(&connection.projection(family(view)).await),
            Some(ProblemCode::Unavailable)
        );
    }
    assert_eq!(
        code(&connection.watch(&WatchQuery::default()).await),
        Some(ProblemCode::Unavailable)
    );
    for http in &ports {
        let ready = get(http, "/readyz").expect("an answer");
        assert_eq!(ready.status, 503, "{ready:?}");
    }
    for arguments in [
        ["country", "KEN"].as_slice(),
        &["summary"],
        &["gaps"],
        &["watch", "overdue"],
        &["action", "GCM-01"],
        &["diff", "--country", "KEN", "--from", "1"],
        &["--json", "summary"],
    ] {
        let ran = run(system.ledger([]).args(arguments), b"");
        assert_eq!(ran.status.code(), Some(3), "{arguments:?}: {ran:?}");
        assert!(ran.stdout.is_empty(), "{arguments:?}: {ran:?}");
    }
    system.start_node().await;
    system.verify().await;
    for http in &ports {
        eventually("readiness", SOON, async || {
            (get(http, "/readyz").ok()?.status == 200).then_some(())
        })
        .await;
    }
}
