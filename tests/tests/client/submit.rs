//! Submissions to a ledger that answers late, not at all, or that it is busy.

use std::time::Duration;

use bytes::Bytes;
use ledger_bus::{Bus, BusOptions, CommandIntake, Replier};
use ledger_client::{
    Connection, LineOutcome, SubmitError, SubmitOptions, Submitter, submit_in_order,
};
use ledger_domain::wire::v1::{Command, Policy, Receipt, Status, split_batch};
use ledger_domain::{Rejection, RejectionCode};
use ledger_tests::TestNats;
use ledger_tests::commands::Commander;
use tokio::sync::mpsc;

const QUICK: SubmitOptions = SubmitOptions {
    in_flight_max: 4,
    reply_timeout: Duration::from_millis(100),
    give_up_after: Duration::from_secs(5),
    backoff_min: Duration::from_millis(1),
    backoff_max: Duration::from_millis(5),
};

/// How the scripted ledger meets one message.
#[derive(Clone, Copy)]
enum Meets {
    Silence,
    Busy,
    Receipts,
    /// One refusal for the message as a whole.
    TooLarge,
}

/// A ledger that meets messages in the order of the script, the last way for ever, and tells what it received.
async fn scripted(nats: &TestNats, script: &'static [Meets]) -> mpsc::UnboundedReceiver<Bytes> {
    let bus = Bus::connect(&BusOptions::tool(nats.url(), "scripted"))
        .await
        .unwrap();
    let mut intake = CommandIntake::open(&bus, 16).await.unwrap();
    bus.flush().await;
    let replier = Replier::new(&bus);
    let (sender, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut script = script.iter();
        let mut meets = Meets::Receipts;
        while let Some(messages) = intake.next().await {
            for message in messages {
                meets = script.next().copied().unwrap_or(meets);
                if sender.send(message.payload.clone()).is_err() {
                    return;
                }
                let reply = match meets {
                    Meets::Silence => continue,
                    Meets::Busy => refusal(RejectionCode::Busy),
                    Meets::TooLarge => refusal(RejectionCode::BatchTooLarge),
                    Meets::Receipts => receipts(&message.payload),
                };
                replier.reply(message.reply_to.unwrap(), reply.into()).await;
            }
        }
    });
    received
}

fn refusal(code: RejectionCode) -> Vec<u8> {
    Receipt::rejected(None, Rejection::new(code, "not now")).encode()
}

/// A receipt for each command of a message, accepted.
fn receipts(message: &[u8]) -> Vec<u8> {
    let policy = Policy::default();
    let receipts: Vec<Receipt> = split_batch(message, &policy)
        .unwrap()
        .into_iter()
        .map(|bytes| Receipt {
            command_id: Some(Command::decode(bytes, &policy).unwrap().id),
            status: Status::Accepted,
            events: Vec::new(),
            durability: None,
            tree_size: None,
            rejection: None,
        })
        .collect();
    serde_json::to_vec(&receipts).unwrap()
}

fn command(partner: &str) -> Bytes {
    Commander::new(partner, "KEN", 1)
        .record(&["GCM-10"])
        .1
        .encode()
        .into()
}

fn batch(command: &Bytes) -> Bytes {
    [b"[", &command[..], b"]"].concat().into()
}

