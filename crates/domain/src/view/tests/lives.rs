//! What becomes of a commitment, one turn at a time.

use chrono::NaiveDate;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::super::*;
use super::bodies::{
    ACTION_A, END_OF_2026, FIRST_OF_2025, IN_2025, IN_2026, IN_2030, IN_MARCH, IOM, KEN, MEX,
    NAIROBI, UNDATED, nonzero, record, report, with,
};
use super::events::log;
use super::recount::FIGURES;
use super::steps::Step;
use super::{any_steps, body, folded, number};
use crate::wire::v1::view::*;
use crate::wire::v1::{
    AmbitionAssessed, Completion, ContestOutcome, EventBody, Grade, Outcome, Stage,
};

const IRM_2014: usize = 0;
const IRM_2021: usize = 1;
const PEERS: usize = 2;

/// Kenya's view of one commitment of its own and what became of it.
fn kenya(steps: &[Step]) -> (Value, CommitmentRow) {
    let steps = [&[record(0, KEN, &[ACTION_A])], steps].concat();
    let view = folded(&[Family::Country], &with(&steps));
    let row = view.list("KEN", &Page::default()).unwrap().rows.remove(0);
    (body(&view, "KEN"), row)
}

fn reported_with_evidence(to: usize, stage: Stage) -> Step {
    let mut step = report(0, to, stage);
    if let Step::Report { evidence, .. } = &mut step {
        *evidence = true;
    }
    step
}

fn assess(method: usize, completion: Option<Completion>, assessed: usize) -> Step {
    Step::Assess {
        commitment: 0,
        assessor: IOM,
        method,
        completion,
        assessed,
    }
}

fn active(body: &Value, figure: &str) -> u64 {
    number(body, &format!("/active_commitments/{figure}"))
}

#[test]
fn each_status_is_counted_and_those_that_stand_are_the_active_and_the_suspended() {
    let cases: [(Step, &str, u64); 8] = [
        (Step::Lapse(0), "lapsed", 0),
        (Step::Suspend(0), "suspended", 1),
        (Step::Resume(0), "active", 1),
        (Step::Withdraw(0), "withdrawn", 0),
        (Step::Supersede(0, 1), "superseded", 0),
        (Step::Close(0, Outcome::Fulfilled), "closed_fulfilled", 0),
        (
            Step::Close(0, Outcome::PartlyFulfilled),
            "closed_partly_fulfilled",
            0,
        ),
        (
            Step::Close(0, Outcome::NotFulfilled),
            "closed_not_fulfilled",
            0,
        ),
    ];
    for (step, status, standing) in cases {
        let (body, row) = kenya(std::slice::from_ref(&step));
        assert_eq!(nonzero(&body["commitments"]), ["recorded", status].sorted());
        assert_eq!(
            (row.status.as_str(), active(&body, "total")),
            (status, standing)
        );
        let (body, row) = kenya(&[step, Step::Reinstate(0)]);
        assert_eq!(nonzero(&body["commitments"]), ["active", "recorded"]);
        assert_eq!((row.status.as_str(), row.successor), ("active", None));
    }
    let (_, row) = kenya(&[Step::Supersede(0, 1)]);
    assert_eq!(
        row.successor,
        Some(super::events::commitment(1).to_string())
    );
}

/// Names in the order that JSON objects are read in.
trait Sorted {
    fn sorted(self) -> Self;
}

impl<const N: usize> Sorted for [&str; N] {
    fn sorted(mut self) -> Self {
        self.sort_unstable();
        self
    }
}

#[test]
fn a_suspended_commitment_is_late_all_the_same() {
    let late = |step: Step| {
        let mut first = record(0, KEN, &[ACTION_A]);
        if let Step::Record { due, .. } = &mut first {
            *due = IN_2025;
        }
        let view = folded(&[Family::Country], &with(&[first, step]));
        let day = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap();
        view.timeliness("KEN", day).unwrap().overdue_original
    };
    assert_eq!(late(Step::Suspend(0)), 1);
    assert_eq!(late(Step::Close(0, Outcome::NotFulfilled)), 0);
}

