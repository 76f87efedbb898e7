//! `import upr` of the real file.

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
    let recorded = receipts
        .iter()
        .filter(|receipt| receipt["events"][0]["type"] == "ledger.commitment_recorded.v1")
        .count();
    assert_eq!(recorded, 2654);

    let size = audited(&up)["tree_size"].clone();
    let second = up.cli(["import", "upr", file, "--json"], b"");
    assert_eq!(code(&second), 0, "{}", second.stderr);
    let counts = &lines(&second.stderr)[0];
    assert_eq!(counts["recommendations"]["noted_and_skipped"], 878);
    assert_eq!(counts["commands"]["duplicate"], receipts.len());
    let again = lines(&second.stdout);
    assert_eq!(with_status(&again, "duplicate").len(), receipts.len());
    let events = |receipts: &[Value]| -> Vec<Value> {
        receipts
            .iter()
            .map(|receipt| receipt["events"].clone())
            .collect()
    };
    assert_eq!(
        events(&again),
        events(&receipts),
        "the first receipts again"
    );
    assert_eq!(audited(&up)["tree_size"], size);

    let summary = up
        .cli(["replay", "--type", "commitment_recorded"], b"")
        .succeeded();
    let leads: BTreeSet<String> = lines(&summary)
        .iter()
        .map(|event| event["party"].as_str().unwrap().to_owned())
        .collect();
    assert!(leads.len() > 150, "{} States have commitments", leads.len());
}
