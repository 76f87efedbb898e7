//! The bytes of commands, events and receipts: what is written is read back, and hostile bytes get a code.

use ledger_domain::wire::v1::{
    Command, CommandBody, Durability, EventHeader, EventType, Nonce, Policy, Receipt, ReceiptEvent,
    Sha256, Status, split_batch,
};
use ledger_domain::{Rejection, RejectionCode};

const RECORD: &str = r#"{"specversion":"1.0","id":"0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f","source":"partner/ken-gov","type":"ledger.record_commitment.v1","subject":"0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90","time":"2026-11-23T08:30:00Z","party":"KEN","data":{"title":"Extend skills visas","actions":["GCM-05a"],"measure":{"indicator":"visas","baseline":1200,"target":5000},"made":"2026-03","due":"2028"}}"#;

pub(crate) fn decode(text: &str) -> Result<Command, (RejectionCode, Option<String>)> {
    Command::decode(text.as_bytes(), &Policy::default())
        .map_err(|refusal| (refusal.rejection.code, refusal.rejection.field))
}

#[test]
fn a_command_is_read_and_written_back() {
    let command = decode(RECORD).expect("a good command");
    assert!(matches!(command.body, CommandBody::RecordCommitment(_)));
    assert_eq!(String::from_utf8(command.encode()).expect("UTF-8"), RECORD);
}

/// What is replaced in the good command, by what, and the code and field of the refusal.
const FAULTS: &[(&str, &str, RejectionCode, Option<&str>)] = &[
    (
        r#""title":"Extend skills visas","#,
        "",
        RejectionCode::MissingField,
        Some("data.title"),
    ),
    (
        r#""title":"#,
        r#""titel":"#,
        RejectionCode::UnknownField,
        Some("data.titel"),
    ),
    (
        r#""made":"2026-03""#,
        r#""made":"2026-13""#,
        RejectionCode::InvalidValue,
        Some("data.made"),
    ),
    (
        r#""title":"Extend skills visas""#,
        r#""title":null"#,
        RejectionCode::MissingField,
        Some("data.title"),
    ),
    (
        r#"["GCM-05a"]"#,
        r#"["GCM-05a",7]"#,
        RejectionCode::WrongType,
        Some("data.actions[1]"),
    ),
    (
        r#"["GCM-05a"]"#,
        r#"["GCM-05a",null]"#,
        RejectionCode::WrongType,
        Some("data.actions[1]"),
    ),
    (
        r#"["GCM-05a"]"#,
        r#"["GCM-05a","gcm"]"#,
        RejectionCode::InvalidValue,
        Some("data.actions[1]"),
    ),
    (
        r#"["GCM-05a"]"#,
        r#"["GCM-05a","GCM-05a"]"#,
        RejectionCode::DuplicateValue,
        Some("data.actions[1]"),
    ),
    (
        r#"["GCM-05a"]"#,
        "[]",
        RejectionCode::MissingField,
        Some("data.actions"),
    ),
    (
        ":5000",
        ":1e400",
        RejectionCode::NumberOutOfRange,
        Some("data.measure.target"),
    ),
    (
        ":5000",
        ":9007199254740993",
        RejectionCode::NumberOutOfRange,
        Some("data.measure.target"),
    ),
    (
        ":5000",
        ":05",
        RejectionCode::MalformedJson,
        Some("data.measure.target"),
    ),
    (
        r#""due":"2028""#,
        r#""due":"2028","due":"2029""#,
        RejectionCode::DuplicateKey,
        Some("data.due"),
    ),
    (
        r#""due":"2028""#,
        r#""due":"2028","d\u0075e":"2029""#,
        RejectionCode::DuplicateKey,
        Some("data.due"),
    ),
    (
        r#""due":"2028""#,
        r#""due":"2028","countries":["XKX"]"#,
        RejectionCode::UnknownCountry,
        Some("data.countries[0]"),
    ),
    (
        r#""due":"2028""#,
        r#""due":"2028","form":"joint""#,
        RejectionCode::InvalidValue,
        Some("data.form"),
    ),
    (
        r#""due":"2028""#,
        r#""due":"2028","form":7"#,
        RejectionCode::WrongType,
        Some("data.form"),
    ),
    (
        r#"{"indicator":"visas","baseline":1200,"target":5000}"#,
        r#"["visas","v",1,2]"#,
        RejectionCode::WrongType,
        Some("data.measure"),
    ),
    (
        "record_commitment.v1",
        "record_commitment.v2",
        RejectionCode::UnknownVersion,
        Some("type"),
    ),
    (
        "record_commitment.v1",
        "erase_everything.v1",
        RejectionCode::UnknownCommand,
        Some("type"),
    ),
    (
        r#""specversion":"1.0""#,
        r#""specversion":"0.3""#,
        RejectionCode::UnsupportedEnvelope,
        Some("specversion"),
    ),
    (
        r#""subject":"0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90""#,
        r#""subject":"party/KEN""#,
        RejectionCode::WrongSubject,
        Some("subject"),
    ),
    (
        r#""source":"partner/ken-gov""#,
        r#""source":"ken-gov""#,
        RejectionCode::InvalidValue,
        Some("source"),
    ),
    (
        r#""party":"KEN""#,
        r#""party":"K N""#,
        RejectionCode::InvalidValue,
        Some("party"),
    ),
    (
        r#""party":"KEN""#,
        r#""party":"KEN","color":"red""#,
        RejectionCode::UnknownField,
        Some("color"),
    ),
    (
        r#""party":"KEN""#,
        r#""party":"KEN","expectedversion":"01""#,
        RejectionCode::InvalidValue,
        Some("expectedversion"),
    ),
    (
        "Extend skills visas",
        "   ",
        RejectionCode::TextEmpty,
        Some("data.title"),
    ),
    (
        "Extend skills visas",
        "a\\u0000b",
        RejectionCode::ControlCharacter,
        Some("data.title"),
    ),
    (
        r#""due":"2028"}}"#,
        r#""due":"2028"}"#,
        RejectionCode::MalformedJson,
        Some("data"),
    ),
    (
        r#""due":"2028"}}"#,
        r#""due":"2028"}}}"#,
        RejectionCode::MalformedJson,
        None,
    ),
];