#[test]
fn a_retracted_report_leaves_stage_evidence_and_last_report_to_the_ones_that_stand() {
    let first = report(0, IN_2025, Stage::InProgress);
    let second = reported_with_evidence(IN_MARCH, Stage::Fulfilled);
    let (body, before) = kenya(std::slice::from_ref(&first));
    assert_eq!(active(&body, "by_stage/in_progress"), 1);
    let (body, row) = kenya(&[first.clone(), second.clone()]);
    assert_eq!(active(&body, "by_stage/fulfilled"), 1);
    assert_eq!(active(&body, "with_evidence"), 1);
    assert_ne!(row.last_report, before.last_report);
    let (body, row) = kenya(&[first.clone(), second.clone(), Step::Retract(0, 0)]);
    assert_eq!(active(&body, "by_stage/in_progress"), 1);
    assert_eq!(active(&body, "no_evidence"), 1);
    assert_eq!(row.last_report, before.last_report);
    let (body, row) = kenya(&[first, Step::Retract(0, 0)]);
    assert_eq!(active(&body, "by_stage/none_reported"), 1);
    assert_eq!(row.last_report, None);
    let (body, _) = kenya(&[second.clone(), Step::Retract(0, 0), second]);
    assert_eq!(active(&body, "by_stage/fulfilled"), 1, "reported anew");
}

#[test]
fn participations_are_claimed_until_confirmed_and_stay_visible_when_left() {
    let joint = Step::Enlarge {
        commitment: 0,
        parts: vec![(MEX, true), (NAIROBI, false)],
        milestones: 0,
    };
    let mexico = |steps: &[Step]| {
        let steps = [&[record(0, KEN, &[ACTION_A]), joint.clone()], steps].concat();
        let view = folded(&[Family::Country], &with(&steps));
        let row = view.list("MEX", &Page::default()).unwrap().rows.remove(0);
        let unconfirmed = active(&body(&view, "KEN"), "unconfirmed");
        let parts = body(&view, "MEX")["participations"]["partner"].clone();
        (parts, unconfirmed, row.claimed, row.left)
    };
    let parts = |claimed: u64, confirmed: u64, left: u64| json!({"claimed": claimed, "confirmed": confirmed, "left": left});
    assert_eq!(mexico(&[]), (parts(1, 0, 0), 1, true, false));
    let confirmed = [Step::Confirm(0, MEX), Step::Confirm(0, NAIROBI)];
    assert_eq!(mexico(&confirmed), (parts(0, 1, 0), 0, false, false));
    let left = [Step::Confirm(0, MEX), Step::Leave(0, MEX)];
    assert_eq!(mexico(&left), (parts(0, 0, 1), 1, false, true));
    let again = [Step::Leave(0, MEX), joint.clone(), Step::Confirm(0, MEX)];
    assert_eq!(
        mexico(&again),
        (parts(0, 1, 0), 1, false, false),
        "a party has one part: its newest"
    );
    assert_eq!(mexico(&again[..2]), (parts(1, 0, 0), 1, true, false));
    let all_left = [Step::Leave(0, MEX), Step::Leave(0, NAIROBI)];
    let steps = [&[record(0, KEN, &[ACTION_A]), joint.clone()], &all_left[..]].concat();
    let summary = body(&folded(&[Family::Summary], &with(&steps)), "summary");
    assert_eq!(active(&summary, "joint"), 0);
}

#[test]
fn a_report_is_contested_until_the_contest_is_resolved() {
    let contested = |steps: &[Step]| {
        let reported = [report(0, IN_2025, Stage::Planning), Step::Contest(0, 0)];
        let (body, row) = kenya(&[&reported, steps].concat());
        assert_eq!(active(&body, "contested"), u64::from(row.contested));
        row.contested
    };
    let correct = Step::Correct {
        commitment: 0,
        report: 0,
        stage: 1,
        evidence: true,
    };
    assert!(contested(&[]));
    assert!(contested(&[Step::Answer(0, 0)]));
    assert!(
        contested(std::slice::from_ref(&correct)),
        "a correction does not settle it"
    );
    for outcome in ContestOutcome::ALL {
        assert!(!contested(&[Step::Resolve(0, 0, *outcome)]), "{outcome}");
        assert!(!contested(&[
            correct.clone(),
            Step::Resolve(0, 0, *outcome)
        ]));
    }
    assert!(!contested(&[Step::Retract(0, 0)]), "nothing stands");
    assert!(!contested(&[correct, Step::Retract(0, 0)]));
}

