//! Two nodes behind one nats-server: one takes commands, whatever happens to it, to the other, or to the server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ledger_bus::{CommandSender, LeaseBucket, RequestError, subject};
use ledger_domain::wire::v1::Status;
use ledger_tests::commands::Commander;
use ledger_tests::{Process, System, Writers, await_that, eventually, free_port, get};
use rand::Rng as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::support::{SOON, some_events};

/// The shortest lease there is, so that a test need not wait for a long one.
const SHORT: [&str; 2] = ["--lease-seconds", "2"];
/// When a lease of that length is over for everybody.
const RUN_OUT: Duration = Duration::from_secs(3);
/// Less than a lease of the usual ten seconds.
const AT_ONCE: Duration = Duration::from_secs(7);
/// Rounds of the rehearsal, unless `REHEARSALS` says another number.
const ROUNDS: u32 = 5;

const HOLDS: &str = "this node holds the lease";

/// Copies a directory as an operator does: `cp -a`.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.expect("cp").success());
}

fn start(system: &System, folder: &Path) -> Process {
    let name = folder.file_name().expect("a name").to_string_lossy();
    Process::start(&format!("node on {name}"), &mut system.node_program(folder))
}

fn signal(process: &Process, signal: Signal) {
    let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), signal).expect("the process is signalled");
}

fn await_holding(process: &mut Process) {
    await_that("a node to hold the lease", SOON, || {
        assert!(process.runs(), "{}", process.stderr());
        process.stderr().contains(HOLDS)
    });
}

/// The lease as the server holds it.
async fn lease(system: &System) -> Option<Value> {
    let entry = LeaseBucket::lease(system.bus()).read().await.ok()??;
    serde_json::from_slice(&entry.value).ok()
}

