//! A full disk: nothing is begun on one, and nothing is lost on one. A disk that fails: nothing it held is acknowledged.

use ledger_domain::wire::v1::view::Family;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ledger_bus::{RequestError, subject};
use ledger_domain::RejectionCode;
use ledger_domain::wire::v1::{Stage, Status};
use ledger_node::{NodeError, NodeOptions, Telemetry, run_node, shutdown};
use ledger_store::AppendError;
use ledger_tests::{
    DiskFault, FaultyDisk, Process, System, await_that, batch, eventually, free_port, get,
    ledger_binary, receipts,
};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::task::JoinHandle;

use crate::support::{SOON, some_events};

const MIB: u64 = 1 << 20;
/// How far the free space is above the floor, or below it once a file takes twice that: much more than what else is
/// written to the disk meanwhile.
const MARGIN_MIB: u64 = 2_048;

/// Held by a test that fills the disk: two at once would see each other's files.
static FILLING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn free_mib(folder: &Path) -> u64 {
    let stat = statvfs(folder).expect("a file system");
    stat.f_bavail * stat.f_frsize / MIB
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_not_opened_on_a_full_disk() {
    let mut system = System::with_nats_only(&[]).await;
    let folder = std::env::temp_dir();
    let floor = (free_mib(&folder) + MARGIN_MIB).to_string();
    system.set_node_arguments(&["--free-space-floor-mib", &floor]);
    system.spawn_node();
    let (code, said) = system.node_ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("MiB are free"), "{said}");
    let dir = system.log_folder().display().to_string();
    assert!(said.contains(&dir), "{said}");
    assert!(said.contains("--free-space-floor-mib"), "{said}");
    assert!(
        !system.log_folder().join("journal").exists(),
        "nothing was begun"
    );
    system.set_node_arguments(&[]);
    system.start_node().await;
}

