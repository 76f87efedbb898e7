use super::*;
use crate::wire::v1::EventBody;
use std::collections::BTreeSet;

/// Every text that an outline keeps, because others join on it. What is not here is withheld: think twice before a text that
/// a person may have written is added.
const JOINED: &[&str] = &[
    "ambition_assessed.grades[].dimension",
    "ambition_assessed.grades[].grade",
    "assessment_revised.grade",
    "assessment_revised.grades[].dimension",
    "assessment_revised.grades[].grade",
    "commitment_amended.before.indicator",
    "commitment_amended.before.unit",
    "commitment_amended.measure.indicator",
    "commitment_amended.measure.unit",
    "commitment_amended.milestones[].name",
    "commitment_recorded.measure.indicator",
    "commitment_recorded.measure.unit",
    "commitment_recorded.milestones[].name",
    "commitment_recorded.source.reference",
    "commitment_recorded.source.system",
    "instrument_published.symbol",
    "ledger_opened.verifier_key",
    "milestone_reached.milestone",
    "progress_assessed.grade",
    "progress_reported.indicators[].name",
    "progress_reported.indicators[].unit",
    "report_corrected.report.indicators[].name",
    "report_corrected.report.indicators[].unit",
];

/// What the free texts of events are called.
const FREE: &[&str] = &[
    "answer",
    "basis",
    "description",
    "name",
    "narrative",
    "no_evidence_reason",
    "note",
    "reason",
    "statement",
    "summary",
    "title",
    "url",
];

fn texts(path: &str, shape: &Shape, visit: &mut impl FnMut(&str, bool)) {
    match shape {
        Shape::Kept => {}
        Shape::Joined => visit(path, false),
        Shape::Free => visit(path, true),
        Shape::List(each) => texts(&format!("{path}[]"), each, visit),
        Shape::Object(fields) => {
            for field in *fields {
                texts(&format!("{path}.{}", field.name), &field.shape, visit);
            }
        }
    }
}

#[test]
fn every_text_of_every_event_is_free_or_named_here_as_joined_on() {
    let (mut joined, mut names) = (BTreeSet::new(), BTreeSet::new());
    for event_type in EventType::ALL {
        texts(event_type.name(), event_type.shape(), &mut |path, free| {
            if free {
                let name = path.rsplit('.').next().unwrap();
                names.insert(name.trim_end_matches("[]").to_owned());
            } else {
                joined.insert(path.to_owned());
            }
        });
    }
    let listed = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    let (expected, free): (BTreeSet<String>, BTreeSet<String>) = (listed(JOINED), listed(FREE));
    assert_eq!(joined, expected);
    assert_eq!(names, free);
}

fn outlined(event_type: EventType, data: &str) -> String {
    EventBody::decode(event_type, data.as_bytes()).expect("data");
    let outline = outline(event_type, data.as_bytes()).expect("an outline");
    EventBody::decode(event_type, &outline).expect("data of the same event");
    String::from_utf8(outline.into_owned()).unwrap()
}

#[test]
fn an_outline_withholds_free_text_and_keeps_the_rest() {
    let data = r#"{"lead":"KEN","title":"A \"title\"","description":"Words, [and] {more}","actions":["GCM-05a"],"form":"partnership","participants":[{"party":"CHE","role":"partner"}],"measure":{"indicator":"visas","unit":"a year","target":5},"milestones":[{"name":"Budget","due":"2028"},{"name":"Law"}],"source":{"system":"OGP","reference":"KE-1","url":"https://example.org/"},"illustrative":true}"#;
    let expected = r#"{"lead":"KEN","title":"[withheld]","description":"[withheld]","actions":["GCM-05a"],"form":"partnership","participants":[{"party":"CHE","role":"partner"}],"measure":{"indicator":"visas","unit":"a year","target":5},"milestones":[{"name":"Budget","due":"2028"},{"name":"Law"}],"source":{"system":"OGP","reference":"KE-1","url":"[withheld]"},"illustrative":true}"#;
    assert_eq!(outlined(EventType::CommitmentRecorded, data), expected);
    // Its own outline has nothing more to withhold.
    assert_eq!(outlined(EventType::CommitmentRecorded, expected), expected);

    let sha = "ab".repeat(32);
    let data = format!(
        r#"{{"corrects":"7","report":{{"period":{{"from":"2024","to":"2024"}},"stage":"planning","indicators":[{{"name":"visas","value":1}}],"narrative":"Going on","evidence":[{{"sha256":"{sha}","url":"https://a.example/","title":"Gazette"}},{{"sha256":"{sha}"}}]}},"reason":"Typing"}}"#
    );
    let expected = data
        .replace("Going on", WITHHELD)
        .replace("https://a.example/", WITHHELD)
        .replace("Gazette", WITHHELD)
        .replace("Typing", WITHHELD);
    assert_eq!(outlined(EventType::ReportCorrected, &data), expected);
}

#[test]
fn data_without_free_text_is_its_own_outline() {
    let data = br#"{"report":"7","evidence":[]}"#;
    let outline = outline(EventType::EvidenceAttached, data).unwrap();
    assert!(matches!(outline, Cow::Borrowed(same) if same == data));
}

#[test]
fn what_the_ledger_does_not_write_has_no_outline() {
    let event_type = EventType::PartnerRevoked;
    for data in [
        "",
        "[]",
        r#"{"reason":7}"#,
        r#"{"reason":null}"#,
        r#"{"reason" : "spaced"}"#,
        r#"{"reason":"cut"#,
    ] {
        let outline = outline(event_type, data.as_bytes());
        assert_eq!(outline, Err(NoOutline { event_type }), "{data}");
    }
}
