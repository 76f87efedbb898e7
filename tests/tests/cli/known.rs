//! Views as they were known at a past position, and what changed since.

use std::time::Duration;

use ledger_domain::wire::v1::{AmendParty, Command, CommandBody, Stage};
use ledger_import::seeds;
use ledger_tests::commands::Commander;
use ledger_tests::{Up, await_that};
use serde_json::Value;

use crate::{audited, code, lines};

fn json<const N: usize>(up: &Up, arguments: [&str; N]) -> Value {
    lines(&up.cli(arguments, b"").succeeded()).remove(0)
}

#[test]
fn a_view_as_known_earlier_is_the_view_that_was_shown_then() {
    let up = Up::start(&[]);
    let before = json(&up, ["--json", "country", "KEN"]);
    let position = before["watermark"].as_str().expect("a position").to_owned();
    let mut kenya = Commander::new("illustrative-africa", "KEN", 8);
    let (commitment, record) = kenya.record(&["GCM-10"]);
    let receipt = lines(&up.cli(["submit", "-"], &record.encode()).succeeded()).remove(0);
    assert_eq!(receipt["status"], "accepted");
    await_that("the new commitment", Duration::from_secs(20), || {
        json(&up, ["--json", "country", "KEN"])["view"] != before["view"]
    });
    let known = json(&up, ["--json", "country", "KEN", "--as-of", &position]);
    assert_eq!(known["as_of_position"], position.as_str());
    assert_eq!(known["view"], before["view"]);
    assert_eq!(known["list"], before["list"]);

    let difference = json(
        &up,
        ["--json", "diff", "--country", "KEN", "--from", &position],
    );
    let changes = difference["changes"].as_array().expect("changes");
    let recorded = changes
        .iter()
        .find(|change| change["path"] == "/view/commitments/recorded")
        .expect("one more is recorded");
    let count = |side: &str| recorded[side].as_u64().expect("a count");
    assert_eq!(count("after"), count("before") + 1);
    let events = difference["events"]["rows"].as_array().expect("events");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["commitment"], commitment.to_string());
    let is_empty = |change: &Value| change["before"].is_null() && change["after"] == 0;
    assert!(!changes.iter().any(is_empty), "{changes:?}");
    let moved = changes
        .iter()
        .find(|change| change["path"] == "/view/position");
    assert_eq!(moved, None);

    // What is known of an example says that it is one, also where one event of it is shown.
    let examples = json(&up, ["--json", "diff", "--from", "1300", "--to", "1400"]);
    let examples = examples["events"]["rows"].as_array().expect("events");
    assert!(examples.iter().any(|event| event["illustrative"] == true));
    assert!(events[0].get("illustrative").is_none(), "{events:?}");
    let table = up.cli(["diff", "--from", "1300", "--to", "1400"], b"");
    assert!(table.succeeded().contains("  [illustrative] "));
    let nothing = up.cli(["diff", "--from", &position, "--to", &position], b"");
    let nothing = nothing.succeeded();
    assert!(
        nothing.contains("nothing was recorded between"),
        "{nothing}"
    );

    // What there was no view of at first is new as a whole; a territory has a view of zeros.
    let path = |change: &Value| change["path"] == "/view/commitments/recorded";
    let action = json(&up, ["--json", "diff", "--action", "GCM-10", "--from", "0"]);
    assert_eq!(action["from"]["position"], "0");
    let changes = action["changes"].as_array().expect("changes");
    let recorded = changes.iter().find(|change| path(change)).expect("all");
    assert!(recorded["before"].is_null() && recorded["after"].as_u64() > Some(0));
    let territory = ["--json", "diff", "--country", "PRI", "--from", "100"];
    assert_eq!(json(&up, territory)["changes"], serde_json::json!([]));
    let later = ["diff", "--action", "GCM-10", "--from", "999999999"];
    assert_ne!(code(&up.cli(later, b"")), 0);

    for refused in ["999999999", "2999-01-01T00:00:00Z", "yesterday"] {
        assert_ne!(code(&up.cli(["gaps", "--as-of", refused], b"")), 0);
    }
    let summary = json(&up, ["--json", "gaps", "--as-of", "0"]);
    assert_eq!(summary["view"]["view"], "gaps");
}

