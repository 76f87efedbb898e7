//! The rules of names that people write: units, indicators, milestones, dimensions. Two forms of one name are one.

use ledger_domain::RejectionCode as Code;
use ledger_domain::wire::v1::EventBody;

use crate::form::{EXAMPLES, example};
use crate::support::{about, given};
use crate::wire::decode;

const COMPOSED: &str = "Créer";
/// The forms of `COMPOSED` that people and their programs write.
const FORMS: [&str; 4] = ["Cre\u{301}er", "créer", " CRÉER\u{a0}", "Cr\u{ad}éer"];

type Refused = (Code, Option<String>);

/// The example of a command with a part of its data replaced.
fn decoded(name: &str, old: &str, new: &str) -> Result<(), Refused> {
    let is_it = |(known, _, _): &&(&str, &str, &str)| *known == name;
    let (_, subject, data) = EXAMPLES.iter().find(is_it).expect("an example");
    assert!(data.contains(old), "{data}");
    decode(&example(name, subject, &data.replace(old, new))).map(drop)
}

#[test]
fn no_list_names_one_thing_twice_in_two_forms() {
    for form in FORMS {
        let twice = |field: &str| Err((Code::DuplicateValue, Some(format!("data.{field}[1]"))));
        let milestones = format!(r#"[{{"name":"{COMPOSED}"}},{{"name":"{form}"}}]"#);
        for name in ["record_commitment", "amend_commitment"] {
            let refusal = decoded(name, r#"[{"name":"Law","due":"2027"}]"#, &milestones);
            assert_eq!(refusal, twice("milestones"), "{form:?}");
        }
        let indicators = format!(
            r#"[{{"name":"{COMPOSED}","value":1,"unit":"％"}},{{"name":"{form}","value":2,"unit":"Per cent"}}]"#
        );
        for name in ["report_progress", "correct_report"] {
            let old = r#"[{"name":"visas","value":7,"unit":"a year"}]"#;
            assert_eq!(
                decoded(name, old, &indicators),
                twice("indicators"),
                "{form:?}"
            );
        }
    }
    let many = (0..9).map(|number| format!(r#"{{"name":"{number}"}},"#));
    let many = format!(
        r#"[{}{{"name":"É"}},{{"name":"e\u0301"}}]"#,
        many.collect::<String>()
    );
    assert_eq!(
        decoded(
            "record_commitment",
            r#"[{"name":"Law","due":"2027"}]"#,
            &many
        ),
        Err((Code::DuplicateValue, Some("data.milestones[10]".to_owned())))
    );
}

#[test]
fn grades_in_one_dimension_are_given_once_in_whatever_form() {
    for name in ["assess_ambition", "revise_assessment"] {
        let is_it = |(known, _, _): &&(&str, &str, &str)| *known == name;
        let (_, subject, data) = EXAMPLES.iter().find(is_it).expect("an example");
        let mut data: serde_json::Value = serde_json::from_str(data).expect("JSON");
        data["grades"] = serde_json::json!([
            {"dimension": "Échelle", "grade": "high"},
            {"dimension": "e\u{301}chelle", "grade": "low"},
        ]);
        assert_eq!(
            decode(&example(name, subject, &data.to_string())).map(drop),
            Err((Code::DuplicateValue, Some("data.grades[1]".to_owned())))
        );
    }
}

#[test]
fn a_milestone_is_found_by_its_name_in_whatever_form_and_keeps_the_first() {
    let data = format!(
        r#"{{"title":"Visas","actions":["GCM-05a"],"milestones":[{{"name":"{COMPOSED}"}}]}}"#
    );
    let world = given().and(&about("gov", "KEN", "record_commitment", &data));
    for form in FORMS {
        let reach = format!(r#"{{"milestone":"{form}"}}"#);
        let reach = about("gov", "KEN", "reach_milestone", &reach);
        let event = world.when(&reach).accepted();
        let EventBody::MilestoneReached(reached) = event.body else {
            panic!("{event:?}");
        };
        assert_eq!(reached.milestone, COMPOSED);

        let again = about("gov", "KEN", "reach_milestone", r#"{"milestone":"CRÉER"}"#);
        let world = given().and(&about("gov", "KEN", "record_commitment", &data));
        world
            .and(&reach)
            .when(&again)
            .then_refused(Code::MilestoneReached, "data.milestone");

        let second = format!(r#"{{"reason":"x","milestones":[{{"name":"{form}"}}]}}"#);
        let amend = about("gov", "KEN", "amend_commitment", &second);
        world_with(&data)
            .when(&amend)
            .then_refused(Code::DuplicateValue, "data.milestones[0].name");
    }
}

fn world_with(commitment: &str) -> crate::support::World {
    given().and(&about("gov", "KEN", "record_commitment", commitment))
}

/// Logs of before may hold two milestones that are the same now: both can be reached, one after the other.
#[test]
fn two_milestones_of_one_name_in_an_old_log_are_reached_one_by_one() {
    let mut recorded = crate::support::recorded();
    recorded.milestones = [COMPOSED, FORMS[0]]
        .map(|name| ledger_domain::wire::v1::Milestone {
            name: name.to_owned(),
            due: None,
        })
        .to_vec();
    let subject = crate::support::commitment(1).to_string();
    let world = given().given("KEN", &subject, recorded);
    let reach = about("gov", "KEN", "reach_milestone", r#"{"milestone":"Créer"}"#);
    let world = world.and(&reach).and(&reach);
    world
        .when(&reach)
        .then_refused(Code::MilestoneReached, "data.milestone");
}

#[test]
fn a_reported_share_is_bound_in_whatever_form_its_indicator_is_written() {
    let data = format!(
        r#"{{"title":"Visas","actions":["GCM-05a"],"measure":{{"indicator":"{COMPOSED}","unit":"٪","target":50}}}}"#
    );
    for form in FORMS {
        let report = format!(
            r#"{{"period":{{"from":"2026-01","to":"2026-06"}},"stage":"in_progress","indicators":[{{"name":"{form}","value":150}}],"no_evidence_reason":"x"}}"#
        );
        world_with(&data)
            .when(&about("gov", "KEN", "report_progress", &report))
            .then_refused(Code::AmountOutOfRange, "data.indicators[0].value");
    }
}

/// A commitment with this unit and a target of 150.
fn measured_in(unit: &str) -> Result<(), Refused> {
    let old = r#""unit":"a year","baseline":1,"target":2.5"#;
    let new = format!(r#""unit":"{unit}","target":150"#);
    decoded("record_commitment", old, &new)
}

#[test]
fn no_share_exceeds_the_whole_however_percent_is_written() {
    for unit in [
        "％",
        "﹪",
        "٪",
        "per  cent",
        "Per\u{a0}Cent",
        "pct.",
        "pour cent",
        "百分比",
        "per‑cent",
        "per‐cent",
        "％\u{fe0e}",
        "per\u{200c}cent",
        "(%)",
        "percent (%)",
        "in %",
        "percentages",
        "процента",
        "проц.",
        "百分率",
        "فى المئة",
        "فی المئة",
    ] {
        let refused = Err((
            Code::AmountOutOfRange,
            Some("data.measure.target".to_owned()),
        ));
        assert_eq!(measured_in(unit), refused, "{unit}");
    }
    for unit in ["٪ a year", "percentage points", "people per cent"] {
        assert_eq!(measured_in(unit), Ok(()), "{unit}");
    }
}

#[test]
fn a_currency_has_a_code_whatever_sign_it_has() {
    for unit in [
        "￥",
        "＄",
        "﹩",
        "￡",
        "￦",
        "﷼",
        "฿",
        "million ৳",
        "֏",
        "¢",
        "US﹩",
    ] {
        let refused = Err((Code::CurrencySign, Some("data.measure.unit".to_owned())));
        assert_eq!(measured_in(unit), refused, "{unit}");
    }
    assert_eq!(measured_in("JPY"), Ok(()));
}

#[test]
fn no_two_milestones_look_the_same() {
    for (one, other) in [
        ("ab", "a\u{34f}b"),
        ("ab", "a\u{206a}b"),
        ("ab", "a\u{e0020}b"),
        ("ab", "a\u{200d}b"),
        ("☑ done", "☑\u{fe0f} done"),
    ] {
        let milestones = format!(r#"[{{"name":"{one}"}},{{"name":"{other}"}}]"#);
        let old = r#"[{"name":"Law","due":"2027"}]"#;
        assert_eq!(
            decoded("record_commitment", old, &milestones),
            Err((Code::DuplicateValue, Some("data.milestones[1]".to_owned()))),
            "{other:?}"
        );
    }
}