#[test]
fn to_retract_a_report_and_report_again_does_not_shed_its_contest() {
    let first = report(0, IN_2026, Stage::Planning);
    let begun = [first.clone(), Step::Contest(0, 0), Step::Retract(0, 0)];
    let contested = |steps: &[Step]| kenya(&[&begun, steps].concat()).1.contested;
    assert!(!contested(&[]));
    assert!(contested(std::slice::from_ref(&first)));
    assert!(
        !contested(&[
            Step::Resolve(0, 0, ContestOutcome::Dismissed),
            first.clone()
        ]),
        "resolved in between"
    );
    assert!(
        !contested(&[report(0, IN_2025, Stage::Planning)]),
        "another period"
    );
    let mut other = first.clone();
    if let Step::Report { reporter, .. } = &mut other {
        *reporter = MEX;
    }
    assert!(!contested(&[other]), "another reporter");
    let mut to_the_day = first.clone();
    if let Step::Report { from, to, .. } = &mut to_the_day {
        (*from, *to) = (FIRST_OF_2025, END_OF_2026);
    }
    assert!(contested(&[to_the_day]), "the same days");
    let again = [first.clone(), Step::Retract(0, 0)];
    assert!(!contested(&again));
    assert!(contested(&[&again[..], &[first]].concat()));
}

#[test]
fn an_upheld_contest_stays_with_its_report_until_that_is_corrected_or_retracted() {
    let upheld = |steps: &[Step]| {
        let reported = [report(0, IN_2025, Stage::Planning), Step::Contest(0, 0)];
        let (body, row) = kenya(&[&reported, steps].concat());
        let count = active(&body, "contest_upheld");
        assert_eq!(count, u64::from(row.contest_upheld));
        row.contest_upheld
    };
    let resolve = Step::Resolve(0, 0, ContestOutcome::Upheld);
    assert!(!upheld(&[]));
    assert!(upheld(std::slice::from_ref(&resolve)));
    assert!(!upheld(&[Step::Resolve(0, 0, ContestOutcome::Dismissed)]));
    assert!(!upheld(&[Step::Resolve(0, 0, ContestOutcome::Withdrawn)]));
    let correct = Step::Correct {
        commitment: 0,
        report: 0,
        stage: 1,
        evidence: true,
    };
    assert!(!upheld(&[resolve.clone(), correct.clone()]));
    assert!(upheld(&[correct, resolve.clone()]), "of the correction");
    assert!(!upheld(&[resolve.clone(), Step::Retract(0, 0)]));
    let newer = report(0, IN_MARCH, Stage::InProgress);
    assert!(upheld(&[resolve, newer]), "the report stands");
}

#[test]
fn a_closed_commitment_that_is_contested_is_counted_among_the_closed() {
    let (body, _) = kenya(&[
        reported_with_evidence(IN_2025, Stage::Fulfilled),
        Step::Close(0, Outcome::Fulfilled),
        Step::Contest(0, 0),
    ]);
    assert_eq!(number(&body, "/closed_commitments/contested"), 1);
    assert_eq!(active(&body, "contested"), 0);
}