#[test]
fn a_fault_is_named_with_its_code_and_field() {
    for (old, new, code, field) in FAULTS {
        let text = RECORD.replace(old, new);
        assert_ne!(text, RECORD, "{old}");
        let refusal = decode(&text).expect_err(new);
        assert_eq!(refusal, (*code, field.map(str::to_owned)), "{new}");
    }
}

#[test]
fn a_batch_is_cut_into_the_exact_bytes_of_its_commands() {
    let policy = Policy::default();
    let split = |text: &'static str| {
        split_batch(text.as_bytes(), &policy)
            .map(|items| {
                items
                    .iter()
                    .map(|item| String::from_utf8_lossy(item).into_owned())
                    .collect::<Vec<_>>()
            })
            .map_err(|rejection| rejection.code)
    };
    assert_eq!(
        split(r#" [ {"a": "],["} , {"b":[1,2]}] "#),
        Ok(vec![r#"{"a": "],["}"#.into(), r#"{"b":[1,2]}"#.into()])
    );
    assert_eq!(split(r#"{"a":1}"#), Ok(vec![r#"{"a":1}"#.into()]));
    assert_eq!(split("[]"), Err(RejectionCode::EmptyBatch));
    assert_eq!(split("[{}"), Err(RejectionCode::MalformedJson));
    assert_eq!(split("[{},]"), Err(RejectionCode::MalformedJson));
    assert_eq!(split("[{}}]"), Err(RejectionCode::MalformedJson));
}

#[test]
fn a_header_reads_back_to_the_same_bytes() {
    let leaf = r#"{"specversion":"1.0","id":"0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e91","source":"ledger/demo","type":"ledger.progress_reported.v1","subject":"0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90","time":"2026-11-23T08:30:00.000123Z","position":"42","streamversion":"2","partner":"ken-gov","party":"KEN","causationid":"0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f","submission":"00000000000000000000000000000000000000000000000000000000000000ff","submissionindex":"0","effective":"2026-03","rulesversion":"1","datadigest":"ff00000000000000000000000000000000000000000000000000000000000000"}"#;
    let header = EventHeader::decode(leaf.as_bytes()).expect("a leaf");
    assert_eq!(header.event_type, EventType::ProgressReported);
    assert_eq!(header.position.0, 42);
    assert_eq!(String::from_utf8(header.encode()).expect("UTF-8"), leaf);
}

#[test]
fn a_message_has_its_limits() {
    let policy = Policy::default();
    let code = |bytes: &[u8]| {
        split_batch(bytes, &policy)
            .map(|cut| cut.len())
            .map_err(|rejection| rejection.code)
    };
    let batch = |count| format!("[{}]", vec!["{}"; count].join(","));
    assert_eq!(code(batch(1000).as_bytes()), Ok(1000));
    assert_eq!(
        code(batch(1001).as_bytes()),
        Err(RejectionCode::BatchTooLarge)
    );
    assert_eq!(
        code(&vec![b' '; policy.max_batch_bytes + 1]),
        Err(RejectionCode::BatchTooLarge)
    );
    assert_eq!(code(b" \n"), Err(RejectionCode::EmptyBatch));
}

#[test]
fn a_bad_command_does_not_stop_those_beside_it() {
    let message = [
        b"[".as_slice(),
        RECORD.as_bytes(),
        b",{\"id\":\"\xff\",1e400},",
        RECORD.as_bytes(),
        b"]",
    ]
    .concat();
    let policy = Policy::default();
    let read: Vec<_> = split_batch(&message, &policy)
        .expect("a batch")
        .into_iter()
        .map(|bytes| Command::decode(bytes, &policy).map_err(|refusal| refusal.rejection.code))
        .collect();
    assert!(read[0].is_ok() && read[2].is_ok());
    assert_eq!(read[1], Err(RejectionCode::InvalidUtf8));
}

#[test]
fn a_refusal_names_the_command_if_its_id_can_be_read() {
    let command_id = |text: &str| {
        Command::decode(text.as_bytes(), &Policy::default())
            .expect_err("a fault")
            .command_id
            .map(|id| id.to_string())
    };
    let id = Some("0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f".to_owned());
    assert_eq!(command_id(&RECORD.replace("2028", "soon")), id);
    assert_eq!(command_id(&RECORD.replace("Extend skills visas", " ")), id);
    assert_eq!(command_id(&RECORD[..RECORD.len() - 9]), id);
    assert_eq!(
        command_id(&RECORD.replace("0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f", "1")),
        None
    );
    assert_eq!(command_id("[]"), None);
}

#[test]
fn a_nonce_has_one_text() {
    let all = Nonce([0xff; 16]);
    assert_eq!(all.to_string(), "_____________________w");
    assert_eq!(Nonce::parse(&all.to_string()), Some(all));
    assert_eq!(Nonce([0; 16]).to_string(), "A".repeat(22));
    for other in [
        "",
        "_____________________x",
        "____________________w",
        "_____________________w=",
        "+____________________w",
        "é___________________w",
    ] {
        assert_eq!(Nonce::parse(other), None, "{other}");
    }
}

#[test]
fn a_command_comes_from_its_own_partner_only() {
    let command = decode(RECORD).expect("good");
    assert_eq!(
        command.check_sender(&"ken-gov".parse().expect("an id")),
        Ok(())
    );
    let refusal = command
        .check_sender(&"other".parse().expect("an id"))
        .expect_err("another");
    assert_eq!(
        (refusal.code, refusal.field.as_deref()),
        (RejectionCode::WrongPartner, Some("source"))
    );
}

#[test]
fn a_receipt_has_the_fields_of_its_format() {
    let receipt = Receipt {
        command_id: Some(
            "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f"
                .parse()
                .expect("an id"),
        ),
        status: Status::Accepted,
        events: vec![ReceiptEvent {
            position: 42,
            id: "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e91"
                .parse()
                .expect("an id"),
            event_type: EventType::CommitmentRecorded,
            leaf_hash: Sha256([0xab; 32]),
        }],
        durability: Some(Durability::Fsync),
        tree_size: Some(43),
        rejection: None,
    };
    let bytes = receipt.encode();
    let expected = format!(
        r#"{{"command_id":"0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f","status":"accepted","events":[{{"position":42,"id":"0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e91","type":"ledger.commitment_recorded.v1","leaf_hash":"{}"}}],"durability":"fsync","tree_size":43}}"#,
        "ab".repeat(32)
    );
    assert_eq!(String::from_utf8_lossy(&bytes), expected);
    assert_eq!(
        serde_json::from_slice::<Receipt>(&bytes).expect("a receipt"),
        receipt
    );
    let refused = Receipt::rejected(None, Rejection::new(RejectionCode::Busy, "Send it again."));
    let expected =
        r#"{"status":"rejected","rejection":{"code":"busy","message":"Send it again."}}"#;
    assert_eq!(String::from_utf8_lossy(&refused.encode()), expected);
}

/// The good command with more attributes.
fn with_attributes(attributes: &str) -> String {
    RECORD.replace(
        r#""party":"KEN""#,
        &format!(r#""party":"KEN",{attributes}"#),
    )
}

#[test]
fn a_null_attribute_is_unset_whatever_its_name() {
    let good = decode(RECORD);
    assert!(good.is_ok());
    for name in [
        "expectedversion",
        "nonce",
        "datacontenttype",
        "dataschema",
        "traceparent",
        "anextension",
    ] {
        assert_eq!(
            decode(&with_attributes(&format!(r#""{name}":null"#))),
            good,
            "{name}"
        );
    }
    let all = r#""expectedversion":null,"nonce":null,"datacontenttype":null,"dataschema":null"#;
    assert_eq!(decode(&with_attributes(all)), good);
    for name in [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "party",
        "data",
    ] {
        let mut value: serde_json::Value = serde_json::from_str(RECORD).expect("JSON");
        value[name] = serde_json::Value::Null;
        let missing = Err((RejectionCode::MissingField, Some(name.to_owned())));
        assert_eq!(decode(&value.to_string()), missing, "{name}");
    }
}

#[test]
fn a_null_field_is_unset_at_any_depth_and_one_in_a_list_is_not() {
    let good = decode(RECORD);
    let nulls = RECORD
        .replace(
            r#""made""#,
            r#""matches":null,"participants":null,"illustrative":null,"made""#,
        )
        .replace(r#""baseline""#, r#""unit":null,"baseline""#);
    assert_eq!(decode(&nulls), good);
    // The second reading, which finds faults, takes the same.
    assert_eq!(
        decode(&nulls.replace(r#""made""#, r#""nofield":null,"made""#)),
        good
    );
    let milestones = r#""milestones":[{"name":"Law","due":null}],"made""#;
    assert!(decode(&RECORD.replace(r#""made""#, milestones)).is_ok());
    let hole = RECORD.replace(r#""made""#, r#""milestones":[null],"made""#);
    let refused = Err((
        RejectionCode::WrongType,
        Some("data.milestones[0]".to_owned()),
    ));
    assert_eq!(decode(&hole), refused);
}

#[test]
fn a_change_refuses_a_null_and_takes_the_word() {
    let amend = |data: &str| {
        let (head, _) = RECORD.split_once(r#""data":"#).expect("data");
        let head = head.replace("record_commitment", "amend_commitment");
        decode(&format!(r#"{head}"data":{data}}}"#))
    };
    assert!(amend(r#"{"due":"2029","reason":"The first date was null and void"}"#).is_ok());
    for (data, field) in [
        (r#"{"due":null,"reason":"x"}"#, "data.due"),
        (r#"{"due":"2029","reason":null}"#, "data.reason"),
        (
            r#"{"measure":{"unit":null},"reason":"x"}"#,
            "data.measure.unit",
        ),
        (
            r#"{"milestones":[{"name":"x","due":null}],"reason":"x"}"#,
            "data.milestones[0].due",
        ),
    ] {
        let refused = Err((RejectionCode::BlankingRefused, Some(field.to_owned())));
        assert_eq!(amend(data), refused, "{data}");
    }
}

#[test]
fn a_media_type_ignores_case_and_parameters() {
    for media_type in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "APPLICATION/JSON ;Charset=UTF-8",
    ] {
        let text = with_attributes(&format!(r#""datacontenttype":"{media_type}""#));
        assert_eq!(decode(&text), decode(RECORD), "{media_type}");
    }
    for media_type in [
        "",
        "text/json",
        "application/jsonp",
        "application/xml; a=application/json",
    ] {
        let text = with_attributes(&format!(r#""datacontenttype":"{media_type}""#));
        let field = Some("datacontenttype".to_owned());
        assert_eq!(
            decode(&text),
            Err((RejectionCode::UnsupportedEnvelope, field)),
            "{media_type}"
        );
    }
}

#[test]
fn a_trace_is_refused_with_the_place_where_it_belongs() {
    for name in ["traceparent", "tracestate"] {
        let text = with_attributes(&format!(r#""{name}":"00-1-2-01""#));
        let refusal = Command::decode(text.as_bytes(), &Policy::default()).expect_err(name);
        assert_eq!(refusal.rejection.code, RejectionCode::UnknownField);
        assert_eq!(refusal.rejection.field.as_deref(), Some(name));
        assert!(
            refusal
                .rejection
                .message
                .contains("header of the NATS message")
        );
    }
}

#[test]
fn a_digest_is_read_in_capitals_and_written_in_small_letters() {
    let small = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    let mixed = small.replace('b', "B");
    for text in [small, &small.to_uppercase(), &mixed] {
        let digest = Sha256::from_hex(text).expect(text);
        assert_eq!(digest.to_string(), small);
        let read: Sha256 = serde_json::from_str(&format!("\"{text}\"")).expect(text);
        assert_eq!(
            serde_json::to_string(&read).expect("JSON"),
            format!("\"{small}\"")
        );
    }
    for text in [
        &small[1..],
        &small.replace('b', "g"),
        &small.replace('b', "é"),
    ] {
        assert_eq!(Sha256::from_hex(text), None, "{text}");
    }
}

#[test]
fn a_fault_of_an_array_says_where_it_is_and_that_nothing_was_read() {
    let message = |text: &str| {
        let refused = split_batch(text.as_bytes(), &Policy::default()).expect_err(text);
        assert_eq!(refused.code, RejectionCode::MalformedJson, "{text}");
        refused.message
    };
    for (text, place) in [
        ("[{},\n {}}]", "at byte 8, line 2;"),
        (" [{},,{}]", "at byte 5, line 1;"),
        ("[{},\n\n{\"a\":\"b]", "at byte 11, line 3;"),
        ("[{},{", "at byte 5, line 1;"),
    ] {
        let message = message(text);
        assert!(message.contains(place), "{text}: {message}");
        assert!(
            message.contains("no command of the array was read"),
            "{message}"
        );
    }
}

#[test]
fn a_limit_is_named_beside_the_size() {
    let policy = Policy::default();
    let long = " ".repeat(policy.max_command_bytes + 5_000);
    let refused = Command::decode(long.as_bytes(), &policy)
        .expect_err("long")
        .rejection;
    assert_eq!(refused.code, RejectionCode::CommandTooLarge);
    assert!(
        refused.message.contains(&long.len().to_string()),
        "{refused}"
    );
    assert!(
        refused
            .message
            .contains(&policy.max_command_bytes.to_string()),
        "{refused}"
    );

    let many = format!("[{}]", vec!["{}"; 1_234].join(","));
    let refused = split_batch(many.as_bytes(), &policy).expect_err("many");
    assert_eq!(refused.code, RejectionCode::BatchTooLarge);
    assert!(refused.message.contains("1234 commands"), "{refused}");
    assert!(refused.message.contains("1000"), "{refused}");
}
