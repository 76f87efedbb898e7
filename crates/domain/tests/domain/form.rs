//! The form of every command: its fields, their types, the limits of texts and lists.

use ledger_domain::RejectionCode;
use ledger_domain::wire::v1::CommandType;

use crate::wire::decode;

/// One good command of each type: its subject and its data.
pub(crate) const EXAMPLES: &[(&str, &str, &str)] = &[
    (
        "register_partner",
        "partner/ken",
        r#"{"name":"Kenya","roles":["reporter"],"parties":["KEN"],"focal_point_for":["KEN"]}"#,
    ),
    (
        "change_partner",
        "partner/ken",
        r#"{"name":"Kenya","roles":["auditor"],"parties":["KEN"],"focal_point_for":["KEN"]}"#,
    ),
    ("revoke_partner", "partner/ken", r#"{"reason":"Key lost"}"#),
    (
        "publish_instrument",
        "instrument/GCM-2018",
        r#"{"title":"Compact","kind":"compact","adopted":"2018-12-19","symbol":"A/RES/73/195","url":"https://example.org/","principles":[{"code":"GP-1","name":"People"}],"language":"pt-BR"}"#,
    ),
    (
        "catalogue_action",
        "instrument/GCM-2018",
        r#"{"code":"GCM-05a","title":"Visas","parent":"GCM-05","text_status":"seen","description":"More","kind":"action"}"#,
    ),
    (
        "amend_action_text",
        "instrument/GCM-2018",
        r#"{"code":"GCM-05a","title":"Visas","description":"More","text_status":"seen","reason":"Read"}"#,
    ),
    (
        "map_actions",
        "instrument/GCM-2018",
        r#"{"from":"GCM-05a","to":["SDG-10.7.2"],"basis":"Its text"}"#,
    ),
    (
        "register_party",
        "party/NBO",
        r#"{"name":"Nairobi","kind":"local_authority","country":"KEN"}"#,
    ),
    (
        "amend_party",
        "party/NBO",
        r#"{"name":"Nairobi City","reason":"A new name","effective":"2026-03"}"#,
    ),
    (
        "change_party_status",
        "party/NBO",
        r#"{"status":"inactive","reason":"Merged"}"#,
    ),
    (
        "record_commitment",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"title":"Visas","description":"More","actions":["GCM-05a"],"form":"matching","nature":"process","matches":"0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e91","participants":[{"party":"UGA","role":"partner"}],"countries":["KEN"],"principles":["GP-1"],"measure":{"indicator":"visas","unit":"a year","baseline":1,"target":2.5},"made":"2026","due":"2028","milestones":[{"name":"Law","due":"2027"}],"source":{"system":"UPR","reference":"1","url":"https://example.org/1"},"illustrative":true,"language":"pt-BR"}"#,
    ),
    (
        "report_progress",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"period":{"from":"2026-01","to":"2026-06"},"stage":"in_progress","indicators":[{"name":"visas","value":7,"unit":"a year"}],"narrative":"Going on","evidence":[{"sha256":"00000000000000000000000000000000000000000000000000000000000000ff","url":"https://example.org/2","title":"Gazette"}],"no_evidence_reason":"None","language":"pt-BR"}"#,
    ),
    (
        "amend_commitment",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"title":"Visas","description":"More","due":"2029","measure":{"indicator":"visas","unit":"a year","baseline":1,"target":3},"actions":["GCM-05a"],"countries":["KEN"],"nature":"process","made":"2026-03","form":"common","participants":[{"party":"NBO","role":"supporter"}],"milestones":[{"name":"Law","due":"2027"}],"reason":"Plan","effective":"2026","language":"pt-BR"}"#,
    ),
    (
        "withdraw_commitment",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"reason":"Law","effective":"2026-03"}"#,
    ),
    (
        "confirm_participation",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"note":"Yes","effective":"2026-03"}"#,
    ),
    (
        "leave_commitment",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"reason":"Law","effective":"2026-03"}"#,
    ),
    (
        "suspend_commitment",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"reason":"Law","effective":"2026-03"}"#,
    ),
    (
        "resume_commitment",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"reason":"Law","effective":"2026-03"}"#,
    ),
    (
        "supersede_commitment",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"successor":"0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e91","reason":"Law","effective":"2026-03"}"#,
    ),
    (
        "close_commitment",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"outcome":"fulfilled","reason":"Law","effective":"2026-03"}"#,
    ),
    (
        "lapse_commitment",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"reason":"Archived","effective":"2026-03"}"#,
    ),
    (
        "reinstate_commitment",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"reason":"Law","effective":"2026-03"}"#,
    ),
    (
        "reach_milestone",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"milestone":"Law","reached":"2026-03","note":"Passed","evidence":[{"sha256":"00000000000000000000000000000000000000000000000000000000000000ff","url":"https://example.org/2","title":"Gazette"}]}"#,
    ),
    (
        "correct_report",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"report":"7","stage":"in_progress","indicators":[{"name":"visas","value":7,"unit":"a year"}],"narrative":"Going on","evidence":[{"sha256":"00000000000000000000000000000000000000000000000000000000000000ff","url":"https://example.org/2","title":"Gazette"}],"no_evidence_reason":"None","reason":"Typo","language":"pt-BR"}"#,
    ),
    (
        "retract_report",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"report":"7","reason":"Wrong"}"#,
    ),
    (
        "contest_report",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"report":"7","reason":"Wrong","evidence":[{"sha256":"00000000000000000000000000000000000000000000000000000000000000ff","url":"https://example.org/2","title":"Gazette"}]}"#,
    ),
    (
        "answer_contest",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"contest":"8","answer":"Right"}"#,
    ),
    (
        "resolve_contest",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"contest":"8","outcome":"upheld","reason":"Wrong"}"#,
    ),
    (
        "validate_report",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"report":"7","note":"Seen"}"#,
    ),
    (
        "return_report",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"report":"7","reason":"Unclear"}"#,
    ),
    (
        "assess_progress",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"method":"OGP-IRM","method_version":"2014","grade":"Limited","completion":"limited","period":{"from":"2026-01","to":"2026-06"},"assessed":"2026-07","summary":"Some","evidence":[{"sha256":"00000000000000000000000000000000000000000000000000000000000000ff","url":"https://example.org/2","title":"Gazette"}],"language":"pt-BR"}"#,
    ),
    (
        "assess_ambition",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"method":"OGP-IRM","method_version":"2014","grades":[{"dimension":"specificity","grade":"Low"}],"assessed":"2026-07","summary":"Some","language":"pt-BR"}"#,
    ),
    (
        "revise_assessment",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"assessment":"9","reason":"New","grade":"Limited","completion":"limited","grades":[{"dimension":"specificity","grade":"Low"}],"summary":"Some"}"#,
    ),
    (
        "attach_evidence",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"report":"7","evidence":[{"sha256":"00000000000000000000000000000000000000000000000000000000000000ff","url":"https://example.org/2","title":"Gazette"}],"effective":"2026-03"}"#,
    ),
    (
        "digest_evidence",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"evidence":"7.0","sha256":"00000000000000000000000000000000000000000000000000000000000000ff","reason":"Fetched","effective":"2026-03"}"#,
    ),
    (
        "move_evidence",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"sha256":"00000000000000000000000000000000000000000000000000000000000000ff","url":"https://example.org/3","reason":"Moved","effective":"2026-03"}"#,
    ),
    (
        "flag_evidence_unavailable",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"sha256":"00000000000000000000000000000000000000000000000000000000000000ff","reason":"Gone","effective":"2026-03"}"#,
    ),
    (
        "open_review",
        "review/2026",
        r#"{"title":"Forum","from":"2026-05-05","to":"2026-05-08","instrument":"GCM-2018"}"#,
    ),
    (
        "record_statement",
        "review/2026",
        r#"{"speaker":"KEN","statement":"We go on","url":"https://example.org/4","made":"2026-05-06","language":"pt-BR"}"#,
    ),
    ("close_review", "review/2026", r#"{"note":"Done"}"#),
];

