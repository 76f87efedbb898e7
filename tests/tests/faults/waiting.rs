//! The things that a start waits for. A message says so where an operator looks, and the start goes
//! on by itself once the thing is there.

use std::fs;
use std::process::Command;

use ledger_nats_server::{Places, find};
use ledger_tests::{Process, await_that, free_port, get, ledger};

use crate::support::SOON;

#[test]
fn a_nats_server_without_memory_for_the_lease_is_said_on_readyz() {
    let folder = tempfile::tempdir().expect("a folder");
    let (nats_port, http) = (free_port(), format!("127.0.0.1:{}", free_port()));
    let config = folder.path().join("nats.conf");
    let streams = folder.path().join("streams");
    let text = format!(
        "host: 127.0.0.1\nport: {nats_port}\nmax_payload: 8388608\n\
         jetstream {{ store_dir: \"{}\", max_memory_store: 0 }}\n",
        streams.display()
    );
    fs::write(&config, text).expect("written");
    let server = find(&Places::from_environment()).expect("a nats-server");
    let mut program = Command::new(server);
    let _nats = Process::start("nats-server", program.arg("-c").arg(&config));
    let mut program = ledger(["node", "--http", &http, "--data"]);
    program.arg(folder.path().join("ledger"));
    program.env("NATS_URL", format!("nats://127.0.0.1:{nats_port}"));
    let mut node = Process::start("node", &mut program);
    await_that("the reason", SOON, || {
        assert!(node.runs(), "{}", node.stderr());
        let readiness = get(&http, "/readyz").ok();
        readiness.is_some_and(|it| it.status == 503 && it.body.contains("insufficient memory"))
    });
}

#[test]
fn an_up_whose_disk_is_full_waits_for_room_and_ends_when_it_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let nats = folder.path().join("nats");
    fs::create_dir(&nats).expect("a folder");
    let next = nats.join("nats-server.conf.next");
    std::os::unix::fs::symlink("/dev/full", &next).expect("a link to a full disk");
    let http = format!("127.0.0.1:{}", free_port());
    let start = || {
        let mut program = ledger(["up", "--no-demo", "--nats-port", "0", "--http", &http]);
        let mut up = Process::start("up", program.arg("--data").arg(folder.path()));
        await_that("what it waits for", SOON, || {
            assert!(up.runs(), "{}", up.stderr());
            up.stderr().contains("as soon as there is room")
        });
        assert!(up.stderr().contains("make room"), "{}", up.stderr());
        up
    };
    let status = start().terminate(SOON);
    assert!(status.success(), "{status}");
    let mut up = start();
    fs::remove_file(&next).expect("room");
    await_that("`up` to be ready", SOON, || {
        assert!(up.runs(), "{}", up.stderr());
        get(&http, "/readyz").is_ok_and(|readiness| readiness.status == 200)
    });
}
