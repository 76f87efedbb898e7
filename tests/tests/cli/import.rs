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

fn recommendation(subject: &str, text: &str, response: &str) -> String {
    format!(
        r#"{{"command":"RecordRecommendation","subject":"{subject}","party":"KEN","effective_at":"2020-01","recommended_by":["NOR"],"issues":["Migrants"],"text":"{text}"}}
{{"command":"RespondToRecommendation","subject":"{subject}","response":"{response}"}}
{{"command":"RecordCommitment","subject":"{subject}"}}
"#
    )
}

#[test]
fn two_spellings_of_a_theme_are_one_in_one_file_and_in_two() {
    let up = Up::start(&["--no-demo"]);
    let with_theme = |subject: &str, theme: &str| {
        recommendation(subject, "Made up: let them return.", "Accepted").replace("Migrants", theme)
    };
    let first = with_theme("N-1", "Re-entry") + &with_theme("N-2", "Reentry");
    let import = up.cli(["import", "upr", "-"], first.as_bytes());
    assert_eq!(code(&import), 0, "{}", import.stderr);
    assert_eq!(recorded(&lines(&import.stdout), "commitment_recorded"), 2);
    let second = with_theme("N-3", "RE ENTRY") + &with_theme("N-4", "S.E.A. rescue");
    let third = with_theme("N-5", "Sea rescue");
    for (records, count) in [(second, 2), (third, 1)] {
        let import = up.cli(["import", "upr", "-"], records.as_bytes());
        assert_eq!(code(&import), 0, "{}", import.stderr);
        assert!(
            !import.stderr.contains("recorded before"),
            "{}",
            import.stderr
        );
        let receipts = lines(&import.stdout);
        let new = with_status(&receipts, "accepted");
        let new: Vec<Value> = new.into_iter().cloned().collect();
        assert_eq!(recorded(&new, "commitment_recorded"), count);
    }
}

#[test]
fn a_number_that_a_line_end_parts_is_masked_and_the_commitment_recorded() {
    let up = Up::start(&["--no-demo"]);
    let records = recommendation("N-1", "call +254 712\\u2028345 678", "Accepted")
        + &recommendation("N-2", "call 0712\\n345 678", "Accepted");
    let import = up.cli(["import", "upr", "-", "--json"], records.as_bytes());
    assert_eq!(code(&import), 0, "{}", import.stderr);
    assert_eq!(recorded(&lines(&import.stdout), "commitment_recorded"), 2);
    let counts = lines(&import.stderr).swap_remove(0);
    assert_eq!(counts["texts"]["phone_numbers"], 2);
}

#[test]
fn a_commitment_to_what_the_state_only_noted_is_named_and_not_recorded() {
    let up = Up::start(&["--no-demo"]);
    let records = recommendation("N-1", "Made up: noted.", "Noted")
        + &recommendation("N-2", "Made up: supported.", "Supported");
    let import = up.cli(["import", "upr", "-"], records.as_bytes());
    assert_eq!(code(&import), 1);
    assert!(
        import.stderr.contains("line 3: N-1 is not a commitment"),
        "{}",
        import.stderr
    );
    assert!(
        import
            .stderr
            .contains("2 recommendations: 1 accepted, 1 noted and skipped;"),
        "{}",
        import.stderr
    );
    assert_eq!(recorded(&lines(&import.stdout), "commitment_recorded"), 1);
}

#[test]
fn what_an_earlier_version_recorded_stays_and_fails_no_import() {
    let up = Up::start(&["--no-demo"]);
    let earlier = recommendation(
        "N-3",
        "Made up: as an earlier version wrote it.",
        "Accepted",
    );
    let first = up.cli(["import", "upr", "-"], earlier.as_bytes());
    assert_eq!(code(&first), 0, "{}", first.stderr);
    let later = recommendation("N-3", "Made up: as this version writes it.", "Accepted");
    let second = up.cli(["import", "upr", "-", "--json"], later.as_bytes());
    assert_eq!(code(&second), 0, "{}", second.stderr);
    assert!(
        second
            .stderr
            .contains("recorded before in another form, which stays: record_commitment N-3"),
        "{}",
        second.stderr
    );
    let counts = second
        .stderr
        .lines()
        .find(|line| line.starts_with('{'))
        .unwrap();
    let counts: Value = serde_json::from_str(counts).unwrap();
    assert_eq!(counts["commands"]["recorded_before"], 1);
    assert_eq!(counts["commands"]["rejected"], 0);
    let receipts = lines(&second.stdout);
    assert_eq!(
        receipts
            .last()
            .and_then(|receipt| receipt.pointer("/rejection/code")),
        Some(&"command_id_reused".into())
    );
}

#[test]
fn a_code_of_no_member_registers_nobody_and_whom_an_import_registers_is_said() {
    let commitment = |subject: &str, party: &str| {
        format!(
            r#"{{"command":"RecordCommitment","subject":"{subject}","party":"{party}","recorded_at":"2018","effective_at":"2018-07","due":"2020-12-31","raw_dates":["July 2018","12/31/2020"],"title":"Made up","lead":"An office","supporting":[],"level":"National","plan":"AP_GHA02","text":"Made up."}}"#
        ) + "\n"
    };
    let up = Up::start(&["--no-demo"]);
    let records = commitment("K-1", "gha")
        + &commitment("K-2", "ZZZ")
        + &commitment("K-3", "KEZZ").replace("National", "Local")
        + &commitment("K-4", "KENY");
    let import = up.cli(["import", "ogp", "-"], records.as_bytes());
    assert_eq!(code(&import), 1);
    assert!(
        import.stderr.contains("line 2: `ZZZ` is not a member"),
        "{}",
        import.stderr
    );
    assert!(
        import.stderr.contains("line 4: `KENY` is not a member"),
        "{}",
        import.stderr
    );
    assert!(
        import.stderr.contains("party KEZZ is registered"),
        "{}",
        import.stderr
    );
    let receipts = lines(&import.stdout);
    // The assessor, and the local member.
    assert_eq!(recorded(&receipts, "party_registered"), 2);
    assert_eq!(recorded(&receipts, "commitment_recorded"), 2);
}