pub(crate) fn example(name: &str, subject: &str, data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f","source":"partner/p","type":"ledger.{name}.v1","subject":"{subject}","time":"2026-11-23T08:30:00Z","party":"KEN","data":{data}}}"#
    )
}

/// Every place in the data of an example where an object has a field: the pointer to the object, and the field.
fn fields(value: &serde_json::Value, at: &str, found: &mut Vec<(String, String)>) {
    if let Some(object) = value.as_object() {
        for (key, inner) in object {
            found.push((at.to_owned(), key.clone()));
            fields(inner, &format!("{at}/{key}"), found);
        }
    }
    if let Some(array) = value.as_array() {
        for (index, inner) in array.iter().enumerate() {
            fields(inner, &format!("{at}/{index}"), found);
        }
    }
}

/// `/measure/unit` as a refusal names it: `data.measure.unit`.
fn path(pointer: &str) -> String {
    pointer
        .split('/')
        .skip(1)
        .fold("data".to_owned(), |path, part| {
            if part.parse::<usize>().is_ok() {
                format!("{path}[{part}]")
            } else {
                format!("{path}.{part}")
            }
        })
}

#[test]
fn every_command_is_read_and_written_back_with_all_its_fields() {
    for (name, subject, data) in EXAMPLES {
        let text = example(name, subject, data);
        let command = decode(&text).expect(name);
        assert_eq!(command.body.command_type().name(), *name);
        assert_eq!(String::from_utf8(command.encode()).expect("UTF-8"), text);
    }
    assert_eq!(EXAMPLES.len(), CommandType::ALL.len());
}