#[test]
fn the_last_word_on_the_report_that_counts_is_validated_or_returned() {
    let checked = |steps: &[Step]| {
        let (body, row) = kenya(&[&[report(0, IN_2025, Stage::Planning)], steps].concat());
        let found = (active(&body, "validated"), active(&body, "returned"));
        assert_eq!(found, (row.validated.into(), row.returned.into()));
        found
    };
    assert_eq!(checked(&[]), (0, 0), "silence is never validation");
    assert_eq!(checked(&[Step::Validate(0, 0)]), (1, 0));
    assert_eq!(checked(&[Step::Validate(0, 0), Step::Return(0, 0)]), (0, 1));
    let newer = report(0, IN_MARCH, Stage::InProgress);
    assert_eq!(checked(&[Step::Validate(0, 0), newer]), (0, 0));
    let correct = Step::Correct {
        commitment: 0,
        report: 0,
        stage: 1,
        evidence: true,
    };
    assert_eq!(checked(&[Step::Validate(0, 0), correct]), (0, 0));
}

#[test]
fn fulfilled_is_self_declared_until_somebody_assesses_it_as_complete() {
    let declared = |steps: &[Step]| {
        let (body, row) = kenya(steps);
        let count = number(&body, "/closed_commitments/self_declared");
        assert_eq!(count, u64::from(row.self_declared));
        row.self_declared
    };
    let (close, complete) = (
        Step::Close(0, Outcome::Fulfilled),
        assess(IRM_2014, Some(Completion::Complete), IN_2025),
    );
    let substantial = assess(IRM_2014, Some(Completion::Substantial), IN_2025);
    assert!(declared(std::slice::from_ref(&close)));
    assert!(declared(&[close.clone(), substantial]));
    assert!(!declared(&[close.clone(), complete.clone()]));
    assert!(
        !declared(&[complete.clone(), close.clone()]),
        "whenever it was assessed"
    );
    let lowered = Step::Revise {
        commitment: 0,
        assessment: 0,
        graded: false,
        completion: Some(Completion::Limited),
    };
    assert!(declared(&[close, complete, lowered]));
    assert!(!declared(&[Step::Close(0, Outcome::PartlyFulfilled)]));
}

#[test]
fn completions_are_counted_per_method_and_version_and_unknown_grades_stay_verbatim() {
    let mut other_assessor = assess(IRM_2014, Some(Completion::Limited), IN_MARCH);
    if let Step::Assess { assessor, .. } = &mut other_assessor {
        *assessor = MEX;
    }
    let (body, row) = kenya(&[
        assess(IRM_2014, Some(Completion::Complete), IN_2025),
        other_assessor,
        assess(IRM_2021, Some(Completion::Complete), IN_2025),
        assess(PEERS, None, IN_2025),
    ]);
    let table = body["assessed_commitments_by_method"].as_object().unwrap();
    let lines: Vec<_> = table
        .iter()
        .map(|(method, line)| (method.as_str(), nonzero(line)))
        .collect();
    assert_eq!(
        lines,
        [
            ("IRM 2014", vec!["limited"]),
            ("IRM 2021", vec!["complete"]),
            ("Peers 1", vec!["other"]),
        ],
        "under one method a commitment counts once: with the newest word"
    );
    assert_eq!(active(&body, "assessed"), 1, "one commitment");
    assert_eq!(
        row.assessments.len(),
        4,
        "one for each assessor, method and version"
    );
    let peers = &row.assessments[1];
    assert_eq!(
        (
            peers.grade.as_deref(),
            peers.completion.as_deref(),
            peers.assessed.as_deref()
        ),
        (Some("Unclear"), None, Some("2025"))
    );
}

#[test]
fn a_completion_does_not_outlive_the_grade_that_it_translates() {
    let revised = |completion: Option<Completion>, graded: bool| {
        let (body, row) = kenya(&[
            assess(IRM_2014, Some(Completion::Complete), IN_2025),
            Step::Revise {
                commitment: 0,
                assessment: 0,
                graded,
                completion,
            },
        ]);
        let method = nonzero(&body["assessed_commitments_by_method"]["IRM 2014"]);
        let shown = &row.assessments[0];
        assert_eq!(shown.completion.as_deref().unwrap_or("other"), method[0]);
        (
            method[0].to_owned(),
            shown.grade.clone().unwrap(),
            row.downgraded,
        )
    };
    let found = |completion: &str, grade: &str, downgraded| {
        (completion.to_owned(), grade.to_owned(), downgraded)
    };
    assert_eq!(
        revised(None, true),
        found("other", "Unclear", false),
        "an unknown grade is not mapped by guess"
    );
    assert_eq!(
        revised(Some(Completion::Limited), true),
        found("limited", "Unclear", true)
    );
    assert_eq!(
        revised(Some(Completion::Limited), false),
        found("limited", "complete", true)
    );
    assert_eq!(revised(None, false), found("complete", "complete", false));
}

