//! A node with more work than it takes says so at once, and what it refused can be sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use ledger_bus::CommandSender;
use ledger_domain::RejectionCode;
use ledger_domain::wire::v1::{Receipt, Status};
use ledger_tests::{System, receipts};

const SOON: Duration = Duration::from_secs(20);
const COMMANDS: u64 = 600;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_nothing_is_lost_when_sent_again() {
    for bound in [["--queue-submissions", "4"], ["--queue-kib", "2"]] {
        let system = System::start(&bound).await;
        let mut commander = system.reporter("tester", &["KEN"]).await;
        let before = system.tree_size().await;
        let mut waiting: BTreeMap<u64, Bytes> = (0..COMMANDS)
            .map(|token| (token, commander.record(&["GCM-01"]).1.encode().into()))
            .collect();
        let (sender, mut inbox) = CommandSender::open(system.bus(), "tester")
            .await
            .expect("a sender");
        let (mut busy, mut accepted) = (0, Vec::new());
        while !waiting.is_empty() {
            for (token, bytes) in &waiting {
                sender.send(*token, bytes.clone()).await.expect("sent");
            }
            for _ in 0..waiting.len() {
                let next = tokio::time::timeout(SOON, inbox.next()).await;
                let (token, reply) = next.expect("a reply in time").expect("an open inbox");
                let receipt = one(&reply.expect("a node that listens"));
                if let Some(rejection) = receipt.rejection {
                    assert_eq!(rejection.code, RejectionCode::Busy);
                    busy += 1;
                } else {
                    waiting.remove(&token);
                    accepted.push(receipt);
                }
            }
        }
        assert!(busy > 0, "{bound:?}: the queue was never full");
        assert!(
            accepted
                .iter()
                .all(|receipt| receipt.status == Status::Accepted)
        );
        let positions: BTreeSet<u64> = accepted
            .iter()
            .flat_map(|receipt| &receipt.events)
            .map(|event| event.position)
            .collect();
        assert_eq!(positions, (before..before + COMMANDS).collect());
        assert_eq!(system.tree_size().await, before + COMMANDS);
    }
}

fn one(reply: &[u8]) -> Receipt {
    receipts(reply).pop().expect("one receipt")
}
