//! Properties of all commands, all events and all bytes.

use std::collections::BTreeSet;

use ledger_domain::ids::{CommandId, CommitmentId, EventId, Position, Subject, Version};
use ledger_domain::wire::v1::{
    AmendCommitment, Amount, Command, CommandBody, CommandType, Event, EventBody, EventHeader,
    EventType, Evidence, Indicator, Measure, MeasureChange, Nature, Nonce, Participant,
    ParticipantRole, Period, Policy, RecordCommitment, ReportProgress, Sha256, Source, Stage,
    WithdrawCommitment, split_batch,
};
use ledger_domain::{PartialDate, RULES_VERSION};
use proptest::option::of;
use proptest::prelude::*;
use uuid::Uuid;

use crate::support::{World, commitment, given, id, now};

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Zéß漢\"\\\\/ ]{1,40}".prop_map(|text| format!("x{text}"))
}

fn date() -> impl Strategy<Value = PartialDate> {
    prop_oneof![
        (2018_u32..2028).prop_map(|year| id(&format!("{year}"))),
        (2018_u32..2028, 1_u32..13).prop_map(|(year, month)| id(&format!("{year}-{month:02}"))),
        (2018_u32..2028, 1_u32..13, 1_u32..29)
            .prop_map(|(year, month, day)| id(&format!("{year}-{month:02}-{day:02}"))),
    ]
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![
        (-1_000_000_i32..1_000_000).prop_map(f64::from),
        -1.0e9..1.0e9_f64,
        Just(9_007_199_254_740_992.0),
        Just(-0.0),
    ]
    .prop_filter_map("in range", Amount::new)
}

/// Some of a few words, each once, in some order.
fn some_of<T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug + Clone + 'static>(
    words: &'static [&'static str],
    least: usize,
) -> impl Strategy<Value = Vec<T>> {
    proptest::sample::subsequence(words, least..=words.len())
        .prop_shuffle()
        .prop_map(|words| words.into_iter().map(id).collect())
}

fn participants() -> impl Strategy<Value = Vec<Participant>> {
    some_of(&["KEN", "UGA", "NGO", "OLD", "NEW"], 0).prop_map(|parties| {
        let roles = ParticipantRole::ALL.iter().cycle();
        parties
            .into_iter()
            .zip(roles)
            .map(|(party, role)| Participant { party, role: *role })
            .take(2)
            .collect()
    })
}

prop_compose! {
    fn record_commitment()(
        texts in (words(), of(words())),
        actions in some_of(&["GCM-05", "GCM-05a", "GCM-10", "OTH-1", "GCM-99"], 1),
        matches in of((0_u128..6).prop_map(commitment)),
        participants in participants(),
        countries in some_of(&["KEN", "TZA", "UGA"], 0),
        principles in some_of(&["GP-1"], 0),
        measure in of((words(), of(words()), of(amount()), of(amount()))),
        dates in (of(date()), of(date())),
        nature in of(proptest::sample::select(Nature::ALL)),
        source in of((words(), words())),
        illustrative in any::<bool>(),
    ) -> RecordCommitment {
        RecordCommitment { language: None,
            title: texts.0,
            description: texts.1,
            actions,
            form: None,
            nature,
            matches,
            participants,
            countries,
            principles,
            measure: measure.map(|(indicator, unit, baseline, target)| {
                // Money is not less than none.
                let sane = |amount: &Amount| {
                    nature != Some(Nature::Financial) || amount.get() >= 0.0
                };
                Measure {
                    indicator,
                    unit,
                    baseline: baseline.filter(sane),
                    target: target.filter(sane),
                }
            }),
            made: dates.0,
            due: dates.1,
            source: source.map(|(system, reference)| Source { system, reference, url: None }),
            illustrative,
milestones: Vec::new(),
}
    }
}

prop_compose! {
    fn report_progress()(
        from in date(),
        to in date(),
        stage in proptest::sample::select(Stage::ALL),
        indicators in proptest::collection::vec((words(), amount(), of(words())), 0..3),
        narrative in of(words()),
        evidence in proptest::collection::btree_set(any::<[u8; 32]>(), 0..3),
        reason in of(words()),
    ) -> ReportProgress {
        ReportProgress { language: None,
            period: Period { from, to },
            stage,
            indicators: indicators
                .into_iter()
                .enumerate()
                .map(|(index, (name, value, unit))| Indicator {
                    name: format!("{index} {name}"), value, unit,
                })
                .collect(),
            narrative,
            evidence: evidence
                .into_iter()
                .map(|digest| Evidence {
                    sha256: Some(Sha256(digest)),
                    url: Some("https://example.org/report".into()),
                    title: None,
                })
                .collect(),
            no_evidence_reason: reason,
        }
    }
}