#[test]
fn a_party_is_shown_by_its_name_now_and_by_the_one_of_then() {
    let up = Up::start(&["--no-demo"]);
    let before = json(&up, ["--json", "country", "KEN"]);
    let position = before["watermark"].as_str().expect("a position");
    let kenya = |answer: &Value| answer["view"]["registered_parties"][0].clone();
    let then =
        serde_json::json!({"id": "KEN", "name": "Kenya", "kind": "member_state", "active": true});
    assert_eq!(kenya(&before), then);
    audited(&up);

    let amend = CommandBody::AmendParty(AmendParty {
        name: "Republic of Kenya".to_owned(),
        reason: "Its name in full".to_owned(),
        effective: None,
    });
    let mut secretariat = Commander::new(seeds::SECRETARIAT, seeds::SECRETARIAT_PARTY, 7);
    let amend = secretariat.command("party/KEN", amend).encode();
    let receipt = lines(&up.cli(["submit", "-"], &amend).succeeded()).remove(0);
    assert_eq!(receipt["status"], "accepted", "{receipt}");
    let renamed = receipt["events"][0]["position"].to_string();

    // The auditor folds the views anew, and compares those that are served and those in the buckets.
    let audited = audited(&up);
    let projections = audited["projections"].as_array().expect("projections");
    let in_bucket = |view: &Value| view["compared_in_bucket"].as_u64() > Some(0);
    assert!(projections.iter().all(in_bucket), "{audited}");
    let now = serde_json::json!({"id": "KEN", "name": "Republic of Kenya", "former_names": ["Kenya"],
        "kind": "member_state", "active": true});
    let after = json(&up, ["--json", "country", "KEN"]);
    assert_eq!(kenya(&after), now);
    assert_eq!(after["view"]["position"], renamed.as_str());
    let known = json(&up, ["--json", "country", "KEN", "--as-of", position]);
    assert_eq!(known["view"], before["view"]);
    let known = json(&up, ["--json", "country", "KEN", "--as-of", &renamed]);
    assert_eq!(kenya(&known), now);
    let page = up.cli(["country", "KEN"], b"").succeeded();
    let line = "\nKEN    Republic of Kenya (formerly Kenya)\n";
    assert!(page.contains(line), "{page}");
    let changed = up.cli(["diff", "--country", "KEN", "--from", position], b"");
    let changed = changed.succeeded();
    assert!(
        changed.contains("registered_parties/KEN/former_names"),
        "{changed}"
    );
}

#[test]
fn a_commitment_as_known_earlier_stands_as_it_stood_then() {
    let up = Up::start(&[]);
    let mut kenya = Commander::new("illustrative-africa", "KEN", 9);
    let (commitment, record) = kenya.record(&["GCM-10"]);
    let id = commitment.to_string();
    let submit = |command: Command| {
        let receipts = lines(&up.cli(["submit", "-"], &command.encode()).succeeded());
        assert_eq!(receipts[0]["status"], "accepted", "{}", receipts[0]);
        receipts[0]["events"][0]["position"].to_string()
    };
    let recorded = submit(record);
    let before = json(&up, ["--json", "commitment", &id]);
    let reported = submit(kenya.report(commitment, 3, Stage::InProgress));
    let corrected = submit(kenya.report(commitment, 3, Stage::Fulfilled));

    let known = json(&up, ["--json", "commitment", &id, "--as-of", &recorded]);
    assert_eq!(known["as_of_position"], recorded.as_str());
    assert_eq!(known["state"]["stage"], "none_reported");
    for field in ["stage", "changed", "due", "status", "lead"] {
        assert_eq!(known["state"][field], before["state"][field], "{field}");
    }
    let known = json(&up, ["--json", "commitment", &id, "--as-of", &reported]);
    assert_eq!(known["state"]["stage"], "in_progress");
    let now = json(&up, ["--json", "commitment", &id]);
    assert_eq!(now["state"]["stage"], "fulfilled");
    assert_eq!(now["state"]["stage_from"], corrected.as_str());
    assert!(now.get("as_of_position").is_none(), "{now}");

    let history = ["commitment", id.as_str(), "--history", "--as-of", &reported];
    let known = up.cli(history, b"").succeeded();
    assert!(known.contains("progress_reported"), "{known}");
    assert!(
        !known.contains("corrected"),
        "what came later is not known: {known}"
    );
    let reason = "Another ministry took the programme over, with its budget and all of its staff.";
    submit(kenya.withdraw(commitment, reason));
    let whole = up.cli(["commitment", &id, "--history"], b"").succeeded();
    assert!(whole.contains(reason), "cut on no terminal: {whole}");
    let corrects = format!("corrects the report at {reported}: in progress → fulfilled");
    assert!(whole.contains(&corrects), "{whole}");
    assert!(
        whole.contains(&format!("later corrected at {corrected}")),
        "{whole}"
    );
}

