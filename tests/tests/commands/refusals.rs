//! Bad input: every kind is refused with its code and field, nothing is recorded, and the node goes on.

use bytes::Bytes;
use ledger_domain::RejectionCode as Code;
use ledger_domain::wire::v1::{Command, Receipt, Stage, Status};
use ledger_tests::System;
use ledger_tests::commands::Commander;
use serde_json::{Value, json};

pub(crate) const PARTNER: &str = "tester";

/// A submission, and the one refusal that it must get.
pub(crate) struct Bad {
    what: &'static str,
    bytes: Bytes,
    code: Code,
    field: Option<String>,
}

pub(crate) fn bad<'a>(
    what: &'static str,
    bytes: impl Into<Bytes>,
    code: Code,
    field: impl Into<Option<&'a str>>,
) -> Bad {
    Bad {
        what,
        bytes: bytes.into(),
        code,
        field: field.into().map(str::to_owned),
    }
}

/// A command's JSON text with one piece replaced.
fn replaced(command: &Command, piece: &str, by: &str) -> String {
    let text = String::from_utf8(command.encode()).expect("UTF-8");
    assert!(text.contains(piece), "{piece} is not in {text}");
    text.replacen(piece, by, 1)
}

/// A command's JSON text with these members at the beginning of its data.
fn with(command: &Command, members: &str) -> String {
    replaced(command, r#""data":{"#, &format!(r#""data":{{{members},"#))
}

/// A command's JSON text with one attribute, or one member of its data, set.
pub(crate) fn set(command: &Command, pointer: &str, content: Value) -> String {
    let mut value: Value = serde_json::from_slice(&command.encode()).expect("JSON");
    *value.pointer_mut(pointer).expect("a member to set") = content;
    value.to_string()
}

/// A command's JSON text without one member of its data, or of its attributes.
fn without(command: &Command, parent: &str, name: &str) -> String {
    let mut value: Value = serde_json::from_slice(&command.encode()).expect("JSON");
    let object = value.pointer_mut(parent).and_then(Value::as_object_mut);
    object.expect("an object").remove(name).expect("a member");
    value.to_string()
}

/// Sends bad submissions one by one; each must get its refusal and leave the log as it was.
pub(crate) async fn all_refused(system: &System, cases: Vec<Bad>) {
    let before = system.tree_size().await;
    let mut otherwise = Vec::new();
    for case in cases {
        let receipts = system.ask(PARTNER, case.bytes).await;
        let refused = match receipts.as_slice() {
            [receipt] => {
                let rejected = receipt.status == Status::Rejected && receipt.events.is_empty();
                rejected && refusal(receipt) == Some((case.code, case.field.as_deref()))
            }
            _ => false,
        };
        if !refused {
            otherwise.push(format!("{}: {receipts:?}", case.what));
        }
        assert_eq!(system.tree_size().await, before, "{}", case.what);
    }
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
}

/// The node takes a good command after all that.
pub(crate) async fn goes_on(system: &System, commander: &mut Commander) {
    let before = system.tree_size().await;
    let (_, record) = commander.record(&["GCM-01"]);
    let receipts = system.accepted(&[record]).await;
    assert_eq!(receipts[0].events[0].position, before);
    assert_eq!(system.tree_size().await, before + 1);
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_command_are_refused_and_nothing_is_recorded() {
    let system = System::start(&[]).await;
    let mut commander = system.reporter(PARTNER, &["KEN"]).await;
    let (_, record) = commander.record(&["GCM-01"]);
    let good = record.encode();
    let half = &good[..good.len() / 2];
    let title = r#""title":"#;
    let measure = |target: &str| {
        with(
            &record,
            &format!(r#""measure":{{"indicator":"i","target":{target}}}"#),
        )
    };
    let nested = |open: &str, inner: &str, close: &str| {
        [&open.repeat(10_000), inner, &close.repeat(10_000)].concat()
    };
    let deep_field = format!(r#""description":{}"#, nested("[", "", "]"));
    let mut not_utf8 = good.clone();
    let last = not_utf8.len() - 1;
    not_utf8[last - 3] = 0xff;
    let cases = vec![
        bad("no JSON", "hello", Code::MalformedJson, None),
        bad(
            "half a command",
            half.to_vec(),
            Code::MalformedJson,
            "subject",
        ),
        bad(
            "two without a comma",
            [&*good, &good].concat(),
            Code::MalformedJson,
            None,
        ),
        bad("zero bytes", vec![0; 100], Code::MalformedJson, None),
        bad(
            "a byte order mark",
            [b"\xef\xbb\xbf", &*good].concat(),
            Code::MalformedJson,
            None,
        ),
        bad("a string alone", r#""hello""#, Code::WrongType, None),
        bad("null alone", "null", Code::WrongType, None),
        bad("invalid UTF-8", not_utf8, Code::InvalidUtf8, None),
        bad(
            "half a surrogate pair",
            with(&record, r#""description":"\ud800""#),
            Code::MalformedJson,
            "data.description",
        ),
        bad(
            "a key twice",
            replaced(&record, title, r#""title":"x","title":"#),
            Code::DuplicateKey,
            "data.title",
        ),
        bad(
            "the id twice",
            replaced(&record, "{", r#"{"id":"x","#),
            Code::DuplicateKey,
            "id",
        ),
        bad(
            "1e400",
            measure("1e400"),
            Code::NumberOutOfRange,
            "data.measure.target",
        ),
        bad(
            "2^53 + 1",
            measure("9007199254740993"),
            Code::NumberOutOfRange,
            "data.measure.target",
        ),
        bad(
            "NaN",
            measure("NaN"),
            Code::MalformedJson,
            "data.measure.target",
        ),
        bad(
            "10,000 arrays in a field",
            with(&record, &deep_field),
            Code::TooDeep,
            &*format!("data.description{}", "[0]".repeat(30)),
        ),
        bad(
            "10,000 arrays",
            nested("[", "", "]"),
            Code::TooDeep,
            &*"[0]".repeat(32),
        ),
        bad(
            "10,000 objects",
            nested(r#"{"a":"#, "1", "}"),
            Code::TooDeep,
            &*vec!["a"; 32].join("."),
        ),
        bad("nothing", "", Code::EmptyBatch, None),
        bad("blanks", " \r\n\t ", Code::EmptyBatch, None),
        bad("an empty array", "[]", Code::EmptyBatch, None),
        bad(
            "an empty array with blanks",
            " [ \n ] ",
            Code::EmptyBatch,
            None,
        ),
        bad("an open array", "[", Code::MalformedJson, None),
        bad(
            "a comma too many",
            [b"[", &*good, b",]"].concat(),
            Code::MalformedJson,
            None,
        ),
        bad(
            "a closed bracket too many",
            [b"[", &*good, b"}]"].concat(),
            Code::MalformedJson,
            None,
        ),
    ];
    all_refused(&system, cases).await;
    goes_on(&system, &mut commander).await;
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
#[tokio::test(flavor = "multi_thread")]
async fn commands_of_the_wrong_form_are_refused_and_nothing_is_recorded() {
    let system = System::start(&[]).await;
    let mut commander = system.reporter(PARTNER, &["KEN"]).await;
    let (commitment, record) = commander.record(&["GCM-01"]);
    let report = commander.report(commitment, 3, Stage::InProgress);
    let withdraw = commander.withdraw(commitment, "Replaced.");
    let amend = "ledger.amend_commitment.v1";
    let blanked = set(&withdraw, "/type", json!(amend));
    let blanked = blanked.replacen(r#""reason""#, r#""due":null,"reason""#, 1);
    let kind = |name: &str| set(&record, "/type", json!(name));
    let long = "x".repeat(33 << 10);
    let cases = vec![
        bad(
            "a number for a text",
            set(&record, "/data/title", json!(5)),
            Code::WrongType,
            "data.title",
        ),
        bad(
            "a text for a list",
            set(&record, "/data/actions", json!("GCM-01")),
            Code::WrongType,
            "data.actions",
        ),
        bad(
            "a number in a list",
            set(&record, "/data/actions/0", json!(1)),
            Code::WrongType,
            "data.actions[0]",
        ),
        bad(
            "null for a text",
            set(&record, "/data/title", json!(null)),
            Code::MissingField,
            "data.title",
        ),
        bad(
            "null in a change",
            blanked,
            Code::BlankingRefused,
            "data.due",
        ),
        bad(
            "a number for the id",
            set(&record, "/id", json!(7)),
            Code::WrongType,
            "id",
        ),
        bad(
            "no UUID",
            set(&record, "/id", json!("seven")),
            Code::InvalidValue,
            "id",
        ),
        bad(
            "a list for the data",
            set(&record, "/data", json!([])),
            Code::WrongType,
            "data",
        ),
        bad(
            "no time",
            set(&record, "/time", json!("yesterday")),
            Code::InvalidValue,
            "time",
        ),
        bad(
            "another envelope",
            set(&record, "/specversion", json!("0.3")),
            Code::UnsupportedEnvelope,
            "specversion",
        ),
        bad(
            "an unknown command",
            kind("ledger.fly_to_the_moon.v1"),
            Code::UnknownCommand,
            "type",
        ),
        bad(
            "another prefix",
            kind("org.example.thing"),
            Code::UnknownCommand,
            "type",
        ),
        bad(
            "an unknown version",
            kind("ledger.record_commitment.v2"),
            Code::UnknownVersion,
            "type",
        ),
        bad(
            "a missing title",
            without(&record, "/data", "title"),
            Code::MissingField,
            "data.title",
        ),
        bad(
            "a missing period",
            without(&report, "/data", "period"),
            Code::MissingField,
            "data.period",
        ),
        bad(
            "a missing end",
            without(&report, "/data/period", "to"),
            Code::MissingField,
            "data.period.to",
        ),
        bad(
            "a missing party",
            without(&record, "", "party"),
            Code::MissingField,
            "party",
        ),
        bad(
            "missing data",
            without(&record, "", "data"),
            Code::MissingField,
            "data",
        ),
        bad(
            "an unknown field",
            with(&record, r#""colour":"red""#),
            Code::UnknownField,
            "data.colour",
        ),
        bad(
            "an unknown attribute",
            replaced(&record, "{", r#"{"color":"red","#),
            Code::UnknownField,
            "color",
        ),
        bad(
            "a long title",
            set(&record, "/data/title", json!("x".repeat(301))),
            Code::TextTooLong,
            "data.title",
        ),
        bad(
            "a long description",
            with(&record, &format!(r#""description":"{long}""#)),
            Code::TextTooLong,
            "data.description",
        ),
        bad(
            "a long narrative",
            set(&report, "/data/narrative", json!(long)),
            Code::TextTooLong,
            "data.narrative",
        ),
        bad(
            "a blank title",
            set(&record, "/data/title", json!(" ")),
            Code::TextEmpty,
            "data.title",
        ),
        bad(
            "a control character",
            set(&record, "/data/title", json!("a\u{7}b")),
            Code::ControlCharacter,
            "data.title",
        ),
        bad(
            "no action",
            set(&record, "/data/actions", json!([])),
            Code::MissingField,
            "data.actions",
        ),
        bad(
            "65 actions",
            set(
                &record,
                "/data/actions",
                (1..66).map(|n| json!(format!("GCM-{n}"))).collect(),
            ),
            Code::TooManyItems,
            "data.actions",
        ),
        bad(
            "an action twice",
            set(&record, "/data/actions", json!(["GCM-01", "GCM-01"])),
            Code::DuplicateValue,
            "data.actions[1]",
        ),
        bad(
            "no such day",
            set(&record, "/data/due", json!("2026-02-30")),
            Code::InvalidValue,
            "data.due",
        ),
        bad(
            "another subject",
            set(&record, "/subject", json!("party/KEN")),
            Code::WrongSubject,
            "subject",
        ),
        bad(
            "a large command",
            with(&record, &format!(r#""x":"{}""#, "x".repeat(256 << 10))),
            Code::CommandTooLarge,
            None,
        ),
    ];
    all_refused(&system, cases).await;
    goes_on(&system, &mut commander).await;
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
#[tokio::test(flavor = "multi_thread")]
async fn commands_that_the_rules_forbid_are_refused_and_nothing_is_recorded() {
    let system = System::start(&[]).await;
    let mut commander = system.reporter(PARTNER, &["KEN", "ATLANTIS"]).await;
    let (commitment, recorded) = commander.record(&["GCM-01"]);
    system.accepted(std::slice::from_ref(&recorded)).await;
    let (_, record) = commander.record(&["GCM-01"]);
    let unknown = commander.record(&["GCM-01"]).0;
    let report = commander.report(commitment, 3, Stage::InProgress);
    let stray = commander.report(unknown, 3, Stage::InProgress);
    let participants = r#""participants":[{"party":"ATLANTIS","role":"partner"}]"#;
    let expecting = |version: &str| {
        replaced(
            &report,
            "{",
            &format!(r#"{{"expectedversion":"{version}","#),
        )
    };
    let cases = vec![
        bad(
            "an unknown action",
            set(&record, "/data/actions/0", json!("ZZZ-99")),
            Code::UnknownAction,
            "data.actions[0]",
        ),
        bad(
            "an unknown country",
            with(&record, r#""countries":["ZZZ"]"#),
            Code::UnknownCountry,
            "data.countries[0]",
        ),
        bad(
            "an unknown principle",
            with(&record, r#""principles":["GP-99"]"#),
            Code::UnknownPrinciple,
            "data.principles[0]",
        ),
        bad(
            "an unknown participant",
            with(&record, participants),
            Code::PartyUnknown,
            "data.participants[0].party",
        ),
        bad(
            "an unknown party",
            set(&record, "/party", json!("ATLANTIS")),
            Code::PartyUnknown,
            "party",
        ),
        bad(
            "another's party",
            set(&record, "/party", json!("UGA")),
            Code::PartyNotAllowed,
            "party",
        ),
        bad(
            "another's name",
            set(&record, "/source", json!("partner/root")),
            Code::WrongPartner,
            "source",
        ),
        bad(
            "an unknown commitment",
            stray.encode(),
            Code::UnknownCommitment,
            "subject",
        ),
        bad(
            "a commitment twice",
            set(&record, "/subject", json!(commitment.to_string())),
            Code::CommitmentExists,
            "subject",
        ),
        bad(
            "a bad version",
            expecting("two"),
            Code::InvalidValue,
            "expectedversion",
        ),
        bad(
            "another version",
            expecting("2"),
            Code::VersionConflict,
            "expectedversion",
        ),
        bad(
            "a date to come",
            set(&record, "/data/made", json!("2999")),
            Code::DateInFuture,
            "data.made",
        ),
        bad(
            "dates in the wrong order",
            set(
                &report,
                "/data/period",
                json!({"from": "2026-03", "to": "2026-01"}),
            ),
            Code::DateOrder,
            "data.period.to",
        ),
        bad(
            "an e-mail address",
            set(&report, "/data/narrative", json!("Ask amina@example.org.")),
            Code::PersonalDataRefused,
            "data.narrative",
        ),
        bad(
            "the id of another command",
            set(&record, "/id", json!(recorded.id.to_string())),
            Code::CommandIdReused,
            "id",
        ),
        bad(
            "another role's command",
            Commander::new(PARTNER, "KEN", 9)
                .command("partner/x", revoke())
                .encode(),
            Code::RoleMissing,
            "type",
        ),
    ];
    all_refused(&system, cases).await;
    let receipts = system
        .ask(
            "nobody",
            Commander::new("nobody", "KEN", 1)
                .record(&["GCM-01"])
                .1
                .encode(),
        )
        .await;
    assert_eq!(
        refusal(&receipts[0]),
        Some((Code::SenderUnknown, Some("source")))
    );
    let receipts = system.ask("no~body", record.encode()).await;
    assert_eq!(refusal(&receipts[0]), Some((Code::WrongPartner, None)));
    // The version that it has is the one expected.
    let receipts = system.ask(PARTNER, expecting("1")).await;
    assert_eq!(receipts[0].status, Status::Accepted, "{receipts:?}");
    goes_on(&system, &mut commander).await;
}

fn revoke() -> ledger_domain::wire::v1::CommandBody {
    let reason = "None.".to_owned();
    ledger_domain::wire::v1::CommandBody::RevokePartner(ledger_domain::wire::v1::RevokePartner {
        reason,
    })
}

pub(crate) fn refusal(receipt: &Receipt) -> Option<(Code, Option<&str>)> {
    let rejection = receipt.rejection.as_ref()?;
    Some((rejection.code, rejection.field.as_deref()))
}
