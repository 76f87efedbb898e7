//! The rules of reports after they were made: corrected, retracted, contested, validated; and of milestones.

use ledger_domain::RejectionCode as Code;
use ledger_domain::ids::Position;
use ledger_domain::wire::v1::{
    ActedBy, Command, ContestAnswered, ContestOutcome, ContestResolved, EventBody,
    MilestoneReached, ReportContested, ReportRetracted, ReportReturned, ReportValidated, Stage,
};

use crate::support::{World, about, committed, evidenced, id, recording};

fn report(party: &str, year: &str) -> Command {
    let data = format!(r#"{{"period":{{"from":"{year}","to":"{year}"}},"stage":"in_progress"}}"#);
    about("gov", party, "report_progress", &data)
}

fn on_report(partner: &str, party: &str, name: &str, report: Position) -> Command {
    let more = match name {
        "correct_report" => r#","stage":"stalled","reason":"Counted twice""#,
        "validate_report" => r#","note":"Seen""#,
        _ => r#","reason":"It does not hold""#,
    };
    about(
        partner,
        party,
        name,
        &format!(r#"{{"report":"{report}"{more}}}"#),
    )
}

fn correcting(party: &str, report: Position) -> Command {
    on_report("gov", party, "correct_report", report)
}

fn retracting(party: &str, report: Position) -> Command {
    on_report("gov", party, "retract_report", report)
}

fn contesting(party: &str, report: Position) -> Command {
    on_report("gov", party, "contest_report", report)
}

fn answering(party: &str, contest: Position) -> Command {
    let data = format!(r#"{{"contest":"{contest}","answer":"It does"}}"#);
    about("gov", party, "answer_contest", &data)
}

fn resolving(contest: Position) -> Command {
    let data = format!(r#"{{"contest":"{contest}","outcome":"dismissed","reason":"It holds"}}"#);
    about("sec", "UNNM", "resolve_contest", &data)
}

/// KEN's report over 2025 on commitment 1, and its position.
fn reported() -> (World, Position) {
    let world = committed().and(&report("KEN", "2025"));
    let position = world.last();
    (world, position)
}

#[test]
fn the_reporter_corrects_its_report_and_the_period_stays() {
    let (world, first) = reported();
    let event = world.when(&correcting("KEN", first)).accepted();
    assert_eq!(event.effective, Some(id("2025")));
    let EventBody::ReportCorrected(corrected) = event.body else {
        panic!("a correction");
    };
    assert_eq!(corrected.corrects, first);
    assert_eq!(corrected.reason.as_deref(), Some("Counted twice"));
    assert_eq!(corrected.report.stage, Stage::Stalled);
    assert_eq!(corrected.report.period.from, id("2025"));
}

#[test]
fn corrections_are_a_chain_and_only_its_end_is_corrected() {
    let (world, first) = reported();
    let world = world.and(&correcting("KEN", first));
    let second = world.last();
    for command in [
        correcting("KEN", first),
        retracting("KEN", first),
        contesting("UGA", first),
    ] {
        world
            .when(&command)
            .then_refused(Code::ReportCorrectedAlready, "data.report");
    }
    let again = format!(r#"{{"report":"{second}","stage":"planning","reason":"Counted anew"}}"#);
    let world = world.and(&about("gov", "KEN", "correct_report", &again));
    // A second report over the period takes its place in the same chain.
    let event = world.when(&report("KEN", "2025")).accepted();
    assert!(
        matches!(event.body, EventBody::ReportCorrected(data) if data.corrects == world.last() && data.reason.is_none())
    );
}

#[test]
fn the_same_days_in_another_precision_are_the_same_period() {
    let over = |from: &str, to: &str| {
        let data = format!(r#"{{"period":{{"from":"{from}","to":"{to}"}},"stage":"stalled"}}"#);
        about("gov", "KEN", "report_progress", &data)
    };
    let (mut world, _) = reported();
    for (from, to) in [
        ("2025-01-01", "2025-12-31"),
        ("2025-01", "2025"),
        ("2025", "2025"),
    ] {
        let before = world.last();
        let event = world.when(&over(from, to)).accepted();
        assert!(
            matches!(event.body, EventBody::ReportCorrected(data) if data.corrects == before && data.report.period.from == id(from))
        );
        world.take(&over(from, to)).expect("accepted");
    }
    for (from, to) in [
        ("2025", "2025-11"),
        ("2025-01-02", "2025"),
        ("2024", "2025"),
    ] {
        let event = world.when(&over(from, to)).accepted();
        assert!(matches!(event.body, EventBody::ProgressReported(_)));
    }
}

#[test]
fn a_report_is_corrected_and_retracted_by_its_reporter_only() {
    let (world, first) = reported();
    for command in [
        correcting("UGA", first),
        retracting("UGA", first),
        correcting("NBO", first),
    ] {
        world
            .when(&command)
            .then_refused(Code::NotReporter, "party");
    }
}

#[test]
fn a_report_is_named_by_the_position_of_its_event_in_the_same_commitment() {
    let (world, first) = reported();
    let world = world.and(&recording(2, "KEN", crate::support::record()));
    let other = crate::support::say(
        "gov",
        "KEN",
        &crate::support::commitment(2).to_string(),
        "report_progress",
        r#"{"period":{"from":"2025","to":"2025"},"stage":"planning"}"#,
    );
    let world = world.and(&other);
    for position in [
        Position(0),
        Position(first.0 - 1),
        world.last(),
        Position(u64::MAX),
    ] {
        for name in ["correct_report", "retract_report", "contest_report"] {
            world
                .when(&on_report("gov", "KEN", name, position))
                .then_refused(Code::UnknownReport, "data.report");
        }
        world
            .when(&on_report("sec", "UNNM", "validate_report", position))
            .then_refused(Code::UnknownReport, "data.report");
    }
}

#[test]
fn a_retracted_report_is_gone_and_its_period_may_be_reported_anew() {
    let (world, first) = reported();
    world.when(&retracting("KEN", first)).then(ReportRetracted {
        report: first,
        reason: "It does not hold".into(),
    });
    let world = world.and(&retracting("KEN", first));
    for command in [
        correcting("KEN", first),
        retracting("KEN", first),
        contesting("UGA", first),
        on_report("sec", "UNNM", "validate_report", first),
        on_report("sec", "UNNM", "return_report", first),
    ] {
        world
            .when(&command)
            .then_refused(Code::ReportRetracted, "data.report");
    }
    let event = world.when(&report("KEN", "2025")).accepted();
    assert!(matches!(event.body, EventBody::ProgressReported(_)));
}

#[test]
fn reports_are_settled_whatever_became_of_the_commitment() {
    let (world, first) = reported();
    let closing = r#"{"outcome":"not_fulfilled","reason":"No money"}"#;
    let world = world.and(&about("gov", "KEN", "close_commitment", closing));
    world.when(&correcting("KEN", first)).accepted();
    world.when(&retracting("KEN", first)).accepted();
    let world = world.and(&contesting("UGA", first));
    world.when(&answering("KEN", world.last())).accepted();
    world.when(&resolving(world.last())).accepted();
}

#[test]
fn a_correction_has_evidence_or_a_reason_for_none() {
    let (world, first) = reported();
    let data = format!(
        r#"{{"report":"{first}","stage":"planning","evidence":[{{"sha256":"{}"}}],"no_evidence_reason":"None","reason":"x"}}"#,
        crate::support::digest(1)
    );
    world
        .when(&about("gov", "KEN", "correct_report", &data))
        .then_refused(Code::Contradiction, "data.no_evidence_reason");
}

#[test]
fn any_party_contests_a_report_but_its_reporter() {
    let (world, first) = reported();
    let contested = ReportContested {
        report: first,
        reason: "It does not hold".into(),
        evidence: Vec::new(),
    };
    world
        .when(&contesting("NBO", first))
        .then(contested.clone());
    let secretariat = on_report("sec", "UNNM", "contest_report", first);
    world.when(&secretariat).then(contested.clone());
    let assessor = on_report("ind", "IND", "contest_report", first);
    world.when(&assessor).then(contested);
    world
        .when(&contesting("KEN", first))
        .then_refused(Code::OwnReport, "party");
}

#[test]
fn a_party_has_one_open_contest_of_a_report() {
    let (world, first) = reported();
    let world = world.and(&contesting("UGA", first));
    let contest = world.last();
    world
        .when(&contesting("UGA", first))
        .then_refused(Code::ContestExists, "data.report");
    world.when(&contesting("NBO", first)).accepted();
    let world = world.and(&resolving(contest));
    world.when(&contesting("UGA", first)).accepted();
}

#[test]
fn an_open_contest_stays_with_the_reporter_and_the_period_through_corrections() {
    let (world, first) = reported();
    let world = world.and(&contesting("UGA", first));
    let contest = world.last();
    let again = r#"{"period":{"from":"2025-01","to":"2025-12-31"},"stage":"planning"}"#;
    let reports = [
        report("KEN", "2025"),
        correcting("KEN", first),
        about("gov", "KEN", "report_progress", again),
    ];
    for correction in reports {
        let world = world.clone().and(&correction);
        let second = world.last();
        world
            .when(&contesting("UGA", second))
            .then_refused(Code::ContestExists, "data.report");
        world.when(&contesting("NBO", second)).accepted();
        let data = format!(
            r#"{{"report":"{second}","stage":"fulfilled","narrative":"All","reason":"Counted anew"}}"#
        );
        let world = world.and(&about("gov", "KEN", "correct_report", &data));
        let third = world.last();
        world
            .when(&contesting("UGA", third))
            .then_refused(Code::ContestExists, "data.report");
        let world = world
            .and(&answering("KEN", contest))
            .and(&resolving(contest));
        world.when(&contesting("UGA", third)).accepted();
    }
}

#[test]
fn an_open_contest_comes_back_when_its_retracted_report_is_made_again() {
    let (world, first) = reported();
    let world = world.and(&contesting("UGA", first));
    let contest = world.last();
    let retracted = world.and(&retracting("KEN", first));
    let world = retracted
        .clone()
        .and(&report("UGA", "2025"))
        .and(&report("KEN", "2024"))
        .and(&report("KEN", "2025"));
    let again = world.last();
    world
        .when(&contesting("UGA", again))
        .then_refused(Code::ContestExists, "data.report");
    // Another period, and another reporter's word on this one, are not contested.
    world
        .when(&contesting("UGA", Position(again.0 - 1)))
        .accepted();
    world
        .when(&contesting("NBO", Position(again.0 - 2)))
        .accepted();
    world.when(&answering("KEN", contest)).accepted();
    // What was resolved before does not come back.
    let world = retracted
        .and(&resolving(contest))
        .and(&report("KEN", "2025"));
    world.when(&contesting("UGA", world.last())).accepted();
}

#[test]
fn the_reporter_answers_a_contest_and_the_secretariat_resolves_it() {
    let (world, first) = reported();
    let world = world.and(&contesting("UGA", first));
    let contest = world.last();
    world
        .when(&answering("KEN", contest))
        .then(ContestAnswered {
            contest,
            answer: "It does".into(),
        });
    world
        .when(&answering("UGA", contest))
        .then_refused(Code::NotReporter, "party");
    world.when(&resolving(contest)).then(ContestResolved {
        contest,
        outcome: ContestOutcome::Dismissed,
        reason: "It holds".into(),
    });
    let world = world
        .and(&answering("KEN", contest))
        .and(&resolving(contest));
    world
        .when(&answering("KEN", contest))
        .then_refused(Code::ContestResolved, "data.contest");
    world
        .when(&resolving(contest))
        .then_refused(Code::ContestResolved, "data.contest");
}

#[test]
fn a_contest_is_named_by_its_position_and_outlives_a_correction() {
    let (world, first) = reported();
    world
        .when(&answering("KEN", first))
        .then_refused(Code::UnknownContest, "data.contest");
    world
        .when(&resolving(Position(99)))
        .then_refused(Code::UnknownContest, "data.contest");
    let world = world.and(&contesting("UGA", first));
    let contest = world.last();
    let world = world.and(&correcting("KEN", first));
    world.when(&answering("KEN", contest)).accepted();
    world.when(&resolving(contest)).accepted();
}

#[test]
fn the_secretariat_or_the_states_focal_point_validates_and_returns_reports() {
    let (world, first) = reported();
    for (partner, party, by) in [
        ("sec", "UNNM", ActedBy::Secretariat),
        ("focal", "KEN", ActedBy::FocalPoint),
    ] {
        let validating = on_report(partner, party, "validate_report", first);
        world.when(&validating).then(ReportValidated {
            report: first,
            by,
            note: Some("Seen".into()),
        });
        let returning = on_report(partner, party, "return_report", first);
        world.when(&returning).then(ReportReturned {
            report: first,
            by,
            reason: "It does not hold".into(),
        });
    }
}

#[test]
fn no_other_reporter_validates_and_a_focal_point_only_for_its_state() {
    let (world, first) = reported();
    for name in ["validate_report", "return_report"] {
        for (partner, party) in [
            ("gov", "KEN"),
            ("gov", "UGA"),
            ("focal", "UGA"),
            ("focal", "NBO"),
        ] {
            world
                .when(&on_report(partner, party, name, first))
                .then_refused(Code::NotFocalPoint, "party");
        }
    }
    let elsewhere = crate::support::given()
        .and(&recording(1, "UGA", crate::support::record()))
        .and(&report("UGA", "2025"));
    elsewhere
        .when(&on_report(
            "focal",
            "KEN",
            "validate_report",
            elsewhere.last(),
        ))
        .then_refused(Code::NotFocalPoint, "party");
}

#[test]
fn a_state_names_and_unnames_its_focal_point_through_the_root() {
    let (world, first) = reported();
    let change =
        |data: &str| crate::support::say("root", "ledger", "partner/focal", "change_partner", data);
    let validating = on_report("focal", "KEN", "validate_report", first);
    let ended = world.clone().and(&change(r#"{"focal_point_for":[]}"#));
    ended
        .when(&validating)
        .then_refused(Code::NotFocalPoint, "party");
    ended
        .and(&change(r#"{"focal_point_for":["UGA","KEN"]}"#))
        .when(&validating)
        .accepted();
    for (data, field) in [
        (
            r#"{"focal_point_for":["KEN","NBO"]}"#,
            "data.focal_point_for[1]",
        ),
        (r#"{"focal_point_for":["ABW"]}"#, "data.focal_point_for[0]"),
    ] {
        world
            .when(&change(data))
            .then_refused(Code::CountryMismatch, field);
    }
}

#[test]
fn a_participant_says_once_that_a_milestone_was_reached() {
    let world = committed();
    let reaching = |party: &str, data: &str| about("gov", party, "reach_milestone", data);
    let data = r#"{"milestone":"Law","reached":"2026-06","note":"Signed"}"#;
    let event = world.when(&reaching("UGA", data)).then(MilestoneReached {
        milestone: "Law".into(),
        reached: Some(id("2026-06")),
        note: Some("Signed".into()),
        evidence: Vec::new(),
    });
    assert_eq!(event.effective, Some(id("2026-06")));
    let later = world.clone().and(&reaching("UGA", data));
    later
        .when(&reaching("KEN", data))
        .then_refused(Code::MilestoneReached, "data.milestone");
    world
        .when(&reaching("NBO", data))
        .then_refused(Code::NotParticipant, "party");
    world
        .when(&reaching("KEN", r#"{"milestone":"Lawn"}"#))
        .then_refused(Code::UnknownMilestone, "data.milestone");
    world
        .when(&reaching("KEN", r#"{"milestone":"Law","reached":"2027"}"#))
        .then_refused(Code::DateInFuture, "data.reached");
}

#[test]
fn the_lead_adds_milestones_with_names_of_their_own() {
    let adding = |data: &str| about("gov", "KEN", "amend_commitment", data);
    let world = committed().and(&adding(
        r#"{"milestones":[{"name":"Budget"}],"reason":"Planned"}"#,
    ));
    world
        .when(&about(
            "gov",
            "UGA",
            "reach_milestone",
            r#"{"milestone":"Budget"}"#,
        ))
        .accepted();
    for (name, due, code, field) in [
        (
            "Law",
            "2027",
            Code::DuplicateValue,
            "data.milestones[0].name",
        ),
        ("Old", "2025", Code::DateOrder, "data.milestones[0].due"),
        (
            "Far",
            "2127",
            Code::DateOutOfRange,
            "data.milestones[0].due",
        ),
    ] {
        let data = format!(r#"{{"milestones":[{{"name":"{name}","due":"{due}"}}],"reason":"x"}}"#);
        world.when(&adding(&data)).then_refused(code, field);
    }
}

#[test]
fn a_commitment_remembers_a_bounded_number_of_former_reports() {
    let mut world = committed().and(&evidenced("2026"));
    let first = world.last();
    world.take(&evidenced("2026")).expect("accepted");
    let second = world.last();
    for _ in 0..1024 {
        world.take(&evidenced("2026")).expect("accepted");
    }
    world
        .when(&correcting("KEN", first))
        .then_refused(Code::UnknownReport, "data.report");
    world
        .when(&correcting("KEN", second))
        .then_refused(Code::ReportCorrectedAlready, "data.report");
    world.when(&correcting("KEN", world.last())).accepted();
}
