//! `submit`: lines in, receipts out.

use ledger_domain::wire::v1::Command;
use ledger_tests::Up;
use ledger_tests::commands::Commander;

use crate::{audited, code, lines};

/// Commands as lines of a file.
fn file(commands: &[&Command]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for command in commands {
        bytes.extend(command.encode());
        bytes.push(b'\n');
    }
    bytes
}

#[test]
fn each_line_has_its_receipt_and_only_refusals_make_it_fail() {
    let up = Up::start(&[]);
    // The partner of the illustrative commitments of Africa is registered and may speak for Kenya.
    let mut kenya = Commander::new("illustrative-africa", "KEN", 7);
    let (commitment, record) = kenya.record(&["GCM-10"]);
    let withdraw = kenya.withdraw(commitment, "A test withdraws it.");
    let good = up.cli(["submit", "-"], &file(&[&record, &withdraw]));
    assert_eq!(code(&good), 0, "{}", good.stderr);
    let receipts = lines(&good.stdout);
    assert_eq!(receipts.len(), 2);
    assert!(
        receipts
            .iter()
            .all(|receipt| receipt["status"] == "accepted")
    );
    assert!(
        receipts
            .iter()
            .all(|receipt| receipt["durability"] == "fsync")
    );

    let again = up.cli(["submit", "-"], &file(&[&record, &withdraw]));
    assert_eq!(code(&again), 0, "{}", again.stderr);
    let duplicates = lines(&again.stdout);
    for (duplicate, first) in duplicates.iter().zip(&receipts) {
        assert_eq!(duplicate["status"], "duplicate");
        assert_eq!(duplicate["events"], first["events"]);
    }

    let (_, third) = kenya.record(&["GCM-06"]);
    let (_, unknown) = kenya.record(&["GCM-99"]);
    let mut input = b"\xff\xff\n{\"id\":1,\"id\":2}\n".to_vec();
    input.extend(file(&[&unknown, &third]));
    let mixed = up.cli(["submit", "-"], &input);
    assert_eq!(code(&mixed), 1);
    assert!(
        mixed.stderr.contains("3 of 4 commands were refused"),
        "{}",
        mixed.stderr
    );
    let receipts = lines(&mixed.stdout);
    let codes: Vec<_> = receipts
        .iter()
        .map(|receipt| receipt["rejection"]["code"].as_str().unwrap_or("none"))
        .collect();
    assert_eq!(
        codes,
        ["invalid_utf8", "duplicate_key", "unknown_action", "none"]
    );
    assert_eq!(receipts[2]["rejection"]["field"], "data.actions[0]");
    assert_eq!(receipts[3]["status"], "accepted");

    let report = audited(&up);
    let positions = &receipts[3]["events"][0]["position"];
    assert_eq!(
        report["tree_size"].as_u64(),
        positions.as_u64().map(|last| last + 1)
    );
}

#[test]
fn a_file_may_begin_with_a_byte_order_mark_and_be_a_json_array() {
    let up = Up::start(&[]);
    let mut kenya = Commander::new("illustrative-africa", "KEN", 8);
    let (commitment, record) = kenya.record(&["GCM-10"]);
    let withdraw = kenya.withdraw(commitment, "A test withdraws it.");
    let array = [
        b"\xef\xbb\xbf[\n ",
        record.encode().as_slice(),
        b",\n",
        withdraw.encode().as_slice(),
        b"\n]\n",
    ]
    .concat();
    let sent = up.cli(["submit", "-"], &array);
    assert_eq!(code(&sent), 0, "{}", sent.stderr);
    assert_eq!(lines(&sent.stdout).len(), 2);
    // One mark, or those of files that were put one behind the other.
    let mark = b"\xef\xbb\xbf".as_slice();
    for marks in [mark, &mark.repeat(2), &mark.repeat(3)] {
        for commands in [file(&[&record, &withdraw]), array.clone()] {
            let marked = [marks, commands.as_slice()].concat();
            let again = up.cli(["submit", "-"], &marked);
            assert_eq!(code(&again), 0, "{}", again.stderr);
            let duplicates = lines(&again.stdout);
            assert_eq!(duplicates.len(), 2);
            assert!(
                duplicates
                    .iter()
                    .all(|receipt| receipt["status"] == "duplicate")
            );
        }
    }

    // An array that was cut off: what stands whole in it was sent, and the failure says where it ends.
    let (_, third) = kenya.record(&["GCM-06"]);
    let cut = [b"[", third.encode().as_slice(), b",\n{\"specversion\":"].concat();
    let cut = up.cli(["submit", "-"], &cut);
    assert_ne!(code(&cut), 0);
    assert!(
        cut.stderr.contains("line 2: the array is not closed"),
        "{}",
        cut.stderr
    );
    assert_eq!(lines(&cut.stdout)[0]["status"], "accepted");
}

#[test]
fn a_command_without_an_id_is_named_by_its_line_and_a_long_one_by_its_size() {
    let up = Up::start(&["--no-demo"]);
    let long = format!("\n{{}}\n{{\"x\":\"{}\"}}\n", "x".repeat(300_000));
    let refused = up.cli(["submit", "-"], long.as_bytes());
    assert_eq!(code(&refused), 1);
    assert!(
        refused.stderr.contains("line 2: missing_field"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("line 3: command_too_large"),
        "{}",
        refused.stderr
    );
    let receipts = lines(&refused.stdout);
    let message = receipts[1]["rejection"]["message"].as_str().unwrap();
    assert!(message.contains("300008 bytes"), "{message}");
}

#[test]
fn a_file_that_is_not_there_is_wrong_usage_and_a_ledger_that_is_not_there_out_of_reach() {
    let up = Up::start(&["--no-demo"]);
    assert_eq!(code(&up.cli(["submit", "/no/such/file"], b"")), 2);
    assert_eq!(code(&up.cli(["submit"], b"")), 2);
    let nowhere = up.cli(["--nats", "nats://127.0.0.1:1", "submit", "-"], b"");
    assert_eq!(code(&nowhere), 3);
    assert_eq!(nowhere.stderr.lines().count(), 1, "{}", nowhere.stderr);
    assert_eq!(nowhere.stdout, "");
}
