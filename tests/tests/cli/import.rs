//! `import` of the real files and of the samples.

use std::collections::BTreeSet;

use ledger_tests::{Up, test_data};
use serde_json::Value;

use crate::{audited, code, lines};

fn with_status<'a>(receipts: &'a [Value], status: &str) -> Vec<&'a Value> {
    receipts
        .iter()
        .filter(|receipt| receipt["status"] == status)
        .collect()
}

fn recorded(receipts: &[Value], event: &str) -> usize {
    let event_type = format!("ledger.{event}.v1");
    receipts
        .iter()
        .filter(|receipt| {
            receipt
                .pointer("/events/0/type")
                .is_some_and(|found| *found == *event_type)
        })
        .count()
}

/// Imports the file again: every command comes back with its first receipt, and nothing is added. Gives the counts.
fn import_again(up: &Up, source: &str, file: &str, first: &[Value]) -> Value {
    let size = audited(up).get("tree_size").cloned();
    let second = up.cli(["import", source, file, "--json"], b"");
    assert_eq!(code(&second), 0, "{}", second.stderr);
    let again = lines(&second.stdout);
    assert_eq!(with_status(&again, "duplicate").len(), first.len());
    let events = |receipts: &[Value]| -> Vec<Value> {
        receipts
            .iter()
            .filter_map(|receipt| receipt.get("events").cloned())
            .collect()
    };
    assert_eq!(events(&again), events(first), "the first receipts again");
    assert_eq!(audited(up).get("tree_size").cloned(), size);
    let counts = lines(&second.stderr).swap_remove(0);
    assert_eq!(
        counts.pointer("/commands/duplicate"),
        Some(&first.len().into())
    );
    counts
}

#[test]
fn the_review_gives_2654_commitments_and_a_second_import_adds_nothing() {
    let Some(data) = test_data() else {
        return;
    };
    let file = data.join("upr/upr_migration_commands.jsonl");
    let file = file.to_str().unwrap();
    let up = Up::start(&["--no-demo"]);
    let first = up.cli(["import", "upr", file], b"");
    assert_eq!(code(&first), 0, "{}", first.stderr);
    assert!(
        first.stderr.contains("878 noted and skipped"),
        "{}",
        first.stderr
    );
    let receipts = lines(&first.stdout);
    assert_eq!(with_status(&receipts, "accepted").len(), receipts.len());
    assert_eq!(recorded(&receipts, "commitment_recorded"), 2654);
    let counts = import_again(&up, "upr", file, &receipts);
    assert_eq!(counts["recommendations"]["noted_and_skipped"], 878);

    let summary = up
        .cli(["replay", "--type", "commitment_recorded"], b"")
        .succeeded();
    let leads: BTreeSet<String> = lines(&summary)
        .iter()
        .map(|event| event["party"].as_str().unwrap().to_owned())
        .collect();
    assert!(leads.len() > 150, "{} States have commitments", leads.len());
}

#[test]
fn the_partnership_gives_558_commitments_with_1040_assessments_and_a_second_import_adds_nothing() {
    let Some(data) = test_data() else {
        return;
    };
    let file = data.join("ogp/ogp_commands.jsonl");
    let file = file.to_str().unwrap();
    let up = Up::start(&["--no-demo"]);
    let first = up.cli(["import", "ogp", file], b"");
    assert_eq!(code(&first), 0, "{}", first.stderr);
    assert!(
        first.stderr.contains(
            "558 commitments, 490 assessments of ambition and 550 of progress, 1 withdrawn"
        ),
        "{}",
        first.stderr
    );
    assert!(first.stderr.contains("phone numbers"), "{}", first.stderr);
    let receipts = lines(&first.stdout);
    assert_eq!(with_status(&receipts, "accepted").len(), receipts.len());
    for (event, count) in [
        ("commitment_recorded", 558),
        ("ambition_assessed", 490),
        ("progress_assessed", 550),
        ("commitment_withdrawn", 1),
    ] {
        assert_eq!(recorded(&receipts, event), count, "{event}");
    }
    let counts = import_again(&up, "ogp", file, &receipts);
    assert_eq!(counts["records"]["unusable"], 0);
    assert!(
        counts["texts"]["phone_numbers"].as_u64() >= Some(15),
        "{counts}"
    );
}

#[test]
fn the_samples_of_both_sources_can_be_imported_beside_each_other() {
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds/samples");
    let up = Up::start(&["--no-demo"]);
    for (source, commitments, phone_numbers) in [("upr", 2, 0), ("ogp", 3, 2)] {
        let file = samples.join(format!("{source}.jsonl"));
        let file = file.to_str().unwrap();
        let first = up.cli(["import", source, file], b"");
        assert_eq!(code(&first), 0, "{}", first.stderr);
        let receipts = lines(&first.stdout);
        assert_eq!(recorded(&receipts, "commitment_recorded"), commitments);
        let counts = import_again(&up, source, file, &receipts);
        assert_eq!(counts["texts"]["phone_numbers"], phone_numbers);
    }
}
