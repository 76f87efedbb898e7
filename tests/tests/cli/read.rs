//! What is read: views, histories, replays, audits.

use std::time::Duration;

use ledger_tests::commands::Commander;
use ledger_tests::{Process, Up, await_that, ledger};

use crate::{audited, code, lines};

#[test]
fn a_replay_prints_what_was_asked_for_in_order() {
    let up = Up::start(&[]);
    let all = lines(&up.cli(["replay"], b"").succeeded());
    for (position, event) in all.iter().enumerate() {
        assert_eq!(event["position"], position.to_string());
        assert!(event["data"].is_object());
    }
    assert_eq!(all[0]["type"], "ledger.ledger_opened.v1");

    let part = lines(
        &up.cli(["replay", "--from", "3", "--to", "7"], b"")
            .succeeded(),
    );
    assert_eq!(part, all[3..7]);

    let wanted = |event: &&serde_json::Value| event["type"] == "ledger.commitment_recorded.v1";
    let recorded = up
        .cli(["replay", "--type", "commitment_recorded"], b"")
        .succeeded();
    let expected: Vec<_> = all.iter().filter(wanted).cloned().collect();
    assert!(!expected.is_empty());
    assert_eq!(lines(&recorded), expected);

    let kenya = lines(&up.cli(["replay", "--country", "ken"], b"").succeeded());
    assert!(!kenya.is_empty());
    assert!(kenya.len() < all.len());
    let nowhere = lines(&up.cli(["replay", "--country", "INT"], b"").succeeded());
    assert_eq!(nowhere[0], all[0]);
    assert!(!nowhere.iter().any(|event| kenya.contains(event)));
    assert_eq!(code(&up.cli(["replay", "--type", "nonsense"], b"")), 2);
}

#[test]
fn a_position_beyond_the_end_is_named_and_nothing_is_printed() {
    let up = Up::start(&["--no-demo"]);
    let size = audited(&up)["tree_size"].as_u64().unwrap();
    let (next, later) = (&size.to_string(), &(size + 7).to_string());
    for beyond in [
        &["replay", "--from", next][..],
        &["replay", "--from", later],
        &["replay", "--from", next, "--to", later],
        &["replay", "--to", later],
        &["replay", "--from", "3", "--to", later, "--country", "KEN"],
        &["replay", "--from", later, "--type", "commitment_withdrawn"],
        &["replay", "--from", later, "--follow"],
        &["replay", "--from", "18446744073709551615"],
        &["diff", "--from", "3", "--to", later],
        &["diff", "--from", later],
        &["country", "KEN", "--as-of", later],
        &["action", "GCM-10", "--as-of", later],
        &["summary", "--as-of", later],
        &["gaps", "--as-of", later],
        &["watch", "--as-of", later],
        &["partner", "show", "--as-of", later],
        &["review", "--as-of", later],
    ] {
        for form in [&[][..], &["--json"]] {
            let refused = up.run(&[beyond, form].concat());
            assert_eq!(code(&refused), 1, "{beyond:?}: {}", refused.stderr);
            assert_eq!(refused.stdout, "", "{beyond:?}");
            assert!(
                refused.stderr.contains("is not reached yet"),
                "{beyond:?}: {}",
                refused.stderr
            );
        }
    }
    let last = up.run(&["replay", "--to", next]).succeeded();
    assert_eq!(last.lines().count() as u64, size);
}

#[test]
fn marks_of_direction_in_a_text_are_not_seen_and_embeddings_are() {
    let up = Up::start(&[]);
    let mut kenya = Commander::new("illustrative-africa", "KEN", 9);
    let (commitment, record) = kenya.record(&["GCM-10"]);
    let mut record: serde_json::Value = serde_json::from_slice(&record.encode()).unwrap();
    let title = "\u{200f}رخص\u{200e} (2027)\u{61c} می\u{200c}شود";
    record["data"]["title"] = title.into();
    up.cli(["submit", "-"], record.to_string().as_bytes())
        .succeeded();
    let shown = "رخص (2027) می\u{200c}شود";
    let id = commitment.to_string();
    for arguments in [
        &["commitment", &id][..],
        &["commitment", &id, "--history"],
        &["country", "KEN"],
    ] {
        let page = up.run(arguments).succeeded();
        assert!(page.contains(shown), "{page}");
        assert!(!page.contains('\u{fffd}'), "{page}");
    }
    // What programs read is what was recorded.
    let json = up.run(&["commitment", &id, "--json"]).succeeded();
    assert!(json.contains(title), "{json}");
    let named = up.run(&["partner", "show", "a\u{200f}b\u{202e}c"]);
    assert!(
        !named.stderr.contains(['\u{200f}', '\u{202e}']),
        "{}",
        named.stderr
    );
}

#[test]
fn a_replay_that_follows_goes_on_with_what_is_recorded() {
    let up = Up::start(&[]);
    let mut command = ledger(["replay", "--follow", "--type", "commitment_withdrawn"]);
    let mut following = Process::start("replay", up.command(&mut command));
    let mut kenya = Commander::new("illustrative-africa", "KEN", 8);
    let (commitment, record) = kenya.record(&["GCM-10"]);
    let withdraw = kenya.withdraw(commitment, "A test withdraws it.");
    let input = [record.encode(), withdraw.encode()].join(&b'\n');
    up.cli(["submit", "-"], &input).succeeded();
    await_that("the event", Duration::from_secs(20), || {
        assert!(following.runs(), "{}", following.stderr());
        following.stdout().contains(&commitment.to_string())
    });
}

