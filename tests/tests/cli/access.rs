//! A nats-server that asks who is there: users, tokens, several servers, and what is secret in an address.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ledger_nats_server::{Places, find};
use ledger_tests::commands::Commander;
use ledger_tests::{Finished, Process, await_that, free_port, ledger, run};
use tempfile::TempDir;

use crate::code;

const SOON: Duration = Duration::from_secs(30);
/// A password with signs that an address has to write in another way, and what it is written as.
const PASSWORD: &str = "p@ss:w/rd";
const ENCODED: &str = "p%40ss%3Aw%2Frd";

/// A nats-server that takes who `authorization` says.
struct Guarded {
    folder: TempDir,
    port: u16,
    process: Process,
}

impl Guarded {
    fn start(authorization: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let streams = folder.path().join("streams");
        let configuration = format!(
            "host: \"127.0.0.1\"\nport: {port}\nmax_payload: 8388608\n\
             jetstream {{ store_dir: \"{}\" }}\nauthorization {{ {authorization} }}\n",
            streams.display()
        );
        let file = folder.path().join("nats.conf");
        fs::write(&file, configuration).unwrap();
        let server = find(&Places::from_environment()).unwrap();
        let mut command = Command::new(server);
        let process = Process::start("nats-server", command.arg("-c").arg(file));
        await_that("nats-server to be ready", SOON, || {
            process.stderr().contains("Server is ready")
        });
        Self {
            folder,
            port,
            process,
        }
    }

    fn url(&self, user: &str) -> String {
        format!("nats://{user}@127.0.0.1:{}", self.port)
    }

    fn refusals(&self) -> usize {
        self.process
            .stderr()
            .matches("authentication error")
            .count()
    }

    fn roles(&self, url: &str) -> (Process, Process) {
        let start = |name: &str, role: &[&str], folder: &Path| {
            let mut command = ledger([]);
            command.args(role).arg("--data").arg(folder);
            Process::start(name, command.env("NATS_URL", url).env("RUST_LOG", "trace"))
        };
        let folder = self.folder.path();
        (
            start("node", &["node"], &folder.join("ledger")),
            start("projector", &["projector", "all"], &folder.join("views")),
        )
    }
}

fn ask(url: &str, arguments: &[&str]) -> Finished {
    run(ledger([]).args(arguments).env("NATS_URL", url), b"")
}

/// Calls of every subcommand that ends by itself, some of them wrong; `SECRET` is an address with a user where none belongs.
const CALLS: [&str; 36] = [
    "country KEN",
    "country XYZ",
    "country SECRET",
    "country KEN --as-of SECRET",
    "action GCM-10",
    "action SECRET",
    "summary --json",
    "gaps",
    "gaps --region SECRET",
    "partner show",
    "partner show SECRET",
    "review",
    "review SECRET",
    "watch",
    "watch stale",
    "watch SECRET",
    "diff --from 3",
    "diff --from SECRET",
    "replay --to 3",
    "replay --from 99999",
    "replay --from SECRET",
    "replay --type SECRET",
    "audit key",
    "audit verify --key SECRET",
    "scrub",
    "scrub SECRET",
    "commitment SECRET",
    "submit /no/file",
    "submit SECRET",
    "import upr SECRET",
    "import ogp /dev/null",
    "health --url SECRET",
    "up --nats SECRET",
    "up SECRET",
    "bench ingest --nats SECRET",
    "node --nats SECRET/path --data /dev/null",
];

/// Nothing that a subcommand prints or says repeats what is secret in an address.
fn no_call_repeats(url: &str, secrets: &[&str]) {
    for call in CALLS {
        let words: Vec<String> = call
            .split(' ')
            .map(|word| word.replace("SECRET", url))
            .collect();
        for prefix in [&[][..], &["--nats", url]] {
            let mut command = ledger([]);
            command.args(prefix).args(&words).env("NATS_URL", url);
            let finished = run(command.env("RUST_LOG", "trace"), b"");
            let said = finished.stdout + &finished.stderr;
            assert!(!said.is_empty(), "{call}");
            for secret in secrets {
                assert!(!said.contains(secret), "{call}: {said}");
            }
        }
    }
}