/// Sends bytes of the partner `tester`; the reply, or that there was none within a time longer than any of these tests waits.
fn send(system: &System, bytes: Bytes) -> JoinHandle<Result<Bytes, RequestError>> {
    let bus = system.bus().clone();
    tokio::spawn(async move {
        let subject = subject::command("tester");
        let reply = bus.request(&subject, bytes, SOON).await;
        reply.map(|reply| reply.payload)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_takes_no_commands_and_says_who_holds_the_lease_and_until_when() {
    let mut system = System::start(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    assert!(system.stop_node().success());
    let beside = system.log_folder().with_extension("copy");
    copy(&system.log_folder(), &beside);
    system.start_node().await;
    let http = format!("127.0.0.1:{}", free_port());
    let mut program = system.node_program(&beside);
    program.args(["--http", &http]);
    let mut second = Process::start("second node", &mut program);
    let readiness = eventually("the second node to wait", SOON, async || {
        let readiness = get(&http, "/readyz").ok()?;
        readiness.body.contains("lease until").then_some(readiness)
    })
    .await;
    assert_eq!(readiness.status, 503);
    let metrics = get(&http, "/metrics").expect("metrics").body;
    assert!(metrics.contains("ledger_lease_held 0"), "{metrics}");
    // The first goes on meanwhile.
    some_events(&system, &mut commander, 3).await;
    let code = second.wait(SOON).code();
    let said = second.stderr();
    assert_eq!(code, Some(1), "{said}");
    let holder = lease(&system).await.expect("a lease");
    assert_eq!(holder["pid"], system.node().id());
    for part in [
        format!("process {}", system.node().id()),
        format!("directory {}", system.log_folder().display()),
        "ledger `main`".to_owned(),
        "holds the lease until 20".to_owned(),
        "and renews it".to_owned(),
        "rehearsing an upgrade on a copy".to_owned(),
    ] {
        assert!(said.contains(&part), "{part}: {said}");
        if part.starts_with("process") || part.starts_with("directory") {
            assert!(readiness.body.contains(&part), "{readiness:?}");
        }
    }
    assert!(!said.contains(HOLDS), "{said}");
    some_events(&system, &mut commander, 3).await;
    // Stopped in good order, the first leaves no lease behind that anybody had to wait for; its copy is behind the stream by now.
    assert!(system.stop_node().success());
    assert_eq!(lease(&system).await.expect("a lease")["stage"], "released");
    let started = Instant::now();
    let mut second = start(&system, &beside);
    assert_eq!(second.wait(SOON).code(), Some(1));
    assert!(second.stderr().contains("LEDGER_EVENTS ends at sequence"));
    assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
    system.start_node().await;
    some_events(&system, &mut commander, 1).await;
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_directory_takes_its_own_lease_over_at_once_and_a_copy_waits_until_it_ran_out() {
    let mut system = System::start(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 2).await;
    system.await_published().await;
    for _ in 0..2 {
        system.kill_node();
        let left = lease(&system).await.expect("a lease that nobody gave back");
        assert_eq!(left["stage"], "held");
        let started = Instant::now();
        system.start_node().await;
        some_events(&system, &mut commander, 1).await;
        assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
    }
    system.await_published().await;
    system.kill_node();
    let killed = Instant::now();
    let beside = system.log_folder().with_extension("copy");
    copy(&system.log_folder(), &beside);
    let mut second = start(&system, &beside);
    await_that("the copy to wait", SOON, || {
        second.stderr().contains("waiting whether it is renewed")
    });
    await_holding(&mut second);
    // Renewed every two and a half seconds, it lasted that much less than ten at the least.
    let waited = killed.elapsed();
    assert!(waited > AT_ONCE, "{waited:?}");
    some_events(&system, &mut commander, 2).await;
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rehearsing_on_a_copy_behind_the_same_server_loses_and_doubles_nothing() {
    let rounds = std::env::var("REHEARSALS").ok();
    let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let mut system = System::start(&SHORT).await;
    let writers = Writers::start(&system, 4).await;
    let parent = system.log_folder().with_file_name("");
    let mut folder: PathBuf = system.log_folder();
    assert!(system.stop_node().success());
    let mut holder: Option<Process> = None;
    let (mut copies_held, mut overlaps) = (0, 0);
    for round in 0..rounds {
        let random = |most: u64| Duration::from_millis(rand::rng().random_range(0..most));
        if let Some(mut holder) = holder.take() {
            tokio::time::sleep(random(600)).await;
            if rand::rng().random() {
                holder.kill();
            } else {
                assert!(holder.terminate(SOON).success(), "{}", holder.stderr());
            }
        }
        let beside = parent.join(format!("copy-{round}"));
        copy(&folder, &beside);
        let mut pair = [folder.clone(), beside];
        if rand::rng().random() {
            pair.reverse();
        }
        let mut first = start(&system, &pair[0]);
        tokio::time::sleep(random(400)).await;
        let mut second = start(&system, &pair[1]);
        let before = writers.acknowledged();
        let mut overlapped = false;
        // One of them gives receipts while both run; then the other ends.
        eventually("one of two nodes to end", SOON, async || {
            let both = first.runs() && second.runs();
            overlapped |= both && writers.acknowledged() > before;
            (!both).then_some(())
        })
        .await;
        overlaps += u32::from(overlapped);
        let (mut winner, mut loser, kept) = if first.runs() {
            (first, second, 0)
        } else {
            (second, first, 1)
        };
        assert_eq!(loser.wait(SOON).code(), Some(1), "{}", loser.stderr());
        // It saw the lease of the other, or came so late that its log was behind, as the stream or the fence shows.
        let said = loser.stderr();
        assert!(
            said.contains("holds the lease until")
                || said.contains("ends at sequence")
                || said.contains("older copy"),
            "{said}"
        );
        await_holding(&mut winner);
        let during = writers.acknowledged();
        await_that("receipts of the one that is left", SOON, || {
            writers.acknowledged() > during + 20
        });
        let log = system.log_from(0).await;
        writers.receipts_hold(0..during, &log);
        copies_held += u32::from(pair[kept] != folder);
        folder.clone_from(&pair[kept]);
        std::fs::remove_dir_all(&pair[1 - kept]).expect("a folder to remove");
        holder = Some(winner);
    }
    let acknowledged = writers.finish().await;
    let count = acknowledged.len();
    acknowledged.are_there_exactly_once(&system.log_from(0).await);
    system.verify_stream().await;
    println!(
        "{rounds} rounds, {count} receipts, {overlaps} while both ran, {copies_held} won by the copy"
    );
    assert!(
        overlaps > 0,
        "no two nodes ever ran while receipts were given"
    );
}

async fn accept_all(system: &System, commands: &[Bytes]) {
    for bytes in commands {
        let receipts = system.ask("tester", bytes.clone()).await;
        assert_eq!(receipts[0].status, Status::Accepted, "{receipts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_stopped_for_longer_than_its_lease_gives_no_receipt_for_what_it_had_taken() {
    for taken_over_is_idle in [false, true] {
        let mut system = System::start(&SHORT).await;
        let mut commander = system.reporter("tester", &["KEN"]).await;
        some_events(&system, &mut commander, 3).await;
        system.await_published().await;
        assert!(system.stop_node().success());
        let beside = system.log_folder().with_extension("copy");
        copy(&system.log_folder(), &beside);
        system.start_node().await;
        signal(system.node(), Signal::STOP);
        let stopped = Instant::now();
        // These wait in the stopped process.
        let commands: Vec<Bytes> = (0..20)
            .map(|_| commander.record(&["GCM-01"]).1.encode().into())
            .collect();
        let unanswered: Vec<_> = commands
            .iter()
            .map(|bytes| send(&system, bytes.clone()))
            .collect();
        system.bus().flush().await;
        let mut second = start(&system, &beside);
        await_holding(&mut second);
        assert!(stopped.elapsed() > Duration::from_secs(1));
        if !taken_over_is_idle {
            accept_all(&system, &commands).await;
        }
        signal(system.node(), Signal::CONT);
        let (code, said) = system.node_ended();
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("another node took over"), "{said}");
        assert!(said.contains(&format!("process {}", second.id())), "{said}");
        if taken_over_is_idle {
            accept_all(&system, &commands).await;
        }
        for reply in unanswered {
            assert!(!reply.is_finished(), "the stopped node answered");
            reply.abort();
        }
        let log = system.log_from(0).await;
        for bytes in &commands {
            let again = system.ask("tester", bytes.clone()).await;
            assert_eq!(again[0].status, Status::Duplicate);
            let causes = log
                .iter()
                .filter(|recorded| recorded.event.header.causation_id == again[0].command_id);
            assert_eq!(causes.count(), 1);
        }
        system.verify_stream().await;
        assert!(second.terminate(SOON).success(), "{}", second.stderr());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_that_nobody_could_replace_goes_on_and_answers_late() {
    let mut system = System::start(&SHORT).await;
    assert!(system.stop_node().success());
    let beside = system.log_folder().with_extension("copy");
    copy(&system.log_folder(), &beside);
    system.start_node().await;
    let writers = Writers::start(&system, 4).await;
    for _ in 0..3 {
        let before = writers.acknowledged();
        await_that("receipts", SOON, || writers.acknowledged() > before + 50);
        signal(system.node(), Signal::STOP);
        let stopped = Instant::now();
        let mut second = start(&system, &beside);
        // It waits for the lease to run out, and then sees that its log is behind.
        assert_eq!(second.wait(SOON).code(), Some(1));
        let said = second.stderr();
        assert!(said.contains("ends at sequence"), "{said}");
        await_that("the lease to run out", SOON, || stopped.elapsed() > RUN_OUT);
        signal(system.node(), Signal::CONT);
    }
    let before = writers.acknowledged();
    await_that("receipts", SOON, || writers.acknowledged() > before + 50);
    assert!(system.node().runs());
    let acknowledged = writers.finish().await;
    acknowledged.are_there_exactly_once(&system.log_from(0).await);
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_lost_with_the_servers_data_is_taken_again_by_its_holder() {
    let mut system = System::start(&SHORT).await;
    let writers = Writers::start(&system, 4).await;
    for wiped in [true, false, true] {
        let before = writers.acknowledged();
        await_that("receipts before", SOON, || {
            writers.acknowledged() > before + 50
        });
        if wiped {
            system.nats().wipe();
        } else {
            system.nats().start_again();
        }
        let during = writers.acknowledged();
        await_that("receipts after", SOON, || {
            writers.acknowledged() > during + 50
        });
        let pid = system.node().id();
        assert_eq!(lease(&system).await.expect("a lease")["pid"], pid);
    }
    // Deleted under a connection that stands.
    let delete = "$JS.API.STREAM.DELETE.KV_ledger_lease";
    let deleted = system.bus().request(delete, Bytes::new(), SOON).await;
    assert!(deleted.expect("an answer").payload.ends_with(b"true}"));
    assert_eq!(lease(&system).await, None, "the lease is gone");
    eventually("the lease to be there again", SOON, async || {
        lease(&system).await
    })
    .await;
    let said = system.node().stderr();
    assert!(said.contains("was taken again"), "{said}");
    let acknowledged = writers.finish().await;
    acknowledged.are_there_exactly_once(&system.log_from(0).await);
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_behind_a_server_that_knows_nothing_waits_for_whoever_held_the_lease() {
    let mut system = System::start(&SHORT).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    assert!(system.stop_node().success());
    let beside = system.log_folder().with_extension("copy");
    copy(&system.log_folder(), &beside);
    system.start_node().await;
    some_events(&system, &mut commander, 3).await;
    let size = system.tree_size().await;
    // The holder cannot come back by itself before the copy has begun.
    signal(system.node(), Signal::STOP);
    system.nats().wipe();
    let mut second = start(&system, &beside);
    await_that("the copy to wait", SOON, || {
        second.stderr().contains("nothing of this ledger")
    });
    signal(system.node(), Signal::CONT);
    assert_eq!(second.wait(SOON).code(), Some(1));
    let said = second.stderr();
    assert!(!said.contains(HOLDS), "{said}");
    system.await_node().await;
    assert_eq!(system.tree_size().await, size);
    some_events(&system, &mut commander, 3).await;
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_away_for_longer_than_the_lease_leaves_no_commands_taken_until_it_is_held_again() {
    let mut system = System::with_nats_only(&[]).await;
    let http = format!("127.0.0.1:{}", free_port());
    system.set_node_arguments(&[SHORT[0], SHORT[1], "--http", &http]);
    system.start_node().await;
    system.load_reference().await;
    let metric = |name: &str| -> f64 {
        let metrics = get(&http, "/metrics").expect("metrics").body;
        let line = metrics.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split(' ').nth(1));
        value.and_then(|value| value.parse().ok()).expect("a value")
    };
    let writers = Writers::start(&system, 2).await;
    await_that("receipts", SOON, || writers.acknowledged() > 50);
    assert!(metric("ledger_lease_held") > 0.5);
    let left = metric("ledger_lease_left_seconds");
    assert!(0.0 < left && left < 2.0, "{left}");
    system.nats().stop();
    await_that("the lease to run out", SOON, || {
        metric("ledger_lease_held") < 0.5
    });
    assert!(metric("ledger_lease_left_seconds") < 0.001);
    let readiness = get(&http, "/readyz").expect("an answer");
    assert_eq!(readiness.status, 503);
    assert!(readiness.body.contains("lease"), "{readiness:?}");
    system.nats().start_again();
    let during = writers.acknowledged();
    await_that("receipts after", SOON, || {
        writers.acknowledged() > during + 50
    });
    assert!(metric("ledger_lease_held") > 0.5);
    let acknowledged = writers.finish().await;
    acknowledged.are_there_exactly_once(&system.log_from(0).await);
    system.verify_stream().await;
}

/// Asks the server's own API for something that is done.
async fn have_done(system: &System, what: &str, payload: &'static str) {
    let subject = format!("$JS.API.STREAM.{what}");
    let done = system.bus().request(&subject, payload.into(), SOON).await;
    let answer = done.expect("an answer").payload;
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    assert!(answer.get("error").is_none(), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_right_after_a_receipt_lets_no_copy_from_before_take_over() {
    for _ in 0..3 {
        let mut system = System::start(&SHORT).await;
        let mut commander = system.reporter("tester", &["KEN"]).await;
        some_events(&system, &mut commander, 1).await;
        assert!(system.stop_node().success());
        let beside = system.log_folder().with_extension("copy");
        copy(&system.log_folder(), &beside);
        system.start_node().await;
        // The one receipt of this run; then server and holder are gone in the same instant.
        let record: Bytes = commander.record(&["GCM-01"]).1.encode().into();
        accept_all(&system, std::slice::from_ref(&record)).await;
        system.nats().kill();
        signal(system.node(), Signal::STOP);
        system.nats().start_again();
        let mut second = start(&system, &beside);
        assert_eq!(second.wait(SOON).code(), Some(1));
        let said = second.stderr();
        assert!(!said.contains(HOLDS), "{said}");
        signal(system.node(), Signal::CONT);
        system.await_node().await;
        let again = system.ask("tester", record.clone()).await;
        assert_eq!(again[0].status, Status::Duplicate);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_wait_for_the_fence_and_those_of_duplicates_do_too() {
    let mut system = System::with_nats_only(&[]).await;
    let http = format!("127.0.0.1:{}", free_port());
    system.set_node_arguments(&["--http", &http]);
    // A server that takes the fence from nobody, as one whose disk is full.
    let full = r#"{"name":"KV_ledger_fence","subjects":["$KV.ledger_fence.>"],"max_bytes":1,"discard":"new"}"#;
    have_done(&system, "CREATE.KV_ledger_fence", full).await;
    let waits = || {
        let readiness = get(&http, "/readyz").expect("an answer");
        readiness.status == 503 && readiness.body.contains("ledger_fence")
    };
    let mut root = Commander::new("root", "ledger", 0);
    let bytes: Bytes = root.register_reporter("tester", &["KEN"]).encode().into();
    let send_as_root = |system: &System| {
        let bus = system.bus().clone();
        let bytes = bytes.clone();
        tokio::spawn(async move {
            let subject = subject::command("root");
            bus.request(&subject, bytes, Duration::from_mins(5)).await
        })
    };
    system.start_node().await;
    for _ in ["accepted", "duplicate"] {
        let reply = send_as_root(&system);
        await_that("receipts to wait for the fence", SOON, waits);
        assert!(!reply.is_finished());
        reply.abort();
        system.kill_node();
        system.start_node().await;
    }
    let reply = send_as_root(&system);
    await_that("receipts to wait for the fence", SOON, waits);
    have_done(&system, "DELETE.KV_ledger_fence", "").await;
    let receipts = reply.await.expect("no panic").expect("a reply").payload;
    let receipt: Value = serde_json::from_slice(&receipts).expect("a receipt");
    assert_eq!(receipt["status"], "duplicate");
    await_that("readiness", SOON, || {
        get(&http, "/readyz").expect("an answer").status == 200
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_come_while_the_lease_is_not_held_take_no_memory_without_bound() {
    let http = format!("127.0.0.1:{}", free_port());
    let arguments = [SHORT[0], SHORT[1], "--queue-kib", "4096", "--http", &http];
    let mut system = System::start(&arguments).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 1).await;
    let memory_kib = |id: u32| -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("a process");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let value = line.and_then(|line| line.split_whitespace().nth(1));
        value.and_then(|value| value.parse().ok()).expect("a size")
    };
    let id = system.node().id();
    let before = memory_kib(id);
    // A server that keeps no lease.
    have_done(&system, "DELETE.KV_ledger_lease", "").await;
    let full = r#"{"name":"KV_ledger_lease","subjects":["$KV.ledger_lease.>"],"storage":"memory","max_bytes":1,"discard":"new","allow_msg_ttl":true}"#;
    have_done(&system, "CREATE.KV_ledger_lease", full).await;
    await_that("the lease to run out", SOON, || {
        get(&http, "/readyz").expect("an answer").status == 503
    });
    let megabyte = Bytes::from(vec![b' '; 1 << 20]);
    let sender = CommandSender::open(system.bus(), "tester").await;
    let (sender, inbox) = sender.expect("a sender");
    drop(inbox);
    for _ in 0..6 {
        for token in 0..100 {
            sender.send(token, megabyte.clone()).await.expect("sent");
        }
        system.bus().flush().await;
        await_that("the messages to be let go", SOON, || {
            memory_kib(id).saturating_sub(before) < 250 << 10
        });
    }
    let record: Bytes = commander.record(&["GCM-01"]).1.encode().into();
    let reply = send(&system, record);
    have_done(&system, "DELETE.KV_ledger_lease", "").await;
    let receipt = reply.await.expect("no panic").expect("a reply");
    let receipt: Value = serde_json::from_slice(&receipt).expect("a receipt");
    assert!(
        receipt["status"] == "accepted" || receipt["rejection"]["code"] == "busy",
        "{receipt}"
    );
}