async fn submitter(nats: &TestNats, options: SubmitOptions) -> Submitter {
    let connection = Connection::open(nats.url(), "partner").await.unwrap();
    Submitter::open(connection.bus(), "acme", options)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_submission_is_repeated_with_the_same_bytes_until_it_has_receipts() {
    let nats = TestNats::start();
    let script = &[Meets::Silence, Meets::Busy, Meets::Busy, Meets::Receipts];
    let mut received = scripted(&nats, script).await;
    let submitter = submitter(&nats, QUICK).await;
    let sent = batch(&command("acme"));
    let reply = submitter.submit(sent.clone()).await.unwrap();
    assert_eq!(reply.receipts.len(), 1);
    assert_eq!(reply.receipts[0].status, Status::Accepted);
    for _ in 0..4 {
        assert_eq!(received.recv().await.unwrap(), sent);
    }
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn a_ledger_that_stays_busy_is_given_up_on_in_time() {
    let nats = TestNats::start();
    let _received = scripted(&nats, &[Meets::Busy]).await;
    let options = SubmitOptions {
        give_up_after: Duration::from_millis(200),
        ..QUICK
    };
    let submitter = submitter(&nats, options).await;
    let error = submitter.submit(batch(&command("acme"))).await.unwrap_err();
    let SubmitError::NotTaken { rejection, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(rejection.code, RejectionCode::Busy);
    let said = error.to_string();
    assert!(said.contains(&rejection.message), "{said}");
}

#[tokio::test]
async fn a_ledger_that_is_away_is_out_of_reach_and_one_that_comes_back_is_not() {
    let nats = TestNats::start();
    let options = SubmitOptions {
        give_up_after: Duration::from_millis(300),
        ..QUICK
    };
    let away = submitter(&nats, options).await;
    let error = away.submit(batch(&command("acme"))).await.unwrap_err();
    assert!(matches!(error, SubmitError::NoReply { .. }), "{error:?}");
    assert!(error.is_unreachable());
    let patient = submitter(&nats, QUICK).await;
    let waiting = tokio::spawn(async move { patient.submit(batch(&command("acme"))).await });
    let _received = scripted(&nats, &[Meets::Receipts]).await;
    assert!(waiting.await.unwrap().is_ok());
}

#[tokio::test]
async fn what_is_over_the_servers_limit_is_not_sent() {
    let nats = TestNats::start();
    let mut received = scripted(&nats, &[Meets::Receipts]).await;
    let submitter = submitter(&nats, QUICK).await;
    let error = submitter
        .submit(vec![b' '; 9 << 20].into())
        .await
        .unwrap_err();
    assert!(matches!(error, SubmitError::Send(_)), "{error:?}");
    assert!(!error.is_unreachable());
    assert!(received.try_recv().is_err());
}

/// Sends lines and gives the outcome and the receipts.
async fn send(nats: &TestNats, lines: Vec<Bytes>) -> (LineOutcome, Vec<Receipt>) {
    // Nothing is to be sent twice, however long a busy machine takes for a batch.
    let patient = SubmitOptions {
        reply_timeout: Duration::from_mins(1),
        give_up_after: Duration::from_mins(1),
        ..QUICK
    };
    let connection = Connection::open(nats.url(), "partner").await.unwrap();
    let (sender, input) = mpsc::channel(lines.len().max(1));
    for line in lines {
        sender.try_send(line.into()).unwrap();
    }
    drop(sender);
    let mut receipts = Vec::new();
    let outcome = submit_in_order(&connection, patient, input, |_, receipt| {
        receipts.push(receipt.clone());
        Ok(())
    });
    let outcome = outcome.await.unwrap();
    (outcome, receipts)
}

#[tokio::test]
async fn each_line_gets_its_receipt_in_its_place_and_bad_ones_spoil_nothing() {
    let nats = TestNats::start();
    let mut received = scripted(&nats, &[Meets::Receipts]).await;
    let mut acme = Commander::new("acme", "KEN", 1);
    let mut other = Commander::new("other", "KEN", 2);
    let mut commands = Vec::new();
    for _ in 0..3 {
        commands.push(acme.record(&["GCM-10"]).1);
    }
    commands.push(other.record(&["GCM-10"]).1);
    commands.push(acme.record(&["GCM-10"]).1);
    let mut lines: Vec<Bytes> = commands
        .iter()
        .map(|command| command.encode().into())
        .collect();
    lines.insert(1, Bytes::from_static(b"{\"not\":\"a command\"}\n"));
    lines.insert(0, Bytes::from_static(b"\xff\xfe"));
    let (outcome, receipts) = send(&nats, lines).await;
    assert_eq!(
        outcome,
        LineOutcome {
            accepted: 5,
            duplicate: 0,
            rejected: 2
        }
    );
    let ids: Vec<_> = receipts.iter().map(|receipt| receipt.command_id).collect();
    let id = |index: usize| Some(commands[index].id);
    assert_eq!(ids, [None, id(0), None, id(1), id(2), id(3), id(4)]);
    let code = |index: usize| {
        receipts[index]
            .rejection
            .as_ref()
            .map(|rejection| rejection.code)
    };
    assert_eq!(code(0), Some(RejectionCode::InvalidUtf8));
    assert!(code(2).is_some());
    // One message for each run of one partner's commands, the bytes of each command as they were given.
    let first = received.recv().await.unwrap();
    let slices = split_batch(&first, &Policy::default()).unwrap();
    assert_eq!(
        slices,
        commands[..3]
            .iter()
            .map(Command::encode)
            .collect::<Vec<_>>()
    );
    assert!(received.recv().await.is_some());
    assert!(received.recv().await.is_some());
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn more_commands_than_a_batch_holds_go_in_several() {
    let nats = TestNats::start();
    let mut received = scripted(&nats, &[Meets::Receipts]).await;
    let mut acme = Commander::new("acme", "KEN", 1);
    let lines: Vec<Bytes> = (0..2_500)
        .map(|_| acme.record(&["GCM-10"]).1.encode().into())
        .collect();
    let (outcome, receipts) = send(&nats, lines).await;
    assert_eq!((outcome.accepted, receipts.len()), (2_500, 2_500));
    let policy = Policy::default();
    let mut sizes = Vec::new();
    while let Ok(message) = received.try_recv() {
        sizes.push(split_batch(&message, &policy).unwrap().len());
    }
    assert_eq!(sizes, [1_000, 1_000, 500]);
}

#[tokio::test]
async fn a_message_refused_as_a_whole_refuses_each_of_its_commands() {
    let nats = TestNats::start();
    let _received = scripted(&nats, &[Meets::TooLarge]).await;
    let mut acme = Commander::new("acme", "KEN", 1);
    let commands = [acme.record(&["GCM-10"]).1, acme.record(&["GCM-10"]).1];
    let lines = commands
        .iter()
        .map(|command| command.encode().into())
        .collect();
    let (outcome, receipts) = send(&nats, lines).await;
    assert_eq!(outcome.rejected, 2);
    for (receipt, command) in receipts.iter().zip(&commands) {
        assert_eq!(receipt.command_id, Some(command.id));
        assert_eq!(
            receipt.rejection.as_ref().map(|rejection| rejection.code),
            Some(RejectionCode::BatchTooLarge)
        );
    }
}