/// Every role and a command go through it, and nothing that was said repeats the secret.
fn everything_passes(server: &Guarded, url: &str, secrets: &[&str]) {
    let (mut node, mut projector) = server.roles(url);
    let loads = ["import", "seeds", "--no-demo"];
    await_that("the seeds to be loaded", SOON, || {
        assert!(node.runs() && projector.runs());
        code(&ask(url, &loads)) == 0
    });
    await_that("the views to answer", SOON, || {
        code(&ask(url, &["action", "GCM-10"])) == 0
    });
    ask(url, &["audit", "verify"]).succeeded();
    let option = run(&mut ledger(["audit", "key", "--nats", url]), b"");
    assert_eq!(code(&option), 0, "{}", option.stderr);
    for process in [&mut node, &mut projector] {
        assert!(process.terminate(SOON).success());
        let said = process.stderr();
        assert!(!said.is_empty(), "it logs");
        for secret in secrets {
            assert!(!said.contains(secret), "{said}");
        }
    }
    assert_eq!(server.refusals(), 0);
}

#[test]
fn user_and_password_of_the_address_are_those_of_every_connection() {
    let server = Guarded::start(&format!("user: \"node\", password: {PASSWORD:?}"));
    let url = server.url(&format!("node:{ENCODED}"));
    everything_passes(&server, &url, &[PASSWORD, ENCODED]);
}

#[test]
fn no_subcommand_repeats_what_is_secret_in_an_address() {
    let server = Guarded::start(&format!("user: \"node\", password: {PASSWORD:?}"));
    let url = server.url(&format!("node:{ENCODED}"));
    let (mut node, mut projector) = server.roles(&url);
    await_that("the views to answer", SOON, || {
        assert!(node.runs() && projector.runs());
        code(&ask(&url, &["country", "KEN"])) == 0
    });
    no_call_repeats(&url, &[PASSWORD, ENCODED]);
    drop((node, projector));
    no_call_repeats(&url, &[PASSWORD, ENCODED]);
}

#[test]
fn a_token_of_the_address_is_that_of_every_connection() {
    let server = Guarded::start("token: \"s3cret-token\"");
    let url = server.url("s3cret-token");
    everything_passes(&server, &url, &["s3cret-token"]);
}

#[test]
fn who_is_not_taken_is_told_so_at_once_and_no_secret_is_repeated() {
    let server = Guarded::start("user: \"node\", password: \"right\"");
    let wrong = server.url("node:wr0ng-secret");
    let nobody = format!("nats://127.0.0.1:{}", server.port);
    for url in [&wrong, &nobody, &server.url("wr0ng-secret")] {
        let before = server.refusals();
        let refused = ask(url, &["audit", "key"]);
        assert_eq!(code(&refused), 3, "{}", refused.stderr);
        assert!(
            refused.stderr.contains("authorization violation"),
            "{}",
            refused.stderr
        );
        assert!(
            !refused.stderr.contains("no nats-server answers"),
            "{}",
            refused.stderr
        );
        assert!(
            !refused.stderr.contains("wr0ng-secret"),
            "{}",
            refused.stderr
        );
        assert_eq!(server.refusals(), before + 1, "it tries once");
    }
    no_call_repeats(&wrong, &["wr0ng-secret"]);
    let (mut node, _projector) = server.roles(&wrong);
    await_that("the node to say why it waits", SOON, || {
        assert!(node.runs());
        node.stderr().contains("authorization violation")
    });
    assert!(!node.stderr().contains("wr0ng-secret"), "{}", node.stderr());
    assert!(node.terminate(SOON).success());
}

#[test]
fn the_next_server_of_a_list_is_taken_where_one_does_not_answer() {
    let server = Guarded::start("user: \"node\", password: \"right\"");
    let nobody = format!("nats://node:right@127.0.0.1:{}", free_port());
    let url = format!("{nobody},{}", server.url("node:right"));
    everything_passes(&server, &url, &["node:right"]);
}

