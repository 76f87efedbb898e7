//! Partners and callers who send more than they read.

use ledger_domain::wire::v1::endpoint::{Endpoint, LogEndpoint};
use ledger_domain::wire::v1::problem::ProblemCode;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use ledger_bus::{Bus, CommandSender, RequestError, subject};
use ledger_tests::{Process, System, await_that, eventually, free_port};
use serde_json::{Value, json};

use crate::support::{SOON, some_events};

/// What a node takes to stop at the most, on a busy machine.
const WITHIN: Duration = Duration::from_secs(8);

/// The most memory that a process had so far.
fn peak_mib(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()));
    let status = status.expect("a running process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|rest| rest.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") >> 10
}

/// Sends messages and reads no answer.
async fn flood(bus: &Bus, subject: String, payload: &Bytes, count: u64) {
    let (sender, inbox) = CommandSender::open_on(bus, subject).await.expect("sender");
    drop(inbox);
    for token in 0..count {
        sender.send(token, payload.clone()).await.expect("sent");
    }
    bus.flush().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_request_over_http_does_not_hold_up_the_end() {
    let mut system = System::with_nats_only(&[]).await;
    let http = format!("127.0.0.1:{}", free_port());
    system.set_node_arguments(&["--http", &http]);
    system.start_node().await;
    let mut half = TcpStream::connect(&http).expect("a connection");
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        .expect("sent");
    let status = system.node().terminate(WITHIN);
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_take_no_memory_and_keep_nobody_waiting() {
    let mut system = System::start(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    for _ in 0..4 {
        let commands: Vec<_> = (0..1_000)
            .map(|_| commander.record(&["GCM-01"]).1)
            .collect();
        system.accepted(&commands).await;
    }
    let before = peak_mib(system.node());
    let other = system.another_bus().await;
    let query = Bytes::from_static(br#"{"from":0,"country":"KEN","max_bytes":2000000}"#);
    for _ in 0..5 {
        flood(
            &other,
            subject::query(LogEndpoint::Replay.spec(), ""),
            &query,
            600,
        )
        .await;
        // Neither another kind of question nor a command waits behind them.
        system
            .bus()
            .head(Duration::from_secs(5))
            .await
            .expect("a head");
        system.accepted(&[commander.record(&["GCM-02"]).1]).await;
    }
    let after = peak_mib(system.node());
    assert!(after < before + 192, "{before} MiB became {after} MiB");
    let replay = subject::query(LogEndpoint::Replay.spec(), "");
    let long = Bytes::from(vec![b' '; 1 << 20]);
    let answer = eventually("an answer", SOON, async || {
        let asked = system
            .bus()
            .request(&replay, long.clone(), Duration::from_secs(5));
        asked.await.err()
    });
    let refused = answer.await;
    assert!(
        matches!(&refused, RequestError::Refused(problem) if problem.code == ProblemCode::BadQuery),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_answered_soon_after_a_flood_of_bad_ones() {
    let system = System::start(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    let bad = Bytes::from(format!("[{}]", vec!["{}"; 1_000].join(",")));
    let other = system.another_bus().await;
    flood(&other, subject::command("tester"), &bad, 5_000).await;
    let receipts = system
        .ask("tester", commander.record(&["GCM-01"]).1.encode())
        .await;
    assert_eq!(receipts.len(), 1, "taken or refused as busy, but answered");
}

/// Bounds the event stream, or lifts the bound with -1, as an operator could.
async fn bound_stream(bus: &Bus, max_bytes: i64) {
    let ask = async |action: &str, payload: Vec<u8>| -> Value {
        let api = format!("$JS.API.STREAM.{action}.{}", subject::EVENT_STREAM);
        let reply = bus.request(&api, payload.into(), WITHIN).await;
        serde_json::from_slice(&reply.expect("a reply").payload).expect("JSON")
    };
    let mut config = ask("INFO", Vec::new()).await["config"].take();
    config["max_bytes"] = json!(max_bytes);
    config["discard"] = json!("new");
    let updated = ask("UPDATE", config.to_string().into_bytes()).await;
    assert!(updated["error"].is_null(), "{updated}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_takes_no_more_is_said_with_its_reason_once() {
    let mut system = System::start(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 2).await;
    system.await_published().await;
    bound_stream(system.bus(), 1).await;
    some_events(&system, &mut commander, 4).await;
    await_that("the reason", SOON, || {
        system.node().stderr().contains("maximum bytes exceeded")
    });
    // That it is not said again shows in nothing but time: so many attempts as two seconds have.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let said = system.node().stderr();
    for line in ["publishing was interrupted", "filling the event stream"] {
        assert!(said.matches(line).count() <= 2, "{said}");
    }
    bound_stream(system.bus(), -1).await;
    system.await_published().await;
    await_that("the end of it", SOON, || {
        system.node().stderr().contains("publishing goes on")
    });
    system.verify_stream().await;
}
