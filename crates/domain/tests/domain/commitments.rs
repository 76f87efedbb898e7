//! The rules of commitments and reports.

use ledger_domain::RejectionCode as Code;
use ledger_domain::ids::Position;
use ledger_domain::wire::v1::{
    ActedBy, AmendCommitment, Amount, Before, Command, CommandBody, CommitmentAmended,
    CommitmentWithdrawn, EventBody, Evidence, Form, Measure, MeasureChange, Participant,
    ParticipantRole, ProgressReported, RecordCommitment, ReportCorrected, ReportProgress,
    RevokePartner, Sha256, Source,
};

use crate::support::{
    World, amending, amendment, command, commitment, expecting, given, id, record, recorded,
    recording, report, reporting, withdrawing,
};

pub(crate) fn partner(party: &str) -> Participant {
    Participant {
        party: id(party),
        role: ParticipantRole::Partner,
    }
}

pub(crate) fn amount(number: f64) -> Option<Amount> {
    Amount::new(number)
}

pub(crate) fn measured(baseline: Option<f64>, target: Option<f64>) -> RecordCommitment {
    RecordCommitment {
        measure: Some(Measure {
            indicator: "visas".into(),
            unit: None,
            baseline: baseline.and_then(amount),
            target: target.and_then(amount),
        }),
        ..record()
    }
}

/// The ledger of `given()` with KEN's commitment 1, in which UGA is a partner.
pub(crate) fn committed(data: RecordCommitment) -> World {
    let data = RecordCommitment {
        participants: vec![partner("UGA")],
        ..data
    };
    given().and(&recording(1, "KEN", data))
}

#[test]
fn a_reporter_records_a_commitment_for_the_lead() {
    let event = given()
        .when(&recording(1, "KEN", record()))
        .then(recorded());
    assert_eq!(event.subject, id(&commitment(1).to_string()));
    assert_eq!(event.stream_version.0, 1);
    assert_eq!(event.effective, Some(id("2026-03")));
    assert_eq!(event.route.to_string(), "KEN|GCM-05a");
}

#[test]
fn the_commitment_of_a_city_is_under_its_country() {
    let event = given().when(&recording(1, "NBO", record())).accepted();
    assert_eq!(event.route.to_string(), "KEN|GCM-05a");
    assert!(matches!(event.body, EventBody::CommitmentRecorded(data) if data.lead == id("NBO")));
}

#[test]
fn the_commitment_of_a_party_without_a_country_belongs_to_none() {
    let mut recording = recording(1, "KEN", record());
    recording.partner = id("ngo");
    recording.party = id("NGO");
    let event = given().when(&recording).accepted();
    assert_eq!(event.route.to_string(), "|GCM-05a");
}

#[test]
fn the_lead_is_registered_active_and_spoken_for() {
    let world = given();
    for (party, code) in [
        ("NEW", Code::PartyUnknown),
        ("OLD", Code::PartyInactive),
        ("UNNM", Code::PartyNotAllowed),
    ] {
        world
            .when(&recording(1, party, record()))
            .then_refused(code, "party");
    }
}

#[test]
fn a_commitment_is_recorded_once() {
    let world = given().and(&recording(1, "KEN", record()));
    world
        .when(&recording(1, "KEN", record()))
        .then_refused(Code::CommitmentExists, "subject");
    world
        .when(&recording(1, "UGA", record()))
        .then_refused(Code::CommitmentExists, "subject");
}

#[test]
fn everything_a_commitment_names_exists() {
    let cases = [
        (
            RecordCommitment {
                actions: vec![id("GCM-05a"), id("GCM-99")],
                ..record()
            },
            Code::UnknownAction,
            "data.actions[1]",
        ),
        (
            RecordCommitment {
                participants: vec![partner("UGA"), partner("NEW")],
                ..record()
            },
            Code::PartyUnknown,
            "data.participants[1].party",
        ),
        (
            RecordCommitment {
                participants: vec![partner("OLD")],
                ..record()
            },
            Code::PartyInactive,
            "data.participants[0].party",
        ),
        (
            RecordCommitment {
                principles: vec![id("GP-1"), id("GP-11")],
                ..record()
            },
            Code::UnknownPrinciple,
            "data.principles[1]",
        ),
        (
            RecordCommitment {
                matches: Some(commitment(9)),
                ..record()
            },
            Code::UnknownCommitment,
            "data.matches",
        ),
        (
            RecordCommitment {
                matches: Some(commitment(1)),
                ..record()
            },
            Code::SelfReference,
            "data.matches",
        ),
    ];
    for (data, code, field) in cases {
        given()
            .when(&recording(1, "KEN", data))
            .then_refused(code, field);
    }
}

