//! What the views say of small logs that a reader can check by eye.

use serde_json::{Value, json};

use super::super::*;
use super::events::{commitment, date, event, log};
use super::steps::Step;
use super::{answers, body, folded, number};
use crate::ids::Subject;
use crate::wire::v1::view::*;
use crate::wire::v1::*;

pub(super) const KEN: usize = 0;
pub(super) const MEX: usize = 1;
pub(super) const NAIROBI: usize = 3;
pub(super) const IOM: usize = 5;
/// `GCM-05` and its lettered actions.
const OBJECTIVE: usize = 0;
pub(super) const ACTION_A: usize = 1;
const ACTION_B: usize = 2;
const UPR_THEME: usize = 5;
/// Dates by number: none, 2025, 2026-03, 2026-03-31, 2030-12-31, 2026, 2025-01-01, 2026-12.
pub(super) const UNDATED: usize = 0;
pub(super) const IN_2025: usize = 1;
pub(super) const IN_MARCH: usize = 2;
pub(super) const IN_2030: usize = 4;
pub(super) const IN_2026: usize = 5;
pub(super) const FIRST_OF_2025: usize = 6;
pub(super) const END_OF_2026: usize = 7;

pub(super) fn record(number: u8, lead: usize, actions: &[usize]) -> Step {
    Step::Record {
        commitment: number,
        lead,
        actions: actions.to_vec(),
        parts: vec![],
        due: IN_2030,
        measured: true,
        illustrative: false,
    }
}

pub(super) fn report(number: u8, to: usize, stage: Stage) -> Step {
    let stage = Stage::ALL.iter().position(|other| *other == stage).unwrap();
    Step::Report {
        commitment: number,
        reporter: KEN,
        from: IN_2025,
        to,
        stage,
        evidence: false,
    }
}

fn seeds() -> Vec<Step> {
    let parties = [KEN, MEX, NAIROBI, IOM].map(Step::Party);
    let actions =
        [OBJECTIVE, ACTION_A, ACTION_B, UPR_THEME].map(|action| Step::Catalogue(action, None));
    parties.into_iter().chain(actions).collect()
}

pub(super) fn with(steps: &[Step]) -> Vec<Event> {
    log(&[seeds(), steps.to_vec()].concat())
}

/// The names of the figures that are not zero.
pub(super) fn nonzero(figures: &Value) -> Vec<&str> {
    let figures = figures.as_object().unwrap().iter();
    figures
        .filter(|(_, figure)| figure.as_u64().is_some_and(|figure| figure > 0))
        .map(|(name, _)| name.as_str())
        .collect()
}

#[test]
fn a_country_without_events_shows_zero() {
    let view = Views::of(&[Family::Country]);
    assert_eq!(view.keys().len(), crate::country::all().len() + 1);
    let body = String::from_utf8(view.body("FJI").unwrap()).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"view":"country","country":"FJI","name":"Fiji","region":"Oceania","subregion":"Melanesia","un_status":"member","#,
            r#""ldc":false,"lldc":false,"sids":true,"position":null,"recorded":null,"last_report":null,"#,
            r#""commitments":{"recorded":0,"active":0,"suspended":0,"withdrawn":0,"superseded":0,"closed_fulfilled":0,"#,
            r#""closed_partly_fulfilled":0,"closed_not_fulfilled":0,"lapsed":0,"illustrative":0},"#,
            r#""active_commitments":{"total":0,"by_stage":{"none_reported":0,"planning":0,"in_progress":0,"fulfilled":0,"stalled":0},"#,
            r#""measurable":0,"not_measurable":0,"with_evidence":0,"with_undigested_evidence":0,"no_evidence":0,"evidence_unavailable":0,"weakened":0,"#,
            r#""contested":0,"contest_upheld":0,"validated":0,"returned":0,"assessed":0,"assessed_below_report":0,"downgraded":0,"#,
            r#""fulfilled_unassessed":0,"unconfirmed":0,"by_party_kind":{}},"active_commitments_by_action":{},"actions_left_out":0,"#,
            r#""closed_commitments":{"self_declared":0,"with_undigested_evidence":0,"ground_taken_back":0,"no_evidence":0,"contested":0,"contest_upheld":0,"assessed":0,"assessed_below_report":0,"downgraded":0},"#,
            r#""assessed_commitments_by_method":{},"methods_left_out":0,"milestones":{"named":0,"reached":0},"#,
            r#""participations":{"lead":0,"partner":{"claimed":0,"confirmed":0,"left":0},"#,
            r#""supporter":{"claimed":0,"confirmed":0,"left":0}},"parties":{"registered":0,"active":0,"leading":0},"#,
            r#""statements":{"recorded":0,"last":null},"registered_parties":[]}"#,
        )
    );
    let territory = super::body(&view, "ABW");
    assert_eq!(
        (&territory["name"], &territory["un_status"]),
        (&json!("Aruba"), &json!("none"))
    );
    assert_eq!(number(&territory, "/commitments/recorded"), 0);
    let list = view.list("ABW", &Page::default());
    assert_eq!(list.map(|list| list.commitments), Some(0));
    assert_eq!(view.body("XXX"), None);
}

