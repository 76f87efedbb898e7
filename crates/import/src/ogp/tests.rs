use super::*;
use ledger_domain::wire::v1::Policy;

const SAMPLE: &str = include_str!("../../../../seeds/samples/ogp.jsonl");

fn root() -> Root {
    Root {
        partner: "root".parse().unwrap(),
        party: "ledger".parse().unwrap(),
    }
}

fn sample() -> OgpImport {
    let import = import(SAMPLE.lines(), &root());
    assert!(
        import.refused_lines.is_empty(),
        "{:?}",
        import.refused_lines
    );
    import
}

fn bodies<'a, T>(
    import: &'a OgpImport,
    of: impl Fn(&'a CommandBody) -> Option<&'a T>,
) -> Vec<&'a T> {
    let body = |command: &'a Command| of(&command.body);
    import.commands.iter().filter_map(body).collect()
}

fn records(import: &OgpImport) -> Vec<&RecordCommitment> {
    bodies(import, |body| {
        if let CommandBody::RecordCommitment(record) = body {
            Some(record)
        } else {
            None
        }
    })
}

fn assessments(import: &OgpImport) -> Vec<&AssessProgress> {
    bodies(import, |body| {
        if let CommandBody::AssessProgress(assessment) = body {
            Some(assessment)
        } else {
            None
        }
    })
}

#[test]
fn the_sample_becomes_commitments_assessments_and_a_withdrawal_in_its_order() {
    let import = sample();
    let counts = (
        import.commitment_count,
        import.ambition_count,
        import.progress_count,
        import.withdrawal_count,
    );
    assert_eq!(counts, (3, 2, 3, 1));
    let names: Vec<_> = import
        .commands
        .iter()
        .map(|command| (command.body.command_type().name(), command.partner.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("register_partner", "root"),
            ("publish_instrument", "import-ogp"),
            ("catalogue_action", "import-ogp"),
            ("register_partner", "root"),
            ("register_party", "import-ogp"),
            ("catalogue_action", "import-ogp"),
            ("record_commitment", "import-ogp"),
            ("assess_ambition", "OGP-IRM"),
            ("assess_progress", "OGP-IRM"),
            ("assess_progress", "OGP-IRM"),
            ("catalogue_action", "import-ogp"),
            ("record_commitment", "import-ogp"),
            ("withdraw_commitment", "import-ogp"),
            ("register_partner", "root"),
            ("register_party", "import-ogp"),
            ("record_commitment", "import-ogp-GBSC"),
            ("assess_ambition", "OGP-IRM"),
            ("assess_progress", "OGP-IRM"),
        ]
    );
}

#[test]
fn the_agency_is_data_and_the_lead_is_the_party() {
    let import = sample();
    let description = records(&import)[2].description.as_deref().unwrap();
    assert_eq!(
        description,
        "Made up, nobody promised this. The budget comes with a leaflet of four pages. Email and Phone: [email removed], \
         [phone number masked].\n\nLead agency: Treasury office\nSupporting: Two reading groups; A college\n\
         Level: Legacy Local\nAction plan: AP_GBSC02, submitted in 2021"
    );
    let leads: Vec<_> = import
        .commands
        .iter()
        .filter(|command| matches!(command.body, CommandBody::RecordCommitment(_)))
        .map(|command| command.party.as_str())
        .collect();
    assert_eq!(leads, ["GHA", "SVK", "GBSC"]);
    let codes: Vec<_> = records(&import)
        .iter()
        .map(|record| record.actions[0].as_str())
        .collect();
    assert_eq!(
        codes,
        [
            "OGP-OpenParliament.1",
            "OGP-OpenParliament.2",
            "OGP-OpenParliament.2"
        ]
    );
}

#[test]
fn grades_stay_in_the_words_of_the_mechanism() {
    let import = sample();
    let grades: Vec<_> = assessments(&import)
        .iter()
        .map(|assessment| {
            (
                assessment.method_version.as_str(),
                assessment.grade.as_str(),
                assessment.completion,
            )
        })
        .collect();
    assert_eq!(
        grades,
        [
            ("before-2020", "Limited", Some(Completion::Limited)),
            ("before-2020", "Substantial", Some(Completion::Substantial)),
            ("2020", "Unclear", None),
        ]
    );
    assert_eq!(
        assessments(&import)[1].summary.as_deref(),
        Some(
            "From the end-of-term report of 2016. Did it open government: Marginal. Early results: ND."
        )
    );
    for grade in ["ND", "NA", "NR", "Unclear", "complete", "Withdrawn", ""] {
        assert_eq!(completion(grade), None, "{grade}");
    }
    let ambition = bodies(&import, |body| {
        if let CommandBody::AssessAmbition(assessment) = body {
            Some(assessment)
        } else {
            None
        }
    });
    let words: Vec<_> = ambition[0]
        .grades
        .iter()
        .map(|grade| grade.grade.as_str())
        .collect();
    assert_eq!(words, ["Medium", "Yes", "Moderate", "ND"]);
}

