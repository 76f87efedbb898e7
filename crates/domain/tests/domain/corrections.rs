//! The rules of changes that change nothing, of names, and of days that have begun somewhere on Earth.

use chrono::{DateTime, Utc};
use ledger_domain::wire::v1::{Command, EventBody, PartyAmended, PartyKind, Policy};
use ledger_domain::{RejectionCode as Code, RulesVersion, decide};

use crate::support::{World, about, commitment, committed, given, id, say};

fn as_secretariat(subject: &str, name: &str, data: &str) -> Command {
    say("sec", "UNNM", subject, name, data)
}

/// A command that is taken once changes nothing when it comes again.
fn changes_once(world: World, command: &Command) -> World {
    let world = world.and(command);
    world
        .when(command)
        .then_refused(Code::NothingToChange, "data");
    world
}

#[test]
fn a_partner_is_not_changed_to_what_it_is() {
    let change = |data: &str| say("root", "ledger", "partner/gov", "change_partner", data);
    let world = given();
    for data in [
        r#"{"name":"A partner"}"#,
        r#"{"roles":["reporter"]}"#,
        r#"{"parties":["UNK","NEW","OLD","NBO","UGA","KEN"]}"#,
        r#"{"focal_point_for":[]}"#,
        r#"{"name":"A partner","roles":["reporter"],"focal_point_for":[]}"#,
    ] {
        world
            .when(&change(data))
            .then_refused(Code::NothingToChange, "data");
    }
    let named = r#"{"name":"Another","roles":["reporter"]}"#;
    let world = changes_once(world, &change(named));
    let world = changes_once(world, &change(r#"{"focal_point_for":["KEN"]}"#));
    let world = changes_once(world, &change(r#"{"parties":["KEN"]}"#));
    changes_once(world, &change(r#"{"roles":["reporter","auditor"]}"#));
}

#[test]
fn the_catalogue_is_not_changed_to_what_it_is() {
    let about = |name: &str, data: &str| as_secretariat("instrument/GCM-2018", name, data);
    let amend = |data: &str| {
        let data = format!(r#"{{"code":"GCM-05","reason":"x",{data}}}"#);
        about("amend_action_text", &data)
    };
    let world = given();
    for data in [r#""title":"GCM-05""#, r#""text_status":"seen""#] {
        world
            .when(&amend(data))
            .then_refused(Code::NothingToChange, "data");
    }
    let world = changes_once(world, &amend(r#""title":"Pathways","text_status":"seen""#));
    let world = changes_once(world, &amend(r#""description":"In full""#));
    let world = changes_once(world, &amend(r#""text_status":"not_seen""#));
    let map = |to: &str, more: &str| {
        let data = format!(r#"{{"from":"GCM-05","to":{to}{more}}}"#);
        about("map_actions", &data)
    };
    let world = changes_once(world, &map(r#"["OTH-1"]"#, ""));
    let world = changes_once(world, &map(r#"["OTH-1","GCM-10"]"#, ""));
    changes_once(world, &map(r#"["GCM-10"]"#, r#","basis":"A table""#));
}

#[test]
fn texts_have_a_language_that_can_be_amended() {
    let second = commitment(2).to_string();
    let record = |language: &str| {
        let data = format!(r#"{{"title":"Vistos","actions":["GCM-05a"],"language":"{language}"}}"#);
        say("gov", "KEN", &second, "record_commitment", &data)
    };
    let world = given().and(&record("pt-BR"));
    let amend = |language: &str| {
        let data = format!(r#"{{"reason":"x","language":"{language}"}}"#);
        say("gov", "KEN", &second, "amend_commitment", &data)
    };
    world
        .when(&amend("pt-BR"))
        .then_refused(Code::NothingToChange, "data");
    let event = world.when(&amend("pt-AO")).accepted();
    let EventBody::CommitmentAmended(amended) = event.body else {
        panic!("{event:?}");
    };
    assert_eq!(amended.language, Some(id("pt-AO")));
    changes_once(world, &amend("pt-AO"));
    let text = String::from_utf8(record("en").encode()).unwrap();
    let wrong = text.replace(r#""en""#, r#""Português""#);
    let refusal = Command::decode(wrong.as_bytes(), &Policy::default()).unwrap_err();
    let rejection = refusal.rejection;
    let found = (rejection.code, rejection.field.as_deref());
    assert_eq!(found, (Code::InvalidValue, Some("data.language")));
}

fn revise(world: &World, data: &str) -> Command {
    let at = world.last();
    let data = format!(r#"{{"assessment":"{at}","reason":"x",{data}}}"#);
    about("ind", "IND", "revise_assessment", &data)
}

#[test]
fn an_assessment_is_not_revised_to_what_it_says() {
    let assess = r#"{"method":"IRM","method_version":"1","grade":"Limited","completion":"limited","summary":"Little"}"#;
    let world = committed().and(&about("ind", "IND", "assess_progress", assess));
    for data in [
        r#""grade":"Limited","completion":"limited""#,
        r#""completion":"limited""#,
        r#""summary":"Little""#,
    ] {
        world
            .when(&revise(&world, data))
            .then_refused(Code::NothingToChange, "data");
    }
    // A new grade without a completion leaves none: that is a change.
    let untranslated = revise(&world, r#""grade":"Limited""#);
    let world = world.and(&untranslated);
    for data in [r#""grade":"Limited""#, r#""summary":"Little""#] {
        world
            .when(&revise(&world, data))
            .then_refused(Code::NothingToChange, "data");
    }
    // The same words of a text that was amended since are another statement.
    let first = world.last();
    let amend = r#"{"due":"2031","reason":"x"}"#;
    let amended = world
        .clone()
        .and(&about("gov", "KEN", "amend_commitment", amend));
    let data = format!(r#"{{"assessment":"{first}","reason":"x","grade":"Limited"}}"#);
    let amended = amended.and(&about("ind", "IND", "revise_assessment", &data));
    amended
        .when(&revise(&amended, r#""grade":"Limited""#))
        .then_refused(Code::NothingToChange, "data");
    let partly = revise(&world, r#""summary":"Little","grade":"Some""#);
    world.when(&partly).accepted();
    let grades = r#""grades":[{"dimension":"a","grade":"1"},{"dimension":"b","grade":"2"}]"#;
    let assess = format!(r#"{{"method":"IRM","method_version":"1",{grades}}}"#);
    let world = committed().and(&about("ind", "IND", "assess_ambition", &assess));
    world
        .when(&revise(&world, grades))
        .then_refused(Code::NothingToChange, "data");
    world
        .when(&revise(&world, &grades.replace('2', "3")))
        .accepted();
}

#[test]
fn a_party_is_renamed_and_stays_itself() {
    let amend =
        |party: &str, data: &str| as_secretariat(&format!("party/{party}"), "amend_party", data);
    let data = r#"{"name":"Another name","reason":"It asked for it","effective":"2022-06"}"#;
    let world = given();
    let event = world.when(&amend("KEN", data)).then(PartyAmended {
        name: "Another name".into(),
        reason: "It asked for it".into(),
    });
    assert_eq!(event.effective, Some(id("2022-06")));
    assert_eq!(event.stream_version.0, 2);
    let same = r#"{"name":"A party","reason":"x"}"#;
    world
        .when(&amend("KEN", same))
        .then_refused(Code::NothingToChange, "data.name");
    let world = world.and(&amend("KEN", data));
    let kind = world.reference.party(&id("KEN")).map(|party| party.kind);
    assert_eq!(kind, Some(PartyKind::MemberState));
    world
        .when(&amend("KEN", data))
        .then_refused(Code::NothingToChange, "data.name");
    // Back to a name of before, and of a party that is inactive.
    world.when(&amend("KEN", same)).accepted();
    world.when(&amend("OLD", data)).accepted();
    world
        .when(&amend("NEW", data))
        .then_refused(Code::PartyUnknown, "subject");
    let future = r#"{"name":"x","reason":"x","effective":"2027"}"#;
    world
        .when(&amend("KEN", future))
        .then_refused(Code::DateInFuture, "data.effective");
    world
        .when(&say("gov", "KEN", "party/KEN", "amend_party", data))
        .then_refused(Code::RoleMissing, "type");
}

#[test]
fn a_party_may_be_of_every_kind_that_registers_know() {
    let register =
        |party: &str, data: &str| as_secretariat(&format!("party/{party}"), "register_party", data);
    for kind in [
        "non_member_state",
        "government_body",
        "other_public_body",
        "foundation",
        "unknown",
    ] {
        let data = format!(r#"{{"name":"x","kind":"{kind}"}}"#);
        let world = given().and(&register("SOME", &data));
        let party = world.reference.party(&id("SOME")).unwrap();
        assert_eq!((party.kind.as_str(), party.country), (kind, None));
    }
    // The country of a State that is no member is itself too, where it has a code.
    let state = r#"{"name":"Cook Islands","kind":"non_member_state"}"#;
    let world = given().and(&register("COK", state));
    let party = world.reference.party(&id("COK")).unwrap();
    assert_eq!(party.country, Some(id("COK")));
    given()
        .when(&register("MEX", state))
        .then_refused(Code::CountryMismatch, "subject");
}

/// Whether a command is refused at a time because of its date.
fn is_future_at(now: &str, command: &Command) -> bool {
    let world = committed();
    let now: DateTime<Utc> = id(now);
    match decide(
        RulesVersion::CURRENT,
        &world.reference,
        &world.commitments,
        command,
        now,
    ) {
        Ok(_) => false,
        Err(refusal) => {
            assert_eq!(refusal.code, Code::DateInFuture, "{refusal}");
            true
        }
    }
}

#[test]
fn a_day_a_month_and_a_year_that_have_begun_anywhere_have_come() {
    for date in ["2026-12-01", "2026-12"] {
        let period =
            format!(r#"{{"period":{{"from":"{date}","to":"{date}"}},"stage":"planning"}}"#);
        let effective = format!(r#"{{"reason":"x","effective":"{date}"}}"#);
        let amended = format!(r#"{{"title":"x","reason":"x","effective":"{date}"}}"#);
        let reached = format!(r#"{{"milestone":"Law","reached":"{date}"}}"#);
        let assessed =
            format!(r#"{{"method":"a","method_version":"1","grade":"x","assessed":"{date}"}}"#);
        let made = format!(r#"{{"title":"x","actions":["GCM-05a"],"made":"{date}"}}"#);
        let second = commitment(2).to_string();
        let commands = [
            about("gov", "KEN", "report_progress", &period),
            about("gov", "KEN", "suspend_commitment", &effective),
            about("gov", "KEN", "lapse_commitment", &effective),
            about("gov", "KEN", "amend_commitment", &amended),
            about("gov", "KEN", "reach_milestone", &reached),
            about("ind", "IND", "assess_progress", &assessed),
            say("gov", "KEN", &second, "record_commitment", &made),
        ];
        for command in &commands {
            assert!(is_future_at("2026-11-30T09:59:59Z", command), "{command:?}");
            assert!(
                !is_future_at("2026-11-30T10:00:00Z", command),
                "{command:?}"
            );
        }
    }
    let year = r#"{"period":{"from":"2027","to":"2027"},"stage":"planning"}"#;
    let command = about("gov", "KEN", "report_progress", year);
    assert!(is_future_at("2026-12-31T09:59:59Z", &command));
    assert!(!is_future_at("2026-12-31T10:00:00Z", &command));
}