#[test]
fn the_first_changes_name_every_view_there_is() {
    let mut view = Views::of(&[Family::Country]);
    assert_eq!(view.take_changes().keys, view.keys());
    assert!(view.take_changes().is_empty());
    assert_eq!(
        Views::of(&[Family::Summary]).take_changes().keys,
        ["gaps", "summary"]
    );
}

#[test]
fn a_joint_commitment_counts_under_its_lead_and_shows_under_its_partners() {
    let parts = vec![(MEX, true), (NAIROBI, false)];
    let joint = Step::Record {
        commitment: 0,
        lead: KEN,
        actions: vec![ACTION_A],
        parts,
        due: 0,
        measured: false,
        illustrative: true,
    };
    let view = folded(&[Family::Country], &with(&[joint]));
    let kenya = body(&view, "KEN");
    assert_eq!(
        nonzero(&kenya["commitments"]),
        ["active", "illustrative", "recorded"]
    );
    assert_eq!(
        kenya["participations"]["supporter"],
        json!({"claimed": 1, "confirmed": 0, "left": 0})
    );
    let mexico = body(&view, "MEX");
    assert_eq!(number(&mexico, "/commitments/recorded"), 0);
    assert_eq!(
        mexico["participations"]["partner"],
        json!({"claimed": 1, "confirmed": 0, "left": 0})
    );
    let list = view.list("MEX", &Page::default()).unwrap();
    assert_eq!(
        (
            list.rows[0].role,
            list.rows[0].claimed,
            list.rows[0].illustrative
        ),
        (Some(ParticipationRole::Partner), true, true)
    );
    let list = view.list("KEN", &Page::default()).unwrap();
    assert_eq!(
        (list.commitments, list.rows[0].role, list.rows[0].claimed),
        (1, Some(ParticipationRole::Lead), false)
    );
}

#[test]
fn a_city_shows_under_its_country_and_is_not_its_state() {
    let view = folded(&[Family::Action], &with(&[record(0, NAIROBI, &[ACTION_A])]));
    let action = body(&view, "GCM-05a");
    assert_eq!(number(&action, "/parties/committed"), 1);
    assert_eq!(number(&action, "/countries/committed"), 1);
    assert_eq!(action["member_states"], json!({"committed": 0, "of": 193}));
    let view = folded(&[Family::Action], &with(&[record(0, KEN, &[ACTION_A])]));
    assert_eq!(
        body(&view, "GCM-05a")["member_states_by_region"]["Africa"],
        json!({"committed": 1, "of": 54})
    );
}