#[test]
fn the_withdrawal_is_the_leads_and_says_that_no_reason_is_given() {
    let import = sample();
    let command = import
        .commands
        .iter()
        .find(|command| matches!(command.body, CommandBody::WithdrawCommitment(_)))
        .unwrap();
    assert_eq!(command.party.as_str(), "SVK");
    let CommandBody::WithdrawCommitment(withdrawal) = &command.body else {
        panic!("a withdrawal");
    };
    assert!(withdrawal.reason.starts_with("The source gives no reason"));
    assert_eq!(withdrawal.effective.unwrap().to_string(), "2015");
}

#[test]
fn a_date_that_is_none_is_noted_and_kept_as_text() {
    let import = sample();
    let [note] = &import.date_notes[..] else {
        panic!("one note: {:?}", import.date_notes);
    };
    assert_eq!(
        (note.line, note.which, note.fault),
        (5, "end", DateFault::NoDate)
    );
    let record = records(&import)[1];
    assert_eq!((record.made, record.due), (None, None));
    let description = record.description.as_deref().unwrap();
    assert!(description.ends_with("\nDates in the source: start NA, end 31/12/2015"));
}

#[test]
fn phone_numbers_are_masked_and_counted() {
    let import = sample();
    assert_eq!(
        (import.edits.masked_text_count, import.edits.phone_count),
        (2, 2)
    );
}

#[test]
fn every_command_is_one_that_the_ledger_reads_and_none_stands_twice() {
    let import = sample();
    let mut ids = BTreeSet::new();
    for command in &import.commands {
        let bytes = command.encode();
        let decoded = Command::decode(&bytes, &Policy::default());
        assert_eq!(decoded.as_ref(), Ok(command), "{}", bytes.escape_ascii());
        assert!(ids.insert(command.id), "{}", bytes.escape_ascii());
    }
    let again: Vec<_> = sample().commands.iter().map(Command::encode).collect();
    let bytes: Vec<_> = import.commands.iter().map(Command::encode).collect();
    assert_eq!(again, bytes);
}

#[test]
fn a_line_that_cannot_be_used_is_named_and_stops_nothing() {
    let lines = [
        "not json",
        r#"{"command":"AssessProgress","subject":"US1","recorded_at":"2014","report":"midterm","completion":"NR"}"#,
        r#"{"command":"Other"}"#,
    ];
    let bad = import(lines.into_iter().chain(SAMPLE.lines()), &root());
    let numbers: Vec<_> = bad.refused_lines.iter().map(|error| error.line).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(matches!(bad.refused_lines[1].fault, LineFault::Unknown(_)));
    assert_eq!(bad.commitment_count, 3);
}

#[test]
fn the_real_file_gives_558_commitments_and_1040_assessments() {
    let data = std::env::var_os("LEDGER_TEST_DATA").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        std::path::PathBuf::from,
    );
    let file = data.join("ogp/ogp_commands.jsonl");
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
    let counts = (
        import.commitment_count,
        import.ambition_count,
        import.progress_count,
        import.withdrawal_count,
    );
    assert_eq!(counts, (558, 490, 550, 1));
    assert_eq!(import.edits.cut_text_count, 0);
    assert!(import.edits.email_count >= 1, "{}", import.edits);
    assert_eq!(import.edits.passport_count, 0, "{}", import.edits);
    assert!(import.edits.phone_count >= 15, "{}", import.edits);
    assert!(import.date_notes.len() >= 40, "{}", import.date_notes.len());
    for command in &import.commands {
        let decoded = Command::decode(&command.encode(), &Policy::default());
        assert_eq!(decoded.as_ref(), Ok(command));
    }
    let graded_otherwise = assessments(&import)
        .iter()
        .filter(|assessment| assessment.completion.is_none())
        .map(|assessment| assessment.grade.as_str())
        .collect::<Vec<_>>();
    assert_eq!(graded_otherwise, ["Unclear", "Unclear"]);
}

fn commitment(subject: &str, party: &str, plan: &str) -> String {
    format!(
        r#"{{"command":"RecordCommitment","subject":"{subject}","party":"{party}","recorded_at":"2018","effective_at":"2018-07","due":"2020-12-31","raw_dates":["July 2018","12/31/2020"],"title":"Made up: a title","lead":"An office","supporting":[],"level":"National","plan":"{plan}","text":"Made up, nobody promised this."}}"#
    )
}

fn imported(lines: &[String]) -> OgpImport {
    import(lines.iter().map(String::as_str), &root())
}