prop_compose! {
    fn amend_commitment()(
        title in of(words()),
        due in of(date()),
        measure in of((of(words()), of(amount()), of(amount()))),
        actions in of(some_of(&["GCM-05", "GCM-10", "OTH-1", "GCM-99"], 1)),
        countries in of(some_of(&["KEN", "TZA"], 1)),
        reason in words(),
    ) -> AmendCommitment {
        AmendCommitment { language: None,
            title,
            description: None,
            due,
            measure: measure.map(|(indicator, baseline, target)| MeasureChange {
                indicator, unit: None, baseline, target,
            }),
            actions,
            countries,
            nature: None,
            made: None,
            form: None,
            reason,
effective: None,
milestones: None,
participants: None,
}
    }
}

fn body() -> impl Strategy<Value = CommandBody> {
    prop_oneof![
            4 => record_commitment().prop_map(CommandBody::RecordCommitment),
            4 => report_progress().prop_map(CommandBody::ReportProgress),
            2 => amend_commitment().prop_map(CommandBody::AmendCommitment),
            1 => words().prop_map(|reason| {
                CommandBody::WithdrawCommitment(WithdrawCommitment { reason,
    effective: None,
    })
            }),
        ]
}

prop_compose! {
    /// A command of good form about one of six commitments; the rules may refuse it.
    fn any_command()(
        ids in (any::<u128>(), 0_u128..6),
        partner in proptest::sample::select(&["gov", "gov", "gov", "ngo", "sec"][..]),
        party in proptest::sample::select(&["KEN", "KEN", "UGA", "NBO", "NGO", "UNNM"][..]),
        version in of(0_u32..4),
        nonce in of(any::<[u8; 16]>()),
        body in body(),
    ) -> Command {
        Command {
            id: CommandId(Uuid::from_u128(ids.0)),
            partner: id(partner),
            subject: Subject::Commitment(commitment(ids.1)),
            time: now(),
            party: id(party),
            expected_version: version.map(Version),
            nonce: nonce.map(Nonce),
            body,
        }
    }
}

fn header() -> impl Strategy<Value = EventHeader> {
    let subjects = prop_oneof![
        any::<u128>().prop_map(|bits| Subject::Commitment(CommitmentId(Uuid::from_u128(bits)))),
        proptest::sample::select(
            &[
                "instrument/SDG-10.7",
                "party/KEN",
                "partner/a_b-c",
                "review/2026",
                "ledger"
            ][..]
        )
        .prop_map(id),
    ];
    let caused = of((any::<u128>(), any::<[u8; 32]>(), any::<u32>()));
    let micros = 0_i64..250_000_000_000_000_000;
    (
        (any::<u128>(), subjects, micros, any::<u64>(), any::<u32>()),
        (caused, of(date()), any::<[u8; 32]>(), of(any::<[u8; 32]>())),
        proptest::sample::select(EventType::ALL),
    )
        .prop_map(
            |((bits, subject, micros, position, version), rest, event_type)| {
                let (caused, effective, data_digest, outline_digest) = rest;
                EventHeader {
                    id: EventId(Uuid::from_u128(bits)),
                    ledger: id("test"),
                    event_type,
                    subject,
                    time: chrono::DateTime::from_timestamp_micros(micros).expect("a time"),
                    position: Position(position),
                    stream_version: Version(version),
                    partner: id("gov"),
                    party: id("KEN"),
                    causation_id: caused.map(|(bits, _, _)| CommandId(Uuid::from_u128(bits))),
                    submission: caused.map(|(_, digest, _)| digest),
                    submission_index: caused.map(|(_, _, index)| index),
                    effective,
                    rules_version: RULES_VERSION,
                    data_digest,
                    outline_digest,
                }
            },
        )
}

/// Changes some bytes: replaces, removes, doubles, or cuts off.
fn mutate(bytes: &mut Vec<u8>, changes: &[(u8, usize, u8)]) {
    for (kind, at, byte) in changes {
        if bytes.is_empty() {
            return;
        }
        let at = at % bytes.len();
        match kind % 5 {
            0 => bytes[at] = *byte,
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, *byte),
            3 => bytes.insert(at, b"{}[]\",:0e-\\"[usize::from(*byte) % 11]),
            _ => bytes.truncate(at),
        }
    }
}

/// Every event read again from the bytes that a log would keep.
fn through_bytes(event: &Event) -> Event {
    let header = event.header.encode();
    let data = event.body.encode();
    let header = EventHeader::decode(&header).expect("a header");
    let body = EventBody::decode(header.event_type, &data).expect("data");
    Event { header, body }
}

