//! An older backup put back on purpose, as the manual says it is done by hand.

use std::fs;

use ledger_domain::wire::v1::Status;
use ledger_tests::commands::Commander;
use ledger_tests::{Process, System, VIEWS, await_that, ledger, run};
use rustix::process::Signal;

use crate::support::{SOON, copy_folder, some_events};

/// The words under which the manual says how to go on.
const CHAPTER: &str = "Restoring an older backup";

#[tokio::test(flavor = "multi_thread")]
async fn an_older_backup_is_refused_with_the_chapter_that_says_how_to_go_on_and_then_goes_on() {
    let manual = include_str!("../../../README.md");
    assert!(manual.contains(&format!("### {CHAPTER}\n")));

    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 3).await;
    system.verify().await;
    let kept = system.await_published().await;
    let head_then = system.connection().head().await.expect("a head").tree_head;
    assert!(system.stop_node().success());
    let folder = system.log_folder();
    let backup = folder.with_file_name("backup");
    copy_folder(&folder, &backup);
    system.start_node().await;
    let lost = later_events(&system, &mut commander).await;
    system.verify().await;
    let reached = system.await_published().await;
    assert!(reached > kept);
    assert!(system.stop_node().success());

    fs::remove_dir_all(&folder).expect("removed");
    copy_folder(&backup, &folder);
    let mut node = Process::start("node", &mut system.node_program(&folder));
    assert_eq!(node.wait(SOON).code(), Some(1));
    let said = node.stderr();
    assert!(said.contains(CHAPTER), "{said}");
    assert!(said.contains(&format!("has only {kept} events")), "{said}");

    // Set aside, with the events that the backup does not have: a server on it still hands them out.
    let aside = system.nats().set_streams_aside();
    assert!(aside.is_dir());
    system.start_node().await;
    assert_eq!(system.tree_size().await, kept);
    let head = system.connection().head().await.expect("a head").tree_head;
    assert_eq!(head, head_then, "the tree is the one of the backup");
    // Partners send again what the log does not have: accepted anew, and once.
    for command in &lost {
        let receipts = system.ask("tester", command.encode()).await;
        assert_eq!(receipts[0].status, Status::Accepted, "{receipts:?}");
        let receipts = system.ask("tester", command.encode()).await;
        assert_eq!(receipts[0].status, Status::Duplicate, "{receipts:?}");
    }
    await_folded_anew(&mut system);
    system.verify().await;
    system.verify_stream().await;
    let mut scrub = ledger(["scrub"]);
    assert!(system.stop_node().success());
    let scrubbed = run(scrub.arg(&folder), b"");
    assert!(scrubbed.status.success(), "{}", scrubbed.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn views_of_a_log_that_was_put_back_and_grew_again_are_folded_anew() {
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 3).await;
    assert!(system.stop_node().success());
    let folder = system.log_folder();
    let backup = folder.with_file_name("backup");
    copy_folder(&folder, &backup);
    system.start_node().await;
    let lost = later_events(&system, &mut commander).await;
    system.verify().await;
    let tree_size = system.tree_size().await;

    // The projectors miss all of it: when they look, the log is as long as they know it.
    for view in VIEWS {
        system.projector(view).signal(Signal::STOP);
    }
    assert!(system.stop_node().success());
    fs::remove_dir_all(&folder).expect("removed");
    copy_folder(&backup, &folder);
    system.nats().set_streams_aside();
    system.start_node().await;
    system.accepted(&lost).await;
    assert_eq!(system.tree_size().await, tree_size);
    for view in VIEWS {
        system.projector(view).signal(Signal::CONT);
    }
    await_folded_anew(&mut system);
    system.verify().await;
}

/// Waits until every projector has seen that its views are of another log.
fn await_folded_anew(system: &mut System) {
    for view in VIEWS {
        let projector = system.projector(view);
        await_that("the projector to fold anew", SOON, || {
            projector
                .stderr()
                .contains("the views come from another log")
        });
    }
}

async fn later_events(
    system: &System,
    commander: &mut Commander,
) -> Vec<ledger_domain::wire::v1::Command> {
    let mut commands = Vec::new();
    for _ in 0..4 {
        let (_, record) = commander.record(&["GCM-02"]);
        system.accepted(std::slice::from_ref(&record)).await;
        commands.push(record);
    }
    commands
}