/// Lets a process write no file beyond a size, or any again.
fn limit_files(process: &Process, bytes: Option<u64>) {
    let id = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(id, Resource::Fsize, limit).expect("a limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_whose_store_cannot_be_written_waits_and_makes_it_anew() {
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 20).await;
    system.await_views().await;
    system.stop_projector("summary");
    // A write beyond the limit is to fail, not to end the process.
    let mut program = Command::new("sh");
    program.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]);
    program.arg(ledger_binary());
    program.args(["projector", "summary", "--data"]);
    program.arg(system.view_folder("summary"));
    program.env("NATS_URL", system.url());
    let mut projector = Process::start("projector summary", &mut program);
    let checkpoint = async || system.connection().projection(Family::Summary).await.ok();
    eventually("the projector to answer", SOON, checkpoint).await;

    limit_files(&projector, Some(64 << 10));
    // A save that fails shows when the next one begins.
    eventually("the projector to say so", SOON, async || {
        some_events(&system, &mut commander, 20).await;
        let said = projector.stderr().contains("store cannot be written");
        said.then_some(())
    })
    .await;
    assert!(projector.runs(), "{}", projector.stderr());
    assert!(checkpoint().await.is_some(), "what was folded is served");

    limit_files(&projector, None);
    let size = system.tree_size().await;
    eventually("the log to be folded anew", SOON, async || {
        checkpoint().await.filter(|it| it.checkpoint == size)
    })
    .await;
    assert!(
        projector.stderr().contains("the store was made anew"),
        "{}",
        projector.stderr()
    );
    assert!(projector.terminate(SOON).success());
    system.start_projector("summary");
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_started_below_its_floor_answers_and_takes_commands_when_there_is_room() {
    let _alone = FILLING.lock().await;
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 3).await;
    let (_, record) = commander.record(&["GCM-01"]);
    system.accepted(std::slice::from_ref(&record)).await;
    let size = system.tree_size().await;
    assert!(system.stop_node().success());
    let free = free_mib(&system.log_folder());
    let floor = (free - MARGIN_MIB).to_string();
    let ballast = system.log_folder().join("ballast");
    let file = File::create(&ballast).expect("a file");
    fallocate(&file, FallocateFlags::empty(), 0, 2 * MARGIN_MIB * MIB).expect("space to take");

    let http = format!("127.0.0.1:{}", free_port());
    system.set_node_arguments(&["--free-space-floor-mib", &floor, "--http", &http]);
    system.start_node().await;
    assert_eq!(system.tree_size().await, size, "it answers");
    let unready = get(&http, "/readyz").expect("an answer");
    assert_eq!(unready.status, 503, "{unready:?}");
    let dir = system.log_folder().display().to_string();
    for said in [&dir, "--free-space-floor-mib"] {
        assert!(unready.body.contains(said), "{unready:?}");
        assert!(system.node().stderr().contains(said));
    }
    let (_, other) = commander.record(&["GCM-02"]);
    let receipts = system.ask("tester", other.encode()).await;
    let rejection = receipts[0].rejection.as_ref().expect("a refusal");
    assert_eq!(rejection.code, RejectionCode::StorageFull);
    let again = system.ask("tester", record.encode()).await;
    assert_eq!(again[0].status, Status::Duplicate);
    system.verify().await;
    await_that("the metrics to say so", SOON, || {
        let metrics = get(&http, "/metrics").expect("an answer").body;
        metrics.contains("ledger_ready 0")
            && metrics.contains("ledger_rejections_total{code=\"storage_full\"} 1")
            && metrics.contains("ledger_free_floor_bytes ")
    });

    drop(file);
    fs::remove_file(&ballast).expect("space to give back");
    assert_eq!(get(&http, "/readyz").expect("an answer").status, 200);
    system.accepted(&[other]).await;
    await_that("the metrics to say so", SOON, || {
        let metrics = get(&http, "/metrics").expect("an answer").body;
        metrics.contains("ledger_ready 1")
    });
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_disk_that_runs_full_commands_are_refused_and_queries_answered_until_there_is_room() {
    let _alone = FILLING.lock().await;
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    let (commitment, record) = commander.record(&["GCM-01"]);
    let record_bytes = record.encode();
    let receipts = system.accepted(&[record]).await;
    assert!(system.stop_node().success());
    let free = free_mib(&system.log_folder());
    assert!(
        free > 3 * MARGIN_MIB,
        "this test needs {} MiB of free disk",
        3 * MARGIN_MIB
    );
    let floor = (free - MARGIN_MIB).to_string();
    let http = format!("127.0.0.1:{}", free_port());
    let readiness = || get(&http, "/readyz").expect("an answer");
    system.set_node_arguments(&["--free-space-floor-mib", &floor, "--http", &http]);
    system.start_node().await;
    assert_eq!(readiness().status, 200);
    let report = commander.report(commitment, 1, Stage::Planning);
    system.accepted(std::slice::from_ref(&report)).await;

    let ballast = system.log_folder().join("ballast");
    let file = File::create(&ballast).expect("a file");
    fallocate(&file, FallocateFlags::empty(), 0, 2 * MARGIN_MIB * MIB).expect("space to take");
    let size = eventually("a refusal", SOON, async || {
        let (_, other) = commander.record(&["GCM-02"]);
        let size = system.tree_size().await;
        let receipts = system.ask("tester", other.encode()).await;
        let rejection = receipts[0].rejection.as_ref()?;
        assert_eq!(rejection.code, RejectionCode::StorageFull);
        Some(size)
    })
    .await;
    // A batch that rests on a command which was decided and dropped is dropped with it.
    let (waiting, record) = commander.record(&["GCM-02"]);
    let refused = [record, commander.report(waiting, 1, Stage::Planning)];
    for _ in 0..3 {
        let receipts = system.ask("tester", batch(&refused)).await;
        for receipt in receipts {
            let rejection = receipt.rejection.expect("a refusal");
            assert_eq!(rejection.code, RejectionCode::StorageFull);
        }
    }
    assert_eq!(system.tree_size().await, size, "nothing was recorded");
    let refusing = readiness();
    assert_eq!(refusing.status, 503, "{refusing:?}");
    assert!(
        refusing.body.contains("commands are refused"),
        "{refusing:?}"
    );
    let said = system.node().stderr();
    assert_eq!(said.matches("commands are refused").count(), 1, "{said}");
    // What needs no room goes on: queries, repeats, other refusals.
    system.verify().await;
    let again = system.ask("tester", record_bytes.clone()).await;
    assert_eq!(again[0].status, Status::Duplicate);
    assert_eq!(again[0].events, receipts[0].events);

    drop(file);
    fs::remove_file(&ballast).expect("space to give back");
    assert_eq!(readiness().status, 200, "before the next command comes");
    let accepted = system.submit(&refused).await;
    assert!(
        accepted
            .iter()
            .all(|receipt| receipt.status == Status::Accepted),
        "{accepted:?}"
    );
    assert_eq!(system.tree_size().await, size + 2);
    system.verify().await;
    system.verify_stream().await;
}

