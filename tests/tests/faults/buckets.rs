//! JetStream that takes nothing more, and a nats-server that takes small messages only.

use ledger_domain::wire::v1::view::Family;
use ledger_domain::wire::v1::view::ViewKey;
use std::time::Duration;

use bytes::Bytes;
use ledger_client::audit::{self, ViewDifference};
use ledger_domain::wire::v1::Stage;
use ledger_domain::wire::v1::query::ViewQuery;
use ledger_tests::{System, TestNats, Up, VIEWS, eventually, free_port, get};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{SOON, some_events};

const REQUEST_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_cannot_be_written_is_not_ready_and_no_audit_agrees_until_it_can() {
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 3).await;
    system.verify().await;
    let http = format!("127.0.0.1:{}", free_port());
    system.start_projector_with("country", &["--http", &http]);
    let ready = || get(&http, "/readyz").ok();
    eventually("readiness", SOON, async || {
        (ready()?.status == 200).then_some(())
    })
    .await;

    // No more than they have by now.
    let held = system.nats().stream_bytes();
    system.nats().bound_streams(Some(held));
    let bus = system.bus().clone();
    // The control: JetStream refuses a write.
    eventually("JetStream to be full", SOON, async || {
        some_events(&system, &mut commander, 5).await;
        let subject = "$KV.ledger_country.KEN".to_owned();
        let filler = Bytes::from(vec![b'x'; 64 << 10]);
        let reply = bus.request(&subject, filler, REQUEST_WITHIN).await.ok()?;
        let reply = String::from_utf8_lossy(&reply.payload).into_owned();
        reply.contains("\"error\":").then_some(())
    })
    .await;
    let not_ready = eventually("it not to be ready", SOON, async || {
        let ready = ready()?;
        (ready.status == 503 && ready.body.contains("bucket")).then_some(ready.body)
    })
    .await;
    let size = system.tree_size().await;
    let country = system.connection().projection(Family::Country).await;
    let bucket = country.expect("an answer").bucket.expect("a bucket");
    assert!(
        bucket.checkpoint < size && bucket.error.is_some() && bucket.pending_writes > 0,
        "{bucket:?}"
    );
    let metrics = get(&http, "/metrics").expect("metrics").body;
    let sample = "ledger_bucket_checkpoint{bucket=\"ledger_country\"} ";
    let position = metrics.lines().find_map(|line| line.strip_prefix(sample));
    let position: u64 = position.expect("a position").parse().expect("a number");
    assert!(position < size, "{metrics}");
    assert!(metrics.contains("ledger_bucket_pending_writes{bucket=\"ledger_country\"} "));
    // What is folded is served all the same, to the newest event.
    system.await_views().await;
    let report = audit::verify(system.connection(), None, |_| {}).await;
    let report = report.expect("a log that agrees with itself");
    assert!(!report.agrees(), "{not_ready} {report:?}");
    let differences = &report.projections[0].differences;
    assert!(
        differences.iter().any(|difference| matches!(
            difference,
            ViewDifference::BucketBody { .. }
                | ViewDifference::BucketMissing { .. }
                | ViewDifference::BucketUnread { .. }
        )),
        "{differences:?}"
    );
    // Attempts go on all the time; a reason is said once, then at growing intervals.
    for view in VIEWS {
        let said = system.projector(view).stderr();
        let lines = said.matches("following the log was interrupted").count();
        assert!((1..=12).contains(&lines), "{view}: {said}");
    }

    system.nats().bound_streams(None);
    eventually("readiness", SOON, async || {
        (ready()?.status == 200).then_some(())
    })
    .await;
    system.verify().await;
    system.verify_stream().await;
}

