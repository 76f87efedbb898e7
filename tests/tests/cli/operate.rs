//! What operators and their scripts call: health, seeds, completions, the manual.

use ledger_tests::{System, await_that, free_port, get, ledger, run, run_on_terminal};
use std::process::Command;
use std::time::Duration;

use crate::{code, lines};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn each_role_says_over_http_whether_it_is_ready() {
    let (node, view) = (free_port(), free_port());
    let node_http = format!("127.0.0.1:{node}");
    let view_http = format!("127.0.0.1:{view}");
    let mut system = System::with_nats_only(&["--http", &node_http]).await;
    let url = format!("http://{node_http}/readyz");
    let health = |url: &str| run(&mut ledger(["health", "--url", url, "--json"]), b"");
    let nobody = health(&url);
    assert_eq!((code(&nobody), nobody.stdout.as_str()), (3, ""));
    assert_eq!(code(&health("node:8080/readyz")), 2);

    system.start_node().await;
    let healthy = health(&url);
    assert_eq!(code(&healthy), 0, "{}", healthy.stderr);
    let said = &lines(&healthy.stdout)[0];
    assert_eq!(said["says"], "ready: 1 events, commands are taken");
    assert_eq!(
        (&said["ledger"], &said["url"]),
        (&"main".into(), &url.as_str().into())
    );
    // Whatever NATS_URL names, it says which ledger answered, and where; LEDGER_HTTP names another address.
    for address in [node_http.as_str(), &format!("0.0.0.0:{node}")] {
        let mut by_environment = ledger(["health"]);
        by_environment.env("LEDGER_HTTP", address);
        by_environment.env("NATS_URL", "nats://127.0.0.1:1");
        let healthy = run(&mut by_environment, b"");
        assert_eq!(
            (code(&healthy), healthy.stdout),
            (
                0,
                format!("ready: 1 events, commands are taken\nledger main answered at {url}\n")
            ),
            "{}",
            healthy.stderr
        );
    }
    let secret = health(&format!("http://user:s3cret@{node_http}/readyz"));
    assert_eq!(code(&secret), 2);
    assert!(!secret.stderr.contains("s3cret"), "{}", secret.stderr);
    let missing = health(&format!("http://{node_http}/nothing"));
    assert_eq!(
        (code(&missing), &lines(&missing.stdout)[0]["status"]),
        (1, &404.into())
    );
    let elsewhere = format!("http://{node_http}/");
    let elsewhere = run(&mut ledger(["health", "--url", &elsewhere]), b"");
    assert_eq!((code(&elsewhere), elsewhere.stdout.as_str()), (1, ""));
    assert!(
        elsewhere.stderr.contains("is the path /readyz?"),
        "{}",
        elsewhere.stderr
    );

    let folder = system.view_folder("country");
    let mut projector = system.ledger(["projector", "country", "--data"]);
    projector.env("LEDGER_HTTP", &view_http);
    let mut projector = ledger_tests::Process::start("projector", projector.arg(folder));
    let url = format!("http://{view_http}/readyz");
    await_that("the projector to be ready", SOON, || {
        code(&health(&url)) == 0
    });
    let metrics = get(&view_http, "/metrics").unwrap().body;
    assert!(
        metrics.contains("ledger_projection_checkpoint{projection=\"country\"} 1"),
        "{metrics}"
    );
    assert!(!metrics.contains("ledger_tree_size"), "{metrics}");

    let folder = system.view_folder("country");
    let mut second = system.ledger(["projector", "action", "--data"]);
    let second = run(second.arg(folder), b"");
    assert_eq!(code(&second), 1);
    let says = second.stderr;
    assert!(says.contains("is in use by another process"), "{says}");

    assert!(system.stop_node().success());
    let waiting = get(&view_http, "/readyz").unwrap();
    assert_eq!(waiting.status, 503);
    assert!(
        waiting.body.contains("the node does not answer"),
        "{}",
        waiting.body
    );
    assert_eq!(get(&view_http, "/healthz").unwrap().status, 200);
    assert!(projector.terminate(SOON).success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_are_loaded_into_any_ledger_and_add_nothing_the_second_time() {
    let mut system = System::with_nats_only(&[]).await;
    system.start_node().await;
    let import = |arguments: &[&str]| {
        let mut import = system.ledger(["import", "seeds", "--json"]);
        let counts = run(import.args(arguments), b"").succeeded();
        let counts = &lines(&counts)[0]["commands"];
        let count = |name: &str| counts[name].as_u64().unwrap();
        (count("accepted"), count("duplicate"))
    };
    let (catalogue, none) = import(&["--no-demo"]);
    assert!(catalogue > 400 && none == 0, "{catalogue} and {none}");
    let (illustrative, again) = import(&[]);
    assert!(
        illustrative > 1_000 && again == catalogue,
        "{illustrative} and {again}"
    );
    assert_eq!(import(&[]), (0, catalogue + illustrative));
    assert_eq!(import(&["--demo"]), (0, catalogue + illustrative));

    let key = run(&mut system.ledger(["audit", "key", "--json"]), b"").succeeded();
    assert_eq!(lines(&key)[0]["ledger"], "main");
    let plain = run(&mut system.ledger(["audit", "key"]), b"").succeeded();
    assert_eq!(lines(&key)[0]["verifier_key"], plain.trim_end());
}

#[tokio::test(flavor = "multi_thread")]
async fn illustrative_commitments_do_not_go_into_a_used_ledger_unasked() {
    let mut system = System::with_nats_only(&[]).await;
    system.start_node().await;
    run(&mut system.ledger(["import", "seeds", "--no-demo"]), b"").succeeded();
    system.reporter("tester", &["KEN"]).await;
    let used = system.connection().head().await.unwrap().tree_size;
    let left_out = run(&mut system.ledger(["import", "seeds", "--json"]), b"");
    assert_eq!(code(&left_out), 0, "{}", left_out.stderr);
    assert!(left_out.stderr.contains("--demo"), "{}", left_out.stderr);
    let said = &lines(&left_out.stdout)[0];
    assert_eq!(
        (&said["illustrative"], &said["commands"]["accepted"]),
        (&false.into(), &0.into())
    );
    assert_eq!(system.connection().head().await.unwrap().tree_size, used);
    let asked_for = run(&mut system.ledger(["import", "seeds", "--demo"]), b"");
    assert_eq!(code(&asked_for), 0, "{}", asked_for.stderr);
    assert!(system.connection().head().await.unwrap().tree_size > used + 1_000);
}

#[test]
fn a_choice_of_logs_that_chooses_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (chosen, is_refused) in [
        ("ledger_node=loud", true),
        ("info,ledger_node=debug", false),
        ("", false),
    ] {
        let mut node = ledger(["node", "--nats", "nats://127.0.0.1:port", "--data"]);
        let ended = run(node.arg(folder.path()).env("RUST_LOG", chosen), b"");
        assert_eq!(code(&ended), 2, "{}", ended.stderr);
        assert_eq!(
            ended.stderr.contains("RUST_LOG"),
            is_refused,
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn completions_and_the_manual_need_no_ledger() {
    let script = |shell: &str| run(&mut ledger(["completions", shell]), b"").succeeded();
    assert!(script("bash").contains("compact-ledger"));
    assert!(script("zsh").starts_with("#compdef compact-ledger"));
    assert!(script("fish").contains("complete -c compact-ledger"));
    let page = run(&mut ledger(["man"]), b"").succeeded();
    assert!(page.contains(".SH \"EXIT STATUS\""), "{page}");
    let folder = tempfile::tempdir().unwrap();
    run(ledger(["man", "--dir"]).arg(folder.path()), b"").succeeded();
    let pages = std::fs::read_dir(folder.path()).unwrap().count();
    assert!(pages > 15, "{pages} pages");
}

#[test]
fn an_option_that_would_be_ignored_is_refused() {
    let refused = run(&mut ledger(["up", "--nats", "nats://127.0.0.1:1"]), b"");
    assert_eq!(code(&refused), 2);
    assert!(refused.stderr.contains("--nats-port"), "{}", refused.stderr);
    let refused = run(&mut ledger(["--nats", "nats://127.0.0.1:1", "up"]), b"");
    assert_eq!(code(&refused), 2);
    assert!(refused.stderr.contains("--nats-port"), "{}", refused.stderr);
}

#[test]
fn bash_completes_the_words_after_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    let printed = run(&mut ledger(["completions", "bash"]), b"").succeeded();
    std::fs::write(&script, printed).unwrap();
    let completed = |words: &str| {
        let line = "source \"$0\"; COMP_WORDS=($1 \"$2\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); \
                    _compact__ledger compact-ledger \"$2\" \"${COMP_WORDS[-2]}\"; echo \"${COMPREPLY[@]}\"";
        let (before, last) = words.rsplit_once(' ').unwrap();
        let mut bash = Command::new("bash");
        bash.args(["-c", line]).arg(&script).args([before, last]);
        run(&mut bash, b"").succeeded()
    };
    assert_eq!(completed("compact-ledger wat").trim(), "watch");
    assert_eq!(
        completed("compact-ledger watch overdue_").trim(),
        "overdue_original"
    );
    assert_eq!(completed("compact-ledger audit ver").trim(), "verify");
    assert!(completed("compact-ledger partner show --").contains("--as-of"));
    assert_eq!(completed("compact-ledger exec").trim(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_work_shows_how_far_it_is_on_a_terminal_and_nowhere_else() {
    let mut system = System::with_nats_only(&[]).await;
    system.start_node().await;
    let loaded = run_on_terminal(&mut system.ledger(["import", "seeds"]));
    assert!(loaded.status.success(), "{}", loaded.stderr);
    assert!(
        loaded.stderr.contains("loading the seeds"),
        "{}",
        loaded.stderr
    );
    system.start_projectors();
    system.await_views().await;
    for (subcommand, shown) in [
        (["replay", "--json"], "replaying"),
        (["audit", "verify"], "verifying"),
        (["scrub", "--json"], "the ledger is checking its log"),
    ] {
        let on_terminal = run_on_terminal(&mut system.ledger(subcommand));
        assert!(on_terminal.stderr.contains(shown), "{}", on_terminal.stderr);
        assert!(!on_terminal.stdout.contains(shown));
        let piped = run(&mut system.ledger(subcommand), b"");
        assert_eq!((code(&piped), piped.stderr.as_str()), (0, ""));
    }
}
