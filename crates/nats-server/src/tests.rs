use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn options(folder: &Path) -> Options {
    Options {
        server: find(&Places::from_environment()).expect("`cargo xtask nats-server` fetches one"),
        folder: folder.to_owned(),
        port: Port::Free,
        launch: Launch::Direct,
        ready_within: Duration::from_secs(30),
        stream_bytes: None,
        max_payload: None,
    }
}

fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "timed out: {what}");
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn kill(pid: u32) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process id");
    kill_process(pid, Signal::KILL).expect("signalled");
}

#[test]
fn a_started_server_answers_and_a_stopped_one_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = NatsServer::start(&options(folder.path())).expect("started");
    let port = server.port();
    assert!(greets(port));
    server.stop();
    assert!(!greets(port));
}

#[test]
fn two_servers_in_two_folders_do_not_disturb_each_other() {
    let (one, other) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let first = NatsServer::start(&options(one.path())).expect("started");
    let second = NatsServer::start(&options(other.path())).expect("started");
    assert_ne!(first.port(), second.port());
    first.stop();
    assert!(greets(second.port()));
}

#[test]
fn a_killed_server_comes_back_on_the_same_port() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = NatsServer::start(&options(folder.path())).expect("started");
    let killed = server.process_id().expect("it runs");
    kill(killed);
    await_that("another process", || {
        server.process_id().is_some_and(|pid| pid != killed)
    });
    await_that("an answer on the same port", || greets(server.port()));
}

#[test]
fn a_folder_in_use_is_refused_and_its_server_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = NatsServer::start(&options(folder.path())).expect("started");
    assert!(matches!(
        NatsServer::start(&options(folder.path())),
        Err(StartError::InUse { .. })
    ));
    assert!(greets(server.port()));
}

#[test]
fn a_server_left_behind_is_ended_by_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = options(folder.path());
    let files = Files::prepare(folder.path()).expect("prepared");
    files
        .write_config(Port::Free, MAX_PAYLOAD_BYTES, None)
        .expect("written");
    let mut left_behind = Command::new(&options.server)
        .arg("--config")
        .arg(&files.config)
        .spawn()
        .expect("started");
    await_that("the left-behind server", || {
        files.port_of(left_behind.id()).is_some()
    });
    let server = NatsServer::start(&options).expect("started");
    left_behind.wait().expect("it has ended");
    assert!(greets(server.port()));
}

/// Has the configuration's next version written to a disk that is always full.
fn fill_disk(folder: &Path) -> PathBuf {
    let next = folder.join("nats-server.conf.next");
    std::os::unix::fs::symlink("/dev/full", &next).expect("a link");
    next
}

#[test]
fn a_first_start_on_a_full_disk_waits_for_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let next = fill_disk(folder.path());
    let asked = std::cell::Cell::new(0);
    let server = NatsServer::start_while(&options(folder.path()), || {
        asked.set(asked.get() + 1);
        // Longer than the first attempt takes, and the pause after it.
        if asked.get() == 100 {
            fs::remove_file(&next).expect("room");
        }
        true
    });
    assert!(greets(server.expect("started").port()));
    assert!(asked.get() >= 100, "it has waited");
}

#[test]
fn waiting_for_room_can_be_called_off() {
    let folder = tempfile::tempdir().expect("a folder");
    fill_disk(folder.path());
    let asked = std::cell::Cell::new(0);
    let started = NatsServer::start_while(&options(folder.path()), || {
        asked.set(asked.get() + 1);
        asked.get() < 100
    });
    assert!(matches!(started, Err(StartError::CalledOff)), "{started:?}");
}

#[test]
fn a_configuration_that_stands_there_already_is_not_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = Files::prepare(folder.path()).expect("prepared");
    let write = |bytes| files.write_config(Port::Free, MAX_PAYLOAD_BYTES, Some(bytes));
    write(1).expect("written");
    fill_disk(folder.path());
    write(1).expect("nothing to write");
    let refused = write(2).expect_err("a full disk");
    assert!(refused.to_string().contains("make room"), "{refused}");
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
    let port = taken.local_addr().expect("an address").port();
    let folder = tempfile::tempdir().expect("a folder");
    let started = NatsServer::start(&Options {
        port: Port::Fixed(port),
        ..options(folder.path())
    });
    let named = matches!(started, Err(StartError::PortTaken { port: named }) if named == port);
    assert!(named, "{started:?}");
}

#[test]
fn a_server_that_ends_at_once_is_an_error_that_quotes_its_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = folder.path().join("nats-server");
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && echo 'nats-server: v2.15.1' || { echo 'no luck'; exit 3; }\n";
    fs::write(&server, script).expect("written");
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).expect("executable");
    // A process that another test is just starting may hold the script open for writing until its own exec.
    while matches!(usable(&server), Err(VersionError::NotRunnable(_))) {}
    let started = NatsServer::start(&Options {
        server,
        ..options(folder.path())
    });
    let Err(StartError::Exited { log, .. }) = started else {
        panic!("{started:?}");
    };
    assert_eq!(log, "no luck");
}

#[test]
fn a_program_that_is_no_server_is_refused_before_anything_is_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let started = NatsServer::start(&Options {
        server: PathBuf::from("/nowhere/nats-server"),
        folder: folder.path().join("nats"),
        ..options(folder.path())
    });
    assert!(matches!(started, Err(StartError::Unusable { .. })));
    assert!(!folder.path().join("nats").exists());
}

#[test]
fn a_folder_with_quotes_and_spaces_in_its_name_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let odd = folder.path().join("a \"quoted\" \\ folder # 1");
    let server = NatsServer::start(&options(&odd)).expect("started");
    assert!(greets(server.port()));
    assert!(odd.join("streams").join("jetstream").exists());
}

#[test]
fn a_server_whose_folder_was_removed_comes_back_on_the_same_port_with_a_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let nats = folder.path().join("nats");
    let server = NatsServer::start(&options(&nats)).expect("started");
    let killed = server.process_id().expect("it runs");
    fs::remove_dir_all(&nats).expect("a folder to remove");
    kill(killed);
    await_that("an answer", || {
        server.process_id().is_some_and(|pid| pid != killed) && greets(server.port())
    });
    assert!(nats.join("nats-server.conf").is_file());
    // The lock went with the folder and is held again.
    let second = NatsServer::start(&options(&nats));
    assert!(
        matches!(second, Err(StartError::InUse { .. })),
        "{second:?}"
    );
    server.stop();
}

#[test]
fn a_folder_that_cannot_be_made_is_named_and_not_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let nats = folder.path().join("nats");
    let server = NatsServer::start(&options(&nats)).expect("started");
    fs::remove_dir_all(&nats).expect("a folder to remove");
    fs::write(&nats, "in the way").expect("a file");
    kill(server.process_id().expect("it runs"));
    let mut said = String::new();
    await_that("a failed start", || {
        let state = server.shared.state();
        said = state
            .start_error
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        !said.is_empty()
    });
    assert!(said.contains(nats.to_str().expect("text")), "{said}");
    fs::remove_file(&nats).expect("a file to remove");
    await_that("an answer", || greets(server.port()));
}