#[test]
fn every_field_of_every_command_is_strict() {
    let mut missing = 0;
    for (name, subject, data) in EXAMPLES {
        let value: serde_json::Value = serde_json::from_str(data).expect("JSON");
        let mut places = Vec::new();
        fields(&value, "", &mut places);
        for (at, key) in places {
            let field = path(&format!("{at}/{key}"));
            let try_with = |change: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)| {
                let mut changed = value.clone();
                let object = changed
                    .pointer_mut(&at)
                    .and_then(serde_json::Value::as_object_mut);
                change(object.expect("an object"));
                decode(&example(name, subject, &changed.to_string()))
            };
            match try_with(&|object| drop(object.remove(&key))) {
                Ok(_) => {}
                Err(refusal) => {
                    missing += 1;
                    assert_eq!(
                        refusal,
                        (RejectionCode::MissingField, Some(field.clone())),
                        "{name}"
                    );
                }
            }
            let null = try_with(&|object| {
                object.insert(key.clone(), serde_json::Value::Null);
            });
            let blanks = ["amend_", "change_", "revise_"]
                .iter()
                .any(|verb| name.starts_with(verb));
            if blanks {
                let refused = Err((RejectionCode::BlankingRefused, Some(field.clone())));
                assert_eq!(null, refused, "{name}");
            } else {
                // Null is unset: the same as absent, whether that is allowed or not.
                let absent = try_with(&|object| drop(object.remove(&key)));
                assert_eq!(null, absent, "{name} {field}");
            }
            let (code, found) = try_with(&|object| {
                object.insert("surprise".to_owned(), 1.into());
            })
            .expect_err("unknown");
            let surprise = path(&format!("{at}/surprise"));
            assert_eq!(
                (code, found),
                (RejectionCode::UnknownField, Some(surprise)),
                "{name}"
            );
        }
    }
    assert_eq!(missing, 91, "required fields");
}

