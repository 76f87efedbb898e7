//! Bad input, generated: each command as it is accepted once, then with one thing after the other wrong. A decision changes nothing
//! but through the events it returns, so what is refused leaves no trace.

use std::collections::BTreeSet;

use ledger_domain::RejectionCode as Code;
use ledger_domain::ids::Subject;
use ledger_domain::wire::v1::{Command, CommandType, Policy};
use serde_json::Value;

use crate::rich::{Rich, rich};
use crate::support::{World, commitment, digest, expecting, id, say};

fn refused(world: &World, command: &Command) -> (Code, String) {
    let name = command.body.command_type().name();
    let refusal = world.decide(command).expect_err(name);
    assert!(refusal.message.len() > 10, "{refusal}");
    (refusal.code, refusal.field.unwrap_or_default())
}

/// The command with one value of its data replaced, if it is still of good form.
fn with(command: &Command, pointer: &str, value: &str) -> Option<Command> {
    let mut text: Value = serde_json::from_slice(&command.encode()).expect("JSON");
    *text.pointer_mut(pointer).expect("a value") = value.into();
    Command::decode(text.to_string().as_bytes(), &Policy::default()).ok()
}

/// Where the strings of the command's data stand: as a pointer, and as a refusal names the field.
fn strings(command: &Command) -> Vec<(String, String, String)> {
    fn collect(
        value: &Value,
        pointer: &str,
        field: &str,
        found: &mut Vec<(String, String, String)>,
    ) {
        match value {
            Value::Object(object) => {
                for (key, inner) in object {
                    collect(
                        inner,
                        &format!("{pointer}/{key}"),
                        &format!("{field}.{key}"),
                        found,
                    );
                }
            }
            Value::Array(array) => {
                for (index, inner) in array.iter().enumerate() {
                    collect(
                        inner,
                        &format!("{pointer}/{index}"),
                        &format!("{field}[{index}]"),
                        found,
                    );
                }
            }
            Value::String(text) => found.push((pointer.to_owned(), field.to_owned(), text.clone())),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let text: Value = serde_json::from_slice(&command.encode()).expect("JSON");
    let mut found = Vec::new();
    collect(&text["data"], "/data", "data", &mut found);
    found
}

#[test]
fn every_command_is_accepted_once() {
    let rich = rich();
    let mut types = BTreeSet::new();
    for (world, command) in rich.accepted() {
        world.when(&command).accepted();
        assert!(types.insert(command.body.command_type()));
    }
    assert_eq!(types.len(), CommandType::ALL.len());
}

#[test]
fn every_command_is_refused_from_whom_may_not_send_it() {
    let rich = rich();
    for (world, command) in rich.accepted() {
        let mut nobody = command.clone();
        nobody.partner = id("nobody");
        assert_eq!(
            refused(&world, &nobody),
            (Code::SenderUnknown, "source".into())
        );
        let mut reader = command.clone();
        (reader.partner, reader.party) = (id("audit"), id("KEN"));
        assert_eq!(refused(&world, &reader), (Code::RoleMissing, "type".into()));
        let mut other = command.clone();
        other.party = id("XYZ");
        assert_eq!(
            refused(&world, &other),
            (Code::PartyNotAllowed, "party".into())
        );
        if command.partner != id("root") {
            let subject = format!("partner/{}", command.partner);
            let revoking = say(
                "root",
                "ledger",
                &subject,
                "revoke_partner",
                r#"{"reason":"x"}"#,
            );
            let world = world.clone().and(&revoking);
            assert_eq!(
                refused(&world, &command),
                (Code::SenderRevoked, "source".into())
            );
        }
    }
}

#[test]
fn every_command_is_refused_on_another_version_or_subject() {
    let rich = rich();
    for (world, command) in rich.accepted() {
        let late = expecting(99, command.clone());
        assert_eq!(
            refused(&world, &late),
            (Code::VersionConflict, "expectedversion".into())
        );
        let mut elsewhere = command.clone();
        let Subject::Commitment(_) = command.subject else {
            continue;
        };
        elsewhere.subject = Subject::Commitment(commitment(77));
        if command.body.command_type() != CommandType::RecordCommitment {
            assert_eq!(
                refused(&world, &elsewhere),
                (Code::UnknownCommitment, "subject".into())
            );
        }
    }
}

#[test]
fn no_text_of_any_command_holds_personal_identifiers() {
    let rich = rich();
    let mut texts = 0;
    for (world, command) in rich.accepted() {
        for (pointer, field, _) in strings(&command) {
            // What names a milestone is compared before it is read as a text.
            if field == "data.milestone" {
                continue;
            }
            let Some(leaking) = with(&command, &pointer, "Write to a.person@example.org") else {
                continue;
            };
            assert_eq!(
                refused(&world, &leaking),
                (Code::PersonalDataRefused, field)
            );
            texts += 1;
        }
    }
    assert!(texts >= 60, "{texts} texts");
}

#[test]
fn no_date_of_any_command_lies_far_past_or_far_ahead() {
    let rich = rich();
    let mut dates = 0;
    for (world, command) in rich.accepted() {
        for (pointer, field, text) in strings(&command) {
            let is_date = matches!(text.len(), 4 | 7 | 10) && text.starts_with("20");
            if !is_date {
                continue;
            }
            dates += 1;
            for date in ["1000", "1944-12-31", "2999", "9999-12-31"] {
                let command = with(&command, &pointer, date).expect("a date");
                let (code, found) = refused(&world, &command);
                let codes = [Code::DateInFuture, Code::DateOutOfRange, Code::DateOrder];
                assert!(codes.contains(&code), "{code} for {date} at {field}");
                // A first day after the last is refused at the last.
                let (place, _) = field.rsplit_once('.').expect("a path");
                assert!(found.starts_with(place), "{found} for {date} at {field}");
            }
        }
    }
    assert!(dates >= 25, "{dates} dates");
}

/// One way to break each rule: what happened before, if anything; what is sent; and the refusal. A command reads
/// `<partner> <party> <subject> <command> <data>`, where `{1}` stands for the first commitment, and so on.
const BROKEN: &[(&str, &str, Code, &str)] = &[
    (
        "",
        r#"root ledger partner/none revoke_partner {"reason":"x"}"#,
        Code::UnknownPartner,
        "subject",
    ),
    (
        "",
        r#"root ledger partner/gov register_partner {"name":"x","roles":["auditor"],"parties":["KEN"]}"#,
        Code::PartnerExists,
        "subject",
    ),
    (
        r#"root ledger partner/ngo revoke_partner {"reason":"x"}"#,
        r#"root ledger partner/ngo revoke_partner {"reason":"x"}"#,
        Code::PartnerRevoked,
        "subject",
    ),
    (
        "",
        r#"root ledger partner/root revoke_partner {"reason":"x"}"#,
        Code::PartnerIsRoot,
        "subject",
    ),
    (
        "",
        "root ledger partner/gov change_partner {}",
        Code::NothingToChange,
        "data",
    ),
    (
        "",
        r#"root ledger partner/gov change_partner {"focal_point_for":["NBO"]}"#,
        Code::CountryMismatch,
        "data.focal_point_for[0]",
    ),
    (
        "",
        r#"sec UNNM instrument/NONE map_actions {"from":"OTH-1","to":["GCM-10"]}"#,
        Code::UnknownInstrument,
        "subject",
    ),
    (
        "",
        r#"sec UNNM instrument/OTHER publish_instrument {"title":"x","kind":"other"}"#,
        Code::InstrumentExists,
        "subject",
    ),
    (
        "",
        r#"sec UNNM instrument/OTHER map_actions {"from":"OTH-1","to":["GCM-99"]}"#,
        Code::UnknownAction,
        "data.to[0]",
    ),
    (
        "",
        r#"sec UNNM instrument/OTHER catalogue_action {"code":"GCM-10","title":"x","text_status":"seen"}"#,
        Code::ActionExists,
        "data.code",
    ),
    (
        "",
        r#"gov KEN {3} record_commitment {"title":"x","actions":["GCM-10"],"principles":["GP-9"]}"#,
        Code::UnknownPrinciple,
        "data.principles[0]",
    ),
    (
        "",
        r#"sec UNNM party/KEN register_party {"name":"x","kind":"member_state"}"#,
        Code::PartyExists,
        "subject",
    ),
    (
        "",
        r#"sec UNNM party/NONE change_party_status {"status":"active","reason":"x"}"#,
        Code::PartyUnknown,
        "subject",
    ),
    (
        "",
        "gov OLD {1} confirm_participation {}",
        Code::PartyInactive,
        "party",
    ),
    (
        "",
        r#"gov KEN {1} supersede_commitment {"successor":"{9}","reason":"x"}"#,
        Code::UnknownCommitment,
        "data.successor",
    ),
    (
        "",
        r#"gov KEN {1} record_commitment {"title":"x","actions":["GCM-10"]}"#,
        Code::CommitmentExists,
        "subject",
    ),
    (
        r#"gov KEN {1} withdraw_commitment {"reason":"x"}"#,
        r#"gov KEN {1} suspend_commitment {"reason":"x"}"#,
        Code::CommitmentWithdrawn,
        "subject",
    ),
    (
        "",
        r#"gov KEN {1} reach_milestone {"milestone":"None"}"#,
        Code::UnknownMilestone,
        "data.milestone",
    ),
    (
        "",
        r#"gov KEN {1} retract_report {"report":"1","reason":"x"}"#,
        Code::UnknownReport,
        "data.report",
    ),
    (
        "",
        r#"gov KEN {1} answer_contest {"contest":"1","answer":"x"}"#,
        Code::UnknownContest,
        "data.contest",
    ),
    (
        "",
        r#"ind IND {1} revise_assessment {"assessment":"1","grade":"x","reason":"x"}"#,
        Code::UnknownAssessment,
        "data.assessment",
    ),
    (
        "",
        r#"gov KEN {1} flag_evidence_unavailable {"sha256":"{sha}","reason":"x"}"#,
        Code::UnknownEvidence,
        "data.sha256",
    ),
    (
        "",
        "sec UNNM review/NONE close_review {}",
        Code::UnknownReview,
        "subject",
    ),
    (
        "",
        r#"sec UNNM review/R1 open_review {"title":"x"}"#,
        Code::ReviewExists,
        "subject",
    ),
    (
        "",
        r#"gov UGA {1} withdraw_commitment {"reason":"x"}"#,
        Code::NotLead,
        "party",
    ),
    (
        "",
        r#"gov NBO {1} leave_commitment {"reason":"x"}"#,
        Code::NotParticipant,
        "party",
    ),
    (
        "",
        r#"gov UGA {1} retract_report {"report":"{report}","reason":"x"}"#,
        Code::NotReporter,
        "party",
    ),
    (
        "",
        r#"ind UNI {1} revise_assessment {"assessment":"{assessment}","grade":"x","reason":"x"}"#,
        Code::NotAssessor,
        "party",
    ),
    (
        "",
        r#"gov KEN {1} return_report {"report":"{report}","reason":"x"}"#,
        Code::NotFocalPoint,
        "party",
    ),
    (
        "gov UGA {1} confirm_participation {}",
        r#"ind UGA {1} assess_progress {"method":"M","method_version":"1","grade":"x"}"#,
        Code::AssessorParticipates,
        "party",
    ),
    (
        "",
        r#"gov KEN {1} contest_report {"report":"{report}","reason":"x"}"#,
        Code::OwnReport,
        "party",
    ),
    (
        "",
        r#"gov KEN {1} leave_commitment {"reason":"x"}"#,
        Code::LeadCannotLeave,
        "party",
    ),
    (
        "gov UGA {1} confirm_participation {}",
        "gov UGA {1} confirm_participation {}",
        Code::AlreadyConfirmed,
        "party",
    ),
    (
        "",
        r#"gov KEN {1} resume_commitment {"reason":"x"}"#,
        Code::StatusConflict,
        "subject",
    ),
    (
        r#"gov KEN {1} supersede_commitment {"successor":"{2}","reason":"x"}"#,
        r#"gov KEN {2} supersede_commitment {"successor":"{1}","reason":"x"}"#,
        Code::SupersedeCycle,
        "data.successor",
    ),
    (
        r#"gov KEN {1} retract_report {"report":"{report}","reason":"x"}"#,
        r#"gov KEN {1} close_commitment {"outcome":"fulfilled","reason":"x"}"#,
        Code::EvidenceRequired,
        "data.outcome",
    ),
    (
        r#"gov KEN {1} reach_milestone {"milestone":"Law"}"#,
        r#"gov UGA {1} reach_milestone {"milestone":"Law"}"#,
        Code::MilestoneReached,
        "data.milestone",
    ),
    (
        r#"gov KEN {1} report_progress {"period":{"from":"2025","to":"2025"},"stage":"stalled"}"#,
        r#"gov KEN {1} retract_report {"report":"{report}","reason":"x"}"#,
        Code::ReportCorrectedAlready,
        "data.report",
    ),
    (
        r#"gov KEN {1} retract_report {"report":"{report}","reason":"x"}"#,
        r#"gov UGA {1} contest_report {"report":"{report}","reason":"x"}"#,
        Code::ReportRetracted,
        "data.report",
    ),
    (
        "",
        r#"gov NBO {1} contest_report {"report":"{report}","reason":"x"}"#,
        Code::ContestExists,
        "data.report",
    ),
    (
        r#"sec UNNM {1} resolve_contest {"contest":"{contest}","outcome":"upheld","reason":"x"}"#,
        r#"sec UNNM {1} resolve_contest {"contest":"{contest}","outcome":"upheld","reason":"x"}"#,
        Code::ContestResolved,
        "data.contest",
    ),
    (
        r#"ind IND {1} revise_assessment {"assessment":"{assessment}","grade":"x","reason":"x"}"#,
        r#"ind IND {1} revise_assessment {"assessment":"{assessment}","grade":"x","reason":"x"}"#,
        Code::AssessmentRevisedAlready,
        "data.assessment",
    ),
    (
        "sec UNNM review/R1 close_review {}",
        r#"sec UNNM review/R1 record_statement {"speaker":"KEN","statement":"x"}"#,
        Code::ReviewClosed,
        "subject",
    ),
    (
        "",
        r#"gov KEN {1} supersede_commitment {"successor":"{1}","reason":"x"}"#,
        Code::SelfReference,
        "data.successor",
    ),
    (
        "",
        r#"gov KEN {1} suspend_commitment {"reason":"x","effective":"2027"}"#,
        Code::DateInFuture,
        "data.effective",
    ),
    (
        "",
        r#"gov KEN {1} suspend_commitment {"reason":"x","effective":"1944"}"#,
        Code::DateOutOfRange,
        "data.effective",
    ),
    (
        "",
        r#"gov KEN {1} amend_commitment {"reason":"x","due":"2025"}"#,
        Code::DateOrder,
        "data.due",
    ),
    (
        "",
        r#"gov KEN {1} report_progress {"period":{"from":"2026","to":"2026"},"stage":"planning","evidence":[{"sha256":"{sha}"}],"no_evidence_reason":"x"}"#,
        Code::Contradiction,
        "data.no_evidence_reason",
    ),
];

impl Rich {
    fn command(&self, text: &str) -> Command {
        let mut text = text
            .replace("{report}", &self.report.to_string())
            .replace("{contest}", &self.contest.to_string())
            .replace("{assessment}", &self.assessment.to_string())
            .replace("{sha}", &digest(7));
        for number in [1, 2, 3, 9] {
            text = text.replace(&format!("{{{number}}}"), &commitment(number).to_string());
        }
        let words: Vec<&str> = text.splitn(5, ' ').collect();
        let [partner, party, subject, name, data] = words[..] else {
            panic!("five parts: {text}");
        };
        say(partner, party, subject, name, data)
    }
}

#[test]
fn every_rule_is_broken_once_and_refused_with_its_own_code_and_field() {
    let rich = rich();
    let mut codes = BTreeSet::new();
    for (before, sent, code, field) in BROKEN {
        let mut world = rich.world.clone();
        if !before.is_empty() {
            world = world.and(&rich.command(before));
        }
        let sent = rich.command(sent);
        world.when(&sent).then_refused(*code, field);
        codes.insert(*code);
    }
    // Those of the sender, the version and the texts are broken for every command above; the two bounds have tests of their own, and an
    // unknown country is refused before anything is decided.
    let elsewhere = [
        Code::SenderUnknown,
        Code::SenderRevoked,
        Code::RoleMissing,
        Code::PartyNotAllowed,
        Code::VersionConflict,
        Code::PersonalDataRefused,
        Code::TooManyReports,
        Code::LimitReached,
        Code::UnknownCountry,
    ];
    let rules = RULES.iter().filter(|code| !elsewhere.contains(code));
    let missing: Vec<&Code> = rules.filter(|code| !codes.contains(*code)).collect();
    assert!(missing.is_empty(), "not broken: {missing:?}");
}

/// The codes of decisions: those between the submissions' and the service's.
static RULES: std::sync::LazyLock<Vec<Code>> = std::sync::LazyLock::new(|| {
    let all = Code::ALL.iter().copied();
    all.skip_while(|code| *code != Code::SenderUnknown)
        .take_while(|code| *code != Code::Busy)
        .collect()
});