#[test]
fn an_assessment_of_ambition_says_nothing_of_progress() {
    let ambition = Step::Ambition {
        commitment: 0,
        assessor: IOM,
        method: IRM_2014,
    };
    let revise = Step::Revise {
        commitment: 0,
        assessment: 0,
        graded: false,
        completion: None,
    };
    let (body, row) = kenya(&[ambition.clone(), revise]);
    assert_eq!(active(&body, "assessed"), 0);
    assert_eq!(body["assessed_commitments_by_method"], json!({}));
    let shown = &row.assessments[0];
    assert_eq!(
        (shown.kind.as_str(), shown.grades[0].grade.as_str()),
        ("ambition", "low")
    );
    let (_, row) = kenya(&[ambition]);
    assert_eq!(row.assessments[0].grades[0].grade, "high");
}

#[test]
fn downgraded_is_what_falls_by_one_assessor_under_one_method() {
    let downgraded = |steps: &[Step]| {
        let (body, row) = kenya(steps);
        assert_eq!(active(&body, "downgraded"), u64::from(row.downgraded));
        row.downgraded
    };
    let high = assess(IRM_2014, Some(Completion::Substantial), IN_2025);
    let low = assess(IRM_2014, Some(Completion::Limited), IN_MARCH);
    let later = assess(IRM_2014, Some(Completion::Complete), IN_2030);
    let revise = |completion| Step::Revise {
        commitment: 0,
        assessment: 0,
        graded: false,
        completion: Some(completion),
    };
    assert!(!downgraded(std::slice::from_ref(&high)));
    assert!(downgraded(&[high.clone(), low.clone()]));
    assert!(
        downgraded(&[low.clone(), high.clone()]),
        "in the order of assessment, not of recording"
    );
    assert!(
        !downgraded(&[high.clone(), low.clone(), later]),
        "the newest word counts"
    );
    let elsewhere = assess(IRM_2021, Some(Completion::Limited), IN_MARCH);
    assert!(
        !downgraded(&[high.clone(), elsewhere]),
        "another version's scale may differ"
    );
    let unclear = assess(IRM_2014, None, IN_MARCH);
    assert!(
        !downgraded(&[high.clone(), unclear]),
        "an unknown grade is not lower"
    );
    assert!(downgraded(&[high.clone(), revise(Completion::NotStarted)]));
    assert!(!downgraded(&[high, low, revise(Completion::Complete)]));
}

#[test]
fn a_vague_date_does_not_outrank_what_was_assessed_later() {
    // The year has months to go when each of these is recorded.
    let vague = assess(IRM_2014, Some(Completion::Complete), IN_2026);
    let undated = assess(IRM_2014, Some(Completion::NotStarted), UNDATED);
    let earlier = assess(IRM_2014, Some(Completion::NoEvidence), IN_MARCH);
    let (_, row) = kenya(&[vague, undated, earlier]);
    let shown = &row.assessments[0];
    assert_eq!(
        (shown.completion.as_deref(), row.downgraded),
        (Some("not_started"), true)
    );
}

#[test]
fn a_report_over_a_year_that_goes_on_says_nothing_of_what_is_to_come() {
    let year = report(0, IN_2026, Stage::Fulfilled);
    let (_, row) = kenya(std::slice::from_ref(&year));
    let recorded = row.last_report.unwrap()[..10].to_owned();
    assert_eq!(row.reported_until, Some(recorded));
    let mut later = report(0, IN_2026, Stage::Stalled);
    if let Step::Report { from, .. } = &mut later {
        *from = IN_MARCH;
    }
    let (_, row) = kenya(&[later.clone(), year.clone()]);
    assert_eq!(row.stage, "fulfilled");
    let (_, row) = kenya(&[year, later]);
    assert_eq!(row.stage, "stalled", "what was reported later counts");
}