#[test]
fn a_server_may_let_each_user_read_its_own_answers_only() {
    let server = Guarded::start(
        "users: [ { user: \"node\", password: \"n\" }, { user: \"acme\", password: \"a\", \
         permissions: { publish: \">\", subscribe: \"_INBOX_acme.>\" } } ]",
    );
    let (mut node, _projector) = server.roles(&server.url("node:n"));
    let acme = server.url("acme:a");
    let with_prefix = || {
        let mut command = ledger(["audit", "key"]);
        command.env("NATS_URL", &acme);
        run(command.env("NATS_INBOX_PREFIX", "_INBOX_acme"), b"")
    };
    await_that("an answer under the prefix", SOON, || {
        assert!(node.runs());
        code(&with_prefix()) == 0
    });
    let option = ["audit", "key", "--inbox-prefix", "_INBOX_acme"];
    ask(&acme, &option).succeeded();
    let bad = ask(&acme, &["audit", "key", "--inbox-prefix", "a b"]);
    assert_eq!(code(&bad), 2, "{}", bad.stderr);
}

#[test]
fn who_may_not_ask_or_read_the_answer_is_told_which_subject_the_server_denies() {
    let server = Guarded::start(
        "users: [ { user: \"node\", password: \"n\" }, { user: \"deaf\", password: \"d\", \
         permissions: { publish: \">\", subscribe: \"_INBOX_deaf.>\" } }, { user: \"mute\", password: \"m\", \
         permissions: { publish: \"other.>\", subscribe: \">\" } } ]",
    );
    let (mut node, _projector) = server.roles(&server.url("node:n"));
    await_that("an answer", SOON, || {
        assert!(node.runs());
        code(&ask(&server.url("node:n"), &["audit", "key"])) == 0
    });
    let submitted = |user: &str| {
        let mut command = ledger(["submit", "-"]);
        let record = Commander::new("acme", "KEN", 1).record(&["GCM-10"]).1;
        run(command.env("NATS_URL", server.url(user)), &record.encode())
    };
    for (user, says) in [
        ("deaf:d", "subscribe to _INBOX."),
        ("mute:m", "publish on ledger.v1."),
    ] {
        let asked = ask(&server.url(user), &["audit", "key"]);
        for refused in [asked, submitted(user)] {
            assert_eq!(code(&refused), 3, "{}", refused.stderr);
            assert!(refused.stderr.contains(says), "{}", refused.stderr);
            let waited = refused.stderr.contains("within") || refused.stderr.contains("attempts");
            assert!(!waited, "{}", refused.stderr);
        }
    }
}

#[test]
fn of_several_servers_one_that_refuses_the_user_does_not_stand_in_the_way() {
    let refusing = Guarded::start("user: \"other\", password: \"right\"");
    let taking = Guarded::start("user: \"node\", password: \"right\"");
    for urls in [
        [refusing.url("node:right"), taking.url("node:right")],
        [taking.url("node:right"), refusing.url("node:right")],
    ] {
        for _ in 0..3 {
            let asked = ask(&urls.join(","), &["audit", "key"]);
            assert!(
                asked
                    .stderr
                    .contains("the service behind it is not running"),
                "{}",
                asked.stderr
            );
        }
    }
    let both = [refusing.url("node:right"), refusing.url("node:right")].join(",");
    let refused = ask(&both, &["audit", "key"]);
    assert_eq!(code(&refused), 3, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("authorization violation"),
        "{}",
        refused.stderr
    );
}

#[test]
fn an_address_that_cannot_be_read_is_not_repeated_with_its_secret() {
    for url in [
        "nats://node:s3cret@127.0.0.1:port",
        "http://node:s3cret@127.0.0.1",
    ] {
        let refused = ask(url, &["audit", "key"]);
        assert_eq!(code(&refused), 2, "{}", refused.stderr);
        assert!(!refused.stderr.contains("s3cret"), "{}", refused.stderr);
    }
    let nobody = format!("nats://node:s3cret@127.0.0.1:{}", free_port());
    let away = ask(&nobody, &["audit", "key"]);
    assert_eq!(code(&away), 3);
    assert!(
        away.stderr.contains("no nats-server answers at nats://127"),
        "{}",
        away.stderr
    );
    assert!(!away.stderr.contains("s3cret"), "{}", away.stderr);
}
