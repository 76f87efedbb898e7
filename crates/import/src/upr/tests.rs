use super::*;
use ledger_domain::wire::v1::Policy;
use std::collections::BTreeSet;

const LINES: &str = include_str!("../../../../seeds/samples/upr.jsonl");

fn root() -> Root {
    Root {
        partner: "root".parse().unwrap(),
        party: "ledger".parse().unwrap(),
    }
}

fn record(command: &Command) -> Option<&RecordCommitment> {
    if let CommandBody::RecordCommitment(record) = &command.body {
        Some(record)
    } else {
        None
    }
}

fn records(import: &UprImport) -> Vec<&RecordCommitment> {
    import.commands.iter().filter_map(record).collect()
}

#[test]
fn an_accepted_recommendation_becomes_a_commitment_to_each_of_its_themes() {
    let import = import(LINES.lines(), &root());
    assert!(
        import.refused_lines.is_empty(),
        "{:?}",
        import.refused_lines
    );
    assert_eq!(
        (
            import.recommendation_count,
            import.accepted_count,
            import.noted_count
        ),
        (3, 2, 1)
    );
    assert_eq!(import.edits, Edits::default());
    let [record, other] = records(&import)[..] else {
        panic!("two commitments");
    };
    let codes: Vec<_> = record.actions.iter().map(ActionCode::as_str).collect();
    assert_eq!(codes, ["UPR-Labour", "UPR-Migrants"]);
    assert_eq!(record.made.unwrap().to_string(), "2010-05");
    assert_eq!(other.made.unwrap().to_string(), "2014");
    assert_eq!(
        other.description.as_deref(),
        Some(
            "Made up, nobody recommended this: train labour inspectors to recognise forced labour.\n\n\
             Recommended by KEN, PRT."
        )
    );
    let names: Vec<_> = import
        .commands
        .iter()
        .map(|command| command.body.command_type().name())
        .collect();
    assert_eq!(
        names,
        [
            "register_partner",
            "publish_instrument",
            "catalogue_action",
            "catalogue_action",
            "catalogue_action",
            "map_actions",
            "map_actions",
            "record_commitment",
            "record_commitment"
        ]
    );
}

#[test]
fn every_command_is_one_that_the_ledger_reads() {
    for command in import(LINES.lines(), &root()).commands {
        let bytes = command.encode();
        assert_eq!(
            Command::decode(&bytes, &Policy::default()),
            Ok(command),
            "{}",
            bytes.escape_ascii()
        );
    }
}

#[test]
fn a_second_import_makes_the_same_bytes_and_no_id_stands_twice() {
    let (first, second) = (
        import(LINES.lines(), &root()),
        import(LINES.lines(), &root()),
    );
    let bytes =
        |import: &UprImport| -> Vec<_> { import.commands.iter().map(Command::encode).collect() };
    assert_eq!(bytes(&first), bytes(&second));
    let ids: BTreeSet<_> = first.commands.iter().map(|command| command.id).collect();
    assert_eq!(ids.len(), first.commands.len());
}

fn recommendation(subject: &str, issues: &str) -> String {
    format!(
        r#"{{"command":"RecordRecommendation","subject":"{subject}","party":"KEN","effective_at":"2020-01","recommended_by":["NOR"],"issues":["{issues}"],"text":"Made up: {subject}."}}"#
    )
}

fn answer(subject: &str, response: &str) -> String {
    format!(
        r#"{{"command":"RespondToRecommendation","subject":"{subject}","response":"{response}"}}"#
    )
}

