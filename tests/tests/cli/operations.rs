//! The manual's material for operators: the files in `docs/operations`, and lines that they copy.
//! The test says on standard error where a tool that reads such a file is not on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ledger_nats_server::{Places, find};
use ledger_tests::{Finished, ledger_binary, run};
use tempfile::TempDir;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap()
}

/// Runs a tool, if it is there.
fn with_tool(program: &str, arguments: &[&str]) -> Option<Finished> {
    let which = run(
        Command::new("sh").args(["-c", &format!("command -v {program}")]),
        b"",
    );
    if !which.status.success() {
        eprintln!("{program} is not on this machine: nothing was checked with it");
        return None;
    }
    Some(run(Command::new(program).args(arguments), b""))
}

#[test]
fn the_unit_of_systemd_is_one_that_systemd_takes() {
    let unit = read("docs/operations/compact-ledger.service");
    let start = unit.lines().find(|line| line.starts_with("ExecStart="));
    assert!(start.unwrap().contains(" --no-demo "), "{start:?}");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("compact-ledger.service");
    let binary = ledger_binary();
    let here = unit.replace("/usr/local/bin/compact-ledger", binary.to_str().unwrap());
    fs::write(&file, here).unwrap();
    if let Some(verified) = with_tool("systemd-analyze", &["verify", file.to_str().unwrap()]) {
        let ours: Vec<&str> = verified
            .stderr
            .lines()
            .filter(|line| line.contains("compact-ledger"))
            .collect();
        assert!(
            verified.status.success() && ours.is_empty(),
            "{}",
            verified.stderr
        );
    }
    // Its arguments are ones that the program reads.
    let arguments = start.unwrap().split(' ').skip(1).chain(["--help"]);
    let helped = run(Command::new(&binary).args(arguments), b"");
    assert!(helped.status.success(), "{}", helped.stderr);
}

#[test]
fn the_example_of_a_reverse_proxy_is_one_that_nginx_takes() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("certificate.pem"), path("key.pem"));
    let site = read("docs/operations/nginx.conf")
        .replace("/etc/ssl/certs/ledger.example.org.pem", &certificate)
        .replace("/etc/ssl/private/ledger.example.org.key", &key)
        .replace("listen 80;", "listen 127.0.0.1:18080;")
        .replace("listen 443 ", "listen 127.0.0.1:18443 ");
    fs::write(path("site.conf"), site).unwrap();
    let whole = format!(
        "pid {};\nerror_log {};\nevents {{}}\nhttp {{ access_log off; include {}; }}\n",
        path("pid"),
        path("error.log"),
        path("site.conf")
    );
    fs::write(path("nginx.conf"), whole).unwrap();
    let made = with_tool(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=ledger.example.org",
            "-days",
            "2",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ],
    );
    if made.is_some_and(|made| made.status.success())
        && let Some(tested) = with_tool("nginx", &["-t", "-c", &path("nginx.conf")])
    {
        assert!(tested.status.success(), "{}", tested.stderr);
        assert!(!tested.stderr.contains("[warn]"), "{}", tested.stderr);
    }
}

#[test]
fn the_configuration_of_nats_server_in_the_manual_is_one_that_it_takes() {
    let manual = read("README.md");
    let blocks = manual.split("\n```\n");
    let block = blocks.clone().find(|block| block.starts_with("host: "));
    let configuration = block.unwrap().split("\n```").next().unwrap();
    assert!(configuration.contains("max_file_store"), "{configuration}");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("nats.conf");
    fs::write(&file, configuration).unwrap();
    let server = find(&Places::from_environment()).unwrap();
    let tested = run(Command::new(server).arg("-t").arg("-c").arg(&file), b"");
    assert!(tested.status.success(), "{}", tested.stderr);
}

#[test]
fn the_lines_for_completions_and_manual_pages_work_in_a_fresh_home() {
    let manual = read("README.md");
    let lines: Vec<&str> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .filter(|line| line.contains("bash-completion") || line.contains("man --dir"))
        .collect();
    assert!(lines.len() >= 2, "{lines:?}");
    let home = TempDir::new().unwrap();
    let path = format!(
        "{}:{}",
        ledger_binary().parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &lines.join("\n")]);
    let done = run(shell.env("HOME", home.path()).env("PATH", path), b"");
    assert!(done.status.success(), "{}", done.stderr);
    let completions = ".local/share/bash-completion/completions/compact-ledger";
    for made in [completions, ".local/share/man/man1/compact-ledger.1"] {
        assert!(home.path().join(made).is_file(), "{made}");
    }
    // So does the line in the help.
    let help = run(
        Command::new(ledger_binary()).args(["completions", "--help"]),
        b"",
    )
    .succeeded();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = help.split('`').nth(1).unwrap().to_owned();
    let home = TempDir::new().unwrap();
    let path = format!(
        "{}:{}",
        ledger_binary().parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &line]);
    let done = run(shell.env("HOME", home.path()).env("PATH", path), b"");
    assert!(done.status.success(), "{line}: {}", done.stderr);
    assert!(home.path().join(completions).is_file(), "{line}");
}
