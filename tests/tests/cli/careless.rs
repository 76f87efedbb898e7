//! What careless people do: wrong files, pipes that close, addresses and codes that are none. Each time there is a sentence
//! that says what to change and an exit code, and never a panic.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ledger_tests::commands::Commander;
use ledger_tests::{Finished, Process, Up, await_that, free_port, get, ledger, ledger_binary, run};

use serde_json::Value;

use crate::{audited, code, lines};

const SOON: Duration = Duration::from_mins(1);

fn recorded(up: &Up) -> Option<Value> {
    audited(up).get("tree_size").cloned()
}

/// It failed with this code and one sentence, which says this.
fn assert_says(finished: &Finished, expected: i32, what: &str) {
    assert_eq!(code(finished), expected, "{}", finished.stderr);
    assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    assert!(finished.stderr.contains(what), "{}", finished.stderr);
}

/// `{}` in the encodings that other programs save a text in, and what is said of it.
const OTHER_ENCODINGS: [(&[u8], &str); 5] = [
    (b"\xff\xfe{\0}\0", "it is UTF-16; save it as UTF-8"),
    (b"\xfe\xff\0{\0}", "it is UTF-16; save it as UTF-8"),
    (b"{\0}\0", "it is UTF-16; save it as UTF-8"),
    (
        b"\xff\xfe\0\0{\0\0\0}\0\0\0",
        "it is UTF-32; save it as UTF-8",
    ),
    (
        b"\0\0\xfe\xff\0\0\0{\0\0\0}",
        "it is UTF-32; save it as UTF-8",
    ),
];

#[test]
fn a_wrong_file_is_named_and_leaves_no_trace_in_the_log() {
    let up = Up::start(&["--no-demo"]);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let directory = folder.path().to_str().unwrap();
    let before = recorded(&up);
    for source in ["upr", "ogp"] {
        let import = |file: &str| up.cli(["import", source, file], b"");
        let nothing = format!("no record of this source in {}", file("empty", b""));
        assert_says(&import(&file("empty", b"")), 1, &nothing);
        assert_says(
            &import(&file("binary", b"{}\n\xff\xfe\n")),
            2,
            "line 2 is not UTF-8",
        );
        for (bytes, said) in OTHER_ENCODINGS {
            assert_says(&import(&file("encoded", bytes)), 2, said);
        }
        assert_says(&import(directory), 2, "cannot be read");
        let other = import(&file("other", b"[1, 2]\n\"three\"\n"));
        assert_eq!(code(&other), 1);
        assert!(other.stderr.starts_with("line 1: "), "{}", other.stderr);
        assert!(
            other.stderr.contains("nothing was sent"),
            "{}",
            other.stderr
        );
        assert_eq!(other.stdout, "");
    }
    let submit = |file: &str| up.cli(["submit", file], b"");
    assert_says(&submit(directory), 2, "cannot be read");
    assert_says(&submit(&file("empty", b"\n \n")), 0, "no command in");
    for (bytes, said) in OTHER_ENCODINGS {
        let sent = submit(&file("encoded", bytes));
        assert_says(&sent, 2, said);
        assert_eq!(sent.stdout, "");
    }
    assert_eq!(recorded(&up), before);
}

#[test]
fn receipts_that_nobody_reads_are_a_failure_because_not_everything_was_sent() {
    let up = Up::start(&[]);
    let mut kenya = Commander::new("illustrative-africa", "KEN", 10);
    let commands: Vec<Vec<u8>> = (0..3_000)
        .map(|_| kenya.record(&["GCM-10"]).1.encode())
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("commands.ndjson");
    fs::write(&file, commands.join(&b'\n')).unwrap();
    let call = format!("submit {}", file.display());
    let cut = piped_into(&up, &call, "head -1");
    assert!(cut.stderr.ends_with("\n1\n"), "{}", cut.stderr);
    assert!(cut.stderr.contains("sent again"), "{}", cut.stderr);
    let again = up.cli(["submit", file.to_str().unwrap()], b"");
    assert_eq!(code(&again), 0, "{}", again.stderr);
    assert_eq!(lines(&again.stdout).len(), commands.len());
}

/// What a shell says of `compact-ledger <call> | <reader>`; the last line is the exit code of the call.
fn piped_into(up: &Up, call: &str, reader: &str) -> Finished {
    let binary = ledger_binary();
    let line = format!("({} {call}; echo $? >&2) | {reader}", binary.display());
    run(up.command(Command::new("sh").arg("-c").arg(line)), b"")
}

