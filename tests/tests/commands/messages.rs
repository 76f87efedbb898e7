//! Messages of several commands, of too many, and without a way back.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use ledger_bus::{CommandSender, SendError};
use ledger_client::{SubmitOptions, Submitter};
use ledger_domain::RejectionCode as Code;
use ledger_domain::wire::v1::{Command, CommandBody, Policy, Stage, Status};
use ledger_tests::commands::Commander;
use ledger_tests::{System, assert_receipt_holds, batch, batch_of, eventually, receipts};
use serde_json::json;

use crate::refusals::{PARTNER, all_refused, bad, goes_on, refusal, set};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn of_a_batch_the_good_commands_are_recorded_and_the_receipts_come_in_order() {
    let system = System::start(&[]).await;
    let mut commander = system.reporter(PARTNER, &["KEN"]).await;
    let (commitment, record) = commander.record(&["GCM-01"]);
    let report = commander.report(commitment, 3, Stage::InProgress);
    let (_, other) = commander.record(&["GCM-02"]);
    let items: Vec<Vec<u8>> = vec![
        record.encode(),
        b"hello".to_vec(),
        report.encode(),
        set(&other, "/data/title", json!(5)).into_bytes(),
        report.encode(),
        b"\xff\xff".to_vec(),
        other.encode(),
        set(&record, "/data/title", json!("Another title")).into_bytes(),
    ];
    let before = system.tree_size().await;
    let receipts = system.ask(PARTNER, batch_of(&items)).await;
    let statuses: Vec<Status> = receipts.iter().map(|receipt| receipt.status).collect();
    let (good, again, refused) = (Status::Accepted, Status::Duplicate, Status::Rejected);
    assert_eq!(
        statuses,
        [good, refused, good, refused, again, refused, good, refused]
    );
    let codes: Vec<_> = receipts
        .iter()
        .filter_map(refusal)
        .map(|(code, _)| code)
        .collect();
    assert_eq!(
        codes,
        [
            Code::MalformedJson,
            Code::WrongType,
            Code::InvalidUtf8,
            Code::CommandIdReused
        ]
    );
    let positions: Vec<_> = receipts
        .iter()
        .flat_map(|receipt| &receipt.events)
        .map(|event| event.position)
        .collect();
    assert_eq!(positions, [before, before + 1, before + 1, before + 2]);
    assert_eq!(system.tree_size().await, before + 3);
    let log = system.log_from(before).await;
    for receipt in receipts.iter().filter(|receipt| receipt.status != refused) {
        assert_receipt_holds(receipt, &log);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_a_limit_is_refused_as_a_whole() {
    let system = System::start(&[]).await;
    let mut commander = system.reporter(PARTNER, &["KEN"]).await;
    let policy = Policy::default();
    let commands: Vec<Command> = (0..=policy.max_batch_commands)
        .map(|_| commander.record(&["GCM-01"]).1)
        .collect();
    let padded = [
        batch(&commands[..1]).as_ref(),
        &vec![b' '; policy.max_batch_bytes],
    ]
    .concat();
    let cases = vec![
        bad(
            "a command too many",
            batch(&commands),
            Code::BatchTooLarge,
            None,
        ),
        bad("bytes too many", padded, Code::BatchTooLarge, None),
    ];
    all_refused(&system, cases).await;
    let at_the_limit = system
        .ask(PARTNER, batch(&commands[..policy.max_batch_commands]))
        .await;
    assert_eq!(at_the_limit.len(), policy.max_batch_commands);
    assert!(
        at_the_limit
            .iter()
            .all(|receipt| receipt.status == Status::Accepted)
    );

    // Over the server's own limit nothing is even sent.
    let (sender, _inbox) = CommandSender::open(system.bus(), PARTNER)
        .await
        .expect("a sender");
    let max = system.bus().max_payload();
    let sent = sender.send(1, vec![b' '; max + 1].into()).await;
    let Err(SendError::TooLarge { size, max: limit }) = sent else {
        panic!("{sent:?}");
    };
    assert_eq!((size, limit), (max + 1, max));
    goes_on(&system, &mut commander).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_a_reply_subject_is_taken_or_dropped_in_silence() {
    let system = System::start(&[]).await;
    let mut commander = system.reporter(PARTNER, &["KEN"]).await;
    let (_, record) = commander.record(&["GCM-01"]);
    let before = system.tree_size().await;
    publish(
        &system.url(),
        PARTNER,
        &[b"hello", b"", b"[]", &record.encode(), b"[\xff]"],
    );
    eventually("the good one to be recorded", SOON, async || {
        (system.tree_size().await == before + 1).then_some(())
    })
    .await;
    let receipts = system.ask(PARTNER, record.encode()).await;
    assert_eq!(receipts[0].status, Status::Duplicate);
    assert_eq!(receipts[0].events[0].position, before);
    goes_on(&system, &mut commander).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_published_on_a_subject_of_the_ledger_or_the_server() {
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter(PARTNER, &["KEN"]).await;
    system.verify().await;
    for reply_to in [
        "ledger.v1.event.INT.receipt",
        "ledger.v1.cmd.root",
        "$KV.ledger_country.KEN",
        "$JS.API.STREAM.PURGE.LEDGER_EVENTS",
    ] {
        let mut message = format!("SUB {reply_to} 1\r\nSUB last 2\r\n").into_bytes();
        for query in ["head", "country.KEN", "country.XYZ", "commitment.x"] {
            message.extend(format!("PUB ledger.v1.query.{query} {reply_to} 0\r\n\r\n").bytes());
        }
        for reply_to in [reply_to, "last"] {
            let record = commander.record(&["GCM-01"]).1.encode();
            let length = record.len();
            let subject = format!("ledger.v1.cmd.{PARTNER}");
            message.extend(format!("PUB {subject} {reply_to} {length}\r\n").bytes());
            message.extend_from_slice(&record);
            message.extend_from_slice(b"\r\n");
        }
        let heard = say(&system.url(), &message, "MSG last");
        assert!(!heard.contains(&format!("MSG {reply_to} 1")), "{heard}");
        goes_on(&system, &mut commander).await;
    }
    goes_on(&system, &mut commander).await;
    assert_eq!(
        system.await_published().await,
        system.tree_size().await,
        "the stream has the log's events and no other"
    );
    system.verify_stream().await;
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_longer_than_any_is_refused_and_not_kept() {
    let system = System::start(&[]).await;
    let mut commander = system.reporter(PARTNER, &["KEN"]).await;
    let (_, record) = commander.record(&["GCM-01"]);
    let before = system.tree_size().await;
    for (bytes, answer) in [(1 << 20, "signature_invalid"), (143, "accepted")] {
        let signature = "A".repeat(bytes);
        let headers = format!("NATS/1.0\r\nLedger-Signature: {signature}\r\n\r\n");
        let message = with_headers(headers.as_bytes(), &record.encode());
        say(&system.url(), &message, answer);
    }
    assert_eq!(system.tree_size().await, before + 1);
    goes_on(&system, &mut commander).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_headers_that_are_none_does_not_stop_the_ones_after_it() {
    let system = System::start(&[]).await;
    let mut commander = system.reporter(PARTNER, &["KEN"]).await;
    for headers in [
        b"NATS/1.0\r\nno colon\r\n\r\n".as_slice(),
        b"NATS/1.0\r\nLedger-Signature: \xff\xfe\r\n\r\n",
        b"NATS/1.0 9999 what\r\n\r\n",
        b"nothing\r\n\r\n",
    ] {
        let (_, record) = commander.record(&["GCM-01"]);
        let message = with_headers(headers, &record.encode());
        say(&system.url(), &message, "PONG\r\n");
        goes_on_after(&system, &mut commander).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_mode_is_refused_by_name_and_a_trace_in_a_header_is_taken() {
    let system = System::start(&[]).await;
    let mut commander = system.reporter(PARTNER, &["KEN"]).await;
    let binary = b"NATS/1.0\r\nce-specversion: 1.0\r\nCe-Type: ledger.record_commitment.v1\r\n\r\n";
    let before = system.tree_size().await;
    let message = with_headers(binary, br#"{"title":"A pledge","actions":["GCM-01"]}"#);
    let receipt = say(&system.url(), &message, "\"message\"");
    assert!(receipt.contains("unsupported_envelope"), "{receipt}");
    assert!(receipt.contains("binary mode"), "{receipt}");
    assert_eq!(system.tree_size().await, before);

    let traced = b"NATS/1.0\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nContent-Type: Application/CloudEvents+JSON\r\n\r\n";
    let (_, record) = commander.record(&["GCM-01"]);
    let message = with_headers(traced, &record.encode());
    let receipt = say(&system.url(), &message, "\"status\"");
    assert!(receipt.contains("\"accepted\""), "{receipt}");
    assert_eq!(system.tree_size().await, before + 1);
}

/// A command is recorded, whatever became of the one before it.
async fn goes_on_after(system: &System, commander: &mut Commander) {
    let (_, record) = commander.record(&["GCM-02"]);
    // The first attempt may go to the connection that the headers broke.
    let options = SubmitOptions {
        reply_timeout: Duration::from_secs(1),
        ..SubmitOptions::default()
    };
    let submitter = Submitter::open(system.bus(), PARTNER, options).await;
    let submitter = submitter.expect("a submitter");
    let reply = submitter.submit(batch(&[record])).await.expect("receipts");
    assert_eq!(reply.receipts[0].status, Status::Accepted);
}

/// A command with these bytes as headers, in NATS's own protocol; its receipt goes to whoever says it.
fn with_headers(headers: &[u8], command: &[u8]) -> Vec<u8> {
    let (length, total) = (headers.len(), headers.len() + command.len());
    let first =
        format!("SUB receipts 1\r\nHPUB ledger.v1.cmd.{PARTNER} receipts {length} {total}\r\n");
    [first.as_bytes(), headers, command, b"\r\n"].concat()
}

/// Publishes without a reply subject, in NATS's own protocol; returns when the server has taken everything.
fn publish(url: &str, partner: &str, payloads: &[&[u8]]) {
    let mut message = Vec::new();
    for payload in payloads {
        message.extend(format!("PUB ledger.v1.cmd.{partner} {}\r\n", payload.len()).bytes());
        message.extend_from_slice(payload);
        message.extend_from_slice(b"\r\n");
    }
    say(url, &message, "PONG\r\n");
}

/// Says something to nats-server in its own protocol and gives what comes back until a certain word: a PONG comes when it
/// has taken everything.
fn say(url: &str, messages: &[u8], until: &str) -> String {
    let address = url.strip_prefix("nats://").expect("a NATS address");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(SOON)).expect("a deadline");
    let mut message = b"CONNECT {\"verbose\":false,\"headers\":true}\r\n".to_vec();
    message.extend_from_slice(messages);
    message.extend_from_slice(b"PING\r\n");
    stream.write_all(&message).expect("the server reads");
    let mut answer = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).expect("the server answers");
        answer.extend_from_slice(&piece[..length]);
        let heard = String::from_utf8_lossy(&answer);
        if heard.contains(until) {
            return heard.into_owned();
        }
        assert!(length > 0, "{heard}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_rest_on_each_other_may_be_sent_ahead_in_separate_messages() {
    let system = System::start(&[]).await;
    let mut commander = system.reporter(PARTNER, &["KEN"]).await;
    let (sender, mut inbox) = CommandSender::open(system.bus(), PARTNER)
        .await
        .expect("a sender");
    // Short and long ones, which are decoded in different places, each on the commitment before it.
    let mut ahead = Vec::new();
    for round in 0..60 {
        let (commitment, mut record) = commander.record(&["GCM-01"]);
        let long = "Long words. ".repeat(if round % 3 == 0 { 2_500 } else { 1 });
        if let CommandBody::RecordCommitment(data) = &mut record.body {
            data.description = Some(long);
        }
        ahead.push(record.encode());
        let report = commander.report(commitment, 3, Stage::InProgress);
        ahead.push(report.encode());
    }
    for (token, command) in (1..).zip(&ahead) {
        let sent = sender.send(token, command.clone().into()).await;
        sent.expect("sent before any receipt is read");
    }
    for _ in &ahead {
        let (token, reply) = inbox.next().await.expect("a reply");
        for receipt in receipts(&reply.expect("a receipt")) {
            assert_eq!(receipt.status, Status::Accepted, "{token}: {receipt:?}");
        }
    }
}
