//! Sending again: the first receipt's events for ever, wherever the ledger finds them.

use ledger_domain::RejectionCode;
use ledger_domain::wire::v1::{Command, Receipt, Stage, Status};
use ledger_tests::{System, assert_receipt_holds};

/// Sends every command again, alone and all together, and holds the receipts to be the first ones.
async fn same_again(system: &System, commands: &[Command], first: &[Receipt]) {
    let before = system.tree_size().await;
    let together = system.submit(commands).await;
    let mut alone = Vec::new();
    for command in commands {
        alone.extend(system.ask(command.partner.as_str(), command.encode()).await);
    }
    for again in [together, alone] {
        assert_eq!(again.len(), first.len());
        for (again, first) in again.iter().zip(first) {
            assert_eq!(again.status, Status::Duplicate, "{again:?}");
            let now = Receipt {
                status: Status::Accepted,
                ..again.clone()
            };
            assert_eq!(&now, first);
        }
    }
    assert_eq!(
        system.tree_size().await,
        before,
        "nothing was recorded twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_get_the_first_receipt_for_ever() {
    let mut system = System::start(&["--cached-commitments", "2"]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    let mut commands = Vec::new();
    for month in 1..=6 {
        let (commitment, record) = commander.record(&["GCM-01"]);
        commands.push(record);
        commands.push(commander.report(commitment, month, Stage::InProgress));
    }
    let first = system.accepted(&commands).await;
    same_again(&system, &commands, &first).await;
    let log = system.log_from(0).await;
    for receipt in &first {
        assert_receipt_holds(receipt, &log);
    }

    // Enough others that these are in memory no more.
    for _ in 0..3 {
        let others: Vec<Command> = (0..300).map(|_| commander.record(&["GCM-02"]).1).collect();
        system.accepted(&others).await;
    }
    same_again(&system, &commands, &first).await;
    system.restart_node().await;
    same_again(&system, &commands, &first).await;
    system.kill_node();
    system.start_node().await;
    same_again(&system, &commands, &first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_used_for_other_bytes_is_refused_for_ever() {
    let mut system = System::start(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    let (_, record) = commander.record(&["GCM-01"]);
    let (_, mut other) = commander.record(&["GCM-01"]);
    other.id = record.id;
    system.accepted(std::slice::from_ref(&record)).await;
    for _ in 0..2 {
        let before = system.tree_size().await;
        // Even one space more is other bytes.
        let spaced = [b"{ ".as_slice(), &record.encode()[1..]].concat();
        for bytes in [other.encode(), spaced] {
            let receipts = system.ask("tester", bytes).await;
            let rejection = receipts[0].rejection.as_ref().expect("a refusal");
            assert_eq!(rejection.code, RejectionCode::CommandIdReused);
            assert_eq!(rejection.field.as_deref(), Some("id"));
            assert_eq!(receipts[0].command_id, Some(record.id));
        }
        assert_eq!(system.tree_size().await, before);
        system.restart_node().await;
    }
    // Ids are each partner's own.
    let mut theirs = system
        .reporter("other", &["UGA"])
        .await
        .record(&["GCM-01"])
        .1;
    theirs.id = record.id;
    system.accepted(&[theirs]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_commands_id_is_free() {
    let system = System::start(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    let (commitment, record) = commander.record(&["GCM-01"]);
    let report = commander.report(commitment, 1, Stage::Planning);
    let early = system.submit(std::slice::from_ref(&report)).await;
    let rejection = early[0].rejection.as_ref().expect("a refusal");
    assert_eq!(rejection.code, RejectionCode::UnknownCommitment);
    system.accepted(&[record, report]).await;
}