#[test]
fn a_members_code_is_mapped_or_refused_and_never_registered_by_mistake() {
    let local = |line: String| line.replace("National", "Local");
    let mut lines: Vec<String> = ["GH", "gha", "ZZZ", "GHA", "Ghana", "PSE", "KEZZ", "KENY"]
        .into_iter()
        .zip(1..)
        .map(|(code, number)| commitment(&format!("K-{number}"), code, "AP_GHA02"))
        .collect();
    lines.push(local(commitment("K-9", "KEZZ", "AP_GHA02")));
    let import = imported(&lines);
    let refused: Vec<_> = import
        .refused_lines
        .iter()
        .map(|error| error.line)
        .collect();
    assert_eq!(refused, [3, 5, 7, 8]);
    assert!(
        import
            .refused_lines
            .iter()
            .all(|error| matches!(error.fault, LineFault::Member { .. }))
    );
    let leads: Vec<_> = import
        .commands
        .iter()
        .filter(|command| matches!(command.body, CommandBody::RecordCommitment(_)))
        .map(|command| command.party.as_str())
        .collect();
    assert_eq!(leads, ["GHA", "GHA", "GHA", "PSE", "KEZZ"]);
    let said: Vec<_> = import.registered.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["party KEZZ is registered: Member KEZZ of the Open Government Partnership (KEN)"]
    );
}

#[test]
fn a_plan_that_is_named_by_years_has_no_action_of_its_own() {
    let import = imported(&[commitment("K-4", "GHA", "Action plan 2021-2023")]);
    assert_eq!(
        records(&import)[0].actions[0].as_str(),
        "OGP-OpenParliament"
    );
}

#[test]
fn a_repeated_line_counts_once_and_a_contradiction_is_named() {
    let assessment = |grade: &str| {
        format!(
            r#"{{"command":"AssessProgress","subject":"K-1","recorded_at":"2019","effective_at":"2019","report":"midterm","completion":"{grade}"}}"#
        )
    };
    let first = commitment("K-1", "GHA", "AP_GHA02");
    let import = imported(&[
        first.clone(),
        first.clone(),
        assessment("Limited"),
        assessment("Limited"),
        assessment("Complete"),
        first.replace("a title", "another title"),
    ]);
    assert_eq!((import.commitment_count, import.progress_count), (1, 1));
    let refused: Vec<_> = import
        .refused_lines
        .iter()
        .map(|error| error.line)
        .collect();
    assert_eq!(refused, [5, 6]);
    assert!(matches!(
        import.refused_lines[0].fault,
        LineFault::Contradiction { first: 3, .. }
    ));
}

#[test]
fn signs_that_the_ledger_refuses_are_cleaned_from_every_text() {
    let line = commitment("K-5", "GHA", "AP_GHA02")
        .replace("a title", "first\u{2028}second \u{202b}third\u{202c}")
        .replace(
            "An office",
            "An\\u0000 office\u{2029}of\u{85}two\u{2066}x\u{2069}",
        )
        .replace("National", "Nat\u{200e}ional\u{2028}");
    let assessment = r#"{"command":"AssessProgress","subject":"K-5","recorded_at":"2019","effective_at":"2019","report":"midterm","completion":"Lim\u2028ited"}"#;
    let import = imported(&[line, assessment.to_owned()]);
    assert!(
        import.refused_lines.is_empty(),
        "{:?}",
        import.refused_lines
    );
    for command in &import.commands {
        let decoded = Command::decode(&command.encode(), &Policy::default());
        assert_eq!(decoded.as_ref(), Ok(command));
    }
    assert_eq!(records(&import)[0].title, "Made up: first second third");
}

#[test]
fn a_number_that_the_joined_lines_hold_is_masked_and_the_commitment_is_kept() {
    for (end, number) in [("\\u2028", 1), ("\\n", 2), ("\\r\\n", 3), ("\\t", 4)] {
        for text in [
            format!("call +254 712{end}345 678"),
            format!("ring 0712{end}345 678"),
        ] {
            let line = commitment(&format!("K-{number}"), "GHA", "AP_GHA02")
                .replace("Made up: a title", &text)
                .replace("An office", &text);
            let import = imported(&[line]);
            assert_eq!(import.commitment_count, 1);
            assert!(import.edits.phone_count > 0);
            for command in &import.commands {
                let decoded = Command::decode(&command.encode(), &Policy::default());
                assert_eq!(decoded.as_ref(), Ok(command), "{text}");
            }
        }
    }
}

#[test]
fn a_country_that_is_no_member_is_the_same_by_either_code() {
    let registered = |code| {
        let import = imported(&[commitment("K-1", code, "AP_GHA02")]);
        let registered = import.commands.into_iter().filter(|command| {
            matches!(
                command.body,
                CommandBody::RegisterParty(_) | CommandBody::RegisterPartner(_)
            )
        });
        registered.collect::<Vec<_>>()
    };
    assert_eq!(registered("TWN"), registered("TW"));
    assert!(registered("TWN").len() > registered("GHA").len());
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_record() {
    for mark in ["\u{feff}", "\u{feff}\u{feff}", "\u{feff}\n \u{feff} "] {
        let with_mark = SAMPLE.replacen('{', &format!("{mark}{{"), 1);
        let marked = import(with_mark.lines(), &root());
        assert!(
            marked.refused_lines.is_empty(),
            "{:?}",
            marked.refused_lines
        );
        assert_eq!(marked.commands, sample().commands);
    }
}