#[test]
fn an_assessment_is_below_the_report_when_it_does_not_bear_the_lead_out() {
    let below = |stage: Stage, completion: Completion| {
        let steps = [
            report(0, IN_2025, stage),
            assess(PEERS, Some(completion), IN_2030),
        ];
        let (body, row) = kenya(&steps);
        let count = active(&body, "assessed_below_report");
        assert_eq!(count, u64::from(row.assessed_below_report));
        row.assessed_below_report
    };
    assert!(below(Stage::Fulfilled, Completion::Substantial));
    assert!(!below(Stage::Fulfilled, Completion::Complete));
    assert!(below(Stage::InProgress, Completion::NotStarted));
    assert!(!below(Stage::InProgress, Completion::Limited));
    assert!(!below(Stage::Planning, Completion::NoEvidence));
    assert!(!below(Stage::Stalled, Completion::NoEvidence));
    let (body, _) = kenya(&[report(0, IN_2025, Stage::Fulfilled)]);
    assert_eq!(active(&body, "fulfilled_unassessed"), 1);
    let limited = assess(PEERS, Some(Completion::Limited), IN_2030);
    let (body, _) = kenya(&[Step::Close(0, Outcome::PartlyFulfilled), limited.clone()]);
    assert_eq!(
        number(&body, "/closed_commitments/assessed_below_report"),
        0
    );
    let (body, _) = kenya(&[Step::Close(0, Outcome::Fulfilled), limited]);
    assert_eq!(
        number(&body, "/closed_commitments/assessed_below_report"),
        1
    );
}

#[test]
fn evidence_counts_wherever_it_is_named_and_is_unavailable_until_it_is_found_again() {
    let evidence = |steps: &[Step]| {
        let (body, row) = kenya(&[&[report(0, IN_2025, Stage::Planning)], steps].concat());
        assert_eq!(active(&body, "with_evidence"), u64::from(row.evidence));
        let unavailable = active(&body, "evidence_unavailable");
        assert_eq!(unavailable, u64::from(row.evidence_unavailable));
        (row.evidence, row.evidence_unavailable)
    };
    assert_eq!(evidence(&[]), (false, false));
    assert_eq!(evidence(&[Step::Attach(0, KEN, None)]), (true, false));
    assert_eq!(evidence(&[Step::Attach(0, KEN, Some(0))]), (true, false));
    assert_eq!(
        evidence(&[Step::Attach(0, KEN, Some(0)), Step::Retract(0, 0)]),
        (false, false),
        "what belongs to a report goes with it"
    );
    for report in [None, Some(0)] {
        assert_eq!(
            evidence(&[Step::Attach(0, IOM, report)]),
            (false, false),
            "an assessor's evidence is not the participants'"
        );
    }
    assert_eq!(evidence(&[Step::Reach(0, true)]), (true, false));
    assert_eq!(evidence(&[Step::Reach(0, false)]), (false, false));
    // What Kenya attaches is piece 0.
    let flag = [
        Step::Attach(0, KEN, None),
        Step::Flag(0, 0),
        Step::Flag(0, 0),
    ];
    assert_eq!(evidence(&flag), (true, true));
    let moved = [&flag[..], &[Step::Move(0, 0)]].concat();
    assert_eq!(evidence(&moved), (true, false));
    assert_eq!(
        evidence(&[&flag[..], &[Step::Move(0, 8)]].concat()),
        (true, true)
    );
}

#[test]
fn milestones_are_counted_as_milestones() {
    let named = Step::Enlarge {
        commitment: 0,
        parts: vec![],
        milestones: 2,
    };
    let (body, row) = kenya(&[named, Step::Reach(0, false)]);
    // The commitment was recorded with four of its own.
    assert_eq!(body["milestones"], json!({"named": 6, "reached": 1}));
    assert_eq!(
        row.milestones,
        Some(MilestoneRow {
            named: 6,
            reached: 1
        })
    );
}