#[test]
fn a_city_that_leads_fills_a_gap_of_its_region_and_a_partner_is_not_without() {
    let parts = vec![(MEX, true)];
    let mut joint = record(0, NAIROBI, &[ACTION_A]);
    if let Step::Record { parts: named, .. } = &mut joint {
        *named = parts;
    }
    let gaps = |steps: &[Step]| body(&folded(&[Family::Summary], &with(steps)), "gaps");
    let claimed = gaps(std::slice::from_ref(&joint));
    let of = |gaps: &Value, region: &str, list: &str, code: &str| {
        let list = gaps["by_region"][region][list].as_array().unwrap();
        list.contains(&json!(code))
    };
    let elsewhere = "actions_committed_elsewhere_only";
    assert!(!of(&claimed, "Africa", elsewhere, "GCM-05a"));
    assert!(of(&claimed, "Americas", elsewhere, "GCM-05a"));
    assert!(of(&claimed, "Africa", "other_parties_only", "KEN"));
    assert!(of(&claimed, "Americas", "without_commitment", "MEX"));
    let confirmed = gaps(&[joint, Step::Confirm(0, MEX)]);
    assert!(of(&confirmed, "Americas", "participant_only", "MEX"));
    assert!(!of(&confirmed, "Americas", "without_commitment", "MEX"));
    assert_eq!(number(&confirmed, "/member_states/participant_only"), 1);
}

#[test]
fn an_organization_counts_under_no_country() {
    let view = folded(&[Family::Country], &with(&[record(0, IOM, &[ACTION_A])]));
    assert_eq!(number(&body(&view, "INT"), "/commitments/recorded"), 1);
}

#[test]
fn an_objective_rolls_up_its_actions_and_counts_each_commitment_once() {
    let view = folded(
        &[Family::Action],
        &with(&[
            record(0, KEN, &[ACTION_A, ACTION_B]),
            record(1, KEN, &[OBJECTIVE, ACTION_A]),
        ]),
    );
    let objective = body(&view, "GCM-05");
    assert_eq!(number(&objective, "/commitments/recorded"), 1);
    assert_eq!(number(&objective, "/rollup/commitments/recorded"), 2);
    assert_eq!(number(&objective, "/rollup/parties/committed"), 1);
    assert_eq!(
        (
            number(&objective, "/rollup/actions"),
            number(&objective, "/rollup/actions_without_commitment")
        ),
        (2, 0)
    );
    assert_eq!(
        view.list("GCM-05", &Page::default()).unwrap().commitments,
        2
    );
    assert_eq!(view.title("GCM-05").as_deref(), Some("Title of GCM-05"));
}

#[test]
fn an_action_that_is_catalogued_again_stays_where_it_is() {
    let first = [Step::Catalogue(UPR_THEME, Some(ACTION_B))];
    let again = [first[0].clone(), Step::Catalogue(UPR_THEME, None)];
    for key in ["GCM-05", "GCM-05b", "UPR-Trafficking"] {
        let once = body(&folded(&[Family::Action], &with(&first)), key);
        assert_eq!(body(&folded(&[Family::Action], &with(&again)), key), once);
    }
}

#[test]
fn mapped_commitments_are_counted_apart_and_move_nowhere() {
    let view = folded(
        &[Family::Action],
        &with(&[
            Step::Map(UPR_THEME, vec![ACTION_A]),
            record(0, KEN, &[UPR_THEME]),
        ]),
    );
    let action = body(&view, "GCM-05a");
    assert_eq!(number(&action, "/commitments/recorded"), 0);
    assert_eq!(
        action["mapped_from_commitments"],
        json!({"UPR-Trafficking": {"recorded": 1, "active": 1}})
    );
    assert_eq!(
        action["position"], "9",
        "a view changes with the figures it shows"
    );
    let objective = body(&view, "GCM-05");
    assert_eq!(objective["mapped_from_commitments"], json!({}));
    assert_eq!(
        objective["rollup"]["mapped_from_commitments"],
        action["mapped_from_commitments"]
    );
    assert_eq!(objective["position"], "9");
}