#[test]
fn a_commitment_has_one_lead_who_is_not_its_partner() {
    let data = RecordCommitment {
        participants: vec![partner("UGA"), partner("KEN")],
        ..record()
    };
    given()
        .when(&recording(1, "KEN", data))
        .then_refused(Code::DuplicateValue, "data.participants[1].party");
}

#[test]
fn a_commitment_that_matches_another_is_matching() {
    let world = given().and(&recording(1, "KEN", record()));
    let matching = |form| RecordCommitment {
        matches: Some(commitment(1)),
        form,
        ..record()
    };
    for form in [None, Some(Form::Matching)] {
        let event = world.when(&recording(2, "UGA", matching(form))).accepted();
        assert!(
            matches!(event.body, EventBody::CommitmentRecorded(data) if data.form == Form::Matching)
        );
    }
    world
        .when(&recording(2, "UGA", matching(Some(Form::Common))))
        .then_refused(Code::Contradiction, "data.form");
    let answers_none = RecordCommitment {
        form: Some(Form::Matching),
        ..record()
    };
    world
        .when(&recording(2, "UGA", answers_none))
        .then_refused(Code::Contradiction, "data.form");
    let command = recording(2, "UGA", matching(None));
    assert_eq!(
        command.commitments().as_slice(),
        [commitment(2), commitment(1)]
    );
}

#[test]
fn a_commitment_is_not_made_in_the_future_nor_due_before_it_was_made() {
    let dated = |made, due| RecordCommitment {
        made: Some(id(made)),
        due: Some(id(due)),
        ..record()
    };
    let world = given();
    for made in ["2026-11-24", "2026-12", "2027"] {
        world
            .when(&recording(1, "KEN", dated(made, "2030")))
            .then_refused(Code::DateInFuture, "data.made");
    }
    world
        .when(&recording(1, "KEN", dated("2020-06", "2020-05")))
        .then_refused(Code::DateOrder, "data.due");
    for (made, due) in [
        ("2026", "2026"),
        ("2026-11-23", "2026-11-23"),
        ("2020-06", "2020"),
        ("2008", "2010"),
    ] {
        world
            .when(&recording(1, "KEN", dated(made, due)))
            .accepted();
    }
}

#[test]
fn a_commitment_without_measure_or_dates_is_accepted() {
    let data = RecordCommitment {
        made: None,
        ..record()
    };
    let event = given().when(&recording(1, "KEN", data)).accepted();
    assert_eq!(event.effective, None);
}

#[test]
fn countries_of_implementation_are_not_the_parties() {
    let data = RecordCommitment {
        countries: vec![id("TZA")],
        ..record()
    };
    let event = given().when(&recording(1, "KEN", data)).accepted();
    assert_eq!(event.route.country, Some(id("KEN")));
}

#[test]
fn personal_identifiers_are_refused_wherever_they_stand() {
    let mut data = record();
    data.description = Some("Ask amina@example.org".into());
    given()
        .when(&recording(1, "KEN", data))
        .then_refused(Code::PersonalDataRefused, "data.description");
    let mut data = report("2026", "2026");
    data.evidence = vec![Evidence {
        sha256: Some(Sha256([1; 32])),
        url: Some("https://example.org/+254700123456".into()),
        title: Some("Call +254 700 123 456".into()),
    }];
    committed(record())
        .when(&reporting("KEN", data))
        .then_refused(Code::PersonalDataRefused, "data.evidence[0].title");
}