/// The process of nats-server under `up`.
fn child_of(up: &Up) -> Option<i32> {
    let config = up.data().join("nats/nats-server.conf");
    let config = config.canonicalize().ok()?;
    let config = config.to_str()?.to_owned();
    std::fs::read_dir("/proc").ok()?.find_map(|entry| {
        let entry = entry.ok()?;
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let arguments = std::fs::read(entry.path().join("cmdline")).ok()?;
        let arguments = String::from_utf8_lossy(&arguments).into_owned();
        arguments
            .split('\0')
            .any(|argument| argument == config)
            .then_some(pid)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn up_starts_its_server_again_when_jetstream_takes_nothing_although_there_is_room() {
    let up = Up::start(&["--no-demo"]);
    let child = child_of(&up).expect("a nats-server");
    // JetStream is turned off, as the server itself does when its disk is full.
    let config = up.data().join("nats/nats-server.conf");
    let text = std::fs::read_to_string(&config).expect("a configuration");
    let (without, _) = text.split_once("jetstream").expect("its streams");
    std::fs::write(&config, without).expect("written");
    let pid = Pid::from_raw(child).expect("a process id");
    kill_process(pid, Signal::HUP).expect("signalled");
    let options = ledger_bus::BusOptions::service(up.nats_url(), "test");
    let bus = ledger_bus::Bus::connect(&options).await.expect("a bus");
    let jetstream = async || {
        let asked = bus.request("$JS.API.INFO", Bytes::new(), REQUEST_WITHIN);
        let reply = asked.await.ok()?;
        let reply = String::from_utf8_lossy(&reply.payload).into_owned();
        (!reply.contains("\"error\":")).then_some(())
    };
    // The control: the server is there, and has no JetStream.
    eventually("JetStream to be off", SOON, async || {
        jetstream().await.is_none().then_some(())
    })
    .await;
    assert_eq!(child_of(&up), Some(child));
    eventually("JetStream to be back", Duration::from_mins(2), jetstream).await;
    assert_ne!(child_of(&up), Some(child));
    eventually("readiness", SOON, async || {
        (up.get("/readyz").status == 200).then_some(())
    })
    .await;
    up.cli(["audit", "verify"], b"").succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_of_a_ledger_whose_server_takes_small_messages_is_answered_in_pages() {
    const MAX_PAYLOAD: u32 = 1 << 20;
    const REPORTS: u16 = 40;
    let mut nats = TestNats::start();
    nats.take_messages_of(MAX_PAYLOAD);
    let mut system = System::with_nats(nats, &[]).await;
    system.start_node().await;
    system.load_reference().await;
    system.start_projectors();
    let mut commander = system.reporter("tester", &["KEN"]).await;
    let (commitment, record) = commander.record(&["GCM-06f"]);
    system.accepted(&[record]).await;
    for number in 0..REPORTS {
        let mut report = commander.report(commitment, 1, Stage::InProgress);
        if let ledger_domain::wire::v1::CommandBody::ReportProgress(report) = &mut report.body {
            // Text that hardly compresses, in characters that a narrative may have.
            report.narrative = Some(babble(u64::from(number), 32_000));
            let year = (1980 + number).to_string();
            report.period.from = year.parse().expect("a year");
            report.period.to = report.period.from;
        }
        system.accepted(&[report]).await;
    }
    assert_eq!(system.bus().max_payload(), 1 << 20, "the control");
    let id = commitment.to_string();
    let history = system.connection().commitment(&id, None);
    let history = history.await.expect("a history");
    assert_eq!(history.events.len(), usize::from(REPORTS) + 1);
    for view in VIEWS {
        let said = system.projector(view).stderr();
        assert!(said.contains("max_payload: 8MB"), "{said}");
    }
    let said = system.node().stderr();
    assert!(said.contains("max_payload: 8MB"), "{said}");
    let query = ViewQuery {
        limit: 200,
        ..ViewQuery::default()
    };
    let view = system
        .connection()
        .view(&ViewKey::Country("KEN".to_owned()), &query)
        .await;
    view.expect("a view");
    system.verify().await;
}

/// Letters in no order, as text.
fn babble(seed: u64, letters: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut text = String::with_capacity(letters);
    while text.len() < letters {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let letter = b'a' + u8::try_from(state % 26).expect("a letter");
        text.push(if state.is_multiple_of(7) {
            ' '
        } else {
            char::from(letter)
        });
    }
    text
}
