//! `compact-ledger up`: what a newcomer types first.

use std::path::Path;
use std::time::Duration;

use ledger_domain::wire::v1::{Command, Root};
use ledger_import::seeds;
use ledger_tests::{Process, System, Up, await_that, illustrative_commitments, ledger, run};

const SOON: Duration = Duration::from_secs(30);

/// Running processes that were started with an argument under this folder.
fn processes_under(folder: &Path) -> Vec<String> {
    let folder = folder.canonicalize().expect("the folder");
    let folder = folder.to_str().expect("UTF-8").to_owned();
    std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(Result::ok)
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(&folder))
        .collect()
}

fn recorded(up: &Up, country: &str) -> u64 {
    let text = up.cli(["country", country, "--json"], b"").succeeded();
    let view: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    find_number(&view, "recorded").unwrap_or_else(|| panic!("no count of commitments in {text}"))
}

/// The first number under this name, wherever it stands: how a view is wrapped is not this test's business.
fn find_number(value: &serde_json::Value, name: &str) -> Option<u64> {
    let own = value.get(name).and_then(serde_json::Value::as_u64);
    own.or_else(|| {
        let mut members = value.as_object().into_iter().flat_map(|map| map.values());
        members.find_map(|member| find_number(member, name))
    })
}

#[test]
fn a_first_start_shows_illustrative_commitments_and_everything_verifies() {
    let mut up = Up::start(&[]);
    let line = up.announced();
    assert!(line.contains("illustrative"), "{line}");
    let examples = illustrative_commitments("KEN");
    assert!(examples > 1);
    assert_eq!(recorded(&up, "KEN"), examples);
    up.cli(["audit", "verify"], b"").succeeded();
    assert!(up.terminate().success());
    assert_eq!(processes_under(up.data()), [""; 0]);
    assert_eq!(up.process().stderr(), "", "a clean stop has nothing to say");
}

#[test]
fn without_the_demo_only_the_reference_catalogue_is_loaded() {
    let mut up = Up::start(&["--no-demo"]);
    up.announced();
    assert_eq!(recorded(&up, "KEN"), 0);
    up.cli(["action", "GCM-10"], b"").succeeded();
}

#[test]
fn a_killed_system_leaves_nothing_behind_and_a_second_start_adds_nothing() {
    let mut up = Up::start(&[]);
    let first = up.announced();
    up.kill();
    await_that("its nats-server to go", SOON, || {
        processes_under(up.data()).is_empty()
    });
    up.start_again();
    assert_eq!(up.announced(), first, "the number of events is the same");
    up.cli(["audit", "verify"], b"").succeeded();
}

#[test]
fn a_start_right_after_a_kill_finds_nothing_in_its_way() {
    let mut up = Up::start(&["--no-demo"]);
    up.announced();
    for _ in 0..3 {
        up.start_again();
    }
    assert_eq!(up.get("/readyz").status, 200);
}

#[test]
fn illustrative_commitments_go_only_into_a_new_ledger_or_one_that_has_them() {
    let mut up = Up::start(&["--no-demo"]);
    let first = up.announced();
    up.start_again_with(&[]);
    assert_eq!(up.announced(), first, "nothing was added");
    let said = up.process().stdout();
    assert!(said.contains("left out"), "{said}");
    assert_eq!(recorded(&up, "KEN"), 0);
    up.cli(["import", "seeds", "--demo"], b"").succeeded();
    up.start_again_with(&[]);
    assert!(up.announced().contains("illustrative"));
    assert_eq!(recorded(&up, "KEN"), illustrative_commitments("KEN"));
}

#[test]
fn two_systems_do_not_disturb_each_other() {
    let (mut one, mut other) = (Up::start(&["--no-demo"]), Up::start(&[]));
    one.announced();
    other.announced();
    let examples = illustrative_commitments("KEN");
    let counts = (recorded(&one, "KEN"), recorded(&other, "KEN"));
    assert_eq!(counts, (0, examples));
    assert!(one.terminate().success());
    assert_eq!(recorded(&other, "KEN"), examples);
    other.cli(["audit", "verify"], b"").succeeded();
}

#[test]
fn a_taken_port_is_named_with_the_option_that_gives_another() {
    let up = Up::start(&["--no-demo"]);
    let other = tempfile::tempdir().expect("a folder");
    let port = up.nats_url().rsplit_once(':').expect("a port").1.to_owned();
    let mut command = ledger([
        "up",
        "--http",
        "127.0.0.1:0",
        "--nats-port",
        &port,
        "--data",
    ]);
    let refused = run(command.arg(other.path()), b"");
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(
        refused.stderr,
        format!(
            "compact-ledger: port {port} is taken: choose another with --nats-port, or 0 for a free one\n"
        )
    );
}

#[test]
fn programs_learn_from_one_line_where_everything_is() {
    let mut up = Up::start(&["--no-demo", "--json"]);
    let mut line = String::new();
    await_that("`up` to say that it is up", SOON, || {
        line = up.process().stdout();
        line.ends_with('\n')
    });
    let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(said["nats"], up.nats_url());
    assert_eq!(said["illustrative"], false);
    assert!(said["tree_size"].as_u64() > Some(1), "{line}");
}

/// A ledger whose first load was interrupted after so many commands of the catalogue and of the illustrative registrations, and what `up`
/// says of it then.
async fn announced_after(catalogue: usize, registrations: usize) -> String {
    let mut system = System::with_nats_only(&[]).await;
    system.start_node().await;
    let root = Root {
        partner: "root".parse().expect("an id"),
        party: "ledger".parse().expect("an id"),
    };
    let reference = seeds::reference_commands(&root).expect("the seeds");
    let mut illustrative = seeds::Illustrative::read(&root).expect("the seeds");
    let first = illustrative
        .next_phase()
        .expect("a phase")
        .expect("a phase");
    let catalogue = reference.iter().take(catalogue);
    let sent: Vec<Command> = catalogue
        .chain(first.iter().take(registrations))
        .cloned()
        .collect();
    // A submission is of one partner.
    for commands in sent.chunk_by(|one, other| one.partner == other.partner) {
        system.accepted(commands).await;
    }
    assert!(system.stop_node().success());
    let data = system.log_folder();
    let data = data.parent().expect("a folder");
    let mut program = ledger(["up", "--nats-port", "0", "--http", "127.0.0.1:0"]);
    let mut up = Process::start("up", program.arg("--data").arg(data));
    await_that("`up` to say that it is up", SOON * 2, || {
        assert!(up.runs(), "{}", up.stderr());
        up.stdout().contains("Stop with Ctrl-C")
    });
    let said = up.stdout();
    said.lines().next().expect("a line").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_that_was_interrupted_goes_on_with_the_illustrative_commitments() {
    let mut whole = Up::start(&[]);
    let announced = whole.announced();
    drop(whole);
    assert!(announced.contains("illustrative"), "{announced}");
    for (catalogue, registrations) in [(100, 0), (usize::MAX, 1), (usize::MAX, 20)] {
        let goes_on = announced_after(catalogue, registrations).await;
        assert_eq!(goes_on, announced, "{catalogue} and {registrations}");
    }
}
