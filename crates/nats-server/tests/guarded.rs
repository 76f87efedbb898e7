//! A parent that is killed takes its guarded nats-server along, and the next start in the same folder works.
//!
//! This program is the test, the parent and the guard, by its first argument.

#![expect(clippy::expect_used, reason = "a test says what it expected and stops")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use ledger_nats_server::{Launch, NatsServer, Options, Places, Port, exec_guarded, find};

const NAME: &str = "a_killed_parent_takes_its_server_along_and_the_next_start_works";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next().as_ref().and_then(|word| word.to_str()) {
        Some("--guard") => {
            let error = exec_guarded(arguments);
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        Some("--parent") => {
            let folder = arguments.next().map(PathBuf::from).expect("a folder");
            parent(&folder);
            ExitCode::SUCCESS
        }
        Some("--list") => {
            println!("{NAME}: test");
            ExitCode::SUCCESS
        }
        Some(_) | None => {
            a_killed_parent_takes_its_server_along();
            // The words of the standard harness, so that whoever counts tests counts this one.
            println!(
                "test {NAME} ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out"
            );
            ExitCode::SUCCESS
        }
    }
}

fn start(folder: &Path) -> NatsServer {
    NatsServer::start(&Options {
        server: find(&Places::from_environment()).expect("`cargo xtask nats-server` fetches one"),
        folder: folder.to_owned(),
        port: Port::Free,
        launch: Launch::Guarded {
            program: std::env::current_exe().expect("our path"),
            arguments: vec!["--guard".to_owned()],
        },
        ready_within: Duration::from_secs(30),
        stream_bytes: None,
        max_payload: None,
    })
    .expect("nats-server starts")
}

/// Starts a server, says its process id, and waits to be killed.
fn parent(folder: &Path) {
    let server = start(folder);
    println!("{}", server.process_id().expect("it runs"));
    let mut until_killed = Vec::new();
    std::io::stdin()
        .read_to_end(&mut until_killed)
        .expect("read");
}

fn a_killed_parent_takes_its_server_along() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut parent = Command::new(std::env::current_exe().expect("our path"))
        .arg("--parent")
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the parent starts");
    let mut line = String::new();
    BufReader::new(parent.stdout.take().expect("piped"))
        .read_line(&mut line)
        .expect("read");
    let process = Path::new("/proc").join(line.trim());
    let runs = || std::fs::read(process.join("cmdline")).is_ok_and(|line| !line.is_empty());
    assert!(runs(), "the server runs as long as its parent");
    parent.kill().expect("killed");
    parent.wait().expect("reaped");
    let deadline = Instant::now() + Duration::from_secs(20);
    while runs() {
        assert!(Instant::now() < deadline, "the server outlived its parent");
        std::thread::sleep(Duration::from_millis(5));
    }
    start(folder.path()).stop();
}
