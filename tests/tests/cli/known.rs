//! Views as they were known at a past position, and what changed since.

use std::time::Duration;

use ledger_tests::commands::Commander;
use ledger_tests::{Up, await_that};
use serde_json::Value;

use crate::{code, lines};

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

    for refused in ["999999999", "2999-01-01T00:00:00Z", "yesterday"] {
        assert_ne!(code(&up.cli(["gaps", "--as-of", refused], b"")), 0);
    }
    let summary = json(&up, ["--json", "gaps", "--as-of", "0"]);
    assert_eq!(summary["view"]["view"], "gaps");
}