#[test]
fn a_personal_identifier_is_refused_with_its_place_and_not_shown() {
    let place = |description: &str, url: &str| {
        let mut data = record();
        data.description = Some(description.into());
        data.source = Some(Source {
            system: "A".into(),
            reference: "1".into(),
            url: Some(url.into()),
        });
        let refusal = given().decide(&recording(1, "KEN", data));
        let message = refusal.expect_err("a person").message;
        assert!(!message.contains("amina"), "{message}");
        message
    };
    let web = "https://example.org/";
    let found = place("Écrire à amina@example.org", web);
    assert!(found.starts_with("from character 10 on"), "{found}");
    let found = place("Nothing", "https://example.org/?to=amina@example.org");
    assert!(found.starts_with("from character 25 on"), "{found}");
}

#[test]
fn who_you_are_is_checked_before_what_you_name_and_that_before_the_rules() {
    let data = RecordCommitment {
        actions: vec![id("GCM-99")],
        made: Some(id("2030")),
        description: Some("a@example.org".into()),
        ..record()
    };
    let world = given().and(&recording(1, "KEN", record()));
    let mut command = expecting(7, recording(1, "NEW", data));
    let steps: [Step; 6] = [
        ("party", Code::PartyUnknown, |command| {
            command.party = id("KEN");
        }),
        ("subject", Code::CommitmentExists, |command| {
            command.subject = id(&commitment(2).to_string());
        }),
        ("expectedversion", Code::VersionConflict, |command| {
            command.expected_version = None;
        }),
        ("data.actions[0]", Code::UnknownAction, |command| {
            edit(command, |data| data.actions = vec![id("GCM-05")]);
        }),
        ("data.made", Code::DateInFuture, |command| {
            edit(command, |data| data.made = None);
        }),
        ("data.description", Code::PersonalDataRefused, |command| {
            edit(command, |data| data.description = None);
        }),
    ];
    for (field, code, repair) in steps {
        world.when(&command).then_refused(code, field);
        repair(&mut command);
    }
    world.when(&command).accepted();
}

