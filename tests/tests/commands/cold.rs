//! Decisions do not depend on what happens to be in memory.

use ledger_domain::ids::CommitmentId;
use ledger_domain::wire::v1::{Command, CommandBody, Receipt, ReceiptEvent, Stage, Status};
use ledger_tests::commands::Commander;
use ledger_tests::{System, assert_receipt_holds};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

const SEEDS: [u64; 2] = [1, 2];
const COMMANDS: usize = 1_200;
const COMMITMENTS: usize = 120;
const BATCH: usize = 40;

/// A random life of many commitments: reports, corrections, withdrawals, and what the rules refuse.
fn life(seed: u64, commander: &mut Commander) -> Vec<Command> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut known: Vec<CommitmentId> = Vec::new();
    let mut commands = Vec::with_capacity(COMMANDS);
    while commands.len() < COMMANDS {
        let pick = random.random_range(0..COMMITMENTS);
        let Some(&commitment) = known.get(pick) else {
            let (commitment, record) = commander.record(&["GCM-01", "GCM-05a"]);
            known.push(commitment);
            commands.push(record);
            continue;
        };
        let mut command = match random.random_range(0..20) {
            0 => commander.withdraw(commitment, "Replaced by a wider one."),
            1 => {
                // Recorded a second time, under another command's id.
                let (_, mut record) = commander.record(&["GCM-02"]);
                record.subject = ledger_domain::ids::Subject::Commitment(commitment);
                record
            }
            2 => {
                let (id, mut record) = commander.record(&["GCM-10"]);
                if let CommandBody::RecordCommitment(body) = &mut record.body {
                    body.matches = Some(commitment);
                }
                known.push(id);
                record
            }
            _ => commander.report(commitment, random.random_range(1..=10), Stage::InProgress),
        };
        if random.random_range(0..5) == 0 {
            command.expected_version = Some(ledger_domain::ids::Version(random.random_range(1..6)));
        }
        commands.push(command);
        if random.random_range(0..30) == 0 {
            // Sent again, much later than it was.
            let again = commands[random.random_range(0..commands.len())].clone();
            commands.push(again);
        }
    }
    commands
}

/// What must be the same whatever is cached: all but what is drawn or stamped anew in every ledger.
fn essence(receipt: &Receipt) -> impl PartialEq + std::fmt::Debug {
    let event = |event: &ReceiptEvent| (event.position, event.event_type);
    (
        receipt.command_id,
        receipt.status,
        receipt.events.iter().map(event).collect::<Vec<_>>(),
        receipt.tree_size,
        receipt.rejection.clone(),
    )
}

async fn lived(seed: u64, cached_commitments: &str) -> (System, Vec<Receipt>) {
    let mut system = System::start_whole(&["--cached-commitments", cached_commitments]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    let before = system.tree_size().await;
    let mut receipts = Vec::new();
    for commands in life(seed, &mut commander).chunks(BATCH) {
        receipts.extend(system.submit(commands).await);
    }
    let log = system.log_from(before).await;
    for receipt in receipts
        .iter()
        .filter(|receipt| receipt.status != Status::Rejected)
    {
        assert_receipt_holds(receipt, &log);
    }
    system.verify().await;
    (system, receipts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_cache_gives_the_receipts_and_views_of_a_large_one() {
    for seed in SEEDS {
        let (small, small_receipts) = lived(seed, "10").await;
        let (large, large_receipts) = lived(seed, "1000000").await;
        for (index, (one, other)) in small_receipts.iter().zip(&large_receipts).enumerate() {
            assert_eq!(
                format!("{:?}", essence(one)),
                format!("{:?}", essence(other)),
                "seed {seed}, command {index}"
            );
        }
        let count = |status| {
            small_receipts
                .iter()
                .filter(|receipt| receipt.status == status)
                .count()
        };
        for status in [Status::Accepted, Status::Duplicate, Status::Rejected] {
            assert!(count(status) > 10, "{status}: {}", count(status));
        }
        let bodies = |log: Vec<ledger_tests::Recorded>| -> Vec<_> {
            log.into_iter()
                .map(|recorded| recorded.event.body)
                .skip(1)
                .collect()
        };
        assert_eq!(
            bodies(small.log_from(0).await),
            bodies(large.log_from(0).await),
            "seed {seed}"
        );
    }
}