#[test]
fn a_late_report_on_an_earlier_period_does_not_set_the_stage_back() {
    let steps = [
        record(0, KEN, &[ACTION_A]),
        report(0, IN_MARCH, Stage::Fulfilled),
        report(0, IN_2025, Stage::Planning),
    ];
    let view = folded(&[Family::Country], &with(&steps));
    let kenya = body(&view, "KEN");
    assert_eq!(number(&kenya, "/active_commitments/by_stage/fulfilled"), 1);
    assert_eq!(
        kenya["last_report"]["position"], "10",
        "it is still the last report"
    );
}

#[test]
fn a_correction_without_evidence_takes_the_evidence_of_its_report_away() {
    let with_evidence = |to, evidence, reporter| Step::Report {
        commitment: 0,
        reporter,
        from: IN_2025,
        to,
        stage: 1,
        evidence,
    };
    let count = |reports: &[Step]| {
        let steps = [&[record(0, KEN, &[ACTION_A])], reports].concat();
        number(
            &body(&folded(&[Family::Country], &with(&steps)), "KEN"),
            "/active_commitments/with_evidence",
        )
    };
    let correct = |evidence| Step::Correct {
        commitment: 0,
        report: 0,
        stage: 1,
        evidence,
    };
    let first = with_evidence(IN_2025, true, KEN);
    assert_eq!(count(std::slice::from_ref(&first)), 1);
    assert_eq!(count(&[first.clone(), correct(false)]), 0);
    assert_eq!(count(&[first.clone(), correct(false), correct(true)]), 1);
    assert_eq!(
        count(&[first.clone(), with_evidence(IN_MARCH, false, KEN)]),
        1,
        "another period's"
    );
    assert_eq!(
        count(&[first, with_evidence(IN_2025, false, MEX)]),
        1,
        "another reporter's"
    );
}

#[test]
fn a_commitment_without_a_due_date_is_late_against_the_first_it_is_given() {
    let amend = |due| Step::Amend {
        commitment: 0,
        actions: None,
        due,
        measured: true,
        weakened: due == IN_2030,
    };
    let undated = Step::Record {
        commitment: 0,
        lead: KEN,
        actions: vec![ACTION_A],
        parts: vec![],
        due: 0,
        measured: true,
        illustrative: false,
    };
    let view = folded(
        &[Family::Country],
        &with(&[undated, amend(IN_2025), amend(IN_2030), amend(0)]),
    );
    let late = view.timeliness("KEN", date("2027").first_day()).unwrap();
    assert_eq!((late.overdue_original, late.overdue_amended), (1, 0));
    assert_eq!(
        number(&body(&view, "KEN"), "/active_commitments/weakened"),
        1,
        "once weakened, always weakened"
    );
}

#[test]
fn a_withdrawn_commitment_stays_listed_and_is_counted_as_withdrawn() {
    let view = folded(
        &[Family::Country],
        &with(&[record(0, KEN, &[ACTION_A]), Step::Withdraw(0)]),
    );
    let kenya = body(&view, "KEN");
    assert_eq!(nonzero(&kenya["commitments"]), ["recorded", "withdrawn"]);
    assert_eq!(kenya["active_commitments_by_action"], json!({}));
    assert_eq!(
        view.list("KEN", &Page::default()).unwrap().rows[0].status,
        "withdrawn"
    );
}