fn commit(subject: &str) -> String {
    format!(r#"{{"command":"RecordCommitment","subject":"{subject}"}}"#)
}

/// Commitments, counts (read, accepted, noted, unanswered) and the numbers of the lines refused.
fn imported(lines: &[String]) -> (usize, [u64; 4], Vec<u64>) {
    let import = import(lines.iter().map(String::as_str), &root());
    assert_eq!(import.commitment_count, records(&import).len() as u64);
    let counts = [
        import.recommendation_count,
        import.accepted_count,
        import.noted_count,
        import.unanswered_count,
    ];
    let refused = import.refused_lines.iter().map(|error| error.line);
    (records(&import).len(), counts, refused.collect())
}

#[test]
fn only_what_the_state_accepted_last_is_its_commitment() {
    let n = |subject| recommendation(subject, "Migrants");
    // Noted, and yet said to be a commitment; not answered.
    let noted = [n("N-1"), answer("N-1", "Noted"), commit("N-1")];
    assert_eq!(imported(&noted), (0, [1, 0, 1, 0], vec![3]));
    assert_eq!(
        imported(&[n("N-2"), commit("N-2")]),
        (0, [1, 0, 0, 1], vec![2])
    );
    // In the review's newer words, and in other case.
    for word in ["Supported", "supported", " ACCEPTED "] {
        let lines = [n("N-3"), answer("N-3", word), commit("N-3")];
        assert_eq!(imported(&lines), (1, [1, 1, 0, 0], vec![]), "{word}");
    }
    // The last answer counts, wherever the commitment's line stands.
    let [first, last] = [answer("N-4", "Noted"), answer("N-4", "Accepted")];
    let accepted = [n("N-4"), commit("N-4"), first.clone(), last.clone()];
    assert_eq!(imported(&accepted), (1, [1, 1, 0, 0], vec![]));
    let taken_back = [n("N-4"), last, commit("N-4"), first];
    assert_eq!(imported(&taken_back), (0, [1, 0, 1, 0], vec![3]));
}

#[test]
fn an_answer_in_unknown_words_is_named_and_accepts_nothing() {
    for word in ["Partially accepted", "Accepted in part", "No response", ""] {
        let lines = [
            recommendation("N-1", "Migrants"),
            answer("N-1", "Accepted"),
            answer("N-1", word),
            commit("N-1"),
        ];
        assert_eq!(imported(&lines), (0, [1, 0, 0, 1], vec![3, 4]), "{word}");
    }
}

#[test]
fn a_repeated_line_counts_once_and_a_contradiction_is_named() {
    let n = recommendation("N-5", "Migrants");
    let yes = answer("N-5", "Accepted");
    let twice = [
        n.clone(),
        n.clone(),
        yes.clone(),
        yes,
        commit("N-5"),
        commit("N-5"),
    ];
    assert_eq!(imported(&twice), (1, [1, 1, 0, 0], vec![]));
    let other = n.replace("Made up", "Otherwise");
    let contradiction = [n, other, answer("N-5", "Accepted"), commit("N-5")];
    assert_eq!(imported(&contradiction), (1, [1, 1, 0, 0], vec![2]));
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_record() {
    let with_mark = LINES.replacen('{', "\u{feff}{", 1);
    let marked = import(with_mark.lines(), &root());
    assert!(
        marked.refused_lines.is_empty(),
        "{:?}",
        marked.refused_lines
    );
    assert_eq!(marked.commands, import(LINES.lines(), &root()).commands);
}

#[test]
fn a_number_that_the_joined_lines_hold_is_masked_and_the_commitment_is_kept() {
    for number in ["+254 712", "0712"] {
        for end in ["\\u2028", "\\n", "\\r\\n", "\\t"] {
            let n = recommendation("N-7", "Migrants")
                .replace("Made up: N-7", &format!("call {number}{end}345 678"));
            let lines = [n, answer("N-7", "Accepted"), commit("N-7")];
            let import = import(lines.iter().map(String::as_str), &root());
            assert_eq!(import.commitment_count, 1);
            assert_eq!(import.edits.phone_count, 1);
            assert_eq!(records(&import)[0].title, "call [phone number masked].");
            for command in &import.commands {
                let decoded = Command::decode(&command.encode(), &Policy::default());
                assert_eq!(decoded.as_ref(), Ok(command));
            }
        }
    }
}

#[test]
fn a_theme_has_one_code_and_title_in_every_file() {
    let file = |theme| {
        let lines = [
            recommendation("N-7", theme),
            answer("N-7", "Accepted"),
            commit("N-7"),
        ];
        import(lines.iter().map(String::as_str), &root()).commands
    };
    for (one, other) in [
        ("Migrants", "migrants"),
        ("Re-entry", "Reentry"),
        ("Reentry", "RE ENTRY"),
        ("S.E.A. rescue", "Sea rescue"),
        ("Searescue", "Sea-Rescue"),
    ] {
        assert_eq!(file(one), file(other), "{one} {other}");
    }
    let foreign = [
        recommendation("N-8", "Réfugiés"),
        answer("N-8", "Accepted"),
        commit("N-8"),
    ];
    assert_eq!(imported(&foreign), (0, [1, 1, 0, 0], vec![3]));
}

#[test]
fn a_state_is_known_by_its_code_in_any_case_and_nobody_else_is() {
    for (party, lead) in [
        ("ken", Some("KEN")),
        ("KE", Some("KEN")),
        ("ZZZ", None),
        ("PSE", None),
    ] {
        let lines = [
            recommendation("N-9", "Migrants").replace("KEN", party),
            answer("N-9", "Accepted"),
            commit("N-9"),
        ];
        let import = import(lines.iter().map(String::as_str), &root());
        let leads = import
            .commands
            .iter()
            .filter(|command| record(command).is_some());
        let leads: Vec<_> = leads.map(|command| command.party.as_str()).collect();
        assert_eq!(leads, Vec::from_iter(lead), "{party}");
        assert_eq!(import.refused_lines.len(), usize::from(lead.is_none()));
    }
}

#[test]
fn a_line_that_cannot_be_used_is_named_and_stops_nothing() {
    let lines = [
        "not json",
        r#"{"command":"RecordCommitment","subject":"UPR1-DZA-0001"}"#,
        r#"{"command":"Other"}"#,
    ];
    let bad = import(lines.into_iter().chain(LINES.lines()), &root());
    let numbers: Vec<_> = bad.refused_lines.iter().map(|error| error.line).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(matches!(bad.refused_lines[1].fault, LineFault::Unknown(_)));
    assert_eq!(bad.accepted_count, 2);
}

#[test]
fn the_real_file_gives_2654_commitments_and_skips_878() {
    let data = std::env::var_os("LEDGER_TEST_DATA").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        std::path::PathBuf::from,
    );
    let file = data.join("upr/upr_migration_commands.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("skipped: there is no {}", file.display());
        return;
    };
    let import = import(text.lines(), &root());
    assert!(
        import.refused_lines.is_empty(),
        "{:?}",
        import.refused_lines
    );
    assert_eq!(import.recommendation_count, 3532);
    assert_eq!((import.accepted_count, import.noted_count), (2654, 878));
    assert_eq!(records(&import).len(), 2654);
    assert_eq!(import.edits, Edits::default());
    for command in &import.commands {
        let decoded = Command::decode(&command.encode(), &Policy::default());
        assert_eq!(decoded.as_ref(), Ok(command));
    }
}
