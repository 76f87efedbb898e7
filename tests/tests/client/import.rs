//! The importer's commands against the domain's own rules.

use ledger_domain::country;
use ledger_domain::ids::PartyId;
use ledger_domain::wire::v1::{
    ActionKind, CatalogueAction, Command, CommandBody, InstrumentKind, PartyKind,
    PublishInstrument, RegisterPartner, RegisterParty, Role, Root, TextStatus,
};
use ledger_import::upr;
use ledger_tests::commands::Commander;

use crate::paper_ledger::PaperLedger;

/// Three accepted recommendations and one that was noted, in the records' own form.
pub(crate) const RECORDS: &str = r#"{"effective_at":"2008-04","subject":"UPR1-DZA-0001","party":"DZA","command":"RecordRecommendation","recommended_by":["SVN","KEN"],"issues":["Rights of the Child","Trafficking"],"text":"Protect children from trafficking."}
{"subject":"UPR1-DZA-0001","party":"DZA","command":"RespondToRecommendation","response":"Accepted"}
{"subject":"UPR1-DZA-0001","party":"DZA","command":"RecordCommitment"}
{"effective_at":"2009-02","subject":"UPR4-CZE-0005","party":"CZE","command":"RecordRecommendation","recommended_by":["DZA"],"issues":["Migrants"],"text":"Ratify."}
{"subject":"UPR4-CZE-0005","party":"CZE","command":"RespondToRecommendation","response":"Noted"}
{"effective_at":"2010-05","subject":"UPR8-KEN-0002","party":"KEN","command":"RecordRecommendation","recommended_by":["CZE"],"issues":["Labour"],"text":"Protect workers."}
{"subject":"UPR8-KEN-0002","party":"KEN","command":"RespondToRecommendation","response":"Accepted"}
{"subject":"UPR8-KEN-0002","party":"KEN","command":"RecordCommitment"}
{"effective_at":"2010-05","subject":"UPR8-KEN-0003","party":"KEN","command":"RecordRecommendation","recommended_by":["CZE"],"issues":["Trafficking"],"text":"Investigate."}
{"subject":"UPR8-KEN-0003","party":"KEN","command":"RespondToRecommendation","response":"Accepted"}
{"subject":"UPR8-KEN-0003","party":"KEN","command":"RecordCommitment"}
"#;

pub(crate) fn root() -> Root {
    Root {
        partner: "root".parse().unwrap(),
        party: "ledger".parse().unwrap(),
    }
}

/// The parties and objectives that an import finds in every ledger: the member States and the 23 objectives.
pub(crate) fn reference() -> Vec<Command> {
    let mut root = Commander::new("root", "ledger", 1);
    let mut secretariat = Commander::new("secretariat", "ledger", 1);
    let partner = CommandBody::RegisterPartner(RegisterPartner {
        name: "Secretariat".to_owned(),
        roles: vec![Role::Secretariat],
        parties: vec!["ledger".parse().unwrap()],
        focal_point_for: Vec::new(),
    });
    let mut commands = vec![root.command("partner/secretariat", partner)];
    for state in country::members() {
        let party = PartyId::try_from(state.code.as_str()).unwrap();
        let body = CommandBody::RegisterParty(RegisterParty {
            name: state.name.to_string(),
            kind: PartyKind::MemberState,
            country: Some(state.code),
        });
        commands.push(secretariat.command(&format!("party/{party}"), body));
    }
    let instrument = CommandBody::PublishInstrument(PublishInstrument {
        language: None,
        title: "Global Compact".to_owned(),
        kind: InstrumentKind::Compact,
        adopted: None,
        symbol: None,
        url: None,
        principles: Vec::new(),
    });
    commands.push(secretariat.command("instrument/GCM-2018", instrument));
    for objective in 1..=23 {
        let body = CommandBody::CatalogueAction(CatalogueAction {
            code: format!("GCM-{objective:02}").parse().unwrap(),
            title: format!("Objective {objective}"),
            parent: None,
            text_status: TextStatus::NotSeen,
            description: None,
            kind: Some(ActionKind::Objective),
        });
        commands.push(secretariat.command("instrument/GCM-2018", body));
    }
    commands
}

/// A ledger with the reference data and an import of these records, every command of which must be accepted.
pub(crate) fn ledger_with(records: &str) -> PaperLedger {
    let ledger = PaperLedger::open();
    let import = upr::import(records.lines(), &root());
    assert!(
        import.refused_lines.is_empty(),
        "{:?}",
        import.refused_lines
    );
    for command in reference().iter().chain(&import.commands) {
        if let Err(rejection) = ledger.submit(command) {
            panic!("{rejection}: {}", command.encode().escape_ascii());
        }
    }
    ledger
}

#[test]
fn every_command_of_an_import_is_accepted() {
    assert!(ledger_with(RECORDS).tree_size() > 200);
}

#[test]
fn every_command_of_the_whole_real_file_is_accepted() {
    let Some(data) = ledger_tests::test_data() else {
        return;
    };
    let records = std::fs::read_to_string(data.join("upr/upr_migration_commands.jsonl")).unwrap();
    let before = ledger_with("").tree_size();
    // 52 themes, 6 of which have an objective of their own.
    assert_eq!(ledger_with(&records).tree_size() - before, 52 + 6 + 2654);
}
