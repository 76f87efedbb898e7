//! Evidence: what names it, where it is, and what changes nothing.

use ledger_domain::RejectionCode as Code;
use ledger_domain::ids::Position;
use ledger_domain::wire::v1::{
    Command, EventBody, EvidenceDigested, EvidenceFlaggedUnavailable, EvidenceMoved, Sha256,
};

use crate::support::{World, about, commitment, committed, digest, evidenced, id};
use crate::wire::decode;

const HERE: &str = "https://example.org/here";
const THERE: &str = "https://example.org/there";

fn attach(party: &str, report: Option<Position>, pieces: &str) -> Command {
    let report = report.map_or(String::new(), |it| format!(r#""report":"{it}","#));
    let partner = if party == "IND" { "ind" } else { "gov" };
    let data = format!(r#"{{{report}"evidence":[{pieces}]}}"#);
    about(partner, party, "attach_evidence", &data)
}

/// A piece of evidence, with a digest of this byte if there is one.
fn piece(byte: Option<u8>, url: &str) -> String {
    let sha = byte.map_or(String::new(), |it| format!(r#""sha256":"{}","#, digest(it)));
    format!(r#"{{{sha}"url":"{url}"}}"#)
}

/// KEN's report over a year, with one piece of evidence that has a URL and no digest.
fn undigested(year: &str) -> Command {
    let piece = piece(None, HERE);
    let data = format!(
        r#"{{"period":{{"from":"{year}","to":"{year}"}},"stage":"fulfilled","evidence":[{piece}]}}"#
    );
    about("gov", "KEN", "report_progress", &data)
}

fn digesting(place: &str, byte: u8) -> Command {
    let sha = digest(byte);
    let data = format!(r#"{{"evidence":"{place}","sha256":"{sha}","effective":"2026-10"}}"#);
    about("gov", "KEN", "digest_evidence", &data)
}

fn moving(named: &str, url: &str) -> Command {
    let data = format!(r#"{{{named},"url":"{url}","effective":"2026-10"}}"#);
    about("gov", "KEN", "move_evidence", &data)
}

fn flagging(named: &str) -> Command {
    let data = format!(r#"{{{named},"reason":"Answers 404","effective":"2026-10"}}"#);
    about("gov", "KEN", "flag_evidence_unavailable", &data)
}

fn by_digest(byte: u8) -> String {
    format!(r#""sha256":"{}""#, digest(byte))
}

fn by_place(position: Position, index: u8) -> String {
    format!(r#""evidence":"{position}.{index}""#)
}

fn changes_nothing(world: &World, command: &Command) {
    world
        .when(command)
        .then_refused(Code::NothingToChange, "data");
}

#[test]
fn evidence_without_a_digest_is_taken_with_its_url_alone() {
    let event = committed().when(&undigested("2026")).accepted();
    let EventBody::ProgressReported(data) = &event.body else {
        panic!("a report");
    };
    assert_eq!(data.evidence[0].sha256, None);
    assert_eq!(data.evidence[0].url.as_deref(), Some(HERE));
    let written = String::from_utf8(event.body.encode()).expect("UTF-8");
    assert!(
        written.contains(r#""evidence":[{"url":"https://example.org/here"}]"#),
        "{written}"
    );
}

#[test]
fn evidence_has_a_digest_or_a_url() {
    let text = crate::form::example(
        "attach_evidence",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90",
        r#"{"evidence":[{"url":"https://example.org/"},{"title":"Neither"}]}"#,
    );
    let refusal = decode(&text).expect_err("neither");
    let field = Some("data.evidence[1].sha256".to_owned());
    assert_eq!(refusal, (Code::MissingField, field));
}

#[test]
fn the_same_words_without_a_digest_stand_once_in_a_list() {
    let decoded = |pieces: &str| {
        let data = format!(r#"{{"evidence":[{pieces}]}}"#);
        let subject = "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90";
        decode(&crate::form::example("attach_evidence", subject, &data)).map(drop)
    };
    let url = piece(None, HERE);
    let second = Some("data.evidence[1]".to_owned());
    assert_eq!(
        decoded(&format!("{url},{url}")),
        Err((Code::DuplicateValue, second))
    );
    // Pieces are no others for their URL alone, and one with a digest is another than one without.
    let titled = r#"{"url":"https://example.org/here","title":"Annex"}"#;
    assert_eq!(
        decoded(&format!("{url},{titled},{}", piece(Some(1), HERE))),
        Ok(())
    );
}

#[test]
fn evidence_is_named_by_its_digest_or_by_its_place_and_not_by_both() {
    let subject = "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e90";
    let sha = digest(1);
    for (name, rest) in [
        ("move_evidence", r#""url":"https://example.org/""#),
        ("flag_evidence_unavailable", r#""reason":"Gone""#),
    ] {
        let refused = |data: &str| decode(&crate::form::example(name, subject, data)).map(drop);
        assert_eq!(
            refused(&format!("{{{rest}}}")),
            Err((Code::MissingField, Some("data.sha256".to_owned())))
        );
        let both = format!(r#"{{"sha256":"{sha}","evidence":"7.0",{rest}}}"#);
        assert_eq!(
            refused(&both),
            Err((Code::Contradiction, Some("data.evidence".to_owned())))
        );
        for text in ["7", "7.", "7.x", "07.0", "https://example.org/"] {
            assert_eq!(
                refused(&format!(r#"{{"evidence":"{text}",{rest}}}"#)),
                Err((Code::InvalidValue, Some("data.evidence".to_owned()))),
                "{text}"
            );
        }
    }
}

#[test]
fn evidence_without_a_digest_is_moved_flagged_and_digested_by_its_place() {
    let world = committed().and(&undigested("2026"));
    let report = world.last();
    let place = id(&format!("{report}.0"));
    let event = world
        .when(&moving(&by_place(report, 0), THERE))
        .then(EvidenceMoved {
            sha256: None,
            evidence: Some(place),
            url: THERE.into(),
            reason: None,
        });
    assert_eq!(event.effective, Some(id("2026-10")));
    let event = world
        .when(&flagging(&by_place(report, 0)))
        .then(EvidenceFlaggedUnavailable {
            sha256: None,
            evidence: Some(place),
            reason: "Answers 404".into(),
        });
    assert_eq!(event.effective, Some(id("2026-10")));
    let event = world
        .when(&digesting(&format!("{report}.0"), 9))
        .then(EvidenceDigested {
            evidence: place,
            sha256: Sha256([9; 32]),
            reason: None,
        });
    assert_eq!(event.effective, Some(id("2026-10")));
}

#[test]
fn a_place_where_no_evidence_was_named_without_a_digest_is_unknown() {
    let world = committed().and(&undigested("2026")).and(&evidenced("2025"));
    let digested = world.last();
    let report = Position(digested.0 - 1);
    for place in [
        format!("{report}.1"),
        format!("{digested}.0"),
        "0.0".to_owned(),
        "999.0".to_owned(),
        format!("{report}.65535"),
        format!("{}.0", u64::MAX),
    ] {
        for command in [
            digesting(&place, 9),
            moving(&format!(r#""evidence":"{place}""#), THERE),
            flagging(&format!(r#""evidence":"{place}""#)),
        ] {
            world
                .when(&command)
                .then_refused(Code::UnknownEvidence, "data.evidence");
        }
    }
}

#[test]
fn once_digested_evidence_answers_to_both_names() {
    let world = committed().and(&undigested("2026"));
    let report = world.last();
    let world = world.and(&digesting(&format!("{report}.0"), 9));
    changes_nothing(&world, &digesting(&format!("{report}.0"), 9));
    changes_nothing(&world, &digesting(&format!("{report}.0"), 8));
    for name in [by_digest(9), by_place(report, 0)] {
        changes_nothing(&world, &moving(&name, HERE));
        let moved = world.clone().and(&moving(&name, THERE));
        for other in [by_digest(9), by_place(report, 0)] {
            changes_nothing(&moved, &moving(&other, THERE));
        }
    }
}

#[test]
fn nobody_but_participants_and_assessors_digests_evidence() {
    let world = committed().and(&undigested("2026"));
    let data = format!(
        r#"{{"evidence":"{}.0","sha256":"{}"}}"#,
        world.last(),
        digest(9)
    );
    let digesting = |partner, party| about(partner, party, "digest_evidence", &data);
    for (partner, party) in [("gov", "KEN"), ("gov", "UGA"), ("ind", "IND")] {
        world.when(&digesting(partner, party)).accepted();
    }
    world
        .when(&digesting("gov", "NBO"))
        .then_refused(Code::NotParticipant, "party");
    world
        .when(&digesting("sec", "UNNM"))
        .then_refused(Code::RoleMissing, "type");
}

#[test]
fn a_date_after_today_is_none_of_a_move_an_attachment_or_a_digest() {
    let world = committed().and(&undigested("2026"));
    let report = world.last();
    for (name, data) in [
        (
            "attach_evidence",
            format!(r#""evidence":[{}]"#, piece(Some(9), HERE)),
        ),
        (
            "move_evidence",
            format!(r#"{},"url":"{THERE}""#, by_place(report, 0)),
        ),
        (
            "digest_evidence",
            format!("{},{}", by_place(report, 0), by_digest(9)),
        ),
        (
            "flag_evidence_unavailable",
            format!(r#"{},"reason":"Gone""#, by_place(report, 0)),
        ),
    ] {
        let dated = |date: &str| format!(r#"{{{data},"effective":"{date}"}}"#);
        world
            .when(&about("gov", "KEN", name, &dated("2027-06")))
            .then_refused(Code::DateInFuture, "data.effective");
        let event = world
            .when(&about("gov", "KEN", name, &dated("2026-06")))
            .accepted();
        assert_eq!(event.effective, Some(id("2026-06")), "{name}");
    }
}

#[test]
fn evidence_is_moved_to_another_url_than_it_has() {
    let world = committed().and(&attach("KEN", None, &piece(Some(1), HERE)));
    changes_nothing(&world, &moving(&by_digest(1), HERE));
    let moved = world.and(&moving(&by_digest(1), THERE));
    changes_nothing(&moved, &moving(&by_digest(1), THERE));
    moved.when(&moving(&by_digest(1), HERE)).accepted();
    // What was looked for in vain is found again by saying that it is where it was.
    let flagged = moved.and(&flagging(&by_digest(1)));
    let found = flagged.and(&moving(&by_digest(1), THERE));
    changes_nothing(&found, &moving(&by_digest(1), THERE));
    // A URL that another event named last is the present one.
    let named = found.and(&attach("KEN", None, &piece(Some(1), HERE)));
    changes_nothing(&named, &moving(&by_digest(1), HERE));
    named.when(&moving(&by_digest(1), THERE)).accepted();
}

#[test]
fn what_is_attached_is_not_attached_again() {
    for byte in [Some(1), None] {
        let world = committed().and(&attach("KEN", None, &piece(byte, HERE)));
        changes_nothing(&world, &attach("KEN", None, &piece(byte, HERE)));
        changes_nothing(&world, &attach("UGA", None, &piece(byte, HERE)));
        changes_nothing(&world, &attach("IND", None, &piece(byte, HERE)));
        world
            .when(&attach("KEN", None, &piece(byte, THERE)))
            .accepted();
        let both = format!("{},{}", piece(byte, HERE), piece(Some(2), HERE));
        world.when(&attach("KEN", None, &both)).accepted();
    }
    // Without a URL nothing is said of where it is.
    let digest_alone = format!("{{{}}}", by_digest(1));
    let world = committed().and(&attach("KEN", None, &piece(Some(1), HERE)));
    changes_nothing(&world, &attach("KEN", None, &digest_alone));
}

#[test]
fn evidence_is_attached_to_each_thing_that_it_shows() {
    let world = committed().and(&evidenced("2026"));
    let first = world.last();
    let digest_alone = format!("{{{}}}", by_digest(1));
    changes_nothing(&world, &attach("KEN", Some(first), &digest_alone));
    world.when(&attach("KEN", None, &digest_alone)).accepted();
    let bare = r#"{"period":{"from":"2025","to":"2025"},"stage":"fulfilled"}"#;
    let world = world.and(&about("gov", "KEN", "report_progress", bare));
    let second = world.last();
    let attached = world.and(&attach("KEN", Some(second), &digest_alone));
    changes_nothing(&attached, &attach("KEN", Some(second), &digest_alone));
    // What an assessor attached is not yet the participants' own.
    let world = committed().and(&attach("IND", None, &piece(Some(1), HERE)));
    changes_nothing(&world, &attach("IND", None, &piece(Some(1), HERE)));
    let own = world.and(&attach("KEN", None, &piece(Some(1), HERE)));
    changes_nothing(&own, &attach("KEN", None, &piece(Some(1), HERE)));
}

#[test]
fn evidence_that_was_not_found_is_attached_anew() {
    for (byte, name) in [(Some(1), by_digest(1)), (None, String::new())] {
        let world = committed().and(&attach("KEN", None, &piece(byte, HERE)));
        let name = if name.is_empty() {
            by_place(world.last(), 0)
        } else {
            name
        };
        let flagged = world.and(&flagging(&name));
        let anew = flagged.and(&attach("KEN", None, &piece(byte, HERE)));
        changes_nothing(&anew, &attach("KEN", None, &piece(byte, HERE)));
    }
}

#[test]
fn evidence_without_a_digest_is_evidence_for_closing_as_fulfilled() {
    let closing = r#"{"outcome":"fulfilled","reason":"Done"}"#;
    let closing = about("gov", "KEN", "close_commitment", closing);
    committed()
        .when(&closing)
        .then_refused(Code::EvidenceRequired, "data.outcome");
    committed()
        .and(&undigested("2026"))
        .when(&closing)
        .accepted();
}

#[test]
fn evidence_that_was_attached_to_each_thing_in_turn_is_not_attached_again() {
    let bare = r#"{"period":{"from":"2025","to":"2025"},"stage":"fulfilled"}"#;
    let world = committed().and(&evidenced("2026"));
    let first = world.last();
    let world = world.and(&about("gov", "KEN", "report_progress", bare));
    let second = world.last();
    let [piece, other] = [1, 2].map(|byte| piece(Some(byte), HERE));
    let things = [Some(first), None, Some(second)];
    let attached = things.iter().fold(world, |world, report| {
        world.and(&attach("KEN", *report, &piece))
    });
    for report in things {
        changes_nothing(&attached, &attach("KEN", report, &piece));
        changes_nothing(&attached, &attach("UGA", report, &piece));
    }
    // Each stays so when an assessor names it of something as well.
    let world = attached.and(&attach("IND", None, &other));
    for report in things {
        changes_nothing(&world, &attach("KEN", report, &piece));
    }
    assert_eq!(world.commitments[&commitment(1)].evidence_count(), 4);
}

#[test]
fn evidence_that_a_correction_does_not_name_is_attached_to_it_anew() {
    let correction = |stage: &str, report: Position| {
        let data = format!(r#"{{"report":"{report}","stage":"{stage}","reason":"Counted twice"}}"#);
        about("gov", "KEN", "correct_report", &data)
    };
    let world = committed().and(&evidenced("2026"));
    let report = world.last();
    let world = world.and(&correction("stalled", report));
    let corrected = world.last();
    let attaching = attach("KEN", Some(corrected), &piece(Some(1), HERE));
    let world = world.and(&attaching);
    changes_nothing(&world, &attaching);
}

#[test]
fn a_piece_that_only_corrections_name_takes_one_place() {
    let correction = |number: u32, report: Position| {
        let (sha, number) = (digest(1), number + 1);
        let data = format!(
            r#"{{"report":"{report}","stage":"stalled","narrative":"Count {number}","evidence":[{{"sha256":"{sha}"}}],"reason":"Counted anew"}}"#
        );
        about("gov", "KEN", "correct_report", &data)
    };
    let corrected = (0..20).fold(committed().and(&evidenced("2026")), |world, number| {
        let report = world.last();
        world.and(&correction(number, report))
    });
    let state = &corrected.commitments[&commitment(1)];
    assert_eq!(state.evidence_count(), 1);
}

#[test]
fn a_new_title_is_news_of_a_piece_with_a_digest_and_of_one_without() {
    let titled = |byte: Option<u8>, title: &str| {
        let piece = piece(byte, HERE);
        format!(r#"{},"title":"{title}"}}"#, piece.trim_end_matches('}'))
    };
    for byte in [Some(1), None] {
        let world = committed().and(&attach("KEN", None, &titled(byte, "Annex")));
        changes_nothing(&world, &attach("KEN", None, &titled(byte, "Annex")));
        let renamed = world.and(&attach("KEN", None, &titled(byte, "Annual report")));
        changes_nothing(
            &renamed,
            &attach("KEN", None, &titled(byte, "Annual report")),
        );
    }
    // A digest alone says nothing of the title.
    let world = committed().and(&attach("KEN", None, &titled(Some(1), "Annex")));
    changes_nothing(&world, &attach("KEN", None, &piece(Some(1), HERE)));
}

#[test]
fn evidence_that_is_flagged_is_flagged_again_for_another_reason_or_a_later_date_only() {
    let flag = |name: &str, reason: &str, effective: Option<&str>| {
        let since = effective.map_or(String::new(), |it| format!(r#","effective":"{it}""#));
        let data = format!(r#"{{{name},"reason":"{reason}"{since}}}"#);
        about("gov", "KEN", "flag_evidence_unavailable", &data)
    };
    for byte in [Some(1), None] {
        let world = committed().and(&attach("KEN", None, &piece(byte, HERE)));
        let name = byte.map_or_else(|| by_place(world.last(), 0), by_digest);
        let flagged = world.and(&flag(&name, "Answers 404", Some("2026-10")));
        for date in [None, Some("2026"), Some("2026-09"), Some("2026-10")] {
            changes_nothing(&flagged, &flag(&name, "Answers 404", date));
        }
        flagged
            .when(&flag(&name, "Answers 404", Some("2026-11")))
            .accepted();
        flagged
            .when(&flag(&name, "The host is gone", None))
            .accepted();
        let found = flagged.and(&moving(&name, HERE));
        found
            .when(&flag(&name, "Answers 404", Some("2026-10")))
            .accepted();
        let undated = found.and(&flag(&name, "Answers 404", None));
        changes_nothing(&undated, &flag(&name, "Answers 404", None));
        undated
            .when(&flag(&name, "Answers 404", Some("2026-10")))
            .accepted();
    }
}