#[test]
fn views_and_histories_are_tables_for_people_and_json_for_programs() {
    let up = Up::start(&[]);
    audited(&up);
    let table = up.cli(["country", "ken"], b"").succeeded();
    assert!(table.starts_with("KEN  Kenya\n"), "{table}");
    assert!(table.contains("[illustrative]"), "{table}");
    let json = up
        .cli(["--json", "country", "KEN", "--limit", "1"], b"")
        .succeeded();
    let json = &lines(&json)[0];
    assert_eq!(json["view"]["country"], "KEN");
    assert_eq!(json["list"]["rows"].as_array().unwrap().len(), 1);
    let id = json["list"]["rows"][0]["commitment"].as_str().unwrap();

    let state = up.cli(["commitment", id, "--json"], b"").succeeded();
    let state = &lines(&state)[0]["state"];
    let mut row = json["list"]["rows"][0].clone();
    // A list of a country's says besides what the country has to do with the commitment.
    for of_country in ["role", "claimed", "left"] {
        row.as_object_mut().unwrap().remove(of_country);
    }
    for (field, value) in row.as_object().unwrap() {
        assert_eq!(&state[field], value, "{field}");
    }
    let table = up.cli(["commitment", id], b"").succeeded();
    assert!(table.contains("[illustrative] "), "{table}");
    assert!(table.contains("who leads it"), "{table}");
    let history = up
        .cli(["commitment", id, "--history", "--json"], b"")
        .succeeded();
    let history = &lines(&history)[0];
    assert_eq!(history["events"][0]["subject"], id);
    let table = up.cli(["commitment", id, "--history"], b"").succeeded();
    assert!(table.contains("commitment_recorded"), "{table}");
    let action = up.cli(["action", "gcm-10"], b"").succeeded();
    assert!(action.contains("With the 10 actions under it"), "{action}");

    for (arguments, expected) in [
        (["country", "XXX"], 1),
        (["action", "GCM-99"], 1),
        (["commitment", "01938f3e-7b5a-7000-8000-000000000000"], 1),
        (["commitment", "x"], 2),
        (["country", "K*"], 1),
    ] {
        let finished = up.cli(arguments, b"");
        assert_eq!(
            code(&finished),
            expected,
            "{arguments:?}: {}",
            finished.stderr
        );
        assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    }
}

#[test]
fn the_key_that_is_printed_is_the_one_that_verifies() {
    let up = Up::start(&[]);
    let key = up.cli(["audit", "key"], b"").succeeded();
    let report = up
        .cli(["audit", "verify", "--json", "--key", key.trim()], b"")
        .succeeded();
    assert_eq!(lines(&report)[0]["key_source"], "given");
    assert_eq!(audited(&up)["key_source"], "position0");

    let other = Up::start(&["--no-demo"])
        .cli(["audit", "key"], b"")
        .succeeded();
    let refused = up.cli(["audit", "verify", "--key", other.trim()], b"");
    assert_eq!(code(&refused), 1);
    assert!(
        refused.stderr.contains("bears no signature"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        code(&up.cli(["audit", "verify", "--key", "nonsense"], b"")),
        2
    );
}

#[test]
fn output_that_nobody_reads_any_more_ends_quietly() {
    let up = Up::start(&[]);
    let mut command = std::process::Command::new("sh");
    let binary = ledger_tests::ledger_binary();
    command.arg("-c").arg(format!(
        "({} replay; echo $? >&2) | head -1 >/dev/null",
        binary.display()
    ));
    let finished = ledger_tests::run(up.command(&mut command), b"");
    assert_eq!(finished.stderr, "0\n");
}

#[test]
fn a_scrub_finds_nothing_wrong_and_then_what_was_damaged() {
    let mut up = Up::start(&[]);
    let running = up.cli(["scrub", "--json"], b"").succeeded();
    let size = audited(&up)["tree_size"].clone();
    assert_eq!(lines(&running)[0]["tree_size"], size);
    let data = up.data().to_str().unwrap().to_owned();
    let locked = up.cli(["scrub", &data], b"");
    assert_eq!(code(&locked), 1, "a running log is locked");

    assert!(up.terminate().success());
    let stopped = up.cli(["scrub", "--json", &data], b"").succeeded();
    assert_eq!(lines(&stopped)[0]["tree_size"], size);

    let journal = std::fs::read_dir(up.data().join("ledger/journal")).unwrap();
    let segment = journal.map(|entry| entry.unwrap().path()).min().unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[8192] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let damaged = up.cli(["scrub", &data], b"");
    assert_eq!(code(&damaged), 1);
    assert!(damaged.stdout.contains("position "), "{}", damaged.stdout);
    assert_eq!(code(&up.cli(["scrub", "/no/such/directory"], b"")), 2);
}