#[test]
fn lateness_is_measured_against_the_original_due_date_too() {
    let amend = Step::Amend {
        commitment: 0,
        actions: None,
        due: IN_2030,
        measured: true,
        weakened: true,
    };
    let early = Step::Record {
        commitment: 0,
        lead: KEN,
        actions: vec![ACTION_A],
        parts: vec![],
        due: IN_2025,
        measured: true,
        illustrative: false,
    };
    let view = folded(&[Family::Country], &with(&[early, amend]));
    let on = |day: &str| view.timeliness("KEN", date(day).first_day()).unwrap();
    assert_eq!(
        on("2025-12-31"),
        Timeliness {
            never_reported: 1,
            ..Timeliness::default()
        },
        "due on its last day"
    );
    assert_eq!(
        on("2026-01-01"),
        Timeliness {
            overdue_original: 1,
            never_reported: 1,
            ..Timeliness::default()
        }
    );
    assert_eq!(
        on("2031-01-01"),
        Timeliness {
            overdue_original: 1,
            overdue_amended: 1,
            never_reported: 1,
            stale: 0
        }
    );
    let row = view.list("KEN", &Page::default()).unwrap().rows.remove(0);
    assert_eq!(
        (
            row.due.as_deref(),
            row.original_due.as_deref(),
            row.weakened
        ),
        (Some("2030-12-31"), Some("2025"), true)
    );
    assert_eq!(row.title, "Amended 0");
}

#[test]
fn a_commitment_is_stale_a_year_after_the_period_last_reported_on_unless_fulfilled() {
    let log = with(&[
        record(0, KEN, &[ACTION_A]),
        report(0, IN_2025, Stage::InProgress),
    ]);
    let view = folded(&[Family::Country], &log);
    let reported = date("2025-12-31").first_day();
    let stale_after = |view: &Views, days| {
        view.timeliness("KEN", reported + chrono::Days::new(days))
            .unwrap()
            .stale
    };
    assert_eq!((stale_after(&view, 365), stale_after(&view, 366)), (0, 1));
    let view = folded(
        &[Family::Country],
        &with(&[
            record(0, KEN, &[ACTION_A]),
            report(0, IN_2025, Stage::Fulfilled),
        ]),
    );
    assert_eq!(stale_after(&view, 1000), 0);
}

#[test]
fn a_country_with_every_action_there_could_be_stays_within_the_bound() {
    let mut log = log(&seeds());
    for number in 0..300 {
        let data = PartyRegistered {
            name: "A".repeat(300),
            kind: PartyKind::PrivateSector,
            country: "KEN".parse().ok(),
        };
        let subject = Subject::Party(format!("party-{number}").parse().unwrap());
        log.push(event(log.len() as u64, subject, "ledger", data));
    }
    let code = |number: usize| format!("ACTION-{number:0>57}").parse().unwrap();
    for start in (0..2_000).step_by(50) {
        let mut recorded = super::events::log(&[record(0, KEN, &[ACTION_A])]).remove(0);
        recorded.header.subject = Subject::Commitment(crate::ids::CommitmentId(
            uuid::Uuid::from_u128(start as u128),
        ));
        recorded.header.position = crate::ids::Position(log.len() as u64);
        if let EventBody::CommitmentRecorded(data) = &mut recorded.body {
            data.actions = (start..start + 50).map(code).collect();
        }
        log.push(recorded);
    }
    let from = (0..2_000).map(code);
    for from in from {
        let position = log.len() as u64;
        let data = ActionsMapped {
            from,
            to: vec!["GCM-05a".parse().unwrap()],
            basis: None,
        };
        log.push(event(
            position,
            Subject::Instrument("UPR".parse().unwrap()),
            "KEN",
            data,
        ));
    }
    let countries = folded(&[Family::Country], &log);
    let kenya = body(&countries, "KEN");
    let shown = |body: &Value, table: &str| body[table].as_object().unwrap().len() as u64;
    assert_eq!(
        number(&kenya, "/actions_left_out") + shown(&kenya, "active_commitments_by_action"),
        2_000
    );
    assert!(countries.body("KEN").unwrap().len() <= MAX_BODY_BYTES);
    let actions = folded(&[Family::Action], &log);
    let action = body(&actions, "GCM-05a");
    assert_eq!(
        number(&action, "/mappings_left_out") + shown(&action, "mapped_from_commitments"),
        2_000
    );
    assert!(
        actions
            .keys()
            .iter()
            .all(|key| actions.body(key).unwrap().len() <= MAX_BODY_BYTES)
    );
}

