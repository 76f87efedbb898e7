//! Real texts: recommendations of the Universal Periodic Review on migration. None of them holds personal identifiers, so
//! none may be refused for holding one.

use std::path::PathBuf;

use ledger_domain::personal;
use ledger_domain::wire::v1::{Command, Pattern, Policy, RecordCommitment};

use crate::support::{given, record, recording};

/// The lines of the data file, or none where the data is not there.
fn lines() -> Vec<serde_json::Value> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let data =
        std::env::var_os("LEDGER_TEST_DATA").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let file = data.join("upr/upr_migration_commands.jsonl");
    match std::fs::read_to_string(&file) {
        Ok(text) => text
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect(),
        Err(error) => {
            eprintln!(
                "skipped: {} cannot be read ({error}); set LEDGER_TEST_DATA",
                file.display()
            );
            Vec::new()
        }
    }
}

#[test]
fn no_real_text_is_taken_for_a_personal_identifier() {
    for line in lines() {
        for field in ["title", "text"] {
            if let Some(text) = line[field].as_str() {
                assert_eq!(personal::find(text, Pattern::ALL), None, "{text}");
            }
        }
    }
}

#[test]
fn every_accepted_recommendation_can_be_recorded() {
    let lines = lines();
    let accepted = lines
        .iter()
        .filter(|line| line["command"] == "RecordCommitment");
    let world = given();
    let mut count = 0;
    for line in accepted {
        let text = line["title"].as_str().expect("a title");
        let data = RecordCommitment {
            title: text.chars().take(300).collect::<String>().trim().to_owned(),
            description: Some(text.to_owned()),
            ..record()
        };
        let bytes = recording(1, "KEN", data).encode();
        let command = Command::decode(&bytes, &Policy::default()).expect(text);
        world.when(&command).accepted();
        count += 1;
    }
    assert!(lines.is_empty() || count == 2654, "{count}");
}