#[test]
fn a_moment_at_which_nothing_is_known_is_refused_in_a_sentence_that_says_why() {
    let up = Up::start(&[]);
    let country = json(&up, ["--json", "country", "KEN", "--limit", "1"]);
    let row = &country["list"]["rows"][0];
    let id = row["commitment"].as_str().expect("an id");
    let before = row["position"].as_str().expect("a position");
    let before = (before.parse::<u64>().expect("a number") - 1).to_string();
    let questions = [
        vec!["commitment", id],
        vec!["commitment", id, "--history"],
        vec!["watch"],
        vec!["summary"],
    ];
    for (as_of, expected, why) in [
        ("999999999", 1, "is not reached yet"),
        ("2999-01-01T00:00:00Z", 1, "has not come yet"),
        ("2999-01-01", 1, "has not ended yet"),
        ("1999-01-01", 1, "nothing was recorded by 1999"),
        ("1999-01-01T00:00:00Z", 1, "nothing was recorded by 1999"),
        ("yesterday", 2, "is neither a position"),
    ] {
        for question in &questions {
            let arguments = [question.as_slice(), &["--as-of", as_of]].concat();
            let refused = up.run(&arguments);
            assert_eq!(code(&refused), expected, "{arguments:?}");
            assert!(
                refused.stderr.contains(why),
                "{arguments:?}: {}",
                refused.stderr
            );
            assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
        }
    }
    let refused = up.cli(["commitment", id, "--as-of", &before], b"");
    assert_eq!(code(&refused), 1);
    assert!(
        refused.stderr.contains("was recorded at position"),
        "{}",
        refused.stderr
    );
}

#[test]
fn watch_lists_and_the_summary_are_shown_as_they_were_known() {
    let up = Up::start(&[]);
    let position = json(&up, ["--json", "summary"])["watermark"].clone();
    let position = position.as_str().expect("a position");
    let before = json(&up, ["--json", "watch", "never_reported", "--limit", "200"]);
    let summary = json(&up, ["--json", "summary"]);
    let mut kenya = Commander::new("illustrative-africa", "KEN", 10);
    let (commitment, record) = kenya.record(&["GCM-10"]);
    up.cli(["submit", "-"], &record.encode()).succeeded();
    await_that("the new commitment", Duration::from_secs(20), || {
        json(&up, ["--json", "summary"])["view"] != summary["view"]
    });
    let page = |as_of: &str| {
        let arguments = [
            "--json",
            "watch",
            "never_reported",
            "--limit",
            "200",
            "--as-of",
            as_of,
        ];
        json(&up, arguments)
    };
    let known = page(position);
    assert_eq!(known["as_of_position"], position);
    assert_eq!(known["watch"]["rows"], before["watch"]["rows"]);
    assert_eq!(known["commitments_by_list"], before["commitments_by_list"]);
    let next = (position.parse::<u64>().expect("a number") + 1).to_string();
    let rows = page(&next)["watch"]["rows"].clone();
    let rows = rows.as_array().expect("rows");
    let is_new = |row: &Value| row["commitment"] == commitment.to_string();
    assert!(rows.iter().any(is_new), "{rows:?}");

    let known = json(&up, ["--json", "summary", "--as-of", position]);
    assert_eq!(known["view"], summary["view"]);
    let table = up.cli(["summary", "--as-of", position], b"").succeeded();
    assert!(
        table.contains(&format!("As known at position {position};")),
        "{table}"
    );
    assert!(table.contains("member States"), "{table}");
    let table = up.cli(["watch", "--as-of", position], b"").succeeded();
    assert!(
        table.contains(&format!("As known at position {position};")),
        "{table}"
    );
}