#[test]
fn rows_that_are_missing_or_unknown_are_refused() {
    let mut view = folded(
        &[Family::Country],
        &with(&[record(0, KEN, &[ACTION_A]), record(1, MEX, &[ACTION_B])]),
    );
    let mut rows: Vec<_> = view.take_changes().rows;
    rows.sort();
    let without = |letter: u8| {
        rows.iter()
            .filter(|(key, _)| key[0] != letter || key.last() != Some(&0))
            .cloned()
            .collect::<Vec<_>>()
    };
    let restore = |rows: Vec<_>| Views::restore(&[Family::Country], rows.into_iter()).err();
    assert_eq!(restore(rows.clone()), None);
    assert_eq!(
        restore(without(b'c')),
        Some(RestoreError::Missing {
            row: "commitment",
            expected: 0
        })
    );
    assert_eq!(
        restore(without(b'p')),
        Some(RestoreError::Missing {
            row: "party",
            expected: 0
        })
    );
    let parties_gone = rows
        .iter()
        .filter(|(key, _)| key[0] != b'p')
        .cloned()
        .collect();
    assert_eq!(
        restore(parties_gone),
        Some(RestoreError::Dangling { row: "commitment" })
    );
    let unknown = HexKey(b"z1".to_vec());
    assert_eq!(
        restore(vec![(b"z1".to_vec(), vec![1])]),
        Some(RestoreError::UnknownKey { key: unknown })
    );
}

#[test]
fn a_row_is_written_again_only_when_its_facts_changed() {
    let log = with(&[
        record(0, KEN, &[ACTION_A]),
        record(1, KEN, &[ACTION_A]),
        report(1, IN_2025, Stage::Planning),
    ]);
    let (last, before) = log.split_last().unwrap();
    let mut view = folded(&[Family::Country], before);
    view.take_changes();
    view.apply(last);
    let changes = view.take_changes();
    let kinds: Vec<u8> = changes.rows.iter().map(|(key, _)| key[0]).collect();
    assert_eq!(
        kinds,
        [b'c', b'm', b'k'],
        "the commitment, the watermark, and when the view changed"
    );
    assert_eq!(changes.keys, ["KEN"]);
}

#[test]
fn facts_of_an_ordinary_commitment_stay_small() {
    assert_eq!(
        size_of::<crate::view::read_model::facts::CommitmentFacts>(),
        104
    );
    assert_eq!(size_of::<crate::view::read_model::facts::ColdFields>(), 64);
}

#[test]
fn much_change_in_a_page_writes_the_page_and_little_change_its_commitments() {
    let mut view = Views::of(&[Family::Summary]);
    let mut kinds = |log: &[Event]| {
        for event in log {
            view.apply(event);
        }
        let rows = view.take_changes().rows;
        let keys: Vec<_> = rows
            .into_iter()
            .map(|(key, _)| key)
            .filter(|key| key[0] == b'c')
            .collect();
        let pages = keys.iter().filter(|key| key.len() == 5).count();
        (pages, keys.len() - pages)
    };
    let log = super::events::large_log(200, &[(7, true), (9, true)], 0);
    let (records, reports) = log.split_at(200);
    assert_eq!(
        kinds(records),
        (3, 8),
        "three whole pages of 64, and eight more"
    );
    assert_eq!(kinds(reports), (0, 2));
    assert_eq!(kinds(&[]), (0, 0));
}

#[test]
fn an_empty_view_and_its_restart_are_the_same() {
    let view = Views::restore(&[Family::Country], std::iter::empty()).unwrap();
    assert_eq!(answers(&view), answers(&Views::of(&[Family::Country])));
    assert_eq!(view.watermark(), None);
    let id = commitment(0);
    assert!(view.list(&id.to_string(), &Page::default()).is_none());
}
