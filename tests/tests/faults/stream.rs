//! nats-server and its streams: they carry the ledger and are never believed.

use std::time::Duration;

use bytes::Bytes;
use ledger_bus::ViewBucket;
use ledger_tests::{System, VIEWS, Writers, await_that, eventually};

use crate::support::{SOON, some_events};

const REQUEST_WITHIN: Duration = Duration::from_secs(10);

/// Asks JetStream's own interface.
async fn jetstream(system: &System, request: &str, payload: &'static str) -> serde_json::Value {
    let subject = format!("$JS.API.{request}");
    let reply = system
        .bus()
        .request(&subject, Bytes::from(payload), REQUEST_WITHIN)
        .await
        .expect("an answer of JetStream");
    let answer: serde_json::Value = serde_json::from_slice(&reply.payload).expect("JSON");
    assert!(answer["error"].is_null(), "{answer}");
    answer
}

/// Publishes an event that no log holds.
async fn publish_a_stray(system: &System) {
    publish_foreign(system, Bytes::from_static(b"{\"stray\":true}")).await;
}

async fn publish_foreign(system: &System, payload: Bytes) {
    let reply = system
        .bus()
        .request("ledger.v1.event.INT.stray", payload, REQUEST_WITHIN)
        .await;
    let answer = reply.expect("an acknowledgement of the stream").payload;
    assert!(
        answer.starts_with(br#"{"stream":"LEDGER_EVENTS""#),
        "{answer:?}"
    );
}

/// How often a process said that it waits for another.
fn said_of_waiting(said: &str) -> usize {
    let waiting = ["waiting for", "not there yet", "cannot be offered yet"];
    said.lines()
        .filter(|line| waiting.iter().any(|words| line.contains(words)))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn node_and_projectors_wait_for_a_server_that_is_not_there_yet() {
    let mut system = System::with_nats_only(&[]).await;
    system.nats().stop();
    system.spawn_node();
    system.start_projectors();
    // The projectors have opened their stores; nothing more can be seen of processes that wait.
    for view in VIEWS {
        let folder = system.view_folder(view);
        await_that("a projector to wait", SOON, || folder.is_dir());
    }
    assert!(system.node().runs());
    assert!(
        !system.log_folder().exists(),
        "the log is opened only when the stream was seen"
    );
    assert!(VIEWS.iter().all(|view| system.projector(view).runs()));
    system.nats().start_again();
    system.await_node().await;
    // Each was tried several times a second.
    assert!(said_of_waiting(&system.node().stderr()) <= 2);
    assert!(
        VIEWS
            .iter()
            .all(|view| said_of_waiting(&system.projector(view).stderr()) <= 3)
    );
    system.load_reference().await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 3).await;
    system.verify().await;
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_node_and_projector_end_when_they_are_told() {
    let mut system = System::with_nats_only(&[]).await;
    system.nats().stop();
    system.spawn_node();
    system.start_projector("country");
    let folder = system.view_folder("country");
    await_that("the projector to wait", SOON, || folder.is_dir());
    system.stop_projector("country");
    assert!(system.stop_node().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_the_server_is_away() {
    let mut system = System::start_whole(&[]).await;
    let writers = Writers::start(&system, 4).await;
    for _ in 0..2 {
        let before = writers.acknowledged();
        await_that("receipts before", SOON, || {
            writers.acknowledged() > before + 50
        });
        system.nats().stop();
        let failed = writers.failures();
        await_that("a writer to notice", SOON, || writers.failures() > failed);
        system.nats().start_again();
        let during = writers.acknowledged();
        await_that("receipts after", SOON, || {
            writers.acknowledged() > during + 50
        });
    }
    let acknowledged = writers.finish().await;
    acknowledged.are_there_exactly_once(&system.log_from(0).await);
    system.verify().await;
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_lost_while_the_server_was_away_come_back_the_same() {
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 10).await;
    system.verify().await;
    system.verify_stream().await;
    let before = jetstream(&system, "STREAM.INFO.LEDGER_EVENTS", "").await;
    system.nats().wipe();
    // Nothing new is recorded: what was there comes back by itself.
    system.verify_stream().await;
    let info = jetstream(&system, "STREAM.INFO.LEDGER_EVENTS", "").await;
    assert_ne!(
        info["created"], before["created"],
        "the streams are gone: {info}"
    );
    system.verify().await;
    some_events(&system, &mut commander, 5).await;
    system.verify().await;
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_deleted_under_load_come_back_the_same() {
    let mut system = System::start_whole(&[]).await;
    // A bucket that is to be deleted is there first.
    system.await_views().await;
    let writers = Writers::start(&system, 3).await;
    for stream in ["LEDGER_EVENTS", "KV_ledger_country", "LEDGER_EVENTS"] {
        let before = writers.acknowledged();
        await_that("receipts before", SOON, || {
            writers.acknowledged() > before + 50
        });
        system.await_published().await;
        jetstream(&system, &format!("STREAM.DELETE.{stream}"), "").await;
        let during = writers.acknowledged();
        await_that("receipts after", SOON, || {
            writers.acknowledged() > during + 50
        });
    }
    let acknowledged = writers.finish().await;
    acknowledged.are_there_exactly_once(&system.log_from(0).await);
    system.verify_stream().await;
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_deleted_while_nothing_happens_come_back_the_same() {
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 5).await;
    system.verify().await;
    jetstream(&system, "STREAM.DELETE.LEDGER_EVENTS", "").await;
    for view in VIEWS {
        jetstream(&system, &format!("STREAM.DELETE.KV_ledger_{view}"), "").await;
    }
    system.verify_stream().await;
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_from_which_an_event_was_removed_is_made_whole_at_the_next_start() {
    let mut system = System::start_whole(&[]).await;
    system.await_published().await;
    assert!(system.stop_node().success());
    jetstream(&system, "STREAM.MSG.DELETE.LEDGER_EVENTS", r#"{"seq":7}"#).await;
    system.start_node().await;
    system.verify_stream().await;
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_wrote_to_a_bucket_is_gone_after_the_next_start() {
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 3).await;
    system.verify().await;
    let bucket = ViewBucket::open(system.bus(), "country").await;
    let bucket = bucket.expect("a bucket");
    let views = bucket.count().await.expect("a count");
    let forged = |key: &str| (key.to_owned(), Bytes::from_static(b"{}"));
    let put = bucket.put_all(vec![forged("XXX"), forged("KEN"), forged("a.b")]);
    put.await.expect("written");
    assert_eq!(bucket.count().await.expect("a count"), views + 2);
    system.stop_projector("country");
    system.start_projector("country");
    eventually("the buckets to hold views alone", SOON, async || {
        (bucket.count().await.ok()? == views).then_some(())
    })
    .await;
    for key in ["XXX", "a.b"] {
        assert_eq!(bucket.get(key).await.expect("an answer"), None);
    }
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_purged_or_thinned_under_a_running_node_is_made_whole() {
    let mut system = System::start_whole(&[]).await;
    system.await_published().await;
    jetstream(&system, "STREAM.PURGE.LEDGER_EVENTS", "").await;
    system.verify_stream().await;
    jetstream(&system, "STREAM.MSG.DELETE.LEDGER_EVENTS", r#"{"seq":7}"#).await;
    system.verify_stream().await;
    // No pause in which the node waits for something to publish.
    let writers = Writers::start(&system, 2).await;
    await_that("receipts", SOON, || writers.acknowledged() > 50);
    jetstream(&system, "STREAM.MSG.DELETE.LEDGER_EVENTS", r#"{"seq":9}"#).await;
    await_that("the node to notice", SOON, || {
        system.node().stderr().matches("it is made anew").count() == 3
    });
    let acknowledged = writers.finish().await;
    acknowledged.are_there_exactly_once(&system.log_from(0).await);
    system.verify_stream().await;
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_somebody_limited_keeps_every_event_again() {
    const LIMITED: &str =
        r#"{"name":"LEDGER_EVENTS","subjects":["ledger.v1.event.>"],"max_msgs":10}"#;
    let mut system = System::with_nats_only(&[]).await;
    jetstream(&system, "STREAM.CREATE.LEDGER_EVENTS", LIMITED).await;
    system.start_node().await;
    system.load_reference().await;
    system.verify_stream().await;
    let said = system.node().stderr();
    assert!(said.contains("max_msgs 10"), "{said}");
    // And under a running node.
    let now = r#"{"name":"LEDGER_EVENTS","subjects":["ledger.v1.event.>"],"max_msgs":10,"allow_direct":true}"#;
    jetstream(&system, "STREAM.UPDATE.LEDGER_EVENTS", now).await;
    system.verify_stream().await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 20).await;
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_with_another_first_event_stops_a_starting_node() {
    let mut system = System::start(&[]).await;
    let size = system.await_published().await;
    let newest = system.log_from(size - 1).await.remove(0);
    assert!(system.stop_node().success());
    jetstream(&system, "STREAM.DELETE.LEDGER_EVENTS", "").await;
    let own = r#"{"name":"LEDGER_EVENTS","subjects":["ledger.v1.event.>"]}"#;
    jetstream(&system, "STREAM.CREATE.LEDGER_EVENTS", own).await;
    for _ in 1..size {
        publish_a_stray(&system).await;
    }
    publish_foreign(&system, newest.delivered.into()).await;
    system.spawn_node();
    let (code, said) = system.node_ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("another event than the log at position 0"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ahead_of_the_log_stops_a_starting_node() {
    let mut system = System::start(&[]).await;
    let size = system.await_published().await;
    assert!(system.stop_node().success());
    publish_a_stray(&system).await;
    for _ in 0..2 {
        system.spawn_node();
        let (code, said) = system.node_ended();
        assert_eq!(code, Some(1), "{said}");
        let ends = format!(
            "LEDGER_EVENTS ends at sequence {}, but the log has only {size} events",
            size + 1
        );
        assert!(said.contains(&ends), "{said}");
    }
    // What put it ahead is taken away: the log was not touched.
    jetstream(&system, "STREAM.DELETE.LEDGER_EVENTS", "").await;
    system.start_node().await;
    assert_eq!(system.tree_size().await, size);
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_gets_ahead_of_the_log_stops_a_running_node() {
    let mut system = System::start(&[]).await;
    let size = system.await_published().await;
    publish_a_stray(&system).await;
    let (code, said) = system.node_ended();
    assert_eq!(code, Some(1), "{said}");
    let ends = format!(
        "LEDGER_EVENTS ends at sequence {}, but the log has only {size} events",
        size + 1
    );
    assert!(said.contains(&ends), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_published_ends_no_projector_and_stays_in_no_view() {
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 3).await;
    system.verify().await;
    let size = system.await_published().await;
    let newest = system.log_from(size - 1).await.remove(0);
    let newest = String::from_utf8(newest.delivered.clone()).expect("text");
    let position = |number: u64| format!(r#""position":"{number}""#);
    let forged = newest.replace(&position(size - 1), &position(size));
    assert_ne!(forged, newest);
    let unreadable = forged.replace("progress_reported", "progress_invented");
    for foreign in [newest, unreadable, forged] {
        publish_foreign(&system, foreign.into()).await;
        let (code, said) = system.node_ended();
        assert_eq!(code, Some(1), "{said}");
        jetstream(&system, "STREAM.DELETE.LEDGER_EVENTS", "").await;
        for view in VIEWS {
            let projector = system.projector(view);
            assert!(projector.runs(), "{view}: {}", projector.stderr());
        }
        system.start_node().await;
        system.await_published().await;
    }
    some_events(&system, &mut commander, 3).await;
    system.verify_stream().await;
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_ledgers_stream_stops_a_starting_node() {
    let mut system = System::start(&[]).await;
    let size = system.await_published().await;
    assert!(system.stop_node().success());
    let log = system.log_folder();
    let aside = log.with_extension("aside");
    std::fs::rename(&log, &aside).expect("the log moves");
    system.spawn_node();
    let (code, said) = system.node_ended();
    assert_eq!(code, Some(1), "{said}");
    let ends = format!("ends at sequence {size}, but the log has only 0 events");
    assert!(said.contains(&ends), "{said}");
    assert!(!log.exists(), "nothing is made where a log is missing");

    // One that is not longer than the log shows itself by its events.
    jetstream(&system, "STREAM.DELETE.LEDGER_EVENTS", "").await;
    system.start_node().await;
    assert_eq!(system.await_published().await, 1);
    assert!(system.stop_node().success());
    std::fs::remove_dir_all(&log).expect("a log to remove");
    std::fs::rename(&aside, &log).expect("the log moves back");
    system.spawn_node();
    let (code, said) = system.node_ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("another event than the log at position 0"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_node_fills_the_stream_with_what_it_had_not_published() {
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    system.await_published().await;
    assert!(system.stop_node().success());
    jetstream(&system, "STREAM.PURGE.LEDGER_EVENTS", "").await;
    system.start_node().await;
    some_events(&system, &mut commander, 3).await;
    system.verify_stream().await;
    system.verify().await;
    eventually("the head to say so", SOON, async || {
        let head = system.connection().head().await.ok()?;
        (head.published == head.tree_size).then_some(())
    })
    .await;
}