/// What a value of this kind is replaced by, and the codes with which that is refused.
fn spoilt(value: &serde_json::Value) -> Vec<(serde_json::Value, &'static [RejectionCode])> {
    use RejectionCode as Code;
    use serde_json::{Value, json};
    const EMPTY: &[RejectionCode] = &[Code::TextEmpty, Code::InvalidValue, Code::UnknownCountry];
    const LONG: &[RejectionCode] = &[Code::TextTooLong, Code::InvalidValue, Code::UnknownCountry];
    const TYPE: &[RejectionCode] = &[Code::WrongType];
    match value {
        Value::String(_) => vec![
            (json!({}), TYPE),
            (json!([["x"]]), TYPE),
            (json!(7), TYPE),
            (json!(""), EMPTY),
            (json!(" \n"), EMPTY),
            (json!("\u{200b}"), EMPTY),
            (json!("\u{2800}\u{3164} \u{feff}"), EMPTY),
            (json!("x".repeat(40_000)), LONG),
            (
                json!("a\u{0}b"),
                &[
                    Code::ControlCharacter,
                    Code::InvalidValue,
                    Code::UnknownCountry,
                ],
            ),
        ],
        Value::Number(_) => vec![
            (json!("7"), TYPE),
            (json!([7]), TYPE),
            (json!(1e300), &[Code::NumberOutOfRange]),
            (json!(9_007_199_254_740_992.0), &[Code::NumberOutOfRange]),
            (json!(9_007_199_254_740_993_u64), &[Code::NumberOutOfRange]),
        ],
        Value::Bool(_) => vec![(json!("true"), TYPE), (json!(1), TYPE)],
        Value::Object(_) => vec![(json!([]), TYPE), (json!("x"), TYPE)],
        Value::Array(items) => {
            let many = vec![items[0].clone(); 1001];
            vec![
                (json!({}), TYPE),
                (json!("x"), TYPE),
                (json!(many), &[Code::TooManyItems]),
            ]
        }
        Value::Null => Vec::new(),
    }
}

#[test]
fn every_value_of_every_command_has_a_type_and_bounds() {
    let mut tried = 0;
    for (name, subject, data) in EXAMPLES {
        let value: serde_json::Value = serde_json::from_str(data).expect("JSON");
        let mut places = Vec::new();
        fields(&value, "", &mut places);
        for (at, key) in places {
            let pointer = format!("{at}/{key}");
            let found = value.pointer(&pointer).expect("a value");
            let field = path(&pointer);
            let refuse = |new: serde_json::Value| {
                let mut changed = value.clone();
                *changed.pointer_mut(&pointer).expect("a value") = new;
                decode(&example(name, subject, &changed.to_string()))
            };
            for (new, codes) in spoilt(found) {
                tried += 1;
                let (code, place) = refuse(new).expect_err(&field);
                assert!(codes.contains(&code), "{name}: {code} at {field}");
                assert_eq!(place.as_deref(), Some(field.as_str()), "{name}: {code}");
            }
            if let Some(items) = found.as_array() {
                let twice = vec![items[0].clone(); 2];
                let second = (RejectionCode::DuplicateValue, Some(format!("{field}[1]")));
                assert_eq!(refuse(twice.into()).expect_err(&field), second, "{name}");
                // An empty list is absent, or required, or would blank what stands; it is never kept as one.
                if let Err((code, place)) = refuse(serde_json::json!([])) {
                    let codes = [RejectionCode::MissingField, RejectionCode::BlankingRefused];
                    assert!(codes.contains(&code) && place == Some(field), "{name}");
                }
            }
        }
    }
    assert!(tried > 800, "{tried} values");
}