/// The field and code of a refusal, and what repairs the command so that the next check is reached.
type Step = (&'static str, Code, fn(&mut Command));

fn edit(command: &mut Command, change: impl Fn(&mut RecordCommitment)) {
    if let CommandBody::RecordCommitment(data) = &mut command.body {
        change(data);
    }
}

#[test]
fn a_participant_reports_on_its_own_progress() {
    let world = committed(record());
    for party in ["KEN", "UGA"] {
        let event = world
            .when(&reporting(party, report("2026-01", "2026-06")))
            .accepted();
        assert!(matches!(event.body, EventBody::ProgressReported(_)));
        assert_eq!(event.effective, Some(id("2026-06")));
        assert_eq!(event.stream_version.0, 2);
        assert_eq!(event.route.to_string(), "KEN|GCM-05a");
    }
}

#[test]
fn who_takes_no_part_does_not_report() {
    committed(record())
        .when(&reporting("NBO", report("2026", "2026")))
        .then_refused(Code::NotParticipant, "party");
}

#[test]
fn a_report_needs_its_commitment() {
    given()
        .when(&reporting("KEN", report("2026", "2026")))
        .then_refused(Code::UnknownCommitment, "subject");
}

#[test]
fn a_period_ends_after_it_begins_and_is_not_in_the_future() {
    let world = committed(record());
    for (from, to, code, field) in [
        ("2026-06", "2026-05", Code::DateOrder, "data.period.to"),
        ("2026", "2025", Code::DateOrder, "data.period.to"),
        ("2027", "2027", Code::DateInFuture, "data.period.from"),
        ("2026-01", "2026-12", Code::DateInFuture, "data.period.to"),
    ] {
        world
            .when(&reporting("KEN", report(from, to)))
            .then_refused(code, field);
    }
    world
        .when(&reporting("KEN", report("2026", "2026")))
        .accepted();
}

#[test]
fn a_second_report_over_a_period_corrects_the_newest() {
    let first = reporting("KEN", report("2026-01", "2026-06"));
    let world = committed(record()).and(&first);
    let data = report("2026-01", "2026-06");
    let corrected = |position| ReportCorrected {
        corrects: Position(position),
        report: ProgressReported {
            language: None,
            period: data.period,
            stage: data.stage,
            indicators: Vec::new(),
            narrative: None,
            evidence: Vec::new(),
            no_evidence_reason: None,
        },
        reason: None,
    };
    let at = world.events.len() as u64 - 1;
    world.when(&first).then(corrected(at));
    let world = world.and(&first);
    world.when(&first).then(corrected(at + 1));
}

#[test]
fn another_period_or_another_reporter_corrects_nothing() {
    let world = committed(record()).and(&reporting("KEN", report("2026-01", "2026-06")));
    for (party, from, to) in [
        ("UGA", "2026-01", "2026-06"),
        ("KEN", "2026-01", "2026-07"),
        ("KEN", "2026-01-02", "2026-06-30"),
        ("KEN", "2026", "2026"),
    ] {
        let event = world.when(&reporting(party, report(from, to))).accepted();
        assert!(
            matches!(event.body, EventBody::ProgressReported(_)),
            "{party} {from} {to}"
        );
    }
}

#[test]
fn a_report_does_not_say_why_it_lacks_the_evidence_it_has() {
    let mut data = report("2026", "2026");
    data.evidence = vec![Evidence {
        sha256: Some(Sha256([1; 32])),
        url: None,
        title: None,
    }];
    data.no_evidence_reason = Some("none yet".into());
    committed(record())
        .when(&reporting("KEN", data))
        .then_refused(Code::Contradiction, "data.no_evidence_reason");
}

#[test]
fn a_commitment_keeps_a_bounded_number_of_reports() {
    let mut world = committed(record());
    let day = |number: u32| {
        let (year, month) = (2000 + number / 336, 1 + number / 28 % 12);
        format!("{year}-{month:02}-{:02}", 1 + number % 28)
    };
    for number in 0..1024 {
        let day = day(number);
        world
            .take(&reporting("KEN", report(&day, &day)))
            .expect("accepted");
    }
    world
        .when(&reporting("UGA", report("1950", "1950")))
        .then_refused(Code::TooManyReports, "data.period");
    world
        .when(&reporting("KEN", report(&day(3), &day(3))))
        .accepted();
}

#[test]
fn the_lead_amends_and_old_values_are_kept() {
    let world = committed(RecordCommitment {
        due: Some(id("2028")),
        ..measured(Some(10.0), Some(100.0))
    });
    let data = AmendCommitment {
        due: Some(id("2027-06")),
        actions: Some(vec![id("GCM-10")]),
        measure: Some(MeasureChange {
            target: amount(120.0),
            ..MeasureChange::default()
        }),
        ..amendment()
    };
    let event = world
        .when(&amending("KEN", data.clone()))
        .then(CommitmentAmended {
            language: None,
            title: None,
            description: None,
            due: Some(id("2027-06")),
            measure: data.measure.clone(),
            actions: Some(vec![id("GCM-10")]),
            countries: None,
            nature: None,
            made: None,
            form: None,
            reason: "New plan".into(),
            weakened: false,
            before: Before {
                due: Some(id("2028")),
                target: amount(100.0),
                actions: Some(vec![id("GCM-05a")]),
                ..Before::default()
            },
            milestones: Vec::new(),
            participants: Vec::new(),
        });
    assert_eq!(event.route.to_string(), "KEN|GCM-05a,GCM-10");
    let later = world
        .and(&amending("KEN", data))
        .when(&reporting("KEN", report("2026", "2026")))
        .accepted();
    assert_eq!(later.route.to_string(), "KEN|GCM-10");
}

#[test]
fn only_the_lead_amends() {
    let data = AmendCommitment {
        due: Some(id("2030")),
        ..amendment()
    };
    committed(record())
        .when(&amending("UGA", data))
        .then_refused(Code::NotLead, "party");
}

#[test]
fn an_amendment_names_new_values_of_things_that_exist() {
    let world = committed(record());
    let refused = |data, code, field| world.when(&amending("KEN", data)).then_refused(code, field);
    refused(amendment(), Code::NothingToChange, "data");
    refused(
        AmendCommitment {
            measure: Some(MeasureChange::default()),
            ..amendment()
        },
        Code::NothingToChange,
        "data",
    );
    refused(
        AmendCommitment {
            actions: Some(vec![id("GCM-99")]),
            ..amendment()
        },
        Code::UnknownAction,
        "data.actions[0]",
    );
    refused(
        AmendCommitment {
            measure: Some(MeasureChange {
                target: amount(1.0),
                ..MeasureChange::default()
            }),
            ..amendment()
        },
        Code::MissingField,
        "data.measure.indicator",
    );
    refused(
        AmendCommitment {
            due: Some(id("2026-02")),
            ..amendment()
        },
        Code::DateOrder,
        "data.due",
    );
}

#[test]
fn the_lead_or_the_secretariat_withdraws() {
    let world = committed(record());
    let withdrawn = |by| CommitmentWithdrawn {
        reason: "Superseded by law".into(),
        by,
    };
    world
        .when(&withdrawing("gov", "KEN"))
        .then(withdrawn(ActedBy::Lead));
    world
        .when(&withdrawing("sec", "UNNM"))
        .then(withdrawn(ActedBy::Secretariat));
    // A partner with both roles does not lead by being a reporter.
    world
        .when(&withdrawing("ngo", "NGO"))
        .then(withdrawn(ActedBy::Secretariat));
    world
        .when(&withdrawing("gov", "UGA"))
        .then_refused(Code::NotLead, "party");
}

#[test]
fn a_withdrawn_commitment_takes_nothing_more_and_stays() {
    let world = committed(record()).and(&withdrawing("gov", "KEN"));
    let amended = AmendCommitment {
        due: Some(id("2030")),
        ..amendment()
    };
    for command in [
        reporting("KEN", report("2026", "2026")),
        amending("KEN", amended),
        withdrawing("gov", "KEN"),
    ] {
        world
            .when(&command)
            .then_refused(Code::CommitmentWithdrawn, "subject");
    }
    world
        .when(&recording(1, "KEN", record()))
        .then_refused(Code::CommitmentExists, "subject");
    let matching = RecordCommitment {
        matches: Some(commitment(1)),
        ..record()
    };
    world.when(&recording(2, "UGA", matching)).accepted();
}

#[test]
fn an_expected_version_is_that_of_the_commitments_stream() {
    let world = committed(record()).and(&reporting("KEN", report("2026", "2026")));
    let command = withdrawing("gov", "KEN");
    world.when(&expecting(2, command.clone())).accepted();
    for version in [0, 1, 3] {
        world
            .when(&expecting(version, command.clone()))
            .then_refused(Code::VersionConflict, "expectedversion");
    }
}

#[test]
fn the_state_of_an_ordinary_commitment_is_small() {
    let with_evidence = |year, digest| ReportProgress {
        evidence: vec![Evidence {
            sha256: Some(Sha256([digest; 32])),
            url: None,
            title: None,
        }],
        ..report(year, year)
    };
    let world = given()
        .and(&recording(1, "KEN", measured(Some(1.0), Some(2.0))))
        .and(&reporting("KEN", with_evidence("2025", 1)))
        .and(&reporting("KEN", with_evidence("2026", 2)));
    let state = &world.commitments[&commitment(1)];
    assert_eq!((state.report_count(), state.evidence_count()), (2, 2));
    // A second piece of evidence takes memory of its own: each has a mark of its digest, of its URL and of what it shows.
    assert!(state.size_bytes() <= 248, "{} bytes", state.size_bytes());
}

#[test]
fn a_command_needs_only_the_commitments_it_names() {
    let record = recording(1, "KEN", record());
    assert_eq!(record.commitments().as_slice(), [commitment(1)]);
    let body = CommandBody::RevokePartner(RevokePartner {
        reason: "Key lost".into(),
    });
    let admin = command("root", "ledger", "partner/gov", body);
    assert!(admin.commitments().is_empty());
}
