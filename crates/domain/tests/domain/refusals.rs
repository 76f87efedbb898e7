//! Bad input, generated: each command as it is accepted once, then with one thing after the other wrong. A decision changes nothing
//! but through the events it returns, so what is refused leaves no trace.

use std::collections::BTreeSet;

use ledger_domain::RejectionCode as Code;
use ledger_domain::ids::{Position, Subject};
use ledger_domain::wire::v1::{Command, CommandType, Policy};
use serde_json::Value;

use crate::support::{World, about, commitment, committed, digest, evidenced, expecting, id, say};

/// Commitment 1 of KEN with a report of its own, contested by NBO and assessed by IND; commitment 2 of KEN; and a review.
pub(crate) struct Rich {
    pub(crate) world: World,
    report: Position,
    contest: Position,
    assessment: Position,
}

pub(crate) fn rich() -> Rich {
    let second = commitment(2).to_string();
    let recording = r#"{"title":"Another","actions":["GCM-10"]}"#;
    let world = committed()
        .and(&say("gov", "KEN", &second, "record_commitment", recording))
        .and(&say(
            "sec",
            "UNNM",
            "review/R1",
            "open_review",
            r#"{"title":"Forum"}"#,
        ))
        .and(&evidenced("2025"));
    let report = world.last();
    let contest = format!(r#"{{"report":"{report}","reason":"Not so"}}"#);
    let world = world.and(&about("gov", "NBO", "contest_report", &contest));
    let contest = world.last();
    let assessment = r#"{"method":"IRM","method_version":"1","grade":"Limited"}"#;
    let world = world.and(&about("ind", "IND", "assess_progress", assessment));
    let assessment = world.last();
    Rich {
        world,
        report,
        contest,
        assessment,
    }
}

impl Rich {
    /// Every command about commitment 1 that its world accepts as it is: who sends it for whom, its name and its data.
    fn about_commitment(&self) -> Vec<(&'static str, &'static str, &'static str, String)> {
        let (report, contest, assessment) = (self.report, self.contest, self.assessment);
        let sha = digest(1);
        let piece = format!(
            r#""evidence":[{{"sha256":"{}","url":"https://example.org/a","title":"Gazette"}}]"#,
            digest(9)
        );
        let successor = commitment(2);
        let plain = r#"{"reason":"Because","effective":"2026-06"}"#.to_owned();
        vec![
            ("gov", "KEN", "report_progress", format!(r#"{{"period":{{"from":"2026-01","to":"2026-06"}},"stage":"planning","indicators":[{{"name":"visas","value":7,"unit":"a year"}}],"narrative":"Going on",{piece}}}"#)),
            ("gov", "KEN", "amend_commitment", r#"{"title":"Visas","description":"More","due":"2029","measure":{"indicator":"visas","unit":"a year","target":3},"actions":["GCM-10"],"countries":["KEN"],"nature":"process","participants":[{"party":"NBO","role":"partner"}],"milestones":[{"name":"Budget","due":"2028"}],"reason":"Plan","effective":"2026-06"}"#.to_owned()),
            ("gov", "UGA", "confirm_participation", r#"{"note":"Yes","effective":"2026-06"}"#.to_owned()),
            ("gov", "UGA", "leave_commitment", plain.clone()),
            ("gov", "KEN", "withdraw_commitment", plain.clone()),
            ("gov", "KEN", "suspend_commitment", plain),
            ("gov", "KEN", "supersede_commitment", format!(r#"{{"successor":"{successor}","reason":"Merged","effective":"2026-06"}}"#)),
            ("gov", "KEN", "close_commitment", r#"{"outcome":"fulfilled","reason":"Done","effective":"2026-06"}"#.to_owned()),
            ("gov", "UGA", "reach_milestone", format!(r#"{{"milestone":"Law","reached":"2026-06","note":"Signed",{piece}}}"#)),
            ("gov", "KEN", "correct_report", format!(r#"{{"report":"{report}","stage":"stalled","indicators":[{{"name":"visas","value":7,"unit":"a year"}}],"narrative":"Less",{piece},"reason":"Typo"}}"#)),
            ("gov", "KEN", "retract_report", format!(r#"{{"report":"{report}","reason":"Wrong"}}"#)),
            ("gov", "UGA", "contest_report", format!(r#"{{"report":"{report}","reason":"Wrong",{piece}}}"#)),
            ("gov", "KEN", "answer_contest", format!(r#"{{"contest":"{contest}","answer":"Right"}}"#)),
            ("sec", "UNNM", "resolve_contest", format!(r#"{{"contest":"{contest}","outcome":"upheld","reason":"Wrong"}}"#)),
            ("focal", "KEN", "validate_report", format!(r#"{{"report":"{report}","note":"Seen"}}"#)),
            ("sec", "UNNM", "return_report", format!(r#"{{"report":"{report}","reason":"Unclear"}}"#)),
            ("ind", "UNI", "assess_progress", format!(r#"{{"method":"IRM","method_version":"1","grade":"Some","completion":"limited","period":{{"from":"2025","to":"2026"}},"assessed":"2026-06","summary":"Half",{piece}}}"#)),
            ("ind", "UNI", "assess_ambition", r#"{"method":"IRM","method_version":"1","grades":[{"dimension":"specificity","grade":"Low"}],"assessed":"2026-06","summary":"Half"}"#.to_owned()),
            ("ind", "IND", "revise_assessment", format!(r#"{{"assessment":"{assessment}","reason":"New","grade":"Much","completion":"substantial","summary":"More"}}"#)),
            ("ind", "UNI", "attach_evidence", format!(r#"{{"report":"{report}",{piece}}}"#)),
            ("gov", "KEN", "move_evidence", format!(r#"{{"sha256":"{sha}","url":"https://example.org/b","reason":"Moved"}}"#)),
            ("gov", "KEN", "flag_evidence_unavailable", format!(r#"{{"sha256":"{sha}","reason":"Gone"}}"#)),
        ]
    }

    /// Each command type once, with a world that accepts it.
    fn accepted(&self) -> Vec<(World, Command)> {
        let world = &self.world;
        let mut all: Vec<(World, Command)> = self
            .about_commitment()
            .into_iter()
            .map(|(partner, party, name, data)| (world.clone(), about(partner, party, name, &data)))
            .collect();
        for (before, name) in [
            ("suspend_commitment", "resume_commitment"),
            ("withdraw_commitment", "reinstate_commitment"),
        ] {
            let data = r#"{"reason":"Because","effective":"2026-06"}"#;
            let world = world.clone().and(&about("gov", "KEN", before, data));
            all.push((world, about("gov", "KEN", name, data)));
        }
        let third = commitment(3).to_string();
        let recording = format!(
            r#"{{"title":"Visas","description":"More","actions":["GCM-05a"],"nature":"process","matches":"{}","participants":[{{"party":"UGA","role":"partner"}}],"countries":["KEN"],"principles":["GP-1"],"measure":{{"indicator":"visas","unit":"a year","baseline":1,"target":2.5}},"made":"2026","due":"2028","milestones":[{{"name":"Law","due":"2027"}}],"source":{{"system":"UPR","reference":"1","url":"https://example.org/1"}}}}"#,
            commitment(2)
        );
        all.push((
            world.clone(),
            say("gov", "KEN", &third, "record_commitment", &recording),
        ));
        for (partner, party, subject, name, data) in ADMINISTRATION {
            all.push((world.clone(), say(partner, party, subject, name, data)));
        }
        all
    }
}

const ADMINISTRATION: [(&str, &str, &str, &str, &str); 12] = [
    (
        "root",
        "ledger",
        "partner/new",
        "register_partner",
        r#"{"name":"New","roles":["reporter"],"parties":["KEN"],"focal_point_for":["KEN"]}"#,
    ),
    (
        "root",
        "ledger",
        "partner/gov",
        "change_partner",
        r#"{"name":"Other"}"#,
    ),
    (
        "root",
        "ledger",
        "partner/gov",
        "revoke_partner",
        r#"{"reason":"Key lost"}"#,
    ),
    (
        "sec",
        "UNNM",
        "instrument/NEW",
        "publish_instrument",
        r#"{"title":"New","kind":"other","adopted":"2026-06","symbol":"A/1","url":"https://example.org/","principles":[{"code":"NP-1","name":"First"}]}"#,
    ),
    (
        "sec",
        "UNNM",
        "instrument/OTHER",
        "catalogue_action",
        r#"{"code":"OTH-2","title":"Second","text_status":"seen","description":"More"}"#,
    ),
    (
        "sec",
        "UNNM",
        "instrument/OTHER",
        "amend_action_text",
        r#"{"code":"OTH-1","title":"First","description":"More","reason":"Read"}"#,
    ),
    (
        "sec",
        "UNNM",
        "instrument/OTHER",
        "map_actions",
        r#"{"from":"OTH-1","to":["GCM-10"],"basis":"Its text"}"#,
    ),
    (
        "sec",
        "UNNM",
        "party/ABC",
        "register_party",
        r#"{"name":"A body","kind":"academia"}"#,
    ),
    (
        "sec",
        "UNNM",
        "party/NBO",
        "change_party_status",
        r#"{"status":"inactive","reason":"Merged"}"#,
    ),
    (
        "sec",
        "UNNM",
        "review/R2",
        "open_review",
        r#"{"title":"Second","from":"2026-05","to":"2026-06","instrument":"OTHER"}"#,
    ),
    (
        "sec",
        "UNNM",
        "review/R1",
        "record_statement",
        r#"{"speaker":"KEN","statement":"We go on","url":"https://example.org/","made":"2026-06"}"#,
    ),
    (
        "sec",
        "UNNM",
        "review/R1",
        "close_review",
        r#"{"note":"Done"}"#,
    ),
];

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

/// One way to break each rule: what happened before, what is sent, and the refusal.
fn broken(rich: &Rich) -> Vec<(World, Command, Code, &'static str)> {
    let world = |before: &[Command]| {
        before
            .iter()
            .fold(rich.world.clone(), |world, command| world.and(command))
    };
    let ken = |name: &str, data: &str| about("gov", "KEN", name, data);
    let uga = |name: &str, data: &str| about("gov", "UGA", name, data);
    let root = |subject: &str, name: &str, data: &str| say("root", "ledger", subject, name, data);
    let sec = |subject: &str, name: &str, data: &str| say("sec", "UNNM", subject, name, data);
    let named = format!(r#"{{"report":"{}","reason":"x"}}"#, rich.report);
    let revised = format!(
        r#"{{"assessment":"{}","grade":"x","reason":"x"}}"#,
        rich.assessment
    );
    let resolved = format!(
        r#"{{"contest":"{}","outcome":"upheld","reason":"x"}}"#,
        rich.contest
    );
    let one = commitment(1).to_string();
    let two = commitment(2).to_string();
    let reason = r#"{"reason":"x"}"#;
    let successor = |number| format!(r#"{{"successor":"{}","reason":"x"}}"#, commitment(number));
    let nowhere = format!(r#"{{"sha256":"{}","reason":"x"}}"#, digest(7));
    vec![
        (
            world(&[]),
            root("partner/none", "revoke_partner", reason),
            Code::UnknownPartner,
            "subject",
        ),
        (
            world(&[]),
            root(
                "partner/gov",
                "register_partner",
                r#"{"name":"x","roles":["auditor"],"parties":["KEN"]}"#,
            ),
            Code::PartnerExists,
            "subject",
        ),
        (
            world(&[root("partner/ngo", "revoke_partner", reason)]),
            root("partner/ngo", "revoke_partner", reason),
            Code::PartnerRevoked,
            "subject",
        ),
        (
            world(&[]),
            root("partner/root", "revoke_partner", reason),
            Code::PartnerIsRoot,
            "subject",
        ),
        (
            world(&[]),
            root("partner/gov", "change_partner", "{}"),
            Code::NothingToChange,
            "data",
        ),
        (
            world(&[]),
            root(
                "partner/gov",
                "change_partner",
                r#"{"focal_point_for":["NBO"]}"#,
            ),
            Code::CountryMismatch,
            "data.focal_point_for[0]",
        ),
        (
            world(&[]),
            sec(
                "instrument/NONE",
                "map_actions",
                r#"{"from":"OTH-1","to":["GCM-10"]}"#,
            ),
            Code::UnknownInstrument,
            "subject",
        ),
        (
            world(&[]),
            sec(
                "instrument/OTHER",
                "publish_instrument",
                r#"{"title":"x","kind":"other"}"#,
            ),
            Code::InstrumentExists,
            "subject",
        ),
        (
            world(&[]),
            sec(
                "instrument/OTHER",
                "map_actions",
                r#"{"from":"OTH-1","to":["GCM-99"]}"#,
            ),
            Code::UnknownAction,
            "data.to[0]",
        ),
        (
            world(&[]),
            sec(
                "instrument/OTHER",
                "catalogue_action",
                r#"{"code":"GCM-10","title":"x","text_status":"seen"}"#,
            ),
            Code::ActionExists,
            "data.code",
        ),
        (
            world(&[]),
            say(
                "gov",
                "KEN",
                &commitment(3).to_string(),
                "record_commitment",
                r#"{"title":"x","actions":["GCM-10"],"principles":["GP-9"]}"#,
            ),
            Code::UnknownPrinciple,
            "data.principles[0]",
        ),
        (
            world(&[]),
            sec(
                "party/KEN",
                "register_party",
                r#"{"name":"x","kind":"member_state"}"#,
            ),
            Code::PartyExists,
            "subject",
        ),
        (
            world(&[]),
            sec(
                "party/NONE",
                "change_party_status",
                r#"{"status":"active","reason":"x"}"#,
            ),
            Code::PartyUnknown,
            "subject",
        ),
        (
            world(&[]),
            about("gov", "OLD", "confirm_participation", "{}"),
            Code::PartyInactive,
            "party",
        ),
        (
            world(&[]),
            ken("supersede_commitment", &successor(9)),
            Code::UnknownCommitment,
            "data.successor",
        ),
        (
            world(&[]),
            ken("record_commitment", r#"{"title":"x","actions":["GCM-10"]}"#),
            Code::CommitmentExists,
            "subject",
        ),
        (
            world(&[ken("withdraw_commitment", reason)]),
            ken("suspend_commitment", reason),
            Code::CommitmentWithdrawn,
            "subject",
        ),
        (
            world(&[]),
            ken("reach_milestone", r#"{"milestone":"None"}"#),
            Code::UnknownMilestone,
            "data.milestone",
        ),
        (
            world(&[]),
            ken("retract_report", r#"{"report":"1","reason":"x"}"#),
            Code::UnknownReport,
            "data.report",
        ),
        (
            world(&[]),
            ken("answer_contest", r#"{"contest":"1","answer":"x"}"#),
            Code::UnknownContest,
            "data.contest",
        ),
        (
            world(&[]),
            about(
                "ind",
                "IND",
                "revise_assessment",
                r#"{"assessment":"1","grade":"x","reason":"x"}"#,
            ),
            Code::UnknownAssessment,
            "data.assessment",
        ),
        (
            world(&[]),
            ken("flag_evidence_unavailable", &nowhere),
            Code::UnknownEvidence,
            "data.sha256",
        ),
        (
            world(&[]),
            sec("review/NONE", "close_review", "{}"),
            Code::UnknownReview,
            "subject",
        ),
        (
            world(&[]),
            sec("review/R1", "open_review", r#"{"title":"x"}"#),
            Code::ReviewExists,
            "subject",
        ),
        (
            world(&[]),
            uga("withdraw_commitment", reason),
            Code::NotLead,
            "party",
        ),
        (
            world(&[]),
            about("gov", "NBO", "leave_commitment", reason),
            Code::NotParticipant,
            "party",
        ),
        (
            world(&[]),
            uga("retract_report", &named),
            Code::NotReporter,
            "party",
        ),
        (
            world(&[]),
            about("ind", "UNI", "revise_assessment", &revised),
            Code::NotAssessor,
            "party",
        ),
        (
            world(&[]),
            ken("return_report", &named),
            Code::NotFocalPoint,
            "party",
        ),
        (
            world(&[]),
            about(
                "ind",
                "UGA",
                "assess_progress",
                r#"{"method":"M","method_version":"1","grade":"x"}"#,
            ),
            Code::AssessorParticipates,
            "party",
        ),
        (
            world(&[]),
            ken("contest_report", &named),
            Code::OwnReport,
            "party",
        ),
        (
            world(&[]),
            ken("leave_commitment", reason),
            Code::LeadCannotLeave,
            "party",
        ),
        (
            world(&[uga("confirm_participation", "{}")]),
            uga("confirm_participation", "{}"),
            Code::AlreadyConfirmed,
            "party",
        ),
        (
            world(&[]),
            ken("resume_commitment", reason),
            Code::StatusConflict,
            "subject",
        ),
        (
            world(&[ken("supersede_commitment", &successor(2))]),
            say("gov", "KEN", &two, "supersede_commitment", &successor(1)),
            Code::SupersedeCycle,
            "data.successor",
        ),
        (
            world(&[ken("retract_report", &named)]),
            ken(
                "close_commitment",
                r#"{"outcome":"fulfilled","reason":"x"}"#,
            ),
            Code::EvidenceRequired,
            "data.outcome",
        ),
        (
            world(&[ken("reach_milestone", r#"{"milestone":"Law"}"#)]),
            uga("reach_milestone", r#"{"milestone":"Law"}"#),
            Code::MilestoneReached,
            "data.milestone",
        ),
        (
            world(&[evidenced("2025")]),
            ken("retract_report", &named),
            Code::ReportCorrectedAlready,
            "data.report",
        ),
        (
            world(&[ken("retract_report", &named)]),
            uga("contest_report", &named),
            Code::ReportRetracted,
            "data.report",
        ),
        (
            world(&[]),
            about("gov", "NBO", "contest_report", &named),
            Code::ContestExists,
            "data.report",
        ),
        (
            world(&[sec(&one, "resolve_contest", &resolved)]),
            sec(&one, "resolve_contest", &resolved),
            Code::ContestResolved,
            "data.contest",
        ),
        (
            world(&[about("ind", "IND", "revise_assessment", &revised)]),
            about("ind", "IND", "revise_assessment", &revised),
            Code::AssessmentRevisedAlready,
            "data.assessment",
        ),
        (
            world(&[sec("review/R1", "close_review", "{}")]),
            sec(
                "review/R1",
                "record_statement",
                r#"{"speaker":"KEN","statement":"x"}"#,
            ),
            Code::ReviewClosed,
            "subject",
        ),
        (
            world(&[]),
            ken("supersede_commitment", &successor(1)),
            Code::SelfReference,
            "data.successor",
        ),
        (
            world(&[]),
            ken("suspend_commitment", r#"{"reason":"x","effective":"2027"}"#),
            Code::DateInFuture,
            "data.effective",
        ),
        (
            world(&[]),
            ken("suspend_commitment", r#"{"reason":"x","effective":"1944"}"#),
            Code::DateOutOfRange,
            "data.effective",
        ),
        (
            world(&[]),
            ken("amend_commitment", r#"{"reason":"x","due":"2025"}"#),
            Code::DateOrder,
            "data.due",
        ),
        (
            world(&[]),
            ken(
                "report_progress",
                &format!(
                    r#"{{"period":{{"from":"2026","to":"2026"}},"stage":"planning","evidence":[{{"sha256":"{}"}}],"no_evidence_reason":"x"}}"#,
                    digest(1)
                ),
            ),
            Code::Contradiction,
            "data.no_evidence_reason",
        ),
    ]
}

#[test]
fn every_rule_is_broken_once_and_refused_with_its_own_code_and_field() {
    let rich = rich();
    let mut codes = BTreeSet::new();
    for (world, command, code, field) in broken(&rich) {
        world.when(&command).then_refused(code, field);
        codes.insert(code);
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