#[test]
fn a_verdict_is_the_same_whether_or_not_somebody_reads_it() {
    let mut up = Up::start(&["--no-demo"]);
    audited(&up);
    // A reader that never reads is gone before anything is written.
    let sound = piped_into(&up, "audit verify", "true");
    assert_eq!(sound.stderr, "0\n");
    let url = format!("health --url http://{}/nothing", up.http());
    let elsewhere = piped_into(&up, &url, "true").stderr;
    assert!(elsewhere.ends_with("\n1\n"), "{elsewhere}");
    assert!(up.terminate().success());
    let journal = fs::read_dir(up.data().join("ledger/journal")).unwrap();
    let segment = journal.map(|entry| entry.unwrap().path()).min().unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[8192] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let call = format!("scrub {}", up.data().display());
    let damaged = piped_into(&up, &call, "true");
    assert!(damaged.stderr.ends_with("\n1\n"), "{}", damaged.stderr);
}

#[test]
fn a_standard_error_or_output_that_cannot_be_written_ends_nothing_in_a_panic() {
    let up = Up::start(&["--no-demo"]);
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let mut unheard = ledger(["country", "XXX"]);
    let ended = up.command(&mut unheard).stderr(full()).status().unwrap();
    assert_eq!(ended.code(), Some(1));
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds/samples/upr.jsonl");
    let mut unheard = ledger(["import", "upr"]);
    let unheard = up.command(unheard.arg(sample).stdout(Stdio::null()));
    assert_eq!(unheard.stderr(full()).status().unwrap().code(), Some(0));
    let mut unread = ledger(["country", "KEN"]);
    let ended = up.command(&mut unread).stdout(full()).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("standard output cannot be written"), "{said}");
}

#[test]
fn what_cannot_be_asked_says_what_can() {
    let up = Up::start(&["--no-demo"]);
    for (arguments, expected, what) in [
        (&["country", "KE"][..], 1, "three letters, like KEN"),
        (&["country", "K E"], 1, "three letters, like KEN"),
        (&["country", "KEM"], 1, "did you mean KEN"),
        (&["watch", "--country", "KE", "stale"], 1, "like KEN"),
        (&["diff", "--from", "9", "--country", "KE"], 1, "like KEN"),
        (&["action", "GCM-99z"], 1, "like GCM-10"),
        (&["action", "GCM 10"], 1, "did you mean GCM-10?"),
        (
            &["watch", "--action", "GCM10", "stale"],
            1,
            "did you mean GCM-10?",
        ),
        (
            &["diff", "--from", "9", "--action", "GCM-99z"],
            1,
            "like GCM-10",
        ),
        (&["replay", "--action", "GCM-99z"], 1, "like GCM-10"),
        (&["gaps", "--region", "X"], 1, "there are Africa"),
        (
            &["partner", "show", "nobody"],
            1,
            "without an id lists them",
        ),
        (&["review", "NONE"], 1, "without an id lists them"),
        (&["scrub", "/no/such/directory"], 2, "cannot be read"),
        (
            &["scrub", "/"],
            2,
            "neither ledger/ledger.key nor ledger.key is in /: is this the directory of a log?\n",
        ),
        (&["submit", "/no/such/file"], 2, "cannot be read"),
        (
            &["country", "KEN", "--as-of", "yesterday"],
            2,
            "nor a time like",
        ),
        (&["replay", "--country", "KE"], 1, "like KEN"),
        (
            &["replay", "--from", "9", "--to", "3"],
            2,
            "nothing between",
        ),
        (
            &["diff", "--from", "5", "--to", "3"],
            2,
            "the earlier one first",
        ),
        (&["--nats", "", "summary"], 2, "like nats://127.0.0.1:4222"),
        (
            &["node", "--data", "/no/such/directory", "--nats", ""],
            2,
            "like nats://127.0.0.1:4222",
        ),
        (
            &["audit", "verify", "--key", "x"],
            2,
            "as `audit key` prints it",
        ),
    ] {
        assert_says(&up.run(arguments), expected, what);
    }
    // Of a territory nothing may be recorded, as of a State.
    let territory = up.cli(["country", "HKG"], b"");
    let territory = territory.succeeded();
    assert!(territory.contains("Nothing recorded."), "{territory}");
    for address in ["8080", "localhost:8080"] {
        let refused = run(&mut ledger(["up", "--http", address]), b"");
        assert_eq!(code(&refused), 2);
        assert!(
            refused.stderr.contains("like 127.0.0.1:8080"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn an_up_whose_output_nobody_reads_is_up_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let http = format!("127.0.0.1:{}", free_port());
    let line = format!(
        "exec {} up --no-demo --data {} --http {http} --nats-port 0 >/dev/full 2>&1",
        ledger_binary().display(),
        folder.path().display()
    );
    let mut up = Process::start("up", Command::new("sh").arg("-c").arg(line));
    await_that("`up` to be ready", SOON, || {
        assert!(up.runs());
        get(&http, "/readyz").is_ok_and(|answer| answer.status == 200)
    });
    assert!(up.terminate(SOON).success());
}