#[test]
fn shares_and_money_have_bounds_and_currencies_have_codes() {
    use RejectionCode as Code;
    let record = |unit: &str, numbers: &str, nature: &str| {
        let data = format!(
            r#"{{"title":"x","actions":["GCM-10"],"nature":"{nature}","measure":{{"indicator":"x","unit":"{unit}",{numbers}}}}}"#
        );
        let subject = "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90";
        decode(&example("record_commitment", subject, &data)).map(drop)
    };
    let refused = |code, field: &str| Err((code, Some(format!("data.measure.{field}"))));
    let share = |numbers: &str| record("%", numbers, "process");
    assert_eq!(share(r#""baseline":0,"target":100"#), Ok(()));
    assert_eq!(
        share(r#""target":100.5"#),
        refused(Code::AmountOutOfRange, "target")
    );
    assert_eq!(
        share(r#""baseline":-1"#),
        refused(Code::AmountOutOfRange, "baseline")
    );
    assert_eq!(
        record("per cent", r#""target":101"#, "process"),
        refused(Code::AmountOutOfRange, "target")
    );
    assert_eq!(record("% a year", r#""target":300"#, "process"), Ok(()));
    assert_eq!(
        record("USD", r#""target":-5"#, "financial"),
        refused(Code::AmountOutOfRange, "target")
    );
    assert_eq!(record("tonnes", r#""target":-5"#, "process"), Ok(()));
    for unit in ["$", "million €", "US$", "£ sterling", "₹"] {
        assert_eq!(
            record(unit, r#""target":5"#, "financial"),
            refused(Code::CurrencySign, "unit")
        );
    }
    for (value, unit, code, field) in [
        ("101", "percent", Code::AmountOutOfRange, "value"),
        ("7", "€", Code::CurrencySign, "unit"),
    ] {
        for name in ["report_progress", "correct_report"] {
            let (_, subject, data) = EXAMPLES
                .iter()
                .find(|(known, _, _)| *known == name)
                .expect(name);
            let new = format!(r#""value":{value},"unit":"{unit}""#);
            let data = data.replace(r#""value":7,"unit":"a year""#, &new);
            let found = decode(&example(name, subject, &data)).expect_err(unit);
            assert_eq!(
                found,
                (code, Some(format!("data.indicators[0].{field}"))),
                "{name}"
            );
        }
    }
}

/// A command, what is replaced in its data, by what, and the code and field of the refusal.
type Limit = (
    &'static str,
    &'static str,
    String,
    RejectionCode,
    &'static str,
);

fn numbered(count: usize, item: impl Fn(usize) -> String) -> String {
    format!("[{}]", (0..count).map(item).collect::<Vec<_>>().join(","))
}

fn limits_of_a_new_commitment() -> Vec<Limit> {
    use RejectionCode as Code;
    let long = |length| format!("\"{}\"", "é".repeat(length));
    let action = |number| format!("\"GCM-{number}\"");
    vec![
        (
            "record_commitment",
            r#""Visas""#,
            long(301),
            Code::TextTooLong,
            "data.title",
        ),
        (
            "record_commitment",
            r#""More""#,
            long(16385),
            Code::TextTooLong,
            "data.description",
        ),
        (
            "record_commitment",
            r#""visas""#,
            long(301),
            Code::TextTooLong,
            "data.measure.indicator",
        ),
        (
            "record_commitment",
            r#""Visas""#,
            r#""two\nlines""#.into(),
            Code::ControlCharacter,
            "data.title",
        ),
        (
            "record_commitment",
            r#""More""#,
            r#""a\u0085b""#.into(),
            Code::ControlCharacter,
            "data.description",
        ),
        (
            "record_commitment",
            r#""More""#,
            r#"" \n ""#.into(),
            Code::TextEmpty,
            "data.description",
        ),
        (
            "record_commitment",
            r#""https://example.org/1""#,
            r#""ftp://example.org""#.into(),
            Code::InvalidValue,
            "data.source.url",
        ),
        (
            "record_commitment",
            r#"["GCM-05a"]"#,
            numbered(65, action),
            Code::TooManyItems,
            "data.actions",
        ),
        (
            "record_commitment",
            r#"["KEN"]"#,
            r#"["KEN","UGA","KEN"]"#.into(),
            Code::DuplicateValue,
            "data.countries[2]",
        ),
        (
            "record_commitment",
            r#"["GP-1"]"#,
            numbered(65, |number| format!("\"GP-{number}\"")),
            Code::TooManyItems,
            "data.principles",
        ),
        (
            "record_commitment",
            r#"[{"party":"UGA","role":"partner"}]"#,
            numbered(2, |_| r#"{"party":"UGA","role":"partner"}"#.into()),
            Code::DuplicateValue,
            "data.participants[1]",
        ),
        (
            "record_commitment",
            r#"[{"party":"UGA","role":"partner"}]"#,
            numbered(257, |number| {
                format!(r#"{{"party":"P{number}","role":"partner"}}"#)
            }),
            Code::TooManyItems,
            "data.participants",
        ),
    ]
}

fn limits_of_other_commands() -> Vec<Limit> {
    use RejectionCode as Code;
    vec![
        (
            "report_progress",
            r#"[{"name":"visas","value":7,"unit":"a year"}]"#,
            numbered(51, |number| format!(r#"{{"name":"n{number}","value":1}}"#)),
            Code::TooManyItems,
            "data.indicators",
        ),
        (
            "report_progress",
            r#"[{"name":"visas","value":7,"unit":"a year"}]"#,
            numbered(2, |_| r#"{"name":"n","value":1}"#.into()),
            Code::DuplicateValue,
            "data.indicators[1]",
        ),
        (
            "report_progress",
            "00ff",
            "00FG".into(),
            Code::InvalidValue,
            "data.evidence[0].sha256",
        ),
        (
            "report_progress",
            "00ff",
            "00f".into(),
            Code::InvalidValue,
            "data.evidence[0].sha256",
        ),
        (
            "register_partner",
            r#"["KEN"]"#,
            "[]".into(),
            Code::MissingField,
            "data.parties",
        ),
        (
            "register_partner",
            r#"["KEN"]"#,
            numbered(1001, |number| format!("\"P{number}\"")),
            Code::TooManyItems,
            "data.parties",
        ),
        (
            "register_partner",
            r#"["reporter"]"#,
            r#"["root"]"#.into(),
            Code::InvalidValue,
            "data.roles[0]",
        ),
        (
            "change_partner",
            r#"["KEN"]"#,
            "[]".into(),
            Code::BlankingRefused,
            "data.parties",
        ),
        (
            "amend_commitment",
            r#"["GCM-05a"]"#,
            "[]".into(),
            Code::BlankingRefused,
            "data.actions",
        ),
        (
            "amend_commitment",
            r#""Visas""#,
            r#""""#.into(),
            Code::TextEmpty,
            "data.title",
        ),
        (
            "map_actions",
            r#"["SDG-10.7.2"]"#,
            numbered(9, |_| r#""SDG-10.7.2""#.into()),
            Code::DuplicateValue,
            "data.to[1]",
        ),
        (
            "map_actions",
            r#"["SDG-10.7.2"]"#,
            numbered(10, |number| format!("\"A-{}\"", number % 9)),
            Code::DuplicateValue,
            "data.to[9]",
        ),
    ]
}

#[test]
fn texts_and_lists_have_their_limits() {
    for (name, old, new, code, field) in
        [limits_of_a_new_commitment(), limits_of_other_commands()].concat()
    {
        let (_, subject, data) = EXAMPLES
            .iter()
            .find(|(known, _, _)| *known == name)
            .expect(name);
        let changed = data.replacen(old, &new, 1);
        assert_ne!(changed, *data, "{old}");
        let refusal = decode(&example(name, subject, &changed)).expect_err(field);
        assert_eq!(refusal, (code, Some(field.to_owned())), "{name}");
    }
}

#[test]
fn texts_up_to_their_limits_are_taken() {
    for (old, new) in [
        ("Visas", "é".repeat(300)),
        ("More", "é".repeat(16384)),
        ("More", "a\\r\\n\\tb\u{a0}".to_owned()),
    ] {
        let (name, subject, data) = EXAMPLES[9];
        decode(&example(name, subject, &data.replacen(old, &new, 1))).expect(old);
    }
}
