//! The rules of assessments, evidence and review cycles.

use ledger_domain::RejectionCode as Code;
use ledger_domain::ids::Position;
use ledger_domain::wire::v1::{
    AmbitionAssessed, AssessmentKind, AssessmentRevised, Command, Completion, EventBody,
    EvidenceAttached, EvidenceFlaggedUnavailable, EvidenceMoved, Grade, ProgressAssessed,
    ReviewClosed, ReviewOpened, Sha256, StatementRecorded,
};

use crate::support::{World, about, commitment, committed, digest, evidenced, given, id, say};

const PROGRESS: &str = r#"{"method":"OGP-IRM","method_version":"2014","grade":"Limited","completion":"limited","period":{"from":"2025","to":"2026"},"assessed":"2026-10","summary":"Some"}"#;
const AMBITION: &str = r#"{"method":"OGP-IRM","method_version":"2014","grades":[{"dimension":"specificity","grade":"Unclear"}],"assessed":"2026-10"}"#;

fn progress(party: &str) -> Command {
    about("ind", party, "assess_progress", PROGRESS)
}

fn ambition(party: &str) -> Command {
    about("ind", party, "assess_ambition", AMBITION)
}

fn revising(party: &str, assessment: Position, values: &str) -> Command {
    let data = format!(r#"{{"assessment":"{assessment}","reason":"Read again"{values}}}"#);
    about("ind", party, "revise_assessment", &data)
}

#[test]
fn an_assessor_assesses_progress_and_ambition_in_the_methods_own_words() {
    let event = committed().when(&progress("IND")).then(ProgressAssessed {
        language: None,
        method: id("OGP-IRM"),
        method_version: id("2014"),
        grade: "Limited".into(),
        completion: Some(Completion::Limited),
        period: Some(ledger_domain::wire::v1::Period {
            from: id("2025"),
            to: id("2026"),
        }),
        assessed: Some(id("2026-10")),
        summary: Some("Some".into()),
        evidence: Vec::new(),
    });
    assert_eq!(event.effective, Some(id("2026-10")));
    committed().when(&ambition("IND")).then(AmbitionAssessed {
        language: None,
        method: id("OGP-IRM"),
        method_version: id("2014"),
        grades: vec![Grade {
            dimension: "specificity".into(),
            grade: "Unclear".into(),
        }],
        assessed: Some(id("2026-10")),
        summary: None,
    });
}

#[test]
fn who_takes_part_by_its_own_word_or_did_does_not_assess() {
    let uga = |name: &str, data: &str| about("gov", "UGA", name, data);
    let period = r#"{"period":{"from":"2025","to":"2025"},"stage":"planning"}"#;
    let leaving = uga("leave_commitment", r#"{"reason":"x"}"#);
    let naming = r#"{"participants":[{"party":"UGA","role":"partner"}],"reason":"x"}"#;
    let confirmed = committed().and(&uga("confirm_participation", "{}"));
    let left = confirmed.clone().and(&leaving);
    let named_again = left
        .clone()
        .and(&about("gov", "KEN", "amend_commitment", naming));
    let reported = committed().and(&uga("report_progress", period));
    let reached = committed().and(&uga("reach_milestone", r#"{"milestone":"Law"}"#));
    for world in [
        confirmed,
        left,
        named_again,
        reported.and(&leaving),
        reached,
    ] {
        for command in [progress("UGA"), ambition("UGA")] {
            world
                .when(&command)
                .then_refused(Code::AssessorParticipates, "party");
        }
        assert!(world.commitments[&commitment(1)].took_part(&id("UGA")));
    }
    let own = say(
        "gov",
        "UGA",
        &commitment(2).to_string(),
        "record_commitment",
        r#"{"title":"x","actions":["GCM-10"]}"#,
    );
    let of_its_own = say(
        "ind",
        "UGA",
        &commitment(2).to_string(),
        "assess_progress",
        PROGRESS,
    );
    committed()
        .and(&own)
        .when(&of_its_own)
        .then_refused(Code::AssessorParticipates, "party");
}

#[test]
fn a_lead_disqualifies_no_assessor_by_naming_it() {
    let claimed = committed();
    let declined = committed().and(&about(
        "gov",
        "UGA",
        "leave_commitment",
        r#"{"reason":"Never agreed"}"#,
    ));
    for world in [claimed, declined] {
        for command in [
            progress("UGA"),
            ambition("UGA"),
            attaching("ind", "UGA", ""),
        ] {
            world.when(&command).accepted();
        }
    }
}

#[test]
fn who_assessed_while_it_was_only_named_does_not_take_part() {
    let world = committed().and(&progress("UGA"));
    let period = r#"{"period":{"from":"2025","to":"2025"},"stage":"planning"}"#;
    for (name, data) in [
        ("confirm_participation", "{}"),
        ("report_progress", period),
        ("reach_milestone", r#"{"milestone":"Law"}"#),
    ] {
        world
            .when(&about("gov", "UGA", name, data))
            .then_refused(Code::AssessorParticipates, "party");
    }
    let leaving = about("gov", "UGA", "leave_commitment", r#"{"reason":"x"}"#);
    world.when(&leaving).accepted();
    world.when(&ambition("UGA")).accepted();
}

#[test]
fn who_assessed_does_not_take_part_later() {
    let naming = r#"{"participants":[{"party":"NBO","role":"partner"},{"party":"IND","role":"partner"}],"reason":"x"}"#;
    let naming = about("gov", "KEN", "amend_commitment", naming);
    committed().when(&naming).accepted();
    for command in [progress("IND"), ambition("IND")] {
        committed()
            .and(&command)
            .when(&naming)
            .then_refused(Code::AssessorParticipates, "data.participants[1].party");
    }
}

#[test]
fn an_assessment_is_dated_in_the_past_and_its_period_is_in_order() {
    for (old, new, code, field) in [
        (
            r#""assessed":"2026-10""#,
            r#""assessed":"2026-12""#,
            Code::DateInFuture,
            "data.assessed",
        ),
        (
            r#""assessed":"2026-10""#,
            r#""assessed":"1900""#,
            Code::DateOutOfRange,
            "data.assessed",
        ),
        (
            r#""to":"2026""#,
            r#""to":"2024""#,
            Code::DateOrder,
            "data.period.to",
        ),
        (
            r#""to":"2026""#,
            r#""to":"2027""#,
            Code::DateInFuture,
            "data.period.to",
        ),
    ] {
        let data = PROGRESS.replace(old, new);
        assert_ne!(data, PROGRESS);
        committed()
            .when(&about("ind", "IND", "assess_progress", &data))
            .then_refused(code, field);
    }
}

#[test]
fn an_assessor_revises_its_own_assessments_as_a_chain() {
    let world = committed().and(&progress("IND"));
    let first = world.last();
    let down = r#","grade":"Not started","completion":"not_started""#;
    world
        .when(&revising("IND", first, down))
        .then(AssessmentRevised {
            assessment: first,
            kind: AssessmentKind::Progress,
            reason: "Read again".into(),
            grade: Some("Not started".into()),
            completion: Some(Completion::NotStarted),
            grades: None,
            summary: None,
        });
    world
        .when(&revising("UNI", first, down))
        .then_refused(Code::NotAssessor, "party");
    let world = world.and(&revising("IND", first, down));
    let second = world.last();
    world
        .when(&revising("IND", first, down))
        .then_refused(Code::AssessmentRevisedAlready, "data.assessment");
    let on = r#","grade":"Begun","completion":"limited""#;
    world.when(&revising("IND", second, on)).accepted();
    for position in [Position(0), Position(first.0 - 1), Position(999)] {
        world
            .when(&revising("IND", position, down))
            .then_refused(Code::UnknownAssessment, "data.assessment");
    }
}

#[test]
fn a_revision_says_something_new_of_its_own_kind() {
    let grades = r#","grades":[{"dimension":"specificity","grade":"High"}]"#;
    let of_progress = committed().and(&progress("IND"));
    let of_ambition = committed().and(&ambition("IND"));
    for (world, values, code, field) in [
        (&of_progress, "", Code::NothingToChange, "data"),
        (&of_progress, grades, Code::Contradiction, "data.grades"),
        (
            &of_ambition,
            r#","grade":"High""#,
            Code::Contradiction,
            "data.grade",
        ),
        (
            &of_ambition,
            r#","completion":"limited""#,
            Code::Contradiction,
            "data.completion",
        ),
    ] {
        world
            .when(&revising("IND", world.last(), values))
            .then_refused(code, field);
    }
    let event = of_ambition
        .when(&revising("IND", of_ambition.last(), grades))
        .accepted();
    assert!(
        matches!(event.body, EventBody::AssessmentRevised(data) if data.kind == AssessmentKind::Ambition)
    );
}

#[test]
fn a_commitment_is_assessed_whatever_became_of_it() {
    let world = committed().and(&about(
        "gov",
        "KEN",
        "withdraw_commitment",
        r#"{"reason":"x"}"#,
    ));
    world.when(&progress("IND")).accepted();
    world.when(&ambition("UNI")).accepted();
}

fn attaching(partner: &str, party: &str, report: &str) -> Command {
    let data = format!(r#"{{{report}"evidence":[{{"sha256":"{}"}}]}}"#, digest(2));
    about(partner, party, "attach_evidence", &data)
}

/// Moves and flags the evidence whose digest is made of this byte.
fn pointing(partner: &str, party: &str, byte: u8) -> [Command; 2] {
    let digest = digest(byte);
    let moved = format!(r#"{{"sha256":"{digest}","url":"https://example.org/new"}}"#);
    let flagged = format!(r#"{{"sha256":"{digest}","reason":"Answers 404"}}"#);
    [
        about(partner, party, "move_evidence", &moved),
        about(partner, party, "flag_evidence_unavailable", &flagged),
    ]
}

#[test]
fn participants_and_assessors_attach_move_and_flag_evidence() {
    let world = committed().and(&evidenced("2026"));
    let report = world.last();
    let named = format!(r#""report":"{report}","#);
    for (partner, party) in [("gov", "KEN"), ("gov", "UGA"), ("ind", "IND")] {
        let event = world.when(&attaching(partner, party, &named)).accepted();
        let EventBody::EvidenceAttached(EvidenceAttached {
            report: found,
            evidence,
        }) = event.body
        else {
            panic!("evidence");
        };
        assert_eq!((found, evidence.len()), (Some(report), 1));
        let [moving, flagging] = pointing(partner, party, 1);
        world.when(&moving).then(EvidenceMoved {
            sha256: Some(Sha256([1; 32])),
            evidence: None,
            url: "https://example.org/new".into(),
            reason: None,
        });
        world.when(&flagging).then(EvidenceFlaggedUnavailable {
            sha256: Some(Sha256([1; 32])),
            evidence: None,
            reason: "Answers 404".into(),
        });
    }
}

#[test]
fn nobody_else_touches_evidence() {
    let world = committed().and(&evidenced("2026"));
    let both = |partner, party| {
        let [moving, flagging] = pointing(partner, party, 1);
        [moving, flagging, attaching(partner, party, "")]
    };
    for command in both("gov", "NBO") {
        world
            .when(&command)
            .then_refused(Code::NotParticipant, "party");
    }
    let confirmed = world.and(&about("gov", "UGA", "confirm_participation", "{}"));
    for command in both("ind", "UGA") {
        confirmed
            .when(&command)
            .then_refused(Code::AssessorParticipates, "party");
    }
}

#[test]
fn evidence_is_known_once_anything_named_it() {
    let unknown = |world: &World| {
        for command in pointing("gov", "KEN", 2) {
            world
                .when(&command)
                .then_refused(Code::UnknownEvidence, "data.sha256");
        }
    };
    unknown(&committed());
    unknown(&committed().and(&evidenced("2026")));
    let piece = format!(r#""evidence":[{{"sha256":"{}"}}]"#, digest(2));
    let reported = committed().and(&evidenced("2026"));
    let contest = format!(r#"{{"report":"{}","reason":"x",{piece}}}"#, reported.last());
    let assessed = PROGRESS.replace(r#""summary":"Some""#, &piece);
    for world in [
        committed().and(&attaching("gov", "UGA", "")),
        reported.and(&about("gov", "NBO", "contest_report", &contest)),
        committed().and(&about("ind", "IND", "assess_progress", &assessed)),
        committed().and(&about(
            "gov",
            "UGA",
            "reach_milestone",
            &format!(r#"{{"milestone":"Law",{piece}}}"#),
        )),
    ] {
        for command in pointing("gov", "KEN", 2) {
            world.when(&command).accepted();
        }
    }
}

#[test]
fn evidence_is_attached_to_reports_that_stand() {
    let world = committed().and(&evidenced("2026"));
    let first = world.last();
    let named = format!(r#""report":"{first}","#);
    world
        .when(&attaching("gov", "KEN", r#""report":"3","#))
        .then_refused(Code::UnknownReport, "data.report");
    let corrected = world.and(&evidenced("2026"));
    corrected
        .when(&attaching("gov", "KEN", &named))
        .then_refused(Code::ReportCorrectedAlready, "data.report");
}

#[test]
fn a_commitment_keeps_a_bounded_number_of_pieces_of_evidence() {
    let mut world = committed();
    // The ledger tells pieces apart by the first bytes of their digests.
    let attach = |from: usize, count: usize| {
        let pieces: Vec<String> = (from..from + count)
            .map(|number| format!(r#"{{"sha256":"{number:04x}{}"}}"#, "0".repeat(60)))
            .collect();
        let data = format!(r#"{{"evidence":[{}]}}"#, pieces.join(","));
        about("gov", "KEN", "attach_evidence", &data)
    };
    for batch in 0..81 {
        world.take(&attach(batch * 50, 50)).expect("accepted");
    }
    world.when(&attach(4050, 46)).accepted();
    world
        .when(&attach(4046, 50))
        .then_refused(Code::LimitReached, "data.evidence");
}

fn review(name: &str, data: &str) -> Command {
    say("sec", "UNNM", "review/IMRF-2026", name, data)
}

const OPENING: &str =
    r#"{"title":"Second forum","from":"2026-05-05","to":"2026-05-08","instrument":"GCM-2018"}"#;
const STATEMENT: &str = r#"{"speaker":"KEN","statement":"We go on","made":"2026-05-06"}"#;

fn opened() -> World {
    given().and(&review("open_review", OPENING))
}

#[test]
fn the_secretariat_opens_a_review_takes_statements_and_closes_it() {
    let event = given()
        .when(&review("open_review", OPENING))
        .then(ReviewOpened {
            title: "Second forum".into(),
            from: Some(id("2026-05-05")),
            to: Some(id("2026-05-08")),
            instrument: Some(id("GCM-2018")),
        });
    assert_eq!(
        (event.stream_version.0, event.route.to_string()),
        (1, "|".into())
    );
    let event = opened()
        .when(&review("record_statement", STATEMENT))
        .then(StatementRecorded {
            language: None,
            speaker: id("KEN"),
            statement: "We go on".into(),
            url: None,
            made: Some(id("2026-05-06")),
        });
    assert_eq!(event.stream_version.0, 2);
    assert_eq!(event.effective, Some(id("2026-05-06")));
    opened()
        .when(&review("close_review", r#"{"note":"Frozen"}"#))
        .then(ReviewClosed {
            note: Some("Frozen".into()),
        });
}

#[test]
fn a_review_is_opened_once_and_takes_nothing_before_or_after() {
    opened()
        .when(&review("open_review", OPENING))
        .then_refused(Code::ReviewExists, "subject");
    for (name, data) in [("record_statement", STATEMENT), ("close_review", "{}")] {
        given()
            .when(&review(name, data))
            .then_refused(Code::UnknownReview, "subject");
        opened()
            .and(&review("close_review", "{}"))
            .when(&review(name, data))
            .then_refused(Code::ReviewClosed, "subject");
    }
}

#[test]
fn what_a_review_names_exists_and_its_dates_are_in_order() {
    for (old, new, code, field) in [
        (
            "GCM-2018",
            "NONE",
            Code::UnknownInstrument,
            "data.instrument",
        ),
        ("2026-05-08", "2026-05-04", Code::DateOrder, "data.to"),
        ("2026-05-05", "1800", Code::DateOutOfRange, "data.from"),
        ("2026-05-08", "2999", Code::DateOutOfRange, "data.to"),
    ] {
        given()
            .when(&review("open_review", &OPENING.replace(old, new)))
            .then_refused(code, field);
    }
    for (old, new, code, field) in [
        ("KEN", "NEW", Code::PartyUnknown, "data.speaker"),
        ("KEN", "OLD", Code::PartyInactive, "data.speaker"),
        ("2026-05-06", "2027", Code::DateInFuture, "data.made"),
    ] {
        opened()
            .when(&review("record_statement", &STATEMENT.replace(old, new)))
            .then_refused(code, field);
    }
}

#[test]
fn a_dimension_in_another_form_changes_nothing() {
    let world = committed().and(&ambition("IND"));
    let first = world.last();
    let graded = |dimension: &str| {
        let values = format!(r#","grades":[{{"dimension":"{dimension}","grade":"Moderate"}}]"#);
        revising("IND", first, &values)
    };
    let world = world.and(&graded("relevance"));
    let second = world.last();
    for dimension in ["Relevance", " RELEVANCE ", "rele\u{ad}vance"] {
        let values = format!(r#","grades":[{{"dimension":"{dimension}","grade":"Moderate"}}]"#);
        world
            .when(&revising("IND", second, &values))
            .then_refused(Code::NothingToChange, "data");
    }
}