/// The property tests compare figures of random histories: here is that those histories have something to count.
#[test]
fn random_histories_move_every_figure() {
    let mut runner = TestRunner::deterministic();
    let mut missing: Vec<&str> = FIGURES.iter().map(|(figure, _)| *figure).collect();
    let mut tries = 0;
    while !missing.is_empty() && tries < 20_000 {
        let steps = proptest::strategy::Strategy::new_tree(&any_steps(), &mut runner);
        let summary = folded(&[Family::Summary], &log(&steps.unwrap().current()));
        let summary = body(&summary, "summary");
        missing.retain(|figure| number(&summary, &format!("/{figure}")) == 0);
        tries += 1;
    }
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn a_body_with_more_methods_than_there_could_be_stays_within_the_bound() {
    let mut log = with(&[record(0, KEN, &[0, ACTION_A])]);
    let assessed = with(&[assess(IRM_2014, None, IN_2025)]).pop().unwrap();
    for number in 0..1_000 {
        let mut event = assessed.clone();
        event.header.position = crate::ids::Position(log.len() as u64);
        if let EventBody::ProgressAssessed(data) = &mut event.body {
            data.method = format!("M{number:0>63}").parse().unwrap();
            data.method_version = format!("{number:0>64}").parse().unwrap();
        }
        log.push(event);
    }
    let actions = folded(&[Family::Action], &log);
    let own = body(&actions, "GCM-05");
    let shown = own["assessed_commitments_by_method"]
        .as_object()
        .unwrap()
        .len() as u64;
    assert_eq!(number(&own, "/methods_left_out") + shown, 1_000);
    assert!(shown > 20, "{shown}");
    assert!(actions.body("GCM-05").unwrap().len() <= MAX_BODY_BYTES);
    let countries = folded(&[Family::Country], &log);
    assert!(countries.body("KEN").unwrap().len() <= MAX_BODY_BYTES);
    let row = countries
        .list("KEN", &Page::default())
        .unwrap()
        .rows
        .remove(0);
    assert_eq!(row.assessments.len() + row.assessments_left_out, 1_000);
    assert!(!row.assessments.is_empty());
    assert!(serde_json::to_vec(&row).unwrap().len() <= 20 * 1024);
}

#[test]
fn what_assessors_say_at_length_is_not_kept_for_every_event() {
    let mut log = with(&[record(0, KEN, &[ACTION_A])]);
    let assessed = with(&[assess(IRM_2014, None, IN_2025)]).pop().unwrap();
    for number in 0..200 {
        let mut event = assessed.clone();
        event.header.position = crate::ids::Position(log.len() as u64);
        let grades = (0..20).map(|dimension| Grade {
            dimension: format!("{dimension:0>300}"),
            grade: format!("{number:0>300}"),
        });
        // Every other one is of a series of its own.
        let version = format!("V{}", number / 2);
        event.body = EventBody::AmbitionAssessed(AmbitionAssessed {
            language: None,
            method: "M".parse().unwrap(),
            method_version: version.parse().unwrap(),
            assessed: None,
            grades: grades.collect(),
            summary: None,
        });
        event.header.event_type = event.body.event_type();
        log.push(event);
    }
    let mut countries = folded(&[Family::Country], &log);
    let row = |countries: &Views| {
        let list = countries.list("KEN", &Page::default()).unwrap();
        serde_json::to_value(&list.rows).unwrap()
    };
    let shown = row(&countries);
    assert_eq!(shown[0]["assessments"].as_array().unwrap().len(), 1);
    assert_eq!(number(&shown, "/0/assessments_left_out"), 99);
    let newest = &shown[0]["assessments"][0]["grades"][19]["grade"];
    assert_eq!(*newest, json!(format!("{:0>300}", 199)));
    let rows = countries.take_changes().rows;
    assert!(rows.iter().all(|(_, row)| row.len() <= 32 * 1024));
    let restored = Views::restore(&[Family::Country], rows.into_iter()).unwrap();
    assert_eq!(row(&restored), shown);
}