/// Sends bytes of the partner `tester`; the reply, or that there was none.
fn send(system: &System, bytes: Bytes) -> JoinHandle<Result<Bytes, RequestError>> {
    const REPLY_WITHIN: Duration = Duration::from_secs(10);
    let bus = system.bus().clone();
    tokio::spawn(async move {
        let subject = subject::command("tester");
        let reply = bus.request(&subject, bytes, REPLY_WITHIN).await;
        reply.map(|reply| reply.payload)
    })
}

async fn no_receipt_leaves_for_what_the_disk_lost(fault: DiskFault) {
    let mut system = System::with_nats_only(&[]).await;
    let disk = FaultyDisk::new(&system.log_folder());
    let options = NodeOptions {
        disk: Arc::new(disk.clone()),
        ..NodeOptions::new(system.log_folder(), system.url())
    };
    let (telemetry, (_trigger, told)) = (Telemetry::default(), shutdown());
    let node = tokio::spawn(run_node(options, telemetry.clone(), told));
    eventually("the node to answer", SOON, async || {
        system.connection().head().await.ok()
    })
    .await;
    system.load_reference().await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    let (_, before) = commander.record(&["GCM-01"]);
    system.accepted(std::slice::from_ref(&before)).await;
    let size = system.tree_size().await;

    disk.hold(fault);
    let (commitment, held) = commander.record(&["GCM-01"]);
    let held = Bytes::from(held.encode());
    let unanswered = send(&system, held.clone());
    tokio::task::block_in_place(|| disk.await_held());
    // Behind it wait what rests on it, a refusal by the rules and a duplicate.
    let queued = telemetry.queued_bytes.get();
    let report = commander.report(commitment, 1, Stage::Planning);
    let (_, refused) = commander.record(&["GCM-99"]);
    let behind = send(&system, batch(&[report.clone(), refused, before]));
    eventually("the second submission to be taken", SOON, async || {
        (telemetry.queued_bytes.get() > queued).then_some(())
    })
    .await;
    assert_eq!(system.tree_size().await, size);
    assert!(!unanswered.is_finished() && !behind.is_finished());

    disk.fail();
    let behind = behind.await.expect("no panic").expect("a reply");
    let behind = receipts(&behind);
    assert_eq!(behind.len(), 3);
    for receipt in behind {
        let rejection = receipt.rejection.expect("a refusal");
        assert_eq!(rejection.code, RejectionCode::Unavailable);
    }
    let doing = match fault {
        DiskFault::Write => "writing a frame",
        DiskFault::Sync => "syncing a frame",
    };
    let ended = node.await.expect("no panic");
    assert!(
        matches!(&ended, Err(NodeError::Append(AppendError::Poisoned { at, .. })) if *at == doing),
        "{ended:?}"
    );
    let unanswered = unanswered.await.expect("no panic");
    assert!(unanswered.is_err(), "{unanswered:?}");

    // Whether it reached the disk shows at the next start; its sender repeats it and has it once.
    system.start_node().await;
    let again = system.ask("tester", held).await;
    let expected = match fault {
        DiskFault::Write => Status::Accepted,
        DiskFault::Sync => Status::Duplicate,
    };
    assert_eq!(again[0].status, expected, "{again:?}");
    assert_eq!(system.tree_size().await, size + 1);
    system.accepted(&[report]).await;
    system.start_projectors();
    system.verify().await;
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_receipt_leaves_for_what_a_failed_write_lost() {
    Box::pin(no_receipt_leaves_for_what_the_disk_lost(DiskFault::Write)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_receipt_leaves_for_what_a_failed_sync_left_unknown() {
    Box::pin(no_receipt_leaves_for_what_the_disk_lost(DiskFault::Sync)).await;
}