proptest! {
    #[test]
    fn a_command_reads_back_as_it_was_written(command in any_command()) {
        let bytes = command.encode();
        let read = Command::decode(&bytes, &Policy::default()).expect("good form");
        prop_assert_eq!(&read, &command);
        prop_assert_eq!(read.encode(), bytes);
    }

    #[test]
    fn a_header_reads_back_to_the_same_bytes(header in header()) {
        let bytes = header.encode();
        prop_assert!(bytes.len() <= 4096);
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
        let read = EventHeader::decode(&bytes).expect("a header");
        prop_assert_eq!(read.encode(), bytes);
        prop_assert_eq!(read, header);
    }

    #[test]
    fn a_changed_header_is_refused_or_reads_back_to_its_own_bytes(
        header in header(),
        changes in proptest::collection::vec(any::<(u8, usize, u8)>(), 1..4),
    ) {
        let mut bytes = header.encode();
        mutate(&mut bytes, &changes);
        if let Ok(read) = EventHeader::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }

    #[test]
    fn any_bytes_get_a_code(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let policy = Policy::default();
        let refusal = Command::decode(&bytes, &policy).expect_err("noise");
        prop_assert!(!refusal.rejection.message.is_empty());
        prop_assert!(EventHeader::decode(&bytes).is_err());
        prop_assert!(split_batch(&bytes, &policy).map_or_else(|_| true, |cut| !cut.is_empty()));
    }

    #[test]
    fn any_json_like_text_gets_a_code(text in "[{}\\[\\]\",:0-9a-e.\\\\ -]{0,60}") {
        let policy = Policy::default();
        prop_assert!(Command::decode(text.as_bytes(), &policy).is_err());
        let cut = split_batch(text.as_bytes(), &policy);
        prop_assert!(cut.map_or_else(|_| true, |cut| !cut.is_empty()));
    }

    #[test]
    fn a_changed_command_is_read_or_refused_with_a_fault_that_was_found(
        command in any_command(),
        changes in proptest::collection::vec(any::<(u8, usize, u8)>(), 1..4),
    ) {
        let mut bytes = command.encode();
        mutate(&mut bytes, &changes);
        if let Err(refusal) = Command::decode(&bytes, &Policy::default()) {
            let rejection = refusal.rejection;
            prop_assert!(!rejection.message.contains("unusual escapes"), "{}", rejection);
        }
    }

    #[test]
    fn a_command_with_a_value_of_another_type_is_refused_at_that_value(
        command in any_command(),
        choice in any::<proptest::sample::Index>(),
        other in proptest::sample::select(&["null", "7", "true", "[]", "{}", "[[{}]]", "\"\""][..]),
    ) {
        let value: serde_json::Value = serde_json::from_slice(&command.encode()).expect("JSON");
        let mut paths = Vec::new();
        leaves(&value, String::new(), &mut paths);
        let path = choice.get(&paths);
        let mut changed = value.clone();
        *changed.pointer_mut(path).expect("a leaf") = serde_json::from_str(other).expect("JSON");
        let bytes = serde_json::to_vec(&changed).expect("JSON");
        match Command::decode(&bytes, &Policy::default()) {
            Ok(read) => prop_assert!(read != command || changed == value),
            Err(refusal) => {
                let field = refusal.rejection.field.clone().expect("a field");
                let dotted = path[1..].replace('/', ".");
                let plain = field.replace('[', ".").replace(']', "");
                prop_assert!(
                    dotted.starts_with(&plain) || plain.starts_with(&dotted),
                    "{}: {}", dotted, refusal.rejection
                );
            }
        }
    }

    #[test]
    fn a_batch_gives_back_the_bytes_of_each_command(
        commands in proptest::collection::vec(any_command(), 1..5),
        space in "[ \n\t]{0,3}",
    ) {
        let encoded: Vec<Vec<u8>> = commands.iter().map(Command::encode).collect();
        let mut message = format!("{space}[").into_bytes();
        message.extend(encoded.join(format!("{space},{space}").as_bytes()));
        message.extend(format!("{space}]{space}").bytes());
        let policy = Policy::default();
        let cut = split_batch(&message, &policy).expect("a batch");
        prop_assert_eq!(cut, encoded.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}

fn leaves(value: &serde_json::Value, path: String, paths: &mut Vec<String>) {
    if let Some(object) = value.as_object() {
        for (key, value) in object {
            leaves(value, format!("{path}/{key}"), paths);
        }
    } else if let Some(array) = value.as_array() {
        for (index, value) in array.iter().enumerate() {
            leaves(value, format!("{path}/{index}"), paths);
        }
    } else {
        paths.push(path);
    }
}

/// Takes all commands, and checks after each that a refusal changed nothing.
fn take_all(world: &mut World, commands: &[Command]) {
    for command in commands {
        let before = world.clone();
        if world.take(command).is_err() {
            assert_eq!(world.reference, before.reference);
            assert_eq!(world.commitments, before.commitments);
            assert_eq!(world.events, before.events);
        }
    }
}

proptest! {
    #[test]
    fn folding_the_recorded_bytes_gives_the_state_that_decided(
        commands in proptest::collection::vec(any_command(), 1..40),
    ) {
        let mut world = given();
        take_all(&mut world, &commands);
        let mut replayed = World::default();
        for event in &world.events {
            let read = through_bytes(event);
            prop_assert_eq!(&read, event);
            replayed.fold(read);
        }
        prop_assert_eq!(replayed.reference, world.reference);
        prop_assert_eq!(replayed.commitments, world.commitments);
    }

    #[test]
    fn a_decision_depends_on_nothing_but_its_arguments(
        commands in proptest::collection::vec(any_command(), 1..20),
    ) {
        let mut world = given();
        for command in &commands {
            prop_assert_eq!(world.decide(command), world.clone().decide(command));
            world.take(command).unwrap_or_default();
        }
    }

    #[test]
    fn streams_and_counts_hold_together(
        commands in proptest::collection::vec(any_command(), 1..40),
    ) {
        let mut world = given();
        take_all(&mut world, &commands);
        let mut versions = std::collections::HashMap::new();
        let mut recorded = BTreeSet::new();
        let mut reports = BTreeSet::new();
        for (index, event) in world.events.iter().enumerate() {
            prop_assert_eq!(event.header.position, Position(index as u64));
            let version = versions.entry(&event.header.subject).or_insert(0);
            *version += 1;
            prop_assert_eq!(event.header.stream_version, Version(*version));
            let subject = &event.header.subject;
            let party = &event.header.party;
            if let EventBody::CommitmentRecorded(data) = &event.body {
                prop_assert!(recorded.insert(subject.clone()), "recorded once");
                prop_assert_eq!(&data.lead, party);
                prop_assert!(!data.participants.iter().any(|part| part.party == *party));
            }
            if let EventBody::ProgressReported(data) = &event.body {
                let period = (data.period.from, data.period.to);
                prop_assert!(reports.insert((subject.clone(), party.clone(), period)));
            }
            if let EventBody::ReportCorrected(data) = &event.body {
                let replaced = &world.events[usize::try_from(data.corrects.0).expect("small")];
                prop_assert!(data.corrects < event.header.position);
                prop_assert_eq!(&replaced.header.subject, subject);
                prop_assert_eq!(&replaced.header.party, party);
                prop_assert_eq!(period(&replaced.body), Some(data.report.period));
            }
        }
        prop_assert_eq!(recorded.len(), world.commitments.len());
    }

    #[test]
    fn no_report_is_corrected_twice(
        commands in proptest::collection::vec(any_command(), 1..60),
    ) {
        let mut world = given();
        take_all(&mut world, &commands);
        let mut corrected = BTreeSet::new();
        for event in &world.events {
            if let EventBody::ReportCorrected(data) = &event.body {
                prop_assert!(corrected.insert(data.corrects), "a linear chain");
            }
        }
    }
}

fn period(body: &EventBody) -> Option<Period> {
    if let EventBody::ProgressReported(report) = body {
        return Some(report.period);
    }
    if let EventBody::ReportCorrected(corrected) = body {
        return Some(corrected.report.period);
    }
    None
}

#[test]
fn hostile_nesting_and_repetition_are_refused_in_time() {
    let policy = Policy::default();
    let size = policy.max_command_bytes;
    let texts = [
        "[".repeat(size),
        "{\"a\":".repeat(size / 5),
        format!("{{\"id\":{}", "[".repeat(size - 6)),
        format!("{{{}}}", vec!["\"a\":1"; size / 6 - 1].join(",")),
        format!(
            "{{{}}}",
            (0..size / 12)
                .map(|number| format!("\"{number}\":1"))
                .collect::<Vec<_>>()
                .join(",")
        ),
        format!("\"{}\"", "\\u0061".repeat(size / 6 - 1)),
        "9".repeat(size),
        format!("{{\"data\":{}1{}}}", "[".repeat(50), "]".repeat(50)),
    ];
    for text in texts {
        assert!(text.len() <= size);
        let refusal = Command::decode(text.as_bytes(), &policy).expect_err("hostile");
        assert!(
            refusal
                .rejection
                .field
                .is_none_or(|field| field.len() < 4096)
        );
    }
    let over = vec![b' '; size + 1];
    let refusal = Command::decode(&over, &policy).expect_err("too large");
    assert_eq!(refusal.rejection.code.as_str(), "command_too_large");
}

#[test]
fn every_command_and_event_has_a_name_that_leads_back_to_it() {
    for command in CommandType::ALL {
        assert_eq!(CommandType::from_name(command.name()), Some(*command));
    }
    for event in EventType::ALL {
        assert_eq!(EventType::from_name(event.name()), Some(*event));
        assert_eq!(event.wire_type(), format!("ledger.{}.v1", event.name()));
    }
}
